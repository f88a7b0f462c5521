//! How much all followed directories take together: `DIR_BUDGET`, and volumes that are full.
//!
//! What is over the budget goes in this order: the oldest archives, then everything that was streamed, archived or not, of
//! files that sleep last, then what is unread of the oldest deleted files, which is said to be lost. What else was not streamed
//! never goes; if that alone is too much, a reader has stalled, and a warning says so every minute.

use std::time::{Duration, Instant};

use super::archives::delete_archive;
use super::asking;
use super::ledger::{Exceeded, Excess, full_volumes, used};
use super::limits::is_time;
use super::state::Reclaim;
use crate::disk::policy::Intent;
use crate::paths::beneath::Stat;
use crate::report::message::{counted, verb};
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

/// How often to warn that unread bytes alone exceed the budget.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// How long the budget must be exceeded before the warning: one look and the next.
const TOLD_AFTER: Duration = Duration::from_secs(2);

impl Reclaim {
    /// Holds what the followed directories take against the budget, and reclaims what is too much.
    pub(super) fn look_at_budget(&mut self, tracker: &mut Tracker, now: Instant) {
        if !tracker.is_noted_on_disk() {
            return;
        }
        let over_budget = self.over_budget(tracker);
        let stuck = self.reclaim_excess(tracker, &over_budget, now);
        // What the budget has taken may be enough for a volume that was full.
        let full = full_volumes(tracker.discovery());
        let stuck = self.reclaim_excess(tracker, &full, now).or(stuck);
        self.tell_excess(tracker, stuck, now);
        self.flush_wanted(tracker);
    }

    /// Reclaims what is too much, and returns what cannot be reclaimed.
    fn reclaim_excess(&mut self, tracker: &mut Tracker, excesses: &[Excess], now: Instant) -> Option<Excess> {
        let mut stuck = None;
        for excess in excesses {
            let freed = self.delete_archives(tracker, *excess);
            if freed < excess.bytes()
                && !self.reclaim_all(tracker, *excess, now)
                && !tracker.wake_for_room(excess.bytes(), excess.device, None)
                && !let_deleted_go(tracker, *excess)
            {
                stuck = Some(*excess);
            }
        }
        stuck
    }

    fn over_budget(&mut self, tracker: &mut Tracker) -> Vec<Excess> {
        let limits = self.ledger.limits(self.policy.budget, tracker.discovery());
        if limits.is_empty() {
            return Vec::new();
        }
        let mut used = used(tracker.discovery());
        // Nobody sees those any more, and they fill the volume all the same.
        used.extend(tracker.deleted().iter().map(|deleted| deleted.stat));
        let of_device = |device: Option<u64>| {
            let on_it = used.iter().filter(|stat| device.is_none_or(|device| device == stat.id.dev));
            on_it.map(|stat| stat.allocated_bytes).sum()
        };
        let used_of_limits: Vec<_> = limits.iter().map(|(device, limit)| (of_device(*device), *limit)).collect();
        tracker.totals.note_budget(&used_of_limits);
        let of_limits = limits.into_iter().zip(used_of_limits);
        of_limits.filter_map(|((device, limit), (used, _))| Excess::of_budget(device, used, limit)).collect()
    }

    /// Deletes archives, oldest first, until enough is free; returns how much that is.
    fn delete_archives(&self, tracker: &mut Tracker, excess: Excess) -> u64 {
        if self.policy.keep == 0 {
            return 0;
        }
        let mut archives = self.all_archives(tracker);
        archives.retain(|(_, archive)| excess.is_on(archive.id));
        archives.sort_unstable_by(|(_, one), (_, other)| (one.mtime, &one.name).cmp(&(other.mtime, &other.name)));
        let mut freed = 0;
        for (log, archive) in archives {
            if freed >= excess.bytes() {
                break;
            }
            if delete_archive(&log, &archive, tracker.own_archives(), "SIDETAIL_DIR_BUDGET is exceeded").is_ok() {
                freed += archive.allocated_bytes;
            }
        }
        freed
    }

