//! Go: klog and glog; the standard library's `log` and `slog`; the consoles of zap, zerolog, logrus, hclog and Gin.

use crate::format::block::{Alarm, Crash, Dated, Format, Front, Reader, RecordLines, Shape, Words};
use crate::format::head::{Head, Span};
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// klog and glog.
pub(crate) const KLOG: Format = Format {
    name: "klog",
    read: Reader::Line(read_klog),
    lines: RecordLines::Multiple,
    front: Front { first: b"IWEF", words: Words::Joined, ..Front::ANY },
    layouts: layouts::KLOG,
    ..Format::NONE
};

/// The standard library's `log`, and the usual consoles; how a program in Go ends.
pub(crate) const GO: Format = Format {
    name: "go",
    read: Reader::Line(read_go),
    lines: RecordLines::Multiple,
    front: Front { first: b"0A[", words: Words::Dated, dated: Dated::new(Shape::SlashedOrIso, b""), ..Front::ANY },
    asks_general: true,
    // zerolog's word for a panic.
    alarms: &[Alarm::Word(b"pnc")],
    crashes: &[
        Crash::new(b"panic: ", Level::Fatal).interrupting(Level::Error).traced(),
        Crash::new(b"fatal error: ", Level::Fatal).interrupting(Level::Error).traced(),
    ],
    continues: &[b"goroutine ", b"[signal ", b"created by ", b"exit status "],
    in_a_trace: &[b"rax ", b"panic("],
    layouts: layouts::GO,
    ..Format::NONE
};

/// Reads `I0105 10:00:00.123456       1 server.go:10] message`: a letter, month and day, and a time with a fraction.
fn read_klog(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    let letter = scan.peek();
    if !matches!(letter, b'I' | b'W' | b'E' | b'F') {
        return None;
    }
    scan.eat(letter);
    let start = scan.at();
    // Month and day, with the year before them if glog was asked for it, or CockroachDB writes it.
    let date = scan.digits(4, 8)?;
    let is_date = matches!(date.len(), 4 | 6 | 8);
    let is_time = is_date && scan.eat(b' ') && scan.clock() && line.get(start as usize + date.len() + 9) == Some(&b'.');
    if !is_time {
        return None;
    }
    let time = scan.since(start);
    scan.spaces();
    let is_whole = scan.digits(1, 10).is_some() && scan.spaces() && scan.until(b']').is_some();
    scan.eat(b' ');
    let message = if is_whole { scan.at() } else { 0 };
    let header = if is_whole { scan.header() } else { 0 };
    Some(Head { level: Level::from_letter(letter), time, message, header, ..Head::default() })
}

/// Reads a line of the standard library's loggers, or of the usual consoles.
fn read_go(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    scan.colours();
    match scan.peek() {
        b'0'..=b'9' => read_dated(scan),
        b'[' => read_gin(scan),
        b'A'..=b'Z' => read_logrus(scan).or_else(|| read_prefixed(scan)),
        _ => None,
    }
}

/// Reads `2026/01/05 10:00:00.123456 main.go:23: message` of `log` and `slog`, or a console with a time of RFC 3339.
fn read_dated(mut scan: Scan<'_>) -> Option<Head> {
    if let Some(time) = kitchen(&mut scan) {
        return read_short_word(scan, time);
    }
    if let Some(time) = epoch(&mut scan) {
        return read_console(scan, time);
    }
    let is_std = scan.rest().get(4) == Some(&b'/');
    if !is_std && scan.rest().get(10) != Some(&b'T') {
        return None;
    }
    let time = scan.date_time()?;
    if is_std { read_std(scan, time) } else { read_console(scan, time) }
}

/// Reads what stands behind the time of `log`: perhaps a file name, perhaps a level word that is marked as one.
fn read_std(mut scan: Scan<'_>, time: Span) -> Option<Head> {
    if !scan.eat(b' ') && !scan.is_end() {
        return None;
    }
    let before = scan;
    let file = scan.token();
    let is_file = file.ends_with(b":") && memchr::memmem::find(file, b".go:").is_some();
    if !is_file || !scan.eat(b' ') {
        scan = before;
    }
    let message = scan.at();
    Some(Head { level: std_level(scan), time, message, ..Head::default() })
}

/// `[ERROR] x`, `ERROR: x`, `ERROR x`, slog's `ERROR+2 x`; what net/http says of a handler that panicked.
fn std_level(mut scan: Scan<'_>) -> Option<Level> {
    if scan.rest().starts_with(b"http: panic serving ") {
        return Some(Level::Error);
    }
    if let Some(level) = scan.level_in_brackets() {
        return Some(level);
    }
    let level = scan.capital_level()?;
    matches!(scan.peek(), b' ' | b':' | b'+' | b'-').then_some(level)
}

