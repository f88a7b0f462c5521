//! What the hints of one wake-up come to.

use std::path::PathBuf;

use crate::paths::discover::Discovery;
use crate::paths::watch::Hint;
use crate::shelf::files::Files;
use crate::shelf::lineage::Key;

/// How many files are looked at that wait for their turns, at most; the others are at the next tick.
const WAITING_MAX: usize = 64;

/// How many names are looked at; of more than that the look at all patterns takes care.
const ENTRIES_MAX: usize = 512;

/// What the hints of one wake-up come to.
#[derive(Debug, Default)]
pub(super) struct Hints {
    pub(super) entries: Vec<PathBuf>,
    pub(super) anything: bool,
    pub(super) written: bool,
    /// Whether no file has a turn soon.
    pub(super) are_turns_late: bool,
    /// Files that were written to while they wait for their turns.
    pub(super) waiting: Vec<Key>,
    pub(super) elsewhere: bool,
    /// Whether it is of interest which files were written to that are not followed.
    pub(super) wants_unknown: bool,
    /// Those files.
    pub(super) unknown: Vec<PathBuf>,
    path: PathBuf,
}

impl Hints {
    pub(super) fn add(&mut self, hint: Hint<'_>, files: &mut Files, discovery: &Discovery) {
        match hint {
            Hint::Anything => self.anything = true,
            Hint::Written(directory, name) => {
                self.written = true;
                self.path.clear();
                self.path.push(directory);
                self.path.push(name);
                match files.named_by_event(&self.path) {
                    Some(key) => {
                        let waits = self.are_turns_late || files.is_waiting(key);
                        files.make_ready(key);
                        if waits && self.waiting.len() < WAITING_MAX && !self.waiting.contains(&key) {
                            self.waiting.push(key);
                        }
                    }
                    // One that sleeps, or waits for a place, has no other name here.
                    None if discovery.is_matched(&self.path) && !discovery.is_left_out(&self.path) => {
                        let path = self.path.clone();
                        self.add_entry(path);
                    }
                    None => {
                        self.elsewhere = true;
                        if self.wants_unknown && self.unknown.len() < WAITING_MAX && !self.unknown.contains(&self.path)
                        {
                            self.unknown.push(self.path.clone());
                        }
                    }
                }
            }
            Hint::Entry(directory, name) => {
                let path = directory.join(name);
                self.anything |= discovery.may_lead_to_files(directory, name);
                self.add_entry(path);
            }
        }
    }

    fn add_entry(&mut self, path: PathBuf) {
        if self.entries.len() >= ENTRIES_MAX {
            self.anything = true;
        } else if self.entries.last() != Some(&path) {
            self.entries.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::Path;

    use super::*;
    use crate::paths::beneath::Links;
    use crate::paths::glob::{NameGlob, Pattern};

    #[test]
    fn a_write_to_an_excluded_or_compressed_name_is_one_elsewhere_and_nothing_is_looked_at() {
        let patterns = Pattern::parse(b"/logs/*.log*", Path::new("/")).expect("a pattern");
        let excluded = NameGlob::parse(b"*.old").expect("a glob");
        let discovery = Discovery::new(patterns, vec![excluded], Links::Inside);
        for (name, is_elsewhere) in [("app.log.old", true), ("app.log.gz", true), ("app.txt", true), ("app.log", false)]
        {
            let mut hints = Hints::default();
            hints.add(Hint::Written(Path::new("/logs"), OsStr::new(name)), &mut Files::default(), &discovery);
            assert_eq!((hints.elsewhere, hints.entries.is_empty()), (is_elsewhere, is_elsewhere), "{name}");
        }
    }
}
