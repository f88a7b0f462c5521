//! One file that matches: what was found of it.

use crate::output::rules::{Route, Stream};
use crate::paths::beneath::Stat;
use crate::reclaim::status::FileStatus;

/// A file that a pattern matches.
#[derive(Debug, Default)]
pub(super) struct File<'a> {
    pub path: String,
    pub stat: Option<Stat>,
    /// How far it is streamed, if it can be read.
    pub status: Option<FileStatus>,
    pub readable: bool,
    pub writable: bool,
    /// What its first lines are, or what it is pinned to.
    pub format: Option<&'a str>,
    pub pinned: bool,
    /// Where all its lines go, if no rule asks for a line.
    pub every_line: Option<&'static str>,
    /// Where its first lines go, at most 64 KiB of them.
    pub first_lines: LineCounts,
    /// How it would be rotated now, if rotation is on and possible.
    pub rotation: Option<&'static str>,
}

/// How many lines go where.
#[derive(Debug, Default)]
pub(super) struct LineCounts {
    pub stdout: u64,
    pub stderr: u64,
    pub dropped: u64,
}

impl LineCounts {
    pub(super) fn count(&mut self, route: Route) {
        *match route {
            Route::To(Stream::Stdout) => &mut self.stdout,
            Route::To(Stream::Stderr) => &mut self.stderr,
            Route::Drop => &mut self.dropped,
        } += 1;
    }

    /// Returns how many lines there are.
    pub(super) fn all(&self) -> u64 {
        self.stdout + self.stderr + self.dropped
    }
}
