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

    /// The words of [`Self::from_word`] that state an error or more.
    pub(super) const ERROR_WORDS: &[&[u8]] = &[
        b"error",
        b"err",
        b"erro",
        b"eror",
        b"fail",
        b"severe",
        b"sever",
        b"critical",
        b"crit",
        b"critic",
        b"crt",
        b"alert",
        b"dpanic",
        b"fatal",
        b"fata",
        b"ftl",
        b"panic",
        b"pani",
        b"emerg",
        b"emergency",
    ];

    /// Returns its name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        static NAMES: [&str; 8] = ["trace", "debug", "info", "notice", "warn", "error", "critical", "fatal"];
        NAMES[self as usize]
    }

    /// Returns the level that a whole word states, in upper, lower or mixed case; `None` for any other word.
    #[must_use]
    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        // At most eight letters are compared as one number; three words are longer.
        if !(2..=8).contains(&word.len()) {
            return match word.len() {
                9 if word.eq_ignore_ascii_case(b"emergency") => Some(Self::Fatal),
                11 if word.eq_ignore_ascii_case(b"information") => Some(Self::Info),
                13 if word.eq_ignore_ascii_case(b"informational") => Some(Self::Info),
                _ => None,
            };
        }
        let mut lower = 0;
        for byte in word {
            let letter = byte | 0x20;
            if !letter.is_ascii_lowercase() {
                return None;
            }
            lower = lower << 8 | u64::from(letter);
        }
        Some(match lower {
            TRACE | TRC | TRCE | TRAC | FINEST | FINER | VERBOSE | VRB => Self::Trace,
            DEBUG | DBG | DBUG | DEBU | DEBG | FINE => Self::Debug,
            INFO | INF | CONFIG => Self::Info,
            NOTICE | NOTE => Self::Notice,
            WARN | WARNING | WRN | WARNI => Self::Warn,
            ERROR | ERR | EROR | ERRO | FAIL | SEVERE | SEVER => Self::Error,
            CRITICAL | CRIT | CRITIC | ALERT | DPANIC | CRT => Self::Critical,
            FATAL | PANIC | EMERG | FTL | FATA | PANI => Self::Fatal,
            _ => return None,
        })
    }

    /// Returns the level of a single letter, as klog, logcat, Rails and MongoDB write it.
    #[must_use]
    pub(super) fn from_letter(letter: u8) -> Option<Self> {
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
    pub(super) fn from_syslog(severity: u64) -> Self {
        [Self::Fatal, Self::Critical, Self::Critical, Self::Error, Self::Warn, Self::Notice, Self::Info, Self::Debug]
            [(severity & 7) as usize]
    }

    /// Returns the level of an HTTP status: 5xx is an error, 4xx a warning, all others info.
    #[must_use]
    pub(super) fn from_status(hundreds: u8) -> Self {
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

/// Returns up to eight letters as one number.
const fn packed(word: &[u8]) -> u64 {
    let (mut packed, mut index) = (0, 0);
    while index < word.len() {
        packed = packed << 8 | word[index] as u64;
        index += 1;
    }
    packed
}

const ALERT: u64 = packed(b"alert");
const CONFIG: u64 = packed(b"config");
const CRIT: u64 = packed(b"crit");
const CRITIC: u64 = packed(b"critic");
const CRITICAL: u64 = packed(b"critical");
const CRT: u64 = packed(b"crt");
const DBG: u64 = packed(b"dbg");
const DBUG: u64 = packed(b"dbug");
const DEBG: u64 = packed(b"debg");
const DEBU: u64 = packed(b"debu");
const DEBUG: u64 = packed(b"debug");
const DPANIC: u64 = packed(b"dpanic");
const EMERG: u64 = packed(b"emerg");
const EROR: u64 = packed(b"eror");
const ERR: u64 = packed(b"err");
const ERRO: u64 = packed(b"erro");
const ERROR: u64 = packed(b"error");
const FAIL: u64 = packed(b"fail");
const FATA: u64 = packed(b"fata");
const FATAL: u64 = packed(b"fatal");
const FINE: u64 = packed(b"fine");
const FINER: u64 = packed(b"finer");
const FINEST: u64 = packed(b"finest");
const FTL: u64 = packed(b"ftl");
const INF: u64 = packed(b"inf");
const INFO: u64 = packed(b"info");
const NOTE: u64 = packed(b"note");
const NOTICE: u64 = packed(b"notice");
const PANI: u64 = packed(b"pani");
const PANIC: u64 = packed(b"panic");
// Orient cuts all words to five letters.
const SEVER: u64 = packed(b"sever");
const SEVERE: u64 = packed(b"severe");
const TRAC: u64 = packed(b"trac");
const TRACE: u64 = packed(b"trace");
const TRC: u64 = packed(b"trc");
const TRCE: u64 = packed(b"trce");
const VERBOSE: u64 = packed(b"verbose");
const VRB: u64 = packed(b"vrb");
const WARN: u64 = packed(b"warn");
const WARNI: u64 = packed(b"warni");
const WARNING: u64 = packed(b"warning");
const WRN: u64 = packed(b"wrn");

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
