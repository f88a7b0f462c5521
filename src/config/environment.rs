//! Reads the environment by the table: parses everything, then fails once, with every problem.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::disk::policy::{Budget, Method, Policy};
use crate::format::expression::Mistake;
use crate::format::{Formats, OwnFormat};
use crate::paths::glob::Pattern;
use crate::shelf::checkpoint::Place;

use super::doubts;
use super::misnamed::{self, PREFIX};
use super::settings::Config;
use super::spelling;
use super::table::{TABLE, Variable};
use super::wrapping;

/// How many characters of a wrong value are shown.
const VALUE_CHARS_MAX: usize = 120;

/// Variables that the plan shows even if they are not set.
const PLAN: [&str; 4] = ["STDERR", "OUTPUT", "ROTATE_SIZE", "STATE"];

/// One error in the configuration: `NAME="value": reason; way out`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Config {
    /// Returns the configuration of this process: its environment, with `paths` of the command line, if any, in the place of
    /// `SIDETAIL_PATHS`.
    ///
    /// # Errors
    /// Returns every problem, in the order of the table, unknown names last.
    pub(crate) fn from_environment(paths: &[OsString]) -> Result<Self, Vec<Problem>> {
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        Self::from_variables(std::env::vars_os(), paths, &cwd)
    }

    /// Returns the configuration that these variables make; other programs' variables are passed over.
    ///
    /// # Errors
    /// As [`Config::from_environment`].
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        paths: &[OsString],
        cwd: &Path,
    ) -> Result<Self, Vec<Problem>> {
        let mut config = Self::empty(cwd);
        let variables = variables.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let variables = variables.inspect(|(name, _)| config.findings.extend(doubts::misspelled(name)));
        let mut given: Vec<(String, OsString)> = variables
            .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)))
            .filter_map(|(name, value)| given_value(&name, &value).map(|value| (name, value)))
            .collect();
        given.sort_unstable();
        if !paths.is_empty() {
            given.retain(|(name, _)| name != "PATHS");
        }
        let mut problems = Vec::new();
        config.formats = Rc::new(Formats { own: own_formats(&mut given, &mut problems), ..Formats::default() });
        for variable in TABLE {
            let value = given.iter().find(|(name, _)| name == variable.name).map(|(_, value)| value);
            if variable.name == "PATHS" && !paths.is_empty() {
                config.set_paths(paths, &mut problems);
            } else {
                config.set(variable, value, &mut problems);
            }
            if variable.name == "PATHS" {
                config.paths_text = config.patterns_text.trim_end().replace('\n', ", ");
            } else if value.is_some() || PLAN.contains(&variable.name) {
                config.add_to_plan(variable, value);
            }
        }
        problems.extend(given.iter().filter_map(|(name, _)| unknown(name)));
        if problems.is_empty() {
            problems.extend(config.contradiction().map(Problem));
            let links = given.iter().filter(|(name, _)| is_service_link(name));
            let doubted = links.filter_map(|(name, value)| doubts::no_service_link(name, &value.to_string_lossy()));
            config.findings.extend(doubted);
            config.add_doubts(&given);
        }
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Returns an error between variables that are valid each by itself.
    fn contradiction(&self) -> Option<String> {
        let Policy { method, keep, budget, .. } = self.rotate;
        let rotates = self.rotate.size.is_some() || self.rotate.interval.is_some();
        if self.rotate.is_on() && self.state == Place::Off {
            return Some(format!(
                "{PREFIX}STATE=\"off\": disk cannot be reclaimed without a checkpoint; use auto or a directory"
            ));
        }
        if self.rotate.signal.is_some() && method != Method::Rename {
            return Some(format!(
                "{PREFIX}ROTATE_SIGNAL: the signal is only sent after a rename; set {PREFIX}ROTATE_METHOD to rename, \
                 or remove the signal"
            ));
        }
        if rotates || (method == Method::default() && keep == 0) {
            return None;
        }
        let name = if keep > 0 { "ROTATE_KEEP" } else { "ROTATE_METHOD" };
        let is_budget = budget != Budget::Off;
        let why = if is_budget { "a budget alone only punches holes and keeps no archives" } else { "rotation is off" };
        Some(format!("{PREFIX}{name}: {why}; also set {PREFIX}ROTATE_SIZE, such as 8Mi"))
    }

    fn set(&mut self, variable: &Variable, value: Option<&OsString>, problems: &mut Vec<Problem>) {
        let value = value.map_or(OsStr::new(variable.default), |value| value);
        if let Err(mut reasons) = (variable.set)(self, value) {
            let name = variable.name;
            if let Some(why) = self.meant(variable, &value.to_string_lossy()) {
                reasons = vec![why];
            }
            let value = shortened(&value.to_string_lossy());
            problems.extend(reasons.into_iter().map(|why| Problem(format!("{PREFIX}{name}={value:?}: {why}"))));
        }
    }

    /// Returns what is around a wrong value that would be right without, or that nothing was filled in for it.
    fn meant(&self, variable: &Variable, value: &str) -> Option<String> {
        let is_valid = |inner: &str| (variable.set)(&mut Self::empty(&self.cwd), OsStr::new(inner)).is_ok();
        wrapping::inner(value, variable.name, is_valid).or_else(|| wrapping::not_filled_in(value))
    }

    fn add_to_plan(&mut self, variable: &Variable, value: Option<&OsString>) {
        let value = value.map_or(variable.default.into(), |value| value.to_string_lossy());
        let separator = if self.plan.is_empty() { "" } else { " " };
        self.plan.push_str(&format!("{separator}{}={:?}", variable.name, shortened(&value)));
    }

    /// Takes each argument as one pattern; commas in it do not separate, because the shell has separated already.
    fn set_paths(&mut self, paths: &[OsString], problems: &mut Vec<Problem>) {
        for path in paths {
            let text = path.as_encoded_bytes();
            let shown = path.to_string_lossy();
            match spelling::check(text).and_then(|()| Pattern::parse(text, &self.cwd)) {
                Ok(patterns) => self.paths.extend(patterns),
                Err(why) => problems.push(Problem(format!("PATH {shown:?}: {why}"))),
            }
            self.patterns_text.push_str(&shown);
            self.patterns_text.push('\n');
        }
    }
}

