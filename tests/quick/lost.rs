//! What is destroyed before it was read is said: which file, how many bytes, and why; and it is counted.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program};
use crate::support::rotator::after_ticks;
use crate::support::scrape::{address, scrape_until};
use crate::support::themes::pressure::{Stalled, lines, read, rest};

/// How much is unread when it is destroyed, in bytes: more than a pipe holds.
const UNREAD: usize = 961_265;

/// Returns lines of so many bytes together.
fn text_of(bytes: usize) -> String {
    let mut text = lines(0..bytes / 100 + 1);
    text.truncate(bytes - 1);
    text + "\n"
}

fn has_line(text: &[u8], line: &str) -> bool {
    text.split(|byte| *byte == b'\n').any(|one| one == line.as_bytes())
}

fn message(bytes: usize, path: &Path) -> String {
    format!("cannot stream {bytes} bytes of {}: ", path.display())
}

/// A program that has streamed one line, and holds one that a stream does not accept; its log has `UNREAD` bytes more.
fn stalled_at(dir: &Path, variables: &[(&str, &str)]) -> (Stalled, PathBuf) {
    let (filler, app) = (dir.join("filler.log"), dir.join("app.log"));
    append(&app, "begin\n");
    let stalled = Stalled::on(dir, variables);
    stalled.catch_up(dir, "it has begun");
    append(&filler, lines(0..2000));
    stalled.catch_up(dir, "it is stalled");
    append(&app, text_of(UNREAD));
    stalled.catch_up(dir, "it has seen the rest");
    (stalled, app)
}

#[test]
fn unread_bytes_that_a_truncation_destroys_are_said_counted_and_in_the_summary() {
    let dir = directory();
    let (stalled, app) = stalled_at(dir.path(), &[("LISTEN", "127.0.0.1:0"), ("LOG", "info")]);
    File::create(&app).expect("truncated");
    let expected = message(UNREAD, &app);
    stalled.program.expect(|| stalled.program.stderr().contains(&expected), "the loss to be said while it is stalled");
    append(&app, "after it\n");
    let page = scrape_until(address(&stalled.program), "a loss", |page| page.sum("sidetail_lost_bytes_total") > 0.0);
    assert_eq!(page.value("sidetail_lost_bytes_total{cause=\"truncated\"}"), UNREAD as f64);
    let (text, pipe) = read(stalled.pipe, 6 + 2000 * 100 + 9);
    assert!(has_line(&text, "after it"), "what comes later is streamed");
    let ended = stalled.program.terminate();
    assert!(rest(pipe).is_empty());
    assert!(ended.stderr.contains(&format!("0 bytes left; {UNREAD} bytes were destroyed")), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("cannot stream").count(), 1, "{}", ended.stderr);
}

#[test]
fn an_overwritten_file_and_one_that_is_cut_behind_the_offset_lose_what_was_seen() {
    let dir = directory();
    let (stalled, app) = stalled_at(dir.path(), &[]);
    let file = OpenOptions::new().write(true).open(&app).expect("the log");
    file.set_len(6 + 1000).expect("cut");
    let expected = message(UNREAD - 1000, &app);
    stalled.program.expect(|| stalled.program.stderr().contains(&expected), "the cut to be said");
    file.write_all_at(b"other\n", 0).expect("overwritten");
    let (text, pipe) = read(stalled.pipe, 6 + 2000 * 100 + 1006);
    assert!(has_line(&text, "other"), "it is read from its beginning");
    let ended = stalled.program.terminate();
    rest(pipe);
    // What is still there was not destroyed; but that what is behind the offset is the same nobody knows.
    assert!(ended.stderr.contains(&format!("{UNREAD} bytes were destroyed")), "{}", ended.stderr);
}

#[test]
fn what_a_copy_still_has_is_not_lost() {
    let dir = directory();
    let (stalled, app) = stalled_at(dir.path(), &[("LOG", "info")]);
    fs::copy(&app, dir.path().join("app.log.1")).expect("copied");
    File::create(&app).expect("truncated");
    append(&app, "after it\n");
    stalled.catch_up(dir.path(), "it has seen the copy");
    let (text, pipe) = read(stalled.pipe, 6 + 2000 * 100 + UNREAD + 9);
    assert!(has_line(&text, "after it"));
    let ended = stalled.program.terminate();
    assert!(rest(pipe).is_empty());
    assert!(!ended.stderr.contains("destroyed") && !ended.stderr.contains("cannot stream"), "{}", ended.stderr);
}

#[test]
fn at_the_end_unread_bytes_of_a_deleted_file_are_lost_and_not_still_in_the_files() {
    let dir = directory();
    let (stalled, app) = stalled_at(dir.path(), &[("DRAIN_TIMEOUT", "100ms")]);
    fs::remove_file(&app).expect("deleted");
    stalled.catch_up(dir.path(), "it has seen that");
    stalled.program.signal(Signal::TERM);
    let ended = stalled.program.wait_for(DEADLINE);
    assert!(ended.stderr.contains(&message(UNREAD, &app)), "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("; {UNREAD} bytes were destroyed")), "{}", ended.stderr);
}

#[test]
fn nothing_is_said_of_truncations_that_destroy_nothing() {
    let dir = directory();
    let app = dir.path().join("app.log");
    let program = Program::on(dir.path(), &[("LOG", "info")]);
    let mut expected = String::new();
    for round in 0..3 {
        let text = format!("{}round {round}\n", lines(0..100));
        append(&app, &text);
        expected += &text;
        program.expect_stdout(&expected);
        File::create(&app).expect("truncated");
    }
    let ended = program.terminate();
    assert!(!ended.stderr.contains("destroyed") && !ended.stderr.contains("cannot stream"), "{}", ended.stderr);
}

#[test]
fn unread_bytes_of_a_renamed_file_that_is_overwritten_are_said_and_what_replaces_them_is_not_streamed() {
    let dir = directory();
    let (stalled, app) = stalled_at(dir.path(), &[]);
    let old = dir.path().join("old");
    fs::rename(&app, &old).expect("renamed");
    stalled.catch_up(dir.path(), "it has seen that");
    after_ticks(&stalled.program, 1);
    fs::write(&old, "another's\n").expect("overwritten");
    let expected = message(UNREAD, &app);
    stalled.program.expect(|| stalled.program.stderr().contains(&expected), "the loss to be said while it is stalled");
    let (_, pipe) = read(stalled.pipe, 6 + 2000 * 100);
    let is_let_go = || stalled.program.stderr().contains("is being overwritten since it was renamed");
    stalled.program.expect(is_let_go, "the file to be let go");
    let ended = stalled.program.terminate();
    assert!(rest(pipe).is_empty());
    assert!(ended.stderr.contains(&format!("{UNREAD} bytes were destroyed")), "{}", ended.stderr);
}
