//! Where in a block a line may state a level of error or above: what every format has in common, looked for in all lines at
//! once.
//!
//! A line that states such a level holds one of a few words, or a letter or number at one of a few places, whatever format it
//! is in. So a line without an alarm states less or nothing, and who only asks for errors need not read it. An alarm says
//! nothing for certain: that line is read. The words are those of the levels and of the formats' blocks, the places are here; a
//! test over all samples and a fuzz target hold that no line is passed over wrongly.

use super::vector::{self, ByteClass, Hits, Nibbles, WINDOW, share};
use crate::format::block::Alarm;
use crate::format::catalog::FORMATS;
use crate::format::continuation::{CRASHES, ERRORS};
use crate::format::formats::json;
use crate::format::in_brackets;
use crate::format::level::Level;
use crate::format::scan::{Scan, number};

/// What is looked at, eight times two: three bytes that may be part of an alarm. A word that has none of these is added where
/// that makes the fewest other bytes look like one. What is found costs more than what is searched, so no class has a byte whose
/// halves make many others of it: a bar beside capitals would make small letters of the alphabet's end.
const PATTERNS: [[&[u8]; 3]; vector::PATTERNS] = [
    // Words: error, emerg(ency), eror; fail, fatal, fault, frames; critical; alert, panic; severe; ftl, pnc, after; exception,
    // throwable, available; and what few lines have: signal, DOWN, HARAKIRI.
    [b"e", b"r", b"rgo"],
    [b"f", b"ar", b"itua"],
    [b"c", b"r", b"it"],
    [b"a", b"ln", b"ei"],
    [b"sok", b"iw", b"gnr"],
    [b"s", b"e", b"v"],
    [b"fp", b"tn", b"lce"],
    [b"xwl", b"ca", b"eb"],
    // The status of a response.
    [b" \"\tm", b"5", b"0123456789"],
    // A member of a JSON object that is a number, has blanks around its colon, or is a string with a number; Ceph's priority.
    [b"\" ", b":-", b"0123456789"],
    [b"\"", b": \t\r", b" :\t\r"],
    [b":", b"\"\\", b"0123456789\""],
    // A letter, alone, in this case; `SC` of HAProxy, `AMQ` of IBM, reports of RabbitMQ.
    [b"\"=\n [\t(", b"ACEFS", b"0123456789 \"+-/(,\t\n\r!>])CMRU"],
    // The front of a line: a priority, a brace alone, Oracle's numbers; the end of one: a message in brackets.
    [b"\n \")", b"<{:O", b"0123456789\n\r\\R"],
    // A place in a script.
    [b"bse", b":", b"0123456789abcdefghijklmnopqrstuvwxyz"],
    // Traceback, uncaught; `\u003c`, as Docker writes the bracket before a priority.
    [b"cn0", b"ec3", b"bac"],
];

/// Which of them is about letters.
const LETTER_PATTERN: usize = 12;

/// Which of them is about the front of a line.
const FRONT_PATTERN: usize = 13;

type Patterns = [[ByteClass; 3]; vector::PATTERNS];

/// [`PATTERNS`], with what the texts below have none of.
const WIDENED: Patterns = widened();

static TABLES: Nibbles = Nibbles::new(&WIDENED);

/// With which bytes something begins that is looked for; a pattern has what combines the halves of two of them, too.
static FIRSTS: [bool; 256] = {
    let (mut firsts, mut byte) = ([false; 256], 0);
    while byte < 128 {
        let mut index = 0;
        while index < vector::PATTERNS {
            let [first, ..] = &WIDENED[index];
            firsts[byte as usize] |= first.has(byte);
            index += 1;
        }
        byte += 1;
    }
    firsts
};

/// A text that is an alarm, with the place of three bytes in it that are looked for.
#[derive(Debug, Clone, Copy)]
struct AlarmText {
    text: &'static [u8],
    at: usize,
    /// Those three bytes, as [`packed`] has them.
    there: u32,
    /// In either case, and no letter stands behind it; else letter by letter, whatever stands behind.
    is_word: bool,
}

/// All of them: the words of levels, what exceptions are called, and what the blocks of the formats say.
static TEXTS: [AlarmText; texts().1] = found(texts().0, &WIDENED);

/// What is an alarm at the front of a line.
static FRONTS: [AlarmText; TEXTS_MAX] = texts().2;

/// With which bytes those begin.
static FRONT_FIRSTS: ByteClass = {
    let (mut firsts, mut index) = (ByteClass::NONE, 0);
    while !FRONTS[index].text.is_empty() {
        firsts = firsts.with(FRONTS[index].text[0]);
        index += 1;
    }
    firsts
};

