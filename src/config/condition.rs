//! `EXIT_ON`: the conditions under which sidetail exits by itself, and their syntax.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::guess;
use crate::sys::units;

/// When to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// This file exists.
    File(PathBuf),
    /// Nothing new came for this long, after something had come.
    Idle(Duration),
    /// The last process of this name has ended, after one was seen.
    Process(String),
}

impl Condition {
    /// Reads `file:PATH`, `idle:30s` and `process:NAME`, separated by commas.
    ///
    /// # Errors
    /// Returns, for each, what is wrong and the right spelling.
    pub(crate) fn parse_all(text: &str) -> Result<Vec<Self>, Vec<String>> {
        let (mut conditions, mut problems) = (Vec::new(), Vec::new());
        for one in text.split(',').map(str::trim) {
            match Self::parse(one) {
                Ok(condition) => conditions.push(condition),
                Err(why) => problems.push(format!("{one:?}: {why}")),
            }
        }
        if problems.is_empty() { Ok(conditions) } else { Err(problems) }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (kind, value) = text.split_once(':').unwrap_or_default();
        match &*kind.to_ascii_lowercase() {
            _ if another_behind(value) => Err("conditions are separated by commas".into()),
            "file" if value.contains(['*', '?']) => {
                Err("a glob is not expanded here; name one file, such as file:/var/log/done".into())
            }
            "file" if value.starts_with('/') => Ok(Self::File(value.into())),
            "file" => Err("not an absolute path; use one such as file:/var/log/done".into()),
            "idle" => match units::duration(value) {
                Ok(Duration::ZERO) => Err("sidetail would exit at once; use a longer time, such as idle:30s".into()),
                Ok(time) => Ok(Self::Idle(time)),
                Err(why) => Err(why.replace("did you mean ", "did you mean idle:")),
            },
            "process" if value.contains(" -") => {
                Err("a process is known by its name alone; leave the arguments out, as in process:java".into())
            }
            "process" if !value.is_empty() && !value.contains('/') => Ok(Self::Process(value.into())),
            "process" => Err("not a process name; use the name that `ps -o comm` shows, such as process:java".into()),
            _ => {
                let names = || "use never, file:PATH, idle:30s or process:NAME".to_owned();
                Err(format!("not a condition; {}", guess::condition(text).unwrap_or_else(names)))
            }
        }
    }
}

/// Returns whether another condition stands behind a blank or a sign that does not separate them.
fn another_behind(value: &str) -> bool {
    let words = value.split([' ', ';', '|']).skip(1);
    words.into_iter().any(|word| ["file:", "idle:", "process:"].iter().any(|kind| word.trim_start().starts_with(kind)))
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Idle(time) => write!(f, "idle:{}", humantime::format_duration(*time)),
            Self::Process(name) => write!(f, "process:{name}"),
        }
    }
}
