//! What the machine gives: a place for the checkpoint, inotify.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{Access, Mode, OFlags, access};
use rustix::io::Errno;
use serde::Serialize;

use super::Warning;
use crate::checkpoint::{Checkpoint, Place};
use crate::config::Config;
use crate::rotate::lock;
use crate::rotate::processes::pids;
use crate::tracker::rotation::WITHOUT_STATE;
use crate::watch::Watch;

/// A sidetail that follows the same patterns has the checkpoint.
const IN_USE: &str = "in use by the sidetail that is running";

/// Where the checkpoint is, or would be.
#[derive(Debug, Serialize)]
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
    if is_beside_logs && directory.is_symlink() {
        return Err(Errno::NOTDIR.into());
    }
    if path.symlink_metadata().is_ok() {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        access(path, Access::READ_OK | Access::WRITE_OK)?;
        let opened = rustix::fs::open(path, flags, Mode::empty())?;
        return Ok(if lock::is_held(&opened) { IN_USE } else { "there" });
    }
    let existing = directory.ancestors().find(|above| above.exists()).unwrap_or(directory);
    if is_beside_logs && Some(existing) != directory.parent() && existing != directory {
        return Ok("made when its directory is there");
    }
    access(existing, Access::WRITE_OK | Access::EXEC_OK)?;
    Ok("made at the start")
}

/// Whether inotify is to be had, and how much of it.
#[derive(Debug, Serialize)]
pub struct Inotify {
    /// Otherwise files are looked at several times a second.
    pub works: bool,
    /// How many directories are watched.
    pub directories: usize,
    pub max_user_instances: Option<u64>,
    pub max_user_watches: Option<u64>,
    /// How many instances the processes of the same user have, as far as they can be seen.
    pub seen_instances: u64,
    /// The same of watches.
    pub seen_watches: u64,
}

impl Inotify {
    /// Looks at the limits, and at what is used of them; what this process takes is not counted.
    pub fn look(watch: &Watch) -> Self {
        let limit = |name: &str| {
            let text = fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
            text.trim().parse().ok()
        };
        let (seen_instances, seen_watches) = seen();
        Self {
            works: !watch.is_polling(),
            directories: watch.count(),
            max_user_instances: limit("max_user_instances"),
            max_user_watches: limit("max_user_watches"),
            seen_instances,
            seen_watches,
        }
    }
}

/// Returns the instances and watches of the same user's processes; proc_pid_fdinfo(5).
fn seen() -> (u64, u64) {
    let (own, uid) = (std::process::id(), rustix::process::geteuid().as_raw());
    let (mut instances, mut watches) = (0, 0);
    for pid in pids().unwrap_or_default().into_iter().filter(|pid| *pid != own) {
        let directory = format!("/proc/{pid}");
        let Ok(descriptors) = fs::read_dir(format!("{directory}/fd")) else { continue };
        if fs::metadata(&directory).map_or(u32::MAX, |found| std::os::unix::fs::MetadataExt::uid(&found)) != uid {
            continue;
        }
        for descriptor in descriptors.flatten() {
            if fs::read_link(descriptor.path()).is_ok_and(|target| target.as_os_str() == "anon_inode:inotify") {
                let info = format!("{directory}/fdinfo/{}", descriptor.file_name().to_string_lossy());
                instances += 1;
                watches += fs::read_to_string(info).map_or(0, |info| info.matches("inotify wd:").count() as u64);
            }
        }
    }
    (instances, watches)
}
