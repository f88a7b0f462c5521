//! The one way of a block to the streams: it is cut into segments, each is decided, gathered for its stream, and observed; then
//! what was gathered is written.

use super::batch::Mark;
use super::cut::{Block, Cut, Demands, Segment};
use super::decide::Way;
use super::desk::{Desk, Failure};
use super::gather::Gathered;
use super::objects::unfinished_character;
use super::observe::Observer;
use crate::output::rules::{Route, Stream};
use crate::output::sink::Sink;
use crate::shelf::followed::{Course, Followed};
use crate::shelf::lineage::Key;
use crate::track::clock;

/// How much of a record is put off to the next turn, at most, so that it stays in one piece where lines go out as they are, in
/// bytes: stack traces are shorter, and longer records are not read twice for it.
const WHOLE_RECORD_BYTES: usize = 16 * 1024;

/// What was streamed of a block.
pub(super) struct Streamed {
    /// How many bytes of it.
    pub(super) taken: usize,
    /// The stream that what follows needs, if that is not ready.
    pub(super) blocked: Option<Stream>,
}

/// A block on its way.
struct Segments<'g, 'a> {
    key: Key,
    block: &'g [u8],
    cut: Cut<'g>,
    demands: Demands,
    way: Way<'g>,
    sink: &'g Sink,
    observer: Observer<'g>,
    /// What is known of the file's next line.
    course: &'g mut Course,
    gathered: &'g mut Gathered<'a>,
    /// The record whose end is not known yet, if records go out in one piece.
    open: Option<Segment>,
    /// Where the last record of lines begins, and how to come back to what was before it.
    last_record: Option<(usize, Course, [Mark; 2])>,
    streamed: Streamed,
}

impl Desk {
    /// Streams a block as far as its streams are ready, and writes once to each.
    ///
    /// # Errors
    /// When a stream is gone.
    pub(super) fn stream_segments(
        &mut self,
        key: Key,
        file: &mut Followed,
        block: &Block,
    ) -> Result<Streamed, Failure> {
        let bytes = self.buffer.bytes(block.data.clone());
        let demands = Demands {
            line_bytes_max: self.line_bytes_max,
            is_by_record: self.encoding.object_fields().is_some(),
            is_counted: self.counters.is_some(),
        };
        if demands.is_by_record {
            self.formats.times.now.set(Some(clock::time() / 1_000_000_000));
        }
        // Its writer is gone, or we are.
        let is_over = self.is_ending || file.is_detached;
        let is_due = std::mem::take(&mut file.is_record_due);
        let cut = Cut::new(file, bytes, block.part, &demands);
        let mut gathered = Gathered::new(self.encoding, bytes, cut.is_one_run(), &file.opening, &mut file.objects);
        let mut segments = Segments {
            key,
            block: bytes,
            cut,
            demands,
            way: Way { formats: &self.formats, router: &file.router, path: &file.path, told: &file.told_format },
            sink: &self.sink,
            observer: Observer {
                counters: self.counters.as_deref_mut(),
                noted: &mut file.noted,
                path: &file.lineage.path,
            },
            course: &mut file.course,
            gathered: &mut gathered,
            open: None,
            last_record: None,
            streamed: Streamed { taken: 0, blocked: None },
        };
        let is_cut = block.part.is_some() && file.follower.unfinished_bytes() > bytes.len() as u64;
        while let Some(segment) = segments.next(is_cut) {
            let is_last = block.is_end || block.part.is_some();
            if !segments.add(segment, is_last) {
                break;
            }
        }
        file.is_record_waiting = segments.end(block, is_over, is_due);
        let streamed = segments.streamed;
        let ends_line = block.part.is_none_or(|part| part.last);
        self.invalid_utf8 += gathered.write(&mut self.sink, key, &mut file.progress, ends_line)?;
        Ok(streamed)
    }
}

