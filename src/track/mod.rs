//! Paths and followed files kept in agreement: new files, renamed ones, copies, and which of them are open.

pub(crate) mod clock;

mod hints;

pub(crate) mod event;

mod start;

mod destroyed;

mod let_go;

mod linked;

mod sweep_state;

pub(crate) mod tracker;

mod wanted_room;

mod sweep;

mod asleep;

mod lost;

pub(crate) mod deleted;

mod descriptors;

mod asked;

pub(crate) mod own_archives;

mod rotated;

mod opening;

mod beside;

mod unmet;

mod resumed;
