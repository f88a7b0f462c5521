//! `sidetail demo`: what it shows is so, what it counts is counted, and nothing is left behind.
//!
//! The still of it, docs/demo.svg, is made here too, and held to what is shown now. After a change, with the release program, because
//! its memory and CPU time are shown:
//!
//! ```sh
//! cargo build --release
//! DEMO=target/x86_64-unknown-linux-gnu/release/sidetail cargo test --test quick demo::
//! cp target/tmp/demo.svg docs/
//! ```

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::bounded::wait_for;
use crate::support::files::directory;
use crate::support::markdown::path_of;
use crate::support::namespace::unshare;
use crate::support::program::{DEADLINE, Ended, Program, command};
use crate::support::still;
use crate::support::terminal::Terminal;

/// 200 MiB are written and read by a program that is not optimised, beside all other tests.
const STORY_DEADLINE: Duration = Duration::from_secs(600);

/// How wide the still is.
const STILL_COLUMNS: u16 = 100;

/// Returns the command of the demo, whose directory is below `temporary`.
fn demo(arguments: &[&str], temporary: &Path) -> Command {
    let mut demo = match std::env::var_os("DEMO") {
        Some(binary) => Command::new(fs::canonicalize(path_of("").join(binary)).expect("a program")),
        None => command(&[]),
    };
    demo.arg("demo").args(arguments).env("TMPDIR", temporary).env_remove("NO_COLOR");
    demo.stdout(Stdio::piped()).stderr(Stdio::piped());
    demo
}

/// Returns the process that a demo has started, once it is sidetail; `None` if there is none.
fn sidecar_of(demo: u32) -> Option<u32> {
    let processes = fs::read_dir("/proc").expect("processes");
    let mut numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    numbers.find(|number| {
        let is_child =
            |stat: String| stat.rsplit(") ").next().is_some_and(|rest| rest[2..].starts_with(&format!("{demo} ")));
        // Before it has its own arguments it holds the demo up, which waits in vfork(2): it must not be stopped then.
        fs::read_to_string(format!("/proc/{number}/stat")).is_ok_and(is_child)
            && fs::read_to_string(format!("/proc/{number}/cmdline")).is_ok_and(|words| words.contains("*.log"))
    })
}

fn is_in_state(process: u32, state: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(state))
}

fn signal(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(process, signal).expect("it is running");
}

/// Returns the one directory in there: the demo's, once it is there.
fn only_directory(temporary: &Path) -> PathBuf {
    let found = || temporary.read_dir().ok()?.next()?.ok().map(|entry| entry.path());
    wait_for(found, DEADLINE).expect("the demo's directory")
}

#[track_caller]
fn assert_nothing_is_left(temporary: &Path) {
    assert_eq!(temporary.read_dir().expect("the directory").count(), 0, "something was left behind");
}

/// Returns a figure of the summary.
#[track_caller]
fn figure<'a>(shown: &'a str, name: &str) -> &'a str {
    let found = shown.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}: {shown}"));
    found.trim()
}

/// Returns a line as it is on every machine and at any time.
fn masked(line: &str) -> String {
    let mut masked = String::new();
    for one in line.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match one {
            '0'..='9' if masked.ends_with('N') => {}
            '0'..='9' => masked.push('N'),
            other => masked.push(other),
        }
    }
    // The directory's name, and with it where the text is wrapped.
    masked.split(' ').map(|word| if word.starts_with('/') { "PATH" } else { word }).collect::<Vec<_>>().join(" ")
}

/// Returns what is shown, scene by scene: between stdout and stderr there is no order.
fn scenes(lines: &[String]) -> Vec<Vec<String>> {
    let mut scenes = vec![Vec::new()];
    for line in lines.iter().filter(|line| !line.is_empty()) {
        if line.starts_with("== ") {
            scenes.push(Vec::new());
        }
        let scene = scenes.last_mut().expect("at least one");
        scene.push(masked(line));
    }
    let introduction = scenes[0].join(" ");
    scenes[0] = vec![introduction];
    scenes.iter_mut().for_each(|scene| scene.sort());
    scenes
}

