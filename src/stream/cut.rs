//! A block is cut: into lines, pieces of long ones, and runs of lines that need not be read.

use std::ops::Range;

use crate::format::{Formats, FoundHead, Skim, Verdict};
use crate::output::rules::Route;
use crate::read::buffer::READ_BYTES;
use crate::read::follower::Part;
use crate::read::line::{Piece, Pieces};
use crate::shelf::followed::{Course, Followed};

/// What a look at a file gave.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Where it is in the buffer.
    pub(super) data: Range<usize>,
    /// Whether the file ended behind it, but for an unfinished line.
    pub(super) is_end: bool,
    /// Where it stands in its line, if it is a part of one that is longer than one read.
    pub(super) part: Option<Part>,
}

/// What is written and counted in one go: a line, a piece or a part of one, a run of lines that need not be read, or the lines
/// of one record.
#[derive(Debug)]
pub(super) struct Segment {
    /// Where it stands in the block.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where its first line ends, without the newline.
    pub(super) first_end: usize,
    /// What was known before it.
    pub(super) before: Course,
    /// Where it goes.
    pub(super) route: Route,
    /// What its first line was found to be, if that begins a record.
    pub(super) begins: Option<Verdict>,
    /// Whether its lines were read, and so are counted one by one.
    pub(super) is_read: bool,
    /// Whether it is the front of a line.
    pub(super) is_front: bool,
    /// How many newlines of its file are in it, of lines that were read.
    pub(super) newlines: u64,
    /// Whether its last line ends here and has no newline of its own.
    pub(super) wants_newline: bool,
    /// Whether a line in it was too long, and cut.
    pub(super) is_split: bool,
}

impl Segment {
    /// Adds the segment behind it.
    pub(super) fn join(&mut self, next: &Self) {
        self.end = next.end;
        self.newlines += next.newlines;
        self.wants_newline = next.wants_newline;
        self.is_split |= next.is_split;
    }
}

/// What is known of a block as a whole.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Demands {
    /// `MAX_LINE`.
    pub(super) line_bytes_max: usize,
    /// Whether records go out in one piece, in another form.
    pub(super) is_by_record: bool,
    /// Whether every line is counted.
    pub(super) is_counted: bool,
}

/// The pieces of a block.
pub(super) struct Cut<'a> {
    block: &'a [u8],
    /// Where it stands in its line, if it is a part of one.
    part: Option<Part>,
    /// Where the next piece starts.
    start: usize,
    /// Whether there is none; a part may be empty, and still end its line.
    is_over: bool,
    pieces: Pieces<'a>,
    ahead: Ahead<'a>,
}

/// What of a block need not be read.
#[expect(clippy::large_enum_variant, reason = "it is on the stack for one turn; a box would be an allocation each")]
enum Ahead<'a> {
    Nothing,
    /// All of it: it goes there.
    Everything(Route),
    /// Lines that are no errors.
    NoErrors(Passing<'a>),
}

impl<'a> Cut<'a> {
    /// Begins at the front of a block.
    pub(super) fn new(file: &Followed, block: &'a [u8], part: Option<Part>, demands: &Demands) -> Self {
        let pieces = Pieces::new(block, demands.line_bytes_max);
        let ahead = if part.is_some() { Ahead::Nothing } else { Ahead::of(file, block, demands) };
        Self { block, part, start: 0, is_over: false, pieces, ahead }
    }

    /// Returns whether the block is one run of lines that need not be read.
    pub(super) fn is_one_run(&self) -> bool {
        matches!(self.ahead, Ahead::Everything(_))
    }

    /// Returns where the block stands in its line, if it is a part of one.
    pub(super) fn part(&self) -> Option<Part> {
        self.part
    }

    /// Returns what was found already of the line that begins there.
    pub(super) fn found(&self, start: usize) -> Option<FoundHead> {
        match &self.ahead {
            Ahead::NoErrors(passing) => passing.skim.found(start),
            Ahead::Nothing | Ahead::Everything(_) => None,
        }
    }

    /// Returns the next piece, and where it goes if it need not be read.
    pub(super) fn next(&mut self, course: &mut Course, formats: &Formats) -> Option<(Piece, Option<Route>)> {
        let (start, end) = (self.start, self.block.len());
        if self.is_over {
            return None;
        }
        let unread = match &mut self.ahead {
            Ahead::Nothing => None,
            Ahead::Everything(route) => {
                Some((Piece { start, end, terminated: self.block.ends_with(b"\n") }, Some(*route)))
            }
            Ahead::NoErrors(passing) => passing.unread(course, formats, start).map(|run| (run, Some(passing.usual))),
        };
        let (piece, route) = match (unread, self.part) {
            (Some((run, route)), _) => {
                self.pieces.skip_to(run.end);
                (run, route)
            }
            (None, Some(part)) => (Piece { start, end, terminated: part.last && part.terminated }, None),
            (None, None) => (self.pieces.next()?, None),
        };
        self.start = piece.end;
        self.is_over = piece.end == end;
        Some((piece, route))
    }
}

impl<'a> Ahead<'a> {
    fn of(file: &Followed, block: &'a [u8], demands: &Demands) -> Self {
        let fixed = file.router.fixed();
        if fixed == Some(Route::Drop) {
            return Self::Everything(Route::Drop);
        }
        // What is counted of lines takes reading them.
        let is_as_it_is = file.opening.is_empty() && demands.line_bytes_max >= READ_BYTES && !demands.is_by_record;
        if !is_as_it_is || demands.is_counted {
            return Self::Nothing;
        }
        if let Some(route) = fixed.filter(|_| file.course.line.is_none()) {
            return Self::Everything(route);
        }
        let skim = file.router.unless_error().and_then(|usual| Some((Skim::new(block)?, usual)));
        skim.map_or(Self::Nothing, |(skim, usual)| Self::NoErrors(Passing { skim, usual, read_to: 0 }))
    }
}

/// Passes over the lines of a block that need not be read, because nothing but errors is asked for.
struct Passing<'a> {
    skim: Skim<'a>,
    /// Where lines go that are no errors.
    usual: Route,
    /// Up to where lines must be read.
    read_to: usize,
}

impl Passing<'_> {
    /// Returns the lines from `start` on that need not be read, as one piece.
    fn unread(&mut self, course: &mut Course, formats: &Formats, start: usize) -> Option<Piece> {
        if start < self.read_to || course.record.is_none() || course.line.is_some() {
            return None;
        }
        let is_behind_error = course.record != Some(self.usual);
        let unread = self.skim.pass_over(&mut course.judge, formats, start, is_behind_error)?;
        self.read_to = unread.read_to;
        if unread.end == start {
            return None;
        }
        course.record = Some(self.usual);
        Some(Piece { start, end: unread.end, terminated: true })
    }
}
