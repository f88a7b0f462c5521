//! Other processes, as far as `/proc` shows them: who writes to a file and how, and who is called so.
//!
//! Only a shared process namespace shows them (`shareProcessNamespace: true`), and only to the same user. Whatever cannot be
//! seen counts as unknown.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::beneath::{FileId, Stat};

/// `O_ACCMODE` and `O_APPEND` of open(2), as `/proc/PID/fdinfo` prints them, in octal.
const ACCESS_MODE: u32 = 0o3;
const APPEND: u32 = 0o2000;

/// How long a process's name is, at most, in bytes: `TASK_COMM_LEN`, proc_pid_comm(5).
const NAME_BYTES_MAX: usize = 15;

/// How the writers of a file write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// There is one, and all of them append.
    Append,
    /// One of them writes at an offset of its own.
    Positional,
    /// Not all processes can be seen, or nobody writes now.
    Unknown,
}

/// Returns how the writers of a file write, other than ourselves.
#[must_use]
pub fn writers_of(id: FileId) -> Writers {
    let own = std::process::id();
    // With a namespace of our own we are the first process in it, and see no other.
    if own == 1 {
        return Writers::Unknown;
    }
    let Ok(processes) = pids() else { return Writers::Unknown };
    let (mut appending, mut is_unsure) = (0, false);
    for pid in processes.into_iter().filter(|pid| *pid != own) {
        match writers_in(pid, id) {
            Ok(Writers::Positional) => return Writers::Positional,
            Ok(Writers::Append) => appending += 1,
            Ok(Writers::Unknown) => {}
            // It has ended.
            Err(why) if why.kind() == io::ErrorKind::NotFound || why.raw_os_error() == Some(ESRCH) => {}
            Err(_) => is_unsure = true,
        }
    }
    if appending > 0 && !is_unsure { Writers::Append } else { Writers::Unknown }
}

/// What reading of a process that has just ended gives.
const ESRCH: i32 = 3;

/// Returns how one process writes to the file; unknown if it does not.
fn writers_in(pid: u32, id: FileId) -> io::Result<Writers> {
    let mut found = Writers::Unknown;
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        // A descriptor that is closed by now writes no more.
        let Ok(stat) = stat_behind(Path::new(&format!("/proc/{pid}/fd/{name}"))) else { continue };
        if stat != (id.dev, id.ino) {
            continue;
        }
        let Ok(info) = fs::read_to_string(format!("/proc/{pid}/fdinfo/{name}")) else { continue };
        match flags(&info) {
            Some(flags) if flags & ACCESS_MODE == 0 => {}
            Some(flags) if flags & APPEND != 0 => found = Writers::Append,
            _ => return Ok(Writers::Positional),
        }
    }
    Ok(found)
}

/// Returns the flags that a descriptor was opened with; proc_pid_fdinfo(5).
fn flags(info: &str) -> Option<u32> {
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
    u32::from_str_radix(flags.trim(), 8).ok()
}

fn stat_behind(path: &Path) -> io::Result<(u64, u64)> {
    let opened =
        rustix::fs::open(path, rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty())?;
    let Stat { id, .. } = Stat::of(opened)?;
    Ok((id.dev, id.ino))
}

fn pids() -> io::Result<Vec<u32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

/// `ROTATE_SIGNAL`: which signal to which processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalTo {
    /// The signal.
    pub signal: Signal,
    /// The processes' name, as `ps -o comm` shows it.
    pub name: String,
}

