//! How much all followed directories take together: `DIR_BUDGET`, and volumes that are full.
//!
//! What is over the budget goes in this order: the oldest archives, then everything that was streamed, archived or not. What
//! was not streamed never goes; if that alone is too much, a reader has stalled, and that is told each minute.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FileType, StatVfs};

use super::archiving::entries;
use super::rotation::{Rotation, is_time, is_unsure, look_at_room};
use crate::disk::policy::{Budget, Intent};
use crate::paths::beneath::{FileId, Stat};
use crate::shelf::checkpoint::DIRECTORY;
use crate::shelf::files::{Followed, Key};
use crate::track::tracker::Tracker;

/// How often it is told that unread bytes alone exceed the budget.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// How long there must be too much before it is told: one look and the next.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// A volume with less room than this, and less than a 64th of it, is full.
const ROOM_MIN: u64 = 16 << 20;

/// What is remembered from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The budget of each device, or of all together (no device); found out at the first look.
    limits: Option<Vec<(Option<u64>, u64)>>,
    /// How many of the patterns' directories were there then.
    roots: usize,
    /// How much was streamed since the last look, in bytes.
    streamed: u64,
    /// Since when there is too much, and nothing to be given back.
    over_since: Option<Instant>,
    /// When it was last told that the budget is exceeded.
    told: Option<Instant>,
}

impl Ledger {
    /// Notes that so much was streamed; says whether it is time for another look.
    pub(crate) fn add(&mut self, bytes: u64) -> bool {
        self.streamed += bytes;
        let Some(limits) = &self.limits else { return true };
        limits.iter().any(|(_, limit)| self.streamed >= limit / 16)
    }
}

/// What is too much.
#[derive(Debug, Clone, Copy)]
struct Excess {
    /// On which device; `None` for all.
    device: Option<u64>,
    used_bytes: u64,
    limit_bytes: u64,
    /// Whether it is not the budget that is exceeded, but the volume that is full, of whatever.
    is_volume: bool,
}

impl Excess {
    /// Returns how much has to go: down to three quarters of the budget, so that it does not come back at once.
    fn bytes(self) -> u64 {
        self.used_bytes.saturating_sub(self.limit_bytes / 4 * 3)
    }

    fn is_on(self, id: FileId) -> bool {
        self.device.is_none_or(|device| device == id.dev)
    }
}

impl Tracker {
    /// Holds what the followed directories take against the budget, and gives back what is too much.
    pub(crate) fn look_at_budget(&mut self, now: Instant) {
        if self.rotation.is_none() || !self.checkpoint.is_kept() {
            return;
        }
        let mut stuck = None;
        // What the budget has taken may be enough for a volume that was full.
        for look in [Self::over_budget, Self::full_volumes] {
            stuck = self.give_excess_back(look).or(stuck);
        }
        self.tell_excess(stuck, now);
        self.flush_wanted();
    }

    /// Gives back what is too much, and returns what cannot be given back.
    fn give_excess_back(&mut self, look: fn(&mut Self) -> Vec<Excess>) -> Option<Excess> {
        let mut stuck = None;
        for excess in look(self) {
            let freed = self.delete_archives(excess);
            if freed < excess.bytes() && !self.give_all_back(excess) {
                stuck = Some(excess);
            }
        }
        stuck
    }

    fn over_budget(&mut self) -> Vec<Excess> {
        let Some(limits) = self.limits().filter(|limits| !limits.is_empty()) else { return Vec::new() };
        let used = self.used();
        let of_device = |device: Option<u64>| {
            let on_it = used.iter().filter(|stat| device.is_none_or(|device| device == stat.id.dev));
            on_it.map(|stat| stat.allocated_bytes).sum()
        };
        let used_of_limits: Vec<_> = limits.iter().map(|(device, limit)| (of_device(*device), *limit)).collect();
        self.totals.note_budget(&used_of_limits);
        let excesses = limits.into_iter().zip(used_of_limits).map(|((device, limit_bytes), (used_bytes, _))| {
            // A little below it: what is written until the next look must fit too.
            Excess { device, used_bytes, limit_bytes: limit_bytes - limit_bytes / 8, is_volume: false }
        });
        excesses.filter(|excess| excess.used_bytes > excess.limit_bytes).collect()
    }

