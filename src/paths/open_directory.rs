//! An open directory, and everything that is done by name in it: through no link, never waiting for a FIFO, and to nothing
//! that is elsewhere, because a name has no slash.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::beneath::{Root, Stat, regular};

/// How a file of ours, or of an application's, is opened: never through a link, never waiting, and never a terminal of ours.
const FLAGS: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// An open directory.
#[derive(Debug)]
pub(crate) struct OpenDirectory(OwnedFd);

impl OpenDirectory {
    /// Takes a directory that is open for reading.
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Opens the directory at `rel` (empty: the root itself) beneath a root, reached through no link.
    ///
    /// # Errors
    /// As [`Root::open_dir`], and `ELOOP`.
    pub(crate) fn beneath(root: &Root, rel: &Path) -> io::Result<Self> {
        Ok(Self(root.open_itself(rel, OFlags::RDONLY | OFlags::DIRECTORY)?))
    }

    /// The same of the directory that the path `rel` is in.
    ///
    /// # Errors
    /// As [`OpenDirectory::beneath`].
    pub(crate) fn parent_beneath(root: &Root, rel: &Path) -> io::Result<Self> {
        Self::beneath(root, rel.parent().unwrap_or(Path::new("")))
    }

    /// Returns the descriptor, to flush it, or to ask it for its volume.
    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.0
    }

    /// Opens the directory of this name.
    ///
    /// # Errors
    /// Those of openat(2): `ELOOP` or `ENOTDIR` for a link.
    pub(crate) fn directory(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self(self.at(name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?))
    }

    /// Makes a directory of this name, if there is nothing of that name.
    ///
    /// # Errors
    /// Those of mkdirat(2), but `EEXIST`.
    pub(crate) fn make_directory(&self, name: &OsStr, mode: Mode) -> io::Result<()> {
        match rustix::fs::mkdirat(&self.0, name, mode) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }

    /// Returns what is there of this name; of a symbolic link the link itself.
    ///
    /// # Errors
    /// Those of statx(2).
    pub(crate) fn stat(&self, name: &OsStr) -> io::Result<Stat> {
        Stat::at(&self.0, name)
    }

    /// Returns the names that there are, and what each is as far as the file system reports it: its kind, and its inode number.
    ///
    /// # Errors
    /// Those of getdents(2), when it begins to list; what cannot be listed later is left out.
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = (OsString, FileType, u64)> + use<>> {
        // Opened anew: its own descriptor may be one that cannot be listed, and lists once only.
        let listed = self.at(OsStr::new("."), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        let entries = Dir::new(listed)?.filter_map(Result::ok);
        let named = entries
            .map(|entry| (OsStr::from_bytes(entry.file_name().to_bytes()).to_owned(), entry.file_type(), entry.ino()));
        Ok(named.filter(|(name, ..)| name != "." && name != ".."))
    }

    /// Returns what is in it, of links the links themselves.
    ///
    /// # Errors
    /// As [`OpenDirectory::names`].
    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = (OsString, Stat)> + use<'_>> {
        Ok(self.names()?.filter_map(|(name, ..)| self.stat(&name).ok().map(|stat| (name, stat))))
    }

    /// Opens the regular file of this name.
    ///
    /// # Errors
    /// Those of openat(2): `ELOOP` for a link; `InvalidInput` if it is not a regular file.
    pub(crate) fn open(&self, name: &OsStr, access: OFlags) -> io::Result<(OwnedFd, Stat)> {
        let file = self.at(name, access, Mode::empty())?;
        let stat = regular(Stat::of(&file)?)?;
        Ok((file, stat))
    }

    /// The same, and makes it if there is nothing of that name.
    ///
    /// # Errors
    /// As [`OpenDirectory::open`].
    pub(crate) fn open_or_create(&self, name: &OsStr, access: OFlags, mode: Mode) -> io::Result<(OwnedFd, Stat)> {
        let file = self.at(name, access | OFlags::CREATE, mode)?;
        let stat = regular(Stat::of(&file)?)?;
        Ok((file, stat))
    }

    /// Makes a file of a name that nothing has.
    ///
    /// # Errors
    /// Those of openat(2): `EEXIST`.
    pub(crate) fn create_new(&self, name: &OsStr, access: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        Ok(self.at(name, access | OFlags::CREATE | OFlags::EXCL, mode)?)
    }

    /// Makes a file that has no name, and is gone when it is closed.
    ///
    /// # Errors
    /// Those of openat(2); `EOPNOTSUPP`, `EISDIR`, `EINVAL` or `ENOENT` where that is not known.
    pub(crate) fn create_nameless(&self, access: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        rustix::fs::openat(&self.0, ".", access | OFlags::TMPFILE | OFlags::CLOEXEC, mode)
    }

    /// Returns whether names can be made and deleted here.
    ///
    /// # Errors
    /// Those of faccessat(2): `EACCES`, `EROFS`.
    pub(crate) fn may_write(&self) -> Result<(), Errno> {
        rustix::fs::accessat(&self.0, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty())
    }

    /// Gives what has one name another one, which nothing has.
    ///
    /// # Errors
    /// Those of renameat2(2): `EEXIST`.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        rustix::fs::renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE)
    }

    /// The same, in the place of what has that name.
    ///
    /// # Errors
    /// Those of renameat(2).
    pub(crate) fn replace(&self, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        rustix::fs::renameat(&self.0, from, &self.0, to)
    }

    /// Deletes a name that is no directory's; one that is gone already is no error.
    ///
    /// # Errors
    /// Those of unlinkat(2).
    pub(crate) fn delete(&self, name: &OsStr) -> Result<(), Errno> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(why) => Err(why),
        }
    }

    fn at(&self, name: &OsStr, access: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        rustix::fs::openat(&self.0, name, access | FLAGS, mode)
    }
}
