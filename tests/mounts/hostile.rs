//! What another user may not read, and devices.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::files::{Directory, append, copy_program, directory};
use crate::support::program::{Program, command};
use crate::support::rotator::after_ticks;
use crate::support::say::ignore;
use crate::support::themes::hostile::{expect_refusals, path_in, start};

/// Whom the image runs it as.
const UID: &str = "65532";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_device_is_not_opened() {
    if !is_root() {
        return ignore("a_device_is_not_opened needs root");
    }
    let dir = directory();
    let zero = path_in(&dir, "zero.log");
    let device = rustix::fs::makedev(1, 5);
    if let Err(why) = mknodat(CWD, &zero, FileType::CharacterDevice, Mode::RUSR | Mode::WUSR, device) {
        return ignore(&format!("a_device_is_not_opened needs to make a device: {why}"));
    }
    append(&path_in(&dir, "plain.log"), "one\n");
    let program = start(dir.path(), &["*.log"], &[]);
    program.expect_stdout("one\n");
    expect_refusals(&program, std::slice::from_ref(&zero));
    let ended = program.terminate();
    assert_eq!(ended.stdout, "one\n");
    assert!(ended.stderr.contains("it is not a regular file"), "{}", ended.stderr);
}

/// Starts the binary as another user, who can reach nothing but it and the directory.
fn as_another_user(directory: &Path, patterns: &[&str], bin: &Directory) -> Program {
    as_another_user_with(directory, patterns, &[], bin)
}

fn as_another_user_with(directory: &Path, patterns: &[&str], variables: &[(&str, &str)], bin: &Directory) -> Program {
    let binary = path_in(bin, "sidetail");
    copy_program(Path::new(env!("CARGO_BIN_EXE_sidetail")), &binary);
    for path in [bin.path(), &binary] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("chmod");
    }
    let paths: Vec<_> = patterns.iter().map(|pattern| format!("{}/{pattern}", directory.display())).collect();
    let paths = paths.join("\n");
    let mut other = Command::new("setpriv");
    other.args(["--reuid", UID, "--regid", UID, "--clear-groups"]).arg(&binary);
    for (name, value) in command(&[&[("PATHS", &*paths), ("STATE", "off")], variables].concat()).get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    Program::spawn(other.current_dir("/").stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// A directory that another user may search and list, and one for the binary; `None` where that cannot be tried.
fn for_another_user(test: &str) -> Option<(Directory, Directory)> {
    let has_setpriv = Command::new("setpriv").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !is_root() || !has_setpriv {
        ignore(&format!("{test} needs root, and setpriv of util-linux"));
        return None;
    }
    let dir = directory();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("chmod");
    Some((dir, directory()))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

#[test]
fn files_of_one_owner_and_mode_are_told_of_once_together() {
    let Some((dir, bin)) = for_another_user("files_of_one_owner") else { return };
    for number in 0..27 {
        let path = path_in(&dir, &format!("{number}.log"));
        append(&path, "closed\n");
        set_mode(&path, 0o600);
    }
    let program = as_another_user(dir.path(), &["*.log"], &bin);
    program.expect(|| program.stderr().contains("permission denied"), "a warning");
    after_ticks(&program, 2);
    let warnings = program.stderr();
    assert_eq!(warnings.lines().count(), 1, "{warnings}");
    for words in [" and 26 more files of the same owner and mode: ", "only root may read it", "runAsUser: 0"] {
        assert!(warnings.contains(words), "{warnings} lacks {words}");
    }
    (0..27).for_each(|number| set_mode(&path_in(&dir, &format!("{number}.log")), 0o644));
    program.expect(|| program.stdout_bytes() == 27 * 7, "all lines");
    let ended = program.terminate();
    assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("can be followed now"), "{}", ended.stderr);
}

#[test]
fn an_unreadable_file_is_told_of_once_with_the_way_out_and_followed_when_it_is_readable() {
    let Some((dir, bin)) = for_another_user("an_unreadable_file") else { return };
    let (closed, open) = (path_in(&dir, "closed.log"), path_in(&dir, "open.log"));
    append(&closed, "was closed\n");
    append(&open, "open\n");
    set_mode(&closed, 0o640);
    set_mode(&open, 0o644);
    let program = as_another_user(dir.path(), &["*.log"], &bin);
    program.expect_stdout("open\n");
    expect_refusals(&program, std::slice::from_ref(&closed));
    append(&closed, "and written to\n");
    append(&open, "still open\n");
    program.expect_stdout("open\nstill open\n");
    let warnings = program.stderr();
    for words in ["0:0", "0640", "65532:65532", "supplementalGroups: [0]"] {
        assert!(warnings.contains(words), "{warnings} lacks {words}");
    }
    set_mode(&closed, 0o644);
    program.expect_stdout("open\nstill open\nwas closed\nand written to\n");
    append(&closed, "promptly\n");
    program.expect_stdout("open\nstill open\nwas closed\nand written to\npromptly\n");
    let ended = program.terminate();
    assert_eq!(ended.stdout, "open\nstill open\nwas closed\nand written to\npromptly\n");
    let said: Vec<_> = ended.stderr.lines().collect();
    assert!(said.len() == 2 && said[1].ends_with("closed.log can be followed now"), "{said:#?}");
}

#[test]
fn a_file_that_becomes_unreadable_is_read_on() {
    let Some((dir, bin)) = for_another_user("a_file_that_becomes_unreadable") else { return };
    let path = path_in(&dir, "a.log");
    append(&path, "one\n");
    set_mode(&path, 0o644);
    let program = as_another_user(dir.path(), &["*.log"], &bin);
    program.expect_stdout("one\n");
    set_mode(&path, 0o600);
    append(&path, "two\n");
    program.expect_stdout("one\ntwo\n");
    let ended = program.terminate();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("one\ntwo\n", ""));
}

