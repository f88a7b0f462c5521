//! When a file is rotated, and how far: gives back what was streamed of it, once the checkpoint that says so is durable.
//!
//! A file is considered after each turn that gave something, at the tick if it is time, and when somebody asks. What is to be
//! given back waits for a flush of the checkpoint, one for all files; the stream goes on meanwhile. Bytes that were not
//! streamed are never touched.
//!
//! LOSS: if another program truncates the file between the look at its marker and the hole, some microseconds, and the writer
//! writes beyond what was given back before, that is lost with it. Two rotators of one file are one too many.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::apparent::APPARENT_BYTES_MAX;
use super::archiving::Archiving;
use super::budget::Ledger;
use super::legacy::LAST_BYTES_MAX;
use crate::disk::flush::{Flush, Flusher};
use crate::disk::lock::Locks;
use crate::disk::policy::{Intent, Method, Policy, Room};
use crate::disk::space;
use crate::disk::writers::{Writers, writers_of};
use crate::paths::beneath::{FileId, Stat};
use crate::read::buffer::Buffer;
use crate::read::holes::hole_end;
use crate::read::position::Digest;
use crate::report::refusal::{belongs, let_group};
use crate::shelf::files::{Followed, Key};
use crate::track::tracker::Tracker;

/// After how many more streamed bytes a file's size is looked at again, at most.
const LOOK_BYTES: u64 = 64 << 10;

/// After how long a file is tried again that could not be rotated.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// How many refusals are remembered, so that each is told once.
const REFUSALS_MAX: usize = 1000;

/// What is said if there is no checkpoint that outlives the process.
pub const WITHOUT_STATE: &str =
    "cannot give disk back: there is no checkpoint on a disk; set SIDETAIL_STATE to a directory that can be written";

/// What is under way.
#[derive(Debug)]
pub struct Rotation {
    pub(super) policy: Policy,
    locks: Locks,
    pub(super) flusher: Flusher,
    /// Whether something waits for the checkpoint to be durable.
    pub(super) wants_flush: bool,
    /// The archive that is being made, one at a time.
    pub(super) archiving: Option<Archiving>,
    /// The files that wait for it to be done, in the order in which they are archived.
    pub(super) waiting: VecDeque<Key>,
    /// What all files together take.
    pub(super) ledger: Ledger,
    /// What was told of files that cannot be rotated: of each, or of a device's, once.
    told: Vec<(u64, u64, u64)>,
    /// The devices whose file systems cannot collapse: each is asked and told of once.
    uncollapsible: Vec<u64>,
    /// Whether it was told that the writer cannot be signalled.
    pub(super) is_signal_told: bool,
    /// Whether the writer is to be told that its log was renamed before this process began.
    pub(super) is_signal_due: bool,
    /// Renamed files that are read to their end, and wait to be compressed or deleted.
    pub(super) finished: Vec<FileId>,
    /// When archives were last looked for that are too old.
    pub(super) looked_for_old: Option<Instant>,
    /// Whether it was told that there is no checkpoint.
    is_without_state_told: bool,
}

impl Rotation {
    /// Prepares what the policy asks for; must be called within a tokio runtime.
    ///
    /// # Errors
    /// Those of socketpair(2): no descriptors.
    pub fn new(policy: Policy, locks: Locks) -> io::Result<Self> {
        Ok(Self {
            policy,
            locks,
            flusher: Flusher::new()?,
            wants_flush: false,
            archiving: None,
            waiting: VecDeque::new(),
            ledger: Ledger::default(),
            told: Vec::new(),
            uncollapsible: Vec::new(),
            is_signal_told: false,
            is_signal_due: false,
            finished: Vec::new(),
            looked_for_old: None,
            is_without_state_told: false,
        })
    }

