//! The specs of `examples/pod-specs` as pods of a private podman: what has to be changed for it, the shared volume as the host
//! sees it, and the log that the container runtime writes.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::bounded::{run, wait_for};
use super::podman::Podman;
use super::say::ignore;

const IMAGE: &str = "ghcr.io/sidetail/sidetail:0.1.0";

/// `SIDETAIL_ROTATE_SIZE` of the specs that reclaim disk.
pub const ROTATE_SIZE: u64 = 8 << 20;

const CHMOD_DEADLINE: Duration = Duration::from_secs(10);
const RECLAIM_DEADLINE: Duration = Duration::from_secs(60);

/// A podman with the images that the specs name, as far as they are ours; `None` if this machine has none, which is said.
pub fn podman() -> Option<Podman> {
    let podman = match Podman::new() {
        Ok(podman) => podman,
        Err(why) => {
            ignore(&why);
            return None;
        }
    };
    podman.import_busybox();
    podman.build_last_stage(Path::new(env!("CARGO_BIN_EXE_sidetail")), IMAGE);
    Some(podman)
}

/// The text of a spec.
pub fn spec(name: &str) -> String {
    let path = spec_path(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

pub fn spec_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pod-specs").join(name)
}

/// The spec with each of these texts, which stand in it once, replaced by another.
#[track_caller]
pub fn changed(spec: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(spec.to_owned(), |spec, (from, to)| {
        assert_eq!(spec.matches(from).count(), 1, "{from:?} in the spec");
        spec.replace(from, to)
    })
}

/// The spec of a native sidecar as a classic one: podman 4 knows no other.
pub fn classic(spec: &str) -> String {
    let changes =
        [("      restartPolicy: Always\n", ""), ("  containers:\n", ""), ("  initContainers:\n", "  containers:\n")];
    changed(spec, &changes)
}

/// The same of a spec that was read.
pub fn classic_of(spec: &Value) -> Value {
    let mut spec = spec.clone();
    let fields = spec.as_object_mut().expect("a spec");
    let Some(Value::Array(mut containers)) = fields.remove("initContainers") else { panic!("no init containers") };
    containers[0].as_object_mut().expect("an object").remove("restartPolicy");
    let own = fields["containers"].as_array_mut().expect("containers");
    containers.append(own);
    *own = containers;
    spec
}

/// The pod that a Job starts, by its name: podman 4 knows no Jobs.
pub fn pod_of_job(name: &str, spec: &str) -> String {
    let (_, template) = spec.split_once("\n  template:\n").expect("a Job has a template");
    let template: String =
        template.lines().map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect();
    format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n{template}")
}

/// The spec with a script of busybox's shell in the place of a container's image; everything else stays.
#[track_caller]
pub fn stand_in(spec: &str, container: &str, script: &str) -> String {
    let first = format!("    - name: {container}\n      image: ");
    let (before, rest) = spec.split_once(&first).expect("the container");
    let (_, rest) = rest.split_once('\n').expect("more than its image");
    let mut is_in_args = false;
    let without_args = |line: &&str| {
        is_in_args = line.starts_with("      args:") || is_in_args && line.starts_with("        ");
        !is_in_args
    };
    let rest: String = rest.split_inclusive('\n').filter(without_args).collect();
    let script: String = script.trim_start().lines().map(|line| format!("          {line}\n")).collect();
    format!("{before}{first}busybox:1.37\n      args:\n        - /bin/sh\n        - -c\n        - |\n{script}{rest}")
}

/// A spec as a running pod.
pub struct Pod<'podman> {
    pub podman: &'podman Podman,
    name: String,
    /// the shared `emptyDir`, seen from the host
    pub volume: PathBuf,
    /// what the runtime has written of the sidecar's output
    log: PathBuf,
}

impl<'podman> Pod<'podman> {
    /// Plays the spec of the pod called `name`.
    pub fn play(podman: &'podman Podman, name: &str, spec: &str) -> Self {
        let volume = value(spec, "  volumes:\n    - name: ").expect("the spec has a volume");
        Self::play_with(podman, name, spec, volume, value(spec, "    fsGroup: "))
    }

    /// Plays a spec, whatever it looks like, whose shared `emptyDir` is called `volume`.
    pub fn play_with(podman: &'podman Podman, name: &str, spec: &str, volume: &str, group: Option<&str>) -> Self {
        let path = podman.dir().join("pod.yaml");
        fs::write(&path, spec).expect("our own directory is writable");
        let path = path.to_str().expect("the path is UTF-8");
        podman.run(&["kube", "play", "--network", "none", "--log-driver", "k8s-file", "--start=false", path]);

        let volume: PathBuf = podman.run(&["volume", "inspect", "--format", "{{.Mountpoint}}", volume]).into();
        // At the first mount podman gives the volume to that container's user; after that it stays as it is.
        podman.run(&["init", &format!("{name}-sidetail")]);
        share(&volume, group);
        podman.run(&["pod", "start", name]);
        let log = podman.inspect(&format!("{name}-sidetail"), "{{.HostConfig.LogConfig.Path}}").into();
        Self { podman, name: name.to_owned(), volume, log }
    }

