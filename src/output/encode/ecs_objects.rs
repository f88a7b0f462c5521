//! `ecs`: an object per record, with the names of the Elastic Common Schema.

use super::attributes::add_ecs;
use super::encoding::{Encoded, Encoding};
use super::object::{field, level_name, name_field, time_text};

/// The version of the schema whose fields are written.
const VERSION: &[u8] = b",\"ecs.version\":\"8.11.0\"";

pub(super) static ECS: Encoding = Encoding {
    name: "ecs",
    opening: |_, path| name_field(b",\"log.file.path\":\"", path),
    unit: Encoded::Record(|out, front| {
        let (fields, opening) = (front.fields, front.opening);
        field(out, b",\"@timestamp\":\"", time_text(fields));
        field(out, b",\"log.level\":\"", level_name(fields));
        out.extend_from_slice(opening);
        out.extend_from_slice(VERSION);
        add_ecs(out, front.attributes())
    }),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_looks_so() {
        let expected = r#"{"@timestamp":"2026-01-05T10:00:00Z","log.level":"warn","log.file.path":"/l/a.log","ecs.version":"8.11.0","message":"low\ndisk"}"#;
        assert_eq!(ECS.sample().trim_end(), expected);
    }
}
