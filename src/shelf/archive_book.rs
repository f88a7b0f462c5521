//! Which archives are ours, kept beside the checkpoint: an application may have files of the same names, and those are not taken
//! for archives, renamed or deleted.
//!
//! A line for each archive, `+` and its identity, before it gets its name; `-` once it is gone. Whatever is missing in the file is
//! nobody's: it stays where it is, and archives get names that nobody else uses.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write as _};

use rustix::fs::{Mode, OFlags};

use super::state_directory::is_our_file;
use crate::disk::own_ids::OwnIds;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::open_directory::OpenDirectory;

/// What the file's name ends with, behind that of the checkpoint.
const SUFFIX: &str = ".archives";

/// How many such files are read, at most: those of other patterns are, too.
const BOOKS_MAX: usize = 16;

/// How much of one is read, at most, in bytes.
const BYTES_MAX: u64 = 2 << 20;

/// How long a line is, without its end, and how much is taken for one at a time, in bytes.
const LINE_BYTES: usize = 17;
const LINE_BYTES_MAX: u64 = 4096;

/// So many lines more than archives are written before the file is written anew.
const LINES_SPARE: usize = 1024;

/// The archives that are ours, and how long the file is that says so.
#[derive(Debug, Default)]
pub(super) struct ArchiveBook {
    name: String,
    own: OwnIds,
    lines: usize,
    is_read: bool,
}

impl ArchiveBook {
    /// Names the file of a checkpoint of this name; it is read when that is asked for.
    pub(super) fn new(checkpoint: &str) -> Self {
        Self { name: format!("{checkpoint}{SUFFIX}"), ..Self::default() }
    }

    /// Returns the archives that are ours, as far as the files in a directory say, which are read once.
    pub(super) fn own(&mut self, directory: io::Result<OpenDirectory>) -> OwnIds {
        if !self.is_read
            && let Ok(directory) = directory
        {
            self.is_read = true;
            self.lines = read_all(&directory, OsStr::new(&self.name), &self.own);
        }
        self.own.clone()
    }

    /// Notes that a file becomes an archive of ours; says whether that is noted.
    pub(super) fn note(&mut self, directory: io::Result<OpenDirectory>, id: FileId) -> bool {
        if self.own.has(id) {
            return true;
        }
        let is_noted =
            self.own.add(id.sum()) && directory.is_ok_and(|directory| self.write(&directory, id.sum()).is_ok());
        if !is_noted {
            self.own.forget(id.sum());
        }
        is_noted
    }

    /// Writes all of it again: the file is gone.
    pub(super) fn renew(&mut self, directory: io::Result<OpenDirectory>) {
        // What cannot be written now is with the next archive.
        self.lines = usize::MAX;
        if !self.own.all().is_empty() {
            let _ = directory.and_then(|directory| self.write_anew(&directory));
        }
    }

    fn write(&mut self, directory: &OpenDirectory, sum: u64) -> io::Result<()> {
        let gone = self.own.take_gone();
        if self.lines >= 2 * self.own.all().len() + LINES_SPARE {
            return self.write_anew(directory);
        }
        let lines = lines_of('-', &gone) + &lines_of('+', &[sum]);
        let (file, stat) = directory.open_or_create(OsStr::new(&self.name), OFlags::WRONLY | OFlags::APPEND, MODE)?;
        if !is_our_file(&stat) {
            return self.write_anew(directory);
        }
        File::from(file).write_all(lines.as_bytes())?;
        self.lines += gone.len() + 1;
        Ok(())
    }

    fn write_anew(&mut self, directory: &OpenDirectory) -> io::Result<()> {
        let (sums, draft) = (self.own.all(), OsString::from(format!("{}.tmp", self.name)));
        directory.delete(&draft)?;
        File::from(directory.create_new(&draft, OFlags::WRONLY, MODE)?).write_all(lines_of('+', &sums).as_bytes())?;
        directory.replace(&draft, OsStr::new(&self.name))?;
        self.lines = sums.len();
        Ok(())
    }
}

/// The mode of the file.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Every line begins and ends with a newline, so that half a line, which a full disk leaves, spoils no other.
fn lines_of(sign: char, sums: &[u64]) -> String {
    sums.iter().fold(String::new(), |mut lines, sum| {
        // Writing to a string cannot fail.
        let _ = write!(lines, "\n{sign}{sum:016x}\n");
        lines
    })
}

