//! `sidetail classify`: what it prints for people and for scripts, and that the stream does what it says.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe};
use crate::support::terminal::Terminal;

const INPUT: &str = "{\"level\":\"error\",\"msg\":\"down\"}\n\
    2026-01-05 10:00:00,123 WARN  [main] c.e.App: careful\n\
    \tat com.example.App.run(App.java:12)\n\
    level=info msg=x\n\
    words\n";

const COLUMNS: &str = "json\terror\tstderr\t{\"level\":\"error\",\"msg\":\"down\"}\n\
    log4j\twarn\tstdout\t2026-01-05 10:00:00,123 WARN  [main] c.e.App: careful\n\
    +log4j\twarn\tstdout\t\tat com.example.App.run(App.java:12)\n\
    logfmt\tinfo\tstdout\tlevel=info msg=x\n\
    plain\t-\tstdout\twords\n";

const SUMMARY: &str = "5 lines, 4 records: json 1, log4j 1, logfmt 1, plain 1\n\
    levels: error 1, warn 1, info 1, without 1\n\
    streams, in lines: stdout 4, stderr 1, dropped 0\n\
    no level found in lines like these:\n  1 x words\n";

fn classify(variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = command(variables);
    command.arg("classify").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end with this input; both are short, or read at once.
fn fed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).expect("it reads all"));
        child.wait_with_output().expect("it ends")
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).expect("UTF-8")
}

#[test]
fn the_line_that_would_read_what_was_not_read_does_read_it() {
    let dir = directory();
    let path = dir.path().join("app.log");
    for level in ["Error", "Info", "Warning", "Info"] {
        append(&path, format!("2026-01-05 10:00:00 my app of the house <{level}> (main) it took {level} time\n"));
    }
    let path = path.to_str().expect("ASCII");
    let before = Program::spawn(&mut classify(&[], &[path])).wait();
    assert!(before.stderr.contains("without 4"), "{}", before.stderr);
    let said = before.stderr.split_once("to read them: ").expect("a line that would read them").1;
    let (name, expression) = said.trim_end().split_once("='").expect("a variable");
    let name = name.strip_prefix("SIDETAIL_").expect("it is one of ours");
    let variable = (name, expression.strip_suffix('\'').expect("a quote"));
    let ended = Program::spawn(&mut classify(&[variable], &[path])).wait();
    let levels = "levels: error 1, warn 1, info 2\n";
    assert!(
        ended.stderr.contains(levels) && !ended.stderr.contains("no level found"),
        "{variable:?}: {}",
        ended.stderr
    );
}

#[test]
fn columns_and_summary_are_exact() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, INPUT);
    let path = path.to_str().expect("ASCII");
    let ended = Program::spawn(&mut classify(&[], &[path])).wait();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), (COLUMNS, SUMMARY));
    assert_eq!(ended.status.code(), Some(0));
    for arguments in [&[][..], &["-"]] {
        let output = fed(&mut classify(&[], arguments), INPUT.as_bytes());
        assert_eq!((text(&output.stdout), text(&output.stderr)), (COLUMNS.to_owned(), SUMMARY.to_owned()));
    }
    // Each file is judged for itself: the first line of the second continues nothing.
    let output = fed(&mut classify(&[], &[path, "-"]), b"\tat x\n");
    assert_eq!(text(&output.stdout), format!("{COLUMNS}plain\t-\tstdout\t\tat x\n"));
}

#[test]
fn what_is_dropped_and_what_cannot_be_text_is_shown_too() {
    let output = fed(&mut classify(&[("DROP", "format:logfmt"), ("STDERR", "level=warn")], &[]), INPUT.as_bytes());
    let expected =
        COLUMNS.replace("stderr", "stdout").replace("warn\tstdout", "warn\tstderr").replace("info\tstdout", "info\t-");
    assert_eq!(text(&output.stdout), expected);
    assert!(text(&output.stderr).contains("stdout 2, stderr 2, dropped 1\n"), "{}", text(&output.stderr));
    // Bytes pass as they are, and a last line without a newline is one.
    let output = fed(&mut classify(&[], &[]), b"a\xff\r\n\nERROR: \xc3(");
    assert_eq!(output.stdout, b"plain\t-\tstdout\ta\xff\r\n+plain\t-\tstdout\t\nplain\terror\tstderr\tERROR: \xc3(\n");
    let output = fed(&mut classify(&[], &[]), b"");
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).starts_with("0 lines, 0 records: none\n"), "{}", text(&output.stderr));
}

