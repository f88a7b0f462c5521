//! Python: `logging` as applications configure it (Django, Flask, Airflow, Celery, uvicorn, Tornado), loguru, structlog; its
//! servers gunicorn and uWSGI.

use super::java;
use crate::format::block::{Alarm, Crash, Dated, Format, Front, Reader, RecordLines, Shape, Words};
use crate::format::head::Head;
use crate::format::head::Span;
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// gunicorn.
pub(crate) const GUNICORN: Format = Format {
    name: "gunicorn",
    read: Reader::Line(read_gunicorn),
    lines: RecordLines::Multiple,
    front: Front { first: b"[", is_timed_in_brackets: true, ..Front::ANY },
    layouts: layouts::GUNICORN,
    ..Format::NONE
};

/// uWSGI.
pub(crate) const UWSGI: Format = Format {
    name: "uwsgi",
    crashes: &[
        // Behind a time, and alone.
        Crash::new(b"HARAKIRI ON WORKER", Level::Error),
        Crash::new(b"*** HARAKIRI ON WORKER", Level::Error).interrupting(Level::Error),
    ],
    read: Reader::Line(read_uwsgi),
    front: Front { first: b"[{D", ..Front::ANY },
    alarms: &[Alarm::Phrase(b" killed by signal ")],
    layouts: layouts::UWSGI,
    ..Format::NONE
};

/// Python's `logging`; how a program in Python ends.
pub(crate) const PYTHON: Format = Format {
    name: "python",
    read: Reader::Line(read_python),
    lines: RecordLines::Multiple,
    front: Front {
        first: b"tA[",
        is_timed_in_brackets: true,
        words: Words::Dated,
        dated: Dated { has_comma: true, ..Dated::new(Shape::Any, b"|[-") },
    },
    crashes: &[
        // It follows a warning that tells of it.
        Crash::new(b"Traceback (most recent call last):", Level::Error).interrupting(Level::Warn).traced(),
    ],
    continues: &[b"During handling of the above exception", b"The above exception was the direct cause"],
    layouts: layouts::PYTHON,
    ..Format::NONE
};

/// How many names may stand between dashes before the level.
const NAMES_MAX: usize = 4;

