//! A reader that stalls, files without end and without number: nothing lost, memory flat, descriptors few.
//!
//! Memory is bounded for the program as it is built here, which is larger than what runs in a pod.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe};
use crate::support::say::say;

/// What is promised for every input, in KiB.
const RESIDENT_KIB_MAX: u64 = 6 * 1024;

/// How much a process may grow that holds nothing more than before: what the allocator rounds up.
const FLAT_KIB: u64 = 256;

/// What one write hands over at most, and a restart may repeat.
const WRITE_BYTES_MAX: usize = 64 * 1024;

const LINE_BYTES: usize = 100;

fn paths(directory: &Path) -> String {
    format!("{}/*.log", directory.display())
}

/// Lines of 100 bytes, each with its number.
fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("{number:09} {}\n", "x".repeat(LINE_BYTES - 11))).collect()
}

/// The numbers of such lines; a torn line fails.
#[track_caller]
fn numbers(text: &[u8]) -> Vec<usize> {
    let expected_end = format!(" {}\n", "x".repeat(LINE_BYTES - 11));
    let number = |line: &[u8]| {
        let line = std::str::from_utf8(line).expect("ASCII");
        let digits = line.strip_suffix(&expected_end).unwrap_or_else(|| panic!("a torn line: {line:?}"));
        digits.parse().expect("a number")
    };
    text.split_inclusive(|byte| *byte == b'\n').map(number).collect()
}

/// Reads so many bytes in time, fewer only if the pipe's writer ends, and gives the pipe back.
#[track_caller]
fn read(pipe: File, bytes: usize) -> (Vec<u8>, File) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut read, mut part) = (Vec::new(), pipe.take(bytes as u64));
        let result = part.read_to_end(&mut read);
        // Nobody waits any more if the test has failed meanwhile.
        let _ = sender.send((result, read, part.into_inner()));
    });
    let (result, read, pipe) = receiver.recv_timeout(DEADLINE).expect("it gives so many bytes in time");
    result.expect("a pipe can be read");
    (read, pipe)
}

/// Reads what is left in a pipe whose writer ends, or has ended.
#[track_caller]
fn rest(pipe: File) -> Vec<u8> {
    read(pipe, usize::MAX).0
}

/// A program whose stdout is a pipe that the test reads when it likes; `mark.log` goes to stderr.
struct Stalled {
    program: Program,
    pipe: File,
}

impl Stalled {
    fn start(mut command: Command) -> Self {
        let (reader, writer): (OwnedFd, OwnedFd) = pipe();
        let program = Program::spawn(command.stdout(writer).stderr(Stdio::piped()));
        drop(command);
        Self { program, pipe: reader.into() }
    }

    fn on(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let paths = paths(directory);
        Self::start(command(&[&[("PATHS", paths.as_str()), ("STDERR", "file:mark.log")], variables].concat()))
    }

    /// Returns when everything that happened before was looked at: a line that was written after it has come out.
    #[track_caller]
    fn catch_up(&self, directory: &Path, mark: &str) {
        append(&directory.join("mark.log"), format!("{mark}\n"));
        self.program.expect(|| self.program.stderr().lines().any(|line| line == mark), mark);
    }
}

/// Stops the threads of a test at its end, also when it fails: a scope waits for them.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[track_caller]
fn expect_small(program: &Program, what: &str) {
    let peak = program.status_field("VmHWM");
    say(&format!("{what}: {peak} KiB resident at most"));
    assert!(peak <= RESIDENT_KIB_MAX, "{what}: {peak} KiB");
}

fn descriptors(program: &Program) -> usize {
    fs::read_dir(format!("/proc/{}/fd", program.id())).expect("it is running").count()
}

