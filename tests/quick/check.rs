//! `sidetail check`: what it finds, what it warns of, and that it changes nothing.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{FallocateFlags, FlockOperation, Mode};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::bounded::{run, wait_for};
use crate::support::files::{append, directory, directory_with_space};
use crate::support::namespace::unshare;
use crate::support::program::{DEADLINE, Program, command, with_variables};
use crate::support::room::set_mode;
use crate::support::say::ignore;
use crate::support::themes::check::{
    checked, first_file, launched, logs, parsed, report, says_what_is_said, snapshot, warns, warns_of_nothing,
};

/// What must never be printed.
const SECRET: &str = "hunter2";

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
            "path": path(name), "size": size, "allocated": allocated, "streamed": 0, "unread": size, "mode": mode, "uid": owner.uid(), "gid": owner.gid(),
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
        "not_matched": [],
        "not_followed": [{ "path": path("excluded.log"), "reason": "excluded by SIDETAIL_EXCLUDE" }],
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
            &["SIDETAIL_DIR_BUDGET=15Ei is larger than the volume", "use less"],
        ),
        (
            |dir| append(&dir.join("a.log"), "a\n"),
            "*.log",
            &[("ROTATE_SIZE", "8Ei")],
            "rotate-size",
            &["1 file of SIDETAIL_ROTATE_SIZE=8Ei", "SIDETAIL_DIR_BUDGET, such as"],
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
    // One line is not two.
    let dir = directory();
    append(&dir.path().join("a.log"), "level=info msg=a\n");
    let of_one = report(&logs(dir.path()), &[("FORMATS", "*.log=json")]);
    warns(&of_one, "format", &["pinned to json, but its first line has another format; it looks like logfmt"]);
    // Some lines of another format are no mistake.
    let dir = directory();
    append(&dir.path().join("a.log"), "starting\n{\"level\":\"info\"}\n");
    warns_of_nothing(&report(&logs(dir.path()), &[("FORMATS", "*.log=json")]));
}

#[test]
fn what_it_lists_of_odd_files_is_what_a_running_one_says() {
    let dir = directory();
    let path = |name: &str| dir.path().join(name);
    append(&path("good.log"), "a\n");
    symlink("/etc/hostname", path("out.log")).expect("a link");
    symlink("nowhere", path("nothing.log")).expect("a link");
    symlink("loop.log", path("loop.log")).expect("a link");
    fs::create_dir(path("directory.log")).expect("made");
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, path("fifo.log"), rustix::fs::FileType::Fifo, mode, 0).expect("a FIFO");
    fs::create_dir_all(path(&"deep/".repeat(42))).expect("made");
    let paths = format!("{}/**/*.log", dir.path().display());
    let program = Program::start(&[("PATHS", &paths)]);
    program.expect_stdout("a\n");
    says_what_is_said(&report(&paths, &[]), program, &["unreadable"; 6]);
}

#[test]
fn what_it_lists_of_the_machine_is_what_a_running_one_says() {
    let dir = directory();
    append(&dir.path().join("a.log"), "a\n");
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);
    let cases: [Case; 3] = [
        (&[("STATE", "/dev/null/state")], &["state"]),
        (&[("STATE", "/dev/null/state"), ("ROTATE_SIZE", "64Ki")], &["rotation", "state"]),
        (&[("STATE", "off")], &[]),
    ];
    for (variables, kinds) in cases {
        let program = Program::on(dir.path(), variables);
        program.expect_stdout("a\n");
        says_what_is_said(&report(&logs(dir.path()), variables), program, kinds);
    }
}

#[test]
fn how_far_each_file_is_streamed_is_shown() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("one\n");
    program.terminate();
    append(&dir.path().join("a.log"), "two, three\n");
    let variables = [("PATHS", &*logs(dir.path()))];
    let report = parsed(&checked(&variables, &["--json"]));
    let file = first_file(&report);
    assert_eq!((&file["streamed"], &file["unread"]), (&json!(4), &json!(11)));
    let text = checked(&variables, &[]).stdout;
    let columns = |line: &str| line.split_whitespace().take(4).map(ToOwned::to_owned).collect::<Vec<_>>();
    let row = text.lines().skip_while(|line| !line.contains("SIZE")).take(2).map(columns).collect::<Vec<_>>();
    assert_eq!(row[0], ["SIZE", "DISK", "STREAMED", "UNREAD"]);
    assert_eq!((row[1][2].as_str(), row[1][3].as_str()), ("4", "11"), "{text}");
}

