//! A directory of three log files, those who write and rotate them, and the reader that follows them.
//!
//! Each change is made on the disk and told to the oracle in the same function, so that the two cannot drift apart.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use super::disk::{ARCHIVE_BYTES, Archive, Content, Disk};
use super::oracle::{IncarnationId, Oracle, Stream};
use super::prng::Prng;
use super::reader::{Reader, State};

/// The files: b.log is the one that goes to stderr, c.log may have a writer without `O_APPEND`.
pub const LABELS: [char; 3] = ['a', 'b', 'c'];

/// How many numbered archives a rotation chain keeps.
pub const CHAIN_KEEPS: usize = 3;

/// More archives than a round makes.
const KEEPS_ALL: usize = 1000;

/// Twice the safety tick of 2 s, and a slow machine's share: what has not come out by then never will.
pub const STREAMED_WITHIN: Duration = Duration::from_secs(25);

/// How often the reader has come to rest since then, at least: twice within a tick under load.
const CHANCES: u64 = 8;

/// Half of the 5 s after which a deleted file counts as quiet and may be closed: no more is written to it then.
const WRITES_AFTER_DELETION_FOR: Duration = Duration::from_millis(2500);

/// A line made of pieces is ended before it could reach `MAX_LINE` (1 MiB) and be cut for that reason.
const UNFINISHED_BYTES_MAX: usize = 500 * 1024;

/// Where what a link leads to is.
const BEHIND: &str = "data";

/// A hole has whole blocks; below, the bytes before the first one written cannot be told from written NULs.
pub const BLOCK_BYTES: usize = 4096;

/// Somebody who has a file open for writing.
pub struct Writer {
    pub id: IncarnationId,
    file: File,
    positional: bool,
    deleted_at: Option<Instant>,
}

/// One followed path: who writes it now, who still writes what it was, and what it was.
#[derive(Default)]
pub struct Log {
    pub current: Option<Writer>,
    pub lingering: Vec<Writer>,
    pub archives: Vec<(PathBuf, IncarnationId)>,
}

/// Everything that one round acts on.
pub struct World {
    pub directory: TempDir,
    pub logs: [Log; 3],
    pub oracle: Oracle,
    pub reader: Reader,
    /// How long everything may take to come out.
    pub streamed_within: Duration,
    /// How the reader rotates, if it does.
    pub rotates: Option<Rotates>,
    positional: bool,
    /// c.log is a link into a directory below, where everything happens to it.
    linked: bool,
    /// Where incarnations begin in their files, if a hole is before them.
    begins_at: BTreeMap<IncarnationId, u64>,
    names: u64,
}

/// How the reader rotates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotates {
    pub method: String,
    pub keep: usize,
    pub compress: String,
}

impl Rotates {
    /// One of those that lose nothing.
    pub fn any(prng: &mut Prng) -> Self {
        let mut one_of = |words: &[&str]| words[prng.below(words.len() as u64) as usize].to_owned();
        let (method, compress) = (one_of(&["auto", "punch", "collapse"]), one_of(&["gzip", "none"]));
        Self { method, keep: [0, 3, KEEPS_ALL][prng.below(3) as usize], compress }
    }

    /// Reads `auto,3,gzip`.
    pub fn parse(text: &str) -> Option<Self> {
        let [method, keep, compress] = text.split(',').collect::<Vec<_>>().try_into().ok()?;
        Some(Self { method: method.to_owned(), keep: keep.parse().ok()?, compress: compress.to_owned() })
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("SIDETAIL_ROTATE_SIZE", ARCHIVE_BYTES.to_string()),
            ("SIDETAIL_ROTATE_METHOD", self.method.clone()),
            ("SIDETAIL_ROTATE_KEEP", self.keep.to_string()),
            ("SIDETAIL_ROTATE_COMPRESS", self.compress.clone()),
        ]
    }

    /// True when files may become shorter: whoever handles one by its offsets must not be disturbed by that.
    fn collapses(&self) -> bool {
        self.method == "collapse" || (self.method == "auto" && self.keep > 0)
    }
}

