//! What servers and proxies write for each request: nginx, Apache, gunicorn, Tomcat, Traefik, Envoy, PHP-FPM, HAProxy.
//!
//! The level is that of the HTTP status.

use super::syslog;
use crate::format::block::{Dated, Format, Front, Reader, RecordLines, Shape, Words};
use crate::format::head::Head;
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// HAProxy's requests and connections, and what it says of itself.
pub(crate) const HAPROXY: Format = Format {
    name: "haproxy",
    grave: &[b" has no server available!", b" is DOWN"],
    read: Reader::Line(read_haproxy),
    front: Front { first: b"A0a:[<", words: Words::Month, dated: Dated::new(Shape::Iso, b""), ..Front::ANY },
    lines: RecordLines::Loose,
    layouts: layouts::HAPROXY,
    ..Format::NONE
};

/// The common and the combined log format, and its kind.
pub(crate) const ACCESS: Format = Format {
    name: "access",
    read: Reader::Line(read_access),
    lines: RecordLines::Loose,
    layouts: layouts::ACCESS,
    ..Format::NONE
};

/// How far into the line its time must begin, in bytes: virtual host, address and user stand before it.
const TIME_MAX: usize = 256;

/// Reads the common and the combined format, with a virtual host before it and anything behind it:
/// `10.0.0.1 - user [05/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5.0"`.
fn read_access(line: &[u8]) -> Option<Head> {
    // The request stands in quotes: most lines of other formats have none.
    memchr::memchr(b'"', line)?;
    let mut scan = to_time(line)?;
    let is_bracketed = scan.eat(b'[');
    let time = scan.log_time().or_else(|| scan.date_time())?;
    if is_bracketed && !scan.eat(b']') || !scan.spaces() || !scan.eat(b'"') {
        return None;
    }
    Some(Head { level: after_request(&mut scan), time, ..Head::default() })
}

/// Returns the place of the time, or of the bracket before it.
fn to_time(line: &[u8]) -> Option<Scan<'_>> {
    let mut scan = Scan::new(line);
    // Envoy begins with the time.
    if line.first() == Some(&b'[') && line.get(11) == Some(&b'T') {
        return Some(scan);
    }
    if !line.first()?.is_ascii_alphanumeric() && !b"-:[".contains(&line[0]) {
        return None;
    }
    let front = &line[..line.len().min(TIME_MAX)];
    let is_time = |at: usize| line.get(at + 3) == Some(&b'/') && line.get(at + 7) == Some(&b'/');
    if let Some(at) = memchr::memchr_iter(b'[', front).find(|at| is_time(*at)) {
        // An address, an identity and a user, at least.
        let blanks = front[..at].windows(2).filter(|pair| pair[0] != b' ' && pair[1] == b' ').count();
        let words = blanks + usize::from(front[0] == b' ');
        scan.skip(at);
        return (words >= 3 && line[at - 1] == b' ').then_some(scan);
    }
    // PHP-FPM: `10.0.0.1 -  05/Jan/2026:10:00:00 +0000 "GET /index.php" 200`.
    scan.token();
    if !scan.eat_all(b" - ") {
        return None;
    }
    scan.while_is(|byte| byte != b' ' && !byte.is_ascii_digit());
    scan.spaces();
    Some(scan)
}

/// Passes over the rest of a request from behind its first quote, and returns the level of the status behind it.
fn after_request(scan: &mut Scan<'_>) -> Option<Level> {
    loop {
        let request = scan.until(b'"')?;
        // Apache puts a backslash before a quote.
        let slashes = request.iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 0 {
            break;
        }
    }
    scan.spaces();
    status(scan)
}

/// Passes over three digits, and returns their level.
fn status(scan: &mut Scan<'_>) -> Option<Level> {
    let digits = scan.digits(3, 3)?;
    (scan.is_end() || scan.peek() == b' ').then(|| Level::from_status(digits[0]))
}

/// Reads `10.0.0.1:33317 [05/Jan/2026:10:00:00.123] front back/server 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0`,
/// the shorter one of TCP, both with the header of syslog or without, and what HAProxy says of itself: `[ALERT] (1) : `.
fn read_haproxy(line: &[u8]) -> Option<Head> {
    // Time or process stand in brackets.
    memchr::memchr(b'[', line)?;
    let mut scan = Scan::new(line);
    if scan.peek() == b'[' {
        return of_itself(scan);
    }
    let Some(header) = syslog::header(&mut scan) else {
        return request(Scan::new(line));
    };
    if header.tag != b"haproxy" {
        return None;
    }
    // What it says of its servers is no request, and has the level of its priority.
    let other = Head { level: header.level, time: header.time, message: scan.at(), ..Head::default() };
    Some(request(scan).unwrap_or(other))
}

/// Reads a request, or a connection of TCP, from its address on.
fn request(mut scan: Scan<'_>) -> Option<Head> {
    // Most lines have no bracket behind their first word.
    let address = scan.until(b' ').filter(|_| scan.eat(b'['))?;
    // `ERROR: [May  1 10:00:00.123]` is somebody else's.
    if address.ends_with(b":") {
        return None;
    }
    let is_address = address.iter().all(|byte| byte.is_ascii_alphanumeric() || b".:[]_-/@".contains(byte));
    if !is_address || !address.contains(&b':') {
        return None;
    }
    let time = scan.date_time()?;
    if !scan.eat_all(b"] ") {
        return None;
    }
    let message = scan.at();
    Some(Head { level: after_servers(&mut scan), time, message, ..Head::default() })
}

/// Passes over front, back, server and times, and returns the level of the status; a TCP line, of three times, is info.
fn after_servers(scan: &mut Scan<'_>) -> Option<Level> {
    scan.token();
    scan.spaces();
    if !scan.token().contains(&b'/') || !scan.spaces() {
        // `front/1: SSL handshake failure`
        return None;
    }
    let times = scan.token();
    let is_times = times.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'-' | b'+'));
    let slashes = times.iter().filter(|byte| **byte == b'/').count();
    scan.spaces();
    match slashes {
        2 if is_times && !scan.is_end() => {
            // Bytes, and how it ended: `SC`, the server refused or there was none.
            scan.token();
            scan.spaces();
            Some(if scan.token() == b"SC" { Level::Error } else { Level::Info })
        }
        3 | 4 if is_times && scan.eat_all(b"-1 ") => Some(Level::Info),
        3 | 4 if is_times => status(scan),
        _ => None,
    }
}

/// `[NOTICE]   (1) : New worker (8) forked`, `[ALERT] 004/100000 (1) : parsing [haproxy.cfg:3]`.
fn of_itself(mut scan: Scan<'_>) -> Option<Head> {
    let level = Level::from_word(scan.between(b'[', b']')?)?;
    scan.spaces();
    if scan.digits(3, 3).is_some() {
        let is_day = scan.eat(b'/') && scan.digits(6, 6).is_some() && scan.spaces();
        is_day.then_some(())?;
    }
    let process = scan.between(b'(', b')')?;
    let is_process = !process.is_empty() && process.iter().all(u8::is_ascii_digit);
    (is_process && scan.eat_all(b" : ")).then(|| Head { level: Some(level), message: scan.at(), ..Head::default() })
}
