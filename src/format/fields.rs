//! What a record says of itself, for outputs that show it in fields of their own.
//!
//! What a record does not say, or does not say for certain, is left out. It is not asked of lines that are streamed as they are.

use super::attribute::Attribute;
use super::bare_outline;
use super::block::Format;
use super::catalog::{FORMATS, FormatId, FormatSet};
use super::head::Span;
use super::header_layout::{self, ReadSoFar};
use super::json_object::{JsonValue, Members};
use super::judge::{Formats, Verdict};
use super::level::Level;
use super::outline::{Outline, is_usual_word};
use super::pairs::{PairValue, Pairs};
use super::time::{Time, Times};

/// The fields of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Its own time as RFC 3339; one that it states without an offset is one of the configured zone.
    pub time: Option<Time>,
    /// The name of its format.
    pub format: &'a str,
    /// Its level.
    pub level: Option<Level>,
    /// What else it is.
    pub body: Body<'a>,
}

/// What a record is beyond time and level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// An object of JSON, with what it calls its message, as the inside of a JSON string.
    Json(Option<&'a [u8]>),
    /// A line of logfmt, with what it calls its message.
    Pairs(Option<PairValue<'a>>),
    /// Any other, of which the outline tells what stands where.
    Text(Outline),
}

impl Default for Body<'_> {
    fn default() -> Self {
        Self::Text(Outline::default())
    }
}

impl<'a> Fields<'a> {
    /// Returns the fields of a record of which nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self { time: None, format: "", level: None, body: Body::default() }
    }

    /// Returns what the header of `record`, which begins as the one that was read, says beyond time and level.
    pub fn attributes<'b>(&'b self, record: &'b [u8]) -> impl Iterator<Item = (Attribute, &'b [u8])> + Clone {
        let outline = match &self.body {
            Body::Text(outline) => Some(outline),
            Body::Json(_) | Body::Pairs(_) => None,
        };
        outline.into_iter().flat_map(|outline| outline.attributes(record))
    }
}

/// Returns the fields of a record of which `verdict` was found; `record` begins with its first line, and holds as many of its
/// others as are known.
#[must_use]
pub fn fields<'a>(formats: &'a Formats, verdict: &Verdict, record: &'a [u8]) -> Fields<'a> {
    let (name, level) = (formats.name(verdict.format), verdict.level);
    let built_in = verdict.format.built_in();
    let is_wrapped = built_in.is_some_and(|format| format.unwrap.is_some());
    if let Some(inside) = record.strip_prefix(b"{").filter(|_| !is_wrapped) {
        let (time, message) = time_and_message(inside, &formats.times);
        return Fields { time, format: name, level, body: Body::Json(message) };
    }
    let line = first_line(record);
    let time = Time::read(verdict.time.of(line), &formats.times);
    if name == "logfmt"
        && let Some(message) = Pairs::whole(line, is_message)
    {
        let time = time.or_else(|| {
            let value = Pairs::new(line).find(|(key, _)| is_time(key))?.1;
            Time::read(value.text(), &formats.times)
        });
        return Fields { time: time.map(|(time, _)| time), format: name, level, body: Body::Pairs(message) };
    }
    let found = ReadSoFar { time: verdict.time, level };
    let mut outline = match built_in {
        Some(_) if is_wrapped => of_wrapped(record, verdict.time),
        Some(format) => outline(format, record, line, &found, verdict),
        None => bare_outline::of_known(line, &found, verdict.message),
    };
    // The slow log's, which its reader does not know.
    let time = time.or_else(|| Time::read(outline.places.time.of(line), &formats.times));
    keep_words(&mut outline, record, level, time.is_some_and(|(_, is_certain)| is_certain));
    Fields { time: time.map(|(time, _)| time), format: name, level, body: Body::Text(outline) }
}

/// Returns the outline of a record of a built-in format.
fn outline(format: &Format, record: &[u8], line: &[u8], found: &ReadSoFar, verdict: &Verdict) -> Outline {
    if let Some(read) = format.outline
        && let Some(outline) = read(record, found)
    {
        return outline;
    }
    if let Some(outline) = header_layout::lay_over(format.layouts, record, found) {
        return outline;
    }
    if verdict.format == FormatId::PLAIN {
        bare_outline::of_any(line, found)
    } else {
        bare_outline::of_known(line, found, verdict.message)
    }
}

