//! SIGTERM and SIGINT as a future that ends the program. SIGHUP requests a rotation of all files, SIGUSR1 their status.
//!
//! Their handlers write into a pipe that the loop watches, so they work for process 1 of a container as for any other. They set a flag
//! before that: where the kernel has no memory for the byte, the next wake-up finds it.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys::readiness::register;

/// A request to end, once the signal handlers are in place.
#[derive(Debug)]
pub(crate) struct Termination {
    pipe: UnixStream,
    is_requested: Arc<AtomicBool>,
}

impl Termination {
    /// Puts the handlers in place: from here on the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// Those of socketpair(2) and sigaction(2): no descriptors are left.
    pub(crate) fn install() -> io::Result<Self> {
        Self::install_for(&[SIGTERM, SIGINT])
    }

    /// The same for a program that a person watches: it also ends when the terminal is closed, which is SIGHUP.
    ///
    /// # Errors
    /// As [`Termination::install`].
    pub(crate) fn install_at_terminal() -> io::Result<Self> {
        Self::install_for(&[SIGTERM, SIGINT, SIGHUP])
    }

    fn install_for(signals: &[i32]) -> io::Result<Self> {
        let (pipe, write_end) = UnixStream::pair()?;
        let is_requested = Arc::default();
        for signal in signals.iter().copied() {
            // In this order: who is woken must find the flag.
            signal_hook::flag::register(signal, Arc::clone(&is_requested))?;
            signal_hook::low_level::pipe::register(signal, write_end.try_clone()?)?;
        }
        pipe.set_nonblocking(true)?;
        Ok(Self { pipe, is_requested })
    }

    /// Becomes ready at the first signal, also one that came before the call. If the loop cannot watch the pipe, only when it is
    /// polled for another reason.
    pub(crate) async fn requested(self) {
        let pipe = tokio::net::UnixStream::from_std(self.pipe).ok();
        poll_fn(|cx| {
            // Readable or broken, it is time to end.
            let is_woken = pipe.as_ref().is_some_and(|pipe| pipe.poll_read_ready(cx).is_ready());
            if is_woken || self.is_requested.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl AsFd for Termination {
    /// Returns what becomes readable at the first signal and stays so, for who waits in poll(2).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// The requests since they were last taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    /// SIGHUP: rotate all files now.
    pub rotate: bool,
    /// SIGUSR1: log the status of all files.
    pub status: bool,
}

/// Requests other than to end, once the signal handlers are in place.
#[derive(Debug)]
pub(crate) struct Requests {
    pipe: AsyncFd<OwnedFd>,
    rotate: Arc<AtomicBool>,
    status: Arc<AtomicBool>,
}

impl Requests {
    /// Puts the handlers in place. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Those of socketpair(2) and sigaction(2): no descriptors are left.
    pub(crate) fn install() -> io::Result<Self> {
        let (pipe, write_end) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let (rotate, status) = (Arc::default(), Arc::default());
        for (signal, flag) in [(SIGHUP, &rotate), (SIGUSR1, &status)] {
            // In this order: who is woken must find the flag.
            signal_hook::flag::register(signal, Arc::clone(flag))?;
            signal_hook::low_level::pipe::register(signal, write_end.try_clone()?)?;
        }
        Ok(Self { pipe: register(pipe.into(), Interest::READABLE)?, rotate, status })
    }

    /// Becomes ready when there is a request.
    pub(crate) fn poll_asked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(Ok(mut guard)) = self.pipe.poll_read_ready(cx) {
            let mut bytes = [0; 64];
            if rustix::io::read(guard.get_inner(), &mut bytes).is_ok_and(|read| read > 0) {
                return Poll::Ready(());
            }
            guard.clear_ready();
        }
        let is_asked = self.rotate.load(Ordering::Relaxed) || self.status.load(Ordering::Relaxed);
        if is_asked { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes the requests.
    pub(crate) fn take(&self) -> Asked {
        let take = |flag: &AtomicBool| flag.swap(false, Ordering::Relaxed);
        Asked { rotate: take(&self.rotate), status: take(&self.status) }
    }
}
