//! The outline of a record that none of its format's layouts fits, or of no known format: by its time and level alone.
//!
//! What else stands in the header is one attribute, from its first word to its last, so nothing is lost.

use super::attribute::Attribute;
use super::head::Span;
use super::header_layout::ReadSoFar;
use super::level::Level;
use super::outline::Outline;
use super::pieces::{self, HeaderPiece, HeaderPieces};
use super::scan::Scan;
use super::{continuation, general};

/// How long a header is, at most, in bytes.
const HEADER_BYTES_MAX: usize = 400;

/// How many pieces of a header are looked at.
const PIECES_MAX: usize = 10;

/// Outlines a line of a known format; `message` is where its reader found the message, or 0.
pub(super) fn of_known(line: &[u8], found: &ReadSoFar, message: u32) -> Outline {
    let time_end = found.time.end.max(found.time.start);
    let end = if message > 0 { message.max(time_end) } else { time_end };
    if end == 0 && found.level.is_some() && general::begins_with_level(line) {
        return by_level(line, found);
    }
    let outline = up_to(line, found, end);
    // Where nobody knows what the header is, only time and level surely are.
    if message == 0 && outline.has_attributes() { Outline::default() } else { outline }
}

/// Outlines a line of no known format.
pub(super) fn of_any(line: &[u8], found: &ReadSoFar) -> Outline {
    if found.time == Span::default() {
        let states_level = found.level.is_some() && general::begins_with_level(line) && !is_last_words(line);
        return if states_level { by_level(line, found) } else { Outline::default() };
    }
    up_to(line, found, header_end(line, found))
}

/// Returns whether the level's word is part of what is said, as in `panic: boom`.
fn is_last_words(line: &[u8]) -> bool {
    continuation::crash(line).is_some_and(|crash| crash.level.is_some())
}

/// Returns where the header of a line with a time ends: behind the time or the level, whichever comes last.
fn header_end(line: &[u8], found: &ReadSoFar) -> u32 {
    let mut scan = Scan::new(line);
    scan.blanks();
    let time_end = found.time.end;
    if !pieces::may_begin(scan.rest()) {
        return time_end;
    }
    let mut pieces = HeaderPieces::new(scan);
    for _ in 0..PIECES_MAX {
        match pieces.next() {
            HeaderPiece::Time | HeaderPiece::Name => {}
            HeaderPiece::Level(level) if Some(level) == found.level => return pieces.at().max(time_end),
            HeaderPiece::Level(_) | HeaderPiece::Pairs(_) | HeaderPiece::Text => break,
        }
    }
    time_end
}

/// Outlines a line that begins with its level.
fn by_level(line: &[u8], found: &ReadSoFar) -> Outline {
    let mut scan = Scan::new(line);
    scan.while_is(|byte| !byte.is_ascii_alphabetic());
    let start = scan.at();
    scan.letters();
    let end = scan.at();
    let mut outline = up_to(line, &ReadSoFar { time: Span::default(), ..*found }, end);
    outline.places.level = Span { start, end };
    outline
}

