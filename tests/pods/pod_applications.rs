//! The pod specs for applications that one knows, under podman: each line once, on its stream, and the files with the users
//! and modes that they have on a cluster. A shell plays the applications: it writes the same files in the same format, as the
//! same user, and keeps a copy of each in a folder that nobody follows.
//!
//! A machine that cannot do this (no root, no podman) says so in one line and passes; in CI (`CI=true`) it fails instead.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use serde_json::json;

use crate::support::bounded::wait_for;
use crate::support::pod::{
    CriLog, Pod, ROTATE_SIZE, allocated_bytes, changed, classic, podman, spec, stand_in, wait_until_small,
};
use crate::support::podman::Podman;
use crate::support::records::{Record, records};
use crate::support::rotator::difference;

/// Each of them writes some 10 MB within seconds.
const DEADLINE: Duration = Duration::from_secs(120);

/// nginx's part: an access log in the format `main` of its image, and an error log. Every fifth request is a probe's.
const NGINX: &str = r#"
cd /var/log/nginx
mkdir written
exec 3>>access.log 4>>error.log
i=0
while [ $i -lt 60000 ]; do
  awk -v from=$i 'BEGIN {
    for (n = from; n < from + 2000; n++)
      printf "10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] \"GET /shop/orders/%d HTTP/1.1\" %d %d \"-\" \"%s\" \"-\"\n", n, \
        n % 4 == 3 ? 503 : n % 4 == 2 ? 404 : 200, n * 7919 % 100000, n % 5 == 0 ? "kube-probe/1.33" : \
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
  }' | tee -a written/access >&3
  echo "2026/01/05 10:00:00 [notice] 1#1: signal 17 (SIGCHLD) received from $i" | tee -a written/error >&4
  echo "2026/01/05 10:00:00 [error] 29#29: *$i open() \"/usr/share/nginx/html/$i\" failed (2: No such file or directory), client: 10.0.0.1, server: localhost, request: \"GET /$i HTTP/1.1\", host: \"shop\"" | tee -a written/error >&4
  i=$((i+2000))
  usleep 10000
done
touch written/done
sleep 600
"#;

#[test]
fn the_pod_of_nginx_streams_both_logs_without_probes() {
    let Some(podman) = podman() else { return };
    // It would be published, for which there is no network.
    let spec = changed(&spec("nginx.yaml"), &[("      ports:\n        - containerPort: 8080\n", "")]);
    let pod = Pod::play(&podman, "nginx", &classic(&stand_in(&spec, "nginx", NGINX)));
    let (access, errors) = (pod.copy("access"), pod.copy("error"));
    let of_people = |line: &&str| !line.contains("kube-probe/");
    let is_failed = |line: &&str| line.contains("HTTP/1.1\" 503 ");
    let is_error = |line: &&str| line.contains(" [error] ");
    let people: String = access.split_inclusive('\n').filter(of_people).collect();
    assert!(people.len() < access.len(), "there were probes");
    let log = pod.log_of(people.lines().count() + errors.lines().count());
    let of_access = |line: &&str| line.starts_with("10.0.0.1 ");
    for (stream, is_stderr) in [(&log.stdout, false), (&log.stderr, true)] {
        let found = String::from_utf8_lossy(stream);
        check_the_lines(&people, |line| is_failed(line) == is_stderr, &found, of_access);
        check_the_lines(&errors, |line| is_error(line) == is_stderr, &found, |line| !of_access(line));
    }
    pod.check_the_file("access.log", (101, 101, 0o644));
    wait_until_small(&pod.volume.join("access.log"));
    assert!(access.len() as u64 > ROTATE_SIZE);
    pod.check_the_user("101");
    pod.check_nothing_came(&log);
}

