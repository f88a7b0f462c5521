//! Whose a file is, who we are, and what to set so that we may read or write it: a case has one way out, seldom the same.
//!
//! What Kubernetes offers: `runAsUser`, for files that only their owner may read; `supplementalGroups`, for files that their group may
//! read; `fsGroup`, for directories that the kubelet makes. Applications that choose the mode themselves have a setting for it.
//!
//! Source: <https://kubernetes.io/docs/tasks/configure-pod-container/security-context/>

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::paths::beneath::Stat;

/// Whose a file is, and who may do what with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
}

/// The group of the image's user.
const IMAGE_GROUP: u32 = 65532;

/// What is to be done with a file or a directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    verb: &'static str,
    /// The bits of the mode that let the group do it.
    group_bits: u32,
    is_directory: bool,
}

impl Access {
    pub(super) const READ: Self = Self { verb: "read", group_bits: 0o040, is_directory: false };
    pub(super) const WRITE: Self = Self { verb: "write to", group_bits: 0o060, is_directory: false };
    pub(super) const SEARCH: Self = Self { verb: "search", group_bits: 0o050, is_directory: true };
    pub(super) const CREATE: Self = Self { verb: "write to", group_bits: 0o030, is_directory: true };
}

/// Who asks.
#[derive(Debug, Clone)]
struct Identity {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl Identity {
    fn own() -> Self {
        let groups = rustix::process::getgroups().unwrap_or_default();
        Self {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            groups: groups.into_iter().map(rustix::fs::Gid::as_raw).collect(),
        }
    }

    fn is_in(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}

impl Owner {
    pub(super) fn of(Stat { uid, gid, mode, .. }: &Stat) -> Self {
        Self { uid: *uid, gid: *gid, mode: *mode }
    }

    /// Returns what to set so that this process may do it; `setting` is the application's own, if it is known.
    pub(super) fn way_out(self, access: Access, setting: Option<&str>) -> String {
        self.way_out_of(&Identity::own(), access, setting)
    }

    fn way_out_of(self, process: &Identity, access: Access, setting: Option<&str>) -> String {
        let Self { uid, gid, mode } = self;
        let Access { verb, group_bits, is_directory } = access;
        let is_for_group = mode & group_bits == group_bits;
        if uid == process.uid {
            return "give its owner the permission, in the application or with chmod".to_owned();
        }
        if is_for_group && !process.is_in(gid) {
            return format!("set supplementalGroups: [{gid}] in the pod's securityContext");
        }
        if is_directory && uid == 0 {
            // A container is only in root's group because its spec names none.
            let group = if process.gid == 0 { IMAGE_GROUP } else { process.gid };
            return format!("set fsGroup: {group} in the pod's securityContext");
        }
        let group = if process.is_in(gid) { String::new() } else { format!(" and supplementalGroups: [{gid}]") };
        let of_application = match setting {
            Some(setting) => format!("{setting}{group}"),
            None => format!("a umask in the application that lets the group {verb} it{group}"),
        };
        match uid {
            0 => format!("only root may {verb} it: set runAsUser: 0 for sidetail, or {of_application}"),
            uid => format!("set runAsUser: {uid} in sidetail's securityContext, or {of_application}"),
        }
    }
}

/// Whose it is, and who we are.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uid, gid, mode } = self;
        let Identity { uid: own_uid, gid: own_gid, .. } = Identity::own();
        write!(f, "belongs to {uid}:{gid} with mode {mode:04o}, but sidetail runs as {own_uid}:{own_gid}")
    }
}

/// The settings of applications that choose the mode of their logs themselves, by a part of the path.
const SETTINGS: [(&[u8], &str); 9] = [
    (b"postgres", "log_file_mode = 0660 in postgresql.conf"),
    (b"pgsql", "log_file_mode = 0660 in postgresql.conf"),
    (b"pg_log", "log_file_mode = 0660 in postgresql.conf"),
    (b"catalina", "UMASK=0007 in Tomcat's environment"),
    (b"tomcat", "UMASK=0007 in Tomcat's environment"),
    (b"localhost_access_log", "UMASK=0007 in Tomcat's environment"),
    (b"vault", "mode=0660 for Vault's audit device"),
    (b"mysql", "UMASK=0660 in mysqld's environment"),
    (b"mariadb", "UMASK=0660 in mariadbd's environment"),
];

