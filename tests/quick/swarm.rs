//! What an application makes very many of: names, directories, entries of a checkpoint. Memory is small whatever there is.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sidetail::read::position::Digest;

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::rotator::{kill_at_rest, streams, streams_and_says};

/// How much a process may grow that holds nothing more than before, in KiB: what the allocator rounds up.
const FLAT_KIB: u64 = 256;

/// A log that is written to, to know that everything before was looked at.
struct Probe {
    path: PathBuf,
    lines: usize,
}

impl Probe {
    fn write(&mut self, program: &Program) {
        append(&self.path, "probe\n");
        self.lines += 1;
        program.expect(|| program.stdout().len() == self.lines * "probe\n".len(), "the line");
    }
}

#[track_caller]
fn expect_flat(program: &Program, before: u64, what: &str) {
    let grown = program.status_field("VmRSS").saturating_sub(before);
    assert!(grown <= FLAT_KIB, "{what}: {grown} KiB more");
}

#[test]
fn second_names_that_come_and_go_leave_nothing() {
    let links: [fn(&PathBuf, &PathBuf) -> _; 2] = [|of, name| fs::hard_link(of, name), |of, name| symlink(of, name)];
    for link in links {
        let dir = directory();
        let mut probe = Probe { path: dir.path().join("app.log"), lines: 0 };
        append(&probe.path, "");
        let program = Program::on(dir.path(), &[]);
        let mut before = 0;
        for round in 0..60 {
            let name = |number: usize| dir.path().join(format!("{}{round}-{number}.log", "n".repeat(235)));
            let names: Vec<_> = (0..100).map(name).collect();
            names.iter().for_each(|name| link(&probe.path, name).expect("a second name"));
            probe.write(&program);
            names.iter().for_each(|name| fs::remove_file(name).expect("it is there"));
            probe.write(&program);
            if round == 19 {
                before = program.status_field("VmRSS");
            }
        }
        expect_flat(&program, before, "4,000 names later");
        assert_eq!(program.terminate().stderr, "");
    }
}

#[test]
fn directories_that_are_renamed_again_and_again_leave_nothing() {
    let dir = directory();
    let mut probe = Probe { path: dir.path().join("app.log"), lines: 0 };
    let long = |number: usize| dir.path().join(format!("{}{number}", "d".repeat(240)));
    let mut at = long(0);
    for below in 0..8 {
        fs::create_dir_all(at.join("e".repeat(240)).join(below.to_string())).expect("directories");
    }
    append(&probe.path, "");
    let paths = format!("{}/**/*.log", dir.path().display());
    let program = Program::start(&[("PATHS", &paths)]);
    let mut before = 0;
    for round in 1..=300 {
        let next = long(round);
        fs::rename(&at, &next).expect("renamed");
        at = next;
        probe.write(&program);
        if round == 100 {
            before = program.status_field("VmRSS");
        }
    }
    expect_flat(&program, before, "200 names later");
    // Under its last name it is watched still.
    let below = at.join("e".repeat(240)).join("7/late.log");
    append(&below, "late\n");
    program.expect(|| program.stdout().ends_with("late\n"), "the line");
    assert_eq!(streams_and_says(program, &("probe\n".repeat(300) + "late\n")).stderr, "");
}

/// What the entries of a checkpoint may take together, in KiB.
const ENTRIES_KIB: u64 = 4096;

/// The state file of a program that has streamed `app.log` and was killed, and how much it had resident at most.
fn killed(dir: &Path) -> (PathBuf, u64) {
    append(&dir.join("app.log"), "one\n");
    let program = Program::on(dir, &[]);
    streams(&program, "one\n");
    let peak = program.status_field("VmHWM");
    kill_at_rest(program);
    let mut states = fs::read_dir(dir.join(".sidetail")).expect("the state");
    (states.next().expect("a file").expect("listed").path(), peak)
}

