//! Keeps the followed files in agreement with what is at the paths: new files, files that went elsewhere, rotated ones that
//! no pattern matches, copies.
//!
//! Hints say where to look; what `statx` and the bytes say is believed. A file that left its path is read on; one that was
//! at a path between two looks, and has another name by now, is found among the files that look like rotations of it:
//! those born after the path was first seen are read too, oldest first. Names alone never decide.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::FileType;

use crate::beneath::{FileId, Stat};
use crate::checkpoint::{Checkpoint, Known, KnownFile, path_sum};
use crate::config::{Config, ReadFrom};
use crate::discover::{Discovery, Found, Walked, is_missing};
use crate::files::{Files, Followed, Key, Lineage, Queue};
use crate::follow::change::Kinship;
use crate::follow::{Buffer, Follower, HEAD_BYTES, Position};
use crate::refusal::Refusals;
use crate::rotated::earlier_names;
use crate::watch::{Hint, Watch};

/// After how long the checkpoint forgets files of an earlier process that did not turn up again.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// How many copies are remembered.
const COPIES_MAX: usize = 256;

/// How many renamed and deleted files are kept open at most, while none of them has anything to be streamed.
const DETACHED_MAX: usize = 128;

/// After how long it is told that no file was found: perhaps `PATHS` is wrong.
const IDLE_TOLD_AFTER: Duration = Duration::from_secs(10);

/// How coarse the clock of new files may be: a tick is 1 to 10 ms.
const FILE_CLOCK_NS: i64 = 20_000_000;

/// How long a file may look like a copy in the making before it counts as a file of its own.
const COPYING_MAX: Duration = Duration::from_secs(5);

/// Descriptors that are kept for everything but followed files: streams, epoll, signals, inotify, looking at paths.
const DESCRIPTORS_RESERVED: u64 = 28;

/// How many files are kept open at most, however many descriptors there are.
const OPEN_FILES_MAX: u64 = 4096;

/// The files and where they come from.
#[derive(Debug)]
pub struct Tracker {
    /// The followed files.
    pub files: Files,
    /// What was opened so far.
    pub files_followed: u64,
    config: Config,
    output: Vec<FileId>,
    discovery: Discovery,
    watch: Watch,
    checkpoint: Checkpoint,
    /// What an earlier process left, and this one has not met yet; `None` until the checkpoint could be opened.
    known: Option<Known>,
    refusals: Refusals,
    /// Files that may be copies in the making: since when, and with what size.
    suspects: HashMap<PathBuf, (Instant, u64)>,
    /// Files that are copies of followed ones, with the sizes that they had when that was seen.
    copies: HashMap<FileId, u64>,
    open_files_max: usize,
    started: Instant,
    /// Whether the first look at all paths is still to come.
    is_first_look: bool,
    /// Whether a directory could not be searched at the last look.
    has_failed_walk: bool,
    /// Whether it was told that there is nothing to follow.
    is_idle_told: bool,
}

impl Tracker {
    /// Looks at nothing yet. The files of `output` are the streams themselves and never followed.
    #[must_use]
    pub fn new(config: Config, output: Vec<FileId>) -> Self {
        let discovery = Discovery::new(config.paths.clone(), config.exclude.clone(), config.links);
        let checkpoint = Checkpoint::new(&config.state, discovery.first_root(), &config.patterns_text);
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
        let open_files_max = limit.saturating_sub(DESCRIPTORS_RESERVED).clamp(4, OPEN_FILES_MAX);
        Self {
            files: Files::default(),
            files_followed: 0,
            config,
            output,
            discovery,
            watch: Watch::start(),
            checkpoint,
            known: None,
            refusals: Refusals::default(),
            suspects: HashMap::new(),
            copies: HashMap::new(),
            open_files_max: usize::try_from(open_files_max).unwrap_or(usize::MAX),
            started: Instant::now(),
            is_first_look: true,
            has_failed_walk: false,
            is_idle_told: false,
        }
    }

