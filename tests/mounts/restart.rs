//! Checkpoints on disks that are full, or read-only.

use std::fs::{self, File};
use std::io::Write;

use crate::support::files::{append, directory};
use crate::support::mounted::Mounted;
use crate::support::program::Program;
use crate::support::rotator::{kill_at_rest, numbered, streams, streams_and_says, streams_in_all};
use crate::support::say::ignore;
use std::path::{Path, PathBuf};

/// Fills the file system up, and returns the file that does.
fn fill(directory: &Path) -> PathBuf {
    let path = directory.join("filling");
    let mut file = File::create(&path).expect("a file");
    while file.write_all(&[1; 4096]).is_ok() {}
    path
}

#[test]
fn logs_on_a_read_only_file_system_are_streamed_after_one_warning() {
    let mounted = match Mounted::tmpfs("size=1m") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    append(&mounted.path().join("a.log"), numbered("a", 0..10));
    mounted.remount("ro");
    let ended = streams_and_says(Program::on(mounted.path(), &[]), &numbered("a", 0..10));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("Read-only file system"), "{}", ended.stderr);
}

#[test]
fn a_disk_that_is_full_at_the_start_is_one_warning() {
    let mounted = match Mounted::tmpfs("size=64k") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let dir = directory();
    append(&dir.path().join("a.log"), numbered("a", 0..10));
    fill(mounted.path());
    let variables = [("STATE", mounted.path().to_str().expect("UTF-8"))];
    let program = Program::on(dir.path(), &variables);
    streams(&program, &numbered("a", 0..10));
    append(&dir.path().join("a.log"), numbered("a", 10..20));
    let ended = streams_and_says(program, &numbered("a", 0..20));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
}

#[test]
fn a_checkpoint_that_found_no_space_at_the_start_is_made_later_and_nobody_is_said_to_have_emptied_it() {
    let mounted = match Mounted::tmpfs("size=64k") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let dir = directory();
    append(&dir.path().join("a.log"), numbered("a", 0..10));
    let filling = fill(mounted.path());
    let variables = [("STATE", mounted.path().to_str().expect("UTF-8"))];
    let program = Program::on(dir.path(), &variables);
    streams(&program, &numbered("a", 0..10));
    program.expect(|| program.stderr().contains("cannot keep state in"), "a warning");
    fs::remove_file(filling).expect("removed");
    program.expect(|| program.stderr().contains("can be kept now"), "the recovery");
    let said = kill_at_rest(program).stderr;
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("free some space"), "{said}");
    append(&dir.path().join("a.log"), numbered("a", 10..11));
    streams_in_all(Program::on(dir.path(), &variables), &numbered("a", 10..11));
}

#[test]
fn files_that_could_not_be_noted_are_noted_once_there_is_space_although_they_are_quiet() {
    let mounted = match Mounted::tmpfs("size=1m") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let dir = directory();
    let path = |number: usize| dir.path().join(format!("{number:03}.log"));
    append(&path(0), numbered("a", 0..1));
    let variables = [("STATE", mounted.path().to_str().expect("UTF-8"))];
    let program = Program::on(dir.path(), &variables);
    streams(&program, &numbered("a", 0..1));
    let filling = fill(mounted.path());
    // More files than there is space reserved for.
    for number in 1..100 {
        append(&path(number), numbered("b", number..number + 1));
    }
    program.expect(|| program.stdout().lines().count() == 100, "all lines");
    program.expect(|| program.stderr().contains("cannot write the checkpoint"), "a warning");
    fs::remove_file(filling).expect("removed");
    program.expect(|| program.stderr().contains("can be written again"), "the recovery");
    let said = kill_at_rest(program).stderr;
    assert_eq!(said.lines().count(), 2, "{said}");
    append(&path(0), numbered("a", 1..2));
    streams_in_all(Program::on(dir.path(), &variables), &numbered("a", 1..2));
}

#[test]
fn a_disk_that_fills_up_later_does_not_harm_the_slots_that_are_there() {
    let mounted = match Mounted::tmpfs("size=1m") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let path = |number: usize| mounted.path().join(format!("{number:03}.log"));
    append(&path(0), numbered("a", 0..1));
    let program = Program::on(mounted.path(), &[]);
    streams(&program, &numbered("a", 0..1));
    // More files than there is space reserved for; an empty one takes none.
    let filling = fill(mounted.path());
    for number in 1..100 {
        File::create(path(number)).expect("a file");
    }
    append(&path(0), numbered("a", 1..20));
    program.expect(|| program.stdout().lines().count() == 20, "what fits into the file's page");
    program.expect(|| program.stderr().contains("cannot write the checkpoint"), "a warning");
    // With some space it is written again, and says so.
    fs::remove_file(filling).expect("removed");
    for number in 1..100 {
        append(&path(number), numbered("b", number..number + 1));
    }
    program.expect(|| program.stderr().contains("can be written again"), "the recovery");
    program.expect(|| program.stdout().lines().count() == 119, "all lines");
    let ended = kill_at_rest(program);
    assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
    append(&path(0), numbered("a", 20..21));
    streams_in_all(Program::on(mounted.path(), &[]), &numbered("a", 20..21));
}
