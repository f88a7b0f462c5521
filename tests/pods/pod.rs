//! The specs of `examples/pod-specs`, for real: the classic one, the one of the formats and the classic Job run as pods under
//! podman, with a real container runtime, a shared `emptyDir` and a log in the format of the CRI; all are validated against the
//! Kubernetes schema.
//!
//! A machine that cannot do this (no root, no podman) says so in one line and passes; in CI (`CI=true`) it fails instead.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::support::bounded::wait_for;
use crate::support::pod::{CriLog, Pod, changed, classic, pod_of_job, podman, spec, spec_path, stand_in};
use crate::support::say::{ignore, say};
use crate::support::validator::Validator;

const COUNTER: &str = "counter-count";

/// How many lines the counter of the test writes into each file.
const LINES: usize = 400;
/// What a resource limit of `16Mi` means.
const MEMORY_LIMIT_BYTES: &str = "16777216";
/// How long Kubernetes leaves a pod between SIGTERM and SIGKILL, unless it says otherwise.
const END_DEADLINE: Duration = Duration::from_secs(30);
/// The counter needs about four seconds on an idle machine.
const STREAM_DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn the_counter_pod_streams_every_line_once_and_ends_in_time() {
    let Some(podman) = podman() else { return };
    // Stopped as a native sidecar is: when the application has ended.
    let lingers = "        - name: SIDETAIL_LINGER\n          value: 5s\n";
    let pod = Pod::play(&podman, "counter", &finite(&changed(&spec("counter-classic.yaml"), &[(lingers, "")])));

    pod.check_the_counter_is_streamed();
    pod.check_the_sandbox();
    pod.check_the_command();
    pod.check_the_memory();
    pod.check_the_end();
}

#[test]
fn the_pod_of_the_formats_has_errors_on_stderr_and_traces_whole() {
    let Some(podman) = podman() else { return };
    let pod = Pod::play(&podman, "formats", &classic(&finite(&spec("formats.yaml"))));
    let lines = |log: &CriLog| log.line_counts().0 + log.line_counts().1;
    // A line of each file, and three more of the trace in every fourth.
    let expected = LINES * 4 + LINES / 4 * 3;
    let _ = wait_for(|| (lines(&pod.log()) >= expected).then_some(()), STREAM_DEADLINE);
    let log = pod.log();
    assert_eq!(lines(&log), expected, "lines");
    let mut errors = 0;
    for (name, is_error) in [
        ("app.log", "\"level\":\"error\""),
        ("nginx/access.log", "\" 503 "),
        ("nginx/error.log", " [error] "),
        ("java.log", " ERROR "),
    ] {
        let text = pod.file(name);
        for (stream, found, other) in [("stdout", &log.stdout, false), ("stderr", &log.stderr, true)] {
            let found = String::from_utf8_lossy(found);
            let mut from = 0;
            let wanted: Vec<_> =
                records(&text).into_iter().filter(|record| record.contains(is_error) == other).collect();
            assert_eq!(wanted.len(), if other { LINES / 4 } else { LINES / 4 * 3 }, "{name}");
            errors += wanted.len() * usize::from(other);
            for record in wanted {
                // Whole, and in the order of its file.
                let at = found[from..].find(&record).unwrap_or_else(|| panic!("{name}: {record:?} is not on {stream}"));
                from += at + record.len();
            }
        }
    }
    assert_eq!((errors, log.line_counts().1), (LINES, LINES + LINES / 4 * 3), "records, and lines on stderr");
    podman.run(&["pod", "stop", "--time", &END_DEADLINE.as_secs().to_string(), "formats"]);
    assert_eq!(pod.sidecar("{{.State.ExitCode}} {{.State.OOMKilled}}"), "0 false");
    assert_eq!(pod.log(), log, "something came at the end");
}

#[test]
fn the_job_completes_with_every_line_streamed_once() {
    let Some(podman) = podman() else { return };
    let job = changed(
        &pod_of_job("import", &spec("job-classic.yaml")),
        &[("[ $i -lt 60 ]", &format!("[ $i -lt {LINES} ]")), ("sleep 1", "usleep 5000")],
    );
    Pod::play(&podman, "import", &job).check_the_job_completes();
    podman.run(&["pod", "rm", "import"]);
    // The same for an application that knows nothing of it; its process must have been seen.
    let job = changed(
        &job,
        &[
            ("  restartPolicy: Never\n", "  restartPolicy: Never\n  shareProcessNamespace: true\n"),
            ("file:/var/log/done", "process:sh"),
            ("trap 'touch /var/log/done' EXIT", "until [ -e /var/log/.sidetail ]; do usleep 10000; done"),
        ],
    );
    Pod::play(&podman, "import", &job).check_the_job_completes();
}

