//! What is in a directory.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::paths::beneath::Stat;

/// Returns what is in a directory, not what is beneath that, and no link's target.
///
/// # Errors
/// Those of open(2) and getdents(2).
pub(super) fn entries(directory: &Path) -> io::Result<Vec<(OsString, Stat)>> {
    let opened = std::fs::File::open(directory)?;
    let names = std::fs::read_dir(directory)?.filter_map(Result::ok).map(|entry| entry.file_name());
    Ok(names.filter_map(|name| Stat::at(&opened, &name).ok().map(|stat| (name, stat))).collect())
}
