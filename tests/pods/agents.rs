//! What an agent on the node sees: Debian's rsyslog reads the log that a container runtime writes of the sidecar's streams,
//! while it is written, takes each record of the CRI apart, and puts together what the runtime cut.
//!
//! A machine that cannot do this (no root, no podman, no rsyslogd) says so in one line and passes; in CI (`CI=true`) it fails
//! instead. `.ci/run` unpacks rsyslog into the target directory and does not install it: it would take the place of the syslog
//! daemon that a machine has.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::bounded::wait_for;
use crate::support::pod::{Pod, changed, classic, podman, spec, stand_in};
use crate::support::program::Program;
use crate::support::records::{Record, records};
use crate::support::rotator::difference;
use crate::support::say::ignore;

const DEADLINE: Duration = Duration::from_secs(60);

/// JSON lines, and Java's with a stack trace in every fourth record; one in sixty is longer than what a runtime takes at once.
const APPLICATION: &str = r#"
mkdir /var/log/written
awk 'BEGIN {
  app = "/var/log/app.log"; java = "/var/log/java.log"
  long = sprintf("%40000s", "")
  gsub(/ /, "x", long)
  for (n = 0; n < 1200; n++) {
    is_error = n % 4 == 3
    printf("{\"time\":\"2026-01-05T10:00:00Z\",\"level\":\"%s\",\"msg\":\"request %d\"}\n", is_error ? "error" : "info", n) >> app
    more = n % 60 == 7 || n % 60 == 12 ? long : "all"
    printf("2026-01-05 10:00:00,123 %s [main] com.example.App: order %d %s\n", is_error ? "ERROR" : "INFO ", n, more) >> java
    if (is_error)
      printf("java.io.IOException: \"%d\" \\o/\n\tat com.example.Disk.read(Disk.java:7)\n", n) >> java
    if (n % 20 == 0) {
      fflush(app)
      fflush(java)
      system("usleep 10000")
    }
  }
}'
touch /var/log/written/done
sleep 600
"#;

#[test]
fn an_agent_has_every_line_once_with_its_stream() {
    let Some(agents) = Agents::new() else { return };
    let Some(podman) = podman() else { return };
    let pod = Pod::play(&podman, "formats", &classic(&stand_in(&spec("formats.yaml"), "app", APPLICATION)));
    let agent = agents.follow(pod.log_path());
    let written = ["app.log", "java.log"].map(|name| pod.when_done(name));
    let lines = written.iter().map(|text| text.lines().count()).sum();
    let events = agent.events(|events| events.0.len() >= lines);
    assert!(pod.log_text().contains(" P "), "the runtime cut nothing");
    for (text, marks) in written.iter().zip([&["{"][..], &["2", "\t", "j"]]) {
        for stream in ["stdout", "stderr"] {
            let expected: String = lines_of(text, stream == "stderr");
            let of_file = |event: &&Event| marks.iter().any(|mark| event.log.starts_with(mark));
            let found: String = events.of(stream).filter(of_file).map(|event| format!("{}\n", event.log)).collect();
            assert_eq!(difference(&expected, &found), None, "{stream}");
        }
    }
    events.check_the_times();
    assert_eq!(agent.events(|_| true).0.len(), events.0.len(), "something came at the end");
}

#[test]
fn an_agent_has_every_record_as_one_object_with_its_stream() {
    let Some(agents) = Agents::new() else { return };
    let Some(podman) = podman() else { return };
    let output = "      env:\n        - name: SIDETAIL_OUTPUT\n          value: json\n";
    let sidecar = "      restartPolicy: Always\n";
    let spec = changed(&spec("formats.yaml"), &[(sidecar, &format!("{sidecar}{output}"))]);
    let pod = Pod::play(&podman, "formats", &classic(&stand_in(&spec, "app", APPLICATION)));
    let agent = agents.follow(pod.log_path());
    let written = ["app.log", "java.log"].map(|name| pod.when_done(name));
    // Of records that are longer than 16 KiB there are several objects, so what counts is what is in them.
    let bytes = written.each_ref().map(String::len);
    let events = agent.events(|events| {
        let texts = [Texts::of(events, "stdout"), Texts::of(events, "stderr")];
        [texts.iter().map(|text| text.app.len()).sum(), texts.iter().map(|text| text.java.len()).sum()] >= bytes
    });
    for stream in ["stdout", "stderr"] {
        let texts = Texts::of(&events, stream);
        for (written, found) in written.iter().zip([&texts.app, &texts.java]) {
            assert_eq!(difference(&lines_of(written, stream == "stderr"), found), None, "{stream}");
        }
        assert_eq!(texts.records, if stream == "stderr" { 600 } else { 1800 }, "{stream}");
    }
    events.check_the_times();
}