/// An application that says goodbye for three seconds when it is stopped.
const SAYS_GOODBYE: &str = r"
trap 'for i in 1 2 3 4 5 6; do echo goodbye $i >> /var/log/1.log; usleep 500000; done; echo goodbye 7 >> /var/log/1.log; exit' TERM
echo ready >> /var/log/1.log
while true; do usleep 50000; done
";

#[test]
fn what_a_classic_application_writes_while_it_stops_is_streamed() {
    let Some(podman) = podman() else { return };
    let once = ("  containers:\n", "  restartPolicy: Never\n  containers:\n");
    let classic = changed(&stand_in(&spec("counter-classic.yaml"), "count", SAYS_GOODBYE), &[once]);
    let shared = [("  containers:\n", "  shareProcessNamespace: true\n  containers:\n"), ("value: 5s", "value: 50m")];
    // As it is; and where it can see that the application has ended, with a time that nobody would wait for.
    // Three seconds take longer where much else runs.
    for spec in [changed(&classic, &[("value: 5s", "value: 20s")]), changed(&classic, &shared)] {
        let pod = Pod::play(&podman, "counter", &spec);
        let _ = wait_for(|| (pod.log().line_counts() == (1, 0)).then_some(()), STREAM_DEADLINE);
        podman.run(&["kill", "--signal", "TERM", COUNTER, "counter-sidetail"]);
        assert_eq!(podman.run(&["wait", COUNTER, "counter-sidetail"]), "0\n0", "exit codes; {:?}", pod.log());
        let expected: String = (1..=7).map(|number| format!("goodbye {number}\n")).collect();
        assert_eq!(String::from_utf8_lossy(&pod.log().stdout), format!("ready\n{expected}"));
        podman.run(&["pod", "rm", "--force", "--time", "0", "counter"]);
    }
}

#[test]
fn a_backlog_behind_a_rate_limit_is_streamed_when_the_pod_is_deleted() {
    let Some(podman) = podman() else { return };
    let script = "seq -f %099.0f 1 200000 > /var/log/1.log; sleep 600";
    let once = ("  containers:\n", "  restartPolicy: Never\n  containers:\n");
    let limit =
        ("          value: 5s\n", "          value: 0s\n        - name: SIDETAIL_RATE_LIMIT\n          value: 100k\n");
    let pod = Pod::play(
        &podman,
        "counter",
        &changed(&stand_in(&spec("counter-classic.yaml"), "count", script), &[once, limit]),
    );
    let _ = wait_for(
        || (pod.log().line_counts().0 > 0 && pod.file("1.log").len() == 20_000_000).then_some(()),
        STREAM_DEADLINE,
    );
    podman.run(&["kill", "--signal", "TERM", "counter-sidetail"]);
    assert_eq!(podman.run(&["wait", "counter-sidetail"]), "0");
    assert_eq!(difference(pod.file("1.log").as_bytes(), &pod.log().stdout), None);
}

#[test]
fn check_as_an_init_container_lets_the_pod_start() {
    let Some(podman) = podman() else { return };
    let text = spec("counter-classic.yaml");
    let (_, sidecar) = text.split_once("    - name: sidetail\n").expect("the sidecar");
    let (sidecar, _) = sidecar.split_once("  volumes:\n").expect("the volumes");
    let check =
        format!("  initContainers:\n    - name: check\n      args: [check, --strict]\n{sidecar}  containers:\n");
    // Podman would take the init container away while it still runs.
    let always = "  name: counter\n  annotations:\n    io.podman.annotations.init.container.type: always\n";
    let spec = changed(&finite(&text), &[("  containers:\n", &check), ("  name: counter\n", always)]);
    let pod = Pod::play(&podman, "counter", &spec);
    pod.check_the_counter_is_streamed();
}