/// PostgreSQL's part: a file that only the server's user may read, and errors with what explains them.
const POSTGRES: &str = r#"
cd /var/log/postgresql
mkdir written
umask 077
touch postgresql.log && chown 999:999 postgresql.log
exec 3>>postgresql.log
i=0
while [ $i -lt 40000 ]; do
  awk -v from=$i 'BEGIN {
    for (n = from; n < from + 1000; n++) {
      time = sprintf("2026-01-05 10:00:00.%03d UTC [%d]", n % 1000, 60 + n % 7)
      if (n % 4 == 3) {
        printf "%s ERROR:  duplicate key value violates unique constraint \"orders_pkey\"\n", time
        printf "%s DETAIL:  Key (id)=(%d) already exists.\n", time, n
        printf "%s STATEMENT:  INSERT INTO orders (id, state, placed_at, customer, note)\n", time
        printf "\t  VALUES (%d, $1, now(), $2, $3)\n\t  RETURNING id;\n", n
      } else
        printf "%s LOG:  duration: %d.120 ms  statement: SELECT o.id, o.state, o.placed_at, c.name, c.address FROM orders o JOIN customers c ON c.id = o.customer WHERE o.id = %d ORDER BY o.placed_at DESC LIMIT 100\n", time, 1000 + n % 900, n
    }
  }' | tee -a written/log >&3
  i=$((i+1000))
  usleep 10000
done
touch written/done
sleep 600
"#;

#[test]
fn the_pod_of_postgresql_has_errors_and_their_statements_on_stderr() {
    let Some(podman) = podman() else { return };
    create_the_secret(&podman, "postgres");
    let pod = Pod::play(&podman, "postgres", &classic(&stand_in(&spec("postgres.yaml"), "postgres", POSTGRES)));
    let written = pod.copy("log");
    let log = pod.log_of(written.lines().count());
    let of_stdout = |line: &&str| line.contains(" LOG:  ");
    let lines: Vec<_> = written.split_inclusive('\n').collect();
    let (stdout, stderr): (Vec<_>, Vec<_>) = lines.into_iter().partition(of_stdout);
    assert_eq!(stdout.len() * 5, stderr.len() * 3, "an error in four records, of five lines");
    for (expected, found) in [(stdout.concat(), &log.stdout), (stderr.concat(), &log.stderr)] {
        assert_eq!(difference(&expected, &String::from_utf8_lossy(found)), None);
    }
    pod.check_the_file("postgresql.log", (999, 999, 0o600));
    wait_until_small(&pod.volume.join("postgresql.log"));
    assert!(written.len() as u64 > ROTATE_SIZE);
    pod.check_the_user("999");
    pod.check_nothing_came(&log);
}

/// MySQL's part: a slow log with the head that the server writes, and an error log.
const MYSQL: &str = r##"
cd /var/log/mysql
mkdir written
umask 027
touch slow.log error.log && chown 999:999 slow.log error.log
exec 3>>slow.log 4>>error.log
printf '%s\n' '/usr/sbin/mysqld, Version: 8.4.3 (MySQL Community Server - GPL). started with:' \
  'Tcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock' 'Time                 Id Command    Argument' | tee written/slow >&3
i=0
while [ $i -lt 4000 ]; do
  awk -v from=$i 'BEGIN {
    for (n = from; n < from + 200; n++) {
      printf "# Time: 2026-01-05T10:00:00.%06dZ\n# User@Host: shop[shop] @  [10.0.0.7]  Id: %5d\n", n, n
      printf "# Query_time: %d.000215  Lock_time: 0.000003 Rows_sent: 1  Rows_examined: %d\n", 1 + n % 9, n * 7919
      printf "SET timestamp=1767607200;\nSELECT o.id, c.name\n  FROM orders o JOIN customers c ON c.id = o.customer\n WHERE o.id = %d;\n", n
    }
  }' | tee -a written/slow >&3
  echo "2026-01-05T10:00:00.123456Z $i [Warning] [MY-010055] [Server] IP address '10.0.0.7' could not be resolved: Name or service not known" | tee -a written/error >&4
  echo "2026-01-05T10:00:00.123456Z $i [ERROR] [MY-012592] [InnoDB] Operating system error number 28 in a file operation." | tee -a written/error >&4
  i=$((i+200))
  usleep 10000
done
touch written/done
sleep 600
"##;

