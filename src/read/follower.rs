//! One open file: which bytes of it have been taken, and what it holds now.
//!
//! The file is the buffer. Bytes are read into the one buffer that all files share and are forgotten unless they were
//! taken; an unfinished line stays in the file, the offset does not move. So a follower is some 300 bytes, whatever the
//! length of its file or of its lines.
//!
//! Every read begins with the *marker*, the last bytes before the offset, in the same `pread` as the new data: if they are
//! no longer what they were, `change` finds out what happened.
//!
//! LOSS: a file that is truncated and filled again with the same bytes at the same place, between two looks, cannot be told
//! from one that was only appended to; then what stands before the offset is not streamed again.

use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::buffer::{Buffer, HEAD_BYTES, MARKER_BYTES, READ_BYTES};
use super::change::{self, Change};
use super::holes;
use super::line;
use super::nuls::Nuls;
use super::position::{Digest, Position, head_of};
use super::proof::Trail;
use super::search::{Search, Searched};
use super::seen::Seen;
use super::waypoints::Waypoints;
use crate::paths::beneath::{FileId, Stat};

/// How long a pattern is that files are overwritten with, at most: shred(1) takes three bytes, so that it divides this.
const PATTERN_BYTES: usize = 24;

/// What a look at a file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Nothing that could be streamed: nothing new, or an unfinished line.
    Nothing,
    /// Whole lines, or pieces of one that is longer than `MAX_LINE`, in this range of the buffer.
    Lines {
        /// Where they are.
        data: Range<usize>,
        /// Whether the file ended behind them, but for an unfinished line: another look can wait for a hint.
        is_end: bool,
    },
    /// A part of a line that is longer than one read, in this range of the buffer.
    Part(Range<usize>, Part),
    /// A long line was searched for its end; look again.
    Searching,
    /// What is before the offset has changed, and the offset with it. Look again.
    Changed(Change),
}

/// Where a part stands in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// It is the first of its line, or of its piece of a line longer than `MAX_LINE`.
    pub(crate) first: bool,
    /// It is the last one.
    pub(crate) last: bool,
    /// The line's own newline is at the end of the last part; otherwise one has to be added.
    pub terminated: bool,
}

/// A line that is too long for the buffer, on its way in parts.
#[derive(Debug, Clone, Copy)]
struct LongLine {
    end: u64,
    started: bool,
    terminated: bool,
}

/// One open file and how far it has been read.
#[derive(Debug)]
pub struct Follower {
    id: FileId,
    /// `None` while it is closed to stay within the open-file limit.
    file: Option<OwnedFd>,
    offset: u64,
    /// Where it was before it was truncated: a copy of it may hold what it held then.
    earlier: Option<Box<Trail>>,
    /// How many bytes from the offset on are known to hold no newline.
    unfinished: u64,
    /// How many bytes stood behind the whole lines that the last look gave.
    rest: u64,
    /// The NULs behind the unfinished line.
    nuls: Nuls,
    /// How much of it was seen.
    seen: Seen,
    /// The bytes before the offset; only the first `marker_bytes` count.
    marker: [u8; MARKER_BYTES],
    marker_bytes: u8,
    head: Digest,
    /// The same before a part of it was reclaimed, if it was.
    head_before: Option<Box<Digest>>,
    /// Ends of earlier reads.
    waypoints: Waypoints,
    long: Option<LongLine>,
    /// The search for where its marker is now, a part at each look.
    search: Option<Box<Search>>,
}

impl Follower {
    /// Follows an open file from its beginning.
    #[must_use]
    pub fn from_beginning(id: FileId, file: OwnedFd) -> Self {
        Self {
            id,
            file: Some(file),
            offset: 0,
            earlier: None,
            unfinished: 0,
            rest: 0,
            nuls: Nuls::default(),
            seen: Seen::default(),
            marker: [0; MARKER_BYTES],
            marker_bytes: 0,
            head: Digest::default(),
            head_before: None,
            waypoints: Waypoints::default(),
            long: None,
            search: None,
        }
    }

