//! The end: when it comes, what is streamed before it, and what is said of it.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::desk::Turn;
use super::drain::{Doing, Drain, DrainStep};
use super::linger::Linger;
use super::loop_state::{Loop, Phase};
use crate::output::rules::Stream;
use crate::paths::beneath::Stat;
use crate::read::change::Change;
use crate::report::last_words;
use crate::report::message::{counted, verb};
use crate::shelf::followed::Followed;
use crate::shelf::lineage::Key;
use crate::stream::exit_on::Quiet;

/// How long the streams may accept nothing if no signal came: nobody is waiting to kill this process.
const STALL_WITHOUT_SIGNAL: Duration = Duration::from_secs(30);

/// How long is looked for what there is before streaming goes on; what is left is looked for in between.
const LOOK_MAX: Duration = Duration::from_millis(250);

const WAS: [&str; 2] = ["was", "were"];

/// What was achieved, for the last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Summary {
    /// How many files were followed.
    pub files: u64,
    /// How many lines that were, if they were counted: only if they are logged.
    pub lines: Option<u64>,
    /// How many bytes the streams accepted.
    pub bytes: u64,
    /// How many bytes that were in the files when the end began are not on a stream: not 0 only if the drain was cut short.
    pub unstreamed_bytes: u64,
    /// How many of them are in files that cannot be read.
    pub unreadable_bytes: u64,
    /// How many bytes were written since then and are not on a stream.
    pub later_bytes: u64,
    /// How many bytes were destroyed before they were read.
    pub lost_bytes: u64,
    /// How many NULs at the ends of files were not streamed, because nothing follows them.
    pub waiting_nuls: u64,
    /// How long the streams could accept nothing.
    pub stall_max: Duration,
    /// Whether a signal came.
    pub is_by_signal: bool,
    /// How many sequences of bytes were not UTF-8 and are shown as U+FFFD: not 0 only if records are JSON objects.
    pub invalid_utf8: u64,
}

impl Summary {
    /// Logs what was achieved, and leaves what was not as the termination message; `had_words` says whether there is one already.
    fn tell(&self, had_words: bool) {
        let text = self.to_string();
        if self.unstreamed_bytes > 0 {
            tracing::error!("{text}");
            return last_words::leave([text.as_str()]);
        }
        if self.lost_bytes > 0 {
            tracing::warn!("{text}");
        } else {
            tracing::info!("{text}");
        }
        let later = (self.later_bytes > 0).then(|| self.later());
        if let Some(text) = &later {
            tracing::warn!("{text}");
        }
        if had_words || later.is_some() {
            last_words::leave(later.as_deref());
        }
    }

    /// Returns what is said of the bytes that were written too late.
    fn later(&self) -> String {
        let way_out = if self.is_by_signal { "raise SIDETAIL_LINGER" } else { "let SIDETAIL_EXIT_ON hold later" };
        let (later, bytes) = (self.later_bytes, counted(self.later_bytes, "byte"));
        let [was, is] = [WAS, ["is", "are"]].map(|verbs| verb(later, verbs));
        format!("{bytes} {was} written after the end had begun and {is} not streamed; {way_out}")
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, lines, bytes, unstreamed_bytes, unreadable_bytes, .. } = self;
        if *unstreamed_bytes > 0 {
            let was = verb(*unstreamed_bytes, WAS);
            write!(f, "{} {was} not streamed", counted(*unstreamed_bytes, "byte"))?;
            if self.later_bytes > 0 {
                write!(f, ", nor {} that were written later", self.later_bytes)?;
            }
            f.write_str(": ")?;
            if unreadable_bytes == unstreamed_bytes {
                write!(f, "their files cannot be read")?;
            } else {
                let stall = humantime::format_duration(self.stall_max);
                write!(f, "stdout or stderr accepted nothing for {stall}")?;
                if self.is_by_signal {
                    write!(f, " (SIDETAIL_DRAIN_TIMEOUT)")?;
                }
            }
            write!(f, "; they are still in the files, and if those are in an emptyDir, they go with the pod")?;
        } else {
            write!(f, "ended: {}, ", counted(*files, "file"))?;
            if let Some(lines) = lines {
                write!(f, "{}, ", counted(*lines, "line"))?;
            }
            write!(f, "{} streamed, 0 bytes left", counted(*bytes, "byte"))?;
        }
        if self.lost_bytes > 0 {
            let happened = ["was destroyed before it was read", "were destroyed before they were read"];
            write!(f, "; {} {}", counted(self.lost_bytes, "byte"), verb(self.lost_bytes, happened))?;
        }
        if self.waiting_nuls > 0 {
            let (nuls, was) = (counted(self.waiting_nuls, "NUL byte"), verb(self.waiting_nuls, WAS));
            write!(f, "; {nuls} at the ends of files, which nothing follows, {was} not streamed")?;
        }
        if self.invalid_utf8 > 0 {
            let happened = ["was not UTF-8 and is", "were not UTF-8 and are"];
            let (sequences, are) = (counted(self.invalid_utf8, "sequence"), verb(self.invalid_utf8, happened));
            write!(f, "; {sequences} of bytes {are} shown as U+FFFD")?;
        }
        Ok(())
    }
}

