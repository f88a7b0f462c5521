//! A round: a volume, what is beside it, the program in one life after the other, and what is done to all of them.

use std::collections::VecDeque;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::RenameFlags;
use rustix::process::Signal;

use super::attack::{self, Attack, Held, Repertoire};
use super::build::Build;
use super::life::{Life, Pace};
use super::outside::{Outside, SECRET};
use super::prng::Prng;
use super::setup::{Place, ROTATE_BYTES, Setup};
use super::victim::Victim;
use super::volume::Volume;
use super::witness::{Repeats, Stream, Witness};
use crate::support::bounded::run;
use crate::support::control_group::ControlGroup;
use crate::support::files::{Directory, append, copy_program, directory};
use crate::support::mounted::Mounted;
use crate::support::program::command;
use crate::support::say::{ignore, say};

/// Whom the image runs it as.
const USER: u32 = 65532;

/// Longer than anything takes here; a round that waits so long has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often it is asked how far it is.
const ASKED_EVERY: Duration = Duration::from_millis(500);

/// How many of the last actions a failure shows.
const RECENT: usize = 40;

/// How much of each message, in characters.
const SHOWN: usize = 300;

/// How often it is waited until the witness is streamed, in actions.
const SETTLED_EVERY: u64 = 40;

/// What is done to the process and its streams.
#[derive(Debug, Clone, Copy)]
enum OnProcess {
    Pace(Stream, Pace),
    Hang,
    GoOn,
    Kill,
    Terminate,
    Signals(Signal, u64),
    Command(&'static str),
    Swap,
    Destroy,
    Pause(u64),
}

/// Plays the round of a seed; panics with all that one needs to see it again.
pub fn play(seed: u64, steps: u64) {
    let started = Instant::now();
    let mut prng = Prng::new(seed);
    let setup = Setup::choose(&mut prng);
    say(&format!("chaos: seed {seed}, {setup:?}"));
    let mut round = match Round::prepare(seed, setup, prng) {
        Ok(round) => round,
        Err(why) => return ignore(&format!("seed {seed}: {why}")),
    };
    let outcome = round.run(steps);
    if let Err(why) = outcome {
        let [done, said] = [&mut round.recent, &mut round.said].map(|lines| lines.make_contiguous().join("\n"));
        let kept = round.base.keep();
        panic!(
            "seed {seed}: {why}\n\nwhat was done last:\n{done}\n\nwhat it said last:\n{said}\n\n{kept}again: \
             SIDETAIL_CHAOS_SEED={seed} SIDETAIL_CHAOS_STEPS={steps} cargo test --test chaos"
        );
    }
    let (lines, lives) = (round.witness.written, round.lives);
    let (own_kib, resident_kib) = (round.own_kib_max, round.resident_kib_max);
    let seconds = started.elapsed().as_secs_f32();
    let most = round
        .group
        .as_ref()
        .and_then(ControlGroup::most_bytes)
        .map_or(String::new(), |most| format!(", {} KiB with all that the kernel keeps for it", most / 1024));
    say(&format!(
        "chaos: {lines} lines of the witness, {lives} lives, {own_kib} KiB of its own and {resident_kib} KiB \
         resident at most{most}; {seconds:.1} s"
    ));
}

/// Where everything of a round is.
struct Base {
    path: PathBuf,
    /// What is removed at the end.
    directory: Option<Directory>,
    _mounted: Option<Mounted>,
}

impl Base {
    fn make(place: Place) -> Result<Self, String> {
        let mounted = match place {
            Place::Here => {
                let directory = directory();
                let above = directory.path().parent().expect("one above it");
                fs::set_permissions(above, Permissions::from_mode(0o755)).expect("ours");
                let path = directory.path().to_owned();
                return Ok(Self { path, directory: Some(directory), _mounted: None });
            }
            Place::Tmpfs => Mounted::tmpfs("size=64m,mode=0755"),
            Place::Ext4 => Mounted::ext4(),
            Place::Xfs => Mounted::xfs(),
        }?;
        Ok(Self { path: mounted.path().to_owned(), directory: None, _mounted: Some(mounted) })
    }

