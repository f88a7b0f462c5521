//! Why a file, or a directory with files, cannot be followed or reclaimed, as data: what is in the way, and the way out.
//!
//! A call that fails says little ([`Refusal::Os`]); what it means depends on the attempted action and its object. That is
//! resolved when it is reported, in [`Refusal::to_follow`] and [`Refusal::explained`].

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::finding::{Finding, Kind};
use super::message::counted;
use super::permission::{Access, Owner, application_setting};
use crate::paths::beneath::Stat;
use crate::paths::discover::NotSearched;

/// Why a file, or a directory with files, cannot be followed or reclaimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A link that leads out of the pattern's directory.
    LinkLeadsOut,
    LinkToNothing,
    IsDirectory,
    NotRegular,
    /// We write to it ourselves.
    OwnOutput,
    /// A directory far below the fixed one.
    TooDeep,
    /// It may not be read.
    Unreadable {
        owner: Owner,
        is_directory: bool,
    },
    /// A directory on the way may not be searched.
    Unsearchable,
    /// The volume is read-only.
    ReadOnly,
    Unwritable(Owner),
    /// Nothing can be made, renamed or deleted in the directory that it is in.
    DirectoryUnwritable(Owner),
    /// An archive of another user is in its directory, which is sticky.
    StickyArchive,
    AppendOnly,
    /// The file system cannot punch.
    NoHoles,
    /// Another process of ours holds the directory's lock.
    RotatedByAnother,
    /// It is a link, or another file has its path now.
    NotAtItsPath,
    /// It has other names in directories that no pattern leads through.
    NamesElsewhere,
    /// A link is on the way that others could have made.
    LinkOnTheWay,
    /// The checkpoint cannot be written, so nothing can be noted before it is done.
    NotNoted,
    /// A directory has the name of an archive.
    DirectoryNamedAsArchive(OsString),
    /// What has the newest archive's name is no regular file.
    ArchiveNotRegular,
    /// What a call said, and nothing else is known of.
    Os(Errno),
    /// The same without a number.
    Other(io::ErrorKind),
}

impl Refusal {
    /// Explains why a file, or a directory with files, cannot be followed, from the error of opening it.
    #[must_use]
    pub(crate) fn to_follow(why: &io::Error, stat: Option<Stat>) -> Self {
        match Errno::from_io_error(why) {
            Some(Errno::XDEV) => return Self::LinkLeadsOut,
            Some(Errno::LOOP) => return Self::LinkOnTheWay,
            _ => {}
        }
        let is_directory = stat.is_some_and(|stat| stat.kind == FileType::Directory);
        match (why.kind(), stat) {
            (io::ErrorKind::NotFound, _) => Self::LinkToNothing,
            (io::ErrorKind::InvalidInput, _) if is_directory => Self::IsDirectory,
            (io::ErrorKind::InvalidInput, _) => Self::NotRegular,
            (io::ErrorKind::PermissionDenied, Some(stat)) => Self::Unreadable { owner: Owner::of(&stat), is_directory },
            (io::ErrorKind::PermissionDenied, None) => Self::Unsearchable,
            _ => Self::of(why),
        }
    }

    /// Explains why nothing beneath a directory can be followed, from the error of walking into it.
    #[must_use]
    pub(crate) fn of_walk(why: &NotSearched, stat: Option<Stat>) -> Self {
        match why {
            NotSearched::TooDeep => Self::TooDeep,
            NotSearched::Failed(why) => Self::to_follow(why, stat),
        }
    }

    /// Returns what a call said.
    fn of(why: &io::Error) -> Self {
        Errno::from_io_error(why).map_or_else(|| Self::Other(why.kind()), Self::Os)
    }

