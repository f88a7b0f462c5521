//! The followed files: by key, by path and by identity.
//!
//! A file is *attached* while it is at its path. When it is renamed away or deleted it is *detached*: it keeps its
//! descriptor, because its writer may go on, until it has been quiet for a while. A file that is found again under another
//! name that a pattern matches stays the same file and keeps its routes.
//!
//! Invariant: `by_path` holds attached files only, `by_id` every file, each once; a key is never used again.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::beneath::FileId;
use crate::checkpoint::Slot;
use crate::follow::Follower;
use crate::route::{FileRouter, Route, Stream};
use crate::sink::Owner;

/// How long a renamed file is kept open after its last line: a writer that reopens late still writes there.
const QUIET_LINKED: Duration = Duration::from_secs(60);

/// How long a deleted file is kept open after its last line: its disk space is only given back when it is closed.
const QUIET_DELETED: Duration = Duration::from_secs(5);

/// Names a followed file within this process: the owner of what it writes.
pub type Key = Owner;

/// Where a file waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Nowhere: a hint brings it back.
    None,
    /// Among those that may go on.
    Ready,
    /// Behind a stream that is blocked.
    Blocked,
    /// Until a stream has accepted what it holds of this file.
    Held,
}

/// A followed file.
#[derive(Debug)]
pub struct Followed {
    /// Its bytes.
    pub follower: Follower,
    /// Where it was last seen.
    pub path: Rc<Path>,
    /// What its lines' bytes still have to be asked.
    pub router: FileRouter,
    /// What stands before each of its lines.
    pub opening: Box<[u8]>,
    /// Where the line goes that is streamed in pieces.
    pub line_route: Option<Route>,
    /// The stream that its next line needs, known from a look that found it blocked.
    pub blocked_on: Option<Stream>,
    /// The streams that hold bytes of it.
    pub held: [bool; 2],
    /// Its slot in the checkpoint.
    pub slot: Option<Slot>,
    /// Where it waits.
    pub queue: Queue,
    /// When it last gave something.
    pub active: Instant,
    /// Whether it is no longer at its path.
    pub is_detached: bool,
    /// Whether reading it failed, and that was told.
    pub is_failing: bool,
}

impl Followed {
    /// Says whether a detached file has been quiet for so long that it has ended.
    #[must_use]
    pub fn has_ended(&self, now: Instant, links: u32) -> bool {
        let quiet = if links > 0 { QUIET_LINKED } else { QUIET_DELETED };
        self.is_detached && self.queue == Queue::None && now.duration_since(self.active) >= quiet
    }
}

/// All followed files.
#[derive(Debug, Default)]
pub struct Files {
    all: BTreeMap<Key, Followed>,
    by_path: HashMap<Rc<Path>, Key>,
    by_id: HashMap<FileId, Key>,
    last_key: Key,
}

impl Files {
    /// Adds a file that is at its path, and returns its key, from 1 on.
    pub fn add(&mut self, file: Followed) -> Key {
        self.last_key += 1;
        self.by_path.insert(Rc::clone(&file.path), self.last_key);
        self.by_id.insert(file.follower.id(), self.last_key);
        self.all.insert(self.last_key, file);
        self.last_key
    }

    /// Returns the file of a key, while it is followed.
    pub fn file(&mut self, key: Key) -> Option<&mut Followed> {
        self.all.get_mut(&key)
    }

    /// Returns the file that is at a path.
    #[must_use]
    pub fn at_path(&self, path: &Path) -> Option<(Key, &Followed)> {
        let key = *self.by_path.get(path)?;
        Some((key, self.all.get(&key)?))
    }

    /// Returns the file of an identity.
    #[must_use]
    pub fn with_id(&self, id: FileId) -> Option<(Key, &Followed)> {
        let key = *self.by_id.get(&id)?;
        Some((key, self.all.get(&key)?))
    }

    /// Notes that a file is no longer at its path.
    pub fn detach(&mut self, key: Key) {
        if let Some(file) = self.all.get_mut(&key) {
            file.is_detached = true;
            if self.by_path.get(&file.path) == Some(&key) {
                self.by_path.remove(&file.path);
            }
        }
    }

    /// Notes that a file is at another path now.
    pub fn attach(&mut self, key: Key, path: &Path) {
        self.detach(key);
        if let Some(file) = self.all.get_mut(&key) {
            file.path = Rc::from(path);
            file.is_detached = false;
            self.by_path.insert(Rc::clone(&file.path), key);
        }
    }

    /// Lets a file go, and returns it.
    pub fn remove(&mut self, key: Key) -> Option<Followed> {
        self.detach(key);
        let file = self.all.remove(&key)?;
        self.by_id.remove(&file.follower.id());
        Some(file)
    }

    /// Returns every file with its key, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Followed)> {
        self.all.iter().map(|(key, file)| (*key, file))
    }

    /// Returns the keys of all files that hold for `wanted`, oldest first.
    pub fn keys(&self, wanted: impl Fn(&Followed) -> bool) -> Vec<Key> {
        self.iter().filter(|(_, file)| wanted(file)).map(|(key, _)| key).collect()
    }
}
