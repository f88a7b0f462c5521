//! A family of formats a file: the block of each format, and the reader that takes a line's header apart by hand, and claims it
//! or not.
//!
//! Those come first that others ask about what stands behind a header of theirs. None of them knows the table of all formats.
//!
//! Invariant: a reader takes time linear in the length of its line, and gives no level that does not stand where its format
//! puts it. But for expressions of the user's own, it allocates nothing.

pub(super) mod plain;

pub(super) mod json;

pub(super) mod logfmt;

pub(super) mod syslog;

pub(super) mod access;

pub(super) mod servers;
pub(super) mod signs;

pub(super) mod databases;

pub(super) mod java;

pub(super) mod python;

pub(super) mod rust;

pub(super) mod golang;

pub(super) mod dotnet;

pub(super) mod scripting;

pub(super) mod logcat;

pub(super) mod ibm;

pub(super) mod cisco;
pub(super) mod columns;

pub(super) mod container;

pub(super) mod own;
