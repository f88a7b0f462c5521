//! What a byte may be in a header that nobody knows.

/// What a byte may be in a header: most bytes of a line are looked at once, and by nothing else.
static CLASSES: [u8; 256] = classes();

/// A sign between two pieces, or no ASCII.
pub(super) const SEPARATOR: u8 = 1;
/// It ends a word.
pub(super) const WORD_END: u8 = 1 << 1;
/// A quote of any kind.
pub(super) const QUOTE: u8 = 1 << 2;
/// A digit, bracket or slash.
pub(super) const SIGN: u8 = 1 << 3;
/// An ASCII letter.
pub(super) const LETTER: u8 = 1 << 4;
/// One in capitals.
pub(super) const UPPER: u8 = 1 << 5;
/// `=`, which may stand between a key and a value.
pub(super) const EQUALS: u8 = 1 << 6;
/// A level may be glued to it.
pub(super) const MARK: u8 = 1 << 7;

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        classes[index] = match byte {
            b'0'..=b'9' | b'(' | b'/' => SIGN,
            b'[' => SIGN | MARK,
            b':' | b')' => SEPARATOR | MARK,
            b'A'..=b'Z' => LETTER | UPPER,
            b'a'..=b'z' => LETTER,
            b'=' => SEPARATOR | EQUALS,
            b'|' => SEPARATOR | WORD_END,
            b'-' | b',' | b'*' | b'>' | b';' | b'~' | b'#' | b']' | b'}' | 0x80.. => SEPARATOR,
            b' ' | b'\t' | b'\x1b' => WORD_END,
            b'"' | b'\'' | b'`' => QUOTE,
            _ => 0,
        };
        index += 1;
    }
    classes
}

/// Returns what a byte may be.
pub(super) fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}
