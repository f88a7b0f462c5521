//! Text as the inside of a JSON string (RFC 8259, section 7).
//!
//! Bytes that are not UTF-8 become U+FFFD, which is the only thing that can be lost.

use crate::output::json_text::plain_bytes;

/// Adds `text` as the inside of a JSON string (RFC 8259, section 7), at most `bytes_max` bytes of it, and returns how much of
/// the text that was and how many sequences of it were not UTF-8. At least one character is taken if `bytes_max` is 6.
pub(super) fn escape(out: &mut Vec<u8>, text: &[u8], bytes_max: usize) -> (usize, u64) {
    let end = out.len() + bytes_max;
    let (mut taken, mut invalid) = (0, 0);
    while taken < text.len() {
        let rest = &text[taken..];
        let run = plain_bytes(rest);
        let room = end.saturating_sub(out.len());
        out.extend_from_slice(&rest[..run.min(room)]);
        taken += run.min(room);
        let Some(special) = rest.get(run).filter(|_| run <= room) else { break };
        if special.is_ascii() {
            if out.len() + 6 > end {
                break;
            }
            escape_byte(out, *special);
            taken += 1;
            continue;
        }
        // A sequence of UTF-8 holds no ASCII, so none goes on where that begins again.
        let others = &rest[run..];
        let others = &others[..others.iter().position(u8::is_ascii).unwrap_or(others.len())];
        let (whole, bad) = show(out, others, end);
        (taken, invalid) = (taken + whole, invalid + bad);
        if whole < others.len() {
            break;
        }
    }
    (taken, invalid)
}

/// Adds what is not ASCII until `out` is `end` bytes long; returns how much of it that was, and how many sequences were not
/// UTF-8.
fn show(out: &mut Vec<u8>, text: &[u8], end: usize) -> (usize, u64) {
    let (mut taken, mut invalid) = (0, 0);
    for chunk in text.utf8_chunks() {
        let (valid, room) = (chunk.valid(), end.saturating_sub(out.len()));
        let whole = (0..=room.min(valid.len())).rev().find(|cut| valid.is_char_boundary(*cut)).unwrap_or(0);
        out.extend_from_slice(&valid.as_bytes()[..whole]);
        taken += whole;
        if whole < valid.len() || chunk.invalid().is_empty() || out.len() + 3 > end {
            break;
        }
        out.extend_from_slice("\u{fffd}".as_bytes());
        taken += chunk.invalid().len();
        invalid += 1;
    }
    (taken, invalid)
}

fn escape_byte(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let [upper, lower] = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', upper, lower]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_what_a_parser_reads_and_no_more_would_fit() {
        let pieces: [&[u8]; 13] = [
            b"ab",
            b"cdefghijkl",
            b"\"",
            b"\\",
            b"\t",
            b"\x01",
            b"\x7f",
            "é".as_bytes(),
            "日".as_bytes(),
            "😀".as_bytes(),
            b"\xff",
            b"\xe2\x82",
            b" ",
        ];
        for first in 0..pieces.len().pow(4) {
            let text = [1, 13, 169, 2197].map(|unit| pieces[first / unit % 13]).concat();
            let bytes_max = first % 29;
            let mut out = Vec::new();
            let (taken, invalid) = escape(&mut out, &text, bytes_max);
            let shown: String = serde_json::from_slice(&[b"\"", &*out, b"\""].concat()).expect("a string");
            let expected = String::from_utf8_lossy(&text[..taken]);
            assert_eq!((&*shown, out.len() <= bytes_max), (&*expected, true), "{text:?} {bytes_max}");
            assert_eq!(invalid, text[..taken].utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count() as u64);
            assert!(taken == text.len() || out.len() + 6 > bytes_max, "{text:?} {bytes_max}: {taken}");
            let rest = String::from_utf8_lossy(&text[taken..]);
            assert_eq!(shown + &rest, String::from_utf8_lossy(&text), "no character is cut in two");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_shown_and_counted() {
        let mut out = Vec::new();
        assert_eq!(escape(&mut out, b"a\xff\xfeb\xe2\x82", 100), (6, 3));
        assert_eq!(out, "a\u{fffd}\u{fffd}b\u{fffd}".as_bytes());
    }
}
