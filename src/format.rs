//! What format a line is in, what level it states, whether it continues the record before.
//!
//! Pure. Each format is a function that reads a line's header by hand; a family of them is a file in `format/`. A [`Judge`]
//! remembers for one file which format it is in, so that most lines are read once, by the right function; but every line is
//! judged for itself: one that clearly belongs to another format is read as that.
//!
//! Unsure means no level: a level is only what stands where the format puts it, never a word somewhere in a message.
//!
//! Every function takes time linear in the length of its line, whatever the bytes are.

mod access;
mod alarm;
mod container;
mod continuation;
mod databases;
mod dated;
mod dotnet;
mod fields;
mod golang;
mod headers;
mod java;
mod json;
mod json_text;
mod judge;
mod logcat;
mod logfmt;
mod own;
mod plain;
mod python;
mod rust;
mod scan;
mod scripting;
mod servers;
mod skim;
mod syslog;
mod time;

use crate::level::Level;
pub use fields::{Fields, fields, message, unwrapped};
pub use headers::Headers;
pub use json_text::{is_json_object, plain_bytes};
pub use judge::{AHEAD_BYTES_MAX, Formats, Judge, Verdict};
pub use own::OwnFormat;
pub use scan::Span;
pub use skim::{Skim, Unread};
pub use time::Time;

/// What a format reads from the front of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// How serious it says it is.
    pub level: Option<Level>,
    /// Where its time stands, as it is written there; empty if it has none.
    pub time: Span,
    /// Where its message begins, in bytes; 0 if header and message are not told apart.
    pub message: u32,
    /// It has a header of its own, but belongs to the record before it: PostgreSQL's `DETAIL:`.
    pub continues: bool,
    /// The next line belongs to it, whatever that looks like: a container runtime's `P` record.
    pub is_open: bool,
    /// How many bytes at its front say all this, whatever stands behind them and whatever their digits are; 0 for unknown.
    pub header: u32,
}

/// What the lines of a record are, beyond the one with the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// A record is one line; only what looks like a trace continues it.
    Single,
    /// A line without a header continues the record before it.
    Multiple,
}

/// What stands behind the letters at the front of a line, if it begins with a capital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    /// Whatever it is.
    Any,
    /// They are the name of a month, with a blank behind it; or something else than a blank follows them.
    Month,
    /// Behind a blank a date or a bracket; or something else than a blank.
    Dated,
    /// Something else than a blank.
    Joined,
}

/// A built-in log format.
#[derive(Debug)]
pub struct Format {
    /// Its name in rules, in `FORMATS` and in the output of `classify`.
    pub name: &'static str,
    /// With which bytes its lines begin: itself, or `0` for any digit, `t` for a digit of a date or time, `a` for a lower and
    /// `A` for an upper case letter; a line that begins with colours (`ESC`) is tried by all. Empty for any byte.
    first: &'static [u8],
    words: Words,
    lines: Lines,
    /// Reads a line, given without newline and without the carriage return before it; `None` if it is not of this format.
    read: fn(&[u8]) -> Option<Head>,
}

