//! sidetail as a process of its own, and what it writes.
//!
//! It is in a process group of its own, so that Ctrl-C reaches the demo alone, which then ends it as the kubelet does. If the demo is
//! killed it ends too: nobody reads its streams any more.
#![allow(clippy::disallowed_methods, reason = "it is only asked whether this program is still there")]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::Signal;

use crate::output::rules::Stream;
use crate::sys::processes::{resident_bytes_max, send, stat_fields};

/// One read of a pipe: as much as it holds.
const READ_BYTES: usize = 64 * 1024;

/// The application's lines are short; what has no newline after so many bytes is taken for a line.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// A running sidetail.
#[derive(Debug)]
pub(super) struct Sidecar {
    child: Child,
    endings: [Ending; 2],
    buffer: Vec<u8>,
}

/// Our end of one of its streams.
#[derive(Debug)]
struct Ending {
    stream: Stream,
    pipe: OwnedFd,
    /// The beginning of a line.
    partial: Vec<u8>,
    is_open: bool,
}

impl Sidecar {
    /// Starts this program on the `*.log` files of a directory, with nothing else of our environment.
    ///
    /// # Errors
    /// Those of fork(2), execve(2) and pipe(2).
    pub(super) fn start(directory: &Path) -> io::Result<Self> {
        let mut command = Command::new(own_program()?);
        command.arg("*.log").current_dir(directory).env_clear();
        command.env("SIDETAIL_ROTATE_SIZE", "4Mi").env("SIDETAIL_LOG", "info");
        command.process_group(0);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let endings =
            [Ending::new(Stream::Stdout, stdout.map(Into::into)), Ending::new(Stream::Stderr, stderr.map(Into::into))];
        let [Some(stdout), Some(stderr)] = endings else { return Err(io::ErrorKind::BrokenPipe.into()) };
        Ok(Self { child, endings: [stdout, stderr], buffer: vec![0; READ_BYTES] })
    }

    /// Returns its process number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the streams that are open, to wait for.
    pub(super) fn open(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.endings.iter().filter(|ending| ending.is_open).map(|ending| ending.pipe.as_fd())
    }

    /// Gives every whole line that is there to `take`, with the newline.
    ///
    /// # Errors
    /// The first one of `take`; the other lines of that read are not given.
    pub(super) fn read<E>(&mut self, mut take: impl FnMut(Stream, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let Self { endings, buffer, .. } = self;
        endings.iter_mut().try_for_each(|ending| ending.read(buffer, &mut take))
    }

    /// Returns whether it waits for something to do.
    pub(super) fn is_asleep(&self) -> bool {
        stat_fields(self.id()).is_none_or(|fields| fields.is_asleep)
    }

    /// Returns the CPU time that it has used; also of one that has ended.
    pub(super) fn cpu(&self) -> Option<Duration> {
        Some(stat_fields(self.id())?.cpu)
    }

    /// Returns the most memory that was resident, in bytes; `None` of one that has ended.
    pub(super) fn memory(&self) -> Option<u64> {
        resident_bytes_max(self.id())
    }

    /// Sends it a signal; one that has ended is left alone.
    pub(super) fn signal(&self, signal: Signal) {
        // It is our child and nobody has waited for it, so the number is its own.
        let _ = send(self.id(), signal);
    }

    /// Waits for its end, which must be certain.
    ///
    /// # Errors
    /// Those of waitpid(2).
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        // It has ended already, unless the demo ends in the midst of its story.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ending {
    fn new(stream: Stream, pipe: Option<OwnedFd>) -> Option<Self> {
        let pipe = pipe?;
        // Only our end: the other one stays as sidetail finds it in a pod.
        ioctl_fionbio(&pipe, true).ok()?;
        Some(Self { stream, pipe, partial: Vec::new(), is_open: true })
    }

    /// Reads once.
    fn read<E>(&mut self, buffer: &mut [u8], take: &mut impl FnMut(Stream, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let read = match rustix::io::read(&self.pipe, &mut *buffer) {
            Ok(read) => read,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(_) => 0,
        };
        self.is_open &= read > 0;
        for piece in buffer[..read].split_inclusive(|byte| *byte == b'\n') {
            if self.partial.is_empty() && piece.ends_with(b"\n") {
                take(self.stream, piece)?;
                continue;
            }
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() > LINE_BYTES_MAX {
                let line = std::mem::take(&mut self.partial);
                take(self.stream, &line)?;
            }
        }
        if !self.is_open && !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            take(self.stream, &line)?;
        }
        Ok(())
    }
}

/// Returns the path of this program, also if its file was replaced since it was started.
fn own_program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    // What was deleted has no path, but the kernel still leads to it.
    Ok(if path.exists() { path } else { "/proc/self/exe".into() })
}
