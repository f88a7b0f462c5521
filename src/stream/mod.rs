//! The one loop that knows all rooms, and one turn of one file.

pub(crate) mod exit_on;

mod desk;

mod cut;

mod decide;

mod batch;

mod objects;

mod gather;

mod observe;

mod segments;

mod turn;

mod clients;

mod drain;

mod linger;

pub(crate) mod loop_state;

pub(crate) mod end;

mod noting;

mod pages;

mod reclaiming;

pub(crate) mod run;
