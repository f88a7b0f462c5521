//! The names of archives: `app.log.1.gz` is the newest of `app.log`, `.app.log.1.gz.tmp` its draft. Beside an application that
//! numbers its own files it is `app.log.sidetail.1.gz`.
//!
//! Pure. Names with a year or a date in the number's place are not ours.

/// The suffix of compressed archives.
pub(super) const COMPRESSED: &[u8] = b".gz";

/// The suffix of drafts.
pub(super) const DRAFT: &[u8] = b".tmp";

/// A run of numbers from 1 on, in order, some of them twice: the archives that have to be moved on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Numbering(u32);

impl Numbering {
    /// Returns whether the number is in the run: the last one again, or the next.
    pub(crate) fn has(&mut self, number: u32) -> bool {
        let is_next = number <= self.0 + 1;
        self.0 += u32::from(number == self.0 + 1);
        is_next
    }
}

/// Numbers from here on are years and dates, never an archive's: `app.log.20260101` is the application's.
const NUMBER_END: u32 = 2000;

/// What stands before the number where an application has files with the plain names.
pub(super) const APART: &[u8] = b".sidetail";

/// The names that the archives of a log have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Series {
    /// `app.log.sidetail.1.gz`: nobody else's.
    Apart,
    /// `app.log.1.gz`: others use such names, too.
    Plain,
}

impl Series {
    /// Returns what stands between the log's name and the number's dot.
    pub(super) fn infix(self) -> &'static [u8] {
        match self {
            Self::Apart => APART,
            Self::Plain => b"",
        }
    }
}

/// Returns the log that an archive of this name belongs to, its number, and which names those are.
#[must_use]
pub(crate) fn log_of(name: &[u8]) -> Option<(&[u8], u32, Series)> {
    let (log, number) = numbered(name)?;
    Some(match log.strip_suffix(APART).filter(|log| !log.is_empty()) {
        Some(log) => (log, number, Series::Apart),
        None => (log, number, Series::Plain),
    })
}

fn numbered(name: &[u8]) -> Option<(&[u8], u32)> {
    let plain = name.strip_suffix(COMPRESSED).unwrap_or(name);
    let dot = memchr::memrchr(b'.', plain).filter(|dot| *dot > 0)?;
    let digits = &plain[dot + 1..];
    let is_canonical = digits.iter().all(u8::is_ascii_digit) && digits.first().is_some_and(|first| *first != b'0');
    let number = if is_canonical { std::str::from_utf8(digits).ok()?.parse().ok()? } else { return None };
    (number < NUMBER_END).then_some((&plain[..dot], number))
}

/// Returns the log that a draft of this name belongs to, and whether it is compressed.
#[must_use]
pub(crate) fn log_of_draft(name: &[u8]) -> Option<(&[u8], bool)> {
    let archive = name.strip_prefix(b".")?.strip_suffix(DRAFT)?;
    numbered(archive).map(|(log, _)| (log, archive.ends_with(COMPRESSED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_log_and_the_number() {
        for (name, expected) in [
            ("app.log.1", Some(("app.log", 1))),
            ("app.log.12.gz", Some(("app.log", 12))),
            ("app.1.2", Some(("app.1", 2))),
            ("app.log.1999", Some(("app.log", 1999))),
            ("app.log.2000", None),
            ("app.log.20260101", None),
            ("app.log.99999999999", None),
            ("app.log.01", None),
            ("app.log.0", None),
            ("app.log.", None),
            ("app.log.gz", None),
            ("app.log.1.bz2", None),
            (".1", None),
            ("", None),
        ] {
            let expected = expected.map(|(log, number): (&str, u32)| (log.as_bytes(), number, Series::Plain));
            assert_eq!(log_of(name.as_bytes()), expected, "{name}");
        }
        for name in ["app.log.sidetail.3", "app.log.sidetail.3.gz"] {
            assert_eq!(log_of(name.as_bytes()), Some((&b"app.log"[..], 3, Series::Apart)), "{name}");
        }
        assert_eq!(log_of(b".sidetail.3"), Some((&b".sidetail"[..], 3, Series::Plain)));
    }

    #[test]
    fn the_name_of_a_draft_tells_the_log_and_whether_it_is_compressed() {
        for (name, expected) in [
            (".app.log.1.gz.tmp", Some(("app.log", true))),
            (".app.log.1.tmp", Some(("app.log", false))),
            ("app.log.1.gz.tmp", None),
            (".app.log.1.gz", None),
            (".app.log.new.tmp", None),
        ] {
            let expected = expected.map(|(log, is_compressed): (&str, bool)| (log.as_bytes(), is_compressed));
            assert_eq!(log_of_draft(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn a_run_ends_where_a_number_is_missing() {
        let mut run = Numbering::default();
        assert_eq!([1, 1, 2, 4, 5].map(|number| run.has(number)), [true, true, true, false, false]);
    }
}
