//! Somebody who asks the port of `LISTEN`, with nothing but a socket, and reads the pages.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::bounded::wait_for;
use super::program::{DEADLINE, Program};

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Status line and fields.
    pub head: String,
    pub body: String,
}

/// A page in Prometheus' text format: values by series, as they are written.
#[derive(Debug)]
pub struct Page(pub BTreeMap<String, f64>);

impl Page {
    pub fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            (series.to_owned(), value.parse().unwrap_or_else(|_| panic!("a number: {line}")))
        };
        Self(samples.map(sample).collect())
    }

    /// Returns the value of one series.
    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        *self.0.get(series).unwrap_or_else(|| panic!("no {series} in {:#?}", self.0))
    }

    /// Returns the sum of all series of a name.
    pub fn sum(&self, name: &str) -> f64 {
        let of_name = |series: &str| series.split('{').next() == Some(name);
        self.0.iter().filter(|(series, _)| of_name(series)).map(|(_, value)| value).sum()
    }

    /// Returns what read and added are more than written, dropped and held: 0, if no byte is lost or repeated on the way.
    pub fn imbalance(&self) -> f64 {
        let [read, added, written, dropped, held] = [
            "sidetail_read_bytes_total",
            "sidetail_added_bytes",
            "sidetail_written_bytes_total",
            "sidetail_dropped_bytes_total",
            "sidetail_held_bytes",
        ]
        .map(|name| self.sum(name));
        read + added - written - dropped - held
    }
}

/// Starts the binary on the `*.log` files of a directory, and returns where it listens.
pub fn listening(directory: &Path, variables: &[(&str, &str)]) -> (Program, SocketAddr) {
    let program = Program::on(directory, &[&[("LISTEN", "127.0.0.1:0"), ("LOG", "info")], variables].concat());
    let address = address(&program);
    (program, address)
}

/// Returns where a program listens that was started with `LOG=info`.
#[track_caller]
pub fn address(program: &Program) -> SocketAddr {
    let said = || {
        program.stderr().split_once("serving metrics at http://127.0.0.1:")?.1.split_once("/metrics\n")?.0.parse().ok()
    };
    let port = wait_for(said, DEADLINE);
    port.map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)))
        .unwrap_or_else(|| panic!("it does not say where it listens: {}", program.stderr()))
}

/// Connects; reading and writing end within the deadline of all tests.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, DEADLINE).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
    stream.set_write_timeout(Some(DEADLINE)).expect("a socket");
    stream
}

/// Reads all that is answered until the other side closes.
#[track_caller]
pub fn answer(mut stream: &TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("a head: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Sends these bytes and returns what is answered.
#[track_caller]
pub fn ask(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut stream = connect(address);
    stream.write_all(request.as_ref()).expect("sent");
    answer(&stream)
}

#[track_caller]
pub fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"))
}

/// Asks for the metrics.
#[track_caller]
pub fn scrape(address: SocketAddr) -> Page {
    let answer = get(address, "/metrics");
    assert_eq!(answer.status, 200, "{}", answer.head);
    Page::parse(&answer.body)
}

/// Asks for the metrics until they are as expected; each page must balance.
#[track_caller]
pub fn scrape_until(address: SocketAddr, what: &str, condition: impl Fn(&Page) -> bool) -> Page {
    let mut last = None;
    let page = wait_for(
        || {
            let page = scrape(address);
            assert_eq!(page.imbalance(), 0.0, "{page:#?}");
            let is_so = condition(&page);
            last = Some(page);
            is_so.then(|| last.take()).flatten()
        },
        DEADLINE,
    );
    page.unwrap_or_else(|| panic!("waited in vain for {what}: {last:#?}"))
}

/// How long a client waits that must not be waited for; more than a connection may take.
pub const CONNECTION_TIME: Duration = Duration::from_secs(5);

#[test]
fn an_imbalance_is_seen() {
    let page =
        Page::parse("# HELP x\nsidetail_read_bytes_total 7\nsidetail_written_bytes_total{stream=\"stdout\"} 5\n");
    assert_eq!(page.imbalance(), 2.0);
}
