//! Which files are archives of ours: they are not followed, though their names look like those of rotated files.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::tracker::Tracker;
use crate::disk::mark;
use crate::disk::names::{Series, log_of};
use crate::disk::policy::Method;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::discover::Found;
use crate::shelf::followed::Followed;

impl Tracker {
    /// Returns whether a file is an archive of ours, by its name, or by the list of archives: it has a name that only we give,
    /// or such a name as we give and is known for one. A compressed one is never followed, whose ever it is.
    pub(crate) fn is_listed_archive(&mut self, path: &Path, id: FileId) -> bool {
        self.policy().is_on()
            && series_of(path).is_some_and(|series| series == Series::Apart || self.own_archives().has(id))
    }

    /// The same, or it is marked as one.
    pub(super) fn is_archive(&mut self, found: &Found, id: FileId) -> bool {
        let is_marked = || found.open().is_ok_and(|(file, stat)| stat.id == id && mark::is_on(&file, &stat));
        self.is_listed_archive(&found.path, id)
            || (self.policy().is_on() && series_of(&found.path).is_some() && is_marked())
    }

    /// Marks a file that was renamed as an archive, and is let go: all of it is streamed.
    pub(super) fn mark_finished(&mut self, file: &Followed) {
        let policy = self.policy();
        let is_kept_plain = policy.method == Method::Rename && policy.keep > 0 && !policy.compress;
        if !is_kept_plain || !file.is_detached || !self.own_archives().has(file.follower.id()) {
            return;
        }
        let Ok(opened) = file.follower.file() else { return };
        if Stat::of(opened).is_ok_and(|stat| stat.size == file.follower.offset()) {
            // Where that cannot be, it is streamed again if the list of archives is lost, rather than not at all.
            let _ = mark::set(opened);
        }
    }
}

/// Returns which names of archives a path has one of, if it does.
fn series_of(path: &Path) -> Option<Series> {
    log_of(path.file_name()?.as_bytes()).map(|(_, _, series)| series)
}
