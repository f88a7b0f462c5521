//! Dates and times of day, in all the shapes in which logs have them.
//!
//! A time that cannot be is none, but which days a month has is not looked at.

use super::head::Span;
use super::scan::{Scan, number};

impl Scan<'_> {
    /// Passes over a date with a time of day, in any of the shapes that logs use, with its fraction and zone, and returns
    /// where it stands:
    ///
    /// - `2026-01-05T10:00:00.123Z`, `2026-01-05 10:00:00,123 +0100`, `2026/01/05 10:00:00`, `2026.01.05 10:00:00`
    /// - `05/Jan/2026:10:00:00 +0000`, `05-Jan-2026 10:00:00.123`, `05 Jan 2026 10:00:00.123`, `05.01.2026 10:00:00`
    /// - `Jan  5 10:00:00`, `Jan 05, 2026 10:00:00 AM`
    /// - `Mon Jan  5 10:00:00.123456 2026`, `Mon Jan  5 10:00:00 UTC 2026`
    pub(super) fn date_time(&mut self) -> Option<Span> {
        let before = *self;
        let start = self.at();
        let found = match self.peek() {
            byte if byte.is_ascii_digit() => {
                self.usual_date_time()
                    || may_be_time(self.rest()) && self.date_of_numbers() && self.separator() && self.clock()
            }
            byte if byte.is_ascii_uppercase() => self.date_of_words(),
            _ => false,
        };
        if !found {
            *self = before;
            return None;
        }
        Some(self.since(start))
    }

    /// Passes over a time in whatever shape logs have one: those of [`Self::date_time`], a time of day alone, and some that few
    /// have, which formats that are known by their time do not accept:
    ///
    /// - `240501 10:00:00`, `240501 100000`, `20240501 10:00:00`, `20240501:10:00:00:012345`, `20240501T100000Z`, `2024-05-01_10:00:00.12345`
    /// - `2024/05/01-10:00:00`, `2024-05-01-10.00.00.123456+000`, `5/1/24, 10:00:00:123 UTC`, `May 1, 2024 10:00:00,123 AM UTC`
    /// - `Wed, 01 May 2024 10:00:00 GMT`, `1714557600`, `1714557600.123`, `1714557600123`
    pub(super) fn any_time(&mut self) -> bool {
        if !may_be_any_time(self.rest()) {
            return false;
        }
        let before = *self;
        let mut found = self.date_time().is_some() || self.clock();
        for rare in [Self::rare_date, Self::epoch] {
            if !found {
                *self = before;
                found = rare(self);
            }
        }
        if !found {
            *self = before;
            return false;
        }
        // Half days and zones, milliseconds behind a colon, what was cut off of an offset.
        if self.peek() == b':' && self.rest().get(1).is_some_and(u8::is_ascii_digit) {
            self.eat(b':');
            self.digits(1, 9);
        }
        self.zone();
        self.zone();
        if matches!(self.peek(), b'+' | b'-')
            && self.rest().get(1..4).is_some_and(|all| all.iter().all(u8::is_ascii_digit))
        {
            self.skip(1);
            self.digits(3, 4);
        }
        true
    }

    fn rare_date(&mut self) -> bool {
        let before = *self;
        if self.peek().is_ascii_uppercase() {
            // `Oct 02 2023 14:09:16`
            if self.month()
                && self.spaces()
                && self.digits(1, 2).is_some()
                && self.spaces()
                && self.digits(4, 4).is_some()
            {
                return self.spaces() && self.clock();
            }
            *self = before;
            if self.is_long_date() {
                return self.spaces() && self.clock_with_hour(1);
            }
            *self = before;
            let has_weekday = self.weekday();
            self.eat(b',');
            let is_long = has_weekday && self.spaces() && self.digits(1, 2).is_some();
            let is_date = is_long && (self.eat(b' ') || self.eat(b'-')) && self.month();
            let has_year = is_date && (self.eat(b' ') || self.eat(b'-')) && self.digits(4, 4).is_some();
            return has_year && self.spaces() && self.clock();
        }
        let length = self.rest().iter().take(15).take_while(|byte| byte.is_ascii_digit()).count();
        // `20260105100000.123`
        if length == 14 {
            let date = self.digits(8, 8).unwrap_or_default();
            let is_date = date.starts_with(b"20") && number(&date[4..6]) <= 12 && number(&date[6..]) <= 31;
            return is_date && self.is_compact_clock();
        }
        if matches!(length, 6 | 8) {
            let date = self.digits(length, length).unwrap_or_default();
            let day = &date[length - 4..];
            let is_date = (1..=12).contains(&number(&day[..2])) && (1..=31).contains(&number(&day[2..]));
            let is_separated = self.eat(b'T') || self.eat(b'-') || self.eat(b'_') || self.eat(b':') || self.spaces();
            return is_date && is_separated && (self.clock_with_hour(1) || self.is_compact_clock());
        }
        *self = before;
        // `31 May 05:36:08`
        if matches!(length, 1 | 2) && self.digits(1, 2).is_some() && self.eat(b' ') && self.month() && self.eat(b' ') {
            return self.clock();
        }
        *self = before;
        // `29-Nov 10:00`, Bacula's, and `29-Nov-2026 10:00`, that of those that came of it.
        if matches!(length, 1 | 2) && self.digits(1, 2).is_some() && self.eat(b'-') && self.month() {
            let has_year = !self.eat(b'-') || self.digits(4, 4).is_some();
            return has_year
                && self.eat(b' ')
                && self.digits(2, 2).is_some()
                && self.eat(b':')
                && self.digits(2, 2).is_some();
        }
        *self = before;
        if matches!(length, 1 | 2) && self.short_date() {
            let is_separated = {
                self.eat(b',');
                self.spaces()
            } || self.eat(b'-')
                || self.eat(b'_');
            return is_separated && (self.clock_with_hour(1) || self.is_clock_to_minutes());
        }
        *self = before;
        // `2026 Jan 05 10:00:00:123`
        if length == 4 && self.digits(4, 4).is_some() && self.eat(b' ') {
            return self.month() && self.spaces() && self.digits(1, 2).is_some() && self.eat(b' ') && self.clock();
        }
        *self = before;
        // `0:00:01.123456789`, since the start, GStreamer's.
        if length == 1 && self.rest().get(1) == Some(&b':') {
            let has_nanoseconds =
                |passed: &[u8]| passed.iter().rev().take_while(|byte| byte.is_ascii_digit()).count() == 9;
            return self.clock_with_hour(1) && has_nanoseconds(self.passed());
        }
        *self = before;
        if length == 4 && self.date_of_numbers() {
            if self.eat(b'_') {
                return self.clock();
            }
            // `2026-01-05 10-00-00.123`, Snapcast's.
            if self.eat(b' ') {
                return self.is_dashed_clock() || self.is_dotted_clock() || self.is_clock_to_minutes();
            }
            if self.eat(b'T') {
                return self.is_clock_to_minutes();
            }
            return self.eat(b'-') && (self.clock() || self.is_dotted_clock());
        }
        false
    }

    /// `January 5, 2026`, `Monday, January 5, 2026`
    fn is_long_date(&mut self) -> bool {
        if self.weekday() {
            self.while_is(|byte| byte.is_ascii_lowercase());
            self.eat(b',');
            self.spaces();
        }
        let is_month = self.month() && {
            self.while_is(|byte| byte.is_ascii_lowercase());
            self.spaces()
        };
        let is_date = is_month && self.digits(1, 2).is_some() && self.eat_all(b", ") && self.digits(4, 4).is_some();
        self.eat(b',');
        is_date
    }

    /// `5/1/24`, `05/01/24`, `05.01.24`
    fn short_date(&mut self) -> bool {
        self.digits(1, 2).is_some_and(|text| number(text) <= 31) && {
            let separator = self.peek();
            matches!(separator, b'/' | b'.' | b'-')
                && self.eat(separator)
                && self.digits(1, 2).is_some_and(|text| number(text) <= 31)
                && self.eat(separator)
                && (self.digits(4, 4).is_some() || self.digits(2, 2).is_some())
        }
    }

    /// `100000`, with a fraction and a zone.
    fn is_compact_clock(&mut self) -> bool {
        let is_clock = self
            .digits(6, 6)
            .is_some_and(|text| number(&text[..2]) <= 23 && number(&text[2..4]) <= 59 && number(&text[4..]) <= 60);
        if is_clock {
            self.fraction();
            self.zone();
        }
        is_clock && !self.peek().is_ascii_digit()
    }

    /// `10:00`, with half days or a zone.
    fn is_clock_to_minutes(&mut self) -> bool {
        let is_clock =
            self.digits(1, 2).is_some_and(|hour| number(hour) <= 23) && self.eat(b':') && self.number_up_to(2, 59);
        self.zone();
        is_clock && matches!(self.peek(), 0 | b' ' | b',' | b'\t' | b']' | b'|')
    }

    /// `10.00.00.123456`
    fn is_dotted_clock(&mut self) -> bool {
        self.is_clock_of(b'.')
    }

    /// `10-00-00.123456`
    fn is_dashed_clock(&mut self) -> bool {
        self.is_clock_of(b'-')
    }

    fn is_clock_of(&mut self, separator: u8) -> bool {
        let before = *self;
        let is_clock = self.digits(2, 2).is_some_and(|hour| number(hour) <= 23)
            && self.eat(separator)
            && self.number_up_to(2, 59)
            && self.eat(separator)
            && self.number_up_to(2, 60);
        if is_clock {
            self.fraction();
        } else {
            *self = before;
        }
        is_clock
    }

    /// Seconds since 1970 with a fraction or without, or milliseconds, microseconds or nanoseconds, between 2001 and 2033.
    fn epoch(&mut self) -> bool {
        let digits = self.digits(10, 19).unwrap_or_default();
        let is_epoch = matches!(digits.len(), 10 | 13 | 16 | 19) && matches!(digits[0], b'1');
        if is_epoch && digits.len() == 10 {
            self.fraction();
        }
        is_epoch
    }

    /// Passes over a date with a time of day in brackets, and returns where it stands within them.
    pub(super) fn date_time_in_brackets(&mut self) -> Option<Span> {
        let before = *self;
        let found = if self.eat(b'[') { self.date_time() } else { None };
        if found.is_none() || !self.eat(b']') {
            *self = before;
            return None;
        }
        found
    }

    /// Passes over the time of access logs, `05/Jan/2026:10:00:00 +0000`, if it looks like one.
    pub(super) fn log_time(&mut self) -> Option<Span> {
        let text = self.rest().first_chunk::<26>()?;
        let marks = [text[2], text[6], text[11], text[14], text[17], text[20]];
        let start = self.at();
        (&marks == b"//::: " && matches!(text[21], b'+' | b'-')).then(|| {
            self.skip(text.len());
            self.since(start)
        })
    }

    /// Passes over the shape that most lines begin with, all at once: `2026-01-05 10:00:00`, with a fraction and a zone; a
    /// date like this is what [`Self::date_time`] passes over too.
    pub(super) fn usual_date_time(&mut self) -> bool {
        let Some(text) = self.rest().first_chunk::<19>() else { return false };
        let is_time = is_usual_date_time(text);
        if is_time {
            self.skip(text.len());
            self.fraction();
            self.zone();
        }
        is_time
    }

    /// Passes over a time of day, `10:00:00`, with a fraction of a second and a zone, and says whether there was one.
    pub(super) fn clock(&mut self) -> bool {
        self.clock_with_hour(2)
    }

    fn clock_with_hour(&mut self, digits_min: usize) -> bool {
        let before = *self;
        if self.rest().first_chunk().is_some_and(is_clock) {
            self.skip(8);
        } else if !(digits_min == 1 && self.is_short_clock()) {
            *self = before;
            return false;
        }
        self.fraction();
        self.zone();
        true
    }

    /// `9:00:00`
    fn is_short_clock(&mut self) -> bool {
        self.digits(1, 1).is_some()
            && self.eat(b':')
            && self.number_up_to(2, 59)
            && self.eat(b':')
            && self.number_up_to(2, 60)
    }

    fn fraction(&mut self) {
        let [b'.' | b',', digits @ ..] = self.rest() else { return };
        let length = digits.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
        self.skip(if length > 0 { length + 1 } else { 0 });
    }

    /// Passes over a zone: `Z`, `+01:00`, `+0100`, with a space before it or not, ` UTC`, ` GMT`, ` CET`, ` AM`.
    fn zone(&mut self) {
        if self.eat(b'Z') {
            return;
        }
        let before = *self;
        self.eat(b' ');
        // Most often it is a level's word that stands here.
        if !matches!(self.peek(), b'+' | b'-' | b'U' | b'G' | b'Z' | b'A' | b'P' | b'C' | b'E' | b'M') {
            *self = before;
            return;
        }
        if self.eat(b'+') || self.eat(b'-') {
            let is_offset = self.digits(2, 2).is_some() && {
                self.eat(b':');
                self.digits(2, 2).is_some()
            };
            if is_offset && !self.peek().is_ascii_digit() {
                return;
            }
        } else {
            let names =
                [&b"UTC"[..], b"GMT", b"Z", b"AM", b"PM", b"CET", b"CEST", b"EST", b"EDT", b"PST", b"PDT", b"MSK"];
            let word = self.letters();
            if word.len() <= 4 && names.contains(&word) {
                return;
            }
        }
        *self = before;
    }

    fn separator(&mut self) -> bool {
        self.eat(b'T') || self.eat(b':') || (self.eat(b',') && self.spaces()) || self.spaces()
    }

    fn number_up_to(&mut self, digits: usize, max: u32) -> bool {
        self.digits(digits, digits).is_some_and(|text| number(text) <= max)
    }

    /// `2026-01-05`, `05/Jan/2026`, `05-Jan-2026`, `05 Jan 2026`, `05.01.2026`.
    fn date_of_numbers(&mut self) -> bool {
        let before = *self;
        if self.digits(4, 4).is_some() {
            let separator = self.peek();
            return matches!(separator, b'-' | b'/' | b'.')
                && self.eat(separator)
                && self.number_up_to(2, 12)
                && self.eat(separator)
                && self.number_up_to(2, 31);
        }
        *self = before;
        if self.digits(1, 2).is_none_or(|text| number(text) > 31) {
            return false;
        }
        let separator = self.peek();
        matches!(separator, b'-' | b'/' | b'.' | b' ')
            && self.eat(separator)
            && (self.month() || self.number_up_to(2, 31))
            && self.eat(separator)
            && self.digits(4, 4).is_some()
    }

    /// `Jan  5 10:00:00`, `Jan 05, 2026 10:00:00 AM`, `Mon Jan  5 10:00:00 2026`.
    fn date_of_words(&mut self) -> bool {
        let has_weekday = self.weekday();
        if has_weekday {
            self.eat(b',');
            self.spaces();
        }
        if !self.month() || !self.spaces() || self.digits(1, 2).is_none_or(|text| number(text) > 31) {
            return false;
        }
        let has_comma = self.eat(b',');
        if !self.spaces() {
            return false;
        }
        if has_comma && !(self.digits(4, 4).is_some() && self.spaces()) {
            return false;
        }
        // Java writes the hour of a half day, `9:05:03 AM`, without a zero before it.
        let is_clock = self.clock_with_hour(if has_comma { 1 } else { 2 });
        let before = *self;
        // The year of ctime(3) stands last.
        if !(self.eat(b' ') && self.digits(4, 4).is_some_and(|year| year[0] == b'1' || year[0] == b'2'))
            || self.peek().is_ascii_alphanumeric()
            || !has_weekday
        {
            *self = before;
        }
        is_clock
    }

    /// Passes over the name of a month, `Jan`.
    pub(super) fn month(&mut self) -> bool {
        let is_month = self.rest().first_chunk().is_some_and(is_month);
        self.skip(if is_month { 3 } else { 0 });
        is_month
    }

    fn weekday(&mut self) -> bool {
        let is_weekday = self.rest().first_chunk().is_some_and(is_weekday);
        self.skip(if is_weekday { 3 } else { 0 });
        is_weekday
    }
}

