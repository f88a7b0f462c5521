//! An error's word within a message, a URL, a statement, a stack frame or a counter never makes an error, whatever header stands
//! before it; and a level's word that a header has is read in every header that is read at all.

use std::path::Path;

use sidetail::format::{Formats, Level};

/// What stands before a message, with a level's word at `%`; a header without one states nothing.
const HEADERS: &[&str] = &[
    "",
    "2026-01-05 10:00:00 ",
    "2026-01-05T10:00:00.123Z ",
    "2026-01-05T10:00:00.123456+01:00 ",
    "2026/01/05 10:00:00 ",
    "2026/01/05 10:00:00.123456 main.go:7: ",
    "[2026-01-05 10:00:00] ",
    "[2026-01-05 10:00:00,123] ",
    "Jan  5 10:00:00 host app[12]: ",
    "<14>Jan  5 10:00:00 host app[12]: ",
    "Mon Jan  5 10:00:00 2026 ",
    "10:00:00 ",
    "10:00:00.123 [main] ",
    "1767607200 ",
    "260105 10:00:00 ",
    "[12] ",
    "[app] ",
    "(worker-1) ",
    "app: ",
    "web_1  | ",
    "2026-01-05 10:00:00 % ",
    "2026-01-05 10:00:00,123 % [main] com.example.App - ",
    "2026-01-05T10:00:00.123Z % app: ",
    "[2026-01-05 10:00:00] [%] ",
    "2026.01.05 10:00:00.123456 [ 7 ] {} <%> ",
    "[1] 2026/01/05 10:00:00.123456 [%] ",
    "[Nest] 42  - 01/05/2026, 10:00:00 AM     % [App] ",
    "####<Jan 5, 2026 10:00:00,123 AM UTC> <%> <App> <host> ",
    "05-Jan-2026 10:00:00.123 security: %: ",
    "2026-01-05T10:00:00.123Z|00007|app|%|",
    "2026-01-05 10:00:00.123 P00   %: ",
    "app 10:00:00.12 % ==> ",
    "<<2026/01/05-10:00:00>> core.net(7) {%} ",
    "time=\"2026-01-05T10:00:00Z\" level=% msg=",
    "20260105:10:00:00:012345 gpstart:host:gpadmin-[%]:-",
    "MainThread::%::2026-01-05 10:00:00,123::app::71::",
    "2026-01-05T10:00:00.123Z cpu3:2097)%: ",
    "2026-01-05 10:00:00.123 [8] main/103/init.lua I> ",
    "[1234]{-1}[-1/-1] 2026-01-05 10:00:00.123456 i Basis            TraceStream.cpp(00469) : ",
    "LogNet: %: ",
    "%: ",
    "[%] ",
];

/// Messages that are no errors of whoever writes them.
const MESSAGES: &[&str] = &[
    "retrying after ERROR: timeout",
    "the last ERROR was mine",
    "there was no error, nor anything FATAL",
    "GET /error?level=ERROR HTTP/1.1",
    "GET /status/FATAL/error.html served",
    "see https://example.com/ERROR/fatal/[error] for more",
    "SELECT ERROR FROM log WHERE level = 'ERROR' AND kind IN ('FATAL', 'CRITICAL')",
    "INSERT INTO errors VALUES ('ERROR: x')",
    "UPDATE ERROR SET FATAL = 1",
    "at com.example.ErrorHandler.error(ErrorHandler.java:3)",
    "errors: 0",
    "error: 0",
    "errors=0 fatal=0 critical=0",
    "0 errors, 0 warnings",
    "3 of 7 workers reported ERROR",
    "found [ERROR] in the page",
    "the [error] is in the middle",
    "wrote <error>no</error> to the client",
    "took 3 ms (ERROR 0, FATAL 0)",
    "user said \"ERROR: no disk\"",
    "set log level to ERROR",
    "set the level: ERROR",
    "error handling is on",
    "error_page /50x.html loaded",
    "panic button pressed",
    "severe weather ahead",
    "vitamin E and C",
    "the E in the middle",
    "queue depth E 7",
    "/var/log/error.log rotated",
    "config.error.level changed",
    "found app[ERROR]: in a page",
    "calls std::ERROR::new",
    "CHAT: <Error404> ERROR: hello",
    "-1 is no level",
    "the tag <ERROR> is unknown",
    "ALERT RULES loaded: 5",
    "CRITICAL PATH 3 ms",
    "to BIP2230E: see the manual",
    "exit status E> nothing",
    "command exited: error 0",
    "hash 0E1F E2 found",
];

