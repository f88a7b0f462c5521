//! The drain: what is left of what was in the files when the end began, and how long it is streamed on.
//!
//! It goes on as long as it gets on, however long that takes: whoever started the process kills it when it is too long. It ends
//! when nothing is left, or when the streams have accepted nothing for some time. What is appended meanwhile is streamed too, but
//! not waited for, so an application that never stops writing does not hold the end up.
//!
//! Time is an argument.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::shelf::layout::SLOTS_MAX;
use crate::shelf::lineage::Key;

/// How long the files must be quiet before the drain ends: an application that is being stopped too still says goodbye.
const QUIET: Duration = Duration::from_millis(250);

/// How long that is waited for, at most, from the beginning of the drain on.
const QUIET_WAIT_MAX: Duration = Duration::from_millis(750);

/// How often the bytes that are left are reported.
const REPORT_EVERY: Duration = Duration::from_secs(2);

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DrainStage {
    /// Everything that was in the files is being streamed, but for unfinished last lines.
    Lines,
    /// Unfinished last lines are being streamed.
    LastLines,
}

/// A drain on its way.
#[derive(Debug)]
pub(super) struct Drain {
    began: Instant,
    stage: DrainStage,
    /// How long the streams may accept nothing.
    stall_max: Duration,
    /// Whether it began without a signal.
    is_by_condition: bool,
    /// How much is left of each file of what was in it, in bytes; not 0.
    left: HashMap<Key, u64>,
    /// How many files were found since it began.
    opened_late: u32,
    /// How much was in files that could not be read, in bytes.
    unreadable: u64,
    /// How much the streams had accepted at the last look, in bytes.
    accepted: u64,
    /// How much their readers had before them then, in bytes.
    unread: u64,
    /// When they last accepted anything, or a reader read, or something was taken from a file.
    moved: Instant,
    next_report: Instant,
    has_reported: bool,
}

/// What there is to do in the drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DrainStep {
    /// To stream on.
    GoOn,
    /// To stream the unfinished last lines.
    FinishLines,
    /// To end.
    End,
}

/// How the loop is doing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doing {
    /// How much the streams have accepted so far, in bytes.
    pub(super) accepted: u64,
    /// How much the readers of the streams have before them, in bytes.
    pub(super) unread: u64,
    /// Whether a stream holds some of what was written.
    pub(super) is_holding: bool,
    /// Whether there is nothing that could be done now, or when a stream accepts more.
    pub(super) is_idle: bool,
    /// Whether files are still looked for.
    pub(super) is_looking: bool,
    /// When a turn last gave something.
    pub(super) worked: Instant,
}

impl Drain {
    /// Begins with what is left of each file, when the streams have accepted `accepted` bytes.
    pub(super) fn new(
        left: HashMap<Key, u64>,
        accepted: u64,
        (stall_max, is_by_condition): (Duration, bool),
        now: Instant,
    ) -> Self {
        Self {
            began: now,
            stage: DrainStage::Lines,
            stall_max,
            is_by_condition,
            left,
            opened_late: 0,
            unreadable: 0,
            accepted,
            unread: 0,
            moved: now,
            next_report: now + REPORT_EVERY,
            has_reported: false,
        }
    }

    /// Goes on under the time that there is after a signal, if it began without one.
    pub(super) fn hurry(&mut self, stall_max: Duration, now: Instant) {
        if std::mem::take(&mut self.is_by_condition) {
            (self.stall_max, self.moved) = (stall_max, now);
        }
    }

    /// How long the streams may accept nothing.
    pub(super) fn stall_max(&self) -> Duration {
        self.stall_max
    }

    /// Whether the bytes that are left were reported.
    pub(super) fn has_reported(&self) -> bool {
        self.has_reported
    }

    /// Whether it began because a condition held, and no signal has come since.
    pub(super) fn is_by_condition(&self) -> bool {
        self.is_by_condition
    }

    /// Returns how much was in files that could not be read, in bytes.
    pub(super) fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Returns how much is left of each file of what was in it, in bytes.
    pub(super) fn left(&self) -> impl Iterator<Item = (Key, u64)> {
        self.left.iter().map(|(key, left)| (*key, *left))
    }

    /// Notes that a turn took a file from one offset to another; `end` is there if it can give no more now: how many bytes of an
    /// unfinished line it ends with then, and whether it cannot be read.
    pub(super) fn note_turn(&mut self, key: Key, [before, after]: [u64; 2], end: Option<(u64, bool)>, now: Instant) {
        let Some(left) = self.left.get_mut(&key) else { return };
        if after > before {
            *left = left.saturating_sub(after - before);
            self.moved = now;
        }
        match end {
            Some((_, true)) => self.unreadable += std::mem::take(left),
            // What is behind that is nothing that can be streamed.
            Some((unfinished, false)) => *left = unfinished.min(*left),
            None => {}
        }
        if *left == 0 {
            self.left.remove(&key);
        }
    }

