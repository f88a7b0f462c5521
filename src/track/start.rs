//! Where a file is read from when it is opened, and what an open file is really called.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::disk::policy::Intent;
use crate::disk::space;
use crate::paths::beneath::Stat;
use crate::paths::siblings::earlier_names;
use crate::read::buffer::Buffer;
use crate::read::follower::Follower;
use crate::read::kinship::Kinship;
use crate::read::position::{Digest, Position, head_of};
use crate::read::proof::{Agreement, agreement};
use crate::shelf::entry::KnownFile;
use crate::shelf::progress::Progress;

/// How many directories up the log may be that a copy was made of.
const COPIED_UP_MAX: usize = 2;

/// Makes what is known of a file agree with what it is now, if an earlier process was killed while it reclaimed disk of the file.
///
/// If it was truncated since then, what is known stays: a copy that was made before is known by it.
pub(super) fn after_kill(known: &mut KnownFile, file: &OwnedFd, buffer: &mut Buffer) -> io::Result<()> {
    let collapsed_bytes = match known.intent {
        Intent::None => return Ok(()),
        // A part of its head may have been reclaimed already.
        Intent::Archive { .. } => 0,
        Intent::Collapse(bytes) => {
            known.intent = Intent::None;
            if bytes > known.position.offset || !space::is_collapsed(file, bytes)? {
                return Ok(());
            }
            bytes
        }
    };
    let offset = known.position.offset - collapsed_bytes;
    let position = Position { offset, head: head_of(file, offset)?, ..known.position };
    if Kinship::is_copy_of(file, position, buffer)? {
        known.position = position;
        known.waypoints.collapsed(collapsed_bytes);
        known.kept = known.kept.saturating_sub(collapsed_bytes);
    }
    Ok(())
}

/// Holds what is known of a file against what it holds: the offset counts only if everything that was read on the way to it is
/// still there, as far as waypoints show. If not, it goes on at the last of them that agrees, and nothing behind that counts as
/// streamed, or is reclaimed.
///
/// # Errors
/// Those of pread(2).
pub(super) fn hold_against(known: &mut KnownFile, file: &OwnedFd, buffer: &mut Buffer) -> io::Result<()> {
    if !Kinship::is_copy_of(file, known.position, buffer)? {
        // Truncated since then, or replaced: a copy of what it held is known by this position.
        return Ok(());
    }
    let Agreement { last, is_broken, .. } = agreement(file, &known.waypoints, known.kept, u64::MAX)?;
    if !is_broken {
        return Ok(());
    }
    let Position { head, head_before, .. } = known.position;
    // Of a file of which less than a head was read, it is known by what that was.
    let is_head = |head: Digest| head.bytes <= last.offset;
    let [head, head_before] = [head, head_before].map(|head| if is_head(head) { head } else { Digest::default() });
    known.position = Position { offset: last.offset, marker: last.marker(), head, head_before };
    (known.kept, known.intent) = (known.kept.min(last.offset), Intent::None);
    (known.line_route, known.record_route) = (None, None);
    Ok(())
}

/// Returns the paths at which a file of this path may have been before it was rotated.
pub(super) fn earlier_paths(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let directory = path.parent().unwrap_or(Path::new("/")).to_owned();
    let names = path.file_name().map(|name| earlier_names(name.as_bytes())).unwrap_or_default();
    names.into_iter().map(move |name| directory.join(OsStr::from_bytes(&name)))
}

/// Returns the same, and the paths of which it may be a copy in a directory below: `app.log` of `old/app.log-20260101`.
pub(super) fn copied_paths(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let name = path.file_name().unwrap_or_default().to_owned();
    let above: Vec<PathBuf> = path.ancestors().skip(2).take(COPIED_UP_MAX).map(|above| above.join(&name)).collect();
    earlier_paths(path).chain(above.into_iter().flat_map(|path| earlier_paths(&path).chain([path])))
}

/// Where a file is read from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    Beginning,
    End,
    /// Where it was left, or the file that it is a copy of.
    At(Position),
}

impl Start {
    pub(super) fn follow(self, file: OwnedFd, stat: Stat, buffer: &mut Buffer) -> io::Result<Follower> {
        match self {
            Self::At(position) => Follower::resume(stat.id, file, position, buffer),
            Self::End => Follower::from_end(stat.id, file, stat.size, buffer),
            Self::Beginning => Ok(Follower::from_beginning(stat.id, file)),
        }
    }

    /// Returns how far a file has come that is read from `offset` on; something of it may be known from an earlier process.
    pub(super) fn progress(self, known: Option<&KnownFile>, offset: u64, block_bytes: u64) -> Progress {
        match (known, self) {
            (Some(known), _) if offset > 0 => Progress::resumed(known.kept.min(offset)),
            // What was passed over was not streamed, so it is not reclaimed, nor is what shares a block with it.
            (None, Self::End) => Progress::passed_over(offset.next_multiple_of(block_bytes)),
            _ => Progress::truncated_since(known.map_or(0, |known| known.kept)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    use crate::read::waypoints::{Waypoint, Waypoints};

    #[test]
    fn an_offset_counts_up_to_the_last_digest_that_agrees() {
        let file = tempfile::tempfile().expect("a temporary file");
        let text: Vec<u8> = (0..2000).flat_map(|line| format!("line {line}\n").into_bytes()).collect();
        file.write_all_at(&text, 0).expect("written");
        let at = |offset: usize| {
            let hash = Digest::of(&text[offset.saturating_sub(128)..offset]).hash;
            Waypoint { offset: offset as u64, hash }
        };
        let ways: Vec<Waypoint> = [100, 4000, 8000, 12_000, 16_000].map(at).into();
        let overwrite = |at: u64, bytes: &[u8]| file.write_all_at(bytes, at).expect("written");
        for (from, bytes, kept, expected) in [
            (0, &b""[..], 0, 16_000),
            // What is a hole, or was reclaimed, is no contradiction.
            (11_950, &[0; 100][..], 0, 16_000),
            (3_950, &b"another"[..], 4000, 16_000),
            (3_950, &b"another"[..], 0, 100),
            (90, &b"another"[..], 0, 0),
            // Another file by its last bytes: a copy may be known by the position.
            (15_990, &b"another"[..], 0, 16_000),
        ] {
            overwrite(from, bytes);
            let position =
                Position { offset: 16_000, marker: Digest::of(&text[15_872..16_000]), ..Position::default() };
            let mut known = KnownFile {
                slot: None,
                at: 0,
                since: 0,
                path_end: "".into(),
                position,
                line_route: None,
                record_route: None,
                kept,
                intent: Intent::None,
                waypoints: Waypoints::kept(ways.iter().copied()),
                unknown: None,
            };
            let opened = OwnedFd::from(file.try_clone().expect("open"));
            hold_against(&mut known, &opened, &mut Buffer::default()).expect("read");
            assert_eq!((known.position.offset, known.kept), (expected, kept.min(expected)), "at {from}");
            overwrite(0, &text);
        }
    }
}
