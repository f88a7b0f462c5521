//! A block of whole lines, of which as few as can be are read.
//!
//! A line without an alarm states no level of error or above, so it goes where lines go that are no errors,
//! whether it begins a record or continues one that does. What has to be known when a line is read after that is whether it
//! continues the record before. So reading begins again at a line before it that begins a record for certain, and at the end
//! of a block too, so that the next one begins with what is known.

use super::alarm::{self, Alarms};
use crate::format::continuation;
use crate::format::formats::container::{self, Wrapped};
use crate::format::formats::{java, plain};
use crate::format::head::Head;
use crate::format::judge::{Formats, Judge};
use crate::format::level::Level;

/// How many lines are looked at, backwards, for one that begins a record for certain; if none of them does, everything is read.
const LINES_BACK_MAX: usize = 8;

/// Lines that need not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// Where the first line is that must be read: up to there all go where lines go that are no errors.
    pub end: usize,
    /// Up to where lines must be read then.
    pub read_to: usize,
}

/// A block of whole lines of which only errors are asked for.
#[derive(Debug)]
pub struct Skim<'a> {
    block: &'a [u8],
    alarms: Alarms<'a>,
}

impl<'a> Skim<'a> {
    /// Begins at the front of a block; `None` where reading every line is no slower.
    #[must_use]
    pub fn new(block: &'a [u8]) -> Option<Self> {
        alarm::is_supported().then(|| Self { block, alarms: Alarms::new(block) })
    }

    /// Passes over lines from `from` on, and returns which. The record before must be no error, and `from` the front of a line
    /// that is not before those that were passed over or read.
    ///
    /// `None` while what comes must be read anyhow, because the file's format is not decided or its last record is open.
    pub fn pass_over(&mut self, judge: &mut Judge, formats: &Formats, from: usize) -> Option<Unread> {
        if !judge.is_settled(formats) {
            return None;
        }
        let (alarm, read_to) = self.next_error(judge, formats, from);
        let end = self.certain_start(judge, formats, from, alarm);
        if end > from {
            judge.pass_over();
        }
        Some(Unread { end, read_to })
    }

    /// Returns where the next line begins that may be an error, and where it ends; the end of the block for both if there is none.
    fn next_error(&mut self, judge: &Judge, formats: &Formats, from: usize) -> (usize, usize) {
        let mut from = from;
        let mut next = if from == 0 && self.alarms.begins_with_one() { Some(0) } else { self.alarms.next(from) };
        while let Some(at) = next {
            let start = memchr::memrchr(b'\n', &self.block[from..at]).map_or(from, |newline| from + newline + 1);
            let end = self.line_end(at);
            let text = text(&self.block[start..end]);
            // What is said behind the first line of a record counts for that, whatever it says alone.
            let is_of_others = text == b"{" || java::level_of_second(text) >= Some(Level::Error);
            let alone = judge.head_alone(formats, text).and_then(|(head, _)| head.level);
            if is_of_others || alone >= Some(Level::Error) {
                return (start, end);
            }
            from = end;
            next = self.alarms.next(from);
        }
        (self.block.len(), self.block.len())
    }

    /// Returns where the last line begins, not behind `at`, that begins a record for certain; `from` if it is far.
    fn certain_start(&self, judge: &Judge, formats: &Formats, from: usize, at: usize) -> usize {
        let mut start = at;
        for _ in 0..LINES_BACK_MAX {
            if start == from {
                break;
            }
            let before =
                memchr::memrchr(b'\n', &self.block[from..start - 1]).map_or(from, |newline| from + newline + 1);
            let line = text(&self.block[start..self.line_end(start)]);
            let previous = text(&self.block[before..start]);
            if start < self.block.len() && !may_be_open(previous) && begins_certainly(judge, formats, line) {
                return start;
            }
            start = before;
        }
        from
    }

    /// Returns where the line ends that `at` is in, its newline included.
    fn line_end(&self, at: usize) -> usize {
        let rest = &self.block[at..];
        at + memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)
    }
}

/// Returns a line without its newline and a carriage return before it.
fn text(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Says whether a line begins a record, whatever stands before it, unless that is open.
fn begins_certainly(judge: &Judge, formats: &Formats, line: &[u8]) -> bool {
    if !formats.multiline {
        return true;
    }
    match judge.head_alone(formats, line) {
        Some((head, true)) => !head.continues,
        Some((_, false)) => {
            let is_record = plain::begins_with_time(line) || plain::begins_with_level(line);
            is_record && !continuation::continues(line, true, Some(Level::Error))
        }
        None => false,
    }
}

/// Says whether the next line may belong to this one whatever it looks like.
fn may_be_open(line: &[u8]) -> bool {
    let is_wrapped_open = |read: fn(&[u8]) -> Option<Wrapped<'_>>| read(line).is_some_and(|wrapped| wrapped.is_open);
    let is_open = |read: fn(&[u8]) -> Option<Head>| read(line).is_some_and(|head| head.is_open);
    is_wrapped_open(container::read_cri)
        || is_wrapped_open(container::read_docker)
        || is_open(java::read_jul)
        || is_open(plain::read)
}
