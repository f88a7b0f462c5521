//! What an encoding is: a name, and what it does with a line or a record.

use std::path::Path;

use super::object::ObjectFields;

/// How lines look on the stream.
#[derive(Debug)]
pub struct Encoding {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Returns what each line, or object, of a file says of the file: by what people call it, and where it is.
    pub opening: fn(&Path, &Path) -> Box<[u8]>,
    /// What goes out in one piece.
    pub unit: Encoded,
}

/// What goes out in one piece.
#[derive(Debug, Clone, Copy)]
pub enum Encoded {
    /// A line, as it is, behind the opening of its file.
    Line,
    /// A record, as JSON objects that begin with these fields.
    Record(ObjectFields),
}

impl Encoding {
    /// Returns what the objects of a record begin with; none if lines go out as they are.
    #[must_use]
    pub fn object_fields(&self) -> Option<ObjectFields> {
        match self.unit {
            Encoded::Line => None,
            Encoded::Record(fields) => Some(fields),
        }
    }
}

/// What an encoding makes of one record: its file tests it.
#[cfg(test)]
impl Encoding {
    /// Returns a warning of two lines in a file whose name holds a quote.
    pub(super) fn sample(&self) -> String {
        use super::object::{Objects, RecordFront};
        use crate::format::{Body, Fields, Level, Time};

        let opening = (self.opening)(Path::new("a\"b.log"), Path::new("/l/a.log"));
        let (record, mut out) = (b"low\ndisk", Vec::new());
        if let Some(begin) = self.object_fields() {
            let time = Time::rfc3339(b"2026-01-05T10:00:00Z");
            let fields = Fields { time, format: "go", level: Some(Level::Warn), body: Body::default() };
            let mut objects = Objects::default();
            objects.begin(begin, &RecordFront { opening: &opening, fields: &fields, record });
            objects.add_record(&mut out, record, &fields, true);
        } else {
            out = [&opening, &record[..], b"\n"].concat();
        }
        String::from_utf8(out).expect("UTF-8")
    }
}
