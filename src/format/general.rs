//! Lines of no known format: a careful reading of what most loggers have in common.
//!
//! A time at the front, then a level word in one of the usual places; or, without a time, a level word at the very front
//! that is written as one: `ERROR ...`, `[error] ...`, `Error: ...`. Anything else states no level.

use super::continuation;
use super::head::{Head, Span};
use super::level::Level;
use super::scan::Scan;

/// How many words between time and level are looked at: threads, processes, names in brackets.
const WORDS_MAX: usize = 4;

/// Reads any line.
pub(super) fn read(line: &[u8]) -> Head {
    let mut scan = Scan::new(line);
    scan.blanks();
    let (time, has_time) = time(&mut scan);
    let level = if has_time { after_time(scan) } else { at_front(scan).or_else(|| marked(&mut Scan::new(line))) };
    // The message of a panic stands in a line of its own.
    let is_open = line.ends_with(b":") && continuation::is_rust_panic(line);
    Head { level, time, is_open, ..Head::default() }
}

/// Says whether a line begins with a time, so that it is a record of its own, though of no known format.
pub(super) fn begins_with_time(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'0'..=b'9' | b'[' | b'(' | b'<')) && time(&mut Scan::new(line)).1
}

/// Says whether a line begins with a level in capitals that is marked as one, `WARNING: ...`, `[INFO] ...`, `ERROR ...`, so that
/// it is a record of its own, though of no known format.
pub(super) fn begins_with_level(line: &[u8]) -> bool {
    let mut scan = Scan::new(line);
    let word = Scan::new(line.strip_prefix(b"[").unwrap_or(line)).while_is(|byte| byte.is_ascii_uppercase());
    word.len() > 2 && marked(&mut scan).is_some()
}

/// Passes over a time and what is around it.
fn time(scan: &mut Scan<'_>) -> (Span, bool) {
    // A digit, a bracket, or the three letters of a day or month: few lines begin so.
    let begins = match scan.peek() {
        b'0'..=b'9' | b'[' | b'(' | b'<' => true,
        b'A'..=b'Z' => matches!(scan.rest().get(3), Some(b' ' | b',')),
        _ => false,
    };
    if !begins {
        return (Span::default(), false);
    }
    let before = *scan;
    let bracket = [(b'[', b']'), (b'(', b')'), (b'<', b'>')].into_iter().find(|(open, _)| scan.eat(*open));
    let start = scan.at();
    let date = scan.date_time();
    let has_time = date.is_some() || scan.clock();
    // A time of day alone may be an identifier's part: something must end it.
    let is_ended = bracket.is_none_or(|(_, close)| scan.eat(close)) && !scan.peek().is_ascii_alphanumeric();
    if !has_time || !is_ended {
        *scan = before;
        return (Span::default(), false);
    }
    let time = Span { start, end: scan.at() - u32::from(bracket.is_some()) };
    scan.eat(b':');
    (date.unwrap_or(time), true)
}

/// Looks for a level in the words behind a time.
fn after_time(mut scan: Scan<'_>) -> Option<Level> {
    for _ in 0..WORDS_MAX {
        scan.blanks();
        while matches!(scan.peek(), b'-' | b'|' | b':' | b',') {
            scan.eat(scan.peek());
            scan.blanks();
        }
        if let Some(level) = marked(&mut scan) {
            return Some(level);
        }
        // Only what stands in brackets, numbers and names with a dot may come before the level.
        match scan.peek() {
            b'[' => scan.between(b'[', b']')?,
            b'(' => scan.between(b'(', b')')?,
            b'<' => scan.between(b'<', b'>')?,
            _ => {
                let word = scan.token();
                let is_number =
                    !word.is_empty() && word.iter().all(|byte| byte.is_ascii_digit() || b"#:-.".contains(byte));
                let is_name = word.contains(&b'.') && !word.ends_with(b".");
                if is_number || is_name { word } else { return None }
            }
        };
    }
    None
}

