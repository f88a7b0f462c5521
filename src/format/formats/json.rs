//! JSON, an object a line: zap, zerolog, pino, bunyan, logrus, slog, log4j2, logback, ECS, Serilog, Monolog, GELF, journald,
//! OpenTelemetry, MongoDB, Vault and whatever else names its level by a usual key.
//!
//! Only the object's own members are looked at, in order, and only until one states a level; a nested object is passed
//! over (but `log`, in which ECS keeps `level`). What is not valid JSON is read as far as it is.

use crate::format::block::{Format, Front, Later, Reader};
use crate::format::head::Head;
use crate::format::json_object::{JsonValue, Members};
use crate::format::level::Level;
use crate::format::scan::{self, Scan};

/// JSON, an object per line or over several.
pub(crate) const JSON: Format = Format {
    name: "json",
    read: Reader::Line(read),
    front: Front { first: b"{", ..Front::ANY },
    later: Later::Object(read_object),
    ..Format::NONE
};

/// Reads a line that is a JSON object, or the beginning of one.
pub(crate) fn read(line: &[u8]) -> Option<Head> {
    let inside = line.strip_prefix(b"{")?;
    let first = inside.iter().find(|byte| !byte.is_ascii_whitespace());
    if !matches!(first, None | Some(b'"' | b'}')) {
        return None;
    }
    let mut members = Members::new(inside);
    let (level, is_word) = level(&mut members, 0);
    let header = if is_word { header(line, &members) } else { 0 };
    Some(Head { level, header, ..Head::default() })
}

/// Returns the length of what decides: up to the string that states the level, unless it has digits, which count there.
fn header(line: &[u8], members: &Members<'_>) -> u32 {
    let end = 1 + members.at();
    let Some(value) = line.get(..end).and_then(|front| front.strip_suffix(b"\"")) else { return 0 };
    let letters = value.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if value[..value.len() - letters].ends_with(b"\"") { u32::try_from(end).unwrap_or(0) } else { 0 }
}

/// Reads the rest of an object that is printed over several lines, from behind its opening brace and newline, and returns
/// its level and how many bytes are known to be of it, its last newline included.
fn read_object(following: &[u8]) -> (Option<Level>, usize) {
    let mut members = Members::new(following);
    let (level, _) = level(&mut members, 0);
    while members.next().is_some() {}
    let rest = &following[members.at()..];
    let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
    (level, members.at() + line)
}

/// How deep objects are looked into: `{"record":{"level":{"name":"ERROR"}}}`.
const DEPTH_MAX: usize = 2;

/// Among how many members behind a number a word is looked for that says more.
const BEHIND_NUMBER_MAX: usize = 6;

/// Returns the level that an object states, and whether a word of its own does; only few objects within it are looked into, so
/// that what is nested a thousand deep is not read a thousand times.
fn level(members: &mut Members<'_>, depth: usize) -> (Option<Level>, bool) {
    let mut signs = Signs::default();
    let mut left = usize::MAX;
    for (key, value) in members.by_ref() {
        if left == 0 {
            break;
        }
        left -= usize::from(left != usize::MAX);
        let stated = match value {
            JsonValue::Text(text) if depth == DEPTH_MAX && key == b"name" => Level::from_word(text),
            JsonValue::Text(text) => signs.member(key, text, true),
            JsonValue::Other(text) => signs.member(key, text, false),
            JsonValue::Object(inside) if depth < DEPTH_MAX && may_hold_level(key, depth) => {
                match level(&mut Members::new(inside), depth + 1).0 {
                    Some(level) => return (Some(level), false),
                    None => None,
                }
            }
            JsonValue::Object(inside) => {
                signs.is_mongodb |= key == b"t" && inside.starts_with(b"\"$date\"");
                None
            }
        };
        if let Some(level) = stated {
            return (Some(level), depth == 0);
        }
        if signs.number.is_some() && left == usize::MAX && !signs.is_small() {
            left = BEHIND_NUMBER_MAX;
        }
    }
    (signs.level(), false)
}

