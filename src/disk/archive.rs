//! The archives of one log file: `app.log.1.gz` is the newest, `app.log.2.gz` the one before, in the log's own directory. If an
//! application numbers files of its own there, archives are called `app.log.sidetail.1.gz`: what is not ours keeps its name.
//!
//! Everything happens beneath an open directory, by name, through no link: an application shares the directory, and may be
//! hostile. An archive is written as `.app.log.1.gz.tmp` (the dot hides it from globs) and gets its name when it is whole.
//! What is done here may be interrupted between any two system calls: done again, it goes on where it was.
//!
//! Invariant: no file is written over, and none is moved on or deleted but archives of ours.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::fs::{FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::draft::Draft;
use super::mark;
use super::names::{COMPRESSED, DRAFT, Numbering, Series, log_of};
use super::own_ids::OwnIds;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::open_directory::OpenDirectory;
use crate::report::refusal::Refusal;

/// An archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    /// Which names it and its like have.
    pub series: Series,
    /// 1 for the newest.
    pub number: u32,
    /// Its name in the directory.
    pub name: OsString,
    /// Which file it is.
    pub id: FileId,
    /// When it was written, in nanoseconds since 1970.
    pub mtime: i64,
    /// What it takes of the disk, in bytes.
    pub allocated_bytes: u64,
    /// Whether it is a directory, which is moved on, but never deleted.
    is_directory: bool,
}

impl Archive {
    /// Describes an archive.
    #[must_use]
    pub(crate) fn new((series, number): (Series, u32), name: OsString, stat: &Stat) -> Self {
        let Stat { id, mtime, allocated_bytes, .. } = *stat;
        Self { series, number, name, id, mtime, allocated_bytes, is_directory: stat.kind == FileType::Directory }
    }

    /// Returns whether it is compressed.
    #[must_use]
    pub(crate) fn is_compressed(&self) -> bool {
        self.name.as_bytes().ends_with(COMPRESSED)
    }

    /// Returns whether it is ours: by its name, or because it is known for one.
    #[must_use]
    pub(crate) fn is_ours(&self, own: &OwnIds) -> bool {
        self.series == Series::Apart || own.has(self.id)
    }

    /// Returns what stands behind the number.
    fn suffix(&self) -> &[u8] {
        if self.is_compressed() { COMPRESSED } else { b"" }
    }
}

/// The archives of one log.
#[derive(Debug)]
pub(crate) struct Archives {
    directory: OpenDirectory,
    log: OsString,
    compress: bool,
    own: OwnIds,
    /// Whether a pattern matches the plain names: what is not compressed must be known for an archive by itself.
    is_matched: bool,
    /// After how many renames and deletions the next one fails, as if a kill had come before it.
    #[cfg(test)]
    steps_left: std::cell::Cell<u32>,
}

impl Archives {
    /// Names the archives of the log `log` in an open directory.
    #[must_use]
    pub(crate) fn new(directory: OpenDirectory, log: &OsStr, compress: bool, own: OwnIds) -> Self {
        Self {
            directory,
            log: log.to_owned(),
            compress,
            own,
            is_matched: false,
            #[cfg(test)]
            steps_left: std::cell::Cell::new(u32::MAX),
        }
    }

    /// Says whether patterns match the plain names.
    pub(crate) fn with_matched(self, is_matched: bool) -> Self {
        Self { is_matched, ..self }
    }

    /// Returns the plain name of the newest archive, not compressed.
    #[must_use]
    pub(crate) fn plain_name(log: &OsStr) -> OsString {
        name_of(log, Series::Plain, 1, b"")
    }

    /// Returns the directory, to flush what was named in it.
    #[must_use]
    pub(crate) fn directory(&self) -> &OpenDirectory {
        &self.directory
    }

    /// Returns the archives that there are, newest first; of two with one number the compressed one last.
    ///
    /// # Errors
    /// Those of getdents(2).
    pub(crate) fn list(&self) -> io::Result<Vec<Archive>> {
        Ok(self.numbered()?.into_iter().filter(|archive| archive.is_ours(&self.own)).collect())
    }

    /// Returns the first name of an archive that something has which is not ours, if there is any.
    ///
    /// # Errors
    /// Those of getdents(2).
    pub(crate) fn of_another(&self) -> io::Result<Option<OsString>> {
        Ok(self.numbered()?.into_iter().find(|archive| !archive.is_ours(&self.own)).map(|archive| archive.name))
    }

