//! The user's own formats, `FORMAT_<NAME>`: an expression with the named groups `time`, `level` and `message`.
//!
//! They stand in no table: a configuration has its own.

use crate::format::expression::{Expression, Mistake};
use crate::format::head::{Head, Span};
use crate::format::level::Level;
use crate::format::scan::Scan;

/// A format of the user's own. A line that the expression does not match continues the record before it.
#[derive(Debug)]
pub struct OwnFormat {
    /// Its name, in lower case.
    pub name: Box<str>,
    expression: Expression,
}

impl OwnFormat {
    /// Checks the expression of the format called `name`.
    ///
    /// # Errors
    /// When the expression is not valid, with the column of the mistake.
    pub fn parse(name: &str, expression: &str) -> Result<Self, Mistake> {
        Ok(Self { name: name.to_ascii_lowercase().into(), expression: Expression::parse(expression)? })
    }

    /// Returns the expression as it was written.
    #[must_use]
    pub(crate) fn expression(&self) -> &str {
        self.expression.text()
    }

    /// Reads a line; `None` if the expression does not match it.
    #[must_use]
    pub(crate) fn read(&self, line: &[u8]) -> Option<Head> {
        let groups = self.expression.regex()?.captures(line)?;
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let time = groups.name("time").map(|group| Span { start: offset(group.start()), end: offset(group.end()) });
        let message = groups.name("message").map(|group| offset(group.start()));
        let level = groups.name("level").and_then(|group| level(group.as_bytes()));
        Some(Head { level, time: time.unwrap_or_default(), message: message.unwrap_or(0), ..Head::default() })
    }
}

/// Returns the level of a group: a word, a letter, or a number of syslog.
fn level(text: &[u8]) -> Option<Level> {
    let mut scan = Scan::new(text);
    scan.blanks();
    match scan.rest() {
        [letter] if letter.is_ascii_digit() => Some(Level::from_syslog(u64::from(letter - b'0'))),
        [letter] => Level::from_letter(letter.to_ascii_uppercase()),
        _ => Level::from_word(scan.letters()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_groups_are_read() {
        let format = OwnFormat::parse("APP", r"^(?<time>\S+) <(?<level>\w+)> (?<message>.*)").expect("valid");
        let head = format.read(b"10:00 <warn> disk").expect("it matches");
        assert_eq!((head.level, head.message, head.time), (Some(Level::Warn), 13, Span { start: 0, end: 5 }));
        assert_eq!(format.read(b"10:00 <E> disk").and_then(|head| head.level), Some(Level::Error));
        assert_eq!(format.read(b"10:00 <3> disk").and_then(|head| head.level), Some(Level::Error));
        assert_eq!(format.read(b"10:00 <odd> disk").map(|head| head.level), Some(None));
        assert_eq!(format.read(b"else"), None);
        assert_eq!(&*format.name, "app");
    }
}
