//! Archives: a copy of what is given back, compressed as it goes, beside the stream.
//!
//! One file at a time, a step of 64 KiB whenever the loop comes round, so that no line waits longer than for one step. What
//! is to be given back is copied up to a line's end, made durable, noted as an intent in the checkpoint, named, made durable
//! under its name; only then it is given back. A kill in between leaves a draft that is begun again, or an intent that is
//! carried out by the next process.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use super::rotation::{Rotation, is_time, is_unsure};
use crate::disk::archive::{Archive, Archives};
use crate::disk::draft::Draft;
use crate::disk::flush::Flush;
use crate::disk::names::{Numbering, log_of, log_of_draft};
use crate::disk::policy::{Intent, Method, Policy};
use crate::disk::space;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::discover::Found;
use crate::read::buffer::Buffer;
use crate::read::holes::data_from;
use crate::shelf::files::{Files, Followed, Key};
use crate::track::clock;
use crate::track::tracker::Tracker;

/// How much is copied in one step, in bytes: compressing it takes a millisecond or two.
const STEP_BYTES: usize = 64 * 1024;

/// How far before its limit a line's end is looked for, in bytes; a longer line is cut.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// How often archives are looked for that are too old.
const OLD_LOOKED_FOR_EVERY: Duration = Duration::from_secs(60);

/// An archive in the making.
#[derive(Debug)]
pub(super) struct Archiving {
    key: Key,
    source: OwnedFd,
    archives: Archives,
    /// Up to where it was copied.
    at: u64,
    /// Up to where it is copied: a line's end.
    end: u64,
    goal: Goal,
    stage: Stage,
    buffer: Box<[u8]>,
}

/// What it is for.
#[derive(Debug)]
enum Goal {
    /// What it holds is given back by the log.
    GiveBack,
    /// It takes the place of this one, which is not compressed.
    Replace(Archive),
}

/// How far it is.
#[derive(Debug)]
enum Stage {
    Copying(Draft),
    /// The draft is whole, and waits to be flushed.
    Whole(OwnedFd),
    /// It is being flushed.
    Flushing(FileId),
    /// It is durable, and waits until the checkpoint can say so.
    Durable(FileId),
    /// It has its name, and its directory waits to be flushed.
    Named,
    /// The directory is being flushed.
    Settling,
}

impl Archiving {
    /// Says whether it is the archive of this file.
    pub(crate) fn is_of(&self, key: Key) -> bool {
        self.key == key
    }

    /// Says whether it has its name: what it holds is in the archives, and will be given back.
    fn is_named(&self) -> bool {
        matches!(self.stage, Stage::Named | Stage::Settling)
    }

    /// Says whether there is a step to take without waiting for anything.
    pub(crate) fn is_copying(&self) -> bool {
        matches!(self.stage, Stage::Copying(_))
    }

    /// Says whether something is to be flushed before it can go on.
    pub(crate) fn waits_for_flush(&self) -> bool {
        matches!(self.stage, Stage::Whole(_) | Stage::Named)
    }

    /// Returns what is to be flushed before it can go on, and counts it as under way.
    pub(crate) fn flush(&mut self) -> io::Result<Option<Flush>> {
        let flush = match &self.stage {
            Stage::Whole(draft) => (Flush::Whole(draft.try_clone()?), Stage::Flushing(Stat::of(draft)?.id)),
            Stage::Named => (Flush::Whole(self.archives.directory().try_clone()?), Stage::Settling),
            Stage::Copying(_) | Stage::Flushing(_) | Stage::Durable(_) | Stage::Settling => return Ok(None),
        };
        self.stage = flush.1;
        Ok(Some(flush.0))
    }

