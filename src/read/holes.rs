//! Holes in a file: where they are, and how much of what is beside them nobody wrote.
//!
//! A hole reads as NULs, but a NUL that somebody wrote is data. The kernel distinguishes the two (`SEEK_DATA` and `SEEK_HOLE`,
//! lseek(2)), block by block.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::buffer::{READ_BYTES, read_at};
use crate::paths::beneath::Stat;

/// How many holes are counted, at most.
const HOLES_MAX: usize = 64;

/// No block of a file system is smaller, and none begins elsewhere.
const SECTOR_BYTES: usize = 512;

/// Returns where the bytes go on behind a hole that begins at `offset`, or `None` if there is no hole, or nothing behind it.
///
/// The NULs up to the first other byte of the first block behind the hole are not the writer's: it began to write in the
/// middle of that block.
///
/// # Errors
/// Those of lseek(2) and pread(2).
pub(crate) fn hole_end(file: &OwnedFd, offset: u64) -> io::Result<Option<u64>> {
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

/// Returns how far the bytes from `offset` on go: up to the first hole, which may be the end of the file; `None` if there are
/// NULs before that.
///
/// # Errors
/// Those of lseek(2), statx(2) and pread(2).
pub(super) fn end_of_data(file: &OwnedFd, offset: u64) -> io::Result<Option<u64>> {
    let end = match hole_from(file, offset)? {
        Some(end) => end,
        None => Stat::of(file)?.size,
    };
    let mut last = [0];
    let is_data = end > offset && read_at(file, &mut last, end - 1)? == 1 && last != [0];
    Ok(Some(end).filter(|_| is_data))
}

/// Returns whether any block before the offset is a hole.
pub(super) fn has_hole_before(file: &OwnedFd, offset: u64) -> io::Result<bool> {
    Ok(hole_between(file, 0, offset)?.is_some())
}

/// Returns where the first hole from `offset` on begins, which may be the end of the file.
fn hole_from(file: &OwnedFd, offset: u64) -> io::Result<Option<u64>> {
    hole_between(file, offset, u64::MAX)
}

/// Returns how many bytes between two offsets are in holes, as far as the first of very many show.
///
/// # Errors
/// Those of lseek(2).
pub(super) fn bytes_in_holes(file: &OwnedFd, mut from: u64, to: u64) -> io::Result<u64> {
    let mut bytes = 0;
    for _ in 0..HOLES_MAX {
        let Some(hole) = hole_between(file, from, to)? else { break };
        from = data_from(file, hole)?.unwrap_or(to).clamp(hole, to);
        bytes += from - hole;
    }
    Ok(bytes)
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
pub(crate) fn data_from(file: &OwnedFd, offset: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(data) => Ok(Some(data)),
        Err(Errno::NXIO) => Ok(None),
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(Some(offset)),
        Err(why) => Err(why.into()),
    }
}
