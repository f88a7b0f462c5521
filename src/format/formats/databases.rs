//! Databases and brokers: PostgreSQL, MySQL and MariaDB, Redis and Valkey, MongoDB before 4.4, RabbitMQ.

use crate::format::block::{Alarm, Dated, Format, Front, Reader, RecordLines, Shape, Words};
use crate::format::head::Head;
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;
use crate::format::slow_log;

/// PostgreSQL.
pub(crate) const POSTGRESQL: Format = Format {
    name: "postgresql",
    grave: &[b" was terminated by signal "],
    read: Reader::Line(read_postgresql),
    may_continue: true,
    lines: RecordLines::Multiple,
    front: Front { first: b"0<[A", words: Words::Joined, ..Front::ANY },
    layouts: layouts::POSTGRESQL,
    ..Format::NONE
};

/// PostgreSQL's csvlog.
pub(crate) const CSVLOG: Format = Format {
    name: "csvlog",
    read: Reader::Line(read_csvlog),
    lines: RecordLines::Multiple,
    grave: &[b" was terminated by signal "],
    front: Front { first: b"0", dated: Dated::new(Shape::Dashed, b",+-ABCDEFGHIJKLMNOPQRSTUVWXYZ"), ..Front::ANY },
    layouts: layouts::CSVLOG,
    ..Format::NONE
};

/// MySQL's and MariaDB's slow log.
pub(crate) const MYSQL_SLOW: Format = Format {
    name: "mysql-slow",
    read: Reader::Line(read_mysql_slow),
    may_continue: true,
    lines: RecordLines::Multiple,
    front: Front { first: b"#", ..Front::ANY },
    outline: Some(slow_log::outline),
    ..Format::NONE
};

/// MySQL's and MariaDB's error log.
pub(crate) const MYSQL: Format = Format {
    name: "mysql",
    read: Reader::Line(read_mysql),
    lines: RecordLines::Multiple,
    front: Front { first: b"0", dated: Dated::new(Shape::Any, b"0["), ..Front::ANY },
    layouts: layouts::MYSQL,
    ..Format::NONE
};

/// Redis and Valkey.
pub(crate) const REDIS: Format = Format {
    name: "redis",
    grave: &[b"Background saving error", b" crashed by signal", b"=== ASSERTION FAILED ==="],
    read: Reader::Line(read_redis),
    front: Front { first: b"0[", dated: Dated::new(Shape::None, b""), ..Front::ANY },
    layouts: layouts::REDIS,
    ..Format::NONE
};

/// MongoDB before 4.4.
pub(crate) const MONGODB: Format = Format {
    name: "mongodb",
    read: Reader::Line(read_mongodb),
    lines: RecordLines::Multiple,
    front: Front { first: b"t", dated: Dated { is_letter: true, ..Dated::new(Shape::Iso, b"FEWID") }, ..Front::ANY },
    layouts: layouts::MONGODB,
    ..Format::NONE
};

/// RabbitMQ.
pub(crate) const RABBITMQ: Format = Format {
    name: "rabbitmq",
    read: Reader::Line(read_rabbitmq),
    lines: RecordLines::Multiple,
    front: Front { first: b"t=", dated: Dated::new(Shape::Any, b"["), ..Front::ANY },
    alarms: &[Alarm::Front(b"=CRASH"), Alarm::Front(b"=SUPERVISOR")],
    layouts: layouts::RABBITMQ,
    ..Format::NONE
};

/// SAP HANA.
pub(crate) const HANA: Format = Format {
    name: "sap-hana",
    read: Reader::Line(read_hana),
    lines: RecordLines::Multiple,
    front: Front { first: b"[", ..Front::ANY },
    has_no_alarms: true,
    ..Format::NONE
};

/// How long a `log_line_prefix` may be, in bytes.
const PREFIX_MAX: usize = 256;