/// Looks for a level at the front of a line without a time.
fn at_front(mut scan: Scan<'_>) -> Option<Level> {
    let line = scan.rest();
    if let Some(level) = continuation::crash(line).and_then(|crash| crash.level) {
        return Some(level);
    }
    if continuation::is_rust_panic(line) || continuation::is_script_place(line) || continuation::is_error_name(line) {
        return Some(Level::Error);
    }
    marked(&mut scan)
}

/// Passes over a level word that is marked as one: in brackets, before a colon or bar, or in capitals and alone.
fn marked(scan: &mut Scan<'_>) -> Option<Level> {
    let first = scan.peek();
    if !first.is_ascii_alphabetic() && !b"[<(\"\x1b".contains(&first) {
        return None;
    }
    let before = *scan;
    let found = marked_word(scan);
    if found.is_none() {
        *scan = before;
    }
    found
}

fn marked_word(scan: &mut Scan<'_>) -> Option<Level> {
    scan.eat_all(b"level=");
    let close = match scan.peek() {
        b'[' => Some(b']'),
        b'<' => Some(b'>'),
        b'(' => Some(b')'),
        b'"' => Some(b'"'),
        _ => None,
    };
    if close.is_some() {
        scan.eat(scan.peek());
    }
    let is_coloured = {
        let before = scan.at();
        scan.blanks();
        scan.at() > before
    };
    let word = scan.letters();
    let level = Level::from_word(word)?;
    let is_capital = word.iter().all(u8::is_ascii_uppercase);
    let ends_coloured = scan.colours();
    if let Some(close) = close {
        scan.spaces();
        // `"error": 1` is a member of a JSON object.
        let is_closed = scan.eat(close) && !(close == b'"' && scan.peek() == b':');
        return is_closed.then_some(level);
    }
    let next = scan.peek();
    let is_wide = scan.rest().starts_with(b"  ") || next == b'\t';
    let is_marked = next == b':' || next == b'|' || scan.rest().starts_with(b" | ") || scan.rest().starts_with(b" - ");
    let is_alone = is_capital && (next == b' ' || scan.is_end()) || is_wide;
    (is_marked || is_alone || is_coloured && ends_coloured).then_some(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<Level>) {
        assert_eq!(read(line.as_bytes()).level, expected, "{line:?}");
    }

    #[test]
    fn a_level_in_its_usual_place_is_read() {
        check("2026-01-05 10:00:00 ERROR no disk", Some(Level::Error));
        check("2026-01-05T10:00:00.123Z [main] WARN  com.example.App - slow", Some(Level::Warn));
        check("[2026-01-05 10:00:00] [error] no disk", Some(Level::Error));
        check("10:00:00.123 | INFO | started", Some(Level::Info));
        check("2026-01-05 10:00:00 warning: low disk", Some(Level::Warn));
        check("Mon Jan  5 10:00:00 UTC 2026 INFO 12", Some(Level::Info));
        check("ERROR: x", Some(Level::Error));
        check("[error] x", Some(Level::Error));
        check("Error: x", Some(Level::Error));
        check("ERROR something went wrong", Some(Level::Error));
        check("\x1b[31mERROR\x1b[0m x", Some(Level::Error));
        check("Traceback (most recent call last):", Some(Level::Error));
        check("panic: runtime error", Some(Level::Fatal));
        check("INFO retry after ERROR", Some(Level::Info));
        check("thread 'main' panicked at src/main.rs:1:2:", Some(Level::Error));
    }

    #[test]
    fn a_level_word_elsewhere_is_none() {
        for line in [
            "",
            "0: Mon Jan  5 10:00:00 UTC 2026",
            "GET /error HTTP/1.1",
            "2026-01-05 10:00:00 retrying after ERROR: x",
            "error handling is on",
            "Errors: 0",
            "2026-01-05 10:00:00 error handling is on",
            "no ERROR here",
            "errorlog=/var/log/error.log",
            "[errors]",
            "info",
        ] {
            check(line, None);
        }
    }
}