    /// Becomes ready when something is durable that was waited for.
    pub fn poll_flushed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.flusher.poll_done(cx)
    }

    /// Gives back what is before `end` of a file when the checkpoint is durable.
    pub(crate) fn want(&mut self, room: &mut Room, end: u64) {
        room.wanted = Some(end);
        self.wants_flush = true;
    }

    /// Returns up to where a file is given back that has so much room, or `None` if it may stay as it is.
    ///
    /// With archives everything goes, up to the size of one archive; without, a part stays for people to read.
    fn wanted_end(&self, room: &Room, stat: &Stat) -> Option<u64> {
        if self.policy.keep > 0 {
            // Truncated when all is archived but what can be at that moment.
            return self.archive_end(room, stat).or(Some(room.saved).filter(|_| room.is_to_be_truncated));
        }
        let (limit, kept) = (room.limit(stat.block_bytes), room.kept.unwrap_or(0));
        if room.is_due {
            return Some(limit).filter(|end| *end > kept);
        }
        let size = self.policy.size.filter(|size| stat.allocated_bytes > *size)?;
        let step = self.policy.step_bytes();
        let excess = stat.allocated_bytes - (size - step);
        let end = kept.saturating_add(excess.max(step)).min(limit) / stat.block_bytes * stat.block_bytes;
        // Less is not worth a flush; what is not streamed yet comes later.
        Some(end).filter(|end| *end >= kept + step.min(size / 2))
    }

    /// Says whether a file will have to give something back soon, and what was streamed of it is not durable for the most part.
    fn is_nearly_full(&self, room: &Room, stat: &Stat) -> bool {
        let step = self.policy.step_bytes();
        let is_near = self.policy.size.is_some_and(|size| stat.allocated_bytes > size - step);
        is_near && self.policy.keep == 0 && room.saved.saturating_sub(room.durable) >= step / 2
    }

    fn archive_end(&self, room: &Room, stat: &Stat) -> Option<u64> {
        let kept = room.kept.unwrap_or(0);
        let archive_bytes_max = self.policy.size.unwrap_or(u64::MAX);
        let is_too_large = self.policy.size.is_some_and(|size| stat.allocated_bytes > size);
        let end = room.line_limit().min(kept.saturating_add(archive_bytes_max));
        let bytes_min = if room.is_due { 1 } else { self.policy.step_bytes().min(archive_bytes_max / 2) };
        Some(end).filter(|end| (room.is_due || is_too_large) && *end >= kept + bytes_min)
    }
}

impl Tracker {
    /// Looks whether a file that was streamed on takes more room than it may.
    pub fn consider(&mut self, key: Key, buffer: &mut Buffer) {
        let (Some(rotation), Some(file)) = (&mut self.rotation, self.files.file(key)) else { return };
        let is_looked_at = file.room.is_due || file.room.saved >= file.room.look_at;
        // One that is closed for want of descriptors is considered when it is open again.
        let can_be = file.follower.is_open() && !file.is_detached && !is_unsure(file) && !file.room.is_under_way();
        if !is_looked_at || !can_be {
            return;
        }
        // A directory that came up later, or is beneath the pattern's, may be somebody else's to rotate.
        if rotation.locks.claim(file.path.parent().unwrap_or(&file.lineage.root)).is_err() {
            let why = io::Error::other(
                "another sidetail rotates the files of this directory; leave SIDETAIL_ROTATE_SIZE off in one",
            );
            return self.refuse_rotation(key, &why);
        }
        let path = Rc::clone(&file.path);
        if self.is_archive(&path) {
            return;
        }
        let (Some(rotation), Some(file)) = (&mut self.rotation, self.files.file(key)) else { return };
        file.room.look_at = file.room.saved + LOOK_BYTES.min(rotation.policy.step_bytes() / 4);
        if !self.checkpoint.is_kept() || file.room.retry.is_some_and(|retry| Instant::now() < retry) {
            return;
        }
        let counted = mem::replace(&mut file.room.counted, file.room.saved);
        if rotation.ledger.add(file.room.saved.saturating_sub(counted)) {
            self.look_at_budget(Instant::now());
        }
        let (Some(rotation), Some(file)) = (&mut self.rotation, self.files.file(key)) else { return };
        if file.room.wanted.is_some() {
            return;
        }
        match look_at_room(file) {
            Ok(stat) => {
                rotation.wants_flush |= rotation.is_nearly_full(&file.room, &stat);
                match rotation.wanted_end(&file.room, &stat) {
                    Some(end) => self.rotate(key, end, &stat, buffer),
                    None => file.room.is_due = false,
                }
            }
            Err(why) => self.refuse_rotation(key, &why),
        }
        self.flush_wanted();
    }

