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
    ("combined access", [549_000, 1_299_000]),
    ("common access", [313_000, 1_153_000]),
    ("haproxy", [472_000, 2_161_000]),
    ("nginx error", [840_000, 1_512_000]),
    ("apache error", [858_000, 1_748_000]),
    ("gunicorn", [512_000, 1_933_000]),
    ("uwsgi", [620_000, 2_563_000]),
    ("squid", [5_383_000, 5_861_000]),
    ("iis", [2_921_000, 2_384_000]),
    ("postgresql", [692_000, 1_978_000]),
    ("mysql error", [787_000, 1_516_000]),
    ("mysql slow", [245_000, 378_000]),
    ("redis", [337_000, 890_000]),
    ("mongodb", [1_503_000, 1_921_000]),
    ("rabbitmq", [1_109_000, 1_997_000]),
    ("clickhouse", [1_594_000, 7_854_000]),
    ("oracle alert", [1_344_000, 753_000]),
    ("spring boot", [731_000, 1_546_000]),
    ("log4j", [660_000, 1_426_000]),
    ("kafka", [1_033_000, 1_654_000]),
    ("elasticsearch", [563_000, 1_380_000]),
    ("java.util.logging", [1_514_000, 2_117_000]),
    ("jvm gc", [894_000, 2_588_000]),
    ("minecraft", [328_000, 1_063_000]),
    ("zap json", [656_000, 1_115_000]),
    ("pino json", [2_692_000, 4_061_000]),
    ("ecs json", [1_503_000, 2_035_000]),
    ("logfmt", [322_000, 978_000]),
    ("klog", [1_545_000, 1_936_000]),
    ("go log", [493_000, 2_070_000]),
    ("env_logger", [415_000, 1_352_000]),
    ("tracing", [894_000, 1_731_000]),
    ("python logging", [888_000, 2_144_000]),
    ("rails", [688_000, 1_396_000]),
    ("monolog", [908_000, 2_270_000]),
    ("php-fpm", [1_125_000, 2_325_000]),
    ("dotnet console", [333_000, 743_000]),
    ("logcat", [581_000, 1_351_000]),
    ("cri", [4_164_000, 5_169_000]),
    ("docker json", [897_000, 3_774_000]),
    ("rfc 3164", [1_910_000, 2_353_000]),
    ("rfc 5424", [628_000, 1_348_000]),
    ("plain with level", [236_000, 2_694_000]),
    ("plain", [1_732_000, 3_620_000]),
    ("build output", [1_601_000, 2_952_000]),
    ("windows cbs", [1_316_000, 3_786_000]),
    ("supercomputer ras", [3_608_000, 6_781_000]),
    ("proxy client", [538_000, 4_978_000]),
    ("phone pipes", [336_000, 1_711_000]),
    ("nagios", [3_070_000, 4_339_000]),
    ("changing from line to line", [1_185_000, 2_749_000]),
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
