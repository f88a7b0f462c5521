//! SIGKILL before any system call that changes something, while disk is reclaimed: nothing is lost, one write is repeated at
//! most, and the archives and the log still hold every byte once.
//!
//! strace(1) kills at the Nth call of a kind, for N = 1, 2, 3, ... until there is no Nth one. Calls that only look are left
//! out: a kill before one of them leaves what a kill before the next change leaves. The flushes are made by threads that live
//! for one of them, and strace counts by thread, so there is no second one to be killed at.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::Signal;

use crate::support::bounded::wait_for;
use crate::support::files::directory;
use crate::support::namespace::alone;
use crate::support::program::{DEADLINE, Program, command, with_variables};
use crate::support::room::{allocated, archives, archives_apart, held, left, size, unpacked};
use crate::support::rotator::{App, after_ticks, difference};
use crate::support::strace::has_strace;

/// What may be repeated: one write, which is no larger than a pipe.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// More calls of one kind than a rotation makes.
const CALLS_MAX: usize = 100;

/// Lines, of more than one write and many blocks.
const LINES: usize = 1500;

/// What is reclaimed, and how.
struct Case {
    appends: bool,
    rotations: u32,
    pattern: &'static str,
    variables: &'static [(&'static str, &'static str)],
}

const PUNCH: Case = Case { appends: false, rotations: 1, pattern: "*.log", variables: &[] };

const COLLAPSE: Case =
    Case { appends: true, rotations: 1, pattern: "*.log", variables: &[("ROTATE_METHOD", "collapse")] };

const ARCHIVE: Case = Case { appends: false, rotations: 1, pattern: "*.log", variables: &[("ROTATE_KEEP", "1000")] };

const ARCHIVE_AND_COLLAPSE: Case =
    Case { appends: true, rotations: 1, pattern: "*.log", variables: &[("ROTATE_KEEP", "1000")] };

const PLAIN: Case = Case {
    appends: false,
    rotations: 1,
    pattern: "*.log*",
    variables: &[("ROTATE_KEEP", "1000"), ("ROTATE_COMPRESS", "none")],
};

const FEW: Case = Case { appends: true, rotations: 2, pattern: "*.log*", variables: &[("ROTATE_KEEP", "1")] };

#[test]
fn a_punch_may_be_killed_anywhere() {
    killed_anywhere(&PUNCH, &["fallocate", "pwrite64", "fdatasync", "writev"]);
}

#[test]
fn a_collapse_may_be_killed_anywhere() {
    alone("reclaim_kills::a_collapse_may_be_killed_anywhere", || {
        killed_anywhere(&COLLAPSE, &["fallocate", "pwrite64"])
    });
}

#[test]
fn an_archive_may_be_killed_anywhere() {
    killed_anywhere(&ARCHIVE, &["fallocate", "pwrite64", "renameat2", "write", "fsync", "fchown", "fchmod"]);
}

#[test]
fn an_archive_and_a_collapse_may_be_killed_anywhere() {
    alone("reclaim_kills::an_archive_and_a_collapse_may_be_killed_anywhere", || {
        killed_anywhere(&ARCHIVE_AND_COLLAPSE, &["fallocate", "pwrite64", "renameat2"])
    });
}

#[test]
fn a_plain_archive_may_be_killed_anywhere() {
    killed_anywhere(&PLAIN, &["fallocate", "pwrite64", "renameat2", "write"]);
}

#[test]
fn a_deleted_archive_may_be_killed_anywhere() {
    killed_anywhere(&FEW, &["renameat2", "unlinkat"]);
}