    /// Rotates a file as the policy asks for; what is given back is before `end`.
    fn rotate(&mut self, key: Key, end: u64, stat: &Stat, buffer: &mut Buffer) {
        let (Some(rotation), Some(file)) = (&mut self.rotation, self.files.file(key)) else { return };
        let Policy { method, keep, .. } = rotation.policy;
        let is_last = file.room.is_to_be_truncated && file.room.streamed_bytes() <= LAST_BYTES_MAX;
        match method {
            Method::Rename => self.rename_away(key),
            Method::CopyTruncate if keep == 0 || is_last => {
                self.truncate(key, buffer);
            }
            _ if keep > 0 => self.begin_archive(key, end, buffer),
            _ => {
                // What was flushed last is enough, most times; then nothing has to be waited for.
                let durable = file.room.durable_limit(stat.block_bytes).min(end);
                let is_enough = durable == end || durable >= file.room.kept.unwrap_or(0) + rotation.policy.step_bytes();
                if is_enough { self.give_back(key, durable, buffer) } else { rotation.want(&mut file.room, end) }
            }
        }
    }

    /// Begins to make durable what something waits for: the checkpoint, an archive.
    pub(crate) fn flush_wanted(&mut self) {
        let Some(rotation) = self.rotation.as_mut().filter(|one| !one.flusher.is_busy()) else { return };
        let waits = rotation.wants_flush || rotation.archiving.as_ref().is_some_and(Archiving::waits_for_flush);
        // What cannot be flushed now, for want of a descriptor, waits for the next time.
        let Some(file) = waits.then(|| self.checkpoint.file().ok()).flatten() else { return };
        let archive = rotation.archiving.as_mut().and_then(|archiving| archiving.flush().ok().flatten());
        rotation.wants_flush = false;
        self.files.each(|file| file.room.flushing = file.room.saved);
        rotation.flusher.start([Some(Flush::Bytes(file)), archive].into_iter().flatten().collect());
    }

    /// Goes on when a flush is over.
    pub fn flushed(&mut self, buffer: &mut Buffer) {
        let Some(outcome) = self.rotation.as_mut().and_then(|rotation| rotation.flusher.take()) else { return };
        let wanted = self.files.keys(|file| file.room.wanted.is_some());
        match outcome {
            Ok(()) => {
                self.files.each(|file| file.room.durable = file.room.flushing);
                for key in wanted {
                    self.give_wanted_back(key, buffer);
                }
                self.archive_flushed(buffer);
            }
            Err(why) => {
                self.give_archive_up();
                for key in wanted {
                    self.files.file(key).into_iter().for_each(|file| file.room.wanted = None);
                    self.refuse_rotation(key, &why);
                }
            }
        }
        self.flush_wanted();
    }

    fn give_wanted_back(&mut self, key: Key, buffer: &mut Buffer) {
        let Some(file) = self.files.file(key) else { return };
        let Some(end) = file.room.wanted.filter(|end| *end <= file.room.durable_limit(1)) else { return };
        file.room.wanted = None;
        self.give_back(key, end, buffer);
    }

    /// Gives back what is before `end`, of which the checkpoint on the disk says that it is streamed.
    pub(crate) fn give_back(&mut self, key: Key, end: u64, buffer: &mut Buffer) {
        let Some(file) = self.files.file(key) else { return };
        let kept = file.room.kept.unwrap_or(0);
        let is_archived = matches!(file.room.intent, Intent::Archive { .. });
        file.room.intent = Intent::None;
        // Truncated meanwhile, perhaps: then what is before the offset is not what was streamed.
        let changed = file.follower.has_changed(buffer);
        if file.room.line_limit() < end || kept >= end || matches!(changed, Ok(true)) {
            return;
        }
        let punched = changed.and_then(|_| file.follower.file()).and_then(|opened| {
            let block_bytes = Stat::of(opened)?.block_bytes;
            space::punch(opened, kept / block_bytes * block_bytes, end)
        });
        if punched.is_ok() || is_archived {
            // What is in an archive is not archived again, even if the file cannot give it back.
            file.room.kept = Some(end);
            // The first block may be one of which a part stays: its head is another one then.
            let _ = file.follower.look_at_head();
        }
        // What is truncated next need not be punched.
        let is_truncated =
            is_archived && self.rotation.as_ref().is_some_and(|one| one.policy.method == Method::CopyTruncate);
        if let Err(why) = punched
            && !is_truncated
        {
            self.save(key);
            return self.refuse_rotation(key, &why);
        }
        let Some(file) = self.files.file(key) else { return };
        let room = &mut file.room;
        (room.given_back, room.rotated) = (room.given_back + (end - kept), Some(Instant::now()));
        self.totals.gave_back(end - kept);
        tracing::debug!(file = %file.path.display(), "gave back {} bytes of {}", end - kept, file.path.display());
        let id = file.follower.id();
        if let Some(rotation) = &mut self.rotation {
            // Should it be refused again, that is news.
            rotation.told.retain(|(dev, ino, _)| *dev != id.dev || (*ino != id.ino && *ino != 0));
        }
        // What was streamed meanwhile may be too much again; but who asked for all asked for what there was then.
        (room.is_due, room.is_due_again) = (room.is_due_again, false);
        (room.is_to_be_truncated, room.look_at) = (is_truncated, 0);
        self.save(key);
        self.collapse(key);
        if is_archived { self.wait_for_archive(key) } else { self.consider(key, buffer) }
    }

