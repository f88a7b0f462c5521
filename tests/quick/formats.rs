//! What the lines say decides where they go: formats, levels, traces, rules and pins, on the built binary.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::support::clock::Clock;
use crate::support::files::{append, directory};
use crate::support::program::{Program, command};
use crate::support::say::ignore;

/// A record of log4j with its trace, a line each.
const TRACE: [&str; 6] = [
    "2026-01-05 10:00:00,123 ERROR [main] c.e.App: boom\n",
    "java.lang.IllegalStateException: boom\n",
    "\tat com.example.App.run(App.java:12)\n",
    "Caused by: java.io.IOException: gone\n",
    "\tat com.example.Disk.read(Disk.java:7)\n",
    "\t... 3 more\n",
];

const INFO: &str = "2026-01-05 10:00:01,000 INFO  [main] c.e.App: going on\n";

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

/// Streams a file and waits until each stream is exactly this.
#[track_caller]
fn check(input: &str, variables: &[(&str, &str)], stdout: &str, stderr: &str) {
    let dir = directory();
    append(&dir.path().join("app.log"), input);
    let program = Program::on(dir.path(), variables);
    let is_all = || program.stdout().len() + program.stderr().len() >= input.len();
    program.expect(is_all, "as many bytes as were written");
    let ended = program.terminate();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), (stdout, stderr));
}

#[test]
fn errors_of_every_format_go_to_stderr_and_the_rest_to_stdout() {
    let files = [
        (
            "json.log",
            "{\"level\":\"info\",\"msg\":\"up\"}\n{\"msg\":\"error in words\",\"level\":\"warn\"}\n",
            "{\"level\":\"error\",\"msg\":\"down\"}\n{\"level\":50,\"msg\":\"pino\"}\n",
        ),
        ("logfmt.log", "time=\"2026-01-05T10:00:00Z\" level=info msg=\"no error\"\n", "level=error msg=\"x\"\n"),
        ("log4j.log", INFO, "2026-01-05 10:00:00,123 FATAL [main] c.e.App: bye\n"),
        (
            "nginx.log",
            "2026/01/05 10:00:00 [notice] 1#1: start worker processes\n",
            "2026/01/05 10:00:00 [error] 12#12: *1 open() \"/x\" failed (2: No such file or directory)\n",
        ),
        (
            "access.log",
            "10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] \"GET /error HTTP/1.1\" 200 612 \"-\" \"curl\"\n",
            "10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 503 0 \"-\" \"curl\"\n",
        ),
        ("plain.log", "all is well\nno ERROR here\n", "ERROR: it is not\n"),
    ];
    let dir = directory();
    for (name, stdout, stderr) in files {
        append(&dir.path().join(name), format!("{stdout}{stderr}"));
    }
    let program = Program::on(dir.path(), &[]);
    let expected = |which: fn(&(&str, &'static str, &'static str)) -> &'static str| {
        sorted(&files.iter().map(which).collect::<String>())
    };
    let (stdout, stderr) = (expected(|file| file.1), expected(|file| file.2));
    program.expect(|| sorted(&program.stdout()) == stdout, &format!("stdout to be {stdout:#?}"));
    program.expect(|| sorted(&program.stderr()) == stderr, &format!("stderr to be {stderr:#?}"));
    let ended = program.terminate();
    assert_eq!((sorted(&ended.stdout), sorted(&ended.stderr)), (stdout, stderr));
}

#[test]
fn a_trace_goes_with_its_record_in_one_write_or_in_many() {
    check(&(TRACE.concat() + INFO), &[], INFO, &TRACE.concat());
    let dir = directory();
    let path = dir.path().join("app.log");
    let program = Program::on(dir.path(), &[]);
    let mut stderr = String::new();
    for line in TRACE {
        append(&path, line);
        stderr += line;
        program.expect_stderr(&stderr);
    }
    append(&path, INFO);
    program.expect_stdout(INFO);
    // A trace behind a record that is no error is none either.
    append(&path, TRACE[2]);
    program.expect_stdout(&format!("{INFO}{}", TRACE[2]));
    assert_eq!(program.terminate().stderr, stderr);
}

