//! What happened to a file whose bytes before the offset are no longer what they were, and whether one file is a copy of
//! another.
//!
//! Four things happen to log files in place: they are truncated (copytruncate) or overwritten, a hole is punched into what
//! was read, what was read is collapsed away, or they are filled again behind a hole, by a writer that does not append. Only
//! the first makes what was streamed worth reading again.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::{Buffer, Digest, Follower, HEAD_BYTES, MARKER_BYTES, Position, READ_BYTES, read_at};
use crate::beneath::Stat;

/// How many bytes of a file are searched for a marker that moved, at most: 1 GiB takes a fraction of a second, once.
const SEARCH_BYTES_MAX: u64 = 1 << 30;

/// No block of a file system is smaller, and none begins elsewhere.
const SECTOR_BYTES: usize = 512;

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
    /// Finds out what happened to a file that had been read up to `offset`, with `marker` before it.
    pub(super) fn find(file: &OwnedFd, offset: u64, marker: &[u8], buffer: &mut Buffer) -> io::Result<Self> {
        if punched_before(file, offset, Some(marker))? {
            return Ok(Self::Punched);
        }
        Ok(moved_to(file, offset, marker, buffer)?.map_or(Self::Truncated, Self::Collapsed))
    }
}

/// Whose bytes a file holds, seen from one that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship<P = Position> {
    /// Its own.
    None,
    /// The same up to this offset, which were streamed; what follows was not.
    Copy(P),
    /// As many of the followed file's as it has so far: it may be a copy that is still being made.
    Perhaps,
}

impl Kinship {
    /// Says whether a file holds the same up to a position that was streamed of another one, which is gone.
    ///
    /// # Errors
    /// Those of pread(2).
    pub fn is_copy_of(candidate: &OwnedFd, position: Position, buffer: &mut Buffer) -> io::Result<bool> {
        Ok(position.marker.bytes > 0 && marker_at(candidate, position, buffer)?.is_some())
    }

    /// Returns the end of a file that holds a part of what was streamed up to a position, and nothing else: it begins with the
    /// same [`HEAD_BYTES`] and is shorter, a copy that was made before the last of it was written.
    ///
    /// # Errors
    /// Those of pread(2).
    pub fn end_of_shorter(
        candidate: &OwnedFd,
        position: Position,
        buffer: &mut Buffer,
    ) -> io::Result<Option<Position>> {
        let size = Stat::of(candidate)?.size;
        if position.head.bytes < HEAD_BYTES || !(HEAD_BYTES..position.offset).contains(&size) {
            return Ok(None);
        }
        if !begins_as(candidate, position, buffer)? {
            return Ok(None);
        }
        let read = buffer.fill(candidate, MARKER_BYTES, size - MARKER_BYTES as u64)?;
        Ok(Some(Position { offset: size, marker: Digest::of(&buffer.bytes[..read]), ..position }))
    }

    /// Says whether a file holds nothing but what a followed one begins with, as far as its first and its last bytes tell: it
    /// may be a copy of what that has become, of which nothing was streamed yet.
    ///
    /// # Errors
    /// Those of pread(2).
    pub fn is_beginning_of(candidate: &OwnedFd, candidate_bytes: u64, followed: &Follower) -> io::Result<bool> {
        let (file, bytes) = (followed.file()?, candidate_bytes);
        let (head, tail) = (bytes.min(HEAD_BYTES), bytes.min(MARKER_BYTES as u64));
        let size = Stat::of(file)?.size;
        let is_same = |start, length| is_same_at(candidate, file, start, length);
        Ok(size > 0 && bytes <= size && is_same(0, head)? && is_same(bytes - tail, tail)?)
    }

    /// Compares a file with what was streamed of a followed one, or of its contents before it was truncated.
    ///
    /// # Errors
    /// Those of pread(2).
    pub fn of(candidate: &OwnedFd, candidate_bytes: u64, followed: &Follower, buffer: &mut Buffer) -> io::Result<Self> {
        let streamed = followed.position();
        for position in [Some(streamed), followed.earlier()].into_iter().flatten() {
            if Self::is_copy_of(candidate, position, buffer)? {
                return Ok(Self::Copy(position));
            }
        }
        if streamed.offset == 0 || candidate_bytes >= streamed.offset {
            return Ok(Self::None);
        }
        let (mut ours, mut theirs) = ([0; HEAD_BYTES as usize], [0; HEAD_BYTES as usize]);
        let read = read_at(candidate, &mut theirs, 0)?;
        let is_same = read_at(followed.file()?, &mut ours[..read], 0)? == read && ours == theirs;
        if is_same && theirs.iter().all(|byte| *byte == 0) {
            return Self::of_hole(candidate, candidate_bytes, &theirs[..read], followed, buffer);
        }
        Ok(if is_same { Self::Perhaps } else { Self::None })
    }

