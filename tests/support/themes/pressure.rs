//! A program whose stdout somebody reads when they like, and the lines that it streams.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::support::files::append;
use crate::support::program::{DEADLINE, Program, command, pipe};

/// What one write hands over at most, and a restart may repeat.
pub const WRITE_BYTES_MAX: usize = 64 * 1024;

pub const LINE_BYTES: usize = 100;

pub fn paths(directory: &Path) -> String {
    format!("{}/*.log", directory.display())
}

/// Lines of 100 bytes, each with its number.
pub fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("{number:09} {}\n", "x".repeat(LINE_BYTES - 11))).collect()
}

/// The numbers of such lines; a torn line fails.
#[track_caller]
pub fn numbers(text: &[u8]) -> Vec<usize> {
    let expected_end = format!(" {}\n", "x".repeat(LINE_BYTES - 11));
    let number = |line: &[u8]| {
        let line = std::str::from_utf8(line).expect("ASCII");
        let digits = line.strip_suffix(&expected_end).unwrap_or_else(|| panic!("a torn line: {line:?}"));
        digits.parse().expect("a number")
    };
    text.split_inclusive(|byte| *byte == b'\n').map(number).collect()
}

/// Reads so many bytes in time, fewer only if the pipe's writer ends, and gives the pipe back.
#[track_caller]
pub fn read(pipe: File, bytes: usize) -> (Vec<u8>, File) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut read, mut part) = (Vec::new(), pipe.take(bytes as u64));
        let result = part.read_to_end(&mut read);
        // Nobody waits any more if the test has failed meanwhile.
        let _ = sender.send((result, read, part.into_inner()));
    });
    let (result, read, pipe) = receiver.recv_timeout(DEADLINE).expect("it gives so many bytes in time");
    result.expect("a pipe can be read");
    (read, pipe)
}

/// Reads what is left in a pipe whose writer ends, or has ended.
#[track_caller]
pub fn rest(pipe: File) -> Vec<u8> {
    read(pipe, usize::MAX).0
}

/// A program whose stdout is a pipe that the test reads when it likes; `mark.log` goes to stderr.
pub struct Stalled {
    pub program: Program,
    pub pipe: File,
}

impl Stalled {
    pub fn start(mut command: Command) -> Self {
        let (reader, writer): (OwnedFd, OwnedFd) = pipe();
        let program = Program::spawn(command.stdout(writer).stderr(Stdio::piped()));
        drop(command);
        Self { program, pipe: reader.into() }
    }

    pub fn on(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let paths = paths(directory);
        Self::start(command(&[&[("PATHS", paths.as_str()), ("STDERR", "file:mark.log")], variables].concat()))
    }

    /// Returns when everything that happened before was looked at: a line that was written after it has come out.
    #[track_caller]
    pub fn catch_up(&self, directory: &Path, mark: &str) {
        append(&directory.join("mark.log"), format!("{mark}\n"));
        self.program.expect(|| self.program.stderr().lines().any(|line| line == mark), mark);
    }
}

/// Stops the threads of a test at its end, also when it fails: a scope waits for them.
pub struct Stop<'a>(pub &'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub fn descriptors(program: &Program) -> usize {
    fs::read_dir(format!("/proc/{}/fd", program.id())).expect("it is running").count()
}

/// The program that was started again gives what is missing behind `first`, and repeats one write at most.
#[track_caller]
pub fn expect_rest(second: Stalled, first: &[u8], written: usize) {
    let repeated = first.len().div_ceil(LINE_BYTES).min(WRITE_BYTES_MAX / LINE_BYTES);
    // The last lines tell when everything is there; how many come before them is the question.
    let last = lines(written - 1..written).into_bytes();
    let (mut text, mut pipe) = read(second.pipe, written * LINE_BYTES - first.len());
    while !text.ends_with(&last) && text.len() < written * LINE_BYTES {
        let more;
        (more, pipe) = read(pipe, 1);
        assert!(!more.is_empty(), "it ended");
        text.extend(more);
    }
    second.program.terminate();
    text.extend(rest(pipe));
    let found = numbers(&text);
    assert!(found[0] * LINE_BYTES <= first.len(), "lost between {} and line {}", first.len(), found[0]);
    assert!(found[0] + repeated >= first.len() / LINE_BYTES, "more than one write was repeated");
    assert!(found == (found[0]..written).collect::<Vec<_>>(), "lines lost, repeated or in another order");
}
