//! The end: everything readable first, in time, and the right exit code.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::namespace::unshare;
use crate::support::program::{Program, command, pipe, stalled, with_variables};

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
    let expected = "still here\nsidetail: error: 134464 bytes were not streamed: stdout or stderr accepted nothing for 300ms \
                    (SIDETAIL_DRAIN_TIMEOUT); they are still in the files, and if those are in an emptyDir, they go with the pod\n";
    assert_eq!(ended.stderr, expected);
    drop(reader);
}

#[test]
fn an_application_that_never_stops_writing_does_not_hold_the_end_up() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "first\n");
    // It is how long the streams may accept nothing, and they accept.
    let program = Program::on(dir.path(), &[("DRAIN_TIMEOUT", "10m")]);
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
    // It may have written nothing between the last look and the end.
    let said = ended.stderr.lines().all(|line| line.ends_with("and are not streamed; raise SIDETAIL_LINGER"));
    assert!(said, "{}", ended.stderr);
}

/// Reads a pipe to its end, each `bytes` after a pause: that is how slow its reader is.
fn read_slowly(reader: OwnedFd, bytes: u64, pause: Duration) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let (mut reader, mut all) = (File::from(reader), Vec::new());
        loop {
            thread::sleep(pause);
            if (&mut reader).take(bytes).read_to_end(&mut all).expect("a pipe") == 0 {
                return all;
            }
        }
    })
}

/// Starts it on a log of so many lines that nobody has read when it is stalled; returns the pipe.
fn stalled_behind(dir: &Path, lines: usize, variables: &[(&str, &str)]) -> (Program, OwnedFd, String) {
    let log = (0..lines).map(|number| format!("{number:099}\n")).collect::<String>();
    append(&dir.join("a.log"), &log);
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.display());
    let variables = [&[("PATHS", paths.as_str()), ("STDERR", "")], variables].concat();
    let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
    stalled(&reader);
    (program, reader, log)
}

#[test]
fn a_slow_reader_gets_the_whole_backlog_however_long_that_takes() {
    let dir = directory();
    let variables = [("DRAIN_TIMEOUT", "1s"), ("RATE_LIMIT", "64Ki")];
    let (program, reader, log) = stalled_behind(dir.path(), 30_000, &variables);
    program.signal(Signal::TERM);
    // 3 MB, of which some 50 KiB are read at a time: longer than the timeout, and than three reports.
    let read = read_slowly(reader, 50_000, Duration::from_millis(120));
    let ended = program.wait();
    assert_eq!(ended.status.code(), Some(0));
    assert!(read.join().expect("reading does not fail") == log.as_bytes(), "all of it, once");
    let reports: Vec<u64> =
        ended.stderr.lines().filter_map(|line| line.strip_prefix(LEFT)?.split_once(MORE)?.0.parse().ok()).collect();
    assert!(reports.len() >= 3 && reports.is_sorted_by(|one, next| one > next), "{}", ended.stderr);
    assert_eq!(reports.len(), ended.stderr.lines().count(), "{}", ended.stderr);
}

/// What is said while it drains: how much is left.
const LEFT: &str = "sidetail: ";
const MORE: &str =
    " bytes are left to stream before the end; if there is no time for them, raise terminationGracePeriodSeconds";

#[test]
fn an_end_by_exit_on_waits_for_a_reader_that_stalls_until_a_signal_comes() {
    for is_signalled in [false, true] {
        let dir = directory();
        let done = dir.path().join("done");
        let exit_on = format!("file:{}", done.display());
        let variables = [("DRAIN_TIMEOUT", "100ms"), ("EXIT_ON", &*exit_on), ("LOG", "info")];
        let (program, reader, log) = stalled_behind(dir.path(), 10_000, &variables);
        append(&done, "");
        program.expect(|| program.stderr().contains("holds"), "the condition to be noticed");
        if is_signalled {
            let ended = program.terminate();
            assert_eq!(ended.status.code(), Some(0));
            assert!(ended.stderr.contains("accepted nothing for 100ms (SIDETAIL_DRAIN_TIMEOUT)"), "{}", ended.stderr);
            drop(reader);
        } else {
            let read = read_slowly(reader, u64::MAX, Duration::from_millis(600));
            assert_eq!(program.wait().status.code(), Some(0));
            assert!(read.join().expect("reading does not fail") == log.as_bytes(), "all of it");
        }
    }
}