#[test]
fn while_stdout_is_blocked_and_files_rotate_memory_is_flat_and_nothing_is_lost() {
    const ROUNDS: usize = 20;
    const ROUND_LINES: usize = 3000;
    let dir = directory();
    let app = dir.path().join("app.log");
    append(&app, lines(0..ROUND_LINES));
    let stalled = Stalled::on(dir.path(), &[]);
    stalled.catch_up(dir.path(), "stalled");
    let mut before = 0;
    for round in 1..ROUNDS {
        for number in (1..round).rev() {
            let name = |number: usize| dir.path().join(format!("app.log.{number}"));
            fs::rename(name(number), name(number + 1)).expect("renamed");
        }
        fs::rename(&app, dir.path().join("app.log.1")).expect("renamed");
        append(&app, lines(round * ROUND_LINES..(round + 1) * ROUND_LINES));
        stalled.catch_up(dir.path(), &format!("round {round}"));
        if round == 2 {
            before = stalled.program.status_field("VmRSS");
        }
    }
    let grown = stalled.program.status_field("VmRSS").saturating_sub(before);
    assert!(grown <= FLAT_KIB, "{grown} KiB more while 5 MB waited");
    expect_small(&stalled.program, "stdout blocked, 20 rotations");
    let (text, pipe) = read(stalled.pipe, ROUNDS * ROUND_LINES * LINE_BYTES);
    let found = numbers(&text);
    let ended = stalled.program.terminate();
    assert_eq!((ended.status.code(), rest(pipe).len()), (Some(0), 0));
    for round in 0..ROUNDS {
        let of_file: Vec<_> = found.iter().copied().filter(|number| number / ROUND_LINES == round).collect();
        let expected: Vec<_> = (round * ROUND_LINES..(round + 1) * ROUND_LINES).collect();
        assert!(of_file == expected, "{} lines of round {round}, or in another order", of_file.len());
    }
}

#[test]
fn while_stdout_is_blocked_sigterm_is_answered_and_a_restart_has_the_rest() {
    let dir = directory();
    let app = dir.path().join("app.log");
    append(&app, lines(0..1000));
    let stalled = Stalled::on(dir.path(), &[("DRAIN_TIMEOUT", "400ms")]);
    stalled.catch_up(dir.path(), "stalled");
    let stop = AtomicBool::new(false);
    let (ended, written) = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 1000;
            while !stop.load(Ordering::Relaxed) && written < 100_000 {
                append(&app, lines(written..written + 10));
                written += 10;
            }
            written
        });
        let stopping = Stop(&stop);
        let ended = stalled.program.terminate();
        drop(stopping);
        (ended, writer.join().expect("writing does not fail"))
    });
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.took >= Duration::from_millis(350) && ended.took < Duration::from_millis(900), "{:?}", ended.took);
    assert!(ended.stderr.contains("bytes were not streamed within 400ms"), "{}", ended.stderr);
    expect_rest(Stalled::on(dir.path(), &[]), &rest(stalled.pipe), written);
}

/// The program that was started again gives what is missing behind `first`, and repeats one write at most.
#[track_caller]
fn expect_rest(second: Stalled, first: &[u8], written: usize) {
    let repeated = first.len().div_ceil(LINE_BYTES).min(WRITE_BYTES_MAX / LINE_BYTES);
    // The last lines tell when everything is there; how many come before them is the question.
    let last = lines(written - 1..written).into_bytes();
    let (mut text, mut pipe) = read(second.pipe, written * LINE_BYTES - first.len());
    while !text.ends_with(&last) && text.len() < written * LINE_BYTES {
        let more;
        (more, pipe) = read(pipe, 1);
        assert!(!more.is_empty(), "it ended");
        text.extend(more);
    }
    second.program.terminate();
    text.extend(rest(pipe));
    let found = numbers(&text);
    assert!(found[0] * LINE_BYTES <= first.len(), "lost between {} and line {}", first.len(), found[0]);
    assert!(found[0] + repeated >= first.len() / LINE_BYTES, "more than one write was repeated");
    assert!(found == (found[0]..written).collect::<Vec<_>>(), "lines lost, repeated or in another order");
}

