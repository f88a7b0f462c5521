//! Which names look like rotations of which: `app.log.1`, `app.log-20260101`, `app-2026-01-01.log` of `app.log`.
//!
//! Pure. A name is only a hint that a file was once called otherwise; the caller compares identity, birth time and bytes.

/// A longer suffix is no number and no date.
const SUFFIX_BYTES_MAX: usize = 40;

/// What rotators put in the place of a number.
const WORDS: [&[u8]; 6] = [b"old", b"bak", b"backup", b"prev", b"last", b"save"];

/// The months of dates such as `28-Nov-2026`. Their first three letters stand for them, too.
const MONTHS: [&[u8]; 12] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];

/// Days of the week, where there is an archive of each. Their first three letters stand for them, too.
const WEEKDAYS: [&[u8]; 7] = [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// What stands behind the names of files that are no logs, but about one.
const OF_NO_LOGS: [&[u8]; 12] =
    [b"lock", b"pid", b"tmp", b"temp", b"swp", b"swo", b"sock", b"idx", b"index", b"pos", b"offset", b"conf"];

/// What svlogd, s6-log and multilog write to before they name it after the time.
const CURRENT: &[u8] = b"current";

/// The digits of such a time, behind an `@`.
const TAI64N_DIGITS: usize = 24;

/// Returns the names that a file of this name may have had before it was rotated, the likeliest first.
#[must_use]
pub fn earlier_names(name: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    let separators = || (1..name.len()).filter(|index| is_separator(&name[*index]));
    // `app.log.1`, and Python's `app.log.2026-01-01_10`.
    for index in separators() {
        let last = &name[index + 1..];
        if is_number_or_date(last) || is_weekday(last) {
            names.push(name[..index].to_vec());
        }
    }
    // `app-2026-01-01.log`, and log4j's `app-1.log`: the extension stays at the end.
    if let Some(dot) = memchr::memrchr(b'.', name) {
        for index in separators().filter(|index| *index < dot) {
            if is_number_or_date(&name[index + 1..dot]) {
                names.push([&name[..index], &name[dot..]].concat());
            }
        }
        // Winston's `app1.log`.
        names.extend(without_number(&name[..dot]).map(|stem| [stem, &name[dot..]].concat()));
    }
    // `20260101_app.log`.
    for index in separators() {
        if is_number_or_date(&name[..index]) {
            names.push(name[index + 1..].to_vec());
        }
    }
    // `app.log1` and `app.log~`.
    names.extend(without_number(name).or_else(|| without_tildes(name)).map(<[u8]>::to_vec));
    if is_tai64n(name) {
        names.push(CURRENT.to_vec());
    }
    names.retain(|name| !name.is_empty());
    names
}

fn is_separator(byte: &u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

fn is_number_or_date(part: &[u8]) -> bool {
    let parts = || part.split(|byte| is_separator(byte) || matches!(byte, b':' | b'+'));
    // `app-mon.log` is rather that of a monitor: three letters need a number beside them, or the end of the name.
    let is_word = |part: &[u8]| WORDS.contains(&part) || (part.len() > 3 && is_weekday(part));
    let is_week = |part: &[u8]| matches!(part, [b'W', week @ ..] if week.iter().all(u8::is_ascii_digit));
    let is_number_part = |part: &[u8]| {
        let is_number = || part.iter().all(|byte| b"0123456789TZ".contains(byte));
        is_word(part) || is_weekday(part) || is_month(part) || is_week(part) || is_number()
    };
    let says_when = part.iter().any(u8::is_ascii_digit) || parts().any(is_word);
    says_when && part.len() <= SUFFIX_BYTES_MAX && parts().all(is_number_part)
}

/// Only the whole name counts, or three letters: `app.market-1.log` is the market's. Of September some write four.
fn is_month(part: &[u8]) -> bool {
    let is_abbreviated = |month: &[u8]| part.eq_ignore_ascii_case(&month[..3]) || part.eq_ignore_ascii_case(b"sept");
    MONTHS.iter().any(|month| part.eq_ignore_ascii_case(month) || is_abbreviated(month))
}

fn is_weekday(part: &[u8]) -> bool {
    WEEKDAYS.iter().any(|day| part.eq_ignore_ascii_case(day) || part.eq_ignore_ascii_case(&day[..3]))
}

/// Returns what stands before the tildes that a name ends with, or before the number between two, as in `app.log.~1~`.
fn without_tildes(name: &[u8]) -> Option<&[u8]> {
    let stem = name.trim_ascii_end().strip_suffix(b"~")?;
    let digits = stem.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    if let Some(log) = stem[..stem.len() - digits].strip_suffix(b".~").filter(|_| digits > 0) {
        return Some(log);
    }
    let tildes = stem.iter().rev().take_while(|byte| **byte == b'~').count();
    Some(&stem[..stem.len() - tildes])
}

/// Returns what stands before the number that a name ends with, if anything does but separators.
fn without_number(name: &[u8]) -> Option<&[u8]> {
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let stem = &name[..name.len() - digits];
    (digits > 0 && stem.last().is_some_and(|last| !is_separator(last))).then_some(stem)
}

/// Returns whether it is `@4000000069299d2a1b2c3d4e`, or that with `.s`, `.u` or another letter behind it.
fn is_tai64n(name: &[u8]) -> bool {
    let Some((digits, rest)) = name.strip_prefix(b"@").and_then(|time| time.split_at_checked(TAI64N_DIGITS)) else {
        return false;
    };
    digits.iter().all(u8::is_ascii_hexdigit) && matches!(rest, [] | [b'.', _])
}

/// Returns whether a file of this name may be a generation of a log if another one is, which was `seen` under its name: whether the
/// two differ in nothing but numbers, dates and what is random, on the same sides of the log's name.
#[must_use]
pub(crate) fn is_generation_beside(log: &[u8], seen: &[u8], name: &[u8]) -> bool {
    let stem_length = memchr::memchr(b'.', log).filter(|dot| *dot > 0).unwrap_or(log.len());
    for part in [log, &log[..stem_length]] {
        match (around(part, seen), around(part, name)) {
            (Some(seen), Some(name)) => return is_variation(seen.0, name.0) && is_variation(seen.1, name.1),
            (None, None) => {}
            _ => return false,
        }
    }
    is_variation(seen, name)
}

/// Returns what stands before and behind a part of a name, where that is a word of its own.
fn around<'a>(part: &[u8], name: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (before, behind) = memchr::memmem::find_iter(name, part)
        .map(|at| (&name[..at], &name[at + part.len()..]))
        .find(|(before, _)| !before.last().is_some_and(u8::is_ascii_alphabetic))?;
    (!behind.first().is_some_and(u8::is_ascii_alphabetic)).then_some((before, behind))
}

/// Returns whether two names, or parts of such, differ in nothing but numbers, dates, and what is random.
#[must_use]
pub(crate) fn is_variation(one: &[u8], other: &[u8]) -> bool {
    let words = |name: &[u8]| -> Vec<Vec<u8>> {
        name.chunk_by(|a, b| a.is_ascii_alphanumeric() == b.is_ascii_alphanumeric()).map(<[u8]>::to_vec).collect()
    };
    let (one, other) = (words(one), words(other));
    one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| is_word_varied(one, other))
}

