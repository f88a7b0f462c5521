//! Where in a block a line may state a level of error or above: what every format has in common, looked for in all lines at
//! once.
//!
//! A line that states such a level holds one of a few words, or a letter or number at one of a few places, whatever format it
//! is in. So a line without an alarm states less or nothing, and who only asks for errors need not read it. An alarm says
//! nothing for certain: that line is read. Whoever teaches a format a new way to state an error adds it to [`BUCKETS`] and to
//! [`is_alarm`]; a test over all samples and a fuzz target hold that no line is passed over wrongly.

use super::vector::{self, Hits, Nibbles, WINDOW};
use crate::format::formats::json;
use crate::format::level::Level;
use crate::format::scan::{Scan, number};

/// The front of each alarm, eight times two: what begins so is looked at.
const BUCKETS: [[&[u8]; 3]; vector::PATTERNS] = [
    // Words: error, emergency; fail, fatal, fault; critical; alert, panic; eror; severe; ftl, pnc, after; exception, throwable.
    [b"e", b"r", b"rg"],
    [b"f", b"a", b"itu"],
    [b"c", b"r", b"it"],
    [b"a", b"ln", b"ei"],
    [b"r", b"o", b"r"],
    [b"s", b"e", b"v"],
    [b"fp", b"tn", b"lce"],
    [b"xw", b"ca", b"eb"],
    // The status of a response.
    [b" \"\tm", b"5", b"0123456789"],
    // A member of a JSON object that is a number, has blanks around its colon, or is a string with a number.
    [b"\"", b":", b"0123456789"],
    [b"\"", b": \t\r", b" :\t\r"],
    [b":", b"\"\\", b"0123456789\""],
    // A letter, alone.
    [b"\"=\n [\t", b"ACEF", b"0123456789 \"+-/(,\t\n\r"],
    // The front of a line: a priority, a brace alone, a report; and the end of one: a message in brackets.
    [b"\n \")", b"<{=:", b"0123456789\n\r\\CS"],
    // A place in a script.
    [b"bse", b":", b"0123456789abcdefghijklmnopqrstuvwxyz"],
    // Traceback, uncaught; `\u003c`, as Docker writes the bracket before a priority.
    [b"cn0", b"ec3", b"bac"],
];

static TABLES: Nibbles = Nibbles::new(&BUCKETS);

/// Words, in either case, from where [`BUCKETS`] has them, and what must stand before that; behind them stands no letter.
const WORDS: &[(&[u8], &[u8])] = &[
    (b"", b"err"),
    (b"", b"error"),
    (b"", b"erro"),
    (b"e", b"ror"),
    (b"", b"fail"),
    (b"", b"fatal"),
    (b"", b"fata"),
    (b"", b"crit"),
    (b"", b"critical"),
    (b"", b"crt"),
    (b"", b"alert"),
    (b"p", b"anic"),
    (b"p", b"ani"),
    (b"em", b"erg"),
    (b"em", b"ergency"),
    (b"", b"severe"),
    (b"", b"ftl"),
    (b"", b"pnc"),
];

/// What exceptions are called, and what crashes say, letter by letter, whatever stands behind it.
const PHRASES: &[(&[u8], &[u8])] = &[
    (b"E", b"xception"),
    (b"Unhandled e", b"xception"),
    (b"Thro", b"wable"),
    (b"", b"Failure"),
    (b"", b"Fault"),
    (b"Segmentation ", b"fault"),
    (b"Tra", b"ceback"),
    (b"U", b"ncaught"),
    (b"a", b"fter throwing"),
    (b"p", b"anicked"),
];

/// Returns whether alarms are found faster than lines are read.
#[must_use]
pub(super) fn is_supported() -> bool {
    vector::is_supported()
}

/// The alarms of a block of whole lines, from its front on.
#[derive(Debug)]
pub(super) struct Alarms<'a> {
    block: &'a [u8],
    /// Where the bytes begin that `hits` tells of.
    base: usize,
    /// Where something begins like an alarm that was not looked at yet.
    hits: Hits,
    /// Which of `hits` may have any.
    word: usize,
}

impl<'a> Alarms<'a> {
    /// Begins at the front of a block.
    #[must_use]
    pub(super) fn new(block: &'a [u8]) -> Self {
        Self { block, base: 0, hits: vector::find(&TABLES, block), word: 0 }
    }

    /// Says whether the first line of the block is an alarm by its front, which has no newline before it.
    #[must_use]
    pub(super) fn begins_with_one(&self) -> bool {
        is_front(b'\n', &self.block[..self.block.len().min(FRONT_BYTES)])
    }

