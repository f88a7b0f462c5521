//! What was written, and whether what came out is exactly that.
//!
//! An *incarnation* is the content of one file from its creation (or truncation) until nobody writes it any more. Every write to
//! it begins with a tag that names the incarnation and the number of the piece, so a line of output is looked up by its first
//! bytes and then compared with the very bytes that were written: nothing is inferred. The lines that come out must tile each
//! incarnation from its beginning to its end, in order, each once. The exceptions are spelled out, and only these are forgiven:
//!
//! - what was destroyed before it came out (`excuse_unread`);
//! - after a SIGKILL, one write of repeated bytes on each stream, and the line that the kill cut;
//! - the lines that a truncation to the middle kept: a second time, all of them or none;
//! - a copy of less than 512 streamed bytes, of a file that was truncated and deleted before the reader could see it, or that
//!   lacks what was written before the truncation: likewise;
//! - an unfinished line, ended by a newline at SIGTERM or when its file has ended.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::prng::Prng;

/// 64 KiB: one pipe buffer, the most that one write holds and that a SIGKILL may repeat.
pub const REPEATED_BYTES_MAX: usize = 64 * 1024;

/// A longer line may need more than one read, so whoever destroys it meanwhile can cut it.
const ONE_READ_BYTES: usize = 60 * 1024;

/// Of fewer bytes a copy cannot be told from a file of its own when what it was made of is gone.
const TOLD_APART_BYTES: usize = 512;

/// How many lines a report shows.
const RECENT_LINES: usize = 16;

/// How the reader's own messages on stderr begin.
const OWN_PREFIX: &[u8] = b"sidetail:";

/// The two standard streams of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out = 0,
    Err = 1,
}

/// The number of an incarnation, in order of appearance.
pub type IncarnationId = usize;

/// The content of one file, as it was written, and how far it came out.
#[derive(Default)]
struct Incarnation {
    label: char,
    stream: Option<Stream>,
    bytes: Vec<u8>,
    /// Where each tagged piece begins.
    pieces: Vec<usize>,
    /// Just past each newline.
    line_ends: Vec<usize>,
    /// Everything below came out or is excused.
    streamed: usize,
    /// Where the present life of the reader left off in here; nothing before its first line.
    life_offset: Option<usize>,
    /// Destroyed before it came out.
    excused: Vec<Range<usize>>,
    /// Whole lines below are the previous incarnation's, kept by a truncation: they may come out once more. An unfinished line
    /// that was ended at SIGTERM is one of them: whoever goes on behind it need not notice the truncation.
    kept: usize,
    /// All that the truncation kept, with the unfinished line.
    cut: usize,
    /// Of that, what came out after the truncation as the previous incarnation's: it may be missing from the second time.
    shared: Vec<Range<usize>>,
    /// How far the previous incarnation had come out when it was truncated.
    shared_from: usize,
    /// The incarnation that took over this one's first bytes.
    heir: Option<IncarnationId>,
    /// Whose first bytes it took over.
    before: Option<IncarnationId>,
    /// How much of it there was when it was copied.
    copied_bytes: Option<usize>,
    /// There is a copy of it, and its own file was truncated: this incarnation goes on there.
    copied_before: Option<IncarnationId>,
    /// The life in which a line of the same file came out before it was truncated.
    open_in_life: Option<usize>,
    /// Ends of unfinished lines that may come out as lines.
    cuts: Vec<usize>,
    /// No more is written, and the path is no longer this file's: the content's end is a permitted cut.
    ended: bool,
    /// No name is left: a SIGKILL destroys what has not come out.
    unlinked: bool,
}

/// A place where a line of output fits.
struct Fit {
    id: IncarnationId,
    offset: usize,
    next: usize,
    repeated: usize,
    /// Only the line's beginning is there: its end was destroyed meanwhile.
    is_torn: bool,
}

/// A line that a SIGKILL cut: `offset..offset + len` came out without a newline.
#[derive(Clone, Copy)]
struct CutLine {
    id: IncarnationId,
    offset: usize,
    len: usize,
}

