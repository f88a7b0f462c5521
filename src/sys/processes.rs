//! Other processes, as far as `/proc` shows them: which there are, what they are called, whether they have ended.
//!
//! Only a shared process namespace shows them (`shareProcessNamespace: true`); their names are shown to every user in it.
#![allow(clippy::disallowed_methods, reason = "what is in /proc is the kernel's")]

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long a process's name is, at most, in bytes: `TASK_COMM_LEN`, proc_pid_comm(5).
pub(crate) const NAME_BYTES_MAX: usize = 15;

/// Returns the numbers of all processes that can be seen, our own too.
///
/// # Errors
/// When there is no `/proc`.
pub(crate) fn pids() -> io::Result<Vec<u32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

/// Returns the other processes of our user that run this program and have a handler for a signal: no command but the one that
/// follows files has. Sorted.
///
/// # Errors
/// When there is no `/proc`.
pub(crate) fn others_of_this_program(signal: Signal) -> io::Result<Vec<u32>> {
    let program = fs::metadata("/proc/self/exe").map(|found| (found.dev(), found.ino()))?;
    let (own, uid) = (std::process::id(), rustix::process::geteuid().as_raw());
    let is_other = |pid: &u32| {
        *pid != own
            && fs::metadata(format!("/proc/{pid}/exe")).is_ok_and(|found| (found.dev(), found.ino()) == program)
            && fs::metadata(format!("/proc/{pid}")).is_ok_and(|found| found.uid() == uid)
            && catches(*pid, signal)
    };
    let mut others: Vec<u32> = pids()?.into_iter().filter(is_other).collect();
    others.sort_unstable();
    Ok(others)
}

/// Returns the variables that a process was started with.
///
/// # Errors
/// When there is no such process, or it is another user's.
pub(crate) fn variables_of(pid: u32) -> io::Result<Vec<(OsString, OsString)>> {
    let environment = fs::read(format!("/proc/{pid}/environ"))?;
    let pair = |text: &[u8]| {
        let end = memchr::memchr(b'=', text)?;
        Some((OsString::from_vec(text[..end].to_vec()), OsString::from_vec(text[end + 1..].to_vec())))
    };
    Ok(environment.split(|byte| *byte == 0).filter_map(pair).collect())
}

/// Returns whether a process has a handler for a signal: without one most signals end it.
fn catches(pid: u32, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigCgt:")?.trim(), 16).ok());
    caught.is_some_and(|caught| caught & (1 << (signal.as_raw() - 1)) != 0)
}

/// Sends a signal to a process.
///
/// # Errors
/// Those of kill(2).
pub(crate) fn send(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
    Ok(kill_process(pid, signal)?)
}

/// Returns whether a process has this name, as `ps -o comm` shows it: by its program's file name, of which the kernel keeps
/// [`NAME_BYTES_MAX`] bytes. The rest of a longer `name` is not compared.
#[must_use]
pub(crate) fn is_called(pid: u32, name: &str) -> bool {
    let kept = &name.as_bytes()[..name.len().min(NAME_BYTES_MAX)];
    fs::read(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.strip_suffix(b"\n").unwrap_or(&comm) == kept)
}

/// Ticks per second of the times in `/proc`: the same on every architecture that Rust has for Linux (`USER_HZ`).
pub(crate) const TICKS_A_SECOND: u64 = 100;

/// The fields of `/proc/PID/stat` that are used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatFields {
    /// Its parent's number.
    pub parent: u32,
    /// Nobody has waited for it yet; other threads than its first may still run.
    pub has_ended: bool,
    /// It waits for something to do.
    pub is_asleep: bool,
    /// What it has used so far, user and system.
    pub cpu: Duration,
    /// It is one of the kernel's own.
    pub is_of_kernel: bool,
    /// How many threads it has.
    pub threads: u32,
}

/// `PF_KTHREAD` of the kernel's `include/linux/sched.h`.
const KERNEL_THREAD: u32 = 0x0020_0000;

/// Returns the fields of `/proc/PID/stat`; `None` if there is no such process.
#[must_use]
pub(crate) fn stat_fields(pid: u32) -> Option<StatFields> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything: pid (name) state ppid, and as proc_pid_stat(5) numbers them flags 9,
    // utime 14, stime 15, num_threads 20.
    let rest = stat.get(memchr::memrchr(b')', &stat)? + 2..)?;
    let fields: Vec<_> = std::str::from_utf8(rest).ok()?.split(' ').collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
    let threads = number(20)?;
    Some(StatFields {
        parent: number(4)?,
        has_ended: matches!(fields[0], "Z" | "X") && threads <= 1,
        is_asleep: fields[0] == "S",
        cpu: Duration::from_millis(u64::from(number(14)?.saturating_add(number(15)?)) * (1000 / TICKS_A_SECOND)),
        is_of_kernel: number(9)? & KERNEL_THREAD != 0,
        threads,
    })
}

/// Returns the most memory that was resident of a process so far, in bytes: `VmHWM`, proc_pid_status(5). `None` if there is no such
/// process, or it has ended.
#[must_use]
pub(crate) fn resident_bytes_max(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Some(kib? * 1024)
}

/// What the process is called that a pod's containers share a process namespace with: the container runtime's own, which only
/// waits.
const PAUSES: [&str; 2] = ["pause", "catatonit"];

/// Returns whether this process is one of several containers that share a process namespace: it came into it from outside, and
/// process 1 is the one that only waits.
#[must_use]
pub(crate) fn is_namespace_shared() -> bool {
    let own = std::process::id();
    // A parent outside of the namespace is shown as 0, pid_namespaces(7).
    own != 1 && stat_fields(own).is_some_and(|own| own.parent == 0) && PAUSES.iter().any(|name| is_called(1, name))
}

/// Returns whether nobody else is left in such a namespace: false if that is not certain.
#[must_use]
pub(crate) fn is_alone() -> bool {
    let own = std::process::id();
    let others = |pids: Vec<u32>| pids.into_iter().any(|pid| pid != own && pid != 1 && !has_ended(pid));
    !is_proc_hiding() && pids().is_ok_and(|pids| pids.contains(&own) && !others(pids))
}

/// Returns whether a process has ended, or there is none of this number.
#[must_use]
pub(crate) fn has_ended(pid: u32) -> bool {
    stat_fields(pid).is_none_or(|fields| fields.has_ended)
}

/// Returns whether `/proc` may hide other users' processes: proc(5), `hidepid`.
fn is_proc_hiding() -> bool {
    let Ok(mounts) = fs::File::open("/proc/self/mounts") else { return true };
    BufReader::new(mounts).lines().any(|line| line.map_or(true, |line| line.contains("hidepid=")))
}
