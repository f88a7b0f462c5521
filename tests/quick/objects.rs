//! Records as JSON objects, on the built binary: every line valid, none too long for the runtime, nothing lost.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe};

/// What containerd lets through in one piece, with the newline.
const OBJECT_BYTES_MAX: usize = 16_384;

const ERROR: &str = "2026-01-05 10:00:00,123 ERROR [main] c.e.App: boom\n";
const TRACE: &str = "java.lang.IllegalStateException: boom\n\tat com.example.App.run(App.java:12)\n";
const INFO: &str = "2026-01-05 10:00:01,000 INFO  [main] c.e.App: going on\n";

/// Checks a line and returns its object.
#[track_caller]
fn object(line: &str) -> Value {
    assert!(line.len() < OBJECT_BYTES_MAX, "{} bytes: {:?}...", line.len() + 1, line.get(..200));
    serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line:?}"))
}

#[track_caller]
fn objects(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "an unfinished line");
    text.lines().map(object).collect()
}

/// What stands under `record`, byte for byte.
fn record_of(line: &str) -> Option<&str> {
    // Within a string its quotes are escaped, so this is the key.
    line.split_once(",\"record\":").map(|(_, rest)| &rest[..rest.len() - 1])
}

/// The header of a record of log4j, made up again from its fields; nothing for the parts behind the first.
fn header_of(object: &Value) -> String {
    let field = |names: [&str; 3]| {
        let labels = &object["logging.googleapis.com/labels"];
        names.iter().find_map(|name| object[*name].as_str().or(labels[*name].as_str())).unwrap_or_default()
    };
    let level = field(["level", "log.level", "severity"]).to_uppercase();
    let logger = field(["otel.scope.name", "log.logger", "logger"]);
    if logger.is_empty() || object["part"].as_u64().is_some_and(|part| part > 1) {
        return String::new();
    }
    let thread = field(["thread.name", "process.thread.name", "thread.name"]);
    let time = field(["time_text", "labels.time_text", "time_text"]);
    format!("{time} {level:<5} [{thread}] {logger}: ")
}

/// The records that lines make up, parts put together.
#[track_caller]
fn records<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    for line in lines {
        let object = object(line);
        let text = record_of(line).or(object["message"].as_str()).expect("a message or a record");
        let text = &*(header_of(&object) + text);
        match (object["part"].as_u64(), records.last_mut()) {
            (Some(2..), Some(record)) => record.push_str(text),
            _ => records.push(text.to_owned()),
        }
    }
    records
}

/// Streams what is in a directory to the end, with what is said of it all; the streams are compared as bytes.
fn stream_all(directory: &Path, variables: &[(&str, &str)]) -> [Vec<u8>; 2] {
    let paths = format!("{}/*.log", directory.display());
    let mut outputs = [(); 2].map(|()| tempfile::tempfile().expect("a file"));
    let [stdout, stderr] = [0, 1].map(|index: usize| outputs[index].try_clone().expect("a second descriptor"));
    let usual = [("PATHS", paths.as_str()), ("DRAIN_TIMEOUT", "15s"), ("STATE", "off")];
    let program = Program::spawn(command(&[&usual[..], variables].concat()).stdout(stdout).stderr(stderr));
    let is_running = || outputs.iter().any(|file| file.metadata().is_ok_and(|about| about.len() > 0)).then_some(());
    wait_for(is_running, DEADLINE).expect("the first line");
    assert_eq!(program.terminate().status.code(), Some(0));
    outputs.each_mut().map(|file| {
        use std::io::Seek;
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("readable");
        bytes
    })
}

/// Waits until a stream has so many lines, and returns them as objects.
#[track_caller]
fn expect_objects(program: &Program, text: impl Fn(&Program) -> String, count: usize) -> Vec<Value> {
    program.expect(|| text(program).lines().count() >= count, &format!("{count} objects"));
    let found = objects(&text(program));
    assert_eq!(found.len(), count, "{found:#?}");
    found
}

