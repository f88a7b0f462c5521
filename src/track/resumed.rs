//! What a person at a terminal sees of files that an earlier process has streamed in part: otherwise nothing at all seems to
//! happen.

use std::path::Path;

use super::tracker::Tracker;
use crate::report::message::counted;

/// How many files are named, each on a line.
const NAMED_MAX: usize = 8;

impl Tracker {
    /// Logs of each followed file where it goes on, if that is not its beginning.
    pub(crate) fn tell_resumed(&self) {
        let resumed = || self.files.iter().map(|(_, file)| file).filter(|file| file.follower.offset() > 0);
        for file in resumed().take(NAMED_MAX) {
            let (path, offset) = (shown(&file.path, &self.config.cwd), file.follower.offset());
            tracing::warn!(
                file = %file.path.display(),
                "streaming goes on at byte {offset} of {path} (SIDETAIL_STATE=off starts over)"
            );
        }
        let more = resumed().count().saturating_sub(NAMED_MAX);
        if more > 0 {
            let files = counted(more as u64, "more file");
            tracing::warn!("streaming goes on within {files} (SIDETAIL_STATE=off starts over)");
        }
    }
}

/// Returns a path as the person would type it.
fn shown(path: &Path, cwd: &Path) -> String {
    path.strip_prefix(cwd).unwrap_or(path).display().to_string()
}