impl World {
    /// An empty directory, no process. With `positional`, c.log's writer does not append but goes on at its own offset.
    pub fn new(positional: bool, linked: bool, rotates: Option<Rotates>) -> Self {
        let mut reader = Reader::dead();
        reader.environment = rotates.as_ref().map(Rotates::environment).unwrap_or_default();
        let directory = tempfile::Builder::new().prefix("sidetail-model-").tempdir().expect("a temporary directory");
        if linked {
            fs::create_dir(directory.path().join(BEHIND)).expect("a directory");
            std::os::unix::fs::symlink("data/c.log", directory.path().join("c.log")).expect("a link");
        }
        Self {
            directory,
            logs: std::array::from_fn(|_| Log::default()),
            oracle: Oracle::default(),
            reader,
            streamed_within: STREAMED_WITHIN,
            rotates,
            positional,
            linked,
            begins_at: BTreeMap::new(),
            names: 0,
        }
    }

    /// The path that the reader follows, or what a link there leads to.
    pub fn path(&self, file: usize) -> PathBuf {
        self.beside(file, &format!("{}.log", LABELS[file]))
    }

    /// Another name in the file's directory.
    pub fn beside(&self, file: usize, name: &str) -> PathBuf {
        let is_behind_link = self.linked && LABELS[file] == 'c';
        let directory = self.directory.path();
        if is_behind_link { directory.join(BEHIND).join(name) } else { directory.join(name) }
    }

    /// True when the reader's pattern matches names beside the file.
    pub fn is_matched(&self, file: usize) -> bool {
        !self.linked || LABELS[file] != 'c'
    }

    /// Another name in a directory below, which is made.
    pub fn below(&self, file: usize, name: &str) -> PathBuf {
        let directory = self.beside(file, "old");
        fs::create_dir_all(&directory).expect("a directory");
        directory.join(name)
    }

    /// Somebody keeps a copy, which nobody must stream, for a moment in which something happens.
    pub fn copy_for_a_moment(
        &mut self,
        file: usize,
        copy: &Path,
        meanwhile: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        fs::copy(self.path(file), copy).expect("the file can be copied");
        let outcome = meanwhile(self);
        fs::remove_file(copy).expect("the copy can be deleted");
        outcome
    }

    /// A number that was not used in this round, for names.
    pub fn unused(&mut self) -> u64 {
        self.names += 1;
        self.names
    }

    /// Appends a piece to the file, which is created if it is not there.
    pub fn write(&mut self, file: usize, payload_bytes: usize, finish: bool) {
        if self.logs[file].current.is_none() {
            self.create(file);
        }
        if let Some(writer) = &mut self.logs[file].current {
            writer.write(&mut self.oracle, payload_bytes, finish);
        }
    }

    /// Writes to the oldest file that was rotated away under its writer; a deleted one is left after a while.
    pub fn write_lingering(&mut self, file: usize, payload_bytes: usize, finish: bool) {
        let Some(writer) = self.logs[file].lingering.first_mut() else { return };
        if writer.deleted_at.is_some_and(|at| at.elapsed() > WRITES_AFTER_DELETION_FOR) {
            return self.end_lingering(file);
        }
        writer.write(&mut self.oracle, payload_bytes, finish);
        let id = writer.id;
        if self.oracle.is_unlinked(id) && !self.reader_has_open(id) {
            self.oracle.excuse_unread(id);
        }
    }

    /// The oldest lingering writer closes its file.
    pub fn end_lingering(&mut self, file: usize) {
        if !self.logs[file].lingering.is_empty() {
            let writer = self.logs[file].lingering.remove(0);
            self.oracle.ended(writer.id);
        }
    }

    /// Those who still write deleted files close them.
    pub fn end_deleted(&mut self) {
        for log in &mut self.logs {
            let (deleted, others) = log.lingering.drain(..).partition(|writer| writer.deleted_at.is_some());
            log.lingering = others;
            let deleted: Vec<Writer> = deleted;
            deleted.iter().for_each(|writer| self.oracle.ended(writer.id));
        }
    }

    /// Creates what is not there of the followed paths.
    pub fn create_missing(&mut self) {
        for file in 0..LABELS.len() {
            if self.logs[file].current.is_none() {
                self.create(file);
            }
        }
    }

