//! Every system call that the program makes fails, with every error that it may have by its manual page.
//!
//! strace(1) makes the Nth call of a kind fail, once. After that either everything is streamed exactly once, or the program ends
//! with one clear line, and a restart completes it; it neither crashes nor hangs, and loses nothing in silence.
//!
//! ```sh
//! cargo test --test errors
//! ```
//!
//! Of each kind of call and error two are tried: the first one, and one by chance. `SIDETAIL_ERRORS_EACH=N` tries more of them, and
//! `SIDETAIL_ERRORS_ONLY=CALL` those of one call.

// What the other test programs need of it, this one may not.
#[allow(dead_code)]
#[path = "../support"]
mod support {
    pub mod bounded;
    pub mod files;
    pub mod program;
    pub mod say;
    pub mod strace;
}

#[allow(dead_code)]
#[path = "../model/prng.rs"]
mod prng;

mod calls;
mod scenario;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::SystemTime;

use prng::Prng;
use scenario::Injected;
use support::say::say;
use support::strace::has_strace;

/// Most of the time is waiting.
const AT_ONCE: usize = 6;

/// How often each error of each call is tried, unless the environment says otherwise.
const EACH: u64 = 2;

#[test]
fn whatever_call_fails_everything_is_streamed_once_or_a_restart_completes_it() {
    if !has_strace() {
        return;
    }
    let seed = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos() as u64);
    let each = std::env::var("SIDETAIL_ERRORS_EACH").map_or(EACH, |text| text.parse().expect("a number"));
    let cases = cases(&mut Prng::new(seed), each);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = scenario::play(Some(case)) {
                        failed.lock().expect("no panic").push(format!("{case:?}: {why}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no panic");
    say(&format!("errors: {} injected, {} not coped with", cases.len(), failed.len()));
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Chooses which calls fail, of all that there are when none fails.
fn cases(prng: &mut Prng, each: u64) -> Vec<Injected> {
    let only = std::env::var("SIDETAIL_ERRORS_ONLY").ok();
    let mut cases = Vec::new();
    for (call, (first, count)) in scenario::calls() {
        if only.as_ref().is_some_and(|only| *only != call) {
            continue;
        }
        for error in calls::errors_of(&call) {
            let mut whens: Vec<_> = (1..each.min(count)).map(|_| first + 1 + prng.below(count - 1)).collect();
            whens.push(first);
            whens.sort_unstable();
            whens.dedup();
            cases.extend(whens.into_iter().map(|when| Injected { call: call.clone(), error, when }));
        }
    }
    assert!(only.is_some() || cases.len() > 100, "the calls are seen: {cases:?}");
    cases
}
