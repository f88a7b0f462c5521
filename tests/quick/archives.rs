//! Archives of what is reclaimed: together with the live file they hold every byte once.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe, stalled};
use crate::support::room::{archives, archives_apart, held, holds_all, left, size, unpacked};
use crate::support::rotator::{
    App, after_ticks, difference, kill_at_rest, numbered, streams, streams_and_says, streams_in_all,
};
use crate::support::themes::archives::{KEEP_ALL, KIB, and, names, settle};

/// Returns the names of a log's archives, newest first.
fn archive_names(path: &Path) -> Vec<String> {
    let name = |archive: &Path| archive.file_name().expect("a name").to_string_lossy().into_owned();
    archives(path).iter().rev().map(|archive| name(archive)).collect()
}

#[test]
fn archives_and_the_live_file_hold_every_byte_once() {
    let openers = [App::appending as fn(&Path) -> App, App::positional];
    for (compress, open) in ["gzip", "none"].into_iter().flat_map(|compress| openers.map(|open| (compress, open))) {
        let dir = directory();
        let mut app = open(&dir.path().join("app.log"));
        let program = Program::on(dir.path(), &and(&KEEP_ALL, &[("ROTATE_COMPRESS", compress)]));
        for count in [100, 1, 200, 50, 400, 3] {
            app.lines(count * KIB);
            app.write("one of another length, so that lines end within blocks\n");
            streams(&program, app.written());
            settle(&program, app.path());
            holds_all(app.path(), app.written());
        }
        for archive in archives(app.path()) {
            let text = unpacked(&archive);
            assert!(text.ends_with('\n') && text.len() <= 64 << 10, "{}: {} bytes", archive.display(), text.len());
        }
        streams_in_all(program, app.written());
        holds_all(app.path(), app.written());
    }
}

#[test]
fn only_as_many_are_kept_as_asked_for() {
    for (compress, suffix) in [("gzip", ".gz"), ("none", "")] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let variables = [("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "2"), ("ROTATE_COMPRESS", compress)];
        let program = Program::on(dir.path(), &variables);
        for _ in 0..5 {
            app.lines(100 * KIB);
            streams(&program, app.written());
            settle(&program, app.path());
        }
        let expected = [format!("app.log.1{suffix}"), format!("app.log.2{suffix}")];
        assert_eq!(archive_names(app.path()), expected);
        let mut all = vec![".sidetail".to_owned(), "app.log".to_owned()];
        all.extend(expected);
        assert_eq!(names(app.path()), all);
        // The newest ones, without a gap.
        let held: String = archives(app.path()).iter().map(|archive| unpacked(archive)).collect();
        assert!(app.written().ends_with(&(held + &left(app.path()))), "what is kept is the end of what was written");
        streams_in_all(program, app.written());
    }
}

#[test]
fn archives_are_never_streamed() {
    for compress in ["gzip", "none"] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let paths = format!("{}/*", dir.path().display());
        let variables = and(&KEEP_ALL, &[("PATHS", &paths), ("ROTATE_COMPRESS", compress)]);
        let mut program = Program::start(&variables);
        for _ in 0..2 {
            app.lines(200 * KIB);
            streams(&program, app.written());
            settle(&program, app.path());
        }
        streams(&program, app.written());
        // Nor by the next process.
        kill_at_rest(program);
        let before = app.written().len();
        program = Program::start(&variables);
        app.lines(100 * KIB);
        streams(&program, &app.written()[before..]);
        settle(&program, app.path());
        holds_all(app.path(), app.written());
        streams_in_all(program, &app.written()[before..]);
    }
}

#[test]
fn archives_are_not_streamed_when_the_state_is_gone() {
    for method in ["punch", "copytruncate"] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let paths = format!("{}/*", dir.path().display());
        let variables = and(&KEEP_ALL, &[("PATHS", &paths), ("ROTATE_COMPRESS", "none"), ("ROTATE_METHOD", method)]);
        for round in 0..2 {
            let program = Program::start(&variables);
            let kept = left(app.path());
            streams(&program, &kept);
            let before = app.written().len();
            app.lines(200 * KIB);
            streams(&program, &(kept + &app.written()[before..]));
            settle(&program, app.path());
            kill_at_rest(program);
            let all = [archives(app.path()), archives_apart(app.path())].concat();
            assert!(all.len() > round, "{method}: {:?}", names(app.path()));
            fs::remove_dir_all(dir.path().join(".sidetail")).expect("there");
        }
        // What is written to one, or has its name, is streamed.
        let archive = archives(app.path()).pop().expect("an archive");
        fs::copy(&archive, app.beside(".200")).expect("copied");
        append(&archive, "one more\n");
        let more = unpacked(&archive).len() + unpacked(&app.beside(".200")).len();
        let program = Program::start(&variables);
        program.expect(|| program.stdout_bytes() == left(app.path()).len() + more, "the rest, and two more files");
        program.terminate();
    }
}

