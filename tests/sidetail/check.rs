//! `sidetail check`: what it finds, what it warns of, and that it changes nothing.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use rustix::fs::{FallocateFlags, FlockOperation, Mode};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::bounded::run;
use crate::support::files::{append, directory};
use crate::support::mounted::{COMMAND_DEADLINE, Mounted, ignore};
use crate::support::program::{Ended, Program, command};
use crate::support::room::{AnotherUser, set_mode};

/// What must never be printed.
const SECRET: &str = "hunter2";

/// Runs a command that starts it with the argument `check`, to its end.
fn launched(mut launcher: Command, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    launcher.arg("check").args(arguments);
    Program::launch(launcher, variables).wait()
}

fn checked(variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    launched(Command::new(env!("CARGO_BIN_EXE_sidetail")), variables, arguments)
}

/// What `--json` prints of these files.
#[track_caller]
fn report(paths: &str, variables: &[(&str, &str)]) -> Value {
    parsed(&checked(&[&[("PATHS", paths)], variables].concat(), &["--json"]))
}

#[track_caller]
fn parsed(ended: &Ended) -> Value {
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout.lines().count(), 1, "one object on one line");
    serde_json::from_str(&ended.stdout).expect("JSON")
}

fn logs(dir: &Path) -> String {
    format!("{}/*.log", dir.display())
}

/// The kinds of the warnings.
fn kinds(report: &Value) -> Vec<&str> {
    let warnings = report["warnings"].as_array().expect("a list");
    warnings.iter().map(|warning| warning["kind"].as_str().expect("a text")).collect()
}

/// Holds a report to just one warning of this kind, apart from those of the machine, which has all these words.
#[track_caller]
fn warns(report: &Value, kind: &str, words: &[&str]) {
    let warnings = report["warnings"].as_array().expect("a list");
    let of_kind: Vec<_> = warnings.iter().filter(|warning| warning["kind"] == kind).collect();
    assert_eq!(of_kind.len(), 1, "warnings of {kind} in {warnings:#?}");
    let message = of_kind[0]["message"].as_str().expect("a text");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}

/// Holds a report to no warning, apart from those of the machine.
#[track_caller]
fn warns_of_nothing(report: &Value) {
    let of_machine = ["nearly-full", "birth-times", "inotify"];
    let kinds: Vec<_> = kinds(report).into_iter().filter(|kind| !of_machine.contains(kind)).collect();
    assert!(kinds.is_empty(), "{:#?}", report["warnings"]);
}

fn first_file(report: &Value) -> &Value {
    &report["patterns"][0]["files"][0]
}

#[test]
fn each_file_is_described_as_it_would_be_followed() {
    let dir = directory();
    append(&dir.path().join("api.log"), "{\"level\":\"error\"}\n{\"level\":\"info\"}\n{\"level\":\"debug\"}\n");
    append(&dir.path().join("empty.log"), "");
    append(&dir.path().join("words.log"), "a\nb\nan unfinished line");
    append(&dir.path().join("excluded.log"), "a\n");
    set_mode(&dir.path().join("words.log"), 0o600);
    let path = |name: &str| dir.path().join(name).display().to_string();
    let variables = [("DROP", "level=debug"), ("EXCLUDE", "ex*"), ("ROTATE_SIZE", "1Mi"), ("FORMATS", "empty*=klog")];
    let report = report(&logs(dir.path()), &variables);
    let owner = fs::metadata(dir.path()).expect("there");
    let file = |name: &str, size: u64, mode: &str, format: Value, lines: [u64; 3]| {
        let allocated = fs::metadata(path(name)).expect("there").blocks() * 512;
        let [stdout, stderr, dropped] = lines;
        json!({
            "path": path(name), "size": size, "allocated": allocated, "mode": mode, "uid": owner.uid(), "gid": owner.gid(),
            "readable": true, "writable": true, "format": format, "pinned": name == "empty.log", "every_line": null,
            "first_lines": { "stdout": stdout, "stderr": stderr, "dropped": dropped }, "rotation": "punch",
        })
    };
    let umask = format!("{:04o}", fs::metadata(path("api.log")).expect("there").mode() & 0o7777);
    let expected = json!([{
        "pattern": logs(dir.path()),
        "files": [
            file("api.log", 53, &umask, json!("json"), [1, 1, 1]),
            file("empty.log", 0, &umask, json!("klog"), [0, 0, 0]),
            file("words.log", 22, "0600", json!("plain"), [2, 0, 0]),
        ],
        "named_before": 0,
    }]);
    assert_eq!(report["patterns"], expected, "{:#}", report["patterns"]);
    assert_eq!(report["rotation"], json!({ "method": "auto", "size": 1 << 20, "interval_seconds": null, "keep": 0 }));
    assert_eq!((&report["files"], &report["uid"]), (&json!(3), &json!(rustix::process::geteuid().as_raw())));
    warns_of_nothing(&report);
}

