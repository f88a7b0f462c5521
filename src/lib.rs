//! sidetail: a streaming sidecar. It follows the log files of a shared volume and writes every line to its own stdout or
//! stderr, byte for byte, nothing lost, nothing repeated, at the cost of `tail`.
//!
//! # The way of the data
//!
//! ```text
//! files in the emptyDir
//!   discover    which paths exist (globs, late files, late directories)    <- watch: inotify hints + a safety tick
//!   follow      one open file: identity, offset, what changed, bytes
//!   line        bytes -> lines (long, partial, CR, NUL)
//!   format      what format the file is in, what level a line states, whether it continues the record before
//!   route       drop, stderr or stdout
//!   encode      raw | prefix | json | ecs | gcp
//!   sink        whole lines into two pipes, back-pressure, exactly what was accepted
//!   checkpoint  what is on the pipe, per file, so that a restart goes on there
//!   rotate      beside the stream: gives back only what is already on the pipe and in the checkpoint
//! ```
//!
//! [`run`] is the one loop that knows them all; [`tracker`] keeps the followed files in agreement with the paths, [`turn`] is
//! what happens to one file at a time.
//!
//! # Floors
//!
//! The modules below stand in reading order, from the ground up. Each imports only from those above it in the list
//! (a test reads the `use crate::` lines and holds that true):
//!
//! - pure, no I/O, no clock: `units`, `order`, `glob`, `rotated`, `line`, `vector`, `expression`, `level`, `format`, `route`, `encode`,
//!   `bucket`
//! - the kernel's side: `beneath`, `readiness`, `timer`, `resident`, `log`, `watch`, `discover`, `follow`, `sink`, `processes`,
//!   `rotate`, `checkpoint`, `signals`, `listen`, `exit_on`
//! - what is counted for those who look from outside: `metrics`
//! - what is asked for: `config`
//! - all together: `refusal`, `files`, `tracker`, `turn`, `run`, `commands`
//!
//! # Invariants
//!
//! - The file is the buffer: nothing is read that cannot be written now, an unfinished line stays in its file. So memory
//!   does not depend on the size of files or lines, nor on how long a stream is blocked.
//! - An event is a hint; `statx`, `readdir` and the bytes are the truth.
//! - The checkpoint never says more than what is on the pipe.
//! - Only `config` reads the environment; only `sink` and `commands` touch the standard streams.
//! - One thread, one loop, and while rotation waits for the disk one more, for just that call (`rotate::flush`); `unsafe`
//!   stands in `readiness`, `vector` and `resident` alone.

pub mod sys;

pub mod paths;

pub mod read;

pub mod vector;

pub mod expression;

pub mod level;

pub mod format;

pub mod output;

pub mod report;

pub mod disk;

pub mod shelf;

pub mod config;

pub mod track;

pub mod reclaim;

pub mod stream;

pub mod commands;
