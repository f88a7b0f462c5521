//! Reading a line by one format, or by all of them in turn; what a container runtime wrote around a line is taken off, and the
//! line inside is read as any other.
//!
//! This is the one place that knows both the table and what stands within a wrapped line, so that no reader knows the table.

use super::block::{Format, Inside, Reader, RecordLines, Wrapped};
use super::catalog::{FORMATS, FormatId, FormatSet};
use super::formats::container::{self, UNESCAPED_MAX};
use super::formats::{json, logfmt};
use super::head::Head;
use super::level::Level;
use super::{continuation, fast, general};

/// Returns what a line of this format says; `None` if it is not of it.
pub(super) fn read(format: &Format, line: &[u8]) -> Option<Head> {
    let head = match format.read {
        Reader::Line(read) => read(line),
        Reader::Wrapping(unwrap) => Some(read_wrapped(&unwrap(line)?)),
        Reader::General => Some(general::read(line)),
    }?;
    if format.asks_general && head.level.is_none() {
        return Some(Head { level: general::read(line).level, header: 0, ..head });
    }
    Some(graver(format, line, head))
}

/// Returns what a line says whose header, but for its digits, was read before as `head`.
pub(super) fn read_behind(format: &Format, line: &[u8], head: Head) -> Head {
    let message = format.message.map_or(head.message, |message| message(line, head.header));
    graver(format, line, Head { message, ..head })
}

/// Returns what a header says, as an error if the line is one of the gravest sentences of its program.
fn graver(format: &Format, line: &[u8], head: Head) -> Head {
    let is_grave = !format.grave.is_empty()
        && head.level < Some(Level::Error)
        && format.grave.iter().any(|text| has_text(line, text));
    if is_grave { Head { level: Some(Level::Error), header: 0, ..head } } else { head }
}

/// Returns whether a line has a short text somewhere; to prepare a searcher for it would take longer than to search.
fn has_text(line: &[u8], text: &[u8]) -> bool {
    // Capitals and signs are rare, and so are some letters.
    let is_rare = |byte: &u8| !byte.is_ascii_lowercase() && *byte != b' ' || b"xqzjvbkw".contains(byte);
    let rare = text.iter().position(is_rare).unwrap_or(0);
    let is_here = |at: usize| at.checked_sub(rare).is_some_and(|start| line[start..].starts_with(text));
    text.get(rare).is_none_or(|byte| memchr::memchr_iter(*byte, line).any(is_here))
}

/// Returns what a line says that stands around another: if nothing is stated outside, the level is that of the line inside, and
/// where that continues a record it does so outside too.
// Few lines are wrapped, and the search through all formats is quicker without the room for what is inside them.
#[inline(never)]
fn read_wrapped(wrapped: &Wrapped<'_>) -> Head {
    let Wrapped { time, level, is_open, start, inside } = *wrapped;
    let (inside, message) = match inside {
        Inside::Plain(text) => {
            let head = read_inside(text);
            (head, start.saturating_add(head.message))
        }
        Inside::Escaped(text) => (read_escaped(text), start),
        Inside::Message(text) => {
            // Whoever pipes JSON or pairs into syslog has nearly always one priority for all of it.
            let is_any = matches!(level, None | Some(Level::Info | Level::Notice));
            let inside = if is_any { level_of_members(text) } else { None };
            let level = inside.or(level).or_else(|| level_of_message(text));
            (Head { level, ..Head::default() }, start)
        }
    };
    Head { time, message, is_open, header: 0, ..inside }
}

/// Returns the level that a message states at its front.
fn level_of_message(text: &[u8]) -> Option<Level> {
    general::read(text).level.or_else(|| logfmt::read(text)?.level)
}