#[test]
fn a_record_with_its_trace_is_one_object_on_its_stream() {
    let dir = directory();
    append(&dir.path().join("app.log"), format!("{ERROR}{TRACE}{INFO}"));
    for (output, level, expected) in
        [("json", "level", "error"), ("ecs", "log.level", "error"), ("gcp", "severity", "ERROR")]
    {
        let program = Program::on(dir.path(), &[("OUTPUT", output), ("STATE", "off")]);
        let stderr = expect_objects(&program, Program::stderr, 1);
        assert_eq!(stderr[0]["message"], format!("boom\n{TRACE}").trim_end(), "{output}");
        assert_eq!(stderr[0][level], expected, "{output}");
        let time = stderr[0].get("time").or(stderr[0].get("@timestamp"));
        assert_eq!(time, Some(&Value::from("2026-01-05T10:00:00.123Z")), "{output}");
        // The last record is not held back for ever, though more of it may come.
        let stdout = expect_objects(&program, Program::stdout, 1);
        assert_eq!(stdout[0]["message"], "going on", "{output}");
    }
}

#[test]
fn times_without_a_zone_are_of_the_one_that_is_configured() {
    let dir = directory();
    append(&dir.path().join("app.log"), ERROR);
    append(&dir.path().join("klog.log"), "E0105 10:00:00.123456       1 main.go:15] no disk\n");
    let program = Program::on(dir.path(), &[("OUTPUT", "json"), ("TIMEZONE", "CET-1CEST,M3.5.0,M10.5.0/3")]);
    for one in expect_objects(&program, Program::stderr, 2) {
        let time = one["time"].as_str().expect("a time");
        // klog writes no year.
        assert!(time[4..].starts_with("-01-05T10:00:00.123") && time.ends_with("+01:00"), "{one}");
        let written = if one["file"] == "app.log" { "2026-01-05 10:00:00,123" } else { "0105 10:00:00.123456" };
        assert_eq!(one["time_text"], written);
    }
}

#[test]
fn what_comes_late_is_another_part() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, ERROR);
    let program = Program::on(dir.path(), &[("OUTPUT", "json")]);
    let first = expect_objects(&program, Program::stderr, 1);
    append(&path, TRACE);
    let both = expect_objects(&program, Program::stderr, 2);
    assert_eq!((&both[1]["part"], both[0].get("part")), (&Value::from(2), None));
    let text: String = both.iter().filter_map(|one| one["message"].as_str()).collect();
    assert_eq!(text, format!("boom\n{TRACE}").trim_end());
    for field in ["file", "format", "level"] {
        assert_eq!(first[0][field], both[1][field], "{field}");
    }
    // An empty line that continues nothing any more, and the next record.
    append(&path, INFO);
    let stdout = expect_objects(&program, Program::stdout, 1);
    assert_eq!((stdout[0]["message"].as_str(), stdout[0].get("part")), (Some("going on"), None));
}

#[test]
fn a_trace_in_several_writes_is_one_object() {
    let dir = directory();
    let path = dir.path().join("app.log");
    let program = Program::on(dir.path(), &[("OUTPUT", "json"), ("LOG", "info")]);
    program.expect(|| program.stderr().contains("follows"), "the first message");
    let start = Instant::now();
    for line in format!("{ERROR}{TRACE}").split_inclusive('\n') {
        append(&path, line);
    }
    let written = start.elapsed();
    let found = || program.stderr().lines().filter(|line| line.starts_with('{')).map(object).collect::<Vec<_>>();
    program.expect(|| !found().is_empty(), "an object");
    // On a machine that was so busy that the record waited long enough in between, it says nothing.
    if written < Duration::from_millis(200) {
        assert_eq!(found()[0]["message"], format!("boom\n{TRACE}").trim_end());
    }
}

