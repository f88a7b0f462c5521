//! Opening what a pattern found: beneath its fixed directory and nowhere else.
//!
//! An application shares the directory with us and may be hostile: a symbolic link of its making must not let us print a
//! service account token. So every path is resolved by the kernel beneath its root (`openat2` with `RESOLVE_BENEATH`,
//! openat2(2)), without magic links. A link that stays inside is followed, an absolute one too; what is changed, renamed or
//! deleted is reached through no link at all. What is not a regular file is never opened for reading: the kind is looked at
//! through an `O_PATH` descriptor first, so that no FIFO's writer is woken and no device is touched.
//!
//! With `directory` and `roots` this is the one door to every path that an application could have made. `clippy.toml` forbids
//! the calls that would go past it.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::cell::Cell;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;

/// Which file this is, whatever its name: device, inode, and the time of its birth, because inode numbers are reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// The device, major number in the upper 32 bits.
    pub dev: u64,
    /// The inode number.
    pub ino: u64,
    /// Nanoseconds since 1970; 0 where the file system keeps no birth time.
    pub btime: i64,
}

impl FileId {
    /// Returns a number that no other file of the same directory has, as far as one number can distinguish files.
    #[must_use]
    pub(crate) fn sum(self) -> u64 {
        self.ino ^ self.btime.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// What `statx` returns for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Which file it is.
    pub id: FileId,
    /// Regular file, directory, FIFO, ...
    pub(crate) kind: FileType,
    /// Apparent size in bytes.
    pub size: u64,
    /// How many names it has; 0 when it was deleted and is only held open.
    pub(crate) links: u32,
    /// Nanoseconds since 1970 of the last change of the contents.
    pub(crate) mtime: i64,
    /// Owner.
    pub(crate) uid: u32,
    /// Group.
    pub(crate) gid: u32,
    /// Permission bits, without the type.
    pub(crate) mode: u32,
    /// The block size in bytes: what holes are made of.
    pub(crate) block_bytes: u64,
    /// What is allocated on the volume, in bytes: what the kubelet counts.
    pub(crate) allocated_bytes: u64,
}

impl Stat {
    /// Calls `statx` on an open file.
    ///
    /// # Errors
    /// Those of statx(2).
    pub fn of(file: impl AsFd) -> io::Result<Self> {
        Self::ask(file, OsStr::new(""), AtFlags::EMPTY_PATH)
    }

    /// Calls `statx` on a name in an open directory; on a symbolic link itself.
    ///
    /// # Errors
    /// Those of statx(2).
    pub fn at(directory: impl AsFd, name: &OsStr) -> io::Result<Self> {
        Self::ask(directory, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn ask(file: impl AsFd, name: &OsStr, flags: AtFlags) -> io::Result<Self> {
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        let found = rustix::fs::statx(file, name, flags, wanted)?;
        let nanoseconds = |seconds: i64, nanos: u32| seconds.saturating_mul(1_000_000_000).saturating_add(nanos.into());
        let has_btime = found.stx_mask & StatxFlags::BTIME.bits() != 0;
        let btime = if has_btime { nanoseconds(found.stx_btime.tv_sec, found.stx_btime.tv_nsec) } else { 0 };
        Ok(Self {
            id: FileId {
                dev: u64::from(found.stx_dev_major) << 32 | u64::from(found.stx_dev_minor),
                ino: found.stx_ino,
                btime,
            },
            kind: FileType::from_raw_mode(found.stx_mode.into()),
            size: found.stx_size,
            links: found.stx_nlink,
            mtime: nanoseconds(found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec),
            uid: found.stx_uid,
            gid: found.stx_gid,
            mode: u32::from(found.stx_mode) & 0o7777,
            block_bytes: u64::from(found.stx_blksize).max(512),
            allocated_bytes: found.stx_blocks * 512,
        })
    }
}

/// Which symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Links {
    /// Those that stay inside the root, absolute ones too.
    #[default]
    Inside,
    /// All, wherever they lead.
    Any,
}

/// Which links are followed beneath a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Following {
    /// Those that the configuration allows.
    Allowed,
    /// None: neither on the way nor at its end.
    None,
}

/// A pattern's fixed directory, open; paths beneath it are relative and, unless all links are followed, cannot leave it.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    fd: Rc<OwnedFd>,
    links: Links,
    /// Whether the kernel refused openat2(2).
    is_openat2_refused: Cell<bool>,
}

impl Root {
    /// Takes a directory that is open, and the path that it was opened by.
    pub(super) fn new(path: &Path, fd: Rc<OwnedFd>, links: Links) -> Self {
        Self { path: path.to_owned(), fd, links, is_openat2_refused: Cell::new(false) }
    }

