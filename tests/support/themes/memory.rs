//! Memory as it is promised.

use crate::support::program::Program;
use crate::support::say::say;

/// What is promised for every input, in KiB, of the release program, which is what runs in a pod.
const RESIDENT_KIB_MAX: u64 = 6 * 1024;

/// What the program's own file takes of that, at most. Of a program that is not optimised it is any number of times as much, which
/// says nothing: there the rest is held to what is left.
const CODE_KIB: u64 = 2560;

/// How much a process may grow that holds nothing more than before: what the allocator rounds up.
pub const FLAT_KIB: u64 = 256;

#[track_caller]
pub fn expect_small(program: &Program, what: &str) {
    let (peak, code) = (program.status_field("VmHWM"), program.status_field("RssFile"));
    let own = peak.saturating_sub(code);
    say(&format!("{what}: {peak} KiB resident at most, {own} of them without the program's file"));
    assert!(own <= RESIDENT_KIB_MAX - CODE_KIB, "{what}: {own} of {peak} KiB");
    assert!(cfg!(debug_assertions) || peak <= RESIDENT_KIB_MAX, "{what}: {peak} KiB");
}
