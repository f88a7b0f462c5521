//! Files that cannot be followed: each is told of once, with the way out, and again when it can.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::paths::beneath::Stat;

/// How many refused files are remembered and told of one by one.
const REFUSALS_MAX: usize = 1000;

/// The files that cannot be followed now, and why.
#[derive(Debug, Default)]
pub struct Refusals {
    reasons: HashMap<PathBuf, String>,
    is_overflow_told: bool,
}

impl Refusals {
    /// Returns the paths that are refused, to try them again.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.reasons.keys().cloned().collect()
    }

    /// Forgets a path that is not there any more, or no longer of interest.
    pub fn forget(&mut self, path: &Path) {
        self.reasons.remove(path);
    }

    /// Tells that a file cannot be followed, unless the same was told before. A file that does not exist is no such file.
    pub fn refuse(&mut self, path: &Path, why: &io::Error, stat: Option<Stat>) {
        if why.kind() == io::ErrorKind::NotFound && !path.is_symlink() {
            self.reasons.remove(path);
            return;
        }
        let reason = reason(why, stat);
        if self.reasons.get(path) == Some(&reason) {
            return;
        }
        if self.reasons.len() < REFUSALS_MAX {
            tracing::warn!(file = %path.display(), "cannot follow {}: {reason}", path.display());
            self.reasons.insert(path.to_owned(), reason);
        } else if !std::mem::replace(&mut self.is_overflow_told, true) {
            tracing::warn!(
                "cannot follow more than {REFUSALS_MAX} files; the others are not told of, see SIDETAIL_EXCLUDE"
            );
        }
    }

    /// Tells that a file is not followed because it is what we write to.
    pub fn refuse_output(&mut self, path: &Path) {
        let reason = "it is our own output; write elsewhere, or name it in SIDETAIL_EXCLUDE".to_owned();
        if self.reasons.get(path) != Some(&reason) {
            tracing::warn!(file = %path.display(), "cannot follow {}: {reason}", path.display());
            self.reasons.insert(path.to_owned(), reason);
        }
    }

    /// Tells that a file is followed now that could not be.
    pub fn accept(&mut self, path: &Path) {
        if self.reasons.remove(path).is_some() {
            tracing::warn!(file = %path.display(), "{} can be followed now", path.display());
        }
    }
}

/// Returns why a file, or a directory with files, cannot be followed, and the way out.
#[must_use]
pub fn reason(why: &io::Error, stat: Option<Stat>) -> String {
    if why.raw_os_error() == Some(Errno::XDEV.raw_os_error()) {
        return "it is a symbolic link that leads out of the pattern's directory; name its target in SIDETAIL_PATHS"
            .into();
    }
    match (why.kind(), stat) {
        (io::ErrorKind::NotFound, _) => "it is a symbolic link to nothing; create its target, or name the link in \
                                          SIDETAIL_EXCLUDE"
            .into(),
        (io::ErrorKind::InvalidInput, Some(stat)) if stat.kind == rustix::fs::FileType::Directory => {
            "it is a directory; name its files, as in DIRECTORY/*.log".into()
        }
        (io::ErrorKind::InvalidInput, _) => "it is not a regular file; name it in SIDETAIL_EXCLUDE".into(),
        (io::ErrorKind::PermissionDenied, Some(stat)) => {
            let wanted = if stat.kind == rustix::fs::FileType::Directory { 0o050 } else { 0o040 };
            format!("permission denied: it {}; {}", belongs(&stat), let_group(&stat, wanted, "read"))
        }
        (io::ErrorKind::PermissionDenied, None) => {
            "a directory on the way may not be searched; give its group or others the x permission".into()
        }
        _ => format!("{why}; it is tried again"),
    }
}

/// Returns whose a file is, and who we are.
#[must_use]
pub fn belongs(Stat { uid, gid, mode, .. }: &Stat) -> String {
    let (own_uid, own_gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    format!("belongs to {uid}:{gid} with mode {mode:04o}, sidetail runs as {own_uid}:{own_gid}")
}

/// Returns what to set so that its group may do something with a file, for which it needs the bits `wanted`, and that we are
/// in that group.
///
/// With `fsGroup` an emptyDir, and what is made in it, belongs to that group, and every container of the pod is in it.
///
/// Source: <https://kubernetes.io/docs/tasks/configure-pod-container/security-context/>
#[must_use]
pub fn let_group(stat: &Stat, wanted: u32, verb: &str) -> String {
    let own_gid = rustix::process::getegid();
    let groups = rustix::process::getgroups().unwrap_or_default();
    let is_in_group = groups.iter().chain([&own_gid]).any(|group| group.as_raw() == stat.gid);
    let group = format!("fsGroup: {} in the pod's securityContext", own_gid.as_raw());
    let umask = format!("a umask in the application that lets the group {verb}");
    match (is_in_group, stat.mode & wanted == wanted) {
        (false, true) => format!("set {group}"),
        (true, false) => format!("set {umask}"),
        _ => format!("set {group} and {umask}"),
    }
}
