//! README, `--help` and pod specs say what the program does: the tables are the table's, and every example is run here or by
//! the test that is named beside it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sidetail::config::{Config, PREFIX, TABLE};
use sidetail::disk::policy::Budget;
use sidetail::sys::units::quantity;

use crate::support::bounded::wait_for;
use crate::support::files::{directory, write_script};
use crate::support::program::{Program, command};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Returns the code blocks of a language, in order.
fn blocks(markdown: &str, language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    markdown.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

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

#[test]
fn the_readme_has_the_table_of_variables() {
    let readme = read("README.md");
    let row = |name: &str, default: &str, help: &str, example: &str| {
        let default = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
        let example = example.replace('|', "\\|");
        format!("| `{PREFIX}{name}` | {default} | {help} | `{example}` |\n")
    };
    let table: String = TABLE.iter().map(|one| row(one.name, one.default, one.help, one.example)).collect();
    let found: String = readme.split_inclusive('\n').filter(|line| line.starts_with("| `SIDETAIL_")).collect();
    assert_eq!(found, table, "the README's table should be:\n{table}");
}

#[test]
fn help_names_every_variable_with_its_default() {
    let help = Program::spawn(command(&[]).arg("--help").stdout(Stdio::piped())).wait().stdout;
    for variable in TABLE {
        let default = if variable.default.is_empty() { "none" } else { variable.default };
        let line = format!("  {PREFIX}{} (default: {default})\n", variable.name);
        assert!(help.contains(&line), "{line}");
    }
    let version = Program::spawn(command(&[]).arg("--version").stdout(Stdio::piped())).wait().stdout;
    assert_eq!(version, format!("sidetail {}\n", env!("CARGO_PKG_VERSION")));
}

/// Every command block of the README, and where it is checked.
#[test]
fn every_command_of_the_readme_is_checked() {
    let readme = read("README.md");
    let dir = directory();
    for block in blocks(&readme, "sh") {
        match block.lines().next().unwrap_or_default() {
            // demo.rs runs the built binary with the same argument.
            "cargo run --release -- demo" |
            // This is it.
            "cargo test" |
            // pod.rs plays the specs.
            "kubectl apply -f examples/pod-specs/counter.yaml" |
            // specs.rs builds it, and plays what comes out.
            "kubectl apply -k examples/kustomize/overlay" |
            // The program under test is built by the same configuration; CI runs the last one.
            "cargo build --release --locked" | "docker build -t ghcr.io/sidetail/sidetail:0.1.0 ." | "bash .ci/run" => {}
            // `bench_run_has_all_figures` is a small run of it.
            bench if bench.ends_with("&& bench/run") => {}
            // `bench_run_streams_kinds_of_logs` is one of three kinds.
            bench if bench.ends_with("&& bench/run --kinds") => {}
            // `bench_compare_finds_what_sidetail_does` is a small run of it.
            bench if bench.ends_with("&& bench/compare") => {}
            // `bench_rotate_finds_nothing_lost` is a small run of it.
            bench if bench.ends_with("&& bench/rotate") => {}
            classify if classify.contains("sidetail classify") => {
                let (stdout, _) = run_block(&block, dir.path());
                assert_eq!(blocks(&readme, "tsv"), [stdout]);
            }
            check if check.contains("api.log") => {
                let dir = directory();
                let (stdout, _) = run_block(&block, dir.path());
                let shown = stdout.replace(dir.path().to_str().expect("ASCII"), "/var/log/app");
                assert_eq!(masked(&blocks(&readme, "text")[2]), masked(&shown), "{stdout}");
            }
            _ if block.contains("ROTATE_INTERVAL") => {
                let dir = directory();
                let log = dir.path().join("numbers.log");
                // Everything is reclaimed that was streamed, but the last block.
                let is_reclaimed = |_: &Program| {
                    fs::metadata(&log).is_ok_and(|log| log.size() == NUMBERS_BYTES && log.blocks() * 512 <= 4096)
                };
                let (stdout, _) = run_block_until(&block, dir.path(), 0, is_reclaimed);
                assert_eq!(blocks(&readme, "text")[3], stdout);
            }
            _ if block.contains("app.log") => {
                let shown = &blocks(&readme, "text")[..2];
                let is_shown = |program: &Program| shown == [program.stdout(), program.stderr()];
                let (stdout, stderr) = run_block_until(&block, dir.path(), TIMED_OUT, is_shown);
                assert_eq!(shown, [stdout, stderr]);
            }
            _ => {
                fs::write(dir.path().join("access.log"), "GET /healthz\nGET /\n").expect("written");
                fs::write(dir.path().join("error.log"), "one\n").expect("written");
                fs::write(dir.path().join("app.log"), "an ERROR here\nall well\n").expect("written");
                fs::remove_dir_all(dir.path().join(".sidetail")).expect("the state of the example before");
                let sorted = |text: &str| {
                    let mut lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
                    lines.sort();
                    lines
                };
                let expected = [sorted("GET /\nall well"), sorted("an ERROR here\none")];
                let is_all = |program: &Program| [program.stdout(), program.stderr()].map(|text| sorted(&text)) == expected;
                let (stdout, stderr) = run_block_until(&block, dir.path(), TIMED_OUT, is_all);
                assert_eq!([stdout, stderr].map(|text| sorted(&text)), expected);
            }
        }
    }
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

#[test]
fn the_readme_shows_the_container_of_the_pod_spec() {
    let (readme, spec) = (read("README.md"), read("examples/pod-specs/counter.yaml"));
    let shown = blocks(&readme, "yaml");
    assert_eq!(shown.len(), 1);
    assert!(spec.contains(&shown[0]), "counter.yaml has another container");
}

#[test]
fn every_file_that_the_readme_links_to_exists() {
    let readme = read("README.md");
    let links: Vec<_> = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 4);
    for link in links.iter().filter(|link| !link.starts_with("http")) {
        if let Some(heading) = link.strip_prefix('#') {
            let heading = heading.replace('-', " ");
            assert!(readme.to_lowercase().contains(&format!("\n## {heading}\n")), "{link}");
            continue;
        }
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(link).exists(), "{link}");
    }
}

