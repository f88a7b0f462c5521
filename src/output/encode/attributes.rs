//! The attributes of a header as fields of an object: numbers as numbers, durations in the unit that each schema has.
//!
//! Each function returns how many sequences of bytes were not UTF-8.

use super::attribute_names::{AttributeNames, GcpPlace, NAMES};
use super::escape::escape;
use crate::format::{Attribute, Holds};

/// No value of a header takes more of an object: who begins an object sees to that.
const VALUE_BYTES_MAX: usize = 16 * 1024;

/// Returns what an attribute is called in a group of Cloud Logging's, if it belongs there.
type GroupMember = fn(GcpPlace) -> Option<&'static str>;

/// What stands in a header, one by one.
pub(super) type Said<'a> = (Attribute, &'a [u8]);

/// Adds attributes with OpenTelemetry's names.
pub(super) fn add_json<'a>(out: &mut Vec<u8>, all: impl Iterator<Item = Said<'a>>) -> u64 {
    let add = |out: &mut Vec<u8>, said| {
        let (attribute, value) = said;
        let names = &NAMES[attribute as usize];
        match attribute {
            Attribute::Seconds | Attribute::Milliseconds | Attribute::Duration | Attribute::QuerySeconds => {
                let Some(nanoseconds) = nanoseconds(attribute, value) else { return text(out, "duration_text", value) };
                key(out, names.json);
                seconds(out, nanoseconds);
                0
            }
            Attribute::Protocol => text(out, names.json, value.strip_prefix(b"HTTP/").unwrap_or(value)),
            // A header may be there more than once.
            Attribute::Referrer => {
                key(out, names.json);
                out.push(b'[');
                let invalid = quoted(out, value);
                out.push(b']');
                invalid
            }
            _ => usual(out, names, names.json, value),
        }
    };
    said(all).map(|said| add(out, said)).sum()
}

/// Adds attributes with the names of the Elastic Common Schema.
pub(super) fn add_ecs<'a>(out: &mut Vec<u8>, all: impl Iterator<Item = Said<'a>>) -> u64 {
    let add = |out: &mut Vec<u8>, said| {
        let (attribute, value) = said;
        let names = &NAMES[attribute as usize];
        match attribute {
            Attribute::Seconds | Attribute::Milliseconds | Attribute::Duration | Attribute::QuerySeconds => {
                let Some(nanoseconds) = nanoseconds(attribute, value) else {
                    return text(out, "labels.duration_text", value);
                };
                key(out, names.ecs);
                digits(out, nanoseconds);
                0
            }
            Attribute::Protocol => text(out, names.ecs, value.strip_prefix(b"HTTP/").unwrap_or(value)),
            // Labels are text, whatever they look like.
            _ if names.ecs.starts_with("labels.") => text(out, names.ecs, value),
            _ => usual(out, names, names.ecs, value),
        }
    };
    said(all).map(|said| add(out, said)).sum()
}

/// Adds attributes that Cloud Logging wants in objects of their own: `httpRequest` and `sourceLocation`.
pub(super) fn add_gcp<'a>(out: &mut Vec<u8>, all: impl Iterator<Item = Said<'a>> + Clone) -> u64 {
    let groups: [(&str, GroupMember); 2] = [
        ("httpRequest", |place| if let GcpPlace::Request(name) = place { Some(name) } else { None }),
        (
            "logging.googleapis.com/sourceLocation",
            |place| if let GcpPlace::Source(name) = place { Some(name) } else { None },
        ),
    ];
    let mut invalid = 0;
    for (group, name) in groups {
        let start = out.len();
        for (attribute, value) in said(all.clone()) {
            let Some(name) = name(NAMES[attribute as usize].gcp) else { continue };
            let is_first = out.len() == start;
            if is_first {
                key(out, group);
                out.push(b'{');
            }
            let from = out.len();
            invalid += gcp_value(out, attribute, name, value);
            if is_first && out.get(from) == Some(&b',') {
                out.remove(from);
            }
        }
        if out.len() > start {
            out.push(b'}');
        }
    }
    invalid
}

