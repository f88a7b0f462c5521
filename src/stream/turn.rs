//! One turn of one file: look, stream what there is, take it.
//!
//! A turn reads once and writes at most once to each stream, at most 64 KiB, so many files take fair turns. Lines go from
//! the read buffer to the pipe without a copy: runs of lines for the same stream are one piece of one write. Nothing is
//! taken from the file that the sink did not accept.

use std::ops::Range;

use super::cut::Block;
use super::desk::{Begun, Desk, Failure, Turn};
use super::gather::write;
use super::segments::Streamed;
use crate::output::rules::{Route, Stream};
use crate::output::sink::Gone;
use crate::read::change::Change;
use crate::read::follower::Look;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;

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
            Look::Lines { data, is_end } => self.block(key, file, &Block { data, is_end, part: None }),
            Look::Part(data, part) => self.block(key, file, &Block { data, is_end: false, part: Some(part) }),
        }
    }

    /// Returns whether the file is within a line, and so owns a stream.
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
                self.observe_added(1);
            }
        }
        Ok(())
    }

    /// Streams a block.
    fn block(&mut self, key: Key, file: &mut Followed, block: &Block) -> Result<Turn, Failure> {
        let data = &block.data;
        let begins_with_newline = self.buffer.bytes(data.clone()).first() == Some(&b'\n');
        if begins_with_newline && let Some(route) = file.course.line.take_if(|_| block.part.is_none()) {
            // The line was ended before its writer did; its own newline would make an empty line.
            self.observe_passed_over(file, data, 1, route);
            self.take(file, data, 1);
            return Ok(Turn::More);
        }
        let Streamed { taken, blocked } = self.stream_segments(key, file, block)?;
        // A part of no bytes, too, is taken: it ends its line.
        if taken > 0 || blocked.is_none() {
            self.take(file, data, taken);
        }
        file.blocked_on = blocked;
        Ok(match blocked {
            Some(stream) => Turn::Blocked(stream),
            None if block.is_end && (taken == data.len() || file.is_record_waiting) => Turn::Last,
            None => Turn::More,
        })
    }

    /// Takes what is on its way, and counts it.
    fn take(&mut self, file: &mut Followed, data: &Range<usize>, bytes: usize) {
        self.observe_taken(file, data, bytes);
        file.follower.take(&self.buffer, data, bytes);
        file.progress.take(file.follower.offset());
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
