//! Memory is flat for minutes, and with ten thousand files.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command};
use crate::support::say::say;
use crate::support::themes::memory::{FLAT_KIB, expect_small};
use crate::support::themes::pressure::{
    LINE_BYTES, Stalled, Stop, descriptors, expect_rest, lines, numbers, paths, read, rest,
};

/// How long nobody reads stdout: longer than every time after which the program would let a file go.
const BLOCKED: Duration = Duration::from_secs(130);

/// How many files are begun within the first seconds: more than are kept open of those that were renamed and read.
const BURST: usize = 140;

/// Within which time the next one is begun: in the burst, and from then on.
const ROTATION: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// When the burst is over. A file that waits costs some KiB, so memory is flat only from then on.
const SETTLED: Duration = Duration::from_secs(30);

#[test]
fn stdout_blocked_for_minutes_while_files_rotate_grows_no_memory_and_loses_nothing() {
    let dir = directory();
    let states = [directory(), directory()];
    let state = |index: usize| states[index].path().display().to_string();
    append(&dir.path().join("app.log"), lines(0..1000));
    // Two with a state of their own: the one goes on in the end, the other is ended and started again.
    let programs = [0, 1].map(|index| Stalled::on(dir.path(), &[("STATE", &*state(index))]));
    let ids = programs.each_ref().map(|stalled| stalled.program.id());
    let stop = AtomicBool::new(false);
    let (written, rotations) = thread::scope(|scope| {
        let writer = scope.spawn(|| write_and_rotate(ids, &dir.path().join("app.log"), 1000, &stop));
        let stopping = Stop(&stop);
        expect_flat_while_blocked(&programs, &dir.path().join("mark.log"));
        drop(stopping);
        writer.join().expect("writing does not fail")
    });
    assert!(rotations > BURST, "{rotations} rotations");
    let [goes_on, ends] = programs;
    let ended = ends.program.terminate();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.took < Duration::from_millis(2500), "it ended after {:?} of 1.5 s", ended.took);
    assert!(ended.stderr.contains("accepted nothing for 1s 500ms (SIDETAIL_DRAIN_TIMEOUT)"), "{}", ended.stderr);
    expect_rest(Stalled::on(dir.path(), &[("STATE", &*state(1))]), &rest(ends.pipe), written);
    let (text, pipe) = read(goes_on.pipe, written * LINE_BYTES);
    let ended = goes_on.program.terminate();
    assert_eq!((ended.status.code(), rest(pipe).len()), (Some(0), 0));
    let found = numbers(&text);
    assert!(found == (0..written).collect::<Vec<_>>(), "lines lost, repeated or in another order");
}

/// Says whether a process has a file open.
fn has_open(id: u32, path: &Path) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{id}/fd")).expect("it is running");
    descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).any(|open| open == path)
}

/// Writes some 400 lines a second, from this number on, into a file and its successors; returns how many lines there are in
/// all, and how many successors.
fn write_and_rotate(readers: [u32; 2], path: &Path, mut written: usize, stop: &AtomicBool) -> (usize, usize) {
    let (mut rotations, mut rotated) = (0, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        append(path, lines(written..written + 10));
        written += 10;
        if rotated.elapsed() >= ROTATION[usize::from(rotations >= BURST)] {
            // A file that is renamed before anybody has seen it is in no pattern any more.
            wait_for(|| readers.iter().all(|id| has_open(*id, path)).then_some(()), DEADLINE)
                .expect("the file to be opened");
            rotations += 1;
            rotated = Instant::now();
            fs::rename(path, path.with_extension(format!("log.{rotations}"))).expect("renamed");
        }
        // The writer's own pace, not a wait for anybody.
        thread::sleep(Duration::from_millis(25));
    }
    (written, rotations)
}

/// All the while each of them answers: to its other stream, and to being stopped and continued.
#[track_caller]
fn expect_flat_while_blocked(programs: &[Stalled], mark: &Path) {
    let (start, mut least, mut most) = (Instant::now(), [u64::MAX; 2], [0; 2]);
    while start.elapsed() < BLOCKED {
        let line = format!("after {} ms", start.elapsed().as_millis());
        append(mark, format!("{line}\n"));
        for (index, Stalled { program, .. }) in programs.iter().enumerate() {
            program.expect(|| program.stderr().lines().any(|one| one == line), &line);
            // Of the program's own pages it reclaims what is not needed, once a minute.
            let resident = program.status_field("RssAnon");
            if start.elapsed() >= SETTLED {
                (least[index], most[index]) = (least[index].min(resident), most[index].max(resident));
            }
            program.signal(Signal::STOP);
            program.signal(Signal::CONT);
        }
        // How often they are asked; the time that passes is the case.
        thread::sleep(Duration::from_millis(500));
    }
    for index in 0..2 {
        let grown = most[index] - least[index];
        say(&format!("stdout blocked for {BLOCKED:?}: {grown} KiB more, {} KiB at most", most[index]));
        assert!(grown <= FLAT_KIB, "{grown} KiB more while stdout was blocked");
        expect_small(&programs[index].program, "stdout blocked for minutes");
    }
}

#[test]
fn ten_thousand_files_that_come_and_go_leave_nothing_behind() {
    const BATCH: usize = 250;
    let dir = directory();
    let variables = [("PATHS", &*paths(dir.path()))];
    let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let (mut expected, mut most) = (Vec::new(), 0);
    for batch in 0..40 {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let path = |number: usize| dir.path().join(format!("{number}.log"));
        for number in numbers.clone() {
            append(&path(number), format!("only line of {number}\n"));
            expected.push(format!("only line of {number}"));
        }
        program.expect(|| program.stdout().lines().count() >= expected.len(), "the batch");
        most = most.max(descriptors(&program));
        for number in numbers {
            fs::remove_file(path(number)).expect("deleted");
        }
    }
    say(&format!("10,000 files that come and go: {most} descriptors at most"));
    assert!(most <= 1500, "{most} descriptors");
    expect_small(&program, "10,000 files that come and go");
    // What is deleted is let go, or its disk space would never be reclaimed.
    program.expect(|| descriptors(&program) < 100, "the descriptors of deleted files to be closed");
    let states = fs::read_dir(dir.path().join(".sidetail")).expect("the directory of the state");
    let state_bytes: u64 = states.map(|state| state.and_then(|state| state.metadata()).expect("a file").len()).sum();
    assert!(state_bytes < 10_000 * 512 / 2, "{state_bytes} bytes of state, though the files are gone");
    let mut found: Vec<_> = program.terminate().stdout.lines().map(ToOwned::to_owned).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert!(found == expected, "{} lines of 10,000, or others", found.len());
}
