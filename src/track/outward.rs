//! What those who look from outside ask of the tracker.

use super::tracker::Tracker;

impl Tracker {
    /// Says whether all paths were looked at, once.
    #[must_use]
    pub fn has_looked(&self) -> bool {
        !self.is_first_look
    }

    /// Says whether what is on the pipe is noted on a disk, so that a restart knows of it.
    #[must_use]
    pub fn is_noted_on_disk(&self) -> bool {
        self.checkpoint.is_kept()
    }

    /// Returns how many files and directories cannot be read.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.refusals.paths().len()
    }
}
