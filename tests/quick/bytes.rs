//! Bytes as they are: every value, byte order marks, UTF-16, pieces of long lines, unfinished lines after a while.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Program, command, pipe};
use crate::support::rotator::by_ticks_alone;

/// Long enough that unfinished lines are seen to wait, short enough that many may be waited for.
const PARTIAL: &str = "400ms";
const PARTIAL_TIMEOUT: Duration = Duration::from_millis(400);

/// A program whose stdout is compared byte by byte, not as text.
struct Exact {
    program: Program,
    collected: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Exact {
    fn on(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let paths = format!("{}/*.log", directory.display());
        let (reader, writer) = pipe();
        let variables = [&[("PATHS", paths.as_str())], variables].concat();
        let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
        let collected = Arc::new(Mutex::new(Vec::new()));
        let (mut pipe, to) = (File::from(reader), Arc::clone(&collected));
        let reader = thread::spawn(move || {
            let mut block = vec![0; 64 * 1024];
            while let Ok(bytes @ 1..) = pipe.read(&mut block) {
                to.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&block[..bytes]);
            }
        });
        Self { program, collected, reader }
    }

    fn bytes(&self) -> Vec<u8> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[track_caller]
    fn expect(&self, expected: &[u8]) {
        let found = wait_for(|| (self.bytes() == expected).then_some(()), DEADLINE);
        assert!(found.is_some(), "{} instead of {}", shown(&self.bytes()), shown(expected));
    }

    /// Ends it; all that it gave must be this.
    #[track_caller]
    fn end_with(self, expected: &[u8]) {
        assert_eq!(self.program.terminate().status.code(), Some(0));
        self.reader.join().expect("reading does not fail");
        let found = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(*found == expected, "{} instead of {}", shown(&found), shown(expected));
    }
}

/// The bytes in the form of a byte string, of long ones the beginning.
fn shown(bytes: &[u8]) -> String {
    format!("{} bytes \"{}\"", bytes.len(), bytes[..bytes.len().min(300)].escape_ascii())
}

