//! `LISTEN`: what is counted is what happens, and whoever asks, however they ask, costs the stream nothing.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe, stalled};
use crate::support::say::say;
use crate::support::scrape::{
    CONNECTION_TIME, Page, address, answer, ask, connect, get, listening, scrape, scrape_until,
};

const STDOUT: &str = "sidetail_written_bytes_total{stream=\"stdout\"}";
const STDERR: &str = "sidetail_written_bytes_total{stream=\"stderr\"}";

#[test]
fn lines_bytes_records_and_drops_are_counted() {
    let dir = directory();
    let path = dir.path().join("a \"b\\.log");
    append(&path, "{\"level\":\"info\",\"msg\":\"one\"}\n{\"level\":\"error\",\"msg\":\"two\"}\n\tat trace\n");
    append(&path, "{\"level\":\"debug\",\"msg\":\"three\"}\n{\"level\":\"info\",\"msg\":\"GET /healthz\"}\n");
    let (program, address) = listening(dir.path(), &[("DROP", "level=debug; match:GET /healthz")]);
    let size = fs::metadata(&path).expect("written").len() as f64;
    // What is read may be on its way for a moment.
    let is_out =
        |page: &Page| page.value("sidetail_read_bytes_total") == size && page.value("sidetail_held_bytes") == 0.0;
    let page = scrape_until(address, "all lines", is_out);
    let name = path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    let records = |level: &str| format!("sidetail_records_total{{file=\"{name}\",format=\"json\",level=\"{level}\"}}");
    for (series, expected) in [
        ("sidetail_read_lines_total", 5.0),
        ("sidetail_written_lines_total{stream=\"stdout\"}", 1.0),
        ("sidetail_written_lines_total{stream=\"stderr\"}", 2.0),
        ("sidetail_dropped_lines_total{rule=\"level=debug\"}", 1.0),
        ("sidetail_dropped_lines_total{rule=\"match:GET /healthz\"}", 1.0),
        (&records("info"), 2.0),
        (&records("error"), 1.0),
        (&records("debug"), 1.0),
        ("sidetail_added_bytes", 0.0),
        ("sidetail_held_bytes", 0.0),
        ("sidetail_unread_bytes", 0.0),
        ("sidetail_unread_age_seconds", 0.0),
        ("sidetail_files", 1.0),
        ("sidetail_ready", 1.0),
        (&format!("sidetail_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0),
        (&format!("sidetail_file_read_bytes_total{{file=\"{name}\"}}"), size),
    ] {
        assert_eq!(page.value(series), expected, "{series}");
    }
    program.expect(|| program.stdout_bytes() as f64 == page.value(STDOUT), "as many bytes as were counted");
    for name in ["resident_memory_bytes", "virtual_memory_bytes", "open_fds", "max_fds", "start_time_seconds"] {
        assert!(page.value(&format!("process_{name}")) > 0.0, "{name}");
    }
    assert_eq!(program.terminate().status.code(), Some(0));
}

#[test]
fn whatever_the_output_and_the_lines_are_the_bytes_balance() {
    let long = "x".repeat(200_000);
    let lines =
        format!("one\n{{\"level\":\"warn\"}}\n{long}\nERROR\n\tat x\n\u{e9}\n[error] \n2\n\n{}\n", "y".repeat(3000));
    for variables in [
        &[][..],
        &[("STDERR", "")],
        &[("OUTPUT", "prefix")],
        &[("OUTPUT", "json")],
        &[("OUTPUT", "ecs"), ("MAX_LINE", "1000")],
        &[("MAX_LINE", "1000"), ("STDERR", "")],
        &[("MAX_LINE", "100000")],
        &[("DROP", "match:^x"), ("MAX_LINE", "1000")],
        &[("DROP", "file:*.log")],
        &[("DROP", "match:^x"), ("OUTPUT", "gcp")],
        &[("MULTILINE", "off"), ("DROP", "level>=error")],
    ] {
        let dir = directory();
        append(&dir.path().join("a.log"), &lines);
        append(&dir.path().join("b.log"), format!("{lines}unfinished"));
        let variables = [variables, &[("PARTIAL_TIMEOUT", "100ms")]].concat();
        let (program, address) = listening(dir.path(), &variables);
        let size = 2.0 * lines.len() as f64 + 10.0;
        let page = scrape_until(address, "all lines", |page| page.value("sidetail_read_bytes_total") == size);
        assert_eq!(page.value("sidetail_read_lines_total"), 2.0 * lines.matches('\n').count() as f64, "{variables:?}");
        let written = page.value("sidetail_written_lines_total{stream=\"stdout\"}")
            + page.value("sidetail_written_lines_total{stream=\"stderr\"}")
            + page.sum("sidetail_dropped_lines_total");
        let pieces = page.value("sidetail_split_lines_total");
        assert!(written >= page.value("sidetail_read_lines_total"), "{variables:?}: {written} with {pieces} split");
        append(&dir.path().join("b.log"), "\nthe next\n");
        let size = size + 10.0;
        scrape_until(address, "the rest", |page| page.value("sidetail_read_bytes_total") == size);
        assert_eq!(program.terminate().status.code(), Some(0), "{variables:?}");
    }
}

#[test]
fn every_record_is_counted_also_where_no_line_is_looked_at_otherwise() {
    let block = "INFO one\n".repeat(49) + "ERROR two\n";
    for variables in [&[][..], &[("STDERR", "")]] {
        let dir = directory();
        append(&dir.path().join("a.log"), block.repeat(400));
        let (program, address) = listening(dir.path(), variables);
        let page = scrape_until(address, "all", |page| page.value("sidetail_read_lines_total") == 20_000.0);
        let name = dir.path().join("a.log").display().to_string();
        let records = |level| {
            page.value(&format!("sidetail_records_total{{file=\"{name}\",format=\"plain\",level=\"{level}\"}}"))
        };
        assert_eq!([records("info"), records("error")], [19_600.0, 400.0], "{variables:?}");
        assert_eq!(program.terminate().status.code(), Some(0));
    }
}

/// Writes lines, and has the file renamed away or truncated by others, or reclaimed by sidetail, all the time.
#[test]
fn the_bytes_balance_under_rotation() {
    let methods = [
        &[("ROTATE_SIZE", "256Ki")][..],
        &[("ROTATE_SIZE", "256Ki"), ("ROTATE_KEEP", "3")],
        &[("ROTATE_SIZE", "256Ki"), ("ROTATE_METHOD", "rename")],
        &[],
    ];
    for variables in methods {
        let dir = directory();
        let path = dir.path().join("app.log");
        let (program, address) = listening(dir.path(), &[variables, &[("DROP", "match:^drop")]].concat());
        let mut written = 0;
        for number in 0..60 {
            let word = ["keep", "drop", "ERROR"][number % 3];
            let block = format!("{word} {number:04} {}\n", "z".repeat(90)).repeat(400);
            append(&path, &block);
            written += block.len();
            if variables.is_empty() && number % 5 == 4 {
                fs::rename(&path, dir.path().join(format!("app.log.{}", 60 - number))).expect("renamed");
            }
            let page = scrape(address);
            assert_eq!(page.imbalance(), 0.0, "{variables:?}: {page:#?}");
            assert!(page.value("sidetail_read_bytes_total") <= written as f64);
        }
        let page = scrape_until(address, "all bytes", |page| page.value("sidetail_read_bytes_total") == written as f64);
        assert_eq!(page.value("sidetail_unread_bytes"), 0.0, "{variables:?}");
        // Each line is a record, and counted once, though the last one of a read is read again.
        let lines = 60.0 * 400.0;
        assert_eq!(page.sum("sidetail_dropped_lines_total"), lines / 3.0, "{variables:?}");
        for name in ["sidetail_read_lines_total", "sidetail_records_total"] {
            assert_eq!(page.sum(name), lines, "{name} {variables:?}");
        }
        assert_eq!(page.sum("sidetail_written_lines_total"), lines / 3.0 * 2.0, "{variables:?}");
        if variables.is_empty() {
            assert!(page.value("sidetail_files_vanished_total") >= 12.0, "{page:#?}");
            assert!(page.value("sidetail_files_reopened_total") >= 1.0, "{page:#?}");
            assert_eq!(page.value("sidetail_rotations_total"), 0.0);
        } else {
            let is_reclaimed = |page: &Page| page.value("sidetail_rotations_total") > 0.0;
            scrape_until(address, "something reclaimed", is_reclaimed);
        }
        if variables.len() == 2 && variables[1].0 == "ROTATE_KEEP" {
            let page = scrape_until(address, "an archive", |page| page.value("sidetail_archives_total") > 0.0);
            assert!(page.value("sidetail_reclaimed_bytes_total") > 0.0);
        }
        let ended = program.terminate();
        let own = ended.stderr.split_inclusive('\n').filter(|line| line.starts_with("sidetail: ")).map(str::len);
        let streams = ended.stdout.len() + ended.stderr.len() - own.sum::<usize>();
        assert_eq!(streams as f64, page.value(STDOUT) + page.value(STDERR), "{variables:?}");
    }
}

#[test]
fn a_stalled_stdout_stops_no_answer_and_shows() {
    let dir = directory();
    let path = dir.path().join("app.log");
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let variables = [("PATHS", &*paths), ("LISTEN", "127.0.0.1:0"), ("LOG", "info"), ("DRAIN_TIMEOUT", "10s")];
    let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
    let address = address(&program);
    let line = format!("{}\n", "x".repeat(99));
    append(&path, line.repeat(5000));
    stalled(&reader);
    append(&path, line.repeat(5000));
    let total = 1_000_000.0;
    let page = scrape_until(address, "a stall", |page| {
        let unread = page.value("sidetail_read_bytes_total") + page.value("sidetail_unread_bytes");
        unread == total && page.value("sidetail_write_stalled_seconds_total{stream=\"stdout\"}") > 0.3
    });
    assert!(page.value("sidetail_held_bytes") > 0.0, "{page:#?}");
    assert!(page.value("sidetail_unread_age_seconds") > 0.2, "{page:#?}");
    assert_eq!(page.value("sidetail_write_stalled_seconds_total{stream=\"stderr\"}"), 0.0);
    assert_eq!(get(address, "/healthz").status, 200);
    assert_eq!(get(address, "/readyz").status, 200);
    // While it drains it is not ready, and still alive.
    program.signal(Signal::TERM);
    let is_draining = || (get(address, "/readyz").status == 503).then_some(());
    wait_for(is_draining, DEADLINE).expect("it drains");
    assert_eq!(get(address, "/healthz").status, 200);
    assert_eq!(scrape(address).value("sidetail_ready"), 0.0);
    let collected = collect(reader);
    assert_eq!(program.wait().status.code(), Some(0));
    assert_eq!(collected.join().expect("read"), 1_000_000);
}

/// Reads a pipe to its end and returns how much that was.
fn collect(reader: OwnedFd) -> std::thread::JoinHandle<usize> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut fs::File::from(reader), &mut bytes).expect("a pipe")
    })
}