/// Counters and headings, which state nothing where no time stands before them.
const COUNTS: &[&str] = &[
    "ERROR 0",
    "error: 0",
    "Error: 12",
    "FATAL: 0",
    "FAIL 0",
    "CRITICAL PATH 3 ms",
    "ALERT RULES loaded: 5",
    "ERROR | 0",
    "ERROR=0",
    "errors 0",
];

/// The levels' words, in the shapes in which they are put into headers.
const LOW: &[&str] = &["INFO", "DEBUG", "WARN"];

fn level(formats: &Formats, line: &str) -> Option<Level> {
    formats.judge(Path::new("/log/app.log")).line(formats, line.as_bytes(), b"").level
}

#[test]
fn an_error_word_within_a_message_makes_no_error() {
    let formats = Formats::default();
    let mut wrong = Vec::new();
    for header in HEADERS {
        for word in if header.contains('%') { LOW } else { &[""] } {
            for message in MESSAGES {
                let line = format!("{}{message}", header.replace('%', word));
                if level(&formats, &line) >= Some(Level::Error) {
                    wrong.push(line);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} lines are taken for errors:\n{}", wrong.len(), wrong.join("\n"));
}

/// Lines in which something looks like a host, a program and its message.
#[test]
fn a_setting_behind_a_time_is_no_program() {
    let formats = Formats::default();
    for line in ["2026-01-05T10:00:00+01:00 log level: ERROR", "Jan  5 10:00:00 log level: FATAL"] {
        assert_eq!(level(&formats, line), None, "{line}");
    }
}

#[test]
fn a_counter_or_a_heading_states_nothing() {
    let formats = Formats::default();
    for line in COUNTS {
        assert_eq!(level(&formats, line), None, "{line}");
    }
}

/// Names, counters and words of a message at places where some logger writes a level.
const NO_ERRORS: &[&str] = &[
    // A counter behind a name and a colon.
    "Results: fail: 0, pass: 12",
    "Summary: error: 0, warnings: 3",
    "Summary: error: 12",
    "Summary: error: 0 of 12",
    "Totals: fatal: 0 error: 3",
    "app: Error: None",
    "check: error: n/a",
    "test: error: no",
    "test: error: none; all is well",
    "checks: critical: none",
    "jobs: alert: off",
    "jobs: panic: never seen",
    // A letter in brackets that no time follows.
    "[E] Exit",
    "[F] Find a file",
    // A word in brackets that is not alone there.
    "2026-01-05 10:00:00 [no error] all well",
    "2026-01-05 10:00:00 [last error] was seen",
    "2026-01-05 10:00:00 [on fail] restart",
    // A method, and parts of programs.
    "2026-01-05 10:00:00 [OrdersController#fail] started",
    "2026-01-05 10:00:00 [Orders#error] started",
    "2026-01-05 10:00:00 [Alert-Manager.config] loaded",
    "2026-01-05 10:00:00 [Error-Handler.config] loaded",
    "2026-01-05 10:00:00 [Fail-Over.config] loaded",
    // Numbers, of which none is a thread.
    "2026-01-05 10:00:01 12345678 -1 3",
    // A constant.
    "Logger::ERROR is the default",
    "2026-01-05 10:00:00 Logger::ERROR is the level",
    // A metric.
    "metrics.error: {\"count\":0}",
    "2026-01-05 10:00:00 metrics.error: {\"count\":0}",
    // A counter of two words.
    "2026-01-05 10:00:00 fail/pass: 0/3",
    "2026-01-05 10:00:00 fail/pass: 0 of 3",
    "2026-01-05 10:00:00 error/all: 12",
];

/// The same places with what loggers write there.
const ERRORS: &[&str] = &[
    "tool: error: no such file",
    "tool: error: 3 files are missing",
    "LogNet: Error: no disk",
    "tool: fatal: out of memory",
    "[E] 2026-01-05 10:00:00 no disk",
    "[E] suricata: no disk",
    "[2026-01-05 10:00:00] [7f3a error 'App' opID=3] no disk",
    "2026-01-05 10:00:00 [x.y#error] no disk",
    "2026-01-05 10:00:00 [Error-Duplicati.Server.Main] no disk",
    "2026-01-05 10:00:01 7f2f5e2c2700 -1 osd.0 no disk",
    "2026-01-05 10:00:01 140737488355 -1 osd.0 no disk",
    "MainThread::ERROR::2026-01-05 10:00:00,123::app::71:: no disk",
    "2026-01-05 10:00:00 +0000 fluent.error: {\"message\":\"no disk\"}",
    "2026-01-05 10:00:00 critical/ApiListener: no disk",
];

#[test]
fn a_name_or_a_counter_where_a_level_may_stand_makes_no_error() {
    let formats = Formats::default();
    let of = |line: &&&str| level(&formats, line) >= Some(Level::Error);
    let wrong: Vec<_> = NO_ERRORS.iter().filter(of).copied().collect();
    assert!(wrong.is_empty(), "{} lines are taken for errors:\n{}", wrong.len(), wrong.join("\n"));
    let wrong: Vec<_> = ERRORS.iter().filter(|line| !of(line)).copied().collect();
    assert!(wrong.is_empty(), "{} errors are not found:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_heading_behind_a_header_that_was_met_before_states_nothing() {
    let formats = Formats::default();
    for header in ["2026-01-05 10:00:00,123 [main] ", "2026-01-05 10:00:00,123 ", "2026-01-05T10:00:00.123Z  "] {
        for (word, heading) in
            [("CRITICAL", "CRITICAL PATH 3 ms"), ("SEVERE", "SEVERE PATH of 3"), ("ALERT", "ALERT RULES: 5")]
        {
            let mut judge = formats.judge(Path::new("/log/app.log"));
            let mut of = |message: &str| judge.line(&formats, format!("{header}{message}").as_bytes(), b"").level;
            for message in ["disk full", "PATH of disk", "RULES: none"] {
                of("INFO com.example.App - started");
                of(&format!("{word} {message}"));
                assert_eq!(
                    of(heading),
                    level(&formats, &format!("{header}{heading}")),
                    "{header}{heading}, behind {message}"
                );
            }
        }
    }
}

#[test]
fn an_error_word_in_a_header_makes_an_error() {
    let formats = Formats::default();
    let mut wrong = Vec::new();
    for header in HEADERS.iter().filter(|header| header.contains('%')) {
        for message in MESSAGES.iter().filter(|message| !message.ends_with('0') && !message.contains(" 3 ms")) {
            for word in ["ERROR", "FATAL"] {
                let line = format!("{}{message}", header.replace('%', word));
                if level(&formats, &line) < Some(Level::Error) {
                    wrong.push(line);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} errors are not found:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_word_at_another_place_of_json_is_no_level() {
    let formats = Formats::default();
    for line in [
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","verb":"get","requestURI":"/ERROR"}"#,
        r#"{"msg":"level ERROR","path":"/error","error":null,"errors":0}"#,
        r#"{"reqId":"a","level":2,"message":"an ERROR"}"#,
        r#"{"status":"error","code":7}"#,
        r#"{"a":{"level":"error"},"level":"info"}"#,
        r#"{"tags":["error"],"msg":"x"}"#,
        r#"{"status":503,"msg":"a number of something"}"#,
    ] {
        assert!(level(&formats, line) < Some(Level::Error), "{line}");
    }
}
