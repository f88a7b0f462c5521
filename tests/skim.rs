//! What a line is found to be does not depend on how it is read: lines of all samples and generated ones, mixed, changed and cut
//! into blocks at random, read each for itself, with what was found of lines like them, and as few as can be.
//!
//! More of it: `SIDETAIL_SKIM_SEED=1 SIDETAIL_SKIM_ROUNDS=10000 cargo test --release --test skim`.

use std::fs;
use std::path::Path;

use reader::{Reading, Run};
use sidetail::format::{Formats, Skim};

#[path = "skim/reader.rs"]
mod reader;

/// The lines of the samples, file by file: traces stand behind their records.
fn samples() -> Vec<Vec<Vec<u8>>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    let mut paths: Vec<_> =
        fs::read_dir(directory).expect("the samples").map(|one| one.expect("readable").path()).collect();
    paths.sort();
    let lines = |text: Vec<u8>| -> Vec<Vec<u8>> {
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        lines.filter_map(|line| line.splitn(4, |byte| *byte == b'\t').nth(3)).map(<[u8]>::to_vec).collect()
    };
    paths.iter().map(|path| lines(fs::read(path).expect("readable"))).collect()
}

/// A random number below a limit, the same at every run: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

/// What lines are put in place of a byte, or of a few: what alarms are made of.
const PARTS: &[&[u8]] = &[
    b" ",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"\\",
    b":",
    b"<",
    b">",
    b"=",
    b"E",
    b"F",
    b"A",
    b"C",
    b"\t",
    b"\x1b[31m",
    b"m",
    b"/",
    b"error",
    b"ERROR ",
    b"Error:",
    b"fatal",
    b"FATAL: ",
    b"panic: ",
    b"\"level\":50",
    b"\"level\": \"3\"",
    b"\"s\":\"E\"",
    b"<3>",
    b"\" 503",
    b"\n{\n",
    b"\n",
    b"\nERROR x\n",
    b"\n\tat x\n",
    b"\njava.lang.Error: x\n",
    b"):\n",
    b"\nSEVERE: x\n",
    b"\n=CRASH REPORT==== 5-Jan-2026::10:00:00 ===\n",
    b" 500 ",
    b"\\\"level\\\":60",
    b"\nE0105 10:00:00.123456 1 a.go:1] x\n",
    b"Exception",
    b"fail",
    b"crit",
    b"alert",
    b"emerg",
    b"severe",
    b"ftl",
    b"eror",
    b"/app/index.js:3\n",
    b"level=E ",
    b"9",
    b"00",
    b"13",
    b"60",
    b"99",
];

/// Headers as loggers write them, `#` for a digit and `%` for a level.
const HEADERS: &[&str] = &[
    "20##-##-## ##:##:##,### % [main] com.example.App - ",
    "20##-##-##T##:##:##.###Z  % app::part: ",
    "20##-##-## ##:##:##.###  % # --- [main] c.e.App : ",
    "20##/##/## ##:##:## [%] #: ",
    "20##-##-## ##:##:##.### UTC [##] %:  ",
    "[20##-##-## ##:##:##] app.%: ",
    "[20##-##-## ##:##:## +0000] [#] [%] ",
    "%, [20##-##-##T##:##:##.### ###] % -- : ",
    "##-##-## ##:##:##.###  #### #### % Tag: ",
    "##-Jan-20## ##:##:##.### % [main] ",
    "%##02 ##:##:##.######       # a.go:#] ",
    "Jan  # ##:##:## host app[##]: %: ",
    "{\"level\":\"%\",\"time\":\"20##-##-##T##:##:##Z\",\"msg\":",
    "{\"t\":##########.#,\"level\":##,\"msg\":",
    "time=\"20##-##-##T##:##:##Z\" level=% msg=",
    "1######### #### % ",
    "20##.##.## ##:##:##.### [ ## ] {} <%> ",
    "[1#########] %: ",
    "##:##:##.### | % | ",
    "##:##:## [%] ",
    "app ##### % ",
];

const LEVELS: &[&str] = &["INFO", "ERROR", "warn", "error", "E", "I", "Warning", "SEVERE", "DEBUG", "LOG", "fatal"];

const MESSAGES: &[&str] =
    &["all is well", "", "error in it", "E 12", "took 12 ms", "[x] y: z", "\"x\"}", "java.lang.Error: x"];

/// A line of the first headers of many, so that most are met again with other digits and levels; some times cannot be.
fn generated(chance: &mut Chance) -> Vec<u8> {
    let header = HEADERS[chance.below(HEADERS.len())];
    let level = LEVELS[chance.below(LEVELS.len())];
    let digits = if chance.below(4) == 0 { 10 } else { 3 };
    let header = header.replace('%', level).into_bytes().into_iter();
    let header = header.map(|byte| if byte == b'#' { b'0' + chance.below(digits) as u8 } else { byte });
    let mut line: Vec<u8> = header.collect();
    line.extend(MESSAGES[chance.below(MESSAGES.len())].as_bytes());
    line
}

/// Puts other digits in the place of a line's, as those of the next line are.
fn count_on(chance: &mut Chance, line: &mut [u8]) {
    let limit = if chance.below(4) == 0 { 10 } else { 3 };
    for byte in line.iter_mut().filter(|byte| byte.is_ascii_digit()) {
        if chance.below(3) == 0 {
            *byte = b'0' + chance.below(limit) as u8;
        }
    }
}

