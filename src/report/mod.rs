//! What sidetail reports to people and machines: messages, findings, refusals, metrics, and the HTTP port for them.

pub(crate) mod message;

pub(crate) mod recent;

pub(crate) mod log;

pub(crate) mod last_words;

pub(crate) mod finding;

pub(crate) mod unmatched;

mod permission;

pub(crate) mod refusal;

pub(crate) mod refused;

pub(crate) mod page;

pub(crate) mod process;

pub(crate) mod losses;

pub(crate) mod metrics;

pub(crate) mod request;

pub(crate) mod listen;
