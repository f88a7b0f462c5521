//! Where a file is read from when it is opened, and what an open file is really called.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::disk::policy::Intent;
use crate::disk::space;
use crate::paths::beneath::Stat;
use crate::paths::siblings::earlier_names;
use crate::read::buffer::Buffer;
use crate::read::follower::Follower;
use crate::read::kinship::Kinship;
use crate::read::position::{Position, head_of};
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

/// Returns what an open file is really called, behind all links; `None` without `/proc`.
pub(super) fn real_path(file: &OwnedFd) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
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
