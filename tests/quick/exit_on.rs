//! The end by itself: a file that appears, quiet, a process that has ended; everything is streamed before.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::bounded::wait_for;
use crate::support::files::{Directory, append, copy_program, directory};
use crate::support::namespace::unshare;
use crate::support::program::{DEADLINE, Program, command, pipe, stalled};

/// Less than the time between two safety ticks, and what the drain waits for.
const AT_ONCE: Duration = Duration::from_millis(2000);

/// How many programs are told of the end at the same time. None would be told as soon by its safety tick, so it is enough if
/// the machine lets one of them run.
const PROGRAMS: usize = 3;

/// Holds the fastest of a few programs to its having been told at once.
#[track_caller]
fn check_at_once(ends: impl Fn() -> Duration + Sync) {
    let took = thread::scope(|scope| {
        let programs = [(); PROGRAMS].map(|()| scope.spawn(&ends));
        programs.map(|one| one.join().expect("it ends as it should"))
    });
    assert!(took.iter().any(|took| *took < AT_ONCE), "{took:?}");
}

fn start(dir: &Directory, conditions: &str) -> Program {
    Program::on(dir.path(), &[("EXIT_ON", conditions), ("LOG", "info")])
}

/// Waits until the safety tick has just been: the next one is two seconds away.
fn after_tick(program: &Program) {
    let wakes = || program.status_field("voluntary_ctxt_switches");
    let before = wakes();
    program.expect(|| wakes() > before, "the safety tick");
}

/// Waits until it ends, which it must do with everything streamed, because of this condition.
#[track_caller]
fn ends(program: Program, condition: &str, stdout: &str) -> Duration {
    let ended = program.wait();
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(0), stdout), "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("SIDETAIL_EXIT_ON={condition}")), "{}", ended.stderr);
    assert!(ended.stderr.contains("0 bytes left"), "{}", ended.stderr);
    ended.took
}

#[test]
fn a_file_that_appears_ends_it_at_once_with_everything_streamed() {
    // An event tells of it.
    check_at_once(|| {
        let (dir, other) = (directory(), directory());
        let done = other.path().join("done");
        append(&dir.path().join("a.log"), "one\n");
        let condition = format!("file:{}", done.display());
        let program = start(&dir, &format!("idle:1h,{condition}"));
        program.expect(|| program.stdout() == "one\n", "the first line");
        after_tick(&program);
        append(&dir.path().join("a.log"), "two\nthree without an end");
        append(&done, "");
        ends(program, &condition, "one\ntwo\nthree without an end\n")
    });
}

#[test]
fn a_file_in_a_directory_that_comes_later_is_found_by_the_tick() {
    let (dir, other) = (directory(), directory());
    let done = other.path().join("sub/deeper/done");
    append(&dir.path().join("a.log"), "one\n");
    let condition = format!("file:{}", done.display());
    let program = start(&dir, &condition);
    program.expect(|| program.stdout() == "one\n", "the first line");
    fs::create_dir_all(done.parent().expect("a directory")).expect("created");
    append(&done, "");
    ends(program, &condition, "one\n");
}

#[test]
fn a_file_that_is_there_already_ends_it_after_everything_is_streamed() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    append(&dir.path().join("done"), "");
    let condition = format!("file:{}/done", dir.path().display());
    ends(start(&dir, &condition), &condition, "one\n");
}

#[test]
fn quiet_before_the_first_line_is_not_the_end() {
    let dir = directory();
    append(&dir.path().join("a.log"), "");
    let program = start(&dir, "idle:300ms");
    program.expect(|| program.stderr().contains("following"), "the empty file to be followed");
    let started = Instant::now();
    // Several times as long.
    program.expect(|| started.elapsed() > Duration::from_millis(1500), "time to pass");
    assert!(!program.has_ended(), "{}", program.stderr());
    let written = Instant::now();
    append(&dir.path().join("a.log"), "one\n");
    ends(program, "idle:300ms", "one\n");
    assert!(written.elapsed() >= Duration::from_millis(300));
}

#[test]
fn quiet_begins_with_the_last_byte_even_of_an_unfinished_line() {
    let dir = directory();
    let program = start(&dir, "idle:3s");
    let mut last = Instant::now();
    for _ in 0..8 {
        append(&dir.path().join("a.log"), ".");
        last = Instant::now();
        program.expect(|| last.elapsed() > Duration::from_millis(450), "a part of the time to pass");
    }
    assert!(!program.has_ended(), "{}", program.stderr());
    ends(program, "idle:3s", "........\n");
    assert!(last.elapsed() >= Duration::from_secs(3));
}

#[test]
fn what_an_earlier_process_streamed_is_a_beginning() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    ends(start(&dir, "idle:200ms"), "idle:200ms", "one\n");
    ends(start(&dir, "idle:200ms"), "idle:200ms", "");
}

#[test]
fn a_stalled_stdout_is_not_quiet() {
    let dir = directory();
    append(&dir.path().join("a.log"), "x\n".repeat(100_000));
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", paths.as_str()), ("EXIT_ON", "idle:200ms"), ("STATE", "off")];
    let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
    stalled(&reader);
    let started = Instant::now();
    // More than the quiet time and that of the drain.
    program.expect(|| started.elapsed() > Duration::from_millis(2200), "time to pass");
    assert!(!program.has_ended(), "{}", program.stderr());
    let read = std::thread::spawn(move || std::io::read_to_string(fs::File::from(reader)).expect("readable"));
    let ended = program.wait();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(read.join().expect("read").len(), 200_000);
}

