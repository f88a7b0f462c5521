//! What the application does to the volume: one action each, chosen by the seed alone.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FileType, FlockOperation, OFlags, RenameFlags, fallocate, flock};

use super::outside::{SHARED, shown};
use super::prng::Prng;
use super::volume::Volume;

/// What is done to a file's bytes.
#[derive(Debug, Clone, Copy)]
pub enum Bytes {
    /// Lines of a kind, so many bytes of them.
    Append(Kind, u64),
    Truncate(u64),
    /// Far behind the end.
    WriteAt(u64),
    Fallocate(Space, u64, u64),
    /// Written over, again and again, as shred(1) does it.
    Shred,
    /// Written through a mapping, of which no event tells.
    Map(u64),
}

/// What the application writes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Lines,
    Errors,
    Objects,
    Traces,
    Nuls,
    Random,
    NoNewline,
    Empty,
}

#[derive(Debug, Clone, Copy)]
pub enum Space {
    Keep,
    Punch,
    Zero,
    Collapse,
    Insert,
    Allocate,
}

/// What stands in the place of a file that is none.
#[derive(Debug, Clone, Copy)]
pub enum Odd {
    Fifo,
    Socket,
    Null,
    Zero,
    Full,
    Disk,
}

/// How the checkpoint, its directory and its locks are attacked.
#[derive(Debug, Clone, Copy)]
pub enum OnState {
    RemoveAll,
    RemoveFiles,
    Garbage,
    Cut,
    FlipBit,
    Huge,
    /// An earlier one in the place of a later one.
    Replay,
    Lock,
    Closed,
    InPlace(Odd),
    DirectoryIsFile,
    DirectoryIsLink,
}

#[derive(Debug, Clone)]
pub enum Attack {
    Bytes(PathBuf, Bytes),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
    Exchange(PathBuf, PathBuf),
    /// `.2` to `.3`, `.1` to `.2`, and so on; or the file is copied, and truncated.
    Rotate(PathBuf, bool),
    Link(PathBuf, PathBuf),
    LinkWitness(PathBuf),
    LinkOutside(PathBuf),
    Symlink(PathBuf, PathBuf),
    MakeOdd(PathBuf, Odd),
    MakeDirectory(PathBuf),
    MakeDeep(PathBuf, usize),
    Mode(PathBuf, u32),
    FloodOfNames(PathBuf, usize, bool),
    FloodOfDirectories(PathBuf, usize),
    /// Second names of a file, made and deleted again.
    FloodOfLinks(PathBuf, usize),
    Lock(PathBuf),
    State(PathBuf, OnState),
}

/// Names for everything; each may be a file, a link, a directory or nothing at any moment.
const NAMES: [&[u8]; 22] = [
    b"a.log",
    b"b.log",
    b"app.log",
    b"app.log.1",
    b"app.log.2",
    b"app.log.1.gz",
    b"x.log",
    b"x",
    b"sub",
    b"sub/a.log",
    b"sub/b.log",
    b"sub/deep",
    b"sub/deep/a.log",
    b"other",
    b"other/a.log",
    b"\xff\xfe.log",
    b"new\nline.log",
    b"\x1b[31m] .log",
    b"{a,*}.log",
    b"-rf .log",
    b".log",
    b"sub/\xe2\x80\xae\xc2\x9b.log",
];

/// Names that sidetail gives to archives of the witness, and drafts of them.
const ARCHIVES: [&[u8]; 4] = [b"witness.log.1", b"witness.log.1.gz", b"witness.log.2.gz", b"witness.log.1.gz.tmp"];

const STATES: [&[u8]; 3] = [b".sidetail", b"sub/.sidetail", b"sub"];

/// Where links lead; `@` is the directory outside, `%` the volume.
const TARGETS: [&str; 22] = [
    "@/secret.log",
    "@/a.log",
    "@",
    "@/more",
    "@/token",
    "@/nothing.log",
    "../outside/secret.log",
    "../outside",
    "../../outside/more/a.log",
    "%/../outside/secret.log",
    "/proc/self/environ",
    "/proc/self/cwd",
    "/proc/self/fd/1",
    "/proc/1/root/etc/passwd",
    "/dev/zero",
    "/",
    "..",
    ".",
    "a.log",
    "b.log",
    "%/witness.log",
    "sub",
];

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

