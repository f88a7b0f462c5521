//! What cannot be reclaimed: told, counted, and tried again later.

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
use crate::shelf::files::Followed;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

impl Reclaim {
    /// Tells, once, that a file cannot be rotated, and lets some time pass before it is tried again.
    pub(super) fn refuse(&mut self, tracker: &mut Tracker, key: Key, why: Refusal, now: Instant) {
        tracker.totals.rotation_failures += 1;
        if let Some(file) = tracker.files.file(key) {
            file.room.retry.refused(now + RETRY_AFTER);
            file.room.due.dropped();
        }
        self.tell_refusal(tracker, key, why);
    }

    /// Tells once what could not be done for a file; it is rotated all the same.
    pub(super) fn tell_refusal(&mut self, tracker: &mut Tracker, key: Key, why: Refusal) {
        let Some(file) = tracker.files.file(key) else { return };
        file.room.retry.found_why(why.is_lack_of_space());
        if !self.told.is_news(file.follower.id(), &why) {
            return;
        }
        let path = Rc::clone(&file.path);
        let opened = file.follower.file().ok();
        let stat = opened.and_then(|opened| Stat::of(opened).ok());
        // If it may be written, it is the directory that refuses.
        let is_directory = opened.is_some_and(|opened| space::open_for_writing(opened).is_ok());
        let of_directory = || tracker.discovery().stat_directory(path.parent()?).ok();
        let stat = if is_directory { of_directory() } else { stat };
        why.explained(stat, is_directory).not_reclaimed(&path).tell();
    }

    /// Never tries again to collapse a file, or any of its file system; a warning tells of that once if it was asked for.
    pub(super) fn refuse_collapse(&mut self, file: &mut Followed, why: &io::Error) {
        file.room.collapse.refused();
        let path = file.path.display();
        let is_of_device = [Errno::OPNOTSUPP, Errno::NOSYS].map(|errno| Some(errno.raw_os_error()));
        if !is_of_device.contains(&why.raw_os_error()) {
            return tracing::info!(file = %path, "cannot collapse {path}: {why}; the hole stays");
        }
        self.uncollapsible.push(file.follower.id().dev);
        let reason = "its file system cannot take holes out of files; they stay, as with SIDETAIL_ROTATE_METHOD=punch";
        if self.policy.method == Method::Collapse {
            tracing::warn!(file = %path, "cannot collapse {path}: {reason}");
        } else {
            tracing::info!(file = %path, "cannot collapse {path}: {reason}");
        }
    }
}

/// Returns what it means that there is no checkpoint that outlives the process.
#[must_use]
pub(crate) fn without_state() -> Finding {
    Finding::new(
        Kind::Rotation,
        "cannot reclaim disk: there is no checkpoint on a disk; set SIDETAIL_STATE to a directory that can be written",
    )
}
