//! The checkpoint's file: a header, then a slot for each followed file.
//!
//! A slot is rewritten in place by one `pwrite`, which needs no space on a full disk, and lies within one page, so that SIGKILL
//! cannot tear it. A slot that does not fit its checksum is left out.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::entry::Slot;
use super::known::Known;
use super::layout::{HEADER, InSlot, Layout, SLOTS_MAX, looked_at, note_looked_at};
use super::slot::{SLOT_BYTES, blank};
use super::state_directory::{NotOurs, is_our_file};
use crate::disk::lock::unlock;
use crate::paths::beneath::Stat;
use crate::paths::discover::is_missing;
use crate::paths::open_directory::OpenDirectory;

/// How many slots the disk space is reserved for at one time: 64 KiB.
const SLOTS_RESERVED: u64 = 64;

/// How many other checkpoints are looked at, at most, the newest first.
const OTHERS_MAX: usize = 16;

/// What becomes of a checkpoint of no use.
const BEGUN_ANEW: &str = "; starting a new one, so everything still in the files is streamed again";

/// Returns whether a disk, or what a user may have of it, is full.
pub(super) fn is_full(why: &io::Error) -> bool {
    matches!(Errno::from_io_error(why), Some(Errno::NOSPC | Errno::DQUOT))
}

/// Why the file cannot be used, and what is known in spite of that: an earlier version could be read, and not be converted.
#[derive(Debug)]
pub(super) struct NotOpened {
    pub(super) why: io::Error,
    pub(super) known: Box<Known>,
}

impl<E: Into<io::Error>> From<E> for NotOpened {
    fn from(why: E) -> Self {
        let why = why.into();
        // Who could have put something there could have taken away what was there before, too.
        let is_ours = !why.get_ref().is_some_and(|why| why.is::<NotOurs>());
        Self { why, known: Box::new(if is_ours { Known::first_start() } else { Known::default() }) }
    }
}

/// What is wrong with the file of a checkpoint, so that what it knew is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Others could have written to it.
    NotOurs,
    /// Its header is of no version that is known.
    Unreadable,
    /// So many of its entries.
    Damaged(u32),
}

impl Flaw {
    /// Returns what cannot be read, and why.
    pub(super) fn of(self, path: &Path) -> String {
        let shown = path.display();
        match self {
            Self::NotOurs => format!("the checkpoint {shown}: {NotOurs}"),
            Self::Unreadable => format!("the checkpoint {shown}: it is damaged or of another version"),
            Self::Damaged(1) => format!("1 entry of the checkpoint {shown}: it is damaged"),
            Self::Damaged(entries) => format!("{entries} entries of the checkpoint {shown}: they are damaged"),
        }
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    file: OwnedFd,
    free: Vec<Slot>,
    next: Slot,
    /// The first slot that could not be written, until it can.
    failing: Option<Slot>,
    /// Whether anything was written since it was noted until when everything was looked at.
    is_written: bool,
}

impl Store {
    /// Opens or creates the file of this name in a directory, and locks it. One that is not ours alone is not read, and another
    /// takes its place.
    ///
    /// # Errors
    /// Those of open(2), read(2) and write(2); `WouldBlock` if another process has locked it.
    pub(super) fn open(directory: OpenDirectory, path: PathBuf, name: &str) -> Result<(Self, Known), NotOpened> {
        let name = OsStr::new(name);
        let made = directory.create_new(name, OFlags::RDWR, MODE);
        let mut is_new = !made.as_ref().is_err_and(|why| why.kind() == io::ErrorKind::AlreadyExists);
        let mut file = if is_new { made? } else { directory.open(name, OFlags::RDWR)?.0 };
        let is_ours = is_our_file(&Stat::of(&file)?);
        if !is_ours {
            tracing::warn!(file = %path.display(), "cannot use {}{BEGUN_ANEW}", Flaw::NotOurs.of(&path));
            directory.delete(name)?;
            (file, is_new) = (directory.create_new(name, OFlags::RDWR, MODE)?, true);
        }
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        if Stat::of(&file)?.links == 0 {
            // Another process has put a new one in its place since it was opened, and works with that.
            return Err(Errno::WOULDBLOCK.into());
        }
        let mut store = Self { path, file, free: Vec::new(), next: 1, failing: None, is_written: false };
        let mut known = store.load(&directory, name, is_new)?;
        // An application that puts something in its place must not have lines passed over by `START=end`.
        let is_first_start = known.is_first_start && is_ours;
        known.is_first_start = is_first_start;
        Ok((store, known))
    }

