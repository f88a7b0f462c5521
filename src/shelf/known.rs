//! What is known of files that are not followed at the moment: those that an earlier process left and this one has not met yet, and
//! those of this process that are *asleep*: read to their ends, and nothing happens to them.
//!
//! What is known of a file stays in its slot of the checkpoint until it is met, or woken; here are only two small entries for it,
//! some 40 bytes, because there may be tens of thousands, and a checkpoint may be of an application's making. Where no checkpoint is
//! on a disk, sleeping files are kept in memory, see [`Records`]. A sleeping file is woken as one that an earlier process left is met.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::os::fd::OwnedFd;

use super::entry::{Entry, KnownFile, Slot};
use super::layout::Layout;
use super::records::Records;
use super::slot::SlotContents;
use crate::paths::beneath::{FileId, Stat};

/// How many files are remembered that have no slot in the checkpoint: other checkpoints know them.
const ELSEWHERE_MAX: usize = 2048;

/// Of how many files that were lost at one time the paths are told.
const NAMED_MAX: usize = 8;

/// How many bytes the entries of a file take, about: 24 of their own, and as nodes of trees are two thirds full.
pub(super) const ASLEEP_BYTES: usize = 40;

/// Where what is known of a file is kept: a slot of the checkpoint, or, with one of these bits, a record in memory, or a slot of a
/// checkpoint in whose place is another one now.
type Place = Slot;

/// An inode's halves and a place: their order is the one of the two numbers, and they take 12 bytes.
type Key = [u32; 3];

fn key_of(ino: u64, place: Place) -> Key {
    [(ino >> 32) as u32, ino as u32, place]
}

const IN_MEMORY: Place = 1 << 31;
const IN_REPLACED: Place = 1 << 30;

/// Returns the slot of the checkpoint that a place is, if it is one.
fn slot_of(place: Place) -> Option<Slot> {
    (place & (IN_MEMORY | IN_REPLACED) == 0).then_some(place)
}

/// How a file that is not followed was last seen: a checksum of what `statx` said, and the last look that came across it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen(u32);

impl Seen {
    /// An earlier process left it.
    const UNMET: Self = Self(0);

    /// This process has something of it to read still, or may have.
    const UNREAD: u32 = 1;
    const DOUBTFUL: u32 = 2;

    /// Bits for the number of the look.
    const LOOKS: u32 = 3;

    fn asleep(stamp: u32, look: u32) -> Self {
        Self(stamp << 2 | look & Self::LOOKS)
    }

    fn stamp(self) -> u32 {
        self.0 >> 2
    }

    fn is_asleep(self) -> bool {
        self.stamp() != 0
    }

    fn seen_in(&mut self, look: u32) {
        *self = Self::asleep(self.stamp(), look);
    }

    /// Returns how many whole looks it was missing from: 0 to 3.
    fn missed(self, look: u32) -> u32 {
        look.wrapping_sub(self.0) & Self::LOOKS
    }
}

/// Returns what tells that a file has changed: a checksum, which misses a change once in 2^30, until the next one.
fn stamp_of(id: FileId, (size, mtime): (u64, i64)) -> u32 {
    let parts = [id.dev, id.ino, id.btime.cast_unsigned(), size, mtime.cast_unsigned()];
    let sum =
        parts.into_iter().fold(0u64, |sum, part| (sum.rotate_left(29) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    ((sum >> 34) as u32).max(Seen::DOUBTFUL + 1)
}

/// What is left of a file that falls asleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing, and this were its size and its time of change.
    Read(u64, i64),
    /// Nothing, but it changed a moment ago, and may have again without showing it.
    Doubtful,
    /// Something.
    Unread,
}

/// What is known of a file that is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asleep {
    /// It is not asleep.
    No,
    /// It is, and is as it was.
    Unchanged,
    /// It is, and has changed since, or has something unread.
    Changed,
}

/// What an earlier process left, and what is asleep.
#[derive(Debug, Default)]
pub struct Known {
    /// The checkpoint; `None` if nothing is in a slot of it.
    file: Option<OwnedFd>,
    /// The one that was in its place before.
    replaced: Option<OwnedFd>,
    /// What is asleep and in no checkpoint.
    records: Records,
    /// The places by their files' inodes.
    by_inode: BTreeMap<Key, Seen>,
    /// The places by the paths at which their files were followed first, as the first half of a checksum.
    by_path: BTreeSet<(u32, Place)>,
    /// How many files are asleep.
    asleep: usize,
    /// Files without a slot, and before which birth time the rotated files of their paths are done with.
    elsewhere: Vec<(FileId, KnownFile)>,
    /// Whether there was no checkpoint at all.
    pub is_first_start: bool,
    /// When the checkpoint was last written, in nanoseconds since 1970: no file that was born later had been seen. 0 if there
    /// was none that could be read.
    pub(crate) last_written: i64,
    /// Until when everything had been looked at, as far as was noted: later ones may have been seen or not. No later than that.
    pub(crate) looked_at: i64,
}

