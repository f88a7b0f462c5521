//! What is on the disk after the reader rotated, and whether that is what was written.
//!
//! The reader's archives, the oldest first, and then the file from the first byte that was not reclaimed hold every byte of an
//! incarnation once. What may be missing is spelled out:
//!
//! - without archives, what came out: whole blocks from the beginning on;
//! - archives beyond as many as are kept, and so what they held;
//! - what was in a file that somebody else truncated or deleted: only the archives are left of it then.
//!
//! When the reader ends within a rotation, the newest archive may hold what the file still holds, until the next life has given
//! that back. When it has come to rest, nothing is there twice.
//!
//! Nothing here looks at anything but files, and the oracle's record of what was written: it is told of no rotation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use rustix::fs::SeekFrom;

use super::oracle::{IncarnationId, Oracle};
use super::world::BLOCK_BYTES;

/// The most that one archive holds, and from where on files are rotated: the least that the reader accepts.
pub const ARCHIVE_BYTES: usize = 64 * 1024;

/// An archive of the reader's: `BASE.NUMBER` or `BASE.NUMBER.gz`.
pub struct Archive {
    pub base: String,
    pub number: usize,
    /// What it holds, decompressed.
    pub bytes: Vec<u8>,
}

/// A file that holds the end of an incarnation: the log itself, or what somebody else made of it by renaming or copying.
pub struct Content {
    pub name: String,
    pub id: IncarnationId,
    /// Where the incarnation's first byte was written in the file.
    pub begins_at: usize,
    /// The first byte behind all holes.
    pub data_at: usize,
    pub bytes: Vec<u8>,
}

/// All that is there.
pub struct Disk {
    pub archives: Vec<Archive>,
    pub contents: Vec<Content>,
    /// How many archives of a log are kept.
    pub keep: usize,
    /// Nothing may be there twice: the reader is at rest.
    pub exact: bool,
}

/// What the archives hold of one incarnation.
#[derive(Default)]
struct Archived {
    ranges: Vec<Range<usize>>,
    /// Archives of its log were deleted, so parts may be missing.
    dropped: bool,
}

impl Archive {
    /// Reads all archives in the directory.
    pub fn read_all(directory: &Path) -> Result<Vec<Self>, String> {
        let entries = fs::read_dir(directory).expect("the directory can be listed");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let mut archives = Vec::new();
        for name in names {
            let (stem, compressed) = name.strip_suffix(".gz").map_or((&*name, false), |stem| (stem, true));
            let Some((base, number)) = stem.rsplit_once('.') else { continue };
            let Ok(number) = number.parse() else { continue };
            // The reader's own checkpoint, and drafts: nobody's archives.
            if base.starts_with('.') {
                continue;
            }
            let raw = fs::read(directory.join(&name)).expect("an archive can be read");
            let bytes =
                if compressed { decompressed(&raw).map_err(|why| format!("torn: {name}: {why}"))? } else { raw };
            archives.push(Self { base: base.to_owned(), number, bytes });
        }
        Ok(archives)
    }

    fn name(&self) -> String {
        format!("{}.{}", self.base, self.number)
    }
}

impl Content {
    /// Reads the file at a path.
    pub fn read(path: &Path, id: IncarnationId, begins_at: usize) -> Self {
        let file = File::open(path).unwrap_or_else(|error| panic!("cannot open {}: {error}", path.display()));
        let data_at = behind_holes(&file) as usize;
        let bytes = fs::read(path).expect("the file can be read");
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        Self { name, id, begins_at, data_at: data_at.min(bytes.len()), bytes }
    }

