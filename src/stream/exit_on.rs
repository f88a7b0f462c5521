//! `EXIT_ON`: the end without a signal, for Jobs whose sidecar is an ordinary container: nobody sends it SIGTERM, and the
//! pod has not completed before it ends.
//!
//! It reports when a condition holds; what is streamed then, and how, is decided elsewhere. Nothing wakes the loop that would
//! not wake it anyway, but the end of a process, the end of the quiet time, and names in a file's directory.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Instant;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::config::condition::Condition;
use crate::sys::processes::{has_ended, is_called, pids};
use crate::sys::readiness::register;

/// Which part of the time processes are looked for, at most, while hints come: each look costs a file of `/proc` a process.
const LOOK_SHARE: u32 = 20;

/// How quiet the files are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quiet {
    /// When the last file gave something, grew or came.
    pub since: Instant,
    /// Whether any file held anything so far: an application that has not begun has not ended either.
    pub has_begun: bool,
    /// Whether files are just being looked at.
    pub is_working: bool,
    /// Whether everything is streamed that was found.
    pub is_streamed: bool,
}

/// The conditions, and what is known of them.
#[derive(Debug)]
pub(crate) struct ExitOn {
    awaited: Vec<Awaited>,
    wants_look: bool,
}

#[derive(Debug)]
struct Awaited {
    condition: Condition,
    state: AwaitedState,
}

#[derive(Debug)]
enum AwaitedState {
    File,
    Idle {
        /// When it may be that nothing has come for long enough.
        due: Instant,
        /// Whether all files are looked at once more before that is believed: no event reports what is written through memory.
        is_asked: bool,
    },
    Process {
        /// Whether one of the name was seen.
        is_seen: bool,
        /// The one whose end is waited for; it counts whatever it is called later.
        running: Option<Running>,
        /// Before when they are not looked for again.
        rest_until: Option<Instant>,
        /// Whether they are to be looked for again then.
        is_put_off: bool,
    },
}

impl ExitOn {
    /// Begins to wait. What cannot be seen here is reported.
    #[must_use]
    pub(crate) fn new(conditions: &[Condition], now: Instant) -> Self {
        let await_one = |condition: &Condition| {
            let state = match condition {
                Condition::File(_) => AwaitedState::File,
                Condition::Idle(time) => AwaitedState::Idle { due: now + *time, is_asked: false },
                Condition::Process(_) => {
                    if std::process::id() == 1 {
                        tracing::warn!(
                            "SIDETAIL_EXIT_ON={condition}: this container sees no processes of other containers; set \
                             shareProcessNamespace in the pod's spec"
                        );
                    }
                    AwaitedState::Process { is_seen: false, running: None, rest_until: None, is_put_off: false }
                }
            };
            Awaited { condition: condition.clone(), state }
        };
        Self { awaited: conditions.iter().map(await_one).collect(), wants_look: false }
    }

    /// Returns whether there is no condition.
    #[must_use]
    pub(crate) fn is_never(&self) -> bool {
        self.awaited.is_empty()
    }

    /// Returns the directories in which a file is waited for.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.awaited.iter().filter_map(|one| match &one.condition {
            Condition::File(path) => path.parent(),
            _ => None,
        })
    }

    /// Returns when to look again, if that must not wait for the next hint or tick.
    #[must_use]
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let dues = self.awaited.iter().filter_map(|one| match one.state {
            AwaitedState::Idle { due, .. } => Some(due),
            AwaitedState::Process { rest_until, is_put_off: true, .. } => rest_until,
            _ => None,
        });
        dues.min()
    }

    /// Returns whether that is now.
    #[must_use]
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.next_due().is_some_and(|due| due <= now)
    }

    /// Says once whether all files are to be looked at now, before nothing new is taken for the end.
    pub(crate) fn take_wish_to_look(&mut self) -> bool {
        std::mem::take(&mut self.wants_look)
    }

    /// Becomes ready when a process has ended that was waited for.
    pub(crate) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut poll = Poll::Pending;
        for one in &mut self.awaited {
            if let AwaitedState::Process { running, rest_until, .. } = &mut one.state
                && let Some(Running { end: Some(end), .. }) = running
                && end.poll_read_ready(cx).is_ready()
            {
                (*running, *rest_until) = (None, None);
                poll = Poll::Ready(());
            }
        }
        poll
    }

    /// Returns the first condition that holds; `quiet` is there if [`ExitOn::is_due`].
    pub(crate) fn met(&mut self, now: Instant, quiet: Option<Quiet>) -> Option<&Condition> {
        let wants_look = &mut self.wants_look;
        self.awaited.iter_mut().find_map(|one| one.is_met(now, quiet, wants_look).then_some(&one.condition))
    }
}

