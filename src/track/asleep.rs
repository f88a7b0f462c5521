//! Which files are followed, of very many: those that have something unread, and as many others as there is room for.
//!
//! A followed file takes some 900 bytes. When there are many, those that are read to their ends fall *asleep*: what is known of them
//! goes into the checkpoint, as if this process had ended, and 40 bytes in memory tell whether they have changed. A sleeping file is
//! woken, by a hint or by the look at all patterns, as a file is met that an earlier process left: so what holds for a restart
//! holds for it, wherever it was renamed or copied to.
//!
//! If all that are followed have something unread, those that were just read put the rest off for others, so nobody is kept waiting by
//! whoever writes most.
//!
//! LOSS: a sleeping file is closed. What a writer writes to it after it was deleted is lost; of a file that is open, it is not.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::clock;
use super::start::copied_paths;
use super::tracker::Tracker;
use crate::paths::beneath::Stat;
use crate::read::buffer::Buffer;
use crate::shelf::entry::path_sum;
use crate::shelf::followed::{Followed, Queue};
use crate::shelf::known::Left;
use crate::shelf::lineage::Key;

/// How many files are followed at most, fewer if very many are asleep, and how many more if they are older ones of those.
const FOLLOWED_MAX: usize = 2048;
const FOLLOWED_MIN: usize = 512;
const ELDERS_MAX: usize = 512;

/// How much memory a followed file takes, about, and how much may be taken by those that are asleep before fewer are followed.
const FOLLOWED_BYTES: usize = 1024;
const ASLEEP_BYTES_FREE: usize = 1 << 20;

/// From how many files on those that have been quiet for a while fall asleep: fewer take no room, and are better kept open.
const ASLEEP_FROM: usize = 1024;

/// How long a file must have been quiet then.
const QUIET: Duration = Duration::from_secs(60);

/// How many fall asleep at one time, at most.
const LULLED_MAX: usize = 256;

/// A file whose change is younger than this may have changed again without showing it: the file system's clock is coarse.
const MTIME_DOUBT_NS: i64 = 50_000_000;

/// Returns whether a file is as the checkpoint can say it: nothing of it is under way.
fn is_at_rest(file: &Followed, is_quiet: bool) -> bool {
    let is_waiting = file.is_record_waiting || file.is_record_due || file.goes_first || file.is_put_off;
    let is_under_way = file.room.work.is_under_way() || file.room.is_to_be_truncated || file.room.due.is_now();
    !file.is_detached
        && !is_waiting
        && !is_under_way
        && file.progress.is_delivered()
        && file.cut_line.is_none()
        && file.follower.is_at_rest(is_quiet)
}

/// Returns what a file was when all of it was read, if all of it was; NULs at its end that nothing follows count as read.
fn read_whole(file: &Followed) -> Option<Left> {
    if let Some((size, mtime)) = file.closed_at.as_deref() {
        return Some(Left::Read(*size, *mtime));
    }
    let stat = file.follower.file().and_then(Stat::of).ok()?;
    let is_whole = stat.size == file.follower.read_to();
    let is_certain = clock::time().saturating_sub(stat.mtime) >= MTIME_DOUBT_NS;
    is_whole.then_some(if is_certain { Left::Read(stat.size, stat.mtime) } else { Left::Doubtful })
}

impl Tracker {
    /// Returns how many files are followed at most.
    pub(super) fn followed_max(&self) -> usize {
        let asleep_bytes = self.asleep() * self.checkpoint.asleep_bytes();
        let fewer = asleep_bytes.saturating_sub(ASLEEP_BYTES_FREE) / FOLLOWED_BYTES;
        FOLLOWED_MAX.saturating_sub(fewer).max(FOLLOWED_MIN)
    }

    /// Returns whether another file could be told from those that are known.
    pub(super) fn may_remember_more(&self) -> bool {
        self.files.count() + self.asleep() < self.checkpoint.files_max()
    }

    /// Makes a place for another file, if there is none: one that is new, known, or an elder of one that is followed. Returns whether
    /// there is one.
    pub(super) fn has_place(&mut self, is_known: bool, is_elder: bool) -> bool {
        if !is_known && !self.may_remember_more() {
            return false;
        }
        let most = self.followed_max() + if is_elder { ELDERS_MAX } else { 0 };
        if self.files.count() < most {
            return true;
        }
        self.sweep.is_full = self.sweep.is_full || self.lull(Duration::ZERO) == 0;
        !self.sweep.is_full
    }

    /// At the tick: has files fall asleep that have been quiet for long, if there are many.
    pub(super) fn lull_in_time(&mut self) {
        if self.files.count() > self.followed_max() {
            self.lull(Duration::ZERO);
        } else if self.files.count() > ASLEEP_FROM {
            self.lull(QUIET);
        }
    }

