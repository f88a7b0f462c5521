//! What it says of itself: the plan, the end, what is wrong with a file, each in one line, and nothing when all is well.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::clock::Clock;
use crate::support::files::{Directory, append, directory};
use crate::support::markdown::document;
use crate::support::program::{Program, command, pipe};
use crate::support::rotator::after_ticks;
use crate::support::say::ignore;
use crate::support::terminal::Terminal;

/// Renames the file away and writes a line into a new one, which is waited for.
fn rotate(dir: &Directory, program: &Program, number: usize) {
    let path = dir.path().join("app.log");
    fs::rename(&path, dir.path().join("app.log.1")).expect("renamed");
    append(&path, format!("line {number}\n"));
    program.expect(|| program.stdout().contains(&format!("line {number}\n")), "the line");
}

#[test]
fn the_plan_is_one_line_at_the_start() {
    let dir = directory();
    let paths = format!("{0}/*.log,\n{0}/*.txt", dir.path().display());
    let variables = [
        ("PATHS", &*paths),
        ("LOG", "info"),
        ("STDERR", "file:b.log\nlevel>=warn"),
        ("EXCLUDE", "*.tmp"),
        ("OUTPUT", "json"),
    ];
    let ended = {
        let program = Program::start(&variables);
        program.expect(|| program.stderr().contains('\n'), "the first message");
        program.terminate()
    };
    let expected = format!(
        "sidetail: info: sidetail {} follows {1}/*.log,, {1}/*.txt; EXCLUDE=\"*.tmp\" STDERR=\"file:b.log\\nlevel>=warn\" \
         OUTPUT=\"json\" ROTATE_SIZE=\"off\" STATE=\"auto\" LOG=\"info\"",
        env!("CARGO_PKG_VERSION"),
        dir.path().display()
    );
    let shown = ended.stderr.lines().next().expect("a line").replace("\\\\n", "\\n");
    assert_eq!(shown, expected);
}

#[test]
fn the_docs_show_the_plan_and_the_end() {
    let dir = directory();
    for (name, line) in [("1.log", "x".repeat(79) + "\n"), ("2.log", "y".repeat(79) + "\n")] {
        append(&dir.path().join(name), line.repeat(600));
    }
    let program = Program::on(dir.path(), &[("LOG", "info")]);
    program.expect(|| program.stdout_bytes() == 96_000, "both files");
    let said =
        program.terminate().stderr.replace(&*dir.path().to_string_lossy(), "/var/log").replace(" LOG=\"info\"", "");
    let docs = document("docs/configuration.md").text;
    for line in [said.lines().next(), said.lines().last()] {
        let line = format!("\n{}\n", line.expect("a message"));
        assert!(docs.contains(&line), "{line}");
    }
}

#[test]
fn the_end_is_one_line_with_what_was_streamed() {
    // With one stream no line is looked at, with rules each is, and an object is a line too.
    for (name, value, lines) in [("STDERR", "", 4), ("DROP", "match:^two", 3), ("OUTPUT", "json", 4)] {
        let dir = directory();
        append(&dir.path().join("a.log"), "one\ntwo\nERROR three\n");
        append(&dir.path().join("b.log"), "four");
        let program = Program::on(dir.path(), &[(name, value), ("LOG", "info")]);
        program.expect(|| program.stderr().matches("following").count() == 2, "both files");
        let ended = program.terminate();
        let (own, streamed): (Vec<_>, Vec<_>) =
            ended.stderr.split_inclusive('\n').partition(|line| line.starts_with("sidetail: "));
        let bytes = ended.stdout.len() + streamed.concat().len();
        let expected = format!("sidetail: info: ended: 2 files, {lines} lines, {bytes} bytes streamed, 0 bytes left\n");
        assert_eq!(own.last(), Some(&&*expected), "{name}={value}");
    }
}

