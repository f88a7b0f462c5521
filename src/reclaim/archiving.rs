//! Archives: a copy of what is reclaimed, compressed as it goes, beside the stream.
//!
//! One file at a time, a step of 64 KiB whenever the loop comes round, so that no line waits longer than for one step. What
//! is to be reclaimed is copied up to a line's end, made durable, noted as an intent in the checkpoint, named, made durable
//! under its name; only then it is reclaimed. A kill in between leaves a draft that is begun again, or an intent that is
//! carried out by the next process.

use std::rc::Rc;
use std::time::Instant;

use super::flushing::note_work;
use super::job::{Archiving, Flushed};
use super::punching::Then;
use super::state::Reclaim;
use crate::disk::archive::Archive;
use crate::disk::names::Series;
use crate::paths::beneath::FileId;
use crate::read::buffer::Buffer;
use crate::report::refusal::Refusal;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::shelf::room::Work;
use crate::track::clock;
use crate::track::tracker::Tracker;

impl Reclaim {
    /// Begins to archive a file up to a line's end before `limit`, unless another one is being archived: then it waits.
    pub(super) fn begin_archive(
        &mut self,
        tracker: &mut Tracker,
        key: Key,
        limit: u64,
        now: Instant,
        buffer: &mut Buffer,
    ) {
        if self.archiving.is_some() {
            return self.wait_for_archive(key);
        }
        match self.archive_up_to(tracker, key, limit, buffer) {
            Ok(archiving) => self.archiving = archiving,
            Err(why) => self.refuse(tracker, key, why, now),
        }
    }

    fn archive_up_to(
        &self,
        tracker: &mut Tracker,
        key: Key,
        limit: u64,
        buffer: &mut Buffer,
    ) -> Result<Option<Archiving>, Refusal> {
        let archives = self.archives_of(tracker, key)?;
        let Some(file) = tracker.files.file(key) else { return Ok(None) };
        // Truncated meanwhile, perhaps: then it is not what was streamed.
        if file.follower.has_changed(buffer)? {
            return Ok(None);
        }
        let range = (file.progress.reclaimed(), limit);
        Archiving::of_log(key, file.follower.file()?, archives, range, self.policy.size.unwrap_or(u64::MAX))
    }

    /// Begins to compress an archive of a file that is not compressed.
    pub(super) fn begin_compression(&mut self, tracker: &mut Tracker, key: Key, archive: &Archive, now: Instant) {
        if self.archiving.is_some() {
            return;
        }
        let archives = self.archives_of(tracker, key).map_err(Refusal::from);
        match archives.and_then(|archives| Archiving::of_archive(key, archive, archives)) {
            Ok(archiving) => self.archiving = Some(archiving),
            Err(why) => self.refuse(tracker, key, why, now),
        }
    }

    /// Goes on with the file that has waited longest.
    fn consider_waiting(&mut self, tracker: &mut Tracker, now: Instant, buffer: &mut Buffer) {
        while self.archiving.is_none()
            && let Some(key) = self.waiting.pop_front()
        {
            if let Some(file) = tracker.files.file(key) {
                file.room.look_at = 0;
            }
            self.consider(tracker, key, now, buffer);
        }
    }

    /// Lets other files be archived before one of which a stalled stream still holds bytes: nothing can be noted of that.
    pub(super) fn pass_over_unsure(&mut self, tracker: &mut Tracker, now: Instant, buffer: &mut Buffer) {
        let Some(archiving) = &self.archiving else { return };
        let key = archiving.key();
        let is_waiting = archiving.durable_draft().is_some() && self.waiting.iter().any(|other| *other != key);
        if is_waiting && tracker.files.file(key).is_some_and(|file| !file.progress.is_delivered()) {
            self.give_archive_up(tracker);
            self.wait_for_archive(key);
            self.consider_waiting(tracker, now, buffer);
        }
    }

    /// Goes on with the archive that is being made, if there is one: copies another part, or gives it its name.
    pub(crate) fn archive_on(&mut self, tracker: &mut Tracker, now: Instant, buffer: &mut Buffer) {
        let Some(archiving) = &mut self.archiving else { return };
        let key = archiving.key();
        let outcome = match archiving.durable_draft() {
            // While a stream holds bytes of the file nothing can be noted of it.
            Some(_) if tracker.files.file(key).is_some_and(|file| !file.progress.is_delivered()) => return,
            Some(id) => {
                let named = self.name_archive(tracker, key, id, now, buffer);
                if named.is_err() {
                    note_work(tracker, key, Work::intent_over);
                }
                named
            }
            None if archiving.is_copying() => archiving.copy().map_err(Refusal::from),
            None => return,
        };
        if let Err(why) = outcome {
            self.give_archive_up(tracker);
            return self.refuse(tracker, key, why, now);
        }
        self.flush_wanted(tracker);
    }

