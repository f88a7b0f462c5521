//! A turn of a file whose records are streamed as JSON objects: lines are gathered to records, records become objects.
//!
//! A record's lines stand one behind the other in the read buffer, so a record is a range of it. The last one waits in its
//! file, unread, until the next begins or nothing has come for a while, so that a trace that is still being written is one
//! object; what comes later still is another `part`.

use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use super::counting::signed;
use super::desk::{Desk, Failure, Taken, Way, write};
use crate::format::{self, Fields, Formats, Verdict};
use crate::output::encode::{OBJECT_BYTES_MAX, Objects, Output};
use crate::output::rules::{Route, Stream};
use crate::output::sink::{Sink, WRITE_BYTES_MAX};
use crate::read::line::Pieces;
use crate::report::metrics::{Counters, Noted, Passed};
use crate::shelf::files::{Course, Followed};
use crate::shelf::lineage::Key;

/// The lines of one record, or of a part of one, in the block.
pub(super) struct Segment {
    /// Where it starts.
    pub(super) start: usize,
    /// What was known before it.
    pub(super) before: Course,
    /// Where it goes.
    pub(super) route: Route,
    /// What its first line was found to be, if that begins the record.
    pub(super) begins: Option<Verdict>,
}

/// The objects of one turn, as they are gathered from a block.
struct Gathering<'a> {
    key: Key,
    block: &'a [u8],
    way: Way<'a>,
    sink: &'a Sink,
    counters: Option<&'a mut Counters>,
    output: Output,
    line_bytes_max: usize,
    opening: &'a [u8],
    /// Where the file's lines are counted.
    path: &'a Rc<Path>,
    noted: &'a mut Noted,
    /// What goes to each stream.
    outs: [Vec<u8>; 2],
    /// How many sequences of bytes were not UTF-8.
    invalid: u64,
}

impl Gathering<'_> {
    /// Makes objects of a record that ends at `end`. If its stream is not ready, or has enough for one write, gives it back, with
    /// the stream that is waited for.
    fn end(
        &mut self,
        segment: Segment,
        end: usize,
        objects: &mut Option<Box<Objects>>,
    ) -> Result<(), (Segment, Option<Stream>)> {
        let lines = &self.block[segment.start..end];
        let Route::To(stream) = segment.route else {
            self.count(&segment, lines, Route::Drop, 0);
            return Ok(());
        };
        let stream = self.sink.effective(stream);
        if !self.sink.is_ready(stream, self.key) {
            return Err((segment, Some(stream)));
        }
        let out = &mut self.outs[stream.index()];
        if out.len() >= WRITE_BYTES_MAX {
            return Err((segment, None));
        }
        if out.is_empty() {
            // Room for what is likely, so that it need not grow at every other record.
            out.reserve((2 * self.block.len()).min(WRITE_BYTES_MAX + OBJECT_BYTES_MAX));
        }
        let (objects, message) = begin(objects, self.output, self.opening, &self.way, &segment, lines);
        let before = out.len();
        self.invalid += add(objects, out, &self.way, &segment, lines, message);
        let written = out.len() - before;
        self.count(&segment, lines, Route::To(stream), written);
        Ok(())
    }

    fn count(&mut self, segment: &Segment, lines: &[u8], route: Route, written: usize) {
        if let Some(counters) = &mut self.counters {
            let passed = self.way.passed_as_objects(segment, lines, route, written, self.line_bytes_max);
            counters.pass(self.noted, self.path, &passed);
            counters.keep(self.path);
        }
    }
}

/// Says whether the last record of a block waits for lines that may continue it.
fn waits(last: &Segment, is_end: bool, is_over: bool, is_due: bool, may_go_on: bool, formats: &Formats) -> bool {
    // It is the first one that is due: what came behind it since then has not waited yet.
    if is_end { may_go_on && !is_over && !(is_due && last.start == 0) } else { last.start > 0 && formats.multiline }
}

