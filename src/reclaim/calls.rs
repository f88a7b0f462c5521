//! What the loop calls beside the turns of files: when a flush is over, at the tick, and on request.

use std::time::{Duration, Instant};

use super::punching::Then;
use super::refuse::without_state;
use super::state::Reclaim;
use crate::disk::policy::Method;
use crate::read::buffer::Buffer;
use crate::report::refusal::Refusal;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

impl Reclaim {
    /// Goes on when a flush is over.
    pub(crate) fn flushed(&mut self, tracker: &mut Tracker, now: Instant, buffer: &mut Buffer) {
        let Some(outcome) = self.flusher.take() else { return };
        let wanted = tracker.files.keys(|file| file.room.work.is_awaiting_flush());
        match outcome {
            Ok(()) => {
                tracker.files.each(|file| file.progress.flushed());
                for key in wanted {
                    self.reclaim_wanted(tracker, key, now, buffer);
                }
                self.archive_flushed(tracker, now, buffer);
            }
            Err(why) => {
                let why = Refusal::from(why);
                self.give_archive_up(tracker);
                for key in wanted {
                    tracker.files.file(key).into_iter().for_each(|file| file.room.work.flush_failed());
                    self.refuse(tracker, key, why.clone(), now);
                }
            }
        }
        self.flush_wanted(tracker);
    }

    fn reclaim_wanted(&mut self, tracker: &mut Tracker, key: Key, now: Instant, buffer: &mut Buffer) {
        let Some(file) = tracker.files.file(key) else { return };
        let durable = file.progress.durable_limit(1);
        let Some(end) = file.room.work.awaited_end().filter(|end| *end <= durable) else { return };
        file.room.work.flush_over();
        if file.room.is_to_be_truncated && !file.room.work.is_under_way() {
            // What is truncated now need not be punched.
            file.room.look_at = 0;
            return self.consider(tracker, key, now, buffer);
        }
        if self.reclaim(tracker, key, end, now, buffer) == Then::LookAgain {
            self.consider(tracker, key, now, buffer);
        }
    }

    /// Asks for everything to be reclaimed that was streamed, of every file.
    pub(crate) fn rotate_all(&mut self, tracker: &mut Tracker, now: Instant, buffer: &mut Buffer) {
        for key in tracker.files.keys(|file| !file.is_detached) {
            self.rotate_now(tracker, key, now, buffer);
        }
    }

    /// What the safety tick does, after the tracker's: files whose time has come.
    pub(crate) fn tick(&mut self, tracker: &mut Tracker, now: Instant, buffer: &mut Buffer) {
        self.take_events(tracker, now, buffer);
        if tracker.is_without_checkpoint() && !self.is_without_state_told {
            self.is_without_state_told = true;
            without_state().tell();
        }
        self.look_at_budget(tracker, now);
        self.look_at_apparent_sizes(tracker, now, buffer);
        self.signal_if_due();
        self.tidy_renamed(tracker, now);
        self.delete_old_archives(tracker, now);
        self.pass_over_unsure(tracker, now, buffer);
        self.wants_flush |= tracker.files.iter().any(|(_, file)| file.room.awaits_flush_again(now));
        self.flush_wanted(tracker);
        // A file may have been given room since its last line, by its file system, or be quiet since it became too large.
        for key in tracker.files.keys(|file| !file.is_detached && file.progress.noted() > 0) {
            if let Some(file) = tracker.files.file(key) {
                file.room.look_at = 0;
                file.room.rotated.get_or_insert(now);
            }
            self.consider(tracker, key, now, buffer);
        }
        let Some(interval) = self.policy.interval else {
            // What they take is reclaimed for the budget.
            return drop(tracker.take_woken_for_room());
        };
        let is_time = |file: &Followed| file.room.rotated.is_some_and(|since| now.duration_since(since) >= interval);
        for key in tracker.files.keys(|file| !file.is_detached && is_time(file)) {
            self.rotate_now(tracker, key, now, buffer);
        }
        self.rotate_sleeping(tracker, interval, now, buffer);
    }

    /// Has the files woken that sleep when the time has come, and rotates those that were.
    fn rotate_sleeping(&mut self, tracker: &mut Tracker, interval: Duration, now: Instant, buffer: &mut Buffer) {
        let is_time = now.duration_since(*self.woke_sleeping.get_or_insert(now)) >= interval;
        let any_byte = self.policy.keep > 0 || matches!(self.policy.method, Method::Rename | Method::CopyTruncate);
        if is_time && !tracker.wake_for_room(u64::MAX, None, any_byte.then_some(1)) {
            self.woke_sleeping = Some(now);
        }
        for key in tracker.take_woken_for_room() {
            self.rotate_now(tracker, key, now, buffer);
        }
    }
}
