//! Which paths exist: compares the patterns with the directories, now and whenever something appears.
//!
//! It walks a pattern component by component beneath its fixed directory, lists only directories that a glob needs, and
//! watches each directory on the way, also those where the rest of the way does not exist yet. A directory is watched
//! before it is listed, so nothing can appear unseen in between. `**` does not enter symbolic links.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::FileType;

use crate::paths::beneath::{FileId, Links, Root, Stat, real_path};
use crate::paths::glob::{Component, LeftOut, NameGlob, Pattern, is_compressed};
use crate::paths::open_directory::OpenDirectory;
use crate::paths::roots::Roots;
use crate::paths::watch::Watch;

/// How deep a walk goes beneath a fixed directory: no log directory is deeper, and the stack must not depend on one.
const DEPTH_MAX: usize = 40;

/// How many directories are remembered and watched, and how long their paths may be together, in bytes. What is in others is
/// found by a walk.
const REMEMBERED_MAX: usize = 4096;
const REMEMBERED_BYTES_MAX: usize = 512 * 1024;

/// How often all is walked again if there are more.
const WALK_BEYOND_EVERY: Duration = Duration::from_secs(10);

/// How many directories that could not be searched are named.
const FAILED_MAX: usize = 512;

/// Among how many names the others of a file are looked for, at most: it takes some milliseconds.
const NAMES_MAX: usize = 16_384;

/// A directory whose change is younger than this may have changed again within the same tick of the file system's clock
/// (4 ms on older kernels) without showing it.
const MTIME_DOUBT_NS: i64 = 50_000_000;

/// How many files are named that a pattern matches and that are left out.
const LEFT_OUT_MAX: usize = 8;

/// A path that a pattern matches, and what was there.
#[derive(Debug)]
pub(crate) struct Found {
    /// The absolute path.
    pub path: PathBuf,
    /// The path beneath the pattern's fixed directory.
    pub name: PathBuf,
    /// What `statx` said, or why it could not be asked.
    pub stat: io::Result<Stat>,
    /// The pattern's fixed directory.
    pub root: Rc<Path>,
    roots: Rc<Roots>,
}

impl Found {
    /// Opens the file for reading, beneath its root.
    ///
    /// # Errors
    /// As [`Root::open_file`].
    pub(crate) fn open(&self) -> io::Result<(OwnedFd, Stat)> {
        self.roots.open(&self.root)?.open_file(&self.name)
    }

    /// Opens the directory that the path is in, reached through no link.
    ///
    /// # Errors
    /// As [`OpenDirectory::parent_beneath`].
    pub(crate) fn open_parent(&self) -> io::Result<OpenDirectory> {
        OpenDirectory::parent_beneath(&self.roots.open(&self.root)?, &self.name)
    }

    /// Returns what is at the path itself, reached through no link: `ELOOP` if there is one on the way.
    ///
    /// # Errors
    /// As [`Root::stat_itself`].
    pub(crate) fn stat_itself(&self) -> io::Result<Stat> {
        self.roots.open(&self.root)?.stat_itself(&self.name)
    }

    /// Returns whether there is a link at the path, wherever it leads.
    pub(crate) fn is_link(&self) -> bool {
        self.roots.open(&self.root).is_ok_and(|root| root.is_link(&self.name))
    }

    /// Opens the file if it is still, or again, the one with this identity.
    #[must_use]
    pub(crate) fn open_as(&self, id: FileId) -> Option<OwnedFd> {
        self.open().ok().filter(|(_, stat)| stat.id == id).map(|(file, _)| file)
    }
}

/// Why a directory could not be searched.
#[derive(Debug)]
pub(crate) enum NotSearched {
    /// It is far below the pattern's fixed directory.
    TooDeep,
    Failed(io::Error),
}

/// What a walk over all patterns gave.
#[derive(Debug)]
pub(crate) struct Walked {
    /// What the patterns match.
    pub found: Vec<Found>,
    /// The directories that are there but could not be searched: what is beneath them is not known.
    pub failed: Vec<(PathBuf, NotSearched)>,
    /// Whether there are more of these than are named.
    pub has_more_failed: bool,
    /// Whether there are more directories than are watched.
    pub is_beyond_watches: bool,
    /// Whether the kernel refused openat2(2).
    pub is_openat2_refused: bool,
}

/// The patterns and the directories that they lead through.
#[derive(Debug)]
pub(crate) struct Discovery {
    patterns: Vec<(Rc<Path>, Pattern)>,
    exclude: Vec<NameGlob>,
    roots: Rc<Roots>,
    /// The directories that the last walk visited, with their mtime then; 0 where it has to be looked at again anyway.
    directories: BTreeMap<Rc<Path>, i64>,
    /// When the last walk was, if it came through more directories than are remembered.
    walked_beyond: Option<Instant>,
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
        Self { patterns, exclude, roots, directories, walked_beyond: None, left_out: Vec::new() }
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

