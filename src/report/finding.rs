//! Something that is not as it should be, as data: the loop says it, `check` lists it, a test compares it.

use std::path::{Path, PathBuf};

use crate::paths::watch::NoEvents;

/// What is found on the way, or by a look at everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Archives,
    BirthTimes,
    Budget,
    Checkpoint,
    Configuration,
    DirectoryMissing,
    Format,
    Inotify,
    Links,
    Locked,
    NearlyFull,
    NoMatch,
    OpenFiles,
    RotateSize,
    Rotation,
    State,
    Unreadable,
}

impl Kind {
    /// Returns its name, for programs.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Archives => "archives",
            Self::BirthTimes => "birth-times",
            Self::Budget => "budget",
            Self::Checkpoint => "checkpoint",
            Self::Configuration => "configuration",
            Self::DirectoryMissing => "directory-missing",
            Self::Format => "format",
            Self::Inotify => "inotify",
            Self::Links => "links",
            Self::Locked => "locked",
            Self::NearlyFull => "nearly-full",
            Self::NoMatch => "no-match",
            Self::OpenFiles => "open-files",
            Self::RotateSize => "rotate-size",
            Self::Rotation => "rotation",
            Self::State => "state",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Kind {
    /// Returns whether it passes by itself: an application that has not begun has written nothing yet, a start makes a checkpoint
    /// anew that is damaged, and a disk that is nearly full may be the node's, which the kubelet empties.
    #[must_use]
    pub(crate) fn passes(self) -> bool {
        matches!(self, Self::DirectoryMissing | Self::NoMatch | Self::Checkpoint | Self::NearlyFull)
    }
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    /// The file that it is about; the text names it too.
    pub(crate) about: Option<PathBuf>,
    /// What is wrong, and the way out.
    pub(crate) text: String,
}

impl Finding {
    /// Returns one that is about no file.
    #[must_use]
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, about: None, text: text.into() }
    }

    /// Returns one that is about a file.
    #[must_use]
    pub(crate) fn of(about: &Path, kind: Kind, text: impl Into<String>) -> Self {
        Self { about: Some(about.to_owned()), ..Self::new(kind, text) }
    }

    /// Returns what to say if the kernel refuses openat2(2).
    #[must_use]
    pub(crate) fn without_openat2() -> Self {
        Self::new(
            Kind::Links,
            "cannot use openat2: the kernel or the seccomp profile refuses it; not following symbolic links; update \
             the runtime's seccomp profile, or name the links' targets in SIDETAIL_PATHS",
        )
    }

    /// Says it, as a warning.
    pub(crate) fn tell(&self) {
        let Self { kind, about, text } = self;
        let kind = kind.name();
        match about {
            Some(path) => tracing::warn!(kind, file = %path.display(), "{text}"),
            None => tracing::warn!(kind, "{text}"),
        }
    }
}

impl From<&NoEvents> for Finding {
    fn from(why: &NoEvents) -> Self {
        Self::new(
            Kind::Inotify,
            format!(
                "{why}; polling several times per second instead; raise fs.inotify.max_user_instances or \
                 fs.inotify.max_user_watches on the node"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::rc::Rc;

    #[test]
    fn what_has_no_events_is_told_with_the_way_out() {
        let way_out = "; polling several times per second instead; raise fs.inotify.max_user_instances or \
                       fs.inotify.max_user_watches on the node";
        let not_started = NoEvents::NotStarted(io::Error::from_raw_os_error(24));
        let used_up = NoEvents::TooManyWatches(Rc::from(Path::new("/logs")));
        for (why, text) in [
            (not_started, "cannot start inotify: Too many open files (os error 24)"),
            (used_up, "cannot watch /logs: the limit fs.inotify.max_user_watches is reached"),
        ] {
            assert_eq!(Finding::from(&why), Finding::new(Kind::Inotify, format!("{text}{way_out}")));
        }
    }
}
