//! PHP's Monolog (Laravel, Symfony), Ruby's `Logger`, Rails, Sidekiq and Foreman.

use crate::format::block::{Dated, Format, Front, Reader, RecordLines, Shape};
use crate::format::head::Head;
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// Monolog, with Laravel and Symfony.
pub(crate) const MONOLOG: Format = Format {
    name: "monolog",
    read: Reader::Line(read_monolog),
    lines: RecordLines::Multiple,
    front: Front { first: b"[", is_timed_in_brackets: true, ..Front::ANY },
    continues: &[b"[stacktrace]", b"[previous exception]"],
    layouts: layouts::MONOLOG,
    ..Format::NONE
};

/// Ruby's `Logger`, Rails, Sidekiq.
pub(crate) const RAILS: Format = Format {
    name: "rails",
    read: Reader::Line(read_rails),
    lines: RecordLines::Multiple,
    front: Front { first: b"A[t", dated: Dated::new(Shape::Iso, b""), ..Front::ANY },
    in_a_trace: &[b"from "],
    layouts: layouts::RAILS,
    ..Format::NONE
};

/// Foreman and Katello.
pub(crate) const FOREMAN: Format = Format {
    name: "the-foreman",
    read: Reader::Line(read_foreman),
    front: Front { first: b"t", dated: Dated::new(Shape::Iso, b"["), ..Front::ANY },
    has_no_alarms: true,
    ..Format::NONE
};

/// Reads `2026-01-05T10:00:00 [E|app|a1b2c3] message`; a level may be a word too.
///
/// Source: Foreman's manual, "Log layout".
fn read_foreman(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    let is_dated = scan.usual_date_time() && line.get(10) == Some(&b'T');
    let time = scan.since(0);
    (is_dated && scan.eat_all(b" [")).then_some(())?;
    let level = match scan.letters() {
        [letter] => Level::from_letter(*letter),
        word => Level::from_word(word),
    }?;
    let is_closed = scan.eat(b'|') && scan.until(b'|').is_some() && scan.until(b']').is_some();
    scan.spaces();
    is_closed.then_some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Reads `[2026-01-05T10:00:00.123456+00:00] channel.ERROR: message`.
fn read_monolog(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    let time = scan.date_time_in_brackets()?;
    if !scan.eat(b' ') {
        return None;
    }
    let channel = scan.while_is(|byte| byte != b':' && byte != b' ');
    let word = channel.rsplit(|byte| *byte == b'.').next()?;
    let is_channel = channel.len() > word.len() + 1 && word.iter().all(u8::is_ascii_uppercase);
    if !is_channel || !scan.eat(b':') {
        return None;
    }
    scan.eat(b' ');
    let level = Level::from_word(word)?;
    Some(Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// Reads `I, [2026-01-05T10:00:00.123456 #12]  INFO -- : message`, what Rails writes of a request, or Sidekiq.
fn read_rails(line: &[u8]) -> Option<Head> {
    let scan = Scan::new(line);
    match scan.peek() {
        b'0'..=b'9' => read_sidekiq(scan),
        b'[' => read_tagged(scan),
        b'A'..=b'Z' if line.get(1..4) == Some(b", [") => read_logger(scan),
        b'A'..=b'Z' => read_request(scan),
        _ => None,
    }
}

/// Reads the lines of Ruby's `Logger`; `A`, any, is what it calls unknown.
fn read_logger(mut scan: Scan<'_>) -> Option<Head> {
    let letter = scan.peek();
    if !matches!(letter, b'D' | b'I' | b'W' | b'E' | b'F' | b'A') {
        return None;
    }
    scan.eat(letter);
    scan.eat_all(b", [");
    let time = scan.date_time()?;
    scan.until(b']')?;
    scan.spaces();
    scan.letters();
    if !scan.eat_all(b" -- ") {
        return None;
    }
    if scan.until(b':').is_some() {
        scan.eat(b' ');
    }
    let level = Level::from_letter(letter);
    Some(Head { level, time, message: scan.at(), ..Head::default() })
}

/// Reads a line of Rails behind its tags, `[ab12-...] [user] Started GET ...`.
fn read_tagged(mut scan: Scan<'_>) -> Option<Head> {
    // The identifier of a request has 32 digits and four dashes.
    let tag = scan.between(b'[', b']')?;
    if !(tag.len() == 36 && tag.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')) {
        return None;
    }
    while scan.eat(b' ') && scan.between(b'[', b']').is_some() {}
    let message = scan.at();
    Some(read_request(scan).unwrap_or(Head { message, ..Head::default() }))
}

/// Reads `Started GET "/" for ...`, `Processing by ...`, `Completed 200 OK in 5ms`, `Name::Error (message):`.
fn read_request(mut scan: Scan<'_>) -> Option<Head> {
    let line = scan.rest();
    let message = scan.at();
    let head = Head { message, ..Head::default() };
    if scan.eat_all(b"Started ") {
        let method = scan.while_is(|byte| byte.is_ascii_uppercase());
        return (!method.is_empty() && scan.eat_all(b" \"")).then_some(head);
    }
    if scan.eat_all(b"Processing by ") {
        return memchr::memmem::find(scan.token(), b"#").map(|_| head);
    }
    if scan.eat_all(b"Completed ") {
        let level = Level::from_status(scan.digits(3, 3)?[0]);
        let is_timed = memchr::memmem::rfind(line, b" in ")
            .is_some_and(|at| line[at + 4..].first().is_some_and(u8::is_ascii_digit));
        return is_timed.then_some(Head { level: Some(level), ..head });
    }
    is_error(scan).then_some(Head { level: Some(Level::Error), ..head })
}

/// Returns whether it is `ActionView::Template::Error (undefined method):`, an exception as Rails writes it.
fn is_error(mut scan: Scan<'_>) -> bool {
    let name = scan.while_is(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_'));
    let ends = [&b"Error"[..], b"Exception", b"NotFound", b"Invalid", b"Missing", b"InvalidAuthenticityToken"];
    scan.eat_all(b" (") && scan.rest().ends_with(b"):") && ends.iter().any(|end| name.ends_with(end))
}

/// Reads `2026-01-05T10:00:00.123Z pid=1 tid=abc class=Job jid=12 INFO: message`, and the older `1 TID-abc Job INFO: x`.
fn read_sidekiq(mut scan: Scan<'_>) -> Option<Head> {
    if scan.rest().get(10) != Some(&b'T') {
        return None;
    }
    let time = scan.date_time()?;
    let process = &scan.rest()[..scan.rest().len().min(17)];
    if !scan.eat_all(b" pid=") && memchr::memmem::find(process, b" TID-").is_none() {
        return None;
    }
    // The words before the level are pairs; a message may hold any words.
    for _ in 0..8 {
        scan.token();
        scan.eat(b' ');
        if let Some(level) = scan.capital_level() {
            return scan.eat_all(b": ").then(|| Head {
                level: Some(level),
                time,
                message: scan.at(),
                ..Head::default()
            });
        }
    }
    None
}
