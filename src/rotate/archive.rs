//! The archives of one log file: `app.log.1.gz` is the newest, `app.log.2.gz` the one before, in the log's own directory.
//!
//! Everything happens beneath an open directory, by name, through no link: an application shares the directory, and may be
//! hostile. An archive is written as `.app.log.1.gz.tmp` (the dot hides it from globs) and gets its name when it is whole.
//! What is done here may be interrupted between any two system calls: done again, it goes on where it was.
//!
//! Invariant: no file is written over. What stands at a number that is needed is moved on, or is in nobody's use and older
//! than all that are kept, and deleted.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use crate::beneath::{FileId, Stat};
use crate::order::sorted_by_key;

/// The suffix of compressed archives.
const COMPRESSED: &[u8] = b".gz";

/// An archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
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
}

impl Archive {
    /// Says whether it is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.name.as_bytes().ends_with(COMPRESSED)
    }

    /// Returns what stands behind the number.
    fn suffix(&self) -> &[u8] {
        if self.is_compressed() { COMPRESSED } else { b"" }
    }
}

/// The archives of one log.
#[derive(Debug)]
pub struct Archives {
    directory: OwnedFd,
    log: OsString,
    compress: bool,
}

impl Archives {
    /// Names the archives of the log `log` in an open directory.
    #[must_use]
    pub fn new(directory: OwnedFd, log: &OsStr, compress: bool) -> Self {
        Self { directory, log: log.to_owned(), compress }
    }

