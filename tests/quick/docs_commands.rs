//! Every command of README and docs/ is run here, as a person would, or by the test that is named beside it; and what is shown
//! below it is what it prints.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::support::bounded::wait_for;
use crate::support::files::{directory, directory_with_space, write_script};
use crate::support::markdown::documents;
use crate::support::program::Program;

/// What timeout(1) ends with when its command had to be ended.
const TIMED_OUT: i32 = 124;

/// What stands for timeout(1) in the README's examples: how much a machine does in so many seconds, nobody knows. It ends its
/// command when the file beside it is there; or when its directory is gone, because the test has failed.
const TIMEOUT: &str = r#"#!/bin/sh
here=$(dirname "$0")
shift
"$@" &
while [ -d "$here" ] && [ ! -e "$here/enough" ]; do sleep 0.02; done
kill $!
wait $!
exit 124
"#;

/// What `seq 500000` writes.
const NUMBERS_BYTES: u64 = 3_388_895;

/// More than the longest example takes a debug build on a busy machine.
const BLOCK_DEADLINE: Duration = Duration::from_secs(100);

/// Runs a block as a person would, in a directory of its own, with the built binary as `sidetail`.
fn run_block(block: &str, at: &Path) -> (String, String) {
    run_block_until(block, at, 0, |_| true)
}

/// The same with `timeout` in it, which ends its command when what it is there for is done. Then the block ends with a code.
#[track_caller]
fn run_block_until(block: &str, at: &Path, code: i32, is_enough: impl Fn(&Program) -> bool) -> (String, String) {
    let tools = directory();
    write_script(&tools.path().join("timeout"), TIMEOUT);
    let binary = Path::new(env!("CARGO_BIN_EXE_sidetail")).parent().expect("a directory");
    let path = std::env::var("PATH").expect("a PATH");
    let path = format!("{}:{}:{path}", tools.path().display(), binary.display());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", block]).current_dir(at).env("PATH", path).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = Program::spawn(&mut shell);
    if wait_for(|| is_enough(&program).then_some(()), BLOCK_DEADLINE).is_none() {
        panic!("waited in vain for what is shown of {block}\n{}\n{}", program.stdout(), program.stderr());
    }
    fs::write(tools.path().join("enough"), "").expect("written");
    let ended = program.wait_for(BLOCK_DEADLINE);
    assert_eq!(ended.status.code(), Some(code), "{block}\n{}", ended.stderr);
    (ended.stdout, ended.stderr)
}

/// The first lines of the blocks that are not run here, and where they are.
const ELSEWHERE: [(&str, &str); 16] = [
    ("cargo run --release -- demo", "demo.rs runs the built binary"),
    ("cargo test", "this is it"),
    ("docker build -t ghcr.io/sidetail/sidetail:0.1.0 .", "pods: image.rs builds the last stage"),
    ("docker run --rm ghcr.io/sidetail/sidetail:0.1.0 demo", "pods: image.rs"),
    ("kubectl apply -f examples/pod-specs/sidecar.yaml", "pods: first_pod.rs plays it, pod.rs runs `check`"),
    ("kubectl apply -f examples/pod-specs/counter.yaml", "pods: pod.rs plays it"),
    ("kubectl apply -k examples/kustomize/overlay", "pods: specs.rs builds it, and plays what comes out"),
    ("kubectl apply -f examples/metrics", "pods: metrics_examples.rs looks at what kubectl takes, and runs it"),
    ("kubectl apply -f examples/injection", "pods: injection.rs evaluates the policies, and plays what comes out"),
    ("kubectl exec POD -c sidetail -- /sidetail check", "pods: pod.rs runs it"),
    ("cargo build --release --locked", "the program under test is built by the same configuration"),
    ("cargo build --release && bench/run", "measured: `bench_run_has_all_figures` is a small run of it"),
    ("cargo build --release && bench/run --kinds", "measured: `bench_run_streams_kinds_of_logs` is one of three kinds"),
    ("cargo build --release && bench/compare", "measured: `bench_compare_finds_what_sidetail_does` is a small run"),
    ("cargo build --release && bench/sizing", "measured: `bench_sizing_has_all_figures` is a small run of it"),
    ("cargo build --release && bench/rotate", "measured: `bench_rotate_finds_nothing_lost` is a small run of it"),
];