    /// Returns the watch, to wait for hints.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Takes the hints that wait, and looks where they point.
    pub fn take_hints(&mut self, buffer: &mut Buffer) {
        let mut hints = Hints::default();
        let (files, discovery) = (&mut self.files, &self.discovery);
        self.watch.take(|hint| hints.add(hint, files, discovery));
        if hints.elsewhere {
            // Perhaps the writer of a file that was renamed goes on in it, under a name that we do not follow.
            for key in self.files.keys(|file| file.is_detached) {
                self.files.make_ready(key);
            }
            self.look_at_suspects(buffer);
        }
        if hints.anything {
            return self.look_everywhere(buffer);
        }
        let mut directories = BTreeSet::new();
        for path in hints.entries {
            // It had a file that may have another name now, or this is such a name.
            let is_rotation = self.files.lineage(&path).is_some() || self.lineages_of(&path).next().is_some();
            if let Some(found) = self.discovery.look(&path) {
                self.settle(&found, buffer);
            }
            directories.extend(path.parent().filter(|_| is_rotation).map(Path::to_owned));
        }
        for directory in directories {
            self.look_for_rotated(&directory, buffer);
        }
    }

    /// Looks at all patterns: new files, files that are no longer at their paths, rotated ones.
    pub fn look_everywhere(&mut self, buffer: &mut Buffer) {
        if self.known.is_none() {
            self.known = self.checkpoint.open();
        }
        let Walked { found, failed } = self.discovery.walk(&mut self.watch);
        let paths: HashSet<PathBuf> = found.iter().map(|one| one.path.clone()).collect();
        // What may be a copy is met last, when everything that it may have been made of is known.
        let (copies, originals): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|one| earlier_paths(&one.path).any(|path| self.is_of_interest(&path, &paths)));
        for one in &originals {
            self.settle(one, buffer);
        }
        self.note_failed(&failed);
        // Of what is beneath a directory that could not be searched nothing is known, so nothing of it is gone.
        let is_gone = |path: &Path| !paths.contains(path) && !failed.iter().any(|(above, _)| path.starts_with(above));
        for key in self.files.keys(|file| !file.is_detached && is_gone(&file.path)) {
            self.detach(key);
        }
        let directories: Vec<PathBuf> = self.discovery.directories().map(Path::to_owned).collect();
        for directory in directories {
            self.look_for_rotated(&directory, buffer);
        }
        for one in &copies {
            self.settle(one, buffer);
        }
        self.is_first_look = false;
    }

    /// Says whether a file at this path is followed, or was by an earlier process, or will be.
    fn is_of_interest(&self, path: &Path, found: &HashSet<PathBuf>) -> bool {
        let was_known = || self.known.as_ref().is_some_and(|known| known.since.contains_key(&path_sum(path)));
        found.contains(path) || self.files.lineage(path).is_some() || was_known()
    }

    /// Tells of the directories that could not be searched, and of those that can be again.
    fn note_failed(&mut self, failed: &[(PathBuf, io::Error)]) {
        self.has_failed_walk = !failed.is_empty();
        for directory in self.discovery.directories().filter(|path| !failed.iter().any(|(failed, _)| failed == path)) {
            self.refusals.accept(directory);
        }
        for (directory, why) in failed {
            self.refusals.refuse(directory, why, std::fs::metadata(directory).ok().map(|found| Stat::from(&found)));
        }
    }

    /// The safety tick: whatever no event told of is found here.
    pub fn tick(&mut self, buffer: &mut Buffer) {
        let now = Instant::now();
        if self.discovery.is_stale() || self.has_failed_walk || self.known.is_none() {
            self.look_everywhere(buffer);
        } else {
            for path in self.refusals.paths() {
                match self.discovery.look(&path) {
                    Some(found) => self.settle(&found, buffer),
                    None => self.refusals.forget(&path),
                }
            }
        }
        self.look_at_suspects(buffer);
        self.let_go(now);
        self.files.make_all_ready();
        for key in self.files.keys(|file| !file.follower.is_open()) {
            self.look_at_closed(key, buffer);
        }
        if self.files_followed == 0 && !self.is_idle_told && now.duration_since(self.started) >= IDLE_TOLD_AFTER {
            self.is_idle_told = true;
            let patterns = self.config.patterns_text.trim().replace('\n', ", ");
            tracing::warn!("no file matches {patterns} yet; it is waited for, see SIDETAIL_PATHS");
        }
        if now.duration_since(self.started) >= FORGET_AFTER {
            self.forget_unmet();
        }
    }

    /// Says whether the file can be read now; one that was closed for want of descriptors is opened again, or let go if it
    /// is not to be found any more.
    pub fn is_open(&mut self, key: Key, buffer: &mut Buffer) -> bool {
        let Some(file) = self.files.file(key) else { return false };
        if file.follower.is_open() {
            return true;
        }
        let (path, id, lineage) = (Rc::clone(&file.path), file.follower.id(), Rc::clone(&file.lineage));
        let was_read = file.closed_at.is_some();
        self.make_room();
        match (self.discovery.look_beneath(&lineage.root, &path).open(), self.files.file(key)) {
            (Ok((descriptor, stat)), Some(file)) if stat.id == id => {
                file.follower.reopen(descriptor);
                return true;
            }
            // It cannot be said what is there; the next tick tries again.
            (Err(why), _) if !is_missing(&why) && why.kind() != io::ErrorKind::InvalidInput => return false,
            _ => {}
        }
        self.detach(key);
        // Found under another name, it is ready, and takes its turn when that comes.
        if let Some(directory) = path.parent() {
            self.look_for_rotated(directory, buffer);
        }
        let is_open = self.files.file(key).is_some_and(|file| file.follower.is_open());
        if !is_open && !was_read {
            tracing::warn!(
                "{} vanished while it was closed for want of descriptors; what was not read of it is lost, raise the \
                 limit of open files",
                path.display()
            );
        }
        if !is_open {
            self.remove(key);
        }
        false
    }

    /// Notes in the checkpoint how far a file has been streamed.
    pub fn save(&mut self, key: Key) {
        if let Some(file) = self.files.file(key) {
            let mut slot = file.slot;
            self.checkpoint.save(&mut slot, file.entry());
            file.slot = slot;
        }
    }

    /// Looks for a copy of a file that has just been truncated: it may hold what was not read in time.
    pub fn look_for_copies(&mut self, key: Key, buffer: &mut Buffer) {
        let lineage = self.files.file(key).map(|file| Rc::clone(&file.lineage));
        if let Some(directory) = lineage.as_ref().and_then(|one| one.path.parent()) {
            self.look_for_rotated(directory, buffer);
        }
    }

    /// Makes the followed files agree with what was found at one path.
    fn settle(&mut self, found: &Found, buffer: &mut Buffer) {
        let attached = self.files.at_path(&found.path).map(|(key, file)| (key, file.follower.id()));
        let stat = match &found.stat {
            Ok(stat) => *stat,
            Err(why) => {
                if let Some((key, _)) = attached.filter(|_| is_missing(why)) {
                    self.detach(key);
                }
                return self.refusals.refuse(&found.path, why, None);
            }
        };
        match attached {
            Some((key, id)) if id == stat.id => return self.files.make_ready(key),
            Some((key, _)) if self.adopt(key, found, buffer) => return self.files.make_ready(key),
            Some((key, _)) => self.detach(key),
            None => {}
        }
        let known = self.files.with_id(stat.id).map(|(key, file)| (key, file.path.clone(), file.is_detached));
        match known {
            Some((key, path, is_detached)) => {
                let there = || self.discovery.look(&path).and_then(|there| there.stat.ok());
                if is_detached || there().is_none_or(|there| there.id != stat.id) {
                    tracing::info!("{} is now {}", path.display(), found.path.display());
                    self.files.attach(key, &found.path);
                    self.files.make_ready(key);
                } else if *path != *found.path {
                    self.files.add_alias(key, &found.path);
                }
            }
            None => self.begin(found, stat, buffer),
        }
    }

    /// Goes on with the file that is at a path now, if it is the one before in another place: an overlay copies a file of a
    /// lower layer up at its first write, and the copy has another identity.
    fn adopt(&mut self, key: Key, found: &Found, buffer: &mut Buffer) -> bool {
        let Some(file) = self.files.file(key) else { return false };
        let position = file.follower.position();
        let is_busy = file.queue == Queue::Held || file.follower.is_within_line();
        let old_path = file.follower.file().ok().and_then(real_path);
        let Some((candidate, stat)) = found.open().ok().filter(|_| position.offset >= HEAD_BYTES && !is_busy) else {
            return false;
        };
        // A file that was renamed or deleted is not called so any more; one that was copied up still is.
        if old_path.is_none() || old_path != real_path(&candidate) {
            return false;
        }
        let kinship = Kinship::of(&candidate, stat.size, &file.follower, buffer);
        let is_copy = kinship.is_ok_and(|kinship| kinship == Kinship::Copy(position));
        is_copy && self.files.adopt(key, stat.id, candidate)
    }

    /// Begins to follow a file at a path that a pattern matches, unless it is a copy of one.
    fn begin(&mut self, found: &Found, stat: Stat, buffer: &mut Buffer) {
        let is_known = self.known.as_ref().is_some_and(|known| known.files.contains_key(&stat.id));
        if !is_known && self.lineages_of(&found.path).next().is_some() {
            match self.kinship(found, stat, HEAD_BYTES, buffer) {
                Kinship::None => {}
                Kinship::Perhaps => return,
                Kinship::Copy(None) => return,
                Kinship::Copy(Some(rest)) => return self.open(found, Start::At(rest), None, buffer),
            }
        }
        let is_first_start = self.known.as_ref().is_none_or(|known| known.is_first_start);
        let from_end = self.is_first_look && is_first_start && self.config.start == ReadFrom::End;
        self.open(found, if from_end { Start::End } else { Start::Beginning }, None, buffer);
    }

    /// Opens a file and follows it: at its path, or, if a lineage is given, detached as a rotated file of it.
    fn open(&mut self, found: &Found, start: Start, rotated_of: Option<&Rc<Lineage>>, buffer: &mut Buffer) {
        self.make_room();
        let (file, stat) = match found.open() {
            Ok(opened) => opened,
            Err(why) => return self.refusals.refuse(&found.path, &why, found.stat.as_ref().ok().copied()),
        };
        debug_assert_eq!(stat.kind, FileType::RegularFile, "nothing else is opened");
        if let Some((key, _)) = self.files.with_id(stat.id) {
            // It came to the path since it was looked at, and is followed already.
            return self.files.make_ready(key);
        }
        if self.output.contains(&stat.id) {
            return self.refusals.refuse_output(&found.path);
        }
        let real_path = real_path(&file).filter(|real| *real != found.path);
        // Of the file that was opened: another one may have come to the path since it was looked at.
        let known = self.known.as_mut().and_then(|known| known.files.remove(&stat.id));
        let opened = match (known, start) {
            (Some(KnownFile { position, .. }), _) | (None, Start::At(position)) => {
                Follower::resume(stat.id, file, position, buffer)
            }
            (None, Start::End) => Follower::from_end(stat.id, file, stat.size, buffer),
            (None, Start::Beginning) => Ok(Follower::from_beginning(stat.id, file)),
        };
        let follower = match opened {
            Ok(follower) => follower,
            Err(why) => return self.refusals.refuse(&found.path, &why, Some(stat)),
        };
        self.refusals.accept(&found.path);
        self.suspects.remove(&found.path);
        tracing::info!("following {} from byte {}", found.path.display(), follower.position().offset);
        self.files_followed += 1;
        let first_at = |one: &Rc<Lineage>| known.is_some_and(|known| known.at == path_sum(&one.path));
        let rotated_under = || self.lineages_of(&found.path).find(first_at);
        let lineage = rotated_of.cloned().or_else(rotated_under).unwrap_or_else(|| self.lineage(found, stat));
        let line_route = known.and_then(|known| known.line_route).filter(|_| follower.position().offset > 0);
        let name = self.discovery.shown_name(&lineage.path);
        let key = self.files.add(Followed {
            follower,
            path: Rc::from(&*found.path),
            router: self.config.router.of_file(&lineage.path),
            opening: self.config.output.opening(&name),
            lineage: Rc::clone(&lineage),
            line_route,
            blocked_on: None,
            held: [false; 2],
            slot: known.map(|known| known.slot),
            queue: Queue::None,
            active: Instant::now(),
            closed_at: None,
            is_put_off: false,
            goes_first: line_route.is_some(),
            is_detached: rotated_of.is_some(),
            is_failing: false,
        });
        if let Some(real_path) = real_path {
            // Through a link: events tell of the file that it leads to, in that one's directory.
            self.files.add_alias(key, &real_path);
            if let Some(directory) = real_path.parent() {
                self.watch.add(&Rc::from(directory));
            }
        }
        // Noted even before anything is streamed: a restart must know how old the lineage is.
        self.save(key);
        self.files.make_ready(key);
    }

    /// Returns the lineage of a path, begun now if this is the first sight of it: what was rotated before is not ours, and
    /// cannot have been created after the directory last changed.
    fn lineage(&mut self, found: &Found, stat: Stat) -> Rc<Lineage> {
        if let Some(lineage) = self.files.lineage(&found.path) {
            return lineage;
        }
        let kept = self.known.as_ref().and_then(|known| known.since.get(&path_sum(&found.path)).copied());
        let directory = found.path.parent().unwrap_or(&found.root);
        // At the start what was born in the same tick of the clock is history; of what comes later nothing is.
        let changed = stat.id.btime.max(self.discovery.changed_at(&found.root, directory));
        // Times in the future come from a clock that was set back; what is born from now on is not history.
        let now = file_time_now();
        let changed = if changed > now + FILE_CLOCK_NS { now } else { changed };
        let since = kept.unwrap_or(changed + i64::from(self.is_first_look));
        let (path, root) = (Rc::from(&*found.path), Rc::clone(&found.root));
        self.files.add_lineage(Lineage::new(path, root, since))
    }

    /// Returns the followed lineages of which a file at this path may be a rotated one.
    fn lineages_of(&self, path: &Path) -> impl Iterator<Item = Rc<Lineage>> + use<'_> {
        earlier_paths(path).filter_map(|path| self.files.lineage(&path))
    }

    /// Returns a lineage that an earlier process followed, of which nothing is at its path now.
    fn known_lineage_of(&mut self, path: &Path) -> Option<Rc<Lineage>> {
        let since = &self.known.as_ref()?.since;
        let (since, path) = earlier_paths(path).find_map(|path| Some((*since.get(&path_sum(&path))?, path)))?;
        let root = self.discovery.look(&path)?.root;
        Some(self.files.add_lineage(Lineage::new(Rc::from(path), root, since)))
    }

    /// Looks in a directory for rotated files of what is followed there, and follows those that are new, oldest first.
    fn look_for_rotated(&mut self, directory: &Path, buffer: &mut Buffer) {
        let mut rotated = Vec::new();
        for name in self.discovery.names(directory) {
            let path = directory.join(name);
            let followed = self.lineages_of(&path).next();
            let Some(lineage) = followed.or_else(|| self.known_lineage_of(&path)) else { continue };
            let found = self.discovery.look_beneath(&lineage.root, &path);
            if let Ok(stat) = found.stat
                && stat.kind == FileType::RegularFile
            {
                rotated.push((stat, found, lineage));
            }
        }
        rotated.sort_by_key(|(stat, ..)| stat.id.btime);
        for (stat, found, lineage) in rotated {
            self.meet_rotated(&found, stat, &lineage, buffer);
        }
        self.files.oldest_first();
    }

    /// Follows a file that looks like a rotated one, if it is new to us and no mere copy.
    fn meet_rotated(&mut self, found: &Found, stat: Stat, lineage: &Rc<Lineage>, buffer: &mut Buffer) {
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
        if self.known.as_ref().is_some_and(|known| known.files.contains_key(&stat.id)) {
            return self.open(found, Start::Beginning, Some(lineage), buffer);
        }
        if lineage.is_done_with(stat.id) {
            return;
        }
        match self.kinship(found, stat, 1, buffer) {
            Kinship::None => self.open(found, Start::Beginning, Some(lineage), buffer),
            Kinship::Copy(Some(rest)) => self.open(found, Start::At(rest), Some(lineage), buffer),
            Kinship::Copy(None) | Kinship::Perhaps => {}
        }
    }

    /// Says whether a file that looks like a rotated one is a copy of what is at the path now; one that may become a copy is
    /// remembered, and is a file of its own if it does not.
    ///
    /// A copy is younger than what it was made of. While less than `streamed_bytes_min` were streamed of that, a file that
    /// has the same few lines may still be one of its own: it counts as a copy only for as long as a truncation may follow.
    fn kinship(
        &mut self,
        found: &Found,
        stat: Stat,
        streamed_bytes_min: u64,
        buffer: &mut Buffer,
    ) -> Kinship<Option<Position>> {
        let kinship = self.compare(found, stat, streamed_bytes_min, buffer);
        // What was once seen to be a copy stays one while it does not change, though its original goes on.
        let was_copy = self.copies.get(&stat.id) == Some(&stat.size);
        match kinship {
            Kinship::Copy(None) => {
                if self.copies.len() >= COPIES_MAX {
                    self.copies.clear();
                }
                self.copies.insert(stat.id, stat.size);
                Kinship::Copy(None)
            }
            Kinship::None | Kinship::Perhaps if was_copy => Kinship::Copy(None),
            other => other,
        }
    }

    fn compare(
        &mut self,
        found: &Found,
        stat: Stat,
        streamed_bytes_min: u64,
        buffer: &mut Buffer,
    ) -> Kinship<Option<Position>> {
        let lineages: Vec<_> = self.lineages_of(&found.path).collect();
        let of_lineage = |file: &Followed| lineages.iter().any(|one| Rc::ptr_eq(one, &file.lineage));
        for key in self.files.keys(|file| of_lineage(file) && file.follower.id().btime <= stat.id.btime) {
            if !self.is_open(key, buffer) {
                continue;
            }
            let Some(file) = self.files.file(key) else { continue };
            let streamed =
                file.follower.position().offset.max(file.follower.earlier().map_or(0, |earlier| earlier.offset));
            let current = file.follower.position();
            // Truncated since the last look, perhaps filled again since then.
            let is_cut = file.follower.has_changed(buffer).unwrap_or(true);
            let was_cut = is_cut || file.follower.earlier().is_some();
            // Of a file that was renamed its successors are no copies, though they may begin with the same few lines.
            if streamed == 0 || (file.is_detached && !was_cut && streamed < HEAD_BYTES) {
                continue;
            }
            // A candidate that cannot be read is refused when it is opened.
            let Ok((candidate, now)) = found.open() else { continue };
            match Kinship::of(&candidate, now.size, &file.follower, buffer) {
                // What follows is in the file itself too, unless it is truncated: then it is looked for again.
                Ok(Kinship::Copy(position)) if position == current && !file.is_detached && !is_cut => {
                    if streamed >= streamed_bytes_min {
                        return Kinship::Copy(None);
                    }
                    if self.is_suspect(&found.path, now.size) {
                        return Kinship::Perhaps;
                    }
                }
                Ok(Kinship::Copy(position)) => return Kinship::Copy(Some(position)),
                Ok(Kinship::Perhaps) if self.is_suspect(&found.path, now.size) => return Kinship::Perhaps,
                Ok(Kinship::Perhaps | Kinship::None) | Err(_) => {}
            }
        }
        self.known_copy(found, stat, buffer).map_or(Kinship::None, |position| Kinship::Copy(Some(position)))
    }

    /// Returns how far a file was streamed by an earlier process of which this one is a copy, and which is gone.
    fn known_copy(&self, found: &Found, stat: Stat, buffer: &mut Buffer) -> Option<Position> {
        let sums: Vec<u64> = earlier_paths(&found.path).map(|path| path_sum(&path)).collect();
        let is_earlier = |id: &FileId, one: &KnownFile| {
            id.btime <= stat.id.btime && one.position.offset >= HEAD_BYTES && sums.contains(&one.at)
        };
        let known = &self.known.as_ref()?.files;
        let mut positions =
            known.iter().filter(|(id, one)| is_earlier(id, one)).map(|(_, one)| one.position).peekable();
        positions.peek()?;
        let (candidate, _) = found.open().ok()?;
        positions.find(|position| Kinship::is_copy_of(&candidate, *position, buffer).unwrap_or(false))
    }

    /// Says whether a file may still become a copy: it grew lately.
    fn is_suspect(&mut self, path: &Path, size: u64) -> bool {
        let now = Instant::now();
        let (since, last_size) = self.suspects.entry(path.to_owned()).or_insert((now, size));
        if *last_size != size {
            (*since, *last_size) = (now, size);
        }
        now.duration_since(*since) < COPYING_MAX
    }

    fn look_at_suspects(&mut self, buffer: &mut Buffer) {
        if self.suspects.is_empty() {
            return;
        }
        self.suspects.retain(|path, _| path.exists());
        let directories = self.suspects.keys().filter_map(|path| path.parent().map(Path::to_owned));
        for directory in directories.collect::<BTreeSet<_>>() {
            self.look_for_rotated(&directory, buffer);
        }
    }

    /// Notes that a file left its path; what it still holds comes before what is at its path now.
    fn detach(&mut self, key: Key) {
        self.files.detach(key);
        if let Some(file) = self.files.file(key) {
            tracing::info!("{} was renamed or deleted; it is read until it is quiet", file.path.display());
        }
        self.files.make_ready(key);
        self.let_oldest_go();
    }

    /// Lets the detached files go that have been quiet for longest, if there are very many of them.
    pub fn let_oldest_go(&mut self) {
        let many = self.files.detached().len().saturating_sub(DETACHED_MAX);
        if many == 0 {
            return;
        }
        let is_idle = |file: &Followed| file.is_detached && file.queue == Queue::None && !file.is_put_off;
        let mut idle: Vec<_> =
            self.files.iter().filter(|(_, file)| is_idle(file)).map(|(key, file)| (file.active, key)).collect();
        idle.sort_unstable();
        for (_, key) in idle.into_iter().take(many) {
            self.remove(key);
        }
    }

    fn reopen(&mut self, key: Key, found: &Found, id: FileId) {
        self.make_room();
        if let (Some(descriptor), Some(file)) = (found.open_as(id), self.files.file(key)) {
            file.follower.reopen(descriptor);
            file.path = Rc::from(&*found.path);
            self.files.make_ready(key);
        }
    }

    /// Makes a file ready that was closed for want of descriptors, if it has changed since.
    fn look_at_closed(&mut self, key: Key, buffer: &mut Buffer) {
        let Some(file) = self.files.file(key) else { return };
        let (path, lineage, closed_at) = (Rc::clone(&file.path), Rc::clone(&file.lineage), file.closed_at);
        let found = self.discovery.look_beneath(&lineage.root, &path);
        let stat = found.stat.as_ref().ok().copied();
        let is_same = stat.is_some_and(|stat| stat.id == file.follower.id());
        if !is_same {
            self.settle(&found, buffer);
        } else if stat.map(|stat| (stat.size, stat.mtime)) != closed_at {
            self.files.make_ready(key);
        }
    }

    /// Closes files until there are descriptors for another one.
    ///
    /// First those that have been quiet for longest, then those that wait for their turn, which are opened again then. Deleted
    /// and renamed files may not be found again, so they are let go only when nothing else is left and they are read.
    fn make_room(&mut self) {
        if self.files.count() < self.open_files_max {
            return;
        }
        let mut open = self.files.iter().filter(|(_, file)| file.follower.is_open()).count();
        while open >= self.open_files_max && self.close_one() {
            open -= 1;
        }
    }

    /// Closes one file, and says whether there was one that could be closed.
    fn close_one(&mut self) -> bool {
        let is_read = |file: &Followed| {
            let read_bytes = file.follower.position().offset + file.follower.unfinished_bytes();
            let stat = file.follower.file().and_then(Stat::of).ok();
            stat.filter(|stat| stat.size == read_bytes)
        };
        let can_wait = |file: &Followed| {
            let is_busy = file.queue == Queue::Held || file.follower.is_within_line();
            file.follower.is_open() && !is_busy && (!file.is_detached || is_read(file).is_some())
        };
        let candidates = self.files.iter().filter(|(_, file)| can_wait(file));
        let order = |(key, file): (Key, &Followed)| (file.is_detached, file.queue != Queue::None, file.active, key);
        let Some((is_detached, .., key)) = candidates.map(order).min() else { return false };
        if is_detached {
            self.remove(key);
        } else if let Some(file) = self.files.file(key) {
            // What was written since the last look must not be missed when it is looked at next.
            file.closed_at = is_read(file).map(|stat| (stat.size, stat.mtime));
            file.follower.close();
            if file.closed_at.is_none() {
                self.files.make_ready(key);
            }
        }
        true
    }

    /// Lets files go that were renamed or deleted and have been quiet; their unfinished lines are streamed first.
    fn let_go(&mut self, now: Instant) {
        for key in self.files.keys(|file| file.is_detached && file.queue == Queue::None) {
            let Some(file) = self.files.file(key) else { continue };
            let stat = file.follower.file().and_then(Stat::of).ok();
            let (links, size) = stat.map_or((0, 0), |stat| (stat.links, stat.size));
            if !file.has_ended(now, links) {
                continue;
            }
            if size > file.follower.position().offset && file.follower.unfinished_bytes() > 0 {
                file.follower.finish_line();
                self.files.make_ready(key);
                continue;
            }
            tracing::info!("{} has ended", file.path.display());
            self.remove(key);
        }
    }

    /// Lets a file go for good. Its lineage remembers how far it is done with, before the checkpoint forgets the file.
    fn remove(&mut self, key: Key) {
        let Some(file) = self.files.remove(key) else { return };
        if file.lineage.finish(file.follower.id()) {
            for heir in self.files.keys(|one| Rc::ptr_eq(&one.lineage, &file.lineage)) {
                self.save(heir);
            }
        }
        self.checkpoint.forget(file.slot);
    }

    fn forget_unmet(&mut self) {
        let Some(known) = &mut self.known else { return };
        known.since.clear();
        for (_, known) in known.files.drain() {
            self.checkpoint.forget(Some(known.slot));
        }
    }
}

