//! A record as JSON objects, whatever their fields are called.
//!
//! A record of JSON is embedded as it is; any other record is a `message`, whole, its lines joined by `\n`. What does not fit
//! one object goes on in the next: they have the same fields, a number `part`, and their messages put together are the
//! record. Bytes that are not UTF-8 become U+FFFD, which is the only thing that can be lost.
//!
//! LOSS: a character that `MAX_LINE` cuts in two is shown as U+FFFD twice.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::escape::escape;
use crate::format::{Fields, Level, Time};
use crate::output::json_text::is_json_object;

/// How long an object may be with its newline, in bytes: containerd cuts longer lines in two.
///
/// Source: `maxContainerLogLineSize` of its CRI plugin.
pub const OBJECT_BYTES_MAX: usize = 16 * 1024;

/// How much of an object its file's name may take, escaped, in bytes.
const NAME_BYTES_MAX: usize = 4 * 1024;

/// How much of an object a value of the record itself may take that is repeated beside it, in bytes.
const REPEATED_BYTES_MAX: usize = 1024;

/// Adds what the objects of a record begin with: the fields of the record, each with a comma before it, and the opening of its
/// file among them.
pub type ObjectFields = fn(&mut Vec<u8>, &[u8], &Fields<'_>);

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
}

impl Objects {
    /// Begins the objects of a record that was read as `fields`; `opening` is that of its file.
    pub fn begin(&mut self, add: ObjectFields, opening: &[u8], fields: &Fields<'_>) {
        self.parts = 0;
        let out = &mut self.fields;
        out.clear();
        add(out, opening, fields);
        // The comma before the first of them.
        if let Some(first) = out.first_mut() {
            *first = b'{';
        }
    }

    /// Returns whether there has been an object already.
    #[must_use]
    pub(crate) fn has_begun(&self) -> bool {
        self.parts > 0
    }

    /// Adds the objects of a whole record, or of a part of one, to `out`, each a line, and returns how many sequences of it
    /// were not UTF-8.
    ///
    /// `message` is what the record, being JSON, calls its message: escaped already.
    pub fn add(&mut self, out: &mut Vec<u8>, record: &[u8], message: Option<&[u8]>) -> u64 {
        if self.parts == 0 && self.embed(out, record, message) {
            self.parts = 1;
            return 0;
        }
        let (mut rest, mut invalid) = (record, 0);
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
        let fields = Fields { time: None, format: "go", level: Some(level), message: None };
        let (mut objects, mut out) = (Objects::default(), Vec::new());
        objects.begin(|out, _, fields| field(out, b",\"level\":\"", level_name(fields)), b"", &fields);
        objects.add(&mut out, record, None);
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
