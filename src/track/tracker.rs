//! Keeps the followed files in agreement with what is at the paths: new files, files that went elsewhere, rotated ones that
//! no pattern matches, copies.
//!
//! Hints say where to look; what `statx` and the bytes say is believed. A file that left its path is read on; one that was
//! at a path between two looks, and has another name by now, is found among the files that look like rotations of it:
//! those born after the path was first seen are read too, oldest first. Names alone never decide.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use super::clock::{self, Clock};
use super::event::{Event, Events, InArchives};
use super::hints::Hints;
use super::start::{Start, after_kill, earlier_paths, real_path};
use crate::config::Config;
use crate::config::settings::ReadFrom;
use crate::disk::policy::{Intent, Policy};
use crate::output::rules::Route;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::discover::{Discovery, Found, NotSearched, Walked, is_missing};
use crate::paths::watch::Watch;
use crate::read::buffer::{Buffer, HEAD_BYTES};
use crate::read::kinship::Kinship;
use crate::read::position::Position;
use crate::report::finding::Finding;
use crate::report::metrics::Totals;
use crate::report::refused::NotFollowed;
use crate::shelf::checkpoint::Checkpoint;
use crate::shelf::entry::{Known, path_sum};
use crate::shelf::files::{Course, Files, Followed, Key, Lineage, Queue};
use crate::shelf::progress::Progress;
use crate::shelf::room::Room;

/// After how long the checkpoint forgets files of an earlier process that did not turn up again.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// After how long it is told that no file was found: perhaps `PATHS` is wrong.
const IDLE_TOLD_AFTER: Duration = Duration::from_secs(10);

/// Descriptors that are kept for everything but followed files: streams, epoll, signals, inotify, looking at paths.
const DESCRIPTORS_RESERVED: u64 = 32;

/// How many files are kept open at most, however many descriptors there are.
const OPEN_FILES_MAX: u64 = 4096;

/// Returns how many files are kept open at the same time, at most.
#[must_use]
pub(crate) fn open_files_max() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = limit.saturating_sub(DESCRIPTORS_RESERVED).clamp(4, OPEN_FILES_MAX);
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// A file that may be a copy in the making.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) path: PathBuf,
    /// When it was first seen, or had grown.
    pub(super) since: Instant,
    pub(super) size: u64,
}

/// The files and where they come from.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// The followed files.
    pub files: Files,
    /// What was opened so far.
    pub files_followed: u64,
    /// What happened to files and to their room.
    pub totals: Totals,
    config: Config,
    output: Vec<FileId>,
    pub(super) discovery: Discovery,
    watch: Watch,
    pub(super) checkpoint: Checkpoint,
    /// What an earlier process left, and this one has not met yet; `None` until the checkpoint could be opened.
    pub(super) known: Option<Known>,
    pub(super) refusals: NotFollowed,
    /// Files that may be copies in the making.
    pub(super) suspects: HashMap<FileId, Suspect>,
    /// Files that are copies of followed ones, with the sizes that they had when that was seen.
    pub(super) copies: HashMap<FileId, u64>,
    pub(super) open_files_max: usize,
    /// Directories in which files may have been missed that are older than one which was met there.
    pub(super) unsure: BTreeSet<PathBuf>,
    /// What is still to be told to whoever reclaims disk.
    events: Events,
    clock: Clock,
    started: Instant,
    /// Whether the first look at all paths is still to come.
    pub(super) is_first_look: bool,
    /// Whether a directory could not be searched at the last look.
    has_failed_walk: bool,
    /// Whether it was told that there is nothing to follow.
    is_idle_told: bool,
    /// Whether it was told that no links are followed.
    is_without_openat2_told: bool,
}

