//! What an application does to its log files.

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Deref;
use std::path::Path;

/// A directory of the test's own, removed at its end.
///
/// It is one level below the temporary directory: sidetail watches which names there are above what it follows, and in the
/// temporary directory others make and delete theirs all the time.
pub struct Directory {
    // Removed in this order.
    itself: tempfile::TempDir,
    _above: tempfile::TempDir,
}

impl Deref for Directory {
    type Target = tempfile::TempDir;

    fn deref(&self) -> &Self::Target {
        &self.itself
    }
}

/// Makes a directory.
pub fn directory() -> Directory {
    let above = tempfile::tempdir().expect("a temporary directory");
    let itself = tempfile::tempdir_in(above.path()).expect("a directory in it");
    Directory { itself, _above: above }
}

/// Opens for appending, writes, closes: `echo >>`.
pub fn append(path: &Path, bytes: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("a writable file");
    file.write_all(bytes.as_ref()).expect("written");
}