/// At least as many as there are; more are refused when the program is compiled.
const TEXTS_MAX: usize = 96;

/// Returns all texts, how many they are, and the fronts, which end with an empty one.
const fn texts() -> ([AlarmText; TEXTS_MAX], usize, [AlarmText; TEXTS_MAX]) {
    const NONE: AlarmText = AlarmText { text: b"", at: 0, there: 0, is_word: false };
    let (mut all, mut count) = ([NONE; TEXTS_MAX], 0);
    let (mut fronts, mut front_count) = ([NONE; TEXTS_MAX], 0);
    let mut index = 0;
    while index < Level::ERROR_WORDS.len() {
        all[count] = AlarmText { text: Level::ERROR_WORDS[index], is_word: true, ..NONE };
        (count, index) = (count + 1, index + 1);
    }
    index = 0;
    while index < ERRORS.len() {
        all[count] = AlarmText { text: ERRORS[index], ..NONE };
        (count, index) = (count + 1, index + 1);
    }
    index = 0;
    while index < CRASHES.len() {
        if let Some(Level::Error | Level::Critical | Level::Fatal) = CRASHES[index].level {
            all[count] = AlarmText { text: CRASHES[index].phrase, ..NONE };
            count += 1;
        }
        index += 1;
    }
    let mut format = 0;
    while format < FORMATS.len() {
        index = 0;
        while index < FORMATS[format].grave.len() {
            all[count] = AlarmText { text: FORMATS[format].grave[index], ..NONE };
            (count, index) = (count + 1, index + 1);
        }
        index = 0;
        while index < FORMATS[format].alarms.len() {
            match FORMATS[format].alarms[index] {
                Alarm::Word(text) | Alarm::Phrase(text) => {
                    let is_word = matches!(FORMATS[format].alarms[index], Alarm::Word(_));
                    all[count] = AlarmText { text, is_word, ..NONE };
                    count += 1;
                }
                Alarm::Front(text) => {
                    fronts[front_count] = AlarmText { text, ..NONE };
                    front_count += 1;
                }
            }
            index += 1;
        }
        format += 1;
    }
    (all, count, fronts)
}

const fn widened() -> Patterns {
    let mut patterns = [[ByteClass::NONE; 3]; vector::PATTERNS];
    let mut index = 0;
    while index < vector::PATTERNS {
        let ([first, second, third], exact) = (PATTERNS[index], index == LETTER_PATTERN || index == FRONT_PATTERN);
        patterns[index] = [ByteClass::of(first, exact), ByteClass::of(second, exact), ByteClass::of(third, exact)];
        index += 1;
    }
    let (all, count, fronts) = texts();
    index = 0;
    while index < count {
        patterns = with(patterns, all[index].text);
        index += 1;
    }
    index = 0;
    while !fronts[index].text.is_empty() {
        // A newline stands before it, or what a container runtime wrote.
        let [first, second, third, ..] = fronts[index].text else { panic!("a front has three bytes at least") };
        let [before, one, other] = patterns[FRONT_PATTERN];
        let [at_front, letter, behind] = patterns[LETTER_PATTERN];
        let is_first = at_front.has(*first) && letter.has(*second) && behind.has(*third);
        let is_letter = is_first || letter.has(*first) && behind.has(*second);
        let is_possible = is_letter || (one.has(*first) && other.has(*second));
        if !is_possible && first.is_ascii_uppercase() {
            patterns[LETTER_PATTERN] = [at_front, letter.with_exactly(*first), behind.with_exactly(*second)];
        } else if !is_possible {
            patterns[FRONT_PATTERN] = [before, one.with_exactly(*first), other.with_exactly(*second)];
        }
        index += 1;
    }
    patterns
}

/// Returns the patterns, one of them perhaps widened so that the text has it.
const fn with(mut patterns: Patterns, text: &[u8]) -> Patterns {
    if place(&patterns, text) < text.len() {
        return patterns;
    }
    let (mut best, mut best_cost) = ((0, 0), u64::MAX);
    let mut at = 0;
    while at + 2 < text.len() {
        let mut index = 0;
        while index < vector::PATTERNS && may_be_found(text, at) {
            let [first, second, third] = patterns[index];
            let [one, other, last] = [first.with(text[at]), second.with(text[at + 1]), third.with(text[at + 2])];
            let more = one.reach() * other.reach() * last.reach();
            let cost = more - first.reach() * second.reach() * third.reach();
            if cost < best_cost {
                (best, best_cost) = ((index, at), cost);
            }
            index += 1;
        }
        at += 1;
    }
    assert!(best_cost < u64::MAX, "an alarm has three bytes at least, of which the first is a letter");
    let ((index, at), [first, second, third]) = (best, patterns[best.0]);
    patterns[index] = [first.with(text[at]), second.with(text[at + 1]), third.with(text[at + 2])];
    patterns
}