#[test]
fn what_is_written_while_the_end_is_put_off_is_streamed_until_exit_on_holds() {
    let dir = directory();
    let (log, done) = (dir.path().join("a.log"), dir.path().join("done"));
    let exit_on = format!("file:{}", done.display());
    append(&log, "first\n");
    let program = Program::on(dir.path(), &[("LINGER", "10m"), ("EXIT_ON", &exit_on)]);
    program.expect_stdout("first\n");
    program.signal(Signal::TERM);
    let mut expected = "first\n".to_owned();
    for number in 0..20 {
        if number == 10 {
            // Longer than it would wait without LINGER.
            thread::sleep(Duration::from_secs(1));
        }
        // Closed at every line, renamed, begun anew: that is no proof that its writer has ended.
        if number % 7 == 6 {
            std::fs::rename(&log, dir.path().join(format!("a.log.{}", number / 7))).expect("renamed");
        }
        append(&log, format!("goodbye {number}\n"));
        expected += &format!("goodbye {number}\n");
        program.expect_stdout(&expected);
    }
    append(&log, "without an end");
    append(&done, "");
    let ended = program.wait();
    assert_eq!((ended.status.code(), ended.stdout), (Some(0), expected + "without an end\n"));
}

#[test]
fn files_are_followed_on_for_as_long_as_was_asked_and_no_longer() {
    let dir = directory();
    let log = dir.path().join("a.log");
    append(&log, "first\n");
    let program = Program::on(dir.path(), &[("LINGER", "2s")]);
    program.expect_stdout("first\n");
    program.signal(Signal::TERM);
    // Longer than it would wait without that.
    thread::sleep(Duration::from_millis(1200));
    append(&log, "still there\n");
    let ended = program.wait();
    assert_eq!(
        (ended.status.code(), ended.stdout.as_str(), ended.stderr.as_str()),
        (Some(0), "first\nstill there\n", "")
    );
}

#[test]
fn what_is_left_is_the_termination_message_as_long_as_it_is_left() {
    let after = |condition| format!("until [ {condition} ]; do sleep 0.1; done; cat");
    // Nobody reads until it has ended, or somebody does once it has said what is left.
    let readers =
        [(after("-s /dev/code"), "3s", "bytes were not streamed"), (after("-s /dev/termination-log"), "20s", "")];
    for (reader, timeout, expected) in readers {
        // Kubernetes bind-mounts the file into every container.
        let Some(unshare) = unshare(&["--mount"]) else { return };
        let dir = directory();
        append(&dir.path().join("a.log"), "x\n".repeat(200_000));
        let paths = format!("{}/*.log", dir.path().display());
        let mut container = with_variables(unshare, &[("PATHS", &*paths), ("DRAIN_TIMEOUT", timeout)]);
        let script = format!(
            r#"mount -t tmpfs tmpfs /dev && : > /dev/termination-log && : > /dev/null
               {{ "$0" 2> /dev/err & echo $! > /dev/pid; wait $!; echo $? > /dev/code; }} | {{ {reader}; }} > /dev/out 2>&1 &
               until [ -e "$1/.sidetail" ]; do sleep 0.1; done
               kill "$(cat /dev/pid)"
               until [ -s /dev/termination-log ]; do sleep 0.1; done
               cat /dev/termination-log
               until [ -s /dev/code ]; do sleep 0.1; done
               cat /dev/code /dev/termination-log"#
        );
        container.args(["sh", "-c", &script, env!("CARGO_BIN_EXE_sidetail")]).arg(dir.path());
        let ended = Program::spawn(container.stdout(Stdio::piped()).stderr(Stdio::piped())).wait();
        let (during, after) = ended.stdout.split_once("\n0\n").unwrap_or_else(|| panic!("{ended:?}"));
        assert!(during.contains(MORE), "{ended:?}");
        assert!(after.contains(expected) && expected.is_empty() == after.is_empty(), "{ended:?}");
    }
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
    assert_eq!(last["message"], "ended: 1 file, 1 line, 4 bytes streamed, 0 bytes left");
    assert_eq!(last["level"], "info");
}

#[test]
fn the_last_words_wait_for_a_slow_reader_of_stderr() {
    let dir = directory();
    // Whole pages, so that not even a part of one is free when the last line is in the pipe.
    let log = (0..2048).map(|number| format!("{number:063}\n")).collect::<String>();
    append(&dir.path().join("a.log"), &log);
    let (reader, writer) = pipe();
    rustix::pipe::fcntl_setpipe_size(&reader, 4096).expect("one page");
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", &*paths), ("STDERR", "file:*"), ("LOG", "info"), ("DRAIN_TIMEOUT", DRAIN_TIMEOUT)];
    let program = Program::spawn(command(&variables).stdout(Stdio::null()).stderr(writer));
    program.expect(|| rustix::io::ioctl_fionread(&reader).expect("a pipe") > 0, "its first message");
    program.signal(Signal::TERM);
    let read = read_slowly(reader, 4096, Duration::from_millis(20));
    assert_eq!(program.wait().status.code(), Some(0));
    let read = String::from_utf8(read.join().expect("reading does not fail")).expect("text");
    let last = read.lines().last().expect("a line");
    assert!(last.ends_with("ended: 1 file, 2048 lines, 131072 bytes streamed, 0 bytes left"), "{last}");
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
