//! What was found, for people and for programs.

use std::path::Path;
use std::rc::Rc;

use super::found_directory::Directory;
use super::found_file::File;
use super::machine::{Inotify, StatePlace};
use crate::output::rules::{Line, Rule};
use crate::paths::around::Names;
use crate::report::finding::Finding;

/// What was found; for people and for programs. Sizes are bytes.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub version: &'static str,
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    pub patterns: Vec<Matched<'a>>,
    /// Those that files are in, and the patterns' fixed ones.
    pub directories: Vec<Directory>,
    pub rotation: Option<Plan>,
    pub rules: Vec<RuleUse>,
    pub state: StatePlace,
    pub inotify: Inotify,
    /// How many files can be open at the same time.
    pub open_files_max: usize,
    /// How many files match, each counted once.
    pub files: usize,
    pub findings: Vec<Finding>,
}

/// A pattern, its braces expanded, and what it matches now.
#[derive(Debug)]
pub(super) struct Matched<'a> {
    pub pattern: String,
    /// Without those that a pattern before this one matches.
    pub files: Vec<File<'a>>,
    /// How many of those there are.
    pub named_before: u64,
    /// Files in the directories of these that no pattern matches, and directories beside them.
    pub beside: Names,
    /// Files that match and are left out, with the reason.
    pub left_out: Vec<(String, &'static str)>,
}

/// A rule, and for how many records it held, of those that were looked at.
#[derive(Debug)]
pub(super) struct RuleUse {
    pub variable: &'static str,
    pub rule: Rc<Rule>,
    pub held: u64,
    pub asked: u64,
}

impl RuleUse {
    pub(super) fn count(&mut self, path: &Path, line: &Line<'_>) {
        self.held += u64::from(self.rule.holds(path, line));
        self.asked += 1;
    }
}

/// The configured rotation.
#[derive(Debug)]
pub(super) struct Plan {
    pub method: &'static str,
    pub size: Option<u64>,
    pub interval_seconds: Option<u64>,
    pub keep: u32,
}