    /// Walks all patterns and returns what they match, oldest contents first; watches every directory on the way.
    pub(crate) fn walk(&mut self, watch: &mut Watch) -> Walked {
        self.roots.look_again();
        let (exclude, roots) = (&*self.exclude, &self.roots);
        let (directories, found, failed, left_out) = (BTreeMap::new(), Vec::new(), Vec::new(), Vec::new());
        let (left_out_max, path_bytes) = (0, 0);
        let (has_more_failed, is_beyond_watches, is_openat2_refused) = (false, false, false);
        let mut walk = Walk {
            exclude,
            roots,
            watch,
            directories,
            found,
            failed,
            left_out,
            left_out_max,
            path_bytes,
            has_more_failed,
            is_beyond_watches,
            is_openat2_refused,
        };
        walk.watch.begin_walk();
        for (root, pattern) in &self.patterns {
            walk.left_out_max = walk.left_out.len() + LEFT_OUT_MAX;
            walk.pattern(root, pattern);
        }
        walk.watch.end_walk();
        let Walk {
            directories,
            mut found,
            failed,
            left_out,
            has_more_failed,
            is_beyond_watches,
            is_openat2_refused,
            ..
        } = walk;
        self.walked_beyond = is_beyond_watches.then(Instant::now);
        (self.directories, self.left_out) = (directories, left_out);
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        found.sort_by_key(|one| one.stat.as_ref().map_or(0, |stat| stat.mtime));
        Walked { found, failed, has_more_failed, is_beyond_watches, is_openat2_refused }
    }

    /// Returns files that a pattern matches and that the last walk left out, some of each pattern.
    pub(crate) fn left_out(&self) -> &[(PathBuf, LeftOut)] {
        &self.left_out
    }

    /// Returns the directories that the last walk visited.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.directories.keys().map(|path| &**path)
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
        let listed = self.root_of(directory).and_then(|(root, rel)| root.open_dir(&rel));
        let Ok((listing, _)) = listed else { return Vec::new() };
        let (mut entries, mut path) = (Vec::new(), directory.join("name"));
        for entry in listing.flatten() {
            let (name, kind, inode) = (entry.file_name().to_bytes(), entry.file_type(), entry.ino());
            if name == b"." || name == b".." {
                continue;
            }
            path.set_file_name(OsStr::from_bytes(name));
            if wanted(&path, kind, inode) && left_out(&self.exclude, &path).is_none() {
                entries.push((path.clone(), kind, inode));
            }
        }
        entries
    }

    /// Returns whether a directory changed since the last walk, one `statx` each: for changes without an event; or whether it is
    /// time to look into those that are not remembered.
    #[must_use]
    pub(crate) fn is_stale(&self) -> bool {
        let is_changed = |(path, mtime): (&Rc<Path>, &i64)| match self.stat_directory(path) {
            Ok(stat) => *mtime == 0 || stat.mtime != *mtime,
            Err(_) => true,
        };
        let is_due = self.walked_beyond.is_some_and(|walked| walked.elapsed() >= WALK_BEYOND_EVERY);
        self.roots.look_again() || is_due || self.directories.iter().any(is_changed)
    }

    /// Returns whether a name in a directory that is no log file itself may lead to some: a link that was swapped.
    #[must_use]
    pub(crate) fn may_lead_to_files(&self, directory: &Path, name: &OsStr) -> bool {
        !name.as_bytes().ends_with(b".tmp")
            && self.root_of(directory).is_ok_and(|(root, rel)| root.is_link(&rel.join(name)))
    }
}

/// One walk over all patterns.
struct Walk<'a> {
    exclude: &'a [NameGlob],
    roots: &'a Rc<Roots>,
    watch: &'a mut Watch,
    directories: BTreeMap<Rc<Path>, i64>,
    found: Vec<Found>,
    failed: Vec<(PathBuf, NotSearched)>,
    left_out: Vec<(PathBuf, LeftOut)>,
    left_out_max: usize,
    /// How long the paths of all directories are together.
    path_bytes: usize,
    has_more_failed: bool,
    is_beyond_watches: bool,
    is_openat2_refused: bool,
}

