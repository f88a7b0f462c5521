//! Any bytes as lines, pinned to a format or not: no panic, what is said of a line lies within it, and a line that is judged
//! again from the same state is found to be the same. What is not linear shows as a timeout (`-max_len=100000 -timeout=2`).
#![no_main]

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use sidetail::format::{FormatId, Formats, OwnFormat, fields, unwrapped};
use sidetail::paths::glob::NameGlob;

thread_local! {
    /// Those that were made: an expression is compiled once.
    static MADE: RefCell<HashMap<u8, Rc<Formats>>> = RefCell::default();
}

/// Returns the formats, with one of the user's own, and a pin for some of the choices.
fn formats(choice: u8) -> Formats {
    let own = OwnFormat::parse("own", r"^(?<time>\d+:\d+) (?<level>\w+)? ?(?<message>.*)").expect("valid");
    let mut formats = Formats { own: vec![own], multiline: choice & 0x80 == 0, ..Formats::default() };
    let ids: Vec<FormatId> = formats.names().filter_map(|name| formats.by_name(name)).collect();
    if let Some(id) = ids.get(usize::from(choice & 0x7f)) {
        formats.pins = vec![(NameGlob::parse(b"*").expect("a glob"), *id)];
    }
    formats
}

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, block) = input;
    let formats =
        MADE.with_borrow_mut(|made| Rc::clone(made.entry(choice).or_insert_with(|| Rc::new(formats(choice)))));
    let mut judge = formats.judge(Path::new("/log/app.log"));
    let mut start = 0;
    while start <= block.len() {
        let end = block[start..].iter().position(|byte| *byte == b'\n').map_or(block.len(), |at| start + at);
        let line = &block[start..end];
        let following = block.get(end + 1..).unwrap_or_default();
        let mut again = judge;
        let verdict = judge.line(&formats, line, following);
        assert_eq!(again.line(&formats, line, following), verdict);
        assert_eq!(again, judge);
        assert!(verdict.time.start <= verdict.time.end && verdict.time.end as usize <= line.len(), "{verdict:?}");
        assert!(verdict.message as usize <= line.len(), "{verdict:?}");
        assert!(formats.multiline || !verdict.continues, "{verdict:?}");
        let _ = judge.may_go_on(&formats);
        let found = fields(&formats, &verdict, line);
        assert!(found.time.is_none_or(|time| time.as_bytes().len() <= 40 && time.as_bytes().is_ascii()));
        if let Some(message) = unwrapped(formats.name(verdict.format), line) {
            assert!(message.len() <= line.len());
        }
        start = end + 1;
    }
});
