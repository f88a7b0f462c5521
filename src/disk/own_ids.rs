//! Which files are archives of ours: known by what they are, because others may use names of the same kind.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use crate::paths::beneath::FileId;

/// How many archives are known, at most: half a mebibyte. Further ones get names that nobody else uses.
const OWN_MAX: usize = 32_768;

/// The archives that are ours, by [`FileId::sum`]; whoever holds them sees what is added.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnIds(Rc<RefCell<Ids>>);

#[derive(Debug, Default)]
struct Ids {
    sums: HashSet<u64>,
    /// Those that are gone, and that whoever keeps them was not told of yet.
    gone: Vec<u64>,
}

impl OwnIds {
    /// Returns whether a file is an archive of ours, as far as its identity shows.
    #[must_use]
    pub(crate) fn has(&self, id: FileId) -> bool {
        self.0.borrow().sums.contains(&id.sum())
    }

    /// Adds one by its sum; says whether there was room for it.
    pub(crate) fn add(&self, sum: u64) -> bool {
        let sums = &mut self.0.borrow_mut().sums;
        if sums.len() < OWN_MAX {
            sums.insert(sum);
        }
        sums.contains(&sum)
    }

    /// Takes one out that is gone, or never became an archive.
    pub(crate) fn remove(&self, id: FileId) {
        let mut ids = self.0.borrow_mut();
        if ids.sums.remove(&id.sum()) {
            ids.gone.push(id.sum());
        }
    }

    /// Forgets one by its sum.
    pub(crate) fn forget(&self, sum: u64) {
        self.0.borrow_mut().sums.remove(&sum);
    }

    /// Takes those that are gone since this was last asked.
    pub(crate) fn take_gone(&self) -> Vec<u64> {
        std::mem::take(&mut self.0.borrow_mut().gone)
    }

    /// Returns all of them.
    pub(crate) fn all(&self) -> Vec<u64> {
        self.0.borrow().sums.iter().copied().collect()
    }
}