    /// Returns the budget of each device, or of all together.
    fn limits(&mut self) -> Option<Vec<(Option<u64>, u64)>> {
        let roots: Vec<PathBuf> = self.discovery.roots().map(Path::to_owned).collect();
        let Rotation { policy, ledger, .. } = self.rotation.as_deref_mut()?;
        ledger.streamed = 0;
        let roots: Vec<_> = roots.into_iter().filter(|root| root.exists()).collect();
        if ledger.limits.is_none() || ledger.roots != roots.len() {
            ledger.roots = roots.len();
            let mut limits = match policy.budget {
                Budget::Off => Vec::new(),
                Budget::Bytes(bytes) => vec![(None, bytes)],
                Budget::Auto => roots.iter().filter_map(|root| share_of_volume(root)).collect(),
            };
            // Several directories may be on one volume.
            let mut seen = Vec::new();
            limits.retain(|(device, _)| {
                !seen.contains(device) && {
                    seen.push(*device);
                    true
                }
            });
            ledger.limits = Some(limits);
        }
        ledger.limits.clone()
    }

    /// Returns every file in the followed directories, once, whatever number of names it has.
    fn used(&self) -> Vec<Stat> {
        let mut used: Vec<Stat> = Vec::new();
        let mut with_names = HashSet::new();
        for directory in self.discovery.directories() {
            for directory in [directory.to_owned(), directory.join(DIRECTORY)] {
                // One that cannot be listed now is told of where it is walked.
                for (_, stat) in entries(&directory).unwrap_or_default() {
                    let is_counted =
                        stat.links > 1 && stat.kind == FileType::RegularFile && !with_names.insert(stat.id);
                    used.extend(Some(stat).filter(|_| !is_counted));
                }
            }
        }
        used
    }

    /// Volumes on which nobody can write any more: they count as far over their budget.
    fn full_volumes(&mut self) -> Vec<Excess> {
        let mut full: Vec<Excess> = Vec::new();
        for root in self.discovery.roots() {
            let (Ok(device), Ok(volume)) = (device_of(root), rustix::fs::statvfs(root)) else { continue };
            let size = volume_bytes(&volume);
            if size > 0 && volume.f_bavail * volume.f_frsize < ROOM_MIN.min(size / 64) {
                let limit_bytes = size - size / 16;
                full.push(Excess { device: Some(device), used_bytes: size, limit_bytes, is_volume: true });
            }
        }
        full.dedup_by_key(|excess| excess.device);
        full
    }

    /// Deletes archives, oldest first, until enough is free; returns how much that is.
    fn delete_archives(&mut self, excess: Excess) -> u64 {
        if self.rotation.as_ref().is_none_or(|rotation| rotation.policy.keep == 0) {
            return 0;
        }
        let mut archives = self.all_archives();
        archives.retain(|(_, archive)| excess.is_on(archive.id));
        archives.sort_by_key(|(_, archive)| archive.mtime);
        let mut freed = 0;
        for (log, archive) in archives {
            if freed >= excess.bytes() {
                break;
            }
            if self.delete_archive(&log, &archive, "the budget is exceeded").is_ok() {
                freed += archive.allocated_bytes;
            }
        }
        freed
    }

    /// Gives everything back that was streamed, without archives; says whether that is anything.
    fn give_all_back(&mut self, excess: Excess) -> bool {
        self.give_draft_up();
        let Some(rotation) = &mut self.rotation else { return false };
        let mut is_anything =
            rotation.archiving.is_some() || self.files.iter().any(|(_, file)| file.room.wanted.is_some());
        let can_give =
            |file: &Followed| file.follower.is_open() && file.room.intent == Intent::None && !is_unsure(file);
        for key in self.files.keys(|file| excess.is_on(file.follower.id()) && can_give(file)) {
            let Some(file) = self.files.file(key) else { continue };
            let Ok(stat) = look_at_room(file) else { continue };
            let end = file.room.limit(stat.block_bytes);
            let is_refused = !file.room.lacks_space && file.room.retry.is_some_and(|retry| Instant::now() < retry);
            if end > file.room.kept.unwrap_or(0) && stat.allocated_bytes > stat.block_bytes && !is_refused {
                rotation.want(&mut file.room, end);
                is_anything = true;
            }
        }
        is_anything
    }