/// Returns a value without the blanks and newlines around it; `None` if nothing is left, which means the default.
///
/// Expressions are left as they are: `FORMAT_...` is one, and rules may end in one. No rule at all is a value, too: all lines
/// go to stdout. And `PATHS` without a path is a mistake.
fn given_value(name: &str, value: &OsStr) -> Option<OsString> {
    let trimmed = value.as_bytes().trim_ascii();
    let is_expression = name.starts_with("FORMAT_") || name == "STDERR" || name == "DROP";
    let is_value = !trimmed.is_empty() || name == "STDERR" || name == "PATHS";
    let value = if is_expression { value } else { OsStr::from_bytes(trimmed) };
    is_value.then(|| value.to_owned())
}

/// Takes the user's own formats out of what is given: rules and `FORMATS` may name them.
fn own_formats(given: &mut Vec<(String, OsString)>, problems: &mut Vec<Problem>) -> Vec<OwnFormat> {
    let mut own = Vec::new();
    given.retain(|(variable, expression)| {
        let Some(name) = variable.strip_prefix("FORMAT_").filter(|_| !is_service_link(variable)) else { return true };
        match own_format(name, &expression.to_string_lossy()) {
            Ok(format) => own.push(format),
            Err(why) => {
                let shown = shortened(&expression.to_string_lossy());
                problems.push(Problem(format!("{PREFIX}{variable}={shown:?}: {why}")));
            }
        }
        false
    });
    own
}

