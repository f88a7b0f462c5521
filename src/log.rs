//! Our own messages: one line each, made here, written by the sink.
//!
//! They share stderr with the application's lines, so they wait in a small queue until the sink can put them between two
//! lines; they never block the stream and never tear it. Text is `sidetail: LEVEL: message` (the level only below a
//! warning or above), JSON has `time`, `level` and `message`.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// What stands before our own messages.
pub const PREFIX: &str = "sidetail: ";

/// How many bytes of messages wait at most; a stalled stderr must not make memory grow.
const QUEUE_BYTES_MAX: usize = 16 * 1024;

/// How messages look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// `sidetail: message`.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// The messages that wait, and how many found no room.
static QUEUE: Mutex<Queue> = Mutex::new(Queue { lines: VecDeque::new(), bytes: 0, left_out: 0 });

#[derive(Debug)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    left_out: u64,
}

/// Starts keeping messages of `level` and above; later calls change nothing.
pub fn start(level: LevelFilter, format: LogFormat) {
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_writer(ToQueue).event_format(Line(format)).finish();
    // Refused only if there is one already, as in tests that run several programs in one process.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Returns the oldest message that waits, with its newline.
#[must_use]
pub fn next_line() -> Option<Vec<u8>> {
    let mut queue = queue();
    if let Some(line) = queue.lines.pop_front() {
        queue.bytes -= line.len();
        return Some(line);
    }
    let left_out = std::mem::take(&mut queue.left_out);
    (left_out > 0).then(|| format!("sidetail: {left_out} messages were left out, stderr did not take them\n").into())
}

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a line in the form of our own messages, for what is said before or after the stream.
#[must_use]
pub fn plain_line(message: &str) -> String {
    format!("{PREFIX}{}\n", visible(message))
}

/// Returns text that may hold file names on one line: what would break it is escaped.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[derive(Debug)]
struct ToQueue;

impl<'a> MakeWriter<'a> for ToQueue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for ToQueue {
    /// Called once a message, with the whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut queue = queue();
        if queue.bytes + line.len() > QUEUE_BYTES_MAX {
            queue.left_out += 1;
        } else {
            queue.bytes += line.len();
            queue.lines.push_back(line.to_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The form of one message.
#[derive(Debug)]
struct Line(LogFormat);

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut message = Message::default();
        event.record(&mut message);
        let level = event.metadata().level();
        match self.0 {
            LogFormat::Text => {
                let name = match *level {
                    Level::ERROR => "error: ",
                    Level::WARN => "",
                    Level::INFO => "info: ",
                    Level::DEBUG => "debug: ",
                    Level::TRACE => "trace: ",
                };
                writer.write_str(&plain_line(&format!("{name}{}", message.0)))
            }
            LogFormat::Json => {
                let mut time = String::new();
                SystemTime.format_time(&mut Writer::new(&mut time))?;
                let level = level.as_str().to_ascii_lowercase();
                let object =
                    serde_json::json!({ "time": time, "level": level, "message": message.0, "logger": "sidetail" });
                writeln!(writer, "{object}")
            }
        }
    }
}

/// Collects a message's text.
#[derive(Debug, Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        use fmt::Write as _;
        let separator = if self.0.is_empty() { "" } else { " " };
        // A string takes everything, so it cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{separator}{value:?}"),
            name => write!(self.0, "{separator}{name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_on_one_line() {
        assert_eq!(plain_line("cannot open /a\nb\x1b[1m"), "sidetail: cannot open /a\\nb\\u{1b}[1m\n");
    }

    #[test]
    fn the_queue_is_bounded_and_says_what_it_left_out() {
        let line = [b'x'; 1024];
        for _ in 0..20 {
            ToQueue.write_all(&line).expect("never fails");
        }
        let waiting = std::iter::from_fn(next_line).collect::<Vec<_>>();
        assert_eq!(waiting.len(), 17);
        assert!(String::from_utf8_lossy(&waiting[16]).contains("4 messages were left out"));
    }
}
