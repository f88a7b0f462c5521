//! The small HTTP port: `/metrics`, `/healthz` and `/readyz`, served by the one loop.
//!
//! A connection is for one request. How many there are, how much of each is read and how long it takes is bounded, and nothing
//! waits for any of them: a slow client gets 408 and is disconnected, and if there are too many, the oldest one that has said
//! nothing makes room. That the loop answers at all says that it is alive.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{Shutdown, SocketFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys::readiness::register;

use super::request::{self, HEAD_BYTES_MAX, Request, Target};

/// How many connections there are at one time, at most: a Prometheus or two, the kubelet's probes and a person, and some that only
/// connect: at 2,000 of those a second each has 12 milliseconds to say what it wants.
const CONNECTIONS_MAX: usize = 24;

/// How long a connection lives, at most.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(5);

/// How long a connection lives on after the answer that it took too long.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(1);

/// How long to accept no connection after the open-file limit prevented one.
const PAUSE: Duration = Duration::from_secs(1);

/// How much more is read, and thrown away, of one that was answered before it had said all: a connection that is closed with
/// something unread is reset, and then the answer may be lost.
const DISCARDED_BYTES_MAX: usize = 256 * 1024;

/// What is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Returns an answer of a few words.
    #[must_use]
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: format!("{body}\n") }
    }

    fn refused(status: u16) -> Self {
        Self::text(status, reason(status))
    }

    fn bytes(&self, is_head: bool) -> Vec<u8> {
        let Self { status, content_type, body } = self;
        let allow = if *status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
        let (reason, length, body) = (reason(*status), body.len(), if is_head { "" } else { body });
        format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n{allow}Connection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    }
}

/// How far a connection has come.
#[derive(Debug)]
enum ConnectionState {
    /// Its head is not there yet.
    Reading(Vec<u8>),
    /// It waits for its answer.
    Asked(Request),
    /// So much of the answer is out.
    Writing(Vec<u8>, usize),
    /// The answer is out; so much of what it still says was thrown away.
    Closing(usize),
    Done,
}

#[derive(Debug)]
struct Connection {
    stream: AsyncFd<OwnedFd>,
    deadline: Instant,
    state: ConnectionState,
}

/// The port and who is connected.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: AsyncFd<OwnedFd>,
    address: SocketAddr,
    /// Oldest first.
    connections: Vec<Connection>,
    paused_until: Option<Instant>,
}

impl Listener {
    /// Listens on an address. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Those of bind(2): the port is in use, or may not be used.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        // Not by name: that would bring the resolver into the binary.
        let socket = TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let socket = register(socket.into(), Interest::READABLE)?;
        Ok(Self { socket, address, connections: Vec::new(), paused_until: None })
    }

    /// Returns the listening address; for port 0 with the port that the kernel chose.
    #[must_use]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when the next client has taken too long, if nothing happens.
    #[must_use]
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let deadlines = self.connections.iter().map(|connection| connection.deadline);
        deadlines.chain(self.paused_until).min()
    }

    /// Goes on with every connection as far as that goes without waiting; becomes ready when one waits for its answer.
    pub(crate) fn poll_asked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        self.accept(now, cx);
        for connection in &mut self.connections {
            connection.go_on(now, cx);
        }
        self.connections.retain(|connection| !matches!(connection.state, ConnectionState::Done));
        let is_asked = self.connections.iter().any(|connection| matches!(connection.state, ConnectionState::Asked(_)));
        if is_asked { Poll::Ready(()) } else { Poll::Pending }
    }

    fn accept(&mut self, now: Instant, cx: &mut Context<'_>) {
        if self.paused_until.is_some_and(|until| now < until) {
            return;
        }
        self.paused_until = None;
        // As many as there may be: so many that come at once cannot keep the loop from its other work.
        for _ in 0..CONNECTIONS_MAX {
            let Poll::Ready(Ok(mut ready)) = self.socket.poll_read_ready(cx) else { return };
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let accepted = rustix::net::accept_with(self.socket.get_ref(), flags);
            let registered = match accepted {
                Err(Errno::AGAIN) => {
                    ready.clear_ready();
                    continue;
                }
                // It was gone before it was accepted: the next one may be there.
                Err(Errno::CONNABORTED | Errno::INTR) => continue,
                Err(why) => Err(why.into()),
                Ok(stream) => register(stream, Interest::READABLE | Interest::WRITABLE),
            };
            match registered {
                Ok(stream) => {
                    if self.connections.len() >= CONNECTIONS_MAX {
                        self.connections.remove(self.least_wanted()).give_up();
                    }
                    let (deadline, state) = (now + CONNECTION_TIME_MAX, ConnectionState::Reading(Vec::new()));
                    let mut connection = Connection { stream, deadline, state };
                    // What it wants may be there already: then it is not among those that make room for others.
                    connection.go_on(now, cx);
                    self.connections.push(connection);
                }
                Err(why) => {
                    tracing::debug!("cannot accept a connection: {why}; retrying");
                    self.paused_until = Some(now + PAUSE);
                    return;
                }
            }
        }
        // There may be more of them: then the loop comes back.
        cx.waker().wake_by_ref();
    }

    /// Returns which connection makes room for another: one that has its answer, or has said nothing yet; of those the oldest.
    fn least_wanted(&self) -> usize {
        let rank = |connection: &Connection| match &connection.state {
            ConnectionState::Done | ConnectionState::Closing(_) => 0,
            ConnectionState::Reading(head) if head.is_empty() => 1,
            ConnectionState::Reading(_) => 2,
            ConnectionState::Writing(..) => 3,
            ConnectionState::Asked(_) => 4,
        };
        let ranked = self.connections.iter().enumerate().map(|(index, connection)| (rank(connection), index));
        ranked.min().map_or(0, |(_, index)| index)
    }

    /// Answers everybody who waits for it.
    pub(crate) fn answer(&mut self, mut answer: impl FnMut(Target) -> Answer) {
        for connection in &mut self.connections {
            if let ConnectionState::Asked(Request { target, is_head }) = connection.state {
                connection.write(answer(target).bytes(is_head));
            }
        }
    }
}

