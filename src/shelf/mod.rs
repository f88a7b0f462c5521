//! Every followed file, whose turn it is, and what the checkpoint keeps of it.

pub(crate) mod rare;

pub mod progress;

pub(crate) mod room;

pub mod entry;

mod pen;

mod slot;

pub(crate) mod layout;

pub(crate) mod records;

pub mod known;

pub(crate) mod state_directory;

mod store;

mod archive_book;

pub mod checkpoint;

mod renewal;

pub(crate) mod lineage;

mod aliases;

mod identities;

pub(crate) mod followed;

pub(crate) mod files;
