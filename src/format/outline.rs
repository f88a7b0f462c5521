//! What stands where in the header of a record: its time, its level, what else it says, and where its message begins.
//!
//! Nothing is copied: all of it is places in the record, so it is made anew for each without an allocation.

use super::attribute::Attribute;
use super::head::Span;
use super::level::Level;

/// How many attributes a header has, at most: the longest layout has fewer.
const ATTRIBUTES_MAX: usize = 16;

/// The header of a record, taken apart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outline {
    /// Those beyond the count are left from walks that led nowhere.
    attributes: [AttributePlace; ATTRIBUTES_MAX],
    /// All but the attributes.
    pub places: Places,
}

/// An attribute: what it is, and from where to where it stands. Small, because outlines are handed on by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct AttributePlace {
    attribute: Option<Attribute>,
    start: u16,
    end: u16,
}

/// What an outline holds beside its attributes: who goes back to where a walk was needs no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Places {
    /// How many attributes there are.
    count: u8,
    /// Where its time stands; empty if that is none, or in the message too.
    pub(super) time: Span,
    /// Where its level stands as it was written; empty if it is in the message too.
    pub(super) level: Span,
    /// Where the message begins, in bytes.
    pub message: u32,
    /// Where it ends in its first line, if something of the header stands behind it.
    pub(crate) message_end: Option<u32>,
}

impl PartialEq for Outline {
    fn eq(&self, other: &Self) -> bool {
        self.places == other.places && self.taken() == other.taken()
    }
}

impl Eq for Outline {}

impl Outline {
    /// Adds an attribute, if there is room and it does not stand too far from the front, and says whether that was so.
    pub(super) fn add(&mut self, attribute: Attribute, span: Span) -> bool {
        let (Some(free), Ok(start), Ok(end)) = (
            self.attributes.get_mut(usize::from(self.places.count)),
            u16::try_from(span.start),
            u16::try_from(span.end),
        ) else {
            return false;
        };
        *free = AttributePlace { attribute: Some(attribute), start, end };
        self.places.count += 1;
        true
    }

    /// Makes the last attribute longer, if it is this one, and says whether it is.
    pub(super) fn extend_last(&mut self, attribute: Attribute, end: u32) -> bool {
        let last = usize::from(self.places.count).checked_sub(1).map(|last| &mut self.attributes[last]);
        let (Some(last), Ok(end)) = (last.filter(|last| last.attribute == Some(attribute)), u16::try_from(end)) else {
            return false;
        };
        last.end = end;
        true
    }

    /// Returns what the header says, in its order.
    pub fn attributes<'a>(
        &self,
        record: &'a [u8],
    ) -> impl Iterator<Item = (Attribute, &'a [u8])> + Clone + use<'a, '_> {
        self.taken().iter().filter_map(move |place| {
            let text = record.get(usize::from(place.start)..usize::from(place.end)).unwrap_or_default();
            Some((place.attribute?, text))
        })
    }

    /// Returns whether it says anything but time, level and message.
    #[must_use]
    pub fn has_attributes(&self) -> bool {
        self.places.count > 0
    }

    fn taken(&self) -> &[AttributePlace] {
        &self.attributes[..usize::from(self.places.count)]
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
