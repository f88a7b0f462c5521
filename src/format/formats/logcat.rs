//! Android's logcat: the formats `brief`, `tag`, `process`, `time` and `threadtime`, with or without a year.

use crate::format::block::{Dated, Format, Front, Reader, Shape, Words};
use crate::format::head::{Head, Span};
use crate::format::layouts;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// Android's logcat.
pub(crate) const LOGCAT: Format = Format {
    name: "logcat",
    read: Reader::Line(read),
    front: Front {
        first: b"0VDIWEFA",
        words: Words::Joined,
        dated: Dated { is_letter: true, ..Dated::new(Shape::Dashed, b"0AVDIWEF") },
        ..Front::ANY
    },
    layouts: layouts::LOGCAT,
    ..Format::NONE
};

/// Reads `01-05 10:00:00.123  1234  1240 D Tag: message`, `01-05 10:00:00.123 D/Tag( 1234): message`, or the latter without
/// its time.
fn read(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    if !scan.peek().is_ascii_digit() {
        return brief(scan, Span::default());
    }
    let time = time(&mut scan)?;
    scan.spaces().then_some(())?;
    if scan.peek().is_ascii_digit() { threadtime(scan, time) } else { brief(scan, time) }
}

/// Passes over month, day and a time with a fraction, perhaps with a year before them.
fn time(scan: &mut Scan<'_>) -> Option<Span> {
    let line = scan.rest();
    if line.get(4) == Some(&b'-') {
        return scan.date_time();
    }
    let is_short = line.get(2) == Some(&b'-') && line.get(5) == Some(&b' ') && line.get(14) == Some(&b'.');
    let start = scan.at();
    let is_time = is_short
        && scan.digits(2, 2).is_some()
        && scan.eat(b'-')
        && scan.digits(2, 2).is_some()
        && scan.eat(b' ')
        && scan.clock();
    is_time.then(|| scan.since(start))
}

/// `D/Tag( 1234): message`, `D/Tag: message` behind a time, `D( 1234) message`.
fn brief(mut scan: Scan<'_>, time: Span) -> Option<Head> {
    let level = letter(&mut scan)?;
    let has_tag = scan.eat(b'/');
    if has_tag {
        let tag = scan.while_is(|byte| byte != b'(' && byte != b':');
        let is_tag = !tag.is_empty() && tag.len() <= 64 && !tag.contains(&b'/');
        if !is_tag {
            return None;
        }
    }
    let process = scan.between(b'(', b')').map(<[u8]>::trim_ascii_start);
    let is_process = process.is_some_and(|process| !process.is_empty() && process.iter().all(u8::is_ascii_digit));
    let is_ended = if has_tag { scan.eat_all(b": ") || scan.eat_all(b":") } else { scan.eat(b' ') };
    // A tag without a process, and a letter without a tag, are too little to know a line by.
    let is_known = is_process && (has_tag || line_is_padded(process)) || has_tag && time != Span::default();
    (is_known && is_ended).then(|| Head { level: Some(level), time, message: scan.at(), ..Head::default() })
}

/// The process stands in five columns at least, so that a short one has blanks before it; a long one is no smaller.
fn line_is_padded(process: Option<&[u8]>) -> bool {
    process.is_some_and(|process| process.len() >= 3)
}

/// `1234  1240 D Tag: message`, perhaps with a user before the process.
fn threadtime(mut scan: Scan<'_>, time: Span) -> Option<Head> {
    let mut numbers = 0;
    loop {
        let before = scan;
        if scan.digits(1, 10).is_none() || !scan.spaces() {
            scan = before;
            break;
        }
        numbers += 1;
    }
    if !(2..=3).contains(&numbers) {
        return None;
    }
    let level = letter(&mut scan)?;
    if !scan.eat(b' ') {
        return None;
    }
    let before = scan;
    let message = if scan.until(b':').is_some() && (scan.eat(b' ') || scan.is_end()) { scan.at() } else { before.at() };
    Some(Head { level: Some(level), time, message, ..Head::default() })
}

/// Passes over the letter of a priority; `A`, assert, is what Android calls fatal elsewhere.
fn letter(scan: &mut Scan<'_>) -> Option<Level> {
    let byte = scan.peek();
    let level = match byte {
        b'A' => Some(Level::Fatal),
        b'V' | b'D' | b'I' | b'W' | b'E' | b'F' => Level::from_letter(byte),
        _ => None,
    }?;
    scan.eat(byte);
    Some(level)
}
