//! What people and machines are told: messages, what is found and refused, metrics, and the HTTP port that shows them.

pub(crate) mod message;

pub(crate) mod recent;

pub(crate) mod log;

pub(crate) mod finding;

pub(crate) mod refusal;

pub(crate) mod refused;

pub(crate) mod page;

pub(crate) mod process;

pub(crate) mod losses;

pub(crate) mod metrics;

pub(crate) mod request;

pub(crate) mod listen;
