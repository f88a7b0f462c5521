//! Files that were at a path and have another name now: found among those that look like rotations of it, and distinguished
//! from mere copies.
//!
//! A rotated file is followed if it was born after the path was first seen and nobody is done with it. A copy, as copytruncate
//! makes it, is not streamed again; when what it was made of has been truncated, what it alone still has is.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use super::clock;
use super::start::{Start, copied_paths, earlier_paths};
use super::sweep_state::{Born, Oldest};
use super::tracker::{Suspect, Tracker, tell_lost};
use crate::paths::beneath::{FileId, Stat};
use crate::paths::discover::{Found, is_missing};
use crate::read::buffer::{Buffer, HEAD_BYTES};
use crate::read::kinship::Kinship;
use crate::read::position::{Digest, Position};
use crate::read::proof::{Trail, has_streamed_all_of, is_beginning_of};
use crate::shelf::entry::{KnownFile, path_sum};
use crate::shelf::followed::Followed;
use crate::shelf::lineage::{Key, Lineage};

/// For how long no process may have looked, before a start that finds the clock set back, so that all files born in between are
/// still read: 10 minutes. With a longer time archives would be streamed again that only seem to be of then.
const DOWN_NS_MAX: i64 = 600_000_000_000;

/// How long a file may look like a copy in the making before it counts as a file of its own.
const COPYING_MAX: Duration = Duration::from_secs(5);

/// How often it is looked again for elders, at most.
const LOOKS_MAX: usize = 8;

/// A directory that changed less than this ago may have changed again without showing it: its clock goes on at the kernel's ticks,
/// 1 to 10 ms, where that is older than 6.13.
const DIRECTORY_CLOCK_NS: i64 = 10_000_000;

/// A file that a pattern matches, and that holds what another one begins with, counts as a copy from this size on: shorter ones may
/// be logs that have no more than a banner yet.
const COPY_BYTES_MIN: u64 = 8 * HEAD_BYTES;

/// How many copies are remembered, and how many files that may become one.
const COPIES_MAX: usize = 256;

impl Tracker {
    /// Looks for a copy of a file that has just been truncated: it may hold what was not read in time.
    pub(crate) fn look_for_copies(&mut self, key: Key, buffer: &mut Buffer) {
        let Some(path) = self.files.file(key).map(|file| Rc::clone(&file.lineage.path)) else { return };
        for directory in self.directories_of(&path) {
            self.look_for_rotated(&directory, buffer);
        }
        // In a directory below, a pattern must match it: otherwise it would not be known.
        let copies =
            self.copies.values().map(|(copy, _)| copy).filter(|copy| copied_paths(copy).any(|of| *of == *path));
        for copy in copies.cloned().collect::<Vec<_>>() {
            if let Some(found) = self.discovery.look(&copy) {
                self.settle(&found, buffer);
            }
        }
    }

    /// Returns the directories in which files may be that were rotated from a path: its own, and that of what a link leads to.
    pub(super) fn directories_of(&self, path: &Path) -> Vec<PathBuf> {
        let directories = [path.parent(), self.linked.directory_behind(path)];
        directories.into_iter().flatten().map(Path::to_owned).collect()
    }

    /// Looks whether a link leads to another file now, or another way.
    pub(super) fn look_at_link(&mut self, link: &Path, buffer: &mut Buffer) {
        let Some(found) = self.discovery.look(link) else { return };
        let attached = self.files.at_path(link).map(|(_, file)| file.follower.id());
        if found.stat.as_ref().ok().map(|stat| stat.id) != attached {
            self.settle(&found, buffer);
        }
    }

    /// Notes where a link beneath a root leads, and takes hints of all that is on the way.
    pub(super) fn note_link(&mut self, link: &Path, root: &Path) {
        let discovery = &self.discovery;
        let directories = self.linked.add(link, |place| discovery.may_lead_to(root, place));
        for directory in directories {
            self.watch.add_behind_link(&directory);
        }
        tell_lost(&mut self.watch);
    }

    /// Follows what is at the path of a lineage, and what was rotated from it; says whether that is all of it, and nothing may
    /// still become a copy.
    pub(crate) fn meet_all_of(&mut self, lineage: &Lineage, buffer: &mut Buffer) -> bool {
        if let Some(found) = self.discovery.look(&lineage.path) {
            self.settle(&found, buffer);
        }
        let mut directories = self.directories_of(&lineage.path).into_iter();
        let is_still = directories.all(|directory| (0..LOOKS_MAX).any(|_| self.look_for(&directory, false, buffer)));
        is_still && self.suspects.is_empty()
    }

