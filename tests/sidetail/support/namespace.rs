//! A process namespace of a test's own, with a /proc of its own: there it sees how every process writes.
//!
//! On many machines process 1 belongs to somebody else and cannot be looked into, not even by root; then sidetail does not know
//! whether it writes to the log as well, and takes no hole out of it.

use std::env;
use std::process::Command;
use std::time::Duration;

use super::bounded::run;
use super::mounted::ignore;

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
    if !rustix::process::geteuid().is_root() {
        return ignore("a process namespace of one's own needs root");
    }
    let this = env::current_exe().expect("the test's own program");
    let mut again = Command::new("unshare");
    again.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(this).args(["--exact", test, "--nocapture"]);
    match run(again.env(IS_ALONE, "1"), DEADLINE) {
        Ok(said) => assert!(said.contains("1 passed"), "no test is called {test}: {said}"),
        Err(why) => panic!("alone: {why}"),
    }
}
