//! More sleeping files than are met in one directory at a time.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::room::{allocated, allocated_beneath};

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

/// Of these 952 sleep.
const FILES: usize = 3_000;

fn numbered(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("{number:05}.log"))
}

/// Of each of very many files so much is written.
const BLOCKS_BYTES: usize = 3 * 4096;

fn with_many_of_blocks(dir: &Path, variables: &[(&str, &str)]) -> Program {
    let text = ("x".repeat(95) + "\n").repeat(BLOCKS_BYTES / 96);
    (0..FILES).for_each(|number| append(&numbered(dir, number), &text));
    let program = Program::on(dir, variables);
    // In parts, each of which has its time.
    for part in 1..=6 {
        program.expect(|| program.stdout_bytes() >= FILES * BLOCKS_BYTES / 6 * part, "everything to be streamed");
    }
    program
}

#[test]
fn what_sleeping_files_take_is_reclaimed_for_the_budget() {
    let dir = directory();
    let program = with_many_of_blocks(dir.path(), &[("DIR_BUDGET", "16Mi")]);
    // Without those that sleep no less than 20 MiB are left.
    for mib in [28, 22, 16] {
        program.expect(|| allocated_beneath(dir.path()) <= mib << 20, "the directory to come within its budget");
    }
    let ended = program.terminate();
    assert!(!ended.stderr.contains("cannot stream"), "{}", ended.stderr);
    assert_eq!(ended.stdout.len(), FILES * BLOCKS_BYTES);
}

#[test]
fn what_sleeping_files_take_is_reclaimed_when_they_are_to_be_rotated() {
    let dir = directory();
    let program = with_many_of_blocks(dir.path(), &[("ROTATE_INTERVAL", "10s")]);
    let left = || (0..FILES).filter(|number| allocated(&numbered(dir.path(), *number)) > 2 * 4096).count();
    for most in [2000, 1000, 800] {
        program.expect(|| left() <= most, "more files to be rotated");
    }
    let ended = program.terminate();
    assert!(!ended.stderr.contains("cannot stream"), "{}", ended.stderr);
    assert_eq!(ended.stdout.len(), FILES * BLOCKS_BYTES);
}