    /// Gives back of a copy what is in archives of what it was made of: it is not archived again.
    pub(crate) fn give_back_of_copy(&mut self, key: Key, end: u64) {
        let (Some(rotation), Some(file)) = (&mut self.rotation, self.files.file(key)) else { return };
        let is_ours = end > 0 && rotation.locks.claim(file.path.parent().unwrap_or(&file.lineage.root)).is_ok();
        // If that is refused, all of the copy is archived.
        if is_ours && file.follower.file().and_then(|opened| space::punch(opened, 0, end)).is_ok() {
            file.room.kept = Some(end);
            let _ = file.follower.look_at_head();
        }
    }

    /// Takes the hole out of a file that was given back, if that is asked for and its writer is known to append.
    pub(crate) fn collapse(&mut self, key: Key) {
        let (Some(rotation), Some(file)) = (&self.rotation, self.files.file(key)) else { return };
        let Policy { method, keep, .. } = rotation.policy;
        let is_long = file.room.saved > APPARENT_BYTES_MAX;
        let is_wanted = method == Method::Collapse || (method == Method::Auto && keep > 0) || is_long;
        let is_archived = rotation.archiving.as_ref().is_some_and(|archiving| archiving.is_of(key));
        let is_under_way = is_archived || file.room.is_under_way();
        let is_busy = is_unsure(file) || is_under_way || file.follower.is_before_long_line();
        // Whoever opens the file next may write in another way, but to look at all processes takes its time.
        let is_known = file.room.not_appended.is_some_and(|asked| asked.elapsed() < RETRY_AFTER);
        let is_refused = file.room.never_collapse || rotation.uncollapsible.contains(&file.follower.id().dev);
        if !is_wanted || is_busy || is_refused || is_known {
            return;
        }
        let kept = file.room.kept.unwrap_or(0);
        let bytes = file.follower.file().and_then(|opened| space::collapsible(opened, kept)).unwrap_or(0);
        if bytes == 0 {
            return;
        }
        file.room.not_appended = (writers_of(file.follower.id()) != Writers::Append).then(Instant::now);
        if file.room.not_appended.is_some() || !self.set_intent(key, Intent::Collapse(bytes)) {
            return;
        }
        let Some(file) = self.files.file(key) else { return };
        match file.follower.file().and_then(|opened| space::collapse(opened, bytes)) {
            Ok(()) => {
                // The offset is right even if the head cannot be read; then it is no help to know the file by.
                let _ = file.follower.collapsed(bytes);
                file.room.collapsed(bytes);
                tracing::debug!(file = %file.path.display(), "collapsed {bytes} bytes of {}", file.path.display());
            }
            Err(why) => self.refuse_collapse(key, &why),
        }
        self.set_intent(key, Intent::None);
    }

