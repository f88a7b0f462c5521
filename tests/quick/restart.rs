//! Restarts: what one process has streamed, the next one does not repeat, and nothing is left out in between.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::Signal;
use sidetail::read::position::Digest;

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe, stalled};
use crate::support::rotator::{
    App, LINE_BYTES, after_looks, difference, kill_at_rest, numbered, streams, streams_and_says, streams_in_all,
};

/// One write, which is one pipe's capacity: what a restart may repeat of a stream.
const WRITE_BYTES: usize = 64 * 1024;

/// Joins the first bytes of a life to what the lives before it gave: they begin at most one write before its end.
#[track_caller]
fn join(text: &str, given: &mut String, next: &[u8]) {
    let next = std::str::from_utf8(next).expect("ASCII");
    let earliest = given.len().saturating_sub(WRITE_BYTES);
    let start = (earliest..=given.len()).find(|start| text[*start..].starts_with(next));
    let Some(start) = start else {
        let (first, end) = (&next[..next.len().min(200)], &given[given.len().saturating_sub(200)..]);
        panic!("lost or repeated: a life begins with {first:?}, the lives before it ended with {end:?}");
    };
    given.truncate(start);
    given.push_str(next);
}

#[test]
fn a_restart_goes_on_where_the_last_process_stopped() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\ntwo\nunfinis");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\ntwo\n");
    // Killed, so that nothing can be written down at the end.
    program.kill();
    append(&path, "hed\nthree\n");
    append(&dir.path().join("new.log"), "new\n");
    let program = Program::on(dir.path(), &[]);
    program.expect(|| program.stdout().lines().count() == 3, "what is new");
    let mut lines: Vec<_> = program.terminate().stdout.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["new", "three", "unfinished"]);
}

#[test]
fn after_a_change_of_patterns_nothing_is_repeated() {
    let dir = directory();
    let paths = |glob: &str| format!("{}/{glob}", dir.path().display());
    append(&dir.path().join("a.log"), "one\ntwo\n");
    let program = Program::start(&[("PATHS", &paths("*.log"))]);
    program.expect_stdout("one\ntwo\n");
    program.kill();
    append(&dir.path().join("a.log"), "three\n");
    append(&dir.path().join("a.txt"), "text\n");
    let (wider, excluded) = (paths("*.{log,txt}"), paths("b.log"));
    let program = Program::start(&[("PATHS", &wider), ("EXCLUDE", &excluded)]);
    program.expect(|| program.stdout().lines().count() == 2, "what is new");
    let ended = program.terminate();
    let mut lines: Vec<_> = ended.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!((lines, ended.stderr.as_str()), (vec!["text", "three"], ""));
}

/// Rewrites a checkpoint as version 1 had it: slots of 512 bytes, without the ends of earlier reads.
fn as_version_1(checkpoint: &str) -> String {
    let mut lines = vec!["sidetail checkpoint 1: a checksum and a JSON object a file, 512 bytes each\n".to_owned()];
    for slot in checkpoint.lines().skip(1).filter(|line| line.contains('{')) {
        let (_, object) = slot.trim_end().split_once(' ').expect("a checksum and an object");
        let mut object: serde_json::Value = serde_json::from_str(object).expect("JSON");
        assert!(object.as_object_mut().expect("an object").remove("ways").is_some());
        let object = object.to_string();
        lines.push(format!("{:016x} {object}", Digest::of(object.as_bytes()).hash));
    }
    lines.iter().map(|line| format!("{line:511}\n")).collect()
}

#[test]
fn a_checkpoint_of_version_1_is_gone_on_with() {
    let dir = directory();
    for name in ["a.log", "b.log"] {
        append(&dir.path().join(name), format!("{name} one\n{name} two\n"));
    }
    let program = Program::on(dir.path(), &[]);
    program.expect(|| program.stdout().lines().count() == 4, "both files");
    kill_at_rest(program);
    let mut states = fs::read_dir(dir.path().join(".sidetail")).expect("the state");
    let state = states.next().expect("one file").expect("listed").path();
    let converted = as_version_1(&fs::read_to_string(&state).expect("UTF-8"));
    assert_eq!(converted.len(), 3 * 512);
    fs::write(&state, converted).expect("written");
    append(&dir.path().join("a.log"), "three\n");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("three\n");
    assert_eq!(program.terminate().stderr, "");
    assert!(fs::read_to_string(&state).expect("UTF-8").starts_with("sidetail checkpoint 2: "));
}

