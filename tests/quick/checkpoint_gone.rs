//! A checkpoint that somebody takes away, or empties, or that could not be made: it is said, and made again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::rotator::{kill_at_rest, numbered, streams, streams_in_all};
use crate::support::scrape::{address, scrape_until};

/// The checkpoint beside the logs.
fn checkpoint(logs: &Path) -> PathBuf {
    let mut entries = fs::read_dir(logs.join(".sidetail")).expect("a directory");
    entries.next().expect("one file").expect("readable").path()
}

/// Something is done to the checkpoint of a running program, which makes it again, and a restart knows what was streamed.
#[track_caller]
fn check(harm: fn(&Path)) {
    let dir = directory();
    let (app, quiet) = (dir.path().join("app.log"), dir.path().join("quiet.log"));
    append(&app, numbered("line", 0..50));
    let program = Program::on(dir.path(), &[]);
    streams(&program, &numbered("line", 0..50));
    append(&quiet, "of the other\n");
    let expected = numbered("line", 0..50) + "of the other\n";
    streams(&program, &expected);
    let path = checkpoint(dir.path());
    harm(&path);
    let said = format!("the checkpoint {} was deleted or replaced; creating it again", path.display());
    program.expect(|| program.stderr().contains(&said), &said);
    program.expect(|| path.is_file(), "the new one");
    append(&app, numbered("line", 50..60));
    streams(&program, &(expected + &numbered("line", 50..60)));
    kill_at_rest(program);
    append(&app, numbered("line", 60..61));
    streams_in_all(Program::on(dir.path(), &[]), &numbered("line", 60..61));
}

#[test]
fn a_checkpoint_that_is_deleted_is_made_again() {
    check(|path| fs::remove_file(path).expect("deleted"));
    check(|path| fs::remove_dir_all(path.parent().expect("its directory")).expect("deleted"));
    check(|path| {
        fs::rename(path, path.with_extension("gone")).expect("renamed");
        fs::write(path, "somebody else's").expect("written");
    });
}

#[test]
fn an_empty_checkpoint_is_said() {
    let dir = directory();
    append(&dir.path().join("app.log"), "a line\n");
    let program = Program::on(dir.path(), &[]);
    streams(&program, "a line\n");
    kill_at_rest(program);
    let path = checkpoint(dir.path());
    File::create(&path).expect("emptied");
    let program = Program::on(dir.path(), &[]);
    streams(&program, "a line\n");
    let said = format!("cannot use the checkpoint {}: it is empty", path.display());
    program.expect(|| program.stderr().contains(&said), &said);
}

#[test]
fn a_checkpoint_that_could_not_be_made_is_made_when_it_can_be() {
    let dir = directory();
    let state = dir.path().join("state");
    fs::write(&state, "no directory").expect("written");
    append(&dir.path().join("app.log"), "a line\n");
    let variables = [("STATE", state.to_str().expect("UTF-8")), ("LISTEN", "127.0.0.1:0"), ("LOG", "info")];
    let program = Program::on(dir.path(), &variables);
    streams(&program, "a line\n");
    program.expect(|| program.stderr().contains("cannot keep state in"), "the warning");
    let address = address(&program);
    scrape_until(address, "a state in memory", |page| page.value("sidetail_checkpoint_on_disk") == 0.0);
    fs::remove_file(&state).expect("removed");
    scrape_until(address, "a checkpoint", |page| page.value("sidetail_checkpoint_on_disk") == 1.0);
    program.expect(|| program.stderr().contains("can be kept now"), "the recovery");
    assert_eq!(program.stderr().matches("cannot keep state in").count(), 1, "{}", program.stderr());
    kill_at_rest(program);
    append(&dir.path().join("app.log"), "another\n");
    streams_in_all(Program::on(dir.path(), &variables[..1]), "another\n");
}