#[test]
fn what_is_too_old_is_deleted() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, "a line\n");
    let day = Duration::from_secs(24 * 3600);
    for (name, age) in [
        ("app.log.sidetail.1.gz", 1),
        ("app.log.sidetail.2.gz", 6),
        ("app.log.sidetail.3.gz", 8),
        ("app.log.sidetail.4.gz", 30),
        ("app.log.9.gz", 30),
        ("else.gz", 30),
    ] {
        fs::write(dir.path().join(name), "an archive").expect("written");
        let file = fs::File::options().write(true).open(dir.path().join(name)).expect("there");
        file.set_modified(SystemTime::now() - day * age).expect("our own file");
    }
    let variables = [("ROTATE_SIZE", "1Gi"), ("ROTATE_KEEP", "9"), ("ROTATE_MAX_AGE", "168h")];
    let program = Program::on(dir.path(), &variables);
    streams(&program, "a line\n");
    program.expect(|| archives_apart(&path).len() <= 2, "two to be deleted");
    let is_there = |name: &str| dir.path().join(name).exists();
    assert!(is_there("app.log.sidetail.1.gz") && is_there("app.log.sidetail.2.gz"));
    assert!(is_there("else.gz") && is_there("app.log.9.gz"), "what is not ours stays");
    streams_in_all(program, "a line\n");
}

#[test]
fn at_sighup_all_whole_lines_are_archived() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let program = Program::on(dir.path(), &[("ROTATE_SIZE", "1Gi"), ("ROTATE_KEEP", "100")]);
    for (round, count) in [10, 1000, 100, 3000].into_iter().enumerate() {
        app.lines(count);
        streams(&program, app.written());
        program.signal(Signal::HUP);
        program.expect(|| archives(app.path()).len() == round + 1, "an archive");
        // All but the lines with the marker, which is 128 bytes long.
        program.expect(|| left(app.path()).len() <= 128, "the file to be reclaimed");
        holds_all(app.path(), app.written());
    }
    streams_in_all(program, app.written());
}

#[test]
fn when_it_is_time_all_whole_lines_are_archived() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    // Looked at by the safety tick only, every 2 s.
    let program = Program::on(dir.path(), &[("ROTATE_INTERVAL", "1s"), ("ROTATE_KEEP", "100")]);
    for _ in 0..2 {
        app.lines(1000);
        streams(&program, app.written());
        program.expect(|| left(app.path()).len() <= 128, "the file to be reclaimed");
        holds_all(app.path(), app.written());
    }
    streams_in_all(program, app.written());
}

#[test]
fn nothing_to_archive_makes_no_archive() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let program = Program::on(dir.path(), &[("ROTATE_SIZE", "1Gi"), ("ROTATE_KEEP", "100")]);
    app.lines(1000);
    for _ in 0..3 {
        streams(&program, app.written());
        program.signal(Signal::HUP);
        program.expect(|| left(app.path()).len() <= 128, "the file to be reclaimed");
    }
    app.write("unfinished");
    program.signal(Signal::HUP);
    program.signal(Signal::USR1);
    program.expect(|| program.stderr().contains(" 10 unread,"), "the status");
    assert_eq!(archive_names(app.path()), ["app.log.1.gz"]);
    app.write("\n");
    streams_and_says(program, app.written());
}

#[test]
fn a_line_that_is_longer_than_an_archive_is_cut_between_two() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let program = Program::on(dir.path(), &KEEP_ALL);
    app.lines(10);
    app.write(&("x".repeat(200_000) + "\n"));
    app.lines(10);
    streams(&program, app.written());
    settle(&program, app.path());
    app.lines(100 * KIB);
    streams(&program, app.written());
    settle(&program, app.path());
    holds_all(app.path(), app.written());
    streams_in_all(program, app.written());
}