#[test]
fn a_last_line_that_was_ended_by_the_drain_is_not_repeated() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\nhalf");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\n");
    assert_eq!(program.terminate().stdout, "one\nhalf\n");
    append(&path, " and half\ntwo\n");
    Program::on(dir.path(), &[]).expect_stdout(" and half\ntwo\n");
}

#[test]
fn a_file_that_was_replaced_in_between_is_read_whole() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\ntwo\n");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\ntwo\n");
    program.kill();
    // The same inode with other contents, longer than before.
    fs::write(&path, "three\nfour\nfive\n").expect("rewritten");
    Program::on(dir.path(), &[]).expect_stdout("three\nfour\nfive\n");
}

#[test]
fn without_state_a_restart_reads_everything_again() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    for _ in 0..2 {
        let program = Program::on(dir.path(), &[("STATE", "off")]);
        program.expect_stdout("one\n");
        assert_eq!(program.terminate().stderr, "");
    }
    assert!(!dir.path().join(".sidetail").exists());
}

#[test]
fn state_can_be_kept_elsewhere() {
    let (dir, state) = (directory(), directory());
    append(&dir.path().join("a.log"), "one\n");
    let place = state.path().join("sidetail");
    let program = Program::on(dir.path(), &[("STATE", &place.display().to_string())]);
    program.expect_stdout("one\n");
    program.kill();
    assert_eq!(fs::read_dir(&place).expect("the directory").count(), 1);
    assert!(!dir.path().join(".sidetail").exists());
}

#[test]
fn start_at_the_end_is_for_what_was_there_at_the_first_start() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "old\nolder\nunfinis");
    let program = Program::on(dir.path(), &[("START", "end"), ("LOG", "info")]);
    program.expect(|| program.stderr().contains("following"), "the first look");
    append(&dir.path().join("late.log"), "late\n");
    program.expect_stdout("late\n");
    append(&path, "hed\nnew\n");
    program.expect_stdout("late\nunfinished\nnew\n");
    program.kill();
    append(&path, "newer\n");
    append(&dir.path().join("third.log"), "third\n");
    let program = Program::on(dir.path(), &[("START", "end")]);
    program.expect(|| program.stdout().lines().count() == 2, "what came while it was down");
    let ended = program.terminate();
    assert!(ended.stdout.contains("newer\n") && ended.stdout.contains("third\n"), "{}", ended.stdout);
}

#[test]
fn start_at_the_end_of_a_long_unfinished_line_streams_only_what_comes() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "x".repeat(200_000));
    let program = Program::on(dir.path(), &[("START", "end"), ("LOG", "info")]);
    program.expect(|| program.stderr().contains("following"), "the first look");
    append(&path, "rest\nnew\n");
    program.expect_stdout("rest\nnew\n");
}

#[test]
fn the_rest_of_a_long_line_comes_before_all_others_after_a_restart() {
    check_rest_of_a_long_line(|_| {});
}

#[test]
fn the_rest_of_a_long_line_comes_before_all_others_out_of_a_copy_too() {
    for copy in ["long.log.1", "long-1.log"] {
        check_rest_of_a_long_line(|directory| {
            fs::copy(directory.join("long.log"), directory.join(copy)).expect("copied");
            fs::write(directory.join("long.log"), "another line\n").expect("truncated and written");
        });
    }
}

/// A process is killed within a long line; something happens to its file while it is down.
#[track_caller]
fn check_rest_of_a_long_line(meanwhile: impl FnOnce(&Path)) {
    let dir = directory();
    let long = "x".repeat(400_000);
    append(&dir.path().join("long.log"), format!("{long}\n"));
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(writer).stderr(Stdio::piped()));
    let is_full = || (rustix::io::ioctl_fionread(&reader).expect("a pipe") == WRITE_BYTES as u64).then_some(());
    wait_for(is_full, DEADLINE).expect("a full pipe");
    kill_at_rest(program);
    let mut text = String::new();
    fs::File::from(reader).read_to_string(&mut text).expect("what the pipe has");
    meanwhile(dir.path());
    for name in ["a.log", "z.log"] {
        append(&dir.path().join(name), "another line\n".repeat(20_000));
    }
    let program = Program::on(dir.path(), &[]);
    program.expect(|| program.stdout().matches("another line\n").count() >= 40_000, "all lines");
    let rest = program.terminate().stdout;
    let end = rest.find('\n').expect("a line");
    assert!(rest[..end].bytes().all(|byte| byte == b'x'), "another line within the long one");
    assert!((long.len()..=long.len() + WRITE_BYTES).contains(&(text.len() + end)), "{} bytes of it", text.len() + end);
}

