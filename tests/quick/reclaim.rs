//! Disk reclaimed: what goes and what stays, when, who asks for it, and who may not.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe, stalled};
use crate::support::room::{BLOCK_BYTES, after_a_hole, allocated, held, left, most, size};
use crate::support::rotator::{
    App, LINE_BYTES, after_ticks, kill_at_rest, numbered, same, streams, streams_and_says, streams_in_all,
};

/// Never reached: what is reclaimed is asked for by a signal.
const BY_SIGNAL: [(&str, &str); 1] = [("ROTATE_SIZE", "1Gi")];

/// Lines in a KiB.
const KIB: usize = 1024 / LINE_BYTES;

/// Asks for everything to be reclaimed, and waits until of a file whose last line is streamed no more is left than must stay.
#[track_caller]
fn reclaim_all(program: &Program, app: &App) {
    program.signal(Signal::HUP);
    let limit = most(app.written().len());
    program.expect(|| left(app.path()).len() <= app.written().len() - limit, "all to be reclaimed");
    same(&left(app.path()), &app.written()[limit..]);
}

/// Returns the status line of a file.
#[track_caller]
fn status(program: &Program, path: &Path) -> String {
    let start = format!("sidetail: status of {}: ", path.display());
    let lines = || program.stderr().lines().filter_map(|line| Some(line.strip_prefix(&start)?.to_owned())).collect();
    let before: Vec<String> = lines();
    program.signal(Signal::USR1);
    program.expect(|| lines().len() > before.len(), "the status");
    lines().pop().expect("a line")
}

#[test]
fn the_newest_part_of_a_file_stays_for_people_to_read() {
    for open in [App::appending, App::positional] {
        let dir = directory();
        let mut app = open(&dir.path().join("app.log"));
        let program = Program::on(dir.path(), &[("ROTATE_SIZE", "2Mi")]);
        for _ in 0..16 {
            app.lines(256 * KIB);
            streams(&program, app.written());
            program.expect(|| allocated(app.path()) <= 2 << 20, "the file to be small enough");
            let left = left(app.path());
            assert!(app.written().ends_with(&left), "what is left is what was written last");
            // 2 MiB less the step, which is 1 MiB here, less the block that one more line has begun.
            assert!(left.len() >= app.written().len().min((1 << 20) - BLOCK_BYTES), "{} bytes are left", left.len());
        }
        assert_eq!(size(app.path()), 4 << 20, "it still seems to be whole");
        streams_in_all(program, app.written());
    }
}

#[test]
fn a_small_file_is_left_alone() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(64 * KIB);
    let program = Program::on(dir.path(), &[("ROTATE_SIZE", "64Ki")]);
    streams(&program, app.written());
    after_ticks(&program, 1);
    same(&left(app.path()), app.written());
    streams_in_all(program, app.written());
}

#[test]
fn at_sighup_all_that_was_streamed_goes_but_the_last_block() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let program = Program::on(dir.path(), &BY_SIGNAL);
    // An unfinished line is not streamed, so it stays, however long it is.
    let cases = [1, 63, 64, 65, 66, 300, 1000].map(|count| numbered(&count.to_string(), 0..count));
    for text in &cases {
        app.write(text);
        streams(&program, app.written());
        reclaim_all(&program, &app);
    }
    let streamed = app.written().to_owned();
    app.write(&"unfinished".repeat(2000));
    program.signal(Signal::HUP);
    assert!(status(&program, app.path()).contains(" 20000 unread,"));
    assert!(left(app.path()).ends_with(&app.written()[most(streamed.len())..]));
    app.write("\n");
    streams_and_says(program, app.written());
}

#[test]
fn at_sighup_without_rotation_it_says_how_to_get_it() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1000);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    program.signal(Signal::HUP);
    program.expect(|| program.stderr().contains("SIDETAIL_ROTATE_SIZE is off"), "a warning");
    app.lines(1);
    let ended = streams_and_says(program, app.written());
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    same(&left(app.path()), app.written());
}

