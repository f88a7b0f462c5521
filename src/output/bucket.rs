//! `RATE_LIMIT`: a token bucket, filled by time and emptied by what is streamed.
//!
//! Pure: whoever asks says what time it is. While the bucket is empty no file is given a turn; what is not read is still in
//! the file. A turn may take more than there is (a write, or a part of a long line), and that is waited for afterwards: so the
//! rate holds on average, and nothing is too long to go.

use std::time::{Duration, Instant};

/// An empty bucket stays closed for at least this time: together with what hints cost, less than 50 wake-ups a second.
const CLOSED_MIN: Duration = Duration::from_millis(25);

/// How much may be streamed now.
#[derive(Debug)]
pub(crate) struct Bucket {
    bytes_a_second: f64,
    /// The most that it holds: one second's worth, or one write.
    bytes_max: f64,
    /// What it holds; below zero after a turn that took more.
    bytes: f64,
    /// By when it holds that.
    filled: Instant,
    /// How much had been streamed then.
    streamed_bytes: u64,
    closed_until: Option<Instant>,
}

impl Bucket {
    /// Returns a full bucket that holds at least one write.
    #[must_use]
    pub(crate) fn new(bytes_a_second: u64, write_bytes: usize, now: Instant) -> Self {
        let bytes_max = bytes_a_second.max(write_bytes as u64) as f64;
        Self {
            bytes_a_second: bytes_a_second as f64,
            bytes_max,
            bytes: bytes_max,
            filled: now,
            streamed_bytes: 0,
            closed_until: None,
        }
    }

    /// Notes how much has been streamed since the beginning, in bytes.
    pub(crate) fn charge(&mut self, streamed_bytes: u64, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        let filled = (self.bytes + elapsed * self.bytes_a_second).min(self.bytes_max);
        self.bytes = filled - streamed_bytes.saturating_sub(self.streamed_bytes) as f64;
        (self.filled, self.streamed_bytes) = (now, streamed_bytes);
        self.closed_until = (self.bytes <= 0.0).then(|| {
            let missing = Duration::from_secs_f64(-self.bytes / self.bytes_a_second);
            now + missing.max(CLOSED_MIN)
        });
    }

    /// Returns until when nothing may be streamed, if it is empty.
    #[must_use]
    pub(crate) fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Streams as much as it may, 64 KiB at one time, and returns how much that was within so many seconds.
    fn streamed(bytes_a_second: u64, seconds: u64) -> u64 {
        let start = Instant::now();
        let (mut now, end) = (start, start + Duration::from_secs(seconds));
        let mut bucket = Bucket::new(bytes_a_second, 65_536, now);
        let mut total = 0;
        while now < end {
            total += 65_536;
            bucket.charge(total, now);
            now = bucket.closed_until(now).unwrap_or(now);
        }
        total
    }

    #[test]
    fn the_rate_holds_on_average_behind_the_first_burst() {
        for rate in [1 << 10, 100_000, 1 << 20, 50 << 20] {
            let expected = rate * 100 + rate.max(65_536);
            let found = streamed(rate, 100);
            assert!(found >= expected - rate / 10 && found <= expected + 65_536, "{rate}: {found}, not {expected}");
        }
    }

    #[test]
    fn it_is_closed_only_while_it_is_empty_and_then_not_too_shortly() {
        let now = Instant::now();
        let mut bucket = Bucket::new(1_000_000, 65_536, now);
        bucket.charge(999_999, now);
        assert_eq!(bucket.closed_until(now), None);
        bucket.charge(1_000_000, now);
        assert_eq!(bucket.closed_until(now), Some(now + CLOSED_MIN));
        assert_eq!(bucket.closed_until(now + CLOSED_MIN), None);
        bucket.charge(3_000_000, now);
        assert_eq!(bucket.closed_until(now), Some(now + Duration::from_secs(2)));
        // However long nothing was streamed, it holds no more than one second's worth.
        bucket.charge(4_000_001, now + Duration::from_secs(1000));
        assert!(bucket.closed_until(now + Duration::from_secs(1000)).is_some());
    }
}
