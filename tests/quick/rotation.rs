//! Rotation by others, in all the ways that there are: nothing is lost, nothing is repeated, whoever rotates, however often
//! between two looks. The order of what was written is kept too: a rotated file comes before its successor.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{FallocateFlags, fallocate};

use crate::support::bounded::{run, wait_for};
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe, stalled};
use crate::support::rotator::{
    App, LINE_BYTES, after_looks, after_ticks, difference, freeze, kill_at_rest, numbered, reopened, streams,
    streams_and_says, streams_in_all, thaw,
};
use crate::support::themes::whenever::{WHENEVER, When, rotated_while};

/// Longer than any command here takes.
const COMMAND_DEADLINE: Duration = Duration::from_secs(20);

/// How long a writer keeps a renamed file.
const STAYS: Duration = Duration::from_secs(10);

/// How much the load test writes, how fast if the machine lets it, and how much into each file.
const LOAD_LINES: usize = 100_000;
const LOAD_LINES_A_SECOND: usize = 20_000;
const LOAD_LINES_A_FILE: usize = 2000;
/// More than there are rotations: what is overwritten unopened, because the machine does not let the program run for so long, is
/// lost, and is nobody's fault.
const LOAD_KEPT: usize = 100;

fn on(directory: &Path, pattern: &str) -> Program {
    Program::start(&[("PATHS", &format!("{}/{pattern}", directory.display()))])
}

/// An application has written some lines, which are streamed, and some that are not necessarily. What is done then must
/// make every line come out once, in the order of writing.
#[track_caller]
fn check(pattern: &str, opened: fn(&Path) -> App, when: When, rotations: impl FnOnce(&mut App)) {
    let dir = directory();
    let mut app = opened(&dir.path().join("app.log"));
    app.lines(40);
    let program = on(dir.path(), pattern);
    streams(&program, app.written());
    let (program, skipped) = rotated_while(when, program, &mut app, || on(dir.path(), pattern), rotations);
    streams(&program, &app.written()[skipped..]);
    app.lines(1);
    streams_in_all(program, &app.written()[skipped..]);
}

/// All three at once: they mostly wait.
fn check_whenever(pattern: &str, opened: fn(&Path) -> App, rotations: impl Fn(&mut App) + Sync) {
    whenever(|when| check(pattern, opened, when, &rotations));
}

fn whenever(check: impl Fn(When) + Sync) {
    thread::scope(|scope| {
        for when in WHENEVER {
            let check = &check;
            scope.spawn(move || {
                println!("{when:?}");
                check(when);
            });
        }
    });
}

#[test]
fn rename_and_create_keeps_every_line_and_their_order() {
    check_whenever("*.log", App::appending, |app| {
        app.rotate(&app.beside(".1"));
        app.lines(5);
    });
}

#[test]
fn a_file_renamed_before_anything_was_created_in_its_place_is_read_on() {
    check_whenever("*.log", App::appending, |app| {
        fs::rename(app.path(), app.beside(".1")).expect("renamed");
        app.lines(5);
        app.reopen();
        app.lines(5);
    });
}

#[test]
fn a_chain_whose_names_are_used_again_keeps_every_line() {
    check_whenever("*.log", App::appending, |app| {
        for _ in 0..3 {
            app.rotate_chain(3);
            app.lines(5);
        }
    });
}

#[test]
fn a_long_lived_chain_before_the_programs_eyes_keeps_every_line() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(3);
    let program = Program::on(dir.path(), &[]);
    for _ in 0..12 {
        streams(&program, app.written());
        app.lines(2);
        app.rotate_chain(3);
        app.lines(2);
    }
    streams_in_all(program, app.written());
}

#[test]
fn two_rotations_between_two_looks_lose_nothing() {
    for when in [When::Frozen, When::Down] {
        check("*.log", App::appending, when, |app| {
            for _ in 0..2 {
                app.rotate_chain(9);
                app.lines(5);
            }
        });
    }
}

#[test]
fn eight_rotations_between_two_looks_lose_nothing() {
    for when in [When::Frozen, When::Down] {
        check("*.log", App::appending, when, |app| {
            for _ in 0..8 {
                app.rotate_chain(9);
                app.lines(50);
            }
        });
    }
}

#[test]
fn rotations_between_two_looks_again_and_again_lose_nothing() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(3);
    let program = Program::on(dir.path(), &[]);
    for _ in 0..6 {
        streams(&program, app.written());
        freeze(&program);
        for _ in 0..3 {
            app.lines(2);
            app.rotate_chain(4);
        }
        app.lines(2);
        thaw(&program);
    }
    streams_in_all(program, app.written());
}

#[test]
fn more_renamed_files_than_are_kept_open_are_streamed_once_each() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(2);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    for number in 0..150 {
        app.rotate(&app.beside(&format!("-{number:08}")));
        app.lines(2);
        if number % 10 == 0 {
            streams(&program, app.written());
        }
    }
    streams(&program, app.written());
    // The oldest have been let go; all names are looked at again.
    app.rotate(&app.beside(".1"));
    app.lines(2);
    streams(&program, app.written());
    assert_eq!(difference(app.written(), &kill_at_rest(program).stdout), None);
    let before = app.written().len();
    let program = Program::on(dir.path(), &[]);
    app.rotate_chain(5);
    app.lines(2);
    streams_in_all(program, &app.written()[before..]);
}

