//! Which refusals were reported, so that each is reported once: for files that cannot be followed, also when they recover, and
//! for files that cannot be reclaimed.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::finding::{Finding, Kind};
use super::refusal::Refusal;
use crate::paths::beneath::{FileId, Stat};
use crate::paths::discover::NotSearched;

/// How many refusals are remembered and reported one by one.
const REFUSALS_MAX: usize = 1000;

/// How long a file may lack permission, or a link its target, before that is reported.
const PASSING_WAIT: Duration = Duration::from_millis(100);

/// The files that cannot be followed now, and why.
#[derive(Debug, Default)]
pub(crate) struct NotFollowed {
    refused: HashMap<PathBuf, Refused>,
    /// What was reported of all files of an owner and a mode, of which some are still refused.
    told_of_owner: Vec<Refusal>,
    is_overflow_told: bool,
}

/// A file that cannot be followed.
#[derive(Debug)]
struct Refused {
    why: Refusal,
    /// When it was first seen to be refused.
    since: Instant,
    is_told: bool,
    /// Whether it was reported together with another one.
    is_of_group: bool,
}

impl Refused {
    fn new(why: Refusal, since: Instant) -> Self {
        Self { why, since, is_told: false, is_of_group: false }
    }

    /// Notes that it is still refused, and returns whether to report that now: once per reason, but a missing permission or
    /// target only if it is still missing a while later.
    fn is_to_be_told(&mut self, why: Refusal, now: Instant) -> bool {
        let is_known = self.is_told && self.why == why;
        let is_too_soon = why.may_pass_soon() && !self.is_told && now.duration_since(self.since) < PASSING_WAIT;
        self.why = why;
        self.is_told |= !is_too_soon;
        !is_known && !is_too_soon
    }
}