#[test]
fn every_command_of_the_documents_is_checked() {
    let mut unused: Vec<_> = ELSEWHERE.iter().map(|(first, _)| *first).collect();
    for document in documents() {
        for (block, shown) in document.commands() {
            let first = block.lines().next().unwrap_or_default();
            if ELSEWHERE.iter().any(|(elsewhere, _)| *elsewhere == first) {
                assert_eq!(shown, Vec::<String>::new(), "{}: {first}", document.name);
                unused.retain(|unused| *unused != first);
            } else {
                check_block(&block, &shown);
            }
        }
    }
    assert_eq!(unused, Vec::<&str>::new(), "no document has these");
}

/// Runs a block, and compares what it prints with what is shown.
#[track_caller]
fn check_block(block: &str, shown: &[String]) {
    let dir = directory_with_space();
    if block.contains("sidetail classify") {
        assert_eq!(shown, [run_block(block, dir.path()).0]);
    } else if block.contains("sidetail check") {
        let (stdout, _) = run_block(block, dir.path());
        let said = stdout.replace(dir.path().to_str().expect("ASCII"), "/var/log/app");
        assert_eq!(masked(&shown[0]), masked(&said), "{stdout}");
    } else if block.contains("ROTATE_INTERVAL") {
        let log = dir.path().join("numbers.log");
        // Everything is reclaimed that was streamed, but the last block.
        let is_reclaimed =
            |_: &Program| fs::metadata(&log).is_ok_and(|log| log.size() == NUMBERS_BYTES && log.blocks() * 512 <= 4096);
        assert_eq!(shown, [run_block_until(block, dir.path(), 0, is_reclaimed).0]);
    } else if block.contains("app.log") {
        let is_shown = |program: &Program| shown == [program.stdout(), program.stderr()];
        let (stdout, stderr) = run_block_until(block, dir.path(), TIMED_OUT, is_shown);
        assert_eq!(shown, [stdout, stderr]);
    } else if block.contains("SIDETAIL_DROP") {
        check_the_rules(block, dir.path());
    } else {
        panic!("nobody runs {block}");
    }
}

/// Runs the block of rules on files that have what they are about.
#[track_caller]
fn check_the_rules(block: &str, at: &Path) {
    fs::write(at.join("access.log"), "GET /healthz\nGET /\n").expect("written");
    fs::write(at.join("error.log"), "one\n").expect("written");
    fs::write(at.join("app.log"), "an ERROR here\nall well\n").expect("written");
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = [sorted("GET /\nall well"), sorted("an ERROR here\none")];
    let is_all = |program: &Program| [program.stdout(), program.stderr()].map(|text| sorted(&text)) == expected;
    let (stdout, stderr) = run_block_until(block, at, TIMED_OUT, is_all);
    assert_eq!([stdout, stderr].map(|text| sorted(&text)), expected);
}

/// The output of `check` without what is the machine's: ids, sizes, limits, the file system, and so the width of columns.
fn masked(text: &str) -> Vec<String> {
    let mask = |word: &str| {
        let word = word.split("/.sidetail/").next().unwrap_or_default();
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        if is_number { "N".to_owned() } else { word.to_owned() }
    };
    let mut lines = text.lines();
    let mut masked = Vec::new();
    while let Some(line) = lines.next() {
        masked.push(line.split_whitespace().map(mask).collect::<Vec<_>>().join(" "));
        // What is said of a directory is all the machine's, and so are our groups.
        if line.ends_with("DIRECTORY") {
            lines.next();
        }
    }
    masked[0] = masked[0].split_inclusive("runs as N").next().unwrap_or_default().to_owned();
    masked
}

#[test]
fn masking_hides_nothing_but_the_machine() {
    let text = "sidetail 0.1.0 runs as 0:0, 4\n 67 4Ki json  a.log\nFREE DIRECTORY\n1Gi ext4 /x\nstate /x/.sidetail/0f: made\n";
    let expected = ["sidetail N runs as N", "N N json a.log", "FREE DIRECTORY", "state /x made"];
    assert_eq!(masked(text), expected);
}
