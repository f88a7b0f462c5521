//! The methods of other rotators, for file systems and applications that bear no other: `rename` and `copytruncate`.
//!
//! What is renamed is read on through its open descriptor until it is quiet, as if somebody else had renamed it; only then is
//! it compressed, or deleted if no archives are kept. What is truncated was streamed to its last byte when it was looked at
//! last.
//!
//! LOSS: `copytruncate` destroys what its writer writes between that look and the truncation, two system calls later. Each
//! truncation says how long that was.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Instant;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::archiving::is_at_its_path;
use super::{Tracker, clock};
use crate::beneath::Stat;
use crate::files::Key;
use crate::rotate::{Method, space};

/// How much is archived at the moment of a truncation, at most, in bytes; more is archived beforehand, beside the stream.
pub(super) const LAST_BYTES_MAX: u64 = 64 << 10;

impl Tracker {
    /// Gives a file another name and makes a new one in its place, as far as the application can use that.
    pub(super) fn rename_away(&mut self, key: Key) {
        let renamed = self.try_rename(key);
        let Some(file) = self.files.file(key) else { return };
        (file.room.is_due, file.room.rotated) = (false, Some(Instant::now()));
        let path = Rc::clone(&file.path);
        match renamed {
            Ok(()) => {
                tracing::info!("renamed {}; it is read until it is quiet", path.display());
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
        archives.delete_beyond(rotation.policy.keep.max(1), |id| self.files.with_id(id).is_some())
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
        if !std::mem::replace(&mut rotation.is_signal_told, true) {
            tracing::warn!("cannot signal {}: {why}", signal.name);
        }
    }

    /// Compresses what was renamed and is read, or deletes it if no archives are kept.
    pub(super) fn tidy_renamed(&mut self) {
        let Some(policy) = self.rotation.as_ref().map(|rotation| rotation.policy.clone()) else { return };
        if policy.method != Method::Rename || (policy.keep > 0 && !policy.compress) {
            return;
        }
        for key in self.files.keys(|file| !file.is_detached) {
            let (Ok(archives), Some(file)) = (self.archives_of(key), self.files.file(key)) else { continue };
            let lineage = Rc::clone(&file.lineage);
            let is_read = |id| self.files.with_id(id).is_none() && lineage.is_done_with(id, clock::future());
            let renamed = archives.list().unwrap_or_default().into_iter();
            for archive in renamed.filter(|archive| !archive.is_compressed() && is_read(archive.id)) {
                if policy.keep > 0 {
                    return self.begin_compression(key, &archive);
                }
                match archives.delete(&archive.name) {
                    Ok(()) => tracing::info!("deleted {}: it is streamed", archive.name.to_string_lossy()),
                    Err(why) => return self.refuse_rotation(key, &why),
                }
            }
        }
    }

    /// Truncates a file of which everything is streamed, and looks again after the next turn if something is not.
    pub(super) fn truncate(&mut self, key: Key) {
        let archived =
            if self.rotation.as_ref().is_some_and(|one| one.policy.keep > 0) { self.archive_last(key) } else { Ok(()) };
        match archived.and_then(|()| self.try_truncate(key)) {
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
    pub(super) fn try_truncate(&mut self, key: Key) -> io::Result<bool> {
        let Some(file) = self.files.file(key) else { return Ok(false) };
        let opened = space::open_for_writing(file.follower.file()?)?;
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
        file.room.given_back += file.room.streamed_bytes();
        file.room.rotated = Some(before);
        let path = file.path.display();
        tracing::info!("truncated {path}; what was written to it within {} us before is lost", window.as_micros());
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
fn create_like(directory: &OwnedFd, name: &OsStr, like: Stat) -> io::Result<()> {
    let mode = Mode::from_raw_mode(like.mode);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let created = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(created) => created,
        // The application was faster.
        Err(Errno::EXIST) => return Ok(()),
        Err(why) => return Err(why.into()),
    };
    let (owner, group) = (rustix::fs::Uid::from_raw(like.uid), rustix::fs::Gid::from_raw(like.gid));
    let is_owned = rustix::fs::fchown(&created, Some(owner), Some(group)).is_ok();
    if is_owned || like.mode & 0o002 != 0 {
        return Ok(rustix::fs::fchmod(&created, mode)?);
    }
    Ok(rustix::fs::unlinkat(directory, name, rustix::fs::AtFlags::empty())?)
}
