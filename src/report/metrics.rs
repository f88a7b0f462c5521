//! What is counted for those who look from outside: plain numbers that the parts of the loop add to.
//!
//! [`Counters`] are there only if `LISTEN` is set: they ask every line. [`Totals`] are always there, because what they count is
//! rare. [`Page`] is what both look like from outside.
//!
//! Invariant: `read + added = written + dropped + held`, in bytes, whatever happens to the files. Each of them is counted where
//! it happens, so a byte that is lost or repeated on the way shows.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::format::{FormatId, Level};
use crate::output::rules::{Line, Route, Router, Stream};

pub(crate) use super::losses::LostBytes;
pub(crate) use super::page::{Description, Page, Unit, Value};

/// How many files have series of their own, at most; what is counted of all others is under `other`.
pub(crate) const FILES_MAX: usize = 32;

/// How many series of records by file, format and level there are, at most; the rest is counted without its file.
pub(crate) const RECORD_SERIES_MAX: usize = 512;

/// Where the files are counted that have no series of their own.
const OTHER: usize = 0;

/// Rare events, counted whether anybody asks or not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Files that came to a path at which another one had been.
    pub reopened: u64,
    /// Files that left their path: renamed or deleted.
    pub vanished: u64,
    /// Files that were truncated, or replaced in place.
    pub truncated: u64,
    /// Reads that failed.
    pub read_errors: u64,
    /// How often something was reclaimed, or a file renamed for it.
    pub rotations: u64,
    /// How often that was refused.
    pub rotation_failures: u64,
    /// How much was reclaimed, in bytes.
    pub reclaimed_bytes: u64,
    /// Archives that were made.
    pub archives: u64,
    /// What was destroyed before it was read.
    pub lost: LostBytes,
    /// What the followed directories took at the last look, and may take, in bytes, if there is a budget.
    pub budget: Option<(u64, u64)>,
}

impl Totals {
    /// Counts bytes of a file that were reclaimed at one time.
    pub(crate) fn add_reclaimed(&mut self, bytes: u64) {
        self.rotations += 1;
        self.reclaimed_bytes += bytes;
    }

    /// Notes what is used of each budget, and the budget; of several, the one counts that is nearest to its end.
    pub(crate) fn note_budget(&mut self, used_of_limits: &[(u64, u64)]) {
        let share = |(used, limit): &(u64, u64)| u128::from(*used) * 1000 / u128::from((*limit).max(1));
        self.budget = used_of_limits.iter().copied().max_by_key(share);
    }
}

/// What a record was found to be.
pub(crate) type Kind = (FormatId, Option<Level>);

/// One line, or a piece or a part of one, that is on its way or dropped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passed<'a> {
    /// Where it goes; the stream is the one that it really goes to.
    pub route: Route,
    /// What it is, if it begins a record; its line is what rules were asked of.
    pub begins: Option<(Kind, Line<'a>)>,
    /// How many lines it is: 0 for a part that is not the last.
    pub lines: u64,
    /// How much of the file it is, in bytes.
    pub bytes: usize,
    /// How many bytes are written that are not the file's, less those of the file that are not written.
    pub added: i64,
    /// Whether it ends where a line was too long.
    pub is_split: bool,
}

/// What was counted of the file that takes its turn since its last record began: that may be put off to the next turn.
#[derive(Debug, Default)]
struct Last {
    kind: Option<Kind>,
    dropped: Option<(usize, u64, u64)>,
    lines: [u64; 2],
    added: i64,
    splits: u64,
}

/// What is counted of one file.
#[derive(Debug, Default)]
pub(crate) struct FileCounters {
    /// Its path; `None` for all others together.
    pub path: Option<Rc<Path>>,
    /// What was read.
    pub bytes: u64,
    /// Newlines that were read.
    pub lines: u64,
    /// Its records, in the order of their kinds.
    pub records: Vec<(Kind, u64)>,
}

impl FileCounters {
    /// Counts a record of a kind that there was before; says whether there was.
    fn count_known(&mut self, kind: Kind) -> bool {
        let found = self.records.binary_search_by_key(&kind, |(known, _)| *known);
        found.is_ok_and(|at| {
            self.records[at].1 += 1;
            true
        })
    }
}

/// What is known of one file from turn to turn.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Which rule dropped its last record, if one of this process did.
    dropping: Option<usize>,
    backlog: Option<Box<Backlog>>,
}

