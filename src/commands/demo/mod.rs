//! `sidetail demo`: what sidetail does, shown on this machine within half a minute; no cluster, no root, nothing left behind.
//!
//! The demo's process is the application, the narrator and the reader. sidetail is a process of its own, as in a pod: it gets files,
//! and what it writes is read from two pipes and counted.

mod times;

mod scratch;

mod counter;

mod application;

mod outstanding;

mod sidecar;

mod screen;

mod show;

mod story;

pub(super) use counter::count;
pub(super) use story::tell;