#[test]
fn json_has_a_member_for_each_column() {
    let output = fed(&mut classify(&[("DROP", "format:logfmt")], &["--json"]), INPUT.as_bytes());
    let found: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let line = |format, level: Value, stream: Value, continues, line| json!({"file": "-", "format": format, "level": level, "stream": stream, "continues": continues, "line": line});
    let lines: Vec<_> = INPUT.lines().collect();
    let expected = [
        line("json", "error".into(), "stderr".into(), false, lines[0]),
        line("log4j", "warn".into(), "stdout".into(), false, lines[1]),
        line("log4j", "warn".into(), "stdout".into(), true, lines[2]),
        line("logfmt", "info".into(), Value::Null, false, lines[3]),
        line("plain", Value::Null, "stdout".into(), false, lines[4]),
    ];
    assert_eq!(found, expected);
    let output = fed(&mut classify(&[], &["--json"]), b"\xff\"\x01\r\n");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["line"], "\u{fffd}\"\u{1}");
}

#[test]
fn a_missing_file_is_told_and_the_others_are_shown() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, INPUT);
    let arguments = ["/nonexistent/app.log", path.to_str().expect("ASCII"), "/"];
    let ended = Program::spawn(&mut classify(&[], &arguments)).wait();
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(66), COLUMNS));
    let why = |file: &str, why: &str| format!("sidetail: cannot read {file}: {why}; name a file, or - for stdin\n");
    let expected = why("/nonexistent/app.log", "No such file or directory (os error 2)")
        + &why("/", "Is a directory (os error 21)");
    assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
    // What was shown is summed up all the same.
    assert!(ended.stderr.contains(SUMMARY), "{}", ended.stderr);
}

#[test]
fn wrong_rules_and_arguments_are_refused() {
    let ended = Program::spawn(&mut classify(&[("STDERR", "level>=loud"), ("FORMATS", "x=y")], &[])).wait();
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(64), ""));
    assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
    let ended = Program::spawn(&mut classify(&[], &["--jsn"])).wait();
    assert_eq!(ended.status.code(), Some(64));
    assert!(ended.stderr.contains("sidetail classify [--json] [FILE...]"), "{}", ended.stderr);
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, INPUT.repeat(20_000));
    let (reader, writer) = pipe();
    let mut command = classify(&[], &[path.to_str().expect("ASCII")]);
    let program = Program::spawn(command.stdout(writer));
    drop(command);
    let mut begun = [0; 10];
    let mut reader = File::from(reader);
    reader.read_exact(&mut begun).expect("the first bytes");
    drop(reader);
    let ended = program.wait();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(74), ""));
    // Also if what it prints is so short that it is written at the end.
    let (reader, writer) = pipe();
    drop(reader);
    append(&dir.path().join("short.log"), INPUT);
    let mut command = classify(&[], &[dir.path().join("short.log").to_str().expect("ASCII")]);
    let ended = Program::spawn(command.stdout(writer)).wait();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(74), ""));
}

/// What it prints on a terminal.
fn on_a_terminal(no_color: Option<&str>) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("its other side");
    let name = ptsname(&controller, Vec::new()).expect("its name").into_string().expect("ASCII");
    let terminal = OpenOptions::new().read(true).write(true).open(name).expect("the terminal");
    let dir = directory();
    let path = dir.path().join("app.log");
    append(&path, INPUT);
    let mut command = classify(&[], &[path.to_str().expect("ASCII")]);
    command.env_remove("NO_COLOR").envs(no_color.map(|value| ("NO_COLOR", value)));
    let program = Program::spawn(command.stdout(terminal));
    drop(command);
    assert_eq!(program.wait().status.code(), Some(0));
    let (mut controller, mut bytes) = (File::from(controller), Vec::new());
    // When nobody has the terminal open any more, reading it fails.
    let _ = controller.read_to_end(&mut bytes);
    text(&bytes).replace("\r\n", "\n")
}

#[test]
fn a_terminal_gets_colours_unless_they_are_unwanted() {
    let coloured = on_a_terminal(None);
    assert!(coloured.starts_with("json\t\x1b[31merror\x1b[0m\tstderr\t\x1b[31m{"), "{coloured:?}");
    assert!(coloured.contains("log4j\t\x1b[33mwarn\x1b[0m\tstdout\t2026"), "{coloured:?}");
    assert!(coloured.ends_with("plain\t-\tstdout\twords\n"), "{coloured:?}");
    let mut plain = coloured;
    for colour in ["\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"] {
        plain = plain.replace(colour, "");
    }
    assert_eq!(plain, COLUMNS);
    assert_eq!(on_a_terminal(Some("1")), COLUMNS);
    assert_ne!(on_a_terminal(Some("")), COLUMNS);
}

