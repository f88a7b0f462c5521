//! The one loop that knows all parts: wait, see what changed, give files their turns.
//!
//! It waits for hints of changed files, for a stream to accept more, for the safety tick and for the end, whichever is
//! first. What a hint says is looked up before it is believed. After the end was asked for it drains: everything readable
//! goes out, then unfinished last lines, then it stops, at the latest after `DRAIN_TIMEOUT`.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use crate::beneath::Stat;
use crate::checkpoint::{Checkpoint, Known};
use crate::config::{Config, ReadFrom};
use crate::discover::{Discovery, Found};
use crate::files::{Files, Followed, Key, Queue};
use crate::follow::{Buffer, Follower};
use crate::log;
use crate::refusal::Refusals;
use crate::route::Stream;
use crate::sink::{Gone, OURSELVES, Sink, Written};
use crate::timer::Timer;
use crate::turn::{Desk, Failure, Turn};
use crate::watch::{Hint, Watch};

/// How often everything is looked at even if no event told of a change.
const TICK: Duration = Duration::from_secs(2);

/// The same while polling, where no events come.
const TICK_POLLING: Duration = Duration::from_millis(200);

/// Hints that come sooner than this after the last work are a load: then it pays to let some more gather.
const LOAD: Duration = Duration::from_millis(20);

/// How long hints gather under load: it costs a line this much time, and the processor a fraction of a wake-up a line.
const GATHER: Duration = Duration::from_millis(15);

/// After how many turns the loop looks whether anything else has happened.
const TURNS_MAX: usize = 16;

/// How long the files must be quiet before the drain ends: an application that is being stopped too still says goodbye.
const DRAIN_QUIET: Duration = Duration::from_millis(250);

/// After how long the checkpoint forgets files of an earlier process that did not turn up again.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// What was achieved, for the last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many files were followed.
    pub files: u64,
    /// How many bytes the streams accepted.
    pub bytes: u64,
    /// How many bytes in the files were readable and are not on a stream: not 0 only if the drain was cut short.
    pub unstreamed_bytes: u64,
    /// How much time there was for the drain.
    pub drain_timeout: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, bytes, unstreamed_bytes, drain_timeout } = self;
        if *unstreamed_bytes > 0 {
            let timeout = humantime::format_duration(*drain_timeout);
            write!(
                f,
                "{unstreamed_bytes} bytes were not streamed within {timeout}: stdout or stderr is not read fast enough; raise \
                 SIDETAIL_DRAIN_TIMEOUT"
            )
        } else {
            write!(f, "ended: {files} files, {bytes} bytes streamed, 0 bytes left")
        }
    }
}

/// Follows what the configuration names until `ending` is ready, then drains.
///
/// Must be called within a tokio runtime that has its I/O driver.
///
/// # Errors
/// When a stream is gone. What was not accepted by then is still in the files and not in the checkpoint.
pub async fn run(config: Config, sink: Sink, timer: Timer, ending: impl Future<Output = ()>) -> Result<Summary, Gone> {
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!("sidetail {version} follows {}", config.patterns_text.trim_end().replace('\n', ", "));
    let mut run = Run::new(config, sink, timer);
    let outcome = run.follow(pin!(ending)).await;
    let summary = run.summary();
    if outcome.is_ok() && summary.unstreamed_bytes > 0 {
        tracing::warn!("{summary}");
    } else if outcome.is_ok() {
        tracing::info!("{summary}");
    }
    // Whatever is still to be said is said if it fits; a stalled stderr must not hold the process up.
    let _ = run.say();
    run.desk.sink.release();
    outcome.map(|()| summary)
}

/// Why the loop woke up.
#[derive(Debug, Default)]
struct Wake {
    ending: bool,
    hints: bool,
    writable: bool,
    timer: bool,
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
    config: Config,
    timer: Timer,
    watch: Watch,
    discovery: Discovery,
    files: Files,
    desk: Desk,
    checkpoint: Checkpoint,
    /// What an earlier process left, and this one has not met yet; `None` until the checkpoint could be opened.
    known: Option<Known>,
    refusals: Refusals,
    ready: VecDeque<Key>,
    blocked: [VecDeque<Key>; 2],
    phase: Phase,
    started: Instant,
    next_tick: Instant,
    /// When a turn last gave something, or a message was written.
    worked: Instant,
    /// Whether the first look at all paths is still to come.
    is_first_look: bool,
    files_followed: u64,
}