    /// Creates the path anew, as the application does after a rotation.
    pub fn create(&mut self, file: usize) {
        let positional = self.positional && LABELS[file] == 'c';
        let path = self.path(file);
        let opened = OpenOptions::new().append(!positional).write(true).create_new(true).open(&path);
        let stream = if LABELS[file] == 'b' { Stream::Err } else { Stream::Out };
        let id = self.oracle.begin(LABELS[file], Some(stream));
        let file_handle = opened.unwrap_or_else(|error| panic!("cannot create {}: {error}", path.display()));
        self.logs[file].current = Some(Writer { id, file: file_handle, positional, deleted_at: None });
    }

    /// Renames the file to `archive`, which is replaced if it exists; its writer closes it, or lingers.
    pub fn rename(&mut self, file: usize, archive: PathBuf, lingers: bool) {
        let Some(writer) = self.logs[file].current.take() else { return };
        self.make_way(file, &archive);
        fs::rename(self.path(file), &archive).expect("the file can be renamed");
        self.logs[file].archives.push((archive, writer.id));
        if lingers {
            self.logs[file].lingering.push(writer);
        } else {
            self.oracle.ended(writer.id);
        }
    }

    /// The numbered archives of somebody else: the reader's own have a dot.
    fn numbered(&self, file: usize, n: usize) -> PathBuf {
        let separator = if self.rotates.as_ref().is_some_and(|rotates| rotates.keep > 0) { '-' } else { '.' };
        self.beside(file, &format!("{}.log{separator}{n}", LABELS[file]))
    }

    /// Moves the numbered archives one up, `.1` to `.2` and so on; the oldest is replaced. `.1` is free afterwards.
    pub fn shift_chain(&mut self, file: usize) -> PathBuf {
        for n in (1..CHAIN_KEEPS).rev() {
            let (from, to) = (self.numbered(file, n), self.numbered(file, n + 1));
            if !from.exists() {
                continue;
            }
            self.make_way(file, &to);
            fs::rename(&from, &to).expect("an archive can be renamed");
            self.logs[file]
                .archives
                .iter_mut()
                .filter(|(path, _)| *path == from)
                .for_each(|(path, _)| path.clone_from(&to));
        }
        let first = self.numbered(file, 1);
        self.make_way(file, &first);
        first
    }

    /// Another process copies the file and truncates it. What is written in between and what was not read is theirs.
    pub fn copy_and_truncate(&mut self, file: usize, copy: PathBuf, written_between: bool) {
        self.make_way(file, &copy);
        let frozen = self.freeze_if_it_collapses();
        copy_sparse(&self.path(file), &copy);
        self.thaw(frozen);
        if let Some(writer) = &self.logs[file].current {
            self.oracle.copied(writer.id);
        }
        if written_between {
            self.write(file, 60, true);
        }
        let path = self.path(file);
        let Some(writer) = &mut self.logs[file].current else { return };
        let old = writer.id;
        truncate(&path, 0);
        writer.id = self.oracle.begin_again(old);
        if writer.positional {
            self.begins_at.insert(writer.id, (&writer.file).stream_position().expect("a file has an offset"));
        }
        self.oracle.ended(old);
        self.logs[file].archives.push((copy, old));
    }

    /// While somebody reads the file from its beginning to its end, it must not become shorter.
    fn freeze_if_it_collapses(&mut self) -> bool {
        let collapses = self.rotates.as_ref().is_some_and(Rotates::collapses);
        let freezes = collapses && self.reader.state == State::Running;
        if freezes {
            self.reader.freeze();
        }
        freezes
    }

    fn thaw(&mut self, frozen: bool) {
        if frozen {
            self.reader.signal(Signal::CONT);
        }
    }

    /// Truncates the file to about `bytes`; the writer goes on behind what is kept.
    pub fn truncate_middle(&mut self, file: usize, bytes: usize) {
        let path = self.path(file);
        let Some(writer) = &mut self.logs[file].current else { return };
        let (id, size) = self.oracle.truncate(writer.id, bytes);
        truncate(&path, size);
        writer.id = id;
    }

    /// Deletes the followed path; its writer closes it, or lingers.
    pub fn delete(&mut self, file: usize, lingers: bool) {
        let Some(mut writer) = self.logs[file].current.take() else { return };
        fs::remove_file(self.path(file)).expect("the file can be deleted");
        self.oracle.unlinked(writer.id, self.reader_has_open(writer.id));
        if lingers {
            writer.deleted_at = Some(Instant::now());
            self.logs[file].lingering.push(writer);
        } else {
            self.oracle.ended(writer.id);
        }
    }