#[test]
fn the_pod_of_mysql_has_each_slow_query_as_one_object() {
    let Some(podman) = podman() else { return };
    create_the_secret(&podman, "mysql");
    let pod = Pod::play(&podman, "mysql", &classic(&stand_in(&spec("mysql.yaml"), "mysql", MYSQL)));
    let (slow, errors) = (pod.copy("slow"), pod.copy("error"));
    let (head, queries) = slow.split_once("# Time: ").expect("a query");
    let queries: Vec<_> = queries.split("# Time: ").map(|query| format!("# Time: {query}")).collect();
    let is_error = |line: &&str| line.contains(" [ERROR] ");
    let (stderr, stdout): (Vec<_>, Vec<_>) = errors.split_inclusive('\n').partition(is_error);
    let [found, failed] = pod.records_of(slow.len() + errors.len(), mysql_lines);
    let of_format = |records: &[Record], format: &str| -> Vec<String> {
        records.iter().filter(|record| record.object["format"] == format).map(mysql_lines).collect()
    };
    let slow = of_format(&found, "mysql-slow");
    assert_eq!(difference(&queries.concat(), &slow.concat()), None);
    assert!(slow == queries, "objects: {}, of {} queries", slow.len(), queries.len());
    assert_eq!(of_format(&found, "plain").concat(), head);
    assert_eq!(of_format(&found, "mysql"), stdout);
    assert_eq!(of_format(&failed, "mysql"), stderr);
    assert_eq!(failed.len(), stderr.len());
    for record in found.iter().filter(|record| record.object["format"] == "mysql-slow") {
        assert_eq!(record.object["file"], "slow.log");
    }
    for (records, level) in [(&found, "warn"), (&failed, "error")] {
        let levels = records.iter().filter(|record| record.object["format"] == "mysql");
        assert!(levels.map(|record| &record.object["level"]).all(|found| found == level), "{level}");
    }
    for name in ["slow.log", "error.log"] {
        pod.check_the_file(name, (999, 999, 0o640));
    }
    pod.check_the_user("999");
}

/// A record as MySQL writes it.
fn mysql_lines(record: &Record) -> String {
    let message = &record.message;
    let of = |name: &str| record.field(name);
    let decimal = |name: &str| format!("{:.6}", record.object[name].as_f64().expect("a number"));
    match &*of("format") {
        "mysql-slow" => {
            let (time, user, client, id) = (of("time"), of("user.name"), of("client.address"), of("thread.id"));
            let [took, locked] = ["db.client.operation.duration", "mysql.lock_time"].map(decimal);
            let [sent, examined] = ["db.response.returned_rows", "mysql.rows_examined"].map(of);
            format!(
                "# Time: {time}\n# User@Host: {user}[{user}] @  [{client}]  Id: {id:>5}\n\
                 # Query_time: {took}  Lock_time: {locked} Rows_sent: {sent}  Rows_examined: {examined}\n{message}"
            )
        }
        "mysql" => {
            let word = if of("level") == "warn" { "Warning".to_owned() } else { of("level").to_uppercase() };
            let [time, id, code, logger] = ["time", "thread.id", "event.code", "otel.scope.name"].map(of);
            format!("{time} {id} [{word}] [{code}] [{logger}] {message}")
        }
        _ => message.clone(),
    }
}

/// Spring Boot's part: Logback's file, which is rolled four times: renamed, compressed, deleted.
const SPRING_BOOT: &str = r#"
cd /var/log/app
mkdir written
# Kubernetes starts a sidecar first; podman starts them at once.
until [ -d .sidetail ]; do usleep 10000; done
for roll in 0 1 2 3; do
  for block in 0 1 2 3 4 5 6 7 8 9; do
    awk -v from=$((roll*2000+block*200)) 'BEGIN {
      for (n = from; n < from + 200; n++) {
        printf "2026-01-05T10:00:00.%03dZ %5s 1 --- [orders] [nio-8080-exec-1] c.e.orders.OrderController               : order %d\n", \
          n % 1000, n % 4 == 3 ? "ERROR" : n % 4 == 2 ? "WARN" : "INFO", n
        if (n % 4 == 3)
          printf "\njava.lang.IllegalStateException: no stock for order %d\n\tat com.example.orders.Stock.take(Stock.java:41)\n\tat com.example.orders.OrderController.place(OrderController.java:27)\nCaused by: java.io.IOException: connection reset\n\tat com.example.orders.Disk.read(Disk.java:7)\n\t... 2 common frames omitted\n", n
      }
    }' | tee -a written/log >> application.log
    usleep 20000
  done
  mv application.log application.log8123456$roll.tmp
  gzip -c application.log8123456$roll.tmp > application.log.2026-01-05.$roll.gz
  rm application.log8123456$roll.tmp
done
touch written/done
sleep 600
"#;

