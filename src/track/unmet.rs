//! Files that an earlier process followed, and that are at none of their paths any more: looked for by what they are, not by what
//! they are called. Whoever rotates gives them whatever name it likes, and puts them into another directory, too.

use std::collections::BTreeSet;
use std::iter;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::FileType;

use super::rotated::kept_lineage;
use super::start::{Start, earlier_paths};
use super::sweep_state::Oldest;
use super::tracker::Tracker;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::discover::Found;
use crate::read::buffer::Buffer;
use crate::report::message::counted;
use crate::shelf::entry::{KnownFile, path_sum};
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Lineage;
use crate::shelf::state_directory::DIRECTORY;

/// How deep below a directory of logs rotated files are looked for: `old/`, `2026/11/28/`.
const DEPTH_MAX: usize = 3;

/// How many names are looked at.
const NAMES_MAX: usize = 100_000;

/// How many of them are asked for their identities whatever their directory says of their inodes: an overlay says another one.
const ASKED_MAX: usize = 4096;

/// How many directories are listed, at most.
const LISTED_MAX: usize = 8192;

/// How many of one directory wait to be listed, at most, and how many files of it to be met: their paths may be long.
const WAITING_MAX: usize = 256;

/// Into how many directories below one is looked that have changed, at most, and how many are asked.
const CHANGED_MAX: usize = 256;
const DIRECTORIES_ASKED_MAX: usize = 4096;

/// How many files that were not found are named, each in a message.
const NAMED_MAX: usize = 8;

/// How far the look for files of an earlier process has come.
#[derive(Debug, Default)]
struct Unmet {
    names: usize,
    /// The directories that were listed, by the checksums of their paths.
    listed: BTreeSet<u64>,
    /// The directories that wait to be listed, how deep each is below one of logs, and how many of its names were looked at.
    waiting: Vec<(PathBuf, usize, usize)>,
    /// Those that were listed below one of logs, and have changed since the earlier process.
    below: Vec<PathBuf>,
}

impl Tracker {
    /// Looks for the files that an earlier process followed and this one has not met, in the directories of logs and below.
    pub(super) fn look_for_unmet(&mut self, buffer: &mut Buffer) {
        let is_restart = self.is_first_look && self.known.as_ref().is_some_and(|known| known.last_written > 0);
        if !is_restart && self.known.as_ref().is_none_or(|known| known.count_in_slots() == 0) {
            return;
        }
        let (last_seen, looked_at) =
            self.known.as_ref().map_or((i64::MAX, i64::MAX), |known| (known.last_written, known.looked_at));
        let after = |last: Bound<Rc<Path>>| self.discovery.directory_after(last);
        let own = iter::successors(after(Bound::Unbounded), |last| after(Bound::Excluded(Rc::clone(last))));
        let directories: Vec<Rc<Path>> = own.chain(self.linked.directories().map(Rc::from)).collect();
        let mut look = Unmet::default();
        for directory in directories.into_iter().rev() {
            look.waiting.push((directory.to_path_buf(), 0, 0));
            while let Some((directory, depth, done)) = look.waiting.pop() {
                if done > 0 {
                    self.look_for_unmet_in(directory, depth, done, &mut look, buffer);
                } else if look.listed.len() < LISTED_MAX && look.listed.insert(path_sum(&directory)) {
                    let may_hold_more = depth > 0 && look.below.len() < CHANGED_MAX;
                    if may_hold_more && self.discovery.changed_at(&directory) >= looked_at {
                        look.below.push(directory.clone());
                    }
                    self.look_for_unmet_in(directory, depth, 0, &mut look, buffer);
                }
            }
        }
        self.look_for_generations(&look.below, last_seen, looked_at, buffer);
        self.files.oldest_first();
    }

    /// The same in one directory, behind so many of its names: some at a time, what it holds may be more than there is memory for.
    fn look_for_unmet_in(
        &mut self,
        directory: PathBuf,
        depth: usize,
        mut done: usize,
        look: &mut Unmet,
        buffer: &mut Buffer,
    ) {
        let (mut at, mut files, mut below) = (0, Vec::new(), Vec::new());
        let known = self.known.as_ref();
        self.discovery.each_entry(&directory, |path, kind, inode| {
            at += 1;
            let is_full = files.len().max(below.len()) >= WAITING_MAX;
            if at <= done || is_full || look.names >= NAMES_MAX {
                return;
            }
            (done, look.names) = (at, look.names + 1);
            let is_wanted = match kind {
                FileType::Directory => {
                    depth < DEPTH_MAX && look.listed.len() < LISTED_MAX && path.file_name() != Some(DIRECTORY.as_ref())
                }
                _ => look.names <= ASKED_MAX || known.is_some_and(|known| known.has_inode_in_slot(inode)),
            };
            if is_wanted && !self.discovery.is_left_out(path) {
                if kind == FileType::Directory { &mut below } else { &mut files }.push(path.to_owned());
            }
        });
        if done < at && look.names < NAMES_MAX {
            look.waiting.push((directory, depth, done));
        }
        look.waiting.extend(below.into_iter().map(|path| (path, depth + 1, 0)));
        files.iter().for_each(|path| self.meet_known(path, buffer));
    }