#[test]
fn requests_are_answered_or_refused() {
    let dir = directory();
    let (program, address) = listening(dir.path(), &[]);
    let page = get(address, "/metrics");
    assert!(page.head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8"), "{}", page.head);
    assert!(
        page.head.contains(&format!("Content-Length: {}", page.body.len())) && page.head.contains("Connection: close")
    );
    let open = ask(address, "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n");
    assert!(open.head.contains("application/openmetrics-text; version=1.0.0"), "{}", open.head);
    assert!(open.body.ends_with("# EOF\n") && open.body.contains("# TYPE sidetail_read_bytes counter\n"));
    let head = ask(address, "HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(head.status == 200 && head.body.is_empty() && !head.head.contains("Content-Length: 0"), "{head:?}");
    for (request, status) in [
        ("GET /healthz HTTP/1.0\r\n\r\n".to_owned(), 200),
        ("GET /readyz HTTP/1.1\n\n".to_owned(), 200),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 404),
        ("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".to_owned(), 405),
        ("DELETE /metrics HTTP/1.1\r\n\r\n".to_owned(), 405),
        ("GET /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".to_owned(), 413),
        ("GET /metrics HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 3\r\n\r\n".to_owned(), 400),
        (format!("GET http://{address}/healthz HTTP/1.1\r\n\r\n"), 200),
        ("nonsense\r\n\r\n".to_owned(), 400),
        (format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000)), 431),
        ("x".repeat(100_000), 431),
    ] {
        let answer = ask(address, &request);
        assert_eq!(answer.status, status, "{:.80}", request);
        assert_eq!(answer.head.contains("Allow: GET, HEAD"), status == 405);
    }
    // In pieces, a byte at a time.
    let mut slow = connect(address);
    for byte in b"GET /healthz HTTP/1.1\r\n\r\n" {
        slow.write_all(&[*byte]).expect("sent");
    }
    assert_eq!(answer(&slow).body, "alive\n");
    append(&dir.path().join("a.log"), "a line\n");
    program.expect_stdout("a line\n");
}

