//! The two standard streams: whole lines out, back-pressure in.
//!
//! A write never blocks on a pipe. What the pipe does not accept at once is kept, at most one write (64 KiB) a stream, and
//! until it is out nothing else is accepted for that stream; so a stalled reader stops the reading of files, and memory
//! stays where it is. Lines are never mixed: who began a line that is longer than one write owns the stream until its end.
//!
//! If stdout and stderr are the same pipe or terminal (`2>&1`), they are one stream here, or half a line of the one could
//! stand within the other.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;

use crate::output::rules::Stream;
use crate::paths::beneath::{FileId, Stat};
use crate::sys::readiness::register;

/// How many bytes one write hands over, at most: what a restart may repeat. 64 KiB: one pipe buffer, pipe(7).
pub(crate) const WRITE_BYTES_MAX: usize = 64 * 1024;

/// How many pieces one write may consist of; the array of them is on the stack.
pub(crate) const PIECES_MAX: usize = 256;

/// Who writes: a followed file, or ourselves.
pub(crate) type Owner = u64;

/// The owner of our own messages.
pub(crate) const OURSELVES: Owner = 0;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// All of it is on the stream.
    Whole,
    /// Part of it is kept until the stream accepts more; [`Sink::flush`] returns when it is out.
    Held,
}

/// A stream that cannot be written to any more: its reader is gone, or its disk is full.
#[derive(Debug)]
pub(crate) struct Gone {
    /// Which stream.
    pub stream: Stream,
    /// Why.
    pub why: io::Error,
}

impl Gone {
    /// Returns whether the reader closed it, which is a quiet end.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.why.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Both streams.
#[derive(Debug)]
pub(crate) struct Sink {
    outlets: [Outlet; 2],
    is_merged: bool,
    /// How many lines of files were handed over, if they are counted.
    lines: Option<u64>,
}

impl Sink {
    /// Takes the two streams over.
    ///
    /// # Errors
    /// When a descriptor is closed, or the event loop cannot watch it.
    pub(crate) fn new(stdout: OwnedFd, stderr: OwnedFd) -> io::Result<Self> {
        let identity = |fd: &OwnedFd| rustix::fs::fstat(fd).map(|stat| (stat.st_dev, stat.st_ino, stat.st_rdev));
        let is_merged = identity(&stdout)? == identity(&stderr)?;
        Ok(Self { outlets: [Outlet::new(stdout)?, Outlet::new(stderr)?], is_merged, lines: None })
    }

    /// Returns whether `owner` may write to the stream now.
    #[must_use]
    pub(crate) fn is_ready(&self, stream: Stream, owner: Owner) -> bool {
        let outlet = &self.outlets[self.index(stream)];
        outlet.held.is_empty() && outlet.within_line.is_none_or(|within| within == owner)
    }

    /// Returns who is within a line on the stream and has to go on.
    #[must_use]
    pub(crate) fn line_owner(&self, stream: Stream) -> Option<Owner> {
        self.outlets[self.index(stream)].within_line
    }

    /// Returns whether anything is kept that a stream did not accept yet.
    #[must_use]
    pub(crate) fn is_holding(&self) -> bool {
        self.outlets.iter().any(|outlet| !outlet.held.is_empty())
    }

    /// Says of each stream whether it keeps anything that was not accepted yet.
    #[must_use]
    pub(crate) fn holding(&self) -> [bool; 2] {
        self.outlets.each_ref().map(|outlet| !outlet.held.is_empty())
    }