/// Returns whether this is a date and a time of day as most lines have them, eight bytes at a time.
#[must_use]
pub(super) fn is_usual_date_time(text: &[u8; 19]) -> bool {
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| text[at + index]));
    // `2026-01-`, `05 10:00` and `10:00:00`, the digits as their values.
    let [date, middle, clock] = [0, 8, 11].map(|at| word(at) ^ (ALL * 0x30));
    let marks = [text[4], text[7], text[13], text[16]];
    let has_marks = matches!(&marks, b"--::" | b"//::" | b"..::") && matches!(text[10], b' ' | b'T');
    let are_digits = others(date) & 0x00ff_ff00_ffff_ffff == 0
        && others(middle) & 0xffff_00ff_ff00_ffff == 0
        && others(clock) & 0xffff_00ff_ff00_ffff == 0;
    has_marks
        && are_digits
        && value(date, 5) <= 12
        && value(middle, 0) <= 31
        && value(clock, 0) <= 23
        && value(clock, 3) <= 59
        && value(clock, 6) <= 60
}

/// Returns whether this is a time of day, `10:00:00`.
fn is_clock(text: &[u8; 8]) -> bool {
    let clock = u64::from_le_bytes(*text) ^ (ALL * 0x30);
    let is_clock = text[2] == b':' && text[5] == b':' && others(clock) & 0xffff_00ff_ff00_ffff == 0;
    is_clock && value(clock, 0) <= 23 && value(clock, 3) <= 59 && value(clock, 6) <= 60
}

