//! What an earlier process left, of files that this one has not met yet.
//!
//! What is known of a file stays in its slot until it is met; here are only three small entries for it, because there may be
//! thousands, and a checkpoint may be of an application's making.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;

use super::entry::{KnownFile, Slot};
use super::layout::Layout;
use crate::paths::beneath::FileId;

/// How many files are remembered that have no slot in the checkpoint: other checkpoints know them.
const ELSEWHERE_MAX: usize = 2048;

/// What an earlier process left.
#[derive(Debug, Default)]
pub struct Known {
    /// The checkpoint; `None` if nothing is in a slot of it.
    file: Option<OwnedFd>,
    /// The slots by their files' inodes.
    by_inode: BTreeSet<(u64, Slot)>,
    /// The slots by the paths at which their files were followed first, as a checksum.
    by_path: BTreeSet<(u64, Slot)>,
    /// Of each path's checksum: the birth time before which its rotated files are done with; see
    /// [`Entry::since`](super::entry::Entry::since).
    since: BTreeMap<u64, i64>,
    /// Whether that is no longer the checkpoint: another one is in its place, and the slots are nobody's.
    is_replaced: bool,
    /// Files without a slot.
    elsewhere: Vec<(FileId, KnownFile)>,
    /// Whether there was no checkpoint at all.
    pub is_first_start: bool,
    /// When the checkpoint was last written, in nanoseconds since 1970: no file that was born later had been seen. 0 if there
    /// was none that could be read.
    pub(crate) last_written: i64,
}

impl Known {
    /// Nothing is known, and nothing was kept.
    pub(super) fn first_start() -> Self {
        Self { is_first_start: true, ..Self::default() }
    }

    /// Notes when the checkpoint was last written.
    pub(super) fn last_written(self, last_written: i64) -> Self {
        Self { last_written, ..self }
    }

    /// Notes where the slots are.
    pub(super) fn set_file(&mut self, file: OwnedFd) {
        self.file = Some(file);
    }

    /// Notes a file that has a slot of the checkpoint.
    pub(super) fn add(&mut self, slot: Slot, id: FileId, at: u64, since: i64) {
        self.add_since(at, since);
        self.by_inode.insert((id.ino, slot));
        self.by_path.insert((at, slot));
    }

    /// Adds a file without a slot, unless it is known already; and if there is room: what is left out is streamed again.
    pub(super) fn add_elsewhere(&mut self, id: FileId, since: i64, file: KnownFile) {
        self.add_since(file.at, since);
        if self.elsewhere.len() < ELSEWHERE_MAX && !self.elsewhere.iter().any(|(one, _)| *one == id) {
            self.elsewhere.push((id, file));
        }
    }

    fn add_since(&mut self, at: u64, since: i64) {
        let known = self.since.entry(at).or_insert(since);
        *known = since.max(*known);
    }

    /// Returns what is known of a file that was not met; of several slots the last one counts.
    #[must_use]
    pub fn file(&self, id: FileId) -> Option<KnownFile> {
        self.in_any_slot(id).map(|file| KnownFile { slot: file.slot.filter(|_| !self.is_replaced), ..file })
    }

    fn in_any_slot(&self, id: FileId) -> Option<KnownFile> {
        self.with_inode(id.ino).find(|(one, _)| *one == id).map(|(_, file)| file)
    }

    /// Returns the files that have the same inode and birth time as one on another device: a volume that is mounted again may
    /// have another device number.
    pub(crate) fn on_other_devices(&self, id: FileId) -> impl Iterator<Item = (FileId, KnownFile)> {
        self.with_inode(id.ino).filter(move |(one, _)| one.btime == id.btime && one.dev != id.dev)
    }

    /// Notes that another checkpoint was put in the place of the one that the slots are in.
    pub(crate) fn slots_lost(&mut self) {
        self.is_replaced = true;
    }

    /// Returns the files of an inode, the last slot first.
    fn with_inode(&self, ino: u64) -> impl Iterator<Item = (FileId, KnownFile)> {
        let slots = self.by_inode.range((ino, Slot::MIN)..=(ino, Slot::MAX)).rev();
        let elsewhere = self.elsewhere.iter().filter(move |(one, _)| one.ino == ino).cloned();
        slots.filter_map(|(_, slot)| self.in_slot(*slot)).chain(elsewhere)
    }

    /// Returns whether a file in a slot has this inode.
    pub(crate) fn has_inode_in_slot(&self, ino: u64) -> bool {
        !self.is_replaced && self.by_inode.range((ino, Slot::MIN)..=(ino, Slot::MAX)).next().is_some()
    }

    /// Returns whether any file has this inode.
    pub(crate) fn has_inode(&self, ino: u64) -> bool {
        let mut slots = self.by_inode.range((ino, Slot::MIN)..=(ino, Slot::MAX));
        slots.next().is_some() || self.elsewhere.iter().any(|(one, _)| one.ino == ino)
    }

    /// Returns how many files in slots were not met; what only others' checkpoints know may be none of ours any more.
    pub(crate) fn count_in_slots(&self) -> usize {
        if self.is_replaced { 0 } else { self.by_inode.len() }
    }

    /// Returns these files.
    pub fn in_slots(&self) -> impl Iterator<Item = (FileId, KnownFile)> {
        self.by_inode.iter().filter(|_| !self.is_replaced).filter_map(|(_, slot)| self.in_slot(*slot))
    }

    /// Returns the same, and forgets the file: it is met.
    pub(crate) fn take(&mut self, id: FileId) -> Option<KnownFile> {
        let file = self.in_any_slot(id)?;
        match file.slot {
            Some(slot) => {
                self.by_inode.remove(&(id.ino, slot));
                self.by_path.remove(&(file.at, slot));
            }
            None => self.elsewhere.retain(|(one, _)| *one != id),
        }
        Some(KnownFile { slot: file.slot.filter(|_| !self.is_replaced), ..file })
    }

    /// Returns the files that were not met and were first followed at one of these paths, given by their checksums.
    pub(crate) fn at(&self, sums: &[u64]) -> impl Iterator<Item = (FileId, KnownFile)> {
        let slots = sums.iter().flat_map(|sum| self.by_path.range((*sum, Slot::MIN)..=(*sum, Slot::MAX)));
        let elsewhere = self.elsewhere.iter().filter(|(_, file)| sums.contains(&file.at)).cloned();
        slots.filter_map(|(_, slot)| self.in_slot(*slot)).chain(elsewhere)
    }

    /// Returns before which birth time the rotated files of a path are done with, if an earlier process followed any.
    #[must_use]
    pub fn since(&self, at: u64) -> Option<i64> {
        self.since.get(&at).copied()
    }

    /// Returns how many files were not met.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.by_inode.len() + self.elsewhere.len()
    }

    /// Forgets everything, and returns the slots of the files that were not met.
    pub(crate) fn forget(&mut self) -> Vec<Slot> {
        let by_inode = std::mem::take(&mut self.by_inode);
        let slots = by_inode.into_iter().map(|(_, slot)| slot).filter(|_| !self.is_replaced).collect();
        *self = Self { is_first_start: self.is_first_start, last_written: self.last_written, ..Self::default() };
        slots
    }

    fn in_slot(&self, slot: Slot) -> Option<(FileId, KnownFile)> {
        let contents = Layout::CURRENT.read(self.file.as_ref()?, slot).ok()??.file()?;
        Some((contents.id(), contents.known(Some(slot))))
    }
}
