//! How far one file has come: the law, in one place.
//!
//! `durable <= noted <= delivered <= taken` holds at every moment for each reader, in bytes from the file's beginning, and
//! nothing is reclaimed beyond what is durable for every reader. Each method is named for what happened; what would break the
//! order is a fault of the program.

use super::rare::{Rare, Usual};
use crate::output::rules::Stream;
use crate::read::buffer::MARKER_BYTES;

/// How far one reader of a file has come, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reach {
    /// Read from the file.
    taken: u64,
    /// Accepted: by the streams, or acknowledged by a backend.
    delivered: u64,
    /// Said by the checkpoint.
    noted: u64,
    /// What the checkpoint said when its last flush began, which may be under way.
    flushing: u64,
    /// Said by the checkpoint on the disk, at least.
    durable: u64,
}

impl Reach {
    /// The progress of a reader whose checkpoint on the disk has this offset.
    fn resumed(offset: u64) -> Self {
        Self { taken: offset, delivered: offset, noted: offset, flushing: offset, durable: offset }
    }

    fn hold_to_law(&self) {
        let Self { taken, delivered, noted, flushing, durable } = *self;
        let holds = durable <= flushing && flushing <= noted && noted <= delivered && delivered <= taken;
        debug_assert!(holds, "the law is broken: {self:?}");
    }
}

/// What of a file is no longer on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Freed {
    /// The first byte that may still be reclaimed; `None` until the file was asked.
    reclaimed: Option<u64>,
    /// The same before it was last truncated: a copy of what it held then goes on there.
    reclaimed_earlier: u64,
}

impl Usual for Freed {
    const USUAL: &'static Self = &Self { reclaimed: None, reclaimed_earlier: 0 };
}

/// The progress of a file: that of the standard streams, and of a backend that acknowledges, if there is one. What is reclaimed
/// goes by the slower of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    streams: Reach,
    backend: Option<Box<Reach>>,
    /// What is no longer on the disk; nothing is, unless disk is reclaimed.
    freed: Rare<Freed>,
    /// Which streams hold bytes that were taken.
    holding: [bool; 2],
    /// Whether it is a copy that goes on where a file was left of which a stream still holds bytes: not delivered before these
    /// are.
    is_behind_original: bool,
}

impl Progress {
    /// Begins with a file that an earlier process had reclaimed up to `reclaimed`.
    #[must_use]
    pub fn resumed(reclaimed: u64) -> Self {
        Self { streams: Reach::resumed(reclaimed), ..Self::passed_over(reclaimed) }
    }

    /// Begins with a file that was skipped up to `end`: that part was not streamed, and is never reclaimed.
    pub(crate) fn passed_over(end: u64) -> Self {
        let reclaimed = Some(end).filter(|bytes| *bytes > 0);
        Self { freed: Freed { reclaimed, reclaimed_earlier: 0 }.into(), ..Self::default() }
    }

    /// Begins with a file that was truncated since an earlier process had reclaimed what was before `reclaimed_earlier`.
    pub(crate) fn truncated_since(reclaimed_earlier: u64) -> Self {
        Self { freed: Freed { reclaimed: None, reclaimed_earlier }.into(), ..Self::default() }
    }

    /// Adds a second reader, a backend that acknowledges, which has come as far as `offset` by the checkpoint. That it is on the
    /// disk is known only of what was reclaimed.
    pub fn add_backend(&mut self, offset: u64) {
        let durable = self.reclaimed().min(offset);
        self.backend =
            Some(Box::new(Reach { taken: offset, delivered: offset, noted: offset, ..Reach::resumed(durable) }));
    }

    /// Notes that the backend was sent what is before `offset`.
    pub fn send(&mut self, offset: u64) {
        if let Some(backend) = &mut self.backend {
            backend.taken = backend.taken.max(offset);
        }
    }

    /// Notes that the backend acknowledged what is before `offset`; it cannot have more than it was sent.
    pub fn acknowledge(&mut self, offset: u64) {
        if let Some(backend) = &mut self.backend {
            backend.delivered = backend.delivered.max(offset.min(backend.taken));
            backend.hold_to_law();
        }
    }

    /// Notes that it is a copy, and that a stream holds bytes of its original.
    pub(crate) fn wait_for_original(&mut self) {
        self.is_behind_original = true;
    }

    /// Notes that the streams hold nothing of its original any more.
    pub(crate) fn original_delivered(&mut self) {
        self.is_behind_original = false;
        self.deliver();
    }

    /// Returns whether it waits for its original.
    pub(crate) fn is_behind_original(&self) -> bool {
        self.is_behind_original
    }

    /// Notes that a stream accepted bytes and holds some of them.
    pub fn hold(&mut self, stream: Stream) {
        self.holding[stream.index()] = true;
    }

    /// Notes that a stream holds nothing more; says whether none does.
    pub fn release(&mut self, stream: Stream) -> bool {
        self.holding[stream.index()] = false;
        self.deliver();
        !self.is_held()
    }