/// What the objects of a stream say that was written.
struct Texts {
    app: String,
    java: String,
    records: usize,
}

impl Texts {
    fn of(events: &Events, stream: &str) -> Self {
        let objects: String = events.of(stream).map(|event| format!("{}\n", event.log)).collect();
        assert!(objects.lines().all(|line| line.len() < 16 << 10), "longer than what containerd takes whole");
        let records = records(objects.as_bytes());
        let (json, java): (Vec<_>, Vec<_>) = records.iter().partition(|record| record.object["format"] == "json");
        let app = json.iter().map(|record| format!("{}\n", ordered(&record.object["record"]))).collect();
        let java = java.into_iter().map(java_lines).collect();
        Self { app, java, records: records.len() }
    }
}

/// The lines of a file of the application that belong to errors, or those that do not.
fn lines_of(text: &str, is_error: bool) -> String {
    let mut is_in_error = false;
    let wanted = |line: &&str| {
        if line.starts_with('{') || line.starts_with('2') {
            is_in_error = line.contains("\"error\"") || line.contains(" ERROR ");
        }
        is_in_error == is_error
    };
    text.split_inclusive('\n').filter(wanted).collect()
}

/// A record of java.log as the application writes it.
fn java_lines(record: &Record) -> String {
    let [time, level, thread, logger] =
        ["time_text", "level", "thread.name", "otel.scope.name"].map(|name| record.field(name));
    format!("{time} {:5} [{thread}] {logger}: {}", level.to_uppercase(), record.message)
}

/// A record of app.log as the application writes it.
fn ordered(record: &Value) -> String {
    let [time, level, message] = ["time", "level", "msg"].map(|name| record[name].as_str().expect("a text"));
    format!("{{\"time\":\"{time}\",\"level\":\"{level}\",\"msg\":\"{message}\"}}")
}

impl Pod<'_> {
    /// What is in a file when the application has written everything.
    fn when_done(&self, name: &str) -> String {
        let done = self.volume.join("written/done");
        wait_for(|| done.exists().then_some(()), DEADLINE).expect("the application is through in time");
        self.file(name)
    }

    fn log_text(&self) -> String {
        fs::read_to_string(self.log_path()).expect("the runtime has opened the log")
    }
}

/// rsyslogd, as it is installed or unpacked here.
struct Agents {
    program: PathBuf,
    /// Where the folder of its libraries is, if it is not installed.
    unpacked: Option<PathBuf>,
}

/// One that follows a log.
struct Agent {
    program: Program,
    _dir: TempDir,
}

/// What an agent makes of a log: whole lines, and where and when they came.
#[derive(Debug)]
struct Event {
    stream: String,
    time: String,
    log: String,
}

struct Events(Vec<Event>);

impl Agents {
    /// `None` if this machine has none, which is said.
    fn new() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut installed = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        if let Some(program) = installed.find_map(|dir| Some(dir.join("rsyslogd")).filter(|program| program.is_file()))
        {
            return Some(Self { program, unpacked: None });
        }
        // The target directory is above the machine's own target.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).ancestors().nth(2).expect("target/TRIPLE/tmp");
        let root = target.join("rsyslog");
        let program = root.join("usr/sbin/rsyslogd");
        if !program.is_file() {
            ignore("rsyslogd is neither installed nor unpacked in the target directory; bash .ci/run unpacks it");
            return None;
        }
        Some(Self { program, unpacked: Some(root.join("usr/lib").join(format!("{}-linux-gnu", env::consts::ARCH))) })
    }

    /// Starts one that reads the log from its beginning, as it is written.
    fn follow(&self, log: &Path) -> Agent {
        let dir = tempfile::tempdir().expect("the temporary directory is writable");
        let conf = CONFIGURATION
            .replace("WORK", dir.path().to_str().expect("ASCII"))
            .replace("LOG", log.to_str().expect("the path is UTF-8"));
        fs::write(dir.path().join("conf"), conf).expect("our own directory is writable");
        let mut command = Command::new(&self.program);
        command.arg("-n").arg("-f").arg(dir.path().join("conf")).arg("-i").arg(dir.path().join("pid"));
        if let Some(libraries) = &self.unpacked {
            command.arg("-M").arg(libraries.join("rsyslog")).env("LD_LIBRARY_PATH", libraries);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Agent { program: Program::spawn(&mut command), _dir: dir }
    }
}

