//! logfmt: `key=value key="quoted value"`, as Heroku began it and Go's logrus, go-kit, slog, Grafana and Prometheus write it.

use crate::format::block::{Format, Front, Reader, Words};
use crate::format::head::{Head, Span};
use crate::format::level::Level;
use crate::format::scan::Scan;

/// logfmt.
pub(crate) const LOGFMT: Format = Format {
    name: "logfmt",
    read: Reader::Line(read),
    front: Front { first: b"aA@_", words: Words::Joined, ..Front::ANY },
    ..Format::NONE
};

/// Among how many pairs the time is looked for once the level is known.
const PAIRS_MAX: usize = 4;

/// Reads a line whose first pairs name a level, or two pairs of which one is a time or a message.
pub(crate) fn read(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    let mut head = Head::default();
    let (mut pairs, mut is_known) = (0, false);
    while let Some((key, start)) = pair(&mut scan) {
        let value = value(&mut scan)?;
        pairs += 1;
        let mut lower = [0; KEY_BYTES_MAX];
        let key = lowered(key, &mut lower);
        match key.strip_prefix(b"_").unwrap_or(key) {
            b"level" | b"lvl" | b"severity" | b"at" | b"log_level" | b"log.level" | b"loglevel" | b"levelname"
            | b"prio" => {
                head.level = head.level.or_else(|| level(value));
                is_known |= head.level.is_some();
            }
            b"time" | b"ts" | b"t" | b"timestamp" => {
                head.time = scan.since(start);
                head.time.start += u32::from(line.get(start as usize) == Some(&b'"'));
                head.time.end = head.time.start + u32::try_from(value.len()).unwrap_or(0);
                is_known = true;
            }
            b"msg" | b"message" => is_known = true,
            _ => {}
        }
        if !scan.spaces() {
            break;
        }
        let has_time = head.time != Span::default();
        if head.level.is_some() && (has_time || pairs >= PAIRS_MAX) {
            // All that can be known is known; the digits before it are those of the time, or say nothing.
            head.header = if line[..scan.at() as usize].ends_with(b" ") && has_time { scan.header() } else { 0 };
            break;
        }
    }
    (is_known && (pairs >= 2 || head.level.is_some())).then_some(head)
}

/// No key that counts is longer.
const KEY_BYTES_MAX: usize = 9;

/// Returns a key in lower case; one that is too long as it is.
fn lowered<'a>(key: &'a [u8], lower: &'a mut [u8; KEY_BYTES_MAX]) -> &'a [u8] {
    let Some(lower) = lower.get_mut(..key.len()) else { return key };
    lower.copy_from_slice(key);
    lower.make_ascii_lowercase();
    lower
}

/// Passes over `key=`, and returns the key and where its value begins.
fn pair<'a>(scan: &mut Scan<'a>) -> Option<(&'a [u8], u32)> {
    let before = *scan;
    let key = scan.while_is(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'/'));
    if key.is_empty() || !scan.eat(b'=') {
        *scan = before;
        return None;
    }
    Some((key, scan.at()))
}

/// Passes over a value, and returns it without its quotes.
fn value<'a>(scan: &mut Scan<'a>) -> Option<&'a [u8]> {
    if !scan.eat(b'"') {
        return Some(scan.token());
    }
    let all = scan.rest();
    loop {
        scan.while_is(|byte| byte != b'"' && byte != b'\\');
        if scan.eat(b'"') {
            return Some(&all[..all.len() - scan.rest().len() - 1]);
        }
        if scan.is_end() {
            // A line that was cut.
            return Some(all);
        }
        scan.eat(b'\\');
        scan.eat(scan.peek());
    }
}

fn level(value: &[u8]) -> Option<Level> {
    let mut scan = Scan::new(value);
    scan.colours();
    let word = scan.letters();
    // slog writes levels between the named ones as `ERROR+2`.
    if (scan.eat(b'+') || scan.eat(b'-')) && scan.digits(1, 3).is_none() {
        return None;
    }
    scan.colours();
    match word {
        _ if !scan.is_end() => None,
        // Coloured, or in lower case, it would be a word.
        [letter] if value.len() == 1 => Level::from_letter(*letter),
        _ => Level::from_word(word),
    }
}
