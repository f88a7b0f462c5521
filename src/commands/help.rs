//! `--help`: one screen, the variables from their table.

use std::fmt::Write as _;

use crate::config::{PREFIX, TABLE, Variable};

const USAGE: &str = "\
sidetail streams the log files of a shared volume onto stdout and stderr, so that kubectl logs sees them.

Usage:
  sidetail                    follow the files that SIDETAIL_PATHS names
  sidetail PATH...            the same with these patterns in its place
  sidetail demo [--for 10s]   see it work: no cluster, no root, a temporary directory
  sidetail --help | --version

A rule's terms, all of which must hold, ! in front negates one:
  file:GLOB     the base name, or the path if the glob has a /
  match:REGEX   the line; takes the rest of the rule

Exit codes: 0 ended by a signal, 64 wrong configuration, 71 no descriptors or memory, 74 stdout or stderr gone

Environment variables:
";

/// Returns the whole text.
pub fn text() -> String {
    let mut text = USAGE.to_owned();
    for Variable { name, default, help, .. } in TABLE {
        let default = if default.is_empty() { "none" } else { default };
        // A string takes everything, so it cannot fail.
        let _ = writeln!(text, "  {PREFIX}{name} (default: {default})\n      {}", help.replace('`', ""));
    }
    text
}
