//! Headers that were read lately: the next line mostly has one of them, but for the digits of its time.
//!
//! Where a format is read from its header alone, two lines whose headers differ in nothing but digits are read alike. So a
//! header that is here need not be taken apart again, which is what reading a line costs. There is one list for all files:
//! what a header says does not depend on whose it is.
//!
//! A digit stands for any other, but in a time: one that cannot be, such as in a thirteenth month, is none, so the digits of a
//! time are looked at again.

use std::cell::{Cell, RefCell};

use crate::format::catalog::FormatId;
use crate::format::dates::{is_usual_date_time, pair};
use crate::format::head::{Head, Span};
use crate::format::scan::Scan;

/// How long a header may be, in bytes: time, level, thread and logger.
const HEADER_BYTES_MAX: usize = 64;

const WORDS: usize = HEADER_BYTES_MAX / 8;

/// How many headers are kept: the levels of a few files.
const HEADERS: usize = 16;

/// A header, and what it says.
#[derive(Debug, Clone, Copy)]
struct KeptHeader {
    /// Its bytes, each digit as `0`, eight to a word; 0 behind its end.
    words: [u64; WORDS],
    /// How many words count, and which bytes of the last.
    count: usize,
    last_mask: u64,
    bytes: usize,
    digits: TimeDigits,
    head: Head,
}

/// What must be so of the digits of a header's time.
#[derive(Debug, Clone, Copy)]
enum TimeDigits {
    /// Nothing: it is a number, or where it stands is not asked.
    Any,
    /// It begins with a date and a time of day as most do: `2026-01-05 10:00:00`.
    Usual,
    /// It is a time in some other shape.
    Time,
    /// They are these; without a time, all digits of the header: others could be one.
    These([u8; HEADER_BYTES_MAX]),
}

impl TimeDigits {
    /// Returns what must be so, where this is a time that a reader has passed over.
    fn of(header: &[u8], time: &[u8]) -> Self {
        let is_unasked = time.is_empty() && (header.starts_with(b"{") || !header.iter().any(u8::is_ascii_digit));
        let time = if time.is_empty() { header } else { time };
        if is_unasked || time.iter().all(u8::is_ascii_digit) {
            Self::Any
        } else if time.len() < header.len() && Scan::new(time).usual_date_time() {
            Self::Usual
        } else if time.len() < header.len() && is_time(time) {
            Self::Time
        } else {
            let mut these = [0; HEADER_BYTES_MAX];
            these[..time.len()].copy_from_slice(time);
            Self::These(these)
        }
    }

    /// Returns whether it is so of a time that differs in nothing but digits.
    fn are_right(&self, time: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Usual => time.first_chunk().is_some_and(is_usual_date_time),
            Self::Time => is_time(time),
            Self::These(these) => these.starts_with(time),
        }
    }
}

/// Returns whether all of a text is a time.
fn is_time(text: &[u8]) -> bool {
    let mut scan = Scan::new(text);
    // klog's date has neither a year nor a sign.
    if text.get(4) == Some(&b' ') && scan.digits(4, 4).is_some() && pair(text, 0) <= 12 && pair(text, 2) <= 31 {
        scan.spaces();
    } else {
        scan = Scan::new(text);
    }
    // No date begins as a time of day does.
    (scan.clock() || scan.date_time().is_some()) && scan.is_end()
}

/// The list; the oldest header gives way to a new one.
#[derive(Debug)]
pub struct Headers {
    kept_max: usize,
    kept: RefCell<Vec<(FormatId, KeptHeader)>>,
    next: Cell<usize>,
    /// Of which formats there are any: a bit each.
    formats: Cell<u64>,
    /// With which bytes they begin: a bit for four bytes together.
    firsts: Cell<u64>,
    /// Where one was found last.
    last: Cell<usize>,
}

impl Default for Headers {
    fn default() -> Self {
        Self::with_room_for(HEADERS)
    }
}

impl Headers {
    /// Keeps so many headers. With none, every line is read for itself.
    #[must_use]
    pub fn with_room_for(kept_max: usize) -> Self {
        let (kept, next, formats, firsts, last) = Default::default();
        Self { kept_max, kept, next, formats, firsts, last }
    }

    /// Returns what the line's header says in this format, if it was read lately.
    pub(crate) fn find(&self, format: FormatId, line: &[u8]) -> Option<Head> {
        let is_possible = self.formats.get() >> (format.index() & 63) & self.firsts.get() >> first(line) & 1 == 1;
        if !is_possible {
            return None;
        }
        let kept = self.kept.borrow();
        let mut front = MaskedFront { line, words: [0; WORDS], count: 0 };
        let mut index = self.last.get();
        for _ in 0..kept.len() {
            let (of, header) = &kept[index];
            if *of == format && front.begins_with(header) && header.is_of(line) {
                self.last.set(index);
                return Some(header.head);
            }
            index = if index + 1 < kept.len() { index + 1 } else { 0 };
        }
        None
    }