    /// Leaves everything where it is, unless it is on a file system that goes; says where.
    fn keep(&mut self) -> String {
        self.directory.take().map_or(String::new(), |directory| {
            std::mem::forget(directory);
            format!("kept: {}\n", self.path.display())
        })
    }
}

struct Round {
    setup: Setup,
    prng: Prng,
    volume: Volume,
    repertoire: Repertoire,
    outside: Outside,
    held: Held,
    witness: Witness,
    victim: Victim,
    life: Option<Life>,
    is_stopped: bool,
    paces: [Pace; 2],
    marks: u64,
    /// The last mark that came out.
    mark_came: u64,
    swapping: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    commands: Vec<std::process::Child>,
    recent: VecDeque<String>,
    said: VecDeque<String>,
    own_kib_max: u64,
    resident_kib_max: u64,
    lives: u64,
    build: Build,
    /// A copy of it where every user can run it.
    binary: PathBuf,
    state: PathBuf,
    group: Option<ControlGroup>,
    _beside: Directory,
    // Removed last.
    base: Base,
}

impl Round {
    fn prepare(seed: u64, setup: Setup, prng: Prng) -> Result<Self, String> {
        let base = Base::make(setup.place)?;
        let (path, outside) = (base.path.join("volume"), base.path.join("outside"));
        fs::set_permissions(&base.path, Permissions::from_mode(0o755)).expect("ours");
        fs::create_dir(&path).expect("a directory");
        fs::set_permissions(&path, Permissions::from_mode(0o777)).expect("ours");
        let (beside, build) = (directory(), Build::chosen());
        let (binary, state) = (beside.path().join("sidetail"), beside.path().join("state"));
        fs::create_dir(&state).expect("a directory");
        copy_program(&build.path, &binary);
        for one in [beside.path().parent().expect("one above it"), beside.path(), &*binary] {
            fs::set_permissions(one, Permissions::from_mode(0o755)).expect("ours");
        }
        if setup.is_other_user {
            std::os::unix::fs::chown(&state, Some(USER), Some(USER)).map_err(|why| why.to_string())?;
        }
        // What is written to a tmpfs stays in the group of who wrote it.
        let has_group = setup.place != Place::Tmpfs || setup.keep == 0;
        let group = has_group.then(|| ControlGroup::with_memory(build.limit_bytes())).and_then(|group| match group {
            Ok(group) => Some(group),
            Err(why) => {
                ignore(&format!("chaos: without a control group only resident memory is looked at: {why}"));
                None
            }
        });
        let mark = format!("witness-{seed}-{:x}", std::process::id());
        let witness = Witness::new(path.join("witness.log"), mark, setup.output);
        let victim = Victim::new(path.join("victim.log"), format!("victim-{seed}"));
        let repertoire =
            Repertoire { outside: outside.clone(), volume: path.clone(), has_archives: setup.has_archives_to_attack() };
        Ok(Self {
            volume: Volume::at(&path),
            outside: Outside::make(&outside),
            repertoire,
            setup,
            prng,
            held: Held::default(),
            witness,
            victim,
            life: None,
            is_stopped: false,
            paces: [Pace::Free; 2],
            marks: 0,
            mark_came: 0,
            swapping: None,
            commands: Vec::new(),
            recent: VecDeque::new(),
            said: VecDeque::new(),
            own_kib_max: 0,
            resident_kib_max: 0,
            lives: 0,
            build,
            binary,
            state,
            group,
            _beside: beside,
            base,
        })
    }

    fn run(&mut self, steps: u64) -> Result<(), String> {
        self.write_witness(20);
        self.begin(Repeats::Nothing);
        self.settle()?;
        for step in 1..=steps {
            self.act()?;
            let lines = if self.prng.one_in(8) { self.prng.below(2000) } else { self.prng.below(60) };
            self.write_witness(lines);
            self.look()?;
            if step % SETTLED_EVERY == 0 {
                self.settle()?;
                self.outside.check()?;
            }
        }
        self.settle()?;
        self.terminate()?;
        self.stop_swapping();
        self.outside.check()
    }

    fn note(&mut self, what: String) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(what);
    }