impl Noted {
    /// Notes how far the file is read that has `size` bytes.
    pub(crate) fn note_backlog(&mut self, offset: u64, size: u64) {
        if size <= offset {
            self.backlog = None;
            return;
        }
        let now = Instant::now();
        let backlog = self.backlog.get_or_insert_with(|| Box::new(Backlog { since: now, next: now, end: size }));
        if offset >= backlog.end {
            **backlog = Backlog { since: backlog.next, next: now, end: size };
        }
    }

    /// Forgets since when it has unread bytes: it has none, or is another one now.
    pub(crate) fn end_backlog(&mut self) {
        self.backlog = None;
    }

    /// Returns how long its oldest unread byte has waited, at most.
    #[must_use]
    pub(crate) fn unread_age(&self, now: Instant) -> Duration {
        self.backlog.as_ref().map_or(Duration::ZERO, |backlog| now.saturating_duration_since(backlog.since))
    }
}

/// Since when a file has unread bytes, at most.
#[derive(Debug, Clone, Copy)]
struct Backlog {
    /// What is unread was written after this.
    since: Instant,
    /// What is behind `end` was written after this.
    next: Instant,
    end: u64,
}

/// For how long a stream has not accepted what there was for it.
#[derive(Debug, Clone, Copy, Default)]
struct Stall {
    total: Duration,
    since: Option<Instant>,
}

/// Everything that is counted on the way of the lines.
#[derive(Debug)]
pub(crate) struct Counters {
    /// What was read of all files, in bytes.
    pub read_bytes: u64,
    /// The same in newlines.
    pub read_lines: u64,
    /// Bytes that were written and not read, less those that were read and neither written nor dropped.
    pub added_bytes: i64,
    /// Lines that were handed to each stream.
    pub written_lines: [u64; 2],
    /// Bytes and lines that each rule of `DROP` has dropped, and, at the end, a rule that an earlier process had: what continues a
    /// record goes where that went.
    pub dropped: Vec<(u64, u64)>,
    /// Lines that were too long, and cut.
    pub split_lines: u64,
    /// When the checkpoint was last written.
    pub saved: Option<Instant>,
    /// The files, the one for all others first.
    pub files: Vec<FileCounters>,
    router: Router,
    stalls: [Stall; 2],
    last: Last,
    /// Where it was counted last.
    latest: usize,
}

impl Counters {
    /// Begins with nothing; the rules are those that drop lines.
    #[must_use]
    pub(crate) fn new(router: Router) -> Self {
        Self {
            read_bytes: 0,
            read_lines: 0,
            added_bytes: 0,
            written_lines: [0; 2],
            dropped: vec![(0, 0); router.drop.len() + 1],
            split_lines: 0,
            saved: None,
            files: vec![FileCounters::default()],
            router,
            stalls: [Stall::default(); 2],
            last: Last::default(),
            latest: OTHER,
        }
    }

    /// Returns the text of each rule with the bytes and lines that it dropped; one of an earlier process, with an empty text, only
    /// if it did.
    pub(crate) fn dropped_by_rule(&self) -> impl Iterator<Item = (&str, (u64, u64))> {
        let rules = self.router.drop.iter().map(|rule| rule.text()).chain(Some(""));
        let dropped = rules.zip(self.dropped.iter().copied());
        dropped.filter(|(rule, dropped)| !rule.is_empty() || *dropped != (0, 0))
    }

    /// Counts bytes that were taken from the file at `path`.
    pub(crate) fn read(&mut self, path: &Rc<Path>, bytes: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.read_bytes += bytes.len() as u64;
        self.read_lines += lines;
        let slot = self.slot(path);
        let file = &mut self.files[slot];
        (file.bytes, file.lines) = (file.bytes + bytes.len() as u64, file.lines + lines);
    }

    /// Counts what passes of the file at `path`; if it begins a record, what passed before it is final.
    pub(crate) fn pass(&mut self, noted: &mut Noted, path: &Rc<Path>, passed: &Passed<'_>) {
        if let Some((kind, line)) = &passed.begins {
            self.keep(path);
            self.last.kind = Some(*kind);
            if passed.route == Route::Drop {
                noted.dropping = self.router.dropping(path, line);
            }
        }
        match passed.route {
            Route::To(stream) => self.last.lines[stream.index()] += passed.lines,
            Route::Drop => {
                let rule = noted.dropping.unwrap_or(self.router.drop.len());
                let (_, bytes, lines) = self.last.dropped.unwrap_or_default();
                self.last.dropped = Some((rule, bytes + passed.bytes as u64, lines + passed.lines));
            }
        }
        self.last.added += passed.added;
        self.last.splits += u64::from(passed.is_split);
    }

