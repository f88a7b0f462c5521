//! What a record says of itself, for outputs that show it in fields of their own.

use serde::de::IgnoredAny;

use super::json::{self, Value};
use super::judge::{Formats, Verdict};
use super::{container, time};
use crate::level::Level;

/// The fields of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Its own time as RFC 3339, where that is certain.
    pub time: Option<String>,
    /// The name of its format.
    pub format: &'a str,
    /// Its level.
    pub level: Option<Level>,
}

/// Returns the fields of a record that begins with `line`, of which `verdict` was found.
#[must_use]
pub fn fields<'a>(formats: &'a Formats, verdict: &Verdict, line: &[u8]) -> Fields<'a> {
    let of_member = |(key, value)| match value {
        Value::Text(text) if is_time(key) => time::rfc3339(text),
        Value::Other(text) if is_time(key) => time::since_epoch(text),
        _ => None,
    };
    let time = match line.strip_prefix(b"{") {
        Some(inside) => json::Members::new(inside).find_map(of_member),
        None => time::rfc3339(verdict.time.of(line)),
    };
    Fields { time, format: formats.name(verdict.format), level: verdict.level }
}

/// Returns what a record of JSON calls its message, as the inside of a JSON string.
#[must_use]
pub fn message(record: &[u8]) -> Option<&[u8]> {
    json::Members::new(record.strip_prefix(b"{")?).find_map(|(key, value)| match value {
        Value::Text(text) if is_message(key) => Some(text),
        _ => None,
    })
}

/// Returns the record without what a container runtime has wrapped around its lines, if one has.
///
/// `lines` ends without a newline.
#[must_use]
pub fn unwrapped(format: &str, lines: &[u8]) -> Option<Vec<u8>> {
    let unwrap = match format {
        "cri" => container::unwrap_cri,
        "docker" => container::unwrap_docker,
        _ => return None,
    };
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

/// Says whether the text is one valid JSON object.
#[must_use]
pub fn is_json_object(text: &[u8]) -> bool {
    text.first() == Some(&b'{')
        && std::str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

fn is_time(key: &[u8]) -> bool {
    [&b"time"[..], b"ts", b"timestamp", b"@timestamp", b"@t", b"datetime", b"Timestamp"].contains(&key)
}

fn is_message(key: &[u8]) -> bool {
    [&b"message"[..], b"msg", b"@m", b"MESSAGE", b"@message", b"short_message", b"Message"].contains(&key)
}