#[test]
fn of_a_checkpoint_that_was_made_very_long_only_so_much_is_read() {
    let dir = directory();
    let (state, usual) = killed(dir.path());
    OpenOptions::new().write(true).open(&state).expect("writable").set_len(64 << 30).expect("a sparse file");
    append(&dir.path().join("app.log"), "two\n");
    let program = Program::on(dir.path(), &[]);
    streams(&program, "two\n");
    let grown = program.status_field("VmHWM").saturating_sub(usual);
    assert!(grown <= ENTRIES_KIB, "{grown} KiB more for 64 GiB");
    let ended = program.terminate();
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("more than 65536 entries"), "{}", ended.stderr);
    assert!(fs::metadata(&state).expect("there").len() <= 65 << 20, "it is cut off");
    append(&dir.path().join("app.log"), "three\n");
    assert_eq!(streams_and_says(Program::on(dir.path(), &[]), "three\n").stderr, "");
}

#[test]
fn very_many_entries_of_a_checkpoint_take_little_memory_and_the_first_are_kept() {
    const ENTRIES: u64 = 80_000;
    let dir = directory();
    let (state, usual) = killed(dir.path());
    let header = "sidetail checkpoint 1: a checksum and a JSON object a file, 512 bytes each\n";
    let mut forged = BufWriter::new(File::create(&state).expect("writable"));
    writeln!(forged, "{header:511}").expect("written");
    for number in 0..ENTRIES {
        let file = format!(r#""dev":1,"ino":{number},"btime":1,"offset":1,"marker":[1,1],"head":[1,1],"line":0"#);
        let object = format!(r#"{{"path":"x","at":{number},"since":0,{file}}}"#);
        let line = format!("{:016x} {object}", Digest::of(object.as_bytes()).hash);
        writeln!(forged, "{line:511}").expect("written");
    }
    drop(forged);
    let program = Program::on(dir.path(), &[]);
    streams(&program, "one\n");
    let grown = program.status_field("VmHWM").saturating_sub(usual);
    assert!(grown <= ENTRIES_KIB, "{grown} KiB more for {ENTRIES} entries");
    let ended = program.terminate();
    assert!(ended.stderr.contains("more than 65536 entries"), "{}", ended.stderr);
    assert!(fs::metadata(&state).expect("there").len() > 64 << 20, "they are converted");
}

#[test]
fn names_that_are_none_of_ours_take_no_memory() {
    const NAMES: usize = 15_000;
    let foreign = |number: usize| format!("{}{number}", "n".repeat(240));
    let done_with = |number: usize| format!("app.log-20200101.{number:0200}");
    let (plain, dir) = (directory(), directory());
    let (_, usual) = killed(plain.path());
    let kinds: [&dyn Fn(usize) -> String; 2] = [&foreign, &done_with];
    for (round, name_of) in kinds.into_iter().enumerate() {
        let dir = dir.path().join(round.to_string());
        fs::create_dir(&dir).expect("a directory");
        (0..NAMES).for_each(|number| drop(File::create(dir.join(name_of(number))).expect("created")));
        append(&dir.join("app.log"), "one\n");
        let program = Program::on(&dir, &[]);
        streams(&program, "one\n");
        fs::rename(dir.join("app.log"), dir.join("app.log.1")).expect("renamed");
        append(&dir.join("app.log"), "two\n");
        streams(&program, "one\ntwo\n");
        let grown = program.status_field("VmHWM").saturating_sub(usual);
        assert!(grown <= 4 * FLAT_KIB, "{grown} KiB more for names as {}", name_of(0));
    }
}

#[test]
fn very_many_directories_and_generations_below_take_no_memory() {
    const NAMES: usize = 4_000;
    let (plain, dir) = (directory(), directory());
    let (_, usual) = killed(plain.path());
    let name = format!("{}.log", "l".repeat(230));
    let (log, old) = (dir.path().join(&name), dir.path().join("old"));
    fs::create_dir(&old).expect("a directory");
    let generation = |number: usize| old.join(format!("{name}.{number}"));
    (0..NAMES).for_each(|number| drop(File::create(generation(number)).expect("created")));
    append(&log, "one\n");
    let program = Program::on(dir.path(), &[]);
    streams(&program, "one\n");
    fs::rename(&log, generation(NAMES + 1)).expect("moved");
    append(&log, "two\n");
    streams(&program, "one\ntwo\n");
    let grown = program.status_field("VmHWM").saturating_sub(usual);
    assert!(grown <= 4 * FLAT_KIB, "{grown} KiB more for generations below");
    kill_at_rest(program);

    let below = |number: usize| dir.path().join(format!("{}{number}", "d".repeat(240)));
    (0..NAMES).for_each(|number| fs::create_dir(below(number)).expect("a directory"));
    fs::rename(&log, generation(NAMES + 2)).expect("moved");
    append(&generation(NAMES + 2), "three\n");
    let program = Program::on(dir.path(), &[]);
    streams(&program, "three\n");
    let grown = program.status_field("VmHWM").saturating_sub(usual);
    assert!(grown <= 4 * FLAT_KIB, "{grown} KiB more for directories after a restart");
    // Where all that took ten seconds, it is said that nothing is at the log's own path.
    let said = program.terminate().stderr;
    assert!(said.lines().all(|line| line.contains("*.log matches nothing yet: ")), "{said}");
}

#[test]
fn in_very_many_directories_lines_may_be_late_and_none_is_left_out() {
    const DIRECTORIES: usize = 6_000;
    let (plain, dir) = (directory(), directory());
    let (_, usual) = killed(plain.path());
    let name = |number: usize| dir.path().join(format!("{number:060}"));
    (0..DIRECTORIES).for_each(|number| fs::create_dir(name(number)).expect("a directory"));
    let paths = format!("{}/**/*.log", dir.path().display());
    append(&name(0).join("first.log"), "line\n");
    let program = Program::start(&[("PATHS", &paths)]);
    streams(&program, "line\n");
    let some = || (0..DIRECTORIES).step_by(DIRECTORIES / 50);
    some().for_each(|number| append(&name(number).join("late.log"), "line\n"));
    streams(&program, &"line\n".repeat(1 + some().count()));
    let grown = program.status_field("VmHWM").saturating_sub(usual);
    // Those that are remembered take some 500 bytes each; what is held while all are walked comes on top.
    assert!(grown <= 3072, "{grown} KiB more for {DIRECTORIES} directories");
    let ended = program.terminate();
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("cannot watch all directories"), "{}", ended.stderr);
}

/// More files than are followed at a time.
const MANY: usize = 3_000;

/// Each of the tests with very many files has the machine to itself, as far as these go: the deadline of one is not used up by another.
fn alone() -> MutexGuard<'static, ()> {
    static MANY_FILES: Mutex<()> = Mutex::new(());
    MANY_FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes very many files with a line each, and a program that has streamed all of them; returns what it has resident at most, too.
fn with_many(dir: &Path, variables: &[(&str, &str)]) -> (Program, u64) {
    (0..MANY).for_each(|number| append(&numbered(dir, number), format!("first of {number}\n")));
    let program = Program::on(dir, variables);
    program.expect(|| lines(&program).len() == MANY, "a line of each file");
    let peak = program.status_field("VmHWM");
    (program, peak)
}

fn numbered(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("{number:05}.log"))
}

