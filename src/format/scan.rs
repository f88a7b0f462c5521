//! A line, read from its front: the small pieces that headers of log lines are made of.
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

    /// Returns the next byte; 0 at the end.
    #[must_use]
    pub(super) fn peek(&self) -> u8 {
        self.line.get(self.at).copied().unwrap_or(0)
    }

    /// Says whether nothing follows.
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
    pub(super) fn while_is(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
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
    #[inline(never)]
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
        let found = Level::from_word(self.while_is(letter));
        if found.is_none() || self.peek().is_ascii_alphanumeric() || self.peek() == b'_' {
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

    /// Passes over a date with a time of day in brackets, and returns where it stands within them.
    pub(super) fn date_time_in_brackets(&mut self) -> Option<Span> {
        let before = *self;
        let found = if self.eat(b'[') { self.date_time() } else { None };
        if found.is_none() || !self.eat(b']') {
            *self = before;
            return None;
        }
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

    /// Passes over the time of access logs, `05/Jan/2026:10:00:00 +0000`, if it looks like one.
    pub(super) fn log_time(&mut self) -> Option<Span> {
        let text = self.rest().first_chunk::<26>()?;
        let marks = [text[2], text[6], text[11], text[14], text[17], text[20]];
        let start = self.at();
        (&marks == b"//::: " && matches!(text[21], b'+' | b'-')).then(|| {
            self.at += text.len();
            self.since(start)
        })
    }

    /// Passes over a date with a time of day, in any of the shapes that logs use, with its fraction and zone, and returns
    /// where it stands:
    ///
    /// - `2026-01-05T10:00:00.123Z`, `2026-01-05 10:00:00,123 +0100`, `2026/01/05 10:00:00`, `2026.01.05 10:00:00`
    /// - `05/Jan/2026:10:00:00 +0000`, `05-Jan-2026 10:00:00.123`, `05 Jan 2026 10:00:00.123`, `05.01.2026 10:00:00`
    /// - `Jan  5 10:00:00`, `Jan 05, 2026 10:00:00 AM`
    /// - `Mon Jan  5 10:00:00.123456 2026`, `Mon Jan  5 10:00:00 UTC 2026`
    pub(super) fn date_time(&mut self) -> Option<Span> {
        let before = *self;
        let start = self.at();
        let found = match self.peek() {
            byte if byte.is_ascii_digit() => {
                self.usual_date_time()
                    || may_be_time(self.rest()) && self.date_of_numbers() && self.separator() && self.clock()
            }
            byte if byte.is_ascii_uppercase() => self.date_of_words(),
            _ => false,
        };
        if !found {
            *self = before;
            return None;
        }
        Some(self.since(start))
    }

    /// Passes over the shape that most lines begin with, all at once: `2026-01-05 10:00:00`, with a fraction and a zone; a
    /// date like this is what [`Self::date_time`] passes over too.
    pub(super) fn usual_date_time(&mut self) -> bool {
        let Some(text) = self.rest().first_chunk::<19>() else { return false };
        let marks = [text[4], text[7], text[13], text[16]];
        let has_marks = matches!(&marks, b"--::" | b"//::") && matches!(text[10], b' ' | b'T');
        let pair = |at: usize| pair(text, at);
        let is_date = has_marks && pair(0) <= 99 && pair(2) <= 99 && pair(5) <= 12 && pair(8) <= 31;
        let is_time = is_date && pair(11) <= 23 && pair(14) <= 59 && pair(17) <= 60;
        if is_time {
            self.at += text.len();
            self.fraction();
            self.zone();
        }
        is_time
    }

    /// Passes over a time of day, `10:00:00`, with a fraction of a second and a zone, and says whether there was one.
    pub(super) fn clock(&mut self) -> bool {
        self.clock_with_hour(2)
    }

    fn clock_with_hour(&mut self, digits_min: usize) -> bool {
        let before = *self;
        let whole = self.digits(digits_min, 2).is_some_and(|hour| number(hour) <= 23)
            && self.eat(b':')
            && self.number_up_to(2, 59)
            && self.eat(b':')
            && self.number_up_to(2, 60);
        if !whole {
            *self = before;
            return false;
        }
        self.fraction();
        self.zone();
        true
    }

    fn fraction(&mut self) {
        let before = *self;
        let is_fraction = (self.eat(b'.') || self.eat(b',')) && self.digits(1, 9).is_some();
        if !is_fraction {
            *self = before;
        }
    }

    /// Passes over a zone: `Z`, `+01:00`, `+0100`, with a space before it or not, ` UTC`, ` GMT`, ` CET`, ` AM`.
    fn zone(&mut self) {
        if self.eat(b'Z') {
            return;
        }
        let before = *self;
        self.eat(b' ');
        // Most often it is a level's word that stands here.
        if !matches!(self.peek(), b'+' | b'-' | b'U' | b'G' | b'Z' | b'A' | b'P' | b'C' | b'E' | b'M') {
            *self = before;
            return;
        }
        if self.eat(b'+') || self.eat(b'-') {
            let is_offset = self.digits(2, 2).is_some() && {
                self.eat(b':');
                self.digits(2, 2).is_some()
            };
            if is_offset && !self.peek().is_ascii_digit() {
                return;
            }
        } else {
            let names =
                [&b"UTC"[..], b"GMT", b"Z", b"AM", b"PM", b"CET", b"CEST", b"EST", b"EDT", b"PST", b"PDT", b"MSK"];
            let word = self.letters();
            if word.len() <= 4 && names.contains(&word) {
                return;
            }
        }
        *self = before;
    }

    fn separator(&mut self) -> bool {
        self.eat(b'T') || self.eat(b':') || (self.eat(b',') && self.spaces()) || self.spaces()
    }

    fn number_up_to(&mut self, digits: usize, max: u32) -> bool {
        self.digits(digits, digits).is_some_and(|text| number(text) <= max)
    }

    /// `2026-01-05`, `05/Jan/2026`, `05-Jan-2026`, `05 Jan 2026`, `05.01.2026`.
    fn date_of_numbers(&mut self) -> bool {
        let before = *self;
        if self.digits(4, 4).is_some() {
            let separator = self.peek();
            return matches!(separator, b'-' | b'/' | b'.')
                && self.eat(separator)
                && self.number_up_to(2, 12)
                && self.eat(separator)
                && self.number_up_to(2, 31);
        }
        *self = before;
        if self.digits(1, 2).is_none_or(|text| number(text) > 31) {
            return false;
        }
        let separator = self.peek();
        matches!(separator, b'-' | b'/' | b'.' | b' ')
            && self.eat(separator)
            && (self.month() || self.number_up_to(2, 31))
            && self.eat(separator)
            && self.digits(4, 4).is_some()
    }

    /// `Jan  5 10:00:00`, `Jan 05, 2026 10:00:00 AM`, `Mon Jan  5 10:00:00 2026`.
    fn date_of_words(&mut self) -> bool {
        let has_weekday = self.weekday();
        if has_weekday {
            self.eat(b',');
            self.spaces();
        }
        if !self.month() || !self.spaces() || self.digits(1, 2).is_none_or(|text| number(text) > 31) {
            return false;
        }
        let has_comma = self.eat(b',');
        if !self.spaces() {
            return false;
        }
        if has_comma && !(self.digits(4, 4).is_some() && self.spaces()) {
            return false;
        }
        // Java writes the hour of a half day, `9:05:03 AM`, without a zero before it.
        let is_clock = self.clock_with_hour(if has_comma { 1 } else { 2 });
        let before = *self;
        // The year of ctime(3) stands last.
        if !(self.eat(b' ') && self.digits(4, 4).is_some_and(|year| year[0] == b'1' || year[0] == b'2'))
            || self.peek().is_ascii_alphanumeric()
            || !has_weekday
        {
            *self = before;
        }
        is_clock
    }

    /// Passes over the name of a month, `Jan`.
    pub(super) fn month(&mut self) -> bool {
        self.one_of(b"JanFebMarAprMayJunJulAugSepOctNovDec")
    }

    fn weekday(&mut self) -> bool {
        self.one_of(b"MonTueWedThuFriSatSun")
    }

    fn one_of(&mut self, names: &[u8]) -> bool {
        let Some(name) = self.rest().first_chunk::<3>() else { return false };
        let is_name = name[0].is_ascii_uppercase()
            && names.chunks_exact(3).any(|one| (one[0], one[1], one[2]) == (name[0], name[1], name[2]));
        self.at += if is_name { 3 } else { 0 };
        is_name
    }
}

/// Some beginnings of lines. Most lines begin with none of their first bytes, so one look tells those apart.
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
        let is_possible = line.first().is_some_and(|first| first.is_ascii() && self.firsts >> first & 1 == 1);
        if is_possible { self.all.iter().position(|start| line.starts_with(start)) } else { None }
    }

    /// Says whether the line has one of the beginnings.
    pub(super) fn begin(&self, line: &[u8]) -> bool {
        self.find(line).is_some()
    }
}

