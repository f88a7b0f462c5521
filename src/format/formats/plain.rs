//! Lines that no other format claims, and last words that no other family has.

use crate::format::block::{Crash, Format};
use crate::format::level::Level;

/// Any line, read by what most loggers have in common.
pub(crate) const PLAIN: Format = Format {
    name: "plain",
    may_be_open: true,
    crashes: &[
        Crash::new(b"Uncaught ", Level::Error),
        Crash::new(b"npm ERR! ", Level::Error),
        Crash::new(b"npm error ", Level::Error),
        Crash::new(b"terminate called after throwing", Level::Fatal).interrupting(Level::Error),
        Crash::new(b"Segmentation fault", Level::Fatal),
        Crash { phrase: b"ERROR: ", level: None, interrupts: Some(Level::Error), has_trace: false },
        Crash { phrase: b"FATAL: ", level: None, interrupts: Some(Level::Error), has_trace: false },
        Crash { phrase: b"CRITICAL: ", level: None, interrupts: Some(Level::Error), has_trace: false },
    ],
    in_a_trace: &[b"}", b"]", b")", b"#", b"Node.js v"],
    ..Format::NONE
};
