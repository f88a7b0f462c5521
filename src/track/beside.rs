//! Generations that nobody has seen: rotated again before the last rotation was looked at, to names that say nothing, or into another
//! directory. Where the file went that was at the path, which is held open, and what it is called there, shows where they are.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::FileType;

use super::start::earlier_paths;
use super::tracker::Tracker;
use crate::paths::beneath::{Stat, real_path};
use crate::paths::siblings::earlier_names;
use crate::read::buffer::Buffer;
use crate::shelf::files::Followed;
use crate::shelf::lineage::{Key, Lineage};

/// How many files that just left their paths are asked where they are.
const ASKED_MAX: usize = 64;

/// Among more files no order is looked for: it takes a look at each.
const ORDERED_MAX: usize = 2048;

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
        if self.files.count() > ORDERED_MAX {
            return;
        }
        for key in begun.into_iter().take(ASKED_MAX) {
            let Some(file) = self.files.file(key).filter(|file| !file.is_detached) else { continue };
            let (path, birth) = (Rc::clone(&file.path), file.birth());
            let is_older = |other: &Followed| {
                other.birth() < birth && other.path.parent() == path.parent() && are_alike(&other.path, &path)
            };
            // What a truncated one holds now comes after what a copy of it has.
            let is_cut = |file: &Followed, buffer: &mut Buffer| {
                file.follower.earlier().is_some() || file.follower.has_changed(buffer).unwrap_or(true)
            };
            let unread = |file: &Followed| {
                let size = file.follower.file().and_then(Stat::of).map_or(0, |stat| stat.size);
                Some(size).filter(|size| file.follower.unread_bytes(*size) > 0)
            };
            let older = self.files.iter().filter(|(_, file)| is_older(file));
            let older = older.filter(|(_, file)| !is_cut(file, buffer));
            let older: Vec<_> = older.filter_map(|(key, file)| Some((key, unread(file)?))).collect();
            self.files.wait_for_older(key, older);
        }
    }

    /// Returns where a file is now that left its path, and that path, if its name does not show that already.
    fn place_of(&mut self, key: Key) -> Option<(PathBuf, PathBuf)> {
        let file = self.files.file(key).filter(|file| file.is_detached)?;
        let opened = file.follower.file().ok()?;
        Stat::of(opened).ok().filter(|stat| stat.links > 0)?;
        let (place, path) = (real_path(opened)?, file.lineage.path.to_path_buf());
        let is_told = earlier_paths(&place).any(|earlier| earlier == path) || place == path;
        (!is_told).then_some((place, path))
    }

    fn look_beside(&mut self, place: &Path, directory: &Path, lineage: &Rc<Lineage>, buffer: &mut Buffer) {
        let (Some(name), Some(log)) = (place.file_name(), lineage.path.file_name()) else { return };
        let shape = shape_of(name.as_bytes());
        let mut rotated = Vec::new();
        let is_alike = |other: &Path, kind: FileType, _inode: u64| {
            let other = other.file_name().unwrap_or_default().as_bytes();
            let is_of_log = || earlier_names(other).iter().any(|earlier| earlier == log.as_bytes());
            matches!(kind, FileType::RegularFile | FileType::Unknown) && (shape_of(other) == shape || is_of_log())
        };
        for (other, ..) in self.discovery.entries(directory, is_alike) {
            let found = self.discovery.look_beneath(&lineage.root, &other);
            if let Ok(stat) = found.stat
                && stat.kind == FileType::RegularFile
            {
                rotated.push((stat.id.btime, stat, found));
            }
        }
        rotated.sort_by_key(|(born, ..)| *born);
        for (_, stat, found) in rotated {
            self.meet_rotated(&found, stat, lineage, true, buffer);
        }
        self.files.oldest_first();
    }
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
        || shape_of(one) == shape_of(other)
}

/// Returns a name without its numbers.
fn shape_of(name: &[u8]) -> Vec<u8> {
    let mut shape = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'0'..=b'9' if shape.last() == Some(&b'0') => {}
            b'0'..=b'9' => shape.push(b'0'),
            other => shape.push(*other),
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_scheme_have_one_shape() {
        for (one, other, expected) in [
            ("app.log.K1x", "app.log.K20x", true),
            ("@400000000001.s", "@400000000002.s", true),
            ("app.log.K1x", "app.log.lock", false),
            ("app.log.1", "app.log.", false),
        ] {
            assert_eq!(shape_of(one.as_bytes()) == shape_of(other.as_bytes()), expected, "{one}, {other}");
        }
    }
}
