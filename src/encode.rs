//! How a line looks on the stream: as it is (`raw`), or with its file's name in front (`prefix`).
//!
//! Pure. `raw` needs no encoding: its bytes go from the read buffer to the pipe as they are.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Output {
    /// Byte for byte what the file holds.
    #[default]
    Raw,
    /// `[file] line`.
    Prefix,
}

impl Output {
    /// Every format with its name in the configuration.
    pub const NAMES: [(&'static str, Self); 2] = [("raw", Self::Raw), ("prefix", Self::Prefix)];

    /// Returns what stands before each line, or piece of a long line, of the file called `name`; empty for raw.
    #[must_use]
    pub fn opening(self, name: &Path) -> Box<[u8]> {
        match self {
            Self::Raw => Box::default(),
            Self::Prefix => prefix(name),
        }
    }
}

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
    fn the_prefix_stays_on_one_line() {
        let check = |name: &[u8], expected: &[u8]| {
            assert_eq!(&*Output::Prefix.opening(Path::new(OsStr::from_bytes(name))), expected, "{name:?}");
        };
        check(b"1.log", b"[1.log] ");
        check(b"nginx/access.log", b"[nginx/access.log] ");
        check(b"two\nlines\x1b.log", b"[two\\nlines\\x1b.log] ");
        check(b"\xff.log", b"[\xff.log] ");
        assert!(Output::Raw.opening(Path::new("1.log")).is_empty());
    }
}
