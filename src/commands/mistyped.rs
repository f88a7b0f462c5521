//! What to say of a word or an option that there is none of: the habits of other programs, and mistakes.

use std::ffi::OsString;
use std::path::Path;

use crate::config::{PREFIX, TABLE, misnamed};

/// The words that are commands, or are taken for some, and what is meant by them.
const COMMANDS: [(&str, &str); 13] = [
    ("check", "check"),
    ("classify", "classify"),
    ("demo", "demo"),
    ("rotate", "rotate"),
    ("status", "status"),
    ("help", "--help"),
    ("usage", "--help"),
    ("version", "--version"),
    ("validate", "check"),
    ("dry-run", "check"),
    ("test", "check"),
    ("test-config", "check"),
    ("lint", "check"),
];

/// The words of other programs for what happens without a command.
const FOLLOWING: [&str; 8] = ["follow", "tail", "watch", "stream", "run", "start", "serve", "agent"];

/// A shorter beginning of a command is no sign of it.
const BEGINNING_MIN: usize = 3;

/// Why there is no choice of lines at the beginning.
const TAIL_BEGINNING: &str =
    "files are streamed from the beginning, or with SIDETAIL_START=end from the end; leave it out";

/// What autocorrection makes of the dashes of options.
const DASHES: [char; 4] = ['\u{2010}', '\u{2013}', '\u{2014}', '\u{2212}'];

/// Checks a word that is neither a path nor a pattern and that no file has for a name: it is most likely a command.
///
/// # Errors
/// Returns what was probably meant, and how to wait for a file of this name.
#[allow(clippy::disallowed_methods, reason = "it is only asked whether there is something, and nothing of it is read")]
pub(super) fn check_word(word: &OsString, is_first: bool) -> Result<(), String> {
    let bytes = word.as_encoded_bytes();
    if bytes.is_empty()
        || bytes.iter().any(|byte| b"/.*?[{".contains(byte))
        || Path::new(word).symlink_metadata().is_ok()
    {
        return Ok(());
    }
    let word = word.to_string_lossy();
    if word == "-" {
        return Err("stdin cannot be followed; name a file (`sidetail classify` reads it)".to_owned());
    }
    if word.starts_with(DASHES) {
        return Err(format!("there is no file {word}; options begin with plain dashes, - or --"));
    }
    if word.strip_prefix('+').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(format!("there is no file {word}: {TAIL_BEGINNING}"));
    }
    if !is_first {
        return Err(format!("there is no file {word}; write ./{word} to wait for one"));
    }
    let lower = word.to_ascii_lowercase();
    if FOLLOWING.contains(&&*lower) {
        return Err(format!("there is no command {word}: sidetail always follows; leave it out"));
    }
    let way_out = match command(&lower) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("`sidetail --help` lists the commands; write ./{word} to wait for a file of this name"),
    };
    Err(format!("there is no command {word}; {way_out}"))
}

/// Returns the command that a word, in small letters, is taken for.
fn command(lower: &str) -> Option<&'static str> {
    let distance = |known: &str| match known.starts_with(lower) && lower.len() >= BEGINNING_MIN {
        true => 0,
        false => strsim::damerau_levenshtein(lower, known),
    };
    let (distance, meant) = COMMANDS.iter().map(|(known, meant)| (distance(known), *meant)).min()?;
    (distance <= 1.max(lower.len() / 3)).then_some(meant)
}

/// Returns what to say of an option of tail's or of `kubectl logs`, which people type from habit, of a command that is written as
/// an option, and of a setting.
pub(super) fn option(option: &lexopt::Arg<'_>) -> Option<String> {
    let why = match option {
        lexopt::Arg::Short(name) => short(*name)?.to_owned(),
        lexopt::Arg::Long(name) => match long(name) {
            Some(why) => why.to_owned(),
            None => of_command(name).or_else(|| of_setting(name))?,
        },
        lexopt::Arg::Value(_) => return None,
    };
    let shown = match option {
        lexopt::Arg::Short(name) => format!("-{name}"),
        lexopt::Arg::Long(name) => format!("--{name}"),
        lexopt::Arg::Value(_) => return None,
    };
    let separator = if why.starts_with("did you mean") { ";" } else { ":" };
    Some(format!("there is no option {shown}{separator} {why}"))
}

fn short(name: char) -> Option<&'static str> {
    Some(match name {
        'v' => "did you mean -V?",
        '?' | 'H' => "did you mean --help?",
        't' => "did you mean check?",
        'q' => QUIET,
        's' => WATCHED,
        'f' | 'F' => FOLLOWS,
        'n' | 'c' | '0'..='9' => TAIL_BEGINNING,
        _ => return None,
    })
}

const QUIET: &str = "file names are shown only with SIDETAIL_OUTPUT=prefix; leave it out";
const WATCHED: &str = "files are watched; leave it out";
const FOLLOWS: &str = "sidetail always follows; leave it out";

fn long(name: &str) -> Option<&'static str> {
    Some(match name {
        "pid" => "set SIDETAIL_EXIT_ON, such as process:java; leave it out",
        "quiet" | "silent" => QUIET,
        "sleep-interval" | "max-unchanged-stats" | "poll" => WATCHED,
        "follow" | "retry" => FOLLOWS,
        "lines" | "bytes" | "tail" | "since" => TAIL_BEGINNING,
        "json" => "it belongs to check and classify, as in `sidetail check --json`",
        "strict" => "it belongs to check, as in `sidetail check --strict`",
        "for" => "it belongs to demo, as in `sidetail demo --for 10s`",
        "config" | "config-file" | "conf" => {
            "there is no configuration file; set environment variables, which --help lists"
        }
        _ => return None,
    })
}

/// Returns the command that is written as an option.
fn of_command(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let (_, meant) = COMMANDS.iter().find(|(known, _)| *known == lower)?;
    Some(format!("did you mean {meant}?"))
}

/// Returns which variable is written as an option.
fn of_setting(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let short = upper.strip_prefix(PREFIX).unwrap_or(&upper);
    let known: Vec<_> = TABLE.iter().map(|variable| variable.name).collect();
    let meant = misnamed::exactly(short, &known)?;
    Some(format!("settings are environment variables; set {PREFIX}{meant}"))
}
