//! Rules: which lines are dropped, which go to stderr; all else goes to stdout.
//!
//! Pure: it sees a path, the bytes of a line, and what the line was judged to be. What a rule asks of the path is answered
//! once for each file ([`Router::of_file`]); if all that is left to ask is the level, as in the default configuration, the
//! answers are a table.

use std::cell::OnceCell;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

use super::meant;
use crate::format::expression::{Expression, Expressions, Mistake};
use crate::format::{Formats, Level};
use crate::paths::glob::NameGlob;

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
    pub(crate) const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// Returns 0 for stdout and 1 for stderr.
    #[must_use]
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
        }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["stdout", "stderr"][self.index()]
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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

/// What a line is, as far as rules can ask.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its bytes, without the newline.
    pub bytes: &'a [u8],
    /// The name of its format.
    pub format: &'a str,
    /// The level that it states.
    pub level: Option<Level>,
}

/// What a rule asks; every term must hold.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    text: Box<str>,
    pub(super) files: Vec<(Negated, NameGlob)>,
    pub(super) formats: Vec<(Negated, Box<str>)>,
    levels: Vec<(Negated, Comparison, Level)>,
    matches: Vec<(Negated, Expression)>,
}

/// Whether a `!` stands in front of a term.
pub(super) type Negated = bool;

/// How a level is compared; a line without a level fails every comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    AtLeast,
    AtMost,
    Above,
    Below,
    Exactly,
}

impl Comparison {
    /// In the order in which they are looked for: the longer first.
    const SIGNS: [(&'static str, Self); 5] =
        [(">=", Self::AtLeast), ("<=", Self::AtMost), (">", Self::Above), ("<", Self::Below), ("=", Self::Exactly)];

    fn holds(self, level: Level, than: Level) -> bool {
        match self {
            Self::AtLeast => level >= than,
            Self::AtMost => level <= than,
            Self::Above => level > than,
            Self::Below => level < than,
            Self::Exactly => level == than,
        }
    }
}

impl Rule {
    /// Returns the rules of a text: one per line, or separated by `;` (a `\;` does not separate).
    ///
    /// # Errors
    /// Returns every problem found, each naming the rule, the column in it, counted in characters from 1, and the way out.
    pub fn parse_all(text: &str, formats: &Formats) -> Result<Vec<Rc<Self>>, Vec<String>> {
        let (mut rules, mut problems) = (Vec::new(), Vec::new());
        for rule in split_rules(text) {
            match Self::parse(rule, formats) {
                Ok(parsed) => rules.push(Rc::new(parsed)),
                Err(Mistake { column, why }) => {
                    problems.push(format!("rule {:?}, column {}: {why}", rule.trim_end(), column + 1));
                }
            }
        }
        if problems.is_empty() { Ok(rules) } else { Err(problems) }
    }

    fn parse(text: &str, formats: &Formats) -> Result<Self, Mistake> {
        let mut rule = Self { text: text.into(), ..Self::default() };
        let mut rest = text;
        while !rest.is_empty() {
            let column = |inside: &str| text[..text.len() - inside.len()].chars().count();
            let (negated, term) = match rest.strip_prefix('!') {
                Some(term) => (true, term),
                None => (false, rest),
            };
            if let Some(expression) = term.strip_prefix("match:") {
                let expression = expression.trim_start();
                let at = column(expression);
                let shifted = |mistake: Mistake| Mistake { column: at + mistake.column, ..mistake };
                rule.matches.push((negated, match_term(expression).map_err(shifted)?));
                break;
            }
            let (word, others) = term.split_once(char::is_whitespace).unwrap_or((term, ""));
            meant::check_separators(word).map_err(|why| Mistake { column: column(term), why })?;
            rule.add(negated, word, formats).map_err(|why| Mistake { column: column(term), why })?;
            rest = others.trim_start();
        }
        if rule.matches.is_empty() {
            rule.text = text.trim_end().into();
        }
        Ok(rule)
    }

    /// Adds any term but `match:`.
    fn add(&mut self, negated: Negated, word: &str, formats: &Formats) -> Result<(), String> {
        if word == "file:" || word == "format:" {
            return Err(format!("{word:?} has nothing behind it; write it without a blank, as in file:*.log"));
        }
        if let Some(glob) = word.strip_prefix("file:") {
            self.files.push((negated, NameGlob::parse(glob.as_bytes())?));
        } else if let Some(name) = word.strip_prefix("format:") {
            let known = formats.names().find(|known| known.eq_ignore_ascii_case(name));
            let known = known.ok_or_else(|| formats.unknown(name))?;
            self.formats.push((negated, known.into()));
        } else if let Some(comparison) = word.strip_prefix("level") {
            let (comparison, level) = level_term(comparison)?;
            self.levels.push((negated, comparison, level));
        } else {
            return Err(meant::term(word, formats).unwrap_or_else(|| {
                format!(
                    "unknown term {word:?}; use file:GLOB, format:NAME, level>=NAME or match:REGEX, with ! in front to \
                 negate it"
                )
            }));
        }
        Ok(())
    }

    /// Returns whether every term holds for a line of the file at `path`.
    #[must_use]
    pub(crate) fn holds(&self, path: &Path, line: &Line<'_>) -> bool {
        self.holds_for_file(path) && self.holds_for_line(line, || true)
    }

    /// Returns the text of the expression of `match:`, if there is one.
    pub(super) fn expression(&self) -> Option<&str> {
        self.matches.first().map(|(_, expression)| expression.text())
    }

    /// Returns the rule as it was written.
    #[must_use]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn holds_for_file(&self, path: &Path) -> bool {
        self.files.iter().all(|(negated, glob)| glob.matches(path) != *negated)
    }

    /// `may_match` says whether any expression may match the line.
    fn holds_for_line(&self, line: &Line<'_>, may_match: impl Fn() -> bool) -> bool {
        let is_match = |expression: &Expression| may_match() && expression.is_match(line.bytes);
        self.holds_for_level(line.level)
            && self.formats.iter().all(|(negated, name)| (**name == *line.format) != *negated)
            && self.matches.iter().all(|(negated, expression)| is_match(expression) != *negated)
    }

    pub(super) fn holds_for_level(&self, level: Option<Level>) -> bool {
        let holds = |comparison: Comparison, than| level.is_some_and(|level| comparison.holds(level, than));
        self.levels.iter().all(|(negated, comparison, than)| holds(*comparison, *than) != *negated)
    }

    fn asks_only_the_file(&self) -> bool {
        self.levels.is_empty() && self.asks_only_the_level()
    }

    fn asks_only_the_level(&self) -> bool {
        self.formats.is_empty() && self.matches.is_empty()
    }
}

/// All rules of a configuration: first `DROP`, then `STDERR`.
#[derive(Debug, Clone, Default)]
pub struct Router {
    /// Rules for what is not streamed.
    pub drop: Vec<Rc<Rule>>,
    /// Rules for what goes to stderr.
    pub stderr: Vec<Rc<Rule>>,
    /// What all of them look for in lines, once a file was asked for.
    expressions: OnceCell<Rc<Expressions>>,
}

impl Router {
    /// Returns a router of these rules.
    #[must_use]
    pub fn new(drop: Vec<Rc<Rule>>, stderr: Vec<Rc<Rule>>) -> Self {
        Self { drop, stderr, expressions: OnceCell::new() }
    }

