//! What is on the pipe, per file, kept on disk so that a restart goes on there.
//!
//! One small file of fixed slots: a header, then a slot of 512 bytes for each followed file, each a checksum and a JSON
//! object on a line of its own, so that `cat` shows it. A slot is rewritten in place by one `pwrite`, which needs no space
//! on a full disk, and lies within one page, so that SIGKILL cannot tear it. A slot that does not fit its checksum is left
//! out. Files are known again by their identity, not by their path: the path is for people.
//!
//! The checkpoint is a help, not a condition: whatever is wrong with it, one warning tells it and the stream goes on.
//! Without it a restart repeats what is still in the files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::disk::policy::Intent;
use crate::output::rules::{Route, Stream};
use crate::paths::beneath::{FileId, Stat};
use crate::read::position::{Digest, Position};

/// The size of a slot: a page holds a whole number of them.
const SLOT_BYTES: usize = 512;

/// How many slots the disk space is reserved for at one time: 32 KiB.
const SLOTS_RESERVED: u64 = 64;

/// How much of a path is kept, in characters: an escaped character takes up to six bytes of its slot.
const PATH_CHARS_MAX: usize = 16;

/// The checksum before an object, in hexadecimal digits, and a blank.
const SUM_BYTES: usize = 17;

/// The header's text; another version's header starts otherwise.
const HEADER: &str = "sidetail checkpoint 1: a checksum and a JSON object a file, 512 bytes each\n";

/// The directory's name, where the checkpoint is kept beside the logs.
pub const DIRECTORY: &str = ".sidetail";

/// Where the checkpoint is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// In `.sidetail/` in the first pattern's fixed directory.
    #[default]
    Auto,
    /// In this directory, created if it does not exist.
    Directory(PathBuf),
    /// In memory only, without a warning.
    Off,
}

/// The number of a slot; 0 is the header.
pub type Slot = u32;

/// What is kept of one file.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The path that it was first followed at.
    pub path: &'a Path,
    /// Files that were once at this path are done with if they were born before this time; nanoseconds since 1970.
    pub since: i64,
    /// Which file it is.
    pub id: FileId,
    /// How far it has been streamed.
    pub position: Position,
    /// Where the line goes of which only a part was streamed.
    pub line_route: Option<Route>,
    /// Where the last record went, which the next line may continue.
    pub record_route: Option<Route>,
    /// The first byte that was not given back.
    pub kept: u64,
    /// What is about to be done to it.
    pub intent: Intent,
}

/// What is known of a file from an earlier process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// Its slot.
    pub slot: Slot,
    /// The checksum of the path that it was first followed at.
    pub at: u64,
    /// How far it had been streamed.
    pub position: Position,
    /// Where the line goes of which only a part was streamed.
    pub line_route: Option<Route>,
    /// Where the last record went, which the next line may continue.
    pub record_route: Option<Route>,
    /// The first byte that was not given back.
    pub kept: u64,
    /// What was about to be done to it.
    pub intent: Intent,
}

/// Returns the checksum that stands for a path in [`Known::since`].
#[must_use]
pub fn path_sum(path: &Path) -> u64 {
    Digest::of(path.as_os_str().as_bytes()).hash
}

/// What an earlier process left.
#[derive(Debug, Default)]
pub struct Known {
    /// How far each file had been streamed.
    pub files: HashMap<FileId, KnownFile>,
    /// Of each path's checksum: the birth time before which its rotated files are done with; see [`Entry::since`].
    pub since: HashMap<u64, i64>,
    /// Whether there was no checkpoint at all.
    pub is_first_start: bool,
    /// When the checkpoint was last written, in nanoseconds since 1970: no file that was born later had been seen. 0 if there
    /// was none that could be read.
    pub last_written: i64,
}

/// The checkpoint file, or the lack of one.
#[derive(Debug)]
pub struct Checkpoint {
    directory: Option<PathBuf>,
    name: String,
    /// Whether it is where applications can write too, and where it may have to wait for the directory.
    is_beside_logs: bool,
    store: Option<Store>,
}

