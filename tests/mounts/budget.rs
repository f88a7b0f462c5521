//! A budget by the size of a volume.

use crate::support::mounted::Mounted;
use crate::support::program::Program;
use crate::support::room::allocated_beneath;
use crate::support::rotator::App;
use crate::support::say::ignore;
use crate::support::themes::budget::{is_exact, write_in_turn};

#[test]
fn auto_is_four_fifths_of_a_volume_of_its_own() {
    let mounted = match Mounted::tmpfs("size=4m") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let mut apps: Vec<_> =
        ["a", "b"].iter().map(|name| App::appending(&mounted.path().join(format!("{name}.log")))).collect();
    let program = Program::on(mounted.path(), &[("DIR_BUDGET", "auto")]);
    write_in_turn(&mut apps, &program, 80, mounted.path(), (4 << 20) / 5 * 4);
    let left = allocated_beneath(mounted.path());
    assert!(left > 1 << 20, "no more goes than has to: {left} bytes are left");
    is_exact(&apps, program);
}
