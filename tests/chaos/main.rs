//! The application attacks: everything that it can do on the volume that it shares, at random, while a witness file beside its
//! own is written to, rotated and streamed.
//!
//! A round is a seed; how sidetail is set up, on which file system, and what is done to it follow from that. What has to hold:
//!
//! - every line of the witness comes out once, in order, whole, on its stream, over all kills and restarts;
//! - what is outside the volume is as it was, byte for byte, and none of it comes out;
//! - what is said to be lost of a file is what is missing of it;
//! - it does not crash or hang, ends in time, and stays small: a control group kills it otherwise.
//!
//! ```sh
//! cargo test --test chaos
//! ```
//!
//! By default random seeds are played for two minutes. The environment changes that:
//!
//! - `SIDETAIL_CHAOS_SEED=N`: this seed only.
//! - `SIDETAIL_CHAOS_SECONDS=N`: for so long.
//! - `SIDETAIL_CHAOS_STEPS=N`: actions a round.
//! - `SIDETAIL_CHAOS_PROGRAM=PATH`: another build, optimised as a release is: it gets 8 MiB, and is held to them.
//!
//! Each seed is printed before it is played. A seed does the same things in the same order again, but what the kernel makes of
//! it in between is chance. When a round fails, its directory is kept.

// What the other test programs need of it, this one may not.
#[allow(dead_code)]
#[path = "../support"]
mod support {
    pub mod bounded;
    pub mod control_group;
    pub mod files;
    pub mod mounted;
    pub mod program;
    pub mod say;
}

#[path = "../model/prng.rs"]
mod prng;

mod attack;
mod build;
mod life;
mod outside;
mod round;
mod setup;
mod victim;
mod volume;
mod witness;

use std::time::{Duration, Instant, SystemTime};

use prng::Prng;

/// For how long seeds are played, unless the environment says otherwise.
const PLAYED: Duration = Duration::from_secs(120);

/// Actions a round, unless the environment says otherwise.
const STEPS: u64 = 120;

#[test]
fn whatever_the_application_does_the_witness_is_streamed_and_nothing_outside_is_touched() {
    let steps = number("SIDETAIL_CHAOS_STEPS").unwrap_or(STEPS);
    if let Some(seed) = number("SIDETAIL_CHAOS_SEED") {
        return round::play(seed, steps);
    }
    let until = Instant::now() + number("SIDETAIL_CHAOS_SECONDS").map_or(PLAYED, Duration::from_secs);
    let mut seeds = Prng::new(SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos() as u64));
    while Instant::now() < until {
        round::play(seeds.below(1_000_000_000), steps);
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}
