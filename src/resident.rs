//! Gives back what of the program itself only its start needed.
//!
//! The kernel maps 64 KiB of a program around each page that is touched, so soon nearly all of it counts as resident, though a
//! loop that waits for lines touches little. What is given back stays in the page cache; what is needed again is mapped again,
//! some 20 faults of a microsecond.

#![allow(unsafe_code, reason = "madvise(2) is about addresses")]

use std::fs;

use rustix::mm::{Advice, madvise};

/// Unmaps the parts of files that nobody has written to: the program's code and constants, and its libraries'. Without `/proc`
/// nothing happens.
pub fn give_back() {
    give_back_heap();
    let Ok(mappings) = fs::read_to_string("/proc/self/smaps") else { return };
    for (start, bytes) in unwritten(&mappings) {
        // SAFETY: the mapping is of a file, cannot be written to, and has no page of its own: whatever is read there is read
        // from the file again, and is the same.
        // An old kernel may refuse; then everything stays as it is.
        let _ = unsafe { madvise(start as *mut _, bytes, Advice::LinuxDontNeed) };
    }
}

/// Gives back the pages of the heap that nothing is left in: the first look at a thousand paths leaves many.
///
/// Source: malloc_trim(3), of the GNU C library.
fn give_back_heap() {
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            safe fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        malloc_trim(0);
    }
}

/// Returns where the mappings are, and how long, that are of a file, cannot be written to, and have no page that differs from it.
///
/// Source: proc_pid_smaps(5).
fn unwritten(mappings: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut current = None;
    mappings.lines().filter_map(move |line| {
        if let Some(found) = mapping(line) {
            current = found;
        }
        let anonymous = line.strip_prefix("Anonymous:")?;
        current.take().filter(|_| anonymous.trim() == "0 kB")
    })
}

/// Returns what the first line of a mapping says: where it is, if it is of a file and cannot be written to; `None` if it is
/// another line.
#[allow(clippy::option_option, reason = "no first line at all, or one of a mapping that is not wanted")]
fn mapping(line: &str) -> Option<Option<(usize, usize)>> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    let (start, end) = (address(start)?, address(end)?);
    let permissions = words.next()?;
    let inode = words.nth(2)?;
    let is_wanted = permissions.starts_with('r') && permissions.as_bytes().get(1) == Some(&b'-') && inode != "0";
    Some(is_wanted.then(|| (start, end.saturating_sub(start))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_wrote_to_is_given_back() {
        let mappings = "\
555500000000-555500001000 r--p 00000000 fe:00 12 /sidetail\nSize: 4 kB\nAnonymous:             0 kB\n\
555500001000-555500003000 r-xp 00001000 fe:00 12 /sidetail\nSize: 8 kB\nAnonymous:             0 kB\n\
555500003000-555500004000 r--p 00003000 fe:00 12 /sidetail\nSize: 4 kB\nAnonymous:             4 kB\n\
555500004000-555500005000 rw-p 00004000 fe:00 12 /sidetail\nSize: 4 kB\nAnonymous:             0 kB\n\
555500005000-555500006000 r--p 00000000 00:00 0\nSize: 4 kB\nAnonymous:             0 kB\n\
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0 [vdso]\nSize: 8 kB\nAnonymous:             0 kB\n";
        let found: Vec<_> = unwritten(mappings).collect();
        assert_eq!(found, [(0x5555_0000_0000, 0x1000), (0x5555_0000_1000, 0x2000)]);
        assert_eq!(unwritten("").count(), 0);
    }

    #[test]
    fn what_was_given_back_is_there_when_it_is_needed() {
        static TEXT: &str = "a constant of the program";
        give_back();
        assert_eq!(TEXT.len(), 25);
        assert!(unwritten(&fs::read_to_string("/proc/self/smaps").expect("a process")).count() > 0);
    }
}
