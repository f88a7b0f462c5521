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
    let level = level(&mut members, true);
    Some(Head { level, header: header(line, &members, level), ..Head::default() })
}

/// Returns the length of what decides: up to the string that states the level, unless it has digits, which count there.
fn header(line: &[u8], members: &Members<'_>, level: Option<Level>) -> u32 {
    let end = 1 + members.at();
    let Some(value) = level.and_then(|_| line.get(..end)?.strip_suffix(b"\"")) else { return 0 };
    let letters = value.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if value[..value.len() - letters].ends_with(b"\"") { u32::try_from(end).unwrap_or(0) } else { 0 }
}

/// Reads the rest of an object that is printed over several lines, from behind its opening brace and newline, and returns
/// its level and how many bytes are known to be of it, its last newline included.
fn read_object(following: &[u8]) -> (Option<Level>, usize) {
    let mut members = Members::new(following);
    let level = level(&mut members, true);
    while members.next().is_some() {}
    let rest = &following[members.at()..];
    let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
    (level, members.at() + line)
}

/// Returns the level that the first member states which does; only the `log` of the outer object is looked into, so
/// that what is nested a thousand deep is not read a thousand times.
fn level(members: &mut Members<'_>, is_outer: bool) -> Option<Level> {
    let mut is_mongodb = false;
    for (key, value) in members.by_ref() {
        let found = match value {
            JsonValue::Text(text) => scale(key, is_mongodb).and_then(|scale| scale.level(text)),
            JsonValue::Other(text) if text[0].is_ascii_digit() => {
                scale(key, is_mongodb).and_then(|scale| scale.level(text))
            }
            JsonValue::Other(_) => None,
            JsonValue::Object(inside) if is_outer && key == b"log" => level(&mut Members::new(inside), false),
            JsonValue::Object(inside) => {
                is_mongodb |= key == b"t" && inside.starts_with(b"\"$date\"");
                None
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
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
}

/// Says whether a key states a level.
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
        8 if is(b"severity") => Some(Scale::Severity),
        8 => (is(b"loglevel") || key == b"PRIORITY").then_some(Scale::Level),
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
    fn level(self, text: &[u8]) -> Option<Level> {
        let mut scan = Scan::new(text);
        if let Some(digits) = scan.digits(1, LEVEL_DIGITS_MAX) {
            return if scan.is_end() { self.number(u64::from(scan::number(digits))) } else { None };
        }
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
            b"LOG" if is_whole && self == Self::Severity => Some(Level::Info),
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
            (Self::OpenTelemetry, _) => return None,
            (_, 0..=7) => Level::from_syslog(number),
            (Self::Severity, 100..=899) => [
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
        members.iter().find_map(|(key, value)| match value {
            // Its members are in the wrong order: they are looked for in the text by themselves, in another test.
            serde_json::Value::Object(_) | serde_json::Value::Array(_) => None,
            serde_json::Value::String(text) => scale(key.as_bytes(), false)?.level(text.as_bytes()),
            other => scale(key.as_bytes(), false)?.level(other.to_string().as_bytes()),
        })
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
