//! A clock of a program that the test sets, because the machine's own cannot be set without harm.
//!
//! A static program cannot be given another `clock_gettime` by `LD_PRELOAD`. But it has the time from the vDSO, code that the
//! kernel maps into every process (vdso(7)), and that can be overwritten from outside, for this process alone.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSymbol};

use super::files::{append, directory};
use super::program::{Program, command};
use super::say::ignore;

/// The function, for x86_64: asks the kernel, and adds to the seconds of the clock that is meant what stands behind the code.
///
/// ```text
///     mov eax, 228            SYS_clock_gettime
///     syscall
///     test eax, eax
///     jnz end
///     cmp edi, KIND
///     jne end
///     mov rdx, [rip + 9]
///     add [rsi], rdx
/// end: ret
/// ```
const CODE: [u8; 27] = [
    0xb8, 0xe4, 0, 0, 0, 0x0f, 0x05, 0x85, 0xc0, 0x75, 0x0f, 0x83, 0xff, 0, 0x75, 0x0a, 0x48, 0x8b, 0x15, 9, 0, 0, 0,
    0x48, 0x01, 0x16, 0xc3,
];
const KIND_AT: usize = 13;
/// Aligned, so that no half of a number is ever read.
const SECONDS_AT: u64 = 32;
const ALL_BYTES: u64 = SECONDS_AT + 8;

/// Such a clock; it is right at first. The program that was started last has it.
pub struct Clock {
    code: [u8; CODE.len()],
    step: i64,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    seconds: i64,
    /// the memory of the program, and where in it the seconds are
    program: Option<(File, u64)>,
}

impl Clock {
    /// Makes one of a kind as clock_gettime(2) calls it.
    ///
    /// # Errors
    /// What this machine lacks, as a sentence for people.
    pub fn new(kind: &str, step: Duration) -> Result<Self, String> {
        if !cfg!(target_arch = "x86_64") {
            return Err("a clock that the test sets is written for x86_64 only".to_owned());
        }
        let mut code = CODE;
        code[KIND_AT] = match kind {
            "CLOCK_REALTIME" => 0,
            "CLOCK_MONOTONIC" => 1,
            other => panic!("no clock {other}"),
        };
        let clock = Self { code, step: step.as_secs().cast_signed(), state: RefCell::default() };
        let tried = clock.try_start(command(&[]).arg("--version"));
        tried.map_err(|why| format!("no clock of a program's own: {why}"))?;
        Ok(clock)
    }

    /// Starts a command, whose first look at the clock is at this one; its streams are collected.
    #[track_caller]
    pub fn start(&self, command: &Command) -> Program {
        self.try_start(command).unwrap_or_else(|why| panic!("{command:?}: {why}"))
    }

    fn try_start(&self, command: &Command) -> io::Result<Program> {
        let program = Program::spawn(stopped(command).stdout(Stdio::piped()).stderr(Stdio::piped()));
        let pid = Pid::from_raw(program.id().cast_signed());
        let mut state = self.state.borrow_mut();
        state.program = Some(before_its_first_instruction(pid, || self.patch(pid, state.seconds))?);
        Ok(program)
    }

    /// Puts it ahead by one more step.
    #[track_caller]
    pub fn put_ahead(&self) {
        let seconds = self.state.borrow().seconds;
        self.set(seconds + self.step);
    }

    /// Makes it right again.
    #[track_caller]
    pub fn set_back(&self) {
        self.set(0);
    }

    #[track_caller]
    fn set(&self, seconds: i64) {
        let mut state = self.state.borrow_mut();
        state.seconds = seconds;
        if let Some((memory, at)) = &state.program {
            // Nothing is written if it has ended.
            let written = memory.write_at(&seconds.to_le_bytes(), *at).expect("our own child's memory");
            assert!(written == 0 || written == 8, "{written} bytes");
        }
    }

    /// Overwrites the function of a process that stands still.
    fn patch(&self, pid: Pid, seconds: i64) -> io::Result<(File, u64)> {
        let memory = File::options().read(true).write(true).open(format!("/proc/{pid}/mem"))?;
        let function = clock_gettime(pid, &memory)?;
        memory.write_all_at(&self.code, function)?;
        memory.write_all_at(&seconds.to_le_bytes(), function + SECONDS_AT)?;
        Ok((memory, function + SECONDS_AT))
    }
}