    /// Returns a byte of the next line that has an alarm and begins at `from` or behind it; `from` is the front of a line and
    /// does not go back.
    pub(super) fn next(&mut self, from: usize) -> Option<usize> {
        // The newline before a line may begin an alarm.
        self.skip_to(from.saturating_sub(1));
        loop {
            while let Some(hits) = self.hits.get_mut(self.word) {
                if *hits == 0 {
                    self.word += 1;
                    continue;
                }
                let at = self.base + self.word * STEP + hits.trailing_zeros() as usize;
                *hits &= *hits - 1;
                if is_alarm(self.block, at) {
                    return Some(at + 1);
                }
            }
            if self.block.len() - self.base <= WINDOW {
                return None;
            }
            self.search(self.base + WINDOW);
        }
    }

    fn skip_to(&mut self, at: usize) {
        if at >= self.base + WINDOW {
            self.search(at);
        }
        let word = at.saturating_sub(self.base) / STEP;
        if word >= self.word && at > self.base {
            self.word = word;
            self.hits[word] &= u32::MAX << ((at - self.base) % STEP);
        }
    }

    fn search(&mut self, from: usize) {
        (self.base, self.word) = (from, 0);
        self.hits = vector::find(&TABLES, &self.block[from..]);
    }
}

/// How many bytes one word of hits tells of.
const STEP: usize = u32::BITS as usize;

/// How much of a line decides whether its front is an alarm, in bytes.
const FRONT_BYTES: usize = 16;

/// Looks at what one of [`BUCKETS`] found.
fn is_alarm(block: &[u8], at: usize) -> bool {
    let (before, found) = block.split_at(at);
    if found[0] == b'"' && found[1] == b':' && found[2].is_ascii_digit() {
        // Most objects have numbers, and most numbers are no level.
        return is_error_number(&found[2..]) && is_key(before);
    }
    match found[0] | 0x20 {
        b'm' if found[1] == b'5' => is_status(&block[..=at], &found[1..]),
        b'c' | b'0' if found[1] == b'3' => is_escaped_priority(before, found),
        b's' | b'e' | b'b' if found[1] == b':' => is_place(before, found),
        b'a'..=b'z' if found[0].is_ascii_alphabetic() => is_word(before, found),
        _ => match (found[0], found[1]) {
            (b' ' | b'\t' | b'"', b'5') => is_status(&block[..=at], &found[1..]),
            (b'"', b':' | b' ' | b'\t' | b'\r') => states_number(before, found),
            (b':', b'"' | b'\\') => states_quoted(before, found),
            (b')', _) => found[1] == b':' && matches!(found[2], b'\n' | b'\r' | b'\\'),
            (first, _) => is_front(first, &found[1..]) || is_letter(before, found),
        },
    }
}

fn is_word(before: &[u8], found: &[u8]) -> bool {
    let is_there = |text: &[u8], word: &[u8]| text.eq_ignore_ascii_case(word);
    let is_word = |(front, word): &(&[u8], &[u8])| {
        found.get(..word.len()).is_some_and(|text| is_there(text, word))
            && !found.get(word.len()).is_some_and(u8::is_ascii_alphabetic)
            && before.len() >= front.len()
            && is_there(&before[before.len() - front.len()..], front)
    };
    WORDS.iter().any(is_word)
        || PHRASES.iter().any(|(front, phrase)| found.starts_with(phrase) && before.ends_with(front))
}

/// Says whether three digits that begin with a 5 may be the status of a response: behind a request in quotes, a word, a bar, or
/// something with slashes; colours may be around them.
fn is_status(before: &[u8], digits: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let word = || before.rsplit(|byte| matches!(byte, b' ' | b'\t' | b'\n')).next().unwrap_or_default();
    digits.get(1..3).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
        && match before.last() {
            Some(b'"' | b'|' | b'm') => true,
            Some(b'd') => before.ends_with(b"Completed"),
            Some(_) => word().contains(&b'/'),
            None => false,
        }
}

/// Says whether the quote that `found` begins with ends a key that may state a level by what stands behind it.
fn states_number(before: &[u8], found: &[u8]) -> bool {
    let value = found[1..].trim_ascii_start().strip_prefix(b":");
    value.is_some_and(|value| is_error_value(value.trim_ascii_start())) && is_key(before)
}

