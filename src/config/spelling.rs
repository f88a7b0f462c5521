//! Entries of `PATHS` and `EXCLUDE` that a shell would read differently: refused, because they would match nothing.
//!
//! Pure. A `\\` in front of any of these characters takes its meaning away, as in a glob.

use super::misnamed::PREFIX;
use super::wrapping;

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

/// Checks for what other programs would read: typographic quotes, a URL, an item of a list, a template, a regular expression.
fn check_text(text: &str) -> Result<(), String> {
    if text.starts_with(['\u{201c}', '\u{201d}', '\u{2018}']) || text.ends_with(['\u{201d}', '\u{2019}']) {
        return Err("the quotes would be part of the path; remove them".to_owned());
    }
    if text == "-" {
        return Err("stdin cannot be followed; name a file, or ./- for one of this name".to_owned());
    }
    if text.starts_with('`') || text.starts_with("$(") && text.contains(' ') {
        return Err("commands are not run; write the path in full".to_owned());
    }
    if let Some(path) = text.strip_prefix("file://").or_else(|| text.strip_prefix("- ").map(str::trim_start)) {
        return Err(format!("this is not part of a path: {:?}; write {path}", &text[..text.len() - path.len()]));
    }
    if text.split_once("://").is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err("only files can be followed; write a path such as /var/log/app.log".to_owned());
    }
    if wrapping::has_template(text) || text.starts_with('<') && text.ends_with('>') {
        return Err("this is a placeholder that nothing was filled in for; write the path itself".to_owned());
    }
    // A name may well be `App #1`.
    if let Some((path, _)) = text.split_once(" # ").filter(|(path, _)| !path.ends_with('\\')) {
        return Err(format!("the comment would be part of the path; write {}, or \\# for a plain #", path.trim_end()));
    }
    if text.starts_with('!') {
        return Err("a `!` excludes nothing; name what is not followed in SIDETAIL_EXCLUDE, or write \\!".to_owned());
    }
    if let Some((name, value)) = text.split_once('=').filter(|(name, _)| is_of_paths(name)) {
        return Err(format!("{name}= would be part of the path; write {}", value.trim_start()));
    }
    if is_of_windows(text) {
        return Err("this is a path of Windows; write it as the container sees it, such as /var/log/app.log".to_owned());
    }
    if is_expression(text) {
        return Err("these are globs, no regular expressions; use one such as /var/log/{a,b}*.log".to_owned());
    }
    Ok(())
}

/// Returns whether this is the name of the variable itself.
fn is_of_paths(name: &str) -> bool {
    let name = name.trim().trim_start_matches("export ");
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    ["PATHS", "EXCLUDE"].contains(&name)
}

/// Returns whether a path begins with a drive, or with a variable as `%NAME%`.
fn is_of_windows(text: &str) -> bool {
    let has_drive = matches!(text.as_bytes(), [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic());
    let is_name = |part: &str| part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    has_drive || text.strip_prefix('%').and_then(|rest| rest.split_once('%')).is_some_and(|(name, _)| is_name(name))
}

/// Returns whether a text has what only a regular expression has: an anchor, an escaped dot or class, alternatives in parentheses.
fn is_expression(text: &str) -> bool {
    let has_class = [r"\.", r"\d", r"\w", r"\s", r"\S"].iter().any(|escape| text.contains(escape));
    let inside = text.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    text.starts_with("^/")
        || has_class
        || inside.is_some_and(|(inside, _)| inside.contains('|') && !inside.contains('\\'))
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
        check_words(r"/var/log/app-\d+.log", "no regular expressions");
        check_words("/var/log/(a|b).log", "use one such as /var/log/{a,b}*.log");
        check_words("https://logs/app.log", "only files can be followed");
        check_words("{{ .Values.logs }}", "nothing was filled in for");
        check_words("<path>", "nothing was filled in for");
        check_words("/var/log/*.log # all of them", "write /var/log/*.log, or");
        check_words("!/var/log/a.log", "SIDETAIL_EXCLUDE");
        check_words("PATHS=/var/log/a.log", "write /var/log/a.log");
        check_words("SIDETAIL_EXCLUDE = *.tmp", "write *.tmp");
        check_words(r"C:\logs\*.log", "a path of Windows");
        check_words("%LOGDIR%/a.log", "a path of Windows");
        check_words("-", "stdin cannot be followed");
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
            r"/a \#1.log",
            "/a#1.log",
            r"\!a.log",
            "/l/(a).log",
            "/l/100%/a%.log",
            "name=a.log",
            "./-",
            "c:a.log",
            "/a&b.log",
            "/var/-/a.log",
            "a.log b.log",
            "/logs/My App #1/*.log",
            "/l/%AB%.log",
            "/l/{{a,b},c}.log",
        ] {
            assert_eq!(check(entry.as_bytes()), Ok(()), "{entry}");
        }
    }
}
