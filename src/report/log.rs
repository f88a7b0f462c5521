//! Our own messages: one line each, made here, written by the sink.
//!
//! They share stderr with the application's lines, so they wait in a small queue until the sink can put them between two lines;
//! they never block the stream and never tear it. The same message about the same file is logged once per minute, with how many
//! were held back; but details (debug and trace) all are.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::message::{LogFormat, Message, counted, plain_line};
use super::recent::Recent;

/// How many bytes of messages wait at most; a stalled stderr must not make memory grow.
const QUEUE_BYTES_MAX: usize = 16 * 1024;

/// The messages that wait, and how many found no room.
static QUEUE: Mutex<MessageQueue> = Mutex::new(MessageQueue {
    lines: VecDeque::new(),
    bytes: 0,
    left_out: 0,
    recent: Recent::new(),
    format: LogFormat::Text,
});

#[derive(Debug)]
struct MessageQueue {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    left_out: u64,
    recent: Recent,
    format: LogFormat,
}

impl MessageQueue {
    fn push(&mut self, message: &Message) {
        let line = message.line(self.format);
        if self.bytes + line.len() > QUEUE_BYTES_MAX {
            self.left_out += 1;
        } else {
            self.bytes += line.len();
            self.lines.push_back(line.into());
        }
    }

    /// Queues what `take` takes out of what is held back.
    fn push_held(&mut self, take: impl FnOnce(&mut Recent, &mut dyn FnMut(Message))) {
        let mut held = Vec::new();
        take(&mut self.recent, &mut |message| held.push(message));
        held.iter().for_each(|message| self.push(message));
    }
}

/// Starts keeping messages of `level` and above; later calls change no more than the format.
pub(crate) fn start(level: LevelFilter, format: LogFormat) {
    queue().format = format;
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_writer(io::sink).event_format(ToQueue).finish();
    // Refused only if there is one already, as in tests that run several programs in one process.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Returns the oldest message that waits, with its newline.
#[must_use]
pub(crate) fn next_line() -> Option<Vec<u8>> {
    let mut queue = queue();
    if queue.lines.is_empty() {
        queue.push_held(|recent, tell| recent.tell_held(Instant::now(), tell));
    }
    if let Some(line) = queue.lines.pop_front() {
        queue.bytes -= line.len();
        return Some(line);
    }
    let left_out = std::mem::take(&mut queue.left_out);
    let message = || {
        Message::new(
            Level::WARN,
            &format!("dropped {} because stderr did not accept them", counted(left_out, "message")),
        )
    };
    (left_out > 0).then(|| message().line(queue.format).into())
}

/// Logs everything that was held back as a repetition: there is no later chance.
pub(crate) fn tell_all() {
    queue().push_held(|recent, tell| recent.tell_all(tell));
}

fn queue() -> MutexGuard<'static, MessageQueue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a line in the form of our own messages, for messages before and after the stream, and for answers to requests; text
/// has no level.
#[must_use]
pub(crate) fn line(level: Level, message: &str, file: Option<&Path>) -> String {
    match queue().format {
        LogFormat::Text => plain_line(message),
        LogFormat::Json => {
            let file = file.map(|path| path.display().to_string());
            Message { file, ..Message::new(level, message) }.line(LogFormat::Json)
        }
    }
}

/// Takes each message to the queue; the subscriber's own writer gets nothing.
#[derive(Debug)]
struct ToQueue;

impl<S, N> FormatEvent<S, N> for ToQueue
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, _: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = *event.metadata().level();
        let mut message = Message::new(level, "");
        event.record(&mut message);
        let mut queue = queue();
        if level > Level::INFO || message.is_each {
            // Whoever asks for details wants all of them.
            queue.push(&message);
        } else {
            let place = event.metadata().callsite();
            queue.push_held(|recent, tell| recent.admit(place, message, Instant::now(), tell));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_bounded_and_says_what_it_left_out() {
        let message = Message::new(Level::WARN, &"x".repeat(1024 - "sidetail: \n".len()));
        for _ in 0..20 {
            queue().push(&message);
        }
        let waiting = std::iter::from_fn(next_line).collect::<Vec<_>>();
        assert_eq!(waiting.len(), 17);
        assert!(String::from_utf8_lossy(&waiting[16]).contains("4 messages because stderr"));
    }
}