/// Returns the lines with the directory that most people have, and the introduction, which names it, wrapped as it is then.
fn with_usual_directory(lines: Vec<still::Line>, temporary: &Path) -> Vec<still::Line> {
    let begin = lines.iter().position(|(_, text)| text.is_empty()).expect("an empty line");
    let introduction: Vec<_> = lines[..begin].iter().map(|(_, text)| text.as_str()).collect();
    let mut wrapped = vec![(String::new(), String::new())];
    for word in introduction.join(" ").replace(&temporary.display().to_string(), "/tmp").split(' ') {
        if wrapped.last().is_some_and(|(_, line)| line.len() + word.len() > 80) {
            wrapped.push((String::new(), String::new()));
        }
        let (_, line) = wrapped.last_mut().expect("at least one");
        *line = format!("{line} {word}").trim_start().to_owned();
    }
    wrapped.extend_from_slice(&lines[begin..]);
    wrapped
}

#[test]
fn the_story_is_told_and_the_still_is_of_it() {
    let (temporary, terminal) = (directory(), Terminal::open());
    terminal.resize(STILL_COLUMNS);
    let ended =
        Program::spawn(demo(&["--for", "1s"], temporary.path()).stdout(terminal.stdio())).wait_for(STORY_DEADLINE);
    let is_whole = || terminal.text().contains("CPU time").then(|| terminal.text());
    let shown = wait_for(is_whole, DEADLINE).unwrap_or_else(|| panic!("{}{}", terminal.text(), ended.stderr));
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{shown}");
    assert_nothing_is_left(temporary.path());

    let lines = still::lines(shown.trim_end());
    let texts: Vec<String> = lines.iter().map(|(_, text)| text.clone()).collect();
    let text = texts.join("\n");
    for (file, format) in [("api", "json"), ("access", "access"), ("orders", "log4j"), ("batch", "json")] {
        assert!(text.contains(&format!("sidetail | {file}.log is read as {format}: ")), "{text}");
    }
    // The exception is one block, in the colour of stderr.
    let begin = texts
        .iter()
        .position(|line| line.starts_with("stderr   | ") && line.contains(" ERROR "))
        .expect("an exception");
    assert!(
        lines[begin..begin + 6].iter().all(|(colour, text)| colour == "31" && text.starts_with("stderr   | ")),
        "{text}"
    );
    assert!(texts[begin + 5].ends_with("... 12 more"), "{text}");
    assert!(text.contains("sidetail | orders.log was renamed"), "{text}");
    // Where it goes on is where it was: behind two records of 87 bytes.
    assert!(text.contains("sidetail | following api.log from byte 174"), "{text}");
    assert!(text.contains("app      |  200 MiB written, "), "{text}");
    assert_eq!(figure(&text, "lines written"), figure(&text, "lines streamed"));
    assert!(figure(&text, "lines written").len() >= "1,000,000".len(), "{text}");
    assert_eq!((figure(&text, "lost"), figure(&text, "repeated")), ("0", "0"), "{text}");
    let disk = figure(&text, "disk at most").split(' ').next().and_then(|number| number.parse::<f64>().ok());
    assert!(disk.is_some_and(|disk| disk < 40.0), "{text}");

    let lines = with_usual_directory(lines, temporary.path());
    let made = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("demo.svg");
    fs::write(&made, still::svg("What sidetail demo shows on a terminal", &lines, STILL_COLUMNS)).expect("written");
    let kept = fs::read_to_string(path_of("docs/demo.svg")).expect("docs/demo.svg");
    assert_eq!(scenes(&still::texts(&kept)), scenes(&texts), "the still is of another demo; see {}", made.display());
}

#[test]
fn the_still_is_held_to_every_line() {
    let kept = fs::read_to_string(path_of("docs/demo.svg")).expect("docs/demo.svg");
    let texts = still::texts(&kept);
    assert!(texts.len() > 40, "{texts:?}");
    for at in 0..texts.len() {
        let mut without = texts.clone();
        without.remove(at);
        assert_ne!(scenes(&without), scenes(&texts), "{}", texts[at]);
    }
}

