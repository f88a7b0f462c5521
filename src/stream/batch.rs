//! The lines of one turn for one stream, as pieces of one write: runs of lines are one piece, and none is copied.

use std::ops::Range;

use super::cut::Segment;
use crate::output::sink::{PIECES_MAX, WRITE_BYTES_MAX};

/// What a batch held at some time.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    count: usize,
    bytes: usize,
    run: Option<Range<usize>>,
}

/// The lines of one turn for one stream, as pieces of one write.
pub(super) struct Batch<'a> {
    block: &'a [u8],
    pieces: [&'a [u8]; PIECES_MAX],
    count: usize,
    bytes: usize,
    /// Where the last piece lies in the block, if the next line may be joined to it.
    run: Option<Range<usize>>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(block: &'a [u8]) -> Self {
        Self { block, pieces: [&[]; PIECES_MAX], count: 0, bytes: 0, run: None }
    }

    pub(super) fn pieces(&self) -> &[&'a [u8]] {
        &self.pieces[..self.count]
    }

    /// Adds lines behind what stands before each of them, and returns how many bytes will be written for that; nothing when the
    /// write is full.
    pub(super) fn add(&mut self, opening: &'a [u8], segment: &Segment) -> Option<usize> {
        let opening = if segment.is_front { opening } else { &[] };
        let (start, end) = (segment.start, segment.end);
        let bytes = opening.len() + (end - start) + usize::from(segment.wants_newline);
        let is_too_much = self.bytes + bytes > WRITE_BYTES_MAX && self.bytes > 0;
        if is_too_much || self.count + 3 > PIECES_MAX {
            return None;
        }
        self.bytes += bytes;
        match &mut self.run {
            Some(run) if run.end == start && opening.is_empty() => {
                run.end = end;
                self.pieces[self.count - 1] = &self.block[run.clone()];
            }
            _ => {
                if !opening.is_empty() {
                    self.push(opening);
                }
                self.push(&self.block[start..end]);
                self.run = Some(start..end);
            }
        }
        if segment.wants_newline {
            self.push(b"\n");
            self.run = None;
        }
        Some(bytes)
    }

    /// Returns how to come back to what it holds now.
    pub(super) fn mark(&self) -> Mark {
        Mark { count: self.count, bytes: self.bytes, run: self.run.clone() }
    }

    /// Takes away what was added since.
    pub(super) fn rewind(&mut self, Mark { count, bytes, run }: Mark) {
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
