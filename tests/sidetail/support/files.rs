//! What an application does to its log files.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// A directory of the test's own, removed at its end.
pub fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Opens for appending, writes, closes: `echo >>`.
pub fn append(path: &Path, bytes: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("a writable file");
    file.write_all(bytes.as_ref()).expect("written");
}