fn own_format(name: &str, expression: &str) -> Result<OwnFormat, String> {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return Err(
            "a format's name may hold only letters, digits and _; rename it, as in SIDETAIL_FORMAT_APP".to_owned()
        );
    }
    if Formats::default().by_name(&name.to_ascii_lowercase()).is_some() {
        return Err("this is the name of a built-in format; use another, as in SIDETAIL_FORMAT_APP".to_owned());
    }
    if let Some((column, group)) = unknown_group(expression) {
        return Err(format!("column {column}: unknown group {group:?}; the named groups are time, level and message"));
    }
    OwnFormat::parse(name, expression)
        .map_err(|Mistake { column, why }| format!("column {}: {why}; see https://docs.rs/regex/#syntax", column + 1))
}

/// Returns the first named group of an expression that means nothing here, and its column, counted in characters from 1.
fn unknown_group(expression: &str) -> Option<(usize, &str)> {
    let opens = expression.match_indices("(?").filter(|(at, _)| !is_escaped(&expression[..*at]));
    opens.into_iter().find_map(|(at, _)| {
        let rest = expression[at + 2..].trim_start_matches('P').strip_prefix('<')?;
        let group = &rest[..rest.find('>')?];
        let column = expression[..at].chars().count() + 1;
        (!["time", "level", "message"].contains(&group)).then_some((column, group))
    })
}

/// Returns whether what follows this text is escaped.
fn is_escaped(before: &str) -> bool {
    before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Returns the beginning of a long value, enough to recognise it: the kubelet keeps 4,096 bytes of all problems together.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    }
}

/// Returns the directory for temporary files: `TMPDIR`, or `/tmp`.
#[must_use]
pub(crate) fn temporary_directory() -> PathBuf {
    std::env::temp_dir()
}

/// Returns whether `NO_COLOR` is set.
///
/// Source: <https://no-color.org>
#[must_use]
pub(crate) fn is_colourless() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Returns what is wrong with a name that the table does not have, unless Kubernetes injected it.
fn unknown(name: &str) -> Option<Problem> {
    if TABLE.iter().any(|variable| variable.name == name) || is_service_link(name) {
        return None;
    }
    let known: Vec<_> = TABLE.iter().map(|variable| variable.name).collect();
    let advice = match misnamed::meant(&name.to_ascii_uppercase(), &known) {
        Some(meant) if meant.contains('<') => format!("did you mean {PREFIX}{}?", name.to_ascii_uppercase()),
        Some(meant) => format!("did you mean {PREFIX}{meant}?"),
        None => "`sidetail --help` lists them".to_owned(),
    };
    Some(Problem(format!("{PREFIX}{name}: unknown variable; {advice}")))
}

