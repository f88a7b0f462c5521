//! What was probably meant by a value that is not valid: words and notations of other programs, and mistakes. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::sys::units;

/// The port that is meant if none is given; it is the one of the examples.
const PORT_USUAL: u16 = 9100;

/// The words of other programs for a choice of ours.
const SYNONYMS: [(&str, &[&str]); 23] = [
    (
        "off",
        &[
            "none",
            "no",
            "false",
            "disabled",
            "disable",
            "never",
            "unlimited",
            "memory",
            "quiet",
            "silent",
            "-1",
            "max",
            "inf",
        ],
    ),
    ("off", &["infinity", "infinite"]),
    ("none", &["off", "no", "false", "disabled", "uncompressed"]),
    ("never", &["off", "none", "no", "false", "forever"]),
    ("auto", &["on", "yes", "true", "enabled", "80%", "default"]),
    ("raw", &["text", "plain", "none", "off"]),
    ("prefix", &["file", "filename", "path", "tail"]),
    ("json", &["ndjson", "jsonl", "json_lines", "jsonlines"]),
    ("ecs", &["elastic", "elasticsearch", "elk", "logstash"]),
    ("gcp", &["google", "gke", "stackdriver", "cloudlogging"]),
    ("beginning", &["begin", "start", "head", "earliest", "first", "top", "oldest", "0"]),
    ("end", &["tail", "latest", "now", "last", "newest", "eof", "end_of_file", "bottom"]),
    ("inside", &["no", "false", "never", "none", "off", "in", "default"]),
    ("any", &["all", "follow", "true", "yes", "on", "outside"]),
    ("punch", &["hole", "punch_hole", "fallocate", "sparse"]),
    ("rename", &["create", "move", "mv", "nocopytruncate", "reopen"]),
    ("copytruncate", &["copy", "truncate", "copy_truncate"]),
    ("gzip", &["gz", "on", "true", "yes", "zip", "default"]),
    ("text", &["plain", "logfmt", "raw"]),
    ("error", &["err", "fatal", "critical"]),
    ("warn", &["warning"]),
    ("info", &["notice"]),
    ("debug", &["verbose"]),
];

/// A word is taken for one of ours with a mistake if it has so many letters, or more, for each mistake.
const LETTERS_PER_MISTAKE: usize = 4;

/// Returns the question after one of these choices.
pub(super) fn choice<'a>(text: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = text.to_ascii_lowercase().replace('-', "_");
    let lower = if lower.starts_with('_') { text } else { &lower };
    let choices: Vec<&str> = choices.into_iter().collect();
    let is_meant = |choice: &&&str| SYNONYMS.iter().any(|(ours, words)| ours == *choice && words.contains(&lower));
    let meant = choices.iter().find(is_meant).copied().or_else(|| near(lower, &choices));
    meant.map(question)
}

/// Returns the word of these that a text is, but for a mistake.
pub(super) fn near<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    let distances = words.iter().map(|word| (strsim::damerau_levenshtein(text, word), *word));
    let (distance, near) = distances.min()?;
    (distance * LETTERS_PER_MISTAKE <= near.len().max(text.len())).then_some(near)
}

/// Returns the question after no time at all, for whoever turns a duration off that has no such word.
pub(super) fn no_time(text: &str) -> Option<String> {
    let is_off = text.eq_ignore_ascii_case("off") || choice(text, ["off"]).is_some();
    is_off.then(|| question("0s"))
}

/// Returns the question after an address: the first one of several, without a scheme and a path, and with a port.
pub(super) fn address(text: &str) -> Option<String> {
    if ["1", "on", "yes", "true", "auto", "enabled", "default"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some(question(&format!("{}:{PORT_USUAL}", Ipv4Addr::UNSPECIFIED)));
    }
    if text == "0" {
        return Some(question("off"));
    }
    let without_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = without_scheme.split('/').next()?;
    if let Some((first, second)) = authority.split_once([',', ' ', ';']) {
        let is_port = second.trim().parse::<u16>().is_ok();
        return address(&if is_port { format!("{first}:{}", second.trim()) } else { first.to_owned() });
    }
    if let Ok(host) = authority.trim_matches(['[', ']']).parse::<Ipv6Addr>() {
        return Some(question(&format!("[{host}]:{PORT_USUAL}")));
    }
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let (host, port) = match (host, port) {
        (port, "") if port.parse::<u16>().is_ok() => ("", port.parse().ok()?),
        (host, "") => (host, PORT_USUAL),
        (host, port) => (host, port.parse().ok()?),
    };
    let host = match &*host.to_ascii_lowercase() {
        "" | "*" | "0" | "any" | "all" => Ipv4Addr::UNSPECIFIED,
        "localhost" => Ipv4Addr::LOCALHOST,
        host => host.parse().ok()?,
    };
    Some(question(&format!("{host}:{port}")))
}

/// Returns the question after a condition of `EXIT_ON`.
pub(super) fn condition(text: &str) -> Option<String> {
    if let Some(question) = choice(text, ["never"]) {
        return Some(question);
    }
    if let Some((kind, value)) = text.split_once([':', '=', ' ']) {
        let kind = match &*kind.to_ascii_lowercase() {
            "file" | "path" | "exists" => "file",
            "idle" | "quiet" | "timeout" | "inactive" => "idle",
            "process" | "proc" | "comm" => "process",
            _ => return None,
        };
        let value = value.trim_start();
        let time = || units::duration(value).err().and_then(|why| Some(why.rsplit_once("did you mean ")?.1.to_owned()));
        let value = match kind {
            "idle" => time().map_or(value.to_owned(), |meant| meant.trim_end_matches('?').to_owned()),
            _ => value.to_owned(),
        };
        return Some(question(&format!("{kind}:{value}")));
    }
    let value = match text {
        path if path.starts_with('/') => format!("file:{path}"),
        time if units::duration(time).is_ok() => format!("idle:{time}"),
        idle if idle.eq_ignore_ascii_case("idle") => "idle:30s".to_owned(),
        _ => return None,
    };
    Some(question(&value))
}

fn question(meant: &str) -> String {
    format!("did you mean {meant}?")
}
