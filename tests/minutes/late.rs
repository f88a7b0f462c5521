//! A path that is made late.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::support::files::{append, directory};
use crate::support::themes::hostile::{path_in, start};

#[test]
fn a_path_of_which_nothing_exists_for_the_first_minute_is_told_of_once_and_found() {
    let dir = directory();
    let program = start(dir.path(), &["a/b/*.log"], &[]);
    // By then it has forgotten what an earlier process may have left.
    thread::sleep(Duration::from_secs(62));
    fs::create_dir_all(path_in(&dir, "a/b")).expect("directories");
    append(&path_in(&dir, "a/b/app.log"), "one\n");
    program.expect_stdout("one\n");
    fs::rename(path_in(&dir, "a/b/app.log"), path_in(&dir, "a/b/app.log.1")).expect("renamed");
    append(&path_in(&dir, "a/b/app.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
    let ended = program.terminate();
    assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("one\ntwo\n", 1), "{}", ended.stderr);
    assert!(ended.stderr.contains("matches nothing"), "{}", ended.stderr);
}