/// Adds what all such files in the directory say; returns how many lines the one of this name has.
fn read_all(directory: &OpenDirectory, own_name: &OsStr, own: &OwnIds) -> usize {
    let is_book = |name: &OsString| name.as_encoded_bytes().ends_with(SUFFIX.as_bytes());
    let names = directory.names().into_iter().flatten().map(|(name, ..)| name).filter(is_book);
    let others = names.filter(|name| name != own_name).take(BOOKS_MAX);
    let mut lines = 0;
    for name in others.chain([own_name.to_owned()]) {
        lines = read_one(directory, &name, own).unwrap_or(0);
    }
    lines
}

fn read_one(directory: &OpenDirectory, name: &OsStr, own: &OwnIds) -> io::Result<usize> {
    let (file, stat): (_, Stat) = directory.open(name, OFlags::RDONLY)?;
    if !is_our_file(&stat) {
        return Ok(0);
    }
    let mut reader = BufReader::new(File::from(file).take(BYTES_MAX));
    let (mut line, mut count) = (Vec::new(), 0);
    // What is longer than a line of ours is none, and is read in pieces.
    while (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? > 0 {
        let ours = Some(line.strip_suffix(b"\n").unwrap_or(&line)).filter(|line| line.len() == LINE_BYTES);
        let parts = ours.and_then(|line| std::str::from_utf8(line).ok()?.split_at_checked(1));
        if let Some((sign, Ok(sum))) = parts.map(|(sign, digits)| (sign, u64::from_str_radix(digits, 16))) {
            count += 1;
            match sign {
                "+" => _ = own.add(sum),
                "-" => own.forget(sum),
                _ => {}
            }
        }
        line.clear();
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn id(ino: u64) -> FileId {
        FileId { dev: 1, ino, btime: 0 }
    }

    fn opened(state: &Path) -> io::Result<OpenDirectory> {
        Ok(OpenDirectory::new(File::open(state)?.into()))
    }

    /// A book with three archives in it, and one that is gone.
    fn first(state: &Path) -> ArchiveBook {
        let mut book = ArchiveBook::new("one");
        assert!([1, 2, 3].into_iter().all(|ino| book.note(opened(state), id(ino))));
        book.own(opened(state)).remove(id(2));
        assert!(book.note(opened(state), id(4)));
        book
    }

    #[track_caller]
    fn check(state: &Path, name: &str, expected: [bool; 5]) {
        let own = ArchiveBook::new(name).own(opened(state));
        assert_eq!([1, 2, 3, 4, 5].map(|ino| own.has(id(ino))), expected, "{name}");
    }

    #[test]
    fn what_was_noted_is_known_after_a_restart_and_to_other_patterns() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        first(dir.path());
        check(dir.path(), "one", [true, false, true, true, false]);
        check(dir.path(), "two", [true, false, true, true, false]);
        let path = dir.path().join("one.archives");
        fs::write(&path, [b"half a line, \xff", &*fs::read(&path).expect("there")].concat()).expect("written");
        check(dir.path(), "one", [true, false, true, true, false]);
    }

    #[test]
    fn one_that_is_gone_is_written_again() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut book = first(dir.path());
        fs::remove_file(dir.path().join("one.archives")).expect("there");
        book.renew(opened(dir.path()));
        check(dir.path(), "one", [true, false, true, true, false]);
    }

    #[test]
    fn the_file_does_not_grow_with_archives_that_are_gone() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut book = ArchiveBook::new("one");
        for ino in 1..10_000 {
            assert!(book.note(opened(dir.path()), id(ino)));
            book.own(opened(dir.path())).remove(id(ino.saturating_sub(3)));
        }
        let bytes = fs::metadata(dir.path().join("one.archives")).expect("there").len();
        assert!(bytes < 40_000, "{bytes} bytes");
    }

    #[test]
    fn one_that_is_not_ours_alone_is_not_believed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        first(dir.path());
        fs::hard_link(dir.path().join("one.archives"), dir.path().join("another")).expect("linked");
        check(dir.path(), "one", [false; 5]);
    }
}
