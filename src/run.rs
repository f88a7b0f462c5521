//! The one loop that knows all parts: wait, see what changed, give files their turns.
//!
//! It waits for hints of changed files, for a stream to accept more, for the safety tick and for the end, whichever is
//! first. What a hint says is looked up before it is believed. After the end was asked for it drains: everything readable
//! goes out, then unfinished last lines, then it stops, at the latest after `DRAIN_TIMEOUT`.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::bucket::Bucket;
use crate::config::Config;
use crate::exit_on::ExitOn;
use crate::files::{Followed, Key, Queue};
use crate::follow::Buffer;
use crate::follow::change::Change;
use crate::listen::Listener;
use crate::log;
use crate::metrics::Counters;
use crate::resident;
use crate::route::Stream;
use crate::signals::Requests;
use crate::sink::{Gone, OURSELVES, Sink, WRITE_BYTES_MAX, Written};
use crate::timer::Timer;
use crate::tracker::Tracker;
use crate::tracker::rotation::Rotation;
use crate::turn::{Begun, Desk, Failure, Turn};
use outward::Outward;

mod end;
mod outward;

pub use end::Summary;

/// How often everything is looked at even if no event told of a change.
const TICK: Duration = Duration::from_secs(2);

/// The same when nothing has happened for [`IDLE_AFTER`] and nothing is waited for: a pod that is idle should cost nothing.
const TICK_IDLE: Duration = Duration::from_secs(6);
const IDLE_AFTER: Duration = Duration::from_secs(10);

/// The same while polling, where no events come.
const TICK_POLLING: Duration = Duration::from_millis(200);

/// How often what of the program is not needed any more is given back, while anything happens.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(60);

/// Hints that come sooner than this after the last ones are a load: then it pays to let some more gather.
const LOAD: Duration = Duration::from_millis(25);

/// How long hints gather under load: it costs a line this much time, and the processor a fraction of a wake-up a line.
const GATHER: Duration = Duration::from_millis(22);

/// The same while a stream is stalled: there is nothing to hurry for until it accepts more, and that wakes us at once.
const GATHER_STALLED: Duration = Duration::from_millis(100);

/// After how many turns the loop looks whether anything else has happened.
const TURNS_MAX: usize = 16;

/// How long the files must be quiet before the drain ends: an application that is being stopped too still says goodbye.
const DRAIN_QUIET: Duration = Duration::from_millis(250);

/// How long the last record of a file waits for lines that continue it, where it is streamed as one object.
const RECORD_WAIT: Duration = Duration::from_millis(400);

/// Follows what the configuration names until `ending` is ready, then drains.
///
/// Must be called within a tokio runtime that has its I/O driver.
///
/// # Errors
/// When a stream is gone. What was not accepted by then is still in the files and not in the checkpoint.
pub async fn run(config: Config, outside: Outside, ending: impl Future<Output = ()>) -> Result<Summary, Gone> {
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!("sidetail {version} follows {}; {}", config.paths_text, config.plan);
    let mut run = Run::new(config, outside);
    let outcome = run.follow(pin!(ending)).await;
    let summary = run.summary();
    log::tell_all();
    if outcome.is_ok() && summary.unstreamed_bytes > 0 {
        tracing::warn!("{summary}");
    } else if outcome.is_ok() {
        tracing::info!("{summary}");
    }
    run.tracker.give_draft_up();
    // Whatever is still to be said is said if it fits; a stalled stderr must not hold the process up.
    let _ = run.say();
    run.desk.sink.release();
    outcome.map(|()| summary)
}

/// What the loop waits for and works with, besides the files.
#[derive(Debug)]
pub struct Outside {
    /// The standard streams.
    pub sink: Sink,
    /// The one timer.
    pub timer: Timer,
    /// What people ask for by signals.
    pub requests: Requests,
    /// What gives disk back, if that is asked for.
    pub rotation: Option<Rotation>,
    /// The port of the metrics, if that is asked for.
    pub listener: Option<Listener>,
}

