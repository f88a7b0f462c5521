//! Bytes that were destroyed before they were read are counted, and said; but not those that a copy of their file still has.

use std::path::Path;
use std::rc::Rc;

use super::destroyed::DestroyedRange;
use super::tracker::Tracker;
use crate::paths::beneath::Stat;
use crate::read::buffer::Buffer;
use crate::report::losses::Cause;
use crate::shelf::lineage::Key;

impl Tracker {
    /// Notes what was destroyed of a file before it was read.
    pub(crate) fn note_lost(&mut self, key: Key) {
        let Some(file) = self.files.file(key) else { return };
        let bytes = file.follower.take_lost();
        if bytes == 0 {
            return;
        }
        let earlier = file.follower.earlier().filter(|_| file.is_begun_anew());
        let from = earlier.unwrap_or_else(|| file.follower.position());
        let too_many = self.destroyed.add(Rc::clone(&file.path), from, bytes);
        self.lose_ranges(too_many);
    }

    /// Sees how much files hold that wait for their turns: it may be destroyed before these come.
    pub(crate) fn note_sizes(&mut self, waiting: &[Key], buffer: &mut Buffer) {
        for key in waiting {
            let Some(file) = self.files.file(*key) else { continue };
            if !file.follower.is_open() {
                self.look_at_closed(*key, buffer);
                continue;
            }
            let is_lost = file.follower.note_size(buffer).unwrap_or(false);
            file.is_intact_elsewhere |= file.is_detached && !file.follower.is_cut();
            if is_lost {
                self.note_lost(*key);
                self.look_for_copies(*key, buffer);
            }
        }
    }

    /// Says what was lost for good: at once, unless a file looks like a copy in the making.
    pub(super) fn tell_lost_in_time(&mut self) {
        let ranges = self.destroyed.take_decided(!self.suspects.is_empty());
        self.lose_ranges(ranges);
    }

    fn lose_ranges(&mut self, ranges: Vec<DestroyedRange>) {
        for range in ranges.into_iter().filter(|range| range.bytes > 0) {
            self.lose(&range.path, Cause::Truncated, range.bytes);
        }
    }

    /// Counts bytes as lost, and says so; 0 for a number that nobody knows.
    pub(super) fn lose(&mut self, path: &Path, cause: Cause, bytes: u64) {
        self.totals.lost.add(path, cause, bytes);
    }

    /// Says at the end what was lost: what is unread of deleted files nobody will read any more.
    pub(crate) fn tell_lost_at_end(&mut self) {
        self.look_at_let_go();
        for key in self.files.keys(|file| file.follower.is_open()) {
            self.note_lost(key);
        }
        let ranges = self.destroyed.take();
        self.lose_ranges(ranges);
        for key in self.files.keys(|file| file.is_detached) {
            let Some(file) = self.files.file(key) else { continue };
            let stat = file.follower.file().and_then(Stat::of).ok();
            let unread = stat.filter(|stat| stat.links == 0).map_or(0, |stat| file.follower.unread_bytes(stat.size));
            if unread > 0 {
                let path = Rc::clone(&file.path);
                self.lose(&path, Cause::Deleted, unread);
            }
        }
    }

    /// Says what was written to a file that was let go, if that is one, of which an event tells that something was written to it.
    pub(super) fn look_at_written_elsewhere(&mut self, path: &Path) {
        if let Some(root) = path.parent().and_then(|directory| self.let_go.root_of(directory)) {
            self.tell_grown(path, &root);
        }
    }

    /// The same of all that were let go lately.
    pub(super) fn look_at_let_go(&mut self) {
        for (path, root) in self.let_go.places() {
            self.tell_grown(&path, &root);
        }
    }

    fn tell_grown(&mut self, path: &Path, root: &Rc<Path>) {
        let Ok(stat) = self.discovery.look_beneath(root, path).stat else { return };
        let bytes = self.let_go.grown_bytes(stat, path);
        if bytes > 0 {
            self.lose(path, Cause::LetGo, bytes);
        }
    }
}
