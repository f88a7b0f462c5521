//! What an application makes very many of: names, directories, entries of a checkpoint. Memory is small whatever there is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::support::files::{append, directory};
use crate::support::program::Program;
use crate::support::rotator::streams_and_says;

/// How much a process may grow that holds nothing more than before, in KiB: what the allocator rounds up.
const FLAT_KIB: u64 = 256;

/// A log that is written to, to know that everything before was looked at.
struct Probe {
    path: PathBuf,
    lines: usize,
}

impl Probe {
    fn write(&mut self, program: &Program) {
        append(&self.path, "probe\n");
        self.lines += 1;
        program.expect(|| program.stdout().len() == self.lines * "probe\n".len(), "the line");
    }
}

#[track_caller]
fn expect_flat(program: &Program, before: u64, what: &str) {
    let grown = program.status_field("VmRSS").saturating_sub(before);
    assert!(grown <= FLAT_KIB, "{what}: {grown} KiB more");
}

#[test]
fn second_names_that_come_and_go_leave_nothing() {
    let links: [fn(&PathBuf, &PathBuf) -> _; 2] = [|of, name| fs::hard_link(of, name), |of, name| symlink(of, name)];
    for link in links {
        let dir = directory();
        let mut probe = Probe { path: dir.path().join("app.log"), lines: 0 };
        append(&probe.path, "");
        let program = Program::on(dir.path(), &[]);
        let mut before = 0;
        for round in 0..60 {
            let name = |number: usize| dir.path().join(format!("{}{round}-{number}.log", "n".repeat(235)));
            let names: Vec<_> = (0..100).map(name).collect();
            names.iter().for_each(|name| link(&probe.path, name).expect("a second name"));
            probe.write(&program);
            names.iter().for_each(|name| fs::remove_file(name).expect("it is there"));
            probe.write(&program);
            if round == 19 {
                before = program.status_field("VmRSS");
            }
        }
        expect_flat(&program, before, "4,000 names later");
        assert_eq!(program.terminate().stderr, "");
    }
}

#[test]
fn directories_that_are_renamed_again_and_again_leave_nothing() {
    let dir = directory();
    let mut probe = Probe { path: dir.path().join("app.log"), lines: 0 };
    let long = |number: usize| dir.path().join(format!("{}{number}", "d".repeat(240)));
    let mut at = long(0);
    for below in 0..8 {
        fs::create_dir_all(at.join("e".repeat(240)).join(below.to_string())).expect("directories");
    }
    append(&probe.path, "");
    let paths = format!("{}/**/*.log", dir.path().display());
    let program = Program::start(&[("PATHS", &paths)]);
    let mut before = 0;
    for round in 1..=300 {
        let next = long(round);
        fs::rename(&at, &next).expect("renamed");
        at = next;
        probe.write(&program);
        if round == 100 {
            before = program.status_field("VmRSS");
        }
    }
    expect_flat(&program, before, "200 names later");
    // Under its last name it is watched still.
    let below = at.join("e".repeat(240)).join("7/late.log");
    append(&below, "late\n");
    program.expect(|| program.stdout().ends_with("late\n"), "the line");
    assert_eq!(streams_and_says(program, &("probe\n".repeat(300) + "late\n")).stderr, "");
}