/// Files whose end is streamed if it is still the same after some time: when that is, which file, from which byte on.
#[derive(Debug, Default)]
struct Waiting(VecDeque<(Instant, Key, u64)>);

impl Waiting {
    /// Adds a file, unless it waits for the same already; `wait` is the same each time.
    fn add(&mut self, wait: Duration, key: Key, offset: u64) {
        if !self.0.iter().any(|(_, of, from)| (*of, *from) == (key, offset)) {
            self.0.push_back((Instant::now() + wait, key, offset));
        }
    }

    fn first_due(&self) -> Option<Instant> {
        self.0.front().map(|(due, ..)| *due)
    }

    fn next_due(&mut self, now: Instant) -> Option<(Key, u64)> {
        self.first_due().filter(|due| *due <= now)?;
        self.0.pop_front().map(|(_, key, offset)| (key, offset))
    }
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

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Following,
    /// Everything readable is being streamed.
    Draining {
        since: Instant,
    },
    /// Unfinished last lines are being streamed.
    Finishing {
        since: Instant,
    },
    Done,
}

struct Run {
    timer: Timer,
    requests: Requests,
    tracker: Tracker,
    desk: Desk,
    partial_timeout: Option<Duration>,
    drain_timeout: Duration,
    /// Unfinished lines that are streamed if they are still the same then.
    partials: Waiting,
    /// The same of records that lines which are not there yet may continue.
    records: Waiting,
    /// The files of which it is still to be said how they are.
    status: VecDeque<Key>,
    phase: Phase,
    /// How much may be streamed now, if that is limited.
    bucket: Option<Bucket>,
    exit_on: ExitOn,
    next_tick: Instant,
    /// When a turn last gave something.
    worked: Instant,
    /// When hints were last taken.
    hinted: Instant,
    /// Whether hints come so soon after each other that they are let gather before they are even waited for.
    is_loaded: bool,
    /// Whether they have gathered since they were last taken.
    has_gathered: bool,
    /// When what of the program is not needed any more was last given back.
    given_back: Option<Instant>,
    /// Who is told of all this, if anybody may ask.
    outward: Option<Box<Outward>>,
}

impl Run {
    fn new(config: Config, outside: Outside) -> Self {
        let Outside { mut sink, timer, requests, rotation, listener } = outside;
        if tracing::enabled!(tracing::Level::INFO) {
            sink.count_lines();
        }
        let now = Instant::now();
        let output = sink.regular_files();
        Self {
            timer,
            requests,
            desk: Desk {
                buffer: Buffer::default(),
                sink,
                line_bytes_max: config.line_bytes_max,
                formats: Rc::clone(&config.formats),
                output: config.output,
                is_ending: false,
                invalid_utf8: 0,
                counters: listener.as_ref().map(|_| Box::new(Counters::new(config.router.clone()))),
            },
            partial_timeout: config.partial_timeout,
            drain_timeout: config.drain_timeout,
            partials: Waiting::default(),
            records: Waiting::default(),
            status: VecDeque::new(),
            phase: Phase::Following,
            bucket: config.rate_limit.map(|rate| Bucket::new(rate, WRITE_BYTES_MAX, now)),
            exit_on: ExitOn::new(&config.exit_on, now),
            next_tick: now + TICK,
            worked: now,
            hinted: now,
            is_loaded: false,
            has_gathered: false,
            given_back: None,
            outward: listener.map(|listener| Box::new(Outward::new(listener))),
            tracker: Tracker::new(config, output, rotation),
        }
    }

    async fn follow(&mut self, mut ending: Pin<&mut impl Future<Output = ()>>) -> Result<(), Gone> {
        self.tracker.look_everywhere(&mut self.desk.buffer);
        self.watch_for_exit();
        self.look_at_exit();
        while self.phase != Phase::Done {
            self.work()?;
            self.tracker.archive_on(&mut self.desk.buffer);
            self.say()?;
            self.advance_phase();
            if self.phase != Phase::Done {
                let wake = self.wait(ending.as_mut()).await;
                self.act(&wake)?;
            }
        }
        Ok(())
    }