#[test]
fn a_file_is_named_once_and_patterns_say_what_others_named() {
    let dir = directory();
    append(&dir.path().join("a.log"), "a\n");
    append(&dir.path().join("b.txt"), "b\n");
    let paths = format!("{0}/{{a,c}}.log,{0}/*", dir.path().display());
    let report = report(&paths, &[]);
    let found: Vec<_> = report["patterns"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["files"].as_array().expect("a list").len(), one["named_before"].as_u64().expect("a number")))
        .collect();
    assert_eq!(found, [(1, 0), (0, 0), (1, 1)]);
    warns(&report, "no-match", &["/c.log matches nothing yet", "volume"]);
}

#[test]
fn streams_and_the_rest_behind_a_hole_are_those_of_the_rules() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, vec![b'x'; 8191]);
    append(&path, "\n");
    append(&path, "the torn line\n");
    append(&path, "level=error msg=a\nlevel=info msg=b\n");
    let file = OpenOptions::new().write(true).open(&path).expect("our own");
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    if let Err(why) = rustix::fs::fallocate(&file, flags, 0, 8192) {
        return ignore(&format!("the temporary directory's file system cannot punch: {why}"));
    }
    file.write_all_at(b"\0\0\0\0", 8192).expect("written");
    let found = report(&logs(dir.path()), &[]);
    assert_eq!(first_file(&found)["format"], "logfmt", "{found:#}");
    assert_eq!(first_file(&found)["first_lines"], json!({ "stdout": 1, "stderr": 1, "dropped": 0 }));
    for (variables, every) in
        [(("STDERR", "file:a.log"), "stderr"), (("STDERR", ""), "stdout"), (("DROP", "file:*"), "dropped")]
    {
        assert_eq!(first_file(&report(&logs(dir.path()), &[variables]))["every_line"], every);
    }
}

