//! The one loop that knows all parts: wait, see what changed, give files their turns.
//!
//! It waits for hints of changed files, for a stream to accept more, for the safety tick and for the end, whichever is
//! first. What a hint says is looked up before it is believed. After the end was asked for it drains: everything readable
//! goes out, then unfinished last lines, then it stops, at the latest after `DRAIN_TIMEOUT`.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::desk::{Begun, Failure, Turn};
use super::loop_state::{Loop, Outside, TICK, Waiting};
use super::pages;
use crate::config::Config;
use crate::output::rules::Stream;
use crate::output::sink::{Gone, OURSELVES, Written};
use crate::read::change::Change;
use crate::reclaim::status::status;
use crate::report::log;
use crate::shelf::followed::{Followed, Queue};
use crate::shelf::lineage::Key;
use crate::sys::heap;

/// The same when nothing has happened for [`IDLE_AFTER`] and nothing is waited for: a pod that is idle should cost nothing.
const TICK_IDLE: Duration = Duration::from_secs(6);
const IDLE_AFTER: Duration = Duration::from_secs(10);

/// The same while polling, where no events come.
const TICK_POLLING: Duration = Duration::from_millis(200);

/// How often free pages of the heap go back to the kernel, while anything happens.
const TRIM_EVERY: Duration = Duration::from_secs(60);

/// Hints that come sooner than this after the last ones are a load: then it pays to let some more gather.
const LOAD: Duration = Duration::from_millis(25);

/// How long hints gather under load: it costs a line this much time, and the processor a fraction of a wake-up a line.
const GATHER: Duration = Duration::from_millis(22);

/// The same while a stream is stalled: there is nothing to hurry for until it accepts more, and that wakes us at once.
const GATHER_STALLED: Duration = Duration::from_millis(100);

/// After how many turns the loop looks whether anything else has happened.
const TURNS_MAX: usize = 16;

/// How long a stream accepts nothing until that is a stall, and not a reader that is busy.
const STALLED_AFTER: Duration = Duration::from_secs(1);

/// How long the last record of a file waits for lines that continue it, where it is streamed as one object.
const RECORD_WAIT: Duration = Duration::from_millis(400);

/// Follows what the configuration names until `ending` is ready, then drains.
///
/// Must be called within a tokio runtime that has its I/O driver.
///
/// # Errors
/// When a stream is gone. What was not accepted by then is still in the files and not in the checkpoint.
pub(crate) async fn run(config: Config, outside: Outside, ending: impl Future<Output = ()>) -> Result<(), Gone> {
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!("sidetail {version} follows {}; {}", config.paths_text, config.plan);
    let mut run = Loop::new(config, outside);
    let outcome = run.follow(pin!(ending)).await;
    run.tracker.tell_lost_at_end();
    log::tell_all();
    if outcome.is_ok() {
        run.tell_summary();
    }
    run.give_draft_up();
    run.say_last();
    run.desk.sink.release();
    outcome
}

/// Why the loop woke up.
#[derive(Debug, Default)]
struct Wake {
    ending: bool,
    hints: bool,
    writable: bool,
    timer: bool,
    requests: bool,
    flushed: bool,
    process_ended: bool,
    asked: bool,
}

impl Wake {
    fn is_any(&self) -> bool {
        let Self { ending, hints, writable, timer, requests, flushed, process_ended, asked } = *self;
        ending || hints || writable || timer || requests || flushed || process_ended || asked
    }
}

impl Loop {
    async fn follow(&mut self, mut ending: Pin<&mut impl Future<Output = ()>>) -> Result<(), Gone> {
        self.tracker.look_everywhere(&mut self.desk.buffer);
        if self.is_watched && self.tracker.has_looked() {
            self.tracker.tell_resumed();
        }
        self.take_events();
        self.watch_for_exit();
        self.look_at_exit();
        // Where no event comes, the first look after this one must not be late either.
        self.next_tick = Instant::now() + self.tick();
        while !self.phase.is_done() {
            // That a file is followed is said before its lines.
            self.say()?;
            self.work()?;
            self.sweep_on();
            self.archive_on();
            self.say()?;
            self.advance_phase();
            if !self.phase.is_done() {
                let wake = self.wait(ending.as_mut()).await;
                self.act(&wake)?;
            }
        }
        Ok(())
    }

