//! `rename` and `copytruncate`: what other rotators do, done by who knows what was streamed.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::support::bounded::wait_for;
use crate::support::files::{Directory, append, directory, write_script};
use crate::support::program::{DEADLINE, Program};
use crate::support::room::{archives, set_mode, size, unpacked};
use crate::support::rotator::{App, streams, streams_and_says, streams_in_all};
use crate::support::say::ignore;
use crate::support::strace::has_strace;

const RENAME: [(&str, &str); 2] = [("ROTATE_SIZE", "64Ki"), ("ROTATE_METHOD", "rename")];

/// More than `ROTATE_SIZE`.
const MANY_LINES: usize = 1500;

/// A process with a name of its own that notes in a file each SIGHUP that it gets.
struct Told {
    child: Child,
    dir: Directory,
    name: String,
}

impl Told {
    fn start() -> Self {
        let dir = directory();
        // All processes of a name are told: another run of the tests on this machine has another one.
        let name = format!("told-{}", std::process::id());
        let script = dir.path().join(&name);
        // A shell that waits is told at once.
        let text = "#!/bin/sh\ntrap 'echo told >> told' HUP\necho > ready\nwhile :; do sleep 1 & wait $!; done\n";
        write_script(&script, text);
        let child = Command::new(&script).current_dir(dir.path()).stdin(Stdio::null()).spawn().expect("a shell");
        let told = Self { child, dir, name };
        wait_for(|| told.dir.path().join("ready").exists().then_some(()), DEADLINE).expect("it is ready");
        told
    }

    fn times(&self) -> usize {
        fs::read_to_string(self.dir.path().join("told")).map_or(0, |text| text.lines().count())
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_writer_of_a_renamed_file_is_told_and_finds_a_new_one_like_it() {
    if !rustix::process::geteuid().is_root() {
        return ignore("only root gives files away");
    }
    let writer = Told::start();
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    set_mode(app.path(), 0o640);
    chown(app.path(), Some(1234), Some(5678)).expect("we are root");
    let signal = format!("HUP:{}", writer.name);
    let variables = [("ROTATE_KEEP", "9"), ("ROTATE_COMPRESS", "none"), ("ROTATE_SIGNAL", &*signal)];
    let program = Program::on(dir.path(), &[&RENAME[..], &variables].concat());
    for round in 1..=3 {
        app.lines(MANY_LINES);
        streams(&program, app.written());
        program.expect(|| writer.times() >= round, "the writer to be told");
        assert!(app.beside(&format!(".{round}")).exists(), "it is renamed before its writer is told");
        let found = fs::metadata(app.path()).expect("a new file");
        assert_eq!((found.mode() & 0o7777, found.uid(), found.gid()), (0o640, 1234, 5678));
        app.reopen();
    }
    streams_in_all(program, app.written());
    assert_eq!(writer.times(), 3, "once each time");
    let renamed: String = archives(app.path()).iter().map(|archive| unpacked(archive)).collect();
    assert!(renamed + &fs::read_to_string(app.path()).expect("there") == app.written(), "all is kept");
}

#[test]
fn that_there_is_no_writer_to_be_told_is_said_once() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let variables = [("ROTATE_KEEP", "9"), ("ROTATE_COMPRESS", "none"), ("ROTATE_SIGNAL", "HUP:nobody-at-all")];
    let program = Program::on(dir.path(), &[&RENAME[..], &variables].concat());
    for round in 1..=3 {
        app.lines(MANY_LINES);
        streams(&program, app.written());
        program.expect(|| app.beside(&format!(".{round}")).exists(), "it to be renamed");
        app.reopen();
    }
    app.lines(1);
    let stderr = streams_and_says(program, app.written()).stderr;
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for words in ["cannot signal nobody-at-all", "no such process", "shareProcessNamespace"] {
        assert!(stderr.contains(words), "{words} is not in {stderr}");
    }
}

/// A file is quiet after a minute; before, if so many others are to be read on.
fn crowd_out(program: &Program, dir: &Path, streamed: usize) {
    let paths: Vec<_> = (0..140).map(|number| dir.join(format!("{number}.log"))).collect();
    paths.iter().for_each(|path| append(path, "a line\n"));
    program.expect(|| program.stdout_bytes() >= streamed + 140 * 7, "all to be streamed");
    paths.iter().for_each(|path| fs::rename(path, path.with_extension("gone")).expect("renamed"));
}

#[test]
fn a_renamed_file_that_is_read_is_compressed_or_deleted() {
    for keep in ["3", "0"] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let program = Program::on(dir.path(), &[&RENAME[..], &[("ROTATE_KEEP", keep)]].concat());
        app.lines(MANY_LINES);
        streams(&program, app.written());
        program.expect(|| app.beside(".1").exists(), "it to be renamed");
        // Its writer is late.
        app.lines(10);
        let renamed = app.written().to_owned();
        app.reopen();
        app.lines(10);
        streams(&program, app.written());
        assert!(app.beside(".1").exists(), "it stays as long as it may be written to");
        crowd_out(&program, dir.path(), app.written().len());
        program.expect(|| !app.beside(".1").exists(), "it to be compressed or deleted");
        let left: Vec<_> = archives(app.path()).iter().map(|archive| unpacked(archive)).collect();
        assert!(left == if keep == "3" { vec![renamed] } else { vec![] }, "{} archives", left.len());
        let ended = program.terminate();
        assert_eq!((ended.stdout.len(), ended.stderr.as_str()), (app.written().len() + 140 * 7, ""));
    }
}

/// `LOSS:` of copytruncate is what comes between the last look and the truncation: two calls, and nothing between them.
#[test]
fn nothing_is_done_between_the_last_look_and_the_truncation() {
    if !has_strace() {
        return;
    }
    for keep in ["0", "9"] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        app.lines(MANY_LINES);
        let (elsewhere, paths) = (directory(), format!("{}/*.log", dir.path().display()));
        let trace = elsewhere.path().join("trace");
        let mut traced = Command::new("strace");
        traced.args(["-D", "-q", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_sidetail"));
        let variables = [
            ("PATHS", paths.as_str()),
            ("ROTATE_SIZE", "1Gi"),
            ("ROTATE_METHOD", "copytruncate"),
            ("ROTATE_KEEP", keep),
            ("LOG", "info"),
        ];
        let program = Program::launch(traced, &variables);
        streams(&program, app.written());
        program.signal(Signal::HUP);
        program.expect(|| size(app.path()) == 0, "it to be truncated");
        program.expect(|| program.stderr().contains("truncated "), "a word about it");
        assert!(program.stderr().contains(" us before it are lost"), "{}", program.stderr());
        app.lines(1);
        streams_and_says(program, app.written());
        let calls = fs::read_to_string(&trace).expect("readable");
        let calls: Vec<_> = calls.lines().collect();
        // The first one is the checkpoint's.
        let at = calls.iter().rposition(|call| call.starts_with("ftruncate(")).expect("it was truncated");
        assert!(calls[at - 1].starts_with("statx("), "{}", calls[at.saturating_sub(5)..=at].join("\n"));
    }
}
