//! The tracker's events, handled before any file gets its next turn.

use std::time::Instant;

use super::left::name_left_archive;
use super::state::Reclaim;
use crate::read::buffer::Buffer;
use crate::track::event::{Event, InArchives};
use crate::track::tracker::Tracker;

impl Reclaim {
    /// Handles the tracker's events since the last call. That may open files, which makes more events.
    pub(crate) fn take_events(&mut self, tracker: &mut Tracker, now: Instant, buffer: &mut Buffer) {
        while let Some(event) = tracker.next_event() {
            match event {
                Event::CopyBegun { key, archived } => {
                    let end = match archived {
                        InArchives::UpTo(end) => end,
                        InArchives::OfTruncated(key) => {
                            tracker.files.file(key).map_or(0, |file| file.progress.reclaimed_earlier())
                        }
                    };
                    // It may be closed again already for want of descriptors.
                    if tracker.is_open(key, buffer) {
                        self.reclaim_copy(tracker, key, end);
                    }
                }
                Event::FoundRenamed => self.note_renamed_before(),
                Event::ArchiveLeft { key, end, id, is_truncated } => {
                    self.finish_archive(tracker, key, (end, id), is_truncated, now);
                }
                Event::Finished(id) => self.note_finished(id),
            }
        }
    }
}

/// Handles the tracker's events while nothing is reclaimed: an archive that was left still gets its name. What it holds is
/// reclaimed once rotation is on again.
pub(crate) fn take_events_of_idle(tracker: &mut Tracker) {
    while let Some(event) = tracker.next_event() {
        if let Event::ArchiveLeft { key, id, .. } = event
            && name_left_archive(tracker, key, id).is_err()
        {
            tracker.totals.rotation_failures += 1;
        }
    }
}