impl Known {
    /// Nothing is known, and nothing was kept.
    pub(super) fn first_start() -> Self {
        Self { is_first_start: true, ..Self::default() }
    }

    /// Notes when the checkpoint was last written.
    pub(super) fn last_written(self, last_written: i64) -> Self {
        Self { last_written, looked_at: last_written, ..self }
    }

    /// Notes until when everything had been looked at.
    pub(super) fn looked_at(self, at: Option<i64>) -> Self {
        Self { looked_at: at.map_or(self.last_written, |at| at.min(self.last_written)), ..self }
    }

    /// Notes where the slots are.
    pub(super) fn set_file(&mut self, file: OwnedFd) {
        self.file = Some(file);
    }

    /// Returns whether it is known where the slots are.
    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Notes a file that has a slot of the checkpoint.
    pub(super) fn add(&mut self, slot: Slot, id: FileId, at: u64) {
        self.put(key_of(id.ino, slot), at, Seen::UNMET);
    }

    fn put(&mut self, key: Key, at: u64, seen: Seen) {
        self.asleep += usize::from(seen.is_asleep());
        self.by_inode.insert(key, seen);
        self.by_path.insert((half_of(at), key[2]));
    }

    /// Adds a file without a slot, unless it is known already; and if there is room: what is left out is streamed again.
    pub(super) fn add_elsewhere(&mut self, id: FileId, file: KnownFile) {
        if self.elsewhere.len() < ELSEWHERE_MAX && !self.elsewhere.iter().any(|(one, _)| *one == id) {
            self.elsewhere.push((id, file));
        }
    }

    /// Has a file fall asleep: `slot` says what is known of it, or, without one, a record in memory does. Says whether there was room;
    /// then its slot belongs to what is known here.
    pub(crate) fn fall_asleep(&mut self, slot: Option<Slot>, entry: Entry<'_>, left: Left, look: u32) -> bool {
        let contents = SlotContents::new(entry);
        let Some(place) = slot.or_else(|| Some(self.records.add(&contents)? | IN_MEMORY)) else { return false };
        let stamp = match left {
            Left::Unread => Seen::UNREAD,
            Left::Doubtful => Seen::DOUBTFUL,
            Left::Read(size, mtime) => stamp_of(contents.id(), (size, mtime)),
        };
        let seen = Seen::asleep(stamp, look);
        self.put(key_of(contents.id().ino, place), contents.at_since().0, seen);
        true
    }

    /// Returns how many files are asleep.
    #[must_use]
    pub(crate) fn asleep(&self) -> usize {
        self.asleep
    }

    /// Returns whether what is at a path is asleep, and notes that a look has come across it.
    pub(crate) fn look_at(&mut self, stat: &Stat, look: u32) -> Asleep {
        let stamp = stamp_of(stat.id, (stat.size, stat.mtime));
        let same = |seen: &Seen| seen.stamp() == stamp;
        let mut places = self.by_inode.range_mut(places_of(stat.id.ino));
        if let Some((_, seen)) = places.find(|(_, seen)| same(seen)) {
            seen.seen_in(look);
            return Asleep::Unchanged;
        }
        let Some(key) = self.asleep_at(stat.id) else { return Asleep::No };
        self.by_inode.entry(key).and_modify(|seen| seen.seen_in(look));
        Asleep::Changed
    }

    fn asleep_at(&self, id: FileId) -> Option<Key> {
        let asleep = self.by_inode.range(places_of(id.ino)).filter(|(_, seen)| seen.is_asleep());
        asleep.map(|(key, _)| *key).find(|key| self.in_place(key[2]).is_some_and(|(one, _)| one == id))
    }

    /// Returns whether a file is asleep.
    #[must_use]
    pub(crate) fn is_asleep(&self, id: FileId) -> bool {
        self.asleep_at(id).is_some()
    }

    /// Returns whether a file of this inode is asleep.
    #[must_use]
    pub(crate) fn has_asleep_inode(&self, ino: u64) -> bool {
        self.by_inode.range(places_of(ino)).any(|(_, seen)| seen.is_asleep())
    }

