//! How every command begins and ends: the configuration, the event loop, exit codes and last words.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::config::Config;
use crate::report::{last_words, log};

/// `check --strict` has warnings.
pub(super) const EXIT_WARNINGS: u8 = 1;

/// The configuration or the command line is wrong (`EX_USAGE`, sysexits.h).
pub(super) const EXIT_USAGE: u8 = 64;

/// The process that is to do it is not there, or not alone (`EX_UNAVAILABLE`).
pub(super) const EXIT_UNAVAILABLE: u8 = 69;

/// The machine lacks what every program needs: descriptors, memory (`EX_OSERR`).
pub(super) const EXIT_SYSTEM: u8 = 71;

/// A file that was named cannot be read (`EX_NOINPUT`).
pub(super) const EXIT_INPUT: u8 = 66;

/// Stdout or stderr is gone (`EX_IOERR`).
pub(super) const EXIT_OUTPUT: u8 = 74;

/// Returns the configuration of this process; problems are already printed.
pub(super) fn configuration(paths: &[OsString]) -> Result<Config, ExitCode> {
    Config::from_environment(paths).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        fail(&problems, EXIT_USAGE)
    })
}

/// Returns the event loop; the reason for none is already printed.
pub(super) fn event_loop() -> Result<Runtime, ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    runtime.map_err(|why| cannot_start(&why))
}

pub(super) fn cannot_start(why: &io::Error) -> ExitCode {
    fail(&[format!("cannot start: {why}; raise the limits on descriptors and memory")], EXIT_SYSTEM)
}

/// Prints a text to stdout; a reader that closes early is no failure.
pub(super) fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => cannot_print(&why),
        _ => ExitCode::SUCCESS,
    }
}

pub(super) fn cannot_print(why: &io::Error) -> ExitCode {
    fail(&[format!("cannot write to stdout: {why}; check the file or the program that it leads to")], EXIT_OUTPUT)
}

/// Reports why the program ends, one line per reason, on stderr and to the kubelet.
pub(super) fn fail(reasons: &[String], code: u8) -> ExitCode {
    let lines: String = reasons.iter().map(|why| log::line(tracing::Level::ERROR, why, None)).collect();
    // If stderr is gone too, nobody is left to be told.
    let _ = io::stderr().write_all(lines.as_bytes());
    last_words::leave(reasons.iter().map(String::as_str));
    ExitCode::from(code)
}