    /// Returns the lineage of a path, begun now if this is the first sight of it: what was rotated before is not ours, and
    /// cannot have been created after the directory last changed.
    pub(super) fn lineage(&mut self, found: &Found, stat: Stat, known: Option<&KnownFile>) -> Rc<Lineage> {
        if let Some(lineage) = self.files.lineage(&found.path) {
            return lineage;
        }
        let (path, root): (Rc<Path>, _) = (Rc::from(&*found.path), Rc::clone(&found.root));
        let sum = path_sum(&path);
        let its_own = known.filter(|known| known.at == sum).map(|known| known.since);
        if let Some(since) = self.known.as_ref().and_then(|known| known.since(sum)).max(its_own) {
            return self.files.add_lineage(kept_lineage(path, root, since));
        }
        let directory = found.path.parent().unwrap_or(&found.root);
        let behind = self.linked.directory_behind(&found.path);
        let directories = [Some(directory), behind].into_iter().flatten();
        let changes = directories.map(|directory| self.discovery.changed_at(directory));
        let changed = changes.fold(stat.id.btime, i64::max);
        // What was born since the start is not history, however long the first look takes; after a clock that was set back nothing
        // tells when that was.
        let changed_before = if changed > clock::time() { changed } else { changed.min(self.started_at) };
        // At the start what was born in the same tick of the clock is history; of what comes later nothing is. Nor is what
        // came up while no process ran, though the last one had nothing left to know of the path.
        let last_seen = self.known.as_ref().map_or(0, |known| known.last_written);
        let at_start = if last_seen > 0 { changed_before.min(last_seen) } else { changed_before } + 1;
        let lineage = Lineage::new(path, root, if self.is_first_look { at_start } else { changed });
        if changed > clock::time() {
            lineage.set_back(clock::file_time());
        }
        self.files.add_lineage(lineage)
    }

