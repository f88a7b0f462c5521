//! What `classify` could not read: lines without a level, counted by their shape, and the format of one's own that would read
//! them.
//!
//! Lines that have a word of a level at the same place are of one shape, whatever stands around it. The shape of any other is its
//! front with every digit as `0` and every word as `a`. Memory is bounded: past [`SHAPES_MAX`] shapes others are counted together.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::format::Level;

/// How many shapes are distinguished.
const SHAPES_MAX: usize = 256;

/// How many shapes are shown.
const SHOWN_MAX: usize = 5;

/// How many words of a line are its shape.
const WORDS_MAX: usize = 6;

/// Among how many words a level's is looked for.
const WORDS_TO_LEVEL_MAX: usize = 16;

/// How much of a line is looked at and shown, in bytes.
const LINE_BYTES_MAX: usize = 200;

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
    /// Where a level's word stands in all of them.
    place: Option<Place>,
}

/// Where a level's word stands in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// How many words stand before it.
    index: usize,
    /// In which bytes of its own word it stands.
    start: usize,
    end: usize,
}

impl Shapes {
    /// Counts a line.
    pub(super) fn count(&mut self, line: &[u8]) {
        self.lines += 1;
        let text = String::from_utf8_lossy(&line[..line.len().min(LINE_BYTES_MAX)]);
        let text: String = text.chars().map(|one| if one.is_control() && one != '\t' { '?' } else { one }).collect();
        let all: Vec<&str> = text.split_whitespace().take(WORDS_TO_LEVEL_MAX).collect();
        let place = Place::in_words(&all);
        let words = &all[..all.len().min(WORDS_MAX)];
        let shape = match &place {
            Some(place) => place.shape(&all),
            None => words.iter().map(|word| shape(word)).collect::<Vec<_>>().join(" "),
        };
        if self.shapes.len() >= SHAPES_MAX && !self.shapes.contains_key(&shape) {
            return;
        }
        // Only the level's word counts where there is one.
        let columns: Vec<&str> = match &place {
            Some(place) => vec![place.word(&all)],
            None => words.to_vec(),
        };
        let values = vec![Vec::new(); columns.len()];
        let like = self.shapes.entry(shape).or_insert_with(|| Like { lines: 0, example: text.clone(), values, place });
        like.lines += 1;
        for (values, word) in like.values.iter_mut().zip(&columns) {
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

impl Place {
    /// Finds the first word of a level that stands where a header may have it: behind something that is no word of letters, or
    /// with a sign at it.
    fn in_words(words: &[&str]) -> Option<Self> {
        let mut is_headed = false;
        for (index, word) in words.iter().enumerate() {
            let mut start = 0;
            for part in word.split(|one: char| !one.is_ascii_alphabetic()) {
                let end = start + part.len();
                let is_marked = is_headed || start > 0 || end < word.len();
                if part.len() > 2 && is_marked && Level::from_word(part.as_bytes()).is_some() {
                    return Some(Self { index, start, end });
                }
                // What parts it is one byte, or more of one character.
                start = end + word[end..].chars().next().map_or(0, char::len_utf8);
            }
            is_headed |= word.chars().any(|one| !one.is_alphabetic());
        }
        None
    }

    fn word<'a>(&self, words: &[&'a str]) -> &'a str {
        &words[self.index][self.start..self.end]
    }

    /// Returns what lines have in common whose level stands here.
    fn shape(&self, words: &[&str]) -> String {
        let word = words[self.index];
        let behind = word[self.end..].chars().next().unwrap_or(' ');
        format!("{} {}*{behind}", self.index, shape(&word[..self.start]))
    }

    /// Returns the expression that reads lines like this one.
    fn expression(&self, words: &[&str]) -> String {
        let word = words[self.index];
        let behind = &word[self.end..];
        let mut expression = before_word(&words[..self.index]);
        for part in word[..self.start].split_inclusive(|one: char| !one.is_alphanumeric()) {
            let (letters, sign) = match part.char_indices().next_back() {
                Some((at, sign)) if !sign.is_alphanumeric() => (&part[..at], &part[at..]),
                _ => (part, ""),
            };
            expression += if letters.is_empty() { "" } else { r"\w+" };
            expression += &escaped(sign);
        }
        expression += "(?<level>[A-Za-z]+)";
        // What is joined to the level's word may be part of the message, and there may be none.
        let blanks = if self.index + 1 < words.len() { r"\s+" } else { r"\s*" };
        expression += &match behind.chars().next() {
            Some(sign) if behind.chars().any(char::is_alphanumeric) => escaped(&sign.to_string()),
            _ => escaped(behind) + blanks,
        };
        expression + "(?<message>.*)"
    }
}