    /// Goes on where `position` says, if the file still is the one that it was taken from; else from the beginning.
    ///
    /// # Errors
    /// Those of pread(2).
    pub fn resume(id: FileId, file: OwnedFd, position: Position, buffer: &mut Buffer) -> io::Result<Self> {
        let mut follower = Self::from_beginning(id, file);
        let Some(file) = &follower.file else { return Ok(follower) };
        if let Some(marker) = change::marker_at(file, position, buffer)? {
            follower.offset = position.offset;
            follower.head = position.head;
            follower.head_before = Some(position.head_before).filter(|head| head.bytes > 0).map(Box::new);
            follower.remember(&marker);
        } else {
            follower.earlier = Some(Box::new(Trail { position, waypoints: Waypoints::default() }));
            // What was streamed may have been reclaimed by somebody, and then what is left of the marker is a hole.
            if change::punched_before(file, position.offset, None)? {
                follower.offset = position.offset;
            } else if let Some(offset) = change::collapsed_to(file, position, buffer)? {
                follower.offset = offset;
            }
        }
        follower.seen = Seen::at(follower.offset);
        Ok(follower)
    }

    /// Follows a file of `size` bytes from its end: from the start of its last line, if that is unfinished and not longer
    /// than one read, so that no torn line is streamed.
    ///
    /// # Errors
    /// Those of pread(2).
    pub fn from_end(id: FileId, file: OwnedFd, size: u64, buffer: &mut Buffer) -> io::Result<Self> {
        let mut follower = Self::from_beginning(id, file);
        let Some(file) = &follower.file else { return Ok(follower) };
        let head_bytes = usize::try_from(size.min(HEAD_BYTES)).unwrap_or(0);
        let read = buffer.fill(file, head_bytes, 0)?;
        let head = buffer.bytes[..read].to_owned();
        let start = size.saturating_sub(READ_BYTES as u64);
        let bytes_max = usize::try_from(size - start).unwrap_or(READ_BYTES);
        let read = buffer.fill(file, bytes_max, start)?;
        let mut whole = line::whole_lines(&buffer.bytes[..read]);
        if whole == 0 && start > 0 {
            whole = read;
        }
        follower.offset = start + whole as u64;
        follower.seen = Seen::at(follower.offset);
        follower.remember(&buffer.bytes[..whole]);
        let head_bytes = head.len().min(usize::try_from(follower.offset).unwrap_or(usize::MAX));
        follower.head = Digest::of(&head[..head_bytes]);
        Ok(follower)
    }

    /// Returns which file it is.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Returns the open file.
    ///
    /// # Errors
    /// `EBADF` while it is closed.
    pub(crate) fn file(&self) -> io::Result<&OwnedFd> {
        self.file.as_ref().ok_or_else(|| Errno::BADF.into())
    }

    /// Returns whether the file is open.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Closes the file; its position is kept, and how much was seen of it: it may be gone when it is opened again.
    pub(crate) fn close(&mut self) {
        if let Some(file) = &self.file {
            self.seen.look_last(file, self.offset);
        }
        self.file = None;
    }

    /// Goes on with the same file, opened again; the next look checks the marker.
    pub(crate) fn reopen(&mut self, file: OwnedFd) {
        self.file = Some(file);
    }

    /// Returns where the file was before it was last truncated.
    #[must_use]
    pub(crate) fn earlier(&self) -> Option<Position> {
        self.earlier.as_ref().map(|earlier| earlier.position)
    }

    /// Returns how far it was read before it was last truncated, and what is known of its bytes up to there.
    #[must_use]
    pub(crate) fn earlier_trail(&self) -> Option<&Trail> {
        self.earlier.as_deref()
    }

    /// Returns how far it has been read, and what is known of its bytes up to there.
    #[must_use]
    pub(crate) fn trail(&self) -> Trail {
        Trail { position: self.position(), waypoints: self.waypoints.clone() }
    }

    /// Returns the first byte that was not taken.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns how far it has been read, and how to know it again.
    #[must_use]
    pub fn position(&self) -> Position {
        let (marker, head_before) =
            (Digest::of(self.marker()), self.head_before.as_deref().copied().unwrap_or_default());
        Position { offset: self.offset, marker, head: self.head, head_before }
    }

    /// Returns ends of reads, by which a copy of it is known.
    #[must_use]
    pub fn waypoints(&self) -> &Waypoints {
        &self.waypoints
    }

    /// Takes the waypoints over that were kept of it, up to its offset; if the file has changed since, they are
    /// those of what it held before.
    pub fn resume_waypoints(&mut self, kept: &Waypoints) {
        match &mut self.earlier {
            None => {
                self.waypoints = Waypoints::kept(kept.all().iter().copied().filter(|one| one.offset <= self.offset))
            }
            Some(earlier) => earlier.waypoints = kept.clone(),
        }
    }

