//! The method `rename`, for file systems and applications that bear no other: the log gets another name, and an empty file is
//! made in its place.
//!
//! What is renamed is read on through its open descriptor until it is quiet, as if another program had renamed it; only then is
//! it compressed, or deleted if no archives are kept.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::state::{Reclaim, Told};
use crate::disk::policy::Method;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::open_directory::OpenDirectory;
use crate::report::refusal::Refusal;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

/// How many renamed files are read on at one time; the others are renamed when these are quiet.
const RENAMED_MAX: usize = 64;

/// How long after a rename its writer may still write to the renamed file: then it has not reopened its log.
const REOPENS_WITHIN: Duration = Duration::from_secs(10);

/// How many renamed files that are read are remembered until they are compressed or deleted.
const FINISHED_MAX: usize = 1000;

impl Reclaim {
    /// Gives a file another name and makes a new one in its place, as far as the application can use that.
    pub(super) fn rename_away(&mut self, tracker: &mut Tracker, key: Key, now: Instant) {
        // Its archives have their numbers until the one that is being compressed has its name.
        if self.archiving.is_some() {
            return self.wait_for_archive(key);
        }
        if tracker.files.detached().len() >= RENAMED_MAX {
            return;
        }
        let renamed = self.try_rename(tracker, key);
        let Some(file) = tracker.files.file(key) else { return };
        file.room.due.dropped();
        file.room.rotated = Some(now);
        let path = Rc::clone(&file.path);
        match renamed {
            Ok(()) => {
                tracing::info!(file = %path.display(), "renamed {}; reading it until it is quiet", path.display());
                tracker.totals.rotations += 1;
                self.tell_of_others(tracker, key);
                tracker.detach(key);
                self.signal_writer();
            }
            Err(why) => self.refuse(tracker, key, why, now),
        }
    }

    fn try_rename(&self, tracker: &mut Tracker, key: Key) -> Result<(), Refusal> {
        let archives = self.archives_of(tracker, key)?;
        let Some(file) = tracker.files.file(key) else { return Ok(()) };
        let (id, name) = (file.follower.id(), file.path.file_name().unwrap_or_default().to_owned());
        let stat = archives.directory().stat(&name)?;
        if stat.kind != FileType::RegularFile || stat.id != id {
            return Err(Refusal::NotAtItsPath);
        }
        // If it cannot be noted that it is ours, it gets a name that says so.
        tracker.note_archive(id);
        if let Err(why) = archives.rename_log() {
            tracker.own_archives().remove(id);
            return Err(why);
        }
        // It is renamed: its writer needs a new file, whether or not older ones can be deleted.
        create_like(archives.directory(), &name, stat)?;
        match self.policy.keep {
            0 => Ok(()),
            keep => archives.delete_beyond(keep, |id| tracker.files.with_id(id).is_some()),
        }
    }

    /// Notes that a file is read to its end: if it was renamed it may be compressed or deleted.
    pub(super) fn note_finished(&mut self, id: FileId) {
        if self.policy.method == Method::Rename {
            self.is_prune_due = true;
            self.finished.push(id);
            let many = self.finished.len().saturating_sub(FINISHED_MAX);
            self.finished.drain(..many);
        }
    }

    /// Notes that a file was renamed before this process began: its writer may not have been signalled.
    pub(super) fn note_renamed_before(&mut self) {
        self.is_signal_due |= self.policy.method == Method::Rename;
    }

    /// Signals the writer again, if the previous process may not have done so.
    pub(super) fn signal_if_due(&mut self) {
        if mem::take(&mut self.is_signal_due) {
            self.signal_writer();
        }
    }

    /// Signals the writer to reopen its log, if configured. Logs once if there is no such process.
    fn signal_writer(&mut self) {
        let Some(signal) = &self.policy.signal else { return };
        let why = match signal.send() {
            Ok(0) => {
                "no such process; set shareProcessNamespace in the pod, and check the name with `ps -o comm`".to_owned()
            }
            Ok(_) => return self.is_signal_told = false,
            Err(why) => format!("{why}; run sidetail as the application's user"),
        };
        if !mem::replace(&mut self.is_signal_told, true) {
            tracing::warn!("cannot signal {}: {why}", signal.name);
        }
    }

