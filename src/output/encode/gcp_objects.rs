//! `gcp`: an object per record, with the names and severities that Google Cloud Logging knows.
//!
//! Source: <https://cloud.google.com/logging/docs/structured-logging>

use super::attributes::{add_gcp, add_gcp_labels};
use super::encoding::{Encoded, Encoding};
use super::object::{field, name_field, time_text};
use crate::format::Level;

pub(super) static GCP: Encoding = Encoding {
    name: "gcp",
    opening: |name, _| name_field(b",\"logging.googleapis.com/labels\":{\"file\":\"", name),
    unit: Encoded::Record(|out, front| {
        let (fields, opening) = (front.fields, front.opening);
        field(out, b",\"severity\":\"", fields.level.map_or("", severity).as_bytes());
        field(out, b",\"time\":\"", time_text(fields));
        let invalid = add_gcp(out, front.attributes());
        out.extend_from_slice(opening);
        field(out, b",\"format\":\"", fields.format.as_bytes());
        let of_labels = add_gcp_labels(out, front.attributes());
        out.push(b'}');
        invalid + of_labels
    }),
};

/// Returns what Cloud Logging calls a level.
///
/// Source: <https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#LogSeverity>
fn severity(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Notice => "NOTICE",
        Level::Warn => "WARNING",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
        Level::Fatal => "EMERGENCY",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_looks_so() {
        let expected = r#"{"severity":"WARNING","time":"2026-01-05T10:00:00Z","logging.googleapis.com/labels":{"file":"a\"b.log","format":"go"},"message":"low\ndisk"}"#;
        assert_eq!(GCP.sample().trim_end(), expected);
    }
}
