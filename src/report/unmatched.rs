//! A pattern that matches nothing: what is there instead, and what it would match if it were not left out.

use std::path::PathBuf;

use super::finding::{Finding, Kind};
use crate::paths::around::Names;
use crate::paths::glob::{LeftOut, Pattern};

/// How many names are shown of what is there instead.
const NAMES_MAX: usize = 6;

/// How many patterns that match nothing are reported one by one: more messages would not fit into the queue.
pub(crate) const UNMATCHED_MAX: usize = 50;

impl Finding {
    /// Returns the finding that there are more such patterns than are reported one by one.
    #[must_use]
    pub(crate) fn more_unmatched() -> Self {
        let way_out = "check SIDETAIL_PATHS, or use fewer and wider patterns";
        Self::new(
            Kind::NoMatch,
            format!("more than {UNMATCHED_MAX} patterns match nothing yet; not reporting the others; {way_out}"),
        )
    }

    /// Returns the finding that a pattern matches no file yet; of `left_out` those count that it matches.
    #[must_use]
    pub(crate) fn unmatched(pattern: &Pattern, left_out: &[(PathBuf, LeftOut)]) -> Self {
        let (text, root) = (pattern.text(), &pattern.root);
        let names = Names::of(root);
        let is_missing = names.as_ref().is_some_and(|names| names.directory != *root);
        let there = names.map(|names| match names.listed(NAMES_MAX) {
            none if none.is_empty() => format!("{} is empty", names.directory.display()),
            listed => format!("{} has {listed}", names.directory.display()),
        });
        let there = there.map_or(String::new(), |there| format!(": {there}"));
        if is_missing {
            let way_out = "if it is on a volume of the application, mount that volume in this container too";
            return Self::of(
                root,
                Kind::DirectoryMissing,
                format!(
                    "{} does not exist yet, so {text} matches nothing{there}; still watching; {way_out}",
                    root.display()
                ),
            );
        }
        let left_out = left_out.iter().filter(|(path, _)| pattern.matches(path));
        let left_out: String =
            left_out.map(|(path, why)| format!("; {} matches but is {}", path.display(), why.reason())).collect();
        let way_out = "check that the application writes there and that both containers mount the volume";
        Self::new(Kind::NoMatch, format!("{text} matches nothing yet{there}{left_out}; still watching; {way_out}"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn unmatched(text: &str, cwd: &Path, left_out: &[(PathBuf, LeftOut)]) -> Finding {
        Finding::unmatched(&Pattern::parse(text.as_bytes(), cwd).expect(text)[0], left_out)
    }

    #[test]
    fn what_is_there_instead_is_named() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let at = dir.path();
        let empty = unmatched("*.log", at, &[]);
        assert!(empty.text.starts_with(&format!("{0}/*.log matches nothing yet: {0} is empty; still", at.display())));
        for name in ["application.txt", "gc.log.0"] {
            fs::write(at.join(name), "").expect("written");
        }
        let found =
            unmatched("*.log", at, &[(at.join("a.log"), LeftOut::Excluded), (at.join("b.gz"), LeftOut::Compressed)]);
        let words = format!(
            "{0}/*.log matches nothing yet: {0} has application.txt, gc.log.0; {0}/a.log matches but is excluded by SIDETAIL_EXCLUDE; \
             still watching; check that",
            at.display()
        );
        assert!(found.text.starts_with(&words) && found.kind == Kind::NoMatch, "{}", found.text);
        let missing = unmatched("app/x/*.log", at, &[]);
        let words = format!(
            "{0}/app/x does not exist yet, so {0}/app/x/*.log matches nothing: {0} has application.txt, gc.log.0; still watching; if",
            at.display()
        );
        assert!(missing.text.starts_with(&words) && missing.kind == Kind::DirectoryMissing, "{}", missing.text);
    }
}