#[test]
fn when_it_is_time_everything_goes_and_not_before() {
    // Looked at by the safety tick only, every 2 s.
    for (interval, is_due) in [("1s", true), ("24h", false)] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        app.lines(1000);
        let program = Program::on(dir.path(), &[("ROTATE_INTERVAL", interval)]);
        streams(&program, app.written());
        after_ticks(&program, 1);
        let kept = if is_due { most(app.written().len()) } else { 0 };
        program.expect(|| left(app.path()).len() <= app.written().len() - kept, "all to be reclaimed");
        same(&left(app.path()), &app.written()[kept..]);
        streams_in_all(program, app.written());
    }
}

#[test]
fn the_status_tells_what_was_streamed_and_reclaimed_whatever_is_logged() {
    for level in ["off", "error", "debug"] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        app.lines(1000);
        let program = Program::on(dir.path(), &[("ROTATE_SIZE", "1Gi"), ("LOG", level)]);
        streams(&program, app.written());
        assert_eq!(
            status(&program, app.path()),
            "64000 bytes streamed, 0 unread, 65536 on disk, 0 reclaimed, 0 archives, punch"
        );
        reclaim_all(&program, &app);
        app.write("unfinished");
        assert_eq!(
            status(&program, app.path()),
            "64000 bytes streamed, 10 unread, 4096 on disk, 61440 reclaimed, 0 archives, punch"
        );
    }
}

#[test]
fn the_status_of_500_files_has_500_lines() {
    let dir = directory();
    for number in 0..500 {
        append(&dir.path().join(format!("{number:03}.log")), "a line\n");
    }
    let program = Program::on(dir.path(), &BY_SIGNAL);
    program.expect(|| program.stdout().lines().count() == 500, "500 lines");
    program.signal(Signal::USR1);
    program.expect(|| program.stderr().lines().count() >= 500, "500 lines of status");
    let ended = program.terminate();
    let mut said: Vec<_> = ended.stderr.lines().collect();
    said.sort_unstable();
    said.dedup();
    assert!(said.len() == 500 && said.iter().all(|line| line.contains(" 7 bytes streamed, ")), "{said:#?}");
}

/// Starts it with a stdout that nobody reads yet.
fn start_stalled(dir: &Path, variables: &[(&str, &str)]) -> (Program, OwnedFd) {
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.display());
    let mut stalled = command(&[&[("PATHS", paths.as_str())], variables].concat());
    (Program::spawn(stalled.stdout(writer).stderr(Stdio::piped())), reader)
}

/// Reads what the program gives until it is so much, and no longer than it runs.
fn read_all(reader: OwnedFd, bytes: usize) -> String {
    let mut collected = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    rustix::io::ioctl_fionbio(reader.as_fd(), true).expect("a pipe");
    wait_for(
        || {
            while let Ok(read @ 1..) = rustix::io::read(&reader, &mut buffer) {
                collected.extend_from_slice(&buffer[..read]);
            }
            (collected.len() >= bytes).then_some(())
        },
        DEADLINE,
    );
    String::from_utf8_lossy(&collected).into_owned()
}

#[test]
fn while_nobody_reads_stdout_nothing_of_what_waits_is_reclaimed() {
    let ways: [Variables; 5] = [
        &[],
        &[("ROTATE_KEEP", "100")],
        &[("ROTATE_METHOD", "collapse")],
        &[("ROTATE_METHOD", "copytruncate")],
        &[("ROTATE_METHOD", "rename"), ("ROTATE_KEEP", "100"), ("ROTATE_COMPRESS", "none")],
    ];
    for way in ways {
        let variables = [&[("ROTATE_SIZE", "64Ki")], way].concat();
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        app.lines(1024 * KIB);
        let (program, reader) = start_stalled(dir.path(), &variables);
        stalled(&reader);
        for _ in 0..3 {
            program.signal(Signal::HUP);
            status(&program, app.path());
        }
        let on_the_pipe = rustix::io::ioctl_fionread(&reader).expect("a pipe");
        let left = held(app.path()).len() as u64;
        assert!(left + on_the_pipe >= app.written().len() as u64, "{way:?}: {left} left, {on_the_pipe} streamed");
        same(&read_all(reader.try_clone().expect("descriptors"), app.written().len()), app.written());
        program.expect(|| allocated(app.path()) <= 64 << 10, "what is streamed to be reclaimed");
        let ended = program.terminate();
        let complaints: Vec<_> = ended.stderr.lines().filter(|line| !line.contains("status of")).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        assert_eq!(read_all(reader, 0), "", "nothing is repeated");
    }
}

