//! The scripts of `bench/` find all figures.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::support::files::directory;
use crate::support::mounted::Mounted;
use crate::support::program::Program;
use crate::support::say::ignore;

/// What `bench/run` has of every program in each case.
const FIGURES: [(&str, &[&str]); 7] = [
    ("catch-up", &["mb_per_s", "cpu_s_per_gib", "peak_kib", "bytes_out"]),
    (
        "steady",
        &[
            "cpu_s_per_million",
            "switches_per_s",
            "p50_ms",
            "p99_ms",
            "lone_p50_ms",
            "lone_p99_ms",
            "lost",
            "repeated",
            "torn",
        ],
    ),
    ("idle", &["cpu_ms_per_min", "wakeups_per_s", "rss_kib", "private_kib", "pss_kib", "lost", "repeated", "torn"]),
    ("many", &["cpu_s", "rss_kib", "peak_kib", "p99_ms", "lost", "repeated", "torn"]),
    ("stalled", &["growth_kib", "rotations", "lost", "repeated", "torn"]),
    ("start", &["first_byte_ms"]),
    ("size", &["binary_bytes", "image_bytes"]),
];

#[test]
fn bench_run_has_all_figures() {
    let dir = directory();
    let file = dir.path().join("figures.json");
    let mut bench = std::process::Command::new("bench/run");
    bench.args(["--quick", "--mib", "8", "--rounds", "1", "--seconds", "1", "--files", "100"]);
    bench.args(["--programs", "sidetail,tail", "--binary", env!("CARGO_BIN_EXE_sidetail"), "--json"]).arg(&file);
    bench.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::piped()).stderr(Stdio::null());
    let ended = Program::spawn(&mut bench).wait_for(Duration::from_secs(300));
    // Its exit code says that sidetail lost, repeated and changed nothing.
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stdout);
    let found: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).expect("figures")).expect("JSON");
    for (case, names) in FIGURES {
        let programs = found["cases"][case].as_object().expect(case);
        // Of a catch-up there are those of cat, and of sidetail in four configurations.
        assert_eq!(programs.len(), if case == "catch-up" { 6 } else { 2 }, "{case}");
        for (program, figures) in programs {
            for name in names {
                assert!(figures["median"][name].as_f64() >= Some(0.0), "{case}: {program}: {name}: {figures}");
            }
            assert!(figures["rounds"][0].is_object(), "{case}: {program}: {figures}");
        }
    }
    assert_eq!(found["cases"]["catch-up"]["sidetail-json"]["median"]["is_equal"], true);
}

/// Of three kinds what `bench/run --kinds` has of all.
#[test]
fn bench_run_streams_kinds_of_logs() {
    let dir = directory();
    let file = dir.path().join("figures.json");
    let mut bench = std::process::Command::new("bench/run");
    bench.args(["--kinds", "redis,plain,changing from line to line", "--mib", "4", "--rounds", "1"]);
    bench.args(["--programs", "sidetail,tail", "--binary", env!("CARGO_BIN_EXE_sidetail"), "--json"]).arg(&file);
    bench.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::piped()).stderr(Stdio::null());
    let ended = Program::spawn(&mut bench).wait_for(Duration::from_secs(120));
    // Its exit code says that every byte came from sidetail.
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stdout);
    for row in ["| sidetail, defaults, 20 % errors ", "| changing from line to line | "] {
        assert!(ended.stdout.contains(row), "{}", ended.stdout);
    }
    let found: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).expect("figures")).expect("JSON");
    let kinds = found["cases"].as_object().expect("kinds");
    assert_eq!(kinds.len(), 3);
    for (kind, figures) in kinds {
        let columns = figures["rounds"].as_object().expect(kind);
        // cat; of tail and of the defaults three shares of errors, and slow readers; four more ways to run sidetail.
        assert_eq!(columns.len(), 1 + 4 + 4 + 4, "{kind}");
        for (column, rounds) in columns {
            assert!(rounds[0].as_f64() > Some(0.0), "{kind}: {column}: {rounds}");
        }
    }
}

#[test]
fn bench_sizing_has_all_figures() {
    if !rustix::process::geteuid().is_root() {
        return ignore("control groups need root");
    }
    let mut bench = std::process::Command::new("bench/sizing");
    bench.args(["--seconds", "0.2", "--rounds", "1", "--binary", env!("CARGO_BIN_EXE_sidetail")]);
    bench.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = Program::spawn(&mut bench).wait_for(Duration::from_secs(120));
    if ended.stderr.contains("cannot make a control group") {
        return ignore(ended.stderr.trim_end());
    }
    assert!(ended.status.success(), "{}", ended.stderr);
    let rows: Vec<_> = ended.stdout.lines().filter(|line| line.starts_with("| ") && line.contains("MB/s")).collect();
    assert_eq!(rows.len(), 5, "{}", ended.stdout);
    assert!(rows.iter().all(|row| row.matches(" | ").count() == 6), "{}", ended.stdout);
}

#[test]
fn bench_rotate_finds_nothing_lost() {
    if let Err(why) = Mounted::tmpfs("size=1m") {
        return ignore(&why);
    }
    let size = 256 << 10;
    let mut bench = std::process::Command::new("bench/rotate");
    bench.args([
        "--seconds",
        "0.5",
        "--rate",
        "20000",
        "--rotate-size",
        &size.to_string(),
        "--alone",
        "--case",
        "tmpfs",
    ]);
    bench.args(["--json", "--binary", env!("CARGO_BIN_EXE_sidetail")]);
    bench.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::piped()).stderr(Stdio::null());
    // Not its exit code: what a file holds at the worst moment is a question of time.
    let ended = Program::spawn(&mut bench).wait_for(Duration::from_secs(120));
    let result: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let result = &result["results"]["tmpfs"]["sidetail"];
    for wrong in ["lost", "repeated", "disordered", "torn"] {
        assert_eq!(result[wrong], 0, "{result}");
    }
    assert!(result["written"].as_u64() > Some(10_000), "{result}");
    assert!(result["at_rest"].as_u64() <= Some(size), "{result}");
}

/// Here only sidetail, and only the simplest case.
#[test]
fn bench_compare_finds_what_sidetail_does() {
    let mut bench = std::process::Command::new("bench/compare");
    bench.args(["--quick", "--case", "rename", "--json", "--binary", env!("CARGO_BIN_EXE_sidetail")]);
    bench.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::piped()).stderr(Stdio::null());
    let ended = Program::spawn(&mut bench).wait_for(Duration::from_secs(120));
    assert_eq!(ended.status.code(), Some(0));
    let result: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert!(result.to_string().contains("sidetail"), "{result}");
}