#[test]
fn at_a_terminal_lines_are_judged_as_they_are_typed_and_one_ctrl_d_ends_it() {
    let mut terminal = Terminal::open();
    let mut command = classify(&[], &[]);
    command.env("NO_COLOR", "1").stdin(terminal.stdio());
    let mut child = command.spawn().expect("it starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    for (typed, judged) in
        [("ERROR no disk\n", "plain\terror\tstderr\tERROR no disk\n"), ("{}\n", "json\t-\tstdout\t{}\n")]
    {
        terminal.press(typed);
        line.clear();
        stdout.read_line(&mut line).expect("a line");
        assert_eq!(line, judged);
    }
    terminal.press("\x04");
    let output = child.wait_with_output().expect("it ends");
    assert!(text(&output.stderr).starts_with("2 lines, 2 records: json 1, plain 1\n"), "{}", text(&output.stderr));
}

#[test]
fn at_a_terminal_several_files_are_named() {
    let dir = directory();
    append(&dir.path().join("a.log"), "one\n");
    append(&dir.path().join("b.log"), "two\n");
    let terminal = Terminal::open();
    let mut command = classify(&[], &["a.log", "b.log"]);
    command.env("NO_COLOR", "1").current_dir(dir.path()).stdout(terminal.stdio());
    let ended = Program::spawn(&mut command).wait();
    let shown = "==> a.log <==\nplain\t-\tstdout\tone\n\n==> b.log <==\nplain\t-\tstdout\ttwo\n";
    wait_for(|| (terminal.text() == shown).then_some(()), DEADLINE).unwrap_or_else(|| panic!("{:?}", terminal.text()));
    assert!(ended.stderr.starts_with("2 lines, 2 records: plain 2\n"), "{}", ended.stderr);
    // A program gets nothing but lines; and one is not two.
    let ended = Program::spawn(classify(&[], &["a.log"]).current_dir(dir.path())).wait();
    assert_eq!(ended.stdout, "plain\t-\tstdout\tone\n");
    assert!(ended.stderr.starts_with("1 line, 1 record: plain 1\n"), "{}", ended.stderr);
}

/// The samples of every format, a file each, and what `classify` must print for it.
fn samples() -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    let mut samples = Vec::new();
    for entry in fs::read_dir(directory).expect("the samples") {
        let path = entry.expect("readable").path();
        let text = fs::read(&path).expect("readable");
        let mut files = vec![Vec::new()];
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            match line {
                b"# new file\n" => files.push(Vec::new()),
                [b'#', ..] => {}
                _ => files.last_mut().expect("there is one").extend(line),
            }
        }
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let named = |(number, file)| (PathBuf::from(format!("{stem}-{number}.log")), file);
        samples.extend(files.into_iter().filter(|file| !file.is_empty()).enumerate().map(named));
    }
    samples
}

/// The fourth column of each line that has this in the third.
fn streamed(columns: &[u8], stream: &[u8]) -> Vec<u8> {
    let lines = columns.split_inclusive(|byte| *byte == b'\n');
    let of_stream = |line: &[u8]| {
        let mut columns = line.splitn(4, |byte| *byte == b'\t').skip(2);
        (columns.next() == Some(stream)).then(|| columns.next().unwrap_or_default().to_vec())
    };
    lines.filter_map(of_stream).flatten().collect()
}

/// Streams files, and returns for each file what came of it on the two streams.
fn stream(directory: &Path, names: &[PathBuf], bytes: usize) -> Vec<[Vec<u8>; 2]> {
    let paths = format!("{}/*.log", directory.display());
    let outputs = [(); 2].map(|()| tempfile::NamedTempFile::new().expect("a file"));
    let [stdout, stderr] = outputs.each_ref().map(|file| file.reopen().expect("a second descriptor"));
    let variables = [("PATHS", &*paths), ("OUTPUT", "prefix"), ("STATE", "off")];
    let program = Program::spawn(command(&variables).stdout(stdout).stderr(stderr));
    let length = || outputs.iter().map(|file| file.as_file().metadata().expect("its size").len()).sum::<u64>();
    wait_for(|| (length() >= bytes as u64).then_some(()), DEADLINE).expect("all lines");
    assert_eq!(program.terminate().status.code(), Some(0));
    let found = outputs.map(|file| fs::read(file.path()).expect("readable"));
    let of_file = |name: &PathBuf, all: &[u8]| {
        let prefix = format!("[{}] ", name.display());
        let lines = all.split_inclusive(|byte| *byte == b'\n');
        lines.filter_map(|line| line.strip_prefix(prefix.as_bytes())).flatten().copied().collect()
    };
    names.iter().map(|name| found.each_ref().map(|all| of_file(name, all))).collect()
}