fn utf16(text: &str, to_bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

/// Writes the bytes at once, and in another file byte by byte; both must come out as they are.
#[track_caller]
fn passes_unchanged(bytes: &[u8]) {
    let dir = directory();
    append(&dir.path().join("a.log"), bytes);
    let program = Exact::on(dir.path(), &[]);
    program.expect(bytes);
    let mut file = OpenOptions::new().create(true).append(true).open(dir.path().join("b.log")).expect("a file");
    for byte in bytes {
        file.write_all(&[*byte]).expect("written");
    }
    let twice = bytes.repeat(2);
    program.expect(&twice);
    program.end_with(&twice);
}

#[test]
fn carriage_returns_pass_unchanged() {
    passes_unchanged(b"dos\r\n\r\nprogress 1\rprogress 2\r\r\n\n\rend\n");
}

#[test]
fn nul_bytes_that_somebody_wrote_pass_unchanged() {
    passes_unchanged(b"\0\0leading\nin\0side\n\0\n\0\0\0\n\ntrailing\0\n");
    passes_unchanged(&[&[0; 10_000][..], b"\n", &[0; 5000], b"text\n"].concat());
}

#[test]
fn invalid_utf8_passes_unchanged() {
    passes_unchanged(b"\xff\xfe\xfd\n\xc3(\n\xe2\x82\n\xf0\x9f\x92\n\xed\xa0\x80\n\x80\n\xc0\xaf\n");
}

#[test]
fn empty_lines_pass_unchanged() {
    passes_unchanged(b"\n");
    passes_unchanged(b"\n\n\nbetween\n\n\n");
    passes_unchanged(&b"\n".repeat(5000));
}

#[test]
fn a_byte_order_mark_passes_unchanged() {
    passes_unchanged(b"\xef\xbb\xbffirst\n\xef\xbb\xbfnot the first\n");
}

#[test]
fn utf16_passes_unchanged() {
    passes_unchanged(&utf16("\u{feff}one\ntwo \u{1f4a9}\n", u16::to_be_bytes));
    // In the other order a newline is followed by its NUL, which waits as the beginning of the next line.
    let text = utf16("\u{feff}one\ntwo\n", u16::to_le_bytes);
    let dir = directory();
    append(&dir.path().join("a.log"), &text);
    let program = Exact::on(dir.path(), &[]);
    program.expect(&text[..text.len() - 1]);
    let more = utf16("three\n", u16::to_le_bytes);
    append(&dir.path().join("a.log"), &more);
    let all = [text, more].concat();
    program.expect(&all[..all.len() - 1]);
    program.end_with(&[&all[..], b"\n"].concat());
}

#[test]
fn other_separators_are_no_ends_of_lines() {
    passes_unchanged("vertical\u{b}tab form\u{c}feed next\u{85}line line\u{2028}separator\u{1e}record\n".as_bytes());
}

/// What 1 KiB of each of these letters gives; everything else stays as it is.
fn in_kib(letters: &str) -> String {
    letters
        .chars()
        .map(|one| if one.is_ascii_lowercase() { one.to_string().repeat(1024) } else { one.into() })
        .collect()
}

#[test]
fn pieces_of_max_line_do_not_depend_on_how_a_line_is_written() {
    for chunk in [1, 1000, 1024, 4096, 5000, 100_000] {
        let dir = directory();
        let path = dir.path().join("a.log");
        append(&path, "");
        let program = Exact::on(dir.path(), &[("MAX_LINE", "1Ki")]);
        for bytes in in_kib("a\nbc\nd1\nefg1\n\nh\n1\n").as_bytes().chunks(chunk) {
            append(&path, bytes);
        }
        let expected = in_kib("a\nb\nc\nd\n1\ne\nf\ng\n1\n\nh\n1\n");
        program.expect(expected.as_bytes());
        program.end_with(expected.as_bytes());
    }
}

#[test]
fn a_line_of_exactly_max_line_waits_for_its_newline() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, in_kib("1\na"));
    let program = Exact::on(dir.path(), &[("MAX_LINE", "1Ki")]);
    program.expect(b"1\n");
    append(&dir.path().join("b.log"), "later\n");
    program.expect(b"1\nlater\n");
    append(&path, in_kib("\nb2"));
    let mut expected = in_kib("1\nL\na\nb\n").replace('L', "later");
    program.expect(expected.as_bytes());
    append(&path, "\n");
    expected += "2\n";
    program.expect(expected.as_bytes());
    program.end_with(expected.as_bytes());
}

#[test]
fn every_piece_of_a_long_line_has_the_prefix() {
    let dir = directory();
    let (one, rest) = ("x".repeat(100_000), "x".repeat(50_000));
    append(&dir.path().join("a.log"), format!("{one}{one}{rest}\nshort\n"));
    let program = Exact::on(dir.path(), &[("MAX_LINE", "100k"), ("OUTPUT", "prefix")]);
    let expected = format!("[a.log] {one}\n[a.log] {one}\n[a.log] {rest}\n[a.log] short\n");
    program.expect(expected.as_bytes());
    program.end_with(expected.as_bytes());
}

#[test]
fn all_pieces_of_a_line_go_where_its_beginning_went() {
    let dir = directory();
    append(&dir.path().join("a.log"), in_kib("ERROR a1\nb ERROR\nERROR\n"));
    let program = Program::on(dir.path(), &[("MAX_LINE", "1Ki"), ("STDERR", "match:^ERROR"), ("DROP", "match:^never")]);
    let a = "a".repeat(1024);
    let (first, rest) = a.split_at(1024 - "ERROR ".len());
    let (stdout, stderr) = (in_kib("b\n ERROR\n"), format!("ERROR {first}\n{rest}1\nERROR\n"));
    program.expect_stderr(&stderr);
    program.expect_stdout(&stdout);
    let ended = program.terminate();
    assert_eq!((ended.stdout, ended.stderr), (stdout, stderr));
}

#[test]
fn an_unfinished_line_comes_after_partial_timeout_and_its_rest_as_a_line_of_its_own() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "whole\n");
    let program = Exact::on(dir.path(), &[("PARTIAL_TIMEOUT", PARTIAL)]);
    program.expect(b"whole\n");
    let written = Instant::now();
    append(&path, "half");
    program.expect(b"whole\nhalf\n");
    assert!(written.elapsed() >= PARTIAL_TIMEOUT, "after {:?}", written.elapsed());
    append(&path, " and the rest\nnext\n");
    program.expect(b"whole\nhalf\n and the rest\nnext\n");
    program.end_with(b"whole\nhalf\n and the rest\nnext\n");
}