#[test]
fn a_file_written_anew_after_a_cut_line_is_routed_anew() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "ERROR without an end");
    let program = Program::on(dir.path(), &[("STDERR", "match:^ERROR"), ("LOG", "info")]);
    program.expect(|| program.stderr().contains("following"), "the first look");
    // The drain ends the line, and whatever follows it would go where it went.
    assert!(program.terminate().stderr.contains("ERROR without an end\n"));
    fs::write(&path, "\nfine\n").expect("rewritten");
    let program = Program::on(dir.path(), &[("STDERR", "match:^ERROR")]);
    program.expect_stdout("\nfine\n");
    assert_eq!(program.terminate().stderr, "");
}

#[test]
fn what_a_stalled_stream_accepted_in_the_end_is_not_repeated() {
    let dir = directory();
    let text = numbered("line", 0..1500);
    append(&dir.path().join("a.log"), &text);
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(writer).stderr(Stdio::piped()));
    stalled(&reader);
    // What is held is out when all of it has been read.
    let mut found = vec![0; text.len()];
    let mut reader = fs::File::from(reader);
    reader.read_exact(&mut found).expect("everything");
    assert_eq!(String::from_utf8_lossy(&found), text);
    kill_at_rest(program);
    append(&dir.path().join("a.log"), "new\n");
    streams_in_all(Program::on(dir.path(), &[]), "new\n");
}

#[test]
fn two_of_them_with_the_same_patterns_do_not_share_the_state() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    let first = Program::on(dir.path(), &[]);
    first.expect_stdout("one\n");
    let second = Program::on(dir.path(), &[]);
    second.expect_stdout("one\n");
    let ended = second.terminate();
    assert!(ended.stderr.contains("another sidetail follows the same patterns"), "{}", ended.stderr);
    assert_eq!(first.terminate().stderr, "");
}

#[test]
fn a_damaged_checkpoint_is_one_warning_and_the_stream_goes_on() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\n");
    program.kill();
    let state =
        fs::read_dir(dir.path().join(".sidetail")).expect("the directory").next().expect("a file").expect("readable");
    let mut file = fs::OpenOptions::new().write(true).open(state.path()).expect("writable");
    file.write_all(b"\0garbage\xff").expect("written");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\n");
    let ended = program.terminate();
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("damaged or of another version"), "{}", ended.stderr);
}

#[test]
fn a_directory_that_cannot_be_written_to_is_one_warning() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    // A file in its place refuses root too, which a mode would not.
    append(&dir.path().join(".sidetail"), "");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\n");
    let ended = program.terminate();
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("cannot keep state in") && ended.stderr.contains("SIDETAIL_STATE"),
        "{}",
        ended.stderr
    );
}

const PAGE_BYTES: usize = 4096;

/// How many processes the tests with a fast writer start and kill.
const LIVES: usize = 12;

#[test]
fn killed_in_the_middle_of_a_write_into_full_pipes_it_repeats_at_most_one_write_a_stream() {
    let dir = directory();
    let texts = ["out", "err"].map(|name| numbered(name, 0..20_000));
    append(&dir.path().join("a.log"), &texts[0]);
    append(&dir.path().join("b.log"), &texts[1]);
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", &*paths), ("STDERR", "file:b.log")];
    let mut given = [String::new(), String::new()];
    for _ in 0..4 {
        let ends = [pipe(), pipe()];
        let [out, err] = [0, 1].map(|index| ends[index].1.try_clone().expect("a second descriptor"));
        let program = Program::spawn(command(&variables).stdout(out).stderr(err));
        let is_full = |index: usize| rustix::io::ioctl_fionread(&ends[index].0).expect("a pipe") == WRITE_BYTES as u64;
        program.expect(|| is_full(0) && is_full(1), "both pipes to be full");
        // Some is read, and the room is used at once, for a part of what it holds. A pipe has room by the page.
        for (index, (reader, _)) in ends.iter().enumerate() {
            let mut some = [0; 2 * PAGE_BYTES];
            let read = rustix::io::read(reader, &mut some).expect("readable");
            join(&texts[index], &mut given[index], &some[..read]);
        }
        program.expect(|| is_full(0) && is_full(1), "both pipes to be full again");
        program.kill();
        for (index, (reader, writer)) in ends.into_iter().enumerate() {
            drop(writer);
            let mut rest = Vec::new();
            File::from(reader).read_to_end(&mut rest).expect("readable");
            given[index].push_str(&String::from_utf8_lossy(&rest));
            assert!(texts[index].starts_with(&given[index]), "one life's output has no gap");
        }
    }
    let program = Program::start(&variables);
    let rest_begins = |index: usize| given[index].len() - WRITE_BYTES..=given[index].len();
    let is_rest = |index: usize, found: &str| {
        texts[index].ends_with(found) && rest_begins(index).contains(&(texts[index].len() - found.len()))
    };
    program.expect(|| is_rest(0, &program.stdout()) && is_rest(1, &program.stderr()), "the rest of both");
    let ended = program.terminate();
    assert!(is_rest(0, &ended.stdout) && is_rest(1, &ended.stderr));
}

