//! `sidetail demo counter`: the counter pod of the Kubernetes documentation on this machine.
//!
//! A thread plays the application and writes two files into a temporary directory; the real follower streams them. The
//! thread is the demo's alone: sidetail itself has one.
#![allow(clippy::disallowed_methods, reason = "its directory is its own, beside no application")]

use std::fs::{File, OpenOptions};
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use super::scratch::Scratch;
use super::times::TimeOfDay;
use crate::commands::exit::{EXIT_SYSTEM, EXIT_USAGE, fail};
use crate::commands::follow::follow_until;
use crate::config::Config;
use crate::sys::signals::Termination;
use crate::sys::timer::Timer;

/// How often the application counts. The documentation's pod counts once per second; a demo may be livelier.
const PERIOD: Duration = Duration::from_millis(500);

/// Every how many counts something goes wrong in the application.
const ERROR_EVERY: u64 = 5;

/// Counts for `duration`, or until Ctrl-C.
pub(crate) fn count(duration: Option<Duration>) -> ExitCode {
    match Scratch::make() {
        // The application may be creating nothing more when the directory is removed: it holds its two files open.
        Ok(scratch) => run(&scratch, duration),
        Err(why) => fail(&[why], EXIT_SYSTEM),
    }
}

/// Starts the application and follows its files.
fn run(scratch: &Scratch, duration: Option<Duration>) -> ExitCode {
    let directory = scratch.path();
    let start = || {
        let termination = Termination::install()?;
        let (one, two) = (append(&directory.join("1.log"))?, append(&directory.join("2.log"))?);
        thread::spawn(move || write_numbers(one, two));
        Ok::<_, io::Error>(termination)
    };
    let termination = match start() {
        Ok(termination) => termination,
        Err(why) => {
            let why = format!("cannot start the demo: {why}; set TMPDIR to a directory with free space");
            return fail(&[why], EXIT_SYSTEM);
        }
    };
    let until =
        duration.map_or_else(|| "until Ctrl-C".into(), |wanted| format!("for {}", humantime::format_duration(wanted)));
    tell(&format!(
        "An application writes numbers to 1.log and 2.log in {}; sidetail streams both {until}.\n\
         Errors go to stderr, all other lines to stdout; add 2>/dev/null or >/dev/null to see only one of them.\n",
        directory.display()
    ));
    match configuration(directory) {
        Ok(config) => follow_until(config, ending(termination.requested(), duration)),
        Err(problems) => fail(&problems, EXIT_USAGE),
    }
}

/// Says something on stderr; if that is gone, nobody is left to be told.
fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Returns what a pod spec would set.
fn configuration(directory: &Path) -> Result<Config, Vec<String>> {
    let variables = [("SIDETAIL_OUTPUT", "prefix"), ("SIDETAIL_STATE", "off")];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    Config::from_variables(variables, &["*.log".into()], directory)
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
fn write_numbers(mut one: File, mut two: File) {
    for number in 0_u64.. {
        let date = TimeOfDay::now().in_words();
        let text = if number % ERROR_EVERY == ERROR_EVERY - 1 {
            format!("{date} ERROR {number} something went wrong\n")
        } else {
            format!("{date} INFO {number}\n")
        };
        let written =
            one.write_all(format!("{number}: {date}\n").as_bytes()).and_then(|()| two.write_all(text.as_bytes()));
        if let Err(why) = written {
            tell(&format!(
                "sidetail: cannot write the demo's logs: {why}; set TMPDIR to a directory with free space\n"
            ));
            return;
        }
        thread::sleep(PERIOD);
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).append(true).open(path)
}
