//! `DIR_BUDGET`: what the followed directories take together stays below it; unread bytes are never deleted.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::bounded::run;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe, stalled};
use crate::support::room::{allocated, allocated_beneath, archives, archives_apart, left, unpacked};
use crate::support::rotator::{App, after_ticks, kill_at_rest, numbered, streams, streams_and_says, streams_in_all};
use crate::support::themes::budget::{PORTION_LINES, is_exact, write_in_turn};

const BUDGET: u64 = 1 << 20;

#[test]
fn many_files_together_stay_below_the_budget() {
    let dir = directory();
    let mut apps: Vec<_> = (0..5).map(|number| App::appending(&dir.path().join(format!("{number}.log")))).collect();
    let program = Program::on(dir.path(), &[("DIR_BUDGET", "1Mi")]);
    write_in_turn(&mut apps, &program, 16, dir.path(), BUDGET);
    for app in &apps {
        assert!(app.written().ends_with(&left(app.path())), "what is left is the newest part");
    }
    is_exact(&apps, program);
}

#[test]
fn within_the_budget_everything_stays() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(8 * PORTION_LINES);
    let program = Program::on(dir.path(), &[("DIR_BUDGET", "1Mi")]);
    streams(&program, app.written());
    after_ticks(&program, 2);
    assert_eq!(left(app.path()), app.written());
    streams_in_all(program, app.written());
}