/// Returns the outline of what a container runtime wrote: its stream. What it wrote it around is taken out otherwise.
fn of_wrapped(record: &[u8], time: Span) -> Outline {
    let mut outline = Outline::default();
    outline.places.time = time;
    let line = first_line(record);
    let streams = [&b"stdout"[..], b"stderr"];
    let before: &[u8] = if line.starts_with(b"{") { b"\"stream\":\"" } else { b" " };
    let from =
        if line.starts_with(b"{") { memchr::memmem::rfind(line, before).unwrap_or(0) } else { time.end as usize };
    let start = from + before.len();
    let rest = line.get(start..).unwrap_or_default();
    if let (Some(stream), Ok(start)) = (streams.iter().find(|stream| rest.starts_with(stream)), u32::try_from(start)) {
        outline.add(Attribute::Stream, Span { start, end: start + stream.len() as u32 });
    }
    outline
}

/// Keeps what a level or a time says beyond what is shown of it.
fn keep_words(outline: &mut Outline, record: &[u8], level: Option<Level>, is_time_certain: bool) {
    let word = outline.places.level.of(record);
    if !word.is_empty() && word[0].is_ascii_alphabetic() && !level.is_some_and(|level| is_usual_word(word, level)) {
        outline.add(Attribute::LevelText, outline.places.level);
    }
    if !is_time_certain && outline.places.time != Span::default() {
        outline.add(Attribute::TimeText, outline.places.time);
    }
}

/// Returns the first line of a record, without what ends it.
fn first_line(record: &[u8]) -> &[u8] {
    let line = memchr::memchr(b'\n', record).map_or(record, |end| &record[..end]);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns what a record of JSON calls its message, as the inside of a JSON string.
#[must_use]
pub(crate) fn message(record: &[u8]) -> Option<&[u8]> {
    time_and_message(record.strip_prefix(b"{")?, &Times::default()).1
}

/// Returns the first time among the members of an object, and its first message; if it has none that is called so, the first that
/// few call so.
fn time_and_message<'a>(inside: &'a [u8], times: &Times) -> (Option<Time>, Option<&'a [u8]>) {
    of_members(inside, times, true)
}

/// The same; `is_outer` says whether it is the record rather than an object within.
fn of_members<'a>(inside: &'a [u8], times: &Times, is_outer: bool) -> (Option<Time>, Option<&'a [u8]>) {
    let (mut time, mut message, mut rare) = (None, None, None);
    for (key, value) in Members::new(inside) {
        match value {
            JsonValue::Text(text) => {
                if message.is_none() && is_message(key) {
                    message = Some(text);
                } else if rare.is_none() && is_rare_message(key) {
                    rare = Some(text);
                } else if time.is_none() && is_time(key) {
                    time = Time::read(text, times).map(|(time, _)| time);
                } else if time.is_none() && is_number_of_time(key) {
                    time = Time::since_epoch(text);
                }
            }
            JsonValue::Other(text) if time.is_none() && is_time(key) => time = Time::since_epoch(text),
            // Google's
            JsonValue::Other(text) if time.is_none() && key == b"timestampSeconds" => {
                time = seconds_beside(inside, text)
            }
            JsonValue::Object(within) => {
                if time.is_none() && (is_time(key) || key == b"instant") {
                    time = time_within(within, times);
                }
                match key {
                    // loguru
                    b"record" if is_outer && (time.is_none() || message.is_none()) => {
                        let found = of_members(within, times, false);
                        (time, message) = (time.or(found.0), message.or(found.1));
                    }
                    // Rust's tracing-subscriber, and OpenTelemetry
                    b"fields" | b"body" | b"Body" if message.is_none() => message = message_within(within),
                    _ => {}
                }
            }
            JsonValue::Other(_) => {}
        }
        if time.is_some() && message.is_some() {
            break;
        }
    }
    (time, message.or(rare))
}

/// Returns the time that an object is: MongoDB's, log4j2's, Google's, loguru's.
fn time_within(inside: &[u8], times: &Times) -> Option<Time> {
    Members::new(inside).find_map(|(key, value)| match (key, value) {
        (b"$date", JsonValue::Text(text)) => Time::read(text, times).map(|(time, _)| time),
        (b"$date" | b"timestamp", JsonValue::Other(text)) => Time::since_epoch(text),
        (b"$date", JsonValue::Object(within)) => match Members::new(within).next()? {
            (b"$numberLong", JsonValue::Text(text)) => Time::since_epoch(text),
            _ => None,
        },
        (b"epochSecond" | b"seconds", JsonValue::Other(text)) => seconds_beside(inside, text),
        _ => None,
    })
}

