//! What is where a pattern matches nothing: other names, and files that match but are left out.
//!
//! For people: names are shown, never opened. What is looked at is bounded, whatever the application makes.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::beneath::Links;
use super::discover::Found;
use super::glob::{Pattern, is_compressed};
use super::roots::Roots;
use super::siblings::earlier_names;

/// How many entries of a directory are looked at.
const ENTRIES_MAX: usize = 1000;

/// How many directories are listed for one pattern.
const DIRECTORIES_MAX: usize = 16;

/// The names in a directory, sorted; those of directories end with a `/`. Hidden ones are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// The deepest directory that exists on the way to the one that was asked for.
    pub directory: PathBuf,
    pub names: Vec<String>,
    /// There are more than were looked at.
    is_cut: bool,
}

impl Names {
    /// Looks at a directory or, if that does not exist, at the deepest one above it that does; `None` if that may not be listed.
    #[must_use]
    pub(crate) fn of(directory: &Path) -> Option<Self> {
        let roots = Roots::new(Links::Inside);
        let open = |path: &Path| roots.open(path).ok();
        let (directory, root) = directory.ancestors().find_map(|path| Some((path, open(path)?)))?;
        let (listing, _) = root.open_dir(Path::new("")).ok()?;
        let mut entries = listing.flatten();
        let mut names: Vec<String> = (&mut entries)
            .take(ENTRIES_MAX)
            .filter(|entry| !entry.file_name().to_bytes().starts_with(b"."))
            .map(|entry| {
                let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_string_lossy();
                let slash = if entry.file_type() == FileType::Directory { "/" } else { "" };
                format!("{name}{slash}")
            })
            .collect();
        names.sort_unstable();
        let is_cut = entries.next().is_some();
        Some(Self { directory: directory.to_owned(), names, is_cut })
    }

    /// Returns the files in a pattern's fixed directory, and in those of the files that are found beneath it, that no pattern
    /// matches: perhaps one should. Rotated files are not among them, they are followed too.
    #[must_use]
    pub(crate) fn of_files_beside(root: &Path, patterns: &[Pattern], found: &[Found]) -> Self {
        let beneath = found.iter().filter_map(|one| one.path.parent()).filter(|directory| directory.starts_with(root));
        let directories: BTreeSet<&Path> = beneath.chain([root]).collect();
        let mut is_cut = directories.len() > DIRECTORIES_MAX;
        let mut names = Vec::new();
        for directory in directories.into_iter().take(DIRECTORIES_MAX).filter_map(Self::of) {
            let files =
                directory.names.iter().filter(|name| !name.ends_with('/')).map(|name| directory.directory.join(name));
            is_cut |= directory.is_cut;
            let is_beside =
                |path: &PathBuf| directory.directory.starts_with(root) && !is_wanted(path, patterns, &directory.names);
            names.extend(
                files.filter(is_beside).map(|path| path.strip_prefix(root).unwrap_or(&path).display().to_string()),
            );
        }
        Self { directory: root.to_owned(), names, is_cut }
    }

    /// Returns the first names, separated by commas, and how many more there are, or that these are not all.
    #[must_use]
    pub(crate) fn listed(&self, most: usize) -> String {
        let mut text = self.names.iter().take(most).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = self.names.len().saturating_sub(most);
        match self.is_cut {
            true => text.push_str(&format!(" and more than {more} more")),
            false if more > 0 => text.push_str(&format!(" and {more} more")),
            false => {}
        }
        text
    }
}

/// Returns whether a pattern matches a path, or one that the file may have been rotated away from; `names` are those beside it.
fn is_wanted(path: &Path, patterns: &[Pattern], names: &[String]) -> bool {
    let matches = |path: &Path| patterns.iter().any(|pattern| pattern.matches(path));
    let name = path.file_name().unwrap_or_default().as_bytes();
    let is_there = |earlier: &[u8]| names.iter().any(|name| name.as_bytes() == earlier);
    let earlier = || earlier_names(name).into_iter().filter(|earlier| is_there(earlier));
    is_compressed(path)
        || matches(path)
        || earlier().any(|name| matches(&path.with_file_name(OsStr::from_bytes(&name))))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_deepest_directory_that_exists_is_listed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in ["b.txt", "a.log", ".hidden"] {
            fs::write(dir.path().join(name), "").expect("written");
        }
        fs::create_dir(dir.path().join("sub")).expect("made");
        let names = Names::of(&dir.path().join("not/there")).expect("listed");
        assert_eq!(names.directory, dir.path());
        assert_eq!(names.listed(8), "a.log, b.txt, sub/");
        assert_eq!(names.listed(2), "a.log, b.txt and 1 more");
        for number in 0..ENTRIES_MAX - 10 {
            fs::write(dir.path().join(format!("sub/{number}.txt")), "").expect("written");
        }
        let listed = || Names::of(&dir.path().join("sub")).expect("listed").listed(2);
        assert_eq!(listed(), "0.txt, 1.txt and 988 more");
        (0..20).for_each(|number| fs::write(dir.path().join(format!("sub/{number}.csv")), "").expect("written"));
        assert!(listed().contains(" and more than 99"), "{}", listed());
        fs::remove_dir_all(dir.path().join("sub"))
            .and_then(|()| fs::create_dir(dir.path().join("sub")))
            .expect("empty");
        assert_eq!(Names::of(&dir.path().join("sub")).expect("listed").listed(8), "");
    }
}