/// Returns where in a text three bytes are of a pattern, those that the fewest lines have; its length if none are.
const fn place(patterns: &Patterns, text: &[u8]) -> usize {
    let (mut best, mut best_share) = (text.len(), u64::MAX);
    let mut at = 0;
    while at + 2 < text.len() {
        let share = share(text[at]) * share(text[at + 1]) * share(text[at + 2]);
        let mut index = 0;
        while index < vector::PATTERNS && share < best_share && may_be_found(text, at) {
            let [first, second, third] = &patterns[index];
            if first.has(text[at]) && second.has(text[at + 1]) && third.has(text[at + 2]) {
                (best, best_share) = (at, share);
            }
            index += 1;
        }
        at += 1;
    }
    best
}

/// Returns whether what begins here is taken for part of a text, and not for something at one of the places.
const fn may_be_found(text: &[u8], at: usize) -> bool {
    text[at].is_ascii_alphabetic() && (text[at + 1].is_ascii_alphabetic() || text[at + 1] == b' ')
}

/// Returns the texts with the place of what is looked for, in the order of the letters there.
const fn found<const COUNT: usize>(all: [AlarmText; TEXTS_MAX], patterns: &Patterns) -> [AlarmText; COUNT] {
    let (mut found, mut index) = ([all[0]; COUNT], 0);
    while index < COUNT {
        let (at, text) = (place(patterns, all[index].text), all[index].text);
        let text = AlarmText { at, there: packed(text[at], text[at + 1], text[at + 2]), ..all[index] };
        let mut to = index;
        while to > 0 && letters(&found[to - 1]) > letters(&text) {
            found[to] = found[to - 1];
            to -= 1;
        }
        found[to] = text;
        index += 1;
    }
    found
}

/// Returns three bytes as one number, the same for either case of a letter.
const fn packed(first: u8, second: u8, third: u8) -> u32 {
    u32::from_le_bytes([first, second, third, 0]) | 0x0020_2020
}

/// Returns the number of the two letters at which a text is found.
const fn letters(text: &AlarmText) -> usize {
    numbered(text.there)
}

/// Returns the first two of three packed bytes as one number, the same for either case of a letter.
const fn numbered(there: u32) -> usize {
    ((there & 31) << 5 | there >> 8 & 31) as usize
}

/// Where in [`TEXTS`] those of each two letters begin.
static LETTERS: [u8; 1025] = {
    let (mut starts, mut number, mut index) = ([0; 1025], 0, 0);
    assert!(TEXTS.len() <= u8::MAX as usize, "a place in the list is a byte");
    while number <= 1024 {
        while index < TEXTS.len() && letters(&TEXTS[index]) < number {
            index += 1;
        }
        starts[number] = index as u8;
        number += 1;
    }
    starts
};

/// Returns whether alarms are found faster than lines are read.
#[must_use]
pub(super) fn is_supported() -> bool {
    vector::is_supported()
}

/// The alarms of a block of whole lines, from its front on.
#[derive(Debug)]
pub(super) struct Alarms<'a> {
    block: &'a [u8],
    /// Where the bytes of `hits` begin.
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

    /// Returns whether the first line of the block is an alarm by its front, which has no newline before it.
    #[must_use]
    pub(super) fn begins_with_one(&self) -> bool {
        let front = &self.block[..self.block.len().min(FRONT_BYTES)];
        is_front(b'\n', front) || matches!(front, [first, second, ..] if is_letter(b"", &[b'\n', *first, *second]))
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
                if FIRSTS[usize::from(self.block[at])] && is_alarm(self.block, at) {
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

/// How many bytes one word of hits covers.
const STEP: usize = u32::BITS as usize;

/// How much of a line decides whether its front is an alarm, in bytes.
const FRONT_BYTES: usize = 16;

/// Looks at what one of the buckets found.
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
        b'a'..=b'z' if found[0].is_ascii_alphabetic() => may_be_found(found, 0) && is_text(block, at),
        _ => match (found[0], found[1]) {
            (b' ' | b'\t' | b'"', b'5') => is_status(&block[..=at], &found[1..]),
            (b'"', b':' | b' ' | b'\t' | b'\r') => states_number(before, found),
            (b':', b'"' | b'\\') => states_quoted(before, found),
            (b' ', b'-') => found[2] == b'1' && block.get(at + 3) == Some(&b' '),
            (b')', _) => found[1] == b':' && matches!(found[2], b'\n' | b'\r' | b'\\'),
            (b'=' | b'[', _) => is_letter(before, found) || is_front(before.last().copied().unwrap_or(b'\n'), found),
            (first, _) => is_front(first, &found[1..]) || is_letter(before, found),
        },
    }
}

