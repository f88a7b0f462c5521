//! What a line costs, counted and not timed: instructions, allocations and system calls; and what an idle process holds.
//!
//! The figures in the tables are recorded, not wished for. If one of them is missed, the test says which row is to be changed
//! to what; whoever changes a row says why in the commit. What else runs on the machine has no part in them. The compiler
//! has: what another toolchain changes is recorded anew.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::counted::{Calls, allocations, calls, has, instructions};
use crate::support::files::{append, directory};
use crate::support::lines::{Kind, log};
use crate::support::mounted::ignore;
use crate::support::program::{Program, with_variables};
use crate::support::say::say;

type Variables = &'static [(&'static str, &'static str)];
type Bounds = &'static [(&'static str, u64)];

const DEFAULTS: Variables = &[];
const ONE_STREAM: Variables = &[("STDERR", "")];
/// Where more is asked for than errors, no line is passed over unread.
const WARNINGS: Variables = &[("STDERR", "level>=warn")];
const OBJECTS: Variables = &[("STDERR", ""), ("OUTPUT", "json")];

/// Instructions a thousand lines of the static binary, on a processor with AVX2: within a tenth, above and below, so that
/// what is won is recorded and cannot be lost again unseen.
const INSTRUCTIONS: &[(&str, Variables, Kind, u64)] = &[
    ("one stream, mixed", ONE_STREAM, Kind::Mixed, 20_000),
    ("defaults, mixed", DEFAULTS, Kind::Mixed, 457_000),
    ("defaults, JSON", DEFAULTS, Kind::Json, 512_000),
    ("defaults, access log", DEFAULTS, Kind::Access, 334_000),
    ("defaults, log4j", DEFAULTS, Kind::Java, 326_000),
    ("defaults, plain", DEFAULTS, Kind::Plain, 524_000),
    ("every line read, mixed", WARNINGS, Kind::Mixed, 2_200_000),
    ("one stream as JSON, mixed", OBJECTS, Kind::Mixed, 4_958_000),
];

/// Allocations a million lines, at most; a read is for some 670 lines. Objects take some seconds under valgrind, and each tick
/// in them counts as 6,500.
const ALLOCATIONS: &[(&str, Variables, u64)] = &[
    ("one stream, mixed", ONE_STREAM, 600),
    ("defaults, mixed", DEFAULTS, 1_900),
    ("one stream as JSON, mixed", OBJECTS, 25_000),
];

/// Calls a million lines, at most; those that are not named are counted together. A reader that is late makes some more
/// `writev` and `epoll_wait`, and each two seconds there is a tick with others.
const CALLS: &[(&str, Variables, Bounds)] = &[
    (
        "one stream, mixed",
        ONE_STREAM,
        &[("pread64", 1_600), ("writev", 1_900), ("pwrite64", 1_600), ("epoll_wait", 400), (OTHERS, 700)],
    ),
    (
        "defaults, mixed",
        DEFAULTS,
        &[("pread64", 1_600), ("writev", 3_600), ("pwrite64", 1_600), ("epoll_wait", 400), (OTHERS, 700)],
    ),
];
const OTHERS: &str = "others";

/// Resident KiB of an idle process by how many files it follows, at most.
const RESIDENT_KIB: &[(usize, u64)] = &[(10, 1_600), (1_000, 2_900)];

/// How many records the two logs have whose difference is measured: whole rounds through all formats. Under valgrind
/// everything is slow, and the figures are steady; of calls only one is made for some 670 lines.
const RECORDS: [usize; 2] = [2_000, 12_000];
const RECORDS_OF_CALLS: [usize; 2] = [20_000, 220_000];