    /// Copies a bounded part; says whether all of it is copied.
    fn copy(&mut self) -> io::Result<()> {
        let Stage::Copying(draft) = &mut self.stage else { return Ok(()) };
        // A hole holds nothing that anybody wrote.
        let data = data_from(&self.source, self.at)?;
        if data.is_none() && Stat::of(&self.source)?.size < self.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at = data.unwrap_or(self.end).clamp(self.at, self.end);
        let bytes = usize::try_from(self.end - self.at).unwrap_or(STEP_BYTES).min(STEP_BYTES);
        let read = rustix::io::pread(&self.source, &mut self.buffer[..bytes], self.at)?;
        if read == 0 && bytes > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        draft.add(&self.buffer[..read])?;
        self.at += read as u64;
        if self.at == self.end
            && let Stage::Copying(draft) = mem::replace(&mut self.stage, Stage::Named)
        {
            self.stage = Stage::Whole(draft.finish()?);
        }
        Ok(())
    }
}

impl Tracker {
    /// Begins to archive a file up to a line's end before `limit`, unless another one is being archived: then it waits.
    pub(crate) fn begin_archive(&mut self, key: Key, limit: u64, buffer: &mut Buffer) {
        if self.rotation.as_ref().is_none_or(|rotation| rotation.archiving.is_some()) {
            return self.wait_for_archive(key);
        }
        let begun = self.archive_up_to(key, limit, buffer);
        match (begun, &mut self.rotation) {
            (Ok(archiving), Some(rotation)) => rotation.archiving = archiving,
            (Err(why), _) => self.refuse_rotation(key, &why),
            (Ok(_), None) => {}
        }
    }

    /// Lets a file wait until those before it are archived.
    pub(crate) fn wait_for_archive(&mut self, key: Key) {
        let Some(rotation) = &mut self.rotation else { return };
        if !rotation.waiting.contains(&key) {
            rotation.waiting.push_back(key);
        }
    }

    /// Goes on with the file that has waited longest.
    fn consider_waiting(&mut self, buffer: &mut Buffer) {
        while let Some(Rotation { archiving: None, waiting, .. }) = self.rotation.as_deref_mut()
            && let Some(key) = waiting.pop_front()
        {
            if let Some(file) = self.files.file(key) {
                file.room.look_at = 0;
            }
            self.consider(key, buffer);
        }
    }

    /// Lets other files be archived before one of which a stalled stream still holds bytes: nothing can be noted of that.
    pub(crate) fn pass_over_unsure(&mut self, buffer: &mut Buffer) {
        let Some(Rotation { archiving: Some(archiving), waiting, .. }) = self.rotation.as_deref() else { return };
        let key = archiving.key;
        let is_waiting = matches!(archiving.stage, Stage::Durable(_)) && waiting.iter().any(|other| *other != key);
        if is_waiting && self.files.file(key).is_some_and(|file| is_unsure(file)) {
            self.give_archive_up();
            self.wait_for_archive(key);
            self.consider_waiting(buffer);
        }
    }

    fn archive_up_to(&mut self, key: Key, limit: u64, buffer: &mut Buffer) -> io::Result<Option<Archiving>> {
        let archives = self.archives_of(key)?;
        let (Some(rotation), Some(file)) = (&self.rotation, self.files.file(key)) else { return Ok(None) };
        // Truncated meanwhile, perhaps: then it is not what was streamed.
        if file.follower.has_changed(buffer)? {
            return Ok(None);
        }
        let opened = file.follower.file()?;
        // What can never be given back need not be archived, again and again.
        space::open_for_writing(opened)?;
        let kept = file.room.kept.unwrap_or(0);
        let bytes_max = rotation.policy.size.unwrap_or(u64::MAX);
        let Some(end) = line_end(opened, kept, limit, bytes_max)? else { return Ok(None) };
        let draft = archives.begin(Stat::of(opened)?)?;
        let (source, buffer) = (opened.try_clone()?, vec![0; STEP_BYTES].into_boxed_slice());
        Ok(Some(Archiving {
            key,
            source,
            archives,
            at: kept,
            end,
            goal: Goal::GiveBack,
            stage: Stage::Copying(draft),
            buffer,
        }))
    }

