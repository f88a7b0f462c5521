//! Hostile and odd directories: links that lead out, things that are no files, names that are no text.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command};
use crate::support::rotator::by_ticks_alone;
use crate::support::themes::hostile::{Nonblocking, expect_refusals, path_in, said_of, start};

fn link(target: impl AsRef<Path>, path: impl AsRef<Path>) {
    symlink(target, path).expect("a link");
}

#[test]
fn links_that_lead_out_are_refused_each_with_one_warning() {
    let (dir, outside) = (directory(), directory());
    let logs = path_in(&dir, "logs");
    fs::create_dir_all(logs.join("sub")).expect("directories");
    let secret = path_in(&outside, "secret.log");
    append(&secret, "the secret\n");
    append(&path_in(&dir, "beside.log"), "the secret\n");
    link("/proc/self/environ", logs.join("environ.log"));
    link(&secret, logs.join("absolute.log"));
    link("../beside.log", logs.join("relative.log"));
    link("absolute.log", logs.join("chain.log"));
    link("sub/../../beside.log", logs.join("detour.log"));
    link(outside.path(), logs.join("directory"));
    link("directory/secret.log", logs.join("through.log"));
    link(format!("/proc/self/root{}", secret.display()), logs.join("magic.log"));
    append(&logs.join("plain.log"), "plain\n");
    let paths = [format!("{}/*.log", logs.display()), format!("{}/*/*.log", logs.display())].join(",");
    let mut command = command(&[("PATHS", &paths)]);
    command.env("TOKEN", "the secret");
    let program = Program::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    program.expect_stdout("plain\n");
    let names = ["environ", "absolute", "relative", "chain", "detour", "through", "magic"];
    let refused = names.map(|name| logs.join(format!("{name}.log")));
    expect_refusals(&program, &refused);
    append(&secret, "the secret again\n");
    append(&logs.join("plain.log"), "plain again\n");
    program.expect_stdout("plain\nplain again\n");
    let ended = program.terminate();
    assert_eq!(ended.stdout, "plain\nplain again\n");
    assert!(!ended.stderr.contains("the secret"), "{}", ended.stderr);
    for path in refused {
        let said = said_of(&ended.stderr, &path);
        assert!(said.len() == 1 && said[0].contains("leads out of the pattern's directory"), "{said:?}");
        assert!(said[0].contains("SIDETAIL_PATHS"), "{said:?} names no way out");
    }
}

/// Stops the threads of a test at its end, also when it fails: a scope waits for them.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_link_that_is_swapped_all_the_time_never_leads_out() {
    let (dir, outside) = (directory(), directory());
    append(&path_in(&outside, "secret"), "the secret\n");
    append(&path_in(&dir, "inside.txt"), "");
    let (path, next, stop) = (path_in(&dir, "a.log"), path_in(&dir, "next"), AtomicBool::new(false));
    link("inside.txt", &path);
    let program = start(dir.path(), &["*.log"], &[("LOG", "off")]);
    let targets = [path_in(&outside, "secret"), path_in(&dir, "inside.txt"), PathBuf::from("inside.txt")];
    thread::scope(|scope| {
        scope.spawn(|| {
            for target in targets.iter().cycle().take_while(|_| !stop.load(Ordering::Relaxed)) {
                link(target, &next);
                fs::rename(&next, &path).expect("swapped");
            }
        });
        let _stopping = Stop(&stop);
        let mut expected = String::new();
        for number in 0..200 {
            let line = format!("line {number}\n");
            append(&path_in(&dir, "b.log"), &line);
            expected += &line;
            program.expect_stdout(&expected);
        }
    });
    let ended = program.terminate();
    assert!(!ended.stdout.contains("secret"), "{}", ended.stdout);
}