    /// Makes final what passed of the file at `path`: it was taken.
    pub(crate) fn keep(&mut self, path: &Rc<Path>) {
        let Last { kind, dropped, lines, added, splits } = std::mem::take(&mut self.last);
        if let Some(kind) = kind {
            self.record(path, kind);
        }
        if let Some((bytes_sum, lines_sum)) = dropped.and_then(|(rule, ..)| self.dropped.get_mut(rule)) {
            let (_, bytes, lines) = dropped.unwrap_or_default();
            (*bytes_sum, *lines_sum) = (*bytes_sum + bytes, *lines_sum + lines);
        }
        self.written_lines.iter_mut().zip(lines).for_each(|(sum, lines)| *sum += lines);
        self.added_bytes += added;
        self.split_lines += splits;
    }

    /// Forgets what passed since the last record began: it was not taken, and comes again.
    pub(crate) fn put_off(&mut self) {
        self.last = Last::default();
    }

    /// Counts lines that are dropped unread: by the rule that drops all of the file at `path`, or else by the one of its last
    /// record.
    pub(crate) fn drop_unread(&mut self, noted: &Noted, path: &Path, bytes: &[u8]) {
        let of_file = || self.router.dropping(path, &Line { bytes: b"", format: "", level: None });
        let rule = noted.dropping.or_else(of_file).unwrap_or(self.router.drop.len());
        if let Some((bytes_sum, lines_sum)) = self.dropped.get_mut(rule) {
            *bytes_sum += bytes.len() as u64;
            *lines_sum += memchr::memchr_iter(b'\n', bytes).count() as u64;
        }
    }

    fn record(&mut self, path: &Rc<Path>, kind: Kind) {
        let slot = self.slot(path);
        if self.files[slot].count_known(kind) {
            return;
        }
        let series: usize = self.files.iter().map(|file| file.records.len()).sum();
        let slot = if series < RECORD_SERIES_MAX { slot } else { OTHER };
        if !self.files[slot].count_known(kind) {
            let records = &mut self.files[slot].records;
            let at = records.partition_point(|(known, _)| *known < kind);
            records.insert(at, (kind, 1));
        }
    }

    /// Returns where a file is counted.
    #[must_use]
    pub(crate) fn slot_of(&self, path: &Path) -> usize {
        let path = path.as_os_str();
        let is_it = |file: &FileCounters| file.path.as_deref().is_some_and(|one| one.as_os_str() == path);
        self.files.iter().position(is_it).unwrap_or(OTHER)
    }

    /// The same, and gives it a place of its own if there is one.
    fn slot(&mut self, path: &Rc<Path>) -> usize {
        // Whose turn it is counts many lines.
        if self.files[self.latest].path.as_ref().is_some_and(|latest| Rc::ptr_eq(latest, path)) {
            return self.latest;
        }
        self.latest = self.slot_or_new(path);
        self.latest
    }

    fn slot_or_new(&mut self, path: &Rc<Path>) -> usize {
        let found = self.slot_of(path);
        if found != OTHER {
            return found;
        }
        let slot = match (1..self.files.len()).find(|slot| self.files[*slot].path.is_none()) {
            Some(slot) => slot,
            None if self.files.len() > FILES_MAX => return OTHER,
            None => {
                self.files.push(FileCounters::default());
                self.files.len() - 1
            }
        };
        self.files[slot].path = Some(Rc::clone(path));
        slot
    }

    /// Forgets the files that are not followed any more, if their places are wanted; what was counted of all files together
    /// stays.
    pub(crate) fn tidy(&mut self, is_followed: impl Fn(&Path) -> bool) {
        if self.files.len() <= FILES_MAX {
            return;
        }
        for file in &mut self.files[1..] {
            if file.path.as_deref().is_some_and(|path| !is_followed(path)) {
                *file = FileCounters::default();
            }
        }
    }

    /// Notes which streams hold something now.
    pub(crate) fn note_stalls(&mut self, is_holding: [bool; 2]) {
        for (stall, is_holding) in self.stalls.iter_mut().zip(is_holding) {
            match (stall.since, is_holding) {
                (None, true) => stall.since = Some(Instant::now()),
                (Some(since), false) => {
                    stall.total += since.elapsed();
                    stall.since = None;
                }
                _ => {}
            }
        }
    }

    /// Returns for how long a stream has not accepted what there was for it.
    #[must_use]
    pub(crate) fn stalled(&self, stream: Stream, now: Instant) -> Duration {
        let Stall { total, since } = self.stalls[stream.index()];
        total + since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Formats;
    use crate::output::rules::Rule;

    fn path(name: &str) -> Rc<Path> {
        Rc::from(Path::new(name))
    }

    fn plain() -> FormatId {
        Formats::default().by_name("plain").expect("a format")
    }

    fn piece(route: Route, begins: Option<Option<Level>>) -> Passed<'static> {
        let line = Line { bytes: b"line", format: "plain", level: None };
        let begins = begins.map(|level| ((plain(), level), line));
        Passed { route, begins, lines: 1, bytes: 5, added: 0, is_split: false }
    }

