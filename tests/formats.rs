//! Samples of every format, judged line by line: `tests/formats/NAME.tsv` holds what `sidetail classify` prints for them.
//!
//! A line is `FORMAT<TAB>LEVEL<TAB>STREAM<TAB>LINE`: `-` for no level, `+` before the format of a line that continues a
//! record. A line that begins with `#` is a comment; `# new file` begins another file. The lines themselves are the input.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use sidetail::format::{Formats, Judge, Level};
use sidetail::paths::glob::NameGlob;

#[path = "judging/objects.rs"]
mod objects;
#[path = "judging/words.rs"]
mod words;

/// Returns what is judged wrongly in one file of samples, and how many lines it has.
fn wrong(name: &str, samples: &str) -> (Vec<String>, usize) {
    let formats = Formats::default();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in samples.split("# new file\n") {
        let lines: Vec<&str> = file.split_terminator('\n').filter(|line| !line.starts_with('#')).collect();
        let mut judge: Judge = formats.judge(Path::new("/log/app.log"));
        for (index, line) in lines.iter().enumerate() {
            let input = line.splitn(4, '\t').nth(3).unwrap_or_else(|| panic!("{name}: no four columns: {line:?}"));
            let following: String = lines[index + 1..]
                .iter()
                .map(|line| format!("{}\n", line.splitn(4, '\t').nth(3).unwrap_or_default()))
                .collect();
            let verdict = judge.line(&formats, input.as_bytes(), following.as_bytes());
            let found = format!(
                "{}{}\t{}\t{}\t{input}",
                if verdict.continues { "+" } else { "" },
                formats.name(verdict.format),
                verdict.level.map_or("-", Level::name),
                if verdict.level >= Some(Level::Error) { "stderr" } else { "stdout" },
            );
            count += 1;
            if found != *line {
                wrong.push(format!("{name}: is     {found}\n{name}: not as {line}"));
            }
        }
    }
    (wrong, count)
}

#[test]
fn every_sample_is_judged_as_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    let mut mistakes = Vec::new();
    for entry in fs::read_dir(directory).expect("the samples") {
        let path = entry.expect("readable").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let samples = fs::read(&path).expect("readable");
        let (wrong, count) = wrong(&name, &String::from_utf8_lossy(&samples));
        println!("{name}: {count} lines");
        assert!(count >= 10, "{name}: {count} lines are too few");
        mistakes.extend(wrong);
    }
    assert!(mistakes.is_empty(), "{} mistakes:\n{}", mistakes.len(), mistakes.join("\n"));
}

#[test]
fn a_wrong_sample_is_found() {
    let (found, count) = wrong("x", "plain\terror\tstderr\tall is well\n# a comment\nplain\t-\tstdout\tall is well\n");
    assert_eq!((found.len(), count), (1, 2), "{found:?}");
}

/// Every format pinned, so that each of them is asked whatever the line looks like, and none pinned.
fn every_pin() -> Vec<(Formats, Judge)> {
    let known = Formats::default();
    let glob = NameGlob::parse(b"*").expect("a glob");
    let pinned = known.names().map(|name| {
        let id = known.by_name(name).expect("its own name");
        Formats { pins: vec![(glob.clone(), id)], ..Formats::default() }
    });
    let with_judge = |formats: Formats| {
        let judge = formats.judge(Path::new("/log/app.log"));
        (formats, judge)
    };
    pinned.chain([Formats::default()]).map(with_judge).collect()
}

/// Judges a line, and checks that what it says of the line lies within it.
fn judge_alone((formats, judge): &(Formats, Judge), line: &[u8]) {
    let verdict = { *judge }.line(formats, line, b"");
    let is_within = verdict.time.start <= verdict.time.end
        && verdict.time.end as usize <= line.len()
        && verdict.message as usize <= line.len();
    assert!(is_within, "{verdict:?} of {:?}", String::from_utf8_lossy(line));
}

/// The lines of all samples, each with the format that is written before it.
fn sample_lines() -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    let files = fs::read_dir(directory).expect("the samples").map(|entry| entry.expect("readable").path());
    let text: Vec<u8> = files.flat_map(|path| fs::read(path).expect("readable")).collect();
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    lines
        .map(|line| {
            let mut columns = line.splitn(4, |byte| *byte == b'\t');
            let format = String::from_utf8_lossy(columns.next().unwrap_or_default()).replace('+', "");
            (format, columns.nth(2).unwrap_or_default().to_vec())
        })
        .collect()
}

#[test]
fn a_line_cut_anywhere_is_judged_within_its_bounds() {
    let every = every_pin();
    for (format, line) in sample_lines() {
        // Pinned to its own format, and to none: then all formats are asked that it may be of.
        let own = every.iter().find(|(formats, _)| formats.pins.iter().any(|(_, id)| formats.name(*id) == format));
        for one in own.into_iter().chain(every.last()) {
            (0..=line.len()).for_each(|end| judge_alone(one, &line[..end]));
        }
    }
}

#[test]
fn a_line_with_a_byte_changed_is_judged_within_its_bounds() {
    let every = every_pin();
    let mut state: u64 = 0x5eed_2468_ace0_1357;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % limit
    };
    for (_, line) in sample_lines().iter().filter(|(_, line)| !line.is_empty()) {
        for _ in 0..10 {
            let mut changed = line.clone();
            for _ in 0..=below(4) {
                let at = below(changed.len());
                let other = b" []{}\"\\:<>-0aA\t\x1b\0\xff,.";
                changed[at] = other[below(other.len())];
            }
            every.iter().for_each(|one| judge_alone(one, &changed));
        }
    }
}

/// Returns the CPU time of this thread: how long anything takes beside others says nothing.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("not negative")
}

#[test]
fn a_long_line_of_anything_takes_linear_time() {
    let begun = [
        "",
        "2026-01-05T10:00:00Z stdout F ",
        "{\"log\":\"",
        "{\"a\":",
        "<1>1 - - - - - ",
        "a=\"",
        "10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] \"",
    ];
    let repeated = [
        " ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "\\",
        "\\\"",
        "<",
        ":",
        ":  ",
        "=",
        "a=",
        "0",
        "a",
        "A",
        ".",
        "-",
        "/",
        "\x1b[",
        "\x1b[m",
        "\0",
        "{\"log\":",
        "{\"a\":",
        "\"a\":1,",
        "[a",
        "[05/Jan",
        "a ",
        "a:",
        "2026-01-05T10:00:00Z stdout F ",
        "at ",
        "(",
        "ERROR:  ",
    ];
    let every = every_pin();
    for begin in begun {
        for unit in repeated {
            let count = (32 << 10) / unit.len();
            let mut line = (begin.to_owned() + &unit.repeat(count)).into_bytes();
            // What was opened may be closed, so that the nesting is whole.
            line.extend(std::iter::repeat_n(b'}', if unit.contains('{') { count } else { 0 }));
            for one in &every {
                let start = cpu_time();
                judge_alone(one, &line);
                let formats = &one.0;
                let name = formats.pins.first().map_or("every format", |(_, id)| formats.name(*id));
                // Linear is about a millisecond in a slow build; what is quadratic takes more than a second.
                assert!(cpu_time() - start < Duration::from_secs(1), "{name}: {begin:?} and then {unit:?}");
            }
        }
    }
}