#[test]
fn what_both_streams_got_is_counted_once_if_they_are_one() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\nERROR two\n");
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let mut command = command(&[("PATHS", &*paths), ("LOG", "info"), ("EXIT_ON", "idle:100ms")]);
    let program = Program::spawn(command.stdout(writer.try_clone().expect("another descriptor")).stderr(writer));
    // It has the writer's ends until it is dropped.
    drop(command);
    let said = std::io::read_to_string(fs::File::from(reader)).expect("readable");
    assert!(said.ends_with("ended: 1 file, 2 lines, 14 bytes streamed, 0 bytes left\n"), "{said}");
    assert!(program.wait().status.success());
}

#[test]
fn nothing_is_said_when_all_is_well() {
    let dir = directory();
    append(&dir.path().join("app.log"), "line 0\n");
    let program = Program::on(dir.path(), &[("ROTATE_INTERVAL", "1s"), ("RATE_LIMIT", "1Mi"), ("EXIT_ON", "idle:1h")]);
    program.expect(|| program.stdout() == "line 0\n", "the first line");
    (1..5).for_each(|number| rotate(&dir, &program, number));
    let ended = program.terminate();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout.lines().count(), 5);
}

#[test]
fn that_a_file_is_followed_is_said_when_it_happens_however_often() {
    let dir = directory();
    append(&dir.path().join("app.log"), "line 0\n");
    let program = Program::on(dir.path(), &[("LOG", "info")]);
    program.expect(|| program.stdout() == "line 0\n", "the first line");
    for number in 1..=3 {
        rotate(&dir, &program, number);
        let said = || program.stderr().matches("/app.log from byte 0\n").count() == number + 1;
        program.expect(said, "a line about the new file");
    }
}

#[test]
fn each_pattern_that_matches_nothing_is_warned_of_after_a_while() {
    let dir = directory();
    for name in ["application.txt", "there.log", "left.out"] {
        append(&dir.path().join(name), "a line\n");
    }
    let at = dir.path().display();
    let paths = format!("{at}/*.log,{at}/*.json,{at}/later/*.log,{at}/*.out");
    let program = Program::start(&[("PATHS", &paths), ("EXCLUDE", "*.out")]);
    let end = "still watching; check that the application writes there and that both containers mount the volume";
    let has = format!("{at} has application.txt, left.out, there.log");
    program.expect_stderr(&format!(
        "sidetail: {at}/*.json matches nothing yet: {has}; {end}\n\
         sidetail: {at}/later does not exist yet, so {at}/later/*.log matches nothing: {has}; still watching; if it is on a \
         volume of the application, mount that volume in this container too\n\
         sidetail: {at}/*.out matches nothing yet: {has}; {at}/left.out matches but is excluded by SIDETAIL_EXCLUDE; {end}\n"
    ));
}

