//! The disk that one file takes: what is requested, what is under way, and what is known of it.
//!
//! What excludes each other is one state with a name; each method is named for what happened. Nothing is done here: `reclaim`
//! does it, and says so.

use std::time::{Duration, Instant};

use super::rare::Usual;
use crate::disk::policy::Intent;

/// What is known of the room that one file takes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Room {
    /// What a request, or the time, calls for.
    pub(crate) due: Due,
    /// What is about to be done.
    pub(crate) work: Work,
    /// When it may be tried.
    pub(crate) retry: Retry,
    /// Whether it can be made shorter.
    pub(crate) collapse: Collapse,
    /// Whether it is very long.
    pub(crate) length: Length,
    /// The offset from which on its size is checked again.
    pub(crate) look_at: u64,
    /// Up to where what was streamed is counted by the budget.
    pub(crate) counted: u64,
    /// When it was last rotated, or first seen.
    pub(crate) rotated: Option<Instant>,
    /// When its great length was last reported: also of what it held before it was truncated.
    pub(crate) told_of_end: Option<Instant>,
    /// Whether it is truncated as soon as all of it is streamed and archived. Parts of it may be archived or flushed until then.
    pub(crate) is_to_be_truncated: bool,
    /// Whether it was reached through a link when it was opened: then it is not ours to reclaim when it has left its path.
    pub(crate) is_through_link: bool,
}

impl Usual for Room {
    const USUAL: &'static Self = &Self {
        due: Due::No,
        work: Work::None,
        retry: Retry::AtAnyTime,
        collapse: Collapse::Possible,
        length: Length::Usual,
        look_at: 0,
        counted: 0,
        rotated: None,
        told_of_end: None,
        is_to_be_truncated: false,
        is_through_link: false,
    };
}

impl Room {
    /// Returns the room of a file for which an earlier process left an intent.
    #[must_use]
    pub(crate) fn known(intent: Intent) -> Self {
        Self { work: Work::known(intent), ..Self::default() }
    }

    /// Forgets what was known of what the file held: it holds something else now.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self {
            rotated: self.rotated,
            collapse: self.collapse.of_anything_else(),
            length: self.length.of_anything_else(),
            told_of_end: self.told_of_end,
            is_through_link: self.is_through_link,
            ..Self::default()
        };
    }

    /// Returns whether a flush that failed is to be retried, for an archive that waits for it.
    #[must_use]
    pub(crate) fn awaits_flush_again(&self, now: Instant) -> bool {
        self.work.is_archived() && self.work.is_awaiting_flush() && !self.retry.is_later(now)
    }

    /// Shifts all offsets after so many bytes were collapsed away.
    pub(crate) fn collapsed(&mut self, bytes: u64) {
        for offset in [&mut self.look_at, &mut self.counted] {
            *offset = offset.saturating_sub(bytes);
        }
    }
}

/// Whether everything that was streamed is to be reclaimed, whatever the file's size: it is time, or on request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Due {
    #[default]
    No,
    Yes,
    /// A rotation was requested while a part was under way: when that is reclaimed, what was streamed since it began is due.
    YesAndAgain,
    /// The same, but that part was refused, or is no more: only when another one is reclaimed, everything is due.
    AfterNext,
}

impl Due {
    /// Returns whether everything is to be reclaimed now.
    #[must_use]
    pub(crate) fn is_now(self) -> bool {
        matches!(self, Self::Yes | Self::YesAndAgain)
    }

    /// A rotation was requested, or it is time; what is under way does not reach that far.
    pub(crate) fn asked(&mut self, is_under_way: bool) {
        *self = if is_under_way { Self::YesAndAgain } else { Self::Yes };
    }

    /// It became too long: an earlier request still waits.
    pub(crate) fn became_too_long(&mut self) {
        *self = match self {
            Self::No | Self::Yes => Self::Yes,
            Self::YesAndAgain | Self::AfterNext => Self::YesAndAgain,
        };
    }

