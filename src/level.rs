//! How serious a record is: one scale for the words, letters and numbers of all formats.
//!
//! Pure. Unsure means no level: a word that is not on the list below is `None`, never a guess.

use std::fmt;

/// The levels, from the least to the most serious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Every step: `TRACE`, `FINEST`, `verbose`.
    Trace,
    /// For developers: `DEBUG`, `FINE`.
    Debug,
    /// What is usual.
    Info,
    /// Usual, but worth a look (syslog's `notice`).
    Notice,
    /// Something may go wrong.
    Warn,
    /// Something went wrong: `ERROR`, `SEVERE`, .NET's `fail`.
    Error,
    /// A part of the application does not work: `CRITICAL`, syslog's `crit` and `alert`.
    Critical,
    /// The application ends: `FATAL`, `PANIC`, syslog's `emerg`.
    Fatal,
}

impl Level {
    /// Every level, from the least serious.
    pub const ALL: [Self; 8] =
        [Self::Trace, Self::Debug, Self::Info, Self::Notice, Self::Warn, Self::Error, Self::Critical, Self::Fatal];

    /// Returns its name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["trace", "debug", "info", "notice", "warn", "error", "critical", "fatal"][self as usize]
    }

    /// Returns the level that a whole word states, in upper, lower or mixed case; `None` for any other word.
    #[must_use]
    pub fn from_word(word: &[u8]) -> Option<Self> {
        // At most eight letters are compared as one number; three words are longer.
        if !(2..=8).contains(&word.len()) {
            return match word.len() {
                9 if word.eq_ignore_ascii_case(b"emergency") => Some(Self::Fatal),
                11 if word.eq_ignore_ascii_case(b"information") => Some(Self::Info),
                13 if word.eq_ignore_ascii_case(b"informational") => Some(Self::Info),
                _ => None,
            };
        }
        let mut lower = [b' '; 8];
        for (to, from) in lower.iter_mut().zip(word) {
            *to = from | 0x20;
        }
        let level = match &lower {
            b"trace   " | b"trc     " | b"finest  " | b"finer   " | b"verbose " | b"vrb     " => Self::Trace,
            b"debug   " | b"dbg     " | b"dbug    " | b"debu    " | b"fine    " => Self::Debug,
            b"info    " | b"inf     " | b"config  " => Self::Info,
            b"notice  " | b"note    " => Self::Notice,
            b"warn    " | b"warning " | b"wrn     " => Self::Warn,
            b"error   " | b"err     " | b"eror    " | b"erro    " | b"fail    " | b"severe  " => Self::Error,
            b"critical" | b"crit    " | b"alert   " | b"dpanic  " | b"crt     " => Self::Critical,
            b"fatal   " | b"panic   " | b"emerg   " | b"ftl     " | b"fata    " | b"pani    " => Self::Fatal,
            _ => return None,
        };
        // The comparison took some bytes that are no letters for letters.
        word.iter().all(u8::is_ascii_alphabetic).then_some(level)
    }

    /// Returns the level of a single letter, as klog, logcat, Rails and MongoDB write it.
    #[must_use]
    pub fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'V' | b'T' => Self::Trace,
            b'D' => Self::Debug,
            b'I' => Self::Info,
            b'N' => Self::Notice,
            b'W' => Self::Warn,
            b'E' => Self::Error,
            b'C' => Self::Critical,
            b'F' => Self::Fatal,
            _ => return None,
        })
    }

    /// Returns the level of a syslog severity, 0 (emergency) to 7 (debug); of a priority, the lowest three bits count.
    ///
    /// Source: RFC 5424, section 6.2.1.
    #[must_use]
    pub fn from_syslog(severity: u64) -> Self {
        [Self::Fatal, Self::Critical, Self::Critical, Self::Error, Self::Warn, Self::Notice, Self::Info, Self::Debug]
            [(severity & 7) as usize]
    }

    /// Returns the level of an HTTP status: 5xx is an error, 4xx a warning, all others info.
    #[must_use]
    pub fn from_status(hundreds: u8) -> Self {
        match hundreds {
            b'5' => Self::Error,
            b'4' => Self::Warn,
            _ => Self::Info,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_levels_in_any_case() {
        let check = |word: &str, expected: Option<Level>| {
            assert_eq!(Level::from_word(word.as_bytes()), expected, "{word:?}");
        };
        for level in Level::ALL {
            check(level.name(), Some(level));
            check(&level.name().to_uppercase(), Some(level));
        }
        for (word, level) in [("Warning", Level::Warn), ("SEVERE", Level::Error), ("Informational", Level::Info)] {
            check(word, Some(level));
        }
        for word in ["", "E", "errorless", "error!", "err0r", "retry", "inform", "ERR\u{f}R", "@rror"] {
            check(word, None);
        }
    }

    #[test]
    fn numbers_are_those_of_syslog() {
        assert_eq!(Level::from_syslog(3), Level::Error);
        assert_eq!(Level::from_syslog(165), Level::Notice);
        assert!(Level::Warn < Level::Error && Level::Error < Level::Critical);
    }
}
