//! The program under test in one of its lives: its two pipes, its signals, its memory, its end.
//!
//! One thread does everything: whoever attacks also drains the pipes, without blocking. A pipe that is not drained is a
//! consumer that stalls.

use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};

use super::witness::Stream;

/// How a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    Free,
    Slow,
    Stalled,
}

impl Pace {
    /// Returns how much is read at a time.
    fn bytes_max(self) -> usize {
        match self {
            Self::Free => 1 << 20,
            Self::Slow => 2 << 10,
            Self::Stalled => 0,
        }
    }
}

struct Pipe {
    end: Option<std::fs::File>,
    unfinished: Vec<u8>,
}

/// A running process.
pub struct Life {
    child: Child,
    pipes: [Pipe; 2],
    /// The most memory of its own that was seen, in KiB.
    pub own_kib_max: u64,
    /// The most that was resident, with the pages of its own file, in KiB.
    pub resident_kib_max: u64,
}

impl Life {
    pub fn begin(command: &mut Command) -> Self {
        let command = command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let out = OwnedFd::from(child.stdout.take().expect("a pipe"));
        let err = OwnedFd::from(child.stderr.take().expect("a pipe"));
        Self { child, pipes: [out, err].map(Pipe::open), own_kib_max: 0, resident_kib_max: 0 }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is ours and not yet waited for");
    }

    /// Returns how it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child is ours")
    }

    /// True once the program itself runs, and answers a signal by its own handler.
    pub fn catches(&self, signal: Signal) -> bool {
        let caught = self.status("SigCgt:").unwrap_or_default();
        u64::from_str_radix(&caught, 16).is_ok_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
    }

    /// Looks how much memory it takes: what nobody else has, and all that is resident.
    pub fn weigh(&mut self) {
        let kib = |name| self.status(name).and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or_default();
        let (own, resident) = (kib("RssAnon:"), kib("VmRSS:"));
        self.own_kib_max = self.own_kib_max.max(own);
        self.resident_kib_max = self.resident_kib_max.max(resident);
    }

    fn status(&self, name: &str) -> Option<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        Some(status.lines().find_map(|line| line.strip_prefix(name))?.trim().to_owned())
    }

    /// Reads what is there, as slowly as is asked, and hands over each line. Returns whether both pipes have ended.
    pub fn read(
        &mut self,
        paces: [Pace; 2],
        mut line: impl FnMut(Stream, &[u8]) -> Result<(), String>,
    ) -> Result<bool, String> {
        for (pipe, (pace, stream)) in self.pipes.iter_mut().zip(paces.into_iter().zip([Stream::Out, Stream::Err])) {
            pipe.read(pace.bytes_max(), |text| line(stream, text))?;
        }
        Ok(self.pipes.iter().all(|pipe| pipe.end.is_none()))
    }

    /// Waits until one of the streams has something, or a short while.
    pub fn wait_a_little(&self, at_most: Duration) {
        let mut fds: Vec<_> =
            self.pipes.iter().filter_map(|pipe| Some(PollFd::new(pipe.end.as_ref()?, PollFlags::IN))).collect();
        let timeout = Timespec { tv_sec: at_most.as_secs() as i64, tv_nsec: i64::from(at_most.subsec_nanos()) };
        // An interrupted wait is only a shorter one.
        let _ = poll(&mut fds, Some(&timeout));
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // It has ended already unless the round failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Pipe {
    fn open(end: OwnedFd) -> Self {
        let flags = fcntl_getfl(end.as_fd()).expect("a pipe has flags");
        fcntl_setfl(&end, flags | OFlags::NONBLOCK).expect("a pipe can be non-blocking");
        Self { end: Some(end.into()), unfinished: Vec::new() }
    }

    fn read(&mut self, bytes_max: usize, mut line: impl FnMut(&[u8]) -> Result<(), String>) -> Result<(), String> {
        let mut buffer = [0; 64 * 1024];
        let mut taken = 0;
        while let (Some(end), true) = (&mut self.end, taken < bytes_max) {
            let room = buffer.len().min(bytes_max - taken);
            match end.read(&mut buffer[..room]) {
                Ok(0) => self.end = None,
                Ok(read) => {
                    taken += read;
                    for part in buffer[..read].split_inclusive(|byte| *byte == b'\n') {
                        self.unfinished.extend_from_slice(part);
                        if self.unfinished.pop_if(|last| *last == b'\n').is_some() {
                            line(&self.unfinished)?;
                            self.unfinished.clear();
                        }
                    }
                }
                Err(why) if why.kind() == ErrorKind::WouldBlock => break,
                Err(why) => panic!("a pipe cannot be read: {why}"),
            }
        }
        Ok(())
    }
}
