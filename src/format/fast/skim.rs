//! A block of whole lines, of which as few as can be are read.
//!
//! A line without an alarm states no level of error or above, so it goes where lines go that are no errors,
//! whether it begins a record or continues one that does. What has to be known when a line is read after that is whether it
//! continues the record before. So reading begins again at a line before it that begins a record for certain, and at the end
//! of a block too, so that the next one begins with what is known.

use super::alarm::{self, Alarms};
use crate::format::block::{Later, Reader};
use crate::format::catalog::{FORMATS, FormatId, FormatSet};
use crate::format::continuation;
use crate::format::general;
use crate::format::head::{Head, Span};
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

/// For how many blocks in a row of a file it was in vain to look for lines that need not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Vain(u8);

impl Vain {
    /// After so many it is tried in one of [`Self::EVERY`] blocks only: what reading costs comes on top of looking.
    const MOST: u8 = 4;
    const EVERY: u8 = 16;
}

/// A block of whole lines of which only errors are asked for.
#[derive(Debug)]
pub struct Skim<'a> {
    block: &'a [u8],
    alarms: Alarms<'a>,
    /// Whether it is tried in this block, once that was asked.
    is_tried: Option<bool>,
    /// How much of the block was passed over, in bytes.
    passed: usize,
    /// Whether all lines between had to be asked last, because of none alone it was certain that it begins a record.
    asks_for_all: bool,
    /// Where the next line begins that must be read, and what was found of it already.
    found: Option<(usize, FoundHead)>,
}

/// What a line says if it begins a record.
#[derive(Debug, Clone, Copy)]
pub struct FoundHead {
    pub(crate) head: Head,
    /// Its format, if that knows its lines by their header.
    pub(crate) format: Option<FormatId>,
}

/// What a line says if it begins a record; `None` if it continues the record before, whatever that is.
type Alone = Option<FoundHead>;

impl<'a> Skim<'a> {
    /// Begins at the front of a block; `None` where reading every line is no slower.
    #[must_use]
    pub fn new(block: &'a [u8]) -> Option<Self> {
        alarm::is_supported().then(|| Self {
            block,
            alarms: Alarms::new(block),
            is_tried: None,
            passed: 0,
            asks_for_all: false,
            found: None,
        })
    }

    /// Returns what was found of the line that begins there, if it was read to see whether it may be an error.
    #[must_use]
    pub fn found(&self, start: usize) -> Option<FoundHead> {
        self.found.filter(|(at, _)| *at == start).map(|(_, found)| found)
    }

    /// Returns whether lines of this block are passed over at all: not if that was in vain in the blocks before.
    pub(crate) fn is_worth_a_try(&mut self, vain: &mut Vain) -> bool {
        *self.is_tried.get_or_insert_with(|| {
            let is_tried = vain.0 < Vain::MOST || vain.0.is_multiple_of(Vain::EVERY);
            // Until something is passed over, this block counts too.
            vain.0 = vain.0.checked_add(1).unwrap_or(Vain::EVERY);
            is_tried
        })
    }

    /// Counts what was passed over; with an eighth of the block it was not in vain.
    pub(crate) fn passed_over(&mut self, bytes: usize, vain: &mut Vain) {
        self.passed += bytes;
        if self.passed >= self.block.len() / 8 {
            *vain = Vain::default();
        }
    }

    /// Returns which lines need not be read, from `from` on, the front of a line that is not before those that were returned or
    /// read. `alone` says of a line what it states if it begins a record; `None` if it continues the record before, whatever that
    /// is. `begins_clearly` says of some that do begin one that they do, and costs less. `multiple`, if the record before `from` is
    /// of one line, says whether a line begins one to which others belong that look like no trace.
    pub(crate) fn unread(
        &mut self,
        multiline: bool,
        alone: impl Fn(&[u8]) -> Alone,
        begins_clearly: impl Fn(&[u8]) -> bool,
        multiple: Option<fn(&[u8]) -> bool>,
        from: usize,
    ) -> Unread {
        let ((error, read_to), known) = self.next_error(&alone, from);
        self.found = known.flatten().map(|found| (error, found));
        let begins = |start: usize, line: &[u8], are_single: &mut dyn FnMut() -> bool| match known {
            _ if !multiline => true,
            Some(known) if start == error => begins_certainly(known, line, are_single),
            _ => begins_clearly(line) || begins_certainly(alone(line), line, are_single),
        };
        let mut end = from;
        if !self.asks_for_all || multiple.is_none() {
            end = self.certain_start(begins, || false, from, error);
        }
        if let Some(multiple) = multiple.filter(|_| end == from && error > from) {
            let mut answer = None;
            let are_single = || *answer.get_or_insert_with(|| !self.has(multiple, from, error));
            end = self.certain_start(begins, are_single, from, error);
            self.asks_for_all = answer == Some(true);
        }
        Unread { end, read_to }
    }

