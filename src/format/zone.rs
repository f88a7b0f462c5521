//! Time zones: which offset from UTC a local time has. By an offset, by rules as POSIX writes them, or by a table as zoneinfo has it.
//!
//! In an hour that is repeated the earlier offset counts; in one that is left out the offset before it. Whatever the text or the
//! table is, an offset is less than a day.

use super::civil_days::{self, DAY_SECONDS};

/// How long a TZ string may be, in bytes.
const TEXT_BYTES_MAX: usize = 128;

/// How large a table of zoneinfo may be, in bytes; the largest that is published has less than 4 KiB.
pub(crate) const TABLE_BYTES_MAX: usize = 64 << 10;

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// Always so many seconds east of Greenwich.
    Fixed(i32),
    /// By rules.
    Rules(Rules),
    /// By a table, and by rules behind its end.
    Table(Table),
}

impl Default for Zone {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

/// Standard time, and when it is summer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    standard: i32,
    summer: Option<Summer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Summer {
    offset: i32,
    begins: Switch,
    ends: Switch,
}

/// When it becomes summer or winter: a day, and seconds since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Switch {
    day: SwitchDay,
    clock: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SwitchDay {
    /// From 1; the 29th of February is not counted.
    Julian(i64),
    /// From 0.
    Counted(i64),
    /// A month, which of its weeks (5: the last), and a day of the week from Sunday.
    Weekly(u8, i64, i64),
}

/// From when on which offset counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    before: i32,
    /// Seconds since 1970 in rising order, each with the offset from then on.
    turns: Box<[(i64, i32)]>,
    behind: Option<Rules>,
}

impl Zone {
    /// Returns the zone that a text is: `UTC`, an offset such as `+01:00`, or a TZ string of POSIX, `CET-1CEST,M3.5.0,M10.5.0/3`.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if ["UTC", "Z", "GMT"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
            return Some(Self::Fixed(0));
        }
        let bytes = text.as_bytes();
        if bytes.len() > TEXT_BYTES_MAX {
            return None;
        }
        if let Some(b'+' | b'-') = bytes.first() {
            return offset(bytes).map(Self::Fixed);
        }
        Some(match rules(bytes)? {
            Rules { standard, summer: None } => Self::Fixed(standard),
            rules => Self::Rules(rules),
        })
    }

    /// Returns the zone of a table in the format of zoneinfo, of version 2 or later (RFC 8536).
    #[must_use]
    pub(crate) fn of_table(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > TABLE_BYTES_MAX {
            return None;
        }
        let first = TableHeader::read(bytes)?;
        let second = bytes.get(first.bytes(4)?..)?;
        let header = TableHeader::read(second)?;
        let data = second.get(44..header.bytes(8)?)?;
        let (times, rest) = data.split_at_checked(header.times.checked_mul(8)?)?;
        let (kinds, rest) = rest.split_at_checked(header.times)?;
        let (types, _) = rest.split_at_checked(header.types.checked_mul(6)?)?;
        let of_type = |index: usize| {
            let bytes = types.get(index * 6..index * 6 + 4)?;
            let offset = i32::from_be_bytes(bytes.try_into().ok()?);
            is_below_a_day(offset).then_some(offset)
        };
        let mut turns = Vec::with_capacity(header.times);
        for (time, kind) in times.chunks_exact(8).zip(kinds) {
            turns.push((i64::from_be_bytes(time.try_into().ok()?), of_type(usize::from(*kind))?));
        }
        let footer = second.get(header.bytes(8)?..)?.strip_prefix(b"\n")?;
        let footer = &footer[..memchr::memchr(b'\n', footer)?];
        let behind = if footer.is_empty() { None } else { Some(rules(footer)?) };
        if !turns.is_sorted_by(|one, other| one.0 < other.0) {
            return None;
        }
        Some(Self::Table(Table { before: of_type(0)?, turns: turns.into(), behind }))
    }

    /// Returns the offset of a local time, given in seconds since 1970 as if it were UTC's, and whether it is certain: that hour
    /// is neither repeated nor left out.
    #[must_use]
    pub(crate) fn offset_of_local(&self, local: i64) -> (i32, bool) {
        if let Self::Fixed(offset) = self {
            return (*offset, true);
        }
        let [earlier, later] = [-DAY_SECONDS, DAY_SECONDS].map(|seconds| self.offset_at(local.saturating_add(seconds)));
        if earlier == later {
            return (earlier, true);
        }
        let is_it = |offset: i32| self.offset_at(local.saturating_sub(i64::from(offset))) == offset;
        match (is_it(earlier), is_it(later)) {
            (true, false) => (earlier, true),
            (false, true) => (later, true),
            _ => (earlier, false),
        }
    }

    /// Returns the offset at a time, given in seconds since 1970.
    fn offset_at(&self, time: i64) -> i32 {
        match self {
            Self::Fixed(offset) => *offset,
            Self::Rules(rules) => rules.offset_at(time),
            Self::Table(table) => match table.turns.partition_point(|(from, _)| *from <= time) {
                0 => table.before,
                count if count == table.turns.len() => {
                    table.behind.map_or(table.turns[count - 1].1, |rules| rules.offset_at(time))
                }
                count => table.turns[count - 1].1,
            },
        }
    }
}