/// One warning each, of what is made in a directory of its own.
#[test]
fn what_is_wrong_with_patterns_and_files_is_told() {
    type Case =
        (fn(&Path), &'static str, &'static [(&'static str, &'static str)], &'static str, &'static [&'static str]);
    let cases: [Case; 9] = [
        (|_| {}, "*.log", &[], "no-match", &["matches nothing yet", "both containers"]),
        (|_| {}, "later/*.log", &[], "directory-missing", &["/later does not exist yet", "mount that"]),
        (
            |dir| symlink("/etc/hostname", dir.join("a.log")).expect("a link"),
            "*.log",
            &[],
            "unreadable",
            &["leads out"],
        ),
        (
            |dir| symlink("nowhere", dir.join("a.log")).expect("a link"),
            "*.log",
            &[],
            "unreadable",
            &["link to nothing"],
        ),
        (
            |dir| {
                let mode = Mode::RUSR | Mode::WUSR;
                rustix::fs::mknodat(rustix::fs::CWD, dir.join("a.log"), rustix::fs::FileType::Fifo, mode, 0)
                    .expect("a FIFO");
            },
            "*.log",
            &[],
            "unreadable",
            &["not a regular file", "SIDETAIL_EXCLUDE"],
        ),
        (|dir| fs::create_dir(dir.join("a.log")).expect("made"), "*.log", &[], "unreadable", &["it is a directory"]),
        (
            |dir| append(&dir.join("a.log"), "level=info msg=a\nlevel=info msg=b\n"),
            "*.log",
            &[("FORMATS", "*.log=json")],
            "format",
            &["pinned to json", "first 2 lines", "logfmt", "SIDETAIL_FORMATS"],
        ),
        (
            |dir| append(&dir.join("a.log"), "a\n"),
            "*.log",
            &[("DIR_BUDGET", "15Ei")],
            "budget",
            &["SIDETAIL_DIR_BUDGET=15Ei is more than the volume", "write less"],
        ),
        (
            |dir| append(&dir.join("a.log"), "a\n"),
            "*.log",
            &[("ROTATE_SIZE", "8Ei")],
            "rotate-size",
            &["1 files of SIDETAIL_ROTATE_SIZE=8Ei", "SIDETAIL_DIR_BUDGET, such as"],
        ),
    ];
    for (make, pattern, variables, kind, words) in cases {
        let dir = directory();
        make(dir.path());
        let paths = format!("{}/{pattern}", dir.path().display());
        warns(&report(&paths, variables), kind, words);
        // And without that there is none.
        let dir = directory();
        append(&dir.path().join("a.log"), "{}\n");
        warns_of_nothing(&report(&logs(dir.path()), &variables[..0]));
    }
    // Some lines of another format are no mistake.
    let dir = directory();
    append(&dir.path().join("a.log"), "starting\n{\"level\":\"info\"}\n");
    warns_of_nothing(&report(&logs(dir.path()), &[("FORMATS", "*.log=json")]));
}

#[test]
fn a_budget_by_the_volume_wants_a_volume_of_its_own() {
    warns(&report("/*.no-such-log", &[("DIR_BUDGET", "auto")]), "budget", &["no file system of its own", "48Mi"]);
    match Mounted::tmpfs("size=4m") {
        Ok(mounted) => {
            append(&mounted.path().join("a.log"), "a\n");
            warns_of_nothing(&report(&logs(mounted.path()), &[("DIR_BUDGET", "auto")]));
        }
        Err(why) => ignore(&why),
    }
}

#[test]
fn more_files_than_can_be_open_are_told() {
    let dir = directory();
    for number in 0..20 {
        append(&dir.path().join(format!("{number}.log")), "a\n");
    }
    let mut launcher = Command::new("sh");
    launcher.args(["-c", r#"ulimit -n 40; exec "$0" "$@""#, env!("CARGO_BIN_EXE_sidetail")]);
    let report = parsed(&launched(launcher, &[("PATHS", &logs(dir.path()))], &["--json"]));
    assert_eq!((&report["files"], &report["open_files_max"]), (&json!(20), &json!(8)));
    warns(&report, "open-files", &["20 files match, and 8 of them", "raise the limit"]);
}

#[test]
fn without_inotify_it_says_that_files_are_polled() {
    if let Err(why) = run(Command::new("unshare").args(["-Ur", "true"]), COMMAND_DEADLINE) {
        return ignore(&format!("inotify cannot be limited without user namespaces: {why}"));
    }
    let dir = directory();
    append(&dir.path().join("a.log"), "a\n");
    for (limit, at_most, words) in [
        ("max_inotify_instances", "0", ["cannot start inotify", "fs.inotify.max_user_instances"]),
        ("max_inotify_watches", "1", ["cannot watch", "fs.inotify.max_user_watches"]),
    ] {
        let script = format!(r#"echo {at_most} > /proc/sys/user/{limit} && exec "$0" "$@""#);
        let mut launcher = Command::new("unshare");
        launcher.args(["-Ur", "sh", "-c", &script, env!("CARGO_BIN_EXE_sidetail")]);
        let report = parsed(&launched(launcher, &[("PATHS", &logs(dir.path()))], &["--json"]));
        warns(&report, "inotify", &words);
        assert_eq!(report["inotify"]["works"], false);
    }
    let report = report(&logs(dir.path()), &[]);
    assert_eq!((&report["inotify"]["works"], &report["inotify"]["directories"]), (&json!(true), &json!(2)));
    assert!(report["inotify"]["max_user_watches"].as_u64() > Some(0), "{report:#}");
}

#[test]
fn what_another_user_may_not_is_told_with_owner_mode_and_group() {
    let another_user = match AnotherUser::new() {
        Ok(another_user) => another_user,
        Err(why) => return ignore(&why),
    };
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "a\n");
    std::os::unix::fs::chown(&path, Some(1001), Some(1001)).expect("root may");
    let of = |mode: (u32, u32), group: u32, variables: &[(&str, &str)]| {
        set_mode(dir.path(), mode.0);
        set_mode(&path, mode.1);
        let paths = logs(dir.path());
        let variables = [&[("PATHS", &*paths)], variables].concat();
        parsed(&launched(another_user.command(group), &variables, &["--json"]))
    };
    let rotate = [("ROTATE_SIZE", "1Mi")];
    let report = of((0o777, 0o600), 65532, &[]);
    let words =
        ["it belongs to 1001:1001 with mode 0600, sidetail runs as 65532:65532", "fsGroup: 65532", "umask", "read"];
    warns(&report, "unreadable", &words);
    assert_eq!((&first_file(&report)["mode"], &first_file(&report)["readable"]), (&json!("0600"), &json!(false)));
    let report = of((0o777, 0o640), 65532, &[]);
    warns(&report, "unreadable", &["0640", "set fsGroup: 65532 in the pod's securityContext"]);
    assert!(!report["warnings"].to_string().contains("umask"), "{report:#}");
    // In the right group, with the wrong mode.
    let report = of((0o777, 0o600), 1001, &[]);
    warns(&report, "unreadable", &["65532:1001; set a umask in the application"]);
    assert!(!report["warnings"].to_string().contains("fsGroup"), "{report:#}");
    warns_of_nothing(&of((0o777, 0o640), 1001, &[]));
    let report = of((0o777, 0o644), 65532, &rotate);
    warns(
        &report,
        "rotation",
        &["cannot give back what was streamed of", "1001:1001 with mode 0644", "fsGroup: 65532"],
    );
    assert_eq!((&first_file(&report)["writable"], &first_file(&report)["rotation"]), (&json!(false), &json!(null)));
    warns_of_nothing(&of((0o777, 0o666), 65532, &rotate));
    // The directory: archives, the state, renames, and a sticky one.
    let report = of((0o755, 0o666), 65532, &[rotate[0], ("ROTATE_KEEP", "3"), ("STATE", "/tmp")]);
    assert_eq!(kinds(&report), ["archives"], "{report:#}");
    warns(&report, "archives", &["SIDETAIL_ROTATE_KEEP=3", "its directory belongs to 0:0 with mode 0755", "fsGroup"]);
    let report = of((0o755, 0o666), 65532, &[]);
    warns(&report, "state", &["cannot keep state in", ".sidetail/", "SIDETAIL_STATE", "repeats"]);
    assert_eq!(report["state"]["kept"], false);
    let report = of((0o755, 0o666), 65532, &rotate);
    warns(&report, "rotation", &["there is no checkpoint on a disk"]);
    let rename = [rotate[0], ("ROTATE_METHOD", "rename"), ("STATE", "/tmp")];
    warns(&of((0o755, 0o666), 65532, &rename), "rotation", &["its directory belongs to 0:0"]);
    warns(&of((0o1777, 0o666), 65532, &rename), "rotation", &["chmod -t"]);
    assert_eq!(first_file(&of((0o777, 0o600 | 0o066), 65532, &rename))["rotation"], "rename");
    // It can be neither listed nor searched.
    warns(&of((0o700, 0o666), 65532, &[("STATE", "off")]), "unreadable", &["0:0 with mode 0700", "fsGroup"]);
}

#[test]
fn what_the_file_system_cannot_do_is_told() {
    let mounted = match Mounted::ramfs() {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    for name in ["a.log", "b.log"] {
        append(&mounted.path().join(name), "a\n");
    }
    let of = |variables: &[(&str, &str)]| report(&logs(mounted.path()), variables);
    let found = of(&[("ROTATE_SIZE", "1Mi")]);
    // Once, though it holds for both files.
    warns(&found, "rotation", &["cannot punch holes", "rename", "copytruncate"]);
    assert_eq!(found["directories"][0]["methods"], json!(["rename", "copytruncate"]));
    assert_eq!(found["directories"][0]["file_system"], "ramfs");
    for method in ["rename", "copytruncate"] {
        let found = of(&[("ROTATE_SIZE", "1Mi"), ("ROTATE_METHOD", method)]);
        warns_of_nothing(&found);
        assert_eq!(first_file(&found)["rotation"], method);
    }
}

#[test]
fn each_file_system_is_tried() {
    for (name, mounted, methods) in [
        ("ext4", Mounted::ext4(), json!(["punch", "collapse", "rename", "copytruncate"])),
        ("xfs", Mounted::xfs(), json!(["punch", "collapse", "rename", "copytruncate"])),
        ("tmpfs", Mounted::tmpfs("size=4m"), json!(["punch", "rename", "copytruncate"])),
        ("overlay", Mounted::overlay(Mounted::tmpfs("size=4m"), |_| {}), json!(["punch", "rename", "copytruncate"])),
    ] {
        let mounted = match mounted {
            Ok(mounted) => mounted,
            Err(why) => return ignore(&why),
        };
        append(&mounted.path().join("a.log"), "a\n");
        let before = snapshot(mounted.path());
        let report = report(&logs(mounted.path()), &[("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "1")]);
        let directory = &report["directories"][0];
        assert_eq!((&directory["file_system"], &directory["methods"]), (&json!(name), &methods), "{report:#}");
        assert_eq!(before, snapshot(mounted.path()), "{name}");
        if let Some(size) = directory["size"].as_u64().filter(|_| name == "tmpfs") {
            assert_eq!(size, 4 << 20);
        }
    }
}

#[test]
fn without_birth_times_it_says_what_is_not_found() {
    // Inodes of 128 bytes have no room for them.
    let mounted = match Mounted::loop_device("ext4", &["-q", "-F", "-I", "128"]) {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    append(&mounted.path().join("a.log"), "a\n");
    let report = report(&logs(mounted.path()), &[]);
    warns(&report, "birth-times", &["keeps no birth times", "emptyDir"]);
    assert_eq!(report["directories"][0]["birth_times"], false);
}

#[test]
fn a_full_volume_and_one_that_is_too_small_are_told() {
    let mounted = match Mounted::tmpfs("size=4m") {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    append(&mounted.path().join("a.log"), "a\n");
    let of = |variables: &[(&str, &str)]| report(&logs(mounted.path()), variables);
    warns(&of(&[("DIR_BUDGET", "48Mi")]), "budget", &["SIDETAIL_DIR_BUDGET=48Mi", "4Mi", "such as 3.1Mi"]);
    warns(&of(&[("ROTATE_SIZE", "4Mi")]), "rotate-size", &["1 files", "4Mi and a step of 1Mi"]);
    // With a budget the size of one file is no matter.
    let found = of(&[("ROTATE_SIZE", "4Mi"), ("DIR_BUDGET", "3Mi")]);
    assert!(kinds(&found).is_empty(), "{found:#}");
    // To its last block: what is tried needs none.
    File::create(mounted.path().join("filler"))
        .and_then(|file| file.write_all_at(&vec![1; 8 << 20], 0))
        .expect_err("full");
    let found = of(&[("ROTATE_SIZE", "1Mi")]);
    warns(&found, "nearly-full", &["nearly full", "of 4Mi are free"]);
    assert_eq!(first_file(&found)["rotation"], "punch");
}

#[test]
fn a_read_only_volume_is_told_and_left_alone() {
    let mounted = match Mounted::ext4() {
        Ok(mounted) => mounted,
        Err(why) => return ignore(&why),
    };
    for name in ["a.log", "b.log"] {
        append(&mounted.path().join(name), "a\n");
    }
    mounted.remount("ro");
    let found = report(&logs(mounted.path()), &[("ROTATE_SIZE", "1Mi"), ("ROTATE_KEEP", "2"), ("STATE", "/tmp")]);
    warns(&found, "rotation", &["its volume is read-only"]);
    warns(&found, "archives", &["its volume is read-only"]);
    let directory = &found["directories"][0];
    assert_eq!(directory["methods"], json!([]), "{found:#}");
    assert!(directory["not_tried"].as_str().is_some_and(|why| why.contains("Read-only")), "{found:#}");
    warns(&report(&logs(mounted.path()), &[]), "state", &["Read-only file system"]);
}

#[test]
fn a_directory_that_another_rotates_is_told() {
    let dir = directory();
    append(&dir.path().join("a.log"), "a\n");
    let lock = File::open(dir.path()).expect("a directory");
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).expect("nobody has it");
    let found = report(&logs(dir.path()), &[("ROTATE_SIZE", "1Mi")]);
    warns(&found, "locked", &["another sidetail does already", "SIDETAIL_ROTATE_SIZE"]);
    assert_eq!(found["directories"][0]["rotated_now"], true);
    warns_of_nothing(&report(&logs(dir.path()), &[]));
    // It was not taken away.
    let other = File::open(dir.path()).expect("a directory");
    assert!(rustix::fs::flock(&other, FlockOperation::NonBlockingLockShared).is_err());
    // Not by closing it: a child that another test starts just now may still have a copy.
    rustix::fs::flock(&lock, FlockOperation::Unlock).expect("it is ours");
    warns_of_nothing(&report(&logs(dir.path()), &[("ROTATE_SIZE", "1Mi")]));
}

#[test]
fn beside_a_running_sidetail_it_disturbs_nothing() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\n");
    let variables = [("ROTATE_SIZE", "1Mi")];
    let program = Program::on(dir.path(), &variables);
    program.expect_stdout("one\n");
    for _ in 0..3 {
        let found = report(&logs(dir.path()), &variables);
        // Its own lock is no other's.
        warns_of_nothing(&found);
        assert_eq!((&found["directories"][0]["rotated_now"], &found["state"]["kept"]), (&json!(true), &json!(true)));
        assert!(found["state"]["status"].as_str().is_some_and(|status| status.contains("running")), "{found:#}");
    }
    program.signal(Signal::USR1);
    program.expect(|| program.stderr().contains("status of"), "its status");
    append(&path, "two\n");
    program.expect_stdout("one\ntwo\n");
    let ended = program.terminate();
    assert_eq!((ended.status.code(), ended.stderr.lines().count()), (Some(0), 1), "{}", ended.stderr);
    // The checkpoint is there, and nobody has it.
    assert_eq!(report(&logs(dir.path()), &variables)["state"]["status"], "there");
}

/// What there is of a directory: names, contents, times, modes.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (u64, u32, SystemTime, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut add = |path: &Path| {
        let found = fs::symlink_metadata(path).expect("there");
        let bytes = if found.is_file() { fs::read(path).expect("readable") } else { Vec::new() };
        all.insert(path.to_owned(), (found.ino(), found.mode(), found.modified().expect("a time"), bytes));
    };
    add(dir);
    fs::read_dir(dir).expect("a directory").for_each(|entry| add(&entry.expect("readable").path()));
    all
}

#[test]
fn it_changes_nothing_and_prints_no_line() {
    let dir = directory();
    append(
        &dir.path().join("a.log"),
        format!("2026-01-05 10:00:00,123 ERROR [main] c.e.App: {SECRET}\n\tat {SECRET}\n"),
    );
    append(&dir.path().join("b.log"), format!("{{\"msg\":\"{SECRET}\"}}\n{SECRET}"));
    let before = snapshot(dir.path());
    let paths = logs(dir.path());
    for variables in [
        &[][..],
        &[("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "3")],
        &[("DIR_BUDGET", "auto"), ("LOG", "trace")],
        &[("ROTATE_INTERVAL", "1s"), ("ROTATE_METHOD", "rename"), ("FORMATS", "*.log=klog"), ("OUTPUT", "json")],
    ] {
        let variables = [&[("PATHS", &*paths)], variables].concat();
        for arguments in [&[][..], &["--json"], &["--strict"]] {
            let ended = checked(&variables, arguments);
            assert!(ended.stdout.contains("a.log") && !ended.stdout.contains(SECRET), "{}", ended.stdout);
            assert_eq!(ended.stderr, "");
        }
        assert_eq!(before, snapshot(dir.path()), "{variables:?}");
    }
}

#[test]
fn exit_codes_are_those_of_the_readme() {
    let dir = directory();
    let paths = logs(dir.path());
    for (variables, arguments, code) in [
        (&[("PATHS", &*paths)][..], &[][..], 0),
        (&[("PATHS", &*paths)], &["--json"], 0),
        (&[("PATHS", &*paths)], &["--strict"], 1),
        (&[("PATHS", &*paths)], &["--json", "--strict"], 1),
        (&[("PATHS", ""), ("MAX_LINE", "10MB")], &[], 64),
        (&[("PATHS", &*paths)], &["--colour"], 64),
    ] {
        assert_eq!(checked(variables, arguments).status.code(), Some(code), "{variables:?} {arguments:?}");
    }
    // The messages are those of the main command, and nothing else is printed.
    let wrong = [("PATHS", ""), ("MAX_LINE", "10MB"), ("PATH", "x")];
    let (ended, main) = (checked(&wrong, &["--json"]), Program::start(&wrong).wait());
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", main.stderr.as_str()));
    assert_eq!(ended.stderr.lines().count(), 3);
    append(&dir.path().join("a.log"), "a\n");
    let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let mut to_full = command(&[("PATHS", &paths)]);
    let ended = Program::spawn(to_full.args(["check"]).stdout(full).stderr(Stdio::piped())).wait();
    assert_eq!(ended.status.code(), Some(74), "{}", ended.stderr);
}

#[test]
fn for_people_it_stands_in_columns_whatever_the_names() {
    let dir = directory();
    append(&dir.path().join("a.log"), "a\n");
    append(&dir.path().join("\u{1b}[31mred\n.log"), "level=info msg=a\n");
    let ended = checked(&[("ROTATE_SIZE", "1Mi")], &[&*logs(dir.path())]);
    let at = dir.path().display();
    let mut lines = ended.stdout.lines();
    let ids = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let first = lines.next().expect("a line");
    assert!(
        first.starts_with(&format!("sidetail {} runs as {}:{}", env!("CARGO_PKG_VERSION"), ids.0, ids.1)),
        "{first}"
    );
    assert_eq!((lines.next(), lines.next()), (Some(""), Some(&*format!("{at}/*.log: 2 files"))));
    let rows: Vec<&str> = lines.by_ref().take(3).collect();
    assert!(rows[1].ends_with(&format!("  {at}/\\u{{1b}}[31mred\\n.log")), "{rows:?}");
    assert!(rows[2].ends_with(&format!("  {at}/a.log")), "{rows:?}");
    let column = rows[0].find("FILE").expect("a header");
    assert!(rows.iter().all(|row| row.as_bytes()[column - 1] == b' ' && row.as_bytes()[column] != b' '), "{rows:?}");
    assert!(rows[0].contains("ROTATION") && rows[1].contains("punch"), "{rows:?}");
    let last = ended.stdout.lines().last().expect("a line");
    let warnings = ended.stdout.lines().filter(|line| line.starts_with("warning: ")).count();
    let plural = if warnings == 1 { "" } else { "s" };
    assert_eq!(last, format!("2 files, {warnings} warning{plural}"));
    assert!(!ended.stdout.contains('\u{1b}'));
    // What nobody asked for has no column.
    assert!(!checked(&[], &[&*logs(dir.path())]).stdout.contains("ROTATION"));
}