#[test]
fn instructions_are_those_that_are_recorded() {
    if !has("valgrind") || !has_avx2() {
        return;
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_sidetail"));
    let mut wrong = Vec::new();
    for (name, variables, kind, recorded) in INSTRUCTIONS {
        let (counts, lines) = of_two_logs(*kind, RECORDS, |log| instructions(binary, variables, log));
        let found = (counts[1] - counts[0]) * 1_000 / lines;
        say(&format!("instructions a thousand lines, {name}: {found}, recorded {recorded}"));
        if found.abs_diff(*recorded) * 10 > *recorded {
            wrong.push(format!("{name}: {found} in the place of {recorded}"));
        }
    }
    all_as_recorded("INSTRUCTIONS", &wrong);
}

#[test]
fn allocations_are_no_more_than_recorded() {
    if !has("valgrind") {
        return;
    }
    let mut wrong = Vec::new();
    for (name, variables, most) in ALLOCATIONS {
        let binary = Path::new(env!("CARGO_BIN_EXE_sidetail"));
        let (counts, lines) = of_two_logs(Kind::Mixed, RECORDS, |log| allocations(binary, variables, log));
        let found = counts[1].saturating_sub(counts[0]) * 1_000_000 / lines;
        say(&format!("allocations a million lines, {name}: {found}, at most {most}"));
        if found > *most {
            wrong.push(format!("{name}: {found} in the place of {most}"));
        }
    }
    all_as_recorded("ALLOCATIONS", &wrong);
}

#[test]
fn calls_are_no_more_than_recorded() {
    if !has("strace") {
        return;
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_sidetail"));
    let mut wrong = Vec::new();
    for (name, variables, bounds) in CALLS {
        let (counts, lines) = of_two_logs(Kind::Mixed, RECORDS_OF_CALLS, |log| calls(binary, variables, log));
        let of = |counts: &Calls, call: &str| counts.get(call).copied().unwrap_or_default();
        assert!(
            of(&counts[1], "pwrite64") <= of(&counts[1], "pread64"),
            "{name}: the checkpoint is written more often than the file is read: {:?}",
            counts[1]
        );
        let named = |call: &str| bounds.iter().any(|(name, _)| *name == call);
        for (call, most) in *bounds {
            let of = |counts: &Calls| match *call {
                OTHERS => counts.iter().filter(|(name, _)| !named(name)).map(|(_, count)| count).sum(),
                call => of(counts, call),
            };
            let found = of(&counts[1]).saturating_sub(of(&counts[0])) * 1_000_000 / lines;
            say(&format!("calls a million lines, {name}, {call}: {found}, at most {most}"));
            if found > *most {
                wrong.push(format!("{name}, {call}: {found} in the place of {most}; all: {:?}", counts[1]));
            }
        }
    }
    all_as_recorded("CALLS", &wrong);
}

#[test]
fn an_idle_process_holds_no_more_than_recorded() {
    let binary = Path::new(env!("CARGO_BIN_EXE_sidetail"));
    let mut wrong = Vec::new();
    for (files, most) in RESIDENT_KIB {
        let [found, own] = idle_kib(binary, *files);
        say(&format!("resident when idle with {files} files: {found} KiB, {own} of them its own, at most {most}"));
        if found > *most {
            wrong.push(format!("{files} files: {found} KiB in the place of {most}"));
        }
    }
    all_as_recorded("RESIDENT_KIB", &wrong);
}

/// Counts what it takes to stream each of two logs, and returns that and how many lines more the second one has.
fn of_two_logs<T>(kind: Kind, records: [usize; 2], count: impl Fn(&str) -> T) -> ([T; 2], u64) {
    let logs = records.map(|records| log(kind, records));
    let lines = logs.each_ref().map(|log| log.lines().count() as u64);
    (logs.each_ref().map(|log| count(log)), lines[1] - lines[0])
}

/// Fails if anything is not as recorded, with what to do.
#[track_caller]
fn all_as_recorded(table: &str, wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "not as recorded; if that is meant, or better than before, record it anew in {table} of tests/sidetail/weight.rs:\n{}",
        wrong.join("\n")
    );
}

/// Says whether the processor has what the searches use if they can; without it there are other figures.
fn has_avx2() -> bool {
    let processors = fs::read_to_string("/proc/cpuinfo").expect("proc(5)");
    let has = processors.split_whitespace().any(|flag| flag == "avx2");
    if !has {
        ignore("the instructions are recorded for processors with AVX2");
    }
    has
}

/// Returns how many KiB are resident two ticks after the lines of so many files were streamed, and how many of them are
/// not pages of the binary.
fn idle_kib(binary: &Path, files: usize) -> [u64; 2] {
    let dir = directory();
    for number in 0..files {
        append(&dir.path().join(format!("{number}.log")), "a line\n".repeat(10));
    }
    let paths = format!("{}/*.log", dir.path().display());
    let mut command = with_variables(Command::new(binary), &[("PATHS", paths.as_str())]);
    let program = Program::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    program.expect(|| program.stdout_bytes() == files * 10 * "a line\n".len(), "all lines");
    let wakes = || program.status_field("voluntary_ctxt_switches");
    let idle_from = wakes() + 2;
    program.expect(|| wakes() >= idle_from && program.is_asleep(), "two ticks");
    assert_eq!(program.status_field("Threads"), 1);
    // Not `VmRSS`, which since Linux 6.2 may be wrong by 128 KiB a processor.
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", program.id())).expect("proc_pid_smaps(5)");
    ["Rss:", "Anonymous:"].map(|name| {
        let kib = rollup.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok());
        kib.expect("a number of KiB")
    })
}
