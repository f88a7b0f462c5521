//! The law of a file's progress against an oracle: two readers, the streams and a backend that acknowledges, kills, and power
//! cuts, after which only what was flushed is left. Nothing is played for real, so a thousand rounds take a moment.

use sidetail::output::rules::Stream;
use sidetail::shelf::progress::Progress;

use super::prng::Prng;

const ROUNDS: u64 = 2_000;
const STEPS: u64 = 200;
const BLOCK_BYTES: u64 = 4096;

/// How far the two readers have come, as a checkpoint says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Said {
    streams: u64,
    backend: u64,
}

/// What reclaims: as it should, or with a fault that the oracle must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    ByTheLaw,
    /// What the checkpoint says is believed before it is on the disk.
    BeforeTheFlush,
    /// The backend is not asked.
    ByTheStreamsAlone,
    /// What is streamed and noted is truncated, though the note is not on the disk.
    ByTruncation,
}

/// A file, its readers, and the checkpoint in memory and on the disk.
struct Machine {
    written: u64,
    /// What is before this is gone from the file.
    gone: u64,
    progress: Progress,
    /// What each reader has, whatever anybody notes of it.
    streamed: u64,
    acknowledged: u64,
    sent: u64,
    is_held: bool,
    in_memory: Said,
    flushing: Option<Said>,
    on_disk: Said,
    /// What was truncated and would have to be read again after a power cut.
    lost_bytes: u64,
}

impl Machine {
    fn new() -> Self {
        let mut progress = Progress::default();
        progress.add_backend(0);
        Self {
            written: 0,
            gone: 0,
            progress,
            streamed: 0,
            acknowledged: 0,
            sent: 0,
            is_held: false,
            in_memory: Said::default(),
            flushing: None,
            on_disk: Said::default(),
            lost_bytes: 0,
        }
    }

    fn step(&mut self, chance: &mut Prng, way: Way) {
        match chance.below(13) {
            0 | 1 => self.written += chance.spread(1, 100_000),
            2 if !self.is_held => self.stream(chance),
            3 => {
                self.is_held = false;
                self.progress.release(Stream::Stdout);
            }
            4 => {
                self.sent += some(chance, self.written - self.sent);
                self.progress.send(self.sent);
            }
            5 => {
                self.acknowledged += some(chance, self.sent - self.acknowledged);
                self.progress.acknowledge(self.acknowledged);
            }
            6 | 7 => self.note(),
            8 if self.flushing.is_none() => {
                self.progress.begin_flush();
                self.flushing = Some(self.in_memory);
            }
            9 => {
                if let Some(flushed) = self.flushing.take() {
                    self.progress.flushed();
                    self.on_disk = flushed;
                }
            }
            10 => self.reclaim(way),
            11 if chance.one_in(8) => {
                // A kill leaves what was written, a power cut what was flushed.
                if chance.one_in(2) {
                    self.in_memory = self.on_disk;
                }
                self.restart();
            }
            12 => self.truncate(way),
            _ => {}
        }
    }

    fn stream(&mut self, chance: &mut Prng) {
        self.streamed += some(chance, self.written - self.streamed);
        if chance.one_in(4) {
            self.progress.hold(Stream::Stdout);
            self.is_held = true;
        }
        self.progress.take(self.streamed);
    }

    /// The checkpoint says what is delivered; while a stream holds something of what was read nothing is noted.
    fn note(&mut self) {
        if !self.is_held {
            self.progress.note();
            self.in_memory = Said { streams: self.streamed, backend: self.acknowledged };
        }
    }

    fn reclaim(&mut self, way: Way) {
        let said = match way {
            Way::ByTheLaw => {
                let end = self.progress.durable_limit(BLOCK_BYTES);
                if end > self.progress.reclaimed() {
                    self.progress.reclaim(end);
                    self.gone = end;
                }
                return;
            }
            Way::BeforeTheFlush => self.in_memory.streams.min(self.in_memory.backend),
            Way::ByTheStreamsAlone => self.on_disk.streams,
            Way::ByTruncation => 0,
        };
        self.gone = self.gone.max(said / BLOCK_BYTES * BLOCK_BYTES);
    }

    /// Truncates the file if everything of it is streamed, acknowledged, and noted; its next bytes are those of another file.
    fn truncate(&mut self, way: Way) {
        let is_all_noted = self.progress.noted() == self.written && self.in_memory.backend == self.written;
        let is_safe = way == Way::ByTruncation || self.progress.is_durable(self.written);
        if self.written > 0 && is_all_noted && is_safe {
            let lost_bytes = self.written - self.on_disk.streams.min(self.on_disk.backend);
            *self = Self { lost_bytes: self.lost_bytes + lost_bytes, ..Self::new() };
        }
    }

    /// Goes on as the checkpoint that is left says.
    fn restart(&mut self) {
        let left = self.in_memory;
        (self.flushing, self.is_held) = (None, false);
        (self.streamed, self.sent, self.acknowledged) = (left.streams, left.backend, left.backend);
        self.progress = Progress::resumed(self.gone.min(left.streams));
        self.progress.add_backend(left.backend);
        self.progress.take(left.streams);
        self.progress.note();
    }

    /// Returns what would be lost if the power went now: what is gone, and must be read again.
    fn lost_bytes(&self) -> u64 {
        self.lost_bytes + self.gone.saturating_sub(self.on_disk.streams.min(self.on_disk.backend))
    }
}

/// Returns a part of what is there, or as often all of it.
fn some(chance: &mut Prng, bytes: u64) -> u64 {
    if chance.one_in(2) { bytes } else { chance.below(bytes + 1) }
}

/// Returns the first round in which a reader would lose something.
fn first_loss(way: Way) -> Option<(u64, u64)> {
    (0..ROUNDS).find_map(|seed| {
        let (mut chance, mut machine) = (Prng::new(seed), Machine::new());
        (0..STEPS).find_map(|_| {
            machine.step(&mut chance, way);
            Some((seed, machine.lost_bytes())).filter(|(_, lost)| *lost > 0)
        })
    })
}

#[test]
fn a_power_cut_loses_nothing_for_either_reader() {
    assert_eq!(first_loss(Way::ByTheLaw), None);
}

#[test]
fn much_is_reclaimed_all_the_same() {
    let (mut chance, mut machine) = (Prng::new(7), Machine::new());
    (0..100 * STEPS).for_each(|_| machine.step(&mut chance, Way::ByTheLaw));
    assert!(machine.gone > machine.written / 2, "{} of {}", machine.gone, machine.written);
}

#[test]
fn what_leaves_the_law_is_found() {
    for way in [Way::BeforeTheFlush, Way::ByTheStreamsAlone, Way::ByTruncation] {
        assert!(first_loss(way).is_some(), "{way:?}");
    }
}
