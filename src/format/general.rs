//! Lines of no known format: a careful reading of what most loggers have in common.
//!
//! A header comes first: a time, and around it names, numbers and what stands in brackets. The first of its pieces that is a level's
//! word, written as loggers write it, is the level, however low. Free text ends the header: what is said there states nothing. A line
//! without a time states a level only at its very front, written as one: `ERROR ...`, `[error] ...`, `Error: ...`.

use super::continuation;
use super::first_words;
use super::formats::{json, logfmt};
use super::glued;
use super::head::{Head, Span};
use super::level::Level;
use super::pieces::{self, HeaderPiece, HeaderPieces};
use super::scan::{Scan, is_counted_heading, is_number};

/// How many pieces of a header are looked at.
const PIECES_MAX: usize = 10;

/// Among how many the time must be.
const PIECES_TO_TIME_MAX: usize = 4;

/// No time is longer, in bytes.
const TIME_BYTES_MAX: usize = 48;

/// Reads any line.
pub(super) fn read(line: &[u8]) -> Head {
    let mut scan = Scan::new(line);
    scan.blanks();
    let header = header(scan);
    let has_time = header.time != Span::default();
    let level = if has_time {
        header.level.or_else(|| first_words::level_before_time(line))
    } else {
        at_front(scan).or_else(|| marked(&mut Scan::new(line))).or(header.level)
    };
    Head { level, time: header.time, is_open: is_open(line), ..Head::default() }
}

/// Returns whether the next line belongs to this one, whatever it looks like: the message of a panic stands in a line of its own.
pub(super) fn is_open(line: &[u8]) -> bool {
    line.ends_with(b":") && (continuation::is_rust_panic(line) || line == b"Unhandled exception:")
}

/// Returns whether a line has a header with a time; what else that says is not read.
pub(super) fn has_time(line: &[u8]) -> bool {
    let scan = Scan::new(line);
    if !pieces::may_begin(line) {
        return false;
    }
    if behind_uptime(scan).is_some() {
        return true;
    }
    let mut pieces = HeaderPieces::new(scan);
    for _ in 0..PIECES_TO_TIME_MAX {
        let piece = pieces.next();
        if pieces.time.is_some() {
            return true;
        }
        match piece {
            HeaderPiece::Level(level) => return with_time(pieces, level, false).time != Span::default(),
            HeaderPiece::Pairs(_) | HeaderPiece::Text => return false,
            HeaderPiece::Time | HeaderPiece::Name => {}
        }
    }
    false
}

/// Returns whether a line has a header with a time, and more than that.
pub(super) fn has_time_and_more(line: &[u8]) -> bool {
    line.len() > TIME_BYTES_MAX && has_time(line)
}

/// Returns whether a line is a time and nothing else.
pub(super) fn is_time_alone(line: &[u8]) -> bool {
    let mut scan = Scan::new(line);
    let may_be = line.len() <= TIME_BYTES_MAX && line.last().is_some_and(u8::is_ascii_alphanumeric);
    may_be && matches!(scan.peek(), b'0'..=b'9' | b'A'..=b'Z') && scan.any_time() && scan.is_end()
}

/// Returns whether a line begins with a level in capitals that is marked as one, `WARNING: ...`, `[INFO] ...`, `ERROR ...`, so
/// that it is a record of its own, though of no known format.
pub(super) fn begins_with_level(line: &[u8]) -> bool {
    let mut scan = Scan::new(line);
    let word = Scan::new(line.strip_prefix(b"[").unwrap_or(line)).while_is(|byte| byte.is_ascii_uppercase());
    word.len() > 2 && marked(&mut scan).is_some()
}

/// Returns whether a line states a level at its front, as the name of an exception does not.
pub(super) fn states_level(line: &[u8]) -> bool {
    marked(&mut Scan::new(line)).is_some() && !continuation::is_exception(line)
}

/// What a header says.
#[derive(Debug, Clone, Copy, Default)]
struct GeneralHeader {
    time: Span,
    level: Option<Level>,
}

