//! The status of a file on request, whether or not anything is reclaimed.

use std::rc::Rc;

use super::archives::archives_at;
use super::state::Reclaim;
use crate::disk::policy::Method;
use crate::paths::beneath::Stat;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

/// Returns how far a file is streamed, and what it takes of the disk, in one line; `None` if it is not followed any more.
#[must_use]
pub(crate) fn status(reclaim: Option<&Reclaim>, tracker: &mut Tracker, key: Key) -> Option<String> {
    let file = tracker.files.file(key)?;
    let (path, root) = (Rc::clone(&file.path), Rc::clone(&file.lineage.root));
    // Those are listed whatever kind is made.
    let archives = archives_at(tracker.discovery(), &root, &path, true).and_then(|archives| archives.list());
    let archives = archives.map_or(0, |archives| archives.len());
    let file = tracker.files.file(key)?;
    let stat = file.follower.file().and_then(Stat::of).ok();
    let (size, allocated) = stat.map_or((0, 0), |stat| (stat.size, stat.allocated_bytes));
    let offset = if !file.progress.is_delivered() { file.progress.noted() } else { file.follower.offset() };
    let method = match reclaim.map(|reclaim| reclaim.policy.method) {
        None => "not rotated",
        Some(Method::Auto | Method::Collapse) if file.room.has_collapsed => Method::Collapse.name(),
        Some(Method::Auto | Method::Collapse) => Method::Punch.name(),
        Some(method) => method.name(),
    };
    Some(format!(
        "status of {}: {offset} bytes streamed, {} unread, {allocated} on disk, {} reclaimed, {archives} archives, {method}",
        path.display(),
        size.saturating_sub(offset).saturating_sub(file.follower.waiting_nuls()),
        file.room.reclaimed,
    ))
}