/// Eight times a byte.
const ALL: u64 = u64::MAX / 255;

/// Returns which of eight values are no digit's: the highest bit of each is set.
fn others(values: u64) -> u64 {
    (((values & (ALL * 0x7f)) + ALL * 0x76) | values) & (ALL * 0x80)
}

/// Returns the value of the two digits at a place, given as their values.
fn value(values: u64, at: u32) -> u64 {
    (values >> (8 * at) & 15) * 10 + (values >> (8 * at + 8) & 15)
}

fn is_month(name: &[u8; 3]) -> bool {
    matches!(
        name,
        b"Jan" | b"Feb" | b"Mar" | b"Apr" | b"May" | b"Jun" | b"Jul" | b"Aug" | b"Sep" | b"Oct" | b"Nov" | b"Dec"
    )
}

fn is_weekday(name: &[u8; 3]) -> bool {
    matches!(name, b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun")
}

/// Returns whether what is next may be a time that [`Scan::any_time`] passes over: most words and numbers are not.
fn may_be_any_time(text: &[u8]) -> bool {
    let digits = text.iter().take(EPOCH_DIGITS_MAX).take_while(|byte| byte.is_ascii_digit()).count();
    let behind = text.get(digits).copied().unwrap_or(0);
    match digits {
        0 => text.first_chunk().is_some_and(|name| is_month(name) || is_weekday(name)),
        1 | 2 => matches!(behind, b':' | b'-' | b'/' | b'.' | b' '),
        4 => {
            matches!(behind, b'-' | b'/' | b'.')
                || behind == b' ' && text.get(5..8).is_some_and(|name| name.first_chunk().is_some_and(is_month))
        }
        6 | 8 => matches!(behind, b'T' | b'-' | b'_' | b':' | b' ' | b'\t'),
        10 | 13 | 16 | EPOCH_DIGITS_MAX => text[0] == b'1',
        14 => text[0] == b'2',
        _ => false,
    }
}

/// Nanoseconds since 1970.
const EPOCH_DIGITS_MAX: usize = 19;

/// Returns whether the digits at the front and what follows them may begin a date or a time of day; most numbers do not.
pub(super) fn may_be_time(line: &[u8]) -> bool {
    let digits = line.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let behind = line.get(digits).copied().unwrap_or(0);
    let next = line.get(digits + 1).copied().unwrap_or(0);
    let is_followed = next.is_ascii_digit() || !matches!(behind, b'.' | b':') && next.is_ascii_uppercase();
    matches!(digits, 1 | 2 | 4) && matches!(behind, b'-' | b'/' | b'.' | b' ' | b':') && is_followed
}

/// Returns the value of the two digits at a place; a number beyond 99 if one of them is none.
#[must_use]
pub(super) fn pair(text: &[u8], at: usize) -> u8 {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    if tens > 9 || ones > 9 { u8::MAX } else { tens * 10 + ones }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `line` begins with a time up to the `|`.
    fn check(line: &str) {
        let end = line.find('|').expect("a mark");
        let line = line.replace('|', "");
        let found = Scan::new(line.as_bytes()).date_time();
        let expected = (end > 0).then(|| Span { start: 0, end: u32::try_from(end).expect("short") });
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn times_of_many_shapes_are_known() {
        for line in [
            "2026-01-05T10:00:00Z| x",
            "2026-01-05T10:00:00.123456789Z| x",
            "2026-01-05 10:00:00,123| INFO",
            "2026-01-05 10:00:00.123 +0100| INFO",
            "2026-01-05T10:00:00+01:00| INFO",
            "2026-01-05 10:00:00.123 UTC| [12] LOG",
            "2026-01-05 10:00:00| -1 retries",
            "2026/01/05 10:00:00| [error]",
            "05/Jan/2026:10:00:00 +0000|] \"GET",
            "05-Jan-2026 10:00:00.123| INFO",
            "05 Jan 2026 10:00:00.123| * Ready",
            "5.01.2026 10:00:00| x",
            "Jan  5 10:00:00| host",
            "Jan 05, 2026 10:00:00 AM| java",
            "Jan 05, 2026 9:00:00 PM| java",
            "Mon Jan  5 10:00:00.123456 2026|] [core:error]",
            "Mon Jan  5 10:00:00 UTC 2026| INFO",
        ] {
            check(line);
        }
    }

    #[test]
    fn a_usual_date_is_one_whatever_else_may_stand_in_it() {
        let plain = |text: &[u8; 19]| {
            let marks = [text[4], text[7], text[13], text[16]];
            let has_marks = matches!(&marks, b"--::" | b"//::" | b"..::") && matches!(text[10], b' ' | b'T');
            let maxima = [(0, 99), (2, 99), (5, 12), (8, 31), (11, 23), (14, 59), (17, 60)];
            has_marks && maxima.iter().all(|(at, max)| pair(text, *at) <= *max)
        };
        for usual in [b"2026-01-05 10:00:00", b"1999/12/31T23:59:60", b"0000.00.00 00:00:00"] {
            for (at, byte) in (0..19).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
                for (other_at, other) in
                    [(at, byte), (6, b'3'), (5, b'1'), (9, b'9'), (11, b'2'), (17, b'6'), (7, b'/')]
                {
                    let mut text = *usual;
                    text[at] = byte;
                    text[other_at] = other;
                    assert_eq!(is_usual_date_time(&text), plain(&text), "{:?}", String::from_utf8_lossy(&text));
                }
            }
        }
    }

    #[test]
    fn what_is_no_time_is_left_alone() {
        for line in ["|2026-01-05", "|2026-13-05 10:00:00", "|10.0.0.1 - -", "|Jane 5 10:00:00", "|", "|12 monkeys"] {
            check(line);
        }
    }
}
