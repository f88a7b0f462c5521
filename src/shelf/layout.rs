//! How a version of the checkpoint lays its file out: a header, then slots of one size, and no more than so many.

use std::io;
use std::os::fd::OwnedFd;

use super::entry::Slot;
use super::slot::{SLOT_BYTES, SlotContents};
use crate::paths::beneath::Stat;

/// The header's text; another version's header starts otherwise.
pub(super) const HEADER: &str = "sidetail checkpoint 2: a checksum and a JSON object per file, 1024 bytes each\n";

/// Where in the header it stands until when everything was looked at, behind the text, and what stands before the number. A header
/// of an earlier build has none.
const LOOKED_AT_OFFSET: u64 = 128;
const LOOKED_AT: &str = "looked at ";
const LOOKED_AT_BYTES: usize = LOOKED_AT.len() + 20;

/// Writes into the header until when everything was looked at, in nanoseconds since 1970.
///
/// # Errors
/// Those of pwrite(2).
pub(super) fn note_looked_at(file: &OwnedFd, at: i64) -> io::Result<()> {
    let line = format!("{LOOKED_AT}{at:<20}");
    debug_assert_eq!(line.len(), LOOKED_AT_BYTES, "a number has at most 20 characters");
    rustix::io::pwrite(file, line.as_bytes(), LOOKED_AT_OFFSET)?;
    Ok(())
}

/// Returns until when everything was looked at, if the header says so.
pub(super) fn looked_at(file: &OwnedFd) -> Option<i64> {
    let mut line = [0; LOOKED_AT_BYTES];
    let read = rustix::io::pread(file, &mut line, LOOKED_AT_OFFSET).ok()?;
    std::str::from_utf8(&line[..read]).ok()?.strip_prefix(LOOKED_AT)?.trim_end().parse().ok()
}

/// The header and the slots of version 1, which had no waypoints.
const VERSION_1: Layout =
    Layout { header: "sidetail checkpoint 1: a checksum and a JSON object a file, 512 bytes each\n", slot_bytes: 512 };

/// How many slots there are at most, 64 MiB: an application can make the file as long as it likes, and they are read at the start.
pub(crate) const SLOTS_MAX: Slot = 65_536;

/// How a version lays its file out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    header: &'static str,
    slot_bytes: usize,
}

impl Layout {
    /// That of what is written.
    pub(super) const CURRENT: Self = Self { header: HEADER, slot_bytes: SLOT_BYTES };

    /// Returns the layout of a file; `None` if it is empty, damaged, or of another version.
    pub(super) fn of(file: &OwnedFd) -> io::Result<Option<Self>> {
        let mut start = [0; 128];
        let read = rustix::io::pread(file, &mut start, 0)?;
        Ok([Self::CURRENT, VERSION_1].into_iter().find(|one| start[..read].starts_with(one.header.as_bytes())))
    }

    /// Returns how many slots a file has, the header's not counted and the last one perhaps not whole, and whether these are all
    /// that are read of very many.
    pub(super) fn slots(self, file: &OwnedFd) -> io::Result<(Slot, bool)> {
        let slots = Stat::of(file)?.size.div_ceil(self.slot_bytes as u64).saturating_sub(1);
        let read = Slot::try_from(slots).unwrap_or(Slot::MAX).min(SLOTS_MAX);
        Ok((read, slots > read.into()))
    }

    /// Returns what is in a slot; `None` behind the last one.
    pub(super) fn read(self, file: &OwnedFd, slot: Slot) -> io::Result<Option<InSlot>> {
        let mut line = [0; SLOT_BYTES];
        let line = &mut line[..self.slot_bytes];
        let read = rustix::io::pread(file, &mut *line, u64::from(slot) * self.slot_bytes as u64)?;
        if read == 0 {
            return Ok(None);
        }
        let line = &line[..read];
        let parse = if self == VERSION_1 { SlotContents::parse_version_1 } else { SlotContents::parse };
        Ok(Some(match parse(line) {
            Some(contents) => InSlot::File(Box::new(contents)),
            None if line.iter().all(|byte| matches!(byte, b' ' | b'\n' | 0)) => InSlot::Nothing,
            None => InSlot::Damaged,
        }))
    }
}

/// What is in a slot.
#[derive(Debug)]
pub(super) enum InSlot {
    File(Box<SlotContents<'static>>),
    Nothing,
    Damaged,
}

impl InSlot {
    pub(super) fn file(self) -> Option<SlotContents<'static>> {
        if let Self::File(contents) = self { Some(*contents) } else { None }
    }
}