    /// Returns whether the kernel, or its seccomp profile, refused openat2(2): then no links are followed.
    #[must_use]
    pub(crate) fn is_openat2_refused(&self) -> bool {
        self.is_openat2_refused.get()
    }

    /// Returns the descriptor, an `O_PATH` one: to ask it for its volume.
    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.fd
    }

    /// Returns what is at `rel` (empty: the root itself); links that stay inside are followed.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied` (a directory on the way may not be searched), and `EXDEV` for a link that leads out.
    pub(crate) fn stat(&self, rel: &Path) -> io::Result<Stat> {
        if rel.as_os_str().is_empty() {
            // That needs no permission to search it.
            return Stat::of(&self.fd);
        }
        Stat::of(self.resolve(rel, OFlags::PATH, Following::Allowed)?)
    }

    /// Returns what is at `rel`, reached through no link: `ELOOP` if there is one on the way. A link at its end is one.
    ///
    /// # Errors
    /// As [`Root::stat`], and `ELOOP`.
    pub(crate) fn stat_itself(&self, rel: &Path) -> io::Result<Stat> {
        Stat::of(self.resolve(rel, OFlags::PATH | OFlags::NOFOLLOW, Following::None)?)
    }

    /// Returns whether there is anything at `rel`, and be it a link to nothing.
    pub(crate) fn is_there(&self, rel: &Path) -> bool {
        self.resolve(rel, OFlags::PATH | OFlags::NOFOLLOW, Following::Allowed).is_ok()
    }

    /// Returns whether there is a link at `rel`, wherever it leads.
    pub(crate) fn is_link(&self, rel: &Path) -> bool {
        let found = self.resolve(rel, OFlags::PATH | OFlags::NOFOLLOW, Following::Allowed).and_then(Stat::of);
        found.is_ok_and(|stat| stat.kind == FileType::Symlink)
    }

    /// Opens the regular file at `rel` for reading, never blocking.
    ///
    /// # Errors
    /// As [`Root::stat`]; `PermissionDenied` also when the file itself may not be read; `InvalidInput` when it is not, or no
    /// longer, a regular file.
    pub(crate) fn open_file(&self, rel: &Path) -> io::Result<(OwnedFd, Stat)> {
        regular(self.stat(rel)?)?;
        // It may be replaced between the two looks, by a FIFO for one: hence NONBLOCK, and the second check.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = self.resolve(rel, flags, Following::Allowed)?;
        let stat = regular(Stat::of(&file)?)?;
        Ok((file, stat))
    }

    /// Opens the directory at `rel` (empty: the root itself) for listing.
    ///
    /// # Errors
    /// As [`Root::stat`]; `NotADirectory` when it is something else.
    pub(crate) fn open_dir(&self, rel: &Path) -> io::Result<(Dir, Stat)> {
        let fd = self.resolve(rel, OFlags::RDONLY | OFlags::DIRECTORY, Following::Allowed)?;
        let stat = Stat::of(&fd)?;
        Ok((Dir::new(fd)?, stat))
    }

    /// Opens what is at `rel` (empty: the root itself), reached through no link.
    ///
    /// # Errors
    /// As [`Root::stat`], and `ELOOP`.
    pub(super) fn open_itself(&self, rel: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        self.resolve(rel, flags, Following::None)
    }

    fn resolve(&self, rel: &Path, flags: OFlags, following: Following) -> io::Result<OwnedFd> {
        let rel = if rel.as_os_str().is_empty() { Path::new(".") } else { rel };
        if following == Following::None {
            return open_without_links(&self.fd, rel, flags);
        }
        let flags = flags | OFlags::CLOEXEC;
        if self.links == Links::Any {
            return Ok(rustix::fs::openat(&self.fd, rel, flags, Mode::empty())?);
        }
        match open_within(&self.fd, rel, flags, ResolveFlags::NO_MAGICLINKS) {
            Err(Errno::XDEV) if !flags.contains(OFlags::NOFOLLOW) => self.resolve_absolute_link(rel, flags),
            Err(Errno::NOSYS | Errno::PERM) => {
                self.is_openat2_refused.set(true);
                open_by_walking(&self.fd, rel, flags)
            }
            other => Ok(other?),
        }
    }

    /// `RESOLVE_BENEATH` refuses every absolute link, also one that points inside. So the link is resolved by name, and
    /// what it gives is opened beneath the root again, this time without following any link: a swap in between fails.
    fn resolve_absolute_link(&self, rel: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let target = std::fs::canonicalize(self.path.join(rel))?;
        let root = std::fs::canonicalize(&self.path)?;
        let inside = target.strip_prefix(&root).map_err(|_| io::Error::from(Errno::XDEV))?;
        Ok(open_within(&self.fd, inside, flags, ResolveFlags::NO_SYMLINKS)?)
    }
}

