//! Any bytes as blocks of lines: each is found to be the same however it is read, and where only errors are asked for, every line
//! goes where it would go if all lines were read.
//! The first lines decide the file's format, so each input begins with as many of a format as that takes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reader::{Reading, Run};

#[path = "../../tests/skim/reader.rs"]
mod reader;

/// What the first lines are; one of them decides.
const FIRST: [&str; 6] = [
    "2026-01-05 10:00:00,123 INFO [main] com.example.App - x",
    "{\"level\":\"info\",\"msg\":\"x\"}",
    "10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
    "2026-01-05T10:00:00.123456Z  INFO app: x",
    "<14>Jan  5 10:00:00 host app[1]: x",
    "x",
];

fuzz_target!(|input: (u8, u8, u8, &[u8])| {
    let (choice, cut, pinned, text) = input;
    let first = format!("{}\n", FIRST[usize::from(choice) % FIRST.len()]).repeat(70);
    let mut whole = text.to_vec();
    whole.push(b'\n');
    let middle = whole.len() * usize::from(cut) / 256;
    let middle =
        middle + whole[middle..].iter().position(|byte| *byte == b'\n').map_or(whole.len() - middle, |at| at + 1);
    let ways = [Reading::Full, Reading::Cached, Reading::Lazy];
    let [mut full, mut cached, mut lazy] =
        ways.map(|reading| Run::new(reading, choice & 0x80 == 0, usize::from(pinned)));
    for block in [first.as_bytes(), &whole[..middle], &whole[middle..]] {
        let expected = full.block(block);
        let routes = |verdicts: &[(bool, _)]| verdicts.iter().map(|(is_error, _)| *is_error).collect::<Vec<_>>();
        assert_eq!(cached.block(block), expected);
        assert_eq!(routes(&lazy.block(block)), routes(&expected));
    }
});
