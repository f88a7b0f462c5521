//! Keeps the followed files in agreement with what is at the paths: new files, files that went elsewhere, rotated ones that
//! no pattern matches, copies.
//!
//! Hints say where to look; what `statx` and the bytes say is believed. A file that left its path is read on; one that was
//! at a path between two looks, and has another name by now, is found among the files that look like rotations of it:
//! those born after the path was first seen are read too, oldest first. Names alone never decide.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use super::clock::{self, Clock};
use super::destroyed::Destroyed;
use super::event::{Event, Events};
use super::hints::Hints;
use super::let_go::LetGo;
use super::linked::Linked;
use super::sweep_state::Sweep;
use crate::config::Config;
use crate::disk::policy::Policy;
use crate::paths::beneath::{FileId, Stat, real_path};
use crate::paths::discover::{Discovery, Found, is_missing};
use crate::paths::glob::Pattern;
use crate::paths::watch::Watch;
use crate::read::buffer::{Buffer, HEAD_BYTES};
use crate::read::kinship::Kinship;
use crate::report::finding::Finding;
use crate::report::metrics::Totals;
use crate::report::refused::NotFollowed;
use crate::report::unmatched::UNMATCHED_MAX;
use crate::shelf::checkpoint::Checkpoint;
use crate::shelf::files::Files;
use crate::shelf::followed::{Followed, Queue};
use crate::shelf::known::{Asleep, Known};
use crate::shelf::lineage::Key;

/// After how long the checkpoint forgets files of an earlier process that did not turn up again.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// After how long it is logged which files of an earlier process did not turn up: by then everything was looked at.
const UNMET_TOLD_AFTER: Duration = Duration::from_secs(3);

/// After how long sidetail warns of patterns that match nothing: perhaps `PATHS` is wrong.
const UNMATCHED_TOLD_AFTER: Duration = Duration::from_secs(10);

/// Descriptors that are kept for everything but followed files: streams, epoll, signals, inotify, looking at paths.
const DESCRIPTORS_RESERVED: u64 = 32;

/// How many more are kept for directories that are listed, one in another, of so many that there are.
const LISTED_MAX: u64 = 40;
const LISTED_SHARE: u64 = 48;

/// How many files are kept open at least, however few descriptors there are: looking at paths takes some more.
const OPEN_FILES_MIN: u64 = 2;

/// How many files are kept open at most, however many descriptors there are.
const OPEN_FILES_MAX: u64 = 4096;

/// Returns how many files are kept open at the same time, at most.
#[must_use]
pub(crate) fn open_files_max() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let reserved = DESCRIPTORS_RESERVED + (limit / LISTED_SHARE).min(LISTED_MAX);
    let most = limit.saturating_sub(reserved).clamp(OPEN_FILES_MIN, OPEN_FILES_MAX);
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
    /// The files opened so far.
    pub files_followed: u64,
    /// What happened to files and to their room.
    pub totals: Totals,
    pub(super) config: Config,
    pub(super) output: Vec<FileId>,
    pub(super) discovery: Discovery,
    pub(super) watch: Watch,
    pub(super) checkpoint: Checkpoint,
    /// What an earlier process left, and this one has not met yet; `None` until the checkpoint could be opened.
    pub(super) known: Option<Known>,
    pub(super) refusals: NotFollowed,
    /// Files that may be copies in the making.
    pub(super) suspects: HashMap<FileId, Suspect>,
    /// Files that are copies of followed ones, with their paths and the sizes that they had when that was seen.
    pub(super) copies: HashMap<FileId, (PathBuf, u64)>,
    /// What was destroyed before it was read, and is not lost if a copy of it turns up.
    pub(super) destroyed: Destroyed,
    /// The renamed files that were let go last.
    pub(super) let_go: LetGo,
    /// The links that files are followed through.
    pub(super) linked: Linked,
    /// The files that left their paths since it was last looked beside them.
    pub(super) just_detached: Vec<Key>,
    /// The files that were found since they were last put in order.
    pub(super) just_begun: Vec<Key>,
    pub(super) open_files_max: usize,
    /// How many files may be opened before it is looked again how many are open.
    pub(super) openings_left: usize,
    /// The sleeping files that were woken for the room that they take.
    pub(super) woken_for_room: Vec<Key>,
    /// Whether no file has a turn soon, because a rate limit is used up.
    pub(crate) are_turns_late: bool,
    /// Directories in which files may have been missed that are older than one which was met there.
    pub(super) unsure: BTreeSet<PathBuf>,
    /// Events that `reclaim` has not taken yet.
    events: Events,
    clock: Clock,
    /// When it was last looked where hints point, as the clock of new files shows it.
    pub(super) looked_at: i64,
    started: Instant,
    /// The same by the clock of files; nanoseconds since 1970.
    pub(super) started_at: i64,
    /// Whether the first look at all paths is still to come.
    pub(super) is_first_look: bool,
    /// Whether a directory could not be searched at the last look.
    pub(super) has_failed_walk: bool,
    /// The look at all patterns.
    pub(super) sweep: Sweep,
    /// Whether everything is being streamed, and then it ends; and what was opened since.
    pub(super) is_ending: bool,
    pub(super) opened_late: Vec<Key>,
    /// The file that was last asked of those that are closed.
    pub(super) asked_closed: Key,
    /// Whether some files could not be noted in the checkpoint.
    has_unsaved: bool,
    /// Whether the files of an earlier process that did not turn up were logged.
    pub(super) is_unmet_told: bool,
    /// Whether the warnings of patterns that match nothing were logged.
    are_unmatched_told: bool,
    /// Whether the warning that no links are followed was logged.
    pub(super) is_without_openat2_told: bool,
    /// Whether it was reported that not all directories are watched.
    pub(super) is_beyond_watches_told: bool,
    /// When it was last reported that deleted files are held.
    pub(super) told_deleted: Option<Instant>,
}