#[test]
fn a_deleted_file_that_waits_behind_a_stalled_one_is_not_let_go_as_if_it_were_quiet() {
    let dir = directory();
    let app = dir.path().join("app.log");
    append(&app, lines(0..2000));
    let stalled = Stalled::on(dir.path(), &[]);
    stalled.catch_up(dir.path(), "the first is held");
    for (numbers, mark) in [(2000..3000, "the second waits"), (3000..3010, "the third too")] {
        fs::remove_file(&app).expect("deleted");
        append(&app, lines(numbers));
        stalled.catch_up(dir.path(), mark);
    }
    // Longer than the 5 s for which a deleted file is kept that is quiet, and one safety tick.
    thread::sleep(Duration::from_secs(8));
    let (text, pipe) = read(stalled.pipe, 3010 * LINE_BYTES);
    let found = numbers(&text);
    stalled.program.terminate();
    assert_eq!(rest(pipe).len(), 0);
    assert!(found == (0..3010).collect::<Vec<_>>(), "lines lost, repeated or in another order");
}

#[test]
fn with_few_descriptors_rotated_files_that_wait_behind_a_stalled_stream_are_not_let_go() {
    let dir = directory();
    let app = dir.path().join("app.log");
    append(&app, lines(0..2000));
    // Eight of them are for files, and more than eight wait.
    let mut bounded = Command::new("sh");
    bounded.args(["-c", r#"ulimit -n 36; exec "$0""#]).arg(env!("CARGO_BIN_EXE_sidetail"));
    let variables = [("PATHS", &*paths(dir.path())), ("STDERR", "file:mark.log")];
    for (name, value) in command(&variables).get_envs() {
        match value {
            Some(value) => bounded.env(name, value),
            None => bounded.env_remove(name),
        };
    }
    let stalled = Stalled::start(bounded);
    stalled.catch_up(dir.path(), "stalled");
    for round in 2..14 {
        fs::rename(&app, dir.path().join(format!("app.log.{round}"))).expect("renamed");
        append(&app, lines(round * 1000..(round + 1) * 1000));
        stalled.catch_up(dir.path(), &format!("round {round}"));
    }
    for number in 0..20 {
        append(&dir.path().join(format!("{number}.log")), lines(14_000 + number..14_001 + number));
        stalled.catch_up(dir.path(), &format!("file {number}"));
    }
    let (text, pipe) = read(stalled.pipe, 14_020 * LINE_BYTES);
    let ended = stalled.program.terminate();
    assert_eq!(rest(pipe).len(), 0);
    let mut found = numbers(&text);
    found.sort_unstable();
    assert!(found == (0..14_020).collect::<Vec<_>>(), "lines lost or repeated: {}", ended.stderr);
}

/// How long nobody reads stdout: longer than every time after which the program would let a file go.
const BLOCKED: Duration = Duration::from_secs(130);

/// How many files are begun within the first seconds: more than are kept open of those that were renamed and read.
const BURST: usize = 140;

/// Within which time the next one is begun: in the burst, and from then on.
const ROTATION: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// When the burst is over. A file that waits costs some KiB, so memory is flat only from then on.
const SETTLED: Duration = Duration::from_secs(30);

#[test]
fn stdout_blocked_for_minutes_while_files_rotate_grows_no_memory_and_loses_nothing() {
    let dir = directory();
    let states = [directory(), directory()];
    let state = |index: usize| states[index].path().display().to_string();
    append(&dir.path().join("app.log"), lines(0..1000));
    // Two with a state of their own: the one goes on in the end, the other is ended and started again.
    let programs = [0, 1].map(|index| Stalled::on(dir.path(), &[("STATE", &*state(index))]));
    let stop = AtomicBool::new(false);
    let (written, rotations) = thread::scope(|scope| {
        let writer = scope.spawn(|| write_and_rotate(&dir.path().join("app.log"), 1000, &stop));
        let stopping = Stop(&stop);
        expect_flat_while_blocked(&programs, &dir.path().join("mark.log"));
        drop(stopping);
        writer.join().expect("writing does not fail")
    });
    assert!(rotations > BURST, "{rotations} rotations");
    let [goes_on, ends] = programs;
    let ended = ends.program.terminate();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.took < Duration::from_millis(2500), "it ended after {:?} of 1.5 s", ended.took);
    assert!(ended.stderr.contains("bytes were not streamed within 1s 500ms"), "{}", ended.stderr);
    expect_rest(Stalled::on(dir.path(), &[("STATE", &*state(1))]), &rest(ends.pipe), written);
    let (text, pipe) = read(goes_on.pipe, written * LINE_BYTES);
    let ended = goes_on.program.terminate();
    assert_eq!((ended.status.code(), rest(pipe).len()), (Some(0), 0));
    let found = numbers(&text);
    assert!(found == (0..written).collect::<Vec<_>>(), "lines lost, repeated or in another order");
}

/// Writes some 400 lines a second, from this number on, into a file and its successors; returns how many lines there are in
/// all, and how many successors.
fn write_and_rotate(path: &Path, mut written: usize, stop: &AtomicBool) -> (usize, usize) {
    let (mut rotations, mut rotated) = (0, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        append(path, lines(written..written + 10));
        written += 10;
        if rotated.elapsed() >= ROTATION[usize::from(rotations >= BURST)] {
            rotations += 1;
            rotated = Instant::now();
            fs::rename(path, path.with_extension(format!("log.{rotations}"))).expect("renamed");
        }
        // The writer's own pace, not a wait for anybody.
        thread::sleep(Duration::from_millis(25));
    }
    (written, rotations)
}

/// All the while each of them answers: to its other stream, and to being stopped and continued.
#[track_caller]
fn expect_flat_while_blocked(programs: &[Stalled], mark: &Path) {
    let (start, mut least, mut most) = (Instant::now(), [u64::MAX; 2], [0; 2]);
    while start.elapsed() < BLOCKED {
        let line = format!("after {} ms", start.elapsed().as_millis());
        append(mark, format!("{line}\n"));
        for (index, Stalled { program, .. }) in programs.iter().enumerate() {
            program.expect(|| program.stderr().lines().any(|one| one == line), &line);
            // Of the program's own pages it gives back what is not needed, once a minute.
            let resident = program.status_field("RssAnon");
            if start.elapsed() >= SETTLED {
                (least[index], most[index]) = (least[index].min(resident), most[index].max(resident));
            }
            program.signal(Signal::STOP);
            program.signal(Signal::CONT);
        }
        // How often they are asked; the time that passes is the case.
        thread::sleep(Duration::from_millis(500));
    }
    for index in 0..2 {
        let grown = most[index] - least[index];
        say(&format!("stdout blocked for {BLOCKED:?}: {grown} KiB more, {} KiB at most", most[index]));
        assert!(grown <= FLAT_KIB, "{grown} KiB more while stdout was blocked");
        expect_small(&programs[index].program, "stdout blocked for minutes");
    }
}

#[test]
fn one_blocked_stream_does_not_stop_the_other() {
    let dir = directory();
    let (reader, writer) = pipe();
    // So small that the first write is not accepted as a whole.
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).expect("a pipe of one page");
    append(&dir.path().join("bad.log"), lines(0..1000));
    let (paths, rules) = (paths(dir.path()), "file:bad.log; match:^ERROR");
    let variables = [("PATHS", paths.as_str()), ("STDERR", rules)];
    let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(writer));
    let is_full = || (rustix::io::ioctl_fionread(&reader).expect("a pipe") == 4096).then_some(());
    wait_for(is_full, DEADLINE).expect("stderr is blocked");
    // Its first lines are for the stream that is free, then comes one that has to wait, and what is behind it.
    append(&dir.path().join("both.log"), "free 1\nfree 2\nERROR waits\nfree 3\n");
    program.expect_stdout("free 1\nfree 2\n");
    let mut expected = "free 1\nfree 2\n".to_owned();
    for number in 0..50 {
        let line = format!("good {number}\n");
        append(&dir.path().join("good.log"), &line);
        expected += &line;
        program.expect_stdout(&expected);
    }
    let (text, pipe) = read(reader.into(), 1000 * LINE_BYTES + "ERROR waits\n".len());
    expected += "free 3\n";
    program.expect_stdout(&expected);
    assert_eq!(program.terminate().stdout, expected);
    let text = String::from_utf8(text).expect("ASCII");
    assert_eq!(text.replacen("ERROR waits\n", "", 1), lines(0..1000));
    assert_eq!(rest(pipe), b"");
}

