//! Files that are rotated while the program is down, to whatever name the rotator likes: they are known by what they are.

use std::fs;
use std::path::Path;
use std::thread;

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::rotator::{App, freeze, kill_at_rest, streams_and_says, streams_in_all, thaw};

/// A log, and where it is found after it was rotated.
const SCHEMES: [(&str, &str); 34] = [
    ("app.log", "app.log.1"),
    ("app.log", "app.log1"),
    ("app.log", "app.1.log"),
    ("app.log", "app1.log"),
    ("app.log", "app-1.log"),
    ("app.log", "app_001.log"),
    ("app.log", "1_app.log"),
    ("app.log", "app.log-20261128"),
    ("app.log", "app.log-20261128-1795824000"),
    ("app.log", "app.log.2026-11-28"),
    ("app.log", "app.log.2026-11-28_10"),
    ("app.log", "app.log.28-Nov-2026"),
    ("app.log", "app-2026-11-28.log"),
    ("app.log", "app-2026-11-28T10-00-00.000.log"),
    ("app.log", "app.20261128.log"),
    ("app.log", "20261128_app.log"),
    ("app.log", "2026-11-28-app.log"),
    ("app.log", "app.log.old"),
    ("app.log", "app.old.log"),
    ("app.log", "app.log.bak"),
    ("app.log", "app.log.prev"),
    ("app.log", "app.log~"),
    ("app.log", "app.log.O"),
    ("app.log", "#app.log#"),
    ("app.log", "app.log.save.2"),
    ("app.log", "app.log.K7xQ"),
    ("app.log", "archived"),
    ("current", "@4000000069299d2a1b2c3d4e.s"),
    ("current", "@4000000069299d2a1b2c3d4e.u"),
    ("current", "previous"),
    ("app.log", "old/app.log"),
    ("app.log", "old/app.log-20261128"),
    ("app.log", "2026/11/28/app.log"),
    ("app.log", "archive/anything"),
];

#[track_caller]
fn check(log: &str, rotated: &str, pattern: &str) {
    println!("{log} to {rotated}, {pattern}");
    let dir = directory();
    let logs = dir.path().join("logs");
    fs::create_dir(&logs).expect("a directory");
    let mut app = App::appending(&logs.join(log));
    app.lines(40);
    let variables = [("PATHS", &*format!("{}/{pattern}", dir.path().display()))];
    let program = Program::start(&variables);
    program.expect_stdout(app.written());
    let skipped = app.written().len();
    kill_at_rest(program);
    app.lines(5);
    let to = logs.join(rotated);
    fs::create_dir_all(to.parent().expect("a directory")).expect("made");
    app.rotate(&to);
    app.lines(5);
    streams_in_all(Program::start(&variables), &app.written()[skipped..]);
}

#[test]
fn a_file_that_was_rotated_while_down_is_read_on_whatever_it_is_called() {
    thread::scope(|scope| {
        for part in SCHEMES.chunks(9) {
            scope.spawn(move || {
                for (log, rotated) in part {
                    check(log, rotated, &format!("logs/{log}"));
                    check(log, rotated, &format!("*/{log}"));
                }
            });
        }
    });
}

/// Three generations came up while it was down, none but the first of which anybody has seen.
#[test]
fn what_came_up_and_was_rotated_while_down_is_streamed_too_if_its_name_tells_of_the_log() {
    let names = |day: u32| {
        [
            ("app.log", format!("app.log.{day}-Nov-2026")),
            ("app.log", format!("202611{day}_app.log")),
            ("app.log", format!("app{day}.log")),
            ("current", format!("@4000000069299d2a1b2c3d{day}.s")),
        ]
    };
    for scheme in 0..4 {
        let dir = directory();
        let log = names(0)[scheme].0;
        let mut app = App::appending(&dir.path().join(log));
        app.lines(40);
        let variables = [("PATHS", &*format!("{}/{log}", dir.path().display()))];
        let program = Program::start(&variables);
        program.expect_stdout(app.written());
        let skipped = app.written().len();
        kill_at_rest(program);
        for day in 20..23 {
            app.lines(5);
            app.rotate(&dir.path().join(&names(day)[scheme].1));
        }
        app.lines(5);
        streams_in_all(Program::start(&variables), &app.written()[skipped..]);
    }
}

#[test]
fn a_file_that_does_not_turn_up_again_is_said() {
    let dir = directory();
    let app = dir.path().join("app.log");
    append(&app, "one line\n");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one line\n");
    kill_at_rest(program);
    fs::remove_file(&app).expect("deleted");
    append(&app, "a new one\n");
    let program = Program::on(dir.path(), &[]);
    let expected = format!("cannot find the file that was at {}, streamed up to byte 9: ", app.display());
    program.expect(|| program.stderr().contains(&expected), &expected);
    let said = streams_and_says(program, "a new one\n").stderr;
    assert_eq!(said.matches("cannot find").count(), 1, "{said}");
}

/// After `PATHS` was changed the other checkpoint knows files that are none of ours any more.
#[test]
fn what_no_pattern_matches_any_more_is_not_looked_for() {
    let dir = directory();
    let write = |name: &str| append(&dir.path().join(name), format!("of {name}\n"));
    write("a.log");
    write("b.log");
    let program = Program::on(dir.path(), &[]);
    program.expect(|| program.stdout_bytes() == 18, "both lines");
    kill_at_rest(program);
    write("a.log");
    write("b.log");
    let only = |path: &Path| Program::start(&[("PATHS", &path.display().to_string())]);
    streams_in_all(only(&dir.path().join("a.log")), "of a.log\n");
}

/// Rotated six times between two looks, each file longer than one read: no generation is missed, and none comes before its elders.
#[track_caller]
fn check_order(pattern: &str, rotated: fn(u32) -> String, is_chain: bool) {
    println!("{pattern}: {}", rotated(1));
    let dir = directory();
    fs::create_dir(dir.path().join("old")).expect("a directory");
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(40);
    let program = Program::start(&[("PATHS", &format!("{}/{pattern}", dir.path().display()))]);
    program.expect_stdout(app.written());
    freeze(&program);
    for generation in 0..6 {
        app.lines(2000);
        if is_chain {
            app.rotate_chain(9);
        } else {
            app.rotate(&dir.path().join(rotated(generation)));
        }
        app.lines(2000);
    }
    thaw(&program);
    streams_in_all(program, app.written());
}

#[test]
fn generations_that_came_up_between_two_looks_are_all_streamed_in_their_order() {
    let chain = |generation| format!("app.log.{generation}");
    let dated = |generation| format!("app.log-202611{}", 10 + generation);
    let odd = |generation| format!("app.log.K{generation}x");
    let below = |generation| format!("old/app.log.{generation}");
    let schemes = [(chain as fn(u32) -> String, true), (dated, false), (odd, false), (below, false)];
    thread::scope(|scope| {
        for pattern in ["app.log", "*.log", "app.log*"] {
            scope.spawn(move || {
                schemes.iter().for_each(|(rotated, is_chain)| check_order(pattern, *rotated, *is_chain))
            });
        }
    });
}
