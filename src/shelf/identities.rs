//! Which followed file has which identity: some twenty bytes for each, because there may be thousands.
//!
//! Invariant: a file's key stands under the checksum of its identity, and nowhere else.

use std::collections::BTreeSet;

use super::lineage::Key;
use crate::paths::beneath::FileId;

/// The keys of files by the checksums of their identities; whoever asks knows the identity of a key.
#[derive(Debug, Default)]
pub(super) struct Identities(BTreeSet<(u64, Key)>);

impl Identities {
    pub(super) fn add(&mut self, id: FileId, key: Key) {
        self.0.insert((id_sum(id), key));
    }

    pub(super) fn remove(&mut self, id: FileId, key: Key) {
        self.0.remove(&(id_sum(id), key));
    }

    /// Returns the first file that may have this identity and for which `is_it` holds.
    pub(super) fn find<T>(&self, id: FileId, is_it: impl FnMut(Key) -> Option<T>) -> Option<T> {
        let sum = id_sum(id);
        self.0.range((sum, Key::MIN)..=(sum, Key::MAX)).map(|(_, key)| *key).find_map(is_it)
    }
}

/// Two identities may have the same sum, though hardly ever.
fn id_sum(id: FileId) -> u64 {
    let parts = [id.ino, id.btime.cast_unsigned()];
    parts.into_iter().fold(id.dev, |sum, part| (sum.rotate_left(29) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
