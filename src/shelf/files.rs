//! The followed files: by key, by path and by identity; and whose turn it is.
//!
//! A file is *attached* while it is at its path. When it is renamed away or deleted it is *detached*: it keeps its
//! descriptor, because its writer may go on, until it has been quiet for a while. Files that were at the same path one after
//! the other are of one [`Lineage`].
//!
//! Invariants: `by_path` holds attached files, and lineages of which a file is followed; `by_id` every file, each once; a key is never
//! used again; a file stands in at most one queue, the one that its [`Queue`] names.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use super::aliases::Aliases;
use super::identities::Identities;
use super::lineage::{Key, Lineage};
use super::progress::Progress;
use super::rare::Rare;
use super::room::Room;
use crate::format::{FormatId, Judge, Level};
use crate::output::encode::object::Objects;
use crate::output::rules::{FileRouter, Route, Stream};
use crate::paths::beneath::{FileId, Stat};
use crate::read::follower::Follower;
use crate::report::metrics::Noted;
use crate::shelf::entry::{Entry, Slot, Unknown};

/// How long a renamed file is kept open after its last line: a writer that reopens late still writes there.
const QUIET_LINKED: Duration = Duration::from_secs(60);

/// How long a deleted file is kept open after its last line: its disk space is only reclaimed when it is closed.
const QUIET_DELETED: Duration = Duration::from_secs(5);

/// Where a file waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queue {
    /// Nowhere: a hint brings it back.
    None,
    /// Among those that may go on.
    Ready,
    /// Behind a stream that is blocked.
    Blocked,
    /// Until a stream has accepted what it holds of this file.
    Held,
}

/// Where a file's lines go, as far as that follows from the lines before.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Course {
    /// Judges what the next line is.
    pub judge: Judge,
    /// Where the last record went: what continues it goes there too.
    pub(crate) record: Option<Route>,
    /// Where a line goes that was streamed in part, and ended by us.
    pub(crate) line: Option<Route>,
}

impl Course {
    /// Goes on where an earlier process stopped: behind a record that went to `record`, within a line that went to `line`.
    #[must_use]
    pub(crate) fn resumed(judge: Judge, line: Option<Route>, record: Option<Route>) -> Self {
        // What the record was is not kept, only where it went; what goes to stderr is an error more often than not.
        let level = (record == Some(Route::To(Stream::Stderr))).then_some(Level::Error);
        Self { judge: if record.is_some() { judge.resumed(level) } else { judge }, record, line }
    }
}

/// A followed file.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Its bytes.
    pub(crate) follower: Follower,
    /// Whose file it is.
    pub(crate) lineage: Rc<Lineage>,
    /// Where it was last seen.
    pub path: Rc<Path>,
    /// What its lines' bytes still have to be asked.
    pub(crate) router: FileRouter,
    /// What stands before each of its lines.
    pub(crate) opening: Box<[u8]>,
    /// What its last lines say of the next.
    pub(crate) course: Course,
    /// The format that was logged last: a line that must wait is judged again.
    pub told_format: Cell<Option<FormatId>>,
    /// The objects of its last record, if records are streamed as objects.
    pub(crate) objects: Option<Box<Objects>>,
    /// Whether its last record is streamed although lines may follow that continue it.
    pub(crate) is_record_due: bool,
    /// Whether its last record waits for such lines.
    pub(crate) is_record_waiting: bool,
    /// The stream that its next line needs, known from a look that found it blocked.
    pub(crate) blocked_on: Option<Stream>,
    /// How far it has come.
    pub(crate) progress: Progress,
    /// Whether the checkpoint could not be written when it was last to be noted there.
    pub(crate) is_unsaved: bool,
    /// Its slot in the checkpoint.
    pub slot: Option<Slot>,
    /// What a later version kept of it there.
    pub unknown: Option<Box<Unknown>>,
    /// Where it waits.
    pub(crate) queue: Queue,
    /// When it last gave something, or left its path.
    pub(crate) active: Instant,
    /// Size and modification time when it was closed to stay within the open-file limit.
    pub(crate) closed_at: Option<Box<(u64, i64)>>,
    /// Whether its turn was put off because an elder of its lineage had something left.
    pub(crate) is_put_off: bool,
    /// The elder that it last waited for because that had been written to, and the elder's size then.
    pub(crate) yielded_to: Option<Box<(Key, u64)>>,
    /// Whether it was left within a line by an earlier process: the rest comes before all other lines.
    pub(crate) goes_first: bool,
    /// Where the line went within which it was left by an earlier process, if it was truncated since: a copy has the rest.
    pub(crate) cut_line: Option<Route>,
    /// Whether it is no longer at its path.
    pub(crate) is_detached: bool,
    /// Whether it was seen since then, with all that was streamed of it: if that changes, nobody writes a log there.
    pub(crate) is_intact_elsewhere: bool,
    /// Whether it was born in the future: such a file is older than all others, because the clock was set back.
    pub(crate) is_from_future: bool,
    /// Whether reading it failed, and that was reported.
    pub(crate) is_failing: bool,
    /// Whether anything of it was streamed since it was opened, or woken.
    pub(crate) is_served: bool,
    /// The number of the look at all patterns that came across it last.
    pub(crate) seen_in: u32,
    /// The room that it takes.
    pub(crate) room: Rare<Room>,
    /// What is known of it for those who look from outside.
    pub(crate) noted: Noted,
}

