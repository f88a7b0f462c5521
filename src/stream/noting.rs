//! What of a file is on the streams, noted in the checkpoint.

use std::time::Instant;

use super::loop_state::Loop;
use crate::shelf::lineage::Key;

impl Loop {
    /// Notes in the checkpoint how far a file is streamed, and when that was.
    pub(super) fn save(&mut self, key: Key) {
        let is_saved = self.tracker.save(key);
        self.note_saved(is_saved);
    }

    /// The same for a file of which a stream held bytes until now.
    pub(super) fn save_released(&mut self, key: Key) {
        let is_saved = self.tracker.save_released(key);
        self.note_saved(is_saved);
    }

    fn note_saved(&mut self, is_saved: bool) {
        if let Some(counters) = self.desk.counters.as_mut().filter(|_| is_saved) {
            counters.saved = Some(Instant::now());
        }
    }
}
