//! A record as JSON objects, whatever their fields are called.
//!
//! A record of JSON is embedded as it is, one of logfmt as an object of its pairs. Any other record is a `message`, its lines joined
//! by `\n`, without its header if that is in fields. What does not fit one object goes on in the next: they have the same fields, a
//! number `part`, and their messages put together are the message. Bytes that are not UTF-8 become U+FFFD, which is the only thing
//! that can be lost.
//!
//! LOSS: a character that `MAX_LINE` cuts in two is shown as U+FFFD twice.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::attributes::Said;
use super::escape::escape;
use crate::format::{self, Body, Fields, Level, PairValue, Pairs, Time};
use crate::output::json_text::is_json_object;

/// How long an object may be with its newline, in bytes: containerd cuts longer lines in two.
///
/// Source: `maxContainerLogLineSize` of its CRI plugin.
pub const OBJECT_BYTES_MAX: usize = 16 * 1024;

/// How much of an object its file's name may take, escaped, in bytes.
const NAME_BYTES_MAX: usize = 4 * 1024;

/// How much of an object a value of the record itself may take that is repeated beside it, in bytes.
const REPEATED_BYTES_MAX: usize = 1024;

/// How much of an object a header may take beyond time and level, escaped, in bytes; a longer one stays in its message.
const HEADER_BYTES_MAX: usize = 6 * 1024;

/// Adds what the objects of a record begin with: the fields of the record, each with a comma before it, and the opening of its
/// file among them. Returns how many sequences of bytes were not UTF-8.
pub type ObjectFields = fn(&mut Vec<u8>, &RecordFront<'_>) -> u64;

/// What the objects of a record begin with, before it is encoded.
#[derive(Debug, Clone, Copy)]
pub struct RecordFront<'a> {
    /// What each object of its file says.
    pub opening: &'a [u8],
    /// What the record says of itself.
    pub fields: &'a Fields<'a>,
    /// The record, from its front on.
    pub record: &'a [u8],
}

impl<'a> RecordFront<'a> {
    /// Returns what its header says beyond time and level; nothing if that is too long.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Said<'a>> + Clone {
        let is_short = self.is_header_short();
        self.fields.attributes(self.record).filter(move |_| is_short)
    }

    /// Returns whether the header leaves enough of an object to its message.
    fn is_header_short(&self) -> bool {
        let bytes: usize = self.fields.attributes(self.record).map(|(_, value)| value.len() + 48).sum();
        if bytes <= HEADER_BYTES_MAX / 6 {
            return true;
        }
        // A character of two bytes is one of three if it is not UTF-8, an ASCII one at most six.
        let escaped = |value: &[u8]| -> usize {
            value.len()
                + value.iter().filter(|byte| !matches!(byte, b' '..=b'!' | b'#'..=b'[' | b']'..=b'~')).count() * 5
        };
        bytes <= HEADER_BYTES_MAX
            && self.fields.attributes(self.record).map(|(_, value)| escaped(value) + 48).sum::<usize>()
                <= HEADER_BYTES_MAX
    }
}

/// Returns a field whose value is a file's name; `opening` is as for [`field`].
pub(super) fn name_field(opening: &[u8], name: &Path) -> Box<[u8]> {
    let mut field = opening.to_vec();
    escape(&mut field, name.as_os_str().as_bytes(), NAME_BYTES_MAX);
    field.push(b'"');
    field.into_boxed_slice()
}

/// Returns the time of a record; empty if it has none.
pub(super) fn time_text<'a>(fields: &'a Fields<'_>) -> &'a [u8] {
    fields.time.as_ref().map_or(b"", Time::as_bytes)
}

/// Returns the level of a record; empty if it has none.
pub(super) fn level_name(fields: &Fields<'_>) -> &'static [u8] {
    fields.level.map_or("", Level::name).as_bytes()
}

/// The objects of one record: their common fields, and how many there have been. They serve for one record after another.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    /// `{"time":...,"level":"info"`: what each of them begins with.
    fields: Vec<u8>,
    parts: u32,
    /// Whether the header is in the fields, so that the message goes without it.
    has_header: bool,
    /// How many sequences of the fields were not UTF-8, and are not counted yet.
    invalid: u64,
}

impl Objects {
    /// Begins the objects of a record.
    pub fn begin(&mut self, add: ObjectFields, front: &RecordFront<'_>) {
        self.parts = 0;
        let out = &mut self.fields;
        out.clear();
        self.invalid = add(out, front);
        self.has_header = front.is_header_short();
        // The comma before the first of them.
        if let Some(first) = out.first_mut() {
            *first = b'{';
        }
    }