#[test]
fn the_pod_of_spring_boot_has_each_stack_trace_in_one_object() {
    let Some(podman) = podman() else { return };
    let pod = Pod::play(&podman, "orders", &classic(&stand_in(&spec("spring-boot.yaml"), "app", SPRING_BOOT)));
    let written = pod.copy("log");
    let mut expected: Vec<String> = Vec::new();
    for line in written.split_inclusive('\n') {
        match expected.last_mut() {
            Some(record) if !line.starts_with("2026-") => record.push_str(line),
            _ => expected.push(line.to_owned()),
        }
    }
    let (stderr, stdout): (Vec<_>, Vec<_>) = expected.into_iter().partition(|record| record.contains(" ERROR 1 "));
    assert_eq!((stdout.len(), stderr.len()), (6000, 2000));
    let found = pod.records_of(written.len(), spring_lines);
    for (records, expected) in found.iter().zip([&stdout, &stderr]) {
        let lines: String = records.iter().map(spring_lines).collect();
        assert_eq!(difference(&expected.concat(), &lines), None);
        assert_eq!(records.len(), expected.len(), "objects");
        assert!(records.iter().all(|record| record.field("format") == "log4j"));
    }
    pod.check_the_user("1000");
}

/// A record as Spring Boot writes it.
fn spring_lines(record: &Record) -> String {
    let [time, level, pid, program, thread, logger] =
        ["time", "level", "process.pid", "service.name", "thread.name", "otel.scope.name"]
            .map(|name| record.field(name));
    let (level, message) = (level.to_uppercase(), &record.message);
    format!("{time} {level:>5} {pid} --- [{program}] [{thread}] {logger:<40} : {message}")
}

#[test]
fn the_pod_of_the_legacy_application_streams_as_another_user() {
    let Some(podman) = podman() else { return };
    let spec = classic(&spec("legacy.yaml"));
    let changes =
        [("while true;", "while [ $i -lt 400 ];"), ("sleep 1\n", "usleep 5000\n"), ("done\n", "done; sleep 600\n")];
    let pod = Pod::play(&podman, "legacy", &changed(&spec, &changes));
    let log = pod.log_of(400);
    let written = pod.file("batch.log");
    for (stream, is_stderr) in [(&log.stdout, false), (&log.stderr, true)] {
        check_the_lines(
            &written,
            |line| line.contains(" [ERROR] ") == is_stderr,
            &String::from_utf8_lossy(stream),
            |_| true,
        );
    }
    assert_eq!(log.line_counts(), (300, 100));
    // Of the application's user, and of the pod's group, which may write to it.
    pod.check_the_file("batch.log", (1001, 65532, 0o660));
    pod.check_the_user("65532");
    pod.check_nothing_came(&log);
}

/// The legacy application with three umasks, a file each.
const UMASKS: &str = r#"
cd /opt/legacy/logs
mkdir written
for mask in 007 027 077; do
  umask $mask
  awk -v mask=$mask 'BEGIN {
    for (n = 0; n < 120000; n++)
      printf "2026-01-05 10:00:00 [%s] %s: batch %d, which nobody has looked at since it was written\n", n % 4 == 3 ? "ERROR" : "INFO", mask, n
  }' | tee written/$mask >> $mask.log
done
touch written/done
sleep 600
"#;

#[test]
fn the_umask_decides_what_sidetail_may_do_with_a_file_of_another_user() {
    let Some(podman) = podman() else { return };
    let pod = Pod::play(&podman, "legacy", &classic(&stand_in(&spec("legacy.yaml"), "app", UMASKS)));
    let written = pod.copy("007") + &pod.copy("027");
    // And a line of sidetail's for each of the two files with which something is wrong.
    let log = pod.log_of(written.lines().count() + 2);
    let (stdout, stderr) = (String::from_utf8_lossy(&log.stdout), String::from_utf8_lossy(&log.stderr));
    for mark in [" 007: ", " 027: "] {
        for (found, is_stderr) in [(&stdout, false), (&stderr, true)] {
            let expected = |line: &&str| line.contains(mark) && line.contains(" [ERROR] ") == is_stderr;
            check_the_lines(&written, expected, found, |line| line.contains(mark));
        }
    }
    let own: Vec<_> = stderr.lines().filter(|line| line.starts_with("sidetail: ")).collect();
    assert_eq!(own.len(), 2, "{own:?}");
    for (name, mode, words) in
        [("027.log", "mode 0640", "lets the group write"), ("077.log", "mode 0600", "lets the group read")]
    {
        let line = own.iter().find(|line| line.contains(name)).unwrap_or_else(|| panic!("nothing of {name}: {own:?}"));
        for word in [mode, words, "1001:65532", "sidetail runs as 65532:65532"] {
            assert!(line.contains(word), "{word:?} in {line}");
        }
    }
    wait_until_small(&pod.volume.join("007.log"));
    let kept = ["027.log", "077.log"].map(|name| allocated_bytes(&pod.volume.join(name)).expect("there"));
    assert!(kept.iter().all(|bytes| *bytes > ROTATE_SIZE), "{kept:?}");
    assert!(!stdout.contains(" 077: ") && !stderr.contains(" 077: "));
}

