//! Which formats a line may be of that begins with a date and a time of day as most do, `2026-01-05 10:00:00`: by the shape of
//! the date, and by what stands behind it.
//!
//! Such lines are asked of many formats, each of which would read the same date. This leaves out those that could not claim the
//! line, and no other: what a format wants here is what its reader wants, or less.

use crate::format::catalog::FORMATS;
use crate::format::scan::Scan;

/// What must be so of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Any,
    /// `2026-01-05`
    Dashed,
    /// `2026/01/05`
    Slashed,
    /// A `T` before the time of day.
    Iso,
    /// Slashes, or a `T`.
    SlashedOrIso,
    /// No line of the format begins so.
    None,
}

/// What a format wants: the shape of the date, and the first byte behind date, blanks and tabs; `0` stands for any digit,
/// nothing for any byte. Of formats that are not here nothing is known.
const WANTED: &[(&str, Shape, &[u8])] = &[
    ("cri", Shape::Iso, b"s"),
    ("haproxy", Shape::Iso, b""),
    ("rfc3164", Shape::Iso, b""),
    ("nginx", Shape::Slashed, b"["),
    ("mysql", Shape::Any, b"0["),
    ("redis", Shape::None, b""),
    ("mongodb", Shape::Iso, b"FEWID"),
    ("rabbitmq", Shape::Any, b"["),
    ("rails", Shape::Iso, b""),
    ("logcat", Shape::Dashed, b"0AVDIWEF"),
    ("dotnet", Shape::Dashed, b"|[tdiwfc"),
    ("tracing", Shape::Iso, b""),
    ("go", Shape::SlashedOrIso, b""),
    ("jul", Shape::Any, b"[SCF"),
    ("python", Shape::Any, b"|[-"),
    ("log4j", Shape::Dashed, b""),
];

/// The format that wants something else behind a comma: `2026-01-05 10:00:00,123`.
static PYTHON: u64 = bit("python");

/// The formats of whose capitals no other letter may stand behind: a bit each.
static LETTERS: u64 = bit("mongodb") | bit("logcat");

/// The formats that a date may be of, with dashes or slashes, without a `T` or with it: a bit each.
static SHAPES: [[u64; 2]; 2] =
    [[of_shape(false, false), of_shape(false, true)], [of_shape(true, false), of_shape(true, true)]];

/// For each ASCII byte behind the date the formats that it leaves out: a bit each.
static LEFT_OUT: [u32; 128] = left_out();

const fn bit(name: &str) -> u64 {
    let mut index = 0;
    while !is_same(FORMATS[index].name.as_bytes(), name.as_bytes()) {
        index += 1;
    }
    1 << index
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

const fn of_shape(is_slashed: bool, is_iso: bool) -> u64 {
    let (mut formats, mut index) = (u64::MAX, 0);
    while index < WANTED.len() {
        let (name, shape, _) = WANTED[index];
        let is_possible = match shape {
            Shape::Any => true,
            Shape::Dashed => !is_slashed,
            Shape::Slashed => is_slashed,
            Shape::Iso => is_iso,
            Shape::SlashedOrIso => is_slashed || is_iso,
            Shape::None => false,
        };
        if !is_possible {
            formats &= !bit(name);
        }
        index += 1;
    }
    formats
}

#[allow(clippy::cast_possible_truncation, reason = "the formats are not so many, and a byte of ASCII is one")]
const fn left_out() -> [u32; 128] {
    assert!(FORMATS.len() <= u32::BITS as usize, "a bit for each format");
    let mut left_out = [0; 128];
    let mut index = 0;
    while index < WANTED.len() {
        let (name, _, wanted) = WANTED[index];
        let format = bit(name);
        let mut byte = 0;
        // Colours may stand before what is wanted.
        while byte < left_out.len() && !wanted.is_empty() {
            if byte != 0x1b && !has(wanted, byte as u8) {
                left_out[byte] |= format as u32;
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

/// Returns the formats that a line may be of: a bit each. A line that does not begin with such a date may be of any.
pub(super) fn candidates(line: &[u8]) -> u64 {
    let mut scan = Scan::new(line);
    if !scan.usual_date_time() {
        return u64::MAX;
    }
    let shape = SHAPES[usize::from(line[4] == b'/')][usize::from(line[10] == b'T')];
    scan.spaces();
    let next = scan.peek();
    let is_word = next.is_ascii_uppercase() && scan.rest().get(1).is_some_and(u8::is_ascii_alphabetic);
    let left_out = LEFT_OUT[usize::from(if next.is_ascii() { next } else { 0 })];
    let formats = shape & !u64::from(left_out);
    let formats = if is_word { formats & !LETTERS } else { formats };
    if line.get(19) == Some(&b',') { formats | PYTHON } else { formats }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::catalog::Reader;

    /// What such lines are made of.
    const DATES: &[&str] =
        &["2026-01-05 10:00:00", "2026-01-05T10:00:00", "2026/01/05 10:00:00", "2026/01/05T10:00:00"];
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
        " - - [05/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 503 1",
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
        let mut claimed = 0;
        for line in lines() {
            let possible = candidates(line.as_bytes());
            for (index, format) in FORMATS[..FORMATS.len() - 1].iter().enumerate() {
                let is_claimed = match format.read {
                    Reader::Line(read) => read(line.as_bytes()).is_some(),
                    Reader::Wrapping(read) => read(line.as_bytes()).is_some(),
                };
                if is_claimed {
                    assert!(possible >> index & 1 == 1, "{} is not asked of {line:?}", format.name);
                    claimed |= 1 << index;
                }
            }
        }
        for (name, ..) in WANTED.iter().filter(|(_, shape, _)| *shape != Shape::None) {
            assert!(claimed & bit(name) != 0, "no line is of {name}");
        }
    }
}