    /// Returns for how long a stream has accepted nothing although something is kept for it.
    #[must_use]
    pub(crate) fn stalled(&self, stream: Stream, now: Instant) -> Duration {
        let refusing = self.outlets[self.index(stream)].refusing;
        refusing.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Returns how many bytes of files are kept that the streams did not accept yet.
    #[must_use]
    pub(crate) fn held_bytes(&self) -> u64 {
        self.outlets
            .iter()
            .filter(|outlet| outlet.owner != OURSELVES)
            .map(|outlet| (outlet.held.len() - outlet.held_start) as u64)
            .sum()
    }

    /// Returns how many bytes the readers of the streams have before them, as far as the kernel reports it: for pipes it does,
    /// ioctl(2), `FIONREAD`. They are fewer when a reader reads, also if that is too little for the stream to accept more.
    #[must_use]
    pub(crate) fn unread_bytes(&self) -> u64 {
        self.outlets.iter().map(|outlet| outlet.target.unread_bytes()).sum()
    }

    /// Returns how many bytes of files the stream has accepted so far; our own messages are not counted.
    #[must_use]
    pub(crate) fn accepted_bytes(&self, stream: Stream) -> u64 {
        self.outlets[self.index(stream)].accepted_bytes
    }

    /// Counts the lines of files from here on; it costs a look at every byte, some 50 ms a GiB.
    pub(crate) fn count_lines(&mut self) {
        self.lines = Some(0);
    }

    /// Returns how many lines of files were handed over, if they are counted.
    #[must_use]
    pub(crate) fn lines(&self) -> Option<u64> {
        self.lines
    }

    /// Writes the pieces, at most [`PIECES_MAX`] of together at most about [`WRITE_BYTES_MAX`], as one write.
    ///
    /// Must only be called when [`Sink::is_ready`]. `ends_line` says whether the last piece ends a line.
    ///
    /// # Errors
    /// When the stream is gone; what was not accepted is lost to it, but not taken from its file.
    pub(crate) fn write(
        &mut self,
        stream: Stream,
        owner: Owner,
        pieces: &[&[u8]],
        ends_line: bool,
    ) -> Result<Written, Gone> {
        if let Some(lines) = self.lines.as_mut().filter(|_| owner != OURSELVES) {
            *lines += pieces.iter().map(|piece| memchr::memchr_iter(b'\n', piece).count() as u64).sum::<u64>();
        }
        let index = self.index(stream);
        let outlet = &mut self.outlets[index];
        outlet.within_line = (!ends_line).then_some(owner);
        outlet.write(owner, pieces).map_err(|why| Gone { stream, why })
    }

    /// Becomes ready when a stream that holds something may accept more.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let holding = self.outlets.iter().filter(|outlet| !outlet.held.is_empty());
        // Each is asked, so that each wakes us.
        let ready = holding.filter(|outlet| outlet.target.poll_ready(cx).is_ready()).count();
        if ready > 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Goes on with what is held, and returns whose bytes are completely out now, a stream each.
    ///
    /// # Errors
    /// When a stream is gone.
    pub(crate) fn flush(&mut self) -> Result<[Option<Owner>; 2], Gone> {
        let mut done = [None; 2];
        for stream in Stream::ALL {
            let outlet = &mut self.outlets[stream.index()];
            done[stream.index()] = outlet.flush().map_err(|why| Gone { stream, why })?;
        }
        Ok(done)
    }

    /// Looks whether a reader has closed its end, which otherwise only a write would show.
    ///
    /// # Errors
    /// When it has.
    pub(crate) fn check_readers(&self) -> Result<(), Gone> {
        for stream in Stream::ALL {
            if self.outlets[self.index(stream)].target.is_closed() {
                return Err(Gone { stream, why: io::ErrorKind::BrokenPipe.into() });
            }
        }
        Ok(())
    }

    /// Waits until a stream that holds something may accept more, but no longer than `at_most`; if none does, just so long.
    pub(crate) fn wait_ready(&self, at_most: Duration) {
        let holding = self.outlets.iter().filter(|outlet| !outlet.held.is_empty());
        wait_writable(holding.filter_map(|outlet| outlet.target.watched()), at_most);
    }

    /// Waits until a stream has accepted all that is kept of it, however slowly; says whether it has. It has not when it accepted
    /// nothing for `at_most`, or is gone.
    pub(crate) fn wait_accepted(&mut self, stream: Stream, at_most: Duration) -> bool {
        let index = self.index(stream);
        let outlet = &mut self.outlets[index];
        let mut last = Instant::now();
        while !outlet.held.is_empty() {
            let before = outlet.held_start;
            if outlet.flush().is_err() {
                return false;
            }
            if outlet.held_start != before {
                last = Instant::now();
            } else if last.elapsed() >= at_most {
                return false;
            } else {
                let left = at_most.saturating_sub(last.elapsed());
                wait_writable(outlet.target.watched(), left);
            }
        }
        true
    }

    /// Returns which regular files the streams are, if any: they must not be followed.
    #[must_use]
    pub(crate) fn regular_files(&self) -> Vec<FileId> {
        let files = self.outlets.iter().filter_map(|outlet| match &outlet.target {
            OutletKind::File(file) => Stat::of(file).ok(),
            OutletKind::Pipe { .. } | OutletKind::Watched(..) => None,
        });
        files.filter(|stat| stat.kind == FileType::RegularFile).map(|stat| stat.id).collect()
    }

    /// Gives the streams back as they were found: blocking, for whoever shares them.
    pub(crate) fn release(self) {
        for outlet in self.outlets {
            // It only fails for a closed descriptor, and then nobody is left to mind.
            let _ = outlet.target.release();
        }
    }

    /// Returns the stream that lines for `stream` really go to: stdout for both, if they are one.
    #[must_use]
    pub(crate) fn effective(&self, stream: Stream) -> Stream {
        if self.is_merged { Stream::Stdout } else { stream }
    }

    fn index(&self, stream: Stream) -> usize {
        self.effective(stream).index()
    }
}

/// Waits until one of these accepts more, but no longer than `at_most`.
fn wait_writable<'fd>(watched: impl IntoIterator<Item = BorrowedFd<'fd>>, at_most: Duration) {
    let mut polled: Vec<_> =
        watched.into_iter().map(|watched| PollFd::from_borrowed_fd(watched, PollFlags::OUT)).collect();
    let at_most = Timespec::try_from(at_most).ok();
    // However it ends, what can be done is looked at next.
    let _ = rustix::event::poll(&mut polled, at_most.as_ref());
}

/// One stream.
#[derive(Debug)]
struct Outlet {
    target: OutletKind,
    /// What was not accepted yet; its owner is in `owner`.
    held: Vec<u8>,
    held_start: usize,
    owner: Owner,
    within_line: Option<Owner>,
    accepted_bytes: u64,
    /// Since when it has not accepted any of what is held.
    refusing: Option<Instant>,
}

impl Outlet {
    fn new(fd: OwnedFd) -> io::Result<Self> {
        let target = OutletKind::new(fd)?;
        Ok(Self {
            target,
            held: Vec::new(),
            held_start: 0,
            owner: OURSELVES,
            within_line: None,
            accepted_bytes: 0,
            refusing: None,
        })
    }

