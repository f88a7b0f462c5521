//! The pod specs that reclaim disk, for real under podman: every line once in the sidecar's log, and a volume that holds
//! little, as the kubelet counts it. Vault and Tomcat are played by a shell that writes the same files in the same way.
//!
//! A machine that cannot do this (no root, no podman) says so in one line and passes; in CI (`CI=true`) it fails instead.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::support::bounded::{run, wait_for};
use crate::support::pod::{
    CriReader, Pod, ROTATE_SIZE, allocated_bytes, changed, classic, podman, spec, stand_in, wait_until_small,
};
use crate::support::rotator::difference;
use crate::support::say::say;

const MIB: u64 = 1 << 20;
/// What the volume of rotate.yaml never holds more than, of its 64.
const VOLUME_BYTES_MAX: u64 = 24 * MIB;
/// How much is written through it, at least.
const WRITTEN_BYTES: u64 = 300_000_000;
/// How much may wait to be read before the test makes the application pause: what is not streamed cannot be reclaimed, and
/// the machine may be busy with other tests.
const UNREAD_BYTES_MAX: u64 = 4 * MIB;
/// Writing so much takes half a minute.
const DEADLINE: Duration = Duration::from_secs(180);

#[test]
fn the_rotating_pod_streams_every_line_once_from_a_volume_that_stays_small() {
    let Some(podman) = podman() else { return };
    let lines = (0..).scan(0, |bytes, number| {
        *bytes += request(number).len() as u64;
        Some(*bytes)
    });
    let count = lines.take_while(|bytes| *bytes < WRITTEN_BYTES).count() as u64 / 5000 * 5000 + 5000;
    let start = Instant::now();
    let pod = Pod::play(&podman, "rotate", &classic(&finite(&spec("rotate.yaml"), count)));
    let sampler = Sampler::of(&pod.volume);
    let (log, pause) = (pod.volume.join("app.log"), pod.volume.join("pause"));
    let mut requests = Lines::new(request);
    let mut reader = pod.log_reader();
    let is_streamed = || {
        requests.read_on(&mut reader);
        let written = fs::metadata(&log).map_or(0, |metadata| metadata.len());
        let is_behind = written > requests.bytes + UNREAD_BYTES_MAX;
        if is_behind != pause.exists() {
            let changed = if is_behind { File::create(&pause).map(drop) } else { fs::remove_file(&pause) };
            changed.expect("root may write there");
        }
        (requests.count >= count).then_some(())
    };
    let _ = wait_for(is_streamed, DEADLINE);
    assert_eq!(requests.count, count, "lines");
    let took = start.elapsed();
    wait_until_small(&log);
    let peak = sampler.peak();
    say(&format!("pod: {} bytes through rotate.yaml in {took:?}, at most {peak} bytes in the volume", requests.bytes));
    assert!(peak <= VOLUME_BYTES_MAX, "the volume held {peak} bytes");
    // As it can be only by having been reclaimed, over and over.
    let size = fs::metadata(&log).expect("there").len();
    assert_eq!((size, size > WRITTEN_BYTES), (requests.bytes, true), "bytes written and streamed");
    requests.read_on(&mut reader);
    assert_eq!(requests.count, count, "something came at the end");
    assert_eq!(pod.sidecar("{{.RestartCount}} {{.State.OOMKilled}}"), "0 false", "restarts, killed for memory");
}

/// The spec of an application that goes its round until it has written so many lines, faster, and then only waits.
fn finite(spec: &str, count: u64) -> String {
    let condition = format!("while [ $i -lt {count} ]; do");
    // A megabyte in every 30 milliseconds or so, while it may.
    let pause = "usleep 10000; while [ -e /var/log/pause ]; do usleep 1000; done";
    changed(spec, &[("while true; do", &condition), ("sleep 1\n", pause), ("  done\n", "  done; sleep 600\n")])
}

/// The numbered lines of one application, as they come.
struct Lines {
    expected: fn(u64) -> String,
    count: u64,
    bytes: u64,
    /// What there is of the next line.
    line: Vec<u8>,
}

impl Lines {
    fn new(expected: fn(u64) -> String) -> Self {
        Self { expected, count: 0, bytes: 0, line: Vec::new() }
    }

    fn read_on(&mut self, log: &mut CriReader) {
        log.read_on(|is_stderr, piece| {
            assert!(!is_stderr, "sidetail complains: {}", String::from_utf8_lossy(piece));
            self.push(piece).unwrap_or_else(|difference| panic!("{difference}"));
        });
    }

    fn push(&mut self, piece: &[u8]) -> Result<(), String> {
        self.line.extend_from_slice(piece);
        if self.line.last() == Some(&b'\n') {
            let expected = (self.expected)(self.count);
            if self.line != expected.as_bytes() {
                return Err(format!("{:?} came, not {expected:?}", String::from_utf8_lossy(&self.line)));
            }
            self.count += 1;
            self.bytes += self.line.len() as u64;
            self.line.clear();
        }
        Ok(())
    }
}

