//! A level that is no word of its own: it is glued to a name, or only what stands beside it tells that it is one.

use super::continuation;
use super::head::Span;
use super::level::Level;
use super::scan::{Scan, is_number};

/// How long a word with a level in it may be, in bytes.
const WORD_BYTES_MAX: usize = 80;

/// Returns the level that a word of a header holds; `behind` is what follows the word.
///
/// - `gpstart:host:gpadmin-[ERROR]:-message`, `worker[ERROR]: message`
/// - `cpu3:2097)ALERT: message`, `zmc_m1[12].ERR-zm_monitor.cpp/12`
/// - `MainThread::ERROR::2026-01-05`, `Reporter::ERROR 2026-01-05`
/// - `fluent.error: {"message":"x"}`
pub(super) fn level(word: &[u8], behind: Scan<'_>) -> Option<Level> {
    let near = &word[..word.len().min(WORD_BYTES_MAX)];
    // Most words have none of the marks.
    let mark = near.iter().position(|byte| matches!(byte, b'[' | b')' | b':'))?;
    if near[mark] == b':' && mark + 1 == word.len() {
        return of_fluentd(&near[..mark], behind);
    }
    let (mut open, mut close, mut colons) = (None, None, None);
    for (at, byte) in near.iter().enumerate().skip(mark) {
        match byte {
            b'[' => open = open.or(Some(at)),
            b')' => close = close.or(Some(at)),
            b':' if near.get(at + 1) == Some(&b':') => colons = colons.or(Some(at)),
            _ => {}
        }
    }
    if let Some(open) = open.filter(|open| *open > 0) {
        let length = memchr::memchr(b']', &near[open + 1..])?;
        if let Some(behind) = near[open + length + 2..].strip_prefix(b".") {
            let dash = memchr::memchr(b'-', behind)?;
            return capital(&behind[..dash]);
        }
        let is_ended = matches!(word.get(open + length + 2), None | Some(b':'));
        return capital(&near[open + 1..][..length]).filter(|_| is_ended);
    }
    // `0001;pbs_mom;Svr;pbs_mom;LOG_ERROR::message`
    if let Some(at) = colons.and_then(|_| memchr::memmem::find(near, b";LOG_")) {
        let word = &near[at + 5..];
        let length = memchr::memchr(b':', word)?;
        return capital(&word[..length]).filter(|_| word[length..].starts_with(b"::"));
    }
    if let Some(close) = close {
        return capital(near[close + 1..].strip_suffix(b":")?);
    }
    if let Some(colons) = colons {
        let rest = &near[colons + 2..];
        let length = memchr::memchr(b':', rest).unwrap_or(rest.len());
        let is_ended = match &rest[length..] {
            // `Logger::ERROR` is a constant in a sentence.
            [] => is_before_time(behind.rest().trim_ascii_start()),
            [b':', b':', next @ ..] => next.first().is_some_and(u8::is_ascii_digit),
            _ => false,
        };
        return capital(&rest[..length]).filter(|_| is_ended);
    }
    of_fluentd(word.strip_suffix(b":")?, behind)
}

/// Returns the level that ends a name behind a time: `app.ERROR: message`, `app/ERROR: message`.
pub(super) fn level_at_name(word: &[u8]) -> Option<Level> {
    let name = word.strip_suffix(b":")?;
    let at = name.iter().rposition(|byte| matches!(byte, b'.' | b'/' | b'-')).filter(|at| *at > 0)?;
    capital(&name[at + 1..])
}

/// Returns the level in Fluentd's name of its own records, before an object: `fluent.error: {"message":"x"}`.
fn of_fluentd(name: &[u8], behind: Scan<'_>) -> Option<Level> {
    let word = name.strip_prefix(b"fluent.")?;
    if behind.rest().starts_with(b" {\"") { Level::from_word(word) } else { None }
}

fn capital(word: &[u8]) -> Option<Level> {
    if word.iter().all(u8::is_ascii_uppercase) { Level::from_word(word) } else { None }
}

/// Returns whether behind a thread there is the priority that Ceph gives to errors: `7f2f5e2c2700 -1 osd.0 ...`.
pub(super) fn is_behind_thread(scan: Scan<'_>) -> bool {
    if !scan.rest().starts_with(b" -1 ") {
        return false;
    }
    let thread = scan.passed().iter().rev().take_while(|byte| **byte != b' ');
    let (mut length, mut is_hex, mut has_letter) = (0, true, false);
    for byte in thread.take(17) {
        length += 1;
        is_hex &= matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        has_letter |= byte.is_ascii_alphabetic();
    }
    // A short number without a letter is any number.
    is_hex && (if has_letter { 8 } else { 12 }..=16).contains(&length)
}

