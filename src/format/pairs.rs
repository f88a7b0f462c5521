//! The pairs of a line that is all logfmt, one by one, so that it can be shown as an object.

/// How many pairs a line has, at most: each is compared with those before it.
const PAIRS_MAX: usize = 64;

/// A value of logfmt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairValue<'a> {
    /// As it stands there.
    Bare(&'a [u8]),
    /// What stood between quotes, its escapes as they were.
    Quoted(&'a [u8]),
}

impl<'a> PairValue<'a> {
    /// Returns it as it was written, without quotes.
    #[must_use]
    pub fn text(self) -> &'a [u8] {
        match self {
            Self::Bare(text) | Self::Quoted(text) => text,
        }
    }
}

/// The pairs of a line; it ends at the first thing that is none.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Pairs<'a> {
    /// Begins at the front of a line.
    #[must_use]
    pub fn new(line: &'a [u8]) -> Self {
        Self { rest: line }
    }

    /// Returns the first value whose key is `wanted`, if the line consists of pairs with different keys, and of nothing else, so
    /// that an object loses nothing.
    #[allow(clippy::option_option, reason = "not whole, or without such a value")]
    pub(super) fn whole(line: &'a [u8], wanted: fn(&[u8]) -> bool) -> Option<Option<PairValue<'a>>> {
        let mut keys: [&[u8]; PAIRS_MAX] = [b""; PAIRS_MAX];
        let (mut pairs, mut count, mut found) = (Self::new(line), 0, None);
        for (key, value) in pairs.by_ref() {
            if count == PAIRS_MAX || keys[..count].contains(&key) {
                return None;
            }
            if found.is_none() && wanted(key) {
                found = Some(value);
            }
            keys[count] = key;
            count += 1;
        }
        (count > 0 && pairs.rest.is_empty()).then_some(found)
    }
}

/// Which bytes a key may hold.
const IS_KEY: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'/');
        byte += 1;
    }
    table
};

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], PairValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let length = self.rest.iter().position(|byte| !IS_KEY[usize::from(*byte)]).unwrap_or(self.rest.len());
        let (key, behind) = self.rest.split_at(length);
        let value = behind.strip_prefix(b"=").filter(|_| length > 0)?;
        let (value, rest) = match value.strip_prefix(b"\"") {
            Some(quoted) => {
                let end = quote(quoted)?;
                (PairValue::Quoted(&quoted[..end]), &quoted[end + 1..])
            }
            None => {
                let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
                (PairValue::Bare(&value[..end]), &value[end..])
            }
        };
        let behind = rest.trim_ascii_start();
        if !rest.is_empty() && behind.len() == rest.len() {
            return None;
        }
        self.rest = behind;
        Some((key, value))
    }
}

/// Returns where the quote is that ends a value.
fn quote(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_whole(line: &[u8]) -> bool {
        Pairs::whole(line, |_| false).is_some()
    }

    #[test]
    fn only_lines_of_pairs_are_whole() {
        for line in ["a=1", "a=1 b=\"x \\\" y\"  c=", "a.b-c/@=x\"y"] {
            assert!(are_whole(line.as_bytes()), "{line}");
        }
        for line in ["", "a", "a=1 b", "a=1 a=2", "a=\"x", "a=\"x\"y", "=1", "a=1 b=2 more words"] {
            assert!(!are_whole(line.as_bytes()), "{line}");
        }
        let many = |count: usize| (0..count).map(|number| format!("k{number}=1 ")).collect::<String>();
        assert!(are_whole(many(64).trim().as_bytes()) && !are_whole(many(65).as_bytes()));
        let all: Vec<_> = Pairs::new(b"a=1 b=\"x \\\" y\"").collect();
        assert_eq!(all, [(&b"a"[..], PairValue::Bare(b"1")), (b"b", PairValue::Quoted(b"x \\\" y"))]);
    }
}
