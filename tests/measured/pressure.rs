//! Memory is flat whatever comes. It is measured on the release program, which is what runs in a pod.

use std::fs::{self, File};
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::files::{append, directory};
use crate::support::program::{Program, command};
use crate::support::themes::memory::{FLAT_KIB, expect_small};
use crate::support::themes::pressure::{LINE_BYTES, Stalled, lines, numbers, paths, read, rest};

#[test]
fn while_stdout_is_blocked_and_files_rotate_memory_is_flat_and_nothing_is_lost() {
    const ROUNDS: usize = 20;
    const ROUND_LINES: usize = 3000;
    let dir = directory();
    let app = dir.path().join("app.log");
    append(&app, lines(0..ROUND_LINES));
    let stalled = Stalled::on(dir.path(), &[]);
    stalled.catch_up(dir.path(), "stalled");
    let mut before = 0;
    for round in 1..ROUNDS {
        for number in (1..round).rev() {
            let name = |number: usize| dir.path().join(format!("app.log.{number}"));
            fs::rename(name(number), name(number + 1)).expect("renamed");
        }
        fs::rename(&app, dir.path().join("app.log.1")).expect("renamed");
        append(&app, lines(round * ROUND_LINES..(round + 1) * ROUND_LINES));
        stalled.catch_up(dir.path(), &format!("round {round}"));
        if round == 2 {
            before = stalled.program.status_field("VmRSS");
        }
    }
    let grown = stalled.program.status_field("VmRSS").saturating_sub(before);
    assert!(grown <= FLAT_KIB, "{grown} KiB more while 5 MB waited");
    expect_small(&stalled.program, "stdout blocked, 20 rotations");
    let (text, pipe) = read(stalled.pipe, ROUNDS * ROUND_LINES * LINE_BYTES);
    let found = numbers(&text);
    let ended = stalled.program.terminate();
    assert_eq!((ended.status.code(), rest(pipe).len()), (Some(0), 0));
    for round in 0..ROUNDS {
        let of_file: Vec<_> = found.iter().copied().filter(|number| number / ROUND_LINES == round).collect();
        let expected: Vec<_> = (round * ROUND_LINES..(round + 1) * ROUND_LINES).collect();
        assert!(of_file == expected, "{} lines of round {round}, or in another order", of_file.len());
    }
}

#[test]
fn a_line_of_100_mb_comes_whole_in_little_memory() {
    const MEGABYTE: usize = 1_000_000;
    let dir = directory();
    let (long, part) = (dir.path().join("long.log"), "x".repeat(MEGABYTE));
    for _ in 0..60 {
        append(&long, &part);
    }
    let stalled = Stalled::on(dir.path(), &[("MAX_LINE", "200M")]);
    // Half of it is not streamed, and holds nothing up.
    append(&dir.path().join("short.log"), "short\n");
    let (short, pipe) = read(stalled.pipe, 6);
    assert_eq!(short, b"short\n");
    for _ in 60..100 {
        append(&long, &part);
    }
    append(&long, "\nnext\n");
    let (text, pipe) = read(pipe, 100 * MEGABYTE + 6);
    expect_small(&stalled.program, "a line of 100 MB");
    stalled.program.terminate();
    assert_eq!(rest(pipe), b"");
    let (line, next) = text.split_at(100 * MEGABYTE);
    assert!(line.chunks(MEGABYTE).all(|one| one == part.as_bytes()), "another byte within the line");
    assert_eq!(next, b"\nnext\n");
}

#[test]
fn a_line_of_100_mb_comes_in_pieces_of_max_line_in_little_memory() {
    const PIECE: usize = 1 << 20;
    const LINE: usize = 100_000_000;
    let dir = directory();
    append(&dir.path().join("long.log"), "x".repeat(LINE) + "\nnext\n");
    let stalled = Stalled::on(dir.path(), &[]);
    let (text, pipe) = read(stalled.pipe, LINE + LINE.div_ceil(PIECE) + "next\n".len());
    expect_small(&stalled.program, "a line of 100 MB in pieces");
    stalled.program.terminate();
    assert_eq!(rest(pipe), b"");
    let pieces: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).collect();
    let mut expected = vec![PIECE + 1; LINE / PIECE];
    expected.extend([LINE % PIECE + 1, "next\n".len()]);
    assert_eq!(pieces, expected);
}

#[test]
fn a_hole_of_10_gib_before_the_first_line_is_skipped() {
    for beyond_block in [0, 1000] {
        let dir = directory();
        let path = dir.path().join("a.log");
        File::create(&path).expect("created").set_len((10 << 30) + beyond_block).expect("a sparse file");
        append(&path, "first\nsecond\n");
        let variables = [("PATHS", &*paths(dir.path()))];
        let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(Stdio::piped()));
        program.expect_stdout("first\nsecond\n");
        append(&path, "third\n");
        program.expect_stdout("first\nsecond\nthird\n");
        expect_small(&program, "a hole of 10 GiB");
        assert_eq!(program.terminate().stdout, "first\nsecond\nthird\n");
    }
}

#[test]
fn a_file_without_any_newline_comes_in_pieces_of_max_line() {
    const PIECE: usize = 1 << 20;
    const BYTES: usize = 50_000_000;
    let dir = directory();
    append(&dir.path().join("a.log"), vec![b'x'; BYTES]);
    let stalled = Stalled::on(dir.path(), &[("DRAIN_TIMEOUT", "10s")]);
    let (text, pipe) = read(stalled.pipe, BYTES / PIECE * (PIECE + 1));
    let is_piece = |piece: &[u8]| piece.len() == PIECE + 1 && piece.ends_with(b"\n");
    assert!(text.split_inclusive(|byte| *byte == b'\n').all(is_piece));
    expect_small(&stalled.program, "50 MB without a newline");
    // A file's last line is given a newline at the end.
    stalled.program.signal(Signal::TERM);
    let rest = rest(pipe);
    assert_eq!(stalled.program.wait().status.code(), Some(0));
    assert!(rest.len() == BYTES % PIECE + 1 && rest.ends_with(b"x\n"), "{} bytes at the end", rest.len());
}

#[test]
fn a_thousand_files_take_little_memory() {
    let dir = directory();
    let write = |round: usize| {
        for number in 0..1000 {
            append(&dir.path().join(format!("{number}.log")), format!("round {round} of {number}\n"));
        }
    };
    write(0);
    let variables = [("PATHS", &*paths(dir.path()))];
    let program = Program::spawn(command(&variables).stdout(Stdio::piped()).stderr(Stdio::piped()));
    program.expect(|| program.stdout().lines().count() == 1000, "1,000 lines");
    for round in 1..5 {
        write(round);
        program.expect(|| program.stdout().lines().count() == (round + 1) * 1000, "1,000 lines more");
    }
    expect_small(&program, "1,000 files");
    let mut found: Vec<_> = program.terminate().stdout.lines().map(ToOwned::to_owned).collect();
    let mut expected: Vec<_> =
        (0..5000).map(|number| format!("round {} of {}", number / 1000, number % 1000)).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert!(found == expected, "lines lost or repeated");
}