/// Says whether the colon that `found` begins with stands between such a key and a string.
fn states_quoted(before: &[u8], found: &[u8]) -> bool {
    let key = before.trim_ascii_end();
    is_error_value(&found[1..]) && key.strip_suffix(b"\"").is_some_and(is_key)
}

/// Says whether a value, of an object that is perhaps within a string itself, may be an error's number or letter.
fn is_error_value(text: &[u8]) -> bool {
    let unescaped = text.strip_prefix(b"\\").unwrap_or(text);
    match unescaped.strip_prefix(b"\"") {
        Some([b'A' | b'C' | b'E' | b'F', ..]) => true,
        Some(inside) => is_error_number(inside),
        None => is_error_number(text),
    }
}

/// Says whether a number is an error's, by any of the scales that there are.
fn is_error_number(text: &[u8]) -> bool {
    // Most numbers are times and counts.
    let is_long = text.get(json::LEVEL_DIGITS_MAX).is_some_and(u8::is_ascii_digit);
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    let value = |digits: std::iter::Take<_>| digits.fold(0, |value, byte: &u8| value * 10 + u32::from(byte - b'0'));
    text.first().is_some_and(u8::is_ascii_digit)
        && !(is_long && text[..json::LEVEL_DIGITS_MAX].iter().all(u8::is_ascii_digit))
        && matches!(value(digits.take(json::LEVEL_DIGITS_MAX)), 0..=3 | 17..=24 | 50..=69 | 400 | 500..=899)
}

/// Says whether what stands before a quote ends with a key that states a level.
fn is_key(before: &[u8]) -> bool {
    let before = before.strip_suffix(b"\\").unwrap_or(before);
    let front = &before[before.len().saturating_sub(KEY_BYTES_MAX)..];
    memchr::memrchr(b'"', front).is_some_and(|quote| json::states_level(&front[quote + 1..]))
}

/// No key that states a level is longer, its opening quote included.
const KEY_BYTES_MAX: usize = 20;

/// Says whether a line that begins with `rest`, behind a newline, or what a container runtime wrote before it, begins as an
/// error may.
fn is_front(before: u8, rest: &[u8]) -> bool {
    let next = rest.get(1).copied().unwrap_or(b'\n');
    if !matches!(before, b'\n' | b' ' | b'"') {
        return false;
    }
    match rest.first() {
        Some(b'<') => priority(&rest[1..]).is_some_and(|priority| Level::from_syslog(priority) >= Level::Error),
        Some(b'{') => before == b'\n' && matches!(next, b'\n' | b'\r'),
        Some(b'=') => rest.starts_with(b"=CRASH") || rest.starts_with(b"=SUPERVISOR"),
        Some(b'A' | b'C' | b'E' | b'F') => next.is_ascii_digit() || matches!(next, b'/' | b'(' | b','),
        _ => false,
    }
}

fn priority(text: &[u8]) -> Option<u64> {
    let digits = Scan::new(text).digits(1, 3)?;
    matches!(text.get(digits.len()), Some(b'>' | b'\\')).then(|| u64::from(number(digits)))
}

/// Says whether it is `\u003c3\u003e`, the priority of an error.
fn is_escaped_priority(before: &[u8], found: &[u8]) -> bool {
    let is_bracket = before.ends_with(b"\\u0") && found[..3].eq_ignore_ascii_case(b"03c");
    is_bracket && priority(&found[3..]).is_some_and(|priority| Level::from_syslog(priority) >= Level::Error)
}

/// Says whether a letter, behind the byte that `found` begins with, may be a level: in quotes, behind a key or a bracket, or
/// behind numbers, as a process or a time.
fn is_letter(before: &[u8], found: &[u8]) -> bool {
    if !matches!(found[1], b'A' | b'C' | b'E' | b'F') {
        return false;
    }
    match found[0] {
        b'"' | b'=' => true,
        b'[' => found[2] == b' ',
        b' ' | b'\t' => {
            let word = before.trim_ascii_end();
            word.last().is_some_and(|last| last.is_ascii_digit() || *last == b'Z')
        }
        _ => false,
    }
}

/// Says whether it may be the place at which a script ended: `/app/index.js:3`, `node:events:497`, `app.rb:3:in`.
fn is_place(before: &[u8], found: &[u8]) -> bool {
    match found[0] {
        b's' => matches!(before.last(), Some(b'j' | b't')) && found[2].is_ascii_digit(),
        b'b' => before.last() == Some(&b'r') && found[2].is_ascii_digit(),
        b'e' => before.ends_with(b"nod"),
        _ => false,
    }
}