/// Files of an application that numbers its own, beside a log with archives of ours.
#[track_caller]
fn check_beside_others(others: &[&str], variables: &[(&str, &str)], is_later: bool) {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let variables = and(&[("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "2")], variables);
    let write_others = || {
        for name in others {
            fs::write(dir.path().join(name), format!("theirs: {name}\n")).expect("written");
        }
    };
    if !is_later {
        write_others();
    }
    for round in 0..3 {
        // Each life knows of the ones before what is ours.
        let program = Program::on(dir.path(), &variables);
        for _ in 0..3 {
            let before = app.written().len();
            app.lines(100 * KIB);
            program.expect(|| program.stdout().ends_with(&app.written()[before..]), "what is new");
            settle(&program, app.path());
        }
        if round == 0 && is_later {
            assert!(program.stderr().is_empty(), "{}", program.stderr());
            write_others();
        }
        let ended = program.terminate();
        let warnings =
            ended.stderr.lines().filter(|line| line.contains("another program numbers the files of")).count();
        assert_eq!((ended.stderr.lines().count(), warnings), if round == 0 && is_later { (0, 0) } else { (1, 1) });
    }
    for name in others {
        let now = fs::read_to_string(dir.path().join(name)).expect("it is still there");
        assert_eq!(now, format!("theirs: {name}\n"), "{others:?}, {variables:?}");
    }
    assert_eq!(archives_apart(app.path()).len(), 2, "{others:?}, {variables:?}: {:?}", names(app.path()));
    // None of ours is left with a plain name.
    assert_eq!(archives(app.path()).len(), others.len(), "{others:?}, {variables:?}: {:?}", names(app.path()));
    let apart: String = archives_apart(app.path()).iter().map(|archive| unpacked(archive)).collect();
    assert!(app.written().ends_with(&(apart + &left(app.path()))), "{others:?}, {variables:?}");
}

#[test]
fn files_that_the_application_numbers_are_neither_moved_nor_deleted_nor_written_over() {
    for is_later in [false, true] {
        check_beside_others(&["app.log.3", "app.log.4"], &[("ROTATE_COMPRESS", "none")], is_later);
        check_beside_others(&["app.log.7.gz"], &[], is_later);
    }
    check_beside_others(&["app.log.1", "app.log.2.gz"], &[], false);
    check_beside_others(&["app.log.1", "app.log.2"], &[("ROTATE_METHOD", "copytruncate")], false);
}

#[test]
fn a_renamed_log_takes_no_name_of_the_applications() {
    for (keep, compress) in [("0", "gzip"), ("2", "gzip"), ("2", "none")] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        fs::write(dir.path().join("app.log.1"), "theirs\n").expect("written");
        let variables = [
            ("ROTATE_SIZE", "64Ki"),
            ("ROTATE_METHOD", "rename"),
            ("ROTATE_KEEP", keep),
            ("ROTATE_COMPRESS", compress),
        ];
        let program = Program::on(dir.path(), &variables);
        app.lines(100 * KIB);
        streams(&program, app.written());
        program.expect(|| dir.path().join("app.log.sidetail.1").exists(), "it to be renamed");
        assert_eq!(fs::read_to_string(dir.path().join("app.log.1")).expect("there"), "theirs\n");
        let ended = program.terminate();
        assert_eq!(ended.stderr.matches("another program numbers the files of").count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn check_says_that_another_program_numbers_the_files() {
    let dir = directory();
    fs::write(dir.path().join("app.log"), "line\n").expect("written");
    fs::write(dir.path().join("app.log.1"), "theirs\n").expect("written");
    let paths = dir.path().join("*.log").display().to_string();
    for (keep, expected) in [("3", 1), ("0", 0)] {
        let variables = [("PATHS", paths.as_str()), ("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", keep)];
        let output = command(&variables).arg("check").output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let found = text.matches("app.log.1 is not sidetail's").count();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn rotated_files_of_an_application_that_numbers_them_are_streamed_beside_plain_archives() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let variables = [("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "3"), ("ROTATE_COMPRESS", "none"), ("LOG", "error")];
    let program = Program::on(dir.path(), &variables);
    app.lines(100 * KIB);
    streams(&program, app.written());
    settle(&program, app.path());
    for _ in 0..3 {
        app.lines(5);
        app.rotate(&app.beside(".7"));
        app.lines(5);
        streams(&program, app.written());
    }
    streams_in_all(program, app.written());
}

#[test]
fn after_a_restart_archives_go_on_where_they_ended() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let mut before = 0;
    for _ in 0..4 {
        let program = Program::on(dir.path(), &KEEP_ALL);
        app.lines(90 * KIB);
        streams(&program, &app.written()[before..]);
        settle(&program, app.path());
        kill_at_rest(program);
        before = app.written().len();
        holds_all(app.path(), app.written());
    }
}

#[test]
fn a_small_file_that_was_archived_is_still_known_after_a_restart() {
    // Less than a block was reclaimed, so there is no hole to know that by.
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let variables = [("ROTATE_SIZE", "1Gi"), ("ROTATE_KEEP", "100")];
    let mut before = 0;
    for count in [10, 5, 1000, 1] {
        let program = Program::on(dir.path(), &variables);
        app.lines(count);
        streams(&program, &app.written()[before..]);
        program.signal(Signal::HUP);
        program.expect(|| left(app.path()).len() <= 128, "the file to be reclaimed");
        kill_at_rest(program);
        before = app.written().len();
    }
    holds_all(app.path(), app.written());
}

/// Less than a block was reclaimed, so NULs are in its place, which are no hole: somebody else's copy has them, too.
#[test]
fn of_a_copy_of_what_was_archived_no_nuls_are_streamed_or_archived() {
    for (count, is_deleted) in [(20, false), (5, false), (20, true), (5, true)] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let variables = [("ROTATE_SIZE", "1Gi"), ("ROTATE_KEEP", "100")];
        let program = Program::on(dir.path(), &variables);
        app.lines(count);
        streams(&program, app.written());
        program.signal(Signal::HUP);
        program.expect(|| left(app.path()).len() <= 128, "the file to be reclaimed");
        kill_at_rest(program);
        let before = app.written().len();
        app.lines(30);
        let (copy, copied) = (dir.path().join("app-1.log"), app.written().to_owned());
        app.copytruncate(&copy);
        if is_deleted {
            fs::remove_file(app.path()).expect("there");
            app.reopen();
        }
        app.lines(1);
        let program = Program::on(dir.path(), &variables);
        streams(&program, &app.written()[before..]);
        program.signal(Signal::HUP);
        program.expect(|| left(&copy).len() <= 128, "the copy to be reclaimed");
        streams_in_all(program, &app.written()[before..]);
        let archived: String = archives(app.path()).iter().map(|archive| unpacked(archive)).collect();
        assert_eq!(difference(&copied, &(archived + &held(&copy))), None, "{count} lines, deleted: {is_deleted}");
    }
}

#[test]
fn copytruncate_keeps_what_was_streamed_in_archives() {
    for compress in ["gzip", "none"] {
        let dir = directory();
        let mut app = App::appending(&dir.path().join("app.log"));
        let variables = and(&KEEP_ALL, &[("ROTATE_METHOD", "copytruncate"), ("ROTATE_COMPRESS", compress)]);
        let program = Program::on(dir.path(), &variables);
        for _ in 0..4 {
            app.lines(100 * KIB);
            streams(&program, app.written());
            settle(&program, app.path());
            // What was archived is punched first, and the rest then added to the archive, in place, and truncated.
            program.expect(|| size(app.path()) <= 64 << 10, "the truncation");
        }
        holds_all(app.path(), app.written());
        streams_in_all(program, app.written());
    }
}

#[test]
fn each_of_many_files_has_its_own_archives() {
    let dir = directory();
    let text = |number: usize| numbered(&format!("file {number:02}"), 0..100 * KIB);
    let paths: Vec<_> = (0..10).map(|number| dir.path().join(format!("{number}.log"))).collect();
    paths.iter().enumerate().for_each(|(number, path)| append(path, text(number)));
    let program = Program::on(dir.path(), &KEEP_ALL);
    paths.iter().for_each(|path| settle(&program, path));
    paths.iter().enumerate().for_each(|(number, path)| holds_all(path, &text(number)));
    let ended = program.terminate();
    assert_eq!((ended.stdout.len(), ended.stderr.as_str()), (10 * text(0).len(), ""));
}

#[test]
fn what_has_a_date_for_a_number_is_no_archive() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let history = dir.path().join("app.log.20251231");
    fs::write(&history, "before its time\n").expect("written");
    let variables = [("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "3"), ("ROTATE_COMPRESS", "none")];
    let program = Program::on(dir.path(), &variables);
    app.lines(1);
    streams(&program, app.written());
    fs::write(dir.path().join("app.log.20260101"), "the application's own\n").expect("written");
    let expected = app.written().to_owned() + "the application's own\n";
    streams(&program, &expected);
    app.lines(100 * KIB);
    settle(&program, app.path());
    assert!(history.exists() && dir.path().join("app.log.20260101").exists(), "{:?}", names(app.path()));
    assert_eq!(program.terminate().stdout.len(), app.written().len() + "the application's own\n".len());
}

#[test]
fn a_log_with_the_name_of_an_archive_keeps_its_name() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("worker"));
    let mut other = App::appending(&dir.path().join("worker.1"));
    let paths = format!("{}/*", dir.path().display());
    let program = Program::start(&and(&KEEP_ALL, &[("PATHS", &paths)]));
    other.lines(1);
    program.expect(|| program.stdout_bytes() == other.written().len(), "the other log");
    app.lines(100 * KIB);
    program.expect(|| program.stderr().contains("worker.1 is not sidetail's"), "a word about it");
    other.lines(1);
    let all = app.written().len() + other.written().len();
    program.expect(|| program.stdout_bytes() == all, "both");
    assert!(dir.path().join("worker.1").exists() && !dir.path().join("worker.2").exists());
    let ended = program.terminate();
    assert_eq!((ended.stdout.len(), ended.stderr.lines().count()), (all, 1), "{}", ended.stderr);
}

#[test]
fn a_link_in_the_way_is_left_there_and_not_followed() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let elsewhere = directory();
    let secret = elsewhere.path().join("secret");
    fs::write(&secret, "secret").expect("written");
    std::os::unix::fs::symlink(&secret, dir.path().join("app.log.1.gz")).expect("linked");
    let program = Program::on(dir.path(), &KEEP_ALL);
    app.lines(100 * KIB);
    streams(&program, app.written());
    settle(&program, app.path());
    assert_eq!(fs::read_to_string(&secret).expect("there"), "secret");
    streams_and_says(program, app.written());
    assert!(app.beside(".1.gz").is_symlink() && unpacked(&app.beside(".sidetail.1.gz")).starts_with("line"));
}

#[test]
fn archives_of_a_log_that_is_gone_are_not_streamed_either() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let paths = format!("{}/*", dir.path().display());
    let program = Program::start(&and(&KEEP_ALL, &[("PATHS", &paths), ("ROTATE_COMPRESS", "none"), ("LOG", "info")]));
    app.lines(200 * KIB);
    streams(&program, app.written());
    settle(&program, app.path());
    fs::remove_file(app.path()).expect("there");
    let written = app.written().to_owned();
    drop(app);
    program.expect(|| program.stderr().contains("finished reading "), "it to be let go");
    fs::write(dir.path().join("other"), "another\n").expect("written");
    streams_and_says(program, &(written + "another\n"));
}

#[test]
fn a_file_that_a_stalled_stream_holds_keeps_no_other_from_being_archived() {
    let dir = directory();
    let mut bad = App::appending(&dir.path().join("bad.log"));
    let mut good = App::appending(&dir.path().join("good.log"));
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let variables = and(&KEEP_ALL, &[("PATHS", &paths), ("STDERR", "file:bad.log"), ("LOG", "off")]);
    let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(writer));
    bad.lines(200 * KIB);
    stalled(&reader);
    for _ in 0..3 {
        good.lines(100 * KIB);
        streams(&program, good.written());
        settle(&program, good.path());
    }
    holds_all(good.path(), good.written());
    drop(reader);
    program.wait();
}

#[test]
fn a_writer_that_never_reopens_its_renamed_log_is_said_once() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    let program = Program::on(dir.path(), &[("ROTATE_SIZE", "64Ki"), ("ROTATE_METHOD", "rename")]);
    app.lines(100 * KIB);
    streams(&program, app.written());
    program.expect(|| app.beside(".1").exists(), "it to be renamed");
    let said = || program.stderr().matches("goes on in the renamed file").count();
    let deadline = std::time::Instant::now() + DEADLINE;
    while said() == 0 && std::time::Instant::now() < deadline {
        app.lines(1);
        after_ticks(&program, 1);
    }
    app.lines(1);
    after_ticks(&program, 1);
    let ended = streams_and_says(program, app.written());
    assert_eq!(ended.stderr.matches("SIDETAIL_ROTATE_METHOD=auto").count(), 1, "{}", ended.stderr);
}
