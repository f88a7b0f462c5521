//! Truncations: the method `copytruncate`, for file systems and applications that bear no other, and files that became very
//! long.
//!
//! What is truncated was streamed to its last byte when it was looked at last.
//!
//! LOSS: a truncation destroys what its writer writes between that look and the truncation, two system calls later. Each
//! truncation says how long that was.

use std::time::Instant;

use super::state::Reclaim;
use crate::disk::space;
use crate::paths::beneath::Stat;
use crate::read::buffer::Buffer;
use crate::report::refusal::Refusal;
use crate::shelf::files::Key;
use crate::track::tracker::Tracker;

/// How much is archived at the moment of a truncation, at most, in bytes; more is archived beforehand, beside the stream.
pub(super) const LAST_BYTES_MAX: u64 = 512 << 10;

impl Reclaim {
    /// Truncates a file of which everything is streamed, and looks again after the next turn if something is not.
    pub(super) fn truncate(&mut self, tracker: &mut Tracker, key: Key, now: Instant, buffer: &mut Buffer) {
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
        if file.follower.has_changed(buffer)? || Stat::of(&opened)?.size != file.room.saved {
            return Ok(false);
        }
        if self.policy.keep > 0 {
            self.archive_last(tracker, key)?;
        }
        let Some(file) = tracker.files.file(key) else { return Ok(false) };
        let streamed = file.room.durable_limit(1);
        if streamed > LAST_BYTES_MAX {
            // The less there is to be freed, the shorter the moment. Where it cannot be punched, it is freed by the truncation.
            let _ = space::punch(file.follower.file()?, 0, streamed);
        }
        let before = Instant::now();
        if Stat::of(&opened)?.size != file.room.saved {
            return Ok(false);
        }
        rustix::fs::ftruncate(&opened, 0)?;
        let window = before.elapsed();
        tracker.totals.gave_back(file.room.streamed_bytes());
        file.room.given_back += file.room.streamed_bytes();
        file.room.rotated = Some(before);
        let path = file.path.display();
        tracing::info!(file = %path, "truncated {path}; what was written to it within {} us before is lost", window.as_micros());
        Ok(true)
    }

    /// Adds to the newest archive what was streamed since that was made: a member of its own, gzip(1) reads them as one.
    fn archive_last(&self, tracker: &mut Tracker, key: Key) -> Result<(), Refusal> {
        let archives = self.archives_of(tracker, key)?;
        let Some(file) = tracker.files.file(key) else { return Ok(()) };
        let (kept, saved) = (file.room.kept.unwrap_or(0), file.room.saved);
        let mut bytes = vec![0; usize::try_from(saved - kept).unwrap_or(0)];
        let read = rustix::io::pread(file.follower.file()?, &mut bytes, kept)?;
        archives.append(&bytes[..read], Stat::of(file.follower.file()?)?)?;
        file.room.kept = Some(saved);
        tracker.save(key);
        Ok(())
    }
}