    /// Has files fall asleep that are read to their ends, those first that have been quiet for longest. Returns how many did.
    fn lull(&mut self, quiet: Duration) -> usize {
        let now = Instant::now();
        // Of one that sleeps no last line is finished in time.
        let finishes_lines = self.is_ending || self.config.partial_timeout.is_some();
        let is_tired = |file: &Followed| {
            let is_for = now.saturating_duration_since(file.active);
            let is_finished = !finishes_lines || file.follower.unfinished_bytes() == 0;
            is_finished && file.queue == Queue::None && is_for >= quiet && is_at_rest(file, is_for >= QUIET)
        };
        let mut tired: Vec<_> =
            self.files.iter().filter(|(_, file)| is_tired(file)).map(|(key, file)| (file.active, key)).collect();
        tired.sort_unstable();
        let mut lulled = 0;
        for (_, key) in tired {
            let Some(file) = self.files.file(key) else { continue };
            match read_whole(file) {
                Some(left) => lulled += usize::from(self.fall_asleep(key, left)),
                None => self.files.make_ready(key),
            }
            if lulled >= LULLED_MAX {
                break;
            }
        }
        lulled
    }

    /// Finishes the last lines of the files that are read to them, near the end and if others need their places: so they are streamed
    /// while those are woken.
    pub(super) fn finish_lines_for_others(&mut self) {
        if !self.is_ending || self.asleep() == 0 {
            return;
        }
        let is_read = |file: &Followed| file.queue == Queue::None && is_at_rest(file, true);
        for key in self.files.keys(|file| is_read(file) && file.follower.unfinished_bytes() > 0) {
            if let Some(file) = self.files.file(key) {
                file.follower.finish_line();
            }
            self.files.make_ready(key);
        }
    }

    /// Has files that were just read put off what they have left, for others. Returns how many did.
    pub(super) fn put_off_noisy(&mut self) -> usize {
        if self.is_ending {
            return 0;
        }
        let is_served = |file: &Followed| file.is_served && file.queue != Queue::Held && is_at_rest(file, true);
        // What is known of one that was truncated is of interest for a while.
        let order = |(key, file): (Key, &Followed)| (file.follower.earlier().is_some(), Reverse(file.active), key);
        let mut served: Vec<_> = self.files.iter().filter(|(_, file)| is_served(file)).map(order).collect();
        served.sort_unstable();
        let put_off = served.into_iter().take(LULLED_MAX).filter(|(.., key)| self.fall_asleep(*key, Left::Unread));
        put_off.count()
    }

    /// Has a file fall asleep. Returns whether it could.
    fn fall_asleep(&mut self, key: Key, left: Left) -> bool {
        if self.checkpoint.is_kept() && !self.save(key) {
            return false;
        }
        let (Some(file), Some(known)) = (self.files.by_key(key), &mut self.known) else { return false };
        if !self.checkpoint.lull(known, file.slot, (file.entry(), left), self.sweep.number) {
            return false;
        }
        self.files.remove(key);
        true
    }

    /// Returns whether a file sleeps that was first followed at a path, or at one that a file of this path may have had before it was
    /// rotated.
    pub(super) fn has_slept_at(&self, path: &Path) -> bool {
        let Some(known) = self.known.as_ref().filter(|known| known.asleep() > 0) else { return false };
        known.has_asleep_at(path_sum(path)) || self.origins_of(path).any(|path| known.has_asleep_at(path_sum(&path)))
    }

    /// Wakes the sleeping files of which one at this path may be a copy; says whether none of them sleeps any more.
    pub(super) fn wake_originals(&mut self, path: &Path, buffer: &mut Buffer) -> bool {
        if self.asleep() == 0 {
            return true;
        }
        let originals: Vec<PathBuf> = copied_paths(path)
            .filter(|path| self.known.as_ref().is_some_and(|known| known.has_asleep_at(path_sum(path))))
            .collect();
        let mut are_all_awake = true;
        for found in originals.iter().filter_map(|path| self.discovery.look(path)).collect::<Vec<_>>() {
            let Some(stat) = found.stat.as_ref().ok().copied() else { continue };
            let is_asleep = |tracker: &Self| tracker.known.as_ref().is_some_and(|known| known.is_asleep(stat.id));
            if is_asleep(self) {
                self.begin(&found, stat, buffer);
                are_all_awake &= !is_asleep(self);
            }
        }
        are_all_awake
    }

    /// Returns whether a sleeping file must be woken although it has not changed: at the end its last line is finished, and before
    /// that the room may be wanted that it takes.
    pub(super) fn must_wake(&self, stat: &Stat) -> bool {
        if !self.is_ending {
            return self.is_wanted_for_room(stat);
        }
        let Some(known) = self.known.as_ref() else { return false };
        known.has_asleep_inode(stat.id.ino) && known.file(stat.id).is_some_and(|one| one.position.offset < stat.size)
    }

    /// Prepares for the end: what sleeps and has an unfinished line is woken by the next look at all patterns.
    pub(crate) fn prepare_end(&mut self) {
        self.is_ending = true;
    }

    /// Returns how many files are asleep.
    #[must_use]
    pub(crate) fn asleep(&self) -> usize {
        self.known.as_ref().map_or(0, |known| known.asleep())
    }

    /// Takes the files that were opened since this was last asked, near the end.
    pub(crate) fn take_opened_late(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.opened_late)
    }
}