/// Streams four files with a backlog to a reader of 16 KiB every few milliseconds, and returns how many bytes each got.
fn shares_of_a_slow_reader(variables: &[(&str, &str)], is_stderr_busy: bool) -> [usize; 4] {
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    let dir = directory();
    for name in NAMES {
        append(&dir.path().join(format!("{name}.log")), (name.repeat(LINE_BYTES - 1) + "\n").repeat(30_000));
    }
    let mark = dir.path().join("mark.log");
    append(&mark, "for stderr\n");
    let (stop, mut read) = (AtomicBool::new(false), Vec::new());
    thread::scope(|scope| {
        let _stopping = Stop(&stop);
        if is_stderr_busy {
            scope.spawn(|| {
                let mut file = OpenOptions::new().append(true).open(&mark).expect("the file is there");
                while !stop.load(Ordering::Relaxed) {
                    file.write_all(b"for stderr\n").expect("written");
                    thread::yield_now();
                }
            });
        }
        let stalled = Stalled::on(dir.path(), variables);
        let (mut pipe, mut block) = (stalled.pipe, vec![0; 16 * 1024]);
        while read.len() < 4_000_000 {
            let bytes = pipe.read(&mut block).expect("a pipe can be read");
            assert!(bytes > 0, "it ended");
            read.extend_from_slice(&block[..bytes]);
            // The reader's pace, which is what is tried here.
            thread::sleep(Duration::from_millis(2));
        }
        stalled.program.kill();
    });
    NAMES.map(|name| read.iter().filter(|byte| **byte == name.as_bytes()[0]).count())
}

