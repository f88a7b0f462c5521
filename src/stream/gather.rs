//! What the segments of a block come to on each stream, as its encoding has it: lines as they are, or objects.

use super::batch::{Batch, Mark};
use super::cut::Segment;
use super::decide::Way;
use super::objects::RecordObjects;
use crate::output::encode::encoding::Encoding;
use crate::output::encode::object::Objects;
use crate::output::rules::Stream;
use crate::output::sink::{Gone, Sink, Written};
use crate::shelf::lineage::Key;
use crate::shelf::progress::Progress;

/// What one turn writes to the two streams.
#[expect(clippy::large_enum_variant, reason = "it is on the stack for one turn; a box would be an allocation each")]
pub(super) enum Gathered<'a> {
    /// All of a block as it is.
    Block {
        block: &'a [u8],
        to: Option<Stream>,
    },
    Lines {
        opening: &'a [u8],
        batches: [Batch<'a>; 2],
    },
    Records {
        objects: RecordObjects<'a>,
        outs: [Vec<u8>; 2],
    },
}

impl<'a> Gathered<'a> {
    /// Begins with nothing; `is_one_run` says of the block that it is one segment, as it is, `opening` and `objects` are the file's.
    pub(super) fn new(
        encoding: &Encoding,
        block: &'a [u8],
        is_one_run: bool,
        opening: &'a [u8],
        objects: &'a mut Option<Box<Objects>>,
    ) -> Self {
        match encoding.object_fields() {
            _ if is_one_run => Self::Block { block, to: None },
            None => Self::Lines { opening, batches: [Batch::new(block), Batch::new(block)] },
            Some(fields) => {
                let objects = RecordObjects { fields, opening, block, objects, invalid: 0 };
                Self::Records { objects, outs: [Vec::new(), Vec::new()] }
            }
        }
    }

    /// Adds a segment to what the stream gets, and returns how many bytes will be written for it; nothing when that has enough
    /// for one write.
    pub(super) fn add(&mut self, stream: Stream, segment: &Segment, way: &Way<'_>) -> Option<usize> {
        match self {
            Self::Block { block, to } => {
                *to = Some(stream);
                Some(block.len())
            }
            Self::Lines { opening, batches } => batches[stream.index()].add(opening, segment),
            Self::Records { objects, outs } => objects.add(&mut outs[stream.index()], segment, way),
        }
    }

    /// Returns how to come back to what it holds now; not if records become objects.
    pub(super) fn mark(&self) -> Option<[Mark; 2]> {
        match self {
            Self::Lines { batches, .. } => Some(batches.each_ref().map(Batch::mark)),
            Self::Block { .. } | Self::Records { .. } => None,
        }
    }

    /// Takes away what was added since.
    pub(super) fn rewind(&mut self, marks: [Mark; 2]) {
        if let Self::Lines { batches, .. } = self {
            batches.iter_mut().zip(marks).for_each(|(batch, mark)| batch.rewind(mark));
        }
    }

    /// Writes what there is for each stream; `ends_line` says whether a line that goes out as it is ends with that. Returns how
    /// many sequences of bytes were not UTF-8 and are shown as U+FFFD.
    ///
    /// # Errors
    /// When a stream is gone.
    pub(super) fn write(
        &self,
        sink: &mut Sink,
        key: Key,
        progress: &mut Progress,
        ends_line: bool,
    ) -> Result<u64, Gone> {
        for stream in Stream::ALL {
            match self {
                Self::Block { block, to } if *to == Some(stream) => {
                    write(sink, stream, key, progress, &[block], ends_line)?;
                }
                Self::Block { .. } => {}
                Self::Lines { batches, .. } => {
                    write(sink, stream, key, progress, batches[stream.index()].pieces(), ends_line)?;
                }
                // An object is a line, whatever it is an object of.
                Self::Records { outs, .. } => write(sink, stream, key, progress, &[&outs[stream.index()]], true)?,
            }
        }
        Ok(if let Self::Records { objects, .. } = self { objects.invalid } else { 0 })
    }
}

/// Writes whole pieces to a stream, if there are any, and notes whether that holds some of it.
pub(super) fn write(
    sink: &mut Sink,
    stream: Stream,
    key: Key,
    progress: &mut Progress,
    pieces: &[&[u8]],
    ends_line: bool,
) -> Result<(), Gone> {
    if pieces.iter().all(|piece| piece.is_empty()) {
        return Ok(());
    }
    let written = sink.write(stream, key, pieces, ends_line)?;
    if written == Written::Held {
        progress.hold(sink.effective(stream));
    }
    Ok(())
}