/// Knows what was written; judges what comes out.
#[derive(Default)]
pub struct Oracle {
    incarnations: Vec<Incarnation>,
    /// The reader's own messages.
    pub messages: Vec<String>,
    lives: usize,
    repeat_budget: usize,
    repeated: [usize; 2],
    repeated_lines: [usize; 2],
    lines_in_life: usize,
    /// The lines that the last kill cut, by stream; the first line of the next life may be the rest.
    cut_lines: [Vec<CutLine>; 2],
    first_line: [bool; 2],
    /// Long lines whose rest was destroyed while they came out; the rest may follow from a copy.
    torn: Vec<CutLine>,
    /// What came out last, for the report: the life, the stream, the first bytes of the line, its length.
    recent: VecDeque<(usize, Stream, Vec<u8>, usize)>,
    /// Bytes repeated after kills, in total: for the report.
    pub repeated_total: usize,
}

impl Oracle {
    /// A new, empty incarnation of the file `label`, whose lines must come out on `stream` (`None`: on either).
    pub fn begin(&mut self, label: char, stream: Option<Stream>) -> IncarnationId {
        self.incarnations.push(Incarnation { label, stream, ..Incarnation::default() });
        self.incarnations.len() - 1
    }

    /// The file was truncated to nothing, and what lay in it is excused: returns the incarnation that goes on in the same file.
    pub fn begin_again(&mut self, id: IncarnationId) -> IncarnationId {
        self.excuse_unread(id);
        let new = self.begin(self.incarnations[id].label, self.incarnations[id].stream);
        self.incarnations[new].open_in_life = self.seen_in_this_life(id).then_some(self.lives);
        self.incarnations[id].copied_before = Some(new);
        // The copy's end may be told only by its head, if it has one.
        let Incarnation { copied_bytes, ref bytes, .. } = self.incarnations[id];
        if copied_bytes.is_some_and(|copied| copied < TOLD_APART_BYTES && copied < bytes.len()) {
            self.allow_copy(id);
        }
        new
    }

    /// Adds a piece of about `payload_bytes` random bytes after its tag, and the newline if `finish`; returns the bytes to write.
    pub fn append(&mut self, id: IncarnationId, payload_bytes: usize, finish: bool) -> &[u8] {
        let incarnation = &mut self.incarnations[id];
        let from = incarnation.bytes.len();
        let piece = incarnation.pieces.len();
        incarnation.pieces.push(from);
        let tag = format!("@{}{id}.{piece}:", incarnation.label);
        incarnation.bytes.extend_from_slice(tag.as_bytes());
        let mut prng = Prng::new((id as u64) << 32 | piece as u64);
        push_payload(&mut incarnation.bytes, payload_bytes, &mut prng);
        if finish {
            incarnation.bytes.push(b'\n');
            incarnation.line_ends.push(incarnation.bytes.len());
        }
        &incarnation.bytes[from..]
    }

    /// The bytes of the unfinished last line.
    pub fn unfinished_bytes(&self, id: IncarnationId) -> usize {
        self.incarnations[id].unfinished_bytes()
    }

    /// Bytes written so far.
    pub fn len(&self, id: IncarnationId) -> usize {
        self.incarnations[id].bytes.len()
    }

    /// Bytes up to the end of the last line, all of which came out; nothing while something has not.
    pub fn streamed_lines_len(&self, id: IncarnationId) -> usize {
        let Incarnation { line_ends, streamed, .. } = &self.incarnations[id];
        line_ends.last().copied().filter(|end| end <= streamed).unwrap_or(0)
    }

    /// The file was truncated to about `cut` bytes (never inside a tag): returns the incarnation that goes on, and the exact size.
    /// The reader may read the kept lines once more, and what lay behind is excused.
    pub fn truncate(&mut self, id: IncarnationId, cut: usize) -> (IncarnationId, u64) {
        let old = &self.incarnations[id];
        let cut = old.outside_a_tag(cut.min(old.bytes.len()));
        let mut heir = Incarnation {
            label: old.label,
            stream: old.stream,
            bytes: old.bytes[..cut].to_vec(),
            pieces: old.pieces.iter().copied().filter(|piece| *piece < cut).collect(),
            line_ends: old.line_ends.iter().copied().filter(|end| *end <= cut).collect(),
            cuts: old.cuts.iter().copied().filter(|end| *end <= cut).collect(),
            before: Some(id),
            open_in_life: self.seen_in_this_life(id).then_some(self.lives),
            shared_from: old.streamed,
            cut,
            ..Incarnation::default()
        };
        heir.kept = heir.line_ends.iter().chain(&heir.cuts).copied().max().unwrap_or(0);
        self.excuse_unread_from(id, heir.kept);
        self.incarnations.push(heir);
        let new = self.incarnations.len() - 1;
        self.incarnations[id].heir = Some(new);
        (new, cut as u64)
    }

