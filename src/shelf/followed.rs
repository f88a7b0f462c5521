//! One followed file: its bytes, where its lines go, where it waits, and what is known of it beside that.
//!
//! A file is *attached* while it is at its path. When it is renamed away or deleted it is *detached*: it keeps its
//! descriptor, because its writer may go on, until it has been quiet for a while.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::lineage::{Key, Lineage};
use super::progress::Progress;
use super::rare::Rare;
use super::room::Room;
use crate::format::{FormatId, Judge, Level};
use crate::output::encode::object::Objects;
use crate::output::rules::{FileRouter, Route, Stream};
use crate::read::follower::Follower;
use crate::report::metrics::Noted;
use crate::shelf::entry::{Entry, Slot, Unknown};

/// How long a renamed file is kept open after its last line: a writer that reopens late still writes there.
const QUIET_LINKED: Duration = Duration::from_secs(60);

/// How long a deleted file is kept open after its last line: its disk space is only reclaimed when it is closed.
const QUIET_DELETED: Duration = Duration::from_secs(5);

/// Where a file waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queue {
    /// Nowhere: a hint brings it back.
    None,
    /// Among those that may go on.
    Ready,
    /// Behind a stream that is blocked.
    Blocked,
    /// Until a stream has accepted what it holds of this file.
    Held,
}

/// Where a file's lines go, as far as that follows from the lines before.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Course {
    /// Judges what the next line is.
    pub judge: Judge,
    /// Where the last record went: what continues it goes there too.
    pub(crate) record: Option<Route>,
    /// Where a line goes that was streamed in part, and ended by us.
    pub(crate) line: Option<Route>,
}

impl Course {
    /// Goes on where an earlier process stopped: behind a record that went to `record`, within a line that went to `line`.
    #[must_use]
    pub(crate) fn resumed(judge: Judge, line: Option<Route>, record: Option<Route>) -> Self {
        // What the record was is not kept, only where it went; what goes to stderr is an error more often than not.
        let level = (record == Some(Route::To(Stream::Stderr))).then_some(Level::Error);
        Self { judge: if record.is_some() { judge.resumed(level) } else { judge }, record, line }
    }
}

/// A followed file.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Its bytes.
    pub(crate) follower: Follower,
    /// Whose file it is.
    pub(crate) lineage: Rc<Lineage>,
    /// Where it was last seen.
    pub path: Rc<Path>,
    /// What its lines' bytes still have to be asked.
    pub(crate) router: FileRouter,
    /// What stands before each of its lines.
    pub(crate) opening: Box<[u8]>,
    /// What its last lines say of the next.
    pub(crate) course: Course,
    /// The format that was logged last: a line that must wait is judged again.
    pub told_format: Cell<Option<FormatId>>,
    /// The objects of its last record, if records are streamed as objects.
    pub(crate) objects: Option<Box<Objects>>,
    /// Whether its last record is streamed although lines may follow that continue it.
    pub(crate) is_record_due: bool,
    /// Whether its last record waits for such lines.
    pub(crate) is_record_waiting: bool,
    /// The stream that its next line needs, known from a look that found it blocked.
    pub(crate) blocked_on: Option<Stream>,
    /// How far it has come.
    pub(crate) progress: Progress,
    /// Whether the checkpoint could not be written when it was last to be noted there.
    pub(crate) is_unsaved: bool,
    /// Its slot in the checkpoint.
    pub slot: Option<Slot>,
    /// What a later version kept of it there.
    pub unknown: Option<Box<Unknown>>,
    /// Where it waits.
    pub(crate) queue: Queue,
    /// When it last gave something, or left its path.
    pub(crate) active: Instant,
    /// Size and modification time when it was closed to stay within the open-file limit.
    pub(crate) closed_at: Option<Box<(u64, i64)>>,
    /// Whether its turn was put off because an elder of its lineage had something left.
    pub(crate) is_put_off: bool,
    /// The elder that it last waited for because that had been written to, and the elder's size then.
    pub(crate) yielded_to: Option<Box<(Key, u64)>>,
    /// Whether it was left within a line by an earlier process: the rest comes before all other lines.
    pub(crate) goes_first: bool,
    /// Where the line went within which it was left by an earlier process, if it was truncated since: a copy has the rest.
    pub(crate) cut_line: Option<Route>,
    /// Whether it is no longer at its path.
    pub(crate) is_detached: bool,
    /// Whether it never was at its path, and will come after what is there: it is called as the target of a link is.
    pub(crate) is_successor: bool,
    /// Whether it was seen since then, with all that was streamed of it: if that changes, nobody writes a log there.
    pub(crate) is_intact_elsewhere: bool,
    /// Whether it was born in the future: such a file is older than all others, because the clock was set back.
    pub(crate) is_from_future: bool,
    /// Whether reading it failed, and that was reported.
    pub(crate) is_failing: bool,
    /// Whether anything of it was streamed since it was opened, or woken.
    pub(crate) is_served: bool,
    /// The number of the look at all patterns that came across it last.
    pub(crate) seen_in: u32,
    /// The room that it takes.
    pub(crate) room: Rare<Room>,
    /// What is known of it for those who look from outside.
    pub(crate) noted: Noted,
}

