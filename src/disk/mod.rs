//! What the kernel gives for keeping and reclaiming disk: holes, archives, flushes, locks, and who writes to a file. Nothing
//! here decides when.

pub(crate) mod names;

pub(crate) mod own_ids;

pub(crate) mod mark;

pub(crate) mod draft;

pub(crate) mod archive;

pub(crate) mod flush;

pub(crate) mod lock;

pub(crate) mod writers;

pub(crate) mod space;

pub mod policy;
