//! .NET: the console of `Microsoft.Extensions.Logging`, Serilog's console and file, NLog.

use crate::format::block::{Crash, Dated, Format, Front, Reader, RecordLines, Shape, Words};
use crate::format::head::{Head, Span};
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// The consoles of .NET, Serilog and NLog; how a program in .NET ends.
pub(crate) const DOTNET: Format = Format {
    name: "dotnet",
    read: Reader::Line(read),
    lines: RecordLines::Multiple,
    front: Front {
        first: b"aAt[",
        is_timed_in_brackets: true,
        words: Words::Joined,
        dated: Dated::new(Shape::Dashed, b"|[tdiwfc"),
    },
    crashes: &[Crash::new(b"Unhandled exception", Level::Error).interrupting(Level::Error)],
    continues: &[b"--- End of "],
    layouts: layouts::DOTNET,
    ..Format::NONE
};

/// Reads `fail: Category[0]`, `[10:00:00 ERR] message`, `2026-01-05 10:00:00.123 +00:00 [ERR] message`, or
/// `2026-01-05 10:00:00.1234|ERROR|Category|message`.
fn read(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    scan.colours();
    match scan.peek() {
        b'[' => read_serilog(scan),
        b'0'..=b'9' => read_dated(scan),
        b'a'..=b'z' => read_console(scan, Span::default()),
        _ => None,
    }
}

/// Reads the console's first line; the message is indented below it, or stands behind it on one line.
fn read_console(mut scan: Scan<'_>, time: Span) -> Option<Head> {
    scan.colours();
    let level = match scan.rest().get(..4)? {
        b"trce" => Level::Trace,
        b"dbug" => Level::Debug,
        b"info" => Level::Info,
        b"warn" => Level::Warn,
        b"fail" => Level::Error,
        b"crit" => Level::Critical,
        _ => return None,
    };
    let is_word = scan.letters().len() == 4;
    scan.colours();
    if !is_word || !scan.eat_all(b": ") {
        return None;
    }
    // The category is a type's name, the number of the event in brackets behind it.
    let category = scan.while_is(|byte| byte != b'[' && byte != b' ');
    let is_event = !category.is_empty() && scan.eat(b'[') && {
        scan.eat(b'-');
        scan.digits(1, 10).is_some() && scan.eat(b']')
    };
    scan.spaces();
    let message = if scan.is_end() { 0 } else { scan.at() };
    is_event.then_some(Head { level: Some(level), time, message, ..Head::default() })
}

/// Reads `[10:00:00 ERR]`, with a date or without.
fn read_serilog(mut scan: Scan<'_>) -> Option<Head> {
    scan.eat(b'[');
    scan.colours();
    let start = scan.at();
    if scan.date_time().is_none() && !scan.clock() {
        return None;
    }
    let time = scan.since(start);
    scan.blanks();
    let level = short_level(&mut scan)?;
    scan.colours();
    if !scan.eat(b']') {
        return None;
    }
    scan.blanks();
    Some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Reads what follows a time: Serilog's level in brackets, NLog's between bars, or the console's header.
fn read_dated(mut scan: Scan<'_>) -> Option<Head> {
    let start = scan.at();
    // Dates with slashes are Go's and nginx's.
    if scan.rest().get(4) == Some(&b'/') || scan.date_time().is_none() && !scan.clock() {
        return None;
    }
    let time = scan.since(start);
    if scan.eat(b'|') {
        let level = scan.capital_level()?;
        return scan.eat(b'|').then(|| Head { level: Some(level), time, message: scan.at(), ..Head::default() });
    }
    if !scan.spaces() {
        return None;
    }
    if !scan.eat(b'[') {
        return read_console(scan, time);
    }
    let level = short_level(&mut scan)?;
    if !scan.eat(b']') {
        return None;
    }
    scan.spaces();
    Some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Passes over one of Serilog's three letters.
fn short_level(scan: &mut Scan<'_>) -> Option<Level> {
    scan.colours();
    let word = scan.while_is(|byte| byte.is_ascii_uppercase());
    let is_short = [&b"VRB"[..], b"DBG", b"INF", b"WRN", b"ERR", b"FTL"].contains(&word);
    scan.colours();
    if is_short { Level::from_word(word) } else { None }
}