    /// Waits until there is something to do; if there is already, only looks what else has happened.
    async fn wait(&mut self, mut ending: Pin<&mut impl Future<Output = ()>>) -> Wake {
        self.note_stalls();
        let has_work = self.has_work() || self.is_archiving();
        if has_work || self.tracker.watch().has_more() {
            tokio::task::yield_now().await;
        } else if self.is_loaded {
            self.gather();
        }
        self.timer.set(self.next_timer());
        let is_terminated = self.is_terminated;
        poll_fn(|cx| {
            let wake = Wake {
                ending: !is_terminated && ending.as_mut().poll(cx).is_ready(),
                hints: self.tracker.watch().poll_ready(cx).is_ready(),
                writable: self.desk.sink.poll_ready(cx).is_ready(),
                timer: self.timer.poll_due(cx).is_ready(),
                requests: self.requests.poll_asked(cx).is_ready(),
                flushed: self.reclaim.as_mut().is_some_and(|one| one.poll_flushed(cx).is_ready()),
                process_ended: self.exit_on.poll_ended(cx).is_ready(),
                asked: self.outward.as_mut().is_some_and(|one| one.listener.poll_asked(cx).is_ready()),
            };
            if has_work || wake.is_any() { Poll::Ready(wake) } else { Poll::Pending }
        })
        .await
    }

    fn act(&mut self, wake: &Wake) -> Result<(), Gone> {
        if wake.ending {
            self.terminate();
        }
        if wake.writable || wake.timer {
            self.flush()?;
        }
        if wake.flushed {
            self.go_on_reclaiming();
        }
        if wake.requests {
            self.answer();
        }
        if wake.asked {
            self.answer_outward();
        }
        if wake.hints {
            self.take_hints();
        } else if std::mem::take(&mut self.has_gathered) {
            // Nothing came: that was no load.
            self.is_loaded = false;
        }
        if wake.timer {
            self.stream_waiting();
        }
        let is_tick = wake.timer && Instant::now() >= self.next_tick;
        if is_tick {
            self.desk.sink.check_readers()?;
            self.tracker.tick(&mut self.desk.buffer);
            self.reclaim_in_time();
            self.watch_for_exit();
            self.trim_heap();
            self.next_tick = Instant::now() + self.tick();
        }
        if is_tick || (wake.hints && self.desk.sink.is_holding()) {
            self.tell_deleted();
        }
        if wake.hints || wake.timer || wake.process_ended {
            self.look_at_exit();
        }
        Ok(())
    }

    /// Warns of deleted files that are held because nobody reads: once a stream is stalled, as soon as one is deleted.
    fn tell_deleted(&mut self) {
        let now = Instant::now();
        let sink = &self.desk.sink;
        self.tracker.tell_deleted(|stream| sink.stalled(stream, now) >= STALLED_AFTER, now);
    }

    /// Returns how long it is to the next tick.
    fn tick(&self) -> Duration {
        let is_expecting = self.tracker.is_expecting() || self.reclaim.is_some() || !self.exit_on.is_never();
        let is_idle = self.worked.max(self.hinted).elapsed() >= IDLE_AFTER && !is_expecting;
        match self.tracker.watch().is_polling() {
            true => TICK_POLLING,
            false if is_idle => TICK_IDLE,
            false => TICK,
        }
    }

    /// Returns free pages of the heap to the kernel, at the first tick those of the start, and then if anything was done since,
    /// but not often.
    fn trim_heap(&mut self) {
        let now = Instant::now();
        if self.trimmed.is_none_or(|last| last < self.worked && now.duration_since(last) >= TRIM_EVERY) {
            heap::trim();
            self.trimmed = Some(now);
        }
    }

    /// Does what was asked for by a signal.
    fn answer(&mut self) {
        let asked = self.requests.take();
        if asked.rotate {
            self.rotate_all();
        }
        if asked.status {
            self.status = self.tracker.files.keys(|_| true).into();
        }
    }

    /// Takes the hints that wait. If they come soon after the last ones, they gather before, and are let gather before they are
    /// waited for from then on: one wake-up for all of them.
    fn take_hints(&mut self) {
        if !std::mem::take(&mut self.has_gathered) {
            self.is_loaded = self.hinted.elapsed() < LOAD;
            if self.is_loaded && !self.has_work() {
                self.gather();
                self.has_gathered = false;
            }
        }
        self.hinted = Instant::now();
        self.tracker.are_turns_late = self.bucket_opens().is_some();
        self.tracker.take_hints(&mut self.desk.buffer);
        self.take_events();
    }

