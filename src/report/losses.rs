//! What was destroyed before it was read: how much, of which file, and why. Nobody can bring it back; that it is gone is said.

use std::path::Path;

use super::message::counted;

/// Why bytes were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Their file was truncated or overwritten.
    Truncated,
    /// Their file was deleted, and the program ended before it had streamed them.
    Deleted,
    /// Their file vanished while it was closed to stay within the open-file limit.
    Closed,
    /// They were written to a renamed file that had been quiet for so long that it was let go.
    LetGo,
    /// Their file was deleted, and let go because the directories took more than their budget.
    OverBudget,
    /// Their file was deleted while it waited, because there are too many that have something to be streamed.
    Waiting,
}

impl Cause {
    const ALL: [Self; 6] = [Self::Truncated, Self::Deleted, Self::Closed, Self::LetGo, Self::OverBudget, Self::Waiting];

    /// Returns its name, for programs.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Deleted => "deleted",
            Self::Closed => "closed",
            Self::LetGo => "let-go",
            Self::OverBudget => "over-budget",
            Self::Waiting => "waiting",
        }
    }

    /// Returns what happened, and the way out.
    fn reason(self) -> &'static str {
        match self {
            Self::Truncated => {
                "it was truncated or overwritten before they were read; rotate it by renaming, or let sidetail reclaim its disk \
                 (SIDETAIL_ROTATE_SIZE)"
            }
            Self::Deleted => {
                "it was deleted, and sidetail ended before they were read; raise SIDETAIL_DRAIN_TIMEOUT, or keep rotated files \
                 for longer"
            }
            Self::Closed => {
                "it disappeared while it was closed to stay within the open-file limit; raise that limit, or keep rotated files for \
                 longer"
            }
            Self::LetGo => {
                "they were written long after it was renamed, when sidetail no longer read it; have its writer reopen its log \
                 after a rotation"
            }
            Self::OverBudget => {
                "it was deleted, nobody reads stdout or stderr, and SIDETAIL_DIR_BUDGET is used up; check that the streams are \
                 read, or give the volume more space"
            }
            Self::Waiting => {
                "it was deleted while it waited: more files have unread data than sidetail can follow at a time; keep rotated \
                 files for longer, or match fewer files"
            }
        }
    }
}

/// How many bytes were lost, by cause.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LostBytes([u64; Cause::ALL.len()]);

impl LostBytes {
    /// Counts bytes of a file that were lost, and says so; 0 for a number that nobody knows.
    pub(crate) fn add(&mut self, path: &Path, cause: Cause, bytes: u64) {
        self.0[cause as usize] += bytes;
        let (shown, reason) = (path.display(), cause.reason());
        let amount = if bytes == 0 { "the unread part".to_owned() } else { counted(bytes, "byte") };
        // By kind, so that of two losses of one file with different causes each is said.
        tracing::warn!(kind = cause.name(), file = %shown, "cannot stream {amount} of {shown}: {reason}");
    }

    /// Returns all of them together.
    #[must_use]
    pub(crate) fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Returns them by cause.
    pub(crate) fn by_cause(&self) -> impl Iterator<Item = (Cause, u64)> {
        Cause::ALL.into_iter().zip(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_counted_by_cause() {
        let mut lost = LostBytes::default();
        for (cause, bytes) in [(Cause::LetGo, 3), (Cause::Truncated, 4), (Cause::LetGo, 10), (Cause::Closed, 0)] {
            lost.add(Path::new("/logs/app.log"), cause, bytes);
        }
        let by_cause: Vec<_> = lost.by_cause().map(|(cause, bytes)| (cause.name(), bytes)).collect();
        assert_eq!(
            by_cause,
            [("truncated", 4), ("deleted", 0), ("closed", 0), ("let-go", 13), ("over-budget", 0), ("waiting", 0)]
        );
        assert_eq!(lost.all(), 17);
    }
}