#[test]
fn a_client_that_says_nothing_is_told_so_and_let_go() {
    let dir = directory();
    let (program, address) = listening(dir.path(), &[]);
    let sockets = || program.open_files().iter().filter(|path| path.to_string_lossy().starts_with("socket:")).count();
    let before = sockets();
    let mut half = connect(address);
    half.write_all(b"GET /metrics HTTP/1.1\r\n").expect("sent");
    let silent = connect(address);
    let started = Instant::now();
    for client in [&half, &silent] {
        let answer = answer(client);
        assert_eq!(answer.status, 408, "{answer:?}");
    }
    let took = started.elapsed();
    assert!(took > CONNECTION_TIME / 2, "{took:?}");
    drop((half, silent));
    program.expect(|| sockets() == before, "no connection");
}

#[test]
fn one_client_too_many_takes_the_place_of_the_first() {
    let dir = directory();
    let (program, address) = listening(dir.path(), &[]);
    let started = Instant::now();
    let idle: Vec<TcpStream> = (0..24).map(|_| connect(address)).collect();
    assert_eq!(get(address, "/healthz").status, 200);
    // Then the time of none of them was over.
    assert!(started.elapsed() < CONNECTION_TIME, "{:?}", started.elapsed());
    assert_eq!(answer(&idle[0]).status, 408);
    // However many there are.
    let crowd: Vec<TcpStream> = (0..100).map(|_| connect(address)).collect();
    assert_eq!(scrape(address).imbalance(), 0.0);
    assert!(program.open_files().len() < 56, "{:?}", program.open_files());
    drop(crowd);
    append(&dir.path().join("a.log"), "a line\n");
    program.expect_stdout("a line\n");
}

