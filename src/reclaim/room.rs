//! What a file says of its own room when it is asked.

use std::io;

use crate::paths::beneath::Stat;
use crate::read::holes::hole_end;
use crate::shelf::files::Followed;

/// Looks at the room of a file that was streamed up to where the checkpoint says.
pub(super) fn look_at(file: &mut Followed) -> io::Result<Stat> {
    let opened = file.follower.file()?;
    let stat = Stat::of(opened)?;
    if file.room.kept.is_none() {
        file.room.kept = Some(hole_end(opened, 0)?.unwrap_or(0).min(file.room.saved));
    }
    Ok(stat)
}

/// Passes over the hole that begins where something is to be given back next, whoever made it: there is nothing to be given
/// back, and it may be longer than any number of steps. Says whether there was one.
pub(super) fn pass_over_hole(file: &mut Followed) -> io::Result<bool> {
    let kept = file.room.kept.unwrap_or(0);
    let Some(end) = hole_end(file.follower.file()?, kept)? else { return Ok(false) };
    let end = end.min(file.room.line_limit());
    file.room.kept = Some(end.max(kept));
    Ok(end > kept)
}
