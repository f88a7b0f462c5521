//! How a line looks on the stream: as it is (`raw`), with its file's name in front (`prefix`), or as a JSON object a record
//! (`json`, `ecs`, `gcp`).
//!
//! Pure. `raw` needs no encoding: its bytes go from the read buffer to the pipe as they are.
//!
//! A record of JSON is embedded as it is; any other record is a `message`, whole, its lines joined by `\n`. What does not fit
//! one object goes on in the next: they have the same fields, a number `part`, and their messages put together are the
//! record. Bytes that are not UTF-8 become U+FFFD, which is the only thing that can be lost.
//!
//! LOSS: a character that `MAX_LINE` cuts in two is shown as U+FFFD twice.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::json_text::{is_json_object, plain_bytes};
use crate::format::{Fields, Level, Time};

/// How long an object may be with its newline, in bytes: containerd cuts longer lines in two.
///
/// Source: `maxContainerLogLineSize` of its CRI plugin.
pub const OBJECT_BYTES_MAX: usize = 16 * 1024;

/// How much of an object its file's name may take, escaped, in bytes.
const NAME_BYTES_MAX: usize = 4 * 1024;

/// How much of an object a value of the record itself may take that is repeated beside it, in bytes.
const REPEATED_BYTES_MAX: usize = 1024;

/// The version of the Elastic Common Schema whose fields are written.
const ECS_VERSION: &[u8] = b",\"ecs.version\":\"8.11.0\"";

/// The output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Output {
    /// Byte for byte what the file holds.
    #[default]
    Raw,
    /// `[file] line`.
    Prefix,
    /// An object a record: `time`, `file`, `format`, `level`, `message` or `record`.
    Json,
    /// An object a record, with the names of the Elastic Common Schema.
    Ecs,
    /// An object a record, with the names and severities that Google Cloud Logging knows.
    ///
    /// Source: <https://cloud.google.com/logging/docs/structured-logging>
    Gcp,
}

