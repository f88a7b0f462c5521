//! Why lines are copied into the pipe, though splice(2) would not: what it puts there are the file's own pages, and they go on
//! changing until the reader has taken them.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;

use rustix::pipe::{SpliceFlags, splice};

use crate::support::files::directory;
use crate::support::program::pipe;

const LINE: &[u8] = b"what was streamed\n";
const LINES: usize = 100;

/// Puts whole lines of a file into a pipe, lets somebody change the file, and returns what the reader of the pipe gets.
fn read_after(copies: bool, change: impl Fn(&File)) -> Vec<u8> {
    let directory = directory();
    let path = directory.path().join("app.log");
    let lines = LINE.repeat(LINES);
    std::fs::write(&path, &lines).expect("a file");
    let file = OpenOptions::new().read(true).write(true).open(&path).expect("the file");
    let (reader, writer) = pipe();
    if copies {
        let mut bytes = vec![0; lines.len()];
        file.read_exact_at(&mut bytes, 0).expect("the lines");
        File::from(writer).write_all(&bytes).expect("room for them");
    } else {
        let put = splice(&file, None, &writer, None, lines.len(), SpliceFlags::empty());
        assert_eq!(put.expect("a file and a pipe"), lines.len());
        drop(writer);
    }
    change(&file);
    let mut read = Vec::new();
    File::from(reader).read_to_end(&mut read).expect("a pipe");
    read
}

#[test]
fn what_is_spliced_into_a_pipe_is_destroyed_by_a_truncation_that_copied_lines_survive() {
    let lines = LINE.repeat(LINES);
    // In the middle of a page: the kernel fills the rest of it with NULs (truncate(2)), wherever else that page is in use.
    let truncate = |file: &File| file.set_len(LINE.len() as u64).expect("our own file");
    let spliced = read_after(false, truncate);
    assert_eq!(spliced.len(), lines.len());
    assert!(spliced[..LINE.len()] == *LINE && spliced[LINE.len()..].iter().all(|byte| *byte == 0), "the rest is gone");
    assert_eq!(read_after(true, truncate), lines);
}

#[test]
fn what_is_spliced_into_a_pipe_changes_with_the_file() {
    let lines = LINE.repeat(LINES);
    let overwrite = |file: &File| file.write_all_at(b"WHAT", 0).expect("our own file");
    assert_ne!(read_after(false, overwrite), lines);
    assert_eq!(read_after(true, overwrite), lines);
}