#[test]
fn a_flood_of_connections_keeps_no_probe_from_its_answer() {
    let dir = directory();
    let (_program, address) = listening(dir.path(), &[]);
    let (stop, connected) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        // Some 2,000 a second that say nothing.
        scope.spawn(|| {
            let mut silent = VecDeque::new();
            while !stop.load(Ordering::Relaxed) {
                silent.push_back(TcpStream::connect(address));
                connected.fetch_add(1, Ordering::Relaxed);
                silent.drain(..silent.len().saturating_sub(500));
                std::thread::sleep(Duration::from_micros(500));
            }
        });
        let is_answered = |_| {
            let mut stream = connect(address);
            let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\n\r\n");
            let mut answer = String::new();
            asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
        };
        let is_flooded = wait_for(|| (connected.load(Ordering::Relaxed) > 100).then_some(()), DEADLINE).is_some();
        // The kubelet's `failureThreshold`: on a busy machine some milliseconds may pass before one that is connected asks.
        let probes: Vec<_> = (0..15).map(|_| (0..3).any(is_answered)).collect();
        stop.store(true, Ordering::Relaxed);
        assert_eq!((is_flooded, probes), (true, vec![true; 15]));
    });
}

#[test]
fn a_scrape_of_a_thousand_files_is_short_and_its_series_are_few() {
    let dir = directory();
    for number in 0..1000 {
        append(&dir.path().join(format!("{number}.log")), "INFO one\nERROR two\n");
    }
    let (program, address) = listening(dir.path(), &[]);
    let page = scrape_until(address, "all files", |page| page.value("sidetail_read_lines_total") == 2000.0);
    let of_files = |name: &str| page.0.keys().filter(|series| series.starts_with(name)).count();
    assert_eq!(of_files("sidetail_file_read_bytes_total"), 33);
    assert_eq!(page.value("sidetail_file_read_lines_total{file=\"other\"}"), 2.0 * (1000.0 - 32.0));
    assert_eq!(page.sum("sidetail_records_total"), 2000.0);
    assert!(page.0.len() < 400, "{} series", page.0.len());
    // What it takes of the loop is CPU time, which does not depend on who else runs.
    let cpu = || scrape(address).value("process_cpu_seconds_total");
    let (before, rounds) = (cpu(), 100);
    (0..rounds).for_each(|_| drop(scrape(address)));
    let each = Duration::from_secs_f64((cpu() - before) / f64::from(rounds));
    say(&format!("a scrape of 1,000 files: {each:?} of CPU"));
    // This build is not optimised.
    assert!(each < Duration::from_millis(40), "{each:?}");
    assert_eq!(program.terminate().status.code(), Some(0));
}

#[test]
fn an_address_that_cannot_be_used_is_an_error_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    for (value, code, words) in [
        (&*address, 71, "cannot listen on"),
        ("metrics:9100", 64, "use one such as 0.0.0.0:9100"),
        ("9100", 64, "did you mean 0.0.0.0:9100?"),
    ] {
        let ended = Program::start(&[("PATHS", "/nowhere/*.log"), ("LISTEN", value)]).wait();
        assert_eq!(ended.status.code(), Some(code), "{value}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{value}: {}", ended.stderr);
    }
}

#[test]
fn without_listen_there_is_no_socket() {
    let dir = directory();
    append(&dir.path().join("a.log"), "a line\n");
    let program = Program::on(dir.path(), &[]);
    program.expect_stdout("a line\n");
    let inodes = program
        .open_files()
        .into_iter()
        .filter_map(|path| Some(path.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()));
    let tcp =
        ["tcp", "tcp6"].map(|name| fs::read_to_string(format!("/proc/{}/net/{name}", program.id())).expect("proc"));
    for inode in inodes {
        assert!(!tcp.iter().any(|table| table.contains(&inode)), "{inode}: {tcp:?}");
    }
}