    /// Never tries again to collapse a file, or any of its file system; a warning tells of that once if it was asked for.
    fn refuse_collapse(&mut self, key: Key, why: &io::Error) {
        let (Some(rotation), Some(file)) = (&mut self.rotation, self.files.file(key)) else { return };
        file.room.never_collapse = true;
        let path = file.path.display();
        let is_of_device = [Errno::OPNOTSUPP, Errno::NOSYS].map(|errno| Some(errno.raw_os_error()));
        if !is_of_device.contains(&why.raw_os_error()) {
            return tracing::info!(file = %path, "cannot collapse {path}: {why}; the hole stays");
        }
        rotation.uncollapsible.push(file.follower.id().dev);
        let reason = "its file system cannot take holes out of files; they stay, as with SIDETAIL_ROTATE_METHOD=punch";
        if rotation.policy.method == Method::Collapse {
            tracing::warn!(file = %path, "cannot collapse {path}: {reason}");
        } else {
            tracing::info!(file = %path, "cannot collapse {path}: {reason}");
        }
    }

    /// Asks for everything to be given back that was streamed, of every file.
    pub fn rotate_all(&mut self, buffer: &mut Buffer) {
        if self.rotation.is_none() {
            tracing::warn!("nothing is rotated: SIGHUP asks for it, but SIDETAIL_ROTATE_SIZE is off; set it");
        }
        for key in self.files.keys(|file| !file.is_detached) {
            self.rotate_now(key, buffer);
        }
    }

    fn rotate_now(&mut self, key: Key, buffer: &mut Buffer) {
        let is_archived = self.is_being_archived(key);
        if let Some(file) = self.files.file(key) {
            file.room.is_due_again = is_archived || file.room.is_under_way();
            (file.room.is_due, file.room.retry, file.room.rotated) = (true, None, Some(Instant::now()));
        }
        if self.is_open(key, buffer) {
            self.consider(key, buffer);
        }
    }

    /// What the safety tick does for rotation: files whose time has come.
    pub(crate) fn tick_rotation(&mut self, now: Instant, buffer: &mut Buffer) {
        let Some(rotation) = &mut self.rotation else { return };
        if self.known.is_some() && !self.checkpoint.is_kept() && !rotation.is_without_state_told {
            rotation.is_without_state_told = true;
            tracing::warn!("{WITHOUT_STATE}");
        }
        let interval = rotation.policy.interval;
        self.look_at_budget(now);
        self.look_at_apparent_sizes(now, buffer);
        self.signal_if_due();
        self.tidy_renamed();
        self.delete_old_archives(now);
        self.pass_over_unsure(buffer);
        self.flush_wanted();
        // A file may have been given room since its last line, by its file system, or be quiet since it became too large.
        for key in self.files.keys(|file| !file.is_detached && file.room.saved > 0) {
            if let Some(file) = self.files.file(key) {
                file.room.look_at = 0;
                file.room.rotated.get_or_insert(now);
            }
            self.consider(key, buffer);
        }
        let Some(interval) = interval else { return };
        let is_time = |file: &Followed| file.room.rotated.is_some_and(|since| now.duration_since(since) >= interval);
        for key in self.files.keys(|file| !file.is_detached && is_time(file)) {
            self.rotate_now(key, buffer);
        }
    }

    /// Forgets what was known of a file's room: it was truncated or replaced in place.
    pub fn begin_room_anew(&mut self, key: Key) {
        self.give_archive_of_up(key);
        if let Some(file) = self.files.file(key) {
            file.room.begin_anew();
        }
    }

    /// Tells, once, that a file cannot be rotated, and lets some time pass before it is tried again.
    pub(crate) fn refuse_rotation(&mut self, key: Key, why: &io::Error) {
        self.totals.rotation_failures += 1;
        if let Some(file) = self.files.file(key) {
            file.room.retry = Some(Instant::now() + RETRY_AFTER);
            file.room.is_due = false;
        }
        self.tell_refusal(key, why);
    }

    /// Tells once what could not be done for a file; it is rotated all the same.
    pub(crate) fn tell_refusal(&mut self, key: Key, why: &io::Error) {
        let (Some(rotation), Some(file)) = (&mut self.rotation, self.files.file(key)) else { return };
        file.room.lacks_space =
            [Errno::NOSPC, Errno::DQUOT].map(Errno::raw_os_error).contains(&why.raw_os_error().unwrap_or(0));
        let id = file.follower.id();
        let is_of_device = [Errno::ROFS, Errno::OPNOTSUPP, Errno::INVAL, Errno::NOSYS].map(Errno::raw_os_error);
        let errno = why.raw_os_error().unwrap_or(0);
        // One without a number is known by what it says.
        let code =
            if errno == 0 { Digest::of(why.to_string().as_bytes()).hash } else { u64::from(errno.unsigned_abs()) };
        let about = (id.dev, if is_of_device.contains(&errno) { 0 } else { id.ino }, code);
        if rotation.told.len() < REFUSALS_MAX && !rotation.told.contains(&about) {
            rotation.told.push(about);
            let opened = file.follower.file().ok();
            let stat = opened.and_then(|opened| Stat::of(opened).ok());
            // If it may be written, it is the directory that refuses.
            let is_directory = opened.is_some_and(|opened| space::open_for_writing(opened).is_ok());
            let stat =
                if is_directory { file.path.parent().and_then(|path| Stat::of_directory(path).ok()) } else { stat };
            let reason = reason(why, stat, is_directory);
            tracing::warn!(file = %file.path.display(), "cannot give back what was streamed of {}: {reason}", file.path.display());
        }
    }

