//! Making things durable without waiting: fsync(2) may take seconds on a busy disk, and has no form that does not block.
//!
//! So a thread that lives for just one call makes it, and wakes the loop when it is done. It is the only thread beside the
//! loop's; without rotation there is none.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys::readiness::register;

/// What the thread needs, in bytes: it makes system calls and nothing else.
const STACK_BYTES: usize = 64 * 1024;

/// What is made durable.
#[derive(Debug)]
pub(crate) enum Flush {
    /// The bytes of a file that was written in place: fdatasync(2), which has no need of the file system's journal then.
    Bytes(OwnedFd),
    /// A new file, or a directory: fsync(2).
    Whole(OwnedFd),
}

/// What one flush came to.
type Outcome = io::Result<()>;

/// At most one flush at a time.
#[derive(Debug)]
pub(crate) struct Flusher {
    told: AsyncFd<OwnedFd>,
    teller: UnixStream,
    running: Option<thread::JoinHandle<Outcome>>,
    /// That of a flush that had no thread.
    done: Option<Outcome>,
}

impl Flusher {
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Those of socketpair(2): no descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        let (told, teller) = UnixStream::pair()?;
        told.set_nonblocking(true)?;
        Ok(Self { told: register(told.into(), Interest::READABLE)?, teller, running: None, done: None })
    }

    /// Returns whether a flush is under way, or its outcome was not taken yet.
    #[must_use]
    pub(crate) fn is_busy(&self) -> bool {
        self.running.is_some() || self.done.is_some()
    }

    /// Begins to flush these, one after the other. Flushes here and now if no thread can be started.
    pub(crate) fn start(&mut self, what: Vec<Flush>) {
        debug_assert!(!self.is_busy(), "one at a time");
        let what = Arc::new(what);
        let started = self.teller.try_clone().and_then(|teller| {
            let what = Arc::clone(&what);
            thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
                let outcome = flush(&what);
                // The loop has gone if nobody listens any more.
                let _ = rustix::io::write(&teller, b"x");
                outcome
            })
        });
        match started {
            Ok(thread) => self.running = Some(thread),
            Err(_) => self.done = Some(flush(&what)),
        }
    }

    /// Becomes ready when a flush is over.
    pub(crate) fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.done.is_some() {
            return Poll::Ready(());
        }
        while let Poll::Ready(Ok(mut guard)) = self.told.poll_read_ready(cx) {
            let mut byte = [0];
            if rustix::io::read(guard.get_inner(), &mut byte).is_ok_and(|read| read > 0) {
                return Poll::Ready(());
            }
            guard.clear_ready();
        }
        Poll::Pending
    }

    /// Takes the outcome of a flush that is over.
    pub(crate) fn take(&mut self) -> Option<Outcome> {
        let thread = self.running.take().map(|thread| {
            // It has told that it is at its end.
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        thread.or_else(|| self.done.take())
    }
}

fn flush(what: &[Flush]) -> Outcome {
    for one in what {
        match one {
            Flush::Bytes(file) => rustix::fs::fdatasync(file)?,
            Flush::Whole(file) => rustix::fs::fsync(file)?,
        }
    }
    Ok(())
}
