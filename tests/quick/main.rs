//! The built program, tried from outside, a theme a module: what anyone can run, without root, network or podman.

// What the other test programs need of it, this one may not.
#[allow(dead_code)]
#[path = "../support"]
mod support {
    pub mod bounded;
    pub mod clock;
    pub mod files;
    pub mod lines;
    pub mod markdown;
    pub mod namespace;
    pub mod program;
    pub mod records;
    pub mod room;
    pub mod rotator;
    pub mod say;
    pub mod scrape;
    pub mod still;
    pub mod strace;
    pub mod terminal;
    pub mod themes {
        pub mod archives;
        pub mod budget;
        pub mod check;
        pub mod exhaustion;
        pub mod hostile;
        pub mod pressure;
        pub mod whenever;
    }
}

mod archives;
mod budget;
mod bytes;
mod check;
mod checkpoint_gone;
mod classify;
mod config;
mod copies;
mod demo;
mod docs;
mod docs_commands;
mod door;
mod exhaustion;
mod exit_on;
mod follow;
mod formats;
mod hostile;
mod identity;
mod links;
mod listen;
mod lost;
mod messages;
mod named_anyhow;
mod objects;
mod preallocated;
mod pressure;
mod rate_limit;
mod reclaim;
mod reclaim_awkward;
mod reclaim_kills;
mod restart;
mod rotation;
mod shutdown;
mod static_binary;
mod status;
mod stream;
mod structure;
mod swarm;
mod twins;
mod version;
mod zero_copy;
