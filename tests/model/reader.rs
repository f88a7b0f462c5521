//! The program under test, from outside: its two pipes, its signals, its end.
//!
//! One thread does everything: whoever drives the model also drains the pipes, without blocking, and hands each line to the oracle.
//! A pipe that is not drained is the consumer that stalls.

use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};

use super::oracle::{Oracle, Stream};

/// What the reader is doing, as far as signals decide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    Stopped,
    Dead,
}

/// One stream of the reader, and what came on it since the last newline.
struct Pipe {
    stream: Stream,
    end: Option<std::fs::File>,
    unfinished: Vec<u8>,
    stalled: bool,
}

/// The reader process, in its present life.
pub struct Reader {
    child: Option<Child>,
    pub state: State,
    pipes: [Pipe; 2],
    /// Its lines are asked one by one where they go, and so read before it is known that their stream is stalled.
    pub asks_lines: bool,
    /// More of its environment: how it rotates.
    pub environment: Vec<(&'static str, String)>,
}

impl Reader {
    /// No process yet.
    pub fn dead() -> Self {
        let pipes = [Pipe::closed(Stream::Out), Pipe::closed(Stream::Err)];
        Self { child: None, state: State::Dead, pipes, asks_lines: false, environment: Vec::new() }
    }

    /// Starts a life on the `*.log` files of `directory`; b.log goes to stderr, all else to stdout.
    pub fn start(&mut self, directory: &Path) {
        let binary =
            std::env::var("SIDETAIL_MODEL_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_sidetail").to_owned());
        let mut child = Command::new(binary)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("SIDETAIL_PATHS", directory.join("*.log"))
            .env(
                "SIDETAIL_STDERR",
                ["file:b.log", "file:b.log; match:^no line begins so"][usize::from(self.asks_lines)],
            )
            .env("SIDETAIL_DRAIN_TIMEOUT", "30s")
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let out = OwnedFd::from(child.stdout.take().expect("stdout is piped"));
        let err = OwnedFd::from(child.stderr.take().expect("stderr is piped"));
        self.pipes =
            [Pipe::open(Stream::Out, out, self.pipes[0].stalled), Pipe::open(Stream::Err, err, self.pipes[1].stalled)];
        self.child = Some(child);
        self.state = State::Running;
    }

    /// Sends a signal that does not end it.
    pub fn signal(&mut self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is ours and not yet waited for");
        self.state = match signal {
            Signal::STOP => State::Stopped,
            Signal::CONT => State::Running,
            _ => self.state,
        };
    }

    /// Kills it, takes what is still in its pipes, and tells the oracle.
    pub fn kill(&mut self, oracle: &mut Oracle) -> Result<(), String> {
        self.signal(Signal::KILL);
        let status = self.reap();
        if status.signal() != Some(Signal::KILL.as_raw()) {
            return Err(format!("the reader was to be killed, but: {status}"));
        }
        while self.pipes.iter().any(|pipe| pipe.end.is_some()) {
            self.pipes.iter_mut().try_for_each(|pipe| pipe.drain(oracle, usize::MAX))?;
        }
        let [out, err] = self.leftovers();
        oracle.killed([&out, &err])
    }

    /// How often it has come to rest in this life: it wakes at its safety tick, if for nothing else.
    pub fn rests(&self) -> u64 {
        let status = self.child.as_ref().map(|child| format!("/proc/{}/status", child.id()));
        let text = status.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        let field = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        field.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    }

    /// True when both pipes are at their end: the process closed them or is gone.
    pub fn pipes_ended(&self) -> bool {
        self.pipes.iter().all(|pipe| pipe.end.is_none())
    }

    /// After its pipes ended: waits for it, and returns how it ended with what its streams left unfinished.
    pub fn end(&mut self) -> (ExitStatus, [Vec<u8>; 2]) {
        let status = self.reap();
        (status, self.leftovers())
    }

