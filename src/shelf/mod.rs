//! Every followed file, whose turn it is, and what the checkpoint keeps of it.

pub(crate) mod rare;

pub mod progress;

pub(crate) mod room;

pub mod entry;

mod pen;

mod slot;

mod layout;

pub mod known;

mod store;

pub mod checkpoint;

pub(crate) mod lineage;

mod aliases;

mod identities;

pub(crate) mod files;