#[test]
fn a_renamed_file_that_is_one_too_many_is_let_go_when_its_last_line_is_streamed() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    app.write("unfinished");
    // More than are kept open, and all of them have been read.
    for number in 0..150 {
        app.rotate(&app.beside(&format!("-{number:08}")));
    }
    app.lines(1);
    program.expect(|| program.stdout().lines().count() == 2, "the line in the last file");
    let mut ended: Vec<_> = program.terminate().stdout.lines().map(str::to_owned).collect();
    ended.sort_unstable();
    assert_eq!(ended.join("\n"), numbered("line", 0..2) + "unfinished");
}

#[test]
fn a_chain_that_is_renamed_without_pause_keeps_every_line_and_their_order() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    // No name is used up: what is overwritten unopened is nobody's fault.
    for _ in 0..100 {
        app.rotate_chain(100);
        app.lines(1);
    }
    streams_in_all(program, app.written());
}

#[test]
fn rotated_while_down_and_not_created_again_is_read_to_its_end() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(5);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    kill_at_rest(program);
    let before = app.written().len();
    app.lines(5);
    fs::rename(app.path(), app.beside(".1")).expect("renamed");
    let program = Program::on(dir.path(), &[]);
    streams(&program, &app.written()[before..]);
    app.reopen();
    app.lines(5);
    streams_in_all(program, &app.written()[before..]);
}

#[test]
fn rotated_files_from_before_the_first_start_are_not_streamed() {
    for is_archived_last in [false, true] {
        let dir = directory();
        let archive = || {
            for name in ["app.log.2", "app.log.1", "app.log-20260101"] {
                append(&dir.path().join(name), format!("of old in {name}\n"));
            }
        };
        if !is_archived_last {
            archive();
        }
        let mut app = App::appending(&dir.path().join("app.log"));
        app.lines(5);
        if is_archived_last {
            // An archive is the last that was created in the directory.
            archive();
        }
        let program = Program::on(dir.path(), &[]);
        streams(&program, app.written());
        app.rotate_chain(5);
        app.lines(5);
        streams_in_all(program, app.written());
    }
}

#[test]
fn a_writer_that_goes_on_in_the_renamed_file_for_10_s_loses_nothing() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(5);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    let mut late = OpenOptions::new().append(true).open(app.path()).expect("a second writer of the same file");
    let (mut expected, mut round, start) = (app.written().to_owned(), 0, Instant::now());
    app.rotate(&app.beside(".1"));
    while start.elapsed() < STAYS {
        let (of_late, before) = (numbered("late", round..round + 1), app.written().len());
        late.write_all(of_late.as_bytes()).expect("written");
        expected += &of_late;
        streams(&program, &expected);
        app.lines(1);
        expected += &app.written()[before..];
        streams(&program, &expected);
        round += 1;
    }
    // An event tells of each line, in whichever of the two files; the safety tick would be in time for five.
    assert!(round > 5, "{round} lines in {STAYS:?}");
    streams_in_all(program, &expected);
}

#[test]
fn a_writer_that_was_silent_in_the_renamed_file_for_10_s_loses_nothing() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(5);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    fs::rename(app.path(), app.beside(".1")).expect("renamed");
    append(app.path(), numbered("new!", 0..5));
    let mut expected = app.written().to_owned() + &numbered("new!", 0..5);
    streams(&program, &expected);
    // Meanwhile the safety tick asks again and again whether the renamed file has ended.
    thread::sleep(STAYS);
    let before = app.written().len();
    app.lines(5);
    expected += &app.written()[before..];
    streams(&program, &expected);
    append(app.path(), numbered("new!", 5..6));
    streams_in_all(program, &(expected + &numbered("new!", 5..6)));
}

#[test]
fn a_writer_that_was_silent_in_the_deleted_file_for_3_s_loses_nothing() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(5);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    fs::remove_file(app.path()).expect("deleted");
    // Less than the 5 s after which its disk space is reclaimed, more than one safety tick.
    thread::sleep(Duration::from_secs(3));
    app.lines(5);
    streams_in_all(program, app.written());
}

#[test]
fn an_unfinished_line_in_a_deleted_file_that_was_quiet_before_is_waited_for() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(3);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    fs::rename(app.path(), app.beside(".1")).expect("renamed");
    // Longer than a deleted file may be quiet.
    after_ticks(&program, 3);
    fs::remove_file(app.beside(".1")).expect("deleted");
    app.write("a line in");
    after_ticks(&program, 1);
    app.write(" two pieces\n");
    streams_in_all(program, app.written());
}

#[test]
fn a_file_compressed_and_deleted_while_its_reader_lags_is_read_whole() {
    let (app, found) = read_late(compress_twice);
    check_each_line_once(&app, &found);
}

#[test]
fn a_file_deleted_while_its_reader_lags_is_read_whole() {
    let (app, found) = read_late(delete);
    check_each_line_once(&app, &found);
}

#[test]
fn a_rotated_file_comes_before_its_successors_when_its_reader_lags() {
    for change in [delete as fn(&mut App, &Program), compress_twice] {
        let (app, found) = read_late(change);
        assert_eq!(difference(app.written(), &found), None);
    }
}