/// Every built-in format, in the order in which the line of an unknown file is tried.
///
/// The strict ones come first: a line that two formats could claim belongs to the one that asks for more. `plain`, which
/// claims every line, is the last.
pub static FORMATS: &[Format] = &[
    Format { name: "docker", first: b"{", words: Words::Any, lines: Lines::Single, read: container::read_docker },
    Format { name: "json", first: b"{", words: Words::Any, lines: Lines::Single, read: json::read },
    Format { name: "cri", first: b"t", words: Words::Any, lines: Lines::Single, read: container::read_cri },
    Format { name: "klog", first: b"IWEF", words: Words::Joined, lines: Lines::Multiple, read: golang::read_klog },
    Format { name: "haproxy", first: b"A0a:[<", words: Words::Month, lines: Lines::Single, read: access::read_haproxy },
    Format { name: "rfc5424", first: b"<", words: Words::Any, lines: Lines::Single, read: syslog::read_rfc5424 },
    Format { name: "rfc3164", first: b"<At", words: Words::Month, lines: Lines::Single, read: syslog::read_rfc3164 },
    Format { name: "access", first: b"", words: Words::Any, lines: Lines::Single, read: access::read_access },
    Format { name: "nginx", first: b"tn", words: Words::Any, lines: Lines::Single, read: servers::read_nginx },
    Format { name: "apache", first: b"[", words: Words::Any, lines: Lines::Single, read: servers::read_apache },
    Format { name: "php-fpm", first: b"[", words: Words::Any, lines: Lines::Multiple, read: servers::read_php_fpm },
    Format {
        name: "postgresql",
        first: b"0<[A",
        words: Words::Joined,
        lines: Lines::Multiple,
        read: databases::read_postgresql,
    },
    Format {
        name: "mysql-slow",
        first: b"#",
        words: Words::Any,
        lines: Lines::Multiple,
        read: databases::read_mysql_slow,
    },
    Format { name: "mysql", first: b"0", words: Words::Any, lines: Lines::Multiple, read: databases::read_mysql },
    Format { name: "redis", first: b"0[", words: Words::Any, lines: Lines::Single, read: databases::read_redis },
    Format { name: "mongodb", first: b"t", words: Words::Any, lines: Lines::Multiple, read: databases::read_mongodb },
    Format {
        name: "rabbitmq",
        first: b"t=",
        words: Words::Any,
        lines: Lines::Multiple,
        read: databases::read_rabbitmq,
    },
    Format { name: "monolog", first: b"[", words: Words::Any, lines: Lines::Multiple, read: scripting::read_monolog },
    Format { name: "rails", first: b"A[t", words: Words::Any, lines: Lines::Multiple, read: scripting::read_rails },
    Format { name: "gunicorn", first: b"[", words: Words::Any, lines: Lines::Multiple, read: python::read_gunicorn },
    Format { name: "uwsgi", first: b"[{", words: Words::Any, lines: Lines::Single, read: python::read_uwsgi },
    Format { name: "logcat", first: b"0VDIWEFA", words: Words::Joined, lines: Lines::Single, read: logcat::read },
    Format { name: "dotnet", first: b"aAt[", words: Words::Joined, lines: Lines::Multiple, read: dotnet::read },
    Format { name: "env_logger", first: b"[", words: Words::Any, lines: Lines::Multiple, read: rust::read_env_logger },
    Format { name: "tracing", first: b"t IWEDT", words: Words::Any, lines: Lines::Multiple, read: rust::read_tracing },
    Format { name: "go", first: b"0A[", words: Words::Dated, lines: Lines::Multiple, read: golang::read_go },
    Format { name: "jul", first: b"At[", words: Words::Month, lines: Lines::Multiple, read: java::read_jul },
    Format { name: "python", first: b"tA[", words: Words::Dated, lines: Lines::Multiple, read: python::read_python },
    Format { name: "log4j", first: b"0A[", words: Words::Dated, lines: Lines::Multiple, read: java::read_log4j },
    Format { name: "logfmt", first: b"aA@", words: Words::Joined, lines: Lines::Single, read: logfmt::read },
    Format { name: "plain", first: b"", words: Words::Any, lines: Lines::Single, read: plain::read },
];

/// For each first byte of a line the formats that it may be of but `plain`: a bit each, the first format's the lowest.
static CANDIDATES: [u64; 256] = candidates();

/// The formats that want this behind a capitalised first word: a bit each.
const fn wanting(words: Words) -> u64 {
    let (mut wanting, mut index) = (0, 0);
    while index < FORMATS.len() {
        if FORMATS[index].words as u8 == words as u8 {
            wanting |= 1 << index;
        }
        index += 1;
    }
    wanting
}

static MONTH: u64 = wanting(Words::Month);
static DATED: u64 = wanting(Words::Dated);
static JOINED: u64 = wanting(Words::Joined);

/// The formats whose lines begin with a date or time if they begin with a digit: a bit each.
static TIMED: u64 = timed();

