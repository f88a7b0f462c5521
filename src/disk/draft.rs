//! An archive that is being written: the writer adds as many bytes at a time as it can wait for, and they come out plain or
//! compressed. It knows nothing of names.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::mark;

/// How hard is compressed: 64 KiB of access lines full of random numbers take a millisecond and become a fifth. Level 1 takes
/// two thirds of that and they become a third to a quarter; level 6 takes twice that for a fourteenth less.
const LEVEL: u32 = 3;

/// An archive that is being written.
#[derive(Debug)]
pub(crate) enum Draft {
    /// As it is.
    Plain(File),
    /// Compressed, which takes 435 KiB of memory.
    Gzip(Box<GzEncoder<File>>),
}

impl Draft {
    /// Begins at the end of a file, which is open for writing.
    #[must_use]
    pub(crate) fn new(file: File, compress: bool) -> Self {
        if compress { Self::Gzip(Box::new(GzEncoder::new(file, Compression::new(LEVEL)))) } else { Self::Plain(file) }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// Those of write(2): the disk is full.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
        }
    }

    /// Writes what is left, marks what could be taken for a log, and returns the file, which is not flushed yet.
    ///
    /// # Errors
    /// As [`Draft::add`].
    pub(crate) fn finish(self) -> io::Result<OwnedFd> {
        match self {
            Self::Plain(file) => {
                let file = file.into();
                // Where that cannot be, its name has to tell.
                let _ = mark::set(&file);
                Ok(file)
            }
            Self::Gzip(encoder) => Ok(encoder.finish()?.into()),
        }
    }
}