    /// Begins to compress an archive of a file that is not compressed.
    pub(crate) fn begin_compression(&mut self, key: Key, archive: &Archive) {
        if self.rotation.as_ref().is_none_or(|rotation| rotation.archiving.is_some()) {
            return;
        }
        let begun = self.archives_of(key).and_then(|archives| {
            let (source, stat) = archives.open(archive)?;
            let draft = archives.begin(stat)?;
            let buffer = vec![0; STEP_BYTES].into_boxed_slice();
            let (goal, stage) = (Goal::Replace(archive.clone()), Stage::Copying(draft));
            Ok(Archiving { key, source, archives, at: 0, end: stat.size, goal, stage, buffer })
        });
        match (begun, &mut self.rotation) {
            (Ok(archiving), Some(rotation)) => rotation.archiving = Some(archiving),
            (Err(why), _) => self.refuse_rotation(key, &why),
            (Ok(_), None) => {}
        }
    }

    /// Opens the directory where the archives of a file are.
    ///
    /// # Errors
    /// Those of openat2(2).
    pub(crate) fn archives_of(&mut self, key: Key) -> io::Result<Archives> {
        let compress = self.rotation.as_ref().is_none_or(|rotation| rotation.policy.compress);
        let file = self.files.file(key).ok_or(io::ErrorKind::NotFound)?;
        let (path, root) = (Rc::clone(&file.path), Rc::clone(&file.lineage.root));
        self.archives_at(&root, &path, compress)
    }

    fn archives_at(&self, root: &Rc<Path>, path: &Path, compress: bool) -> io::Result<Archives> {
        let directory = self.discovery.look_beneath(root, path).open_parent()?;
        Ok(Archives::new(directory, path.file_name().unwrap_or_default(), compress))
    }

    /// Says whether an archive of this file is being made.
    pub(crate) fn is_being_archived(&self, key: Key) -> bool {
        let archiving = self.rotation.as_ref().and_then(|rotation| rotation.archiving.as_ref());
        archiving.is_some_and(|archiving| archiving.is_of(key))
    }

    /// Says whether an archive can go on now, without waiting for anything.
    #[must_use]
    pub fn is_archiving(&self) -> bool {
        let archiving = self.rotation.as_ref().and_then(|rotation| rotation.archiving.as_ref());
        archiving.is_some_and(Archiving::is_copying)
    }

    /// Goes on with the archive that is being made, if there is one: copies another part, or gives it its name.
    pub fn archive_on(&mut self, buffer: &mut Buffer) {
        let Some(archiving) = self.rotation.as_mut().and_then(|rotation| rotation.archiving.as_mut()) else { return };
        let (key, end) = (archiving.key, archiving.end);
        let outcome = match archiving.stage {
            Stage::Copying(_) => archiving.copy(),
            // While a stream holds bytes of the file nothing can be noted of it.
            Stage::Durable(id) if !self.files.file(key).is_some_and(|file| is_unsure(file)) => {
                let named = self.name_archive(key, end, id, buffer);
                if named.is_err() {
                    self.set_intent(key, Intent::None);
                }
                named
            }
            _ => return,
        };
        if let Err(why) = outcome {
            self.give_archive_up();
            return self.refuse_rotation(key, &why);
        }
        self.flush_wanted();
    }

    /// Goes on with the archive of which something is durable now.
    pub(crate) fn archive_flushed(&mut self, buffer: &mut Buffer) {
        let Some(archiving) = self.rotation.as_mut().and_then(|rotation| rotation.archiving.as_mut()) else { return };
        let (key, end) = (archiving.key, archiving.end);
        if let (Goal::Replace(archive), Stage::Flushing(_)) = (&archiving.goal, &archiving.stage) {
            let replaced = archiving.archives.replace(archive);
            self.give_archive_up();
            replaced.unwrap_or_else(|why| self.refuse_rotation(key, &why));
            return self.consider_waiting(buffer);
        }
        match archiving.stage {
            Stage::Flushing(id) => {
                archiving.stage = Stage::Durable(id);
                // If the file was truncated while it was copied, the draft may hold something of before and of after.
                let has_changed = |file: &mut Followed| file.follower.has_changed(buffer).unwrap_or(true);
                if self.files.file(key).is_none_or(has_changed) {
                    self.give_archive_up();
                }
            }
            Stage::Settling => {
                if let Some(rotation) = &mut self.rotation {
                    rotation.archiving = None;
                }
                self.give_back(key, end, buffer);
                self.consider_waiting(buffer);
            }
            Stage::Copying(_) | Stage::Whole(_) | Stage::Durable(_) | Stage::Named => {}
        }
    }