impl Checkpoint {
    /// Prepares the checkpoint of the given patterns; [`Checkpoint::open`] opens it.
    ///
    /// Its file is named after `patterns`, so that two programs in one pod that follow different files do not meet.
    #[must_use]
    pub fn new(place: &Place, logs: &Path, patterns: &str) -> Self {
        let directory = match place {
            Place::Auto => Some(logs.join(DIRECTORY)),
            Place::Directory(path) => Some(path.clone()),
            Place::Off => None,
        };
        Self {
            directory,
            name: format!("{:016x}", Digest::of(patterns.as_bytes()).hash),
            is_beside_logs: *place == Place::Auto,
            store: None,
        }
    }

    /// Returns where its file is, or will be; `None` if it is kept in memory.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.join(&self.name))
    }

    /// Returns what to say if its file cannot be opened.
    #[must_use]
    pub fn refusal(&self, why: &io::Error) -> String {
        let path = self.path().unwrap_or_default();
        format!(
            "cannot keep state in {}: {why}; it is kept in memory, a restart repeats what is still in the files, set \
             SIDETAIL_STATE to a writable directory or to off",
            path.display()
        )
    }

    /// Opens or creates the file, locks it, and returns what it knows. Returns `None`, to try again later, while the
    /// directory that it should be made in does not exist.
    ///
    /// Whatever else is in the way is told in one warning, and the state is kept in memory.
    pub fn open(&mut self) -> Option<Known> {
        let nothing = Known { is_first_start: true, ..Known::default() };
        let Some(directory) = &self.directory else { return Some(nothing) };
        match Store::open(directory, &self.name, self.is_beside_logs) {
            Ok((store, known)) => {
                self.store = Some(store);
                Some(known)
            }
            Err(why) if self.is_beside_logs && why.kind() == io::ErrorKind::NotFound => None,
            Err(why) => {
                let path = directory.join(&self.name);
                let path = path.display();
                if why.kind() == io::ErrorKind::WouldBlock {
                    tracing::warn!(
                        file = %path,
                        "cannot lock {path}: another sidetail follows the same patterns; this one keeps its state in \
                         memory, a restart of it repeats what is still in the files"
                    );
                } else {
                    tracing::warn!(file = %path, "{}", self.refusal(&why));
                }
                self.directory = None;
                Some(nothing)
            }
        }
    }

    /// Writes how far a file has been streamed: one `pwrite`; says whether it could be written. `slot` is the file's own, and
    /// is given one when it has none.
    pub fn save(&mut self, slot: &mut Option<Slot>, entry: Entry<'_>) -> bool {
        let Some(store) = &mut self.store else { return false };
        let number = *slot.get_or_insert_with(|| store.free_slot());
        store.write(number, &SlotContents::new(entry).line())
    }

    /// Says whether there is a file that outlives the process.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.store.is_some()
    }

    /// Returns the file, to flush it.
    ///
    /// # Errors
    /// `NotFound` where there is none, and those of dup(2).
    pub fn file(&self) -> io::Result<OwnedFd> {
        self.store.as_ref().map_or(Err(io::ErrorKind::NotFound.into()), |store| store.file.try_clone())
    }

    /// Forgets a file that has ended.
    pub fn forget(&mut self, slot: Option<Slot>) {
        if let (Some(store), Some(slot)) = (&mut self.store, slot) {
            // If it cannot be written, that is told there.
            let _ = store.write(slot, &blank());
            store.free.push(slot);
        }
    }
}

/// The open file.
#[derive(Debug)]
struct Store {
    path: PathBuf,
    file: OwnedFd,
    free: Vec<Slot>,
    next: Slot,
    /// The first slot that could not be written, until it can.
    failing: Option<Slot>,
}

impl Store {
    fn open(directory: &Path, name: &str, is_beside_logs: bool) -> io::Result<(Self, Known)> {
        match rustix::fs::mkdir(directory, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(Errno::NOENT) if !is_beside_logs => std::fs::create_dir_all(directory)?,
            Err(why) => return Err(why.into()),
        }
        // An application could put a link there and have us write elsewhere; a directory of the user's choice may be one.
        let own = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let of_directory = if is_beside_logs { own } else { OFlags::CLOEXEC };
        let at = rustix::fs::open(directory, OFlags::RDONLY | OFlags::DIRECTORY | of_directory, Mode::empty())?;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(&at, name, OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK | own, mode)?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let mut store = Self { path: directory.join(name), file, free: Vec::new(), next: 1, failing: None };
        let known = store.load()?;
        Ok((store, known))
    }