/// Reads `2026-01-05 10:00:00.123 UTC [12] user@db LOG:  message`, whatever `log_line_prefix` puts before the severity.
///
/// Two spaces behind the severity's colon are what all of them have in common.
///
/// Source: PostgreSQL's documentation, "Error Reporting and Logging".
fn read_postgresql(line: &[u8]) -> Option<Head> {
    let front = &line[..line.len().min(PREFIX_MAX)];
    let colon = memchr::memchr_iter(b':', front).find(|at| line[at + 1..].starts_with(b"  "))?;
    let letters = front[..colon].iter().rev();
    let length = letters.take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()).count();
    let (prefix, word) = front[..colon].split_at(colon - length);
    let severity = severity(word)?;
    let is_ended = prefix.last().is_none_or(|last| b" :>]-|,".contains(last));
    if !is_ended || !is_prefix(prefix, word, line.get(colon + 3).copied()) {
        return None;
    }
    let mut scan = Scan::new(line);
    let is_bracketed = scan.eat(b'<') || scan.eat(b'[');
    scan.spaces();
    let time = scan.date_time().filter(|_| is_bracketed || prefix.first() != Some(&b'[')).unwrap_or_default();
    let (level, continues) = (severity, severity.is_none());
    let message = u32::try_from(colon + 3).unwrap_or(0);
    // `DEBUG5` has another level than `DEBUG9`, which is none.
    let is_whole = colon + 3 < line.len() && !word.last().is_some_and(u8::is_ascii_digit);
    let header = if is_whole { message + 1 } else { 0 };
    Some(Head { level, time, message, continues, header, ..Head::default() })
}

/// Returns the level of a severity; that of what explains the message before it is none.
#[allow(clippy::option_option, reason = "no severity at all, or one without a level")]
fn severity(word: &[u8]) -> Option<Option<Level>> {
    Some(Some(match word {
        b"LOG" | b"INFO" => Level::Info,
        b"ERROR" => Level::Error,
        b"WARNING" => Level::Warn,
        b"NOTICE" => Level::Notice,
        b"FATAL" | b"PANIC" => Level::Fatal,
        b"DEBUG" | b"DEBUG1" | b"DEBUG2" | b"DEBUG3" | b"DEBUG4" | b"DEBUG5" => Level::Debug,
        b"DETAIL" | b"HINT" | b"STATEMENT" | b"CONTEXT" | b"QUERY" | b"LOCATION" => return Some(None),
        _ => return None,
    }))
}

/// Returns whether a severity with this before it and `next` behind it is PostgreSQL's. Many others write `WARNING:  x`, so
/// without a prefix only words count that PostgreSQL alone has.
fn is_prefix(prefix: &[u8], word: &[u8], next: Option<u8>) -> bool {
    if next == Some(b' ') {
        return false;
    }
    match prefix {
        [] => !matches!(word, b"INFO" | b"WARNING" | b"DEBUG" | b"ERROR"),
        [b'[', first, ..] | [b'<', b' ', first, ..] | [b'<', first, ..] | [first, ..] => first.is_ascii_digit(),
    }
}

