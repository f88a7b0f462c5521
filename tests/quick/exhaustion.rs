//! What the machine runs out of: inotify, descriptors, system calls, disk. It degrades, says so once, and goes on.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::Signal;

use crate::support::bounded::run;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command};
use crate::support::rotator::{App, after_ticks, by_ticks_alone, freeze, numbered, streams, streams_and_says, thaw};
use crate::support::say::ignore;
use crate::support::themes::check::{launched, parsed, says_what_is_said};
use crate::support::themes::exhaustion::sorted;

/// Events that the kernel keeps for one inotify instance at most, by default (inotify(7), `max_queued_events`).
const QUEUED_EVENTS: &str = "/proc/sys/fs/inotify/max_queued_events";

/// Starts it in a user namespace with a limit of its own on inotify (user_namespaces(7), `/proc/sys/user`); the machine's
/// limits stay as they are. `None` where that cannot be done.
fn with_inotify_limit(limit: &str, at_most: u32, variables: &[(&str, &str)]) -> Option<Program> {
    if let Err(why) = run(Command::new("unshare").args(["-Ur", "true"]), DEADLINE) {
        ignore(&format!("{limit} cannot be limited without user namespaces: {}", why.lines().next().unwrap_or("")));
        return None;
    }
    let script = format!(r#"echo {at_most} > /proc/sys/user/{limit} && exec "$0""#);
    let mut launcher = Command::new("unshare");
    launcher.args(["-Ur", "sh", "-c", &script, env!("CARGO_BIN_EXE_sidetail")]);
    Some(Program::launch(launcher, variables))
}

/// How many lines show that it polls.
const POLLED: u32 = 10;

/// Appends lines, each when the one before has come out, faster than by the safety tick.
#[track_caller]
fn expect_polling(program: &Program, path: &Path) {
    let start = Instant::now();
    for number in 0..POLLED {
        let line = format!("polled {number} of {}\n", path.display());
        append(path, &line);
        program.expect(|| program.stdout().contains(&line), &line);
    }
    assert!(start.elapsed() < by_ticks_alone(POLLED), "{POLLED} lines took {:?}", start.elapsed());
}

#[test]
fn without_inotify_instances_it_polls_and_says_so_once() {
    let dir = directory();
    fs::create_dir(dir.path().join("sub")).expect("a directory");
    append(&dir.path().join("a.log"), "early\n");
    let paths = format!("{}/**/*.log", dir.path().display());
    let Some(program) = with_inotify_limit("max_inotify_instances", 0, &[("PATHS", &paths)]) else { return };
    program.expect_stdout("early\n");
    expect_polling(&program, &dir.path().join("a.log"));
    expect_polling(&program, &dir.path().join("late.log"));
    expect_polling(&program, &dir.path().join("sub/deep.log"));
    fs::rename(dir.path().join("a.log"), dir.path().join("a.log.1")).expect("renamed");
    append(&dir.path().join("a.log.1"), "after the rename\n");
    expect_polling(&program, &dir.path().join("a.log"));
    program.expect(|| program.stdout().contains("after the rename\n"), "the renamed file's last line");
    let ended = program.terminate();
    assert_eq!(ended.stdout.lines().count(), 2 + 4 * POLLED as usize, "{}", ended.stdout);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("cannot start inotify"), "{}", ended.stderr);
    assert!(ended.stderr.contains("fs.inotify.max_user_instances"), "{}", ended.stderr);
}

