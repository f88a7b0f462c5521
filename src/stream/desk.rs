//! What files take turns at: the one buffer, the streams, and what is asked of every line.

use std::io;
use std::rc::Rc;

use crate::format::Formats;
use crate::output::encode::encoding::Encoding;
use crate::output::rules::Stream;
use crate::output::sink::{Gone, Sink};
use crate::read::buffer::Buffer;
use crate::read::change::Change;
use crate::read::follower::Look;
use crate::report::metrics::Counters;

/// What files take turns at.
#[derive(Debug)]
pub(super) struct Desk {
    /// Where all of them are read to.
    pub buffer: Buffer,
    /// Where their lines go.
    pub sink: Sink,
    /// `MAX_LINE`.
    pub line_bytes_max: usize,
    /// What formats lines may be in.
    pub formats: Rc<Formats>,
    /// `OUTPUT`.
    pub encoding: &'static Encoding,
    /// Whether the last record of a file is streamed at once: nothing that continues it is waited for any more.
    pub is_ending: bool,
    /// How many sequences of bytes were not UTF-8 and were shown as U+FFFD.
    pub invalid_utf8: u64,
    /// What is counted of each line, if anybody may ask.
    pub counters: Option<Box<Counters>>,
}

/// How a turn began.
#[derive(Debug)]
pub(super) enum Begun {
    /// The next line needs a stream that is not ready.
    Blocked(Stream),
    /// What there is now.
    Looked(Look),
}

impl Begun {
    /// Returns whether there is something to stream.
    #[must_use]
    pub(super) fn has_lines(&self) -> bool {
        matches!(self, Self::Looked(Look::Lines { .. } | Look::Part(..)))
    }
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// There was nothing to stream.
    Nothing,
    /// Something was streamed, and it was all that there was.
    Last,
    /// Something was streamed, or passed over, and there may be more.
    More,
    /// The next line needs a stream that is not ready.
    Blocked(Stream),
    /// A stream still holds some of what was written.
    Held,
    /// What had been read of the file has changed, and where it goes on.
    Changed(Change),
}

/// Why a turn failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The file could not be read; others can.
    Read(io::Error),
    /// A stream is gone; that is the end.
    Gone(Gone),
}

impl From<io::Error> for Failure {
    fn from(why: io::Error) -> Self {
        Self::Read(why)
    }
}

impl From<Gone> for Failure {
    fn from(why: Gone) -> Self {
        Self::Gone(why)
    }
}