#[test]
fn a_rule_that_held_for_none_of_the_lines_is_named() {
    let dir = directory();
    append(&dir.path().join("a.log"), "level=info msg=a\nGET /healthz\nlevel=warn msg=b\n");
    let paths = logs(dir.path());
    let variables = [("PATHS", &*paths), ("DROP", "match:healthz; file:b.log"), ("STDERR", "level>=warn;level>=fatal")];
    let text = checked(&variables, &[]).stdout;
    let none: Vec<_> = text.lines().filter(|line| line.starts_with("rule ")).collect();
    let of =
        |variable: &str, rule: &str| format!("rule        SIDETAIL_{variable}: \"{rule}\" held for none of 3 records");
    assert_eq!(none, [of("DROP", "file:b.log"), of("STDERR", "level>=fatal")]);
    let report = parsed(&checked(&variables, &["--json"]));
    assert_eq!(report["rules"][0], json!({ "variable": "DROP", "rule": "match:healthz", "held": 1, "records": 3 }));
    warns_of_nothing(&report);
    // The default needs no line, and of no line no rule can hold.
    assert!(!checked(&variables[..1], &[]).stdout.contains("rule "));
    fs::write(dir.path().join("a.log"), "").expect("truncated");
    assert!(!checked(&variables, &[]).stdout.contains("rule "));
}

#[test]
fn what_lies_beside_a_pattern_is_listed() {
    let dir = directory();
    // Of Java's numbered logs none has the name that the others are rotated away from.
    let rotated = ["app.log.1", "debug.log.1", "gc.log.0"];
    for name in ["app.log", "data.csv", "notes.txt", "old.log.gz", "debug.log", ".hidden"].into_iter().chain(rotated) {
        append(&dir.path().join(name), "a line\n");
    }
    let paths = format!("{0}/*.log,{0}/*.gz", dir.path().display());
    let variables = [("PATHS", &*paths), ("EXCLUDE", "debug*")];
    let text = checked(&variables, &[]).stdout;
    let left_out = |name: &str, why: &str| format!("  not followed: {}/{name} ({why})\n", dir.path().display());
    for words in [
        "  not matched: data.csv, gc.log.0, notes.txt\n".to_owned(),
        left_out("debug.log", "excluded by SIDETAIL_EXCLUDE"),
        left_out("old.log.gz", "compressed"),
    ] {
        assert!(text.contains(&words), "{words} is not in {text}");
    }
    let report = parsed(&checked(&variables, &["--json"]));
    assert_eq!(report["patterns"][0]["not_matched"], json!(["data.csv", "gc.log.0", "notes.txt"]));
    assert_eq!(report["patterns"][1]["not_followed"][0]["reason"], "compressed");
    warns(&report, "no-match", &["/*.gz matches nothing yet", "old.log.gz matches but is compressed"]);
}

#[test]
fn very_many_patterns_and_files_are_bounded() {
    let dir = directory_with_space();
    append(&dir.path().join("a.log"), "a line\n");
    (0..1500).for_each(|number| append(&dir.path().join(format!("{number}.txt")), ""));
    let at = dir.path().display();
    let paths: String = (0..200).map(|number| format!("{at}/p{number}*,")).collect();
    let text = checked(&[("PATHS", &format!("{paths}{at}/*.log"))], &[]).stdout;
    assert_eq!(text.matches(": nothing yet\n").count(), 200);
    assert_eq!(text.lines().filter(|line| line.starts_with("warning: ")).count(), 51);
    assert!(text.contains("warning: more than 50 patterns match nothing yet; not reporting the others; "), "{text}");
    let named = text.lines().find(|line| line.starts_with("  not matched: ")).expect("what lies beside");
    assert!(named.contains(" and more than 9"), "{named}");
    assert!(text.ends_with("\n1 file, 51 warnings\n"), "{}", &text[text.len() - 100..]);
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
    warns(&report, "open-files", &["20 files match, but only 8 can be open", "raise the open-file limit"]);
}