#[test]
fn json_stands_under_record_byte_for_byte() {
    let lines = [
        r#"{"level":"error","msg":"a \"quoted\" \u00e9 word", "n" : 1.50e+10,"deep":{"a":[1,{}]}}"#,
        r#"{ "time":"2026-01-05T10:00:00.123456789+01:00","level":"fatal","message":"x\ny" ,"dup":1,"dup":2}"#,
        r#"{"ts":1767607200.123,"level":"error","msg":""}"#,
        r#"{"time":"2026-01-05 10:00:00","level":"error"}"#,
    ];
    let dir = directory();
    append(&dir.path().join("app.log"), lines.join("\n") + "\r\n");
    let program = Program::on(dir.path(), &[("OUTPUT", "json")]);
    let found = expect_objects(&program, Program::stderr, 4);
    let stderr = program.stderr();
    let embedded: Vec<_> = stderr.lines().filter_map(record_of).collect();
    assert_eq!(embedded, lines);
    let field = |name: &str| found.iter().map(|one| one[name].as_str()).collect::<Vec<_>>();
    assert_eq!(field("message"), [Some("a \"quoted\" é word"), Some("x\ny"), Some(""), None]);
    let times = [
        None,
        Some("2026-01-05T10:00:00.123456789+01:00"),
        Some("2026-01-05T10:00:00.123Z"),
        Some("2026-01-05T10:00:00Z"),
    ];
    assert_eq!(field("time"), times);
    assert_eq!(field("level"), [Some("error"), Some("fatal"), Some("error"), Some("error")]);
}

#[test]
fn an_object_over_several_lines_is_one_record() {
    let pretty = "{\n  \"level\": \"error\",\n  \"time\": \"2026-01-05T10:00:00Z\",\n  \"a\": [\n    1\n  ]\n}\n";
    let expected: Value = serde_json::from_str(pretty).expect("valid");
    let dir = directory();
    append(&dir.path().join("whole.log"), pretty.repeat(2));
    let program = Program::on(dir.path(), &[("OUTPUT", "json")]);
    for one in expect_objects(&program, Program::stderr, 2) {
        assert_eq!((&one["record"], &one["time"]), (&expected, &Value::from("2026-01-05T10:00:00Z")));
    }
    // Line by line it is the same record, though it has begun before its level is known.
    let path = dir.path().join("slow.log");
    let start = Instant::now();
    for line in pretty.split_inclusive('\n') {
        append(&path, line);
    }
    if start.elapsed() < Duration::from_millis(200) {
        assert_eq!(expect_objects(&program, Program::stderr, 3)[2]["record"], expected);
    }
}

#[test]
fn lines_of_container_runtimes_are_unwrapped() {
    let dir = directory();
    let time = "2026-01-05T10:00:00.123456789Z";
    let cri = [
        format!("{time} stdout F plain words\n"),
        format!("{time} stderr P 2026-01-05 10:00:00,123 ERROR [main] c.e.App: first \n"),
        format!("{time} stderr P and \n"),
        format!("{time} stderr F last\n"),
        format!("{time} stderr F \tat a.b(C.java:1)\n"),
        format!("{time} stdout F {{\"level\":\"info\",\"msg\":\"in \\\"it\\\"\"}}\n"),
        format!("{time} stdout F \n"),
    ];
    append(&dir.path().join("cri.log"), cri.concat());
    let docker = [
        r#"{"log":"plain \"words\" \u00e9 \ud83d\ude00\n","stream":"stdout","time":"2026-01-05T10:00:00.1Z"}"#,
        r#"{"log":"ERROR: cut ","stream":"stderr","time":"2026-01-05T10:00:00.1Z"}"#,
        r#"{"log":"in two\n","stream":"stderr","time":"2026-01-05T10:00:00.1Z"}"#,
        r#"{"log":"\tat x\n","stream":"stderr","time":"2026-01-05T10:00:00.1Z"}"#,
        r#"{"log":"{\"level\":\"info\",\"a\":\"\\u00e9\\n\"}\n","stream":"stdout","time":"2026-01-05T10:00:00.1Z"}"#,
    ];
    append(&dir.path().join("docker.log"), docker.join("\n") + "\n");
    let [stdout, stderr] =
        stream_all(dir.path(), &[("OUTPUT", "json")]).map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    let of = |text: &str, file: &str| {
        let lines = text.lines().filter(|line| object(line)["file"] == file);
        records(lines)
    };
    let error = "2026-01-05 10:00:00,123 ERROR [main] c.e.App: first and last\n\tat a.b(C.java:1)";
    assert_eq!(of(&stderr, "cri.log"), [error]);
    assert_eq!(of(&stdout, "cri.log"), ["plain words", "{\"level\":\"info\",\"msg\":\"in \\\"it\\\"\"}", ""]);
    assert_eq!(of(&stderr, "docker.log"), ["ERROR: cut in two\n\tat x"]);
    assert_eq!(of(&stdout, "docker.log"), ["plain \"words\" é 😀", "{\"level\":\"info\",\"a\":\"\\u00e9\\n\"}"]);
    for one in objects(&stdout).iter().chain(&objects(&stderr)) {
        assert!(one["time"].as_str().is_some_and(|text| text.starts_with("2026-01-05T10:00:00.1")), "{one}");
    }
}

