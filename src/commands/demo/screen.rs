//! What is seen of the demo: one line at a time on stdout, in colour on a terminal, cut to its width; plain text otherwise.
//!
//! Nothing is written that nobody accepts: while a reader stalls, a signal still ends the demo.

use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::tcgetwinsize;

use crate::config::is_colourless;
use crate::sys::signals::Termination;

/// Text is wrapped here, also on a wider terminal.
const TEXT_COLUMNS: usize = 80;

/// A terminal that says to be narrower is not believed.
const COLUMNS_MIN: usize = 20;

/// How wide it is who speaks, and the sign behind.
const LABEL_COLUMNS: usize = 11;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// The heading of a scene.
    Title,
    /// The narrator.
    Text,
    /// A result as it should be.
    Good,
    /// A result as it should not be.
    Bad,
    /// The application.
    Application,
    /// sidetail's own messages.
    Message,
    /// A line that came on stdout.
    Stdout,
    /// A line that came on stderr.
    Stderr,
}

/// Why the story does not go on.
#[derive(Debug)]
pub(super) enum Curtain {
    /// A signal came.
    Signal,
    /// Nothing can be shown any more.
    Unseen(io::Error),
    /// Something does not work, with the way out.
    Failed(String),
}

/// Stdout, and the signals that end it.
#[derive(Debug)]
pub(super) struct Screen {
    termination: Termination,
    is_terminal: bool,
    is_coloured: bool,
}

impl Screen {
    /// Puts the signal handlers in place.
    ///
    /// # Errors
    /// Those of [`Termination::install_at_terminal`].
    pub(super) fn open() -> io::Result<Self> {
        let is_terminal = io::stdout().is_terminal();
        Ok(Self {
            termination: Termination::install_at_terminal()?,
            is_terminal,
            is_coloured: is_terminal && !is_colourless(),
        })
    }

    /// Returns what is readable when the demo is to end.
    pub(super) fn signals(&self) -> BorrowedFd<'_> {
        self.termination.as_fd()
    }

    /// Shows a line, or of the narrator's text as many as it takes.
    ///
    /// # Errors
    /// [`Curtain::Unseen`].
    pub(super) fn say(&self, voice: Voice, text: &str) -> Result<(), Curtain> {
        let columns = self.is_terminal.then(columns);
        let mut shown = String::new();
        for line in lines(voice, text, columns) {
            match colour(voice).filter(|_| self.is_coloured) {
                Some(colour) => shown.extend(["\x1b[", colour, "m", &line, "\x1b[0m\n"]),
                None => shown.extend([&line, "\n"]),
            }
        }
        self.show(shown.as_bytes()).map_err(Curtain::Unseen)
    }

    fn show(&self, bytes: &[u8]) -> io::Result<()> {
        let stdout = io::stdout();
        let mut both = [PollFd::new(&stdout, PollFlags::OUT), PollFd::new(&self.termination, PollFlags::IN)];
        while let Err(why) = poll(&mut both, None) {
            if why != Errno::INTR {
                return Err(why.into());
            }
        }
        if both[0].revents().is_empty() {
            // A signal came, and whoever stalls stdout is not there for the summary either.
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        stdout.lock().write_all(bytes)
    }
}

/// Returns how wide the terminal is now.
fn columns() -> usize {
    let width = tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    if width == 0 { TEXT_COLUMNS } else { width.max(COLUMNS_MIN) }
}

/// Returns the lines that show this text; `columns` is the width of a terminal.
fn lines(voice: Voice, text: &str, columns: Option<usize>) -> Vec<String> {
    let label = match voice {
        Voice::Title => {
            return wrapped(&format!("== {text} =="), columns.map_or(TEXT_COLUMNS, |own| own.min(TEXT_COLUMNS)));
        }
        Voice::Text | Voice::Good | Voice::Bad => {
            return wrapped(text, columns.map_or(TEXT_COLUMNS, |own| own.min(TEXT_COLUMNS)));
        }
        Voice::Application => "app",
        Voice::Message => "sidetail",
        Voice::Stdout => "stdout",
        Voice::Stderr => "stderr",
    };
    let line = format!("{label:<8} | {}", text.trim_end_matches('\n').replace('\t', "    "));
    vec![match columns {
        Some(columns) => cut(line, columns),
        None => line,
    }]
}

/// Returns a line without its middle if it is longer than so many columns: what tells a log's lines apart is at their ends.
fn cut(line: String, columns: usize) -> String {
    let characters = line.chars().count();
    if characters <= columns {
        return line;
    }
    let kept = columns - 3;
    let head = (kept * 2 / 3).max(LABEL_COLUMNS);
    let tail = line.chars().skip(characters - (kept - head));
    line.chars().take(head).chain("...".chars()).chain(tail).collect()
}

/// Returns the colour of a voice, ECMA-48. Most lines have none, and none is yellow: that cannot be read on white.
fn colour(voice: Voice) -> Option<&'static str> {
    match voice {
        Voice::Title => Some("1"),
        Voice::Text | Voice::Stdout => None,
        Voice::Good => Some("1;32"),
        Voice::Bad => Some("1;31"),
        Voice::Application => Some("36"),
        Voice::Message => Some("35"),
        Voice::Stderr => Some("31"),
    }
}

/// Returns the words on lines of at most so many columns; a longer word has a line of its own. Spaces at the beginning and between
/// words stay.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let width = lines.last().map_or(0, |line| line.chars().count());
        if width > 0 && width + word.trim_end().chars().count() > columns {
            lines.push(String::new());
        }
        lines.last_mut().into_iter().for_each(|line| line.push_str(word));
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks how a text is shown on a terminal of this width.
    fn check(voice: Voice, text: &str, columns: Option<usize>, expected: &[&str]) {
        assert_eq!(lines(voice, text, columns), expected, "{voice:?} {text:?} in {columns:?}");
    }

    #[test]
    fn lines_are_cut_to_the_width_of_a_terminal_and_text_is_wrapped() {
        let line = "0123456789".repeat(12);
        check(Voice::Stdout, &format!("{line}\n"), None, &[&format!("stdout   | {line}")]);
        check(Voice::Stdout, &line, Some(40), &[&format!("stdout   | {}...{}", &line[..13], &line[107..])]);
        check(Voice::Stderr, "\tat a.b\n", Some(22), &["stderr   |     at a.b"]);
        check(Voice::Stderr, "\tat a.bcd\n", Some(22), &["stderr   |  ...t a.bcd"]);
        check(Voice::Stdout, &line, Some(20), &["stdout   | ...456789"]);
        check(Voice::Message, "\u{e4}\u{e4}\u{e4}", Some(14), &["sidetail | \u{e4}\u{e4}\u{e4}"]);
        check(Voice::Text, "one two three", Some(8), &["one two", "three"]);
        check(Voice::Title, "a title", Some(40), &["== a title =="]);
        check(Voice::Text, "/a/long/word and more", Some(8), &["/a/long/word", "and more"]);
        check(Voice::Text, "lost        0", None, &["lost        0"]);
        check(Voice::Text, "", Some(8), &[""]);
    }
}
