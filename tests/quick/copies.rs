//! Copies of logs that go on: somebody's backup, logrotate's `copy`, copies in a directory below. They are not streamed again, neither
//! while it runs nor after a restart.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::thread;

use rustix::fs::{FallocateFlags, fallocate};

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::rotator::{kill_at_rest, numbered, streams, streams_in_all};

/// A copy that nobody changes counts as a file of its own if it is none after 5 s, and the safety tick comes every 2 s.
const DECIDED_TICKS: u32 = 5;

/// A log of 500 lines is copied to `copy`, goes on, and the program is started again.
#[track_caller]
fn check(pattern: &str, copy: &str, is_punched: bool) {
    println!("{pattern}: {copy}, punched: {is_punched}");
    let dir = directory();
    let (app, copy) = (dir.path().join("app.log"), dir.path().join(copy));
    fs::create_dir_all(copy.parent().expect("a directory")).expect("made");
    let variables = [("PATHS", &*format!("{}/{pattern}", dir.path().display()))];
    let program = Program::start(&variables);
    let mut written = String::new();
    let mut add = |count: usize| {
        let from = written.lines().count();
        let more = numbered("line", from..from + count);
        append(&app, &more);
        written += &more;
        written.clone()
    };
    streams(&program, &add(500));
    if is_punched {
        punch(&app, 4 * 4096);
    }
    fs::copy(&app, &copy).expect("copied");
    for _ in 0..10 {
        streams(&program, &add(10));
    }
    after_ticks(&program, DECIDED_TICKS);
    let first = add(0);
    assert!(kill_at_rest(program).stdout == first, "while it runs");
    let all = add(10);
    let program = Program::start(&variables);
    streams(&program, &all[first.len()..]);
    after_ticks(&program, DECIDED_TICKS);
    streams_in_all(program, &all[first.len()..]);
}

fn after_ticks(program: &Program, count: u32) {
    crate::support::rotator::after_ticks(program, count);
}

fn punch(path: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(path).expect("a writable file");
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    fallocate(&file, flags, 0, bytes).expect("a file system that can punch holes");
}

#[test]
fn a_copy_of_a_log_that_goes_on_is_not_streamed_again() {
    thread::scope(|scope| {
        for pattern in ["app.log", "app.log*"] {
            for copy in ["app.log.bak", "app.log-20261128", "app.log.1"] {
                for is_punched in [false, true] {
                    scope.spawn(move || check(pattern, copy, is_punched));
                }
            }
        }
        for copy in ["old/app.log", "old/app-20261128.log", "old/2026/app.1.log"] {
            scope.spawn(move || check("**/*.log", copy, false));
        }
    });
}

#[test]
fn copytruncate_into_a_directory_that_the_pattern_covers_keeps_every_line_once() {
    let dir = directory();
    fs::create_dir(dir.path().join("old")).expect("a directory");
    let app = dir.path().join("app.log");
    let program = Program::start(&[("PATHS", &format!("{}/**/*.log", dir.path().display()))]);
    let mut written = String::new();
    for round in 0..3 {
        let text = numbered(&format!("round {round}"), 0..300);
        append(&app, &text);
        written += &text;
        streams(&program, &written);
        fs::copy(&app, dir.path().join(format!("old/app-2026112{round}.log"))).expect("copied");
        OpenOptions::new().write(true).open(&app).and_then(|file| file.set_len(0)).expect("truncated");
    }
    append(&app, "the last line\n");
    written += "the last line\n";
    streams(&program, &written);
    after_ticks(&program, DECIDED_TICKS);
    streams_in_all(program, &written);
}