    /// Returns whether its next line is longer than one read, and its end was found already.
    #[must_use]
    pub(crate) fn is_before_long_line(&self) -> bool {
        self.long.is_some()
    }

    /// Returns whether a line of it is on its way in parts.
    #[must_use]
    pub(crate) fn is_within_line(&self) -> bool {
        self.long.is_some_and(|long| long.started)
    }

    /// Returns whether its position says all that is known of it, so that it can be resumed there. What it held before it was
    /// truncated, or what was skipped, is of interest for a while.
    #[must_use]
    pub(crate) fn is_at_rest(&self, is_quiet: bool) -> bool {
        let is_going_on = self.is_within_line() || self.search.is_some() || self.is_cut() || self.seen.has_lost();
        let is_usual = self.earlier.is_none() && (self.marker_bytes > 0 || self.offset == 0);
        !is_going_on && (is_quiet || is_usual)
    }

    /// Goes on with another file of the same contents in the place of this one.
    pub fn adopt(&mut self, id: FileId, file: OwnedFd) {
        self.id = id;
        self.file = Some(file);
    }

    /// Looks at the head again: a part of it was reclaimed.
    ///
    /// # Errors
    /// Those of pread(2); then the head is unknown.
    pub(crate) fn look_at_head(&mut self) -> io::Result<()> {
        if self.head_before.is_none() && self.head.bytes > 0 {
            self.head_before = Some(Box::new(self.head));
        }
        self.head = Digest::default();
        self.head = head_of(self.file()?, self.offset)?;
        Ok(())
    }

    /// Continues at the smaller offset of the same bytes, after this many were collapsed away before them.
    ///
    /// # Errors
    /// Those of pread(2); the offset is right then, too.
    pub fn collapsed(&mut self, bytes: u64) -> io::Result<()> {
        debug_assert!(self.long.is_none(), "no line is on its way in parts");
        self.offset -= bytes;
        self.seen.collapsed(bytes, self.offset);
        self.nuls = Nuls::default();
        self.waypoints.collapsed(bytes);
        self.look_at_head()
    }

    /// Returns whether the file holds something else now than what was read up to the offset.
    ///
    /// # Errors
    /// Those of pread(2).
    pub(crate) fn has_changed(&self, buffer: &mut Buffer) -> io::Result<bool> {
        let position = self.position();
        Ok(position.offset > 0 && change::marker_at(self.file()?, position, buffer)?.is_none())
    }

    /// Returns whether it is known to hold something else than what was read of it, and that is still to be found out.
    #[must_use]
    pub(crate) fn is_cut(&self) -> bool {
        self.seen.is_cut()
    }

    /// Returns whether the file seems to have been overwritten in order to destroy it, as shred(1) does: it begins otherwise, with
    /// bytes that are no text, and is as long as before, or up to the end of its last block.
    ///
    /// # Errors
    /// Those of statx(2) and pread(2).
    pub(crate) fn is_being_destroyed(&self, buffer: &mut Buffer) -> io::Result<bool> {
        let (file, Some(earlier)) = (self.file()?, self.earlier()) else { return Ok(false) };
        let stat = Stat::of(file)?;
        let is_as_long = stat.size == earlier.offset || stat.size.is_multiple_of(stat.block_bytes);
        if stat.size < earlier.offset || !is_as_long || change::begins_as(file, earlier, buffer)? {
            return Ok(false);
        }
        let read = buffer.fill(file, HEAD_BYTES as usize, 0)?;
        let head = &buffer.bytes[..read];
        let is_control = |byte: &&u8| **byte < b' ' && !b"\t\n\r\x0b\x0c\x1b".contains(*byte);
        let is_pattern = || head.chunks(PATTERN_BYTES).all(|chunk| head.starts_with(chunk));
        Ok(head.iter().filter(is_control).count() * 32 > read || is_pattern())
    }

    /// Returns how many bytes of an unfinished line wait in the file, as far as was looked.
    #[must_use]
    pub(crate) fn unfinished_bytes(&self) -> u64 {
        self.unfinished
    }

    /// Returns up to where the file is read, and an unfinished line in it and the NULs behind that are known.
    #[must_use]
    pub(crate) fn read_to(&self) -> u64 {
        self.nuls.end_behind(self.offset + self.unfinished)
    }