type Variables = &'static [(&'static str, &'static str)];

type Words = &'static [&'static str];

#[test]
fn wrong_settings_of_rotation_are_told_with_the_way_out() {
    let cases: &[(Variables, Words)] = &[
        (&[("ROTATE_SIZE", "1Ki")], &["ROTATE_SIZE=\"1Ki\"", "64Ki"]),
        (&[("ROTATE_SIZE", "65535")], &["ROTATE_SIZE", "64Ki"]),
        (&[("ROTATE_SIZE", "8MB")], &["ROTATE_SIZE=\"8MB\"", "8M or 8Mi?"]),
        (&[("ROTATE_SIZE", "8Mi"), ("STATE", "off")], &["STATE=\"off\"", "checkpoint"]),
        (&[("ROTATE_INTERVAL", "1h"), ("STATE", "off")], &["STATE=\"off\"", "checkpoint"]),
        (&[("DIR_BUDGET", "8Mi"), ("STATE", "off")], &["STATE=\"off\"", "checkpoint"]),
        (&[("ROTATE_SIZE", "8Mi"), ("ROTATE_METHOD", "truncate")], &["ROTATE_METHOD", "copytruncate"]),
        (&[("ROTATE_SIZE", "8Mi"), ("ROTATE_KEEP", "-1")], &["ROTATE_KEEP"]),
        (&[("ROTATE_SIZE", "8Mi"), ("ROTATE_COMPRESS", "zstd")], &["ROTATE_COMPRESS", "gzip, none"]),
        (&[("ROTATE_SIZE", "8Mi"), ("ROTATE_MAX_AGE", "old")], &["ROTATE_MAX_AGE", "off"]),
        (&[("ROTATE_SIZE", "8Mi"), ("ROTATE_INTERVAL", "daily")], &["ROTATE_INTERVAL", "1d?"]),
        (&[("ROTATE_SIZE", "8Mi"), ("ROTATE_SIGNAL", "nginx")], &["ROTATE_SIGNAL", "HUP:nginx"]),
        (&[("DIR_BUDGET", "half")], &["DIR_BUDGET", "auto"]),
    ];
    for (variables, expected) in cases {
        let ended = Program::start(variables).wait();
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(64), ""), "{variables:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        for words in *expected {
            assert!(ended.stderr.contains(words), "{} lacks {words}", ended.stderr);
        }
    }
}

#[test]
fn a_directory_is_rotated_by_one_sidetail_at_a_time() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(100);
    let state = directory();
    let elsewhere = [("STATE", state.path().to_str().expect("UTF-8"))];
    let first = Program::on(dir.path(), &BY_SIGNAL);
    streams(&first, app.written());
    // It claims the directory when there is something to reclaim.
    reclaim_all(&first, &app);
    let kept = left(app.path());
    app.lines(1000);
    let second = Program::on(dir.path(), &[&BY_SIGNAL[..], &elsewhere].concat());
    let of_second = kept + &app.written()[100 * LINE_BYTES..];
    streams(&second, &of_second);
    second.signal(Signal::HUP);
    second.expect(|| second.stderr().contains("another sidetail rotates"), "a warning");
    assert_eq!(streams_and_says(second, &of_second).stderr.lines().count(), 1, "it is told once");
    streams(&first, app.written());
    // Who comes after it rotates.
    kill_at_rest(first);
    app.lines(1000);
    let next = Program::on(dir.path(), &BY_SIGNAL);
    streams(&next, &app.written()[1100 * LINE_BYTES..]);
    reclaim_all(&next, &app);
    streams_in_all(next, &app.written()[1100 * LINE_BYTES..]);
}