fn any<'a, T: ?Sized>(prng: &mut Prng, from: &[&'a T]) -> &'a T {
    from[prng.below(from.len() as u64) as usize]
}

/// Chooses what is done next.
pub struct Repertoire {
    pub outside: PathBuf,
    pub volume: PathBuf,
    pub has_archives: bool,
}

impl Repertoire {
    fn name(&self, prng: &mut Prng) -> PathBuf {
        if self.has_archives && prng.one_in(16) {
            return path(any(prng, &ARCHIVES));
        }
        if prng.one_in(24) {
            // As long as names can be.
            return PathBuf::from("n".repeat(250) + ".log");
        }
        path(any(prng, &NAMES))
    }

    fn target(&self, prng: &mut Prng) -> PathBuf {
        let text = any(prng, &TARGETS);
        let (outside, volume) = (self.outside.display().to_string(), self.volume.display().to_string());
        PathBuf::from(text.replace('@', &outside).replace('%', &volume))
    }

    pub fn choose(&self, prng: &mut Prng) -> Attack {
        let name = self.name(prng);
        match prng.below(34) {
            0..=9 => Attack::Bytes(name, bytes(prng)),
            10 => Attack::Remove(name),
            11..=13 => Attack::Rename(name, self.name(prng)),
            14 => Attack::Exchange(name, self.name(prng)),
            15..=17 => Attack::Rotate(name, prng.one_in(3)),
            18 => Attack::Link(name, self.name(prng)),
            19 if self.has_archives => Attack::LinkWitness(name),
            19 | 20 => Attack::LinkOutside(name),
            21..=23 => Attack::Symlink(self.target(prng), name),
            24 => Attack::MakeOdd(name, odd(prng)),
            25 => Attack::MakeDirectory(name),
            26 => Attack::MakeDeep(name, prng.spread(1, 70) as usize),
            27 => Attack::Mode(name, [0, 0o200, 0o444, 0o666, 0o777][prng.below(5) as usize]),
            28 => Attack::FloodOfNames(name, prng.spread(10, 3000) as usize, prng.one_in(3)),
            29 => Attack::FloodOfDirectories(name, prng.spread(10, 600) as usize),
            30 => Attack::FloodOfLinks(name, prng.spread(10, 1000) as usize),
            31 => Attack::Lock(name),
            _ => Attack::State(path(any(prng, &STATES)), on_state(prng)),
        }
    }
}

fn bytes(prng: &mut Prng) -> Bytes {
    const KINDS: [Kind; 8] = [
        Kind::Lines,
        Kind::Errors,
        Kind::Objects,
        Kind::Traces,
        Kind::Nuls,
        Kind::Random,
        Kind::NoNewline,
        Kind::Empty,
    ];
    const SPACES: [Space; 6] =
        [Space::Keep, Space::Punch, Space::Zero, Space::Collapse, Space::Insert, Space::Allocate];
    match prng.below(10) {
        0..=4 => Bytes::Append(KINDS[prng.below(8) as usize], prng.spread(1, 400_000)),
        5 => Bytes::Truncate([0, prng.spread(1, 1 << 20), 1 << 40][prng.below(3) as usize]),
        6 => Bytes::WriteAt(prng.spread(0, 1 << 38)),
        7 => {
            let block = 4096;
            Bytes::Fallocate(
                SPACES[prng.below(6) as usize],
                prng.spread(0, 60) * block,
                prng.spread(1, 60) * block + prng.below(2) * prng.below(block),
            )
        }
        8 => Bytes::Shred,
        _ => Bytes::Map(prng.spread(1, 200_000)),
    }
}

fn odd(prng: &mut Prng) -> Odd {
    [Odd::Fifo, Odd::Socket, Odd::Null, Odd::Zero, Odd::Full, Odd::Disk][prng.below(6) as usize]
}

