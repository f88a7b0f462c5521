//! Streams of objects (`SIDETAIL_OUTPUT=json`) as the records that they are made of.

use std::collections::HashMap;

use serde_json::Value;

/// A record as its objects have it, and its message with those of all parts, and the newline at its end.
pub struct Record {
    pub object: Value,
    pub message: String,
}

impl Record {
    /// A field as text: the parts of a header are fields.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        match &self.object[name] {
            Value::String(text) => text.clone(),
            Value::Null => panic!("there is no {name}: {}", self.object),
            other => other.to_string(),
        }
    }
}

/// The records of a stream of objects, as far as its lines are whole.
pub fn records(stream: &[u8]) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut last: HashMap<String, usize> = HashMap::new();
    for line in stream.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        let object: Value =
            serde_json::from_slice(line).unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(line)));
        let file = object["file"].as_str().expect("a file").to_owned();
        let message = object["message"].as_str().expect("a message");
        if object["part"].as_u64() > Some(1) {
            records[last[&file]].message.push_str(message);
        } else {
            last.insert(file, records.len());
            records.push(Record { object: object.clone(), message: message.to_owned() });
        }
    }
    for record in &mut records {
        record.message.push('\n');
    }
    records
}

#[test]
fn the_parts_of_a_record_are_put_together() {
    let stream = br#"{"file":"a","message":"1","part":1}
{"file":"b","message":"x"}
{"file":"a","message":"2","part":2}
{"file":"a","message":"3"}
{"file":"a","mess"#;
    let messages: Vec<_> = records(stream).into_iter().map(|record| record.message).collect();
    assert_eq!(messages, ["12\n", "x\n", "3\n"]);
}
