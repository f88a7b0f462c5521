//! Which files are archives of ours: they are not followed, though their names look like those of rotated files.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::tracker::Tracker;
use crate::disk::names::{Series, log_of};
use crate::paths::beneath::FileId;

impl Tracker {
    /// Returns whether a file is an archive of ours: it has a name that only we give, or such a name as we give and is known for
    /// one. A compressed one is never followed, whose ever it is.
    pub(crate) fn is_archive(&mut self, path: &Path, id: FileId) -> bool {
        let numbered = path.file_name().and_then(|name| log_of(name.as_bytes()));
        self.policy().is_on()
            && numbered.is_some_and(|(_, _, series)| series == Series::Apart || self.own_archives().has(id))
    }
}