/// Rotation with compression: the file is gone, and its successor too, before they were read.
fn compress_twice(app: &mut App, program: &Program) {
    for _ in 0..2 {
        app.rotate(&app.beside(".1"));
        app.lines(2000);
        // A file that was deleted before it was ever opened is nobody's to read.
        program.expect(|| program.open_files().iter().any(|path| path == app.path()), "the new file to be open");
        run(Command::new("gzip").arg("--force").arg(app.beside(".1")), COMMAND_DEADLINE).expect("compressed");
        assert!(!app.beside(".1").exists() && app.beside(".1.gz").exists());
    }
}

fn delete(app: &mut App, _: &Program) {
    fs::remove_file(app.path()).expect("deleted");
    app.lines(2000);
    app.reopen();
    app.lines(2000);
}

/// Returns what comes out when nobody read stdout until all of this had happened to a file of more than a pipe can hold.
#[track_caller]
fn read_late(change: fn(&mut App, &Program)) -> (App, String) {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(20_000);
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(writer).stderr(Stdio::piped()));
    stalled(&reader);
    change(&mut app, &program);
    let (found, mut reader) = read(reader, app.written().len());
    let ended = program.terminate();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "", "more than was written");
    (app, found)
}

/// Every line that was written is there once, in whatever order.
#[track_caller]
fn check_each_line_once(app: &App, found: &str) {
    let mut lines: Vec<_> = found.split_inclusive('\n').collect();
    lines.sort_unstable();
    assert_eq!(difference(app.written(), &lines.concat()), None);
}

/// Returns so many bytes of the pipe, and the pipe, because without a reader the program would end.
#[track_caller]
fn read(reader: OwnedFd, bytes: usize) -> (String, File) {
    let reading = thread::spawn(move || {
        let (mut file, mut read) = (File::from(reader), vec![0; bytes]);
        file.read_exact(&mut read).map(|()| (read, file))
    });
    wait_for(|| reading.is_finished().then_some(()), DEADLINE).expect("as many bytes as were written");
    let (read, file) = reading.join().expect("reading does not fail").expect("as many bytes as were written");
    (String::from_utf8_lossy(&read).into_owned(), file)
}

#[test]
fn dated_names_are_rotations_too() {
    for suffixes in [
        ["-20260101", "-20260102"],
        ["-20260101-1767225600", "-20260102-1767312000"],
        [".2026-01-01", ".2026-01-02"],
        [".2026-01-01_10", ".2026-01-01_11"],
        [".20260101T000000Z", ".20260102T000000Z"],
    ] {
        check_whenever("*.log", App::appending, |app| {
            for suffix in suffixes {
                app.rotate(&app.beside(suffix));
                app.lines(5);
            }
        });
    }
}

#[test]
fn dated_names_with_the_extension_at_the_end_are_rotations_too() {
    // `*.log` matches them, `app.log` does not.
    for pattern in ["*.log", "app.log"] {
        check_whenever(pattern, App::appending, |app| {
            for date in ["2026-01-01", "2026-01-02"] {
                app.rotate(&app.path().with_file_name(format!("app-{date}.log")));
                app.lines(5);
            }
        });
    }
}

#[test]
fn a_rotated_name_that_the_glob_matches_too_is_streamed_once() {
    check_whenever("app.log*", App::appending, |app| {
        for _ in 0..3 {
            app.rotate_chain(5);
            app.lines(5);
        }
    });
}

#[test]
fn a_short_file_rotated_to_a_name_that_the_glob_matches_too_is_streamed_once() {
    // All files begin with the same line, as with a banner: a successor is no copy.
    for when in WHENEVER {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        app.write("started\n");
        let mut program = on(dir.path(), "app.log*");
        streams(&program, app.written());
        if matches!(when, When::Frozen) {
            freeze(&program);
        }
        let mut skipped = 0;
        if matches!(when, When::Down) {
            skipped = app.written().len();
            kill_at_rest(program);
            program = Program::start(&[("PATHS", "/nonexistent/*.log")]);
        }
        for _ in 0..3 {
            app.rotate_chain(5);
            app.write("started\n");
        }
        match when {
            When::Running => {}
            When::Frozen => thaw(&program),
            When::Down => program = on(dir.path(), "app.log*"),
        }
        streams(&program, &app.written()[skipped..]);
        streams_in_all(program, &app.written()[skipped..]);
    }
}

#[test]
fn copytruncate_under_an_appending_writer_keeps_every_line() {
    for pattern in ["*.log", "app.log*"] {
        check_whenever(pattern, App::appending, |app| {
            app.copytruncate(&app.beside(".1"));
            app.lines(5);
        });
    }
}

#[test]
fn copytruncate_under_a_writer_that_keeps_its_offset_skips_the_hole() {
    // The hole ends in the middle of a block, whose NULs are not the writer's.
    for pattern in ["*.log", "app.log*"] {
        check_whenever(pattern, opened_beyond_a_block, |app| {
            app.copytruncate(&app.beside(".1"));
            app.lines(5);
        });
    }
}

#[test]
fn copytruncate_under_a_writer_that_keeps_its_offset_within_the_first_block_skips_the_nuls() {
    // There is no hole then, only NULs that nobody wrote.
    for pattern in ["*.log", "app.log*"] {
        check_whenever(pattern, App::positional, |app| {
            app.copytruncate(&app.beside(".1"));
            app.lines(5);
        });
    }
}

