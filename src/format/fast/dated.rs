//! Which formats a line may be of that begins with a date and a time of day as most do, `2026-01-05 10:00:00`: by the shape of
//! the date, and by what stands behind it.
//!
//! Such lines are asked of many formats, each of which would read the same date. This leaves out those that could not claim the
//! line, and no other: what a format wants here is what its reader wants, or less.

use crate::format::block::Shape;
use crate::format::catalog::{FORMATS, FormatSet};
use crate::format::scan::Scan;

/// The formats that want something else behind a comma: `2026-01-05 10:00:00,123`.
static COMMA: FormatSet = marked(false);

/// The formats of whose capitals no other letter may stand behind.
static LETTERS: FormatSet = marked(true);

const fn marked(by_letter: bool) -> FormatSet {
    let (mut marked, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        let dated = &FORMATS[index].front.dated;
        if by_letter && dated.is_letter || !by_letter && dated.has_comma {
            marked = marked.add(index);
        }
        index += 1;
    }
    marked
}

/// The formats that a date may be of, with dashes or dots or slashes, without a `T` or with it.
static SHAPES: [[FormatSet; 2]; 2] =
    [[of_shape(false, false), of_shape(false, true)], [of_shape(true, false), of_shape(true, true)]];

/// For each ASCII byte behind the date the formats that it leaves out.
static LEFT_OUT: [FormatSet; 128] = left_out();

const fn of_shape(is_slashed: bool, is_iso: bool) -> FormatSet {
    let (mut formats, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        let is_possible = match FORMATS[index].front.dated.shape {
            Shape::Any => true,
            Shape::Dashed => !is_slashed,
            Shape::Slashed => is_slashed,
            Shape::Iso => is_iso,
            Shape::SlashedOrIso => is_slashed || is_iso,
            Shape::None => false,
        };
        if is_possible {
            formats = formats.add(index);
        }
        index += 1;
    }
    formats
}

const fn left_out() -> [FormatSet; 128] {
    let mut left_out = [FormatSet::NONE; 128];
    let mut index = 0;
    while index < FORMATS.len() {
        let wanted = FORMATS[index].front.dated.behind;
        let mut byte = 0;
        // Colours may stand before what is wanted.
        while byte < left_out.len() && !wanted.is_empty() {
            if byte != 0x1b && !has(wanted, byte as u8) {
                left_out[byte] = left_out[byte].add(index);
            }
            byte += 1;
        }
        index += 1;
    }
    left_out
}

const fn has(wanted: &[u8], byte: u8) -> bool {
    let mut index = 0;
    while index < wanted.len() {
        if wanted[index] == byte || wanted[index] == b'0' && byte.is_ascii_digit() {
            return true;
        }
        index += 1;
    }
    false
}

