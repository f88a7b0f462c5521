//! Files come, change and go: what is there, what appears later, what is renamed, truncated or deleted.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::rotator::by_ticks_alone;

fn start(directory: &Path, pattern: &str) -> Program {
    Program::start(&[("PATHS", &format!("{}/{pattern}", directory.display()))])
}

#[test]
fn a_file_that_appears_later_is_streamed_whole() {
    let dir = directory();
    append(&dir.path().join("early.log"), "early\n");
    let program = start(dir.path(), "*.log");
    program.expect_stdout("early\n");
    append(&dir.path().join("late.log"), "late\n");
    program.expect_stdout("early\nlate\n");
    append(&dir.path().join("late.log"), "later\n");
    program.expect_stdout("early\nlate\nlater\n");
}

#[test]
fn directories_that_appear_later_are_found() {
    let dir = directory();
    let program = start(dir.path(), "a/b/**/*.log");
    fs::create_dir_all(dir.path().join("a/b/c/d")).expect("directories");
    append(&dir.path().join("a/b/c/d/deep.log"), "deep\n");
    program.expect_stdout("deep\n");
    append(&dir.path().join("a/b/flat.log"), "flat\n");
    program.expect_stdout("deep\nflat\n");
}

#[test]
fn directories_that_appear_are_entered_at_once() {
    let dir = directory();
    let program = start(dir.path(), "**/*.log");
    append(&dir.path().join("0.log"), "0\n");
    program.expect_stdout("0\n");
    let (start, mut expected) = (Instant::now(), "0\n".to_owned());
    for number in 1..=10 {
        let below = dir.path().join(format!("{number}/below"));
        fs::create_dir_all(&below).expect("directories");
        append(&below.join("a.log"), format!("{number}\n"));
        expected += &format!("{number}\n");
        program.expect_stdout(&expected);
    }
    assert!(start.elapsed() < by_ticks_alone(10), "ten directories took {:?}", start.elapsed());
}

#[test]
fn a_directory_that_is_deleted_and_made_again_is_found_again() {
    let dir = directory();
    fs::create_dir(dir.path().join("a")).expect("a directory");
    append(&dir.path().join("a/1.log"), "one\n");
    let program = start(dir.path(), "a/*.log");
    program.expect_stdout("one\n");
    fs::remove_dir_all(dir.path().join("a")).expect("removed");
    fs::create_dir(dir.path().join("a")).expect("a directory");
    append(&dir.path().join("a/1.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
}

#[test]
fn braces_and_excluded_and_compressed_and_hidden_files() {
    let dir = directory();
    for name in ["a.log", "b.txt", "c.out", "d.log.gz", ".e.log", "f.log"] {
        append(&dir.path().join(name), format!("{name}\n"));
    }
    let pattern = format!("{}/*.{{log,txt,gz}}", dir.path().display());
    let program = Program::start(&[("PATHS", &pattern), ("EXCLUDE", "f.*")]);
    program.expect(|| program.stdout().lines().count() == 2, "two lines");
    let mut lines: Vec<_> = program.terminate().stdout.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["a.log", "b.txt"]);
}

#[test]
fn an_unfinished_line_waits_for_its_end() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\ntwo");
    let program = start(dir.path(), "*.log");
    program.expect_stdout("one\n");
    append(&path, " and");
    append(&path, " a half\nthree");
    program.expect_stdout("one\ntwo and a half\n");
    assert_eq!(program.terminate().stdout, "one\ntwo and a half\nthree\n");
}

#[test]
fn a_long_line_written_in_small_pieces_comes_out_whole() {
    let dir = directory();
    let path = dir.path().join("a.log");
    let piece = "x".repeat(7_000);
    append(&path, "first\n");
    let program = start(dir.path(), "*.log");
    program.expect_stdout("first\n");
    for _ in 0..40 {
        append(&path, &piece);
    }
    append(&path, "\nlast\n");
    program.expect_stdout(&format!("first\n{}\nlast\n", piece.repeat(40)));
}

#[test]
fn rename_and_create_loses_nothing() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, "one\n");
    let program = start(dir.path(), "*.log");
    program.expect_stdout("one\n");
    let mut old = OpenOptions::new().append(true).open(&path).expect("the writer's file");
    fs::rename(&path, dir.path().join("app.log.1")).expect("renamed");
    old.write_all(b"two\n").expect("the writer has not reopened yet");
    append(&path, "three\n");
    program.expect(|| program.stdout().lines().count() == 3, "three lines");
    old.write_all(b"four\n").expect("and still has not");
    program.expect(|| program.stdout().lines().count() == 4, "four lines");
    let mut lines: Vec<_> = program.terminate().stdout.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["four", "one", "three", "two"]);
}