#[test]
fn the_specs_fit_the_kubernetes_schema() {
    let validator = match Validator::install() {
        Ok(validator) => validator,
        Err(why) => return ignore(&why),
    };
    // The first version that each is for, or the oldest that the package carries, and the newest.
    for (name, versions) in [
        ("sidecar.yaml", ["1.29", "1.37"]),
        ("counter.yaml", ["1.29", "1.37"]),
        ("counter-classic.yaml", ["1.25", "1.37"]),
        ("formats.yaml", ["1.29", "1.37"]),
        ("rotate.yaml", ["1.29", "1.37"]),
        ("vault-audit.yaml", ["1.29", "1.37"]),
        ("tomcat.yaml", ["1.29", "1.37"]),
        ("job.yaml", ["1.29", "1.37"]),
        ("job-classic.yaml", ["1.25", "1.37"]),
        ("nginx.yaml", ["1.29", "1.37"]),
        ("postgres.yaml", ["1.29", "1.37"]),
        ("mysql.yaml", ["1.29", "1.37"]),
        ("spring-boot.yaml", ["1.29", "1.37"]),
        ("legacy.yaml", ["1.29", "1.37"]),
    ] {
        for version in versions {
            let verdict = validator.validate(&spec_path(name), version);
            assert!(verdict.is_ok(), "{name} for Kubernetes {version}: {verdict:?}");
        }
    }
    // 1.28 has native sidecars too, but switched off; before it, the schema does not know them.
    check_the_validator_refuses(&validator, "1.27", &spec("counter.yaml"));
    check_the_validator_refuses(&validator, "1.27", &spec("job.yaml"));
    check_the_validator_refuses(&validator, "1.37", &spec("counter.yaml").replace("runAsNonRoot", "runAsNotRoot"));
}

#[test]
fn the_two_specs_differ_only_in_the_kind_of_sidecar() {
    let (native, classic) = (spec("counter.yaml"), spec("counter-classic.yaml"));
    for container in ["sidetail", "count"] {
        let block = container_block(&native, container);
        let is_a_sidecar = block.iter().any(|line| line.trim() == "restartPolicy: Always");
        assert_eq!(is_a_sidecar, container == "sidetail");
        let block: Vec<_> = block.into_iter().filter(|line| line.trim() != "restartPolicy: Always").collect();
        // Only a classic one is stopped together with the application.
        let linger = ["        - name: SIDETAIL_LINGER", "          value: 5s"];
        let mut classic = container_block(&classic, container);
        let before = classic.len();
        classic.retain(|line| !linger.contains(line));
        assert_eq!((block, before - classic.len()), (classic.clone(), if is_a_sidecar { 2 } else { 0 }), "{container}");
    }
}

#[test]
fn a_wrong_log_is_seen() {
    let expected = b"0: a\n1: b\n2: c\n";
    assert_eq!(difference(expected, expected), None);
    for wrong in ["0: a\n2: c\n", "0: a\n1: b\n1: b\n2: c\n", "1: b\n0: a\n2: c\n", "0: a\n1: b\n2: c\nx\n", ""] {
        assert!(difference(expected, wrong.as_bytes()).is_some(), "{wrong:?} was taken for right");
    }
}

impl Pod<'_> {
    /// Both containers end by themselves, and the log has every line of the file on its stream.
    fn check_the_job_completes(&self) {
        let code = self.podman.run(&["wait", "import-import", "import-sidetail"]);
        assert_eq!(code, "0\n0", "exit codes; {:?}", self.log());
        let written = self.file("import.log");
        assert_eq!(written.lines().count(), LINES);
        let of = |is_error| written.split_inclusive('\n').filter(|line| line.contains(" ERROR ") == is_error).collect();
        let expected: [String; 2] = [of(false), of(true)];
        let log = self.log();
        for (expected, found) in expected.iter().zip([&log.stdout, &log.stderr]) {
            assert_eq!(difference(expected.as_bytes(), found), None);
        }
    }
}

