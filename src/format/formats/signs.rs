//! Letters and signs for levels that stand where nobody else has them: ESP-IDF in colours, the X server, stunnel, PulseAudio, apt,
//! Tendermint, Murmur, RT-Thread.

use crate::format::block::{Dated, Format, Front, Reader, Shape};
use crate::format::head::Head;
use crate::format::level::Level;
use crate::format::scan::Scan;

/// Letters and signs.
pub(crate) const SIGNS: Format = Format {
    name: "signs",
    read: Reader::Line(read),
    front: Front { first: b"\x1b[<EWIDNt", dated: Dated::new(Shape::Dashed, b"L"), ..Front::ANY },
    has_no_alarms: true,
    ..Format::NONE
};

/// Reads a line of any of them.
fn read(line: &[u8]) -> Option<Head> {
    let mut scan = Scan::new(line);
    let level = match line {
        [b'\x1b', ..] => coloured(scan)?,
        [b'[', letter, b'/', ..] => named(*letter, &line[3..])?,
        [b'[', ..] => doubled(&mut scan)?,
        [b'<', letter, b'>', b'2', ..] => {
            scan.skip(3);
            scan.usual_date_time().then(|| Level::from_letter(*letter))??
        }
        [letter, b':', b' ', ..] => before_sentence(*letter, &line[3..])?,
        [letter, b'[', b'2', ..] => {
            scan.skip(2);
            let is_date = scan.digits(4, 4).is_some() && (0..2).all(|_| scan.eat(b'-') && scan.digits(2, 2).is_some());
            let is_stamp = is_date && scan.eat(b'|') && scan.clock() && scan.eat(b']');
            is_stamp.then(|| Level::from_letter(*letter))??
        }
        [b'2', _, _, _, b'.', ..] => of_stunnel(&mut scan)?,
        _ => return None,
    };
    Some(Head { level: Some(level), ..Head::default() })
}

/// Reads `ESC[0;31mE (1182) wifi: message`, ESP-IDF's.
fn coloured(mut scan: Scan<'_>) -> Option<Level> {
    scan.colours();
    let letter = scan.peek();
    scan.skip(1);
    let is_uptime = scan.eat_all(b" (") && scan.digits(1, 12).is_some() && scan.eat_all(b") ");
    if is_uptime && scan.token().ends_with(b":") { Level::from_letter(letter) } else { None }
}

/// Reads `[E/net] message`, RT-Thread's.
fn named(letter: u8, rest: &[u8]) -> Option<Level> {
    let mut scan = Scan::new(rest);
    let name = scan.while_is(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    let is_named = name.len() > 1 && scan.eat_all(b"] ") && matches!(letter, b'E' | b'W' | b'I' | b'D');
    if is_named { Level::from_letter(letter) } else { None }
}

/// Reads `[    12.341] (EE) message`, the X server's.
fn doubled(scan: &mut Scan<'_>) -> Option<Level> {
    scan.eat(b'[');
    scan.spaces();
    let is_uptime =
        scan.digits(1, 7).is_some() && scan.eat(b'.') && scan.digits(3, 3).is_some() && scan.eat_all(b"] (");
    is_uptime.then_some(())?;
    match scan.until(b')')? {
        b"EE" => Some(Level::Error),
        b"WW" => Some(Level::Warn),
        b"II" => Some(Level::Info),
        _ => None,
    }
}

/// Reads `E: [pulseaudio] main.c: message` and `E: Unable to locate package x`; `C: drive` has a letter of its own.
fn before_sentence(letter: u8, rest: &[u8]) -> Option<Level> {
    let mut scan = Scan::new(rest);
    let is_named = scan.between(b'[', b']').is_some_and(|name| !name.is_empty());
    let word = scan.letters();
    let is_sentence = word.len() > 2 && word[0].is_ascii_uppercase() && word[1].is_ascii_lowercase();
    let is_level =
        matches!(letter, b'W' | b'N' | b'I' | b'D') && is_named || letter == b'E' && (is_named || is_sentence);
    if is_level { Level::from_letter(letter) } else { None }
}

/// Reads `2026.01.05 10:00:00 LOG3[12]: message`, with a priority of syslog.
fn of_stunnel(scan: &mut Scan<'_>) -> Option<Level> {
    let is_priority = scan.usual_date_time() && scan.eat_all(b" LOG");
    let digit = if is_priority { scan.digits(1, 1)?[0] } else { return None };
    (digit < b'8' && scan.eat(b'[')).then(|| Level::from_syslog(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_signs_are_levels_where_they_are_known() {
        let check = |line: &str, expected: Option<Level>| {
            assert_eq!(read(line.as_bytes()).and_then(|head| head.level), expected, "{line}");
        };
        check("\x1b[0;31mE (1182) esp-tls: no route\x1b[0m", Some(Level::Error));
        check("[E/net] x", Some(Level::Error));
        check("[    12.341] (EE) x", Some(Level::Error));
        check("<C>2026-01-05 10:00:00.123 x", Some(Level::Critical));
        check("W: [pulseaudio] main.c: x", Some(Level::Warn));
        check("E: Unable to locate package x", Some(Level::Error));
        check("E[2026-01-05|10:00:00.123] x", Some(Level::Error));
        check("2026.01.05 10:00:00 LOG3[12]: x", Some(Level::Error));
        for line in [
            "\x1b[31mE x",
            "[E/S] x",
            "[E/net]",
            "[12] (EE) x",
            "[    12.341] (EEE) x",
            "<C>hapter 2",
            "<C>2 x",
            "E: drive is full",
            "C: The drive",
            "E[2] x",
            "2026.01.05 10:00:00 LOG9[12]: x",
            "",
            "E",
        ] {
            check(line, None);
        }
    }
}