#[test]
fn a_directory_that_comes_later_is_rotated_by_one_sidetail_too() {
    let (dir, state) = (directory(), directory());
    // With other patterns the checkpoint is another one.
    let programs = ["late/*.log", "late/app.*"].map(|pattern| {
        let (paths, state) = (dir.path().join(pattern).display().to_string(), state.path().to_str().expect("UTF-8"));
        Program::start(&[("PATHS", &paths), ("STATE", state), ("ROTATE_SIZE", "1Gi"), ("LOG", "info")])
    });
    // Only when both run they can be surprised.
    programs.iter().for_each(|program| program.expect(|| program.stderr().contains(" follows "), "the start"));
    fs::create_dir(dir.path().join("late")).expect("a directory");
    let mut app = App::appending(&dir.path().join("late/app.log"));
    app.lines(1000);
    programs.iter().for_each(|program| streams(program, app.written()));
    // Who comes first claims the directory; the other one is told when there is something to reclaim again.
    let [first, second] = &programs;
    reclaim_all(first, &app);
    app.lines(1000);
    programs.iter().for_each(|program| streams(program, app.written()));
    second.signal(Signal::HUP);
    second.expect(|| second.stderr().contains("another sidetail rotates"), "a warning");
    let said = programs.map(|program| streams_and_says(program, app.written()).stderr);
    assert_eq!(said.concat().matches("another sidetail").count(), 1, "{said:#?}");
}

#[test]
fn after_a_restart_nothing_that_was_reclaimed_is_missed_or_repeated() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1000);
    let mut program = Program::on(dir.path(), &BY_SIGNAL);
    streams(&program, app.written());
    for count in [1, 100, 1000] {
        reclaim_all(&program, &app);
        kill_at_rest(program);
        let before = app.written().len();
        app.lines(count);
        program = Program::on(dir.path(), &BY_SIGNAL);
        streams(&program, &app.written()[before..]);
    }
    assert_eq!(program.terminate().stderr, "");
}

#[test]
fn without_its_checkpoint_a_file_begins_with_its_first_kept_block() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1000);
    let program = Program::on(dir.path(), &BY_SIGNAL);
    streams(&program, app.written());
    reclaim_all(&program, &app);
    app.lines(10);
    kill_at_rest(program);
    fs::remove_dir_all(dir.path().join(".sidetail")).expect("the checkpoint is there");
    streams_in_all(Program::on(dir.path(), &BY_SIGNAL), &app.written()[most(1000 * LINE_BYTES)..]);
}

/// As after a kill between the hole and the note of it in the checkpoint, which still knows the file by what was in the hole.
#[test]
fn a_copy_without_holes_of_what_was_reclaimed_before_a_kill_is_known() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1000);
    let program = Program::on(dir.path(), &BY_SIGNAL);
    streams(&program, app.written());
    program.expect(|| program.is_asleep(), "the checkpoint to be written");
    let entry = fs::read_dir(dir.path().join(".sidetail")).expect("the state").next().expect("a checkpoint");
    let checkpoint = entry.expect("readable").path();
    let before = fs::read(&checkpoint).expect("readable");
    reclaim_all(&program, &app);
    kill_at_rest(program);
    fs::write(&checkpoint, before).expect("writable");
    let copy = app.beside("-1");
    fs::write(&copy, fs::read(app.path()).expect("readable")).expect("copied, with NULs for the hole");
    app.truncate(0);
    app.write("after it\n");
    let program = Program::on(dir.path(), &BY_SIGNAL);
    streams(&program, "after it\n");
    after_ticks(&program, 1);
    streams_in_all(program, "after it\n");
}