    /// Goes on with the archive of which something is durable now.
    pub(super) fn archive_flushed(&mut self, tracker: &mut Tracker, now: Instant, buffer: &mut Buffer) {
        let Some(archiving) = &mut self.archiving else { return };
        let (key, end) = (archiving.key(), archiving.end());
        // A plain name says of nothing that it is ours: unless that is noted, the archive stays as it is.
        if let Some((id, series)) = archiving.replacement()
            && !tracker.note_archive(id)
            && series == Series::Plain
        {
            self.give_archive_up(tracker);
            self.refuse(tracker, key, Refusal::NotNoted, now);
            return self.consider_waiting(tracker, now, buffer);
        }
        match archiving.flushed() {
            Flushed::Nothing => {}
            Flushed::Draft => {
                // If the file was truncated while it was copied, the draft may hold something of before and of after.
                let has_changed = |file: &mut Followed| file.follower.has_changed(buffer).unwrap_or(true);
                if tracker.files.file(key).is_none_or(has_changed) {
                    self.give_archive_up(tracker);
                }
            }
            Flushed::Name => {
                self.archiving = None;
                if self.reclaim(tracker, key, end, now, buffer) == Then::LookAgain {
                    self.consider(tracker, key, now, buffer);
                }
                self.consider_waiting(tracker, now, buffer);
            }
            Flushed::Replaced(replaced) => {
                self.give_archive_up(tracker);
                replaced.unwrap_or_else(|why| self.refuse(tracker, key, why, now));
                self.consider_waiting(tracker, now, buffer);
            }
        }
    }

    /// Notes that what is before its end is in an archive, and gives that its name.
    fn name_archive(
        &mut self,
        tracker: &mut Tracker,
        key: Key,
        id: FileId,
        now: Instant,
        buffer: &mut Buffer,
    ) -> Result<(), Refusal> {
        if !self.policy.compress {
            self.finish_with_archive(tracker, key, id, now, buffer);
        }
        let Some(archiving) = &mut self.archiving else { return Ok(()) };
        // If it cannot be noted that it is ours, it gets a name that says so.
        tracker.note_archive(id);
        if !note_work(tracker, key, |work| work.archived(archiving.end(), id.sum())) {
            return Err(Refusal::NotNoted);
        }
        let named = archiving.install();
        self.tell_of_others(tracker, key);
        named?;
        let Some(archiving) = &mut self.archiving else { return Ok(()) };
        tracker.totals.archives += 1;
        let deleted = archiving.delete_beyond(self.policy.keep, |id| tracker.files.with_id(id).is_some());
        // It has its name: whatever else fails, what it holds is reclaimed, and is not archived again.
        if let Err(why) = deleted {
            self.tell_refusal(tracker, key, why);
        }
        Ok(())
    }

    /// Notes for later processes that an archive is done with, which looks like a rotated file if it is not compressed.
    ///
    /// With it what was born earlier is done with: all of that must be followed before, or it would be lost.
    fn finish_with_archive(&mut self, tracker: &mut Tracker, key: Key, id: FileId, now: Instant, buffer: &mut Buffer) {
        let Some(lineage) = tracker.files.file(key).map(|file| Rc::clone(&file.lineage)) else { return };
        if tracker.meet_all_of(&lineage, buffer) {
            lineage.finish(id, clock::time());
        }
        self.take_events(tracker, now, buffer);
    }

    /// Forgets the archive that is being made; what it was to hold is still in the file.
    ///
    /// If it has its name already, that is archived again: the disk that would not make the name durable is failing.
    pub(super) fn give_archive_up(&mut self, tracker: &mut Tracker) {
        let Some(archiving) = self.archiving.take() else { return };
        if archiving.is_named() {
            tracker.files.file(archiving.key()).into_iter().for_each(|file| file.room.work.intent_over());
        } else {
            // If it cannot be removed now, the next archive's beginning tells why.
            let _ = archiving.discard();
        }
    }

    /// The same, unless it has its name already; then it is done with by the next process, if not by this one.
    pub(crate) fn give_draft_up(&mut self, tracker: &mut Tracker) {
        if self.archiving.as_ref().is_some_and(|archiving| !archiving.is_named()) {
            self.give_archive_up(tracker);
        }
    }

    /// Forgets what was known of the room of a file that was truncated or replaced in place, and the archive that is being made
    /// of it, if there is one. If that has its name, a copy of the file need not be archived again.
    pub(crate) fn begin_room_anew(&mut self, tracker: &mut Tracker, key: Key) {
        if let Some(archiving) = self.archiving.as_ref().filter(|archiving| archiving.key() == key) {
            if let Some(file) = tracker.files.file(key).filter(|_| archiving.is_named()) {
                file.progress.pass_over(archiving.end());
            }
            self.give_archive_up(tracker);
        }
        if let Some(file) = tracker.files.file(key) {
            file.room.begin_anew();
            file.progress.truncate();
        }
    }
}
