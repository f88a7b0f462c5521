//! When disk is reclaimed, and how far: beside the stream, and only what the checkpoint on the disk says is streamed.
//!
//! [`state::Reclaim`] belongs to the loop. It knows the tracker and works on its files; the tracker knows nothing of it and
//! returns what happened as events. The files stand from the ground up, each imports only those before it: what needs no state;
//! the state; one way of reclaiming disk a file; when and how far files are rotated; and what the loop calls.

mod limits;

mod asking;

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