    #[test]
    fn what_is_put_off_is_not_counted() {
        let mut counters = Counters::new(Router::default());
        let (path, mut noted) = (path("/a"), Noted::default());
        for _ in 0..2 {
            counters.pass(&mut noted, &path, &piece(Route::To(Stream::Stdout), Some(None)));
            counters.pass(&mut noted, &path, &piece(Route::To(Stream::Stdout), None));
        }
        counters.put_off();
        assert_eq!(counters.written_lines, [2, 0]);
        counters.pass(&mut noted, &path, &piece(Route::To(Stream::Stderr), Some(Some(Level::Error))));
        counters.keep(&path);
        assert_eq!(counters.written_lines, [2, 1]);
        let records: Vec<_> = counters.files[1].records.iter().map(|((_, level), count)| (*level, *count)).collect();
        assert_eq!(records, [(None, 1), (Some(Level::Error), 1)]);
    }

    #[test]
    fn what_an_earlier_process_began_to_drop_is_counted_without_a_rule() {
        let drop = Rule::parse_all("match:a", &Formats::default()).expect("a rule");
        let mut counters = Counters::new(Router::new(drop, Vec::new()));
        let (path, mut noted) = (path("/a"), Noted::default());
        assert_eq!(counters.dropped_by_rule().collect::<Vec<_>>(), [("match:a", (0, 0))]);
        counters.pass(&mut noted, &path, &piece(Route::Drop, None));
        counters.keep(&path);
        assert_eq!(counters.dropped_by_rule().collect::<Vec<_>>(), [("match:a", (0, 0)), ("", (5, 1))]);
    }

    #[test]
    fn beyond_the_limit_files_are_counted_together_and_places_become_free() {
        let mut counters = Counters::new(Router::default());
        for number in 0..FILES_MAX + 8 {
            counters.read(&path(&number.to_string()), b"a\nb\n");
        }
        assert_eq!(counters.files.len(), FILES_MAX + 1);
        assert_eq!(counters.files[OTHER].lines, 16);
        counters.tidy(|path| path != Path::new("3"));
        counters.read(&path("new"), b"a\n");
        assert_eq!(counters.slot_of(Path::new("new")), 4);
        assert_eq!(counters.slot_of(Path::new("3")), OTHER);
        assert_eq!(counters.read_lines, 2 * (FILES_MAX as u64 + 8) + 1);
    }

    #[test]
    fn series_of_records_are_bounded() {
        let formats = Formats::default();
        let mut counters = Counters::new(Router::default());
        for number in 0..FILES_MAX {
            let path = path(&number.to_string());
            for format in formats.names().take(16) {
                for level in Level::ALL {
                    counters.record(&path, (formats.by_name(format).expect("its own name"), Some(level)));
                }
            }
        }
        let series: usize = counters.files.iter().map(|file| file.records.len()).sum();
        assert!(series <= RECORD_SERIES_MAX + 16 * Level::ALL.len(), "{series}");
        let records: u64 = counters.files.iter().flat_map(|file| &file.records).map(|(_, count)| count).sum();
        assert_eq!(records, (FILES_MAX * 16 * Level::ALL.len()) as u64);
    }

    #[test]
    fn the_oldest_unread_byte_is_younger_when_what_was_seen_before_is_read() {
        let mut noted = Noted::default();
        let since = |noted: &Noted| noted.backlog.as_ref().map(|backlog| backlog.since);
        noted.note_backlog(0, 100);
        let first = since(&noted);
        noted.note_backlog(50, 200);
        assert_eq!(since(&noted), first);
        noted.note_backlog(100, 200);
        noted.note_backlog(200, 300);
        assert!(since(&noted) > first);
        noted.note_backlog(300, 300);
        assert_eq!(noted.unread_age(Instant::now()), Duration::ZERO);
    }

    #[test]
    fn a_stall_is_counted_while_it_lasts_and_after() {
        let mut counters = Counters::new(Router::default());
        counters.note_stalls([true, false]);
        let later = Instant::now() + Duration::from_secs(3);
        assert!(counters.stalled(Stream::Stdout, later) >= Duration::from_secs(3));
        counters.note_stalls([false, false]);
        assert!(counters.stalled(Stream::Stdout, later) < Duration::from_secs(1));
        assert_eq!(counters.stalled(Stream::Stderr, later), Duration::ZERO);
    }
}