impl NotFollowed {
    /// Returns the refused paths, for a retry; not those that are too deep, which only a look at everything meets.
    #[must_use]
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let refused = self.refused.iter().filter(|(_, refused)| refused.why != Refusal::TooDeep);
        refused.map(|(path, _)| path.clone()).collect()
    }

    /// Forgets the directories that were too deep, but for those that a look at everything has met again.
    pub(crate) fn forget_too_deep(&mut self, met: &HashSet<&Path>) {
        self.refused.retain(|path, refused| refused.why != Refusal::TooDeep || met.contains(&**path));
    }

    /// Forgets a path that is not there any more, or no longer of interest.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.remove(path);
    }

    /// Removes a path; when the last one of an owner and a mode is gone, another one is news.
    fn remove(&mut self, path: &Path) -> Option<Refused> {
        let refused = self.refused.remove(path)?;
        if !self.refused.values().any(|other| other.why == refused.why) {
            self.told_of_owner.retain(|told| *told != refused.why);
        }
        Some(refused)
    }

    /// Reports that a file cannot be opened, unless that was reported before. A file that does not exist is not reported, and a
    /// missing permission only if a later look finds it, too.
    pub(crate) fn refuse(&mut self, path: &Path, why: &io::Error, stat: Option<Stat>, is_link: impl FnOnce() -> bool) {
        if why.kind() == io::ErrorKind::NotFound && !is_link() {
            self.remove(path);
            return;
        }
        self.tell(path, Refusal::to_follow(why, stat));
    }

    /// The same for a directory that a walk could not enter.
    pub(crate) fn refuse_directory(&mut self, path: &Path, why: &NotSearched, stat: Option<Stat>) {
        self.tell(path, Refusal::of_walk(why, stat));
    }

    /// The same for a file that is our own output.
    pub(crate) fn refuse_output(&mut self, path: &Path) {
        self.tell(path, Refusal::OwnOutput);
    }

    /// Reports that a file can be followed now, if the opposite was reported.
    pub(crate) fn accept(&mut self, path: &Path) {
        if self.recovers(path) {
            tracing::warn!(file = %path.display(), "{} can be followed now", path.display());
        }
    }

    /// Removes a path, and returns whether it was reported by its name that it cannot be followed.
    fn recovers(&mut self, path: &Path) -> bool {
        self.remove(path).is_some_and(|refused| refused.is_told && !refused.is_of_group)
    }

    /// The same for a directory that a walk entered; if a pattern matches the directory itself, it still cannot be followed as
    /// a file.
    pub(crate) fn accept_directory(&mut self, path: &Path) {
        if self.refused.get(path).is_some_and(|refused| refused.why != Refusal::IsDirectory) {
            self.accept(path);
        }
    }

    fn tell(&mut self, path: &Path, why: Refusal) {
        if let Some(found) = self.note(path, why, Instant::now()) {
            found.tell();
        }
    }

    /// Notes a refusal, and returns what to report of it now.
    fn note(&mut self, path: &Path, why: Refusal, now: Instant) -> Option<Finding> {
        if !self.refused.contains_key(path) {
            if self.refused.len() >= REFUSALS_MAX {
                return self.overflow();
            }
            self.refused.insert(path.to_owned(), Refused::new(why.clone(), now));
        }
        let is_to_be_told = self.refused.get_mut(path)?.is_to_be_told(why.clone(), now);
        is_to_be_told.then(|| self.report(path, &why)).flatten()
    }

    /// Returns the report of a refusal; what depends on nothing but owner and mode is reported once for all files that have the
    /// same.
    fn report(&mut self, path: &Path, why: &Refusal) -> Option<Finding> {
        let is_of_group = why.is_of_owner() && self.told_of_owner.contains(why);
        if let Some(refused) = self.refused.get_mut(path) {
            refused.is_of_group = is_of_group;
        }
        if is_of_group {
            return None;
        }
        if !why.is_of_owner() {
            return Some(why.not_followed(path));
        }
        // What nothing is refused for any more can be forgotten.
        self.told_of_owner.retain(|told| self.refused.values().any(|other| other.why == *told));
        self.told_of_owner.push(why.clone());
        let more = self.refused.values().filter(|other| other.why == *why).count() - 1;
        Some(why.none_followed(path, more as u64))
    }

    fn overflow(&mut self) -> Option<Finding> {
        let is_told = std::mem::replace(&mut self.is_overflow_told, true);
        let text = format!(
            "more than {REFUSALS_MAX} files cannot be followed; not reporting the others; exclude them with SIDETAIL_EXCLUDE"
        );
        (!is_told).then(|| Finding::new(Kind::Unreadable, text))
    }
}

/// What was reported about files that cannot be reclaimed: a device, one of its files or none for all of them, and the reason.
#[derive(Debug, Default)]
pub(crate) struct NotReclaimed(Vec<(u64, Option<u64>, Refusal)>);

impl NotReclaimed {
    /// Returns whether to report this for a file: it was not reported before, and counts as reported now.
    pub(crate) fn is_news(&mut self, id: FileId, why: &Refusal) -> bool {
        let ino = Some(id.ino).filter(|_| !why.is_of_device() && !why.is_of_owner());
        let about = (id.dev, ino, why.clone());
        let is_news = self.0.len() < REFUSALS_MAX && !self.0.contains(&about);
        if is_news {
            self.0.push(about);
        }
        is_news
    }

