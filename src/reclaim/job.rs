//! An archive in the making: what it is copied from, how far, and what has to happen before it can be relied on.
//!
//! It knows its own steps and nothing of the log's room. A draft is copied up to a line's end, made durable, named, and made
//! durable under its name; who calls notes in between what a kill must not leave half done.

use std::io;
use std::mem;
use std::os::fd::OwnedFd;

use crate::disk::archive::{Archive, Archives};
use crate::disk::draft::Draft;
use crate::disk::flush::Flush;
use crate::disk::names::Series;
use crate::disk::space;
use crate::paths::beneath::{FileId, Stat};
use crate::read::holes::data_from;
use crate::report::refusal::Refusal;
use crate::shelf::lineage::Key;

/// How much is copied in one step, in bytes: compressing it takes a millisecond or two.
const STEP_BYTES: usize = 64 * 1024;

/// How far before its limit a line's end is looked for, in bytes; a longer line is cut.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// An archive in the making.
#[derive(Debug)]
pub(super) struct Archiving {
    key: Key,
    source: OwnedFd,
    archives: Archives,
    /// Up to where it was copied.
    at: u64,
    /// Up to where it is copied: a line's end.
    end: u64,
    goal: Goal,
    stage: Stage,
    buffer: Box<[u8]>,
}

/// What it is for.
#[derive(Debug)]
enum Goal {
    /// What it holds is reclaimed by the log.
    Reclaim,
    /// It takes the place of this one, which is not compressed.
    Replace(Archive),
}

/// How far it is.
#[derive(Debug)]
enum Stage {
    Copying(Draft),
    /// The draft is whole, and waits to be flushed.
    Whole(OwnedFd),
    /// It is being flushed.
    Flushing(FileId),
    /// It is durable, and waits until the checkpoint can say so.
    Durable(FileId),
    /// It has its name, and its directory waits to be flushed.
    Named,
    /// The directory is being flushed.
    Settling,
}

/// What came of a flush.
#[derive(Debug)]
pub(super) enum Flushed {
    /// It was of something else.
    Nothing,
    /// The draft is durable: it may be named when the checkpoint says what it holds.
    Draft,
    /// The name is durable: what it holds may be reclaimed.
    Name,
    /// The compressed copy is durable, and took the place of what is not compressed, if it could.
    Replaced(Result<(), Refusal>),
}

impl Archiving {
    /// Begins to archive what a log, open as `log`, holds from `kept` up to the last line's end before `limit`; `None` if no
    /// line ends there.
    pub(super) fn of_log(
        key: Key,
        log: &OwnedFd,
        archives: Archives,
        (kept, limit): (u64, u64),
        archive_bytes_max: u64,
    ) -> Result<Option<Self>, Refusal> {
        // What can never be reclaimed need not be archived, again and again.
        space::open_for_writing(log)?;
        let Some(end) = line_end(log, kept, limit, archive_bytes_max)? else { return Ok(None) };
        let stage = Stage::Copying(archives.begin(Stat::of(log)?)?);
        let (source, buffer) = (log.try_clone()?, vec![0; STEP_BYTES].into_boxed_slice());
        Ok(Some(Self { key, source, archives, at: kept, end, goal: Goal::Reclaim, stage, buffer }))
    }

    /// Begins to compress an archive that is not compressed.
    pub(super) fn of_archive(key: Key, archive: &Archive, archives: Archives) -> Result<Self, Refusal> {
        let (source, stat) = archives.open(archive)?;
        let (goal, stage) = (Goal::Replace(archive.clone()), Stage::Copying(archives.begin(stat)?));
        let buffer = vec![0; STEP_BYTES].into_boxed_slice();
        Ok(Self { key, source, archives, at: 0, end: stat.size, goal, stage, buffer })
    }

    /// Returns the file that it is an archive of.
    pub(super) fn key(&self) -> Key {
        self.key
    }

    /// Returns up to where it holds the log.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Returns whether there is a step to take without waiting for anything.
    pub(super) fn is_copying(&self) -> bool {
        matches!(self.stage, Stage::Copying(_))
    }

    /// Returns which file the draft is, if it is durable and waits for its name.
    pub(super) fn durable_draft(&self) -> Option<FileId> {
        if let Stage::Durable(id) = self.stage { Some(id) } else { None }
    }

    /// Returns which file the compressed copy is that is about to take the place of an archive, and which names it will have.
    pub(super) fn replacement(&self) -> Option<(FileId, Series)> {
        match (&self.goal, &self.stage) {
            (Goal::Replace(archive), Stage::Flushing(id)) => Some((*id, archive.series)),
            _ => None,
        }
    }

