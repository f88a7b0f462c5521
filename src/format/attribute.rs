//! What the header of a record may say of it, beyond time and level, and which bytes may stand there.
//!
//! How outputs call it is their business.

/// One thing that a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Attribute {
    /// The name of a logger, a module or a part of the program.
    Logger,
    /// The name of a thread.
    ThreadName,
    /// The number of a thread.
    ThreadId,
    /// A file of source code.
    File,
    /// A line of it.
    Line,
    /// A function or method.
    Function,
    /// The name of a host.
    Host,
    /// The name of a program.
    Program,
    /// The number of a process.
    Pid,
    /// Syslog's PROCID.
    ProcId,
    /// Syslog's MSGID.
    MsgId,
    /// Syslog's STRUCTURED-DATA.
    StructuredData,
    /// Syslog's PRI: facility and severity.
    Priority,
    /// The method of a request.
    Method,
    /// The target of a request: path and query.
    Target,
    /// The protocol of a request: `HTTP/1.1`.
    Protocol,
    /// The status of a response.
    Status,
    /// How many bytes a response had.
    BytesSent,
    /// How many bytes a request had.
    BytesReceived,
    /// How long a request took, in seconds.
    Seconds,
    /// How long a request took, in milliseconds.
    Milliseconds,
    /// How long a request took, with its unit.
    Duration,
    /// What the header `Referer` said.
    Referrer,
    /// What the header `User-Agent` said.
    UserAgent,
    /// The address of a client, with its port or without.
    Client,
    /// What identd said of a client.
    Ident,
    /// The name of a user.
    User,
    /// The name of a virtual host, with its port or without.
    Server,
    /// The name of a database.
    Database,
    /// How long a query took, in seconds.
    QuerySeconds,
    /// How long a query waited for locks, in seconds.
    LockSeconds,
    /// How many rows a query returned.
    RowsSent,
    /// How many rows a query looked at.
    RowsExamined,
    /// The code of an event or error.
    EventCode,
    /// The number of a connection.
    Connection,
    /// The process of Erlang.
    ErlangPid,
    /// Redis' role: `M`, `S`, `C` or `X`.
    Role,
    /// The number of uWSGI's application.
    WsgiApp,
    /// What a request is known by.
    RequestId,
    /// The spans that a line of Rust's `tracing` is within.
    Spans,
    /// `stdout` or `stderr`, as a container runtime wrote it.
    Stream,
    /// The word of a level, if it says more than the level.
    LevelText,
    /// The time as it was written, if it is not certain.
    TimeText,
    /// What else stands in a header, or behind a message.
    Extra,
}

/// Which bytes may stand where an attribute does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Any but blanks, unless something closes it.
    Text,
    /// The name of a file of source code.
    SourceFile,
    /// The structured data of RFC 5424.
    Elements,
    /// The spans of Rust's `tracing`: `request{id=1}:query{n=2}`.
    Spans,
    /// Digits, at most 15.
    Number,
    /// Digits with a fraction or without.
    Decimal,
    /// A number with a unit, as Go writes durations: `1.5ms`.
    Elapsed,
    /// A number, or `-` for none.
    NumberOrNone,
}

/// What is known of an attribute.
#[derive(Debug)]
struct About {
    attribute: Attribute,
    /// Its name in layouts.
    name: &'static str,
    holds: Holds,
}

const fn about(attribute: Attribute, name: &'static str, holds: Holds) -> About {
    About { attribute, name, holds }
}

/// All of them, in the order of their numbers.
const TABLE: &[About] = &[
    about(Attribute::Logger, "logger", Holds::Text),
    about(Attribute::ThreadName, "thread", Holds::Text),
    about(Attribute::ThreadId, "thread-id", Holds::Number),
    about(Attribute::File, "file", Holds::SourceFile),
    about(Attribute::Line, "line", Holds::Number),
    about(Attribute::Function, "function", Holds::Text),
    about(Attribute::Host, "host", Holds::Text),
    about(Attribute::Program, "program", Holds::Text),
    about(Attribute::Pid, "pid", Holds::Number),
    about(Attribute::ProcId, "procid", Holds::Text),
    about(Attribute::MsgId, "msgid", Holds::Text),
    about(Attribute::StructuredData, "structured-data", Holds::Elements),
    about(Attribute::Priority, "priority", Holds::Number),
    about(Attribute::Method, "method", Holds::Text),
    about(Attribute::Target, "target", Holds::Text),
    about(Attribute::Protocol, "protocol", Holds::Text),
    about(Attribute::Status, "status", Holds::Number),
    about(Attribute::BytesSent, "bytes", Holds::NumberOrNone),
    about(Attribute::BytesReceived, "received", Holds::NumberOrNone),
    about(Attribute::Seconds, "seconds", Holds::Decimal),
    about(Attribute::Milliseconds, "milliseconds", Holds::Decimal),
    about(Attribute::Duration, "duration", Holds::Elapsed),
    about(Attribute::Referrer, "referrer", Holds::Text),
    about(Attribute::UserAgent, "agent", Holds::Text),
    about(Attribute::Client, "client", Holds::Text),
    about(Attribute::Ident, "ident", Holds::Text),
    about(Attribute::User, "user", Holds::Text),
    about(Attribute::Server, "server", Holds::Text),
    about(Attribute::Database, "database", Holds::Text),
    about(Attribute::QuerySeconds, "query-seconds", Holds::Decimal),
    about(Attribute::LockSeconds, "lock-seconds", Holds::Decimal),
    about(Attribute::RowsSent, "rows-sent", Holds::Number),
    about(Attribute::RowsExamined, "rows-examined", Holds::Number),
    about(Attribute::EventCode, "code", Holds::Text),
    about(Attribute::Connection, "connection", Holds::Number),
    about(Attribute::ErlangPid, "erlang-pid", Holds::Text),
    about(Attribute::Role, "role", Holds::Text),
    about(Attribute::WsgiApp, "wsgi-app", Holds::Text),
    about(Attribute::RequestId, "request-id", Holds::Text),
    about(Attribute::Spans, "spans", Holds::Spans),
    about(Attribute::Stream, "stream", Holds::Text),
    about(Attribute::LevelText, "level-text", Holds::Text),
    about(Attribute::TimeText, "time-text", Holds::Text),
    about(Attribute::Extra, "extra", Holds::Text),
];

impl Attribute {
    /// How many there are.
    pub const COUNT: usize = TABLE.len();

    /// Returns all of them, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|about| about.attribute)
    }

    /// Returns its name in layouts.
    #[must_use]
    pub fn name(self) -> &'static str {
        TABLE[self as usize].name
    }

    /// Returns which bytes may stand there.
    #[must_use]
    pub fn holds(self) -> Holds {
        TABLE[self as usize].holds
    }

    /// Returns the one whose name in layouts this is.
    pub(super) const fn by_name(name: &[u8]) -> Option<Self> {
        let mut index = 0;
        while index < TABLE.len() {
            if is_same(TABLE[index].name.as_bytes(), name) {
                return Some(TABLE[index].attribute);
            }
            index += 1;
        }
        None
    }
}

/// Returns whether two texts are the same, when the program is compiled too.
pub(super) const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_in_the_table_at_its_number() {
        for (index, about) in TABLE.iter().enumerate() {
            assert_eq!(
                (about.attribute as usize, Attribute::by_name(about.name.as_bytes())),
                (index, Some(about.attribute))
            );
        }
        assert_eq!(Attribute::Extra as usize + 1, Attribute::COUNT);
    }
}