    /// Waits until there is something to do; if there is already, only looks what else has happened.
    async fn wait(&mut self, mut ending: Pin<&mut impl Future<Output = ()>>) -> Wake {
        self.note_stalls();
        let has_work = self.has_work() || self.tracker.is_archiving();
        if has_work || self.tracker.watch().has_more() {
            tokio::task::yield_now().await;
        } else if self.is_loaded {
            self.gather();
        }
        self.timer.set(self.next_timer());
        let is_following = self.phase == Phase::Following;
        poll_fn(|cx| {
            let wake = Wake {
                ending: is_following && ending.as_mut().poll(cx).is_ready(),
                hints: self.tracker.watch().poll_ready(cx).is_ready(),
                writable: self.desk.sink.poll_ready(cx).is_ready(),
                timer: self.timer.poll_due(cx).is_ready(),
                requests: self.requests.poll_asked(cx).is_ready(),
                flushed: self.tracker.rotation.as_mut().is_some_and(|one| one.poll_flushed(cx).is_ready()),
                process_ended: self.exit_on.poll_ended(cx).is_ready(),
                asked: self.outward.as_mut().is_some_and(|one| one.listener.poll_asked(cx).is_ready()),
            };
            if has_work || wake.is_any() { Poll::Ready(wake) } else { Poll::Pending }
        })
        .await
    }