/// Returns whether an object of this name is looked into: `log` is ECS', `record` loguru's, which has its level as an object.
fn may_hold_level(key: &[u8], depth: usize) -> bool {
    matches!((key, depth), (b"log" | b"record", 0) | (b"level", 1))
}

/// What was met of an object that does not say its level in a word, or not yet.
#[derive(Debug, Default)]
struct Signs {
    /// MongoDB's `t` was there, so its `s` counts.
    is_mongodb: bool,
    /// A number that states a level if no word does.
    number: Option<(Scale, u64)>,
    /// Whoever wrote it writes syslog's severities.
    is_syslog: bool,
    /// It is osquery's, which has the numbers of glog.
    is_glog: bool,
    /// It is about a request, so its status counts.
    is_request: bool,
    status: Option<Level>,
    /// Kibana's lines have their level among their tags.
    is_kibana: bool,
    tag: Option<Level>,
}

impl Signs {
    /// Takes note of a member, and returns the level if it is a word that states one.
    fn member(&mut self, key: &[u8], text: &[u8], is_text: bool) -> Option<Level> {
        if let Some(scale) = scale(key, self.is_mongodb) {
            match number(text) {
                Some(number) => self.number = self.number.or_else(|| scale.number(number).map(|_| (scale, number))),
                None if is_text => return scale.word(text),
                None => {}
            }
            return None;
        }
        match key {
            b"short_message" | b"host" | b"facility" | b"facility_label" | b"SYSLOG_IDENTIFIER" | b"program"
            | b"appname" | b"procid" | b"ident" => self.is_syslog = true,
            b"hostIdentifier" => self.is_glog = true,
            b"request" | b"method" | b"uri" | b"path" | b"url" | b"request_uri" | b"request_method"
            | b"remote_addr" | b"request_path" | b"requestMethod" | b"http_method" => self.is_request = true,
            _ if states_status(key) => self.status = self.status.or_else(|| status(text)),
            b"type" if is_text => self.is_kibana |= matches!(text, b"log" | b"error" | b"ops" | b"response"),
            b"tags" if self.is_kibana && !is_text => self.tag = self.tag.or_else(|| tag(text)),
            b"resourceLogs" if !is_text => self.tag = otlp(text),
            _ => {}
        }
        None
    }

    /// Returns whether the number is one that syslog and others use for different levels.
    fn is_small(&self) -> bool {
        matches!(self.number, Some((Scale::Level, 0..=7)))
    }

    /// Returns the level that all of it states.
    fn level(&self) -> Option<Level> {
        match self.number {
            // Nextcloud's; so few others have numbers, and nobody has syslog's alone.
            Some((Scale::Level, small @ 0..=4)) if !self.is_syslog => {
                Some([Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal][small as usize])
            }
            Some((_, small @ 0..=3)) if self.is_glog => {
                Some([Level::Info, Level::Warn, Level::Error, Level::Fatal][small as usize])
            }
            Some((scale, number)) => scale.number(number),
            None => self.tag.or(self.status.filter(|_| self.is_request)),
        }
    }
}

/// Returns the value of a number that may state a level; `None` for anything else.
fn number(text: &[u8]) -> Option<u64> {
    let mut scan = Scan::new(text);
    let digits = scan.digits(1, LEVEL_DIGITS_MAX)?;
    scan.is_end().then(|| u64::from(scan::number(digits)))
}

/// Returns whether a key names the status of a response.
pub(crate) fn states_status(key: &[u8]) -> bool {
    matches!(key, b"status" | b"status_code" | b"statusCode" | b"response_code" | b"http_status" | b"response_status")
}

fn status(text: &[u8]) -> Option<Level> {
    let mut scan = Scan::new(text);
    let digits = scan.digits(3, 3)?;
    (scan.is_end() && (b'1'..=b'5').contains(&digits[0])).then(|| Level::from_status(digits[0]))
}

/// Returns the level among the first of Kibana's tags: `["error","plugins"]`, `["listening","info"]`.
fn tag(array: &[u8]) -> Option<Level> {
    let words = array.split(|byte| *byte == b'"').skip(1).step_by(2);
    words.take(3).find_map(Level::from_word)
}