/// Reads a header as klog and glog write it, in brackets: `[rank0]:[E1129 10:00:00.123456 app.cpp:12] message`.
pub(super) fn klog(mut scan: Scan<'_>) -> Option<(Span, Level)> {
    let letter = scan.peek();
    if !matches!(letter, b'I' | b'W' | b'E' | b'F') {
        return None;
    }
    scan.eat(letter);
    let start = scan.at();
    let is_time = scan.digits(3, 8).is_some() && scan.eat(b' ') && scan.clock();
    let level = Level::from_letter(letter)?;
    is_time.then(|| (scan.since(start), level))
}

/// Reads what Chromium writes in brackets: `[12:34:0105/100000.123456:ERROR:file.cc(12)] message`.
pub(super) fn chromium(mut scan: Scan<'_>) -> Option<(Span, Level)> {
    let mut start = scan;
    for _ in 0..2 {
        if scan.digits(1, 10).is_some() && scan.eat(b':') {
            start = scan;
        }
    }
    scan = start;
    let is_day = scan.digits(4, 4).is_some() && scan.eat(b'/') && scan.digits(6, 6).is_some();
    is_day.then_some(())?;
    if scan.eat(b'.') {
        scan.digits(1, 9);
    }
    let time = scan.since(start.at());
    let level = if scan.eat(b':') { capital(scan.letters()) } else { None };
    level.filter(|_| scan.eat(b':')).map(|level| (time, level))
}

/// Returns the level of CUPS' letters that nobody else has, before a time in brackets.
pub(super) fn letter_of_cups(letter: u8, rest: &[u8]) -> Option<Level> {
    let level = match letter {
        b'A' => Level::Critical,
        b'X' => Level::Fatal,
        _ => return None,
    };
    rest.strip_prefix(b" [").is_some_and(is_before_time).then_some(level)
}

/// What MikroTik's topics begin with.
static TOPICS: [&[u8]; 14] = [
    b"system",
    b"interface",
    b"wireless",
    b"dhcp",
    b"firewall",
    b"ipsec",
    b"script",
    b"ppp",
    b"pppoe",
    b"ovpn",
    b"l2tp",
    b"bgp",
    b"ospf",
    b"certificate",
];

/// Returns the level among topics: `system,error,critical`.
pub(super) fn level_among_topics(word: &[u8]) -> Option<Level> {
    let mut topics = word.split(|byte| *byte == b',');
    let is_topic = topics.next().is_some_and(|topic| TOPICS.contains(&topic));
    if is_topic { topics.find_map(Level::from_word) } else { None }
}

/// What stands before `error: ` at the front of a message: `Fatal error: `, `TLS Error: `.
static KINDS_OF_ERRORS: [&[u8]; 25] = [
    b"Fatal",
    b"Critical",
    b"Internal",
    b"Runtime",
    b"Unexpected",
    b"Unhandled",
    b"Uncaught",
    b"Unrecoverable",
    b"Syntax",
    b"Parse",
    b"System",
    b"Options",
    b"Configuration",
    b"TLS",
    b"SSL",
    b"HTTP",
    b"IMAP",
    b"SMTP",
    b"LDAP",
    b"DB",
    b"SQL",
    b"Database",
    b"Network",
    b"Connection",
    b"PHP",
];

/// Returns the level of the word before an `error: ` that says which it is, at the front of a message; `rest` is what follows.
pub(super) fn kind_of_error(word: &[u8], rest: &[u8]) -> Option<Level> {
    let behind = rest.strip_prefix(b" error:").or_else(|| rest.strip_prefix(b" Error:"))?;
    let is_error = KINDS_OF_ERRORS.contains(&word) && behind.first() == Some(&b' ') && !is_result(behind);
    let level = Level::from_word(word).unwrap_or(Level::Error);
    is_error.then_some(level)
}

/// Returns whether the next word is in capitals and stands where levels do, though a word of letters is before it:
///
/// - `func -> ERRO 001 x`, `Step.0 - ERROR (version 9): x`, `app - ERROR - x`
/// - `Server {0x2b12} ERROR: x`, `agent        ERROR    x`, `app ERROR: x`, `host app: ERROR x`
pub(super) fn is_behind_sign(scan: Scan<'_>) -> bool {
    let word = scan.rest().iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let rest = &scan.rest()[word..];
    let is_followed = matches!(rest, [b' ', next, ..] if *next != b'(');
    // `SERVICE ALERT: x` is what happened to others.
    let is_behind_name = matches!(scan.passed(), [.., before, b' '] if !before.is_ascii_uppercase());
    let is_numbered = |rest: &[u8]| rest.get(1).is_some_and(u8::is_ascii_digit);
    word > 2
        && (scan.passed().ends_with(b"-> ") && is_numbered(rest)
            || scan.passed().ends_with(b" - ") && (rest.starts_with(b" (version ") || is_followed)
            || scan.passed().ends_with(b": ") && is_followed
            || rest.starts_with(b": ") && is_behind_name
            || scan.passed().ends_with(b"  ") && rest.starts_with(b"  "))
}

