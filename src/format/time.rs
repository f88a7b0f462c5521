//! A record's own time as RFC 3339, where it is certain: with a date, a time of day and a zone that is an offset.
//!
//! A time without a zone is left out rather than guessed: the reader of the stream has the time of reading anyway.

use std::time::{Duration, UNIX_EPOCH};

use super::scan::{Scan, number};

/// Returns the time in the shape `2026-01-05T10:00:00.123Z` or with an offset, its fraction as it was written.
///
/// `text` is `2026-01-05T10:00:00Z`, the same with a blank, a comma, a slash or ` UTC` in the usual places, or
/// `05/Jan/2026:10:00:00 +0000`; `None` for anything else.
#[must_use]
pub fn rfc3339(text: &[u8]) -> Option<String> {
    let mut scan = Scan::new(text);
    let (year, month, day) = date(&mut scan)?;
    let is_separated = scan.eat(b'T') || scan.eat(b't') || scan.eat(b' ') || scan.eat(b':');
    let clock = scan.rest().get(..8).filter(|_| is_separated)?;
    let is_clock = scan.digits(2, 2).is_some()
        && scan.eat(b':')
        && scan.digits(2, 2).is_some()
        && scan.eat(b':')
        && scan.digits(2, 2).is_some();
    if !is_clock || number(&clock[..2]) > 23 || number(&clock[3..5]) > 59 || number(&clock[6..]) > 60 {
        return None;
    }
    let fraction = if scan.eat(b'.') || scan.eat(b',') { Some(scan.digits(1, 9)?) } else { None };
    let zone = zone(&mut scan)?;
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let mut time = format!("{}-{}-{}T{}", text(year)?, month, text(day)?, text(clock)?);
    if let Some(fraction) = fraction {
        time.push('.');
        time.push_str(text(fraction)?);
    }
    time.push_str(&zone);
    Some(time)
}

/// Returns the time of a number that counts seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by its
/// size: the times between 2001 and 2286 do not overlap.
#[must_use]
pub fn since_epoch(text: &[u8]) -> Option<String> {
    let mut scan = Scan::new(text);
    let whole = scan.digits(10, 19)?;
    let fraction = if scan.eat(b'.') { scan.digits(1, 9)? } else { b"" };
    if !scan.is_end() {
        return None;
    }
    let count: u64 = std::str::from_utf8(whole).ok()?.parse().ok()?;
    let (time, digits) = match whole.len() {
        10 => {
            let nanos = number(fraction) * 10_u32.pow(9 - u32::try_from(fraction.len()).ok()?);
            (Duration::new(count, nanos), fraction.len())
        }
        13 => (Duration::from_millis(count), 3),
        16 => (Duration::from_micros(count), 6),
        19 => (Duration::from_nanos(count), 9),
        _ => return None,
    };
    let time = UNIX_EPOCH.checked_add(time)?;
    Some(match digits {
        0 => humantime::format_rfc3339_seconds(time).to_string(),
        1..=3 => humantime::format_rfc3339_millis(time).to_string(),
        4..=6 => humantime::format_rfc3339_micros(time).to_string(),
        _ => humantime::format_rfc3339_nanos(time).to_string(),
    })
}

/// Passes over a date, and returns year, month and day, each of its usual number of digits.
fn date<'a>(scan: &mut Scan<'a>) -> Option<(&'a [u8], String, &'a [u8])> {
    if let Some(year) = scan.digits(4, 4) {
        let separator = scan.peek();
        let month = (matches!(separator, b'-' | b'/') && scan.eat(separator)).then(|| scan.digits(2, 2))??;
        let day = scan.eat(separator).then(|| scan.digits(2, 2))??;
        let is_date = (1..=12).contains(&number(month)) && (1..=31).contains(&number(day));
        return is_date.then(|| (year, String::from_utf8_lossy(month).into_owned(), day));
    }
    let day = scan.digits(2, 2)?;
    let separator = scan.peek();
    scan.eat(separator);
    let names = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let name = scan.rest().get(..3)?;
    let month = names.chunks_exact(3).position(|one| one == name)? + 1;
    scan.letters();
    let year = scan.eat(separator).then(|| scan.digits(4, 4))??;
    Some((year, format!("{month:02}"), day))
}

/// Returns the zone at the end of the text as RFC 3339 writes it; a name other than UTC's is not certain.
fn zone(scan: &mut Scan<'_>) -> Option<String> {
    scan.eat(b' ');
    if matches!(scan.rest(), b"Z" | b"z" | b"UTC" | b"GMT") {
        return Some("Z".to_owned());
    }
    let sign = match scan.peek() {
        b'+' => '+',
        b'-' => '-',
        _ => return None,
    };
    scan.eat(scan.peek());
    let hours = number(scan.digits(2, 2)?);
    scan.eat(b':');
    let minutes = if scan.is_end() { 0 } else { number(scan.digits(2, 2)?) };
    (scan.is_end() && hours < 24 && minutes < 60).then(|| format!("{sign}{hours:02}:{minutes:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certain_times_are_given() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(rfc3339(text.as_bytes()).as_deref(), expected, "{text}");
        };
        check("2026-01-05T10:00:00Z", Some("2026-01-05T10:00:00Z"));
        check("2026-01-05 10:00:00,123 +0100", Some("2026-01-05T10:00:00.123+01:00"));
        check("2026-01-05 10:00:00.123 UTC", Some("2026-01-05T10:00:00.123Z"));
        check("2026/01/05 10:00:00-05:30", Some("2026-01-05T10:00:00-05:30"));
        check("05/Jan/2026:10:00:00 +0000", Some("2026-01-05T10:00:00+00:00"));
        for text in ["2026-01-05 10:00:00", "2026-01-05 10:00:00 CET", "10:00:00Z", "2026-13-05T10:00:00Z", "", "2026"]
        {
            check(text, None);
        }
    }

    #[test]
    fn numbers_count_since_the_epoch() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(since_epoch(text.as_bytes()).as_deref(), expected, "{text}");
        };
        check("1767607200", Some("2026-01-05T10:00:00Z"));
        check("1767607200.5", Some("2026-01-05T10:00:00.500Z"));
        check("1767607200123", Some("2026-01-05T10:00:00.123Z"));
        check("1767607200123456789", Some("2026-01-05T10:00:00.123456789Z"));
        for text in ["17", "176760720012", "1767607200x", "", "-1767607200"] {
            check(text, None);
        }
    }
}
