//! `sidetail demo`: the counter pod of the Kubernetes documentation on this machine.
//!
//! A thread plays the application and writes two files into a temporary directory; the real follower streams them. The
//! thread is the demo's alone: sidetail itself has one.
#![allow(clippy::disallowed_methods, reason = "its directory is its own, beside no application")]

use std::fs::{self, File, OpenOptions};
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::exit::{EXIT_SYSTEM, EXIT_USAGE, fail};
use super::follow::follow_until;
use crate::config::{self, Config};
use crate::sys::signals::Termination;
use crate::sys::timer::Timer;

/// How often the application counts. The documentation's pod counts once per second; a demo may be livelier.
const PERIOD: Duration = Duration::from_millis(500);

/// Every how many counts something goes wrong in the application.
const ERROR_EVERY: u64 = 5;

/// Runs the demo for `duration`, or until Ctrl-C.
pub(super) fn demo(duration: Option<Duration>) -> ExitCode {
    match Demo::start() {
        Ok(demo) => demo.run(duration),
        Err(why) => fail(&[format!("cannot start the demo: {why}; set TMPDIR to a writable directory")], EXIT_SYSTEM),
    }
}

/// The temporary directory; it is removed when this is dropped.
struct Demo {
    directory: PathBuf,
    termination: Termination,
}

impl Demo {
    fn start() -> io::Result<Self> {
        let directory = make_directory()?;
        let demo = Self { directory, termination: Termination::install()? };
        let (one, two) = (append(&demo.directory.join("1.log"))?, append(&demo.directory.join("2.log"))?);
        thread::spawn(move || count(one, two));
        Ok(demo)
    }

    fn run(self, duration: Option<Duration>) -> ExitCode {
        let Self { directory, termination } = self;
        let until = duration
            .map_or_else(|| "until Ctrl-C".into(), |wanted| format!("for {}", humantime::format_duration(wanted)));
        eprintln!(
            "An application writes numbers to 1.log and 2.log in {}; sidetail streams both {until}.",
            directory.display()
        );
        eprintln!(
            "Errors go to stderr, all other lines to stdout; add 2>/dev/null or >/dev/null to see only one of \
                   them."
        );
        let code = match configuration(&directory) {
            Ok(config) => follow_until(config, ending(termination.requested(), duration)),
            Err(problems) => fail(&problems, EXIT_USAGE),
        };
        // The application may be creating nothing more: it holds its two files open.
        let _ = fs::remove_dir_all(&directory);
        code
    }
}

/// Makes a directory of our own; in a container every demo is process 1, so one may be there already.
fn make_directory() -> io::Result<PathBuf> {
    let mut number = 0;
    loop {
        let name = format!("sidetail-demo-{}-{number}", std::process::id());
        let directory = config::temporary_directory().join(name);
        match fs::create_dir(&directory) {
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            other => return other.map(|()| directory),
        }
    }
}

/// Returns what a pod spec would set.
fn configuration(directory: &Path) -> Result<Config, Vec<String>> {
    let variables = [("SIDETAIL_OUTPUT", "prefix"), ("SIDETAIL_STATE", "off")];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    let paths = [directory.join("*.log").into_os_string()];
    Config::from_variables(variables, &paths, directory)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// Becomes ready at a signal, or after the duration, whichever is first.
async fn ending(signal: impl Future<Output = ()>, duration: Option<Duration>) {
    let (Some(duration), Ok(mut timer)) = (duration, Timer::new()) else { return signal.await };
    timer.set(Instant::now() + duration);
    let mut signal = pin!(signal);
    poll_fn(|cx| if signal.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { timer.poll_due(cx) }).await;
}

/// The application of the documentation's example, with an error now and then. Ends with the process.
fn count(mut one: File, mut two: File) {
    for number in 0_u64.. {
        let date = date(SystemTime::now());
        let text = if number % ERROR_EVERY == ERROR_EVERY - 1 {
            format!("{date} ERROR {number} something went wrong\n")
        } else {
            format!("{date} INFO {number}\n")
        };
        let written =
            one.write_all(format!("{number}: {date}\n").as_bytes()).and_then(|()| two.write_all(text.as_bytes()));
        if let Err(why) = written {
            eprintln!("sidetail: cannot write the demo's logs: {why}; set TMPDIR to a directory with free space");
            return;
        }
        thread::sleep(PERIOD);
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).append(true).open(path)
}

/// Returns the time as `date` of busybox prints it: `Mon Jan  5 10:00:00 UTC 2026`.
fn date(time: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // `2026-01-05T10:00:00Z`: years of four digits, so every field has its place.
    let rfc3339 = humantime::format_rfc3339_seconds(time).to_string();
    let days = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    let weekday = DAYS[usize::try_from(days % 7).unwrap_or(0)];
    let month = rfc3339[5..7].parse::<usize>().map_or("???", |month| MONTHS[month - 1]);
    let day = rfc3339[8..10].trim_start_matches('0');
    format!("{weekday} {month} {day:>2} {} UTC {}", &rfc3339[11..19], &rfc3339[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_busybox() {
        for (seconds, expected) in [
            (0, "Thu Jan  1 00:00:00 UTC 1970"),
            (1_767_607_200, "Mon Jan  5 10:00:00 UTC 2026"),
            (1_709_251_199, "Thu Feb 29 23:59:59 UTC 2024"),
        ] {
            assert_eq!(date(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}
