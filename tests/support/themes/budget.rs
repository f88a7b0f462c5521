//! What the tests of budgets share: those that anyone can run, and those that need root.

use std::path::Path;

use crate::support::program::Program;
use crate::support::room::allocated_beneath;
use crate::support::rotator::App;

/// Lines, 32 KiB of them.
pub const PORTION_LINES: usize = 512;

/// Writes to all of them in turn, and waits each time until the directory is within its budget again.
#[track_caller]
pub fn write_in_turn(apps: &mut [App], program: &Program, portions: usize, dir: &Path, budget: u64) {
    for _ in 0..portions {
        for app in apps.iter_mut() {
            app.lines(PORTION_LINES);
        }
        let whole: usize = apps.iter().map(|app| app.written().len()).sum();
        program.expect(|| program.stdout_bytes() >= whole, "everything to be streamed");
        program.expect(|| allocated_beneath(dir) <= budget, "the directory to be within its budget");
    }
}

/// Every line of every file is streamed once, and what is on the disk of each is its end.
#[track_caller]
pub fn is_exact(apps: &[App], program: Program) {
    let ended = program.terminate();
    assert!(ended.status.success());
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let written: String = apps.iter().map(App::written).collect();
    assert!(sorted(&ended.stdout) == sorted(&written), "{} bytes of {}", ended.stdout.len(), written.len());
    assert_eq!(ended.stderr, "");
}
