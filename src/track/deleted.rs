//! Files that were deleted, and are held open because not all of them is streamed: nobody sees them, and they fill the volume.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::tracker::Tracker;
use crate::output::rules::Stream;
use crate::paths::beneath::Stat;
use crate::report::losses::Cause;
use crate::report::message::{counted, verb};
use crate::shelf::followed::{Followed, Queue};
use crate::shelf::lineage::Key;

/// How often a warning says that deleted files are held; who reads so slowly that a file waits so long is no better than a stall.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// A deleted file that is held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deleted {
    pub(crate) key: Key,
    pub(crate) stat: Stat,
    /// How much of it is not read yet, in bytes.
    pub(crate) unread_bytes: u64,
}

impl Tracker {
    /// Returns the deleted files that are held, the oldest first.
    pub(crate) fn deleted(&self) -> Vec<Deleted> {
        let held = self.files.iter().filter(|(_, file)| file.is_detached).filter_map(|(key, file)| {
            let stat = Stat::of(file.follower.file().ok()?).ok().filter(|stat| stat.links == 0)?;
            Some((file.birth(), Deleted { key, stat, unread_bytes: file.follower.unread_bytes(stat.size) }))
        });
        let mut held: Vec<_> = held.collect();
        held.sort_unstable_by_key(|(birth, deleted)| (*birth, deleted.key));
        held.into_iter().map(|(_, deleted)| deleted).collect()
    }

    /// Warns, at once and every minute, of deleted files that are held because a stream is stalled, or because nothing came of them
    /// for so long. Whatever else is unread of a deleted file is on its way.
    pub(crate) fn tell_deleted(&mut self, is_stalled: impl Fn(Stream) -> bool, now: Instant) {
        if self.told_deleted.is_some_and(|told| now.duration_since(told) < TOLD_EVERY) {
            return;
        }
        let is_stuck = |file: &Followed| match file.queue {
            Queue::Blocked => file.blocked_on.is_none_or(&is_stalled),
            Queue::Held => Stream::ALL.into_iter().any(&is_stalled),
            Queue::Ready | Queue::None => false,
        };
        let mut deleted = self.deleted();
        deleted.retain(|one| {
            self.files.by_key(one.key).is_some_and(|file| {
                // An unfinished line is waited for, and no stall.
                let is_waiting = one.unread_bytes > file.follower.unfinished_bytes();
                is_waiting && (is_stuck(file) || now.saturating_duration_since(file.active) >= TOLD_EVERY)
            })
        });
        if deleted.is_empty() {
            return;
        }
        let unread_bytes: u64 = deleted.iter().map(|file| file.unread_bytes).sum();
        let held_bytes: u64 = deleted.iter().map(|file| file.stat.allocated_bytes).sum();
        let count = deleted.len() as u64;
        let (files, take) = (counted(count, "deleted file"), verb(count, ["takes", "take"]));
        let [held, unread] = [held_bytes, unread_bytes].map(|bytes| counted(bytes, "byte"));
        let are = verb(unread_bytes, ["is", "are"]);
        self.told_deleted = Some(now);
        tracing::warn!(
            "{files} {take} {held} of the volume, because {unread} of what was written there {are} not streamed yet; check \
             that stdout and stderr are read, or set SIDETAIL_DIR_BUDGET to let the oldest go"
        );
    }

    /// Lets a deleted file go although not all of it is streamed: what is not is lost.
    pub(crate) fn let_deleted_go(&mut self, deleted: &Deleted) {
        let Some(file) = self.files.file(deleted.key) else { return };
        let path = Rc::clone(&file.path);
        self.lose(&path, Cause::OverBudget, deleted.unread_bytes);
        self.remove(deleted.key);
    }
}
