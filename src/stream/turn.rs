//! One turn of one file: look, cut into lines, route, write, take.
//!
//! A turn reads once and writes at most once to each stream, at most 64 KiB, so many files take fair turns. Lines go from
//! the read buffer to the pipe without a copy: runs of lines for the same stream are one piece of one write. Nothing is
//! taken from the file that the sink did not accept.

use std::ops::Range;

use super::desk::{Begun, Desk, Failure, Taken, Turn, Way, write};
use super::objects;
use crate::format::{Formats, Skim};
use crate::output::rules::{Route, Stream};
use crate::output::sink::{Gone, PIECES_MAX, Sink, WRITE_BYTES_MAX};
use crate::read::buffer::READ_BYTES;
use crate::read::change::Change;
use crate::read::follower::{Look, Part};
use crate::read::line::{Piece, Pieces};
use crate::shelf::files::{Course, Followed};
use crate::shelf::lineage::Key;
use crate::shelf::progress::Progress;

/// How much of a record is put off to the next turn, at most, so that it stays in one piece, in bytes: stack traces are
/// shorter, and longer records are not read twice for it.
const WHOLE_RECORD_BYTES: usize = 16 * 1024;

impl Desk {
    /// Begins the file's turn: looks at it, unless the stream that its next line needs is not ready. Nothing is streamed yet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn look(&mut self, key: Key, file: &mut Followed) -> Result<Begun, Failure> {
        if let Some(stream) = known_stream(file).filter(|stream| !self.sink.is_ready(*stream, key)) {
            return Ok(Begun::Blocked(stream));
        }
        file.blocked_on = None;
        Ok(Begun::Looked(file.follower.look(&mut self.buffer, self.line_bytes_max)?))
    }

    /// Goes on with its turn: streams what the look found.
    ///
    /// # Errors
    /// When the file cannot be read or a stream is gone; nothing that was not written is taken then.
    pub(super) fn turn(&mut self, key: Key, file: &mut Followed, begun: Begun) -> Result<Turn, Failure> {
        let turn = match begun {
            Begun::Blocked(stream) => return Ok(Turn::Blocked(stream)),
            Begun::Looked(look) => self.stream(key, file, look)?,
        };
        Ok(if file.progress.is_held() { Turn::Held } else { turn })
    }

    fn stream(&mut self, key: Key, file: &mut Followed, look: Look) -> Result<Turn, Failure> {
        match look {
            Look::Nothing => Ok(Turn::Nothing),
            Look::Searching => Ok(Turn::More),
            Look::Changed(change) => {
                // The rest of a line that was on its way in parts is gone; the next one begins on a line of its own.
                self.end_line(key, file)?;
                file.course.line = None;
                if change == Change::Truncated {
                    file.course.record = None;
                    file.course.judge.begin_anew();
                    file.told_format.take();
                }
                Ok(Turn::Changed(change))
            }
            Look::Lines { data, is_end } => self.lines(key, file, data, is_end),
            Look::Part(data, part) => self.part(key, file, data, part),
        }
    }

    /// Says whether the file is within a line, and so owns a stream.
    #[must_use]
    pub(super) fn is_within_line(&self, key: Key) -> bool {
        Stream::ALL.iter().any(|stream| self.sink.line_owner(*stream) == Some(key))
    }

    /// Ends the line of a file that cannot be read on, if it is within one: others must not wait for it.
    ///
    /// # Errors
    /// When the stream is gone.
    pub(super) fn give_up_line(&mut self, key: Key, file: &mut Followed) -> Result<Turn, Gone> {
        self.end_line(key, file)?;
        Ok(if file.progress.is_held() { Turn::Held } else { Turn::Nothing })
    }

    fn end_line(&mut self, key: Key, file: &mut Followed) -> Result<(), Gone> {
        for stream in Stream::ALL {
            if self.sink.line_owner(stream) == Some(key) && self.sink.is_ready(stream, key) {
                write(&mut self.sink, stream, key, &mut file.progress, &[b"\n"], true)?;
                self.count_added(1);
            }
        }
        Ok(())
    }

    /// Whole lines: all to one stream as they are, or one by one.
    fn lines(&mut self, key: Key, file: &mut Followed, data: Range<usize>, is_end: bool) -> Result<Turn, Failure> {
        let block = self.buffer.bytes(data.clone());
        if file.course.line.is_some() && block.first() == Some(&b'\n') {
            // The line was ended before its writer did; its own newline would make an empty line.
            match file.course.line.take() {
                Some(Route::Drop) => self.count_dropped(file, &data, 1),
                _ => self.count_added(-1),
            }
            self.take(file, &data, 1);
            return Ok(Turn::More);
        }
        let as_it_is = file.opening.is_empty() && file.course.line.is_none() && self.line_bytes_max >= READ_BYTES;
        let (taken, blocked) = match file.router.fixed() {
            Some(Route::Drop) => {
                let dropped = block.len();
                self.count_dropped(file, &data, dropped);
                (dropped, None)
            }
            _ if self.output.is_objects() => self.records(key, file, data.clone(), is_end)?,
            Some(Route::To(stream)) if as_it_is && self.counters.is_none() => {
                write(&mut self.sink, stream, key, &mut file.progress, &[block], true)?;
                (block.len(), None)
            }
            _ => self.line_by_line(key, file, data.clone(), is_end)?,
        };
        self.take(file, &data, taken);
        file.blocked_on = blocked;
        Ok(match blocked {
            Some(stream) => Turn::Blocked(stream),
            None if is_end && (taken == data.len() || file.is_record_waiting) => Turn::Last,
            None => Turn::More,
        })
    }

    /// Returns how many bytes were taken, and the stream that the next line needs if that one is not ready.
    fn line_by_line(
        &mut self,
        key: Key,
        file: &mut Followed,
        data: Range<usize>,
        is_end: bool,
    ) -> Result<Taken, Failure> {
        let block = self.buffer.bytes(data);
        let way = Way { formats: &self.formats, router: &file.router, path: &file.path, told: &file.told_format };
        let mut batches = [Batch::new(block), Batch::new(block)];
        let mut passing = self.passing(file, block);
        let mut record = None;
        let (mut taken, mut blocked) = (0, None);
        let mut pieces = Pieces::new(block, self.line_bytes_max);
        while taken < block.len() {
            let before = file.course;
            let unread = passing.as_mut().and_then(|passing| passing.unread(&mut file.course, &self.formats, taken));
            let fixed = file.router.fixed().filter(|_| self.counters.is_none());
            let Some((piece, (route, begins))) = (match unread {
                Some((run, route)) => {
                    pieces.skip_to(run.end);
                    Some((run, (route, None)))
                }
                None => pieces.next().map(|piece| (piece, way.of_piece(&mut file.course, block, piece, fixed))),
            }) else {
                break;
            };
            if begins.is_some() && self.formats.multiline && !is_end && block.len() - piece.start <= WHOLE_RECORD_BYTES
            {
                record = Some((taken, before, [batches[0].mark(), batches[1].mark()]));
            }
            if let Route::To(stream) = route {
                let stream = self.sink.effective(stream);
                if !self.sink.is_ready(stream, key) {
                    blocked = Some(stream);
                }
                if blocked.is_some() || !batches[stream.index()].add(&file.opening, piece) {
                    file.course = before;
                    break;
                }
            }
            taken = piece.end;
            file.course.line = (!piece.terminated).then_some(route);
            if let Some(counters) = &mut self.counters {
                let passed = way.passed(&self.sink, &file.opening, block, piece, route, begins.as_ref());
                counters.pass(&mut file.noted, &file.lineage.path, &passed);
            }
        }
        let mut is_put_off = false;
        if let Some((start, course, marks)) = record.filter(|(start, ..)| *start > 0 && blocked.is_none()) {
            // The last record may go on behind what was read: it waits for the next turn, so that it stays in one piece.
            is_put_off = start < taken;
            (taken, file.course) = (start, course);
            batches.iter_mut().zip(marks).for_each(|(batch, mark)| batch.rewind(mark));
        }
        if let Some(counters) = &mut self.counters {
            if is_put_off { counters.put_off() } else { counters.keep(&file.lineage.path) }
        }
        write_batches(&mut self.sink, key, &mut file.progress, &batches)?;
        Ok((taken, blocked))
    }

    /// Begins to pass over lines unread, if nothing but errors is asked for and lines go out as they are.
    fn passing<'a>(&self, file: &Followed, block: &'a [u8]) -> Option<Passing<'a>> {
        // What is counted of lines takes reading them.
        let usual = file.router.unless_error().filter(|_| self.counters.is_none())?;
        let as_they_are = file.opening.is_empty() && self.line_bytes_max >= READ_BYTES;
        let skim = if as_they_are { Skim::new(block) } else { None };
        Some(Passing { skim: skim?, usual, read_to: 0 })
    }

    /// A part of a line that is longer than one read; as it is, the stream belongs to the file until the last one.
    fn part(&mut self, key: Key, file: &mut Followed, data: Range<usize>, part: Part) -> Result<Turn, Failure> {
        let bytes = self.buffer.bytes(data.clone());
        let before = file.course;
        let way = Way { formats: &self.formats, router: &file.router, path: &file.path, told: &file.told_format };
        let ends_with_newline = part.last && part.terminated;
        let content = &bytes[..bytes.len() - usize::from(ends_with_newline)];
        let (route, begins) = way.of_line(&mut file.course, content, &[]);
        if let Route::To(stream) = route {
            if !self.sink.is_ready(stream, key) {
                file.course = before;
                file.blocked_on = Some(stream);
                return Ok(Turn::Blocked(stream));
            }
            if self.output.is_objects() {
                let segment = objects::Segment { start: 0, before, route, begins };
                let taken = self.part_as_objects(key, file, data.clone(), &segment, part.last)?;
                file.course.line = (!(part.last && part.terminated)).then_some(route);
                self.take(file, &data, taken);
                return Ok(Turn::More);
            }
            let opening = if part.first { &*file.opening } else { &[] };
            let newline: &[u8] = if part.last && !part.terminated { b"\n" } else { &[] };
            write(&mut self.sink, stream, key, &mut file.progress, &[opening, bytes, newline], part.last)?;
        }
        self.count_part(file, &data, part, route, begins);
        file.course.line = (!(part.last && part.terminated)).then_some(route);
        self.take(file, &data, data.len());
        Ok(Turn::More)
    }

    /// Takes what is on its way, and counts it.
    fn take(&mut self, file: &mut Followed, data: &Range<usize>, bytes: usize) {
        if let Some(counters) = &mut self.counters {
            counters.read(&file.lineage.path, &self.buffer.bytes(data.clone())[..bytes]);
        }
        file.follower.take(&self.buffer, data, bytes);
        file.progress.take(file.follower.offset());
    }
}

