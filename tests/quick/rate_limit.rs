//! `RATE_LIMIT`: a backlog goes out slowly, and nothing else is slower for it.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command};
use crate::support::rotator::by_ticks_alone;
use crate::support::say::say;

/// What may be out beyond the limit: a turn on each stream, and what a pipe holds.
const MORE_BYTES: f64 = 3.0 * 65_536.0;

fn lines(name: &str, count: usize) -> String {
    (0..count).map(|number| format!("{name} {number:06} {}\n", "x".repeat(100 - 10 - name.len()))).collect()
}

/// Waits until its bucket is empty: the burst is out, and more is waiting.
#[track_caller]
fn throttled(program: &Program, burst_bytes: usize) {
    program.expect(|| program.stdout_bytes() >= burst_bytes, "the burst");
}

#[test]
fn a_backlog_goes_out_at_the_rate_behind_a_burst_of_one_second() {
    const RATE: f64 = 1_000_000.0;
    let dir = directory();
    let backlog = lines("a", 40_000);
    append(&dir.path().join("a.log"), &backlog);
    let start = Instant::now();
    let program = Program::on(dir.path(), &[("RATE_LIMIT", "1M")]);
    let mut most = 0.0_f64;
    let is_out = || {
        // In this order: what is out by then was out at the latest then.
        let bytes = program.stdout_bytes();
        most = most.max(bytes as f64 - RATE * start.elapsed().as_secs_f64());
        (bytes >= backlog.len()).then_some(start.elapsed())
    };
    let took = wait_for(is_out, DEADLINE).expect("all of it");
    say(&format!("4,000,000 bytes at 1,000,000 a second: {took:?}, {most:.0} bytes at the most beyond the rate"));
    // That it is no slower is for the bucket's own tests to say: they need no clock.
    assert!(took >= Duration::from_millis(2700), "{took:?}");
    assert!(most <= RATE + MORE_BYTES, "{most} bytes at once");
    program.expect_stdout(&backlog);
}

#[test]
fn a_line_of_another_file_does_not_wait_for_a_backlog() {
    let dir = directory();
    append(&dir.path().join("a.log"), lines("a", 100_000));
    let program = Program::on(dir.path(), &[("RATE_LIMIT", "1M"), ("DRAIN_TIMEOUT", "50s")]);
    throttled(&program, 1_000_000);
    append(&dir.path().join("b.log"), "new\n");
    let before = program.stdout_bytes();
    program.expect(|| program.stdout().contains("new\n"), "the other file's line");
    // Between two looks at what has happened there are 16 turns, and what they give may be on its way.
    let ahead = program.stdout().find("new\n").expect("it is there").saturating_sub(before);
    assert!(ahead < 24 * 65_536, "{ahead} bytes of the backlog came before it");
}

#[test]
fn lines_within_the_rate_are_not_delayed() {
    let dir = directory();
    let path = dir.path().join("a.log");
    let program = Program::on(dir.path(), &[("RATE_LIMIT", "10k")]);
    let (start, mut expected) = (Instant::now(), String::new());
    for number in 0..20 {
        let line = format!("line {number}\n");
        append(&path, &line);
        expected += &line;
        program.expect_stdout(&expected);
    }
    assert!(start.elapsed() < by_ticks_alone(20), "{:?}", start.elapsed());
}

#[test]
fn a_line_longer_than_the_rate_goes_whole() {
    let dir = directory();
    let long = "y".repeat(300_000) + "\n";
    append(&dir.path().join("a.log"), &long);
    append(&dir.path().join("b.log"), "before or after\n");
    let program = Program::on(dir.path(), &[("RATE_LIMIT", "100k")]);
    program.expect(|| program.stdout_bytes() == long.len() + 16, "both files");
    assert!(program.stdout().contains(&long), "in one piece");
}

#[test]
fn the_drain_does_not_wait_for_the_rate() {
    let dir = directory();
    let backlog = lines("a", 100_000);
    append(&dir.path().join("a.log"), &backlog);
    let program = Program::on(dir.path(), &[("RATE_LIMIT", "100k"), ("DRAIN_TIMEOUT", "50s")]);
    throttled(&program, 100_000);
    assert!(program.stdout_bytes() < 1_000_000);
    let ended = program.terminate();
    assert_eq!(ended.status.code(), Some(0));
    // On a busy machine it takes long enough for a word on how far it is.
    assert!(ended.stderr.lines().all(|line| line.contains(" bytes are left to stream")), "{}", ended.stderr);
    assert!(ended.stdout == backlog, "{} bytes", ended.stdout.len());
}

#[test]
fn rotation_and_our_own_messages_go_on_while_the_backlog_waits() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, lines("a", 40_000));
    // On standard error, which both streams are throttled with.
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", paths.as_str()), ("RATE_LIMIT", "64Ki"), ("STDERR", ""), ("DRAIN_TIMEOUT", "50s")];
    let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(Stdio::piped()));
    throttled(&program, 64 << 10);
    program.signal(Signal::USR1);
    program.expect(|| program.stderr().contains("unread"), "the status");
    // Two rotations that nobody has read anything of.
    let mut expected = lines("a", 40_000);
    for (name, moved) in [("b", "app.log.1"), ("c", "app.log.2")] {
        fs::rename(&path, dir.path().join(moved)).expect("renamed");
        let next = lines(name, 100);
        append(&path, &next);
        expected += &next;
        // It is known where this one is before the next one comes: by an event, not by a turn.
        program.expect(|| program.open_files().contains(&path), "the new file to be opened");
    }
    assert!(program.stdout_bytes() < 4_000_000, "the backlog still waits");
    let ended = program.terminate();
    assert!(ended.stdout == expected, "{} bytes", ended.stdout.len());
}

#[test]
fn an_empty_bucket_does_not_wake_it_often() {
    const WINDOW: Duration = Duration::from_secs(3);
    for (rate, burst_bytes) in [("100k", 100_000), ("2M", 2_000_000)] {
        let dir = directory();
        let path = dir.path().join("a.log");
        // For ten seconds and more.
        append(&path, lines("a", burst_bytes / 10));
        let program = Program::on(dir.path(), &[("RATE_LIMIT", rate)]);
        throttled(&program, burst_bytes);
        let wakes = || program.status_field("voluntary_ctxt_switches");
        let (start, before) = (Instant::now(), wakes());
        let is_over = || {
            append(&path, "one more\n");
            (start.elapsed() >= WINDOW).then(|| (wakes() - before) as f64 / start.elapsed().as_secs_f64())
        };
        let a_second = wait_for(is_over, DEADLINE).expect("time passes");
        say(&format!("a backlog at {rate} a second, with a writer: {a_second:.1} wake-ups a second"));
        assert!(a_second <= 50.0, "{a_second} wake-ups a second at {rate}");
    }
}

#[test]
fn mistakes_name_the_way_out() {
    for (value, word) in [("0", "1Ki"), ("500", "1Ki"), ("10MB", "10Mi"), ("fast", "off")] {
        let ended = Program::start(&[("RATE_LIMIT", value)]).wait();
        assert_eq!(ended.status.code(), Some(64), "{value}");
        let is_told = ended.stderr.contains("SIDETAIL_RATE_LIMIT=") && ended.stderr.contains(word);
        assert!(is_told, "{value}: {}", ended.stderr);
    }
}
