//! `--help`: one screen, the variables from their table.

use std::fmt::Write as _;

use crate::config::{PREFIX, TABLE, Variable};

/// The width of a default terminal.
const COLUMNS: usize = 80;

const USAGE: &str = "\
sidetail streams the log files of a shared volume to stdout and stderr, where
kubectl logs finds them.

Usage:
  sidetail                    follow the files that SIDETAIL_PATHS names
  sidetail PATH...            follow these files instead
  sidetail check [--json] [--strict] [PATH...]
                              show which files match now, their formats, streams
                              and permissions, the disk, and what is wrong
  sidetail classify [--json] [FILE...]
                              judge each line of files or stdin, and print
                              FORMAT, LEVEL, STREAM, LINE, separated by tabs
  sidetail status [PATH...]   show how far each file is streamed, as SIGUSR1 does
  sidetail rotate             reclaim all streamed data now, as SIGHUP does
  sidetail demo [--for 10s]   see what it does, without a cluster and without root
  sidetail demo counter [--for 10s]
                              the counter pod of the Kubernetes documentation
  sidetail --help | --version

The terms of a rule; all must hold, and ! in front negates a term:
  file:GLOB     matches the base name, or the path if the glob has a /
  level>=NAME   compares the line's level (also <= < > =): trace, debug, info,
                notice, warn, error, critical, fatal
  format:NAME   compares its format; an unknown name gets the list of all formats
  match:REGEX   searches the line; takes the rest of the rule

Exit codes: 0 ended by a signal, 1 warnings of check --strict or lines that the
demo missed, 64 configuration error, 66 classify cannot read a file, 69 rotate
finds no sidetail, several, or rotation off, 71 no descriptors or memory or, for
the demo, disk, 74 stdout or stderr is closed

Environment variables; sizes are Kubernetes quantities (10Mi, 500k), durations
are written as in Go (30s, 1h30m) or in days (7d):
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
