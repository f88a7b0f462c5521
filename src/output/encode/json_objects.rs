//! `json`: an object per record with `time`, `file`, `format`, `level`, and `message` or `record`.

use super::attributes::add_json;
use super::encoding::{Encoded, Encoding};
use super::object::{field, level_name, name_field, time_text};

pub(super) static JSON: Encoding = Encoding {
    name: "json",
    opening: |name, _| name_field(b",\"file\":\"", name),
    unit: Encoded::Record(|out, front| {
        let (fields, opening) = (front.fields, front.opening);
        field(out, b",\"time\":\"", time_text(fields));
        out.extend_from_slice(opening);
        field(out, b",\"format\":\"", fields.format.as_bytes());
        field(out, b",\"level\":\"", level_name(fields));
        add_json(out, front.attributes())
    }),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_looks_so() {
        let expected =
            r#"{"time":"2026-01-05T10:00:00Z","file":"a\"b.log","format":"go","level":"warn","message":"low\ndisk"}"#;
        assert_eq!(JSON.sample().trim_end(), expected);
    }
}
