//! What an application puts in the place of directories and files, so that its sidecar goes where it should not: links in the
//! fixed part of a pattern, second names of other files, FIFOs and locks.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, FlockOperation, Mode, mknodat};
use rustix::process::Signal;

use crate::support::files::{Directory, append, directory};
use crate::support::program::DEADLINE;
use crate::support::room::{LITTLE, allocated};
use crate::support::rotator::numbered;
use crate::support::themes::hostile::{path_in, start};

/// A directory that everybody may write to, as an emptyDir is, in one that only we may.
fn volume() -> (Directory, PathBuf) {
    let dir = directory();
    let volume = path_in(&dir, "volume");
    fs::create_dir(&volume).expect("a directory");
    fs::set_permissions(&volume, Permissions::from_mode(0o777)).expect("ours");
    (dir, volume)
}

/// What the program must not print, beside the volume.
fn secret(dir: &Directory) -> PathBuf {
    let secret = path_in(dir, "secret");
    fs::create_dir(&secret).expect("a directory");
    append(&secret.join("token"), "the secret\n");
    append(&secret.join("a.log"), "the secret\n");
    secret
}

#[test]
fn a_link_in_the_place_of_the_fixed_directory_is_not_followed() {
    let (dir, volume) = volume();
    let secret = secret(&dir);
    for pattern in ["app/*", "app/*.log", "app/token", "{app,b}/token", "{app,b}/*.log"] {
        // Before the start.
        symlink(&secret, volume.join("app")).expect("a link");
        append(&volume.join("plain.log"), "plain\n");
        let program = start(&volume, &[pattern, "plain.log"], &[("STATE", "off")]);
        program.expect_stdout("plain\n");
        let ended = program.terminate();
        assert_eq!(ended.stdout, "plain\n", "{pattern}");
        assert!(ended.stderr.contains("a symbolic link on its way"), "{pattern}: {}", ended.stderr);
        fs::remove_file(volume.join("app")).expect("the link");
        // In the place of a directory that is followed.
        fs::create_dir(volume.join("app")).expect("a directory");
        append(&volume.join("app/a.log"), "mine\n");
        append(&volume.join("app/token"), "mine\n");
        let program = start(&volume, &[pattern, "plain.log"], &[("STATE", "off")]);
        program.expect(|| program.stdout().contains("plain\n") && program.stdout().contains("mine\n"), "both");
        fs::rename(volume.join("app"), volume.join("away")).expect("renamed");
        symlink(&secret, volume.join("app")).expect("a link");
        program.expect(|| program.stderr().contains("a symbolic link on its way"), "a warning");
        append(&volume.join("plain.log"), "again\n");
        program.expect(|| program.stdout().ends_with("again\n"), "what is not attacked");
        let ended = program.terminate();
        assert!(!ended.stdout.contains("the secret"), "{pattern}: {}", ended.stdout);
        fs::remove_file(volume.join("app")).expect("the link");
        fs::remove_file(volume.join("plain.log")).expect("there");
        fs::remove_dir_all(volume.join("away")).expect("there");
    }
}

#[test]
fn a_link_of_ours_in_the_fixed_part_is_followed() {
    let (dir, volume) = volume();
    append(&volume.join("a.log"), "one\n");
    symlink("volume", path_in(&dir, "link")).expect("a link");
    let program = start(dir.path(), &["link/*.log"], &[("STATE", "off")]);
    program.expect_stdout("one\n");
    // To another directory, by us.
    fs::create_dir(path_in(&dir, "other")).expect("a directory");
    append(&path_in(&dir, "other/b.log"), "two\n");
    symlink("other", path_in(&dir, "next")).expect("a link");
    fs::rename(path_in(&dir, "next"), path_in(&dir, "link")).expect("swapped");
    program.expect_stdout("one\ntwo\n");
}