impl Followed {
    /// Begins to follow a file of a lineage at a path; nothing is asked of its lines yet.
    #[must_use]
    pub(crate) fn new(follower: Follower, lineage: Rc<Lineage>, path: Rc<Path>, course: Course) -> Self {
        Self {
            follower,
            lineage,
            path,
            router: FileRouter::Fixed(Route::To(Stream::Stdout)),
            opening: Box::default(),
            objects: None,
            told_format: Cell::default(),
            is_record_due: false,
            is_record_waiting: false,
            goes_first: course.line.is_some(),
            course,
            blocked_on: None,
            progress: Progress::default(),
            is_unsaved: false,
            slot: None,
            unknown: None,
            queue: Queue::None,
            active: Instant::now(),
            closed_at: None,
            is_put_off: false,
            yielded_to: None,
            cut_line: None,
            is_detached: false,
            is_successor: false,
            is_intact_elsewhere: false,
            is_from_future: false,
            is_failing: false,
            is_served: false,
            seen_in: 0,
            room: Rare::default(),
            noted: Noted::default(),
        }
    }

    /// Returns whether a detached file has been quiet for so long that it has ended. One that was put off is not quiet: nobody
    /// has asked it.
    #[must_use]
    pub(crate) fn has_ended(&self, now: Instant, links: u32) -> bool {
        let quiet = if links > 0 { QUIET_LINKED } else { QUIET_DELETED };
        let waits_nowhere = self.queue == Queue::None && !self.is_put_off;
        self.is_detached && waits_nowhere && now.duration_since(self.active) >= quiet
    }

    /// Notes from when on births are in the future.
    pub(crate) fn note_future(&mut self, future: i64) {
        self.is_from_future |= self.follower.id().btime > future;
    }

    /// Returns what orders it by birth.
    pub(crate) fn birth(&self) -> i64 {
        let birth = self.follower.id().btime;
        if self.is_from_future { birth.saturating_add(i64::MIN) } else { birth }
    }

    /// Returns whether it is at its beginning because it was truncated: what copies of it hold comes before.
    #[must_use]
    pub(crate) fn is_begun_anew(&self) -> bool {
        self.follower.earlier().is_some() && self.follower.offset() == 0
    }

    /// Returns what orders the files of a lineage: the lines of the smaller come first. One that was truncated and then renamed comes
    /// after the copies of it, and before what is at the path now.
    fn age(&self) -> (bool, bool, i64) {
        (!self.is_detached, self.is_begun_anew(), self.birth())
    }

    /// Returns whether its lines come before those of another file of its lineage.
    pub(super) fn precedes(&self, other: &Self) -> bool {
        let follows = self.is_successor && !other.is_detached && self.birth() > other.birth();
        !follows && self.age() < other.age()
    }

    /// Returns what the checkpoint keeps of it.
    #[must_use]
    pub(crate) fn entry(&self) -> Entry<'_> {
        Entry {
            path: &self.lineage.path,
            since: self.lineage.since_for_restart(),
            id: self.follower.id(),
            position: self.follower.position(),
            line_route: self.course.line,
            record_route: self.course.record,
            kept: self.progress.reclaimed(),
            intent: self.room.work.intent(),
            waypoints: self.follower.waypoints().all(),
            unknown: self.unknown.as_deref(),
        }
    }
}
