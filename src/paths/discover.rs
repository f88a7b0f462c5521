//! Which paths exist: compares the patterns with the directories, now and whenever something appears.
//!
//! It walks a pattern component by component beneath its fixed directory, lists only directories that a glob needs, and
//! watches each directory on the way, also those where the rest of the way does not exist yet. A directory is watched
//! before it is listed, so nothing can appear unseen in between. `**` does not enter symbolic links.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::Bound;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use crate::paths::beneath::{Links, Root, Stat, real_path};
use crate::paths::found_path::left_out;
pub(crate) use crate::paths::found_path::{Found, NotSearched, is_missing};
use crate::paths::glob::{LeftOut, NameGlob, Pattern};
use crate::paths::open_directory::OpenDirectory;
use crate::paths::roots::Roots;
pub(crate) use crate::paths::walk::Ended;
use crate::paths::walk::{Along, Walk};
use crate::paths::watch::Watch;

/// How often all is walked again if there are more, and how many times as long as it takes is waited at least.
const WALK_BEYOND_EVERY: Duration = Duration::from_secs(10);
const WALK_BEYOND_SHARE: u32 = 20;

/// How many directories are asked at one time whether they have changed.
const ASKED_MAX: usize = 512;

/// Among how many names the others of a file are looked for, at most: it takes some milliseconds.
const NAMES_MAX: usize = 16_384;

/// What a walk over all patterns gave.
#[derive(Debug)]
pub(crate) struct Walked {
    /// What the patterns match.
    pub found: Vec<Found>,
    /// The directories that are there but could not be searched: what is beneath them is not known.
    pub failed: Vec<(PathBuf, NotSearched)>,
    /// Whether the kernel refused openat2(2).
    pub is_openat2_refused: bool,
}

/// What a part of a walk gave.
#[derive(Debug)]
pub(crate) struct WalkPart {
    /// What the patterns match.
    pub found: Vec<Found>,
    /// How the walk ended, if it did.
    pub ended: Option<Ended>,
}

/// Puts what has the oldest contents first.
pub(crate) fn oldest_first(found: &mut [Found]) {
    let mtime = |one: &Found| one.stat.as_ref().map_or(0, |stat| stat.mtime);
    found.sort_unstable_by(|one, other| (mtime(one), &one.path).cmp(&(mtime(other), &other.path)));
}

/// The patterns and the directories that they lead through.
#[derive(Debug)]
pub(crate) struct Discovery {
    patterns: Vec<(Rc<Path>, Pattern)>,
    exclude: Vec<NameGlob>,
    roots: Rc<Roots>,
    /// The directories that the last walk visited, with their mtime then; 0 where it has to be looked at again anyway.
    directories: BTreeMap<Rc<Path>, i64>,
    /// The walk that is under way.
    under_way: Option<Walk>,
    /// When all is walked again, if the last walk came through more directories than are remembered.
    walk_again: Option<Instant>,
    /// The directory that was asked last whether it has changed.
    asked_last: Option<Rc<Path>>,
    /// Files that the last walk left out, some of each pattern.
    left_out: Vec<(PathBuf, LeftOut)>,
}

impl Discovery {
    /// Looks at nothing yet.
    #[must_use]
    pub(crate) fn new(patterns: Vec<Pattern>, exclude: Vec<NameGlob>, links: Links) -> Self {
        let patterns = patterns.into_iter().map(|pattern| (Rc::from(&*pattern.root), pattern)).collect();
        let roots = Rc::new(Roots::new(links));
        let directories = BTreeMap::new();
        let (under_way, walk_again, asked_last, left_out) = (None, None, None, Vec::new());
        Self { patterns, exclude, roots, directories, under_way, walk_again, asked_last, left_out }
    }

    /// Returns the first pattern's fixed directory: where the checkpoint is kept by default.
    #[must_use]
    pub(crate) fn first_root(&self) -> &Path {
        self.patterns.first().map_or(Path::new("/"), |(root, _)| root)
    }

