//! Logs that are followed through a symbolic link, whose targets somebody rotates, or which are swapped: nothing of it happens in the
//! link's own directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::rotator::{App, after_looks, freeze, kill_at_rest, numbered, streams, streams_in_all, thaw};
use crate::support::themes::whenever::{WHENEVER, When, rotated_while};

const TARGET: &str = "data/app.log";

/// Follows `logs/app.log`, which leads to what the application writes, once in the directory and once outside of it.
///
/// `link` makes the link, from one path to the other.
fn check(link: fn(&Path, &Path), rotations: impl Fn(&mut App) + Sync) {
    thread::scope(|scope| {
        for when in WHENEVER {
            for is_inside in [true, false] {
                let rotations = &rotations;
                scope.spawn(move || check_one(when, is_inside, link, rotations));
            }
        }
    });
}

#[track_caller]
fn check_one(when: When, is_inside: bool, link: fn(&Path, &Path), rotations: impl Fn(&mut App)) {
    println!("{when:?}, inside: {is_inside}");
    let dir = directory();
    let logs = dir.path().join("logs");
    let target = if is_inside { logs.join(TARGET) } else { dir.path().join(TARGET) };
    fs::create_dir_all(target.parent().expect("a parent")).expect("directories");
    fs::create_dir_all(&logs).expect("directories");
    let mut app = App::appending(&target);
    link(&target, &logs.join("app.log"));
    app.lines(40);
    let paths = format!("{}/*.log", logs.display());
    let variables = [("PATHS", &*paths), ("LINKS", if is_inside { "inside" } else { "any" })];
    let program = Program::start(&variables);
    streams(&program, app.written());
    let (program, skipped) = rotated_while(when, program, &mut app, || Program::start(&variables), rotations);
    streams(&program, &app.written()[skipped..]);
    app.rotate(&app.beside(".then"));
    app.lines(3);
    streams_in_all(program, &app.written()[skipped..]);
}

fn directly(target: &Path, link: &Path) {
    symlink(target, link).expect("a link");
}

/// As the kubelet's: `containers/NAME.log` leads to `pods/…/0.log`, and that to the runtime's file.
fn by_a_chain(target: &Path, link: &Path) {
    let between = target.with_file_name("0.log");
    symlink(target.file_name().expect("a name"), &between).expect("a link");
    symlink(between, link).expect("a link");
}

#[test]
fn a_target_that_is_rotated_keeps_every_line() {
    for link in [directly as fn(&Path, &Path), by_a_chain] {
        check(link, |app| {
            app.lines(3);
            app.rotate_chain(4);
            app.lines(5);
        });
    }
}

#[test]
fn a_target_that_is_rotated_again_and_again_keeps_every_line() {
    check(by_a_chain, |app| {
        for _ in 0..3 {
            app.rotate_chain(9);
            app.lines(4);
        }
    });
}

#[test]
fn a_target_that_is_truncated_after_it_was_copied_keeps_every_line() {
    check(directly, |app| {
        app.lines(10);
        app.copytruncate(&app.beside(".1"));
        app.lines(4);
    });
}

/// The link leads to the newest of dated files, each of which is begun, and then linked.
#[test]
fn a_link_to_the_newest_of_dated_files_keeps_every_line() {
    for when in WHENEVER {
        println!("{when:?}");
        let dir = directory();
        let logs = dir.path().join("logs");
        fs::create_dir_all(logs.join("data")).expect("directories");
        let dated = |day: u32| logs.join(format!("data/app-202611{day}.log"));
        let swap = |day: u32| {
            symlink(dated(day), logs.join("data/next")).expect("a link");
            fs::rename(logs.join("data/next"), logs.join("current.log")).expect("swapped");
        };
        let mut app = App::appending(&dated(20));
        swap(20);
        app.lines(40);
        let paths = format!("{}/*.log", logs.display());
        let mut program = Program::start(&[("PATHS", &paths)]);
        streams(&program, app.written());
        let (mut expected, mut skipped) = (app.written().to_owned(), 0);
        match when {
            When::Running => {}
            When::Frozen => freeze(&program),
            When::Down => {
                skipped = expected.len();
                kill_at_rest(program);
                program = Program::start(&[("PATHS", "/nowhere/*.log"), ("STATE", "off")]);
            }
        }
        for day in 21..24 {
            let so_far = app.written().len();
            app.lines(5);
            expected += &app.written()[so_far..];
            let next = App::appending(&dated(day));
            drop(std::mem::replace(&mut app, next));
            swap(day);
            app.write(&format!("the first of day {day}\n"));
            expected += app.written();
        }
        match when {
            When::Running => {}
            When::Frozen => thaw(&program),
            When::Down => program = Program::start(&[("PATHS", &paths)]),
        }
        streams_in_all(program, &expected[skipped..]);
    }
}