#[track_caller]
fn expect_fair(shares: [usize; 4]) {
    let (least, most) = (shares.iter().min().copied(), shares.iter().max().copied());
    assert!(most.unwrap_or(0) <= 3 * least.unwrap_or(0), "{shares:?} bytes of four files");
}

#[test]
fn a_slow_reader_gets_fair_turns_of_all_files() {
    expect_fair(shares_of_a_slow_reader(&[], false));
}

#[test]
fn a_slow_reader_gets_fair_turns_of_all_files_while_another_works_for_the_other_stream() {
    expect_fair(shares_of_a_slow_reader(&[], true));
}

#[test]
fn a_slow_reader_gets_fair_turns_of_files_that_are_routed_line_by_line() {
    expect_fair(shares_of_a_slow_reader(&[("OUTPUT", "prefix"), ("DROP", "match:^never")], true));
}

#[test]
fn a_line_of_100_mb_comes_whole_in_little_memory() {
    const MEGABYTE: usize = 1_000_000;
    let dir = directory();
    let (long, part) = (dir.path().join("long.log"), "x".repeat(MEGABYTE));
    for _ in 0..60 {
        append(&long, &part);
    }
    let stalled = Stalled::on(dir.path(), &[("MAX_LINE", "200M")]);
    // Half of it is not streamed, and holds nothing up.
    append(&dir.path().join("short.log"), "short\n");
    let (short, pipe) = read(stalled.pipe, 6);
    assert_eq!(short, b"short\n");
    for _ in 60..100 {
        append(&long, &part);
    }
    append(&long, "\nnext\n");
    let (text, pipe) = read(pipe, 100 * MEGABYTE + 6);
    expect_small(&stalled.program, "a line of 100 MB");
    stalled.program.terminate();
    assert_eq!(rest(pipe), b"");
    let (line, next) = text.split_at(100 * MEGABYTE);
    assert!(line.chunks(MEGABYTE).all(|one| one == part.as_bytes()), "another byte within the line");
    assert_eq!(next, b"\nnext\n");
}

#[test]
fn a_line_of_100_mb_comes_in_pieces_of_max_line_in_little_memory() {
    const PIECE: usize = 1 << 20;
    const LINE: usize = 100_000_000;
    let dir = directory();
    append(&dir.path().join("long.log"), "x".repeat(LINE) + "\nnext\n");
    let stalled = Stalled::on(dir.path(), &[]);
    let (text, pipe) = read(stalled.pipe, LINE + LINE.div_ceil(PIECE) + "next\n".len());
    expect_small(&stalled.program, "a line of 100 MB in pieces");
    stalled.program.terminate();
    assert_eq!(rest(pipe), b"");
    let pieces: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).collect();
    let mut expected = vec![PIECE + 1; LINE / PIECE];
    expected.extend([LINE % PIECE + 1, "next\n".len()]);
    assert_eq!(pieces, expected);
}

