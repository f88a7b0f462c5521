//! Java: log4j, logback and what is built on them, and `java.util.logging`.
//!
//! Their patterns are free, but nearly all have a time at one side and the level, in capitals, not far from it: what may
//! stand between is in brackets, a number, or a name with a dot.

use crate::format::block::{Alarm, Crash, Dated, Format, Front, Later, Reader, RecordLines, Shape, Words};
use crate::format::head::{Head, Span};
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// `java.util.logging`.
pub(crate) const JUL: Format = Format {
    name: "jul",
    read: Reader::Line(read_jul),
    lines: RecordLines::Multiple,
    front: Front {
        first: b"At[",
        is_timed_in_brackets: true,
        words: Words::Month,
        dated: Dated::new(Shape::Any, b"[SCF"),
    },
    later: Later::Second(level_of_second),
    may_be_open: true,
    layouts: layouts::JUL,
    ..Format::NONE
};

/// log4j, logback, and what is built on them; how a program in Java ends.
pub(crate) const LOG4J: Format = Format {
    name: "log4j",
    read: Reader::Line(read_log4j),
    lines: RecordLines::Multiple,
    front: Front { first: b"0A[", words: Words::Dated, dated: Dated::new(Shape::Dashed, b""), ..Front::ANY },
    crashes: &[
        Crash::new(b"Exception in thread ", Level::Error).interrupting(Level::Error).traced(),
        Crash::new(b"# A fatal error has been detected by the Java", Level::Fatal).interrupting(Level::Error),
        Crash::new(b"Terminating due to java.lang.OutOfMemoryError", Level::Fatal).interrupting(Level::Error),
        Crash::new(b"Aborting due to java.lang.OutOfMemoryError", Level::Fatal).interrupting(Level::Error),
        Crash::new(b"Error occurred during initialization of VM", Level::Fatal).interrupting(Level::Error),
        Crash::new(b"OpenJDK 64-Bit Server VM warning: ", Level::Warn),
        Crash::new(b"Java HotSpot(TM) 64-Bit Server VM warning: ", Level::Warn),
    ],
    continues: &[b"Caused by:", b"Suppressed: ", b"... ", b"at "],
    layouts: layouts::LOG4J,
    ..Format::NONE
};

/// log4j's events as XML, of version 1 and 2.
pub(crate) const LOG4J_XML: Format = Format {
    name: "log4j-xml",
    read: Reader::Line(read_log4j_xml),
    lines: RecordLines::Multiple,
    front: Front { first: b"<", ..Front::ANY },
    // FoundationDB's.
    alarms: &[Alarm::Phrase(b"Severity=\"40"), Alarm::Phrase(b"Severity='40")],
    ..Format::NONE
};

/// How many pieces between time and level are looked at: threads, processes, contexts, loggers.
const PIECES_MAX: usize = 6;