    /// Returns where the next line begins that may be an error, and where it ends; the end of the block for both if there is none.
    /// And what `alone` says of it, if that was asked.
    fn next_error(&mut self, alone: impl Fn(&[u8]) -> Alone, from: usize) -> ((usize, usize), Option<Alone>) {
        let mut from = from;
        let mut next = if from == 0 && self.alarms.begins_with_one() { Some(0) } else { self.alarms.next(from) };
        while let Some(at) = next {
            let start = memchr::memrchr(b'\n', &self.block[from..at]).map_or(from, |newline| from + newline + 1);
            let end = self.line_end(at);
            let text = text(&self.block[start..end]);
            if counts_for_others(text) {
                return ((start, end), None);
            }
            let said = alone(text);
            if said.and_then(|found| found.head.level) >= Some(Level::Error) {
                return ((start, end), Some(said));
            }
            from = end;
            next = self.alarms.next(from);
        }
        ((self.block.len(), self.block.len()), None)
    }

    /// Returns where the last line begins, not behind `at`, of which `begins` says that it begins a record for certain; `from` if it
    /// is far. `are_single` says whether up to there only what looks like a trace belongs to a record.
    fn certain_start(
        &self,
        begins: impl Fn(usize, &[u8], &mut dyn FnMut() -> bool) -> bool,
        mut are_single: impl FnMut() -> bool,
        from: usize,
        at: usize,
    ) -> usize {
        let mut start = at;
        for _ in 0..LINES_BACK_MAX {
            if start == from {
                break;
            }
            let before =
                memchr::memrchr(b'\n', &self.block[from..start - 1]).map_or(from, |newline| from + newline + 1);
            let line = text(&self.block[start..self.line_end(start)]);
            let previous = text(&self.block[before..start]);
            if start < self.block.len() && !may_be_open(previous) && begins(start, line, &mut are_single) {
                return start;
            }
            start = before;
        }
        from
    }

    /// Returns whether something is so of any line from `from` to `to`.
    fn has(&self, what: fn(&[u8]) -> bool, from: usize, to: usize) -> bool {
        let mut start = from;
        while start < to {
            let end = self.line_end(start);
            if what(text(&self.block[start..end])) {
                return true;
            }
            start = end;
        }
        false
    }

    /// Returns the line that begins there, without what ends it.
    pub(crate) fn line(&self, start: usize) -> &'a [u8] {
        text(&self.block[start..self.line_end(start)])
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

/// Returns whether a line that says this alone begins a record, whatever stands before it, unless that is open. `are_single` says
/// whether only what looks like a trace belongs to the records before it.
fn begins_certainly(alone: Alone, line: &[u8], are_single: impl FnOnce() -> bool) -> bool {
    match alone {
        Some(FoundHead { head, format: Some(_) }) => !head.continues,
        Some(FoundHead { head, format: None }) => {
            let is_record = || head.time != Span::default() || general::begins_with_level(line);
            let is_alone = || !continuation::goes_on_behind_prefix(line, Some(Level::Error)) && are_single();
            !continuation::continues(line, true, Some(Level::Error)) && (is_record() || is_alone())
        }
        None => false,
    }
}

/// The formats that state levels behind the first line of a record.
static LATER: FormatSet = those(true);

/// The formats whose lines may be open.
static OPEN: FormatSet = those(false);

const fn those(state_later: bool) -> FormatSet {
    let (mut those, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        let states_later = !matches!(FORMATS[index].later, Later::Nothing);
        if state_later && states_later || !state_later && FORMATS[index].may_be_open {
            those = those.add(index);
        }
        index += 1;
    }
    those
}

/// Returns whether a line may make an error of the record that it stands in, though it is not its first.
fn counts_for_others(line: &[u8]) -> bool {
    let mut formats = LATER;
    formats.any(|index| match FORMATS[index].later {
        Later::Nothing => false,
        Later::Second(level) | Later::Ahead(level) | Later::BehindTime(level) => level(line) >= Some(Level::Error),
        Later::Object(_) => line == b"{",
    })
}

/// Returns whether the next line may belong to this one whatever it looks like.
fn may_be_open(line: &[u8]) -> bool {
    let mut formats = OPEN;
    formats.any(|index| match FORMATS[index].read {
        Reader::Line(read) => read(line).is_some_and(|head| head.is_open),
        Reader::Wrapping(read) => read(line).is_some_and(|wrapped| wrapped.is_open),
        Reader::General => general::is_open(line),
    })
}
