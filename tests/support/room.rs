//! What a log takes of the disk, and what is left of what was written to it: in its archives, and behind the hole that it
//! begins with. Looked at from outside, by `gzip` and `lseek`, never through sidetail's own code.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::bounded::run;
use super::files::{Directory, copy_program, directory};
use super::program::Program;
use super::rotator::{App, LINE_BYTES, difference};

/// What the test's file systems have, and most others.
pub const BLOCK_BYTES: usize = 4096;

/// A block, and one more for what was written since.
pub const LITTLE: u64 = 8192;

/// How much of what was streamed stays at least: whoever comes back knows the file by it.
const MARKER_BYTES: usize = 128;

/// How much is written at a time: more is streamed in the meantime, so that no file grows far beyond its size.
const PORTION_LINES: usize = (32 << 10) / LINE_BYTES;

/// No archive of these sizes takes longer.
const GZIP_DEADLINE: Duration = Duration::from_secs(20);

/// Whom the image runs sidetail as.
pub const ANOTHER_USER: u32 = 65532;

/// Returns what the file takes of its volume, in bytes; nothing if it is not there.
pub fn allocated(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |metadata| metadata.blocks() * 512)
}

/// Returns how long the file seems to be, in bytes.
pub fn size(path: &Path) -> u64 {
    fs::metadata(path).expect("the file is there").len()
}

/// Returns what a directory and all that is beneath it take, without the directories themselves: what the kubelet counts,
/// but for a few blocks.
pub fn allocated_beneath(directory: &Path) -> u64 {
    // What is renamed or removed meanwhile is not counted.
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.map(|path| if path.is_dir() { allocated_beneath(&path) } else { allocated(&path) }).sum()
}

/// Returns how much is reclaimed of a file of which so much is streamed when all goes that can: whole blocks, not those
/// with the marker.
pub fn most(streamed_bytes: usize) -> usize {
    streamed_bytes.saturating_sub(MARKER_BYTES) / BLOCK_BYTES * BLOCK_BYTES
}

/// Returns the live file from its first kept byte on; no line of the tests' has NULs.
pub fn left(path: &Path) -> String {
    let mut file = File::open(path).expect("the log is there");
    let Ok(data) = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(0)) else { return String::new() };
    file.seek(SeekFrom::Start(data)).expect("a regular file");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("readable");
    String::from_utf8_lossy(&bytes).trim_start_matches('\0').to_owned()
}

/// Returns the paths of a log's archives and of what is called like them, the oldest first.
pub fn archives(path: &Path) -> Vec<PathBuf> {
    numbered(path, "")
}

/// Returns those of the archives that have names of their own, because others are called as they would be.
pub fn archives_apart(path: &Path) -> Vec<PathBuf> {
    numbered(path, ".sidetail")
}

fn numbered(path: &Path, infix: &str) -> Vec<PathBuf> {
    let name = path.file_name().expect("a name").to_str().expect("UTF-8").to_owned() + infix + ".";
    let number = |entry: &str| -> Option<u32> {
        let rest = entry.strip_prefix(&name)?;
        rest.strip_suffix(".gz").unwrap_or(rest).parse().ok()
    };
    let entries = fs::read_dir(path.parent().expect("a directory")).expect("the directory");
    let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"));
    let mut found: Vec<_> = names.filter_map(|entry| Some((number(&entry)?, path.with_file_name(&entry)))).collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// Returns what one archive holds; one that is damaged fails the test.
#[track_caller]
pub fn unpacked(archive: &Path) -> String {
    if archive.extension().is_some_and(|extension| extension == "gz") {
        run(Command::new("gzip").arg("-dc").arg(archive), GZIP_DEADLINE).unwrap_or_else(|failure| panic!("{failure}"))
    } else {
        fs::read_to_string(archive).expect("a readable archive")
    }
}

/// Returns what is in a log's archives, oldest first, and then in what is left of the log.
#[track_caller]
pub fn held(path: &Path) -> String {
    archives(path).iter().map(|archive| unpacked(archive)).collect::<String>() + &left(path)
}

/// Holds a log to its promise: its archives, oldest first, and what is left of it are what was written, every byte once.
#[track_caller]
pub fn holds_all(path: &Path, written: &str) {
    if let Some(difference) = difference(written, &held(path)) {
        let names: Vec<_> = archives(path).iter().map(|path| path.file_name().map(ToOwned::to_owned)).collect();
        panic!("in {names:?} and the live file {difference}");
    }
}

/// Writes so many lines in portions, each when the one before is streamed and the file takes no more than `limit` again.
#[track_caller]
pub fn flood(app: &mut App, program: &Program, lines: usize, limit: u64) {
    for start in (0..lines).step_by(PORTION_LINES) {
        app.lines(PORTION_LINES.min(lines - start));
        let length = app.written().len();
        program.expect(|| program.stdout_bytes() >= length, "the portion to be streamed");
        program.expect(|| allocated(app.path()) <= limit, "the file to be small again");
    }
}

/// Makes a file longer without writing, and then writes at its end, as an application did that has run for years.
pub fn after_a_hole(path: &Path, hole_bytes: u64, text: &str) {
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(path).expect("a writable file");
    file.write_all_at(text.as_bytes(), hole_bytes).expect("written");
}

/// Sets the permissions of a file or a directory.
pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
}

/// Sidetail as another user: its binary is where that user may execute it.
pub struct AnotherUser {
    bin: Directory,
}

impl AnotherUser {
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn new() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root can start it as another user".to_owned());
        }
        let bin = directory();
        copy_program(Path::new(env!("CARGO_BIN_EXE_sidetail")), &bin.path().join("sidetail"));
        for path in [bin.path().parent().expect("above it"), bin.path(), &bin.path().join("sidetail")] {
            set_mode(path, 0o755);
        }
        Ok(Self { bin })
    }

    /// Returns its command, in this group, and in no other.
    pub fn command(&self, group: u32) -> Command {
        let mut command = Command::new(self.bin.path().join("sidetail"));
        command.uid(ANOTHER_USER).gid(group).current_dir("/");
        command
    }

    /// Starts it on the `*.log` files of a directory, in this group, and in no other.
    pub fn on(&self, directory: &Path, group: u32, variables: &[(&str, &str)]) -> Program {
        let launcher = self.command(group);
        let paths = format!("{}/*.log", directory.display());
        Program::launch(launcher, &[&[("PATHS", paths.as_str())], variables].concat())
    }
}

#[test]
fn what_is_lost_or_repeated_in_archives_is_seen() {
    let dir = directory();
    let path = dir.path().join("app.log");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
    after_a_hole(&path, 8192, "four\n");
    for (number, text) in [("10", "one\n"), ("9", "two\n"), ("1", "three\n")] {
        write(&format!("app.log.{number}"), text);
    }
    holds_all(&path, "one\ntwo\nthree\nfour\n");
    for wrong in ["one\ntwo\nfour\n", "one\ntwo\nthree\nthree\nfour\n", "two\none\nthree\nfour\n", ""] {
        std::panic::catch_unwind(|| holds_all(&path, wrong)).expect_err("another text was taken for it");
    }
    write("app.log.1.gz", "no gzip at all");
    std::panic::catch_unwind(|| holds_all(&path, "one\ntwo\nthree\nfour\n")).expect_err("a damaged archive");
}
