//! The command line: which command, and its arguments.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use super::exit::{EXIT_USAGE, fail, print};
use super::{check, classify, demo, follow, help, mistyped, print_status, request_rotation};
use crate::sys::units;

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    /// Follow the files of these patterns, or those of `SIDETAIL_PATHS` if there are none.
    Follow(Vec<OsString>),
    /// Show what would be followed, and what is wrong.
    Check {
        paths: Vec<OsString>,
        json: bool,
        strict: bool,
    },
    /// Judge each line of these files, or of stdin; as JSON, if `json`.
    Classify {
        files: Vec<OsString>,
        json: bool,
    },
    /// Say of the files of these patterns, or of `SIDETAIL_PATHS`, how far they are streamed.
    Status(Vec<OsString>),
    /// Have the running process reclaim everything that is streamed.
    Rotate,
    /// Tell the story of the demo, in about so long.
    Demo(Option<Duration>),
    /// Count as the documentation's pod does for so long, or until Ctrl-C.
    Counter(Option<Duration>),
    Help,
    Version,
}

/// The version, and the commit if it is known: see build.rs.
const VERSION: &str = concat!("sidetail ", env!("CARGO_PKG_VERSION"), env!("BUILT_FROM"), "\n");

/// Runs the command of these arguments, which lack the program's name.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match parse(arguments) {
        Ok(Command::Follow(paths)) => follow::follow(&paths),
        Ok(Command::Check { paths, json, strict }) => check::check(&paths, json, strict),
        Ok(Command::Classify { files, json }) => classify::classify(&files, json),
        Ok(Command::Status(paths)) => print_status::status(&paths),
        Ok(Command::Rotate) => request_rotation::rotate(),
        Ok(Command::Demo(duration)) => demo::tell(duration),
        Ok(Command::Counter(duration)) => demo::count(duration),
        Ok(Command::Help) => print(&help::text()),
        Ok(Command::Version) => print(VERSION),
        Err(why) => fail(&[why], EXIT_USAGE),
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let way_out = |why: lexopt::Error| format!("{why}; `sidetail --help` lists commands and options");
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut paths = Vec::new();
    while let Some(argument) = parser.next().map_err(way_out)? {
        match argument {
            lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => return Ok(Command::Help),
            lexopt::Arg::Short('V') | lexopt::Arg::Long("version") => return Ok(Command::Version),
            lexopt::Arg::Value(word) if paths.is_empty() && word == "demo" => {
                return parse_demo(&mut parser);
            }
            lexopt::Arg::Value(word) if paths.is_empty() && word == "check" => {
                return parse_check(&mut parser);
            }
            lexopt::Arg::Value(word) if paths.is_empty() && word == "classify" => {
                return parse_classify(&mut parser);
            }
            lexopt::Arg::Value(word) if paths.is_empty() && word == "status" => {
                return parse_status(&mut parser);
            }
            lexopt::Arg::Value(word) if paths.is_empty() && word == "rotate" => {
                return parse_rotate(&mut parser);
            }
            lexopt::Arg::Value(path) => {
                mistyped::check_word(&path, paths.is_empty())?;
                paths.push(path);
            }
            unknown => return Err(mistyped::option(&unknown).unwrap_or_else(|| way_out(unknown.unexpected()))),
        }
    }
    Ok(Command::Follow(paths))
}

fn parse_check(parser: &mut lexopt::Parser) -> Result<Command, String> {
    let way_out = |why: lexopt::Error| format!("check: {why}; usage: `sidetail check [--json] [--strict] [PATH...]`");
    let (mut paths, mut json, mut strict) = (Vec::new(), false, false);
    while let Some(argument) = parser.next().map_err(way_out)? {
        match argument {
            lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => return Ok(Command::Help),
            lexopt::Arg::Long("json") => json = true,
            lexopt::Arg::Long("strict") => strict = true,
            lexopt::Arg::Value(path) => paths.push(path),
            unknown => return Err(way_out(unknown.unexpected())),
        }
    }
    Ok(Command::Check { paths, json, strict })
}

fn parse_classify(parser: &mut lexopt::Parser) -> Result<Command, String> {
    let way_out = |why: lexopt::Error| format!("classify: {why}; usage: `sidetail classify [--json] [FILE...]`");
    let (mut files, mut json) = (Vec::new(), false);
    while let Some(argument) = parser.next().map_err(way_out)? {
        match argument {
            lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => return Ok(Command::Help),
            lexopt::Arg::Long("json") => json = true,
            lexopt::Arg::Value(file) => files.push(file),
            unknown => return Err(way_out(unknown.unexpected())),
        }
    }
    Ok(Command::Classify { files, json })
}

