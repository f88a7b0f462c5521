//! Files that are followed through a symbolic link: where it leads, and by which links on the way.
//!
//! Events name the place where something happens, not of the link that leads there: a target that is rotated, a link on the way
//! that is swapped. So each such place is known, with the path at which its file is followed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::start::earlier_paths;

/// How many links are known, at most; those beyond are looked at when something happens in their own directories.
const LINKS_MAX: usize = 1024;

/// How many links lead on to the next, at most: what the kernel follows (path_resolution(7): 40).
const HOPS_MAX: usize = 40;

/// The links that files are followed through.
#[derive(Debug, Default)]
pub(super) struct Linked {
    /// Of each link: the places on its way, the last of which is the file's own.
    ways: HashMap<Rc<Path>, Vec<Rc<Path>>>,
    /// Of each place: the link, the last that was found to lead there.
    links: HashMap<Rc<Path>, Rc<Path>>,
}

impl Linked {
    /// Notes where a link leads now, and returns the directories in which the places on its way are.
    pub(super) fn add(&mut self, link: &Path, is_allowed: impl Fn(&Path) -> bool) -> Vec<Rc<Path>> {
        let way: Vec<Rc<Path>> = hops(link).into_iter().filter(|place| is_allowed(place)).map(Rc::from).collect();
        if self.ways.get(link) == Some(&way) {
            return Vec::new();
        }
        let directories = way.iter().filter_map(|place| place.parent()).map(Rc::from).collect();
        if self.ways.len() >= LINKS_MAX && !self.ways.contains_key(link) {
            return directories;
        }
        let link: Rc<Path> = Rc::from(link);
        self.forget(&link);
        for place in &way {
            self.links.insert(Rc::clone(place), Rc::clone(&link));
        }
        // A link to the newest of dated files leads to others that are called so: they have a name in common.
        if let Some(last) = way.last() {
            for earlier in earlier_paths(last) {
                self.links.entry(Rc::from(earlier)).or_insert_with(|| Rc::clone(&link));
            }
        }
        self.ways.insert(link, way);
        directories
    }

    /// Returns the link that leads to a place, or through it, or led there under the name that it had before it was rotated.
    pub(super) fn link_to(&self, place: &Path) -> Option<&Rc<Path>> {
        self.links.get(place)
    }

    /// Returns the links.
    pub(super) fn links(&self) -> Vec<Rc<Path>> {
        self.ways.keys().cloned().collect()
    }

    /// Returns the directories of the files that the links lead to.
    pub(super) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.ways.values().filter_map(|way| way.last()?.parent())
    }

    /// Returns the file that a link leads to.
    pub(super) fn target_of(&self, link: &Path) -> Option<&Path> {
        self.ways.get(link)?.last().map(|place| &**place)
    }

    /// Returns the directory of the file that a link leads to.
    pub(super) fn directory_behind(&self, link: &Path) -> Option<&Path> {
        self.target_of(link)?.parent()
    }

    /// Forgets the links that are of no interest any more.
    pub(super) fn retain(&mut self, is_of_interest: impl Fn(&Path) -> bool) {
        for link in self.links() {
            if !is_of_interest(&link) {
                self.forget(&link);
            }
        }
    }

    fn forget(&mut self, link: &Path) {
        if self.ways.remove(link).is_some() {
            self.links.retain(|_, of| **of != *link);
        }
    }
}

/// Returns the places on the way of a link, behind it: each as it is really called, as events name it.
#[allow(clippy::disallowed_methods, reason = "it is only names, and nothing is opened by them")]
fn hops(link: &Path) -> Vec<PathBuf> {
    let mut hops = Vec::new();
    let mut at = link.to_owned();
    for _ in 0..HOPS_MAX {
        let (Some(above), Some(name)) = (at.parent(), at.file_name()) else { break };
        let Ok(real) = std::fs::canonicalize(above) else { break };
        let real = real.join(name);
        if real != link {
            hops.push(real.clone());
        }
        let Ok(target) = std::fs::read_link(&real) else { break };
        at = real.parent().unwrap_or(above).join(target);
    }
    hops
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn each_place_on_the_way_of_a_link_leads_back_to_it() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let root = dir.path().canonicalize().expect("a real path");
        fs::create_dir(root.join("data")).expect("a directory");
        let link = root.join("app.log");
        symlink("data/newest.log", &link).expect("a link");
        symlink("app-20261128.log", root.join("data/newest.log")).expect("a link");
        let mut linked = Linked::default();
        let directories = linked.add(&link, |_| true);
        assert!(directories.iter().all(|one| **one == root.join("data")) && directories.len() == 2);
        for place in ["newest.log", "app-20261128.log", "app.log"] {
            assert_eq!(linked.link_to(&root.join("data").join(place)).map(|one| &**one), Some(&*link), "{place}");
        }
        assert!(linked.add(&link, |_| true).is_empty(), "no news");
        assert_eq!(linked.directory_behind(&link), Some(&*root.join("data")));
        linked.retain(|_| false);
        assert!(linked.links().is_empty() && linked.link_to(&root.join("data/newest.log")).is_none());
    }

    #[test]
    fn links_in_a_circle_end() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        symlink("b", dir.path().join("a")).expect("a link");
        symlink("a", dir.path().join("b")).expect("a link");
        assert!(hops(&dir.path().join("a")).len() <= HOPS_MAX);
    }
}