impl Rules {
    fn offset_at(&self, time: i64) -> i32 {
        let Some(summer) = self.summer else { return self.standard };
        let year = civil_days::civil(time.saturating_add(i64::from(self.standard))).year;
        let begins = summer.begins.seconds(year) - i64::from(self.standard);
        let ends = summer.ends.seconds(year) - i64::from(summer.offset);
        let is_summer = if begins < ends { (begins..ends).contains(&time) } else { !(ends..begins).contains(&time) };
        if is_summer { summer.offset } else { self.standard }
    }
}

impl Switch {
    /// Returns when it is in a year, in seconds since 1970 as local clocks show it before.
    fn seconds(&self, year: i64) -> i64 {
        let first = civil_days::days(year, 1, 1);
        let day = match self.day {
            SwitchDay::Counted(day) => first + day,
            SwitchDay::Julian(day) => {
                first + day - 1 + i64::from(day >= 60 && civil_days::days_of_month(year, 2) == 29)
            }
            SwitchDay::Weekly(month, week, weekday) => {
                let first = civil_days::days(year, month, 1);
                // The first day of 1970 was a Thursday.
                let day = (weekday - (first + 4)).rem_euclid(7) + (week - 1) * 7;
                let is_behind = day >= i64::from(civil_days::days_of_month(year, month));
                first + if is_behind { day - 7 } else { day }
            }
        };
        day * DAY_SECONDS + i64::from(self.clock)
    }
}

/// `+01:00`, `-0530`, `+1`: hours east of Greenwich.
fn offset(text: &[u8]) -> Option<i32> {
    let (sign, digits) = text.split_first()?;
    let (hours, minutes) = match digits {
        [tens, ones, b':', minutes @ ..] => (&[*tens, *ones][..], minutes),
        [_, _, _, _] => digits.split_at(2),
        [_] | [_, _] => (digits, &b"00"[..]),
        _ => return None,
    };
    let (hours, minutes) = (decimal(hours, 23)?, decimal(minutes, 59).filter(|_| minutes.len() == 2)?);
    let seconds = (hours * 60 + minutes) * 60;
    Some(if *sign == b'-' { -seconds } else { seconds })
}

fn is_below_a_day(offset: i32) -> bool {
    i64::from(offset.unsigned_abs()) < DAY_SECONDS
}

fn decimal(digits: &[u8], max: i32) -> Option<i32> {
    if !(1..=3).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    (value <= max).then_some(value)
}

/// A TZ string: `CET-1CEST,M3.5.0,M10.5.0/3`; a name without rules behind it is none here.
fn rules(text: &[u8]) -> Option<Rules> {
    let mut rest = text;
    name(&mut rest)?;
    let standard = Some(-clock(&mut rest, 24)?).filter(|offset| is_below_a_day(*offset))?;
    if rest.is_empty() {
        return Some(Rules { standard, summer: None });
    }
    name(&mut rest)?;
    let offset = if rest.first() == Some(&b',') { standard + 3_600 } else { -clock(&mut rest, 24)? };
    if !is_below_a_day(offset) {
        return None;
    }
    let (begins, ends) = (turn(&mut rest)?, turn(&mut rest)?);
    rest.is_empty().then_some(Rules { standard, summer: Some(Summer { offset, begins, ends }) })
}

/// Passes over `CET` or `<+03>`.
fn name(rest: &mut &[u8]) -> Option<()> {
    let length = match rest.strip_prefix(b"<") {
        Some(quoted) => memchr::memchr(b'>', quoted)? + 2,
        None => rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count(),
    };
    *rest = &rest[length..];
    (length >= 3).then_some(())
}