fn on_state(prng: &mut Prng) -> OnState {
    match prng.below(12) {
        0 => OnState::RemoveAll,
        1 => OnState::RemoveFiles,
        2 => OnState::Garbage,
        3 => OnState::Cut,
        4 => OnState::FlipBit,
        5 => OnState::Huge,
        6 => OnState::Replay,
        7 => OnState::Lock,
        8 => OnState::Closed,
        9 => OnState::InPlace(odd(prng)),
        10 => OnState::DirectoryIsFile,
        _ => OnState::DirectoryIsLink,
    }
}

/// What is held from one action to the next, until the end of the round.
#[derive(Debug, Default)]
pub struct Held {
    locked: Vec<OwnedFd>,
    /// What was in a checkpoint once.
    earlier: Option<Vec<u8>>,
}

/// Does it. What comes of it is the application's affair.
pub fn perform(attack: &Attack, volume: &Volume, outside: &Path, held: &mut Held, prng: &mut Prng) {
    match attack {
        Attack::Bytes(path, bytes) => change(volume, path, *bytes, prng),
        Attack::Remove(path) => volume.remove(path),
        Attack::Rename(from, to) => volume.rename(from, to, RenameFlags::empty()),
        Attack::Exchange(one, other) => volume.rename(one, other, RenameFlags::EXCHANGE),
        Attack::Rotate(path, by_copy) => rotate(volume, path, *by_copy, prng),
        Attack::Link(from, to) => {
            volume.unlink(to);
            volume.link(from, to);
        }
        Attack::LinkWitness(to) => {
            volume.unlink(to);
            volume.link(Path::new("witness.log"), to);
        }
        Attack::LinkOutside(to) => {
            volume.unlink(to);
            volume.link_in(&outside.join(SHARED), to);
        }
        Attack::Symlink(target, path) => {
            volume.remove(path);
            volume.symlink(target, path);
        }
        Attack::MakeOdd(path, odd) => {
            volume.remove(path);
            make_odd(volume, path, *odd);
        }
        Attack::MakeDirectory(path) => {
            volume.remove(path);
            volume.mkdir(path);
        }
        Attack::MakeDeep(path, depth) => {
            let mut path = path.clone();
            for _ in 0..*depth {
                volume.remove(&path);
                volume.mkdir(&path);
                path.push("d");
            }
            change(volume, &path.join("deep.log"), Bytes::Append(Kind::Lines, 100), prng);
        }
        Attack::Mode(path, mode) => volume.chmod(path, *mode),
        Attack::FloodOfNames(..) | Attack::FloodOfDirectories(..) | Attack::FloodOfLinks(..) => flood(volume, attack),
        Attack::Lock(path) => {
            let opened = volume.open(path, OFlags::RDONLY).map(OwnedFd::from).or_else(|| volume.directory(path));
            lock(opened, held);
        }
        Attack::State(path, how) => attack_state(volume, path, *how, outside, held, prng),
    }
}

fn lock(opened: Option<OwnedFd>, held: &mut Held) {
    held.locked.extend(opened.filter(|opened| flock(opened, FlockOperation::NonBlockingLockExclusive).is_ok()));
}

/// Returns so many bytes of what the application writes.
fn text(kind: Kind, length: u64, prng: &mut Prng) -> Vec<u8> {
    let length = length as usize;
    let line = match kind {
        Kind::Lines => "INFO of the application\n".as_bytes(),
        Kind::Errors => b"2026-01-05 10:00:00,001 ERROR [main] of the application\r\n",
        Kind::Objects => b"{\"level\":\"error\",\"msg\":\"of the application\",\"x\":{\"y\":[1,2,{}]}}\n{\"level\":\n",
        Kind::Traces => b"java.lang.X: y\n\tat a.b(C.java:1)\nCaused by: z\n\t... 3 more\n",
        Kind::Nuls => b"\0",
        Kind::NoNewline => b"without an end ",
        Kind::Empty => b"\n",
        Kind::Random => return (0..length).map(|_| prng.next() as u8).collect(),
    };
    line.iter().copied().cycle().take(length).collect()
}