    /// Does what comes next to the volume, or to the process.
    fn act(&mut self) -> Result<(), String> {
        if !self.prng.one_in(4) {
            let attack: Attack = self.repertoire.choose(&mut self.prng);
            self.note(attack.to_string());
            let outside = self.repertoire.outside.clone();
            attack::perform(&attack, &self.volume, &outside, &mut self.held, &mut self.prng);
            return Ok(());
        }
        let action = self.choose();
        self.note(format!("{action:?}"));
        match action {
            OnProcess::Pace(stream, pace) => self.paces[stream as usize] = pace,
            OnProcess::Hang => self.stop(true),
            OnProcess::GoOn => self.stop(false),
            OnProcess::Kill => self.kill()?,
            OnProcess::Terminate => {
                // Of what one write has for two streams it is noted that it is streamed when both have accepted it.
                let is_stalled = self.paces.contains(&Pace::Stalled);
                self.terminate()?;
                self.begin(self.repeats(if is_stalled { Repeats::OneWrite } else { Repeats::Nothing }));
            }
            OnProcess::Signals(signal, count) => {
                self.stop(false);
                self.await_handler(signal)?;
                let life = self.life.as_ref().expect("it runs");
                (0..count).for_each(|_| life.signal(signal));
            }
            OnProcess::Command(word) => self.start_command(word),
            OnProcess::Swap => self.start_swapping(),
            OnProcess::Destroy => self.destroy()?,
            OnProcess::Pause(milliseconds) => {
                let until = Instant::now() + Duration::from_millis(milliseconds);
                while Instant::now() < until {
                    self.look()?;
                }
            }
        }
        Ok(())
    }

    fn choose(&mut self) -> OnProcess {
        let prng = &mut self.prng;
        let stream = if prng.one_in(3) { Stream::Err } else { Stream::Out };
        match prng.below(16) {
            0 | 1 => OnProcess::Pace(stream, Pace::Stalled),
            2 => OnProcess::Pace(stream, Pace::Slow),
            3..=5 => OnProcess::Pace(stream, Pace::Free),
            6 => OnProcess::Hang,
            7 => OnProcess::GoOn,
            8 => OnProcess::Kill,
            9 => OnProcess::Terminate,
            10 if !self.setup.waits_for_truncation() => OnProcess::Signals(Signal::HUP, prng.spread(1, 200)),
            10 | 11 => OnProcess::Signals(Signal::USR1, prng.spread(1, 200)),
            12 => OnProcess::Command(["check", "status"][prng.below(2) as usize]),
            13 => OnProcess::Swap,
            14 if self.setup.has_victim() => OnProcess::Destroy,
            _ => OnProcess::Pause(prng.spread(10, 2500)),
        }
    }

    /// Returns how much the next life may repeat, which is anything if the application has the state.
    fn repeats(&self, otherwise: Repeats) -> Repeats {
        if self.setup.is_state_shared { Repeats::Anything } else { otherwise }
    }

    fn launcher(&self) -> Command {
        let mut words: Vec<String> = Vec::new();
        let mut launcher = match &self.group {
            Some(group) => {
                words.push("sh".to_owned());
                group.entered()
            }
            None => Command::new("sh"),
        };
        let limit = format!("ulimit -n {}; exec \"$@\"", self.setup.descriptors());
        words.extend(["-c", &limit, "sh"].map(str::to_owned));
        if self.setup.is_other_user {
            let user = format!("--reuid={USER}");
            words.extend(["setpriv", &user, &format!("--regid={USER}"), "--clear-groups"].map(str::to_owned));
        }
        words.push(self.binary.display().to_string());
        let variables = self.setup.variables(&self.volume.path, &self.state);
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for (name, value) in command(&variables).get_envs() {
            match value {
                Some(value) => launcher.env(name, value),
                None => launcher.env_remove(name),
            };
        }
        launcher.args(words).env("SECRET", SECRET);
        launcher
    }

    fn begin(&mut self, repeats: Repeats) {
        self.witness.begins(repeats);
        self.lives += 1;
        self.is_stopped = false;
        self.life = Some(Life::begin(&mut self.launcher()));
    }

    fn stop(&mut self, is_stopped: bool) {
        let signal = if is_stopped { Signal::STOP } else { Signal::CONT };
        self.life.as_ref().expect("it runs").signal(signal);
        self.is_stopped = is_stopped;
    }

