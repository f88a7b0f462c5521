//! `examples/drop-in`: each pod with sidetail in the place of an operator's sidecar, under podman, with logs of that shape and
//! that application's own way of rotating: every line once, in order, on its stream. And what README says that it saves.
//!
//! A machine that cannot do this (no root, no podman, no Python) says so in one line and passes; in CI (`CI=true`) it fails instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use sidetail::config::Config;
use sidetail::sys::units::quantity;

use crate::support::bounded::wait_for;
use crate::support::markdown::{document, path_of};
use crate::support::pod::{Pod, allocated_bytes, classic_of, podman};
use crate::support::podman::Podman;
use crate::support::rotator::difference;
use crate::support::say::ignore;
use crate::support::validator::Validator;

/// Each of them writes for some seconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// How often the application goes round: twice it rotates.
const ROUNDS: usize = 1200;

/// What is kept of a file whose lines are all streamed.
const BLOCK_BYTES: u64 = 4096;

/// An operator's pod, and what of its logs is an error.
struct DropIn {
    name: &'static str,
    /// the shared volume, the directory in it, the file there, and how many are written
    volume: &'static str,
    directory: &'static str,
    file: &'static str,
    files: usize,
    /// whether a line goes to stderr
    is_error: fn(&str) -> bool,
    /// whether a line belongs to the record before it, and so to its stream
    continues: fn(&str) -> bool,
}

const fn drop_in(name: &'static str, volume: &'static str, file: &'static str, is_error: fn(&str) -> bool) -> DropIn {
    DropIn { name, volume, directory: "", file, files: 1, is_error, continues: |_| false }
}

const DROP_INS: [DropIn; 8] = [
    drop_in("hypershift", "logs", "audit.log", |_| false),
    drop_in("kubermatic", "audit-log", "audit.log", |_| false),
    DropIn {
        continues: |line| line.starts_with('\t') || line.starts_with("java."),
        ..drop_in("cassandra", "server-logs", "system.log", |line| line.starts_with("ERROR "))
    },
    DropIn { files: 2, ..drop_in("percona-xtradb", "datadir", "mysqld-error.log", |line| line.contains(" [ERROR] ")) },
    DropIn {
        directory: "logs/",
        ..drop_in("percona-mongodb", "mongod-data", "mongod.log", |line| line.contains("\"s\":\"E\""))
    },
    drop_in("tidb", "slowlog", "slowlog", |_| false),
    drop_in("glance", "glance-logs", "glance-api.log", |line| line.contains(" ERROR ")),
    drop_in("ovn", "host-var-log-ovn", "acl-audit-log.log", |line| line.contains("severity=alert")),
];

fn file(name: &str) -> PathBuf {
    path_of("examples/drop-in").join(format!("{name}.yaml"))
}

fn validator() -> Option<Validator> {
    Validator::install().map_err(|why| ignore(&why)).ok()
}

