//! What files take turns at: the one buffer, the streams, and what decides where a line goes.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::rc::Rc;

use crate::format::{FormatId, Formats, Verdict};
use crate::output::encode::Output;
use crate::output::rules::{FileRouter, Line, Route, Stream};
use crate::output::sink::{Gone, Sink, Written};
use crate::read::buffer::Buffer;
use crate::read::change::Change;
use crate::read::follower::Look;
use crate::read::line::Piece;
use crate::report::metrics::Counters;
use crate::shelf::files::Course;
use crate::shelf::lineage::Key;
use crate::shelf::progress::Progress;

/// How much of a line is shown in a message, in bytes.
const SHOWN_BYTES_MAX: usize = 60;

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
    pub output: Output,
    /// Whether the last record of a file is streamed at once: nothing that continues it is waited for any more.
    pub is_ending: bool,
    /// How many sequences of bytes were not UTF-8 and were shown as U+FFFD.
    pub invalid_utf8: u64,
    /// What is counted of each line, if anybody may ask.
    pub counters: Option<Box<Counters>>,
}

/// How many bytes were taken, and the stream that what follows needs if that one is not ready.
pub(super) type Taken = (usize, Option<Stream>);

/// How a turn began.
#[derive(Debug)]
pub(super) enum Begun {
    /// The next line needs a stream that is not ready.
    Blocked(Stream),
    /// What there is now.
    Looked(Look),
}

impl Begun {
    /// Says whether there is something to stream.
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

/// What decides where the lines of a file go.
pub(super) struct Way<'a> {
    pub(super) formats: &'a Formats,
    pub(super) router: &'a FileRouter,
    pub(super) path: &'a Path,
    pub(super) told: &'a Cell<Option<FormatId>>,
}

impl Way<'_> {
    /// Returns where a line, or a piece of one, goes, and what it was found to be if it begins a record.
    ///
    /// `following` is what is known to stand behind it.
    pub(super) fn of_line(&self, course: &mut Course, line: &[u8], following: &[u8]) -> (Route, Option<Verdict>) {
        if let Some(route) = course.line {
            return (route, None);
        }
        let decided = course.judge.format();
        let verdict = course.judge.line(self.formats, line, following);
        if course.judge.format() != decided {
            self.tell_format(course.judge.format(), line);
        }
        if let Some(route) = course.record.filter(|_| verdict.continues) {
            return (route, None);
        }
        let format = self.formats.name(verdict.format);
        let route = self.router.of_line(&Line { bytes: line, format, level: verdict.level });
        course.record = Some(route);
        (route, Some(verdict))
    }

    /// The same of a piece of a block; where all lines of the file have one route, and nobody counts them, none is read.
    pub(super) fn of_piece(
        &self,
        course: &mut Course,
        block: &[u8],
        piece: Piece,
        fixed: Option<Route>,
    ) -> (Route, Option<Verdict>) {
        match fixed {
            Some(route) => (route, None),
            None => self.of_line(course, piece.content(block), &block[piece.end..]),
        }
    }

    /// Tells which format a file was found to be in, and why.
    fn tell_format(&self, format: Option<FormatId>, line: &[u8]) {
        let before = self.told.replace(format);
        let Some(format) = format.filter(|_| format != before) else { return };
        let name = self.formats.name(format);
        let reason = if before.is_some() { "its last records are, such as" } else { "its first record is" };
        let shown = String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES_MAX)]);
        tracing::info!(file = %self.path.display(), "{} is read as {name}: {reason} {shown:?}", self.path.display());
    }
}

/// Writes whole pieces to a stream, and notes whether that holds some of it.
pub(super) fn write(
    sink: &mut Sink,
    stream: Stream,
    key: Key,
    progress: &mut Progress,
    pieces: &[&[u8]],
    ends_line: bool,
) -> Result<(), Gone> {
    let written = sink.write(stream, key, pieces, ends_line)?;
    if written == Written::Held {
        progress.hold(sink.effective(stream));
    }
    Ok(())
}