#[test]
fn unfinished_lines_behind_whole_ones_come_after_partial_timeout_and_not_at_the_next_tick() {
    const LINES: u32 = 8;
    let dir = directory();
    let path = dir.path().join("a.log");
    let program = Exact::on(dir.path(), &[("PARTIAL_TIMEOUT", PARTIAL)]);
    let (start, mut expected) = (Instant::now(), String::new());
    for number in 0..LINES {
        append(&path, format!("whole\n{number} half"));
        expected += &format!("whole\n{number} half\n");
        program.expect(expected.as_bytes());
        append(&path, "\n");
    }
    assert!(start.elapsed() < by_ticks_alone(LINES), "after {:?}", start.elapsed());
    program.end_with(expected.as_bytes());
}

#[test]
fn an_unfinished_line_behind_one_that_was_finished_in_time_has_its_own_timeout() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "first\n");
    let program = Exact::on(dir.path(), &[("PARTIAL_TIMEOUT", "4s")]);
    program.expect(b"first\n");
    append(&path, "ha");
    // It is seen unfinished, and finished when a part of its time is over; the next one has all of its own.
    thread::sleep(Duration::from_secs(1));
    append(&path, "lf\n");
    program.expect(b"first\nhalf\n");
    let written = Instant::now();
    append(&path, "next");
    program.expect(b"first\nhalf\nnext\n");
    assert!(written.elapsed() >= Duration::from_secs(4), "after {:?}", written.elapsed());
    program.end_with(b"first\nhalf\nnext\n");
}

#[test]
fn an_unfinished_line_that_is_cut_off_while_its_stream_is_blocked_begins_anew() {
    let dir = directory();
    let path = dir.path().join("a.log");
    let (reader, writer) = pipe();
    let paths = format!("{}/*.log", dir.path().display());
    let variables =
        [("PATHS", &*paths), ("OUTPUT", "prefix"), ("PARTIAL_TIMEOUT", PARTIAL), ("STDERR", "file:mark.log")];
    let program = Program::spawn(command(&variables).stdout(writer).stderr(Stdio::piped()));
    // With its prefix each line is a page: a pipe has room by the page.
    let line = "b".repeat(4096 - "[b.log] \n".len()) + "\n";
    append(&dir.path().join("b.log"), line.repeat(40));
    let is_full = || (rustix::io::ioctl_fionread(&reader).expect("a pipe") == 65_536).then_some(());
    wait_for(is_full, DEADLINE).expect("a full pipe");
    append(&path, "half of a line");
    append(&dir.path().join("mark.log"), "looked\n");
    program.expect_stderr("[mark.log] looked\n");
    // The time of the unfinished line passes, and nothing of it can be streamed.
    thread::sleep(PARTIAL_TIMEOUT * 2);
    OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(4)).expect("truncated");
    let reader = thread::spawn(move || {
        let mut text = String::new();
        File::from(reader).read_to_string(&mut text).expect("ASCII");
        text
    });
    append(&dir.path().join("mark.log"), "read\n");
    program.expect_stderr("[mark.log] looked\n[mark.log] read\n");
    assert_eq!(program.terminate().status.code(), Some(0));
    let text = reader.join().expect("reading does not fail");
    let others: Vec<_> = text.lines().filter(|line| !line.starts_with("[b.log] b")).collect();
    assert_eq!((others, text.lines().count()), (vec!["[a.log] half"], 41));
}

#[test]
fn a_newline_after_an_unfinished_line_that_was_streamed_gives_no_empty_line() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "half");
    let program = Exact::on(dir.path(), &[("PARTIAL_TIMEOUT", PARTIAL)]);
    program.expect(b"half\n");
    append(&path, "\n");
    append(&path, "next\n");
    program.expect(b"half\nnext\n");
    // An empty line that somebody wrote is one.
    append(&path, "again");
    program.expect(b"half\nnext\nagain\n");
    append(&path, "\n\nlast\n");
    program.expect(b"half\nnext\nagain\n\nlast\n");
    program.end_with(b"half\nnext\nagain\n\nlast\n");
}

