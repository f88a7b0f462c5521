//! NULs that are not yet lines: a file that was made longer before anything is written to it, as preallocated and memory-mapped
//! logs are. Their writers fill them from the front.
//!
//! NULs at the end of a file are waited at like an unfinished line, whether they are a hole or were written. Once another byte
//! follows, they are as any other bytes.

use std::io;
use std::os::fd::OwnedFd;

use super::buffer::{READ_BYTES, read_at};
use super::holes::data_from;
use crate::paths::beneath::Stat;

/// How many bytes are compared at one time.
const CHUNK_BYTES: usize = 64;

/// Fewer at the end are bytes as any others: the end of a newline in UTF-16 or UTF-32.
const NULS_MIN: usize = 4;

/// What is known of the NULs in a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nuls {
    /// Up to here there are only NULs behind the unfinished line.
    to: u64,
    /// Up to here something is known to follow.
    followed_to: u64,
}

impl Nuls {
    /// Returns up to where there are NULs behind `end`.
    pub(super) fn end_behind(self, end: u64) -> u64 {
        self.to.max(end)
    }

    /// Returns how many NULs, that nothing is known to follow, are at the end of `rest`, the end of a block that was read at
    /// `offset` and has `bytes` bytes.
    pub(super) fn at_end_of(&mut self, rest: &[u8], offset: u64, bytes: usize) -> usize {
        let end = offset + bytes as u64;
        if rest.last() != Some(&0) {
            if bytes < READ_BYTES {
                // What was behind here was written, or cut off.
                self.to = 0;
            }
            return 0;
        }
        if end <= self.followed_to {
            return 0;
        }
        let nuls = rest.iter().rev().take_while(|byte| **byte == 0).count();
        if nuls < NULS_MIN && bytes < READ_BYTES { 0 } else { nuls }
    }

    /// Looks behind NULs that are known up to `from`: one read. Says whether nothing follows them.
    ///
    /// # Errors
    /// Those of lseek(2), statx(2) and pread(2).
    pub(super) fn look_behind(&mut self, file: &OwnedFd, from: u64, buffer: &mut [u8]) -> io::Result<bool> {
        let size = Stat::of(file)?.size;
        self.to = self.to.clamp(from, size.max(from));
        let Some(data) = data_from(file, self.to)? else {
            self.to = size.max(from);
            return Ok(true);
        };
        let read = read_at(file, &mut buffer[..READ_BYTES], data)?;
        match first_other(&buffer[..read]) {
            Some(other) => {
                self.followed_to = data + other as u64;
                self.to = 0;
                Ok(false)
            }
            None => {
                self.to = data + read as u64;
                Ok(read < READ_BYTES)
            }
        }
    }
}

/// Returns where the first byte is that is no NUL.
fn first_other(block: &[u8]) -> Option<usize> {
    let is_other = |chunk: &[u8]| chunk.iter().fold(0, |all, byte| all | byte) != 0;
    let chunk = block.chunks(CHUNK_BYTES).position(is_other)? * CHUNK_BYTES;
    block[chunk..].iter().position(|byte| *byte != 0).map(|at| chunk + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_is_no_nul_is_found_wherever_it_is() {
        for at in [0, 1, 63, 64, 65, 199] {
            let mut block = [0; 200];
            block[at] = b'x';
            assert_eq!(first_other(&block), Some(at));
        }
        assert_eq!((first_other(&[0; 200]), first_other(&[])), (None, None));
    }
}
