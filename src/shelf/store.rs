//! The checkpoint's file: a header, then a slot for each followed file.
//!
//! A slot is rewritten in place by one `pwrite`, which needs no space on a full disk, and lies within one page, so that SIGKILL
//! cannot tear it. A slot that does not fit its checksum is left out.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::entry::{Known, Slot};
use super::slot::{SLOT_BYTES, SlotContents, blank};
use super::state_directory::{NotOurs, is_our_file};
use crate::disk::lock::unlock;
use crate::paths::beneath::Stat;
use crate::paths::discover::is_missing;
use crate::paths::open_directory::OpenDirectory;

/// How many slots the disk space is reserved for at one time: 64 KiB.
const SLOTS_RESERVED: u64 = 64;

/// The header's text; another version's header starts otherwise.
pub(super) const HEADER: &str = "sidetail checkpoint 2: a checksum and a JSON object per file, 1024 bytes each\n";

/// The header and the slots of version 1, which had no waypoints.
const VERSION_1: Layout =
    Layout { header: "sidetail checkpoint 1: a checksum and a JSON object a file, 512 bytes each\n", slot_bytes: 512 };

const VERSION_2: Layout = Layout { header: HEADER, slot_bytes: SLOT_BYTES };

/// How many other checkpoints are looked at, at most, the newest first.
const OTHERS_MAX: usize = 16;

/// How a version lays its file out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    header: &'static str,
    slot_bytes: usize,
}

impl Layout {
    /// Returns the layout of a file; `None` if it is empty, damaged, or of another version.
    fn of(file: &OwnedFd) -> io::Result<Option<Self>> {
        let mut start = [0; 128];
        let read = rustix::io::pread(file, &mut start, 0)?;
        Ok([VERSION_2, VERSION_1].into_iter().find(|one| start[..read].starts_with(one.header.as_bytes())))
    }

    /// Returns what is in a slot; `None` behind the last one.
    fn read(self, file: &OwnedFd, slot: Slot) -> io::Result<Option<Contents>> {
        let mut line = vec![0; self.slot_bytes];
        let read = rustix::io::pread(file, &mut line, u64::from(slot) * self.slot_bytes as u64)?;
        if read == 0 {
            return Ok(None);
        }
        let line = &line[..read];
        let parse = if self == VERSION_1 { SlotContents::parse_version_1 } else { SlotContents::parse };
        Ok(Some(match parse(line) {
            Some(contents) => Contents::File(Box::new(contents)),
            None if line.iter().all(|byte| matches!(byte, b' ' | b'\n' | 0)) => Contents::Nothing,
            None => Contents::Damaged,
        }))
    }
}

/// What is in a slot.
enum Contents {
    File(Box<SlotContents<'static>>),
    Nothing,
    Damaged,
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
        Self { why, known: Box::new(Known { is_first_start: is_ours, ..Known::default() }) }
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
        let is_new = !made.as_ref().is_err_and(|why| why.kind() == io::ErrorKind::AlreadyExists);
        let mut file = if is_new { made? } else { directory.open(name, OFlags::RDWR)?.0 };
        let is_ours = is_our_file(&Stat::of(&file)?);
        if !is_ours {
            tracing::warn!(
                file = %path.display(),
                "cannot believe the checkpoint {}: {NotOurs}; a new one is begun, what is still in the files is streamed again",
                path.display()
            );
            directory.delete(name)?;
            file = directory.create_new(name, OFlags::RDWR, MODE)?;
        }
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        if Stat::of(&file)?.links == 0 {
            // Another process has put a new one in its place since it was opened, and works with that.
            return Err(Errno::WOULDBLOCK.into());
        }
        let mut store = Self { path, file, free: Vec::new(), next: 1, failing: None };
        let known = store.load(&directory, name, is_new)?;
        // An application that puts something in its place must not have lines passed over by `START=end`.
        let is_first_start = known.is_first_start && is_ours;
        Ok((store, Known { is_first_start, ..known }))
    }

