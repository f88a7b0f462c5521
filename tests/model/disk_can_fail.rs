//! The judgement of the disk has to fail: each kind of damage is shown to it once, and what is allowed beside it.
//!
//! The disks here are made up; no reader takes part.

use super::disk::{ARCHIVE_BYTES, Archive, Content, Disk};
use super::oracle::{IncarnationId, Oracle, Stream};
use super::world::BLOCK_BYTES;

/// A log of many lines that all came out, and where each ends.
struct Log {
    oracle: Oracle,
    id: IncarnationId,
    line_ends: Vec<usize>,
}

impl Log {
    fn new(lines: usize) -> Self {
        let mut oracle = Oracle::default();
        let id = oracle.begin('a', Some(Stream::Out));
        let mut log = Self { oracle, id, line_ends: Vec::new() };
        (0..lines).for_each(|_| log.line(900));
        log
    }

    /// Writes a line that comes out at once.
    fn line(&mut self, payload_bytes: usize) {
        let bytes = self.oracle.append(self.id, payload_bytes, true).to_vec();
        self.oracle.line(Stream::Out, &bytes[..bytes.len() - 1]).expect("this is what was written");
        self.line_ends.push(self.oracle.len(self.id));
    }

    fn bytes(&self) -> &[u8] {
        self.oracle.bytes(self.id)
    }

    fn archive(&self, number: usize, from: usize, end: usize) -> Archive {
        Archive { base: "a.log".to_owned(), number, bytes: self.bytes()[from..end].to_vec() }
    }

    /// The file after what is before `end` was reclaimed: a hole of whole blocks, then NULs.
    fn punched(&self, end: usize) -> Content {
        let mut bytes = self.bytes().to_vec();
        bytes[..end].fill(0);
        Content { name: "a.log".to_owned(), id: self.id, begins_at: 0, data_at: end / BLOCK_BYTES * BLOCK_BYTES, bytes }
    }

    #[track_caller]
    fn is_right(&self, disk: &Disk) {
        disk.judge(&self.oracle).expect("this is what was written");
    }

    #[track_caller]
    fn fails_as(&self, disk: &Disk, word: &str) {
        let why = disk.judge(&self.oracle).expect_err("it has to object");
        assert!(why.contains(word) && why.contains("on the disk"), "expected `{word}` in: {why}");
    }
}

/// A disk with a file and archives, of which all are kept.
fn disk(content: Content, archives: Vec<Archive>) -> Disk {
    Disk { archives, contents: vec![content], keep: 1000, exact: true }
}

/// Two archives and the rest in the file, as it should be; the ends of the archives.
fn archived(log: &Log) -> (Disk, usize, usize) {
    let (first, second) = (log.line_ends[9], log.line_ends[19]);
    let archives = vec![log.archive(1, first, second), log.archive(2, 0, first)];
    (disk(log.punched(second), archives), first, second)
}

#[test]
fn archives_and_the_file_that_hold_all_once_are_right() {
    let log = Log::new(30);
    log.is_right(&archived(&log).0);
    log.is_right(&disk(log.punched(0), Vec::new()));
    // Whoever looks at a file without knowing of holes sees the same bytes.
    let (mut disk, ..) = archived(&log);
    disk.contents[0].data_at = 0;
    log.fails_as(&disk, "torn");
}

#[test]
fn a_byte_that_is_reclaimed_and_in_no_archive_is_detected() {
    let log = Log::new(30);
    let (mut disk, first, second) = archived(&log);
    disk.contents = vec![log.punched(second + 1)];
    log.fails_as(&disk, "lost");
    let (mut disk, ..) = archived(&log);
    disk.archives.remove(0);
    log.fails_as(&disk, "lost");
    let (mut disk, ..) = archived(&log);
    disk.archives.remove(1);
    log.fails_as(&disk, "lost");
    let (mut disk, ..) = archived(&log);
    let line = log.line_ends[10];
    disk.archives[0] = log.archive(1, line, second);
    log.fails_as(&disk, "lost");
    disk.archives[0] = log.archive(1, first, line);
    log.fails_as(&disk, "lost");
}

#[test]
fn a_byte_that_is_there_twice_is_detected() {
    let log = Log::new(30);
    let (mut disk, first, second) = archived(&log);
    disk.contents = vec![log.punched(log.line_ends[18])];
    log.fails_as(&disk, "repeated");
    disk.exact = false;
    log.is_right(&disk);
    let (mut disk, ..) = archived(&log);
    disk.archives[1] = log.archive(2, 0, log.line_ends[10]);
    log.fails_as(&disk, "order");
    let (mut disk, ..) = archived(&log);
    disk.archives.push(log.archive(3, 0, first));
    log.fails_as(&disk, "order");
    // In the archives of another name that the file has had.
    let mut twice = log.archive(1, first, second);
    twice.base = "a-7.log".to_owned();
    let (mut disk, ..) = archived(&log);
    disk.archives.push(twice);
    disk.exact = false;
    log.fails_as(&disk, "repeated");
}

#[test]
fn unread_bytes_that_are_reclaimed_are_detected() {
    let mut log = Log::new(30);
    let came_out = log.oracle.len(log.id);
    log.oracle.append(log.id, 3 * BLOCK_BYTES, true);
    for (end, right) in [(came_out / BLOCK_BYTES, true), (came_out / BLOCK_BYTES + 1, false)] {
        let mut disk = disk(log.punched(end * BLOCK_BYTES), Vec::new());
        disk.keep = 0;
        assert_eq!(disk.judge(&log.oracle).is_ok(), right, "{end} blocks: {:?}", disk.judge(&log.oracle));
    }
}