/// Returns what an open file or directory is really called, behind all links; `None` without `/proc`.
pub(crate) fn real_path(file: &OwnedFd) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

/// Says that it is a regular file, or `InvalidInput`.
pub(super) fn regular(stat: Stat) -> io::Result<Stat> {
    if stat.kind == FileType::RegularFile { Ok(stat) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// How often a path is retried that was renamed meanwhile; whoever renames directories all the time gets no further than that.
const RENAMED_MEANWHILE_MAX: usize = 16;

/// Opens what is at `rel` beneath an open directory, which it cannot leave.
fn open_within(at: &OwnedFd, rel: &Path, flags: OFlags, links: ResolveFlags) -> Result<OwnedFd, Errno> {
    let rel = if rel.as_os_str().is_empty() { Path::new(".") } else { rel };
    let open = || rustix::fs::openat2(at, rel, flags, Mode::empty(), ResolveFlags::BENEATH | links);
    // A rename elsewhere in the tree while `..` was resolved: openat2(2) says to try again.
    let mut again = std::iter::repeat_with(open);
    again
        .by_ref()
        .take(RENAMED_MEANWHILE_MAX)
        .find(|opened| !matches!(opened, Err(Errno::AGAIN)))
        .unwrap_or(Err(Errno::AGAIN))
}

/// Opens what is at `rel` beneath an open directory, through no link.
pub(super) fn open_without_links(at: &OwnedFd, rel: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC;
    match open_within(at, rel, flags, ResolveFlags::NO_SYMLINKS) {
        Err(Errno::NOSYS | Errno::PERM) => open_by_walking(at, rel, flags),
        other => Ok(other?),
    }
}

/// Kernels before 5.6 and old seccomp profiles have no `openat2`: directory by directory then, following no link.
fn open_by_walking(at: &OwnedFd, rel: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at = at.try_clone()?;
    let mut names = rel.components().peekable();
    while let Some(name) = names.next() {
        if name == Component::ParentDir {
            return Err(Errno::XDEV.into());
        }
        let is_last = names.peek().is_none();
        at = rustix::fs::openat(
            &at,
            name.as_os_str(),
            if is_last { flags | OFlags::NOFOLLOW } else { step },
            Mode::empty(),
        )?;
        // With O_PATH the link itself would be opened instead of refused.
        let may_be_link = is_last && flags.contains(OFlags::NOFOLLOW);
        if !may_be_link && Stat::of(&at)?.kind == FileType::Symlink {
            return Err(Errno::LOOP.into());
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn tree() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let root_path = dir.path().join("logs");
        fs::create_dir_all(root_path.join("sub")).expect("directories");
        fs::write(root_path.join("sub/a.log"), "a\n").expect("a file");
        fs::write(dir.path().join("secret"), "s\n").expect("a file");
        let fd = fs::File::open(&root_path).expect("the root").into();
        let root = Root::new(&root_path, Rc::new(fd), Links::Inside);
        (dir, root)
    }

    #[test]
    fn links_are_followed_while_they_stay_inside() {
        let (dir, root) = tree();
        symlink("sub/a.log", root.path.join("relative")).expect("a link");
        symlink(root.path.join("sub/a.log"), root.path.join("absolute")).expect("a link");
        symlink("../secret", root.path.join("out")).expect("a link");
        symlink(dir.path().join("secret"), root.path.join("absolute-out")).expect("a link");
        symlink("/proc/self/environ", root.path.join("environ")).expect("a link");
        let id = root.stat(Path::new("sub/a.log")).expect("the file").id;
        for inside in ["relative", "absolute"] {
            assert_eq!(root.open_file(Path::new(inside)).expect(inside).1.id, id, "{inside}");
        }
        for outside in ["out", "absolute-out", "environ"] {
            let refused = root.open_file(Path::new(outside)).expect_err(outside);
            assert_eq!(refused.raw_os_error(), Some(Errno::XDEV.raw_os_error()), "{outside}: {refused}");
        }
        assert!(open_by_walking(&root.fd, Path::new("relative"), OFlags::RDONLY).is_err());
        assert!(open_by_walking(&root.fd, Path::new("../secret"), OFlags::RDONLY).is_err());
        let walked = open_by_walking(&root.fd, Path::new("sub/a.log"), OFlags::RDONLY).expect("no link on the way");
        assert_eq!(Stat::of(walked).expect("statx").id, id);
    }

    #[test]
    fn only_regular_files_are_opened() {
        let (_dir, root) = tree();
        let fifo = root.path.join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
        for odd in ["fifo", "sub"] {
            let refused = root.open_file(Path::new(odd)).expect_err(odd);
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{odd}");
        }
        assert_eq!(root.open_file(Path::new("gone")).expect_err("no such file").kind(), io::ErrorKind::NotFound);
    }
}
