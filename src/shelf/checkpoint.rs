//! What is on the pipe, per file, kept on disk so that a restart goes on there.
//!
//! One small file: a header, then a slot of 1,024 bytes for each followed file, each a checksum and a JSON object on a line of
//! its own, so that `cat` shows it. Files are known again by their identity, not by their path: the path is for people.
//!
//! The checkpoint is a help, not a condition: whatever is wrong with it is reported once, and the stream goes on. Without it a
//! restart repeats what is still in the files.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::archive_book::ArchiveBook;
use super::entry::{Entry, Slot};
use super::known::{ASLEEP_BYTES, Known, Left};
use super::layout::SLOTS_MAX;
use super::records::{RECORD_BYTES, RECORDS_MAX};
use super::slot::SlotContents;
use super::state_directory::{self, DIRECTORY};
use super::store::{Flaw, NotOpened, Store, is_full};
use crate::disk::own_ids::OwnIds;
use crate::paths::beneath::{FileId, Links};
use crate::paths::discover::is_missing;
use crate::paths::open_directory::OpenDirectory;
use crate::read::position::Digest;
use crate::report::finding::{Finding, Kind};

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

/// What follows for files that only a damaged entry knew.
const UNKNOWN_THEN: &str = "; what it knew counts as not streamed, and the next start streams it again";

/// What a look at the file of a checkpoint shows, while its process may be running.
#[derive(Debug, Default)]
pub(crate) struct Peeked {
    pub(crate) known: Known,
    /// Whether there is such a file, and it can be opened.
    pub(crate) is_there: bool,
    /// What is wrong with it.
    pub(crate) finding: Option<Finding>,
}