/// Returns the time as the clock of new files shows it, in nanoseconds since 1970: that clock is coarse, and so never ahead.
fn file_time_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX).saturating_sub(FILE_CLOCK_NS)
}

/// Returns what an open file is really called, behind all links; `None` without `/proc`.
fn real_path(file: &OwnedFd) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

/// Returns the paths at which a file of this path may have been before it was rotated.
fn earlier_paths(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let directory = path.parent().unwrap_or(Path::new("/")).to_owned();
    let names = path.file_name().map(|name| earlier_names(name.as_bytes())).unwrap_or_default();
    names.into_iter().map(move |name| directory.join(OsStr::from_bytes(&name)))
}

/// Where a file is read from that the checkpoint does not know.
#[derive(Debug, Clone, Copy)]
enum Start {
    Beginning,
    End,
    /// Where the file that it is a copy of was left.
    At(Position),
}

/// What the hints of one wake-up come to.
#[derive(Debug, Default)]
struct Hints {
    entries: Vec<PathBuf>,
    anything: bool,
    elsewhere: bool,
    path: PathBuf,
}

impl Hints {
    fn add(&mut self, hint: Hint<'_>, files: &mut Files, discovery: &Discovery) {
        match hint {
            Hint::Anything => self.anything = true,
            Hint::Written(directory, name) => {
                self.path.clear();
                self.path.push(directory);
                self.path.push(name);
                match files.named_by_event(&self.path) {
                    Some(key) => files.make_ready(key),
                    None => self.elsewhere = true,
                }
            }
            Hint::Entry(directory, name) => {
                let path = directory.join(name);
                self.anything |= discovery.may_lead_to_files(directory, name);
                if self.entries.last() != Some(&path) {
                    self.entries.push(path);
                }
            }
        }
    }
}
