//! What the checkpoint keeps of a file, and what a later process knows from it.

use std::collections::HashMap;
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
}

/// Returns the checksum that stands for a path in [`Known::since`].
#[must_use]
pub fn path_sum(path: &Path) -> u64 {
    Digest::of(path.as_os_str().as_bytes()).hash
}

/// Of how many devices files are known under another number.
const DEVICES_MAX: usize = 16;

/// What an earlier process left.
#[derive(Debug, Default)]
pub struct Known {
    /// How far each file had been streamed.
    pub files: HashMap<FileId, KnownFile>,
    /// Of each path's checksum: the birth time before which its rotated files are done with; see [`Entry::since`].
    pub since: HashMap<u64, i64>,
    /// Whether there was no checkpoint at all.
    pub is_first_start: bool,
    /// When the checkpoint was last written, in nanoseconds since 1970: no file that was born later had been seen. 0 if there
    /// was none that could be read.
    pub(crate) last_written: i64,
    /// The devices of the files, each once, some of them.
    pub(crate) devices: Vec<u64>,
}

impl Known {
    /// Returns the files that have the same inode and birth time as one on another device: a volume that is mounted again may
    /// have another device number.
    pub(crate) fn on_other_devices(&self, id: FileId) -> impl Iterator<Item = (FileId, &KnownFile)> {
        let others = self.devices.iter().filter(move |device| **device != id.dev);
        others.filter_map(move |dev| {
            let other = FileId { dev: *dev, ..id };
            self.files.get(&other).map(|file| (other, file))
        })
    }

    /// Adds what a file's slot says; of what is known already the later word counts.
    pub(super) fn add(&mut self, id: FileId, since: i64, file: KnownFile) {
        let known = self.since.entry(file.at).or_insert(since);
        *known = since.max(*known);
        if !self.devices.contains(&id.dev) && self.devices.len() < DEVICES_MAX {
            self.devices.push(id.dev);
        }
        self.files.insert(id, file);
    }
}
