//! Lines that are seen although the test passes, where `println!` is captured: what was measured, and what was not run.

use std::io::{self, Write};

/// Writes `line` to standard error, past the capture.
pub fn say(line: &str) {
    // Nobody may be listening, and that is no reason to fail.
    let _ = writeln!(io::stderr(), "{line}");
}