/// Returns how many bytes of a file are not taken yet.
fn unread(file: &Followed) -> u64 {
    let size = match file.closed_at.as_deref() {
        Some((size, _)) => *size,
        None => file.follower.file().and_then(Stat::of).map_or(0, |stat| stat.size),
    };
    file.follower.unread_bytes(size)
}

/// The same once the process ends: what is unread of a deleted file is lost then, and counted there.
fn unread_at_end(file: &Followed) -> u64 {
    let is_deleted = || file.follower.file().and_then(Stat::of).is_ok_and(|stat| stat.links == 0);
    if file.is_detached && is_deleted() { 0 } else { unread(file) }
}

impl Loop {
    /// Begins the end because a signal asks for it.
    pub(super) fn terminate(&mut self) {
        self.is_terminated = true;
        let now = Instant::now();
        match &mut self.phase {
            Phase::Following => {
                // There is no later time to put anything off to.
                self.bucket = None;
                self.phase = Phase::Lingering(Linger::new(self.linger, now));
                self.advance_phase();
            }
            Phase::Draining(drain) => drain.hurry(self.drain_timeout, now),
            Phase::Lingering(_) | Phase::Done(_) => {}
        }
    }

    /// Begins to stream everything that is in the files; then it ends.
    fn begin_drain(&mut self) {
        self.desk.is_ending = true;
        self.bucket = None;
        self.tracker.prepare_end();
        self.tracker.look_everywhere(&mut self.desk.buffer);
        let began = Instant::now();
        while self.tracker.may_sweep() && began.elapsed() < LOOK_MAX {
            self.tracker.sweep_on(&mut self.desk.buffer);
        }
        self.take_events();
        self.tracker.files.make_all_ready();
        self.tracker.take_opened_late();
        let unread = self.tracker.files.iter().map(|(key, file)| (key, unread(file)));
        let left: HashMap<_, _> = unread.filter(|(_, left)| *left > 0).collect();
        let limit = match self.is_terminated {
            true => (self.drain_timeout, false),
            false => (self.drain_timeout.max(STALL_WITHOUT_SIGNAL), true),
        };
        self.phase = Phase::Draining(Drain::new(left, self.streamed_bytes(), limit, Instant::now()));
    }

    /// Notes for the drain what was found since it began: there was no place for it, or it takes long to look everywhere.
    pub(super) fn note_opened_late(&mut self) {
        let (opened, now) = (self.tracker.take_opened_late(), Instant::now());
        let Phase::Draining(drain) = &mut self.phase else { return };
        for key in opened {
            let left = self.tracker.files.by_key(key).map_or(0, unread);
            drain.note_opened(key, left, now);
        }
    }

    /// Has the directories watched in which files appear that `EXIT_ON` names; they may be made anew.
    pub(super) fn watch_for_exit(&mut self) {
        for directory in self.exit_on.directories() {
            self.tracker.watch_names(directory);
        }
    }

    /// Begins the end if a condition of `EXIT_ON` holds.
    pub(super) fn look_at_exit(&mut self) {
        if self.exit_on.is_never() || !self.phase.is_waiting() {
            return;
        }
        let now = Instant::now();
        let quiet = self.exit_on.is_due(now).then(|| self.quiet());
        if let Some(condition) = self.exit_on.met(now, quiet) {
            tracing::info!("SIDETAIL_EXIT_ON={condition} holds; ending");
            self.begin_drain();
        } else if self.exit_on.take_wish_to_look() {
            self.next_tick = now;
        }
    }

