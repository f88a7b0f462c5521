//! Questions to the tracker from the metrics and from `reclaim`.

use std::io;
use std::os::fd::OwnedFd;

use super::tracker::Tracker;

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

    /// Returns how many files and directories cannot be read.
    #[must_use]
    pub(crate) fn refused(&self) -> usize {
        self.refusals.paths().len()
    }
}
