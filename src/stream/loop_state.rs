//! What the loop knows, and how far the end has come.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::clients::Outward;
use super::desk::Desk;
use super::drain::Drain;
use super::linger::Linger;
use crate::config::Config;
use crate::output::bucket::Bucket;
use crate::output::rules::Stream;
use crate::output::sink::{OURSELVES, Sink, WRITE_BYTES_MAX};
use crate::read::buffer::Buffer;
use crate::reclaim::state::Reclaim;
use crate::report::listen::Listener;
use crate::report::metrics::Counters;
use crate::shelf::lineage::Key;
use crate::stream::exit_on::ExitOn;
use crate::sys::signals::Requests;
use crate::sys::timer::Timer;
use crate::track::tracker::Tracker;

/// How often everything is checked even if no event reported a change.
pub(super) const TICK: Duration = Duration::from_secs(2);

/// What the loop waits for and works with, besides the files.
#[derive(Debug)]
pub(crate) struct Outside {
    /// The standard streams.
    pub sink: Sink,
    /// The one timer.
    pub timer: Timer,
    /// Requests by signals.
    pub requests: Requests,
    /// What reclaims disk, if configured.
    pub reclaim: Option<Reclaim>,
    /// The port of the metrics, if configured.
    pub listener: Option<Listener>,
    /// Whether a person sees our messages at once, on a terminal.
    pub is_watched: bool,
}

/// Files whose end is streamed if it is still the same after some time: when that is, which file, from which byte on.
#[derive(Debug, Default)]
pub(super) struct Waiting(VecDeque<(Instant, Key, u64)>);

impl Waiting {
    /// Adds a file, unless it waits for the same already; `wait` is the same each time.
    pub(super) fn add(&mut self, wait: Duration, key: Key, offset: u64) {
        if !self.0.iter().any(|(_, of, from)| (*of, *from) == (key, offset)) {
            self.0.push_back((Instant::now() + wait, key, offset));
        }
    }

    pub(super) fn first_due(&self) -> Option<Instant> {
        self.0.front().map(|(due, ..)| *due)
    }

    pub(super) fn next_due(&mut self, now: Instant) -> Option<(Key, u64)> {
        self.first_due().filter(|due| *due <= now)?;
        self.0.pop_front().map(|(_, key, offset)| (key, offset))
    }
}

/// How far the end has come.
#[derive(Debug)]
pub(super) enum Phase {
    Following,
    /// A signal came, and files are followed on for a while.
    Lingering(Linger),
    /// What is in the files is being streamed.
    Draining(Drain),
    /// It is over, as far as it came.
    Done(Drain),
}

impl Phase {
    /// Returns whether files are followed without an end.
    pub(super) fn is_following(&self) -> bool {
        matches!(self, Self::Following)
    }

    /// Returns whether what comes is waited for.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self, Self::Following | Self::Lingering(_))
    }

    /// Returns whether there is nothing more to do.
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// The loop's own state.
pub(super) struct Loop {
    /// Whether a person sees our messages at once, on a terminal.
    pub(super) is_watched: bool,
    pub(super) timer: Timer,
    pub(super) requests: Requests,
    pub(super) tracker: Tracker,
    /// What reclaims the disk of what the tracker follows, if configured.
    pub(super) reclaim: Option<Box<Reclaim>>,
    pub(super) desk: Desk,
    pub(super) partial_timeout: Option<Duration>,
    pub(super) drain_timeout: Duration,
    pub(super) linger: Duration,
    /// Whether a signal to end has come.
    pub(super) is_terminated: bool,
    /// Unfinished lines that are streamed if they are still the same then.
    pub(super) partials: Waiting,
    /// The same of records that lines which are not there yet may continue.
    pub(super) records: Waiting,
    /// The files of which it is still to be said how they are.
    pub(super) status: VecDeque<Key>,
    pub(super) phase: Phase,
    /// How much may be streamed now, if that is limited.
    pub(super) bucket: Option<Bucket>,
    pub(super) exit_on: ExitOn,
    pub(super) next_tick: Instant,
    /// When a turn last gave something.
    pub(super) worked: Instant,
    /// When hints were last taken.
    pub(super) hinted: Instant,
    /// Whether hints come so soon after each other that they are let gather before they are even waited for.
    pub(super) is_loaded: bool,
    /// Whether they have gathered since they were last taken.
    pub(super) has_gathered: bool,
    /// When free pages of the heap were last returned to the kernel.
    pub(super) trimmed: Option<Instant>,
    /// What answers whoever asks for all this, if anybody may.
    pub(super) outward: Option<Box<Outward>>,
}

impl Loop {
    pub(super) fn new(config: Config, outside: Outside) -> Self {
        let Outside { mut sink, timer, requests, reclaim, listener, is_watched } = outside;
        if tracing::enabled!(tracing::Level::INFO) {
            sink.count_lines();
        }
        let now = Instant::now();
        let output = sink.regular_files();
        Self {
            is_watched,
            timer,
            requests,
            desk: Desk {
                buffer: Buffer::default(),
                sink,
                line_bytes_max: config.line_bytes_max,
                formats: Rc::clone(&config.formats),
                encoding: config.output,
                is_ending: false,
                invalid_utf8: 0,
                counters: listener.as_ref().map(|_| Box::new(Counters::new(config.router.clone()))),
            },
            partial_timeout: config.partial_timeout,
            drain_timeout: config.drain_timeout,
            linger: config.linger,
            is_terminated: false,
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
            trimmed: None,
            outward: listener.map(|listener| Box::new(Outward::new(listener))),
            tracker: Tracker::new(config, output),
            reclaim: reclaim.map(Box::new),
        }
    }

    /// Returns how many bytes of files the streams have accepted; they may be one.
    pub(super) fn streamed_bytes(&self) -> u64 {
        let sink = &self.desk.sink;
        let streams = Stream::ALL.into_iter().filter(|stream| sink.effective(*stream) == *stream);
        streams.map(|stream| sink.accepted_bytes(stream)).sum()
    }

    /// Returns whether a file could take its turn now, or the look at all patterns goes on.
    pub(super) fn has_work(&self) -> bool {
        self.tracker.may_sweep() || (self.is_waited_for() && self.bucket_opens().is_none())
    }

    /// Returns when the next turn may be given, if none may now because enough was streamed.
    pub(super) fn bucket_opens(&self) -> Option<Instant> {
        self.bucket.as_ref()?.closed_until(Instant::now())
    }

    /// Returns whether a file waits for nothing but its turn.
    pub(super) fn is_waited_for(&self) -> bool {
        let files = &self.tracker.files;
        files.is_ready() || Stream::ALL.into_iter().any(|stream| files.is_blocked(stream) && self.is_free(stream))
    }

    pub(super) fn is_free(&self, stream: Stream) -> bool {
        self.desk.sink.is_ready(stream, OURSELVES)
    }
}
