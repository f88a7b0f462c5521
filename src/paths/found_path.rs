//! What was found at a path, and why a directory could not be searched.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::beneath::{FileId, Stat};
use super::glob::{LeftOut, NameGlob, is_compressed};
use super::open_directory::OpenDirectory;
use super::roots::Roots;

/// A path that a pattern matches, and what was there.
#[derive(Debug)]
pub(crate) struct Found {
    /// The absolute path.
    pub path: PathBuf,
    /// The path beneath the pattern's fixed directory.
    pub name: PathBuf,
    /// What `statx` said, or why it could not be asked.
    pub stat: io::Result<Stat>,
    /// The pattern's fixed directory.
    pub root: Rc<Path>,
    pub(super) roots: Rc<Roots>,
}

impl Found {
    /// Opens the file for reading, beneath its root.
    ///
    /// # Errors
    /// As [`Root::open_file`](super::beneath::Root::open_file).
    pub(crate) fn open(&self) -> io::Result<(OwnedFd, Stat)> {
        self.roots.open(&self.root)?.open_file(&self.name)
    }

    /// Opens the directory that the path is in, reached through no link.
    ///
    /// # Errors
    /// As [`OpenDirectory::parent_beneath`].
    pub(crate) fn open_parent(&self) -> io::Result<OpenDirectory> {
        OpenDirectory::parent_beneath(&self.roots.open(&self.root)?, &self.name)
    }

    /// Returns what is at the path itself, reached through no link: `ELOOP` if there is one on the way.
    ///
    /// # Errors
    /// As [`Root::stat_itself`](super::beneath::Root::stat_itself).
    pub(crate) fn stat_itself(&self) -> io::Result<Stat> {
        self.roots.open(&self.root)?.stat_itself(&self.name)
    }

    /// Returns whether there is a link at the path, wherever it leads.
    pub(crate) fn is_link(&self) -> bool {
        self.roots.open(&self.root).is_ok_and(|root| root.is_link(&self.name))
    }

    /// Opens the file if it is still, or again, the one with this identity.
    #[must_use]
    pub(crate) fn open_as(&self, id: FileId) -> Option<OwnedFd> {
        self.open().ok().filter(|(_, stat)| stat.id == id).map(|(file, _)| file)
    }
}

/// Why a directory could not be searched.
#[derive(Debug)]
pub(crate) enum NotSearched {
    /// It is far below the pattern's fixed directory.
    TooDeep,
    Failed(io::Error),
}

/// Returns whether an error means that nothing is there; after any other error that is unknown.
#[must_use]
pub(crate) fn is_missing(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Returns why a path is not followed though a pattern matches it.
pub(super) fn left_out(exclude: &[NameGlob], path: &Path) -> Option<LeftOut> {
    match exclude.iter().any(|glob| glob.matches(path)) {
        true => Some(LeftOut::Excluded),
        false => is_compressed(path).then_some(LeftOut::Compressed),
    }
}