/// Returns the level of a message that is an object, or begins with two pairs at least.
fn level_of_members(text: &[u8]) -> Option<Level> {
    if text.first() == Some(&b'{') {
        return json::read(text)?.level;
    }
    let mut words = text.splitn(3, |byte| *byte == b' ');
    let are_pairs = (0..2).all(|_| words.next().is_some_and(|word| word.contains(&b'=')));
    if are_pairs { logfmt::read(text)?.level } else { None }
}

fn read_escaped(escaped: &[u8]) -> Head {
    let mut buffer = [0; UNESCAPED_MAX];
    let length = container::unescape(escaped, &mut buffer);
    let mut text = &buffer[..length];
    while let Some((b'\n' | b'\r', front)) = text.split_last() {
        text = front;
    }
    read_inside(text)
}

/// Reads the line inside. A runtime's line inside another is not looked into, so this goes one step deep.
fn read_inside(text: &[u8]) -> Head {
    if matches!(text.first(), Some(b' ' | b'\t')) || continuation::continues(text, false, None) {
        return Head { continues: true, ..Head::default() };
    }
    if container::begins_wrapped(text) {
        return Head::default();
    }
    let head = find(text).map(|(_, head)| head);
    head.unwrap_or_else(|| general::read(text))
}

/// Returns the first built-in format but `plain` that claims the line, and what it reads; those that raise no alarms are not asked.
pub(super) fn find(line: &[u8]) -> Option<(FormatId, Head)> {
    first_of(fast::candidates(line).without(UNALARMED), line)
}

/// The same of all formats.
pub(super) fn find_among_all(line: &[u8]) -> Option<(FormatId, Head)> {
    first_of(fast::candidates(line), line)
}

fn first_of(mut formats: FormatSet, line: &[u8]) -> Option<(FormatId, Head)> {
    formats.find_map(|index| Some((FormatId::at(index), read(&FORMATS[index], line)?)))
}

/// The formats that raise no alarms.
static UNALARMED: FormatSet = {
    let (mut unalarmed, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        if FORMATS[index].has_no_alarms {
            unalarmed = unalarmed.add(index);
        }
        index += 1;
    }
    unalarmed
};

/// The formats whose records may have lines without a header.
static MULTIPLE: FormatSet = {
    let (mut multiple, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        if !matches!(FORMATS[index].lines, RecordLines::Single) || FORMATS[index].is_quoting {
            multiple = multiple.add(index);
        }
        index += 1;
    }
    multiple
};

/// Returns whether lines without a header may belong to a record that begins with this line, of a built-in format or of none.
pub(super) fn begins_multiple_lines(line: &[u8]) -> bool {
    fast::candidates(line).and(MULTIPLE).any(|index| read(&FORMATS[index], line).is_some()) || general::has_time(line)
}

/// The formats of which a line may say that it belongs to the record before it.
static CONTINUING: FormatSet = {
    let (mut continuing, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        if may_continue(&FORMATS[index]) {
            continuing = continuing.add(index);
        }
        index += 1;
    }
    continuing
};

/// Returns whether a line of the format may say that it belongs to the record before it.
pub(super) const fn may_continue(format: &Format) -> bool {
    format.may_continue || matches!(format.read, Reader::Wrapping(_))
}