impl Tracker {
    /// Looks at nothing yet. The files of `output` are the streams themselves and never followed.
    #[must_use]
    pub(crate) fn new(config: Config, output: Vec<FileId>) -> Self {
        let discovery = Discovery::new(config.paths.clone(), config.exclude.clone(), config.links);
        let checkpoint = Checkpoint::new(&config.state, discovery.first_root(), &config.patterns_text);
        let mut watch = Watch::start();
        tell_lost(&mut watch);
        Self {
            files: Files::default(),
            files_followed: 0,
            totals: Totals::default(),
            config,
            output,
            discovery,
            watch,
            checkpoint,
            known: None,
            refusals: NotFollowed::default(),
            suspects: HashMap::new(),
            copies: HashMap::new(),
            open_files_max: open_files_max(),
            unsure: BTreeSet::new(),
            events: Events::default(),
            clock: Clock::now(),
            started: Instant::now(),
            is_first_look: true,
            has_failed_walk: false,
            is_idle_told: false,
            is_without_openat2_told: false,
        }
    }

    /// Returns the watch, to wait for hints.
    #[must_use]
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Returns what is asked for of reclaiming disk: it decides which files are archives of ours.
    pub(super) fn policy(&self) -> &Policy {
        &self.config.rotate
    }

    /// Returns the patterns, to look at paths and directories.
    pub(crate) fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// Says whether there are events that nobody has taken.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Takes the next event that nobody has taken.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.events.take()
    }

    /// Notes what happened, for whoever reclaims disk.
    pub(super) fn note(&mut self, event: Event) {
        self.events.add(event, self.config.rotate.is_on());
    }

    /// Has a directory watched for names that come and go, beside those that the patterns lead through.
    pub(crate) fn watch_names(&mut self, directory: &Path) {
        self.watch.add_names(&Rc::from(directory));
        tell_lost(&mut self.watch);
    }

    /// Takes the hints that wait, and looks where they point.
    pub(crate) fn take_hints(&mut self, buffer: &mut Buffer) {
        self.look_at_clock();
        self.look_at_hints(buffer);
        self.look_for_elders(buffer);
    }

    /// Looks where hints point.
    fn look_at_hints(&mut self, buffer: &mut Buffer) {
        let mut hints = Hints::default();
        let (files, discovery) = (&mut self.files, &self.discovery);
        self.watch.take(|hint| hints.add(hint, files, discovery));
        if hints.elsewhere {
            // Perhaps the writer of a file that was renamed goes on in it, under a name that we do not follow.
            for key in self.files.keys(|file| file.is_detached) {
                self.files.make_ready(key);
            }
        }
        if hints.written {
            // Perhaps a file was truncated of which nothing had been read: then a copy of it is the only one that holds it.
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

    /// If the clock was set back since the last call, makes everything that is known of times agree with it. To be called
    /// before files are looked at: those that were born since then are new.
    fn look_at_clock(&mut self) {
        let Some(earliest) = self.clock.set_back() else { return };
        tracing::info!("the clock was set back; files that seem to come from the future are the older ones");
        for lineage in self.files.lineages() {
            lineage.set_back(earliest);
        }
        let future = clock::future();
        for key in self.files.keys(|_| true) {
            if let Some(file) = self.files.file(key) {
                file.note_future(future);
            }
            self.save(key);
        }
    }

    /// Looks at all patterns: new files, files that are no longer at their paths, rotated ones.
    pub(crate) fn look_everywhere(&mut self, buffer: &mut Buffer) {
        if self.known.is_none() {
            self.known = self.checkpoint.open();
            self.checkpoint.take_finding().iter().for_each(Finding::tell);
        }
        let Walked { found, failed, is_openat2_refused } = self.discovery.walk(&mut self.watch);
        tell_lost(&mut self.watch);
        if is_openat2_refused && !mem::replace(&mut self.is_without_openat2_told, true) {
            Finding::without_openat2().tell();
        }
        let paths: HashSet<&Path> = found.iter().map(|one| &*one.path).collect();
        // What may be a copy is met last, when everything that it may have been made of is known.
        let (copies, originals): (Vec<_>, Vec<_>) =
            found.iter().partition(|one| earlier_paths(&one.path).any(|path| self.is_of_interest(&path, &paths)));
        for one in originals {
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
        for one in copies {
            self.settle(one, buffer);
        }
        self.files.oldest_first();
        self.is_first_look = false;
    }

    /// Says whether a file at this path is followed, or was by an earlier process, or will be.
    fn is_of_interest(&self, path: &Path, found: &HashSet<&Path>) -> bool {
        let was_known = || self.known.as_ref().is_some_and(|known| known.since.contains_key(&path_sum(path)));
        found.contains(path) || self.files.lineage(path).is_some() || was_known()
    }

    /// Tells of the directories that could not be searched, and of those that can be again.
    fn note_failed(&mut self, failed: &[(PathBuf, NotSearched)]) {
        self.has_failed_walk = !failed.is_empty();
        for directory in self.discovery.directories().filter(|path| !failed.iter().any(|(failed, _)| failed == path)) {
            self.refusals.accept_directory(directory);
        }
        for (directory, why) in failed {
            let stat = std::fs::metadata(directory).ok().map(|found| Stat::from(&found));
            self.refusals.refuse_directory(directory, why, stat);
        }
    }

    /// The safety tick: whatever no event told of is found here.
    pub(crate) fn tick(&mut self, buffer: &mut Buffer) {
        let now = Instant::now();
        self.look_at_clock();
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
            tracing::warn!("no file matches {} yet; it is waited for, see SIDETAIL_PATHS", self.config.paths_text);
        }
        if now.duration_since(self.started) >= FORGET_AFTER {
            self.forget_unmet();
        }
    }

    /// Says whether something is waited for that only a look can tell: that a renamed file has ended, what a young file becomes,
    /// that what was refused can be read.
    #[must_use]
    pub(crate) fn is_expecting(&self) -> bool {
        let has_closed = self.files.iter().any(|(_, file)| file.is_detached || !file.follower.is_open());
        let has_failed = self.has_failed_walk || !self.refusals.paths().is_empty();
        has_closed || has_failed || !self.suspects.is_empty() || self.known.is_none()
    }

    /// Notes in the checkpoint how far a file has been streamed; later, if a stream still holds bytes of it: they are taken but
    /// not on the pipe. Says whether it is noted.
    pub(crate) fn save(&mut self, key: Key) -> bool {
        let Some(file) = self.files.file(key) else { return false };
        // What was skipped, as a hole is, is neither held nor delivered by anybody.
        file.progress.take(file.follower.offset());
        if !file.progress.is_delivered() {
            return false;
        }
        let mut slot = file.slot;
        let is_saved = self.checkpoint.save(&mut slot, file.entry());
        file.slot = slot;
        if is_saved {
            file.progress.note();
        }
        is_saved
    }

    /// The same for a file of which a stream held bytes until now, and for the copies that were met meanwhile.
    pub(crate) fn save_released(&mut self, key: Key) -> bool {
        let is_saved = self.save(key);
        for copy in self.files.keys(|file| file.progress.is_behind_original()) {
            let Some(path) = self.files.file(copy).map(|file| Rc::clone(&file.path)) else { continue };
            if !self.is_held_of(&path)
                && let Some(file) = self.files.file(copy)
            {
                file.progress.original_delivered();
                self.save(copy);
            }
        }
        is_saved
    }

    /// Says whether a stream holds bytes of a file of which one at this path may be a copy.
    fn is_held_of(&self, path: &Path) -> bool {
        let lineages: Vec<_> = self.lineages_of(path).collect();
        let is_original = |file: &Followed| lineages.iter().any(|one| Rc::ptr_eq(one, &file.lineage));
        self.files
            .iter()
            .any(|(_, file)| file.progress.is_held() && !file.progress.is_behind_original() && is_original(file))
    }

    /// Makes the followed files agree with what was found at one path.
    pub(super) fn settle(&mut self, found: &Found, buffer: &mut Buffer) {
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
        if self.files.with_id(stat.id).is_none() {
            self.meet_originals(&found.path, buffer);
        }
        let known = self.files.with_id(stat.id).map(|(key, file)| (key, file.path.clone(), file.is_detached));
        match known {
            Some((key, path, is_detached)) => {
                let there = || self.discovery.look(&path).and_then(|there| there.stat.ok());
                if is_detached || there().is_none_or(|there| there.id != stat.id) {
                    tracing::info!(file = %found.path.display(), "{} is now {}", path.display(), found.path.display());
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
        if !is_known && self.is_archive(&found.path) {
            return;
        }
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
    pub(super) fn open(&mut self, found: &Found, start: Start, rotated_of: Option<&Rc<Lineage>>, buffer: &mut Buffer) {
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
        if found.stat.as_ref().is_ok_and(|seen| seen.id != stat.id) {
            // Another one came to the path since it was looked at, perhaps a copy; the hint of that is still to come.
            return;
        }
        if self.output.contains(&stat.id) {
            return self.refusals.refuse_output(&found.path);
        }
        let real_path = real_path(&file).filter(|real| *real != found.path);
        // Of the file that was opened: another one may have come to the path since it was looked at.
        let mut known = self.known.as_mut().and_then(|known| known.files.remove(&stat.id));
        if let Some(Err(why)) = known.as_mut().map(|known| after_kill(known, &file, buffer)) {
            return self.refusals.refuse(&found.path, &why, Some(stat));
        }
        let unknown = known.as_mut().and_then(|known| known.unknown.take());
        let known = known.as_ref();
        let begin = known.map_or(start, |known| Start::At(known.position));
        let mut follower = match begin.follow(file, stat, buffer) {
            Ok(follower) => follower,
            Err(why) => return self.refusals.refuse(&found.path, &why, Some(stat)),
        };
        if let Some(known) = known {
            follower.resume_waypoints(&known.waypoints);
        }
        self.refusals.accept(&found.path);
        self.suspects.remove(&stat.id);
        tracing::info!(file = %found.path.display(), "following {} from byte {}", found.path.display(), follower.offset());
        self.files_followed += 1;
        self.totals.reopened += u64::from(rotated_of.is_none() && self.files.lineage(&found.path).is_some());
        self.note_unsure(found, rotated_of.is_some());
        let first_at = |one: &Rc<Lineage>| known.is_some_and(|known| known.at == path_sum(&one.path));
        let rotated_under = || self.lineages_of(&found.path).find(first_at);
        let lineage = rotated_of.cloned().or_else(rotated_under).unwrap_or_else(|| self.lineage(found, stat));
        let (line_of_original, archived_of_original) = self.known_of_original(&start);
        let going_on = known.filter(|_| follower.offset() > 0);
        let course = Course::resumed(
            self.config.formats.judge(&lineage.path),
            going_on.map_or(line_of_original, |known| known.line_route),
            going_on.and_then(|known| known.record_route),
        );
        let has_changed = known.is_some() && follower.earlier().is_some();
        let mut progress = match (going_on, start) {
            (Some(known), _) => Progress::resumed(known.kept.min(follower.offset())),
            // What was passed over was not streamed, so it is not reclaimed, nor is what shares a block with it.
            (None, Start::End) => Progress::passed_over(follower.offset().next_multiple_of(stat.block_bytes)),
            (None, _) => Progress::truncated_since(known.map_or(0, |known| known.kept)),
        };
        if known.is_none() && matches!(start, Start::At(_)) && self.is_held_of(&found.path) {
            progress.wait_for_original();
        }
        let name = self.discovery.shown_name(&lineage.path);
        let key = self.files.add(Followed {
            router: self.config.router.of_file(&lineage.path),
            opening: self.config.output.opening(&name, &lineage.path),
            slot: known.and_then(|known| known.slot),
            unknown,
            cut_line: known.filter(|_| going_on.is_none()).and_then(|known| known.line_route),
            is_detached: rotated_of.is_some(),
            progress,
            room: Room::known(going_on.map_or(Intent::None, |known| known.intent)),
            ..Followed::new(follower, lineage, Rc::from(&*found.path), course)
        });
        if let Some(real_path) = real_path {
            self.watch_behind_link(key, &real_path);
        }
        if let Some(file) = self.files.file(key) {
            file.note_future(clock::future());
        }
        // Noted even before anything is streamed: a restart must know how old the lineage is. But of a file that was truncated
        // meanwhile the checkpoint still says what copies of it hold, until these are met and noted, too.
        if !has_changed {
            self.save(key);
        }
        if let Some(archived) = archived_of_original.filter(|_| known.is_none() && rotated_of.is_none()) {
            self.note(Event::CopyBegun { key, archived });
        }
        if rotated_of.is_some() && going_on.is_some() {
            self.note(Event::FoundRenamed);
        }
        if let Some(Intent::Archive { end, id }) = known.map(|known| known.intent) {
            self.note(Event::ArchiveLeft { key, end, id, is_truncated: going_on.is_none() });
        }
        self.files.make_ready(key);
    }

    /// Notes that others may be older than a file that is about to be followed, if others were at its path before.
    fn note_unsure(&mut self, found: &Found, is_rotated: bool) {
        let was_known = || self.known.as_ref().is_some_and(|known| known.since.contains_key(&path_sum(&found.path)));
        if is_rotated || self.files.lineage(&found.path).is_some() || was_known() {
            self.unsure.extend(found.path.parent().map(Path::to_owned));
        }
    }

    /// Takes hints of a file that is followed through a link: events tell of what that leads to, in that one's directory.
    fn watch_behind_link(&mut self, key: Key, real_path: &Path) {
        self.files.add_alias(key, real_path);
        if let Some(directory) = real_path.parent() {
            self.watch.add(&Rc::from(directory));
            tell_lost(&mut self.watch);
        }
    }

    /// Returns where the line went within which the file was left by an earlier process that a copy goes on with, and up to
    /// where what it held is in archives, if there are any.
    fn known_of_original(&self, start: &Start) -> (Option<Route>, Option<InArchives>) {
        let Start::At(position) = start else { return (None, None) };
        let is_at = |other: &Position| other == position;
        let truncated = || {
            let mut files = self.files.iter();
            let (key, file) = files.find(|(_, file)| file.follower.earlier().as_ref().is_some_and(is_at))?;
            Some((file.cut_line, InArchives::OfTruncated(key)))
        };
        let unmet = || {
            let known = self.known.as_ref()?.files.values().find(|known| is_at(&known.position))?;
            Some((known.line_route, InArchives::UpTo(known.kept)))
        };
        let followed = || {
            let (_, file) = self.files.iter().find(|(_, file)| is_at(&file.follower.position()))?;
            Some((None, InArchives::UpTo(file.progress.reclaimed())))
        };
        let Some((line, archived)) = truncated().or_else(unmet).or_else(followed) else { return (None, None) };
        (line, Some(archived).filter(|_| self.config.rotate.keep > 0))
    }

    /// Notes that a file left its path; what it still holds comes before what is at its path now.
    pub(crate) fn detach(&mut self, key: Key) {
        self.totals.vanished += 1;
        self.files.detach(key);
        if let Some(file) = self.files.file(key) {
            tracing::info!(file = %file.path.display(), "{} was renamed or deleted; it is read until it is quiet", file.path.display());
        }
        self.files.make_ready(key);
        self.let_oldest_go();
    }

    fn forget_unmet(&mut self) {
        let Some(known) = &mut self.known else { return };
        known.since.clear();
        for (_, known) in known.files.drain() {
            self.checkpoint.forget(known.slot);
        }
    }
}

/// Tells why no events come, once.
fn tell_lost(watch: &mut Watch) {
    if let Some(why) = watch.take_lost() {
        Finding::from(&why).tell();
    }
}
