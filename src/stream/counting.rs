//! What is counted of the lines of a turn, if `LISTEN` is set; otherwise none of this does anything.

use std::ops::Range;

use super::desk::{Desk, Way};
use crate::format::Verdict;
use crate::output::rules::{Line, Route};
use crate::output::sink::Sink;
use crate::read::follower::Part;
use crate::read::line::Piece;
use crate::report::metrics::{Kind, Passed};
use crate::shelf::files::Followed;

impl Desk {
    /// Counts bytes that are written and were not read; below zero those that were read and are not written.
    pub(super) fn count_added(&mut self, bytes: i64) {
        if let Some(counters) = &mut self.counters {
            counters.added_bytes += bytes;
        }
    }

    /// Counts the first `bytes` of a block as dropped unread.
    pub(super) fn count_dropped(&mut self, file: &Followed, data: &Range<usize>, bytes: usize) {
        if let Some(counters) = &mut self.counters {
            counters.drop_unread(&file.noted, &file.lineage.path, &self.buffer.bytes(data.clone())[..bytes]);
        }
    }

    /// Counts a part of a line that goes out as it is.
    pub(super) fn count_part(
        &mut self,
        file: &mut Followed,
        data: &Range<usize>,
        part: Part,
        route: Route,
        begins: Option<Verdict>,
    ) {
        let Some(counters) = &mut self.counters else { return };
        let bytes = self.buffer.bytes(data.clone());
        let way = Way { formats: &self.formats, router: &file.router, path: &file.path, told: &file.told_format };
        let is_unterminated = part.last && !part.terminated;
        let opening = if part.first { file.opening.len() } else { 0 };
        let is_written = route != Route::Drop;
        counters.pass(
            &mut file.noted,
            &file.lineage.path,
            &Passed {
                route: effective(&self.sink, route),
                begins: begins.map(|verdict| way.record(&verdict, bytes)),
                lines: u64::from(part.last),
                bytes: bytes.len(),
                added: if is_written { signed(opening + usize::from(is_unterminated)) } else { 0 },
                // A line that is unfinished when its file ends is shorter than that.
                is_split: is_unterminated && file.follower.unfinished_bytes() > bytes.len() as u64,
            },
        );
        counters.keep(&file.lineage.path);
    }
}

impl Way<'_> {
    /// Returns what is counted of a record.
    pub(super) fn record<'b>(&'b self, verdict: &Verdict, line: &'b [u8]) -> (Kind, Line<'b>) {
        let Verdict { format, level, .. } = *verdict;
        ((format, level), Line { bytes: line, format: self.formats.name(format), level })
    }

    /// Returns what is counted of a piece of a block that goes out as it is.
    pub(super) fn passed<'b>(
        &'b self,
        sink: &Sink,
        opening: &[u8],
        block: &'b [u8],
        piece: Piece,
        route: Route,
        begins: Option<&Verdict>,
    ) -> Passed<'b> {
        let added = opening.len() + usize::from(!piece.terminated);
        Passed {
            route: effective(sink, route),
            begins: begins.map(|verdict| self.record(verdict, piece.content(block))),
            lines: 1,
            bytes: piece.end - piece.start,
            added: if route == Route::Drop { 0 } else { signed(added) },
            is_split: !piece.terminated,
        }
    }
}

/// Returns a number of bytes in one block, of which differences are made.
pub(super) fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Returns where lines of a route really go.
pub(super) fn effective(sink: &Sink, route: Route) -> Route {
    match route {
        Route::To(stream) => Route::To(sink.effective(stream)),
        Route::Drop => Route::Drop,
    }
}
