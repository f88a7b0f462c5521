//! What a format is: one block that holds everything that is known of it.
//!
//! A block says how its lines are read, and then what they look like from outside: how they begin, with which words they state an
//! error, what stands around and behind them. The tables of whoever asks about many formats at once (traces, front, dates, alarms)
//! are made from the blocks when the program is compiled, so nothing of a format stands anywhere else.

use super::head::{Head, Span};
use super::header_layout::{HeaderLayout, ReadSoFar};
use super::level::Level;
use super::outline::Outline;

/// A built-in log format.
#[derive(Debug)]
pub(super) struct Format {
    /// Its name in rules, in `FORMATS` and in the output of `classify`.
    pub name: &'static str,
    pub(crate) read: Reader,
    pub(crate) lines: RecordLines,
    /// Whether a record whose quote is not closed goes on in lines that are no records of their own, until it is.
    pub(crate) is_quoting: bool,
    pub(crate) later: Later,
    /// Whether a header of its own that states no level is read as one of no known format.
    pub(crate) asks_general: bool,
    /// Where the message begins behind a header of so many bytes, if not right there.
    pub(crate) message: Option<fn(&[u8], u32) -> u32>,
    /// What its program says when something is seriously wrong, though the level that it states is lower: parts of the line.
    pub(crate) grave: &'static [&'static [u8]],
    /// Whether its reader may say that the next line belongs to this one, whatever it looks like.
    pub(crate) may_be_open: bool,
    /// Whether its reader may say of a line that it belongs to the record before it; what wraps lines may always.
    pub(crate) may_continue: bool,
    /// If a container runtime writes it: what takes that off.
    pub(crate) unwrap: Option<Unwrap>,
    pub(crate) front: Front,
    /// What its headers look like, for outputs that show them in fields; the first that fits counts.
    pub(crate) layouts: &'static [HeaderLayout],
    /// What takes a header apart that no layout can describe.
    pub(crate) outline: Option<Outliner>,
    /// How its lines state an error in words that are no level's.
    pub(crate) alarms: &'static [Alarm],
    /// Its lines state errors by what raises no alarm, so a file in which one of its lines was met is read whole; it is met only
    /// while a file's format is decided.
    pub(crate) has_no_alarms: bool,
    /// What a process that writes it says at its end.
    pub(crate) crashes: &'static [Crash],
    /// How lines begin that continue any record.
    pub(crate) continues: &'static [&'static [u8]],
    /// How lines begin that continue a record in the middle of a trace.
    pub(crate) in_a_trace: &'static [&'static [u8]],
}

impl Format {
    /// A block that says nothing: what a format leaves out is as here.
    pub(crate) const NONE: Self = Self {
        name: "",
        read: Reader::General,
        lines: RecordLines::Single,
        is_quoting: false,
        later: Later::Nothing,
        asks_general: false,
        message: None,
        grave: &[],
        may_be_open: false,
        may_continue: false,
        unwrap: None,
        front: Front::ANY,
        layouts: &[],
        outline: None,
        alarms: &[],
        has_no_alarms: false,
        crashes: &[],
        continues: &[],
        in_a_trace: &[],
    };
}

/// Takes the header of a record apart; `None` if it is not as it should be.
pub(super) type Outliner = fn(&[u8], &ReadSoFar) -> Option<Outline>;

/// Adds a line to a record without what a container runtime wrote around it, and says whether the next line goes on with it.
pub(super) type Unwrap = fn(&[u8], &mut Vec<u8>) -> bool;

/// Reads a line, given without newline and without the carriage return before it; `None` if it is not of this format.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reader {
    /// All of it.
    Line(fn(&[u8]) -> Option<Head>),
    /// What stands around the line of some other format.
    Wrapping(fn(&[u8]) -> Option<Wrapped<'_>>),
    /// Any line, by what most loggers have in common.
    General,
}

/// A line with what somebody else wrote around it: a container runtime, or syslog.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrapped<'a> {
    /// Where the outer time stands.
    pub time: Span,
    /// The level that is stated outside.
    pub level: Option<Level>,
    /// The next line goes on with it.
    pub(crate) is_open: bool,
    /// Where the line inside begins.
    pub start: u32,
    pub(crate) inside: Inside<'a>,
}