#[test]
fn a_hole_within_an_unfinished_line_ends_it() {
    let dir = directory();
    let mut app = App::positional(&dir.path().join("app.log"));
    app.write(&"x".repeat(25 * 4096));
    let program = Program::on(dir.path(), &[]);
    app.seek(400 * 4096);
    app.write("next\n");
    app.lines(2);
    let expected = app.written().replace("xnext", "x\nnext");
    streams_in_all(program, &expected);
}

#[test]
fn a_line_before_a_hole_that_nothing_follows_is_not_ended_by_it() {
    // Space that was reserved, and is filled bit by bit.
    let dir = directory();
    let mut app = App::positional(&dir.path().join("app.log"));
    app.lines(1);
    app.write(&"x".repeat(4096 - LINE_BYTES));
    app.truncate(10 * 4096);
    let program = Program::on(dir.path(), &[]);
    streams(&program, &numbered("line", 0..1));
    app.write("y\n");
    app.lines(1);
    streams(&program, app.written());
    assert_eq!(difference(app.written(), &kill_at_rest(program).stdout), None);
}

#[test]
fn a_hole_between_lines_is_skipped_with_the_nuls_on_both_sides() {
    // Cut off in the middle of a block, or at its end, and gone on with at the old offset: all of it within one read.
    for kept in [10, 64, 100] {
        let dir = directory();
        let mut app = App::positional(&dir.path().join("app.log"));
        app.lines(200);
        app.truncate((kept * LINE_BYTES) as u64);
        app.lines(5);
        let expected = numbered("line", 0..kept) + &numbered("line", 200..205);
        let program = Program::on(dir.path(), &[]);
        streams(&program, &expected);
        app.lines(1);
        let expected = expected + &numbered("line", 205..206);
        streams_in_all(program, &expected);
    }
}

#[test]
fn copytruncate_and_many_more_lines_than_before_keep_every_line() {
    for opened in [App::appending as fn(&Path) -> App, opened_beyond_a_block] {
        check_whenever("app.log*", opened, |app| {
            app.copytruncate(&app.beside(".1"));
            app.lines(400);
        });
    }
}

#[test]
fn copytruncate_again_and_again_with_a_chain_of_copies_keeps_every_line() {
    for (opened, pattern) in [(App::appending as fn(&Path) -> App, "*.log"), (opened_beyond_a_block, "app.log*")] {
        let dir = directory();
        let mut app = opened(&dir.path().join("app.log"));
        app.lines(70);
        let program = on(dir.path(), pattern);
        for is_frozen in [false, true, false, true, true] {
            streams(&program, app.written());
            if is_frozen {
                freeze(&program);
                app.lines(70);
            }
            app.shift_chain(3);
            app.copytruncate(&app.beside(".1"));
            app.lines(70);
            thaw(&program);
        }
        streams_in_all(program, app.written());
    }
}

/// A writer without `O_APPEND` that is not at the end of a block.
fn opened_beyond_a_block(path: &Path) -> App {
    let mut app = App::positional(path);
    app.write("a first line of an odd length\n");
    app.lines(150);
    app
}

#[test]
fn what_only_the_copy_still_has_comes_out_of_the_copy_before_the_new_lines() {
    for (opened, pattern) in [
        (App::appending as fn(&Path) -> App, "*.log"),
        (App::appending, "app.log*"),
        (opened_beyond_a_block, "*.log"),
        (opened_beyond_a_block, "app.log*"),
    ] {
        // Fewer and more new lines than what had been streamed, in the order of writing.
        for (lost, new) in [(30, 3), (30, 400), (3, 45)] {
            println!("{pattern}: {lost} lines in the copy, {new} new ones");
            check(pattern, opened, When::Frozen, |app| {
                app.lines(lost);
                app.copytruncate(&app.beside(".1"));
                app.lines(new);
            });
        }
    }
}

#[test]
fn what_only_the_copy_still_has_is_found_after_a_restart() {
    for opened in [App::appending as fn(&Path) -> App, opened_beyond_a_block] {
        check("*.log", opened, When::Down, |app| {
            app.lines(30);
            app.copytruncate(&app.beside(".1"));
            app.lines(3);
        });
    }
}

#[test]
fn a_copy_whose_original_was_deleted_while_down_gives_only_what_it_alone_has() {
    check("*.log", App::appending, When::Down, |app| {
        app.lines(30);
        fs::copy(app.path(), app.beside(".1")).expect("copied");
        fs::remove_file(app.path()).expect("deleted");
        app.reopen();
        app.lines(3);
    });
}

#[test]
fn a_copy_that_is_met_before_its_original_after_a_restart_is_not_streamed_again() {
    // What was written last is met last.
    let before = SystemTime::now() - Duration::from_secs(60);
    for pattern in ["*.log", "app.log*"] {
        check(pattern, App::appending, When::Down, |app| {
            app.copytruncate(&app.beside(".1"));
            let copy = OpenOptions::new().write(true).open(app.beside(".1")).expect("the copy");
            copy.set_modified(before).expect("our own file");
            app.lines(3);
        });
    }
}