/// Stops sidetail before the first line is written, destroys that and writes another one twice; returns what is said at the end.
/// `None` if it came too late.
fn with_a_loss_and_a_repetition(time: &str) -> Option<Ended> {
    let temporary = directory();
    let program = Program::spawn(&mut demo(&["--for", time], temporary.path()));
    let sidecar = wait_for(|| sidecar_of(program.id()), DEADLINE).expect("a sidecar");
    signal(sidecar, Signal::STOP);
    let file = |name: &str| only_directory(temporary.path()).join(name);
    program.expect(|| is_in_state(sidecar, "T"), "a stopped sidecar");
    program.expect(|| fs::metadata(file("orders.log")).is_ok_and(|found| found.len() > 0), "the first lines");
    fs::write(file("api.log"), "").expect("truncated");
    signal(sidecar, Signal::CONT);
    program.expect(|| program.stdout().contains("order 1003 is stored"), "a line that is left");
    let written = fs::read(file("orders.log")).expect("readable");
    let first = written.split_inclusive(|byte| *byte == b'\n').next().expect("a line");
    let mut orders = fs::OpenOptions::new().append(true).open(file("orders.log")).expect("the file");
    orders.write_all(first).expect("written");
    program.expect(|| program.stdout().matches("order 1003 is stored").count() == 2, "the line once more");
    program.signal(Signal::INT);
    let ended = program.wait();
    assert_nothing_is_left(temporary.path());
    (!ended.stdout.contains("\"order\":1001}")).then_some(ended)
}

#[test]
fn what_is_lost_or_repeated_is_counted() {
    let ended =
        ["30s", "60s", "120s", "240s"].into_iter().find_map(with_a_loss_and_a_repetition).expect("in time once");
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!((figure(&ended.stdout, "lost"), figure(&ended.stdout, "repeated")), ("1", "1"), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\x1b'), "no colours in a pipe");
}

#[test]
fn ctrl_c_and_a_closed_terminal_end_each_scene_with_the_summary() {
    for (at, by) in [
        ("order 1003 is stored", Signal::INT),
        ("== 2.", Signal::INT),
        ("== 3.", Signal::HUP),
        // While it is down.
        ("while nobody reads them", Signal::INT),
        ("== 5.", Signal::TERM),
    ] {
        let temporary = directory();
        let program = Program::spawn(&mut demo(&["--for", "5s"], temporary.path()));
        let sidecar = wait_for(|| sidecar_of(program.id()), DEADLINE).expect("a sidecar");
        let mode = fs::metadata(only_directory(temporary.path())).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "nobody else's");
        program.expect(|| program.stdout().contains(at), at);
        program.signal(by);
        let ended = program.wait();
        assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
        assert!(ended.stdout.contains("== So far =="), "{}", ended.stdout);
        assert_eq!(figure(&ended.stdout, "lines written"), figure(&ended.stdout, "lines streamed"));
        assert_eq!((figure(&ended.stdout, "lost"), figure(&ended.stdout, "repeated")), ("0", "0"));
        assert_nothing_is_left(temporary.path());
        assert!(!Path::new(&format!("/proc/{sidecar}")).exists(), "the first one was ended or killed");
    }
}

#[test]
fn a_demo_that_is_killed_leaves_no_sidetail_behind() {
    let temporary = directory();
    let program = Program::spawn(&mut demo(&[], temporary.path()));
    program.expect(|| program.stdout().contains("order 1003 is stored"), "the first lines");
    let sidecar = sidecar_of(program.id()).expect("a sidecar");
    program.signal(Signal::KILL);
    // Whoever waits for orphans waits for it.
    let is_over = || (!Path::new(&format!("/proc/{sidecar}")).exists() || is_in_state(sidecar, "Z")).then_some(());
    wait_for(is_over, DEADLINE).expect("its end");
}