    /// Returns the directory, to flush what was named in it.
    #[must_use]
    pub fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    /// Returns the archives that there are, newest first; of two with one number the compressed one last.
    ///
    /// # Errors
    /// Those of getdents(2).
    pub fn list(&self) -> io::Result<Vec<Archive>> {
        let mut archives = Vec::new();
        for entry in Dir::read_from(&self.directory)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            let Some(number) = self.number(name.as_bytes()) else { continue };
            // One that is gone by now is no archive.
            let Ok(stat) = Stat::at(&self.directory, name) else { continue };
            if stat.kind == FileType::RegularFile {
                let Stat { id, mtime, allocated_bytes, .. } = stat;
                archives.push(Archive { number, name: name.to_owned(), id, mtime, allocated_bytes });
            }
        }
        Ok(sorted_by_key(archives, |archive| (archive.number, archive.is_compressed())))
    }

    /// Returns the number of an archive of this name.
    fn number(&self, name: &[u8]) -> Option<u32> {
        let rest = name.strip_prefix(self.log.as_bytes())?.strip_prefix(b".")?;
        let digits = rest.strip_suffix(COMPRESSED).unwrap_or(rest);
        let is_canonical = digits.iter().all(u8::is_ascii_digit) && digits.first().is_some_and(|first| *first != b'0');
        is_canonical.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
    }

    fn name(&self, number: u32, suffix: &[u8]) -> OsString {
        let number = number.to_string();
        OsString::from_vec([self.log.as_bytes(), b".", number.as_bytes(), suffix].concat())
    }

    fn draft_name(&self) -> OsString {
        let newest = self.name(1, if self.compress { COMPRESSED } else { b"" });
        OsString::from_vec([b".", newest.as_bytes(), b".tmp"].concat())
    }

    /// Begins an archive: a draft of the log's mode and, where that is permitted, owner. A draft that was left is deleted.
    ///
    /// # Errors
    /// Those of openat(2): the directory cannot be written to.
    pub fn begin(&self, log: Stat) -> io::Result<Draft> {
        self.discard_draft()?;
        let file = self.create(&self.draft_name(), log)?;
        Ok(if self.compress {
            Draft::Gzip(Box::new(GzEncoder::new(file, Compression::new(LEVEL))))
        } else {
            Draft::Plain(file)
        })
    }

    fn create(&self, name: &OsStr, log: Stat) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let created = rustix::fs::openat(&self.directory, name, flags, Mode::RUSR | Mode::WUSR)?;
        let (owner, group) = (Uid::from_raw(log.uid), Gid::from_raw(log.gid));
        let is_owned = rustix::fs::fchown(&created, Some(owner), Some(group)).is_ok()
            || rustix::fs::fchown(&created, None, Some(group)).is_ok();
        // To another group it shows no more than to everybody.
        let mode = if is_owned { log.mode } else { log.mode & !0o070 | (log.mode & 0o007) << 3 };
        rustix::fs::fchmod(&created, Mode::from_raw_mode(mode & 0o666))?;
        Ok(File::from(created))
    }

    /// Says whether there is a draft.
    #[must_use]
    pub fn has_draft(&self) -> bool {
        Stat::at(&self.directory, &self.draft_name()).is_ok()
    }

    /// Deletes the draft, if there is one.
    ///
    /// # Errors
    /// Those of unlinkat(2).
    pub fn discard_draft(&self) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.directory, self.draft_name(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }

    /// Makes the draft the newest archive, and deletes those beyond `keep`, unless somebody uses them.
    ///
    /// # Errors
    /// Those of renameat2(2) and unlinkat(2); called again, it goes on.
    pub fn install(&self, keep: u32, is_in_use: impl Fn(FileId) -> bool) -> io::Result<()> {
        self.make_room()?;
        let suffix: &[u8] = if self.compress { COMPRESSED } else { b"" };
        self.rename(&self.draft_name(), &self.name(1, suffix))?;
        self.delete_beyond(keep, is_in_use)
    }

    /// Opens an archive, if it is still this one.
    ///
    /// # Errors
    /// Those of openat(2); `NotFound` if another one has its name now.
    pub fn open(&self, archive: &Archive) -> io::Result<(OwnedFd, Stat)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.directory, &archive.name, flags, Mode::empty())?;
        let stat = Stat::of(&opened)?;
        if stat.id == archive.id { Ok((opened, stat)) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Gives the log itself the name of the newest archive.
    ///
    /// # Errors
    /// As [`Archives::install`].
    pub fn rename_log(&self, keep: u32, is_in_use: impl Fn(FileId) -> bool) -> io::Result<()> {
        self.make_room()?;
        self.rename(&self.log, &self.name(1, b""))?;
        self.delete_beyond(keep, is_in_use)
    }

    /// Puts the draft, a compressed copy, in the place of an archive that is not compressed.
    ///
    /// # Errors
    /// As [`Archives::install`].
    pub fn replace(&self, archive: &Archive) -> io::Result<()> {
        let compressed = self.name(archive.number, COMPRESSED);
        match self.rename(&self.draft_name(), &compressed) {
            // Killed between the two calls: that is the whole copy, made before.
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => self.discard_draft()?,
            other => other?,
        }
        self.delete(&archive.name)
    }

    /// Moves the archives on, so that number 1 is free. Those behind the first free number stay: a shift that was interrupted
    /// leaves one.
    fn make_room(&self) -> io::Result<()> {
        let archives = self.list()?;
        let is_taken = |number: u32| archives.iter().any(|archive| archive.number == number);
        let free = (1..=u32::MAX).find(|number| !is_taken(*number)).unwrap_or(u32::MAX);
        for archive in archives.iter().rev().filter(|archive| archive.number < free) {
            self.rename(&archive.name, &self.name(archive.number + 1, archive.suffix()))?;
        }
        Ok(())
    }

    fn delete_beyond(&self, keep: u32, is_in_use: impl Fn(FileId) -> bool) -> io::Result<()> {
        for archive in self.list()? {
            if archive.number > keep && !is_in_use(archive.id) {
                self.delete(&archive.name)?;
            }
        }
        Ok(())
    }

    /// Deletes the archives that were written before a time, in nanoseconds since 1970; returns how many.
    ///
    /// # Errors
    /// Those of unlinkat(2).
    pub fn delete_before(&self, time: i64, is_in_use: impl Fn(FileId) -> bool) -> io::Result<u32> {
        let mut deleted = 0;
        for archive in self.list()? {
            if archive.mtime < time && !is_in_use(archive.id) {
                self.delete(&archive.name)?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// Deletes an archive; one that is gone already is no error.
    ///
    /// # Errors
    /// Those of unlinkat(2).
    pub fn delete(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }

    /// Adds bytes to the newest archive, which is made if there is none: compressed, they are a member of their own, which
    /// gzip(1) reads on (RFC 1952, section 2.2).
    ///
    /// # Errors
    /// Those of openat(2) and write(2).
    pub fn append(&self, bytes: &[u8], log: Stat) -> io::Result<()> {
        let name = self.name(1, if self.compress { COMPRESSED } else { b"" });
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.directory, &name, flags, Mode::empty()) {
            Ok(opened) => File::from(opened),
            Err(Errno::NOENT) => self.create(&name, log)?,
            Err(why) => return Err(why.into()),
        };
        let mut draft = if self.compress {
            Draft::Gzip(Box::new(GzEncoder::new(file, Compression::new(LEVEL))))
        } else {
            Draft::Plain(file)
        };
        draft.add(bytes)?;
        draft.finish().map(drop)
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        let at = &self.directory;
        match rustix::fs::renameat_with(at, from, at, to, RenameFlags::NOREPLACE) {
            // A file system that cannot promise it: what stands there was looked at a moment ago.
            Err(Errno::INVAL | Errno::NOSYS) if Stat::at(at, to).is_err() => {
                Ok(rustix::fs::renameat(at, from, at, to)?)
            }
            other => Ok(other?),
        }
    }
}

/// How hard is compressed: log lines become a tenth, and 64 KiB of them take less than a millisecond.
const LEVEL: u32 = 3;

/// An archive that is being written.
#[derive(Debug)]
pub enum Draft {
    /// As it is.
    Plain(File),
    /// Compressed, which takes some 300 KiB of memory.
    Gzip(Box<GzEncoder<File>>),
}

impl Draft {
    /// Adds bytes.
    ///
    /// # Errors
    /// Those of write(2): the disk is full.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
        }
    }

    /// Writes what is left, and returns the file, which is not flushed yet.
    ///
    /// # Errors
    /// As [`Draft::add`].
    pub fn finish(self) -> io::Result<OwnedFd> {
        Ok(match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder.finish()?,
        }
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;
    use std::process::Command;

    fn archives(dir: &Path, compress: bool) -> Archives {
        Archives::new(OwnedFd::from(File::open(dir).expect("a directory")), OsStr::new("app.log"), compress)
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
        all.sort();
        all
    }

    fn make(archives: &Archives, log: Stat, text: &str) {
        let mut draft = archives.begin(log).expect("begun");
        text.as_bytes().chunks(3).for_each(|bytes| draft.add(bytes).expect("added"));
        draft.finish().expect("finished");
    }

    #[test]
    fn the_newest_is_number_one_and_only_so_many_are_kept() {
        for (compress, suffix) in [(true, ".gz"), (false, "")] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let (archives, log) = (archives(dir.path(), compress), log(dir.path()));
            for text in ["one", "two", "three", "four"] {
                make(&archives, log, text);
                archives.install(3, |_| false).expect("installed");
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
        make(&archives, log, "new");
        archives.install(9, |_| false).expect("installed");
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
        let used = Stat::of(File::open(dir.path().join("app.log.1")).expect("there")).expect("statx").id;
        make(&archives, log, "new");
        archives.install(1, |id| id == used).expect("installed");
        assert_eq!(contents(dir.path()), ["app.log.1=new", "app.log.2=somebody's"]);
        archives.install(1, |_| false).expect_err("there is no draft");
    }

    #[test]
    fn only_its_own_archives_are_listed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let archives = archives(dir.path(), true);
        for name in
            ["app.log.1", "app.log.10.gz", "app.log.01", "app.log.0", "app.log.x", "app.log.1.bz2", "xapp.log.1"]
        {
            fs::write(dir.path().join(name), "").expect("written");
        }
        fs::create_dir(dir.path().join("app.log.2")).expect("a directory");
        symlink("app.log.1", dir.path().join("app.log.3")).expect("a link");
        let names: Vec<_> = archives.list().expect("listed").into_iter().map(|archive| archive.name).collect();
        assert_eq!(names, ["app.log.1", "app.log.10.gz"]);
    }

    #[test]
    fn a_link_in_the_drafts_place_is_not_followed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (archives, log) = (archives(dir.path(), true), log(dir.path()));
        fs::write(dir.path().join("precious"), "precious").expect("written");
        symlink("precious", dir.path().join(".app.log.1.gz.tmp")).expect("a link");
        make(&archives, log, "new");
        archives.install(1, |_| false).expect("installed");
        assert_eq!(contents(dir.path()), ["app.log.1.gz=new", "precious=precious"]);
    }

    #[test]
    fn a_second_member_is_read_on() {
        for compress in [true, false] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let (archives, log) = (archives(dir.path(), compress), log(dir.path()));
            archives.append(b"one ", log).expect("made");
            archives.append(b"two", log).expect("appended");
            assert!(contents(dir.path())[0].ends_with("=one two"), "{:?}", contents(dir.path()));
        }
    }

    #[test]
    fn a_compressed_copy_takes_the_place_of_an_archive() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (archives, log) = (archives(dir.path(), true), log(dir.path()));
        fs::write(dir.path().join("app.log.2"), "two").expect("written");
        for _ in 0..2 {
            let archive = archives.list().expect("listed").remove(0);
            make(&archives, log, "two");
            archives.replace(&archive).expect("replaced");
            assert_eq!(contents(dir.path()), ["app.log.2.gz=two"]);
            // Killed before the plain one was deleted.
            fs::write(dir.path().join("app.log.2"), "two").expect("written");
        }
    }
}