/// Reads what zap, zerolog and hclog write behind a time of RFC 3339.
fn read_console(mut scan: Scan<'_>, time: Span) -> Option<Head> {
    scan.colours();
    if scan.eat(b'\t') {
        // zap's columns are apart by tabs.
        let level = scan.level()?;
        return scan.eat(b'\t').then(|| Head { level: Some(level), time, message: scan.at(), ..Head::default() });
    }
    if scan.rest().starts_with(b" [") {
        // hclog pads what is in brackets to the width of `[ERROR] `, and a name with a colon follows.
        scan.eat(b' ');
        let start = scan.at();
        let level = scan.level_in_brackets()?;
        scan.spaces();
        let is_padded = scan.at() - start == 8;
        let message = scan.at();
        let is_named = scan.token().ends_with(b":");
        return (is_padded && is_named).then_some(Head { level: Some(level), time, message, ..Head::default() });
    }
    read_short_word(scan, time)
}

/// Reads zerolog's level: three capitals between spaces.
fn read_short_word(mut scan: Scan<'_>, time: Span) -> Option<Head> {
    scan.colours();
    if !scan.eat(b' ') {
        return None;
    }
    scan.colours();
    let word = scan.while_is(|byte| byte.is_ascii_uppercase());
    let level = match word {
        b"PNC" => Some(Level::Fatal),
        _ if word.len() == 3 => Level::from_word(word),
        _ => None,
    }?;
    scan.colours();
    (scan.eat(b' ') || scan.is_end()).then(|| Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Passes over the seconds of zap's production console, `1767607200.123` or `1.7676072e+09`, that end with a tab.
fn epoch(scan: &mut Scan<'_>) -> Option<Span> {
    let before = *scan;
    let start = scan.at();
    scan.while_is(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+'));
    if scan.peek() != b'\t' {
        *scan = before;
        return None;
    }
    Some(scan.since(start))
}

/// Passes over a time as `10:04PM`, Go's `time.Kitchen`.
fn kitchen(scan: &mut Scan<'_>) -> Option<Span> {
    let before = *scan;
    let start = scan.at();
    let is_time = scan.digits(1, 2).is_some()
        && scan.eat(b':')
        && scan.digits(2, 2).is_some()
        && (scan.eat_all(b"AM") || scan.eat_all(b"PM"));
    if !is_time {
        *scan = before;
        return None;
    }
    Some(scan.since(start))
}

/// Reads logrus on a terminal: `INFO[0042] message`, four capitals and seconds since the start.
fn read_logrus(mut scan: Scan<'_>) -> Option<Head> {
    let word = scan.while_is(|byte| byte.is_ascii_uppercase());
    scan.colours();
    if word.len() != 4 || scan.peek() != b'[' {
        return None;
    }
    let level = Level::from_word(word)?;
    let start = scan.at() + 1;
    let seconds = scan.between(b'[', b']')?;
    let has_digits = seconds.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4;
    let time = Span { start, end: scan.at() - 1 };
    scan.eat(b' ');
    has_digits.then(|| Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Reads `ERROR: 2026/01/05 10:00:00 main.go:10: message`: a level as the prefix of a `log.Logger`.
fn read_prefixed(mut scan: Scan<'_>) -> Option<Head> {
    let level = scan.capital_level()?;
    scan.eat(b':');
    scan.spaces();
    if scan.rest().get(4) != Some(&b'/') {
        return None;
    }
    let time = scan.date_time()?;
    scan.spaces();
    Some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Reads Gin: `[GIN] 2026/01/05 - 10:00:00 | 200 | ...`, and what it says of itself, `[GIN-debug] [WARNING] ...`.
fn read_gin(mut scan: Scan<'_>) -> Option<Head> {
    if scan.eat_all(b"[GIN-debug] ") {
        let level = scan.level_in_brackets().unwrap_or(Level::Debug);
        return Some(Head { level: Some(level), ..Head::default() });
    }
    if !scan.eat_all(b"[GIN] ") {
        return None;
    }
    let start = scan.at();
    scan.token();
    let is_time = scan.eat_all(b" - ") && scan.clock();
    let time = scan.since(start);
    let is_status = scan.eat_all(b" |");
    scan.blanks();
    let level = scan.digits(3, 3).filter(|_| is_status).map(|status| Level::from_status(status[0]));
    is_time.then_some(Head { level, time, ..Head::default() })
}
