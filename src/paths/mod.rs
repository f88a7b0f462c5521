//! Which files there are: patterns, the one door to every path of the application's, and hints that something changed.

pub mod glob;

pub mod siblings;

pub mod beneath;

pub(crate) mod open_directory;

pub(crate) mod roots;

pub(crate) mod watch;

mod found_path;

mod walk;

pub(crate) mod discover;

pub(crate) mod around;
