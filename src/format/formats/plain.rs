//! Lines that no other format claims, and last words that no other family has.

use crate::format::block::{Alarm, Crash, Format, Later};
use crate::format::level::Level;

/// Any line, read by what most loggers have in common.
pub(crate) const PLAIN: Format = Format {
    name: "plain",
    may_be_open: true,
    later: Later::BehindTime(level_behind_time),
    crashes: &[
        Crash::new(b"Uncaught ", Level::Error),
        Crash::new(b"npm ERR! ", Level::Error),
        Crash::new(b"npm error ", Level::Error),
        Crash::new(b"FAILURE: Build failed", Level::Error),
        Crash::new(b"terminate called after throwing", Level::Fatal).interrupting(Level::Error),
        Crash::new(b"Segmentation fault", Level::Fatal),
        Crash::new(b"Fatal error : ", Level::Fatal),
        Crash::new(b"FAILED ASSERTION", Level::Critical),
        Crash::new(b"ASSERTION FAILED", Level::Critical),
        Crash::new(b"Assertion failed", Level::Critical),
        Crash::new(b"=== Critical error", Level::Fatal).interrupting(Level::Error),
        // GlusterFS.
        Crash::new(b"pending frames:", Level::Fatal).interrupting(Level::Error).traced(),
        Crash { phrase: b"ERROR: ", level: None, interrupts: Some(Level::Error), has_trace: false },
        Crash { phrase: b"FATAL: ", level: None, interrupts: Some(Level::Error), has_trace: false },
        Crash { phrase: b"CRITICAL: ", level: None, interrupts: Some(Level::Error), has_trace: false },
    ],
    alarms: &[
        // Oracle's alert log.
        Alarm::Front(b"ORA-"),
        Alarm::Phrase(b"Errors in file "),
    ],
    in_a_trace: &[
        b"frame : ",
        b"patchset: ",
        b"signal received: ",
        b"time of crash:",
        b"configuration details:",
        b"package-string: ",
        b"argp ",
        b"}",
        b"]",
        b")",
        b"#",
        b"Node.js v",
    ],
    ..Format::NONE
};

/// Returns the level of the line behind a time that stands alone, as in Oracle's alert log: `Errors in file /u01/x.trc:`,
/// `ORA-00600: internal error code`.
fn level_behind_time(lines: &[u8]) -> Option<Level> {
    let is_number = lines.strip_prefix(b"ORA-").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit);
    (is_number || lines.starts_with(b"Errors in file ")).then_some(Level::Error)
}
