//! The root of trust of a path: up to where nobody but root and we decide where it leads.
//!
//! The fixed directory of a pattern may itself lie within a volume that applications write to: of `/var/log/app/*`, where the
//! volume is mounted at `/var/log`, the application can put a link in the place of `app`. So links are followed only in
//! directories whose names others cannot change: those of root or of ours that group and others may not write, or that are
//! sticky and hold the name of one of us; and a mount is where it is, whoever may write around it. What is below is opened
//! beneath that directory, which is held open, and no link in it is followed.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use super::beneath::{FileId, Links, Root, Stat, open_without_links, real_path};

/// As many links as the kernel follows on one path; path_resolution(7).
const LINKS_MAX: usize = 40;

/// How many roots of trust are held open; of more than that each is looked for whenever it is needed.
const HELD_MAX: usize = 8;

/// The roots of trust of the patterns' fixed directories.
#[derive(Debug)]
pub(crate) struct Roots {
    links: Links,
    held: RefCell<Vec<(PathBuf, Trusted)>>,
}

impl Roots {
    /// Opens nothing yet.
    #[must_use]
    pub(crate) fn new(links: Links) -> Self {
        Self { links, held: RefCell::default() }
    }

    /// Opens a fixed directory.
    ///
    /// # Errors
    /// Those of open(2): it does not exist (yet), it is no directory, it may not be searched; and `ELOOP` if others could have
    /// put a link on its way.
    pub(crate) fn open(&self, path: &Path) -> io::Result<Root> {
        if self.links == Links::Any {
            let fd = rustix::fs::open(path, DIRECTORY, Mode::empty())?;
            return Ok(Root::new(path, Rc::new(fd), self.links));
        }
        if let Some((_, trusted)) = self.held.borrow().iter().find(|(held, _)| held == path) {
            return Ok(Root::new(path, trusted.open()?, self.links));
        }
        let trusted = Trusted::find(path)?;
        let fd = trusted.open()?;
        let mut held = self.held.borrow_mut();
        if held.len() < HELD_MAX {
            held.push((path.to_owned(), trusted));
        }
        Ok(Root::new(path, fd, self.links))
    }

    /// Returns whether links may lead from beneath a fixed directory to a place, as it is really called.
    pub(crate) fn leads_to(&self, root: &Path, place: &Path) -> bool {
        let real = || real_path(self.open(root).ok()?.descriptor());
        self.links == Links::Any || real().is_some_and(|root| place.starts_with(root))
    }

    /// Lets those go in whose place root, or we, have put others. To be called now and then: what is held open stays what it
    /// was. Says whether there were any.
    pub(crate) fn look_again(&self) -> bool {
        let is_same = |(path, held): &(PathBuf, Trusted)| {
            Trusted::find(path).is_ok_and(|found| (found.id, &found.rest) == (held.id, &held.rest))
        };
        let mut held = self.held.borrow_mut();
        let before = held.len();
        held.retain(is_same);
        held.len() < before
    }
}

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The deepest directory on a path that only root and we decide about, and what is left of the path beneath it.
#[derive(Debug)]
struct Trusted {
    fd: Rc<OwnedFd>,
    id: FileId,
    rest: PathBuf,
}

impl Trusted {
    /// Goes along a path for as long as nobody else can change where it leads.
    fn find(path: &Path) -> io::Result<Self> {
        let mut at = rustix::fs::open("/", DIRECTORY, Mode::empty())?;
        let mut here = Stat::of(&at)?;
        let mut left: VecDeque<OsString> = names(path).collect();
        let mut links = 0;
        while let Some(name) = left.front() {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let entry = rustix::fs::openat(&at, name, flags, Mode::empty())?;
            let found = Stat::of(&entry)?;
            if !is_kept_by(&here, &found) && name != ".." && !is_mount(&entry) {
                break;
            }
            left.pop_front();
            match found.kind {
                FileType::Directory => (at, here) = (entry, found),
                FileType::Symlink if links == LINKS_MAX => return Err(Errno::LOOP.into()),
                FileType::Symlink => {
                    links += 1;
                    let target = rustix::fs::readlinkat(&entry, "", Vec::new())?;
                    let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                    if target.is_absolute() {
                        at = rustix::fs::open("/", DIRECTORY, Mode::empty())?;
                        here = Stat::of(&at)?;
                    }
                    names(&target).collect::<Vec<_>>().into_iter().rev().for_each(|name| left.push_front(name));
                }
                _ => return Err(Errno::NOTDIR.into()),
            }
        }
        Ok(Self { fd: Rc::new(at), id: here.id, rest: left.into_iter().collect() })
    }