#[test]
fn a_gap_and_too_much_repetition_are_seen() {
    let text = numbered("line", 0..3000);
    let joined = |given: usize, from: usize| {
        std::panic::catch_unwind(|| join(&text, &mut text[..given].to_owned(), &text.as_bytes()[from..from + 500]))
    };
    assert!(joined(100_000, 100_000).is_ok() && joined(100_000, 100_000 - WRITE_BYTES).is_ok());
    assert!(joined(100_000, 100_001).is_err() && joined(100_000, 100_000 - WRITE_BYTES - 1).is_err());
}

/// An application that writes until it is stopped, also by a test that fails.
struct Busy {
    is_done: Arc<AtomicBool>,
    writer: Option<JoinHandle<App>>,
}

impl Busy {
    /// 40 lines every two milliseconds, 20,000 a second at most; after every 30 times of that `rotate` is called.
    fn start(mut app: App, rotate: fn(&mut App)) -> Self {
        let is_done = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&is_done);
        let writer = thread::spawn(move || {
            while !asked.load(Ordering::Relaxed) {
                for _ in 0..30 {
                    app.lines(40);
                    // The writer's own pace, not a wait for anybody.
                    thread::sleep(Duration::from_millis(2));
                }
                rotate(&mut app);
            }
            app
        });
        Self { is_done, writer: Some(writer) }
    }

    /// Returns everything that was written.
    fn stop(mut self) -> String {
        self.is_done.store(true, Ordering::Relaxed);
        let writer = self.writer.take().expect("it is stopped once");
        writer.join().expect("the writer does not fail").written().to_owned()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Relaxed);
    }
}

#[test]
fn killed_again_and_again_under_a_fast_writer_it_loses_nothing() {
    let dir = directory();
    let busy = Busy::start(App::appending(&dir.path().join("app.log")), |_| {});
    let lives = killed_lives(dir.path());
    let text = busy.stop();
    let mut given = String::new();
    for life in &lives {
        join(&text, &mut given, life.as_bytes());
    }
    let last = Program::on(dir.path(), &[]);
    last.expect(|| text.ends_with(&last.stdout()) && last.stdout().len() >= text.len() - given.len(), "the rest");
    let ended = last.terminate();
    join(&text, &mut given, ended.stdout.as_bytes());
    assert_eq!(difference(&text, &given), None);
    assert_eq!(ended.stderr, "");
}

/// Starts programs and kills each when it has given something, at no particular point.
fn killed_lives(directory: &Path) -> Vec<String> {
    let mut lives = Vec::new();
    for life in 0..LIVES {
        let program = Program::on(directory, &[]);
        let wanted = 1 + life * 20_000;
        program.expect(|| program.stdout().len() >= wanted, "some lines");
        // Not at rest: on a busy machine it never is, and what a write of the moment repeats is allowed.
        program.signal(Signal::KILL);
        let ended = program.wait();
        assert_eq!(ended.stderr, "");
        lives.push(ended.stdout);
    }
    lives
}