#[test]
fn a_runtimes_line_that_is_finished_late_is_unwrapped_too() {
    let dir = directory();
    let path = dir.path().join("cri.log");
    append(&path, "2026-01-05T10:00:00Z stderr P ERROR: first \n");
    let program = Program::on(dir.path(), &[("OUTPUT", "json")]);
    expect_objects(&program, Program::stderr, 1);
    append(&path, "2026-01-05T10:00:00Z stderr F and last\n2026-01-05T10:00:00Z stderr F \tat x\n");
    program.expect(|| records(program.stderr().lines()) == ["ERROR: first and last\n\tat x"], "the whole record");
}

#[test]
fn the_last_words_come_at_sigterm() {
    let dir = directory();
    append(&dir.path().join("app.log"), format!("{ERROR}{TRACE}\tat the.end(of it)"));
    let program = Program::on(dir.path(), &[("OUTPUT", "json"), ("LOG", "info")]);
    program.expect(|| program.stderr().contains("following"), "the file to be open");
    let ended = program.terminate();
    assert_eq!(ended.status.code(), Some(0));
    let lines = ended.stderr.lines().filter(|line| line.starts_with('{'));
    assert_eq!(records(lines), [format!("{ERROR}{TRACE}\tat the.end(of it)")]);
    assert_eq!(ended.stdout, "");
}

#[test]
fn our_own_messages_stand_between_the_objects() {
    let dir = directory();
    append(&dir.path().join("app.log"), (ERROR.to_owned() + TRACE).repeat(2000));
    let program = Program::on(dir.path(), &[("OUTPUT", "json"), ("LOG", "info")]);
    program.expect(|| program.stderr().matches("{\"time\"").count() >= 2000, "all objects");
    fs::rename(dir.path().join("app.log"), dir.path().join("other.log")).expect("renamed");
    let ended = program.terminate();
    let (ours, theirs): (Vec<_>, Vec<_>) = ended.stderr.lines().partition(|line| line.starts_with("sidetail: "));
    assert!(ours.len() >= 3, "{ours:?}");
    assert_eq!(theirs.into_iter().map(object).count(), 2000);
}

#[test]
fn what_is_not_utf_8_is_shown_and_counted_at_the_end() {
    let dir = directory();
    append(&dir.path().join("app.log"), b"a\xff\xfeb\nfine\n\xc3(\n".as_slice());
    let program = Program::on(dir.path(), &[("OUTPUT", "json"), ("LOG", "info")]);
    program.expect(|| program.stdout().lines().count() == 3, "three objects");
    let ended = program.terminate();
    let messages: Vec<_> = objects(&ended.stdout).iter().map(|one| one["message"].to_string()).collect();
    assert_eq!(messages, ["\"a\u{fffd}\u{fffd}b\"", "\"fine\"", "\"\u{fffd}(\""]);
    assert!(ended.stderr.contains("3 sequences of bytes were not UTF-8"), "{}", ended.stderr);
}