    /// Returns all that has the name of an archive of this log, whatever it is.
    fn numbered(&self) -> io::Result<Vec<Archive>> {
        let mut archives = Vec::new();
        for (name, ..) in self.directory.names()? {
            let Some((log, number, series)) = log_of(name.as_bytes()) else { continue };
            if log != self.log.as_bytes() {
                continue;
            }
            // One that is gone by now is no archive. A link or a directory is not looked into.
            let Ok(stat) = self.directory.stat(&name) else { continue };
            archives.push(Archive::new((series, number), name, &stat));
        }
        archives.sort_unstable_by_key(|archive| (archive.series, archive.number, archive.is_compressed()));
        Ok(archives)
    }

    /// Returns which names new archives get: the plain ones, unless others use such names, or have, or it is not known of the file
    /// that it is ours.
    fn series(&self, file: FileId) -> io::Result<Series> {
        let is_apart = |archive: &Archive| archive.series == Series::Apart || !archive.is_ours(&self.own);
        let is_any_apart = self.numbered()?.iter().any(is_apart);
        Ok(if is_any_apart || !self.own.has(file) { Series::Apart } else { Series::Plain })
    }

    fn name(&self, series: Series, number: u32, suffix: &[u8]) -> OsString {
        name_of(&self.log, series, number, suffix)
    }

