//! What proves that one file holds what was streamed of another, of which only digests are left: its head, its marker, and the
//! bytes before its waypoints.
//!
//! Two logs may begin alike, with the same banner for one. So only that counts as the same which lies below a digest that agrees,
//! and only if all digests before it agree, too: what is above is streamed, though it may be the same.

use std::io;
use std::os::fd::OwnedFd;

use super::buffer::{Buffer, MARKER_BYTES, READ_BYTES, read_at};
use super::change::{begins_as, marker_at};
use super::position::{Digest, Position};
use super::waypoints::{Waypoint, Waypoints};
use crate::paths::beneath::Stat;

/// Files of up to so many bytes are compared byte for byte; of longer ones only the beginnings and the ends are.
const COMPARED_WHOLE_MAX: u64 = 1 << 20;

/// How far a file was streamed, and what is known of its bytes up to there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail {
    pub(crate) position: Position,
    pub(crate) waypoints: Waypoints,
}

impl Trail {
    /// Returns whether a file holds all that was streamed.
    ///
    /// # Errors
    /// Those of pread(2).
    pub(crate) fn is_all_in(&self, candidate: &OwnedFd, buffer: &mut Buffer) -> io::Result<bool> {
        let Self { position, waypoints } = self;
        if position.marker.bytes == 0 || marker_at(candidate, *position, buffer)?.is_none() {
            return Ok(false);
        }
        Ok(!agreement(candidate, waypoints, 0, position.offset)?.is_broken)
    }

    /// Returns up to where a file holds what was streamed, as far as that is proven: the whole of it, or the end of a line
    /// before which all digests agree. `None` if nothing is.
    ///
    /// # Errors
    /// Those of pread(2).
    pub(crate) fn proven_in(&self, candidate: &OwnedFd, buffer: &mut Buffer) -> io::Result<Option<Position>> {
        if self.is_all_in(candidate, buffer)? {
            return Ok(Some(self.position));
        }
        let size = Stat::of(candidate)?.size.min(self.position.offset);
        if !begins_as(candidate, self.position, buffer)? {
            return Ok(None);
        }
        let Agreement { line_end, is_broken, .. } = agreement(candidate, &self.waypoints, 0, size)?;
        let is_proven = !is_broken && line_end.offset > 0;
        Ok(is_proven.then(|| Position { offset: line_end.offset, marker: line_end.marker(), ..self.position }))
    }
}

/// Returns whether a file, which is followed, has streamed all that another one of `length` bytes holds: that is a copy of it, as
/// far as their bytes and its digests show, and more than NULs.
///
/// # Errors
/// Those of pread(2).
pub(crate) fn has_streamed_all_of(
    followed: &OwnedFd,
    trail: &Trail,
    candidate: &OwnedFd,
    length: u64,
) -> io::Result<bool> {
    if length > trail.position.offset || !is_beginning_of(candidate, length, followed)? {
        return Ok(false);
    }
    let Agreement { line_end, is_broken, .. } = agreement(candidate, &trail.waypoints, 0, length)?;
    if is_broken {
        return Ok(false);
    }
    // Compared with something, that is: what both have as NULs may be anything.
    let mut head = [0; MARKER_BYTES];
    let read = read_at(followed, &mut head, 0)?;
    Ok(line_end.offset > 0 || head[..read].iter().any(|byte| *byte != 0))
}

/// How far a file agrees with what was read of one.
#[derive(Debug)]
pub(crate) struct Agreement {
    /// The last end of a line before which the bytes are those that were read.
    pub(crate) line_end: Waypoint,
    /// The last waypoint that nothing speaks against, up to the first that something does.
    pub(crate) last: Waypoint,
    /// Whether something does: other bytes were written there.
    pub(crate) is_broken: bool,
}

/// Holds a file against waypoints, those up to `end` of which all bytes are behind `reclaimed`. Of what was reclaimed since it was
/// read, before or after it was copied, or is a hole, nothing is known: it is no difference, and proves nothing.
///
/// # Errors
/// Those of pread(2).
pub(crate) fn agreement(file: &OwnedFd, waypoints: &Waypoints, reclaimed: u64, end: u64) -> io::Result<Agreement> {
    let nothing = Waypoint { offset: 0, hash: Digest::default().hash };
    let mut agreement = Agreement { line_end: nothing, last: nothing, is_broken: false };
    for waypoint in waypoints.all().iter().take_while(|one| one.offset <= end) {
        let mut bytes = [0; MARKER_BYTES];
        let length = usize::try_from(waypoint.offset).unwrap_or(MARKER_BYTES).min(MARKER_BYTES);
        let (bytes, start) = (&mut bytes[..length], waypoint.offset - length as u64);
        if start < reclaimed {
            continue;
        }
        let read = read_at(file, bytes, start)?;
        let is_same = Digest::of(&bytes[..read]).hash == waypoint.hash;
        let is_unknown = read == length && bytes.contains(&0);
        if !is_same && !is_unknown {
            agreement.is_broken = true;
            break;
        }
        agreement.last = *waypoint;
        let is_empty = bytes.iter().all(|byte| *byte == 0);
        if is_same && !is_empty && bytes.last() == Some(&b'\n') {
            agreement.line_end = *waypoint;
        }
    }
    Ok(agreement)
}