    /// Returns what the rules leave open for the lines of the file at `path`.
    #[must_use]
    pub fn of_file(&self, path: &Path) -> FileRouter {
        let stderr = Route::To(Stream::Stderr);
        let rules = self.drop.iter().map(|rule| (rule, Route::Drop));
        let rules = rules.chain(self.stderr.iter().map(|rule| (rule, stderr)));
        let mut per_line = Vec::new();
        let mut otherwise = Route::To(Stream::Stdout);
        for (rule, route) in rules.filter(|(rule, _)| rule.holds_for_file(path)) {
            if rule.asks_only_the_file() {
                otherwise = route;
                break;
            }
            per_line.push((Rc::clone(rule), route));
        }
        let matches = || self.drop.iter().chain(&self.stderr).flat_map(|rule| &rule.matches);
        let all = || Rc::new(Expressions::new(matches().map(|(_, expression)| expression)));
        FileRouter::new(per_line, otherwise, self.expressions.get_or_init(all))
    }

    /// Returns which rule of `DROP` a line of the file at `path` is dropped by.
    #[must_use]
    pub fn dropping(&self, path: &Path, line: &Line<'_>) -> Option<usize> {
        self.drop.iter().position(|rule| rule.holds(path, line))
    }
}

/// The rules that are left for one file.
#[derive(Debug, Clone)]
pub enum FileRouter {
    /// Every line goes the same way.
    Fixed(Route),
    /// The level decides: none, then each level from the least serious.
    ByLevel([Route; 1 + Level::ALL.len()]),
    /// The first rule that holds decides, or else the last word does.
    ByRule(Box<InTurn>),
}

/// The rules that are asked one after the other.
#[derive(Debug, Clone)]
pub struct InTurn {
    rules: Vec<(Rc<Rule>, Route)>,
    /// What all rules that there are look for in lines.
    expressions: Rc<Expressions>,
    otherwise: Route,
}

impl FileRouter {
    fn new(per_line: Vec<(Rc<Rule>, Route)>, otherwise: Route, expressions: &Rc<Expressions>) -> Self {
        if per_line.is_empty() {
            return Self::Fixed(otherwise);
        }
        if !per_line.iter().all(|(rule, _)| rule.asks_only_the_level()) {
            let expressions = Rc::clone(expressions);
            return Self::ByRule(Box::new(InTurn { rules: per_line, expressions, otherwise }));
        }
        let mut routes = [otherwise; 1 + Level::ALL.len()];
        let levels = std::iter::once(None).chain(Level::ALL.into_iter().map(Some));
        for (route, level) in routes.iter_mut().zip(levels) {
            let first = per_line.iter().find(|(rule, _)| rule.holds_for_level(level));
            *route = first.map_or(otherwise, |(_, route)| *route);
        }
        Self::ByLevel(routes)
    }