/// The checkpoint file, or the lack of one.
#[derive(Debug)]
pub struct Checkpoint {
    pub(super) directory: Option<PathBuf>,
    pub(super) name: String,
    /// Whether it is where applications can write too, and where it may have to wait for the directory.
    pub(super) is_beside_logs: bool,
    /// Which links are followed on the way to the logs.
    links: Links,
    pub(super) store: Option<Store>,
    /// Whether its file could not be made when that was tried last.
    pub(super) is_failing: bool,
    /// Why it is kept in memory although it should not be, until that is reported.
    pub(super) finding: Option<Finding>,
    /// Which archives are ours.
    pub(super) book: ArchiveBook,
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
        let name = format!("{:016x}", Digest::of(patterns.as_bytes()).hash);
        Self {
            book: ArchiveBook::new(&name),
            directory,
            name,
            is_beside_logs: *place == Place::Auto,
            links: Links::Inside,
            store: None,
            is_failing: false,
            finding: None,
        }
    }

    /// Has these links followed on the way to the logs.
    #[must_use]
    pub(crate) fn following(self, links: Links) -> Self {
        Self { links, ..self }
    }

    /// Opens the directory that its file is, or will be, in, if there is one; makes nothing.
    ///
    /// # Errors
    /// As [`state_directory::open`].
    pub(crate) fn open_directory(&self) -> io::Result<OpenDirectory> {
        let directory = self.directory.as_ref().ok_or(io::ErrorKind::NotFound)?;
        state_directory::open(directory, self.links, self.is_beside_logs)
    }

    /// Opens the directory that the lock of a directory with logs is in: one of ours beside the logs or above, or that of the
    /// checkpoint.
    pub(crate) fn open_lock_directory(&self, directory: &Path) -> Option<OpenDirectory> {
        state_directory::above(directory, self.links).or_else(|| self.open_directory().ok())
    }

    /// Returns whether a path is one of state: of this process or of another, that keeps it beside logs.
    pub(crate) fn is_beneath(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        // The user's choice may be a directory with logs, too.
        let is_of_ours = name.starts_with(self.name.as_bytes()) || name.starts_with(b"rotated-");
        let is_ours = is_of_ours && path.parent() == self.directory.as_deref();
        is_ours || path.components().any(|component| component.as_os_str() == DIRECTORY)
    }

    /// Returns where its file is, or will be; `None` if it is kept in memory.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.join(&self.name))
    }

    /// Returns the finding that its file cannot be opened.
    #[must_use]
    pub(crate) fn not_kept(&self, why: &io::Error) -> Finding {
        let path = self.path().unwrap_or_default();
        let shown = path.display();
        let text = if why.kind() == io::ErrorKind::WouldBlock {
            format!(
                "cannot lock {shown}: another sidetail follows the same patterns; keeping state in memory, so a \
                 restart repeats what is still in the files"
            )
        } else {
            let way_out = if is_full(why) {
                "retrying; free some space, or set SIDETAIL_STATE to a directory on another volume"
            } else {
                "set SIDETAIL_STATE to a writable directory or to off"
            };
            format!(
                "cannot keep state in {shown}: {why}; keeping it in memory, so a restart repeats what is still in \
                 the files; {way_out}"
            )
        };
        Finding::of(&path, Kind::State, text)
    }

    /// Returns once why the state is kept in memory although it should not be.
    pub(crate) fn take_finding(&mut self) -> Option<Finding> {
        self.finding.take()
    }

    /// Opens or creates the file, locks it, and returns what it knows. Returns `None`, to try again later, while the
    /// directory that it should be made in does not exist.
    ///
    /// Whatever else is in the way, the state is kept in memory: [`Checkpoint::take_finding`].
    pub fn open(&mut self) -> Option<Known> {
        let nothing = Known::first_start();
        let Some(directory) = &self.directory else { return Some(nothing) };
        match self.open_store(directory) {
            Ok((store, known)) => {
                self.store = Some(store);
                Some(known)
            }
            Err(NotOpened { why, .. }) if self.is_beside_logs && why.kind() == io::ErrorKind::NotFound => None,
            Err(NotOpened { why, known }) => {
                self.finding = Some(self.not_kept(&why));
                self.is_failing = true;
                Some(*known)
            }
        }
    }

    /// Opens or creates the file, and locks it.
    pub(super) fn open_store(&self, directory: &Path) -> Result<(Store, Known), NotOpened> {
        let opened = state_directory::open_or_make(directory, self.links, self.is_beside_logs)?;
        Store::open(opened, directory.join(&self.name), &self.name)
    }

    /// Returns what its file holds now, and changes nothing: for those who look while another process may be running. Nothing is known
    /// if there is none, or none that can be read.
    #[must_use]
    pub(crate) fn peek(&self) -> Peeked {
        let peeked = self.open_directory().and_then(|directory| Store::peek(&directory, &self.name));
        let path = self.path().unwrap_or_default();
        let finding = |text| Finding::of(&path, Kind::Checkpoint, text);
        match peeked {
            Ok((known, flaw)) => {
                let text = |flaw: Flaw| format!("cannot read {}{UNKNOWN_THEN}", flaw.of(&path));
                Peeked { known, is_there: true, finding: flaw.map(|flaw| finding(text(flaw))) }
            }
            Err(why) if is_missing(&why) => Peeked::default(),
            Err(why) => {
                let text = format!("cannot read the checkpoint {}: {why}; run this as sidetail's user", path.display());
                Peeked { finding: Some(finding(text)), ..Peeked::default() }
            }
        }
    }

    /// Writes how far a file has been streamed: one `pwrite`; says whether it could be written. `slot` is the file's own, and
    /// is given one when it has none.
    pub fn save(&mut self, slot: &mut Option<Slot>, entry: Entry<'_>) -> bool {
        let Some(store) = &mut self.store else { return false };
        *slot = slot.or_else(|| store.free_slot());
        let Some(number) = *slot else { return false };
        store.write(number, &SlotContents::new(entry).line())
    }

    /// Notes until when everything was looked at: what was born later a restart may have to look for.
    pub(crate) fn note_looked_at(&mut self, at: i64) {
        if let Some(store) = &mut self.store {
            store.note_looked_at(at);
        }
    }

    /// Tries again to write what could not be written and belongs to no file any more.
    pub(crate) fn retry(&mut self) {
        self.store.iter_mut().for_each(Store::retry);
    }

    /// Returns whether there is a file that outlives the process.
    #[must_use]
    pub(crate) fn is_kept(&self) -> bool {
        self.store.is_some()
    }

    /// Returns the file, to flush it.
    ///
    /// # Errors
    /// `NotFound` where there is none, and those of dup(2).
    pub(crate) fn file(&self) -> io::Result<OwnedFd> {
        self.store.as_ref().map_or(Err(io::ErrorKind::NotFound.into()), |store| store.file().try_clone())
    }

    /// Notes as asleep what was saved last in a slot, if there is a file, or else keeps it in memory: [`Known::fall_asleep`].
    pub(crate) fn lull(
        &self,
        known: &mut Known,
        slot: Option<Slot>,
        (entry, left): (Entry<'_>, Left),
        look: u32,
    ) -> bool {
        let Some(store) = &self.store else { return known.fall_asleep(None, entry, left, look) };
        if !known.has_file() {
            // Only now: descriptors may be scarce.
            let Ok(file) = store.file().try_clone() else { return false };
            known.set_file(file);
        }
        slot.is_some() && known.fall_asleep(slot, entry, left, look)
    }

    /// Gives what is asleep slots of the file, which is a new one. Without a descriptor for it what is known stays where it was, but
    /// no slot of before is anybody's.
    pub(crate) fn take_over(&mut self, known: &mut Known) {
        let Some(store) = &mut self.store else { return };
        let file = store.file().try_clone().ok();
        let is_open = file.is_some();
        known.move_to(file, |contents| {
            let slot = is_open.then(|| store.free_slot()).flatten()?;
            store.write(slot, &contents.line()).then_some(slot)
        });
    }

    /// Returns how many files may be known, those that are followed and those that are asleep: only these are told from new ones.
    #[must_use]
    pub(crate) fn files_max(&self) -> usize {
        if self.is_kept() { SLOTS_MAX as usize } else { RECORDS_MAX }
    }

    /// Returns how many bytes one of these takes in memory while it is asleep, about.
    #[must_use]
    pub(crate) fn asleep_bytes(&self) -> usize {
        if self.is_kept() { ASLEEP_BYTES } else { ASLEEP_BYTES + RECORD_BYTES }
    }

    /// Returns the archives that are ours.
    pub(crate) fn own_archives(&mut self) -> OwnIds {
        self.book.own(self.open_directory())
    }

    /// Notes that a file becomes an archive of ours, before it has an archive's name; says whether that is noted.
    pub(crate) fn note_archive(&mut self, id: FileId) -> bool {
        self.own_archives();
        self.book.note(self.open_directory(), id)
    }

    /// Forgets a file that has ended.
    pub fn forget(&mut self, slot: Option<Slot>) {
        if let (Some(store), Some(slot)) = (&mut self.store, slot) {
            store.free(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::disk::policy::Intent;
    use crate::output::rules::{Route, Stream};
    use crate::read::buffer::{HEAD_BYTES, MARKER_BYTES};
    use crate::read::position::Position;
    use crate::read::waypoints::{WAYPOINTS_MAX, Waypoint};
    use crate::shelf::entry::{KnownFile, Unknown, path_sum};
    use crate::shelf::layout::HEADER;
    use crate::shelf::slot::SLOT_BYTES;

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
            waypoints: &[],
            unknown: None,
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
        assert_eq!(known.count(), 1);
        let KnownFile { position, line_route, record_route, kept, intent, .. } = known.file(ID).expect("known");
        assert_eq!((position, line_route, record_route), (LARGEST, Some(Route::Drop), Some(Route::To(Stream::Stderr))));
        assert_eq!((kept, intent), (u64::MAX, Intent::Archive { end: u64::MAX, id: u64::MAX }));
        assert_eq!(known.since(path_sum(Path::new("/a.log"))).expect("known"), i64::MIN);
    }

    #[test]
    fn what_is_known_from_a_replaced_file_has_no_slot_of_another_even_without_a_descriptor() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut first = checkpoint(dir.path());
        first.open();
        first.save(&mut None, entry("/a.log", ID, LARGEST));
        drop(first);
        let mut known = checkpoint(dir.path()).open().expect("opened");
        assert!(known.file(ID).expect("known").slot.is_some());
        for _ in 0..2 {
            known.move_to(None, |_| None);
            let KnownFile { slot, position, .. } = known.file(ID).expect("known still");
            assert_eq!((slot, position, known.has_file()), (None, LARGEST, false));
        }
    }

    #[test]
    fn the_largest_record_fits_its_slot() {
        let path = "\u{1}".repeat(4096);
        let waypoints = [Waypoint { offset: u64::MAX, hash: u64::MAX }; WAYPOINTS_MAX];
        let unknown = Unknown::from_iter([("later".to_owned(), "x".repeat(SLOT_BYTES).into())]);
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut first = checkpoint(dir.path());
        first.open();
        first.save(&mut None, Entry { waypoints: &waypoints, unknown: Some(&unknown), ..entry(&path, ID, LARGEST) });
        drop(first);
        assert_eq!(checkpoint(dir.path()).open().expect("opened").file(ID).expect("known").position, LARGEST);
    }

    #[test]
    fn a_second_one_does_not_share_the_file() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (mut first, mut second) = (checkpoint(dir.path()), checkpoint(dir.path()));
        first.open();
        assert!(second.open().expect("goes on").is_first_start);
        assert!(first.store.is_some() && second.store.is_none());
        let path = state_file(dir.path());
        let text = format!(
            "cannot lock {}: another sidetail follows the same patterns; keeping state in memory, so a restart \
             repeats what is still in the files",
            path.display()
        );
        assert_eq!(second.take_finding(), Some(Finding::of(&path, Kind::State, text)));
        assert_eq!((first.take_finding(), second.take_finding()), (None, None), "once");
    }

    #[test]
    fn what_cannot_be_made_is_found_once() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::write(dir.path().join("state"), "no directory").expect("written");
        let mut memory = checkpoint(dir.path());
        let path = memory.path().expect("it is to be kept");
        assert!(memory.open().expect("goes on").is_first_start);
        let text = format!(
            "cannot keep state in {}: Not a directory (os error 20); keeping it in memory, so a restart repeats what \
             is still in the files; set SIDETAIL_STATE to a writable directory or to off",
            path.display()
        );
        assert_eq!(memory.take_finding(), Some(Finding::of(&path, Kind::State, text)));
        assert_eq!(memory.take_finding(), None);
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
        assert_eq!([1, 2, 3].map(|ino| known.file(FileId { ino, ..ID }).is_some()), [true, false, false]);
        fs::write(&path, b"garbage\0\xff").expect("written");
        let known = checkpoint(dir.path()).open().expect("opened");
        assert!(known.count() == 0 && !known.is_first_start);
        assert!(fs::read(&path).expect("the file").starts_with(HEADER.as_bytes()));
    }

    fn real_waypoints() -> Vec<Waypoint> {
        (1..=WAYPOINTS_MAX as u64)
            .map(|read| Waypoint { offset: (1 << 40) + read * 65_536, hash: u64::MAX / read })
            .collect()
    }

    #[test]
    fn sixteen_waypoints_of_a_file_of_a_tebibyte_are_kept() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut first = checkpoint(dir.path());
        first.open();
        let digest = |bytes| Digest { bytes, hash: u64::MAX / 3 };
        let position =
            Position { offset: 1 << 41, marker: digest(128), head: digest(512), head_before: Digest::default() };
        let id = FileId { dev: 66_305, ino: 123_456_789, btime: 1_800_000_000_123_456_789 };
        let of_today = Entry {
            since: 1_800_000_000_123_456_789,
            kept: 1 << 40,
            waypoints: &real_waypoints(),
            intent: Intent::None,
            ..entry("/var/log/some/application.log", id, position)
        };
        first.save(&mut None, of_today);
        drop(first);
        let known = checkpoint(dir.path()).open().expect("opened");
        assert_eq!(known.file(id).expect("known").waypoints.all(), real_waypoints());
    }

    #[test]
    fn what_a_later_version_keeps_is_not_lost() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let unknown = Unknown::from_iter([("acknowledged".to_owned(), 17.into())]);
        let mut later = checkpoint(dir.path());
        later.open();
        later.save(&mut None, Entry { unknown: Some(&unknown), ..entry("/a.log", ID, Position::default()) });
        drop(later);
        let mut this = checkpoint(dir.path());
        let known = this.open().expect("opened").take(ID).expect("known");
        assert_eq!(known.unknown.as_deref(), Some(&unknown));
        let mut slot = known.slot;
        this.save(&mut slot, Entry { unknown: known.unknown.as_deref(), ..entry("/a.log", ID, LARGEST) });
        drop(this);
        let known = checkpoint(dir.path()).open().expect("opened").take(ID).expect("known");
        assert_eq!((known.position, known.unknown.as_deref()), (LARGEST, Some(&unknown)));
    }

    /// As version 1 wrote it.
    fn version_1(objects: &[&str]) -> Vec<u8> {
        let header = "sidetail checkpoint 1: a checksum and a JSON object a file, 512 bytes each\n".to_owned();
        let slots = objects.iter().map(|object| match *object {
            "" => String::new(),
            object => format!("{:016x} {object}", Digest::of(object.as_bytes()).hash),
        });
        std::iter::once(header).chain(slots).flat_map(|line| format!("{line:511}\n").into_bytes()).collect()
    }

    #[test]
    fn version_1_is_converted() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        checkpoint(dir.path()).open();
        let path = state_file(dir.path());
        let object = |ino: u64| {
            format!(
                "{{\"path\":\"/a.log\",\"at\":7,\"since\":5,\"dev\":1,\"ino\":{ino},\"btime\":3,\"offset\":{},\"marker\":[128,9],\
                 \"head\":[512,8],\"line\":0,\"record\":2,\"kept\":4096,\"was\":[0,1],\"intent\":[0,0,0]}}",
                ino * 1000
            )
        };
        fs::write(&path, version_1(&[&object(1), "", &object(2)])).expect("written");
        for _ in 0..2 {
            let known = checkpoint(dir.path()).open().expect("opened");
            assert!(!known.is_first_start && known.last_written > 0);
            let offsets =
                [1, 2].map(|ino| known.file(FileId { dev: 1, ino, btime: 3 }).expect("known").position.offset);
            assert_eq!((offsets, known.since(7)), ([1000, 2000], Some(5)));
            assert!(fs::read(&path).expect("the file").starts_with(HEADER.as_bytes()), "and stays converted");
            assert_eq!(fs::read_dir(dir.path().join("state")).expect("listed").count(), 1, "no draft is left");
        }
    }

    #[test]
    fn a_version_1_that_cannot_be_converted_is_known_all_the_same() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        checkpoint(dir.path()).open();
        let path = state_file(dir.path());
        let object =
            r#"{"path":"","at":7,"since":5,"dev":1,"ino":1,"btime":3,"offset":9,"marker":[0,0],"head":[0,0],"line":0}"#;
        fs::write(&path, version_1(&[object])).expect("written");
        // Nothing that is in a directory of this name can be unlinked by unlinkat(2) without a flag.
        fs::create_dir(path.with_extension("tmp")).expect("a directory in the draft's place");
        let mut this = checkpoint(dir.path());
        let known = this.open().expect("opened");
        assert!(!this.is_kept());
        assert_eq!((known.count(), known.is_first_start), (1, false));
    }

    #[test]
    fn after_a_change_of_patterns_the_newest_word_of_other_checkpoints_counts() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let named =
            |patterns| Checkpoint::new(&Place::Directory(dir.path().join("state")), Path::new("/nowhere"), patterns);
        let at = |offset| Position { offset, ..Position::default() };
        for (patterns, offset) in [("a", 10), ("b", 20), ("running", 30)] {
            let mut one = named(patterns);
            one.open();
            one.save(&mut None, entry("/a.log", ID, at(offset)));
            let time = fs::FileTimes::new()
                .set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60 - offset));
            fs::File::open(one.path().expect("a path")).expect("there").set_times(time).expect("set");
        }
        let mut running = named("running");
        running.open();
        fs::write(dir.path().join("state/app.log"), "not a checkpoint").expect("written");
        let known = named("c").open().expect("opened");
        let KnownFile { slot, position, .. } = &known.file(ID).expect("known");
        assert_eq!((*slot, position.offset, known.is_first_start), (None, 20, true));
        let foreign = named("b").path().expect("a path");
        fs::set_permissions(&foreign, std::os::unix::fs::PermissionsExt::from_mode(0o666)).expect("ours");
        assert_eq!(
            named("d").open().expect("opened").file(ID).expect("known").position.offset,
            10,
            "anybody may write that"
        );
    }
}
