//! Restarts: what one process has streamed, the next one does not repeat, and nothing is left out in between.

use std::fs;
use std::io::Write;

use crate::support::files::{append, directory};
use crate::support::program::Program;

#[test]
fn a_restart_goes_on_where_the_last_process_stopped() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\ntwo\nunfinis");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\ntwo\n");
    // Killed, so that nothing can be written down at the end.
    program.kill();
    append(&path, "hed\nthree\n");
    append(&dir.path().join("new.log"), "new\n");
    let program = Program::on(dir.path(), &[]);
    program.expect(|| program.stdout().lines().count() == 3, "what is new");
    let mut lines: Vec<_> = program.terminate().stdout.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["new", "three", "unfinished"]);
}

#[test]
fn a_last_line_that_was_ended_by_the_drain_is_not_repeated() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\nhalf");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\n");
    assert_eq!(program.terminate().stdout, "one\nhalf\n");
    append(&path, " and half\ntwo\n");
    Program::on(dir.path(), &[]).expect_stdout(" and half\ntwo\n");
}

#[test]
fn a_file_that_was_replaced_in_between_is_read_whole() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\ntwo\n");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\ntwo\n");
    program.kill();
    // The same inode with other contents, longer than before.
    fs::write(&path, "three\nfour\nfive\n").expect("rewritten");
    Program::on(dir.path(), &[]).expect_stdout("three\nfour\nfive\n");
}

#[test]
fn without_state_a_restart_reads_everything_again() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    for _ in 0..2 {
        let program = Program::on(dir.path(), &[("STATE", "off")]);
        program.expect_stdout("one\n");
        assert_eq!(program.terminate().stderr, "");
    }
    assert!(!dir.path().join(".sidetail").exists());
}

#[test]
fn state_can_be_kept_elsewhere() {
    let (dir, state) = (directory(), directory());
    append(&dir.path().join("a.log"), "one\n");
    let place = state.path().join("sidetail");
    let program = Program::on(dir.path(), &[("STATE", &place.display().to_string())]);
    program.expect_stdout("one\n");
    program.kill();
    assert_eq!(fs::read_dir(&place).expect("the directory").count(), 1);
    assert!(!dir.path().join(".sidetail").exists());
}

#[test]
fn start_at_the_end_is_for_what_was_there_at_the_first_start() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "old\nolder\nunfinis");
    let program = Program::on(dir.path(), &[("START", "end"), ("LOG", "info")]);
    program.expect(|| program.stderr().contains("following"), "the first look");
    append(&dir.path().join("late.log"), "late\n");
    program.expect_stdout("late\n");
    append(&path, "hed\nnew\n");
    program.expect_stdout("late\nunfinished\nnew\n");
    program.kill();
    append(&path, "newer\n");
    append(&dir.path().join("third.log"), "third\n");
    let program = Program::on(dir.path(), &[("START", "end")]);
    program.expect(|| program.stdout().lines().count() == 2, "what came while it was down");
    let ended = program.terminate();
    assert!(ended.stdout.contains("newer\n") && ended.stdout.contains("third\n"), "{}", ended.stdout);
}

#[test]
fn two_of_them_with_the_same_patterns_do_not_share_the_state() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    let first = Program::on(dir.path(), &[]);
    first.expect_stdout("one\n");
    let second = Program::on(dir.path(), &[]);
    second.expect_stdout("one\n");
    let ended = second.terminate();
    assert!(ended.stderr.contains("another sidetail follows the same patterns"), "{}", ended.stderr);
    assert_eq!(first.terminate().stderr, "");
}

#[test]
fn a_damaged_checkpoint_is_one_warning_and_the_stream_goes_on() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\n");
    program.kill();
    let state =
        fs::read_dir(dir.path().join(".sidetail")).expect("the directory").next().expect("a file").expect("readable");
    let mut file = fs::OpenOptions::new().write(true).open(state.path()).expect("writable");
    file.write_all(b"\0garbage\xff").expect("written");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\n");
    let ended = program.terminate();
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("damaged or of another version"), "{}", ended.stderr);
}

#[test]
fn a_directory_that_cannot_be_written_to_is_one_warning() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    // A file in its place refuses root too, which a mode would not.
    append(&dir.path().join(".sidetail"), "");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\n");
    let ended = program.terminate();
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("cannot keep state in") && ended.stderr.contains("SIDETAIL_STATE"),
        "{}",
        ended.stderr
    );
}
