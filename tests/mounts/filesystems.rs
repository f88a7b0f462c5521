//! The file systems that an `emptyDir` is on: ext4 and xfs on loop devices, tmpfs (`medium: Memory`), and overlay (the
//! container's own layer). They differ in inode numbers, birth times, holes, and in what they can reclaim.
//!
//! A machine that cannot mount (no root, no mkfs) says so in one line and passes; in CI (`CI=true`) it fails instead.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::mounted::Mounted;
use crate::support::program::Program;
use crate::support::rotator::{
    App, LINE_BYTES, freeze, kill_at_rest, numbered, streams, streams_and_says, streams_in_all, thaw,
};
use crate::support::say::{ignore, say};

#[test]
fn on_ext4_nothing_is_lost_or_repeated() {
    on_each_case(Mounted::ext4(), true);
}

#[test]
fn on_xfs_nothing_is_lost_or_repeated() {
    on_each_case(Mounted::xfs(), true);
}

#[test]
fn on_tmpfs_nothing_is_lost_or_repeated() {
    on_each_case(Mounted::tmpfs("size=64m"), false);
}

#[test]
fn on_an_overlay_nothing_is_lost_or_repeated() {
    on_each_case(Mounted::overlay(Mounted::tmpfs("size=64m"), |_| {}), false);
}

#[test]
fn on_an_overlay_above_ext4_nothing_is_lost_or_repeated() {
    on_each_case(Mounted::overlay(Mounted::ext4(), |_| {}), true);
}

