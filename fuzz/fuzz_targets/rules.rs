//! Rules: no panic, messages of one line, and what was understood can be asked of any path and line.
#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sidetail::format::{Formats, Level};
use sidetail::output::rules::{Line, Router, Rule};

fuzz_target!(|input: (&str, &str, &[u8], &[u8], u8, u8)| {
    let (drop, stderr, name, bytes, format, level) = input;
    let formats = Formats::default();
    let parse = |text: &str| match Rule::parse_all(text, &formats) {
        Ok(rules) => rules,
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(!problem.is_empty() && !problem.contains('\n'), "{problem:?}");
            }
            Vec::new()
        }
    };
    let router = Router::new(parse(drop), parse(stderr));
    let path = [b"/", name].concat();
    let of_file = router.of_file(Path::new(OsStr::from_bytes(&path)));
    let names: Vec<&str> = formats.names().collect();
    let format = names[usize::from(format) % names.len()];
    let level = Level::ALL.get(usize::from(level) % (Level::ALL.len() + 1)).copied();
    let route = of_file.of_line(&Line { bytes, format, level });
    if let Some(fixed) = of_file.fixed() {
        assert_eq!(fixed, route);
    }
});
