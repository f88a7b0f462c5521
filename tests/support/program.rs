//! The built binary as a person or a kubelet meets it: started with variables, its streams collected, ended by a signal.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};

use super::bounded::wait_for;

/// Longer than anything takes here, even where each processor has ten to run at a time; a test that waits so long has failed.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What one stream has given so far.
type Collected = Arc<Mutex<Vec<u8>>>;

/// A running sidetail.
pub struct Program {
    child: Child,
    collected: [Collected; 2],
    readers: Vec<JoinHandle<()>>,
    /// What stdout had to be when it was last asked: at the end it must still be that.
    expected_stdout: RefCell<Option<String>>,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    /// From the signal, or from the question, to the end.
    pub took: Duration,
}

impl Program {
    /// Starts the binary with these variables, the prefix `SIDETAIL_` left out, and nothing else of that prefix.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        Self::spawn(command(variables).stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Starts it on the `*.log` files of a directory.
    pub fn on(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let paths = format!("{}/*.log", directory.display());
        Self::start(&[&[("PATHS", paths.as_str())], variables].concat())
    }

    /// Starts a command that starts the binary, with the variables for it.
    pub fn launch(launcher: Command, variables: &[(&str, &str)]) -> Self {
        Self::spawn(with_variables(launcher, variables).stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Starts a prepared command; streams that are pipes are collected.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).spawn().expect("the binary starts");
        let collected = [Collected::default(), Collected::default()];
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(collect(stdout, &collected[0]));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(collect(stderr, &collected[1]));
        }
        Self { child, collected, readers, expected_stdout: RefCell::default() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What stdout has given so far.
    pub fn stdout(&self) -> String {
        text(&self.collected[0])
    }

    /// How much stdout has given so far, in bytes.
    pub fn stdout_bytes(&self) -> usize {
        self.collected[0].lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What stderr has given so far.
    pub fn stderr(&self) -> String {
        text(&self.collected[1])
    }

    /// Waits until stdout is exactly this; bytes that are not UTF-8 compare as U+FFFD.
    ///
    /// What is repeated, or comes later, is seen too: if the test says nothing else, the program is ended at the end of the
    /// test, and then stdout must still be what was expected last.
    #[track_caller]
    pub fn expect_stdout(&self, expected: &str) {
        self.expected_stdout.replace(Some(expected.to_owned()));
        self.expect(|| self.stdout() == expected, &format!("stdout to be {expected:?}"));
    }

    /// Waits until stderr is exactly this.
    #[track_caller]
    pub fn expect_stderr(&self, expected: &str) {
        self.expect(|| self.stderr() == expected, &format!("stderr to be {expected:?}"));
    }

    #[track_caller]
    pub fn expect(&self, condition: impl Fn() -> bool, what: &str) {
        if wait_for(|| condition().then_some(()), DEADLINE).is_none() {
            let (stdout, stderr) = (self.stdout(), self.stderr());
            panic!("waited in vain for {what}\nstdout: {:?}\nstderr: {:?}", tail(&stdout), tail(&stderr));
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("our own child can be signalled");
    }

    /// Ends it with SIGTERM and returns everything that it gave.
    #[track_caller]
    pub fn terminate(self) -> Ended {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Ends it with SIGKILL, as the kernel does when memory runs out, but at rest: between a write to a pipe and the note of it
    /// in the checkpoint it would rightly repeat that write.
    #[track_caller]
    pub fn kill(self) -> Ended {
        self.expect(|| self.is_asleep(), "it to rest");
        self.signal(Signal::KILL);
        self.wait()
    }

    /// Says whether it waits for something to do.
    pub fn is_asleep(&self) -> bool {
        self.state() == 'S'
    }

    /// Says whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.state() == 'Z'
    }

    /// Returns what it does, as `ps` shows it; a child that nobody waited for is still shown.
    fn state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("nobody has waited for it");
        stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).expect("the third field")
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub fn wait(self) -> Ended {
        self.wait_for(DEADLINE)
    }

    /// The same with more time.
    #[track_caller]
    pub fn wait_for(mut self, deadline: Duration) -> Ended {
        let start = Instant::now();
        let status = wait_for(|| self.child.try_wait().expect("our own child can be waited for"), deadline);
        let took = start.elapsed();
        let status = status.expect("it ends in time");
        for reader in self.readers.drain(..) {
            reader.join().expect("collecting does not fail");
        }
        Ended { status, stdout: self.stdout(), stderr: self.stderr(), took }
    }

    /// Returns the paths of what it has open, and does not only look at (`O_PATH`).
    pub fn open_files(&self) -> Vec<PathBuf> {
        let process = PathBuf::from(format!("/proc/{}", self.id()));
        let is_opened = |descriptor: &OsStr| {
            let info = std::fs::read_to_string(process.join("fdinfo").join(descriptor)).ok()?;
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
            let flags = u32::from_str_radix(flags.trim(), 8).ok()?;
            Some(flags & OFlags::PATH.bits() == 0)
        };
        let descriptors = std::fs::read_dir(process.join("fd")).expect("it is running");
        let descriptors = descriptors.filter_map(|entry| {
            let entry = entry.ok()?;
            let path = std::fs::read_link(entry.path()).ok()?;
            is_opened(&entry.file_name())?.then_some(path)
        });
        descriptors.collect()
    }

    /// Returns a field of `/proc/PID/status`, in its unit: `VmRSS` in KiB, `Threads` as a number.
    pub fn status_field(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it is running");
        let line = status.lines().find(|line| line.starts_with(&format!("{name}:"))).expect("the field is there");
        line.split_whitespace().nth(1).and_then(|value| value.parse().ok()).expect("a number")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let is_running = matches!(self.child.try_wait(), Ok(None));
        if is_running && !thread::panicking() && self.expected_stdout.borrow().is_some() {
            self.signal(Signal::TERM);
            let ended = wait_for(|| self.child.try_wait().ok().flatten(), DEADLINE);
            assert!(ended.is_some(), "it did not end at SIGTERM");
            for reader in self.readers.drain(..) {
                reader.join().expect("collecting does not fail");
            }
            assert_eq!(Some(self.stdout()), *self.expected_stdout.borrow(), "stdout at the end");
        }
        // It has ended already unless the test failed, or did not ask.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the binary's command with these variables.
pub fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidetail"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SIDETAIL_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().map(|(name, value)| (format!("SIDETAIL_{name}"), value)));
    command
}

/// Gives another command, which starts the binary or is another build of it, these variables.
pub fn with_variables(mut launcher: Command, variables: &[(&str, &str)]) -> Command {
    for (name, value) in command(variables).get_envs() {
        match value {
            Some(value) => launcher.env(name, value),
            None => launcher.env_remove(name),
        };
    }
    launcher
}

/// Returns the two ends of a pipe that no other child inherits: the reader's end must be ours alone to close.
pub fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe")
}

/// Waits until a pipe is full, so that its writer is stalled.
///
/// It is made of pages, and a write that does not fit what is left of the last one needs another: pipe(7), 16 of 4 KiB.
#[track_caller]
pub fn stalled(reader: &OwnedFd) {
    let is_full = || (rustix::io::ioctl_fionread(reader).expect("a pipe") > 15 * 4096).then_some(());
    wait_for(is_full, DEADLINE).expect("a full pipe");
}

fn collect(mut stream: impl Read + Send + 'static, collected: &Collected) -> JoinHandle<()> {
    let collected = Arc::clone(collected);
    thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = stream.read(&mut bytes) {
            collected.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..read]);
        }
    })
}

fn text(collected: &Collected) -> String {
    String::from_utf8_lossy(&collected.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(2000);
    text.get(start..).unwrap_or(text)
}