#[test]
fn an_unfinished_line_destroyed_by_a_truncation_that_leaves_a_hole_is_not_streamed_as_nuls() {
    for (streamed, next) in [(0, "the next line\n"), (0, "the next line, unfinished"), (150, "the next line\n")] {
        let dir = directory();
        let mut app = App::positional(&dir.path().join("app.log"));
        app.lines(streamed);
        let expected = app.written().to_owned() + next.trim_end() + "\n";
        let program = Program::on(dir.path(), &[("DRAIN_TIMEOUT", "30s")]);
        streams(&program, app.written());
        program.expect(|| program.open_files().iter().any(|path| path == app.path()), "the file to be followed");
        // Longer than one read: its end is looked for where it was last seen, which is where the writer goes on.
        app.write(&"y".repeat(70_000));
        // The first may be the end of a nap in which hints gather.
        after_looks(&program, 2);
        freeze(&program);
        app.truncate(0);
        app.write(next);
        thaw(&program);
        if next.ends_with('\n') {
            streams(&program, &expected);
        }
        assert_eq!(difference(&expected, &program.terminate().stdout), None);
    }
}

#[test]
fn a_line_destroyed_on_its_way_by_a_truncation_that_leaves_a_hole_ends_where_it_was_cut() {
    let dir = directory();
    let mut app = App::positional(&dir.path().join("app.log"));
    app.write(&("y".repeat(300_000) + "\n"));
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(writer).stderr(Stdio::piped()));
    stalled(&reader);
    // It sees the hole alone, never the empty file before it.
    freeze(&program);
    app.truncate(0);
    app.write("the next line\n");
    thaw(&program);
    let reading = thread::spawn(move || std::io::read_to_string(File::from(reader)));
    let ended = program.terminate();
    // What was seen and is a hole now was destroyed; nothing else is said.
    let is_loss = |line: &str| line.contains("cannot stream") || line.contains("were destroyed");
    assert!(ended.status.success() && ended.stderr.lines().all(is_loss), "{ended:?}");
    let found = reading.join().expect("reading does not fail").expect("text");
    assert_eq!(difference("\nthe next line\n", found.trim_start_matches('y')), None);
}

#[test]
fn a_line_of_nuls_destroyed_on_its_way_by_a_truncation_that_leaves_a_hole_ends_where_it_was_cut() {
    let dir = directory();
    let mut app = App::positional(&dir.path().join("app.log"));
    app.write(&("\0".repeat(300_000) + "\n"));
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(writer).stderr(Stdio::piped()));
    stalled(&reader);
    // It sees the hole alone, never the empty file before it.
    freeze(&program);
    app.truncate(0);
    app.write("the next line\n");
    thaw(&program);
    let reading = thread::spawn(move || std::io::read_to_string(File::from(reader)));
    let ended = program.terminate();
    // What was seen and is a hole now was destroyed; nothing else is said.
    let is_loss = |line: &str| line.contains("cannot stream") || line.contains("were destroyed");
    assert!(ended.status.success() && ended.stderr.lines().all(is_loss), "{ended:?}");
    let found = reading.join().expect("reading does not fail").expect("text");
    assert_eq!(difference("\nthe next line\n", found.trim_start_matches('\0')), None);
    assert!(found.len() < 200_000, "{} bytes, most of them nobody's", found.len());
}

#[test]
fn a_copy_that_lacks_what_was_streamed_while_it_was_made_is_not_streamed() {
    for (opened, pattern, is_behind_hole) in [
        (App::appending as fn(&Path) -> App, "*.log", false),
        (App::appending, "app.log*", false),
        (opened_beyond_a_block, "*.log", true),
        (opened_beyond_a_block, "app.log*", true),
    ] {
        let dir = directory();
        let mut app = opened(&dir.path().join("app.log"));
        app.lines(40);
        let program = on(dir.path(), pattern);
        streams(&program, app.written());
        if is_behind_hole {
            app.truncate(0);
            app.lines(40);
            streams(&program, app.written());
        }
        let copied = fs::read(app.path()).expect("readable");
        app.lines(1);
        streams(&program, app.written());
        freeze(&program);
        fs::write(app.beside(".1"), copied).expect("written");
        app.truncate(0);
        app.lines(2);
        thaw(&program);
        streams_in_all(program, app.written());
    }
}

#[test]
fn a_copy_that_a_killed_process_had_not_met_yet_is_not_streamed() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(40);
    let program = on(dir.path(), "*.log");
    streams(&program, app.written());
    kill_at_rest(program);
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a directory");
    app.copytruncate(&elsewhere.join("app.log.1"));
    // It knows that the file was truncated, but has not come to the copy when it is killed.
    let program = on(dir.path(), "*.log");
    after_looks(&program, 1);
    kill_at_rest(program);
    fs::rename(elsewhere.join("app.log.1"), app.beside(".1")).expect("renamed");
    app.lines(2);
    streams_in_all(on(dir.path(), "*.log"), &numbered("line", 40..42));
}

/// Between two looks a file is created, or begun anew, and copied; what it holds is read only then. The copy is not.
#[track_caller]
fn check_copied_before_it_was_read(pattern: &str, opened: fn(&Path) -> App, begin: impl FnOnce(&mut App)) {
    let dir = directory();
    let mut app = opened(&dir.path().join("app.log"));
    app.lines(40);
    let program = on(dir.path(), pattern);
    streams(&program, app.written());
    freeze(&program);
    begin(&mut app);
    app.lines(40);
    fs::copy(app.path(), app.beside(".1")).expect("copied");
    thaw(&program);
    streams(&program, app.written());
    app.truncate(0);
    app.lines(2);
    streams_in_all(program, app.written());
}

#[test]
fn a_copy_of_a_new_file_of_which_nothing_was_read_yet_is_not_streamed() {
    for pattern in ["*.log", "app.log*"] {
        check_copied_before_it_was_read(pattern, App::appending, |app| app.rotate(&app.beside(".2")));
    }
}

