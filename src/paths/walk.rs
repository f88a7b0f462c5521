//! One walk over all patterns, a part at a time: there may be tens of thousands of names and directories, and the loop has other
//! work.
//!
//! What there is to do is a stack, so the depth of directories is no depth of calls. A directory stays open while it is listed; what
//! appears in it behind the place of the listing is reported by its watch, or shown by its time of change.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Dir, FileType};

use super::beneath::{Root, Stat};
use super::found_path::{Found, NotSearched, is_missing, left_out};
use super::glob::{Component, LeftOut, NameGlob, Pattern};
use super::roots::Roots;
use super::watch::Watch;

/// How deep a walk goes beneath a fixed directory: no log directory is deeper.
const DEPTH_MAX: usize = 40;

/// How many directories are remembered and watched, and how long their paths may be together, in bytes. What is in others is
/// found by a walk.
const REMEMBERED_MAX: usize = 4096;
const REMEMBERED_BYTES_MAX: usize = 512 * 1024;

/// How many directories that could not be searched are named.
const FAILED_MAX: usize = 512;

/// A directory whose change is younger than this may have changed again within the same tick of the file system's clock
/// (4 ms on older kernels) without showing it.
const MTIME_DOUBT_NS: i64 = 50_000_000;

/// How many files are named that a pattern matches and that are left out.
const LEFT_OUT_MAX: usize = 8;

/// How many names that a pattern does not match are one step: they take no system call each.
const FOREIGN_PER_STEP: usize = 16;

/// What a walk goes by.
pub(super) struct Along<'a> {
    pub(super) patterns: &'a [(Rc<Path>, Pattern)],
    pub(super) exclude: &'a [NameGlob],
    pub(super) roots: &'a Rc<Roots>,
}

/// What was in the way of a whole walk.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The directories that are there but could not be searched: what is beneath them is not known.
    pub failed: Vec<(PathBuf, NotSearched)>,
    /// Whether there are more of these than are named.
    pub has_more_failed: bool,
    /// Whether there are more directories than are watched.
    pub is_beyond_watches: bool,
    /// Whether the kernel refused openat2(2).
    pub is_openat2_refused: bool,
}

/// A place on the way of a pattern: the path beneath its fixed directory, how many of its components led there, and how deep that is.
#[derive(Debug)]
struct Spot {
    rel: PathBuf,
    at: usize,
    depth: usize,
}

/// What is to be done.
#[derive(Debug)]
enum Task {
    /// To look at a directory.
    Directory(Spot),
    /// To go on with the names in one, which is open from the first of them on.
    Names(Spot, Option<Dir>),
}

/// A pattern whose turn it is.
#[derive(Debug)]
struct Beneath {
    path: Rc<Path>,
    root: Root,
    components: Rc<[Component]>,
}

impl Beneath {
    /// Returns the absolute path; joining nothing would add a slash.
    fn absolute(&self, rel: &Path) -> PathBuf {
        if rel.as_os_str().is_empty() { self.path.to_path_buf() } else { self.path.join(rel) }
    }

    /// File systems that do not report kinds in a listing: a link is not followed here, as it would not be elsewhere.
    fn kind_without_following(&self, rel: &Path) -> FileType {
        self.root.stat_itself(rel).map_or(FileType::Unknown, |stat| stat.kind)
    }
}

/// A walk on its way.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The directories that it visited, with their mtime then; 0 where it has to be looked at again anyway.
    pub(super) directories: BTreeMap<Rc<Path>, i64>,
    /// Files that it left out, some of each pattern.
    pub(super) left_out: Vec<(PathBuf, LeftOut)>,
    pub(super) ended: Ended,
    /// How long it has taken so far.
    pub(super) took: Duration,
    left_out_max: usize,
    /// How long the paths of all directories are together.
    path_bytes: usize,
    /// How many patterns had their turns, or have.
    patterns: usize,
    at: Option<Beneath>,
    tasks: Vec<Task>,
    is_over: bool,
}

impl Walk {
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Does so many steps, and returns what was found.
    pub(super) fn go_on(&mut self, along: &Along<'_>, watch: &mut Watch, steps: usize) -> Vec<Found> {
        let mut found = Vec::new();
        for _ in 0..steps {
            if let Some(at) = self.at.take() {
                match self.tasks.pop() {
                    Some(Task::Directory(place)) => found.extend(self.directory(along, watch, &at, place)),
                    Some(Task::Names(place, listing)) => found.extend(self.next_name(along, &at, place, listing)),
                    None => {
                        self.ended.is_openat2_refused |= at.root.is_openat2_refused();
                        continue;
                    }
                }
                self.at = Some(at);
            } else if let Some((path, pattern)) = along.patterns.get(self.patterns) {
                self.patterns += 1;
                self.left_out_max = self.left_out.len() + LEFT_OUT_MAX;
                self.begin(along, watch, path, pattern);
            } else {
                self.is_over = true;
                break;
            }
        }
        found
    }

    fn begin(&mut self, along: &Along<'_>, watch: &mut Watch, path: &Rc<Path>, pattern: &Pattern) {
        // The directory above tells when this one is deleted and made again; its own watch would be silent about that for as
        // long as we hold a deleted file of it open.
        if let Some(above) = path.parent() {
            watch.add_names(&Rc::from(above));
        }
        match along.roots.open(path) {
            Ok(root) => {
                self.tasks.push(Task::Directory(Spot { rel: PathBuf::new(), at: 0, depth: 0 }));
                self.at = Some(Beneath { path: Rc::clone(path), root, components: Rc::from(&*pattern.components) });
            }
            Err(why) if is_missing(&why) => self.nearest_existing(along, watch, path),
            Err(why) => self.fail(path.to_path_buf(), NotSearched::Failed(why)),
        }
    }

