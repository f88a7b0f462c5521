//! `sidetail demo`: the main job on any machine, and nothing left behind.

use std::process::Stdio;

use crate::support::files::directory;
use crate::support::program::{Program, command};

#[test]
fn the_demo_streams_both_files_and_cleans_up() {
    let temporary = directory();
    let mut demo = command(&[]);
    demo.args(["demo", "--for", "3s"]).env("TMPDIR", temporary.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = Program::spawn(&mut demo).wait();
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stdout.contains("[1.log] 0: ") && ended.stdout.contains(" INFO 0\n"), "{}", ended.stdout);
    let errors: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with("[2.log] ")).collect();
    assert!(errors.len() == 1 && errors[0].contains(" ERROR 4 "), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 3, "two lines of explanation and an error: {}", ended.stderr);
    assert_eq!(temporary.path().read_dir().expect("the directory").count(), 0, "something was left behind");
}

#[test]
fn ctrl_c_ends_the_demo_and_cleans_up() {
    let temporary = directory();
    let mut demo = command(&[]);
    demo.arg("demo").env("TMPDIR", temporary.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = Program::spawn(&mut demo);
    program.expect(|| program.stdout().contains("[1.log] 0: "), "the first line");
    program.signal(rustix::process::Signal::INT);
    assert_eq!(program.wait().status.code(), Some(0));
    assert_eq!(temporary.path().read_dir().expect("the directory").count(), 0, "something was left behind");
}
