//! Rust: `env_logger` and fern in brackets; `tracing`'s `fmt`, full or compact, with colours or without.

use super::java;
use crate::format::block::{Alarm, Crash, Dated, Format, Front, Reader, RecordLines, Shape};
use crate::format::head::Head;
use crate::format::head::Span;
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// Rust's `env_logger` and fern.
pub(crate) const ENV_LOGGER: Format = Format {
    name: "env_logger",
    read: Reader::Line(read_env_logger),
    lines: RecordLines::Multiple,
    front: Front { first: b"[", is_timed_in_brackets: true, ..Front::ANY },
    layouts: layouts::ENV_LOGGER,
    ..Format::NONE
};

/// Rust's `tracing`; how a program in Rust ends.
pub(crate) const TRACING: Format = Format {
    name: "tracing",
    read: Reader::Line(read_tracing),
    lines: RecordLines::Multiple,
    front: Front { first: b"t IWEDT", dated: Dated::new(Shape::Iso, b""), ..Front::ANY },
    alarms: &[Alarm::Phrase(b"panicked")],
    // Its level is that of what stands behind the thread's name.
    crashes: &[Crash { phrase: b"thread '", level: None, interrupts: Some(Level::Error), has_trace: false }],
    continues: &[b"stack backtrace:", b"note: run with `RUST_BACKTRACE", b"note: Some details are omitted"],
    layouts: layouts::TRACING,
    ..Format::NONE
};

/// Reads `[2026-01-05T10:00:00Z INFO  my_crate::module] message`, also without the time, or fern's
/// `[2026-01-05][10:00:00][my_crate][INFO] message`.
fn read_env_logger(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    scan.colours();
    if !scan.eat(b'[') {
        return None;
    }
    scan.colours();
    if scan.rest().get(10..12) == Some(b"][") {
        return read_fern(scan);
    }
    let time = scan.date_time().unwrap_or_default();
    scan.blanks();
    let level = scan.capital_level()?;
    if !scan.spaces() && scan.peek() != b'\x1b' {
        return None;
    }
    scan.blanks();
    let target = scan.while_is(is_target);
    scan.colours();
    // A file and a line may follow the target.
    scan.eat(b' ');
    scan.while_is(|byte| is_target(byte) || byte == b'.' || byte == b'/');
    if target.is_empty() || !scan.eat(b']') {
        return None;
    }
    scan.blanks();
    Some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Reads from the date on.
fn read_fern(mut scan: Scan<'_>) -> Option<Head> {
    let start = scan.at();
    scan.until(b']')?;
    let is_clock = scan.eat(b'[') && scan.clock() && scan.eat(b']');
    let time = Span { start, end: scan.at() - 1 };
    let level = if is_clock { scan.level_in_brackets() } else { None };
    let level = level.or_else(|| {
        scan.between(b'[', b']')?;
        scan.level_in_brackets()
    });
    if level.is_some() && scan.peek() == b'[' {
        scan.between(b'[', b']');
    }
    scan.spaces();
    (is_clock && level.is_some()).then(|| Head { level, time, message: scan.at(), ..Head::default() })
}

/// Reads `2026-01-05T10:00:00.123456Z  INFO span{id=1}: my_crate::module: message`, also without the time.
fn read_tracing(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    scan.colours();
    if !scan.peek().is_ascii_digit() {
        return read_without_time(scan);
    }
    if scan.rest().get(10) != Some(&b'T') {
        return None;
    }
    let time = scan.date_time()?;
    let text = time.of(line);
    let has_zone = text.last() == Some(&b'Z') || text.len() > 24 && text[text.len() - 3] == b':';
    if !has_zone {
        return None;
    }
    scan.colours();
    // The level stands right in five columns, behind one space.
    let start = scan.rest();
    let blanks = start.iter().take_while(|byte| **byte == b' ').count();
    scan.blanks();
    let before_level = scan;
    let letters = scan.while_is(|byte| byte.is_ascii_uppercase()).len();
    scan = before_level;
    let level = scan.capital_level()?;
    let is_right = scan.eat(b' ') && letters <= 5 && matches!(blanks + letters, 5..=6) && blanks > 0;
    let message = scan.at();
    // Spring Boot 3 has the same front, then a process and ` --- [thread]`; other Java names its thread or class.
    let is_java = java::names_a_class(scan);
    let header = scan.header_with_name();
    (is_right && !is_java).then_some(Head { level: Some(level), time, message, header, ..Head::default() })
}

/// Reads ` INFO my_crate::module: message` and `ERROR my_crate: message`.
fn read_without_time(mut scan: Scan<'_>) -> Option<Head> {
    let blanks = scan.while_is(|byte| byte == b' ').len();
    scan.colours();
    let before_level = scan;
    let letters = scan.while_is(|byte| byte.is_ascii_uppercase()).len();
    scan = before_level;
    let level = scan.capital_level()?;
    if !scan.eat(b' ') || blanks + letters != 5 || blanks > 1 {
        return None;
    }
    let message = scan.at();
    scan.blanks();
    let target = scan.while_is(is_target);
    let is_target = target.last() == Some(&b':') && target.first().is_some_and(|byte| !byte.is_ascii_digit());
    let is_span = scan.peek() == b'{' && !target.is_empty();
    let ends_coloured = scan.colours() && scan.peek() == b':' && !target.is_empty();
    let is_known = is_target && scan.peek() == b' ' || is_span || ends_coloured;
    is_known.then_some(Head { level: Some(level), message, ..Head::default() })
}

/// Returns whether the byte may stand in the path of a module.
fn is_target(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b':' | b'-')
}