/// What is looked at of the counter's pod.
impl Pod<'_> {
    /// Every line of both files, once, on its stream, in order, and nothing else.
    fn check_the_counter_is_streamed(&self) {
        // Should the lines never be complete, the comparison says what is missing.
        let _ = wait_for(|| (self.log().line_counts() >= (LINES, LINES)).then_some(()), STREAM_DEADLINE);
        self.check_the_log("");
        for (number, line) in self.file("1.log").lines().enumerate() {
            assert!(line.starts_with(&format!("{number}: ")), "line {number} of 1.log is {line:?}");
        }
        for (number, line) in self.file("2.log").lines().enumerate() {
            assert!(line.ends_with(&format!(" INFO {number}")), "line {number} of 2.log is {line:?}");
        }
        assert_eq!(self.file("1.log").lines().count(), LINES);
        assert_eq!(self.file("2.log").lines().count(), LINES);
    }

    /// What the spec asks of the runtime has really been done to the process.
    fn check_the_sandbox(&self) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("sidetail is running");
        let fields: Vec<_> = status.lines().filter_map(|line| line.split_once(":\t")).collect();
        let value = |name| fields.iter().find(|field| field.0 == name).map_or("", |field| field.1);
        for name in ["Uid", "Gid"] {
            assert_eq!(value(name), "65532\t65532\t65532\t65532", "{name}");
        }
        for name in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(value(name), "0000000000000000", "{name}");
        }
        assert!(value("NSpid").ends_with("\t1"), "sidetail is not process 1: {}", value("NSpid"));
        assert_eq!((value("NoNewPrivs"), value("Seccomp")), ("1", "2"));
        assert_eq!(self.sidecar("{{.HostConfig.ReadonlyRootfs}}"), "true");
    }

    /// `sidetail check` beside the running one, under the same limits: it finds both files, and nothing in the way.
    fn check_the_command(&self) {
        let said = self.podman.run(&["exec", "counter-sidetail", "/sidetail", "check", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        let files = report["patterns"][0]["files"].as_array().expect("a list");
        let rows: Vec<_> = files.iter().map(|file| (file["path"].as_str(), file["every_line"].as_str())).collect();
        assert_eq!(rows, [(Some("/var/log/1.log"), Some("stdout")), (Some("/var/log/2.log"), Some("stderr"))]);
        assert_eq!((report["uid"].as_u64(), report["state"]["kept"].as_bool()), (Some(65532), Some(true)));
        assert!(report["state"]["status"].to_string().contains("running"), "{report:#}");
        let of_machine = ["nearly-full", "birth-times", "inotify"];
        let warnings = report["warnings"].as_array().expect("a list");
        assert!(warnings.iter().all(|one| of_machine.iter().any(|kind| one["kind"] == *kind)), "{report:#}");
    }

    /// The limit of the spec is in force, and nothing was killed under it.
    fn check_the_memory(&self) {
        // A kill would start the sidecar anew, in a group that has counted nothing.
        assert_eq!(self.sidecar("{{.RestartCount}}"), "0", "restarts of the sidecar");
        let Some(group) = MemoryGroup::of(&self.pid()) else {
            return ignore("this machine does not limit memory");
        };
        assert_eq!(group.limit(), MEMORY_LIMIT_BYTES);
        assert_eq!(group.kills(), "0");
        say(&format!("pod: charged to the sidecar at most, page cache included: {} bytes", group.peak()));
    }

    /// SIGTERM streams an unfinished line too, with a newline, and ends with exit code 0 before Kubernetes would kill.
    fn check_the_end(&self) {
        let write = ["exec", COUNTER, "/bin/sh", "-c", "printf unfinished >> /var/log/1.log"];
        self.podman.run(&write);
        let start = SystemTime::now();
        self.podman.run(&["pod", "stop", "--time", &END_DEADLINE.as_secs().to_string(), "counter"]);
        let end = self.sidecar("{{.State.ExitCode}} {{.State.OOMKilled}} {{.State.FinishedAt.UnixMilli}}");
        let (outcome, finished) = end.rsplit_once(' ').expect("the template has spaces");
        assert_eq!(outcome, "0 false", "exit code, killed for memory");

        let finished = Duration::from_millis(finished.parse().expect("a time in milliseconds"));
        let start = start.duration_since(SystemTime::UNIX_EPOCH).expect("the clock is right");
        // Both were read from the machine's clock, and the start before podman itself had started.
        let took = finished.saturating_sub(start);
        say(&format!("pod: sidetail ended {took:?} after the deletion began"));
        assert!(took < END_DEADLINE, "sidetail needed {took:?} to end");
        self.check_the_log("\n");
    }

    /// `last` is what sidetail adds to the end of 1.log.
    fn check_the_log(&self, last: &str) {
        let log = self.log();
        let (stdout, stderr) = (self.file("1.log") + last, self.file("2.log"));
        if let Some(difference) = difference(stdout.as_bytes(), &log.stdout) {
            panic!("stdout is not 1.log: {difference}");
        }
        if let Some(difference) = difference(stderr.as_bytes(), &log.stderr) {
            panic!("stderr is not 2.log: {difference}");
        }
    }

    fn pid(&self) -> String {
        self.sidecar("{{.State.Pid}}")
    }
}

/// The memory control group of a process, in either version of control groups.
struct MemoryGroup {
    dir: PathBuf,
    /// version 1 has its own hierarchy for memory
    is_v1: bool,
}

impl MemoryGroup {
    /// `None` if there is no limit to read: the memory controller is off, or the groups are not mounted here.
    fn of(pid: &str) -> Option<Self> {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let of_controller = |controller: &str| {
            let mut lines = groups.lines().map(|line| line.splitn(3, ':').skip(1));
            lines.find_map(|mut fields| (fields.next()? == controller).then(|| fields.next())?)
        };
        let group = match of_controller("memory") {
            Some(path) => Self { dir: format!("/sys/fs/cgroup/memory{path}").into(), is_v1: true },
            None => Self { dir: format!("/sys/fs/cgroup{}", of_controller("")?).into(), is_v1: false },
        };
        group.dir.join(group.name("memory.limit_in_bytes", "memory.max")).exists().then_some(group)
    }

    fn limit(&self) -> String {
        self.read(self.name("memory.limit_in_bytes", "memory.max"))
    }

    fn peak(&self) -> String {
        self.read(self.name("memory.max_usage_in_bytes", "memory.peak"))
    }

    /// How many processes of the group the kernel has killed for memory.
    fn kills(&self) -> String {
        let events = self.read(self.name("memory.oom_control", "memory.events"));
        let kills = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
        kills.expect("the kernel counts its kills").to_owned()
    }

    fn name(&self, v1: &'static str, v2: &'static str) -> &'static str {
        if self.is_v1 { v1 } else { v2 }
    }

    fn read(&self, name: &str) -> String {
        let text = fs::read_to_string(self.dir.join(name));
        text.unwrap_or_else(|error| panic!("cannot read {name}: {error}")).trim_end().to_owned()
    }
}