/// Adds attributes that are labels of Cloud Logging.
pub(super) fn add_gcp_labels<'a>(out: &mut Vec<u8>, all: impl Iterator<Item = Said<'a>>) -> u64 {
    let label = |(attribute, value): Said<'a>| match NAMES[attribute as usize].gcp {
        GcpPlace::Label(name) => Some((name, value)),
        GcpPlace::Request(_) | GcpPlace::Source(_) => None,
    };
    said(all).filter_map(label).map(|(name, value)| text(out, name, value)).sum()
}

/// Adds a member of `httpRequest` or `sourceLocation`: 64-bit numbers and durations are text there.
fn gcp_value(out: &mut Vec<u8>, attribute: Attribute, name: &str, value: &[u8]) -> u64 {
    match attribute {
        Attribute::Status => {
            number(out, name, value);
            0
        }
        Attribute::Seconds | Attribute::Milliseconds | Attribute::Duration => {
            let Some(nanoseconds) = nanoseconds(attribute, value) else { return text(out, name, value) };
            key(out, name);
            out.push(b'"');
            seconds(out, nanoseconds);
            out.extend_from_slice(b"s\"");
            0
        }
        Attribute::Client => text(out, name, address(value).0),
        _ => text(out, name, value),
    }
}

/// Returns those that say something.
fn said<'a>(all: impl Iterator<Item = Said<'a>>) -> impl Iterator<Item = Said<'a>> {
    all.filter(|(_, value)| !matches!(*value, b"" | b"-"))
}

/// Adds what most schemas have alike.
fn usual(out: &mut Vec<u8>, names: &AttributeNames, name: &str, value: &[u8]) -> u64 {
    match names.attribute {
        Attribute::Client | Attribute::Server => {
            let (host, port) = address(value);
            let invalid = text(out, name, host);
            if let Some(port) = port {
                number(out, if names.attribute == Attribute::Client { "client.port" } else { "server.port" }, port);
            }
            invalid
        }
        Attribute::Target if value.first() == Some(&b'/') => {
            let query = memchr::memchr(b'?', value);
            let invalid = text(out, name, &value[..query.unwrap_or(value.len())]);
            invalid + query.map_or(0, |at| text(out, "url.query", &value[at + 1..]))
        }
        Attribute::Target => text(out, "url.original", value),
        Attribute::StructuredData => structured_data(out, name, value),
        attribute => match attribute.holds() {
            Holds::Number | Holds::NumberOrNone | Holds::Decimal => {
                number(out, name, value);
                0
            }
            _ => text(out, name, value),
        },
    }
}

/// Adds the elements of RFC 5424 as objects; as text if one, or a parameter of one, is there twice.
fn structured_data(out: &mut Vec<u8>, name: &str, value: &[u8]) -> u64 {
    let start = out.len();
    key(out, name);
    let mut invalid = 0;
    if elements(out, value, &mut invalid).is_none() {
        out.truncate(start);
        // A name of its own, because its type is another.
        return text(
            out,
            if name.starts_with("log.") { "labels.structured_data" } else { "syslog.structured_data_text" },
            value,
        );
    }
    invalid
}

/// How many elements, and parameters of one, are compared with one another.
const ELEMENTS_MAX: usize = 16;

/// Adds `{"id":{"name":"value"}}`; `None` if that would have a member twice.
fn elements(out: &mut Vec<u8>, value: &[u8], invalid: &mut u64) -> Option<()> {
    let mut ids = NamesSeen::default();
    let mut rest = value;
    out.push(b'{');
    while let Some(element) = rest.strip_prefix(b"[") {
        let id_end = element.iter().position(|byte| matches!(byte, b' ' | b']'))?;
        if ids.0.iter().any(Option::is_some) {
            out.push(b',');
        }
        ids.add(&element[..id_end])?;
        *invalid += quoted(out, &element[..id_end]);
        out.extend_from_slice(b":{");
        let mut names = NamesSeen::default();
        rest = &element[id_end..];
        loop {
            rest = rest.trim_ascii_start();
            if let Some(behind) = rest.strip_prefix(b"]") {
                rest = behind;
                break;
            }
            let equals = memchr::memmem::find(rest, b"=\"")?;
            let (name, quoted_text) = (&rest[..equals], &rest[equals + 2..]);
            let end = memchr::memchr_iter(b'"', quoted_text)
                .find(|at| quoted_text[..*at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0)?;
            if names.0.iter().any(Option::is_some) {
                out.push(b',');
            }
            names.add(name)?;
            *invalid += quoted(out, name);
            out.extend_from_slice(b":");
            *invalid += quoted(out, &quoted_text[..end]);
            rest = &quoted_text[end + 1..];
        }
        out.push(b'}');
    }
    out.push(b'}');
    rest.is_empty().then_some(())
}

/// What names were met.
#[derive(Debug, Default)]
struct NamesSeen<'a>([Option<&'a [u8]>; ELEMENTS_MAX]);