    /// Returns how many NULs at its end nothing follows: they are waited at.
    #[must_use]
    pub(crate) fn waiting_nuls(&self) -> u64 {
        self.read_to() - (self.offset + self.unfinished)
    }

    /// Returns how many of its bytes are not taken, if it has `size` of them; NULs that are waited at are none of them.
    #[must_use]
    pub(crate) fn unread_bytes(&self, size: u64) -> u64 {
        size.saturating_sub(self.offset).saturating_sub(self.waiting_nuls())
    }

    /// Returns how many bytes that it had were destroyed before they were taken, since this was last asked, as far as they had
    /// been seen: what is written and destroyed between two looks nobody has seen.
    pub(crate) fn take_lost(&mut self) -> u64 {
        self.seen.take_lost()
    }

    /// Returns how many bytes that were seen are not taken.
    #[must_use]
    pub(crate) fn seen_unread_bytes(&self) -> u64 {
        self.seen.unread_bytes(self.offset)
    }

    /// Sees how long the file is while it is closed.
    pub(crate) fn note_closed_size(&mut self, size: u64) {
        if !self.seen.is_cut() && self.file.is_none() {
            self.seen.note(size);
        }
    }

    /// Sees how much the file holds, without taking any of it: it may be destroyed before it is its turn. Says whether some of
    /// what it held is destroyed.
    ///
    /// # Errors
    /// Those of lseek(2), statx(2), pread(2), and `EBADF` while it is closed.
    pub(crate) fn note_size(&mut self, buffer: &mut Buffer) -> io::Result<bool> {
        let is_cut = self.seen.is_cut();
        let is_other =
            !is_cut && self.read(buffer, 0)?.is_none() && !change::punched_before(self.file()?, self.offset, None)?;
        // It is another one already, though that is to be found out at its turn.
        let is_lost = is_other && self.seen.note_cut(self.offset);
        Ok(self.look_at_seen()? || is_lost)
    }

    fn look_at_seen(&mut self) -> io::Result<bool> {
        let Some(file) = &self.file else { return Err(Errno::BADF.into()) };
        self.seen.look(file, self.offset)
    }

    fn note_data(&mut self, end: u64) -> io::Result<()> {
        let Some(file) = &self.file else { return Err(Errno::BADF.into()) };
        self.seen.note_data(file, end)
    }

    /// Looks at the file: one `pread`, two for a line longer than one read.
    ///
    /// A line longer than `line_bytes_max` bytes comes in pieces of that size.
    ///
    /// # Errors
    /// Those of pread(2), `EIO` and `ESTALE` among them; the follower is unchanged then.
    pub fn look(&mut self, buffer: &mut Buffer, line_bytes_max: usize) -> io::Result<Look> {
        if self.search.is_some() {
            return self.changed(buffer);
        }
        if let Some(long) = self.long {
            return self.next_part(long, buffer);
        }
        if self.unfinished >= READ_BYTES as u64 {
            return self.search_end(buffer, line_bytes_max);
        }
        let Some(data) = self.read(buffer, READ_BYTES)? else { return self.changed(buffer) };
        self.seen.note_same(self.offset);
        let block = &buffer.bytes[data.clone()];
        if block.first() == Some(&0) && (self.skip_hole()? || self.skip_filling(&buffer.bytes[data.clone()])?) {
            return Ok(Look::Searching);
        }
        let before_hole = holes::before_hole(self.file()?, block, self.offset)?;
        let block = &block[..before_hole.unwrap_or(block.len())];
        let (whole, is_full) = (line::whole_lines(block), block.len() == READ_BYTES);
        // Of NULs at the end it is not known yet whether they are somebody's.
        let nuls =
            if before_hole.is_some() { 0 } else { self.nuls.at_end_of(&block[whole..], self.offset, block.len()) };
        let text = block.len() - nuls;
        if is_full {
            self.note_data(self.offset + text as u64)?;
        } else if before_hole.is_none() {
            self.seen.note_end(self.offset + text as u64, self.offset);
        }
        if whole > 0 {
            self.unfinished = 0;
            self.rest = (text - whole) as u64;
            let is_end = !is_full && before_hole.is_none();
            return Ok(Look::Lines { data: data.start..data.start + whole, is_end });
        }
        self.rest = 0;
        if text > line_bytes_max {
            // Too long already: as many pieces as there are, but not the last byte, which may be the line's last too.
            self.unfinished = 0;
            let pieces = (text - 1) / line_bytes_max * line_bytes_max;
            return Ok(Look::Lines { data: data.start..data.start + pieces, is_end: false });
        }
        self.unfinished = text as u64;
        if before_hole.is_some() {
            self.end_before_hole(self.offset + self.unfinished)?;
            return Ok(Look::Searching);
        }
        if nuls > 0 {
            return self.look_behind_nuls(nuls, buffer);
        }
        Ok(if is_full { Look::Searching } else { Look::Nothing })
    }

