//! Every followed file, whose turn it is, and what the checkpoint keeps of it.

pub mod checkpoint;

pub(crate) mod files;