/// Returns the formats that a line may be of. A line that does not begin with such a date may be of any.
pub(super) fn candidates(line: &[u8]) -> FormatSet {
    let mut scan = Scan::new(line);
    if !scan.usual_date_time() {
        return FormatSet::ALL;
    }
    let shape = SHAPES[usize::from(line[4] == b'/')][usize::from(line[10] == b'T')];
    scan.spaces();
    let next = scan.peek();
    let is_word = next.is_ascii_uppercase() && scan.rest().get(1).is_some_and(u8::is_ascii_alphabetic);
    let formats = shape.without(LEFT_OUT[usize::from(if next.is_ascii() { next } else { 0 })]);
    let formats = if is_word { formats.without(LETTERS) } else { formats };
    if line.get(19) == Some(&b',') { formats.or(COMMA) } else { formats }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::block::Reader;

    /// What such lines are made of.
    const DATES: &[&str] = &[
        "2026-01-05 10:00:00",
        "2026-01-05T10:00:00",
        "2026/01/05 10:00:00",
        "2026/01/05T10:00:00",
        "2026.01.05 10:00:00",
        "2026.01.05T10:00:00",
    ];
    const FRACTIONS: &[&str] =
        &["", ",123", ".123", ".123456", "Z", ".123Z", "+01:00", ".123456+01:00", " +0100", " UTC"];
    const FIRST: &[&str] = &[
        " ",
        "  ",
        "\t",
        "",
        "|",
        " | ",
        ": ",
        " - ",
        " -",
        " [",
        " \x1b[31m",
        "\x1b[0m ",
        "\x1b[0m [",
        " stdout F ",
        " pid=1 tid=a ",
        " 1 TID-a ",
        " 12 ",
        " 1 2 ",
        " [main] ",
        " [12] ",
        " host app[1]: ",
        " haproxy[1]: ",
        " LOG3[12]: ",
        " (1) ",
        "#1 [",
    ];
    const LEVELS: &[&str] = &[
        "INFO",
        "ERROR",
        "WARN ",
        "WARNING",
        "SEVERE",
        "CONFIG",
        "FINE",
        "I",
        "E",
        "D1",
        "A/",
        "V/",
        "I(",
        "[INF]",
        "INF",
        "[error]",
        "[Note]",
        "[Warning]",
        "[INFO ]",
        "[SEVERE]",
        "info",
        "fail",
        "crit",
        "dbug",
        "trce",
        "warn",
        "LOG",
        "[info     ]",
        "",
    ];
    const RESTS: &[&str] = &[
        "",
        " x",
        ": x",
        ":  x",
        "] x",
        "Tag( 12): x",
        "Tag: x",
        "12): x",
        " com.example.Foo - x",
        " [main] x",
        " - x",
        "|Foo|x",
        " | a:b:1 - x",
        " 12#12: x",
        " [0] x",
        " <0.1.0> x",
        " my_crate: x",
        " app{x=1}: x",
        " NETWORK  [conn1] x",
        ": Foo.bar[1]",
        " 0 [Note] x",
        ",\"a\",\"b\",1,\"c\",d,1,\"e\",f,g,0,LOG,00000,",
        " - - [05/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 503 1",
        " host %ASA-3-106014: x",
        ": %SYS-5-CONFIG_I: x",
        ": BIP2230E: x",
        " 10 Trace BIP2230E: x",
        "|app|a1b2c3] x",
    ];

    /// Returns every third of all lines that there are of these pieces: every piece is behind every other.
    fn lines() -> impl Iterator<Item = String> {
        let counts = [RESTS, LEVELS, FIRST, FRACTIONS, DATES].map(<[&str]>::len);
        (0..counts.iter().product()).step_by(3).map(|number| {
            let mut left = number;
            let mut piece = |of: &[&'static str]| {
                let piece = of[left % of.len()];
                left /= of.len();
                piece
            };
            let (rest, level, first) = (piece(RESTS), piece(LEVELS), piece(FIRST));
            let (fraction, date) = (piece(FRACTIONS), piece(DATES));
            [date, fraction, first, level, rest].concat()
        })
    }

    #[test]
    fn no_format_that_claims_a_line_is_left_out() {
        let mut claimed = FormatSet::NONE;
        for line in lines() {
            let possible = candidates(line.as_bytes());
            for (index, format) in FORMATS.iter().enumerate() {
                let is_claimed = match format.read {
                    Reader::Line(read) => read(line.as_bytes()).is_some(),
                    Reader::Wrapping(read) => read(line.as_bytes()).is_some(),
                    Reader::General => false,
                };
                if is_claimed {
                    assert!(possible.has(index), "{} is not asked of {line:?}", format.name);
                    claimed = claimed.add(index);
                }
            }
        }
        for (index, format) in FORMATS.iter().enumerate() {
            let dated = &format.front.dated;
            let is_wanting = !dated.behind.is_empty() || !matches!(dated.shape, Shape::Any | Shape::None);
            assert!(!is_wanting || claimed.has(index), "no line is of {}", format.name);
        }
    }
}