    /// Lets hints gather; not even the kernel's events wake us meanwhile, only a stream that accepts more. It is the time for an
    /// archive, if one is being made.
    fn gather(&mut self) {
        if !self.phase.is_waiting() {
            return;
        }
        let is_stalled = self.desk.sink.is_holding() && self.worked.elapsed() > GATHER_STALLED;
        let is_stalled = is_stalled || self.bucket_opens().is_some();
        let end = Instant::now() + if is_stalled { GATHER_STALLED } else { GATHER };
        while self.is_archiving() && Instant::now() < end && !self.has_work() {
            self.archive_on();
        }
        self.desk.sink.wait_ready(end.saturating_duration_since(Instant::now()));
        self.has_gathered = true;
    }

    fn charge_bucket(&mut self) {
        let streamed = self.streamed_bytes();
        if let Some(bucket) = &mut self.bucket {
            bucket.charge(streamed, Instant::now());
        }
    }

    /// Goes on with the look at all patterns, if one is under way.
    fn sweep_on(&mut self) {
        if self.tracker.is_sweeping() {
            let had_looked = self.tracker.has_looked();
            self.tracker.sweep_on(&mut self.desk.buffer);
            if self.is_watched && !had_looked && self.tracker.has_looked() {
                self.tracker.tell_resumed();
            }
            self.take_events();
            self.note_opened_late();
        }
    }

    /// Gives the files that wait their turns, but not too many at one time.
    fn work(&mut self) -> Result<(), Gone> {
        self.take_events();
        for _ in 0..TURNS_MAX {
            if self.bucket_opens().is_some() {
                return Ok(());
            }
            if self.tracker.is_unsure() {
                self.tracker.look_for_elders(&mut self.desk.buffer);
                self.take_events();
            }
            let sink = &self.desk.sink;
            let next = self.tracker.files.next(|stream| sink.is_ready(stream, OURSELVES));
            let put_off = self.tracker.files.take_put_off();
            self.tracker.note_sizes(&put_off, &mut self.desk.buffer);
            let Some(key) = next else { return Ok(()) };
            if self.tracker.is_open(key, &mut self.desk.buffer) {
                self.turn(key)?;
            }
            self.take_events();
            if self.bucket.is_some() {
                self.charge_bucket();
            }
        }
        Ok(())
    }

    fn turn(&mut self, key: Key) -> Result<(), Gone> {
        let Some(file) = self.tracker.files.file(key) else { return Ok(()) };
        let (before, unfinished) = (file.follower.offset(), file.follower.unfinished_bytes());
        let begun = self.desk.look(key, file);
        // In this order: whatever was written to an elder before these lines is there by now.
        if begun.as_ref().is_ok_and(Begun::has_lines) && self.tracker.files.yield_to_elder(key) {
            return Ok(());
        }
        let Some(file) = self.tracker.files.file(key) else { return Ok(()) };
        let turn = match begun.and_then(|begun| self.desk.turn(key, file, begun)) {
            Ok(turn) => {
                if !matches!(turn, Turn::Blocked(_)) && std::mem::take(&mut file.is_failing) {
                    tracing::warn!(file = %file.path.display(), "{} can be read again", file.path.display());
                }
                turn
            }
            Err(Failure::Gone(gone)) => return Err(gone),
            Err(Failure::Read(why)) => {
                if !file.is_failing {
                    file.is_failing = true;
                    self.tracker.totals.read_errors += 1;
                    tracing::warn!(file = %file.path.display(), "cannot read {}: {why}; retrying", file.path.display());
                }
                self.desk.give_up_line(key, file)?
            }
        };
        let after = file.follower.offset();
        let is_draining = !self.phase.is_waiting();
        if self.desk.counters.is_some() {
            pages::note_turn(file, turn);
        }
        file.goes_first &= after == before && turn == Turn::More;
        file.is_served |= after != before;
        if after != before {
            self.worked = Instant::now();
            file.active = self.worked;
        } else if file.follower.unfinished_bytes() > unfinished {
            file.active = Instant::now();
        }
        // Whatever else it gave, what was streamed is still before it.
        file.is_intact_elsewhere |=
            file.is_detached && !matches!(turn, Turn::Changed(_) | Turn::Blocked(_) | Turn::Held);
        if is_draining {
            self.note_turn(key, [before, after], turn);
        }
        self.queue(key, turn);
        if matches!(turn, Turn::Blocked(_)) {
            self.tracker.note_sizes(&[key], &mut self.desk.buffer);
        }
        self.tracker.note_lost(key);
        if after != before && turn != Turn::Held {
            self.save(key);
            self.consider(key);
        }
        Ok(())
    }

