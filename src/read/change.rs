//! What happened to a file whose bytes before the offset are no longer what they were.
//!
//! Four things happen to log files in place: they are truncated (copytruncate) or overwritten, a hole is punched into what
//! was read, what was read is collapsed away, or they are filled again behind a hole, by a writer that does not append. Only
//! the first makes what was streamed worth reading again.

use std::io;
use std::os::fd::OwnedFd;

use super::buffer::{Buffer, HEAD_BYTES, MARKER_BYTES, READ_BYTES, read_at};
use super::holes::{data_from, has_hole_before};
use super::position::{Digest, Position};
use super::search::{Search, Searched};
use crate::paths::beneath::Stat;

/// How many bytes of a file are searched for a marker that moved, at most, a part at a time.
const SEARCH_BYTES_MAX: u64 = 1 << 30;

/// How many blocks may be gone of a file that was left by an earlier process, each a read.
const BLOCKS_MAX: u64 = 256;

/// What happened before the offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The file was truncated, or overwritten: it is another one now, and read from its beginning.
    Truncated,
    /// A hole was punched where the marker was: the offset stands.
    Punched,
    /// The beginning was collapsed away (`FALLOC_FL_COLLAPSE_RANGE`): the bytes are the same, at this smaller offset.
    Collapsed(u64),
}

impl Change {
    /// Begins to find out what happened to a file that had been read up to `offset`, with `marker` before it: that, or where it
    /// has to be searched.
    pub(super) fn find(file: &OwnedFd, offset: u64, marker: &[u8]) -> io::Result<Result<Self, Search>> {
        if punched_before(file, offset, Some(marker))? {
            return Ok(Ok(Self::Punched));
        }
        Ok(Search::new(file, offset, marker, SEARCH_BYTES_MAX)?.map_or(Ok(Self::Truncated), Err))
    }
}

/// Returns the bytes before a position, if they, and the file's head if it is still there, are those that the position knows.
pub(super) fn marker_at(file: &OwnedFd, position: Position, buffer: &mut Buffer) -> io::Result<Option<Vec<u8>>> {
    // The head may have been reclaimed since: then there is a hole, or NULs in a copy of that, and the marker alone speaks.
    let is_head = begins_as(file, position, buffer)? || begins_with_nuls(file, buffer)?;
    if !is_head && !has_hole_before(file, position.offset)? {
        return Ok(None);
    }
    let marker_bytes = usize::try_from(position.marker.bytes).unwrap_or(usize::MAX).min(MARKER_BYTES);
    let Some(start) = position.offset.checked_sub(marker_bytes as u64) else { return Ok(None) };
    let read = buffer.fill(file, marker_bytes, start)?;
    let marker = &buffer.bytes[..read];
    // Without a marker only the size speaks: a file that is shorter was truncated.
    let is_long_enough = Stat::of(file)?.size >= position.offset;
    Ok((is_long_enough && Digest::of(marker) == position.marker).then(|| marker.to_vec()))
}

/// Returns whether a file begins as the position knows it: as it is now, or as it was before a part of it was reclaimed.
pub(super) fn begins_as(file: &OwnedFd, position: Position, buffer: &mut Buffer) -> io::Result<bool> {
    let read = buffer.fill(file, HEAD_BYTES as usize, 0)?;
    let is_head = |head: Digest| {
        let bytes = usize::try_from(head.bytes.min(HEAD_BYTES)).unwrap_or(0).min(read);
        Digest::of(&buffer.bytes[..bytes]) == head
    };
    Ok(is_head(position.head) || (position.head_before.bytes > 0 && is_head(position.head_before)))
}

fn begins_with_nuls(file: &OwnedFd, buffer: &mut Buffer) -> io::Result<bool> {
    let read = buffer.fill(file, HEAD_BYTES as usize, 0)?;
    Ok(read == HEAD_BYTES as usize && buffer.bytes[..read].iter().all(|byte| *byte == 0))
}

/// Returns whether what is before the offset is a hole, at least up to within the marker: what was read has been reclaimed.
///
/// What is left of the marker must be what it was; without the marker it cannot be compared.
pub(super) fn punched_before(file: &OwnedFd, offset: u64, marker: Option<&[u8]>) -> io::Result<bool> {
    let stat = Stat::of(file)?;
    if offset == 0 || stat.size < offset {
        return Ok(false);
    }
    // A hole consists of whole blocks; of the block with the offset only a part was punched, and that is NULs now.
    let block = (offset - 1) / stat.block_bytes * stat.block_bytes;
    let within_block = usize::try_from(offset - block).unwrap_or(0).min(READ_BYTES);
    let mut bytes = vec![0; within_block.min(MARKER_BYTES)];
    let start = offset - bytes.len() as u64;
    let read = read_at(file, &mut bytes, start)?;
    let nuls = bytes[..read].iter().take_while(|byte| **byte == 0).count();
    let left = &bytes[nuls..];
    let is_left = read == bytes.len() && nuls > 0 && marker.is_none_or(|marker| marker.ends_with(left));
    let is_hole = |at: u64| data_from(file, at).map(|data| data.is_none_or(|data| data > at));
    let near_hole = is_hole(start)? || (block > 0 && is_hole(block - 1)?);
    Ok(is_left && near_hole)
}

/// Returns a position's offset in a file that has lost whole blocks at its beginning since.
///
/// Limit: [`BLOCKS_MAX`] blocks are looked at; a file of which more are gone counts as truncated, which repeats lines but loses
/// none. So does one with lines that repeat themselves.
pub(super) fn collapsed_to(file: &OwnedFd, position: Position, buffer: &mut Buffer) -> io::Result<Option<u64>> {
    let Stat { size, block_bytes, .. } = Stat::of(file)?;
    if position.marker.bytes != MARKER_BYTES as u64 {
        return Ok(None);
    }
    let blocks_gone = position.offset.saturating_sub(size).div_ceil(block_bytes).max(1);
    let mut found = None;
    for blocks in blocks_gone..blocks_gone.saturating_add(BLOCKS_MAX) {
        let gone = blocks.saturating_mul(block_bytes);
        let Some(end) = position.offset.checked_sub(gone).filter(|end| *end >= MARKER_BYTES as u64) else { break };
        let mut marker = [0; MARKER_BYTES];
        let read = read_at(file, &mut marker, end - MARKER_BYTES as u64)?;
        if read == MARKER_BYTES && Digest::of(&marker) == position.marker && found.replace((end, marker)).is_some() {
            return Ok(None);
        }
    }
    let Some((end, marker)) = found else { return Ok(None) };
    // It may be elsewhere, too.
    let search = Search::new(file, position.offset, &marker, SEARCH_BYTES_MAX)?;
    Ok(match search.map(|mut search| search.go_on(file, buffer)).transpose()? {
        Some(Searched::Done(found)) => found,
        Some(Searched::On) | None => Some(end),
    })
}
