//! What is under way of reclaiming disk: the state, and nothing that is done with it.
//!
//! It belongs to the loop. What it knows of one file stands with that, in its room.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Instant;

use super::job::Archiving;
use super::ledger::Ledger;
use crate::disk::flush::Flusher;
use crate::disk::lock::Locks;
use crate::disk::policy::Policy;
use crate::paths::beneath::FileId;
use crate::report::refused::NotReclaimed;
use crate::shelf::entry::path_sum;
use crate::shelf::lineage::Key;
use crate::shelf::room::Room;

/// Of how many logs something is said once, at most.
const TOLD_MAX: usize = 1024;

/// What is under way.
#[derive(Debug)]
pub(crate) struct Reclaim {
    pub(super) policy: Policy,
    /// The directories that are ours to rotate.
    pub(super) locks: Locks,
    pub(super) flusher: Flusher,
    /// Whether something waits for the checkpoint to be durable.
    pub(super) wants_flush: bool,
    /// The archive that is being made, one at a time.
    pub(super) archiving: Option<Archiving>,
    /// The files that wait for it to be done, in the order in which they are archived.
    pub(super) waiting: VecDeque<Key>,
    /// What all files together take.
    pub(super) ledger: Ledger,
    /// What was reported about files that cannot be rotated.
    pub(super) told: NotReclaimed,
    /// The devices whose file systems cannot collapse: each is asked and reported once.
    pub(super) uncollapsible: Vec<u64>,
    /// Whether it was reported that the writer cannot be signalled.
    pub(super) is_signal_told: bool,
    /// Whether the writer still needs a signal for a rename before this process began.
    pub(super) is_signal_due: bool,
    /// Renamed files that are read to their end, and wait to be compressed or deleted.
    pub(super) finished: Vec<FileId>,
    /// Whether renamed files have been read since archives were last counted.
    pub(super) is_prune_due: bool,
    /// Whether what an earlier process renamed and did not compress is still to be looked for.
    pub(super) is_left_unlooked: bool,
    /// What was said of logs.
    pub(super) told_once: ToldOnce,
    /// When archives were last looked for that are too old.
    pub(super) looked_for_old: Option<Instant>,
    /// When it was last the time to rotate the files that sleep.
    pub(super) woke_sleeping: Option<Instant>,
    /// Whether the missing checkpoint was reported.
    pub(super) is_without_state_told: bool,
}

/// What is said once of a log, however often it is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Told {
    /// Others have files with the names of its archives.
    NamesOfOthers,
    /// Its writer goes on in the renamed file.
    NotReopened,
}

/// What was said of which logs.
#[derive(Debug, Default)]
pub(super) struct ToldOnce(HashSet<(Told, u64)>);

impl ToldOnce {
    /// Returns whether something is to be said of a log, and notes that it is; of very many only of the first.
    pub(super) fn is_news(&mut self, what: Told, log: &Path) -> bool {
        self.0.len() < TOLD_MAX && self.0.insert((what, path_sum(log)))
    }
}

impl Reclaim {
    /// Prepares what the policy asks for; must be called within a tokio runtime.
    ///
    /// # Errors
    /// Those of socketpair(2): no descriptors.
    pub(crate) fn new(policy: Policy) -> io::Result<Self> {
        Ok(Self {
            policy,
            locks: Locks::default(),
            flusher: Flusher::new()?,
            wants_flush: false,
            archiving: None,
            waiting: VecDeque::new(),
            ledger: Ledger::default(),
            told: NotReclaimed::default(),
            uncollapsible: Vec::new(),
            is_signal_told: false,
            is_signal_due: false,
            finished: Vec::new(),
            is_prune_due: false,
            is_left_unlooked: true,
            told_once: ToldOnce::default(),
            looked_for_old: None,
            woke_sleeping: None,
            is_without_state_told: false,
        })
    }

    /// Becomes ready when a flush has made something durable.
    pub(crate) fn poll_flushed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.flusher.poll_done(cx)
    }

    /// Returns whether an archive can go on now, without waiting for anything.
    pub(crate) fn is_archiving(&self) -> bool {
        self.archiving.as_ref().is_some_and(Archiving::is_copying)
    }

    /// Returns whether an archive of this file is being made.
    pub(super) fn is_archiving_of(&self, key: Key) -> bool {
        self.archiving.as_ref().is_some_and(|archiving| archiving.key() == key)
    }

    /// Reclaims what is before `end` of a file when the checkpoint is durable.
    pub(super) fn want(&mut self, room: &mut Room, end: u64) {
        room.work.needs_flush(end);
        self.wants_flush = true;
    }

    /// Lets a file wait until those before it are archived.
    pub(super) fn wait_for_archive(&mut self, key: Key) {
        if !self.waiting.contains(&key) {
            self.waiting.push_back(key);
        }
    }
}