    /// Returns whether a stream holds bytes of it.
    pub(crate) fn is_held(&self) -> bool {
        self.holding.contains(&true)
    }

    /// Notes that it is read up to `offset`; the streams were given what is before that. An offset that has moved back is one of
    /// another file in its place: it begins anew.
    pub fn take(&mut self, offset: u64) {
        if offset < self.streams.taken {
            self.truncate();
        }
        self.streams.taken = offset;
        self.deliver();
    }

    fn deliver(&mut self) {
        if self.is_delivered() {
            self.streams.delivered = self.streams.taken;
        }
        self.streams.hold_to_law();
    }

    /// Returns whether all that was taken is delivered: only then the checkpoint can say how far it has come.
    pub(crate) fn is_delivered(&self) -> bool {
        !self.is_held() && !self.is_behind_original
    }

    /// Notes that the checkpoint says what is delivered.
    pub fn note(&mut self) {
        self.each_reader(|reader| reader.noted = reader.delivered);
    }

    /// Notes that the checkpoint begins to be flushed.
    pub fn begin_flush(&mut self) {
        self.each_reader(|reader| reader.flushing = reader.noted);
    }

    /// Notes that the flush is over.
    pub fn flushed(&mut self) {
        self.each_reader(|reader| reader.durable = reader.flushing);
    }

    /// Notes that what is before `end` is reclaimed to the file system; it is durable.
    pub fn reclaim(&mut self, end: u64) {
        debug_assert!(self.is_durable(end), "reclaimed before it is durable: {self:?}, {end}");
        self.freed.reclaimed = Some(end);
    }

    /// Notes that there is nothing to reclaim before `end`: a hole, whoever made it, what was never streamed, or what is in an
    /// archive and goes with a truncation.
    pub(crate) fn pass_over(&mut self, end: u64) {
        self.freed.reclaimed = Some(end.max(self.reclaimed()));
    }

    /// Notes that this many bytes at its beginning are gone, and shifts all offsets.
    pub fn collapse(&mut self, bytes: u64) {
        self.each_reader(|Reach { taken, delivered, noted, flushing, durable }| {
            for offset in [taken, delivered, noted, flushing, durable] {
                *offset = offset.saturating_sub(bytes);
            }
        });
        if self.is_asked() {
            self.freed.reclaimed = Some(self.reclaimed().saturating_sub(bytes));
        }
    }

    /// Notes that it holds something else now. The streams still hold what they held of it.
    pub fn truncate(&mut self) {
        *self = Self {
            backend: self.backend.take().map(|_| Box::default()),
            freed: Freed { reclaimed: None, reclaimed_earlier: self.reclaimed() }.into(),
            holding: self.holding,
            is_behind_original: self.is_behind_original,
            ..Self::default()
        };
    }

    /// Notes what turned out to be in archives of what it held before it was truncated.
    pub(crate) fn archived_earlier(&mut self, end: u64) {
        self.freed.reclaimed_earlier = end;
    }

    /// Returns how far the checkpoint says that every reader has come.
    #[must_use]
    pub fn noted(&self) -> u64 {
        self.slowest(|reader| reader.noted)
    }

    /// Returns how much of what is noted is not known to be on the disk, in bytes.
    pub(crate) fn not_durable_bytes(&self) -> u64 {
        self.noted().saturating_sub(self.durable())
    }

    /// Returns whether what is before `end` is durable for every reader: only that may be reclaimed.
    #[must_use]
    pub fn is_durable(&self, end: u64) -> bool {
        end <= self.durable()
    }

    fn durable(&self) -> u64 {
        self.slowest(|reader| reader.durable)
    }

    /// Returns the first byte that may still be reclaimed.
    #[must_use]
    pub fn reclaimed(&self) -> u64 {
        self.freed.reclaimed.unwrap_or(0)
    }

    /// Returns whether the file was asked what of it is reclaimed.
    pub(crate) fn is_asked(&self) -> bool {
        self.freed.reclaimed.is_some()
    }

    /// Returns what [`Progress::reclaimed`] was before the last truncation.
    pub(crate) fn reclaimed_earlier(&self) -> u64 {
        self.freed.reclaimed_earlier
    }

    /// Returns how much every reader has that can still be reclaimed, in bytes.
    pub(crate) fn reclaimable_bytes(&self) -> u64 {
        self.noted().saturating_sub(self.reclaimed())
    }

    /// Returns up to where it could be reclaimed in whole blocks of this size if all that is noted were durable: the marker
    /// before the offset stays.
    pub(crate) fn limit(&self, block_bytes: u64) -> u64 {
        whole_blocks(self.noted(), block_bytes)
    }

    /// The same of what is durable.
    #[must_use]
    pub fn durable_limit(&self, block_bytes: u64) -> u64 {
        whole_blocks(self.durable(), block_bytes)
    }

