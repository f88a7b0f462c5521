//! `--help`: one screen, the variables from their table.

use std::fmt::Write as _;

use crate::config::{PREFIX, TABLE, Variable};

/// What fits a terminal that nobody has widened.
const COLUMNS: usize = 80;

const USAGE: &str = "\
sidetail streams the log files of a shared volume onto stdout and stderr, so
that kubectl logs sees them.

Usage:
  sidetail                    follow the files that SIDETAIL_PATHS names
  sidetail PATH...            the same with these patterns in its place
  sidetail check [--json] [--strict] [PATH...]
                              say which files match now, their formats, streams,
                              permissions, disk, and what stands in the way
  sidetail classify [--json] [FILE...]
                              say of each line, of files or stdin, what it is:
                              FORMAT, LEVEL, STREAM, LINE, separated by tabs
  sidetail demo [--for 10s]   see it work, without a cluster and without root
  sidetail --help | --version

A rule's terms, all of which must hold, ! in front negates one:
  file:GLOB     the base name, or the path if the glob has a /
  level>=NAME   the level it states (also <= < > =): trace, debug, info,
                notice, warn, error, critical, fatal
  format:NAME   its format; a wrong name is answered with all there are
  match:REGEX   the line; takes the rest of the rule

Exit codes: 0 ended by a signal, 1 check --strict has warnings, 64 wrong
configuration, 66 a file that classify cannot read, 71 no descriptors or
memory, 74 stdout or stderr gone

Environment variables; sizes are Kubernetes quantities (10Mi, 500k), durations
Go's (30s, 1h30m):
";

/// Returns the whole text.
pub(super) fn text() -> String {
    let mut text = USAGE.to_owned();
    for Variable { name, default, help, .. } in TABLE {
        let default = if default.is_empty() { "none" } else { default };
        // A string takes everything, so it cannot fail.
        let _ = writeln!(text, "  {PREFIX}{name} (default: {default})\n{}", wrapped(&help.replace('`', "")));
    }
    text
}

/// Returns the words on lines of at most [`COLUMNS`], indented.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("      {word}")),
        }
    }
    lines.join("\n")
}