    /// What has not come out yet was destroyed: it may come out, it need not.
    pub fn excuse_unread(&mut self, id: IncarnationId) {
        self.excuse_unread_from(id, 0);
    }

    /// The same for what lies behind `offset`, in this incarnation and in those whose first bytes it took over.
    fn excuse_unread_from(&mut self, id: IncarnationId, offset: usize) {
        let mut next = Some(id);
        while let Some(id) = next {
            let incarnation = &mut self.incarnations[id];
            let unread = incarnation.streamed.max(offset)..incarnation.bytes.len();
            if !unread.is_empty() {
                incarnation.excused.push(unread);
            }
            next = incarnation.before.filter(|before| self.incarnations[*before].heir == Some(id));
        }
    }

    /// The last name is gone. A reader that had the file open still owes it all; otherwise it is destroyed.
    pub fn unlinked(&mut self, id: IncarnationId, reader_has_it_open: bool) {
        for id in self.line_of_heirs(id) {
            self.incarnations[id].unlinked = true;
            if !reader_has_it_open {
                self.excuse_unread(id);
            }
        }
        if !reader_has_it_open {
            self.allow_orphaned_copies(|last| last == id);
        }
    }

    /// The reader will not see any more what is gone. Of a file that was copied and truncated, few bytes had come out, and
    /// nothing since then: so it may not have met the copy, and cannot know it for one. Then it may stream it, all or nothing.
    fn allow_orphaned_copies(&mut self, is_gone: impl Fn(IncarnationId) -> bool) {
        for id in 0..self.incarnations.len() {
            let Incarnation { copied_before, streamed, heir, unlinked, .. } = self.incarnations[id];
            let Some(now) = copied_before.filter(|_| heir.is_none() && !unlinked) else { continue };
            let later = self.same_file_from(now);
            let may_be_unknown = later.iter().all(|later| self.incarnations[*later].streamed == 0);
            if later.last().is_some_and(|last| is_gone(*last)) && may_be_unknown && streamed < TOLD_APART_BYTES {
                self.allow_copy(id);
            }
        }
    }

    /// The copy may be streamed, all or nothing.
    fn allow_copy(&mut self, id: IncarnationId) {
        let bytes = self.incarnations[id].copied_bytes.unwrap_or(self.len(id));
        self.truncate(id, bytes);
    }

    /// The incarnations of one file, from this one on.
    fn same_file_from(&self, id: IncarnationId) -> Vec<IncarnationId> {
        let next = |id: &IncarnationId| self.incarnations[*id].copied_before.or(self.incarnations[*id].heir);
        std::iter::successors(Some(id), next).collect()
    }

    /// Everything that was written so far.
    pub fn bytes(&self, id: IncarnationId) -> &[u8] {
        &self.incarnations[id].bytes
    }

    /// How many incarnations there were.
    pub fn incarnations(&self) -> usize {
        self.incarnations.len()
    }

    /// The file's letter.
    pub fn label(&self, id: IncarnationId) -> char {
        self.incarnations[id].label
    }

    /// How much there was when it was copied.
    pub fn copied_bytes(&self, id: IncarnationId) -> Option<usize> {
        self.incarnations[id].copied_bytes
    }

    /// Up to where everything came out: at least the beginning of a line that the last kill cut, too.
    pub fn came_out(&self, id: IncarnationId) -> usize {
        let cut = self.cut_lines.iter().flatten().filter(|cut| cut.id == id).map(|cut| cut.offset + cut.len);
        cut.chain([self.incarnations[id].streamed]).max().unwrap_or(0)
    }

    /// True when `offset` is neither where a line begins nor where one ends.
    pub fn is_within_a_line(&self, id: IncarnationId, offset: usize) -> bool {
        offset > 0 && self.incarnations[id].bytes[offset - 1] != b'\n'
    }

    /// The length of the line that a byte before `offset` is in, as far as it is written.
    pub fn line_bytes(&self, id: IncarnationId, offset: usize) -> usize {
        let Incarnation { line_ends, bytes, .. } = &self.incarnations[id];
        let index = line_ends.partition_point(|end| *end < offset);
        let begin = index.checked_sub(1).map_or(0, |before| line_ends[before]);
        line_ends.get(index).copied().unwrap_or(bytes.len()) - begin
    }

