//! Figures that are recorded: what a longer log takes more than a shorter one, and what to do when that is something else.

use crate::support::lines::{Kind, log};

pub type Variables = &'static [(&'static str, &'static str)];

pub const DEFAULTS: Variables = &[];
pub const ONE_STREAM: Variables = &[("STDERR", "")];
pub const OBJECTS: Variables = &[("STDERR", ""), ("OUTPUT", "json")];

/// How many records the two logs have whose difference is measured: whole rounds through all formats. Under valgrind
/// everything is slow, and the figures are steady.
pub const RECORDS: [usize; 2] = [2_000, 12_000];

/// Counts what it takes to stream each of two logs, and returns that and how many lines more the second one has.
pub fn of_two_logs<T>(kind: Kind, records: [usize; 2], count: impl Fn(&str) -> T) -> ([T; 2], u64) {
    let logs = records.map(|records| log(kind, records));
    let lines = logs.each_ref().map(|log| log.lines().count() as u64);
    (logs.each_ref().map(|log| count(log)), lines[1] - lines[0])
}

/// Fails if anything is not as recorded: says how to see where it went, and where it is recorded.
#[track_caller]
pub fn all_as_recorded(table: &str, look: &str, wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "not as recorded:\n{}\n\nWhere it goes: {look}\nIf it is meant, or better than before, record it anew in {table}.",
        wrong.join("\n")
    );
}
