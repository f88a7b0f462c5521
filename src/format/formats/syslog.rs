//! Syslog: RFC 5424, RFC 3164 with its priority or without, and what rsyslog and journald write into files.
//!
//! The level is that of the priority. Where there is none, it is what the message itself states at its front.

use crate::format::block::{Dated, Format, Front, Inside, Reader, RecordLines, Shape, Words, Wrapped};
use crate::format::facility;
use crate::format::head::Span;
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::{Scan, number};

/// Syslog by RFC 5424.
pub(crate) const RFC5424: Format = Format {
    name: "rfc5424",
    read: Reader::Wrapping(read_rfc5424),
    front: Front { first: b"<", ..Front::ANY },
    lines: RecordLines::Loose,
    layouts: layouts::RFC5424,
    ..Format::NONE
};

/// Syslog by RFC 3164, and what rsyslog and journald write into files.
pub(crate) const RFC3164: Format = Format {
    name: "rfc3164",
    read: Reader::Wrapping(read_rfc3164),
    front: Front { first: b"<At", words: Words::Month, dated: Dated::new(Shape::Iso, b""), ..Front::ANY },
    lines: RecordLines::Loose,
    layouts: layouts::RFC3164,
    ..Format::NONE
};

/// The largest priority: facility 23, severity 7.
const PRIORITY_MAX: u32 = 191;

/// Reads `<165>1 2026-01-05T10:00:00.003Z host app 12 ID47 [id@32473 key="value"] message`.
///
/// Source: RFC 5424, section 6.
fn read_rfc5424(line: &[u8]) -> Option<Wrapped<'_>> {
    let mut scan = Scan::new(line);
    let mut level = Some(priority(&mut scan)?);
    if scan.digits(1, 2)?[0] == b'0' || !scan.eat(b' ') {
        return None;
    }
    let time = match scan.date_time() {
        Some(time) => time,
        None if scan.eat(b'-') => Span::default(),
        None => return None,
    };
    // Host, application, process and message identifier; a line that was cut has fewer.
    for _ in 0..4 {
        scan.eat(b' ');
        scan.token();
    }
    scan.eat(b' ');
    let data = scan;
    structured_data(&mut scan);
    if matches!(level, Some(Level::Info | Level::Notice)) {
        let data = &data.rest()[..(scan.at() - data.at()) as usize];
        level = level_of_data(data).or(level);
    }
    scan.eat(b' ');
    scan.eat_all(b"\xef\xbb\xbf");
    Some(Wrapped { time, level, is_open: false, start: scan.at(), inside: Inside::Message(scan.rest()) })
}

/// Passes over `-`, or elements in brackets, in the values of which a backslash takes a bracket's meaning.
fn structured_data(scan: &mut Scan<'_>) {
    if scan.eat(b'-') {
        return;
    }
    while scan.eat(b'[') {
        loop {
            scan.while_is(|byte| byte != b']' && byte != b'\\');
            if scan.is_end() || scan.eat(b']') {
                break;
            }
            scan.eat(b'\\');
            scan.eat(scan.peek());
        }
    }
}

/// Returns what VMware's and others state beside a priority that is the same for all: `[nsx@6876 comp="a" level="ERROR"]`.
fn level_of_data(data: &[u8]) -> Option<Level> {
    const KEY: &[u8] = b" level=\"";
    let value = &data[memchr::memmem::find(data, KEY)? + KEY.len()..];
    Level::from_word(&value[..memchr::memchr(b'"', value)?])
}

/// Reads `<34>Jan  5 10:00:00 host app[12]: message`, the same without priority, and with a time as in RFC 3339.
fn read_rfc3164(line: &[u8]) -> Option<Wrapped<'_>> {
    let mut scan = Scan::new(line);
    let header = header(&mut scan)?;
    if header.tag == b"haproxy" {
        // Its lines state more than their priority.
        return None;
    }
    let SyslogHeader { time, level, .. } = header;
    Some(Wrapped { time, level, is_open: false, start: scan.at(), inside: Inside::Message(scan.rest()) })
}

/// What stands before a message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SyslogHeader<'a> {
    /// What its priority says, if it has one.
    pub level: Option<Level>,
    /// Where its time stands.
    pub time: Span,
    /// The name of the program, without its process identifier; empty if it is not given.
    pub(crate) tag: &'a [u8],
}

