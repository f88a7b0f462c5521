//! What a line costs by default, counted in instructions, for each kind of log of `bench/kinds`.
//!
//! The figures are recorded, not wished for, as those of `weight.rs` are.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::bounded::run;
use crate::support::counted::{has, instructions};
use crate::support::lines::LAST;
use crate::support::say::say;
use crate::support::themes::recorded::{DEFAULTS, all_as_recorded};
use crate::weight::{INSTRUCTIONS_LOOK, has_avx2};

/// Instructions a thousand lines, of a log in which 1 % of the records are errors, and of one with 20 %.
const INSTRUCTIONS: &[(&str, [u64; 2])] = &[];

const PERCENTS: [u32; 2] = [1, 20];

/// How many records two logs have whose difference is counted.
const RECORDS: [usize; 2] = [1_000, 4_000];

/// The templates of all kinds are read and compiled in a tenth of a second.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn instructions_of_each_kind_are_those_that_are_recorded() {
    if !has("valgrind") || !has_avx2() {
        return;
    }
    let recorded: Vec<&str> = INSTRUCTIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(recorded, kinds(&[]).lines().collect::<Vec<_>>(), "the kinds of bench/kinds, in their order");
    let mut wrong = Vec::new();
    for ((name, recorded), found) in INSTRUCTIONS.iter().zip(of_all_kinds()) {
        say(&format!("instructions a thousand lines, {name}: {found:?}, recorded {recorded:?}"));
        if found.iter().zip(recorded).any(|(found, recorded)| found.abs_diff(*recorded) * 10 > *recorded) {
            wrong.push(format!("{name}: {found:?} in the place of {recorded:?}"));
        }
    }
    all_as_recorded("INSTRUCTIONS of tests/measured/kinds.rs", INSTRUCTIONS_LOOK, &wrong);
}

/// Counts one kind on each processor at a time: what else runs has no part in the figures.
fn of_all_kinds() -> Vec<[u64; 2]> {
    let (next, all) = (AtomicUsize::new(0), INSTRUCTIONS.len());
    let counted = thread::scope(|scope| {
        let count = || {
            let places = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|place| *place < all);
            std::iter::from_fn(places).map(|place| (place, of_kind(INSTRUCTIONS[place].0))).collect::<Vec<_>>()
        };
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(count)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it counts")).collect::<Vec<_>>()
    });
    let mut sorted = counted;
    sorted.sort_unstable();
    sorted.into_iter().map(|(_, found)| found).collect()
}

/// Returns the instructions of a thousand lines, for each share of errors.
fn of_kind(name: &str) -> [u64; 2] {
    PERCENTS.map(|percent| {
        let logs = RECORDS.map(|records| kinds(&[name, &percent.to_string(), &records.to_string(), LAST]));
        let lines = logs.each_ref().map(|log| log.lines().count() as u64);
        let binary = Path::new(env!("CARGO_BIN_EXE_sidetail"));
        let [shorter, longer] = logs.each_ref().map(|log| instructions(binary, DEFAULTS, log));
        (longer - shorter) * 1_000 / (lines[1] - lines[0])
    })
}

/// Returns what `bench/kinds` prints.
fn kinds(arguments: &[&str]) -> String {
    let mut python = Command::new("python3");
    python.args(["-B", "-m", "kinds"]).args(arguments);
    python.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/bench"));
    run(&mut python, DEADLINE).expect("the templates of bench/kinds")
}
