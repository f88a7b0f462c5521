//! What the tests of archives share: those that anyone can run, and those that need root.

use std::fs;
use std::path::Path;

use crate::support::program::Program;
use crate::support::room::allocated;

/// Lines in a KiB.
pub const KIB: usize = 16;

/// A small size, and more archives than any test here makes.
pub const KEEP_ALL: [(&str, &str); 2] = [("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "1000")];

/// Returns the variables, and these too.
pub fn and<'a>(variables: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [variables, more].concat()
}

/// Waits until a log is as small as it has to be, and no archive is under way.
#[track_caller]
pub fn settle(program: &Program, path: &Path) {
    let is_small = || allocated(path) <= 64 << 10 && !has_draft(path);
    program.expect(is_small, "the file to be small enough");
}

pub fn has_draft(path: &Path) -> bool {
    names(path).iter().any(|name| name.ends_with(".tmp"))
}

/// Returns the names beside a log, in order.
pub fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().expect("a directory")).expect("the directory");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}
