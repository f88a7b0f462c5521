//! What a format reads from the front of a line.
//!
//! Nothing is copied: all of it is places in the line, and none of them is behind its end.

use super::level::Level;

/// Where something stands in a line, as byte offsets; empty for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    /// Returns the bytes that it names.
    #[must_use]
    pub(super) fn of<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        line.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// What a format reads from the front of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Head {
    /// How serious it says it is.
    pub level: Option<Level>,
    /// Where its time stands, as it is written there; empty if it has none.
    pub time: Span,
    /// Where its message begins, in bytes; 0 if header and message are not separated.
    pub message: u32,
    /// It has a header of its own, but belongs to the record before it: PostgreSQL's `DETAIL:`.
    pub continues: bool,
    /// It does so only right behind the record's first line, and begins a record elsewhere.
    pub(crate) is_second: bool,
    /// The next line belongs to it, whatever that looks like: a container runtime's `P` record.
    pub(crate) is_open: bool,
    /// How many bytes at its front say all this, whatever stands behind them and whatever their digits are; 0 for unknown.
    pub(crate) header: u32,
}