#[test]
fn a_trace_goes_with_its_record_though_the_reader_was_killed_in_the_middle() {
    for cut in 1..TRACE.len() {
        let dir = directory();
        let path = dir.path().join("app.log");
        append(&path, TRACE[..cut].concat());
        let program = Program::on(dir.path(), &[]);
        program.expect_stderr(&TRACE[..cut].concat());
        program.kill();
        append(&path, TRACE[cut..].concat() + INFO);
        let program = Program::on(dir.path(), &[]);
        program.expect_stdout(INFO);
        assert_eq!(program.terminate().stderr, TRACE[cut..].concat(), "cut before line {cut}");
    }
}

#[test]
fn what_continues_a_record_on_stdout_does_so_after_a_restart_too() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, INFO);
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout(INFO);
    program.kill();
    append(&path, format!("\t{}{}", "ERROR: of the same record\n", TRACE[0]));
    let program = Program::on(dir.path(), &[]);
    program.expect_stderr(TRACE[0]);
    assert_eq!(program.terminate().stdout, "\tERROR: of the same record\n");
}

#[test]
fn a_truncated_file_is_judged_anew() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, TRACE.concat());
    let program = Program::on(dir.path(), &[]);
    program.expect_stderr(&TRACE.concat());
    fs::write(&path, "\tat the beginning\n").expect("rewritten");
    program.expect_stdout("\tat the beginning\n");
    assert_eq!(program.terminate().stderr, TRACE.concat());
}

#[test]
fn a_trace_across_two_reads_is_not_torn_apart_by_another_file() {
    let dir = directory();
    let (mut expected, mut bytes) = (Vec::new(), 0);
    for name in ["a", "b"] {
        let mut text = String::new();
        // A length that is no divisor of the read's, so that reads end everywhere in a record.
        for number in 0..1500 {
            let record = TRACE.concat().replace("boom", &format!("boom {name} {number}"));
            text += &record;
            expected.push(record);
        }
        bytes += text.len();
        append(&dir.path().join(format!("{name}.log")), text);
    }
    let program = Program::on(dir.path(), &[]);
    program.expect(|| program.stderr().len() >= bytes, "all records");
    let stderr = program.terminate().stderr;
    assert_eq!(stderr.len(), bytes);
    let head = &TRACE[0][..24];
    let found: Vec<_> = stderr.split(head).skip(1).map(|rest| format!("{head}{rest}")).collect();
    assert_eq!(found.len(), expected.len());
    let (mut found, mut expected): (Vec<_>, Vec<_>) = (found, expected);
    assert!(found.windows(2).any(|pair| pair[0].contains("boom a") != pair[1].contains("boom a")), "no turns at all");
    found.sort();
    expected.sort();
    let torn = found.iter().find(|record| expected.binary_search(record).is_err());
    assert_eq!(torn, None, "a torn record");
}

#[test]
fn a_pinned_format_is_not_detected() {
    let line = "{\"level\":\"error\"}\n";
    check(line, &[], "", line);
    check(line, &[("FORMATS", "*.log=plain")], line, "");
    check(line, &[("FORMATS", "other.log=plain")], "", line);
    // An access log's line says nothing of klog.
    let klog = "E0105 10:00:00.123456       1 server.go:153] x\n";
    check(klog, &[("FORMATS", "app.log=access, *.log=klog")], klog, "");
    check(klog, &[("FORMATS", "app.log=klog")], "", klog);
}

#[test]
fn a_format_of_ones_own_is_read_by_its_groups() {
    let lines = "10:00 <warn> disk\n10:01 <error> disk\nof the error\n10:02 <odd> disk\nof the odd\n";
    let own = ("FORMAT_APP", r"^(?<time>\S+) <(?<level>\w+)> (?<message>.*)");
    let (stdout, stderr) = ("10:00 <warn> disk\n10:02 <odd> disk\nof the odd\n", "10:01 <error> disk\nof the error\n");
    check(lines, &[own], stdout, stderr);
    check(lines, &[own, ("FORMATS", "*=app")], stdout, stderr);
    check(lines, &[own, ("STDERR", "format:app level=warn")], &lines[18..], "10:00 <warn> disk\n");
    let wrong = Program::start(&[("PATHS", "/x"), ("FORMAT_APP", "(?<level")]).wait();
    assert_eq!(wrong.status.code(), Some(64));
    assert!(wrong.stderr.starts_with("sidetail: SIDETAIL_FORMAT_APP=\"(?<level\": column "), "{}", wrong.stderr);
}

