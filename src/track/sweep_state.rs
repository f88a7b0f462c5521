//! How far the look at all patterns has come.

use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::paths::discover::{Ended, Found};

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
