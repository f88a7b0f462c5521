//! Files that are longer than what was written to them: NULs at the end are no lines yet, whether a hole or written.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::support::files::directory;
use crate::support::program::Program;
use crate::support::rotator::numbered;

const KIB: u64 = 1024;

/// Ways to make a file longer before anything is written to it.
type Lengthen = fn(&File, u64);

fn with_a_hole(file: &File, bytes: u64) {
    file.set_len(bytes).expect("lengthened");
}

fn with_nuls(file: &File, bytes: u64) {
    file.write_all_at(&vec![0; usize::try_from(bytes).expect("small")], 0).expect("written");
}

/// A file of this length, and a name of it in another directory: what is written there gives no event in the first one, as a
/// memory mapping gives none.
fn preallocated(logs: &Path, lengthen: Lengthen, bytes: u64) -> (tempfile::TempDir, File) {
    let elsewhere = tempfile::tempdir_in(logs.parent().expect("a parent")).expect("another directory");
    let (path, other) = (logs.join("app.log"), elsewhere.path().join("app"));
    lengthen(&File::create_new(&path).expect("a new file"), bytes);
    fs::hard_link(&path, &other).expect("another name");
    let file = OpenOptions::new().write(true).open(&other).expect("opened");
    (elsewhere, file)
}

#[track_caller]
fn check(lengthen: Lengthen, bytes: u64, variables: &[(&str, &str)]) {
    let dir = directory();
    let (_elsewhere, file) = preallocated(dir.path(), lengthen, bytes);
    let program = Program::on(dir.path(), variables);
    let mut written = String::new();
    for round in 0..4 {
        // Without an event only the tick sees it; the last line is unfinished, and goes on in the next round.
        let more = format!("{}an unfinished li", numbered(&format!("round {round}"), 0..20));
        let more = if round == 0 { more } else { format!("ne\n{more}") };
        file.write_all_at(more.as_bytes(), written.len() as u64).expect("written");
        written += &more;
        program.expect_stdout(written.trim_end_matches("an unfinished li"));
    }
    let ended = program.terminate();
    assert_eq!(ended.stdout, format!("{written}\n"), "the unfinished line is streamed at the end, the NULs are not");
    let left = bytes - written.len() as u64;
    let expected =
        format!("0 bytes left; {left} NUL bytes at the ends of files, which nothing follows, were not streamed");
    assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
}

#[test]
fn lines_at_the_front_of_a_preallocated_file_come_as_they_are_written() {
    std::thread::scope(|scope| {
        for (lengthen, bytes) in [(with_a_hole as Lengthen, 1 << 40), (with_nuls, 256 * KIB), (with_nuls, 20 * KIB)] {
            scope.spawn(move || check(lengthen, bytes, &[("LOG", "info")]));
        }
    });
}

#[test]
fn nuls_that_nothing_follows_are_no_long_line_either() {
    check(with_nuls, 100 * KIB, &[("LOG", "info"), ("MAX_LINE", "1Ki")]);
}

#[test]
fn nuls_that_something_follows_are_bytes_as_any_others() {
    let dir = directory();
    let path = dir.path().join("app.log");
    let mut bytes = vec![0; 100 * 1024];
    bytes.extend(b"the end\n");
    fs::write(&path, &bytes).expect("written");
    let program = Program::on(dir.path(), &[("MAX_LINE", "1Mi")]);
    program.expect(|| program.stdout().as_bytes() == bytes, "the NULs and the line");
}

#[test]
fn a_partial_line_of_nuls_waits_however_short_its_timeout_is() {
    let dir = directory();
    let (_elsewhere, file) = preallocated(dir.path(), with_nuls, 8 * KIB);
    let program = Program::on(dir.path(), &[("PARTIAL_TIMEOUT", "10ms")]);
    file.write_all_at(b"a line\npart", 0).expect("written");
    program.expect_stdout("a line\npart\n");
    file.write_all_at(b" two\nthe next\n", 11).expect("written");
    program.expect_stdout("a line\npart\n two\nthe next\n");
}

#[test]
fn a_writer_that_cuts_the_rest_off_at_its_end_has_lost_nothing() {
    let dir = directory();
    let (_elsewhere, file) = preallocated(dir.path(), with_a_hole, 32 << 20);
    let program = Program::on(dir.path(), &[("LOG", "info")]);
    let text = numbered("line", 0..10_000);
    file.write_all_at(text.as_bytes(), 0).expect("written");
    program.expect_stdout(&text);
    file.set_len(text.len() as u64).expect("cut off");
    let ended = program.terminate();
    assert!(ended.stderr.contains("0 bytes left") && !ended.stderr.contains("destroyed"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("NUL bytes"), "{}", ended.stderr);
}