#[test]
fn the_pod_specs_are_valid_configurations() {
    let specs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pod-specs")).expect("the specs");
    let names: Vec<_> = specs.map(|entry| entry.expect("readable").file_name().into_string().expect("ASCII")).collect();
    assert_eq!(names.len(), 13, "{names:?}");
    let specs = names.iter().map(|name| format!("examples/pod-specs/{name}"));
    for name in specs.chain(["examples/kustomize/component/sidecar.yaml".to_owned()]) {
        let spec = read(&name);
        let variables = variables(&spec);
        assert_eq!(variables.len(), spec.matches("- name: SIDETAIL_").count(), "{name}");
        let config = Config::from_variables(variables, &[], Path::new("/"));
        let policy = config.unwrap_or_else(|problems| panic!("{name}: {}", problems[0])).rotate;
        // What reclaims disk does so before the kubelet evicts the pod, and nothing else has a limit.
        let limit = spec.split_once("sizeLimit: ").and_then(|(_, rest)| rest.lines().next());
        let limit = limit.map(|limit| quantity(limit).expect("a quantity"));
        assert_eq!(policy.is_on(), limit.is_some(), "{name}");
        let wanted = [policy.size, if let Budget::Bytes(bytes) = policy.budget { Some(bytes) } else { None }];
        assert!(wanted.into_iter().flatten().all(|bytes| Some(bytes) < limit), "{name}");
    }
}

/// The variables of sidetail that a spec sets.
fn variables(spec: &str) -> Vec<(OsString, OsString)> {
    let mut lines = spec.lines().map(str::trim);
    let mut variables = Vec::new();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("- name: SIDETAIL_") else { continue };
        let value = lines.next().and_then(|line| line.strip_prefix("value: ")).expect("a value on the next line");
        variables.push((format!("{PREFIX}{name}").into(), value.trim_matches('"').into()));
    }
    variables
}

#[test]
fn a_mistake_in_a_pod_spec_is_seen() {
    let spec = read("examples/pod-specs/tomcat.yaml");
    for (from, to) in [("SIDETAIL_ROTATE_SIZE", "SIDETAIL_ROTATE_SIZ"), ("8Mi", "8MB"), ("\"3\"", "\"three\"")] {
        let wrong = Config::from_variables(variables(&spec.replacen(from, to, 1)), &[], Path::new("/"));
        assert!(wrong.is_err(), "{from} as {to}");
    }
}
