//! What archives cost the stream: nothing that a reader notices, and little memory. Tried on the static release binary.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, pipe};
use crate::support::room::unpacked;
use crate::support::say::say;

/// What is archived in one go, in bytes: some seconds' work.
const ARCHIVED_BYTES: usize = 96 << 20;

/// How often a line is written meanwhile.
const EVERY: Duration = Duration::from_millis(5);

/// What a line may wait longer because of an archive.
const DELAY_MAX: Duration = Duration::from_millis(20);

/// What is promised for every input, in KiB.
const RESIDENT_KIB_MAX: u64 = 6 * 1024;

/// That much takes some seconds at most, but for a machine that is busy with something else.
const STREAMED_WITHIN: Duration = Duration::from_secs(60);

/// The machine may be busy with something else; one quiet time is enough to see that it is possible.
const TRIES: usize = 5;

/// Lines as an access log has them, a fifth of that when compressed: numbers that nobody can guess. The last one is a mark.
fn access_lines(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 100);
    let mut state = 1_u64;
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [a, b, c, d] = [56, 48, 40, 32].map(|shift| (state >> shift) as u8);
        text += &format!("10.{a}.{b}.{c} - - \"GET /items/{} HTTP/1.1\" 200 {}\n", state >> 40, u32::from(d) * 97);
    }
    text + "mark end\n"
}

/// Writes a line of this label every few milliseconds as long as `goes_on`, and returns how long each of them took until it
/// came out.
fn delays(
    file: &mut File,
    label: &str,
    came: &Receiver<(String, Instant)>,
    goes_on: impl Fn() -> bool,
) -> Vec<Duration> {
    let mut written = Vec::new();
    let mut next = Instant::now();
    while goes_on() {
        // The pace of a writer, not a wait for anything.
        thread::sleep(next.saturating_duration_since(Instant::now()));
        written.push(Instant::now());
        writeln!(file, "mark {label} {}", written.len()).expect("written");
        next = Instant::now() + EVERY;
    }
    let mut delays = Vec::new();
    for (number, at) in written.into_iter().enumerate() {
        let (line, when) = came.recv_timeout(DEADLINE).expect("the line comes out");
        assert_eq!(line, format!("mark {label} {}", number + 1));
        delays.push(when - at);
    }
    delays.sort_unstable();
    delays
}

/// The lines of the one log, and when they came.
fn marks(reader: OwnedFd) -> Receiver<(String, Instant)> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let lines = BufReader::new(File::from(reader)).lines().map_while(Result::ok);
        for line in lines.filter(|line| line.starts_with("mark ")) {
            if sender.send((line, Instant::now())).is_err() {
                return;
            }
        }
    });
    receiver
}

fn ninety_nine_of_100(delays: &[Duration]) -> Duration {
    delays[delays.len() * 99 / 100]
}

/// Archives a large log while another one is written to; returns what 99 of 100 lines of that waited at most, before and
/// meanwhile.
fn waited(binary: &Path, text: &str) -> (Duration, Duration) {
    let dir = directory();
    let (large, small) = (dir.path().join("large.log"), dir.path().join("small.log"));
    append(&large, text);
    let mut file = File::create(&small).expect("created");
    let (reader, writer) = pipe();
    let came = marks(reader);
    let mut command = Command::new(binary);
    command.env("SIDETAIL_PATHS", dir.path().join("*.log")).env("SIDETAIL_STDERR", "");
    command.env("SIDETAIL_ROTATE_SIZE", "1Gi").env("SIDETAIL_ROTATE_KEEP", "3").env("SIDETAIL_LOG", "error");
    let program = Program::spawn(command.stdout(Stdio::from(writer)).stderr(Stdio::piped()));
    drop(command);
    came.recv_timeout(STREAMED_WITHIN).expect("the large log is streamed");
    let start = Instant::now();
    let before = delays(&mut file, "before", &came, || start.elapsed() < Duration::from_secs(1));
    let archive = dir.path().join("large.log.1.gz");
    program.signal(Signal::HUP);
    let meanwhile = delays(&mut file, "meanwhile", &came, || !archive.exists());
    let peak = program.status_field("VmHWM");
    say(&format!("an archive of {} MiB: {peak} KiB resident at most", ARCHIVED_BYTES >> 20));
    assert!(peak <= RESIDENT_KIB_MAX, "{peak} KiB");
    assert!(meanwhile.len() > 20, "{} lines while it was archived", meanwhile.len());
    assert!(program.terminate().status.success());
    assert!(text.starts_with(&unpacked(&archive)), "the archive is whole");
    (ninety_nine_of_100(&before), ninety_nine_of_100(&meanwhile))
}

#[test]
fn while_a_log_is_archived_no_line_waits_for_it_and_memory_stays_small() {
    let (binary, text) = (Path::new(env!("CARGO_BIN_EXE_sidetail")), access_lines(ARCHIVED_BYTES));
    let is_quick = (0..TRIES).any(|_| {
        let (before, meanwhile) = waited(binary, &text);
        say(&format!(
            "99 of 100 lines wait {before:?} at most, {meanwhile:?} while {} MiB are archived",
            ARCHIVED_BYTES >> 20
        ));
        meanwhile <= before + DELAY_MAX
    });
    assert!(is_quick, "lines waited for an archive {TRIES} times");
}