/// Passes over the lines of a block that need not be read.
struct Passing<'a> {
    skim: Skim<'a>,
    /// Where lines go that are no errors.
    usual: Route,
    /// Up to where lines must be read.
    read_to: usize,
}

impl Passing<'_> {
    /// Returns the lines from `start` on that need not be read, as one piece, and where they go.
    fn unread(&mut self, course: &mut Course, formats: &Formats, start: usize) -> Option<(Piece, Route)> {
        if start < self.read_to || course.record != Some(self.usual) || course.line.is_some() {
            return None;
        }
        let unread = self.skim.pass_over(&mut course.judge, formats, start)?;
        self.read_to = unread.read_to;
        (unread.end > start).then_some((Piece { start, end: unread.end, terminated: true }, self.usual))
    }
}

/// Returns the stream that the next line needs, as far as that is known without reading it.
fn known_stream(file: &Followed) -> Option<Stream> {
    match file.course.line.or_else(|| file.router.fixed()) {
        Some(Route::To(stream)) => Some(stream),
        Some(Route::Drop) => None,
        None => file.blocked_on,
    }
}

/// Writes what there is for each stream.
fn write_batches(sink: &mut Sink, key: Key, progress: &mut Progress, batches: &[Batch<'_>; 2]) -> Result<(), Gone> {
    for (stream, batch) in Stream::ALL.into_iter().zip(batches) {
        if batch.count > 0 {
            write(sink, stream, key, progress, batch.pieces(), true)?;
        }
    }
    Ok(())
}

/// What a batch held at some time.
#[derive(Debug, Clone)]
struct Mark {
    count: usize,
    bytes: usize,
    run: Option<Range<usize>>,
}

/// The lines of one turn for one stream, as pieces of one write.
struct Batch<'a> {
    block: &'a [u8],
    pieces: [&'a [u8]; PIECES_MAX],
    count: usize,
    bytes: usize,
    /// Where the last piece lies in the block, if the next line may be joined to it.
    run: Option<Range<usize>>,
}

impl<'a> Batch<'a> {
    fn new(block: &'a [u8]) -> Self {
        Self { block, pieces: [&[]; PIECES_MAX], count: 0, bytes: 0, run: None }
    }

    fn pieces(&self) -> &[&'a [u8]] {
        &self.pieces[..self.count]
    }

    /// Adds a line, or returns false when the write is full.
    fn add(&mut self, opening: &'a [u8], piece: Piece) -> bool {
        let bytes = opening.len() + (piece.end - piece.start) + usize::from(!piece.terminated);
        let is_too_much = self.bytes + bytes > WRITE_BYTES_MAX && self.bytes > 0;
        if is_too_much || self.count + 3 > PIECES_MAX {
            return false;
        }
        self.bytes += bytes;
        match &mut self.run {
            Some(run) if run.end == piece.start && opening.is_empty() => {
                run.end = piece.end;
                self.pieces[self.count - 1] = &self.block[run.clone()];
            }
            _ => {
                if !opening.is_empty() {
                    self.push(opening);
                }
                self.push(&self.block[piece.start..piece.end]);
                self.run = Some(piece.start..piece.end);
            }
        }
        if !piece.terminated {
            self.push(b"\n");
            self.run = None;
        }
        true
    }

    /// Returns how to come back to what it holds now.
    fn mark(&self) -> Mark {
        Mark { count: self.count, bytes: self.bytes, run: self.run.clone() }
    }

    /// Takes away what was added since.
    fn rewind(&mut self, Mark { count, bytes, run }: Mark) {
        (self.count, self.bytes, self.run) = (count, bytes, run);
        if let Some(run) = &self.run {
            self.pieces[self.count - 1] = &self.block[run.clone()];
        }
    }

    fn push(&mut self, bytes: &'a [u8]) {
        self.pieces[self.count] = bytes;
        self.count += 1;
    }
}
