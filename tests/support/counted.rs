//! What the binary does, counted by tools that see every instruction, allocation or call of it: by valgrind(1) and strace(1).
//! Counts do not depend on how fast the machine is or what else runs on it, so they can be held to recorded figures.
//!
//! Start and end are not counted: a log is streamed and a longer one, and what the longer one took more is what its further
//! lines took.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::bounded::{run, wait_for};
use super::files::directory;
use super::lines::LAST;
use super::program::{Program, pipe, with_variables};
use super::say::ignore;

/// Even the tests' own build, which is slow, streams 12,000 lines under valgrind in five seconds when nothing else runs.
const DEADLINE: Duration = Duration::from_secs(100);

/// The most that anybody may make a pipe hold (`pipe-max-size`, pipe(7)): a reader that is late is not waited for so often.
const PIPE_BYTES: usize = 1 << 20;

/// How much of the output is searched for the last line; as an object it is longer.
const END_BYTES: u64 = 4096;

/// Says whether a tool is installed; if not, what it counts is not tested here, which is said, and fails in CI.
pub fn has(tool: &str) -> bool {
    let tried = run(Command::new(tool).arg("--version"), DEADLINE);
    if let Err(why) = &tried {
        ignore(&format!("without {tool} nothing is counted: {}", why.lines().next().unwrap_or_default()));
    }
    tried.is_ok()
}

/// Returns how many instructions it takes to stream a log into regular files, which accept everything at once.
#[track_caller]
pub fn instructions(binary: &Path, variables: &[(&str, &str)], log: &str) -> u64 {
    let report = under_valgrind(&["--tool=callgrind", "--callgrind-out-file=/dev/null"], binary, variables, log);
    figure_behind(&report, "Collected : ")
}

/// What looks at everything each two seconds: the longer a log takes, and so the busier the machine is, the more often.
const TICK: &str = "sidetail::track::tracker::Tracker::tick";

/// Returns how many allocations it takes, without those of safety ticks. The binary must have its symbols.
#[track_caller]
pub fn allocations(binary: &Path, variables: &[(&str, &str)], log: &str) -> u64 {
    let profiles = directory();
    let out = format!("--callgrind-out-file={}/calls", profiles.path().display());
    // A profile of what was before each tick, of each tick, and of what was after the last.
    let ticks = ["before", "after"].map(|when| format!("--dump-{when}={TICK}"));
    under_valgrind(&["--tool=callgrind", &out, &ticks[0], &ticks[1]], binary, variables, log);
    let profiles = fs::read_dir(profiles.path()).expect("the profiles");
    let profiles = profiles.map(|entry| fs::read_to_string(entry.expect("readable").path()).expect("UTF-8"));
    let of_tick = format!("desc: Trigger: {}", ticks[1]);
    let allocations =
        profiles.filter(|profile| !profile.contains(&of_tick)).map(|profile| allocations_in(&profile)).sum();
    assert!(allocations > 100, "{allocations} allocations: the allocator was not found");
    allocations
}

/// Counts the calls of the allocator in a profile; what it calls of itself is no call of ours.
///
/// Source: <https://valgrind.org/docs/manual/cl-format.html>: a name comes once, with a number, and then its number stands
/// for it; `fn` calls `cfn`, and so often.
fn allocations_in(profile: &str) -> u64 {
    const ALLOCATORS: [&str; 5] = ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"];
    let mut allocators = BTreeSet::new();
    let (mut is_inside, mut is_called, mut count) = (false, false, 0);
    for line in profile.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        if let "fn" | "cfn" = key {
            let (number, name) = value.split_once(' ').unwrap_or((value, ""));
            if ALLOCATORS.contains(&name) {
                allocators.insert(number);
            }
            let is_allocator = allocators.contains(number);
            if key == "fn" { is_inside = is_allocator } else { is_called = is_allocator }
        } else if key == "calls" && is_called && !is_inside {
            count += value.split(' ').next().and_then(|calls| calls.parse::<u64>().ok()).expect("a number of calls");
        }
    }
    count
}

/// Streams a log under valgrind until its last line is out, and returns the report.
#[track_caller]
fn under_valgrind(options: &[&str], binary: &Path, variables: &[(&str, &str)], log: &str) -> String {
    let (logs, beside) = (directory(), directory());
    fs::write(logs.path().join("app.log"), log).expect("written");
    let [stdout, stderr, report] = ["stdout", "stderr", "report"].map(|name| beside.path().join(name));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(options).arg(format!("--log-file={}", report.display())).arg(binary);
    let paths = format!("{}/*.log", logs.path().display());
    // Valgrind 3.19 does not know openat2(2), of which there is a warning.
    let mut valgrind = with_variables(valgrind, &[&[("PATHS", &*paths), ("LOG", "error")], variables].concat());
    valgrind.stdout(File::create(&stdout).expect("created")).stderr(File::create(&stderr).expect("created"));
    let program = Program::spawn(&mut valgrind);
    let is_whole = || (end_of(&stdout).contains(LAST) || program.has_ended()).then_some(());
    wait_for(is_whole, DEADLINE).expect("the last line on stdout");
    let ended = program.terminate();
    assert!(ended.status.success(), "{}: {}", ended.status, end_of(&stderr));
    fs::read_to_string(report).expect("valgrind has written its report")
}

