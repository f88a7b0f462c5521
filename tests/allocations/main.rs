//! How often the program allocates, counted by valgrind, which knows its allocator by name: so it is the program as it is built
//! for tests, with its symbols. That takes a minute.
//!
//! ```sh
//! cargo test --test allocations
//! ```

// What the other test programs need of it, this one may not.
#[allow(dead_code)]
#[path = "../support"]
mod support {
    pub mod bounded;
    pub mod counted;
    pub mod files;
    pub mod lines;
    pub mod program;
    pub mod say;
    pub mod themes {
        pub mod recorded;
    }
}

use std::path::Path;

use crate::support::counted::{allocations, has};
use crate::support::lines::Kind;
use crate::support::say::say;
use crate::support::themes::recorded::{
    DEFAULTS, OBJECTS, ONE_STREAM, RECORDS, Variables, all_as_recorded, of_two_logs,
};

/// Allocations per million lines, at most, without those of ticks; a read is for some 670 lines.
const ALLOCATIONS: &[(&str, Variables, u64)] = &[
    ("one stream, mixed", ONE_STREAM, 300),
    ("defaults, mixed", DEFAULTS, 500),
    ("one stream as JSON, mixed", OBJECTS, 4_000),
];

/// Above `malloc` stand its callers.
const LOOK: &str =
    "valgrind --tool=callgrind PROGRAM FILES > /dev/null, ended with Ctrl-C, and callgrind_annotate --tree=caller";

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
    all_as_recorded("ALLOCATIONS of tests/allocations/main.rs", LOOK, &wrong);
}