    /// Reads the streams as they are read now, and says what is not as it should be.
    fn look(&mut self) -> Result<(), String> {
        let ended = self.read(self.paces)?;
        let life = self.life.as_mut().expect("it runs");
        life.weigh();
        self.own_kib_max = self.own_kib_max.max(life.own_kib_max);
        self.resident_kib_max = self.resident_kib_max.max(life.resident_kib_max);
        self.build.check(life)?;
        if let Some(status) = life.ended() {
            self.read([Pace::Free; 2])?;
            let kills = self.group.as_ref().map_or(0, ControlGroup::kills);
            return Err(format!("it ended by itself: {status}; killed for want of memory: {kills}"));
        }
        if ended {
            return Err("it closed its streams".to_owned());
        }
        life.wait_a_little(Duration::from_millis(5));
        Ok(())
    }

    fn read(&mut self, paces: [Pace; 2]) -> Result<bool, String> {
        let Self { life, witness, victim, said, mark_came, .. } = self;
        let life = life.as_mut().expect("it runs");
        life.read(paces, |stream, line| {
            if stream == Stream::Err {
                let text = String::from_utf8_lossy(line);
                if let Some((_, number)) = text.split_once("catch up ") {
                    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
                    *mark_came = digits.parse().unwrap_or(*mark_came);
                } else if text.starts_with("sidetail:") {
                    if said.len() == RECENT {
                        said.pop_front();
                    }
                    said.push_back(text.chars().take(SHOWN).collect());
                }
            }
            victim.line(line);
            witness.line(stream, line)
        })
    }

    /// Writes to the witness, but not while sidetail might truncate it.
    fn write_witness(&mut self, lines: u64) {
        if lines > 0 && !(self.setup.waits_for_truncation() && self.witness.size() >= ROTATE_BYTES) {
            self.witness.write(lines);
        }
    }

    /// Lets everything flow, and waits until all of the witness has come out.
    fn settle(&mut self) -> Result<(), String> {
        self.paces = [Pace::Free; 2];
        self.stop(false);
        let start = Instant::now();
        while let Some(missing) = self.witness.missing() {
            self.look()?;
            if start.elapsed() > DEADLINE {
                return Err(format!("after {DEADLINE:?} {missing}"));
            }
        }
        self.look()?;
        self.reap_commands()
    }