#[test]
fn an_archive_without_its_name_is_found_though_its_log_was_renamed() {
    if !has_strace() {
        return;
    }
    for (case, is_below) in [(&ARCHIVE, false), (&PLAIN, false), (&ARCHIVE, true)] {
        let dir = directory();
        let mut app = App::positional(&dir.path().join("app.log"));
        let program = start(case, dir.path(), Some(("renameat2", 1)));
        assert!(!rotated(&mut app, &program, 1), "it is killed");
        program.wait();
        // Once beside where it was, once below.
        let below = dir.path().join("old");
        fs::create_dir(&below).expect("a directory");
        let renamed = if is_below { below.join("app.log-1") } else { app.beside("-1") };
        fs::rename(app.path(), &renamed).expect("renamed");
        fs::write(app.path(), "another\n").expect("created");
        let program = start(case, dir.path(), None);
        program.expect(|| allocated(&renamed) <= 8192, "what is archived to be reclaimed");
        let ended = program.terminate();
        assert!(ended.stdout.ends_with("another\n") && ended.stderr.is_empty(), "{}", ended.stderr);
        let archived: String = archives(app.path()).iter().map(|archive| unpacked(archive)).collect();
        assert_eq!(difference(app.written(), &(archived + &left(&renamed))), None);
    }
}

#[test]
fn an_archive_whose_bytes_were_not_reclaimed_is_put_right_at_the_start() {
    if !has_strace() {
        return;
    }
    // The draft is whole and has no name yet; it has, but nothing is reclaimed.
    for (case, (call, when)) in
        [&ARCHIVE, &PLAIN].into_iter().flat_map(|case| [(case, ("renameat2", 1)), (case, ("fallocate", 2))])
    {
        let dir = directory();
        let mut app = App::positional(&dir.path().join("app.log"));
        let program = start(case, dir.path(), Some((call, when)));
        assert!(!rotated(&mut app, &program, 1), "it is killed");
        program.wait();
        assert!(allocated(app.path()) > 8192);
        let program = start(case, dir.path(), None);
        program.expect(|| allocated(app.path()) <= 8192, "what is archived to be reclaimed");
        assert_eq!(program.terminate().stderr, "");
        assert_eq!(difference(app.written(), &held(app.path())), None, "{call}");
    }
}

#[test]
fn a_copy_of_what_was_being_archived_is_known_when_the_log_was_truncated() {
    if !has_strace() {
        return;
    }
    for case in [&ARCHIVE, &PLAIN] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let program = start(case, dir.path(), Some(("renameat2", 1)));
        assert!(!rotated(&mut app, &program, 1), "it is killed");
        let before = program.wait().stdout;
        assert_eq!(difference(app.written(), &before), None);
        app.copytruncate(&app.beside("-1"));
        app.write("after it\n");
        let program = start(case, dir.path(), None);
        program.expect(|| program.stdout().ends_with("after it\n"), "what is new");
        after_ticks(&program, 1);
        assert_eq!(difference("after it\n", &program.terminate().stdout), None);
    }
}

#[test]
fn of_a_copy_nothing_is_archived_that_was_archived_when_its_log_was_truncated() {
    if !has_strace() {
        return;
    }
    // The draft is whole and has no name yet; it has, but nothing is reclaimed.
    for (call, when) in [("renameat2", 1), ("fallocate", 2)] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let program = start(&ARCHIVE, dir.path(), Some((call, when)));
        assert!(!rotated(&mut app, &program, 1), "it is killed");
        assert_eq!(program.wait().stdout.len(), app.written().len());
        let copy = dir.path().join("app-1.log");
        app.copytruncate(&copy);
        let copied = app.written().to_owned();
        let program = start(&ARCHIVE, dir.path(), None);
        app.write("after it\n");
        program.expect(|| program.stdout().ends_with("after it\n"), "what is new");
        program.signal(Signal::HUP);
        program.expect(|| allocated(&copy) <= 8192, "the copy to be reclaimed");
        assert_eq!(program.terminate().stdout, "after it\n");
        let archived: String = archives(app.path()).iter().map(|archive| unpacked(archive)).collect();
        assert_eq!(difference(&copied, &(archived + &held(&copy))), None, "{call}");
    }
}

