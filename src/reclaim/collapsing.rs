//! Holes are taken out of files whose writers are known to append: the file becomes shorter.

use std::time::Instant;

use super::flushing::note_work;
use super::limits::{RETRY_AFTER, is_collapse_wanted};
use super::state::Reclaim;
use crate::disk::space;
use crate::disk::writers::{Writers, writers_of};
use crate::report::message::counted;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::shelf::room::Work;
use crate::track::tracker::Tracker;

impl Reclaim {
    /// Collapses the hole of a reclaimed file, if configured and if its writer is known to append.
    pub(super) fn collapse(&mut self, tracker: &mut Tracker, key: Key, now: Instant) {
        let Some(file) = tracker.files.file(key).filter(|file| self.may_collapse(key, file, now)) else { return };
        let kept = file.progress.reclaimed();
        let bytes = file.follower.file().and_then(|opened| space::collapsible(opened, kept)).unwrap_or(0);
        if bytes == 0 {
            return;
        }
        let is_appending = writers_of(file.follower.id()) == Writers::Append;
        file.room.collapse.writers_seen(is_appending, now);
        if !is_appending || !note_work(tracker, key, |work| work.begin_collapse(bytes)) {
            return;
        }
        let Some(file) = tracker.files.file(key) else { return };
        match file.follower.file().and_then(|opened| space::collapse(opened, bytes)) {
            Ok(()) => {
                // The offset is right even if the head cannot be read; then it is no help to know the file by.
                let _ = file.follower.collapsed(bytes);
                file.room.collapsed(bytes);
                file.progress.collapse(bytes);
                tracing::debug!(file = %file.path.display(), "collapsed {} of {}", counted(bytes, "byte"), file.path.display());
            }
            Err(why) => self.refuse_collapse(file, &why),
        }
        note_work(tracker, key, Work::intent_over);
    }

    fn may_collapse(&self, key: Key, file: &Followed, now: Instant) -> bool {
        let is_under_way = self.is_archiving_of(key) || file.room.work.is_under_way();
        let is_busy = !file.progress.is_delivered() || is_under_way || file.follower.is_before_long_line();
        // To look at all processes takes its time.
        let can_be = file.room.collapse.may_be_tried(RETRY_AFTER, now);
        let is_refused = self.uncollapsible.contains(&file.follower.id().dev);
        is_collapse_wanted(&self.policy, &file.progress) && !is_busy && can_be && !is_refused
    }
}
