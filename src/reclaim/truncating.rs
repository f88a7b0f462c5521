//! Truncations: the method `copytruncate`, for file systems and applications that bear no other, and files that became very
//! long.
//!
//! What is truncated was streamed to its last byte when it was looked at last, and the checkpoint on the disk says so.
//!
//! LOSS: a truncation destroys what its writer writes between that look and the truncation, two system calls later. Each
//! truncation says how long that was.

use std::time::Instant;

use super::punching::punch;
use super::state::Reclaim;
use crate::disk::space;
use crate::paths::beneath::Stat;
use crate::read::buffer::Buffer;
use crate::report::refusal::Refusal;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

/// How much is archived at the moment of a truncation, at most, in bytes; more is archived beforehand, beside the stream.
pub(super) const LAST_BYTES_MAX: u64 = 512 << 10;

impl Reclaim {
    /// Truncates a file of which everything is streamed and durably noted, and looks again after the next turn if something is
    /// not: a flush is waited for, and what was written meanwhile waits for another one.
    pub(super) fn truncate(&mut self, tracker: &mut Tracker, key: Key, now: Instant, buffer: &mut Buffer) {
        let Some(file) = tracker.files.file(key) else { return };
        file.room.is_to_be_truncated = true;
        if !file.progress.is_durable(file.progress.noted()) {
            let freed = if self.policy.keep == 0 { free_durable(file) } else { 0 };
            self.want(&mut file.room, file.progress.limit(1));
            return tracker.totals.add_reclaimed(freed);
        }
        match self.try_truncate(tracker, key, buffer) {
            Ok(true) => self.begin_room_anew(tracker, key),
            Ok(false) => {
                if let Some(file) = tracker.files.file(key) {
                    file.room.look_at = 0;
                }
            }
            Err(why) => self.refuse(tracker, key, why, now),
        }
    }

    /// Truncates the file if it holds nothing that was not streamed, and says whether it did.
    ///
    /// # Errors
    /// Those of open(2), ftruncate(2), and of the archive that the last bytes are added to.
    pub(super) fn try_truncate(&self, tracker: &mut Tracker, key: Key, buffer: &mut Buffer) -> Result<bool, Refusal> {
        let Some(file) = tracker.files.file(key) else { return Ok(false) };
        let opened = space::open_for_writing(file.follower.file()?)?;
        // Truncated by somebody else meanwhile, perhaps: then what it holds was not streamed.
        let is_all_noted = Stat::of(&opened)?.size == file.progress.noted();
        if file.follower.has_changed(buffer)? || !is_all_noted || !file.progress.is_durable(file.progress.noted()) {
            return Ok(false);
        }
        if self.policy.keep > 0 {
            self.archive_last(tracker, key)?;
        }
        let Some(file) = tracker.files.file(key) else { return Ok(false) };
        let streamed = file.progress.durable_limit(1);
        if streamed > LAST_BYTES_MAX {
            // The less there is to be freed, the shorter the moment. Where it cannot be punched, it is freed by the truncation.
            let _ = space::punch(file.follower.file()?, 0, streamed);
        }
        let before = Instant::now();
        if Stat::of(&opened)?.size != file.progress.noted() {
            return Ok(false);
        }
        rustix::fs::ftruncate(&opened, 0)?;
        let window = before.elapsed();
        tracker.totals.add_reclaimed(file.progress.reclaimable_bytes());
        file.room.rotated = Some(before);
        let path = file.path.display();
        tracing::info!(
            file = %path,
            "truncated {path}; lines written in the {} us before it are lost",
            window.as_micros()
        );
        Ok(true)
    }

    /// Adds to the newest archive what was streamed since that was made: a member of its own, gzip(1) reads them as one.
    fn archive_last(&self, tracker: &mut Tracker, key: Key) -> Result<(), Refusal> {
        let archives = self.archives_of(tracker, key)?;
        let Some(file) = tracker.files.file(key) else { return Ok(()) };
        let (kept, saved) = (file.progress.reclaimed(), file.progress.noted());
        let mut bytes = vec![0; usize::try_from(saved - kept).unwrap_or(0)];
        let read = rustix::io::pread(file.follower.file()?, &mut bytes, kept)?;
        let log = Stat::of(file.follower.file()?)?;
        archives.append(&bytes[..read], log, |id| _ = tracker.note_archive(id))?;
        let Some(file) = tracker.files.file(key) else { return Ok(()) };
        file.progress.pass_over(saved);
        tracker.save(key);
        Ok(())
    }
}

/// Reclaims what is durable of a file whose writer never pauses for long enough to be truncated; the file is as long as before,
/// and takes less. Where holes cannot be punched it has to wait. Returns how much that was, in bytes.
fn free_durable(file: &mut Followed) -> u64 {
    let (start, end) = (file.progress.reclaimed(), file.progress.durable_limit(1));
    if end <= start + LAST_BYTES_MAX || punch(file, start, end).is_err() {
        return 0;
    }
    file.progress.reclaim(end);
    // The head is another one then.
    let _ = file.follower.look_at_head();
    end - start
}