    /// Deletes an archive, if it is there.
    pub fn make_way(&mut self, file: usize, archive: &Path) {
        let Some(index) = self.logs[file].archives.iter().position(|(path, _)| path == archive) else { return };
        let (path, id) = self.logs[file].archives.remove(index);
        fs::remove_file(&path).expect("an archive can be deleted");
        self.oracle.unlinked(id, self.reader_has_open(id));
        self.logs[file]
            .lingering
            .iter_mut()
            .filter(|writer| writer.id == id)
            .for_each(|writer| writer.deleted_at = Some(Instant::now()));
    }

    /// True when a truncation leaves a hole whose end can be told, or no hole at all.
    pub fn truncation_is_clear(&self, file: usize) -> bool {
        let Some(writer) = &self.logs[file].current else { return false };
        !writer.positional || (&writer.file).stream_position().is_ok_and(|offset| offset >= 2 * BLOCK_BYTES as u64)
    }

    /// True when the writer appends, or there is none.
    pub fn appends(&self, file: usize) -> bool {
        self.logs[file].current.as_ref().is_none_or(|writer| !writer.positional)
    }

    /// True when everything that is written can come out now.
    pub fn flows(&self) -> bool {
        self.reader.state == State::Running
            && !self.reader.is_stalled(Stream::Out)
            && !self.reader.is_stalled(Stream::Err)
    }

    /// Waits until every complete line came out.
    pub fn settle(&mut self) -> Result<(), String> {
        let settled = self.wait_for(|world| world.oracle.owed().is_none());
        settled.map_err(|why| format!("{why}: {}", self.oracle.owed().unwrap_or_default()))
    }

    /// SIGTERM, and everything that follows from it: all is streamed, every line is ended, the exit code is 0.
    pub fn terminate(&mut self) -> Result<(), String> {
        self.wait_for(|world| world.reader.catches(Signal::TERM))
            .map_err(|why| format!("{why}: no handler for SIGTERM"))?;
        self.oracle.terminating();
        self.reader.signal(Signal::TERM);
        let ended = self.wait_for(|world| world.reader.pipes_ended() && world.reader.gone().is_some());
        ended.map_err(|why| {
            format!("{why}: SIGTERM does not end it; {}", self.oracle.owed_at_the_end().unwrap_or_default())
        })?;
        let (status, [out, err]) = self.reader.end();
        self.oracle.life_ended([&out, &err])?;
        if status.code() != Some(0) {
            return Err(format!("after SIGTERM the reader ended with {status}"));
        }
        self.oracle.owed_at_the_end().map_or(Ok(()), |owed| Err(format!("after SIGTERM: {owed}")))?;
        self.judge_disk(false)
    }

    /// Waits until everything came out, and until every rotation that was asked for has come to its end.
    pub fn rest(&mut self) -> Result<(), String> {
        self.settle()?;
        let deadline = Instant::now() + self.streamed_within;
        loop {
            self.reader.freeze();
            let judged = self.judge_disk(true);
            self.reader.signal(Signal::CONT);
            if judged.is_ok() || Instant::now() > deadline {
                return judged;
            }
            let passed = self.let_pass(Duration::from_millis(5));
            passed.map_err(|why| format!("{why}; while it was waited for rest: {judged:?}"))?;
        }
    }

    /// SIGKILL; what is on the pipes by then is judged, and what is on the disk.
    pub fn kill(&mut self) -> Result<(), String> {
        self.reader.kill(&mut self.oracle)?;
        self.judge_disk(false)
    }

    /// Asks for something by a signal, which must not end it: a process that has no handler yet gets it in a moment.
    pub fn ask(&mut self, signal: Signal) -> Result<(), String> {
        if self.reader.state == State::Running {
            let caught = self.wait_for(|world| world.reader.catches(signal));
            caught.map_err(|why| format!("{why}: no handler for {signal:?}"))?;
        }
        if self.reader.catches(signal) {
            self.reader.signal(signal);
        }
        Ok(())
    }

