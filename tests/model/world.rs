//! A directory of three log files, those who write and rotate them, and the reader that follows them.
//!
//! Each change is made on the disk and told to the oracle in the same function, so that the two cannot drift apart.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::oracle::{IncarnationId, Oracle, Stream};
use super::reader::{Reader, State};

/// The files: b.log is the one that goes to stderr, c.log may have a writer without `O_APPEND`.
pub const LABELS: [char; 3] = ['a', 'b', 'c'];

/// How many numbered archives a rotation chain keeps.
pub const CHAIN_KEEPS: usize = 3;

/// Twice the safety tick of 2 s, and a slow machine's share: what has not come out by then never will.
pub const STREAMED_WITHIN: Duration = Duration::from_secs(25);

/// Half of the 5 s after which a deleted file counts as quiet and may be closed: no more is written to it then.
const WRITES_AFTER_DELETION_FOR: Duration = Duration::from_millis(2500);

/// A line made of pieces is ended before it could reach `MAX_LINE` (1 MiB) and be cut for that reason.
const UNFINISHED_BYTES_MAX: usize = 500 * 1024;

/// A hole has whole blocks; below, the bytes before the first one written cannot be told from written NULs.
const BLOCK_BYTES: u64 = 4096;

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
    positional: bool,
    names: u64,
}

impl World {
    /// An empty directory, no process. With `positional`, c.log's writer does not append but goes on at its own offset.
    pub fn new(positional: bool) -> Self {
        Self {
            directory: tempfile::Builder::new().prefix("sidetail-model-").tempdir().expect("a temporary directory"),
            logs: std::array::from_fn(|_| Log::default()),
            oracle: Oracle::default(),
            reader: Reader::dead(),
            streamed_within: STREAMED_WITHIN,
            positional,
            names: 0,
        }
    }

    /// The path that the reader follows.
    pub fn path(&self, file: usize) -> PathBuf {
        self.beside(&format!("{}.log", LABELS[file]))
    }

    /// Another name in the directory.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
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

    /// Moves the numbered archives one up, `.1` to `.2` and so on; the oldest is replaced. `.1` is free afterwards.
    pub fn shift_chain(&mut self, file: usize) -> PathBuf {
        let numbered = |world: &Self, n: usize| world.beside(&format!("{}.log.{n}", LABELS[file]));
        for n in (1..CHAIN_KEEPS).rev() {
            let (from, to) = (numbered(self, n), numbered(self, n + 1));
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
        let first = numbered(self, 1);
        self.make_way(file, &first);
        first
    }

    /// Another process copies the file and truncates it. What is written in between and what was not read is theirs.
    pub fn copy_and_truncate(&mut self, file: usize, copy: PathBuf, written_between: bool) {
        self.make_way(file, &copy);
        copy_sparse(&self.path(file), &copy);
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
        self.oracle.ended(old);
        self.logs[file].archives.push((copy, old));
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
        !writer.positional || (&writer.file).stream_position().is_ok_and(|offset| offset >= 2 * BLOCK_BYTES)
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
        self.wait_for(|world| world.reader.catches_sigterm())
            .map_err(|why| format!("{why}: no handler for SIGTERM"))?;
        self.oracle.terminating();
        self.reader.signal(rustix::process::Signal::TERM);
        let ended = self.wait_for(|world| world.reader.pipes_ended() && world.reader.gone().is_some());
        ended.map_err(|why| {
            format!("{why}: SIGTERM does not end it; {}", self.oracle.owed_at_the_end().unwrap_or_default())
        })?;
        let (status, [out, err]) = self.reader.end();
        self.oracle.life_ended([&out, &err])?;
        if status.code() != Some(0) {
            return Err(format!("after SIGTERM the reader ended with {status}"));
        }
        self.oracle.owed_at_the_end().map_or(Ok(()), |owed| Err(format!("after SIGTERM: {owed}")))
    }

    /// Drains the pipes until `condition` holds; an error when it does not in time, or when the reader ends by itself meanwhile.
    pub fn wait_for(&mut self, condition: impl Fn(&mut Self) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + self.streamed_within;
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
            if Instant::now() > deadline {
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

/// As `cp` and logrotate copy: the hole that a truncation left at the beginning stays one. Written NULs stay written.
fn copy_sparse(from: &Path, to: &Path) {
    let bytes = fs::read(from).expect("the file can be read");
    let nuls = bytes.iter().take_while(|byte| **byte == 0).count() as u64;
    let hole = nuls / BLOCK_BYTES * BLOCK_BYTES;
    let mut copy = File::create_new(to).expect("the copy can be created");
    copy.seek(SeekFrom::Start(hole)).expect("a file can be sought in");
    copy.write_all(&bytes[hole as usize..]).expect("the copy can be written");
}
