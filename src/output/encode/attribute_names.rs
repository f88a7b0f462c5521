//! What outputs call the attributes of a header: by OpenTelemetry's conventions, the Elastic Common Schema, and Cloud Logging.
//!
//! Sources: <https://opentelemetry.io/docs/specs/semconv/registry/attributes/>,
//! <https://www.elastic.co/docs/reference/ecs/ecs-field-reference>,
//! <https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry>.

use crate::format::Attribute;

/// Where Cloud Logging wants an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GcpPlace {
    /// Among the labels, all of which are text.
    Label(&'static str),
    /// In `httpRequest`.
    Request(&'static str),
    /// In `sourceLocation`.
    Source(&'static str),
}

/// The names of one attribute.
#[derive(Debug)]
pub struct AttributeNames {
    /// Of which attribute.
    pub attribute: Attribute,
    /// In `json`.
    pub json: &'static str,
    /// In `ecs`.
    pub ecs: &'static str,
    /// In `gcp`.
    pub gcp: GcpPlace,
}

/// The names of all attributes, in the order of their numbers.
pub static NAMES: [AttributeNames; Attribute::COUNT] = {
    use Attribute as A;
    use GcpPlace::{Label, Request, Source};
    [
        names(A::Logger, "otel.scope.name", "log.logger", Label("logger")),
        names(A::ThreadName, "thread.name", "process.thread.name", Label("thread.name")),
        names(A::ThreadId, "thread.id", "process.thread.id", Label("thread.id")),
        names(A::File, "code.file.path", "log.origin.file.name", Source("file")),
        names(A::Line, "code.line.number", "log.origin.file.line", Source("line")),
        names(A::Function, "code.function.name", "log.origin.function", Source("function")),
        names(A::Host, "host.name", "host.name", Label("host.name")),
        names(A::Program, "service.name", "process.name", Label("service.name")),
        names(A::Pid, "process.pid", "process.pid", Label("process.pid")),
        names(A::ProcId, "syslog.procid", "log.syslog.procid", Label("syslog.procid")),
        names(A::MsgId, "syslog.msgid", "log.syslog.msgid", Label("syslog.msgid")),
        names(
            A::StructuredData,
            "syslog.structured_data",
            "log.syslog.structured_data",
            Label("syslog.structured_data"),
        ),
        names(A::Priority, "syslog.priority", "log.syslog.priority", Label("syslog.priority")),
        names(A::Method, "http.request.method", "http.request.method", Request("requestMethod")),
        names(A::Target, "url.path", "url.path", Request("requestUrl")),
        names(A::Protocol, "network.protocol.version", "http.version", Request("protocol")),
        names(A::Status, "http.response.status_code", "http.response.status_code", Request("status")),
        names(A::BytesSent, "http.response.body.size", "http.response.body.bytes", Request("responseSize")),
        names(A::BytesReceived, "http.request.size", "http.request.bytes", Request("requestSize")),
        names(A::Seconds, "http.server.request.duration", "event.duration", Request("latency")),
        names(A::Milliseconds, "http.server.request.duration", "event.duration", Request("latency")),
        names(A::Duration, "http.server.request.duration", "event.duration", Request("latency")),
        names(A::Referrer, "http.request.header.referer", "http.request.referrer", Request("referer")),
        names(A::UserAgent, "user_agent.original", "user_agent.original", Request("userAgent")),
        names(A::Client, "client.address", "client.address", Request("remoteIp")),
        names(A::Ident, "client.ident", "labels.ident", Label("client.ident")),
        names(A::User, "user.name", "user.name", Label("user.name")),
        names(A::Server, "server.address", "server.address", Label("server.address")),
        names(A::Database, "db.namespace", "labels.db_namespace", Label("db.namespace")),
        names(A::QuerySeconds, "db.client.operation.duration", "event.duration", Label("db.client.operation.duration")),
        names(A::LockSeconds, "mysql.lock_time", "labels.lock_time", Label("mysql.lock_time")),
        names(A::RowsSent, "db.response.returned_rows", "labels.rows_sent", Label("db.response.returned_rows")),
        names(A::RowsExamined, "mysql.rows_examined", "labels.rows_examined", Label("mysql.rows_examined")),
        names(A::EventCode, "event.code", "event.code", Label("event.code")),
        names(A::Connection, "connection.id", "labels.connection_id", Label("connection.id")),
        names(A::ErlangPid, "erlang.pid", "labels.erlang_pid", Label("erlang.pid")),
        names(A::Role, "redis.role", "labels.role", Label("redis.role")),
        names(A::WsgiApp, "uwsgi.app", "labels.uwsgi_app", Label("uwsgi.app")),
        names(A::RequestId, "http.request.id", "http.request.id", Label("http.request.id")),
        names(A::Spans, "tracing.spans", "labels.spans", Label("tracing.spans")),
        names(A::Stream, "log.iostream", "labels.stream", Label("log.iostream")),
        names(A::LevelText, "severity_text", "labels.severity_text", Label("severity_text")),
        names(A::TimeText, "time_text", "labels.time_text", Label("time_text")),
        names(A::Extra, "header", "labels.header", Label("header")),
    ]
};

const fn names(attribute: Attribute, json: &'static str, ecs: &'static str, gcp: GcpPlace) -> AttributeNames {
    AttributeNames { attribute, json, ecs, gcp }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attribute_has_its_own_names() {
        for (names, attribute) in NAMES.iter().zip(Attribute::all()) {
            assert_eq!(names.attribute, attribute);
            let labelled = names.ecs.strip_prefix("labels.").is_none_or(|name| !name.contains('.'));
            assert!(labelled, "{}: a dot in a label makes an object of it", names.ecs);
        }
    }
}
