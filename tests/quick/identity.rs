//! Which bytes are new? Files are truncated, rewritten in place, deleted and created again, before the reader's eyes,
//! between two of its looks, and while it is down.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::files::{Directory, append, directory};
use crate::support::program::{Program, command};
use crate::support::rotator::{
    App, LINE_BYTES, after_looks, freeze, kill_at_rest, numbered, streams, streams_and_says, streams_in_all, thaw,
};
use crate::support::say::say;

/// How often a file is created again until its inode number is the old one: other tests take numbers too.
const RECREATIONS_MAX: usize = 2000;

/// An application that has written so many lines, all of them streamed.
fn streamed(lines: usize) -> (Directory, App, Program) {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(lines);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    (dir, app, program)
}

/// What is done to the file between two looks makes the program stream exactly `again` after what it had streamed before.
#[track_caller]
fn check_between_two_looks(lines: usize, change: impl FnOnce(&mut App), again: &str) {
    let (_dir, mut app, program) = streamed(lines);
    let before = app.written().to_owned();
    freeze(&program);
    change(&mut app);
    thaw(&program);
    streams_in_all(program, &(before + again));
}

/// What is done to the file while no program runs makes the next one stream exactly `again`.
#[track_caller]
fn check_while_down(lines: usize, change: impl FnOnce(&mut App), again: &str) {
    let (dir, mut app, program) = streamed(lines);
    kill_at_rest(program);
    change(&mut app);
    streams_in_all(Program::on(dir.path(), &[]), again);
}

fn old(count: usize) -> String {
    numbered("line", 0..count)
}

fn new(count: usize) -> String {
    numbered("new!", 0..count)
}

#[test]
fn a_file_truncated_to_nothing_is_read_from_its_beginning() {
    let (_dir, mut app, program) = streamed(20);
    for _ in 0..3 {
        app.truncate(0);
        // The truncation is an event of its own: it is looked at while the file is empty.
        after_looks(&program, 1);
        app.lines(3);
        streams(&program, app.written());
    }
    streams_in_all(program, app.written());
}

#[test]
fn a_file_truncated_to_nothing_between_two_looks_is_read_from_its_beginning() {
    let change = |app: &mut App| {
        app.truncate(0);
        app.write(&new(3));
    };
    check_between_two_looks(20, change, &new(3));
}

#[test]
fn a_file_truncated_to_nothing_while_down_is_read_from_its_beginning() {
    let change = |app: &mut App| {
        app.truncate(0);
        app.write(&new(3));
    };
    check_while_down(20, change, &new(3));
}

#[test]
fn a_file_truncated_to_the_middle_is_read_from_its_beginning_again() {
    let (_dir, mut app, program) = streamed(20);
    let middle = old(8);
    app.truncate(middle.len() as u64);
    let expected = format!("{}{middle}", old(20));
    streams(&program, &expected);
    app.write(&new(2));
    streams_in_all(program, &(expected + &new(2)));
}

#[test]
fn a_file_truncated_within_a_line_is_read_from_its_beginning_again() {
    let change = |app: &mut App| {
        app.truncate(old(8).len() as u64 + 10);
        app.write("of another line\n");
    };
    let torn_by_them = format!("{}of another line\n", &old(9)[..old(8).len() + 10]);
    check_between_two_looks(20, change, &torn_by_them);
    check_while_down(20, change, &torn_by_them);
}

#[test]
fn a_file_truncated_to_the_middle_while_down_is_read_from_its_beginning_again() {
    let change = |app: &mut App| {
        app.truncate(old(8).len() as u64);
        app.write(&new(2));
    };
    check_while_down(20, change, &(old(8) + &new(2)));
}

#[test]
fn a_file_truncated_to_the_middle_and_grown_past_the_offset_is_read_from_its_beginning_again() {
    let change = |app: &mut App| {
        app.truncate(old(8).len() as u64);
        app.write(&new(40));
    };
    check_between_two_looks(20, change, &(old(8) + &new(40)));
    check_while_down(20, change, &(old(8) + &new(40)));
}