fn check_the_validator_refuses(validator: &Validator, version: &str, spec: &str) {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().expect("the temporary directory is writable");
    fs::write(file.path(), spec).expect("our own file is writable");
    let verdict = validator.validate(file.path(), version);
    // A validator that could not run at all would also be an error, but not this one.
    let refusal = verdict.expect_err("the schema was not applied");
    assert!(refusal.contains("Additional properties are not allowed"), "{refusal}");
}

/// The spec with an application that goes its round `LINES` times, fast, and then only waits.
fn finite(spec: &str) -> String {
    let condition = format!("while [ $i -lt {LINES} ];");
    changed(spec, &[("while true;", &condition), ("sleep 1", "usleep 5000"), ("done\n", "done; sleep 600\n")])
}

/// The records of a file of the formats' pod: a line, with the lines of its trace if it has one.
fn records(text: &str) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match records.last_mut() {
            Some(record) if line.starts_with(['\t', 'C']) => record.push_str(line),
            _ => records.push(line.to_owned()),
        }
    }
    records
}

/// The lines of one container in a spec, without comments.
fn container_block<'spec>(spec: &'spec str, name: &str) -> Vec<&'spec str> {
    let first = format!("    - name: {name}");
    let lines = spec.lines().skip_while(|line| **line != *first);
    // Six spaces: everything inside the list's item, which itself stands at four.
    let block = lines.enumerate().take_while(|(number, line)| *number == 0 || line.starts_with("      "));
    block.map(|(_, line)| line).filter(|line| !line.trim_start().starts_with('#')).collect()
}

/// The first line at which two outputs differ, for people.
fn difference(expected: &[u8], actual: &[u8]) -> Option<String> {
    let mut pair = (expected.split_inclusive(|&b| b == b'\n'), actual.split_inclusive(|&b| b == b'\n'));
    for number in 0.. {
        match (pair.0.next(), pair.1.next()) {
            (None, None) => break,
            (expected, actual) if expected == actual => {}
            (expected, actual) => {
                let text = |line: Option<&[u8]>| line.map(|line| String::from_utf8_lossy(line).into_owned());
                return Some(format!("line {number} is {:?}, not {:?}", text(actual), text(expected)));
            }
        }
    }
    None
}