    /// Notes that a file was found only now, with so much unread: that is progress, as the streams have not been offered it yet; but no
    /// more often than there can be files that are known.
    pub(super) fn note_opened(&mut self, key: Key, unread: u64, now: Instant) {
        if unread > 0 {
            self.left.insert(key, unread);
            self.opened_late += 1;
            if self.opened_late <= SLOTS_MAX {
                self.moved = now;
            }
        }
    }

    /// Notes that a file was truncated: of what was in it no more than `size` is left.
    pub(super) fn note_truncated(&mut self, key: Key, size: u64) {
        if let Some(left) = self.left.get_mut(&key) {
            *left = size.min(*left);
        }
    }

    /// Returns what to do next; `unfinished` returns for a file how many bytes of an unfinished line it ends with, or nothing if it is
    /// not followed any more.
    pub(super) fn next(&mut self, doing: Doing, now: Instant, unfinished: impl Fn(Key) -> Option<u64>) -> DrainStep {
        // A pipe accepts nothing before a whole page of it is read, which takes a slow reader a while.
        if doing.accepted > self.accepted || doing.unread < self.unread {
            self.moved = now;
        }
        (self.accepted, self.unread) = (doing.accepted, doing.unread);
        let is_lines = self.stage == DrainStage::Lines;
        let is_out = |(key, left): (&Key, &u64)| unfinished(*key).is_none_or(|bytes| is_lines && *left <= bytes);
        let is_all_out = !doing.is_holding && !doing.is_looking && (doing.is_idle || self.left.iter().all(is_out));
        match self.stage {
            DrainStage::LastLines if is_all_out => DrainStep::End,
            DrainStage::Lines if is_all_out && now >= self.quiet_from(doing.worked) => DrainStep::FinishLines,
            DrainStage::Lines if is_all_out => DrainStep::GoOn,
            _ if now.saturating_duration_since(self.moved) >= self.stall_max => DrainStep::End,
            _ => DrainStep::GoOn,
        }
    }

    /// Begins with the unfinished last lines, of so many bytes.
    pub(super) fn finish_lines(&mut self, unfinished: impl IntoIterator<Item = (Key, u64)>, now: Instant) {
        (self.stage, self.moved) = (DrainStage::LastLines, now);
        self.left.extend(unfinished);
    }

    fn quiet_from(&self, worked: Instant) -> Instant {
        let [quiet, wait_max] = [QUIET, QUIET_WAIT_MAX].map(|time| time.min(self.stall_max / 2));
        (worked.max(self.began) + quiet).min(self.began + wait_max)
    }

    /// Returns when to look again, if nothing happens before.
    pub(super) fn next_due(&self, worked: Instant, now: Instant) -> Instant {
        let dues = [self.quiet_from(worked), self.moved + self.stall_max, self.next_report];
        dues.into_iter().filter(|due| *due > now).min().unwrap_or(now)
    }

