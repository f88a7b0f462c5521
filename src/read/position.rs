//! How far a file was read, and what it is known by: checksums of its first bytes, and of those before the offset.

use std::io;
use std::os::fd::OwnedFd;

use super::buffer::{HEAD_BYTES, read_at};

/// Returns the digest of a file's first bytes, at most [`HEAD_BYTES`], and none from `offset` on.
///
/// # Errors
/// Those of pread(2).
pub fn head_of(file: &OwnedFd, offset: u64) -> io::Result<Digest> {
    let mut head = [0; HEAD_BYTES as usize];
    let read = read_at(file, &mut head[..usize::try_from(offset.min(HEAD_BYTES)).unwrap_or(0)], 0)?;
    Ok(Digest::of(&head[..read]))
}

/// A checksum of some bytes, and how many they are: FNV-1a of 64 bits, the same in every version, so that it can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// How many bytes.
    pub bytes: u64,
    /// Their hash.
    pub hash: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self { bytes: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Digest {
    /// Returns the digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut digest = Self::default();
        digest.add(bytes);
        digest
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.bytes += bytes.len() as u64;
    }
}

/// How far a file has been read, and how to know it again: what the checkpoint keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The first byte that was not taken.
    pub offset: u64,
    /// The bytes before it, at most [`MARKER_BYTES`](super::buffer::MARKER_BYTES).
    pub marker: Digest,
    /// The file's first bytes that were taken, at most [`HEAD_BYTES`].
    pub head: Digest,
    /// The same before a part of them was reclaimed, if it was: a copy may have been made before.
    pub head_before: Digest,
}
