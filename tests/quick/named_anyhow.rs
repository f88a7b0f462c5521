//! Files that are rotated while the program is down, to whatever name the rotator likes: they are known by what they are.

use std::fs;
use std::path::Path;
use std::thread;

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::rotator::{App, freeze, kill_at_rest, streams, streams_and_says, streams_in_all, thaw};

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

/// A log, and what its generations are called: number 1 is the first that is rotated away.
type Scheme = (&'static str, fn(u32) -> String);

/// A random part of a name, as mkstemp(3) makes them.
fn random_part(generation: u32) -> &'static str {
    ["K7xQaB", "zzPq3T", "abcdef", "Xy01Zw", "QQQQQQ"][generation as usize % 5]
}

/// How rotators call one generation after the other.
const GENERATIONS: [Scheme; 36] = [
    ("app.log", |n| format!("app.log.{n}")),
    ("app.log", |n| format!("app.log{n}")),
    ("app.log", |n| format!("app.{n}.log")),
    ("app.log", |n| format!("app{n}.log")),
    ("app.log", |n| format!("app-{n}.log")),
    ("app.log", |n| format!("app_{n:03}.log")),
    ("app.log", |n| format!("{n}_app.log")),
    ("app.log", |n| format!("app.log-202611{}", 10 + n)),
    ("app.log", |n| format!("app.log-20261128-17958240{}", 10 + n)),
    ("app.log", |n| format!("app.log.2026-11-28-{}", 10 + n)),
    ("app.log", |n| format!("app.log.2026-11-28_{}", 10 + n)),
    ("app.log", |n| format!("app.log.{}-Nov-2026", 10 + n)),
    ("app.log", |n| format!("app-2026-11-28T10-00-00.00{n}.log")),
    ("app.log", |n| format!("202611{}_app.log", 10 + n)),
    ("app.log", |n| format!("2026-11-{}-app.log", 10 + n)),
    ("app.log", |n| format!("app_202611{}.log", 10 + n)),
    ("app.log", |n| format!("app.log{}", "~".repeat(n as usize))),
    ("app.log", |n| format!("app.log.~{n}~")),
    ("app.log", |n| format!("app.log{}", ".old".repeat(n as usize))),
    ("app.log", |n| format!("app.log.old{n}")),
    ("app.log", |n| format!("app.log.{}", random_part(n))),
    ("app.log", |n| format!("app-{}.log", random_part(n))),
    ("app.log", |n| format!("app.log.2026-W{}", 40 + n)),
    ("app.log", |n| format!("app.log.{}", ["mon", "tue", "wed", "thu", "fri"][n as usize % 5])),
    ("app.log", |n| format!("app.log (copy {n})")),
    ("app.log", |n| format!("#{n}.app.log#")),
    ("app.log", |n| format!("archived.{n}")),
    ("current", |n| format!("@4000000069299d2a1b2c3d{:02x}.s", 0xa0 + 11 * n)),
    ("current", |n| format!("@4000000069299d2a1b2c3d{:02x}.u", 0x10 + 9 * n)),
    ("current", |n| format!("previous.{n}")),
    ("app.log", |n| format!("old/app.log.{n}")),
    ("app.log", |n| format!("old/app.log-202611{}", 10 + n)),
    ("app.log", |n| format!("old/{n}")),
    ("app.log", |n| format!("2026/11/{}/app.log", 10 + n)),
    ("app.log", |n| format!("old/app.log.{}", random_part(n))),
    ("current", |n| format!("old/@4000000069299d2a1b2c3d{:02x}.s", 0xa0 + 11 * n)),
];

/// Files of others beside the log, born meanwhile.
const FOREIGN: [&str; 9] = [
    "other.log",
    "other.log.1",
    "app-error.log",
    "app.log.lock",
    "app.log.pid",
    "app.conf",
    "old/other.log.1",
    "old/app-error.log-20261112",
    "2026/11/12/other.log",
];

/// When generations come up and are rotated away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum While {
    Down,
    /// Down, and the first of them is deleted again.
    DownAndDeleted,
    /// Up, but between two looks.
    Up,
    /// The same, and the first of them is deleted again.
    UpAndDeleted,
}

