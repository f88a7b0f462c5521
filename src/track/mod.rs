//! Paths and followed files kept in agreement: new files, renamed ones, copies, and which of them are open.

pub(crate) mod clock;

mod hints;

mod start;

pub(crate) mod tracker;

mod descriptors;

mod outward;

mod rotated;