    /// Returns how far a file is streamed, and what it takes of the disk, in one line; `None` if it is not followed any more.
    #[must_use]
    pub fn status(&mut self, key: Key) -> Option<String> {
        let archives = self.archives_of(key).and_then(|archives| archives.list()).map_or(0, |archives| archives.len());
        let policy = self.rotation.as_ref().map(|rotation| rotation.policy.method);
        let file = self.files.file(key)?;
        let stat = file.follower.file().and_then(Stat::of).ok();
        let (size, allocated) = stat.map_or((0, 0), |stat| (stat.size, stat.allocated_bytes));
        let offset = if is_unsure(file) { file.room.saved } else { file.follower.offset() };
        let method = match policy {
            None => "not rotated",
            Some(Method::Auto | Method::Collapse) if file.room.has_collapsed => Method::Collapse.name(),
            Some(Method::Auto | Method::Collapse) => Method::Punch.name(),
            Some(method) => method.name(),
        };
        Some(format!(
            "status of {}: {offset} bytes streamed, {} unread, {allocated} on disk, {} given back, {archives} archives, {method}",
            file.path.display(),
            size.saturating_sub(offset),
            file.room.given_back,
        ))
    }
}

/// Says whether what was last done or told then is to be done or told again.
pub(super) fn is_time(last: Option<Instant>, every: Duration, now: Instant) -> bool {
    last.is_none_or(|last| now.duration_since(last) >= every)
}

/// Says whether the checkpoint may not say all that was read of a file.
pub(super) fn is_unsure(file: &Followed) -> bool {
    file.held.contains(&true) || file.is_ahead
}

/// Looks at the room of a file that was streamed up to where the checkpoint says.
pub(super) fn look_at_room(file: &mut Followed) -> io::Result<Stat> {
    let opened = file.follower.file()?;
    let stat = Stat::of(opened)?;
    if file.room.kept.is_none() {
        file.room.kept = Some(hole_end(opened, 0)?.unwrap_or(0).min(file.room.saved));
    }
    Ok(stat)
}

/// Returns why a file, or its directory, cannot be rotated, and the way out.
#[must_use]
pub fn reason(why: &io::Error, stat: Option<Stat>, is_directory: bool) -> String {
    match (why.raw_os_error().map(Errno::from_raw_os_error), stat) {
        (Some(Errno::ROFS), _) => "its volume is read-only; mount it writable, or leave SIDETAIL_ROTATE_SIZE off".into(),
        (Some(Errno::ACCESS), Some(stat)) => {
            let (it, wanted) = if is_directory { ("its directory", 0o030) } else { ("it", 0o020) };
            format!(
                "{it} {} and may not write; {}, or run sidetail as the application's user",
                belongs(&stat),
                let_group(&stat, wanted, "write")
            )
        }
        (Some(Errno::PERM), _) if is_directory => {
            "an archive in its directory belongs to somebody else, and only its owner may rename or delete it there; take the \
             directory's sticky bit away with chmod -t, or the archive"
                .into()
        }
        (Some(Errno::PERM), _) => {
            "it may only be appended to; take the attribute away with chattr -a, or leave SIDETAIL_ROTATE_SIZE off".into()
        }
        (Some(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS), _) => {
            "its file system cannot punch holes; put the logs on an emptyDir, or set SIDETAIL_ROTATE_METHOD to rename if the \
             application reopens them, to copytruncate if some lines may be lost"
                .into()
        }
        _ => format!("{why}; it is tried again"),
    }
}
