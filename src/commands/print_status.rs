//! `sidetail status [PATH...]`: what SIGUSR1 has the running process say, for where nobody can send a signal.
//!
//! It reads the checkpoint and changes nothing.

use std::ffi::OsString;
use std::process::ExitCode;

use super::exit::{configuration, event_loop, print};
use crate::paths::discover::Discovery;
use crate::paths::watch::Watch;
use crate::read::buffer::Buffer;
use crate::reclaim::status::FileStatus;
use crate::report::finding::{Finding, Kind};
use crate::report::log;
use crate::report::refusal::Refusal;
use crate::shelf::checkpoint::{Checkpoint, Peeked};

/// Prints a line for each file that matches; those that cannot be read are named on stderr.
pub(super) fn status(paths: &[OsString]) -> ExitCode {
    let (config, runtime) = match configuration(paths).and_then(|config| Ok((config, event_loop()?))) {
        Ok(both) => both,
        Err(code) => return code,
    };
    log::start(config.log, config.log_format);
    let _within = runtime.enter();
    let mut discovery = Discovery::new(config.paths.clone(), config.exclude.clone(), config.links);
    let mut checkpoint = Checkpoint::new(&config.state, discovery.first_root(), &config.patterns_text);
    let (Peeked { known, is_there, finding }, own) = (checkpoint.peek(), checkpoint.own_archives());
    if let Some(found) = finding.or_else(|| (!is_there).then(|| nothing_known(&checkpoint))) {
        eprint!("{}", log::line(tracing::Level::WARN, &found.text, found.about.as_deref()));
    }
    let mut found = discovery.walk(&mut Watch::start()).found;
    found.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    let (mut text, mut buffer) = (String::new(), Buffer::default());
    for one in &found {
        match FileStatus::by_checkpoint(one, &known, &config.rotate, (&discovery, &own), &mut buffer) {
            Ok(status) => text.push_str(&log::line(tracing::Level::INFO, &status.to_string(), Some(&one.path))),
            Err(why) => {
                let finding = Refusal::to_follow(&why, one.stat.as_ref().ok().copied()).not_followed(&one.path);
                eprint!("{}", log::line(tracing::Level::WARN, &finding.text, Some(&one.path)));
            }
        }
    }
    if found.is_empty() {
        let why = format!("no file matches {}; check SIDETAIL_PATHS", config.paths_text);
        eprint!("{}", log::line(tracing::Level::WARN, &why, None));
    }
    print(&text)
}

/// Returns the finding that there is no checkpoint.
fn nothing_known(checkpoint: &Checkpoint) -> Finding {
    let (reason, way_out) = match checkpoint.path() {
        Some(path) => {
            (format!("there is no checkpoint {}", path.display()), "use the variables of the running sidetail")
        }
        None => ("SIDETAIL_STATE is off".to_owned(), "send SIGUSR1 to the running sidetail"),
    };
    Finding::new(Kind::Checkpoint, format!("cannot tell how far files are streamed: {reason}; {way_out}"))
}
