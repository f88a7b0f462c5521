//! A budget by the size of a volume.

use std::fs;
use std::process::Stdio;

use crate::support::files::append;
use crate::support::mounted::Mounted;
use crate::support::program::{Program, command, pipe, stalled};
use crate::support::room::allocated_beneath;
use crate::support::rotator::{App, numbered};
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

#[test]
fn deleted_files_that_nobody_reads_are_counted_and_the_oldest_go_last_of_all() {
    let mounted = match Mounted::tmpfs("size=64m,mode=0777") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&format!("deleted_files_that_nobody_reads: {why}")),
    };
    for (budget, is_let_go) in [("8Mi", true), ("off", false)] {
        let (reader, writer) = pipe();
        let variables = [
            ("PATHS", &*format!("{}/app*.log", mounted.path().display())),
            ("ROTATE_SIZE", "64Mi"),
            ("DIR_BUDGET", budget),
        ];
        let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
        let log = mounted.path().join("app.log");
        append(&log, numbered("first", 0..10));
        // Nobody reads it: the pipe is full, and everything that is deleted from here on is unread.
        append(&log, numbered("stalled", 0..20_000));
        stalled(&reader);
        for round in 0..6 {
            let rotated = mounted.path().join(format!("app-{round}.log"));
            fs::rename(&log, &rotated).expect("renamed");
            append(&log, numbered("next", 0..30_000));
            let is_held = || program.open_files().iter().any(|path| path == &log);
            program.expect(is_held, "the new file to be followed");
            fs::remove_file(&rotated).expect("deleted");
        }
        let words =
            if is_let_go { "SIDETAIL_DIR_BUDGET is used up" } else { "of what was written there are not streamed yet" };
        program.expect(|| program.stderr().contains(words), words);
        drop(reader);
        let said = program.wait().stderr;
        assert_eq!(said.contains("SIDETAIL_DIR_BUDGET is used up"), is_let_go, "{said}");
        fs::remove_file(&log).expect("there");
        let _ = fs::remove_dir_all(mounted.path().join(".sidetail"));
    }
}