#[test]
fn killed_again_and_again_while_the_file_is_rotated_it_loses_nothing() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1);
    // What is rotated before the first look of all is history.
    let first = Program::on(dir.path(), &[]);
    streams(&first, app.written());
    let mut lives = vec![first.kill().stdout];
    // Nothing is destroyed: the chain is longer than the test.
    let busy = Busy::start(app, |app| app.rotate_chain(1000));
    lives.extend(killed_lives(dir.path()));
    let text = busy.stop();
    let rotations = fs::read_dir(dir.path()).expect("the directory").count() - 2;
    assert!(rotations > LIVES, "{rotations} rotations");
    let last = Program::on(dir.path(), &[]);
    let last_line = &text[text.len() - LINE_BYTES..];
    // Which lines are missing is told below.
    wait_for(|| last.stdout().ends_with(last_line).then_some(()), DEADLINE);
    let ended = last.terminate();
    assert_eq!(ended.stderr, "");
    lives.push(ended.stdout);
    check_lives(&text, &lives);
}

/// Every line is there; only the last of a life may be cut, and repeated is no more than one write a life.
fn check_lives(text: &str, lives: &[String]) {
    let known: HashSet<&str> = text.split_inclusive('\n').collect();
    let mut seen = HashSet::new();
    for (number, life) in lives.iter().enumerate() {
        let mut repeated = 0;
        let mut lines = life.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            let is_cut = lines.peek().is_none() && !line.ends_with('\n');
            assert!(is_cut || known.contains(line), "life {number} has {line:?}, which nobody wrote");
            repeated += if is_cut || seen.insert(line) { 0 } else { line.len() };
        }
        assert!(repeated <= WRITE_BYTES, "life {number} repeats {repeated} bytes");
    }
    let mut lines: Vec<_> = seen.into_iter().collect();
    lines.sort_unstable();
    assert_eq!(difference(text, &lines.concat()), None);
}

#[test]
fn lives_that_lose_or_repeat_or_tear_are_seen() {
    let text = numbered("line", 0..2500);
    let check = |lives: &[&str]| {
        let lives: Vec<_> = lives.iter().map(|life| (*life).to_owned()).collect();
        std::panic::catch_unwind(|| check_lives(&text, &lives)).is_ok()
    };
    let (middle, write) = (1200 * LINE_BYTES, 1024 * LINE_BYTES);
    assert!(check(&[&text[..middle], &text[middle..]]));
    assert!(check(&[&text[..middle + 5], &text[middle - write..]]), "a cut line and one write are allowed");
    assert!(!check(&[&text[..middle], &text[middle - write - LINE_BYTES..]]), "repeated too much");
    assert!(!check(&[&text[..middle], &text[middle + LINE_BYTES..]]), "lost a line");
    assert!(!check(&[&text[..middle], &text[middle - 5..]]), "torn at its beginning");
}

#[test]
fn rotated_and_compressed_away_while_down_costs_only_what_was_destroyed() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(100);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    kill_at_rest(program);
    let before = app.written().len();
    app.lines(5);
    app.rotate_chain(2);
    app.lines(5);
    app.rotate_chain(2);
    app.lines(5);
    // The chain's last one, which has the first five of them, is gone.
    fs::remove_file(app.beside(".2")).expect("deleted");
    streams_in_all(Program::on(dir.path(), &[]), &app.written()[before + 5 * LINE_BYTES..]);
}

/// The state file of a program that has streamed `a.log` and `b.log` and was killed.
fn killed_with_two_files(dir: &Path) -> PathBuf {
    append(&dir.join("a.log"), numbered("a", 0..10));
    let program = Program::on(dir, &[]);
    streams(&program, &numbered("a", 0..10));
    append(&dir.join("b.log"), numbered("b", 0..10));
    streams(&program, &(numbered("a", 0..10) + &numbered("b", 0..10)));
    kill_at_rest(program);
    let mut entries = fs::read_dir(dir.join(".sidetail")).expect("the directory");
    entries.next().expect("a file").expect("readable").path()
}

/// The next process gives exactly this, after one warning with these words, and the one after it knows all again.
#[track_caller]
fn check_one_warning(dir: &Path, expected: &str, words: &str) {
    let ended = streams_and_says(Program::on(dir, &[]), expected);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    append(&dir.join("b.log"), "new\n");
    streams_in_all(Program::on(dir, &[]), "new\n");
}

/// Where the slot of `b.log` is in the state file.
fn slot_of_b(state: &Path) -> std::ops::Range<usize> {
    let text = String::from_utf8_lossy(&fs::read(state).expect("readable")).into_owned();
    let at = text.find("b.log").expect("a slot with the path");
    let start = text[..at].rfind('\n').expect("the header's line") + 1;
    let end = at + text[at..].find('\n').expect("the slot's end") + 1;
    start..end
}

