//! `sidetail rotate`: has the running process reclaim everything that is streamed, by SIGHUP, for where nobody can send one.

use std::path::Path;
use std::process::ExitCode;

use rustix::io::Errno;
use rustix::process::Signal;

use super::exit::{EXIT_UNAVAILABLE, fail, print};
use crate::config::Config;
use crate::disk::policy::IS_OFF;
use crate::sys::processes::{others_of_this_program, send, variables_of};

/// Sends SIGHUP to the one other process of this program and user that waits for it.
pub(super) fn rotate() -> ExitCode {
    let uid = rustix::process::geteuid().as_raw();
    let why = match others_of_this_program(Signal::HUP).as_deref() {
        Ok([pid]) if is_rotation_off(*pid) => format!("cannot rotate the files of process {pid}: {IS_OFF}"),
        Ok([pid]) => match send(*pid, Signal::HUP) {
            Ok(()) => return print(&format!("sent SIGHUP to process {pid}\n")),
            Err(why) if Errno::from_io_error(&why) == Some(Errno::SRCH) => {
                format!(
                    "cannot signal process {pid}: it has ended, or is in another process namespace; run this in its container"
                )
            }
            Err(why) => format!("cannot signal process {pid}: {why}; run this as its user"),
        },
        Ok([]) => format!("cannot rotate: no sidetail of user {uid} runs here; run this in its container, as its user"),
        Ok(several) => {
            let pids = several.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            format!("cannot rotate: {} sidetails run here, processes {pids}; send SIGHUP to one of them", several.len())
        }
        Err(why) => format!("cannot rotate: no process can be seen in /proc: {why}; mount it"),
    };
    fail(&[why], EXIT_UNAVAILABLE)
}

/// Returns whether a process was told to reclaim nothing; false if that is not certain.
fn is_rotation_off(pid: u32) -> bool {
    // Patterns, which may be its arguments, have no say in it.
    let config = variables_of(pid).ok().and_then(|given| Config::from_variables(given, &[], Path::new("/")).ok());
    config.is_some_and(|config| !config.rotate.is_on())
}