    /// Remembers what a line's header of so many bytes says.
    pub(crate) fn remember(&self, format: FormatId, line: &[u8], bytes: usize, head: Head) {
        if bytes == 0 || bytes > HEADER_BYTES_MAX || bytes > line.len() || self.kept_max == 0 {
            return;
        }
        let mut front = MaskedFront { line: &line[..bytes], words: [0; WORDS], count: 0 };
        let count = bytes.div_ceil(8);
        front.read(count);
        let last_mask = u64::MAX >> (8 * (count * 8 - bytes));
        let time = head.time.of(line);
        // Whether an escape sequence is whole is seen behind the header.
        if head.time.end as usize > bytes || line[..bytes].ends_with(b"\x1b") {
            return;
        }
        let header = KeptHeader {
            words: front.words,
            count,
            last_mask,
            bytes,
            digits: TimeDigits::of(&line[..bytes], time),
            head,
        };
        self.formats.set(self.formats.get() | 1 << (format.index() & 63));
        self.firsts.set(self.firsts.get() | 1 << first(line));
        let mut kept = self.kept.borrow_mut();
        let is_same = |(of, other): &&mut (FormatId, KeptHeader)| {
            *of == format && (other.bytes, other.words) == (bytes, header.words)
        };
        if let Some((_, same)) = kept.iter_mut().find(is_same) {
            *same = header;
        } else if kept.len() < self.kept_max {
            kept.push((format, header));
        } else {
            kept[self.next.get()] = (format, header);
            self.next.set((self.next.get() + 1) % self.kept_max);
        }
    }
}

impl KeptHeader {
    /// Returns whether a line that begins with this header, but for its digits, says the same.
    fn is_of(&self, line: &[u8]) -> bool {
        let Span { start, end } = self.head.time;
        let time = if start == end { &line[..self.bytes] } else { self.head.time.of(line) };
        // What stands between header and message is longer here.
        let is_longer = self.head.message as usize == self.bytes && line.get(self.bytes).is_some_and(is_separator);
        !is_longer && self.digits.are_right(time)
    }
}

/// Returns whether a reader passes over the byte behind a header, up to the message.
fn is_separator(byte: &u8) -> bool {
    matches!(byte, b' ' | b'-' | b'|' | b':' | b'\t' | b'\x1b')
}

/// Returns the bit of a line's first byte; all digits have the same.
fn first(line: &[u8]) -> u8 {
    let first = line.first().copied().unwrap_or(0);
    if first.is_ascii_digit() { b'0' & 63 } else { first & 63 }
}

/// The front of a line, its digits as `0`, as far as it was asked for.
struct MaskedFront<'a> {
    line: &'a [u8],
    words: [u64; WORDS],
    count: usize,
}

impl MaskedFront<'_> {
    fn begins_with(&mut self, header: &KeptHeader) -> bool {
        let KeptHeader { words, count, last_mask, .. } = header;
        self.read(*count);
        // What differs stands behind the time.
        let last = count - 1;
        self.words[last] & last_mask == words[last] && self.words[..last] == words[..last]
    }

    fn read(&mut self, count: usize) {
        while self.count < count {
            let rest = self.line.get(8 * self.count..).unwrap_or_default();
            let word = match rest.first_chunk::<8>() {
                Some(bytes) => u64::from_le_bytes(*bytes),
                None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
            };
            self.words[self.count] = without_digits(word);
            self.count += 1;
        }
    }
}

/// Returns the eight bytes with each digit as `0`.
fn without_digits(word: u64) -> u64 {
    const ALL: u64 = u64::MAX / 255;
    // A digit less its upper half is at most 9: with 0x76 added the highest bit stays clear. What is not ASCII has it set.
    let less = word ^ (ALL * 0x30);
    let other = (((less & (ALL * 0x7f)) + ALL * 0x76) | less) & (ALL * 0x80);
    let digits = ((other ^ (ALL * 0x80)) >> 7) * 0xff;
    (word & !digits) | ((ALL * 0x30) & digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::level::Level;

    #[test]
    fn digits_become_zero_and_nothing_else_changes() {
        for byte in 0..=255_u8 {
            let expected = if byte.is_ascii_digit() { b'0' } else { byte };
            for at in 0..8 {
                let mut bytes = *b"a9z\xff\0:/0";
                bytes[at] = byte;
                let mut wanted = bytes.map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
                wanted[at] = expected;
                assert_eq!(without_digits(u64::from_le_bytes(bytes)).to_le_bytes(), wanted);
            }
        }
    }

    #[test]
    fn a_header_is_known_again_whatever_its_digits_are() {
        let (headers, format) = (Headers::default(), FormatId::PLAIN);
        let time = Span { start: 0, end: 8 };
        let head = Head { level: Some(Level::Info), time, message: 15, ..Head::default() };
        headers.remember(format, b"10:00:00 INFO  started", 15, head);
        let check = |line: &str, is_known: bool| {
            assert_eq!(headers.find(format, line.as_bytes()).is_some(), is_known, "{line:?}");
        };
        check("10:00:00 INFO  started", true);
        check("23:59:59 INFO  ", true);
        check("23:59:59 INFO  \u{e9}", true);
        check("23:59:59 INFO ", false);
        check("24:59:59 INFO  x", false);
        check("23:60:59 INFO  x", false);
        check("23:59:59 INFO   x", false);
        check("23:59:59 WARN  x", false);
        check("23:59:5x INFO  x", false);
        check("", false);
        assert_eq!(headers.find(FormatId::at(0), b"10:00:00 INFO  started"), None);
    }

    #[test]
    fn the_oldest_header_gives_way() {
        let (headers, format) = (Headers::default(), FormatId::PLAIN);
        let lines: Vec<String> = (0..=HEADERS).map(|number| format!("{} x", "a".repeat(number + 1))).collect();
        for line in &lines {
            headers.remember(format, line.as_bytes(), line.len() - 1, Head::default());
        }
        let known = lines.iter().filter(|line| headers.find(format, line.as_bytes()).is_some()).count();
        assert_eq!(known, HEADERS);
        headers.remember(format, &[b'x'; 100], 65, Head::default());
        assert_eq!(headers.find(format, &[b'x'; 100]), None, "too long to be kept");
    }
}
