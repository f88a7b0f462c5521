//! One file's slot in the checkpoint: a checksum and a JSON object on a line, of a fixed length.
//!
//! Keys that are not known here are kept as they are, so that a later version may add its own and an earlier one does not
//! lose them.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use super::entry::{Entry, KnownFile, Slot, Unknown, path_sum};
use super::pen::{Pen, hex_of, number_of};
use crate::disk::policy::Intent;
use crate::output::rules::{Route, Stream};
use crate::paths::beneath::FileId;
use crate::read::position::{Digest, Position};
use crate::read::waypoints::{Waypoint, Waypoints};

/// The size of a slot, in bytes: a page holds a whole number of them.
pub(super) const SLOT_BYTES: usize = 1024;

/// How much of a path is kept, in characters: an escaped character takes up to six bytes of its slot.
const PATH_CHARS_MAX: usize = 16;

/// The checksum before an object, in hexadecimal digits; a blank follows.
const SUM_BYTES: usize = 16;

/// How many hexadecimal digits a waypoint takes.
const WAY_BYTES: usize = 32;

/// What stands before and behind them.
const WAYS_OPEN: &[u8] = br#","ways":""#;
const WAYS_CLOSE: &[u8] = br#"""#;

/// A slot's contents.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SlotContents<'a> {
    pub(super) path: Cow<'a, str>,
    pub(super) at: u64,
    pub(super) since: i64,
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) btime: i64,
    pub(super) offset: u64,
    pub(super) marker: (u64, u64),
    pub(super) head: (u64, u64),
    /// 0, or within a line that goes to stdout (1), to stderr (2), nowhere (3).
    pub(super) line: u8,
    /// The same of the last record.
    #[serde(default)]
    pub(super) record: u8,
    #[serde(default)]
    pub(super) kept: u64,
    #[serde(default)]
    pub(super) was: (u64, u64),
    /// Nothing (0), a collapse of so many bytes (1), an archive up to this offset (2), and which file that is.
    #[serde(default)]
    pub(super) intent: (u8, u64, u64),
    /// Ends of reads, the earliest first: the offset, and the hash of the bytes before it.
    #[serde(default)]
    pub(super) ways: Ways<'a>,
    /// Whatever else there is.
    #[serde(flatten)]
    pub(super) unknown: Cow<'a, Unknown>,
}

/// Waypoints, each as sixteen hexadecimal digits of its offset and sixteen of its hash.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways<'a>(Cow<'a, [Waypoint]>);

