//! What `classify` could not read: lines without a level, counted by their shape, and the format of one's own that would read
//! them.
//!
//! A shape is the front of a line with every digit as `0` and every word as `a` or `A`. Memory is bounded: past
//! [`SHAPES_MAX`] shapes others are counted together.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many shapes are distinguished.
const SHAPES_MAX: usize = 256;

/// How many shapes are shown.
const SHOWN_MAX: usize = 5;

/// How many words of a line are looked at.
const WORDS_MAX: usize = 6;

/// How much of a line is looked at and shown, in bytes.
const LINE_BYTES_MAX: usize = 120;

/// How many different words a column may have that is taken for the level's.
const VALUES_MAX: usize = 8;

/// Lines without a level.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    shapes: BTreeMap<String, Like>,
    lines: u64,
}

/// Lines of one shape.
#[derive(Debug)]
struct Like {
    lines: u64,
    /// The first of them.
    example: String,
    /// Which words each column had; one that had too many has none.
    values: Vec<Vec<String>>,
}

impl Shapes {
    /// Counts a line.
    pub(super) fn count(&mut self, line: &[u8]) {
        self.lines += 1;
        let text = String::from_utf8_lossy(&line[..line.len().min(LINE_BYTES_MAX)]);
        let text: String = text.chars().map(|one| if one.is_control() && one != '\t' { '?' } else { one }).collect();
        let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX).collect();
        let shape = words.iter().map(|word| shape(word)).collect::<Vec<_>>().join(" ");
        if self.shapes.len() >= SHAPES_MAX && !self.shapes.contains_key(&shape) {
            return;
        }
        let values = vec![Vec::new(); words.len()];
        let like = self.shapes.entry(shape).or_insert_with(|| Like { lines: 0, example: text.clone(), values });
        like.lines += 1;
        for (values, word) in like.values.iter_mut().zip(&words) {
            if values.len() <= VALUES_MAX && !values.iter().any(|known| known == word) {
                values.push((*word).to_owned());
            }
        }
    }

    /// Returns what to say of them at the end; nothing if there are none.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if self.lines == 0 {
            return text;
        }
        let mut all: Vec<&Like> = self.shapes.values().collect();
        all.sort_unstable_by(|one, other| other.lines.cmp(&one.lines).then_with(|| one.example.cmp(&other.example)));
        let _ = writeln!(text, "no level found in lines like these:");
        for like in all.iter().take(SHOWN_MAX) {
            let _ = writeln!(text, "  {} x {}", like.lines, like.example);
            if let Some(expression) = like.expression() {
                let _ = writeln!(text, "      to read them: SIDETAIL_FORMAT_APP='{expression}'");
            }
        }
        let shown: u64 = all.iter().take(SHOWN_MAX).map(|like| like.lines).sum();
        if shown < self.lines {
            let _ = writeln!(text, "  {} x other lines", self.lines - shown);
        }
        text
    }
}

impl Like {
    /// Returns the expression of a format that reads these lines: with the level in the first column of words that have few
    /// values, more than one of which was met. `None` if there is no such column.
    fn expression(&self) -> Option<String> {
        let words: Vec<&str> = self.example.split_whitespace().take(self.values.len()).collect();
        let level = self.values.iter().position(|values| {
            let are_words =
                values.iter().all(|word| core(word).2.chars().all(char::is_alphabetic) && !core(word).2.is_empty());
            (2..=VALUES_MAX).contains(&values.len()) && are_words
        })?;
        let mut expression = String::from("^");
        if level > 0 {
            let is_time = words[0].contains(|one: char| one.is_ascii_digit());
            expression += if is_time { r"(?<time>\S+" } else { r"\S+" };
            // A time of two words begins with a date.
            let is_long = is_time && level > 1 && words[1].contains(':') && !words[0].contains(':');
            expression += if is_long {
                r"\s+\S+)"
            } else if is_time {
                ")"
            } else {
                ""
            };
            for _ in words.iter().take(level).skip(if is_long { 2 } else { 1 }) {
                expression += r"\s+\S+";
            }
            expression += r"\s+";
        }
        let (before, behind, _) = core(words[level]);
        let _ = write!(expression, "{}(?<level>[A-Za-z]+){}", escaped(before), escaped(behind));
        Some(expression + r"\s+(?<message>.*)")
    }
}

/// Returns what stands before and behind the letters and digits of a word, and these.
fn core(word: &str) -> (&str, &str, &str) {
    let inside = word.trim_matches(|one: char| !one.is_alphanumeric());
    let start = word.find(inside).unwrap_or(0);
    (&word[..start], &word[start + inside.len()..], inside)
}

fn escaped(text: &str) -> String {
    text.chars().flat_map(|one| (!one.is_alphanumeric()).then_some('\\').into_iter().chain([one])).collect()
}

/// Returns a word's shape.
fn shape(word: &str) -> String {
    let mut shape = String::new();
    for one in word.chars() {
        let class = match one {
            _ if one.is_ascii_digit() => '0',
            _ if one.is_alphabetic() => 'a',
            other => other,
        };
        if !(matches!(class, '0' | 'a') && shape.ends_with(class)) {
            shape.push(class);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Level, OwnFormat};

    #[test]
    fn the_most_frequent_shape_comes_first_with_what_reads_it() {
        let mut shapes = Shapes::default();
        shapes.count(b"hello");
        for line in ["2026-01-05 10:00:00 w1 {{Fatal}} no disk", "2026-01-05 10:00:01 w2 {{Info}} all is well"] {
            shapes.count(line.as_bytes());
        }
        let expression = r"^(?<time>\S+\s+\S+)\s+\S+\s+\{\{(?<level>[A-Za-z]+)\}\}\s+(?<message>.*)";
        let expected = format!(
            "no level found in lines like these:\n  2 x 2026-01-05 10:00:00 w1 {{{{Fatal}}}} no disk\n      to read them: \
             SIDETAIL_FORMAT_APP='{expression}'\n  1 x hello\n"
        );
        assert_eq!(shapes.text(), expected);
        let format = OwnFormat::parse("app", expression).expect("valid");
        let head = format.read(b"2026-01-05 10:00:00 w1 {{Fatal}} no disk").expect("it matches");
        assert_eq!((head.level, head.message), (Some(Level::Fatal), 33));
    }

    #[test]
    fn memory_is_bounded_and_nothing_is_left_uncounted() {
        let mut shapes = Shapes::default();
        for number in 0..10 * SHAPES_MAX {
            shapes.count(format!("{}\x1b[31m\u{e9}", "-".repeat(number % 100) + &"+".repeat(number / 100)).as_bytes());
        }
        assert!(shapes.shapes.len() <= SHAPES_MAX);
        let text = shapes.text();
        assert!(text.ends_with(&format!("  {} x other lines\n", 10 * SHAPES_MAX - SHOWN_MAX)), "{text}");
        assert!(!text.contains('\x1b'));
        assert_eq!(Shapes::default().text(), "");
    }
}