    /// Returns whether it has its name: what it holds is in the archives, and will be reclaimed.
    pub(super) fn is_named(&self) -> bool {
        matches!(self.stage, Stage::Named | Stage::Settling)
    }

    /// Returns whether something is to be flushed before it can go on.
    pub(super) fn waits_for_flush(&self) -> bool {
        matches!(self.stage, Stage::Whole(_) | Stage::Named)
    }

    /// Returns what is to be flushed before it can go on, and counts it as under way.
    pub(super) fn flush(&mut self) -> io::Result<Option<Flush>> {
        let flush = match &self.stage {
            Stage::Whole(draft) => (Flush::Whole(draft.try_clone()?), Stage::Flushing(Stat::of(draft)?.id)),
            Stage::Named => (Flush::Whole(self.archives.directory().descriptor().try_clone()?), Stage::Settling),
            Stage::Copying(_) | Stage::Flushing(_) | Stage::Durable(_) | Stage::Settling => return Ok(None),
        };
        self.stage = flush.1;
        Ok(Some(flush.0))
    }

    /// Goes on when a flush is over.
    pub(super) fn flushed(&mut self) -> Flushed {
        match (&self.goal, &self.stage) {
            (Goal::Replace(archive), Stage::Flushing(_)) => Flushed::Replaced(self.archives.replace(archive)),
            (Goal::Reclaim, Stage::Flushing(id)) => {
                self.stage = Stage::Durable(*id);
                Flushed::Draft
            }
            (_, Stage::Settling) => Flushed::Name,
            (_, Stage::Copying(_) | Stage::Whole(_) | Stage::Durable(_) | Stage::Named) => Flushed::Nothing,
        }
    }

    /// Gives the draft its name.
    pub(super) fn install(&mut self) -> Result<(), Refusal> {
        self.archives.install()?;
        self.stage = Stage::Named;
        Ok(())
    }

    /// Deletes the archives beyond this many, but none that `is_read`.
    pub(super) fn delete_beyond(&self, keep: u32, is_read: impl Fn(FileId) -> bool) -> Result<(), Refusal> {
        self.archives.delete_beyond(keep, is_read)
    }

    /// Deletes the draft.
    pub(super) fn discard(self) -> Result<(), Refusal> {
        self.archives.discard_draft()
    }

    /// Copies a bounded part.
    pub(super) fn copy(&mut self) -> io::Result<()> {
        let Stage::Copying(draft) = &mut self.stage else { return Ok(()) };
        // A hole holds nothing that anybody wrote.
        let data = data_from(&self.source, self.at)?;
        if data.is_none() && Stat::of(&self.source)?.size < self.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at = data.unwrap_or(self.end).clamp(self.at, self.end);
        let bytes = usize::try_from(self.end - self.at).unwrap_or(STEP_BYTES).min(STEP_BYTES);
        let read = rustix::io::pread(&self.source, &mut self.buffer[..bytes], self.at)?;
        if read == 0 && bytes > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        draft.add(&self.buffer[..read])?;
        self.at += read as u64;
        if self.at == self.end
            && let Stage::Copying(draft) = mem::replace(&mut self.stage, Stage::Named)
        {
            self.stage = Stage::Whole(draft.finish()?);
        }
        Ok(())
    }
}

/// Returns the end of the last line before `limit`, but behind `kept`; `limit` itself if no line ends for a long way before it,
/// or within a whole archive.
fn line_end(file: &OwnedFd, kept: u64, limit: u64, archive_bytes_max: u64) -> io::Result<Option<u64>> {
    let mut bytes = vec![0; STEP_BYTES];
    let mut before = limit;
    while before > kept && limit - before < LINE_BYTES_MAX {
        let start = before.saturating_sub(STEP_BYTES as u64).max(kept);
        let length = usize::try_from(before - start).unwrap_or(STEP_BYTES);
        let read = rustix::io::pread(file, &mut bytes[..length], start)?;
        if let Some(newline) = memchr::memrchr(b'\n', &bytes[..read]) {
            return Ok(Some(start + newline as u64 + 1));
        }
        before = start;
    }
    Ok(Some(limit).filter(|_| before > kept || limit - kept >= archive_bytes_max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn an_archive_ends_at_the_end_of_a_line() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(b"one\ntwo\nthree").expect("written");
        let file = OwnedFd::from(file);
        for (kept, limit, end) in [(0, 13, Some(8)), (0, 8, Some(8)), (0, 7, Some(4)), (4, 7, None), (0, 3, None)] {
            assert_eq!(line_end(&file, kept, limit, 100).expect("read"), end, "from {kept} to {limit}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&vec![b'x'; 3 << 20]).expect("written");
        let file = OwnedFd::from(file);
        assert_eq!(line_end(&file, 0, 2 << 20, u64::MAX).expect("read"), Some(2 << 20));
    }
}
