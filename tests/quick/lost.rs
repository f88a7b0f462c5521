//! What is destroyed before it was read is said: which file, how many bytes, and why; and it is counted.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::FallocateFlags;
use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, with_variables};
use crate::support::rotator::{App, after_ticks, streams};
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
fn unread_bytes_of_a_file_that_waits_for_an_older_one_of_its_kind_are_said_when_they_are_destroyed() {
    let dir = directory();
    let (filler, older, app) =
        (dir.path().join("filler.log"), dir.path().join("app-1.log"), dir.path().join("app-2.log"));
    let stalled = Stalled::on(dir.path(), &[]);
    append(&filler, lines(0..2000));
    stalled.catch_up(dir.path(), "it is stalled");
    append(&older, "older\n");
    stalled.catch_up(dir.path(), "it has seen the older one");
    append(&app, text_of(UNREAD));
    stalled.catch_up(dir.path(), "it has seen the younger one");
    File::create(&app).expect("truncated");
    let expected = message(UNREAD, &app);
    stalled.program.expect(|| stalled.program.stderr().contains(&expected), "the loss to be said while it is stalled");
    append(&app, "after it\n");
    let (text, _) = read(stalled.pipe, 2000 * 100 + 6 + 9);
    assert!(has_line(&text, "older") && has_line(&text, "after it"), "what is left is streamed");
}

#[test]
fn unread_bytes_that_a_rate_limit_keeps_waiting_are_said_when_they_are_destroyed() {
    let dir = directory();
    let [filler, app, new, later] = ["filler.log", "app.log", "new.log", "later.log"].map(|name| dir.path().join(name));
    append(&filler, lines(0..1200));
    let Stalled { program, pipe } = Stalled::on(dir.path(), &[("RATE_LIMIT", "1Ki")]);
    // More than one write is more than the limit lets through.
    let (_, _pipe) = read(pipe, 1200 * 100);
    append(&app, text_of(UNREAD));
    append(&new, text_of(UNREAD));
    append(&later, "later\n");
    program.expect(|| program.open_files().contains(&later), "what was written before it to be seen");
    File::create(&app).expect("truncated");
    File::create(&new).expect("truncated");
    for path in [&app, &new] {
        let expected = message(UNREAD, path);
        program.expect(|| program.stderr().contains(&expected), "the loss to be said");
    }
}

#[test]
fn unread_bytes_of_which_the_event_was_lost_are_said_when_they_are_destroyed() {
    let dir = directory();
    let (stalled, app) = stalled_at(dir.path(), &[]);
    stalled.program.signal(Signal::STOP);
    let mut others = ["one.txt", "other.txt"].map(|name| File::create(dir.path().join(name)).expect("created"));
    let queued = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").expect("a limit of the kernel");
    let queued: usize = queued.trim().parse().expect("a number");
    for _ in 0..queued {
        for file in &mut others {
            file.write_all(b"x").expect("written");
        }
    }
    append(&app, text_of(UNREAD));
    let later = dir.path().join("later.log");
    append(&later, "later\n");
    stalled.program.signal(Signal::CONT);
    stalled.program.expect(|| stalled.program.open_files().contains(&later), "everything to be looked at");
    File::create(&app).expect("truncated");
    let expected = message(2 * UNREAD, &app);
    stalled.program.expect(|| stalled.program.stderr().contains(&expected), "the loss to be said");
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
    let left = ended.stderr.split_once(" bytes were not streamed").and_then(|(before, _)| before.rsplit(' ').next());
    assert!(left.is_none_or(|left| left.parse::<usize>().is_ok_and(|left| left < UNREAD)), "{}", ended.stderr);
}

#[test]
fn a_deleted_file_is_said_to_be_held_while_nobody_reads_however_small_it_is() {
    let dir = directory();
    let (filler, app) = (dir.path().join("filler.log"), dir.path().join("app.log"));
    let stalled = Stalled::on(dir.path(), &[]);
    append(&filler, lines(0..2000));
    stalled.catch_up(dir.path(), "it is stalled");
    append(&app, "unread\n");
    stalled.program.expect(|| stalled.program.open_files().contains(&app), "the file to be followed");
    fs::remove_file(&app).expect("deleted");
    let is_told = |said: &str| {
        said.contains("1 deleted file takes ")
            && said.contains(" of the volume, because 7 bytes of what was written there are not streamed yet")
    };
    stalled.program.expect(|| is_told(&stalled.program.stderr()), "the file to be told of");
    let (text, _) = read(stalled.pipe, 2000 * 100 + 7);
    assert!(has_line(&text, "unread"));
}

