//! The methods of other rotators, for file systems and applications that bear no other: `rename` and `copytruncate`.
//!
//! What is renamed is read on through its open descriptor until it is quiet, as if somebody else had renamed it; only then is
//! it compressed, or deleted if no archives are kept. What is truncated was streamed to its last byte when it was looked at
//! last.
//!
//! LOSS: `copytruncate` destroys what its writer writes between that look and the truncation, two system calls later. Each
//! truncation says how long that was.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::rc::Rc;
use std::time::Instant;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::archiving::is_at_its_path;
use crate::disk::policy::Method;
use crate::disk::space;
use crate::paths::beneath::{FileId, Stat};
use crate::read::buffer::Buffer;
use crate::shelf::files::Key;
use crate::track::tracker::Tracker;

/// How many renamed files are read on at one time; the others are renamed when these are quiet.
const RENAMED_MAX: usize = 64;

/// How many renamed files that are read are remembered until they are compressed or deleted.
const FINISHED_MAX: usize = 1000;

/// How much is archived at the moment of a truncation, at most, in bytes; more is archived beforehand, beside the stream.
pub(super) const LAST_BYTES_MAX: u64 = 512 << 10;

impl Tracker {
    /// Gives a file another name and makes a new one in its place, as far as the application can use that.
    pub(crate) fn rename_away(&mut self, key: Key) {
        // Its archives have their numbers until the one that is being compressed has its name.
        if self.rotation.as_ref().is_some_and(|rotation| rotation.archiving.is_some()) {
            return self.wait_for_archive(key);
        }
        if self.files.detached().len() >= RENAMED_MAX {
            return;
        }
        let renamed = self.try_rename(key);
        let Some(file) = self.files.file(key) else { return };
        (file.room.is_due, file.room.rotated) = (false, Some(Instant::now()));
        let path = Rc::clone(&file.path);
        match renamed {
            Ok(()) => {
                tracing::info!(file = %path.display(), "renamed {}; it is read until it is quiet", path.display());
                self.totals.rotations += 1;
                self.detach(key);
                self.signal_writer();
            }
            Err(why) => self.refuse_rotation(key, &why),
        }
    }

    fn try_rename(&mut self, key: Key) -> io::Result<()> {
        let archives = self.archives_of(key)?;
        let Some(file) = self.files.file(key) else { return Ok(()) };
        let (id, name) = (file.follower.id(), file.path.file_name().unwrap_or_default().to_owned());
        let stat = Stat::at(archives.directory(), &name)?;
        if stat.kind != FileType::RegularFile || stat.id != id {
            return Err(io::Error::other(
                "it is a link, or no longer at its path; name what it leads to in SIDETAIL_PATHS",
            ));
        }
        let Some(rotation) = &self.rotation else { return Ok(()) };
        archives.rename_log(|id| is_at_its_path(&self.files, id))?;
        // It is renamed: its writer needs a new file, whether or not older ones can be deleted.
        create_like(archives.directory(), &name, stat)?;
        match rotation.policy.keep {
            0 => Ok(()),
            keep => archives.delete_beyond(keep, |id| self.files.with_id(id).is_some()),
        }
    }

    /// Notes that a renamed file is read to its end: it may be compressed or deleted.
    pub(crate) fn note_finished(&mut self, id: FileId) {
        if let Some(rotation) = self.rotation.as_deref_mut().filter(|one| one.policy.method == Method::Rename) {
            rotation.finished.push(id);
            let many = rotation.finished.len().saturating_sub(FINISHED_MAX);
            rotation.finished.drain(..many);
        }
    }

    /// Notes that a file was renamed before this process began: its writer may not have been told any more.
    pub(crate) fn note_renamed_before(&mut self) {
        if let Some(rotation) = self.rotation.as_deref_mut().filter(|one| one.policy.method == Method::Rename) {
            rotation.is_signal_due = true;
        }
    }

    /// Tells the writer again, if the process before this one may not have come to it.
    pub(crate) fn signal_if_due(&mut self) {
        if self.rotation.as_deref_mut().is_some_and(|rotation| mem::take(&mut rotation.is_signal_due)) {
            self.signal_writer();
        }
    }

    /// Tells the writer that it should reopen its log, if that is asked for. That there is none is told once.
    fn signal_writer(&mut self) {
        let Some(rotation) = self.rotation.as_deref_mut() else { return };
        let Some(signal) = &rotation.policy.signal else { return };
        let why = match signal.send() {
            Ok(0) => {
                "there is no such process; set shareProcessNamespace in the pod, and see its name with ps".to_owned()
            }
            Ok(_) => return rotation.is_signal_told = false,
            Err(why) => format!("{why}; run sidetail as the application's user"),
        };
        if !mem::replace(&mut rotation.is_signal_told, true) {
            tracing::warn!("cannot signal {}: {why}", signal.name);
        }
    }

