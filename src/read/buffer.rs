//! The one read buffer, which serves all files.

use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

/// How much is read at a time: what one write can put into a pipe (pipe(7): 64 KiB).
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// How many bytes before the offset are compared at each read; log lines differ within less.
pub(crate) const MARKER_BYTES: usize = 128;

/// How many bytes at the beginning of a file identify it.
pub(crate) const HEAD_BYTES: u64 = 512;

/// The one read buffer: the marker, then what follows it.
#[derive(Debug)]
pub struct Buffer {
    pub(super) bytes: Box<[u8]>,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { bytes: vec![0; MARKER_BYTES + READ_BYTES].into_boxed_slice() }
    }
}

impl Buffer {
    /// Returns the bytes of a range that a look at a file gave, until the next look.
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    /// Reads up to the buffer's end, and returns the number of bytes read.
    pub(super) fn fill(&mut self, file: &OwnedFd, bytes_max: usize, offset: u64) -> io::Result<usize> {
        read_at(file, &mut self.bytes[..bytes_max], offset)
    }
}

/// Reads up to the length of `bytes`; fewer only at the end of the file.
pub(super) fn read_at(file: &OwnedFd, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match rustix::io::pread(file, &mut *bytes, offset) {
            Err(Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}
