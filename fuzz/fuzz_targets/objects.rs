//! Records as objects: every line is valid JSON of at most 16 KiB with its newline, and their messages make up the record.
#![no_main]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use sidetail::output::encode::encodings::ENCODINGS;
use sidetail::output::encode::object::{OBJECT_BYTES_MAX, Objects, RecordFront};
use sidetail::format::{Body, Fields, Formats, fields};

/// How long a record may become by repetition, in bytes.
const RECORD_BYTES_MAX: usize = 100_000;

type Object<'a> = BTreeMap<String, &'a RawValue>;

fn text_of(value: &RawValue) -> String {
    serde_json::from_str(value.get()).expect("a string")
}

fuzz_target!(|input: (u8, &[u8], &[u8], u16, Vec<&[u8]>)| {
    let (output, name, unit, times, later) = input;
    let of_objects: Vec<_> = ENCODINGS.iter().filter_map(|one| Some((one.opening, one.object_fields()?))).collect();
    let (opening, begin) = of_objects[usize::from(output) % of_objects.len()];
    let path = [b"/log/", name].concat();
    let path = Path::new(OsStr::from_bytes(&path));
    let opening = opening(path, path);
    let record = unit.repeat(usize::from(times).min(RECORD_BYTES_MAX / unit.len().max(1)));
    let formats = Formats::default();
    let verdict =
        formats.judge(path).line(&formats, record.split(|byte| *byte == b'\n').next().unwrap_or_default(), b"");
    // A header in fields, and pairs, are other tests': here the objects must make up the record byte for byte.
    let mut found: Fields<'_> = fields(&formats, &verdict, &record);
    if !matches!(found.body, Body::Json(_)) {
        found.body = Body::default();
    }
    let mut objects = Objects::default();
    objects.begin(begin, &RecordFront { opening: &opening, fields: &found, record: &record });
    let mut out = Vec::new();
    let mut invalid = objects.add_record(&mut out, &record, &found, true);
    let mut expected = String::from_utf8_lossy(&record).into_owned();
    let mut chunks = record.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    for more in later {
        invalid += objects.add(&mut out, more);
        expected.push_str(&String::from_utf8_lossy(more));
        chunks += more.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    }
    assert_eq!(invalid, chunks as u64);
    let out = std::str::from_utf8(&out).expect("UTF-8");
    assert!(out.ends_with('\n'));
    let mut whole = String::new();
    for (index, line) in out.lines().enumerate() {
        assert!(line.len() < OBJECT_BYTES_MAX, "{} bytes", line.len());
        let object: Object = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        match object.get("record") {
            Some(embedded) => {
                assert_eq!(index, 0);
                assert_eq!(embedded.get().len(), embedded.get().trim().len());
                let one_line = expected[..record.len()].replace(['\n', '\r'], " ");
                assert_eq!(embedded.get(), one_line.trim_end());
                whole.push_str(&expected[..record.len()]);
            }
            None => whole.push_str(&text_of(object["message"])),
        }
        let part = object.get("part").map(|part| part.get().parse::<usize>().expect("a number"));
        assert!(part == Some(index + 1) || index == 0 && part.is_none(), "{part:?} at {index}");
    }
    assert_eq!(whole, expected);
});
