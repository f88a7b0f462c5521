//! Logs as applications write them, the same at every call, to measure with: what a figure is of must never change.

/// What the lines of a log look like.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// An object a line, as zap and pino write it.
    Json,
    /// nginx's and Apache's access log.
    Access,
    /// log4j, an error with its stack trace.
    Java,
    /// A level at the beginning, and no format that is known.
    Plain,
    /// Runs of [`RUN_RECORDS`] records of each of these.
    Mixed,
}

/// How many records follow each other in one format. A whole number of rounds through all four keeps the shares equal.
pub const RUN_RECORDS: usize = 500;

/// What stands in the last line, an ordinary one, and in no other.
pub const LAST: &str = "this is the end";

/// One record in so many is an error.
const ERROR_EVERY: usize = 100;

/// How many lines a stack trace has.
const TRACE_LINES: usize = 10;

/// Returns so many records, and the last line.
pub fn log(kind: Kind, records: usize) -> String {
    let mut text = String::new();
    for number in 0..records {
        let is_error = number % ERROR_EVERY == 37;
        let run = match kind {
            Kind::Mixed => [Kind::Json, Kind::Access, Kind::Java, Kind::Plain][number / RUN_RECORDS % 4],
            one => one,
        };
        text += &record(run, number, is_error);
        text.push('\n');
    }
    text + "INFO " + LAST + "\n"
}

fn record(kind: Kind, number: usize, is_error: bool) -> String {
    let milliseconds = number % 1000;
    let usual = |levels: [&'static str; 4]| levels[number * 7 % 4];
    match kind {
        Kind::Json => {
            let level = if is_error { "error" } else { usual(["info", "info", "debug", "warn"]) };
            let request = format!(r#""msg":"request served","path":"/api/v1/items/{number}","status":200"#);
            format!(r#"{{"level":"{level}","ts":1700000{milliseconds:03}.12,{request}}}"#)
        }
        Kind::Access => {
            let (host, status, bytes) = (number % 255, if is_error { 503 } else { 200 }, number * 7919 % 9999);
            let request = format!(r#""GET /x/{number} HTTP/1.1" {status} {bytes}"#);
            format!(r#"10.0.{host}.7 - - [05/Jan/2026:10:00:00 +0000] {request} "-" "curl/8""#)
        }
        Kind::Java => {
            let level = if is_error { "ERROR" } else { usual(["INFO ", "INFO ", "DEBUG", "INFO "]) };
            let trace = |line| format!("\n\tat com.example.Foo.bar{line}(Foo.java:{number})");
            let trace: String = (0..TRACE_LINES).filter(|_| is_error).map(trace).collect();
            format!(
                "2026-01-05 10:00:00,{milliseconds:03} {level} [main] com.example.Service - handled {number}{trace}"
            )
        }
        Kind::Plain | Kind::Mixed => {
            let (level, filling) = (if is_error { "ERROR" } else { "INFO" }, "x".repeat(number * 7919 % 200));
            format!("{level} something happened id={number} {filling}")
        }
    }
}

#[test]
fn a_log_is_always_the_same() {
    let four = log(Kind::Mixed, 4 * RUN_RECORDS);
    assert_eq!(four, log(Kind::Mixed, 4 * RUN_RECORDS));
    let errors = 4 * RUN_RECORDS / ERROR_EVERY;
    assert_eq!(four.lines().count(), 4 * RUN_RECORDS + errors / 4 * TRACE_LINES + 1);
    for (beginning, lines) in [("{\"level\":\"error\"", 5), ("\tat ", 50), ("10.0.", RUN_RECORDS), ("ERROR ", 5)] {
        assert_eq!(four.lines().filter(|line| line.starts_with(beginning)).count(), lines, "{beginning}");
    }
    assert!(four.ends_with("INFO this is the end\n"));
}