/// Reads a header piece by piece; without a time it is one only if something in brackets comes first.
fn header(scan: Scan<'_>) -> GeneralHeader {
    if !pieces::may_begin(scan.rest()) {
        return GeneralHeader::default();
    }
    if let Some(header) = behind_uptime(scan) {
        return header;
    }
    let begins_bracketed = scan.peek() == b'[' || scan.peek() == b'(' || begins_with_process(scan);
    let mut pieces = HeaderPieces::new(scan);
    for count in 0..PIECES_MAX {
        if pieces.time.is_none() && count >= PIECES_TO_TIME_MAX {
            break;
        }
        match pieces.next() {
            HeaderPiece::Time if let Some(level) = glued::of_ganesha(pieces.rest()) => {
                return with_time(pieces, level, false);
            }
            HeaderPiece::Time | HeaderPiece::Name => {}
            HeaderPiece::Level(level) => return with_time(pieces, level, begins_bracketed),
            HeaderPiece::Pairs(rest) => {
                let inside = if rest.first() == Some(&b'{') { json::read(rest) } else { logfmt::read(rest) };
                return match inside.and_then(|head| head.level) {
                    Some(level) => GeneralHeader { time: pieces.time.unwrap_or_default(), level: Some(level) },
                    None => GeneralHeader { time: pieces.time.unwrap_or_default(), level: None },
                };
            }
            HeaderPiece::Text => break,
        }
    }
    // Last words are what they are also behind a time.
    let crash = continuation::crash(pieces.text()).and_then(|crash| crash.level);
    let crash = crash.filter(|_| pieces.time.is_some() || begins_bracketed).or_else(|| pieces.level_at_end());
    GeneralHeader { time: pieces.time.unwrap_or_default(), level: crash }
}

/// Reads ` 0.123 Error app.cpp:12: message`: seconds since the start, a level and a place.
fn behind_uptime(mut scan: Scan<'_>) -> Option<GeneralHeader> {
    let start = scan.at();
    let is_near = scan.peek().is_ascii_digit() && scan.rest().iter().take(8).any(|byte| *byte == b'.');
    let is_uptime = is_near && scan.digits(1, 7).is_some() && scan.eat(b'.') && scan.digits(3, 3).is_some();
    let time = scan.since(start);
    if !is_uptime || !scan.eat(b' ') {
        return None;
    }
    let level = Level::from_word(scan.letters())?;
    let is_placed = scan.spaces() && glued::is_place(scan.token());
    is_placed.then_some(GeneralHeader { time, level: Some(level) })
}

/// Returns whether a line begins with a worker and its process, as Kamailio's do: `0(12) ERROR: message`.
fn begins_with_process(mut scan: Scan<'_>) -> bool {
    let is_near = scan.peek().is_ascii_digit() && scan.rest().iter().take(8).any(|byte| *byte == b'(');
    // `12: (12): ERROR: message`: coturn has the seconds since its start there.
    let mut timed = scan;
    if is_near && timed.digits(1, 5).is_some() && timed.eat_all(b": (") {
        return timed.digits(1, 10).is_some() && timed.eat_all(b"): ");
    }
    is_near && scan.digits(1, 4).is_some() && scan.eat(b'(') && scan.digits(1, 10).is_some() && scan.eat_all(b") ")
}

/// Returns a header whose level was found; where the time stands behind the level, it is looked for there.
fn with_time(mut pieces: HeaderPieces<'_>, level: Level, begins_bracketed: bool) -> GeneralHeader {
    for _ in 0..2 {
        if pieces.time.is_some() || !matches!(pieces.next(), HeaderPiece::Name | HeaderPiece::Time) {
            break;
        }
    }
    match pieces.time {
        Some(time) => GeneralHeader { time, level: Some(level) },
        None => GeneralHeader { time: Span::default(), level: Some(level).filter(|_| begins_bracketed) },
    }
}

/// Looks for a level at the front of a line without a time.
fn at_front(mut scan: Scan<'_>) -> Option<Level> {
    let line = scan.rest();
    if let Some(level) = continuation::crash(line).and_then(|crash| crash.level) {
        return Some(level);
    }
    if continuation::is_rust_panic(line) || continuation::is_script_place(line) || continuation::is_error_name(line) {
        return Some(Level::Error).filter(|_| !is_count(line));
    }
    marked(&mut scan).or_else(|| glued::level_behind_name(line)).or_else(|| first_words::level(line))
}

/// Returns whether a line is a heading or a count: `ERROR 0`, `error: 0`, `CRITICAL PATH 3 ms`, `ALERT RULES loaded: 5`.
fn is_count(line: &[u8]) -> bool {
    let mut scan = Scan::new(line);
    let word = scan.letters();
    scan.while_is(|byte| matches!(byte, b' ' | b'\t' | b':' | b'=' | b'|' | b'-'));
    let rest = scan.rest().trim_ascii_end();
    is_number(rest) || is_counted_heading(word, rest)
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
    let line = scan.rest();
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
    // Vivado's `CRITICAL WARNING: ` is a warning.
    let level = if word == b"CRITICAL" && scan.eat_all(b" WARNING") { Level::Warn } else { level };
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
    let is_level = is_marked || is_alone || is_coloured && ends_coloured;
    (is_level && !(level >= Level::Error && is_count(line))).then_some(level)
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
