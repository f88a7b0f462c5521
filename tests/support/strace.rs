//! A process seen call by call.

use std::process::Command;
use std::time::Duration;

use super::bounded::run;
use super::say::ignore;

const DEADLINE: Duration = Duration::from_secs(30);

/// Says whether the calls of a process can be seen, and it be killed between two of them.
pub fn has_strace() -> bool {
    let tried = run(Command::new("strace").args(["-o", "/dev/null", "true"]), DEADLINE);
    if let Err(why) = &tried {
        ignore(&format!("without strace nobody sees what is called: {why}"));
    }
    tried.is_ok()
}