impl Like {
    /// Returns the expression of a format that reads these lines: with the level where more than one word of a level was met, or
    /// in the first column of words that have few values, more than one of which was met. `None` if there is no such place.
    fn expression(&self) -> Option<String> {
        if let Some(place) = &self.place {
            let words: Vec<&str> = self.example.split_whitespace().collect();
            return (self.values[0].len() > 1).then(|| place.expression(&words));
        }
        let words: Vec<&str> = self.example.split_whitespace().take(self.values.len()).collect();
        let level = self.values.iter().position(|values| {
            let are_words =
                values.iter().all(|word| core(word).2.chars().all(char::is_alphabetic) && !core(word).2.is_empty());
            (2..=VALUES_MAX).contains(&values.len()) && are_words
        })?;
        let (before, behind, _) = core(words[level]);
        let mut expression = before_word(&words[..level]);
        let _ = write!(expression, "{}(?<level>[A-Za-z]+){}", escaped(before), escaped(behind));
        Some(expression + r"\s+(?<message>.*)")
    }
}

/// Returns the expression of words and of the blanks behind them, the first of which may be a time.
fn before_word(words: &[&str]) -> String {
    let mut expression = String::from("^");
    let Some(first) = words.first() else { return expression };
    let has_digit = |word: &str| word.contains(|one: char| one.is_ascii_digit());
    // A time of two words begins with a date.
    let is_long = has_digit(first) && words.get(1).is_some_and(|word| word.contains(':')) && !first.contains(':');
    let last = if is_long { words[1] } else { first };
    let is_bracketed = first.starts_with('[') && last.ends_with(']');
    expression += match (has_digit(first), is_long, is_bracketed) {
        (false, ..) => r"\S+",
        (true, false, false) => r"(?<time>\S+)",
        (true, true, false) => r"(?<time>\S+\s+\S+)",
        (true, _, true) => r"\[(?<time>[^\]]+)\]",
    };
    let rest = words.len() - if is_long { 2 } else { 1 };
    match rest {
        0..=3 => expression += &r"\s+\S+".repeat(rest),
        _ => {
            let _ = write!(expression, r"(?:\s+\S+){{{rest}}}");
        }
    }
    expression + r"\s+"
}

/// Returns what stands before and behind the letters and digits of a word, and these.
fn core(word: &str) -> (&str, &str, &str) {
    let inside = word.trim_matches(|one: char| !one.is_alphanumeric());
    let start = word.find(inside).unwrap_or(0);
    (&word[..start], &word[start + inside.len()..], inside)
}

/// Returns text as it stands in an expression; `\<` would be the front of a word there.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|one| r"\.+*?()|[]{}^$".contains(one).then_some('\\').into_iter().chain([one])).collect()
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
    fn lines_with_a_level_at_the_same_place_are_of_one_shape_and_read_by_what_is_said() {
        let lines = [
            "2026-01-05 10:00:00.1/12.3 Cache GE 14.1 <Error> (thread=main): no disk",
            "[2026-01-05 10:00:00] Process: w3wp |Thread: 1 |User: 0 |Level: Error | no disk",
            "#2.0#2026-01-05 10:00:00:123#+0000#Error#com.example.App#no disk",
            "app c1 host Error conf - conf.c:main:12 - no disk",
            "{state:1} {kind:Error}",
        ];
        for line in lines {
            let mut shapes = Shapes::default();
            let others = ["Info", "Warning"].map(|word| line.replace("Error", word).replace("no disk", "a b c d e"));
            for line in [line].into_iter().chain(others.iter().map(String::as_str)) {
                shapes.count(line.as_bytes());
            }
            let text = shapes.text();
            assert_eq!(text.matches(" x ").count(), 1, "{text}");
            let expression = text.split('\'').nth(1).unwrap_or_else(|| panic!("nothing reads {line:?}: {text}"));
            let format = OwnFormat::parse("app", expression).expect("valid");
            for (line, level) in [(line, Level::Error), (&others[0], Level::Info), (&others[1], Level::Warn)] {
                let head = format.read(line.as_bytes()).unwrap_or_else(|| panic!("{expression} is not of {line:?}"));
                assert_eq!(head.level, Some(level), "{line}: {expression}");
            }
        }
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
