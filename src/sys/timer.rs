//! One timer in the event loop: a timerfd(2), which wakes exactly once when it is due.
//!
//! tokio's own timers wake two or three times on the way to one that is seconds away, and an idle sidecar should not.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys::readiness::register;

/// A timer that is set anew for each wait; the clock is the monotonic one, so setting the time of day changes nothing.
#[derive(Debug)]
pub(crate) struct Timer {
    fd: AsyncFd<OwnedFd>,
    due: Option<Instant>,
}

impl Timer {
    /// Creates a timer that is not set. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Those of timerfd_create(2): no descriptors or memory.
    pub(crate) fn new() -> io::Result<Self> {
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self { fd: register(fd, Interest::READABLE)?, due: None })
    }

    /// Sets when it is due; setting the same time again costs nothing.
    pub(crate) fn set(&mut self, due: Instant) {
        if self.due == Some(due) {
            return;
        }
        let after = due.saturating_duration_since(Instant::now());
        // Zero would mean never.
        let after = Timespec {
            tv_sec: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(after.subsec_nanos()).max(1),
        };
        let never_again = Timespec { tv_sec: 0, tv_nsec: 0 };
        let spec = Itimerspec { it_interval: never_again, it_value: after };
        // It cannot fail: the descriptor is a timer and the times are valid.
        let _ = timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::empty(), &spec);
        self.due = Some(due);
    }

    /// Becomes ready once, when the timer is due; after that it is no longer set.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Ok(mut guard) = ready!(self.fd.poll_read_ready(cx)) else { return Poll::Pending };
            let mut expirations = [0_u8; 8];
            let read = rustix::io::read(guard.get_inner(), &mut expirations);
            guard.clear_ready();
            if read.is_ok() {
                self.due = None;
                return Poll::Ready(());
            }
        }
    }
}
