//! A disk that is full.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use crate::support::bounded::run;
use crate::support::files::{Directory, append, directory};
use crate::support::program::{DEADLINE, Program};
use crate::support::say::ignore;
use crate::support::themes::exhaustion::sorted;

/// A file system of 1 MiB in memory, unmounted at its end.
struct SmallDisk(Directory);

impl SmallDisk {
    fn mount(test: &str) -> Option<Self> {
        let dir = directory();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m,mode=755", "sidetail-test"]).arg(dir.path());
        match run(&mut mount, DEADLINE) {
            Ok(_) => Some(Self(dir)),
            Err(why) => {
                ignore(&format!("{test} needs root, to mount a small disk: {why}"));
                None
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes lines to a file until no block is free.
    fn fill(&self, name: &str) -> String {
        let (mut file, mut written) = (File::create(self.path(name)).expect("created"), String::new());
        loop {
            let line = format!("{:07}\n", written.len() / 8);
            match file.write(line.as_bytes()) {
                Ok(8) => written += &line,
                Ok(_) => panic!("lines of 8 bytes fit into blocks"),
                Err(why) => {
                    assert_eq!(why.kind(), std::io::ErrorKind::StorageFull);
                    return written;
                }
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, so that a test that failed leaves no mount behind either.
        if let Err(failure) = run(Command::new("umount").arg("-l").arg(self.0.path()), DEADLINE) {
            eprintln!("cannot unmount {}: {failure}", self.0.path().display());
        }
    }
}

#[test]
fn on_a_disk_that_its_log_has_filled_it_streams_and_warns_once() {
    let Some(disk) = SmallDisk::mount("on_a_disk_that_its_log_has_filled") else { return };
    let written = disk.fill("app.log");
    let program = Program::on(disk.0.path(), &[]);
    program.expect(|| program.stdout() == written, "the whole log");
    // Its rotator makes room.
    OpenOptions::new().write(true).truncate(true).open(disk.path("app.log")).expect("truncated");
    append(&disk.path("app.log"), "after the disk was full\n");
    let expected = written + "after the disk was full\n";
    program.expect(|| program.stdout() == expected, "a line after the disk was full");
    let ended = program.terminate();
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stdout == expected, "more than was written");
    let warnings = ended.stderr.lines().filter(|line| line.contains("cannot")).count();
    assert_eq!(warnings, 1, "{}", ended.stderr);
}

#[test]
fn a_checkpoint_that_finds_no_more_space_warns_once_and_streams_on() {
    let Some(disk) = SmallDisk::mount("a_checkpoint_that_finds_no_more_space") else { return };
    let dir = directory();
    append(&dir.path().join("0.log"), "first of 0\n");
    let state = disk.path("state").display().to_string();
    let program = Program::on(dir.path(), &[("STATE", &state)]);
    program.expect_stdout("first of 0\n");
    disk.fill("filler");
    // More files than space was reserved for.
    for number in 1..200 {
        append(&dir.path().join(format!("{number}.log")), format!("first of {number}\n"));
    }
    program.expect(|| program.stdout().lines().count() == 200, "200 lines");
    program.expect(|| program.stderr().contains("cannot write the checkpoint"), "a warning");
    for number in 0..200 {
        append(&dir.path().join(format!("{number}.log")), format!("second of {number}\n"));
    }
    program.expect(|| program.stdout().lines().count() == 400, "400 lines");
    let warnings = |stderr: &str| stderr.lines().filter(|line| line.contains("cannot write")).count();
    assert_eq!(warnings(&program.stderr()), 1, "{}", program.stderr());
    fs::remove_file(disk.path("filler")).expect("removed");
    for number in 0..200 {
        append(&dir.path().join(format!("{number}.log")), format!("third of {number}\n"));
    }
    program.expect(|| program.stdout().lines().count() == 600, "600 lines");
    program.expect(|| program.stderr().contains("can be written again"), "its recovery");
    let ended = program.kill();
    let mut expected: Vec<_> =
        (0..600).map(|line| format!("{} of {}", ["first", "second", "third"][line / 200], line % 200)).collect();
    expected.sort_unstable();
    assert!(sorted(&ended.stdout) == expected, "lines lost or repeated");
    assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
    // Every file was written down again after its last line, so the next process repeats nothing.
    append(&dir.path().join("199.log"), "after a restart\n");
    let program = Program::on(dir.path(), &[("STATE", &state)]);
    program.expect_stdout("after a restart\n");
    assert_eq!(program.terminate().stdout, "after a restart\n");
}
