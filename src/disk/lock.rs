//! Who rotates a directory: one process at a time.
//!
//! The lock is on the directory itself (flock(2)), not on a file in it: it needs no room and no permission to write, it
//! meets another process wherever that keeps its state, and it is gone with the process.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::paths::beneath::{FileId, Stat};
use crate::report::finding::{Finding, Kind};

/// How many directories are locked, at most: each takes a descriptor.
const LOCKS_MAX: usize = 8;

/// The directories that are ours to rotate, for as long as this lives.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: Vec<(PathBuf, FileId, OwnedFd)>,
}

impl Locks {
    /// Locks a directory; once more, by whatever name, is nothing new. Where nothing can be locked (the directory is not there,
    /// may not be opened, is on a file system without locks, or one of very many) nothing is, and that is no error.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds the lock.
    pub(crate) fn claim(&mut self, directory: &Path) -> io::Result<()> {
        if self.held.len() >= LOCKS_MAX || self.held.iter().any(|(held, ..)| held == directory) {
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(opened) = rustix::fs::open(directory, flags, Mode::empty()) else { return Ok(()) };
        let id = Stat::of(&opened)?.id;
        if self.held.iter().any(|(_, held, _)| *held == id) {
            return Ok(());
        }
        match rustix::fs::flock(&opened, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                self.held.push((directory.to_owned(), id, opened));
                Ok(())
            }
            Err(Errno::WOULDBLOCK) => Err(Errno::WOULDBLOCK.into()),
            Err(_) => Ok(()),
        }
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        self.held.iter().for_each(|(.., directory)| unlock(directory));
    }
}

/// Lets a lock go at once; without this it lasts as long as any process has a copy of the descriptor, as one has that is about
/// to start another program.
pub(crate) fn unlock(file: &OwnedFd) {
    // What was not locked cannot be unlocked, and that is all the same.
    let _ = rustix::fs::flock(file, FlockOperation::Unlock);
}

/// Returns whether another process holds a lock on an open file or directory.
///
/// The lock is asked for, shared, and let go at once: one that is claimed within these microseconds is refused.
#[must_use]
pub(crate) fn is_held(opened: &OwnedFd) -> bool {
    let asked = rustix::fs::flock(opened, FlockOperation::NonBlockingLockShared);
    unlock(opened);
    asked == Err(Errno::WOULDBLOCK)
}

/// Returns the finding that another process rotates a directory.
#[must_use]
pub(crate) fn rotated_already(directory: &Path) -> Finding {
    let text = format!(
        "cannot rotate the files in {}: another sidetail already rotates them; turn SIDETAIL_ROTATE_SIZE off in one \
         of the two",
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
        let (mut first, mut second) = (Locks::default(), Locks::default());
        assert!(first.claim(dir.path()).is_ok() && first.claim(dir.path()).is_ok());
        let link = dir.path().with_extension("link");
        std::os::unix::fs::symlink(dir.path(), &link).expect("linked");
        assert!(first.claim(&link).is_ok(), "it is the same directory");
        std::fs::remove_file(link).expect("there");
        assert_eq!(second.claim(dir.path()).expect_err("taken").kind(), io::ErrorKind::WouldBlock);
        assert!(second.claim(&dir.path().join("missing")).is_ok());
        let opened = || OwnedFd::from(std::fs::File::open(dir.path()).expect("a directory"));
        assert!(is_held(&opened()) && is_held(&opened()));
        drop(first);
        assert!(!is_held(&opened()), "to ask takes nothing away");
        assert!(second.claim(dir.path()).is_ok());
    }
}