#[test]
fn a_slot_torn_in_the_middle_costs_only_its_own_file() {
    for filling in [b' ', 0, b'x'] {
        let dir = directory();
        let state = killed_with_two_files(dir.path());
        let slot = slot_of_b(&state);
        let mut bytes = fs::read(&state).expect("readable");
        bytes[(slot.start + slot.end) / 2..slot.end - 1].fill(filling);
        // A slot is shorter than half of its room: torn is what it says.
        bytes[slot.start + 60..slot.start + 90].fill(filling);
        fs::write(&state, bytes).expect("written");
        check_one_warning(dir.path(), &numbered("b", 0..10), "damaged");
    }
}

#[test]
fn a_checkpoint_that_ends_in_the_middle_of_a_slot_costs_only_that_file() {
    let dir = directory();
    let state = killed_with_two_files(dir.path());
    let file = fs::OpenOptions::new().write(true).open(&state).expect("writable");
    file.set_len(slot_of_b(&state).start as u64 + 100).expect("truncated");
    check_one_warning(dir.path(), &numbered("b", 0..10), "damaged");
}

#[test]
fn a_checkpoint_of_another_version_is_one_warning_and_begun_anew() {
    let dir = directory();
    let state = killed_with_two_files(dir.path());
    let text = String::from_utf8(fs::read(&state).expect("readable")).expect("text");
    assert!(text.contains("checkpoint 2"), "{text}");
    fs::write(&state, text.replacen("checkpoint 2", "checkpoint 3", 1)).expect("written");
    let all = numbered("a", 0..10) + &numbered("b", 0..10);
    check_one_warning(dir.path(), &all, "damaged or of another version");
}

#[test]
fn a_checkpoint_that_cannot_be_opened_is_one_warning() {
    let dir = directory();
    let state = killed_with_two_files(dir.path());
    // A directory in its place refuses root too, which a mode would not.
    fs::remove_file(&state).expect("removed");
    fs::create_dir(&state).expect("a directory");
    let all = numbered("a", 0..10) + &numbered("b", 0..10);
    let ended = streams_and_says(Program::on(dir.path(), &[]), &all);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("cannot keep state in"), "{}", ended.stderr);
}

#[test]
fn two_of_them_with_different_patterns_do_not_meet() {
    let dir = directory();
    for name in ["a", "b"] {
        append(&dir.path().join(format!("{name}.log")), numbered(name, 0..10));
    }
    // The third has all files, and its own idea of how far it has come.
    let patterns = ["a*.log", "b*.log", "*.log"].map(|pattern| format!("{}/{pattern}", dir.path().display()));
    let start = |index: usize| Program::start(&[("PATHS", &patterns[index])]);
    let all = |range: std::ops::Range<usize>| numbered("a", range.clone()) + &numbered("b", range);
    let programs = [start(0), start(1)];
    streams(&programs[0], &numbered("a", 0..10));
    streams(&programs[1], &numbered("b", 0..10));
    let third = start(2);
    third.expect(|| sorted(&third.stdout()) == all(0..10), "both files");
    for program in programs {
        assert_eq!(kill_at_rest(program).stderr, "");
    }
    assert_eq!(kill_at_rest(third).stderr, "");
    for name in ["a", "b"] {
        append(&dir.path().join(format!("{name}.log")), numbered(name, 10..11));
    }
    streams_in_all(start(0), &numbered("a", 10..11));
    streams_in_all(start(1), &numbered("b", 10..11));
    let third = start(2);
    third.expect(|| sorted(&third.stdout()) == all(10..11), "what is new in both");
    assert_eq!(sorted(&third.terminate().stdout), all(10..11));
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<_> = text.split_inclusive('\n').collect();
    lines.sort_unstable();
    lines.concat()
}