/// Returns whether what was found is part of one of [`TEXTS`].
fn is_text(block: &[u8], at: usize) -> bool {
    let here = packed(block[at], block[at + 1], block[at + 2]);
    let [from, to] = [numbered(here), numbered(here) + 1].map(|number| usize::from(LETTERS[number]));
    TEXTS[from..to].iter().any(|&AlarmText { text, at: place, there, is_word }| {
        if there != here {
            return false;
        }
        let Some(start) = at.checked_sub(place) else { return false };
        let Some(found) = block.get(start..start + text.len()) else { return false };
        let is_ended = || !block.get(start + text.len()).is_some_and(u8::is_ascii_alphabetic);
        if is_word { found.eq_ignore_ascii_case(text) && is_ended() } else { found == text }
    })
}

/// Returns whether three digits that begin with a 5 may be the status of a response: behind a request in quotes, a word, a bar,
/// or something with slashes; colours may be around them.
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

/// Returns whether the quote that `found` begins with ends a key that may state a level by what stands behind it.
fn states_number(before: &[u8], found: &[u8]) -> bool {
    let value = found[1..].trim_ascii_start().strip_prefix(b":");
    value.is_some_and(|value| is_error_value(value.trim_ascii_start())) && is_key(before)
}

/// Returns whether the colon that `found` begins with stands between such a key and a string.
fn states_quoted(before: &[u8], found: &[u8]) -> bool {
    let key = before.trim_ascii_end();
    is_error_value(&found[1..]) && key.strip_suffix(b"\"").is_some_and(is_key)
}

/// Returns whether a value, of an object that is perhaps within a string itself, may be an error's number or letter.
fn is_error_value(text: &[u8]) -> bool {
    let unescaped = text.strip_prefix(b"\\").unwrap_or(text);
    match unescaped.strip_prefix(b"\"") {
        Some([b'A' | b'C' | b'E' | b'F', ..]) => true,
        Some(inside) => is_error_number(inside),
        None => is_error_number(text),
    }
}

/// Returns whether a number is an error's, by any of the scales that there are.
fn is_error_number(text: &[u8]) -> bool {
    // Most numbers are times and counts.
    let is_long = text.get(json::LEVEL_DIGITS_MAX).is_some_and(u8::is_ascii_digit);
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    let value = |digits: std::iter::Take<_>| digits.fold(0, |value, byte: &u8| value * 10 + u32::from(byte - b'0'));
    text.first().is_some_and(u8::is_ascii_digit)
        && !(is_long && text[..json::LEVEL_DIGITS_MAX].iter().all(u8::is_ascii_digit))
        && matches!(value(digits.take(json::LEVEL_DIGITS_MAX)), 0..=4 | 17..=24 | 40 | 50..=69 | 400 | 500..=899)
}

/// Returns whether what stands before a quote ends with a key that states a level.
fn is_key(before: &[u8]) -> bool {
    let before = before.strip_suffix(b"\\").unwrap_or(before);
    let front = &before[before.len().saturating_sub(KEY_BYTES_MAX)..];
    let states = |key: &[u8]| json::states_level(key) || json::states_status(key);
    memchr::memrchr(b'"', front).is_some_and(|quote| states(&front[quote + 1..]))
}

/// No key that states a level is longer, its opening quote included.
const KEY_BYTES_MAX: usize = 20;

/// Returns whether a line that begins with `rest`, behind a newline, or what a container runtime wrote before it, begins as an
/// error may.
fn is_front(before: u8, rest: &[u8]) -> bool {
    let next = rest.get(1).copied().unwrap_or(b'\n');
    if !matches!(before, b'\n' | b' ' | b'"') {
        return false;
    }
    match rest.first() {
        Some(b'<') if next.is_ascii_digit() => {
            priority(&rest[1..]).is_some_and(|priority| Level::from_syslog(priority) >= Level::Error)
        }
        Some(b'{') => before == b'\n' && matches!(next, b'\n' | b'\r'),
        Some(b'A' | b'C' | b'E' | b'F') if next.is_ascii_digit() || matches!(next, b'/' | b'(' | b'[' | b',') => true,
        Some(first) if !FRONT_FIRSTS.has(*first) => false,
        _ => FRONTS.iter().take_while(|front| !front.text.is_empty()).any(|front| rest.starts_with(front.text)),
    }
}

