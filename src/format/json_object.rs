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
    loop {
        // Keys and most values are short: a call for each would cost more than the bytes.
        let (near, far) = text.get(at..)?.split_at_checked(16).unwrap_or((&text[at..], b""));
        at += match near.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            Some(found) => found,
            None => near.len() + memchr::memchr2(b'"', b'\\', far)?,
        };
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
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