/// Returns whether a line begins a record whatever stands before it, unless that is open, because it has a time: of all formats
/// those few are asked that may say otherwise. It may begin one also if this says no.
pub(super) fn begins_by_time(line: &[u8]) -> bool {
    let continues = |index: usize| read(&FORMATS[index], line).is_some_and(|head| head.continues);
    general::has_time_and_more(line)
        && !continuation::continues(line, true, Some(Level::Fatal))
        && !continuation::is_error_behind_prefix(line)
        && !fast::candidates(line).and(CONTINUING).any(continues)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `line` is of the format `name`; its time stands between `<` and `>`, its message behind `^`.
    fn check(name: &str, line: &str) {
        let mark = |mark: char| line.find(mark).map_or(0, |at| at - line[..at].matches(['<', '>', '^']).count());
        let plain = line.replace(['<', '>', '^'], "");
        let format = FORMATS.iter().find(|format| format.name == name).expect("a format");
        let head = read(format, plain.as_bytes()).unwrap_or_else(|| panic!("{name} does not claim {plain:?}"));
        let found = (head.time.start as usize, head.time.end as usize, head.message as usize);
        assert_eq!(found, (mark('<'), mark('>'), mark('^')), "{name}: {plain:?}");
    }

    #[test]
    fn times_and_messages_stand_where_they_are_written() {
        for (name, line) in [
            ("klog", "I<0105 10:00:00.123456>       1 server.go:153] ^x"),
            ("go", "<2026/01/05 10:00:00> main.go:23: ^x"),
            ("go", "<2026-01-05T10:00:00.123Z>\tINFO\t^main.go:1\tx"),
            ("go", "INFO[<0042>] ^x"),
            ("log4j", "<2026-01-05 10:00:00,123> INFO  ^[main] c.e.App: x"),
            ("log4j", "[<2026-01-05T10:00:00,123>][INFO ]^[o.e.n.Node] x"),
            ("log4j", "<26/01/05 10:00:00> INFO ^SparkContext: x"),
            ("jul", "<Jan 05, 2026 9:00:00 AM> com.example.App main"),
            ("jul", "<05-Jan-2026 10:00:00.123> INFO ^[main] x"),
            ("python", "WARNING:root:^x"),
            ("python", "<2026-01-05 10:00:00,123> - app - INFO - ^x"),
            ("python", "[<2026-01-05 10:00:00,123>: INFO/MainProcess] ^x"),
            ("gunicorn", "[<2026-01-05 10:00:00 +0000>] [1] [INFO] ^x"),
            ("uwsgi", "[pid: 1|app: 0|req: 1/1] ::1 () {2 vars in 3 bytes} [<Mon Jan  5 10:00:00 2026>] GET /"),
            ("env_logger", "[<2026-01-05T10:00:00Z> INFO  my_crate] ^x"),
            ("tracing", "<2026-01-05T10:00:00.123456Z>  INFO ^my_crate: x"),
            ("dotnet", "[<10:00:00> INF] ^x"),
            ("dotnet", "<2026-01-05 10:00:00.123 +00:00> [INF] ^x"),
            ("logcat", "<01-05 10:00:00.123>  1234  1240 D Tag: ^x"),
            ("monolog", "[<2026-01-05T10:00:00.123456+00:00>] app.INFO: ^x"),
            ("rails", "I, [<2026-01-05T10:00:00.123456> #12]  INFO -- : ^x"),
        ] {
            check(name, line);
        }
    }

    /// The lines of the samples of all formats.
    fn samples() -> Vec<Vec<u8>> {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
        let files = std::fs::read_dir(directory).expect("the samples").map(|entry| entry.expect("readable").path());
        let texts = files.map(|path| std::fs::read(path).expect("readable"));
        let column = |row: &[u8]| row.splitn(4, |byte| *byte == b'\t').nth(3).map(<[u8]>::to_owned);
        texts.flat_map(|text| text.split(|byte| *byte == b'\n').filter_map(column).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn no_other_format_says_that_a_line_continues() {
        let mut count = 0;
        for line in &samples() {
            for format in FORMATS.iter().filter(|format| read(format, line).is_some_and(|head| head.continues)) {
                assert!(may_continue(format), "{}: {:?}", format.name, String::from_utf8_lossy(line));
                count += 1;
            }
        }
        assert!(count > 10, "{count}");
    }

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        for text in [&b" exited on signal "[..], b" is DOWN", b"aaab", b"a", b"", b"ab ab"] {
            for line in
                [&b" exited on signal 9"[..], b"x is DOWN", b" is DOW is DOWN.", b"aaaab", b"ab aab ab", b"", b"b"]
            {
                let expected = memchr::memmem::find(line, text).is_some();
                assert_eq!(has_text(line, text), expected, "{text:?} {line:?}");
            }
        }
    }

    #[test]
    fn no_format_that_claims_a_sample_is_left_out_by_the_looks_of_its_front() {
        let mut count = 0;
        for line in &samples() {
            let candidates = fast::candidates(line);
            for (index, format) in FORMATS[..FORMATS.len() - 1].iter().enumerate() {
                // Lines that begin with a blank, or that are pinned, are read without this.
                if read(format, line).is_some() && !line.starts_with(b" ") {
                    let shown = String::from_utf8_lossy(line);
                    assert!(candidates.has(index), "{} is not asked of {shown:?}", format.name);
                    count += 1;
                }
            }
        }
        assert!(count > 500, "{count}");
    }

    /// What may stand behind a header that says everything.
    const RESTS: &[&[u8]] = &[
        b"",
        b"x",
        b" ",
        b"ERROR x",
        b"[main] x",
        b"- x",
        b": x",
        b"1 --- [a]",
        b"com.example.App - x",
        b"INFO",
        b"\",\"level\":\"error\"}",
        b"level=error",
        b"\x1b[31mx",
        b"\xff",
    ];

    /// The samples' headers, with other digits in them and other text behind them, are read as in the samples.
    #[test]
    fn what_stands_behind_a_header_and_which_digits_are_in_it_changes_nothing() {
        let mut count = 0;
        for line in &samples() {
            for format in FORMATS {
                let Some(head) = read(format, line).filter(|head| head.header > 0) else { continue };
                let header = &line[..head.header as usize];
                // A smaller digit leaves a time possible, but for day and month 0.
                let smaller = |byte: &u8| if (b'2'..=b'9').contains(byte) { byte - 1 } else { *byte };
                let others: Vec<u8> = header.iter().map(smaller).collect();
                for front in [header, &others] {
                    for rest in RESTS {
                        let text = [front, rest].concat();
                        let found = read(format, &text).map(|found| (found.level, found.time, found.continues));
                        let wanted = Some((head.level, head.time, head.continues));
                        assert_eq!(found, wanted, "{}: {:?}", format.name, String::from_utf8_lossy(&text));
                        count += 1;
                    }
                }
            }
        }
        assert!(count > 1000, "{count}");
    }

    /// What the format that a container runtime's line is of reads from it.
    fn head(line: &str) -> Head {
        let name = if line.starts_with('{') { "docker" } else { "cri" };
        let format = FORMATS.iter().find(|format| format.name == name).expect("a format");
        read(format, line.as_bytes()).expect(line)
    }

    #[test]
    fn the_message_is_what_the_program_wrote() {
        let check = |line: &str, message: &str, time: &str| {
            let head = head(line);
            assert!(line[head.message as usize..].starts_with(message), "{line}: {}", head.message);
            assert_eq!(String::from_utf8_lossy(head.time.of(line.as_bytes())), time, "{line}");
        };
        check("2026-01-05T10:00:00.1Z stdout F hello", "hello", "2026-01-05T10:00:00.1Z");
        check(
            "2026-01-05T10:00:00+01:00 stderr F 2026/01/05 10:00:00 [error] 1#1: x",
            "x",
            "2026-01-05T10:00:00+01:00",
        );
        check(
            r#"{"log":"hello\n","stream":"stderr","time":"2026-01-05T10:00:00.1Z"}"#,
            "hello",
            "2026-01-05T10:00:00.1Z",
        );
        check(r#"{"log":"hello\n","stream":"stderr"}"#, "hello", "");
    }

    #[test]
    fn a_runtimes_line_within_another_is_not_looked_into() {
        let nested = "2026-01-05T10:00:00Z stdout F ".repeat(3000) + "ERROR: x";
        assert_eq!(head(&nested).level, None);
        let once = "2026-01-05T10:00:00Z stdout F ERROR: x";
        assert_eq!(head(once).level, Some(Level::Error));
    }
}