    /// Compresses what was renamed and is read, or deletes it if no archives are kept, and deletes archives beyond those.
    pub(super) fn tidy_renamed(&mut self, tracker: &mut Tracker, now: Instant) {
        if self.policy.method != Method::Rename {
            return;
        }
        self.look_for_left(tracker);
        self.tell_not_reopened(tracker);
        let (keep, is_prune_due) = (self.policy.keep, mem::take(&mut self.is_prune_due));
        let is_kept_plain = keep > 0 && !self.policy.compress;
        if (is_kept_plain || self.finished.is_empty()) && !is_prune_due {
            return;
        }
        for key in tracker.files.keys(|file| !file.is_detached) {
            let Ok(archives) = self.archives_of(tracker, key) else { continue };
            if keep > 0
                && is_prune_due
                && let Err(why) = archives.delete_beyond(keep, |id| tracker.files.with_id(id).is_some())
            {
                self.tell_refusal(tracker, key, why);
            }
            if tracker.files.file(key).is_some_and(|file| file.room.retry.is_later(now)) {
                continue;
            }
            let mut renamed = archives.list().unwrap_or_default();
            // One that was finished may be read again, under another name.
            let is_finished = |id: FileId| self.finished.contains(&id) && tracker.files.with_id(id).is_none();
            renamed.retain(|archive| !archive.is_compressed() && is_finished(archive.id) && !is_kept_plain);
            for archive in renamed {
                if keep > 0 {
                    // The others have their turn at the next tick.
                    self.is_prune_due = is_prune_due;
                    return self.begin_compression(tracker, key, &archive, now);
                }
                match archives.delete_archive(&archive) {
                    Ok(()) => {
                        let name = archive.name.to_string_lossy();
                        tracing::info!(file = %name, "deleted {name}: all of it is streamed");
                    }
                    Err(why) => return self.refuse(tracker, key, why, now),
                }
            }
        }
    }

    /// Has files compressed that an earlier process renamed and read, and had no time to compress.
    fn look_for_left(&mut self, tracker: &mut Tracker) {
        if !mem::take(&mut self.is_left_unlooked) || self.policy.keep == 0 || !self.policy.compress {
            return;
        }
        for key in tracker.files.keys(|file| !file.is_detached) {
            let Ok(archives) = self.archives_of(tracker, key) else { continue };
            let left = archives.list().unwrap_or_default().into_iter().map(|archive| archive.id);
            self.finished.extend(left.filter(|id| !tracker.is_known(*id)));
        }
        self.finished.truncate(FINISHED_MAX);
    }

    /// Warns once per log that its writer goes on in the renamed file: then renaming reclaims nothing.
    fn tell_not_reopened(&mut self, tracker: &mut Tracker) {
        let own = tracker.own_archives();
        let is_written = |file: &Followed| {
            let renamed = file.room.rotated.filter(|_| file.is_detached && own.has(file.follower.id()));
            renamed.is_some_and(|renamed| file.active.duration_since(renamed) >= REOPENS_WITHIN)
        };
        for key in tracker.files.keys(is_written) {
            let Some(path) = tracker.files.file(key).map(|file| Rc::clone(&file.lineage.path)) else { continue };
            if self.told_once.is_news(Told::NotReopened, &path) {
                let shown = path.display();
                tracing::warn!(
                    file = %shown,
                    "the writer of {shown} goes on in the renamed file and has not reopened {shown}, so nothing is reclaimed; have \
                     it reopen its log (SIDETAIL_ROTATE_SIGNAL), or set SIDETAIL_ROTATE_METHOD=auto"
                );
            }
        }
    }
}

/// Creates an empty file as the one that was renamed was: of the same owner and mode. If its owner could not be the same, and
/// others may not write, the application could not either; then it is left to the application to create it.
///
/// It has its owner and mode before it has its name, so that nobody finds one that cannot be opened.
fn create_like(directory: &OpenDirectory, name: &OsStr, like: Stat) -> io::Result<()> {
    let draft = OsString::from_vec([b".", name.as_bytes(), b".new.tmp"].concat());
    let discard = || directory.delete(&draft);
    // A kill may have left one.
    discard()?;
    let created = directory.create_new(&draft, OFlags::WRONLY, Mode::empty())?;
    let (owner, group) = (rustix::fs::Uid::from_raw(like.uid), rustix::fs::Gid::from_raw(like.gid));
    let is_owned = rustix::fs::fchown(&created, Some(owner), Some(group)).is_ok();
    if !is_owned && like.mode & 0o002 == 0 {
        return Ok(discard()?);
    }
    rustix::fs::fchmod(&created, Mode::from_raw_mode(like.mode))?;
    match directory.rename(&draft, name) {
        Ok(()) => Ok(()),
        // The application was faster, or the file system cannot promise that it was not: then it creates its file itself.
        Err(Errno::EXIST | Errno::INVAL | Errno::NOSYS) => Ok(discard()?),
        Err(why) => Err(why.into()),
    }
}
