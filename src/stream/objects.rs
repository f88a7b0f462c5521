//! Records as JSON objects: what of a record stands in which object.
//!
//! A record's lines stand one behind the other in the read buffer, so a record is a range of it. The last one waits in its
//! file, unread, until the next begins or nothing has come for a while, so that a trace that is still being written is one
//! object; what comes later still is another `part`.

use super::cut::Segment;
use super::decide::{Way, without_bom};
use crate::format::{self, Fields};
use crate::output::encode::object::{OBJECT_BYTES_MAX, ObjectFields, Objects, RecordFront};
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
        let lines = trimmed(lines);
        let objects = self.objects.get_or_insert_default();
        self.invalid += if let Some(verdict) = segment.begins {
            let fields = format::fields(way.formats, &verdict, lines);
            objects.begin(self.fields, &RecordFront { opening: self.opening, fields: &fields, record: lines });
            let is_whole = self.block[..segment.end].ends_with(b"\n");
            match format::unwrapped(fields.format, lines) {
                Some(text) => objects.add_unwrapped(out, &text),
                None => objects.add_record(out, lines, &fields, is_whole),
            }
        } else {
            if !objects.is_known() {
                // What a process before this one has begun is not known any more, so nothing is said of it.
                objects.begin(
                    self.fields,
                    &RecordFront { opening: self.opening, fields: &Fields::unknown(), record: b"" },
                );
            }
            go_on(objects, out, way, segment, lines)
        };
        Some(out.len() - before)
    }
}

/// Adds the lines of a segment that goes on with a record to its objects, and returns how many sequences were not UTF-8.
fn go_on(objects: &mut Objects, out: &mut Vec<u8>, way: &Way<'_>, segment: &Segment, lines: &[u8]) -> u64 {
    let (format, is_open) = segment.before.judge.last_record().unwrap_or_default();
    let is_line_start = segment.before.line.is_none();
    let mut unwrapped = is_line_start.then(|| format::unwrapped(way.formats.name(format), lines)).flatten();
    if objects.has_begun() && is_line_start && !is_open {
        unwrapped.get_or_insert_with(|| lines.to_vec()).insert(0, b'\n');
    }
    objects.add(out, unwrapped.as_deref().unwrap_or(lines))
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
