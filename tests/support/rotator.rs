//! An application that writes a log file, what is done to that file behind its reader's back, and the exact comparison of
//! what the reader made of it.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::bounded::wait_for;
use super::program::{DEADLINE, Ended, Program};

/// The length of a numbered line: 64 of them are a block of most file systems.
pub const LINE_BYTES: usize = 64;

/// How often the program looks at everything, at least.
const SAFETY_TICK: Duration = Duration::from_secs(2);

/// Files get their times from a clock that goes on this often, at most: at every tick of a kernel with 100 a second.
const CLOCK_STEP: Duration = Duration::from_millis(10);

/// A log file, its writer, and everything that was ever written: what a reader must have given in the end.
pub struct App {
    path: PathBuf,
    file: File,
    appends: bool,
    count: usize,
    written: String,
}

impl App {
    /// A writer with `O_APPEND`, as most are.
    pub fn appending(path: &Path) -> Self {
        Self::open(path, true)
    }

    /// A writer that keeps its own offset, and so leaves a hole before its next line when its file is truncated.
    pub fn positional(path: &Path) -> Self {
        Self::open(path, false)
    }

    /// A writer with `O_APPEND` of a file that has these numbered lines already.
    pub fn going_on(path: &Path, written: &str) -> Self {
        Self { count: written.lines().count(), written: written.to_owned(), ..Self::appending(path) }
    }

    fn open(path: &Path, appends: bool) -> Self {
        let file = create(path, appends);
        Self { path: path.to_owned(), file, appends, count: 0, written: String::new() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns all that was written, in order, whatever became of it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Returns a path beside the file: its own with this appended to the name.
    pub fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(suffix);
        path.into()
    }

    pub fn write(&mut self, text: &str) {
        self.file.write_all(text.as_bytes()).expect("written");
        self.written.push_str(text);
    }

    /// Writes as many more numbered lines; no two of them are alike.
    pub fn lines(&mut self, count: usize) {
        let text = numbered("line", self.count..self.count + count);
        self.count += count;
        self.write(&text);
    }

    /// Opens the path again, which is created if it is not there; not before the kernel's clock gives it a later birth than
    /// the file before it, because which of the two is older is known by that alone.
    pub fn reopen(&mut self) {
        wait_for_later_births(&self.file);
        self.file = create(&self.path, self.appends);
    }

    /// Rename and create.
    pub fn rotate(&mut self, to: &Path) {
        fs::rename(&self.path, to).expect("renamed");
        self.reopen();
    }

    /// Renames `.1` to `.2` and so on, the last one over the one before it, and the file to `.1`; then creates it again.
    pub fn rotate_chain(&mut self, kept: usize) {
        self.shift_chain(kept);
        self.rotate(&self.beside(".1"));
    }

    /// Makes `.1` free.
    pub fn shift_chain(&self, kept: usize) {
        for number in (1..kept).rev() {
            let (from, to) = (self.beside(&format!(".{number}")), self.beside(&format!(".{}", number + 1)));
            if from.exists() {
                fs::rename(from, to).expect("renamed");
            }
        }
    }

    /// What logrotate's copytruncate does; the writer notices nothing.
    pub fn copytruncate(&self, copy: &Path) {
        fs::copy(&self.path, copy).expect("copied");
        self.truncate(0);
    }

    pub fn truncate(&self, bytes: u64) {
        let file = OpenOptions::new().write(true).open(&self.path).expect("a writable file");
        file.set_len(bytes).expect("truncated");
    }

    /// Overwrites the beginning, as somebody else, without truncating.
    pub fn overwrite(&self, text: &str) {
        let mut file = OpenOptions::new().write(true).open(&self.path).expect("a writable file");
        file.write_all(text.as_bytes()).expect("written");
    }

    /// Goes on at another offset, as a writer without `O_APPEND` does that knows of a change.
    pub fn seek(&mut self, offset: u64) {
        self.file.seek(SeekFrom::Start(offset)).expect("a regular file");
    }
}

/// Creates the path again for a writer with `O_APPEND`, as [`App::reopen`] does.
pub fn reopened(path: &Path, before: &File) -> File {
    wait_for_later_births(before);
    create(path, true)
}

/// Waits until what is created is younger than this file by its time of birth.
fn wait_for_later_births(file: &File) {
    let birth = file.metadata().and_then(|metadata| metadata.created());
    // One that is from the future is not waited for.
    let is_later = || birth.as_ref().map_or(true, |birth| birth.elapsed().map_or(true, |age| age > CLOCK_STEP));
    wait_for(|| is_later().then_some(()), DEADLINE).expect("the clock goes on");
}

fn create(path: &Path, appends: bool) -> File {
    let mut options = OpenOptions::new();
    options.create(true).write(true).append(appends).truncate(false);
    options.open(path).expect("the application can write its log")
}

/// Returns lines of [`LINE_BYTES`] bytes with these numbers.
pub fn numbered(label: &str, numbers: std::ops::Range<usize>) -> String {
    let filling = "abcdefghijklmnopqrstuvwxyz".repeat(3);
    let mut text = String::new();
    for number in numbers {
        let start = format!("{label} {number:08} ");
        text.extend([&start, &filling[..LINE_BYTES - 1 - start.len()], "\n"]);
    }
    text
}

/// Stops the program as a machine without a free processor does, and waits until it stands still.
#[track_caller]
pub fn freeze(program: &Program) {
    program.signal(Signal::STOP);
    let stopped = || state(program) == Some('T');
    program.expect(stopped, "the program to be stopped");
}

pub fn thaw(program: &Program) {
    program.signal(Signal::CONT);
}

/// Kills the program when it waits for something to do: what it has streamed is in the checkpoint by then. Killed a moment
/// earlier it may repeat one write, which is promised no better.
#[track_caller]
pub fn kill_at_rest(program: Program) -> Ended {
    program.expect(|| state(&program) == Some('S'), "the program to wait");
    program.kill()
}

fn state(program: &Program) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("State:"))?;
    line.trim().chars().next()
}

