//! Logs that begin alike and are no copies of each other: two processes with the same banner, a new file for each day.

use std::fs::{self, File};
use std::path::Path;

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::rotator::{kill_at_rest, numbered};

/// Longer than what files are known by, and than one block.
fn banner(lines: usize) -> String {
    numbered("the banner of the application", 0..lines)
}

/// `worker.log` was truncated once, and `name` is begun with the same banner. Each line comes once, while it runs and after a restart.
#[track_caller]
fn check(name: &str, banner_lines: usize, is_restarted: bool) {
    println!("{name}, {banner_lines} lines of banner, restarted: {is_restarted}");
    let dir = directory();
    let (worker, twin) = (dir.path().join("worker.log"), dir.path().join(name));
    let banner = banner(banner_lines);
    let write = |path: &Path, text: &str| fs::write(path, format!("{banner}{text}")).expect("written");
    let streams_soon = |program: &Program, line: &str| {
        program.expect(|| program.stdout().lines().any(|one| one.starts_with(line)), line);
    };
    let mut program = Program::on(dir.path(), &[]);
    write(&worker, &numbered("one", 0..200));
    streams_soon(&program, "one 00000199");
    write(&worker, &numbered("two", 0..20));
    streams_soon(&program, "two 00000019");
    let mut stdout = String::new();
    if is_restarted {
        stdout += &kill_at_rest(program).stdout;
        write(&twin, &numbered("three", 0..20));
        program = Program::on(dir.path(), &[]);
    } else {
        write(&twin, &numbered("three", 0..20));
    }
    streams_soon(&program, "three 00000019");
    append(&twin, numbered("three", 20..50));
    append(&worker, numbered("two", 20..50));
    streams_soon(&program, "three 00000049");
    streams_soon(&program, "two 00000049");
    stdout += &program.terminate().stdout;
    for (label, count) in [("one", 200), ("two", 50), ("three", 50)] {
        let found: String =
            stdout.split_inclusive('\n').filter(|line| line.starts_with(&format!("{label} "))).collect();
        assert!(found == numbered(label, 0..count), "{label}: {found}");
    }
    assert_eq!(stdout.matches(&banner).count(), 3, "the banner of each");
}

#[test]
fn a_file_that_begins_as_one_that_was_truncated_is_streamed_whole() {
    std::thread::scope(|scope| {
        for name in ["worker-1.log", "worker-20261128.log", "worker.2.log"] {
            for banner_lines in [10, 100] {
                for is_restarted in [false, true] {
                    scope.spawn(move || check(name, banner_lines, is_restarted));
                }
            }
        }
    });
}

#[test]
fn of_a_copy_that_was_made_before_the_last_lines_at_most_one_read_is_repeated() {
    let dir = directory();
    let app = dir.path().join("app.log");
    let program = Program::on(dir.path(), &[("LOG", "info")]);
    let mut expected = String::new();
    let mut add = |numbers: std::ops::Range<usize>| {
        append(&app, numbered("line", numbers.clone()));
        expected += &numbered("line", numbers);
        program.expect_stdout(&expected);
        expected.clone()
    };
    add(0..2000);
    let so_far = add(2000..2500);
    // Somebody copies all of it, more is written and streamed, and then it is truncated.
    fs::write(dir.path().join("app.log.1"), &so_far).expect("copied");
    let all = add(2500..3000);
    File::create(&app).expect("truncated");
    append(&app, "after it\n");
    program.expect(|| program.stdout().ends_with("after it\n"), "what comes after it");
    let stdout = program.terminate().stdout;
    let repeated =
        stdout.strip_prefix(&all).and_then(|rest| rest.strip_suffix("after it\n")).expect("all lines, in order");
    assert!(repeated.len() <= 64 * 1024 && so_far.ends_with(repeated), "{} bytes are repeated", repeated.len());
}