    /// Returns whether any record was begun.
    #[must_use]
    pub(crate) fn is_known(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Returns whether there has been an object already.
    #[must_use]
    pub(crate) fn has_begun(&self) -> bool {
        self.parts > 0
    }

    /// Adds the objects of a record that was begun with these fields, or of its front, to `out`, each a line, and returns how many
    /// sequences of it were not UTF-8.
    ///
    /// `is_whole` says whether the last line of it has an end.
    pub fn add_record(&mut self, out: &mut Vec<u8>, record: &[u8], fields: &Fields<'_>, is_whole: bool) -> u64 {
        let is_embedded = match &fields.body {
            Body::Json(message) => self.embed(out, record, *message),
            Body::Pairs(message) => is_whole && self.embed_pairs(out, record, *message),
            Body::Text(_) => false,
        };
        if is_embedded {
            self.parts = 1;
            return std::mem::take(&mut self.invalid);
        }
        let text = if self.has_header { message_of(record, fields, is_whole) } else { record };
        self.add(out, text)
    }

    /// Adds the objects of a record that a container runtime's lines held, as it was without them.
    pub fn add_unwrapped(&mut self, out: &mut Vec<u8>, record: &[u8]) -> u64 {
        if self.embed(out, record, format::message(record)) {
            self.parts = 1;
            return std::mem::take(&mut self.invalid);
        }
        self.add(out, record)
    }

    /// Adds the objects of a text that is the message of a record, or goes on with it.
    pub fn add(&mut self, out: &mut Vec<u8>, text: &[u8]) -> u64 {
        let (mut rest, mut invalid) = (text, std::mem::take(&mut self.invalid));
        loop {
            let start = out.len();
            self.parts += 1;
            self.open(out, self.parts > 1);
            let (taken, bad) = escape(out, rest, OBJECT_BYTES_MAX - (out.len() - start) - 3);
            if taken < rest.len() && self.parts == 1 {
                // It does not fit one object, so this one is the first of several.
                out.truncate(start);
                self.open(out, true);
                let (taken, bad) = escape(out, rest, OBJECT_BYTES_MAX - (out.len() - start) - 3);
                rest = &rest[taken..];
                invalid += bad;
            } else {
                rest = &rest[taken..];
                invalid += bad;
            }
            out.extend_from_slice(b"\"}\n");
            if rest.is_empty() {
                return invalid;
            }
        }
    }

    /// Begins an object, up to the opening quote of its message.
    fn open(&self, out: &mut Vec<u8>, is_part: bool) {
        out.extend_from_slice(&self.fields);
        if is_part {
            out.extend(format!(",\"part\":{}", self.parts).as_bytes());
        }
        out.extend_from_slice(b",\"message\":\"");
    }

    /// Adds a record of JSON as it is, if it is valid and fits; says whether it was.
    fn embed(&self, out: &mut Vec<u8>, record: &[u8], message: Option<&[u8]>) -> bool {
        let message = message.filter(|message| message.len() <= REPEATED_BYTES_MAX);
        let bytes = self.fields.len() + record.len() + message.map_or(0, <[u8]>::len) + 32;
        if bytes > OBJECT_BYTES_MAX || !is_json_object(record) {
            return false;
        }
        out.extend_from_slice(&self.fields);
        if let Some(message) = message {
            out.extend_from_slice(b",\"message\":\"");
            out.extend_from_slice(message);
            out.push(b'"');
        }
        out.extend_from_slice(b",\"record\":");
        // Between the values of valid JSON a newline is a blank, and within them there is none.
        let start = out.len();
        out.extend_from_slice(record);
        let mut from = start;
        while let Some(found) = memchr::memchr2(b'\n', b'\r', &out[from..]) {
            from += found;
            out[from] = b' ';
        }
        out.extend_from_slice(b"}\n");
        true
    }

    /// Adds a record of logfmt as an object of its pairs, if it is one line and fits; says whether it was.
    fn embed_pairs(&mut self, out: &mut Vec<u8>, record: &[u8], message: Option<PairValue<'_>>) -> bool {
        let bytes = self.fields.len() + record.len() + 32;
        if bytes > OBJECT_BYTES_MAX || record.contains(&b'\n') {
            return false;
        }
        let (start, mut invalid) = (out.len(), 0);
        out.extend_from_slice(&self.fields);
        if let Some(message) = message.filter(|message| message.text().len() <= REPEATED_BYTES_MAX) {
            out.extend_from_slice(b",\"message\":\"");
            add_pair_value(out, message);
            out.push(b'"');
        }
        out.extend_from_slice(b",\"record\":");
        let first = out.len();
        for (key, value) in Pairs::new(record) {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(key);
            out.extend_from_slice(b"\":\"");
            invalid += add_pair_value(out, value);
            out.push(b'"');
        }
        out[first] = b'{';
        out.extend_from_slice(b"}}\n");
        if out.len() - start > OBJECT_BYTES_MAX {
            out.truncate(start);
            return false;
        }
        self.invalid += invalid;
        true
    }
}

/// Returns the message of a record whose header is in fields.
fn message_of<'a>(record: &'a [u8], fields: &Fields<'_>, is_whole: bool) -> &'a [u8] {
    let Body::Text(outline) = &fields.body else { return record };
    let start = (outline.places.message as usize).min(record.len());
    // Where more lines follow, what stands behind the message is said twice rather than lost.
    if let Some(end) = outline.places.message_end.filter(|_| is_whole && !record.contains(&b'\n')) {
        return &record[start..(end as usize).clamp(start, record.len())];
    }
    let message = &record[start..];
    if start == 0 {
        return message;
    }
    // A header that is a line of its own ends with it.
    message.strip_prefix(b"\r\n").or_else(|| message.strip_prefix(b"\n")).unwrap_or(message)
}

/// Adds a value of logfmt as the inside of a JSON string, and returns how many sequences of it were not UTF-8. Escapes that JSON
/// has too mean the same; of the others, and of halves of a character, the backslash is kept.
fn add_pair_value(out: &mut Vec<u8>, value: PairValue<'_>) -> u64 {
    let PairValue::Quoted(text) = value else { return escape(out, value.text(), OBJECT_BYTES_MAX).1 };
    let (mut rest, mut invalid) = (text, 0);
    while let Some(at) = memchr::memchr(b'\\', rest) {
        invalid += escape(out, &rest[..at], OBJECT_BYTES_MAX).1;
        let escaped = &rest[at..];
        let length = match escaped.get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            _ => match (code_unit(escaped), escaped.get(6..).and_then(code_unit)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
                (None | Some(0xd800..=0xdfff), _) => 0,
                (Some(_), _) => 6,
            },
        };
        out.extend_from_slice(if length == 0 { b"\\\\" } else { &escaped[..length] });
        rest = &escaped[length.max(1)..];
    }
    invalid + escape(out, rest, OBJECT_BYTES_MAX).1
}