    fn suffix(&self) -> &'static [u8] {
        if self.compress { COMPRESSED } else { b"" }
    }

    fn draft_name(&self, suffix: &[u8]) -> OsString {
        OsString::from_vec([b".", self.name(Series::Plain, 1, suffix).as_bytes(), DRAFT].concat())
    }

    /// Begins an archive: a draft of the log's mode and, where that is permitted, owner. A draft that was left is deleted,
    /// one of the other kind too: after a kill it would be taken for the whole draft of this archive's intent.
    ///
    /// # Errors
    /// Those of openat(2): the directory cannot be written to.
    pub(crate) fn begin(&self, log: Stat) -> Result<Draft, Refusal> {
        self.delete(&self.draft_name(COMPRESSED))?;
        self.delete(&self.draft_name(b""))?;
        let file = self.create(&self.draft_name(self.suffix()), log)?;
        Ok(Draft::new(file, self.compress))
    }

    fn create(&self, name: &OsStr, log: Stat) -> io::Result<File> {
        let created = self.directory.create_new(name, OFlags::WRONLY, Mode::RUSR | Mode::WUSR)?;
        let (owner, group) = (Uid::from_raw(log.uid), Gid::from_raw(log.gid));
        let is_owned = rustix::fs::fchown(&created, Some(owner), Some(group)).is_ok()
            || rustix::fs::fchown(&created, None, Some(group)).is_ok();
        // To another group it shows no more than to everybody.
        let mode = if is_owned { log.mode } else { log.mode & !0o070 | (log.mode & 0o007) << 3 };
        rustix::fs::fchmod(&created, Mode::from_raw_mode(mode & 0o666))?;
        Ok(File::from(created))
    }

    /// Deletes the draft, if there is one.
    ///
    /// # Errors
    /// Those of unlinkat(2).
    pub(crate) fn discard_draft(&self) -> Result<(), Refusal> {
        self.delete(&self.draft_name(self.suffix()))
    }

    /// Makes the draft the newest archive. Those beyond what is kept are left to [`Archives::delete_beyond`]: if they cannot be
    /// deleted, the new one still gets its name, and what it holds must not be archived again.
    ///
    /// # Errors
    /// Those of renameat2(2), and `NotFound` without a draft: then nothing is moved. Called again, it goes on.
    pub(crate) fn install(&self) -> Result<(), Refusal> {
        let draft = self.draft_name(self.suffix());
        let id = self.directory.stat(&draft)?.id;
        let opened = || self.directory.open(&draft, OFlags::RDONLY);
        let is_told = self.compress || !self.is_matched || opened().is_ok_and(|(file, stat)| mark::is_on(&file, &stat));
        let series = if is_told { self.series(id)? } else { Series::Apart };
        self.make_room(series)?;
        Ok(self.rename(&draft, &self.name(series, 1, self.suffix()))?)
    }

    /// Opens an archive, if it is still this one.
    ///
    /// # Errors
    /// Those of openat(2); `NotFound` if another one has its name now.
    pub(crate) fn open(&self, archive: &Archive) -> io::Result<(OwnedFd, Stat)> {
        let (opened, stat) = self.directory.open(&archive.name, OFlags::RDONLY)?;
        if stat.id == archive.id { Ok((opened, stat)) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Gives the log itself the name of the newest archive.
    ///
    /// # Errors
    /// As [`Archives::install`].
    pub(crate) fn rename_log(&self) -> Result<(), Refusal> {
        let series = self.series(self.directory.stat(&self.log)?.id)?;
        self.make_room(series)?;
        Ok(self.rename(&self.log, &self.name(series, 1, b""))?)
    }

    /// Puts the draft, a compressed copy, in the place of an archive that is not compressed.
    ///
    /// # Errors
    /// As [`Archives::install`].
    pub(crate) fn replace(&self, archive: &Archive) -> Result<(), Refusal> {
        let compressed = self.name(archive.series, archive.number, COMPRESSED);
        match self.rename(&self.draft_name(COMPRESSED), &compressed) {
            // Killed between the two calls: that is the whole copy, made before.
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists && self.is_copy(&compressed, archive) => {
                self.discard_draft()?;
            }
            other => other?,
        }
        // Another one may have its name by now.
        if self.directory.stat(&archive.name)?.id != archive.id {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.delete_archive(archive)
    }

    /// Returns whether what has this name may be a copy of the archive: a file that was made after it.
    fn is_copy(&self, name: &OsStr, archive: &Archive) -> bool {
        let is_younger = |stat: Stat| stat.kind == FileType::RegularFile && stat.mtime >= archive.mtime;
        self.directory.stat(name).is_ok_and(is_younger)
    }

    /// Moves the archives with such names on, so that number 1 is free. Those behind the first free number stay: a shift that was
    /// interrupted leaves one.
    fn make_room(&self, series: Series) -> Result<(), Refusal> {
        let mut run = Numbering::default();
        let archives = self.list()?.into_iter().filter(|archive| archive.series == series);
        let archives: Vec<_> = archives.take_while(|archive| run.has(archive.number)).collect();
        for archive in archives.iter().rev() {
            self.rename(&archive.name, &self.name(series, archive.number + 1, archive.suffix()))?;
        }
        Ok(())
    }

    /// Deletes the archives beyond `keep`, unless they are in use.
    ///
    /// # Errors
    /// Those of unlinkat(2): a sticky directory, an immutable file; the others are deleted all the same.
    pub(crate) fn delete_beyond(&self, keep: u32, is_in_use: impl Fn(FileId) -> bool) -> Result<(), Refusal> {
        let mut outcome = Ok(());
        let archives = self.list()?;
        let kept = usize::try_from(keep).unwrap_or(usize::MAX);
        // Two with one number are one, in the course of being compressed.
        let mut numbers: Vec<_> = archives.iter().map(|archive| (archive.series, archive.number)).collect();
        numbers.dedup();
        let beyond = numbers.get(kept..).unwrap_or_default();
        // The oldest first, whenever a kill comes.
        for archive in archives.iter().rev().filter(|one| beyond.contains(&(one.series, one.number))) {
            if !archive.is_directory
                && !is_in_use(archive.id)
                && let Err(why) = self.delete_archive(archive)
            {
                outcome = Err(why);
            }
        }
        outcome
    }

    /// Deletes an archive of ours.
    ///
    /// # Errors
    /// As [`Archives::delete`].
    pub(crate) fn delete_archive(&self, archive: &Archive) -> Result<(), Refusal> {
        self.delete(&archive.name)?;
        self.own.remove(archive.id);
        Ok(())
    }

    /// Deletes a name; one that is gone already is no error.
    ///
    /// # Errors
    /// Those of unlinkat(2).
    fn delete(&self, name: &OsStr) -> Result<(), Refusal> {
        #[cfg(test)]
        self.step()?;
        match self.directory.delete(name) {
            Ok(()) => Ok(()),
            Err(Errno::ISDIR) => Err(Refusal::DirectoryNamedAsArchive(name.to_owned())),
            Err(why) => Err(why.into()),
        }
    }

    /// Adds bytes to the newest archive, which is made if there is none: compressed, they are a member of their own, which
    /// gzip(1) reads on (RFC 1952, section 2.2). `note` is to know of a new one that it is ours.
    ///
    /// # Errors
    /// Those of openat(2), write(2) and renameat2(2).
    pub(crate) fn append(&self, bytes: &[u8], log: Stat, note: impl FnOnce(FileId)) -> Result<(), Refusal> {
        let is_newest = |one: &Archive| one.number == 1 && one.is_compressed() == self.compress;
        let Some(newest) = self.list()?.into_iter().next().filter(is_newest) else {
            let mut draft = self.begin(log)?;
            draft.add(bytes)?;
            note(Stat::of(&draft.finish()?)?.id);
            return self.install();
        };
        let file = match self.directory.open(&newest.name, OFlags::WRONLY | OFlags::APPEND) {
            Ok((opened, _)) => File::from(opened),
            // A FIFO in its place has no reader.
            Err(why)
                if why.kind() == io::ErrorKind::InvalidInput || Errno::from_io_error(&why) == Some(Errno::NXIO) =>
            {
                return Err(Refusal::ArchiveNotRegular);
            }
            Err(why) => return Err(why.into()),
        };
        let before = Stat::of(&file)?;
        let whole = file.try_clone()?;
        let mut draft = Draft::new(file, self.compress);
        let added = draft.add(bytes).and_then(|()| draft.finish().map(drop));
        if added.is_err() {
            // Half a member would make all that follow unreadable. If this fails too, the first error tells why.
            let _ = rustix::fs::ftruncate(&whole, before.size);
        }
        Ok(added?)
    }

    #[cfg(test)]
    fn step(&self) -> io::Result<()> {
        let left = self.steps_left.get().checked_sub(1).ok_or(io::ErrorKind::Interrupted)?;
        self.steps_left.set(left);
        Ok(())
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        #[cfg(test)]
        self.step()?;
        let at = &self.directory;
        match at.rename(from, to) {
            // A file system that cannot promise it: what stands there was looked at a moment ago.
            Err(Errno::INVAL | Errno::NOSYS) if at.stat(to).is_err() => Ok(at.replace(from, to)?),
            other => Ok(other?),
        }
    }
}

fn name_of(log: &OsStr, series: Series, number: u32, suffix: &[u8]) -> OsString {
    let number = number.to_string();
    OsString::from_vec([log.as_bytes(), series.infix(), b".", number.as_bytes(), suffix].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;
    use std::process::Command;

    /// Archives of which all that there are at the beginning are ours, and all that are made.
    fn archives(dir: &Path, compress: bool) -> Archives {
        let directory = OpenDirectory::new(File::open(dir).expect("a directory").into());
        let archives = Archives::new(directory, OsStr::new("app.log"), compress, OwnIds::default());
        own(&archives);
        archives
    }

    /// Takes all that is there for ours.
    fn own(archives: &Archives) {
        for archive in archives.numbered().expect("listed") {
            archives.own.add(archive.id.sum());
        }
        for (_, stat) in archives.directory.entries().expect("listed").filter(|(name, _)| name.as_bytes()[0] == b'.') {
            archives.own.add(stat.id.sum());
        }
    }

    fn log(dir: &Path) -> Stat {
        fs::write(dir.join("app.log"), "live").expect("written");
        fs::set_permissions(dir.join("app.log"), fs::Permissions::from_mode(0o640)).expect("ours");
        Stat::of(File::open(dir.join("app.log")).expect("there")).expect("statx")
    }

    /// Every name in the directory but the log's own, with its contents.
    fn contents(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
        let show = |path: std::path::PathBuf| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let output = Command::new("gzip").args(["-dcf"]).arg(&path).output().expect("gzip is there");
            format!("{name}={}", String::from_utf8_lossy(&output.stdout))
        };
        let mut all: Vec<_> = entries.map(show).filter(|one| !one.starts_with("app.log=")).collect();
        all.sort_unstable();
        all
    }

    fn make(archives: &Archives, log: Stat, text: &str) {
        let mut draft = archives.begin(log).expect("begun");
        text.as_bytes().chunks(3).for_each(|bytes| draft.add(bytes).expect("added"));
        let draft = draft.finish().expect("finished");
        archives.own.add(Stat::of(&draft).expect("statx").id.sum());
    }

    #[test]
    fn the_newest_is_number_one_and_only_so_many_are_kept() {
        for (compress, suffix) in [(true, ".gz"), (false, "")] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let (archives, log) = (archives(dir.path(), compress), log(dir.path()));
            for text in ["one", "two", "three", "four"] {
                make(&archives, log, text);
                archives.install().expect("installed");
                archives.delete_beyond(3, |_| false).expect("deleted");
            }
            let expected = ["1", "2", "3"].iter().zip(["four", "three", "two"]);
            let expected: Vec<_> = expected.map(|(n, text)| format!("app.log.{n}{suffix}={text}")).collect();
            assert_eq!(contents(dir.path()), expected);
            let mode = fs::metadata(dir.path().join(format!("app.log.1{suffix}"))).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o640);
        }
    }

    #[test]
    fn an_interrupted_shift_goes_on_where_it_was() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (archives, log) = (archives(dir.path(), false), log(dir.path()));
        // `.2` was moved to `.3` already, `.1` is still to be moved.
        for (name, text) in [("app.log.1", "newest"), ("app.log.3", "older"), ("app.log.4.gz", "oldest")] {
            fs::write(dir.path().join(name), text).expect("written");
        }
        own(&archives);
        make(&archives, log, "new");
        archives.install().expect("installed");
        assert_eq!(
            contents(dir.path()),
            ["app.log.1=new", "app.log.2=newest", "app.log.3=older", "app.log.4.gz=oldest"]
        );
    }

    #[test]
    fn what_is_used_is_neither_deleted_nor_written_over() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (archives, log) = (archives(dir.path(), false), log(dir.path()));
        fs::write(dir.path().join("app.log.1"), "somebody's").expect("written");
        own(&archives);
        let used = Stat::of(File::open(dir.path().join("app.log.1")).expect("there")).expect("statx").id;
        make(&archives, log, "new");
        archives.install().expect("installed");
        archives.delete_beyond(1, |id| id == used).expect("nothing to delete");
        assert_eq!(contents(dir.path()), ["app.log.1=new", "app.log.2=somebody's"]);
        assert_eq!(contents(dir.path()).len(), 2);
    }

    #[test]
    fn without_a_draft_nothing_is_moved() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let archives = archives(dir.path(), false);
        fs::write(dir.path().join("app.log.1"), "one").expect("written");
        assert_eq!(archives.install(), Err(Refusal::Os(Errno::NOENT)));
        assert_eq!(contents(dir.path()), ["app.log.1=one"]);
    }

    /// Installs a draft over archives of both kinds with a gap, killed after `steps` renames and deletions, and then does what
    /// the next process does; returns what is there then, and whether the kill came in time.
    fn install_killed_after(steps: u32) -> (Vec<String>, bool) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = log(dir.path());
        for (name, text) in
            [("app.log.1", "d"), ("app.log.2.gz", "c"), ("app.log.3", "b"), ("app.log.5", "a"), ("app.log.6", "0")]
        {
            fs::write(dir.path().join(name), text).expect("written");
        }
        let killed = archives(dir.path(), true);
        make(&killed, log, "e");
        killed.steps_left.set(steps);
        let was_killed = killed.install().and_then(|()| killed.delete_beyond(4, |_| false)).is_err();
        let next = archives(dir.path(), true);
        if next.directory.stat(&next.draft_name(next.suffix())).is_ok() {
            next.install().expect("goes on");
        }
        next.delete_beyond(4, |_| false).expect("goes on");
        (contents(dir.path()), was_killed)
    }

    #[test]
    fn a_kill_between_any_two_steps_changes_nothing_in_the_end() {
        let (whole, _) = install_killed_after(u32::MAX);
        assert_eq!(whole, ["app.log.1.gz=e", "app.log.2=d", "app.log.3.gz=c", "app.log.4=b"]);
        let kills: Vec<_> = (0..20).map(install_killed_after).collect();
        for (steps, (left, _)) in kills.iter().enumerate() {
            assert_eq!(*left, whole, "killed after {steps} steps");
        }
        // Three are moved, the draft is, and two are deleted.
        assert_eq!(kills.iter().filter(|(_, was_killed)| *was_killed).count(), 6);
    }

    #[test]
    fn a_draft_of_the_other_kind_is_not_left_behind() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = log(dir.path());
        archives(dir.path(), false).begin(log).expect("begun").add(b"par").expect("added");
        make(&archives(dir.path(), true), log, "whole");
        assert_eq!(contents(dir.path()), [".app.log.1.gz.tmp=whole"]);
    }

    #[test]
    fn one_that_cannot_be_deleted_does_not_keep_the_others() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in ["app.log.1", "app.log.2"] {
            fs::write(dir.path().join(name), "").expect("written");
        }
        let archives = archives(dir.path(), false);
        own(&archives);
        archives.steps_left.set(1);
        archives.delete_beyond(0, |_| false).expect_err("the second cannot be deleted");
        assert_eq!(contents(dir.path()), ["app.log.1="]);
    }

    #[test]
    fn a_fifo_in_an_archives_place_does_not_block() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (archives, log) = (archives(dir.path(), true), log(dir.path()));
        let fifo = dir.path().join("app.log.sidetail.1.gz");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
        assert_eq!(archives.append(b"bytes", log, |_| {}), Err(Refusal::ArchiveNotRegular), "nobody reads it");
    }

    #[test]
    fn what_is_not_ours_keeps_its_name_and_archives_get_another() {
        for compress in [false, true] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let (archives, log) = (archives(dir.path(), compress), log(dir.path()));
            let suffix = if compress { ".gz" } else { "" };
            make(&archives, log, "one");
            archives.install().expect("installed");
            fs::write(dir.path().join("app.log.2"), "theirs").expect("written");
            for text in ["two", "three"] {
                make(&archives, log, text);
                archives.install().expect("installed");
                archives.delete_beyond(2, |_| false).expect("deleted");
            }
            let expected = [("2", "", "theirs"), ("sidetail.1", suffix, "three"), ("sidetail.2", suffix, "two")];
            let expected = expected.map(|(name, suffix, text)| format!("app.log.{name}{suffix}={text}"));
            assert_eq!(contents(dir.path()), expected);
            assert_eq!(archives.of_another().expect("listed"), Some("app.log.2".into()));
            // The names stay what they are while there are any.
            fs::remove_file(dir.path().join("app.log.2")).expect("there");
            make(&archives, log, "four");
            archives.install().expect("installed");
            assert!(contents(dir.path()).contains(&format!("app.log.sidetail.1{suffix}=four")));
        }
    }

    #[test]
    fn one_that_cannot_be_noted_gets_a_name_that_says_that_it_is_ours() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (archives, log) = (archives(dir.path(), false), log(dir.path()));
        archives.begin(log).expect("begun").add(b"new").expect("added");
        archives.install().expect("installed");
        assert_eq!(contents(dir.path()), ["app.log.sidetail.1=new"]);
    }

    #[test]
    fn one_that_bears_no_mark_has_a_name_that_says_so_if_a_pattern_matches_plain_ones() {
        for (is_matched, compress, expected) in
            [(true, false, "app.log.sidetail.1=new"), (false, false, "app.log.1=new"), (true, true, "app.log.1.gz=new")]
        {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let archives = archives(dir.path(), compress).with_matched(is_matched);
            make(&archives, log(dir.path()), "new");
            let draft = dir.path().join(archives.draft_name(archives.suffix()));
            // What was written since then voids it; no file system without such attributes is at hand everywhere.
            let draft = File::options().write(true).open(draft).expect("there");
            draft.set_modified(std::time::UNIX_EPOCH).expect("ours");
            archives.install().expect("installed");
            assert_eq!(contents(dir.path()), [expected]);
        }
    }

    #[test]
    fn a_directory_with_an_archives_name_is_left_there() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let archives = archives(dir.path(), false);
        fs::create_dir(dir.path().join("app.log.sidetail.1")).expect("a directory");
        archives.delete_beyond(0, |_| false).expect("nothing to be deleted");
        let in_the_way = Err(Refusal::DirectoryNamedAsArchive("app.log.sidetail.1".into()));
        assert_eq!(archives.delete(OsStr::new("app.log.sidetail.1")), in_the_way);
    }

    #[test]
    fn any_bytes_make_a_name() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = log(dir.path());
        for name in [&b"a\xff\nb.log"[..], b"-rf", b"x.gz", b"app.log.1"] {
            let directory = OpenDirectory::new(File::open(dir.path()).expect("a directory").into());
            let archives = Archives::new(directory, OsStr::from_bytes(name), true, OwnIds::default());
            for text in ["one", "two"] {
                make(&archives, log, text);
                archives.install().expect("installed");
            }
            let names: Vec<_> = archives.list().expect("listed").into_iter().map(|archive| archive.name).collect();
            assert_eq!(
                names,
                [archives.name(Series::Plain, 1, COMPRESSED), archives.name(Series::Plain, 2, COMPRESSED)]
            );
        }
        let of_the_log = archives(dir.path(), true).list().expect("listed");
        assert!(of_the_log.is_empty(), "`app.log.1.1.gz` is no archive of `app.log`");
    }

    #[test]
    fn large_archives_come_back_byte_for_byte() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (archives, log) = (archives(dir.path(), true), log(dir.path()));
        // Compressible and not, across many windows of 32 KiB.
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let bytes: Vec<u8> = (0..1 << 19).map(|i: u32| if i >> 16 & 1 == 0 { noise() } else { i as u8 & 63 }).collect();
        let mut draft = archives.begin(log).expect("begun");
        bytes.chunks(64 << 10).for_each(|chunk| draft.add(chunk).expect("added"));
        draft.finish().expect("finished");
        own(&archives);
        archives.install().expect("installed");
        let output = Command::new("gzip").arg("-dc").arg(dir.path().join("app.log.1.gz")).output().expect("gzip");
        assert!(output.status.success() && output.stdout == bytes);
    }

    #[test]
    fn only_its_own_archives_are_listed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in
            ["app.log.1", "app.log.10.gz", "app.log.01", "app.log.0", "app.log.x", "app.log.1.bz2", "xapp.log.1"]
        {
            fs::write(dir.path().join(name), "").expect("written");
        }
        let archives = archives(dir.path(), true);
        for name in ["app.log.2", "app.log.sidetail.1"] {
            fs::write(dir.path().join(name), "").expect("written");
        }
        symlink("app.log.1", dir.path().join("app.log.3")).expect("a link");
        let names: Vec<_> = archives.list().expect("listed").into_iter().map(|archive| archive.name).collect();
        assert_eq!(names, ["app.log.sidetail.1", "app.log.1", "app.log.10.gz"]);
    }

    #[test]
    fn a_link_in_the_drafts_place_is_not_followed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (archives, log) = (archives(dir.path(), true), log(dir.path()));
        fs::write(dir.path().join("precious"), "precious").expect("written");
        symlink("precious", dir.path().join(".app.log.1.gz.tmp")).expect("a link");
        make(&archives, log, "new");
        archives.install().expect("installed");
        assert_eq!(contents(dir.path()), ["app.log.1.gz=new", "precious=precious"]);
    }

    #[test]
    fn a_second_member_is_read_on() {
        for compress in [true, false] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let (archives, log) = (archives(dir.path(), compress), log(dir.path()));
            archives.append(b"one ", log, |id| _ = archives.own.add(id.sum())).expect("made");
            archives.append(b"two", log, |_| {}).expect("appended");
            assert!(contents(dir.path())[0].ends_with("=one two"), "{:?}", contents(dir.path()));
        }
    }

    #[test]
    fn a_compressed_copy_takes_the_place_of_an_archive() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (archives, log) = (archives(dir.path(), true), log(dir.path()));
        let write_plain = || {
            fs::write(dir.path().join("app.log.1"), "two").expect("written");
            let plain = File::options().write(true).open(dir.path().join("app.log.1")).expect("there");
            plain.set_modified(std::time::UNIX_EPOCH).expect("ours");
        };
        write_plain();
        for _ in 0..2 {
            own(&archives);
            let archive = archives.list().expect("listed").remove(0);
            make(&archives, log, "two");
            archives.replace(&archive).expect("replaced");
            assert_eq!(contents(dir.path()), ["app.log.1.gz=two"]);
            // Killed before the plain one was deleted.
            write_plain();
        }
        // What is older than the archive is no copy of it.
        fs::write(dir.path().join("app.log.1"), "three").expect("written");
        own(&archives);
        let archive = archives.list().expect("listed").remove(0);
        make(&archives, log, "three");
        archives.replace(&archive).expect_err("something is in the way");
        assert!(contents(dir.path()).contains(&"app.log.1=three".to_owned()));
    }
}
