//! What is known of sleeping files where no checkpoint is on a disk: 88 bytes for each, in memory.
//!
//! Ends of earlier reads are not kept: a copy of such a file is known by its head and its marker alone.

use std::borrow::Cow;

use super::entry::Unknown;
use super::slot::{SlotContents, Ways};

/// How many there are at most: 1.4 MiB. They, and the files that are followed, are all that can be told from new ones.
pub(crate) const RECORDS_MAX: usize = 16_384;

/// How many bytes one takes.
pub(crate) const RECORD_BYTES: usize = size_of::<Record>();

/// What is kept of one file.
#[derive(Debug, Clone, Copy, Default)]
struct Record {
    dev: u64,
    ino: u64,
    btime: i64,
    at: u64,
    since: i64,
    offset: u64,
    kept: u64,
    marker: u64,
    head: u64,
    was: u64,
    head_bytes: u16,
    was_bytes: u16,
    marker_bytes: u8,
    line: u8,
    record: u8,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Records {
    all: Vec<Record>,
    free: Vec<u32>,
}

impl Records {
    /// Keeps what is in a slot, if there is room and nothing is about to be done to its file; returns its number.
    pub(super) fn add(&mut self, contents: &SlotContents<'_>) -> Option<u32> {
        let SlotContents { at, since, dev, ino, btime, offset, marker, head, line, record, kept, was, intent, .. } =
            contents;
        if *intent != (0, 0, 0) || !contents.unknown.is_empty() {
            return None;
        }
        let kept = Record {
            dev: *dev,
            ino: *ino,
            btime: *btime,
            at: *at,
            since: *since,
            offset: *offset,
            kept: *kept,
            marker: marker.1,
            head: head.1,
            was: was.1,
            head_bytes: u16::try_from(head.0).ok()?,
            was_bytes: u16::try_from(was.0).ok()?,
            marker_bytes: u8::try_from(marker.0).ok()?,
            line: *line,
            record: *record,
        };
        if let Some(number) = self.free.pop() {
            *self.all.get_mut(number as usize)? = kept;
            return Some(number);
        }
        let number = u32::try_from(self.all.len()).ok().filter(|number| (*number as usize) < RECORDS_MAX)?;
        self.all.push(kept);
        Some(number)
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.free.push(number);
    }

    pub(super) fn contents(&self, number: u32) -> Option<SlotContents<'static>> {
        let kept = self.all.get(number as usize)?;
        Some(SlotContents {
            path: Cow::Borrowed(""),
            at: kept.at,
            since: kept.since,
            dev: kept.dev,
            ino: kept.ino,
            btime: kept.btime,
            offset: kept.offset,
            marker: (kept.marker_bytes.into(), kept.marker),
            head: (kept.head_bytes.into(), kept.head),
            line: kept.line,
            record: kept.record,
            kept: kept.kept,
            was: (kept.was_bytes.into(), kept.was),
            intent: (0, 0, 0),
            ways: Ways::default(),
            unknown: Cow::Owned(Unknown::new()),
        })
    }
}
