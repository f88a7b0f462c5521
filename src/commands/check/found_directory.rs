//! A directory with logs: its volume, and what that lets us do, tried on a file without a name.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, StatVfsMountFlags};
use rustix::io::Errno;

use crate::disk::lock;
use crate::disk::policy::Method;
use crate::disk::space;
use crate::paths::beneath::Stat;
use crate::paths::open_directory::OpenDirectory;
use crate::report::refusal::Refusal;

/// The kinds of file systems by their magic numbers, statfs(2); ext4 is also what mounts ext2 and ext3.
const KINDS: [(u64, &str); 11] = [
    (0xef53, "ext4"),
    (0x5846_5342, "xfs"),
    (0x0102_1994, "tmpfs"),
    (0x794c_7630, "overlay"),
    (0x9123_683e, "btrfs"),
    (0x2fc1_2fc1, "zfs"),
    (0x6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0x6573_5546, "fuse"),
    (0x0102_1997, "9p"),
    (0x8584_58f6, "ramfs"),
];

/// The name of the test file on file systems that cannot open one without a name; it is unlinked before any test.
const PROBE: &str = ".sidetail-check.tmp";

/// A directory and its volume. Sizes are bytes.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub path: PathBuf,
    /// The kind of its file system, or its magic number.
    pub file_system: String,
    /// Of the volume; 0 if it has no bounds.
    pub size: u64,
    pub available: u64,
    /// Whether files have birth times.
    pub birth_times: bool,
    /// The methods of rotation that work here.
    pub methods: Vec<&'static str>,
    /// Why it was not tried what the file system can do.
    pub not_tried: Option<String>,
    /// Whether a sidetail rotates its files now.
    pub rotated_now: bool,
    pub stat: Option<Stat>,
    /// Why nothing can be made in it.
    pub unwritable: Option<Refusal>,
    /// Why the file system cannot punch.
    pub unpunchable: Option<Refusal>,
    pub collapses: bool,
}

impl Directory {
    /// Looks at an open directory.
    pub(super) fn look(path: &Path, opened: &OpenDirectory, state: Option<&OpenDirectory>) -> io::Result<Self> {
        let descriptor = opened.descriptor();
        let stat = Stat::of(descriptor)?;
        let volume = rustix::fs::fstatvfs(descriptor)?;
        let kind = rustix::fs::fstatfs(descriptor)?.f_type as u64 & 0xffff_ffff;
        let name = KINDS.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| (*name).to_owned());
        let may_write = opened.may_write();
        let mut directory = Self {
            path: path.to_owned(),
            file_system: name.unwrap_or_else(|| format!("{kind:#x}")),
            size: volume.f_blocks * volume.f_frsize,
            available: volume.f_bavail * volume.f_frsize,
            birth_times: stat.id.btime != 0,
            rotated_now: state.is_some_and(|state| lock::is_rotated(stat.id, state)),
            stat: Some(stat),
            unwritable: may_write.err().map(|why| Refusal::from(why).explained(Some(stat), true)),
            ..Self::default()
        };
        directory.try_methods(opened);
        if directory.unwritable.is_none() {
            directory.methods.push(Method::Rename.name());
        }
        if !volume.f_flag.contains(StatVfsMountFlags::RDONLY) {
            directory.methods.push(Method::CopyTruncate.name());
        }
        Ok(directory)
    }

    /// Tries to punch and to collapse.
    fn try_methods(&mut self, opened: &OpenDirectory) {
        let file = match probe(opened) {
            Ok(file) => file,
            Err(why) => return self.not_tried = Some(why.to_string()),
        };
        let block_bytes = self.stat.map_or(4096, |stat| stat.block_bytes);
        // A hole will do, so this works on a full disk too.
        let lengthened = rustix::fs::ftruncate(&file, 4 * block_bytes).map_err(io::Error::from);
        match lengthened.and_then(|()| space::punch(&file, 0, block_bytes)) {
            Ok(()) => self.methods.push(Method::Punch.name()),
            Err(why) => return self.unpunchable = Some(Refusal::from(why).explained(None, false)),
        }
        self.collapses = space::collapse(&file, block_bytes).is_ok();
        if self.collapses {
            self.methods.push(Method::Collapse.name());
        }
    }

    /// Returns whether files of other users cannot be renamed here though the directory is writable.
    pub(super) fn is_sticky_for(&self, file: &Stat) -> bool {
        let own = rustix::process::geteuid();
        let of_others = |stat: &Stat| !own.is_root() && stat.uid != own.as_raw();
        self.stat.is_some_and(|stat| stat.mode & 0o1000 != 0 && of_others(&stat) && of_others(file))
    }
}

/// Opens a file in a directory that is gone when it is closed, whatever happens.
///
/// # Errors
/// Those of open(2): the directory may not be written, the volume is read-only or full.
fn probe(directory: &OpenDirectory) -> io::Result<OwnedFd> {
    match directory.create_nameless(OFlags::RDWR, Mode::RUSR | Mode::WUSR) {
        // open(2): so kernels and file systems that know no O_TMPFILE answer.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => named_probe(directory),
        other => Ok(other?),
    }
}

/// The same by a name, which is there for the moment between two calls.
fn named_probe(directory: &OpenDirectory) -> io::Result<OwnedFd> {
    let name = OsStr::new(PROBE);
    let file = directory.create_new(name, OFlags::RDWR, Mode::RUSR | Mode::WUSR)?;
    directory.delete(name)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_tried_leaves_nothing_by_either_way() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let opened = OpenDirectory::new(fs::File::open(dir.path()).expect("a directory").into());
        for open in [probe, named_probe] {
            let file = open(&opened).expect("a file");
            assert_eq!(Stat::of(&file).expect("open").links, 0);
            assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0);
        }
        // Somebody else's is left alone.
        fs::write(dir.path().join(PROBE), "theirs").expect("written");
        assert!(named_probe(&opened).is_err());
        assert_eq!(fs::read_to_string(dir.path().join(PROBE)).expect("there"), "theirs");
    }
}