    /// Explains why disk of a file cannot be reclaimed: `stat` is the file's or, if its directory refuses, the directory's.
    #[must_use]
    pub(crate) fn explained(self, stat: Option<Stat>, is_directory: bool) -> Self {
        let Self::Os(errno) = self else { return self };
        match (errno, stat) {
            (Errno::ROFS, _) => Self::ReadOnly,
            (Errno::ACCESS, Some(stat)) if is_directory => Self::DirectoryUnwritable(Owner::of(&stat)),
            (Errno::ACCESS, Some(stat)) => Self::Unwritable(Owner::of(&stat)),
            (Errno::PERM, _) if is_directory => Self::StickyArchive,
            (Errno::PERM, _) => Self::AppendOnly,
            (Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS, _) => Self::NoHoles,
            _ => self,
        }
    }

    /// Returns whether it holds for all files of the device: such a refusal is reported once for all of them.
    #[must_use]
    pub(crate) fn is_of_device(&self) -> bool {
        let of_device = [Errno::ROFS, Errno::OPNOTSUPP, Errno::INVAL, Errno::NOSYS];
        match self {
            Self::ReadOnly | Self::NoHoles => true,
            Self::Os(errno) => of_device.contains(errno),
            _ => false,
        }
    }

    /// Returns whether an application may be about to change it: many create a file, and give it its mode and owner then; the
    /// target of a link is renamed first, and created then. Reported only if it persists.
    #[must_use]
    pub(crate) fn may_pass_soon(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Unsearchable | Self::LinkToNothing)
    }

    /// Returns whether the cause is a lack of space.
    #[must_use]
    pub(crate) fn is_lack_of_space(&self) -> bool {
        matches!(self, Self::Os(Errno::NOSPC | Errno::DQUOT))
    }

    /// Returns the finding that this file, or directory with files, cannot be followed.
    #[must_use]
    pub(crate) fn not_followed(&self, path: &Path) -> Finding {
        self.none_followed(path, 0)
    }

    /// Returns the finding that this file, or directory, and so many more of the same owner and mode cannot be followed.
    #[must_use]
    pub(crate) fn none_followed(&self, path: &Path, more: u64) -> Finding {
        let (shown, others) = (path.display(), others(more));
        Finding::of(path, Kind::Unreadable, format!("cannot follow {shown}{others}: {}", self.of_file(path)))
    }

    /// Returns whether it depends on nothing but a file's owner and mode: then it holds for others as well.
    #[must_use]
    pub(crate) fn is_of_owner(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Unwritable(_) | Self::DirectoryUnwritable(_))
    }

    /// Returns its sentence for a file; the application that writes such a file may have a setting.
    fn of_file(&self, path: &Path) -> String {
        let setting = application_setting(path);
        match (self, setting) {
            (Self::Unreadable { owner, is_directory: false }, Some(_)) => {
                format!("permission denied: it {owner}; {}", owner.way_out(Access::READ, setting))
            }
            (Self::Unwritable(owner), Some(_)) => {
                format!("it {owner} and cannot write; {}", owner.way_out(Access::WRITE, setting))
            }
            _ => self.to_string(),
        }
    }

    /// Returns the finding that disk of this file cannot be reclaimed.
    #[must_use]
    pub(crate) fn not_reclaimed(&self, path: &Path) -> Finding {
        self.none_reclaimed(path, 0)
    }

    /// Returns the finding that disk of this file, and of so many more of the same owner and mode, cannot be reclaimed.
    #[must_use]
    pub(crate) fn none_reclaimed(&self, path: &Path, more: u64) -> Finding {
        let (shown, others) = (path.display(), others(more));
        Finding::of(
            path,
            Kind::Rotation,
            format!("cannot reclaim disk space of {shown}{others}: {}", self.of_file(path)),
        )
    }
}

impl From<io::Error> for Refusal {
    fn from(why: io::Error) -> Self {
        Self::of(&why)
    }
}

impl From<Errno> for Refusal {
    fn from(why: Errno) -> Self {
        Self::Os(why)
    }
}

