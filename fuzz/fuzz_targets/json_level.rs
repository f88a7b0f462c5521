//! The scanner of JSON against serde_json: in a valid object, the level is that of the first member that states one when it
//! is an object's only member. So the scanner finds every member, in order, and nothing within another.
#![no_main]

use std::fmt;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sidetail::format::{Formats, Level};
use sidetail::paths::glob::NameGlob;

/// An object's members in their order, as they are written; a key with an escape is refused.
struct Members<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for InOrder<'a> {
            type Value = Members<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'a>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder(std::marker::PhantomData))
    }
}

fn level(formats: &Formats, line: &str) -> Option<Level> {
    let verdict = formats.judge(Path::new("/log/app.log")).line(formats, line.as_bytes(), b"");
    assert_eq!(formats.name(verdict.format), "json", "{line}");
    verdict.level
}

fuzz_target!(|text: &str| {
    let mut formats = Formats::default();
    let json = formats.by_name("json").expect("built in");
    formats.pins = vec![(NameGlob::parse(b"*").expect("a glob"), json)];
    if !text.starts_with('{') || text.contains('\n') {
        return;
    }
    let Ok(Members(members)) = serde_json::from_str(text) else { return };
    // MongoDB's `s` means something only behind its `t`.
    if members.iter().any(|(key, _)| *key == "s") {
        return;
    }
    let alone = |(key, value): &(&str, &RawValue)| level(&formats, &format!("{{\"{key}\":{value}}}"));
    assert_eq!(level(&formats, text), members.iter().find_map(alone), "{text}");
});