/// Waits until an otherwise idle program has woken up this often: by its safety tick, or by what was just done.
#[track_caller]
pub fn after_looks(program: &Program, count: u64) {
    let wakes = || program.status_field("voluntary_ctxt_switches");
    let wanted = wakes() + count;
    program.expect(|| wakes() >= wanted, "the next look");
}

/// How long as many things take at least, one after the other, that nothing but the safety tick tells of.
pub fn by_ticks_alone(count: u32) -> Duration {
    SAFETY_TICK * (count - 1)
}

/// Waits until so many safety ticks must have been: their time has passed, and the program has woken up as often at least.
/// Wake-ups alone would not tell, because whatever happens in the directories above wakes it too.
#[track_caller]
pub fn after_ticks(program: &Program, count: u32) {
    let wakes = || program.status_field("voluntary_ctxt_switches");
    let (start, wanted) = (Instant::now(), wakes() + u64::from(count));
    program.expect(|| start.elapsed() >= SAFETY_TICK * count && wakes() >= wanted, "the safety tick");
}

/// Waits until stdout is exactly this; gives up as soon as it cannot become so.
#[track_caller]
pub fn streams(program: &Program, expected: &str) {
    let compared = wait_for(
        || {
            let stdout = program.stdout();
            (stdout == expected || !expected.starts_with(stdout.trim_end_matches('\u{fffd}'))).then_some(stdout)
        },
        DEADLINE,
    );
    let stdout = compared.unwrap_or_else(|| program.stdout());
    if let Some(difference) = difference(expected, &stdout) {
        panic!("{difference}\nstderr: {}", program.stderr());
    }
}

/// Waits until stdout is exactly this, ends the program, and holds it to that: nothing came later, nothing was complained of.
#[track_caller]
pub fn streams_in_all(program: Program, expected: &str) {
    assert_eq!(streams_and_says(program, expected).stderr, "");
}

/// The same for a program that has something to say.
#[track_caller]
pub fn streams_and_says(program: Program, expected: &str) -> Ended {
    streams(&program, expected);
    let ended = program.terminate();
    if let Some(difference) = difference(expected, &ended.stdout) {
        panic!("at the end {difference}\nstderr: {}", ended.stderr);
    }
    assert!(ended.status.success(), "{}", ended.status);
    ended
}

/// Fails if two outputs differ, and says where.
#[track_caller]
pub fn same(found: &str, expected: &str) {
    if let Some(difference) = difference(expected, found) {
        panic!("{difference}");
    }
}

/// Says in one sentence where two outputs part; `None` if they are the same.
pub fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let (mut ours, mut theirs) = (expected.split_inclusive('\n'), found.split_inclusive('\n'));
    let mut before = VecDeque::new();
    let mut number = 0;
    loop {
        number += 1;
        let (wanted, line) = (ours.next(), theirs.next());
        if wanted != line {
            let lines = |text: &str| text.lines().count();
            let [wanted, line] = [wanted, line].map(|line| line.map(shortened));
            return Some(format!(
                "line {number} is {line:?}, not {wanted:?}, after {before:?}; {} lines in place of {}",
                lines(found),
                lines(expected)
            ));
        }
        before.extend(line.map(shortened));
        if before.len() > 2 {
            before.pop_front();
        }
    }
}

/// The beginning of a line, enough to know it by.
fn shortened(line: &str) -> String {
    line.chars().take(30).collect()
}

#[test]
fn a_wrong_stream_is_seen() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    for wrong in ["", "a\n", "a\nb", "a\nb\nb\n", "b\na\n", "a\n\0b\n", "a\nb\n\n"] {
        assert!(difference("a\nb\n", wrong).is_some(), "{wrong:?} was taken for right");
    }
    let text = numbered("x", 7..9);
    assert_eq!((text.len(), text.lines().count()), (2 * LINE_BYTES, 2));
}

#[test]
fn a_frozen_program_streams_nothing_until_it_is_thawed() {
    let dir = super::files::directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    freeze(&program);
    app.lines(1);
    let moved = wait_for(|| (program.stdout().lines().count() > 1).then_some(()), Duration::from_millis(100));
    assert_eq!(moved, None);
    thaw(&program);
    streams_in_all(program, app.written());
}
