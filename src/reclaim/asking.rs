//! What a file says of its own room when it is asked.

use std::io;

use crate::paths::beneath::Stat;
use crate::read::holes::hole_end;
use crate::shelf::followed::Followed;

/// Looks at the room of a file that was streamed up to where the checkpoint says.
pub(super) fn look_at(file: &mut Followed) -> io::Result<Stat> {
    let opened = file.follower.file()?;
    let stat = Stat::of(opened)?;
    if !file.progress.is_asked() {
        let end = hole_end(opened, 0)?.unwrap_or(0).min(file.progress.noted());
        file.progress.pass_over(end);
    }
    Ok(stat)
}

/// Passes over the hole that begins where something is to be reclaimed next, whoever made it: it holds nothing to reclaim, and
/// may be longer than any number of steps. Returns whether there was one.
pub(super) fn pass_over_hole(file: &mut Followed) -> io::Result<bool> {
    let kept = file.progress.reclaimed();
    let Some(end) = hole_end(file.follower.file()?, kept)? else { return Ok(false) };
    let end = end.min(file.progress.limit(1));
    file.progress.pass_over(end);
    Ok(end > kept)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;
    use std::path::Path;
    use std::rc::Rc;

    use super::*;
    use crate::read::follower::Follower;
    use crate::shelf::followed::Course;
    use crate::shelf::lineage::Lineage;
    use crate::shelf::progress::Progress;

    const GIB: u64 = 1 << 30;

    /// A block of data at each of these offsets, and nothing between.
    fn sparse(offsets: &[u64]) -> Followed {
        let file: File = tempfile::tempfile().expect("a temporary file");
        for offset in offsets {
            file.write_all_at(&[b'x'; 4096], *offset).expect("written");
        }
        let id = Stat::of(&file).expect("it is open").id;
        let path: Rc<Path> = Rc::from(Path::new("/logs/app.log"));
        let lineage = Lineage::new(Rc::clone(&path), Rc::from(Path::new("/logs")), 0);
        let follower = Follower::from_beginning(id, file.into());
        Followed::new(follower, Rc::new(lineage), path, Course::default())
    }

    /// A file that was streamed up to here.
    fn noted(offset: u64) -> Progress {
        let mut progress = Progress::default();
        progress.take(offset);
        progress.note();
        progress
    }

    #[test]
    fn a_file_that_begins_with_a_hole_was_reclaimed_up_to_its_end() {
        for (offsets, saved, expected) in [
            (&[0][..], 4096, 0),
            (&[64 * GIB], 64 * GIB + 4096, 64 * GIB),
            // Not all of the hole is streamed.
            (&[64 * GIB], 4096, 4096),
        ] {
            let mut file = sparse(offsets);
            file.progress = noted(saved);
            look_at(&mut file).expect("it is open");
            assert_eq!(
                (file.progress.is_asked(), file.progress.reclaimed()),
                (true, expected),
                "{offsets:?}, {saved} streamed"
            );
        }
    }

    #[test]
    fn a_hole_of_any_length_is_passed_over_at_once_but_not_what_is_not_streamed() {
        for (kept, saved, expected) in [
            (0, 64 * GIB + 4096, None),
            (4096, 64 * GIB + 4096, Some(64 * GIB)),
            (8192, 64 * GIB + 4096, Some(64 * GIB)),
            (64 * GIB, 64 * GIB + 4096, None),
            (4096, GIB, Some(GIB - 128)),
            (4096, 4096, None),
        ] {
            let mut file = sparse(&[0, 64 * GIB]);
            file.progress = noted(saved);
            file.progress.pass_over(kept);
            let is_hole = pass_over_hole(&mut file).expect("it is open");
            assert_eq!(
                (is_hole, file.progress.reclaimed()),
                (expected.is_some(), expected.unwrap_or(kept)),
                "{kept} to {saved}"
            );
        }
    }
}
