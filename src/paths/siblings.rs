//! Which names look like rotations of which: `app.log.1`, `app.log-20260101`, `app-2026-01-01.log` of `app.log`.
//!
//! Pure. A name is only a hint that a file was once called otherwise; the caller compares identity, birth time and bytes.

/// A longer suffix is no number and no date.
const SUFFIX_BYTES_MAX: usize = 40;

/// What rotators put in the place of a number.
const WORDS: [&[u8]; 6] = [b"old", b"bak", b"backup", b"prev", b"last", b"save"];

/// The months of dates such as `28-Nov-2026`, by their first letters.
const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

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
        if is_number_or_date(&name[index + 1..]) {
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
    names.extend(without_number(name).or_else(|| name.strip_suffix(b"~")).map(<[u8]>::to_vec));
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
    let is_number = part.iter().any(u8::is_ascii_digit) && part.len() <= SUFFIX_BYTES_MAX;
    let is_number_part = |part: &[u8]| is_month(part) || part.iter().all(|byte| b"0123456789TZ".contains(byte));
    let mut parts = part.split(|byte| is_separator(byte) || matches!(byte, b':' | b'+'));
    WORDS.contains(&part) || (is_number && parts.all(is_number_part))
}

fn is_month(part: &[u8]) -> bool {
    let is_letters = part.len() <= b"september".len() && part.iter().all(u8::is_ascii_alphabetic);
    is_letters && part.get(..3).is_some_and(|start| MONTHS.contains(&&*start.to_ascii_lowercase()))
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
            "20261128_app.log",
            "2026-11-28-app.log",
            "1.app.log",
            "app1.log",
            "app.log1",
            "app.log~",
            "app.old.log",
            "old.app.log",
            "app-20261128T101010Z.log",
        ] {
            check(name, "app.log", true);
        }
        for name in
            ["app.log", "app.log.lock", "app.log.pid", "apple.log.1", "app.log.", "x.log", "app.log.decoder", "28.log"]
        {
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
}