    /// Looks whether anything follows the unfinished line and the `nuls` that were read behind it: one read.
    fn look_behind_nuls(&mut self, nuls: usize, buffer: &mut Buffer) -> io::Result<Look> {
        let from = self.offset + self.unfinished + nuls as u64;
        let Some(file) = &self.file else { return Err(Errno::BADF.into()) };
        Ok(if self.nuls.look_behind(file, from, &mut buffer.bytes)? { Look::Nothing } else { Look::Searching })
    }

    /// Takes `bytes` from the start of what the last look gave: they are on their way and will not be read again.
    pub fn take(&mut self, buffer: &Buffer, data: &Range<usize>, bytes: usize) {
        let taken = &buffer.bytes[data.start..data.start + bytes];
        if self.head.bytes < HEAD_BYTES && self.head.bytes == self.offset {
            let missing = usize::try_from(HEAD_BYTES - self.head.bytes).unwrap_or(0);
            self.head.add(&taken[..missing.min(taken.len())]);
        }
        self.offset += bytes as u64;
        self.seen.note(self.offset);
        self.unfinished = self.unfinished.saturating_sub(bytes as u64);
        if bytes == data.len() {
            self.unfinished += std::mem::take(&mut self.rest);
        }
        // The buffer still holds the old marker in front of the data, so the new one is in it as a whole.
        self.remember(&buffer.bytes[..data.start + bytes]);
        self.waypoints.add(self.offset, &self.marker[..usize::from(self.marker_bytes)]);
        if let Some(long) = &mut self.long {
            long.started = true;
            if self.offset >= long.end {
                self.long = None;
            }
        }
    }

    /// Makes the unfinished last line count as a line, because its file ends or we do: the next looks give it.
    pub(crate) fn finish_line(&mut self) {
        if self.long.is_none() && self.unfinished > 0 {
            let end = self.offset + self.unfinished;
            self.long = Some(LongLine { end, started: false, terminated: false });
        }
    }

    /// Reads the marker and up to `bytes_max` bytes behind it. Returns where the new bytes are in the buffer, or `None` if
    /// the marker is not there any more.
    fn read(&mut self, buffer: &mut Buffer, bytes_max: usize) -> io::Result<Option<Range<usize>>> {
        let marker = self.marker();
        let start = self.offset - marker.len() as u64;
        let end = buffer.fill(self.file()?, marker.len() + bytes_max, start)?;
        let is_same = end >= marker.len() && &buffer.bytes[..marker.len()] == marker;
        Ok(is_same.then_some(marker.len()..end))
    }

    /// Looks for the end of a line that fills a whole read, one read further at a time.
    fn search_end(&mut self, buffer: &mut Buffer, line_bytes_max: usize) -> io::Result<Look> {
        if self.cut_if_too_long(line_bytes_max) {
            return Ok(Look::Searching);
        }
        if self.read(buffer, 0)?.is_none() {
            return self.changed(buffer);
        }
        let from = self.offset + self.unfinished;
        if self.end_at_hole(from)? {
            return Ok(Look::Searching);
        }
        let read = buffer.fill(self.file()?, READ_BYTES, from)?;
        let newline = memchr::memchr(b'\n', &buffer.bytes[..read]);
        let before_hole = holes::before_hole(self.file()?, &buffer.bytes[..read], from)?;
        if let Some(before) = before_hole.filter(|before| newline.is_none_or(|newline| newline > *before)) {
            self.end_before_hole(from + before as u64)?;
            return Ok(Look::Searching);
        }
        match newline {
            Some(newline) => {
                self.unfinished += newline as u64;
                if !self.cut_if_too_long(line_bytes_max) {
                    self.long =
                        Some(LongLine { end: self.offset + self.unfinished + 1, started: false, terminated: true });
                }
                Ok(Look::Searching)
            }
            None if read == 0 && Stat::of(self.file()?)?.size < from => Ok(self.unread_lost()),
            None if read == 0 => {
                self.seen.note_end(from, self.offset);
                Ok(Look::Nothing)
            }
            None => {
                let nuls = self.nuls.at_end_of(&buffer.bytes[..read], from, read);
                self.unfinished += (read - nuls) as u64;
                self.note_data(self.offset + self.unfinished)?;
                if nuls > 0 { self.look_behind_nuls(nuls, buffer) } else { Ok(Look::Searching) }
            }
        }
    }