impl<'a> NamesSeen<'a> {
    /// Adds a name; `None` if it is there already, or there are too many.
    fn add(&mut self, name: &'a [u8]) -> Option<()> {
        if self.0.iter().flatten().any(|seen| *seen == name) {
            return None;
        }
        *self.0.iter_mut().find(|seen| seen.is_none())? = Some(name);
        Some(())
    }
}

/// Returns an address and its port, if it surely has one: those of IPv6 hold colons themselves.
fn address(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(colon) = memchr::memrchr(b':', value) else { return (value, None) };
    let (host, port) = (&value[..colon], &value[colon + 1..]);
    let is_port = (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
    let is_host = !host.is_empty() && (host.ends_with(b"]") || !host.contains(&b':'));
    if is_port && is_host { (host, Some(port)) } else { (value, None) }
}

/// Returns a duration in nanoseconds; nothing beyond 292 years.
fn nanoseconds(attribute: Attribute, value: &[u8]) -> Option<u64> {
    let (number, exponent) = match attribute {
        Attribute::Milliseconds => (value, 6),
        Attribute::Duration => {
            let length = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
            let exponent = match &value[length..] {
                b"s" => 9,
                b"ms" => 6,
                b"ns" => 0,
                _ => 3,
            };
            (&value[..length], exponent)
        }
        _ => (value, 9),
    };
    let dot = memchr::memchr(b'.', number).unwrap_or(number.len());
    let (whole, fraction) = (&number[..dot], number.get(dot + 1..).unwrap_or_default());
    let value = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0'))))
    };
    let fraction = &fraction[..fraction.len().min(exponent)];
    let missing = 10_u64.pow(u32::try_from(exponent - fraction.len()).ok()?);
    let unit = 10_u64.pow(u32::try_from(exponent).ok()?);
    value(whole)?.checked_mul(unit)?.checked_add(value(fraction)?.checked_mul(missing)?)
}