/// Returns the gravest level among the records of a line of OTLP.
fn otlp(array: &[u8]) -> Option<Level> {
    let behind = |key: &'static [u8]| {
        memchr::memmem::find_iter(array, key).map(move |at| array[at + key.len()..].trim_ascii_start())
    };
    let numbers = behind(b"\"severityNumber\":").filter_map(|rest| {
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        Scale::OpenTelemetry.number(number(&rest[..length])?)
    });
    let words = behind(b"\"severityText\":").filter_map(|rest| {
        let word = rest.strip_prefix(b"\"")?;
        Scale::Severity.word(&word[..memchr::memchr(b'"', word)?])
    });
    numbers.chain(words).max()
}

/// No number that states a level has more digits.
pub(crate) const LEVEL_DIGITS_MAX: usize = 3;

/// How a key's numbers are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// `level`: pino's and bunyan's tens, Monolog's hundreds, or syslog's severities (GELF).
    Level,
    /// `severity`: syslog's, or Cloud Logging's hundreds.
    Severity,
    /// `severityNumber`: OpenTelemetry's 1 to 24.
    OpenTelemetry,
    /// `PRIORITY`: syslog's, whoever writes it.
    Priority,
    /// `levelno`: Python's tens.
    Python,
    /// `Severity`, in this case: FoundationDB's tens, else as [`Self::Severity`].
    FoundationDb,
    /// `priority`: a word.
    Word,
}

/// Returns whether a key states a level.
pub(crate) fn states_level(key: &[u8]) -> bool {
    scale(key, true).is_some()
}

/// Returns the scale of a key that states a level, in whatever case it is written.
fn scale(key: &[u8], is_mongodb: bool) -> Option<Scale> {
    let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
    match key.len() {
        1 => (is_mongodb && key == b"s").then_some(Scale::Level),
        2 => is(b"@l").then_some(Scale::Level),
        3 => (is(b"lvl") || is(b"sev")).then_some(Scale::Level),
        5 => is(b"level").then_some(Scale::Level),
        6 => is(b"@level").then_some(Scale::Level),
        7 => (key == b"levelno").then_some(Scale::Python),
        8 if key == b"Severity" => Some(Scale::FoundationDb),
        8 if is(b"severity") => Some(Scale::Severity),
        8 if key == b"PRIORITY" => Some(Scale::Priority),
        8 if key == b"priority" => Some(Scale::Word),
        8 => is(b"loglevel").then_some(Scale::Level),
        9 => (is(b"levelname") || is(b"log.level") || is(b"log_level") || is(b"log-level")).then_some(Scale::Level),
        10 => is(b"level_name").then_some(Scale::Level),
        12 => is(b"severityText").then_some(Scale::Severity),
        13 => is(b"severity_text").then_some(Scale::Severity),
        14 if is(b"severityNumber") => Some(Scale::OpenTelemetry),
        14 => is(b"error_severity").then_some(Scale::Severity),
        _ => None,
    }
}

impl Scale {
    fn word(self, text: &[u8]) -> Option<Level> {
        let mut scan = Scan::new(text);
        while scan.eat_all(b"\\u001b[") || scan.eat_all(b"\\u001B[") {
            scan.until(b'm')?;
        }
        scan.colours();
        scan.spaces();
        let is_at_front = scan.at() == 0;
        let word = scan.letters();
        // `D1` of MongoDB, `DEBUG5` of PostgreSQL, `WARN2` of OpenTelemetry; slog writes `ERROR+2`.
        scan.digits(1, 1);
        let is_whole = scan.is_end() || matches!(scan.peek(), b'+' | b'-' | b'\\' | b' ' | b'\x1b');
        match word {
            [letter] if is_at_front && (scan.is_end() || matches!(scan.peek(), b'+' | b'-' | b' ')) => {
                Level::from_letter(*letter)
            }
            [_] => None,
            b"LOG" if is_whole && matches!(self, Self::Severity | Self::FoundationDb) => Some(Level::Info),
            _ if is_whole => Level::from_word(word),
            _ => None,
        }
    }