const fn timed() -> u64 {
    let (mut timed, mut index) = (0, 0);
    while index < FORMATS.len() {
        if FORMATS[index].has_first(b't') {
            timed |= 1 << index;
        }
        index += 1;
    }
    timed
}

const fn candidates() -> [u64; 256] {
    let mut candidates = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut index = 0;
        while index + 1 < FORMATS.len() {
            if FORMATS[index].may_begin_with(byte as u8) {
                candidates[byte] |= 1 << index;
            }
            index += 1;
        }
        byte += 1;
    }
    candidates
}

impl Format {
    /// Says whether a line may be of this format, by its first byte alone.
    const fn may_begin_with(&self, first: u8) -> bool {
        let is_class = match first {
            b'0'..=b'9' => self.has_first(b'0') || self.has_first(b't'),
            b'a'..=b'z' => self.has_first(b'a') || first != b'a' && first != b't' && self.has_first(first),
            b'A'..=b'Z' => self.has_first(b'A') || self.has_first(first),
            b'\x1b' => true,
            _ => self.has_first(first),
        };
        self.first.is_empty() || is_class
    }

    const fn has_first(&self, class: u8) -> bool {
        let mut index = 0;
        while index < self.first.len() {
            if self.first[index] == class {
                return true;
            }
            index += 1;
        }
        false
    }
}

/// Returns the formats but `plain` that a line may be of, by the looks of its front: a bit each.
fn candidates_for(line: &[u8]) -> u64 {
    let Some(first) = line.first() else { return 0 };
    let candidates = CANDIDATES[usize::from(*first)];
    match first {
        b'0'..=b'9' if !scan::may_be_time(line) => candidates & !TIMED,
        b'0'..=b'9' => candidates & dated::candidates(line),
        b'A'..=b'Z' => {
            let letters = line.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let rest = &line[letters..];
            let behind = rest.iter().find(|byte| **byte != b' ').copied().unwrap_or(0);
            if rest.first() != Some(&b' ') {
                candidates
            } else if letters == 3 {
                candidates & !JOINED
            } else if behind.is_ascii_digit() || matches!(behind, b'[' | b'\x1b') {
                candidates & !(JOINED | MONTH)
            } else {
                candidates & !(JOINED | MONTH | DATED)
            }
        }
        _ => candidates,
    }
}

/// Names a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FormatId(u8);

#[cfg(test)]
mod tests {
    use super::*;

    /// `line` is of the format `name`; its time stands between `<` and `>`, its message behind `^`.
    fn check(name: &str, line: &str) {
        let mark = |mark: char| line.find(mark).map_or(0, |at| at - line[..at].matches(['<', '>', '^']).count());
        let plain = line.replace(['<', '>', '^'], "");
        let format = FORMATS.iter().find(|format| format.name == name).expect("a format");
        let head = (format.read)(plain.as_bytes()).unwrap_or_else(|| panic!("{name} does not claim {plain:?}"));
        let found = (head.time.start as usize, head.time.end as usize, head.message as usize);
        assert_eq!(found, (mark('<'), mark('>'), mark('^')), "{name}: {plain:?}");
    }