fn is_word_varied(one: &[u8], other: &[u8]) -> bool {
    let letters = |word: &[u8]| -> Vec<u8> { word.iter().copied().filter(|byte| !byte.is_ascii_digit()).collect() };
    if one == other || letters(one) == letters(other) {
        return true;
    }
    let are_both = |is: &dyn Fn(&[u8]) -> bool| is(one) && is(other);
    if are_both(&is_month) || are_both(&is_weekday) {
        return true;
    }
    let is_alphanumeric = |word: &[u8]| word.iter().all(u8::is_ascii_alphanumeric);
    let is_random = |word: &[u8]| {
        let has_capitals =
            || word.iter().skip(1).any(u8::is_ascii_uppercase) && word.iter().any(u8::is_ascii_lowercase);
        word.iter().any(u8::is_ascii_digit) || has_capitals()
    };
    one.len() == other.len()
        && are_both(&is_alphanumeric)
        && are_both(&|word| !OF_NO_LOGS.contains(&word))
        && (is_random(one) || is_random(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, base: &str, expected: bool) {
        let found = earlier_names(name.as_bytes()).contains(&base.as_bytes().to_vec());
        assert_eq!(found, expected, "{name} of {base}: {:?}", earlier_names(name.as_bytes()));
    }

    #[test]
    fn rotations_are_told_by_their_names() {
        for name in [
            "app.log.1",
            "app.log.10",
            "app.log-20260101",
            "app.log-20260101-1767225600",
            "app.log.2026-01-01",
            "app.log.2026-01-01_10",
            "app.log_1",
            "app.log.old",
            "app-2026-01-01.log",
            "app-2026-01-01T10-00-00.000.log",
            "app.1.log",
            "app_20260101.log",
            "app.log.28-Nov-2026",
            "app.log.28.november.2026",
            "app.log.28-Sept-2026",
            "app-2026-mar-01.log",
            "app.mar-1.log",
            "20261128_app.log",
            "2026-11-28-app.log",
            "1.app.log",
            "app1.log",
            "app.log1",
            "app.log~",
            "app.old.log",
            "old.app.log",
            "app-20261128T101010Z.log",
            "app.log~~",
            "app.log.~1~",
            "app.log.old.old",
            "app.log.old.2",
            "app.log.2026-W48",
            "app.log.tue",
            "app-Monday.log",
            "app-Sat-28-Nov-2026.log",
        ] {
            check(name, "app.log", true);
        }
        for name in [
            "app.log",
            "app.log.lock",
            "app.log.pid",
            "apple.log.1",
            "app.log.",
            "x.log",
            "app.log.decoder",
            "28.log",
            "app-monitor.log",
            "app-mon.log",
            "app.thunder.log",
            "sunset.app.log",
            "app.log.friendly",
            "app.market-1.log",
            "app-marathon-2.log",
            "app.decoder.1.log",
            "app-junction-20260101.log",
            "1-octopus.app.log",
        ] {
            check(name, "app.log", false);
        }
        check("catalina.2026-01-01.log", "catalina.log", true);
        check("access_log.1", "access_log", true);
        for name in ["@4000000069299d2a1b2c3d4e.s", "@4000000069299d2a1b2c3d4e.u", "@4000000069299d2a1b2c3d4e"] {
            check(name, "current", true);
        }
        check("@4000000069299d2a1b2c3d4e.su", "current", false);
        assert!(earlier_names(b"").is_empty() && earlier_names(b".1").is_empty());
    }

    #[test]
    fn generations_differ_in_what_is_counted_dated_or_random() {
        for (log, seen, name, expected) in [
            ("app.log", "app.log.K1x", "app.log.K20x", true),
            ("app.log", "app.log.zzPq3T", "app.log.abcdef", true),
            ("app.log", "app-zzPq3T.log", "app-Xy01Zw.log", true),
            ("app.log", "app.log (copy 1)", "app.log (copy 12)", true),
            ("app.log", "archived.1", "archived.2", true),
            ("app.log", "app.log", "app.log", true),
            ("app.log", "1", "2", true),
            ("app.log", "nov.app.log", "dec.app.log", true),
            ("current", "@4000000069299d2a1b2c3dab.s", "@4000000069299d2b00000001.s", true),
            ("app.log", "app.log.K1x", "app.log.pid", false),
            ("app.log", "app.log.K1x", "app.log.lock", false),
            ("app.log", "app.log.1", "app.log.", false),
            ("app.log", "app-zzPq3T.log", "app-error.log", false),
            ("app.log", "app-server.log", "app-client.log", false),
            ("app.log", "app.log.zzPq3T", "web.log.abcd3f", false),
            ("app1.log", "app1.log.K7x", "app2.log.K8x", false),
            ("app.log", "archived.1", "app.log.1", false),
            ("app.log", "app.log.1", "myapp.log.1", false),
        ] {
            let found = is_generation_beside(log.as_bytes(), seen.as_bytes(), name.as_bytes());
            assert_eq!(found, expected, "{name} beside {seen} of {log}");
        }
    }
}
