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
    ("combined access", [604_000, 1_349_000]),
    ("common access", [317_000, 1_176_000]),
    ("haproxy", [509_000, 2_213_000]),
    ("nginx error", [896_000, 1_631_000]),
    ("apache error", [1_013_000, 2_349_000]),
    ("gunicorn", [478_000, 1_826_000]),
    ("uwsgi", [594_000, 2_506_000]),
    ("squid", [1_755_000, 2_859_000]),
    ("iis", [456_000, 475_000]),
    ("postgresql", [775_000, 2_218_000]),
    ("mysql error", [760_000, 1_533_000]),
    ("mysql slow", [256_000, 397_000]),
    ("redis", [305_000, 864_000]),
    ("mongodb", [1_248_000, 1_797_000]),
    ("rabbitmq", [1_089_000, 2_067_000]),
    ("clickhouse", [1_250_000, 6_154_000]),
    ("oracle alert", [1_312_000, 2_475_000]),
    ("spring boot", [631_000, 1_585_000]),
    ("log4j", [600_000, 1_476_000]),
    ("kafka", [999_000, 1_697_000]),
    ("elasticsearch", [645_000, 1_456_000]),
    ("java.util.logging", [418_000, 1_393_000]),
    ("jvm gc", [724_000, 2_537_000]),
    ("minecraft", [310_000, 1_265_000]),
    ("zap json", [608_000, 1_116_000]),
    ("pino json", [2_682_000, 4_069_000]),
    ("ecs json", [1_362_000, 2_009_000]),
    ("logfmt", [318_000, 1_088_000]),
    ("klog", [1_000_000, 1_871_000]),
    ("go log", [491_000, 2_101_000]),
    ("env_logger", [393_000, 1_382_000]),
    ("tracing", [640_000, 1_726_000]),
    ("python logging", [787_000, 2_086_000]),
    ("rails", [673_000, 1_382_000]),
    ("monolog", [878_000, 2_272_000]),
    ("php-fpm", [1_026_000, 2_297_000]),
    ("dotnet console", [274_000, 705_000]),
    ("logcat", [549_000, 1_345_000]),
    ("cri", [844_000, 3_033_000]),
    ("docker json", [741_000, 3_719_000]),
    ("rfc 3164", [671_000, 1_325_000]),
    ("rfc 5424", [552_000, 1_348_000]),
    ("plain with level", [213_000, 2_863_000]),
    ("plain", [1_565_000, 3_584_000]),
    ("build output", [1_429_000, 2_958_000]),
    ("windows cbs", [919_000, 3_668_000]),
    ("supercomputer ras", [3_280_000, 6_487_000]),
    ("proxy client", [559_000, 5_235_000]),
    ("phone pipes", [307_000, 1_504_000]),
    ("nagios", [2_895_000, 4_205_000]),
    ("changing from line to line", [865_000, 2_486_000]),
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
