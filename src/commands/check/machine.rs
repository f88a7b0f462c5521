//! What the machine gives: a place for the checkpoint, inotify.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{Access, CWD, FileType, Mode, OFlags, access};
use rustix::io::Errno;

use crate::config::Config;
use crate::disk::lock;
use crate::paths::beneath::Stat;
use crate::paths::watch::Watch;
use crate::reclaim::refuse::without_state;
use crate::report::finding::Finding;
use crate::shelf::checkpoint::{Checkpoint, Place};

/// What there is of the checkpoint, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateStatus {
    /// It is not asked for.
    Off,
    /// It cannot be kept on the disk.
    Refused,
    There,
    /// A sidetail that follows the same patterns has it.
    InUse,
    MadeAtStart,
    /// Its directory is to be beside the logs, which are not there yet.
    MadeWithLogs,
}

impl StateStatus {
    /// Returns its description for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Off => "in memory, because SIDETAIL_STATE is off",
            Self::Refused => "in memory; it cannot be kept there",
            Self::There => "there",
            Self::InUse => "in use by a running sidetail",
            Self::MadeAtStart => "will be created at the start",
            Self::MadeWithLogs => "will be created with its directory",
        }
    }
}

/// Where the checkpoint is, or would be.
#[derive(Debug)]
pub(super) struct StatePlace {
    /// Null if `STATE` is off.
    pub path: Option<String>,
    pub status: StateStatus,
}

impl StatePlace {
    /// Looks at the place, and makes nothing there; returns what is found, too.
    pub(super) fn look(config: &Config) -> (Self, Vec<Finding>) {
        let checkpoint = Checkpoint::new(&config.state, &config.paths[0].root, &config.patterns_text);
        let Some(path) = checkpoint.path() else {
            return (Self { path: None, status: StateStatus::Off }, Vec::new());
        };
        let shown = Some(path.display().to_string());
        match status(&path, config.state == Place::Auto) {
            Ok(status) => (Self { path: shown, status }, Vec::new()),
            Err(why) => {
                let without = config.rotate.is_on().then(without_state);
                let findings = [Some(checkpoint.not_kept(&why)), without].into_iter().flatten().collect();
                (Self { path: shown, status: StateStatus::Refused }, findings)
            }
        }
    }

    /// Returns whether a restart goes on where it stopped.
    pub(super) fn is_kept(&self) -> bool {
        !matches!(self.status, StateStatus::Off | StateStatus::Refused)
    }

    /// Returns whether a sidetail runs that follows the same patterns.
    pub(super) fn is_in_use(&self) -> bool {
        self.status == StateStatus::InUse
    }
}

/// Returns what is at the checkpoint's path, or why it cannot be kept there.
fn status(path: &Path, is_beside_logs: bool) -> io::Result<StateStatus> {
    let directory = path.parent().unwrap_or(path);
    // As when it is opened: beside the logs an application could have put a link.
    let is_link = |stat: Stat| stat.kind == FileType::Symlink;
    if is_beside_logs && Stat::at(CWD, directory.as_os_str()).is_ok_and(is_link) {
        return Err(Errno::NOTDIR.into());
    }
    match may(path, Access::READ_OK | Access::WRITE_OK) {
        Ok(()) => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let opened = rustix::fs::open(path, flags, Mode::empty())?;
            return Ok(if lock::is_held(&opened) { StateStatus::InUse } else { StateStatus::There });
        }
        Err(Errno::NOENT) => {}
        Err(why) => return Err(why.into()),
    }
    // The directories that have to be made are made in one that exists.
    let may_make = |place: &Path| may(place, Access::WRITE_OK | Access::EXEC_OK);
    let mut places = directory.ancestors().map(may_make);
    let first = places.find(|made| *made != Err(Errno::NOENT)).unwrap_or(Err(Errno::NOENT));
    if is_beside_logs && directory.parent().is_some_and(|logs| may(logs, Access::EXISTS) == Err(Errno::NOENT)) {
        return Ok(StateStatus::MadeWithLogs);
    }
    first?;
    Ok(StateStatus::MadeAtStart)
}

/// Returns whether we may do this with what is at a path, or why not.
fn may(path: &Path, what: Access) -> Result<(), Errno> {
    access(path, what)
}

/// Whether inotify is available: a container cannot see what others use of it, so it was tried.
#[derive(Debug)]
pub(super) struct Inotify {
    /// Otherwise files are polled several times per second.
    pub works: bool,
    /// How many directories are watched.
    pub directories: usize,
    /// How many watches a user may have; 0 if that is not known.
    pub max_user_watches: u64,
    /// The same of instances.
    pub max_user_instances: u64,
}

impl Inotify {
    /// Looks at what was got, and at the limits.
    pub(super) fn look(watch: &Watch) -> Self {
        Self {
            works: !watch.is_polling(),
            directories: watch.count(),
            max_user_watches: limit("/proc/sys/fs/inotify/max_user_watches"),
            max_user_instances: limit("/proc/sys/fs/inotify/max_user_instances"),
        }
    }
}

fn limit(path: &str) -> u64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
