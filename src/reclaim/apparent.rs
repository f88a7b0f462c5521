//! The apparent size of files that are reclaimed by holes: it only grows, and on ext4 it ends at 16 TiB, where the
//! application's write fails.
//!
//! Past 1 TiB the hole is collapsed if the writer is known to append. Otherwise the file is truncated, at a moment when it is
//! quiet, everything of it is streamed, and nothing of it is left. A writer that goes on at its old offset makes the file as
//! long again; then a daily warning says on which day it will end.
//!
//! LOSS: what is written between the look at such a quiet file and its truncation, two system calls later.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::limits::{APPARENT_BYTES_MAX, is_time};
use super::state::Reclaim;
use crate::paths::beneath::Stat;
use crate::read::buffer::Buffer;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::shelf::room::Length;
use crate::track::clock;
use crate::track::tracker::Tracker;

/// Where ext4 ends, with blocks of 4 KiB, in bytes.
///
/// Source: <https://docs.kernel.org/filesystems/ext4/blockmap.html>
const EXT4_BYTES_MAX: u64 = 16 << 40;

/// File systems without such an end: xfs, tmpfs, btrfs; those of statfs(2).
const ENDLESS: [u64; 3] = [0x5846_5342, 0x0102_1994, 0x9123_683e];

/// How long a file must not have been written to.
const QUIET_NS: i64 = 2_000_000_000;

/// How long to wait for a quiet moment before the warning that a file will reach its end.
const WAITED_FOR_QUIET: Duration = Duration::from_secs(60);

/// How often to warn when a file will reach its end.
const TOLD_EVERY: Duration = Duration::from_secs(24 * 3600);

impl Reclaim {
    /// Sees to the files that have become very long.
    pub(super) fn look_at_apparent_sizes(&mut self, tracker: &mut Tracker, now: Instant, buffer: &mut Buffer) {
        for key in tracker.files.keys(|file| file.progress.noted() > APPARENT_BYTES_MAX && file.progress.is_delivered())
        {
            let Some(file) = tracker.files.file(key) else { continue };
            let Ok(opened) = file.follower.file() else { continue };
            let Ok(stat) = Stat::of(opened) else { continue };
            if is_endless(opened) {
                continue;
            }
            self.collapse(tracker, key, now);
            if tracker.files.file(key).is_none_or(|file| file.progress.noted() <= APPARENT_BYTES_MAX) {
                continue;
            }
            self.truncate_if_quiet(tracker, key, &stat, now, buffer);
            if let Some(file) = tracker.files.file(key) {
                tell_of_end(file, &stat, now);
            }
        }
    }

    fn truncate_if_quiet(&mut self, tracker: &mut Tracker, key: Key, stat: &Stat, now: Instant, buffer: &mut Buffer) {
        let Some(file) = tracker.files.file(key) else { return };
        let is_quiet = stat.size == file.progress.noted() && clock::time().saturating_sub(stat.mtime) > QUIET_NS;
        if !is_quiet || file.room.length == Length::TruncatedOnce {
            return;
        }
        if file.progress.reclaimable_bytes() > 2 * stat.block_bytes {
            file.room.due.became_too_long();
            return self.consider(tracker, key, now, buffer);
        }
        let truncated = tracker.may_change(key).and_then(|()| self.try_truncate(tracker, key, buffer));
        match truncated {
            Ok(true) => {
                self.begin_room_anew(tracker, key);
                if let Some(file) = tracker.files.file(key) {
                    file.room.length.truncated();
                }
            }
            Ok(false) => {}
            Err(why) => self.refuse(tracker, key, why, now),
        }
    }
}

/// Warns once per day when a file will be as long as ext4 allows.
fn tell_of_end(file: &mut Followed, stat: &Stat, now: Instant) {
    file.room.length.seen_long(now);
    // Perhaps it is only about to be truncated.
    let is_early = file.room.length.is_waiting(WAITED_FOR_QUIET, now);
    if is_early || !is_time(file.room.told_of_end, TOLD_EVERY, now) || file.progress.noted() <= APPARENT_BYTES_MAX {
        return;
    }
    file.room.told_of_end = Some(now);
    tracing::warn!(
        file = %file.path.display(),
        "{} seems to be {} bytes long, though little of it is on disk; its writer will fail at 16 TiB, around {}; \
         restart the application before then, or let it append and set shareProcessNamespace, so that sidetail can \
         collapse the hole",
        file.path.display(),
        stat.size,
        date(end(stat.size, stat.id.btime, clock::time()))
    );
}

fn is_endless(file: &OwnedFd) -> bool {
    // On an unknown file system it is better told in vain.
    rustix::fs::fstatfs(file).is_ok_and(|found| ENDLESS.contains(&(found.f_type as u64 & 0xffff_ffff)))
}

/// Returns when a file of this size, born at `birth`, will be as long as ext4 allows if it grows as until `now`, in seconds
/// since 1970; the others are in nanoseconds.
fn end(size: u64, birth: i64, now: i64) -> u64 {
    let seconds = |time: i64| u64::try_from(time / 1_000_000_000).unwrap_or(0);
    let age = seconds(now.saturating_sub(birth)).max(1);
    seconds(now).saturating_add(EXT4_BYTES_MAX.saturating_sub(size) / (size / age).max(1))
}

/// Returns the day of a time in seconds since 1970, as in 2026-01-31.
fn date(seconds: u64) -> String {
    // What is further away than humantime can say is no reason to hurry.
    let time = UNIX_EPOCH + Duration::from_secs(seconds.min(253_402_300_799));
    let mut text = humantime::format_rfc3339_seconds(time).to_string();
    text.truncate(10);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_ends_when_it_has_grown_on_as_until_now() {
        const DAY: u64 = 24 * 3600;
        let now = 1_800_000_000;
        for (tebibytes, age_days, days_left) in [(1, 1, 15), (8, 100, 100), (15, 30, 2), (16, 10, 0), (17, 10, 0)] {
            let birth = i64::try_from((now - age_days * DAY) * 1_000_000_000).expect("in range");
            let end = end(tebibytes << 40, birth, i64::try_from(now * 1_000_000_000).expect("in range"));
            assert_eq!((end - now + DAY / 2) / DAY, days_left, "{tebibytes} TiB in {age_days} days");
        }
    }

    #[test]
    fn it_is_told_each_day() {
        let told = Instant::now();
        assert!(!is_time(Some(told), TOLD_EVERY, told + Duration::from_secs(24 * 3600 - 1)));
        assert!(is_time(Some(told), TOLD_EVERY, told + Duration::from_secs(24 * 3600)));
    }

    #[test]
    fn days_are_written_as_people_do() {
        for (seconds, expected) in [(0, "1970-01-01"), (1_795_441_857, "2026-11-23"), (u64::MAX, "9999-12-31")] {
            assert_eq!(date(seconds), expected);
        }
    }
}
