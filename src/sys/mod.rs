//! The kernel and the standard library made handy: nothing here knows of logs.

pub mod units;

pub(crate) mod heap;

pub(crate) mod readiness;

pub(crate) mod timer;

pub(crate) mod signals;

pub(crate) mod processes;

pub(crate) mod shown;