    /// Where bytes that begin with a tag were written: the incarnation and the offset.
    pub fn origin(&self, bytes: &[u8]) -> Option<(IncarnationId, usize)> {
        let (id, piece) = tag_of(bytes)?;
        Some((id, *self.incarnations.get(id)?.pieces.get(piece)?))
    }

    /// True when no name is left.
    pub fn is_unlinked(&self, id: IncarnationId) -> bool {
        self.incarnations[id].unlinked
    }

    /// True when a line of this file came out in the present life: so the reader has it open.
    pub fn seen_in_this_life(&self, id: IncarnationId) -> bool {
        let mut each = self.line_of_heirs(id).into_iter().map(|id| &self.incarnations[id]);
        each.any(|one| one.life_offset.is_some() || one.open_in_life == Some(self.lives))
    }

    /// Nobody writes here any more, and the path leads elsewhere: an unfinished last line may come out as a line.
    pub fn ended(&mut self, id: IncarnationId) {
        self.incarnations[id].ended = true;
        self.incarnations[id].end_before_nuls();
    }

    /// A copy was made, which nobody writes: an unfinished last line is a line there.
    pub fn copied(&mut self, id: IncarnationId) {
        let len = self.incarnations[id].bytes.len();
        self.incarnations[id].cuts.push(len);
        self.incarnations[id].end_before_nuls();
        self.incarnations[id].copied_bytes = Some(len);
    }

    /// SIGTERM was sent: every unfinished last line is to be ended by a newline.
    pub fn terminating(&mut self) {
        for incarnation in &mut self.incarnations {
            if incarnation.unfinished_bytes() > 0 {
                incarnation.cuts.push(incarnation.bytes.len());
                incarnation.end_before_nuls();
            }
        }
    }

    /// The reader ended by itself after SIGTERM: nothing may be repeated or cut.
    pub fn life_ended(&mut self, leftovers: [&[u8]; 2]) -> Result<(), String> {
        for leftover in leftovers {
            if !leftover.is_empty() {
                return Err(format!("torn: output ends without a newline: {}", shown(leftover)));
            }
        }
        self.next_life(0);
        self.cut_lines = [Vec::new(), Vec::new()];
        Ok(())
    }

    /// The reader was killed, and `leftovers` are the bytes after the last newline of each stream.
    pub fn killed(&mut self, leftovers: [&[u8]; 2]) -> Result<(), String> {
        let mut cut_lines = [Vec::new(), Vec::new()];
        for (stream, leftover) in leftovers.into_iter().enumerate() {
            self.note([Stream::Out, Stream::Err][stream], leftover);
            cut_lines[stream] = self.cut_by_kill(stream, leftover)?;
        }
        // What an earlier kill may repeat, and had no turn in this life, may come in the next.
        let used = self.repeated.into_iter().max().unwrap_or(0);
        self.next_life(REPEATED_BYTES_MAX + self.repeat_budget.saturating_sub(used));
        for (stream, cut) in cut_lines.into_iter().enumerate() {
            if !cut.is_empty() {
                self.cut_lines[stream] = cut;
            }
            self.first_line[stream] = true;
        }
        let unlinked: Vec<_> = (0..self.incarnations.len()).filter(|id| self.incarnations[*id].unlinked).collect();
        unlinked.iter().for_each(|id| self.excuse_unread(*id));
        self.allow_orphaned_copies(|last| unlinked.contains(&last));
        Ok(())
    }

    /// What came out last, readable.
    pub fn recent(&self) -> Vec<String> {
        let each = self.recent.iter();
        each.map(|(life, stream, begin, len)| format!("life {life} {stream:?} {len} bytes: {}", begin.escape_ascii()))
            .collect()
    }

    fn note(&mut self, stream: Stream, line: &[u8]) {
        self.recent.push_back((self.lives, stream, line[..line.len().min(20)].to_vec(), line.len()));
        if self.recent.len() > RECENT_LINES {
            self.recent.pop_front();
        }
    }

    /// Judges one line of output, given without its newline.
    pub fn line(&mut self, stream: Stream, line: &[u8]) -> Result<(), String> {
        self.note(stream, line);
        if stream == Stream::Err && line.starts_with(OWN_PREFIX) {
            self.messages.push(String::from_utf8_lossy(line).into_owned());
            return Ok(());
        }
        let first = std::mem::replace(&mut self.first_line[stream as usize], false);
        let fit = match self.place(line) {
            Ok(fit) => fit,
            Err(why) => self.rest_of_a_cut_line(first.then_some(stream), line).ok_or(why)?,
        };
        self.cut_lines[stream as usize].clear();
        self.accept(stream, line, &fit)
    }

