//! Records as JSON objects: what of a record stands in which object.
//!
//! A record's lines stand one behind the other in the read buffer, so a record is a range of it. The last one waits in its
//! file, unread, until the next begins or nothing has come for a while, so that a trace that is still being written is one
//! object; what comes later still is another `part`.

use super::cut::Segment;
use super::decide::{Way, without_bom};
use crate::format::{self, Fields};
use crate::output::encode::object::{OBJECT_BYTES_MAX, ObjectFields, Objects};
use crate::output::sink::WRITE_BYTES_MAX;

/// Makes objects of the records of one file's block.
pub(super) struct RecordObjects<'a> {
    /// What each of them begins with.
    pub(super) fields: ObjectFields,
    pub(super) opening: &'a [u8],
    pub(super) block: &'a [u8],
    /// Those of the file's last record.
    pub(super) objects: &'a mut Option<Box<Objects>>,
    /// How many sequences of bytes were not UTF-8.
    pub(super) invalid: u64,
}

impl RecordObjects<'_> {
    /// Adds the objects of a segment to `out`, and returns how many bytes they are; nothing when that is enough for one write.
    pub(super) fn add(&mut self, out: &mut Vec<u8>, segment: &Segment, way: &Way<'_>) -> Option<usize> {
        if out.len() >= WRITE_BYTES_MAX {
            return None;
        }
        if out.is_empty() {
            // Room for what is likely, so that it need not grow at every other record.
            out.reserve((2 * self.block.len()).min(WRITE_BYTES_MAX + OBJECT_BYTES_MAX));
        }
        let (lines, before) = (&self.block[segment.start..segment.end], out.len());
        let lines = if segment.begins.is_some() { without_bom(lines) } else { lines };
        let (objects, message) = begin(self.objects, self.fields, self.opening, way, segment, lines);
        self.invalid += add(objects, out, way, segment, lines, message);
        Some(out.len() - before)
    }
}

/// Returns the objects that a segment goes to, begun anew if it begins a record, and the message of that if it is JSON.
fn begin<'a, 'b>(
    objects: &'a mut Option<Box<Objects>>,
    begin: ObjectFields,
    opening: &[u8],
    way: &Way<'b>,
    segment: &Segment,
    lines: &'b [u8],
) -> (&'a mut Objects, Option<&'b [u8]>) {
    let is_known = objects.is_some();
    let objects = objects.get_or_insert_default();
    // What a process before this one has begun is not known any more, so nothing is said of it.
    let mut fields = Fields { time: None, format: "", level: None, message: None };
    if let Some(verdict) = segment.begins {
        // An object may be printed over several lines; any other header is in the first.
        let is_object = lines.starts_with(b"{");
        let length = if is_object { None } else { memchr::memchr(b'\n', lines) };
        fields = format::fields(way.formats, &verdict, &lines[..length.unwrap_or(lines.len())]);
    }
    if segment.begins.is_some() || !is_known {
        objects.begin(begin, opening, &fields);
    }
    (objects, fields.message)
}

/// Adds the lines of a segment to its objects, and returns how many sequences were not UTF-8; `message` is that of the record
/// that begins with them.
fn add(
    objects: &mut Objects,
    out: &mut Vec<u8>,
    way: &Way<'_>,
    segment: &Segment,
    lines: &[u8],
    message: Option<&[u8]>,
) -> u64 {
    let lines = trimmed(lines);
    let (format, is_open) = match segment.begins {
        Some(verdict) => (verdict.format, false),
        None => segment.before.judge.last_record().unwrap_or_default(),
    };
    let is_line_start = segment.before.line.is_none();
    let mut unwrapped = is_line_start.then(|| format::unwrapped(way.formats.name(format), lines)).flatten();
    if objects.has_begun() && is_line_start && !is_open {
        unwrapped.get_or_insert_with(|| lines.to_vec()).insert(0, b'\n');
    }
    match &unwrapped {
        None => objects.add(out, lines, message),
        Some(text) => objects.add(out, text, segment.begins.and_then(|_| format::message(text))),
    }
}

/// Returns the lines without the newline at their end, and without a carriage return before it.
fn trimmed(lines: &[u8]) -> &[u8] {
    lines.strip_suffix(b"\n").map_or(lines, |lines| lines.strip_suffix(b"\r").unwrap_or(lines))
}

/// Returns how many bytes at the end begin a character of UTF-8 that goes on behind them.
pub(super) fn unfinished_character(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    match std::str::from_utf8(tail) {
        Err(why) if why.error_len().is_none() => tail.len() - why.valid_up_to(),
        // The first bytes of the tail may be the end of a character: then look behind them.
        _ => (1..tail.len())
            .find(|start| {
                std::str::from_utf8(&tail[*start..])
                    .is_err_and(|why| why.error_len().is_none() && why.valid_up_to() == 0)
            })
            .map_or(0, |start| tail.len() - start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_character_is_left_for_the_next_part() {
        for (bytes, expected) in [
            (&b"abc"[..], 0),
            ("é".as_bytes(), 0),
            (b"a\xc3", 1),
            (b"\xe2\x82", 2),
            (b"xx\xf0\x9f\x98", 3),
            (b"\x82\xac\xe2", 1),
            (b"\xff", 0),
            (b"", 0),
        ] {
            assert_eq!(unfinished_character(bytes), expected, "{bytes:?}");
        }
    }
}