    fn write(&mut self, owner: Owner, pieces: &[&[u8]]) -> io::Result<Written> {
        debug_assert!(self.held.is_empty(), "is_ready was asked");
        let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
        let accepted = self.target.write(pieces)?;
        self.count(owner, accepted);
        if accepted == bytes {
            return Ok(Written::Whole);
        }
        let mut skip = accepted;
        for piece in pieces {
            let skipped = skip.min(piece.len());
            skip -= skipped;
            self.held.extend_from_slice(&piece[skipped..]);
        }
        self.held_start = 0;
        self.owner = owner;
        self.refusing = Some(Instant::now());
        Ok(Written::Held)
    }

    fn flush(&mut self) -> io::Result<Option<Owner>> {
        if self.held.is_empty() {
            return Ok(None);
        }
        let accepted = self.target.write(&[&self.held[self.held_start..]])?;
        self.held_start += accepted;
        if accepted > 0 {
            self.refusing = Some(Instant::now());
        }
        self.count(self.owner, accepted);
        if self.held_start < self.held.len() {
            return Ok(None);
        }
        // Given back, not kept: an idle process should not hold what it once needed.
        self.held = Vec::new();
        self.held_start = 0;
        self.refusing = None;
        Ok(Some(self.owner))
    }

    fn count(&mut self, owner: Owner, accepted: usize) {
        if owner != OURSELVES {
            self.accepted_bytes += accepted as u64;
        }
    }
}

/// What a stream leads to.
#[derive(Debug)]
enum OutletKind {
    /// A pipe, set non-blocking by tokio.
    Pipe { sender: pipe::Sender, flags: OFlags },
    /// A socket, or a terminal opened anew so that its non-blocking flag is ours alone.
    Watched(AsyncFd<OwnedFd>, Option<OFlags>),
    /// A regular file or a device: it accepts everything at once, or fails.
    File(File),
}

impl OutletKind {
    fn new(fd: OwnedFd) -> io::Result<Self> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode);
        let flags = rustix::fs::fcntl_getfl(&fd)?;
        if kind == FileType::Fifo {
            return Ok(Self::Pipe { sender: pipe::Sender::from_owned_fd(fd)?, flags });
        }
        let is_terminal = kind == FileType::CharacterDevice && rustix::termios::isatty(&fd);
        if is_terminal {
            // The shell shares the open terminal: a non-blocking flag set there would stay when we are gone.
            let own = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&fd));
            #[allow(clippy::disallowed_methods, reason = "a descriptor of our own")]
            let reopened = rustix::fs::open(name, own, Mode::empty()).map_err(io::Error::from);
            if let Ok(watched) = reopened.and_then(|fd| register(fd, Interest::WRITABLE)) {
                return Ok(Self::Watched(watched, None));
            }
        }
        // A terminal of another user's cannot be opened again; then it is shared, and given back as it was.
        if is_terminal || kind == FileType::Socket {
            rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
            return Ok(Self::Watched(register(fd, Interest::WRITABLE)?, Some(flags)));
        }
        Ok(Self::File(File::from(fd)))
    }

    /// Returns how many bytes were accepted: all of them, or fewer when it would block, or the kernel has no memory for them: a
    /// pipe's pages count for the control group of who writes.
    fn write(&mut self, pieces: &[&[u8]]) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); PIECES_MAX];
        let count = pieces.len().min(PIECES_MAX);
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
        }
        let mut slices = &mut slices[..count];
        let mut accepted = 0;
        while !slices.is_empty() {
            match self.write_once(slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    accepted += bytes;
                    IoSlice::advance_slices(&mut slices, bytes);
                }
                Err(why) if is_passing(&why) => break,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(accepted)
    }

    /// Asks the kernel at once, not tokio whether it would be worth it: most writes are accepted. Only a refusal is reported to
    /// tokio, so that it waits for the next time that the stream is ready.
    fn write_once(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let would_block = || Err::<(), _>(io::Error::from(io::ErrorKind::WouldBlock));
        let written = match self {
            Self::Pipe { sender, .. } => rustix::io::writev(sender, slices),
            Self::Watched(fd, _) => rustix::io::writev(&*fd, slices),
            Self::File(file) => return file.write_vectored(slices),
        };
        if written.is_err_and(|why| is_passing(&why.into())) {
            let _ = match self {
                Self::Pipe { sender, .. } => sender.try_io(would_block),
                Self::Watched(fd, _) => fd.try_io(Interest::WRITABLE, |_| would_block()),
                Self::File(_) => Ok(()),
            };
        }
        Ok(written?)
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Pipe { sender, .. } => sender.poll_write_ready(cx).map(|_| ()),
            Self::Watched(fd, _) => fd.poll_write_ready(cx).map(|_| ()),
            Self::File(_) => Poll::Ready(()),
        }
    }

    /// Returns whether the reader has closed it (`POLLERR` of a pipe, `POLLHUP` of a socket or terminal, poll(2)).
    fn is_closed(&self) -> bool {
        let Some(fd) = self.watched() else { return false };
        let mut polled = [PollFd::from_borrowed_fd(fd, PollFlags::empty())];
        let immediately = Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut polled, Some(&immediately)).is_ok_and(|count| count > 0)
            && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
    }

    /// Returns the descriptor, if it is one that can be waited for.
    fn watched(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Pipe { sender, .. } => Some(sender.as_fd()),
            Self::Watched(fd, _) => Some(fd.as_fd()),
            Self::File(_) => None,
        }
    }

    fn unread_bytes(&self) -> u64 {
        match self {
            Self::Pipe { sender, .. } => rustix::io::ioctl_fionread(sender).unwrap_or(0),
            Self::Watched(..) | Self::File(_) => 0,
        }
    }

    fn release(&self) -> rustix::io::Result<()> {
        match self {
            Self::Pipe { sender, flags } => rustix::fs::fcntl_setfl(sender.as_fd(), *flags),
            Self::Watched(fd, Some(flags)) => rustix::fs::fcntl_setfl(fd.get_ref(), *flags),
            Self::Watched(_, None) | Self::File(_) => Ok(()),
        }
    }
}