#[test]
fn a_directory_that_cannot_be_listed_is_told_of_once_and_stops_nothing_else() {
    let Some((dir, bin)) = for_another_user("a_directory_that_cannot_be_listed") else { return };
    for (name, mode) in [("closed", 0o700), ("search-only", 0o711), ("open", 0o755)] {
        fs::create_dir(path_in(&dir, name)).expect("a directory");
        append(&path_in(&dir, &format!("{name}/a.log")), format!("{name}\n"));
        set_mode(&path_in(&dir, &format!("{name}/a.log")), 0o644);
        set_mode(&path_in(&dir, name), mode);
    }
    // A plain path needs no listing.
    let patterns = ["open/*.log", "closed/*.log", "search-only/a.log"];
    let program = as_another_user(dir.path(), &patterns, &bin);
    program.expect(|| program.stdout().lines().count() == 2, "two files");
    let closed = path_in(&dir, "closed");
    program.expect(|| program.stderr().contains(&closed.display().to_string()), "a warning");
    append(&path_in(&dir, "search-only/a.log"), "again\n");
    append(&path_in(&dir, "open/new.log"), "new\n");
    program.expect(|| program.stdout().lines().count() == 4, "four lines");
    set_mode(&closed, 0o755);
    program.expect(|| program.stdout().lines().count() == 5, "the closed directory's file");
    let ended = program.terminate();
    let mut lines: Vec<_> = ended.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["again", "closed", "new", "open", "search-only"]);
    let of_closed = ended.stderr.lines().filter(|line| line.contains("cannot")).count();
    assert_eq!(of_closed, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("permission") || ended.stderr.contains("x permission"), "{}", ended.stderr);
}

#[test]
fn a_file_whose_directory_can_no_longer_be_searched_is_not_taken_for_deleted() {
    let Some((dir, bin)) = for_another_user("a_file_whose_directory") else { return };
    fs::create_dir(path_in(&dir, "sub")).expect("a directory");
    let path = path_in(&dir, "sub/a.log");
    append(&path, "one\n");
    set_mode(&path, 0o644);
    set_mode(&path_in(&dir, "sub"), 0o755);
    let program = as_another_user_with(dir.path(), &["*/*.log"], &[("LOG", "info")], &bin);
    program.expect_stdout("one\n");
    set_mode(&path_in(&dir, "sub"), 0o700);
    program.expect(|| program.stderr().contains("cannot follow"), "a warning");
    append(&path, "two\n");
    program.expect_stdout("one\ntwo\n");
    set_mode(&path_in(&dir, "sub"), 0o755);
    program.expect(|| program.stderr().contains("can be followed now"), "its recovery");
    append(&path, "three\n");
    program.expect_stdout("one\ntwo\nthree\n");
    let ended = program.terminate();
    assert_eq!(ended.stdout, "one\ntwo\nthree\n");
    // What is deleted is let go after a while, and would be streamed again when it is found again.
    assert!(!ended.stderr.contains("was renamed or deleted"), "{}", ended.stderr);
}