    /// Notes that what is before `end` is in an archive, and gives that its name.
    fn name_archive(&mut self, key: Key, end: u64, id: FileId, buffer: &mut Buffer) -> io::Result<()> {
        if self.rotation.as_ref().is_some_and(|rotation| !rotation.policy.compress) {
            self.finish_with_archive(key, id, buffer);
        }
        // That may have found the file truncated.
        if self.rotation.as_ref().is_none_or(|rotation| rotation.archiving.is_none()) {
            return Ok(());
        }
        if !self.set_intent(key, Intent::Archive { end, id: id.sum() }) {
            return Err(io::Error::other("the checkpoint cannot be written"));
        }
        let Self { rotation, files, .. } = self;
        let Some(Rotation { archiving: Some(archiving), policy, .. }) = rotation.as_deref_mut() else { return Ok(()) };
        archiving.archives.install(|id| is_at_its_path(files, id))?;
        archiving.stage = Stage::Named;
        self.totals.archives += 1;
        let deleted = archiving.archives.delete_beyond(policy.keep, |id| files.with_id(id).is_some());
        // It has its name: whatever else fails, what it holds is given back, and is not archived again.
        deleted.unwrap_or_else(|why| self.tell_refusal(key, &why));
        Ok(())
    }

    /// Notes for later processes that an archive is done with, which looks like a rotated file if it is not compressed.
    ///
    /// With it what was born earlier is done with: all of that must be followed before, or it would be lost.
    fn finish_with_archive(&mut self, key: Key, id: FileId, buffer: &mut Buffer) {
        let Some(lineage) = self.files.file(key).map(|file| Rc::clone(&file.lineage)) else { return };
        if let Some(found) = self.discovery.look(&lineage.path) {
            self.settle(&found, buffer);
        }
        if let Some(directory) = lineage.path.parent() {
            self.look_for_rotated(directory, buffer);
        }
        if self.suspects.is_empty() {
            lineage.finish(id, clock::time());
        }
    }

    /// Notes in the checkpoint what is about to be done to a file; says whether it could be noted.
    pub(crate) fn set_intent(&mut self, key: Key, intent: Intent) -> bool {
        if let Some(file) = self.files.file(key) {
            file.room.intent = intent;
        }
        self.save(key)
    }

    /// Forgets the archive that is being made; what it was to hold is still in the file.
    ///
    /// If it has its name already, that is archived again: the disk that would not make the name durable is failing.
    pub(crate) fn give_archive_up(&mut self) {
        let archiving = self.rotation.as_mut().and_then(|rotation| rotation.archiving.take());
        let Some(archiving) = archiving else { return };
        if archiving.is_named() {
            self.files.file(archiving.key).into_iter().for_each(|file| file.room.intent = Intent::None);
        } else {
            // If it cannot be removed now, the next archive's beginning tells why.
            let _ = archiving.archives.discard_draft();
        }
    }

    /// The same, unless it has its name already; then it is done with by the next process, if not by this one.
    pub fn give_draft_up(&mut self) {
        let archiving = self.rotation.as_ref().and_then(|rotation| rotation.archiving.as_ref());
        if archiving.is_some_and(|archiving| !archiving.is_named()) {
            self.give_archive_up();
        }
    }

    /// The same, if it is the archive of this file, which was truncated: a copy of it need not be archived again.
    pub(crate) fn give_archive_of_up(&mut self, key: Key) {
        let archiving = self.rotation.as_ref().and_then(|rotation| rotation.archiving.as_ref());
        if let Some(archiving) = archiving.filter(|archiving| archiving.key == key) {
            if let Some(file) = self.files.file(key).filter(|_| archiving.is_named()) {
                file.room.kept = Some(archiving.end);
            }
            self.give_archive_up();
        }
    }

