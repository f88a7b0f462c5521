//! What a line costs by default, counted in instructions, for each kind of log of `bench/kinds`.
//!
//! The figures are recorded, not wished for, as those of `weight.rs` are.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::bounded::run;
use crate::support::counted::{has, instructions};
use crate::support::lines::LAST;
use crate::support::say::say;
use crate::support::themes::recorded::{DEFAULTS, all_as_recorded};
use crate::weight::{INSTRUCTIONS_LOOK, has_avx2};

/// Instructions a thousand lines, of a log in which 1 % of the records are errors, and of one with 20 %.
const INSTRUCTIONS: &[(&str, [u64; 2])] = &[
    ("combined access", [596_000, 1_311_000]),
    ("common access", [301_000, 1_109_000]),
    ("haproxy", [461_000, 1_770_000]),
    ("nginx error", [891_000, 1_582_000]),
    ("apache error", [991_000, 2_126_000]),
    ("gunicorn", [486_000, 1_847_000]),
    ("uwsgi", [573_000, 2_251_000]),
    ("squid", [1_655_000, 2_084_000]),
    ("iis", [454_000, 477_000]),
    ("postgresql", [719_000, 1_898_000]),
    ("mysql error", [768_000, 1_549_000]),
    ("mysql slow", [249_000, 376_000]),
    ("redis", [276_000, 579_000]),
    ("mongodb", [1_236_000, 1_793_000]),
    ("rabbitmq", [1_108_000, 2_233_000]),
    ("clickhouse", [999_000, 3_850_000]),
    ("oracle alert", [1_215_000, 2_272_000]),
    ("spring boot", [637_000, 1_859_000]),
    ("log4j", [604_000, 1_736_000]),
    ("kafka", [1_009_000, 1_900_000]),
    ("elasticsearch", [638_000, 1_678_000]),
    ("java.util.logging", [431_000, 1_523_000]),
    ("jvm gc", [645_000, 1_499_000]),
    ("minecraft", [297_000, 1_169_000]),
    ("zap json", [607_000, 1_136_000]),
    ("pino json", [2_505_000, 3_783_000]),
    ("ecs json", [1_344_000, 2_024_000]),
    ("logfmt", [304_000, 1_031_000]),
    ("klog", [987_000, 1_687_000]),
    ("go log", [477_000, 2_074_000]),
    ("env_logger", [358_000, 1_271_000]),
    ("tracing", [600_000, 1_594_000]),
    ("python logging", [749_000, 2_051_000]),
    ("rails", [635_000, 1_370_000]),
    ("monolog", [874_000, 2_391_000]),
    ("php-fpm", [740_000, 1_746_000]),
    ("dotnet console", [277_000, 753_000]),
    ("logcat", [525_000, 1_248_000]),
    ("cri", [798_000, 2_516_000]),
    ("docker json", [670_000, 2_983_000]),
    ("rfc 3164", [672_000, 1_297_000]),
    ("rfc 5424", [544_000, 1_303_000]),
    ("plain with level", [177_000, 2_121_000]),
    ("plain", [1_527_000, 3_019_000]),
    ("build output", [2_193_000, 3_425_000]),
    ("windows cbs", [826_000, 2_564_000]),
    ("supercomputer ras", [2_488_000, 4_262_000]),
    ("proxy client", [462_000, 3_561_000]),
    ("phone pipes", [304_000, 1_563_000]),
    ("nagios", [2_977_000, 3_916_000]),
    ("changing from line to line", [809_000, 2_161_000]),
];

const PERCENTS: [u32; 2] = [1, 20];

/// How many records two logs have whose difference is counted.
const RECORDS: [usize; 2] = [1_000, 4_000];

/// The templates of all kinds are read and compiled in a tenth of a second.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn instructions_of_each_kind_are_those_that_are_recorded() {
    if !has("valgrind") || !has_avx2() {
        return;
    }
    let recorded: Vec<&str> = INSTRUCTIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(recorded, kinds(&[]).lines().collect::<Vec<_>>(), "the kinds of bench/kinds, in their order");
    let mut wrong = Vec::new();
    for ((name, recorded), found) in INSTRUCTIONS.iter().zip(of_all_kinds()) {
        say(&format!("instructions a thousand lines, {name}: {found:?}, recorded {recorded:?}"));
        if found.iter().zip(recorded).any(|(found, recorded)| found.abs_diff(*recorded) * 10 > *recorded) {
            wrong.push(format!("{name}: {found:?} in the place of {recorded:?}"));
        }
    }
    all_as_recorded("INSTRUCTIONS of tests/measured/kinds.rs", INSTRUCTIONS_LOOK, &wrong);
}

/// Counts one kind on each processor at a time: what else runs has no part in the figures.
fn of_all_kinds() -> Vec<[u64; 2]> {
    let (next, all) = (AtomicUsize::new(0), INSTRUCTIONS.len());
    let counted = thread::scope(|scope| {
        let count = || {
            let places = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|place| *place < all);
            std::iter::from_fn(places).map(|place| (place, of_kind(INSTRUCTIONS[place].0))).collect::<Vec<_>>()
        };
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(count)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it counts")).collect::<Vec<_>>()
    });
    let mut sorted = counted;
    sorted.sort_unstable();
    sorted.into_iter().map(|(_, found)| found).collect()
}

/// Returns the instructions of a thousand lines, for each share of errors.
fn of_kind(name: &str) -> [u64; 2] {
    PERCENTS.map(|percent| {
        let logs = RECORDS.map(|records| kinds(&[name, &percent.to_string(), &records.to_string(), LAST]));
        let lines = logs.each_ref().map(|log| log.lines().count() as u64);
        let binary = Path::new(env!("CARGO_BIN_EXE_sidetail"));
        let [shorter, longer] = logs.each_ref().map(|log| instructions(binary, DEFAULTS, log));
        (longer - shorter) * 1_000 / (lines[1] - lines[0])
    })
}

/// Returns what `bench/kinds` prints.
fn kinds(arguments: &[&str]) -> String {
    let mut python = Command::new("python3");
    python.args(["-B", "-m", "kinds"]).args(arguments);
    python.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/bench"));
    run(&mut python, DEADLINE).expect("the templates of bench/kinds")
}