/// Has three generations come up and go; with the log's own name for a pattern there are foreign files beside them.
#[track_caller]
fn check_generations((log, name): Scheme, when: While, pattern: &str) {
    println!("{}, {when:?}, {pattern}", name(1));
    let dir = directory();
    let place = |generation| {
        let path = dir.path().join(name(generation));
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        path
    };
    let mut app = App::appending(&dir.path().join(log));
    app.lines(40);
    let variables = [("PATHS", &*format!("{}/{pattern}", dir.path().display()))];
    let program = Program::start(&variables);
    program.expect_stdout(app.written());
    let is_up = matches!(when, While::Up | While::UpAndDeleted);
    let skipped = if is_up { 0 } else { app.written().len() };
    let frozen = if is_up {
        freeze(&program);
        Some(program)
    } else {
        kill_at_rest(program);
        None
    };
    let is_deleted = matches!(when, While::DownAndDeleted | While::UpAndDeleted);
    for generation in 1..4 {
        app.lines(if generation == 1 && is_deleted { 0 } else { 5 });
        app.rotate(&place(generation));
        for foreign in FOREIGN.iter().filter(|_| generation == 2 && pattern == log) {
            let path = dir.path().join(foreign);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            append(&path, format!("of {foreign}\n"));
        }
    }
    app.lines(5);
    if is_deleted {
        fs::remove_file(place(1)).expect("deleted");
    }
    let program = frozen.inspect(thaw).unwrap_or_else(|| Program::start(&variables));
    if when == While::DownAndDeleted {
        streams(&program, &app.written()[skipped..]);
        return;
    }
    streams_in_all(program, &app.written()[skipped..]);
}

/// Checks all schemes; `pattern` for each log, or for all of them.
fn check_all_generations(when: While, pattern: Option<&str>) {
    let check = |scheme: &Scheme| check_generations(*scheme, when, pattern.unwrap_or(scheme.0));
    thread::scope(|scope| {
        for part in GENERATIONS.chunks(9) {
            scope.spawn(move || part.iter().for_each(check));
        }
    });
}

#[test]
fn generations_that_came_up_while_it_was_down_are_streamed_whatever_they_are_called() {
    check_all_generations(While::Down, None);
}

#[test]
fn generations_that_came_up_between_two_looks_are_streamed_whatever_they_are_called() {
    check_all_generations(While::Up, None);
}

#[test]
fn generations_that_a_pattern_matches_too_come_in_their_order_whatever_they_are_called() {
    check_all_generations(While::Down, Some("**"));
    check_all_generations(While::Up, Some("**"));
}

#[test]
fn the_last_generation_that_was_seen_may_be_deleted_before_the_others_are_looked_for() {
    check_all_generations(While::UpAndDeleted, None);
}

#[test]
fn generations_below_are_known_by_their_names_if_the_last_one_that_was_followed_is_gone() {
    let is_told = |(log, name): &&Scheme| {
        let name = name(1);
        name.contains("old/app.log") && !name.contains(random_part(1)) || (name.ends_with("app.log") && log.len() == 7)
    };
    let schemes: Vec<_> = GENERATIONS.iter().filter(is_told).collect();
    assert!(schemes.len() >= 4);
    schemes.into_iter().for_each(|scheme| check_generations(*scheme, While::DownAndDeleted, scheme.0));
}

/// The rename of the file was seen, and nothing was at the path then; what came and went after that was not.
#[test]
fn a_generation_that_came_and_went_after_the_last_rename_was_seen_is_streamed() {
    for name in [|n: u32| format!("app.log.{}", random_part(n)), |n: u32| format!("old/{n}")] {
        let dir = directory();
        fs::create_dir(dir.path().join("old")).expect("a directory");
        let mut app = App::appending(&dir.path().join("app.log"));
        app.lines(40);
        let program = Program::on(dir.path(), &[("LOG", "info")]);
        program.expect_stdout(app.written());
        fs::rename(app.path(), dir.path().join(name(1))).expect("renamed");
        program.expect(|| program.stderr().contains("was renamed or deleted"), "the rename to be seen");
        freeze(&program);
        app.reopen();
        app.lines(5);
        app.rotate(&dir.path().join(name(2)));
        app.lines(5);
        thaw(&program);
        streams(&program, app.written());
        assert!(program.terminate().status.success());
    }
}

#[test]
fn a_generation_that_was_moved_below_before_it_was_seen_is_streamed() {
    for is_made_before in [true, false] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let below = dir.path().join("old");
        if is_made_before {
            fs::create_dir(&below).expect("a directory");
        }
        app.lines(5);
        let program = Program::on(dir.path(), &[]);
        streams(&program, app.written());
        for number in 0..3 {
            freeze(&program);
            // What was at the path is gone, so that nothing tells where the next one went.
            fs::remove_file(app.path()).expect("deleted");
            app.reopen();
            app.lines(5);
            fs::create_dir_all(&below).expect("a directory");
            app.rotate(&below.join(format!("app.log-20261129-{number}")));
            app.lines(5);
            thaw(&program);
            streams(&program, app.written());
        }
        streams_in_all(program, app.written());
    }
}