    /// Returns what the file of this name holds, without locking or changing anything: its process may be running. What is damaged,
    /// or just being written, is left out.
    ///
    /// # Errors
    /// Those of open(2) and read(2).
    pub(super) fn peek(directory: &OpenDirectory, name: &str) -> io::Result<(Known, Option<Flaw>)> {
        let (file, stat) = directory.open(OsStr::new(name), OFlags::RDONLY)?;
        let mut known = Known::default();
        if !is_our_file(&stat) {
            return Ok((known, Some(Flaw::NotOurs)));
        }
        let Some(layout) = Layout::of(&file)? else {
            // One that is empty is just being made.
            return Ok((known, Some(Flaw::Unreadable).filter(|_| stat.size > 0)));
        };
        if layout != Layout::CURRENT {
            add_elsewhere(&mut known, &file, layout, SLOTS_MAX);
            return Ok((known, None));
        }
        let mut damaged = 0;
        for slot in 1..=layout.slots(&file)?.0 {
            let mut contents = layout.read(&file, slot)?;
            if matches!(contents, Some(InSlot::Damaged)) {
                contents = layout.read(&file, slot)?;
            }
            match contents {
                Some(InSlot::File(contents)) => known.add(slot, contents.id(), contents.at_since().0),
                Some(InSlot::Damaged) => damaged += 1,
                Some(InSlot::Nothing) | None => {}
            }
        }
        known.set_file(file);
        Ok((known, Some(Flaw::Damaged(damaged)).filter(|_| damaged > 0)))
    }

    /// Returns the file.
    pub(super) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Returns whether the file is still the one that is `there` at its path; if that is unknown, it is.
    pub(super) fn is_in_place(&self, there: io::Result<Stat>) -> bool {
        match there {
            Ok(there) => Stat::of(&self.file).map_or(true, |stat| stat.id == there.id),
            Err(why) => !is_missing(&why) && !why.get_ref().is_some_and(|why| why.is::<NotOurs>()),
        }
    }

    /// Empties the file: what is in it is of no use.
    ///
    /// # Errors
    /// Those of ftruncate(2) and pwrite(2).
    pub(super) fn empty(&mut self) -> io::Result<()> {
        self.free.clear();
        self.next = 1;
        self.begin()
    }

    fn load(&mut self, at: &OpenDirectory, name: &OsStr, is_new: bool) -> Result<Known, NotOpened> {
        let stat = Stat::of(&self.file)?;
        match Layout::of(&self.file)? {
            Some(Layout::CURRENT) => {
                let (known, damaged) = self.read_slots()?;
                self.report_damaged(damaged);
                Ok(known.last_written(stat.mtime).looked_at(looked_at(&self.file)))
            }
            Some(earlier) => {
                let mut known = Known::default().last_written(stat.mtime);
                match self.convert(at, name, earlier, &mut known) {
                    Ok(()) => Ok(known),
                    Err(why) => Err(NotOpened { why, known: Box::new(known) }),
                }
            }
            None if stat.size == 0 => {
                if !is_new {
                    let path = self.path.display();
                    tracing::warn!(file = %path, "cannot use the checkpoint {path}: it is empty{BEGUN_ANEW}");
                }
                self.begin_anew(at, name)?;
                Ok(known_to_others(at, name))
            }
            None => {
                let path = &self.path;
                tracing::warn!(file = %path.display(), "cannot read {}{BEGUN_ANEW}", Flaw::Unreadable.of(path));
                self.begin_anew(at, name)?;
                Ok(Known::default())
            }
        }
    }

    /// Reads all slots, and returns what they hold and how many of them are damaged.
    fn read_slots(&mut self) -> io::Result<(Known, u32)> {
        let (mut known, mut damaged) = (Known::default(), 0);
        let (slots, is_too_long) = Layout::CURRENT.slots(&self.file)?;
        for slot in 1..=slots {
            match Layout::CURRENT.read(&self.file, slot)? {
                Some(InSlot::File(contents)) => {
                    known.add(slot, contents.id(), contents.at_since().0);
                }
                Some(InSlot::Nothing) | None => self.free.push(slot),
                Some(InSlot::Damaged) => {
                    damaged += 1;
                    self.free.push(slot);
                }
            }
        }
        self.next = slots + 1;
        known.set_file(self.file.try_clone()?);
        if is_too_long {
            self.report_too_long();
            rustix::fs::ftruncate(&self.file, slot_offset(self.next))?;
        }
        Ok((known, damaged))
    }

