//! A date with a time of day, read from whatever shape a log writes it in.
//!
//! What may be read in two ways, such as `5/1/24`, is none.

use super::civil_days::days_of_month;
use super::dates::{is_usual_date_time, pair};
use super::scan::{Scan, number};

/// A date with a time of day as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WrittenTime<'a> {
    /// None if it was not written.
    pub(super) year: Option<i64>,
    /// 1 to 12.
    pub(super) month: u8,
    /// From 1 to the last day of the month; of February to 29 if there is no year.
    pub(super) day: u8,
    /// Hours, minutes and seconds; the last may be 60.
    pub(super) clock: [u8; 3],
    /// Digits of a fraction of a second, at most nine.
    pub(super) fraction: &'a [u8],
    /// Seconds east of Greenwich, if it was written.
    pub(super) offset: Option<i32>,
}

impl<'a> WrittenTime<'a> {
    /// Reads all of a text that is as most times without an offset are, `2026-01-05 10:00:00,123`; `None` for any other, and for a
    /// day that does not exist.
    pub(super) fn usual(text: &'a [u8]) -> Option<Self> {
        let front = text.first_chunk().filter(|front| is_usual_date_time(front))?;
        let fraction = match &text[front.len()..] {
            [] => b"",
            [b'.' | b',', digits @ ..] if (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) => {
                digits
            }
            _ => return None,
        };
        let year = i64::from(pair(front, 0)) * 100 + i64::from(pair(front, 2));
        let (month, day) = (pair(front, 5), pair(front, 8));
        let is_date = month > 0 && (1..=days_of_month(year, month)).contains(&day);
        let clock = [11, 14, 17].map(|at| pair(front, at));
        is_date.then_some(Self { year: Some(year), month, day, clock, fraction, offset: None })
    }

    /// Reads all of a text.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let mut scan = Scan::new(text);
        let (mut year, month, day) = date(&mut scan)?;
        scan.while_is(|byte| matches!(byte, b'T' | b't' | b' ' | b'_' | b':' | b',' | b'-' | b'/' | b']' | b'['));
        let mut clock = clock(&mut scan)?;
        let has_fraction =
            matches!(scan.peek(), b'.' | b',' | b':') && scan.rest().get(1).is_some_and(u8::is_ascii_digit);
        let fraction = if has_fraction {
            scan.skip(1);
            scan.digits(1, 9)?
        } else {
            b""
        };
        scan.spaces();
        if let Some(half @ (b"AM" | b"PM" | b"am" | b"pm")) = scan.rest().get(..2) {
            scan.skip(2);
            scan.spaces();
            let hour = clock[0].checked_sub(1).filter(|hour| *hour < 12)?;
            clock[0] = (hour + 1) % 12 + if half[0] | 0x20 == b'p' { 12 } else { 0 };
        }
        let offset = offset(&mut scan)?;
        scan.spaces();
        if year.is_none() && !scan.is_end() {
            year = Some(i64::from(number(scan.digits(4, 4)?)));
        }
        let last = days_of_month(year.unwrap_or(2000), month);
        let is_date = (1..=12).contains(&month) && (1..=last).contains(&day);
        let is_clock = clock[0] <= 23 && clock[1] <= 59 && clock[2] <= 60;
        (scan.is_end() && is_date && is_clock).then_some(Self { year, month, day, clock, fraction, offset })
    }
}

/// Passes over digits, and returns their number.
fn small(scan: &mut Scan<'_>, min: usize, max: usize) -> Option<u8> {
    u8::try_from(number(scan.digits(min, max)?)).ok()
}

type Date = (Option<i64>, u8, u8);

fn date(scan: &mut Scan<'_>) -> Option<Date> {
    if weekday(scan) {
        scan.eat(b',');
        scan.spaces();
    }
    if scan.peek().is_ascii_alphabetic() {
        let month = month(scan)?;
        scan.spaces();
        let day = small(scan, 1, 2)?;
        scan.eat(b',');
        let before = *scan;
        let year = if scan.spaces() { scan.digits(4, 4) } else { None };
        let is_year = year.is_some() && matches!(scan.peek(), b' ' | b',');
        *scan = if is_year { *scan } else { before };
        return Some((year.filter(|_| is_year).map(|year| i64::from(number(year))), month, day));
    }
    let digits = scan.digits(1, 8)?;
    let separator = scan.peek();
    let pair = |at: usize| u8::try_from(number(digits.get(at..at + 2)?)).ok();
    match digits.len() {
        4 if matches!(separator, b'-' | b'/' | b'.') => {
            scan.skip(1);
            let month = small(scan, 1, 2)?;
            let day = scan.eat(separator).then(|| small(scan, 1, 2))??;
            Some((Some(i64::from(number(digits))), month, day))
        }
        // klog
        4 => Some((None, pair(0)?, pair(2)?)),
        6 => Some((Some(2000 + i64::from(pair(0)?)), pair(2)?, pair(4)?)),
        8 => Some((Some(i64::from(number(&digits[..4]))), pair(4)?, pair(6)?)),
        1 | 2 if matches!(separator, b'-' | b'/' | b'.' | b' ') => {
            scan.skip(1);
            behind_number(scan, u8::try_from(number(digits)).ok()?, separator)
        }
        _ => None,
    }
}