    /// Looks in the directories below one of logs for files that came up since a time, and were moved there before they were seen:
    /// only their names tell of them.
    pub(super) fn look_below(&mut self, directory: &Path, since: i64, buffer: &mut Buffer) {
        let (mut changed, mut asked) = (Vec::new(), 0);
        self.discovery.each_entry(directory, |path, kind, _| {
            let is_other = kind != FileType::Directory || path.file_name() == Some(DIRECTORY.as_ref());
            if is_other || changed.len() >= CHANGED_MAX || asked >= DIRECTORIES_ASKED_MAX {
                return;
            }
            asked += 1;
            if !self.discovery.is_left_out(path) && self.discovery.changed_at(path) >= since {
                changed.push(path.to_owned());
            }
        });
        self.look_for_generations(&changed, since, since, buffer);
    }

    /// The same in these directories; of very many files the oldest are met, and the next look goes on. What was born before `since`
    /// may have been met by the earlier process, but not if that was later than `looked_at` and it is older than others of its path.
    fn look_for_generations(&mut self, directories: &[PathBuf], since: i64, looked_at: i64, buffer: &mut Buffer) {
        let mut oldest = Oldest::default();
        for directory in directories {
            self.discovery.each_entry(directory, |path, kind, _| {
                if kind != FileType::Directory
                    && !self.discovery.is_left_out(path)
                    && let Some((_, stat, _)) = self.generation_below(path, since, looked_at)
                {
                    oldest.add((stat.id.btime, path.to_owned()));
                }
            });
        }
        let (oldest, is_all) = oldest.into_sorted();
        for (_, path) in oldest {
            if let Some((found, stat, lineage)) = self.generation_below(&path, since, looked_at) {
                self.meet_rotated(&found, stat, &lineage, true, buffer);
            }
        }
        if !is_all {
            self.leave_for_sweep();
        }
    }

    /// Returns what is at a path, if its name says that it was rotated from a log above, it came up since then, and nobody has met it.
    fn generation_below(&self, path: &Path, since: i64, looked_at: i64) -> Option<(Found, Stat, Rc<Lineage>)> {
        let lineage = logs_above(path).find_map(|log| self.files.lineage(&log))?;
        let found = self.discovery.look_beneath(&lineage.root, path);
        let stat = *found.stat.as_ref().ok()?;
        let born = stat.id.btime;
        let is_new = stat.kind == FileType::RegularFile
            && (born > since || (born > looked_at && self.has_younger(&lineage, born)));
        (is_new && self.is_of_interest_as_rotated(path, &stat, &lineage)).then_some((found, stat, lineage))
    }

    /// Returns whether a file of a lineage is followed, or was by an earlier process, that is younger than this. A copy is younger than
    /// what it was made of.
    fn has_younger(&self, lineage: &Rc<Lineage>, birth: i64) -> bool {
        let is_followed = |file: &Followed| Rc::ptr_eq(&file.lineage, lineage) && file.follower.id().btime > birth;
        let sum = [path_sum(&lineage.path)];
        let was_followed = || self.known.as_ref().is_some_and(|known| known.at(&sum).any(|(id, _)| id.btime > birth));
        self.files.iter().any(|(_, file)| is_followed(file)) || was_followed()
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
                 SIDETAIL_PATHS; whatever was written to it after that is lost; keep rotated files for longer",
                file.position.offset
            );
        }
        let more = known.count_in_slots().saturating_sub(NAMED_MAX);
        if more > 0 {
            tracing::warn!(
                "cannot find {} that an earlier sidetail followed: deleted, or outside the directories of SIDETAIL_PATHS; keep \
                 rotated files for longer",
                counted(more as u64, "more file")
            );
        }
    }
}

/// Returns the paths in the directories above of which a file may be a generation by its name.
fn logs_above(path: &Path) -> impl Iterator<Item = PathBuf> {
    let above = path.ancestors().skip(2).take(DEPTH_MAX);
    let moved = above.filter_map(|above| Some(above.join(path.file_name()?)));
    moved.flat_map(|path| earlier_paths(&path).chain([path.clone()]))
}
