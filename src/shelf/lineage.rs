//! The files that were at one path, one after the other, and which of them are done with.

use std::cell::Cell;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

use super::rare::{Rare, Usual};
use crate::output::sink::Owner;
use crate::paths::beneath::FileId;

/// Names a followed file within this process: the owner of what it writes.
pub(crate) type Key = Owner;

/// The files that were at one path, one after the other.
pub(crate) struct Lineage {
    /// The path.
    pub path: Rc<Path>,
    /// The fixed directory of the pattern that matches it.
    pub(crate) root: Rc<Path>,
    /// Files that look like rotations of the path are done with, or older than our interest, if they were born before this
    /// time. Nanoseconds since 1970, by the file system's own clock.
    since: Cell<i64>,
    /// Files from the future are done with too, or older than our interest, if they were born before this time: the clock
    /// was set back.
    future_since: Cell<i64>,
    /// What most lineages have nothing of.
    more: Cell<Rare<More>>,
}

/// Which files there are of a lineage beside the one at its path.
#[derive(Debug, Clone, Default)]
struct More {
    /// Those born at just [`Lineage::since`] that are done with; clocks are coarse, others may have been born then too. And
    /// those from the future, when the clock was set back.
    done: Vec<FileId>,
    /// Those that are no longer at the path: what they still hold comes before what is there now.
    elders: Vec<Key>,
}

impl Usual for More {
    const USUAL: &'static Self = &Self { done: Vec::new(), elders: Vec::new() };
}

impl Lineage {
    /// Begins a lineage of which no file is followed yet.
    #[must_use]
    pub(crate) fn new(path: Rc<Path>, root: Rc<Path>, since: i64) -> Self {
        Self { path, root, since: since.into(), future_since: i64::MIN.into(), more: Cell::default() }
    }

    /// Notes that the clock was set back: `earliest` is when, by it, the first file of our interest can have been born.
    pub(crate) fn set_back(&self, earliest: i64) {
        self.future_since.set(self.future_since.get().max(self.since.get()));
        self.since.set(self.since.get().min(earliest));
    }

    /// Notes that nothing from the future is of interest: an earlier process met all of it.
    pub(crate) fn ignore_future(&self) {
        self.future_since.set(i64::MAX);
    }

    /// Returns whether a file is of no more interest: it is done with, or from before our time. Births after `future` are from
    /// before the clock was set back.
    #[must_use]
    pub(crate) fn is_done_with(&self, id: FileId, future: i64) -> bool {
        self.with_more(|more| {
            if id.btime > future && id.btime < self.future_since.get() && !more.done.contains(&id) {
                // It stays so when the clock has caught up with it.
                more.done.push(id);
            }
            id.btime < self.since.get() || more.done.contains(&id)
        })
    }

    /// Notes that a file is done with, and with it what was born earlier; says whether that is news.
    ///
    /// One from the future says nothing of others.
    pub(crate) fn finish(&self, id: FileId, now: i64) -> bool {
        let is_news = id.btime >= self.since.get();
        self.with_more(|more| {
            if id.btime > self.since.get() && id.btime <= now {
                self.since.set(id.btime);
                more.done.retain(|one| one.btime > id.btime);
            }
            if is_news && !more.done.contains(&id) {
                more.done.push(id);
            }
        });
        is_news
    }

    /// Notes that a file of it is no longer at the path.
    pub(crate) fn add_elder(&self, key: Key) {
        self.with_more(|more| more.elders.push(key));
    }

    /// Notes that a file of it is at the path again, or let go.
    pub(crate) fn remove_elder(&self, key: Key) {
        self.with_more(|more| {
            if !more.elders.is_empty() {
                more.elders.retain(|elder| *elder != key);
            }
        });
    }

    /// Returns what is found first in its files that are no longer at the path, the one that left it first coming first.
    pub(crate) fn find_elder<T>(&self, found: impl FnMut(Key) -> Option<T>) -> Option<T> {
        self.with_more(|more| more.elders.iter().copied().find_map(found))
    }

    /// Nothing that `look` calls may ask the lineage for any of it.
    fn with_more<T>(&self, look: impl FnOnce(&mut Rare<More>) -> T) -> T {
        let mut more = self.more.take();
        let found = look(&mut more);
        self.more.set(more);
        found
    }

    /// Returns the birth time before which everything is done with, as a restart may believe it.
    #[must_use]
    pub(crate) fn since_for_restart(&self) -> i64 {
        let since = self.since.get();
        self.with_more(|more| since + i64::from(more.done.iter().any(|one| one.btime == since)))
    }
}

impl fmt::Debug for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, root, since, future_since, more: _ } = self;
        let mut shown = f.debug_struct("Lineage");
        shown.field("path", path).field("root", root).field("since", since).field("future_since", future_since);
        self.with_more(|more| shown.field("more", &**more).finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUTURE: i64 = 1000;

    fn id(btime: i64) -> FileId {
        FileId { dev: 1, ino: btime.unsigned_abs(), btime }
    }

    fn lineage(since: i64) -> Lineage {
        Lineage::new(Rc::from(Path::new("/logs/app.log")), Rc::from(Path::new("/logs")), since)
    }

    #[track_caller]
    fn check(lineage: &Lineage, done: &[i64], of_interest: &[i64]) {
        for (births, expected) in [(done, true), (of_interest, false)] {
            for birth in births {
                assert_eq!(lineage.is_done_with(id(*birth), FUTURE), expected, "born at {birth}");
            }
        }
    }

    #[test]
    fn what_was_born_before_a_finished_file_is_done_with() {
        let lineage = lineage(10);
        check(&lineage, &[9], &[10, 20, 30]);
        assert!(lineage.finish(id(20), FUTURE));
        check(&lineage, &[9, 10, 20], &[30]);
        let another = FileId { ino: 7, ..id(20) };
        assert!(!lineage.is_done_with(another, FUTURE), "born in the same tick of the clock");
        assert!(!lineage.finish(id(15), FUTURE), "no news");
        assert_eq!(lineage.since_for_restart(), 21);
    }

    #[test]
    fn a_finished_file_from_the_future_says_nothing_of_others() {
        let lineage = lineage(10);
        assert!(lineage.finish(id(2000), FUTURE));
        check(&lineage, &[9, 2000], &[10, 900, 2001]);
        assert!(lineage.finish(id(900), FUTURE));
        check(&lineage, &[10, 900, 2000], &[901, 2001]);
        assert_eq!(lineage.since_for_restart(), 901);
    }

    #[test]
    fn after_the_clock_was_set_back_archives_from_the_future_are_done_with_and_stay_so() {
        let lineage = lineage(3000);
        lineage.set_back(500);
        check(&lineage, &[499, 2000], &[500, 3000, 4000]);
        assert!(lineage.is_done_with(id(2000), 5000), "the clock has caught up with it");
        assert!(!lineage.is_done_with(id(2001), 5000), "born by the new clock");
    }
}
