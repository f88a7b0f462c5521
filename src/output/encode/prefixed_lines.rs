//! `prefix`: each line with the name of its file in front, `[file] line`.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::encoding::{Encoded, Encoding};
use crate::sys::shown::is_misleading;

pub(super) static PREFIX: Encoding = Encoding { name: "prefix", opening: |name, _| prefix(name), unit: Encoded::Line };

/// Returns `[name] `; what of the name would break the line, steer the terminal, or end the prefix before its time is escaped
/// (`\n`, `\x1b`, `\u{202e}`, `\x5d `).
fn prefix(name: &Path) -> Box<[u8]> {
    let mut prefix = vec![b'['];
    let bytes = name.as_os_str().as_bytes();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_ascii_control() {
                prefix.extend((character as u8).escape_ascii());
            } else if is_misleading(character) {
                prefix.extend(character.escape_unicode().to_string().bytes());
            } else {
                prefix.extend(character.encode_utf8(&mut [0; 4]).bytes());
            }
        }
        prefix.extend_from_slice(chunk.invalid());
    }
    // A name with `] ` in it would look like a shorter one, and a line that goes on.
    let mut shown = Vec::with_capacity(prefix.len() + 2);
    for (index, byte) in prefix.iter().enumerate() {
        match byte {
            b']' if prefix.get(index + 1).is_none_or(|next| *next == b' ') => shown.extend(b"\\x5d"),
            byte => shown.push(*byte),
        }
    }
    shown.extend(b"] ");
    shown.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn a_record_looks_so() {
        let expected = "[a\"b.log] low\ndisk";
        assert_eq!(PREFIX.sample().trim_end(), expected);
    }

    #[test]
    fn the_prefix_stays_on_one_line() {
        let check = |name: &[u8], expected: &[u8]| {
            assert_eq!(&*prefix(Path::new(OsStr::from_bytes(name))), expected, "{name:?}");
        };
        check(b"1.log", b"[1.log] ");
        check(b"nginx/access.log", b"[nginx/access.log] ");
        check(b"two\nlines\x1b.log", b"[two\\nlines\\x1b.log] ");
        check(b"\xff.log", b"[\xff.log] ");
        check(b"a] b.log", b"[a\\x5d b.log] ");
        check(b"a[1].log", b"[a[1].log] ");
        check(b"a]", b"[a\\x5d] ");
        check("c1\u{9b}\u{85}.log".as_bytes(), b"[c1\\u{9b}\\u{85}.log] ");
        check("\u{202e}gol\u{2028}.log".as_bytes(), b"[\\u{202e}gol\\u{2028}.log] ");
    }
}