    /// Waits until the program answers a signal by its own handler.
    fn await_handler(&mut self, signal: Signal) -> Result<(), String> {
        let start = Instant::now();
        while !self.life.as_ref().expect("it runs").catches(signal) {
            self.look()?;
            if start.elapsed() > DEADLINE {
                return Err("it does not begin".to_owned());
            }
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<(), String> {
        self.life.as_ref().expect("it runs").signal(Signal::KILL);
        let status = self.ended(DEADLINE)?;
        if status.signal() != Some(Signal::KILL.as_raw()) {
            return Err(format!("it was to be killed, but: {status}"));
        }
        self.victim.judge(true)?;
        self.begin(self.repeats(Repeats::OneWrite));
        Ok(())
    }

    fn terminate(&mut self) -> Result<(), String> {
        self.stop(false);
        self.await_handler(Signal::TERM)?;
        self.life.as_ref().expect("it runs").signal(Signal::TERM);
        // Where nobody reads messages, nobody is told.
        let is_unheard = self.paces[Stream::Err as usize] == Pace::Stalled;
        let status = self.ended(DEADLINE)?;
        if status.code() != Some(0) {
            return Err(format!("at SIGTERM it ended with {status}"));
        }
        self.victim.judge(is_unheard)
    }

    /// Reads what is left on the streams, and returns how it ended.
    fn ended(&mut self, within: Duration) -> Result<ExitStatus, String> {
        let start = Instant::now();
        // A stream that nobody reads is one that nobody reads at the end either.
        let stalled = self.paces.map(|pace| if pace == Pace::Stalled { Pace::Stalled } else { Pace::Free });
        let mut status = None;
        while status.is_none() {
            self.read(stalled)?;
            let life = self.life.as_mut().expect("it runs");
            status = life.ended();
            life.wait_a_little(Duration::from_millis(5));
            if status.is_none() && start.elapsed() > within {
                return Err(format!("it has not ended after {within:?}"));
            }
        }
        while !self.read([Pace::Free; 2])? {
            if start.elapsed() > within + DEADLINE {
                return Err("it has ended, and somebody holds its streams".to_owned());
            }
        }
        self.life = None;
        status.ok_or_else(|| "it has not ended".to_owned())
    }

    /// Waits until everything that was done before was looked at: a file that was made after it has come out. A line more of a file
    /// that is there would not do, because whoever reads it may not have looked at anything else meanwhile.
    fn catch_up(&mut self) -> Result<(), String> {
        self.marks += 1;
        let mark = self.volume.path.join(format!("mark-{}.log", self.marks));
        append(&mark, format!("INFO catch up {}\n", self.marks));
        let start = Instant::now();
        while self.mark_came < self.marks {
            self.look()?;
            if start.elapsed() > DEADLINE {
                return Err(format!("mark {} has not come after {DEADLINE:?}", self.marks));
            }
        }
        fs::remove_file(mark).map_err(|why| format!("mark {}: {why}", self.marks))
    }

    /// Waits until it is said how much of the victim is unread. A line of a file that was made later would not do: a look at
    /// everything may find that first.
    fn await_seen(&mut self) -> Result<(), String> {
        self.await_handler(Signal::USR1)?;
        let (start, mut asked) = (Instant::now(), None);
        while !self.victim.is_seen() {
            if asked.is_none_or(|asked: Instant| asked.elapsed() > ASKED_EVERY) {
                self.life.as_ref().expect("it runs").signal(Signal::USR1);
                asked = Some(Instant::now());
            }
            self.look()?;
            if start.elapsed() > DEADLINE {
                return Err(format!("after {DEADLINE:?} it has not said how much of the victim is unread"));
            }
        }
        Ok(())
    }

    /// Destroys what was seen and not read.
    fn destroy(&mut self) -> Result<(), String> {
        if self.victim.is_judged() {
            return Ok(());
        }
        self.stop(false);
        self.await_handler(Signal::TERM)?;
        self.paces = [Pace::Stalled, Pace::Free];
        if self.victim.write_ahead() {
            self.await_seen()?;
            self.victim.destroy();
            self.catch_up()?;
        }
        self.paces = [Pace::Free; 2];
        Ok(())
    }

    /// Runs a command of sidetail's beside it; what it says does not matter, but that it ends.
    fn start_command(&mut self, word: &str) {
        let mut command = self.launcher();
        command.arg(word).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.commands.extend(command.spawn());
    }

    fn reap_commands(&mut self) -> Result<(), String> {
        let start = Instant::now();
        while let Some(command) = self.commands.last_mut() {
            match command.try_wait().expect("ours") {
                Some(status) if status.signal().is_none() => drop(self.commands.pop()),
                Some(status) => return Err(format!("a command ended with {status}")),
                None if start.elapsed() > DEADLINE => {
                    let _ = command.kill();
                    let _ = command.wait();
                    return Err("a command does not end".to_owned());
                }
                None => self.look()?,
            }
        }
        Ok(())
    }

    /// Swaps a directory for a link to one outside, without a pause, until the end of the round.
    fn start_swapping(&mut self) {
        if self.swapping.is_some() {
            return;
        }
        let [directory, link] = ["swapped", "link"].map(Path::new);
        self.volume.mkdir(directory);
        self.volume.symlink(&self.repertoire.outside, link);
        let _ = fs::write(self.volume.path.join("swapped/a.log"), "INFO of the application\n");
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, volume) = (Arc::clone(&stop), Volume::at(&self.volume.path));
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                volume.rename(directory, link, RenameFlags::EXCHANGE);
                // The machine has few processors: a swap in each turn of the loop is enough.
                thread::sleep(Duration::from_micros(300));
            }
        });
        self.swapping = Some((stop, thread));
    }

    fn stop_swapping(&mut self) {
        if let Some((stop, thread)) = self.swapping.take() {
            stop.store(true, Ordering::Relaxed);
            thread.join().expect("swapping does not fail");
        }
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        self.stop_swapping();
        self.life = None;
        for command in &mut self.commands {
            let _ = command.kill();
            let _ = command.wait();
        }
        // What is closed for everybody is closed for who cleans up, too, unless that is root.
        let _ = run(Command::new("chmod").arg("-R").arg("u+rwX").arg(&self.volume.path), DEADLINE);
    }
}