/// Returns the same command as one that stops before it becomes the program.
fn stopped(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"kill -STOP $$; exec "$0" "$@""#]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// Lets a command that has stopped become its program, does something before that runs, and lets it go. All in one function,
/// because only the thread that follows a process may do that.
fn before_its_first_instruction<T>(pid: Pid, what: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = waitpid(pid, Some(WaitPidFlag::WUNTRACED))?;
    assert_eq!(before, WaitStatus::Stopped(pid, Signal::SIGSTOP), "the shell stops itself");
    ptrace::seize(pid, ptrace::Options::PTRACE_O_TRACEEXEC)?;
    nix::sys::signal::kill(pid, Signal::SIGCONT)?;
    loop {
        match waitpid(pid, None)? {
            WaitStatus::PtraceEvent(_, _, event) if event == ptrace::Event::PTRACE_EVENT_EXEC as i32 => break,
            WaitStatus::PtraceEvent(..) | WaitStatus::Stopped(..) => ptrace::cont(pid, None)?,
            other => return Err(io::Error::other(format!("it has ended before it began: {other:?}"))),
        }
    }
    let done = what();
    ptrace::detach(pid, None)?;
    done
}

/// Returns where a process has the function.
fn clock_gettime(pid: Pid, memory: &File) -> io::Result<u64> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let [start, end] = mapping(&maps, "[vdso]").ok_or_else(|| io::Error::other("it has no vDSO"))?;
    let mut image = vec![0; usize::try_from(end - start).expect("some pages")];
    memory.read_exact_at(&mut image, start)?;
    let image = ElfFile64::<object::Endianness>::parse(&*image).map_err(io::Error::other)?;
    let function = image.dynamic_symbols().find(|symbol| symbol.name() == Ok("__vdso_clock_gettime"));
    let function = function.filter(|function| function.size() >= ALL_BYTES && function.address() % 8 == 0);
    function.map(|function| start + function.address()).ok_or_else(|| io::Error::other("the vDSO has no room for it"))
}

/// Returns the first and the last address of a mapping, after proc_pid_maps(5).
fn mapping(maps: &str, name: &str) -> Option<[u64; 2]> {
    let line = maps.lines().find(|line| line.ends_with(name))?;
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    Some([u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?])
}

/// Returns how many days the last message of a program is ahead of now.
fn days_ahead(program: &Program) -> Option<f64> {
    let messages = program.stderr();
    let message: serde_json::Value = serde_json::from_str(messages.lines().last()?).ok()?;
    let time = humantime::parse_rfc3339(message["time"].as_str()?).expect("a time");
    let days =
        |time: SystemTime| time.duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64() / DAY.as_secs_f64();
    Some((days(time) - days(SystemTime::now())).round())
}

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn the_clock_of_one_program_is_ahead_from_its_start_put_further_ahead_and_set_back() {
    let clock = match Clock::new("CLOCK_REALTIME", DAY) {
        Ok(clock) => clock,
        Err(why) => return ignore(&why),
    };
    let dir = directory();
    append(&dir.path().join("app.log"), "line\n");
    let paths = format!("{}/*.log", dir.path().display());
    clock.put_ahead();
    let program = clock.start(&command(&[("PATHS", &paths), ("LOG", "info"), ("LOG_FORMAT", "json")]));
    program.expect(|| days_ahead(&program) == Some(1.0), "a message from tomorrow");
    clock.put_ahead();
    // It answers with a message a file.
    program.signal(rustix::process::Signal::USR1);
    program.expect(|| days_ahead(&program) == Some(2.0), "a message from the day after");
    clock.set_back();
    program.signal(rustix::process::Signal::USR1);
    program.expect(|| days_ahead(&program) == Some(0.0), "a message from now");
    let another =
        clock.start(&command(&[("PATHS", &paths), ("LOG", "info"), ("LOG_FORMAT", "json"), ("STATE", "off")]));
    another.expect(|| days_ahead(&another) == Some(0.0), "the next one to be right");
}