fn lines(program: &Program) -> Vec<String> {
    let mut lines: Vec<_> = program.stdout().lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// Compares lines in whatever order, and says no more than what differs.
#[track_caller]
fn expect_same(found: &[String], expected: impl IntoIterator<Item = String>) {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    found.iter().for_each(|line| *counts.entry(line.clone()).or_default() += 1);
    expected.into_iter().for_each(|line| *counts.entry(line).or_default() -= 1);
    counts.retain(|_, more| *more != 0);
    let some: Vec<_> = counts.iter().take(8).collect();
    assert!(counts.is_empty(), "{} lines are missing (-) or too many (+), as {some:?}", counts.len());
}

#[test]
fn of_very_many_files_those_that_are_read_take_little_memory_and_each_line_comes_once() {
    let _alone = alone();
    let plain = directory();
    let (_, usual) = killed(plain.path());
    for state in [None, Some(("STATE", "off"))] {
        let dir = directory();
        let (program, peak) = with_many(dir.path(), state.as_slice());
        let grown = peak.saturating_sub(usual);
        // 2,048 files of less than 1 KiB, and 128 bytes for each of the others.
        assert!(grown <= 3584, "{grown} KiB more for {MANY} files");
        let late = || (0..MANY).step_by(50);
        for round in 0..3 {
            late().for_each(|number| append(&numbered(dir.path(), number), format!("{round} of {number}\n")));
            let expected = MANY + (round + 1) * late().count();
            program.expect(|| lines(&program).len() >= expected, "the late lines");
        }
        let rounds = (0..3).flat_map(|round| late().map(move |number| format!("{round} of {number}")));
        expect_same(&lines(&program), (0..MANY).map(|number| format!("first of {number}")).chain(rounds));
        let ended = program.terminate();
        assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""));
    }
}

