//! `LINGER`: how long files are followed on after a signal, because the application got it at the same time and still writes.
//!
//! It ends earlier only on proof that nobody writes any more. That a file was closed is none: `echo >>` closes it at every line.

use std::time::{Duration, Instant};

use crate::sys::processes;

/// How often processes are looked for, at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Which part of the time that takes, at most.
const LOOK_SHARE: u32 = 20;

/// The time in which files are followed on.
#[derive(Debug)]
pub(super) struct Linger {
    until: Instant,
    /// When processes are looked for next; never if those of other containers cannot be seen.
    next_look: Option<Instant>,
}

impl Linger {
    pub(super) fn new(linger: Duration, now: Instant) -> Self {
        Self { until: now + linger, next_look: processes::is_namespace_shared().then_some(now) }
    }

    /// Returns whether the time is over, or nobody is left who could write.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        if now >= self.until {
            return true;
        }
        if self.next_look.is_none_or(|due| now < due) {
            return false;
        }
        let is_alone = processes::is_alone();
        self.next_look = Some(now + (now.elapsed() * LOOK_SHARE).max(LOOK_EVERY));
        is_alone
    }

    /// Returns when to look again.
    pub(super) fn next_due(&self) -> Instant {
        self.next_look.map_or(self.until, |look| look.min(self.until))
    }
}
