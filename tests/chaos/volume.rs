//! The application's hands: what it does to paths of the volume, as it could in its own container.
//!
//! Links are its means to lead others astray: it never follows one itself, so nothing outside changes by its own doing. What it
//! tries may fail, and that is no matter.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags, fstat, linkat, mkdirat, mknodat, openat2,
    renameat_with, symlinkat, unlinkat,
};

/// A directory that is shared.
#[derive(Debug)]
pub struct Volume {
    root: OwnedFd,
    pub path: PathBuf,
}

impl Volume {
    pub fn at(path: &Path) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty()).expect("a directory");
        Self { root, path: path.to_owned() }
    }

    fn open_as(&self, path: &Path, flags: OFlags) -> Option<OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        // With O_PATH nothing is opened that could block, and other flags are refused, openat2(2).
        let safe = if flags.contains(OFlags::PATH) { OFlags::empty() } else { OFlags::NONBLOCK | OFlags::NOCTTY };
        let flags = flags | safe | OFlags::CLOEXEC;
        let mode = if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(0o666) } else { Mode::empty() };
        openat2(&self.root, path, flags, mode, resolve).ok()
    }

    /// Opens a regular file of the application's own: one that has other names may be anybody's.
    pub fn open(&self, path: &Path, flags: OFlags) -> Option<File> {
        let opened = self.open_as(path, flags)?;
        let stat = fstat(&opened).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink <= 1).then(|| opened.into())
    }

    /// Opens it to be changed, and makes it if it is not there.
    pub fn change(&self, path: &Path) -> Option<File> {
        self.open(path, OFlags::RDWR | OFlags::CREATE)
    }

    /// Opens a directory.
    pub fn directory(&self, path: &Path) -> Option<OwnedFd> {
        self.open_as(path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// Opens the directory of a path, in which the last name can be given or taken.
    fn parent<'a>(&self, path: &'a Path) -> Option<(OwnedFd, &'a Path)> {
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some((self.open_as(above, OFlags::PATH | OFlags::DIRECTORY)?, Path::new(path.file_name()?)))
    }

    pub fn rename(&self, from: &Path, to: &Path, flags: RenameFlags) {
        if let (Some((from, old)), Some((to, new))) = (self.parent(from), self.parent(to)) {
            let _ = renameat_with(from, old, to, new, flags);
        }
    }

    /// Gives a file of the volume another name.
    pub fn link(&self, from: &Path, to: &Path) {
        if let (Some((from, old)), Some((to, new))) = (self.parent(from), self.parent(to)) {
            let _ = linkat(from, old, to, new, AtFlags::empty());
        }
    }

    /// Gives a file outside of it a name within: the kernel lets do so who owns it.
    pub fn link_in(&self, from: &Path, to: &Path) {
        if let Some((to, new)) = self.parent(to) {
            let _ = linkat(CWD, from, to, new, AtFlags::empty());
        }
    }

    pub fn symlink(&self, target: &Path, path: &Path) {
        if let Some((above, name)) = self.parent(path) {
            let _ = symlinkat(target, above, name);
        }
    }

    pub fn mkdir(&self, path: &Path) {
        if let Some((above, name)) = self.parent(path)
            && mkdirat(&above, name, Mode::from_raw_mode(0o777)).is_ok()
        {
            self.chmod(path, 0o777);
        }
    }

    pub fn mknod(&self, path: &Path, kind: FileType, device: rustix::fs::Dev) {
        if let Some((above, name)) = self.parent(path) {
            let _ = mknodat(above, name, kind, Mode::from_raw_mode(0o666), device);
        }
    }

    /// Changes the mode of a directory, or of a file of the application's own.
    pub fn chmod(&self, path: &Path, mode: u32) {
        let file = || self.open(path, OFlags::RDONLY).map(OwnedFd::from);
        if let Some(opened) = self.directory(path).or_else(file) {
            let _ = rustix::fs::fchmod(opened, Mode::from_raw_mode(mode));
        }
    }

    pub fn unlink(&self, path: &Path) {
        if let Some((above, name)) = self.parent(path) {
            let _ = unlinkat(above, name, AtFlags::empty());
        }
    }

    /// Removes a path, and all that is beneath it.
    pub fn remove(&self, path: &Path) {
        let Some((above, name)) = self.parent(path) else { return };
        if unlinkat(&above, name, AtFlags::empty()).is_ok() {
            return;
        }
        for entry in self.names(path) {
            self.remove(&entry);
        }
        let _ = unlinkat(&above, name, AtFlags::REMOVEDIR);
    }

    /// Returns the paths in a directory.
    pub fn names(&self, path: &Path) -> Vec<PathBuf> {
        let Some(directory) = self.directory(path) else { return Vec::new() };
        let Ok(entries) = rustix::fs::Dir::read_from(directory.as_fd()) else { return Vec::new() };
        let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_bytes().to_vec());
        let names = names.filter(|name| name != b"." && name != b"..");
        names.map(|name| path.join(std::ffi::OsStr::from_bytes(&name))).collect()
    }
}

#[test]
fn the_application_changes_what_is_in_the_volume_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (path, outside) = (dir.path().join("volume"), dir.path().join("outside"));
    [&path, &outside].into_iter().for_each(|path| std::fs::create_dir(path).expect("a directory"));
    std::fs::write(outside.join("a.log"), "outside").expect("written");
    let volume = Volume::at(&path);
    let [sub, file, link] = ["sub", "sub/a.log", "link"].map(Path::new);
    volume.mkdir(sub);
    volume.symlink(&outside, link);
    assert!(volume.change(file).is_some() && volume.change(&link.join("a.log")).is_none());
    volume.link(file, Path::new("second.log"));
    assert!(volume.change(file).is_none(), "it has another name");
    volume.link_in(&outside.join("a.log"), Path::new("third.log"));
    volume.rename(Path::new("third.log"), &link.join("b.log"), RenameFlags::empty());
    assert_eq!(volume.names(Path::new(".")).len(), 4);
    volume.names(Path::new(".")).iter().for_each(|name| volume.remove(name));
    assert!(volume.names(Path::new(".")).is_empty());
    assert_eq!(std::fs::read_to_string(outside.join("a.log")).expect("there"), "outside");
    assert_eq!(std::fs::read_dir(&outside).expect("there").count(), 1);
}