#[test]
fn without_inotify_it_says_that_files_are_polled() {
    if let Err(why) = run(Command::new("unshare").args(["-Ur", "true"]), DEADLINE) {
        return ignore(&format!("inotify cannot be limited without user namespaces: {why}"));
    }
    let dir = directory();
    append(&dir.path().join("a.log"), "a\n");
    for (limit, at_most, words) in [
        ("max_inotify_instances", "0", ["cannot start inotify", "fs.inotify.max_user_instances"]),
        ("max_inotify_watches", "1", ["cannot watch", "fs.inotify.max_user_watches"]),
    ] {
        let script = format!(r#"echo {at_most} > /proc/sys/user/{limit} && exec "$0" "$@""#);
        let launcher = || {
            let mut launcher = Command::new("unshare");
            launcher.args(["-Ur", "sh", "-c", &script, env!("CARGO_BIN_EXE_sidetail")]);
            launcher
        };
        let report = parsed(&launched(launcher(), &[("PATHS", &logs(dir.path()))], &["--json"]));
        warns(&report, "inotify", &words);
        assert_eq!(report["inotify"]["works"], false);
        let program = Program::launch(launcher(), &[("PATHS", &logs(dir.path())), ("STATE", "off")]);
        says_what_is_said(&report, program, &["inotify"]);
    }
    let report = report(&logs(dir.path()), &[]);
    assert_eq!((&report["inotify"]["works"], &report["inotify"]["directories"]), (&json!(true), &json!(2)));
    assert!(report["inotify"]["max_user_watches"].as_u64() > Some(0), "{report:#}");
}

#[test]
fn a_directory_that_another_rotates_is_told() {
    let dir = directory();
    append(&dir.path().join("a.log"), "a\n");
    // The lock of the directory itself is anybody's to take.
    let directory = File::open(dir.path()).expect("a directory");
    rustix::fs::flock(&directory, FlockOperation::LockExclusive).expect("nobody has it");
    warns_of_nothing(&report(&logs(dir.path()), &[("ROTATE_SIZE", "1Mi")]));
    let program = Program::start(&[("PATHS", &format!("{}/*.*", dir.path().display())), ("ROTATE_SIZE", "1Gi")]);
    append(&dir.path().join("a.log"), "x\n".repeat(100_000));
    program.expect(|| program.stdout().len() == 200_002, "everything");
    program.signal(Signal::HUP);
    let kept = || -> Vec<_> {
        let entries = fs::read_dir(dir.path().join(".sidetail")).expect("made");
        entries.map(|entry| entry.expect("readable").file_name()).collect()
    };
    let is_locked = || (kept().len() == 2).then_some(());
    wait_for(is_locked, DEADLINE).unwrap_or_else(|| panic!("no lock beside the checkpoint: {:?}", kept()));
    let found = report(&logs(dir.path()), &[("ROTATE_SIZE", "1Mi")]);
    warns(&found, "locked", &["another sidetail already rotates them", "SIDETAIL_ROTATE_SIZE"]);
    assert_eq!(found["directories"][0]["rotated_now"], true);
    warns_of_nothing(&report(&logs(dir.path()), &[]));
    program.terminate();
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
        // Its own lock is no other's; it is taken when there is something to reclaim.
        warns_of_nothing(&found);
        assert_eq!((&found["directories"][0]["rotated_now"], &found["state"]["kept"]), (&json!(false), &json!(true)));
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
fn warnings_are_the_termination_message_of_an_init_container() {
    // Kubernetes bind-mounts the file into every container.
    let Some(unshare) = unshare(&["--mount"]) else { return };
    let dir = directory();
    fs::create_dir(dir.path().join("a.log")).expect("made");
    let mut container = with_variables(unshare, &[("PATHS", &logs(dir.path()))]);
    let script = r#"mount -t tmpfs tmpfs /dev && : > /dev/termination-log && "$0" check --strict > /dev/out || echo $?
                    cat /dev/termination-log"#;
    container.args(["sh", "-c", script, env!("CARGO_BIN_EXE_sidetail")]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = Program::spawn(&mut container).wait();
    let (code, message) = ended.stdout.split_once('\n').expect("a line");
    assert!(code == "1" && message.contains("a.log") && message.lines().count() == 1, "{ended:?}");
}

#[test]
fn exit_codes_are_those_of_the_readme() {
    let dir = directory();
    let paths = logs(dir.path());
    let wrong = directory();
    fs::create_dir(wrong.path().join("a.log")).expect("made");
    let [wrong, missing] = [logs(wrong.path()), logs(&dir.path().join("missing"))];
    for (variables, arguments, code) in [
        (&[("PATHS", &*paths)][..], &[][..], 0),
        (&[("PATHS", &*paths)], &["--json"], 0),
        // The application may not have begun.
        (&[("PATHS", &*paths)], &["--strict"], 0),
        (&[("PATHS", &*missing)], &["--strict"], 0),
        (&[("PATHS", &*wrong)], &[], 0),
        (&[("PATHS", &*wrong)], &["--strict"], 1),
        (&[("PATHS", &*wrong)], &["--json", "--strict"], 1),
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