    /// Returns whether it is time to report how much is left.
    pub(super) fn takes_report(&mut self, now: Instant) -> bool {
        if now < self.next_report {
            return false;
        }
        self.next_report = now + REPORT_EVERY;
        self.has_reported = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_millis(1500);
    const MS: Duration = Duration::from_millis(1);

    fn drain(left: &[(Key, u64)], now: Instant) -> Drain {
        Drain::new(left.iter().copied().collect(), 0, (STALL, false), now)
    }

    fn doing(accepted: u64, worked: Instant) -> Doing {
        Doing { accepted, unread: 0, is_holding: false, is_idle: false, is_looking: false, worked }
    }

    #[test]
    fn it_goes_on_while_the_streams_accept_and_ends_when_they_do_not() {
        let began = Instant::now();
        let mut drain = drain(&[(1, 100)], began);
        let mut now = began;
        for accepted in 1..100 {
            now += STALL - MS;
            assert_eq!(drain.next(doing(accepted, began), now, |_| Some(0)), DrainStep::GoOn, "{accepted}");
        }
        assert_eq!(drain.next(doing(99, began), now + STALL - MS, |_| Some(0)), DrainStep::GoOn);
        assert_eq!(drain.next(doing(99, began), now + STALL, |_| Some(0)), DrainStep::End);
    }

    #[test]
    fn a_reader_that_reads_less_than_a_page_is_there() {
        let began = Instant::now();
        let mut drain = drain(&[(1, 100)], began);
        for (steps, unread) in (1..).zip([65_536, 65_000, 64_000]) {
            let doing = Doing { unread, ..doing(0, began) };
            assert_eq!(drain.next(doing, began + (STALL - MS) * steps, |_| Some(0)), DrainStep::GoOn, "{unread}");
        }
        let doing = Doing { unread: 64_000, ..doing(0, began) };
        assert_eq!(drain.next(doing, began + STALL * 4, |_| Some(0)), DrainStep::End);
    }

    #[test]
    fn what_is_found_late_is_progress_but_not_for_ever() {
        let began = Instant::now();
        let mut drain = drain(&[(1, 100)], began);
        drain.note_opened(2, 100, began + STALL);
        drain.note_opened(3, 0, began + 2 * STALL);
        let looking = Doing { is_looking: true, ..doing(0, began) };
        assert_eq!(drain.next(looking, began + 2 * STALL - MS, |_| Some(0)), DrainStep::GoOn);
        assert_eq!(drain.next(looking, began + 2 * STALL, |_| Some(0)), DrainStep::End);
        (0..SLOTS_MAX).for_each(|_| drain.note_opened(2, 100, began + 2 * STALL));
        drain.note_opened(2, 100, began + 9 * STALL);
        assert_eq!(drain.next(looking, began + 3 * STALL, |_| Some(0)), DrainStep::End);
    }

    #[test]
    fn lines_that_nobody_streams_are_progress_too() {
        let began = Instant::now();
        let mut drain = drain(&[(1, 100)], began);
        let later = began + STALL;
        drain.note_turn(1, [0, 50], None, later);
        assert_eq!(drain.next(doing(0, later), later, |_| Some(0)), DrainStep::GoOn);
        assert_eq!(drain.left().collect::<Vec<_>>(), [(1, 50)]);
    }

    #[test]
    fn a_writer_that_never_stops_is_not_waited_for() {
        let began = Instant::now();
        let mut drain = drain(&[(1, 100), (2, 7)], began);
        drain.note_turn(1, [900, 1200], None, began);
        let busy = |after: Duration| (doing(1, began + after), began + after);
        let (at_first, now) = busy(MS);
        assert_eq!(drain.next(at_first, now, |_| Some(7)), DrainStep::GoOn, "it may still say goodbye");
        let (later, now) = busy(QUIET_WAIT_MAX);
        assert_eq!(drain.next(later, now, |_| Some(7)), DrainStep::FinishLines);
        drain.finish_lines([(2, 7)], now);
        assert_eq!(drain.next(later, now, |_| Some(7)), DrainStep::GoOn);
        drain.note_turn(2, [0, 7], None, now);
        assert_eq!(drain.next(later, now, |_| Some(0)), DrainStep::End);
    }

    #[test]
    fn what_cannot_be_streamed_any_more_is_not_waited_for() {
        let began = Instant::now();
        let later = began + QUIET_WAIT_MAX;
        let mut drain = drain(&[(1, 100), (2, 100), (3, 100), (4, 100)], began);
        drain.note_truncated(1, 5);
        drain.note_turn(1, [0, 5], None, began);
        drain.note_turn(2, [0, 0], Some((0, true)), began);
        drain.note_turn(3, [0, 0], Some((9, false)), began);
        let unfinished = |key| if key == 4 { None } else { Some(9) };
        assert_eq!(drain.next(doing(1, began), later, unfinished), DrainStep::FinishLines);
        assert_eq!(drain.unreadable(), 100);
    }

    #[test]
    fn after_a_signal_there_is_less_time() {
        let began = Instant::now();
        let mut drain = Drain::new([(1, 100)].into(), 0, (20 * STALL, true), began);
        let later = began + 10 * STALL;
        assert_eq!(drain.next(doing(0, began), later, |_| Some(0)), DrainStep::GoOn);
        drain.hurry(STALL, later);
        assert_eq!(drain.next(doing(0, began), later + STALL - MS, |_| Some(0)), DrainStep::GoOn);
        assert_eq!(drain.next(doing(0, began), later + STALL, |_| Some(0)), DrainStep::End);
    }

    #[test]
    fn bytes_that_are_left_are_reported_now_and_then() {
        let began = Instant::now();
        let mut drain = drain(&[(1, 100)], began);
        let reports =
            |drain: &mut Drain| (0..=100).filter(|tenth| drain.takes_report(began + 100 * MS * *tenth)).count();
        assert_eq!(reports(&mut drain), 5);
    }
}