#[test]
fn a_file_of_the_lower_layer_that_is_written_to_is_still_the_same_file() {
    // A log that came with the image; the first write copies it up, and it is another inode from then on.
    let text = numbered("line", 0..100);
    let mounted = Mounted::overlay(Mounted::tmpfs("size=64m"), |lower| append(&lower.join("app.log"), &text));
    let mounted = match mounted {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let program = Program::on(mounted.path(), &[]);
    streams(&program, &text);
    let more = text + &numbered("line", 100..105);
    append(&mounted.path().join("app.log"), &more[100 * LINE_BYTES..]);
    streams_in_all(program, &more);
}

#[test]
fn a_prefix_collapsed_where_the_temporary_directory_is_repeats_nothing() {
    let dir = directory();
    if let Err(why) = probe_collapse(dir.path()) {
        return say(&format!("not tried: the temporary directory's file system cannot collapse: {why}"));
    }
    collapsed_running(dir.path());
    collapsed_frozen(dir.path());
    collapsed_down(dir.path());
}

/// Every case in a directory of its own, on one file system.
fn on_each_case(mounted: Result<Mounted, String>, collapses: bool) {
    let mounted = match mounted {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    assert_eq!(probe_collapse(mounted.path()).is_ok(), collapses);
    let mut cases = vec![
        ("streamed", streamed as fn(&Path)),
        ("restarted", restarted),
        ("renamed", renamed),
        ("rotated between two looks", rotated_frozen),
        ("rotated while down", rotated_down),
        ("copied and truncated", copytruncated),
        ("copied and truncated with a hole", copytruncated_with_hole),
        ("punched", punched),
        ("punched while down", punched_down),
        ("deleted and created again", deleted),
    ];
    if collapses {
        cases.extend([
            ("collapsed", collapsed_running as fn(&Path)),
            ("collapsed between two looks", collapsed_frozen),
            ("collapsed while down", collapsed_down),
        ]);
    }
    for (name, case) in cases {
        println!("{name}");
        let dir = mounted.path().join(name.replace(' ', "-"));
        fs::create_dir(&dir).expect("a directory on the file system");
        case(&dir);
    }
}

/// 100 lines, streamed, of a writer that appends.
fn begun(dir: &Path) -> (App, Program) {
    let mut app = App::appending(&dir.join("app.log"));
    app.lines(100);
    let program = Program::on(dir, &[]);
    streams(&program, app.written());
    (app, program)
}

/// What happens while the program is down; the next one streams what is new.
fn while_down(dir: &Path, app: &mut App, program: Program, change: impl FnOnce(&mut App)) {
    let before = app.written().len();
    kill_at_rest(program);
    change(app);
    streams_in_all(Program::on(dir, &[]), &app.written()[before..]);
}

fn streamed(dir: &Path) {
    let (mut app, program) = begun(dir);
    for _ in 0..3 {
        app.lines(3);
        streams(&program, app.written());
    }
    streams_in_all(program, app.written());
}

fn restarted(dir: &Path) {
    let (mut app, program) = begun(dir);
    while_down(dir, &mut app, program, |app| app.lines(5));
}

fn renamed(dir: &Path) {
    let (mut app, program) = begun(dir);
    for _ in 0..4 {
        app.rotate_chain(3);
        app.lines(5);
        streams(&program, app.written());
    }
    streams_in_all(program, app.written());
}

fn rotate_thrice(app: &mut App) {
    for _ in 0..3 {
        app.lines(5);
        app.rotate_chain(4);
    }
    app.lines(5);
}

fn rotated_frozen(dir: &Path) {
    let (mut app, program) = begun(dir);
    freeze(&program);
    rotate_thrice(&mut app);
    thaw(&program);
    streams_in_all(program, app.written());
}

fn rotated_down(dir: &Path) {
    let (mut app, program) = begun(dir);
    while_down(dir, &mut app, program, rotate_thrice);
}

fn copytruncated(dir: &Path) {
    let (mut app, program) = begun(dir);
    freeze(&program);
    app.lines(5);
    app.copytruncate(&app.beside(".1"));
    app.lines(5);
    thaw(&program);
    streams_in_all(program, app.written());
}

fn copytruncated_with_hole(dir: &Path) {
    let mut app = App::positional(&dir.join("app.log"));
    app.lines(300);
    app.write("a line of another length\n");
    let program = Program::on(dir, &[("LOG", "info")]);
    streams(&program, app.written());
    let seen = || program.stderr().matches("/app.log: 0 bytes streamed, 0 unread").count();
    for is_seen_empty in [true, false, true] {
        let before = seen();
        app.shift_chain(3);
        app.copytruncate(&app.beside(".1"));
        if is_seen_empty {
            // It is read from its beginning then, which is a hole after the next line.
            let is_seen = || {
                program.signal(Signal::USR1);
                seen() > before
            };
            program.expect(is_seen, "the truncation to be seen");
        }
        app.lines(5);
        streams(&program, app.written());
    }
    streams_and_says(program, app.written());
}

fn punch(app: &mut App) {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    fallocate(writable(app.path()), flags, 0, 4096).expect("the file system can punch holes");
    app.lines(5);
}

fn punched(dir: &Path) {
    let (mut app, program) = begun(dir);
    punch(&mut app);
    streams_in_all(program, app.written());
}

fn punched_down(dir: &Path) {
    let (mut app, program) = begun(dir);
    while_down(dir, &mut app, program, punch);
}

fn deleted(dir: &Path) {
    let (mut app, program) = begun(dir);
    fs::remove_file(app.path()).expect("deleted");
    app.lines(5);
    streams(&program, app.written());
    app.reopen();
    app.lines(5);
    streams_in_all(program, app.written());
}

/// Takes the first block away, as somebody else who reclaims disk.
fn collapse(app: &mut App) {
    fallocate(writable(app.path()), FallocateFlags::COLLAPSE_RANGE, 0, 4096).expect("the file system can collapse");
}

fn collapsed_running(dir: &Path) {
    let mut app = App::appending(&dir.join("running.log"));
    app.lines(200);
    let program = Program::start(&[("PATHS", &app.path().display().to_string())]);
    for _ in 0..3 {
        streams(&program, app.written());
        collapse(&mut app);
        app.lines(1);
    }
    streams_in_all(program, app.written());
}

fn collapsed_frozen(dir: &Path) {
    // So few lines more that the file is shorter than the offset, and so many that it is longer.
    for lines in [1, 500] {
        let mut app = App::appending(&dir.join(format!("frozen-{lines}.log")));
        app.lines(200);
        let program = Program::start(&[("PATHS", &app.path().display().to_string())]);
        streams(&program, app.written());
        freeze(&program);
        collapse(&mut app);
        app.lines(lines);
        thaw(&program);
        streams_in_all(program, app.written());
    }
}

fn collapsed_down(dir: &Path) {
    for lines in [1, 500] {
        let mut app = App::appending(&dir.join(format!("down-{lines}.log")));
        app.lines(200);
        let paths = app.path().display().to_string();
        let program = Program::start(&[("PATHS", &paths)]);
        streams(&program, app.written());
        kill_at_rest(program);
        let before = app.written().len();
        collapse(&mut app);
        app.lines(lines);
        streams_in_all(Program::start(&[("PATHS", &paths)]), &app.written()[before..]);
    }
}

/// Says whether the file system there can collapse, or why not.
fn probe_collapse(dir: &Path) -> Result<(), Errno> {
    let path = dir.join("probe");
    append(&path, [1; 8192]);
    let probed = fallocate(writable(&path), FallocateFlags::COLLAPSE_RANGE, 0, 4096);
    fs::remove_file(&path).expect("removed");
    probed
}

fn writable(path: &Path) -> File {
    OpenOptions::new().write(true).open(path).expect("a writable file")
}