/// Reads the rest of a date that begins with a day or a month.
fn behind_number(scan: &mut Scan<'_>, first: u8, separator: u8) -> Option<Date> {
    if scan.peek().is_ascii_alphabetic() {
        let month = month(scan)?;
        let before = *scan;
        let year = if scan.eat(separator) { scan.digits(4, 4) } else { None };
        // `31 May 05:36:08`
        *scan = if year.is_some() { *scan } else { before };
        return Some((year.map(|year| i64::from(number(year))), month, first));
    }
    let second = small(scan, 1, 2)?;
    if !scan.eat(separator) {
        // Android's
        return (separator == b'-').then_some((None, first, second));
    }
    let year = scan.digits(2, 4)?;
    let year = match year.len() {
        4 => i64::from(number(year)),
        2 => 2000 + i64::from(number(year)),
        _ => return None,
    };
    // With dots the day comes first; with slashes that depends on who writes it.
    match (first, second) {
        _ if separator == b'.' => Some((Some(year), second, first)),
        (13.., _) => Some((Some(year), second, first)),
        (_, 13..) => Some((Some(year), first, second)),
        _ => (first == second).then_some((Some(year), first, second)),
    }
}

/// Passes over `10:00:00`, `9:05:03`, `10.00.00` or `100000`; the numbers may be too large.
fn clock(scan: &mut Scan<'_>) -> Option<[u8; 3]> {
    let digits = scan.digits(1, 6)?;
    let value = |digits: &[u8]| u8::try_from(number(digits)).ok();
    if digits.len() == 6 {
        return Some([value(&digits[..2])?, value(&digits[2..4])?, value(&digits[4..])?]);
    }
    let hour = Some(digits).filter(|digits| digits.len() <= 2).and_then(value)?;
    let separator = scan.peek();
    let mut next = || (matches!(separator, b':' | b'.') && scan.eat(separator)).then(|| small(scan, 2, 2))?;
    Some([hour, next()?, next()?])
}

/// Passes over a zone, if there is one, and returns its offset in seconds; `None` for a name that is no certain one.
#[allow(clippy::option_option, reason = "no zone, or one that nobody knows")]
fn offset(scan: &mut Scan<'_>) -> Option<Option<i32>> {
    let sign = scan.peek();
    if scan.eat(b'+') || scan.eat(b'-') {
        let hours = scan.digits(2, 4)?;
        let minutes = match hours.len() {
            2 => {
                let has_minutes = scan.eat(b':');
                number(hours) * 60 + if has_minutes { number(scan.digits(2, 2)?) } else { 0 }
            }
            // DB2 counts minutes.
            3 => number(hours),
            _ => number(&hours[..2]) * 60 + number(&hours[2..]),
        };
        let seconds = i32::try_from(minutes).ok().filter(|minutes| *minutes < 24 * 60)? * 60;
        return Some(Some(if sign == b'-' { -seconds } else { seconds }));
    }
    let name = scan.letters();
    let hours = match name {
        b"" => return Some(None),
        b"Z" | b"z" | b"UTC" | b"GMT" => 0,
        b"CET" => 1,
        b"CEST" => 2,
        b"MSK" => 3,
        b"EST" => -5,
        b"EDT" => -4,
        b"PST" => -8,
        b"PDT" => -7,
        _ => return None,
    };
    Some(Some(hours * 3_600))
}

fn month(scan: &mut Scan<'_>) -> Option<u8> {
    let names = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let name = scan.letters().get(..3)?;
    names.chunks_exact(3).zip(1..).find(|(one, _)| *one == name).map(|(_, month)| month)
}

/// Passes over `Mon`, but not over a month.
fn weekday(scan: &mut Scan<'_>) -> bool {
    let names = b"MonTueWedThuFriSatSun";
    let is_one = scan.rest().get(..3).is_some_and(|name| names.chunks_exact(3).any(|one| one == name));
    scan.skip(if is_one { 3 } else { 0 });
    is_one
}