#[test]
fn without_rotation_no_archive_is_deleted_after_a_kill() {
    if !has_strace() {
        return;
    }
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    for number in 1..4 {
        fs::write(app.beside(&format!(".{number}.gz")), "precious").expect("written");
    }
    let program = start(&ARCHIVE, dir.path(), Some(("renameat2", 1)));
    assert!(!rotated(&mut app, &program, 1), "it is killed");
    program.wait();
    for _ in 0..2 {
        let program = Program::on(dir.path(), &[]);
        app.lines(1);
        program.expect(|| program.stdout().ends_with(&app.written()[app.written().len() - 64..]), "what is new");
        assert_eq!(program.terminate().stderr, "");
    }
    assert_eq!((archives(app.path()).len(), archives_apart(app.path()).len()), (3, 1), "{:?}", archives(app.path()));
}

#[test]
fn who_asks_while_disk_is_reclaimed_is_heard() {
    if !has_strace() {
        return;
    }
    for (keep, limit) in [("0", 8192), ("9", 4096)] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let mut slow = Command::new("strace");
        // The disk takes half a second each time.
        slow.args(["-D", "-f", "-q", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
        slow.args(["-e", "inject=fsync,fdatasync:delay_enter=500000"]).arg(env!("CARGO_BIN_EXE_sidetail"));
        let paths = dir.path().join("*.log").display().to_string();
        let program = Program::launch(slow, &[("PATHS", &paths), ("ROTATE_SIZE", "1Gi"), ("ROTATE_KEEP", keep)]);
        for _ in 0..3 {
            app.lines(LINES);
            let length = app.written().len();
            program.expect(|| program.stdout_bytes() >= length, "everything to be streamed");
            program.signal(Signal::HUP);
        }
        program.expect(|| allocated(app.path()) <= limit, "everything to be reclaimed");
        assert_eq!(program.terminate().stderr, "");
        let (left, held) = (left(app.path()), held(app.path()));
        assert!(left.len() <= 4096 + 128 && app.written().ends_with(&left), "{} bytes are left", left.len());
        assert!(keep == "0" || held == app.written(), "{:?}", difference(app.written(), &held));
    }
}

#[test]
fn a_truncation_comes_after_the_checkpoint_is_on_the_disk() {
    if !has_strace() {
        return;
    }
    let (dir, beside) = (directory(), directory());
    let calls = beside.path().join("calls");
    let mut app = App::appending(&dir.path().join("app.log"));
    let mut traced = Command::new("strace");
    traced.args(["-D", "-f", "-q", "-e", "trace=pwrite64,fdatasync,ftruncate", "-o"]).arg(&calls);
    traced.arg(env!("CARGO_BIN_EXE_sidetail"));
    let paths = dir.path().join("*.log").display().to_string();
    let variables = [("PATHS", paths.as_str()), ("ROTATE_SIZE", "1Gi"), ("ROTATE_METHOD", "copytruncate")];
    let program = Program::launch(traced, &variables);
    app.lines(LINES);
    program.expect_stdout(app.written());
    program.signal(Signal::HUP);
    program.expect(|| size(app.path()) == 0, "the file to be truncated");
    assert_eq!(program.terminate().stderr, "");
    let calls = fs::read_to_string(&calls).expect("strace's report");
    let before = calls.rsplit_once("ftruncate(").expect("a truncation").0;
    let since_noted = before.rsplit_once("pwrite64(").expect("a checkpoint").1;
    assert!(since_noted.contains("fdatasync("), "the last calls before the truncation: {since_noted}");
}

/// Kills at every one of these calls, of which there is one at least; what changes something and is not named here is in
/// another case.
#[track_caller]
fn killed_anywhere(case: &Case, calls: &[&str]) {
    if !has_strace() {
        return;
    }
    // Most of the time goes into waiting for the disk.
    thread::scope(|scope| {
        for call in calls {
            scope.spawn(move || {
                let kills = (1..CALLS_MAX).take_while(|when| killed_at(case, call, *when)).count();
                assert!(kills > 0 && kills < CALLS_MAX - 1, "{kills} kills at {call}");
            });
        }
    });
}

/// Kills at one call, starts again, and looks at everything; says whether there is such a call.
#[track_caller]
fn killed_at(case: &Case, call: &str, when: usize) -> bool {
    let place = format!("killed at {call} {when}");
    let dir = directory();
    let path = dir.path().join("app.log");
    let mut app = if case.appends { App::appending(&path) } else { App::positional(&path) };
    let program = start(case, dir.path(), Some((call, when)));
    let is_killed = !rotated(&mut app, &program, case.rotations);
    let ended = if is_killed { program.wait() } else { program.kill() };
    let before = ended.stdout;
    assert!(app.written().starts_with(&before), "{place}: {:?}", difference(app.written(), &before));
    app.lines(LINES);
    let program = start(case, dir.path(), None);
    let missing = app.written().len() - before.len();
    let is_rest = |stdout: &str| stdout.len() >= missing && app.written().ends_with(stdout);
    if wait_for(|| is_rest(&program.stdout()).then_some(()), DEADLINE).is_none() {
        panic!("{place}: {:?}\n{}", difference(&app.written()[before.len()..], &program.stdout()), program.stderr());
    }
    let repeated = program.stdout_bytes() - missing;
    assert!(repeated <= WRITE_BYTES_MAX, "{place}: {repeated} bytes are repeated");
    program.signal(Signal::HUP);
    program.expect(|| allocated(&path) <= 8192, "everything to be reclaimed");
    let ended = program.terminate();
    assert_eq!(ended.stdout.len(), missing + repeated, "nothing comes later");
    holds_all(case, &app, &place);
    is_killed
}

/// What is on the disk is the end of what was written, and all of it if all archives are kept.
#[track_caller]
fn holds_all(case: &Case, app: &App, place: &str) {
    let held = held(app.path());
    match case.variables.iter().find(|(name, _)| *name == "ROTATE_KEEP") {
        Some((_, "1000")) => {
            assert!(
                held == app.written(),
                "{place}: {:?} in {:?}",
                difference(app.written(), &held),
                archives(app.path())
            );
        }
        Some((_, keep)) => {
            assert!(app.written().ends_with(&held), "{place}: what is left is the newest part");
            assert_eq!(archives(app.path()).len().to_string(), *keep, "{place}");
            assert!(held.len() > LINES, "{place}: an archive is kept");
        }
        None => assert!(app.written().ends_with(&left(app.path())), "{place}: what is left is the newest part"),
    }
}

/// Writes and asks for rotation, so often, as long as the program lives; says whether it still does.
fn rotated(app: &mut App, program: &Program, rotations: u32) -> bool {
    for _ in 0..rotations {
        app.lines(LINES);
        let length = app.written().len();
        program.expect(|| program.stdout_bytes() >= length || program.has_ended(), "everything to be streamed");
        if program.has_ended() {
            return false;
        }
        program.signal(Signal::HUP);
        program.expect(|| allocated(app.path()) <= 8192 || program.has_ended(), "everything to be reclaimed");
    }
    // What is reclaimed is then noted.
    program.expect(|| program.is_asleep() || program.has_ended(), "it to rest");
    !program.has_ended()
}

fn start(case: &Case, dir: &Path, kill: Option<(&str, usize)>) -> Program {
    let paths = dir.join(case.pattern).display().to_string();
    let variables = [&[("PATHS", paths.as_str()), ("ROTATE_SIZE", "1Gi")], case.variables].concat();
    let plain = command(&variables);
    let mut prepared = match kill {
        None => plain,
        Some((call, when)) => {
            let mut traced = Command::new("strace");
            // -D: the program is our own child, strace its grandchild.
            traced.args(["-D", "-f", "-q", "-o", "/dev/null", "-e"]).arg(format!("trace={call}"));
            traced.arg("-e").arg(format!("inject={call}:signal=KILL:when={when}")).arg(plain.get_program());
            with_variables(traced, &variables)
        }
    };
    Program::spawn(prepared.stdout(Stdio::piped()).stderr(Stdio::piped()))
}