    fn load(&mut self) -> io::Result<Known> {
        let header = self.read(0)?;
        let is_first_start = header.is_empty();
        let last_written = Stat::of(&self.file)?.mtime;
        let mut known = Known { is_first_start, ..Known::default() };
        if !header.starts_with(HEADER.as_bytes()) {
            if !is_first_start {
                tracing::warn!(
                    file = %self.path.display(),
                    "cannot read the checkpoint {}: it is damaged or of another version; a new one is begun, what is \
                     still in the files is streamed again",
                    self.path.display()
                );
            }
            self.begin()?;
            return Ok(known);
        }
        known.last_written = last_written;
        let mut damaged = 0_u32;
        loop {
            let line = self.read(self.next)?;
            if line.is_empty() {
                break;
            }
            match SlotContents::parse(&line) {
                Some(record) => {
                    known.files.insert(record.id(), record.known(self.next));
                    let since = known.since.entry(record.at).or_insert(record.since);
                    *since = record.since.max(*since);
                }
                None => {
                    damaged += u32::from(!line.iter().all(|byte| matches!(byte, b' ' | b'\n' | 0)));
                    self.free.push(self.next);
                }
            }
            self.next += 1;
        }
        if damaged > 0 {
            tracing::warn!(
                file = %self.path.display(),
                "cannot read {damaged} entries of the checkpoint {}: they are damaged; the files that they were for are \
                 streamed again from their beginning",
                self.path.display()
            );
        }
        Ok(known)
    }

    fn begin(&self) -> io::Result<()> {
        rustix::fs::ftruncate(&self.file, 0)?;
        let mut header = blank();
        header[..HEADER.len()].copy_from_slice(HEADER.as_bytes());
        self.reserve(0);
        if rustix::io::pwrite(&self.file, &header, 0)? != header.len() {
            return Err(Errno::NOSPC.into());
        }
        Ok(())
    }

    /// Returns a slot's bytes, empty behind the last one.
    fn read(&self, slot: Slot) -> io::Result<Vec<u8>> {
        let mut line = vec![0; SLOT_BYTES];
        let read = rustix::io::pread(&self.file, &mut line, slot_offset(slot))?;
        line.truncate(read);
        Ok(line)
    }

    fn free_slot(&mut self) -> Slot {
        self.free.pop().unwrap_or_else(|| {
            if u64::from(self.next) % SLOTS_RESERVED == 0 {
                self.reserve(self.next);
            }
            self.next += 1;
            self.next - 1
        })
    }

    /// Reserves disk space, so that the slots can be written when the disk is full. A file system that cannot reserve, or
    /// a disk that is full already, shows when a slot is written.
    fn reserve(&self, from: Slot) {
        let bytes = SLOTS_RESERVED * SLOT_BYTES as u64;
        let _ = rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, slot_offset(from), bytes);
    }

    /// Writes a slot, and says whether that went well; tells when it begins to fail, and when it works again.
    fn write(&mut self, slot: Slot, line: &[u8; SLOT_BYTES]) -> bool {
        let written = match rustix::io::pwrite(&self.file, line, slot_offset(slot)) {
            Ok(SLOT_BYTES) => Ok(()),
            Ok(_) => Err(io::Error::from(Errno::NOSPC)),
            Err(why) => Err(io::Error::from(why)),
        };
        let is_written = written.is_ok();
        match written {
            // On a full disk slots that have their block are written still: only this one tells that there is space again.
            Ok(()) if self.failing == Some(slot) => {
                self.failing = None;
                tracing::warn!(file = %self.path.display(), "the checkpoint {} is written again", self.path.display());
            }
            Err(why) if self.failing.is_none() => {
                self.failing = Some(slot);
                tracing::warn!(
                    file = %self.path.display(),
                    "cannot write the checkpoint {}: {why}; streaming goes on, a restart now repeats what is streamed from \
                     here on, free some space",
                    self.path.display()
                );
            }
            _ => {}
        }
        is_written
    }
}

