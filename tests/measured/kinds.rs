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
    ("combined access", [523_000, 1_321_000]),
    ("common access", [318_000, 1_202_000]),
    ("haproxy", [451_000, 1_890_000]),
    ("nginx error", [674_000, 1_386_000]),
    ("apache error", [634_000, 1_840_000]),
    ("gunicorn", [338_000, 1_335_000]),
    ("uwsgi", [542_000, 1_642_000]),
    ("squid", [1_927_000, 2_028_000]),
    ("iis", [424_000, 454_000]),
    ("postgresql", [456_000, 1_660_000]),
    ("mysql error", [625_000, 1_500_000]),
    ("mysql slow", [164_000, 259_000]),
    ("redis", [260_000, 396_000]),
    ("mongodb", [1_313_000, 1_794_000]),
    ("rabbitmq", [787_000, 1_451_000]),
    ("clickhouse", [1_159_000, 2_707_000]),
    ("oracle alert", [501_000, 401_000]),
    ("spring boot", [627_000, 1_285_000]),
    ("log4j", [522_000, 1_165_000]),
    ("kafka", [799_000, 1_408_000]),
    ("elasticsearch", [511_000, 1_203_000]),
    ("java.util.logging", [349_000, 1_233_000]),
    ("jvm gc", [585_000, 2_057_000]),
    ("minecraft", [312_000, 1_122_000]),
    ("zap json", [612_000, 1_090_000]),
    ("pino json", [951_000, 1_422_000]),
    ("ecs json", [1_353_000, 1_923_000]),
    ("logfmt", [329_000, 1_061_000]),
    ("klog", [1_202_000, 1_736_000]),
    ("go log", [274_000, 897_000]),
    ("env_logger", [398_000, 1_384_000]),
    ("tracing", [463_000, 1_529_000]),
    ("python logging", [813_000, 1_667_000]),
    ("rails", [718_000, 1_420_000]),
    ("monolog", [758_000, 1_623_000]),
    ("php-fpm", [581_000, 1_480_000]),
    ("dotnet console", [302_000, 734_000]),
    ("logcat", [520_000, 1_348_000]),
    ("cri", [513_000, 2_342_000]),
    ("docker json", [790_000, 3_176_000]),
    ("rfc 3164", [507_000, 1_001_000]),
    ("rfc 5424", [506_000, 1_276_000]),
    ("plain with level", [194_000, 2_043_000]),
    ("plain", [726_000, 2_123_000]),
    ("build output", [583_000, 1_822_000]),
    ("windows cbs", [677_000, 2_879_000]),
    ("supercomputer ras", [1_717_000, 1_861_000]),
    ("proxy client", [2_310_000, 3_044_000]),
    ("phone pipes", [1_517_000, 1_966_000]),
    ("nagios", [2_493_000, 2_909_000]),
    ("changing from line to line", [630_000, 1_770_000]),
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
