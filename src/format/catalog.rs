//! Every built-in format, in the order in which they are tried, and sets of them.

use super::block::Format;
use super::formats::{
    access, cisco, columns, container, databases, dotnet, golang, ibm, java, json, logcat, logfmt, plain, python, rust,
    scripting, servers, signs, syslog,
};

/// Every built-in format, in the order in which the line of an unknown file is tried.
///
/// The strict ones come first: a line that two formats could claim belongs to the one that asks for more. `plain`, which
/// claims every line, is the last.
pub(super) static FORMATS: &[Format] = &[
    container::DOCKER,
    json::JSON,
    container::CRI,
    golang::KLOG,
    access::HAPROXY,
    cisco::CISCO,
    databases::HANA,
    ibm::ACE,
    columns::COLUMNS,
    signs::SIGNS,
    scripting::FOREMAN,
    syslog::RFC5424,
    syslog::RFC3164,
    access::ACCESS,
    servers::NGINX,
    servers::APACHE,
    servers::PHP_FPM,
    databases::CSVLOG,
    databases::POSTGRESQL,
    databases::MYSQL_SLOW,
    databases::MYSQL,
    databases::REDIS,
    databases::MONGODB,
    databases::RABBITMQ,
    scripting::MONOLOG,
    scripting::RAILS,
    python::GUNICORN,
    python::UWSGI,
    logcat::LOGCAT,
    dotnet::DOTNET,
    rust::ENV_LOGGER,
    rust::TRACING,
    java::LOG4J_XML,
    ibm::MQ,
    golang::GO,
    java::JUL,
    python::PYTHON,
    java::LOG4J,
    logfmt::LOGFMT,
    plain::PLAIN,
];

/// Names a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FormatId(u16);

impl Default for FormatId {
    fn default() -> Self {
        Self::PLAIN
    }
}

impl FormatId {
    /// The built-in `plain`: lines that no other format claims.
    #[allow(clippy::cast_possible_truncation, reason = "the table is short")]
    pub(crate) const PLAIN: Self = Self((FORMATS.len() - 1) as u16);

    pub(super) fn at(index: usize) -> Self {
        Self(u16::try_from(index).unwrap_or(u16::MAX))
    }

    /// Returns the block of a built-in format; nothing for one of the user's own.
    pub(super) fn built_in(self) -> Option<&'static Format> {
        FORMATS.get(self.index())
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

const WORD_BITS: usize = u64::BITS as usize;

const WORDS: usize = FORMATS.len().div_ceil(WORD_BITS);

/// A set of built-in formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FormatSet([u64; WORDS]);

impl FormatSet {
    pub(super) const NONE: Self = Self([0; WORDS]);

    pub(super) const ALL: Self = Self([u64::MAX; WORDS]);

    /// Returns the set of those formats of which something is so, by their index.
    pub(super) const fn add(mut self, index: usize) -> Self {
        self.0[index / WORD_BITS] |= 1 << (index % WORD_BITS);
        self
    }

    /// Returns whether the format of this index is among them.
    #[cfg(test)]
    pub(super) const fn has(&self, index: usize) -> bool {
        self.0[index / WORD_BITS] >> (index % WORD_BITS) & 1 == 1
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }
}

/// Their indexes, the first format's first.
impl Iterator for FormatSet {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let (word, bits) = self.0.iter_mut().enumerate().find(|(_, bits)| **bits != 0)?;
        let index = bits.trailing_zeros() as usize;
        *bits &= *bits - 1;
        Some(word * WORD_BITS + index)
    }
}