/// Reads `[1234]{300001}[12/-1] 2026-01-05 10:00:00.123456 e Basis            TraceStream.cpp(00469) : message`.
///
/// Source: SAP's "HANA Troubleshooting and Performance Analysis Guide", "Traces".
fn read_hana(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    let is_thread = scan.eat(b'[') && scan.digits(1, 10).is_some() && scan.eat_all(b"]{");
    is_thread.then_some(())?;
    scan.until(b'}')?;
    let is_transaction = scan.eat(b'[') && scan.until(b']').is_some() && scan.spaces();
    let start = scan.at();
    is_transaction.then(|| scan.date_time()).flatten()?;
    let time = scan.since(start);
    let [letter] = scan.eat(b' ').then(|| scan.letters())? else { return None };
    let level = Level::from_letter(letter.to_ascii_uppercase())?;
    scan.eat(b' ').then_some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Which field of csvlog the severity is, from 0.
const CSVLOG_SEVERITY: usize = 11;

/// The same of Greenplum, which has more fields.
const GREENPLUM_SEVERITY: usize = 16;

/// Reads `2026-01-05 10:00:00.123 UTC,"user","db",36,"10.0.0.1:4000",...,ERROR,42601,"message",...`; quoted fields may hold
/// newlines. Greenplum has its severity in quotes, and further back.
///
/// Source: PostgreSQL's documentation, "Using CSV-Format Log Output".
fn read_csvlog(line: &[u8]) -> Option<Head> {
    // Most other lines have no comma behind their time.
    if line.get(4) != Some(&b'-') || memchr::memchr(b',', &line[..line.len().min(40)]).is_none_or(|at| at < 23) {
        return None;
    }
    let mut scan = Scan::new(line);
    scan.date_time()?;
    // A zone that is a name few have.
    scan.eat(b' ');
    scan.while_is(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-'));
    let time = scan.since(0);
    for field in 1..=GREENPLUM_SEVERITY {
        scan.eat(b',').then_some(())?;
        let start = scan;
        // A doubled quote within quotes opens them again at once.
        while scan.eat(b'"') {
            scan.until(b'"')?;
        }
        scan.while_is(|byte| byte != b',' && byte != b'"');
        if matches!(field, CSVLOG_SEVERITY | GREENPLUM_SEVERITY) {
            let text = &start.rest()[..(scan.at() - start.at()) as usize];
            let word = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
            if let Some(level) = severity(word).flatten() {
                return (scan.peek() == b',').then_some(Head { level: Some(level), time, ..Head::default() });
            }
        }
    }
    None
}

/// Reads the comments before a statement in the slow log: `# Time: 2026-01-05T10:00:00.123456Z`, `# User@Host: ...`.
fn read_mysql_slow(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    if !scan.eat_all(b"# ") {
        return None;
    }
    if scan.eat_all(b"Time: ") {
        let start = scan.at();
        if scan.date_time().is_some() {
            return Some(Head { time: scan.since(start), ..Head::default() });
        }
        return scan.peek().is_ascii_digit().then(Head::default);
    }
    // MariaDB writes the time only when the second is another, so a record may begin with its user.
    if scan.rest().starts_with(b"User@Host: ") {
        return Some(Head { continues: true, is_second: true, ..Head::default() });
    }
    let names = [&b"Query_time: "[..], b"Thread_id: ", b"Schema: ", b"Bytes_sent: ", b"administrator "];
    let continues = names.iter().any(|name| scan.rest().starts_with(name));
    continues.then_some(Head { continues, ..Head::default() })
}

/// Reads `2026-01-05T10:00:00.123456Z 0 [Note] [MY-010116] [Server] message`, and the older and MariaDB's
/// `2026-01-05 10:00:00 0 [Note] message`, `260105 10:00:00 [ERROR] message`.
fn read_mysql(line: &[u8]) -> Option<Head> {
    // The level stands in brackets.
    memchr::memchr(b'[', line)?;
    let mut scan = Scan::new(line);
    let mut is_short = false;
    let time = scan.date_time().or_else(|| {
        // `260105  1:00:00`, `2026-01-05  1:00:00`
        is_short = scan.digits(6, 6).is_some();
        if !is_short {
            scan.while_is(|byte| byte.is_ascii_digit() || byte == b'-');
        }
        scan.spaces();
        scan.while_is(|byte| byte.is_ascii_digit() || byte == b':');
        (scan.at() > 10).then(|| scan.since(0))
    })?;
    if !scan.spaces() {
        return None;
    }
    let thread = scan.digits(1, 20);
    if thread.is_some() && !scan.spaces() {
        return None;
    }
    let level = match scan.between(b'[', b']')? {
        b"Note" | b"System" | b"NOTE" => Level::Info,
        b"Warning" | b"WARNING" | b"Warn" => Level::Warn,
        b"ERROR" | b"Error" => Level::Error,
        _ => return None,
    };
    if !scan.spaces() && !scan.is_end() {
        return None;
    }
    let message = scan.at();
    let is_marked = is_short || thread.is_some() || scan.rest().starts_with(b"[Entrypoint]");
    is_marked.then_some(Head { level: Some(level), time, message, ..Head::default() })
}

/// Reads `1:M 05 Jan 2026 10:00:00.123 * message`, and `[1] 05 Jan 10:00:00.123 # message` of old.
fn read_redis(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    if scan.eat(b'[') {
        scan.digits(1, 10)?;
        scan.eat(b']').then_some(())?;
    } else {
        scan.digits(1, 10)?;
        scan.eat(b':').then_some(())?;
        if scan.eat_all(b"signal-handler (") {
            return Some(Head { message: scan.at(), ..Head::default() });
        }
        let role = scan.letters();
        matches!(role, b"X" | b"C" | b"S" | b"M").then_some(())?;
    }
    if !scan.eat(b' ') {
        return None;
    }
    let start = scan.at();
    if scan.date_time().is_none() {
        // Old ones have no year.
        let is_time = scan.digits(2, 2).is_some() && scan.eat(b' ') && scan.month() && scan.eat(b' ') && scan.clock();
        is_time.then_some(())?;
    }
    let time = scan.since(start);
    scan.eat(b' ').then_some(())?;
    let level = match scan.peek() {
        b'.' | b'-' => Some(Level::Debug),
        b'*' => Some(Level::Notice),
        b'#' => Some(Level::Warn),
        0 => None,
        _ => return None,
    };
    scan.eat(scan.peek());
    if !scan.eat(b' ') && !scan.is_end() {
        return None;
    }
    Some(Head { level, time, message: scan.at(), ..Head::default() })
}

/// Reads `2026-01-05T10:00:00.123+0000 I NETWORK  [listener] message`.
///
/// Source: MongoDB's manual, version 4.2, "Log Messages".
fn read_mongodb(line: &[u8]) -> Option<Head> {
    if line.get(10) != Some(&b'T') {
        return None;
    }
    let mut scan = Scan::new(line);
    let time = scan.date_time()?;
    scan.eat(b' ').then_some(())?;
    let letter = scan.peek();
    let level = matches!(letter, b'F' | b'E' | b'W' | b'I' | b'D').then(|| Level::from_letter(letter))?;
    scan.eat(letter);
    // `D1` to `D5`
    scan.digits(1, 1);
    scan.spaces().then_some(())?;
    let component = scan.while_is(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-'));
    let is_component = !component.is_empty() && scan.spaces() && scan.between(b'[', b']').is_some();
    is_component.then_some(())?;
    scan.eat(b' ');
    Some(Head { level, time, message: scan.at(), ..Head::default() })
}

/// Reads `2026-01-05 10:00:00.123456+00:00 [error] <0.100.0> message`, and before 3.7 the heading of a report,
/// `=ERROR REPORT==== 5-Jan-2026::10:00:00 ===`.
fn read_rabbitmq(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    if scan.peek() == b'=' {
        return read_report(scan);
    }
    scan.colours();
    let time = scan.date_time()?;
    scan.blanks();
    let word = scan.between(b'[', b']')?;
    let level = Level::from_word(word.trim_ascii_end())?;
    scan.blanks();
    let process = scan.between(b'<', b'>')?;
    if process.is_empty() || !process.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return None;
    }
    scan.spaces();
    Some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

fn read_report(mut scan: Scan<'_>) -> Option<Head> {
    scan.eat(b'=');
    let level = match scan.letters() {
        b"ERROR" | b"CRASH" | b"SUPERVISOR" => Level::Error,
        b"WARNING" => Level::Warn,
        b"INFO" | b"PROGRESS" => Level::Info,
        b"NOTICE" => Level::Notice,
        b"DEBUG" => Level::Debug,
        b"CRITICAL" => Level::Critical,
        _ => return None,
    };
    scan.eat_all(b" REPORT==== ").then_some(())?;
    let start = scan.at();
    let date = scan.while_is(|byte| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte));
    let is_date = date.first().is_some_and(u8::is_ascii_digit);
    is_date.then(|| Head { level: Some(level), time: scan.since(start), ..Head::default() })
}
