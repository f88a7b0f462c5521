//! JSON as text: which bytes of a string stand for themselves, and whether a text is an object at all.
//!
//! No value is made and no escape undone, and however deep a text is nested, nothing calls itself.

/// How deep objects and arrays may be nested: parsers refuse more (serde_json, Go, .NET, Jackson: 64 to 10,000), and with it the
/// whole record.
const DEPTH_MAX: u32 = 128;

/// Returns whether the text is one valid JSON object, by RFC 8259 and as `serde_json` has it, and none that is nested deeper than
/// [`DEPTH_MAX`].
#[must_use]
pub(crate) fn is_json_object(text: &[u8]) -> bool {
    text.first() == Some(&b'{') && std::str::from_utf8(text).is_ok() && is_value(text)
}

/// Returns whether the text is one value of JSON.
fn is_value(text: &[u8]) -> bool {
    let mut text = Text { text, at: 0 };
    let mut open = Open::default();
    loop {
        let first = text.next();
        let is_object = first == b'{';
        if !matches!(first, b'{' | b'[') {
            if !text.scalar(first) {
                return false;
            }
        } else {
            if open.depth == DEPTH_MAX {
                return false;
            }
            open.push(is_object);
            // An opening bracket and its closing one are two bytes apart.
            if text.peek() != first + 2 {
                if is_object && !text.key() {
                    return false;
                }
                continue;
            }
        }
        loop {
            if open.depth == 0 {
                return text.is_end();
            }
            let is_object = open.is_object();
            match text.next() {
                b',' if is_object && !text.key() => return false,
                b',' => break,
                b'}' if is_object => open.pop(),
                b']' if !is_object => open.pop(),
                _ => return false,
            }
        }
    }
}

/// The objects and arrays that are open.
#[derive(Debug, Default)]
struct Open {
    depth: u32,
    /// A bit each, the innermost the lowest, 1 for an object.
    inner: u64,
    /// Those further out, 64 together: few texts are nested so deep.
    outer: Vec<u64>,
}

impl Open {
    fn push(&mut self, is_object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(u64::BITS) {
            self.outer.push(self.inner);
        }
        self.depth += 1;
        self.inner = self.inner << 1 | u64::from(is_object);
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.inner >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(u64::BITS) {
            self.inner = self.outer.pop().unwrap_or_default();
        }
    }

    fn is_object(&self) -> bool {
        self.inner & 1 == 1
    }
}

/// A place in a text.
struct Text<'a> {
    text: &'a [u8],
    at: usize,
}

impl Text<'_> {
    /// Returns the byte here; 0, which JSON has nowhere, at the end.
    fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Passes over blanks, and returns the byte behind them.
    fn peek(&mut self) -> u8 {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.byte()
    }

    /// Passes over blanks and the byte behind them, and returns that.
    fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn is_end(&mut self) -> bool {
        self.peek();
        self.at >= self.text.len()
    }

    /// Passes over a key and the colon behind it.
    fn key(&mut self) -> bool {
        self.next() == b'"' && self.string() && self.next() == b':'
    }

    /// Passes over the rest of a value that is neither object nor array.
    fn scalar(&mut self, first: u8) -> bool {
        match first {
            b'"' => self.string(),
            b'-' => {
                self.at += 1;
                self.number(self.text.get(self.at - 1).copied().unwrap_or(0))
            }
            b'0'..=b'9' => self.number(first),
            b't' => self.word(b"rue"),
            b'f' => self.word(b"alse"),
            b'n' => self.word(b"ull"),
            _ => false,
        }
    }

    fn word(&mut self, rest: &[u8]) -> bool {
        let is_there = self.text.get(self.at..).is_some_and(|text| text.starts_with(rest));
        self.at += rest.len();
        is_there
    }

    /// Passes over the rest of a number that begins with this digit.
    fn number(&mut self, first: u8) -> bool {
        let digits = self.digits();
        let is_whole = first.is_ascii_digit() && (first != b'0' || digits == 0);
        if self.byte() == b'.' {
            self.at += 1;
            if self.digits() == 0 {
                return false;
            }
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), b'+' | b'-'));
            return is_whole && self.digits() > 0;
        }
        is_whole
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }

    /// Passes over the rest of a string, its closing quote included.
    fn string(&mut self) -> bool {
        loop {
            self.at += plain_bytes(self.text.get(self.at..).unwrap_or_default());
            let byte = self.byte();
            self.at += 1;
            match byte {
                b'"' => return true,
                b'\\' if !self.escape() => return false,
                0..b' ' => return false,
                _ => {}
            }
        }
    }

    /// Passes over what stands behind a backslash.
    fn escape(&mut self) -> bool {
        let kind = self.byte();
        self.at += 1;
        if kind == b'u' {
            let digits = self.text.get(self.at..self.at + 4);
            self.at += 4;
            return digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        }
        matches!(kind, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
    }
}