#[test]
fn what_sleeps_is_known_after_a_restart() {
    let _alone = alone();
    let dir = directory();
    let (program, _) = with_many(dir.path(), &[]);
    kill_at_rest(program);
    append(&numbered(dir.path(), 7), "new\n");
    assert_eq!(streams_and_says(Program::on(dir.path(), &[]), "new\n").stderr, "");
}

#[test]
fn an_unfinished_line_of_a_sleeping_file_is_streamed_at_the_end() {
    let _alone = alone();
    let dir = directory();
    for number in 0..MANY {
        append(&numbered(dir.path(), number), format!("first of {number}\nunfinished of {number}"));
    }
    // The slow program of a test wakes them for longer than a stream may accept nothing by default.
    let program = Program::on(dir.path(), &[("DRAIN_TIMEOUT", "20s")]);
    program.expect(|| lines(&program).len() == MANY, "a line of each file");
    let ended = program.terminate();
    let both = |number| [format!("first of {number}"), format!("unfinished of {number}")];
    let found: Vec<_> = ended.stdout.lines().map(str::to_owned).collect();
    expect_same(&found, (0..MANY).flat_map(both));
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

#[test]
fn a_sleeping_file_that_is_renamed_copied_or_truncated_loses_and_repeats_nothing() {
    let _alone = alone();
    let dir = directory();
    let (program, _) = with_many(dir.path(), &[]);
    let (mut expected, mut count) = (lines(&program), MANY);
    let path = |number| numbered(dir.path(), number);
    let beside = |number: usize, name: &str| dir.path().join(format!("{number:05}.log{name}"));
    let mut expect = |text: &[String]| {
        expected.extend_from_slice(text);
        count += text.len();
        program.expect(|| lines(&program).len() >= count, "the lines");
    };
    for number in (0..200).step_by(10) {
        // Renamed, while its writer goes on in it, and created anew.
        fs::rename(path(number), beside(number, ".1")).expect("renamed");
        append(&beside(number, ".1"), format!("renamed {number}\n"));
        append(&path(number), format!("anew {number}\n"));
        expect(&[format!("renamed {number}"), format!("anew {number}")]);
        // Copied, truncated, and written to.
        let other = number + 1;
        append(&path(other), format!("copied {other}\n"));
        fs::copy(path(other), beside(other, ".1")).expect("copied");
        File::options().write(true).open(path(other)).expect("there").set_len(0).expect("truncated");
        append(&path(other), format!("behind a truncation of {other}\n"));
        expect(&[format!("copied {other}"), format!("behind a truncation of {other}")]);
        // Renamed to what is matched too, and copied.
        let third = number + 2;
        fs::rename(path(third), dir.path().join(format!("moved-{third}.log"))).expect("renamed");
        append(&dir.path().join(format!("moved-{third}.log")), format!("moved {third}\n"));
        expect(&[format!("moved {third}")]);
    }
    expect_same(&lines(&program), expected);
    let ended = program.terminate();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

#[test]
fn of_very_many_files_an_unfinished_line_is_streamed_in_time() {
    let _alone = alone();
    let dir = directory();
    (0..MANY).for_each(|number| append(&numbered(dir.path(), number), format!("unfinished of {number}")));
    let program = Program::on(dir.path(), &[("PARTIAL_TIMEOUT", "1s")]);
    program.expect(|| lines(&program).len() >= MANY, "a line of each file");
    expect_same(&lines(&program), (0..MANY).map(|number| format!("unfinished of {number}")));
}

#[test]
fn very_many_files_take_turns_with_few_descriptors() {
    let _alone = alone();
    let dir = directory();
    (0..MANY).for_each(|number| append(&numbered(dir.path(), number), format!("first of {number}\n")));
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::launch(with_descriptors(128), &[("PATHS", &paths)]);
    program.expect(|| lines(&program).len() >= MANY, "a line of each file");
    expect_same(&lines(&program), (0..MANY).map(|number| format!("first of {number}")));
}

/// Starts a program that may have no more than so many descriptors.
fn with_descriptors(most: u64) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -n "$0"; exec "$1""#, &most.to_string(), env!("CARGO_BIN_EXE_sidetail")]);
    command
}
