//! Renamed files that were let go because they were quiet, and are written to once more: nobody reads them any more, so what is
//! written is lost, and said. The last ones are remembered, by what they are and how long they were.

use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;

use crate::paths::beneath::{FileId, Stat, real_path};
use crate::shelf::followed::Followed;

/// How many are remembered.
const REMEMBERED_MAX: usize = 128;

/// At every so many safety ticks all of them are looked at: events tell of most.
const TICKS: u32 = 16;

/// A file that was let go.
#[derive(Debug)]
struct LetGoFile {
    id: FileId,
    path: Rc<Path>,
    root: Rc<Path>,
    /// Up to where nothing of it is lost, or was said to be.
    told_to: u64,
}

/// The files that were let go last.
#[derive(Debug, Default)]
pub(super) struct LetGo {
    files: VecDeque<LetGoFile>,
    ticks: u32,
}

impl LetGo {
    /// Remembers a file that is let go, as far as anybody can still write to it under a name.
    pub(super) fn add(&mut self, file: &Followed) {
        let Ok(opened) = file.follower.file() else { return };
        if Stat::of(opened).map_or(0, |stat| stat.links) == 0 {
            return;
        }
        let path = real_path(opened).map_or_else(|| Rc::clone(&file.path), Rc::from);
        if self.files.len() == REMEMBERED_MAX {
            self.files.pop_front();
        }
        let (id, told_to, root) = (file.follower.id(), file.follower.read_to(), Rc::clone(&file.lineage.root));
        self.files.push_back(LetGoFile { id, path, root, told_to });
    }

    /// Forgets a file that is followed again.
    pub(super) fn forget(&mut self, id: FileId) {
        self.files.retain(|file| file.id != id);
    }

    /// Returns whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns whether it is time to look at all of them.
    pub(super) fn is_time(&mut self) -> bool {
        self.ticks += 1;
        !self.files.is_empty() && self.ticks.is_multiple_of(TICKS)
    }

    /// Returns where they are, or were when they were looked at last, and beneath which roots.
    pub(super) fn places(&self) -> Vec<(Rc<Path>, Rc<Path>)> {
        self.files.iter().map(|file| (Rc::clone(&file.path), Rc::clone(&file.root))).collect()
    }

    /// Returns the root that one of them in this directory is beneath.
    pub(super) fn root_of(&self, directory: &Path) -> Option<Rc<Path>> {
        self.files.iter().find(|file| file.path.parent() == Some(directory)).map(|file| Rc::clone(&file.root))
    }

    /// Returns by how much one of them has grown that has this path now, since this was last asked.
    pub(super) fn grown_bytes(&mut self, stat: Stat, path: &Path) -> u64 {
        let Some(file) = self.files.iter_mut().find(|file| file.id == stat.id) else { return 0 };
        let bytes = stat.size.saturating_sub(file.told_to);
        // What was cut off is written anew.
        file.told_to = stat.size;
        if *file.path != *path {
            file.path = Rc::from(path);
        }
        bytes
    }
}