#[test]
fn a_stalled_reader_gets_everything_later() {
    let dir = directory();
    let text: String =
        (0..20_000).map(|number| format!("{}{TRACE}", ERROR.replace("boom", &number.to_string()))).collect();
    append(&dir.path().join("app.log"), &text);
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    // However slow the machine, the end waits for the reader.
    let variables = [("PATHS", &*paths), ("OUTPUT", "json"), ("STDERR", "file:b.log"), ("DRAIN_TIMEOUT", "50s")];
    let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
    // The other stream goes on, which also tells that this one is full.
    append(&dir.path().join("b.log"), INFO);
    expect_objects(&program, Program::stderr, 1);
    let before = program.status_field("VmRSS");
    append(&dir.path().join("b.log"), INFO);
    expect_objects(&program, Program::stderr, 2);
    assert!(program.status_field("VmRSS") < before + 256, "memory grew");
    program.signal(Signal::TERM);
    let mut read = String::new();
    File::from(reader).read_to_string(&mut read).expect("UTF-8");
    assert_eq!(program.wait().status.code(), Some(0));
    assert!(records(read.lines()).join("\n") + "\n" == text, "not what was written");
    assert_eq!(read.lines().count(), 20_000, "a record is torn");
}

#[test]
fn a_restart_repeats_and_loses_nothing() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, format!("{ERROR}{TRACE}{INFO}"));
    let program = Program::on(dir.path(), &[("OUTPUT", "json"), ("STDERR", "")]);
    expect_objects(&program, Program::stdout, 2);
    program.kill();
    // What continues the last record: nobody knows any more what that was, but nothing is claimed of it either.
    append(&path, format!("\tof the last\n{ERROR}"));
    let program = Program::on(dir.path(), &[("OUTPUT", "json"), ("STDERR", "")]);
    let found = expect_objects(&program, Program::stdout, 2);
    assert_eq!(found[0], serde_json::json!({"file": "app.log", "message": "\tof the last"}));
    assert_eq!((&found[1]["message"], &found[1]["level"]), (&"boom".into(), &"error".into()));
}

#[test]
fn a_restart_within_a_long_line_goes_on_with_it() {
    let dir = directory();
    let line: String = (0..75_000).map(|number| format!("{number:07} ")).collect();
    append(&dir.path().join("app.log"), format!("{line}\nnext\n"));
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", &*paths), ("OUTPUT", "json")];
    let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
    // Some is read, so that more than one part is in the checkpoint; then it is stalled, and killed.
    let mut reader = File::from(reader);
    let mut first = vec![0; 150_000];
    reader.read_exact(&mut first).expect("the beginning");
    program.kill();
    reader.read_to_end(&mut first).expect("what was in the pipe");
    let first = String::from_utf8(first).expect("UTF-8");
    // The last line may be torn: its write is repeated.
    let whole = &first[..first.rfind('\n').expect("a line") + 1];
    let [begun] = &records(whole.lines())[..] else { panic!("one record") };
    assert!(line.starts_with(begun.as_str()), "not how the line begins");
    let program = Program::on(dir.path(), &[("OUTPUT", "json")]);
    program.expect(|| program.stdout().contains("next"), "the rest");
    let rest = records(program.stdout().lines());
    let [end, next] = &rest[..] else { panic!("{} records", rest.len()) };
    assert!(line.ends_with(end.as_str()), "not how the line ends");
    assert!(begun.len() + end.len() >= line.len(), "{} bytes are lost", line.len() - begun.len() - end.len());
    assert!(begun.len() + end.len() <= line.len() + (64 << 10), "more than one write is repeated");
    assert_eq!(next, "next");
}

#[test]
fn what_is_dropped_is_dropped_with_its_trace() {
    let dir = directory();
    let long = "x".repeat(100_000);
    append(&dir.path().join("app.log"), format!("{ERROR}{TRACE}\tat {long}\n\tat y\n{INFO}{ERROR}\tat {long}\n"));
    let [stdout, stderr] = stream_all(dir.path(), &[("OUTPUT", "json"), ("DROP", "level>=error")]);
    assert_eq!(String::from_utf8_lossy(&stderr), "");
    assert_eq!(records(String::from_utf8_lossy(&stdout).lines()), [INFO.trim_end()]);
}