/// Passes over `-1`, `5:30`, `2:00:00`, and returns it in seconds.
fn clock(rest: &mut &[u8], hours_max: i32) -> Option<i32> {
    let is_negative = rest.first() == Some(&b'-');
    if let Some(b'+' | b'-') = rest.first() {
        *rest = &rest[1..];
    }
    let mut seconds = number(rest, hours_max)? * 3_600;
    for unit in [60, 1] {
        if rest.first() == Some(&b':') {
            *rest = &rest[1..];
            seconds += number(rest, 59)? * unit;
        }
    }
    Some(if is_negative { -seconds } else { seconds })
}

/// Passes over digits, and returns their value.
fn number(rest: &mut &[u8], max: i32) -> Option<i32> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, behind) = rest.split_at(length);
    *rest = behind;
    decimal(digits, max)
}

/// Passes over `,M3.5.0/2`, `,J60` or `,59`.
fn turn(rest: &mut &[u8]) -> Option<Switch> {
    *rest = rest.strip_prefix(b",")?;
    let day = match rest.first()? {
        b'M' => {
            *rest = &rest[1..];
            let month = number(rest, 12)?;
            *rest = rest.strip_prefix(b".")?;
            let week = number(rest, 5)?;
            *rest = rest.strip_prefix(b".")?;
            let weekday = number(rest, 6)?;
            let month = u8::try_from(month).ok().filter(|month| *month > 0)?;
            SwitchDay::Weekly(month, i64::from(Some(week).filter(|week| *week > 0)?), i64::from(weekday))
        }
        b'J' => {
            *rest = &rest[1..];
            SwitchDay::Julian(i64::from(number(rest, 365).filter(|day| *day > 0)?))
        }
        _ => SwitchDay::Counted(i64::from(number(rest, 365)?)),
    };
    let clock = match rest.strip_prefix(b"/") {
        Some(behind) => {
            *rest = behind;
            clock(rest, 167)?
        }
        None => 7_200,
    };
    Some(Switch { day, clock })
}

/// The counts at the front of each half of a table.
struct TableHeader {
    /// Of what a table has, each with its size: two kinds of indicators, leap seconds, times, types, letters.
    counts: [usize; 6],
    times: usize,
    types: usize,
}

impl TableHeader {
    fn read(bytes: &[u8]) -> Option<Self> {
        let counts = bytes.strip_prefix(b"TZif").filter(|rest| rest.first() >= Some(&b'2'))?.get(16..40)?;
        let mut read = [0; 6];
        for (count, bytes) in read.iter_mut().zip(counts.chunks_exact(4)) {
            *count = usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()?;
        }
        Some(Self { counts: read, times: read[3], types: read[4] })
    }