    /// Returns how quiet it is.
    fn quiet(&self) -> Quiet {
        let files = &self.tracker.files;
        let has_content = files.iter().any(|(_, file)| {
            let follower = &file.follower;
            follower.offset() > 0 || follower.unfinished_bytes() > 0
        });
        let has_streamed = self.streamed_bytes() > 0 || self.tracker.asleep() > 0;
        let is_blocked = Stream::ALL.into_iter().any(|stream| files.is_blocked(stream));
        Quiet {
            since: files.iter().map(|(_, file)| file.active).fold(self.worked, Instant::max),
            has_begun: has_content || has_streamed,
            is_working: self.has_work(),
            is_streamed: !files.is_ready() && !is_blocked && !self.desk.sink.is_holding(),
        }
    }

    pub(super) fn next_timer(&self) -> Instant {
        let listener = self.outward.as_ref().and_then(|outward| outward.listener.next_due());
        let waiting = [self.partials.first_due(), self.records.first_due(), listener].into_iter().flatten();
        let bucket = self.bucket_opens().filter(|_| self.is_waited_for());
        let sweep = self.tracker.next_sweep_due();
        let next = waiting.chain(bucket).chain(sweep).fold(self.next_tick, Instant::min);
        let exit = || self.exit_on.next_due().map_or(next, |due| next.min(due));
        match &self.phase {
            Phase::Following => exit(),
            Phase::Lingering(linger) => exit().min(linger.next_due()),
            Phase::Draining(drain) => next.min(drain.next_due(self.worked, Instant::now())),
            Phase::Done(_) => next,
        }
    }

    /// Goes on with the end, once it was asked for.
    pub(super) fn advance_phase(&mut self) {
        let now = Instant::now();
        match &mut self.phase {
            Phase::Lingering(linger) => {
                if linger.is_over(now) {
                    self.begin_drain();
                }
            }
            Phase::Draining(_) => self.advance_drain(now),
            Phase::Following | Phase::Done(_) => {}
        }
    }

    fn advance_drain(&mut self, now: Instant) {
        let has_blocked = Stream::ALL.into_iter().any(|stream| self.tracker.files.is_blocked(stream));
        let is_holding = self.desk.sink.is_holding();
        let doing = Doing {
            accepted: self.streamed_bytes(),
            unread: self.desk.sink.unread_bytes(),
            is_holding,
            is_idle: !(self.has_work() || has_blocked || is_holding),
            is_looking: self.tracker.is_sweeping(),
            worked: self.worked,
        };
        let Phase::Draining(drain) = &mut self.phase else { return };
        let files = &self.tracker.files;
        let unfinished = |key| files.by_key(key).map(|file| file.follower.unfinished_bytes());
        match drain.next(doing, now, unfinished) {
            DrainStep::GoOn if drain.takes_report(now) => self.report_left(),
            DrainStep::GoOn => {}
            DrainStep::FinishLines => {
                self.finish_lines(now);
                // Nothing would wake us if there is none.
                self.advance_drain(now);
            }
            DrainStep::End => {
                if let Phase::Draining(drain) = std::mem::replace(&mut self.phase, Phase::Following) {
                    self.phase = Phase::Done(drain);
                }
            }
        }
    }

    /// Reports how many bytes are left to stream before the end, as the termination message too: it may be killed before.
    fn report_left(&self) {
        let left = self.left_bytes();
        let text = format!(
            "{} {} left to stream before the end; if there is no time for them, raise terminationGracePeriodSeconds",
            counted(left, "byte"),
            verb(left, ["is", "are"])
        );
        // Each of them is another message, so none is held back.
        tracing::warn!(kind = "drain", "{text}");
        last_words::leave([text.as_str()]);
    }

    /// Makes every unfinished last line count as finished.
    fn finish_lines(&mut self, now: Instant) {
        let files = &mut self.tracker.files;
        let mut unfinished = Vec::new();
        for key in files.keys(|file| file.follower.unfinished_bytes() > 0) {
            if let Some(file) = files.file(key) {
                unfinished.push((key, file.follower.unfinished_bytes()));
                file.follower.finish_line();
            }
            files.make_ready(key);
        }
        if let Phase::Draining(drain) = &mut self.phase {
            drain.finish_lines(unfinished, now);
        }
    }