/// Says whether the digits at the front and what follows them may begin a date or a time of day; most numbers do not.
pub(super) fn may_be_time(line: &[u8]) -> bool {
    let digits = line.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let behind = line.get(digits).copied().unwrap_or(0);
    let next = line.get(digits + 1).copied().unwrap_or(0);
    let is_followed = next.is_ascii_digit() || !matches!(behind, b'.' | b':') && next.is_ascii_uppercase();
    matches!(digits, 1 | 2 | 4) && matches!(behind, b'-' | b'/' | b'.' | b' ' | b':') && is_followed
}

/// Returns the value of the two digits at a place; a number beyond 99 if one of them is none.
#[must_use]
pub(super) fn pair(text: &[u8], at: usize) -> u8 {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    if tens > 9 || ones > 9 { u8::MAX } else { tens * 10 + ones }
}

/// Returns the value of some digits; at most 9 of them.
#[must_use]
pub(super) fn number(digits: &[u8]) -> u32 {
    digits.iter().take(9).fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `line` begins with a time up to the `|`.
    fn check(line: &str) {
        let end = line.find('|').expect("a mark");
        let line = line.replace('|', "");
        let found = Scan::new(line.as_bytes()).date_time();
        let expected = (end > 0).then(|| Span { start: 0, end: u32::try_from(end).expect("short") });
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn times_of_many_shapes_are_known() {
        for line in [
            "2026-01-05T10:00:00Z| x",
            "2026-01-05T10:00:00.123456789Z| x",
            "2026-01-05 10:00:00,123| INFO",
            "2026-01-05 10:00:00.123 +0100| INFO",
            "2026-01-05T10:00:00+01:00| INFO",
            "2026-01-05 10:00:00.123 UTC| [12] LOG",
            "2026-01-05 10:00:00| -1 retries",
            "2026/01/05 10:00:00| [error]",
            "05/Jan/2026:10:00:00 +0000|] \"GET",
            "05-Jan-2026 10:00:00.123| INFO",
            "05 Jan 2026 10:00:00.123| * Ready",
            "5.01.2026 10:00:00| x",
            "Jan  5 10:00:00| host",
            "Jan 05, 2026 10:00:00 AM| java",
            "Jan 05, 2026 9:00:00 PM| java",
            "Mon Jan  5 10:00:00.123456 2026|] [core:error]",
            "Mon Jan  5 10:00:00 UTC 2026| INFO",
        ] {
            check(line);
        }
    }

    #[test]
    fn what_is_no_time_is_left_alone() {
        for line in ["|2026-01-05", "|2026-13-05 10:00:00", "|10.0.0.1 - -", "|Jane 5 10:00:00", "|", "|12 monkeys"] {
            check(line);
        }
        let mut scan = Scan::new(b"\x1b[31;1mERROR\x1b[0m x");
        assert!(scan.colours() && scan.letters() == b"ERROR" && scan.colours() && scan.peek() == b' ');
        assert!(!Scan::new(b"\x1b[31").colours());
    }
}
