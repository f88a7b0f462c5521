//! What the tests of hostile surroundings share: those that anyone can run, and those that need root.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::files::Directory;
use crate::support::program::Program;

pub fn start(directory: &Path, patterns: &[&str], variables: &[(&str, &str)]) -> Program {
    let paths: Vec<_> = patterns.iter().map(|pattern| format!("{}/{pattern}", directory.display())).collect();
    let paths = paths.join("\n");
    Program::start(&[&[("PATHS", paths.as_str())], variables].concat())
}

pub fn path_in(directory: &Directory, name: &str) -> PathBuf {
    directory.path().join(name)
}

/// What was said of a path, without what came of it.
pub fn said_of<'a>(stderr: &'a str, path: &Path) -> Vec<&'a str> {
    let name = format!("{}: ", path.display());
    stderr.lines().filter(|line| line.contains(&name)).collect()
}

/// Waits until each of the paths has been refused.
#[track_caller]
pub fn expect_refusals(program: &Program, paths: &[PathBuf]) {
    for path in paths {
        program.expect(|| !said_of(&program.stderr(), path).is_empty(), &format!("a warning of {}", path.display()));
    }
}

/// Opening without waiting for another, open(2).
pub trait Nonblocking {
    fn custom_flags_nonblock(&mut self) -> &mut Self;
}

impl Nonblocking for fs::OpenOptions {
    fn custom_flags_nonblock(&mut self) -> &mut Self {
        use std::os::unix::fs::OpenOptionsExt;
        self.custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("a small number"))
    }
}