/// A slot's contents.
#[derive(Debug, Serialize, Deserialize)]
struct SlotContents<'a> {
    path: Cow<'a, str>,
    at: u64,
    since: i64,
    dev: u64,
    ino: u64,
    btime: i64,
    offset: u64,
    marker: (u64, u64),
    head: (u64, u64),
    /// 0, or within a line that goes to stdout (1), to stderr (2), nowhere (3).
    line: u8,
    /// The same of the last record.
    #[serde(default)]
    record: u8,
    #[serde(default)]
    kept: u64,
    #[serde(default)]
    was: (u64, u64),
    /// Nothing (0), a collapse of so many bytes (1), an archive up to this offset (2), and which file that is.
    #[serde(default)]
    intent: (u8, u64, u64),
}

/// The routes in the order of their numbers in [`Record::line`] and [`Record::record`].
const ROUTES: [Option<Route>; 4] =
    [None, Some(Route::To(Stream::Stdout)), Some(Route::To(Stream::Stderr)), Some(Route::Drop)];

impl<'a> SlotContents<'a> {
    fn new(Entry { path, since, id, position, line_route, record_route, kept, intent }: Entry<'a>) -> Self {
        let number = |of| ROUTES.iter().position(|route| *route == of).map_or(0, |index| index as u8);
        let at = path_sum(path);
        Self {
            path: end_of(path.to_string_lossy()),
            at,
            since,
            dev: id.dev,
            ino: id.ino,
            btime: id.btime,
            offset: position.offset,
            marker: (position.marker.bytes, position.marker.hash),
            head: (position.head.bytes, position.head.hash),
            line: number(line_route),
            record: number(record_route),
            kept,
            was: (position.head_before.bytes, position.head_before.hash),
            intent: match intent {
                Intent::None => (0, 0, 0),
                Intent::Collapse(bytes) => (1, bytes, 0),
                Intent::Archive { end, id } => (2, end, id),
            },
        }
    }

    fn known(&self, slot: Slot) -> KnownFile {
        let route = |number: u8| ROUTES.get(usize::from(number)).copied().flatten();
        let (line_route, record_route) = (route(self.line), route(self.record));
        let intent = match self.intent {
            (1, bytes, _) => Intent::Collapse(bytes),
            (2, end, id) => Intent::Archive { end, id },
            _ => Intent::None,
        };
        KnownFile { slot, at: self.at, position: self.position(), line_route, record_route, kept: self.kept, intent }
    }

    fn id(&self) -> FileId {
        FileId { dev: self.dev, ino: self.ino, btime: self.btime }
    }

    fn position(&self) -> Position {
        let digest = |(bytes, hash): (u64, u64)| Digest { bytes, hash };
        let (head, head_before) = (digest(self.head), digest(self.was));
        Position { offset: self.offset, marker: digest(self.marker), head, head_before }
    }

    /// Returns the slot's line: the checksum of the object, the object, blanks, a newline.
    fn line(&self) -> [u8; SLOT_BYTES] {
        let mut line = blank();
        let (sum, object) = line[..SLOT_BYTES - 1].split_at_mut(SUM_BYTES);
        let room = object.len();
        let mut rest = &mut object[..];
        serde_json::to_writer(&mut rest, self).expect("a slot takes the largest numbers and the longest path");
        let bytes = room - rest.len();
        write!(&mut sum[..], "{:016x} ", Digest::of(&object[..bytes]).hash).expect("sixteen digits and a blank");
        line
    }

    /// Returns the record of a line, or `None` if it is damaged.
    fn parse(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?.trim_end();
        let (sum, json) = text.split_once(' ')?;
        let sum = u64::from_str_radix(sum, 16).ok()?;
        if sum != Digest::of(json.as_bytes()).hash {
            return None;
        }
        serde_json::from_str(json).ok()
    }
}

/// Returns the end of a path, as much as a slot keeps of it.
fn end_of(path: Cow<'_, str>) -> Cow<'_, str> {
    let (start, _) = path.char_indices().rev().nth(PATH_CHARS_MAX - 1).unwrap_or((0, ' '));
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(&path[start..]),
        Cow::Owned(path) => Cow::Owned(path[start..].to_owned()),
    }
}

fn blank() -> [u8; SLOT_BYTES] {
    let mut line = [b' '; SLOT_BYTES];
    line[SLOT_BYTES - 1] = b'\n';
    line
}