    /// Returns what the file of this name holds, without locking or changing anything: its process may be running. What is damaged,
    /// or just being written, is left out.
    ///
    /// # Errors
    /// Those of open(2) and read(2); `NotFound` if it is of no known version, or not ours alone.
    pub(super) fn peek(directory: &OpenDirectory, name: &str) -> io::Result<Known> {
        let (file, stat) = directory.open(OsStr::new(name), OFlags::RDONLY)?;
        let layout = Layout::of(&file)?.filter(|_| is_our_file(&stat)).ok_or(io::ErrorKind::NotFound)?;
        let (mut known, mut slot) = (Known::default(), 1);
        while let Some(mut contents) = layout.read(&file, slot)? {
            if matches!(contents, Contents::Damaged) {
                contents = layout.read(&file, slot)?.unwrap_or(Contents::Nothing);
            }
            if let Contents::File(contents) = contents {
                contents.add_to(&mut known, Some(slot));
            }
            slot += 1;
        }
        Ok(known)
    }

    /// Returns the file.
    pub(super) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Returns whether the file is still the one that is `there` at its path; if nobody can tell, it is.
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
            Some(VERSION_2) => {
                let (known, damaged) = self.read_slots()?;
                self.report_damaged(damaged);
                Ok(Known { last_written: stat.mtime, ..known })
            }
            Some(earlier) => {
                let mut known = Known { last_written: stat.mtime, ..Known::default() };
                match self.convert(at, name, earlier, &mut known) {
                    Ok(()) => Ok(known),
                    Err(why) => Err(NotOpened { why, known: Box::new(known) }),
                }
            }
            None if stat.size == 0 => {
                if !is_new {
                    tracing::warn!(
                        file = %self.path.display(),
                        "the checkpoint {} is empty: somebody has emptied it; everything still in the files is streamed again",
                        self.path.display()
                    );
                }
                self.begin()?;
                Ok(known_to_others(at, name))
            }
            None => {
                tracing::warn!(
                    file = %self.path.display(),
                    "cannot read the checkpoint {}: it is damaged or of another version; starting a new one, so \
                     everything still in the files is streamed again",
                    self.path.display()
                );
                self.begin()?;
                Ok(Known::default())
            }
        }
    }

    /// Reads all slots, and returns what they hold and how many of them are damaged.
    fn read_slots(&mut self) -> io::Result<(Known, u32)> {
        let (mut known, mut damaged) = (Known::default(), 0);
        while let Some(contents) = VERSION_2.read(&self.file, self.next)? {
            match contents {
                Contents::File(contents) => contents.add_to(&mut known, Some(self.next)),
                Contents::Nothing => self.free.push(self.next),
                Contents::Damaged => {
                    damaged += 1;
                    self.free.push(self.next);
                }
            }
            self.next += 1;
        }
        Ok((known, damaged))
    }

    /// Writes what a file of an earlier version holds to a new one, which takes its place when it is whole and on the disk: a
    /// kill in between leaves the earlier one. What it holds is known even if that fails.
    fn convert(&mut self, at: &OpenDirectory, name: &OsStr, earlier: Layout, known: &mut Known) -> io::Result<()> {
        let (mut files, mut damaged, mut slot) = (Vec::new(), 0, 1);
        while let Some(contents) = earlier.read(&self.file, slot)? {
            match contents {
                Contents::File(contents) => {
                    files.push(SlotContents::clone(&contents));
                    // In the order in which they are written.
                    contents.add_to(known, Slot::try_from(files.len()).ok());
                }
                Contents::Nothing => {}
                Contents::Damaged => damaged += 1,
            }
            slot += 1;
        }
        self.report_damaged(damaged);
        let draft = OsString::from_vec([name.as_bytes(), b".tmp"].concat());
        at.delete(&draft)?;
        let new = at.create_new(&draft, OFlags::RDWR, MODE)?;
        // Locked until the new one has its place.
        let _earlier = std::mem::replace(&mut self.file, new);
        rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive)?;
        self.begin()?;
        for contents in files {
            let slot = self.free_slot();
            if !self.write(slot, &contents.line()) {
                return Err(Errno::NOSPC.into());
            }
        }
        rustix::fs::fsync(&self.file)?;
        Ok(at.replace(&draft, name)?)
    }

    fn report_damaged(&self, damaged: u32) {
        if damaged > 0 {
            tracing::warn!(
                file = %self.path.display(),
                "cannot read {damaged} entries of the checkpoint {}: they are damaged; streaming their files again \
                 from the beginning",
                self.path.display()
            );
        }
    }

    fn begin(&self) -> io::Result<()> {
        rustix::fs::ftruncate(&self.file, 0)?;
        let mut header = blank();
        header[..HEADER.len()].copy_from_slice(HEADER.as_bytes());
        self.reserve(0);
        if rustix::io::pwrite(&self.file, &header, 0)? != header.len() {
            return Err(Errno::NOSPC.into());
        }
        Ok(())
    }

    /// Returns a slot that nothing is in.
    pub(super) fn free_slot(&mut self) -> Slot {
        self.free.pop().unwrap_or_else(|| {
            if u64::from(self.next) % SLOTS_RESERVED == 0 {
                self.reserve(self.next);
            }
            self.next += 1;
            self.next - 1
        })
    }

    /// Empties a slot, so that another file can have it.
    pub(super) fn free(&mut self, slot: Slot) {
        // If it cannot be written, that is reported there.
        let _ = self.write(slot, &blank());
        self.free.push(slot);
    }

    /// Reserves disk space, so that the slots can be written when the disk is full. A file system that cannot reserve, or
    /// a disk that is full already, shows when a slot is written.
    fn reserve(&self, from: Slot) {
        let bytes = SLOTS_RESERVED * SLOT_BYTES as u64;
        let _ = rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, slot_offset(from), bytes);
    }

    /// Writes a slot, and returns whether that succeeded; logs when it begins to fail, and when it works again.
    pub(super) fn write(&mut self, slot: Slot, line: &[u8; SLOT_BYTES]) -> bool {
        let written = match rustix::io::pwrite(&self.file, line, slot_offset(slot)) {
            Ok(SLOT_BYTES) => Ok(()),
            Ok(_) => Err(io::Error::from(Errno::NOSPC)),
            Err(why) => Err(io::Error::from(why)),
        };
        let is_written = written.is_ok();
        match written {
            // On a full disk slots that have their block are written still: only this one tells that there is space again.
            Ok(()) if self.failing == Some(slot) => {
                self.failing = None;
                let path = self.path.display();
                tracing::warn!(file = %path, "the checkpoint {path} can be written again");
            }
            Err(why) if self.failing.is_none() => {
                self.failing = Some(slot);
                tracing::warn!(
                    file = %self.path.display(),
                    "cannot write the checkpoint {}: {why}; still streaming, but a restart would repeat everything \
                     streamed from now on; free some space",
                    self.path.display()
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
    let mut known = Known { is_first_start: true, ..Known::default() };
    let Ok(names) = directory.names() else { return known };
    let is_hexadecimal = |one: &OsStr| one.as_bytes().iter().all(u8::is_ascii_hexdigit);
    let is_other = |one: &OsStr| one.len() == name.len() && one != name && is_hexadecimal(one);
    let names = names.map(|(name, ..)| name).filter(|one| is_other(one));
    let mut others: Vec<_> = names.filter_map(|name| opened(directory, &name)).collect();
    others.sort_by_key(|(written, ..)| *written);
    let newest = others.len().saturating_sub(OTHERS_MAX);
    for (_, file, layout) in others.drain(newest..) {
        // The newest comes last. What cannot be read is of no help, and no harm.
        let mut slot = 1;
        while let Ok(Some(contents)) = layout.read(&file, slot) {
            if let Contents::File(contents) = contents {
                contents.add_to(&mut known, None);
            }
            slot += 1;
        }
        unlock(&file);
    }
    known
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