/// The line inside.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inside<'a> {
    /// A line as the program wrote it.
    Plain(&'a [u8]),
    /// The same as the inside of a JSON string.
    Escaped(&'a [u8]),
    /// A message without a header of its own, which may state a level.
    Message(&'a [u8]),
}

/// What the lines of a record are, beyond the one with the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordLines {
    /// A record is one line; only what looks like a trace continues it.
    Single,
    /// The same with an exception's name.
    Traces,
    /// The same with what says nothing of itself: neither a time, nor a level, nor an exception's name.
    Loose,
    /// A line without a header continues the record before it.
    Multiple,
}

/// Where a record states its level, if not in its first line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Later {
    /// Nowhere.
    Nothing,
    /// At the front of its second line, which this reads.
    Second(fn(&[u8]) -> Option<Level>),
    /// In one of the lines behind it, which this reads.
    Ahead(fn(&[u8]) -> Option<Level>),
    /// At the front of its second line, which this reads, if the first is a time alone.
    BehindTime(fn(&[u8]) -> Option<Level>),
    /// Somewhere in an object that begins with a line `{` and is printed over several: this reads what follows, and returns
    /// how many bytes of that are known to belong to the record.
    Object(fn(&[u8]) -> (Option<Level>, usize)),
}

/// How a process ends that writes a format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crash {
    /// What its line begins with.
    pub(crate) phrase: &'static [u8],
    /// Which level that is; `None` where the line itself states it.
    pub level: Option<Level>,
    /// Below which level of the record before it is a record of its own, also where lines without a header continue a record.
    pub(crate) interrupts: Option<Level>,
    /// Whether a trace stands behind it.
    pub(crate) has_trace: bool,
}

impl Crash {
    /// Last words that are of this level where a record may begin, and continue a record else.
    pub(crate) const fn new(phrase: &'static [u8], level: Level) -> Self {
        Self { phrase, level: Some(level), interrupts: None, has_trace: false }
    }

    /// The same, but a record of its own behind anything that is not as serious as this.
    pub(crate) const fn interrupting(self, below: Level) -> Self {
        Self { interrupts: Some(below), ..self }
    }

    /// The same with a trace behind it.
    pub(crate) const fn traced(self) -> Self {
        Self { has_trace: true, ..self }
    }
}

/// How a line states an error without a level's word, for who looks at many lines at once.
///
/// A status, a level's letter or number, and a syslog priority are known to all formats; they need not be said here.
#[derive(Debug, Clone, Copy)]
pub(super) enum Alarm {
    /// A word of three letters at least, in either case; no letter stands behind it.
    Word(&'static [u8]),
    /// Such a phrase, letter by letter, whatever stands behind it.
    Phrase(&'static [u8]),
    /// What stands at the front of the line.
    Front(&'static [u8]),
}

/// What a line of a format begins with: what its reader wants, or less.
#[derive(Debug, Clone, Copy)]
pub(super) struct Front {
    /// With which bytes its lines begin: itself, or `0` for any digit, `t` for a digit of a date or time, `a` for a lower and
    /// `A` for an upper case letter; a line that begins with colours (`ESC`) is tried by all. Empty for any byte.
    pub(crate) first: &'static [u8],
    /// A line of it that begins with a bracket and a digit has a date or a time of day there.
    pub(crate) is_timed_in_brackets: bool,
    pub(crate) words: Words,
    /// What stands behind a date and a time of day as most lines have them.
    pub(crate) dated: Dated,
}

impl Front {
    pub(crate) const ANY: Self = Self { first: b"", is_timed_in_brackets: false, words: Words::Any, dated: Dated::ANY };
}

/// What stands behind the letters at the front of a line, if it begins with a capital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// Whatever it is.
    Any,
    /// They are the name of a month, with a blank behind it; or something else than a blank follows them.
    Month,
    /// Behind a blank a date or a bracket; or something else than a blank.
    Dated,
    /// Something else than a blank.
    Joined,
}

/// What a format wants of a line that begins with a date as most do, `2026-01-05 10:00:00`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dated {
    pub(crate) shape: Shape,
    /// The first byte behind date, blanks and tabs; `0` stands for any digit. Empty for any byte.
    pub(crate) behind: &'static [u8],
    /// No other letter stands behind a capital there.
    pub(crate) is_letter: bool,
    /// Behind a comma and milliseconds anything may stand.
    pub(crate) has_comma: bool,
}

impl Dated {
    pub(crate) const ANY: Self = Self { shape: Shape::Any, behind: b"", is_letter: false, has_comma: false };

    pub(crate) const fn new(shape: Shape, behind: &'static [u8]) -> Self {
        Self { shape, behind, ..Self::ANY }
    }
}

/// What must be so of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Any,
    /// `2026-01-05`
    Dashed,
    /// `2026/01/05`
    Slashed,
    /// A `T` before the time of day.
    Iso,
    /// Slashes, or a `T`.
    SlashedOrIso,
    /// No line of the format begins so.
    None,
}
