//! Samples of every format, judged line by line: `tests/formats/NAME.tsv` holds what `sidetail classify` prints for them.
//!
//! A line is `FORMAT<TAB>LEVEL<TAB>STREAM<TAB>LINE`: `-` for no level, `+` before the format of a line that continues a
//! record. A line that begins with `#` is a comment; `# new file` begins another file. The lines themselves are the input.

use std::fs;
use std::path::Path;

use sidetail::format::{Formats, Judge};
use sidetail::level::Level;

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
