//! What is beside the volume, and reachable from it by links only.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Stands in every line outside, and in the environment of the program: it must never come out.
pub const SECRET: &str = "TOKEN-of-somebody-else";

/// The one file outside that gets names within the volume: what is under them is the application's to have streamed.
pub const SHARED: &str = "shared.log";

/// More than a rotation would leave alone.
const LINES: usize = 4000;

/// Everything that there is of a tree but for times of access.
#[derive(Debug, PartialEq, Eq)]
pub struct Outside {
    root: PathBuf,
    found: BTreeMap<PathBuf, Entry>,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    ino: u64,
    mode: u32,
    owner: (u32, u32),
    size: u64,
    blocks: u64,
    changed: (i64, i64),
    bytes: Vec<u8>,
}

impl Outside {
    /// Makes a tree of files that an attacker would like to see, or to see destroyed.
    pub fn make(root: &Path) -> Self {
        for directory in ["", "more", "more/deep", ".sidetail"] {
            fs::create_dir_all(root.join(directory)).expect("a directory");
        }
        let secret = format!("INFO {SECRET}\n").repeat(LINES);
        for name in ["secret.log", "a.log", "app.log", "more/a.log", "more/deep/b.log", "token", ".sidetail/a.log"] {
            fs::write(root.join(name), &secret).expect("written");
        }
        fs::write(root.join(SHARED), "INFO shared with the application\n".repeat(LINES)).expect("written");
        Self::look(root)
    }

    fn look(root: &Path) -> Self {
        let mut found = BTreeMap::new();
        let mut left = vec![root.to_owned()];
        while let Some(path) = left.pop() {
            let metadata = fs::symlink_metadata(&path).expect("there");
            if metadata.is_dir() {
                left.extend(fs::read_dir(&path).expect("readable").map(|entry| entry.expect("readable").path()));
            }
            let entry = Entry {
                ino: metadata.ino(),
                mode: metadata.mode(),
                owner: (metadata.uid(), metadata.gid()),
                size: metadata.size(),
                blocks: metadata.blocks(),
                changed: (metadata.mtime(), metadata.mtime_nsec()),
                bytes: if metadata.is_file() { fs::read(&path).expect("readable") } else { Vec::new() },
            };
            found.insert(path, entry);
        }
        Self { root: root.to_owned(), found }
    }

    /// Says which paths are not as they were.
    pub fn check(&self) -> Result<(), String> {
        let now = Self::look(&self.root);
        let paths = self.found.keys().chain(now.found.keys());
        let changed: Vec<_> = paths.filter(|path| self.found.get(*path) != now.found.get(*path)).collect();
        if changed.is_empty() { Ok(()) } else { Err(format!("changed outside the volume: {changed:?}")) }
    }
}

/// Says whether a line is one from outside.
pub fn is_secret(line: &[u8]) -> bool {
    memchr::memmem::find(line, SECRET.as_bytes()).is_some()
}

/// A name as bytes, for messages.
pub fn shown(path: &Path) -> String {
    path.as_os_str().as_bytes().escape_ascii().to_string()
}

#[test]
fn each_change_outside_is_seen() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let before = Outside::make(dir.path());
    before.check().expect("nothing has changed");
    fs::write(dir.path().join("more/new"), "").expect("written");
    assert!(before.check().expect_err("a new file").contains("more/new"));
    fs::remove_file(dir.path().join("more/new")).expect("removed");
    let before = Outside::look(dir.path());
    fs::write(dir.path().join("token"), format!("info {SECRET}\n").repeat(LINES)).expect("written");
    assert!(before.check().expect_err("other bytes").contains("token"));
    assert!(is_secret(format!("[x] {SECRET}").as_bytes()) && !is_secret(b"INFO"));
}
