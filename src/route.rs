//! Rules: which lines are dropped, which go to stderr; all else goes to stdout.
//!
//! Pure: it sees a path and the bytes of a line. What a rule asks of the path is answered once for each file
//! ([`Router::of_file`]), so that only `match:` terms are left to be asked of every line, and most files have none.

use std::fmt;
use std::path::Path;
use std::rc::Rc;

use regex::bytes::{Regex, RegexBuilder};

use crate::glob::NameGlob;

/// How much memory one compiled expression may take, in bytes: a mistake in a rule must not eat the container's limit.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// One of the two standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Where lines go that no rule names.
    Stdout,
    /// Where lines go that a rule of `STDERR` names.
    Stderr,
}

impl Stream {
    /// Both, in the order of their indices.
    pub const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// Returns 0 for stdout and 1 for stderr.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(["stdout", "stderr"][self.index()])
    }
}

/// Where a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// To one of the streams.
    To(Stream),
    /// Nowhere, by a rule of `DROP`.
    Drop,
}

/// What a rule asks; every term must hold.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    files: Vec<(Negated, NameGlob)>,
    matches: Vec<(Negated, Regex)>,
}

/// Whether a `!` stands in front of a term.
type Negated = bool;

impl Rule {
    /// Returns the rules of a text: one a line, or separated by `;` (a `\;` does not separate).
    ///
    /// # Errors
    /// Returns every problem found, each naming the rule, the term and the way out.
    pub fn parse_all(text: &str) -> Result<Vec<Rc<Self>>, Vec<String>> {
        let (mut rules, mut problems) = (Vec::new(), Vec::new());
        for rule in split_rules(text) {
            match Self::parse(rule) {
                Ok(parsed) => rules.push(Rc::new(parsed)),
                Err(why) => problems.push(format!("rule {rule:?}: {why}")),
            }
        }
        if problems.is_empty() { Ok(rules) } else { Err(problems) }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut rule = Self::default();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (negated, term) = match rest.strip_prefix('!') {
                Some(term) => (true, term),
                None => (false, rest),
            };
            if let Some(expression) = term.strip_prefix("match:") {
                rule.matches.push((negated, compile(expression.trim())?));
                break;
            }
            let (word, others) = term.split_once(char::is_whitespace).unwrap_or((term, ""));
            rest = others.trim_start();
            rule.files.push((negated, file_term(word)?));
        }
        Ok(rule)
    }

    fn holds_for_file(&self, path: &Path) -> bool {
        self.files.iter().all(|(negated, glob)| glob.matches(path) != *negated)
    }

    fn holds_for_line(&self, line: &[u8]) -> bool {
        self.matches.iter().all(|(negated, regex)| regex.is_match(line) != *negated)
    }
}

/// All rules of a configuration: first `DROP`, then `STDERR`.
#[derive(Debug, Clone, Default)]
pub struct Router {
    /// Rules for what is not streamed.
    pub drop: Vec<Rc<Rule>>,
    /// Rules for what goes to stderr.
    pub stderr: Vec<Rc<Rule>>,
}

impl Router {
    /// Returns what the rules leave open for the lines of the file at `path`.
    #[must_use]
    pub fn of_file(&self, path: &Path) -> FileRouter {
        let stderr = Route::To(Stream::Stderr);
        let rules = self.drop.iter().map(|rule| (rule, Route::Drop));
        let rules = rules.chain(self.stderr.iter().map(|rule| (rule, stderr)));
        let mut per_line = Vec::new();
        let mut otherwise = Route::To(Stream::Stdout);
        for (rule, route) in rules.filter(|(rule, _)| rule.holds_for_file(path)) {
            if rule.matches.is_empty() {
                otherwise = route;
                break;
            }
            per_line.push((Rc::clone(rule), route));
        }
        FileRouter { per_line, otherwise }
    }
}

/// The rules that are left for one file.
#[derive(Debug, Clone)]
pub struct FileRouter {
    per_line: Vec<(Rc<Rule>, Route)>,
    otherwise: Route,
}

impl FileRouter {
    /// Returns the one route of every line of the file, if no rule asks for a line's bytes.
    #[must_use]
    pub fn fixed(&self) -> Option<Route> {
        self.per_line.is_empty().then_some(self.otherwise)
    }

    /// Returns the route of a line, given without its newline.
    ///
    /// Of a line longer than one read (64 KiB) only the first read is given, so an expression that needs more does not
    /// match it.
    #[must_use]
    pub fn of_line(&self, line: &[u8]) -> Route {
        let first = self.per_line.iter().find(|(rule, _)| rule.holds_for_line(line));
        first.map_or(self.otherwise, |(_, route)| *route)
    }
}