    /// Returns the paths at which a file of this path may have been followed before it was rotated: its own of then, and that of a
    /// link to it.
    pub(super) fn origins_of(&self, path: &Path) -> impl Iterator<Item = Rc<Path>> + use<'_> {
        earlier_paths(path).flat_map(|earlier| {
            let link = self.linked.link_to(&earlier).cloned();
            [Some(Rc::from(earlier)), link].into_iter().flatten()
        })
    }

    /// Returns the followed lineages of which a file at this path may be a rotated one.
    pub(super) fn lineages_of(&self, path: &Path) -> impl Iterator<Item = Rc<Lineage>> + use<'_> {
        self.origins_of(path).filter_map(|path| self.files.lineage(&path))
    }

    /// Returns the followed lineages of which a file at this path may be a copy, beside the log or in a directory below.
    pub(super) fn copied_lineages_of(&self, path: &Path) -> impl Iterator<Item = Rc<Lineage>> + use<'_> {
        let below = copied_paths(path).filter_map(|path| self.files.lineage(&path));
        self.lineages_of(path).chain(below)
    }

    /// Returns a lineage that an earlier process followed, of which nothing is at its path now.
    fn known_lineage_of(&mut self, path: &Path) -> Option<Rc<Lineage>> {
        let known = self.known.as_ref()?;
        let (since, path) = self.origins_of(path).find_map(|path| Some((known.since(path_sum(&path))?, path)))?;
        let root = self.discovery.look(&path)?.root;
        Some(self.files.add_lineage(kept_lineage(path, root, since)))
    }

    /// Returns whether files may have been missed that are older than one which was just met.
    pub(crate) fn is_unsure(&self) -> bool {
        !self.unsure.is_empty()
    }

    /// Looks for files that are older than those which were just met, until none was renamed meanwhile: one that goes from a
    /// name not looked at yet to one that was is missed, and a younger one must not get its turn before it.
    ///
    /// It looks for elders only: files that appear in the meantime would need another look.
    pub(crate) fn look_for_elders(&mut self, buffer: &mut Buffer) {
        for _ in 0..LOOKS_MAX {
            for directory in std::mem::take(&mut self.unsure) {
                let age = clock::time().saturating_sub(self.discovery.changed_at(&directory));
                let is_new = (0..DIRECTORY_CLOCK_NS).contains(&age);
                if !self.look_for(&directory, true, buffer) || is_new {
                    self.unsure.insert(directory);
                }
            }
        }
        // What was missed so often is found by the next hint, or at the next tick.
        self.unsure.clear();
        self.order_begun(buffer);
    }

    /// Looks in a directory for rotated files of what is followed there, and follows those that are new, oldest first.
    pub(super) fn look_for_rotated(&mut self, directory: &Path, buffer: &mut Buffer) {
        self.look_for(directory, false, buffer);
    }

    /// The same for all rotated files, or for those only that are older than one that is followed. Returns whether the
    /// directory stayed as it was.
    fn look_for(&mut self, directory: &Path, is_for_elders: bool, buffer: &mut Buffer) -> bool {
        let changed = self.discovery.changed_at(directory);
        if self.look_for_some(directory, None, is_for_elders, buffer).is_some() {
            self.leave_for_sweep();
        }
        self.discovery.changed_at(directory) == changed
    }

    /// The same for some of them, the oldest behind this one. Returns the last of them if there are more.
    pub(super) fn look_for_some(
        &mut self,
        directory: &Path,
        behind: Option<&Born>,
        is_for_elders: bool,
        buffer: &mut Buffer,
    ) -> Option<Born> {
        let youngest = if is_for_elders { self.youngest() } else { HashMap::new() };
        let (oldest, is_all) = self.rotated_in(directory, behind);
        let last = oldest.last().filter(|_| !is_all).cloned();
        for (_, path) in oldest {
            let followed = self.lineages_of(&path).next();
            let Some(lineage) = followed.or_else(|| self.known_lineage_of(&path)) else { continue };
            let found = self.discovery.look_beneath(&lineage.root, &path);
            let Some(stat) = found.stat.as_ref().ok().filter(|stat| stat.kind == FileType::RegularFile).copied() else {
                continue;
            };
            let youngest = youngest.get(&lineage.path);
            if youngest.is_none_or(|(_, youngest)| is_elder(stat.id, *youngest)) {
                self.meet_rotated(&found, stat, &lineage, youngest.is_some(), buffer);
            }
        }
        self.files.oldest_first();
        last
    }

    /// Returns the files in a directory that look like rotated ones and may be of interest, oldest first and only those behind this
    /// one; of very many the oldest, and whether that is all of them.
    fn rotated_in(&self, directory: &Path, behind: Option<&Born>) -> (Vec<Born>, bool) {
        let mut oldest = Oldest::default();
        self.discovery.each_entry(directory, |path, kind, inode| {
            if !self.may_be_rotated(path, kind, inode) || self.discovery.is_left_out(path) {
                return;
            }
            let Some(birth) = self.birth_of_interest(path) else { return };
            let born = (birth, path.to_owned());
            if behind.is_none_or(|behind| born > *behind) {
                oldest.add(born);
            }
        });
        oldest.into_sorted()
    }

    /// Returns whether a file looks like a rotated one by its name. There may be very many, and most are asleep: what a pattern matches
    /// itself is woken by the look at that.
    fn may_be_rotated(&self, path: &Path, kind: FileType, inode: u64) -> bool {
        let known = self.known.as_ref();
        let sleeps = known.is_some_and(|known| known.has_asleep_inode(inode));
        if kind == FileType::Directory || (sleeps && self.discovery.is_matched(path)) {
            return false;
        }
        let was_known = |path: &Path| known.is_some_and(|known| known.since(path_sum(path)).is_some());
        self.lineages_of(path).next().is_some() || self.origins_of(path).any(|path| was_known(&path))
    }

    /// Returns when such a file was born, if it is followed or may be of interest. There may be very many that are done with.
    fn birth_of_interest(&self, path: &Path) -> Option<i64> {
        let Some(lineage) = self.lineages_of(path).next() else {
            let root = self.discovery.shared_roots().find(|root| path.starts_with(root))?;
            return Some(self.discovery.look_beneath(&root, path).stat.ok()?.id.btime);
        };
        let stat = self.discovery.look_beneath(&lineage.root, path).stat.ok()?;
        self.is_of_interest_as_rotated(path, &stat, &lineage).then_some(stat.id.btime)
    }

    /// Returns whether a file that looks like a rotated one of a lineage is to be met: nobody reads it, and it is not done with.
    pub(super) fn is_of_interest_as_rotated(&self, path: &Path, stat: &Stat, lineage: &Lineage) -> bool {
        match self.files.with_id(stat.id) {
            Some((_, file)) => !file.follower.is_open(),
            None => {
                self.discovery.is_matched(path)
                    || self.known.as_ref().is_some_and(|known| known.has_inode(stat.id.ino))
                    || !lineage.is_done_with(stat.id, clock::future())
            }
        }
    }

    /// Returns the youngest file that is followed of each path.
    fn youngest(&self) -> HashMap<Rc<Path>, (i64, FileId)> {
        let mut youngest = HashMap::new();
        for (_, file) in self.files.iter() {
            let one = (file.birth(), file.follower.id());
            let most = youngest.entry(Rc::clone(&file.lineage.path)).or_insert(one);
            *most = (*most).max(one);
        }
        youngest
    }

    /// Follows what is now at the paths at which a file of this path may have been before: it may be a copy of that, and the
    /// hint of an original that was created a moment ago is still to come.
    pub(super) fn meet_originals(&mut self, path: &Path, buffer: &mut Buffer) {
        let lineages: Vec<_> = self.lineages_of(path).collect();
        for lineage in lineages {
            let Some(found) = self.discovery.look(&lineage.path) else { continue };
            let is_news = match &found.stat {
                Ok(stat) => self.files.with_id(stat.id).is_none(),
                // It was renamed, and may be older than what is found under other names.
                Err(why) => is_missing(why) && self.files.at_path(&lineage.path).is_some(),
            };
            if is_news {
                self.settle(&found, buffer);
            }
        }
    }

    /// Follows a file that looks like a rotated one, if it is new to us and no mere copy; an elder of what is followed is none of
    /// what came to the path since.
    pub(super) fn meet_rotated(
        &mut self,
        found: &Found,
        stat: Stat,
        lineage: &Rc<Lineage>,
        is_elder: bool,
        buffer: &mut Buffer,
    ) {
        if let Some((key, file)) = self.files.with_id(stat.id) {
            if !file.follower.is_open() && file.is_detached {
                self.reopen(key, found, stat.id);
            }
            return;
        }
        if self.discovery.look(&found.path).is_some() {
            self.settle(found, buffer);
            return;
        }
        if self.known_as(found, stat, false, buffer).is_some() {
            return self.open(found, Start::Beginning, Some(lineage), buffer);
        }
        if lineage.is_done_with(stat.id, clock::future()) || self.is_archive(found, stat.id) {
            return;
        }
        if !is_elder {
            self.meet_originals(&found.path, buffer);
        }
        if self.files.with_id(stat.id).is_some() {
            return;
        }
        if !self.wake_originals(&found.path, buffer) {
            return self.leave_for_sweep();
        }
        match self.kinship(found, stat, 1, buffer) {
            Kinship::None => self.open(found, Start::Beginning, Some(lineage), buffer),
            Kinship::Copy(Some(rest)) => self.open(found, Start::At(rest), Some(lineage), buffer),
            Kinship::Copy(None) | Kinship::Perhaps => {}
        }
    }

    /// Returns whether a file that looks like a rotated one is a copy of what is at the path now; one that may become a copy is
    /// remembered, and is a file of its own if it does not.
    ///
    /// A copy is younger than what it was made of. While less than `streamed_bytes_min` were streamed of that, a file that
    /// has the same few lines may still be one of its own: it counts as a copy only for as long as a truncation may follow.
    pub(super) fn kinship(
        &mut self,
        found: &Found,
        stat: Stat,
        streamed_bytes_min: u64,
        buffer: &mut Buffer,
    ) -> Kinship<Option<Position>> {
        let kinship = self.compare(found, stat, streamed_bytes_min, buffer);
        // What was once seen to be a copy stays one while it does not change, though its original goes on.
        let was_copy = self.copies.get(&stat.id).is_some_and(|(_, size)| *size == stat.size);
        match kinship {
            Kinship::Copy(None) => {
                if self.copies.len() >= COPIES_MAX {
                    self.copies.clear();
                }
                self.suspects.remove(&stat.id);
                self.copies.insert(stat.id, (found.path.clone(), stat.size));
                Kinship::Copy(None)
            }
            Kinship::None | Kinship::Perhaps if was_copy => Kinship::Copy(None),
            other => other,
        }
    }

    /// Compares the file with each one that it may be a copy of.
    fn compare(
        &mut self,
        found: &Found,
        stat: Stat,
        streamed_bytes_min: u64,
        buffer: &mut Buffer,
    ) -> Kinship<Option<Position>> {
        let lineages: Vec<_> = self.copied_lineages_of(&found.path).collect();
        let of_lineage = |file: &Followed| lineages.iter().any(|one| Rc::ptr_eq(one, &file.lineage));
        for key in self.files.keys(|file| of_lineage(file) && is_elder(file.follower.id(), stat.id)) {
            if !self.is_open(key, buffer) {
                continue;
            }
            let mut is_cut = self.is_cut(key, buffer);
            loop {
                match self.compare_with(key, is_cut, (found, stat), streamed_bytes_min, buffer) {
                    // The copy was finished, and its original truncated, while they were compared.
                    Kinship::None if !is_cut && self.is_cut(key, buffer) => is_cut = true,
                    Kinship::None => break,
                    kinship => return kinship,
                }
            }
        }
        self.known_copy(found, stat, buffer).map_or(Kinship::None, |position| Kinship::Copy(Some(position)))
    }

    /// Returns whether a followed file was truncated since the last look, and perhaps filled again since then.
    fn is_cut(&mut self, key: Key, buffer: &mut Buffer) -> bool {
        self.files.file(key).is_some_and(|file| file.follower.has_changed(buffer).unwrap_or(true))
    }

    /// Compares the file with one that it may be a copy of.
    fn compare_with(
        &mut self,
        key: Key,
        is_cut: bool,
        (found, stat): (&Found, Stat),
        streamed_bytes_min: u64,
        buffer: &mut Buffer,
    ) -> Kinship<Option<Position>> {
        let Some(file) = self.files.file(key) else { return Kinship::None };
        let (trail, earlier) = (file.follower.trail(), file.follower.earlier_trail());
        let current = trail.position;
        let streamed = current.offset.max(earlier.map_or(0, |earlier| earlier.position.offset));
        let was_cut = is_cut || earlier.is_some();
        // Of a file that was renamed its successors are no copies, though they may begin with the same few lines.
        if file.is_detached && !was_cut && streamed < HEAD_BYTES {
            return Kinship::None;
        }
        // What was truncated away; a file that was at the path after this one may begin with the same lines, and is no copy.
        let lost = [Some(&trail).filter(|_| is_cut), earlier.filter(|_| is_cut || !file.is_detached)];
        let lost: Vec<Trail> = lost.into_iter().flatten().cloned().collect();
        // A candidate that cannot be read is refused when it is opened.
        let Ok((candidate, now)) = found.open() else { return Kinship::None };
        if now.id != stat.id {
            // Another one came to the path since it was looked at; the hint of that is still to come.
            return Kinship::Perhaps;
        }
        match Kinship::of(&candidate, now.size, &file.follower, buffer) {
            // What follows is in the file itself too, unless it is truncated: then it is looked for again.
            Ok(Kinship::Copy(position)) if position == current && !file.is_detached && !is_cut => {
                let original = file.follower.file();
                let is_copy = original.and_then(|file| is_beginning_of(&candidate, current.offset, file));
                if is_copy.is_ok_and(|is_copy| !is_copy) {
                    return Kinship::None;
                }
                if streamed >= streamed_bytes_min {
                    return Kinship::Copy(None);
                }
                if self.is_suspect(&found.path, now) {
                    return Kinship::Perhaps;
                }
            }
            Ok(Kinship::Copy(position)) => return Kinship::Copy(Some(position)),
            Ok(Kinship::Perhaps) if self.is_suspect(&found.path, now) => return Kinship::Perhaps,
            // It has not grown for a while: what it holds was streamed. One of few lines may be a log that only begins alike.
            Ok(Kinship::Perhaps)
                if !is_cut && now.size >= if streamed_bytes_min < HEAD_BYTES { 1 } else { COPY_BYTES_MIN } =>
            {
                let file = self.files.file(key).and_then(|file| file.follower.file().ok());
                let is_copy = file.map(|file| has_streamed_all_of(file, &trail, &candidate, now.size));
                if is_copy.is_some_and(|is_copy| is_copy.unwrap_or(false)) {
                    return Kinship::Copy(None);
                }
            }
            Ok(Kinship::Perhaps | Kinship::None) | Err(_) => {}
        }
        if let Some(end) = lost.iter().find_map(|trail| trail.proven_in(&candidate, buffer).unwrap_or(None)) {
            return Kinship::Copy(Some(end));
        }
        // Of what the file holds now nothing was streamed: if the candidate is a copy of that, it holds nothing of its own.
        let is_unread = is_cut || current.marker.bytes == 0;
        let Some(file) = self.files.file(key).filter(|_| is_unread) else { return Kinship::None };
        let may_be_copy = Kinship::is_beginning_of(&candidate, now.size, &file.follower).unwrap_or(false);
        if may_be_copy && self.is_suspect(&found.path, now) { Kinship::Perhaps } else { Kinship::None }
    }

    /// Returns how far a file was streamed by an earlier process of which this one is a copy, and which is gone.
    fn known_copy(&self, found: &Found, stat: Stat, buffer: &mut Buffer) -> Option<Position> {
        let below = copied_paths(&found.path).map(|path| path_sum(&path));
        let sums: Vec<u64> = self.origins_of(&found.path).map(|path| path_sum(&path)).chain(below).collect();
        let is_earlier = |id: &FileId, one: &KnownFile| is_elder(*id, stat.id) && is_distinct(&one.position);
        let known = self.known.as_ref()?.at(&sums).filter(|(id, one)| is_earlier(id, one));
        let mut trails = known.map(|(_, one)| one.trail()).peekable();
        trails.peek()?;
        let (candidate, _) = found.open().ok()?;
        trails.find_map(|mut trail| {
            let known = trail.position;
            if trail.position.offset < HEAD_BYTES {
                // Other files may begin with the same few lines, but not with what is left of them.
                trail.position.head_before = Digest::default();
            }
            let proven = trail.proven_in(&candidate, buffer).unwrap_or(None);
            proven.map(|proven| if proven.offset == known.offset { known } else { proven })
        })
    }

    /// Returns whether a file may still become a copy: it grew lately.
    fn is_suspect(&mut self, path: &Path, stat: Stat) -> bool {
        let now = Instant::now();
        if self.suspects.len() >= COPIES_MAX && !self.suspects.contains_key(&stat.id) {
            // It is looked at again when others have become what they are.
            self.leave_for_sweep();
            return true;
        }
        let suspect = self.suspects.entry(stat.id).or_insert_with(|| Suspect {
            path: path.to_owned(),
            since: now,
            size: stat.size,
        });
        if suspect.size != stat.size {
            (suspect.since, suspect.size) = (now, stat.size);
        }
        now.duration_since(suspect.since) < COPYING_MAX
    }

    pub(super) fn look_at_suspects(&mut self, buffer: &mut Buffer) {
        if self.suspects.is_empty() {
            return;
        }
        // Who can become one no more has been looked at since then, and is followed or of no interest.
        let discovery = &self.discovery;
        self.suspects
            .retain(|_, suspect| suspect.since.elapsed() < 2 * COPYING_MAX && discovery.is_there(&suspect.path));
        let directories = self.suspects.values().filter_map(|suspect| suspect.path.parent().map(Path::to_owned));
        let directories: BTreeSet<_> = directories.collect();
        let paths: Vec<_> = self.suspects.values().map(|suspect| suspect.path.clone()).collect();
        for directory in directories {
            self.look_for_rotated(&directory, buffer);
        }
        // In a directory below the log's, no name tells of it.
        for found in paths.iter().filter_map(|path| self.discovery.look(path)).collect::<Vec<_>>() {
            self.settle(&found, buffer);
        }
    }
}

/// Returns whether no other file is likely to begin as the one of this position does: enough of it was streamed, or a part of
/// its head was reclaimed.
fn is_distinct(position: &Position) -> bool {
    position.offset >= HEAD_BYTES || (position.head_before.bytes > 0 && position.head != position.head_before)
}

/// Begins the lineage of a path of which an earlier process was interested in what was born since then.
pub(super) fn kept_lineage(path: Rc<Path>, root: Rc<Path>, since: i64) -> Lineage {
    let lineage = Lineage::new(path, root, since);
    lineage.ignore_future();
    if since > clock::time() {
        lineage.set_back(clock::file_time() - DOWN_NS_MAX);
    }
    lineage
}

/// Returns whether a file is not younger than another, by their birth times: one from the future is older than any, because the
/// clock was set back.
fn is_elder(file: FileId, than: FileId) -> bool {
    file.btime <= than.btime || file.btime > clock::future()
}
