//! Sleeping files are woken for the room that they take: nothing of them is reclaimed while they sleep.
//!
//! A look at all patterns comes past them, the oldest of what it finds in a turn first, and wakes as many as are needed, and no more
//! than can be followed until they are reclaimed. Then they may fall asleep again.

use std::mem;
use std::time::{Duration, Instant};

use super::sweep_state::WantedRoom;
use super::tracker::Tracker;
use crate::paths::beneath::Stat;
use crate::shelf::known::Asleep;
use crate::shelf::lineage::Key;

/// How long is not looked again when that has given nothing: what was woken may be nothing that can be reclaimed.
const PAUSE: Duration = Duration::from_secs(30);

impl Tracker {
    /// Has sleeping files woken of which something that was streamed is not reclaimed, until they have so many bytes of it together:
    /// in whole units of so many bytes, or in blocks; on a device, or on any. Returns whether that may come to anything.
    pub(crate) fn wake_for_room(&mut self, bytes: u64, device: Option<u64>, unit_bytes: Option<u64>) -> bool {
        if self.asleep() == 0 {
            return false;
        }
        if self.sweep.room.is_none() {
            let is_vain = |(last, wanted): (Instant, u64)| bytes >= wanted && last.elapsed() < PAUSE;
            if self.sweep.looked_for_room.is_some_and(is_vain) {
                return false;
            }
            self.sweep.room = Some(WantedRoom::new(bytes, device, unit_bytes));
            if self.is_sweeping() {
                self.sweep.is_wanted = true;
            } else {
                self.begin_sweep();
            }
        }
        true
    }

    /// Returns whether a sleeping file is to be woken for the room that it takes.
    pub(super) fn is_wanted_for_room(&self, stat: &Stat) -> bool {
        self.room_of(stat) > 0
    }

    fn room_of(&self, stat: &Stat) -> u64 {
        let (Some(room), Some(known)) = (&self.sweep.room, &self.known) else { return 0 };
        let sleeping = Some(stat.id).filter(|id| known.has_asleep_inode(id.ino));
        sleeping.and_then(|id| known.file(id)).map_or(0, |file| room.of(stat, &file))
    }

    /// Returns whether a sleeping file is to be woken for nothing else.
    pub(super) fn is_wanted_for_room_alone(&mut self, stat: &Stat) -> bool {
        let number = self.sweep.number;
        self.is_wanted_for_room(stat)
            && self.known.as_mut().is_some_and(|known| known.look_at(stat, number) == Asleep::Unchanged)
    }

    /// Notes a file that is about to be woken; returns whether that is for the room that it takes.
    pub(super) fn note_room_of(&mut self, stat: &Stat) -> bool {
        let bytes = self.room_of(stat);
        if let Some(room) = self.sweep.room.as_mut().filter(|_| bytes > 0) {
            room.note_woken(bytes);
        }
        bytes > 0
    }

    /// Returns the files that were woken for the room that they take since this was last asked.
    pub(crate) fn take_woken_for_room(&mut self) -> Vec<Key> {
        mem::take(&mut self.woken_for_room)
    }

    /// Notes that a look begins, or has ended.
    pub(super) fn begin_look_for_room(&mut self) {
        self.sweep.room.iter_mut().for_each(|room| room.is_of_look = true);
    }

    pub(super) fn end_look_for_room(&mut self) {
        if let Some(room) = self.sweep.room.take_if(|room| room.is_of_look) {
            self.sweep.looked_for_room = (!room.is_cut()).then(|| (Instant::now(), room.wanted_bytes));
        }
    }
}