fn spec(validator: &Validator, name: &str) -> Value {
    let [pod] = &validator.documents(&file(name))[..] else { panic!("{name}: more than one document") };
    pod["spec"].clone()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn every_line_is_streamed_once_and_on_its_stream() {
    let (Some(validator), Some(podman)) = (validator(), podman()) else { return };
    for one in &DROP_INS {
        one.check_the_stream(&podman, &spec(&validator, one.name));
        podman.run(&["pod", "rm", "--force", "--time", "0", one.name]);
        podman.run(&["volume", "rm", "--all", "--force"]);
    }
}

impl DropIn {
    fn check_the_stream(&self, podman: &Podman, spec: &Value) {
        let name = self.name;
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": self.finite(spec)});
        let pod = Pod::play_with(podman, name, &pod.to_string(), self.volume, None);
        if self.is_begun_at_the_end() {
            wait_for(|| has_looked(&pod).then_some(()), DEADLINE).unwrap_or_else(|| panic!("{name}: it has looked"));
            fs::write(pod.volume.join("begin"), "").expect("written");
        }
        let done = pod.volume.join("written/done");
        wait_for(|| done.exists().then_some(()), DEADLINE).unwrap_or_else(|| panic!("{name}: it is through in time"));
        let variables = list(&spec["initContainers"][0]["env"])
            .iter()
            .map(|one| (one["name"].as_str().expect("a name").into(), one["value"].as_str().expect("a value").into()));
        let config = Config::from_variables(variables, &[], Path::new("/"));
        assert!(config.is_ok(), "{name}: {:?}", config.err());
        let written: Vec<_> = (0..self.files).map(|number| pod.file(&format!("written/{number}"))).collect();
        let lines: usize = written.iter().map(|text| text.lines().count()).sum();
        let has_them = || {
            let (stdout, stderr) = pod.log().line_counts();
            (stdout + stderr >= lines).then_some(())
        };
        let _ = wait_for(has_them, DEADLINE);
        let log = pod.log();
        let mut expected = [0, 0];
        for text in &written {
            let mut is_error = false;
            let of_stream = text.split_inclusive('\n').map(|line| {
                is_error = if (self.continues)(line) { is_error } else { (self.is_error)(line) };
                (line, is_error)
            });
            let of_stream: Vec<_> = of_stream.collect();
            for (stream, found) in [&log.stdout, &log.stderr].into_iter().enumerate() {
                let wanted =
                    of_stream.iter().filter(|(_, is_error)| usize::from(*is_error) == stream).map(|(line, _)| *line);
                let wanted: String = wanted.collect();
                // With a second file beside it, whose lines are told apart by what they say.
                let found = String::from_utf8_lossy(found);
                let is_ours =
                    |line: &&str| self.files == 1 || (line.contains("Recovered") == text.contains("Recovered"));
                let found: String = found.split_inclusive('\n').filter(is_ours).collect();
                assert_eq!(difference(&wanted, &found), None, "{name}, stream {stream}");
                expected[stream] += wanted.lines().count();
            }
        }
        assert_eq!(log.line_counts(), (expected[0], expected[1]), "{name}");
        assert_eq!(expected[1] > 0, !["hypershift", "kubermatic", "tidb"].contains(&name), "{name}");
        // The state is beside the logs, unless they are in a data directory.
        let state = pod.volume.join(self.directory).join(".sidetail");
        let is_elsewhere = list(&spec["volumes"]).iter().any(|volume| volume["name"] == "sidetail-state");
        assert_eq!(state.exists() || pod.volume.join(".sidetail").exists(), !is_elsewhere, "{name}");
        if spec.to_string().contains("SIDETAIL_ROTATE_SIZE") {
            podman.run(&["exec", &format!("{name}-sidetail"), "/sidetail", "rotate"]);
            let current = pod.volume.join(self.directory).join(self.file);
            let is_small = || allocated_bytes(&current).is_ok_and(|bytes| bytes <= BLOCK_BYTES).then_some(());
            wait_for(is_small, DEADLINE).unwrap_or_else(|| panic!("{name}: {} is not reclaimed", current.display()));
        }
        podman.run(&["stop", "--time", "30", &format!("{name}-sidetail")]);
        assert_eq!(pod.sidecar("{{.State.ExitCode}} {{.RestartCount}} {{.State.OOMKilled}}"), "0 0 false", "{name}");
        assert!(pod.log() == log, "{name}: something came at the end");
    }

    /// The spec for podman 4, which knows no native sidecars, with an application that ends and keeps a copy of what it writes,
    /// by another name: a file of the same name in another directory may be one that was moved there.
    fn finite(&self, spec: &Value) -> Value {
        let mut spec = classic_of(spec);
        let app = &mut spec["containers"][1];
        let script = app["args"][2].as_str().expect("a script");
        let mount = app["volumeMounts"][0]["mountPath"].as_str().expect("a path");
        let mut finite = script.to_owned();
        for (from, to, count) in [
            ("while true;", format!("mkdir {mount}/written; {} while [ $i -lt {ROUNDS} ];", self.wait()), 1),
            ("  sleep 1\n", "  usleep 500\n".to_owned(), 1),
            (">> \"$log\"", format!("| tee -a {mount}/written/0 >> \"$log\""), 0),
            (">> \"$recovery\"", format!("| tee -a {mount}/written/1 >> \"$recovery\""), 0),
        ] {
            assert!(count == 0 || finite.matches(from).count() == count, "{}: {from}", self.name);
            finite = finite.replace(from, &to);
        }
        app["args"][2] = format!("{finite}\ntouch {mount}/written/done\nsleep 600\n").into();
        spec
    }

    /// What is there when sidetail looks for the first time is not streamed, and podman starts containers at once.
    fn is_begun_at_the_end(&self) -> bool {
        self.name == "cassandra"
    }

    fn wait(&self) -> &'static str {
        if self.is_begun_at_the_end() { "until [ -e /var/log/cassandra/begin ]; do usleep 10000; done;" } else { "" }
    }
}