#[test]
fn a_fifo_in_the_place_of_a_state_directory_stops_nothing() {
    let (_dir, volume) = volume();
    fs::create_dir(volume.join("sub")).expect("a directory");
    append(&volume.join("a.log"), "one\n");
    let program = start(&volume, &["**/*.log"], &[("DIR_BUDGET", "64Mi"), ("LISTEN", "127.0.0.1:0")]);
    program.expect_stdout("one\n");
    for place in ["sub/.sidetail", "sub/.a.log.1.gz.tmp"] {
        mknodat(CWD, volume.join(place), FileType::Fifo, Mode::from_raw_mode(0o666), 0).expect("a FIFO");
    }
    // Each look at the budget lists the directories.
    program.signal(Signal::HUP);
    append(&volume.join("sub/b.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
    append(&volume.join("a.log"), numbered("line", 0..100_000));
    program.expect(|| program.stdout_bytes() > 100_000 * 64, "more than a sixteenth of the budget");
    assert_eq!(program.terminate().status.code(), Some(0));
}

/// The bytes of a file that is not the application's, enough to be rotated.
fn put_precious(path: &Path) -> String {
    let text = numbered("precious", 0..20_000);
    append(path, &text);
    text
}

const METHODS: [(&str, &str); 4] = [("auto", "0"), ("auto", "2"), ("copytruncate", "0"), ("rename", "0")];

#[test]
fn what_is_followed_through_a_link_is_not_reclaimed() {
    for (method, keep) in METHODS {
        let (_dir, volume) = volume();
        ["a", "b"].iter().for_each(|name| fs::create_dir(volume.join(name)).expect("a directory"));
        let precious = volume.join("b/data.db");
        let text = put_precious(&precious);
        symlink("../b/data.db", volume.join("a/x.log")).expect("a link");
        let rotation = [("ROTATE_SIZE", "64Ki"), ("ROTATE_METHOD", method), ("ROTATE_KEEP", keep)];
        let program = start(&volume, &["*/*.log"], &rotation);
        program.expect(|| program.stderr().contains("it is a link"), "a warning");
        program.signal(Signal::HUP);
        program.expect(|| program.stdout_bytes() == text.len(), "everything");
        let ended = program.terminate();
        assert_eq!(fs::read_to_string(&precious).expect("there"), text, "{method}, {keep}");
        assert_eq!(fs::read_dir(volume.join("a")).expect("listed").count(), 1, "{method}, {keep}: {}", ended.stderr);
    }
}

#[test]
fn a_directory_that_is_a_link_holds_no_archives_of_ours() {
    let (_dir, volume) = volume();
    fs::create_dir_all(volume.join("data/b")).expect("directories");
    symlink("data/b", volume.join("a")).expect("a link");
    // They are another application's own archives.
    let archives: Vec<_> = (1..10).map(|number| volume.join(format!("data/b/x.log.{number}.gz"))).collect();
    archives.iter().for_each(|path| append(path, [7; 64 << 10]));
    append(&volume.join("a/x.log"), "one\n");
    append(&volume.join("plain.log"), "two\n");
    let rotation = [("DIR_BUDGET", "128Ki"), ("ROTATE_KEEP", "1"), ("ROTATE_MAX_AGE", "1ms"), ("ROTATE_SIZE", "64Ki")];
    let program = start(&volume, &["*/*.log", "plain.log"], &rotation);
    program.expect(|| program.stdout().contains("two\n"), "a line");
    append(&volume.join("plain.log"), numbered("line", 0..20_000));
    program.expect(|| allocated(&volume.join("plain.log")) < 1 << 20, "something to be reclaimed");
    program.terminate();
    assert!(archives.iter().all(|path| path.exists()));
}

#[test]
fn a_file_with_a_name_that_no_pattern_leads_to_is_not_reclaimed() {
    let (_dir, volume) = volume();
    ["a", "b"].iter().for_each(|name| fs::create_dir(volume.join(name)).expect("a directory"));
    let precious = volume.join("b/data.db");
    let text = put_precious(&precious);
    fs::hard_link(&precious, volume.join("a/x.log")).expect("linked");
    let program = start(&volume, &["a/*.log"], &[("ROTATE_SIZE", "64Ki")]);
    program.expect(|| program.stderr().contains("it has other names"), "a warning");
    assert_eq!(fs::read_to_string(&precious).expect("there"), text);
    // Where a pattern leads to all of them, it is the application's own.
    let program = {
        program.terminate();
        start(&volume, &["a/*.log", "b/*.log"], &[("ROTATE_SIZE", "64Ki")])
    };
    append(&precious, "more\n");
    program.expect(|| allocated(&precious) <= 64 << 10, "it to be reclaimed");
    program.terminate();
}

#[test]
fn state_is_not_reclaimed() {
    let (_dir, volume) = volume();
    fs::create_dir(volume.join(".sidetail")).expect("a directory");
    let text = put_precious(&volume.join(".sidetail/0123456789abcdef.log"));
    let program = start(&volume, &[".sidetail/*.log"], &[("ROTATE_SIZE", "64Ki")]);
    program.expect(|| program.stdout_bytes() == text.len(), "everything");
    program.signal(Signal::HUP);
    program.expect(|| program.stderr().contains("cannot reclaim"), "a warning");
    program.terminate();
    assert_eq!(fs::read_to_string(volume.join(".sidetail/0123456789abcdef.log")).expect("there"), text);
}

#[test]
fn a_lock_of_the_applications_stops_nothing() {
    let (_dir, volume) = volume();
    let lock = File::open(&volume).expect("a directory");
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).expect("nobody has it");
    let path = volume.join("app.log");
    let text = put_precious(&path);
    let program = start(&volume, &["*.log"], &[("ROTATE_SIZE", "64Ki")]);
    program.expect(|| program.stdout_bytes() == text.len(), "everything");
    program.signal(Signal::HUP);
    program.expect(|| allocated(&path) <= LITTLE, "it to be reclaimed");
    assert_eq!(program.terminate().status.code(), Some(0));
}

#[test]
fn a_long_sparse_file_that_changes_delays_no_other() {
    let (_dir, volume) = volume();
    let big = File::create(volume.join("big.log")).expect("created");
    let write = |text: &str| big.write_all_at(text.as_bytes(), (1 << 30) - 200).expect("written");
    write(&format!("{}\n", "a".repeat(199)));
    append(&volume.join("other.log"), "other\n");
    let program = start(&volume, &["*.log"], &[("STDERR", "")]);
    program.expect(|| program.stdout().contains("other\n") && program.stdout().contains("aaa"), "both");
    // Each change has it searched for what was before the offset, and each time others have their turns in between.
    let mut expected = 0;
    for round in 0..20 {
        write(&format!("{}\n", format!("{round:09}.").repeat(19)));
        append(&volume.join("other.log"), format!("line {round}\n"));
        program.expect(|| program.stdout().contains(&format!("line {round}\n")), "the other file's line");
        expected += 1;
    }
    assert_eq!(program.stdout().matches("line ").count(), expected);
    assert!(program.terminate().took < DEADLINE / 4, "the drain does not wait for it");
}