/// As an agent reads the log of a container: `TIME STREAM TAG CONTENT`, each stream's pieces put together up to the one with
/// the tag `F`. What an agent would send is written to standard output, an object each.
const CONFIGURATION: &str = r#"
global(workDirectory="WORK" parser.escapeControlCharactersOnReceive="off" maxMessageSize="64k")
module(load="imfile" mode="inotify")
template(name="event" type="list" option.jsonf="on") {
  property(outname="time" name="$!time" format="jsonf")
  property(outname="stream" name="$!stream" format="jsonf")
  property(outname="log" name="$!log" format="jsonf")
}
ruleset(name="cri" queue.type="Direct") {
  set $!time = re_extract($msg, "^([^ ]+) (stdout|stderr) ([PF]) (.*)", 0, 1, "not of the CRI");
  set $!stream = re_extract($msg, "^([^ ]+) (stdout|stderr) ([PF]) (.*)", 0, 2, "not of the CRI");
  set $!tag = re_extract($msg, "^([^ ]+) (stdout|stderr) ([PF]) (.*)", 0, 3, "F");
  set $!piece = re_extract($msg, "^([^ ]+) (stdout|stderr) ([PF]) (.*)", 0, 4, "");
  if $!stream == "stdout" then {
    set $/stdout = $/stdout & $!piece;
    set $!log = $/stdout;
  } else {
    set $/stderr = $/stderr & $!piece;
    set $!log = $/stderr;
  }
  if $!tag == "F" then {
    if $!stream == "stdout" then { set $/stdout = ""; } else { set $/stderr = ""; }
    action(type="omfile" file="/dev/stdout" template="event")
  }
}
input(type="imfile" file="LOG" tag="cri" ruleset="cri" addMetadata="off")
"#;

impl Agent {
    /// All that it has seen, when that is enough; what is missing, or too much, the comparison will say.
    fn events(&self, is_enough: impl Fn(&Events) -> bool) -> Events {
        let _ = wait_for(|| is_enough(&self.seen()).then_some(()), DEADLINE);
        assert_eq!(self.program.stderr(), "", "rsyslogd complains");
        self.seen()
    }

    fn seen(&self) -> Events {
        let event = |line: &str| {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
            let [stream, time, log] =
                ["stream", "time", "log"].map(|name| value[name].as_str().expect("a text").to_owned());
            Event { stream, time, log }
        };
        let seen = self.program.stdout();
        Events(seen.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(event).collect())
    }
}

impl Events {
    fn of(&self, stream: &str) -> impl Iterator<Item = &Event> {
        self.0.iter().filter(move |event| event.stream == stream)
    }

    /// The time is the runtime's, of when it read the line: on each stream it only grows.
    fn check_the_times(&self) {
        for stream in ["stdout", "stderr"] {
            let times: Vec<_> = self.of(stream).map(|event| event.time.as_str()).collect();
            // All have the same length, as in 2026-01-02T03:04:05.678901234+00:00.
            assert!(
                times.iter().all(|time| time.len() == times[0].len() && time.as_bytes()[10] == b'T'),
                "{:?}",
                times[0]
            );
            assert!(times.is_sorted(), "{stream}");
        }
    }
}

#[test]
fn an_agent_joins_what_was_cut_stream_by_stream() {
    let Some(agents) = Agents::new() else { return };
    let dir = tempfile::tempdir().expect("the temporary directory is writable");
    let time = "2026-01-02T03:04:05.678901234+00:00";
    let log = format!(
        "{time} stdout P a\n{time} stderr P \"c\n{time} stdout F  b\n{time} stderr F \\\n{time} stdout F \nx\n"
    );
    fs::write(dir.path().join("log"), log).expect("our own directory is writable");
    let agent = agents.follow(&dir.path().join("log"));
    let events = agent.events(|events| events.0.len() >= 4);
    let found: Vec<_> = events.0.iter().map(|event| (event.stream.as_str(), event.log.as_str())).collect();
    assert_eq!(found, [("stdout", "a b"), ("stderr", "\"c\\"), ("stdout", ""), ("not of the CRI", "")]);
}