#[test]
fn a_copy_of_a_truncated_file_of_which_nothing_was_read_since_is_not_streamed() {
    for pattern in ["*.log", "app.log*"] {
        check_copied_before_it_was_read(pattern, App::appending, |app| app.truncate(0));
        check_copied_before_it_was_read(pattern, opened_beyond_a_block, |app| app.truncate(0));
    }
}

#[test]
fn a_copy_of_a_file_that_had_another_name_first_is_not_streamed() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(40);
    let program = on(dir.path(), "*.log");
    streams(&program, app.written());
    fs::rename(app.path(), app.beside(".2")).expect("renamed");
    after_looks(&program, 2);
    freeze(&program);
    let (first, second) = (dir.path().join("new"), dir.path().join("app-16.log"));
    let text = numbered("new", 0..40);
    fs::write(&first, &text).expect("written");
    fs::hard_link(&first, &second).expect("a second name");
    fs::rename(&first, app.path()).expect("renamed");
    thaw(&program);
    let all = app.written().to_owned() + &text;
    streams(&program, &all);
    fs::remove_file(second).expect("removed");
    after_looks(&program, 1);
    app.copytruncate(&app.beside(".1"));
    append(app.path(), "the next line\n");
    streams_in_all(program, &(all + "the next line\n"));
}

#[test]
fn each_copy_has_its_own_time_to_be_made_in() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(100);
    let program = on(dir.path(), "app.log*");
    streams(&program, app.written());
    let copy_slowly = || {
        File::create_new(app.beside(".1")).expect("created");
        // The first may be the end of a nap in which hints gather.
        after_looks(&program, 2);
        append(&app.beside(".1"), fs::read(app.path()).expect("readable"));
        after_looks(&program, 1);
    };
    copy_slowly();
    // Longer than a copy may be in the making.
    after_ticks(&program, 3);
    app.shift_chain(2);
    copy_slowly();
    streams_in_all(program, app.written());
}

#[test]
fn nul_bytes_that_somebody_wrote_are_streamed() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.write("\0\0first\0\n");
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    app.write(&format!("{}\n", "\0".repeat(10_000)));
    app.write("\0\n\0\0\n");
    streams(&program, app.written());
    // More than one read, and beginning at a block's edge.
    let filling = 4096 - app.written().len() % 4096 - 1;
    app.write(&format!("{}\n{}x\n", "y".repeat(filling), "\0".repeat(200_000)));
    streams_in_all(program, app.written());
}

#[test]
fn the_nuls_of_a_holes_last_block_end_where_the_writer_began() {
    let dir = directory();
    let mut app = App::positional(&dir.path().join("app.log"));
    // One block, so that the hole begins where the lines end.
    app.lines(4096 / LINE_BYTES);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    app.seek(3 * 4096 + 1000);
    app.write("a\0b\0\n");
    // NULs behind the first byte are the writer's, in this block and in later ones.
    app.write(&format!("\0\0c{}\n", "\0".repeat(5000)));
    streams(&program, app.written());
    app.lines(1);
    streams_in_all(program, app.written());
}

#[test]
fn a_copy_in_the_making_is_not_streamed() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(400);
    let program = on(dir.path(), "app.log*");
    streams(&program, app.written());
    let bytes = app.written().as_bytes().to_owned();
    for piece in bytes.chunks(bytes.len() / 8 + 1) {
        append(&app.beside(".1"), piece);
        after_looks(&program, 1);
    }
    app.truncate(0);
    app.lines(5);
    streams_in_all(program, app.written());
}

#[test]
fn a_copy_that_stays_is_not_streamed_though_its_original_goes_on() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(100);
    let program = on(dir.path(), "app.log*");
    streams(&program, app.written());
    fs::copy(app.path(), app.beside(".1")).expect("copied");
    after_looks(&program, 1);
    app.lines(5);
    streams(&program, app.written());
    // Longer than a copy may be in the making: five ticks, and a look at everything.
    after_ticks(&program, 5);
    fs::create_dir(dir.path().join("another")).expect("a directory");
    streams_in_all(program, app.written());
}

#[test]
fn a_file_that_only_begins_like_another_is_streamed() {
    // The same first lines, and then others: a file of its own, whatever its name.
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(100);
    let program = on(dir.path(), "app.log*");
    streams(&program, app.written());
    let other = app.written()[..50 * LINE_BYTES].to_owned() + &numbered("other", 0..60);
    let start = Instant::now();
    append(&app.beside(".1"), &other);
    streams(&program, &(app.written().to_owned() + &other));
    // It is not waited for until it could no longer become a copy, which is 5 s.
    assert!(start.elapsed() < Duration::from_secs(5), "after {:?}", start.elapsed());
    streams_in_all(program, &(app.written().to_owned() + &other));
}

/// 700 lines are 44,800 bytes: 10 blocks of 4 KiB and 3,840 bytes.
const PUNCHED_LINES: usize = 700;

#[test]
fn a_hole_punched_over_whole_blocks_repeats_nothing() {
    check_punched(PUNCHED_LINES, 0, 40_960);
    check_punched(PUNCHED_LINES, 4096, 8192);
}

#[test]
fn a_hole_punched_over_parts_of_blocks_repeats_nothing() {
    check_punched(PUNCHED_LINES, 0, 30_000);
    check_punched(PUNCHED_LINES, 5000, 44_000);
}

