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
        match text.split_once(':') {
            Some(("file", path)) if path.starts_with('/') => Ok(Self::File(path.into())),
            Some(("file", _)) => Err("not an absolute path; use one such as file:/var/log/done".into()),
            Some(("idle", time)) => match units::duration(time)? {
                Duration::ZERO => Err("sidetail would exit at once; use a longer time, such as idle:30s".into()),
                time => Ok(Self::Idle(time)),
            },
            Some(("process", name)) if !name.is_empty() && !name.contains('/') => Ok(Self::Process(name.into())),
            Some(("process", _)) => {
                Err("not a process name; use the name that `ps -o comm` shows, such as process:java".into())
            }
            _ => {
                let names = || "use never, file:PATH, idle:30s or process:NAME".to_owned();
                Err(format!("not a condition; {}", guess::condition(text).unwrap_or_else(names)))
            }
        }
    }
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