impl SignalTo {
    /// Reads `HUP:nginx`.
    ///
    /// # Errors
    /// Says what is wrong and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let way_out = "write SIGNAL:NAME, such as HUP:nginx";
        let (signal, name) = text.split_once(':').ok_or_else(|| format!("it has no `:`; {way_out}"))?;
        let known = SIGNALS.iter().find(|(known, _)| *known == signal.strip_prefix("SIG").unwrap_or(signal));
        let Some((_, signal)) = known else {
            let names: Vec<_> = SIGNALS.iter().map(|(name, _)| *name).collect();
            return Err(format!("{signal:?} is no signal to reopen a log; write one of {}", names.join(", ")));
        };
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains('/') {
            return Err(format!("{name:?} is no process's name, which has 1 to {NAME_BYTES_MAX} bytes; {way_out}"));
        }
        Ok(Self { signal: *signal, name: name.to_owned() })
    }

    /// Signals the processes of that name, but not their children of the same name: workers are told by their master. Returns
    /// how many there were.
    ///
    /// # Errors
    /// Those of kill(2): `EPERM` for another user's process.
    pub fn send(&self) -> io::Result<u32> {
        let named: Vec<_> = pids()?.into_iter().filter(|pid| comm(*pid).as_deref() == Some(&*self.name)).collect();
        let (mut signalled, mut failed) = (0, None);
        for pid in named.iter().filter(|pid| parent(**pid).is_none_or(|parent| !named.contains(&parent))) {
            let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) else { continue };
            match kill_process(pid, self.signal) {
                Ok(()) => signalled += 1,
                Err(rustix::io::Errno::SRCH) => {}
                Err(why) => failed = Some(why),
            }
        }
        match failed {
            Some(why) if signalled == 0 => Err(why.into()),
            _ => Ok(signalled),
        }
    }
}

/// The signals at which programs reopen their logs, or may be made to.
const SIGNALS: [(&str, Signal); 5] = [
    ("HUP", Signal::HUP),
    ("USR1", Signal::USR1),
    ("USR2", Signal::USR2),
    ("WINCH", Signal::WINCH),
    ("CONT", Signal::CONT),
];

fn comm(pid: u32) -> Option<String> {
    let comm = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(comm.trim_end_matches('\n').to_owned())
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything: pid (name) state ppid.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, OpenOptions};
    use std::process::{Child, Command, Stdio};

    struct Holder(Child);

    impl Drop for Holder {
        fn drop(&mut self) {
            // It has ended if the test has failed.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Starts a process that holds a file open, as `options` open it.
    fn hold(path: &Path, options: &mut OpenOptions) -> Holder {
        let stdout = options.open(path).expect("a file");
        Holder(Command::new("sleep").arg("60").stdout(Stdio::from(stdout)).spawn().expect("sleep is there"))
    }

    fn id(path: &Path) -> FileId {
        Stat::of(File::open(path).expect("there")).expect("statx").id
    }

    #[test]
    fn writers_are_told_by_how_they_opened_the_file() {
        if !rustix::process::geteuid().is_root() {
            return; // Another user's processes cannot be looked into, so nothing is known.
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("a.log");
        File::create(&path).expect("created");
        assert_eq!(writers_of(id(&path)), Writers::Unknown, "nobody writes");
        let appending = hold(&path, OpenOptions::new().append(true));
        assert_eq!(writers_of(id(&path)), Writers::Append);
        let _reader = hold(&path, OpenOptions::new().read(true));
        let _positional = hold(&path, OpenOptions::new().write(true));
        assert_eq!(writers_of(id(&path)), Writers::Positional);
        drop(appending);
        assert_eq!(writers_of(id(&path)), Writers::Positional);
    }

    #[test]
    fn a_signal_goes_to_processes_of_the_name() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let program = dir.path().join("sidetail-sleep");
        let sleep = ["/usr/bin/sleep", "/bin/sleep"].into_iter().find(|path| Path::new(path).exists()).expect("sleep");
        fs::copy(sleep, &program).expect("copied");
        let mut child = Holder(Command::new(&program).arg("60").spawn().expect("started"));
        let signal = SignalTo::parse("SIGUSR1:sidetail-sleep").expect("valid");
        assert_eq!(signal.send().expect("sent"), 1);
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(child.0.wait().expect("ended").signal(), Some(Signal::USR1.as_raw()));
        assert_eq!(signal.send().expect("nobody"), 0);
    }

    #[test]
    fn mistakes_name_the_way_out() {
        for (text, word) in
            [("nginx", "`:`"), ("KILL:nginx", "USR1"), ("HUP:", "1 to 15"), ("HUP:/usr/sbin/nginx", "HUP:nginx")]
        {
            assert!(SignalTo::parse(text).expect_err(text).contains(word), "{text}");
        }
    }
}