#[test]
fn of_very_many_patterns_that_match_nothing_some_are_named() {
    let dir = directory();
    append(&dir.path().join("there.txt"), "a line\n");
    let paths: String = (0..2000).map(|number| format!("{}/{number}*.log,", dir.path().display())).collect();
    let program = Program::start(&[("PATHS", &paths)]);
    program.expect(|| program.stderr().contains("more than 50 patterns match nothing yet"), "a word about the others");
    let ended = program.terminate();
    assert_eq!(ended.stderr.matches(" matches nothing yet: ").count(), 50, "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 51, "{}", ended.stderr);
}

#[test]
fn at_a_terminal_a_second_run_says_where_it_goes_on() {
    let dir = directory();
    append(&dir.path().join("app.log"), "one\n");
    let run = |terminal: &Terminal, variables: &[(&str, &str)]| {
        let mut command = command(variables);
        command.arg("app.log").current_dir(dir.path()).stdout(Stdio::piped()).stderr(terminal.stdio());
        Program::spawn(&mut command)
    };
    let first = Terminal::open();
    let program = run(&first, &[]);
    program.expect_stdout("one\n");
    program.terminate();
    let second = Terminal::open();
    let program = run(&second, &[]);
    let line = "sidetail: streaming goes on at byte 4 of app.log (SIDETAIL_STATE=off starts over)\n";
    program.expect(|| second.text() == line, "a word about what is not repeated");
    program.terminate();
    let third = Terminal::open();
    let program = run(&third, &[("STATE", "off")]);
    program.expect_stdout("one\n");
    program.terminate();
    assert_eq!((first.text(), third.text()), (String::new(), String::new()));
    // Nobody sees it where it would be one line more in a log.
    let paths = format!("{}/*.log", dir.path().display());
    let mut command = command(&[("PATHS", &paths)]);
    let program = Program::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    append(&dir.path().join("app.log"), "two\n");
    program.expect(|| program.stdout().contains("two\n"), "the next line");
    assert!(!program.terminate().stderr.contains("goes on"));
}

#[test]
fn the_same_message_of_the_same_file_is_told_once_and_counted() {
    let dir = directory();
    append(&dir.path().join("app.log"), "line 0\n");
    append(&dir.path().join("other.log"), "other\n");
    let program = Program::on(dir.path(), &[("LOG", "info")]);
    program.expect(|| program.stdout().contains("line 0\n") && program.stdout().contains("other\n"), "two lines");
    (1..=10).for_each(|number| rotate(&dir, &program, number));
    fs::remove_file(dir.path().join("other.log")).expect("deleted");
    let is_told = |name: &str| program.stderr().contains(&format!("{name} was renamed or deleted"));
    program.expect(|| is_told("other.log"), "another file's own message");
    let said = program.stderr();
    let of_app = |said: &str| said.matches("/app.log was renamed or deleted").count();
    assert_eq!(of_app(&said), 1, "{said}");
    let ended = program.terminate();
    assert_eq!(of_app(&ended.stderr), 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("/app.log was renamed or deleted; reading it until it is quiet (and 8 more like this)\n"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout.lines().count(), 12);
}

#[test]
fn details_are_all_told() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, "x".repeat(100_000) + "\n");
    let program = Program::on(dir.path(), &[("LOG", "debug"), ("ROTATE_SIZE", "64Ki"), ("STATE", "auto")]);
    let reclaimed = || program.stderr().matches("reclaimed").count();
    program.expect(|| reclaimed() > 0, "disk reclaimed");
    for _ in 0..3 {
        // What came last may have been reclaimed in more than one step.
        let before = reclaimed();
        append(&path, "x".repeat(100_000) + "\n");
        program.expect(|| reclaimed() > before, "more disk reclaimed");
    }
}

#[test]
fn what_is_held_back_is_told_after_a_minute() {
    let clock = match Clock::new("CLOCK_MONOTONIC", Duration::from_secs(70)) {
        Ok(clock) => clock,
        Err(why) => return ignore(&why),
    };
    let dir = directory();
    append(&dir.path().join("a.log"), "line\n");
    let target = dir.path().join("target");
    symlink(&target, dir.path().join("link.log")).expect("linked");
    let paths = format!("{}/*.log", dir.path().display());
    let program = clock.start(&command(&[("PATHS", &paths)]));
    let told = || program.stderr().matches("/link.log: it is a symbolic link to nothing").count();
    program.expect(|| told() == 1, "a word about the link");
    let mut expected = "line\n".to_owned();
    let mut flap = |number: usize| {
        let line = format!("line {number}\n");
        append(&target, &line);
        expected += &line;
        program.expect(|| program.stdout() == expected, "its line");
        fs::remove_file(&target).expect("deleted");
        // The first of them may be late, and something else may have woken it meanwhile.
        after_ticks(&program, 2);
    };
    (1..=2).for_each(&mut flap);
    assert_eq!(told(), 1, "{}", program.stderr());
    clock.put_ahead();
    program.expect(|| told() == 2, "the tick to tell the last one");
    assert!(program.stderr().contains("(and 1 more like this)"), "{}", program.stderr());
    // It was told just now, so the next is held back again.
    flap(3);
    assert_eq!(told(), 2, "{}", program.stderr());
}

