//! What truncations destroyed before it was read, as far as no copy of it was found: that has it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::start::earlier_paths;
use crate::read::position::Position;

/// For how long a copy is awaited that holds what was destroyed, while files look like copies in the making.
const COPY_MAX: Duration = Duration::from_secs(12);

/// Of how many truncations it is not decided yet what was lost, at most.
const UNDECIDED_MAX: usize = 256;

/// How many files that were begun lately are remembered.
const BEGUN_MAX: usize = 16;

/// What one truncation destroyed, less what copies of it hold.
#[derive(Debug)]
pub(super) struct DestroyedRange {
    pub(super) path: Rc<Path>,
    /// Where it began.
    from: Position,
    pub(super) bytes: u64,
    since: Instant,
}

impl DestroyedRange {
    /// Takes off what a file holds, if that is a copy of just what was destroyed.
    fn find(&mut self, begun: &BegunFile) {
        // Where nothing had been streamed every file begins at the same position: then the name must fit, too.
        let fits = begun.from.offset > 0 || earlier_paths(&begun.path).any(|path| *path == *self.path);
        if begun.from == self.from && fits {
            self.bytes = self.bytes.saturating_sub(begun.bytes);
        }
    }
}

/// A file that was begun lately: perhaps a copy of one of which it is not known yet that it was truncated.
#[derive(Debug)]
struct BegunFile {
    path: PathBuf,
    from: Position,
    bytes: u64,
}

/// What was destroyed, until it is decided that it is lost.
#[derive(Debug, Default)]
pub(super) struct Destroyed {
    ranges: Vec<DestroyedRange>,
    begun: VecDeque<BegunFile>,
}

impl Destroyed {
    /// Adds what was destroyed of a file, from a position on; returns what has to make room for it.
    pub(super) fn add(&mut self, path: Rc<Path>, from: Position, bytes: u64) -> Vec<DestroyedRange> {
        let mut range = DestroyedRange { path, from, bytes, since: Instant::now() };
        self.begun.iter().for_each(|begun| range.find(begun));
        let too_many = if self.ranges.len() < UNDECIDED_MAX { Vec::new() } else { self.take() };
        self.ranges.push(range);
        too_many
    }

    /// Notes that a file of this path, of which nothing was known, is streamed from a position on, behind which it has so many
    /// bytes.
    pub(super) fn note_begun(&mut self, path: &Path, from: Position, bytes: u64) {
        let begun = BegunFile { path: path.to_owned(), from, bytes };
        self.ranges.iter_mut().for_each(|range| range.find(&begun));
        if self.begun.len() == BEGUN_MAX {
            self.begun.pop_front();
        }
        self.begun.push_back(begun);
    }

    /// Takes what is decided: all of it, unless a copy may still be in the making.
    pub(super) fn take_decided(&mut self, may_copy_come: bool) -> Vec<DestroyedRange> {
        let is_decided = |range: &DestroyedRange| !may_copy_come || range.since.elapsed() >= COPY_MAX;
        if self.ranges.iter().any(is_decided) { self.take() } else { Vec::new() }
    }

    /// Takes all of it: there is no later.
    pub(super) fn take(&mut self) -> Vec<DestroyedRange> {
        std::mem::take(&mut self.ranges)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Position {
        Position { offset, ..Position::default() }
    }

    #[track_caller]
    fn check(copy: &str, from: u64, expected: u64) {
        for is_copy_first in [true, false] {
            let mut destroyed = Destroyed::default();
            if is_copy_first {
                destroyed.note_begun(Path::new(copy), at(from), 60);
            }
            destroyed.add(Rc::from(Path::new("/logs/app.log")), at(from.min(500)), 100);
            if !is_copy_first {
                destroyed.note_begun(Path::new(copy), at(from), 60);
            }
            assert!(destroyed.take_decided(true).is_empty(), "a copy may come");
            let lost: Vec<_> = destroyed.take_decided(false).iter().map(|range| range.bytes).collect();
            assert_eq!(lost, [expected], "{copy} from {from}, first: {is_copy_first}");
        }
    }

    #[test]
    fn what_a_copy_holds_is_not_lost() {
        check("/logs/old/any-name", 500, 40);
        check("/logs/app.log.1", 501, 100);
        check("/logs/app.log.1", 0, 40);
        check("/logs/another.log", 0, 100);
    }
}