impl Connection {
    fn go_on(&mut self, now: Instant, cx: &mut Context<'_>) {
        if now >= self.deadline {
            if !matches!(self.state, ConnectionState::Reading(_)) {
                self.state = ConnectionState::Done;
                return;
            }
            self.deadline = now + GOODBYE_TIME_MAX;
            self.write(Answer::refused(408).bytes(false));
        }
        if matches!(self.state, ConnectionState::Reading(_)) {
            self.read(cx);
        }
        if matches!(self.state, ConnectionState::Writing(..)) {
            self.write_on(cx);
        }
        if matches!(self.state, ConnectionState::Closing(_)) {
            self.discard(cx);
        }
    }

    fn read(&mut self, cx: &mut Context<'_>) {
        let mut bytes = [0; 1024];
        while let ConnectionState::Reading(head) = &mut self.state {
            let wanted = (HEAD_BYTES_MAX - head.len()).min(bytes.len());
            match receive(&self.stream, &mut bytes[..wanted], cx) {
                Poll::Pending => return,
                Poll::Ready(0) => self.state = ConnectionState::Done,
                Poll::Ready(read) => {
                    head.extend_from_slice(&bytes[..read]);
                    match request::read(head) {
                        None => {}
                        Some(Ok(request)) => self.state = ConnectionState::Asked(request),
                        Some(Err(status)) => self.write(Answer::refused(status).bytes(false)),
                    }
                }
            }
        }
    }

    /// Begins to write an answer: what the kernel takes is out at once.
    fn write(&mut self, answer: Vec<u8>) {
        self.state = ConnectionState::Writing(answer, 0);
        self.write_some();
    }

    fn write_on(&mut self, cx: &mut Context<'_>) {
        while matches!(self.state, ConnectionState::Writing(..)) {
            if self.stream.poll_write_ready(cx).is_pending() {
                return;
            }
            if !self.write_some()
                && let Poll::Ready(Ok(mut ready)) = self.stream.poll_write_ready(cx)
            {
                ready.clear_ready();
            }
        }
    }

    /// Writes what the kernel takes; says whether that is anything.
    fn write_some(&mut self) -> bool {
        let ConnectionState::Writing(answer, written) = &mut self.state else { return false };
        match rustix::io::write(self.stream.get_ref(), &answer[*written..]) {
            Ok(more) => {
                *written += more;
                if *written == answer.len() {
                    // Nobody is left to mind if it fails.
                    let _ = rustix::net::shutdown(self.stream.get_ref(), Shutdown::Write);
                    self.state = ConnectionState::Closing(0);
                }
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => false,
            Err(_) => {
                self.state = ConnectionState::Done;
                true
            }
        }
    }

    /// Waits for the other side to close, and throws away what it still says until then.
    fn discard(&mut self, cx: &mut Context<'_>) {
        let mut bytes = [0; 1024];
        while let ConnectionState::Closing(discarded) = &mut self.state {
            match receive(&self.stream, &mut bytes, cx) {
                Poll::Pending => return,
                Poll::Ready(read @ 1..) if *discarded + read <= DISCARDED_BYTES_MAX => *discarded += read,
                Poll::Ready(_) => self.state = ConnectionState::Done,
            }
        }
    }

    /// Makes room for another one.
    fn give_up(mut self) {
        if matches!(self.state, ConnectionState::Reading(_)) {
            self.write(Answer::refused(408).bytes(false));
        }
    }
}

/// Reads what is there, and returns how much that is: nothing when the other side has closed, or the connection is broken.
fn receive(stream: &AsyncFd<OwnedFd>, bytes: &mut [u8], cx: &mut Context<'_>) -> Poll<usize> {
    while let Poll::Ready(ready) = stream.poll_read_ready(cx) {
        match rustix::io::read(stream.get_ref(), &mut *bytes) {
            Ok(read) => return Poll::Ready(read),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => match ready {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return Poll::Ready(0),
            },
            Err(_) => return Poll::Ready(0),
        }
    }
    Poll::Pending
}
