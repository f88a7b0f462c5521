//! Generations that nobody has seen: rotated again before the last rotation was looked at, to names that say nothing, or into another
//! directory. Where the file went that was at the path, which is held open, and what it is called there, shows where they are.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::FileType;

use super::start::earlier_paths;
use super::sweep_state::Oldest;
use super::tracker::Tracker;
use crate::paths::beneath::{Stat, real_path};
use crate::paths::siblings::{earlier_names, is_generation_beside, is_variation};
use crate::read::buffer::Buffer;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::{Key, Lineage};

/// How many files that just left their paths are asked where they are.
const ASKED_MAX: usize = 64;

/// How deep below the log's directory rotated files are, at most: `2026/11/28/10/`.
const LEVELS_MAX: usize = 4;

/// How many directories are looked into that differ in their dates, those that changed last.
const DIRECTORIES_MAX: usize = 64;

/// What the kernel puts behind the path of an open file that was deleted (proc_pid_fd(5)).
const DELETED: &[u8] = b" (deleted)";

/// Among more files no order is looked for: it takes a look at each. And how many names are compared with others, at most.
const ORDERED_MAX: usize = 2048;
const COMPARED_MAX: usize = 1 << 16;

impl Tracker {
    /// Looks beside files that just left their paths for others that were rotated as they were.
    pub(super) fn look_beside_rotated(&mut self, buffer: &mut Buffer) {
        let mut places = BTreeSet::new();
        for key in std::mem::take(&mut self.just_detached).into_iter().take(ASKED_MAX) {
            places.extend(self.place_of(key));
        }
        for (place, path) in places {
            let (Some(directory), Some(lineage)) = (place.parent(), self.files.lineage(&path)) else { continue };
            self.look_beside(&place, directory, &lineage, buffer);
        }
    }

    /// Has files that were just found wait with their first bytes for what older ones hold that are called alike: generations that a
    /// pattern matches, each of which is a file of its own.
    pub(super) fn order_begun(&mut self, buffer: &mut Buffer) {
        let begun = std::mem::take(&mut self.just_begun);
        if begun.is_empty() || self.files.count() > ORDERED_MAX {
            return;
        }
        let unread = |file: &Followed| {
            let size = file.follower.file().and_then(Stat::of).map_or(0, |stat| stat.size);
            Some(size).filter(|size| file.follower.unread_bytes(*size) > 0)
        };
        let unread: Vec<(Key, u64)> = self.files.iter().filter_map(|(key, file)| Some((key, unread(file)?))).collect();
        for &key in begun.iter().take(COMPARED_MAX / unread.len().max(1)) {
            self.wait_for_older_of(key, &unread, buffer);
        }
        if self.is_sweeping() {
            // What the look still comes across may be older.
            self.just_begun = begun;
        }
    }

    /// The same for one file, and those among these, with their sizes, that are older.
    fn wait_for_older_of(&mut self, key: Key, unread: &[(Key, u64)], buffer: &mut Buffer) {
        let is_at_beginning = |file: &&Followed| !file.is_detached && file.follower.offset() == 0;
        let Some(file) = self.files.by_key(key).filter(is_at_beginning) else { return };
        let is_older = |other: &Followed| {
            other.birth() < file.birth()
                && other.path.parent() == file.path.parent()
                && are_alike(&other.path, &file.path)
        };
        // What a truncated one holds now comes after what a copy of it has.
        let mut is_cut =
            |file: &Followed| file.follower.earlier().is_some() || file.follower.has_changed(buffer).unwrap_or(true);
        let mut must_wait_for = |file: &Followed| is_older(file) && !is_cut(file);
        let older = unread.iter().filter(|(one, _)| self.files.by_key(*one).is_some_and(&mut must_wait_for));
        let older = older.copied().collect();
        self.files.wait_for_older(key, older);
    }

    /// Has it looked beside the file that left the path of this lineage last, again: another one may have come and gone since then.
    pub(super) fn look_beside_last_of(&mut self, lineage: &Lineage) {
        let mut last = None;
        lineage.find_elder(|elder| {
            last = Some(elder);
            None::<()>
        });
        self.just_detached.extend(last);
    }

    /// Returns where a file is now that left its path, or was before it was deleted, and that path, if its name does not show that
    /// already.
    fn place_of(&mut self, key: Key) -> Option<(PathBuf, PathBuf)> {
        let file = self.files.file(key).filter(|file| file.is_detached)?;
        let place = last_path(file.follower.file().ok()?)?;
        let path = file.lineage.path.to_path_buf();
        let is_told = earlier_paths(&place).any(|earlier| earlier == path) || place == path;
        (!is_told).then_some((place, path))
    }