    /// A complete line that has not come out yet, described; `None` when everything has.
    pub fn owed(&self) -> Option<String> {
        self.owed_until(|incarnation| incarnation.line_ends.last().copied().unwrap_or(0))
    }

    /// Anything that has not come out yet, unfinished lines included.
    pub fn owed_at_the_end(&self) -> Option<String> {
        self.owed_until(|incarnation| incarnation.bytes.len())
    }

    /// Lines and bytes that were written: for the report.
    pub fn written(&self) -> (usize, usize) {
        let lines = self.incarnations.iter().map(|incarnation| incarnation.line_ends.len()).sum();
        (lines, self.incarnations.iter().map(|incarnation| incarnation.bytes.len()).sum())
    }

    fn owed_until(&self, end: impl Fn(&Incarnation) -> usize) -> Option<String> {
        let mut owed = Vec::new();
        for (id, incarnation) in self.incarnations.iter().enumerate() {
            let end = end(incarnation);
            let is_all_kept = incarnation.streamed == 0 && end <= incarnation.kept;
            if !is_all_kept && !incarnation.gap_forgiven(incarnation.streamed, end) {
                let what = shown(&incarnation.bytes[incarnation.streamed..end]);
                owed.push(format!(
                    "{} bytes of {} from {}: {what}",
                    end - incarnation.streamed,
                    name(id, incarnation),
                    incarnation.streamed
                ));
            }
        }
        (!owed.is_empty()).then(|| format!("lost (or late): {}", owed.join("; ")))
    }

    /// Finds where the line belongs, by its tag: the incarnation that wrote it or an heir, without repetition if possible.
    fn place(&self, line: &[u8]) -> Result<Fit, String> {
        // A line that was ended before its NULs goes on with them.
        let nuls = line.iter().take_while(|byte| **byte == 0).count();
        let (origin, piece) =
            tag_of(&line[nuls..]).ok_or_else(|| format!("torn or foreign: nobody wrote this line: {}", shown(line)))?;
        let known = self.incarnations.get(origin).and_then(|incarnation| incarnation.pieces.get(piece));
        let offset = known.and_then(|offset| offset.checked_sub(nuls));
        let offset = offset.ok_or_else(|| format!("foreign: no such piece: {}", shown(line)))?;
        let mut best: Option<Fit> = None;
        let mut why = Vec::new();
        for id in self.line_of_heirs(origin) {
            match self.incarnations[id].fit(offset, line) {
                Ok(fit) => {
                    best = best.into_iter().chain([Fit { id, ..fit }]).min_by_key(|fit| (fit.is_torn, fit.repeated))
                }
                Err(reason) => why.push(format!("{reason} in {} at {offset}", name(id, &self.incarnations[id]))),
            }
        }
        best.ok_or_else(|| format!("{}: {}", why.join(", and "), shown(line)))
    }

    fn accept(&mut self, stream: Stream, line: &[u8], fit: &Fit) -> Result<(), String> {
        self.lines_in_life += 1;
        let incarnation = &self.incarnations[fit.id];
        if incarnation.stream.is_some_and(|expected| expected != stream) {
            return Err(format!("wrong stream ({stream:?}): {}", shown(line)));
        }
        if fit.is_torn {
            self.torn.push(CutLine { id: fit.id, offset: fit.next, len: incarnation.rest_len(fit.next) });
        }
        if fit.repeated > 0 {
            self.count_repeated(stream, fit, line)?;
        }
        self.line_of_heirs(fit.id)
            .into_iter()
            .skip(1)
            .for_each(|heir| self.incarnations[heir].share(fit.offset..fit.next));
        let incarnation = &mut self.incarnations[fit.id];
        incarnation.streamed = incarnation.streamed.max(fit.next);
        incarnation.life_offset = Some(fit.next);
        Ok(())
    }

