//! Who rotates a directory: one process at a time.
//!
//! The lock (flock(2)) is on a file of ours in the state directory, which only we may open: on the log directory itself every
//! application that can read it could hold one. It meets every process that keeps its state there, and is gone with the process.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::paths::beneath::{FileId, Stat};
use crate::paths::open_directory::OpenDirectory;
use crate::report::finding::{Finding, Kind};

/// How many directories are locked, at most: each takes a descriptor.
const LOCKS_MAX: usize = 8;

/// The directories that are ours to rotate, for as long as this lives.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: Vec<(PathBuf, FileId, OwnedFd)>,
}

impl Locks {
    /// Returns whether a directory is locked already under this name, or one of so many that it needs no lock.
    #[must_use]
    pub(crate) fn is_claimed(&self, directory: &Path) -> bool {
        self.held.len() >= LOCKS_MAX || self.held.iter().any(|(held, ..)| held == directory)
    }

    /// Locks a directory by a file in the state directory; once more, by whatever name, is nothing new. Where nothing can be
    /// locked (on a full disk, on a file system without locks) nothing is, and that is no error.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds the lock.
    pub(crate) fn claim(&mut self, directory: &Path, id: FileId, state: &OpenDirectory) -> io::Result<()> {
        if self.is_claimed(directory) || self.held.iter().any(|(_, held, _)| *held == id) {
            return Ok(());
        }
        let (name, mode) = (lock_name(id), Mode::RUSR | Mode::WUSR);
        let Ok((file, _)) = state.open_or_create(&name, OFlags::RDONLY, mode) else { return Ok(()) };
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            // Whoever had it may have deleted it since it was opened.
            Ok(()) if Stat::of(&file)?.links == 0 => Err(Errno::WOULDBLOCK.into()),
            Ok(()) => {
                self.held.push((directory.to_owned(), id, file));
                Ok(())
            }
            Err(Errno::WOULDBLOCK) => Err(Errno::WOULDBLOCK.into()),
            Err(_) => Ok(()),
        }
    }

    /// Lets all go, and deletes their files.
    pub(crate) fn release(&mut self, state: impl Fn(&Path) -> Option<OpenDirectory>) {
        for (directory, id, file) in self.held.drain(..) {
            // While it is locked, so that nobody else's is deleted.
            let _ = state(&directory).map(|state| state.delete(&lock_name(id)));
            unlock(&file);
        }
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        self.held.iter().for_each(|(.., file)| unlock(file));
    }
}

/// Returns the name of a directory's lock.
fn lock_name(id: FileId) -> OsString {
    format!("rotated-{:016x}", id.sum()).into()
}

/// Lets a lock go at once; without this it lasts as long as any process has a copy of the descriptor, as one has that is about
/// to start another program.
pub(crate) fn unlock(file: &OwnedFd) {
    // What was not locked cannot be unlocked, and that is all the same.
    let _ = rustix::fs::flock(file, FlockOperation::Unlock);
}

/// Returns whether another process holds a lock on an open file.
///
/// The lock is asked for, shared, and let go at once: one that is claimed within these microseconds is refused.
#[must_use]
pub(crate) fn is_held(opened: &OwnedFd) -> bool {
    let asked = rustix::fs::flock(opened, FlockOperation::NonBlockingLockShared);
    unlock(opened);
    asked == Err(Errno::WOULDBLOCK)
}

/// Returns whether another process rotates a directory, as far as the state directory shows.
#[must_use]
pub(crate) fn is_rotated(id: FileId, state: &OpenDirectory) -> bool {
    state.open(&lock_name(id), OFlags::RDONLY).is_ok_and(|(file, _)| is_held(&file))
}

/// Returns what it means that another process rotates a directory.
#[must_use]
pub(crate) fn rotated_already(directory: &Path) -> Finding {
    let text = format!(
        "cannot rotate the files in {}: another sidetail already rotates them; turn rotation off in one of the two \
         (SIDETAIL_ROTATE_SIZE, SIDETAIL_ROTATE_INTERVAL, SIDETAIL_DIR_BUDGET)",
        directory.display()
    );
    Finding::of(directory, Kind::Locked, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_owner_at_a_time() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let state = || OpenDirectory::new(std::fs::File::open(dir.path()).expect("a directory").into());
        let (logs, id) = (Path::new("/logs"), FileId { dev: 1, ino: 2, btime: 3 });
        let (mut first, mut second) = (Locks::default(), Locks::default());
        assert!(first.claim(logs, id, &state()).is_ok() && first.claim(logs, id, &state()).is_ok());
        assert!(first.claim(Path::new("/link"), id, &state()).is_ok(), "it is the same directory");
        let refused = second.claim(logs, id, &state()).expect_err("taken");
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        assert!(second.claim(Path::new("/other"), FileId { ino: 7, ..id }, &state()).is_ok());
        assert!(is_rotated(id, &state()) && is_rotated(id, &state()));
        drop(first);
        assert!(!is_rotated(id, &state()), "to ask takes nothing away");
        assert!(second.claim(logs, id, &state()).is_ok());
        second.release(|_| Some(state()));
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 0, "nothing is left");
    }
}
