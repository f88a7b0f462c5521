//! The configuration: environment variables, all declared in one table.
//!
//! This is the only room that reads the environment, and it does so through an iterator, so that no test touches the
//! process's own.

pub(crate) mod misnamed;

pub(crate) mod guess;

pub(crate) mod wrapping;

pub(crate) mod condition;

pub(crate) mod spelling;

pub(crate) mod settings;

pub(crate) mod timezone;

pub(crate) mod table;

pub(crate) mod doubts;

pub(crate) mod environment;

pub(crate) use environment::{is_colourless, temporary_directory};
pub use misnamed::PREFIX;
pub use settings::Config;
pub(crate) use table::STDERR_DEFAULT;
pub use table::{TABLE, Variable};