/// Returns how many bytes at the front stand for themselves in a JSON string: ASCII, and neither a control character, nor a
/// quote, nor a backslash.
#[must_use]
pub(crate) fn plain_bytes(text: &[u8]) -> usize {
    let mut length = 0;
    loop {
        let rest = &text[length..];
        // Behind the end stand NULs, which are not plain.
        let word = match (rest.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(bytes), _) => u64::from_le_bytes(*bytes),
            (None, Some(last)) if !rest.is_empty() => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
            _ => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        let others = others(word);
        if others != 0 {
            return length + others.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
}

/// Returns which of eight bytes are not plain: the highest bit is set of the first that is not, and of no byte before it.
fn others(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // Only a byte that is not plain borrows from the next one, or carries into it.
    let equals = |byte: u64| (word ^ (ONES * byte)).wrapping_sub(ONES);
    let is_control = word.wrapping_sub(ONES * 0x20) | word.wrapping_add(ONES);
    (is_control | equals(0x22) | equals(0x5c) | word) & (ONES * 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IgnoredAny;

    #[test]
    fn bytes_that_stand_for_themselves_are_counted() {
        for byte in 0..=255_u8 {
            let is_plain = (b' '..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\');
            for at in 0..20 {
                let mut text = [b'~'; 20];
                text[at] = byte;
                for length in 0..text.len() {
                    let expected = if is_plain || at >= length { length } else { at };
                    assert_eq!(plain_bytes(&text[..length]), expected, "{byte} at {at} of {length}");
                }
            }
        }
    }

    /// Whether text that is JSON, or nearly, is valid is the same for `serde_json`.
    #[test]
    fn what_is_valid_is_what_a_whole_parser_takes() {
        const PIECES: &[&str] = &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\"a\"",
            "\"a\":",
            "\\",
            "\\u00e9",
            "\\u",
            "\\x",
            "\\n",
            "\"\"",
            " ",
            "\n",
            "\t",
            "0",
            "1",
            "01",
            "-",
            "-0",
            "1.5",
            ".",
            "1e",
            "E+2",
            "e9",
            "true",
            "tru",
            "false",
            "null",
            "nul",
            "\u{e9}",
            "\u{1}",
            "\u{7f}",
            "{\"a\":1}",
            "[1,2]",
            "{}",
            "[]",
        ];
        let mut seed = 88_172_645_463_325_252_u64;
        let mut below = |limit: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed >> 33).expect("31 bits") % limit
        };
        let mut counts = [0; 2];
        for round in 0..200_000 {
            let text: String = (0..=below(6)).map(|_| PIECES[below(PIECES.len())]).collect();
            let text = match round % 3 {
                0 => text,
                1 => format!("{{\"a\":{text}}}"),
                _ => format!("{{\"a\":[{text}],\"b\":\"{text}\"}}"),
            };
            let expected = text.starts_with('{') && serde_json::from_str::<IgnoredAny>(&text).is_ok();
            assert_eq!(is_json_object(text.as_bytes()), expected, "{text:?}");
            counts[usize::from(expected)] += 1;
        }
        assert!(counts.iter().all(|count| *count > 5_000), "{counts:?}");
        for depth in [1, 62, 63, 64, 65, 127, 128, 129, 1000] {
            // Objects and arrays by turns, so that each closing bracket is told from the other.
            let open: String = (0..depth).map(|at| if at % 3 == 0 { "[" } else { "{\"a\":" }).collect();
            let close: String = (0..depth).rev().map(|at| if at % 3 == 0 { ']' } else { '}' }).collect();
            let is_shallow = depth < 128;
            assert_eq!(is_json_object(format!("{{\"a\":{open}1{close}}}").as_bytes()), is_shallow, "{depth}");
            assert!(!is_json_object(format!("{{\"a\":{open}1{close}]").as_bytes()), "{depth}");
            assert!(!is_json_object(format!("{{\"a\":{open}1{close}").as_bytes()), "{depth}");
            let other = close.replacen(']', "}", 1);
            assert!(!is_json_object(format!("{{\"a\":{open}1{other}}}").as_bytes()), "{depth}");
        }
        assert!(!is_json_object(b"{\"a\":\"\xff\"}"));
    }
}