#[test]
fn a_reader_that_has_enough_ends_the_demo_quietly() {
    let temporary = directory();
    let mut shell = Command::new("sh");
    shell.args(["-c", "{ \"$0\" demo; echo $? >&2; } | head -n 1", env!("CARGO_BIN_EXE_sidetail")]);
    shell.env("TMPDIR", temporary.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = Program::spawn(&mut shell).wait();
    assert_eq!(ended.stderr, "74\n");
    assert!(ended.stdout.starts_with("An application writes log files into"), "{}", ended.stdout);
    assert_nothing_is_left(temporary.path());
}

#[test]
fn a_directory_that_cannot_be_had_is_one_line_with_the_way_out() {
    let temporary = directory();
    let missing = temporary.path().join("missing");
    for arguments in [&["--for", "1s"][..], &["counter", "--for", "1s"]] {
        let ended = Program::spawn(&mut demo(arguments, &missing)).wait();
        let said = ended.stderr.replace(|one: char| one.is_ascii_digit(), "");
        let expected = format!(
            "sidetail: cannot create {}/sidetail-demo--: No such file or directory (os error ); set TMPDIR to a writable \
             directory\n",
            missing.display().to_string().replace(|one: char| one.is_ascii_digit(), "")
        );
        assert_eq!((ended.status.code(), ended.stdout.as_str(), said), (Some(71), "", expected));
    }
}

#[test]
fn on_a_full_disk_everything_that_was_written_is_streamed_and_the_way_out_is_said() {
    let (temporary, Some(unshare)) = (directory(), unshare(&["--mount"])) else { return };
    let script = r#"mount -t tmpfs -o size=2m tmpfs "$1" && TMPDIR=$1 "$0" demo --for 1s; echo "$?"; ls -A "$1""#;
    let mut unshare = unshare;
    unshare.args(["sh", "-c", script, env!("CARGO_BIN_EXE_sidetail")]).arg(temporary.path());
    let ended = Program::spawn(unshare.stdout(Stdio::piped()).stderr(Stdio::piped())).wait();
    assert!(ended.stdout.ends_with("\n71\n"), "{}{}", ended.stdout, ended.stderr);
    assert_eq!((figure(&ended.stdout, "lost"), figure(&ended.stdout, "repeated")), ("0", "0"), "{}", ended.stdout);
    let (said, place) = (ended.stderr.trim_end(), temporary.path().display());
    assert!(said.starts_with(&format!("sidetail: cannot write {place}/")) && !said.contains('\n'), "{said}");
    assert!(
        said.ends_with("No space left on device (os error 28); set TMPDIR to a directory with 40 MiB of free space"),
        "{said}"
    );
}

#[test]
fn a_terminal_has_colours_unless_it_is_not_to_and_no_line_is_too_long_for_it() {
    for no_color in ["", "1"] {
        let (temporary, terminal) = (directory(), Terminal::open());
        terminal.resize(40);
        let mut demo = demo(&["--for", "5s"], temporary.path());
        let program = Program::spawn(demo.env("NO_COLOR", no_color).stdout(terminal.stdio()));
        let is_there = || terminal.text().contains("== 3.").then_some(());
        wait_for(is_there, DEADLINE).unwrap_or_else(|| panic!("{}", terminal.text()));
        program.signal(Signal::INT);
        program.wait();
        let is_whole = || terminal.text().contains("CPU time").then(|| terminal.text());
        let shown = wait_for(is_whole, DEADLINE).expect("the summary");
        assert_eq!(shown.contains('\x1b'), no_color.is_empty(), "{shown}");
        // But for the name of the directory, which is a word.
        let lines = still::lines(&shown);
        let too_long = lines.iter().find(|(_, text)| text.chars().count() > 40 && !text.starts_with('/'));
        assert_eq!(too_long, None);
    }
}

#[test]
fn the_counter_streams_both_files_and_cleans_up() {
    let temporary = directory();
    let ended = Program::spawn(&mut demo(&["counter", "--for", "3s"], temporary.path())).wait();
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stdout.contains("[1.log] 0: ") && ended.stdout.contains(" INFO 0\n"), "{}", ended.stdout);
    let errors: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with("[2.log] ")).collect();
    assert!(errors.len() == 1 && errors[0].contains(" ERROR 4 "), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 3, "two lines of explanation and an error: {}", ended.stderr);
    assert_nothing_is_left(temporary.path());
}

#[test]
fn ctrl_c_ends_the_counter_and_cleans_up() {
    let temporary = directory();
    let program = Program::spawn(&mut demo(&["counter"], temporary.path()));
    program.expect(|| program.stdout().contains("[1.log] 0: "), "the first line");
    program.signal(Signal::INT);
    assert_eq!(program.wait().status.code(), Some(0));
    assert_nothing_is_left(temporary.path());
}