impl Followed {
    /// Begins to follow a file of a lineage at a path; nothing is asked of its lines yet.
    #[must_use]
    pub(crate) fn new(follower: Follower, lineage: Rc<Lineage>, path: Rc<Path>, course: Course) -> Self {
        Self {
            follower,
            lineage,
            path,
            router: FileRouter::Fixed(Route::To(Stream::Stdout)),
            opening: Box::default(),
            objects: None,
            told_format: Cell::default(),
            is_record_due: false,
            is_record_waiting: false,
            goes_first: course.line.is_some(),
            course,
            blocked_on: None,
            progress: Progress::default(),
            is_unsaved: false,
            slot: None,
            unknown: None,
            queue: Queue::None,
            active: Instant::now(),
            closed_at: None,
            is_put_off: false,
            yielded_to: None,
            cut_line: None,
            is_detached: false,
            is_intact_elsewhere: false,
            is_from_future: false,
            is_failing: false,
            is_served: false,
            seen_in: 0,
            room: Rare::default(),
            noted: Noted::default(),
        }
    }

    /// Returns whether a detached file has been quiet for so long that it has ended. One that was put off is not quiet: nobody
    /// has asked it.
    #[must_use]
    pub(crate) fn has_ended(&self, now: Instant, links: u32) -> bool {
        let quiet = if links > 0 { QUIET_LINKED } else { QUIET_DELETED };
        let waits_nowhere = self.queue == Queue::None && !self.is_put_off;
        self.is_detached && waits_nowhere && now.duration_since(self.active) >= quiet
    }

    /// Notes from when on births are in the future.
    pub(crate) fn note_future(&mut self, future: i64) {
        self.is_from_future |= self.follower.id().btime > future;
    }

    /// Returns what orders it by birth.
    pub(crate) fn birth(&self) -> i64 {
        let birth = self.follower.id().btime;
        if self.is_from_future { birth.saturating_add(i64::MIN) } else { birth }
    }

    /// Returns whether it is at its beginning because it was truncated: what copies of it hold comes before.
    #[must_use]
    pub(crate) fn is_begun_anew(&self) -> bool {
        self.follower.earlier().is_some() && self.follower.offset() == 0
    }

    /// Returns what orders the files of a lineage: the lines of the smaller come first. One that was truncated and then renamed comes
    /// after the copies of it, and before what is at the path now.
    fn age(&self) -> (bool, bool, i64) {
        (!self.is_detached, self.is_begun_anew(), self.birth())
    }

    /// Returns what the checkpoint keeps of it.
    #[must_use]
    pub(crate) fn entry(&self) -> Entry<'_> {
        Entry {
            path: &self.lineage.path,
            since: self.lineage.since_for_restart(),
            id: self.follower.id(),
            position: self.follower.position(),
            line_route: self.course.line,
            record_route: self.course.record,
            kept: self.progress.reclaimed(),
            intent: self.room.work.intent(),
            waypoints: self.follower.waypoints().all(),
            unknown: self.unknown.as_deref(),
        }
    }
}

