//! The error logs of web servers: nginx, Apache's httpd, PHP-FPM and PHP.

use crate::format::block::{Crash, Dated, Format, Front, Reader, RecordLines, Shape};
use crate::format::head::Head;
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// nginx' error log.
pub(crate) const NGINX: Format = Format {
    name: "nginx",
    read: Reader::Line(read_nginx),
    front: Front { first: b"tn", dated: Dated::new(Shape::Slashed, b"["), ..Front::ANY },
    is_quoting: true,
    continues: &[b"\" while reading "],
    layouts: layouts::NGINX,
    ..Format::NONE
};

/// Apache's error log.
pub(crate) const APACHE: Format = Format {
    name: "apache",
    read: Reader::Line(read_apache),
    front: Front { first: b"[", ..Front::ANY },
    layouts: layouts::APACHE,
    message: Some(apache_message),
    ..Format::NONE
};

/// PHP-FPM and PHP; how a script in PHP ends.
pub(crate) const PHP_FPM: Format = Format {
    name: "php-fpm",
    read: Reader::Line(read_php_fpm),
    lines: RecordLines::Multiple,
    front: Front { first: b"[", is_timed_in_brackets: true, ..Front::ANY },
    may_continue: true,
    grave: &[b" exited on signal ", b"PHP Fatal error: ", b"PHP Parse error: "],
    crashes: &[
        Crash::new(b"PHP Fatal error: ", Level::Error).interrupting(Level::Error),
        Crash::new(b"PHP Parse error: ", Level::Error),
        Crash::new(b"PHP Warning: ", Level::Warn),
        Crash::new(b"PHP Notice: ", Level::Notice),
        Crash::new(b"PHP Deprecated: ", Level::Notice),
        Crash::new(b"PHP Catchable fatal error: ", Level::Error).interrupting(Level::Error),
        Crash::new(b"PHP Recoverable fatal error: ", Level::Error).interrupting(Level::Error),
        Crash::new(b"Fatal error: ", Level::Fatal),
        Crash::new(b"Parse error: ", Level::Error),
    ],
    continues: &[b"Stack trace:", b"#0 ", b"PHP Stack trace:", b"PHP   "],
    in_a_trace: &[b"thrown in "],
    layouts: layouts::PHP_FPM,
    ..Format::NONE
};

/// Reads `2026/01/05 10:00:00 [error] 12#12: *1 message`.
fn read_nginx(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    if scan.eat_all(b"nginx: ") {
        // What is said before there is a log.
        let level = Level::from_word(scan.between(b'[', b']')?)?;
        scan.eat(b' ');
        return Some(Head { level: Some(level), message: scan.at(), ..Head::default() });
    }
    if line.get(4) != Some(&b'/') {
        return None;
    }
    let time = scan.date_time()?;
    if !scan.eat(b' ') {
        return None;
    }
    let level = Level::from_word(scan.between(b'[', b']')?)?;
    // Process and thread tell it from what programs in Go write; a line may be cut within them.
    scan.eat(b' ');
    let process = scan.while_is(|byte| byte.is_ascii_digit() || byte == b'#');
    let is_whole = process.contains(&b'#') && scan.eat_all(b": ");
    if !is_whole && !scan.is_end() {
        return None;
    }
    let header = if is_whole { scan.at() } else { 0 };
    Some(Head { level: Some(level), time, message: scan.at(), header, ..Head::default() })
}

/// Reads `[Mon Jan 05 10:00:00.123456 2026] [core:error] [pid 12:tid 34] [client 10.0.0.1:5] message`; before 2.4 there
/// was no name of a module before the level.
fn read_apache(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    if !scan.eat(b'[') || !scan.peek().is_ascii_uppercase() {
        return None;
    }
    let time = scan.date_time()?;
    if !scan.eat_all(b"] ") {
        return None;
    }
    let stated = scan.between(b'[', b']')?;
    let word = stated.rsplit(|byte| *byte == b':').next()?;
    // Digits may follow: `trace1` to `trace8`.
    let level = Level::from_word(Scan::new(word).letters())?;
    let header = scan.at();
    Some(Head { level: Some(level), time, message: apache_message(line, header), header, ..Head::default() })
}

/// Returns where the message begins, behind processes and clients.
fn apache_message(line: &[u8], header: u32) -> u32 {
    let mut scan = Scan::new(line);
    scan.skip(header as usize);
    scan.spaces();
    while [&b"[pid "[..], b"[client ", b"[remote "].iter().any(|start| scan.rest().starts_with(start)) {
        if scan.between(b'[', b']').is_none() {
            break;
        }
        scan.spaces();
    }
    scan.at()
}

/// What PHP calls what went wrong, and how serious that is.
const PHP: &[(&[u8], Level)] = &[
    (b"Fatal error", Level::Error),
    (b"Parse error", Level::Error),
    (b"Recoverable fatal error", Level::Error),
    (b"Catchable fatal error", Level::Error),
    (b"Warning", Level::Warn),
    (b"Notice", Level::Notice),
    (b"Deprecated", Level::Notice),
    (b"Strict Standards", Level::Notice),
];

/// Reads `[05-Jan-2026 10:00:00] NOTICE: message` of PHP-FPM and `[05-Jan-2026 10:00:00 UTC] PHP Warning:  message`.
fn read_php_fpm(line: &[u8]) -> Option<Head> {
    if line.get(3) != Some(&b'-') {
        return None;
    }
    let mut scan = Scan::new(line);
    scan.eat(b'[');
    let start = scan.at();
    scan.date_time()?;
    // PHP-FPM gives no zone, but always a level; PHP gives a zone, and any message.
    let is_fpm = scan.peek() == b']' && scan.passed().last().is_some_and(u8::is_ascii_digit);
    // The zone may be any name: `Europe/Berlin`.
    scan.while_is(|byte| byte.is_ascii_alphanumeric() || b" /_+-:".contains(&byte));
    let time = scan.since(start);
    if !scan.eat_all(b"] ") {
        return None;
    }
    let mut head = Head { time, message: scan.at(), ..Head::default() };
    if scan.eat_all(b"PHP ") {
        let rest = scan.rest();
        let known = PHP.iter().find(|(word, _)| rest.starts_with(word) && rest.get(word.len()) == Some(&b':'));
        head.level = known.map(|(_, level)| *level);
        // A trace has a header on each of its lines: `PHP Stack trace:`, `PHP   1. {main}() /app/index.php:0`.
        head.continues = rest.starts_with(b"  ") || rest.starts_with(b"Stack trace:");
        return Some(head);
    }
    let word = scan.letters();
    if scan.eat(b':') {
        head.level = Level::from_word(word);
    }
    (!is_fpm || head.level.is_some()).then_some(head)
}
