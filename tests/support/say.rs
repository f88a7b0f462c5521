//! Lines that are seen although the test passes, where `println!` is captured: what was measured, and what was not run.

use std::env;
use std::io::{self, Write};

/// Writes `line` to standard error, past the capture.
pub fn say(line: &str) {
    // Nobody may be listening, and that is no reason to fail.
    let _ = writeln!(io::stderr(), "{line}");
}

/// What a machine cannot do is said in one line, and in CI (`CI=true`) it fails: there everything is tested.
#[track_caller]
pub fn ignore(why: &str) {
    assert_ne!(env::var("CI").as_deref(), Ok("true"), "in CI everything is tested: {why}");
    say(&format!("ignored: {why}"));
}
