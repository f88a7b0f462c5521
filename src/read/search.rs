//! Where the marker of a file is now, if what was before it was collapsed away: a part of the file at a time, so that no other
//! file waits for a long one.

use std::io;
use std::os::fd::OwnedFd;

use super::buffer::{Buffer, MARKER_BYTES, READ_BYTES};
use super::holes::data_from;
use crate::paths::beneath::Stat;

/// How much of a file is searched before others have their turns, in bytes: some hundred microseconds.
const TURN_BYTES: u64 = 1 << 20;

/// How many reads that takes at most: between holes a read may give less.
const TURN_READS: u32 = 128;

/// A search for a marker.
#[derive(Debug)]
pub(super) struct Search {
    marker: [u8; MARKER_BYTES],
    /// Where the marker was.
    offset: u64,
    /// Up to where it was searched.
    at: u64,
    /// Up to where it is searched: the size when it began.
    end: u64,
    /// Where the marker ends, if it was found.
    found: Option<u64>,
}

/// How far a search has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Searched {
    /// There is more to be searched.
    On,
    /// The marker ends there, or is nowhere, or in more than one place.
    Done(Option<u64>),
}

impl Search {
    /// Begins a search for the marker that was before `offset`; `None` if it is too short to be known again, or the file holds
    /// more than is searched.
    pub(super) fn new(file: &OwnedFd, offset: u64, marker: &[u8], bytes_max: u64) -> io::Result<Option<Self>> {
        let Ok(marker) = <[u8; MARKER_BYTES]>::try_from(marker) else { return Ok(None) };
        let end = Stat::of(file)?.size;
        Ok((end <= bytes_max).then_some(Self { marker, offset, at: 0, end, found: None }))
    }

    /// Searches a part.
    ///
    /// The marker must be found exactly once, at a distance of whole blocks: lines that repeat themselves show nothing, and then
    /// the file counts as truncated, which repeats lines but loses none.
    ///
    /// # Errors
    /// Those of pread(2) and lseek(2).
    pub(super) fn go_on(&mut self, file: &OwnedFd, buffer: &mut Buffer) -> io::Result<Searched> {
        let finder = memchr::memmem::Finder::new(&self.marker);
        let (mut left, mut reads) = (TURN_BYTES, TURN_READS);
        while self.at < self.end {
            if left == 0 || reads == 0 {
                return Ok(Searched::On);
            }
            // What is in a hole is no line; the marker may begin before its end.
            match data_from(file, self.at)? {
                Some(data) => self.at = self.at.max(data),
                None => break,
            }
            let read = buffer.fill(file, MARKER_BYTES + READ_BYTES, self.at)?;
            let mut from = 0;
            while let Some(index) = finder.find(&buffer.bytes[from..read]) {
                let end = self.at + (from + index + self.marker.len()) as u64;
                if self.found.is_some_and(|found| found != end) {
                    return Ok(Searched::Done(None));
                }
                self.found = Some(end);
                from += index + 1;
            }
            if read < MARKER_BYTES + READ_BYTES {
                break;
            }
            self.at += READ_BYTES as u64;
            (left, reads) = (left.saturating_sub(READ_BYTES as u64), reads - 1);
        }
        let block_bytes = Stat::of(file)?.block_bytes;
        let is_collapsed = |end: &u64| *end < self.offset && (self.offset - end).is_multiple_of(block_bytes);
        Ok(Searched::Done(self.found.filter(is_collapsed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    /// Returns how many parts a search takes, and what it finds.
    fn search(file: &std::fs::File, marker: &[u8], offset: u64) -> (u32, Option<u64>) {
        let file = OwnedFd::from(file.try_clone().expect("open"));
        let mut search = Search::new(&file, offset, marker, 1 << 30).expect("statx").expect("a marker");
        for parts in 1..10_000 {
            if let Searched::Done(found) = search.go_on(&file, &mut Buffer::default()).expect("read") {
                return (parts, found);
            }
        }
        panic!("it never ends")
    }

    #[test]
    fn a_long_file_is_searched_in_parts_and_holes_are_none() {
        let marker: Vec<u8> = (0..128).map(|byte| byte | 128).collect();
        let file = tempfile::tempfile().expect("a temporary file");
        file.write_all_at(&vec![b'x'; 5 << 20], 0).expect("written");
        file.write_all_at(&marker, (4 << 20) - 128).expect("written");
        let (parts, found) = search(&file, &marker, (4 << 20) + 8192);
        assert_eq!((found, parts > 4), (Some(4 << 20), true), "{parts} parts");
        assert_eq!(search(&file, &marker, (4 << 20) + 8000).1, None, "no whole blocks");
        file.write_all_at(&marker, 1 << 20).expect("written");
        assert_eq!(search(&file, &marker, (4 << 20) + 8192).1, None, "twice");
        let sparse = tempfile::tempfile().expect("a temporary file");
        sparse.write_all_at(&marker, (1 << 30) - 128).expect("written");
        let (parts, found) = search(&sparse, &marker, 2 << 30);
        assert_eq!((parts, found), (1, Some(1 << 30)));
    }
}
