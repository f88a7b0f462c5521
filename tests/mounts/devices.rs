//! Volumes that come back under another device number, or somewhere else: after a reboot, on another node, mounted again.

use std::fs;

use crate::support::files::append;
use crate::support::mounted::Mounted;
use crate::support::program::Program;
use crate::support::rotator::{App, kill_at_rest, numbered, streams, streams_in_all};
use crate::support::say::ignore;

/// What is done to a volume while no process runs.
type Move = fn(&mut Mounted);

/// Streams three files of a volume, rotates one of them while the volume is moved, and streams the rest of all.
fn check(kind: &str, options: &[&str], variables: &[(&str, &str)], change: Move) {
    println!("{kind} {options:?} {variables:?}");
    let mut mounted = match Mounted::loop_device(kind, options) {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    let logs = || ["a", "b", "short"].map(|name| format!("{name}.log"));
    append(&mounted.path().join("short.log"), "one\n");
    append(&mounted.path().join("b.log"), numbered("b", 0..40_000));
    let mut app = App::appending(&mounted.path().join("a.log"));
    app.lines(3000);
    let streamed = app.written().len();
    let expected = streamed + numbered("b", 0..40_000).len() + "one\n".len();
    let program = Program::on(mounted.path(), variables);
    program.expect(|| program.stdout_bytes() == expected, "all files");
    kill_at_rest(program);
    app.lines(5);
    app.rotate(&mounted.path().join("a.log.1"));
    app.lines(5);
    let rest = app.written()[streamed..].to_owned();
    drop(app);
    change(&mut mounted);
    assert!(logs().iter().all(|log| mounted.path().join(log).exists()));
    let program = Program::on(mounted.path(), variables);
    streams(&program, &rest);
    append(&mounted.path().join("short.log"), "two\n");
    append(&mounted.path().join("b.log"), "more\n");
    program.expect(|| program.stdout_bytes() == rest.len() + 9, "what came later");
    let ended = program.terminate();
    assert_eq!(ended.stderr, "");
    assert!(["two\nmore\n", "more\ntwo\n"].contains(&&ended.stdout[rest.len()..]), "{}", &ended.stdout[rest.len()..]);
}

#[test]
fn a_volume_with_another_device_number_is_streamed_on_where_it_was() {
    check("ext4", &["-q", "-F"], &[], Mounted::mount_as_another_device);
    check("ext4", &["-q", "-F"], &[("ROTATE_SIZE", "1Mi")], Mounted::mount_as_another_device);
    check("xfs", &["-q"], &[], Mounted::mount_as_another_device);
}

#[test]
fn so_is_one_that_keeps_no_birth_times() {
    check("ext4", &["-q", "-F", "-I", "128"], &[], Mounted::mount_as_another_device);
}

#[test]
fn so_is_one_that_is_mounted_somewhere_else_too() {
    check("ext4", &["-q", "-F"], &[], Mounted::move_elsewhere);
    let another_device = |mounted: &mut Mounted| {
        mounted.mount_as_another_device();
        mounted.move_elsewhere();
    };
    check("ext4", &["-q", "-F"], &[], another_device);
}

/// A file with the same inode on another device is another file, though it is called the same.
#[test]
fn another_volume_with_files_of_the_same_names_is_streamed_whole() {
    let [first, second] = [(); 2].map(|()| Mounted::ext4());
    let (first, second) = match (first, second) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(why), _) | (_, Err(why)) => return ignore(&why),
    };
    append(&first.path().join("app.log"), numbered("a", 0..100));
    let program = Program::on(first.path(), &[]);
    streams(&program, &numbered("a", 0..100));
    kill_at_rest(program);
    append(&second.path().join("app.log"), numbered("b", 0..200));
    let state = first.path().join(".sidetail");
    fs::create_dir(second.path().join(".sidetail")).expect("a directory");
    for entry in fs::read_dir(state).expect("there").flatten() {
        fs::copy(entry.path(), second.path().join(".sidetail").join(entry.file_name())).expect("copied");
    }
    streams_in_all(Program::on(second.path(), &[]), &numbered("b", 0..200));
}
