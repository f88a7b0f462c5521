//! Rules that are valid and can never hold, or hold for something else than they seem to. Pure.

use super::rules::Rule;
use crate::format::Level;

impl Rule {
    /// Returns why the rule is probably not meant so, and the way out; `None` if it may be.
    #[must_use]
    pub(crate) fn in_vain(&self) -> Option<String> {
        let text = self.text();
        if let Some(term) = self.expression().and_then(swallowed) {
            return Some(format!(
                "rule {text:?}: match: takes the rest of the rule, so {term:?} is part of the expression; put match: last"
            ));
        }
        if self.expression().is_some_and(is_quoted) {
            return Some(format!("rule {text:?}: the quotes are part of the expression; remove them"));
        }
        if let Some(glob) = self.several_files() {
            return Some(format!("rule {text:?}: a comma does not separate globs; use file:{{{glob}}}"));
        }
        let is_void = self.has_two_files() || self.has_two_formats() || !self.has_a_level();
        let way_out = "correct it, or separate its terms by ; if each is a rule of its own";
        is_void.then(|| format!("rule {text:?} holds for no line; {way_out}"))
    }

    /// Returns the glob of a term that has a comma outside braces, as no name has.
    fn several_files(&self) -> Option<&str> {
        let terms = self.text().split("match:").next()?.split_whitespace();
        let mut globs = terms.filter_map(|term| term.trim_start_matches('!').strip_prefix("file:"));
        globs.find(|glob| glob.contains(',') && !glob.contains(['{', '\\']))
    }

    /// Returns whether two of its terms ask for different files.
    fn has_two_files(&self) -> bool {
        let wanted = |(negated, _): &&(bool, _)| !negated;
        let literals = self.files.iter().filter(wanted).filter_map(|(_, glob)| glob.literal());
        literals.into_iter().any(|name| self.files.iter().any(|(negated, glob)| glob.matches(&name) == *negated))
    }

    /// Returns whether two of its terms ask for different formats.
    fn has_two_formats(&self) -> bool {
        let mut wanted = self.formats.iter().filter(|(negated, _)| !negated).map(|(_, name)| name);
        wanted.any(|name| self.formats.iter().any(|(negated, other)| (other == name) == *negated))
    }

    /// Returns whether any level, or none, satisfies its comparisons.
    fn has_a_level(&self) -> bool {
        std::iter::once(None).chain(Level::ALL.map(Some)).any(|level| self.holds_for_level(level))
    }
}

/// Returns whether quotes are around an expression that has blanks, as a shell would want them.
fn is_quoted(expression: &str) -> bool {
    let inside = |quote: char| expression.strip_prefix(quote)?.strip_suffix(quote).filter(|text| !text.contains(quote));
    ['"', '\''].into_iter().filter_map(inside).any(|text| text.contains(char::is_whitespace))
}

/// Returns the first term that an expression seems to contain.
fn swallowed(expression: &str) -> Option<&str> {
    expression.split_whitespace().skip(1).find(|word| {
        let term = word.trim_start_matches('!');
        let is_level = || term.strip_prefix("level").is_some_and(|rest| rest.starts_with(['<', '>', '=']));
        ["file:", "format:", "match:"].iter().any(|prefix| term.starts_with(prefix)) || is_level()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Formats;

    fn check(text: &str, expected: &str) {
        let rules = Rule::parse_all(text, &Formats::default()).expect(text);
        let why = rules[0].in_vain().unwrap_or_default();
        assert!(why.contains(expected) && why.is_empty() == expected.is_empty(), "{text}: {why}");
    }

    #[test]
    fn what_can_never_hold_is_found() {
        for text in [
            "file:a.log file:b.log",
            "file:a.log file:*.txt",
            "file:a.log !file:*.log",
            "format:json format:plain",
            "format:json !format:json",
            "level>fatal",
            "level<trace",
            "level>=error level<warn",
        ] {
            check(text, "holds for no line");
        }
        check("level>=warn !file:a.log,b.log", "use file:{a.log,b.log}");
        check("match:ERROR file:a.log", "so \"file:a.log\" is part of the expression");
        check("file:a match:x !level>=warn", "so \"!level>=warn\" is part of the expression");
        check("match:\"no space\"", "the quotes are part of the expression; remove them");
        check("match:'no space'", "the quotes are part of the expression; remove them");
    }

    #[test]
    fn what_may_hold_is_not_doubted() {
        for text in [
            "file:a.log file:*.log",
            "file:*.log file:a*",
            "file:a.log !file:b.log",
            "format:json !format:plain",
            "level>=error",
            "!level>=error",
            "!level>fatal",
            "level>warn level<=fatal",
            "match:GET /file: not found",
            "match:file:x",
            "match:file:a,b",
            "file:{a,b}.log",
            r"file:a\,b.log",
            "match:the level is",
            "match:\"id\":1",
            "match:\"",
        ] {
            check(text, "");
        }
    }
}
