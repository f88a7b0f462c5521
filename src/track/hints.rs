//! What the hints of one wake-up come to.

use std::path::PathBuf;

use crate::paths::discover::Discovery;
use crate::paths::watch::Hint;
use crate::shelf::files::Files;

/// What the hints of one wake-up come to.
#[derive(Debug, Default)]
pub(super) struct Hints {
    pub(super) entries: Vec<PathBuf>,
    pub(super) anything: bool,
    pub(super) written: bool,
    pub(super) elsewhere: bool,
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
                    Some(key) => files.make_ready(key),
                    None => self.elsewhere = true,
                }
            }
            Hint::Entry(directory, name) => {
                let path = directory.join(name);
                self.anything |= discovery.may_lead_to_files(directory, name);
                if self.entries.last() != Some(&path) {
                    self.entries.push(path);
                }
            }
        }
    }
}