/// Returns whether an exception begins here that a program of WebSphere's wrote to its errors: `SystemErr     R x.y.Error: z`.
pub(super) fn is_exception_of_websphere(scan: Scan<'_>) -> bool {
    let text = scan.rest().strip_prefix(b"R ").map(<[u8]>::trim_ascii_start);
    text.is_some_and(continuation::is_error_name) && scan.passed().trim_ascii_end().ends_with(b" SystemErr")
}

/// Returns whether the next word is a letter alone, with a thread of eight digits and one name before it.
pub(super) fn is_behind_thread_and_name(scan: Scan<'_>) -> bool {
    if scan.rest().get(1) != Some(&b' ') {
        return false;
    }
    let mut words = scan.passed().rsplit(|byte| *byte == b' ').filter(|word| !word.is_empty());
    words.nth(1).is_some_and(|thread| thread.len() == 8 && thread.iter().all(u8::is_ascii_hexdigit))
}

/// Returns whether the next word stands where AUTOSAR's traces have their level: `ECU1 APP CTX 12 log error V 1 [message]`.
pub(super) fn is_of_dlt(scan: Scan<'_>) -> bool {
    let word = scan.rest().iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let rest = &scan.rest()[word..];
    scan.passed().ends_with(b" log ") && (rest.starts_with(b" V ") || rest.starts_with(b" N "))
}

/// Returns whether the next word is in capitals, and a thread in hexadecimal digits follows it: `routing ERROR [7f0012345600] x`.
pub(super) fn is_before_thread(mut scan: Scan<'_>) -> bool {
    let word = scan.while_is(|byte| byte.is_ascii_uppercase());
    let is_word = word.len() > 2 && scan.eat_all(b" [");
    is_word && scan.while_is(|byte| byte.is_ascii_hexdigit()).len() >= 8 && scan.eat(b']')
}

