//! Holes in the place of what was streamed: what is reclaimed, once the checkpoint on the disk says that it is streamed.
//!
//! LOSS: if another program truncates the file between the look at its marker and the hole, some microseconds, and the writer
//! writes beyond what was reclaimed before, that is lost with it. Two rotators of one file are one too many.

use std::io;
use std::time::Instant;

use super::state::Reclaim;
use crate::disk::policy::Method;
use crate::disk::space;
use crate::paths::beneath::Stat;
use crate::read::buffer::Buffer;
use crate::report::message::counted;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

/// What is to be done for a file after something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Something was reclaimed; what is left, or was streamed since, may be too much again.
    LookAgain,
    Nothing,
}

impl Reclaim {
    /// Reclaims what is before `end`, of which the checkpoint on the disk says that it is streamed.
    pub(super) fn reclaim(
        &mut self,
        tracker: &mut Tracker,
        key: Key,
        end: u64,
        now: Instant,
        buffer: &mut Buffer,
    ) -> Then {
        let Some(file) = tracker.files.file(key) else { return Then::Nothing };
        let kept = file.progress.reclaimed();
        let is_archived = file.room.work.is_archived();
        file.room.work.intent_over();
        // Truncated meanwhile, perhaps: then what is before the offset is not what was streamed.
        let changed = file.follower.has_changed(buffer);
        let is_durable = file.progress.is_durable(end) && end <= file.progress.limit(1);
        if !is_durable || kept >= end || matches!(changed, Ok(true)) {
            return Then::Nothing;
        }
        let punched = changed.and_then(|_| punch(file, kept, end));
        if punched.is_ok() || is_archived {
            // What is in an archive is not archived again, even if the file cannot reclaim it.
            file.progress.reclaim(end);
            // The first block may be one of which a part stays: its head is another one then.
            let _ = file.follower.look_at_head();
        }
        // What is truncated next need not be punched.
        let is_truncated = is_archived && self.policy.method == Method::CopyTruncate;
        if let Err(why) = punched
            && !is_truncated
        {
            tracker.save(key);
            self.refuse(tracker, key, why.into(), now);
            return Then::Nothing;
        }
        let room = &mut file.room;
        room.rotated = Some(now);
        // What was streamed meanwhile may be too much again; but who asked for all asked for what there was then.
        room.due.part_reclaimed();
        (room.is_to_be_truncated, room.look_at) = (is_truncated, 0);
        tracing::debug!(file = %file.path.display(), "reclaimed {} of {}", counted(end - kept, "byte"), file.path.display());
        // Should it be refused again, that is news.
        self.told.forget(file.follower.id());
        tracker.totals.add_reclaimed(end - kept);
        tracker.save(key);
        self.collapse(tracker, key, now);
        if is_archived {
            self.wait_for_archive(key);
            return Then::Nothing;
        }
        Then::LookAgain
    }

    /// Reclaims of a copy what is in archives of what it was made of: it is not archived again.
    pub(super) fn reclaim_copy(&mut self, tracker: &mut Tracker, key: Key, end: u64) {
        let is_ours = end > 0 && self.claim(tracker, key).and_then(|()| tracker.may_change(key)).is_ok();
        let Some(file) = tracker.files.file(key) else { return };
        // If that is refused, all of the copy is archived.
        if is_ours && file.follower.file().and_then(|opened| space::punch(opened, 0, end)).is_ok() {
            // The checkpoint that says so of its original, and the archives, are durable.
            file.progress.pass_over(end);
            let _ = file.follower.look_at_head();
            tracker.save(key);
        }
    }
}

pub(super) fn punch(file: &Followed, kept: u64, end: u64) -> io::Result<()> {
    let opened = file.follower.file()?;
    let block_bytes = Stat::of(opened)?.block_bytes;
    space::punch(opened, kept / block_bytes * block_bytes, end)
}