#[test]
fn a_hole_punched_over_a_part_of_the_head_repeats_nothing() {
    check_punched(PUNCHED_LINES, 100, 30_000);
}

#[test]
fn a_hole_punched_over_a_part_of_the_last_bytes_repeats_nothing() {
    for to in [44_600, 44_700, 44_750, 44_799] {
        check_punched(PUNCHED_LINES, 0, to);
        check_punched(PUNCHED_LINES, 8192, to);
    }
}

#[test]
fn a_hole_punched_up_to_the_offset_repeats_nothing() {
    check_punched(PUNCHED_LINES, 0, 44_800);
    check_punched(PUNCHED_LINES, 8192, 44_800);
}

#[test]
fn a_hole_punched_over_whole_blocks_up_to_the_offset_repeats_nothing() {
    check_punched(640, 0, 40_960);
    check_punched(640, 36_864, 40_960);
}

/// Punches a hole into what was streamed of a file of so many lines; only what is appended then is streamed.
fn check_punched(lines: usize, from: u64, to: u64) {
    println!("{from}..{to}");
    whenever(|when| check_punched_when(lines, from, to, when));
}

#[track_caller]
fn check_punched_when(lines: usize, from: u64, to: u64, when: When) {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(lines);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    let punch = |app: &mut App| {
        punch(app.path(), from, to);
        app.lines(5);
    };
    if matches!(when, When::Down) {
        let before = app.written().len();
        kill_at_rest(program);
        punch(&mut app);
        return streams_in_all(Program::on(dir.path(), &[]), &app.written()[before..]);
    }
    if matches!(when, When::Frozen) {
        freeze(&program);
    }
    punch(&mut app);
    thaw(&program);
    streams_in_all(program, app.written());
}

/// What `fallocate --punch-hole` does.
fn punch(path: &Path, from: u64, to: u64) {
    let file = OpenOptions::new().write(true).open(path).expect("a writable file");
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    fallocate(&file, flags, from, to - from).expect("a file system that can punch holes");
}

#[test]
fn a_link_swapped_to_a_new_file_leads_to_both() {
    for when in WHENEVER {
        println!("{when:?}");
        let dir = directory();
        let real = |number: usize| dir.path().join(format!("real-{number}.txt"));
        symlink("real-1.txt", dir.path().join("app.log")).expect("a link");
        let mut expected = numbered("1", 0..10);
        append(&real(1), &expected);
        let program = Program::on(dir.path(), &[]);
        streams(&program, &expected);
        let swap = |expected: &mut String| {
            append(&real(1), numbered("1", 10..15));
            append(&real(2), numbered("2", 0..10));
            swap_link(&dir.path().join("app.log"), Path::new("real-2.txt"));
            *expected += &(numbered("1", 10..15) + &numbered("2", 0..10));
        };
        match when {
            When::Running => swap(&mut expected),
            When::Frozen => {
                freeze(&program);
                swap(&mut expected);
                thaw(&program);
            }
            When::Down => {
                // Nothing leads to the first file any more, but it is where it was.
                kill_at_rest(program);
                swap(&mut expected);
                streams_in_all(Program::on(dir.path(), &[]), &expected[10 * LINE_BYTES..]);
                continue;
            }
        }
        streams(&program, &expected);
        // Its writer goes on in the old one, others in the new one.
        append(&real(1), numbered("1", 15..16));
        expected += &numbered("1", 15..16);
        streams(&program, &expected);
        append(&real(2), numbered("2", 10..11));
        streams_in_all(program, &(expected + &numbered("2", 10..11)));
    }
}

/// Puts a new link in the place of another, at once.
fn swap_link(link: &Path, target: &Path) {
    let next = link.with_file_name("next.tmp");
    symlink(target, &next).unwrap_or_else(|error| panic!("{} to {}: {error}", next.display(), target.display()));
    fs::rename(next, link).expect("renamed");
}

#[test]
fn the_swap_of_a_kubernetes_volume_leads_to_the_new_files() {
    for is_frozen in [false, true] {
        let dir = directory();
        let version = |number: usize| dir.path().join(format!("..2026_01_0{number}_00_00_00.1"));
        let publish = |number: usize, text: &str| {
            fs::create_dir(version(number)).expect("a directory");
            append(&version(number).join("app.log"), text);
            swap_link(&dir.path().join("..data"), Path::new(version(number).file_name().expect("a name")));
        };
        publish(1, &numbered("1", 0..10));
        symlink("..data/app.log", dir.path().join("app.log")).expect("a link");
        let program = Program::on(dir.path(), &[]);
        streams(&program, &numbered("1", 0..10));
        if is_frozen {
            freeze(&program);
        }
        append(&version(1).join("app.log"), numbered("1", 10..15));
        publish(2, &numbered("2", 0..10));
        fs::remove_dir_all(version(1)).expect("removed");
        thaw(&program);
        let expected = numbered("1", 0..15) + &numbered("2", 0..10);
        streams(&program, &expected);
        append(&version(2).join("app.log"), numbered("2", 10..11));
        streams_in_all(program, &(expected + &numbered("2", 10..11)));
    }
}