#[test]
fn the_oldest_archives_go_first() {
    let dir = directory();
    let mut apps: Vec<_> =
        ["a", "b"].iter().map(|name| App::appending(&dir.path().join(format!("{name}.log")))).collect();
    let variables =
        [("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "1000"), ("ROTATE_COMPRESS", "none"), ("DIR_BUDGET", "1Mi")];
    let program = Program::on(dir.path(), &variables);
    for _ in 0..32 {
        write_in_turn(&mut apps, &program, 1, dir.path(), BUDGET);
        // An archive takes longer to be durable than a portion to be written.
        program.expect(|| apps.iter().all(|app| allocated(app.path()) <= 64 << 10), "all to be archived");
    }
    for app in &apps {
        let newest = archives(app.path());
        assert!(!newest.is_empty(), "the newest archives stay");
        // They are the newest, without a gap.
        let held: String = newest.iter().map(|archive| unpacked(archive)).collect::<String>() + &left(app.path());
        assert!(app.written().ends_with(&held) && held.len() < app.written().len(), "{} bytes are left", held.len());
    }
    is_exact(&apps, program);
}

#[test]
fn archives_of_an_earlier_time_go_for_a_smaller_budget() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(10);
    for number in 1..=8_u32 {
        let archive = app.beside(&format!(".sidetail.{number}.gz"));
        append(&archive, vec![7; 128 << 10]);
        let age = format!("{number} hours ago");
        run(Command::new("touch").args(["-d", &age]).arg(&archive), DEADLINE).expect("touched");
    }
    let variables = [("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "9"), ("DIR_BUDGET", "512Ki")];
    let program = Program::on(dir.path(), &variables);
    program.expect(|| allocated_beneath(dir.path()) <= 512 << 10, "the oldest archives to be deleted");
    let left = archives_apart(app.path());
    assert!(!left.is_empty() && left.len() <= 3, "{left:?}");
    let newest: Vec<_> = (1..=left.len()).rev().map(|number| app.beside(&format!(".sidetail.{number}.gz"))).collect();
    assert_eq!(left, newest);
    streams_in_all(program, app.written());
}

#[test]
fn auto_on_a_shared_disk_is_no_budget_and_says_so() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(100);
    if rustix::fs::statfs(dir.path()).expect("a file system").f_type == 0x0102_1994 {
        return crate::support::say::say("not tried: the temporary directory is a volume of its own");
    }
    let program = Program::on(dir.path(), &[("DIR_BUDGET", "auto")]);
    program.expect(|| program.stderr().contains("not a dedicated volume"), "a word about it");
    let stderr = streams_and_says(program, app.written()).stderr;
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn unread_bytes_stay_and_a_stalled_reader_is_told_of_once_a_minute() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(32 * PORTION_LINES + 1000);
    let whole = allocated(app.path());
    let (reader, writer) = pipe();
    let paths = app.path().display().to_string();
    let mut prepared = command(&[("PATHS", &paths), ("DIR_BUDGET", "256Ki")]);
    let program = Program::spawn(prepared.stdout(Stdio::from(writer)).stderr(Stdio::piped()));
    drop(prepared);
    stalled(&reader);
    program.expect(|| program.stderr().contains("not streamed yet"), "a word about the reader");
    after_ticks(&program, 2);
    assert_eq!(program.stderr().lines().count(), 1, "{}", program.stderr());
    for words in ["DIR_BUDGET", "stalled", "never deletes unstreamed data"] {
        assert!(program.stderr().contains(words), "{words} is not in {}", program.stderr());
    }
    let in_pipe = rustix::io::ioctl_fionread(&reader).expect("a pipe");
    assert!(allocated(app.path()) + in_pipe >= whole, "unread bytes are still there");
    let streamed = std::thread::spawn(move || {
        let mut streamed = String::new();
        std::io::Read::read_to_string(&mut fs::File::from(reader), &mut streamed).expect("UTF-8");
        streamed
    });
    program.expect(|| allocated_beneath(dir.path()) <= 256 << 10, "the directory to be within its budget");
    assert!(program.terminate().status.success());
    assert!(streamed.join().expect("read") == app.written(), "the stream is exact");
}

#[test]
fn what_is_lost_of_a_deleted_file_over_the_budget_is_said() {
    let dir = directory();
    // The first is the one that the stream holds, and stays; of the second nothing was streamed.
    let [held, other] = ["a.log", "b.log"].map(|name| dir.path().join(name));
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let mut prepared = command(&[("PATHS", &paths), ("DIR_BUDGET", "256Ki")]);
    let program = Program::spawn(prepared.stdout(Stdio::from(writer)).stderr(Stdio::piped()));
    drop(prepared);
    let mut app = App::appending(&held);
    app.lines(2000);
    stalled(&reader);
    append(&other, numbered("unread", 0..10_000));
    program.expect(|| program.open_files().contains(&other), "both files to be followed");
    fs::remove_file(&other).expect("deleted");
    let lost = "640000 bytes";
    let is_said =
        |line: &str| line.contains("b.log") && line.contains(lost) && line.contains("SIDETAIL_DIR_BUDGET is used up");
    program.expect(|| program.stderr().lines().any(is_said), "what is lost");
    let streamed = std::thread::spawn(move || {
        let mut streamed = String::new();
        std::io::Read::read_to_string(&mut fs::File::from(reader), &mut streamed).expect("UTF-8");
        streamed
    });
    let ended = program.terminate();
    assert!(ended.stderr.lines().last().is_some_and(|last| last.contains(lost)), "the summary: {}", ended.stderr);
    assert!(streamed.join().expect("read") == app.written(), "the rest is exact");
}

#[test]
fn other_files_that_fill_the_directory_are_told_of_and_left_alone() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1000);
    let other = dir.path().join("heap.dump");
    append(&other, vec![7; 2 << 20]);
    let program = Program::on(dir.path(), &[("DIR_BUDGET", "1Mi")]);
    program.expect(|| program.stderr().contains("other files"), "a word about them");
    let stderr = streams_and_says(program, app.written()).stderr;
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(!stderr.contains("stalled"), "{stderr}");
    assert_eq!(fs::read(&other).expect("there"), vec![7; 2 << 20]);
}

#[test]
fn after_a_restart_the_budget_holds_on() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let mut before = 0;
    for _ in 0..3 {
        let program = Program::on(dir.path(), &[("DIR_BUDGET", "256Ki")]);
        app.lines(12 * PORTION_LINES);
        streams(&program, &app.written()[before..]);
        program.expect(|| allocated_beneath(dir.path()) <= 256 << 10, "the directory to be within its budget");
        kill_at_rest(program);
        before = app.written().len();
    }
    assert!(app.written().ends_with(&left(app.path())));
}

#[test]
fn a_directory_that_is_not_there_yet_does_not_put_the_budget_off() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(80 * PORTION_LINES);
    let paths = format!("{0}/*.log,{0}/missing/*.log", dir.path().display());
    let program = Program::start(&[("PATHS", &paths), ("DIR_BUDGET", "1Mi")]);
    streams(&program, app.written());
    program.expect(|| allocated_beneath(dir.path()) <= BUDGET, "the directory to be within its budget");
    streams_in_all(program, app.written());
}
