//! sidetail: a streaming sidecar. It follows the log files of a shared volume and writes every line to its own stdout or
//! stderr, byte for byte, nothing lost, nothing repeated, at the cost of `tail`.
//!
//! # The way of the data
//!
//! ```text
//! files in the emptyDir
//!   paths       which files there are (globs, late files, late directories)   <- inotify hints + a safety tick
//!   read        one open file: identity, offset, what changed; bytes -> lines
//!   format      which format a line is in, what level it states, whether it continues the record before
//!   output      rules: drop, stderr or stdout; encode: raw | prefix | json | ecs | gcp; sink: whole lines into two pipes
//!   shelf       every followed file, and in the checkpoint what of it is on the pipe, so that a restart goes on there
//!   reclaim     beside the stream: only what is already on the pipe and in the checkpoint
//! ```
//!
//! # The rooms
//!
//! The modules below stand in reading order, from the ground up. Each imports only from those above it in the list, and so do
//! the files within a room, in the order of its `mod.rs`; a test holds that true.
//!
//! - [`sys`]: the kernel and the standard library made handy
//! - [`paths`]: which files there are
//! - [`read`]: one open file
//! - [`mod@format`]: what a line is; pure, like the rules and encodings of `output`: no I/O, no clock
//! - [`output`]: where lines go, how they look, the two streams
//! - `report`: messages, findings, metrics
//! - [`disk`]: what the kernel gives for keeping and reclaiming disk
//! - [`shelf`]: every followed file, and the checkpoint
//! - [`config`]: the one table of variables
//! - `track`: paths and followed files kept in agreement
//! - `reclaim`: when disk is reclaimed, and how far
//! - `stream`: the one loop that knows all rooms
//! - [`commands`]: what the command line asks for
//!
//! # The law
//!
//! Of every file, in bytes: `reclaimed <= durable <= noted <= delivered <= taken`. What was taken from a file is delivered when
//! a stream accepted it, noted when the checkpoint says so, durable when that is on the disk; only then it may be reclaimed.
//!
//! - The file is the buffer: nothing is read that cannot be written now, an unfinished line stays in its file. So memory
//!   does not depend on the size of files or lines, nor on how long a stream is blocked.
//! - An event is a hint; `statx`, `readdir` and the bytes are the truth.
//! - Only `config` reads the environment; only the sink and `commands` touch the standard streams.
//! - One thread, one loop; while waiting for the disk, one more thread for just that call (`disk::flush`).

#![warn(unreachable_pub)]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
#![allow(rustdoc::private_intra_doc_links, reason = "this is read as a program, not used as a library")]

pub mod sys;

pub mod paths;

pub mod read;

pub mod format;

pub mod output;

pub(crate) mod report;

pub mod disk;

pub mod shelf;

pub mod config;

pub(crate) mod track;

pub(crate) mod reclaim;

pub(crate) mod stream;

pub mod commands;