impl Tracker {
    /// Looks at nothing yet. The files of `output` are the streams themselves and never followed.
    #[must_use]
    pub(crate) fn new(config: Config, output: Vec<FileId>) -> Self {
        let discovery = Discovery::new(config.paths.clone(), config.exclude.clone(), config.links);
        let checkpoint =
            Checkpoint::new(&config.state, discovery.first_root(), &config.patterns_text).following(config.links);
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
            destroyed: Destroyed::default(),
            let_go: LetGo::default(),
            just_detached: Vec::new(),
            just_begun: Vec::new(),
            linked: Linked::default(),
            open_files_max: open_files_max(),
            openings_left: 0,
            woken_for_room: Vec::new(),
            are_turns_late: false,
            unsure: BTreeSet::new(),
            events: Events::default(),
            clock: Clock::now(),
            looked_at: clock::file_time(),
            started: Instant::now(),
            started_at: clock::time(),
            is_first_look: true,
            has_failed_walk: false,
            sweep: Sweep::new(clock::file_time()),
            is_ending: false,
            opened_late: Vec::new(),
            asked_closed: 0,
            has_unsaved: false,
            is_unmet_told: false,
            are_unmatched_told: false,
            is_without_openat2_told: false,
            is_beyond_watches_told: false,
            told_deleted: None,
        }
    }

    /// Returns the watch, to wait for hints.
    #[must_use]
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Returns the policy for reclaiming disk: it decides which files are our own archives.
    pub(crate) fn policy(&self) -> &Policy {
        &self.config.rotate
    }

    /// Returns the patterns, to look at paths and directories.
    pub(crate) fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// Returns whether there are events that nobody has taken.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Takes the next event that nobody has taken.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.events.take()
    }

    /// Notes an event for `reclaim`.
    pub(super) fn note(&mut self, event: Event) {
        self.events.add(event, self.config.rotate.is_on());
    }

    /// Has a directory watched for names that come and go, beside those that the patterns lead through.
    pub(crate) fn watch_names(&mut self, directory: &Path) {
        self.watch.keep_names(&Rc::from(directory));
        tell_lost(&mut self.watch);
    }

    /// Takes the hints that wait, and looks where they point.
    pub(crate) fn take_hints(&mut self, buffer: &mut Buffer) {
        self.look_at_clock();
        // What comes while it looks belongs to the next look.
        let now = clock::file_time();
        self.look_at_hints(buffer);
        self.looked_at = now;
        self.look_beside_rotated(buffer);
        self.look_for_elders(buffer);
    }

    /// Looks where hints point.
    fn look_at_hints(&mut self, buffer: &mut Buffer) {
        let mut hints = Hints::default();
        (hints.wants_unknown, hints.are_turns_late) = (!self.let_go.is_empty(), self.are_turns_late);
        let (files, discovery) = (&mut self.files, &self.discovery);
        self.watch.take(|hint| hints.add(hint, files, discovery));
        self.note_sizes(&hints.waiting, buffer);
        for path in &hints.unknown {
            self.look_at_written_elsewhere(path);
        }
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
            let is_rotation = self.files.lineage(&path).is_some()
                || self.lineages_of(&path).next().is_some()
                || self.has_slept_at(&path);
            if let Some(found) = self.discovery.look(&path) {
                if found.stat.as_ref().is_err_and(is_missing) {
                    self.files.forget_alias(&path);
                }
                self.settle(&found, buffer);
            }
            let link = self.linked.link_to(&path).cloned();
            if let Some(link) = &link {
                self.look_at_link(link, buffer);
            }
            directories.extend(path.parent().filter(|_| is_rotation || link.is_some()).map(Path::to_owned));
        }
        for directory in directories {
            self.look_for_rotated(&directory, buffer);
            self.look_below(&directory, self.looked_at, buffer);
        }
    }

    /// If the clock was set back since the last call, makes everything that is known of times agree with it. To be called
    /// before files are looked at: those that were born since then are new.
    fn look_at_clock(&mut self) {
        let Some(earliest) = self.clock.set_back() else { return };
        tracing::info!("the clock was set back; treating files from the future as the older ones");
        self.looked_at = self.looked_at.min(earliest);
        self.sweep.set_back(earliest);
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

    /// The safety tick: finds what no event reported.
    pub(crate) fn tick(&mut self, buffer: &mut Buffer) {
        let now = Instant::now();
        self.look_at_clock();
        if self.discovery.is_stale() || self.has_failed_walk || self.known.is_none() {
            self.look_everywhere(buffer);
        } else {
            self.sweep_in_time(now, buffer);
            for path in self.refusals.paths() {
                match self.discovery.look(&path) {
                    Some(found) => self.settle(&found, buffer),
                    None => self.refusals.forget(&path),
                }
            }
        }
        self.renew_checkpoint();
        for link in self.linked.links() {
            self.look_at_link(&link, buffer);
        }
        self.look_at_suspects(buffer);
        self.note_sizes(&self.files.keys(|file| file.queue != Queue::None), buffer);
        self.tell_lost_in_time();
        self.let_go(now);
        self.lull_in_time();
        if self.let_go.is_time() {
            self.look_at_let_go();
        }
        self.files.make_all_ready();
        self.look_at_some_closed(buffer);
        if !self.is_first_look && !self.is_sweeping() && self.waiting() == 0 {
            self.checkpoint.note_looked_at(self.looked_at.max(self.sweep.began_at_time));
        }
        if !self.are_unmatched_told && now.duration_since(self.started) >= UNMATCHED_TOLD_AFTER {
            self.are_unmatched_told = true;
            self.tell_unmatched();
        }
        // What waits for a place is not missing.
        let is_all_met = !self.is_sweeping() && self.waiting() == 0;
        if is_all_met && now.duration_since(self.started) >= UNMET_TOLD_AFTER {
            self.tell_unmet();
        }
        if is_all_met && now.duration_since(self.started) >= FORGET_AFTER {
            self.forget_unmet();
        }
    }

    /// Warns of each pattern that matches no file; what is refused, or beneath a directory that cannot be searched, is reported there.
    fn tell_unmatched(&self) {
        if self.asleep() > 0 {
            return;
        }
        let refused = self.refusals.paths();
        let is_directory = |path: &Path| {
            let found = self.discovery.stat_directory(path);
            found.is_ok_and(|stat| stat.kind == FileType::Directory)
        };
        let is_unmatched = |pattern: &&Pattern| {
            let is_above =
                |path: &Path| pattern.root.starts_with(path) || (path.starts_with(&pattern.root) && is_directory(path));
            let is_known = refused.iter().any(|path| pattern.matches(path) || is_above(path));
            !is_known && !self.files.iter().any(|(_, file)| pattern.matches(&file.path))
        };
        for (told, pattern) in self.config.paths.iter().filter(is_unmatched).enumerate() {
            if told == UNMATCHED_MAX {
                return Finding::more_unmatched().tell();
            }
            Finding::unmatched(pattern, self.discovery.left_out()).tell();
        }
    }

    /// Returns whether only another look can show something: that a renamed file has ended, what a young file becomes, that
    /// what was refused can be read.
    #[must_use]
    pub(crate) fn is_expecting(&self) -> bool {
        let has_closed = self.files.iter().any(|(_, file)| file.is_detached || !file.follower.is_open());
        let has_failed = self.has_failed_walk || !self.refusals.paths().is_empty();
        let has_waiting =
            !self.destroyed.is_empty() || self.files.iter().any(|(_, file)| file.follower.waiting_nuls() > 0);
        has_closed || has_failed || has_waiting || !self.suspects.is_empty() || self.known.is_none()
    }

    /// Notes in the checkpoint how far a file has been streamed; later, if a stream still holds bytes of it: they are taken but
    /// not on the pipe. Returns whether it is noted.
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
        file.is_unsaved = !is_saved && self.checkpoint.is_kept();
        self.has_unsaved |= file.is_unsaved;
        if is_saved {
            file.progress.note();
        }
        is_saved
    }

    /// Notes the files that could not be noted when that was last tried: nothing else would come to it with those that are quiet.
    fn save_unsaved(&mut self) {
        if std::mem::take(&mut self.has_unsaved) {
            for key in self.files.keys(|file| file.is_unsaved) {
                self.save(key);
            }
        }
        self.checkpoint.retry();
    }

    /// The same for a file of which a stream held bytes until now, and for the copies found since.
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

    /// Returns whether a stream holds bytes of a file of which one at this path may be a copy.
    pub(super) fn is_held_of(&self, path: &Path) -> bool {
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
                if is_missing(why) && found.is_link() {
                    // What it leads to is still to come, or was rotated.
                    self.note_link(&found.path, &found.root);
                }
                return self.refusals.refuse(&found.path, why, None, || found.is_link());
            }
        };
        match attached {
            Some((key, id)) if id == stat.id => {
                if let Some(file) = self.files.file(key) {
                    file.seen_in = self.sweep.number;
                }
                if self.files.is_waiting(key) {
                    // The hint of what was written to it may be lost.
                    self.note_sizes(&[key], buffer);
                }
                return self.files.make_ready(key);
            }
            Some((key, _)) if self.adopt(key, found, buffer) => return self.files.make_ready(key),
            Some((key, _)) => self.detach(key),
            None => {}
        }
        if self.files.with_id(stat.id).is_none() {
            if self.is_as_it_fell_asleep(&stat) {
                return;
            }
            let is_new = self.known.as_ref().is_none_or(|known| !known.is_asleep(stat.id));
            if is_new && !self.wake_originals(&found.path, buffer) {
                return self.leave_for_sweep();
            }
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

    /// Returns whether a file is asleep, and may go on sleeping.
    fn is_as_it_fell_asleep(&mut self, stat: &Stat) -> bool {
        let number = self.sweep.number;
        !self.must_wake(stat)
            && self.known.as_mut().is_some_and(|known| known.look_at(stat, number) == Asleep::Unchanged)
    }

    /// Goes on with the file that is at a path now, if it is the one before in another place: an overlay copies a file of a
    /// lower layer up at its first write, and the copy has another identity.
    fn adopt(&mut self, key: Key, found: &Found, buffer: &mut Buffer) -> bool {
        let Some(file) = self.files.file(key) else { return false };
        let position = file.follower.position();
        let is_busy = file.queue == Queue::Held || file.follower.is_within_line();
        let old_path = file.follower.file().ok().and_then(real_path);
        // A file that was renamed or deleted is not called so any more; one that was copied up still is. What is at the path now may
        // be gone in a moment: it is not opened, and closed again, where the name alone tells that.
        let is_renamed = old_path
            .as_deref()
            .is_none_or(|old| old.parent() == found.path.parent() && old.file_name() != found.path.file_name());
        if is_renamed || is_busy || position.offset < HEAD_BYTES {
            return false;
        }
        let Ok((candidate, stat)) = found.open() else { return false };
        if old_path != real_path(&candidate) {
            return false;
        }
        let kinship = Kinship::of(&candidate, stat.size, &file.follower, buffer);
        let is_copy = kinship.is_ok_and(|kinship| kinship == Kinship::Copy(position));
        is_copy && self.files.adopt(key, stat.id, candidate)
    }

    /// Notes that a file left its path; what it still holds comes before what is at its path now.
    pub(crate) fn detach(&mut self, key: Key) {
        self.totals.vanished += 1;
        self.files.detach(key);
        self.just_detached.push(key);
        if let Some(file) = self.files.file(key) {
            let path = file.path.display();
            tracing::info!(file = %path, "{path} was renamed or deleted; reading it until it is quiet");
        }
        self.files.make_ready(key);
        self.let_oldest_go();
    }

    /// Makes the checkpoint again if it is gone, or could not be made before, and notes all files in it.
    fn renew_checkpoint(&mut self) {
        let is_new = self.known.is_some() && self.checkpoint.renew();
        self.checkpoint.take_finding().iter().for_each(Finding::tell);
        if !is_new {
            return self.save_unsaved();
        }
        self.known.iter_mut().for_each(|known| self.checkpoint.take_over(known));
        for key in self.files.keys(|_| true) {
            if let Some(file) = self.files.file(key) {
                file.slot = None;
            }
            self.save(key);
        }
    }

    fn forget_unmet(&mut self) {
        let Some(known) = &mut self.known else { return };
        for slot in known.forget() {
            self.checkpoint.forget(Some(slot));
        }
    }
}

/// Logs once why no events come.
pub(super) fn tell_lost(watch: &mut Watch) {
    if let Some(why) = watch.take_lost() {
        Finding::from(&why).tell();
    }
}
