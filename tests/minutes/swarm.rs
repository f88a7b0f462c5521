//! More sleeping files than are met in one directory at a time.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::program::Program;

/// 2,048 are followed, the others sleep; of those 512 are met at a time.
const MANY: usize = 4_500;

/// Waits for so many lines, and for as long as it takes while some come.
fn expect_lines(program: &Program, from: usize, to: usize) {
    let count = || program.stdout().lines().count();
    for step in 1..=10 {
        let lines = from + (to - from) * step / 10;
        program.expect(|| count() >= lines, &format!("{lines} lines"));
    }
}

#[test]
fn what_was_written_to_sleeping_files_is_found_when_all_of_them_are_renamed_at_once() {
    let dir = directory();
    let path = |number: usize| dir.path().join(format!("{number:05}.log"));
    (0..MANY).for_each(|number| append(&path(number), format!("first of {number}\n")));
    let program = Program::on(dir.path(), &[]);
    expect_lines(&program, 0, MANY);
    program.signal(Signal::STOP);
    for number in 0..MANY {
        append(&path(number), format!("last of {number}\n"));
        fs::rename(path(number), dir.path().join(format!("{number:05}.log.1"))).expect("renamed");
    }
    program.signal(Signal::CONT);
    expect_lines(&program, MANY, 2 * MANY);
    let stdout = program.terminate().stdout;
    let found: BTreeSet<&str> = stdout.lines().collect();
    assert_eq!((stdout.lines().count(), found.len()), (2 * MANY, 2 * MANY), "each line once");
}