/// Returns whether sidetail waits for events, its first look behind it: it has its state, and is in epoll_wait(2) or epoll_pwait(2), by their
/// numbers on x86-64.
fn has_looked(pod: &Pod) -> bool {
    let call = fs::read_to_string(format!("/proc/{}/syscall", pod.sidecar("{{.State.Pid}}"))).unwrap_or_default();
    let is_waiting = matches!(call.split(' ').next(), Some("232" | "281"));
    is_waiting && pod.volume.join(".sidetail").exists()
}

#[test]
fn before_and_after_fit_the_schema_and_differ_only_in_the_sidecar() {
    let Some(validator) = validator() else { return };
    for one in &DROP_INS {
        for name in [one.name.to_owned(), format!("before/{}", one.name)] {
            for version in ["1.29", "1.37"] {
                let verdict = validator.validate(&file(&name), version);
                assert!(verdict.is_ok(), "{name} for Kubernetes {version}: {verdict:?}");
            }
        }
        let (before, after) = (spec(&validator, &format!("before/{}", one.name)), spec(&validator, one.name));
        for field in ["terminationGracePeriodSeconds", "securityContext"] {
            assert_eq!(before[field], after[field], "{}", one.name);
        }
        assert_eq!(before["containers"][0], after["containers"][0], "{}", one.name);
        assert_eq!(before["volumes"][0], after["volumes"][0], "{}", one.name);
        assert_eq!(after["containers"].as_array().map(Vec::len), Some(1), "{}", one.name);
    }
}

/// The sum of what containers request: thousandths of a processor, and bytes.
fn requests(containers: &[Value]) -> (u64, u64) {
    let of = |container: &Value, name: &str| {
        container["resources"]["requests"][name].as_str().expect("a request").to_owned()
    };
    let cpu = |one: &Value| of(one, "cpu").strip_suffix('m').expect("thousandths").parse::<u64>().expect("a number");
    let memory = |one: &Value| quantity(&of(one, "memory")).expect("a quantity");
    (containers.iter().map(cpu).sum(), containers.iter().map(memory).sum())
}

#[test]
fn the_table_has_the_requests_of_the_pods() {
    let Some(validator) = validator() else { return };
    let readme = document("examples/drop-in/README.md");
    let tables = readme.tables();
    let rows = &tables[0].1;
    let shown = |cell: &str| {
        let (cpu, memory) = cell.split_once(", ").expect("two requests");
        (cpu.strip_suffix('m').expect("thousandths").parse().expect("a number"), quantity(memory).expect("a quantity"))
    };
    for one in &DROP_INS {
        let row = rows.iter().find(|row| row[0].contains(&format!("({}.yaml)", one.name)));
        let row = row.unwrap_or_else(|| panic!("{} is not in the table", one.name));
        let (before, after) = (spec(&validator, &format!("before/{}", one.name)), spec(&validator, one.name));
        let ours = requests(list(&after["initContainers"]));
        assert_eq!(shown(&row[3]), ours, "{}", one.name);
        if row[2] == "the service's" {
            continue;
        }
        let theirs = requests(&list(&before["containers"])[1..]);
        assert_eq!(shown(&row[2]), theirs, "{}", one.name);
        // What is saved, in whole MiB.
        let saved = (theirs.0 - ours.0, theirs.1.saturating_sub(ours.1).div_ceil(1 << 20));
        for (number, unit) in [(saved.0, "m"), (saved.1, "Mi")] {
            assert_eq!(row[4].contains(&format!("{number}{unit}")), number > 0, "{}: {number}{unit}", one.name);
        }
        let with_password = list(&before["containers"]).iter().any(|one| one.to_string().contains("secretKeyRef"));
        assert_eq!(row[4].contains("a password"), with_password, "{}", one.name);
    }
}
