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
    ("combined access", [1_009_000, 2_287_000]),
    ("common access", [624_000, 2_190_000]),
    ("haproxy", [835_000, 2_373_000]),
    ("nginx error", [1_219_000, 1_783_000]),
    ("apache error", [1_227_000, 2_305_000]),
    ("gunicorn", [514_000, 2_062_000]),
    ("uwsgi", [887_000, 2_990_000]),
    ("squid", [1_831_000, 2_321_000]),
    ("iis", [502_000, 599_000]),
    ("postgresql", [962_000, 2_151_000]),
    ("mysql error", [1_143_000, 2_249_000]),
    ("mysql slow", [386_000, 487_000]),
    ("redis", [464_000, 816_000]),
    ("mongodb", [1_333_000, 1_927_000]),
    ("rabbitmq", [1_115_000, 2_255_000]),
    ("clickhouse", [1_409_000, 4_094_000]),
    ("oracle alert", [1_419_000, 2_431_000]),
    ("spring boot", [922_000, 1_933_000]),
    ("log4j", [949_000, 1_778_000]),
    ("kafka", [1_367_000, 2_083_000]),
    ("elasticsearch", [901_000, 1_761_000]),
    ("java.util.logging", [646_000, 1_674_000]),
    ("jvm gc", [735_000, 1_552_000]),
    ("minecraft", [761_000, 1_532_000]),
    ("zap json", [1_081_000, 1_558_000]),
    ("pino json", [2_790_000, 4_036_000]),
    ("ecs json", [3_076_000, 3_318_000]),
    ("logfmt", [423_000, 1_135_000]),
    ("klog", [1_094_000, 1_770_000]),
    ("go log", [581_000, 1_896_000]),
    ("env_logger", [574_000, 1_919_000]),
    ("tracing", [707_000, 1_558_000]),
    ("python logging", [892_000, 2_172_000]),
    ("rails", [914_000, 1_790_000]),
    ("monolog", [1_213_000, 2_857_000]),
    ("php-fpm", [907_000, 1_813_000]),
    ("dotnet console", [379_000, 846_000]),
    ("logcat", [940_000, 1_908_000]),
    ("cri", [993_000, 2_458_000]),
    ("docker json", [1_176_000, 3_228_000]),
    ("rfc 3164", [1_068_000, 1_567_000]),
    ("rfc 5424", [777_000, 1_373_000]),
    ("plain with level", [194_000, 2_078_000]),
    ("plain", [1_522_000, 2_970_000]),
    ("build output", [2_264_000, 3_389_000]),
    ("windows cbs", [793_000, 2_587_000]),
    ("supercomputer ras", [2_793_000, 4_549_000]),
    ("proxy client", [698_000, 3_697_000]),
    ("phone pipes", [285_000, 1_598_000]),
    ("nagios", [3_559_000, 4_354_000]),
    ("changing from line to line", [1_028_000, 2_327_000]),
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
