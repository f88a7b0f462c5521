//! Days and seconds: the Gregorian calendar, also before there was one.
//!
//! Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".

/// Seconds of a day.
pub(super) const DAY_SECONDS: i64 = 86_400;

/// A date, and the seconds since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: u8,
    /// From 1.
    pub(super) day: u8,
    pub(super) clock: i64,
}

/// Returns how many days after 1970 began a date is: `days_from_civil`. A day that the month does not have is one of the next.
pub(super) fn days(year: i64, month: u8, day: u8) -> i64 {
    // Years begin in March here.
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

/// Returns the date so many seconds after 1970 began: `civil_from_days`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they are those of a calendar")]
pub(super) fn civil(seconds: i64) -> Civil {
    let (days, clock) = (seconds.div_euclid(DAY_SECONDS) + 719_468, seconds.rem_euclid(DAY_SECONDS));
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = (day - (153 * month + 2) / 5 + 1) as u8;
    let month = if month < 10 { month + 3 } else { month - 9 } as u8;
    Civil { year: era * 400 + year + i64::from(month <= 2), month, day, clock }
}

/// Returns how many days a month has.
pub(super) fn days_of_month(year: i64, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_the_same() {
        for seconds in (-70_000_000_000..400_000_000_000_i64).step_by(86_399 * 97) {
            let date = civil(seconds);
            assert_eq!(days(date.year, date.month, date.day) * DAY_SECONDS + date.clock, seconds);
            assert!((1..=days_of_month(date.year, date.month)).contains(&date.day), "{date:?}");
        }
        assert_eq!(civil(1_767_607_200), Civil { year: 2026, month: 1, day: 5, clock: 36_000 });
    }
}
