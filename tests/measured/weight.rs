//! What a line costs, counted and not timed: instructions and system calls; and what an idle process holds.
//!
//! The figures in the tables are recorded, not wished for. If one of them is missed, the test says which row is to be changed
//! to what; whoever changes a row says why in the commit. What else runs on the machine has no part in them. The compiler
//! has: what another toolchain changes is recorded anew.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::counted::{Calls, calls, has, instructions};
use crate::support::files::{append, directory};
use crate::support::lines::Kind;
use crate::support::program::{Program, with_variables};
use crate::support::say::{ignore, say};
use crate::support::themes::recorded::{
    DEFAULTS, OBJECTS, ONE_STREAM, RECORDS, Variables, all_as_recorded, of_two_logs,
};

type Bounds = &'static [(&'static str, u64)];

/// Where more is asked for than errors, no line is passed over unread.
const WARNINGS: Variables = &[("STDERR", "level>=warn")];

/// Instructions a thousand lines of the static binary, on a processor with AVX2: within a tenth, above and below, so that
/// what is won is recorded and cannot be lost again unseen.
const INSTRUCTIONS: &[(&str, Variables, Kind, u64)] = &[
    ("one stream, mixed", ONE_STREAM, Kind::Mixed, 15_100),
    ("defaults, mixed", DEFAULTS, Kind::Mixed, 384_000),
    ("defaults, JSON", DEFAULTS, Kind::Json, 427_000),
    ("defaults, access log", DEFAULTS, Kind::Access, 276_000),
    ("defaults, log4j", DEFAULTS, Kind::Java, 337_000),
    ("defaults, plain", DEFAULTS, Kind::Plain, 429_000),
    ("every line read, mixed", WARNINGS, Kind::Mixed, 2_257_000),
    ("one stream as JSON, mixed", OBJECTS, Kind::Mixed, 8_104_000),
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

/// Resident KiB of an idle process by how many files it follows, and how many of them are not pages of the binary; at most a
/// tenth more: how many pages of the binary are mapped depends on the kernel, and on how they came into its cache.
const RESIDENT_KIB: &[(usize, [u64; 2])] = &[(10, [3_400, 400]), (1_000, [4_520, 1_460])];

/// A release program keeps no names of its functions, but may be built with them.
pub const INSTRUCTIONS_LOOK: &str = "CARGO_PROFILE_RELEASE_STRIP=false CARGO_PROFILE_RELEASE_DEBUG=1 cargo build --release, then \
    SIDETAIL_STATE=off valgrind --tool=callgrind PROGRAM FILES > /dev/null, ended with Ctrl-C, and callgrind_annotate";
const CALLS_LOOK: &str = "strace -f -o calls PROGRAM FILES";
const RESIDENT_LOOK: &str = "cat /proc/PID/smaps of an idle process, before and after";

/// Of calls only one is made for some 670 lines.
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
    all_as_recorded("INSTRUCTIONS of tests/measured/weight.rs", INSTRUCTIONS_LOOK, &wrong);
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
    all_as_recorded("CALLS of tests/measured/weight.rs", CALLS_LOOK, &wrong);
}

#[test]
fn an_idle_process_holds_no_more_than_recorded() {
    let binary = Path::new(env!("CARGO_BIN_EXE_sidetail"));
    let mut wrong = Vec::new();
    for (files, most) in RESIDENT_KIB {
        let found = idle_kib(binary, *files);
        say(&format!("resident KiB when idle with {files} files, and its own: {found:?}, recorded {most:?}"));
        if found.iter().zip(most).any(|(found, most)| found * 10 > most * 11) {
            wrong.push(format!("{files} files: {found:?} KiB in the place of {most:?}"));
        }
    }
    all_as_recorded("RESIDENT_KIB of tests/measured/weight.rs", RESIDENT_LOOK, &wrong);
}

/// Says whether the processor has what the searches use if they can; without it there are other figures.
pub fn has_avx2() -> bool {
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