#[test]
fn a_file_truncated_and_grown_past_the_offset_between_two_looks_is_read_whole() {
    let change = |app: &mut App| {
        app.truncate(0);
        app.write(&new(50));
    };
    check_between_two_looks(20, change, &new(50));
}

#[test]
fn a_file_truncated_and_grown_past_the_offset_while_down_is_read_whole() {
    let change = |app: &mut App| {
        app.truncate(0);
        app.write(&new(50));
    };
    check_while_down(20, change, &new(50));
}

#[test]
fn a_file_rewritten_with_the_same_size_is_read_whole() {
    check_between_two_looks(20, |app| app.overwrite(&new(20)), &new(20));
    check_while_down(20, |app| app.overwrite(&new(20)), &new(20));
}

#[test]
fn a_file_truncated_and_grown_to_the_same_size_is_read_whole() {
    let change = |app: &mut App| {
        app.truncate(0);
        app.write(&new(20));
    };
    check_between_two_looks(20, change, &new(20));
    check_while_down(20, change, &new(20));
}

#[test]
fn a_file_rewritten_with_the_same_beginning_is_read_whole() {
    // 10 lines are more than what is kept of a file's head; the file becomes shorter, as long, and longer.
    for lines in [5, 10, 40] {
        let text = old(10) + &new(lines);
        let change = |app: &mut App| {
            app.truncate(0);
            app.write(&text);
        };
        check_between_two_looks(20, change, &text);
        check_while_down(20, change, &text);
    }
}

#[test]
fn a_file_of_lines_that_repeat_themselves_truncated_and_filled_again_is_read_whole() {
    // Where the last bytes are found again tells nothing: it was not collapsed by a block.
    let line = "the same line, 64 bytes of it, again and again: nothing differs\n";
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.write(&line.repeat(192));
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    freeze(&program);
    app.truncate(0);
    app.write(&line.repeat(128));
    thaw(&program);
    streams(&program, app.written());
    let before = app.written().len();
    kill_at_rest(program);
    app.truncate(0);
    app.write(&line.repeat(64));
    streams_in_all(Program::on(dir.path(), &[]), &app.written()[before..]);
}

#[test]
fn a_file_trimmed_in_place_by_some_lines_is_read_whole() {
    // Collapsed are whole blocks; this was somebody who wrote the file anew.
    let text = numbered("line", 10..20);
    let change = |app: &mut App| {
        app.truncate(0);
        app.write(&text);
    };
    check_between_two_looks(20, change, &text);
    check_while_down(20, change, &text);
}

#[test]
fn a_file_rewritten_with_nuls_where_it_ended_is_read_whole() {
    // They were written: nobody punched a hole.
    let text = format!("{}{}\n", new(10), "\0".repeat(10 * LINE_BYTES - 1));
    check_between_two_looks(20, |app| app.overwrite(&text), &text);
    check_while_down(20, |app| app.overwrite(&text), &text);
}

#[test]
fn a_short_file_rewritten_with_the_same_beginning_is_read_whole() {
    // Less than a marker, less than a head.
    for lines in [0, 1, 5] {
        let text = old(1) + &new(lines);
        let change = |app: &mut App| {
            app.truncate(0);
            app.write(&text);
        };
        check_between_two_looks(2, change, &text);
        check_while_down(2, change, &text);
    }
}

#[test]
fn a_file_rewritten_with_the_same_end_while_down_is_read_whole() {
    // The bytes before the offset are the same, those at the beginning are not.
    let text = new(10) + &numbered("line", 10..20);
    check_while_down(20, |app| app.overwrite(&text), &text);
}

#[test]
fn a_file_deleted_and_created_again_between_two_looks_is_read_whole() {
    let (_dir, mut app, program) = streamed(20);
    freeze(&program);
    // What the deleted one got last is read too, before the new one.
    app.lines(3);
    fs::remove_file(app.path()).expect("deleted");
    app.lines(2);
    app.reopen();
    app.lines(30);
    thaw(&program);
    streams_in_all(program, app.written());
}

