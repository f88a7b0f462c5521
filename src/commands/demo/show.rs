//! What can be done in the demo: write, wait, kill, start again, and count what comes out meanwhile.
//!
//! One thread does it all: while it waits it reads sidetail's two streams, so nothing stalls but what it means to.

use std::fmt::Write as _;
use std::io;
use std::iter;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::application::Application;
use super::outstanding::Outstanding;
use super::scratch::Scratch;
use super::screen::{Curtain, Screen, Voice};
use super::sidecar::Sidecar;
use crate::output::rules::Stream;

/// How long nothing may come of what is waited for. A throttled container takes seconds to start a process.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked whether something has come true that no event reports.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The application waits while more lines are outstanding, so that the memory of the demo is bounded: a MiB at most.
const OUTSTANDING_MAX: u64 = 8192;

/// The application waits while it takes more disk: where none is reclaimed, the demo fills no volume.
const DISK_MAX: u64 = 32 << 20;

/// The pace of a flood is kept to such a part of it.
const PARTS: u32 = 1024;

/// How many times what is written in a flood is said.
const REPORTS: u64 = 8;

/// What is counted, measured and seen so far.
#[derive(Debug)]
pub(super) struct Show {
    screen: Screen,
    application: Application,
    /// `None` while it is down.
    sidecar: Option<Sidecar>,
    outstanding: Outstanding,
    /// How many lines were waited for in vain: nobody waits for them again.
    given_up: u64,
    /// How long a pause of one beat is.
    beat: Duration,
    /// Whether lines are counted and not shown, because they are too many.
    is_quiet: bool,
    written_bytes: u64,
    disk_bytes_max: u64,
    memory_bytes_max: Option<u64>,
    /// The CPU time of the processes that have ended.
    cpu: Option<Duration>,
    /// The last field, because it is to be removed last.
    scratch: Scratch,
}

impl Show {
    pub(super) fn open(screen: Screen, scratch: Scratch, beat: Duration) -> Self {
        Self {
            screen,
            application: Application::new(scratch.path()),
            sidecar: None,
            outstanding: Outstanding::default(),
            given_up: 0,
            beat,
            is_quiet: false,
            written_bytes: 0,
            disk_bytes_max: 0,
            memory_bytes_max: None,
            cpu: None,
            scratch,
        }
    }

    /// Shows a text.
    pub(super) fn say(&self, voice: Voice, text: &str) -> Result<(), Curtain> {
        self.screen.say(voice, text)
    }

    /// Returns where the files are.
    pub(super) fn place(&self) -> String {
        self.scratch.path().display().to_string()
    }

    /// Appends to a file what the application makes.
    pub(super) fn write(
        &mut self,
        name: &'static str,
        make: impl FnOnce(&mut Application) -> String,
    ) -> Result<(), Curtain> {
        let text = make(&mut self.application);
        self.append(name, &text)
    }

    fn append(&mut self, name: &'static str, text: &str) -> Result<(), Curtain> {
        let (written, outcome) = self.application.append(name, text);
        // What was written counts, also if the disk is full behind it.
        self.outstanding.add(&text.as_bytes()[..written]);
        self.written_bytes += written as u64;
        outcome.map_err(|why| self.cannot("write", name, &why))
    }

    /// Renames a file, which stays open.
    pub(super) fn rename(&mut self, from: &'static str, to: &'static str) -> Result<(), Curtain> {
        self.application.rename(from, to).map_err(|why| self.cannot("rename", from, &why))
    }

    fn cannot(&self, verb: &str, name: &str, why: &io::Error) -> Curtain {
        let path = self.scratch.path().join(name);
        let way_out = "set TMPDIR to a directory with 40 MiB of free space";
        Curtain::Failed(format!("cannot {verb} {}: {why}; {way_out}", path.display()))
    }