impl Run {
    fn new(config: Config, sink: Sink, timer: Timer) -> Self {
        let discovery = Discovery::new(config.paths.clone(), config.exclude.clone());
        let checkpoint = Checkpoint::new(&config.state, discovery.first_root(), &config.patterns_text);
        let now = Instant::now();
        Self {
            timer,
            watch: Watch::start(),
            files: Files::default(),
            desk: Desk { buffer: Buffer::default(), sink, line_bytes_max: config.line_bytes_max },
            known: None,
            refusals: Refusals::default(),
            ready: VecDeque::new(),
            blocked: [VecDeque::new(), VecDeque::new()],
            phase: Phase::Following,
            started: now,
            next_tick: now + TICK,
            worked: now,
            is_first_look: true,
            files_followed: 0,
            config,
            discovery,
            checkpoint,
        }
    }

    async fn follow(&mut self, mut ending: Pin<&mut impl Future<Output = ()>>) -> Result<(), Gone> {
        self.look_everywhere();
        self.is_first_look = false;
        while self.phase != Phase::Done {
            self.work()?;
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
        let has_work = self.has_work();
        if has_work {
            tokio::task::yield_now().await;
        }
        self.timer.set(self.next_timer());
        let is_following = self.phase == Phase::Following;
        poll_fn(|cx| {
            let wake = Wake {
                ending: is_following && ending.as_mut().poll(cx).is_ready(),
                hints: self.watch.poll_ready(cx).is_ready(),
                writable: self.desk.sink.poll_ready(cx).is_ready(),
                timer: self.timer.poll_due(cx).is_ready(),
            };
            let is_awake = has_work || wake.ending || wake.hints || wake.writable || wake.timer;
            if is_awake { Poll::Ready(wake) } else { Poll::Pending }
        })
        .await
    }

    fn act(&mut self, wake: &Wake) -> Result<(), Gone> {
        if wake.ending {
            self.phase = Phase::Draining { since: Instant::now() };
            self.look_everywhere();
            self.wake_all();
        }
        if wake.writable {
            self.flush()?;
        }
        if wake.hints {
            self.gather();
            self.take_hints();
        }
        if wake.timer && Instant::now() >= self.next_tick {
            self.tick()?;
        }
        Ok(())
    }

    /// Under load, lets hints gather before they are taken: asleep, so that not even the kernel's events wake us.
    fn gather(&self) {
        let is_idle = !self.has_work() && !self.desk.sink.is_holding();
        if self.phase == Phase::Following && is_idle && self.worked.elapsed() < LOAD {
            std::thread::sleep(GATHER);
        }
    }

    fn take_hints(&mut self) {
        let mut entries: Vec<PathBuf> = Vec::new();
        let mut anything = false;
        let mut elsewhere = false;
        let mut path = PathBuf::new();
        let (watch, files, discovery, ready) = (&mut self.watch, &mut self.files, &self.discovery, &mut self.ready);
        watch.take(|hint| match hint {
            Hint::Anything => anything = true,
            Hint::Written(directory, name) => {
                path.clear();
                path.push(directory);
                path.push(name);
                match files.at_path(&path).map(|(key, _)| key) {
                    Some(key) => make_ready(files, ready, key),
                    None => elsewhere = true,
                }
            }
            Hint::Entry(directory, name) => {
                let path = directory.join(name);
                anything |= discovery.may_lead_to_files(directory, name);
                if entries.last() != Some(&path) {
                    entries.push(path);
                }
            }
        });
        if elsewhere {
            // Perhaps the writer of a file that was renamed goes on in it, under a name that we do not follow.
            for key in self.files.keys(|file| file.is_detached) {
                self.make_ready(key);
            }
        }
        if anything {
            self.look_everywhere();
            return;
        }
        for path in entries {
            if let Some(found) = self.discovery.look(&path) {
                self.settle(&found);
            }
        }
    }

    /// Looks at all patterns: new files, and files that are no longer at their paths.
    fn look_everywhere(&mut self) {
        if self.known.is_none() {
            self.known = self.checkpoint.open();
        }
        let found = self.discovery.walk(&mut self.watch);
        let mut gone: HashMap<PathBuf, Key> = self
            .files
            .iter()
            .filter(|(_, file)| !file.is_detached)
            .map(|(key, file)| (file.path.to_path_buf(), key))
            .collect();
        for one in &found {
            gone.remove(&one.path);
            self.settle(one);
        }
        for (path, key) in gone {
            // It may have been given another path meanwhile.
            if self.files.at_path(&path).is_some_and(|(at_path, _)| at_path == key) {
                self.detach(key);
            }
        }
    }

    /// Makes the followed files agree with what was found at one path.
    fn settle(&mut self, found: &Found) {
        let attached = self.files.at_path(&found.path).map(|(key, file)| (key, file.follower.id()));
        let stat = match &found.stat {
            Ok(stat) => *stat,
            Err(why) => {
                if let Some((key, _)) = attached {
                    self.detach(key);
                }
                self.refusals.refuse(&found.path, why, None);
                return;
            }
        };
        match attached {
            Some((key, id)) if id == stat.id => return self.make_ready(key),
            Some((key, _)) => self.detach(key),
            None => {}
        }
        let known = self.files.with_id(stat.id).map(|(key, file)| (key, file.path.clone(), file.is_detached));
        match known {
            Some((key, path, is_detached)) => {
                let is_still_there = || {
                    self.discovery.look(&path).is_some_and(|there| there.stat.is_ok_and(|there| there.id == stat.id))
                };
                if is_detached || !is_still_there() {
                    tracing::info!("{} is now {}", path.display(), found.path.display());
                    self.files.attach(key, &found.path);
                    self.make_ready(key);
                }
            }
            None => self.open(found, stat),
        }
    }

    /// Begins to follow a file that was not followed yet.
    fn open(&mut self, found: &Found, seen: Stat) {
        let (file, stat) = match found.open() {
            Ok(opened) => opened,
            Err(why) => return self.refusals.refuse(&found.path, &why, Some(seen)),
        };
        debug_assert_eq!(stat.kind, FileType::RegularFile, "nothing else is opened");
        let position = self.known.as_mut().and_then(|known| known.files.remove(&stat.id));
        let is_first_start = self.known.as_ref().is_none_or(|known| known.is_first_start);
        let from_end = self.is_first_look && is_first_start && self.config.start == ReadFrom::End;
        let buffer = &mut self.desk.buffer;
        let opened = match position {
            Some((_, position)) => Follower::resume(stat.id, file, position, buffer).map(|(follower, _)| follower),
            None if from_end => Follower::from_end(stat.id, file, stat.size, buffer),
            None => Ok(Follower::from_beginning(stat.id, file)),
        };
        let follower = match opened {
            Ok(follower) => follower,
            Err(why) => return self.refusals.refuse(&found.path, &why, Some(stat)),
        };
        self.refusals.accept(&found.path);
        tracing::info!("following {} from byte {}", found.path.display(), follower.position().offset);
        self.files_followed += 1;
        let key = self.files.add(Followed {
            follower,
            path: found.path.as_path().into(),
            router: self.config.router.of_file(&found.path),
            opening: self.config.output.opening(&found.name),
            line_route: None,
            blocked_on: None,
            held: [false; 2],
            slot: position.map(|(slot, _)| slot),
            queue: Queue::None,
            active: Instant::now(),
            is_detached: false,
            is_failing: false,
        });
        if from_end {
            self.save(key);
        }
        self.make_ready(key);
    }

    /// Notes that a file left its path; what it still holds comes before what is at its path now.
    fn detach(&mut self, key: Key) {
        self.files.detach(key);
        if let Some(file) = self.files.file(key) {
            tracing::info!("{} was renamed or deleted; it is read until it is quiet", file.path.display());
        }
        self.make_ready(key);
    }

    fn make_ready(&mut self, key: Key) {
        make_ready(&mut self.files, &mut self.ready, key);
    }

    fn wake_all(&mut self) {
        for key in self.files.keys(|_| true) {
            self.make_ready(key);
        }
    }

    /// Says whether a file could take its turn now.
    fn has_work(&self) -> bool {
        !self.ready.is_empty() || Stream::ALL.iter().any(|stream| self.has_unblocked(*stream))
    }

    fn has_unblocked(&self, stream: Stream) -> bool {
        !self.blocked[stream.index()].is_empty() && self.desk.sink.is_ready(stream, OURSELVES)
    }

    fn next_key(&mut self) -> Option<Key> {
        self.ready.pop_front().or_else(|| {
            let stream = Stream::ALL.into_iter().find(|stream| self.has_unblocked(*stream))?;
            self.blocked[stream.index()].pop_front()
        })
    }

    /// Gives the files that wait their turns, but not too many at one time.
    fn work(&mut self) -> Result<(), Gone> {
        for _ in 0..TURNS_MAX {
            let Some(key) = self.next_key() else { return Ok(()) };
            self.turn(key)?;
        }
        Ok(())
    }

    fn turn(&mut self, key: Key) -> Result<(), Gone> {
        let Some(file) = self.files.file(key) else { return Ok(()) };
        file.queue = Queue::None;
        let before = file.follower.position().offset;
        let turn = match self.desk.turn(key, file) {
            Ok(turn) => {
                if std::mem::take(&mut file.is_failing) {
                    tracing::warn!("{} can be read again", file.path.display());
                }
                turn
            }
            Err(Failure::Gone(gone)) => return Err(gone),
            Err(Failure::Read(why)) => {
                if !file.is_failing {
                    file.is_failing = true;
                    tracing::warn!("cannot read {}: {why}; it is tried again until it works", file.path.display());
                }
                self.desk.end_line(key, file)?;
                Turn::Nothing
            }
        };
        let turn = if file.held.contains(&true) { Turn::Held } else { turn };
        if turn == Turn::Truncated {
            tracing::info!("{} was truncated or replaced in place; it is read from its beginning", file.path.display());
        }
        let has_moved = file.follower.position().offset != before;
        if has_moved {
            self.worked = Instant::now();
            file.active = self.worked;
        }
        match turn {
            Turn::Nothing | Turn::Last => {}
            Turn::More | Turn::Truncated => {
                file.queue = Queue::Ready;
                if self.desk.is_within_line(key) { self.ready.push_front(key) } else { self.ready.push_back(key) }
            }
            Turn::Blocked(stream) => {
                file.queue = Queue::Blocked;
                self.blocked[self.desk.sink.effective(stream).index()].push_back(key);
            }
            Turn::Held => file.queue = Queue::Held,
        }
        if has_moved && turn != Turn::Held {
            self.save(key);
        }
        Ok(())
    }

    /// Notes in the checkpoint how far a file has been streamed.
    fn save(&mut self, key: Key) {
        if let Some(file) = self.files.file(key) {
            self.checkpoint.save(&mut file.slot, &file.path, file.follower.id(), file.follower.position());
        }
    }

    /// Goes on with what the streams hold; files whose lines are out go on too.
    fn flush(&mut self) -> Result<(), Gone> {
        for (stream, owner) in self.desk.sink.flush()?.into_iter().enumerate() {
            let Some(key) = owner.filter(|owner| *owner != OURSELVES) else { continue };
            let Some(file) = self.files.file(key) else { continue };
            file.held[stream] = false;
            if file.held == [false; 2] {
                file.queue = Queue::Ready;
                self.ready.push_front(key);
                self.save(key);
            }
        }
        Ok(())
    }

    /// Puts our own messages between two lines of stderr.
    fn say(&mut self) -> Result<(), Gone> {
        while self.desk.sink.is_ready(Stream::Stderr, OURSELVES) {
            let Some(line) = log::next_line() else { break };
            if self.desk.sink.write(Stream::Stderr, OURSELVES, &[&line], true)? == Written::Held {
                break;
            }
        }
        Ok(())
    }

    /// The safety tick: whatever no event told of is found here.
    fn tick(&mut self) -> Result<(), Gone> {
        let now = Instant::now();
        self.next_tick = now + if self.watch.is_polling() { TICK_POLLING } else { TICK };
        self.desk.sink.check_readers()?;
        if self.discovery.is_stale() || !self.refusals.is_empty() || self.known.is_none() {
            self.look_everywhere();
        }
        self.let_go(now);
        self.wake_all();
        if now.duration_since(self.started) >= FORGET_AFTER {
            self.forget_unmet();
        }
        Ok(())
    }

    /// Lets files go that were renamed or deleted and have been quiet; their unfinished lines are streamed first.
    fn let_go(&mut self, now: Instant) {
        for key in self.files.keys(|file| file.is_detached && file.queue == Queue::None) {
            let Some(file) = self.files.file(key) else { continue };
            let (links, size) = Stat::of(file.follower.file()).map_or((0, 0), |stat| (stat.links, stat.size));
            if !file.has_ended(now, links) {
                continue;
            }
            let unread_bytes = size.saturating_sub(file.follower.position().offset);
            if unread_bytes > 0 {
                file.follower.finish_line();
                self.make_ready(key);
                continue;
            }
            tracing::info!("{} has ended", file.path.display());
            let slot = file.slot;
            self.files.remove(key);
            self.checkpoint.forget(slot);
        }
    }

    fn forget_unmet(&mut self) {
        let Some(known) = &mut self.known else { return };
        for (_, (slot, _)) in known.files.drain() {
            self.checkpoint.forget(Some(slot));
        }
    }

    fn next_timer(&self) -> Instant {
        match self.phase {
            Phase::Following | Phase::Done => self.next_tick,
            Phase::Draining { since } | Phase::Finishing { since } => {
                let quiet = self.worked.max(since) + DRAIN_QUIET;
                let deadline = since + self.config.drain_timeout;
                self.next_tick.min(if Instant::now() < quiet { quiet.min(deadline) } else { deadline })
            }
        }
    }

    /// Goes on with the end, once it was asked for.
    fn advance_phase(&mut self) {
        let (Phase::Draining { since } | Phase::Finishing { since }) = self.phase else { return };
        let now = Instant::now();
        if now.duration_since(since) >= self.config.drain_timeout {
            self.phase = Phase::Done;
            return;
        }
        if self.has_work() || self.desk.sink.is_holding() {
            return;
        }
        match self.phase {
            // An application that never stops writing must not use the time up that its last line needs.
            Phase::Draining { .. } => {
                let is_quiet = now.duration_since(self.worked.max(since)) >= DRAIN_QUIET;
                if is_quiet || now.duration_since(since) >= self.config.drain_timeout / 2 {
                    self.finish_lines();
                    self.phase = Phase::Finishing { since };
                }
            }
            Phase::Finishing { .. } if !self.has_blocked() => self.phase = Phase::Done,
            _ => {}
        }
    }

    fn has_blocked(&self) -> bool {
        self.blocked.iter().any(|keys| !keys.is_empty())
    }

    /// Makes every unfinished last line count as finished.
    fn finish_lines(&mut self) {
        for key in self.files.keys(|_| true) {
            if let Some(file) = self.files.file(key) {
                file.follower.finish_line();
            }
            self.make_ready(key);
        }
    }

    fn summary(&self) -> Summary {
        let unstreamed = self.files.iter().map(|(_, file)| {
            let size = Stat::of(file.follower.file()).map_or(0, |stat| stat.size);
            size.saturating_sub(file.follower.position().offset)
        });
        let sink = &self.desk.sink;
        Summary {
            files: self.files_followed,
            bytes: Stream::ALL.iter().map(|stream| sink.accepted_bytes(*stream)).sum(),
            unstreamed_bytes: unstreamed.sum::<u64>() + sink.held_bytes(),
            drain_timeout: self.config.drain_timeout,
        }
    }
}

fn make_ready(files: &mut Files, ready: &mut VecDeque<Key>, key: Key) {
    if let Some(file) = files.file(key).filter(|file| file.queue == Queue::None) {
        file.queue = Queue::Ready;
        ready.push_back(key);
    }
}
