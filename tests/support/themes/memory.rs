//! Memory as it is promised.

use crate::support::program::Program;
use crate::support::say::say;

/// What is promised for every input, in KiB, of the release program, which is what runs in a pod. Of one that is not optimised
/// there is more code in memory.
pub const RESIDENT_KIB_MAX: u64 = if cfg!(debug_assertions) { 8 } else { 6 } * 1024;

/// How much a process may grow that holds nothing more than before: what the allocator rounds up.
pub const FLAT_KIB: u64 = 256;

#[track_caller]
pub fn expect_small(program: &Program, what: &str) {
    let peak = program.status_field("VmHWM");
    say(&format!("{what}: {peak} KiB resident at most"));
    assert!(peak <= RESIDENT_KIB_MAX, "{what}: {peak} KiB");
}
