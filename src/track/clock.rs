//! The machine's clock, which gives files their times of birth: what is older is known by them alone. So it matters when the
//! clock is set back: then what was there before seems to come from the future, and what comes now seems to be older.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How coarse the clock of new files may be: a tick is 1 to 10 ms.
const FILE_CLOCK_NS: i64 = 20_000_000;

/// A clock that is wrong by less is made slower, and the monotonic clock with it; only by more it is set (ntpd: 128 ms).
const SET_BACK_MIN: Duration = Duration::from_millis(100);

/// A file that is born less ahead is not from the future: another machine may have given it its time, over the network.
const AHEAD_MAX: Duration = Duration::from_secs(60);

/// The time of the machine and the monotonic time that belongs to it.
#[derive(Debug)]
pub(super) struct Clock {
    time: i64,
    at: Instant,
}

impl Clock {
    /// Looks at the clock.
    pub(super) fn now() -> Self {
        // In this order: what comes between the two must not make the clock seem to have been ahead.
        let time = time();
        Self { time, at: Instant::now() }
    }

    /// Looks at the clock again. If it was set back since, returns the time that it would have shown at the last look: no file
    /// that was created since is older.
    pub(super) fn set_back(&mut self) -> Option<i64> {
        // In this order, for the same reason.
        let asked = Instant::now();
        self.set_back_to(asked, Self::now())
    }

    /// The same with what it shows `now`, of which the time was read after `asked`.
    ///
    /// The clock is read just once: set back between two readings, it would be known to be right from the second, and nobody
    /// would ever learn of it.
    fn set_back_to(&mut self, asked: Instant, now: Self) -> Option<i64> {
        let passed = asked.saturating_duration_since(self.at);
        let before = now.time.saturating_sub(nanoseconds(passed));
        let was_set_back = self.time.saturating_sub(before) > nanoseconds(SET_BACK_MIN);
        *self = now;
        was_set_back.then_some(before - FILE_CLOCK_NS)
    }
}

/// Returns the time of the machine, in nanoseconds since 1970. No file is born later, unless the clock was set back since.
pub(crate) fn time() -> i64 {
    nanoseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Returns the time from which on births are in the future: such files were born before the clock was set back.
pub(super) fn future() -> i64 {
    time().saturating_add(nanoseconds(AHEAD_MAX))
}

/// Returns the time as the clock of new files shows it: that clock is coarse, and so never ahead.
pub(super) fn file_time() -> i64 {
    time().saturating_sub(FILE_CLOCK_NS)
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_was_set_back_is_seen() {
        const HOUR: i64 = 3600 * 1_000_000_000;
        for (ahead, expected) in [(HOUR, true), (200_000_000, true), (50_000_000, false), (0, false), (-HOUR, false)] {
            let mut clock = Clock::now();
            let before = clock.time;
            clock.time += ahead;
            let found = clock.set_back();
            assert_eq!(found.is_some(), expected, "{ahead} ns");
            assert!(found.is_none_or(|earliest| (before - HOUR..before).contains(&earliest)), "{found:?}");
            assert_eq!(clock.set_back(), None, "it is told once");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_between_any_two_looks_is_seen_at_the_later_one() {
        const HOUR: i64 = 3600 * 1_000_000_000;
        const SECOND: i64 = 1_000_000_000;
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for set_back_at in 1..=4 {
            let shown = |seconds: u64| {
                let right = i64::try_from(seconds).expect("small") * SECOND;
                if seconds < set_back_at { HOUR + right } else { right }
            };
            let mut clock = Clock { time: shown(0), at: at(0) };
            for second in 1..=5 {
                let found = clock.set_back_to(at(second), Clock { time: shown(second), at: at(second) });
                let expected = (second == set_back_at).then(|| shown(second) - SECOND - FILE_CLOCK_NS);
                assert_eq!(found, expected, "set back at {set_back_at} s, looked at {second} s");
            }
        }
    }

    #[test]
    fn a_process_that_is_not_let_run_takes_no_clock_for_set_back() {
        const SECOND: i64 = 1_000_000_000;
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut clock = Clock { time: 0, at: at(0) };
        // A second before the time is read, and a second after.
        assert_eq!(clock.set_back_to(at(1), Clock { time: 2 * SECOND, at: at(3) }), None);
        assert_eq!(clock.set_back_to(at(4), Clock { time: 4 * SECOND, at: at(4) }), None);
    }
}