    /// Writes what a file of an earlier version holds to a new one, which takes its place when it is whole and on the disk: a
    /// kill in between leaves the earlier one. What it holds is known even if that fails.
    fn convert(&mut self, at: &OpenDirectory, name: &OsStr, layout: Layout, known: &mut Known) -> io::Result<()> {
        let earlier = self.file.try_clone()?;
        let converted = self.convert_to_draft(at, name, (&earlier, layout), known);
        if converted.is_err() {
            add_elsewhere(known, &earlier, layout, SLOTS_MAX);
        }
        converted
    }

    fn convert_to_draft(
        &mut self,
        at: &OpenDirectory,
        name: &OsStr,
        (earlier, layout): (&OwnedFd, Layout),
        known: &mut Known,
    ) -> io::Result<()> {
        let draft = OsString::from_vec([name.as_bytes(), b".tmp"].concat());
        at.delete(&draft)?;
        // The earlier one is locked until the new one has its place.
        self.file = at.create_new(&draft, OFlags::RDWR, MODE)?;
        rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive)?;
        self.begin()?;
        let (slots, is_too_long) = layout.slots(earlier)?;
        let (mut damaged, mut converted) = (0, Known::default());
        for slot in 1..=slots {
            match layout.read(earlier, slot)? {
                Some(InSlot::File(contents)) => {
                    let slot = self.free_slot().ok_or(Errno::NOSPC)?;
                    if !self.write(slot, &contents.line()) {
                        return Err(Errno::NOSPC.into());
                    }
                    converted.add(slot, contents.id(), contents.at_since().0);
                }
                Some(InSlot::Nothing) | None => {}
                Some(InSlot::Damaged) => damaged += 1,
            }
        }
        self.report_damaged(damaged);
        if is_too_long {
            self.report_too_long();
        }
        note_looked_at(&self.file, known.last_written)?;
        rustix::fs::fsync(&self.file)?;
        at.replace(&draft, name)?;
        converted.set_file(self.file.try_clone()?);
        *known = converted.last_written(known.last_written);
        Ok(())
    }

    fn report_too_long(&self) {
        let path = self.path.display();
        tracing::warn!(
            file = %path,
            "cannot read all of the checkpoint {path}: it has more than {SLOTS_MAX} entries; ignoring the others, so their \
             files are streamed again from the beginning"
        );
    }

    fn report_damaged(&self, damaged: u32) {
        if damaged > 0 {
            let path = &self.path;
            tracing::warn!(
                file = %path.display(),
                "cannot read {}; streaming the files of such entries again from the beginning",
                Flaw::Damaged(damaged).of(path)
            );
        }
    }

    /// Writes the header, or leaves no file behind: an empty one would look as if somebody had emptied it.
    fn begin_anew(&self, at: &OpenDirectory, name: &OsStr) -> io::Result<()> {
        let begun = self.begin();
        if begun.is_err() {
            at.delete(name)?;
        }
        begun
    }

    fn begin(&self) -> io::Result<()> {
        rustix::fs::ftruncate(&self.file, 0)?;
        let mut header = blank();
        header[..HEADER.len()].copy_from_slice(HEADER.as_bytes());
        self.reserve(0);
        if rustix::io::pwrite(&self.file, &header, 0)? != header.len() {
            return Err(Errno::NOSPC.into());
        }
        // Not even once.
        note_looked_at(&self.file, 0)
    }

    /// Returns a slot that nothing is in, if there is any.
    pub(super) fn free_slot(&mut self) -> Option<Slot> {
        self.free.pop().or_else(|| {
            let slot = Some(self.next).filter(|next| *next <= SLOTS_MAX)?;
            if u64::from(slot) % SLOTS_RESERVED == 0 {
                self.reserve(slot);
            }
            self.next += 1;
            Some(slot)
        })
    }

    /// Empties a slot, so that another file can have it.
    pub(super) fn free(&mut self, slot: Slot) {
        // If it cannot be written, that is reported there.
        let _ = self.write(slot, &blank());
        self.free.push(slot);
    }

    /// Tries the first slot again that could not be written, if it is nobody's any more: no file would.
    pub(super) fn retry(&mut self) {
        if let Some(slot) = self.failing.filter(|slot| self.free.contains(slot)) {
            self.write(slot, &blank());
        }
    }

