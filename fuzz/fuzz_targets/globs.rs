//! Patterns and globs: no panic, messages of one line, no text that takes long, a plain path matches itself.
#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use sidetail::paths::glob::{NameGlob, Pattern, is_compressed, split_list};

/// A path has at most 4096 bytes, a pattern of the user's is shorter; with AddressSanitizer and on a loaded machine
/// anything linear takes less than a hundredth of this.
const AT_MOST: Duration = Duration::from_secs(1);

/// What globs and names are made of where they are hard to match; random bytes seldom are.
const OF_GLOBS: [&[u8]; 8] = [b"**/", b"*", b"a", b"a/", b"{a,aa,*}", b"?", b"[ab]", b"b"];
const OF_NAMES: [&[u8]; 4] = [b"a", b"a/", b"aaaa", b"b"];

fn made_of(parts: &[&[u8]], choice: &[u8]) -> Vec<u8> {
    choice.iter().take(100).flat_map(|byte| parts[usize::from(*byte) % parts.len()]).copied().collect()
}

fuzz_target!(|input: (bool, &[u8], &[u8])| {
    let (is_hard, text, name) = input;
    let (hard_text, hard_name) = (made_of(&OF_GLOBS, text), made_of(&OF_NAMES, name));
    let (text, name) = if is_hard { (&*hard_text, &*hard_name) } else { (text, name) };
    let (text, name) = (&text[..text.len().min(1024)], &name[..name.len().min(4096)]);
    if name.contains(&0) {
        return;
    }
    let path = [b"/", name].concat();
    let path = Path::new(OsStr::from_bytes(&path));
    let start = Instant::now();
    for part in split_list(text) {
        match Pattern::parse(part, Path::new("/work")) {
            Ok(patterns) => drop(patterns.iter().filter(|pattern| pattern.matches(path)).count()),
            Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{why:?}"),
        }
        match NameGlob::parse(part) {
            Ok(glob) => drop(glob.matches(path)),
            Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{why:?}"),
        }
    }
    assert!(start.elapsed() < AT_MOST, "{:?} for {text:?} and {name:?}", start.elapsed());
    let is_plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b' ' | 0x80..);
    let parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').collect();
    if !name.is_empty() && name.iter().all(is_plain) && !parts.iter().any(|part| [&b""[..], b".", b".."].contains(part))
    {
        let patterns =
            Pattern::parse(path.as_os_str().as_bytes(), Path::new("/work")).expect("a plain path is a pattern");
        assert!(patterns.len() == 1 && patterns[0].matches(path));
        assert!(NameGlob::parse(path.as_os_str().as_bytes()).expect("and a glob").matches(path));
        let _ = is_compressed(path);
    }
});
