//! Archives that an earlier process left, killed between the copy and what was to be reclaimed for it.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use super::archives::archives_at;
use super::state::Reclaim;
use crate::disk::names::log_of_draft;
use crate::report::refusal::Refusal;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

impl Reclaim {
    /// Carries out what an earlier process was about to do when it was killed: what is before `end` is in a complete archive,
    /// which may still be a draft. If that is not there, nothing is reclaimed: it is archived again. If the file was truncated
    /// since then, there is nothing to be reclaimed either, but a copy of it is not archived again.
    pub(super) fn finish_archive(
        &mut self,
        tracker: &mut Tracker,
        key: Key,
        (end, id): (u64, u64),
        is_truncated: bool,
        now: Instant,
    ) {
        let outcome = name_left_archive(tracker, key, id);
        let Some(file) = tracker.files.file(key) else { return };
        let is_there = matches!(outcome, Ok(true));
        if is_truncated {
            if is_there {
                file.progress.archived_earlier(end);
            }
        } else if is_there {
            self.want(&mut file.room, end);
        } else {
            file.room.work.intent_over();
            tracker.save(key);
        }
        match outcome {
            Ok(_) => self.flush_wanted(tracker),
            Err(why) => self.refuse(tracker, key, why, now),
        }
    }
}

/// Gives the draft that an earlier process left its name, or finds that it has it; says whether it is there. The log may
/// have been renamed since then.
pub(super) fn name_left_archive(tracker: &mut Tracker, key: Key, id: u64) -> Result<bool, Refusal> {
    let file = tracker.files.file(key).ok_or(io::ErrorKind::NotFound)?;
    let root = Rc::clone(&file.lineage.root);
    // Beside the log as it is called now, or as it was then.
    let mut directories = vec![file.path.parent(), file.lineage.path.parent()];
    directories.dedup();
    let directories: Vec<PathBuf> = directories.into_iter().map(|one| one.unwrap_or(&root).to_owned()).collect();
    for directory in directories {
        let opened = tracker.discovery().open_directory(&directory)?;
        let found = opened.entries()?.find(|(_, stat)| stat.id.sum() == id);
        let Some((name, _)) = found else { continue };
        if let Some((log, compress)) = log_of_draft(name.as_bytes()) {
            let log = directory.join(OsStr::from_bytes(log));
            let own = tracker.own_archives();
            archives_at(tracker.discovery(), &root, &log, compress, own)?.install()?;
        }
        return Ok(true);
    }
    Ok(false)
}