/// What is known of a path.
#[derive(Debug, Default)]
struct AtPath {
    /// The file that is there, if one is followed; no key is 0.
    attached: Option<NonZero<Key>>,
    /// The files that were there one after the other, while one of them is followed.
    lineage: Weak<Lineage>,
}

/// All followed files.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Boxed, because the tree's nodes are half empty.
    all: BTreeMap<Key, Box<Followed>>,
    by_path: HashMap<Rc<Path>, AtPath>,
    by_id: Identities,
    detached: BTreeSet<Key>,
    aliases: Aliases,
    last_key: Key,
    ready: VecDeque<Key>,
    blocked: [VecDeque<Key>; 2],
    /// The files that wait with their first bytes for what older ones held when they were found: up to which offsets.
    waits: HashMap<Key, Vec<(Key, u64)>>,
    /// The files that were put off since somebody last asked.
    put_off: Vec<Key>,
}

impl Files {
    /// Adds a file, attached unless it says otherwise, and returns its key, from 1 on.
    pub(crate) fn add(&mut self, file: Followed) -> Key {
        self.last_key += 1;
        if file.is_detached {
            file.lineage.add_elder(self.last_key);
            self.detached.insert(self.last_key);
        } else {
            self.put_at_path(&file.path, self.last_key);
        }
        self.by_id.add(file.follower.id(), self.last_key);
        self.all.insert(self.last_key, Box::new(file));
        self.last_key
    }

    /// Returns how many files are followed.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// Does something to every file.
    pub(crate) fn each(&mut self, change: impl FnMut(&mut Followed)) {
        self.all.values_mut().map(Box::as_mut).for_each(change);
    }

    /// Returns the file of a key, while it is followed.
    pub(crate) fn file(&mut self, key: Key) -> Option<&mut Followed> {
        self.all.get_mut(&key).map(Box::as_mut)
    }

    /// Returns the file of a key, while it is followed, to be looked at.
    #[must_use]
    pub(crate) fn by_key(&self, key: Key) -> Option<&Followed> {
        self.all.get(&key).map(|file| &**file)
    }

    /// Returns the file that is at a path.
    #[must_use]
    pub(crate) fn at_path(&self, path: &Path) -> Option<(Key, &Followed)> {
        let key = self.key_at(path)?;
        Some((key, &**self.all.get(&key)?))
    }

    fn key_at(&self, path: &Path) -> Option<Key> {
        Some(self.by_path.get(path)?.attached?.get())
    }

    fn put_at_path(&mut self, path: &Rc<Path>, key: Key) {
        self.by_path.entry(Rc::clone(path)).or_default().attached = NonZero::new(key);
    }

    /// Forgets a path that no file is at, and of which no file is followed.
    fn tidy_path(&mut self, path: &Path) {
        if self.by_path.get(path).is_some_and(|at| at.attached.is_none() && at.lineage.strong_count() == 0) {
            self.by_path.remove(path);
        }
    }

    /// Notes another path under which events may report a file.
    pub(crate) fn add_alias(&mut self, key: Key, path: &Path) {
        self.aliases.add(path, key);
    }

    /// Notes that nothing is at a path any more.
    pub(crate) fn forget_alias(&mut self, path: &Path) {
        self.aliases.forget(path);
    }

    /// Gives a file the identity and the descriptor of another one with the same contents, unless that is followed already.
    pub(crate) fn adopt(&mut self, key: Key, id: FileId, descriptor: OwnedFd) -> bool {
        if self.with_id(id).is_some() {
            return false;
        }
        let Some(file) = self.all.get_mut(&key) else { return false };
        self.by_id.remove(file.follower.id(), key);
        self.by_id.add(id, key);
        file.follower.adopt(id, descriptor);
        true
    }