    /// Judges the file for itself; returns up to where its incarnation's bytes are not there any more.
    pub fn reclaimed(&self, oracle: &Oracle, keeps_archives: bool) -> Result<usize, String> {
        let written = oracle.bytes(self.id);
        let written = &written[..oracle.copied_bytes(self.id).unwrap_or(written.len())];
        if written.is_empty() && self.bytes.is_empty() {
            return Ok(0);
        }
        let collapsed = (self.begins_at + written.len()).checked_sub(self.bytes.len());
        let collapsed = collapsed.ok_or_else(|| self.wrong("foreign", "is longer than what was written"))?;
        if !collapsed.is_multiple_of(BLOCK_BYTES) || collapsed > written.len() || (collapsed > 0 && self.begins_at > 0)
        {
            return Err(self.wrong("lost", &format!("is {collapsed} bytes shorter than what was written")));
        }
        // What the file would hold if nothing had been punched: NULs up to where its writer began.
        let expected = |at: usize| match at.checked_sub(self.begins_at) {
            Some(at) => written[at + collapsed],
            None => 0,
        };
        let differs = (self.data_at..self.bytes.len()).rev().find(|at| self.bytes[*at] != expected(*at));
        let first_right = differs.map_or(self.data_at, |at| at + 1);
        // The rest of a block, up to the line's end with which an archive ends, is overwritten with NULs.
        let zeroed = &self.bytes[self.data_at..first_right];
        if self.bytes[..self.data_at].iter().any(|byte| *byte != 0) {
            return Err(self.wrong("torn", "holds something between two holes"));
        }
        let may_be_zeroed = keeps_archives && zeroed.len() < BLOCK_BYTES && zeroed.iter().all(|byte| *byte == 0);
        if !zeroed.is_empty() && !may_be_zeroed {
            return Err(self.wrong("torn", &format!("holds at {} what was not written there", first_right - 1)));
        }
        Ok(first_right.saturating_sub(self.begins_at) + collapsed)
    }

    /// True when a byte of the incarnation before `end` is still there.
    fn still_holds_before(&self, end: usize, oracle: &Oracle) -> bool {
        let len = oracle.copied_bytes(self.id).unwrap_or(oracle.bytes(self.id).len());
        let end = self.bytes.len().saturating_sub(len.saturating_sub(end));
        self.bytes[..end].iter().any(|byte| *byte != 0)
    }

    fn wrong(&self, word: &str, what: &str) -> String {
        format!("{word} on the disk: {} {what}", self.name)
    }
}

impl Disk {
    /// Says what is wrong with it.
    pub fn judge(&self, oracle: &Oracle) -> Result<(), String> {
        let archived = self.archived(oracle)?;
        let none = Archived::default();
        for content in &self.contents {
            let of_it = archived.get(&content.id).unwrap_or(&none);
            self.judge_content(content, of_it, oracle)?;
        }
        Ok(())
    }

    fn judge_content(&self, content: &Content, archived: &Archived, oracle: &Oracle) -> Result<(), String> {
        let reclaimed = content.reclaimed(oracle, self.keep > 0)?;
        let came_out = oracle.came_out(content.id);
        if reclaimed > came_out {
            let what = format!("was reclaimed up to {reclaimed}, {came_out} bytes came out");
            return Err(content.wrong("lost", &what));
        }
        if self.keep == 0 {
            return Ok(());
        }
        let end = archived.ranges.last().map_or(0, |range| range.end);
        let unknown = archived.dropped && archived.ranges.is_empty();
        if reclaimed > end && !unknown {
            let what = format!("was reclaimed up to {reclaimed}, the archives end at {end}");
            return Err(content.wrong("lost", &what));
        }
        // A copy is somebody else's, and holds what there was when it was made.
        let is_copy = oracle.copied_bytes(content.id).is_some();
        if self.exact && !is_copy && content.still_holds_before(end, oracle) {
            return Err(content.wrong("repeated", &format!("holds what is in an archive that ends at {end}")));
        }
        Ok(())
    }

    /// What the archives hold, by incarnation; each archive and their order are judged.
    fn archived(&self, oracle: &Oracle) -> Result<BTreeMap<IncarnationId, Archived>, String> {
        let mut by_incarnation = BTreeMap::<IncarnationId, Archived>::new();
        let mut full = BTreeSet::new();
        for (base, archives) in self.by_base() {
            let mut before = None;
            for archive in &archives {
                let (id, range) = self.place(archive, before, oracle)?;
                if before.is_some_and(|before| (id, range.start) < before) {
                    return Err(format!("out of order on the disk: {}", archive.name()));
                }
                before = Some((id, range.end));
                by_incarnation.entry(id).or_default().ranges.push(range);
            }
            if archives.len() >= self.keep {
                full.extend(label_of(base));
            }
        }
        for id in 0..oracle.incarnations() {
            let archived = by_incarnation.entry(id).or_default();
            archived.dropped = full.contains(&oracle.label(id));
            archived.judge(id, oracle)?;
        }
        Ok(by_incarnation)
    }

