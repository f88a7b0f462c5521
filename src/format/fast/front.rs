//! Which formats a line may be of, by its first byte, and by what follows the letters or digits at its front.
//!
//! What is left out here would not claim the line: the front of every row of the table says what its reader wants, or less.

use super::dated;
use crate::format::catalog::{FORMATS, Format, Words};
use crate::format::dates;

/// For each first byte of a line the formats that it may be of but `plain`: a bit each, the first format's the lowest.
static CANDIDATES: [u64; 256] = by_first_byte();

/// The formats that want this behind a capitalised first word: a bit each.
const fn wanting(words: Words) -> u64 {
    let (mut wanting, mut index) = (0, 0);
    while index < FORMATS.len() {
        if FORMATS[index].words as u8 == words as u8 {
            wanting |= 1 << index;
        }
        index += 1;
    }
    wanting
}

static MONTH: u64 = wanting(Words::Month);
static DATED: u64 = wanting(Words::Dated);
static JOINED: u64 = wanting(Words::Joined);

/// The formats whose lines begin with a date or time if they begin with a digit: a bit each.
static TIMED: u64 = timed();

const fn timed() -> u64 {
    let (mut timed, mut index) = (0, 0);
    while index < FORMATS.len() {
        if has_first(&FORMATS[index], b't') {
            timed |= 1 << index;
        }
        index += 1;
    }
    timed
}

const fn by_first_byte() -> [u64; 256] {
    let mut candidates = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut index = 0;
        while index + 1 < FORMATS.len() {
            if may_begin_with(&FORMATS[index], byte as u8) {
                candidates[byte] |= 1 << index;
            }
            index += 1;
        }
        byte += 1;
    }
    candidates
}

/// Says whether a line may be of a format, by its first byte alone.
const fn may_begin_with(format: &Format, first: u8) -> bool {
    let is_class = match first {
        b'0'..=b'9' => has_first(format, b'0') || has_first(format, b't'),
        b'a'..=b'z' => has_first(format, b'a') || first != b'a' && first != b't' && has_first(format, first),
        b'A'..=b'Z' => has_first(format, b'A') || has_first(format, first),
        b'\x1b' => true,
        _ => has_first(format, first),
    };
    format.first.is_empty() || is_class
}

const fn has_first(format: &Format, class: u8) -> bool {
    let mut index = 0;
    while index < format.first.len() {
        if format.first[index] == class {
            return true;
        }
        index += 1;
    }
    false
}

/// Returns the formats but `plain` that a line may be of, by the looks of its front: a bit each.
pub(crate) fn candidates(line: &[u8]) -> u64 {
    let Some(first) = line.first() else { return 0 };
    let candidates = CANDIDATES[usize::from(*first)];
    match first {
        b'0'..=b'9' if !dates::may_be_time(line) => candidates & !TIMED,
        b'0'..=b'9' => candidates & dated::candidates(line),
        b'A'..=b'Z' => {
            let letters = line.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let rest = &line[letters..];
            let behind = rest.iter().find(|byte| **byte != b' ').copied().unwrap_or(0);
            if rest.first() != Some(&b' ') {
                candidates
            } else if letters == 3 {
                candidates & !JOINED
            } else if behind.is_ascii_digit() || matches!(behind, b'[' | b'\x1b') {
                candidates & !(JOINED | MONTH)
            } else {
                candidates & !(JOINED | MONTH | DATED)
            }
        }
        _ => candidates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_formats_are_left_out() {
        let check = |line: &str, expected: &[&str]| {
            let possible = candidates(line.as_bytes());
            let names = FORMATS.iter().enumerate().filter(|(index, _)| possible >> index & 1 == 1);
            assert_eq!(names.map(|(_, format)| format.name).collect::<Vec<_>>(), expected, "{line}");
        };
        check("2026-01-05 10:00:00,123 INFO  [main] c.e.App - x", &["access", "postgresql", "python", "log4j"]);
        check("2026-01-05 10:00:00.123 INFO  [main] c.e.App - x", &["access", "postgresql", "log4j"]);
        check(
            "2026/01/05 10:00:00 [error] 12#12: *1 x",
            &["access", "nginx", "postgresql", "mysql", "rabbitmq", "go", "jul", "python"],
        );
    }
}
