//! One inotify watch per directory: hints that something happened, never proof of what.
//!
//! Whoever gets the hint looks up the truth. So a lost event costs time (until the next safety tick), never a line. Without
//! inotify (its instances or watches are used up, or the file system gives no events) everything still works by polling:
//! [`Watch::is_polling`].

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys::readiness::register;

/// What one read of the queue may return, in bytes: some 100 events.
const EVENTS_BYTES: usize = 4096;

/// How many events are taken at one time, so that a storm of them cannot keep the loop from its other work.
const EVENTS_MAX: usize = 4096;

/// A name appears in a directory, or vanishes.
const NAMES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ONLYDIR);

/// What happened, as reported by the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hint<'a> {
    /// Something was written to the file of this name.
    Written(&'a Path, &'a OsStr),
    /// A file appeared, vanished, or changed its permissions under this name.
    Entry(&'a Path, &'a OsStr),
    /// A directory appeared, vanished or moved, or events were lost: look everywhere.
    Anything,
}

/// Why no events come.
#[derive(Debug)]
pub(crate) enum NoEvents {
    /// inotify is unavailable.
    NotStarted(io::Error),
    /// The watches are used up, and this directory can have none.
    TooManyWatches(Rc<Path>),
}

impl fmt::Display for NoEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(why) => write!(f, "cannot start inotify: {why}"),
            Self::TooManyWatches(directory) => {
                write!(f, "cannot watch {}: the limit fs.inotify.max_user_watches is reached", directory.display())
            }
        }
    }
}

/// One path of a watched directory.
#[derive(Debug)]
struct Watched {
    path: Rc<Path>,
    /// The last walk that came through it.
    walk: u32,
    /// Whether it is watched although no walk comes through it.
    is_kept: bool,
}

/// How many directories are watched that no walk comes through.
const KEPT_MAX: usize = 256;

/// The watched directories.
#[derive(Debug)]
pub(crate) struct Watch {
    inotify: Option<AsyncFd<OwnedFd>>,
    /// Why that was lost, until it is reported.
    lost: Option<NoEvents>,
    /// The paths of each watched directory: links may lead to the same one by several.
    paths: HashMap<i32, Vec<Watched>>,
    /// Which walk is under way, or was the last one.
    walk: u32,
    /// Whether hints were left when they were last taken.
    has_more: bool,
}

impl Watch {
    /// Starts without any directory. Polls where inotify is unavailable: [`Watch::take_lost`].
    #[must_use]
    pub(crate) fn start() -> Self {
        let opened = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map_err(io::Error::from);
        let inotify = opened.and_then(|fd| register(fd, Interest::READABLE));
        let (inotify, lost) = match inotify {
            Ok(inotify) => (Some(inotify), None),
            Err(why) => (None, Some(NoEvents::NotStarted(why))),
        };
        Self { inotify, lost, paths: HashMap::new(), walk: 0, has_more: false }
    }

    /// Returns why no events come, once.
    pub(crate) fn take_lost(&mut self) -> Option<NoEvents> {
        self.lost.take()
    }

    /// Returns whether everything must be polled, because no events come.
    #[must_use]
    pub(crate) fn is_polling(&self) -> bool {
        self.inotify.is_none()
    }