    fn count_repeated(&mut self, stream: Stream, fit: &Fit, line: &[u8]) -> Result<(), String> {
        let (repeated, lines) = (&mut self.repeated[stream as usize], &mut self.repeated_lines[stream as usize]);
        *repeated += fit.repeated;
        *lines += 1;
        self.repeated_total += fit.repeated;
        // One line that is longer than a write may be repeated whole, alone.
        if *repeated <= self.repeat_budget || (self.repeat_budget > 0 && *lines == 1) {
            return Ok(());
        }
        let (budget, life) = (self.repeat_budget, self.lives);
        Err(format!("repeated: {repeated} bytes of {budget} allowed in life {life} on {stream:?}: {}", shown(line)))
    }

    fn next_life(&mut self, repeat_budget: usize) {
        self.lives += 1;
        self.repeat_budget = repeat_budget;
        self.repeated = [0; 2];
        self.repeated_lines = [0; 2];
        self.lines_in_life = 0;
        self.torn.clear();
        self.incarnations.iter_mut().for_each(|incarnation| incarnation.life_offset = None);
    }

    /// What a kill left behind on one stream must be the beginning of a line that was due.
    fn cut_by_kill(&self, stream: usize, leftover: &[u8]) -> Result<Vec<CutLine>, String> {
        let len = leftover.len();
        let own = leftover.starts_with(OWN_PREFIX) || OWN_PREFIX.starts_with(leftover);
        if len == 0 || (stream == Stream::Err as usize && own) {
            return Ok(Vec::new());
        }
        let candidates: Vec<(IncarnationId, usize)> = match tag_of(leftover) {
            Some((origin, piece)) => {
                let known = self.incarnations.get(origin).and_then(|incarnation| incarnation.pieces.get(piece));
                let offset = *known.ok_or_else(|| format!("foreign: no such piece: {}", shown(leftover)))?;
                self.line_of_heirs(origin).into_iter().map(|id| (id, offset)).collect()
            }
            None => self.next_lines(),
        };
        let cut: Vec<_> = candidates
            .into_iter()
            .filter(|(id, offset)| self.incarnations[*id].may_be_cut(*offset, leftover))
            .map(|(id, offset)| CutLine { id, offset, len })
            .collect();
        if !cut.is_empty() {
            return Ok(cut);
        }
        let again: Vec<_> =
            self.cut_lines[stream].iter().filter_map(|before| self.cut_again(before, leftover)).collect();
        // Of a tag that is itself cut there is too little to tell.
        let too_short = leftover.starts_with(b"@") && tag_of(leftover).is_none() && len < 16;
        if again.is_empty() && !too_short {
            return Err(format!("torn: a kill left what was not due: {}", shown(leftover)));
        }
        Ok(again)
    }

    /// The rest of a line that the kill before had cut, cut once more.
    fn cut_again(&self, before: &CutLine, leftover: &[u8]) -> Option<CutLine> {
        let line = &self.incarnations[before.id].bytes[before.offset..];
        let from = (0..=before.len).rev().find(|from| line[*from..].starts_with(leftover))?;
        Some(CutLine { len: from + leftover.len(), ..*before })
    }

    /// Every line's end that something may follow: where a short leftover could come from.
    fn next_lines(&self) -> Vec<(IncarnationId, usize)> {
        let each = self.incarnations.iter().enumerate();
        each.flat_map(|(id, incarnation)| {
            [Some(incarnation.streamed), incarnation.life_offset].into_iter().flatten().map(move |at| (id, at))
        })
        .collect()
    }

    /// The rest of a line that a kill (on this stream, as the first line since) or a truncation cut.
    fn rest_of_a_cut_line(&self, first_on: Option<Stream>, line: &[u8]) -> Option<Fit> {
        let killed = first_on.map_or(&[][..], |stream| &self.cut_lines[stream as usize]);
        for cut in killed {
            let incarnation = &self.incarnations[cut.id];
            let end = incarnation.line_end_after(cut.offset)?;
            let whole = &incarnation.bytes[cut.offset..end - 1];
            if whole.ends_with(line) && line.len() + cut.len >= whole.len() {
                return Some(Fit { id: cut.id, offset: cut.offset, next: end, repeated: 0, is_torn: false });
            }
        }
        if let Some(fit) = first_on.and_then(|stream| self.repeated_rest(stream, line)) {
            return Some(fit);
        }
        self.torn.iter().find_map(|torn| {
            let incarnation = &self.incarnations[torn.id];
            let end = incarnation.line_end_after(torn.offset)?;
            (incarnation.bytes[torn.offset..end - 1] == *line).then_some(Fit {
                is_torn: false,
                id: torn.id,
                offset: torn.offset,
                next: end,
                repeated: 0,
            })
        })
    }

