//! Archives on file systems of their own, and of files that belong to somebody else.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::files::directory;
use crate::support::mounted::Mounted;
use crate::support::namespace::alone;
use crate::support::program::Program;
use crate::support::room::{archives, holds_all, left, set_mode, size};
use crate::support::rotator::{App, streams, streams_in_all};
use crate::support::say::ignore;
use crate::support::themes::archives::{KEEP_ALL, KIB, settle};

#[test]
fn on_each_file_system_archives_and_the_live_file_hold_every_byte_once() {
    let systems = [
        Mounted::ext4(),
        Mounted::xfs(),
        Mounted::tmpfs("size=64m"),
        Mounted::overlay(Mounted::tmpfs("size=64m"), |_| {}),
    ];
    for mounted in systems {
        let mounted = match mounted {
            Ok(mounted) => mounted,
            Err(why) => return ignore(&why),
        };
        for (name, open) in [("appending", App::appending as fn(&Path) -> App), ("positional", App::positional)] {
            let dir = mounted.path().join(name);
            fs::create_dir(&dir).expect("a directory");
            let mut app = open(&dir.join("app.log"));
            let program = Program::on(&dir, &KEEP_ALL);
            for _ in 0..4 {
                app.lines(100 * KIB);
                streams(&program, app.written());
                // Not what it takes: xfs keeps blocks ready behind a file's end.
                program.expect(|| left(app.path()).len() <= 64 << 10, "the file to be small enough");
            }
            streams_in_all(program, app.written());
            holds_all(app.path(), app.written());
        }
    }
}

#[test]
fn the_live_file_becomes_short_if_its_writer_is_seen_to_append() {
    alone("archives::the_live_file_becomes_short_if_its_writer_is_seen_to_append", || {
        // Who cannot look into all processes cannot see how they write.
        if !rustix::process::geteuid().is_root() {
            return ignore("only root sees how a file is written");
        }
        for (open, is_collapsed) in [(App::appending as fn(&Path) -> App, true), (App::positional, false)] {
            let mounted = match Mounted::ext4() {
                Ok(mounted) => mounted,
                Err(why) => return ignore(&why),
            };
            let mut app = open(&mounted.path().join("app.log"));
            let program = Program::on(mounted.path(), &KEEP_ALL);
            for _ in 0..5 {
                app.lines(100 * KIB);
                streams(&program, app.written());
                settle(&program, app.path());
            }
            if is_collapsed {
                program.expect(|| size(app.path()) < 100 << 10, "the hole to be taken out");
            } else {
                assert_eq!(size(app.path()), 500 << 10);
            }
            app.lines(1);
            streams_in_all(program, app.written());
            holds_all(app.path(), app.written());
        }
    });
}

#[test]
fn an_archive_has_the_mode_and_the_owner_of_its_log() {
    if !rustix::process::geteuid().is_root() {
        return ignore("only root gives files away");
    }
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    set_mode(app.path(), 0o640);
    std::os::unix::fs::chown(app.path(), Some(1234), Some(5678)).expect("we are root");
    let program = Program::on(dir.path(), &KEEP_ALL);
    app.lines(100 * KIB);
    streams(&program, app.written());
    settle(&program, app.path());
    for archive in archives(app.path()) {
        let found = fs::metadata(&archive).expect("the archive");
        assert_eq!((found.mode() & 0o7777, found.uid(), found.gid()), (0o640, 1234, 5678), "{}", archive.display());
    }
    streams_in_all(program, app.written());
}
