//! Which formats a line may be of, by its first byte, and by what follows the letters or digits at its front.
//!
//! What is left out here would not claim the line: the front of every row of the table says what its reader wants, or less.

use super::dated;
use crate::format::block::{Format, Words};
use crate::format::catalog::{FORMATS, FormatSet};
use crate::format::dates;
use crate::format::scan::Scan;

/// For each first byte of a line the formats that it may be of but `plain`.
static CANDIDATES: [FormatSet; 256] = by_first_byte();

/// The formats that want this behind a capitalised first word.
const fn wanting(words: Words) -> FormatSet {
    let (mut wanting, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        if FORMATS[index].front.words as u8 == words as u8 {
            wanting = wanting.add(index);
        }
        index += 1;
    }
    wanting
}

static MONTH: FormatSet = wanting(Words::Month);
static DATED: FormatSet = wanting(Words::Dated);
static JOINED: FormatSet = wanting(Words::Joined);

/// The formats whose lines begin with a date or time if they begin with a digit.
static TIMED: FormatSet = timed();

const fn timed() -> FormatSet {
    let (mut timed, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        if has_first(&FORMATS[index], b't') {
            timed = timed.add(index);
        }
        index += 1;
    }
    timed
}

/// The formats whose lines have a date or time in brackets if there is a digit.
static TIMED_IN_BRACKETS: FormatSet = {
    let (mut timed, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        if FORMATS[index].front.is_timed_in_brackets {
            timed = timed.add(index);
        }
        index += 1;
    }
    timed
};

const fn by_first_byte() -> [FormatSet; 256] {
    let mut candidates = [FormatSet::NONE; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut index = 0;
        while index + 1 < FORMATS.len() {
            if may_begin_with(&FORMATS[index], byte as u8) {
                candidates[byte] = candidates[byte].add(index);
            }
            index += 1;
        }
        byte += 1;
    }
    candidates
}

/// Returns whether a line may be of a format, by its first byte alone.
const fn may_begin_with(format: &Format, first: u8) -> bool {
    let is_class = match first {
        b'0'..=b'9' => has_first(format, b'0') || has_first(format, b't'),
        b'a'..=b'z' => has_first(format, b'a') || first != b'a' && first != b't' && has_first(format, first),
        b'A'..=b'Z' => has_first(format, b'A') || has_first(format, first),
        b'\x1b' => true,
        _ => has_first(format, first),
    };
    format.front.first.is_empty() || is_class
}

const fn has_first(format: &Format, class: u8) -> bool {
    let mut index = 0;
    while index < format.front.first.len() {
        if format.front.first[index] == class {
            return true;
        }
        index += 1;
    }
    false
}

/// Returns the formats but `plain` that a line may be of, by the looks of its front.
pub(crate) fn candidates(line: &[u8]) -> FormatSet {
    let Some(first) = line.first() else { return FormatSet::NONE };
    let candidates = CANDIDATES[usize::from(*first)];
    match first {
        b'0'..=b'9' if !dates::may_be_time(line) => candidates.without(TIMED),
        b'0'..=b'9' => candidates.and(dated::candidates(line)),
        b'[' if line.get(1).is_some_and(u8::is_ascii_digit) && !is_timed(&line[1..]) => {
            candidates.without(TIMED_IN_BRACKETS)
        }
        b'A'..=b'Z' => {
            let letters = line.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let rest = &line[letters..];
            let behind = rest.iter().find(|byte| **byte != b' ').copied().unwrap_or(0);
            if rest.first() != Some(&b' ') {
                candidates
            } else if letters == 3 {
                candidates.without(JOINED)
            } else if behind.is_ascii_digit() || matches!(behind, b'[' | b'\x1b') {
                candidates.without(JOINED.or(MONTH))
            } else {
                candidates.without(JOINED.or(MONTH).or(DATED))
            }
        }
        _ => candidates,
    }
}

/// Returns whether what stands behind a bracket may be a date or a time of day; the date may have a bracket of its own.
fn is_timed(text: &[u8]) -> bool {
    let mut scan = Scan::new(text);
    text.get(10..12) == Some(b"][") || dates::may_be_time(text) && (scan.date_time().is_some() || scan.clock())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::block::Reader;

    #[test]
    fn most_formats_are_left_out() {
        let check = |line: &str, expected: &[&str]| {
            let possible = candidates(line.as_bytes());
            let names = FORMATS.iter().enumerate().filter(|(index, _)| possible.has(*index));
            assert_eq!(names.map(|(_, format)| format.name).collect::<Vec<_>>(), expected, "{line}");
        };
        check(
            "2026-01-05 10:00:00,123 INFO  [main] c.e.App - x",
            &["access", "csvlog", "postgresql", "python", "log4j"],
        );
        check("2026-01-05 10:00:00.123 INFO  [main] c.e.App - x", &["access", "csvlog", "postgresql", "log4j"]);
        check(
            "2026/01/05 10:00:00 [error] 12#12: *1 x",
            &["access", "nginx", "postgresql", "mysql", "rabbitmq", "go", "jul", "python"],
        );
    }

    /// Whatever stands in the brackets, in front of what the formats have behind them.
    #[test]
    fn no_format_that_claims_a_line_in_brackets_is_left_out() {
        let times = [
            "2026-01-05 10:00:00",
            "2026-01-05T10:00:00.123456+00:00",
            "2026-01-05T10:00:00Z",
            "05-Jan-2026 10:00:00",
            "05-Jan-2026 10:00:00 UTC",
            "05/Jan/2026:10:00:00 +0000",
            "2026-01-05 10:00:00,123",
            "10:00:00",
            "10:00:00.123",
            "26/01/05 10:00:00",
            "5 Jan 2026 10:00:00",
            "01.05 10:00:00",
            "1767600000",
            "2026-01-05",
            "2026-01-05][10:00:00",
            "1767600000][10:00:00",
            "0123456789][10:00:00",
            "12",
            "1",
        ];
        let inside = ["", " INFO", " INFO  my_crate", " +0000", ": INFO/MainProcess", " ERR", " | INFO", " UTC"];
        let behind = [
            "",
            " x",
            " [12] [INFO] x",
            " app.INFO: x",
            " NOTICE: x",
            " PHP Warning:  x",
            " INFO x",
            " [INFO   ] x",
            " [SEVERE] x",
            " SEVERE x",
            "[INFO][my_crate] x",
            " {file.py:12} INFO - x",
            " INFO in app: x",
            " \"GET / HTTP/1.1\" 200 -",
            ": x",
            " INFO com.example.App - x",
            " 05 Jan 10:00:00.123 # x",
            " LOG:  x",
        ];
        let (mut claimed, count) = (FormatSet::NONE, inside.len());
        for number in 0..times.len() * inside.len() * behind.len() {
            let time = times[number % times.len()];
            let inside = inside[number / times.len() % inside.len()];
            let behind = behind[number / times.len() / count];
            let line = format!("[{time}{inside}]{behind}");
            let possible = candidates(line.as_bytes());
            for (index, format) in FORMATS.iter().enumerate() {
                let Reader::Line(read) = format.read else { continue };
                if read(line.as_bytes()).is_some() {
                    assert!(possible.has(index), "{} is not asked of {line:?}", format.name);
                    claimed = claimed.add(index);
                }
            }
        }
        for (index, format) in FORMATS.iter().enumerate() {
            assert!(!format.front.is_timed_in_brackets || claimed.has(index), "no line is of {}", format.name);
        }
    }
}