/// Returns the code unit of UTF-16 that a text begins with, as `\u00e9`.
fn code_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | u16::try_from(char::from(*digit).to_digit(16)?).ok()?))
}

/// Adds a field whose value is escaped already; nothing if it is empty. `opening` is what stands before the value, with the
/// comma that divides it from the field before.
pub(super) fn field(out: &mut Vec<u8>, opening: &[u8], value: &[u8]) {
    if !value.is_empty() {
        out.extend_from_slice(opening);
        out.extend_from_slice(value);
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn objects(level: Level, record: &[u8]) -> Vec<String> {
        let body = if record.starts_with(b"{") { Body::Json(None) } else { Body::default() };
        let fields = Fields { time: None, format: "go", level: Some(level), body };
        let (mut objects, mut out) = (Objects::default(), Vec::new());
        let front = RecordFront { opening: b"", fields: &fields, record };
        objects.begin(
            |out, front| {
                field(out, b",\"level\":\"", level_name(front.fields));
                0
            },
            &front,
        );
        objects.add_record(&mut out, record, &fields, true);
        let text = String::from_utf8(out).expect("UTF-8 whatever the record was");
        text.lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn json_is_embedded_as_it_is() {
        let found = objects(Level::Info, b"{ \"a\" : 1.50,\n \"b\":\"\\u00e9\" }");
        assert!(found[0].ends_with(r#","record":{ "a" : 1.50,  "b":"\u00e9" }}"#), "{found:?}");
        let found = objects(Level::Info, b"{\"a\":1");
        assert!(found[0].ends_with(r#","message":"{\"a\":1"}"#), "{found:?}");
    }

    #[test]
    fn an_escape_of_half_a_character_is_text() {
        for (value, expected) in [
            (r"\u00e9", r"\u00e9"),
            (r"\ud83d\ude00", r"\ud83d\ude00"),
            (r"\uD83D\uDE00x", r"\uD83D\uDE00x"),
            (r"\ud800", r"\\ud800"),
            (r"\ud800x\udc00", r"\\ud800x\\udc00"),
            (r"\udc00\ud800", r"\\udc00\\ud800"),
            (r"\ud800\ud83d\ude00", r"\\ud800\ud83d\ude00"),
            (r"\ud800\u0041", r"\\ud800\u0041"),
            (r"\ud83d\ude0", r"\\ud83d\\ude0"),
        ] {
            let mut out = Vec::new();
            assert_eq!(add_pair_value(&mut out, PairValue::Quoted(value.as_bytes())), 0);
            assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
            let text = serde_json::from_str::<String>(&format!("\"{expected}\""));
            assert!(text.is_ok(), "{expected}: {text:?}");
        }
    }

    #[test]
    fn a_long_record_becomes_parts_that_make_it_up_again() {
        for unit in ["x", "é", "\"", "\u{1}", "日本", "{\"a\":1}"] {
            let record = unit.repeat(60_000 / unit.len());
            let found = objects(Level::Info, record.as_bytes());
            assert!(found.len() > 3, "{unit:?}: {}", found.len());
            let mut message = String::new();
            for (index, line) in found.iter().enumerate() {
                assert!(line.len() < OBJECT_BYTES_MAX, "{unit:?}: {}", line.len());
                let object: Value = serde_json::from_str(line).expect("valid JSON");
                assert_eq!((&object["part"], &object["level"]), (&Value::from(index + 1), &Value::from("info")));
                message.push_str(object["message"].as_str().expect("text"));
            }
            assert!(message == record, "{unit:?}");
        }
    }
}