    /// The same for two files that both begin with a hole, which says nothing: the candidate must end with what the followed
    /// one holds there, or begin as that did before it was truncated.
    fn of_hole(
        candidate: &OwnedFd,
        candidate_bytes: u64,
        head: &[u8],
        followed: &Follower,
        buffer: &mut Buffer,
    ) -> io::Result<Self> {
        let lost =
            [Some(followed.position()).filter(|_| followed.has_changed(buffer).unwrap_or(true)), followed.earlier()];
        let begins_so = |lost: Position| {
            let known = usize::try_from(lost.head.bytes).ok().and_then(|bytes| head.get(..bytes));
            known.is_some_and(|known| Digest::of(known) == lost.head)
        };
        let tail = candidate_bytes.min(MARKER_BYTES as u64);
        let may_be_copy = lost.into_iter().flatten().any(begins_so)
            || is_same_at(candidate, followed.file()?, candidate_bytes - tail, tail)?;
        Ok(if may_be_copy { Self::Perhaps } else { Self::None })
    }
}

/// Says whether two files hold the same `length` bytes, at most [`HEAD_BYTES`], from `start` on.
fn is_same_at(one: &OwnedFd, other: &OwnedFd, start: u64, length: u64) -> io::Result<bool> {
    let length = usize::try_from(length).unwrap_or(0);
    let (mut ours, mut theirs) = (vec![0; length], vec![0; length]);
    Ok(read_at(one, &mut ours, start)? == read_at(other, &mut theirs, start)? && ours == theirs)
}

/// Returns the bytes before a position, if they, and the file's head if it is still there, are those that the position knows.
pub(super) fn marker_at(file: &OwnedFd, position: Position, buffer: &mut Buffer) -> io::Result<Option<Vec<u8>>> {
    // The head may have been given back since: then there is a hole, or NULs in a copy of that, and the marker alone speaks.
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

/// Says whether a file begins as the position knows it: as it is now, or as it was before a part of it was given back.
fn begins_as(file: &OwnedFd, position: Position, buffer: &mut Buffer) -> io::Result<bool> {
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

/// Says whether what is before the offset is a hole, at least up to within the marker: somebody gave back what was read.
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

/// Returns where the bytes go on behind a hole that begins at `offset`, or `None` if there is no hole, or nothing behind it.
///
/// The NULs up to the first other byte of the first block behind the hole are not the writer's: it began to write in the
/// middle of that block.
///
/// # Errors
/// Those of lseek(2) and pread(2).
pub fn hole_end(file: &OwnedFd, offset: u64) -> io::Result<Option<u64>> {
    let Some(data) = data_from(file, offset)?.filter(|data| *data > offset) else { return Ok(None) };
    let block_bytes = Stat::of(file)?.block_bytes.min(READ_BYTES as u64);
    let mut block = vec![0; usize::try_from(block_bytes - data % block_bytes).unwrap_or(0)];
    let read = read_at(file, &mut block, data)?;
    let filling = block[..read].iter().take_while(|byte| **byte == 0).count();
    Ok(Some(data + filling as u64))
}

/// Returns the same for the first hole from `offset` on.
pub(super) fn hole_behind(file: &OwnedFd, offset: u64) -> io::Result<Option<u64>> {
    hole_from(file, offset)?.map_or(Ok(None), |hole| hole_end(file, hole))
}

/// Returns how much of a block that was read at `offset` comes before a hole with something behind it; `None` if there is no
/// such hole in it.
///
/// The NULs that fill the last block before the hole are not the writer's: the file was cut off there.
pub(super) fn before_hole(file: &OwnedFd, block: &[u8], offset: u64) -> io::Result<Option<usize>> {
    // A hole begins at the edge of a sector, and reads as NULs: without any there nobody has to be asked.
    let to_edge = usize::try_from(offset.next_multiple_of(SECTOR_BYTES as u64) - offset).unwrap_or(0);
    if block.iter().skip(to_edge).step_by(SECTOR_BYTES).all(|byte| *byte != 0) {
        return Ok(None);
    }
    let Some(hole) = hole_from(file, offset)? else { return Ok(None) };
    let Some(before) = usize::try_from(hole - offset).ok().filter(|before| *before < block.len()) else {
        return Ok(None);
    };
    if hole_end(file, hole)?.is_none() {
        return Ok(None);
    }
    let block_bytes = usize::try_from(Stat::of(file)?.block_bytes).unwrap_or(SECTOR_BYTES);
    let filling = block[..before].iter().rev().take(block_bytes - 1).take_while(|byte| **byte == 0).count();
    Ok(Some(before - filling))
}

/// Says whether any block before the offset is a hole.
fn has_hole_before(file: &OwnedFd, offset: u64) -> io::Result<bool> {
    Ok(hole_between(file, 0, offset)?.is_some())
}

/// Returns where the first hole from `offset` on begins, which may be the end of the file.
fn hole_from(file: &OwnedFd, offset: u64) -> io::Result<Option<u64>> {
    hole_between(file, offset, u64::MAX)
}

/// Returns where the first hole between two offsets begins.
pub(super) fn hole_between(file: &OwnedFd, from: u64, to: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Hole(from)) {
        Ok(hole) => Ok(Some(hole).filter(|hole| *hole < to)),
        Err(Errno::NXIO | Errno::INVAL | Errno::OPNOTSUPP) => Ok(None),
        Err(why) => Err(why.into()),
    }
}

/// Returns the first byte from `offset` on that is not in a hole; `None` if only a hole follows. File systems that know no
/// holes say that everything is data (lseek(2)).
///
/// # Errors
/// Those of lseek(2).
pub fn data_from(file: &OwnedFd, offset: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(data) => Ok(Some(data)),
        Err(Errno::NXIO) => Ok(None),
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(Some(offset)),
        Err(why) => Err(why.into()),
    }
}

