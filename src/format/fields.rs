//! What a record says of itself, for outputs that show it in fields of their own.
//!
//! What a record does not say, or does not say for certain, is left out. It is not asked of lines that are streamed as they are.

use super::catalog::{FORMATS, FormatSet};
use super::json_object::{JsonValue, Members};
use super::judge::{Formats, Verdict};
use super::level::Level;
use super::time::Time;

/// The fields of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Its own time as RFC 3339, where that is certain.
    pub time: Option<Time>,
    /// The name of its format.
    pub format: &'a str,
    /// Its level.
    pub level: Option<Level>,
    /// What it calls its message, if it is JSON, as the inside of a JSON string.
    pub message: Option<&'a [u8]>,
}

/// Returns the fields of a record that begins with `line`, of which `verdict` was found.
#[must_use]
pub fn fields<'a>(formats: &'a Formats, verdict: &Verdict, line: &'a [u8]) -> Fields<'a> {
    let (time, message) = match line.strip_prefix(b"{") {
        Some(inside) => time_and_message(inside),
        None => (Time::rfc3339(verdict.time.of(line)), None),
    };
    Fields { time, format: formats.name(verdict.format), level: verdict.level, message }
}

/// Returns what a record of JSON calls its message, as the inside of a JSON string.
#[must_use]
pub(crate) fn message(record: &[u8]) -> Option<&[u8]> {
    time_and_message(record.strip_prefix(b"{")?).1
}

/// Returns the first certain time among the members of an object, and its first message.
fn time_and_message(inside: &[u8]) -> (Option<Time>, Option<&[u8]>) {
    let (mut time, mut message) = (None, None);
    for (key, value) in Members::new(inside) {
        match value {
            JsonValue::Text(text) if time.is_none() && is_time(key) => time = Time::rfc3339(text),
            JsonValue::Other(text) if time.is_none() && is_time(key) => time = Time::since_epoch(text),
            JsonValue::Text(text) if message.is_none() && is_message(key) => message = Some(text),
            _ => {}
        }
        if time.is_some() && message.is_some() {
            break;
        }
    }
    (time, message)
}

/// Returns the record without what a container runtime has wrapped around its lines, if one has.
///
/// `lines` ends without a newline.
#[must_use]
pub fn unwrapped(format: &str, lines: &[u8]) -> Option<Vec<u8>> {
    let mut known = UNWRAPPED;
    let unwrap = known.find(|index| FORMATS[*index].name == format).and_then(|index| FORMATS[index].unwrap)?;
    let mut record = Vec::with_capacity(lines.len());
    let mut is_open = true;
    for line in lines.split(|byte| *byte == b'\n') {
        if !is_open {
            record.push(b'\n');
        }
        is_open = unwrap(line, &mut record);
    }
    Some(record)
}

/// The formats that container runtimes write.
static UNWRAPPED: FormatSet = {
    let (mut formats, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        formats = if FORMATS[index].unwrap.is_some() { formats.add(index) } else { formats };
        index += 1;
    }
    formats
};

fn is_time(key: &[u8]) -> bool {
    matches!(key, b"time" | b"ts" | b"timestamp" | b"@timestamp" | b"@t" | b"datetime" | b"Timestamp")
}

fn is_message(key: &[u8]) -> bool {
    matches!(key, b"message" | b"msg" | b"@m" | b"MESSAGE" | b"@message" | b"short_message" | b"Message")
}