/// Returns whether the next word is in lower case, and a process follows it: `err mcpd[12]: x`.
pub(super) fn is_before_process(mut scan: Scan<'_>) -> bool {
    let word = scan.while_is(|byte| byte.is_ascii_lowercase());
    let is_word = (3..=7).contains(&word.len()) && scan.eat(b' ');
    is_word && {
        scan.while_is(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        scan.eat(b'[') && scan.digits(1, 10).is_some() && scan.eat_all(b"]:")
    }
}

/// Returns whether a word is a place in a source file: `web.cc:3`, `src/app.rs:12:`.
pub(super) fn is_place(word: &[u8]) -> bool {
    let word = word.strip_suffix(b":").unwrap_or(word);
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let file = word[..word.len() - digits].strip_suffix(b":").unwrap_or_default();
    let extension = file.iter().rev().take_while(|byte| byte.is_ascii_lowercase()).count();
    digits > 0 && (1..=4).contains(&extension) && file[..file.len() - extension].ends_with(b".") && file.len() > 3
}

/// Returns whether the next word is in capitals and a time follows it: `galaxy.jobs ERROR 2026-01-05 10:00:00,123 x`.
pub(super) fn is_level_before_time(mut scan: Scan<'_>) -> bool {
    let word = scan.while_is(|byte| byte.is_ascii_uppercase());
    word.len() > 2 && Level::from_word(word).is_some() && scan.eat(b' ') && is_before_time(scan.rest())
}

/// Returns the level of a response's status between bars: `| 500 |`.
pub(super) fn of_status(word: &[u8], scan: Scan<'_>) -> Option<Level> {
    let is_status = matches!(word, [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9']) && scan.rest().starts_with(b" |");
    (is_status && scan.passed()[..scan.passed().len() - 3].ends_with(b"| ")).then(|| Level::from_status(word[0]))
}

/// Returns the level in what Ganesha writes behind its time: ` : epoch 1234 : host : ganesha.nfsd-12[main] f :NFS STARTUP :CRIT :x`.
pub(super) fn of_ganesha(line: &[u8]) -> Option<Level> {
    let near = &line.strip_prefix(b" : epoch ")?;
    let mut columns = near[..near.len().min(4 * WORD_BYTES_MAX)].split(|byte| *byte == b':').skip(3);
    columns.find_map(|column| match column.strip_suffix(b" ")? {
        b"EVENT" => Some(Level::Notice),
        word => capital(word),
    })
}

/// Returns whether a time begins here, in brackets or not.
pub(super) fn is_before_time(text: &[u8]) -> bool {
    let mut scan = Scan::new(text);
    while scan.eat(b'[') || scan.eat(b'(') {}
    scan.peek().is_ascii_digit() && scan.any_time() && !scan.peek().is_ascii_alphanumeric()
}

/// The marks of a level behind the first word of a line that has no time before it.
///
/// - `MainThread::ERROR::2026-01-05 ...`, `Zigbee2MQTT:error 2026-01-05 ...`
/// - `LogNet: Error: message`, `imap(user)<1><x>: Error: message`, `tool: error: message`
/// - `gpstart:host-[ERROR]:message`
pub(super) fn level_behind_name(line: &[u8]) -> Option<Level> {
    let mut scan = Scan::new(line);
    // Most lines begin with a word of letters.
    if scan.letters().is_empty() || matches!(scan.peek(), 0 | b' ' | b'\t') {
        return None;
    }
    let near = &line[..line.len().min(WORD_BYTES_MAX)];
    let word = &near[..memchr::memchr2(b' ', b'\t', near)?];
    let mut scan = Scan::new(line);
    scan.skip(word.len());
    if let Some(level) = level(word, scan) {
        return Some(level);
    }
    let colon = memchr::memrchr(b':', word)?;
    scan.spaces();
    let last = &word[colon + 1..];
    if last.is_empty() {
        let is_name = !word[..colon].iter().any(|byte| matches!(byte, b'"' | b'\'' | b':' | b'='));
        let stated = scan.letters();
        let found = Level::from_word(stated)?;
        let is_usual = stated.first().is_some_and(u8::is_ascii_uppercase)
            || found < Level::Error
            || matches!(stated, b"error" | b"err" | b"fatal" | b"critical");
        return (is_name && is_usual && scan.eat(b':') && !is_result(scan.rest())).then_some(found);
    }
    Level::from_word(last).filter(|_| colon > 0 && is_before_time(scan.rest()))
}

/// Returns whether what stands behind a name and a colon is a count or says that there is nothing: `0, warnings: 3`, `0 of 12`,
/// `none`.
pub(super) fn is_result(rest: &[u8]) -> bool {
    let first = rest.split(|byte| matches!(byte, b',' | b';')).next().unwrap_or_default().trim_ascii();
    let nothing = [&b"none"[..], b"no", b"off", b"on", b"ok", b"false", b"true", b"n/a", b"-"];
    // `3 of 7 workers are gone` is a message.
    let behind_none = first.strip_prefix(b"0 ").and_then(|rest| rest.split(|byte| *byte == b' ').next());
    let is_counted = is_number(first) || behind_none.is_some_and(|next| next == b"of" || next.ends_with(b":"));
    first.is_empty() || is_counted || nothing.iter().any(|word| first.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_glued_to_a_name_is_read() {
        let check = |line: &str, expected: Option<Level>| {
            let mut scan = Scan::new(line.as_bytes());
            let word = scan.token();
            assert_eq!(level(word, scan), expected, "{line}");
        };
        check("gpstart:host:gpadmin-[ERROR]:-failed", Some(Level::Error));
        check("worker[WARNING]: slow", Some(Level::Warn));
        check("cpu3:2097)ALERT: heap", Some(Level::Critical));
        check("zmc_m1[12].ERR-zm_monitor.cpp/12 [x]", Some(Level::Error));
        check("zmc_m1[12].err-x [x]", None);
        check("MainThread::INFO::2026-01-05", Some(Level::Info));
        check("fluent.error: {\"a\":1}", Some(Level::Error));
        for line in [
            "a[error]: x",
            "f(x)ERRORS: x",
            "Foo::error x",
            "log.error: x",
            "log.error: {\"a\":1}",
            "Reporter::ERROR is a name",
            "a[12]: x",
            "std::FATAL(x)",
            "ABC1234E: x",
            "",
        ] {
            check(line, None);
        }
    }

    #[test]
    fn a_place_in_a_source_file_is_known() {
        assert!(is_place(b"web.cc:3") && is_place(b"src/app.rs:12:"));
        assert!(!is_place(b"10.0.0.1:80") && !is_place(b"x:3") && !is_place(b"a.b"));
    }
}
