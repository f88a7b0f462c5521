//! The followed files: by key, by path and by identity; and whose turn it is.
//!
//! Files that were at the same path one after the other are of one [`Lineage`].
//!
//! Invariants: `by_path` holds attached files, and lineages of which a file is followed; `by_id` every file, each once; a key is never
//! used again; a file stands in at most one queue, the one that its [`Queue`] names.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::{Rc, Weak};
use std::time::Instant;

use super::aliases::Aliases;
use super::followed::{Followed, Queue};
use super::identities::Identities;
use super::lineage::{Key, Lineage};
use crate::output::rules::Stream;
use crate::paths::beneath::{FileId, Stat};

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
            // Those that it has waited for until now may be others, which bring it back no more.
            self.make_ready(key);
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
            let one = self.all.get(&elder).filter(|one| elder != key && one.precedes(file))?;
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
    use super::super::followed::Course;
    use super::*;
    use crate::read::follower::Follower;

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
