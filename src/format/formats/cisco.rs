//! Cisco: the system messages of its routers, switches and firewalls.

use crate::format::block::{Dated, Format, Front, Reader, Shape};
use crate::format::head::{Head, Span};
use crate::format::level::Level;
use crate::format::scan::Scan;

/// Cisco IOS, NX-OS, ASA and FTD.
pub(crate) const CISCO: Format = Format {
    name: "cisco-ios",
    read: Reader::Line(read_cisco),
    front: Front { first: b"0A%*.", dated: Dated::new(Shape::Iso, b""), ..Front::ANY },
    has_no_alarms: true,
    ..Format::NONE
};

/// How far behind the front of a line a message's name may begin, in bytes: behind times, hosts and counters.
const FRONT_BYTES_MAX: usize = 120;

/// Reads `Jan  5 10:00:00 host %ASA-3-106014: message`: a facility, a severity of syslog and a name, whatever time, host and
/// counter stand before them.
///
/// Source: Cisco's "System Message Guide", "How to Read System Messages".
fn read_cisco(line: &[u8]) -> Option<Head> {
    let near = &line[..line.len().min(FRONT_BYTES_MAX)];
    let percent = memchr::memchr_iter(b'%', near).find(|at| near.get(at + 1).is_some_and(u8::is_ascii_uppercase))?;
    // Of dates in numbers only that of a collector stands there.
    let is_other =
        matches!(line.get(4), Some(b'/' | b'.')) || line.get(4) == Some(&b'-') && line.get(10) != Some(&b'T');
    if is_other && line[0].is_ascii_digit() {
        return None;
    }
    let is_apart = percent == 0 || near[percent - 1] == b' ';
    let mut scan = Scan::new(line);
    scan.skip(percent + 1);
    let level = if is_apart { severity(&mut scan) } else { None }?;
    let message = scan.at();
    let mut front = Scan::new(&near[..percent]);
    let time = time(&mut front);
    let has_time = time != Span::default();
    (has_time || percent == 0).then_some(Head { level: Some(level), time, message, ..Head::default() })
}

/// Passes over a time, or a counter or the year with a time behind them; empty for none.
fn time(scan: &mut Scan<'_>) -> Span {
    for _ in 0..2 {
        scan.while_is(|byte| matches!(byte, b' ' | b'*' | b'.'));
        let start = scan.at();
        if scan.any_time() {
            return scan.since(start);
        }
        scan.while_is(|byte| byte.is_ascii_digit());
        scan.eat(b':');
    }
    Span::default()
}

/// Passes over `ASA-3-106014: ` or `SEC_LOGIN-SW1-4-LOGIN_FAILED: `, and returns the level of the severity.
fn severity(scan: &mut Scan<'_>) -> Option<Level> {
    let name = scan.while_is(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'));
    let mut parts = name.rsplit(|byte| *byte == b'-');
    let (mnemonic, digit) = (parts.next()?, parts.next()?);
    let [digit @ b'0'..=b'7'] = digit else { return None };
    let is_named = parts.next().is_some_and(|facility| !facility.is_empty()) && !mnemonic.is_empty();
    let is_ended = is_named && scan.eat(b':') && (scan.spaces() || scan.is_end());
    is_ended.then(|| Level::from_syslog(u64::from(digit - b'0')))
}
