//! A reader that stalls, files without end and without number: nothing lost, memory flat, descriptors few.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe};
use crate::support::say::say;
use crate::support::themes::pressure::{
    LINE_BYTES, Stalled, Stop, descriptors, expect_rest, lines, numbers, paths, read, rest,
};

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
    assert!(ended.took >= Duration::from_millis(350), "{:?}", ended.took);
    assert!(ended.stderr.contains("accepted nothing for 400ms (SIDETAIL_DRAIN_TIMEOUT)"), "{}", ended.stderr);
    expect_rest(Stalled::on(dir.path(), &[]), &rest(stalled.pipe), written);
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
        let is_over =
            || (start.elapsed() >= WINDOW).then(|| (switches(), cpu_ticks(&stalled.program), start.elapsed()));
        let (after, cpu_after, took) = wait_for(is_over, DEADLINE).expect("time passes");
        let a_second = |count: u64| count as f64 / took.as_secs_f64();
        let (switches, cpu) = (a_second(after - before), a_second(cpu_after - cpu_before));
        say(&format!("stdout stalled, a writer at full speed: {switches:.1} wake-ups and {cpu:.1} ticks a second"));
        assert!(switches < 100.0, "{switches} wake-ups a second while stdout is stalled");
        // A tick is a hundredth of a second.
        assert!(cpu < 20.0, "{cpu} % of a processor while stdout is stalled");
    });
    stalled.program.kill();
}

/// User and system time, in ticks (proc_pid_stat(5), fields 14 and 15).
fn cpu_ticks(program: &Program) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.id())).expect("it is running");
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().expect("a number")).sum()
}