#[test]
fn after_a_truncation_nothing_is_a_part_of_what_was_before() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, ERROR.to_owned() + TRACE);
    let program = Program::on(dir.path(), &[("OUTPUT", "json")]);
    expect_objects(&program, Program::stderr, 1);
    fs::write(&path, "\tat the beginning\n").expect("rewritten");
    let found = expect_objects(&program, Program::stdout, 1);
    assert_eq!(found[0], serde_json::json!({"file": "app.log", "format": "plain", "message": "\tat the beginning"}));
}

#[test]
fn an_unfinished_line_and_its_rest_are_parts_of_one_record() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, format!("{ERROR}\tat unfin"));
    let program = Program::on(dir.path(), &[("OUTPUT", "json"), ("PARTIAL_TIMEOUT", "100ms")]);
    program.expect(|| program.stderr().contains("unfin"), "the unfinished line");
    append(&path, "ished\n\tat y\n");
    let expected = format!("{ERROR}\tat unfinished\n\tat y");
    program.expect(|| records(program.stderr().lines()) == [&*expected], "the whole record");
    let half = "2026-01-05 10:00:01,000 ERROR [main] c.e.App: half";
    append(&path, half);
    program.expect(|| program.stderr().contains("half"), "the unfinished record");
    append(&path, "\n");
    append(&path, INFO);
    expect_objects(&program, Program::stdout, 1);
    assert_eq!(records(program.terminate().stderr.lines()), [&*expected, half]);
}

#[test]
fn max_line_tears_no_character_of_a_record() {
    let dir = directory();
    // Of odd lengths, so that pieces and reads end within characters.
    let text: String = (1..400).map(|length| "日".repeat(length) + "\n").collect();
    append(&dir.path().join("app.log"), &text);
    let [stdout, _] = stream_all(dir.path(), &[("OUTPUT", "json"), ("MAX_LINE", "100")]);
    let found = records(std::str::from_utf8(&stdout).expect("UTF-8").lines());
    assert!(found.join("\n") + "\n" == text, "{:?}", found.iter().find(|line| line.contains('\u{fffd}')));
}

#[test]
fn records_wait_in_more_files_than_there_are_descriptors() {
    let dir = directory();
    for number in 0..200 {
        append(&dir.path().join(format!("{number}.log")), ERROR.to_owned() + TRACE);
    }
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 64; exec \"$0\"", env!("CARGO_BIN_EXE_sidetail")]);
    limited.env("SIDETAIL_PATHS", format!("{}/*.log", dir.path().display())).env("SIDETAIL_OUTPUT", "json");
    let program = Program::spawn(limited.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let found = || program.stderr().lines().filter(|line| line.starts_with('{')).count();
    program.expect(|| found() >= 200, "an object of each file");
    let ended = program.terminate();
    let all = records(ended.stderr.lines().filter(|line| line.starts_with('{')));
    assert_eq!((all.len(), ended.stdout.as_str()), (200, ""));
    assert!(all.iter().all(|record| *record == format!("{ERROR}{TRACE}").trim_end()), "{all:?}");
}

#[test]
fn a_stalled_stderr_does_not_stop_other_files() {
    let dir = directory();
    append(&dir.path().join("errors.log"), (ERROR.to_owned() + TRACE).repeat(5000));
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", &*paths), ("OUTPUT", "json")];
    let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(writer));
    append(&dir.path().join("infos.log"), INFO.repeat(3));
    let found = expect_objects(&program, Program::stdout, 3);
    assert!(found.iter().all(|one| one["level"] == "info"), "{found:?}");
    program.signal(Signal::TERM);
    let mut read = String::new();
    File::from(reader).read_to_string(&mut read).expect("UTF-8");
    assert_eq!(program.wait().status.code(), Some(0));
    // Where reading takes its time, what is left is said in between.
    let objects = read.lines().filter(|line| !line.starts_with("sidetail: "));
    assert_eq!(records(objects).len(), 5000);
}

