//! How much of a file was seen, though it was not taken, and what of that is destroyed by now: what is written and destroyed
//! between two looks nobody has seen.

use std::io;
use std::os::fd::OwnedFd;

use super::holes;
use crate::paths::beneath::Stat;

/// What was seen of a file.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Up to where it was seen to hold something; at least the offset.
    to: u64,
    /// Whether it is known to hold something else than what was read of it, before that is found out at its turn; then what was
    /// seen counts from its beginning.
    is_cut: bool,
    /// How many bytes behind the offset were seen, are in holes by now, and count as lost already.
    punched: u64,
    /// How many bytes were seen, and destroyed before they were taken, since somebody last asked.
    lost: u64,
}

impl Seen {
    /// Of a file that is read from an offset on nothing more was seen.
    pub(super) fn at(offset: u64) -> Self {
        Self { to: offset, ..Self::default() }
    }

    /// Returns whether it is known to hold something else than what was read of it, and that is still to be found out.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Returns whether a loss is noted that nobody has taken yet.
    pub(super) fn has_lost(&self) -> bool {
        self.lost > 0
    }

    /// Returns how many bytes were destroyed since this was last asked.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Returns how many bytes behind the offset were seen.
    pub(super) fn unread_bytes(&self, offset: u64) -> u64 {
        if self.is_cut { self.to } else { self.to - offset }
    }

    /// Notes that something was seen, or taken, up to here.
    pub(super) fn note(&mut self, to: u64) {
        self.to = self.to.max(to);
    }

    /// Notes that it is another file already, of which nothing was seen: what was seen behind the offset is gone. Says whether
    /// that is anything.
    pub(super) fn note_cut(&mut self, offset: u64) -> bool {
        let lost = self.to - offset;
        self.lost += lost;
        (self.is_cut, self.to, self.punched) = (true, 0, 0);
        lost > 0
    }

    /// Notes that what seemed to be another file is the one that was read.
    pub(super) fn note_same(&mut self, offset: u64) {
        if std::mem::take(&mut self.is_cut) {
            self.to = offset;
        }
    }

    /// Notes that it is read from its beginning, for it holds something else.
    pub(super) fn note_truncated(&mut self, offset: u64) {
        if !std::mem::take(&mut self.is_cut) {
            self.lost += self.to - offset;
            self.to = 0;
        }
        self.punched = 0;
    }

    /// Looks how much the file holds; says whether some of what was seen is destroyed.
    ///
    /// # Errors
    /// Those of lseek(2), statx(2) and pread(2).
    pub(super) fn look(&mut self, file: &OwnedFd, offset: u64) -> io::Result<bool> {
        let (start, lost) = (if self.is_cut { 0 } else { offset }, self.lost);
        let end = Stat::of(file)?.size.max(start);
        let punched = holes::bytes_in_holes(file, start, self.to.min(end))?;
        let further = holes::end_of_data(file, self.to.min(end))?;
        self.lost += self.to.saturating_sub(end) + punched.saturating_sub(self.punched);
        self.punched = self.punched.max(punched);
        self.to = further.unwrap_or(0).max(self.to.min(end));
        Ok(self.lost > lost)
    }

    /// Sees how far the data behind the offset go, before the file is closed: it may be gone when it is opened again.
    pub(super) fn look_last(&mut self, file: &OwnedFd, offset: u64) {
        if !self.is_cut
            && let Ok(Some(end)) = holes::end_of_data(file, offset)
        {
            self.note(end);
        }
    }

    /// Notes that the file holds nothing from `end` on.
    pub(super) fn note_end(&mut self, end: u64, offset: u64) {
        self.lost += self.to.saturating_sub(end.max(offset));
        self.to = end.max(offset);
    }

    /// Notes that the file holds something up to `end`, and perhaps more.
    pub(super) fn note_data(&mut self, file: &OwnedFd, end: u64) -> io::Result<()> {
        if self.to <= end {
            self.to = holes::end_of_data(file, end)?.unwrap_or(end);
        }
        Ok(())
    }

    /// Notes that a hole is skipped: what was seen in it was punched by somebody.
    pub(super) fn note_hole(&mut self, from: u64, to: u64) {
        let punched = self.to.min(to).saturating_sub(from);
        self.lost += punched.saturating_sub(self.punched);
        self.punched = self.punched.saturating_sub(punched);
        self.note(to);
    }

    /// Notes that so many bytes were collapsed away before the offset, which is this one now.
    pub(super) fn collapsed(&mut self, bytes: u64, offset: u64) {
        self.to = self.to.saturating_sub(bytes).max(offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn file_of(bytes: usize) -> std::fs::File {
        let file = tempfile::tempfile().expect("a temporary file");
        file.write_all_at(&vec![b'x'; bytes], 0).expect("written");
        file
    }

    /// Looks at a file of which 100 bytes are taken, and returns what is lost since the last time.
    fn look(seen: &mut Seen, file: &std::fs::File) -> u64 {
        let file = OwnedFd::from(file.try_clone().expect("open"));
        let is_lost = seen.look(&file, 100).expect("a look");
        let lost = seen.take_lost();
        assert_eq!(is_lost, lost > 0);
        lost
    }

    #[test]
    fn what_is_cut_off_behind_the_offset_is_lost_once() {
        let (file, mut seen) = (file_of(50_000), Seen::at(100));
        assert_eq!((look(&mut seen, &file), seen.unread_bytes(100)), (0, 49_900));
        file.set_len(20_000).expect("cut");
        assert_eq!((look(&mut seen, &file), seen.unread_bytes(100)), (30_000, 19_900));
        assert_eq!(look(&mut seen, &file), 0);
        seen.note_cut(100);
        assert_eq!((seen.take_lost(), seen.is_cut()), (19_900, true));
    }

    #[test]
    fn what_is_punched_behind_the_offset_is_lost_once_and_what_follows_is_not() {
        let (file, mut seen) = (file_of(50_000), Seen::at(100));
        look(&mut seen, &file);
        let flags = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
        if rustix::fs::fallocate(&file, flags, 8192, 8192).is_err() {
            return;
        }
        assert_eq!((look(&mut seen, &file), seen.unread_bytes(100)), (8192, 49_900));
        assert_eq!(look(&mut seen, &file), 0);
        seen.note_hole(8192, 16_384);
        assert_eq!((seen.take_lost(), seen.unread_bytes(16_384)), (0, 33_616));
        // One that nobody had looked at.
        seen.note_hole(20_480, 24_576);
        assert_eq!(seen.take_lost(), 4096);
    }
}
