//! Files that an earlier process followed, and that are at none of their paths any more: looked for by what they are, not by what
//! they are called. Whoever rotates gives them whatever name it likes, and puts them into another directory, too.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::FileType;

use super::rotated::kept_lineage;
use super::start::{Start, earlier_paths};
use super::tracker::Tracker;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::discover::Found;
use crate::read::buffer::Buffer;
use crate::shelf::entry::{KnownFile, path_sum};
use crate::shelf::lineage::Lineage;
use crate::shelf::state_directory::DIRECTORY;

/// How deep below a directory of logs rotated files are looked for: `old/`, `2026/11/28/`.
const DEPTH_MAX: usize = 3;

/// How many names are looked at.
const NAMES_MAX: usize = 100_000;

/// How many of them are asked for their identities whatever their directory says of their inodes: an overlay says another one.
const ASKED_MAX: usize = 4096;

/// How many directories wait to be listed, at most.
const WAITING_MAX: usize = 4096;

/// How many files that were not found are named, each in a message.
const NAMED_MAX: usize = 8;

impl Tracker {
    /// Looks for the files that an earlier process followed and this one has not met, in the directories of logs and below.
    pub(super) fn look_for_unmet(&mut self, buffer: &mut Buffer) {
        let is_restart = self.is_first_look && self.known.as_ref().is_some_and(|known| known.last_written > 0);
        if !is_restart && self.known.as_ref().is_none_or(|known| known.count_in_slots() == 0) {
            return;
        }
        let directories = self.discovery.directories().chain(self.linked.directories());
        let mut waiting: Vec<(PathBuf, usize)> = directories.map(|one| (one.to_owned(), 0)).collect();
        let (mut seen, names) = (BTreeSet::new(), Cell::new(0));
        let mut below = Vec::new();
        while let Some((directory, depth)) = waiting.pop() {
            if names.get() >= NAMES_MAX || !seen.insert(directory.clone()) {
                continue;
            }
            let known = self.known.as_ref();
            let entries = self.discovery.entries(&directory, |path, kind, inode| {
                names.set(names.get() + 1);
                match kind {
                    FileType::Directory => depth < DEPTH_MAX && path.file_name() != Some(DIRECTORY.as_ref()),
                    _ => names.get() <= ASKED_MAX || known.is_some_and(|known| known.has_inode_in_slot(inode)),
                }
            });
            for (path, kind, _) in entries {
                match kind {
                    FileType::Directory if waiting.len() >= WAITING_MAX => {}
                    FileType::Directory => waiting.push((path, depth + 1)),
                    _ => self.meet_known(&path, buffer),
                }
            }
            below.extend(Some(directory).filter(|_| depth > 0 && below.len() < WAITING_MAX));
        }
        let last_seen = self.known.as_ref().map_or(i64::MAX, |known| known.last_written);
        self.look_for_generations(&below, last_seen, buffer);
        self.files.oldest_first();
    }

    /// Looks in the directories below one of logs for files that came up since the last look, and were moved there before they were
    /// seen: only their names tell of them.
    pub(super) fn look_below(&mut self, directory: &Path, buffer: &mut Buffer) {
        let is_below = |path: &Path, kind: FileType, _| {
            kind == FileType::Directory && path.file_name() != Some(DIRECTORY.as_ref())
        };
        let below = self.discovery.entries(directory, is_below).into_iter().map(|(path, ..)| path);
        let below: Vec<PathBuf> = below.take(WAITING_MAX).collect();
        self.look_for_generations(&below, self.looked_at, buffer);
    }

    /// The same in these directories, as far as they have changed since a time.
    fn look_for_generations(&mut self, directories: &[PathBuf], since: i64, buffer: &mut Buffer) {
        let mut rotated = Vec::new();
        for directory in directories {
            if self.discovery.changed_at(directory) < since {
                continue;
            }
            let lineage_of = |path: &Path| logs_above(path).find_map(|log| self.files.lineage(&log));
            let is_one = |path: &Path, kind: FileType, _| kind != FileType::Directory && lineage_of(path).is_some();
            for (path, ..) in self.discovery.entries(directory, is_one) {
                let Some(lineage) = lineage_of(&path) else { continue };
                let found = self.discovery.look_beneath(&lineage.root, &path);
                if let Ok(stat) = found.stat
                    && stat.kind == FileType::RegularFile
                    && stat.id.btime > since
                {
                    rotated.push((stat.id.btime, stat, found, lineage));
                }
            }
        }
        rotated.sort_by_key(|(born, ..)| *born);
        for (_, stat, found, lineage) in rotated {
            self.meet_rotated(&found, stat, &lineage, true, buffer);
        }
    }