#[test]
fn long_lines_within_a_record_stay_lines() {
    let dir = directory();
    let long = "x".repeat(100_000);
    let text = format!("{ERROR}\tat {long}\n\tat y\n{INFO}{{\"level\":\"error\",\"msg\":\"{long}\"}}\n\tat z\n{ERROR}");
    append(&dir.path().join("app.log"), &text);
    let [stdout, _] = stream_all(dir.path(), &[("OUTPUT", "json"), ("STDERR", "")]);
    let stdout = String::from_utf8(stdout).expect("UTF-8");
    let found = records(stdout.lines());
    let expected = [
        format!("{ERROR}\tat {long}\n\tat y"),
        INFO.trim_end().to_owned(),
        format!("{{\"level\":\"error\",\"msg\":\"{long}\"}}\n\tat z"),
        ERROR.trim_end().to_owned(),
    ];
    assert!(found == expected, "{:?}", found.iter().map(String::len).collect::<Vec<_>>());
}

fn born(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).and_then(|about| about.created()).expect("the file system knows")
}

#[test]
fn the_last_record_of_a_rotated_file_comes_before_the_next_files() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, INFO);
    let program = Program::on(dir.path(), &[("OUTPUT", "json"), ("STDERR", "")]);
    expect_objects(&program, Program::stdout, 1);
    let mut expected = vec![INFO.trim_end().to_owned()];
    for generation in 0..10 {
        for number in 0..3 {
            let record = ERROR.replace("boom", &format!("{generation} {number}")) + TRACE;
            append(&path, &record);
            expected.push(record.trim_end().to_owned());
        }
        let rotated = dir.path().join(format!("app.log.{generation}"));
        fs::rename(&path, &rotated).expect("renamed");
        // What was born within one tick of the file system's clock has no order.
        let probe = dir.path().join("probe");
        let is_later = || {
            append(&probe, "");
            let is_later = born(&probe) > born(&rotated);
            fs::remove_file(&probe).expect("removed");
            is_later.then_some(())
        };
        wait_for(is_later, DEADLINE).expect("the clock goes on");
    }
    append(&path, INFO);
    expected.push(INFO.trim_end().to_owned());
    program.expect(|| program.stdout().matches("going on").count() == 2, "the last record");
    assert_eq!(records(program.terminate().stdout.lines()), expected);
}

/// A generator of numbers that is the same in every run: xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn of<'a>(&mut self, choices: &[&'a [u8]]) -> &'a [u8] {
        choices[self.below(choices.len())]
    }

    /// Some text that is hard to put between quotes, at least so long; without newlines.
    fn text(&mut self, bytes: usize) -> Vec<u8> {
        let mut text = Vec::new();
        while text.len() < bytes {
            match self.below(8) {
                0 => text.push(u8::try_from(self.below(256)).expect("a byte")),
                1 => text.push(u8::try_from(self.below(32)).expect("a byte")),
                2 => text.extend(self.of(&[b"\"", b"\\", b"\\\"", b"\\u00", b"\\ud800", b"\x7f", b"\0", b"\x1b[31m"])),
                3 => text.extend(self.of(&[
                    b"\xff",
                    b"\xc3",
                    b"\xe2\x82",
                    b"\xf0\x9f\x98",
                    b"\xed\xa0\x80",
                    b"\xc0\xaf",
                ])),
                4 => {
                    text.extend(self.of(&["é".as_bytes(), "日本語".as_bytes(), "😀".as_bytes(), "\u{2028}".as_bytes()]))
                }
                _ => text.extend(self.of(&[
                    b"word ",
                    b"{\"a\":1}",
                    b",\"record\":",
                    b"}",
                    b"a level=error ",
                    b"xxxxxxxxxxxxxx",
                ])),
            }
        }
        // A carriage return at the end of a record is the only byte that is left out on purpose.
        text.retain(|byte| !matches!(byte, b'\n' | b'\r'));
        text
    }

    fn length(&mut self) -> usize {
        match self.below(40) {
            0 => 300_000 + self.below(1000),
            1 => 65_000 + self.below(1200),
            2..=6 => 16_000 + self.below(600),
            7 => 0,
            _ => self.below(400),
        }
    }

    fn line(&mut self) -> Vec<u8> {
        let length = self.length();
        let text = self.text(length);
        match self.below(8) {
            0 => [b"2026-01-05 10:00:00,123 ERROR [main] c.e.App: .", &text[..]].concat(),
            1 => [b"\tat ", &text[..]].concat(),
            2 => [b"{\"level\":\"error\",\"msg\":\"", &text[..], b"\"}"].concat(),
            3 => {
                let level = ["info", "error", "x"][self.below(3)];
                let text = String::from_utf8_lossy(&text);
                serde_json::json!({"level": level, "message": text, "n": [1.5, null]}).to_string().into_bytes()
            }
            // A bare word makes it a message; an object of pairs is another test's.
            4 => [b"level=info msg=\"", &text[..], b"\" end"].concat(),
            5 => [b"x ERROR: ", &text[..]].concat(),
            _ => text,
        }
    }

    /// What a file holds, a record of more than 1 MiB in some.
    fn file(&mut self) -> Vec<u8> {
        let mut file = Vec::new();
        for _ in 0..120 {
            file.extend(self.line());
            file.push(b'\n');
            if self.below(400) == 0 {
                for _ in 0..3000 {
                    file.extend(b"\tat ");
                    file.extend(self.text(350));
                    file.push(b'\n');
                }
            }
        }
        file
    }
}

