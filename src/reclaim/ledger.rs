//! What the followed directories take together, and what they may: the budget, and the volumes that they are on.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{FileType, StatVfs};

use crate::disk::policy::Budget;
use crate::paths::beneath::{FileId, Root, Stat, real_path};
use crate::paths::discover::Discovery;
use crate::report::finding::{Finding, Kind};
use crate::shelf::state_directory::DIRECTORY;

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
    /// Since when there is too much, and nothing to be reclaimed.
    pub(super) over_since: Option<Instant>,
    /// When the exceeded budget was last reported.
    pub(super) told: Option<Instant>,
}

impl Ledger {
    /// Notes how much was streamed; returns whether it is time for another look.
    pub(super) fn add(&mut self, bytes: u64) -> bool {
        self.streamed += bytes;
        let Some(limits) = &self.limits else { return true };
        limits.iter().any(|(_, limit)| self.streamed >= limit / 16)
    }

    /// Begins another look, and returns the budget of each device, or of all together.
    pub(super) fn limits(&mut self, budget: Budget, discovery: &Discovery) -> Vec<(Option<u64>, u64)> {
        self.streamed = 0;
        let roots: Vec<Root> = discovery.roots().filter_map(|root| discovery.open_root(root).ok()).collect();
        if let Some(limits) = self.limits.as_ref().filter(|_| self.roots == roots.len()) {
            return limits.clone();
        }
        self.roots = roots.len();
        let mut limits: Vec<(Option<u64>, u64)> = match budget {
            Budget::Off => Vec::new(),
            Budget::Bytes(bytes) => vec![(None, bytes)],
            Budget::Auto => roots.iter().filter_map(told_share).collect(),
        };
        // Several directories may be on one volume.
        let mut seen = HashSet::new();
        limits.retain(|(device, _)| seen.insert(*device));
        self.limits.insert(limits).clone()
    }
}

/// What is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exceeded {
    /// The budget.
    Budget,
    /// The volume itself, which is full, of whatever.
    Volume,
}

/// What is too much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Excess {
    pub(super) of: Exceeded,
    /// On which device; `None` for all.
    pub(super) device: Option<u64>,
    pub(super) used_bytes: u64,
    pub(super) limit_bytes: u64,
}

impl Excess {
    /// Returns what is too much of what is used within a budget, if anything is.
    pub(super) fn of_budget(device: Option<u64>, used_bytes: u64, budget_bytes: u64) -> Option<Self> {
        // A little below it: what is written until the next look must fit too.
        let limit_bytes = budget_bytes - budget_bytes / 8;
        Some(Self { of: Exceeded::Budget, device, used_bytes, limit_bytes }).filter(|_| used_bytes > limit_bytes)
    }

    /// Returns how much has to go: down to three quarters of the budget, so that it does not come back at once.
    pub(super) fn bytes(self) -> u64 {
        self.used_bytes.saturating_sub(self.limit_bytes / 4 * 3)
    }

    pub(super) fn is_on(self, id: FileId) -> bool {
        self.device.is_none_or(|device| device == id.dev)
    }
}

/// Returns every file in the followed directories, once, whatever number of names it has.
pub(super) fn used(discovery: &Discovery) -> Vec<Stat> {
    let mut used: Vec<Stat> = Vec::new();
    let mut with_names = HashSet::new();
    for directory in discovery.directories() {
        // One that cannot be listed now is told of where it is walked.
        let Ok(logs) = discovery.open_directory(directory) else { continue };
        let state = logs.directory(OsStr::new(DIRECTORY)).ok();
        for directory in [Some(logs), state].into_iter().flatten() {
            for (_, stat) in directory.entries().into_iter().flatten() {
                let is_counted = stat.links > 1 && stat.kind == FileType::RegularFile && !with_names.insert(stat.id);
                used.extend(Some(stat).filter(|_| !is_counted));
            }
        }
    }
    used
}

