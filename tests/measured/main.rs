//! What is measured, on the release program and with nothing beside it: what lines cost, memory, delays, size, `bench/`.
//!
//! ```sh
//! cargo test --release --test measured -- --test-threads 1
//! ```

// What the other test programs need of it, this one may not.
#[allow(dead_code)]
#[path = "../support"]
mod support {
    pub mod bounded;
    pub mod counted;
    pub mod files;
    pub mod lines;
    pub mod mounted;
    pub mod program;
    pub mod room;
    pub mod rotator;
    pub mod say;
    pub mod themes {
        pub mod memory;
        pub mod pressure;
        pub mod recorded;
    }
}

mod benches;
mod beside;
mod kinds;
mod pressure;
mod size;
mod weight;

#[test]
fn what_is_measured_is_the_release_program() {
    if cfg!(debug_assertions) {
        panic!("figures are those of the release program: cargo test --release --test measured -- --test-threads 1");
    }
}
