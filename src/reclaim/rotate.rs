//! When a file is rotated, and how: after each turn that streamed something, at the tick if it is time, and on request.
//!
//! What is to be reclaimed waits for a flush of the checkpoint, one for all files; the stream continues. Bytes that were not
//! streamed are never touched.

use std::io;
use std::mem;
use std::rc::Rc;
use std::time::Instant;

use super::asking;
use super::limits::{end_without_flush, is_nearly_full, next_look, wanted_end};
use super::punching::Then;
use super::state::Reclaim;
use super::truncating::LAST_BYTES_MAX;
use crate::disk::policy::{Method, Policy};
use crate::paths::beneath::Stat;
use crate::read::buffer::Buffer;
use crate::report::refusal::Refusal;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

/// How often something of a file is reclaimed before others have their turns; what is left comes after its next turn, or at the tick.
///
/// More than one time is for files with holes in them: what a step spans may be little.
const STEPS_MAX: usize = 32;

impl Reclaim {
    /// Looks whether a file that was streamed on takes more room than it may.
    pub(crate) fn consider(&mut self, tracker: &mut Tracker, key: Key, now: Instant, buffer: &mut Buffer) {
        let mut is_ours = false;
        for _ in 0..STEPS_MAX {
            if !self.is_worth_a_look(tracker, key) || !self.note_look(tracker, key, now) {
                break;
            }
            let Some(file) = tracker.files.file(key).filter(|file| !file.room.work.is_awaiting_flush()) else { break };
            let then = match self.how_far(file) {
                Ok(Some((end, stat))) => {
                    is_ours = is_ours || self.is_ours(tracker, key, now);
                    if !is_ours {
                        break;
                    }
                    self.rotate(tracker, key, (end, stat), now, buffer)
                }
                Ok(None) => {
                    file.room.due.dropped();
                    Then::Nothing
                }
                Err(why) => {
                    self.refuse(tracker, key, why.into(), now);
                    Then::Nothing
                }
            };
            if then == Then::Nothing {
                break;
            }
        }
        self.flush_wanted(tracker);
    }

    /// Returns whether a file may be rotated by us: nobody else rotates what is in its directory, and it is followed under its own
    /// name.
    fn is_ours(&mut self, tracker: &mut Tracker, key: Key, now: Instant) -> bool {
        let refused = self.claim(tracker, key).and_then(|()| tracker.may_change(key)).err();
        let is_ours = refused.is_none();
        refused.into_iter().for_each(|why| self.refuse(tracker, key, why, now));
        is_ours
    }

    /// Returns whether it is worth looking at a file's room now.
    fn is_worth_a_look(&mut self, tracker: &mut Tracker, key: Key) -> bool {
        let Some(file) = tracker.files.file(key) else { return false };
        let is_looked_at = file.room.due.is_now() || file.progress.noted() >= file.room.look_at;
        // One that is closed for want of descriptors is considered when it is open again.
        let can_be = file.follower.is_open()
            && !file.is_detached
            && file.progress.is_delivered()
            && !file.room.work.is_under_way();
        if !is_looked_at || !can_be {
            return false;
        }
        let (path, id) = (Rc::clone(&file.path), file.follower.id());
        !tracker.is_listed_archive(&path, id)
    }

    /// Claims the directory that a file is in: another process may rotate what is there.
    pub(super) fn claim(&mut self, tracker: &mut Tracker, key: Key) -> Result<(), Refusal> {
        let Some(file) = tracker.files.file(key) else { return Ok(()) };
        let (path, root) = (Rc::clone(&file.path), Rc::clone(&file.lineage.root));
        let directory = path.parent().unwrap_or(&root);
        if self.locks.is_claimed(directory) {
            return Ok(());
        }
        let id = tracker.discovery().stat_directory(directory)?.id;
        // Without a state directory nothing is rotated.
        let Some(state) = tracker.open_lock_directory(directory) else { return Ok(()) };
        self.locks.claim(directory, id, &state).map_err(|_| Refusal::RotatedByAnother)
    }

    /// Lets the directories go that were claimed.
    pub(crate) fn release_locks(&mut self, tracker: &Tracker) {
        self.locks.release(|directory| tracker.open_lock_directory(directory));
    }

    /// Notes that a file is checked, and what was streamed of it since the last check; returns whether something may be
    /// reclaimed now.
    fn note_look(&mut self, tracker: &mut Tracker, key: Key, now: Instant) -> bool {
        let is_noted_on_disk = tracker.is_noted_on_disk();
        let Some(file) = tracker.files.file(key) else { return false };
        file.room.look_at = next_look(&self.policy, &file.progress);
        if !is_noted_on_disk || file.room.retry.is_later(now) {
            return false;
        }
        let counted = mem::replace(&mut file.room.counted, file.progress.noted());
        if self.ledger.add(file.progress.noted().saturating_sub(counted)) {
            self.look_at_budget(tracker, now);
        }
        true
    }

    /// Returns up to where a file is to be reclaimed now, if it is, and what it takes.
    fn how_far(&mut self, file: &mut Followed) -> io::Result<Option<(u64, Stat)>> {
        let stat = asking::look_at(file)?;
        self.wants_flush |= is_nearly_full(&self.policy, &file.progress, &stat);
        let Some(end) = wanted_end(&self.policy, (&*file.room, &file.progress), &stat) else { return Ok(None) };
        if !asking::pass_over_hole(file)? {
            return Ok(Some((end, stat)));
        }
        Ok(wanted_end(&self.policy, (&*file.room, &file.progress), &stat).map(|end| (end, stat)))
    }

    /// Rotates a file as the policy asks for; what is reclaimed is before `end`.
    fn rotate(
        &mut self,
        tracker: &mut Tracker,
        key: Key,
        (end, stat): (u64, Stat),
        now: Instant,
        buffer: &mut Buffer,
    ) -> Then {
        let Some(file) = tracker.files.file(key) else { return Then::Nothing };
        let Policy { method, keep, .. } = self.policy;
        let is_last = file.room.is_to_be_truncated && file.progress.reclaimable_bytes() <= LAST_BYTES_MAX;
        match method {
            Method::Rename => self.rename_away(tracker, key, now),
            Method::CopyTruncate if keep == 0 || is_last => self.truncate(tracker, key, now, buffer),
            _ if keep > 0 => self.begin_archive(tracker, key, end, now, buffer),
            _ => match end_without_flush(&self.policy, &file.progress, stat.block_bytes, end) {
                Some(durable) => return self.reclaim(tracker, key, durable, now, buffer),
                None => self.want(&mut file.room, end),
            },
        }
        Then::Nothing
    }

    /// Rotates a file whatever its size, as far as it was streamed by now.
    pub(super) fn rotate_now(&mut self, tracker: &mut Tracker, key: Key, now: Instant, buffer: &mut Buffer) {
        let is_archived = self.is_archiving_of(key);
        if let Some(file) = tracker.files.file(key) {
            let is_under_way = file.room.work.is_under_way();
            file.room.due.asked(is_archived || is_under_way);
            file.room.retry.asked();
            file.room.rotated = Some(now);
        }
        let is_open = tracker.is_open(key, buffer);
        self.take_events(tracker, now, buffer);
        if is_open {
            self.consider(tracker, key, now, buffer);
        }
    }
}
