//! A line, read from its front: the small pieces that headers of log lines are made of; dates and times are in `dates`.
//!
//! Nothing here allocates or looks back, so reading a header takes time linear in its length.

use super::head::Span;
use super::level::Level;

/// A place in a line. Each method that answers `None` or `false` has not moved, unless it says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// Begins at the front of the line.
    #[must_use]
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    /// Returns a scan of what follows here that ends after so many bytes.
    #[must_use]
    pub(super) fn within(&self, bytes: usize) -> Self {
        Self { line: &self.line[..self.line.len().min(self.at + bytes)], at: self.at }
    }

    /// Returns where it is.
    #[must_use]
    pub(super) fn at(&self) -> u32 {
        u32::try_from(self.at).unwrap_or(u32::MAX)
    }

    /// Returns what follows.
    #[must_use]
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.line[self.at..]
    }

    /// Returns what was passed over.
    #[must_use]
    pub(super) fn passed(&self) -> &'a [u8] {
        &self.line[..self.at]
    }

    /// Returns the byte before this place; `None` at the front of the line.
    #[must_use]
    pub(super) fn before(&self) -> Option<u8> {
        self.line.get(self.at.wrapping_sub(1)).copied()
    }

    /// Returns the next byte; 0 at the end.
    #[must_use]
    pub(super) fn peek(&self) -> u8 {
        self.line.get(self.at).copied().unwrap_or(0)
    }

    /// Returns whether nothing follows.
    #[must_use]
    pub(super) fn is_end(&self) -> bool {
        self.at >= self.line.len()
    }

    /// Passes over a byte if it is the next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.line.get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Passes over some bytes if they are next.
    pub(super) fn eat_all(&mut self, bytes: &[u8]) -> bool {
        // The first byte tells most lines apart, and costs no call.
        let are_next = bytes.first() == Some(&self.peek()) && self.rest().starts_with(bytes);
        self.at += if are_next { bytes.len() } else { 0 };
        are_next
    }

    /// Passes over some bytes, whatever they are.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = self.line.len().min(self.at + bytes);
    }

    /// Passes over spaces and tabs, and says whether there were any.
    pub(super) fn spaces(&mut self) -> bool {
        !self.while_is(|byte| byte == b' ' || byte == b'\t').is_empty()
    }

    /// Passes over the bytes that are `wanted`, and returns them.
    pub(super) fn while_is(&mut self, mut wanted: impl FnMut(u8) -> bool) -> &'a [u8] {
        let start = self.at;
        while self.line.get(self.at).is_some_and(|byte| wanted(*byte)) {
            self.at += 1;
        }
        &self.line[start..self.at]
    }

    /// Passes over ASCII letters, and returns them.
    pub(super) fn letters(&mut self) -> &'a [u8] {
        self.while_is(|byte| byte.is_ascii_alphabetic())
    }

    /// Passes over what is neither space nor tab, and returns it.
    pub(super) fn token(&mut self) -> &'a [u8] {
        self.while_is(|byte| byte != b' ' && byte != b'\t')
    }

    /// Passes over everything up to and with the first `byte`, and returns what stood before it.
    pub(super) fn until(&mut self, byte: u8) -> Option<&'a [u8]> {
        let rest = self.rest();
        let length = memchr::memchr(byte, rest)?;
        self.at += length + 1;
        Some(&rest[..length])
    }

    /// Passes over `open`, something, and the first `close` behind it, and returns what is between them.
    pub(super) fn between(&mut self, open: u8, close: u8) -> Option<&'a [u8]> {
        let before = self.at;
        let found = if self.eat(open) { self.until(close) } else { None };
        if found.is_none() {
            self.at = before;
        }
        found
    }

    /// Passes over at least `min` and at most `max` digits, and returns them.
    pub(super) fn digits(&mut self, min: usize, max: usize) -> Option<&'a [u8]> {
        let rest = self.rest();
        let mut length = 0;
        while length < max && rest.get(length).is_some_and(u8::is_ascii_digit) {
            length += 1;
        }
        if length < min {
            return None;
        }
        self.at += length;
        Some(&rest[..length])
    }

    /// Passes over the escape sequences of a terminal's colours, `ESC [ ... m`, and says whether there were any.
    ///
    /// Source: ECMA-48, section 8.3.117 (SGR).
    #[inline]
    pub(super) fn colours(&mut self) -> bool {
        // Nearly everywhere there are none, which should cost little, and not be written out everywhere.
        self.peek() == b'\x1b' && self.escape_sequences()
    }

    #[inline(never)]
    fn escape_sequences(&mut self) -> bool {
        let before = self.at;
        while self.peek() == b'\x1b' && self.rest().get(1) == Some(&b'[') {
            let parameters = &self.rest()[2..];
            let length = parameters.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
            if parameters.get(length) != Some(&b'm') {
                break;
            }
            self.at += length + 3;
        }
        self.at > before
    }

    /// Passes over a level word in capitals, coloured or not, and returns its level.
    pub(super) fn capital_level(&mut self) -> Option<Level> {
        self.level_of(|byte| byte.is_ascii_uppercase())
    }

    /// Passes over a level word in any case, coloured or not, and returns its level.
    pub(super) fn level(&mut self) -> Option<Level> {
        self.level_of(|byte| byte.is_ascii_alphabetic())
    }

    fn level_of(&mut self, letter: fn(u8) -> bool) -> Option<Level> {
        let before = *self;
        self.colours();
        let word = self.while_is(letter);
        let found = Level::from_word(word);
        let is_name = self.peek().is_ascii_alphanumeric() || self.peek() == b'_';
        if found.is_none() || is_name || found >= Some(Level::Error) && is_counted_heading(word, self.rest()) {
            *self = before;
            return None;
        }
        self.colours();
        found
    }

    /// Passes over a level word in brackets, padded and coloured or not, `[INFO ]`, and returns its level.
    pub(super) fn level_in_brackets(&mut self) -> Option<Level> {
        let before = *self;
        self.colours();
        let found = if self.eat(b'[') { self.padded_level() } else { None };
        if found.is_none() || !self.eat(b']') {
            *self = before;
            return None;
        }
        self.colours();
        found
    }

    fn padded_level(&mut self) -> Option<Level> {
        self.blanks();
        let found = self.level();
        self.blanks();
        found
    }

    /// Passes over colours and spaces, in any order.
    pub(super) fn blanks(&mut self) {
        while self.spaces() || self.colours() {}
    }

    /// Returns the span from `start` to here.
    #[must_use]
    pub(super) fn since(&self, start: u32) -> Span {
        Span { start, end: self.at() }
    }

    /// Returns the length of what was passed over, if something there ends the last word; else 0: more of it could follow.
    pub(super) fn header(&self) -> u32 {
        if self.passed().last().is_some_and(|last| !last.is_ascii_alphanumeric()) { self.at() } else { 0 }
    }

    /// The same with the name behind it, or the number and what could follow that, because a reader looks at them too.
    pub(super) fn header_with_name(mut self) -> u32 {
        self.while_is(|byte| b" -|:".contains(&byte));
        self.while_is(|byte| byte.is_ascii_alphanumeric() || b"._$#".contains(&byte));
        let end = self.at + 4;
        if end < self.line.len() && self.peek() != b'\x1b' { u32::try_from(end).unwrap_or(0) } else { 0 }
    }
}

