//! What is counted of the lines of a turn, if `LISTEN` is set; otherwise none of this does anything.

use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use super::cut::Segment;
use super::desk::Desk;
use crate::format::Formats;
use crate::output::rules::{Line, Route};
use crate::report::metrics::{Counters, Noted, Passed};
use crate::shelf::followed::Followed;

/// Counts the segments of one file's block.
pub(super) struct Observer<'a> {
    pub(super) counters: Option<&'a mut Counters>,
    /// What is known of the file from turn to turn.
    pub(super) noted: &'a mut Noted,
    /// Where its lines are counted.
    pub(super) path: &'a Rc<Path>,
}

impl Observer<'_> {
    /// Counts a segment that `written` bytes are written for; its route is the one that it really goes.
    pub(super) fn observe(&mut self, segment: &Segment, route: Route, written: usize, block: &[u8], formats: &Formats) {
        let Some(counters) = &mut self.counters else { return };
        let bytes = &block[segment.start..segment.end];
        if !segment.is_read {
            return counters.drop_unread(self.noted, self.path, bytes);
        }
        let begins = segment.begins.map(|verdict| {
            let (level, line) = (verdict.level, &block[segment.start..segment.first_end]);
            ((verdict.format, level), Line { bytes: line, format: formats.name(verdict.format), level })
        });
        let passed = Passed {
            route,
            begins,
            lines: segment.newlines + u64::from(segment.wants_newline),
            bytes: bytes.len(),
            added: if route == Route::Drop { 0 } else { signed(written) - signed(bytes.len()) },
            is_split: segment.is_split,
        };
        counters.pass(self.noted, self.path, &passed);
    }

    /// Makes final what was counted of the block, but not of its last record if that is put off.
    pub(super) fn end(&mut self, is_put_off: bool) {
        if let Some(counters) = &mut self.counters {
            if is_put_off { counters.put_off() } else { counters.keep(self.path) }
        }
    }
}

impl Desk {
    /// Counts what is taken of a block.
    pub(super) fn observe_taken(&mut self, file: &Followed, data: &Range<usize>, bytes: usize) {
        if let Some(counters) = &mut self.counters {
            counters.read(&file.lineage.path, &self.buffer.bytes(data.clone())[..bytes]);
        }
    }

    /// Counts bytes that are written and were not read.
    pub(super) fn observe_added(&mut self, bytes: usize) {
        if let Some(counters) = &mut self.counters {
            counters.added_bytes += signed(bytes);
        }
    }

    /// Counts the first `bytes` of a block, which are taken and not written because they went before, or are dropped.
    pub(super) fn observe_passed_over(&mut self, file: &Followed, data: &Range<usize>, bytes: usize, route: Route) {
        let Some(counters) = &mut self.counters else { return };
        match route {
            Route::Drop => {
                let bytes = &self.buffer.bytes(data.clone())[..bytes];
                counters.drop_unread(&file.noted, &file.lineage.path, bytes);
            }
            Route::To(_) => counters.added_bytes -= signed(bytes),
        }
    }
}

/// Returns a number of bytes in one block, of which differences are made.
fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
