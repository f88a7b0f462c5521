//! The status of a file on request: how far it is streamed, and what it takes of the disk, whether or not anything is reclaimed.
//!
//! The running process answers for a file that it follows, any other one from the checkpoint: both are counted here, in one way.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use super::archives::archives_at;
use crate::disk::own_ids::OwnIds;
use crate::disk::policy::{Method, Policy};
use crate::paths::beneath::Stat;
use crate::paths::discover::{Discovery, Found};
use crate::read::buffer::{Buffer, READ_BYTES};
use crate::read::follower::Follower;
use crate::report::message::counted;
use crate::shelf::entry::KnownFile;
use crate::shelf::known::Known;
use crate::shelf::lineage::Key;
use crate::track::tracker::Tracker;

/// How far a file is, and what it takes of the disk; in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileStatus {
    pub path: PathBuf,
    /// From its beginning on, by the checkpoint.
    pub streamed: u64,
    pub unread: u64,
    pub on_disk: u64,
    /// From its beginning on, what was reclaimed of it.
    pub reclaimed: u64,
    pub archives: usize,
    /// How it is reclaimed; `None` if it is not.
    pub method: Option<&'static str>,
}

impl FileStatus {
    /// Returns the status of a file that another process may be following, by what the checkpoint knows of it.
    ///
    /// # Errors
    /// Those of opening and reading the file.
    pub(crate) fn by_checkpoint(
        found: &Found,
        known: &Known,
        policy: &Policy,
        (discovery, own): (&Discovery, &OwnIds),
        buffer: &mut Buffer,
    ) -> io::Result<Self> {
        let (file, stat) = found.open()?;
        let known = known.file(stat.id);
        let mut follower = match &known {
            Some(known) => Follower::resume(stat.id, file, known.position, buffer)?,
            None => Follower::from_beginning(stat.id, file),
        };
        // So that NULs at its end that nothing follows are seen.
        follower.look(buffer, READ_BYTES)?;
        // What was truncated since then is streamed from its beginning, and nothing of it is reclaimed.
        let is_known = |known: &&KnownFile| follower.offset() == known.position.offset;
        Ok(Self {
            path: found.path.clone(),
            streamed: follower.offset(),
            unread: follower.unread_bytes(stat.size),
            on_disk: stat.allocated_bytes,
            reclaimed: known.as_ref().filter(is_known).map_or(0, |known| known.kept),
            archives: archives_of(discovery, found, own.clone()),
            method: method(policy),
        })
    }
}

impl fmt::Display for FileStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, streamed, unread, on_disk, reclaimed, archives, method } = self;
        let (path, archives) = (path.display(), counted(*archives as u64, "archive"));
        let method = method.unwrap_or("not rotated");
        write!(
            f,
            "status of {path}: {} streamed, {unread} unread, {on_disk} on disk, {reclaimed} reclaimed, ",
            counted(*streamed, "byte")
        )?;
        write!(f, "{archives}, {method}")
    }
}

/// Returns the status of a file; `None` if it is not followed any more.
#[must_use]
pub(crate) fn status(policy: &Policy, tracker: &mut Tracker, key: Key) -> Option<FileStatus> {
    let file = tracker.files.file(key)?;
    let (path, root) = (Rc::clone(&file.path), Rc::clone(&file.lineage.root));
    let own = tracker.own_archives();
    let archives = archives_of(tracker.discovery(), &tracker.discovery().look_beneath(&root, &path), own);
    let file = tracker.files.file(key)?;
    let stat = file.follower.file().and_then(Stat::of).ok();
    // Of one that is closed it was seen how long it is.
    let seen = (file.follower.offset() + file.follower.seen_unread_bytes(), 0);
    let (size, on_disk) = stat.map_or(seen, |stat| (stat.size, stat.allocated_bytes));
    let streamed = if !file.progress.is_delivered() { file.progress.noted() } else { file.follower.offset() };
    Some(FileStatus {
        path: path.to_path_buf(),
        streamed,
        unread: size.saturating_sub(streamed).saturating_sub(file.follower.waiting_nuls()),
        on_disk,
        reclaimed: file.progress.reclaimed(),
        archives,
        method: method(policy),
    })
}

/// Returns how many archives a log has, of whatever kind.
fn archives_of(discovery: &Discovery, found: &Found, own: OwnIds) -> usize {
    let archives = archives_at(discovery, &found.root, &found.path, true, own).and_then(|archives| archives.list());
    archives.map_or(0, |archives| archives.len())
}

fn method(policy: &Policy) -> Option<&'static str> {
    policy.is_on().then(|| match policy.method {
        Method::Auto => Method::Punch.name(),
        method => method.name(),
    })
}
