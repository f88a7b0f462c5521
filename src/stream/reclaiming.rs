//! Where the loop has disk reclaimed, if configured.
//!
//! Invariant: whatever may open files or let them go is followed by [`Loop::take_events`], before any file gets its next turn.

use std::time::Instant;

use super::loop_state::Loop;
use crate::disk::policy::IS_OFF;
use crate::reclaim::events::take_events_of_idle;
use crate::shelf::lineage::Key;

impl Loop {
    /// Handles the tracker's events.
    pub(super) fn take_events(&mut self) {
        if !self.tracker.has_events() {
            return;
        }
        match &mut self.reclaim {
            Some(reclaim) => reclaim.take_events(&mut self.tracker, Instant::now(), &mut self.desk.buffer),
            None => take_events_of_idle(&mut self.tracker),
        }
    }

    /// Looks whether a file that was streamed on takes more room than it may.
    pub(super) fn consider(&mut self, key: Key) {
        if let Some(reclaim) = &mut self.reclaim {
            reclaim.consider(&mut self.tracker, key, Instant::now(), &mut self.desk.buffer);
        }
    }

    /// Goes on with what waited for something to be durable.
    pub(super) fn go_on_reclaiming(&mut self) {
        if let Some(reclaim) = &mut self.reclaim {
            reclaim.flushed(&mut self.tracker, Instant::now(), &mut self.desk.buffer);
        }
    }

    /// Reclaims what the time has come for; after the tracker's tick.
    pub(super) fn reclaim_in_time(&mut self) {
        match &mut self.reclaim {
            Some(reclaim) => reclaim.tick(&mut self.tracker, Instant::now(), &mut self.desk.buffer),
            None => self.take_events(),
        }
    }

    /// Asks for everything to be reclaimed that was streamed.
    pub(super) fn rotate_all(&mut self) {
        let Some(reclaim) = &mut self.reclaim else {
            return tracing::warn!("cannot rotate at SIGHUP: {IS_OFF}");
        };
        reclaim.rotate_all(&mut self.tracker, Instant::now(), &mut self.desk.buffer);
    }

    /// Forgets what was known of a file's room: it was truncated or replaced in place.
    pub(super) fn begin_room_anew(&mut self, key: Key) {
        if let Some(reclaim) = &mut self.reclaim {
            reclaim.begin_room_anew(&mut self.tracker, key);
        } else if let Some(file) = self.tracker.files.file(key) {
            file.room.begin_anew();
            file.progress.truncate();
        }
    }

    /// Returns whether an archive can go on now.
    pub(super) fn is_archiving(&self) -> bool {
        self.reclaim.as_ref().is_some_and(|reclaim| reclaim.is_archiving())
    }

    /// Goes on with the archive that is being made, if there is one.
    pub(super) fn archive_on(&mut self) {
        if let Some(reclaim) = &mut self.reclaim {
            reclaim.archive_on(&mut self.tracker, Instant::now(), &mut self.desk.buffer);
        }
    }

    /// Leaves no unfinished archive behind.
    pub(super) fn give_draft_up(&mut self) {
        if let Some(reclaim) = &mut self.reclaim {
            reclaim.give_draft_up(&mut self.tracker);
            reclaim.release_locks(&self.tracker);
        }
    }
}