#[test]
fn a_deleted_file_is_read_to_its_end_and_a_new_one_from_its_beginning() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, "one\n");
    let program = start(dir.path(), "*.log");
    program.expect_stdout("one\n");
    let mut old = OpenOptions::new().append(true).open(&path).expect("the writer's file");
    fs::remove_file(&path).expect("deleted");
    old.write_all(b"two\n").expect("the writer goes on");
    program.expect_stdout("one\ntwo\n");
    append(&path, "three\n");
    program.expect_stdout("one\ntwo\nthree\n");
}

#[test]
fn the_unfinished_line_of_a_deleted_file_comes_when_it_is_let_go() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\nhalf");
    let program = start(dir.path(), "*.log");
    program.expect_stdout("one\n");
    fs::remove_file(&path).expect("deleted");
    program.expect_stdout("one\nhalf\n");
    append(&path, "new\n");
    program.expect_stdout("one\nhalf\nnew\n");
}

#[test]
fn a_truncated_file_is_read_from_its_beginning() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, "one is long enough to hide what follows\n");
    let program = start(dir.path(), "*.log");
    let first = "one is long enough to hide what follows\n";
    program.expect_stdout(first);
    OpenOptions::new().write(true).truncate(true).open(&path).expect("truncated");
    append(&path, "two\n");
    program.expect_stdout(&format!("{first}two\n"));
    // Larger than before when it is looked at, but no longer the same: the marker tells.
    fs::write(&path, "three, which is as long as the first line was, and more\n").expect("rewritten in place");
    program.expect(|| program.stdout().contains("three"), "the third line");
    assert!(program.terminate().stdout.ends_with("\ntwo\nthree, which is as long as the first line was, and more\n"));
}

#[test]
fn a_file_with_two_names_is_streamed_once() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    fs::hard_link(dir.path().join("a.log"), dir.path().join("b.log")).expect("a second name");
    let program = start(dir.path(), "*.log");
    program.expect_stdout("one\n");
    append(&dir.path().join("b.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
    assert_eq!(program.terminate().stdout, "one\ntwo\n");
}

#[test]
fn a_file_renamed_to_a_name_that_is_followed_too_stays_the_same_file() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, "one\n");
    let program = start(dir.path(), "app.log*");
    program.expect_stdout("one\n");
    fs::rename(&path, dir.path().join("app.log.1")).expect("renamed");
    append(&path, "two\n");
    program.expect_stdout("one\ntwo\n");
    append(&dir.path().join("app.log.1"), "three\n");
    program.expect_stdout("one\ntwo\nthree\n");
    assert_eq!(program.terminate().stdout, "one\ntwo\nthree\n");
}

#[test]
fn two_hundred_files_are_streamed_each_once() {
    let dir = directory();
    for number in 0..200 {
        append(&dir.path().join(format!("{number}.log")), format!("first of {number}\n"));
    }
    let program = start(dir.path(), "*.log");
    program.expect(|| program.stdout().lines().count() == 200, "200 lines");
    for number in 0..200 {
        append(&dir.path().join(format!("{number}.log")), format!("second of {number}\n"));
    }
    program.expect(|| program.stdout().lines().count() == 400, "400 lines");
    let ended = program.terminate();
    for number in 0..200 {
        let of_file: Vec<_> = ended.stdout.lines().filter(|line| line.ends_with(&format!(" of {number}"))).collect();
        assert_eq!(of_file, [format!("first of {number}"), format!("second of {number}")]);
    }
}

#[test]
fn links_out_of_the_directory_are_refused_and_others_followed() {
    let (dir, outside) = (directory(), directory());
    append(&outside.path().join("secret"), "secret\n");
    append(&dir.path().join("real.txt"), "one\n");
    std::os::unix::fs::symlink(outside.path().join("secret"), dir.path().join("out.log")).expect("a link");
    std::os::unix::fs::symlink("real.txt", dir.path().join("in.log")).expect("a link");
    let program = start(dir.path(), "*.log");
    program.expect_stdout("one\n");
    program.expect(|| program.stderr().contains("out.log"), "a warning");
    let ended = program.terminate();
    assert_eq!(ended.stdout, "one\n");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("leads out of the pattern's directory"), "{}", ended.stderr);
}

#[test]
fn idle_costs_one_wake_up_a_tick() {
    // One level deeper, because the directory above is watched for names too, and others use the temporary directory.
    let dir = directory();
    fs::create_dir(dir.path().join("logs")).expect("a directory");
    for number in 0..10 {
        append(&dir.path().join(format!("logs/{number}.log")), "line\n");
    }
    let program = start(dir.path(), "logs/*.log");
    program.expect(|| program.stdout().lines().count() == 10, "ten lines");
    let wakes = || program.status_field("voluntary_ctxt_switches");
    // Two ticks after the last line it is idle; then the wake-ups of three more ticks are counted.
    let after = |wanted: u64| program.expect(|| wakes() >= wanted, "the safety tick");
    after(wakes() + 2);
    let (start, before) = (Instant::now(), wakes());
    after(before + 3);
    let took = start.elapsed();
    assert!(took.as_millis() >= 3900, "3 wake-ups within {took:?}: more than one every two seconds");
    assert_eq!(program.status_field("Threads"), 1);
}
