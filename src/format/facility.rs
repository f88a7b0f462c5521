//! Facilities of syslog by their names, with a level behind: `daemon.err`.

use super::level::Level;
use super::scan::Scan;

/// The facilities of syslog by their names.
static FACILITIES: [&[u8]; 12] =
    [b"kern", b"user", b"mail", b"daemon", b"auth", b"syslog", b"lpr", b"news", b"uucp", b"cron", b"authpriv", b"ftp"];

/// Returns whether a word names a facility of syslog.
pub(super) fn is_name(word: &[u8]) -> bool {
    let local = word.strip_prefix(b"local");
    local.is_some_and(|number| matches!(number, [b'0'..=b'7'])) || FACILITIES.contains(&word)
}

/// Passes over a facility and a level by their names, `daemon.err`, `<local0.err>`, and returns the level.
pub(super) fn level(scan: &mut Scan<'_>) -> Option<Level> {
    let before = *scan;
    scan.spaces();
    let is_bracketed = scan.eat(b'<');
    let facility = scan.while_is(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let word = if is_name(facility) && scan.eat(b'.') { scan.letters() } else { b"" };
    let is_ended = (!is_bracketed || scan.eat(b'>')) && scan.spaces();
    let level = Level::from_word(word).filter(|_| is_ended);
    if level.is_none() {
        *scan = before;
    }
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_facility_with_a_level_is_read_and_nothing_else_with_a_dot() {
        let check = |line: &str, expected: Option<Level>| {
            assert_eq!(level(&mut Scan::new(line.as_bytes())), expected, "{line}");
        };
        check("daemon.err app[12]: x", Some(Level::Error));
        check("<local7.alert> x", Some(Level::Critical));
        check("kern.warn kernel: x", Some(Level::Warn));
        for line in
            ["app.err x", "local8.err x", "daemon.error.log x", "daemon.err", "mail.example.com x", "<kern.err x", ""]
        {
            check(line, None);
        }
    }
}