impl<'de> Deserialize<'de> for Ways<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = Cow::<'de, str>::deserialize(deserializer)?;
        let waypoint = |digits: &[u8]| {
            let (offset, hash) = digits.split_at_checked(WAY_BYTES / 2)?;
            Some(Waypoint { offset: number_of(offset)?, hash: number_of(hash)? })
        };
        // What is not in order is of no help, and no harm.
        Ok(Self(digits.as_bytes().chunks(WAY_BYTES).map_while(waypoint).collect()))
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
    pub(super) fn known(self, slot: Option<Slot>) -> KnownFile {
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
            since: self.since,
            path_end: Box::from(&*self.path),
            position: self.position(),
            line_route,
            record_route,
            kept: self.kept,
            intent,
            waypoints: Waypoints::kept(self.ways.0.iter().copied()),
            unknown: Some(self.unknown.into_owned()).filter(|unknown| !unknown.is_empty()).map(Box::new),
        }
    }

    /// Returns the checksum of the path that it was first followed at, and before which birth time that one's files are done with.
    pub(super) fn at_since(&self) -> (u64, i64) {
        (self.at, self.since)
    }

    /// Returns which file it is.
    pub(super) fn id(&self) -> FileId {
        FileId { dev: self.dev, ino: self.ino, btime: self.btime }
    }

    fn position(&self) -> Position {
        let digest = |(bytes, hash): (u64, u64)| Digest { bytes, hash };
        let (head, head_before) = (digest(self.head), digest(self.was));
        Position { offset: self.offset, marker: digest(self.marker), head, head_before }
    }

    /// Returns the slot's line: the checksum of what follows it, a blank, the object, blanks, a newline.
    ///
    /// What does not fit is left out: the earliest waypoints first, then what is not known.
    pub(super) fn line(&self) -> [u8; SLOT_BYTES] {
        let mut line = blank();
        let mut pen = Pen::new(&mut line[SUM_BYTES + 1..SLOT_BYTES - 1]);
        self.write(&mut pen);
        debug_assert!(!pen.is_out(), "the longest object fits: {self:?}");
        let sum = hex_of(sum_of(&line));
        line[..SUM_BYTES].copy_from_slice(&sum);
        line
    }

    fn write(&self, pen: &mut Pen<'_>) {
        pen.text(br#"{"path":""#);
        pen.escaped(&self.path);
        pen.text(br#"""#);
        pen.named(br#","at":"#, self.at);
        pen.text(br#","since":"#);
        pen.signed(self.since);
        pen.named(br#","dev":"#, self.dev);
        pen.named(br#","ino":"#, self.ino);
        pen.text(br#","btime":"#);
        pen.signed(self.btime);
        pen.named(br#","offset":"#, self.offset);
        pen.named(br#","marker":["#, self.marker.0);
        pen.named(b",", self.marker.1);
        pen.named(br#"],"head":["#, self.head.0);
        pen.named(b",", self.head.1);
        pen.named(br#"],"line":"#, self.line.into());
        pen.named(br#","record":"#, self.record.into());
        pen.named(br#","kept":"#, self.kept);
        pen.named(br#","was":["#, self.was.0);
        pen.named(b",", self.was.1);
        pen.named(br#"],"intent":["#, self.intent.0.into());
        pen.named(b",", self.intent.1);
        pen.named(b",", self.intent.2);
        pen.text(b"]");
        self.write_unknown(pen);
        self.write_ways(pen);
        pen.text(b"}");
    }

    fn write_unknown(&self, pen: &mut Pen<'_>) {
        if self.unknown.is_empty() {
            return;
        }
        let object = serde_json::to_vec(&*self.unknown).unwrap_or_default();
        let pairs = object.strip_prefix(b"{").and_then(|object| object.strip_suffix(b"}")).unwrap_or_default();
        if pairs.len() + WAYS_OPEN.len() + WAYS_CLOSE.len() + 2 <= pen.room() {
            pen.text(b",");
            pen.text(pairs);
        }
    }

    fn write_ways(&self, pen: &mut Pen<'_>) {
        let fitting = (pen.room() - WAYS_OPEN.len() - WAYS_CLOSE.len() - 1) / WAY_BYTES;
        pen.text(WAYS_OPEN);
        for Waypoint { offset, hash } in &self.ways.0[self.ways.0.len().saturating_sub(fitting)..] {
            pen.hex(*offset);
            pen.hex(*hash);
        }
        pen.text(WAYS_CLOSE);
    }

    /// Returns the contents of a slot, or `None` if it is damaged or torn.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line: &[u8; SLOT_BYTES] = line.try_into().ok()?;
        let (sum, object) = line.split_at(SUM_BYTES);
        if number_of(sum)? != sum_of(line) {
            return None;
        }
        serde_json::from_slice(object).ok()
    }

    /// The same of a slot of version 1: the checksum is one of the object alone.
    pub(super) fn parse_version_1(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?.trim_end();
        let (sum, json) = text.split_once(' ')?;
        let sum = u64::from_str_radix(sum, 16).ok()?;
        if sum != Digest::of(json.as_bytes()).hash {
            return None;
        }
        serde_json::from_str(json).ok()
    }
}

/// Returns the checksum of what follows it in a slot. Every step keeps two sums apart that differ, so one damaged word never
/// passes unseen, and more of them with a chance of one in 2^64.
fn sum_of(line: &[u8; SLOT_BYTES]) -> u64 {
    let (words, _) = line[SUM_BYTES..].as_chunks::<8>();
    words
        .iter()
        .fold(0, |sum: u64, word| (sum.rotate_left(29) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::waypoints::WAYPOINTS_MAX;

    fn line_at(offset: u64) -> [u8; SLOT_BYTES] {
        let waypoints: Vec<_> =
            (1..=WAYPOINTS_MAX as u64).map(|way| Waypoint { offset: offset + way, hash: !way }).collect();
        let entry = Entry {
            path: "/var/log/app.log".as_ref(),
            since: -1,
            id: FileId { dev: 1, ino: 2, btime: 3 },
            position: Position { offset, ..Position::default() },
            line_route: None,
            record_route: None,
            kept: 0,
            intent: Intent::None,
            waypoints: &waypoints,
            unknown: None,
        };
        SlotContents::new(entry).line()
    }

    #[test]
    fn a_slot_is_text_of_one_line() {
        let line = line_at(5);
        let text = std::str::from_utf8(&line).expect("text");
        assert_eq!(text.find('\n'), Some(SLOT_BYTES - 1));
        let object: serde_json::Value = serde_json::from_str(&text[SUM_BYTES..]).expect("JSON");
        assert_eq!((object["path"].as_str(), object["offset"].as_u64()), (Some("/var/log/app.log"), Some(5)));
    }

    #[test]
    fn no_damage_of_a_slot_passes_unseen() {
        let (line, next) = (line_at(1), line_at(70_000));
        assert!(SlotContents::parse(&line).is_some() && SlotContents::parse(&next).is_some());
        for at in 0..SLOT_BYTES {
            for bit in 0..8 {
                let mut damaged = line;
                damaged[at] ^= 1 << bit;
                assert!(SlotContents::parse(&damaged).is_none(), "bit {bit} of byte {at}");
            }
            let torn = [&next[..at], &line[at..]].concat();
            assert!(torn == line || torn == next || SlotContents::parse(&torn).is_none(), "torn at {at}");
            assert!(SlotContents::parse(&line[..at]).is_none(), "cut off at {at}");
        }
    }
}