/// Reads `<log4j:event logger="a.B" timestamp="1767607200123" level="ERROR" thread="main">` and version 2's `<Event ...>`.
fn read_log4j_xml(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    if !scan.eat_all(b"<log4j:event ") && !scan.eat_all(b"<Event ") {
        return None;
    }
    let mut level = None;
    loop {
        scan.spaces();
        let key = scan.while_is(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-'));
        if key.is_empty() || !scan.eat(b'=') {
            break;
        }
        let quote = scan.peek();
        let Some(value) = scan.between(quote, quote).filter(|_| matches!(quote, b'"' | b'\'')) else { break };
        match (key, value) {
            (b"level", word) => level = Level::from_word(word),
            // FoundationDB's events.
            (b"Severity", b"40") => level = Some(Level::Error),
            (b"Severity", b"30" | b"20") => level = Some(Level::Warn),
            (b"Severity", b"10") => level = Some(Level::Info),
            (b"Severity", b"5") => level = Some(Level::Debug),
            _ => {}
        }
    }
    Some(Head { level, ..Head::default() })
}

/// Reads the first line of `java.util.logging`'s two, `Jan 05, 2026 10:00:00 AM com.example.App main`, of which
/// [`level_of_second`] returns the level; or a record on one line, as Tomcat and others have it.
fn read_jul(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    if scan.peek().is_ascii_uppercase() {
        return read_first(scan);
    }
    let is_bracketed = scan.eat(b'[');
    // Tomcat's date has the month as a word: `05-Jan-2026 10:00:00.123 INFO [main] ...`.
    let is_tomcat = scan.rest().get(2) == Some(&b'-') && scan.rest().get(6) == Some(&b'-');
    let time = scan.date_time()?;
    if is_bracketed && !scan.eat(b']') {
        return None;
    }
    if !scan.spaces() {
        return None;
    }
    let word = scan;
    let level = scan.level_in_brackets().or_else(|| scan.capital_level())?;
    let is_known = is_tomcat && scan.spaces() && scan.peek() == b'[' || is_of_jul(word, is_bracketed);
    scan.spaces();
    is_known.then(|| Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Returns whether only `java.util.logging` has this word, or this width of it in brackets.
fn is_of_jul(mut word: Scan<'_>, after_brackets: bool) -> bool {
    let is_bracketed = word.eat(b'[') && after_brackets;
    let start = word.at();
    let letters = word.while_is(|byte| byte.is_ascii_uppercase());
    word.spaces();
    let is_known = [&b"SEVERE"[..], b"CONFIG", b"FINE", b"FINER", b"FINEST"].contains(&letters);
    is_known || is_bracketed && word.at() - start == 7 && word.peek() == b']'
}

fn read_first(mut scan: Scan<'_>) -> Option<Head> {
    let time = scan.date_time()?;
    // Since Java 20 a narrow no-break space (U+202F) stands before the half of the day.
    let is_narrow = scan.eat_all(b"\xe2\x80\xafAM") || scan.eat_all(b"\xe2\x80\xafPM");
    let time = Span { end: if is_narrow { scan.at() } else { time.end }, ..time };
    let has_half = is_narrow || scan.rest().starts_with(b" ");
    let has_comma = time.of(scan.passed()).contains(&b',');
    if !has_half || !has_comma || !scan.eat(b' ') {
        return None;
    }
    let source = scan.token();
    scan.eat(b' ');
    let method = scan.token();
    let is_name = |name: &[u8]| name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._$<>-/".contains(byte));
    let is_source = !source.is_empty() && is_name(source) && is_name(method) && scan.is_end();
    is_source.then_some(Head { time, is_open: true, ..Head::default() })
}

/// Returns the level at the front of the second line of a record of `java.util.logging`: `SEVERE: message`.
fn level_of_second(line: &[u8]) -> Option<Level> {
    let mut scan = Scan::new(line);
    scan.capital_level().filter(|_| scan.peek() == b':')
}

/// Reads a line of log4j or logback: the time first, or the level.
fn read_log4j(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    scan.colours();
    let first = scan.peek();
    if first.is_ascii_uppercase() || first == b'[' && scan.rest().get(1).is_some_and(u8::is_ascii_uppercase) {
        return read_level_first(scan);
    }
    let front = scan;
    let Some((time, is_sure)) = time_at_front(&mut scan) else {
        return if first == b'[' { read_without_time(front) } else { None };
    };
    let (level, has_pieces) = level_behind(&mut scan)?;
    // A date, a level and words may be anybody's; Java says more, or counts milliseconds.
    let is_certain = is_sure || has_pieces;
    let head = (is_certain || names_a_class(scan)).then(|| begin(scan, level, time))?;
    Some(if is_certain { head } else { Head { header: 0, ..head } })
}

/// `INFO  [main] 2026-01-05 10:00:00,123 App.java:12 - message`, `[INFO] [01/05/2026 10:00:00.123] [thread] message`.
fn read_level_first(mut scan: Scan<'_>) -> Option<Head> {
    let level = scan.capital_level().or_else(|| scan.level_in_brackets())?;
    scan.blanks();
    if scan.peek() == b'[' && !scan.rest().get(1).is_some_and(u8::is_ascii_digit) {
        scan.between(b'[', b']')?;
        scan.blanks();
    }
    let (time, is_sure) = time_at_front(&mut scan)?;
    is_sure.then(|| begin(scan, level, time))
}

/// Minecraft's `[10:00:00 INFO]: message`; slf4j-simple's `[main] INFO com.example.App - message`.
fn read_without_time(mut scan: Scan<'_>) -> Option<Head> {
    scan.eat(b'[');
    let start = scan.at();
    if scan.clock() {
        let time = scan.since(start);
        let level = if scan.eat(b' ') { scan.capital_level() } else { None }?;
        return scan.eat_all(b"]:").then(|| begin(scan, level, time));
    }
    scan.until(b']')?;
    let level = if scan.eat(b' ') { scan.capital_level() } else { None }?;
    let after = scan;
    let is_named = scan.eat(b' ') && scan.token().contains(&b'.') && scan.eat_all(b" - ");
    is_named.then(|| Head { header: 0, ..begin(after, level, Span::default()) })
}

/// Passes over the time, in brackets or not, and says whether it is one that few others write: with milliseconds.
fn time_at_front(scan: &mut Scan<'_>) -> Option<(Span, bool)> {
    let is_bracketed = scan.eat(b'[');
    let start = scan.at();
    let rest = scan.rest();
    let is_slashed = rest.get(4) == Some(&b'/');
    let is_short = rest.get(2) == Some(&b'/') && rest.get(8) == Some(&b' ');
    let is_sure = if is_short {
        // Spark and Hadoop: `26/01/05 10:00:00`.
        let is_date = scan.digits(2, 2).is_some() && scan.eat(b'/') && scan.digits(2, 2).is_some() && scan.eat(b'/');
        is_date && scan.digits(2, 2).is_some() && scan.eat(b' ') && scan.clock().then_some(true)?
    } else if !is_slashed && (scan.date_time().is_some() || scan.clock()) {
        memchr::memchr2(b',', b'.', &rest[..(scan.at() - start) as usize]).is_some()
    } else if scan.digits(1, 9).is_some() && scan.peek() == b' ' && scan.rest().trim_ascii_start().starts_with(b"[") {
        // The layout TTCC: milliseconds since the start, and a thread.
        true
    } else {
        return None;
    };
    let time = scan.since(start);
    let is_ended = if is_bracketed { scan.eat(b']') } else { !scan.peek().is_ascii_alphanumeric() };
    is_ended.then_some((time, is_sure))
}

/// Passes over what stands before the level, and the level; says whether anything in brackets did.
fn level_behind(scan: &mut Scan<'_>) -> Option<(Level, bool)> {
    let mut has_pieces = false;
    for _ in 0..PIECES_MAX {
        scan.blanks();
        while matches!(scan.peek(), b'-' | b'|' | b':' | b',') {
            scan.eat(scan.peek());
            scan.blanks();
        }
        let is_capital =
            scan.rest().get(1..3).is_some_and(|letters| letters[1].is_ascii_uppercase() || letters[0] == b' ');
        if let Some(level) = if is_capital { scan.level_in_brackets() } else { None } {
            return Some((level, has_pieces));
        }
        if let Some(level) = scan.capital_level() {
            let is_ended = scan.is_end() || matches!(scan.peek(), b' ' | b'\t' | b'|' | b':' | b'[');
            return is_ended.then_some((level, has_pieces));
        }
        match scan.peek() {
            b'[' => {
                let piece = scan.between(b'[', b']')?;
                // Minecraft has the level behind the thread: `[Server thread/INFO]: message`.
                let last = piece.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
                if scan.peek() == b':' && last.len() < piece.len() {
                    return Level::from_word(last).map(|level| (level, true));
                }
                // A thread's name may have brackets of its own.
                while scan.peek() == b']' {
                    scan.eat(b']');
                }
                has_pieces = true;
            }
            b'(' => {
                scan.between(b'(', b')')?;
                has_pieces = true;
            }
            _ => {
                let word = scan.token();
                let is_number = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
                let is_name = word.iter().any(|byte| matches!(byte, b'.' | b'-' | b'=' | b'_' | b'#'))
                    && !word.iter().any(|byte| matches!(byte, b'"' | b'/' | b':' | b','))
                    && !word.ends_with(b".");
                if !is_number && !is_name && word != b"main" {
                    return None;
                }
            }
        }
    }
    None
}

fn begin(mut scan: Scan<'_>, level: Level, time: Span) -> Head {
    while matches!(scan.peek(), b' ' | b'-' | b'|' | b':' | b'\t' | b'\x1b')
        && (scan.colours() || scan.eat(scan.peek()))
    {}
    Head { level: Some(level), time, message: scan.at(), header: scan.header(), ..Head::default() }
}

/// Returns whether what follows a level is Java's: something in brackets, a process and ` --- `, or the name of a class.
pub(crate) fn names_a_class(mut scan: Scan<'_>) -> bool {
    scan.blanks();
    while matches!(scan.peek(), b'-' | b'|' | b':') {
        scan.eat(scan.peek());
        scan.blanks();
    }
    if matches!(scan.peek(), b'[' | b'(') || scan.digits(1, 10).is_some() && scan.eat_all(b" ---") {
        return true;
    }
    let name = scan.while_is(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'#'));
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_class = last.first().is_some_and(u8::is_ascii_uppercase) && last.iter().any(u8::is_ascii_lowercase);
    let is_ended = scan.is_end() || matches!(scan.peek(), b' ' | b':' | b'|' | b'\x1b');
    is_class && is_ended && (name.len() > last.len() || scan.peek() == b':')
}