#[test]
fn nothing_is_said_of_files_that_are_renamed_and_deleted_while_somebody_reads() {
    let dir = directory();
    let (app, rotated) = (dir.path().join("app.log"), dir.path().join("app.log.1"));
    let program = Program::on(dir.path(), &[]);
    let mut written = String::new();
    for round in 0..60 {
        let text = lines(round * 700..(round + 1) * 700);
        append(&app, &text);
        written += &text;
        // What nobody has opened yet is gone when it is deleted.
        program.expect(|| program.open_files().contains(&app), "the file to be followed");
        fs::rename(&app, &rotated).expect("renamed");
        fs::remove_file(&rotated).expect("deleted");
    }
    program.expect_stdout(&written);
    after_ticks(&program, 2);
    assert_eq!(program.terminate().stderr, "");
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

#[test]
fn unread_bytes_that_somebody_punches_are_said() {
    let dir = directory();
    let (stalled, app) = stalled_at(dir.path(), &[]);
    let file = OpenOptions::new().write(true).open(&app).expect("the log");
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    if rustix::fs::fallocate(&file, flags, 4096, 65_536).is_err() {
        eprintln!("skipped: no holes here");
        return;
    }
    append(&app, "after it\n");
    let (text, pipe) = read(stalled.pipe, 6 + 2000 * 100 + UNREAD + 9 - 65_536);
    assert!(has_line(&text, "after it"));
    let expected = "cannot stream 65536 bytes of ";
    stalled.program.expect(|| stalled.program.stderr().contains(expected), "the loss to be said");
    let ended = stalled.program.terminate();
    assert!(ended.stderr.contains("; 65536 bytes were destroyed"), "{}", ended.stderr);
    rest(pipe);
}

#[test]
fn unread_bytes_of_a_file_that_is_replaced_by_a_rename_over_it_are_streamed_or_said() {
    for is_cut_short in [false, true] {
        let dir = directory();
        let (stalled, app) = stalled_at(dir.path(), &[("DRAIN_TIMEOUT", "100ms")]);
        let other = dir.path().join("other.tmp");
        fs::write(&other, "after it\n").expect("written");
        fs::rename(&other, &app).expect("replaced");
        stalled.catch_up(dir.path(), "it has seen that");
        if is_cut_short {
            stalled.program.signal(Signal::TERM);
            let ended = stalled.program.wait_for(DEADLINE);
            assert!(ended.stderr.contains(&message(UNREAD, &app)), "{}", ended.stderr);
        } else {
            let (text, pipe) = read(stalled.pipe, 6 + 2000 * 100 + UNREAD + 9);
            assert!(has_line(&text, "after it"));
            let ended = stalled.program.terminate();
            assert!(rest(pipe).is_empty());
            assert!(!ended.stderr.contains("cannot stream"), "{}", ended.stderr);
        }
    }
}

#[test]
fn what_is_written_to_a_renamed_file_that_was_let_go_is_said_counted_and_in_the_summary() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1);
    let program = Program::on(dir.path(), &[("LISTEN", "127.0.0.1:0"), ("LOG", "info")]);
    streams(&program, app.written());
    let mut late = OpenOptions::new().append(true).open(app.path()).expect("the log");
    // More than are kept open, each of them read.
    for number in 0..140 {
        app.rotate(&app.beside(&format!("-{number:08}")));
        app.lines(1);
        streams(&program, app.written());
    }
    late.write_all(b"much later\n").expect("written");
    let expected = message(11, &app.beside("-00000000"));
    program.expect(|| program.stderr().contains(&expected), "the loss to be said");
    let page = scrape_until(address(&program), "a loss", |page| page.sum("sidetail_lost_bytes_total") > 0.0);
    assert_eq!(page.value("sidetail_lost_bytes_total{cause=\"let-go\"}"), 11.0);
    // Of another name by then, too; nothing is said twice.
    fs::rename(app.beside("-00000000"), app.beside("-renamed")).expect("renamed");
    late.write_all(b"and later\n").expect("written");
    program.expect(|| program.stderr().contains(&message(10, &app.beside("-renamed"))), "the other loss to be said");
    let ended = program.terminate();
    assert_eq!(ended.stdout, app.written());
    assert!(ended.stderr.contains("; 21 bytes were destroyed"), "{}", ended.stderr);
}