#[test]
fn a_chain_that_is_renamed_while_it_polls_keeps_every_line_and_their_order() {
    let dir = directory();
    let mut app = App::appending(&dir.path().join("app.log"));
    app.lines(1);
    let paths = format!("{}/*.log", dir.path().display());
    let Some(program) = with_inotify_limit("max_inotify_instances", 0, &[("PATHS", &paths)]) else { return };
    streams(&program, app.written());
    for _ in 0..100 {
        app.rotate_chain(100);
        app.lines(1);
    }
    let said = streams_and_says(program, app.written()).stderr;
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// Files that are called as the target of a link is are generations of it; the first look that meets one finds something new in the
/// target, too, of which no event told.
#[test]
fn while_it_polls_what_a_link_leads_to_comes_before_a_file_that_was_created_later() {
    let dir = directory();
    let real = |number: usize| dir.path().join(format!("real-{number}.txt"));
    append(&real(1), numbered("1", 0..10));
    symlink("real-1.txt", dir.path().join("app.log")).expect("a link");
    let paths = format!("{}/*.log", dir.path().display());
    let Some(program) = with_inotify_limit("max_inotify_instances", 0, &[("PATHS", &paths)]) else { return };
    streams(&program, &numbered("1", 0..10));
    freeze(&program);
    append(&real(1), numbered("1", 10..15));
    append(&real(2), numbered("2", 0..10));
    thaw(&program);
    streams(&program, &(numbered("1", 0..15) + &numbered("2", 0..10)));
    program.terminate();
}

#[test]
fn without_enough_inotify_watches_it_polls_and_says_so_once() {
    let dir = directory();
    let path = |number: usize| dir.path().join(format!("{number}/a.log"));
    let make = |number: usize| {
        fs::create_dir(dir.path().join(number.to_string())).expect("a directory");
        append(&path(number), format!("first of {number}\n"));
    };
    (0..10).for_each(make);
    let paths = format!("{}/*/*.log", dir.path().display());
    let Some(program) = with_inotify_limit("max_inotify_watches", 3, &[("PATHS", &paths)]) else { return };
    program.expect(|| program.stdout().lines().count() == 10, "ten lines");
    expect_polling(&program, &path(0));
    expect_polling(&program, &path(9));
    make(10);
    expect_polling(&program, &path(10));
    let ended = program.terminate();
    assert_eq!(ended.stdout.lines().count(), 11 + 3 * POLLED as usize, "{}", ended.stdout);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("fs.inotify.max_user_watches"), "{}", ended.stderr);
}

