//! The archives that there are: found, and deleted when they are too old.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use super::limits::is_time;
use super::state::Reclaim;
use crate::disk::archive::{Archive, Archives};
use crate::disk::names::{Numbering, log_of};
use crate::paths::beneath::FileId;
use crate::paths::discover::{Discovery, Found};
use crate::report::refusal::Refusal;
use crate::shelf::files::Files;
use crate::shelf::lineage::Key;
use crate::track::clock;
use crate::track::own_archives::makes_plain;
use crate::track::tracker::Tracker;

/// How often to look for archives that are too old.
const OLD_LOOKED_FOR_EVERY: Duration = Duration::from_secs(60);

impl Reclaim {
    /// Opens the directory where the archives of a file are.
    ///
    /// # Errors
    /// Those of openat2(2).
    pub(super) fn archives_of(&self, tracker: &mut Tracker, key: Key) -> io::Result<Archives> {
        let file = tracker.files.file(key).ok_or(io::ErrorKind::NotFound)?;
        let (path, root) = (Rc::clone(&file.path), Rc::clone(&file.lineage.root));
        archives_at(tracker.discovery(), &root, &path, self.policy.compress)
    }

    /// Returns all archives, also those of logs that are gone, each with the path of its log; not those that are read, nor
    /// those after a missing number, which are not ours.
    pub(super) fn all_archives(&self, tracker: &Tracker) -> Vec<(Found, Archive)> {
        let mut all = Vec::new();
        for directory in tracker.discovery().directories() {
            // One that cannot be listed now is told of where it is walked.
            let Ok(opened) = tracker.discovery().open_directory(directory) else { continue };
            for (name, ..) in opened.names().into_iter().flatten() {
                let Some((log, number)) = log_of(name.as_bytes()) else { continue };
                let Ok(stat) = opened.stat(&name) else { continue };
                let log = directory.join(OsStr::from_bytes(log));
                let Some(found) = tracker.discovery().look(&log) else { continue };
                if stat.kind == FileType::RegularFile {
                    all.push((found, Archive::new(number, name, &stat)));
                }
            }
        }
        // What is not compressed is somebody else's, if we compress.
        let makes_plain = makes_plain(&self.policy);
        let (mut log, mut run) = (PathBuf::new(), Numbering::default());
        all.sort_by(|(one, first), (other, second)| (&one.path, first.number).cmp(&(&other.path, second.number)));
        let is_ours = |(found, archive): &(Found, Archive)| {
            if log != found.path {
                (log, run) = (found.path.clone(), Numbering::default());
            }
            let is_kind = makes_plain || archive.is_compressed();
            run.has(archive.number) && is_kind && tracker.files.with_id(archive.id).is_none()
        };
        all.into_iter().filter(is_ours).collect()
    }

    /// Deletes archives that are too old, once per minute.
    pub(super) fn delete_old_archives(&mut self, tracker: &Tracker, now: Instant) {
        let Some(age) = self.policy.max_age.filter(|_| self.policy.keep > 0) else { return };
        if !is_time(self.looked_for_old, OLD_LOOKED_FOR_EVERY, now) {
            return;
        }
        self.looked_for_old = Some(now);
        let oldest = clock::time().saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
        for (log, archive) in self.all_archives(tracker) {
            if archive.mtime < oldest
                && let Err(why) = delete_archive(&log, &archive, "older than SIDETAIL_ROTATE_MAX_AGE")
            {
                let path = log.path.with_file_name(&archive.name);
                tracing::info!(file = %path.display(), "cannot delete {}: {why}", path.display());
            }
        }
    }
}

/// Opens the directory where the archives of the log at a path are.
///
/// # Errors
/// Those of openat2(2).
pub(super) fn archives_at(discovery: &Discovery, root: &Rc<Path>, path: &Path, compress: bool) -> io::Result<Archives> {
    let directory = discovery.look_beneath(root, path).open_parent()?;
    Ok(Archives::new(directory, path.file_name().unwrap_or_default(), compress))
}

/// Deletes an archive of a log, and logs why.
///
/// # Errors
/// Those of openat2(2) and unlinkat(2).
pub(super) fn delete_archive(log: &Found, archive: &Archive, why: &str) -> Result<(), Refusal> {
    let name = log.path.file_name().unwrap_or_default();
    Archives::new(log.open_parent()?, name, false).delete(&archive.name)?;
    let path = log.path.with_file_name(&archive.name);
    tracing::info!(file = %path.display(), "deleted {}: {why}", path.display());
    Ok(())
}

/// Returns whether a file is followed at its own path: it is a log, though its name looks like an archive's.
pub(super) fn is_at_its_path(files: &Files, id: FileId) -> bool {
    files.with_id(id).is_some_and(|(_, file)| !file.is_detached)
}
