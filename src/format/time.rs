//! A record's own time as RFC 3339: with a date, a time of day and an offset.
//!
//! A time that states no offset is one of the configured zone. A year that it does not state is the one in which the time is not
//! in the future. A time without a date is left out rather than guessed.

use std::cell::Cell;

use super::civil_days::{self, DAY_SECONDS};
use super::dates::pair;
use super::scan::{Scan, number};
use super::written_time::WrittenTime;
use super::zone::Zone;

/// How far ahead a time without a year may be, in seconds: the clock of who wrote it, or its zone, is another.
const AHEAD_MAX: i64 = 2 * DAY_SECONDS;

/// What is known of the times of all records.
#[derive(Debug, Default)]
pub struct Times {
    /// `TIMEZONE`: of times that state no offset.
    pub zone: Zone,
    /// Seconds since 1970, or nothing: then a time without a year is none. Who reads lines sets it now and then.
    pub now: Cell<Option<i64>>,
}

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

    /// Returns the time that `text` is in any shape that logs have, and whether it is certain: it states its offset and its year.
    #[must_use]
    pub(super) fn read(text: &[u8], times: &Times) -> Option<(Self, bool)> {
        if text.is_empty() {
            return None;
        }
        let usual = WrittenTime::usual(text);
        if let Some(time) = usual.is_none().then(|| Self::rfc3339(text).or_else(|| Self::since_epoch(text))).flatten() {
            return Some((time, true));
        }
        let moment = usual.or_else(|| WrittenTime::read(text))?;
        let year = moment.year.or_else(|| year_of(&moment, times))?;
        let local = local(&moment, year);
        let (offset, is_only) = match moment.offset {
            Some(offset) => (offset, true),
            None => times.zone.offset_of_local(local),
        };
        let is_certain = is_only && moment.offset.is_some() && moment.year.is_some();
        Some((Self::of_moment(&moment, year, local, offset)?, is_certain))
    }

    /// Returns a moment with its year and offset; offsets with seconds, which RFC 3339 does not have, as UTC.
    fn of_moment(moment: &WrittenTime<'_>, year: i64, local: i64, offset: i32) -> Option<Self> {
        let is_shown = offset % 60 == 0;
        let (date, [hour, minute, second]) = if is_shown {
            ((year, moment.month, moment.day), moment.clock)
        } else {
            let utc = civil_days::civil(local - i64::from(offset));
            let pair = |value: i64| u8::try_from(value).unwrap_or(0);
            let clock = [utc.clock / 3_600, utc.clock / 60 % 60, utc.clock % 60].map(pair);
            ((utc.year, utc.month, utc.day), clock)
        };
        let year = u32::try_from(date.0).ok().filter(|year| *year <= 9_999)?;
        let mut text = *b"0000-00-00T00:00:00";
        let pairs = [year / 100, year % 100].into_iter().chain([date.1, date.2, hour, minute, second].map(u32::from));
        for (pair, at) in pairs.zip([0, 2, 5, 8, 11, 14, 17]) {
            let [tens, ones] = two_digits(pair);
            (text[at], text[at + 1]) = (tens, ones);
        }
        let mut time = Self::at_seconds(text);
        time.add_fraction(moment.fraction);
        if offset == 0 || !is_shown {
            time.add(b"Z");
        } else {
            let minutes = offset.unsigned_abs() / 60;
            time.add(if offset < 0 { b"-" } else { b"+" });
            time.add(&two_digits(minutes / 60));
            time.add(b":");
            time.add(&two_digits(minutes % 60));
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

/// Returns a moment in seconds since 1970, as if its clock were UTC's.
fn local(moment: &WrittenTime<'_>, year: i64) -> i64 {
    let [hour, minute, second] = moment.clock.map(i64::from);
    civil_days::days(year, moment.month, moment.day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second
}

/// Returns the latest year in which a moment that states none is not in the future, and its day exists.
fn year_of(moment: &WrittenTime<'_>, times: &Times) -> Option<i64> {
    // Up to the year 9999.
    let now = times.now.get()?.clamp(0, 253_402_300_799 - AHEAD_MAX) + AHEAD_MAX;
    let this = civil_days::civil(now).year;
    let is_possible =
        |year: &i64| moment.day <= civil_days::days_of_month(*year, moment.month) && local(moment, *year) <= now;
    // Eight years may lie between two that have a 29th of February.
    (this - 8..=this).rev().find(is_possible)
}

/// Returns the time so many seconds after 1970 began, given as ten digits, in UTC.
fn seconds_since_epoch(digits: &[u8]) -> [u8; SECONDS_BYTES] {
    let seconds = digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit.wrapping_sub(b'0')));
    let date = civil_days::civil(seconds);
    let mut text = *b"0000-00-00T00:00:00";
    let [day, month] = [date.day, date.month].map(i64::from);
    let clock = date.clock;
    let pairs = [date.year / 100, date.year % 100, month, day, clock / 3_600, clock / 60 % 60, clock % 60];
    for (pair, at) in pairs.into_iter().zip([0, 2, 5, 8, 11, 14, 17]) {
        let [tens, ones] = two_digits(u32::try_from(pair).unwrap_or(0));
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
    fn times_of_many_shapes_are_read_in_the_zone() {
        // The 10th of January 2026.
        let times = Times {
            zone: Zone::parse("CET-1CEST,M3.5.0,M10.5.0/3").expect("rules"),
            now: Cell::new(Some(1_768_046_400)),
        };
        let check = |text: &str, expected: Option<(&str, bool)>| {
            let found = Time::read(text.as_bytes(), &times);
            let found = found.as_ref().map(|(time, is)| (String::from_utf8_lossy(time.as_bytes()).into_owned(), *is));
            assert_eq!(found, expected.map(|(time, is)| (time.to_owned(), is)), "{text}");
        };
        for text in [
            "2026-01-05 10:00:00",
            "2026/01/05 10:00:00",
            "2026-01-05T10:00:00",
            "2026.01.05 10:00:00",
            "2026-01-05_10:00:00",
            "2026-01-05-10.00.00",
            "05/Jan/2026:10:00:00",
            "05-Jan-2026 10:00:00",
            "5 Jan 2026 10:00:00",
            "5.01.2026 10:00:00",
            "260105 10:00:00",
            "260105 100000",
            "20260105T100000",
            "Jan  5 10:00:00",
            "Jan 05, 2026 10:00:00 AM",
            "Jan 05 2026 10:00:00",
            "Mon Jan  5 10:00:00 2026",
            "Mon, 05 Jan 2026 10:00:00",
            "0105 10:00:00",
            "01-05 10:00:00",
            "5 Jan 10:00:00",
        ] {
            check(text, Some(("2026-01-05T10:00:00+01:00", false)));
        }
        check("2026-01-05 10:00:00,123", Some(("2026-01-05T10:00:00.123+01:00", false)));
        check("0105 10:00:00.123456", Some(("2026-01-05T10:00:00.123456+01:00", false)));
        check("Jan 5, 2026 9:05:03 PM", Some(("2026-01-05T21:05:03+01:00", false)));
        check("1/31/26, 12:00:00 AM", Some(("2026-01-31T00:00:00+01:00", false)));
        check("Mon Jan  5 10:00:00.5 2026", Some(("2026-01-05T10:00:00.5+01:00", false)));
        check("2026-01-05 10:00:00 CET", Some(("2026-01-05T10:00:00+01:00", true)));
        check("2026-01-05-10.00.00.123456-300", Some(("2026-01-05T10:00:00.123456-05:00", true)));
        check("2026-01-05 10:00:00 +0100", Some(("2026-01-05T10:00:00+01:00", true)));
        check("1767607200123", Some(("2026-01-05T10:00:00.123Z", true)));
        // Repeated: the earlier of the two.
        check("2026-10-25 02:30:00", Some(("2026-10-25T02:30:00+02:00", false)));
        // Not in the future, and a day that exists.
        check("Jan 11 10:00:00", Some(("2026-01-11T10:00:00+01:00", false)));
        check("Dec 31 23:59:60", Some(("2025-12-31T23:59:60+01:00", false)));
        check("Feb 29 10:00:00", Some(("2024-02-29T10:00:00+01:00", false)));
        check("0000-01-01 00:00:00", Some(("0000-01-01T00:00:00+01:00", false)));
        check("9999-12-31 23:59:59", Some(("9999-12-31T23:59:59+01:00", false)));
        // A usual one is read at once, and as any other would be.
        for front in ["2026-01-05 10:00:00", "2024/02/29T23:59:60", "0001.12.31 00:00:00", "2026-00-05 10:00:00"] {
            for fraction in ["", ",1", ".123456789", ",1234567890", ".", ",x", "Z", " 1"] {
                let text = [front, fraction].concat();
                let (usual, any) = (WrittenTime::usual(text.as_bytes()), WrittenTime::read(text.as_bytes()));
                assert!(usual.is_none() || usual == any && Time::rfc3339(text.as_bytes()).is_none(), "{text}");
                assert!(usual.is_some() || any.is_none() || text.ends_with(['Z']), "{text}");
            }
        }
        for text in [
            "",
            "10:00:00",
            "2026-01-05",
            "5/1/24, 10:00:00",
            "2026-02-30 10:00:00",
            "2026-01-05 24:00:00",
            "2026-01-05 10:00:61",
            "2026-01-05 10:00:00 XYZ",
            "2026-01-05 10:00:00 words",
            "12345-01-05 10:00:00",
            "9999999-01-05 10:00:00",
            "Jan 00 10:00:00",
            "Jan 5 13:00:00 PM",
            "2026-01-05 10:00:00 +2500",
            "99999999999999999999",
        ] {
            check(text, None);
        }
        times.now.set(None);
        check("Jan  5 10:00:00", None);
        for now in [i64::MIN, -1, i64::MAX] {
            times.now.set(Some(now));
            let _ = Time::read(b"Jan  5 10:00:00", &times);
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