fn parse_status(parser: &mut lexopt::Parser) -> Result<Command, String> {
    let way_out = |why: lexopt::Error| format!("status: {why}; usage: `sidetail status [PATH...]`");
    let mut paths = Vec::new();
    while let Some(argument) = parser.next().map_err(way_out)? {
        match argument {
            lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => return Ok(Command::Help),
            lexopt::Arg::Value(path) => paths.push(path),
            unknown => return Err(way_out(unknown.unexpected())),
        }
    }
    Ok(Command::Status(paths))
}

fn parse_rotate(parser: &mut lexopt::Parser) -> Result<Command, String> {
    let way_out = |why: lexopt::Error| format!("rotate: {why}; usage: `sidetail rotate`");
    match parser.next().map_err(way_out)? {
        None => Ok(Command::Rotate),
        Some(lexopt::Arg::Short('h') | lexopt::Arg::Long("help")) => Ok(Command::Help),
        Some(unknown) => Err(way_out(unknown.unexpected())),
    }
}

fn parse_demo(parser: &mut lexopt::Parser) -> Result<Command, String> {
    let way_out = |why: lexopt::Error| format!("demo: {why}; usage: `sidetail demo [counter] [--for 10s]`");
    let (mut duration, mut is_counter) = (None, false);
    while let Some(argument) = parser.next().map_err(way_out)? {
        match argument {
            lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => return Ok(Command::Help),
            lexopt::Arg::Value(word) if word == "counter" && !is_counter => is_counter = true,
            lexopt::Arg::Long("for") => {
                let value = parser.value().map_err(way_out)?;
                let text = value.to_string_lossy();
                duration = Some(units::duration(&text).map_err(|why| format!("demo --for {text:?}: {why}"))?);
            }
            unknown => return Err(way_out(unknown.unexpected())),
        }
    }
    Ok(if is_counter { Command::Counter(duration) } else { Command::Demo(duration) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expected: Result<Command, &str>) {
        match (parse(arguments.iter().map(OsString::from)), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{arguments:?}"),
            (Err(why), Err(word)) => assert!(why.contains(word), "{arguments:?}: {why}"),
            (found, expected) => panic!("{arguments:?}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_command_line_is_read() {
        check(&[], Ok(Command::Follow(vec![])));
        check(&["a.log", "./demo"], Ok(Command::Follow(vec!["a.log".into(), "./demo".into()])));
        check(&["--", "-a.log"], Ok(Command::Follow(vec!["-a.log".into()])));
        check(&["demo"], Ok(Command::Demo(None)));
        check(&["demo", "--for", "10s"], Ok(Command::Demo(Some(Duration::from_secs(10)))));
        check(&["-V"], Ok(Command::Version));
        check(&["demo", "--help"], Ok(Command::Help));
        check(&["check"], Ok(Command::Check { paths: vec![], json: false, strict: false }));
        check(
            &["check", "--strict", "a.log", "--json"],
            Ok(Command::Check { paths: vec!["a.log".into()], json: true, strict: true }),
        );
        check(&["check", "--strct"], Err("sidetail check [--json] [--strict]"));
        check(&["classify"], Ok(Command::Classify { files: vec![], json: false }));
        check(
            &["classify", "a", "--json", "-"],
            Ok(Command::Classify { files: vec!["a".into(), "-".into()], json: true }),
        );
        check(&["status", "*.log"], Ok(Command::Status(vec!["*.log".into()])));
        check(&["status", "--json"], Err("sidetail status [PATH...]"));
        check(&["rotate"], Ok(Command::Rotate));
        check(&["rotate", "app.log"], Err("usage: `sidetail rotate`"));
        check(&["classify", "--jsn"], Err("sidetail classify [--json]"));
        check(&["-h"], Ok(Command::Help));
        check(&["demo", "--for", "10"], Err("did you mean 10s?"));
        check(&["demo", "--for"], Err("--for"));
        check(&["demo", "counter"], Ok(Command::Counter(None)));
        check(&["demo", "--for", "10s", "counter"], Ok(Command::Counter(Some(Duration::from_secs(10)))));
        check(&["demo", "x"], Err("sidetail demo [counter] [--for 10s]"));
        check(&["demo", "counter", "counter"], Err("sidetail demo [counter] [--for 10s]"));
    }

    #[test]
    fn a_word_that_is_no_file_is_not_taken_for_one() {
        check(&["help"], Err("there is no command help; did you mean --help?"));
        check(&["version"], Err("there is no command version; did you mean --version?"));
        check(&["chek", "*.log"], Err("there is no command chek; did you mean check?"));
        check(&["Classify"], Err("there is no command Classify; did you mean classify?"));
        check(&["run", "app.log"], Err("there is no command run: sidetail always follows; leave it out"));
        check(&["reload"], Err("there is no command reload; `sidetail --help` lists the commands; write ./reload"));
        check(&["+5", "app.log"], Err("from the beginning, or with SIDETAIL_START=end from the end; leave it out"));
        check(&["\u{2014}help"], Err("begin with plain dashes"));
        check(&["\u{2013}f", "app.log"], Err("begin with plain dashes"));
        check(&["app.log", "then"], Err("there is no file then; write ./then"));
        check(&["stat"], Err("there is no command stat; did you mean status?"));
        check(&["tail", "app.log"], Err("there is no command tail: sidetail always follows; leave it out"));
        check(&["follow", "app.log"], Err("there is no command follow: sidetail always follows; leave it out"));
        check(&["-"], Err("stdin cannot be followed; name a file"));
        check(&["app.log", "-"], Err("`sidetail classify` reads it"));
        // A file that is there may be called anything.
        check(&["Cargo.toml", "src"], Ok(Command::Follow(vec!["Cargo.toml".into(), "src".into()])));
        check(&["src"], Ok(Command::Follow(vec!["src".into()])));
        check(&["[ab]"], Ok(Command::Follow(vec!["[ab]".into()])));
    }

    #[test]
    fn options_of_tail_are_answered() {
        for option in ["-f", "-F", "--follow", "--follow=name", "--retry"] {
            check(&[option, "app.log"], Err("sidetail always follows; leave it out"));
        }
        for option in ["-n", "-n10", "-n+1", "--lines=10", "-c"] {
            check(
                &[option, "app.log"],
                Err("from the beginning, or with SIDETAIL_START=end from the end; leave it out"),
            );
        }
        for option in ["--tail=5", "--since=1h"] {
            check(&[option, "app.log"], Err("with SIDETAIL_START=end from the end; leave it out"));
        }
        check(&["--pid=1", "app.log"], Err("there is no option --pid: set SIDETAIL_EXIT_ON, such as process:java"));
        check(&["-q", "app.log"], Err("there is no option -q: file names are shown only with SIDETAIL_OUTPUT=prefix"));
        check(&["-v"], Err("there is no option -v; did you mean -V?"));
        for option in ["-1", "-10f"] {
            check(&[option, "app.log"], Err("with SIDETAIL_START=end from the end; leave it out"));
        }
        for (option, words) in [
            ("--check", "did you mean check?"),
            ("--Help", "did you mean --help?"),
            ("--VERSION", "did you mean --version?"),
            ("-?", "did you mean --help?"),
            ("--status", "did you mean status?"),
            ("--demo=10s", "did you mean demo?"),
            ("--for=10s", "it belongs to demo"),
            ("--json", "it belongs to check and classify"),
            ("--strict", "it belongs to check"),
            ("-t", "did you mean check?"),
            ("--dry-run", "did you mean check?"),
            ("--config=x.yaml", "there is no configuration file; set environment variables"),
            ("--output=json", "settings are environment variables; set SIDETAIL_OUTPUT"),
            ("--rotate-size=8Mi", "set SIDETAIL_ROTATE_SIZE"),
            ("--sidetail-paths=/x", "set SIDETAIL_PATHS"),
            ("--paths=/x", "set SIDETAIL_PATHS"),
            ("--exclude=x", "set SIDETAIL_EXCLUDE"),
            ("--log-level=debug", "set SIDETAIL_LOG"),
            ("--verbose", "set SIDETAIL_LOG"),
            ("--max-unchanged-stats=5", "files are watched; leave it out"),
        ] {
            check(&[option, "app.log"], Err(words));
        }
        check(&["--fellow"], Err("`sidetail --help` lists commands and options"));
    }
}
