//! Bytes and streams: what comes out is what was written, on the right stream, whoever reads it and however slowly.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe};
use rustix::process::Signal;

fn paths(directory: &Path) -> String {
    format!("{}/*.log", directory.display())
}

#[test]
fn rules_choose_the_stream_of_a_file_and_of_a_line() {
    let dir = directory();
    append(&dir.path().join("1.log"), "one\nnoise\nthree ERROR\n");
    append(&dir.path().join("2.log"), "two\n");
    let program = Program::on(dir.path(), &[("STDERR", "file:2.log; match:ERROR"), ("DROP", "match:^noise$")]);
    program.expect_stdout("one\n");
    program.expect(|| program.stderr().len() == "three ERROR\ntwo\n".len(), "both lines on stderr");
    let ended = program.terminate();
    let mut lines: Vec<_> = ended.stderr.lines().collect();
    lines.sort_unstable();
    assert_eq!((lines, ended.stdout.as_str()), (vec!["three ERROR", "two"], "one\n"));
}

#[test]
fn every_byte_value_passes_unchanged() {
    let dir = directory();
    let mut block: Vec<u8> = (0..=255).collect();
    block.extend(b"\r\n\n\r\n\0\0\n\xff\xfe\xc3(\n");
    append(&dir.path().join("a.log"), &block);
    let (output, mut written) = (tempfile::tempfile().expect("a file"), Vec::new());
    let mut copy = output.try_clone().expect("a second descriptor");
    let program = Program::spawn(command(&[("PATHS", &paths(dir.path()))]).stdout(output).stderr(Stdio::piped()));
    let is_whole = || (copy.metadata().expect("its size").len() == block.len() as u64).then_some(());
    wait_for(is_whole, DEADLINE).expect("all bytes are in the file that stdout is");
    assert!(program.terminate().status.success());
    copy.rewind().and_then(|()| copy.read_to_end(&mut written)).expect("readable");
    assert!(written == block, "{written:?}");
}

#[test]
fn a_line_longer_than_any_buffer_stays_one_line() {
    let dir = directory();
    let long = "x".repeat(300_000);
    append(&dir.path().join("a.log"), format!("before\n{long}\nafter\n"));
    Program::on(dir.path(), &[]).expect_stdout(&format!("before\n{long}\nafter\n"));
}

#[test]
fn a_line_longer_than_max_line_comes_in_pieces() {
    let check = |max: &str, lengths: &[usize], expected: &[usize]| {
        let dir = directory();
        let text: String = lengths.iter().map(|bytes| "x".repeat(*bytes) + "\n").collect();
        append(&dir.path().join("a.log"), text);
        let expected: String = expected.iter().map(|bytes| "x".repeat(*bytes) + "\n").collect();
        Program::on(dir.path(), &[("MAX_LINE", max)]).expect_stdout(&expected);
    };
    check("4", &[3, 4, 5, 9], &[3, 4, 4, 1, 4, 4, 1]);
    check("1Ki", &[1023, 1024, 1025, 2049], &[1023, 1024, 1024, 1, 1024, 1024, 1]);
    check("100k", &[100_000, 250_001, 5], &[100_000, 100_000, 100_000, 50_001, 5]);
    check("64Ki", &[65_536, 65_537, 131_072], &[65_536, 65_536, 1, 65_536, 65_536]);
}

#[test]
fn an_unfinished_line_longer_than_max_line_is_not_waited_for() {
    let dir = directory();
    append(&dir.path().join("a.log"), "x".repeat(250_000));
    let program = Program::on(dir.path(), &[("MAX_LINE", "100k")]);
    let piece = "x".repeat(100_000) + "\n";
    program.expect_stdout(&piece.repeat(2));
    append(&dir.path().join("a.log"), "\n");
    program.expect_stdout(&format!("{}{}\n", piece.repeat(2), "x".repeat(50_000)));
}

#[test]
fn lines_of_two_files_are_never_mixed() {
    let dir = directory();
    let (a, b) = ("a".repeat(700_000) + "\n", "b".repeat(700_000) + "\n");
    append(&dir.path().join("a.log"), a.repeat(3));
    append(&dir.path().join("b.log"), b.repeat(3));
    let program = Program::on(dir.path(), &[]);
    program.expect(|| program.stdout().len() == 6 * a.len(), "six lines");
    let ended = program.terminate();
    assert!(ended.stdout.split_inclusive('\n').all(|line| line == a || line == b), "a line of both letters");
}

#[test]
fn the_prefix_names_the_file_beneath_its_directory() {
    let dir = directory();
    fs::create_dir(dir.path().join("sub")).expect("a directory");
    append(&dir.path().join("sub/a.log"), "one\n\ntwo\n");
    let pattern = format!("{}/**/*.log", dir.path().display());
    let program = Program::start(&[("PATHS", &pattern), ("OUTPUT", "prefix")]);
    program.expect_stdout("[sub/a.log] one\n[sub/a.log] \n[sub/a.log] two\n");
}