/// Adds nanoseconds as seconds: `0.003`, `12`.
fn seconds(out: &mut Vec<u8>, nanoseconds: u64) {
    digits(out, nanoseconds / 1_000_000_000);
    let fraction = nanoseconds % 1_000_000_000;
    if fraction > 0 {
        out.push(b'.');
        let start = out.len();
        // A leading one keeps the zeros behind it.
        digits(out, 1_000_000_000 + fraction);
        out.remove(start);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

fn digits(out: &mut Vec<u8>, mut number: u64) {
    let mut text = [0; 20];
    let mut start = text.len();
    loop {
        start -= 1;
        #[allow(clippy::cast_possible_truncation, reason = "it is a digit")]
        let digit = (number % 10) as u8;
        text[start] = b'0' + digit;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[start..]);
}

/// Adds a number as JSON has it: zeros at its front are padding.
fn number(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    key(out, name);
    let zeros = value.iter().take_while(|byte| **byte == b'0').count();
    let rest = &value[zeros..];
    if !rest.first().is_some_and(u8::is_ascii_digit) {
        out.push(b'0');
    }
    out.extend_from_slice(rest);
}

fn text(out: &mut Vec<u8>, name: &str, value: &[u8]) -> u64 {
    key(out, name);
    quoted(out, value)
}

fn quoted(out: &mut Vec<u8>, value: &[u8]) -> u64 {
    out.push(b'"');
    let (_, invalid) = escape(out, value, VALUE_BYTES_MAX);
    out.push(b'"');
    invalid
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(all: &[(Attribute, &str)], json: &str, ecs: &str, gcp: &str) {
        let all = all.iter().map(|(attribute, value)| (*attribute, value.as_bytes()));
        let (mut of_json, mut of_ecs, mut of_gcp) = (Vec::new(), Vec::new(), Vec::new());
        add_json(&mut of_json, all.clone());
        add_ecs(&mut of_ecs, all.clone());
        add_gcp(&mut of_gcp, all.clone());
        of_gcp.extend(b";");
        add_gcp_labels(&mut of_gcp, all);
        let found = [of_json, of_ecs, of_gcp].map(|out| String::from_utf8(out).expect("UTF-8"));
        assert_eq!(found, [json, ecs, gcp]);
    }

    #[test]
    fn each_value_is_of_the_type_that_its_schema_has() {
        check(
            &[(Attribute::Milliseconds, "3"), (Attribute::Line, "0012"), (Attribute::User, "-")],
            r#","http.server.request.duration":0.003,"code.line.number":12"#,
            r#","event.duration":3000000,"log.origin.file.line":12"#,
            r#","httpRequest":{"latency":"0.003s"},"logging.googleapis.com/sourceLocation":{"line":"0012"};"#,
        );
        check(
            &[(Attribute::Duration, "1.5µs"), (Attribute::Status, "200"), (Attribute::BytesSent, "7")],
            r#","http.server.request.duration":0.0000015,"http.response.status_code":200,"http.response.body.size":7"#,
            r#","event.duration":1500,"http.response.status_code":200,"http.response.body.bytes":7"#,
            r#","httpRequest":{"latency":"0.0000015s","status":200,"responseSize":"7"};"#,
        );
        check(
            &[(Attribute::Client, "10.0.0.1:54321"), (Attribute::Target, "/a?b=\"c\""), (Attribute::Connection, "7")],
            r#","client.address":"10.0.0.1","client.port":54321,"url.path":"/a","url.query":"b=\"c\"","connection.id":7"#,
            r#","client.address":"10.0.0.1","client.port":54321,"url.path":"/a","url.query":"b=\"c\"","labels.connection_id":"7""#,
            r#","httpRequest":{"remoteIp":"10.0.0.1","requestUrl":"/a?b=\"c\""};,"connection.id":"7""#,
        );
        check(
            &[(Attribute::Seconds, "999999999999"), (Attribute::Extra, "x")],
            r#","duration_text":"999999999999","header":"x""#,
            r#","labels.duration_text":"999999999999","labels.header":"x""#,
            r#","httpRequest":{"latency":"999999999999"};,"header":"x""#,
        );
        check(
            &[(Attribute::Client, "2001:db8::7:33313"), (Attribute::QuerySeconds, "12.5")],
            r#","client.address":"2001:db8::7:33313","db.client.operation.duration":12.5"#,
            r#","client.address":"2001:db8::7:33313","event.duration":12500000000"#,
            r#","httpRequest":{"remoteIp":"2001:db8::7:33313"};,"db.client.operation.duration":"12.5""#,
        );
        check(
            &[(Attribute::StructuredData, r#"[a@1 x="1" y="a\]\"b"][b]"#)],
            r#","syslog.structured_data":{"a@1":{"x":"1","y":"a\\]\\\"b"},"b":{}}"#,
            r#","log.syslog.structured_data":{"a@1":{"x":"1","y":"a\\]\\\"b"},"b":{}}"#,
            r#";,"syslog.structured_data":"[a@1 x=\"1\" y=\"a\\]\\\"b\"][b]""#,
        );
        check(
            &[(Attribute::StructuredData, r#"[a ip="1" ip="2"]"#)],
            r#","syslog.structured_data_text":"[a ip=\"1\" ip=\"2\"]""#,
            r#","labels.structured_data":"[a ip=\"1\" ip=\"2\"]""#,
            r#";,"syslog.structured_data":"[a ip=\"1\" ip=\"2\"]""#,
        );
    }
}
