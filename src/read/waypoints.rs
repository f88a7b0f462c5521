//! Offsets that a file was read up to, each with a hash of the bytes before it: by them a copy, or a file whose offset is in
//! doubt, is held against what was read.
//!
//! The last ends of reads are all there; of earlier ones those at about doubling distances from the last.

use super::buffer::MARKER_BYTES;
use super::position::Digest;

/// How many are kept of one file.
pub(crate) const WAYPOINTS_MAX: usize = 16;

/// How many of them are the last ends of reads.
const LAST: usize = 8;

/// An offset, and the [`Digest::hash`] of the 128 bytes before it, or of all bytes before it if these are fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waypoint {
    /// The offset, in bytes.
    pub offset: u64,
    /// The hash.
    pub hash: u64,
}

impl Waypoint {
    /// Returns the digest of the bytes before it.
    pub(crate) fn marker(&self) -> Digest {
        Digest { bytes: self.offset.min(MARKER_BYTES as u64), hash: self.hash }
    }
}

/// The waypoints of one file, in the order of their offsets, which is that of time.
#[derive(Debug, Clone, Default)]
pub struct Waypoints(Kept);

/// Many files are read just once: those have room for one, all others for all.
#[derive(Debug, Clone, Default)]
enum Kept {
    #[default]
    None,
    One(Waypoint),
    Many(Vec<Waypoint>),
}

impl PartialEq for Waypoints {
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

impl Eq for Waypoints {}

impl Waypoints {
    /// Takes over what was kept; what is not in order, or too much, is left out.
    #[must_use]
    pub fn kept(kept: impl IntoIterator<Item = Waypoint>) -> Self {
        let mut waypoints = Self::default();
        for waypoint in kept {
            waypoints.push_behind(waypoint);
        }
        waypoints
    }

    /// Returns all of them, the earliest first.
    #[must_use]
    pub fn all(&self) -> &[Waypoint] {
        match &self.0 {
            Kept::None => &[],
            Kept::One(waypoint) => std::slice::from_ref(waypoint),
            Kept::Many(waypoints) => waypoints,
        }
    }

    /// Adds the end of a read; `marker` is what stands before it, up to [`MARKER_BYTES`]. If that is less than it could be, as
    /// behind a hole, nothing is known of the bytes before, and nothing is added.
    pub(super) fn add(&mut self, offset: u64, marker: &[u8]) {
        let is_whole = marker.len() as u64 == offset.min(MARKER_BYTES as u64);
        if is_whole {
            self.push_behind(Waypoint { offset, hash: Digest::of(marker).hash });
        }
    }

    /// Forgets all: the file holds something else now.
    pub(super) fn clear(&mut self) {
        self.0 = Kept::None;
    }

    /// Shifts all of them after this many bytes at the beginning were collapsed away; those whose bytes are gone, or are no
    /// longer 128, are forgotten.
    pub fn collapsed(&mut self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let is_left = |waypoint: &Waypoint| waypoint.offset >= bytes.saturating_add(MARKER_BYTES as u64);
        let moved = |waypoint: &Waypoint| Waypoint { offset: waypoint.offset - bytes, ..*waypoint };
        *self = Self::kept(self.all().iter().filter(|one| is_left(one)).map(moved));
    }

    /// Adds one, if it is behind all others.
    fn push_behind(&mut self, waypoint: Waypoint) {
        let end = self.all().last().map_or(0, |last| last.offset);
        if waypoint.offset <= end {
            return;
        }
        match &mut self.0 {
            Kept::None => self.0 = Kept::One(waypoint),
            Kept::One(first) => {
                let mut waypoints = Vec::with_capacity(WAYPOINTS_MAX);
                waypoints.extend([*first, waypoint]);
                self.0 = Kept::Many(waypoints);
            }
            Kept::Many(waypoints) => {
                if waypoints.len() == WAYPOINTS_MAX {
                    waypoints.remove(least_needed(waypoints, waypoint.offset));
                }
                waypoints.push(waypoint);
            }
        }
    }
}

/// Returns which of the earlier ones is missed least: the one between whose neighbours the distance from `end` grows least.
/// The first of all stays.
fn least_needed(waypoints: &[Waypoint], end: u64) -> usize {
    let distance = |at: usize| end - waypoints[at].offset;
    let growth = |at: &usize| u128::from(distance(at - 1)) * 1024 / u128::from(distance(at + 1).max(1));
    (1..=waypoints.len() - LAST).min_by_key(growth).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_up_to(ends: impl Iterator<Item = u64>) -> Waypoints {
        let mut waypoints = Waypoints::default();
        ends.for_each(|end| waypoints.add(end, &[b'x'; MARKER_BYTES]));
        waypoints
    }

    #[test]
    fn the_last_ends_are_there_and_earlier_ones_at_doubling_distances() {
        const READ: u64 = 65_536;
        for reads in [1, 8, 16, 17, 100, 10_000, 300_000] {
            let waypoints = read_up_to((1..=reads).map(|read| read * READ));
            let distances: Vec<u64> = waypoints.all().iter().rev().map(|one| reads - one.offset / READ).collect();
            assert_eq!(distances.len() as u64, reads.min(16), "{reads} reads");
            let last = reads.min(8);
            assert!(distances.iter().take(8).copied().eq(0..last), "{reads} reads: {distances:?}");
            assert!(waypoints.all()[0].offset == READ, "the first stays: {distances:?}");
            // Eight of them for all that is before the last eight ends: each step is about as long, in doublings.
            let doublings = (reads as f64 / 8.0).log2().max(1.0);
            let widest = distances.windows(2).skip(7).map(|two| two[1] as f64 / two[0] as f64).fold(1.0, f64::max);
            assert!(widest.log2() <= doublings / 8.0 * 3.0 + 1.0, "{reads} reads: {distances:?}");
        }
    }

    #[test]
    fn only_what_is_known_is_added() {
        let mut waypoints = Waypoints::default();
        waypoints.add(5, b"hello");
        waypoints.add(5, b"hello");
        waypoints.add(500, b"only a part of 128 bytes");
        assert_eq!(waypoints.all(), [Waypoint { offset: 5, hash: Digest::of(b"hello").hash }]);
    }

    #[test]
    fn a_collapse_moves_them_and_forgets_those_that_are_gone() {
        let mut waypoints = read_up_to([4096, 4200, 8192, 9000].into_iter());
        waypoints.collapsed(4096);
        assert_eq!(waypoints.all().iter().map(|one| one.offset).collect::<Vec<_>>(), [4096, 4904]);
    }

    #[test]
    fn what_was_kept_is_taken_over_if_it_is_in_order() {
        let waypoint = |offset| Waypoint { offset, hash: offset };
        let kept = Waypoints::kept([0, 10, 5, 10, 20].map(waypoint));
        assert_eq!(kept.all(), [waypoint(10), waypoint(20)]);
        assert_eq!(Waypoints::kept((1..1000).map(waypoint)).all().len(), WAYPOINTS_MAX);
    }
}
