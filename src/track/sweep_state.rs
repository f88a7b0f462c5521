//! How far the look at all patterns has come.

use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::paths::beneath::Stat;
use crate::paths::discover::{Ended, Found};
use crate::shelf::entry::KnownFile;
use crate::shelf::progress::whole_blocks;

/// When a file was born, and its path.
pub(super) type Born = (i64, PathBuf);

/// How many rotated files are met at one time.
const ROTATED_MAX: usize = 512;

/// The oldest of files of which there may be very many.
#[derive(Debug, Default)]
pub(super) struct Oldest {
    heap: BinaryHeap<Born>,
    is_cut: bool,
}

impl Oldest {
    /// Adds one, and gives up the youngest if there are too many.
    pub(super) fn add(&mut self, born: Born) {
        self.heap.push(born);
        if self.heap.len() > ROTATED_MAX {
            self.is_cut = true;
            self.heap.pop();
        }
    }

    /// Returns them, oldest first, and whether that is all of them.
    pub(super) fn into_sorted(self) -> (Vec<Born>, bool) {
        (self.heap.into_sorted_vec(), !self.is_cut)
    }
}

/// How many sleeping files are woken for the room that they take in one look, at most.
const WOKEN_MAX: usize = 512;

/// What sleeping files are woken for: the room that they take, and that is not needed any more.
#[derive(Debug)]
pub(super) struct WantedRoom {
    /// How many bytes were wanted, and how many still are.
    pub(super) wanted_bytes: u64,
    bytes: u64,
    /// On which device; `None` for all.
    device: Option<u64>,
    /// Less than whole units of so many bytes cannot be reclaimed; `None` for the blocks of the file system.
    unit_bytes: Option<u64>,
    /// How many files were woken.
    woken: usize,
    /// Whether there was no place for one.
    is_short_of_places: bool,
    /// Whether the look that is under way began with it.
    pub(super) is_of_look: bool,
}

impl WantedRoom {
    pub(super) fn new(bytes: u64, device: Option<u64>, unit_bytes: Option<u64>) -> Self {
        Self { wanted_bytes: bytes, bytes, device, unit_bytes, woken: 0, is_short_of_places: false, is_of_look: false }
    }

    /// Returns how much of a file that was streamed can be reclaimed, if that is wanted, for what the checkpoint knows of it.
    pub(super) fn of(&self, stat: &Stat, known: &KnownFile) -> u64 {
        if self.bytes == 0 || self.woken >= WOKEN_MAX || self.device.is_some_and(|device| device != stat.id.dev) {
            return 0;
        }
        let unit_bytes = self.unit_bytes.unwrap_or(stat.block_bytes);
        let streamed = whole_blocks(known.position.offset.min(stat.size), unit_bytes).saturating_sub(known.kept);
        // What somebody else has punched is no room.
        streamed.min(stat.allocated_bytes.saturating_sub(self.unit_bytes.map_or(stat.block_bytes, |_| 0)))
    }

    /// Returns whether some have to wait for the next look, because enough were woken, or there was no place.
    pub(super) fn is_cut(&self) -> bool {
        self.woken >= WOKEN_MAX || self.is_short_of_places
    }

    /// Notes that there was no place for one.
    pub(super) fn note_short_of_places(&mut self) {
        self.is_short_of_places = true;
    }

    /// Notes that a file was woken that has so much of it.
    pub(super) fn note_woken(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.woken += 1;
    }
}

/// How far a look has come.
#[derive(Debug, Default)]
pub(super) enum SweepStage {
    /// It is over.
    #[default]
    Resting,
    /// The patterns are walked.
    Walking,
    /// Rotated files are looked for in the directories behind this one; in itself first, if there are more behind such a file.
    Rotated(Option<Rc<Path>>, Option<Born>),
    /// What may be copies is met.
    Copies,
}

/// The look at all patterns.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// Its number.
    pub(super) number: u32,
    /// Whether no file could give its place to another one when that was last tried.
    pub(super) is_full: bool,
    pub(super) stage: SweepStage,
    /// Whether another one is to follow.
    pub(super) is_wanted: bool,
    /// How the walk ended.
    pub(super) ended: Option<Ended>,
    /// Whether the walk took more than one turn: then what it found is not known all at once.
    pub(super) is_long: bool,
    /// What was found and not met yet.
    pub(super) pending: VecDeque<Found>,
    /// What may be copies.
    pub(super) copies: VecDeque<Found>,
    /// Paths at which nothing was that may have been copied, by their checksums.
    pub(super) no_originals: HashSet<u64>,
    /// Since when it waits for a place.
    pub(super) paused: Option<Instant>,
    /// Whether it does not wait any more.
    pub(super) is_impatient: bool,
    /// How many files it has passed over so far, and how many the last whole one did.
    pub(super) passed_over: usize,
    pub(super) waiting: usize,
    pub(super) is_waiting_told: bool,
    pub(super) ended_at: Option<Instant>,
    /// When it and the one before began, as the clock of new files shows it: what came up since then may not have been met.
    pub(super) began_at_time: i64,
    pub(super) since: i64,
    /// When it began, and how long the last one took.
    pub(super) began: Option<Instant>,
    pub(super) took: Duration,
    /// How many files were left for the next look so far, though they are known perhaps.
    pub(super) left: usize,
    /// Whether a directory could not be searched at the last look.
    pub(super) has_failed: bool,
    /// The room that sleeping files are woken for, if that is wanted.
    pub(super) room: Option<WantedRoom>,
    /// When a whole look last came past all of them, and how many bytes were wanted then.
    pub(super) looked_for_room: Option<(Instant, u64)>,
}

impl Sweep {
    /// None was under way at a time, by the clock of new files, and none before.
    pub(super) fn new(time: i64) -> Self {
        Self { began_at_time: time, since: time, ..Self::default() }
    }

    /// Notes that the clock was set back: no file is older that was created since.
    pub(super) fn set_back(&mut self, earliest: i64) {
        self.began_at_time = self.began_at_time.min(earliest);
        self.since = self.since.min(earliest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_files_the_oldest_are_kept() {
        let mut oldest = Oldest::default();
        for birth in (0..10_000).rev() {
            oldest.add((birth, PathBuf::from("app.log.1")));
            assert!(oldest.heap.len() <= ROTATED_MAX);
        }
        let (kept, is_all) = oldest.into_sorted();
        assert!(kept.iter().map(|(birth, _)| *birth).eq(0..512));
        assert!(!is_all);
    }
}
