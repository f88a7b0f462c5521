//! `sidetail status` and `sidetail rotate`: what signals ask for, where nobody can send one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::namespace::{alone, unshare};
use crate::support::program::{Ended, Program, command, pipe, stalled};
use crate::support::rotator::kill_at_rest;

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = command(variables);
    Program::spawn(command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped())).wait()
}

fn paths(directory: &Path) -> String {
    format!("{}/*.log", directory.display())
}

/// What SIGUSR1 has a running process say.
fn said(program: &Program, files: usize) -> String {
    program.signal(Signal::USR1);
    program.expect(|| program.stderr().matches("status of").count() == files, "the status");
    program.stderr()
}

#[test]
fn status_prints_what_sigusr1_prints() {
    for rotation in [&[][..], &[("ROTATE_SIZE", "64Ki"), ("ROTATE_METHOD", "copytruncate")]] {
        let dir = directory();
        append(&dir.path().join("a.log"), "0123456\n".repeat(8192));
        append(&dir.path().join("b.log"), "one\nan unfinished line");
        let paths = paths(dir.path());
        let variables = [&[("PATHS", &*paths)], rotation].concat();
        let program = Program::start(&variables);
        program.expect(|| program.stdout_bytes() == (64 << 10) + 4, "the lines");
        program.expect(|| run(&["status"], &variables).stdout.contains("b.log: 4 bytes streamed, 18 unread"), "a note");
        let ended = run(&["status"], &variables);
        assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
        let method = if rotation.is_empty() { "archives, not rotated\n" } else { "archives, copytruncate\n" };
        assert!(ended.stdout.lines().count() == 2 && ended.stdout.matches(method).count() == 2, "{}", ended.stdout);
        assert_eq!(ended.stdout, said(&program, 2));
        program.kill();
        // And when it has ended, as long as its checkpoint is there.
        assert_eq!(run(&["status"], &variables).stdout, ended.stdout);
        // Patterns may be given instead; of what nobody has streamed all is unread.
        let ended = run(&["status", &paths], &[("STATE", "off")]);
        assert!(ended.stdout.contains("b.log: 0 bytes streamed, 22 unread"), "{}", ended.stdout);
    }
}

#[test]
fn what_a_stalled_reader_leaves_is_unread() {
    let dir = directory();
    append(&dir.path().join("a.log"), "0123456\n".repeat(64 << 10));
    let (reader, writer) = pipe();
    let paths = paths(dir.path());
    let mut prepared = command(&[("PATHS", &paths)]);
    let program = Program::spawn(prepared.stdout(Stdio::from(writer)).stderr(Stdio::piped()));
    drop(prepared);
    stalled(&reader);
    program.expect(|| program.is_asleep(), "it to wait for its reader");
    let said = said(&program, 1);
    assert!(!said.contains(" 0 unread"), "{said}");
    assert_eq!(run(&["status"], &[("PATHS", &paths)]).stdout, said);
    program.kill();
}

#[test]
fn nuls_that_nothing_follows_are_not_unread() {
    let dir = directory();
    append(&dir.path().join("a.log"), "a line\n");
    append(&dir.path().join("a.log"), [0; 4096]);
    let variables = [("PATHS", &*paths(dir.path()))];
    let program = Program::start(&variables);
    program.expect_stdout("a line\n");
    let expected = "a.log: 7 bytes streamed, 0 unread, ";
    let asked = || {
        program.signal(Signal::USR1);
        program.stderr().contains(expected)
    };
    program.expect(asked, "what is asked by a signal");
    program.expect(|| run(&["status"], &variables).stdout.contains(expected), "what is asked by the command");
}

#[test]
fn of_a_file_that_was_truncated_since_nothing_is_reclaimed() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "0123456\n".repeat(8192));
    let variables = [("PATHS", &*paths(dir.path())), ("ROTATE_SIZE", "1Gi")];
    let program = Program::start(&variables);
    program.expect(|| program.stdout_bytes() == 64 << 10, "all lines");
    program.signal(Signal::HUP);
    let status = || run(&["status"], &variables).stdout;
    program.expect(|| status().contains(" 61440 reclaimed, 0 archives, punch"), "a hole");
    assert_eq!(status(), said(&program, 1));
    kill_at_rest(program);
    fs::write(&path, "anew\n").expect("written");
    let status = status();
    assert!(status.contains(" 0 bytes streamed, 5 unread, ") && status.contains(" 0 reclaimed"), "{status}");
}

#[test]
fn archives_are_counted_and_files_are_in_order() {
    let dir = directory();
    // In an order in which no directory lists them.
    for name in ["c.log", "a.log", "d.log", "b.log"] {
        append(&dir.path().join(name), "0123456\n".repeat(8192));
    }
    let variables =
        [("PATHS", &*paths(dir.path())), ("ROTATE_SIZE", "1Gi"), ("ROTATE_KEEP", "2"), ("ROTATE_COMPRESS", "none")];
    let program = Program::start(&variables);
    program.expect(|| program.stdout_bytes() == 4 * (64 << 10), "all lines");
    program.signal(Signal::HUP);
    let status = || run(&["status"], &variables).stdout;
    program.expect(|| status().matches("reclaimed, 1 archive, ").count() == 4, "an archive of each");
    assert_eq!(said(&program, 4).matches("reclaimed, 1 archive, ").count(), 4);
    let status = status();
    let names: Vec<_> = status.lines().filter_map(|line| line.split_once(".log: ")?.0.rsplit('/').next()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[test]
fn what_cannot_be_told_is_said() {
    let dir = directory();
    let ended = run(&["status"], &[("PATHS", &paths(dir.path()))]);
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(0), ""));
    assert!(ended.stderr.contains("no file matches"), "{}", ended.stderr);
    fs::create_dir(dir.path().join("a.log")).expect("made");
    let ended = run(&["status"], &[("PATHS", &paths(dir.path()))]);
    assert!(ended.stderr.contains("it is a directory"), "{}", ended.stderr);
}

