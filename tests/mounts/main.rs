//! What takes root: file systems of the tests' own, files of other users, namespaces.
//!
//! ```sh
//! cargo test --test mounts
//! ```

// What the other test programs need of it, this one may not.
#[allow(dead_code)]
#[path = "../support"]
mod support {
    pub mod bounded;
    pub mod clock;
    pub mod files;
    pub mod mounted;
    pub mod namespace;
    pub mod program;
    pub mod room;
    pub mod rotator;
    pub mod say;
    pub mod strace;
    pub mod themes {
        pub mod archives;
        pub mod budget;
        pub mod check;
        pub mod exhaustion;
        pub mod hostile;
    }
}

mod archives;
mod budget;
mod check;
mod clock;
mod devices;
mod door;
mod exhaustion;
mod filesystems;
mod hostile;
mod legacy;
mod reclaim;
mod reclaim_awkward;
mod restart;
