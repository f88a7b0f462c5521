//! What the checkpoint keeps of a file, and what a later process knows from it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Map, Value};

use crate::disk::policy::Intent;
use crate::output::rules::Route;
use crate::paths::beneath::FileId;
use crate::read::position::{Digest, Position};
use crate::read::proof::Trail;
use crate::read::waypoints::{Waypoint, Waypoints};

/// The number of a slot; 0 is the header.
pub(crate) type Slot = u32;

/// Keys of a slot that this version does not know: they are kept as they are.
pub(crate) type Unknown = Map<String, Value>;

/// What is kept of one file.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The path that it was first followed at.
    pub path: &'a Path,
    /// Files that were once at this path are done with if they were born before this time; nanoseconds since 1970.
    pub since: i64,
    /// Which file it is.
    pub id: FileId,
    /// How far it has been streamed.
    pub position: Position,
    /// Where a line goes that was streamed in part.
    pub line_route: Option<Route>,
    /// Where the last record went, which the next line may continue.
    pub record_route: Option<Route>,
    /// The first byte that was not reclaimed.
    pub kept: u64,
    /// What is about to be done to it.
    pub intent: Intent,
    /// Ends of earlier reads.
    pub waypoints: &'a [Waypoint],
    /// What a later version keeps of it.
    pub unknown: Option<&'a Unknown>,
}

/// What is known of a file from an earlier process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Its slot; `None` if it is known from another checkpoint.
    pub slot: Option<Slot>,
    /// The checksum of the path that it was first followed at.
    pub(crate) at: u64,
    /// Files that were once at that path are done with if they were born before this time; nanoseconds since 1970.
    pub(crate) since: i64,
    /// The end of that path, for people.
    pub(crate) path_end: Box<str>,
    /// How far it had been streamed.
    pub position: Position,
    /// Where a line goes that was streamed in part.
    pub line_route: Option<Route>,
    /// Where the last record went, which the next line may continue.
    pub record_route: Option<Route>,
    /// The first byte that was not reclaimed.
    pub kept: u64,
    /// What was about to be done to it.
    pub intent: Intent,
    /// Ends of reads.
    pub waypoints: Waypoints,
    /// What a later version kept of it.
    pub unknown: Option<Box<Unknown>>,
}

impl KnownFile {
    /// Returns how far it had been streamed, and what is known of its bytes up to there.
    #[must_use]
    pub(crate) fn trail(&self) -> Trail {
        Trail { position: self.position, waypoints: self.waypoints.clone() }
    }

    /// Returns the name that it was first followed under, as far as that is UTF-8; `None` if it is too long to be kept.
    pub(crate) fn name(&self) -> Option<&str> {
        self.path_end.rsplit_once('/').map(|(_, name)| name)
    }

    /// Returns whether it was first followed under this name.
    pub(crate) fn is_named(&self, name: &OsStr) -> bool {
        self.name().is_some_and(|known| *known == *name.to_string_lossy())
    }
}

/// Returns the checksum that stands for a path in [`Known::since`](super::known::Known::since).
#[must_use]
pub fn path_sum(path: &Path) -> u64 {
    Digest::of(path.as_os_str().as_bytes()).hash
}