    /// Returns the key of the file that an event reports under this path.
    #[must_use]
    pub(crate) fn named_by_event(&self, path: &Path) -> Option<Key> {
        self.key_at(path).or_else(|| self.aliases.key(path))
    }

    /// Returns the file of an identity.
    #[must_use]
    pub(crate) fn with_id(&self, id: FileId) -> Option<(Key, &Followed)> {
        self.by_id.find(id, |key| Some((key, &**self.all.get(&key).filter(|file| file.follower.id() == id)?)))
    }

    /// Returns the lineage of a path, while a file of it is followed.
    #[must_use]
    pub(crate) fn lineage(&self, path: &Path) -> Option<Rc<Lineage>> {
        self.by_path.get(path)?.lineage.upgrade()
    }

    /// Begins a lineage.
    pub(crate) fn add_lineage(&mut self, lineage: Lineage) -> Rc<Lineage> {
        let lineage = Rc::new(lineage);
        self.by_path.entry(Rc::clone(&lineage.path)).or_default().lineage = Rc::downgrade(&lineage);
        lineage
    }

    /// Returns every lineage of which a file is followed.
    #[must_use]
    pub(crate) fn lineages(&self) -> Vec<Rc<Lineage>> {
        self.by_path.values().filter_map(|at| at.lineage.upgrade()).collect()
    }

    /// Notes that a file is no longer at its path; its quiet time begins now.
    pub(crate) fn detach(&mut self, key: Key) {
        if let Some(file) = self.all.get_mut(&key) {
            if !file.is_detached {
                file.active = Instant::now();
                file.lineage.add_elder(key);
                self.detached.insert(key);
            }
            file.is_detached = true;
            // Its writer has gone on: its last record is waited for no longer than the next file's first.
            file.is_record_due |= std::mem::take(&mut file.is_record_waiting);
            if let Some(at) = self.by_path.get_mut(&file.path).filter(|at| at.attached == NonZero::new(key)) {
                at.attached = None;
                let path = Rc::clone(&file.path);
                self.tidy_path(&path);
            }
        }
    }

    /// Notes that a file is at another path now.
    pub(crate) fn attach(&mut self, key: Key, path: &Path) {
        self.detach(key);
        self.wake_younger(key);
        self.detached.remove(&key);
        if let Some(file) = self.all.get_mut(&key) {
            file.path = Rc::from(path);
            (file.is_detached, file.is_intact_elsewhere) = (false, false);
            file.lineage.remove_elder(key);
            let path = Rc::clone(&file.path);
            self.put_at_path(&path, key);
        }
    }

