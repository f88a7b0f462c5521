//! What the kernel reclaims of a file: holes punched, and holes taken out.
//!
//! It decides nothing and remembers nothing. A file is opened for writing only for the moment of one call, through its own
//! open descriptor, so that it is this file and no other, whatever it is called by now.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{FallocateFlags, Mode, OFlags};

use crate::paths::beneath::Stat;
use crate::read::holes::data_from;

/// Opens a file that is open for reading once more, for writing.
///
/// # Errors
/// Those of open(2): `EACCES` (not ours and not writable for us), `EROFS`, `EPERM` (append-only), `ENOENT` without `/proc`.
#[allow(clippy::disallowed_methods, reason = "a descriptor of our own")]
pub(crate) fn open_for_writing(file: &OwnedFd) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty())?)
}

/// Reclaims what is between two offsets: whole blocks are free then; the rest, in blocks that stay in part, reads as NULs.
///
/// Works for any writer, also on a full disk; the file's size stays. fallocate(2), `FALLOC_FL_PUNCH_HOLE`.
///
/// # Errors
/// Those of [`open_for_writing`], and `EOPNOTSUPP` or `EINVAL` where the file system cannot do it.
pub(crate) fn punch(file: &OwnedFd, from: u64, end: u64) -> io::Result<()> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(rustix::fs::fallocate(open_for_writing(file)?, flags, from, end - from)?)
}

/// Removes the first `bytes` bytes of a file, which becomes that much shorter: whole blocks, and not all of it.
///
/// Wrong for writers that do not append: they go on at their old offsets. fallocate(2), `FALLOC_FL_COLLAPSE_RANGE`.
///
/// # Errors
/// As [`punch`].
pub(crate) fn collapse(file: &OwnedFd, bytes: u64) -> io::Result<()> {
    Ok(rustix::fs::fallocate(open_for_writing(file)?, FallocateFlags::COLLAPSE_RANGE, 0, bytes)?)
}

/// Returns how much can be collapsed of the hole that a file begins with, reclaimed up to `kept`: 0 if there is no use.
///
/// If `kept` is within a block, one block of the hole stays, which shows later processes that the NULs before `kept` are not
/// the writer's.
///
/// # Errors
/// Those of lseek(2).
pub(crate) fn collapsible(file: &OwnedFd, kept: u64) -> io::Result<u64> {
    let Stat { block_bytes, size, .. } = Stat::of(file)?;
    let Some(hole) = data_from(file, 0)?.filter(|data| *data <= kept && data.is_multiple_of(block_bytes)) else {
        return Ok(0);
    };
    let stays = if kept.is_multiple_of(block_bytes) { 0 } else { block_bytes };
    let bytes = hole.saturating_sub(stays);
    // Less could not be told from what stays of the hole, after a kill.
    Ok(if bytes >= 2 * block_bytes && bytes < size { bytes } else { 0 })
}

/// Returns whether a collapse of this many bytes, all of them in a hole, has happened.
///
/// # Errors
/// Those of lseek(2).
pub(crate) fn is_collapsed(file: &OwnedFd, bytes: u64) -> io::Result<bool> {
    Ok(data_from(file, 0)?.is_some_and(|data| data < bytes))
}