    /// Ends an unfinished line at `end`, where a hole begins, or NULs that nobody wrote: that is all that is left of it. If
    /// nothing is left, the hole is skipped.
    fn end_before_hole(&mut self, end: u64) -> io::Result<()> {
        if end > self.offset {
            self.long = Some(LongLine { end, started: false, terminated: false });
        } else if let Some(offset) = holes::hole_behind(self.file()?, self.offset)? {
            self.skip_to(offset);
        }
        Ok(())
    }

    fn cut_if_too_long(&mut self, line_bytes_max: usize) -> bool {
        let is_too_long = self.unfinished > line_bytes_max as u64;
        if is_too_long {
            let end = self.offset + line_bytes_max as u64;
            self.long = Some(LongLine { end, started: false, terminated: false });
        }
        is_too_long
    }

    fn next_part(&mut self, long: LongLine, buffer: &mut Buffer) -> io::Result<Look> {
        let wanted = long.end - self.offset;
        let bytes_max = usize::try_from(wanted).unwrap_or(READ_BYTES).min(READ_BYTES);
        let Some(data) = self.read(buffer, bytes_max)? else { return self.changed(buffer) };
        if data.len() < bytes_max && !long.started {
            return Ok(self.unread_lost());
        }
        if !long.started && self.end_at_hole(long.end)? {
            return Ok(Look::Searching);
        }
        // What was NULs when its end was searched may hold lines since.
        let inner = memchr::memchr(b'\n', &buffer.bytes[data.clone()]).map(|at| at + 1);
        if let Some(line) = inner.filter(|line| *line < data.len() || !long.terminated || data.len() as u64 != wanted) {
            if !long.started {
                return Ok(self.unread_lost());
            }
            let end = self.offset + line as u64;
            self.long = Some(LongLine { end, terminated: true, ..long });
            let data = data.start..data.start + line;
            return Ok(Look::Part(data, Part { first: false, last: true, terminated: true }));
        }
        // NULs that were written look like the hole that a truncation left: the marker does not tell them apart.
        let before_hole = holes::before_hole(self.file()?, &buffer.bytes[data.clone()], self.offset)?;
        let data = data.start..data.start + before_hole.unwrap_or(data.len());
        if data.len() < bytes_max {
            // The rest of the line was cut off; what there is ends it.
            let end = self.offset + data.len() as u64;
            self.long = Some(LongLine { end, terminated: false, ..long });
            return Ok(Look::Part(data, Part { first: !long.started, last: true, terminated: false }));
        }
        let last = data.len() as u64 == wanted;
        Ok(Look::Part(data, Part { first: !long.started, last, terminated: long.terminated }))
    }

    /// Finds out why the marker is not there any more, and moves the offset accordingly.
    fn changed(&mut self, buffer: &mut Buffer) -> io::Result<Look> {
        let begun = match self.search.take() {
            Some(search) => Err(*search),
            None => Change::find(self.file()?, self.offset, self.marker())?,
        };
        let change = match begun {
            Ok(change) => change,
            Err(mut search) => match search.go_on(self.file()?, buffer)? {
                Searched::On => {
                    self.search = Some(Box::new(search));
                    return Ok(Look::Searching);
                }
                Searched::Done(found) => found.map_or(Change::Truncated, Change::Collapsed),
            },
        };
        if change != Change::Truncated {
            self.seen.note_same(self.offset);
        }
        match change {
            Change::Truncated => return Ok(self.truncated()),
            // The bytes before the offset are gone, so there is nothing left to compare until the next ones are taken.
            // Nor is it known any more what follows: behind a truncation and a hole it looks just the same.
            Change::Punched => {
                self.earlier = Some(Box::new(self.trail()));
                self.marker_bytes = 0;
                self.head = Digest::default();
                self.unfinished = 0;
                self.long = None;
            }
            Change::Collapsed(offset) => {
                self.waypoints.collapsed(self.offset - offset);
                self.seen.collapsed(self.offset - offset, offset);
                self.nuls = Nuls::default();
                self.offset = offset;
                self.head = Digest::default();
            }
        }
        Ok(Look::Changed(change))
    }

