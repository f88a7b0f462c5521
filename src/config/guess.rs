//! What was probably meant by a value or a name that is not valid: words and notations of other programs. Pure.

use std::net::Ipv4Addr;

use crate::sys::units;

/// The port that is meant if none is given; it is the one of the examples.
const PORT_USUAL: u16 = 9100;

/// The words of other programs for a choice of ours.
const SYNONYMS: [(&str, &[&str]); 15] = [
    ("off", &["none", "no", "false", "disabled", "disable", "never", "unlimited", "memory"]),
    ("none", &["off", "no", "false", "disabled"]),
    ("never", &["off", "none", "no", "false"]),
    ("auto", &["on", "yes", "true", "enabled"]),
    ("raw", &["text", "plain", "none"]),
    ("json", &["ndjson", "jsonl"]),
    ("beginning", &["begin", "start", "head", "earliest"]),
    ("end", &["tail", "latest", "now"]),
    ("any", &["all", "follow", "true"]),
    ("gzip", &["gz", "on", "true"]),
    ("text", &["plain", "logfmt", "raw"]),
    ("error", &["err", "fatal", "critical"]),
    ("warn", &["warning"]),
    ("info", &["notice"]),
    ("debug", &["verbose"]),
];

/// The names of other programs for a variable of ours.
const NAMES: [(&str, &str); 14] = [
    ("FILE", "PATHS"),
    ("FILES", "PATHS"),
    ("GLOB", "PATHS"),
    ("INCLUDE", "PATHS"),
    ("LOGS", "PATHS"),
    ("IGNORE", "EXCLUDE"),
    ("FILTER", "DROP"),
    ("MAX_SIZE", "ROTATE_SIZE"),
    ("KEEP", "ROTATE_KEEP"),
    ("DEBUG", "LOG"),
    ("LOG_LEVEL", "LOG"),
    ("ADDRESS", "LISTEN"),
    ("METRICS", "LISTEN"),
    ("GRACE_PERIOD", "DRAIN_TIMEOUT"),
];

/// Returns the question after one of these choices.
pub(super) fn choice<'a>(text: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let is_meant = |choice: &str| SYNONYMS.iter().any(|(ours, words)| *ours == choice && words.contains(&&*lower));
    choices.into_iter().find(|choice| is_meant(choice)).map(question)
}

/// Returns the question after no time at all, for whoever turns a duration off that has no such word.
pub(super) fn no_time(text: &str) -> Option<String> {
    let is_off = text.eq_ignore_ascii_case("off") || choice(text, ["off"]).is_some();
    is_off.then(|| question("0s"))
}

/// Returns the question after an address: without a scheme and a path, and with a port.
pub(super) fn address(text: &str) -> Option<String> {
    let without_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = without_scheme.split('/').next()?;
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let (host, port) = match (host, port) {
        (port, "") if port.parse::<u16>().is_ok() => ("", port.parse().ok()?),
        (host, "") => (host, PORT_USUAL),
        (host, port) => (host, port.parse().ok()?),
    };
    let host = match host {
        "" | "*" => Ipv4Addr::UNSPECIFIED,
        host => host.parse().ok()?,
    };
    Some(question(&format!("{host}:{port}")))
}

/// Returns the question after a condition of `EXIT_ON`.
pub(super) fn condition(text: &str) -> Option<String> {
    if let Some(question) = choice(text, ["never"]) {
        return Some(question);
    }
    let kinds = ["file", "idle", "process"];
    if let Some((kind, value)) = text.split_once('=').filter(|(kind, _)| kinds.contains(kind)) {
        return Some(question(&format!("{kind}:{value}")));
    }
    let kind = match text {
        path if path.starts_with('/') => "file",
        time if units::duration(time).is_ok() => "idle",
        _ => return None,
    };
    Some(question(&format!("{kind}:{text}")))
}

/// Returns the name of ours that is meant by one without the prefix, in capitals; `known` are all names.
pub(super) fn name(upper: &str, known: &[&'static str]) -> Option<&'static str> {
    if let Some((_, ours)) = NAMES.iter().find(|(theirs, _)| *theirs == upper) {
        return Some(ours);
    }
    // Whoever writes the first word of several means the one that turns it on, which stands first.
    let is_first_word = |name: &str| name.strip_prefix(upper).is_some_and(|rest| rest.starts_with('_'));
    if let Some(name) = known.iter().find(|name| is_first_word(name) && !name.contains('<')) {
        return Some(name);
    }
    let (distance, near) = known.iter().map(|name| (strsim::damerau_levenshtein(upper, name), *name)).min()?;
    (distance <= 2.max(near.len() / 3)).then_some(near)
}

fn question(meant: &str) -> String {
    format!("did you mean {meant}?")
}
