//! IBM: the error logs of MQ, and those of App Connect Enterprise.

use crate::format::block::{Alarm, Dated, Format, Front, Later, Reader, RecordLines, Shape};
use crate::format::head::Head;
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// IBM MQ.
pub(crate) const MQ: Format = Format {
    name: "ibm-mq",
    read: Reader::Line(read_mq),
    lines: RecordLines::Multiple,
    later: Later::Ahead(level_of_message),
    front: Front { first: b"0", dated: Dated::new(Shape::None, b""), ..Front::ANY },
    alarms: &[Alarm::Front(b"AMQ")],
    layouts: layouts::MQ,
    ..Format::NONE
};

/// IBM App Connect Enterprise, which was Integration Bus.
pub(crate) const ACE: Format = Format {
    name: "ibm-ace",
    read: Reader::Line(read_ace),
    front: Front { first: b"t", dated: Dated::new(Shape::Dashed, b":0"), ..Front::ANY },
    has_no_alarms: true,
    ..Format::NONE
};

/// Reads `2026-01-05 10:00:00.123456: BIP2230E: message`, or the same with a thread and a trace's name before the number.
///
/// Source: IBM's documentation, "BIP messages".
fn read_ace(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    let is_dated = scan.usual_date_time() && line.get(4) == Some(&b'-');
    is_dated.then_some(())?;
    let time = scan.since(0);
    if !scan.eat(b':') {
        // A thread and the name of a trace.
        let is_thread = scan.spaces() && scan.digits(1, 10).is_some() && scan.spaces();
        is_thread.then(|| scan.letters())?;
    }
    let level = (scan.spaces() && scan.eat_all(b"BIP")).then(|| message_level(&mut scan))??;
    scan.eat(b':').then_some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Passes over a message's number and the letter behind it, which says how serious it is.
fn message_level(scan: &mut Scan<'_>) -> Option<Level> {
    scan.digits(4, 5)?;
    let letter = scan.peek();
    let level = match letter {
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' | b'S' => Level::Error,
        b'T' | b'F' => Level::Fatal,
        _ => return None,
    };
    scan.eat(letter);
    Some(level)
}

/// Reads `01/05/26 10:00:00 - Process(7.1) User(mqm) Program(amqzxma0)`, the first line of a record.
///
/// Source: IBM's documentation, "Error logs on AIX, Linux, and Windows".
fn read_mq(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    // Most lines have no such date.
    if !matches!(line, [b'0'..=b'9', b'/' | b'0'..=b'9', ..]) || !scan.any_time() {
        return None;
    }
    let time = scan.since(0);
    let is_process = scan.eat_all(b" - Process(") && scan.until(b')').is_some();
    is_process.then_some(Head { time, message: scan.at(), ..Head::default() })
}

/// Returns the level of the message that is the first in some lines, which its last letter says: `AMQ9999E: message`.
fn level_of_message(lines: &[u8]) -> Option<Level> {
    let mut rest = lines;
    loop {
        let mut scan = Scan::new(rest);
        if scan.eat_all(b"AMQ") {
            return message_level(&mut scan);
        }
        // Up to there all lines are indented, or empty.
        if !matches!(rest.first(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            return None;
        }
        rest = &rest[memchr::memchr(b'\n', rest)? + 1..];
    }
}