#[test]
fn a_link_whose_target_comes_later_is_followed_then() {
    let dir = directory();
    let logs = dir.path().join("logs");
    fs::create_dir_all(logs.join("data")).expect("directories");
    symlink("data/app.log", logs.join("app.log")).expect("a link");
    let program = Program::start(&[("PATHS", &format!("{}/*.log", logs.display()))]);
    fs::write(logs.join("mark.log"), "it has looked\n").expect("written");
    program.expect_stdout("it has looked\n");
    let mut app = App::appending(&logs.join("data/app.log"));
    app.lines(1);
    program.expect_stdout(&format!("it has looked\n{}", app.written()));
}

/// While it does, the link itself is there, and what it led to may be what it leads to again.
#[test]
fn a_link_that_leads_outside_for_a_while_repeats_nothing() {
    let dir = directory();
    let logs = dir.path().join("logs");
    for name in ["data", "linked", "other"] {
        fs::create_dir_all(logs.join(name)).expect("directories");
    }
    let (target, outside) = (logs.join("data/app.txt"), dir.path().join("outside.txt"));
    let swap = |target: &Path| {
        symlink(target, logs.join("data/next")).expect("a link");
        fs::rename(logs.join("data/next"), logs.join("linked/app.log")).expect("swapped");
    };
    append(&target, numbered("linked", 0..5));
    append(&outside, numbered("outside", 0..5));
    swap(&target);
    let mut app = App::appending(&logs.join("other/app.log"));
    app.lines(1);
    let program = Program::start(&[("PATHS", &format!("{}/*/*.log", logs.display()))]);
    let has = |count: usize| program.expect(|| program.stdout().lines().count() == count, "the lines");
    has(6);
    swap(&outside);
    program.expect(|| program.stderr().contains("leads out"), "that the link leads outside");
    // All paths are looked at.
    fs::create_dir(logs.join("new")).expect("a directory");
    append(&logs.join("new/app.log"), "new\n");
    has(7);
    // More renamed files than are kept open.
    for number in 0..140 {
        app.rotate(&app.beside(&format!("-{number:08}")));
        app.lines(1);
        has(8 + number);
    }
    swap(&target);
    append(&target, numbered("linked", 5..6));
    has(148);
    let stdout = program.terminate().stdout;
    let linked: String = stdout.split_inclusive('\n').filter(|line| line.starts_with("linked")).collect();
    assert_eq!(linked, numbered("linked", 0..6));
    assert_eq!(stdout.lines().count(), 148);
}

/// The application has another name for its log, and a look at everything comes to that first.
#[test]
fn what_a_link_leads_to_after_a_rotation_comes_after_what_was_rotated() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1);
    let program = Program::start(&[("PATHS", &format!("{}/**/*.log", dir.path().display()))]);
    streams(&program, app.written());
    symlink("app.log", dir.path().join("a.log")).expect("a link");
    after_looks(&program, 2);
    freeze(&program);
    // Some turns' worth of each.
    app.lines(5000);
    app.rotate(&app.beside(".1"));
    app.lines(3000);
    fs::create_dir(dir.path().join("below")).expect("a directory");
    thaw(&program);
    streams_in_all(program, app.written());
}