#[test]
fn a_file_deleted_and_created_again_with_the_same_lines_is_read_whole() {
    let (_dir, mut app, program) = streamed(20);
    let (again, before) = (old(20) + &new(1), app.written().to_owned());
    freeze(&program);
    fs::remove_file(app.path()).expect("deleted");
    app.reopen();
    app.write(&again);
    thaw(&program);
    streams_in_all(program, &(before + &again));
}

#[test]
fn a_file_replaced_by_a_rename_over_it_is_read_whole() {
    let (dir, mut app, program) = streamed(20);
    let next = dir.path().join("next.tmp");
    freeze(&program);
    app.lines(3);
    append(&next, new(20));
    fs::rename(&next, app.path()).expect("replaced");
    thaw(&program);
    streams_in_all(program, &(app.written().to_owned() + &new(20)));
}

#[test]
fn a_file_created_again_with_the_same_inode_number_while_down_is_read_whole() {
    let (dir, app, program) = streamed(20);
    kill_at_rest(program);
    let path = app.path().to_owned();
    drop(app);
    if !recreate_with_same_inode(&path) {
        return say("not tried: the file system gives no inode number a second time");
    }
    // The same lines at the same place, so that nothing but the time of its birth tells it from the old one.
    let text = old(20) + &new(3);
    append(&path, &text);
    streams_in_all(Program::on(dir.path(), &[]), &text);
}

#[test]
fn a_file_created_again_with_the_same_inode_number_while_running_is_read_whole() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, old(20));
    let program = Program::on(dir.path(), &[("LOG", "info")]);
    streams(&program, &old(20));
    let inode = fs::metadata(&path).expect("its metadata").ino();
    fs::remove_file(&path).expect("deleted");
    // As long as the program holds the deleted file its number is not free.
    program.expect(|| program.stderr().contains("finished reading "), "the deleted file to be let go");
    if !create_with_inode(&path, inode) {
        return say("not tried: the file system gives no inode number a second time");
    }
    let text = old(20) + &new(3);
    append(&path, &text);
    streams_and_says(program, &(old(20) + &text));
}

#[test]
fn a_closed_file_created_again_at_once_with_the_same_inode_number_is_read_whole() {
    let dir = directory();
    let path = |number: usize| dir.path().join(format!("{number}.log"));
    // So few descriptors that the files that were streamed first are closed for the later ones.
    let program = with_descriptors(&format!("{}/*.log", dir.path().display()), 33);
    for number in 0..12 {
        append(&path(number), numbered(&format!("file {number:02}"), 0..20));
        program.expect(|| program.stdout().lines().count() == (number + 1) * 20, "all lines");
    }
    let before = program.stdout();
    freeze(&program);
    let open = program.open_files();
    let Some(closed) = (0..12).find(|number| !open.contains(&path(*number))) else {
        panic!("all files are open: {open:?}");
    };
    if !recreate_with_same_inode(&path(closed)) {
        return say("not tried: the file system gives no inode number a second time");
    }
    let text = numbered(&format!("file {closed:02}"), 0..20) + &new(3);
    append(&path(closed), &text);
    thaw(&program);
    streams_in_all(program, &(before + &text));
}

/// Deletes the file and creates it again with the inode number that it had; false if the file system never gives it.
fn recreate_with_same_inode(path: &Path) -> bool {
    let inode = fs::metadata(path).expect("its metadata").ino();
    fs::remove_file(path).expect("deleted");
    create_with_inode(path, inode)
}

/// Creates an empty file with this inode number. The numbers that it is given in vain are held until it is done.
fn create_with_inode(path: &Path, inode: u64) -> bool {
    let aside = |number: usize| path.with_extension(format!("{number}.held"));
    let mut held = Vec::new();
    let mut found = false;
    for number in 0..RECREATIONS_MAX {
        append(&aside(number), "");
        held.push(aside(number));
        if fs::metadata(aside(number)).expect("its metadata").ino() == inode {
            fs::rename(aside(number), path).expect("renamed");
            held.pop();
            found = true;
            break;
        }
    }
    for file in held {
        fs::remove_file(file).expect("deleted");
    }
    found
}

