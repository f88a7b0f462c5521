//! Entries of `PATHS` and `EXCLUDE` that a shell would read differently: refused, because they would match nothing.
//!
//! Pure. A `\\` in front of any of these characters takes its meaning away, as in a glob.

/// Checks one entry of a list of patterns.
///
/// # Errors
/// Returns what is wrong and the way out: quotes around it, a `~`, a `$X`, two absolute paths in one entry.
pub(super) fn check(entry: &[u8]) -> Result<(), String> {
    if let [first @ (b'"' | b'\''), .., last] = entry
        && first == last
    {
        return Err("the quotes would be part of the path; remove them".to_owned());
    }
    if let [quote @ (b'"' | b'\''), ..] | [.., quote @ (b'"' | b'\'')] = entry {
        let quote = char::from(*quote);
        return Err(format!("the {quote} would be part of the path; remove it, or write \\{quote}"));
    }
    if let Ok(text) = std::str::from_utf8(entry) {
        check_text(text)?;
    }
    if entry.starts_with(b"~") {
        return Err("`~` is not expanded; write the directory in full, or ./~ for a file of this name".to_owned());
    }
    let unescaped = |index: usize| index == 0 || entry[index - 1] != b'\\';
    for index in memchr::memchr_iter(b'$', entry).filter(|index| unescaped(*index)) {
        let next = entry.get(index + 1).copied().unwrap_or_default();
        if next.is_ascii_alphabetic() || matches!(next, b'_' | b'{' | b'(') {
            let way_out =
                "write the path in full; in a pod's spec, $(NAME) refers to a variable that stands before this one";
            return Err(format!("variables are not expanded; {way_out}, and \\$ is a plain $"));
        }
    }
    match separator(entry).filter(|_| entry.starts_with(b"/")) {
        None => Ok(()),
        Some(separator) => Err(format!(
            "{:?} does not separate paths; separate them by commas or newlines, or write \\{separator} if it is part of the path",
            char::from(separator).to_string(),
            separator = char::from(separator)
        )),
    }
}

/// Checks for what other programs would read: typographic quotes, a URL, an item of a list, a regular expression.
fn check_text(text: &str) -> Result<(), String> {
    if text.starts_with(['\u{201c}', '\u{201d}', '\u{2018}']) || text.ends_with(['\u{201d}', '\u{2019}']) {
        return Err("the quotes would be part of the path; remove them".to_owned());
    }
    if text.starts_with('`') || text.starts_with("$(") && text.contains(' ') {
        return Err("commands are not run; write the path in full".to_owned());
    }
    if let Some(path) = text.strip_prefix("file://").or_else(|| text.strip_prefix("- ").map(str::trim_start)) {
        return Err(format!("this is not part of a path: {:?}; write {path}", &text[..text.len() - path.len()]));
    }
    if text.starts_with("^/") || text.contains(r"\.") {
        return Err("these are globs, no regular expressions; use one such as /var/log/*.log".to_owned());
    }
    Ok(())
}

/// What people separate paths with, and we do not.
const SEPARATORS: &[u8] = b";:|&";

/// Returns what stands between an absolute path and another one, a blank or one of the separators, or a separator at the end.
fn separator(entry: &[u8]) -> Option<u8> {
    if let [.., before, last @ (b';' | b':' | b'|')] = entry
        && *before != b'\\'
    {
        return Some(*last);
    }
    let slash = (1..entry.len()).filter(|index| entry[*index] == b'/');
    slash.into_iter().find_map(|slash| {
        let before = entry[..slash].trim_ascii_end();
        let last = before.len() - 1;
        let (separator, at) = match entry[last] {
            found if SEPARATORS.contains(&found) => (found, last),
            _ if before.len() < slash => (entry[before.len()], before.len()),
            _ => return None,
        };
        (at > 0 && entry[at - 1] != b'\\').then_some(separator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_words(entry: &str, words: &str) {
        let why = check(entry.as_bytes()).expect_err(entry);
        assert!(why.contains(words), "{entry}: {why}");
    }

    #[test]
    fn what_only_a_shell_would_expand_is_refused_with_the_way_out() {
        check_words("\"/var/log/*.log\"", "remove them");
        check_words("'/var/log/*.log'", "remove them");
        check_words("\"/var/log/*.log", "remove it");
        check_words("~/app.log", "write the directory in full");
        check_words("~", "write the directory in full");
        check_words("~app/a.log", "write the directory in full");
        check_words("$HOME/app.log", "$(NAME)");
        check_words("/var/log/${APP}/a.log", "$(NAME)");
        check_words("`pwd`/a.log", "commands are not run");
        check_words("\u{201c}/var/log/*.log\u{201d}", "remove them");
        check_words("file:///var/log/a.log", "write /var/log/a.log");
        check_words("- /var/log/a.log", "write /var/log/a.log");
        check_words(r"^/var/log/.*\.log$", "no regular expressions");
        check_words(r"/var/log/.*\.log", "no regular expressions");
        check_words("/var/log/$(APP)/a.log", "$(NAME)");
    }

    #[test]
    fn two_absolute_paths_in_one_entry_are_refused() {
        check_words("/a.log /b.log", "\" \" does not separate");
        check_words("/a.log;/b.log", "\";\" does not separate");
        check_words("/a.log:/b.log", "\":\" does not separate");
        check_words("/a.log ; /b.log", "\";\" does not separate");
        check_words("/a.log\t/b.log", "commas or newlines");
        check_words("/a.log|/b.log", "\"|\" does not separate");
        check_words("/a.log && /b.log", "does not separate");
        check_words("/a.log;", "\";\" does not separate");
        check_words("/a.log:", "\":\" does not separate");
    }

    #[test]
    fn what_may_be_meant_is_accepted() {
        for entry in [
            "/var/log/*.log",
            "/var/my logs/a.log",
            "/var/a;b/c:d/x.log",
            "/var/log/price$.log",
            "/var/log/$5.log",
            r"/var/log/\$APP.log",
            r"/a\ /b.log",
            r"/a\:/b.log",
            "./~app.log",
            "it's.log",
            r"/a.log\;",
            "/a&b.log",
            "/var/-/a.log",
            "a.log b.log",
        ] {
            assert_eq!(check(entry.as_bytes()), Ok(()), "{entry}");
        }
    }
}
