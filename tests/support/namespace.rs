//! Namespaces of a test's own. Root makes them as they are; anybody else has a user namespace around them, in which they are root.
//!
//! With a /proc of its own a process sees how every other one writes.
//!
//! On many machines process 1 belongs to somebody else and cannot be looked into, not even by root; then sidetail does not know
//! whether it writes to the log as well, and takes no hole out of it.

use std::env;
use std::process::Command;
use std::time::Duration;

use super::bounded::run;
use super::say::ignore;

/// Set in the process that is alone.
const IS_ALONE: &str = "TEST_IS_ALONE";

/// No such test takes longer.
const DEADLINE: Duration = Duration::from_secs(120);

/// Runs the body of the test with this path (`module::name`), in a process that sees itself and its children only.
#[track_caller]
pub fn alone(test: &str, body: impl FnOnce()) {
    if env::var_os(IS_ALONE).is_some() {
        return body();
    }
    let Some(mut again) = unshare(&["--pid", "--fork", "--kill-child", "--mount-proc"]) else { return };
    let this = env::current_exe().expect("the test's own program");
    again.arg(this).args(["--exact", test, "--nocapture"]);
    match run(again.env(IS_ALONE, "1"), DEADLINE) {
        Ok(said) => assert!(said.contains("1 passed"), "no test is called {test}: {said}"),
        Err(why) => panic!("alone: {why}"),
    }
}

/// Returns a command in namespaces of its own, to which the command itself is added; `None` where that cannot be done, which is
/// said.
#[track_caller]
pub fn unshare(namespaces: &[&str]) -> Option<Command> {
    let user: &[&str] = if rustix::process::geteuid().is_root() { &[] } else { &["--user", "--map-root-user"] };
    let command = || {
        let mut command = Command::new("unshare");
        command.args(user).args(namespaces);
        command
    };
    if let Err(why) = run(command().arg("true"), DEADLINE) {
        ignore(&format!(
            "without root or user namespaces there are no others: {}",
            why.lines().last().unwrap_or_default()
        ));
        return None;
    }
    Some(command())
}
