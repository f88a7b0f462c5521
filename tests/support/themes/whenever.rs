//! What somebody does to logs while the program runs, between two of its looks, or while it is down.

use crate::support::program::Program;
use crate::support::rotator::{App, freeze, kill_at_rest, thaw};

/// When it is done.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// Before the program's eyes.
    Running,
    /// Between two of its looks.
    Frozen,
    /// While it is down; the next process goes on.
    Down,
}

pub const WHENEVER: [When; 3] = [When::Running, When::Frozen, When::Down];

/// Has it done to a log of which everything is streamed, when the program cannot see it behind some lines more. Returns the program
/// that runs then, and how much of what was written it need not stream any more.
pub fn rotated_while(
    when: When,
    program: Program,
    app: &mut App,
    start: impl Fn() -> Program,
    rotations: impl FnOnce(&mut App),
) -> (Program, usize) {
    match when {
        When::Running => {
            rotations(app);
            (program, 0)
        }
        When::Frozen => {
            freeze(&program);
            app.lines(5);
            rotations(app);
            thaw(&program);
            (program, 0)
        }
        When::Down => {
            let skipped = app.written().len();
            kill_at_rest(program);
            app.lines(5);
            rotations(app);
            (start(), skipped)
        }
    }
}