impl Desk {
    /// Returns how many bytes were taken, and the stream that the next record needs if that one is not ready.
    pub(super) fn records(
        &mut self,
        key: Key,
        file: &mut Followed,
        data: Range<usize>,
        is_end: bool,
    ) -> Result<Taken, Failure> {
        let is_due = std::mem::take(&mut file.is_record_due);
        // Its writer is gone, or we are.
        let is_over = self.is_ending || file.is_detached;
        file.is_record_waiting = false;
        let (mut taken, mut blocked) = (0, None);
        let mut segment: Option<Segment> = None;
        let block = self.buffer.bytes(data);
        let mut gathering = Gathering {
            key,
            block,
            way: Way { formats: &self.formats, router: &file.router, path: &file.path, told: &file.told_format },
            sink: &self.sink,
            counters: self.counters.as_deref_mut(),
            output: self.output,
            line_bytes_max: self.line_bytes_max,
            opening: &file.opening,
            path: &file.lineage.path,
            noted: &mut file.noted,
            outs: [Vec::new(), Vec::new()],
            invalid: 0,
        };
        for piece in Pieces::new(block, self.line_bytes_max) {
            let before = file.course;
            let (route, begins) = gathering.way.of_line(&mut file.course, piece.content(block), &block[piece.end..]);
            if begins.is_some() || segment.is_none() {
                let next = Segment { start: piece.start, before, route, begins };
                if let Some(whole) = segment.replace(next)
                    && let Err((whole, on)) = gathering.end(whole, piece.start, &mut file.objects)
                {
                    (file.course, blocked, segment) = (whole.before, on, None);
                    break;
                }
                taken = piece.start;
            }
            file.course.line = (!piece.terminated).then_some(route);
        }
        if let Some(last) = segment {
            let may_go_on = file.course.judge.may_go_on(&self.formats) && file.course.line.is_none();
            if waits(&last, is_end, is_over, is_due, may_go_on, &self.formats) {
                file.is_record_waiting = is_end;
                (taken, file.course) = (last.start, last.before);
            } else {
                match gathering.end(last, block.len(), &mut file.objects) {
                    Ok(()) => taken = block.len(),
                    Err((last, on)) => (taken, file.course, blocked) = (last.start, last.before, on),
                }
            }
        }
        let Gathering { outs, invalid, .. } = gathering;
        self.invalid_utf8 += invalid;
        for (stream, out) in Stream::ALL.into_iter().zip(&outs).filter(|(_, out)| !out.is_empty()) {
            write(&mut self.sink, stream, key, &mut file.progress, &[out], true)?;
        }
        Ok((taken, blocked))
    }

    /// Streams a part of a line that is longer than one read, and returns how much of it was taken: not the beginning of a
    /// character whose end is not there.
    pub(super) fn part_as_objects(
        &mut self,
        key: Key,
        file: &mut Followed,
        data: Range<usize>,
        segment: &Segment,
        is_last: bool,
    ) -> Result<usize, Failure> {
        let Route::To(stream) = segment.route else { return Ok(data.len()) };
        let stream = self.sink.effective(stream);
        let bytes = self.buffer.bytes(data);
        let taken = if is_last { bytes.len() } else { bytes.len() - unfinished_character(bytes) };
        let way = Way { formats: &self.formats, router: &file.router, path: &file.path, told: &file.told_format };
        let mut out = Vec::new();
        let (objects, message) = begin(&mut file.objects, self.output, &file.opening, &way, segment, &bytes[..taken]);
        self.invalid_utf8 += add(objects, &mut out, &way, segment, &bytes[..taken], message);
        if let Some(counters) = &mut self.counters {
            let passed =
                way.passed_as_objects(segment, &bytes[..taken], Route::To(stream), out.len(), self.line_bytes_max);
            counters.pass(
                &mut file.noted,
                &file.lineage.path,
                &Passed { lines: is_last.into(), is_split: false, ..passed },
            );
            counters.keep(&file.lineage.path);
        }
        write(&mut self.sink, stream, key, &mut file.progress, &[&out], true)?;
        Ok(taken)
    }
}

impl Way<'_> {
    /// Returns what is counted of lines of which objects of `written` bytes were made.
    fn passed_as_objects<'b>(
        &'b self,
        segment: &Segment,
        lines: &'b [u8],
        route: Route,
        written: usize,
        line_bytes_max: usize,
    ) -> Passed<'b> {
        let first = lines.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let unended = usize::from(!lines.ends_with(b"\n"));
        Passed {
            route,
            begins: segment.begins.map(|verdict| self.record(&verdict, first)),
            lines: (memchr::memchr_iter(b'\n', lines).count() + unended) as u64,
            bytes: lines.len(),
            added: if route == Route::Drop { 0 } else { signed(written) - signed(lines.len()) },
            is_split: lines.split(|byte| *byte == b'\n').any(|line| line.len() > line_bytes_max),
        }
    }
}

/// Returns the objects that a segment goes to, begun anew if it begins a record, and the message of that if it is JSON.
fn begin<'a, 'b>(
    objects: &'a mut Option<Box<Objects>>,
    output: Output,
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
        objects.begin(output, opening, &fields);
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
fn unfinished_character(bytes: &[u8]) -> usize {
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
