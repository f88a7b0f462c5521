//! One file's slot in the checkpoint: a checksum and a JSON object on a line, of a fixed length.
//!
//! Keys that are not known here are kept as they are, so that a later version may add its own and an earlier one does not
//! lose them.

use std::borrow::Cow;
use std::io::Write as _;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::entry::{Entry, Known, KnownFile, Slot, Unknown, path_sum};
use crate::disk::policy::Intent;
use crate::output::rules::{Route, Stream};
use crate::paths::beneath::FileId;
use crate::read::position::{Digest, Position};
use crate::read::waypoints::{Waypoint, Waypoints};

/// The size of a slot, in bytes: a page holds a whole number of them.
pub(super) const SLOT_BYTES: usize = 1024;

/// How much of a path is kept, in characters: an escaped character takes up to six bytes of its slot.
const PATH_CHARS_MAX: usize = 16;

/// The checksum before an object, in hexadecimal digits, and a blank.
const SUM_BYTES: usize = 17;

/// A slot's contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SlotContents<'a> {
    path: Cow<'a, str>,
    at: u64,
    since: i64,
    dev: u64,
    ino: u64,
    btime: i64,
    offset: u64,
    marker: (u64, u64),
    head: (u64, u64),
    /// 0, or within a line that goes to stdout (1), to stderr (2), nowhere (3).
    line: u8,
    /// The same of the last record.
    #[serde(default)]
    record: u8,
    #[serde(default)]
    kept: u64,
    #[serde(default)]
    was: (u64, u64),
    /// Nothing (0), a collapse of so many bytes (1), an archive up to this offset (2), and which file that is.
    #[serde(default)]
    intent: (u8, u64, u64),
    /// Ends of reads, the earliest first: the offset, and the hash of the bytes before it.
    #[serde(default)]
    ways: Ways<'a>,
    /// Whatever else there is.
    #[serde(flatten)]
    unknown: Cow<'a, Unknown>,
}

/// Waypoints as pairs of numbers; written without an allocation, because that is done after each read.
#[derive(Debug, Clone, Default)]
struct Ways<'a>(Cow<'a, [Waypoint]>);

impl Serialize for Ways<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|one| (one.offset, one.hash)))
    }
}

impl<'de> Deserialize<'de> for Ways<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<(u64, u64)>::deserialize(deserializer)?;
        Ok(Self(pairs.into_iter().map(|(offset, hash)| Waypoint { offset, hash }).collect()))
    }
}

/// The routes in the order of their numbers in [`SlotContents::line`] and [`SlotContents::record`].
const ROUTES: [Option<Route>; 4] =
    [None, Some(Route::To(Stream::Stdout)), Some(Route::To(Stream::Stderr)), Some(Route::Drop)];

impl<'a> SlotContents<'a> {
    pub(super) fn new(entry: Entry<'a>) -> Self {
        let Entry { path, since, id, position, line_route, record_route, kept, intent, waypoints, unknown } = entry;
        let number = |of| ROUTES.iter().position(|route| *route == of).map_or(0, |index| index as u8);
        let at = path_sum(path);
        Self {
            path: end_of(path.to_string_lossy()),
            at,
            since,
            dev: id.dev,
            ino: id.ino,
            btime: id.btime,
            offset: position.offset,
            marker: (position.marker.bytes, position.marker.hash),
            head: (position.head.bytes, position.head.hash),
            line: number(line_route),
            record: number(record_route),
            kept,
            was: (position.head_before.bytes, position.head_before.hash),
            intent: match intent {
                Intent::None => (0, 0, 0),
                Intent::Collapse(bytes) => (1, bytes, 0),
                Intent::Archive { end, id } => (2, end, id),
            },
            ways: Ways(Cow::Borrowed(waypoints)),
            unknown: unknown.map_or_else(|| Cow::Owned(Unknown::new()), Cow::Borrowed),
        }
    }

    /// Returns what is known from it; `slot` is where it stands, if that is this process's to write.
    fn known(self, slot: Option<Slot>) -> KnownFile {
        let route = |number: u8| ROUTES.get(usize::from(number)).copied().flatten();
        let (line_route, record_route) = (route(self.line), route(self.record));
        let intent = match self.intent {
            (1, bytes, _) => Intent::Collapse(bytes),
            (2, end, id) => Intent::Archive { end, id },
            _ => Intent::None,
        };
        KnownFile {
            slot,
            at: self.at,
            position: self.position(),
            line_route,
            record_route,
            kept: self.kept,
            intent,
            waypoints: Waypoints::kept(self.ways.0.iter().copied()),
            unknown: Some(self.unknown.into_owned()).filter(|unknown| !unknown.is_empty()).map(Box::new),
        }
    }

    /// Adds what it says to what is known.
    pub(super) fn add_to(self, known: &mut Known, slot: Option<Slot>) {
        let (id, since) = (self.id(), self.since);
        known.add(id, since, self.known(slot));
    }

    /// Returns which file it is.
    fn id(&self) -> FileId {
        FileId { dev: self.dev, ino: self.ino, btime: self.btime }
    }

    fn position(&self) -> Position {
        let digest = |(bytes, hash): (u64, u64)| Digest { bytes, hash };
        let (head, head_before) = (digest(self.head), digest(self.was));
        Position { offset: self.offset, marker: digest(self.marker), head, head_before }
    }

    /// Returns the slot's line: the checksum of the object, the object, blanks, a newline.
    ///
    /// What does not fit is left out: the earliest waypoints first, then what is not known.
    pub(super) fn line(mut self) -> [u8; SLOT_BYTES] {
        loop {
            if let Some(line) = self.fitting() {
                return line;
            }
            match self.ways.0.to_mut() {
                ways if ways.is_empty() => self.unknown = Cow::Owned(Unknown::new()),
                ways => drop(ways.remove(0)),
            }
        }
    }

    /// Returns the line, if it fits; without waypoints and unknown keys it does, with the largest numbers and the longest path.
    fn fitting(&self) -> Option<[u8; SLOT_BYTES]> {
        let mut line = blank();
        let (sum, object) = line[..SLOT_BYTES - 1].split_at_mut(SUM_BYTES);
        let room = object.len();
        let mut rest = &mut object[..];
        serde_json::to_writer(&mut rest, self).ok()?;
        let bytes = room - rest.len();
        write!(&mut sum[..], "{:016x} ", Digest::of(&object[..bytes]).hash).expect("sixteen digits and a blank");
        Some(line)
    }

    /// Returns the record of a line, or `None` if it is damaged.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?.trim_end();
        let (sum, json) = text.split_once(' ')?;
        let sum = u64::from_str_radix(sum, 16).ok()?;
        if sum != Digest::of(json.as_bytes()).hash {
            return None;
        }
        serde_json::from_str(json).ok()
    }
}

/// Returns the end of a path, as much as a slot keeps of it.
fn end_of(path: Cow<'_, str>) -> Cow<'_, str> {
    let (start, _) = path.char_indices().rev().nth(PATH_CHARS_MAX - 1).unwrap_or((0, ' '));
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(&path[start..]),
        Cow::Owned(path) => Cow::Owned(path[start..].to_owned()),
    }
}

/// Returns a slot that nothing is in.
pub(super) fn blank() -> [u8; SLOT_BYTES] {
    let mut line = [b' '; SLOT_BYTES];
    line[SLOT_BYTES - 1] = b'\n';
    line
}