fn slot_offset(slot: Slot) -> u64 {
    u64::from(slot) * SLOT_BYTES as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::buffer::{HEAD_BYTES, MARKER_BYTES};
    use std::fs;

    const ID: FileId = FileId { dev: u64::MAX, ino: u64::MAX, btime: i64::MIN };
    const HEAD: Digest = Digest { bytes: HEAD_BYTES, hash: u64::MAX };

    const LARGEST: Position = Position {
        offset: u64::MAX,
        marker: Digest { bytes: MARKER_BYTES as u64, hash: u64::MAX },
        head: HEAD,
        head_before: HEAD,
    };

    fn entry(path: &str, id: FileId, position: Position) -> Entry<'_> {
        Entry {
            path: Path::new(path),
            since: i64::MIN,
            id,
            position,
            line_route: Some(Route::Drop),
            record_route: Some(Route::To(Stream::Stderr)),
            kept: u64::MAX,
            intent: Intent::Archive { end: u64::MAX, id: u64::MAX },
        }
    }

    fn checkpoint(dir: &Path) -> Checkpoint {
        Checkpoint::new(&Place::Directory(dir.join("state")), Path::new("/nowhere"), "*.log")
    }

    fn state_file(dir: &Path) -> PathBuf {
        let mut entries = fs::read_dir(dir.join("state")).expect("the directory");
        entries.next().expect("one file").expect("readable").path()
    }

    #[test]
    fn what_was_saved_is_known_again_and_what_was_forgotten_is_not() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let other = FileId { ino: 1, ..ID };
        let mut first = checkpoint(dir.path());
        assert!(first.open().expect("opened").is_first_start);
        let (mut slot, mut other_slot) = (None, None);
        first.save(&mut slot, entry("/a.log", ID, Position::default()));
        first.save(&mut other_slot, entry("/b.log", other, Position::default()));
        first.save(&mut slot, entry("/a.log", ID, LARGEST));
        first.forget(other_slot);
        drop(first);
        let known = checkpoint(dir.path()).open().expect("opened");
        assert!(!known.is_first_start);
        assert_eq!(known.files.len(), 1);
        let KnownFile { position, line_route, record_route, kept, intent, .. } = known.files[&ID];
        assert_eq!((position, line_route, record_route), (LARGEST, Some(Route::Drop), Some(Route::To(Stream::Stderr))));
        assert_eq!((kept, intent), (u64::MAX, Intent::Archive { end: u64::MAX, id: u64::MAX }));
        assert_eq!(known.since[&path_sum(Path::new("/a.log"))], i64::MIN);
    }

    #[test]
    fn the_largest_record_fits_its_slot() {
        let path = "\u{1}".repeat(4096);
        let line = SlotContents::new(entry(&path, ID, LARGEST)).line();
        assert_eq!(SlotContents::parse(&line).expect("whole").position(), LARGEST);
    }

    #[test]
    fn a_second_one_does_not_share_the_file() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (mut first, mut second) = (checkpoint(dir.path()), checkpoint(dir.path()));
        first.open();
        assert!(second.open().expect("goes on").is_first_start);
        assert!(first.store.is_some() && second.store.is_none());
    }

    #[test]
    fn a_directory_that_is_not_there_yet_is_waited_for() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let logs = dir.path().join("late");
        let mut late = Checkpoint::new(&Place::Auto, &logs, "*.log");
        assert!(late.open().is_none());
        fs::create_dir(&logs).expect("a directory");
        assert!(late.open().is_some() && late.store.is_some());
    }

    #[test]
    fn damage_costs_only_what_is_damaged() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut first = checkpoint(dir.path());
        first.open();
        for ino in 1..=3 {
            first.save(&mut None, entry("/a.log", FileId { ino, ..ID }, Position::default()));
        }
        drop(first);
        let path = state_file(dir.path());
        let mut bytes = fs::read(&path).expect("the file");
        bytes[2 * SLOT_BYTES + 40] ^= 1;
        bytes.truncate(3 * SLOT_BYTES + 100);
        fs::write(&path, &bytes).expect("written");
        let known = checkpoint(dir.path()).open().expect("opened");
        assert_eq!(known.files.keys().map(|id| id.ino).collect::<Vec<_>>(), [1]);
        fs::write(&path, b"garbage\0\xff").expect("written");
        let known = checkpoint(dir.path()).open().expect("opened");
        assert!(known.files.is_empty() && !known.is_first_start);
        assert!(fs::read(&path).expect("the file").starts_with(HEADER.as_bytes()));
    }
}
