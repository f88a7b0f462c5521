//! Which followed files are open: all while there are descriptors, else those that have something to give; and when a renamed or
//! deleted one is let go for good.
//!
//! A file at its path can be closed and opened again; one that left it may not be found any more, so it is closed last, and only
//! when it has been read.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use super::clock;
use super::event::Event;
use super::start::earlier_paths;
use super::tracker::Tracker;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::discover::{Found, is_missing};
use crate::read::buffer::Buffer;
use crate::report::losses::Cause;
use crate::shelf::followed::{Followed, Queue};
use crate::shelf::lineage::Key;

/// Of all files that may be open one in so many is closed beyond what is needed, so that not every opening looks at all files.
const CLOSED_SHARE: usize = 16;

/// How many renamed and deleted files are kept open at most, while none of them has anything to be streamed.
const DETACHED_MAX: usize = 128;

/// How many files that are closed are asked at one time whether they have changed.
const CLOSED_ASKED_MAX: usize = 512;

impl Tracker {
    /// Returns whether the file can be read now; one that was closed to stay within the open-file limit is reopened, or let go
    /// if it cannot be found any more.
    pub(crate) fn is_open(&mut self, key: Key, buffer: &mut Buffer) -> bool {
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
        if !is_open {
            if !was_read {
                let unread = self.files.file(key).map_or(0, |file| file.follower.seen_unread_bytes());
                self.lose(&path, Cause::Closed, unread);
            }
            self.remove(key);
        }
        false
    }

    /// Lets the detached files go that have been quiet for longest, if there are very many of them; but none that still holds
    /// something, and be it an unfinished line.
    pub(crate) fn let_oldest_go(&mut self) {
        let many = self.files.detached().len().saturating_sub(DETACHED_MAX);
        if many == 0 {
            return;
        }
        let is_idle = |file: &Followed| file.is_detached && file.queue == Queue::None && !file.is_put_off;
        let idle = self.files.iter().filter(|(_, file)| is_idle(file)).map(|(key, file)| (file.active, key));
        let mut idle: Vec<_> = idle.collect();
        idle.sort_unstable();
        let is_streamed = |file: &Followed| {
            let size = file.follower.file().and_then(Stat::of).map_or(0, |stat| stat.size);
            file.follower.unread_bytes(size) == 0
        };
        let streamed = idle.into_iter().map(|(_, key)| key);
        let streamed = streamed.filter(|key| self.files.file(*key).is_some_and(|file| is_streamed(file)));
        for key in streamed.take(many).collect::<Vec<_>>() {
            self.remove(key);
        }
    }

    /// Opens a file again under the name that it has now.
    pub(super) fn reopen(&mut self, key: Key, found: &Found, id: FileId) {
        self.make_room();
        if let (Some(descriptor), Some(file)) = (found.open_as(id), self.files.file(key)) {
            file.follower.reopen(descriptor);
            file.path = Rc::from(&*found.path);
            self.files.make_ready(key);
        }
    }

    /// Looks at some of the files that were closed to stay within the open-file limit, at others each time.
    pub(super) fn look_at_some_closed(&mut self, buffer: &mut Buffer) {
        let last = self.asked_closed;
        let closed = self.files.keys(|file| !file.follower.is_open());
        let (before, behind): (Vec<_>, Vec<_>) = closed.into_iter().partition(|key| *key <= last);
        for key in behind.into_iter().chain(before).take(CLOSED_ASKED_MAX) {
            self.look_at_closed(key, buffer);
            self.asked_closed = key;
        }
    }

    /// Sees how long a file is that was closed to stay within the open-file limit, and makes it ready if it has changed since.
    pub(super) fn look_at_closed(&mut self, key: Key, buffer: &mut Buffer) {
        let Some(file) = self.files.file(key) else { return };
        let (path, lineage, closed_at) =
            (Rc::clone(&file.path), Rc::clone(&file.lineage), file.closed_at.as_deref().copied());
        let found = self.discovery.look_beneath(&lineage.root, &path);
        let stat = found.stat.as_ref().ok().copied();
        let is_same = stat.is_some_and(|stat| stat.id == file.follower.id());
        if !is_same {
            self.settle(&found, buffer);
        } else if let Some(stat) = stat.filter(|stat| Some((stat.size, stat.mtime)) != closed_at) {
            if let Some(file) = self.files.file(key) {
                // What it holds is not read by now, whatever was when it was closed.
                file.closed_at = None;
                file.follower.note_closed_size(stat.size);
            }
            self.files.make_ready(key);
        }
    }

    /// Closes files until there are descriptors for another one.
    ///
    /// First those that have been quiet for longest, then those that wait for their turn, the last first, which are opened again
    /// then. Deleted and renamed files may not be found again, so they are let go only when nothing else is left and they are
    /// read.
    pub(super) fn make_room(&mut self) {
        let most = self.open_files_max;
        if self.files.count() < most {
            self.openings_left = 0;
        } else if self.openings_left > 0 {
            self.openings_left -= 1;
        } else {
            let mut open = self.files.iter().filter(|(_, file)| file.follower.is_open()).count();
            if open >= most {
                open -= self.close_some(open - most + 1, most / CLOSED_SHARE);
            }
            self.openings_left = most.saturating_sub(open + 1);
        }
    }