#[test]
fn with_multiline_off_each_line_is_judged_for_itself() {
    let (first, rest) = (TRACE[0].to_owned() + TRACE[1], TRACE[2..].concat());
    check(&TRACE.concat(), &[("MULTILINE", "off")], &rest, &first);
}

#[test]
fn rules_ask_for_formats_and_levels() {
    let json = ["debug", "info", "warn", "error"].map(|level| format!("{{\"level\":\"{level}\"}}\n"));
    let logfmt = ["debug", "info", "warn", "error"].map(|level| format!("level={level} msg=x\n"));
    let all = json.concat() + &logfmt.concat();
    let check = |drop: &str, rules: &str, stdout: &str, stderr: &str| {
        let dir = directory();
        append(&dir.path().join("app.log"), &all);
        // Behind everything else, so that it is known when all lines were seen.
        append(&dir.path().join("app.log"), "end of it\n");
        let program = Program::on(dir.path(), &[("DROP", drop), ("STDERR", rules)]);
        program.expect(|| program.stdout().ends_with("end of it\n"), "the last line");
        let ended = program.terminate();
        let expected = (format!("{stdout}end of it\n"), stderr.to_owned());
        assert_eq!((ended.stdout, ended.stderr), expected, "DROP={drop:?} STDERR={rules:?}");
    };
    check("", "format:json", &logfmt.concat(), &json.concat());
    check("", "format:json level>=warn", &(json[..2].concat() + &logfmt.concat()), &json[2..].concat());
    check(
        "level<info",
        "level>=error",
        &[&json[1..3], &logfmt[1..3]].concat().concat(),
        &(json[3].clone() + &logfmt[3]),
    );
    check("format:logfmt !level>=error", "", &(json.concat() + &logfmt[3]), "");
    check("format:json; level=debug", "!level<warn !format:plain", &logfmt[1], &logfmt[2..].concat());
    check(
        "!level<=error !format:plain",
        "level>warn",
        &(json[..3].concat() + &logfmt[..3].concat()),
        &(json[3].clone() + &logfmt[3]),
    );
}

/// What was said of formats, without the prefix and the directory.
fn told(program: &Program, directory: &Path) -> Vec<String> {
    let directory = format!("{}/", directory.display());
    let messages = program.stderr().replace(&directory, "");
    messages
        .lines()
        .filter(|line| line.contains(" is read as "))
        .map(|line| line.replace("sidetail: info: ", ""))
        .collect()
}

#[test]
fn what_a_file_is_read_as_is_told_once_and_again_when_that_changes() {
    for output in ["raw", "prefix", "json"] {
        let dir = directory();
        let path = dir.path().join("app.log");
        let json = "{\"level\":\"info\",\"msg\":\"x\"}\n";
        append(&path, "a banner\n");
        append(&path, json.repeat(3));
        // The same is told of a file once a minute.
        let clock = match Clock::new("CLOCK_MONOTONIC", Duration::from_secs(70)) {
            Ok(clock) => clock,
            Err(why) => return ignore(&why),
        };
        let paths = format!("{}/*.log", dir.path().display());
        let program = clock.start(&command(&[("PATHS", &paths), ("LOG", "info"), ("OUTPUT", output)]));
        let mut lines = 4;
        let mut expect = |more: usize| {
            lines += more;
            program.expect(|| program.stdout().lines().count() == lines, &format!("{lines} lines"));
        };
        // A message comes behind the lines that it is about.
        let expect_told = |expected: &[&str]| {
            program.expect(|| told(&program, dir.path()) == expected, &format!("{output}: {expected:?}"));
        };
        expect(0);
        let first = r#"app.log is read as json: its first record is "{\"level\":\"info\",\"msg\":\"x\"}""#;
        expect_told(&[first]);
        append(&path, json.repeat(40));
        expect(40);
        // The lines stop matching while it is still being decided: single ones are read for what they are, but are not what the
        // file is.
        append(&path, "level=info msg=y\n");
        append(&path, json);
        expect(2);
        clock.put_ahead();
        append(&path, INFO.repeat(10));
        expect(10);
        let shown = INFO.trim_end().get(..60).unwrap_or(INFO.trim_end());
        let change = format!("app.log is read as log4j: its last records are, such as {shown:?}");
        expect_told(&[first, &change]);
        // Another file at the same path begins anew.
        clock.put_ahead();
        fs::rename(&path, dir.path().join("app.log.1")).expect("renamed");
        append(&path, "level=info msg=y\n");
        expect(1);
        let other = r#"app.log is read as logfmt: its first record is "level=info msg=y""#;
        expect_told(&[first, &change, other]);
        // Also of a record that waits for what may continue it, and so is looked at twice.
        append(&dir.path().join("new.log"), INFO);
        expect(1);
        program.expect(|| told(&program, dir.path()).len() == 4, &format!("{output}: a fourth message"));
        // What was held back as a repetition would be told now.
        let ended = program.terminate();
        assert!(ended.status.success());
        assert_eq!(ended.stderr.matches(" is read as ").count(), 4, "{output}: {}", ended.stderr);
    }
}

