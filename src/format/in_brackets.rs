//! What stands in brackets in a header: a level, or a time with a level beside it.

use super::glued;
use super::head::Span;
use super::level::Level;
use super::scan::Scan;

/// Returns the level that something in brackets is as a whole, and whether it is in capitals.
pub(super) fn whole_level(whole: &[u8]) -> Option<(Level, bool)> {
    let mut scan = Scan::new(whole);
    scan.blanks();
    let word = scan.letters();
    scan.blanks();
    if !scan.is_end() {
        return None;
    }
    Some((Level::from_word(word)?, word.iter().all(u8::is_ascii_uppercase)))
}

/// Returns whether the byte may stand before a level's letter.
pub(super) fn begins_letter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'[')
}

/// Returns whether the byte may stand behind a level's letter.
pub(super) fn ends_letter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'!' | b'>' | b']')
}

/// Looks into something in brackets for a time, and for a level beside it: `[2026-01-05 10:00:00,123 E 325 362]`,
/// `[ns_server:error,2026-01-05T10:00:00.123Z,ns_1@host]`.
pub(super) fn inside_of(
    start: Scan<'_>,
    length: usize,
    close: u8,
    known: Option<Span>,
) -> (Option<Span>, Option<Level>) {
    let mut scan = start.within(length);
    let stamped = || glued::klog(scan).or_else(|| glued::chromium(scan));
    if known.is_none()
        && let Some((time, level)) = stamped()
    {
        return (Some(time), Some(level));
    }
    let mut is_placed = false;
    let (mut time, mut level) = (None, None);
    let mut is_behind_number = false;
    for index in 0..6 {
        scan.while_is(|byte| b" ,;|\t-".contains(&byte));
        if scan.is_end() {
            break;
        }
        let from = scan.at();
        let mut timed = scan;
        if known.is_none() && time.is_none() && timed.any_time() && !timed.peek().is_ascii_alphanumeric() {
            time = Some(timed.since(from));
            scan = timed;
            continue;
        }
        let is_apart =
            start.before().is_some_and(begins_letter) && index == 0 || scan.before().is_some_and(begins_letter);
        let word = scan.while_is(|byte| !b" ,;|\t".contains(&byte));
        let is_apart = is_apart && (scan.is_end() && close == b']' || ends_letter(scan.peek()));
        // `[7f3a info 'App' opID=3]`
        let is_numbered = is_behind_number && index == 1;
        let is_near = index == 0 || time.is_some() || scan.is_end() || is_numbered;
        is_behind_number = word.iter().any(u8::is_ascii_digit) && word.iter().all(u8::is_ascii_hexdigit);
        if level.is_none() && is_near {
            let behind = scan.rest().trim_ascii();
            let is_before_time = || index == 0 && known.is_none() && glued::is_before_time(behind);
            level = match word {
                [letter] if is_apart => {
                    // `[E socket.cpp:12] message`
                    is_placed = index == 0 && glued::is_place(behind);
                    Level::from_letter(*letter)
                        .filter(|_| time.is_some() || known.is_some() || is_placed || is_before_time())
                }
                [_] => None,
                b"INCIDENT_ERROR" => Some(Level::Error),
                _ => {
                    // `[ERROR|trainer.py:12] 2026-01-05 10:00:00,123 >> message`
                    is_placed = index == 0 && behind.first() == Some(&b'|') && glued::is_place(&behind[1..]);
                    level_of_piece(word, time.is_some() || is_numbered || is_before_time())
                }
            };
        }
    }
    (time, level.filter(|_| time.is_some() || known.is_some() || is_placed))
}

/// Returns the level of a piece: the word itself, `INFO/MainProcess`, `thread/INFO`, `core:error`.
fn level_of_piece(piece: &[u8], has_time: bool) -> Option<Level> {
    let is_capital = |word: &[u8]| word.iter().all(u8::is_ascii_uppercase);
    if let Some(colon) = memchr::memrchr(b':', piece)
        && colon > 0
    {
        return Level::from_word(&piece[colon + 1..]);
    }
    // `[x.y#error]` of Twisted, `[Error-Duplicati.Server.Main]`.
    if let Some(hash) = memchr::memrchr(b'#', piece).filter(|hash| *hash > 0) {
        // A method is behind the name of a class: `[OrdersController#fail]`.
        return Level::from_word(&piece[hash + 1..]).filter(|_| piece[..hash].contains(&b'.'));
    }
    if let Some(dash) = memchr::memchr(b'-', piece)
        && let Some(dot) = memchr::memchr(b'.', &piece[dash..])
    {
        let word = &piece[..dash];
        // `[Alert-Manager.config]` and `[Error-Handler.config]` are parts of a program.
        let is_class = piece.get(dash + dot + 1).is_some_and(u8::is_ascii_uppercase);
        let is_error = is_class && matches!(word, b"Error" | b"Fatal" | b"Critical");
        let is_usual = |level: &Level| *level < Level::Error || is_error;
        return Level::from_word(word).filter(|_| piece[0].is_ascii_uppercase()).filter(is_usual);
    }
    if let Some(slash) = memchr::memchr(b'/', piece) {
        let words = [&piece[..slash], &piece[slash + 1..]];
        return words.into_iter().filter(|word| is_capital(word)).find_map(Level::from_word);
    }
    Level::from_word(piece).filter(|_| is_capital(piece) || has_time)
}