    /// Follows a file on if an earlier process followed it.
    fn meet_known(&mut self, path: &Path, buffer: &mut Buffer) {
        if let Some(found) = self.discovery.look(path) {
            // It is at a path that a pattern matches, and only waits for its turn, or for a place.
            return self.settle(&found, buffer);
        }
        let Some(root) = self.root_of(path) else { return };
        let found = self.discovery.look_beneath(&root, path);
        let Some(stat) = found.stat.as_ref().ok().filter(|stat| stat.kind == FileType::RegularFile).copied() else {
            return;
        };
        if self.files.with_id(stat.id).is_some() || found.is_link() {
            return;
        }
        let Some(id) = self.known_as(&found, stat, true, buffer) else { return };
        // What only others' checkpoints know may be none of ours any more.
        let Some(file) = self.known.as_ref().and_then(|known| known.file(id)).filter(|file| file.slot.is_some()) else {
            return;
        };
        let lineage = self.lineage_of_known(id, &file, &found);
        self.unsure.extend(lineage.path.parent().map(Path::to_owned));
        self.open(&found, Start::Beginning, Some(&lineage), buffer);
        // Others were rotated as it was.
        self.just_detached.extend(self.files.with_id(stat.id).map(|(key, _)| key));
    }

    /// Returns as which file of an earlier process this one is known: the same, or one with another device number, if its bytes agree
    /// and, unless that `may_be_anywhere`, its path; or no more than its name, if the volume is mounted somewhere else.
    pub(super) fn known_as(
        &self,
        found: &Found,
        stat: Stat,
        may_be_anywhere: bool,
        buffer: &mut Buffer,
    ) -> Option<FileId> {
        let known = self.known.as_ref()?;
        if known.file(stat.id).is_some() {
            return Some(stat.id);
        }
        let others: Vec<_> = known.on_other_devices(stat.id).collect();
        let paths: Vec<Rc<Path>> = if others.is_empty() {
            return None;
        } else {
            self.origins_of(&found.path).chain([Rc::from(&*found.path)]).collect()
        };
        // Without birth times another file may have the same inode.
        let is_called_so = |path: &Rc<Path>, one: &KnownFile| {
            path_sum(path) == one.at || (stat.id.btime > 0 && path.file_name().is_some_and(|name| one.is_named(name)))
        };
        let (file, _) = found.open().ok().filter(|(_, opened)| opened.id == stat.id)?;
        let mut is_same = |one: &KnownFile| {
            (may_be_anywhere || paths.iter().any(|path| is_called_so(path, one)))
                && one.trail().is_all_in(&file, buffer).unwrap_or(false)
        };
        others.into_iter().find(|(_, one)| is_same(one)).map(|(id, _)| id)
    }

    /// Returns the root of patterns that a path is beneath, or behind a link of which it may be.
    fn root_of(&self, path: &Path) -> Option<Rc<Path>> {
        let beneath = self.discovery.shared_roots().find(|root| path.starts_with(root));
        let behind = || {
            let links = self.linked.links();
            let link = links
                .iter()
                .find(|link| self.linked.directory_behind(link).is_some_and(|directory| path.starts_with(directory)))?;
            Some(self.discovery.look(link)?.root)
        };
        beneath.or_else(behind)
    }

    /// Returns whose file it was: of a path that is followed, of one that it may have had beside or above where it is now, or, if
    /// nobody can tell, of where it is.
    fn lineage_of_known(&mut self, id: FileId, file: &KnownFile, found: &Found) -> Rc<Lineage> {
        let since = self.known.as_ref().and_then(|known| known.since(file.at)).unwrap_or(id.btime);
        if let Some(lineage) = self.files.lineages().into_iter().find(|one| path_sum(&one.path) == file.at) {
            return lineage;
        }
        let name = file.name().map(str::to_owned);
        let names = |directory: &Path| {
            let named = name.as_ref().map(|name| directory.join(name));
            let moved = found.path.file_name().map(|name| directory.join(name));
            let earlier = moved.iter().flat_map(|path| earlier_paths(path)).collect::<Vec<_>>();
            named.into_iter().chain(moved).chain(earlier)
        };
        let above = found.path.ancestors().skip(1).take_while(|above| above.starts_with(&found.root));
        let path = above.flat_map(names).find(|path| path_sum(path) == file.at);
        let path = path.unwrap_or_else(|| found.path.clone());
        self.files.add_lineage(kept_lineage(Rc::from(path), Rc::clone(&found.root), since))
    }

    /// Logs once which files of an earlier process did not turn up.
    pub(super) fn tell_unmet(&mut self) {
        if std::mem::replace(&mut self.is_unmet_told, true) {
            return;
        }
        let Some(known) = &self.known else { return };
        for (_, file) in known.in_slots().take(NAMED_MAX) {
            let end = &*file.path_end;
            let lineage = self.files.lineages().into_iter().find(|one| path_sum(&one.path) == file.at);
            let path = lineage.map_or_else(|| format!("...{end}"), |one| one.path.display().to_string());
            tracing::warn!(
                kind = %file.at,
                "cannot find the file that was at {path}, streamed up to byte {}: it is gone, or outside the directories of \
                 SIDETAIL_PATHS; whatever was written to it after that is lost, keep rotated files for longer",
                file.position.offset
            );
        }
        let more = known.count_in_slots().saturating_sub(NAMED_MAX);
        if more > 0 {
            tracing::warn!("cannot find {more} more files that an earlier process followed");
        }
    }
}

/// Returns the paths in the directories above of which a file may be a generation by its name.
fn logs_above(path: &Path) -> impl Iterator<Item = PathBuf> {
    let above = path.ancestors().skip(2).take(DEPTH_MAX);
    let moved = above.filter_map(|above| Some(above.join(path.file_name()?)));
    moved.flat_map(|path| earlier_paths(&path).chain([path.clone()]))
}