#[test]
fn an_empty_stderr_sends_everything_to_stdout() {
    let all = TRACE.concat() + INFO + "{\"level\":\"error\"}\n";
    check(&all, &[("STDERR", "")], &all, "");
}

#[test]
fn a_long_line_is_judged_by_its_beginning() {
    let rest = "x".repeat(200 << 10);
    let line = format!("{{\"level\":\"error\",\"msg\":\"{rest}\"}}\n");
    let late = format!("{{\"msg\":\"{rest}\",\"level\":\"error\"}}\n");
    check(&format!("{line}{late}"), &[], &late, &line);
    // What continues a long record goes with it.
    let trace = format!("2026-01-05 10:00:00,123 ERROR [main] c.e.App: {rest}\n\tat x\n\t{rest}\n\tat y\n");
    check(&format!("{trace}{INFO}"), &[], INFO, &trace);
}

#[test]
fn lines_that_end_with_a_carriage_return_are_judged_the_same() {
    let dos = |text: &str| text.replace('\n', "\r\n");
    check(&dos(&(TRACE.concat() + INFO)), &[], &dos(INFO), &dos(&TRACE.concat()));
    let (json, access) =
        ("{\"level\":\"error\"}\r\n", "10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 500 0\r\n");
    check(&format!("{json}{access}level=info\r\n"), &[], "level=info\r\n", &format!("{json}{access}"));
    let pretty = "{\r\n  \"level\": \"error\",\r\n  \"msg\": \"x\"\r\n}\r\n";
    check(pretty, &[], "", pretty);
}

#[test]
fn an_object_over_several_lines_has_the_level_that_one_of_them_states() {
    let pretty = "{\n  \"msg\": \"x\",\n  \"log\": {\n    \"level\": \"error\"\n  }\n}\n";
    check(&format!("{pretty}{INFO}{pretty}"), &[], INFO, &format!("{pretty}{pretty}"));
}

#[test]
fn a_variable_that_names_an_unknown_format_is_refused() {
    let ended = Program::spawn(
        command(&[("PATHS", "/x"), ("FORMATS", "*.log=jsn"), ("STDERR", "format:jsn")]).stderr(Stdio::piped()),
    )
    .wait();
    assert_eq!(ended.status.code(), Some(64));
    assert_eq!(ended.stderr.matches("there is no format \"jsn\"; the formats are docker, json,").count(), 2);
}

/// As .NET and PowerShell begin each file: the mark is streamed as it is, and no part of a record.
#[test]
fn a_byte_order_mark_hides_no_level_and_is_in_no_object() {
    let line = "{\"level\":\"error\",\"message\":\"no disk\"}\n";
    for (output, expected) in [("raw", format!("\u{feff}{line}")), ("json", "\"message\":\"no disk\"".to_owned())] {
        let dir = directory();
        append(&dir.path().join("app.log"), format!("\u{feff}{line}"));
        let program = Program::on(dir.path(), &[("OUTPUT", output)]);
        program.expect(|| program.stderr().ends_with('\n'), "the record on stderr");
        let stderr = program.terminate().stderr;
        assert!(stderr.contains(&expected) && (output == "raw") == stderr.contains('\u{feff}'), "{output}: {stderr}");
    }
}