/// Returns the offset that a position has in a file of which whole blocks at the beginning are gone since.
pub(super) fn collapsed_to(file: &OwnedFd, position: Position, buffer: &mut Buffer) -> io::Result<Option<u64>> {
    let Stat { size, block_bytes, .. } = Stat::of(file)?;
    if position.marker.bytes != MARKER_BYTES as u64 || position.offset > SEARCH_BYTES_MAX {
        return Ok(None);
    }
    let mut end = position.offset;
    let mut marker = [0; MARKER_BYTES];
    while end >= block_bytes + MARKER_BYTES as u64 {
        end -= block_bytes;
        if end <= size {
            read_at(file, &mut marker, end - MARKER_BYTES as u64)?;
            if Digest::of(&marker) == position.marker {
                return moved_to(file, position.offset, &marker, buffer);
            }
        }
    }
    Ok(None)
}

/// Returns where the marker ends now, if whole blocks before it are gone.
///
/// It must be found exactly once, at a distance of whole blocks: lines that repeat themselves tell nothing, and then the
/// file counts as truncated, which repeats lines but loses none.
fn moved_to(file: &OwnedFd, offset: u64, marker: &[u8], buffer: &mut Buffer) -> io::Result<Option<u64>> {
    let stat = Stat::of(file)?;
    if marker.len() < MARKER_BYTES || stat.size > SEARCH_BYTES_MAX {
        return Ok(None);
    }
    let finder = memchr::memmem::Finder::new(marker);
    let (mut found, mut at) = (None, 0);
    loop {
        let read = buffer.fill(file, MARKER_BYTES + READ_BYTES, at)?;
        let mut from = 0;
        while let Some(index) = finder.find(&buffer.bytes[from..read]) {
            if found.is_some_and(|end| end != at + (from + index + marker.len()) as u64) {
                return Ok(None);
            }
            found = Some(at + (from + index + marker.len()) as u64);
            from += index + 1;
        }
        if read < MARKER_BYTES + READ_BYTES {
            break;
        }
        at += READ_BYTES as u64;
    }
    Ok(found.filter(|end| *end < offset && (offset - end).is_multiple_of(stat.block_bytes)))
}
