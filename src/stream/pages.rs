//! What the loop shows to clients: the pages of `LISTEN`.
//!
//! Everything is looked up when somebody asks. The series are bounded, so a page of a thousand files takes as long as it takes
//! to ask the kernel for their sizes.

use std::time::{Duration, Instant};

use super::clients::Outward;
use super::desk::Turn;
use super::loop_state::Loop;
use crate::format::Level;
use crate::output::rules::Stream;
use crate::paths::beneath::Stat;
use crate::read::change::Change;
use crate::report::listen::Answer;
use crate::report::metrics::Unit::{self, Bytes, Plain, Seconds};
use crate::report::metrics::{Counters, Description, FileCounters, Page, Totals, Value};
use crate::report::process::Process;
use crate::report::request::Target;
use crate::shelf::followed::Followed;

/// Under which name all files are counted that have no series of their own.
const OTHER: &str = "other";

/// What a page is in the OpenMetrics text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What it is in Prometheus' own.
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What there is to be seen when somebody asks.
struct Snapshot<'a> {
    run: &'a Loop,
    counters: &'a Counters,
    process: &'a Process,
    started: Instant,
    now: Instant,
    unread_bytes: u64,
    unread_age: Duration,
    waiting_nuls: u64,
    /// By the place at which a file is counted.
    unread_of_files: Vec<u64>,
}

/// Notes after a turn of a file whether there is more of it.
pub(super) fn note_turn(file: &mut Followed, turn: Turn) {
    let is_over = matches!(turn, Turn::Nothing | Turn::Last) && file.follower.unfinished_bytes() == 0;
    if (is_over && !file.is_record_waiting) || matches!(turn, Turn::Changed(Change::Truncated)) {
        file.noted.end_backlog();
    } else if let Ok(stat) = file.follower.file().and_then(Stat::of) {
        file.noted.note_backlog(file.follower.offset(), stat.size - file.follower.waiting_nuls().min(stat.size));
    }
}

impl Loop {
    /// Notes since when the streams accept nothing.
    pub(super) fn note_stalls(&mut self) {
        if let Some(counters) = &mut self.desk.counters {
            counters.note_stalls(self.desk.sink.holding());
        }
    }

    /// Answers everybody who has asked; the page is made once for all of them.
    pub(super) fn answer_outward(&mut self) {
        let Some(mut outward) = self.outward.take() else { return };
        let Outward { listener, process, started } = &mut *outward;
        let mut pages = [None, None];
        listener.answer(|target| match target {
            Target::Health => Answer::text(200, "alive"),
            Target::Readiness if !self.phase.is_following() => Answer::text(503, "draining"),
            Target::Readiness if !self.is_ready() => Answer::text(503, "starting"),
            Target::Readiness => Answer::text(200, "ready"),
            Target::Metrics { is_open_metrics } => {
                let page = pages[usize::from(is_open_metrics)].get_or_insert_with(|| {
                    let page = self.page(process, *started);
                    if is_open_metrics { page.open_metrics() } else { page.plain() }
                });
                let content_type = if is_open_metrics { OPEN_METRICS } else { PLAIN };
                Answer { status: 200, content_type, body: page.clone() }
            }
        });
        self.outward = Some(outward);
    }

    /// Returns whether all paths were looked at, and nothing is being drained.
    fn is_ready(&self) -> bool {
        self.phase.is_following() && self.tracker.has_looked()
    }

    fn page(&mut self, process: &Process, started: Instant) -> Page {
        let mut page = Page::default();
        let files = &self.tracker.files;
        if let Some(counters) = &mut self.desk.counters {
            counters.tidy(|path| files.lineage(path).is_some());
        }
        if let Some(look) = self.look(process, started) {
            for (description, add) in FAMILIES {
                page.begin(description);
                add(&look, &mut page);
            }
        }
        page
    }

    /// Asks every file how much of it is unread, and for how long.
    fn look<'a>(&'a self, process: &'a Process, started: Instant) -> Option<Snapshot<'a>> {
        let (counters, now) = (self.desk.counters.as_deref()?, Instant::now());
        let (mut unread_bytes, mut unread_age, mut waiting_nuls) = (0, Duration::ZERO, 0);
        let mut unread_of_files = vec![0; counters.files.len()];
        for (_, file) in self.tracker.files.iter() {
            let size = match file.closed_at.as_deref() {
                Some((size, _)) => *size,
                None => file.follower.file().and_then(Stat::of).map_or(0, |stat| stat.size),
            };
            let bytes = file.follower.unread_bytes(size);
            waiting_nuls += file.follower.waiting_nuls();
            if bytes > 0 {
                unread_bytes += bytes;
                unread_age = unread_age.max(file.noted.unread_age(now));
                unread_of_files[counters.slot_of(&file.lineage.path)] += bytes;
            }
        }
        Some(Snapshot {
            run: self,
            counters,
            process,
            started,
            now,
            unread_bytes,
            unread_age,
            waiting_nuls,
            unread_of_files,
        })
    }
}