    /// Puts a file where it waits after its turn.
    fn queue(&mut self, key: Key, turn: Turn) {
        if let Turn::Changed(change) = turn {
            self.changed(key, change);
        }
        let files = &mut self.tracker.files;
        let Some(file) = files.file(key) else { return };
        match turn {
            Turn::Held => file.queue = Queue::Held,
            Turn::Nothing | Turn::Last => {
                let unfinished = file.follower.unfinished_bytes() > 0;
                let offset = file.follower.offset();
                if let (true, Some(timeout)) = (unfinished, self.partial_timeout) {
                    self.partials.add(timeout, key, offset);
                }
                if file.is_record_waiting {
                    self.records.add(RECORD_WAIT, key, offset);
                }
                files.wake_younger(key);
                self.tracker.let_oldest_go();
            }
            Turn::More | Turn::Changed(_) if file.goes_first || self.desk.is_within_line(key) => files.go_on(key),
            Turn::More | Turn::Changed(_) => files.make_ready(key),
            Turn::Blocked(stream) => files.block(key, self.desk.sink.effective(stream)),
        }
    }

    fn changed(&mut self, key: Key, change: Change) {
        self.begin_room_anew(key);
        let Some(file) = self.tracker.files.file(key) else { return };
        let path = file.path.display();
        match change {
            Change::Truncated => {
                self.tracker.totals.truncated += 1;
                tracing::info!(file = %path, "{path} was truncated or replaced; reading it from the beginning");
                self.tracker.note_lost(key);
                self.tracker.look_for_copies(key, &mut self.desk.buffer);
                self.tracker.let_destroyed_go(key, &mut self.desk.buffer);
                self.take_events();
            }
            Change::Punched => {
                tracing::info!(file = %path, "the streamed part of {path} was punched out; keeping the offset")
            }
            Change::Collapsed(offset) => {
                tracing::info!(file = %path, "the beginning of {path} was collapsed; continuing at offset {offset}")
            }
        }
    }

    /// Streams the unfinished lines and records whose time has come.
    fn stream_waiting(&mut self) {
        let now = Instant::now();
        let files = &mut self.tracker.files;
        let mut each = |waiting: &mut Waiting, finish: fn(&mut Followed)| {
            while let Some((key, offset)) = waiting.next_due(now) {
                if let Some(file) = files.file(key).filter(|file| file.follower.offset() == offset) {
                    finish(file);
                    files.make_ready(key);
                }
            }
        };
        each(&mut self.partials, |file| file.follower.finish_line());
        each(&mut self.records, |file| file.is_record_due = true);
    }

    /// Goes on with what the streams hold; files whose lines are out go on too.
    fn flush(&mut self) -> Result<(), Gone> {
        for (stream, owner) in self.desk.sink.flush()?.into_iter().enumerate() {
            let Some(key) = owner.filter(|owner| *owner != OURSELVES) else { continue };
            let Some(file) = self.tracker.files.file(key) else { continue };
            if file.progress.release(Stream::ALL[stream]) {
                // Behind those that waited for the stream meanwhile, or a slow reader would only ever see this file.
                if self.desk.is_within_line(key) {
                    self.tracker.files.go_on(key);
                } else {
                    self.tracker.files.block(key, Stream::ALL[stream]);
                }
                self.save_released(key);
                self.consider(key);
            }
        }
        Ok(())
    }

    /// Puts our own messages between two lines of stderr.
    fn say(&mut self) -> Result<(), Gone> {
        while self.is_free(Stream::Stderr) {
            let Some(line) = log::next_line().or_else(|| self.next_status()) else { break };
            if self.desk.sink.write(Stream::Stderr, OURSELVES, &[&line], true)? == Written::Held {
                break;
            }
        }
        Ok(())
    }

    /// Says what is still to be said. A pipe that is full of lines is no reason to drop it, while somebody reads them; but a stderr
    /// that accepts nothing holds the process up no longer than the drain.
    fn say_last(&mut self) {
        if self.is_free(Stream::Stderr) {
            while self.say().is_ok()
                && !self.is_free(Stream::Stderr)
                && self.desk.sink.wait_accepted(Stream::Stderr, self.drain_timeout)
            {}
        }
    }

    /// Returns the next line of what was asked for with SIGUSR1: one at a time, however many files there are.
    fn next_status(&mut self) -> Option<Vec<u8>> {
        loop {
            let key = self.status.pop_front()?;
            // Whatever is said to be unread is said to be lost if it is destroyed.
            self.tracker.note_sizes(&[key], &mut self.desk.buffer);
            let policy = self.tracker.policy().clone();
            if let Some(status) = status(&policy, &mut self.tracker, key) {
                return Some(log::line(tracing::Level::INFO, &status.to_string(), Some(&status.path)).into());
            }
        }
    }
}
