//! The archives that there are: found, and deleted when they are too old.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use super::limits::is_time;
use super::state::{Reclaim, Told};
use crate::disk::archive::{Archive, Archives};
use crate::disk::names::log_of;
use crate::disk::own_ids::OwnIds;
use crate::paths::discover::{Discovery, Found};
use crate::report::finding::{Finding, Kind};
use crate::report::refusal::Refusal;
use crate::shelf::lineage::Key;
use crate::track::clock;
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
        let own = tracker.own_archives();
        archives_at(tracker.discovery(), &root, &path, self.policy.compress, own)
    }

    /// Returns all archives of ours, also those of logs that are gone, each with the path of its log; not those that are read.
    pub(super) fn all_archives(&self, tracker: &mut Tracker) -> Vec<(Found, Archive)> {
        let own = tracker.own_archives();
        let mut all = Vec::new();
        for directory in tracker.discovery().directories() {
            // One that cannot be listed now is told of where it is walked.
            let Ok(opened) = tracker.discovery().open_directory(directory) else { continue };
            for (name, ..) in opened.names().into_iter().flatten() {
                let Some((log, number, series)) = log_of(name.as_bytes()) else { continue };
                let Ok(stat) = opened.stat(&name) else { continue };
                let log = directory.join(OsStr::from_bytes(log));
                let Some(found) = tracker.discovery().look(&log) else { continue };
                let archive = Archive::new((series, number), name, &stat);
                let is_read = tracker.files.with_id(stat.id).is_some();
                if stat.kind == FileType::RegularFile && archive.is_ours(&own) && !is_read {
                    all.push((found, archive));
                }
            }
        }
        all
    }

    /// Warns once per log that its archives have names of their own, because others have files with the plain ones.
    pub(super) fn tell_of_others(&mut self, tracker: &mut Tracker, key: Key) {
        let Ok(archives) = self.archives_of(tracker, key) else { return };
        let Some(path) = tracker.files.file(key).map(|file| Rc::clone(&file.lineage.path)) else { return };
        if let Ok(Some(name)) = archives.of_another()
            && self.told_once.is_news(Told::NamesOfOthers, &path)
        {
            names_of_others(&path, &name).tell();
        }
    }

    /// Deletes archives that are too old, once per minute.
    pub(super) fn delete_old_archives(&mut self, tracker: &mut Tracker, now: Instant) {
        let Some(age) = self.policy.max_age.filter(|_| self.policy.keep > 0) else { return };
        if !is_time(self.looked_for_old, OLD_LOOKED_FOR_EVERY, now) {
            return;
        }
        self.looked_for_old = Some(now);
        let oldest = clock::time().saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
        for (log, archive) in self.all_archives(tracker) {
            if archive.mtime < oldest
                && let Err(why) =
                    delete_archive(&log, &archive, tracker.own_archives(), "older than SIDETAIL_ROTATE_MAX_AGE")
            {
                let path = log.path.with_file_name(&archive.name);
                tracing::info!(file = %path.display(), "cannot delete {}: {why}", path.display());
            }
        }
    }
}

/// Returns the finding that another program has files with the names of archives.
#[must_use]
pub(crate) fn names_of_others(log: &Path, name: &OsStr) -> Finding {
    let (shown, log_name) = (log.display(), log.file_name().unwrap_or_default().display());
    let text = format!(
        "another program numbers the files of {shown}: {} is not sidetail's; leaving such files alone, and naming archives \
         {log_name}.sidetail.1 and on; turn off the other program's rotation, or sidetail's",
        name.display()
    );
    Finding::of(log, Kind::Archives, text)
}

/// Opens the directory where the archives of the log at a path are.
///
/// # Errors
/// Those of openat2(2).
pub(crate) fn archives_at(
    discovery: &Discovery,
    root: &Rc<Path>,
    path: &Path,
    compress: bool,
    own: OwnIds,
) -> io::Result<Archives> {
    let (directory, log) = (discovery.look_beneath(root, path).open_parent()?, path.file_name().unwrap_or_default());
    let is_matched = discovery.is_matched(&path.with_file_name(Archives::plain_name(log)));
    Ok(Archives::new(directory, log, compress, own).with_matched(is_matched))
}

/// Deletes an archive of a log, and logs why.
///
/// # Errors
/// Those of openat2(2) and unlinkat(2).
pub(super) fn delete_archive(log: &Found, archive: &Archive, own: OwnIds, why: &str) -> Result<(), Refusal> {
    let name = log.path.file_name().unwrap_or_default();
    Archives::new(log.open_parent()?, name, false, own).delete_archive(archive)?;
    let path = log.path.with_file_name(&archive.name);
    tracing::info!(file = %path.display(), "deleted {}: {why}", path.display());
    Ok(())
}