/// Returns whether Kubernetes makes such a variable for a Service whose name begins with `sidetail`.
///
/// Source: <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
fn is_service_link(name: &str) -> bool {
    let is_port_of_a_protocol = name.split_once("PORT_").is_some_and(|(_, rest)| {
        let mut words = rest.splitn(3, '_');
        let port = words.next().unwrap_or_default();
        let protocol = words.next().unwrap_or_default();
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && ["TCP", "UDP", "SCTP"].contains(&protocol)
    });
    name.ends_with("SERVICE_HOST")
        || name.contains("SERVICE_PORT")
        || name == "PORT"
        || name.ends_with("_PORT")
        || is_port_of_a_protocol
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::settings::ReadFrom;

    fn parse(variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Config::from_variables(variables, &[], Path::new("/work"))
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn nothing_set_is_every_default() {
        let config = parse(&[("HOME", "/root")]).expect("the defaults are valid");
        assert!(config.paths[0].matches(Path::new("/var/log/sub/a.log")));
        assert_eq!(config.line_bytes_max, 1 << 20);
        assert_eq!(config.drain_timeout, Duration::from_millis(1500));
        assert_eq!((config.start, config.output.name, config.state), (ReadFrom::Beginning, "raw", Place::Auto));
        assert!(config.exclude.is_empty() && config.router.drop.is_empty());
        assert_eq!((config.router.stderr.len(), config.formats.multiline), (1, true));
    }

    #[test]
    fn every_example_of_the_table_is_valid() {
        for variable in TABLE {
            let name = format!("{PREFIX}{}", variable.name.replace("<NAME>", "APP"));
            let method = if variable.name == "ROTATE_SIGNAL" { "rename" } else { "auto" };
            let mut variables = vec![("SIDETAIL_ROTATE_SIZE", "8Mi"), ("SIDETAIL_ROTATE_METHOD", method)];
            variables.retain(|(other, _)| *other != name);
            variables.push((&name, variable.example));
            parse(&variables).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let problems = parse(&[
            ("SIDETAIL_PATHS", " , "),
            ("SIDETAIL_MAX_LINE", "10MB"),
            ("SIDETAIL_OUTPUT", "yaml"),
            ("SIDETAIL_STDERR", "level>=loud;match:("),
            ("SIDETAIL_DRAIN_TIMEOUT", "5"),
            ("SIDETAIL_PATH", "/x"),
            ("SIDETAIL_COLOUR", "red"),
        ])
        .expect_err("seven problems and one more");
        let words = ["PATHS=", "level", "(", "yaml", "10MB", "=\"5\"", "COLOUR: unknown variable", "SIDETAIL_PATHS?"];
        assert_eq!(problems.len(), words.len(), "{problems:#?}");
        for (problem, word) in problems.iter().zip(words) {
            assert!(problem.starts_with(PREFIX) && problem.contains(word), "{problem} lacks {word}");
        }
    }

    #[test]
    fn blanks_around_a_value_do_not_count_and_nothing_is_the_default() {
        let config = parse(&[
            ("SIDETAIL_PATHS", "\n /l/*.log \n"),
            ("SIDETAIL_OUTPUT", " json\n"),
            ("SIDETAIL_MAX_LINE", "\t2Ki "),
            ("SIDETAIL_START", ""),
            ("SIDETAIL_LISTEN", " "),
            ("SIDETAIL_FORMAT_APP", ""),
            ("SIDETAIL_DROP", " \n"),
        ])
        .expect("valid");
        assert!(config.paths[0].matches(Path::new("/l/a.log")));
        assert_eq!((config.output.name, config.line_bytes_max), ("json", 2048));
        assert_eq!((config.start, config.listen), (ReadFrom::Beginning, None));
        assert!(config.formats.own.is_empty() && config.router.drop.is_empty());
        assert_eq!(config.router.stderr.len(), 1);
        assert!(parse(&[("SIDETAIL_STDERR", "")]).expect("valid").router.stderr.is_empty());
        assert!(parse(&[("SIDETAIL_PATHS", " ")]).is_err());
        // Those at the end of an expression are part of it.
        let config =
            parse(&[("SIDETAIL_DROP", "match:x "), ("SIDETAIL_FORMAT_APP", "^(?<message>x) ")]).expect("valid");
        assert_eq!((config.router.drop[0].text(), config.formats.own[0].expression()), ("match:x ", "^(?<message>x) "));
    }

    #[test]
    fn choices_ignore_case() {
        let config = parse(&[
            ("SIDETAIL_OUTPUT", "JSON"),
            ("SIDETAIL_START", "End"),
            ("SIDETAIL_STATE", "OFF"),
            ("SIDETAIL_EXIT_ON", "Never"),
            ("SIDETAIL_LISTEN", "Off"),
            ("SIDETAIL_RATE_LIMIT", "OFF"),
            ("SIDETAIL_PARTIAL_TIMEOUT", "Off"),
            ("SIDETAIL_LOG", "WARN"),
        ])
        .expect("valid");
        assert_eq!((config.output.name, config.start, config.state), ("json", ReadFrom::End, Place::Off));
        assert!(config.exit_on.is_empty() && config.listen.is_none());
        assert!(parse(&[("SIDETAIL_DIR_BUDGET", "Auto"), ("SIDETAIL_FORMATS", "*.log=JSON")]).is_ok());
        let signal = [("SIDETAIL_ROTATE_SIGNAL", "sighup:nginx"), ("SIDETAIL_ROTATE_METHOD", "Rename")];
        assert!(parse(&[&signal[..], &[("SIDETAIL_ROTATE_SIZE", "8Mi")]].concat()).is_ok());
    }

    #[test]
    fn addresses_need_no_host() {
        let listen = |text| parse(&[("SIDETAIL_LISTEN", text)]).map(|config| config.listen.expect("on").to_string());
        assert_eq!(listen(":9100"), Ok("0.0.0.0:9100".to_owned()));
        assert_eq!(listen("*:9100"), Ok("0.0.0.0:9100".to_owned()));
        assert_eq!(listen("LocalHost:9100"), Ok("127.0.0.1:9100".to_owned()));
        assert_eq!(listen("[::]:9100"), Ok("[::]:9100".to_owned()));
        assert!(listen("9100").expect_err("no host")[0].ends_with("did you mean 0.0.0.0:9100?"));
    }

    #[test]
    fn groups_of_a_format_that_mean_nothing_are_refused() {
        let problem = |text| parse(&[("SIDETAIL_FORMAT_APP", text)]).map(drop).map_err(|problems| problems[0].clone());
        let why = problem(r"^(?<time>\S+) (?<lvl>\w+)").expect_err("lvl");
        assert!(
            why.ends_with("column 15: unknown group \"lvl\"; the named groups are time, level and message"),
            "{why}"
        );
        assert!(problem("^(?P<msg>.*)").expect_err("msg").contains("column 2: unknown group \"msg\""));
        assert_eq!(problem(r"^\(?<level>(?<message>.*)(?:x)"), Ok(()));
    }

    #[test]
    fn entries_that_only_a_shell_would_read_are_refused() {
        for (name, text) in [("PATHS", "\"/l/*.log\",/m"), ("PATHS", "/m,~/a.log"), ("EXCLUDE", "$X/*.log")] {
            let problems = parse(&[(&format!("{PREFIX}{name}"), text)]).expect_err(text);
            assert_eq!(problems.len(), 1, "{problems:?}");
        }
        let argument = Config::from_variables([], &["/a.log /b.log".into()], Path::new("/work"));
        assert!(argument.expect_err("two paths")[0].to_string().contains("separate them by commas"));
        assert!(
            parse(&[("SIDETAIL_paths", "/x")]).expect_err("lower case")[0].ends_with("did you mean SIDETAIL_PATHS?")
        );
    }

    /// A variable, what somebody writes, and how the answer ends.
    const MEANT: &[(&str, &str, &str)] = &[
        ("LISTEN", "http://0.0.0.0:9100/metrics", "did you mean 0.0.0.0:9100?"),
        ("LISTEN", "tcp://:9100", "did you mean 0.0.0.0:9100?"),
        ("LISTEN", "0.0.0.0", "did you mean 0.0.0.0:9100?"),
        ("LISTEN", "localhost", "did you mean 127.0.0.1:9100?"),
        ("LISTEN", "0", "did you mean off?"),
        ("LISTEN", "true", "did you mean 0.0.0.0:9100?"),
        ("LISTEN", "::", "did you mean [::]:9100?"),
        ("LISTEN", "[::1]", "did you mean [::1]:9100?"),
        ("LISTEN", "any:9100", "did you mean 0.0.0.0:9100?"),
        ("LISTEN", "0:9100", "did you mean 0.0.0.0:9100?"),
        ("LISTEN", "0.0.0.0 9100", "did you mean 0.0.0.0:9100?"),
        ("LISTEN", "0.0.0.0:9100,[::]:9100", "did you mean 0.0.0.0:9100?"),
        ("LISTEN", "$(POD_IP):9100", "if that variable stands before this one"),
        ("LISTEN", "0.0.0.0:9100;", "did you mean 0.0.0.0:9100?"),
        ("EXIT_ON", "idle=30", "did you mean idle:30s?"),
        ("EXIT_ON", "idle:30", "did you mean idle:30s?"),
        ("EXIT_ON", "idle 5min", "did you mean idle:5m?"),
        ("EXIT_ON", "idle", "did you mean idle:30s?"),
        ("EXIT_ON", "timeout:30s", "did you mean idle:30s?"),
        ("EXIT_ON", "proc:java", "did you mean process:java?"),
        ("EXIT_ON", "forever", "did you mean never?"),
        ("EXIT_ON", "file:/a;idle:5s", "conditions are separated by commas"),
        ("EXIT_ON", "file:/a idle:5s", "conditions are separated by commas"),
        ("EXIT_ON", "file:/l/*.done", "such as file:/var/log/done"),
        ("EXIT_ON", "process:java -jar x", "as in process:java"),
        ("OUTPUT", "\"json\"", "did you mean json?"),
        ("OUTPUT", "jsno", "did you mean json?"),
        ("OUTPUT", "eks", "use one of raw, prefix, json, ecs, gcp"),
        ("EXIT_ON", "idle:0", "such as idle:30s"),
        ("ROTATE_KEEP", "1001", "use a number from 0 to 1000"),
        ("OUTPUT", "prefxi", "did you mean prefix?"),
        ("OUTPUT", "stackdriver", "did you mean gcp?"),
        ("OUTPUT", "elastic", "did you mean ecs?"),
        ("OUTPUT", "filename", "did you mean prefix?"),
        ("OUTPUT", "default", "leave the variable out"),
        ("START", "last", "did you mean end?"),
        ("START", "0", "did you mean beginning?"),
        ("START", "begining", "did you mean beginning?"),
        ("LOG", "quiet", "did you mean off?"),
        ("LOG", "wran", "did you mean warn?"),
        ("LINKS", "no", "did you mean inside?"),
        ("MULTILINE", "atuo", "did you mean auto?"),
        ("ROTATE_METHOD", "copy-truncate", "did you mean copytruncate?"),
        ("ROTATE_METHOD", "create", "did you mean rename?"),
        ("ROTATE_METHOD", "punsh", "did you mean punch?"),
        ("ROTATE_KEEP", "none", "did you mean 0?"),
        ("ROTATE_KEEP", "unlimited", "use a number from 0 to 1000"),
        ("ROTATE_SIZE", "'8Mi'", "did you mean 8Mi?"),
        ("ROTATE_SIZE", "8Mi # each", "did you mean 8Mi?"),
        ("ROTATE_SIZE", "-1", "did you mean off?"),
        ("ROTATE_SIZE", "<no value>", "leave the variable out"),
        ("ROTATE_SIZE", "{{ .Values.size }}", "write the value itself"),
        ("ROTATE_INTERVAL", "daily", "did you mean 1d?"),
        ("ROTATE_INTERVAL", "SIDETAIL_ROTATE_INTERVAL=1h", "did you mean 1h?"),
        ("ROTATE_MAX_AGE", "2w", "did you mean 14d?"),
        ("ROTATE_SIGNAL", "nginx:HUP", "did you mean HUP:nginx?"),
        ("ROTATE_SIGNAL", "kill -USR1 nginx", "did you mean USR1:nginx?"),
        ("ROTATE_SIGNAL", "1:nginx", "did you mean HUP:nginx?"),
        ("ROTATE_SIGNAL", "SIGHUP=nginx", "did you mean HUP:nginx?"),
        ("ROTATE_SIGNAL", "HUP:/usr/sbin/nginx", "did you mean HUP:nginx?"),
        ("ROTATE_SIGNAL", "HUP:a,USR1:b", "use SIGNAL:NAME, such as HUP:nginx"),
        ("DIR_BUDGET", "80%", "did you mean auto?"),
        ("STDERR", "level>=error # only these", "did you mean level>=error?"),
        ("STDERR", "[\"level>=error\"]", "did you mean level>=error?"),
        ("DROP", "SIDETAIL_DROP=file:a.log", "did you mean file:a.log?"),
        ("PATHS", "[\"/var/log/*.log\"]", "did you mean /var/log/*.log?"),
        ("FORMATS", "*.log=spring-boot", "did you mean log4j?"),
        ("FORMATS", "\"*.log=json\"", "did you mean *.log=json?"),
        ("STATE_DIR", "/x", "did you mean SIDETAIL_STATE?"),
        ("format_app", "^x", "did you mean SIDETAIL_FORMAT_APP?"),
        ("SIZE_LIMIT", "64Mi", "did you mean SIDETAIL_DIR_BUDGET?"),
        ("POLL_INTERVAL", "5s", "unknown variable; `sidetail --help` lists them"),
        ("LISTEN", "none", "did you mean off?"),
        ("EXIT_ON", "idle=30s", "did you mean idle:30s?"),
        ("EXIT_ON", "30s", "did you mean idle:30s?"),
        ("EXIT_ON", "/var/log/done", "did you mean file:/var/log/done?"),
        ("EXIT_ON", "off", "did you mean never?"),
        ("RATE_LIMIT", "500k/s", "did you mean 500k?"),
        ("RATE_LIMIT", "5MB/s", "did you mean 5M or 5Mi?"),
        ("RATE_LIMIT", "unlimited", "did you mean off?"),
        ("ROTATE_SIZE", "none", "did you mean off?"),
        ("ROTATE_SIZE", "1_000_000", "did you mean 1000000?"),
        ("DIR_BUDGET", "disabled", "did you mean off?"),
        ("PARTIAL_TIMEOUT", "never", "did you mean off?"),
        ("LINGER", "off", "did you mean 0s?"),
        ("DRAIN_TIMEOUT", "1h30", "did you mean 1h30m?"),
        ("STATE", "none", "did you mean off?"),
        ("LOG", "warning", "did you mean warn?"),
        ("LOG", "none", "did you mean off?"),
        ("START", "latest", "did you mean end?"),
        ("START", "begin", "did you mean beginning?"),
        ("OUTPUT", "text", "did you mean raw?"),
        ("LINKS", "all", "did you mean any?"),
        ("MULTILINE", "true", "did you mean auto?"),
        ("ROTATE_COMPRESS", "gz", "did you mean gzip?"),
        ("ROTATE_COMPRESS", "off", "did you mean none?"),
        ("FORMATS", "*.log:json", "did you mean *.log=json?"),
        ("FORMATS", "json=*.log", "did you mean *.log=json?"),
        ("FORMATS", "*.log=json;*.x=plain", "pairs are separated by commas"),
        ("ROTATE", "8Mi", "did you mean SIDETAIL_ROTATE_SIZE?"),
        ("LOG_LEVEL", "info", "did you mean SIDETAIL_LOG?"),
        ("FILES", "/x", "did you mean SIDETAIL_PATHS?"),
    ];

    #[test]
    fn what_was_probably_meant_is_asked() {
        for (name, value, question) in MEANT {
            let problems = parse(&[(&format!("{PREFIX}{name}"), value)]).expect_err(name);
            let is_asked = problems.len() == 1 && problems[0].ends_with(question);
            assert!(is_asked, "{name}={value}: {problems:?}");
        }
    }

    #[test]
    fn variables_that_kubernetes_injects_are_passed_over() {
        for name in [
            "SIDETAIL_SERVICE_HOST",
            "SIDETAIL_SERVICE_PORT",
            "SIDETAIL_SERVICE_PORT_METRICS",
            "SIDETAIL_PORT",
            "SIDETAIL_PORT_9100_TCP",
            "SIDETAIL_PORT_9100_TCP_ADDR",
            "SIDETAIL_METRICS_PORT_80_UDP_PROTO",
            "SIDETAIL_METRICS_SERVICE_HOST",
        ] {
            assert!(parse(&[(name, "tcp://10.0.0.1:9100")]).is_ok(), "{name}");
        }
        assert!(parse(&[("SIDETAIL_PORT_LIST", "80")]).is_err());
    }

    #[test]
    fn arguments_are_patterns_in_the_place_of_paths() {
        let variables = [(OsString::from("SIDETAIL_PATHS"), OsString::from("/elsewhere/*"))];
        let config = Config::from_variables(variables, &["a,b.log".into(), "/c".into()], Path::new("/work"));
        let paths = config.expect("valid").paths;
        assert_eq!(paths.len(), 2);
        assert!(paths[0].matches(Path::new("/work/a,b.log")));
    }
}
