//! IBM: the error logs of MQ.

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
        if scan.eat_all(b"AMQ") && scan.digits(4, 5).is_some() {
            return match scan.peek() {
                b'I' => Some(Level::Info),
                b'W' => Some(Level::Warn),
                b'E' | b'S' => Some(Level::Error),
                b'T' => Some(Level::Fatal),
                _ => None,
            };
        }
        // Up to there all lines are indented, or empty.
        if !matches!(rest.first(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            return None;
        }
        rest = &rest[memchr::memchr(b'\n', rest)? + 1..];
    }
}