#[test]
fn a_newline_after_a_line_that_the_drain_ended_gives_no_empty_line() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "one\nhalf");
    let program = Exact::on(dir.path(), &[]);
    program.expect(b"one\n");
    program.end_with(b"one\nhalf\n");
    append(&path, "\n");
    append(&path, "two\n");
    let program = Exact::on(dir.path(), &[]);
    program.expect(b"two\n");
    program.end_with(b"two\n");
}

#[test]
fn a_line_that_is_finished_in_time_comes_whole() {
    let dir = directory();
    let path = dir.path().join("a.log");
    append(&path, "first\nha");
    let program = Exact::on(dir.path(), &[("PARTIAL_TIMEOUT", "1h")]);
    program.expect(b"first\n");
    append(&path, "lf");
    append(&dir.path().join("b.log"), "other\n");
    program.expect(b"first\nother\n");
    append(&path, " and half\n");
    program.expect(b"first\nother\nhalf and half\n");
    program.end_with(b"first\nother\nhalf and half\n");
}

#[test]
fn an_unfinished_line_of_many_reads_comes_after_partial_timeout_too() {
    let dir = directory();
    let path = dir.path().join("a.log");
    let long = "x".repeat(200_000);
    append(&path, &long);
    let program = Exact::on(dir.path(), &[("PARTIAL_TIMEOUT", PARTIAL)]);
    let mut expected = format!("{long}\n");
    program.expect(expected.as_bytes());
    append(&path, "\nnext\n");
    expected += "next\n";
    program.expect(expected.as_bytes());
    program.end_with(expected.as_bytes());
}

#[test]
fn lines_of_many_writers_up_to_max_line_are_never_mixed() {
    const MAX_LINE: usize = 1 << 20;
    const LENGTHS: [usize; 6] = [MAX_LINE, 10, 65_535, 65_536, 300_000, 0];
    let dir = directory();
    let letters = *b"abcd";
    let write = |letter: u8| {
        let path = dir.path().join(format!("{}.log", char::from(letter)));
        for length in LENGTHS {
            let line = [vec![letter; length], b"\n".to_vec()].concat();
            // In parts, so that the lines are met unfinished.
            for part in line.chunks(50_000) {
                append(&path, part);
            }
        }
    };
    let bytes: usize = LENGTHS.iter().map(|length| length + 1).sum();
    for variables in [&[][..], &[("STDERR", "match:^never")], &[("OUTPUT", "prefix")]] {
        let prefix_bytes = if variables == [("OUTPUT", "prefix")] { "[a.log] ".len() } else { 0 };
        let program = Exact::on(dir.path(), &[variables, &[("STATE", "off")]].concat());
        thread::scope(|scope| {
            for letter in letters {
                scope.spawn(move || write(letter));
            }
        });
        let expected = letters.len() * (bytes + LENGTHS.len() * prefix_bytes);
        let is_whole = || (program.bytes().len() >= expected).then_some(());
        wait_for(is_whole, DEADLINE).unwrap_or_else(|| panic!("{} bytes of {expected}", program.bytes().len()));
        let found = program.bytes();
        program.end_with(&found);
        for letter in letters {
            let name = char::from(letter);
            let of_file = |line: &&[u8]| line.strip_prefix(format!("[{name}.log] ").as_bytes()).is_some();
            let lines = found.split(|byte| *byte == b'\n');
            let lengths: Vec<usize> = match prefix_bytes {
                0 => lines.filter(|line| line.first() == Some(&letter)).map(<[u8]>::len).collect(),
                _ => lines.filter(of_file).map(|line| line.len() - prefix_bytes).collect(),
            };
            let expected: Vec<usize> = LENGTHS.into_iter().filter(|length| prefix_bytes > 0 || *length > 0).collect();
            assert_eq!(lengths, expected, "lines of {name}");
            std::fs::remove_file(dir.path().join(format!("{name}.log"))).expect("removed");
        }
        let letters_of = |line: &[u8]| line[prefix_bytes.min(line.len())..].windows(2).any(|pair| pair[0] != pair[1]);
        assert!(!found.split(|byte| *byte == b'\n').any(letters_of), "a line of two files");
    }
}
