//! Reclaiming disk: what was streamed of a file need not stay on its volume.
//!
//! This is what is asked for ([`Policy`]), and what is known of one file's room ([`Room`]); the rest of the room `disk` does what
//! the kernel offers and decides nothing. When a file is rotated `reclaim` decides.
//!
//! Invariant: a byte is reclaimed only when it is on the pipe, and the checkpoint that says so is on the disk.

use std::time::{Duration, Instant};

use super::writers::SignalTo;

/// No smaller `ROTATE_SIZE` is accepted, in bytes: 16 blocks of 4 KiB, of which one stays.
pub(crate) const SIZE_MIN: u64 = 64 << 10;

/// Less is not reclaimed at one time, in bytes, unless `ROTATE_SIZE` is smaller: each time costs a flush of the checkpoint.
const STEP_MIN: u64 = 1 << 20;

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

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// `ROTATE_SIZE`, in bytes; at least [`SIZE_MIN`].
    pub size: Option<u64>,
    /// `ROTATE_INTERVAL`.
    pub(crate) interval: Option<Duration>,
    /// `ROTATE_METHOD`.
    pub(crate) method: Method,
    /// `ROTATE_KEEP`: archives a file.
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
    /// Says whether anything is ever reclaimed.
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

/// What is known of the room that one file takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room {
    /// Up to where it is reclaimed when that is durable.
    pub(crate) wanted: Option<u64>,
    /// From which offset on its size is looked at again.
    pub(crate) look_at: u64,
    /// Up to where what was streamed is counted by the budget.
    pub(crate) counted: u64,
    /// Whether everything that was streamed is to be reclaimed, whatever the file's size: it is time, or somebody asked.
    pub(crate) is_due: bool,
    /// Whether somebody asked for that while a part was being reclaimed already.
    pub(crate) is_due_again: bool,
    /// Whether what was streamed of it was archived so that it can be truncated now.
    pub(crate) is_to_be_truncated: bool,
    /// How much was reclaimed, in bytes.
    pub(crate) reclaimed: u64,
    /// When it was last rotated, or first seen.
    pub(crate) rotated: Option<Instant>,
    /// When it is tried again after the file or its file system refused.
    pub(crate) retry: Option<Instant>,
    /// Whether it was only an archive for which there was no space.
    pub(crate) lacks_space: bool,
    /// What a kill within an archive's or a collapse's last steps must not leave half done.
    pub intent: Intent,
    /// Whether its file system, or its writer, cannot bear a collapse.
    pub(crate) never_collapse: bool,
    /// When it was last found that its writers are not known to append.
    pub(crate) not_appended: Option<Instant>,
    /// Whether it was collapsed.
    pub(crate) has_collapsed: bool,
    /// Whether it was truncated because it had become very long: if it is so again, its writer does not append.
    pub(crate) was_truncated_long: bool,
    /// Since when it is known to be very long.
    pub(crate) long_since: Option<Instant>,
    /// When it was last told that it is very long.
    pub(crate) told_of_end: Option<Instant>,
}

impl Room {
    /// Returns the room of a file of which an earlier process had an intent.
    #[must_use]
    pub(crate) fn known(intent: Intent) -> Self {
        Self { intent, ..Self::default() }
    }

    /// Says whether a part of it is about to be reclaimed.
    #[must_use]
    pub(crate) fn is_under_way(&self) -> bool {
        self.intent != Intent::None || self.wanted.is_some()
    }

    /// Forgets everything but when the file was rotated: it holds something else now.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self {
            rotated: self.rotated,
            reclaimed: self.reclaimed,
            never_collapse: self.never_collapse,
            was_truncated_long: self.was_truncated_long,
            told_of_end: self.told_of_end,
            ..Self::default()
        };
    }

    /// Moves everything to where it is since so many bytes were collapsed away.
    pub(crate) fn collapsed(&mut self, bytes: u64) {
        for offset in [&mut self.look_at, &mut self.counted] {
            *offset = offset.saturating_sub(bytes);
        }
        self.has_collapsed = true;
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
