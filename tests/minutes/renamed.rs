//! Logs that sidetail renames itself: they are read on for a minute, and only then compressed, counted and deleted.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::files::directory;
use crate::support::program::{Program, command, with_variables};
use crate::support::room::{archives, held};
use crate::support::rotator::{App, after_ticks, difference, streams, streams_in_all};
use crate::support::strace::has_strace;

/// Lines of 64 bytes, enough to be rotated.
const LINES: usize = 2000;

/// Ticks after which a renamed file was let go, compressed or deleted.
const TICKS_MAX: u32 = 60;

#[track_caller]
fn in_time(program: &Program, condition: impl Fn() -> bool) {
    for _ in 0..TICKS_MAX {
        if condition() {
            return;
        }
        after_ticks(program, 1);
    }
    assert!(condition(), "{}", program.stderr());
}

/// Returns whether an empty log is where the renamed one was; between the two there is none.
fn is_new(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.len() == 0)
}

#[test]
fn archives_beyond_those_kept_go_when_they_are_read_and_not_at_the_next_rename() {
    for compress in ["gzip", "none"] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let variables =
            [("ROTATE_SIZE", "64Ki"), ("ROTATE_METHOD", "rename"), ("ROTATE_KEEP", "1"), ("ROTATE_COMPRESS", compress)];
        let program = Program::on(dir.path(), &variables);
        for number in 0..3 {
            app.lines(LINES);
            streams(&program, app.written());
            program.expect(|| is_new(app.path()), &format!("rename {number}"));
            app.reopen();
        }
        let suffix = if compress == "gzip" { ".1.gz" } else { ".1" };
        in_time(&program, || archives(app.path()) == [app.beside(suffix)]);
        streams_in_all(program, app.written());
    }
}

#[test]
fn a_renamed_log_that_was_not_compressed_or_is_there_twice_is_put_right_at_the_start() {
    if !has_strace() {
        return;
    }
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let with = |compress| {
        [("ROTATE_SIZE", "1Gi"), ("ROTATE_METHOD", "rename"), ("ROTATE_KEEP", "3"), ("ROTATE_COMPRESS", compress)]
    };
    let program = Program::on(dir.path(), &[&with("none")[..], &[("LOG", "info")]].concat());
    app.lines(LINES);
    streams(&program, app.written());
    program.signal(Signal::HUP);
    program.expect(|| is_new(app.path()), "it to be renamed");
    app.reopen();
    in_time(&program, || program.stderr().contains("finished reading"));
    program.terminate();
    let paths = dir.path().join("*.log").display().to_string();
    let variables = [&with("gzip")[..], &[("PATHS", &paths)]].concat();
    // Two drafts that could be there are deleted before it is compressed; the third is what was compressed.
    let mut killed = Command::new("strace");
    killed.args([
        "-D",
        "-f",
        "-q",
        "-o",
        "/dev/null",
        "-e",
        "trace=unlinkat",
        "-e",
        "inject=unlinkat:signal=KILL:when=3",
    ]);
    killed.arg(command(&variables).get_program());
    let program = Program::spawn(with_variables(killed, &variables).stdout(Stdio::piped()).stderr(Stdio::piped()));
    program.expect(|| program.has_ended(), "it to be killed");
    program.wait();
    assert_eq!(archives(app.path()), [app.beside(".1.gz"), app.beside(".1")]);
    let program = Program::start(&variables);
    in_time(&program, || archives(app.path()) == [app.beside(".1.gz")]);
    assert_eq!(program.terminate().stderr, "");
    assert_eq!(difference(app.written(), &held(app.path())), None);
}