    /// Reads what is there, at most `bytes_max` a stream, from the streams that are not stalled.
    pub fn pump(&mut self, oracle: &mut Oracle, bytes_max: usize) -> Result<(), String> {
        self.pipes.iter_mut().filter(|pipe| !pipe.stalled).try_for_each(|pipe| pipe.drain(oracle, bytes_max))
    }

    /// Waits until one of the pumped streams has something, or a short while.
    pub fn wait_a_little(&self, at_most: Duration) {
        let ends = self.pipes.iter().filter(|pipe| !pipe.stalled).filter_map(|pipe| pipe.end.as_ref());
        let mut fds: Vec<_> = ends.map(|end| PollFd::new(end, PollFlags::IN)).collect();
        let timeout = Timespec { tv_sec: at_most.as_secs() as i64, tv_nsec: i64::from(at_most.subsec_nanos()) };
        // An interrupted wait is only a shorter one.
        let _ = poll(&mut fds, Some(&timeout));
    }

    /// Stops or goes on draining one stream.
    pub fn stall(&mut self, stream: Stream, stalled: bool) {
        self.pipes[stream as usize].stalled = stalled;
    }

    /// True while the stream is not drained.
    pub fn is_stalled(&self, stream: Stream) -> bool {
        self.pipes[stream as usize].stalled
    }

    /// How it ended, if it did by itself.
    pub fn gone(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().expect("the child is ours"))
    }

    /// True once the process answers a signal by its own handler: from then on SIGTERM means an orderly end.
    pub fn catches(&self, signal: Signal) -> bool {
        let caught = self.status_line("SigCgt:");
        u64::from_str_radix(&caught, 16).is_ok_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
    }

    /// Stops it, and returns when it is between two system calls, or has ended.
    pub fn freeze(&mut self) {
        self.signal(Signal::STOP);
        while self.status_line("State:").starts_with(['R', 'S', 'D']) {
            std::thread::yield_now();
        }
    }

    /// What the kernel says of the process under this name; nothing once it is gone.
    fn status_line(&self, name: &str) -> String {
        let path = format!("/proc/{}/status", self.pid().as_raw_nonzero());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().expect("only a living reader is asked for its process"))
    }

    fn reap(&mut self) -> ExitStatus {
        self.state = State::Dead;
        self.child.take().expect("only a living reader is waited for").wait().expect("the child is ours")
    }

    fn leftovers(&mut self) -> [Vec<u8>; 2] {
        self.pipes.each_mut().map(|pipe| std::mem::take(&mut pipe.unfinished))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself; either way nothing stays behind.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Pipe {
    fn closed(stream: Stream) -> Self {
        Self { stream, end: None, unfinished: Vec::new(), stalled: false }
    }

    fn open(stream: Stream, end: OwnedFd, stalled: bool) -> Self {
        do_not_block(end.as_fd());
        Self { stream, end: Some(end.into()), unfinished: Vec::new(), stalled }
    }

    fn drain(&mut self, oracle: &mut Oracle, bytes_max: usize) -> Result<(), String> {
        let mut buffer = [0; 16 * 1024];
        let mut taken = 0;
        while let (Some(end), true) = (&mut self.end, taken < bytes_max) {
            let room = buffer.len().min(bytes_max - taken);
            match end.read(&mut buffer[..room]) {
                Ok(0) => self.end = None,
                Ok(read) => {
                    taken += read;
                    self.take_lines(&buffer[..read], oracle)?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("a pipe cannot be read: {error}"),
            }
        }
        Ok(())
    }

    fn take_lines(&mut self, bytes: &[u8], oracle: &mut Oracle) -> Result<(), String> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.unfinished.pop();
                oracle.line(self.stream, &self.unfinished)?;
                self.unfinished.clear();
            }
        }
        Ok(())
    }
}

fn do_not_block(end: BorrowedFd<'_>) {
    let flags = fcntl_getfl(end).expect("a pipe has flags");
    fcntl_setfl(end, flags | OFlags::NONBLOCK).expect("a pipe can be non-blocking");
}