fn priority(text: &[u8]) -> Option<u64> {
    let digits = Scan::new(text).digits(1, 3)?;
    matches!(text.get(digits.len()), Some(b'>' | b'\\')).then(|| u64::from(number(digits)))
}

/// Returns whether it is `\u003c3\u003e`, the priority of an error.
fn is_escaped_priority(before: &[u8], found: &[u8]) -> bool {
    let is_bracket = before.ends_with(b"\\u0") && found[..3].eq_ignore_ascii_case(b"03c");
    is_bracket && priority(&found[3..]).is_some_and(|priority| Level::from_syslog(priority) >= Level::Error)
}

/// Returns whether a letter, behind the byte that `found` begins with, may be a level: in quotes, behind a key, behind numbers, as a
/// process or a time, or alone.
fn is_letter(before: &[u8], found: &[u8]) -> bool {
    if found[1] == b'S' {
        return found[0] == b' ' && found[2] == b'C';
    }
    // A pattern has what combines the halves of two of its bytes, too.
    let behind = found[2];
    let is_ended = behind.is_ascii_digit() || in_brackets::ends_letter(behind) || b"\"+-/(),\n\r".contains(&behind);
    if !(matches!(found[1], b'A' | b'C' | b'E' | b'F') && is_ended) {
        return false;
    }
    match found[0] {
        b'"' | b'=' => true,
        // `(E) `, qBittorrent's, with blanks and colours before it.
        b'(' => found[2] == b')',
        // `[E1129 10:00:00`, klog's header in brackets.
        b'[' if found[2].is_ascii_digit() => true,
        b'\n' | b'[' => in_brackets::ends_letter(found[2]),
        b' ' if found[1..].starts_with(b"F ") && is_of_runtime(before) => false,
        b' ' | b'\t' if found[1] != b'A' && in_brackets::ends_letter(found[2]) => true,
        b' ' | b'\t' if !found[2].is_ascii_lowercase() => {
            let word = before.trim_ascii_end();
            word.last().is_some_and(|last| last.is_ascii_digit() || *last == b'Z')
        }
        _ => false,
    }
}

/// Returns whether a time of RFC 3339 and a stream stand before a letter, alone in their line: a container runtime wrote them, and
/// `F` behind them says that the line is whole.
fn is_of_runtime(before: &[u8]) -> bool {
    let stream = before.strip_suffix(b" stdout").or_else(|| before.strip_suffix(b" stderr"));
    stream.is_some_and(|front| {
        let near = &front[front.len().saturating_sub(RUNTIME_BYTES_MAX)..];
        let start = near.iter().rposition(|byte| matches!(byte, b'\n' | b' ' | b'\t')).map_or(0, |at| at + 1);
        let is_at_front = start > 0 && near[start - 1] == b'\n' || start == 0 && near.len() == front.len();
        is_at_front && near.get(start + 4) == Some(&b'-') && near.get(start + 10) == Some(&b'T')
    })
}

/// No time that a container runtime writes is longer, with the newline before it.
const RUNTIME_BYTES_MAX: usize = 40;

/// Returns whether it may be the place at which a script ended: `/app/index.js:3`, `node:events:497`, `app.rb:3:in`.
fn is_place(before: &[u8], found: &[u8]) -> bool {
    match found[0] {
        b's' => matches!(before.last(), Some(b'j' | b't')) && found[2].is_ascii_digit(),
        b'b' => before.last() == Some(&b'r') && found[2].is_ascii_digit(),
        b'e' => before.ends_with(b"nod"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_block_says_of_fronts_is_an_alarm() {
        if !is_supported() {
            return;
        }
        for front in FRONTS.iter().take_while(|front| !front.text.is_empty()) {
            let block = [b"all is well\n", front.text, b"026 x\n"].concat();
            let shown = String::from_utf8_lossy(front.text);
            assert_eq!(Alarms::new(&block).next(0).map(|at| at > 11), Some(true), "{shown}");
            assert!(Alarms::new(&block[12..]).begins_with_one(), "{shown}");
        }
    }
}
