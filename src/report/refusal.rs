//! Files that cannot be followed: each is told of once, with the way out, and again when it can.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::paths::beneath::Stat;

/// How many refused files are remembered and told of one by one.
const REFUSALS_MAX: usize = 1000;

/// How long a file may be without permission before that is told: many applications create a file, and give it its mode and
/// owner then.
const PERMISSION_WAIT: Duration = Duration::from_millis(100);

/// The files that cannot be followed now, and why.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    refused: HashMap<PathBuf, Refused>,
    is_overflow_told: bool,
}

/// A file that cannot be followed.
#[derive(Debug)]
struct Refused {
    reason: String,
    /// When it was first seen to be refused.
    since: Instant,
    is_told: bool,
}

impl Refused {
    /// Notes that it is still refused, and says whether that is to be told now: once for each reason, but a permission that is
    /// missing only if it still is a while later.
    fn is_to_be_told(&mut self, reason: String, may_change_soon: bool, now: Instant) -> bool {
        let is_known = self.is_told && self.reason == reason;
        let is_too_soon = may_change_soon && !self.is_told && now.duration_since(self.since) < PERMISSION_WAIT;
        self.reason = reason;
        self.is_told |= !is_too_soon;
        !is_known && !is_too_soon
    }
}

impl Refusals {
    /// Returns the paths that are refused, to try them again.
    #[must_use]
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.refused.keys().cloned().collect()
    }

    /// Forgets a path that is not there any more, or no longer of interest.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.refused.remove(path);
    }

    /// Tells that a file cannot be followed, unless the same was told before. A file that does not exist is no such file, and
    /// one that may not be read yet is told of if that is so at a later look, too.
    pub(crate) fn refuse(&mut self, path: &Path, why: &io::Error, stat: Option<Stat>) {
        if why.kind() == io::ErrorKind::NotFound && !path.is_symlink() {
            self.refused.remove(path);
            return;
        }
        let may_change_soon = why.kind() == io::ErrorKind::PermissionDenied;
        self.note(path, reason(why, stat), may_change_soon, Instant::now());
    }

    /// Tells that a file is not followed because it is what we write to.
    pub(crate) fn refuse_output(&mut self, path: &Path) {
        let reason = "it is our own output; write elsewhere, or name it in SIDETAIL_EXCLUDE".to_owned();
        self.note(path, reason, false, Instant::now());
    }

    /// Tells that a file is followed now that could not be, if that was told.
    pub(crate) fn accept(&mut self, path: &Path) {
        if self.refused.remove(path).is_some_and(|refused| refused.is_told) {
            tracing::warn!(file = %path.display(), "{} can be followed now", path.display());
        }
    }

    fn note(&mut self, path: &Path, reason: String, may_change_soon: bool, now: Instant) {
        if !self.refused.contains_key(path) {
            if self.refused.len() >= REFUSALS_MAX {
                return self.tell_overflow();
            }
            let refused = Refused { reason: String::new(), since: now, is_told: false };
            self.refused.insert(path.to_owned(), refused);
        }
        let Some(refused) = self.refused.get_mut(path) else { return };
        if refused.is_to_be_told(reason, may_change_soon, now) {
            tracing::warn!(file = %path.display(), "cannot follow {}: {}", path.display(), refused.reason);
        }
    }

    fn tell_overflow(&mut self) {
        if !std::mem::replace(&mut self.is_overflow_told, true) {
            tracing::warn!(
                "cannot follow more than {REFUSALS_MAX} files; the others are not told of, see SIDETAIL_EXCLUDE"
            );
        }
    }
}

/// Returns why a file, or a directory with files, cannot be followed, and the way out.
#[must_use]
pub(crate) fn reason(why: &io::Error, stat: Option<Stat>) -> String {
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
pub(crate) fn belongs(Stat { uid, gid, mode, .. }: &Stat) -> String {
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
pub(crate) fn let_group(stat: &Stat, wanted: u32, verb: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at a file after so many milliseconds for each, finds it refused for a reason, and returns which looks are told.
    fn told(looks: &[(u64, &str, bool)]) -> Vec<usize> {
        let since = Instant::now();
        let mut refused = Refused { reason: String::new(), since, is_told: false };
        let is_told = |(after, reason, may_change_soon): &(u64, &str, bool)| {
            refused.is_to_be_told((*reason).to_owned(), *may_change_soon, since + Duration::from_millis(*after))
        };
        let told: Vec<bool> = looks.iter().map(is_told).collect();
        (0..looks.len()).filter(|look| told[*look]).collect()
    }

    #[test]
    fn a_missing_permission_is_told_once_and_only_if_it_stays() {
        // Created, given its owner, and still refused at the tick.
        assert_eq!(told(&[(0, "0600", true), (1, "chown", true), (2000, "chown", true), (4000, "chown", true)]), [2]);
        assert_eq!(told(&[(0, "0600", true), (99, "0600", true)]), [0; 0]);
        assert_eq!(told(&[(0, "0600", true), (100, "0600", true)]), [1]);
        // What was told and has changed is news.
        assert_eq!(told(&[(0, "0600", true), (200, "0600", true), (201, "0200", true)]), [1, 2]);
    }

    #[test]
    fn what_no_application_changes_soon_is_told_at_once() {
        assert_eq!(told(&[(0, "a link", false), (0, "a link", false), (2000, "a link", false)]), [0]);
        assert_eq!(told(&[(0, "0600", true), (1, "a link", false), (2, "0600", true)]), [1, 2]);
    }

    #[test]
    fn a_file_that_was_not_told_of_is_forgotten_without_a_word() {
        let mut refusals = Refusals::default();
        let (path, now) = (Path::new("/a.log"), Instant::now());
        refusals.note(path, "0600".to_owned(), true, now);
        assert_eq!(refusals.paths(), [path]);
        assert!(!refusals.refused[path].is_told);
        refusals.accept(path);
        assert!(refusals.paths().is_empty());
    }
}
