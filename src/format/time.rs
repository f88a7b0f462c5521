//! A record's own time as RFC 3339, where it is certain: with a date, a time of day and a zone that is an offset.
//!
//! A time without a zone is left out rather than guessed: the reader of the stream has the time of reading anyway.

use super::dates::pair;
use super::scan::{Scan, number};

/// The longest: `2026-01-05T10:00:00.123456789+01:00`.
const TIME_BYTES_MAX: usize = 35;

/// Up to the seconds: every time has so many bytes.
const SECONDS_BYTES: usize = 19;

/// A time in the shape `2026-01-05T10:00:00.123Z` or with an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    bytes: [u8; TIME_BYTES_MAX],
    length: usize,
}

impl Time {
    /// Returns the time that `text` is, its fraction as it was written.
    ///
    /// `text` is `2026-01-05T10:00:00Z`, the same with a blank, a comma, a slash or ` UTC` in the usual places, or
    /// `05/Jan/2026:10:00:00 +0000`; `None` for anything else.
    #[must_use]
    pub(crate) fn rfc3339(text: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(text);
        let (year, month, day) = date(&mut scan)?;
        let is_separated = scan.eat(b'T') || scan.eat(b't') || scan.eat(b' ') || scan.eat(b':');
        let clock = scan.rest().first_chunk::<8>().filter(|_| is_separated)?;
        let has_colons = clock[2] == b':' && clock[5] == b':';
        if !has_colons || pair(clock, 0) > 23 || pair(clock, 3) > 59 || pair(clock, 6) > 60 {
            return None;
        }
        scan.skip(clock.len());
        let fraction = if scan.eat(b'.') || scan.eat(b',') { scan.digits(1, 9)? } else { b"" };
        let zone = zone(&mut scan)?;
        let mut time = Self::at_seconds(*b"0000-00-00T00:00:00");
        time.bytes[..4].copy_from_slice(&year);
        time.bytes[5..7].copy_from_slice(&month);
        time.bytes[8..10].copy_from_slice(&day);
        time.bytes[11..SECONDS_BYTES].copy_from_slice(clock);
        time.add_fraction(fraction);
        match zone {
            None => time.add(b"Z"),
            Some((sign, hours, minutes)) => [&[sign], hours, b":", minutes].iter().for_each(|piece| time.add(piece)),
        }
        Some(time)
    }

    /// Returns the time of a number that counts seconds, milliseconds, microseconds or nanoseconds since 1970, distinguished by
    /// its size: the times between 2001 and 2286 do not overlap. A fraction of seconds gets 3, 6 or 9 digits.
    #[must_use]
    pub(super) fn since_epoch(text: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(text);
        let whole = scan.digits(10, 19)?;
        let fraction = if scan.eat(b'.') { scan.digits(1, 9)? } else { b"" };
        if !scan.is_end() || !matches!(whole.len(), 10 | 13 | 16 | 19) {
            return None;
        }
        let (seconds, finer) = whole.split_at(10);
        let fraction = if finer.is_empty() { fraction } else { finer };
        let mut digits = *b"000000000";
        digits[..fraction.len()].copy_from_slice(fraction);
        let mut time = Self::at_seconds(seconds_since_epoch(seconds));
        time.add_fraction(&digits[..fraction.len().next_multiple_of(3)]);
        time.add(b"Z");
        Some(time)
    }

    /// Returns it as text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn at_seconds(seconds: [u8; SECONDS_BYTES]) -> Self {
        let mut bytes = [0; TIME_BYTES_MAX];
        bytes[..SECONDS_BYTES].copy_from_slice(&seconds);
        Self { bytes, length: SECONDS_BYTES }
    }

    fn add_fraction(&mut self, digits: &[u8]) {
        if !digits.is_empty() {
            self.add(b".");
            self.add(digits);
        }
    }

    fn add(&mut self, piece: &[u8]) {
        let end = self.length + piece.len();
        self.bytes[self.length..end].copy_from_slice(piece);
        self.length = end;
    }
}

