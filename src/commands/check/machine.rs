//! What the machine gives: a place for the checkpoint, inotify.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::OFlags;

use crate::config::Config;
use crate::disk::lock;
use crate::paths::beneath::Links;
use crate::paths::discover::is_missing;
use crate::paths::open_directory::OpenDirectory;
use crate::paths::roots::Roots;
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
    pub(super) fn look(config: &Config) -> (Self, Checkpoint, Vec<Finding>) {
        let checkpoint = Checkpoint::new(&config.state, &config.paths[0].root, &config.patterns_text);
        let checkpoint = checkpoint.following(config.links);
        let Some(path) = checkpoint.path() else {
            return (Self { path: None, status: StateStatus::Off }, checkpoint, Vec::new());
        };
        let shown = Some(path.display().to_string());
        match status(&checkpoint, &path, config.state == Place::Auto) {
            Ok(status) => (Self { path: shown, status }, checkpoint, Vec::new()),
            Err(why) => {
                let without = config.rotate.is_on().then(without_state);
                let findings = [Some(checkpoint.not_kept(&why)), without].into_iter().flatten().collect();
                (Self { path: shown, status: StateStatus::Refused }, checkpoint, findings)
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
fn status(checkpoint: &Checkpoint, path: &Path, is_beside_logs: bool) -> io::Result<StateStatus> {
    let directory = path.parent().unwrap_or(path);
    match checkpoint.open_directory() {
        Ok(opened) => return status_in(&opened, path.file_name().unwrap_or_default()),
        Err(why) if !is_missing(&why) || why.kind() == io::ErrorKind::NotADirectory => return Err(why),
        Err(_) => {}
    }
    // The directories that have to be made are made in one that exists.
    let roots = Roots::new(Links::Inside);
    let mut places = directory.ancestors().skip(1).map(|place| (place, roots.open(place)));
    let nearest = places.find(|(_, opened)| !opened.as_ref().is_err_and(is_missing));
    let Some((place, opened)) = nearest else { return Err(io::ErrorKind::NotFound.into()) };
    if is_beside_logs && directory.parent().is_some_and(|logs| logs != place) {
        return Ok(StateStatus::MadeWithLogs);
    }
    OpenDirectory::new(opened?.descriptor().try_clone()?).may_write()?;
    Ok(StateStatus::MadeAtStart)
}

/// The same in the directory that it is in, which is there.
fn status_in(directory: &OpenDirectory, name: &OsStr) -> io::Result<StateStatus> {
    match directory.open(name, OFlags::RDWR) {
        Ok((opened, _)) if lock::is_held(&opened) => Ok(StateStatus::InUse),
        Ok(_) => Ok(StateStatus::There),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            directory.may_write()?;
            Ok(StateStatus::MadeAtStart)
        }
        Err(why) => Err(why),
    }
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

#[allow(clippy::disallowed_methods, reason = "what is in /proc is the kernel's")]
fn limit(path: &str) -> u64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
