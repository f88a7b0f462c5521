//! Disk reclaimed in awkward cases that need no file system of their own.

use std::fs;

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::room::{LITTLE, allocated, archives};
use crate::support::rotator::{App, LINE_BYTES, numbered, streams, streams_in_all};

#[test]
fn of_500_files_each_is_reclaimed() {
    let dir = directory();
    let paths: Vec<_> = (0..500).map(|number| dir.path().join(format!("{number}.log"))).collect();
    let text = numbered("line", 0..150);
    paths.iter().for_each(|path| append(path, &text));
    let program = Program::on(dir.path(), &[("ROTATE_SIZE", "64Ki")]);
    program.expect(|| program.stdout_bytes() == 500 * text.len(), "all to be streamed");
    program.signal(Signal::HUP);
    for path in &paths {
        program.expect(|| allocated(path) <= LITTLE / 2, "each to be reclaimed");
    }
    append(&paths[250], "one more\n");
    program.expect(|| program.stdout().ends_with("one more\n"), "what is new");
    let ended = program.terminate();
    assert_eq!(ended.stdout.len(), 500 * text.len() + 9);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_sparse_file_of_20_gib_is_reclaimed() {
    for keep in ["0", "3"] {
        let dir = directory();
        let mut app = App::positional(&dir.path().join("app.log"));
        app.seek(20 << 30);
        app.lines(2000);
        let program = Program::on(dir.path(), &[("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", keep)]);
        program.expect(|| program.stdout_bytes() >= app.written().len(), "everything to be streamed");
        program.signal(Signal::HUP);
        program.expect(|| allocated(app.path()) <= LITTLE, "everything to be reclaimed");
        app.lines(1000);
        streams_in_all(program, app.written());
        // The log itself is too long to be read here.
        let archived: String = archives(app.path()).iter().map(|path| crate::support::room::unpacked(path)).collect();
        assert!(app.written().starts_with(&archived));
        assert!(keep == "0" || archived.len() > 1000 * LINE_BYTES, "{} bytes are archived", archived.len());
    }
}

#[test]
fn a_hole_of_64_gib_between_two_lines_is_passed_over() {
    for keep in ["0", "100"] {
        let dir = directory();
        let mut app = App::positional(&dir.path().join("app.log"));
        app.lines(4096 / LINE_BYTES);
        app.seek(64 << 30);
        app.lines((300 << 10) / LINE_BYTES);
        let program = Program::on(dir.path(), &[("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", keep)]);
        program.expect(|| program.stdout_bytes() >= app.written().len(), "everything to be streamed");
        program.expect(|| allocated(app.path()) <= 64 << 10, "what is too much to be reclaimed");
        app.lines(1000);
        streams_in_all(program, app.written());
        let archived: String = archives(app.path()).iter().map(|path| crate::support::room::unpacked(path)).collect();
        assert!(app.written().starts_with(&archived));
        assert!(keep == "0" || archived.len() > 200 << 10, "{} bytes are archived", archived.len());
    }
}

#[test]
fn a_directory_by_two_names_is_ours_once() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1000);
    let elsewhere = directory();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(dir.path(), &link).expect("linked");
    let paths = format!("{}/*.log,{}/*.txt", dir.path().display(), link.display());
    let program = Program::start(&[("PATHS", &paths), ("ROTATE_SIZE", "1Gi")]);
    streams(&program, app.written());
    program.signal(Signal::HUP);
    program.expect(|| allocated(app.path()) <= LITTLE, "everything to be reclaimed");
    streams_in_all(program, app.written());
}

#[test]
fn a_directory_beneath_anothers_is_rotated_by_one_sidetail_too() {
    let dir = directory();
    fs::create_dir(dir.path().join("a")).expect("a directory");
    let mut app = App::appending(&dir.path().join("a/app.log"));
    app.lines(1000);
    let above = format!("{}/**/*.log", dir.path().display());
    let first = Program::start(&[("PATHS", &above), ("ROTATE_SIZE", "1Gi")]);
    streams(&first, app.written());
    first.signal(Signal::HUP);
    first.expect(|| allocated(app.path()) <= LITTLE, "everything to be reclaimed");
    app.lines(1000);
    let beneath = format!("{}/a/*.log", dir.path().display());
    let second = Program::start(&[("PATHS", &beneath), ("ROTATE_SIZE", "1Gi")]);
    second.expect(|| second.stdout().len() > 1000 * LINE_BYTES, "the rest to be streamed");
    second.signal(Signal::HUP);
    second.expect(|| second.stderr().contains("another sidetail rotates"), "a warning");
    streams_in_all(first, app.written());
}