    /// Watches the deepest directory that exists on the way to one that does not.
    fn nearest_existing(&mut self, along: &Along<'_>, watch: &mut Watch, path: &Path) {
        for ancestor in path.ancestors().skip(1) {
            if let Ok(root) = along.roots.open(ancestor) {
                self.visit(watch, ancestor, root.stat(Path::new("")).ok());
                self.ended.is_openat2_refused |= root.is_openat2_refused();
                return;
            }
        }
    }

    fn directory(&mut self, along: &Along<'_>, watch: &mut Watch, from: &Beneath, place: Spot) -> Option<Found> {
        let Spot { rel, at, depth } = place;
        let (first, rest) = from.components.get(at..)?.split_first()?;
        let here = from.absolute(&rel);
        self.visit(watch, &here, from.root.stat(&rel).ok());
        if depth > DEPTH_MAX {
            self.fail(here, NotSearched::TooDeep);
            return None;
        }
        match first {
            Component::Name(name) => return self.entry(along, from, Spot { rel: rel.join(name), at: at + 1, depth }),
            Component::Glob(_) => self.tasks.push(Task::Names(Spot { rel, at, depth }, None)),
            Component::Deep => {
                let here = Spot { rel: rel.clone(), at: at + 1, depth };
                self.tasks.push(Task::Names(Spot { rel, at, depth }, None));
                if !rest.is_empty() {
                    self.tasks.push(Task::Directory(here));
                }
            }
        }
        None
    }

    /// Goes on with one name that the pattern matched so far: to its directory, or to the file itself.
    fn entry(&mut self, along: &Along<'_>, from: &Beneath, Spot { rel, at, depth }: Spot) -> Option<Found> {
        if at < from.components.len() {
            match from.root.stat(&rel) {
                Ok(stat) if stat.kind == FileType::Directory => {
                    self.tasks.push(Task::Directory(Spot { rel, at, depth: depth + 1 }));
                }
                Err(why) if !is_missing(&why) => self.fail(from.absolute(&rel), NotSearched::Failed(why)),
                Ok(_) | Err(_) => {}
            }
            return None;
        }
        let path = from.path.join(&rel);
        if let Some(why) = left_out(along.exclude, &path) {
            if self.left_out.len() < self.left_out_max && from.root.is_there(&rel) {
                self.left_out.push((path, why));
            }
            return None;
        }
        let stat = from.root.stat(&rel);
        if stat.as_ref().is_err_and(is_missing) && !from.root.is_link(&rel) {
            return None;
        }
        Some(Found { path, name: rel, stat, root: Rc::clone(&from.path), roots: Rc::clone(along.roots) })
    }

    /// Goes on to the next name in a directory that its component matches.
    fn next_name(&mut self, along: &Along<'_>, from: &Beneath, place: Spot, listing: Option<Dir>) -> Option<Found> {
        let component = from.components.get(place.at)?;
        let mut listing = match listing.map_or_else(|| from.root.open_dir(&place.rel).map(|(listing, _)| listing), Ok) {
            Ok(listing) => listing,
            Err(why) => {
                if !is_missing(&why) {
                    self.fail(from.absolute(&place.rel), NotSearched::Failed(why));
                }
                return None;
            }
        };
        for _ in 0..FOREIGN_PER_STEP {
            // As after an error before, the rest of a directory is left for the next walk.
            let Some(Ok(entry)) = listing.next() else { return None };
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." || !component.matches(name) {
                continue;
            }
            let Spot { at, depth, .. } = place;
            let below = place.rel.join(name);
            self.tasks.push(Task::Names(place, Some(listing)));
            return self.matched(along, from, Spot { rel: below, at, depth }, entry.file_type());
        }
        self.tasks.push(Task::Names(place, Some(listing)));
        None
    }

    /// Goes on with a name that the component at a place matches.
    fn matched(&mut self, along: &Along<'_>, from: &Beneath, below: Spot, kind: FileType) -> Option<Found> {
        let Spot { rel, at, depth } = below;
        let is_last = at + 1 == from.components.len();
        match from.components.get(at)? {
            Component::Deep => {
                let kind = if kind == FileType::Unknown { from.kind_without_following(&rel) } else { kind };
                if kind == FileType::Directory {
                    self.tasks.push(Task::Directory(Spot { rel, at, depth: depth + 1 }));
                }
                None
            }
            // A directory that `*` happens to match is not what was asked for, and no reason for a warning.
            Component::Glob(glob) if is_last && glob == b"*" && kind == FileType::Directory => None,
            Component::Glob(_) | Component::Name(_) => self.entry(along, from, Spot { rel, at: at + 1, depth }),
        }
    }

    /// Notes a directory that could not be searched.
    fn fail(&mut self, path: PathBuf, why: NotSearched) {
        if self.ended.failed.len() < FAILED_MAX {
            self.ended.failed.push((path, why));
        } else {
            self.ended.has_more_failed = true;
        }
    }

    /// Watches a directory, and remembers when it last changed, before it is listed.
    fn visit(&mut self, watch: &mut Watch, path: &Path, stat: Option<Stat>) {
        if self.directories.contains_key(path) {
            return;
        }
        let path_bytes = self.path_bytes + path.as_os_str().len();
        if self.directories.len() >= REMEMBERED_MAX || path_bytes > REMEMBERED_BYTES_MAX {
            self.ended.is_beyond_watches = true;
            return;
        }
        self.path_bytes = path_bytes;
        let path: Rc<Path> = Rc::from(path);
        watch.add(&path);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let mtime = stat.map_or(0, |stat| stat.mtime);
        let in_doubt = i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(mtime) < MTIME_DOUBT_NS;
        self.directories.insert(path, if in_doubt { 0 } else { mtime });
    }
}