impl Output {
    /// Every format with its name in the configuration.
    pub const NAMES: [(&'static str, Self); 5] =
        [("raw", Self::Raw), ("prefix", Self::Prefix), ("json", Self::Json), ("ecs", Self::Ecs), ("gcp", Self::Gcp)];

    /// Says whether it is an object a record.
    #[must_use]
    pub(crate) fn is_objects(self) -> bool {
        !matches!(self, Self::Raw | Self::Prefix)
    }

    /// Returns what each line, or object, of a file says of it, fields with a comma before them; empty for raw.
    ///
    /// `name` is what people call it, `path` where it is.
    #[must_use]
    pub fn opening(self, name: &Path, path: &Path) -> Box<[u8]> {
        match self {
            Self::Raw => Box::default(),
            Self::Prefix => prefix(name),
            Self::Json => name_in_json(b",\"file\":\"", name, b""),
            Self::Gcp => name_in_json(b",\"logging.googleapis.com/labels\":{\"file\":\"", name, b""),
            Self::Ecs => name_in_json(b",\"log.file.path\":\"", path, ECS_VERSION),
        }
    }
}

/// Returns `[name] `; a byte of the name that would break the line, or the terminal, is escaped (`\n`, `\x1b`).
fn prefix(name: &Path) -> Box<[u8]> {
    let mut prefix = vec![b'['];
    for byte in name.as_os_str().as_bytes() {
        if byte.is_ascii_control() {
            prefix.extend(byte.escape_ascii());
        } else {
            prefix.push(*byte);
        }
    }
    prefix.extend(b"] ");
    prefix.into_boxed_slice()
}

/// Returns a field whose value is the name, and what stands behind it.
fn name_in_json(opening: &[u8], name: &Path, behind: &[u8]) -> Box<[u8]> {
    let mut field = opening.to_vec();
    escape(&mut field, name.as_os_str().as_bytes(), NAME_BYTES_MAX);
    field.push(b'"');
    field.extend_from_slice(behind);
    field.into_boxed_slice()
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
    pub fn begin(&mut self, output: Output, opening: &[u8], fields: &Fields<'_>) {
        self.parts = 0;
        let out = &mut self.fields;
        out.clear();
        let time = fields.time.as_ref().map_or(&b""[..], Time::as_bytes);
        let level = fields.level.map_or("", |level| if output == Output::Gcp { severity(level) } else { level.name() });
        let (level, format) = (level.as_bytes(), fields.format.as_bytes());
        match output {
            Output::Ecs => {
                field(out, b",\"@timestamp\":\"", time);
                field(out, b",\"log.level\":\"", level);
                out.extend_from_slice(opening);
            }
            Output::Gcp => {
                field(out, b",\"severity\":\"", level);
                field(out, b",\"time\":\"", time);
                out.extend_from_slice(opening);
                field(out, b",\"format\":\"", format);
                out.push(b'}');
            }
            _ => {
                field(out, b",\"time\":\"", time);
                out.extend_from_slice(opening);
                field(out, b",\"format\":\"", format);
                field(out, b",\"level\":\"", level);
            }
        }
        // The comma before the first of them.
        if let Some(first) = out.first_mut() {
            *first = b'{';
        }
    }

    /// Says whether there has been an object already.
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

/// Returns what Cloud Logging calls a level.
///
/// Source: <https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#LogSeverity>
fn severity(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Notice => "NOTICE",
        Level::Warn => "WARNING",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
        Level::Fatal => "EMERGENCY",
    }
}

/// Adds a field whose value is escaped already; nothing if it is empty. `opening` is what stands before the value, with the
/// comma that divides it from the field before.
fn field(out: &mut Vec<u8>, opening: &[u8], value: &[u8]) {
    if !value.is_empty() {
        out.extend_from_slice(opening);
        out.extend_from_slice(value);
        out.push(b'"');
    }
}

/// Adds `text` as the inside of a JSON string (RFC 8259, section 7), at most `bytes_max` bytes of it, and returns how much of
/// the text that was and how many sequences of it were not UTF-8. At least one character is taken if `bytes_max` is 6.
pub(crate) fn escape(out: &mut Vec<u8>, text: &[u8], bytes_max: usize) -> (usize, u64) {
    let end = out.len() + bytes_max;
    let (mut taken, mut invalid) = (0, 0);
    while taken < text.len() {
        let rest = &text[taken..];
        let run = plain_bytes(rest);
        let room = end.saturating_sub(out.len());
        out.extend_from_slice(&rest[..run.min(room)]);
        taken += run.min(room);
        let Some(special) = rest.get(run).filter(|_| run <= room) else { break };
        if special.is_ascii() {
            if out.len() + 6 > end {
                break;
            }
            escape_byte(out, *special);
            taken += 1;
            continue;
        }
        // A sequence of UTF-8 holds no ASCII, so none goes on where that begins again.
        let others = &rest[run..];
        let others = &others[..others.iter().position(u8::is_ascii).unwrap_or(others.len())];
        let (whole, bad) = show(out, others, end);
        (taken, invalid) = (taken + whole, invalid + bad);
        if whole < others.len() {
            break;
        }
    }
    (taken, invalid)
}

/// Adds what is not ASCII until `out` is `end` bytes long; returns how much of it that was, and how many sequences were not
/// UTF-8.
fn show(out: &mut Vec<u8>, text: &[u8], end: usize) -> (usize, u64) {
    let (mut taken, mut invalid) = (0, 0);
    for chunk in text.utf8_chunks() {
        let (valid, room) = (chunk.valid(), end.saturating_sub(out.len()));
        let whole = (0..=room.min(valid.len())).rev().find(|cut| valid.is_char_boundary(*cut)).unwrap_or(0);
        out.extend_from_slice(&valid.as_bytes()[..whole]);
        taken += whole;
        if whole < valid.len() || chunk.invalid().is_empty() || out.len() + 3 > end {
            break;
        }
        out.extend_from_slice("\u{fffd}".as_bytes());
        taken += chunk.invalid().len();
        invalid += 1;
    }
    (taken, invalid)
}

fn escape_byte(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let [upper, lower] = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', upper, lower]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::ffi::OsStr;

    #[test]
    fn the_prefix_stays_on_one_line() {
        let check = |name: &[u8], expected: &[u8]| {
            let name = Path::new(OsStr::from_bytes(name));
            assert_eq!(&*Output::Prefix.opening(name, name), expected, "{name:?}");
        };
        check(b"1.log", b"[1.log] ");
        check(b"nginx/access.log", b"[nginx/access.log] ");
        check(b"two\nlines\x1b.log", b"[two\\nlines\\x1b.log] ");
        check(b"\xff.log", b"[\xff.log] ");
        assert!(Output::Raw.opening(Path::new("1.log"), Path::new("/l/1.log")).is_empty());
    }

    fn objects(output: Output, level: Option<Level>, record: &[u8]) -> Vec<String> {
        let opening = output.opening(Path::new("a\"b.log"), Path::new("/l/a.log"));
        let fields = Fields { time: Time::rfc3339(b"2026-01-05T10:00:00Z"), format: "go", level, message: None };
        let (mut objects, mut out) = (Objects::default(), Vec::new());
        objects.begin(output, &opening, &fields);
        objects.add(&mut out, record, None);
        let text = String::from_utf8(out).expect("UTF-8 whatever the record was");
        text.lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn each_output_has_its_own_names() {
        let check = |output, expected: &str| {
            assert_eq!(objects(output, Some(Level::Warn), b"low\ndisk"), [expected], "{output:?}");
        };
        check(
            Output::Json,
            r#"{"time":"2026-01-05T10:00:00Z","file":"a\"b.log","format":"go","level":"warn","message":"low\ndisk"}"#,
        );
        check(
            Output::Ecs,
            r#"{"@timestamp":"2026-01-05T10:00:00Z","log.level":"warn","log.file.path":"/l/a.log","ecs.version":"8.11.0","message":"low\ndisk"}"#,
        );
        check(
            Output::Gcp,
            r#"{"severity":"WARNING","time":"2026-01-05T10:00:00Z","logging.googleapis.com/labels":{"file":"a\"b.log","format":"go"},"message":"low\ndisk"}"#,
        );
    }

    #[test]
    fn json_is_embedded_as_it_is() {
        let found = objects(Output::Json, None, b"{ \"a\" : 1.50,\n \"b\":\"\\u00e9\" }");
        assert!(found[0].ends_with(r#","record":{ "a" : 1.50,  "b":"\u00e9" }}"#), "{found:?}");
        let found = objects(Output::Json, None, b"{\"a\":1");
        assert!(found[0].ends_with(r#","message":"{\"a\":1"}"#), "{found:?}");
    }

    #[test]
    fn a_long_record_becomes_parts_that_make_it_up_again() {
        for unit in ["x", "é", "\"", "\u{1}", "日本", "{\"a\":1}"] {
            let record = unit.repeat(60_000 / unit.len());
            let found = objects(Output::Json, Some(Level::Info), record.as_bytes());
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

    #[test]
    fn what_is_taken_is_what_a_parser_reads_and_no_more_would_fit() {
        let pieces: [&[u8]; 13] = [
            b"ab",
            b"cdefghijkl",
            b"\"",
            b"\\",
            b"\t",
            b"\x01",
            b"\x7f",
            "é".as_bytes(),
            "日".as_bytes(),
            "😀".as_bytes(),
            b"\xff",
            b"\xe2\x82",
            b" ",
        ];
        for first in 0..pieces.len().pow(4) {
            let text = [1, 13, 169, 2197].map(|unit| pieces[first / unit % 13]).concat();
            let bytes_max = first % 29;
            let mut out = Vec::new();
            let (taken, invalid) = escape(&mut out, &text, bytes_max);
            let shown: String = serde_json::from_slice(&[b"\"", &*out, b"\""].concat()).expect("a string");
            let expected = String::from_utf8_lossy(&text[..taken]);
            assert_eq!((&*shown, out.len() <= bytes_max), (&*expected, true), "{text:?} {bytes_max}");
            assert_eq!(invalid, text[..taken].utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count() as u64);
            assert!(taken == text.len() || out.len() + 6 > bytes_max, "{text:?} {bytes_max}: {taken}");
            let rest = String::from_utf8_lossy(&text[taken..]);
            assert_eq!(shown + &rest, String::from_utf8_lossy(&text), "no character is cut in two");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_shown_and_counted() {
        let mut out = Vec::new();
        assert_eq!(escape(&mut out, b"a\xff\xfeb\xe2\x82", 100), (6, 3));
        assert_eq!(out, "a\u{fffd}\u{fffd}b\u{fffd}".as_bytes());
    }
}