    /// Returns whether a file that was first followed at this path, given by its checksum, is asleep.
    #[must_use]
    pub(crate) fn has_asleep_at(&self, at: u64) -> bool {
        self.asleep > 0 && self.at(&[at]).any(|(id, _)| self.has_asleep_inode(id.ino))
    }

    /// Forgets the sleeping files that two whole looks have not come across, the last one of this number: they are gone. Returns their
    /// slots, and the ends of the paths of some that had something unread.
    pub(crate) fn forget_gone(&mut self, look: u32) -> (Vec<Slot>, Vec<String>) {
        let gone = self.by_inode.iter().filter(|(_, seen)| seen.is_asleep() && seen.missed(look) >= 2);
        let gone: Vec<_> = gone.map(|(key, seen)| (*key, seen.stamp() == Seen::UNREAD)).collect();
        let unread = gone.iter().filter(|(_, is_unread)| *is_unread).take(NAMED_MAX);
        let unread =
            unread.map(|([.., place], _)| self.contents(*place).map_or_else(String::new, |one| one.path.into_owned()));
        let unread = unread.collect();
        let gone: Vec<Key> = gone.into_iter().map(|(key, _)| key).collect();
        (self.remove_all(&gone), unread)
    }

    /// Gives sleeping files that are in slots of a checkpoint which is gone, or in memory, slots of another one, which `write` writes
    /// and returns: none without a descriptor of it. What an earlier process left has no slot any more.
    pub(super) fn move_to(&mut self, file: Option<OwnedFd>, mut write: impl FnMut(&SlotContents<'_>) -> Option<Slot>) {
        let places = std::mem::take(&mut self.by_inode);
        self.by_path.clear();
        self.asleep = 0;
        let mut moved = Vec::new();
        for (key @ [.., place], seen) in places {
            let Some(contents) = self.contents(place) else { continue };
            let slot = if seen.is_asleep() { write(&contents) } else { None };
            if slot.is_some() && place & IN_MEMORY != 0 {
                self.records.remove(place & !IN_MEMORY);
            }
            let mut in_memory = || match place & IN_MEMORY {
                0 if seen.is_asleep() => Some(self.records.add(&contents)? | IN_MEMORY),
                0 => None,
                _ => Some(place),
            };
            // Of checkpoints that are gone only the last one is kept.
            let is_last = place & IN_REPLACED == 0 || self.file.is_none();
            let in_replaced = || is_last.then_some(place | IN_REPLACED);
            let Some(place) = slot.or_else(&mut in_memory).or_else(in_replaced) else { continue };
            moved.push(([key[0], key[1], place], contents.at_since().0, seen));
        }
        for (key, at, seen) in moved {
            self.put(key, at, seen);
        }
        self.replaced = std::mem::replace(&mut self.file, file).or(self.replaced.take());
    }

    /// Returns what is known of a file that was not met, or is asleep; of several slots the last one counts.
    #[must_use]
    pub fn file(&self, id: FileId) -> Option<KnownFile> {
        self.with_inode(id.ino).find(|(one, _)| *one == id).map(|(_, file)| file)
    }

    /// Returns the files that have the same inode and birth time as one on another device: a volume that is mounted again may
    /// have another device number.
    pub(crate) fn on_other_devices(&self, id: FileId) -> impl Iterator<Item = (FileId, KnownFile)> {
        self.with_inode(id.ino).filter(move |(one, _)| one.btime == id.btime && one.dev != id.dev)
    }

    /// Returns the files of an inode, the last slot first.
    fn with_inode(&self, ino: u64) -> impl Iterator<Item = (FileId, KnownFile)> {
        let elsewhere = self.elsewhere.iter().filter(move |(one, _)| one.ino == ino).cloned();
        self.by_inode.range(places_of(ino)).rev().filter_map(|([.., place], _)| self.in_place(*place)).chain(elsewhere)
    }

    /// Returns whether a file in a slot has this inode, and is looked for.
    pub(crate) fn has_inode_in_slot(&self, ino: u64) -> bool {
        self.by_inode.range(places_of(ino)).any(is_unmet)
    }

    /// Returns whether any file has this inode.
    pub(crate) fn has_inode(&self, ino: u64) -> bool {
        self.by_inode.range(places_of(ino)).next().is_some() || self.elsewhere.iter().any(|(one, _)| one.ino == ino)
    }

    /// Returns how many files in slots were not met; what only others' checkpoints know may be none of ours any more.
    pub(crate) fn count_in_slots(&self) -> usize {
        if self.by_inode.len() == self.asleep { 0 } else { self.by_inode.iter().filter(|one| is_unmet(*one)).count() }
    }

    /// Returns these files.
    pub fn in_slots(&self) -> impl Iterator<Item = (FileId, KnownFile)> {
        self.by_inode.iter().filter(|one| is_unmet(*one)).filter_map(|([.., place], _)| self.in_place(*place))
    }

    /// Returns the same as [`Known::file`], and forgets the file: it is met, or woken.
    pub(crate) fn take(&mut self, id: FileId) -> Option<KnownFile> {
        let places = self.by_inode.range(places_of(id.ino)).rev().map(|(key, _)| *key);
        let found = places.into_iter().find_map(|key| {
            let (one, file) = self.in_place(key[2])?;
            (one == id).then_some((key, file))
        });
        let Some((key, file)) = found else {
            let at = self.elsewhere.iter().position(|(one, _)| *one == id)?;
            return Some(self.elsewhere.remove(at).1);
        };
        self.remove_all(&[key]);
        Some(file)
    }

    /// Forgets what is at these places, and returns those that are slots.
    fn remove_all(&mut self, keys: &[Key]) -> Vec<Slot> {
        for key in keys {
            let at = self.contents(key[2]).map(|contents| contents.at_since().0);
            match at {
                Some(at) => _ = self.by_path.remove(&(half_of(at), key[2])),
                None => self.by_path.retain(|(_, place)| *place != key[2]),
            }
            self.asleep -= usize::from(self.by_inode.remove(key).is_some_and(Seen::is_asleep));
            if key[2] & IN_MEMORY != 0 {
                self.records.remove(key[2] & !IN_MEMORY);
            }
        }
        keys.iter().filter_map(|[.., place]| slot_of(*place)).collect()
    }

    /// Returns the files that are not followed and were first followed at one of these paths, given by their checksums.
    pub(crate) fn at(&self, sums: &[u64]) -> impl Iterator<Item = (FileId, KnownFile)> {
        let places = |half: u32| self.by_path.range((half, Place::MIN)..=(half, Place::MAX)).map(|(_, place)| *place);
        let in_places = sums.iter().flat_map(move |sum| {
            places(half_of(*sum)).filter_map(|place| self.in_place(place)).filter(|(_, file)| file.at == *sum)
        });
        in_places.chain(self.elsewhere.iter().filter(|(_, file)| sums.contains(&file.at)).cloned())
    }

    /// Returns before which birth time the rotated files of a path are done with, if files of it are known that are not followed.
    #[must_use]
    pub fn since(&self, at: u64) -> Option<i64> {
        self.at(&[at]).map(|(_, file)| file.since).max()
    }

    /// Returns how many files were not met.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.by_inode.len() + self.elsewhere.len()
    }

