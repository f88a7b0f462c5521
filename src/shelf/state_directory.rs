//! The directory that the checkpoint is in: opened, made, and looked at whether it is ours.
//!
//! Beside the logs an application could have made it first, or put its own in the place of ours. What is in such a one is not
//! believed: its checkpoint could have us pass over lines, and reclaim what nobody has streamed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::Path;

use rustix::fs::{FileType, Mode};

use crate::paths::beneath::{Links, Stat};
use crate::paths::discover::is_missing;
use crate::paths::open_directory::OpenDirectory;
use crate::paths::roots::Roots;

/// The name of the directory beside the logs.
pub(crate) const DIRECTORY: &str = ".sidetail";

/// Why a directory or a file is not used for state.
#[derive(Debug)]
pub(crate) struct NotOurs;

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not sidetail's own, so others may have written to it")
    }
}

impl std::error::Error for NotOurs {}

impl From<NotOurs> for io::Error {
    fn from(not_ours: NotOurs) -> Self {
        Self::other(not_ours)
    }
}

/// Returns whether a file of state is ours alone: a regular one with no other name, of our effective user, not writable for all. Its
/// group may: an `fsGroup` lets it at each mount of a claim.
pub(crate) fn is_our_file(stat: &Stat) -> bool {
    stat.kind == FileType::RegularFile && stat.links == 1 && is_our_own(stat)
}

fn is_our_own(stat: &Stat) -> bool {
    stat.uid == rustix::process::geteuid().as_raw() && stat.mode & 0o002 == 0
}

/// Opens the directory at a path; one beside logs must be ours, a directory of the user's choice may be whosever it is.
///
/// # Errors
/// Those of open(2), and [`NotOurs`].
pub(crate) fn open(path: &Path, links: Links, is_beside_logs: bool) -> io::Result<OpenDirectory> {
    if !is_beside_logs {
        return directory_at(path, Links::Inside);
    }
    let logs = directory_at(path.parent().unwrap_or(path), links)?;
    own(&logs, path.file_name().unwrap_or(OsStr::new(DIRECTORY)))
}

/// The same, and makes it if it is not there; beside logs that are not there it does not.
///
/// # Errors
/// As [`open`], and those of mkdir(2).
pub(super) fn open_or_make(path: &Path, links: Links, is_beside_logs: bool) -> io::Result<OpenDirectory> {
    let mode = Mode::from_raw_mode(0o755);
    if is_beside_logs {
        let name = path.file_name().unwrap_or(OsStr::new(DIRECTORY));
        let logs = directory_at(path.parent().unwrap_or(path), links)?;
        logs.make_directory(name, mode)?;
        return own(&logs, name);
    }
    let mut missing: Vec<OsString> = Vec::new();
    for above in path.ancestors() {
        match (directory_at(above, Links::Inside), above.file_name()) {
            (Err(why), Some(name)) if is_missing(&why) => missing.push(name.to_owned()),
            (opened, _) => {
                return missing.iter().rev().try_fold(opened?, |at, name| {
                    at.make_directory(name, mode)?;
                    at.directory(name)
                });
            }
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Opens the directory beside the logs, in a directory or above it, that is ours: where all processes of ours that rotate it meet,
/// wherever they keep their state. Of several the topmost.
pub(crate) fn above(directory: &Path, links: Links) -> Option<OpenDirectory> {
    let above: Vec<&Path> = directory.ancestors().collect();
    above.into_iter().rev().find_map(|above| open(&above.join(DIRECTORY), links, true).ok())
}

fn own(logs: &OpenDirectory, name: &OsStr) -> io::Result<OpenDirectory> {
    let is_ours = |stat: Stat| stat.kind == FileType::Directory && is_our_own(&stat);
    if !is_ours(logs.stat(name)?) {
        return Err(NotOurs.into());
    }
    let opened = logs.directory(name)?;
    if is_ours(Stat::of(opened.descriptor())?) { Ok(opened) } else { Err(NotOurs.into()) }
}

/// Opens a directory, to find and make names in it: that it may not be listed does not matter.
fn directory_at(path: &Path, links: Links) -> io::Result<OpenDirectory> {
    Ok(OpenDirectory::new(Roots::new(links).open(path)?.descriptor().try_clone()?))
}