/// The line of this number in the log of rotate.yaml's application.
fn request(number: u64) -> String {
    let (order, ms) = (number * 7 % 1000, number % 90);
    format!(
        "{{\"level\":\"info\",\"request\":{number},\"path\":\"/api/v1/orders/{order}\",\"status\":200,\"agent\":\"Mozilla/5.0 \
         (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\",\"ms\":{ms}}}\n"
    )
}

/// What a directory holds at most, looked at all the time.
struct Sampler {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Sampler {
    /// Between two looks at most some 30 KB are written.
    const EVERY: Duration = Duration::from_millis(2);

    fn of(directory: &Path) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (told, directory) = (Arc::clone(&is_over), directory.to_owned());
        let sample = move || {
            let mut peak = 0;
            while !told.load(Ordering::Relaxed) {
                // What is gone between two calls is not counted.
                peak = allocated_bytes(&directory).unwrap_or(0).max(peak);
                thread::sleep(Self::EVERY);
            }
            peak
        };
        Self { is_over, thread: thread::spawn(sample) }
    }

    fn peak(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("it does not panic")
    }
}

#[test]
fn a_pod_that_loses_or_repeats_is_seen() {
    let push = |numbers: &[u64]| {
        let mut requests = Lines::new(request);
        numbers.iter().try_for_each(|number| requests.push(request(*number).as_bytes()))
    };
    assert_eq!(push(&[0, 1, 2]), Ok(()));
    for wrong in [&[0, 2][..], &[0, 0], &[1]] {
        assert!(push(wrong).is_err(), "{wrong:?}");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let sampler = Sampler::of(dir.path());
    fs::write(dir.path().join("large"), vec![1; 1 << 20]).expect("written");
    let sampled = || sampler.thread.is_finished().then_some(());
    assert!(wait_for(sampled, Duration::from_millis(100)).is_none(), "it ends too soon");
    fs::remove_file(dir.path().join("large")).expect("removed");
    assert!(sampler.peak() >= 1 << 20);
}

/// Vault's part: it creates its audit log with mode 0600 as its own user, and keeps it open for appending.
const VAULT: &str = r#"
umask 077
exec 3>>/vault/audit/audit.log
i=0
while [ $i -lt 200000 ]; do
  awk -v from=$i 'BEGIN {
    for (n = from; n < from + 2000; n++)
      printf "{\"time\":\"2026-01-01T00:00:00.%09dZ\",\"type\":\"request\",\"auth\":{\"client_token\":\"hmac-sha256:%064d\",\"policies\":[\"default\"]},\"request\":{\"operation\":\"read\",\"path\":\"secret/data/%d\"}}\n", n, n * 7919, n
  }' >&3
  i=$((i+2000))
  usleep 20000
done
sleep 600
"#;
const RECORDS: u64 = 200_000;

/// The audit record of this number.
fn record(number: u64) -> String {
    let token = number * 7919;
    format!(
        "{{\"time\":\"2026-01-01T00:00:00.{number:09}Z\",\"type\":\"request\",\"auth\":{{\"client_token\":\"hmac-sha256:{token:064}\",\
         \"policies\":[\"default\"]}},\"request\":{{\"operation\":\"read\",\"path\":\"secret/data/{number}\"}}}}\n"
    )
}

#[test]
fn the_pod_of_vault_rotates_without_a_signal() {
    let Some(podman) = podman() else { return };
    let pod = Pod::play(&podman, "vault", &classic(&stand_in(&spec("vault-audit.yaml"), "vault", VAULT)));
    let log = pod.volume.join("audit.log");
    let mut reader = pod.log_reader();
    let mut records = Lines::new(record);
    let is_streamed = || {
        records.read_on(&mut reader);
        (records.count >= RECORDS).then_some(())
    };
    let _ = wait_for(is_streamed, DEADLINE);
    assert_eq!(records.count, RECORDS, "audit records");
    wait_until_small(&log);

    // The same file as ever, which only seems to grow: Vault would not know of another one.
    let metadata = fs::metadata(&log).expect("there");
    assert_eq!((metadata.mode() & 0o7777, metadata.uid(), metadata.gid()), (0o600, 100, 1000));
    assert_eq!(metadata.len(), records.bytes, "bytes written and streamed");
    assert!(metadata.len() > 4 * ROTATE_SIZE);
    assert_eq!(names(&pod.volume), [".sidetail", "audit.log"]);
    // Vault's user, without its capabilities, and in a process namespace of its own: no signal could reach Vault.
    let status = fs::read_to_string(format!("/proc/{}/status", pod.sidecar("{{.State.Pid}}"))).expect("it is running");
    for line in ["Uid:\t100\t100\t100\t100", "Gid:\t1000\t1000\t1000\t1000", "CapEff:\t0000000000000000"] {
        assert!(status.lines().any(|one| one == line), "{line:?} in {status}");
    }
    assert!(status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1")), "{status}");
    records.read_on(&mut reader);
    assert_eq!(records.count, RECORDS, "something came at the end");
}

/// Tomcat's part: its script's umask, files of a day until the next one begins, an access log that is written in blocks. What
/// it writes it also keeps for the test.
const TOMCAT: &str = r#"
umask ${UMASK:-0027}
cd /usr/local/tomcat/logs
mkdir /tmp/written
for day in 01 02; do
  awk -v day=$day 'BEGIN {
    for (n = 0; n < 2000; n++)
      printf "%s-Jan-2026 10:00:00.%03d INFO [main] org.apache.catalina.startup.HostConfig.deployWAR Deployment %d\n", day, n % 1000, n
  }' | tee /tmp/written/catalina.2026-01-$day.log >> catalina.2026-01-$day.log
  i=0
  while [ $i -lt 200000 ]; do
    awk -v day=$day -v from=$i 'BEGIN {
      for (n = from; n < from + 4000; n++)
        printf "10.0.0.1 - - [%s/Jan/2026:10:00:00 +0000] \"GET /shop/orders/%d HTTP/1.1\" 200 %d\n", day, n, n * 7919 % 100000
    }'
    i=$((i+4000))
    usleep 20000
  done | tee /tmp/written/localhost_access_log.2026-01-$day.txt >> localhost_access_log.2026-01-$day.txt