/// A program under a name of its own, so that no other test's processes have it.
struct Named {
    name: String,
    directory: Directory,
}

impl Named {
    fn new(suffix: &str) -> Self {
        let named = Self { name: format!("{}{suffix}", std::process::id()), directory: directory() };
        let sleep = ["/usr/bin/sleep", "/bin/sleep"].into_iter().find(|path| Path::new(path).exists());
        copy_program(Path::new(sleep.expect("it is there")), &named.path());
        named
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join(&self.name)
    }

    fn start(&self) -> Child {
        // While another test's child has the copy's descriptor, before its own program runs, it is busy.
        let spawn = || Command::new(self.path()).arg("60").stdin(Stdio::null()).spawn().ok();
        let child = wait_for(spawn, DEADLINE).expect("it starts");
        // It gets its name last, after its parent goes on.
        let is_named = || {
            let comm = fs::read_to_string(format!("/proc/{}/comm", child.id())).expect("it runs");
            self.name.starts_with(comm.trim_end()).then_some(())
        };
        wait_for(is_named, DEADLINE).expect("its name");
        child
    }
}

fn end(mut child: Child) {
    child.kill().and_then(|()| child.wait()).expect("our own child");
}

#[test]
fn the_end_of_the_last_process_of_a_name_ends_it_at_once() {
    let count = AtomicUsize::new(0);
    // Its descriptor tells of it. The kernel keeps 15 bytes of the name.
    check_at_once(|| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        until_the_last_process_ends(&Named::new(&format!("-{number}-has-a-very-long-name")))
    });
}

fn until_the_last_process_ends(named: &Named) -> Duration {
    let dir = directory();
    let condition = format!("process:{}", named.name);
    let program = start(&dir, &condition);
    append(&dir.path().join("a.log"), "one\n");
    program.expect(|| program.stdout() == "one\n", "the first line");
    after_tick(&program);
    let (first, second) = (named.start(), named.start());
    append(&dir.path().join("a.log"), "two\n");
    // A tick later it has seen them.
    after_tick(&program);
    after_tick(&program);
    end(first);
    after_tick(&program);
    after_tick(&program);
    assert!(!program.has_ended(), "one is left: {}", program.stderr());
    append(&dir.path().join("a.log"), "three");
    end(second);
    ends(program, &condition, "one\ntwo\nthree\n")
}

#[test]
fn a_process_that_lives_between_two_ticks_is_seen_when_it_writes() {
    let named = Named::new("short");
    let condition = format!("process:{}", named.name);
    // On a busy machine a tick may come first; if a write told nothing, it always would.
    let mut attempts = (0..10).map(|_| {
        let dir = directory();
        let program = start(&dir, &condition);
        append(&dir.path().join("a.log"), "one\n");
        program.expect(|| program.stdout() == "one\n", "the first line");
        after_tick(&program);
        let ticked = Instant::now();
        let child = named.start();
        append(&dir.path().join("a.log"), "two\n");
        program.expect(|| awaits(&program, &child), "the process to be seen");
        let took = ticked.elapsed();
        end(child);
        ends(program, &condition, "one\ntwo\n");
        took
    });
    assert!(attempts.any(|took| took < AT_ONCE / 2), "only by a tick");
}

/// Returns whether a program has another process's descriptor: it waits for its end.
fn awaits(program: &Program, process: &Child) -> bool {
    let line = format!("Pid:\t{}", process.id());
    let descriptors = fs::read_dir(format!("/proc/{}/fdinfo", program.id())).into_iter().flatten().flatten();
    let mut texts = descriptors.filter_map(|one| fs::read_to_string(one.path()).ok());
    texts.any(|text| text.lines().any(|one| one == line))
}

#[test]
fn process_1_says_that_it_sees_no_others() {
    let Some(mut unshare) = unshare(&["--fork", "--pid", "--kill-child"]) else { return };
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    unshare.arg(env!("CARGO_BIN_EXE_sidetail"));
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::launch(unshare, &[("PATHS", &paths), ("EXIT_ON", "process:java,idle:500ms")]);
    let ended = program.wait();
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(0), "one\n"));
    assert!(
        ended.stderr.contains("process:java") && ended.stderr.contains("shareProcessNamespace"),
        "{}",
        ended.stderr
    );
}

#[test]
fn waiting_for_the_end_costs_no_wake_ups_but_the_tick() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    let conditions = format!("file:{}/done,idle:1h,process:nobody", dir.path().display());
    let program = Program::on(dir.path(), &[("EXIT_ON", &conditions)]);
    program.expect_stdout("one\n");
    after_tick(&program);
    after_tick(&program);
    let start = Instant::now();
    (0..3).for_each(|_| after_tick(&program));
    let took = start.elapsed();
    assert!(took.as_millis() >= 3900, "3 wake-ups within {took:?}: more than one every two seconds");
}

#[test]
fn mistakes_name_the_way_out() {
    for (value, word) in [
        ("done", "file:PATH"),
        ("file:done", "absolute"),
        ("idle:30", "30s?"),
        ("idle:x", "1500ms"),
        ("idle:0", "at once"),
        ("process:/usr/bin/java", "process:java"),
        ("process:", "process:java"),
        (",", "never"),
        ("idle:1s,never", "\"never\""),
    ] {
        let ended = Program::start(&[("EXIT_ON", value)]).wait();
        assert_eq!(ended.status.code(), Some(64), "{value}");
        assert!(ended.stderr.contains("SIDETAIL_EXIT_ON=") && ended.stderr.contains(word), "{value}: {}", ended.stderr);
    }
}