/// Volumes on which nobody can write any more: they count as far over their budget.
pub(super) fn full_volumes(discovery: &Discovery) -> Vec<Excess> {
    let mut full: Vec<Excess> = Vec::new();
    for root in discovery.roots() {
        let Ok(root) = discovery.open_root(root) else { continue };
        let (Ok(device), Ok(volume)) = (device_of(&root), rustix::fs::fstatvfs(root.descriptor())) else { continue };
        let size = volume_bytes(&volume);
        if size > 0 && volume.f_bavail * volume.f_frsize < ROOM_MIN.min(size / 64) {
            let limit_bytes = size - size / 16;
            full.push(Excess { of: Exceeded::Volume, device: Some(device), used_bytes: size, limit_bytes });
        }
    }
    full.dedup_by_key(|excess| excess.device);
    full
}

fn device_of(root: &Root) -> io::Result<u64> {
    Ok(Stat::of(root.descriptor())?.id.dev)
}

fn volume_bytes(volume: &StatVfs) -> u64 {
    volume.f_blocks * volume.f_frsize
}

/// The same as [`share_of_volume`]; logs it if there is none.
fn told_share(root: &Root) -> Option<(Option<u64>, u64)> {
    let share = share_of_volume(root).unwrap_or_else(|none| {
        none.tell();
        None
    });
    share.map(|(device, bytes)| (Some(device), bytes))
}

/// Returns the device of a directory and 80 % of its volume, if that is a file system of its own: mounted as a whole, and not as
/// the machine's root. A directory of the node's disk, as an emptyDir without `medium` is one, is none. Of one that cannot be
/// looked at nothing is known.
///
/// # Errors
/// What is found if it is none.
#[allow(clippy::disallowed_methods, reason = "what is in /proc is the kernel's")]
pub(crate) fn share_of_volume(root: &Root) -> Result<Option<(u64, u64)>, Finding> {
    let look = || {
        let size = volume_bytes(&rustix::fs::fstatvfs(root.descriptor()).ok()?);
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        Some((size, real_path(root.descriptor())?, mounts))
    };
    let Some((size, directory, mounts)) = look() else { return Ok(None) };
    if !is_own_volume(&mounts, &directory) || size == 0 {
        return Err(Finding::new(
            Kind::Budget,
            format!(
                "SIDETAIL_DIR_BUDGET=auto: {} is not a dedicated volume with a size limit, so there is no budget; \
                 set a size, such as 48Mi",
                directory.display()
            ),
        ));
    }
    Ok(device_of(root).ok().map(|device| (device, size / 5 * 4)))
}

/// Returns whether a directory is on a file system that is mounted as a whole, elsewhere than at `/`.
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
    use crate::paths::beneath::Links;
    use crate::paths::roots::Roots;

    #[test]
    fn what_is_too_much_goes_down_to_three_quarters() {
        assert!(Excess::of_budget(None, 70, 80).is_none());
        let excess = Excess::of_budget(Some(1), 71, 80).expect("more than seven eighths");
        assert_eq!((excess.limit_bytes, excess.bytes()), (70, 71 - 51));
        let id = |dev| FileId { dev, ino: 1, btime: 0 };
        assert!(excess.is_on(id(1)) && !excess.is_on(id(2)));
        assert!(Excess { device: None, ..excess }.is_on(id(2)), "all devices");
    }

    #[test]
    fn another_look_is_taken_when_a_sixteenth_was_streamed() {
        let mut ledger = Ledger::default();
        assert!(ledger.add(0), "nothing is known yet");
        ledger.limits = Some(vec![(None, 1600)]);
        for (bytes, expected) in [(99, false), (1, true)] {
            assert_eq!(ledger.add(bytes), expected, "{bytes} more");
        }
        ledger.limits = Some(Vec::new());
        assert!(!ledger.add(1 << 40), "there is no budget");
    }

    #[test]
    fn a_volume_that_is_none_of_its_own_is_found() {
        let text = "SIDETAIL_DIR_BUDGET=auto: / is not a dedicated volume with a size limit, so there is no budget; \
                    set a size, such as 48Mi";
        let root = Roots::new(Links::Inside).open(Path::new("/")).expect("it is there");
        assert_eq!(share_of_volume(&root), Err(Finding::new(Kind::Budget, text)));
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