/// Returns whether a file of `length` bytes, which may still be written, holds what another one begins with: byte for byte, or of a
/// long one as much of its beginning and its end.
///
/// # Errors
/// Those of pread(2).
pub(crate) fn is_beginning_of(candidate: &OwnedFd, length: u64, other: &OwnedFd) -> io::Result<bool> {
    let part = READ_BYTES as u64;
    let starts: Vec<u64> =
        if length <= COMPARED_WHOLE_MAX { (0..length).step_by(READ_BYTES).collect() } else { vec![0, length - part] };
    let (mut ours, mut theirs) = (vec![0; READ_BYTES], vec![0; READ_BYTES]);
    for start in starts {
        let wanted = usize::try_from((length - start).min(part)).unwrap_or(READ_BYTES);
        let read = read_at(candidate, &mut theirs[..wanted], start)?;
        let is_there = read_at(other, &mut ours[..read], start)? == read;
        // What is NULs may have its length, and be written only now; or it was reclaimed.
        let is_empty = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        if is_there && (ours[..read] == theirs[..read] || is_empty(&theirs[..read]) || is_empty(&ours[..read])) {
            continue;
        }
        return Ok(false);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Lines of 20 bytes.
    fn lines(label: &str, count: usize) -> Vec<u8> {
        (0..count).flat_map(|number| format!("{label:<12} {number:06}\n").into_bytes()).collect()
    }

    fn file_of(bytes: &[u8]) -> OwnedFd {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file.into()
    }

    /// What is known of a file that was streamed up to its end, with these ends of reads before.
    fn trail(text: &[u8], ends: &[usize]) -> Trail {
        let before = |end: usize| Digest::of(&text[end.saturating_sub(MARKER_BYTES)..end]);
        let waypoints = ends.iter().map(|end| Waypoint { offset: *end as u64, hash: before(*end).hash });
        let position = Position {
            offset: text.len() as u64,
            marker: before(text.len()),
            head: Digest::of(&text[..text.len().min(512)]),
            head_before: Digest::default(),
        };
        Trail { position, waypoints: Waypoints::kept(waypoints) }
    }

    #[track_caller]
    fn check(trail: &Trail, candidate: &[u8], expected: Option<u64>) {
        let mut buffer = Buffer::default();
        let found = trail.proven_in(&file_of(candidate), &mut buffer).expect("readable");
        assert_eq!(found.map(|found| found.offset), expected);
    }

    #[test]
    fn of_a_copy_what_lies_below_the_highest_digest_that_agrees_is_proven() {
        let text = lines("original", 1000);
        let trail = trail(&text, &[4000, 8000, 12_000, 20_000]);
        check(&trail, &text, Some(20_000));
        check(&trail, &[&text[..], b"more\n"].concat(), Some(20_000));
        check(&trail, &text[..12_345], Some(12_000));
        check(&trail, &text[..3999], None);
    }

    #[test]
    fn of_a_file_that_only_begins_alike_nothing_is() {
        let banner = lines("banner", 200);
        let text = [banner.clone(), lines("original", 800)].concat();
        let twin = [banner, lines("another", 800)].concat();
        check(&trail(&text, &[8000, 20_000]), &twin, None);
        check(&trail(&text, &[20_000]), &twin[..10_000], None);
        // The last bytes are the same, but not those before an earlier end of a read.
        let end = text.len() - 1000;
        check(&trail(&text, &[8000, 20_000]), &[&twin[..end], &text[end..]].concat(), None);
    }

    #[test]
    fn what_was_reclaimed_before_it_was_copied_proves_nothing_and_is_no_difference() {
        let text = lines("original", 1000);
        let mut copy = text.clone();
        copy[..8192].fill(0);
        check(&trail(&text, &[4000, 8000, 12_000, 20_000]), &copy, Some(20_000));
        // A part of what stands before a digest is gone, in a copy that was cut off behind it.
        copy[..11_950].fill(0);
        let known = trail(&text, &[4000, 8000, 12_000, 16_000, 20_000]);
        let mut trail = known.clone();
        trail.position.head_before = trail.position.head;
        trail.position.head = Digest::of(&copy[..512]);
        check(&trail, &copy[..17_000], Some(16_000));
    }

    #[test]
    fn a_beginning_is_compared_whole_unless_it_is_long() {
        for (count, change, expected) in [
            (1000, None, true),
            (1000, Some(10_001), false),
            (60_000, None, true),
            (60_000, Some(10_001), false),
            (60_000, Some(600_001), true),
            (60_000, Some(1_199_001), false),
        ] {
            let text = lines("original", count);
            let mut candidate = text.clone();
            if let Some(at) = change {
                candidate[at] = b'#';
            }
            let longer = [&text[..], b"more\n"].concat();
            let found = is_beginning_of(&file_of(&candidate), candidate.len() as u64, &file_of(&longer));
            assert_eq!(found.expect("readable"), expected, "{count} lines, changed at {change:?}");
        }
    }
}
