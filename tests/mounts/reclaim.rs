//! Disk reclaimed where every process is seen.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::support::mounted::Mounted;
use crate::support::namespace::alone;
use crate::support::program::Program;
use crate::support::room::{held, left, size};
use crate::support::rotator::{App, kill_at_rest, same, streams, streams_in_all};
use crate::support::say::ignore;

/// Archives end at a line's end, and so within a block: the rest of it is NULs and no hole.
#[test]
fn without_its_checkpoint_a_log_begins_with_what_is_in_no_archive() {
    alone("reclaim::without_its_checkpoint_a_log_begins_with_what_is_in_no_archive", || {
        for (name, open, is_collapsed) in
            [("appending", App::appending as fn(&Path) -> App, true), ("positional", App::positional, false)]
        {
            let mounted = match Mounted::ext4() {
                Ok(mounted) => mounted,
                Err(why) => return ignore(&why),
            };
            let mut app = open(&mounted.path().join("app.log"));
            app.lines(1001);
            let variables = [("ROTATE_SIZE", "1Gi"), ("ROTATE_KEEP", "9")];
            let program = Program::on(mounted.path(), &variables);
            streams(&program, app.written());
            program.signal(Signal::HUP);
            program.expect(|| left(app.path()).len() <= 128, "the file to be reclaimed");
            program.expect(|| !is_collapsed || size(app.path()) < 16384, "the hole to be taken out");
            kill_at_rest(program);
            fs::remove_dir_all(mounted.path().join(".sidetail")).expect("the checkpoint is there");
            let rest = left(app.path());
            assert!(!rest.is_empty() && app.written().ends_with(&rest), "{name}");
            let before = app.written().len();
            app.lines(10);
            streams_in_all(Program::on(mounted.path(), &variables), &(rest + &app.written()[before..]));
            same(&held(app.path()), app.written());
        }
    });
}
