//! One of our own messages, and how it looks: always on one line.
//!
//! Text is `sidetail: LEVEL: message` (the level only below a warning or above), JSON has `time`, `level`, `message`, and `file`
//! where it is about one.

use std::fmt;

use tracing::Level;
use tracing::field::{Field, Visit};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use crate::sys::shown::{escaped_json, is_misleading};

/// What stands before our own messages.
const PREFIX: &str = "sidetail: ";

/// How messages look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LogFormat {
    /// `sidetail: message`.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Returns a line of text, whatever form our own messages have.
#[must_use]
pub(crate) fn plain_line(message: &str) -> String {
    format!("{PREFIX}{}\n", visible(message))
}

/// Returns a number of things, as in `1 line` and `2 lines`.
#[must_use]
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Returns the verb for a number of things: the first of the two for one of them.
#[must_use]
pub(crate) fn verb(number: u64, [of_one, of_several]: [&'static str; 2]) -> &'static str {
    if number == 1 { of_one } else { of_several }
}

/// Returns text that may hold file names on one line: what would break it is escaped.
#[must_use]
pub(crate) fn visible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if is_misleading(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// One message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(super) level: Level,
    pub(super) text: String,
    /// What kind of finding it is, if it is one; it is not shown.
    pub(super) kind: Option<String>,
    /// The file that it is about; the text names it too.
    pub(super) file: Option<String>,
    /// Whether it is logged each time, at once: it is never the same as an earlier one.
    pub(super) is_each: bool,
    /// How many of the same were held back before it.
    pub(super) held_back: u64,
}

impl Message {
    pub(super) fn new(level: Level, text: &str) -> Self {
        Self { level, text: text.to_owned(), kind: None, file: None, is_each: false, held_back: 0 }
    }

    /// Returns it in its form, with a newline.
    pub(super) fn line(&self, format: LogFormat) -> String {
        let Self { level, text, file, held_back, .. } = self;
        match format {
            LogFormat::Text => {
                let name = match *level {
                    Level::ERROR => "error: ",
                    Level::WARN => "",
                    Level::INFO => "info: ",
                    Level::DEBUG => "debug: ",
                    Level::TRACE => "trace: ",
                };
                let more = if *held_back > 0 { format!(" (and {held_back} more like this)") } else { String::new() };
                plain_line(&format!("{name}{text}{more}"))
            }
            LogFormat::Json => {
                let mut time = String::new();
                // A string takes everything, so it cannot fail.
                let _ = SystemTime.format_time(&mut Writer::new(&mut time));
                let level = level.as_str().to_ascii_lowercase();
                let mut object = serde_json::json!({
                    "time": time, "level": level, "message": text, "logger": "sidetail"
                });
                if let Some(file) = file {
                    object["file"] = file.as_str().into();
                }
                if *held_back > 0 {
                    object["held_back"] = (*held_back).into();
                }
                escaped_json(&format!("{object}\n"))
            }
        }
    }
}

impl Visit for Message {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "kind" => self.kind = Some(value.to_owned()),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.text = format!("{value:?}"),
            "file" => self.file = Some(format!("{value:?}")),
            "each" => self.is_each = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_singular() {
        let all = [0, 1, 2].map(|number| format!("{} {}", counted(number, "byte"), verb(number, ["was", "were"])));
        assert_eq!(all, ["0 bytes were", "1 byte was", "2 bytes were"]);
    }

    #[test]
    fn a_message_stays_on_one_line() {
        assert_eq!(plain_line("cannot open /a\nb\x1b[1m"), "sidetail: cannot open /a\\nb\\u{1b}[1m\n");
        assert_eq!(plain_line("/a\u{9b}\u{2028}\u{202e}gol.b"), "sidetail: /a\\u{9b}\\u{2028}\\u{202e}gol.b\n");
    }
}
