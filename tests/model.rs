//! A seeded model test of following: random things happen to log files, to the reader and to its consumer, and an exact oracle
//! knows what has to come out.
//!
//! A round is a seed; a script of some hundred actions follows from it (`tests/model/actions.rs`). In the end comes SIGTERM, and
//! then every line that was written and not destroyed unread has come out once, in order, whole, and nothing else.
//!
//! From level 2 on every other round has a reader that rotates: it reclaims what was streamed, and may keep archives. Then what
//! is on the disk whenever it has ended is judged, too (`tests/model/disk.rs`).
//!
//! By default five fixed seeds and a random one are played. The environment changes that:
//!
//! - `SIDETAIL_MODEL_SEED=N`: this seed only.
//! - `SIDETAIL_MODEL_SECONDS=N`: random seeds, for so long.
//! - `SIDETAIL_MODEL_STEPS=N`: actions a round.
//! - `SIDETAIL_MODEL_LEVEL=1|2|3|4`: which actions take part (plain, hard, edge, anyhow).
//! - `SIDETAIL_MODEL_WITHOUT=chain,stay`: these do not; `positional` is the writer without `O_APPEND`,
//!   `rotation` the reader that rotates, `link` the log that is a link.
//! - `SIDETAIL_MODEL_ROTATION=auto,3,gzip`: every round has a reader that rotates, in this way (method, archives, compression).
//! - `SIDETAIL_MODEL_SCRIPT='line a 120; stop a 1; …'`: exactly this; a failure prints its script in that form.
//! - `SIDETAIL_MODEL_SHRINK=N`: after a failure, look for a shorter script that fails too, and try each up to `N` times: a kill
//!   at another moment may show nothing.
//! - `SIDETAIL_MODEL_BINARY=PATH`: another program under test.
//!
//! When a round fails, its directory is kept, and the message says where it is.

mod model {
    pub mod actions;
    pub mod disk;
    mod disk_can_fail;
    mod law;
    pub mod oracle;
    mod oracle_can_fail;
    pub mod prng;
    pub mod reader;
    pub mod world;
}

use std::time::{Duration, Instant, SystemTime};

use model::actions::{Action, HARD, Repertoire, choose, parse_script, perform};
use model::oracle::Stream;
use model::prng::Prng;
use model::reader::State;
use model::world::{LABELS, Rotates, STREAMED_WITHIN, World};

/// The seeds that are played every time.
const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

/// Actions a round, unless the environment says otherwise: some seconds.
const STEPS: usize = 200;

/// What takes part, unless the environment says otherwise.
const LEVEL: u8 = HARD;

/// Shorter scripts that are tried before a failure is reported.
const SHRINK_ATTEMPTS: usize = 150;

/// Three safety ticks: while looking for a shorter script nobody waits longer.
const SHRINK_PATIENCE: Duration = Duration::from_secs(6);

/// A round that went wrong.
struct Failure {
    why: String,
    script: Vec<Action>,
    messages: Vec<String>,
    recent: Vec<String>,
    directory: std::path::PathBuf,
}

#[test]
fn every_line_comes_out_once_whatever_happens() {
    if let Ok(script) = std::env::var("SIDETAIL_MODEL_SCRIPT") {
        let script = parse_script(&script).expect("SIDETAIL_MODEL_SCRIPT is a script");
        return play(number("SIDETAIL_MODEL_SEED").unwrap_or(0), Some(&script));
    }
    if let Some(seed) = number("SIDETAIL_MODEL_SEED") {
        return play(seed, None);
    }
    let until = number("SIDETAIL_MODEL_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    if until.is_none() {
        SEEDS.into_iter().for_each(|seed| play(seed, None));
    }
    let mut seeds = Prng::new(SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos() as u64));
    loop {
        play(seeds.below(1_000_000_000), None);
        if until.is_none_or(|until| Instant::now() > until) {
            break;
        }
    }
}

/// Plays the round of a seed, or a script with it; panics with all that one needs to see it again.
fn play(seed: u64, script: Option<&[Action]>) {
    let level = number("SIDETAIL_MODEL_LEVEL").map_or(LEVEL, |level| level as u8);
    let started = Instant::now();
    eprintln!("model: seed {seed}, level {level}");
    let Err(mut failure) = round(seed, level, script, STREAMED_WITHIN) else {
        return eprintln!("model: seed {seed} is right, {:.1} s", started.elapsed().as_secs_f32());
    };
    eprintln!("model: seed {seed} FAILED: {}", failure.why);
    if let Some(tries) = number("SIDETAIL_MODEL_SHRINK") {
        failure = shrink(seed, level, tries, failure);
    }
    let script: Vec<_> = failure.script.iter().map(ToString::to_string).collect();
    panic!(
        "seed {seed}, level {level}, {} actions: {}\n\nscript: {}\n\nwhat came out last (what a kill cut, too):\n{}\n\nthe reader's messages, last ones:\n{}\n\nkept: {}\nagain: SIDETAIL_MODEL_SEED={seed} SIDETAIL_MODEL_LEVEL={level} cargo test --test model",
        script.len(),
        failure.why,
        script.join("; "),
        failure.recent.join("\n"),
        failure.messages.join("\n"),
        failure.directory.display(),
    );
}