    /// The last write before a kill may have begun within a line that is longer than a write: what is repeated then is its rest.
    fn repeated_rest(&self, stream: Stream, line: &[u8]) -> Option<Fit> {
        let is_on = |incarnation: &Incarnation| incarnation.stream.is_none_or(|expected| expected == stream);
        let candidates = self.incarnations.iter().enumerate().filter(|(_, incarnation)| is_on(incarnation));
        candidates.into_iter().find_map(|(id, incarnation)| {
            let recent = incarnation
                .line_ends
                .iter()
                .copied()
                .filter(|end| (1..=REPEATED_BYTES_MAX).contains(&(incarnation.streamed + 1).saturating_sub(*end)));
            let next = recent.into_iter().find(|end| incarnation.long_line_ends_with(*end, line))?;
            let offset = next - 1 - line.len();
            Some(Fit { id, offset, next, repeated: next - offset, is_torn: false })
        })
    }

    fn line_of_heirs(&self, origin: IncarnationId) -> Vec<IncarnationId> {
        std::iter::successors(Some(origin), |id| self.incarnations[*id].heir).collect()
    }
}

impl Incarnation {
    fn unfinished_bytes(&self) -> usize {
        self.bytes.len() - self.line_ends.last().copied().unwrap_or(0)
    }

    /// NULs at the end of an unfinished line are waited at: when it is ended they do not come out.
    fn end_before_nuls(&mut self) {
        let begin = self.line_ends.last().copied().unwrap_or(0);
        let nuls = self.bytes[begin..].iter().rev().take_while(|byte| **byte == 0).count();
        if nuls >= WAITING_NULS_MIN {
            let end = self.bytes.len() - nuls;
            self.cuts.push(end);
            self.excused.push(end..self.bytes.len());
        }
    }

    /// Moves an offset that lies inside a tag to the tag's beginning, so that every kept fragment can be told.
    fn outside_a_tag(&self, offset: usize) -> usize {
        let piece = self.pieces.iter().rev().find(|piece| **piece <= offset).copied().unwrap_or(0);
        match tag_len(&self.bytes[piece..]) {
            Some(tag) if offset < piece + tag => piece,
            _ => offset,
        }
    }

    fn line_may_begin(&self, offset: usize) -> bool {
        offset == 0 || self.bytes[offset - 1] == b'\n' || self.cuts.contains(&offset)
    }

    /// Just past the newline that ends the line at `offset`.
    fn line_end_after(&self, offset: usize) -> Option<usize> {
        let index = self.line_ends.partition_point(|end| *end <= offset);
        self.line_ends.get(index).copied()
    }

    /// Bytes from `offset` to the end of its line, without the newline.
    fn rest_len(&self, offset: usize) -> usize {
        self.line_end_after(offset).map_or(0, |end| end - 1 - offset)
    }