impl Awaited {
    #[allow(
        clippy::disallowed_methods,
        reason = "it is only asked whether there is something, and nothing of it is read"
    )]
    fn is_met(&mut self, now: Instant, quiet: Option<Quiet>, wants_look: &mut bool) -> bool {
        match (&self.condition, &mut self.state) {
            (Condition::File(path), _) => path.exists(),
            (Condition::Idle(time), AwaitedState::Idle { due, is_asked }) => match quiet {
                // They have been asked for, and are just answering.
                Some(quiet) if *due > now || quiet.is_working => false,
                Some(quiet) => {
                    let next = if quiet.has_begun && quiet.is_streamed { quiet.since } else { now } + *time;
                    if next > now {
                        (*due, *is_asked) = (next, false);
                        return false;
                    }
                    *wants_look |= !*is_asked;
                    std::mem::replace(is_asked, true)
                }
                None => false,
            },
            (Condition::Process(name), AwaitedState::Process { is_seen, running, rest_until, is_put_off }) => {
                *is_put_off = rest_until.is_some_and(|end| now < end);
                if *is_put_off {
                    return false;
                }
                if running.as_ref().is_none_or(|one| !one.is_running()) {
                    *running = Running::find(name);
                    *rest_until = Some(now + now.elapsed() * LOOK_SHARE);
                }
                *is_seen |= running.is_some();
                *is_seen && running.is_none()
            }
            _ => false,
        }
    }
}

/// A process that has not ended.
#[derive(Debug)]
struct Running {
    pid: u32,
    /// Readable when it has ended, pidfd_open(2); `None` where that is not to be had: then it is looked at.
    end: Option<AsyncFd<OwnedFd>>,
}

impl Running {
    /// Returns a process of this name, other than ourselves, that has not ended.
    fn find(name: &str) -> Option<Self> {
        let own = std::process::id();
        let is_it = |pid: &u32| *pid != own && is_called(*pid, name);
        let pid = pids().unwrap_or_default().into_iter().find(|pid| is_it(pid) && !has_ended(*pid))?;
        let end = i32::try_from(pid).ok().and_then(Pid::from_raw).and_then(|pid| {
            let opened = pidfd_open(pid, PidfdFlags::empty()).ok()?;
            register(opened, Interest::READABLE).ok()
        });
        Some(Self { pid, end })
    }

    fn is_running(&self) -> bool {
        self.end.is_some() || !has_ended(self.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_shown_the_same() {
        let text = "file:/var/log/done,idle:1m 30s,process:java";
        let conditions = Condition::parse_all("file:/var/log/done, idle:90s ,process:java").expect("valid");
        let shown: Vec<_> = conditions.iter().map(ToString::to_string).collect();
        assert_eq!(shown.join(","), text);
    }

    #[test]
    fn a_look_that_would_be_too_soon_is_made_up_for() {
        let now = Instant::now();
        let mut exit_on = ExitOn::new(&[Condition::Process("nobody-is-called-so".into())], now);
        assert_eq!(exit_on.met(now, None), None);
        assert_eq!(exit_on.next_due(), None, "the next hint or tick is soon enough");
        assert_eq!(exit_on.met(now, None), None);
        let due = exit_on.next_due().expect("it was put off");
        assert!(due > now);
        assert_eq!(exit_on.met(due, None), None);
        assert_eq!(exit_on.next_due(), None);
    }
}