/// Reads `[2026-01-05 10:00:00 +0000] [12] [INFO] message`.
fn read_gunicorn(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    let time = scan.date_time_in_brackets()?;
    let is_process = scan.eat_all(b" [") && scan.digits(1, 10).is_some() && scan.eat_all(b"] ");
    if !is_process {
        return None;
    }
    let level = scan.level_in_brackets()?;
    scan.eat(b' ');
    Some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Reads uWSGI's line for a request: `[pid: 12|app: 0|req: 1/1] 127.0.0.1 () {28 vars ...} [Mon Jan  5 ...] GET / => ...`.
fn read_uwsgi(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    if scan.eat_all(b"{address space usage: ") {
        scan.until(b'}')?;
        scan.eat(b' ');
        scan.between(b'{', b'}')?;
        scan.eat(b' ');
    }
    if line.starts_with(b"DAMN ! worker") {
        let is_killed = memchr::memmem::find(line, b" killed by signal ").is_some();
        return Some(Head { level: is_killed.then_some(Level::Error), ..Head::default() });
    }
    if !scan.eat_all(b"[pid: ") {
        return None;
    }
    let has_vars = scan.until(b']').is_some() && scan.until(b'}').is_some() && scan.eat(b' ');
    let time = if has_vars { scan.date_time_in_brackets().unwrap_or_default() } else { Span::default() };
    // The address comes before, so what is quoted there is passed over from behind.
    let status = memchr::memmem::rfind(line, b" (HTTP/").map(|at| &line[at..]).and_then(|rest| {
        let mut scan = Scan::new(rest);
        scan.eat(b' ');
        scan.token();
        scan.eat(b' ');
        scan.digits(3, 3)
    });
    Some(Head { level: status.map(|status| Level::from_status(status[0])), time, ..Head::default() })
}

/// Reads a line of `logging`, as its usual settings write it.
fn read_python(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    scan.colours();
    match scan.peek() {
        b'0'..=b'9' => read_dated(scan),
        b'[' => read_in_brackets(scan),
        b'A'..=b'Z' => read_level_first(scan),
        _ => None,
    }
}

/// `2026-01-05 10:00:00,123 - name - LEVEL - message` and its kind; loguru; structlog.
fn read_dated(mut scan: Scan<'_>) -> Option<Head> {
    let start = scan.rest();
    let time = scan.date_time()?;
    let has_comma = start.get(19) == Some(&b',');
    scan.colours();
    let next = scan.rest();
    if next.starts_with(b" | ") {
        scan.eat_all(b" | ");
        return read_loguru(scan, time);
    }
    if next.starts_with(b" [") && !has_comma {
        scan.eat(b' ');
        return read_structlog(scan, time);
    }
    if next.starts_with(b" - ") {
        return read_dashes(scan, time);
    }
    if !has_comma {
        return None;
    }
    scan.eat(b':');
    scan.blanks();
    let is_bracketed = scan.peek() == b'[';
    let word = scan;
    let level = if is_bracketed { scan.level_in_brackets() } else { scan.capital_level() }?;
    is_of_python(word, scan).then(|| Head { header: scan.header_with_name(), ..begin(scan, level, time) })
}

/// Returns whether a level word and what follows it are Python's rather than Java's: `WARNING` and `CRITICAL` are, `WARN`,
/// `FATAL` and `TRACE` are not; else a thread in brackets, or the name of a class, is Java's.
fn is_of_python(mut word: Scan<'_>, behind: Scan<'_>) -> bool {
    word.colours();
    word.eat(b'[');
    word.blanks();
    match word.letters() {
        b"WARNING" | b"CRITICAL" => true,
        b"INFO" | b"ERROR" | b"DEBUG" => !java::names_a_class(behind),
        _ => false,
    }
}

fn begin(mut scan: Scan<'_>, level: Level, time: Span) -> Head {
    while matches!(scan.peek(), b' ' | b':' | b'-' | b'|' | b'\t' | b'\x1b')
        && (scan.colours() || scan.eat(scan.peek()))
    {}
    Head { level: Some(level), time, message: scan.at(), ..Head::default() }
}

/// ` - name - LEVEL - message`, with other names and numbers around the level.
fn read_dashes(mut scan: Scan<'_>, time: Span) -> Option<Head> {
    for _ in 0..NAMES_MAX {
        if !scan.eat_all(b" - ") {
            return None;
        }
        scan.blanks();
        let level = scan.capital_level().or_else(|| scan.level_in_brackets());
        scan.blanks();
        if let Some(level) = level {
            return (matches!(scan.peek(), b'-' | b':' | b'[' | b'(') || scan.at() > 0)
                .then(|| begin(scan, level, time));
        }
        // A name, padded or not, coloured or not.
        scan.token();
        let rest = scan.rest();
        let padding = rest.iter().take_while(|byte| **byte == b' ').count();
        if padding > 1 {
            for _ in 1..padding {
                scan.eat(b' ');
            }
        }
    }
    None
}

/// `INFO     | module:function:12 - message`.
fn read_loguru(mut scan: Scan<'_>, time: Span) -> Option<Head> {
    scan.blanks();
    // loguru's own word between info and warning is no level elsewhere.
    let level = if scan.eat_all(b"SUCCESS") { Some(Level::Info) } else { scan.capital_level() }?;
    scan.blanks();
    if !scan.eat_all(b"| ") {
        return None;
    }
    let message = scan.at();
    scan.blanks();
    let place = scan.while_is(|byte| byte != b' ');
    (place.contains(&b':')).then_some(Head { level: Some(level), time, message, ..Head::default() })
}

/// `[info     ] event   key=value`: lower case, padded to nine columns.
fn read_structlog(mut scan: Scan<'_>, time: Span) -> Option<Head> {
    scan.eat(b'[');
    scan.colours();
    let start = scan.at();
    let word = scan.while_is(|byte| byte.is_ascii_lowercase());
    let level = Level::from_word(word)?;
    scan.while_is(|byte| byte == b' ');
    let is_padded = scan.at() - start >= 8;
    scan.colours();
    if !is_padded || !scan.eat(b']') {
        return None;
    }
    Some(begin(scan, level, time))
}

/// What begins with a bracket: Airflow, Celery, Flask, Django's server, Tornado.
fn read_in_brackets(mut scan: Scan<'_>) -> Option<Head> {
    scan.eat(b'[');
    if scan.peek().is_ascii_uppercase() {
        return read_tornado(scan);
    }
    let time = scan.date_time()?;
    if scan.eat_all(b": ") {
        // Celery: `: INFO/MainProcess] message`.
        let level = scan.capital_level()?;
        let is_celery = scan.eat(b'/') && scan.until(b']').is_some();
        return is_celery.then(|| begin(scan, level, time));
    }
    if !scan.eat_all(b"] ") {
        return None;
    }
    if scan.peek() == b'"' {
        return read_request(scan).map(|level| Head {
            level: Some(level),
            time,
            message: scan.at(),
            ..Head::default()
        });
    }
    if scan.peek() == b'{' {
        // Airflow: `{file.py:12} INFO - message`.
        scan.between(b'{', b'}')?;
        scan.spaces();
        let level = scan.capital_level()?;
        return scan.eat_all(b" - ").then(|| begin(scan, level, time));
    }
    let word = scan;
    let level = scan.capital_level()?;
    // Flask: `INFO in app: message`; elsewhere only the words that Java does not have.
    let is_known = scan.rest().starts_with(b" in ") || matches!(word.rest().get(..7), Some(b"WARNING" | b"CRITICA"));
    is_known.then(|| begin(scan, level, time))
}

/// Tornado and Jupyter: `[E 260105 10:00:00 web:12] message`, `[I 2026-01-05 10:00:00.123 ServerApp] message`.
fn read_tornado(mut scan: Scan<'_>) -> Option<Head> {
    let level = Level::from_letter(scan.peek())?;
    scan.eat(scan.peek());
    if !scan.eat(b' ') {
        return None;
    }
    let start = scan.at();
    let is_time = scan.date_time().is_some() || scan.digits(6, 6).is_some() && scan.eat(b' ') && scan.clock();
    let time = scan.since(start);
    if !is_time {
        return None;
    }
    scan.until(b']')?;
    Some(begin(scan, level, time))
}

/// What begins with the level: `WARNING:root:message`, uvicorn, Django's `verbose`.
fn read_level_first(mut scan: Scan<'_>) -> Option<Head> {
    let mut word = scan;
    let letters = word.while_is(|byte| byte.is_ascii_uppercase());
    let level = scan.capital_level().filter(|_| letters.len() <= b"CRITICAL".len())?;
    if scan.eat(b':') {
        let spaces = scan.rest().iter().take_while(|byte| **byte == b' ').count();
        // uvicorn pads the word and its colon to nine columns; a space follows.
        if spaces >= 2 {
            let is_padded = letters.len() + spaces == 9;
            scan.spaces();
            return is_padded.then(|| read_uvicorn(scan, level));
        }
        let name = scan.while_is(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        let is_basic = !name.is_empty() && scan.eat(b':');
        return is_basic.then(|| Head { level: Some(level), message: scan.at(), ..Head::default() });
    }
    if !scan.spaces() {
        return None;
    }
    let comma = scan.rest().get(19);
    let time = if comma == Some(&b',') { scan.date_time()? } else { return None };
    (!java::names_a_class(scan)).then(|| begin(scan, level, time))
}

/// uvicorn's access log: the level of the status, as of every access line.
fn read_uvicorn(scan: Scan<'_>, level: Level) -> Head {
    let mut request = scan;
    request.token();
    let status = if request.eat_all(b" - ") { read_request(request) } else { None };
    Head { level: Some(status.unwrap_or(level)), message: scan.at(), ..Head::default() }
}

/// `"GET / HTTP/1.1" 200`: the level of the status behind a request in quotes.
fn read_request(mut scan: Scan<'_>) -> Option<Level> {
    scan.colours();
    scan.between(b'"', b'"')?;
    scan.blanks();
    let status = scan.digits(3, 3)?;
    (!scan.peek().is_ascii_alphanumeric()).then(|| Level::from_status(status[0]))
}