    /// Tells each minute of what is too much and cannot be given back; not at once, it may be about to be streamed.
    fn tell_excess(&mut self, excess: Option<Excess>, now: Instant) {
        let Some(Rotation { ledger, .. }) = self.rotation.as_deref_mut() else { return };
        let Some(excess) = excess else {
            ledger.over_since = None;
            return;
        };
        let is_early = now.duration_since(*ledger.over_since.get_or_insert(now)) < TOLD_AFTER;
        if is_early || !is_time(ledger.told, TOLD_EVERY, now) {
            return;
        }
        ledger.told = Some(now);
        let unread = |(_, file): (Key, &Followed)| {
            let stat = file.follower.file().and_then(Stat::of).ok()?;
            excess.is_on(stat.id).then(|| stat.size.saturating_sub(file.follower.offset()))
        };
        let unread_bytes: u64 = self.files.iter().filter_map(unread).sum();
        let Excess { used_bytes, limit_bytes, is_volume, .. } = excess;
        let why = if unread_bytes >= excess.bytes() {
            "because stdout or stderr is stalled"
        } else {
            "the rest is other files"
        };
        if is_volume {
            return tracing::warn!(
                "the volume of the followed directories is full, {used_bytes} bytes: {unread_bytes} bytes of the logs are not \
                 streamed yet, {why}; what is not streamed is never deleted, see that the streams are read, or give the \
                 volume more room"
            );
        }
        tracing::warn!(
            "the followed directories take {used_bytes} bytes, more than the {limit_bytes} that SIDETAIL_DIR_BUDGET \
             leaves them: {unread_bytes} bytes are not streamed yet, {why}; what is not streamed is never deleted, see that \
             the streams are read, or give the volume more room"
        );
    }
}

fn device_of(directory: &Path) -> io::Result<u64> {
    Ok(Stat::of(std::fs::File::open(directory)?)?.id.dev)
}

fn volume_bytes(volume: &StatVfs) -> u64 {
    volume.f_blocks * volume.f_frsize
}

/// Returns the device of a directory and 80 % of its volume, if that is a file system of its own: mounted as a whole, and not as
/// the machine's root. A directory of the node's disk, as an emptyDir without `medium` is one, is none; that is told.
#[must_use]
pub fn share_of_volume(directory: &Path) -> Option<(Option<u64>, u64)> {
    let size = volume_bytes(&rustix::fs::statvfs(directory).ok()?);
    let directory = std::fs::canonicalize(directory).ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    if !is_own_volume(&mounts, &directory) || size == 0 {
        tracing::warn!(
            "SIDETAIL_DIR_BUDGET=auto: {} is no file system of its own with a size; there is no budget, write one, such as 48Mi",
            directory.display()
        );
        return None;
    }
    Some((Some(device_of(&directory).ok()?), size / 5 * 4))
}

/// Says whether a directory is on a file system that is mounted as a whole, elsewhere than at `/`.
///
/// Source: proc_pid_mountinfo(5): the fourth field is what of the file system is mounted, the fifth is where.
fn is_own_volume(mounts: &str, directory: &Path) -> bool {
    let fields = |line: &str| {
        let mut fields = line.split(' ').skip(3);
        Some((fields.next()?.to_owned(), PathBuf::from(fields.next()?.replace("\\040", " "))))
    };
    let above = mounts.lines().filter_map(fields).filter(|(_, at)| directory.starts_with(at));
    // Of several at one place the last one is seen.
    above.max_by_key(|(_, at)| at.components().count()).is_some_and(|(what, at)| what == "/" && at != Path::new("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_each_minute() {
        let told = Instant::now();
        for (last, seconds, expected) in
            [(None, 0, true), (Some(told), 0, false), (Some(told), 59, false), (Some(told), 60, true)]
        {
            let now = told + Duration::from_secs(seconds);
            assert_eq!(is_time(last, TOLD_EVERY, now), expected, "{last:?}, {seconds} s");
        }
    }

    #[test]
    fn a_volume_is_of_its_own_if_all_of_it_is_mounted() {
        let mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n\
                      30 22 0:26 / /var/log rw - tmpfs tmpfs rw,size=65536k\n\
                      31 22 254:0 /pods/uid/logs /logs rw - ext4 /dev/vda rw\n\
                      32 22 0:27 / /with\\040blank rw - tmpfs tmpfs rw\n";
        for (directory, expected) in
            [("/var/log/app", true), ("/var/log", true), ("/logs", false), ("/var", false), ("/with blank/x", true)]
        {
            assert_eq!(is_own_volume(mounts, Path::new(directory)), expected, "{directory}");
        }
    }
}