#[test]
fn ten_thousand_short_lines_with_prefix_and_rule_are_all_there_in_order() {
    let dir = directory();
    let lines: Vec<_> = (0..10_000).map(|n| format!("{} {n}\n", if n % 3 == 0 { "ERROR" } else { "INFO" })).collect();
    append(&dir.path().join("a.log"), lines.concat());
    let program = Program::on(dir.path(), &[("OUTPUT", "prefix"), ("STDERR", "match:^ERROR")]);
    let expected = |level: &str| -> String {
        lines.iter().filter(|line| line.starts_with(level)).map(|line| format!("[a.log] {line}")).collect()
    };
    program.expect_stdout(&expected("INFO"));
    program.expect_stderr(&expected("ERROR"));
}

#[test]
fn one_pipe_for_both_streams_tears_no_line() {
    let dir = directory();
    let (reader, writer) = pipe();
    let (a, b) = ("a".repeat(50_000) + "\n", "b".repeat(50_000) + "\n");
    append(&dir.path().join("a.log"), a.repeat(20));
    append(&dir.path().join("b.log"), b.repeat(20));
    let both = writer.try_clone().expect("a second descriptor");
    let variables = [("PATHS", &*paths(dir.path())), ("STDERR", "file:b.log")];
    let program = Program::spawn(command(&variables).stdout(writer).stderr(both));
    let mut read = vec![0; 40 * a.len()];
    File::from(reader).read_exact(&mut read).expect("all lines");
    let text = String::from_utf8(read).expect("ASCII");
    assert!(text.split_inclusive('\n').all(|line| line == a || line == b), "a line of both letters");
    program.kill();
}

#[test]
fn a_terminal_is_written_to_and_stays_blocking() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let dir = directory();
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("its other side");
    let name = ptsname(&controller, Vec::new()).expect("its name").into_string().expect("ASCII");
    let terminal = OpenOptions::new().read(true).write(true).open(name).expect("the terminal");
    let shared = terminal.try_clone().expect("a second descriptor");
    append(&dir.path().join("a.log"), "one\n".repeat(5000));
    let program = Program::spawn(command(&[("PATHS", &paths(dir.path()))]).stdout(terminal).stderr(Stdio::piped()));
    let mut read = vec![0; 5 * 5000];
    File::from(controller).read_exact(&mut read).expect("all lines");
    // A terminal turns a newline into CR and newline.
    assert!(read.chunks(5).all(|line| line == b"one\r\n"));
    let flags = rustix::fs::fcntl_getfl(&shared).expect("flags");
    assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK), "the shell's terminal was made non-blocking");
    assert!(program.terminate().status.success());
}

#[test]
fn a_stalled_reader_loses_nothing_and_costs_no_memory() {
    let dir = directory();
    let line = "x".repeat(99) + "\n";
    let (reader, writer) = pipe();
    append(&dir.path().join("a.log"), line.repeat(1000));
    let variables = [("PATHS", &*paths(dir.path())), ("STDERR", "file:b.log")];
    let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
    // The other stream still works when this one is full, which also tells that it is.
    append(&dir.path().join("b.log"), "for stderr\n");
    program.expect_stderr("for stderr\n");
    let before = program.status_field("VmRSS");
    for _ in 0..100 {
        append(&dir.path().join("a.log"), line.repeat(1000));
    }
    append(&dir.path().join("b.log"), "again\n");
    program.expect_stderr("for stderr\nagain\n");
    let grown = program.status_field("VmRSS").saturating_sub(before);
    assert!(grown <= 256, "{grown} KiB more while 10 MB waited");
    let mut read = vec![0; 101 * 1000 * line.len()];
    File::from(reader).read_exact(&mut read).expect("everything");
    assert!(read.chunks(line.len()).all(|one| one == line.as_bytes()));
    assert!(program.terminate().status.success());
}

#[test]
fn a_backlog_does_not_keep_other_files_waiting() {
    let dir = directory();
    append(&dir.path().join("big.log"), ("x".repeat(99) + "\n").repeat(200_000));
    append(&dir.path().join("small.log"), "small\n");
    let program = Program::on(dir.path(), &[]);
    program.expect(|| program.stdout().len() == 20_000_006, "everything");
    let at = program.terminate().stdout.find("small\n").expect("the small file's line");
    assert!(at < 2_000_000, "after {at} bytes of the other file");
}

#[test]
fn a_stream_that_is_full_for_good_is_said_so() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let program = Program::spawn(command(&[("PATHS", &paths(dir.path()))]).stdout(full).stderr(Stdio::piped()));
    let ended = program.wait();
    assert_eq!(ended.status.code(), Some(74));
    assert_eq!(
        ended.stderr,
        "sidetail: cannot write to stdout: No space left on device (os error 28); unwritten lines are still in their \
         files\n"
    );
}

#[test]
fn a_closed_stdout_is_a_quiet_end() {
    let dir = directory();
    let (reader, writer) = pipe();
    let program = Program::spawn(command(&[("PATHS", &paths(dir.path()))]).stdout(writer).stderr(Stdio::piped()));
    drop(reader);
    let ended = program.wait();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(74), ""));
}

#[test]
fn the_collector_sees_a_missing_byte() {
    // The helper can fail: an output that is not the expected one is not accepted.
    let program = Program::start(&[("PATHS", "/nonexistent/*.log"), ("LOG", "info")]);
    program.expect(|| program.stderr().contains("follows"), "the first message");
    let found = wait_for(|| (program.stdout() == "never\n").then_some(()), Duration::from_millis(50));
    assert_eq!(found, None);
    program.signal(Signal::TERM);
    assert!(program.wait().status.success());
}
