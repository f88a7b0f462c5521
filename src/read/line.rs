//! Bytes to lines: where the last whole line of a block ends, and its lines one by one.
//!
//! Pure and exact: a line is what ends with a newline (0x0A); CR, NUL and any other byte are content. What follows the
//! last newline is an unfinished line and is left where it is.

/// Returns the length of the whole lines at the start of a block, newlines included; 0 if it holds none.
#[must_use]
pub fn whole_lines(block: &[u8]) -> usize {
    memchr::memrchr(b'\n', block).map_or(0, |last| last + 1)
}

/// A line, or a piece of one that is longer than `MAX_LINE`, as offsets into its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it starts.
    pub start: usize,
    /// Where it ends; its own newline, if it has one, is inside.
    pub end: usize,
    /// Whether its last byte is the line's newline; a piece that was cut has none and is given one.
    pub terminated: bool,
}

impl Piece {
    /// Returns the piece without its newline.
    #[must_use]
    pub fn content<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        &block[self.start..self.end - usize::from(self.terminated)]
    }
}

/// The pieces of a block, in order: a line of up to `line_bytes_max` bytes, its newline not counted, is one piece.
///
/// The block ends with a newline, or is part of a line that is longer than `line_bytes_max`; of an unfinished line whole
/// pieces are given, what is left of it is not.
#[derive(Debug)]
pub struct Pieces<'a> {
    block: &'a [u8],
    line_bytes_max: usize,
    /// Where the next piece starts.
    start: usize,
    /// Where the newline behind it is, if that was looked for; none in the rest of the block is its end.
    newline: Option<usize>,
}

impl<'a> Pieces<'a> {
    /// Begins at the front of a block. `line_bytes_max` must not be 0.
    #[must_use]
    pub fn new(block: &'a [u8], line_bytes_max: usize) -> Self {
        Self { block, line_bytes_max, start: 0, newline: None }
    }

    /// Goes on at `start`, the front of a line.
    pub fn skip_to(&mut self, start: usize) {
        (self.start, self.newline) = (start, None);
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let (start, rest) = (self.start, &self.block[self.start..]);
        let newline = self.newline.unwrap_or_else(|| start + memchr::memchr(b'\n', rest).unwrap_or(rest.len()));
        let is_unfinished = newline == self.block.len();
        if is_unfinished && newline - start < self.line_bytes_max {
            return None;
        }
        let is_cut = newline - start > self.line_bytes_max || is_unfinished;
        let end = if is_cut { start + self.line_bytes_max } else { newline + 1 };
        (self.start, self.newline) = (end, is_cut.then_some(newline));
        Some(Piece { start, end, terminated: !is_cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(block: &str, line_bytes_max: usize, expected: &[&str]) {
        let found: Vec<String> = Pieces::new(block.as_bytes(), line_bytes_max)
            .map(|piece| {
                let content = String::from_utf8_lossy(piece.content(block.as_bytes())).into_owned();
                format!("{content}{}", if piece.terminated { "" } else { ">" })
            })
            .collect();
        assert_eq!(found, expected, "{block:?} by {line_bytes_max}");
    }

    #[test]
    fn lines_end_at_newlines_only() {
        check("", 10, &[]);
        check("unfinished", 20, &[]);
        check("a\nbc\n\nd", 10, &["a", "bc", ""]);
        check("a\r\n\0\n", 10, &["a\r", "\0"]);
    }

    #[test]
    fn longer_lines_are_cut_into_pieces() {
        check("abcd\n", 4, &["abcd"]);
        check("abcde\nf\n", 4, &["abcd>", "e", "f"]);
        check("abcdefgh\n", 4, &["abcd>", "efgh"]);
        check("abc\n", 1, &["a>", "b>", "c"]);
        check("abcdefgh", 4, &["abcd>", "efgh>"]);
        check("abcdefghi", 4, &["abcd>", "efgh>"]);
    }

    #[test]
    fn whole_lines_end_behind_the_last_newline() {
        for (block, expected) in [("", 0), ("abc", 0), ("\n", 1), ("a\nb", 2), ("a\nb\n", 4)] {
            assert_eq!(whole_lines(block.as_bytes()), expected, "{block:?}");
        }
    }
}
