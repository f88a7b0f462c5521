//! The end: everything readable first, in time, and the right exit code.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::namespace::unshare;
use crate::support::program::{Program, command, pipe};

/// More than anything here needs: who needs less does not wait for it.
const DRAIN_TIMEOUT: &str = "30s";
const IN_TIME: Duration = Duration::from_secs(30);

#[test]
fn sigterm_and_sigint_end_it_with_everything_streamed() {
    for signal in [Signal::TERM, Signal::INT] {
        let dir = directory();
        append(&dir.path().join("a.log"), "one\n");
        let program = Program::on(dir.path(), &[("DRAIN_TIMEOUT", DRAIN_TIMEOUT)]);
        program.expect_stdout("one\n");
        append(&dir.path().join("a.log"), "two\nthree without an end");
        append(&dir.path().join("new.log"), "new without an end");
        program.signal(signal);
        let ended = program.wait();
        assert_eq!(ended.status.code(), Some(0), "{signal:?}");
        let mut lines: Vec<_> = ended.stdout.split_inclusive('\n').collect();
        lines.sort_unstable();
        assert_eq!(lines, ["new without an end\n", "one\n", "three without an end\n", "two\n"]);
        assert!(ended.took < IN_TIME, "{:?}", ended.took);
    }
}

#[test]
fn a_large_backlog_is_streamed_before_the_end() {
    let dir = directory();
    let program = Program::on(dir.path(), &[("DRAIN_TIMEOUT", "50s")]);
    program.expect(|| dir.path().join(".sidetail").exists(), "the first look");
    append(&dir.path().join("a.log"), ("x".repeat(99) + "\n").repeat(50_000));
    let ended = program.terminate();
    assert_eq!((ended.status.code(), ended.stdout.len()), (Some(0), 5_000_000));
}

#[test]
fn a_stalled_stdout_does_not_hold_the_end_up() {
    let dir = directory();
    append(&dir.path().join("a.log"), "x\n".repeat(100_000));
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", paths.as_str()), ("STDERR", "file:b.log"), ("DRAIN_TIMEOUT", "300ms")];
    let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
    append(&dir.path().join("b.log"), "still here\n");
    program.expect_stderr("still here\n");
    let ended = program.terminate();
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.took >= Duration::from_millis(250), "{:?}", ended.took);
    assert!(ended.stderr.contains("134464 bytes were not streamed within 300ms"), "{}", ended.stderr);
    drop(reader);
}

#[test]
fn an_application_that_never_stops_writing_does_not_hold_the_end_up() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "first\n");
    let program = Program::on(dir.path(), &[("DRAIN_TIMEOUT", "600ms")]);
    program.expect_stdout("first\n");
    let mut writer = Command::new("sh")
        .args(["-c", "i=0; while [ $i -lt 12000 ]; do echo line; sleep 0.01; i=$((i+1)); done"])
        .stdout(OpenOptions::new().append(true).open(&path).expect("the file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    program.expect(|| program.stdout().lines().count() > 5, "some lines");
    append(&dir.path().join("b.log"), "another's last line, without an end");
    let ended = program.terminate();
    let is_writing = writer.try_wait().expect("our own child").is_none();
    writer.kill().and_then(|()| writer.wait()).expect("our own child");
    assert_eq!((ended.status.code(), is_writing), (Some(0), true));
    // There must be time left for it.
    assert!(ended.stdout.contains("another's last line, without an end\n"), "{}", ended.stdout);
}

#[test]
fn what_an_application_says_while_it_is_stopped_too_is_streamed() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "first\n");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("first\n");
    program.signal(Signal::TERM);
    append(&path, "goodbye\n");
    assert_eq!(program.wait().stdout, "first\ngoodbye\n");
}

#[test]
fn process_1_of_a_container_ends_at_sigterm_too() {
    // It is process 1 of its own process namespace, as a runtime makes it.
    let Some(mut unshare) = unshare(&["--fork", "--pid", "--kill-child"]) else { return };
    let dir = directory();
    append(&dir.path().join("a.log"), "one\nhalf");
    let paths = format!("{}/*.log", dir.path().display());
    unshare.args([env!("CARGO_BIN_EXE_sidetail"), &paths]);
    let program = Program::spawn(unshare.stdout(Stdio::piped()).stderr(Stdio::piped()));
    program.expect_stdout("one\n");
    let children = format!("/proc/{0}/task/{0}/children", program.id());
    let child: i32 = std::fs::read_to_string(children).expect("its child").trim().parse().expect("a number");
    let child = rustix::process::Pid::from_raw(child).expect("not 0");
    rustix::process::kill_process(child, Signal::TERM).expect("our own grandchild");
    let ended = program.wait();
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(0), "one\nhalf\n"));
}

#[test]
fn the_summary_says_what_was_done() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    let program = Program::on(dir.path(), &[("LOG", "info"), ("LOG_FORMAT", "json")]);
    program.expect_stdout("one\n");
    let ended = program.terminate();
    let last = ended.stderr.lines().last().expect("a message");
    let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["message"], "ended: 1 files, 1 lines, 4 bytes streamed, 0 bytes left");
    assert_eq!(last["level"], "info");
}

#[test]
fn a_pipe_that_others_share_is_left_blocking() {
    let dir = directory();
    let (reader, writer) = pipe();
    let mut shared = std::fs::File::from(writer.try_clone().expect("a second descriptor"));
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(writer).stderr(Stdio::piped()));
    program.expect(|| dir.path().join(".sidetail").exists(), "the first look");
    program.terminate();
    let flags = rustix::fs::fcntl_getfl(&shared).expect("flags");
    assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
    shared.write_all(b"still works\n").expect("written");
    drop(reader);
}