#[test]
fn links_that_stay_inside_are_followed_promptly() {
    let dir = directory();
    let logs = path_in(&dir, "logs");
    fs::create_dir_all(logs.join("data/deep")).expect("directories");
    let targets = ["one.txt", "data/two.txt", "data/deep/three.txt", "data/four.txt"].map(|name| logs.join(name));
    for target in &targets {
        append(target, "");
    }
    link("one.txt", logs.join("relative.log"));
    link(&targets[1], logs.join("absolute.log"));
    link("data/deep", logs.join("directory"));
    link("directory/three.txt", logs.join("through.log"));
    link("data/../data/./four.txt", logs.join("chained"));
    link("chained", logs.join("chain.log"));
    let program = start(&logs, &["*.log"], &[]);
    let mut expected = String::new();
    for target in &targets {
        let mut start = Instant::now();
        for number in 0..11 {
            let line = format!("{number} of {}\n", target.display());
            append(target, &line);
            expected += &line;
            program.expect_stdout(&expected);
            if number == 0 {
                // From here on it is known to be followed.
                start = Instant::now();
            }
        }
        assert!(start.elapsed() < by_ticks_alone(10), "ten lines of {} took {:?}", target.display(), start.elapsed());
    }
    let ended = program.terminate();
    assert_eq!((ended.stdout, ended.stderr.as_str()), (expected, ""));
}

#[test]
fn with_links_any_a_link_is_followed_wherever_it_leads() {
    let (dir, outside) = (directory(), directory());
    let target = path_in(&outside, "outside.txt");
    append(&target, "one\n");
    link(&target, path_in(&dir, "a.log"));
    let program = start(dir.path(), &["*.log"], &[("LINKS", "any")]);
    program.expect_stdout("one\n");
    let (mut expected, start) = ("one\n".to_owned(), Instant::now());
    for number in 0..10 {
        let line = format!("{number}\n");
        append(&target, &line);
        expected += &line;
        program.expect_stdout(&expected);
    }
    assert!(start.elapsed() < by_ticks_alone(10), "ten lines took {:?}", start.elapsed());
    let ended = program.terminate();
    assert_eq!((ended.stdout, ended.stderr.as_str()), (expected, ""));
}