    /// Closes so many files that `needed` descriptors are free, if there are so many that can be closed, and up to `more` of those
    /// at their paths: all files must be looked at for it. Returns how many it closed.
    fn close_some(&mut self, needed: usize, more: usize) -> usize {
        let is_read = |file: &Followed| {
            let read_bytes = file.follower.read_to();
            let stat = file.follower.file().and_then(Stat::of).ok();
            stat.filter(|stat| stat.size == read_bytes)
        };
        let can_wait = |file: &Followed| {
            let is_rotated = file.room.work.is_under_way();
            let is_busy = file.queue == Queue::Held || file.follower.is_within_line() || is_rotated;
            file.follower.is_open() && !is_busy && (!file.is_detached || is_read(file).is_some())
        };
        let candidates = self.files.iter().filter(|(_, file)| can_wait(file));
        let now = Instant::now();
        let order = |(key, file): (Key, &Followed)| {
            let quiet_ns = i64::try_from(now.duration_since(file.active).as_nanos()).unwrap_or(i64::MAX);
            let is_waiting = file.queue != Queue::None;
            // Those that have waited for longest take their turn first.
            (file.is_detached, is_waiting, if is_waiting { quiet_ns } else { -quiet_ns }, key)
        };
        let mut candidates: Vec<_> = candidates.map(order).collect();
        candidates.sort_unstable();
        let attached = candidates.iter().take_while(|(is_detached, ..)| !is_detached).count();
        candidates.truncate(needed.max(attached.min(needed + more)));
        for (is_detached, .., key) in &candidates {
            if *is_detached {
                self.remove(*key);
            } else if let Some(file) = self.files.file(*key) {
                // What was written since the last look must not be missed when it is looked at next.
                file.closed_at = is_read(file).map(|stat| Box::new((stat.size, stat.mtime)));
                file.follower.close();
                if file.closed_at.is_none() {
                    self.files.make_ready(*key);
                }
            }
        }
        candidates.len()
    }

    /// Lets files go that were renamed or deleted and have been quiet; their unfinished lines are streamed first.
    pub(super) fn let_go(&mut self, now: Instant) {
        for key in self.files.keys(|file| file.is_detached && file.queue == Queue::None) {
            let Some(file) = self.files.file(key) else { continue };
            let stat = file.follower.file().and_then(Stat::of).ok();
            let (links, size) = stat.map_or((0, 0), |stat| (stat.links, stat.size));
            if !file.has_ended(now, links) {
                continue;
            }
            let unfinished = file.follower.unfinished_bytes();
            if size > file.follower.read_to() {
                // Written since the last look: not so quiet, then.
                self.files.make_ready(key);
                continue;
            }
            if size > file.follower.offset() && unfinished > 0 {
                file.follower.finish_line();
                self.files.make_ready(key);
                continue;
            }
            tracing::info!(file = %file.path.display(), "finished reading {}", file.path.display());
            self.remove(key);
        }
    }

    /// Lets a file go that was renamed or deleted, and of which what was streamed is gone since then: it is destroyed, or another
    /// program's now. If that was perhaps so before, only what is no text counts: a log may have been truncated at its path.
    pub(crate) fn let_destroyed_go(&mut self, key: Key, buffer: &mut Buffer) {
        let Some(file) = self.files.file(key).filter(|file| file.is_detached) else { return };
        // A generation that was found under its own name may be one of a ring that is written again and again.
        let was_at_path = *file.path == *file.lineage.path
            || !earlier_paths(&file.path).any(|earlier| *earlier == *file.lineage.path);
        if (file.is_intact_elsewhere && was_at_path) || file.follower.is_being_destroyed(buffer).unwrap_or(false) {
            let path = file.path.display();
            tracing::warn!(
                file = %path,
                "the file that was at {path} is being overwritten since it was renamed or deleted; not reading it further"
            );
            let id = file.follower.id();
            self.remove(key);
            // What is written to it is none of the log.
            self.let_go.forget(id);
        }
    }

    /// Lets a file go for good. Its lineage remembers how far it is done with, before the checkpoint forgets the file.
    pub(super) fn remove(&mut self, key: Key) {
        let Some(file) = self.files.remove(key) else { return };
        if file.is_detached {
            self.let_go.add(&file);
            self.mark_finished(&file);
        }
        self.note(Event::Finished(file.follower.id()));
        if file.lineage.finish(file.follower.id(), clock::time()) {
            for heir in self.files.keys(|one| Rc::ptr_eq(&one.lineage, &file.lineage)) {
                self.save(heir);
            }
        }
        self.checkpoint.forget(file.slot);
    }
}