#[test]
fn the_stream_does_what_classify_says_for_every_sample() {
    let dir = directory();
    let samples = samples();
    let mut bytes = 0;
    for (name, columns) in &samples {
        let input = [streamed(columns, b"stdout"), streamed(columns, b"stderr")];
        let lines: usize = input.iter().map(|text| text.iter().filter(|byte| **byte == b'\n').count()).sum();
        bytes += input.iter().map(Vec::len).sum::<usize>() + lines * (name.as_os_str().len() + 3);
        let in_order: Vec<u8> = columns
            .split_inclusive(|byte| *byte == b'\n')
            .flat_map(|line| line.splitn(4, |byte| *byte == b'\t').nth(3).unwrap_or_default().to_vec())
            .collect();
        append(&dir.path().join(name), in_order);
    }
    let names: Vec<_> = samples.iter().map(|(name, _)| name.clone()).collect();
    let streams = stream(dir.path(), &names, bytes);
    for ((name, expected), [stdout, stderr]) in samples.iter().zip(streams) {
        let output = classify(&[], &[]).arg(dir.path().join(name)).output().expect("it runs");
        let found = String::from_utf8_lossy(&output.stdout);
        assert_eq!(found, String::from_utf8_lossy(expected), "{}", name.display());
        for (which, streamed_bytes) in [("stdout", stdout), ("stderr", stderr)] {
            let (is, should) = (streamed_bytes, streamed(expected, which.as_bytes()));
            assert_eq!(String::from_utf8_lossy(&is), String::from_utf8_lossy(&should), "{which} of {}", name.display());
        }
    }
}

#[test]
fn classify_and_the_stream_agree_across_reads() {
    // Records whose level is known from a line behind their first, everywhere across the ends of reads.
    let jul = "Jan 05, 2026 10:00:00 AM com.example.App main\nSEVERE: number\n";
    let pretty = "{\n  \"msg\": \"number\",\n  \"level\": \"error\"\n}\n";
    for record in [jul, pretty] {
        let dir = directory();
        let path = dir.path().join("app.log");
        let all: String = (0..6000).map(|number| record.replace("number", &number.to_string())).collect();
        append(&path, &all);
        let [stdout, stderr] = stream(dir.path(), &["app.log".into()], all.len()).remove(0);
        assert!(stdout.is_empty() && stderr == all.as_bytes(), "{} bytes on stdout", stdout.len());
        let output = classify(&[], &[]).arg(&path).output().expect("it runs");
        assert!(streamed(&output.stdout, b"stdout").is_empty(), "{}", text(&streamed(&output.stdout, b"stdout")));
        assert!(streamed(&output.stdout, b"stderr") == all.as_bytes());
    }
}

#[test]
fn a_long_line_is_classified_in_pieces_that_continue_it() {
    let line = format!("{{\"level\":\"error\",\"msg\":\"{}\"}}\nwords\n", "x".repeat(200_000));
    let output = fed(&mut classify(&[], &[]), line.as_bytes());
    let shown: Vec<String> = text(&output.stdout).lines().map(ToOwned::to_owned).collect();
    assert!(shown.len() >= 4, "{} lines", shown.len());
    let (last, pieces) = shown.split_last().expect("lines");
    assert_eq!(last, "plain\t-\tstdout\twords");
    assert!(pieces[0].starts_with("json\terror\tstderr\t{"));
    assert!(pieces[1..].iter().all(|piece| piece.starts_with("+json\terror\tstderr\t")));
    let whole: String = pieces.iter().filter_map(|piece| piece.splitn(4, '\t').nth(3)).collect();
    assert_eq!(whole, line.lines().next().unwrap_or_default());
    assert!(text(&output.stderr).contains(" 2 records: json 1, plain 1\n"), "{}", text(&output.stderr));
}