/// Passes over the header of RFC 3164 and the spaces behind it.
pub(crate) fn header<'a>(scan: &mut Scan<'a>) -> Option<SyslogHeader<'a>> {
    let mut level = if scan.peek() == b'<' { Some(priority(scan)?) } else { None };
    let has_priority = level.is_some();
    let Some(time) = bsd_time(scan).or_else(|| iso_time(scan, has_priority)) else {
        // A daemon of systemd writes no more than `<3>message`.
        let is_bare = has_priority && !matches!(scan.peek(), 0 | b' ' | b'\t' | b'<') && !is_version(*scan);
        return is_bare.then_some(SyslogHeader { level, ..SyslogHeader::default() });
    };
    let is_device = scan.eat(b':');
    let is_spaced = scan.spaces();
    if has_priority && (is_device || scan.is_end()) {
        return Some(SyslogHeader { level, time, tag: b"" });
    }
    if is_device || !is_spaced {
        return None;
    }
    // NetScaler: `Jan  5 10:00:00 <local0.err> 10.0.0.1 message`.
    if !has_priority && scan.peek() == b'<' {
        level = Some(facility::level(scan)?);
        return Some(SyslogHeader { level, time, tag: b"" });
    }
    // The C library, busybox and Heroku write no host, so the tag may come first; with a process it is no host.
    let before = *scan;
    if let Some(tag) = tag(scan) {
        if has_priority || scan.passed().trim_ascii_end().ends_with(b"]:") {
            return Some(SyslogHeader { level, time, tag });
        }
        *scan = before;
    }
    let host = scan.while_is(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
    if host.is_empty() || host.ends_with(b":") || Level::from_word(host).is_some() || !scan.spaces() {
        return None;
    }
    // Busybox: `Jan  5 10:00:00 host daemon.err app[12]: message`.
    if !has_priority {
        level = facility::level(scan);
    }
    let tag = tag(scan);
    let is_known = |rest: &[u8]| rest.starts_with(b"last message repeated ") || rest.starts_with(b"-- MARK --");
    (tag.is_some() || has_priority || is_known(scan.rest())).then(|| SyslogHeader {
        level,
        time,
        tag: tag.unwrap_or_default(),
    })
}

/// Returns whether what follows is the version of RFC 5424.
fn is_version(mut scan: Scan<'_>) -> bool {
    scan.digits(1, 2).is_some() && scan.peek() == b' '
}

/// Passes over `app:`, `app[12]:` and the spaces behind it, and returns the name.
fn tag<'a>(scan: &mut Scan<'a>) -> Option<&'a [u8]> {
    let before = *scan;
    let name = scan.while_is(|byte| byte.is_ascii_alphanumeric() || b"_./()@-".contains(&byte));
    scan.between(b'[', b']');
    let is_tag = !name.is_empty() && scan.eat(b':') && (scan.spaces() || scan.is_end());
    // `log level: ERROR` is a message.
    if !is_tag || Level::from_word(name).is_some() || name.eq_ignore_ascii_case(b"level") {
        *scan = before;
        return None;
    }
    Some(name)
}

/// Passes over `<N>`, and returns the level of its severity.
fn priority(scan: &mut Scan<'_>) -> Option<Level> {
    let before = *scan;
    let digits = if scan.eat(b'<') { scan.digits(1, 3) } else { None };
    let value = digits.filter(|digits| digits.len() == 1 || digits[0] != b'0').map(number);
    if let Some(value) = value.filter(|value| *value <= PRIORITY_MAX)
        && scan.eat(b'>')
    {
        return Some(Level::from_syslog(u64::from(value)));
    }
    *scan = before;
    None
}

/// Passes over `Jan  5 10:00:00`; network devices put the year before the clock.
fn bsd_time(scan: &mut Scan<'_>) -> Option<Span> {
    let before = *scan;
    let is_date = scan.month() && scan.spaces() && scan.digits(1, 2).is_some() && scan.eat(b' ');
    if is_date {
        let day = *scan;
        if !(scan.digits(4, 4).is_some() && scan.eat(b' ')) {
            *scan = day;
        }
    }
    if is_date && scan.clock() {
        return Some(scan.since(before.at()));
    }
    *scan = before;
    None
}

/// Passes over `2026-01-05T10:00:00.123456+01:00`. Without a priority the zone must be a difference, as rsyslog and
/// journald write it: a time that ends with `Z` begins the lines of too many others.
fn iso_time(scan: &mut Scan<'_>, is_certain: bool) -> Option<Span> {
    let before = *scan;
    let rest = scan.rest();
    if rest.get(10) != Some(&b'T') {
        return None;
    }
    let time = scan.date_time()?;
    let text = &rest[..(time.end - time.start) as usize];
    let has_zone = [5, 6].iter().any(|from_end| matches!(text[text.len() - from_end], b'+' | b'-'));
    if !has_zone && !is_certain {
        *scan = before;
        return None;
    }
    Some(time)
}
