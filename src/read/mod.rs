//! One open file: its bytes, how far they were taken, and what happened to them since.

pub mod line;

pub mod buffer;

pub mod position;

pub mod waypoints;

pub(crate) mod holes;

mod nuls;

mod seen;

pub(super) mod search;

pub(crate) mod change;

pub(crate) mod proof;

pub mod follower;

pub(crate) mod kinship;