impl From<io::ErrorKind> for Refusal {
    fn from(why: io::ErrorKind) -> Self {
        Self::Other(why)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LinkLeadsOut => LINK_LEADS_OUT,
            Self::LinkToNothing => LINK_TO_NOTHING,
            Self::IsDirectory => "it is a directory; name its files, as in DIRECTORY/*.log",
            Self::NotRegular => "it is not a regular file; name it in SIDETAIL_EXCLUDE",
            Self::OwnOutput => {
                "it is sidetail's own output; redirect the output elsewhere, or name the file in \
                                SIDETAIL_EXCLUDE"
            }
            Self::TooDeep => {
                "it is too deep below the pattern's fixed directory; name a directory nearer to it in SIDETAIL_PATHS"
            }
            Self::Unreadable { owner, is_directory } => {
                let access = if *is_directory { Access::SEARCH } else { Access::READ };
                return write!(f, "permission denied: it {owner}; {}", owner.way_out(access, None));
            }
            Self::Unsearchable => UNSEARCHABLE,
            Self::ReadOnly => READ_ONLY,
            Self::Unwritable(owner) => {
                return write!(f, "it {owner} and cannot write; {}", owner.way_out(Access::WRITE, None));
            }
            Self::DirectoryUnwritable(owner) => {
                let way_out = owner.way_out(Access::CREATE, None);
                return write!(f, "its directory {owner} and cannot write; {way_out}");
            }
            Self::StickyArchive => STICKY_ARCHIVE,
            Self::AppendOnly => APPEND_ONLY,
            Self::NoHoles => NO_HOLES,
            Self::RotatedByAnother => ROTATED_BY_ANOTHER,
            Self::NotAtItsPath => NOT_AT_ITS_PATH,
            Self::NamesElsewhere => NAMES_ELSEWHERE,
            Self::LinkOnTheWay => LINK_ON_THE_WAY,
            Self::NotNoted => "the checkpoint cannot be written; retrying",
            Self::DirectoryNamedAsArchive(name) => {
                return write!(f, "{} is a directory; rename it; retrying until then", name.display());
            }
            Self::ArchiveNotRegular => {
                "what has the name of its newest archive is not a regular file; remove that; retrying"
            }
            Self::Os(errno) => return write!(f, "{}; retrying", io::Error::from(*errno)),
            Self::Other(kind) => return write!(f, "{kind}; retrying"),
        })
    }
}

/// Returns how many other files something holds for, too.
fn others(more: u64) -> String {
    match more {
        0 => String::new(),
        more => format!(" and {} of the same owner and mode", counted(more, "more file")),
    }
}

const LINK_LEADS_OUT: &str =
    "it is a symbolic link that leads out of the pattern's directory; name its target in SIDETAIL_PATHS";

const LINK_TO_NOTHING: &str =
    "it is a symbolic link to nothing; create its target, or name the link in SIDETAIL_EXCLUDE";

const UNSEARCHABLE: &str = "a parent directory cannot be searched; give its group or others the x permission";

const STICKY_ARCHIVE: &str = "an archive in its directory belongs to another user, and only its owner can rename or \
                              delete it there; clear the directory's sticky bit with chmod -t, or remove the archive";

const READ_ONLY: &str = "its volume is read-only; mount it writable, or turn rotation off (SIDETAIL_ROTATE_SIZE, \
                         SIDETAIL_ROTATE_INTERVAL, SIDETAIL_DIR_BUDGET)";

const APPEND_ONLY: &str = "it is append-only; clear the attribute with chattr -a, or turn rotation off \
                           (SIDETAIL_ROTATE_SIZE, SIDETAIL_ROTATE_INTERVAL, SIDETAIL_DIR_BUDGET)";

const NO_HOLES: &str = "its file system cannot punch holes; put the logs on an emptyDir, or set \
                        SIDETAIL_ROTATE_METHOD to rename if the application reopens its logs, or to copytruncate if \
                        losing some lines is acceptable";

const ROTATED_BY_ANOTHER: &str = "another sidetail rotates the files in this directory; turn rotation off in one of \
                                  the two (SIDETAIL_ROTATE_SIZE, SIDETAIL_ROTATE_INTERVAL, SIDETAIL_DIR_BUDGET); \
                                  retrying until then";

const NOT_AT_ITS_PATH: &str =
    "it is a link, or no longer at its path; name the link's target in SIDETAIL_PATHS; retrying until then";