#[test]
fn what_is_reclaimed_is_not_taken_for_news() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(256 * KIB);
    let program = Program::on(dir.path(), &[("ROTATE_SIZE", "64Ki"), ("LOG", "debug")]);
    streams(&program, app.written());
    program.expect(|| allocated(app.path()) <= 64 << 10, "the file to be small enough");
    let reclaimed = || program.stderr().matches("reclaimed").count();
    // What it says of that comes after the hole.
    after_ticks(&program, 1);
    let before = reclaimed();
    after_ticks(&program, 1);
    assert_eq!(reclaimed(), before, "{}", program.stderr());
    streams_and_says(program, app.written());
}

#[test]
fn a_file_that_is_truncated_and_written_again_is_reclaimed_again() {
    for open in [App::appending, App::positional] {
        let dir = directory();
        let mut app = open(&dir.path().join("app.log"));
        let program = Program::on(dir.path(), &[("ROTATE_SIZE", "64Ki")]);
        for _ in 0..3 {
            app.lines(128 * KIB);
            streams(&program, app.written());
            program.expect(|| allocated(app.path()) <= 64 << 10, "the file to be small enough");
            app.truncate(0);
        }
        streams_in_all(program, app.written());
    }
}

#[test]
fn each_method_streams_every_line_once() {
    let methods = ["auto", "punch", "collapse", "copytruncate"];
    for (method, open) in
        methods.into_iter().flat_map(|method| [(method, App::appending as fn(&Path) -> _), (method, App::positional)])
    {
        let dir = directory();
        let mut app = open(&dir.path().join("app.log"));
        let program = Program::on(dir.path(), &[("ROTATE_SIZE", "64Ki"), ("ROTATE_METHOD", method)]);
        for _ in 0..8 {
            app.lines(48 * KIB);
            streams(&program, app.written());
            program.expect(|| allocated(app.path()) <= 64 << 10, &format!("{method}: the file to be small enough"));
        }
        streams_in_all(program, app.written());
    }
}

#[test]
fn a_renamed_file_is_read_until_its_writer_has_reopened_it() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let variables =
        [("ROTATE_SIZE", "64Ki"), ("ROTATE_METHOD", "rename"), ("ROTATE_KEEP", "9"), ("ROTATE_COMPRESS", "none")];
    let program = Program::on(dir.path(), &variables);
    for round in 1..=3 {
        app.lines(80 * KIB);
        streams(&program, app.written());
        program.expect(|| app.beside(&format!(".{round}")).exists(), "the file to be renamed");
        // The writer is still in the renamed file.
        app.lines(10);
        streams(&program, app.written());
        app.reopen();
    }
    app.lines(10);
    streams_in_all(program, app.written());
}

#[test]
fn what_only_seems_to_be_large_is_left_alone() {
    let dir = directory();
    let path = dir.path().join("app.log");
    let text = numbered("line", 0..1000);
    after_a_hole(&path, 20 << 30, &text);
    let program = Program::on(dir.path(), &[("ROTATE_SIZE", "64Ki")]);
    streams(&program, &text);
    after_ticks(&program, 1);
    same(&left(&path), &text);
    program.signal(Signal::HUP);
    program.expect(|| allocated(&path) <= 2 * BLOCK_BYTES as u64, "all to be reclaimed");
    streams_in_all(program, &text);
}

#[test]
fn what_was_passed_over_at_the_start_is_not_reclaimed() {
    for keep in ["0", "9"] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        app.lines(128 * KIB + 1);
        let history = app.written().len();
        let variables = [("START", "end"), ("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", keep), ("LOG", "debug")];
        let program = Program::on(dir.path(), &variables);
        program.expect(|| program.stderr().contains("following"), "it to be followed");
        app.lines(256 * KIB);
        streams(&program, &app.written()[history..]);
        program.expect(|| program.stderr().contains("reclaimed"), "what is new to be reclaimed");
        program.expect(|| allocated(app.path()) <= history as u64 + (64 << 10) + 4096, "most of it");
        let held = fs::read(app.path()).expect("there");
        same(&String::from_utf8_lossy(&held[..history]), &app.written()[..history]);
        streams_and_says(program, &app.written()[history..]);
    }
}
