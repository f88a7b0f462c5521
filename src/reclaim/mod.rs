//! When disk is reclaimed, and how far: beside the stream, and only what the checkpoint on the disk says is streamed.

pub(crate) mod rotation;

mod archiving;

mod legacy;

mod apparent;

pub(crate) mod budget;