    /// What is on the disk is what was written, but for what the reader was to reclaim; nobody else is at work.
    fn judge_disk(&self, exact: bool) -> Result<(), String> {
        let Some(rotates) = &self.rotates else { return Ok(()) };
        let archives = if rotates.keep > 0 { Archive::read_all(self.directory.path())? } else { Vec::new() };
        Disk { archives, contents: self.contents(), keep: rotates.keep, exact }.judge(&self.oracle)
    }

    /// The files that hold what was written, whatever they are called by now.
    fn contents(&self) -> Vec<Content> {
        let mut contents = Vec::new();
        for (file, log) in self.logs.iter().enumerate() {
            let current = log.current.iter().map(|writer| (self.path(file), writer.id));
            for (path, id) in current.chain(log.archives.iter().cloned()) {
                let begins_at = self.begins_at.get(&id).copied().unwrap_or(0) as usize;
                contents.push(Content::read(&path, id, begins_at));
            }
        }
        contents
    }

    /// How many bytes the reader reclaimed of the files that are still there, and how many archives it keeps: for the report.
    pub fn rotated(&self) -> (usize, usize) {
        let reclaimed = |content: &Content| content.reclaimed(&self.oracle, true).unwrap_or(0);
        let archives = Archive::read_all(self.directory.path()).map_or(0, |archives| archives.len());
        (self.contents().iter().map(reclaimed).sum(), archives)
    }

    /// Drains the pipes until `condition` holds; an error when it does not in time, or when the reader ends by itself meanwhile.
    ///
    /// In time is when the reader has had its chances, too: on a machine that does not let it run, that takes longer.
    pub fn wait_for(&mut self, condition: impl Fn(&mut Self) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + self.streamed_within;
        let (latest, rests) = (deadline + 9 * self.streamed_within, self.reader.rests());
        loop {
            // Asked first, because it may end between two questions.
            let gone = self.reader.gone();
            self.pump()?;
            if condition(self) {
                return Ok(());
            }
            if let Some(status) = gone.filter(|_| self.reader.pipes_ended()) {
                return Err(format!("the reader ended by itself: {status}"));
            }
            let now = Instant::now();
            if now > latest || (now > deadline && self.reader.rests() >= rests + CHANCES) {
                return Err(format!("not within {:?}", self.streamed_within));
            }
            self.reader.wait_a_little(Duration::from_millis(5));
        }
    }

    /// Drains for a while: what the reader makes of the time is its own affair.
    pub fn let_pass(&mut self, duration: Duration) -> Result<(), String> {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            self.pump()?;
            self.reader.wait_a_little(until.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    /// Takes what the pipes hold.
    pub fn pump(&mut self) -> Result<(), String> {
        self.reader.pump(&mut self.oracle, usize::MAX)
    }

    fn reader_has_open(&self, id: IncarnationId) -> bool {
        self.reader.state != State::Dead && self.oracle.seen_in_this_life(id)
    }
}

impl Writer {
    fn write(&mut self, oracle: &mut Oracle, payload_bytes: usize, finish: bool) {
        let finish = finish || oracle.unfinished_bytes(self.id) > UNFINISHED_BYTES_MAX;
        let bytes = oracle.append(self.id, payload_bytes, finish);
        self.file.write_all(bytes).expect("the file can be written");
    }
}

fn truncate(path: &Path, size: u64) {
    let truncated = OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(size));
    truncated.unwrap_or_else(|error| panic!("cannot truncate {}: {error}", path.display()));
}

/// How many bytes a file's first hole takes, if it begins with one.
fn hole_before(file: &File) -> u64 {
    let size = file.metadata().expect("a file has a size").len();
    rustix::fs::seek(file, rustix::fs::SeekFrom::Data(0)).unwrap_or(size)
}

/// As `cp` and logrotate copy: the hole at the beginning stays one. Written NULs stay written.
fn copy_sparse(from: &Path, to: &Path) {
    let bytes = fs::read(from).expect("the file can be read");
    let hole = hole_before(&File::open(from).expect("the file can be opened")).min(bytes.len() as u64);
    let mut copy = File::create_new(to).expect("the copy can be created");
    copy.seek(SeekFrom::Start(hole)).expect("a file can be sought in");
    copy.write_all(&bytes[hole as usize..]).expect("the copy can be written");
}