/// A program that can hold only some of sixty files open, and has streamed the first line of each; it is stalled, and the second
/// lines are unread.
fn with_few_descriptors(dir: &Path) -> Stalled {
    let paths = dir.join("*.log").display().to_string();
    let mut few = Command::new("sh");
    few.args(["-c", r#"ulimit -n 44; exec "$0""#, env!("CARGO_BIN_EXE_sidetail")]);
    let variables =
        [("PATHS", paths.as_str()), ("STDERR", "file:mark.log"), ("LISTEN", "127.0.0.1:0"), ("LOG", "info")];
    (0..60).for_each(|number| append(&numbered(dir, number), "begin\n"));
    let stalled = Stalled::start(with_variables(few, &variables));
    let (_, pipe) = read(stalled.pipe, 60 * 6);
    let stalled = Stalled { pipe, ..stalled };
    append(&dir.join("filler.log"), lines(0..2000));
    stalled.catch_up(dir, "it is stalled");
    (0..60).for_each(|number| append(&numbered(dir, number), "more\n"));
    stalled
}

fn numbered(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:02}.log"))
}

#[test]
fn unread_bytes_that_are_written_and_destroyed_while_their_files_are_closed_are_said() {
    let dir = directory();
    let path = |number: u32| numbered(dir.path(), number);
    let stalled = with_few_descriptors(dir.path());
    stalled.catch_up(dir.path(), "it has seen more");
    (0..60).for_each(|number| append(&path(number), lines(0..number as usize + 1)));
    stalled.catch_up(dir.path(), "it has seen even more");
    stalled.program.signal(Signal::USR1);
    for number in 0..60 {
        let status = format!("{:02}.log: 6 bytes streamed, {} unread", number, 5 + 100 * (number + 1));
        stalled.program.expect(|| stalled.program.stderr().contains(&status), &status);
    }
    (0..60).for_each(|number| drop(File::create(path(number)).expect("truncated")));
    let (_, pipe) = read(stalled.pipe, 2000 * 100);
    let ended = stalled.program.terminate();
    assert!(rest(pipe).is_empty());
    let expected: u32 = (0..60).map(|number| 5 + 100 * (number + 1)).sum();
    assert!(ended.stderr.contains(&format!("; {expected} bytes were destroyed")), "{}", ended.stderr);
}

#[test]
fn unread_bytes_of_files_that_vanish_while_they_are_closed_are_said() {
    let dir = directory();
    let path = |number: u32| numbered(dir.path(), number);
    let stalled = with_few_descriptors(dir.path());
    after_ticks(&stalled.program, 2);
    stalled.catch_up(dir.path(), "it has seen them all");
    (0..60).for_each(|number| fs::remove_file(path(number)).expect("deleted"));
    let (mut text, pipe) = read(stalled.pipe, 2000 * 100);
    let page = scrape_until(address(&stalled.program), "a loss", |page| page.sum("sidetail_lost_bytes_total") > 0.0);
    assert!(page.value("sidetail_lost_bytes_total{cause=\"closed\"}") > 0.0);
    after_ticks(&stalled.program, 1);
    let ended = stalled.program.terminate();
    text.extend(rest(pipe));
    let streamed = String::from_utf8_lossy(&text).matches("more\n").count();
    let lost = ended.stderr.matches("cannot stream 5 bytes of").count();
    assert_eq!(streamed + lost, 60, "{streamed} streamed: {}", ended.stderr);
    assert!(ended.stderr.contains(&format!("; {} bytes were destroyed", 5 * lost)), "{}", ended.stderr);
}
