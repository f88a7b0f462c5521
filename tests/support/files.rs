//! What an application does to its log files.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::bounded::run;

/// A binary is copied in a moment.
const COPY_DEADLINE: Duration = Duration::from_secs(60);

/// A directory of the test's own, removed at its end.
///
/// It is one level below the temporary directory: sidetail watches which names there are above what it follows, and in the
/// temporary directory others make and delete theirs all the time.
pub struct Directory {
    // Removed in this order.
    itself: tempfile::TempDir,
    _above: tempfile::TempDir,
}

impl Deref for Directory {
    type Target = tempfile::TempDir;

    fn deref(&self) -> &Self::Target {
        &self.itself
    }
}

/// Makes a directory.
pub fn directory() -> Directory {
    directory_at(&std::env::temp_dir())
}

/// The same on a volume of which at least a seventh is free: of one that is nearly full `check` warns.
pub fn directory_with_space() -> Directory {
    let has_space = |at: &&Path| rustix::fs::statvfs(*at).is_ok_and(|volume| volume.f_bavail > volume.f_blocks / 7);
    let candidates = [&*std::env::temp_dir(), Path::new("/var/tmp"), Path::new("/dev/shm")];
    let at = candidates.into_iter().find(has_space).expect("a volume that is not full");
    directory_at(at)
}

fn directory_at(at: &Path) -> Directory {
    let above = tempfile::tempdir_in(at).expect("a temporary directory");
    let itself = tempfile::tempdir_in(above.path()).expect("a directory in it");
    Directory { itself, _above: above }
}

/// Copies a program that will be run: by a process of its own. What we had open for writing, a child that another test starts
/// just now would still have open until it runs its program, and such a file cannot be run ("Text file busy").
pub fn copy_program(from: &Path, to: &Path) {
    run(Command::new("cp").arg(from).arg(to), COPY_DEADLINE).expect("copied");
}

/// Writes a script that will be run, in the same way.
pub fn write_script(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    append(&draft, text);
    std::fs::set_permissions(&draft, Permissions::from_mode(0o755)).expect("ours");
    copy_program(&draft, path);
    std::fs::remove_file(draft).expect("it is there");
}

/// Opens for appending, writes, closes: `echo >>`.
pub fn append(path: &Path, bytes: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("a writable file");
    file.write_all(bytes.as_ref()).expect("written");
}