    /// Forgets everything that an earlier process left, and returns the slots of the files that were not met.
    pub(crate) fn forget(&mut self) -> Vec<Slot> {
        let unmet = self.by_inode.extract_if(.., |_, seen| !seen.is_asleep()).map(|([.., place], _)| place);
        let unmet: HashSet<Place> = unmet.collect();
        self.by_path.retain(|(_, place)| !unmet.contains(place));
        self.elsewhere = Vec::new();
        unmet.into_iter().filter_map(slot_of).collect()
    }

    fn in_place(&self, place: Place) -> Option<(FileId, KnownFile)> {
        let contents = self.contents(place)?;
        Some((contents.id(), contents.known(slot_of(place))))
    }

    fn contents(&self, place: Place) -> Option<SlotContents<'static>> {
        if place & IN_MEMORY != 0 {
            return self.records.contents(place & !IN_MEMORY);
        }
        let file = if place & IN_REPLACED != 0 { &self.replaced } else { &self.file };
        Layout::CURRENT.read(file.as_ref()?, place & !IN_REPLACED).ok()??.file()
    }
}

fn places_of(ino: u64) -> std::ops::RangeInclusive<Key> {
    key_of(ino, Place::MIN)..=key_of(ino, Place::MAX)
}

fn is_unmet(([.., place], seen): (&Key, &Seen)) -> bool {
    !seen.is_asleep() && slot_of(*place).is_some()
}

/// Returns as much of a path's checksum as is kept for it.
fn half_of(at: u64) -> u32 {
    (at >> 32) as u32
}