    /// Reclaims everything that was streamed, without archives; says whether that is anything.
    fn reclaim_all(&mut self, tracker: &mut Tracker, excess: Excess, now: Instant) -> bool {
        self.give_draft_up(tracker);
        let files = &mut tracker.files;
        let mut is_anything =
            self.archiving.is_some() || files.iter().any(|(_, file)| file.room.work.is_awaiting_flush());
        let can_give = |file: &Followed| {
            file.follower.is_open() && file.room.work.intent() == Intent::None && file.progress.is_delivered()
        };
        for key in files.keys(|file| excess.is_on(file.follower.id()) && can_give(file)) {
            if tracker.may_change(key).is_err() {
                continue;
            }
            let Some(file) = tracker.files.file(key) else { continue };
            let Ok(stat) = asking::look_at(file) else { continue };
            let end = file.progress.limit(stat.block_bytes);
            let is_refused = file.room.retry.is_later_without_archive(now);
            if end > file.progress.reclaimed() && stat.allocated_bytes > stat.block_bytes && !is_refused {
                self.want(&mut file.room, end);
                is_anything = true;
            }
        }
        is_anything
    }

    /// Warns every minute about what is too much and cannot be reclaimed; not at once, because it may be about to be streamed.
    fn tell_excess(&mut self, tracker: &Tracker, excess: Option<Excess>, now: Instant) {
        let Some(excess) = excess else {
            self.ledger.over_since = None;
            return;
        };
        let is_early = now.duration_since(*self.ledger.over_since.get_or_insert(now)) < TOLD_AFTER;
        if is_early || !is_time(self.ledger.told, TOLD_EVERY, now) {
            return;
        }
        self.ledger.told = Some(now);
        let unread = |(_, file): (Key, &Followed)| {
            let stat = file.follower.file().and_then(Stat::of).ok()?;
            excess.is_on(stat.id).then(|| stat.size.saturating_sub(file.follower.offset()))
        };
        let unread_bytes: u64 = tracker.files.iter().filter_map(unread).sum();
        let Excess { of, used_bytes, limit_bytes, .. } = excess;
        let (unread, are) = (counted(unread_bytes, "byte"), verb(unread_bytes, ["is", "are"]));
        let why = if unread_bytes >= excess.bytes() {
            "because stdout or stderr is stalled"
        } else {
            "other files take the rest"
        };
        match of {
            Exceeded::Volume => tracing::warn!(
                "the volume of the followed directories is full ({used_bytes} bytes): {unread} of logs {are} \
                 not streamed yet, {why}; sidetail never deletes unstreamed data; check that stdout and stderr \
                 are read, or give the volume more space"
            ),
            Exceeded::Budget => tracing::warn!(
                "the followed directories take {used_bytes} bytes, more than the {limit_bytes} that \
                 SIDETAIL_DIR_BUDGET leaves them: {unread} {are} not streamed yet, {why}; sidetail never \
                 deletes unstreamed data; check that stdout and stderr are read, or give the volume more space"
            ),
        }
    }
}

/// Lets deleted files go of which not all is streamed, the oldest first, until enough is free; returns whether there was one. That
/// is the last resort, and none for a volume that is full of anything else.
fn let_deleted_go(tracker: &mut Tracker, excess: Excess) -> bool {
    let (mut freed, mut is_any) = (0, false);
    for deleted in tracker.deleted() {
        let is_held = tracker.files.file(deleted.key).is_none_or(|file| !file.progress.is_delivered());
        if excess.of != Exceeded::Budget || freed >= excess.bytes() {
            break;
        }
        if excess.is_on(deleted.stat.id) && deleted.unread_bytes > 0 && !is_held {
            freed += deleted.stat.allocated_bytes;
            is_any = true;
            tracker.let_deleted_go(&deleted);
        }
    }
    is_any
}