    fn act(&mut self, wake: &Wake) -> Result<(), Gone> {
        if wake.ending {
            self.begin_drain();
        }
        if wake.writable {
            self.flush()?;
        }
        if wake.flushed {
            self.tracker.flushed(&mut self.desk.buffer);
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
        if wake.timer && Instant::now() >= self.next_tick {
            self.desk.sink.check_readers()?;
            self.tracker.tick(&mut self.desk.buffer);
            self.watch_for_exit();
            self.give_program_back();
            self.next_tick = Instant::now() + self.tick();
        }
        if wake.hints || wake.timer || wake.process_ended {
            self.look_at_exit();
        }
        Ok(())
    }

    /// Returns how long it is to the next tick.
    fn tick(&self) -> Duration {
        let is_expecting = self.tracker.is_expecting() || !self.exit_on.is_never();
        let is_idle = self.worked.max(self.hinted).elapsed() >= IDLE_AFTER && !is_expecting;
        match self.tracker.watch().is_polling() {
            true => TICK_POLLING,
            false if is_idle => TICK_IDLE,
            false => TICK,
        }
    }

    /// Gives back what of the program was needed, at the first tick for its start, and then if anything was done since, but not
    /// often.
    fn give_program_back(&mut self) {
        let now = Instant::now();
        if self.given_back.is_none_or(|last| last < self.worked && now.duration_since(last) >= GIVE_BACK_EVERY) {
            resident::give_back();
            self.given_back = Some(now);
        }
    }

    /// Does what was asked for by a signal.
    fn answer(&mut self) {
        let asked = self.requests.take();
        if asked.rotate {
            self.tracker.rotate_all(&mut self.desk.buffer);
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
        self.tracker.take_hints(&mut self.desk.buffer);
    }

    /// Lets hints gather; not even the kernel's events wake us meanwhile, only a stream that accepts more. It is the time for an
    /// archive, if one is being made.
    fn gather(&mut self) {
        if self.phase != Phase::Following {
            return;
        }
        let is_stalled = self.desk.sink.is_holding() && self.worked.elapsed() > GATHER_STALLED;
        let is_stalled = is_stalled || self.bucket_opens().is_some();
        let end = Instant::now() + if is_stalled { GATHER_STALLED } else { GATHER };
        while self.tracker.is_archiving() && Instant::now() < end && !self.has_work() {
            self.tracker.archive_on(&mut self.desk.buffer);
        }
        self.desk.sink.wait_ready(end.saturating_duration_since(Instant::now()));
        self.has_gathered = true;
    }

    /// Says whether a file could take its turn now.
    fn has_work(&self) -> bool {
        self.is_waited_for() && self.bucket_opens().is_none()
    }

    /// Says whether a file waits for nothing but its turn.
    fn is_waited_for(&self) -> bool {
        let files = &self.tracker.files;
        files.is_ready() || Stream::ALL.into_iter().any(|stream| files.is_blocked(stream) && self.is_free(stream))
    }

    /// Returns when the next turn may be given, if none may now because enough was streamed.
    fn bucket_opens(&self) -> Option<Instant> {
        self.bucket.as_ref()?.closed_until(Instant::now())
    }

    fn charge_bucket(&mut self) {
        let streamed = self.streamed_bytes();
        if let Some(bucket) = &mut self.bucket {
            bucket.charge(streamed, Instant::now());
        }
    }

    /// Returns how many bytes of files the streams have accepted; they may be one.
    fn streamed_bytes(&self) -> u64 {
        let sink = &self.desk.sink;
        let streams = Stream::ALL.into_iter().filter(|stream| sink.effective(*stream) == *stream);
        streams.map(|stream| sink.accepted_bytes(stream)).sum()
    }

    fn is_free(&self, stream: Stream) -> bool {
        self.desk.sink.is_ready(stream, OURSELVES)
    }

    /// Gives the files that wait their turns, but not too many at one time.
    fn work(&mut self) -> Result<(), Gone> {
        for _ in 0..TURNS_MAX {
            if self.bucket_opens().is_some() {
                return Ok(());
            }
            let sink = &self.desk.sink;
            let Some(key) = self.tracker.files.next(|stream| sink.is_ready(stream, OURSELVES)) else { return Ok(()) };
            if self.tracker.is_open(key, &mut self.desk.buffer) {
                self.turn(key)?;
            }
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
                    tracing::warn!(file = %file.path.display(), "cannot read {}: {why}; it is tried again until it works", file.path.display());
                }
                self.desk.give_up_line(key, file)?
            }
        };
        let after = file.follower.offset();
        if self.desk.counters.is_some() {
            outward::note_turn(file, turn);
        }
        file.goes_first &= after == before && turn == Turn::More;
        if after != before {
            self.worked = Instant::now();
            file.active = self.worked;
        } else if file.follower.unfinished_bytes() > unfinished {
            file.active = Instant::now();
        }
        self.queue(key, turn);
        if after != before && turn != Turn::Held {
            self.save(key);
            self.tracker.consider(key, &mut self.desk.buffer);
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
        self.tracker.begin_room_anew(key);
        let Some(file) = self.tracker.files.file(key) else { return };
        let path = file.path.display();
        match change {
            Change::Truncated => {
                self.tracker.totals.truncated += 1;
                tracing::info!(file = %path, "{path} was truncated or replaced in place; it is read from its beginning");
                self.tracker.look_for_copies(key, &mut self.desk.buffer);
            }
            Change::Punched => {
                tracing::info!(file = %path, "what was streamed of {path} was given back; its offset stands")
            }
            Change::Collapsed(offset) => {
                tracing::info!(file = %path, "the beginning of {path} was collapsed; its offset is {offset} now")
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
            file.held[stream] = false;
            if file.held == [false; 2] {
                // Behind those that waited for the stream meanwhile, or a slow reader would only ever see this file.
                if self.desk.is_within_line(key) {
                    self.tracker.files.go_on(key);
                } else {
                    self.tracker.files.block(key, Stream::ALL[stream]);
                }
                self.save_released(key);
                self.tracker.consider(key, &mut self.desk.buffer);
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

    /// Returns the next line of what was asked for with SIGUSR1: one at a time, however many files there are.
    fn next_status(&mut self) -> Option<Vec<u8>> {
        loop {
            let key = self.status.pop_front()?;
            if let Some(status) = self.tracker.status(key) {
                let path = self.tracker.files.file(key).map(|file| &*file.path);
                return Some(log::line(tracing::Level::INFO, &status, path).into());
            }
        }
    }
}
