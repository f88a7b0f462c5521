//! Where lines go, how they look, and the two streams that take them.

mod meant;

pub mod rules;

mod vain;

mod json_text;

pub mod encode;

pub(crate) mod bucket;

pub(crate) mod sink;
