//! What the tests of `sidetail check` share: those that anyone can run, and those that need root.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde_json::Value;

use crate::support::program::{Ended, Program};

/// Runs a command that starts it with the argument `check`, to its end.
pub fn launched(mut launcher: Command, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    launcher.arg("check").args(arguments);
    Program::launch(launcher, variables).wait()
}

pub fn checked(variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    launched(Command::new(env!("CARGO_BIN_EXE_sidetail")), variables, arguments)
}

/// What `--json` prints of these files.
#[track_caller]
pub fn report(paths: &str, variables: &[(&str, &str)]) -> Value {
    parsed(&checked(&[&[("PATHS", paths)], variables].concat(), &["--json"]))
}

#[track_caller]
pub fn parsed(ended: &Ended) -> Value {
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout.lines().count(), 1, "one object on one line");
    serde_json::from_str(&ended.stdout).expect("JSON")
}

pub fn logs(dir: &Path) -> String {
    format!("{}/*.log", dir.display())
}

/// The kinds of the warnings.
pub fn kinds(report: &Value) -> Vec<&str> {
    let warnings = report["warnings"].as_array().expect("a list");
    warnings.iter().map(|warning| warning["kind"].as_str().expect("a text")).collect()
}

/// Holds a report to just one warning of this kind, apart from those of the machine, which has all these words.
#[track_caller]
pub fn warns(report: &Value, kind: &str, words: &[&str]) {
    let warnings = report["warnings"].as_array().expect("a list");
    let of_kind: Vec<_> = warnings.iter().filter(|warning| warning["kind"] == kind).collect();
    assert_eq!(of_kind.len(), 1, "warnings of {kind} in {warnings:#?}");
    let message = of_kind[0]["message"].as_str().expect("a text");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}

/// The kinds of what a program that follows says of itself; the others only a look at everything finds.
const SAID: [&str; 6] = ["budget", "inotify", "links", "rotation", "state", "unreadable"];

/// Holds a report to these kinds of what a program says that follows the same, and to saying it in the same words.
#[track_caller]
pub fn says_what_is_said(report: &Value, program: Program, kinds: &[&str]) {
    let warnings = report["warnings"].as_array().expect("a list");
    let is_said = |warning: &&Value| SAID.contains(&warning["kind"].as_str().expect("a text"));
    let mut listed: Vec<(&str, &str)> = warnings
        .iter()
        .filter(is_said)
        .map(|warning| (warning["kind"].as_str().expect("a text"), warning["message"].as_str().expect("a text")))
        .collect();
    listed.sort_unstable();
    assert_eq!(listed.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), kinds, "{listed:#?}");
    program.expect(|| program.stderr().lines().count() >= listed.len(), "as many messages");
    let ended = program.terminate();
    let said = ended.stderr.lines().map(|line| line.strip_prefix("sidetail: ").unwrap_or(line));
    let sorted = |mut texts: Vec<&str>| {
        texts.sort_unstable();
        texts.join("\n")
    };
    assert_eq!(sorted(listed.into_iter().map(|(_, text)| text).collect()), sorted(said.collect()));
}

/// Holds a report to no warning, apart from those of the machine.
#[track_caller]
pub fn warns_of_nothing(report: &Value) {
    let of_machine = ["nearly-full", "birth-times", "inotify"];
    let kinds: Vec<_> = kinds(report).into_iter().filter(|kind| !of_machine.contains(kind)).collect();
    assert!(kinds.is_empty(), "{:#?}", report["warnings"]);
}

pub fn first_file(report: &Value) -> &Value {
    &report["patterns"][0]["files"][0]
}

/// What there is of a directory: names, contents, times, modes.
pub fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (u64, u32, SystemTime, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut add = |path: &Path| {
        let found = fs::symlink_metadata(path).expect("there");
        let bytes = if found.is_file() { fs::read(path).expect("readable") } else { Vec::new() };
        all.insert(path.to_owned(), (found.ino(), found.mode(), found.modified().expect("a time"), bytes));
    };
    add(dir);
    fs::read_dir(dir).expect("a directory").for_each(|entry| add(&entry.expect("readable").path()));
    all
}
