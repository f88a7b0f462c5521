//! Which files are archives of ours: they are not followed, though their names look like those of rotated files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::tracker::Tracker;
use crate::disk::names::log_of;
use crate::disk::policy::{Method, Policy};

impl Tracker {
    /// Returns whether a path is that of an archive of ours. A compressed one is never followed, whose ever it is.
    pub(crate) fn is_archive(&self, path: &Path) -> bool {
        let policy = self.policy();
        if !policy.is_on() || !makes_plain(policy) {
            return false;
        }
        let log = path.file_name().and_then(|name| log_of(name.as_bytes())).map(|(log, _)| OsStr::from_bytes(log));
        let base = log.map(|log| path.with_file_name(log));
        base.is_some_and(|base| self.files.lineage(&base).is_some() || self.discovery.look(&base).is_some())
    }
}

/// Returns whether archives, or what becomes one, are not compressed.
pub(crate) fn makes_plain(policy: &Policy) -> bool {
    policy.method == Method::Rename || (policy.keep > 0 && !policy.compress)
}