#[test]
fn paths_with_dot_dot_lead_where_they_say() {
    let dir = directory();
    fs::create_dir_all(path_in(&dir, "a/b")).expect("directories");
    append(&path_in(&dir, "one.log"), "one\n");
    let program = start(dir.path(), &["a/b/../../*.log", "a/../a/./two.log"], &[]);
    program.expect_stdout("one\n");
    append(&path_in(&dir, "a/two.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
    append(&path_in(&dir, "one.log"), "three\n");
    program.expect_stdout("one\ntwo\nthree\n");
    let ended = program.terminate();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("one\ntwo\nthree\n", ""));
}

#[test]
fn a_file_named_by_two_spellings_of_its_path_is_streamed_once() {
    let dir = directory();
    fs::create_dir_all(path_in(&dir, "a/b")).expect("directories");
    append(&path_in(&dir, "a/1.log"), "one\n");
    let program = start(dir.path(), &["a/*.log", "a/b/../1.log", "./a//1.log"], &[]);
    program.expect_stdout("one\n");
    append(&path_in(&dir, "a/1.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
    assert_eq!(program.terminate().stdout, "one\ntwo\n");
}

#[test]
fn what_is_no_file_is_never_opened_and_told_of_once() {
    let dir = directory();
    let [fifo, socket, dangling] = ["fifo.log", "socket.log", "dangling.log"].map(|name| path_in(&dir, name));
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    let _listener = UnixListener::bind(&socket).expect("a socket");
    link("created-later.txt", &dangling);
    append(&path_in(&dir, "plain.log"), "one\n");
    let program = start(dir.path(), &["*.log"], &[]);
    program.expect_stdout("one\n");
    let odd = [fifo.clone(), socket, dangling];
    expect_refusals(&program, &odd);
    // Looked at once more, because something happened to each.
    fs::set_permissions(&fifo, Permissions::from_mode(0o644)).expect("chmod");
    append(&path_in(&dir, "plain.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
    // Nobody reads the FIFO: opening it for writing without waiting must fail.
    let writer = fs::OpenOptions::new().write(true).custom_flags_nonblock().open(&fifo);
    assert!(writer.is_err(), "the FIFO was opened");
    append(&path_in(&dir, "created-later.txt"), "through the link\n");
    program.expect_stdout("one\ntwo\nthrough the link\n");
    program.expect(|| program.stderr().contains("dangling.log can be followed now"), "its recovery");
    let ended = program.terminate();
    assert_eq!(ended.stdout, "one\ntwo\nthrough the link\n");
    for (path, words) in odd.iter().zip(["regular file", "regular file", "link to nothing"]) {
        let said = said_of(&ended.stderr, path);
        assert!(said.len() == 1 && said[0].contains(words), "{said:?} of {}", path.display());
        assert!(said[0].contains("; "), "{said:?} has no way out");
    }
    assert_eq!(ended.stderr.lines().count(), odd.len() + 1, "{}", ended.stderr);
}

#[test]
fn a_directory_in_the_place_of_a_file_is_told_of_once() {
    for pattern in ["a.log", "*.log"] {
        let dir = directory();
        let path = path_in(&dir, "a.log");
        fs::create_dir(&path).expect("a directory");
        append(&path.join("within.log"), "not followed\n");
        append(&path_in(&dir, "plain.txt"), "one\n");
        let program = start(dir.path(), &[pattern, "plain.txt"], &[("STATE", "off")]);
        program.expect_stdout("one\n");
        expect_refusals(&program, std::slice::from_ref(&path));
        append(&path.join("another.log"), "not followed\n");
        append(&path_in(&dir, "plain.txt"), "two\n");
        program.expect_stdout("one\ntwo\n");
        fs::remove_dir_all(&path).expect("removed");
        append(&path, "a file now\n");
        program.expect_stdout("one\ntwo\na file now\n");
        let ended = program.terminate();
        assert_eq!(ended.stdout, "one\ntwo\na file now\n");
        let said = said_of(&ended.stderr, &path);
        assert!(said.len() == 1 && said[0].contains("it is a directory; name its files"), "{said:?}");
    }
}

#[test]
fn a_fifo_that_becomes_a_file_is_followed_and_a_file_that_becomes_a_fifo_blocks_nothing() {
    let dir = directory();
    let (a, b) = (path_in(&dir, "a.log"), path_in(&dir, "b.log"));
    mknodat(CWD, &a, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    append(&b, "b\n");
    let program = start(dir.path(), &["*.log"], &[]);
    program.expect_stdout("b\n");
    fs::remove_file(&a).and_then(|()| fs::remove_file(&b)).expect("removed");
    append(&a, "a\n");
    program.expect_stdout("b\na\n");
    mknodat(CWD, &b, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    expect_refusals(&program, std::slice::from_ref(&b));
    append(&a, "again\n");
    program.expect_stdout("b\na\nagain\n");
    assert_eq!(program.terminate().stdout, "b\na\nagain\n");
}

#[test]
fn its_own_output_is_not_followed_and_told_of_once() {
    let dir = directory();
    append(&path_in(&dir, "a.log"), "one\n");
    let output = path_in(&dir, "out.log");
    let paths = format!("{}/*.log", dir.path().display());
    let stdout = fs::File::create(&output).expect("created");
    let program = Program::spawn(command(&[("PATHS", &paths)]).stdout(stdout).stderr(Stdio::piped()));
    let given = || fs::read_to_string(&output).expect("readable");
    program.expect(|| given() == "one\n", "the line");
    append(&path_in(&dir, "a.log"), "two\n");
    program.expect(|| given() == "one\ntwo\n", "the next line");
    let ended = program.terminate();
    assert_eq!(given(), "one\ntwo\n");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("out.log: it is sidetail's own output"), "{}", ended.stderr);
}

/// File names that break a line, a terminal, an argument or UTF-8.
const ODD_NAMES: [&[u8]; 9] = [
    b"two words.log",
    b" leading and trailing .log",
    b"new\nline.log",
    b"carriage\rreturn\ttab.log",
    b"escape\x1b[31m.log",
    b"invalid\xff\xfe.log",
    b"cut\xe2\x82.log",
    b"quote'\"$(x)`\\.log",
    b"-n.log",
];

#[test]
fn files_with_odd_names_are_followed() {
    let dir = directory();
    let path = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
    for name in ODD_NAMES {
        append(&path(name), "");
    }
    let program = start(dir.path(), &["*.log"], &[]);
    let mut expected = String::new();
    for round in 0..2 {
        for (number, name) in ODD_NAMES.into_iter().enumerate() {
            let line = format!("{round} of {number}\n");
            append(&path(name), &line);
            expected += &line;
            program.expect_stdout(&expected);
        }
    }
    fs::rename(path(ODD_NAMES[2]), path(b"other\nname.log.1")).expect("renamed");
    append(&path(ODD_NAMES[2]), "new one\n");
    expected += "new one\n";
    program.expect_stdout(&expected);
    let ended = program.terminate();
    assert_eq!((ended.stdout, ended.stderr.as_str()), (expected.clone(), ""));
    // And they are known again.
    let program = start(dir.path(), &["*.log"], &[]);
    append(&path(ODD_NAMES[5]), "after a restart\n");
    program.expect_stdout("after a restart\n");
    assert_eq!(program.terminate().stdout, "after a restart\n");
}

#[test]
fn a_pattern_can_name_a_file_with_an_odd_name() {
    let dir = directory();
    append(&dir.path().join(OsStr::from_bytes(b"a b\xff.log")), "one\n");
    append(&path_in(&dir, "{x}, [y].log"), "two\n");
    append(&path_in(&dir, "other.log"), "not followed\n");
    // An environment variable is text, so a byte that is none is matched by `?`.
    let program = start(dir.path(), &["a b?.log", r"\{x\}\, \[y\].log"], &[]);
    program.expect(|| program.stdout().lines().count() == 2, "two lines");
    let ended = program.terminate();
    let mut lines: Vec<_> = ended.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!((lines, ended.stderr.as_str()), (vec!["one", "two"], ""));
}

#[test]
fn a_prefix_with_an_odd_name_breaks_neither_line_nor_terminal() {
    let dir = directory();
    for name in ODD_NAMES {
        append(&dir.path().join(OsStr::from_bytes(name)), "one\ntwo\n");
    }
    let output = tempfile::NamedTempFile::new().expect("a file");
    let file = output.reopen().expect("opened");
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", &*paths), ("OUTPUT", "prefix")];
    let program = Program::spawn(command(&variables).stdout(file).stderr(Stdio::piped()));
    let read = || {
        let mut bytes = Vec::new();
        output.reopen().and_then(|mut file| file.read_to_end(&mut bytes)).expect("readable");
        bytes
    };
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    program.expect(|| lines(&read()) >= 2 * ODD_NAMES.len(), "two lines a file");
    assert!(program.terminate().status.success());
    let bytes = read();
    assert_eq!(lines(&bytes), 2 * ODD_NAMES.len(), "{}", bytes.escape_ascii());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_line = line.starts_with(b"[") && (line.ends_with(b"log] one\n") || line.ends_with(b"log] two\n"));
        let has_control = line[..line.len() - 1].iter().any(u8::is_ascii_control);
        assert!(is_line && !has_control, "{}", line.escape_ascii());
    }
}

#[test]
fn a_message_about_an_odd_name_stays_one_line() {
    let dir = directory();
    for name in ODD_NAMES {
        link("nothing", dir.path().join(OsStr::from_bytes(name)));
    }
    for format in ["text", "json"] {
        let program = start(dir.path(), &["*.log"], &[("LOG_FORMAT", format)]);
        program.expect(|| program.stderr().lines().count() >= ODD_NAMES.len(), "a message each");
        let ended = program.terminate();
        assert_eq!(ended.stderr.lines().count(), ODD_NAMES.len(), "{}", ended.stderr);
        for line in ended.stderr.lines() {
            let start = if format == "json" { "{" } else { "sidetail: cannot follow " };
            assert!(line.starts_with(start) && !line.contains(char::is_control), "{line:?}");
            if format == "json" {
                let object: serde_json::Value = serde_json::from_str(line).expect("JSON");
                assert!(
                    object["message"].as_str().is_some_and(|message| message.contains("a symbolic link to nothing"))
                );
            }
        }
    }
}

#[test]
fn a_path_of_which_nothing_exists_is_waited_for_and_found() {
    let dir = directory();
    let program = start(dir.path(), &["a/b/c/app.log", "x/*/y/*.log"], &[]);
    append(&path_in(&dir, "other.log"), "not followed\n");
    // One after the other, each seen or not before the next.
    for name in ["a", "a/b", "a/b/c", "x", "x/1", "x/1/y"] {
        fs::create_dir(path_in(&dir, name)).expect("a directory");
    }
    append(&path_in(&dir, "a/b/c/app.log"), "one\n");
    program.expect_stdout("one\n");
    append(&path_in(&dir, "x/1/y/2.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
    append(&path_in(&dir, "a/b/c/app.log"), "three\n");
    program.expect_stdout("one\ntwo\nthree\n");
    let ended = program.terminate();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("one\ntwo\nthree\n", ""));
}

#[test]
fn a_directory_that_is_moved_in_with_its_files_is_found() {
    let (dir, elsewhere) = (directory(), directory());
    fs::create_dir_all(path_in(&elsewhere, "a/b")).expect("directories");
    append(&path_in(&elsewhere, "a/b/app.log"), "one\n");
    let program = start(dir.path(), &["a/b/*.log"], &[]);
    program.expect(|| program.status_field("voluntary_ctxt_switches") > 0, "a start");
    fs::rename(path_in(&elsewhere, "a"), path_in(&dir, "a")).expect("moved");
    program.expect_stdout("one\n");
    fs::rename(path_in(&dir, "a"), path_in(&dir, "old")).expect("moved away");
    fs::create_dir_all(path_in(&dir, "a/b")).expect("directories");
    append(&path_in(&dir, "a/b/app.log"), "two\n");
    program.expect_stdout("one\ntwo\n");
    // Its writer still has the file that was moved away with its directory.
    append(&path_in(&dir, "old/b/app.log"), "three\n");
    program.expect(|| program.stdout().contains("three\n"), "what was written after the directory was moved");
    assert_eq!(program.terminate().stdout, "one\ntwo\nthree\n");
}

#[test]
fn a_parent_directory_that_is_deleted_and_made_again_many_times_loses_nothing() {
    let dir = directory();
    let (parent, child) = (path_in(&dir, "parent"), path_in(&dir, "parent/child"));
    let program = start(dir.path(), &["parent/child/*.log"], &[("STATE", "off")]);
    let mut expected = String::new();
    for number in 0..20 {
        fs::create_dir_all(&child).expect("directories");
        let line = format!("{number}\n");
        append(&child.join("app.log"), &line);
        expected += &line;
        program.expect_stdout(&expected);
        fs::remove_dir_all(&parent).expect("removed");
    }
    let ended = program.terminate();
    assert_eq!((ended.stdout, ended.stderr.as_str()), (expected, ""));
}

#[test]
fn a_pattern_whose_directory_is_a_file_is_waited_for() {
    let dir = directory();
    append(&path_in(&dir, "logs"), "a file in the place of a directory\n");
    append(&path_in(&dir, "plain.log"), "plain\n");
    let program = start(dir.path(), &["logs/*.log", "plain.log"], &[("STATE", "off")]);
    program.expect_stdout("plain\n");
    fs::remove_file(path_in(&dir, "logs")).expect("removed");
    fs::create_dir(path_in(&dir, "logs")).expect("a directory");
    append(&path_in(&dir, "logs/a.log"), "now\n");
    program.expect_stdout("plain\nnow\n");
    assert_eq!(program.terminate().stdout, "plain\nnow\n");
}

#[test]
fn a_loop_of_links_ends_nothing() {
    let dir = directory();
    fs::create_dir(path_in(&dir, "sub")).expect("a directory");
    link("b.log", path_in(&dir, "a.log"));
    link("a.log", path_in(&dir, "b.log"));
    link("..", path_in(&dir, "sub/up"));
    append(&path_in(&dir, "sub/real.log"), "one\n");
    let program = start(dir.path(), &["**/*.log"], &[]);
    program.expect_stdout("one\n");
    expect_refusals(&program, &[path_in(&dir, "a.log"), path_in(&dir, "b.log")]);
    program.signal(Signal::TERM);
    let ended = program.wait();
    assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("one\n", 2), "{}", ended.stderr);
    assert!(ended.took < DEADLINE);
}
