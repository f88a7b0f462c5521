//! What anyone can run, but takes minutes by its nature.
//!
//! ```sh
//! cargo test --test minutes
//! ```

// What the other test programs need of it, this one may not.
#[allow(dead_code)]
#[path = "../support"]
mod support {
    pub mod bounded;
    pub mod files;
    pub mod program;
    pub mod room;
    pub mod rotator;
    pub mod say;
    pub mod strace;
    pub mod themes {
        pub mod hostile;
        pub mod memory;
        pub mod pressure;
    }
}

mod late;
mod pressure;
mod renamed;
mod swarm;
