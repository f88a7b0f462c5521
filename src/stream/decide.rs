//! Where a line goes.

use std::cell::Cell;
use std::path::Path;

use crate::format::{FormatId, Formats, FoundHead, Verdict};
use crate::output::rules::{FileRouter, Line, Route};
use crate::shelf::followed::Course;

/// How much of a line is shown in a message, in bytes.
const SHOWN_BYTES_MAX: usize = 60;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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
    /// `following` is what is known to stand behind it, `found` what was found of it before.
    pub(super) fn of_line(
        &self,
        course: &mut Course,
        line: &[u8],
        following: &[u8],
        found: Option<FoundHead>,
    ) -> (Route, Option<Verdict>) {
        if let Some(route) = course.line {
            return (route, None);
        }
        // What was found is of the line with its byte order mark.
        let found = found.filter(|_| !line.starts_with(BYTE_ORDER_MARK));
        let line = without_bom(line);
        let decided = course.judge.format();
        let verdict = course.judge.line_found(self.formats, line, following, found);
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

    /// Logs which format a file was found to be in, and why.
    fn tell_format(&self, format: Option<FormatId>, line: &[u8]) {
        let before = self.told.replace(format);
        let Some(format) = format.filter(|_| format != before) else { return };
        let name = self.formats.name(format);
        let reason = if before.is_some() { "its last records are, such as" } else { "its first record is" };
        let shown = String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES_MAX)]);
        tracing::info!(file = %self.path.display(), "{} is read as {name}: {reason} {shown:?}", self.path.display());
    }
}
/// Returns lines without the byte order mark that a file may begin with: it is no part of the record.
pub(super) fn without_bom(lines: &[u8]) -> &[u8] {
    lines.strip_prefix(BYTE_ORDER_MARK).unwrap_or(lines)
}