#[test]
fn a_hole_of_10_gib_before_the_first_line_is_skipped() {
    for beyond_block in [0, 1000] {
        let dir = directory();
        let path = dir.path().join("a.log");
        File::create(&path).expect("created").set_len((10 << 30) + beyond_block).expect("a sparse file");
        append(&path, "first\nsecond\n");
        let variables = [("PATHS", &*paths(dir.path()))];
        let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(Stdio::piped()));
        program.expect_stdout("first\nsecond\n");
        append(&path, "third\n");
        program.expect_stdout("first\nsecond\nthird\n");
        expect_small(&program, "a hole of 10 GiB");
        assert_eq!(program.terminate().stdout, "first\nsecond\nthird\n");
    }
}

#[test]
fn a_file_without_any_newline_comes_in_pieces_of_max_line() {
    const PIECE: usize = 1 << 20;
    const BYTES: usize = 50_000_000;
    let dir = directory();
    append(&dir.path().join("a.log"), vec![b'x'; BYTES]);
    let stalled = Stalled::on(dir.path(), &[("DRAIN_TIMEOUT", "10s")]);
    let (text, pipe) = read(stalled.pipe, BYTES / PIECE * (PIECE + 1));
    let is_piece = |piece: &[u8]| piece.len() == PIECE + 1 && piece.ends_with(b"\n");
    assert!(text.split_inclusive(|byte| *byte == b'\n').all(is_piece));
    expect_small(&stalled.program, "50 MB without a newline");
    // A file's last line is given a newline at the end.
    stalled.program.signal(Signal::TERM);
    let rest = rest(pipe);
    assert_eq!(stalled.program.wait().status.code(), Some(0));
    assert!(rest.len() == BYTES % PIECE + 1 && rest.ends_with(b"x\n"), "{} bytes at the end", rest.len());
}

#[test]
fn a_thousand_files_take_little_memory() {
    let dir = directory();
    let write = |round: usize| {
        for number in 0..1000 {
            append(&dir.path().join(format!("{number}.log")), format!("round {round} of {number}\n"));
        }
    };
    write(0);
    let variables = [("PATHS", &*paths(dir.path()))];
    let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(Stdio::piped()));
    program.expect(|| program.stdout().lines().count() == 1000, "1,000 lines");
    for round in 1..5 {
        write(round);
        program.expect(|| program.stdout().lines().count() == (round + 1) * 1000, "1,000 lines more");
    }
    expect_small(&program, "1,000 files");
    let mut found: Vec<_> = program.terminate().stdout.lines().map(ToOwned::to_owned).collect();
    let mut expected: Vec<_> =
        (0..5000).map(|number| format!("round {} of {}", number / 1000, number % 1000)).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert!(found == expected, "lines lost or repeated");
}

#[test]
fn ten_thousand_files_that_come_and_go_leave_nothing_behind() {
    const BATCH: usize = 250;
    let dir = directory();
    let variables = [("PATHS", &*paths(dir.path()))];
    let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let (mut expected, mut most) = (Vec::new(), 0);
    for batch in 0..40 {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let path = |number: usize| dir.path().join(format!("{number}.log"));
        for number in numbers.clone() {
            append(&path(number), format!("only line of {number}\n"));
            expected.push(format!("only line of {number}"));
        }
        program.expect(|| program.stdout().lines().count() >= expected.len(), "the batch");
        most = most.max(descriptors(&program));
        for number in numbers {
            fs::remove_file(path(number)).expect("deleted");
        }
    }
    say(&format!("10,000 files that come and go: {most} descriptors at most"));
    assert!(most <= 1500, "{most} descriptors");
    expect_small(&program, "10,000 files that come and go");
    // What is deleted is let go, or its disk space would never be given back.
    program.expect(|| descriptors(&program) < 100, "the descriptors of deleted files to be closed");
    let states = fs::read_dir(dir.path().join(".sidetail")).expect("the directory of the state");
    let state_bytes: u64 = states.map(|state| state.and_then(|state| state.metadata()).expect("a file").len()).sum();
    assert!(state_bytes < 10_000 * 512 / 2, "{state_bytes} bytes of state, though the files are gone");
    let mut found: Vec<_> = program.terminate().stdout.lines().map(ToOwned::to_owned).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert!(found == expected, "{} lines of 10,000, or others", found.len());
}