/// How often each system call was made.
pub type Calls = BTreeMap<String, u64>;

/// Returns which calls it takes to stream a log, as it is, into two pipes that are read.
#[track_caller]
pub fn calls(binary: &Path, variables: &[(&str, &str)], log: &str) -> Calls {
    let (logs, beside) = (directory(), directory());
    fs::write(logs.path().join("app.log"), log).expect("written");
    let report = beside.path().join("report");
    let mut strace = Command::new("strace");
    // -D: the program is our own child, strace its grandchild.
    strace.args(["-D", "-f", "-q", "-c", "-U", "calls,name", "-o"]).arg(&report).arg(binary);
    let paths = format!("{}/*.log", logs.path().display());
    let mut strace = with_variables(strace, &[&[("PATHS", paths.as_str())], variables].concat());
    let read = Arc::new(AtomicUsize::new(0));
    let [(stdout, first), (stderr, second)] = [read_pipe(&read), read_pipe(&read)];
    let program = Program::spawn(strace.stdout(stdout).stderr(stderr));
    // Its ends of the pipes.
    drop(strace);
    let is_whole = || (read.load(Ordering::Relaxed) >= log.len() || program.has_ended()).then_some(());
    wait_for(is_whole, DEADLINE).expect("all bytes");
    let ended = program.terminate();
    assert!(ended.status.success(), "{}", ended.status);
    for reader in [first, second] {
        reader.join().expect("reading does not fail");
    }
    assert_eq!(read.load(Ordering::Relaxed), log.len(), "every byte once");
    // strace writes it after the end.
    let whole = || fs::read_to_string(&report).ok().filter(|report| report.contains("total\n"));
    parsed(&wait_for(whole, DEADLINE).expect("strace's report"))
}

/// Returns the end of a large pipe that is written to; what comes out is counted until all such ends are closed.
fn read_pipe(read: &Arc<AtomicUsize>) -> (File, JoinHandle<()>) {
    let (reader, writer) = pipe();
    rustix::pipe::fcntl_setpipe_size(&writer, PIPE_BYTES).expect("a larger pipe");
    let (mut reader, read) = (File::from(reader), Arc::clone(read));
    let thread = thread::spawn(move || {
        let mut bytes = vec![0; PIPE_BYTES];
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            read.fetch_add(count, Ordering::Relaxed);
        }
    });
    (File::from(writer), thread)
}

/// Reads the table that `strace -c -U calls,name` writes.
fn parsed(report: &str) -> Calls {
    let rows = report.lines().filter_map(|line| line.trim().split_once(' '));
    let calls = rows.filter_map(|(calls, name)| Some((name.trim().to_owned(), calls.parse().ok()?)));
    calls.filter(|(name, _)| name != "total").collect()
}

/// Returns the number behind a text; in reports, commas divide its thousands.
#[track_caller]
fn figure_behind(report: &str, text: &str) -> u64 {
    let rest = report.split(text).nth(1).unwrap_or_else(|| panic!("no {text:?} in the report: {report}"));
    let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().unwrap_or_else(|why| panic!("{why} behind {text:?}: {report}"))
}

fn end_of(path: &Path) -> String {
    let mut file = File::open(path).expect("it was created");
    let length = file.metadata().expect("its size").len();
    let mut bytes = Vec::new();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(length.saturating_sub(END_BYTES))).expect("a regular file");
    file.read_to_end(&mut bytes).expect("readable");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn reports_are_read() {
    assert_eq!(figure_behind("==1== Collected : 8005395\n==1== \n", "Collected : "), 8_005_395);
    assert_eq!(figure_behind("==1== Collected : 8,005,395\n", "Collected : "), 8_005_395);
    std::panic::catch_unwind(|| figure_behind("nothing", "Collected : ")).expect_err("no figure");
    let report =
        "    calls syscall\n--------- ------\n        2 read\n       11 pread64\n--------- ------\n       13 total\n";
    assert_eq!(parsed(report), Calls::from([("read".to_owned(), 2), ("pread64".to_owned(), 11)]));
    let profile = "fn=(1) main\n16 4\ncfn=(2) malloc\ncalls=3 50\n16 400\ncfn=(3) free\ncalls=3 70\n16 90\n\n\
                   fn=(4) realloc\n5 1\ncfn=(2)\ncalls=2 50\n5 9\n\nfn=(5) grow\n7 1\ncfn=(4)\ncalls=20 60\n7 9\n";
    assert_eq!(allocations_in(profile), 23);
}