done
sleep 600
"#;

/// What each line of Tomcat's files has, and no line of another.
const TOMCATS_FILES: [(&str, &str); 4] = [
    ("catalina.2026-01-01.log", "01-Jan-2026 "),
    ("catalina.2026-01-02.log", "02-Jan-2026 "),
    ("localhost_access_log.2026-01-01.txt", " [01/Jan/2026:"),
    ("localhost_access_log.2026-01-02.txt", " [02/Jan/2026:"),
];
const TOMCATS_LINES: usize = 2 * (2000 + 200_000);

#[test]
fn the_pod_of_tomcat_archives_the_files_of_each_day() {
    let Some(podman) = podman() else { return };
    let pod = Pod::play(&podman, "tomcat", &classic(&stand_in(&spec("tomcat.yaml"), "tomcat", TOMCAT)));
    let mut reader = pod.log_reader();
    let (mut stdout, mut lines) = (Vec::new(), 0);
    let is_streamed = || {
        reader.read_on(|is_stderr, piece| {
            assert!(!is_stderr, "sidetail complains: {}", String::from_utf8_lossy(piece));
            stdout.extend_from_slice(piece);
            lines += usize::from(piece.ends_with(b"\n"));
        });
        (lines >= TOMCATS_LINES).then_some(())
    };
    let _ = wait_for(is_streamed, DEADLINE);
    assert_eq!(lines, TOMCATS_LINES, "lines");
    let stdout = String::from_utf8(stdout).expect("as it was written");
    for (name, _) in TOMCATS_FILES {
        wait_until_small(&pod.volume.join(name));
    }
    let written = podman.dir().join("written");
    podman.run(&["cp", "tomcat-tomcat:/tmp/written", written.to_str().expect("the path is UTF-8")]);
    for (name, mark) in TOMCATS_FILES {
        let written = fs::read_to_string(written.join(name)).expect("it was written");
        let of_file = |line: &&str| line.contains(mark);
        let streamed: String = stdout.split_inclusive('\n').filter(of_file).collect();
        assert!(written.lines().all(|line| line.contains(mark)) && written.len() > 100_000, "{name} as it was written");
        assert!(streamed == written, "{name} was streamed otherwise: {:?}", difference(&written, &streamed));
        let (archives, kept) = unpacked(&pod.volume, name);
        // Three of them need not be enough for a day if sidetail was behind, which makes them smaller.
        let is_all_kept = if archives.len() < 3 { kept == written } else { written.ends_with(&format!("\n{kept}")) };
        assert!(is_all_kept, "{name} was kept otherwise: {archives:?}, {:?}", difference(&written, &kept));
        assert_eq!((1..=3).contains(&archives.len()), name.contains("access"), "{name}: {archives:?}");
        for archive in archives {
            let metadata = fs::metadata(&archive).expect("there");
            // For whoever may read the log.
            assert_eq!((metadata.mode() & 0o7777, metadata.gid()), (0o660, 65532), "{}", archive.display());
        }
    }
}

/// The archives of a log, oldest first, and what is in them and then in the log from the first byte that is in none.
fn unpacked(directory: &Path, name: &str) -> (Vec<PathBuf>, String) {
    let archives = names(directory).into_iter().filter(|one| one.starts_with(&format!("{name}.")));
    // Fewer than ten, so that the oldest is the last of them.
    let archives: Vec<PathBuf> = archives.map(|one| directory.join(one)).rev().collect();
    let mut text = String::new();
    if !archives.is_empty() {
        text = run(Command::new("gzip").arg("-dc").args(&archives), DEADLINE).unwrap_or_else(|why| panic!("{why}"));
    }
    let log = fs::read_to_string(directory.join(name)).expect("there");
    (archives, text + log.trim_start_matches('\0'))
}

/// Every name in a directory, in order.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().expect("ours are ASCII")).collect();
    names.sort();
    names
}
