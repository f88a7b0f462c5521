//! The objects of all samples: `tests/objects/NAME.jsonl` holds what `OUTPUT=json` makes of `tests/formats/NAME.tsv`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sidetail::format::{Fields, Formats, Verdict, fields, unwrapped};
use sidetail::output::encode::encoding::Encoding;
use sidetail::output::encode::encodings::ENCODINGS;
use sidetail::output::encode::object::{Objects, RecordFront};

/// Set this to write what is expected anew, after a look at the difference.
const WRITE: &str = "SIDETAIL_WRITE_OBJECTS";

/// The records of a file of samples, and what the first line of each was found to be.
pub fn records(formats: &Formats, samples: &str) -> Vec<(Verdict, String)> {
    let mut records: Vec<(Verdict, String)> = Vec::new();
    for file in samples.split("# new file\n") {
        let mut judge = formats.judge(Path::new("/log/app.log"));
        let is_sample = |line: &&str| !line.starts_with('#');
        let lines: Vec<&str> =
            file.split_terminator('\n').filter(is_sample).filter_map(|line| line.splitn(4, '\t').nth(3)).collect();
        for (index, line) in lines.iter().enumerate() {
            let following = lines[index + 1..].join("\n");
            let verdict = judge.line(formats, line.as_bytes(), following.as_bytes());
            let line = line.strip_suffix('\r').unwrap_or(line);
            match records.last_mut().filter(|_| verdict.continues) {
                Some((_, record)) => *record += &format!("\n{line}"),
                None => records.push((verdict, line.to_owned())),
            }
        }
    }
    records
}

/// Returns the object, or the objects, of a record.
fn object(encoding: &Encoding, found: &Fields<'_>, record: &[u8]) -> String {
    let begin = encoding.object_fields().expect("an encoding of objects");
    let opening = (encoding.opening)(Path::new("app.log"), Path::new("/log/app.log"));
    let (mut objects, mut out) = (Objects::default(), Vec::new());
    objects.begin(begin, &RecordFront { opening: &opening, fields: found, record });
    match unwrapped(found.format, record) {
        Some(text) => objects.add_unwrapped(&mut out, &text),
        None => objects.add_record(&mut out, record, found, true),
    };
    String::from_utf8(out).expect("UTF-8")
}

fn samples() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    let mut paths: Vec<_> =
        fs::read_dir(directory).expect("the samples").map(|entry| entry.expect("one").path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_sample_becomes_the_object_that_is_expected() {
    let formats = Formats::default();
    let mut wrong = String::new();
    for path in samples() {
        let text = String::from_utf8_lossy(&fs::read(&path).expect("readable")).into_owned();
        let found: String = records(&formats, &text)
            .iter()
            .map(|(verdict, record)| {
                object(ENCODINGS[2], &fields(&formats, verdict, record.as_bytes()), record.as_bytes())
            })
            .collect();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects").join(name + ".jsonl");
        if std::env::var_os(WRITE).is_some() {
            fs::write(&expected, &found).expect("written");
        }
        let expected_text = fs::read_to_string(&expected).unwrap_or_default();
        for (found, expected) in found.lines().zip(expected_text.lines()).filter(|(found, expected)| found != expected)
        {
            let _ = writeln!(wrong, "is     {found}\nnot as {expected}");
        }
        assert_eq!(
            found.lines().count(),
            expected_text.lines().count(),
            "{} ({WRITE}=1 writes it anew)",
            expected.display()
        );
    }
    assert!(wrong.is_empty(), "{wrong}{WRITE}=1 writes what is expected anew");
}
