//! The machine's clock is set back: every file that is there seems to come from the future, and every new one to be older.
//!
//! The clock itself cannot be set without harm to the machine. So the files of before are born a day later than now, on an
//! ext4 whose inodes were edited, and the program is told a time that is a day ahead. When that is no longer so, the clock was
//! set back, for the program as for the files that are created from then on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::clock::Clock;
use crate::support::files::append;
use crate::support::mounted::Mounted;
use crate::support::program::{Program, command};
use crate::support::rotator::{
    App, after_ticks, difference, freeze, kill_at_rest, numbered, streams, streams_and_says, thaw,
};
use crate::support::say::ignore;

/// How far the clock is set back.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What the files hold that were there before the clock was set back.
const LINES: usize = 40;

/// A file system with a log and an archive of it, both from tomorrow, and a clock that can be set back.
struct Machine {
    disk: Mounted,
    clock: Clock,
}

impl Machine {
    /// `None` where that cannot be done.
    fn new() -> Option<Self> {
        let made = Clock::new("CLOCK_REALTIME", DAY).and_then(|clock| {
            let disk = Mounted::born_later(DAY, |dir| {
                append(&dir.join("app.log.1"), numbered("of old", 0..LINES));
                append(&dir.join("app.log"), numbered("line", 0..LINES));
            })?;
            Ok(Self { disk, clock })
        });
        made.map_err(|why| ignore(&format!("the clock cannot be set back: {why}"))).ok()
    }

    /// Until the clock is set back, the files are not from the future.
    fn put_clock_ahead(&self) {
        self.clock.put_ahead();
    }

    fn set_clock_back(&self) {
        self.clock.set_back();
    }

    fn start(&self, pattern: &str) -> Program {
        let paths = format!("{}/{pattern}", self.disk.path().display());
        self.clock.start(&command(&[("PATHS", &*paths), ("LOG", "info")]))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.disk.path().join(name)
    }

    /// The application that wrote the log goes on with it.
    fn app(&self) -> App {
        App::going_on(&self.path("app.log"), &numbered("line", 0..LINES))
    }
}

fn is_from_the_future(path: &Path) -> bool {
    fs::metadata(path).and_then(|metadata| metadata.created()).expect("a birth time") > SystemTime::now()
}

/// Two rotations of which nobody sees more than the end.
fn rotate_twice(app: &mut App) {
    for _ in 0..2 {
        app.lines(5);
        app.rotate_chain(9);
    }
    app.lines(5);
}

#[test]
fn files_and_the_clock_are_what_these_tests_need() {
    let Some(machine) = Machine::new() else { return };
    machine.put_clock_ahead();
    assert!(is_from_the_future(&machine.path("app.log")) && is_from_the_future(&machine.path("app.log.1")));
    // In the same second: neither is the other's elder by nanoseconds that are not of that day.
    let birth =
        |name: &str| fs::metadata(machine.path(name)).and_then(|metadata| metadata.created()).expect("a birth time");
    assert_eq!(birth("app.log"), birth("app.log.1"));
    append(&machine.path("new.log"), "new\n");
    assert!(!is_from_the_future(&machine.path("new.log")));
}

#[test]
fn rotations_between_two_looks_after_the_clock_was_set_back_lose_nothing() {
    let Some(machine) = Machine::new() else { return };
    machine.put_clock_ahead();
    let mut app = machine.app();
    let program = machine.start("*.log");
    streams(&program, app.written());
    freeze(&program);
    machine.set_clock_back();
    for _ in 0..2 {
        rotate_twice(&mut app);
        thaw(&program);
        streams(&program, app.written());
        freeze(&program);
    }
    thaw(&program);
    streams_and_says(program, app.written());
}

#[test]
fn rotations_after_a_clock_that_was_set_back_while_it_was_down_lose_nothing() {
    let Some(machine) = Machine::new() else { return };
    machine.put_clock_ahead();
    let mut app = machine.app();
    let program = machine.start("*.log");
    streams(&program, app.written());
    kill_at_rest(program);
    machine.set_clock_back();
    rotate_twice(&mut app);
    streams_and_says(machine.start("*.log"), &app.written()[numbered("line", 0..LINES).len()..]);
}

#[test]
fn a_file_from_the_future_that_ends_takes_no_later_one_with_it() {
    let Some(machine) = Machine::new() else { return };
    let mut app = machine.app();
    let program = machine.start("*.log");
    streams(&program, app.written());
    fs::remove_file(app.path()).expect("deleted");
    app.reopen();
    app.lines(5);
    program.expect(|| program.stderr().contains("finished reading "), "the deleted file to be let go");
    freeze(&program);
    rotate_twice(&mut app);
    thaw(&program);
    streams(&program, app.written());
    let before = app.written().len();
    kill_at_rest(program);
    rotate_twice(&mut app);
    streams_and_says(machine.start("*.log"), &app.written()[before..]);
}

#[test]
fn archives_from_the_future_are_not_streamed_again() {
    let Some(machine) = Machine::new() else { return };
    machine.put_clock_ahead();
    let mut app = machine.app();
    let mut program = machine.start("*.log");
    streams(&program, app.written());
    machine.set_clock_back();
    app.rotate_chain(9);
    app.lines(5);
    streams(&program, app.written());
    // The safety tick and the next process look at all archives again.
    after_ticks(&program, 2);
    for _ in 0..2 {
        let before = app.written().len();
        kill_at_rest(program);
        program = machine.start("*.log");
        app.lines(5);
        app.rotate_chain(9);
        app.lines(5);
        streams(&program, &app.written()[before..]);
        after_ticks(&program, 1);
        assert_eq!(difference(&app.written()[before..], &program.stdout()), None);
    }
}

#[test]
fn a_copy_of_a_file_from_the_future_is_not_streamed_again() {
    for pattern in ["*.log", "app.log*"] {
        let Some(machine) = Machine::new() else { return };
        fs::remove_file(machine.path("app.log.1")).expect("deleted");
        machine.put_clock_ahead();
        let mut app = machine.app();
        let program = machine.start(pattern);
        streams(&program, app.written());
        machine.set_clock_back();
        app.copytruncate(&app.beside(".1"));
        app.lines(5);
        streams(&program, app.written());
        freeze(&program);
        app.lines(5);
        app.shift_chain(9);
        app.copytruncate(&app.beside(".1"));
        app.lines(5);
        thaw(&program);
        streams(&program, app.written());
        let before = app.written().len();
        kill_at_rest(program);
        app.lines(5);
        app.shift_chain(9);
        app.copytruncate(&app.beside(".1"));
        app.lines(5);
        streams_and_says(machine.start(pattern), &app.written()[before..]);
    }
}
