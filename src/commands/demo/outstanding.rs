//! What the reader of the demo knows: which lines were written and have not come out yet.
//!
//! It counts for itself and asks sidetail for nothing. Memory is that of the lines that are outstanding, 12 bytes for each kind;
//! the application waits when they are too many.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

/// The lines that are outstanding, and how many there were.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    /// How often each line is outstanding, by its hash: 64 bits, so that two of a million lines meet once in ten million demos.
    lines: HashMap<u64, u32>,
    waiting: u64,
    written: u64,
    streamed: u64,
    unexpected: u64,
}

impl Outstanding {
    /// The application has written these lines, each with its newline; what follows the last newline counts as one.
    pub(super) fn add(&mut self, text: &[u8]) {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            *self.lines.entry(hash(line)).or_default() += 1;
            self.written += 1;
            self.waiting += 1;
        }
    }

    /// This line, with or without its newline, came out.
    pub(super) fn remove(&mut self, line: &[u8]) {
        self.streamed += 1;
        let hash = hash(line);
        match self.lines.get_mut(&hash) {
            Some(1) => _ = self.lines.remove(&hash),
            Some(times) => *times -= 1,
            None => {
                self.unexpected += 1;
                return;
            }
        }
        self.waiting -= 1;
    }

    /// Returns how many lines are outstanding; at the end, how many are lost.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Returns how many lines were written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Returns how many lines came out.
    pub(super) fn streamed(&self) -> u64 {
        self.streamed
    }

    /// Returns how many lines came out that were not outstanding: they had come already, or are not the application's.
    pub(super) fn repeated(&self) -> u64 {
        self.unexpected
    }
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(line.strip_suffix(b"\n").unwrap_or(line));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what is lost and what is repeated, if these lines are written and those come out.
    fn check(written: &[&str], streamed: &[&str], lost: u64, repeated: u64) {
        let mut outstanding = Outstanding::default();
        written.iter().for_each(|text| outstanding.add(text.as_bytes()));
        streamed.iter().for_each(|line| outstanding.remove(line.as_bytes()));
        assert_eq!((outstanding.waiting(), outstanding.repeated()), (lost, repeated), "{written:?}, {streamed:?}");
        assert_eq!(outstanding.written() + repeated, outstanding.streamed() + lost);
        assert!(outstanding.lines.len() as u64 <= lost, "what has come is forgotten");
    }

    #[test]
    fn what_is_lost_and_what_is_repeated_is_counted() {
        check(&["a\nb\n", "c\n"], &["a\n", "c\n", "b\n"], 0, 0);
        check(&["a\na\na\n"], &["a\n", "a\n"], 1, 0);
        check(&["a\n"], &["a\n", "a\n"], 0, 1);
        check(&["a\nb\n"], &["a\n", "x\n"], 1, 1);
        check(&["a\nb"], &["a\n", "b\n"], 0, 0);
        check(&["\n", ""], &["\n"], 0, 0);
        check(&[], &["a\n"], 0, 1);
    }
}