fn change(volume: &Volume, path: &Path, bytes: Bytes, prng: &mut Prng) {
    let Some(mut file) = volume.change(path) else { return };
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    match bytes {
        Bytes::Append(kind, length) => {
            let _ = file.write_all_at(&text(kind, length, prng), size);
        }
        Bytes::Truncate(size) => {
            let _ = file.set_len(size);
        }
        Bytes::WriteAt(offset) => {
            let _ = file.write_all_at(b"INFO far away\nand without an end", offset);
        }
        Bytes::Fallocate(space, from, length) => {
            let flags = match space {
                Space::Keep => FallocateFlags::KEEP_SIZE,
                Space::Punch => FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
                Space::Zero => FallocateFlags::ZERO_RANGE,
                Space::Collapse => FallocateFlags::COLLAPSE_RANGE,
                Space::Insert => FallocateFlags::INSERT_RANGE,
                Space::Allocate => FallocateFlags::empty(),
            };
            let _ = fallocate(&file, flags, from, length);
        }
        Bytes::Shred => {
            for round in 0..3 {
                let rubbish = text([Kind::Random, Kind::Nuls][round % 2], size.min(200_000), prng);
                let _ = file.write_all_at(&rubbish, 0);
            }
            let gone = path.with_file_name("00000");
            volume.rename(path, &gone, RenameFlags::empty());
            volume.unlink(&gone);
        }
        Bytes::Map(length) => write_mapped(&mut file, size, &text(Kind::Lines, length, prng)),
    }
}

/// Extends a file, and writes into the pages of it.
fn write_mapped(file: &mut File, size: u64, bytes: &[u8]) {
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
    let from = size / 4096 * 4096;
    let skipped = (size - from) as usize;
    let length = skipped + bytes.len();
    // A file that is far longer than this has its last page in a hole, and a disk that is full would end the test by a signal.
    if size > 1 << 30 || fallocate(&*file, FallocateFlags::empty(), size, bytes.len() as u64).is_err() {
        let _ = file.write(bytes);
        return;
    }
    // SAFETY: the mapping is of this function alone, as long as it says, and its blocks were allocated.
    #[allow(unsafe_code)]
    unsafe {
        let flags = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        if let Ok(mapped) = mmap(std::ptr::null_mut(), length, flags.0, flags.1, &*file, from) {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), mapped.cast::<u8>().add(skipped), bytes.len());
            let _ = munmap(mapped, length);
        }
    }
}

fn rotate(volume: &Volume, path: &Path, by_copy: bool, prng: &mut Prng) {
    let numbered = |number: usize| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    for number in (1..3).rev() {
        volume.rename(&numbered(number), &numbered(number + 1), RenameFlags::empty());
    }
    if by_copy {
        let Some(mut from) = volume.open(path, OFlags::RDWR) else { return };
        // A sparse file would fill the disk.
        let is_small = from.metadata().is_ok_and(|metadata| metadata.len() < 4 << 20);
        if let Some(mut to) = volume.change(&numbered(1)).filter(|_| is_small) {
            let _ = std::io::copy(&mut from, &mut to);
        }
        let _ = from.set_len(0);
    } else {
        volume.rename(path, &numbered(1), RenameFlags::empty());
    }
    change(volume, path, Bytes::Append(Kind::Lines, 300), prng);
}

fn make_odd(volume: &Volume, path: &Path, odd: Odd) {
    let device = |major, minor| rustix::fs::makedev(major, minor);
    let (kind, device) = match odd {
        Odd::Fifo => (FileType::Fifo, 0),
        Odd::Socket => (FileType::Socket, 0),
        Odd::Null => (FileType::CharacterDevice, device(1, 3)),
        Odd::Zero => (FileType::CharacterDevice, device(1, 5)),
        Odd::Full => (FileType::CharacterDevice, device(1, 7)),
        Odd::Disk => (FileType::BlockDevice, device(7, 200)),
    };
    volume.mknod(path, kind, device);
}

