//! The user's regular expressions: checked when they are read, compiled when they are first needed.
//!
//! A compiled expression takes up to a mebibyte, a checked one a few bytes: a process whose files never ask pays nothing.
//! Pure.

use std::cell::OnceCell;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// How much memory one compiled expression may take, in bytes: a mistake in a rule must not eat the container's limit.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// An expression without counted repetitions that is not longer than this compiles to less than [`REGEX_BYTES_MAX`].
const TEXT_BYTES_CERTAIN: usize = 2048;

/// A valid regular expression on bytes; classes such as `\w` are those of ASCII, `.` is any byte of a line.
///
/// Syntax: <https://docs.rs/regex/#syntax>.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    text: Box<str>,
    compiled: OnceCell<Regex>,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// At which character of the expression, from 0.
    pub(crate) column: usize,
    /// What is wrong, without the way out.
    pub(crate) why: String,
}

impl Expression {
    /// Checks the expression.
    ///
    /// # Errors
    /// When it is not valid, or would take more than a mebibyte.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        parser.parse(text).map_err(|why| mistake(&why))?;
        let expression = Self { text: text.into(), compiled: OnceCell::new() };
        if text.contains('{') || text.len() > TEXT_BYTES_CERTAIN {
            let too_big = |_| Mistake { column: 0, why: format!("it takes more than {REGEX_BYTES_MAX} bytes") };
            compile(text).map_err(too_big)?;
        }
        Ok(expression)
    }

    /// Returns it as it was written.
    #[must_use]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the expression matches somewhere in the line.
    #[must_use]
    pub(crate) fn is_match(&self, line: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(line))
    }

    /// Returns the compiled expression.
    #[must_use]
    pub(crate) fn regex(&self) -> Option<&Regex> {
        if self.compiled.get().is_none() {
            // It was checked: it compiles.
            let _ = self.compiled.set(compile(&self.text).ok()?);
        }
        self.compiled.get()
    }
}

/// Several expressions, asked all at once whether any of them matches: most lines match none.
#[derive(Debug, Clone)]
pub(crate) struct Expressions {
    texts: Box<[Box<str>]>,
    /// Nothing if all of them together would take too much memory.
    compiled: OnceCell<Option<RegexSet>>,
}

impl Expressions {
    /// Takes expressions that were checked.
    pub(crate) fn new<'a>(all: impl Iterator<Item = &'a Expression>) -> Self {
        Self { texts: all.map(|expression| expression.text.clone()).collect(), compiled: OnceCell::new() }
    }

    /// Returns whether any of them may match somewhere in the line; if not, none does.
    #[must_use]
    pub(crate) fn may_match(&self, line: &[u8]) -> bool {
        // One alone is not asked twice.
        if self.texts.len() < 2 {
            return !self.texts.is_empty();
        }
        let compiled = self.compiled.get_or_init(|| {
            let mut set = RegexSetBuilder::new(&self.texts);
            set.unicode(false).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build().ok()
        });
        compiled.as_ref().is_none_or(|set| set.is_match(line))
    }
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(false).size_limit(REGEX_BYTES_MAX).build()
}

fn mistake(why: &regex_syntax::Error) -> Mistake {
    let (column, why) = match why {
        regex_syntax::Error::Parse(why) => (why.span().start.column, why.kind().to_string()),
        regex_syntax::Error::Translate(why) => (why.span().start.column, why.kind().to_string()),
        other => (1, other.to_string()),
    };
    Mistake { column: column.saturating_sub(1), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_found_without_compiling_and_has_its_column() {
        let check = |text: &str, column: usize, word: &str| {
            let mistake = Expression::parse(text).expect_err(text);
            assert_eq!(mistake.column, column, "{text}: {mistake:?}");
            assert!(mistake.why.contains(word), "{text}: {mistake:?}");
        };
        check("ab(c", 2, "unclosed group");
        check("a**+[", 4, "unclosed character class");
        check(r"a\p{Greek}", 1, "Unicode");
        check("(a{1000}){1000}", 0, "bytes");
    }

    #[test]
    fn of_several_any_may_match_if_one_of_them_does() {
        let texts = ["(?i)error", "(?x) a b # c", r"^\xff$", "x{2,3}y"];
        let all = texts.map(|text| Expression::parse(text).expect("valid"));
        let together = Expressions::new(all.iter());
        for line in [&b"an ERROR"[..], b"ab", b"a b # c", b"\xff", b"\xff\xff", b"xy", b"xxxy", b"", b"any other"] {
            assert_eq!(together.may_match(line), all.iter().any(|one| one.is_match(line)), "{line:?}");
        }
        // Too large together, though each alone is not.
        let large = ["[a-q][^u-z]{200}x"; 200].map(|text| Expression::parse(text).expect("valid"));
        assert!(Expressions::new(large.iter()).may_match(b""));
    }

    #[test]
    fn an_expression_is_compiled_when_it_is_first_asked() {
        let expression = Expression::parse(r"^\d+ \xff").expect("valid");
        assert!(expression.compiled.get().is_none());
        assert!(expression.is_match(b"12 \xff") && !expression.is_match(b"x 12"));
        assert!(expression.compiled.get().is_some());
    }
}