#[test]
fn a_line_that_a_kill_cut_may_be_reclaimed_as_far_as_it_came_out() {
    let mut log = Log::new(10);
    let line = log.oracle.append(log.id, 5 * BLOCK_BYTES, true).to_vec();
    let begin = log.oracle.len(log.id) - line.len();
    log.oracle.killed([&line[..4 * BLOCK_BYTES], b""]).expect("the line was due");
    for (end, right) in [(begin + 4 * BLOCK_BYTES, true), (begin + 5 * BLOCK_BYTES, false)] {
        let mut disk = disk(log.punched(end / BLOCK_BYTES * BLOCK_BYTES), Vec::new());
        disk.keep = 0;
        assert_eq!(disk.judge(&log.oracle).is_ok(), right, "up to {end}");
    }
}

#[test]
fn without_archives_only_whole_blocks_are_reclaimed() {
    let log = Log::new(30);
    let mut disk = disk(log.punched(3 * BLOCK_BYTES), Vec::new());
    disk.keep = 0;
    log.is_right(&disk);
    disk.contents = vec![log.punched(3 * BLOCK_BYTES + 1)];
    log.fails_as(&disk, "torn");
}

#[test]
fn damage_is_detected() {
    let log = Log::new(30);
    let (mut disk, ..) = archived(&log);
    let last = disk.contents[0].bytes.len() - 1;
    disk.contents[0].bytes[last - 10] ^= 1;
    log.fails_as(&disk, "torn");
    let (mut disk, ..) = archived(&log);
    disk.contents[0].bytes.push(b'x');
    log.fails_as(&disk, "foreign");
    let (mut disk, ..) = archived(&log);
    disk.contents[0].bytes.truncate(last);
    log.fails_as(&disk, "lost");
    let (mut disk, ..) = archived(&log);
    disk.archives[0].bytes[500] ^= 1;
    log.fails_as(&disk, "torn");
    let (mut disk, ..) = archived(&log);
    disk.archives[0].bytes.remove(0);
    log.fails_as(&disk, "torn");
    let (mut disk, ..) = archived(&log);
    disk.archives[0].number = 3;
    log.fails_as(&disk, "order");
}

#[test]
fn a_hole_may_be_taken_out_in_whole_blocks() {
    let log = Log::new(30);
    for (taken, right) in [(BLOCK_BYTES, true), (BLOCK_BYTES - 1, false)] {
        let (mut disk, ..) = archived(&log);
        let content = &mut disk.contents[0];
        content.bytes.drain(..taken);
        content.data_at -= taken;
        assert_eq!(disk.judge(&log.oracle).is_ok(), right, "{taken} bytes: {:?}", disk.judge(&log.oracle));
    }
}

#[test]
fn the_hole_before_a_writer_who_does_not_append_is_no_loss() {
    let log = Log::new(30);
    let (mut disk, _, second) = archived(&log);
    let content = &mut disk.contents[0];
    let hole = 2 * BLOCK_BYTES + 77;
    content.bytes.splice(0..0, vec![0; hole]);
    content.begins_at = hole;
    content.data_at = (hole + second) / BLOCK_BYTES * BLOCK_BYTES;
    log.is_right(&disk);
    disk.contents[0].bytes.drain(..BLOCK_BYTES);
    log.fails_as(&disk, "lost");
}

#[test]
fn archives_that_are_not_kept_are_no_loss() {
    let log = Log::new(30);
    let (mut disk, ..) = archived(&log);
    disk.archives.remove(1);
    for base in ["a.log", "10_a.log"] {
        disk.archives.iter_mut().for_each(|archive| base.clone_into(&mut archive.base));
        for (keep, right) in [(1, true), (2, false)] {
            disk.keep = keep;
            assert_eq!(disk.judge(&log.oracle).is_ok(), right, "{keep} are kept of {base}");
        }
    }
}

#[test]
fn an_archive_ends_at_a_lines_end_unless_the_line_is_longer_than_an_archive() {
    for (len, right) in [(ARCHIVE_BYTES + 100, true), (ARCHIVE_BYTES - 1000, false)] {
        let mut log = Log::new(5);
        log.line(len);
        log.line(100);
        let (cut, end) = (log.line_ends[4] + 5000, log.line_ends[5]);
        let archives = vec![log.archive(1, cut, end), log.archive(2, 0, cut)];
        let verdict = disk(log.punched(end), archives).judge(&log.oracle);
        assert_eq!(verdict.is_ok(), right, "a line of {len} bytes: {verdict:?}");
    }
}

#[test]
fn a_copy_holds_what_there_was_when_it_was_made() {
    let mut log = Log::new(30);
    let (mut disk, first, second) = archived(&log);
    log.oracle.copied(log.id);
    let new = log.oracle.begin_again(log.id);
    // Made when there was one archive only: what is in the other one now is not there twice by the reader's doing.
    disk.contents = vec![log.punched(first)];
    log.is_right(&disk);
    disk.contents = vec![log.punched(second + 1)];
    log.fails_as(&disk, "lost");
    disk.contents = vec![Content { name: "a.log".to_owned(), id: new, begins_at: 0, data_at: 0, bytes: Vec::new() }];
    log.is_right(&disk);
}
