//! What container runtimes write around a line: CRI (containerd, CRI-O) and Docker's json-file.
//!
//! It is only taken off here: what the line inside says is the business of whoever can ask all formats.

use crate::format::block::{Dated, Format, Front, Inside, Reader, Shape, Wrapped};
use crate::format::head::Span;
use crate::format::json_object;
use crate::format::scan::Scan;

/// Docker's json-file.
pub(crate) const DOCKER: Format = Format {
    name: "docker",
    read: Reader::Wrapping(read_docker),
    front: Front { first: b"{", ..Front::ANY },
    may_be_open: true,
    unwrap: Some(unwrap_docker),
    ..Format::NONE
};

/// What containerd and CRI-O write.
pub(crate) const CRI: Format = Format {
    name: "cri",
    read: Reader::Wrapping(read_cri),
    front: Front { first: b"t", dated: Dated::new(Shape::Iso, b"s"), ..Front::ANY },
    may_be_open: true,
    unwrap: Some(unwrap_cri),
    ..Format::NONE
};

/// How much of an escaped line is looked at, in bytes.
pub(crate) const UNESCAPED_MAX: usize = 512;

/// Reads `2026-01-05T10:00:00.123456789Z stderr F message`; what is marked `P` goes on in the next line.
///
/// Source: Kubernetes, "CRI: container log format".
fn read_cri(line: &[u8]) -> Option<Wrapped<'_>> {
    let (time, mut scan) = cri_header(line)?;
    let is_open = scan.peek() == b'P';
    scan.token();
    scan.eat(b' ');
    Some(Wrapped { time, level: None, is_open, start: scan.at(), inside: Inside::Plain(scan.rest()) })
}

/// Passes over time and stream, and returns the time and what follows from the tag on.
fn cri_header(line: &[u8]) -> Option<(Span, Scan<'_>)> {
    if line.get(10) != Some(&b'T') {
        return None;
    }
    let mut scan = Scan::new(line);
    let time = scan.date_time()?;
    let is_stream = scan.eat_all(b" stdout ") || scan.eat_all(b" stderr ");
    // Further tags may stand behind a colon: `F:tag`.
    let is_tag = is_stream && matches!(scan.rest(), [b'F' | b'P'] | [b'F' | b'P', b' ' | b':', ..]);
    is_tag.then_some((time, scan))
}

/// Reads `{"log":"message\n","stream":"stderr","time":"2026-01-05T10:00:00.123456789Z"}`; what lacks its newline goes
/// on in the next line.
fn read_docker(line: &[u8]) -> Option<Wrapped<'_>> {
    let escaped = line.strip_prefix(DOCKER_FRONT)?;
    let end = json_object::string_end(escaped, 0)? - 1;
    let rest = &escaped[end + 1..];
    if !rest.starts_with(b",\"stream\":\"std") && !rest.starts_with(b",\"attrs\":{") {
        return None;
    }
    // The time is the last: within an attribute one may only come before it.
    let time = memchr::memmem::rfind(rest, b"\"time\":\"").map_or_else(Span::default, |at| {
        let start = line.len() - rest.len() + at + 8;
        let length = memchr::memchr(b'"', &line[start..]).unwrap_or(line.len() - start);
        let offset = |at: usize| u32::try_from(at).unwrap_or(0);
        Span { start: offset(start), end: offset(start + length) }
    });
    let escaped = &escaped[..end];
    Some(Wrapped { time, level: None, is_open: !escaped.ends_with(b"\\n"), start: 8, inside: Inside::Escaped(escaped) })
}

/// With what a line of Docker begins.
const DOCKER_FRONT: &[u8] = b"{\"log\":\"";

/// Returns whether a line begins as one that a runtime wrote.
pub(crate) fn begins_wrapped(line: &[u8]) -> bool {
    cri_header(line).is_some() || line.starts_with(DOCKER_FRONT)
}