    /// There is nothing to be reclaimed now, or it was refused.
    pub(crate) fn dropped(&mut self) {
        *self = match self {
            Self::No | Self::Yes => Self::No,
            Self::YesAndAgain | Self::AfterNext => Self::AfterNext,
        };
    }

    /// A part was reclaimed: a request for everything meant what there was then.
    pub(crate) fn part_reclaimed(&mut self) {
        *self = match self {
            Self::No | Self::Yes => Self::No,
            Self::YesAndAgain | Self::AfterNext => Self::Yes,
        };
    }
}

/// What is about to be done to a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Work {
    #[default]
    None,
    /// What is before `end` is reclaimed when that is durable.
    AwaitingFlush { end: u64 },
    /// So many bytes are collapsed away.
    Collapsing { bytes: u64 },
    /// What is before `end` is in an archive, this one, and is reclaimed when its name is durable.
    Archived { end: u64, id: u64 },
    /// The same of an archive that an earlier process left: it has its name, and only waits for the checkpoint.
    ArchiveFound { end: u64, id: u64 },
}

impl Work {
    fn known(intent: Intent) -> Self {
        match intent {
            Intent::None => Self::None,
            Intent::Collapse(bytes) => Self::Collapsing { bytes },
            Intent::Archive { end, id } => Self::Archived { end, id },
        }
    }

    /// Returns what the checkpoint keeps of it. A pending flush leaves nothing half done.
    #[must_use]
    pub(crate) fn intent(self) -> Intent {
        match self {
            Self::None | Self::AwaitingFlush { .. } => Intent::None,
            Self::Collapsing { bytes } => Intent::Collapse(bytes),
            Self::Archived { end, id } | Self::ArchiveFound { end, id } => Intent::Archive { end, id },
        }
    }

    /// Returns whether there is anything.
    #[must_use]
    pub(crate) fn is_under_way(self) -> bool {
        self != Self::None
    }

    /// Returns whether what is to be reclaimed is in an archive.
    #[must_use]
    pub(crate) fn is_archived(self) -> bool {
        matches!(self, Self::Archived { .. } | Self::ArchiveFound { .. })
    }

    /// Returns up to where it will be reclaimed once the checkpoint is durable, if a flush is pending.
    #[must_use]
    pub(crate) fn awaited_end(self) -> Option<u64> {
        match self {
            Self::AwaitingFlush { end } | Self::ArchiveFound { end, .. } => Some(end),
            Self::None | Self::Collapsing { .. } | Self::Archived { .. } => None,
        }
    }

    /// Returns whether a flush is pending.
    #[must_use]
    pub(crate) fn is_awaiting_flush(self) -> bool {
        self.awaited_end().is_some()
    }

    /// It must wait for a flush.
    pub(crate) fn needs_flush(&mut self, end: u64) {
        *self = match *self {
            Self::Archived { id, .. } | Self::ArchiveFound { id, .. } => Self::ArchiveFound { end, id },
            Self::None | Self::AwaitingFlush { .. } | Self::Collapsing { .. } => Self::AwaitingFlush { end },
        };
    }

    /// The flush is over, and succeeded.
    pub(crate) fn flush_over(&mut self) {
        *self = match *self {
            Self::AwaitingFlush { .. } => Self::None,
            Self::ArchiveFound { end, id } => Self::Archived { end, id },
            other => other,
        };
    }

    /// The flush failed. An archive keeps its intent: it has its name, and must not be archived again.
    pub(crate) fn flush_failed(&mut self) {
        if matches!(self, Self::AwaitingFlush { .. }) {
            *self = Self::None;
        }
    }

    /// Its beginning is about to be collapsed.
    pub(crate) fn begin_collapse(&mut self, bytes: u64) {
        *self = Self::Collapsing { bytes };
    }

    /// An archive is complete, and is about to be named. Nothing beyond its end is reclaimed before that.
    pub(crate) fn archived(&mut self, end: u64, id: u64) {
        *self = Self::Archived { end, id };
    }