/// Returns the time so many seconds after 1970 began, with the nanoseconds beside them.
fn seconds_beside(inside: &[u8], seconds: &[u8]) -> Option<Time> {
    let mut text = *b"0000000000.000000000";
    text[..10].copy_from_slice(seconds.get(..10).filter(|_| seconds.len() == 10)?);
    let is_nanoseconds = |key: &[u8]| matches!(key, b"nanoOfSecond" | b"nanos" | b"timestampNanos");
    let nanoseconds = Members::new(inside).find_map(|(key, value)| match value {
        JsonValue::Other(digits) if is_nanoseconds(key) => Some(digits),
        _ => None,
    });
    let Some(digits) = nanoseconds.filter(|digits| digits.len() <= 9) else { return Time::since_epoch(&text[..10]) };
    text[20 - digits.len()..].copy_from_slice(digits);
    Time::since_epoch(&text)
}

/// Returns the message within an object.
fn message_within(inside: &[u8]) -> Option<&[u8]> {
    Members::new(inside).find_map(|(key, value)| match value {
        JsonValue::Text(text) if is_message(key) || key == b"stringValue" => Some(text),
        _ => None,
    })
}

/// Returns the record without what a container runtime has wrapped around its lines, if one has.
///
/// `lines` ends without a newline.
#[must_use]
pub fn unwrapped(format: &str, lines: &[u8]) -> Option<Vec<u8>> {
    let mut known = UNWRAPPED;
    let unwrap = known.find(|index| FORMATS[*index].name == format).and_then(|index| FORMATS[index].unwrap)?;
    let mut record = Vec::with_capacity(lines.len());
    let mut is_open = true;
    for line in lines.split(|byte| *byte == b'\n') {
        if !is_open {
            record.push(b'\n');
        }
        is_open = unwrap(line, &mut record);
    }
    Some(record)
}

/// The formats that container runtimes write.
static UNWRAPPED: FormatSet = {
    let (mut formats, mut index) = (FormatSet::NONE, 0);
    while index < FORMATS.len() {
        formats = if FORMATS[index].unwrap.is_some() { formats.add(index) } else { formats };
        index += 1;
    }
    formats
};

fn is_time(key: &[u8]) -> bool {
    matches!(key, b"time" | b"ts" | b"timestamp" | b"@timestamp" | b"@t" | b"t" | b"datetime" | b"Timestamp")
}

/// Those of journald and OpenTelemetry are numbers between quotes.
fn is_number_of_time(key: &[u8]) -> bool {
    matches!(key, b"__REALTIME_TIMESTAMP" | b"timeUnixNano" | b"observedTimeUnixNano")
}

/// structlog, Serilog, OpenTelemetry, loguru.
fn is_rare_message(key: &[u8]) -> bool {
    matches!(key, b"event" | b"@mt" | b"RenderedMessage" | b"MessageTemplate" | b"body" | b"Body" | b"text")
}