    /// One field of the sidecar, by its Go template.
    pub fn sidecar(&self, template: &str) -> String {
        self.podman.inspect(&format!("{}-sidetail", self.name), template)
    }

    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.volume.join(name)).expect("the application has written this file")
    }

    /// Where the runtime writes the sidecar's output, as on a node.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    pub fn log(&self) -> CriLog {
        CriLog::parse(&fs::read(&self.log).expect("the runtime has opened the log"))
    }

    /// The log from its beginning, to be read while it is written.
    pub fn log_reader(&self) -> CriReader {
        CriReader::new(File::open(&self.log).expect("the runtime has opened the log"))
    }
}

/// Does to an `emptyDir` what the kubelet does: everybody may write there, and it belongs to the pod's `fsGroup`. With podman
/// 4 only root may, or the user of one of the containers, and it knows no `fsGroup`.
fn share(volume: &Path, group: Option<&str>) {
    if let Some(group) = group {
        run(Command::new("chgrp").arg(group).arg(volume), CHMOD_DEADLINE).expect("root can change any group");
    }
    let mode = if group.is_some() { "2777" } else { "0777" };
    run(Command::new("chmod").arg(mode).arg(volume), CHMOD_DEADLINE).expect("root can change any mode");
}

/// What stands behind `key` on its line.
fn value<'spec>(spec: &'spec str, key: &str) -> Option<&'spec str> {
    spec.split_once(key)?.1.lines().next()
}

/// The bytes of allocated blocks of a file, or of a directory and all that is in it, which is what the kubelet counts.
pub fn allocated_bytes(path: &Path) -> io::Result<u64> {
    let metadata = path.symlink_metadata()?;
    let own = metadata.blocks() * 512;
    if !metadata.is_dir() {
        return Ok(own);
    }
    let entries = fs::read_dir(path)?.filter_map(Result::ok);
    Ok(own + entries.filter_map(|entry| allocated_bytes(&entry.path()).ok()).sum::<u64>())
}

/// What is too much of a file goes at the next safety tick, at the latest.
#[track_caller]
pub fn wait_until_small(log: &Path) {
    let is_small = || (allocated_bytes(log).expect("there") <= ROTATE_SIZE).then_some(());
    wait_for(is_small, RECLAIM_DEADLINE).unwrap_or_else(|| panic!("{} is too large at the end", log.display()));
}

/// The two streams that a log in the format of the CRI holds: `TIME STREAM TAG CONTENT`, the tag `P` (partial) if the line
/// goes on in the stream's next record, else `F` (full).
#[derive(Debug, Default, PartialEq)]
pub struct CriLog {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl CriLog {
    pub fn parse(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        CriReader::new(bytes).read_on(|is_stderr, piece| {
            let stream = if is_stderr { &mut log.stderr } else { &mut log.stdout };
            stream.extend_from_slice(piece);
        });
        log
    }

    pub fn line_counts(&self) -> (usize, usize) {
        let lines = |stream: &[u8]| stream.iter().filter(|&&byte| byte == b'\n').count();
        (lines(&self.stdout), lines(&self.stderr))
    }
}

/// Reads such a log piece by piece, as far as it is written.
pub struct CriReader<R = File> {
    log: BufReader<R>,
    /// A record that the runtime is still writing.
    record: Vec<u8>,
}

impl<R: std::io::Read> CriReader<R> {
    pub fn new(log: R) -> Self {
        Self { log: BufReader::with_capacity(1 << 20, log), record: Vec::new() }
    }

    /// Gives every further piece: whether it is standard error's, and its bytes, which end with a newline where a line does.
    pub fn read_on(&mut self, mut give: impl FnMut(bool, &[u8])) {
        loop {
            self.log.read_until(b'\n', &mut self.record).expect("the log can be read");
            if self.record.last() != Some(&b'\n') {
                return;
            }
            let (is_stderr, piece) = piece(&self.record);
            give(is_stderr, piece);
            self.record.clear();
        }
    }
}

/// What a record holds.
fn piece(record: &[u8]) -> (bool, &[u8]) {
    let mut fields = record.splitn(4, |&byte| byte == b' ').skip(1);
    let (Some(stream), Some(tag), Some(content)) = (fields.next(), fields.next(), fields.next()) else {
        panic!("not a record of the CRI: {:?}", String::from_utf8_lossy(record));
    };
    let is_stderr = match stream {
        b"stdout" => false,
        b"stderr" => true,
        other => panic!("not a stream of the CRI: {:?}", String::from_utf8_lossy(other)),
    };
    (is_stderr, if tag == b"P" { &content[..content.len() - 1] } else { content })
}

#[test]
fn the_cri_log_is_told_apart_by_stream_and_joined_at_partial_records() {
    let time = "2026-01-02T03:04:05.678901234+00:00";
    let log =
        format!("{time} stdout F a  b\n{time} stderr P c\n{time} stdout F \n{time} stderr F d\n{time} stdout F e");
    assert_eq!(CriLog::parse(log.as_bytes()), CriLog { stdout: b"a  b\n\n".into(), stderr: b"cd\n".into() });
}