#[test]
fn whatever_is_written_every_line_is_an_object_and_all_together_make_it_up() {
    let seed = std::env::var("SIDETAIL_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = seed.map_or(0x5eed..0x5ef3, |seed: u64| seed..seed + 1);
    for seed in seeds {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let dir = directory();
        let names: [&[u8]; 3] = [b"app.log", b"quo\"te\\\n\x01.log", b"\xff\xfe\xc3.log"];
        let files = names.map(|name| (String::from_utf8_lossy(name).into_owned(), random.file()));
        for (name, (_, file)) in names.iter().zip(&files) {
            append(&dir.path().join(OsStr::from_bytes(name)), file);
        }
        let (output, field) =
            [("json", "/file"), ("ecs", "/log.file.path"), ("gcp", "/logging.googleapis.com~1labels/file")]
                [random.below(3)];
        let [stdout, stderr] = stream_all(dir.path(), &[("OUTPUT", output), ("STDERR", "")]);
        // On a busy machine it takes long enough for a word on how far the end is.
        let said = String::from_utf8_lossy(&stderr);
        assert!(said.lines().all(|line| line.contains(" bytes are left to stream")), "seed {seed}: {said}");
        let stdout = String::from_utf8(stdout).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        for (name, file) in &files {
            let is_of_file = |line: &&str| {
                object(line).pointer(field).and_then(Value::as_str).is_some_and(|found| found.ends_with(name.as_str()))
            };
            // A blank line behind a record of JSON is a blank in its object.
            let without_blanks = |text: &str| -> String {
                let lines = text.split('\n').map(|line| line.trim_end_matches([' ', '\r']));
                lines.filter(|line| !line.is_empty()).flat_map(|line| [line, "\n"]).collect()
            };
            let found = without_blanks(&records(stdout.lines().filter(is_of_file)).join("\n"));
            let expected = without_blanks(&String::from_utf8_lossy(file));
            let same = found.bytes().zip(expected.bytes()).take_while(|(one, other)| one == other).count();
            let around = |text: &str| {
                String::from_utf8_lossy(&text.as_bytes()[same.saturating_sub(40)..(same + 40).min(text.len())])
                    .into_owned()
            };
            assert!(
                found == expected,
                "seed {seed}, {output}, {name:?}, from byte {same} of {} and {}:\n{:?} instead of\n{:?}",
                found.len(),
                expected.len(),
                around(&found),
                around(&expected)
            );
        }
    }
}
