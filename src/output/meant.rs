//! What was probably meant by a term of a rule that is none. Pure.

use crate::format::{Formats, Level};

/// What the terms of a rule begin with.
const TERMS: [&str; 4] = ["file:", "format:", "level", "match:"];

/// What other programs call a term, up to the sign behind it.
const SYNONYMS: [(&str, &[&str]); 4] = [
    ("file:", &["file", "filename", "glob", "name", "path", "source", "log"]),
    ("format:", &["format", "parser", "type"]),
    ("match:", &["match", "message", "msg", "regex", "regexp", "grep", "contains", "line", "text", "pattern"]),
    ("level", &["lvl", "loglevel", "severity", "sev", "levels", "log.level", "priority"]),
];

/// Checks that a word is not several terms, or rules, with a comma between them.
///
/// # Errors
/// Returns what separates rules.
pub(super) fn check_separators(word: &str) -> Result<(), String> {
    let is_term = |text: &str| TERMS.iter().any(|term| text.trim_start_matches('!').starts_with(term));
    let is_separator = |(at, _): (usize, &str)| word[at + 1..].is_empty() || is_term(&word[at + 1..]);
    match word.match_indices(',').any(is_separator) {
        true => Err(format!("{word:?}: rules are separated by ; and the terms of a rule by blanks")),
        false => Ok(()),
    }
}

/// Returns what is wrong with a word that begins as no term does, with a question, if what was meant can be guessed.
pub(super) fn term(word: &str, formats: &Formats) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let meant = match &*lower {
        "or" | "|" | "||" => return Some(format!("{word:?}: rules are separated by ;")),
        "and" | "&" | "&&" => {
            return Some(format!("{word:?}: the terms of a rule need no word between them; leave it out"));
        }
        "not" => return Some(format!("{word:?}: write ! in front of a term to negate it, without a blank")),
        "if" | "when" | "where" => {
            return Some(format!("{word:?}: a rule holds if all its terms do; leave the word out"));
        }
        "" | "!" => return Some(format!("{word:?}: write ! in front of a term to negate it, without a blank")),
        _ if word.starts_with('#') || word.starts_with("//") => {
            return Some(format!("{word:?}: there are no comments in rules; remove it"));
        }
        "none" | "off" | "null" | "false" | "no" | "-" | "[]" => {
            return Some(format!("{word:?}: for no rule at all leave the variable empty"));
        }
        "all" | "true" | "yes" | ".*" => "file:*".to_owned(),
        _ if word.starts_with(['"', '\'']) => return Some(format!("{word:?}: the quotes are part of it; remove them")),
        _ if lower != word && TERMS.iter().any(|term| lower.starts_with(term)) => lower,
        _ if Level::from_word(word.as_bytes()).is_some() => format!("level>={lower}"),
        _ if formats.by_name(&lower).is_some() => format!("format:{lower}"),
        _ if synonym(word).is_some() => synonym(word)?,
        _ if word.len() > 2 && word.starts_with('/') && word.ends_with('/') => {
            format!("match:{}", word.trim_matches('/'))
        }
        _ if several_levels(&lower).is_some() => format!("level>={}", several_levels(&lower)?),
        _ if is_glob(word) => format!("file:{word}"),
        _ => return None,
    };
    Some(format!("unknown term {word:?}; did you mean {meant}?"))
}

/// Returns whether a word looks like the name of a file, or a glob.
fn is_glob(word: &str) -> bool {
    word.contains(['.', '*', '/']) && !word.starts_with('.') && !word.contains([':', '=', '"', '$', '<', '>'])
}

/// Returns the least of several levels that commas or bars separate: whoever lists some wants that and all above it.
fn several_levels(lower: &str) -> Option<&'static str> {
    let levels = lower.trim_matches(['(', ')', '[', ']']).split([',', '|']).filter(|word| !word.is_empty());
    let levels = levels.map(|word| Level::from_word(word.as_bytes()));
    levels.collect::<Option<Vec<_>>>()?.into_iter().min().map(Level::name)
}

/// Returns a term with the name that it has here.
fn synonym(word: &str) -> Option<String> {
    let (name, rest) = word.split_at(word.find([':', '=', '<', '>'])?);
    let lower = name.to_ascii_lowercase();
    let (ours, _) = SYNONYMS.iter().find(|(_, theirs)| theirs.contains(&&*lower))?;
    match *ours {
        "level" if rest.starts_with(':') => Some(format!("level>={}", &rest[1..])),
        "level" => Some(format!("level{rest}")),
        ours => Some(format!("{ours}{}", &rest[1..])),
    }
}

/// Returns the question after a comparison that is written in another way: `level:error`, `level==error`, `level=>error`,
/// `level=error,fatal`, `level>=eror`.
pub(super) fn level(comparison: &str) -> Option<String> {
    let lower = comparison.to_ascii_lowercase();
    let is_level = |name: &str| Level::from_word(name.as_bytes()).is_some();
    if let Some(name) = lower.strip_prefix("!=").filter(|name| is_level(name)) {
        return Some(format!("did you mean !level={name}?"));
    }
    let name = lower.trim_start_matches([':', '=', '>', '~', '\u{2265}']);
    if let Some(name) = several_levels(name).filter(|_| !is_level(name)) {
        return Some(format!("did you mean level>={name}?"));
    }
    if name.len() < lower.len() && is_level(name) {
        return Some(format!("did you mean level>={name}?"));
    }
    let distances = Level::ALL.map(|level| (strsim::damerau_levenshtein(name, level.name()), level.name()));
    let (distance, near) = distances.into_iter().min()?;
    (distance == 1 && name.len() > 3).then(|| format!("did you mean {near}?"))
}
