//! A look at all patterns, in turns: new files, files that are no longer at their paths, rotated ones, sleeping ones that have grown.
//!
//! A turn takes some 256 names, however many there are, and other files, signals and clients have theirs in between. Where there is
//! no place for another file, the look waits for one, and so it comes past each name: late, perhaps, and none is left out. What
//! cannot get a place at all is counted: [`Tracker::waiting`].

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::mem;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use super::clock;
use super::start::copied_paths;
use super::sweep_state::{SweepStage, WantedRoom};
use super::tracker::{Tracker, tell_lost};
use crate::paths::beneath::Stat;
use crate::paths::discover::{Found, NotSearched, is_missing, oldest_first};
use crate::read::buffer::Buffer;
use crate::report::finding::Finding;
use crate::report::losses::Cause;
use crate::report::message::counted;
use crate::shelf::entry::path_sum;
use crate::shelf::known::Asleep;

/// How many names are looked at in one turn.
const STEPS: usize = 256;

/// In how many directories rotated files are looked for in one turn.
const DIRECTORIES: usize = 16;

/// How many files that may be copies wait until everything else is met.
const COPIES_MAX: usize = STEPS;

/// How long is waited for a place that files give which are read to their ends, before others must put off what they have left; and
/// how long until the files that have none are passed over.
const WAIT: Duration = Duration::from_millis(100);
const WAIT_MAX: Duration = Duration::from_secs(1);

/// How often is looked at sleeping files, for changes without an event; and, where no events come at all, how many times as long as
/// it took is waited at least.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
const PAUSE_SHARE: u32 = 8;

impl Tracker {
    /// Looks at all patterns: begins with it, does the first turn, and [`Tracker::sweep_on`] the others.
    pub(crate) fn look_everywhere(&mut self, buffer: &mut Buffer) {
        if self.known.is_none() {
            self.known = self.checkpoint.open();
            self.checkpoint.take_finding().iter().for_each(Finding::tell);
        }
        if self.is_sweeping() {
            self.sweep.is_wanted = true;
        } else {
            self.begin_sweep();
        }
        self.sweep_on(buffer);
    }

    pub(super) fn begin_sweep(&mut self) {
        self.discovery.begin_walk(&mut self.watch);
        self.begin_look_for_room();
        let sweep = &mut self.sweep;
        sweep.number = sweep.number.wrapping_add(1);
        (sweep.stage, sweep.began) = (SweepStage::Walking, Some(Instant::now()));
        (sweep.is_wanted, sweep.is_long, sweep.is_impatient) = (false, false, false);
        (sweep.passed_over, sweep.left, sweep.paused, sweep.ended) = (0, 0, None, None);
        // What came up while the last one looked may have come up behind it.
        sweep.since = mem::replace(&mut sweep.began_at_time, clock::file_time());
        sweep.no_originals = HashSet::new();
    }

    /// Returns whether a look at all patterns is under way.
    #[must_use]
    pub(crate) fn is_sweeping(&self) -> bool {
        !matches!(self.sweep.stage, SweepStage::Resting)
    }

    /// Returns whether it could go on now: it does not wait for a place.
    #[must_use]
    pub(crate) fn may_sweep(&self) -> bool {
        self.is_sweeping() && self.sweep.paused.is_none()
    }

    /// Returns how many files match and are not followed, because there are too many.
    #[must_use]
    pub(crate) fn waiting(&self) -> usize {
        self.sweep.waiting.max(self.sweep.passed_over + self.sweep.paused.map_or(0, |_| self.sweep.pending.len()))
    }

    /// At the tick: begins another look if some files wait for one and could be followed now, or may have changed without an event.
    pub(super) fn sweep_in_time(&mut self, now: Instant, buffer: &mut Buffer) {
        self.sweep.is_full = false;
        if !self.is_sweeping() {
            let asleep = self.known.as_ref().map_or(0, |known| known.asleep());
            let every = if self.watch.is_polling() { self.sweep.took * PAUSE_SHARE } else { SWEEP_EVERY };
            let is_due = asleep > 0 && self.sweep.ended_at.is_none_or(|ended| now.duration_since(ended) >= every);
            if is_due || (self.sweep.waiting > 0 && self.has_place(false, false)) {
                self.begin_sweep();
            }
        }
        self.sweep_on(buffer);
    }

