//! Questions to the tracker from the metrics and from `reclaim`.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use super::tracker::Tracker;
use crate::disk::own_ids::OwnIds;
use crate::paths::beneath::{FileId, Stat, real_path};
use crate::paths::open_directory::OpenDirectory;
use crate::report::refusal::Refusal;
use crate::shelf::known::Known;
use crate::shelf::lineage::Key;

impl Tracker {
    /// Returns whether all paths were looked at, once.
    #[must_use]
    pub(crate) fn has_looked(&self) -> bool {
        !self.is_first_look
    }

    /// Returns whether what is on the pipe is noted on a disk, so that a restart knows of it.
    #[must_use]
    pub(crate) fn is_noted_on_disk(&self) -> bool {
        self.checkpoint.is_kept()
    }

    /// Returns whether the checkpoint was opened, and is not on a disk: a restart knows nothing.
    pub(crate) fn is_without_checkpoint(&self) -> bool {
        self.known.is_some() && !self.checkpoint.is_kept()
    }

    /// Returns the checkpoint's file, to make it durable.
    ///
    /// # Errors
    /// `NotFound` where there is none, and those of dup(2).
    pub(crate) fn checkpoint_file(&self) -> io::Result<OwnedFd> {
        self.checkpoint.file()
    }

    /// Returns the archives that are ours.
    pub(crate) fn own_archives(&mut self) -> OwnIds {
        self.checkpoint.own_archives()
    }

    /// Notes that a file becomes an archive of ours; says whether that is noted.
    pub(crate) fn note_archive(&mut self, id: FileId) -> bool {
        self.checkpoint.note_archive(id)
    }

    /// Returns whether a file is followed, or was by an earlier process.
    pub(crate) fn is_known(&self, id: FileId) -> bool {
        let was_known = |known: &Known| known.file(id).is_some();
        self.files.with_id(id).is_some() || self.known.as_ref().is_none_or(was_known)
    }

    /// Opens the directory that the lock of a directory with logs is in, if there is one: `Checkpoint::open_lock_directory`.
    pub(crate) fn open_lock_directory(&self, directory: &Path) -> Option<OpenDirectory> {
        self.checkpoint.open_lock_directory(directory)
    }

    /// Says why nothing of a file may be reclaimed, whatever it takes of the disk: it must be followed under its own name, not
    /// through a link, and not be state of ours; and all names that it has must lie beneath the fixed directory.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn may_change(&mut self, key: Key) -> Result<(), Refusal> {
        let Some(file) = self.files.file(key) else { return Ok(()) };
        let stat = Stat::of(file.follower.file()?)?;
        if file.is_detached {
            // What it was when it had its name it still is; and it may have got others since.
            return if !file.room.is_through_link && stat.links <= 1 { Ok(()) } else { Err(Refusal::NotAtItsPath) };
        }
        let (path, root) = (Rc::clone(&file.path), Rc::clone(&file.lineage.root));
        let behind_link = || real_path(file.follower.file().ok()?);
        let is_own = |path: &Path| {
            let itself = self.discovery.look_beneath(&root, path).stat_itself();
            !self.checkpoint.is_beneath(path) && itself.is_ok_and(|found| found.id == stat.id)
        };
        // A file that was met through a link first may be matched by a pattern itself.
        let is_matched = |path: &Path| self.discovery.look(path).is_some();
        if !is_own(&path) && !behind_link().is_some_and(|path| is_matched(&path) && is_own(&path)) {
            return Err(Refusal::NotAtItsPath);
        }
        if stat.links > 1 && !self.discovery.has_all_names(&stat) {
            return Err(Refusal::NamesElsewhere);
        }
        Ok(())
    }

    /// Returns how many files and directories cannot be read.
    #[must_use]
    pub(crate) fn refused(&self) -> usize {
        self.refusals.paths().len()
    }
}
