//! What the kernel reports about this process, under the names that all exporters use.
//!
//! Source: proc_pid_stat(5), proc_pid_status(5);
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>
#![allow(clippy::disallowed_methods, reason = "what is in /proc is the kernel's")]

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::sys::processes::TICKS_A_SECOND;

/// What does not change while the process lives.
#[derive(Debug)]
pub(crate) struct Process {
    /// When it started, since 1970.
    pub started: Duration,
}

impl Process {
    /// Looks when this process started; without `/proc`, that is now.
    #[must_use]
    pub(crate) fn look() -> Self {
        let started = Some(stat_ticks(&stat(), START_TIME)).filter(|started| !started.is_zero());
        // In this order, or a wait between the two would make the process younger than it is.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: started_at(now, since_boot(), started) }
    }

    /// Returns the CPU time, user and system.
    #[must_use]
    pub(crate) fn cpu(&self) -> Duration {
        let stat = stat();
        stat_ticks(&stat, USER_TIME) + stat_ticks(&stat, SYSTEM_TIME)
    }

    /// Returns how much memory is resident, in bytes.
    #[must_use]
    pub(crate) fn resident_bytes(&self) -> u64 {
        status_kib("VmRSS:") * 1024
    }

    /// Returns how much address space there is, in bytes.
    #[must_use]
    pub(crate) fn virtual_bytes(&self) -> u64 {
        status_kib("VmSize:") * 1024
    }

    /// Returns how many descriptors are open.
    #[must_use]
    pub(crate) fn descriptors(&self) -> u64 {
        // One of them is that of the look itself.
        fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1) as u64)
    }

    /// Returns how many there may be.
    #[must_use]
    pub(crate) fn descriptors_max(&self) -> u64 {
        getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
    }
}

/// Which fields behind the name are times in ticks, from 0 on: the 14th, the 15th and the 22nd of all.
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;
const START_TIME: usize = 19;

fn stat() -> String {
    fs::read_to_string("/proc/self/stat").unwrap_or_default()
}

fn stat_ticks(stat: &str, field: usize) -> Duration {
    // The second field is the name, which may hold anything.
    let ticks = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(field)?.parse::<u64>().ok());
    Duration::from_millis(ticks.unwrap_or(0) * (1000 / TICKS_A_SECOND))
}

/// Returns when a process started, since 1970, from its start after the machine's.
///
/// Its start is rounded down to a tick, so what is taken off for it must not be rounded: it would seem to start in the future.
fn started_at(now: Duration, since_boot: Duration, started: Option<Duration>) -> Duration {
    let age = started.map(|started| since_boot.saturating_sub(started));
    now.saturating_sub(age.unwrap_or_default())
}

/// Returns how long ago the machine started, by the clock that the times in `/proc` are of.
fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

fn status_kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok());
    kib.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_as_old_as_it_is() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
        let started = Process::look().started.as_secs_f64();
        assert!(started <= now && now - started < 3600.0, "{started} of {now}");
    }

    #[test]
    fn a_process_that_has_just_started_did_not_start_in_the_future() {
        let (day, ms) = (Duration::from_secs(24 * 3600), Duration::from_millis);
        // It started 1,009 ms after the machine, which is shown as 1,000, and looks a moment later.
        assert_eq!(started_at(day, ms(1_009), Some(ms(1_000))), day - ms(9));
        assert_eq!(started_at(day, ms(61_000), Some(ms(1_000))), day - ms(60_000));
        assert_eq!(started_at(day, ms(1_009), None), day, "nothing is known of it");
    }

    #[test]
    fn everything_is_known() {
        let process = Process::look();
        assert!(process.resident_bytes() > 1 << 20 && process.virtual_bytes() >= process.resident_bytes());
        assert!(process.descriptors() >= 3 && process.descriptors_max() >= process.descriptors());
        let stat = "7 (a b) c) S 1 7 7 0 -1 0 0 0 0 0 150 50 0 0 20 0 1 0 12345 0 0";
        assert_eq!(stat_ticks(stat, USER_TIME) + stat_ticks(stat, SYSTEM_TIME), Duration::from_secs(2));
        assert_eq!(stat_ticks(stat, START_TIME), Duration::from_millis(123_450));
    }
}