/// Undoes the escapes of a JSON string until `to` is full, and returns the length; what is not ASCII becomes `?`, as it
/// is in no header.
pub(crate) fn unescape(text: &[u8], to: &mut [u8]) -> usize {
    let mut scan = Scan::new(text);
    let mut length = 0;
    while length < to.len() && !scan.is_end() {
        let plain = scan.peek();
        scan.skip(1);
        let byte = if plain == b'\\' { escaped(&mut scan) } else { plain };
        to[length] = byte;
        length += 1;
    }
    if !scan.is_end() {
        // What stands at the end here is not at the end of the line, nor of its word.
        to[length - 1] = b'x';
    }
    length
}

/// Passes over what stands behind a backslash, and returns the byte that it means.
fn escaped(scan: &mut Scan<'_>) -> u8 {
    let kind = scan.peek();
    scan.skip(1);
    match kind {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' | b'f' => b' ',
        b'u' => {
            let digits = scan.rest().get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
            scan.skip(4);
            let code = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
            // What Docker writes so: control characters, `<`, `>` and `&`.
            let is_usual = |code: &u8| *code < b' ' || matches!(code, b'<' | b'>' | b'&');
            code.and_then(|code| u8::try_from(code).ok()).filter(is_usual).unwrap_or(b'?')
        }
        b'"' | b'\\' | b'/' => kind,
        _ => b'?',
    }
}

/// Adds the message of a CRI line to `out`, and says whether the next line goes on with it (tag `P`).
fn unwrap_cri(line: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((_, mut scan)) = cri_header(line) else {
        out.extend(line);
        return false;
    };
    let is_open = scan.peek() == b'P';
    scan.token();
    scan.eat(b' ');
    out.extend(scan.rest());
    is_open
}

/// Adds the message of a line of Docker's json-file to `out`, without its newline, and says whether the next line goes on
/// with it.
fn unwrap_docker(line: &[u8], out: &mut Vec<u8>) -> bool {
    let message = line.strip_prefix(b"{\"log\":").and_then(|rest| {
        let end = json_object::string_end(rest, 1)?;
        serde_json::from_slice::<String>(&rest[..end]).ok()
    });
    let Some(message) = message else {
        out.extend(line);
        return false;
    };
    let whole = message.strip_suffix('\n');
    out.extend(whole.unwrap_or(&message).as_bytes());
    whole.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_as_far_as_they_go() {
        let check = |text: &str, expected: &str| {
            let mut buffer = [0; 12];
            let length = unescape(text.as_bytes(), &mut buffer);
            assert_eq!(String::from_utf8_lossy(&buffer[..length]), expected, "{text}");
        };
        check(r#"a\t\"b\"\n"#, "a\t\"b\"\n");
        check(r"\u001b[31mx", "\x1b[31mx");
        check(r"\u00e9\ud83d\ude00", "???");
        check(r"0123456789abcdef", "0123456789ax");
        for cut in [r"\", r"\u", r"\u00", r"\u+012"] {
            unescape(cut.as_bytes(), &mut [0; 12]);
        }
    }

    #[test]
    fn what_the_runtime_wrote_around_a_line_is_taken_off() {
        let check = |unwrap: fn(&[u8], &mut Vec<u8>) -> bool, line: &str, message: &str, is_open: bool| {
            let mut out = Vec::new();
            assert_eq!(unwrap(line.as_bytes(), &mut out), is_open, "{line}");
            assert_eq!(String::from_utf8_lossy(&out), message, "{line}");
        };
        check(unwrap_cri, "2026-01-05T10:00:00Z stdout F  hello ", " hello ", false);
        check(unwrap_cri, "2026-01-05T10:00:00Z stderr P part", "part", true);
        check(unwrap_cri, "2026-01-05T10:00:00Z stderr F", "", false);
        check(unwrap_cri, "else", "else", false);
        check(unwrap_docker, r#"{"log":"a\t\"b\" \u00e9\n","stream":"stdout"}"#, "a\t\"b\" é", false);
        check(unwrap_docker, r#"{"log":"part","stream":"stdout"}"#, "part", true);
        check(unwrap_docker, r#"{"log":"bad \x","stream":"stdout"}"#, r#"{"log":"bad \x","stream":"stdout"}"#, false);
    }
}
