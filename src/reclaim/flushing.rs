//! What is made durable before anything is reclaimed: the checkpoint, and an archive, in one flush for all files.

use super::job::Archiving;
use super::state::Reclaim;
use crate::disk::flush::Flush;
use crate::shelf::lineage::Key;
use crate::shelf::room::Work;
use crate::track::tracker::Tracker;

impl Reclaim {
    /// Begins to make durable what something waits for: the checkpoint, an archive.
    pub(super) fn flush_wanted(&mut self, tracker: &mut Tracker) {
        let waits = self.wants_flush || self.archiving.as_ref().is_some_and(Archiving::waits_for_flush);
        if !waits || self.flusher.is_busy() {
            return;
        }
        // What cannot be flushed now, for want of a descriptor, waits for the next time.
        let Ok(file) = tracker.checkpoint_file() else { return };
        let archive = self.archiving.as_mut().and_then(|archiving| archiving.flush().ok().flatten());
        self.wants_flush = false;
        tracker.files.each(|file| file.progress.begin_flush());
        self.flusher.start([Some(Flush::Bytes(file)), archive].into_iter().flatten().collect());
    }
}

/// Notes, in the checkpoint too, what is about to be done to a file; says whether it could be noted there.
pub(super) fn note_work(tracker: &mut Tracker, key: Key, happens: impl FnOnce(&mut Work)) -> bool {
    if let Some(file) = tracker.files.file(key) {
        happens(&mut file.room.work);
    }
    tracker.save(key)
}
