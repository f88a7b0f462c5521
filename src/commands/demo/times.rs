//! The time, as applications write it into their logs. In UTC.

use std::time::{SystemTime, UNIX_EPOCH};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment between the years 1970 and 9999.
#[derive(Debug, Clone)]
pub(super) struct TimeOfDay {
    /// `2026-01-05T10:00:00.123Z`: every field has its place.
    rfc3339: String,
    days: u64,
}

impl TimeOfDay {
    /// Returns this moment.
    pub(super) fn now() -> Self {
        Self::of(SystemTime::now())
    }

    fn of(time: SystemTime) -> Self {
        let days = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
        Self { rfc3339: humantime::format_rfc3339_millis(time).to_string(), days }
    }

    /// Returns it as JSON logs have it: `2026-01-05T10:00:00.123Z`.
    pub(super) fn in_json(&self) -> &str {
        &self.rfc3339
    }

    /// Returns it as Java's logs have it: `2026-01-05 10:00:00.123`.
    pub(super) fn in_java(&self) -> String {
        self.rfc3339[..23].replace('T', " ")
    }

    /// Returns it as access logs have it: `05/Jan/2026:10:00:00 +0000`.
    pub(super) fn in_access_log(&self) -> String {
        let text = &self.rfc3339;
        format!("{}/{}/{}:{} +0000", &text[8..10], self.month(), &text[..4], &text[11..19])
    }

    /// Returns it as `date` of busybox prints it: `Mon Jan  5 10:00:00 UTC 2026`.
    pub(super) fn in_words(&self) -> String {
        let weekday = DAYS[usize::try_from(self.days % 7).unwrap_or(0)];
        let day = self.rfc3339[8..10].trim_start_matches('0');
        format!("{weekday} {} {day:>2} {} UTC {}", self.month(), &self.rfc3339[11..19], &self.rfc3339[..4])
    }

    fn month(&self) -> &'static str {
        self.rfc3339[5..7].parse::<usize>().map_or("???", |month| MONTHS[month - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_those_of_busybox() {
        for (seconds, expected) in [
            (0, "Thu Jan  1 00:00:00 UTC 1970"),
            (1_767_607_200, "Mon Jan  5 10:00:00 UTC 2026"),
            (1_709_251_199, "Thu Feb 29 23:59:59 UTC 2024"),
        ] {
            assert_eq!(TimeOfDay::of(UNIX_EPOCH + Duration::from_secs(seconds)).in_words(), expected);
        }
    }

    #[test]
    fn each_log_has_the_time_in_its_way() {
        let moment = TimeOfDay::of(UNIX_EPOCH + Duration::from_millis(1_767_607_200_123));
        assert_eq!(moment.in_json(), "2026-01-05T10:00:00.123Z");
        assert_eq!(moment.in_java(), "2026-01-05 10:00:00.123");
        assert_eq!(moment.in_access_log(), "05/Jan/2026:10:00:00 +0000");
    }
}
