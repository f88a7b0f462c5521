//! What the tracker reports to `reclaim` about files: as data, because it knows nothing of reclaiming.
//!
//! Invariant: events are taken before any file gets its next turn, so that no file is read before `reclaim` has seen to it.

use std::collections::VecDeque;

use crate::paths::beneath::FileId;
use crate::shelf::lineage::Key;

/// Up to where the archives hold what a copy was made of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InArchives {
    /// Up to where this file was reclaimed before it was truncated; what becomes of its last archive may still be to come.
    OfTruncated(Key),
    /// Up to this offset.
    UpTo(u64),
}

/// What happened to a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// A copy goes on where its original was left.
    CopyBegun { key: Key, archived: InArchives },
    /// A file that was renamed before this process began is read on.
    FoundRenamed,
    /// An earlier process was killed when what is before `end` was in an archive that was whole: the file `id`, by
    /// [`FileId::sum`]. The log may have been truncated since.
    ArchiveLeft { key: Key, end: u64, id: u64, is_truncated: bool },
    /// A file was let go for good.
    Finished(FileId),
}

/// The events that nobody has taken yet, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Events(VecDeque<Event>);

impl Events {
    /// Adds an event, if it is wanted: while nothing is reclaimed, that is only an archive that was left, which still gets its
    /// name.
    pub(super) fn add(&mut self, event: Event, is_reclaiming: bool) {
        if is_reclaiming || matches!(event, Event::ArchiveLeft { .. }) {
            self.0.push_back(event);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self) -> Option<Event> {
        self.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_reclaimed_only_an_archive_that_was_left_is_told_of() {
        for (is_reclaiming, expected) in [(true, 4), (false, 1)] {
            let mut events = Events::default();
            let key = 1;
            for event in [
                Event::CopyBegun { key, archived: InArchives::UpTo(1) },
                Event::FoundRenamed,
                Event::ArchiveLeft { key, end: 1, id: 2, is_truncated: false },
                Event::Finished(FileId { dev: 1, ino: 2, btime: 3 }),
            ] {
                events.add(event, is_reclaiming);
            }
            assert_eq!(std::iter::from_fn(|| events.take()).count(), expected, "{is_reclaiming}");
            assert!(events.is_empty());
        }
    }
}