#[test]
fn a_second_name_given_and_the_first_taken_away_is_still_the_same_file() {
    check_whenever("*.log", App::appending, |app| {
        let second = app.path().with_file_name("second.log");
        fs::hard_link(app.path(), &second).expect("a second name");
        app.lines(5);
        fs::remove_file(app.path()).expect("removed");
        app.lines(5);
        fs::hard_link(&second, app.path()).expect("the first name again");
        app.lines(5);
    });
}

#[test]
fn a_directory_renamed_away_and_created_again_loses_nothing() {
    // The second pattern matches the renamed directory too.
    for pattern in ["a/*.log", "*/*.log"] {
        for is_frozen in [false, true] {
            println!("{pattern}, {is_frozen}");
            let dir = directory();
            let (a, b) = (dir.path().join("a"), dir.path().join("b"));
            fs::create_dir(&a).expect("a directory");
            let mut app = App::appending(&a.join("app.log"));
            app.lines(10);
            let program = on(dir.path(), pattern);
            streams(&program, app.written());
            if is_frozen {
                freeze(&program);
            }
            app.lines(5);
            fs::rename(&a, &b).expect("renamed");
            app.lines(5);
            fs::create_dir(&a).expect("a directory");
            thaw(&program);
            streams(&program, app.written());
            append(&a.join("app.log"), numbered("new!", 0..5));
            let expected = app.written().to_owned() + &numbered("new!", 0..5);
            streams(&program, &expected);
            // The writer did not notice, and goes on.
            app.lines(1);
            let expected = expected + &app.written()[app.written().len() - LINE_BYTES..];
            streams(&program, &expected);
            append(&a.join("app.log"), numbered("new!", 5..6));
            let said = streams_and_says(program, &(expected + &numbered("new!", 5..6))).stderr;
            // The checkpoint may have gone with the directory; then it is made again.
            assert!(said.lines().all(|line| line.contains("was deleted or replaced; creating it again")), "{said}");
        }
    }
}

/// Writes at a steady rate, rotates at a steady rate, and tells what was written.
struct Load {
    path: PathBuf,
    file: File,
    count: usize,
}

impl Load {
    fn run(path: PathBuf) -> usize {
        let file = OpenOptions::new().create(true).append(true).open(&path).expect("a writable file");
        let mut load = Self { path, file, count: 0 };
        let (start, mut next) = (Instant::now(), LOAD_LINES_A_FILE);
        while load.count < LOAD_LINES {
            let due = (start.elapsed().as_secs_f64() * LOAD_LINES_A_SECOND as f64) as usize;
            load.write_up_to(due.clamp(load.count, next));
            if load.count == next {
                next += LOAD_LINES_A_FILE;
                load.rotate();
            }
            // The writer's own pace, not a wait for anybody.
            thread::sleep(Duration::from_millis(2));
        }
        load.count
    }

    fn write_up_to(&mut self, count: usize) {
        let text = numbered("load", self.count..count);
        self.file.write_all(text.as_bytes()).expect("written");
        self.count = count;
    }

    /// The chain goes on by one; some lines still go to the renamed file before the path is opened again.
    fn rotate(&mut self) {
        let name = |number: usize| PathBuf::from(format!("{}.{number}", self.path.display()));
        for number in (1..LOAD_KEPT).rev().filter(|number| name(*number).exists()) {
            fs::rename(name(number), name(number + 1)).expect("renamed");
        }
        fs::rename(&self.path, name(1)).expect("renamed");
        self.write_up_to(self.count + 10);
        // A writer that lags must not make two files of the same time: which of them is older would be known to nobody.
        self.file = reopened(&self.path, &self.file);
    }
}

#[test]
fn twenty_thousand_lines_and_ten_rotations_a_second_lose_repeat_and_tear_nothing() {
    let dir = directory();
    let program = Program::on(dir.path(), &[]);
    let path = dir.path().join("app.log");
    // What is rotated before the first look of all is history.
    append(&path, "");
    program.expect(|| program.open_files().contains(&path), "the file to be followed");
    let count = thread::spawn(move || Load::run(path)).join().expect("the writer does not fail");
    // What is lost never comes: then this is where it is told how much.
    wait_for(|| (program.stdout().len() >= count * LINE_BYTES).then_some(()), DEADLINE);
    let ended = program.terminate();
    let mut lines: Vec<_> = ended.stdout.split_inclusive('\n').collect();
    lines.sort_unstable();
    assert_eq!(difference(&numbered("load", 0..count), &lines.concat()), None, "in the order of their numbers");
    assert_eq!(difference(&numbered("load", 0..count), &ended.stdout), None, "in the order of writing");
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_file_that_begins_with_a_hole_is_no_copy_of_another_that_does() {
    let dir = directory();
    let path = dir.path().join("app.log");
    let mut elder = App::positional(&path);
    elder.lines(700);
    let program = Program::on(dir.path(), &[]);
    streams(&program, elder.written());
    elder.truncate(0);
    elder.lines(300);
    streams(&program, elder.written());
    fs::remove_file(&path).expect("deleted");
    freeze(&program);
    let mut app = App::positional(&path);
    // Destroyed before anybody could read it.
    app.lines(600);
    app.truncate(0);
    app.write("an unfinished line behind a hole");
    fs::rename(&path, dir.path().join("app.log-20260101")).expect("renamed");
    append(&path, "");
    thaw(&program);
    let expected = elder.written().to_owned() + "an unfinished line behind a hole\n";
    assert_eq!(difference(&expected, &program.terminate().stdout), None);
}
