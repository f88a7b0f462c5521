//! When disk is reclaimed, and how far: beside the stream, and only what the checkpoint on the disk says is streamed.
//!
//! [`state::Reclaim`] belongs to the loop. It knows the tracker and works on its files; the tracker knows nothing of it and
//! tells what happened as events. The files stand in an order in which each imports only those
//! before it: what is asked of the state and of one file, what gives disk back in one way each, and what the loop calls.

mod limits;

mod room;

mod directory;

pub(crate) mod ledger;

mod job;

pub(crate) mod state;

pub(crate) mod refuse;

mod flushing;

mod collapsing;

mod punching;

pub(crate) mod archives;

mod archiving;

mod renaming;

mod truncating;

mod budget;

mod rotate;

mod apparent;

mod left;

pub(crate) mod events;

mod calls;

pub(crate) mod status;
