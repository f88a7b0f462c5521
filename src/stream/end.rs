//! The end: when it comes, what is streamed before it, and what is said of it.

use std::fmt;
use std::time::{Duration, Instant};

use super::loop_state::{DRAIN_QUIET, Loop, Phase};
use crate::output::rules::Stream;
use crate::paths::beneath::Stat;
use crate::stream::exit_on::Quiet;

/// What was achieved, for the last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Summary {
    /// How many files were followed.
    pub files: u64,
    /// How many lines that were, if they were counted: only for who is told.
    pub lines: Option<u64>,
    /// How many bytes the streams accepted.
    pub bytes: u64,
    /// How many bytes in the files were readable and are not on a stream: not 0 only if the drain was cut short.
    pub unstreamed_bytes: u64,
    /// How many bytes were destroyed before they were read.
    pub lost_bytes: u64,
    /// How many NULs at the ends of files were not streamed, because nothing follows them.
    pub waiting_nuls: u64,
    /// How much time there was for the drain.
    pub drain_timeout: Duration,
    /// How many sequences of bytes were not UTF-8 and are shown as U+FFFD: not 0 only if records are JSON objects.
    pub invalid_utf8: u64,
}

impl Summary {
    /// Says whether anything is missing on the streams.
    #[must_use]
    pub(super) fn is_incomplete(&self) -> bool {
        self.unstreamed_bytes > 0 || self.lost_bytes > 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, lines, bytes, unstreamed_bytes, lost_bytes, waiting_nuls, drain_timeout, invalid_utf8 } =
            self;
        if *unstreamed_bytes > 0 {
            let timeout = humantime::format_duration(*drain_timeout);
            write!(
                f,
                "{unstreamed_bytes} bytes were not streamed within {timeout}; they are still in the files, raise \
                 SIDETAIL_DRAIN_TIMEOUT"
            )?;
        } else {
            write!(f, "ended: {files} files, ")?;
            if let Some(lines) = lines {
                write!(f, "{lines} lines, ")?;
            }
            write!(f, "{bytes} bytes streamed, 0 bytes left")?;
        }
        if *lost_bytes > 0 {
            write!(f, "; {lost_bytes} bytes were destroyed before they were read")?;
        }
        if *waiting_nuls > 0 {
            write!(f, "; {waiting_nuls} NUL bytes at the ends of files, which nothing follows, were not streamed")?;
        }
        if *invalid_utf8 > 0 {
            write!(f, "; {invalid_utf8} sequences of bytes were not UTF-8 and are shown as U+FFFD")?;
        }
        Ok(())
    }
}

impl Loop {
    /// Begins to stream everything that is readable; then it ends.
    pub(super) fn begin_drain(&mut self) {
        self.phase = Phase::Draining { since: Instant::now() };
        self.desk.is_ending = true;
        // There is no later time to put anything off to.
        self.bucket = None;
        self.tracker.look_everywhere(&mut self.desk.buffer);
        self.take_events();
        self.tracker.files.make_all_ready();
    }

    /// Has the directories watched in which files appear that `EXIT_ON` names; they may be made anew.
    pub(super) fn watch_for_exit(&mut self) {
        for directory in self.exit_on.directories() {
            self.tracker.watch_names(directory);
        }
    }

    /// Begins the end if a condition of `EXIT_ON` holds.
    pub(super) fn look_at_exit(&mut self) {
        if self.exit_on.is_never() || self.phase != Phase::Following {
            return;
        }
        let now = Instant::now();
        let quiet = self.exit_on.is_due(now).then(|| self.quiet());
        if let Some(condition) = self.exit_on.met(now, quiet) {
            tracing::info!("SIDETAIL_EXIT_ON={condition} holds; it ends");
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
        let has_streamed = self.streamed_bytes() > 0;
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
        let next = waiting.chain(bucket).fold(self.next_tick, Instant::min);
        match self.phase {
            Phase::Following => self.exit_on.next_due().map_or(next, |due| next.min(due)),
            Phase::Done => next,
            Phase::Draining { since } | Phase::Finishing { since } => {
                let quiet = self.worked.max(since) + DRAIN_QUIET;
                let deadline = since + self.drain_timeout;
                next.min(if Instant::now() < quiet { quiet.min(deadline) } else { deadline })
            }
        }
    }

    /// Goes on with the end, once it was asked for.
    pub(super) fn advance_phase(&mut self) {
        let (Phase::Draining { since } | Phase::Finishing { since }) = self.phase else { return };
        let now = Instant::now();
        if now.duration_since(since) >= self.drain_timeout {
            self.phase = Phase::Done;
            return;
        }
        let has_blocked = Stream::ALL.into_iter().any(|stream| self.tracker.files.is_blocked(stream));
        if self.has_work() || has_blocked || self.desk.sink.is_holding() {
            return;
        }
        match self.phase {
            // An application that never stops writing must not use the time up that its last line needs.
            Phase::Draining { .. } => {
                let is_quiet = now.duration_since(self.worked.max(since)) >= DRAIN_QUIET;
                if is_quiet || now.duration_since(since) >= self.drain_timeout / 2 {
                    self.finish_lines();
                    self.phase = if self.has_work() { Phase::Finishing { since } } else { Phase::Done };
                }
            }
            _ => self.phase = Phase::Done,
        }
    }

    /// Makes every unfinished last line count as finished.
    fn finish_lines(&mut self) {
        let files = &mut self.tracker.files;
        for key in files.keys(|file| file.follower.unfinished_bytes() > 0) {
            if let Some(file) = files.file(key) {
                file.follower.finish_line();
            }
            files.make_ready(key);
        }
    }

    /// Returns what was achieved.
    pub(super) fn summary(&self) -> Summary {
        let unstreamed = self.tracker.files.iter().map(|(_, file)| {
            // What is unread of a deleted file is lost, and counted there.
            let stat = file.follower.file().and_then(Stat::of).ok().filter(|stat| stat.links > 0 || !file.is_detached);
            stat.map_or(0, |stat| file.follower.unread_bytes(stat.size))
        });
        let waiting_nuls = self.tracker.files.iter().map(|(_, file)| file.follower.waiting_nuls());
        let sink = &self.desk.sink;
        Summary {
            files: self.tracker.files_followed,
            lines: sink.lines(),
            bytes: self.streamed_bytes(),
            unstreamed_bytes: unstreamed.sum::<u64>() + sink.held_bytes(),
            lost_bytes: self.tracker.totals.lost.all(),
            waiting_nuls: waiting_nuls.sum(),
            drain_timeout: self.drain_timeout,
            invalid_utf8: self.desk.invalid_utf8,
        }
    }
}