/// What the specs of the databases have their passwords from, as podman 4 keeps it: an object of its keys.
fn create_the_secret(podman: &Podman, name: &str) {
    let file = podman.dir().join("secret.json");
    let secret = json!({"password": "c2VjcmV0"});
    fs::write(&file, secret.to_string()).expect("our own directory is writable");
    podman.run(&["secret", "create", name, file.to_str().expect("the path is UTF-8")]);
}

/// Of what is written, the lines that are `wanted` are those of what was `found` that are the `file`'s, in the same order.
#[track_caller]
fn check_the_lines(written: &str, wanted: impl FnMut(&&str) -> bool, found: &str, file: impl FnMut(&&str) -> bool) {
    let wanted: String = written.split_inclusive('\n').filter(wanted).collect();
    let found: String = found.split_inclusive('\n').filter(file).collect();
    assert!(!wanted.is_empty());
    assert_eq!(difference(&wanted, &found), None);
}

impl Pod<'_> {
    /// What the application says that it wrote into a file, when it has written everything.
    fn copy(&self, name: &str) -> String {
        let done = self.volume.join("written/done");
        wait_for(|| done.exists().then_some(()), DEADLINE).expect("the application is through in time");
        self.file(&format!("written/{name}"))
    }

    /// The log when it has so many lines; what is missing, or too much, the comparison will say.
    fn log_of(&self, lines: usize) -> CriLog {
        let has_them = || {
            let (stdout, stderr) = self.log().line_counts();
            (stdout + stderr >= lines).then_some(())
        };
        let _ = wait_for(has_them, DEADLINE);
        self.log()
    }

    /// The records of both streams, when all those bytes are in them that were written.
    fn records_of(&self, bytes: usize, lines: fn(&Record) -> String) -> [Vec<Record>; 2] {
        let all = || {
            let log = self.log();
            [records(&log.stdout), records(&log.stderr)]
        };
        let has_them = || {
            let found = all().iter().flatten().map(|record| lines(record).len()).sum::<usize>();
            (found >= bytes).then_some(())
        };
        let _ = wait_for(has_them, DEADLINE);
        let all = all();
        // One that was read when only half of it was written, on a busy machine, has parts.
        let whole = all.iter().flatten().filter(|record| record.object["part"].is_null()).count();
        assert!(whole * 10 > all.iter().map(Vec::len).sum::<usize>() * 9, "only {whole} in one object each");
        all
    }

    /// A file's owner, group and mode.
    #[track_caller]
    fn check_the_file(&self, name: &str, (uid, gid, mode): (u32, u32, u32)) {
        let metadata = fs::metadata(self.volume.join(name)).expect("there");
        assert_eq!((metadata.uid(), metadata.gid()), (uid, gid), "{name}");
        assert_eq!(format!("{:o}", metadata.mode() & 0o7777), format!("{mode:o}"), "{name}");
    }

    /// sidetail's user, without any capability.
    #[track_caller]
    fn check_the_user(&self, user: &str) {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.sidecar("{{.State.Pid}}"))).expect("it is running");
        for line in [format!("Uid:\t{user}\t{user}\t{user}\t{user}"), "CapEff:\t0000000000000000".to_owned()] {
            assert!(status.lines().any(|one| one == line), "{line:?} in {status}");
        }
        assert_eq!(self.sidecar("{{.RestartCount}} {{.State.OOMKilled}}"), "0 false", "restarts, killed for memory");
    }

    /// SIGTERM adds nothing to what was streamed, and ends with exit code 0.
    #[track_caller]
    fn check_nothing_came(&self, log: &CriLog) {
        let name = self.sidecar("{{.Name}}");
        self.podman.run(&["stop", "--time", "5", &name]);
        assert_eq!(self.sidecar("{{.State.ExitCode}}"), "0");
        assert!(self.log() == *log, "something came at the end");
    }
}