    /// The archives of each log, the oldest first.
    fn by_base(&self) -> BTreeMap<&str, Vec<&Archive>> {
        let mut by_base = BTreeMap::<&str, Vec<&Archive>>::new();
        for archive in &self.archives {
            by_base.entry(&archive.base).or_default().push(archive);
        }
        for archives in by_base.values_mut() {
            archives.sort_by_key(|archive| std::cmp::Reverse(archive.number));
        }
        by_base
    }

    /// Which bytes an archive holds. It begins with a line, or where the one before has cut a line that is longer than an archive.
    fn place(
        &self,
        archive: &Archive,
        before: Option<(IncarnationId, usize)>,
        oracle: &Oracle,
    ) -> Result<(IncarnationId, Range<usize>), String> {
        let Archive { bytes, .. } = archive;
        let wrong = |what| {
            let begin = bytes[..bytes.len().min(60)].escape_ascii();
            format!("torn on the disk: {} {what}: `{begin}`", archive.name())
        };
        // Unless the file of the line was gone before its rest was archived.
        let continues = |(id, end): (IncarnationId, usize)| oracle.bytes(id).get(end..end + bytes.len()) == Some(bytes);
        let within_line = before.filter(|at| oracle.is_within_a_line(at.0, at.1) && continues(*at));
        let (id, from) = within_line
            .or_else(|| oracle.origin(bytes))
            .or_else(|| before.is_none().then(|| rest_of_cut_line(archive, oracle)).flatten())
            .ok_or_else(|| wrong("does not begin with a line"))?;
        let range = from..from + bytes.len();
        if oracle.bytes(id).get(range.clone()) != Some(bytes) {
            return Err(wrong("is not what was written"));
        }
        if oracle.is_within_a_line(id, range.end) && oracle.line_bytes(id, range.end) <= ARCHIVE_BYTES {
            return Err(wrong("does not end with a line"));
        }
        Ok((id, range))
    }
}

impl Archived {
    /// The archives of one incarnation follow each other, from its beginning on.
    fn judge(&mut self, id: IncarnationId, oracle: &Oracle) -> Result<(), String> {
        self.ranges.sort_by_key(|range| range.start);
        let mut end = 0;
        for range in &self.ranges {
            if range.start < end {
                let twice = range.start..end.min(range.end);
                return Err(format!("repeated on the disk: {}{id} has {twice:?} in two archives", oracle.label(id)));
            }
            if range.start > end && !self.dropped {
                let missing = end..range.start;
                return Err(format!("lost on the disk: {}{id} has {missing:?} in no archive", oracle.label(id)));
            }
            end = range.end;
        }
        Ok(())
    }
}

/// The label of a file of this name: its first letter, as in `a-Monday-3.log` and `10_c.log`.
fn label_of(name: &str) -> Option<char> {
    name.chars().find(char::is_ascii_alphabetic)
}

/// Which bytes the oldest archive holds that begins within a line, because the one with the line's beginning was deleted.
fn rest_of_cut_line(archive: &Archive, oracle: &Oracle) -> Option<(IncarnationId, usize)> {
    let ids = (0..oracle.incarnations()).filter(|id| label_of(&archive.base) == Some(oracle.label(*id)));
    let found = |id| memchr::memmem::find(oracle.bytes(id), &archive.bytes).map(|from| (id, from));
    ids.filter_map(found).find(|(id, from)| oracle.is_within_a_line(*id, *from))
}

/// Where the last hole ends; a block of NULs before it may be left where a kill came between a hole and the note of it.
fn behind_holes(file: &File) -> u64 {
    let size = file.metadata().expect("a file has a size").len();
    let seek = |to| rustix::fs::seek(file, to).unwrap_or(size);
    let mut end = seek(SeekFrom::Data(0));
    while let hole = seek(SeekFrom::Hole(end))
        && hole < size
    {
        end = seek(SeekFrom::Data(hole));
    }
    end
}

fn decompressed(raw: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(raw).read_to_end(&mut bytes)?;
    Ok(bytes)
}