/// Lines as applications write them, a little spoiled.
fn stream(chance: &mut Chance, samples: &[Vec<Vec<u8>>], count: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..count {
        let file = &samples[chance.below(samples.len())];
        let start = chance.below(file.len());
        for line in file[start..].iter().take(1 + chance.below(6)) {
            let mut line = if chance.below(8) == 0 { generated(chance) } else { line.clone() };
            if chance.below(4) == 0 {
                count_on(chance, &mut line);
            }
            while chance.below(3) == 0 && !line.is_empty() {
                let at = chance.below(line.len());
                let end = line.len().min(at + chance.below(3));
                line.splice(at..end, PARTS[chance.below(PARTS.len())].iter().copied());
            }
            stream.extend(line);
            stream.extend(if chance.below(50) == 0 { &b"\r\n"[..] } else { b"\n" });
        }
    }
    stream
}

/// A line of no format, with no time and no level.
const NO_FORMAT: &[u8] = b"job is done, all is well\n";

/// Reads a stream in blocks in all ways; returns the first line that is found to be something else or goes elsewhere, and how
/// many were read of how many.
fn compare(chance: &mut Chance, stream: &[u8], multiline: bool, pinned: usize) -> (Option<String>, usize, usize) {
    let ways = [Reading::Full, Reading::Cached, Reading::Lazy];
    let [mut whole, mut cached, mut skimming] = ways.map(|reading| Run::new(reading, multiline, pinned));
    let mut rest = stream;
    while !rest.is_empty() {
        let wanted = rest.len().min(1 + chance.below(8192));
        let end =
            wanted + rest[wanted..].iter().position(|byte| *byte == b'\n').map_or(rest.len() - wanted, |at| at + 1);
        let (block, others) = rest.split_at(end);
        let before = (whole.judge, skimming.judge);
        let expected = whole.block(block);
        let (known, found) = (cached.block(block), skimming.block(block));
        assert_eq!((known.len(), found.len()), (expected.len(), expected.len()), "how many lines");
        let differs = |index: &usize| known[*index] != expected[*index] || found[*index].0 != expected[*index].0;
        if let Some(index) = (0..expected.len()).find(differs) {
            let lines: Vec<_> = block.split_inclusive(|byte| *byte == b'\n').collect();
            let around = &lines[index.saturating_sub(4)..lines.len().min(index + 2)];
            let shown: String = around.iter().map(|line| format!("  {:?}\n", String::from_utf8_lossy(line))).collect();
            let all = (expected[index], known[index], found[index]);
            let wrong = format!("line {index}, full, cached and lazy {all:?}, in\n{shown}\n{before:?}");
            return (Some(wrong), skimming.read, whole.read);
        }
        rest = others;
    }
    (None, skimming.read, whole.read)
}

#[test]
fn lines_that_are_passed_over_go_where_they_would_go() {
    let samples = samples();
    let formats = Formats::default().names().count();
    let asked = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
    let mut chance = Chance(asked("SIDETAIL_SKIM_SEED", 0x5eed_1357_9bdf_2468));
    let rounds = usize::try_from(asked("SIDETAIL_SKIM_ROUNDS", 60)).expect("a number");
    let (mut read, mut all) = (0, 0);
    for round in 0..rounds {
        // All in the same format, or mixed.
        let file = round % (samples.len() + 1);
        let chosen = samples.get(file).map_or(&samples[..], std::slice::from_ref);
        // In one file of three so many lines of no format stand first that it is in none, whatever comes.
        let mut stream = if round % 3 == 1 { NO_FORMAT.repeat(70) } else { Vec::new() };
        stream.extend(self::stream(&mut chance, chosen, 400));
        // One in eight is pinned to some format.
        let pinned = if round % 8 == 5 { chance.below(formats) } else { usize::MAX };
        let (wrong, read_here, all_here) = compare(&mut chance, &stream, round % 4 != 0, pinned);
        assert!(wrong.is_none(), "round {round}: {}", wrong.unwrap_or_default());
        read += read_here;
        all += all_here;
    }
    println!("{read} of {all} lines were read");
}

/// Lines without errors are passed over, or the test above shows nothing.
#[test]
fn most_lines_are_passed_over() {
    if Skim::new(b"").is_none() {
        return;
    }
    for line in [&b"2026-01-05 10:00:00,123 INFO [main] com.example.App - all is well\n"[..], NO_FORMAT] {
        let (wrong, read, all) = compare(&mut Chance(1), &line.repeat(2000), true, usize::MAX);
        assert_eq!(wrong, None);
        assert!(read < all / 5, "{read} of {all}");
    }
}

/// A line without a header behind one that has such lines is part of its record, whatever the file's own format is.
#[test]
fn in_a_file_of_no_format_a_record_of_several_lines_is_found() {
    for record in [
        "2026-01-05 10:00:00,123 INFO [main] com.example.App - said:\nERROR in the message, and an error\n",
        "(2026-01-05 10:00:00) said\nError: x\n",
        "\x1b[31m(E) 2026-01-05T10:00:00 - no disk\x1b[0m\n",
        "\t(E) 2026-01-05T10:00:00 - no disk\n",
        "(2026-01-05 10:00:00) said\nTypeError: x\n",
        "10.0.0.7 - - [05/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 404 1\n/app/index.js:3\n",
    ] {
        let parts = [&NO_FORMAT.repeat(30), &b"Error: of no record\n"[..], &NO_FORMAT.repeat(30), record.as_bytes()];
        for seed in 1..50 {
            let (wrong, ..) = compare(
                &mut Chance(seed),
                &[NO_FORMAT.repeat(70), parts.concat().repeat(9)].concat(),
                true,
                usize::MAX,
            );
            assert_eq!(wrong, None);
        }
    }
}