/// Returns the rules' texts: split at newlines and at `;` without a backslash before it.
fn split_rules(text: &str) -> Vec<&str> {
    let (mut rules, mut start, mut escaped) = (Vec::new(), 0, false);
    for (index, byte) in text.bytes().enumerate() {
        if byte == b'\n' || (byte == b';' && !escaped) {
            rules.push(&text[start..index]);
            start = index + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    rules.push(&text[start..]);
    rules.into_iter().map(str::trim).filter(|rule| !rule.is_empty()).collect()
}

/// Returns the glob of a `file:` term, the only kind of term besides `match:`.
fn file_term(word: &str) -> Result<NameGlob, String> {
    if let Some(glob) = word.strip_prefix("file:") {
        return NameGlob::parse(glob.as_bytes()).map_err(|why| format!("term {word:?}: {why}"));
    }
    if word.starts_with("format:") || word.starts_with("level") {
        return Err(format!(
            "term {word:?}: this version does not tell formats and levels apart yet; use file:GLOB or match:REGEX"
        ));
    }
    Err(format!("term {word:?} is unknown; a term is file:GLOB or match:REGEX, with ! in front to negate it"))
}

/// Compiles the expression of a `match:` term; classes such as `\w` are those of ASCII, `.` is any byte of a line.
fn compile(expression: &str) -> Result<Regex, String> {
    if expression.is_empty() {
        return Err("match: has no expression; write one such as match:ERROR".to_owned());
    }
    let built = RegexBuilder::new(expression).unicode(false).size_limit(REGEX_BYTES_MAX).build();
    built.map_err(|why| {
        // The library draws the expression with a caret below; one line must do, so its last line, the reason, is taken.
        let why = why.to_string();
        let reason = why.lines().next_back().unwrap_or_default().trim_start_matches("error: ");
        format!("cannot compile the expression {expression:?}: {reason}; see https://docs.rs/regex/#syntax")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STDOUT: Route = Route::To(Stream::Stdout);
    const STDERR: Route = Route::To(Stream::Stderr);

    fn check(drop: &str, stderr: &str, path: &str, line: &str, expected: Route) {
        let parse = |text: &str| Rule::parse_all(text).expect(text);
        let router = Router { drop: parse(drop), stderr: parse(stderr) };
        let of_file = router.of_file(Path::new(path));
        assert_eq!(of_file.of_line(line.as_bytes()), expected, "{drop:?} {stderr:?} {path} {line:?}");
        if let Some(fixed) = of_file.fixed() {
            assert_eq!(fixed, expected, "fixed route of {path}");
        }
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        check("", "", "/l/a.log", "x", STDOUT);
        check("", "file:2.log", "/l/2.log", "x", STDERR);
        check("", "file:2.log", "/l/1.log", "x", STDOUT);
        check("", "!file:2.log", "/l/1.log", "x", STDERR);
        check("", "match:ERROR", "/l/1.log", "an ERROR here", STDERR);
        check("", "match:ERROR", "/l/1.log", "all well", STDOUT);
        check("", "!match:^INFO", "/l/1.log", "WARN", STDERR);
        check("", "file:a.log match:x y", "/l/a.log", "has x y in it", STDERR);
        check("", "file:a.log match:x y", "/l/b.log", "has x y in it", STDOUT);
        check("", "file:a.log;file:b.log", "/l/b.log", "", STDERR);
        check("", "file:a.log\nfile:b.log", "/l/b.log", "", STDERR);
        check("", r"match:a\;b", "/l/b.log", "a;b", STDERR);
        check("match:healthz", "file:b.log", "/l/b.log", "GET /healthz", Route::Drop);
        check("match:healthz", "file:b.log", "/l/b.log", "GET /", STDERR);
        check("file:b.log", "match:.", "/l/b.log", "x", Route::Drop);
        check("", "match:\\xff\\w", "/l/b.log", "x", STDOUT);
    }

    #[test]
    fn a_file_that_no_match_term_concerns_has_a_fixed_route() {
        let rules = Rule::parse_all("file:a.log match:x; file:b.log").expect("valid rules");
        let router = Router { drop: Vec::new(), stderr: rules };
        assert_eq!(router.of_file(Path::new("/l/a.log")).fixed(), None);
        assert_eq!(router.of_file(Path::new("/l/b.log")).fixed(), Some(STDERR));
        assert_eq!(router.of_file(Path::new("/l/c.log")).fixed(), Some(STDOUT));
    }

    #[test]
    fn every_bad_rule_is_reported_with_the_way_out() {
        let problems = Rule::parse_all("level>=error; file:[a; match:(; fiel:x; match:").expect_err("five bad rules");
        assert_eq!(problems.len(), 5, "{problems:#?}");
        for (problem, word) in problems.iter().zip(["file:GLOB or match:REGEX", "file:[a", "unclosed", "fiel:x", "no"])
        {
            assert!(problem.contains(word), "{problem} lacks {word}");
            assert!(!problem.contains('\n'), "{problem}");
        }
    }
}
