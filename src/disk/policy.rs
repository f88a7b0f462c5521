//! Reclaiming disk: streamed data need not stay on its volume.
//!
//! This is what the user asks for ([`Policy`]), and what the checkpoint keeps about the next step ([`Intent`]); the rest of the
//! room `disk` does what the kernel offers and decides nothing. When a file is rotated `reclaim` decides.
//!
//! Invariant: a byte is reclaimed only when it is on the pipe, and the checkpoint that says so is on the disk.

use std::time::Duration;

use super::writers::SignalTo;

/// The smallest `ROTATE_SIZE`, in bytes: 16 blocks of 4 KiB, one of which stays.
pub(crate) const SIZE_MIN: u64 = 64 << 10;

/// Less is not reclaimed at one time, in bytes, unless `ROTATE_SIZE` is smaller: each time costs a flush of the checkpoint.
const STEP_MIN: u64 = 1 << 20;

/// Why nothing is reclaimed on request, and the way out.
pub(crate) const IS_OFF: &str = "SIDETAIL_ROTATE_SIZE is off, and so are SIDETAIL_ROTATE_INTERVAL and SIDETAIL_DIR_BUDGET; \
                                 set one of them, such as SIDETAIL_ROTATE_SIZE=8Mi";

/// How disk is reclaimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Method {
    /// The best that loses nothing here: `punch`, and with archives `collapse` where the writer is known to append.
    #[default]
    Auto,
    /// A hole in the place of what was streamed; the file's size stays.
    Punch,
    /// The same, and then the hole is taken out, so that the file becomes shorter; only if its writer appends.
    Collapse,
    /// The file gets another name, and is read until it is quiet; its writer must reopen the path.
    Rename,
    /// The file is truncated when all of it is streamed. LOSS: what is written between the last look and the truncation.
    CopyTruncate,
}

impl Method {
    /// The names in the configuration.
    pub(crate) const NAMES: [(&str, Self); 5] = [
        ("auto", Self::Auto),
        ("punch", Self::Punch),
        ("collapse", Self::Collapse),
        ("rename", Self::Rename),
        ("copytruncate", Self::CopyTruncate),
    ];

    /// Returns the name in the configuration.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
    }
}

/// How much the followed directories may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Budget {
    /// As much as there is.
    #[default]
    Off,
    /// 80 % of the volume, if it is a file system of its own.
    Auto,
    /// This many bytes of allocated blocks.
    Bytes(u64),
}

/// What is requested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// `ROTATE_SIZE`, in bytes; at least [`SIZE_MIN`].
    pub size: Option<u64>,
    /// `ROTATE_INTERVAL`.
    pub(crate) interval: Option<Duration>,
    /// `ROTATE_METHOD`.
    pub(crate) method: Method,
    /// `ROTATE_KEEP`: archives per file.
    pub(crate) keep: u32,
    /// `ROTATE_COMPRESS`.
    pub(crate) compress: bool,
    /// `ROTATE_MAX_AGE`.
    pub(crate) max_age: Option<Duration>,
    /// `ROTATE_SIGNAL`.
    pub(crate) signal: Option<SignalTo>,
    /// `DIR_BUDGET`.
    pub budget: Budget,
}

impl Policy {
    /// Returns whether disk is reclaimed at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.size.is_some() || self.interval.is_some() || self.budget != Budget::Off
    }

    /// Returns how much is reclaimed at one time, at least, in bytes: a quarter of `ROTATE_SIZE` or 1 MiB, whichever is more,
    /// but not more than `ROTATE_SIZE`.
    #[must_use]
    pub(crate) fn step_bytes(&self) -> u64 {
        self.size.map_or(STEP_MIN, |size| (size / 4).max(STEP_MIN.min(size)))
    }
}

/// What is about to be done to a file, as the checkpoint keeps it: after a kill it is known how far that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Intent {
    /// Nothing.
    #[default]
    None,
    /// This many bytes, all of them in a hole, are collapsed away. They are gone if the file does not begin with such a hole.
    Collapse(u64),
    /// What is before this offset is in an archive that is complete, and is reclaimed when that has its name.
    Archive {
        /// The offset.
        end: u64,
        /// Which file the archive is, by [`FileId::sum`](crate::paths::beneath::FileId::sum).
        id: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_quarter_or_a_mebibyte_but_no_more_than_the_size() {
        for (size, step) in [(64 << 10, 64 << 10), (1 << 20, 1 << 20), (2 << 20, 1 << 20), (8 << 20, 2 << 20)] {
            let policy = Policy { size: Some(size), ..Policy::default() };
            assert_eq!(policy.step_bytes(), step, "{size}");
        }
    }
}