    /// The intent is carried out, or given up.
    pub(crate) fn intent_over(&mut self) {
        *self = match *self {
            Self::AwaitingFlush { end } | Self::ArchiveFound { end, .. } => Self::AwaitingFlush { end },
            Self::None | Self::Collapsing { .. } | Self::Archived { .. } => Self::None,
        };
    }
}

/// When a file may be tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Retry {
    #[default]
    AtAnyTime,
    /// It was refused. If it is only an archive that there was no space for, it can still be reclaimed without one.
    NotBefore { when: Instant, lacks_space: bool },
}

impl Retry {
    /// Returns whether it was refused so recently that a retry must wait.
    #[must_use]
    pub(crate) fn is_later(self, now: Instant) -> bool {
        matches!(self, Self::NotBefore { when, .. } if now < when)
    }

    /// The same, if what was refused is reclaimed without an archive.
    #[must_use]
    pub(crate) fn is_later_without_archive(self, now: Instant) -> bool {
        self.is_later(now) && !matches!(self, Self::NotBefore { lacks_space: true, .. })
    }

    /// It was refused.
    pub(crate) fn refused(&mut self, again: Instant) {
        *self = Self::NotBefore { when: again, lacks_space: false };
    }

    /// This is why something of it could not be done; that alone does not put it off.
    pub(crate) fn found_why(&mut self, is_lack_of_space: bool) {
        if let Self::NotBefore { lacks_space, .. } = self {
            *lacks_space = is_lack_of_space;
        }
    }

    /// A retry was requested.
    pub(crate) fn asked(&mut self) {
        *self = Self::AtAnyTime;
    }
}

/// Whether a file can be collapsed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Collapse {
    /// As far as is known.
    #[default]
    Possible,
    /// Its writers are not known to append; when they were last asked for.
    WriterNotAppending { asked: Instant },
    /// Its file system refused.
    Never,
}

impl Collapse {
    /// Returns whether it is worth a look: the next process that opens the file may write in another way.
    #[must_use]
    pub(crate) fn may_be_tried(self, again_after: Duration, now: Instant) -> bool {
        match self {
            Self::Possible => true,
            Self::WriterNotAppending { asked } => now.duration_since(asked) >= again_after,
            Self::Never => false,
        }
    }

    /// It was looked how its writers write.
    pub(crate) fn writers_seen(&mut self, is_appending: bool, now: Instant) {
        *self = match self {
            Self::Never => Self::Never,
            _ if is_appending => Self::Possible,
            _ => Self::WriterNotAppending { asked: now },
        };
    }

    /// It was tried, and refused.
    pub(crate) fn refused(&mut self) {
        *self = Self::Never;
    }

    fn of_anything_else(self) -> Self {
        if self == Self::Never { Self::Never } else { Self::Possible }
    }
}

/// Whether a file is very long, most of it a hole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Length {
    #[default]
    Usual,
    Long {
        since: Instant,
    },
    /// It was truncated for it: if it is long again, its writer does not append.
    TruncatedOnce,
}

impl Length {
    /// It was seen to be very long.
    pub(crate) fn seen_long(&mut self, now: Instant) {
        if *self == Self::Usual {
            *self = Self::Long { since: now };
        }
    }

    /// It was truncated because it was.
    pub(crate) fn truncated(&mut self) {
        *self = Self::TruncatedOnce;
    }

    /// Returns whether it may still be truncated at a quiet moment, waiting no longer than this.
    #[must_use]
    pub(crate) fn is_waiting(self, wait: Duration, now: Instant) -> bool {
        matches!(self, Self::Long { since } if now.duration_since(since) < wait)
    }