/// One round, from an empty directory to the reader's end after SIGTERM.
fn round(seed: u64, level: u8, script: Option<&[Action]>, patience: Duration) -> Result<(), Failure> {
    let mut prng = Prng::new(seed);
    let repertoire = Repertoire { level, without: names("SIDETAIL_MODEL_WITHOUT") };
    let rotates = rotation(seed, &repertoire);
    let positional = repertoire.has_positional_writers() && prng.one_in(2);
    // What is reached through a link is not rotated.
    let linked = repertoire.has_links() && rotates.is_none() && prng.one_in(2);
    let mut world = World::new(positional, linked, rotates);
    world.reader.asks_lines = level >= HARD && prng.one_in(2);
    world.streamed_within = patience;
    let mut done = Vec::new();
    let steps = number("SIDETAIL_MODEL_STEPS").map_or(STEPS, |steps| steps as usize);
    let mut outcome = begin(&mut world);
    for step in 0..script.map_or(steps, <[Action]>::len) {
        if outcome.is_err() {
            break;
        }
        let action = script.map_or_else(|| choose(&world, &repertoire, &mut prng), |script| script[step]);
        done.push(action);
        outcome = perform(&mut world, action).map_err(|why| format!("at `{action}`: {why}"));
        outcome = outcome.and_then(|()| still_there(&mut world));
    }
    let outcome = outcome.and_then(|()| finish(&mut world, prng.one_in(2)).map_err(|why| format!("at the end: {why}")));
    report(&world);
    outcome.map_err(|why| {
        world.directory.disable_cleanup(true);
        let messages = world.oracle.messages.iter().rev().take(12).rev().cloned().collect();
        let recent = world.oracle.recent();
        Failure { why, script: done, messages, recent, directory: world.directory.path().to_owned() }
    })
}

/// How the reader of this round rotates, if it does. It has numbers of its own, so that a round without is what it always was.
fn rotation(seed: u64, repertoire: &Repertoire) -> Option<Rotates> {
    if let Ok(text) = std::env::var("SIDETAIL_MODEL_ROTATION") {
        return Some(
            Rotates::parse(&text).unwrap_or_else(|| panic!("SIDETAIL_MODEL_ROTATION={text} is not like auto,3,gzip")),
        );
    }
    let mut prng = Prng::new(!seed);
    let rotates = repertoire.has_rotation() && prng.one_in(2);
    rotates.then(|| Rotates::any(&mut prng))
}

/// Every path exists and was seen once: what rotates away from it later is then newer than its first sight.
fn begin(world: &mut World) -> Result<(), String> {
    (0..LABELS.len()).for_each(|file| world.write(file, 20, true));
    world.reader.start(world.directory.path());
    world.settle().map_err(|why| format!("at the first start: {why}"))
}

/// Lets everything flow again, and ends the reader, sometimes with much still to read.
fn finish(world: &mut World, settled: bool) -> Result<(), String> {
    [Stream::Out, Stream::Err].into_iter().for_each(|stream| world.reader.stall(stream, false));
    match world.reader.state {
        State::Running => {}
        State::Stopped => world.reader.signal(rustix::process::Signal::CONT),
        State::Dead => world.reader.start(world.directory.path()),
    }
    if settled && world.rotates.is_some() {
        world.rest()?;
    } else if settled {
        world.settle()?;
    }
    world.terminate()
}

/// The reader does not end by itself.
fn still_there(world: &mut World) -> Result<(), String> {
    match world.reader.gone() {
        Some(status) => Err(format!("the reader ended by itself: {status}")),
        None => Ok(()),
    }
}

fn report(world: &World) {
    let (lines, bytes) = world.oracle.written();
    eprintln!(
        "model: {lines} lines, {bytes} bytes written; {} bytes repeated after kills",
        world.oracle.repeated_total
    );
    if let Some(Rotates { method, keep, compress }) = &world.rotates {
        let (bytes, archives) = world.rotated();
        eprintln!("model: rotated by {method},{keep},{compress}: {bytes} bytes reclaimed, {archives} archives");
    }
}

/// Leaves parts of the script out, large ones first, as long as the rest fails in the same way.
fn shrink(seed: u64, level: u8, tries: u64, mut failure: Failure) -> Failure {
    let mut attempts = SHRINK_ATTEMPTS;
    let mut part = failure.script.len().div_ceil(2);
    while part > 0 && attempts > 0 {
        let mut from = 0;
        while from < failure.script.len() && attempts > 0 {
            attempts -= 1;
            let mut shorter = failure.script.clone();
            shorter.drain(from..(from + part).min(failure.script.len()));
            let fails = |_| round(seed, level, Some(&shorter), SHRINK_PATIENCE).err();
            match (0..tries).filter_map(fails).find(|again| kind(again) == kind(&failure)) {
                Some(again) => failure = again,
                None => from += part,
            }
        }
        part /= 2;
    }
    failure
}

/// What went wrong, in one word.
fn kind(failure: &Failure) -> Option<&'static str> {
    let words = ["on the disk", "repeated", "lost", "torn", "foreign", "wrong stream", "ended"];
    words.into_iter().find(|word| failure.why.contains(word))
}

fn names(name: &str) -> Vec<String> {
    std::env::var(name).unwrap_or_default().split(',').map(str::to_owned).collect()
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}
