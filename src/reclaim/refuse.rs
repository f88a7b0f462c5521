//! What cannot be reclaimed: reported, counted, and retried later.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use rustix::io::Errno;

use super::limits::RETRY_AFTER;
use super::state::Reclaim;
use crate::disk::policy::Method;
use crate::disk::space;
use crate::paths::beneath::Stat;
use crate::report::finding::{Finding, Kind};
use crate::report::refusal::Refusal;
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

impl Reclaim {
    /// Reports once that a file cannot be rotated, and waits before the next try.
    pub(super) fn refuse(&mut self, tracker: &mut Tracker, key: Key, why: Refusal, now: Instant) {
        tracker.totals.rotation_failures += 1;
        if let Some(file) = tracker.files.file(key) {
            file.room.retry.refused(now + RETRY_AFTER);
            file.room.due.dropped();
        }
        self.tell_refusal(tracker, key, why);
    }

    /// Reports once what could not be done for a file that is rotated all the same.
    pub(super) fn tell_refusal(&mut self, tracker: &mut Tracker, key: Key, why: Refusal) {
        let Some(file) = tracker.files.file(key) else { return };
        file.room.retry.found_why(why.is_lack_of_space());
        let (id, path) = (file.follower.id(), Rc::clone(&file.path));
        let opened = file.follower.file().ok();
        let stat = opened.and_then(|opened| Stat::of(opened).ok());
        // If it may be written, it is the directory that refuses.
        let is_directory = opened.is_some_and(|opened| space::open_for_writing(opened).is_ok());
        let of_directory = || tracker.discovery().stat_directory(path.parent()?).ok();
        let stat = if is_directory { of_directory() } else { stat };
        let why = why.explained(stat, is_directory);
        if self.told.is_news(id, &why) {
            why.not_reclaimed(&path).tell();
        }
    }

    /// Never tries again to collapse a file, or any file on its file system; warns once if the user asked for `collapse`.
    pub(super) fn refuse_collapse(&mut self, file: &mut Followed, why: &io::Error) {
        file.room.collapse.refused();
        let path = file.path.display();
        let is_of_device = [Errno::OPNOTSUPP, Errno::NOSYS].map(|errno| Some(errno.raw_os_error()));
        if !is_of_device.contains(&why.raw_os_error()) {
            return tracing::info!(file = %path, "cannot collapse {path}: {why}; keeping the hole");
        }
        self.uncollapsible.push(file.follower.id().dev);
        let reason = "its file system cannot collapse ranges; keeping holes, as with SIDETAIL_ROTATE_METHOD=punch";
        if self.policy.method == Method::Collapse {
            tracing::warn!(file = %path, "cannot collapse {path}: {reason}");
        } else {
            tracing::info!(file = %path, "cannot collapse {path}: {reason}");
        }
    }
}

/// Returns the finding that no checkpoint outlives the process.
#[must_use]
pub(crate) fn without_state() -> Finding {
    Finding::new(
        Kind::Rotation,
        "cannot reclaim disk: the checkpoint is not on disk; set SIDETAIL_STATE to a writable directory",
    )
}
