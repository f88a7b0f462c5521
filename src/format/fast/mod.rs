//! What spares the reading of a line by formats that would not claim it, or the taking apart of a header that was read before.
//!
//! Invariant: without anything of this every verdict would be the same, but for times that cannot be, such as a thirteenth
//! month.

pub(super) mod dated;

pub(super) mod front;

pub(super) mod headers;