    /// Notes for the drain what a turn took of a file, and whether it has nothing more.
    pub(super) fn note_turn(&mut self, key: Key, offsets: [u64; 2], turn: Turn) {
        let Phase::Draining(drain) = &mut self.phase else { return };
        let Some(file) = self.tracker.files.by_key(key) else { return };
        let now = Instant::now();
        let end = (turn == Turn::Nothing).then(|| (file.follower.unfinished_bytes(), file.is_failing));
        drain.note_turn(key, offsets, end, now);
        if turn == Turn::Changed(Change::Truncated) {
            drain.note_truncated(key, unread(file));
        }
    }

    /// Returns how many bytes that were in the files when the end began are not on a stream yet.
    pub(super) fn left_bytes(&self) -> u64 {
        let (drain, unread): (_, fn(&Followed) -> u64) = match &self.phase {
            Phase::Draining(drain) => (drain, unread),
            Phase::Done(drain) => (drain, unread_at_end),
            _ => return 0,
        };
        let files = &self.tracker.files;
        let left = drain.left().filter_map(|(key, left)| Some(left.min(unread(files.by_key(key)?))));
        left.sum::<u64>() + drain.unreadable() + self.desk.sink.held_bytes()
    }

    /// Tells what was achieved.
    pub(super) fn tell_summary(&self) {
        if let Phase::Done(drain) = &self.phase {
            self.summary(drain).tell(drain.has_reported());
        }
    }

    fn summary(&self, drain: &Drain) -> Summary {
        let (left, unreadable) = (self.left_bytes(), drain.unreadable());
        let unread: u64 = self.tracker.files.iter().map(|(_, file)| unread_at_end(file)).sum();
        let sink = &self.desk.sink;
        Summary {
            files: self.tracker.files_followed,
            lines: sink.lines(),
            bytes: self.streamed_bytes(),
            unstreamed_bytes: left,
            lost_bytes: self.tracker.totals.lost.all(),
            waiting_nuls: self.tracker.files.iter().map(|(_, file)| file.follower.waiting_nuls()).sum(),
            unreadable_bytes: unreadable,
            later_bytes: (unread + sink.held_bytes()).saturating_sub(left),
            stall_max: drain.stall_max(),
            is_by_signal: !drain.is_by_condition(),
            invalid_utf8: self.desk.invalid_utf8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_too_late_has_the_way_out_of_its_kind_of_end() {
        for (later_bytes, is_by_signal, expected) in [
            (7, true, "7 bytes were written after the end had begun and are not streamed; raise SIDETAIL_LINGER"),
            (
                1,
                false,
                "1 byte was written after the end had begun and is not streamed; let SIDETAIL_EXIT_ON hold later",
            ),
        ] {
            assert_eq!(Summary { later_bytes, is_by_signal, ..Summary::default() }.later(), expected);
        }
    }

    #[test]
    fn the_summary_says_what_is_left_and_why() {
        const KEPT: &str = "; they are still in the files, and if those are in an emptyDir, they go with the pod";
        let all = Summary { files: 1, lines: Some(2), bytes: 1, ..Summary::default() };
        let stalled = Summary { unstreamed_bytes: 1, stall_max: Duration::from_secs(30), ..all };
        let by_signal = Summary { is_by_signal: true, later_bytes: 5, ..stalled };
        let unreadable = Summary { unreadable_bytes: 1, ..stalled };
        let lost = Summary { lost_bytes: 1, waiting_nuls: 1, invalid_utf8: 1, ..all };
        for (summary, expected) in [
            (all, "ended: 1 file, 2 lines, 1 byte streamed, 0 bytes left".to_owned()),
            (Summary { lines: None, ..all }, "ended: 1 file, 1 byte streamed, 0 bytes left".to_owned()),
            (stalled, format!("1 byte was not streamed: stdout or stderr accepted nothing for 30s{KEPT}")),
            (
                by_signal,
                format!(
                    "1 byte was not streamed, nor 5 that were written later: stdout or stderr accepted nothing for 30s \
                     (SIDETAIL_DRAIN_TIMEOUT){KEPT}"
                ),
            ),
            (unreadable, format!("1 byte was not streamed: their files cannot be read{KEPT}")),
            (
                lost,
                "ended: 1 file, 2 lines, 1 byte streamed, 0 bytes left; 1 byte was destroyed before it was read; 1 NUL byte at \
                 the ends of files, which nothing follows, was not streamed; 1 sequence of bytes was not UTF-8 and is shown as \
                 U+FFFD"
                    .to_owned(),
            ),
        ] {
            assert_eq!(summary.to_string(), expected);
        }
    }
}