    fn look_beside(&mut self, place: &Path, directory: &Path, lineage: &Rc<Lineage>, buffer: &mut Buffer) {
        let (Some(seen), Some(log)) = (place.file_name(), lineage.path.file_name()) else { return };
        let present = self.discovery.look(&lineage.path).and_then(|found| found.stat.ok());
        let is_told = |name: &[u8]| earlier_names(name).iter().any(|earlier| earlier == log.as_bytes());
        // What sleeps and is matched by a pattern is met by the look at that.
        let sleeps = |other: &Path, inode: u64| {
            let known = self.known.as_ref();
            known.is_some_and(|known| known.has_asleep_inode(inode)) && self.discovery.is_matched(other)
        };
        let is_alike = |other: &Path, kind: FileType, inode: u64| {
            let name = other.file_name().unwrap_or_default().as_bytes();
            let is_generation = || is_generation_beside(log.as_bytes(), seen.as_bytes(), name) || is_told(name);
            matches!(kind, FileType::RegularFile | FileType::Unknown) && !sleeps(other, inode) && is_generation()
        };
        let generation_at = |tracker: &Self, other: &Path| {
            let found = tracker.discovery.look_beneath(&lineage.root, other);
            let stat = *found.stat.as_ref().ok().filter(|stat| stat.kind == FileType::RegularFile)?;
            // What is younger than the file at the path was not there before it.
            let was_before = present.is_none_or(|present| stat.id.btime <= present.id.btime || is_told(name_of(other)));
            (was_before && tracker.is_of_interest_as_rotated(other, &stat, lineage)).then_some((found, stat))
        };
        let mut oldest = Oldest::default();
        for directory in self.directories_beside(directory, lineage) {
            self.discovery.each_entry(&directory, |other, kind, inode| {
                if is_alike(other, kind, inode)
                    && !self.discovery.is_left_out(other)
                    && let Some((_, stat)) = generation_at(self, other)
                {
                    oldest.add((stat.id.btime, other.to_owned()));
                }
            });
        }
        let (oldest, is_all) = oldest.into_sorted();
        for (_, other) in oldest {
            if let Some((found, stat)) = generation_at(self, &other) {
                self.meet_rotated(&found, stat, lineage, true, buffer);
            }
        }
        if !is_all {
            self.leave_for_sweep();
        }
        self.files.oldest_first();
    }

    /// Returns the directory of a rotated file and, if it is below that of the log, those which differ from it in no more than
    /// generations do: `2026/11/29/` beside `2026/11/28/`.
    fn directories_beside(&self, directory: &Path, lineage: &Lineage) -> Vec<PathBuf> {
        let below = lineage.path.parent().and_then(|above| Some((above, directory.strip_prefix(above).ok()?)));
        let Some((above, below)) = below.filter(|(_, below)| below.components().count() <= LEVELS_MAX) else {
            return vec![directory.to_owned()];
        };
        let mut directories = vec![above.to_owned()];
        for level in below {
            let mut next = BinaryHeap::new();
            for above in &directories {
                self.discovery.each_entry(above, |other, kind, _| {
                    if kind == FileType::Directory
                        && is_variation(level.as_bytes(), name_of(other))
                        && !self.discovery.is_left_out(other)
                    {
                        next.push((Reverse(self.discovery.changed_at(other)), other.to_owned()));
                        if next.len() > DIRECTORIES_MAX {
                            next.pop();
                        }
                    }
                });
            }
            directories = next.into_sorted_vec().into_iter().map(|(_, path)| path).collect();
        }
        directories
    }
}

fn name_of(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_bytes()
}

/// Returns what an open file is called, or was called last before it was deleted.
fn last_path(file: &OwnedFd) -> Option<PathBuf> {
    let path = real_path(file)?;
    if Stat::of(file).is_ok_and(|stat| stat.links > 0) {
        return Some(path);
    }
    let name = path.file_name()?.as_bytes();
    Some(path.with_file_name(OsStr::from_bytes(name.strip_suffix(DELETED)?)))
}

/// Returns whether files of these paths may be generations of one log.
fn are_alike(one: &Path, other: &Path) -> bool {
    let (Some(one), Some(other)) = (one.file_name(), other.file_name()) else { return false };
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let stem = |log: &[u8]| memchr::memchr(b'.', log).filter(|dot| *dot > 0).unwrap_or(log.len());
    let is_of = |name: &[u8], log: &[u8]| {
        let holds_stem = memchr::memmem::find(name, &log[..stem(log)]).is_some();
        holds_stem && earlier_names(name).iter().any(|earlier| earlier == log)
    };
    one.starts_with(other)
        || other.starts_with(one)
        || is_of(one, other)
        || is_of(other, one)
        || is_variation(one, other)
}