    /// Forgets what was known of an unfinished line: the file was cut off within it, but behind the offset.
    fn unread_lost(&mut self) -> Look {
        self.unfinished = 0;
        self.long = None;
        Look::Searching
    }

    /// Ends the line at the offset where a hole begins within what is known of it, up to `known`; says whether there is one.
    ///
    /// The file was truncated, and a writer that does not append went on where it was: that is where we would go on, too.
    fn end_at_hole(&mut self, known: u64) -> io::Result<bool> {
        let file = self.file()?;
        let Some(hole) = holes::hole_between(file, self.offset, known)? else { return Ok(false) };
        // A hole that nothing follows cannot be skipped, so looking again would find it again.
        if holes::hole_end(file, hole)?.is_none() {
            return Ok(false);
        }
        self.unread_lost();
        if hole > self.offset {
            self.long = Some(LongLine { end: hole, started: false, terminated: false });
        }
        Ok(true)
    }

    /// Skips a hole at the offset, and the NULs behind it that fill its last block; says whether there was one.
    fn skip_hole(&mut self) -> io::Result<bool> {
        let Some(offset) = holes::hole_end(self.file()?, self.offset)? else { return Ok(false) };
        self.skip_to(offset);
        Ok(true)
    }

    fn skip_to(&mut self, offset: u64) {
        self.seen.note_hole(self.offset, offset);
        self.skip_nuls(offset);
        self.unfinished = 0;
        self.marker_bytes = 0;
    }

    /// Skips NULs that nobody wrote: behind a truncation, or a hole, a writer that does not append goes on in the middle of a
    /// block, and what is before that in the block reads as NULs but is no hole.
    fn skip_filling(&mut self, block: &[u8]) -> io::Result<bool> {
        let is_begun_anew = self.offset == 0 && self.earlier.is_some();
        let is_behind_hole = self.offset > 0 && self.marker_bytes == 0;
        // Where nothing follows its writer may have yet to begin.
        let is_waiting = block.iter().all(|byte| *byte == 0);
        if (!is_begun_anew && !is_behind_hole) || is_waiting {
            return Ok(false);
        }
        let block_bytes = Stat::of(self.file()?)?.block_bytes;
        let rest_of_block = usize::try_from(block_bytes - self.offset % block_bytes).unwrap_or(READ_BYTES);
        let filling = block.iter().take(rest_of_block).take_while(|byte| **byte == 0).count();
        self.skip_nuls(self.offset + filling as u64);
        Ok(true)
    }

    /// Goes on at an offset before which there are only NULs; they belong to the head, as whoever copies the file reads them.
    fn skip_nuls(&mut self, offset: u64) {
        if self.head.bytes < HEAD_BYTES && self.head.bytes == self.offset {
            let missing = (offset - self.offset).min(HEAD_BYTES - self.head.bytes);
            self.head.add(&[0; HEAD_BYTES as usize][..usize::try_from(missing).unwrap_or(0)]);
        }
        self.offset = offset;
        self.seen.note(offset);
    }

    /// Starts again at the beginning.
    fn truncated(&mut self) -> Look {
        self.earlier = Some(Box::new(self.trail()));
        self.seen.note_truncated(self.offset);
        (self.offset, self.unfinished, self.rest) = (0, 0, 0);
        self.nuls = Nuls::default();
        self.marker_bytes = 0;
        self.waypoints.clear();
        (self.head, self.head_before) = (Digest::default(), None);
        self.long = None;
        Look::Changed(Change::Truncated)
    }

    fn marker(&self) -> &[u8] {
        &self.marker[..usize::from(self.marker_bytes)]
    }

    /// Keeps the end of what was taken as the marker.
    fn remember(&mut self, taken: &[u8]) {
        let bytes = taken.len().min(MARKER_BYTES);
        self.marker[..bytes].copy_from_slice(&taken[taken.len() - bytes..]);
        self.marker_bytes = bytes as u8;
    }
}