#[test]
fn inotify_watches_that_are_used_up_later_make_it_poll_too() {
    let dir = directory();
    let paths = format!("{}/*/*.log", dir.path().display());
    let Some(program) = with_inotify_limit("max_inotify_watches", 8, &[("PATHS", &paths)]) else { return };
    let (mut expected, path) = (0, |number: usize| dir.path().join(format!("{number}/a.log")));
    for number in 0..30 {
        fs::create_dir(dir.path().join(number.to_string())).expect("a directory");
        append(&path(number), format!("first of {number}\n"));
        expected += 1;
        program.expect(|| program.stdout().lines().count() == expected, "the directory's line");
    }
    expect_polling(&program, &path(0));
    expect_polling(&program, &path(29));
    let ended = program.terminate();
    assert_eq!(ended.stdout.lines().count(), 30 + 2 * POLLED as usize, "{}", ended.stdout);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn an_overflow_of_the_inotify_queue_loses_nothing() {
    let kept: usize =
        fs::read_to_string(QUEUED_EVENTS).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(16_384);
    if kept > 100_000 {
        return ignore("an_overflow_of_the_inotify_queue needs max_queued_events of at most 100,000");
    }
    let dir = directory();
    let path = |name: &str| dir.path().join(name);
    for name in ["a.log", "b.log"] {
        append(&path(name), format!("first of {name}\n"));
    }
    let program = Program::start(&[("PATHS", &format!("{}/**/*.log", dir.path().display()))]);
    program.expect(|| program.stdout().lines().count() == 2, "two lines");
    program.signal(Signal::STOP);
    let open = |name: &str| OpenOptions::new().append(true).open(path(name)).expect("the file is there");
    let mut files = [open("a.log"), open("b.log")];
    let mut expected = vec!["first of a.log".to_owned(), "first of b.log".to_owned()];
    // Alternately, because the kernel joins an event to an equal one before it.
    for number in 0..kept + 1000 {
        writeln!(files[number % 2], "line {number}").expect("written");
        expected.push(format!("line {number}"));
    }
    // Of all this no event tells any more.
    fs::create_dir_all(path("new/deep")).expect("directories");
    append(&path("new/deep/c.log"), "in a new directory\n");
    fs::rename(path("a.log"), path("a.log.1")).expect("renamed");
    writeln!(files[0], "after the rename").expect("written");
    append(&path("a.log"), "in the new file\n");
    fs::remove_file(path("b.log")).expect("removed");
    writeln!(files[1], "after the removal").expect("written");
    let unseen = ["in a new directory", "after the rename", "in the new file", "after the removal"];
    expected.extend(unseen.map(ToOwned::to_owned));
    program.signal(Signal::CONT);
    program.expect(|| program.stdout().lines().count() >= expected.len(), "everything");
    // And what happens from here on is seen as before.
    append(&path("new/deep/c.log"), "later\n");
    expected.push("later".to_owned());
    program.expect(|| program.stdout().contains("\nlater\n"), "a later line");
    let ended = program.terminate();
    expected.sort_unstable();
    assert!(sorted(&ended.stdout) == expected, "{} lines of {}", ended.stdout.lines().count(), expected.len());
    assert_eq!(ended.stderr, "");
}

/// Installs a filter that answers `openat2` with an error, and becomes the program (seccomp(2), `SECCOMP_RET_ERRNO`). The
/// number of `openat2` is the same on every architecture.
const WITHOUT_OPENAT2: &str = r#"
import ctypes, os, struct, sys
def instruction(code, when_true, when_false, value):
    return struct.pack("HBBI", code, when_true, when_false, value)
program = b"".join([
    instruction(0x20, 0, 0, 0),
    instruction(0x15, 0, 1, 437),
    instruction(0x06, 0, 0, 0x00050000 | int(sys.argv[1])),
    instruction(0x06, 0, 0, 0x7fff0000),
])
class Filter(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
libc = ctypes.CDLL(None, use_errno=True)
installed = libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(Filter(4, program)), 0, 0) == 0
if not installed:
    sys.exit("cannot install the filter: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[2], sys.argv[2:])
"#;

/// Returns the command that starts a binary where `openat2` gives this error.
fn launcher_without_openat2(errno: rustix::io::Errno, binary: &str) -> Command {
    let mut launcher = Command::new("python3");
    launcher.args(["-c", WITHOUT_OPENAT2, &errno.raw_os_error().to_string(), binary]);
    launcher
}

/// Starts it where `openat2` gives this error; `None` where that cannot be done.
fn without_openat2(errno: rustix::io::Errno, variables: &[(&str, &str)]) -> Option<Program> {
    let launcher = |binary: &str| launcher_without_openat2(errno, binary);
    if let Err(why) = run(&mut launcher("/bin/true"), DEADLINE) {
        ignore(&format!("openat2 cannot be taken away: {why}"));
        return None;
    }
    Some(Program::launch(launcher(env!("CARGO_BIN_EXE_sidetail")), variables))
}

#[test]
fn without_openat2_files_are_followed_and_links_are_not() {
    for errno in [rustix::io::Errno::NOSYS, rustix::io::Errno::PERM] {
        let (dir, outside) = (directory(), directory());
        let logs = dir.path().join("logs");
        fs::create_dir_all(logs.join("sub/deep")).expect("directories");
        append(&outside.path().join("secret.log"), "the secret\n");
        for (target, name) in [
            (outside.path().join("secret.log"), "out.log"),
            (PathBuf::from("../../secret"), "sub/up.log"),
            (outside.path().to_owned(), "directory"),
            (PathBuf::from("/proc/self/environ"), "environ.log"),
        ] {
            std::os::unix::fs::symlink(target, logs.join(name)).expect("a link");
        }
        append(&logs.join("a.log"), "one\n");
        append(&logs.join("sub/deep/b.log"), "two\n");
        let paths = format!("{0}/**/*.log,{0}/*/*.log", logs.display());
        let Some(program) = without_openat2(errno, &[("PATHS", &paths)]) else { return };
        program.expect(|| program.stdout().lines().count() == 2, "two lines");
        append(&logs.join("late.log"), "three\n");
        program.expect(|| program.stdout().lines().count() == 3, "a late file");
        fs::rename(logs.join("a.log"), logs.join("a.log.1")).expect("renamed");
        append(&logs.join("a.log.1"), "four\n");
        append(&logs.join("a.log"), "five\n");
        program.expect(|| program.stdout().lines().count() == 5, "a rotation");
        let ended = program.terminate();
        assert_eq!(sorted(&ended.stdout), ["five", "four", "one", "three", "two"], "{errno:?}");
        let told = ended.stderr.lines().filter(|line| line.contains("openat2")).count();
        assert_eq!(told, 1, "{errno:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("the secret"), "{}", ended.stderr);
        let of_link = ended.stderr.lines().filter(|line| line.contains("/out.log: ")).count();
        assert_eq!(of_link, 1, "{errno:?}: {}", ended.stderr);
    }
}

#[test]
fn without_openat2_check_lists_what_is_said() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    std::os::unix::fs::symlink("a.log", dir.path().join("link.log")).expect("a link");
    let paths = format!("{}/*.log", dir.path().display());
    let (errno, variables) = (rustix::io::Errno::NOSYS, [("PATHS", &*paths)]);
    let Some(program) = without_openat2(errno, &variables) else { return };
    program.expect_stdout("one\n");
    let launcher = launcher_without_openat2(errno, env!("CARGO_BIN_EXE_sidetail"));
    let report = parsed(&launched(launcher, &variables, &["--json"]));
    says_what_is_said(&report, program, &["links", "unreadable"]);
}

#[test]
fn without_openat2_links_any_still_follows_links() {
    let (dir, outside) = (directory(), directory());
    append(&outside.path().join("outside.txt"), "one\n");
    std::os::unix::fs::symlink(outside.path().join("outside.txt"), dir.path().join("a.log")).expect("a link");
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", &*paths), ("LINKS", "any")];
    let Some(program) = without_openat2(rustix::io::Errno::NOSYS, &variables) else { return };
    program.expect_stdout("one\n");
    let ended = program.terminate();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("one\n", ""));
}

/// Moves the time of a file's or a directory's last change.
fn set_changed(path: &Path, time: SystemTime) {
    File::open(path).and_then(|file| file.set_modified(time)).expect("our own file");
}

/// The clock itself cannot be set back without harm to the machine; what is left of a clock that was is that everything
/// older seems to come from the future.
#[test]
fn times_in_the_future_as_after_a_clock_was_set_back_lose_nothing() {
    let dir = directory();
    let path = |name: &str| dir.path().join(name);
    append(&path("a.log"), "one\n");
    let tomorrow = SystemTime::now() + Duration::from_secs(24 * 3600);
    set_changed(&path("a.log"), tomorrow);
    set_changed(dir.path(), tomorrow);
    let program = Program::on(dir.path(), &[("STATE", "off")]);
    program.expect_stdout("one\n");
    append(&path("a.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
    // Two rotations between two looks.
    program.signal(Signal::STOP);
    append(&path("a.log"), "three\n");
    fs::rename(path("a.log"), path("a.log.1")).expect("renamed");
    append(&path("a.log"), "four\n");
    fs::rename(path("a.log.1"), path("a.log.2")).expect("renamed");
    fs::rename(path("a.log"), path("a.log.1")).expect("renamed");
    append(&path("a.log"), "five\n");
    program.signal(Signal::CONT);
    program.expect(|| program.stdout().lines().count() >= 5, "five lines");
    let ended = program.terminate();
    assert_eq!(sorted(&ended.stdout), ["five", "four", "one", "three", "two"]);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_full_stdout_ends_it_with_74_and_one_line_and_a_restart_has_everything() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\ntwo\n");
    let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let paths = format!("{}/*.log", dir.path().display());
    let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(full).stderr(Stdio::piped()));
    let ended = program.wait();
    assert_eq!((ended.status.code(), ended.stderr.lines().count()), (Some(74), 1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("sidetail: cannot write to stdout: No space left on device"), "{}", ended.stderr);
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\ntwo\n");
    assert_eq!(program.terminate().stdout, "one\ntwo\n");
}

#[test]
fn a_full_stderr_that_lines_go_to_ends_it_with_74() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    append(&dir.path().join("b.log"), "two\n");
    let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", &*paths), ("STDERR", "file:b.log")];
    let ended = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(full)).wait();
    assert_eq!(ended.status.code(), Some(74));
    assert!(["", "one\n"].contains(&&*ended.stdout), "{}", ended.stdout);
}

#[test]
fn with_24_descriptors_40_files_are_still_streamed() {
    let dir = directory();
    for number in 0..40 {
        append(&dir.path().join(format!("{number}.log")), format!("first of {number}\n"));
    }
    let mut launcher = Command::new("sh");
    launcher.args(["-c", r#"ulimit -n 24; exec "$0""#, env!("CARGO_BIN_EXE_sidetail")]);
    let program = Program::launch(launcher, &[("PATHS", &format!("{}/*.log", dir.path().display()))]);
    program.expect(|| program.stdout().lines().count() == 40, "40 lines");
    for number in 0..40 {
        append(&dir.path().join(format!("{number}.log")), format!("second of {number}\n"));
    }
    program.expect(|| program.stdout().lines().count() == 80, "80 lines");
    // Looking at the paths needs descriptors too.
    after_ticks(&program, 1);
    let ended = program.terminate();
    let mut expected: Vec<_> =
        (0..80).map(|line| format!("{} of {}", ["first", "second"][line / 40], line % 40)).collect();
    expected.sort_unstable();
    assert_eq!((sorted(&ended.stdout), ended.stderr.as_str()), (expected.iter().map(String::as_str).collect(), ""));
}