    /// Returns the patterns' fixed directories.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &Path> {
        self.patterns.iter().map(|(root, _)| &**root)
    }

    /// Returns the same, to keep.
    pub(crate) fn shared_roots(&self) -> impl Iterator<Item = Rc<Path>> {
        self.patterns.iter().map(|(root, _)| Rc::clone(root))
    }

    /// Walks all patterns in one piece and returns what they match, oldest contents first; watches every directory on the way.
    pub(crate) fn walk(&mut self, watch: &mut Watch) -> Walked {
        self.begin_walk(watch);
        let mut all = Vec::new();
        loop {
            let part = self.walk_on(watch, usize::MAX);
            all.extend(part.found);
            if let Some(ended) = part.ended {
                all.sort_unstable_by(|a, b| a.path.cmp(&b.path));
                all.dedup_by(|a, b| a.path == b.path);
                oldest_first(&mut all);
                return Walked { found: all, failed: ended.failed, is_openat2_refused: ended.is_openat2_refused };
            }
        }
    }

    /// Begins to walk all patterns; [`Discovery::walk_on`] does it.
    pub(crate) fn begin_walk(&mut self, watch: &mut Watch) {
        self.roots.look_again();
        watch.begin_walk();
        self.under_way = Some(Walk::default());
    }

    /// Walks on, over some `steps` names and directories: one system call or two for each.
    pub(crate) fn walk_on(&mut self, watch: &mut Watch, steps: usize) -> WalkPart {
        let began = Instant::now();
        let Some(mut walk) = self.under_way.take() else { return WalkPart { found: Vec::new(), ended: None } };
        let found =
            walk.go_on(&Along { patterns: &self.patterns, exclude: &self.exclude, roots: &self.roots }, watch, steps);
        walk.took += began.elapsed();
        if !walk.is_over() {
            self.under_way = Some(walk);
            return WalkPart { found, ended: None };
        }
        watch.end_walk();
        let Walk { directories, left_out, ended, took, .. } = walk;
        let pause = (took * WALK_BEYOND_SHARE).max(WALK_BEYOND_EVERY);
        self.walk_again = ended.is_beyond_watches.then(|| Instant::now() + pause);
        (self.directories, self.left_out) = (directories, left_out);
        self.asked_last = None;
        WalkPart { found, ended: Some(ended) }
    }

    /// Returns files that a pattern matches and that the last walk left out, some of each pattern.
    pub(crate) fn left_out(&self) -> &[(PathBuf, LeftOut)] {
        &self.left_out
    }

    /// Returns the directories that the last walk visited.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.directories.keys().map(|path| &**path)
    }

    /// Returns the first of these directories behind another one.
    pub(crate) fn directory_after(&self, from: Bound<Rc<Path>>) -> Option<Rc<Path>> {
        self.directories.range((from, Bound::Unbounded)).next().map(|(path, _)| Rc::clone(path))
    }

    /// Returns whether a directory is one of these.
    pub(crate) fn has_directory(&self, path: &Path) -> bool {
        self.directories.contains_key(path)
    }

    /// Returns what is at a path, if a pattern matches it and it is not excluded.
    #[must_use]
    pub(crate) fn look(&self, path: &Path) -> Option<Found> {
        let (root, _) = self.patterns.iter().find(|(_, pattern)| pattern.matches(path))?;
        if left_out(&self.exclude, path).is_some() {
            return None;
        }
        Some(self.look_beneath(root, path))
    }

    /// Returns whether links may lead from beneath a root to a place, as it is really called.
    #[must_use]
    pub(crate) fn may_lead_to(&self, root: &Path, place: &Path) -> bool {
        self.roots.leads_to(root, place)
    }

    /// Returns a file's path as people know it: below the directory before the pattern's first glob or brace.
    #[must_use]
    pub(crate) fn shown_name(&self, path: &Path) -> PathBuf {
        let pattern = self.patterns.iter().find(|(_, pattern)| pattern.matches(path));
        pattern.and_then(|(_, pattern)| path.strip_prefix(&pattern.base).ok()).unwrap_or(path).to_owned()
    }

    /// Returns what is at a path beneath a root, whatever its name.
    #[must_use]
    pub(crate) fn look_beneath(&self, root: &Rc<Path>, path: &Path) -> Found {
        let name = path.strip_prefix(root).unwrap_or(path).to_owned();
        let stat = self.roots.open(root).and_then(|open| open.stat(&name));
        Found { path: path.to_owned(), name, stat, root: Rc::clone(root), roots: Rc::clone(&self.roots) }
    }

    /// Opens the fixed directory that a directory on the way of a pattern lies beneath, and returns the rest of its path; what
    /// is above all of them is opened itself.
    fn root_of(&self, directory: &Path) -> io::Result<(Root, PathBuf)> {
        let above = self.roots().filter(|root| directory.starts_with(root)).max_by_key(|root| root.as_os_str().len());
        let root = above.unwrap_or(directory);
        Ok((self.roots.open(root)?, directory.strip_prefix(root).unwrap_or(Path::new("")).to_owned()))
    }

    /// Returns what a pattern's fixed directory is really called, behind links.
    pub(crate) fn real_root(&self, root: &Path) -> Option<PathBuf> {
        real_path(self.roots.open(root).ok()?.descriptor())
    }

    /// Opens a pattern's fixed directory.
    ///
    /// # Errors
    /// As [`Roots::open`].
    pub(crate) fn open_root(&self, root: &Path) -> io::Result<Root> {
        self.roots.open(root)
    }

    /// Opens a directory on the way of a pattern, reached through no link.
    ///
    /// # Errors
    /// As [`OpenDirectory::beneath`].
    pub(crate) fn open_directory(&self, directory: &Path) -> io::Result<OpenDirectory> {
        let (root, rel) = self.root_of(directory)?;
        OpenDirectory::beneath(&root, &rel)
    }

    /// Returns what a directory on the way of a pattern is.
    ///
    /// # Errors
    /// As [`Root::stat`].
    pub(crate) fn stat_directory(&self, directory: &Path) -> io::Result<Stat> {
        let (root, rel) = self.root_of(directory)?;
        root.stat(&rel)
    }

    /// Returns whether all names of a file with several are in directories on the way of the patterns, reached through no link.
    ///
    /// Limit: of more than [`NAMES_MAX`] names in these directories it is not known.
    #[must_use]
    pub(crate) fn has_all_names(&self, file: &Stat) -> bool {
        let directories = self.directories().filter_map(|directory| self.open_directory(directory).ok());
        let names = directories.flat_map(|directory| {
            let of_file = |(name, _, ino): (OsString, FileType, u64)| {
                ino == file.id.ino && directory.stat(&name).is_ok_and(|stat| stat.id == file.id)
            };
            directory.names().into_iter().flatten().map(of_file).collect::<Vec<_>>()
        });
        let found = names.take(NAMES_MAX).filter(|is_it| *is_it).count();
        found >= usize::try_from(file.links).unwrap_or(usize::MAX)
    }

    /// Returns whether there is anything at a path in a directory on the way of a pattern.
    #[must_use]
    pub(crate) fn is_there(&self, path: &Path) -> bool {
        self.stat_directory(path).is_ok()
    }

    /// Returns when a directory on the way of a pattern last changed, in nanoseconds since 1970: nothing in it was created
    /// later.
    #[must_use]
    pub(crate) fn changed_at(&self, directory: &Path) -> i64 {
        let listed = self.root_of(directory).and_then(|(root, rel)| root.open_dir(&rel));
        listed.map_or(i64::MIN, |(_, stat)| stat.mtime)
    }

    /// Returns whether a pattern matches a path; it may be excluded.
    #[must_use]
    pub(crate) fn is_matched(&self, path: &Path) -> bool {
        self.patterns.iter().any(|(_, pattern)| pattern.matches(path))
    }

    /// Returns the paths in a directory that are `wanted`, with their kinds and inodes as the directory has them, without
    /// compressed and excluded files. There may be any number of others: they are passed over while it is listed.
    #[must_use]
    pub(crate) fn entries(
        &self,
        directory: &Path,
        wanted: impl Fn(&Path, FileType, u64) -> bool,
    ) -> Vec<(PathBuf, FileType, u64)> {
        let mut entries = Vec::new();
        self.each_entry(directory, |path, kind, inode| {
            if wanted(path, kind, inode) && left_out(&self.exclude, path).is_none() {
                entries.push((path.to_owned(), kind, inode));
            }
        });
        entries
    }

    /// Shows the paths in a directory one after the other, with their kinds and inodes as the directory has them.
    pub(crate) fn each_entry(&self, directory: &Path, mut show: impl FnMut(&Path, FileType, u64)) {
        let listed = self.root_of(directory).and_then(|(root, rel)| root.open_dir(&rel));
        let Ok((listing, _)) = listed else { return };
        let mut path = directory.join("name");
        for entry in listing.flatten() {
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                path.set_file_name(OsStr::from_bytes(name));
                show(&path, entry.file_type(), entry.ino());
            }
        }
    }

    /// Returns whether a path is left out although a pattern may match it: it is excluded, or compressed.
    pub(crate) fn is_left_out(&self, path: &Path) -> bool {
        left_out(&self.exclude, path).is_some()
    }

    /// Returns whether a directory changed since the last walk, one `statx` each, of some of them at a time: for changes without an
    /// event; or whether it is time to look into those that are not remembered.
    #[must_use]
    pub(crate) fn is_stale(&mut self) -> bool {
        let is_changed = |path: &Path, mtime: i64| match self.stat_directory(path) {
            Ok(stat) => mtime == 0 || stat.mtime != mtime,
            Err(_) => true,
        };
        let from = self.asked_last.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let mut last = None;
        let is_any_changed = self.directories.range((from, Bound::Unbounded)).take(ASKED_MAX).any(|(path, mtime)| {
            last = Some(path);
            is_changed(path, *mtime)
        });
        let is_end = last.is_none_or(|last| self.directories.last_key_value().is_some_and(|(end, _)| end == last));
        self.asked_last = last.filter(|_| !is_end).cloned();
        let is_due = self.walk_again.is_some_and(|due| Instant::now() >= due);
        self.roots.look_again() || is_due || is_any_changed
    }

    /// Returns whether a name in a directory that is no log file itself may lead to some: a link that was swapped.
    #[must_use]
    pub(crate) fn may_lead_to_files(&self, directory: &Path, name: &OsStr) -> bool {
        !name.as_bytes().ends_with(b".tmp")
            && self.root_of(directory).is_ok_and(|(root, rel)| root.is_link(&rel.join(name)))
    }
}
