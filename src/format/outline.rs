//! What stands where in the header of a record: its time, its level, what else it says, and where its message begins.
//!
//! Nothing is copied: all of it is places in the record, so it is made anew for each without an allocation.

use super::attribute::Attribute;
use super::head::Span;
use super::level::Level;

/// How many attributes a header has, at most: the longest layout has fewer.
const ATTRIBUTES_MAX: usize = 16;

/// The header of a record, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outline {
    attributes: [Option<(Attribute, Span)>; ATTRIBUTES_MAX],
    count: usize,
    /// Where its time stands; empty if that is none, or in the message too.
    pub(super) time: Span,
    /// Where its level stands as it was written; empty if it is in the message too.
    pub(super) level: Span,
    /// Where the message begins, in bytes.
    pub message: u32,
    /// Where it ends in its first line, if something of the header stands behind it.
    pub(crate) message_end: Option<u32>,
}

impl Outline {
    /// Adds an attribute, if there is room, and says whether there was.
    pub(super) fn add(&mut self, attribute: Attribute, span: Span) -> bool {
        let Some(free) = self.attributes.get_mut(self.count) else { return false };
        *free = Some((attribute, span));
        self.count += 1;
        true
    }

    /// Returns what the header says, in its order.
    pub fn attributes<'a>(
        &self,
        record: &'a [u8],
    ) -> impl Iterator<Item = (Attribute, &'a [u8])> + Clone + use<'a, '_> {
        self.attributes[..self.count].iter().flatten().map(move |(attribute, span)| (*attribute, span.of(record)))
    }

    /// Returns whether it says anything but time, level and message.
    #[must_use]
    pub fn has_attributes(&self) -> bool {
        self.count > 0
    }
}

/// Returns whether a word says no more than the level that was read from it: so it need not be kept beside that.
pub(super) fn is_usual_word(word: &[u8], level: Level) -> bool {
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    if word.len() < 2 || is(level.name()) {
        return true;
    }
    match level {
        Level::Info => is("inf"),
        Level::Debug => is("dbg"),
        Level::Warn => is("warning") || is("wrn"),
        Level::Error => is("err"),
        Level::Critical => is("crit"),
        _ => false,
    }
}
