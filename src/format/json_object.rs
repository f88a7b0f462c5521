//! The members of a JSON object, one by one, without taking their values apart.
//!
//! What is not valid JSON is read as far as it is; no escape is undone.

/// A member's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonValue<'a> {
    /// A string, without its quotes, its escapes as they are.
    Text(&'a [u8]),
    /// An object, without its opening brace.
    Object(&'a [u8]),
    /// A number, a literal or an array.
    Other(&'a [u8]),
}

/// The members of an object, one by one; it ends at the closing brace, or where the text stops being JSON.
#[derive(Debug)]
pub(super) struct Members<'a> {
    text: &'a [u8],
    /// Where it stands.
    at: usize,
}

impl<'a> Members<'a> {
    /// Begins behind the opening brace.
    pub(super) fn new(inside: &'a [u8]) -> Self {
        Self { text: inside, at: 0 }
    }

    /// Returns where it stands, as an offset from the front of the text.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn skip_blanks(&mut self) {
        while self.text.get(self.at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Passes over a string, and returns what is between its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        let start = self.at + 1;
        self.at = string_end(self.text, start)?;
        Some(&self.text[start..self.at - 1])
    }

    fn value(&mut self) -> Option<JsonValue<'a>> {
        let start = self.at;
        match self.text.get(start)? {
            b'"' => self.string().map(JsonValue::Text),
            b'{' => {
                self.at = nested_end(self.text, start)?;
                Some(JsonValue::Object(&self.text[start + 1..self.at]))
            }
            b'[' => {
                self.at = nested_end(self.text, start)?;
                Some(JsonValue::Other(&self.text[start..self.at]))
            }
            _ => {
                let rest = &self.text[start..];
                let length = rest
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n' | b']'))
                    .unwrap_or(rest.len());
                self.at += length;
                (length > 0).then_some(JsonValue::Other(&rest[..length]))
            }
        }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], JsonValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blanks();
        if self.text.get(self.at) == Some(&b',') {
            self.at += 1;
            self.skip_blanks();
        }
        if self.text.get(self.at) != Some(&b'"') {
            return None;
        }
        let key = self.string()?;
        self.skip_blanks();
        if self.text.get(self.at) != Some(&b':') {
            return None;
        }
        self.at += 1;
        self.skip_blanks();
        Some((key, self.value()?))
    }
}

/// Returns the offset behind the quote that ends a string whose first byte is at `at`.
pub(super) fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    let mut near = at + NEAR_BYTES;
    loop {
        let rest = text.get(at..)?;
        // Keys and most values are short: a call for each would cost more than the bytes.
        at += match rest.first_chunk() {
            Some(bytes) if at < near => match mark(u64::from_le_bytes(*bytes)) {
                Some(mark) => mark,
                None => {
                    at += 8;
                    continue;
                }
            },
            _ => memchr::memchr2(b'"', b'\\', rest)?,
        };
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
        near = at + NEAR_BYTES;
    }
}

/// How much of a string is searched without a call, in bytes.
const NEAR_BYTES: usize = 16;

/// Returns at which of eight bytes the first quote or backslash is.
fn mark(word: u64) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    // The highest bit is set of a byte that is equal, and before that of none.
    let equals = |byte: u64| {
        let other = word ^ (ONES * byte);
        other.wrapping_sub(ONES) & !other & (ONES * 0x80)
    };
    let marks = equals(0x22) | equals(0x5c);
    (marks != 0).then(|| marks.trailing_zeros() as usize / 8)
}

/// Returns the offset behind the brace or bracket that closes the one at `at`.
fn nested_end(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match text.get(at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' => {
                at = string_end(text, at + 1)?;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_its_first_quote_behind_no_backslash() {
        let plain = |text: &[u8]| {
            let mut at = 0;
            while at < text.len() {
                match text[at] {
                    b'"' => return Some(at + 1),
                    b'\\' => at += 2,
                    _ => at += 1,
                }
            }
            None
        };
        for length in 0..60 {
            for (first, second) in (0..=length).flat_map(|first| (0..=length).map(move |second| (first, second))) {
                for [one, other] in [*b"\"#", *b"\\\"", *b"!\"", *b"\\\\", *b"\xa2\xdc", *b"#]"] {
                    let mut text = vec![b'a'; length];
                    text.get_mut(first).into_iter().for_each(|byte| *byte = one);
                    text.get_mut(second).into_iter().for_each(|byte| *byte = other);
                    assert_eq!(string_end(&text, 0), plain(&text), "{:?}", String::from_utf8_lossy(&text));
                }
            }
        }
    }
}