    #[test]
    fn times_and_messages_stand_where_they_are_written() {
        for (name, line) in [
            ("klog", "I<0105 10:00:00.123456>       1 server.go:153] ^x"),
            ("go", "<2026/01/05 10:00:00> main.go:23: ^x"),
            ("go", "<2026-01-05T10:00:00.123Z>\tINFO\t^main.go:1\tx"),
            ("go", "INFO[<0042>] ^x"),
            ("log4j", "<2026-01-05 10:00:00,123> INFO  ^[main] c.e.App: x"),
            ("log4j", "[<2026-01-05T10:00:00,123>][INFO ]^[o.e.n.Node] x"),
            ("log4j", "<26/01/05 10:00:00> INFO ^SparkContext: x"),
            ("jul", "<Jan 05, 2026 9:00:00 AM> com.example.App main"),
            ("jul", "<05-Jan-2026 10:00:00.123> INFO ^[main] x"),
            ("python", "WARNING:root:^x"),
            ("python", "<2026-01-05 10:00:00,123> - app - INFO - ^x"),
            ("python", "[<2026-01-05 10:00:00,123>: INFO/MainProcess] ^x"),
            ("gunicorn", "[<2026-01-05 10:00:00 +0000>] [1] [INFO] ^x"),
            ("uwsgi", "[pid: 1|app: 0|req: 1/1] ::1 () {2 vars in 3 bytes} [<Mon Jan  5 10:00:00 2026>] GET /"),
            ("env_logger", "[<2026-01-05T10:00:00Z> INFO  my_crate] ^x"),
            ("tracing", "<2026-01-05T10:00:00.123456Z>  INFO ^my_crate: x"),
            ("dotnet", "[<10:00:00> INF] ^x"),
            ("dotnet", "<2026-01-05 10:00:00.123 +00:00> [INF] ^x"),
            ("logcat", "<01-05 10:00:00.123>  1234  1240 D Tag: ^x"),
            ("monolog", "[<2026-01-05T10:00:00.123456+00:00>] app.INFO: ^x"),
            ("rails", "I, [<2026-01-05T10:00:00.123456> #12]  INFO -- : ^x"),
        ] {
            check(name, line);
        }
    }

    #[test]
    fn no_format_that_claims_a_sample_is_left_out_by_the_looks_of_its_front() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
        let mut count = 0;
        for entry in std::fs::read_dir(directory).expect("the samples") {
            let samples = std::fs::read(entry.expect("readable").path()).expect("readable");
            for line in
                samples.split(|byte| *byte == b'\n').filter_map(|line| line.splitn(4, |byte| *byte == b'\t').nth(3))
            {
                let candidates = candidates_for(line);
                for (index, format) in FORMATS[..FORMATS.len() - 1].iter().enumerate() {
                    // Lines that begin with a blank, or that are pinned, are read without this.
                    if (format.read)(line).is_some() && !line.starts_with(b" ") {
                        let shown = String::from_utf8_lossy(line);
                        assert!(candidates >> index & 1 == 1, "{} is not asked of {shown:?}", format.name);
                        count += 1;
                    }
                }
            }
        }
        assert!(count > 500, "{count}");
    }

    /// What may stand behind a header that says everything.
    const RESTS: &[&[u8]] = &[
        b"",
        b"x",
        b" ",
        b"ERROR x",
        b"[main] x",
        b"- x",
        b": x",
        b"1 --- [a]",
        b"com.example.App - x",
        b"INFO",
        b"\",\"level\":\"error\"}",
        b"level=error",
        b"\x1b[31mx",
        b"\xff",
    ];

    /// The samples' headers, with other digits in them and other text behind them, are read as in the samples.
    #[test]
    fn what_stands_behind_a_header_and_which_digits_are_in_it_changes_nothing() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
        let mut count = 0;
        for entry in std::fs::read_dir(directory).expect("the samples") {
            let samples = std::fs::read(entry.expect("readable").path()).expect("readable");
            for line in
                samples.split(|byte| *byte == b'\n').filter_map(|line| line.splitn(4, |byte| *byte == b'\t').nth(3))
            {
                for format in FORMATS {
                    let Some(head) = (format.read)(line).filter(|head| head.header > 0) else { continue };
                    let header = &line[..head.header as usize];
                    // A smaller digit leaves a time possible, but for day and month 0.
                    let smaller = |byte: &u8| if (b'2'..=b'9').contains(byte) { byte - 1 } else { *byte };
                    let others: Vec<u8> = header.iter().map(smaller).collect();
                    for front in [header, &others] {
                        for rest in RESTS {
                            let text = [front, rest].concat();
                            let found = (format.read)(&text).map(|found| (found.level, found.time, found.continues));
                            let wanted = Some((head.level, head.time, head.continues));
                            assert_eq!(found, wanted, "{}: {:?}", format.name, String::from_utf8_lossy(&text));
                            count += 1;
                        }
                    }
                }
            }
        }
        assert!(count > 1000, "{count}");
    }
}