/// Returns the time so many seconds after 1970 began, given as ten digits, in UTC.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn seconds_since_epoch(digits: &[u8]) -> [u8; SECONDS_BYTES] {
    let seconds = digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit.wrapping_sub(b'0')));
    // Fewer than 116,000 days; years begin in March here, and the first one is the year 0.
    #[allow(clippy::cast_possible_truncation, reason = "both fit")]
    let (days, clock) = ((seconds / 86_400) as u32 + 719_468, (seconds % 86_400) as u32);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u32::from(month <= 2);
    let mut text = *b"0000-00-00T00:00:00";
    let pairs = [year / 100, year % 100, month, day, clock / 3_600, clock / 60 % 60, clock % 60];
    for (pair, at) in pairs.into_iter().zip([0, 2, 5, 8, 11, 14, 17]) {
        let [tens, ones] = two_digits(pair);
        (text[at], text[at + 1]) = (tens, ones);
    }
    text
}

/// Returns a number below 100 as two digits.
#[allow(clippy::cast_possible_truncation, reason = "each is a digit")]
fn two_digits(number: u32) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}

/// Passes over a date, and returns year, month and day, each of its usual number of digits.
fn date(scan: &mut Scan<'_>) -> Option<([u8; 4], [u8; 2], [u8; 2])> {
    if let Some(year) = scan.digits(4, 4) {
        let separator = scan.peek();
        let month = (matches!(separator, b'-' | b'/') && scan.eat(separator)).then(|| scan.digits(2, 2))??;
        let day = scan.eat(separator).then(|| scan.digits(2, 2))??;
        let is_date = (1..=12).contains(&number(month)) && (1..=31).contains(&number(day));
        return if is_date { Some((array(year)?, array(month)?, array(day)?)) } else { None };
    }
    let day = scan.digits(2, 2)?;
    let separator = scan.peek();
    scan.eat(separator);
    let names = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let name = scan.rest().get(..3)?;
    let month = names.chunks_exact(3).zip(1..).find(|(one, _)| *one == name)?.1;
    scan.letters();
    let year = scan.eat(separator).then(|| scan.digits(4, 4))??;
    Some((array(year)?, two_digits(month), array(day)?))
}

fn array<const BYTES: usize>(digits: &[u8]) -> Option<[u8; BYTES]> {
    digits.first_chunk().copied()
}

/// A sign, hours and minutes.
type Offset<'a> = (u8, &'a [u8], &'a [u8]);

/// Passes over the zone at the end of the text, and returns its offset, none for UTC; another name is not certain.
#[allow(clippy::option_option, reason = "no zone at all, or UTC")]
fn zone<'a>(scan: &mut Scan<'a>) -> Option<Option<Offset<'a>>> {
    scan.eat(b' ');
    if matches!(scan.rest(), b"Z" | b"z" | b"UTC" | b"GMT") {
        return Some(None);
    }
    let sign = scan.peek();
    if !scan.eat(b'+') && !scan.eat(b'-') {
        return None;
    }
    let hours = scan.digits(2, 2)?;
    scan.eat(b':');
    let minutes = if scan.is_end() { b"00" } else { scan.digits(2, 2)? };
    (scan.is_end() && number(hours) < 24 && number(minutes) < 60).then_some(Some((sign, hours, minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certain_times_are_given() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Time::rfc3339(text.as_bytes());
            assert_eq!(found.as_ref().map(Time::as_bytes), expected.map(str::as_bytes), "{text}");
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
            let found = Time::since_epoch(text.as_bytes());
            assert_eq!(found.as_ref().map(Time::as_bytes), expected.map(str::as_bytes), "{text}");
        };
        check("1767607200", Some("2026-01-05T10:00:00Z"));
        check("1767607200.5", Some("2026-01-05T10:00:00.500Z"));
        check("1767607200123", Some("2026-01-05T10:00:00.123Z"));
        check("1767607200123456789", Some("2026-01-05T10:00:00.123456789Z"));
        for text in ["17", "176760720012", "1767607200x", "", "-1767607200"] {
            check(text, None);
        }
    }

    #[test]
    fn days_are_counted_as_another_library_does() {
        // A second less than a day, so that every day is met, at all times of day.
        for seconds in (0..9_999_999_999_u64).step_by(86_399) {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            let expected = humantime::format_rfc3339_seconds(time).to_string();
            let found = Time::since_epoch(format!("{seconds:010}").as_bytes()).expect("a time");
            assert_eq!(found.as_bytes(), expected.as_bytes(), "{seconds}");
        }
    }
}