    /// Lets a file go, and returns it.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Followed> {
        self.detach(key);
        self.wake_younger(key);
        self.detached.remove(&key);
        self.waits.remove(&key);
        let file = self.all.remove(&key)?;
        self.by_id.remove(file.follower.id(), key);
        self.aliases.forget_file(key);
        file.lineage.remove_elder(key);
        if Rc::strong_count(&file.lineage) == 1
            && let Some(at) = self.by_path.get_mut(&file.lineage.path)
        {
            at.lineage = Weak::new();
            self.tidy_path(&file.lineage.path);
        }
        Some(*file)
    }

    /// Returns every file with its key, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &Followed)> {
        self.all.iter().map(|(key, file)| (*key, &**file))
    }

    /// Returns the keys of the files that are not at their paths any more, oldest first.
    #[must_use]
    pub(crate) fn detached(&self) -> &BTreeSet<Key> {
        &self.detached
    }

    /// Returns the keys of all files that hold for `wanted`, oldest first.
    pub(crate) fn keys(&self, wanted: impl Fn(&Followed) -> bool) -> Vec<Key> {
        self.iter().filter(|(_, file)| wanted(file)).map(|(key, _)| key).collect()
    }

    /// Puts a file that waits nowhere behind those that may take their turn.
    pub(crate) fn make_ready(&mut self, key: Key) {
        if let Some(file) = self.all.get_mut(&key).filter(|file| file.queue == Queue::None) {
            file.queue = Queue::Ready;
            file.is_put_off = false;
            self.ready.push_back(key);
        }
    }

    /// Returns whether a file waits for its turn.
    #[must_use]
    pub(crate) fn is_waiting(&self, key: Key) -> bool {
        self.all.get(&key).is_some_and(|file| file.queue != Queue::None)
    }

    /// Makes all files ready that are open.
    pub(crate) fn make_all_ready(&mut self) {
        for key in self.keys(|file| file.queue == Queue::None && file.follower.is_open()) {
            self.make_ready(key);
        }
    }

    /// Puts a file that has just had its turn in front: it is within a line, or has waited long enough.
    pub(crate) fn go_on(&mut self, key: Key) {
        if let Some(file) = self.all.get_mut(&key) {
            file.queue = Queue::Ready;
            self.ready.push_front(key);
        }
    }

    /// Puts a file that has just had its turn behind a stream.
    pub(crate) fn block(&mut self, key: Key, stream: Stream) {
        if let Some(file) = self.all.get_mut(&key) {
            file.queue = Queue::Blocked;
            self.blocked[stream.index()].push_back(key);
        }
    }

    /// Returns whether any file waits behind the stream.
    #[must_use]
    pub(crate) fn is_blocked(&self, stream: Stream) -> bool {
        !self.blocked[stream.index()].is_empty()
    }

    /// Returns whether any file may take its turn without waiting for a stream.
    #[must_use]
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the next file that may take its turn: first those that waited for a stream which `is_free` now, then the others.
    ///
    /// A file whose elder has something left is put off until that has nothing more, see [`Files::wake_younger`].
    pub(crate) fn next(&mut self, is_free: impl Fn(Stream) -> bool) -> Option<Key> {
        loop {
            let stream = Stream::ALL.into_iter().find(|stream| self.is_blocked(*stream) && is_free(*stream));
            let waited = stream.and_then(|stream| self.blocked[stream.index()].pop_front());
            let key = waited.or_else(|| self.ready.pop_front())?;
            if let Some(file) = self.all.get_mut(&key) {
                file.queue = Queue::None;
            }
            if !self.has_busy_elder(key) && !self.is_waiting_for_older(key) {
                return Some(key);
            }
            if let Some(file) = self.all.get_mut(&key) {
                file.is_put_off = true;
                self.put_off.push(key);
            }
        }
    }

    /// Takes the files that were put off since this was last asked: nobody has looked at them.
    pub(crate) fn take_put_off(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.put_off)
    }

    /// Has a file wait with its first bytes until others are streamed up to these offsets, or have nothing to give.
    pub(crate) fn wait_for_older(&mut self, key: Key, older: Vec<(Key, u64)>) {
        if !older.is_empty() {
            self.waits.insert(key, older);
        }
    }

    /// Returns whether a file still waits for older ones; once it does not, it never does again.
    fn is_waiting_for_older(&mut self, key: Key) -> bool {
        let Some(older) = self.waits.get(&key) else { return false };
        let is_busy = |(key, end): &(Key, u64)| {
            let file = self.all.get(key);
            file.is_some_and(|file| (file.queue != Queue::None || file.is_put_off) && file.follower.offset() < *end)
        };
        let may_wait = |file: &Followed| !file.is_detached && !file.follower.is_within_line();
        let is_waiting = self.all.get(&key).is_some_and(|file| may_wait(file)) && older.iter().any(is_busy);
        if !is_waiting {
            self.waits.remove(&key);
        }
        is_waiting
    }

    fn has_busy_elder(&self, key: Key) -> bool {
        self.find_elder(key, |_, elder| (elder.queue != Queue::None).then_some(())).is_some()
    }

    /// Puts a file off of which lines were just read, if an elder has something that it had not when it was looked at last: a
    /// writer that goes on with the next file wrote that before. Returns whether it did; then nothing of it may be streamed.
    pub(crate) fn yield_to_elder(&mut self, key: Key) -> bool {
        let unread = self.find_elder(key, |elder, file| {
            let size = file.follower.file().and_then(Stat::of).ok()?.size;
            (size > file.follower.read_to()).then_some((elder, size))
        });
        let Some(file) =
            self.all.get_mut(&key).filter(|file| unread.is_some() && file.yielded_to.as_deref() != unread.as_ref())
        else {
            // What cannot be read of an elder is waited for just once.
            return false;
        };
        (file.yielded_to, file.is_put_off) = (unread.map(Box::new), true);
        unread.into_iter().for_each(|(elder, _)| self.make_ready(elder));
        true
    }

    /// Returns what is found first in the elders of a file that must wait for them.
    fn find_elder<T>(&self, key: Key, found: impl Fn(Key, &Followed) -> Option<T>) -> Option<T> {
        // Who is within a line must end it: its elders may be waiting for just that stream.
        let must_go_on = |file: &Followed| file.goes_first || file.follower.is_within_line();
        let file = self.all.get(&key).filter(|file| !must_go_on(file))?;
        file.lineage.find_elder(|elder| {
            let one = self.all.get(&elder).filter(|one| elder != key && one.age() < file.age())?;
            found(elder, one)
        })
    }

    /// Brings back the files that were put off for a file that has nothing more now.
    pub(crate) fn wake_younger(&mut self, key: Key) {
        if !self.waits.is_empty() {
            let waiting = self.waits.iter().filter(|(_, older)| older.iter().any(|(one, _)| *one == key));
            let mut waiting: Vec<_> = waiting.map(|(waiting, _)| *waiting).collect();
            waiting.sort_unstable_by_key(|key| (self.all.get(key).map(|file| file.birth()), *key));
            waiting.into_iter().for_each(|key| self.make_ready(key));
        }
        let Some(file) = self.all.get(&key).filter(|file| file.is_detached) else { return };
        let lineage = Rc::clone(&file.lineage);
        for younger in self.keys(|file| file.is_put_off && Rc::ptr_eq(&file.lineage, &lineage)) {
            self.make_ready(younger);
        }
    }

    /// Orders the files that may take their turn by birth, so that what was rotated away comes before what follows it.
    pub(crate) fn oldest_first(&mut self) {
        let Self { ready, all, .. } = self;
        ready.make_contiguous().sort_by_key(|key| {
            let file = all.get(key).map(|file| &**file);
            let is_begun_anew = file.is_some_and(Followed::is_begun_anew);
            (file.is_none_or(|file| !file.goes_first), is_begun_anew, file.map_or(0, Followed::birth))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(btime: i64) -> FileId {
        FileId { dev: 1, ino: btime.unsigned_abs(), btime }
    }

    /// Follows a renamed file and the one at its path, and returns the directory, the second file's key, and both.
    fn renamed_and_created() -> (tempfile::TempDir, Files, [Key; 2]) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path: Rc<Path> = Rc::from(dir.path().join("app.log"));
        let mut files = Files::default();
        let lineage = files.add_lineage(Lineage::new(Rc::clone(&path), Rc::from(dir.path()), 0));
        let keys = [("app.log.1", true), ("app.log", false)].map(|(name, is_detached)| {
            let opened = std::fs::File::create_new(dir.path().join(name)).expect("a new file").into();
            let follower = Follower::from_beginning(id(i64::from(!is_detached) + 1), opened);
            let followed = Followed::new(follower, Rc::clone(&lineage), Rc::clone(&path), Course::default());
            files.add(Followed { is_detached, ..followed })
        });
        (dir, files, keys)
    }

    #[test]
    fn a_file_yields_to_what_was_written_to_its_elder_since_that_was_asked() {
        let (dir, mut files, [elder, younger]) = renamed_and_created();
        assert!(!files.yield_to_elder(younger), "there is nothing in the elder");
        std::fs::write(dir.path().join("app.log.1"), "late\n").expect("written");
        assert!(files.yield_to_elder(younger));
        assert!(!files.yield_to_elder(elder), "it has no elder");
        assert_eq!(files.next(|_| true), Some(elder));
        files.wake_younger(elder);
        assert_eq!(files.next(|_| true), Some(younger));
        assert!(!files.yield_to_elder(younger), "the elder gave nothing when it was asked: it is not waited for again");
        std::fs::write(dir.path().join("app.log.1"), "late\nlater\n").expect("written");
        assert!(files.yield_to_elder(younger));
    }
}