    /// Carries out what an earlier process was about to do when it was killed: what is before `end` is in a complete archive,
    /// which may still be a draft. If that is not there, nothing is given back: it is archived again. If the file was truncated
    /// since then, there is nothing to be given back either, but a copy of it is not archived again.
    pub(crate) fn finish_archive(&mut self, key: Key, end: u64, id: u64, is_truncated: bool) {
        let outcome = self.find_archive(key, id);
        if let (Some(rotation), Some(file)) = (&mut self.rotation, self.files.file(key)) {
            if is_truncated {
                file.room.kept_earlier = if matches!(outcome, Ok(true)) { end } else { file.room.kept_earlier };
            } else if matches!(outcome, Ok(true)) {
                rotation.want(&mut file.room, end);
            } else {
                file.room.intent = Intent::None;
                self.save(key);
            }
        }
        match outcome {
            Ok(_) => self.flush_wanted(),
            Err(why) => self.refuse_rotation(key, &why),
        }
    }

    /// Gives the draft that an earlier process left its name, or finds that it has it; says whether it is there. The log may
    /// have been renamed since then.
    fn find_archive(&mut self, key: Key, id: u64) -> io::Result<bool> {
        let file = self.files.file(key).ok_or(io::ErrorKind::NotFound)?;
        let (path, root) = (Rc::clone(&file.path), Rc::clone(&file.lineage.root));
        let directory = path.parent().unwrap_or(&root);
        let Some((name, _)) = entries(directory)?.into_iter().find(|(_, stat)| stat.id.sum() == id) else {
            return Ok(false);
        };
        if let Some((log, compress)) = log_of_draft(name.as_bytes()) {
            let archives = self.archives_at(&root, &directory.join(OsStr::from_bytes(log)), compress)?;
            archives.install(|id| is_at_its_path(&self.files, id))?;
        }
        Ok(true)
    }

    /// Deletes the archives that are too old, once a minute.
    pub(crate) fn delete_old_archives(&mut self, now: Instant) {
        let Some(rotation) = self.rotation.as_deref_mut() else { return };
        let Some(age) = rotation.policy.max_age.filter(|_| rotation.policy.keep > 0) else { return };
        if !is_time(rotation.looked_for_old, OLD_LOOKED_FOR_EVERY, now) {
            return;
        }
        rotation.looked_for_old = Some(now);
        let oldest = clock::time().saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
        for (log, archive) in self.all_archives() {
            if archive.mtime < oldest
                && let Err(why) = self.delete_archive(&log, &archive, "it is too old")
            {
                let path = log.path.with_file_name(&archive.name);
                tracing::info!(file = %path.display(), "cannot delete {}: {why}; it is tried again", path.display());
            }
        }
    }

    /// Returns all archives, also those of logs that are gone, each with the path of its log; not those that are read, nor
    /// those behind a number that is missing, which are somebody else's.
    pub(crate) fn all_archives(&self) -> Vec<(Found, Archive)> {
        let mut all = Vec::new();
        for directory in self.discovery.directories() {
            // One that cannot be listed now is told of where it is walked.
            for (name, stat) in entries(directory).unwrap_or_default() {
                let Some((log, number)) = log_of(name.as_bytes()) else { continue };
                let Some(found) = self.discovery.look(&directory.join(OsStr::from_bytes(log))) else { continue };
                if stat.kind == FileType::RegularFile {
                    all.push((found, Archive::new(number, name, &stat)));
                }
            }
        }
        // What is not compressed is somebody else's, if we compress.
        let makes_plain = self.rotation.as_ref().is_some_and(|rotation| makes_plain(&rotation.policy));
        let (mut log, mut run) = (PathBuf::new(), Numbering::default());
        all.sort_by(|(one, first), (other, second)| (&one.path, first.number).cmp(&(&other.path, second.number)));
        let is_ours = |(found, archive): &(Found, Archive)| {
            if log != found.path {
                (log, run) = (found.path.clone(), Numbering::default());
            }
            let is_kind = makes_plain || archive.is_compressed();
            run.has(archive.number) && is_kind && self.files.with_id(archive.id).is_none()
        };
        all.into_iter().filter(is_ours).collect()
    }