/// Outlines a line whose header ends there, or behind what closes it.
fn up_to(line: &[u8], found: &ReadSoFar, end: u32) -> Outline {
    let mut outline = Outline::default();
    if end == 0 || end as usize > HEADER_BYTES_MAX.min(line.len()) {
        return outline;
    }
    let header = &line[..end as usize];
    let mut scan = Scan::new(header);
    let mut extra: Option<Span> = None;
    loop {
        scan.blanks();
        scan.while_is(|byte| b"[](){}<>|-:,;#*=\"'~".contains(&byte) || byte == b' ' || byte == b'\t');
        if scan.is_end() {
            break;
        }
        let start = scan.at();
        if found.time.end > found.time.start && start == found.time.start {
            scan.skip((found.time.end - found.time.start) as usize);
            outline.places.time = found.time;
            continue;
        }
        if scan.colours() {
            continue;
        }
        let word = scan.while_is(|byte| !b"[](){}<>|:,;#=\"'~ \t\x1b".contains(&byte));
        if word.is_empty() {
            // An escape that is no colour.
            scan.skip(1);
        }
        let is_level = outline.places.level == Span::default()
            && found.level.is_some_and(|level| Level::from_word(word) == Some(level) || is_letter(word, level));
        let span = scan.since(start);
        if is_level {
            outline.places.level = span;
        } else {
            extra = Some(Span { start: extra.map_or(start, |extra| extra.start), end: span.end });
        }
    }
    if let Some(mut extra) = extra {
        let byte = |at: u32| line.get(at as usize).copied().unwrap_or(0);
        // `-5` and `#12` are not 5 and 12.
        while extra.start > 0 && matches!(byte(extra.start - 1), b'-' | b'#' | b'*' | b'~') {
            extra.start -= 1;
        }
        extra.start -= u32::from(extra.start > 0 && matches!(byte(extra.start - 1), b'[' | b'(' | b'{' | b'<'));
        extra.end += u32::from(extra.end < end && matches!(byte(extra.end), b']' | b')' | b'}' | b'>'));
        // What holds the time or the level too says it twice, and loses nothing.
        outline.add(Attribute::Extra, extra);
    }
    outline.places.message = message_start(line, end);
    outline
}

fn is_letter(word: &[u8], level: Level) -> bool {
    matches!(word, [letter] | [letter, b'!'] if Level::from_letter(*letter) == Some(level))
}

/// Returns where the message begins behind a header: brackets are closed, and signs stand between.
fn message_start(line: &[u8], end: u32) -> u32 {
    let mut scan = Scan::new(line);
    scan.skip(end as usize);
    // Telegraf's `E!`.
    scan.eat_all(b"! ");
    loop {
        scan.blanks();
        let next = scan.rest().get(1).copied().unwrap_or(b' ');
        let is_sign = matches!(scan.peek(), b':' | b'|' | b'-' | b',' | b'>' | b'=') && b" \t:|->]".contains(&next);
        if !matches!(scan.peek(), b']' | b')' | b'}' | b'>') && !is_sign {
            return scan.at();
        }
        scan.skip(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_any_line_is_taken_apart() {
        let check = |line: &str, expected: &str| {
            let head = general::read(line.as_bytes());
            let outline = of_any(line.as_bytes(), &ReadSoFar { time: head.time, level: head.level });
            let extra: Vec<_> =
                outline.attributes(line.as_bytes()).map(|(_, text)| String::from_utf8_lossy(text)).collect();
            let found = format!("{}|{}", extra.concat(), &line[outline.places.message as usize..]);
            assert_eq!(found, expected, "{line:?}");
        };
        check("2026-01-05 10:00:00 ERROR no disk", "|no disk");
        check("[2026-01-05 10:00:00] [error] no disk", "|no disk");
        check("(2026-01-05 10:00:00) WARNING low disk", "|low disk");
        check("2026-01-05T10:00:00.123Z - warn: winston", "|winston");
        check("2024.05.01 10:00:00.123456 [ 7 ] {} <Error> Application: no disk", "7|Application: no disk");
        check("[Nest] 42  - 05/01/2024, 10:00:00 AM   ERROR [AppService] no disk", "[Nest] 42|[AppService] no disk");
        check("2026-01-05 10:00:00 no level", "|no level");
        check("ERROR: no disk", "|no disk");
        check("[ERROR] -1 is no number", "|-1 is no number");
        check("Error: no disk", "|Error: no disk");
        check("Traceback (most recent call last):", "|Traceback (most recent call last):");
        check("words", "|words");
        check("2024-05-01T10:00:00Z E! [outputs.x] no disk", "|[outputs.x] no disk");
        check("", "|");
        check("2026-01-05 10:00:00 -5 ERROR no disk", "-5|no disk");
        check("2026-01-05 10:00:00 - 5 ERROR no disk", "5|no disk");
        check("[#12 x] 2026-01-05 10:00:00 ERROR no disk", "[#12 x]|no disk");
        check("2026-01-05 10:00:00 ~3 ERROR no disk", "~3|no disk");
    }
}