/// Some beginnings of lines. Most lines begin with none of their first bytes, so one look separates those.
#[derive(Debug)]
pub(super) struct Starts {
    all: &'static [&'static [u8]],
    /// A bit for each first byte; all of them are ASCII.
    firsts: u128,
}

impl Starts {
    /// Prepares the beginnings; none is empty.
    pub(super) const fn new(all: &'static [&'static [u8]]) -> Self {
        let (mut firsts, mut index) = (0, 0);
        while index < all.len() {
            firsts |= 1 << all[index][0];
            index += 1;
        }
        Self { all, firsts }
    }

    /// Returns the place in the list of the first beginning that the line has.
    pub(super) fn find(&self, line: &[u8]) -> Option<usize> {
        let first = line.first().filter(|first| first.is_ascii() && self.firsts >> **first & 1 == 1)?;
        self.all.iter().position(|start| start[0] == *first && line.starts_with(start))
    }

    /// Returns whether the line has one of the beginnings.
    pub(super) fn begin(&self, line: &[u8]) -> bool {
        self.find(line).is_some()
    }
}

/// Words of levels that headings begin with, too.
const HEADING_WORDS: [&[u8]; 5] = [b"CRITICAL", b"CRIT", b"ALERT", b"FAIL", b"SEVERE"];

/// Returns whether a header has a word of these, so that perhaps only what stands behind it tells its level from a heading with a
/// count.
#[must_use]
pub(super) fn may_be_heading(header: &[u8]) -> bool {
    header.split(|byte| !byte.is_ascii_uppercase()).any(|word| HEADING_WORDS.contains(&word))
}

/// Returns whether a word in capitals, with this behind it, begins a heading with a count rather than being a level: `ALERT RULES
/// loaded: 5`, `CRITICAL PATH 3 ms`.
#[must_use]
pub(super) fn is_counted_heading(word: &[u8], rest: &[u8]) -> bool {
    let mut scan = Scan::new(rest);
    scan.eat(b' ');
    let next = scan.while_is(|byte| byte.is_ascii_uppercase());
    let is_heading = next.len() > 1 && matches!(scan.peek(), 0 | b' ' | b':');
    let mut last = rest.trim_ascii_end().rsplit(|byte| *byte == b' ').take(2);
    is_heading && HEADING_WORDS.contains(&word) && last.any(is_number)
}

/// Returns whether a word is a number, with signs of any kind in it.
#[must_use]
pub(super) fn is_number(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_digit) && !word.iter().any(u8::is_ascii_alphabetic)
}

/// Returns the value of some digits; at most 9 of them.
#[must_use]
pub(super) fn number(digits: &[u8]) -> u32 {
    digits.iter().take(9).fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_passed_over_if_they_are_whole() {
        let mut scan = Scan::new(b"\x1b[31;1mERROR\x1b[0m x");
        assert!(scan.colours() && scan.letters() == b"ERROR" && scan.colours() && scan.peek() == b' ');
        assert!(!Scan::new(b"\x1b[31").colours());
    }
}