    pub(crate) fn delete_archive(&self, log: &Found, archive: &Archive, why: &str) -> io::Result<()> {
        let name = log.path.file_name().unwrap_or_default();
        Archives::new(log.open_parent()?, name, false).delete(&archive.name)?;
        let path = log.path.with_file_name(&archive.name);
        tracing::info!(file = %path.display(), "deleted {}: {why}", path.display());
        Ok(())
    }

    /// Says whether a path is that of an archive of ours: it is not followed, though its name looks like a rotated file's.
    pub(crate) fn is_archive(&self, path: &Path) -> bool {
        let policy = self.rotation.as_ref().map(|rotation| &rotation.policy);
        let log = path.file_name().and_then(|name| log_of(name.as_bytes())).map(|(log, _)| OsStr::from_bytes(log));
        let base = log.map(|log| path.with_file_name(log));
        policy.is_some_and(makes_plain)
            && base.is_some_and(|base| self.files.lineage(&base).is_some() || self.discovery.look(&base).is_some())
    }
}

/// Says whether archives, or what becomes one, are not compressed.
fn makes_plain(policy: &Policy) -> bool {
    policy.method == Method::Rename || (policy.keep > 0 && !policy.compress)
}

/// Says whether a file is followed at its own path: it is a log, though its name looks like an archive's.
pub(super) fn is_at_its_path(files: &Files, id: FileId) -> bool {
    files.with_id(id).is_some_and(|(_, file)| !file.is_detached)
}

/// Returns what is in a directory, not what is beneath that, and no link's target.
///
/// # Errors
/// Those of open(2) and getdents(2).
pub(super) fn entries(directory: &Path) -> io::Result<Vec<(OsString, Stat)>> {
    let opened = std::fs::File::open(directory)?;
    let names = std::fs::read_dir(directory)?.filter_map(Result::ok).map(|entry| entry.file_name());
    Ok(names.filter_map(|name| Stat::at(&opened, &name).ok().map(|stat| (name, stat))).collect())
}

/// Returns the end of the last line before `limit`, but behind `kept`; `limit` itself if no line ends for a long way before it,
/// or within a whole archive.
fn line_end(file: &OwnedFd, kept: u64, limit: u64, archive_bytes_max: u64) -> io::Result<Option<u64>> {
    let mut bytes = vec![0; STEP_BYTES];
    let mut before = limit;
    while before > kept && limit - before < LINE_BYTES_MAX {
        let start = before.saturating_sub(STEP_BYTES as u64).max(kept);
        let length = usize::try_from(before - start).unwrap_or(STEP_BYTES);
        let read = rustix::io::pread(file, &mut bytes[..length], start)?;
        if let Some(newline) = memchr::memrchr(b'\n', &bytes[..read]) {
            return Ok(Some(start + newline as u64 + 1));
        }
        before = start;
    }
    Ok(Some(limit).filter(|_| before > kept || limit - kept >= archive_bytes_max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn an_archive_ends_at_the_end_of_a_line() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(b"one\ntwo\nthree").expect("written");
        let file = OwnedFd::from(file);
        for (kept, limit, end) in [(0, 13, Some(8)), (0, 8, Some(8)), (0, 7, Some(4)), (4, 7, None), (0, 3, None)] {
            assert_eq!(line_end(&file, kept, limit, 100).expect("read"), end, "from {kept} to {limit}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&vec![b'x'; 3 << 20]).expect("written");
        let file = OwnedFd::from(file);
        assert_eq!(line_end(&file, 0, 2 << 20, u64::MAX).expect("read"), Some(2 << 20));
    }
}