    /// Returns when to look whether there is a place, if it waits for one.
    pub(crate) fn next_sweep_due(&self) -> Option<Instant> {
        self.sweep.paused.map(|_| Instant::now() + WAIT)
    }

    /// Notes that a file was left for the next look, because there was no place for it.
    pub(super) fn leave_for_sweep(&mut self) {
        self.sweep.left += usize::from(self.is_sweeping());
        self.sweep.waiting = self.sweep.waiting.max(1);
    }

    /// Goes on with the look at all patterns: one turn.
    pub(crate) fn sweep_on(&mut self, buffer: &mut Buffer) {
        self.sweep.is_full = false;
        self.finish_lines_for_others();
        let mut steps = STEPS;
        while steps > 0 && self.is_sweeping() {
            if self.is_paused(buffer) {
                break;
            }
            match &self.sweep.stage {
                SweepStage::Resting => {}
                SweepStage::Walking if self.sweep.ended.is_none() => {
                    let part = self.discovery.walk_on(&mut self.watch, steps);
                    tell_lost(&mut self.watch);
                    steps = if part.ended.is_some() { steps.saturating_sub(part.found.len()) } else { 0 };
                    self.sweep.is_long |= part.ended.is_none();
                    self.sweep.ended = part.ended;
                    self.sort_out(part.found);
                }
                SweepStage::Walking => self.end_walk(buffer),
                SweepStage::Rotated(..) => {
                    self.look_for_next_rotated(buffer);
                    // One that holds more than is met at one time is listed whole each time.
                    let has_more = matches!(self.sweep.stage, SweepStage::Rotated(_, Some(_)));
                    steps = if has_more { 0 } else { steps.saturating_sub(STEPS / DIRECTORIES) };
                }
                SweepStage::Copies => self.end_sweep(buffer),
            }
        }
        self.order_begun(buffer);
    }

    /// Meets what was found and not met yet; says whether that must wait for a place.
    fn is_paused(&mut self, buffer: &mut Buffer) -> bool {
        while let Some(found) = self.sweep.pending.pop_front() {
            if !self.needs_place(&found) {
                self.settle(&found, buffer);
                continue;
            }
            let is_known = found.stat.as_ref().is_ok_and(|stat| self.may_be_known(stat));
            if self.has_place(is_known, false) {
                self.sweep.paused = None;
                self.settle(&found, buffer);
                continue;
            }
            if found.stat.as_ref().is_ok_and(|stat| self.is_wanted_for_room_alone(stat)) {
                // What it takes is not urgent.
                self.sweep.room.iter_mut().for_each(WantedRoom::note_short_of_places);
                continue;
            }
            // Where no more can be remembered, no place comes of waiting.
            let may_come = is_known || self.may_remember_more();
            if !may_come || self.sweep.is_impatient {
                self.sweep.passed_over += 1;
                continue;
            }
            let waited = self.sweep.paused.get_or_insert_with(Instant::now).elapsed();
            self.sweep.pending.push_front(found);
            // At the end it is waited for as long as the streams accept something.
            if waited >= WAIT_MAX && !self.is_ending {
                self.sweep.is_impatient = true;
                continue;
            }
            if waited >= WAIT {
                self.sweep.is_full = false;
                // At once: who writes most would take the places back at its next hint.
                if self.put_off_noisy() > 0 {
                    continue;
                }
            }
            return true;
        }
        self.sweep.paused = None;
        false
    }

    /// Returns whether following what was found takes a place: it is neither followed nor asleep as it was.
    fn needs_place(&mut self, found: &Found) -> bool {
        let Ok(stat) = &found.stat else { return false };
        let number = self.sweep.number;
        stat.kind == FileType::RegularFile
            && self.files.with_id(stat.id).is_none()
            && (self.must_wake(stat)
                || self.known.as_mut().is_none_or(|known| known.look_at(stat, number) != Asleep::Unchanged))
    }

