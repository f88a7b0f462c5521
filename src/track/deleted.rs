//! Files that were deleted, and are held open because not all of them is streamed: nobody sees them, and they fill the volume.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::tracker::Tracker;
use crate::paths::beneath::Stat;
use crate::report::losses::Cause;
use crate::shelf::lineage::Key;

/// How often a warning says that deleted files are held.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// How long nothing came of a file with something unread until that is a stall: not the moment at which a pipe is full.
const STALLED_AFTER: Duration = Duration::from_secs(1);

/// How much disk they must take together for it to be worth a warning, in bytes: less fills no volume.
const HELD_BYTES_MIN: u64 = 1024 * 1024;

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
        held.sort_by_key(|(birth, deleted)| (*birth, deleted.key));
        held.into_iter().map(|(_, deleted)| deleted).collect()
    }

    /// Warns, at once and every minute, of deleted files that are held while a stream is stalled.
    pub(super) fn tell_deleted(&mut self, now: Instant) {
        if self.told_deleted.is_some_and(|told| now.duration_since(told) < TOLD_EVERY) {
            return;
        }
        // An unfinished line is waited for, and no stall.
        let is_stalled = |one: &Deleted| {
            self.files.by_key(one.key).is_some_and(|file| {
                one.unread_bytes > file.follower.unfinished_bytes()
                    && now.saturating_duration_since(file.active) >= STALLED_AFTER
            })
        };
        let mut deleted = self.deleted();
        deleted.retain(is_stalled);
        let unread_bytes: u64 = deleted.iter().map(|file| file.unread_bytes).sum();
        let held_bytes: u64 = deleted.iter().map(|file| file.stat.allocated_bytes).sum();
        if held_bytes >= HELD_BYTES_MIN {
            self.told_deleted = Some(now);
            tracing::warn!(
                "{} deleted files still take {held_bytes} bytes of the volume, because {unread_bytes} bytes of them are not \
                 streamed yet; check that stdout and stderr are read, or set SIDETAIL_DIR_BUDGET to let the oldest go",
                deleted.len()
            );
        }
    }

    /// Lets a deleted file go although not all of it is streamed: what is not is lost.
    pub(crate) fn let_deleted_go(&mut self, deleted: &Deleted) {
        let Some(file) = self.files.file(deleted.key) else { return };
        let path = Rc::clone(&file.path);
        self.lose(&path, Cause::OverBudget, deleted.unread_bytes);
        self.remove(deleted.key);
    }
}