    /// Whether `line` may come now, at `offset`; the incarnation's number is left to who knows it.
    fn fit(&self, offset: usize, line: &[u8]) -> Result<Fit, &'static str> {
        let end = offset + line.len();
        if self.bytes.get(offset..end) != Some(line) {
            return Err("torn: other bytes were written");
        }
        if !self.line_may_begin(offset) {
            return Err("torn: begins in the middle of a line");
        }
        let is_ended = self.bytes.get(end) == Some(&b'\n');
        let is_cut = self.cuts.contains(&end) || (self.ended && end == self.bytes.len());
        let is_torn = !is_ended && !is_cut;
        if is_torn && !self.cut_while_destroyed(offset, end) {
            return Err("torn: ends in the middle of a line");
        }
        self.in_order(offset)?;
        let next = end + usize::from(is_ended);
        Ok(Fit { id: 0, offset, next, repeated: self.streamed.min(next).saturating_sub(offset), is_torn })
    }

    /// True when the line that ends at `end` is longer than a write, and `rest` is how it ends.
    fn long_line_ends_with(&self, end: usize, rest: &[u8]) -> bool {
        let lines_before = self.line_ends.partition_point(|line_end| *line_end < end);
        let begin = lines_before.checked_sub(1).map_or(0, |before| self.line_ends[before]);
        end - begin > REPEATED_BYTES_MAX && self.bytes[begin..end - 1].ends_with(rest)
    }

    /// In one life the lines follow each other; a new life may go back, never forward over what is owed.
    fn in_order(&self, offset: usize) -> Result<(), &'static str> {
        match self.life_offset {
            Some(left_off) if offset < left_off => Err("repeated or out of order in one life"),
            Some(left_off) if !self.gap_forgiven(left_off, offset) => {
                Err("lost or out of order: lines before it are missing")
            }
            None if !self.gap_forgiven(self.streamed, offset) => {
                Err("lost or out of order: lines before it are missing")
            }
            _ => Ok(()),
        }
    }

    /// True when nothing between is owed: it came out before, was destroyed, or is what a truncation kept.
    fn gap_forgiven(&self, from: usize, to: usize) -> bool {
        let mut at = if from == 0 && to >= self.kept { self.kept } else { from };
        while at < to {
            let excused = self
                .excused
                .iter()
                .chain(&self.shared)
                .filter(|range| range.contains(&at))
                .map(|range| range.end)
                .max();
            match excused.unwrap_or(at).max(self.streamed) {
                end if end > at => at = end,
                _ => return false,
            }
        }
        true
    }

    /// A kept line came out as the previous incarnation's, which was not read so far when it was truncated.
    fn share(&mut self, line: Range<usize>) {
        if line.start >= self.shared_from && line.end <= self.kept {
            self.shared.push(line);
        } else if line.start >= self.shared_from && line.end == self.cut + 1 {
            // Only its newline was cut off: the unfinished line that is left looks the same.
            self.shared.push(line.start..self.cut);
        }
    }

    /// A long line whose rest was destroyed while it came out.
    fn cut_while_destroyed(&self, offset: usize, end: usize) -> bool {
        let line_end = self.line_end_after(offset).unwrap_or(self.bytes.len());
        line_end - offset > ONE_READ_BYTES && self.excused.iter().any(|range| range.contains(&end))
    }

    /// True when a kill may have cut the line at `offset` after `leftover`.
    fn may_be_cut(&self, offset: usize, leftover: &[u8]) -> bool {
        let there = self.bytes.get(offset..offset + leftover.len()) == Some(leftover);
        there && self.line_may_begin(offset) && self.in_order(offset).is_ok()
    }
}

/// Fewer NULs at the end of a file are bytes as any others.
const WAITING_NULS_MIN: usize = 4;

/// Some text, some binary, some runs of one byte; CR and NUL are bytes like others, only the newline is not.
fn push_payload(bytes: &mut Vec<u8>, len: usize, prng: &mut Prng) {
    let kind = prng.below(5);
    let run = (prng.next() as u8).max(b'\n' + 1);
    for _ in 0..len {
        bytes.push(match kind {
            0 | 1 => b' ' + (prng.below(95) as u8),
            2 => Some(prng.next() as u8).filter(|byte| *byte != b'\n').unwrap_or(0),
            3 => [run, 0][usize::from(prng.one_in(9))],
            _ => 0,
        });
    }
    if prng.one_in(6) {
        bytes.push(b'\r');
    }
}

/// `@a12.7:` is the 7th piece of the incarnation 12, of the file a.
fn tag_of(line: &[u8]) -> Option<(IncarnationId, usize)> {
    let tag = std::str::from_utf8(&line[..tag_len(line)? - 1]).ok()?;
    let (id, piece) = tag.get(2..)?.split_once('.')?;
    Some((id.parse().ok()?, piece.parse().ok()?))
}

/// The length of the tag at the beginning, colon included.
fn tag_len(line: &[u8]) -> Option<usize> {
    let colon = line.iter().take(32).position(|byte| *byte == b':')?;
    (line[0] == b'@').then_some(colon + 1)
}

fn name(id: IncarnationId, incarnation: &Incarnation) -> String {
    format!("{}{id} ({} bytes, {} streamed)", incarnation.label, incarnation.bytes.len(), incarnation.streamed)
}

/// The beginning and the end of a line, readable.
fn shown(line: &[u8]) -> String {
    let ends: BTreeMap<usize, &[u8]> = match line.len() {
        0..=160 => BTreeMap::from([(0, line)]),
        len => BTreeMap::from([(0, &line[..100]), (len - 50, &line[len - 50..])]),
    };
    let parts: Vec<_> = ends.values().map(|part| part.escape_ascii().to_string()).collect();
    format!("`{}` ({} bytes)", parts.join("` ... `"), line.len())
}
