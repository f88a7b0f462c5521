//! Other names under which events report followed files: where a link leads, a second name.
//!
//! They are hints, and whoever may write to the directory makes any number of them: they are forgotten when nothing is there any
//! more, and all of them when they take too much room. Then a line comes at the next tick in the place of at once.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use super::lineage::Key;

/// How much room all names may take, in bytes.
const BYTES_MAX: usize = 128 * 1024;

/// What a name takes beside its bytes.
const ENTRY_BYTES: usize = 64;

/// The other names.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    keys: HashMap<Rc<Path>, Key>,
    bytes: usize,
}

impl Aliases {
    pub(super) fn add(&mut self, path: &Path, key: Key) {
        if let Some(of) = self.keys.get_mut(path) {
            *of = key;
            return;
        }
        if self.bytes + bytes_of(path) > BYTES_MAX {
            *self = Self::default();
        }
        self.bytes += bytes_of(path);
        self.keys.insert(Rc::from(path), key);
    }

    pub(super) fn key(&self, path: &Path) -> Option<Key> {
        self.keys.get(path).copied()
    }

    /// Forgets a name that nothing is at any more.
    pub(super) fn forget(&mut self, path: &Path) {
        if self.keys.remove(path).is_some() {
            self.bytes -= bytes_of(path);
        }
    }

    /// Forgets all names of a file.
    pub(super) fn forget_file(&mut self, key: Key) {
        let Self { keys, bytes } = self;
        keys.retain(|path, of| {
            let is_kept = *of != key;
            *bytes -= if is_kept { 0 } else { bytes_of(path) };
            is_kept
        });
    }
}

fn bytes_of(path: &Path) -> usize {
    path.as_os_str().len() + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_names_a_file_is_given_they_take_little_room() {
        let mut aliases = Aliases::default();
        let name = |number: usize| format!("/logs/{}{number}.log", "n".repeat(235));
        for number in 0..20_000 {
            aliases.add(name(number).as_ref(), 1);
            assert!(aliases.keys.keys().map(|path| bytes_of(path)).sum::<usize>() <= BYTES_MAX);
            assert_eq!(aliases.key(name(number).as_ref()), Some(1), "the last one is known");
        }
        assert!(aliases.keys.len() > 100, "many are known");
    }

    #[test]
    fn what_is_forgotten_takes_no_room() {
        let mut aliases = Aliases::default();
        for (path, key) in [("/a", 1), ("/b", 1), ("/c", 2), ("/d", 3), ("/c", 3)] {
            aliases.add(path.as_ref(), key);
        }
        aliases.forget("/d".as_ref());
        aliases.forget("/not there".as_ref());
        assert_eq!((aliases.key("/c".as_ref()), aliases.keys.len()), (Some(3), 3));
        aliases.forget_file(1);
        aliases.forget_file(3);
        assert_eq!((aliases.bytes, aliases.keys.len()), (0, 0));
    }
}