    /// Returns how many directories are watched.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.paths.len()
    }

    /// Returns whether hints were left when they were last taken, because there were too many: others must have their turn
    /// first.
    #[must_use]
    pub(crate) fn has_more(&self) -> bool {
        self.has_more
    }

    /// Watches a directory; one that is watched already, or that has gone, costs nothing.
    ///
    /// When the watches are used up it gives inotify up altogether, and polls: [`Watch::take_lost`].
    pub(crate) fn add(&mut self, directory: &Rc<Path>) {
        let contents = WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        self.add_for(directory, NAMES | contents, false);
    }

    /// Watches a directory that no walk comes through: a link leads there. If there are very many of them the first is no longer
    /// watched.
    pub(crate) fn add_behind_link(&mut self, directory: &Rc<Path>) {
        let kept = self.paths.iter().filter(|(_, paths)| paths.iter().any(|one| one.is_kept)).map(|(id, _)| *id);
        let kept: Vec<_> = kept.collect();
        if let Some(first) = kept.iter().min().filter(|_| kept.len() >= KEPT_MAX) {
            self.retain(*first, |one| !one.is_kept);
        }
        let contents = WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        self.add_for(directory, NAMES | contents, true);
    }

    /// Begins a walk: what it does not come through is no longer watched when it ends, see [`Watch::end_walk`]. Directories may
    /// be renamed any number of times, and each would stay under all its names.
    pub(crate) fn begin_walk(&mut self) {
        self.walk = self.walk.wrapping_add(1);
    }

    /// Ends a walk.
    pub(crate) fn end_walk(&mut self) {
        let walk = self.walk;
        let is_seen = |one: &Watched| one.is_kept || one.walk == walk;
        let stale = self.paths.iter().filter(|(_, paths)| !paths.iter().all(is_seen)).map(|(id, _)| *id);
        for id in stale.collect::<Vec<_>>() {
            self.retain(id, is_seen);
        }
    }

    /// Forgets the paths of a watched directory that do not hold, and the directory with the last one.
    fn retain(&mut self, id: i32, holds: impl Fn(&Watched) -> bool) {
        let Some(paths) = self.paths.get_mut(&id) else { return };
        paths.retain(holds);
        if paths.is_empty() {
            self.paths.remove(&id);
            if let Some(inotify) = &self.inotify {
                // It may have gone meanwhile.
                let _ = inotify::remove_watch(inotify, id);
            }
        }
    }

    /// Watches only which names there are in a directory: it is above one that is followed, and others may write there.
    pub(crate) fn add_names(&mut self, directory: &Rc<Path>) {
        self.add_for(directory, NAMES | WatchFlags::MASK_ADD, false);
    }

    /// The same for a directory that no walk comes through.
    pub(crate) fn keep_names(&mut self, directory: &Rc<Path>) {
        self.add_for(directory, NAMES | WatchFlags::MASK_ADD, true);
    }

    fn add_for(&mut self, directory: &Rc<Path>, wanted: WatchFlags, is_kept: bool) {
        let Some(inotify) = &self.inotify else { return };
        // A link on the way gives hints of another directory, and a hint only says where to look.
        #[allow(clippy::disallowed_methods, reason = "nothing is read of what is watched")]
        match inotify::add_watch(inotify, &**directory, wanted) {
            Ok(id) => {
                let (walk, paths) = (self.walk, self.paths.entry(id).or_default());
                match paths.iter_mut().find(|one| one.path == *directory) {
                    Some(one) => (one.walk, one.is_kept) = (walk, one.is_kept || is_kept),
                    None => paths.push(Watched { path: Rc::clone(directory), walk, is_kept }),
                }
            }
            Err(Errno::NOSPC | Errno::NOMEM) => {
                self.lost = Some(NoEvents::TooManyWatches(Rc::clone(directory)));
                self.inotify = None;
                self.paths.clear();
            }
            // It has gone, or may be searched but not read: the safety tick looks at it.
            Err(_) => {}
        }
    }

    /// Becomes ready when there are hints to [`Watch::take`]; never while polling.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.inotify {
            Some(inotify) => inotify.poll_read_ready(cx).map(|_| ()),
            None => Poll::Pending,
        }
    }

    /// Hands every waiting hint to `tell`, in the order of the events.
    pub(crate) fn take(&mut self, mut tell: impl FnMut(Hint<'_>)) {
        self.has_more = false;
        let Self { inotify: Some(inotify), paths, has_more, .. } = self else { return };
        let mut events = [MaybeUninit::<u8>::uninit(); EVENTS_BYTES];
        // The only error is that nothing is left, which also tells tokio to wait for more.
        let _nothing_left = inotify.try_io(Interest::READABLE, |fd| {
            let mut reader = Reader::new(fd, &mut events);
            let (mut events, mut bytes, mut told) = (0, 0, ToldWrites::default());
            // What was read must be told to its last event.
            while events < EVENTS_MAX || !reader.is_buffer_empty() {
                let event = reader.next()?;
                if !told.is_known(&event) {
                    tell_event(&event, paths, &mut tell);
                }
                events += 1;
                bytes += event_bytes(&event);
                if reader.is_buffer_empty() {
                    if bytes + EVENT_BYTES_MAX <= EVENTS_BYTES {
                        // One more would have had room, so there was none: a call to ask again would say so.
                        return Err(io::ErrorKind::WouldBlock.into());
                    }
                    bytes = 0;
                }
            }
            *has_more = true;
            Ok(())
        });
    }
}

/// No event is longer, in bytes: 255 of a name and a NUL behind 16.
const EVENT_BYTES_MAX: usize = 16 + 256;

/// Returns how long an event is, in bytes: the kernel fills its name up with NULs to a multiple of 16, inotify(7).
fn event_bytes(event: &inotify::Event<'_>) -> usize {
    16 + event.file_name().map_or(0, |name| name.count_bytes() + 1).next_multiple_of(16)
}

/// The writes reported last: of several files that are written to in turn, each line is an event.
#[derive(Debug, Default)]
struct ToldWrites {
    /// The watch, and the name; an empty name is none.
    writes: [(i32, Vec<u8>); TOLD_MAX],
    next: usize,
}

/// Writes of so many files are reported once per read; beyond that, every write is reported.
const TOLD_MAX: usize = 8;

impl ToldWrites {
    /// Returns whether this write was already reported, with only writes since; otherwise records it.
    fn is_known(&mut self, event: &inotify::Event<'_>) -> bool {
        let name = event.file_name().map_or(&b""[..], std::ffi::CStr::to_bytes);
        if event.events() != ReadFlags::MODIFY || name.is_empty() {
            // The same name may be another file's now.
            self.writes.iter_mut().for_each(|(_, name)| name.clear());
            return false;
        }
        if self.writes.iter().any(|(watch, told)| *watch == event.wd() && *told == name) {
            return true;
        }
        let (watch, told) = &mut self.writes[self.next];
        *watch = event.wd();
        told.clear();
        told.extend_from_slice(name);
        self.next = (self.next + 1) % TOLD_MAX;
        false
    }
}

fn tell_event(event: &inotify::Event<'_>, paths: &mut HashMap<i32, Vec<Watched>>, tell: &mut impl FnMut(Hint<'_>)) {
    let kinds = event.events();
    if kinds.contains(ReadFlags::IGNORED) && paths.remove(&event.wd()).is_none() {
        // It was removed here.
        return;
    }
    let everywhere = ReadFlags::QUEUE_OVERFLOW
        | ReadFlags::IGNORED
        | ReadFlags::DELETE_SELF
        | ReadFlags::MOVE_SELF
        | ReadFlags::UNMOUNT
        | ReadFlags::ISDIR;
    match (paths.get(&event.wd()), event.file_name()) {
        (Some(directories), Some(name)) if !kinds.intersects(everywhere) => {
            let name = OsStr::from_bytes(name.to_bytes());
            let written = kinds.contains(ReadFlags::MODIFY);
            for Watched { path: directory, .. } in directories {
                tell(if written { Hint::Written(directory, name) } else { Hint::Entry(directory, name) });
            }
        }
        // The permissions of a watched directory changed, or something that we no longer watch.
        _ => tell(Hint::Anything),
    }
}