/// A generator of numbers that are the same in every run (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

#[test]
fn with_64_descriptors_200_files_lose_and_repeat_nothing() {
    const FILES: usize = 200;
    let dir = directory();
    let mut bounded = Command::new("sh");
    bounded.args(["-c", r#"ulimit -n 64; exec "$0""#, env!("CARGO_BIN_EXE_sidetail")]);
    for (name, value) in command(&[("PATHS", &*paths(dir.path()))]).get_envs() {
        match value {
            Some(value) => bounded.env(name, value),
            None => bounded.env_remove(name),
        };
    }
    let program = Program::spawn(bounded.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let (mut random, mut count, mut rotations) = (Random(0x5eed), [0; FILES], [0; FILES]);
    let (mut written, mut seen) = (0, [0; FILES]);
    for step in 1..=3000 {
        let file = random.below(FILES);
        let path = dir.path().join(format!("{file}.log"));
        // What was rotated before its first sight is not ours.
        if random.below(30) == 0 && seen[file] > 0 && path.exists() {
            rotations[file] += 1;
            fs::rename(&path, dir.path().join(format!("{file}.log.{}", rotations[file]))).expect("renamed");
        } else {
            append(&path, format!("{file}:{}\n", count[file]));
            count[file] += 1;
            written += 1;
        }
        if step % 500 == 0 {
            program.expect(|| program.stdout().lines().count() >= written, &format!("{written} lines"));
            assert!(descriptors(&program) <= 64);
            seen = count;
        }
    }
    let ended = program.terminate();
    for (file, count) in count.into_iter().enumerate() {
        let prefix = format!("{file}:");
        let mut found: Vec<usize> = ended
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .map(|number| number.parse().expect("a number"))
            .collect();
        // Rotated files and what follows them may come in another order, but each line once.
        found.sort_unstable();
        assert!(found == (0..count).collect::<Vec<_>>(), "file {file}: {found:?} of {count} lines\n{}", ended.stderr);
    }
    assert_eq!(ended.stdout.lines().count(), written);
    assert_eq!(ended.stderr, "", "closing and opening again is nothing to tell of");
}

#[test]
fn a_stalled_stdout_and_a_writer_at_full_speed_do_not_make_it_spin() {
    const WINDOW: Duration = Duration::from_secs(2);
    let dir = directory();
    append(&dir.path().join("app.log"), lines(0..2000));
    let stalled = Stalled::on(dir.path(), &[]);
    stalled.catch_up(dir.path(), "stalled");
    let stop = AtomicBool::new(false);
    let switches = || stalled.program.status_field("voluntary_ctxt_switches");
    thread::scope(|scope| {
        scope.spawn(|| {
            let line = lines(0..1);
            let mut file = OpenOptions::new().append(true).open(dir.path().join("app.log")).expect("the file is there");
            while !stop.load(Ordering::Relaxed) {
                file.write_all(line.as_bytes()).expect("written");
            }
        });
        let _stopping = Stop(&stop);
        let (start, before, cpu_before) = (Instant::now(), switches(), cpu_ticks(&stalled.program));
        let is_over = || (start.elapsed() >= WINDOW).then(|| (switches(), cpu_ticks(&stalled.program)));
        let (after, cpu_after) = wait_for(is_over, DEADLINE).expect("time passes");
        let (switches, cpu) = ((after - before) / WINDOW.as_secs(), (cpu_after - cpu_before) / WINDOW.as_secs());
        say(&format!("stdout stalled, a writer at full speed: {switches} wake-ups and {cpu} ticks a second"));
        assert!(switches < 100, "{switches} wake-ups a second while stdout is stalled");
        // A tick is a hundredth of a second.
        assert!(cpu < 20, "{cpu} % of a processor while stdout is stalled");
    });
    stalled.program.kill();
}

/// User and system time, in ticks (proc_pid_stat(5), fields 14 and 15).
fn cpu_ticks(program: &Program) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.id())).expect("it is running");
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().expect("a number")).sum()
}