#[test]
fn what_a_stalled_stream_holds_is_not_noted_when_an_older_file_ends() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\n");
    let (reader, writer) = pipe();
    let mut reader = fs::File::from(reader);
    let paths = format!("{}/*.log", dir.path().display());
    // With a rule on lines the deleted file can be looked at, and end, while stdout is stalled.
    let variables = [("PATHS", paths.as_str()), ("LOG", "info"), ("STDERR", "match:^never")];
    let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
    let mut line = [0; 4];
    for next in ["two\n", ""] {
        reader.read_exact(&mut line).expect("a line");
        fs::remove_file(&path).expect("deleted");
        append(&path, next);
    }
    // More than the pipe takes: a part of it is held when the deleted files end, some five seconds later.
    let lines: Vec<String> = (0..2000).map(|number| format!("{number:099}")).collect();
    append(&path, lines.join("\n") + "\n");
    let is_deleted = |path: &PathBuf| path.to_string_lossy().ends_with("a.log (deleted)");
    program.expect(|| !program.open_files().iter().any(is_deleted), "the end of both deleted files");
    program.kill();
    let mut before = String::new();
    reader.read_to_string(&mut before).expect("what the pipe has");
    let program = Program::on(dir.path(), &[]);
    program.expect(|| program.stdout().ends_with(&format!("{:099}\n", 1999)), "the last line");
    let after = program.terminate().stdout;
    let streamed: HashSet<&str> = before.lines().chain(after.lines()).collect();
    let lost: Vec<_> = lines.iter().filter(|line| !streamed.contains(line.as_str())).collect();
    assert!(lost.is_empty(), "{} lines lost, from {:?} on", lost.len(), lost.first());
}

#[test]
fn what_a_stalled_stream_holds_is_not_noted_when_its_file_is_copied_and_truncated() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("a.log"));
    app.lines(2500);
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(writer).stderr(Stdio::piped()));
    stalled(&reader);
    after_looks(&program, 2);
    app.copytruncate(&app.beside(".1"));
    after_looks(&program, 2);
    kill_at_rest(program);
    let mut found = String::new();
    fs::File::from(reader).read_to_string(&mut found).expect("whole lines");
    streams_in_all(Program::on(dir.path(), &[]), &app.written()[found.len()..]);
}

#[test]
fn what_came_up_and_was_rotated_while_down_is_read_though_all_files_of_its_path_had_ended() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "streamed\n");
    let program = Program::on(dir.path(), &[("LOG", "info")]);
    program.expect(|| program.stdout() == "streamed\n", "the first line");
    fs::remove_file(&path).expect("deleted");
    program.expect(|| program.stderr().contains("finished reading "), "the end of the deleted file");
    assert!(program.terminate().status.success());
    append(&path, "rotated while down\n");
    fs::rename(&path, dir.path().join("a.log.1")).expect("renamed");
    append(&path, "and there now\n");
    Program::on(dir.path(), &[]).expect_stdout("rotated while down\nand there now\n");
}

#[test]
fn what_was_renamed_to_a_name_that_the_pattern_matches_comes_first_after_a_kill() {
    // With very many others the first look takes some turns, in which files are read.
    for others in [0, 1500] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        (0..others).for_each(|other| append(&dir.path().join(format!("{other}.txt")), ""));
        let paths = format!("{}/*", dir.path().display());
        let (reader, writer) = pipe();
        let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(writer).stderr(Stdio::piped()));
        // Some turns more than the pipe takes, and then another generation.
        app.lines(10_000);
        stalled(&reader);
        app.rotate(&app.beside(".1"));
        app.lines(3000);
        after_looks(&program, 2);
        kill_at_rest(program);
        let mut found = String::new();
        fs::File::from(reader).read_to_string(&mut found).expect("whole lines");
        streams_in_all(Program::start(&[("PATHS", &paths)]), &app.written()[found.len()..]);
    }
}

#[test]
fn what_was_moved_below_before_the_last_write_of_the_killed_process_is_read() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(20);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    let checkpoint = || {
        let mut names =
            fs::read_dir(dir.path().join(".sidetail")).expect("the state").map(|entry| entry.expect("one").path());
        names.find(|path| path.file_name().is_some_and(|name| name.len() == 16)).expect("a checkpoint")
    };
    kill_at_rest(program);
    let before = app.written().len();
    fs::create_dir(dir.path().join("old")).expect("a directory");
    app.rotate(&dir.path().join("20_app.log"));
    app.lines(5);
    app.rotate(&dir.path().join("old/app.log-20260101-1767225600"));
    app.lines(5);
    // As if it had written something since then, and not looked: nobody can make it do just that.
    let file = File::options().write(true).open(checkpoint()).expect("there");
    file.set_modified(std::time::SystemTime::now()).expect("our own file");
    streams_in_all(Program::on(dir.path(), &[]), &app.written()[before..]);
}