impl Segments<'_, '_> {
    /// Cuts the next segment off, and decides where it goes; `is_split` says of a part of a line whether the line goes on behind
    /// the part that ends it.
    fn next(&mut self, is_split: bool) -> Option<Segment> {
        let before = *self.course;
        let (piece, unread) = self.cut.next(self.course, self.way.formats)?;
        let is_asked = self.demands.is_by_record || self.demands.is_counted;
        let known = unread.or_else(|| self.way.router.fixed().filter(|_| !is_asked));
        let (route, begins) = match known {
            Some(route) => (route, None),
            None => {
                let found = self.cut.found(piece.start);
                self.way.of_line(self.course, piece.content(self.block), &self.block[piece.end..], found)
            }
        };
        self.course.line = (!piece.terminated).then_some(route);
        let part = self.cut.part();
        let wants_newline = !piece.terminated && part.is_none_or(|part| part.last);
        let mut end = piece.end;
        if self.demands.is_by_record && !piece.terminated && !wants_newline && route != Route::Drop {
            // The rest of the character is in the next part.
            end -= unfinished_character(&self.block[piece.start..end]);
        }
        Some(Segment {
            start: piece.start,
            end,
            first_end: piece.end - usize::from(piece.terminated),
            before,
            route,
            begins,
            is_read: unread.is_none(),
            is_front: part.is_none_or(|part| part.first),
            newlines: u64::from(piece.terminated),
            wants_newline,
            is_split: wants_newline && (part.is_none() || is_split),
        })
    }

    /// Adds a segment to what is gathered: at once, or with all others of its record when the next begins. Returns whether the
    /// block goes on.
    fn add(&mut self, segment: Segment, is_end: bool) -> bool {
        if self.demands.is_by_record {
            if let Some(open) = self.open.as_mut().filter(|_| segment.begins.is_none()) {
                open.join(&segment);
                return true;
            }
            return self.open.replace(segment).is_none_or(|whole| self.gather(&whole));
        }
        let is_kept_whole = self.way.formats.multiline && self.block.len() - segment.start <= WHOLE_RECORD_BYTES;
        if segment.begins.is_some() && is_kept_whole && !is_end {
            let marks = self.gathered.mark();
            self.last_record = marks.map(|marks| (segment.start, segment.before, marks));
        }
        self.gather(&segment)
    }

    /// Gathers a segment for its stream, and observes it; says whether it could: otherwise the block ends before it.
    fn gather(&mut self, segment: &Segment) -> bool {
        let (mut route, mut written) = (segment.route, 0);
        if let Route::To(stream) = route {
            let stream = self.sink.effective(stream);
            route = Route::To(stream);
            let is_ready = self.sink.is_ready(stream, self.key);
            self.streamed.blocked = (!is_ready).then_some(stream);
            let Some(bytes) = is_ready.then(|| self.gathered.add(stream, segment, &self.way)).flatten() else {
                *self.course = segment.before;
                self.streamed.taken = segment.start;
                self.open = None;
                return false;
            };
            written = bytes;
        }
        self.streamed.taken = segment.end;
        self.observer.observe(segment, route, written, self.block, self.way.formats);
        true
    }

    /// Ends the block: its last record may be put off, because it may go on behind the block. Returns whether that waits in its
    /// file for lines that continue it.
    fn end(&mut self, block: &Block, is_over: bool, is_due: bool) -> bool {
        let (mut is_waiting, mut is_put_off) = (false, false);
        if let Some(last) = self.open.take() {
            if self.waits(&last, block, is_over, is_due) {
                (*self.course, self.streamed.taken) = (last.before, last.start);
                is_waiting = block.is_end;
            } else {
                self.gather(&last);
            }
        } else if let Some((start, course, marks)) = self.last_record.take()
            && start > 0
            && self.streamed.blocked.is_none()
        {
            is_put_off = start < self.streamed.taken;
            (*self.course, self.streamed.taken) = (course, start);
            self.gathered.rewind(marks);
        }
        self.observer.end(is_put_off);
        is_waiting
    }

    /// Returns whether the last record of a block, which goes out in one piece, waits for lines that may continue it.
    fn waits(&self, last: &Segment, block: &Block, is_over: bool, is_due: bool) -> bool {
        if block.part.is_some() {
            return false;
        }
        if !block.is_end {
            return last.start > 0 && self.way.formats.multiline;
        }
        let may_go_on = self.course.line.is_none() && self.course.judge.may_go_on(self.way.formats);
        // It is the first one that is due: what came behind it since then has not waited yet.
        may_go_on && !is_over && !(is_due && last.start == 0)
    }
}