    /// Opens what is at the end of the path.
    fn open(&self) -> io::Result<Rc<OwnedFd>> {
        if self.rest.as_os_str().is_empty() {
            return Ok(Rc::clone(&self.fd));
        }
        Ok(Rc::new(open_without_links(&self.fd, &self.rest, OFlags::PATH | OFlags::DIRECTORY)?))
    }
}

/// Returns the names on a path, in order.
fn names(path: &Path) -> impl Iterator<Item = OsString> + use<'_> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    })
}

/// Returns whether only root and we can put something else in the place of what a directory holds.
fn is_kept_by(directory: &Stat, entry: &Stat) -> bool {
    let own = rustix::process::geteuid().as_raw();
    let is_ours = |stat: &Stat| stat.uid == 0 || stat.uid == own;
    let is_writable = directory.mode & 0o022 != 0;
    let is_sticky = directory.mode & 0o1000 != 0;
    is_ours(directory) && (!is_writable || (is_sticky && is_ours(entry)))
}

/// Returns whether a file system is mounted there; kernels before 5.8 do not report that.
fn is_mount(entry: &OwnedFd) -> bool {
    let found = rustix::fs::statx(entry, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE);
    found.is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use rustix::fs::CWD;

    /// A directory of ours, in it a volume that everybody may write to, and in that the directory `app`.
    fn volume() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let volume = dir.path().join("volume");
        fs::create_dir_all(volume.join("app")).expect("directories");
        fs::set_permissions(&volume, Permissions::from_mode(0o777)).expect("ours");
        (dir, volume)
    }

    #[test]
    fn a_link_is_followed_only_where_others_cannot_have_made_it() {
        let (dir, volume) = volume();
        symlink("volume", dir.path().join("link")).expect("a link");
        symlink("app", volume.join("link")).expect("a link");
        let roots = Roots::new(Links::Inside);
        let id = roots.open(&volume.join("app")).expect("opened").stat(Path::new("")).expect("statx").id;
        let through = roots.open(&dir.path().join("link/app")).expect("ours").stat(Path::new("")).expect("statx");
        assert_eq!(through.id, id);
        let refused = roots.open(&volume.join("link")).expect_err("everybody's");
        assert_eq!(refused.raw_os_error(), Some(Errno::LOOP.raw_os_error()));
        assert!(Roots::new(Links::Any).open(&volume.join("link")).is_ok());
    }

    #[test]
    fn what_is_held_is_let_go_when_it_is_made_anew() {
        let (dir, volume) = volume();
        let roots = Roots::new(Links::Inside);
        let at = |path: &Path| roots.open(path).expect("opened").stat(Path::new("")).expect("statx").id;
        let before = at(&volume);
        assert!(!roots.look_again());
        fs::rename(&volume, dir.path().join("old")).expect("renamed");
        assert_eq!(at(&volume), before, "it is held");
        fs::create_dir(&volume).expect("made");
        assert!(roots.look_again());
        assert_ne!(at(&volume), before);
    }

    #[test]
    fn a_name_is_kept_by_owner_mode_and_stickiness() {
        let (dir, volume) = volume();
        let stat = |path: &Path| Stat::at(CWD, path.as_os_str()).expect("statx");
        let (directory, entry) = (stat(dir.path()), stat(&volume));
        let foreign = |stat: Stat| Stat { uid: 12345, ..stat };
        for (directory, entry, expected) in [
            (Stat { mode: 0o755, ..directory }, foreign(entry), true),
            (Stat { mode: 0o775, ..directory }, entry, false),
            (Stat { mode: 0o777, ..directory }, entry, false),
            (Stat { mode: 0o1777, ..directory }, entry, true),
            (Stat { mode: 0o1777, ..directory }, foreign(entry), false),
            (foreign(Stat { mode: 0o755, ..directory }), entry, false),
        ] {
            assert_eq!(is_kept_by(&directory, &entry), expected, "{directory:?}, {entry:?}");
        }
    }
}