    /// Returns how many bytes header and data have, with times of so many bytes.
    fn bytes(&self, time_bytes: usize) -> Option<usize> {
        let sizes = [1, 1, time_bytes + 4, time_bytes + 1, 6, 1];
        self.counts.iter().zip(sizes).try_fold(44_usize, |sum, (count, size)| sum.checked_add(count.checked_mul(size)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(year: i64, month: u8, day: u8, hour: i64, minute: i64) -> i64 {
        civil_days::days(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60
    }

    #[test]
    fn offsets_and_rules_are_read() {
        for (text, expected) in [
            ("UTC", Some(0)),
            ("+01:00", Some(3_600)),
            ("-0530", Some(-19_800)),
            ("+9", Some(32_400)),
            ("EST5", Some(-18_000)),
            ("<+0545>-5:45", Some(20_700)),
            ("utc", Some(0)),
            ("Gmt", Some(0)),
            ("XXX23:59:59", Some(-86_399)),
        ] {
            assert_eq!(
                Zone::parse(text).map(|zone| zone.offset_of_local(0)),
                expected.map(|offset| (offset, true)),
                "{text}"
            );
        }
        let long = format!("<{}>-1", "x".repeat(4096));
        for text in [
            "",
            "+",
            "+25:00",
            "+01:60",
            "+1:00",
            "CET",
            "CET-1CEST",
            "CET-1CEST,M13.5.0,M10.5.0",
            "CET-1CEST,M3.0.0,M10.5.0",
            "x-1",
            "CET-1CEST,M3.5.0,M10.5.0/3x",
            "CET-1CEST,M3.5.0,M10.5.0/99999999999",
            "CET-99999999999",
            "XXX24",
            "XXX-24:59:59",
            "XXX-23:30YYY,M3.5.0,M10.5.0",
            "XXX1YYY-24:00:01,M3.5.0,M10.5.0",
            &long,
        ] {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_repeated_hour_has_the_earlier_offset_and_is_not_certain() {
        let berlin = Zone::parse("CET-1CEST,M3.5.0,M10.5.0/3").expect("rules");
        for (time, expected) in [
            (local(2026, 1, 5, 10, 0), (3_600, true)),
            (local(2026, 7, 5, 10, 0), (7_200, true)),
            (local(2026, 3, 29, 1, 59), (3_600, true)),
            (local(2026, 3, 29, 2, 30), (3_600, false)),
            (local(2026, 3, 29, 3, 0), (7_200, true)),
            (local(2026, 10, 25, 1, 59), (7_200, true)),
            (local(2026, 10, 25, 2, 30), (7_200, false)),
            (local(2026, 10, 25, 3, 0), (3_600, true)),
        ] {
            assert_eq!(berlin.offset_of_local(time), expected, "{time}");
        }
        // In the south it is summer at the end of the year.
        let sydney = Zone::parse("AEST-10AEDT,M10.1.0,M4.1.0/3").expect("rules");
        assert_eq!(sydney.offset_of_local(local(2026, 1, 5, 10, 0)), (39_600, true));
        assert_eq!(sydney.offset_of_local(local(2026, 7, 5, 10, 0)), (36_000, true));
        for text in ["AAA-1BBB,J60,J300", "AAA-1BBB,59,299", "AAA-1BBB,0/-167,365/167"] {
            let zone = Zone::parse(text).expect("rules");
            assert_eq!(zone.offset_of_local(local(2024, 7, 1, 0, 0)).0, 7_200, "{text}");
        }
        for year in [-9_999_999_i64, 0, 9_999_999] {
            let _ = berlin.offset_of_local(civil_days::days(year, 1, 1) * DAY_SECONDS);
        }
    }

    /// A table with these times, in which the first half is empty.
    fn table(turns: &[(i64, u8)], offsets: &[i32], footer: &str) -> Vec<u8> {
        let counts = |times: usize, types: usize| {
            [0, 0, 0, times, types, 0].map(|count| u32::try_from(count).expect("few").to_be_bytes()).concat()
        };
        let header = |times, types| [&b"TZif2"[..], &[0; 15], &counts(times, types)].concat();
        let mut bytes = [header(0, 0), header(turns.len(), offsets.len())].concat();
        turns.iter().for_each(|(time, _)| bytes.extend(time.to_be_bytes()));
        turns.iter().for_each(|(_, kind)| bytes.push(*kind));
        offsets.iter().for_each(|offset| bytes.extend([&offset.to_be_bytes()[..], &[0, 0]].concat()));
        bytes.extend(format!("\n{footer}\n").as_bytes());
        bytes
    }

    #[test]
    fn a_table_counts_up_to_its_end_and_its_rules_behind_it() {
        let turns = [(local(2020, 1, 1, 0, 0), 1), (local(2021, 1, 1, 0, 0), 2)];
        let bytes = table(&turns, &[0, 3_600, 7_200], "CET-1CEST,M3.5.0,M10.5.0/3");
        let zone = Zone::of_table(&bytes).expect("a table");
        for (year, expected) in [(2019, 0), (2020, 3_600)] {
            assert_eq!(zone.offset_of_local(local(year, 7, 1, 0, 0)), (expected, true), "{year}");
        }
        assert_eq!(zone.offset_of_local(local(2026, 1, 5, 0, 0)), (3_600, true));
        assert_eq!(zone.offset_of_local(local(2026, 7, 5, 0, 0)), (7_200, true));
    }

    #[test]
    fn a_forged_table_is_none() {
        let turns = [(0, 1), (1, 0)];
        let good = table(&turns, &[0, 3_600], "UTC0");
        assert!(Zone::of_table(&good).is_some());
        for length in 0..good.len() {
            assert_eq!(Zone::of_table(&good[..length]), None, "{length}");
        }
        for at in 0..good.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut forged = good.clone();
                forged[at] = byte;
                if let Some(zone) = Zone::of_table(&forged) {
                    let (offset, _) = zone.offset_of_local(i64::MAX / 2);
                    assert!(i64::from(offset.abs()) < DAY_SECONDS, "{offset}");
                }
            }
        }
        assert_eq!(Zone::of_table(&table(&[(1, 0), (0, 1)], &[0, 1], "UTC0")), None, "not in order");
        assert_eq!(Zone::of_table(&table(&turns, &[0, 86_400], "UTC0")), None, "a day");
        assert_eq!(Zone::of_table(&table(&turns, &[0], "UTC0")), None, "no such type");
        assert_eq!(Zone::of_table(&vec![b'T'; TABLE_BYTES_MAX + 1]), None);
    }
}
