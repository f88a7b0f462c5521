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

/// Returns the pieces of a block, in order: a line of up to `line_bytes_max` bytes, its newline not counted, is one piece.
///
/// The block ends with a newline, or is part of a line that is longer than `line_bytes_max`; of an unfinished line whole
/// pieces are given, what is left of it is not. `line_bytes_max` must not be 0.
pub fn pieces(block: &[u8], line_bytes_max: usize) -> impl Iterator<Item = Piece> + '_ {
    let mut newlines = memchr::memchr_iter(b'\n', block);
    let mut start = 0;
    let mut newline = newlines.next();
    std::iter::from_fn(move || {
        let end = newline.or_else(|| Some(block.len()).filter(|end| end - start >= line_bytes_max))?;
        let cut = end - start > line_bytes_max || newline.is_none();
        let piece = Piece { start, end: if cut { start + line_bytes_max } else { end + 1 }, terminated: !cut };
        start = piece.end;
        if !cut {
            newline = newlines.next();
        }
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(block: &str, line_bytes_max: usize, expected: &[&str]) {
        let found: Vec<String> = pieces(block.as_bytes(), line_bytes_max)
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