impl Walk<'_> {
    fn pattern(&mut self, path: &Rc<Path>, pattern: &Pattern) {
        // The directory above tells when this one is deleted and made again; its own watch would be silent about that for as
        // long as we hold a deleted file of it open.
        if let Some(above) = path.parent() {
            self.watch.add_names(&Rc::from(above));
        }
        match self.roots.open(path) {
            Ok(root) => {
                self.directory(&Beneath { path, root: &root }, Path::new(""), &pattern.components, 0);
                self.is_openat2_refused |= root.is_openat2_refused();
            }
            Err(why) if is_missing(&why) => self.nearest_existing(path),
            Err(why) => self.fail(path.to_path_buf(), NotSearched::Failed(why)),
        }
    }

    /// Watches the deepest directory that exists on the way to one that does not.
    fn nearest_existing(&mut self, path: &Path) {
        for ancestor in path.ancestors().skip(1) {
            if let Ok(root) = self.roots.open(ancestor) {
                self.visit(ancestor, root.stat(Path::new("")).ok());
                self.is_openat2_refused |= root.is_openat2_refused();
                return;
            }
        }
    }

    fn directory(&mut self, at: &Beneath<'_>, rel: &Path, components: &[Component], depth: usize) {
        let Some((first, rest)) = components.split_first() else { return };
        let here = at.absolute(rel);
        self.visit(&here, at.root.stat(rel).ok());
        if depth > DEPTH_MAX {
            return self.fail(here, NotSearched::TooDeep);
        }
        match first {
            Component::Name(name) => self.entry(at, rel.join(name), rest, depth),
            // A directory that `*` happens to match is not what was asked for, and no reason for a warning.
            Component::Glob(glob) if rest.is_empty() && glob == b"*" => {
                self.names(at, rel, first, |walk, name, kind| {
                    if kind != FileType::Directory {
                        walk.entry(at, rel.join(name), rest, depth);
                    }
                })
            }
            Component::Glob(_) => {
                self.names(at, rel, first, |walk, name, _| walk.entry(at, rel.join(name), rest, depth));
            }
            Component::Deep => {
                self.directory(at, rel, rest, depth);
                self.names(at, rel, first, |walk, name, kind| {
                    let below = rel.join(name);
                    let kind = match kind {
                        FileType::Unknown => at.kind_without_following(&below),
                        known => known,
                    };
                    if kind == FileType::Directory {
                        walk.directory(at, &below, components, depth + 1);
                    }
                });
            }
        }
    }

    /// Goes on with one name that the pattern matched so far: to its directory, or to the file itself.
    fn entry(&mut self, at: &Beneath<'_>, rel: PathBuf, rest: &[Component], depth: usize) {
        if !rest.is_empty() {
            match at.root.stat(&rel) {
                Ok(stat) if stat.kind == FileType::Directory => self.directory(at, &rel, rest, depth + 1),
                Err(why) if !is_missing(&why) => self.fail(at.absolute(&rel), NotSearched::Failed(why)),
                Ok(_) | Err(_) => {}
            }
            return;
        }
        let path = at.path.join(&rel);
        if let Some(why) = left_out(self.exclude, &path) {
            if self.left_out.len() < self.left_out_max && at.root.is_there(&rel) {
                self.left_out.push((path, why));
            }
            return;
        }
        let stat = at.root.stat(&rel);
        if stat.as_ref().is_err_and(is_missing) && !at.root.is_link(&rel) {
            return;
        }
        self.found.push(Found { path, name: rel, stat, root: Rc::clone(at.path), roots: Rc::clone(self.roots) });
    }

    /// Lists a directory and calls `go_on` with each name that the component matches.
    fn names(
        &mut self,
        at: &Beneath<'_>,
        rel: &Path,
        component: &Component,
        mut go_on: impl FnMut(&mut Self, &OsStr, FileType),
    ) {
        let listing = match at.root.open_dir(rel) {
            Ok((listing, _)) => listing,
            Err(why) if is_missing(&why) => return,
            Err(why) => return self.fail(at.absolute(rel), NotSearched::Failed(why)),
        };
        for entry in listing.flatten() {
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." && component.matches(name) {
                go_on(self, name, entry.file_type());
            }
        }
    }

    /// Notes a directory that could not be searched.
    fn fail(&mut self, path: PathBuf, why: NotSearched) {
        if self.failed.len() < FAILED_MAX {
            self.failed.push((path, why));
        } else {
            self.has_more_failed = true;
        }
    }

    /// Watches a directory, and remembers when it last changed, before it is listed.
    fn visit(&mut self, path: &Path, stat: Option<Stat>) {
        if self.directories.contains_key(path) {
            return;
        }
        let path_bytes = self.path_bytes + path.as_os_str().len();
        if self.directories.len() >= REMEMBERED_MAX || path_bytes > REMEMBERED_BYTES_MAX {
            self.is_beyond_watches = true;
            return;
        }
        self.path_bytes = path_bytes;
        let path: Rc<Path> = Rc::from(path);
        self.watch.add(&path);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let mtime = stat.map_or(0, |stat| stat.mtime);
        let in_doubt = i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(mtime) < MTIME_DOUBT_NS;
        self.directories.insert(path, if in_doubt { 0 } else { mtime });
    }
}

/// A root with its path.
struct Beneath<'a> {
    path: &'a Rc<Path>,
    root: &'a Root,
}

impl Beneath<'_> {
    /// Returns the absolute path; joining nothing would add a slash.
    fn absolute(&self, rel: &Path) -> PathBuf {
        if rel.as_os_str().is_empty() { self.path.to_path_buf() } else { self.path.join(rel) }
    }

    /// File systems that do not report kinds in a listing: a link is not followed here, as it would not be elsewhere.
    fn kind_without_following(&self, rel: &Path) -> FileType {
        self.root.stat_itself(rel).map_or(FileType::Unknown, |stat| stat.kind)
    }
}

/// Returns whether an error means that nothing is there; after any other error that is unknown.
#[must_use]
pub(crate) fn is_missing(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Returns why a path is not followed though a pattern matches it.
fn left_out(exclude: &[NameGlob], path: &Path) -> Option<LeftOut> {
    match exclude.iter().any(|glob| glob.matches(path)) {
        true => Some(LeftOut::Excluded),
        false => is_compressed(path).then_some(LeftOut::Compressed),
    }
}