/// Returns whether a write that failed may succeed later. Nothing reports that there is memory again: the tick retries.
fn is_passing(why: &io::Error) -> bool {
    matches!(Errno::from_io_error(why), Some(Errno::AGAIN | Errno::NOMEM | Errno::NOBUFS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};
    use std::io::Read;

    const FILE: Owner = 7;

    fn pair() -> (File, OwnedFd) {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        (File::from(reader), writer)
    }

    fn within_runtime(test: impl FnOnce()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        let _entered = runtime.enter();
        test();
    }

    #[test]
    fn what_a_full_pipe_refuses_is_held_and_goes_first() {
        within_runtime(|| {
            let ((mut reader, stdout), (_stderr_reader, stderr)) = (pair(), pair());
            let mut sink = Sink::new(stdout, stderr).expect("two pipes");
            let block = vec![b'x'; WRITE_BYTES_MAX];
            assert_eq!(sink.write(Stream::Stdout, FILE, &[&block], true).expect("fits"), Written::Whole);
            assert_eq!(sink.write(Stream::Stdout, FILE, &[b"held\n", b"too\n"], true).expect("held"), Written::Held);
            assert!(!sink.is_ready(Stream::Stdout, FILE) && sink.is_ready(Stream::Stderr, FILE));
            assert_eq!(sink.flush().expect("still full"), [None, None]);
            let mut read = vec![0; WRITE_BYTES_MAX];
            reader.read_exact(&mut read).expect("the block");
            assert_eq!(sink.flush().expect("room now"), [Some(FILE), None]);
            let mut rest = [0; 9];
            reader.read_exact(&mut rest).expect("the rest");
            assert_eq!(&rest, b"held\ntoo\n");
        });
    }

    #[test]
    fn a_line_in_parts_keeps_others_out() {
        within_runtime(|| {
            let ((_reader, stdout), (_stderr_reader, stderr)) = (pair(), pair());
            let mut sink = Sink::new(stdout, stderr).expect("two pipes");
            sink.write(Stream::Stdout, FILE, &[b"half"], false).expect("a part");
            assert!(sink.is_ready(Stream::Stdout, FILE) && !sink.is_ready(Stream::Stdout, OURSELVES));
            sink.write(Stream::Stdout, FILE, &[b" whole\n"], true).expect("the rest");
            assert!(sink.is_ready(Stream::Stdout, OURSELVES));
        });
    }

    #[test]
    fn one_pipe_for_both_streams_is_one_stream() {
        within_runtime(|| {
            let (_reader, stdout) = pair();
            let stderr = stdout.try_clone().expect("a second descriptor");
            let mut sink = Sink::new(stdout, stderr).expect("a pipe");
            sink.write(Stream::Stdout, FILE, &[b"half"], false).expect("a part");
            assert!(!sink.is_ready(Stream::Stderr, OURSELVES));
        });
    }

    #[test]
    fn a_closed_reader_is_noticed_without_a_write() {
        within_runtime(|| {
            let ((reader, stdout), (_stderr_reader, stderr)) = (pair(), pair());
            let sink = Sink::new(stdout, stderr).expect("two pipes");
            sink.check_readers().expect("still there");
            drop(reader);
            assert!(sink.check_readers().expect_err("closed").is_closed());
        });
    }

    #[test]
    fn pipes_are_given_back_blocking() {
        within_runtime(|| {
            let ((_reader, stdout), (_stderr_reader, stderr)) = (pair(), pair());
            let shared = stdout.try_clone().expect("a second descriptor");
            let is_nonblocking = || rustix::fs::fcntl_getfl(&shared).expect("flags").contains(OFlags::NONBLOCK);
            let sink = Sink::new(stdout, stderr).expect("two pipes");
            assert!(is_nonblocking());
            sink.release();
            assert!(!is_nonblocking());
        });
    }
}
