//! Passing over lines unread, where all that is asked is which of them are errors.
//!
//! The way through it: `vector` compares bytes with many patterns at once, `alarm` says where a line may state an error, `block`
//! leaves out the lines that cannot.
//!
//! Invariant: what is said of the lines that are read, and where all of them go, is the same as if every line were read: a
//! property test and a fuzz target hold that.

mod vector;

mod alarm;

pub(super) mod block;
