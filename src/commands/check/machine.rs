//! What the machine gives: a place for the checkpoint, inotify.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, CWD, FileType, Mode, OFlags, access};
use rustix::io::Errno;

use super::Warning;
use crate::beneath::Stat;
use crate::checkpoint::{Checkpoint, Place};
use crate::config::Config;
use crate::rotate::lock;
use crate::rotate::processes::pids;
use crate::tracker::rotation::WITHOUT_STATE;
use crate::watch::Watch;

/// A sidetail that follows the same patterns has the checkpoint.
const IN_USE: &str = "in use by the sidetail that is running";

/// Where the checkpoint is, or would be.
#[derive(Debug)]
pub struct State {
    /// Null if it is kept in memory, as that is asked for.
    pub path: Option<String>,
    /// Whether a restart goes on where it stopped.
    pub kept: bool,
    pub status: &'static str,
}

impl State {
    /// Looks at the place, and makes nothing there.
    pub fn look(config: &Config, warnings: &mut Vec<Warning>) -> Self {
        let checkpoint = Checkpoint::new(&config.state, &config.paths[0].root, &config.patterns_text);
        let Some(path) = checkpoint.path() else {
            return Self { path: None, kept: false, status: "in memory, as SIDETAIL_STATE is off" };
        };
        let status = status(&path, config.state == Place::Auto).unwrap_or_else(|why| {
            warnings.push(Warning { kind: "state", message: checkpoint.refusal(&why) });
            if config.rotate.is_on() {
                warnings.push(Warning { kind: "rotation", message: WITHOUT_STATE.to_owned() });
            }
            "in memory, it cannot be kept there"
        });
        Self { path: Some(path.display().to_string()), kept: !status.starts_with("in memory"), status }
    }

    /// Says whether a sidetail runs that follows the same patterns.
    pub fn is_in_use(&self) -> bool {
        self.status == IN_USE
    }
}

/// Returns what is at the checkpoint's path, or why it cannot be kept there.
fn status(path: &Path, is_beside_logs: bool) -> io::Result<&'static str> {
    let directory = path.parent().unwrap_or(path);
    // As when it is opened: beside the logs an application could have put a link.
    let is_link = |stat: Stat| stat.kind == FileType::Symlink;
    if is_beside_logs && Stat::at(CWD, directory.as_os_str()).is_ok_and(is_link) {
        return Err(Errno::NOTDIR.into());
    }
    match access(path, Access::READ_OK | Access::WRITE_OK) {
        Ok(()) => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let opened = rustix::fs::open(path, flags, Mode::empty())?;
            return Ok(if lock::is_held(&opened) { IN_USE } else { "there" });
        }
        Err(Errno::NOENT) => {}
        Err(why) => return Err(why.into()),
    }
    let exists = |path: &&Path| access(*path, Access::EXISTS).is_ok();
    let logs = directory.parent().unwrap_or(directory);
    if is_beside_logs && !exists(&logs) {
        return Ok("made when its directory is there");
    }
    let existing = directory.ancestors().find(exists).unwrap_or(directory);
    access(existing, Access::WRITE_OK | Access::EXEC_OK)?;
    Ok("made at the start")
}

/// Whether inotify is to be had, and how much of it.
#[derive(Debug)]
pub struct Inotify {
    /// Otherwise files are looked at several times a second.
    pub works: bool,
    /// How many directories are watched.
    pub directories: usize,
    /// How many watches a user may have; 0 if that is not known.
    pub max_user_watches: u64,
    /// The same of instances.
    pub max_user_instances: u64,
    /// How many instances others have, as far as they can be seen: in a container, its own processes.
    pub instances_seen: usize,
}

impl Inotify {
    /// Looks at the limits, and at what is used of them.
    pub fn look(watch: &Watch) -> Self {
        Self {
            works: !watch.is_polling(),
            directories: watch.count(),
            max_user_watches: limit("/proc/sys/fs/inotify/max_user_watches"),
            max_user_instances: limit("/proc/sys/fs/inotify/max_user_instances"),
            instances_seen: instances_seen(),
        }
    }
}

fn limit(path: &str) -> u64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// Returns how many instances the processes have that can be looked into, but for this one.
fn instances_seen() -> usize {
    let own = std::process::id();
    let processes = pids().unwrap_or_default().into_iter().filter(|pid| *pid != own);
    let descriptors = processes.filter_map(|pid| fs::read_dir(format!("/proc/{pid}/fd")).ok()).flatten().flatten();
    let is_instance = |target: PathBuf| target.as_os_str() == "anon_inode:inotify";
    descriptors.filter(|descriptor| fs::read_link(descriptor.path()).is_ok_and(is_instance)).count()
}