fn flood(volume: &Volume, attack: &Attack) {
    match attack {
        Attack::FloodOfNames(path, count, is_matched) => {
            volume.mkdir(path);
            let ending = if *is_matched { "f.log" } else { "nobody-asks-for-it-and-it-is-long".repeat(7).leak() };
            let count = if *is_matched { *count / 8 } else { *count };
            let names: Vec<_> = (0..count).map(|number| path.join(format!("{number}{ending}"))).collect();
            for name in &names {
                if let Some(mut file) = volume.change(name) {
                    let _ = file.write(b"INFO one of many\n");
                }
            }
            names.iter().for_each(|name| volume.unlink(name));
        }
        Attack::FloodOfDirectories(path, count) => {
            volume.mkdir(path);
            (0..*count).for_each(|number| volume.mkdir(&path.join(format!("d{number}"))));
            (0..*count).for_each(|number| volume.remove(&path.join(format!("d{number}"))));
        }
        Attack::FloodOfLinks(path, count) => {
            for number in 0..*count {
                let name = PathBuf::from(format!("second-{number}.log"));
                volume.link(path, &name);
                volume.unlink(&name);
            }
        }
        _ => {}
    }
}

fn attack_state(volume: &Volume, path: &Path, how: OnState, outside: &Path, held: &mut Held, prng: &mut Prng) {
    let files = volume.names(path);
    let file = files.get(prng.below(files.len().max(1) as u64) as usize);
    match (how, file) {
        (OnState::RemoveAll, _) => volume.remove(path),
        (OnState::DirectoryIsFile, _) => {
            volume.remove(path);
            let _ = volume.change(path);
        }
        (OnState::DirectoryIsLink, _) => {
            volume.remove(path);
            volume.symlink(&outside.join(".sidetail"), path);
        }
        (OnState::Closed, _) => volume.chmod(path, 0),
        (OnState::InPlace(odd), None) => {
            volume.remove(path);
            make_odd(volume, path, odd);
        }
        (_, None) => volume.mkdir(path),
        (OnState::RemoveFiles, Some(_)) => files.iter().for_each(|file| volume.remove(file)),
        (OnState::InPlace(odd), Some(file)) => {
            volume.remove(file);
            make_odd(volume, file, odd);
        }
        (OnState::Lock, Some(file)) => {
            lock(volume.directory(path), held);
            lock(volume.open(file, OFlags::RDWR).map(OwnedFd::from), held);
        }
        (how, Some(file)) => forge(volume, file, how, held, prng),
    }
}

fn forge(volume: &Volume, path: &Path, how: OnState, held: &mut Held, prng: &mut Prng) {
    let Some(file) = volume.change(path) else { return };
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let _ = match how {
        OnState::Garbage => file.write_all_at(&text(Kind::Random, size.clamp(1, 100_000), prng), 0),
        OnState::Cut => file.set_len(prng.below(size.max(1))),
        OnState::Huge => file.set_len(1 << 36),
        OnState::Replay => {
            let mut now = vec![0; size.min(1 << 20) as usize];
            let read = file.read_exact_at(&mut now, 0);
            match held.earlier.take() {
                Some(earlier) => file.write_all_at(&earlier, 0),
                None => {
                    held.earlier = Some(now);
                    read
                }
            }
        }
        _ => {
            let (offset, mut byte) = (prng.below(size.max(1)), [0]);
            let read = file.read_exact_at(&mut byte, offset);
            byte[0] ^= 1 << prng.below(8);
            read.and_then(|()| file.write_all_at(&byte, offset))
        }
    };
}

impl std::fmt::Display for Attack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rename(from, to) | Self::Exchange(from, to) | Self::Link(from, to) | Self::Symlink(from, to) => {
                let what = format!("{self:?}");
                let name = what.split('(').next().unwrap_or_default();
                write!(f, "{name} {} {}", shown(from), shown(to))
            }
            _ => write!(f, "{self:?}"),
        }
    }
}