    /// Reserves disk space, so that the slots can be written when the disk is full. A file system that cannot reserve, or
    /// a disk that is full already, shows when a slot is written.
    fn reserve(&self, from: Slot) {
        let bytes = SLOTS_RESERVED * SLOT_BYTES as u64;
        let _ = rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, slot_offset(from), bytes);
    }

    /// Notes until when everything was looked at, unless nothing was written since that was noted last.
    pub(super) fn note_looked_at(&mut self, at: i64) {
        // Without it a restart looks at some more.
        self.is_written = self.is_written && note_looked_at(&self.file, at).is_err();
    }

    /// Writes a slot, and returns whether that succeeded; logs when it begins to fail, and when it works again.
    pub(super) fn write(&mut self, slot: Slot, line: &[u8; SLOT_BYTES]) -> bool {
        let written = match rustix::io::pwrite(&self.file, line, slot_offset(slot)) {
            Ok(SLOT_BYTES) => Ok(()),
            Ok(_) => Err(io::Error::from(Errno::NOSPC)),
            Err(why) => Err(io::Error::from(why)),
        };
        let is_written = written.is_ok();
        self.is_written |= is_written;
        match written {
            // On a full disk slots that have their block are written still: only this one tells that there is space again.
            Ok(()) if self.failing == Some(slot) => {
                self.failing = None;
                let path = self.path.display();
                tracing::warn!(file = %path, "the checkpoint {path} can be written again");
            }
            Err(why) if self.failing.is_none() => {
                self.failing = Some(slot);
                let (path, way_out) =
                    (self.path.display(), if is_full(&why) { "free some space" } else { "check its disk" });
                tracing::warn!(
                    file = %path,
                    "cannot write the checkpoint {path}: {why}; still streaming, but a restart would repeat everything \
                     streamed from now on; retrying; {way_out}"
                );
            }
            _ => {}
        }
        is_written
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        unlock(&self.file);
    }
}

/// Returns what the other checkpoints in the directory know: `PATHS` or `EXCLUDE` may have been changed, after which the file
/// is named. It still counts as a first start, and `START` holds for unknown files.
///
/// Only files of our own user count, that only we may write, and that nobody has locked: what another process that is
/// running streams is its own. Of what several know the newest is believed.
fn known_to_others(directory: &OpenDirectory, name: &OsStr) -> Known {
    let mut known = Known::first_start();
    let Ok(names) = directory.names() else { return known };
    let is_hexadecimal = |one: &OsStr| one.as_bytes().iter().all(u8::is_ascii_hexdigit);
    let is_other = |one: &OsStr| one.len() == name.len() && one != name && is_hexadecimal(one);
    let mut others = Vec::new();
    for (other, ..) in names.filter(|(one, ..)| is_other(one)) {
        others.extend(opened(directory, &other));
        if others.len() > OTHERS_MAX {
            others.sort_unstable_by_key(|(written, ..)| std::cmp::Reverse(*written));
            others.truncate(OTHERS_MAX);
        }
    }
    others.sort_unstable_by_key(|(written, ..)| std::cmp::Reverse(*written));
    let mut slots_left = SLOTS_MAX;
    for (_, file, layout) in &others {
        slots_left -= add_elsewhere(&mut known, file, *layout, slots_left);
        unlock(file);
    }
    known
}

/// Adds what is in a checkpoint that this process does not write, up to so many slots of it; returns how many there were. What
/// cannot be read is of no help, and no harm.
fn add_elsewhere(known: &mut Known, file: &OwnedFd, layout: Layout, slots_max: Slot) -> Slot {
    let slots = layout.slots(file).map_or(0, |(slots, _)| slots).min(slots_max);
    for slot in (1..=slots).rev() {
        if let Ok(Some(InSlot::File(contents))) = layout.read(file, slot) {
            known.add_elsewhere(contents.id(), contents.known(None));
        }
    }
    slots
}

/// Nobody else may read or lock a checkpoint.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Opens another checkpoint, if it is ours and nobody's at the moment; returns when it was last written, too.
fn opened(directory: &OpenDirectory, name: &OsStr) -> Option<(i64, OwnedFd, Layout)> {
    let (file, stat) = directory.open(name, OFlags::RDWR).ok().filter(|(_, stat)| is_our_file(stat))?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).ok()?;
    let layout = Layout::of(&file).ok()??;
    Some((stat.mtime, file, layout))
}

fn slot_offset(slot: Slot) -> u64 {
    u64::from(slot) * SLOT_BYTES as u64
}
