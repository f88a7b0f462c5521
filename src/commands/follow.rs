//! `sidetail [PATH...]`: the main job.

use std::ffi::OsString;
use std::future::Future;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::process::ExitCode;

use super::exit::{EXIT_OUTPUT, EXIT_SYSTEM, cannot_start, configuration, event_loop, fail};
use crate::config::Config;
use crate::output::sink::{Gone, Sink};
use crate::reclaim::state::Reclaim;
use crate::report::finding::Finding;
use crate::report::listen::Listener;
use crate::report::log;
use crate::stream::loop_state::Outside;
use crate::stream::run;
use crate::sys::signals::{Requests, Termination};
use crate::sys::timer::Timer;

/// Follows the configured files until SIGTERM or SIGINT.
pub(super) fn follow(paths: &[OsString]) -> ExitCode {
    let config = match configuration(paths) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match Termination::install() {
        Ok(termination) => follow_until(config, termination.requested()),
        Err(why) => fail(&[format!("cannot handle signals: {why}; raise the limit on descriptors")], EXIT_SYSTEM),
    }
}

/// Follows what `config` names onto the standard streams until `ending` is ready, and returns the exit code.
pub(super) fn follow_until(config: Config, ending: impl Future<Output = ()>) -> ExitCode {
    log::start(config.log, config.log_format);
    config.findings.iter().for_each(Finding::tell);
    let runtime = match event_loop() {
        Ok(runtime) => runtime,
        Err(code) => return code,
    };
    let outcome = runtime.block_on(async {
        let outside = outside(&config)?;
        Ok::<_, ExitCode>(run::run(config, outside, ending).await)
    });
    match outcome {
        // Also with bytes left: a Job whose application succeeded must not fail for its log.
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(gone)) => output_gone(&gone),
        Err(code) => code,
    }
}

/// Opens what the loop works with.
fn outside(config: &Config) -> Result<Outside, ExitCode> {
    let listener = config.listen.map(listen_on).transpose()?;
    let open = || {
        let reclaim = config.rotate.is_on().then(|| Reclaim::new(config.rotate.clone())).transpose()?;
        let (sink, timer, requests) = (standard_streams()?, Timer::new()?, Requests::install()?);
        let is_watched = io::stderr().is_terminal();
        Ok(Outside { sink, timer, requests, reclaim, listener, is_watched })
    };
    open().map_err(|why: io::Error| cannot_start(&why))
}

/// Opens the port of the metrics.
fn listen_on(address: SocketAddr) -> Result<Listener, ExitCode> {
    Listener::bind(address).map_err(|why| {
        fail(&[format!("cannot listen on {address}: {why}; set SIDETAIL_LISTEN to a free address")], EXIT_SYSTEM)
    })
}

fn standard_streams() -> io::Result<Sink> {
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    let stderr = io::stderr().as_fd().try_clone_to_owned()?;
    Sink::new(stdout, stderr)
}

/// A reader that has enough is a quiet end; a full disk is not.
fn output_gone(gone: &Gone) -> ExitCode {
    if gone.is_closed() {
        return ExitCode::from(EXIT_OUTPUT);
    }
    let Gone { stream, why } = gone;
    fail(&[format!("cannot write to {stream}: {why}; unwritten lines are still in their files")], EXIT_OUTPUT)
}