const NAMES_ELSEWHERE: &str = "it has other names (hard links) that no pattern matches; delete those, or name them in \
                               SIDETAIL_PATHS too; retrying";

const LINK_ON_THE_WAY: &str = "a symbolic link on its way leads in a circle, or is where others could have created it; name its \
    target in SIDETAIL_PATHS, or set SIDETAIL_LINKS to any";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::beneath::FileId;

    fn stat(kind: FileType, (uid, gid, mode): (u32, u32, u32)) -> Stat {
        let id = FileId { dev: 1, ino: 1, btime: 0 };
        let (block_bytes, allocated_bytes) = (4096, 0);
        Stat { id, kind, size: 0, links: 1, mtime: 0, uid, gid, mode, block_bytes, allocated_bytes }
    }

    /// Whose a file is that belongs to a group in which we are not.
    fn owner(mode: u32) -> Owner {
        Owner { uid: 60001, gid: 60002, mode }
    }

    /// Those that say the same of every file.
    const FIXED: [(Refusal, &str); 19] = [
        (
            Refusal::LinkLeadsOut,
            "it is a symbolic link that leads out of the pattern's directory; name its target in SIDETAIL_PATHS",
        ),
        (
            Refusal::LinkToNothing,
            "it is a symbolic link to nothing; create its target, or name the link in SIDETAIL_EXCLUDE",
        ),
        (Refusal::IsDirectory, "it is a directory; name its files, as in DIRECTORY/*.log"),
        (Refusal::NotRegular, "it is not a regular file; name it in SIDETAIL_EXCLUDE"),
        (
            Refusal::OwnOutput,
            "it is sidetail's own output; redirect the output elsewhere, or name the file in \
                              SIDETAIL_EXCLUDE",
        ),
        (
            Refusal::TooDeep,
            "it is too deep below the pattern's fixed directory; name a directory nearer to it in SIDETAIL_PATHS",
        ),
        (Refusal::Unsearchable, "a parent directory cannot be searched; give its group or others the x permission"),
        (
            Refusal::ReadOnly,
            "its volume is read-only; mount it writable, or turn rotation off (SIDETAIL_ROTATE_SIZE, \
             SIDETAIL_ROTATE_INTERVAL, SIDETAIL_DIR_BUDGET)",
        ),
        (
            Refusal::StickyArchive,
            "an archive in its directory belongs to another user, and only its owner can rename or delete it there; \
             clear the directory's sticky bit with chmod -t, or remove the archive",
        ),
        (
            Refusal::AppendOnly,
            "it is append-only; clear the attribute with chattr -a, or turn rotation off (SIDETAIL_ROTATE_SIZE, \
             SIDETAIL_ROTATE_INTERVAL, SIDETAIL_DIR_BUDGET)",
        ),
        (
            Refusal::NoHoles,
            "its file system cannot punch holes; put the logs on an emptyDir, or set SIDETAIL_ROTATE_METHOD to \
             rename if the application reopens its logs, or to copytruncate if losing some lines is acceptable",
        ),
        (
            Refusal::RotatedByAnother,
            "another sidetail rotates the files in this directory; turn rotation off in one of the two \
             (SIDETAIL_ROTATE_SIZE, SIDETAIL_ROTATE_INTERVAL, SIDETAIL_DIR_BUDGET); retrying until then",
        ),
        (
            Refusal::NotAtItsPath,
            "it is a link, or no longer at its path; name the link's target in SIDETAIL_PATHS; retrying until then",
        ),
        (
            Refusal::NamesElsewhere,
            "it has other names (hard links) that no pattern matches; delete those, or name them in SIDETAIL_PATHS \
             too; retrying",
        ),
        (
            Refusal::LinkOnTheWay,
            "a symbolic link on its way leads in a circle, or is where others could have created it; name its target \
             in SIDETAIL_PATHS, or set SIDETAIL_LINKS to any",
        ),
        (Refusal::NotNoted, "the checkpoint cannot be written; retrying"),
        (
            Refusal::ArchiveNotRegular,
            "what has the name of its newest archive is not a regular file; remove that; retrying",
        ),
        (Refusal::Os(Errno::NOSPC), "No space left on device (os error 28); retrying"),
        (Refusal::Other(io::ErrorKind::UnexpectedEof), "unexpected end of file; retrying"),
    ];

    /// Every refusal, with its sentence.
    fn sentences() -> Vec<(Refusal, String)> {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let belongs = |mode: &str| format!("belongs to 60001:60002 with mode {mode}, but sidetail runs as {uid}:{gid}");
        let advice = |owner: Owner, access| owner.way_out(access, None);
        let unreadable = |mode, is_directory| Refusal::Unreadable { owner: owner(mode), is_directory };
        let denied = |mode: &str, way_out: String| format!("permission denied: it {}; {way_out}", belongs(mode));
        let unwritable =
            |what: &str, mode: &str, way_out: String| format!("{what} {} and cannot write; {way_out}", belongs(mode));
        vec![
            (unreadable(0o600, false), denied("0600", advice(owner(0o600), Access::READ))),
            (unreadable(0o640, false), denied("0640", advice(owner(0o640), Access::READ))),
            (unreadable(0o740, true), denied("0740", advice(owner(0o740), Access::SEARCH))),
            (Refusal::Unwritable(owner(0o644)), unwritable("it", "0644", advice(owner(0o644), Access::WRITE))),
            (
                Refusal::DirectoryUnwritable(owner(0o1755)),
                unwritable("its directory", "1755", advice(owner(0o1755), Access::CREATE)),
            ),
            (
                Refusal::DirectoryNamedAsArchive("a.log.1".into()),
                "a.log.1 is a directory; rename it; retrying until then".to_owned(),
            ),
        ]
        .into_iter()
        .chain(FIXED.into_iter().map(|(refusal, sentence)| (refusal, sentence.to_owned())))
        .collect()
    }

    #[test]
    fn each_has_its_sentence_with_the_way_out() {
        for (refusal, sentence) in sentences() {
            assert_eq!(refusal.to_string(), sentence, "{refusal:?}");
        }
    }

    #[test]
    fn only_what_the_volume_refuses_holds_for_the_whole_device() {
        let of_device: Vec<Refusal> =
            sentences().into_iter().map(|(refusal, _)| refusal).filter(Refusal::is_of_device).collect();
        assert_eq!(of_device, [Refusal::ReadOnly, Refusal::NoHoles]);
        let calls =
            [Errno::ACCESS, Errno::PERM, Errno::ROFS, Errno::OPNOTSUPP, Errno::INVAL, Errno::NOSYS, Errno::NOSPC];
        let of_device: Vec<Errno> = calls.into_iter().filter(|one| Refusal::Os(*one).is_of_device()).collect();
        assert_eq!(of_device, [Errno::ROFS, Errno::OPNOTSUPP, Errno::INVAL, Errno::NOSYS]);
        // What is explained holds for as many files as what the call said.
        for call in calls.map(Refusal::Os) {
            for is_directory in [false, true] {
                let explained = call.clone().explained(Some(stat(FileType::RegularFile, (1, 1, 0o600))), is_directory);
                assert_eq!(explained.is_of_device(), call.is_of_device(), "{call:?}");
            }
        }
    }

    #[test]
    fn only_permissions_and_targets_of_links_may_come_a_moment_later() {
        for (refusal, _) in sentences() {
            let may_come =
                matches!(refusal, Refusal::Unreadable { .. } | Refusal::Unsearchable | Refusal::LinkToNothing);
            assert_eq!(refusal.may_pass_soon(), may_come, "{refusal:?}");
        }
    }

    #[test]
    fn what_an_error_means_for_following_depends_on_what_is_there() {
        let (file, directory) = (FileType::RegularFile, FileType::Directory);
        let unreadable = |is_directory| Refusal::Unreadable { owner: owner(0o600), is_directory };
        let (denied, invalid) = (io::ErrorKind::PermissionDenied, io::ErrorKind::InvalidInput);
        for (why, kind, expected) in [
            (Errno::XDEV.into(), None, Refusal::LinkLeadsOut),
            (Errno::NOENT.into(), None, Refusal::LinkToNothing),
            (invalid.into(), Some(directory), Refusal::IsDirectory),
            (invalid.into(), Some(FileType::Fifo), Refusal::NotRegular),
            (invalid.into(), None, Refusal::NotRegular),
            (io::Error::from(denied), Some(file), unreadable(false)),
            (Errno::PERM.into(), Some(directory), unreadable(true)),
            (Errno::ACCESS.into(), None, Refusal::Unsearchable),
            (Errno::LOOP.into(), Some(file), Refusal::LinkOnTheWay),
            (io::ErrorKind::UnexpectedEof.into(), None, Refusal::Other(io::ErrorKind::UnexpectedEof)),
        ] {
            let stat = kind.map(|kind| stat(kind, (60001, 60002, 0o600)));
            assert_eq!(Refusal::to_follow(&why, stat), expected, "{why}, {kind:?}");
        }
        assert_eq!(Refusal::of_walk(&NotSearched::TooDeep, None), Refusal::TooDeep);
        assert_eq!(Refusal::of_walk(&NotSearched::Failed(Errno::ACCESS.into()), None), Refusal::Unsearchable);
    }

    #[test]
    fn what_a_call_said_means_for_reclaiming_depends_on_what_refused() {
        for (errno, of_file, of_directory) in [
            (Errno::ROFS, Refusal::ReadOnly, Refusal::ReadOnly),
            (Errno::ACCESS, Refusal::Unwritable(owner(0o644)), Refusal::DirectoryUnwritable(owner(0o644))),
            (Errno::PERM, Refusal::AppendOnly, Refusal::StickyArchive),
            (Errno::OPNOTSUPP, Refusal::NoHoles, Refusal::NoHoles),
            (Errno::INVAL, Refusal::NoHoles, Refusal::NoHoles),
            (Errno::NOSYS, Refusal::NoHoles, Refusal::NoHoles),
            (Errno::NOSPC, Refusal::Os(Errno::NOSPC), Refusal::Os(Errno::NOSPC)),
        ] {
            let stat = Some(stat(FileType::RegularFile, (60001, 60002, 0o644)));
            assert_eq!(Refusal::Os(errno).explained(stat, false), of_file);
            assert_eq!(Refusal::Os(errno).explained(stat, true), of_directory);
        }
        assert_eq!(Refusal::Os(Errno::ACCESS).explained(None, false), Refusal::Os(Errno::ACCESS), "whose is not known");
        assert_eq!(Refusal::NotNoted.explained(None, true), Refusal::NotNoted);
    }

    #[test]
    fn what_holds_for_all_files_of_an_owner_is_said_of_all() {
        let refusal = Refusal::Unreadable { owner: owner(0o640), is_directory: false };
        let text = |more| refusal.none_followed(Path::new("/l/a.log"), more).text;
        assert!(text(0).starts_with("cannot follow /l/a.log: permission denied"), "{}", text(0));
        assert!(
            text(1).starts_with("cannot follow /l/a.log and 1 more file of the same owner and mode: "),
            "{}",
            text(1)
        );
        assert!(text(26).contains(" and 26 more files of the same owner and mode: "), "{}", text(26));
        let setting = Refusal::Unwritable(owner(0o600)).not_reclaimed(Path::new("/l/postgresql.log")).text;
        assert!(setting.contains("log_file_mode = 0660 in postgresql.conf"), "{setting}");
    }

    #[test]
    fn what_a_refusal_means_is_found_of_its_file() {
        let path = Path::new("/logs/a.log");
        assert_eq!(
            Refusal::NotRegular.not_followed(path),
            Finding::of(
                path,
                Kind::Unreadable,
                "cannot follow /logs/a.log: it is not a regular file; name it in SIDETAIL_EXCLUDE"
            )
        );
        assert_eq!(
            Refusal::NotNoted.not_reclaimed(path),
            Finding::of(
                path,
                Kind::Rotation,
                "cannot reclaim disk space of /logs/a.log: the checkpoint cannot be written; retrying"
            )
        );
    }
}