/// Every line of stderr as an object; the first that is none fails the test.
#[track_caller]
fn objects(stderr: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|why| panic!("{line:?} is no JSON: {why}"));
    let objects: Vec<Value> = stderr.lines().map(parse).collect();
    for object in &objects {
        for field in ["time", "level", "message", "logger"] {
            assert!(object[field].is_string(), "{object} has no {field}");
        }
    }
    objects
}

#[track_caller]
fn check_file(objects: &[Value], message: &str, file: Option<&Path>) {
    let is_it = |object: &&Value| object["message"].as_str().is_some_and(|text| text.contains(message));
    let object = objects.iter().find(is_it).unwrap_or_else(|| panic!("no message has {message:?}: {objects:#?}"));
    assert_eq!(object["file"].as_str().map(Path::new), file, "{object}");
}

#[test]
fn as_json_every_message_is_an_object_with_the_file_it_is_about() {
    let dir = directory();
    let path = |name: &str| dir.path().join(name);
    append(&path("app.log"), "{\"level\":\"info\"}\n");
    append(&path("cut.log"), "a longer line that is cut\n");
    symlink("/etc/passwd", path("out.log")).expect("linked");
    append(&path("quote\"\\\n.log"), "a strange name\n");
    let program = Program::on(dir.path(), &[("LOG", "debug"), ("LOG_FORMAT", "json")]);
    program.expect(|| program.stdout().lines().count() == 3, "three lines");
    for number in 1..=3 {
        rotate(&dir, &program, number);
    }
    fs::File::options().write(true).open(path("cut.log")).expect("there").set_len(2).expect("cut");
    program.expect(|| program.stderr().contains("truncated"), "the truncation to be seen");
    program.signal(Signal::HUP);
    program.signal(Signal::USR1);
    program.expect(|| program.stderr().contains("status of") && program.stderr().contains("SIGHUP"), "both answers");
    let objects = objects(&program.terminate().stderr);
    check_file(&objects, "sidetail 0.", None);
    check_file(&objects, "app.log from byte 0", Some(&path("app.log")));
    check_file(&objects, "quote\"\\\n.log from byte 0", Some(&path("quote\"\\\n.log")));
    check_file(&objects, "is read as json", Some(&path("app.log")));
    check_file(&objects, "app.log was renamed or deleted", Some(&path("app.log")));
    check_file(&objects, "cut.log was truncated", Some(&path("cut.log")));
    check_file(&objects, "out.log: it is a symbolic link that leads out", Some(&path("out.log")));
    check_file(&objects, "cannot rotate at SIGHUP", None);
    check_file(&objects, "cut.log: 0 bytes streamed, 2 unread", Some(&path("cut.log")));
    check_file(&objects[objects.len() - 1..], "ended: ", None);
    let held: u64 = objects.iter().filter_map(|object| object["held_back"].as_u64()).sum();
    assert!(held > 0, "the rotations' messages were counted: {objects:#?}");
}

#[test]
fn as_json_what_is_said_beside_the_queue_is_an_object_too() {
    // An address that cannot be had.
    let refused = Program::start(&[("LISTEN", "192.0.2.1:9100"), ("LOG_FORMAT", "json")]).wait();
    assert_eq!(refused.status.code(), Some(71));
    check_file(&objects(&refused.stderr), "cannot listen on", None);
    // More messages at one time than may wait.
    let dir = directory();
    for number in 0..1000 {
        symlink("/etc/passwd", dir.path().join(format!("{number}.log"))).expect("linked");
    }
    let program = Program::on(dir.path(), &[("LOG_FORMAT", "json")]);
    program.expect(|| program.stderr().contains("messages because stderr"), "what was too much");
    check_file(&objects(&program.terminate().stderr), "messages because stderr", None);
}
