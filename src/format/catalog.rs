//! Every built-in format, and the order in which they are tried.
//!
//! A format is a row of [`FORMATS`], and a name, [`FormatId`], by its place there.

use super::formats::container::Wrapped;
use super::formats::{
    access, container, databases, dotnet, golang, java, json, logcat, logfmt, plain, python, rust, scripting, servers,
    syslog,
};
use super::head::Head;
use Reader::{Line, Wrapping};
use RecordLines::{Multiple, Single};
use Words::{Any, Dated, Joined, Month};

/// What the lines of a record are, beyond the one with the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordLines {
    /// A record is one line; only what looks like a trace continues it.
    Single,
    /// A line without a header continues the record before it.
    Multiple,
}

/// What stands behind the letters at the front of a line, if it begins with a capital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// Whatever it is.
    Any,
    /// They are the name of a month, with a blank behind it; or something else than a blank follows them.
    Month,
    /// Behind a blank a date or a bracket; or something else than a blank.
    Dated,
    /// Something else than a blank.
    Joined,
}

/// Reads a line, given without newline and without the carriage return before it; `None` if it is not of this format.
#[derive(Debug)]
pub(super) enum Reader {
    /// All of it.
    Line(fn(&[u8]) -> Option<Head>),
    /// What a container runtime wrote around the line of some other format.
    Wrapping(fn(&[u8]) -> Option<Wrapped<'_>>),
}

/// A built-in log format.
#[derive(Debug)]
pub(super) struct Format {
    /// Its name in rules, in `FORMATS` and in the output of `classify`.
    pub name: &'static str,
    /// With which bytes its lines begin: itself, or `0` for any digit, `t` for a digit of a date or time, `a` for a lower and
    /// `A` for an upper case letter; a line that begins with colours (`ESC`) is tried by all. Empty for any byte.
    pub(crate) first: &'static [u8],
    pub(crate) words: Words,
    pub(crate) lines: RecordLines,
    pub(crate) read: Reader,
}

/// Every built-in format, in the order in which the line of an unknown file is tried.
///
/// The strict ones come first: a line that two formats could claim belongs to the one that asks for more. `plain`, which
/// claims every line, is the last.
pub(super) static FORMATS: &[Format] = &[
    Format { name: "docker", first: b"{", words: Any, lines: Single, read: Wrapping(container::read_docker) },
    Format { name: "json", first: b"{", words: Any, lines: Single, read: Line(json::read) },
    Format { name: "cri", first: b"t", words: Any, lines: Single, read: Wrapping(container::read_cri) },
    Format { name: "klog", first: b"IWEF", words: Joined, lines: Multiple, read: Line(golang::read_klog) },
    Format { name: "haproxy", first: b"A0a:[<", words: Month, lines: Single, read: Line(access::read_haproxy) },
    Format { name: "rfc5424", first: b"<", words: Any, lines: Single, read: Line(syslog::read_rfc5424) },
    Format { name: "rfc3164", first: b"<At", words: Month, lines: Single, read: Line(syslog::read_rfc3164) },
    Format { name: "access", first: b"", words: Any, lines: Single, read: Line(access::read_access) },
    Format { name: "nginx", first: b"tn", words: Any, lines: Single, read: Line(servers::read_nginx) },
    Format { name: "apache", first: b"[", words: Any, lines: Single, read: Line(servers::read_apache) },
    Format { name: "php-fpm", first: b"[", words: Any, lines: Multiple, read: Line(servers::read_php_fpm) },
    Format {
        name: "postgresql",
        first: b"0<[A",
        words: Joined,
        lines: Multiple,
        read: Line(databases::read_postgresql),
    },
    Format { name: "mysql-slow", first: b"#", words: Any, lines: Multiple, read: Line(databases::read_mysql_slow) },
    Format { name: "mysql", first: b"0", words: Any, lines: Multiple, read: Line(databases::read_mysql) },
    Format { name: "redis", first: b"0[", words: Any, lines: Single, read: Line(databases::read_redis) },
    Format { name: "mongodb", first: b"t", words: Any, lines: Multiple, read: Line(databases::read_mongodb) },
    Format { name: "rabbitmq", first: b"t=", words: Any, lines: Multiple, read: Line(databases::read_rabbitmq) },
    Format { name: "monolog", first: b"[", words: Any, lines: Multiple, read: Line(scripting::read_monolog) },
    Format { name: "rails", first: b"A[t", words: Any, lines: Multiple, read: Line(scripting::read_rails) },
    Format { name: "gunicorn", first: b"[", words: Any, lines: Multiple, read: Line(python::read_gunicorn) },
    Format { name: "uwsgi", first: b"[{", words: Any, lines: Single, read: Line(python::read_uwsgi) },
    Format { name: "logcat", first: b"0VDIWEFA", words: Joined, lines: Single, read: Line(logcat::read) },
    Format { name: "dotnet", first: b"aAt[", words: Joined, lines: Multiple, read: Line(dotnet::read) },
    Format { name: "env_logger", first: b"[", words: Any, lines: Multiple, read: Line(rust::read_env_logger) },
    Format { name: "tracing", first: b"t IWEDT", words: Any, lines: Multiple, read: Line(rust::read_tracing) },
    Format { name: "go", first: b"0A[", words: Dated, lines: Multiple, read: Line(golang::read_go) },
    Format { name: "jul", first: b"At[", words: Month, lines: Multiple, read: Line(java::read_jul) },
    Format { name: "python", first: b"tA[", words: Dated, lines: Multiple, read: Line(python::read_python) },
    Format { name: "log4j", first: b"0A[", words: Dated, lines: Multiple, read: Line(java::read_log4j) },
    Format { name: "logfmt", first: b"aA@", words: Joined, lines: Single, read: Line(logfmt::read) },
    Format { name: "plain", first: b"", words: Any, lines: Single, read: Line(plain::read) },
];

/// Names a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FormatId(u8);

impl Default for FormatId {
    fn default() -> Self {
        Self::PLAIN
    }
}

impl FormatId {
    /// The built-in `plain`: lines that no other format claims.
    #[allow(clippy::cast_possible_truncation, reason = "the table is short")]
    pub(crate) const PLAIN: Self = Self((FORMATS.len() - 1) as u8);

    pub(super) fn at(index: usize) -> Self {
        Self(u8::try_from(index).unwrap_or(u8::MAX))
    }

    /// Returns the name of a built-in format; nothing for one of the user's own.
    pub(super) fn built_in_name(self) -> &'static str {
        FORMATS.get(self.index()).map_or("", |format| format.name)
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}