    /// Compresses what was renamed and is read, or deletes it if no archives are kept; nothing that was not followed here.
    pub(crate) fn tidy_renamed(&mut self) {
        let Some(policy) = self.rotation.as_ref().map(|rotation| rotation.policy.clone()) else { return };
        let is_kept_plain = policy.keep > 0 && !policy.compress;
        let is_any = self.rotation.as_ref().is_some_and(|rotation| !rotation.finished.is_empty());
        if policy.method != Method::Rename || is_kept_plain || !is_any {
            return;
        }
        for key in self.files.keys(|file| !file.is_detached) {
            let Ok(archives) = self.archives_of(key) else { continue };
            let is_read = |id| self.rotation.as_ref().is_some_and(|rotation| rotation.finished.contains(&id));
            let renamed = archives.list().unwrap_or_default().into_iter();
            for archive in renamed.filter(|archive| !archive.is_compressed() && is_read(archive.id)) {
                if policy.keep > 0 {
                    return self.begin_compression(key, &archive);
                }
                match archives.delete(&archive.name) {
                    Ok(()) => {
                        let name = archive.name.to_string_lossy();
                        tracing::info!(file = %name, "deleted {name}: it is streamed");
                    }
                    Err(why) => return self.refuse_rotation(key, &why),
                }
            }
        }
    }

    /// Truncates a file of which everything is streamed, and looks again after the next turn if something is not.
    pub(crate) fn truncate(&mut self, key: Key, buffer: &mut Buffer) {
        match self.try_truncate(key, buffer) {
            Ok(true) => self.begin_room_anew(key),
            Ok(false) => {
                if let Some(file) = self.files.file(key) {
                    file.room.look_at = 0;
                }
            }
            Err(why) => self.refuse_rotation(key, &why),
        }
    }

    /// Truncates the file if it holds nothing that was not streamed, and says whether it did.
    pub(crate) fn try_truncate(&mut self, key: Key, buffer: &mut Buffer) -> io::Result<bool> {
        let Some(file) = self.files.file(key) else { return Ok(false) };
        let opened = space::open_for_writing(file.follower.file()?)?;
        // Truncated by somebody else meanwhile, perhaps: then what it holds was not streamed.
        if file.follower.has_changed(buffer)? || Stat::of(&opened)?.size != file.room.saved {
            return Ok(false);
        }
        if self.rotation.as_ref().is_some_and(|one| one.policy.keep > 0) {
            self.archive_last(key)?;
        }
        let Some(file) = self.files.file(key) else { return Ok(false) };
        let streamed = file.room.durable_limit(1);
        if streamed > LAST_BYTES_MAX {
            // The less there is to be freed, the shorter the moment. Where it cannot be punched, it is freed by the truncation.
            let _ = space::punch(file.follower.file()?, 0, streamed);
        }
        let before = Instant::now();
        if Stat::of(&opened)?.size != file.room.saved {
            return Ok(false);
        }
        rustix::fs::ftruncate(&opened, 0)?;
        let window = before.elapsed();
        self.totals.gave_back(file.room.streamed_bytes());
        file.room.given_back += file.room.streamed_bytes();
        file.room.rotated = Some(before);
        let path = file.path.display();
        tracing::info!(file = %path, "truncated {path}; what was written to it within {} us before is lost", window.as_micros());
        Ok(true)
    }

    /// Adds to the newest archive what was streamed since that was made: a member of its own, gzip(1) reads them as one.
    fn archive_last(&mut self, key: Key) -> io::Result<()> {
        let archives = self.archives_of(key)?;
        let Some(file) = self.files.file(key) else { return Ok(()) };
        let (kept, saved) = (file.room.kept.unwrap_or(0), file.room.saved);
        let mut bytes = vec![0; usize::try_from(saved - kept).unwrap_or(0)];
        let read = rustix::io::pread(file.follower.file()?, &mut bytes, kept)?;
        archives.append(&bytes[..read], Stat::of(file.follower.file()?)?)?;
        file.room.kept = Some(saved);
        self.save(key);
        Ok(())
    }
}

/// Creates an empty file as the one that was renamed was: of the same owner and mode. If its owner could not be the same, and
/// others may not write, the application could not either; then it is left to the application to create it.
///
/// It has its owner and mode before it has its name, so that nobody finds one that cannot be opened.
fn create_like(directory: &OwnedFd, name: &OsStr, like: Stat) -> io::Result<()> {
    let draft = OsString::from_vec([b".", name.as_bytes(), b".new.tmp"].concat());
    let discard = || match rustix::fs::unlinkat(directory, &draft, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(why) => Err(why),
    };
    // A kill may have left one.
    discard()?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let created = rustix::fs::openat(directory, &draft, flags, Mode::empty())?;
    let (owner, group) = (rustix::fs::Uid::from_raw(like.uid), rustix::fs::Gid::from_raw(like.gid));
    let is_owned = rustix::fs::fchown(&created, Some(owner), Some(group)).is_ok();
    if !is_owned && like.mode & 0o002 == 0 {
        return Ok(discard()?);
    }
    rustix::fs::fchmod(&created, Mode::from_raw_mode(like.mode))?;
    match rustix::fs::renameat_with(directory, &draft, directory, name, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // The application was faster, or the file system cannot promise that it was not: then it creates its file itself.
        Err(Errno::EXIST | Errno::INVAL | Errno::NOSYS) => Ok(discard()?),
        Err(why) => Err(why.into()),
    }
}
