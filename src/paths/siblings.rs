//! Which names look like rotations of which: `app.log.1`, `app.log-20260101`, `app-2026-01-01.log` of `app.log`.
//!
//! Pure. A name is only a hint that a file was once called otherwise; the caller compares identity, birth time and bytes.

/// A longer suffix is no number and no date.
const SUFFIX_BYTES_MAX: usize = 40;

/// What rotators put in the place of a number.
const WORDS: [&[u8]; 4] = [b"old", b"bak", b"prev", b"last"];

/// Returns the names that a file of this name may have had before it was rotated, the likeliest first.
#[must_use]
pub fn earlier_names(name: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    let separators = || (1..name.len()).filter(|index| matches!(name[*index], b'.' | b'-' | b'_'));
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
    }
    names
}

fn is_number_or_date(suffix: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'+' | b'T' | b'Z');
    let is_number = suffix.iter().all(is_part) && suffix.iter().any(u8::is_ascii_digit);
    WORDS.contains(&suffix) || (is_number && suffix.len() <= SUFFIX_BYTES_MAX)
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
        ] {
            check(name, "app.log", true);
        }
        for name in
            ["app.log", "app.log.lock", "app.log.pid", "app.log~", "apple.log.1", "app.log.", "app.log1", "x.log"]
        {
            check(name, "app.log", false);
        }
        check("catalina.2026-01-01.log", "catalina.log", true);
        check("access_log.1", "access_log", true);
        assert!(earlier_names(b"").is_empty() && earlier_names(b".1").is_empty());
    }
}