/// Starts the program with a limit of open files.
fn with_descriptors(paths: &str, limit: usize) -> Program {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {limit}; exec \"$0\""), env!("CARGO_BIN_EXE_sidetail")]);
    for (name, value) in command(&[("PATHS", paths)]).get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Program::spawn(shell.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// What makes a renamed file another one, of which so many bytes were streamed.
type Destroys = fn(&Path, usize);

fn random(bytes: usize) -> Vec<u8> {
    let mut random = Vec::new();
    File::open("/dev/urandom").expect("there").take(bytes as u64).read_to_end(&mut random).expect("read");
    random
}

fn write_over(path: &Path, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes)).expect("overwritten");
}

/// What is no text, as long as the file: random bytes up to the end of its last block, as shred(1) has them, zeros, patterns.
const WITH_NO_TEXT: [Destroys; 4] = [
    |path, bytes| write_over(path, &random(bytes.next_multiple_of(4096))),
    |path, bytes| write_over(path, &vec![0; bytes]),
    |path, bytes| write_over(path, &vec![0xff; bytes]),
    |path, bytes| write_over(path, &[0x49, 0x24, 0x92].repeat(bytes / 3 + 1)[..bytes]),
];

/// What another program writes there.
const WITH_TEXT: [Destroys; 4] = [
    |path, bytes| write_over(path, &numbered("else", 0..bytes / 64 + 9).into_bytes()),
    |path, _| fs::write(path, "truncated, and\nwritten by another\n").expect("written"),
    |path, bytes| write_over(path, numbered("line", 0..bytes / 64).replace("line", "LINE").as_bytes()),
    |path, _| {
        let text = fs::read_to_string(path).expect("there");
        fs::write(path, text.replace("line", "longer line")).expect("written");
    },
];

/// Renames a file, has `written_then` written to it, which is streamed, if it is to be seen first under its new name, destroys it,
/// and goes on in a new one.
#[track_caller]
fn check_destroyed(destroy: Destroys, is_seen_first: bool, is_down: bool) {
    let dir = directory();
    let (app, old) = (dir.path().join("app.log"), dir.path().join("gone"));
    let mut text = numbered("line", 0..200);
    append(&app, &text);
    let program = Program::on(dir.path(), &[]);
    streams(&program, &text);
    let program = if is_seen_first {
        fs::rename(&app, &old).expect("renamed");
        append(&old, "late\n");
        text += "late\n";
        streams(&program, &text);
        destroy(&old, text.len());
        program
    } else if is_down {
        kill_at_rest(program);
        fs::rename(&app, &old).expect("renamed");
        destroy(&old, std::mem::take(&mut text).len());
        Program::on(dir.path(), &[])
    } else {
        freeze(&program);
        fs::rename(&app, &old).expect("renamed");
        destroy(&old, text.len());
        thaw(&program);
        program
    };
    let said = format!("the file that was at {} is being overwritten", if is_down { &old } else { &app }.display());
    program.expect(|| program.stderr().contains(&said), &said);
    append(&app, "a new one\n");
    let ended = streams_and_says(program, &(text + "a new one\n"));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn a_renamed_file_that_is_overwritten_is_let_go() {
    for destroy in WITH_NO_TEXT.iter().chain(&WITH_TEXT) {
        check_destroyed(*destroy, true, false);
    }
}

#[test]
fn a_file_that_is_renamed_and_overwritten_with_no_text_between_two_looks_or_while_down_is_let_go() {
    for destroy in WITH_NO_TEXT {
        check_destroyed(destroy, false, false);
        check_destroyed(destroy, false, true);
    }
}

/// What was truncated at its path, and filled again, is rotated like any other.
#[test]
fn a_file_that_was_truncated_before_it_was_renamed_is_streamed_though_nobody_looked_in_between() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(100);
    let program = Program::on(dir.path(), &[]);
    streams(&program, app.written());
    freeze(&program);
    app.truncate(0);
    app.lines(5);
    app.rotate(&app.beside(".1"));
    app.lines(5);
    thaw(&program);
    streams_in_all(program, app.written());
}