    /// Puts what was found in order: the oldest contents first, and what may be a copy last, when everything that it may have been
    /// made of is known.
    fn sort_out(&mut self, mut found: Vec<Found>) {
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        oldest_first(&mut found);
        let paths: HashSet<u64> = found.iter().map(|one| path_sum(&one.path)).collect();
        for one in found {
            let is_copy =
                self.needs_place(&one) && copied_paths(&one.path).any(|path| self.is_of_interest(&path, &paths));
            if is_copy && self.sweep.copies.len() < COPIES_MAX {
                self.sweep.copies.push_back(one);
            } else {
                self.sweep.pending.push_back(one);
            }
        }
    }

    /// Returns whether a file at this path is followed, or was by an earlier process, or will be.
    fn is_of_interest(&mut self, path: &Path, found: &HashSet<u64>) -> bool {
        let sum = path_sum(path);
        let was_known = || self.known.as_ref().is_some_and(|known| known.since(sum).is_some());
        if found.contains(&sum) || self.files.lineage(path).is_some() || was_known() {
            return true;
        }
        if !self.sweep.is_long || self.sweep.no_originals.contains(&sum) {
            return false;
        }
        // It may be found in a later turn.
        let is_there = self.discovery.look(path).is_some_and(|found| found.stat.is_ok());
        if !is_there && self.sweep.no_originals.len() < COPIES_MAX {
            self.sweep.no_originals.insert(sum);
        }
        is_there
    }

    /// Ends the walk: what it did not come across is gone.
    fn end_walk(&mut self, buffer: &mut Buffer) {
        let Some(ended) = &mut self.sweep.ended else { return };
        let failed = mem::take(&mut ended.failed);
        let (has_more_failed, is_beyond_watches) = (ended.has_more_failed, ended.is_beyond_watches);
        if ended.is_openat2_refused && !mem::replace(&mut self.is_without_openat2_told, true) {
            Finding::without_openat2().tell();
        }
        if is_beyond_watches && !mem::replace(&mut self.is_beyond_watches_told, true) {
            tracing::warn!(
                "cannot watch all directories that SIDETAIL_PATHS leads through: there are too many; looking into the others \
                 every 10 s, so their lines may be late; match fewer directories"
            );
        }
        self.note_failed(&failed);
        // Of what is beneath a directory that could not be searched nothing is known, so nothing of it is gone.
        let is_unknown = |path: &Path| has_more_failed || failed.iter().any(|(above, _)| path.starts_with(above));
        let number = self.sweep.number;
        for key in self.files.keys(|file| !file.is_detached && file.seen_in != number && !is_unknown(&file.path)) {
            let Some(path) = self.files.file(key).map(|file| Rc::clone(&file.path)) else { continue };
            match self.discovery.look(&path) {
                // Of what cannot be asked nothing is known, so it is not gone.
                Some(found) if !found.stat.as_ref().is_err_and(is_missing) => self.settle(&found, buffer),
                Some(_) | None => self.detach(key),
            }
        }
        let files = &self.files;
        let discovery = &self.discovery;
        let is_there = |link: &Path| discovery.look(link).is_some_and(|found| found.stat.is_ok() || found.is_link());
        self.linked.retain(|link| files.lineage(link).is_some() || is_there(link));
        // What is too deep was so before, and nothing of it is known.
        self.sweep.has_failed = has_more_failed || failed.iter().any(|(_, why)| matches!(why, NotSearched::Failed(_)));
        self.sweep.stage = SweepStage::Rotated(None, None);
    }

