//! Why disk cannot be given back, as people are told: of each file, or of a device's, once.

use std::io;

use rustix::io::Errno;

use crate::paths::beneath::{FileId, Stat};
use crate::read::position::Digest;
use crate::report::finding::{Finding, Kind};
use crate::report::refusal::{belongs, let_group};

/// How many refusals are remembered, so that each is told once.
const REFUSALS_MAX: usize = 1000;

/// Returns what it means that there is no checkpoint that outlives the process.
#[must_use]
pub(crate) fn without_state() -> Finding {
    Finding::new(
        Kind::Rotation,
        "cannot give disk back: there is no checkpoint on a disk; set SIDETAIL_STATE to a directory that can be written",
    )
}

/// What was told of files that cannot be rotated: a device, a file of it or 0 for all of them, and what it was.
#[derive(Debug, Default)]
pub(super) struct Told(Vec<(u64, u64, u64)>);

impl Told {
    /// Says whether this is to be told of a file: it was not told yet, and counts as told now.
    pub(super) fn is_news(&mut self, id: FileId, why: &io::Error) -> bool {
        let is_of_device = [Errno::ROFS, Errno::OPNOTSUPP, Errno::INVAL, Errno::NOSYS].map(Errno::raw_os_error);
        let errno = why.raw_os_error().unwrap_or(0);
        // One without a number is known by what it says.
        let code =
            if errno == 0 { Digest::of(why.to_string().as_bytes()).hash } else { u64::from(errno.unsigned_abs()) };
        let about = (id.dev, if is_of_device.contains(&errno) { 0 } else { id.ino }, code);
        let is_news = self.0.len() < REFUSALS_MAX && !self.0.contains(&about);
        if is_news {
            self.0.push(about);
        }
        is_news
    }

    /// Forgets what was told of a file and of its device, which gave something back: should it be refused again, that is news.
    pub(super) fn forget(&mut self, id: FileId) {
        self.0.retain(|(dev, ino, _)| *dev != id.dev || (*ino != id.ino && *ino != 0));
    }
}

/// Says whether it is space that lacks.
pub(super) fn is_lack_of_space(why: &io::Error) -> bool {
    [Errno::NOSPC, Errno::DQUOT].map(Errno::raw_os_error).contains(&why.raw_os_error().unwrap_or(0))
}

/// Returns why a file, or its directory, cannot be rotated, and the way out.
#[must_use]
pub(crate) fn reason(why: &io::Error, stat: Option<Stat>, is_directory: bool) -> String {
    match (why.raw_os_error().map(Errno::from_raw_os_error), stat) {
        (Some(Errno::ROFS), _) => "its volume is read-only; mount it writable, or leave SIDETAIL_ROTATE_SIZE off".into(),
        (Some(Errno::ACCESS), Some(stat)) => {
            let (it, wanted) = if is_directory { ("its directory", 0o030) } else { ("it", 0o020) };
            format!(
                "{it} {} and may not write; {}, or run sidetail as the application's user",
                belongs(&stat),
                let_group(&stat, wanted, "write")
            )
        }
        (Some(Errno::PERM), _) if is_directory => {
            "an archive in its directory belongs to somebody else, and only its owner may rename or delete it there; take the \
             directory's sticky bit away with chmod -t, or the archive"
                .into()
        }
        (Some(Errno::PERM), _) => {
            "it may only be appended to; take the attribute away with chattr -a, or leave SIDETAIL_ROTATE_SIZE off".into()
        }
        (Some(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS), _) => {
            "its file system cannot punch holes; put the logs on an emptyDir, or set SIDETAIL_ROTATE_METHOD to rename if the \
             application reopens them, to copytruncate if some lines may be lost"
                .into()
        }
        _ => format!("{why}; it is tried again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_once_of_a_file_or_of_its_device() {
        let mut told = Told::default();
        let file = |ino| FileId { dev: 1, ino, btime: 0 };
        let (denied, unable) = (io::Error::from(Errno::ACCESS), io::Error::from(Errno::OPNOTSUPP));
        assert!(told.is_news(file(1), &denied) && !told.is_news(file(1), &denied), "once");
        assert!(told.is_news(file(2), &denied), "of another file");
        assert!(told.is_news(file(1), &io::Error::other("it is a link")), "another reason");
        assert!(told.is_news(file(1), &unable) && !told.is_news(file(2), &unable), "of the device");
        told.forget(file(1));
        assert!(told.is_news(file(1), &denied) && told.is_news(file(2), &unable), "again");
        assert!(!told.is_news(file(2), &denied), "what was told of others stays");
    }
}