    fn number(self, number: u64) -> Option<Level> {
        Some(match (self, number) {
            (Self::OpenTelemetry, 1..=24) => {
                [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal]
                    [((number - 1) / 4) as usize]
            }
            (Self::OpenTelemetry | Self::Word, _) => return None,
            (Self::Python, 10) => Level::Debug,
            (Self::Python, 20) => Level::Info,
            (Self::Python, 30) => Level::Warn,
            (Self::Python, 40) => Level::Error,
            (Self::Python, 50) => Level::Critical,
            (Self::Python, _) => return None,
            (Self::FoundationDb, 5) => Level::Debug,
            (Self::FoundationDb, 10) => Level::Info,
            (Self::FoundationDb, 20 | 30) => Level::Warn,
            (Self::FoundationDb, 40) => Level::Error,
            (_, 0..=7) => Level::from_syslog(number),
            (Self::Severity | Self::FoundationDb, 100..=899) => [
                Level::Debug,
                Level::Info,
                Level::Notice,
                Level::Warn,
                Level::Error,
                Level::Critical,
                Level::Critical,
                Level::Fatal,
            ][(number / 100 - 1) as usize],
            (Self::Level, 10..=19) => Level::Trace,
            (Self::Level, 20..=29) => Level::Debug,
            (Self::Level, 30..=39) => Level::Info,
            (Self::Level, 40..=49) => Level::Warn,
            (Self::Level, 50..=59) => Level::Error,
            (Self::Level, 60..=69) => Level::Fatal,
            (Self::Level, 100) => Level::Debug,
            (Self::Level, 200) => Level::Info,
            (Self::Level, 250) => Level::Notice,
            (Self::Level, 300) => Level::Warn,
            (Self::Level, 400) => Level::Error,
            (Self::Level, 500 | 550) => Level::Critical,
            (Self::Level, 600) => Level::Fatal,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<Level>) {
        assert_eq!(read(line.as_bytes()).and_then(|head| head.level), expected, "{line}");
    }

    #[test]
    fn only_the_objects_own_members_state_a_level() {
        check(r#"{"a":{"level":"error"},"level":"info"}"#, Some(Level::Info));
        check(r#"{"msg":"\"level\":\"error\"","level":"warn"}"#, Some(Level::Warn));
        check(r#"{"msg":"ends with a backslash\\","level":"warn"}"#, Some(Level::Warn));
        check(r#"{"tags":["level","error",{"level":"error"}],"n":1}"#, None);
        check(r#"{"log":{"level":"error"},"message":"x"}"#, Some(Level::Error));
        check(r#"{"level":"gold","severity":"error"}"#, Some(Level::Error));
        check(r#"{"level" : 50 , "msg":"x"}"#, Some(Level::Error));
        check(r#"{"level":"info","msg":"cut"#, Some(Level::Info));
        check(r#"{"msg":"cut, "level":"error"#, None);
        check("{}", None);
        assert_eq!(read(b"{main}"), None);
        assert_eq!(read(b"{ foo"), None);
    }

    #[test]
    fn an_object_over_several_lines_is_read_to_its_end() {
        let text = b"  \"msg\": \"x\",\n  \"level\": \"error\",\n  \"a\": {\n    \"b\": 1\n  }\n}\nnext\n";
        assert_eq!(read_object(text), (Some(Level::Error), text.len() - 5));
        assert_eq!(read_object(b"{\n{\n"), (None, 2));
        assert_eq!(read_object(b""), (None, 0));
    }

    /// A small generator of numbers, the same for the same seed (xorshift).
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).expect("31 bits") % limit
        }

        fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
            of[self.below(of.len())]
        }

        fn space(&mut self) -> &'static str {
            self.one(&["", "", "", " ", "  ", "\t", " \r"])
        }

        /// A value as JSON: words and numbers that state a level, those that do not, and nested ones.
        fn value(&mut self, depth: usize) -> String {
            match self.below(if depth < 3 { 9 } else { 6 }) {
                0 | 1 => {
                    let words =
                        ["info", "ERROR", "Warning", "debug", "fatal", "gold", "", "E", "D1", "WARN2", "ERROR+2"];
                    format!("\"{}\"", self.one(&words))
                }
                2 => self.one(&["0", "3", "30", "50", "17", "500", "-1", "1e3", "99999", "1767607200.123"]).to_owned(),
                3 => self.one(&["true", "false", "null"]).to_owned(),
                4 | 5 => {
                    let pieces = [
                        "\\\"",
                        "\\\\",
                        "\\u00e9",
                        "\\n",
                        "}",
                        "{",
                        "[",
                        "]",
                        ",",
                        ":",
                        "\u{e9}",
                        "level",
                        "\\/",
                        "\u{1f600}",
                    ];
                    let text: String = (0..self.below(9)).map(|_| self.one(&pieces)).collect();
                    format!("\"{text}\"")
                }
                6 => {
                    let values: Vec<String> = (0..self.below(4)).map(|_| self.value(depth + 1)).collect();
                    format!("[{}{}]", self.space(), values.join(","))
                }
                _ => self.object(depth + 1),
            }
        }

        fn object(&mut self, depth: usize) -> String {
            let keys = [
                "level",
                "LEVEL",
                "lvl",
                "severity",
                "log",
                "log.level",
                "s",
                "t",
                "msg",
                "@l",
                "PRIORITY",
                "severityNumber",
                "levels",
                "le\\\"vel",
                "",
                "error",
                "error_severity",
                "n\u{e4}me",
            ];
            let mut text = "{".to_owned();
            for index in 0..self.below(6) {
                let value = self.value(depth);
                let comma = if index > 0 { "," } else { "" };
                let (a, b, c, d) = (self.space(), self.space(), self.space(), self.space());
                text += &format!("{a}{comma}{b}\"{}\"{c}:{d}{value}", self.one(&keys));
            }
            text + self.space() + "}"
        }
    }

    /// An object's members in their order, which a map would not keep.
    struct InOrder(Vec<(String, serde_json::Value)>);

    impl<'de> serde::Deserialize<'de> for InOrder {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = InOrder;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(InOrder(members))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }

    /// The first member that states a level, as a whole parser finds the members.
    fn oracle(object: &str) -> Option<Level> {
        let InOrder(members) = serde_json::from_str(object).expect(object);
        let mut signs = Signs::default();
        let word = members.iter().find_map(|(key, value)| match value {
            // Its members are in the wrong order: they are looked for in the text by themselves, in another test.
            serde_json::Value::Object(_) | serde_json::Value::Array(_) => None,
            serde_json::Value::String(text) => signs.member(key.as_bytes(), text.as_bytes(), true),
            other => signs.member(key.as_bytes(), other.to_string().as_bytes(), false),
        });
        word.or_else(|| signs.level())
    }

    #[test]
    fn the_level_is_that_of_a_whole_parser() {
        let mut random = Random(0x5eed_1234_5678_9abc);
        let mut stated = 0;
        for count in 0..20_000 {
            let object = random.object(0);
            // `log` and MongoDB's `t` have a meaning of their own.
            if object.contains("\"log\"") || object.contains("$date") {
                continue;
            }
            let expected = oracle(&object);
            stated += usize::from(expected.is_some());
            let found = read(object.as_bytes()).expect(&object).level;
            assert_eq!(found, expected, "object {count}: {object}");
        }
        assert!(stated > 2000, "{stated} objects are too few");
    }

    #[test]
    fn what_follows_a_member_is_found_behind_any_value() {
        let mut random = Random(0x1357_9bdf_0246_8ace);
        for _ in 0..5_000 {
            let object =
                format!("{{\"x\":{},\"log\":{{\"y\":{}}},\"level\":\"warn\"}}", random.value(0), random.value(0));
            assert!(serde_json::from_str::<serde_json::Value>(&object).is_ok(), "{object}");
            check(&object, Some(Level::Warn));
        }
    }
}