/// The checkpoint of a program that has streamed these logs.
fn checkpoint(logs: &Path) -> PathBuf {
    let program = Program::on(logs, &[]);
    let lines = |name: &str| fs::read_to_string(logs.join(name)).expect("a log");
    program.expect(|| program.stdout().len() == lines("a.log").len() + lines("b.log").len(), "all lines");
    kill_at_rest(program);
    let mut entries = fs::read_dir(logs.join(".sidetail")).expect("a directory");
    entries.next().expect("one file").expect("readable").path()
}

#[test]
fn why_nothing_is_known_of_how_far_files_are_streamed_is_said() {
    let dir = directory();
    append(&dir.path().join("a.log"), "a line\n");
    append(&dir.path().join("b.log"), "another\n");
    let (path, paths) = (checkpoint(dir.path()), paths(dir.path()));
    let whole = fs::read(&path).expect("the checkpoint");
    // A header, and then a slot of this size for each file.
    let damaged = |at: usize| [&whole[..at], b"#", &whole[at + 1..]].concat();
    let shown = path.display().to_string();
    let of_entry = format!("cannot read 1 entry of the checkpoint {shown}: it is damaged; ");
    let of_file = format!("cannot read the checkpoint {shown}: it is damaged or of another version; ");
    for (contents, said, streamed) in
        [(&whole, "", 2), (&damaged(1024 + 40), of_entry.as_str(), 1), (&damaged(1), of_file.as_str(), 0)]
    {
        fs::write(&path, contents).expect("written");
        let ended = run(&["status", &paths], &[]);
        assert_eq!(ended.stdout.matches(" 0 unread").count(), streamed, "{}", ended.stdout);
        let expected = if said.is_empty() { 0 } else { 1 };
        assert_eq!((ended.stderr.lines().count(), ended.stderr.contains(said)), (expected, true), "{}", ended.stderr);
        // As a warning in `check`, too, which keeps no pod from starting: the next start makes it anew.
        let report = run(&["check", "--json", &paths], &[]);
        assert_eq!(report.stdout.matches("\"checkpoint\"").count(), expected, "{}", report.stdout);
        let report = run(&["check", "--json", "--strict", &paths], &[]);
        assert!(!report.stdout.is_empty() && !report.stdout.contains("\"checkpoint\""), "{}", report.stdout);
    }
    fs::remove_file(&path).expect("removed");
    for (variables, why) in [(&[][..], "there is no checkpoint"), (&[("STATE", "off")], "SIDETAIL_STATE is off")] {
        let ended = run(&["status", &paths], variables);
        assert!(ended.stderr.contains(why) && ended.stdout.contains(" 7 unread"), "{} {}", ended.stdout, ended.stderr);
    }
}

#[test]
fn rotate_asks_the_one_process_that_follows() {
    alone("status::rotate_asks_the_one_process_that_follows", || {
        let ended = run(&["rotate"], &[]);
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(69), ""));
        assert!(ended.stderr.contains("no sidetail of user"), "{}", ended.stderr);
        let dir = directory();
        let path = dir.path().join("a.log");
        append(&path, "0123456\n".repeat(8192));
        let variables = [("PATHS", &*paths(dir.path())), ("ROTATE_SIZE", "1Gi")];
        let one = Program::start(&variables);
        one.expect(|| one.stdout_bytes() == 64 << 10, "all lines");
        let ended = run(&["rotate"], &[]);
        assert_eq!((ended.status.code(), ended.stdout), (Some(0), format!("sent SIGHUP to process {}\n", one.id())));
        one.expect(|| run(&["status"], &variables).stdout.contains(" 61440 reclaimed"), "disk to be reclaimed");
        assert_eq!(one.terminate().status.code(), Some(0));
        let one = Program::start(&variables[..1]);
        one.expect(|| one.is_asleep(), "one that rotates nothing");
        let ended = run(&["rotate"], &[]);
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(69), ""));
        assert!(ended.stderr.contains("SIDETAIL_ROTATE_SIZE is off, and so are "), "{}", ended.stderr);
        let other = Program::start(&[("PATHS", "/nowhere/*.log")]);
        other.expect(|| other.is_asleep(), "another one");
        let ended = run(&["rotate"], &[]);
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(69), ""));
        assert!(ended.stderr.contains("2 sidetails run here"), "{}", ended.stderr);
    });
}

/// Where /proc is that of another namespace, its numbers are of no use.
#[test]
fn rotate_in_another_process_namespace_says_so() {
    alone("status::rotate_in_another_process_namespace_says_so", || {
        let dir = directory();
        append(&dir.path().join("a.log"), "a line\n");
        let one = Program::on(dir.path(), &[("ROTATE_SIZE", "1Gi")]);
        one.expect_stdout("a line\n");
        let Some(mut elsewhere) = unshare(&["--pid", "--fork", "--kill-child"]) else { return };
        elsewhere.args([env!("CARGO_BIN_EXE_sidetail"), "rotate"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = Program::spawn(&mut elsewhere).wait();
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(69), ""), "{}", ended.stderr);
        let why = "it has ended, or is in another process namespace; run this in its container\n";
        assert!(ended.stderr.ends_with(why), "{}", ended.stderr);
    });
}