    /// Forgets the reports about a file and its device after something was reclaimed: another refusal is news.
    pub(crate) fn forget(&mut self, id: FileId) {
        let is_of_another = |ino: Option<u64>| ino.is_some_and(|ino| ino != id.ino);
        self.0.retain(|(dev, ino, why)| *dev != id.dev || why.is_of_owner() || is_of_another(*ino));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::FileType;
    use rustix::io::Errno;

    fn denied(mode: u32) -> Refusal {
        let id = FileId { dev: 1, ino: 1, btime: 0 };
        let (uid, gid, block_bytes, allocated_bytes) = (1001, 1002, 4096, 0);
        let kind = FileType::RegularFile;
        let stat = Stat { id, kind, size: 0, links: 1, mtime: 0, uid, gid, mode, block_bytes, allocated_bytes };
        Refusal::to_follow(&Errno::ACCESS.into(), Some(stat))
    }

    /// Looks at a file after so many milliseconds for each, finds it refused for a reason, and returns which looks are reported.
    fn told(looks: &[(u64, Refusal)]) -> Vec<usize> {
        let since = Instant::now();
        let mut refused = Refused::new(looks[0].1.clone(), since);
        let is_told =
            |(after, why): &(u64, Refusal)| refused.is_to_be_told(why.clone(), since + Duration::from_millis(*after));
        let told: Vec<bool> = looks.iter().map(is_told).collect();
        (0..looks.len()).filter(|look| told[*look]).collect()
    }

    #[test]
    fn a_missing_permission_is_told_once_and_only_if_it_stays() {
        // Created, given its mode, and still refused at the tick.
        let (before, after) = (denied(0o600), denied(0o200));
        let looks = [(0, before.clone()), (1, after.clone()), (2000, after.clone()), (4000, after.clone())];
        assert_eq!(told(&looks), [2]);
        assert_eq!(told(&[(0, before.clone()), (99, before.clone())]), [0; 0]);
        assert_eq!(told(&[(0, before.clone()), (100, before.clone())]), [1]);
        // What was told and has changed is news.
        assert_eq!(told(&[(0, before.clone()), (200, before), (201, after)]), [1, 2]);
    }

    #[test]
    fn what_no_application_changes_soon_is_told_at_once() {
        let fifo = Refusal::NotRegular;
        assert_eq!(told(&[(0, fifo.clone()), (0, fifo.clone()), (2000, fifo.clone())]), [0]);
        assert_eq!(told(&[(0, denied(0o600)), (1, fifo), (2, denied(0o600))]), [1, 2]);
    }

    #[test]
    fn a_file_that_was_not_told_of_is_forgotten_without_a_word() {
        let mut refusals = NotFollowed::default();
        let (path, now) = (Path::new("/a.log"), Instant::now());
        assert_eq!(refusals.note(path, denied(0o600), now), None);
        assert_eq!(refusals.paths(), [path]);
        assert!(!refusals.refused[path].is_told);
        refusals.accept(path);
        assert!(refusals.paths().is_empty());
    }

    /// Notes one refusal of each file, and returns the beginnings of what is reported.
    fn reports(refusals: &mut NotFollowed, paths: &[&Path], why: &Refusal, now: Instant) -> Vec<String> {
        let found = paths.iter().filter_map(|path| refusals.note(path, why.clone(), now));
        found.map(|found| found.text.split(": ").next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn files_of_one_owner_and_mode_are_reported_once_and_anew_when_none_is_left() {
        let mut refusals = NotFollowed::default();
        let (since, later) = (Instant::now(), Instant::now() + PASSING_WAIT);
        let paths = ["/a.log", "/b.log", "/c.log"].map(Path::new);
        let all = "cannot follow /a.log and 2 more files of the same owner and mode";
        assert_eq!(reports(&mut refusals, &paths, &denied(0o600), since), [""; 0]);
        assert_eq!(reports(&mut refusals, &paths, &denied(0o600), later), [all]);
        assert_eq!(reports(&mut refusals, &paths, &denied(0o600), later), [""; 0]);
        assert_eq!(
            reports(&mut refusals, &paths[2..], &denied(0o200), later),
            ["cannot follow /c.log"],
            "another mode"
        );
        // What was named can be followed now, the others were not.
        assert_eq!(paths.map(|path| refusals.recovers(path)), [true, false, true]);
        assert!(refusals.told_of_owner.is_empty());
        assert_eq!(reports(&mut refusals, &paths, &denied(0o600), later), [""; 0], "seen for the first time again");
        let later = later + PASSING_WAIT;
        assert_eq!(reports(&mut refusals, &paths, &denied(0o600), later), [all], "none was left");
    }

    #[test]
    fn a_file_that_gets_a_reason_of_its_own_is_named_when_it_recovers() {
        let mut refusals = NotFollowed::default();
        let (since, later) = (Instant::now(), Instant::now() + PASSING_WAIT);
        let paths = ["/a.log", "/b.log"].map(Path::new);
        reports(&mut refusals, &paths, &denied(0o600), since);
        reports(&mut refusals, &paths, &denied(0o600), later);
        assert_eq!(reports(&mut refusals, &paths[1..], &Refusal::NotRegular, later), ["cannot follow /b.log"]);
        assert!(refusals.recovers(paths[1]));
    }

    #[test]
    fn more_refusals_than_are_remembered_are_reported_once() {
        let (mut refusals, now) = (NotFollowed::default(), Instant::now());
        let names: Vec<_> = (0..REFUSALS_MAX + 3).map(|number| format!("/{number}.log")).collect();
        let paths: Vec<_> = names.iter().map(Path::new).collect();
        let told = reports(&mut refusals, &paths, &Refusal::NotRegular, now);
        assert_eq!((told.len(), refusals.refused.len()), (REFUSALS_MAX + 1, REFUSALS_MAX));
        assert!(told[REFUSALS_MAX].starts_with("more than 1000 files cannot be followed"), "{told:?}");
        // Those that are remembered recover, and make room.
        assert!(refusals.recovers(paths[0]) && !refusals.recovers(paths[REFUSALS_MAX]));
        let told = reports(&mut refusals, &paths[REFUSALS_MAX..], &Refusal::NotRegular, now);
        assert_eq!(told, [format!("cannot follow /{REFUSALS_MAX}.log")]);
    }

    #[test]
    fn a_directory_that_is_searched_is_no_file_that_can_be_followed() {
        let mut refusals = NotFollowed::default();
        let (path, now) = (Path::new("/a.log"), Instant::now());
        assert!(refusals.note(path, Refusal::IsDirectory, now).is_some());
        refusals.accept_directory(path);
        assert_eq!(refusals.paths(), [path]);
        assert!(refusals.note(path, Refusal::TooDeep, now).is_some());
        refusals.accept_directory(path);
        assert!(refusals.paths().is_empty());
    }

    #[test]
    fn a_directory_that_is_too_deep_is_told_once_as_long_as_it_is_met() {
        let mut refusals = NotFollowed::default();
        let (path, now) = (Path::new("/deep"), Instant::now());
        assert!(refusals.note(path, Refusal::TooDeep, now).is_some());
        // Nothing at this path could be looked at, and found to be gone.
        assert!(refusals.paths().is_empty());
        refusals.forget_too_deep(&HashSet::from([path]));
        assert!(refusals.note(path, Refusal::TooDeep, now).is_none(), "it is met again");
        refusals.forget_too_deep(&HashSet::new());
        assert!(refusals.note(path, Refusal::TooDeep, now).is_some(), "it was gone");
    }

    #[test]
    fn each_reason_is_told_once_of_a_file_or_of_its_device() {
        let mut told = NotReclaimed::default();
        let file = |ino| FileId { dev: 1, ino, btime: 0 };
        let (denied, unable) = (Refusal::Os(Errno::ACCESS), Refusal::Os(Errno::OPNOTSUPP));
        assert!(told.is_news(file(1), &denied) && !told.is_news(file(1), &denied), "once");
        assert!(told.is_news(file(2), &denied), "of another file");
        assert!(told.is_news(file(1), &Refusal::NotAtItsPath), "another reason");
        let of = |name: &str| Refusal::DirectoryNamedAsArchive(name.into());
        assert!(told.is_news(file(1), &of("a.log.1")) && !told.is_news(file(1), &of("a.log.1")), "one in the way");
        assert!(told.is_news(file(1), &of("a.log.2")), "another in the way");
        assert!(told.is_news(file(1), &unable) && !told.is_news(file(2), &unable), "of the device");
        assert!(told.is_news(FileId { dev: 2, ..file(1) }, &unable), "of another device");
        told.forget(file(1));
        assert!(told.is_news(file(1), &denied) && told.is_news(file(2), &unable), "again");
        assert!(!told.is_news(file(2), &denied), "what was told of others stays");
    }
}
