//! The configuration as the program uses it: one field per variable.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use super::condition::Condition;
use crate::disk::policy::Policy;
use crate::format::Formats;
use crate::output::encode::encoding::Encoding;
use crate::output::encode::encodings::ENCODINGS;
use crate::output::rules::Router;
use crate::paths::beneath::Links;
use crate::paths::glob::{NameGlob, Pattern};
use crate::report::finding::Finding;
use crate::report::message::LogFormat;
use crate::shelf::checkpoint::Place;

/// The smallest `RATE_LIMIT`, in bytes per second: one write takes more than a minute at it.
pub(crate) const RATE_MIN: u64 = 1 << 10;

/// Where a file is read from that was there at the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadFrom {
    /// From its first byte.
    #[default]
    Beginning,
    /// From its last line's end.
    End,
}

/// The whole configuration; every field is a variable of [`TABLE`](crate::config::TABLE).
#[derive(Debug, Clone)]
pub struct Config {
    /// `PATHS`: what is followed; never empty.
    pub(crate) paths: Vec<Pattern>,
    /// `EXCLUDE`: what is not.
    pub(crate) exclude: Vec<NameGlob>,
    /// `LINKS`.
    pub(crate) links: Links,
    /// `START`.
    pub start: ReadFrom,
    /// `FORMATS`, `FORMAT_<NAME>` and `MULTILINE`.
    pub formats: Rc<Formats>,
    /// `STDERR` and `DROP`.
    pub router: Router,
    /// `OUTPUT`.
    pub(crate) output: &'static Encoding,
    /// `MAX_LINE`, in bytes without the newline; at least 1.
    pub(crate) line_bytes_max: usize,
    /// `PARTIAL_TIMEOUT`; `None` for off.
    pub(crate) partial_timeout: Option<Duration>,
    /// `RATE_LIMIT`, in bytes per second; `None` for off, else at least 1 KiB.
    pub(crate) rate_limit: Option<u64>,
    /// `DRAIN_TIMEOUT`.
    pub(crate) drain_timeout: Duration,
    /// `LINGER`.
    pub(crate) linger: Duration,
    /// `ROTATE_...` and `DIR_BUDGET`.
    pub rotate: Policy,
    /// `STATE`.
    pub(crate) state: Place,
    /// `EXIT_ON`; none for never.
    pub(crate) exit_on: Vec<Condition>,
    /// `LISTEN`; `None` for off.
    pub listen: Option<SocketAddr>,
    /// `LOG`.
    pub(crate) log: LevelFilter,
    /// `LOG_FORMAT`.
    pub(crate) log_format: LogFormat,
    /// The text of `PATHS` and `EXCLUDE`, after which the checkpoint is named.
    pub(crate) patterns_text: String,
    /// What is followed, for people.
    pub(crate) paths_text: String,
    /// The other variables that were set, and the most telling ones in any case, as `NAME="value"`.
    pub(crate) plan: String,
    /// What is valid and probably not meant.
    pub(crate) findings: Vec<Finding>,
    /// Where relative patterns begin.
    pub(crate) cwd: PathBuf,
}

impl Config {
    /// Returns a configuration in which nothing is set.
    pub(super) fn empty(cwd: &Path) -> Self {
        Self {
            paths: Vec::new(),
            exclude: Vec::new(),
            links: Links::default(),
            start: ReadFrom::default(),
            formats: Rc::default(),
            router: Router::default(),
            output: ENCODINGS[0],
            line_bytes_max: 1,
            partial_timeout: None,
            rate_limit: None,
            drain_timeout: Duration::ZERO,
            linger: Duration::ZERO,
            rotate: Policy::default(),
            state: Place::default(),
            exit_on: Vec::new(),
            listen: None,
            log: LevelFilter::WARN,
            log_format: LogFormat::default(),
            patterns_text: String::new(),
            paths_text: String::new(),
            plan: String::new(),
            findings: Vec::new(),
            cwd: cwd.to_owned(),
        }
    }
}
