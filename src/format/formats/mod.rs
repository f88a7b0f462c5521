//! A family of formats a file: each reads the header of a line by hand, and claims it or not.
//!
//! Those come first that others ask about what stands behind a header of theirs.
//!
//! Invariant: a reader takes time linear in the length of its line, allocates nothing, and gives no level that does not stand
//! where its format puts it.

pub(crate) mod plain;

pub(crate) mod json;

pub(crate) mod logfmt;

pub(crate) mod syslog;

pub(crate) mod access;

pub(crate) mod servers;

pub(crate) mod databases;

pub(crate) mod java;

pub(crate) mod python;

pub(crate) mod rust;

pub(crate) mod golang;

pub(crate) mod dotnet;

pub(crate) mod scripting;

pub(crate) mod logcat;

pub(crate) mod container;

pub(crate) mod own;