    fn look_for_next_rotated(&mut self, buffer: &mut Buffer) {
        let SweepStage::Rotated(last, behind) = &self.sweep.stage else { return };
        let from =
            last.clone().map_or(Bound::Unbounded, if behind.is_some() { Bound::Included } else { Bound::Excluded });
        match self.discovery.directory_after(from) {
            Some(next) => {
                let behind = behind.clone().filter(|_| last.as_ref() == Some(&next));
                let last = self.look_for_some(&next, behind.as_ref(), false, buffer);
                if last.is_none() && !self.is_first_look {
                    self.look_below(&next, self.sweep.since, buffer);
                }
                self.sweep.stage = SweepStage::Rotated(Some(next), last);
            }
            None => {
                let behind: BTreeSet<PathBuf> = self.linked.directories().map(Path::to_owned).collect();
                for directory in behind {
                    if !self.discovery.has_directory(&directory) {
                        self.look_for_rotated(&directory, buffer);
                    }
                    if !self.is_first_look {
                        self.look_below(&directory, self.sweep.since, buffer);
                    }
                }
                self.look_for_unmet(buffer);
                self.look_beside_rotated(buffer);
                self.sweep.pending = mem::take(&mut self.sweep.copies);
                self.sweep.stage = SweepStage::Copies;
            }
        }
    }

    /// Ends the look, when everything is met that it came across.
    fn end_sweep(&mut self, buffer: &mut Buffer) {
        self.files.oldest_first();
        self.is_first_look = false;
        let sweep = &mut self.sweep;
        // Among what was left for another look may be some of those that it has not come across.
        let is_whole = sweep.left == 0;
        (sweep.stage, sweep.ended_at) = (SweepStage::Resting, Some(Instant::now()));
        sweep.took = sweep.began.map_or(Duration::ZERO, |began| began.elapsed());
        (sweep.waiting, sweep.no_originals, sweep.pending) =
            (sweep.passed_over + sweep.left, HashSet::new(), VecDeque::new());
        (sweep.passed_over, sweep.left) = (0, 0);
        if sweep.waiting > 0 && !mem::replace(&mut sweep.is_waiting_told, true) {
            self.tell_waiting();
        }
        self.order_begun(buffer);
        if is_whole && !self.sweep.has_failed {
            self.forget_gone();
        }
        self.end_look_for_room();
        if mem::take(&mut self.sweep.is_wanted) {
            self.begin_sweep();
        }
    }

    /// Forgets the sleeping files that are gone; says so of those that had something unread.
    fn forget_gone(&mut self) {
        let Some(known) = &mut self.known else { return };
        let (slots, unread) = known.forget_gone(self.sweep.number);
        for slot in slots {
            self.checkpoint.forget(Some(slot));
        }
        for path_end in unread {
            self.lose(Path::new(&format!("...{path_end}")), Cause::Waiting, 0);
        }
    }

    /// Warns once that some files wait.
    fn tell_waiting(&self) {
        let files = counted(self.sweep.waiting as u64, "more file");
        let way_out = "match fewer files";
        if self.may_remember_more() {
            let most = self.followed_max();
            tracing::warn!(
                "cannot follow {files} that SIDETAIL_PATHS matches yet: more than {most} others have unstreamed lines; their own lines \
                 are late, and lost if they are deleted before; check that stdout and stderr are read, or {way_out}"
            );
        } else {
            let most = self.checkpoint.files_max();
            let where_ = if self.checkpoint.is_kept() { "" } else { " without a checkpoint on a disk" };
            tracing::warn!(
                "cannot follow {files} that SIDETAIL_PATHS matches: no more than {most} can be told apart{where_}; they wait until \
                 others are gone; delete old files, or {way_out}"
            );
        }
    }

    /// Reports the directories that could not be searched, and those that can be searched again.
    fn note_failed(&mut self, failed: &[(PathBuf, NotSearched)]) {
        // What is too deep stays so: it is no reason to look everywhere at each tick.
        self.has_failed_walk = failed.iter().any(|(_, why)| matches!(why, NotSearched::Failed(_)));
        let not_searched: HashSet<&Path> = failed.iter().map(|(path, _)| &**path).collect();
        for directory in self.discovery.directories().filter(|path| !not_searched.contains(path)) {
            self.refusals.accept_directory(directory);
        }
        self.refusals.forget_too_deep(&not_searched);
        for (directory, why) in failed {
            let stat = self.discovery.stat_directory(directory).ok();
            self.refusals.refuse_directory(directory, why, stat);
        }
    }

    fn may_be_known(&self, stat: &Stat) -> bool {
        self.known.as_ref().is_some_and(|known| known.has_inode(stat.id.ino))
    }
}