fn is_message(key: &[u8]) -> bool {
    matches!(key, b"message" | b"msg" | b"@m" | b"MESSAGE" | b"@message" | b"short_message" | b"Message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The words that are written in layouts, outside of their names.
    fn words_of_layouts() -> BTreeSet<String> {
        let mut words: BTreeSet<_> = [
            "Time", "User", "Host", "Query", "time", "Lock", "Rows", "sent", "examined", "Thread", "id", "Id",
            "Schema", "Bytes", // Ruby's `Logger` has the level as a letter and as a word.
            "D", "I", "W", "E", "F", "A",
        ]
        .map(ToOwned::to_owned)
        .into();
        for pattern in FORMATS.iter().flat_map(|format| format.layouts).map(|layout| layout.pattern) {
            let literal = pattern.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, behind)| behind));
            for text in literal {
                words.extend(text.split(|letter: char| !letter.is_ascii_alphanumeric()).map(ToOwned::to_owned));
            }
        }
        words
    }

    /// What of a record is in no field: the words, not what stands between them.
    fn lost(found: &Fields<'_>, record: &str) -> Vec<String> {
        let Body::Text(outline) = &found.body else { return Vec::new() };
        let mut is_kept = vec![false; record.len()];
        let mut keep = |start: usize, end: usize| is_kept[start..end].iter_mut().for_each(|one| *one = true);
        let end =
            outline.places.message_end.filter(|_| !record.contains('\n')).map_or(record.len(), |end| end as usize);
        keep(outline.places.message as usize, end);
        let Span { start, end } = outline.places.time;
        keep(start as usize, end as usize);
        let place = outline.places.level;
        if found.level.is_some_and(|level| is_usual_word(place.of(record.as_bytes()), level)) {
            keep(place.start as usize, place.end as usize);
        }
        for (_, value) in outline.attributes(record.as_bytes()) {
            let start = value.as_ptr() as usize - record.as_ptr() as usize;
            keep(start, start + value.len());
        }
        // Colours are not shown.
        let mut rest: String =
            record.char_indices().map(|(at, letter)| if is_kept[at] { ' ' } else { letter }).collect();
        while let Some(start) = rest.find("\u{1b}[") {
            let end = rest[start..].find('m').map_or(rest.len(), |end| start + end + 1);
            rest.replace_range(start..end, " ");
        }
        let words = rest.split(|letter: char| letter.is_ascii_punctuation() || letter.is_whitespace());
        // MySQL writes a user twice.
        let is_said = |word: &str| outline.attributes(record.as_bytes()).any(|(_, value)| value == word.as_bytes());
        words.filter(|word| !word.is_empty() && *word != "\u{feff}" && !is_said(word)).map(ToOwned::to_owned).collect()
    }

    /// What a record says, as its format's reader and layouts find it.
    fn said(record: &str) -> String {
        let formats = Formats::default();
        let (line, following) = record.split_once('\n').unwrap_or((record, ""));
        let mut judge = formats.judge(Path::new("/log/app.log"));
        let verdict = judge.line(&formats, line.as_bytes(), following.as_bytes());
        let found = fields(&formats, &verdict, record.as_bytes());
        let Body::Text(outline) = &found.body else { panic!("{found:?}") };
        let named = |(attribute, value)| format!("{}={} ", Attribute::name(attribute), String::from_utf8_lossy(value));
        let said: String = found.attributes(record.as_bytes()).map(named).collect();
        format!("{}: {said}| {}", found.format, &record[outline.places.message as usize..])
    }

    #[test]
    fn a_thread_in_brackets_is_no_level() {
        let check = |record: &str, expected: &str| assert_eq!(said(record), expected, "{record:?}");
        let time = "time-text=2026-01-05 10:00:00,123";
        check("[2026-01-05 10:00:00,123] [main] ERROR no disk", &format!("log4j: thread=main {time} | no disk"));
        check("[2026-01-05 10:00:00,123] [A] ERROR no disk", &format!("log4j: thread=A {time} | no disk"));
        check("[2026-01-05 10:00:00,123] [N] ERROR no disk", &format!("log4j: thread=N {time} | no disk"));
        check(
            "[2026-01-05 10:00:00,123] [a b] WARN  a.b.C - no disk",
            &format!("log4j: thread=a b logger=a.b.C {time} | no disk"),
        );
        check("[2026-01-05 10:00:00,123] [ERROR] no disk", &format!("log4j: {time} | no disk"));
    }

    #[test]
    fn the_word_of_a_level_in_the_second_line_is_kept() {
        let record = "Jan 05, 2026 10:00:01 AM a.b.C run\nSEVERE: no disk";
        let expected = "jul: logger=a.b.C function=run level-text=SEVERE time-text=Jan 05, 2026 10:00:01 AM | no disk";
        assert_eq!(said(record), expected);
    }

    #[test]
    fn what_is_left_of_a_line_is_one_attribute_even_behind_colours() {
        let front = r#"1.2.3.4 - - [05/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "curl" 12 0.1"#;
        for (rest, expected) in
            [(" [up \x1b[0mred x", "extra=up \x1b[0mred x"), (" [up] x", "extra=up] x"), (" [up]\x1b[0m", "extra=up]")]
        {
            let found = said(&format!("{front}{rest}"));
            assert_eq!(found.matches("extra=").count(), 1, "{found}");
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn times_and_messages_of_many_shapes_of_json_are_found() {
        let check = |record: &str, expected: (Option<&str>, Option<&str>)| {
            let (time, message) = time_and_message(&record.as_bytes()[1..], &Times::default());
            let time = time.as_ref().map(|time| String::from_utf8_lossy(time.as_bytes()).into_owned());
            let message = message.map(|message| String::from_utf8_lossy(message).into_owned());
            assert_eq!((time.as_deref(), message.as_deref()), expected, "{record}");
        };
        let (whole, micros) = (Some("2026-01-05T10:00:00Z"), Some("2026-01-05T10:00:00.123456Z"));
        let (millis, nanos) = (Some("2026-01-05T10:00:00.123Z"), Some("2026-01-05T10:00:00.123456789Z"));
        let (short, x) = (Some("2026-01-05T10:00:00.123000000Z"), Some("x"));
        for (record, expected) in [
            (r#"{"__REALTIME_TIMESTAMP":"1767607200123456","MESSAGE":"x"}"#, (micros, x)),
            (r#"{"t":{"$date":"2026-01-05T10:00:00.123Z"},"msg":"x"}"#, (millis, x)),
            (r#"{"t":{"$date":{"$numberLong":"1767607200123"}},"msg":"x"}"#, (millis, x)),
            (r#"{"instant":{"epochSecond":1767607200,"nanoOfSecond":123000000},"message":"x"}"#, (short, x)),
            (r#"{"timestamp":{"seconds":1767607200,"nanos":123456789},"message":"x"}"#, (nanos, x)),
            (r#"{"timestampSeconds":1767607200,"timestampNanos":123456789,"message":"x"}"#, (nanos, x)),
            (r#"{"timestampSeconds":1767607200,"message":"x"}"#, (whole, x)),
            (r#"{"timeUnixNano":"1767607200123456789","body":{"stringValue":"x"}}"#, (nanos, x)),
            (r#"{"Timestamp":"1767607200123456789","Body":"x"}"#, (nanos, x)),
            (r#"{"lvl":3,"t":"2026-01-05T10:00:00Z","msg":"x"}"#, (whole, x)),
            (r#"{"event":"x","timestamp":"2026-01-05 10:00:00"}"#, (whole, x)),
            (r#"{"event":"login","message":"x"}"#, (None, x)),
            (r#"{"@t":"2026-01-05T10:00:00Z","@mt":"x"}"#, (whole, x)),
            (
                r#"{"Timestamp":"2026-01-05T10:00:00Z","MessageTemplate":"{A}","RenderedMessage":"x"}"#,
                (whole, Some("{A}")),
            ),
            (r#"{"timestamp":"2026-01-05T10:00:00Z","fields":{"n":1,"message":"x"}}"#, (whole, x)),
            (r#"{"text":"t","record":{"message":"x","time":{"repr":"r","timestamp":1767607200.123}}}"#, (millis, x)),
            (r#"{"time":"10:00:00","t":"x","msg":"x"}"#, (None, x)),
            (r#"{"instant":{"epochSecond":-1,"nanoOfSecond":9999999999}}"#, (None, None)),
            (r#"{"timestamp":{"seconds":1767607200,"nanos":-1}}"#, (None, None)),
            (r#"{"t":{"$date":{"#, (None, None)),
        ] {
            check(record, expected);
        }
        // Nested however deep, it takes no stack and ends.
        let deep = r#"{"record":"#.repeat(100_000);
        assert_eq!(time_and_message(&deep.as_bytes()[1..], &Times::default()), (None, None));
    }

    #[test]
    fn of_no_sample_is_a_word_lost() {
        let known = words_of_layouts();
        let formats = Formats::default();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
        let mut count = 0;
        for entry in std::fs::read_dir(directory).expect("the samples") {
            let text = std::fs::read(entry.expect("one").path()).expect("readable");
            let text = String::from_utf8_lossy(&text);
            for file in text.split("# new file\n") {
                let mut judge = formats.judge(Path::new("/log/app.log"));
                let lines: Vec<_> = file.lines().filter_map(|line| line.splitn(4, '\t').nth(3)).collect();
                for (index, line) in lines.iter().enumerate() {
                    let following = lines[index + 1..].join("\n");
                    let verdict = judge.line(&formats, line.as_bytes(), following.as_bytes());
                    let is_wrapped = verdict.format.built_in().is_some_and(|format| format.unwrap.is_some());
                    if verdict.continues || is_wrapped {
                        continue;
                    }
                    let record = format!("{line}\n{following}");
                    for record in [&record, *line] {
                        let found = fields(&formats, &verdict, record.as_bytes());
                        let lost: Vec<_> =
                            lost(&found, record).into_iter().filter(|word| !known.contains(word)).collect();
                        assert!(lost.is_empty(), "{lost:?} of {record:?}: {found:?}");
                        count += 1;
                    }
                }
            }
        }
        assert!(count > 2000, "{count}");
    }
}