    fn of_anything_else(self) -> Self {
        if self == Self::TruncatedOnce { Self::TruncatedOnce } else { Self::Usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// What happens to a state.
    type Change<T> = fn(&mut T);

    fn check<T: Copy + PartialEq + std::fmt::Debug>(what: &str, happens: impl Fn(&mut T), states: &[(T, T)]) {
        for (before, after) in states {
            let mut state = *before;
            happens(&mut state);
            assert_eq!(state, *after, "{what}: {before:?}");
        }
    }

    #[test]
    fn who_asked_while_a_part_was_under_way_is_not_forgotten() {
        use Due::{AfterNext, No, Yes, YesAndAgain};
        let table: [(&str, Change<Due>, [Due; 4]); 5] = [
            ("asked", |due| due.asked(false), [Yes; 4]),
            ("asked meanwhile", |due| due.asked(true), [YesAndAgain; 4]),
            ("became too long", Due::became_too_long, [Yes, Yes, YesAndAgain, YesAndAgain]),
            ("dropped", Due::dropped, [No, No, AfterNext, AfterNext]),
            ("part reclaimed", Due::part_reclaimed, [No, No, Yes, Yes]),
        ];
        let all = [No, Yes, YesAndAgain, AfterNext];
        for (what, happens, after) in table {
            check(what, happens, &std::array::from_fn::<_, 4, _>(|at| (all[at], after[at])));
        }
        assert_eq!(all.map(Due::is_now), [false, true, true, false]);
    }

    #[test]
    fn what_is_under_way_goes_from_state_to_state() {
        use Work::{ArchiveFound, Archived, AwaitingFlush, Collapsing, None};
        let (flush, collapse) = (AwaitingFlush { end: 8 }, Collapsing { bytes: 8 });
        let (archived, found) = (Archived { end: 8, id: 1 }, ArchiveFound { end: 8, id: 1 });
        let table: [(&str, Change<Work>, [Work; 5]); 6] = [
            ("needs flush", |work| work.needs_flush(8), [flush, flush, flush, found, found]),
            ("flush over", Work::flush_over, [None, None, collapse, archived, archived]),
            ("flush failed", Work::flush_failed, [None, None, collapse, archived, found]),
            ("intent over", Work::intent_over, [None, flush, None, None, flush]),
            ("archived", |work| work.archived(8, 1), [archived; 5]),
            ("begin collapse", |work| work.begin_collapse(8), [collapse; 5]),
        ];
        let all = [None, flush, collapse, archived, found];
        for (what, happens, after) in table {
            check(what, happens, &std::array::from_fn::<_, 5, _>(|at| (all[at], after[at])));
        }
    }

    #[test]
    fn the_checkpoint_keeps_what_must_not_be_left_half_done() {
        let archive = Intent::Archive { end: 8, id: 1 };
        for (work, intent, end, is_archived) in [
            (Work::None, Intent::None, None, false),
            (Work::AwaitingFlush { end: 8 }, Intent::None, Some(8), false),
            (Work::Collapsing { bytes: 8 }, Intent::Collapse(8), None, false),
            (Work::Archived { end: 8, id: 1 }, archive, None, true),
            (Work::ArchiveFound { end: 8, id: 1 }, archive, Some(8), true),
        ] {
            assert_eq!((work.intent(), work.awaited_end(), work.is_archived()), (intent, end, is_archived), "{work:?}");
            assert_eq!(work.is_under_way(), work != Work::None, "{work:?}");
            assert_eq!(Work::known(intent).intent(), intent, "{work:?}");
        }
    }

    #[test]
    fn a_refused_file_is_tried_again_when_its_time_has_come() {
        let now = Instant::now();
        let refused = Retry::NotBefore { when: now + MINUTE, lacks_space: false };
        let no_space = Retry::NotBefore { when: now + MINUTE, lacks_space: true };
        for (retry, seconds, expected) in [
            (Retry::AtAnyTime, 0, (false, false)),
            (refused, 0, (true, true)),
            (refused, 59, (true, true)),
            (refused, 60, (false, false)),
            (no_space, 59, (true, false)),
            (no_space, 60, (false, false)),
        ] {
            let then = now + Duration::from_secs(seconds);
            assert_eq!(
                (retry.is_later(then), retry.is_later_without_archive(then)),
                expected,
                "{retry:?}, {seconds} s"
            );
        }
        let all = [Retry::AtAnyTime, refused, no_space];
        check("refused", |retry| retry.refused(now + MINUTE), &all.map(|before| (before, refused)));
        check("asked", Retry::asked, &all.map(|before| (before, Retry::AtAnyTime)));
        check(
            "no space",
            |retry| retry.found_why(true),
            &[(all[0], all[0]), (refused, no_space), (no_space, no_space)],
        );
        check(
            "otherwise",
            |retry| retry.found_why(false),
            &[(all[0], all[0]), (refused, refused), (no_space, refused)],
        );
    }

    #[test]
    fn a_file_is_collapsed_while_its_writers_append_and_nobody_refused() {
        use Collapse::{Never, Possible};
        let now = Instant::now();
        let asked = Collapse::WriterNotAppending { asked: now };
        check("append", |one| one.writers_seen(true, now), &[(Possible, Possible), (asked, Possible), (Never, Never)]);
        check("do not", |one| one.writers_seen(false, now), &[(Possible, asked), (asked, asked), (Never, Never)]);
        check("refused", Collapse::refused, &[(Possible, Never), (asked, Never), (Never, Never)]);
        check("anew", |one| *one = one.of_anything_else(), &[(Possible, Possible), (asked, Possible), (Never, Never)]);
        for (one, seconds, expected) in
            [(Possible, 0, true), (asked, 0, false), (asked, 59, false), (asked, 60, true), (Never, 999, false)]
        {
            let then = now + Duration::from_secs(seconds);
            assert_eq!(one.may_be_tried(MINUTE, then), expected, "{one:?}, {seconds} s");
        }
    }

    #[test]
    fn a_long_file_is_waited_for_until_it_was_truncated_once() {
        use Length::{TruncatedOnce, Usual};
        let now = Instant::now();
        let long = Length::Long { since: now };
        let later = now + MINUTE;
        check("seen", |length| length.seen_long(now), &[(Usual, long), (TruncatedOnce, TruncatedOnce)]);
        check("seen again", |length| length.seen_long(later), &[(long, long)]);
        check("truncated", Length::truncated, &[Usual, long, TruncatedOnce].map(|before| (before, TruncatedOnce)));
        check(
            "anew",
            |length| *length = length.of_anything_else(),
            &[(Usual, Usual), (long, Usual), (TruncatedOnce, TruncatedOnce)],
        );
        for (length, then, expected) in
            [(long, now + MINUTE / 2, true), (long, later, false), (TruncatedOnce, now, false), (Usual, now, false)]
        {
            assert_eq!(length.is_waiting(MINUTE, then), expected, "{length:?}");
        }
    }

    #[test]
    fn what_a_file_held_is_forgotten_and_what_it_can_bear_is_not() {
        let now = Instant::now();
        let mut room = Room::known(Intent::Archive { end: 8, id: 1 });
        (room.rotated, room.told_of_end) = (Some(now), Some(now));
        (room.look_at, room.counted, room.is_to_be_truncated) = (8192, 1024, true);
        room.due.asked(true);
        room.retry.refused(now);
        room.collapse.refused();
        room.length.truncated();
        room.collapsed(4096);
        assert_eq!((room.look_at, room.counted), (4096, 0));
        room.begin_anew();
        assert_eq!((room.rotated, room.told_of_end), (Some(now), Some(now)));
        assert_eq!((room.collapse, room.length), (Collapse::Never, Length::TruncatedOnce));
        assert_eq!((room.due, room.work, room.retry), (Due::No, Work::None, Retry::AtAnyTime));
        assert_eq!((room.look_at, room.counted, room.is_to_be_truncated), (0, 0, false));
    }
}
