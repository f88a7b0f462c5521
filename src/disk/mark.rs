//! The mark of an archive: an extended attribute that says what the file was when it was made. So an archive that is not compressed
//! is known by itself where a pattern matches its name, also when the list of archives is gone with the checkpoint.
//!
//! It counts only on the file that it was made for, and while that is as long and as old as then: a copy of the file, what is
//! written to it later, and another that is renamed to its name are streamed. Whoever may write to a file can forge it, and
//! then hides no more than what it need not have written.

use std::os::fd::OwnedFd;

use rustix::fs::XattrFlags;
use rustix::io::Errno;

use crate::paths::beneath::Stat;

/// Its name: whoever may write to a file may set those that begin with `user.` (xattr(7)).
const NAME: &str = "user.sidetail.archive";

/// How long a value is, at most, in bytes: four numbers.
const VALUE_BYTES_MAX: usize = 80;

/// Marks an archive that holds all that it will.
///
/// # Errors
/// `EOPNOTSUPP` where the file system has no such attributes, and those of setxattr(2).
pub(crate) fn set(file: &OwnedFd) -> Result<(), Errno> {
    let stat = Stat::of(file).map_err(|why| Errno::from_io_error(&why).unwrap_or(Errno::IO))?;
    rustix::fs::fsetxattr(file, NAME, value_of(&stat).as_bytes(), XattrFlags::empty())
}

/// Returns whether an open file is marked, and still what it was then.
#[must_use]
pub(crate) fn is_on(file: &OwnedFd, stat: &Stat) -> bool {
    let mut value = [0; VALUE_BYTES_MAX];
    let bytes = rustix::fs::fgetxattr(file, NAME, &mut value[..]).unwrap_or(0);
    value[..bytes] == *value_of(stat).as_bytes()
}

/// A device number is not part of it: a volume is mounted somewhere else.
fn value_of(stat: &Stat) -> String {
    format!("{:x} {:x} {:x} {:x}", stat.id.ino, stat.id.btime, stat.size, stat.mtime)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::Path;

    use super::*;

    fn is_marked(path: &Path) -> bool {
        let file = OwnedFd::from(File::open(path).expect("there"));
        is_on(&file, &Stat::of(&file).expect("statx"))
    }

    #[test]
    fn it_counts_only_on_the_file_that_it_was_made_for() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let [path, copy, renamed] = ["one", "copy", "renamed"].map(|name| dir.path().join(name));
        fs::write(&path, "text\n").expect("written");
        assert!(!is_marked(&path));
        if set(&File::open(&path).expect("there").into()) == Err(Errno::OPNOTSUPP) {
            assert!(std::env::var_os("CI").is_none(), "a temporary directory without such attributes");
            return eprintln!("ignored: the temporary directory is on a file system without extended attributes");
        }
        assert!(is_marked(&path));
        let copied = std::process::Command::new("cp").arg("--preserve=all").args([&path, &copy]).status();
        assert!(copied.expect("cp").success() && !is_marked(&copy));
        fs::rename(&path, &renamed).expect("renamed");
        assert!(is_marked(&renamed));
        File::options().append(true).open(&renamed).expect("there").write_all(b"x").expect("written");
        assert!(!is_marked(&renamed));
    }
}