    fn slowest(&self, offset: impl Fn(&Reach) -> u64) -> u64 {
        let of_streams = offset(&self.streams);
        self.backend.as_deref().map_or(of_streams, |backend| offset(backend).min(of_streams))
    }

    fn each_reader(&mut self, change: impl Fn(&mut Reach)) {
        for reader in std::iter::once(&mut self.streams).chain(self.backend.as_deref_mut()) {
            change(reader);
            reader.hold_to_law();
        }
    }
}

/// Returns how much of what is before `end` can go in whole blocks, but for the marker.
pub(crate) fn whole_blocks(end: u64, block_bytes: u64) -> u64 {
    end.saturating_sub(MARKER_BYTES as u64) / block_bytes * block_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of which everything up to `end` was streamed, noted and flushed.
    fn durable(end: u64) -> Progress {
        let mut progress = Progress::default();
        progress.take(end);
        progress.note();
        progress.begin_flush();
        progress.flushed();
        progress
    }

    #[test]
    fn what_a_stream_holds_is_not_delivered_and_so_not_noted() {
        let mut progress = durable(1000);
        progress.hold(Stream::Stderr);
        progress.take(3000);
        progress.note();
        assert_eq!((progress.noted(), progress.is_delivered()), (1000, false));
        progress.hold(Stream::Stdout);
        assert!(!progress.release(Stream::Stderr));
        progress.note();
        assert_eq!(progress.noted(), 1000);
        assert!(progress.release(Stream::Stdout));
        progress.note();
        assert_eq!(progress.noted(), 3000);
    }

    #[test]
    fn a_copy_is_not_noted_before_its_original_is_delivered() {
        let mut progress = Progress::default();
        progress.wait_for_original();
        progress.take(500);
        progress.note();
        assert_eq!(progress.noted(), 0);
        progress.original_delivered();
        progress.note();
        assert_eq!(progress.noted(), 500);
    }

    #[test]
    fn what_is_noted_while_a_flush_is_under_way_is_not_durable_by_it() {
        let mut progress = durable(10_000);
        progress.take(20_000);
        progress.note();
        progress.begin_flush();
        progress.take(30_000);
        progress.note();
        progress.flushed();
        assert_eq!((progress.durable_limit(1), progress.not_durable_bytes()), (20_000 - 128, 10_000));
        progress.reclaim(16_384);
        assert_eq!(progress.reclaimable_bytes(), 30_000 - 16_384);
    }

    #[test]
    #[should_panic(expected = "reclaimed before it is durable")]
    fn what_is_only_noted_cannot_be_reclaimed() {
        let mut progress = durable(10_000);
        progress.take(20_000);
        progress.note();
        progress.reclaim(16_384);
    }

    #[test]
    fn an_offset_that_moves_back_is_another_files() {
        let mut progress = durable(10_000);
        progress.take(500);
        assert_eq!((progress.noted(), progress.durable_limit(1)), (0, 0));
        progress.note();
        assert_eq!(progress.noted(), 500);
    }

    #[test]
    fn a_collapse_moves_everything_and_a_truncation_begins_anew() {
        let mut progress = durable(20_000);
        progress.reclaim(16_384);
        progress.collapse(16_384);
        assert_eq!((progress.noted(), progress.reclaimed(), progress.not_durable_bytes()), (3616, 0, 0));
        let mut progress = durable(20_000);
        progress.reclaim(8192);
        progress.hold(Stream::Stdout);
        progress.truncate();
        assert_eq!((progress.noted(), progress.reclaimed(), progress.is_asked()), (0, 0, false));
        assert_eq!((progress.reclaimed_earlier(), progress.is_held()), (8192, true));
    }

    #[test]
    fn the_block_with_the_marker_stays() {
        for (end, limit) in [(0, 0), (100, 0), (4096, 0), (4096 + 128, 4096), (8192, 4096), (8192 + 127, 4096)] {
            assert_eq!((durable(end).limit(4096), durable(end).durable_limit(4096)), (limit, limit), "{end}");
        }
    }

    #[test]
    fn what_is_reclaimed_goes_by_the_slower_reader() {
        let mut progress = durable(20_000);
        progress.add_backend(0);
        assert_eq!((progress.noted(), progress.durable_limit(1)), (0, 0));
        progress.send(15_000);
        // It cannot have more than it was sent.
        progress.acknowledge(18_000);
        progress.note();
        assert_eq!((progress.noted(), progress.durable_limit(1)), (15_000, 0));
        progress.begin_flush();
        progress.flushed();
        assert_eq!(progress.durable_limit(1), 15_000 - 128);
        progress.truncate();
        progress.take(500);
        progress.note();
        assert_eq!(progress.noted(), 0, "the backend begins anew, too");
    }

    #[test]
    fn where_an_earlier_process_had_reclaimed_there_it_goes_on() {
        let progress = Progress::resumed(4096);
        assert_eq!((progress.reclaimed(), progress.is_asked(), progress.reclaimable_bytes()), (4096, true, 0));
        assert!(!Progress::resumed(0).is_asked());
    }
}
