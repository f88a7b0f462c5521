//! `prefix`: each line with the name of its file in front, `[file] line`.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::encoding::{Encoded, Encoding};

pub(super) static PREFIX: Encoding = Encoding { name: "prefix", opening: |name, _| prefix(name), unit: Encoded::Line };

/// Returns `[name] `; a byte of the name that would break the line, or the terminal, is escaped (`\n`, `\x1b`).
fn prefix(name: &Path) -> Box<[u8]> {
    let mut prefix = vec![b'['];
    for byte in name.as_os_str().as_bytes() {
        if byte.is_ascii_control() {
            prefix.extend(byte.escape_ascii());
        } else {
            prefix.push(*byte);
        }
    }
    prefix.extend(b"] ");
    prefix.into_boxed_slice()
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
    }
}