    /// Starts sidetail.
    pub(super) fn start(&mut self) -> Result<(), Curtain> {
        let sidecar = Sidecar::start(self.scratch.path());
        let why =
            |why| Curtain::Failed(format!("cannot start sidetail: {why}; raise the limits on processes and memory"));
        self.sidecar = Some(sidecar.map_err(why)?);
        Ok(())
    }

    /// Waits, and shows what comes meanwhile.
    pub(super) fn pause(&mut self, beats: u32) -> Result<(), Curtain> {
        self.attend(Instant::now() + self.beat * beats)
    }

    /// Waits until everything came out that was written, or nothing more comes.
    pub(super) fn catch_up(&mut self) -> Result<(), Curtain> {
        if !self.wait_until(Self::has_caught_up)? {
            self.given_up = self.outstanding.waiting();
            let text = format!("lines that have not come within {} s: {}", PATIENCE.as_secs(), self.given_up);
            self.say(Voice::Bad, &text)?;
        }
        Ok(())
    }

    fn has_caught_up(&self) -> bool {
        self.outstanding.waiting() <= self.given_up
    }

    /// Waits until something is so; returns false if lines have stopped coming before.
    fn wait_until(&mut self, is_so: impl Fn(&Self) -> bool) -> Result<bool, Curtain> {
        let (mut streamed, mut since) = (self.outstanding.streamed(), Instant::now());
        while !is_so(self) {
            self.attend(Instant::now() + LOOK_INTERVAL)?;
            if self.outstanding.streamed() != streamed {
                (streamed, since) = (self.outstanding.streamed(), Instant::now());
            }
            if since.elapsed() > PATIENCE {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads what sidetail writes until then; at least once.
    fn attend(&mut self, until: Instant) -> Result<(), Curtain> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.wait_for_something(left)?;
            self.read()?;
            if let Some(sidecar) = self.sidecar.as_mut().filter(|sidecar| sidecar.open().count() == 0) {
                let how = sidecar.wait().map_or_else(|why| why.to_string(), |status| status.to_string());
                return Err(Curtain::Failed(format!("sidetail has ended: {how}; its limit of memory may be too low")));
            }
            if left.is_zero() {
                return Ok(());
            }
        }
    }

    /// Waits until sidetail has written something, at most so long.
    fn wait_for_something(&self, at_most: Duration) -> Result<(), Curtain> {
        let pipes = self.sidecar.iter().flat_map(Sidecar::open);
        let mut wanted: Vec<_> = iter::once(self.screen.signals())
            .chain(pipes)
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        let timeout = Timespec::try_from(at_most).ok();
        match poll(&mut wanted, timeout.as_ref()) {
            Ok(_) if !wanted[0].revents().is_empty() => Err(Curtain::Signal),
            // A signal that is none of ours.
            _ => Ok(()),
        }
    }

    /// Counts and shows what is there.
    fn read(&mut self) -> Result<(), Curtain> {
        let Self { screen, sidecar, outstanding, scratch, is_quiet, .. } = self;
        let Some(sidecar) = sidecar else { return Ok(()) };
        sidecar.read(|stream, line| {
            let text = String::from_utf8_lossy(line);
            // No line of the application's begins so.
            if stream == Stream::Stderr
                && let Some(message) = text.strip_prefix("sidetail: ")
            {
                let message = message.replace(&format!("{}/", scratch.path().display()), "");
                let shown = message.strip_prefix("info: ").unwrap_or(&message);
                return if is_told(&message) { screen.say(Voice::Message, shown) } else { Ok(()) };
            }
            outstanding.remove(line);
            match stream {
                _ if *is_quiet => Ok(()),
                Stream::Stdout => screen.say(Voice::Stdout, &text),
                Stream::Stderr => screen.say(Voice::Stderr, &text),
            }
        })
    }

    /// Kills sidetail with SIGKILL, and returns its process number.
    ///
    /// At rest: between a write to a pipe and the note of it in the checkpoint it would rightly repeat that write.
    pub(super) fn kill(&mut self) -> Result<u32, Curtain> {
        self.wait_until(|show| show.has_caught_up() && show.sidecar.as_ref().is_none_or(Sidecar::is_asleep))?;
        let number = self.sidecar.as_ref().map_or(0, Sidecar::id);
        self.end(Signal::KILL)?;
        Ok(number)
    }

    /// Ends sidetail with a signal, and takes what it still writes. What has not ended in time is killed.
    pub(super) fn end(&mut self, signal: Signal) -> Result<(), Curtain> {
        let Some(sidecar) = &self.sidecar else { return Ok(()) };
        self.memory_bytes_max = self.memory_bytes_max.max(sidecar.memory());
        sidecar.signal(signal);
        let outcome = self.read_on_while(|_| true);
        if let Some(mut sidecar) = self.sidecar.take() {
            sidecar.signal(Signal::KILL);
            self.cpu = self.cpu.max(Some(Duration::ZERO)).zip(sidecar.cpu()).map(|(one, other)| one + other);
            let _ = sidecar.wait();
        }
        outcome
    }

    /// Starts sidetail if it is down and lines wait for it, and takes these: a signal came before it was started again.
    pub(super) fn bring_back(&mut self) -> Result<(), Curtain> {
        if self.sidecar.is_some() || self.has_caught_up() {
            return Ok(());
        }
        self.start()?;
        self.read_on_while(|show| !show.has_caught_up())
    }

    /// Reads what sidetail writes, while something is so, until it has closed its streams or nothing has come for a while. A signal
    /// changes nothing: this is the end already.
    fn read_on_while(&mut self, is_so: impl Fn(&Self) -> bool) -> Result<(), Curtain> {
        let mut since = Instant::now();
        let is_open = |show: &Self| show.sidecar.as_ref().is_some_and(|sidecar| sidecar.open().count() > 0);
        while is_so(self) && is_open(self) && since.elapsed() < PATIENCE {
            let streamed = self.outstanding.streamed();
            if let Err(Curtain::Signal) = self.wait_for_something(LOOK_INTERVAL) {
                std::thread::sleep(Duration::from_millis(1));
            }
            self.read()?;
            if self.outstanding.streamed() != streamed {
                since = Instant::now();
            }
        }
        Ok(())
    }

    /// Writes so many bytes within so many beats, or more slowly if sidetail does not keep up, and says how much disk that takes.
    pub(super) fn flood(&mut self, name: &'static str, bytes: u64, beats: u32) -> Result<(), Curtain> {
        let (start, time, before) = (Instant::now(), self.beat * beats, self.written_bytes);
        let mut text = String::new();
        self.is_quiet = true;
        let (mut written, mut reports) = (0, 0);
        while written < bytes {
            self.application.fill(&mut text);
            self.append(name, &text)?;
            written = self.written_bytes - before;
            // In this order: what is waited for below must not be what the application itself is ahead.
            self.attend(start + time / PARTS * u32::try_from(written * u64::from(PARTS) / bytes).unwrap_or(PARTS))?;
            let keeps_up = self.wait_until(|show| show.outstanding.waiting() < OUTSTANDING_MAX)?;
            if written * REPORTS / bytes > reports {
                reports = written * REPORTS / bytes;
                self.report(written)?;
            }
            if !keeps_up || !self.has_room()? {
                break;
            }
        }
        self.catch_up()?;
        self.is_quiet = false;
        Ok(())
    }

    /// Looks how much disk is in use; waits for it to be reclaimed if it is too much. Returns false if that is in vain.
    fn has_room(&mut self) -> Result<bool, Curtain> {
        self.look_at_disk();
        if self.application.disk_bytes() <= DISK_MAX {
            return Ok(true);
        }
        let is_reclaimed = self.wait_until(|show| show.application.disk_bytes() <= DISK_MAX)?;
        if !is_reclaimed {
            self.say(
                Voice::Bad,
                "No disk is reclaimed here; what sidetail says above is why. Set TMPDIR to ext4, xfs or tmpfs.",
            )?;
        }
        Ok(is_reclaimed)
    }

    fn look_at_disk(&mut self) -> u64 {
        let now = self.application.disk_bytes();
        self.disk_bytes_max = self.disk_bytes_max.max(now);
        now
    }

    fn report(&mut self, written: u64) -> Result<(), Curtain> {
        let disk = self.look_at_disk();
        self.say(Voice::Application, &format!("{:>4} MiB written, {:>5} MiB on disk", written >> 20, mebibytes(disk)))
    }

    /// Returns the result: a line per figure, and whether it is as it should be.
    pub(super) fn figures(&self) -> Vec<(Voice, String)> {
        let counted = &self.outstanding;
        let judged = |number| if number == 0 { Voice::Good } else { Voice::Bad };
        let (lost, repeated) = (counted.waiting(), counted.repeated());
        let known = |figure: Option<String>| figure.unwrap_or_else(|| "unknown".to_owned());
        let written = mebibytes(self.written_bytes);
        let memory = known(self.memory_bytes_max.map(|bytes| format!("{} MiB", mebibytes(bytes))));
        let cpu = known(self.cpu.map(|time| format!("{}.{:02} s", time.as_secs(), time.subsec_millis() / 10)));
        vec![
            row(Voice::Text, "lines written", &grouped(counted.written())),
            row(Voice::Text, "lines streamed", &grouped(counted.streamed())),
            row(judged(lost), "lost", &grouped(lost)),
            row(judged(repeated), "repeated", &grouped(repeated)),
            row(Voice::Text, "disk at most", &format!("{} MiB of {written}", mebibytes(self.disk_bytes_max))),
            row(Voice::Text, "memory at most", &memory),
            row(Voice::Text, "CPU time", &cpu),
        ]
    }

    /// Returns whether anything was written.
    pub(super) fn has_begun(&self) -> bool {
        self.outstanding.written() > 0
    }

    /// Returns whether every line came once.
    pub(super) fn is_all_well(&self) -> bool {
        self.outstanding.waiting() == 0 && self.outstanding.repeated() == 0
    }
}

/// Returns whether a message is part of the story: all warnings are, and of what sidetail does what the scenes are about.
fn is_told(message: &str) -> bool {
    let Some(what) = message.strip_prefix("info: ") else { return true };
    let is_resumed = what.contains(" from byte ") && !what.trim_end().ends_with(" 0");
    is_resumed || [" is read as ", " was renamed "].iter().any(|words| what.contains(words))
}

fn row(voice: Voice, name: &str, figure: &str) -> (Voice, String) {
    (voice, format!("{name:<16}{figure}"))
}

/// Returns bytes as MiB with one decimal, rounded up: no figure is better than what it stands for.
fn mebibytes(bytes: u64) -> String {
    let tenths = (bytes * 10).div_ceil(1 << 20);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Returns a number with its digits in groups: `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        // A string takes everything, so it cannot fail.
        let _ = text.write_char(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_are_no_part_of_the_story_are_left_out() {
        for (message, expected) in [
            ("cannot reclaim disk space of batch.log: not permitted\n", true),
            ("error: 4 bytes were not streamed\n", true),
            ("info: api.log is read as json: its first record is \"{}\"\n", true),
            ("info: following api.log from byte 174\n", true),
            ("info: following api.log from byte 0\n", false),
            ("info: sidetail 0.1.0 follows *.log; LOG=\"info\"\n", false),
        ] {
            assert_eq!(is_told(message), expected, "{message}");
        }
    }

    #[test]
    fn figures_are_readable() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
        for (bytes, expected) in
            [(0, "0.0"), (1, "0.1"), (1 << 20, "1.0"), ((1 << 20) + 1, "1.1"), (200 << 20, "200.0")]
        {
            assert_eq!(mebibytes(bytes), expected);
        }
    }
}