/// A family of samples, and what adds them.
type Family = (Description, fn(&Snapshot<'_>, &mut Page));

const fn counter(name: &'static str, unit: Unit, help: &'static str, add: fn(&Snapshot<'_>, &mut Page)) -> Family {
    (Description { is_counter: true, name, unit, help }, add)
}

const fn gauge(name: &'static str, unit: Unit, help: &'static str, add: fn(&Snapshot<'_>, &mut Page)) -> Family {
    (Description { is_counter: false, name, unit, help }, add)
}

/// Every family; docs/metrics.md has the same table, and a test holds them equal.
static FAMILIES: &[Family] = &[
    counter("sidetail_read", Bytes, "Bytes read from the files.", |look, page| page.add(look.counters.read_bytes)),
    counter("sidetail_read_lines", Plain, "Lines read from the files.", |look, page| {
        page.add(look.counters.read_lines)
    }),
    counter(
        "sidetail_written",
        Bytes,
        "Bytes accepted by each stream, without sidetail's own messages.",
        |look, page| {
            let sink = &look.run.desk.sink;
            // If both are one, it is counted as stdout.
            look.by_stream(
                page,
                |stream| if sink.effective(stream) == stream { sink.accepted_bytes(stream) } else { 0 },
            );
        },
    ),
    counter("sidetail_written_lines", Plain, "Lines, or pieces of long lines, passed to each stream.", |look, page| {
        look.by_stream(page, |stream| look.counters.written_lines[stream.index()]);
    }),
    counter("sidetail_dropped", Bytes, "Bytes dropped by each rule of `DROP`.", |look, page| {
        look.by_rule(page, |(bytes, _)| bytes)
    }),
    counter("sidetail_dropped_lines", Plain, "Lines dropped by each rule of `DROP`.", |look, page| {
        look.by_rule(page, |(_, lines)| lines)
    }),
    gauge("sidetail_held", Bytes, "Bytes in transit that a stream has not accepted yet.", |look, page| {
        page.add(look.run.desk.sink.held_bytes())
    }),
    gauge("sidetail_added", Bytes, "Bytes in transit that sidetail added: newlines, names, objects.", |look, page| {
        page.add(Value::Signed(look.counters.added_bytes))
    }),
    gauge("sidetail_unread", Bytes, "Bytes in the files that are not read yet: the lag.", |look, page| {
        page.add(look.unread_bytes)
    }),
    gauge("sidetail_deleted", Bytes, "Disk of deleted files that are held until they are streamed.", |look, page| {
        page.add(look.run.tracker.deleted().iter().map(|deleted| deleted.stat.allocated_bytes).sum::<u64>())
    }),
    gauge("sidetail_drain_left", Bytes, "Bytes still to be streamed before it ends; 0 until then.", |look, page| {
        page.add(look.run.left_bytes())
    }),
    gauge(
        "sidetail_unread_age",
        Seconds,
        "Upper bound of how long the oldest unread byte has waited.",
        |look, page| page.add(look.unread_age),
    ),
    counter("sidetail_write_stalled", Seconds, "How long each stream did not accept waiting data.", |look, page| {
        look.by_stream(page, |stream| look.counters.stalled(stream, look.now));
    }),
    counter(
        "sidetail_records",
        Plain,
        "Records by file, format and level; the level is empty if the record states none.",
        |look, page| look.records(page),
    ),
    counter("sidetail_file_read", Bytes, "Bytes read from each file.", |look, page| {
        look.by_file(page, |file, _| file.bytes)
    }),
    counter("sidetail_file_read_lines", Plain, "Lines read from each file.", |look, page| {
        look.by_file(page, |file, _| file.lines)
    }),
    gauge("sidetail_file_unread", Bytes, "Bytes in each file that are not read yet.", |look, page| {
        look.by_file(page, |_, unread| unread)
    }),
    counter("sidetail_split_lines", Plain, "Cuts of lines that were longer than `MAX_LINE`.", |look, page| {
        page.add(look.counters.split_lines)
    }),
    counter(
        "sidetail_invalid_utf8",
        Plain,
        "Invalid UTF-8 sequences shown as U+FFFD in JSON objects.",
        |look, page| page.add(look.run.desk.invalid_utf8),
    ),
    counter("sidetail_lost", Bytes, "Bytes destroyed before they were read, by cause.", |look, page| {
        for (cause, bytes) in look.totals().lost.by_cause() {
            page.sample(&[("cause", cause.name())], bytes);
        }
    }),
    gauge(
        "sidetail_preallocated",
        Bytes,
        "NUL bytes at the ends of files with nothing after them yet: sidetail waits there.",
        |look, page| page.add(look.waiting_nuls),
    ),
    gauge("sidetail_files", Plain, "Files followed now.", |look, page| {
        page.add((look.run.tracker.files.count() + look.run.tracker.asleep()) as u64)
    }),
    gauge("sidetail_files_waiting", Plain, "Files that match and wait, because there are too many.", |look, page| {
        page.add(look.run.tracker.waiting() as u64)
    }),
    counter("sidetail_files_opened", Plain, "Files followed so far.", |look, page| {
        page.add(look.run.tracker.files_followed)
    }),
    counter("sidetail_files_reopened", Plain, "Files that appeared at the path of an earlier file.", |look, page| {
        page.add(look.totals().reopened)
    }),
    counter("sidetail_files_vanished", Plain, "Files that left their path: renamed or deleted.", |look, page| {
        page.add(look.totals().vanished)
    }),
    counter("sidetail_files_truncated", Plain, "Files that were truncated or replaced in place.", |look, page| {
        page.add(look.totals().truncated)
    }),
    gauge("sidetail_files_refused", Plain, "Files and directories that cannot be read.", |look, page| {
        page.add(look.run.tracker.refused() as u64)
    }),
    counter("sidetail_read_errors", Plain, "Read errors of followed files.", |look, page| {
        page.add(look.totals().read_errors)
    }),
    counter("sidetail_rotations", Plain, "Reclaims of disk, and renames of files to reclaim them.", |look, page| {
        page.add(look.totals().rotations)
    }),
    counter("sidetail_rotation_failures", Plain, "Failed attempts to reclaim disk.", |look, page| {
        page.add(look.totals().rotation_failures)
    }),
    counter("sidetail_reclaimed", Bytes, "Bytes of disk reclaimed.", |look, page| {
        page.add(look.totals().reclaimed_bytes)
    }),
    counter("sidetail_archives", Plain, "Archives created.", |look, page| page.add(look.totals().archives)),
    gauge(
        "sidetail_directory_used",
        Bytes,
        "Bytes that the followed directories use, if `DIR_BUDGET` is set.",
        |look, page| {
            look.totals().budget.into_iter().for_each(|(used, _)| page.add(used));
        },
    ),
    gauge("sidetail_directory_budget", Bytes, "Bytes that the followed directories may use.", |look, page| {
        look.totals().budget.into_iter().for_each(|(_, budget)| page.add(budget));
    }),
    gauge("sidetail_checkpoint_age", Seconds, "Time since the checkpoint was last written.", |look, page| {
        page.add(look.now.saturating_duration_since(look.counters.saved.unwrap_or(look.started)));
    }),
    gauge(
        "sidetail_checkpoint_on_disk",
        Plain,
        "1 if the checkpoint is on disk, so that a restart knows what was \
                                                 streamed.",
        |look, page| page.add(u64::from(look.run.tracker.is_noted_on_disk())),
    ),
    gauge("sidetail_polling", Plain, "1 if inotify is unavailable and files are polled.", |look, page| {
        page.add(u64::from(look.run.tracker.watch().is_polling()))
    }),
    gauge("sidetail_ready", Plain, "1 if all paths were searched and no drain is under way.", |look, page| {
        page.add(u64::from(look.run.is_ready()))
    }),
    gauge("sidetail_build_info", Plain, "Always 1; the version is a label.", |_, page| {
        page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1)
    }),
    counter("process_cpu", Seconds, "CPU time, user and system.", |look, page| page.add(look.process.cpu())),
    gauge("process_resident_memory", Bytes, "Resident memory.", |look, page| page.add(look.process.resident_bytes())),
    gauge("process_virtual_memory", Bytes, "Virtual memory.", |look, page| page.add(look.process.virtual_bytes())),
    gauge("process_open_fds", Plain, "Open descriptors.", |look, page| page.add(look.process.descriptors())),
    gauge("process_max_fds", Plain, "Maximum number of open descriptors.", |look, page| {
        page.add(look.process.descriptors_max())
    }),
    gauge("process_start_time", Seconds, "Start time of the process, since 1970.", |look, page| {
        page.add(look.process.started)
    }),
];

impl Snapshot<'_> {
    fn totals(&self) -> &Totals {
        &self.run.tracker.totals
    }

    fn by_stream<V: Into<Value>>(&self, page: &mut Page, value: impl Fn(Stream) -> V) {
        for stream in Stream::ALL {
            page.sample(&[("stream", stream.name())], value(stream));
        }
    }

    fn by_rule(&self, page: &mut Page, value: fn((u64, u64)) -> u64) {
        for (rule, dropped) in self.counters.dropped_by_rule() {
            page.sample(&[("rule", rule)], value(dropped));
        }
    }

    /// Calls this for every file that has something to show.
    fn each_file(&self, mut show: impl FnMut(&str, &FileCounters, u64)) {
        for (file, unread) in self.counters.files.iter().zip(&self.unread_of_files) {
            if file.path.is_some() || file.bytes > 0 || *unread > 0 {
                let name = file.path.as_ref().map_or(OTHER.into(), |path| path.to_string_lossy());
                show(&name, file, *unread);
            }
        }
    }

    fn by_file(&self, page: &mut Page, value: fn(&FileCounters, u64) -> u64) {
        self.each_file(|name, file, unread| page.sample(&[("file", name)], value(file, unread)));
    }

    fn records(&self, page: &mut Page) {
        let formats = &self.run.desk.formats;
        self.each_file(|name, file, _| {
            for ((format, level), count) in &file.records {
                let level = level.map_or("", Level::name);
                page.sample(&[("file", name), ("format", formats.name(*format)), ("level", level)], *count);
            }
        });
    }
}