    /// Returns the one route of every line of the file, if no rule asks for a line.
    #[must_use]
    pub fn fixed(&self) -> Option<Route> {
        if let Self::Fixed(route) = self { Some(*route) } else { None }
    }

    /// Returns the one route of every record that states no level of error or above, if no rule asks for more than that.
    #[must_use]
    pub(crate) fn unless_error(&self) -> Option<Route> {
        let Self::ByLevel(routes) = self else { return None };
        let (below, _errors) = routes.split_at(1 + Level::Error as usize);
        below.iter().all(|route| *route == below[0]).then_some(below[0])
    }

    /// Returns the route of a line that begins a record.
    ///
    /// Of a line longer than one read (64 KiB) only the first read is given, so an expression that needs more does not
    /// match it.
    #[must_use]
    pub fn of_line(&self, line: &Line<'_>) -> Route {
        match self {
            Self::Fixed(route) => *route,
            Self::ByLevel(routes) => routes[line.level.map_or(0, |level| 1 + level as usize)],
            Self::ByRule(by_rule) => {
                let InTurn { rules, expressions, otherwise } = &**by_rule;
                let answer = OnceCell::new();
                let may_match = || *answer.get_or_init(|| expressions.may_match(line.bytes));
                let first = rules.iter().find(|(rule, _)| rule.holds_for_line(line, may_match));
                first.map_or(*otherwise, |(_, route)| *route)
            }
        }
    }
}

/// Returns the rules' texts: split at newlines and at `;` without a backslash before it. Blanks at the end of a line are part of an
/// expression, those before a `;` are not.
fn split_rules(text: &str) -> Vec<&str> {
    let (mut rules, mut start, mut escaped) = (Vec::new(), 0, false);
    for (index, byte) in text.bytes().enumerate() {
        if byte == b'\n' || (byte == b';' && !escaped) {
            let rule = &text[start..index];
            rules.push(if byte == b';' { rule.trim_end() } else { rule.trim_end_matches('\r') });
            start = index + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    rules.push(&text[start..]);
    rules.into_iter().map(str::trim_start).filter(|rule| !rule.is_empty()).collect()
}

/// Returns what a `level` term compares with, from the sign on.
fn level_term(text: &str) -> Result<(Comparison, Level), String> {
    let sign = Comparison::SIGNS.iter().find_map(|(sign, comparison)| Some((*comparison, text.strip_prefix(sign)?)));
    let Some((comparison, name)) = sign else {
        if let Some(question) = meant::level(text) {
            return Err(format!("unknown term \"level{text}\"; {question}"));
        }
        return Err(compares_with_nothing(text));
    };
    if name.is_empty() {
        return Err(compares_with_nothing(text));
    }
    let level = Level::from_word(name.as_bytes()).ok_or_else(|| {
        let names = || format!("use one of {}", Level::ALL.map(Level::name).join(", "));
        format!("{name:?} is not a level; {}", meant::level(name).unwrap_or_else(names))
    })?;
    Ok((comparison, level))
}

fn compares_with_nothing(text: &str) -> String {
    format!("term \"level{text}\" compares with nothing; write it without blanks, as in level>=error")
}

fn match_term(expression: &str) -> Result<Expression, Mistake> {
    if expression.is_empty() {
        let why = "match: has no expression; add one, as in match:ERROR".to_owned();
        return Err(Mistake { column: 0, why });
    }
    Expression::parse(expression).map_err(|Mistake { column, why }| Mistake {
        column,
        why: format!("cannot read the expression: {why}; see https://docs.rs/regex/#syntax"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STDOUT: Route = Route::To(Stream::Stdout);
    const STDERR: Route = Route::To(Stream::Stderr);

    fn parse(text: &str) -> Vec<Rc<Rule>> {
        Rule::parse_all(text, &Formats::default()).expect(text)
    }

    fn route(drop: &str, stderr: &str, path: &str, line: &Line<'_>) -> Route {
        let router = Router::new(parse(drop), parse(stderr));
        let of_file = router.of_file(Path::new(path));
        let route = of_file.of_line(line);
        if let Some(fixed) = of_file.fixed() {
            assert_eq!(fixed, route, "fixed route of {path}");
        }
        route
    }

    fn check(drop: &str, stderr: &str, path: &str, line: &str, expected: Route) {
        let line = Line { bytes: line.as_bytes(), format: "plain", level: None };
        assert_eq!(route(drop, stderr, path, &line), expected, "{drop:?} {stderr:?} {path} {line:?}");
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
    fn blanks_at_its_end_belong_to_an_expression_and_to_nothing_else() {
        check("", "match:ERROR ", "/l/a.log", "ERROR here", STDERR);
        check("", "match:ERROR ", "/l/a.log", "ERROR", STDOUT);
        check("", "match:ERROR ; file:b.log ", "/l/a.log", "ERROR", STDERR);
        check("", "match:ERROR\r\nfile:b.log\r\n", "/l/a.log", "ERROR", STDERR);
        check("", " \n file:b.log \n", "/l/b.log", "", STDERR);
        assert_eq!(parse(" file:b.log \n")[0].text(), "file:b.log");
    }

    #[test]
    fn levels_and_formats_are_compared() {
        let check = |stderr: &str, format: &str, level: Option<Level>, expected: Route| {
            let line = Line { bytes: b"x", format, level };
            assert_eq!(route("", stderr, "/l/a.log", &line), expected, "{stderr:?} {format} {level:?}");
        };
        check("level>=error", "json", Some(Level::Error), STDERR);
        check("level>=error", "json", Some(Level::Fatal), STDERR);
        check("level>=error", "json", Some(Level::Warn), STDOUT);
        check("level>=error", "json", None, STDOUT);
        check("!level<error", "json", None, STDERR);
        check("level>warning", "json", Some(Level::Warn), STDOUT);
        check("level<=warn", "json", Some(Level::Warn), STDERR);
        check("level=info", "json", Some(Level::Info), STDERR);
        check("level<info", "json", Some(Level::Debug), STDERR);
        check("level>=info level<error", "json", Some(Level::Error), STDOUT);
        check("format:json", "json", None, STDERR);
        check("!format:json", "json", None, STDOUT);
        check("format:JSON level>=ERROR", "json", Some(Level::Error), STDERR);
        check("format:json level>=warn", "logfmt", Some(Level::Warn), STDOUT);
        check("format:json level>=warn match:x", "json", Some(Level::Warn), STDERR);
        check("level>=warn file:b.log; format:plain", "plain", Some(Level::Warn), STDERR);
        check("level>=warn file:b.log", "plain", Some(Level::Warn), STDOUT);
    }

    #[test]
    fn what_is_no_error_has_one_route_if_only_errors_are_asked_for() {
        let check = |drop: &str, stderr: &str, expected: Option<Route>| {
            let router = Router::new(parse(drop), parse(stderr));
            assert_eq!(router.of_file(Path::new("/l/a.log")).unless_error(), expected, "{drop:?} {stderr:?}");
        };
        check("", "level>=error", Some(STDOUT));
        check("level>=fatal", "level=critical", Some(STDOUT));
        check("level<error; !level>=error", "file:a.log", Some(Route::Drop));
        check("", "!level>=error", Some(STDERR));
        check("", "level>=warn", None);
        check("level<error", "", None);
        check("", "level>=error match:x", None);
        check("", "", None);
    }

    #[test]
    fn a_file_of_which_only_the_name_is_asked_has_a_fixed_route() {
        let router = Router::new(Vec::new(), parse("file:a.log match:x; file:d.log level=info; file:b.log"));
        assert_eq!(router.of_file(Path::new("/l/a.log")).fixed(), None);
        assert_eq!(router.of_file(Path::new("/l/b.log")).fixed(), Some(STDERR));
        assert_eq!(router.of_file(Path::new("/l/c.log")).fixed(), Some(STDOUT));
        assert!(matches!(router.of_file(Path::new("/l/d.log")), FileRouter::ByLevel(_)));
    }

    #[test]
    fn every_bad_rule_is_reported_with_its_column_and_the_way_out() {
        let check = |rule: &str, column: usize, word: &str| {
            let problems = Rule::parse_all(rule, &Formats::default()).expect_err(rule);
            let [problem] = &problems[..] else { panic!("{rule}: {problems:#?}") };
            assert!(problem.contains(&format!("column {column}:")), "{problem} is not at {column}");
            assert!(problem.contains(word) && !problem.contains('\n'), "{problem} lacks {word}");
        };
        check("file:[a", 1, "file:[a");
        check("match:(", 7, "unclosed");
        check("level>=info match: a(b", 21, "unclosed");
        check("fiel:x", 1, "file:GLOB");
        check("match:", 7, "no expression");
        check("!level>=loud", 2, "trace, debug");
        check("level >= error", 1, "without blanks");
        check("file:a format:jsn", 8, "json, ");
        check("error.log", 1, "did you mean file:error.log?");
        check("!*.log level>=warn", 2, "did you mean file:*.log?");
        check("error", 1, "did you mean level>=error?");
        check("json", 1, "did you mean format:json?");
        check("File:a.log", 1, "did you mean file:a.log?");
        check("/oops/", 1, "did you mean match:oops?");
        check("level:error", 1, "did you mean level>=error?");
        check("level=>error", 1, "did you mean level>=error?");
        check("level==error", 1, "did you mean level>=error?");
        check("level>=error,file:a.log", 1, "rules are separated by ;");
        check("file:a.log, level>=warn", 1, "rules are separated by ;");
        check("level>=error or file:a.log", 14, "rules are separated by ;");
        check("level>=error and file:a.log", 14, "leave it out");
        check("level>= error", 1, "without blanks");
        check("level!=info", 1, "did you mean !level=info?");
        check("not level=info", 1, "write ! in front of a term");
        check("severity>=error", 1, "did you mean level>=error?");
        check("file=a.log", 1, "did you mean file:a.log?");
        check("!format=json", 2, "did you mean format:json?");
        check("match=x", 1, "did you mean match:x?");
        check("grep:x", 1, "did you mean match:x?");
        check("path:/l/a.log", 1, "did you mean file:/l/a.log?");
        check("\"level>=error\"", 1, "the quotes are part of it; remove them");
        check("none", 1, "leave the variable empty");
        check("all", 1, "did you mean file:*?");
        check(".*", 1, "did you mean file:*?");
        check("null", 1, "leave the variable empty");
        check("error,fatal", 1, "did you mean level>=error?");
        check("error|warning", 1, "did you mean level>=warn?");
        check("level=error,fatal", 1, "did you mean level>=error?");
        check("level>=(error|fatal)", 1, "did you mean level>=error?");
        check("level>=critcal", 1, "did you mean critical?");
        check("level~error", 1, "did you mean level>=error?");
        check("level\u{2265}error", 1, "did you mean level>=error?");
        check("severity:error", 1, "did you mean level>=error?");
        check("LVL=Warn", 1, "did you mean level=Warn?");
        check("msg:x", 1, "did you mean match:x?");
        check("contains:x", 1, "did you mean match:x?");
        check("source:a.log", 1, "did you mean file:a.log?");
        check("# all", 1, "there are no comments in rules");
        check("level>=error // all", 14, "there are no comments in rules");
        check("if level>=error", 1, "leave the word out");
        check("! file:a.log", 2, "without a blank");
        check("file: a.log", 1, "without a blank");
        check("format: json", 1, "without a blank");
        check("format:java", 1, "did you mean log4j?");
        check("format:ngnix", 1, "did you mean nginx?");
        check("$.level==\"error\"", 1, "use file:GLOB");
        let problems = Rule::parse_all("level>=x; match:(; ok:", &Formats::default()).expect_err("three");
        assert_eq!(problems.len(), 3, "{problems:#?}");
    }
}
