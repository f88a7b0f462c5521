//! Whether one file is a copy of another, as copytruncate makes them, by the bytes alone.

use std::io;
use std::os::fd::OwnedFd;

use super::buffer::{Buffer, HEAD_BYTES, MARKER_BYTES, read_at};
use super::change::{begins_as, marker_at};
use super::follower::Follower;
use super::position::{Digest, Position};
use super::proof::{agreement, is_beginning_of};
use crate::paths::beneath::Stat;

/// Whose bytes a file holds, seen from one that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kinship<P = Position> {
    /// Its own.
    None,
    /// The same up to this offset, which were streamed; what follows was not.
    Copy(P),
    /// As many of the followed file's as it has so far: it may be a copy that is still being made.
    Perhaps,
}

impl Kinship {
    /// Returns whether a file holds the same up to a position that was streamed of another one, which is gone.
    ///
    /// # Errors
    /// Those of pread(2).
    pub(crate) fn is_copy_of(candidate: &OwnedFd, position: Position, buffer: &mut Buffer) -> io::Result<bool> {
        Ok(position.marker.bytes > 0 && marker_at(candidate, position, buffer)?.is_some())
    }

    /// Returns whether a file holds nothing but what a followed one begins with, judged by its first and its last bytes: it may
    /// be a copy of what that file has become, with nothing of it streamed yet.
    ///
    /// # Errors
    /// Those of pread(2).
    pub(crate) fn is_beginning_of(candidate: &OwnedFd, candidate_bytes: u64, followed: &Follower) -> io::Result<bool> {
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
    pub(crate) fn of(
        candidate: &OwnedFd,
        candidate_bytes: u64,
        followed: &Follower,
        buffer: &mut Buffer,
    ) -> io::Result<Self> {
        let streamed = followed.trail();
        for trail in [Some(&streamed), followed.earlier_trail()].into_iter().flatten() {
            if trail.is_all_in(candidate, buffer)? {
                return Ok(Self::Copy(trail.position));
            }
        }
        if streamed.position.offset == 0 || candidate_bytes >= streamed.position.offset {
            return Ok(Self::None);
        }
        let (mut ours, mut theirs) = ([0; HEAD_BYTES as usize], [0; HEAD_BYTES as usize]);
        let read = read_at(candidate, &mut theirs, 0)?;
        let is_same = read_at(followed.file()?, &mut ours[..read], 0)? == read && ours == theirs;
        if is_same && theirs.iter().all(|byte| *byte == 0) {
            return Self::of_hole(candidate, candidate_bytes, &theirs[..read], followed, buffer);
        }
        // What it begins with was perhaps reclaimed since it was copied; of few bytes nothing could be told.
        let was_reclaimed = streamed.position.head_before.bytes == HEAD_BYTES;
        if !is_same && was_reclaimed && begins_as(candidate, streamed.position, buffer)? {
            let is_broken = agreement(candidate, &streamed.waypoints, 0, candidate_bytes)?.is_broken;
            return Ok(if is_broken { Self::None } else { Self::Perhaps });
        }
        // Logs may begin with the same banner.
        let is_same = is_same && is_beginning_of(candidate, candidate_bytes, followed.file()?)?;
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

/// Returns whether two files hold the same `length` bytes, at most [`HEAD_BYTES`], from `start` on.
fn is_same_at(one: &OwnedFd, other: &OwnedFd, start: u64, length: u64) -> io::Result<bool> {
    let length = usize::try_from(length).unwrap_or(0);
    let (mut ours, mut theirs) = (vec![0; length], vec![0; length]);
    Ok(read_at(one, &mut ours, start)? == read_at(other, &mut theirs, start)? && ours == theirs)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::super::follower::Look;
    use super::*;
    use crate::paths::beneath::FileId;

    #[test]
    fn a_copy_in_the_making_of_what_is_reclaimed_meanwhile_is_one() {
        let text: Vec<u8> = (0..40_000).flat_map(|line| format!("line {line}\n").into_bytes()).collect();
        let file_of = |bytes: &[u8]| {
            let file = tempfile::tempfile().expect("a temporary file");
            file.write_all_at(bytes, 0).expect("written");
            file
        };
        let (file, mut buffer) = (file_of(&text), Buffer::default());
        let opened = OwnedFd::from(file.try_clone().expect("open"));
        let mut follower = Follower::from_beginning(FileId { dev: 1, ino: 2, btime: 3 }, opened);
        while let Look::Lines { data, .. } = follower.look(&mut buffer, 1 << 20).expect("read") {
            let bytes = data.len();
            follower.take(&buffer, &data, bytes);
        }
        file.write_all_at(&[0; 12_288], 0).expect("reclaimed");
        follower.look_at_head().expect("read");
        let mut other = text.clone();
        other[50_000..300_000].fill(b'x');
        for (candidate, expected) in [(&text, Kinship::Perhaps), (&other, Kinship::None)] {
            let bytes = candidate.len() - 1000;
            let kinship = Kinship::of(&file_of(&candidate[..bytes]).into(), bytes as u64, &follower, &mut buffer);
            assert_eq!(kinship.expect("read"), expected);
        }
    }
}
