//! A checkpoint that was deleted while it was in use, or that could not be made at first: it is made again.

use std::ffi::OsStr;

use rustix::io::Errno;

use super::checkpoint::Checkpoint;

impl Checkpoint {
    /// Looks whether its file is where it should be, and makes it again if it is not and should be. Returns whether it is a new
    /// one, in which nothing is yet: no slot of before is anybody's then.
    pub(crate) fn renew(&mut self) -> bool {
        let Some(path) = self.path() else { return false };
        if let Some(store) = &self.store {
            let there = self.open_directory().and_then(|directory| directory.stat(OsStr::new(&self.name)));
            if store.is_in_place(there) {
                return false;
            }
            tracing::warn!(
                file = %path.display(),
                "the checkpoint {} was deleted or replaced; creating it again; exclude it from whatever cleans up there",
                path.display()
            );
            self.store = None;
        }
        let Some(directory) = &self.directory else { return false };
        let opened = self.open_store(directory).map_err(|failed| failed.why);
        match opened.and_then(|(mut store, _)| store.empty().map(|()| store)) {
            Ok(store) => {
                self.store = Some(store);
                self.book.renew(self.open_directory());
                if std::mem::take(&mut self.is_failing) {
                    tracing::warn!(file = %path.display(), "the checkpoint {} can be kept now", path.display());
                }
                true
            }
            Err(why) => {
                let is_only_late = self.is_beside_logs && Errno::from_io_error(&why) == Some(Errno::NOENT);
                if !is_only_late && !std::mem::replace(&mut self.is_failing, true) {
                    self.finding = Some(self.not_kept(&why));
                }
                false
            }
        }
    }
}
