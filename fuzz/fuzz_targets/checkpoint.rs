//! The checkpoint of another process, whatever it holds: no panic, and what it says of a file is held against that file.
#![no_main]

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use sidetail::paths::beneath::{FileId, Stat};
use sidetail::shelf::entry::Entry;
use sidetail::shelf::checkpoint::{Checkpoint, Place};
use sidetail::read::buffer::Buffer;
use sidetail::read::follower::{Follower, Look};
use sidetail::read::position::Digest;
use sidetail::disk::policy::Intent;
use tempfile::TempDir;

const SLOT_BYTES: [usize; 2] = [512, 1024];
const HEADER: [&[u8]; 2] = [
    b"sidetail checkpoint 1: a checksum and a JSON object a file, 512 bytes each\n",
    b"sidetail checkpoint 2: a checksum and a JSON object per file, 1024 bytes each\n",
];
const LOG: &[u8] = b"a log file\nof three lines\nand a half";

/// The checksum before an object, in hexadecimal digits.
const SUM_BYTES: usize = 16;

/// Returns the checksum of a slot of version 2.
fn sum_of(slot: &[u8]) -> u64 {
    let words = slot[SUM_BYTES..].chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
    words.fold(0, |sum: u64, word| (sum.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// In memory, one for all runs.
struct Ground {
    dir: TempDir,
    state: PathBuf,
}

thread_local! {
    static WHERE: RefCell<Option<Ground>> = const { RefCell::new(None) };
}

fn checkpoint(dir: &Path) -> Checkpoint {
    Checkpoint::new(&Place::Directory(dir.join("state")), Path::new("/nowhere"), "*.log")
}

fn prepare() -> Ground {
    let dir = TempDir::with_prefix_in("sidetail-fuzz-", "/dev/shm").expect("/dev/shm is writable");
    fs::write(dir.path().join("a.log"), LOG).expect("writable");
    assert!(checkpoint(dir.path()).open().expect("it can be made").is_first_start);
    let state = fs::read_dir(dir.path().join("state")).expect("listed").next().expect("one file").expect("read").path();
    Ground { dir, state }
}

/// Returns the contents of a checkpoint: arbitrary ones, arbitrary ones with the right header, or slots with the right
/// checksums, because no fuzzer finds those by itself.
fn contents(kind: u8, bytes: &[u8]) -> Vec<u8> {
    if kind.is_multiple_of(3) {
        return bytes.to_vec();
    }
    let version = usize::from(kind / 3 % 2);
    let mut contents = HEADER[version].to_vec();
    contents.resize(SLOT_BYTES[version], b' ');
    if kind % 3 == 1 {
        contents.extend(bytes);
        return contents;
    }
    for json in bytes.split(|byte| *byte == b'\n') {
        let mut slot = vec![b' '; SUM_BYTES + 1];
        slot.extend(json);
        slot.resize(SLOT_BYTES[version], b' ');
        let sum = if version == 0 { Digest::of(json).hash } else { sum_of(&slot) };
        slot[..SUM_BYTES].copy_from_slice(format!("{sum:016x}").as_bytes());
        contents.extend(slot);
    }
    contents
}

fn run(place: &Ground, kind: u8, bytes: &[u8]) {
    fs::write(&place.state, contents(kind, bytes)).expect("writable");
    let mut checkpoint = checkpoint(place.dir.path());
    let known = checkpoint.open().expect("the directory is there");
    let mut buffer = Buffer::default();
    for (id, known) in known.in_slots().collect::<Vec<_>>() {
        let log = File::open(place.dir.path().join("a.log")).expect("readable");
        let mut follower = Follower::resume(id, log.into(), known.position, &mut buffer).expect("readable");
        assert!(follower.position().offset <= LOG.len() as u64);
        for _ in 0..10 {
            match follower.look(&mut buffer, 1 << 20).expect("readable") {
                Look::Lines { data, .. } | Look::Part(data, _) => follower.take(&buffer, &data, data.len()),
                Look::Nothing => break,
                Look::Searching | Look::Changed(_) => {}
            }
        }
        let path = Path::new("/logs/a.log");
        let position = follower.position();
        let (line_route, record_route) = (known.line_route, known.record_route);
        checkpoint.save(
            &mut known.slot.clone(),
            Entry { path, since: 0, id, position, line_route, record_route, kept: 0, intent: Intent::None, waypoints: follower.waypoints().all(), unknown: known.unknown.as_deref() },
        );
    }
    let log = File::open(place.dir.path().join("a.log")).expect("readable");
    let id = Stat::of(&log).expect("statx").id;
    let position = Follower::from_beginning(id, log.into()).position();
    let (mut slot, path) = (None, Path::new("/logs/b.log"));
    checkpoint.save(
        &mut slot,
        Entry {
            path,
            since: 0,
            id: FileId { btime: 7, ..id },
            position,
            line_route: None,
            record_route: None,
            kept: 0,
            intent: Intent::None,
            waypoints: &[],
            unknown: None,
        },
    );
    checkpoint.forget(slot);
}

fuzz_target!(|input: (u8, &[u8])| {
    WHERE.with_borrow_mut(|place| run(place.get_or_insert_with(prepare), input.0, &input.1[..input.1.len().min(8192)]));
});
