//! What is wrong with the directories of logs, and whether their volumes have room for the configured sizes.

use std::io;
use std::path::Path;

use super::found_directory::Directory;
use super::survey::Survey;
use crate::disk::lock::rotated_already;
use crate::disk::policy::Budget;
use crate::paths::beneath::Stat;
use crate::paths::open_directory::OpenDirectory;
use crate::paths::roots::Roots;
use crate::reclaim::ledger::share_of_volume;
use crate::report::finding::Kind;
use crate::report::message::counted;
use crate::report::refusal::Refusal;
use crate::sys::units;

impl Survey<'_> {
    /// Looks at a directory, unless that was done already, and returns its index.
    pub(super) fn directory(&mut self, path: &Path, opened: io::Result<OpenDirectory>) -> usize {
        if let Some(index) = self.directories.iter().position(|known| known.path == path) {
            return index;
        }
        let state = self.checkpoint.open_lock_directory(path);
        let directory =
            opened.and_then(|opened| Directory::look(path, &opened, state.as_ref())).unwrap_or_else(|why| Directory {
                path: path.to_owned(),
                file_system: "-".to_owned(),
                not_tried: Some(why.to_string()),
                unwritable: Some(Refusal::from(why).explained(None, true)),
                birth_times: true,
                ..Directory::default()
            });
        self.judge_directory(&directory, path);
        self.directories.push(directory);
        self.directories.len() - 1
    }

    /// Finds what prevents rotation in a directory, and what its volume lacks.
    fn judge_directory(&mut self, directory: &Directory, path: &Path) {
        let policy = &self.config.rotate;
        if policy.is_on() && directory.rotated_now && self.state.is_kept() && !self.state.is_in_use() {
            self.findings.push(rotated_already(path));
        }
        if let Some(why) = directory.unwritable.as_ref().filter(|_| policy.keep > 0) {
            let keep = policy.keep;
            self.find_of(
                path,
                Kind::Archives,
                format!("cannot create archives in {} (SIDETAIL_ROTATE_KEEP={keep}): {why}", path.display()),
            );
        }
        let Some(device) = directory.stat.map(|stat| stat.id.dev) else { return };
        if !directory.birth_times && self.is_news(Kind::BirthTimes, device) {
            self.find_of(
                path,
                Kind::BirthTimes,
                format!(
                    "the file system of {} records no birth times, so sidetail misses rotated files that it never \
                     saw under their first name; put the logs on an emptyDir on ext4, xfs or tmpfs",
                    path.display()
                ),
            );
        }
        let Directory { size, available, .. } = *directory;
        if available < size / 10 && self.is_news(Kind::NearlyFull, device) {
            let way_out = if policy.is_on() { "" } else { "set SIDETAIL_ROTATE_SIZE, such as 8Mi, or " };
            self.find_of(
                path,
                Kind::NearlyFull,
                format!(
                    "the volume of {} is nearly full ({} of {} are free), and the kubelet evicts pods when less than \
                     a tenth of a node's disk is free; {way_out}give it more space",
                    path.display(),
                    units::shown(available),
                    units::shown(size)
                ),
            );
        }
    }

    /// Returns whether this kind of finding is new for the device, and remembers it.
    pub(super) fn is_news(&mut self, kind: Kind, device: u64) -> bool {
        let is_news = !self.asked.contains(&(kind, device));
        self.asked.push((kind, device));
        is_news
    }

    /// Compares the configured sizes with the volumes.
    pub(super) fn weigh(&mut self) {
        let policy = &self.config.rotate;
        let (budget, wanted) = (policy.budget, policy.size.map(|size| (size, policy.step_bytes())));
        for index in 0..self.directories.len() {
            let Directory { ref path, size, stat: Some(Stat { id, .. }), .. } = self.directories[index] else {
                continue;
            };
            let path = path.clone();
            if size > 0 && !self.weighed.contains(&id.dev) {
                self.weighed.push(id.dev);
                self.weigh_volume(&path, size, id.dev, budget, wanted);
            }
        }
        if budget == Budget::Auto {
            let roots = Roots::new(self.config.links);
            for root in self.config.paths.iter().filter_map(|pattern| roots.open(&pattern.root).ok()) {
                self.findings.extend(share_of_volume(&root).err());
            }
        }
    }

    fn weigh_volume(&mut self, path: &Path, size: u64, device: u64, budget: Budget, wanted: Option<(u64, u64)>) {
        let (shown, volume) = (units::shown, path.display());
        match (budget, wanted) {
            (Budget::Bytes(bytes), _) if bytes > size => self.find_of(
                path,
                Kind::Budget,
                format!(
                    "SIDETAIL_DIR_BUDGET={} is larger than the volume of {volume} ({}), which fills up first; use \
                     less, such as {}",
                    shown(bytes),
                    shown(size),
                    shown(size / 5 * 4)
                ),
            ),
            (Budget::Off, Some((rotate_size, step))) => {
                let files = self.devices.iter().filter(|one| **one == device).count() as u64;
                if files.saturating_mul(rotate_size.saturating_add(step)) > size {
                    self.find_of(
                        path,
                        Kind::RotateSize,
                        format!(
                            "{} of SIDETAIL_ROTATE_SIZE={} with a step of {} do not fit the volume \
                             of {volume} ({}); use a smaller size, or set SIDETAIL_DIR_BUDGET, such as {}",
                            counted(files, "file"),
                            shown(rotate_size),
                            shown(step),
                            shown(size),
                            shown(size / 5 * 4)
                        ),
                    );
                }
            }
            _ => {}
        }
    }
}
