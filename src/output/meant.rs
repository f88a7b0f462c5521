//! What was probably meant by a term of a rule that is none. Pure.

use crate::format::{Formats, Level};

/// What the terms of a rule begin with.
const TERMS: [&str; 4] = ["file:", "format:", "level", "match:"];

/// What other programs call a term, up to the sign behind it.
const SYNONYMS: [(&str, &str); 14] = [
    ("file", "file:"),
    ("filename", "file:"),
    ("glob", "file:"),
    ("name", "file:"),
    ("path", "file:"),
    ("format", "format:"),
    ("grep", "match:"),
    ("match", "match:"),
    ("message", "match:"),
    ("regex", "match:"),
    ("regexp", "match:"),
    ("lvl", "level"),
    ("loglevel", "level"),
    ("severity", "level"),
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
        "none" | "off" => return Some(format!("{word:?}: for no rule at all leave the variable empty")),
        "all" => "file:*".to_owned(),
        _ if word.starts_with(['"', '\'']) => return Some(format!("{word:?}: the quotes are part of it; remove them")),
        _ if lower != word && TERMS.iter().any(|term| lower.starts_with(term)) => lower,
        _ if Level::from_word(word.as_bytes()).is_some() => format!("level>={lower}"),
        _ if formats.by_name(&lower).is_some() => format!("format:{lower}"),
        _ if synonym(word).is_some() => synonym(word)?,
        _ if word.len() > 2 && word.starts_with('/') && word.ends_with('/') => {
            format!("match:{}", word.trim_matches('/'))
        }
        _ if word.contains(['.', '*', '/']) && !word.contains(':') => format!("file:{word}"),
        _ => return None,
    };
    Some(format!("unknown term {word:?}; did you mean {meant}?"))
}

/// Returns a term with the name that it has here.
fn synonym(word: &str) -> Option<String> {
    let (name, rest) = word.split_at(word.find([':', '=', '<', '>'])?);
    let lower = name.to_ascii_lowercase();
    let (_, ours) = SYNONYMS.iter().find(|(theirs, _)| *theirs == lower)?;
    Some(if *ours == "level" { format!("level{rest}") } else { format!("{ours}{}", &rest[1..]) })
}

/// Returns the question after a comparison that is written in another way: `level:error`, `level==error`, `level=>error`.
pub(super) fn level(comparison: &str) -> Option<String> {
    if let Some(name) = comparison.strip_prefix("!=").filter(|name| Level::from_word(name.as_bytes()).is_some()) {
        return Some(format!("did you mean !level={}?", name.to_ascii_lowercase()));
    }
    let name = comparison.trim_start_matches([':', '=', '>']);
    let is_level = name.len() < comparison.len() && Level::from_word(name.as_bytes()).is_some();
    is_level.then(|| format!("did you mean level>={}?", name.to_ascii_lowercase()))
}