/// Returns the setting of the application that seems to write a file.
pub(super) fn application_setting(path: &Path) -> Option<&'static str> {
    let path = path.as_os_str().as_bytes().to_ascii_lowercase();
    SETTINGS.iter().find(|(part, _)| memchr::memmem::find(&path, part).is_some()).map(|(_, setting)| *setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(owner: (u32, u32, u32), access: Access, path: &str, expected: &str) {
        let (uid, gid, mode) = owner;
        let process = Identity { uid: 65532, gid: 65532, groups: vec![7] };
        let found = Owner { uid, gid, mode }.way_out_of(&process, access, application_setting(Path::new(path)));
        assert_eq!(found, expected, "{owner:?} {access:?} {path}");
    }

    #[test]
    fn each_case_has_the_way_out_that_helps() {
        let as_user = "set runAsUser: 993 in sidetail's securityContext, or";
        let umask = "a umask in the application that lets the group";
        // Only its owner.
        check(
            (993, 993, 0o600),
            Access::READ,
            "/l/a.log",
            &format!("{as_user} {umask} read it and supplementalGroups: [993]"),
        );
        check((993, 7, 0o600), Access::READ, "/l/a.log", &format!("{as_user} {umask} read it"));
        check((993, 7, 0o640), Access::WRITE, "/l/a.log", &format!("{as_user} {umask} write to it"));
        // Its group.
        check((33, 4, 0o640), Access::READ, "/l/a.log", "set supplementalGroups: [4] in the pod's securityContext");
        check((0, 0, 0o640), Access::READ, "/l/a.log", "set supplementalGroups: [0] in the pod's securityContext");
        check((33, 4, 0o660), Access::WRITE, "/l/a.log", "set supplementalGroups: [4] in the pod's securityContext");
        // Only root.
        check(
            (0, 0, 0o600),
            Access::READ,
            "/l/php-fpm.log",
            &format!(
                "only root may read it: set runAsUser: 0 for sidetail, or {umask} read it and supplementalGroups: [0]"
            ),
        );
        // Whoever chooses the mode.
        check(
            (993, 993, 0o600),
            Access::READ,
            "/var/log/PostgreSQL/a.log",
            &format!("{as_user} log_file_mode = 0660 in postgresql.conf and supplementalGroups: [993]"),
        );
        check(
            (993, 7, 0o600),
            Access::READ,
            "/l/catalina.out",
            &format!("{as_user} UMASK=0007 in Tomcat's environment"),
        );
        for (path, setting) in [
            ("/l/pgsql/a.log", "log_file_mode = 0660 in postgresql.conf"),
            ("/data/pg_log/a.log", "log_file_mode = 0660 in postgresql.conf"),
            ("/l/Tomcat/manager.log", "UMASK=0007 in Tomcat's environment"),
            ("/l/localhost_access_log.2026-11-29.txt", "UMASK=0007 in Tomcat's environment"),
            ("/l/vault_audit.log", "mode=0660 for Vault's audit device"),
            ("/l/mysql/error.log", "UMASK=0660 in mysqld's environment"),
            ("/l/mariadb.log", "UMASK=0660 in mariadbd's environment"),
        ] {
            check((993, 7, 0o600), Access::READ, path, &format!("{as_user} {setting}"));
        }
        // A directory of the kubelet's, and one of the application's.
        check((0, 0, 0o755), Access::CREATE, "/l", "set fsGroup: 65532 in the pod's securityContext");
        check((993, 993, 0o770), Access::CREATE, "/l", "set supplementalGroups: [993] in the pod's securityContext");
        // Ours, with a mode that forbids it.
        check(
            (65532, 1, 0o200),
            Access::READ,
            "/l/a.log",
            "give its owner the permission, in the application or with chmod",
        );
    }

    #[test]
    fn nobody_is_advised_to_share_the_group_of_root() {
        let process = Identity { uid: 1000, gid: 0, groups: Vec::new() };
        let owner = Owner { uid: 0, gid: 0, mode: 0o700 };
        assert_eq!(owner.way_out_of(&process, Access::SEARCH, None), "set fsGroup: 65532 in the pod's securityContext");
    }
}
