//! Who writes to a file and how, and whom to signal after a rename.
//!
//! Only a shared process namespace shows that (`shareProcessNamespace: true`), and only to the same user. Whatever cannot be
//! seen counts as unknown.
#![allow(clippy::disallowed_methods, reason = "what is in /proc is the kernel's")]

use std::fs;
use std::io::{self, BufRead, Read};
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::paths::beneath::{FileId, Stat};
use crate::sys::processes::{NAME_BYTES_MAX, StatFields, is_called, pids, stat_fields};

/// `O_ACCMODE` and `O_APPEND` of open(2), as `/proc/PID/fdinfo` prints them, in octal.
const ACCESS_MODE: u32 = 0o3;
const APPEND: u32 = 0o2000;

/// How the writers of a file write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writers {
    /// There is one, and all of them append.
    Append,
    /// One of them writes at an offset of its own, or through memory.
    Positional,
    /// Not all processes can be seen, or nobody writes now.
    Unknown,
}

/// How many descriptors are looked at, at most, some 5 microseconds each, during which the stream waits.
const DESCRIPTORS_MAX: usize = 2000;

/// Returns how the writers of a file write, other than ourselves; unknown if there are too many descriptors to look at.
#[must_use]
pub(crate) fn writers_of(id: FileId) -> Writers {
    let own = std::process::id();
    // With a namespace of our own we are the first process in it, and see no other.
    if own == 1 {
        return Writers::Unknown;
    }
    let Ok(processes) = pids() else { return Writers::Unknown };
    // Every namespace has a first process; if it is hidden (`hidepid` of proc(5)), so may a writer be.
    let (mut appending, mut is_unsure) = (0, !processes.contains(&1));
    let mut left = DESCRIPTORS_MAX;
    for pid in processes.into_iter().filter(|pid| *pid != own && !is_pause(*pid)) {
        match writers_in(pid, id, &mut left) {
            Ok(Writers::Positional) => return Writers::Positional,
            Ok(Writers::Append) => appending += 1,
            Ok(Writers::Unknown) => {}
            Err(why) => is_unsure |= !has_no_descriptors(pid, &why),
        }
    }
    if appending > 0 && !is_unsure { Writers::Append } else { Writers::Unknown }
}

/// Returns whether a process is the one that holds a pod's namespaces, of another user than all containers: it writes nothing.
///
/// Source: <https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/>
fn is_pause(pid: u32) -> bool {
    pid == 1 && is_called(pid, "pause")
}

/// Returns whether a process whose descriptors cannot be read has none: it has ended, or it is one of the kernel's own.
fn has_no_descriptors(pid: u32, why: &io::Error) -> bool {
    match stat_fields(pid) {
        // A program may end its first thread alone: the others' descriptors are not listed with it.
        Some(fields) if is_gone(why) => fields.threads <= 1,
        Some(fields) => fields.is_of_kernel,
        None => is_gone(why),
    }
}

/// Returns whether an error is what looking into a process or a descriptor gives that is no more.
fn is_gone(why: &io::Error) -> bool {
    let gone = [Errno::NOENT, Errno::SRCH].map(Errno::raw_os_error);
    why.raw_os_error().is_some_and(|errno| gone.contains(&errno))
}

/// Returns what was found, or nothing if it is gone by now.
fn unless_gone<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(why) if is_gone(&why) => Ok(None),
        other => other.map(Some),
    }
}

/// Returns how one process writes to the file; unknown if it does not.
fn writers_in(pid: u32, id: FileId, left: &mut usize) -> io::Result<Writers> {
    let mut found = Writers::Unknown;
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        *left = left.checked_sub(1).ok_or(Errno::MFILE)?;
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        // A descriptor that is closed by now writes no more; one that cannot be looked at may.
        let stat = unless_gone(stat_behind(Path::new(&format!("/proc/{pid}/fd/{name}"))))?;
        if stat != Some((id.dev, id.ino)) {
            continue;
        }
        let Some(info) = unless_gone(fs::read_to_string(format!("/proc/{pid}/fdinfo/{name}")))? else { continue };
        match flags(&info) {
            Some(flags) if flags & ACCESS_MODE == 0 => {}
            Some(flags) if flags & APPEND != 0 => found = Writers::Append,
            _ => return Ok(Writers::Positional),
        }
    }
    let Some(maps) = unless_gone(fs::File::open(format!("/proc/{pid}/maps")))? else { return Ok(found) };
    match is_mapped_for_writing(&maps, id.ino) {
        Ok(is_mapped) => Ok(if is_mapped { Writers::Positional } else { found }),
        Err(why) if is_gone(&why) => Ok(found),
        Err(why) => Err(why),
    }
}

/// How much of a process's mappings is looked at, at most, in bytes: it takes some 20 ms, during which the stream waits.
const MAPS_BYTES_MAX: u64 = 4 << 20;

/// How much of a line of them is looked at: the path stands last, and may be long.
const MAPPING_BYTES: usize = 128;

/// Returns whether a process may write to an inode through memory, whatever the device: overlayfs shows another one here than
/// statx(2) does. A mapping needs no descriptor; proc_pid_maps(5).
///
/// # Errors
/// Those of read(2); `EFBIG` if there are very many mappings: who makes them may also write.
fn is_mapped_for_writing(maps: impl Read, ino: u64) -> io::Result<bool> {
    let (mut maps, ino) = (io::BufReader::with_capacity(4096, maps.take(MAPS_BYTES_MAX)), ino.to_string());
    let mut line = Vec::with_capacity(MAPPING_BYTES);
    loop {
        line.clear();
        if (&mut maps).take(MAPPING_BYTES as u64).read_until(b'\n', &mut line)? == 0 {
            return if maps.get_ref().limit() == 0 { Err(Errno::FBIG.into()) } else { Ok(false) };
        }
        // address perms offset dev inode
        let mut fields = line.split(|byte| byte.is_ascii_whitespace());
        let is_shared = fields.nth(1).is_some_and(|perms| perms.get(1) == Some(&b'w') && perms.get(3) == Some(&b's'));
        if is_shared && fields.nth(2) == Some(ino.as_bytes()) {
            return Ok(true);
        }
        if !line.ends_with(b"\n") {
            maps.skip_until(b'\n')?;
        }
    }
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

/// `ROTATE_SIGNAL`: which signal to which processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignalTo {
    /// The signal.
    pub(crate) signal: Signal,
    /// The processes' name, as `ps -o comm` shows it.
    pub name: String,
}

impl SignalTo {
    /// Reads `HUP:nginx`.
    ///
    /// # Errors
    /// Returns what is wrong and the right spelling.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let way_out = "use SIGNAL:NAME, such as HUP:nginx";
        let (signal, name) = match text.split_once(':') {
            Some(parts) => parts,
            None => return Err(format!("the `:` is missing; {}", meant(text).unwrap_or_else(|| way_out.to_owned()))),
        };
        let Some(known) = signal_called(signal) else {
            if let Some(question) = meant(text) {
                return Err(format!("{signal:?} is not the name of a signal; {question}"));
            }
            let names: Vec<_> = SIGNALS.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "{signal:?} is not a signal that makes an application reopen its log; use one of {}",
                names.join(", ")
            ));
        };
        if name.contains([':', ',', ' ', '*']) {
            return Err(format!("{name:?} is not the name of one process; {way_out}"));
        }
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains('/') {
            let way_out = meant(text).unwrap_or_else(|| way_out.to_owned());
            return Err(format!("{name:?} is not a process name of 1 to {NAME_BYTES_MAX} bytes; {way_out}"));
        }
        Ok(Self { signal: known, name: name.to_owned() })
    }

    /// Signals the processes of that name, but not their children of the same name: their master passes the signal on. It skips
    /// this process, and those that have ended and wait for their parent. Returns how many it signalled.
    ///
    /// # Errors
    /// Those of kill(2), after all were tried: `EPERM` for another user's process, which goes on writing where it wrote.
    pub(crate) fn send(&self) -> io::Result<u32> {
        let own = std::process::id();
        let is_named = |pid: &u32| *pid != own && is_called(*pid, &self.name);
        let named = pids()?.into_iter().filter(is_named);
        let named: Vec<_> = named.filter_map(|pid| Some((pid, stat_fields(pid)?))).collect();
        let is_told_by_parent = |fields: &StatFields| named.iter().any(|(pid, _)| *pid == fields.parent);
        let (mut signalled, mut failed) = (0, None);
        for (pid, _) in named.iter().filter(|(_, fields)| !fields.has_ended && !is_told_by_parent(fields)) {
            let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) else { continue };
            match kill_process(pid, self.signal) {
                Ok(()) => signalled += 1,
                Err(Errno::SRCH) => {}
                Err(why) => failed = Some(why),
            }
        }
        failed.map_or(Ok(signalled), |why| Err(why.into()))
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

/// Returns the signal of this name, with or without `SIG`, in capitals or not.
fn signal_called(name: &str) -> Option<Signal> {
    let upper = name.to_ascii_uppercase();
    let known = SIGNALS.iter().find(|(known, _)| *known == upper.strip_prefix("SIG").unwrap_or(&upper));
    known.map(|(_, signal)| *signal)
}

/// Returns the question after what was probably meant: `nginx:HUP`, `kill -HUP nginx`, `1:nginx`, `HUP:/usr/sbin/nginx`.
fn meant(text: &str) -> Option<String> {
    let words = text.split([':', '=', ' ', ',']).map(|word| word.trim_start_matches('-'));
    let mut words: Vec<_> = words.filter(|word| !matches!(*word, "" | "kill" | "pkill")).collect();
    let is_signal = |word: &&str| *word == "1" || signal_called(word).is_some();
    let signal = words.remove(words.iter().position(is_signal)?);
    let [process] = words[..] else { return None };
    let name = process.rsplit('/').next().filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX)?;
    let upper = signal.to_ascii_uppercase();
    let signal = if signal == "1" { "HUP" } else { upper.strip_prefix("SIG").unwrap_or(&upper) };
    Some(format!("did you mean {signal}:{name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, OpenOptions};
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use rustix::process::{WaitId, WaitIdOptions, waitid};

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
        let child = Command::new("sleep").arg("60").stdout(Stdio::from(stdout)).spawn().expect("sleep is there");
        wait_for_name(child, "sleep")
    }

    /// Waits until a process has its name: it gets that last, after its parent goes on and its inherited descriptors are closed.
    fn wait_for_name(child: Child, name: &str) -> Holder {
        let holder = Holder(child);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !is_called(holder.0.id(), name) {
            assert!(Instant::now() < deadline, "it never became {name}");
            std::thread::yield_now();
        }
        holder
    }

    fn id(path: &Path) -> FileId {
        Stat::of(File::open(path).expect("there")).expect("statx").id
    }

    /// Set for the test's other half, which runs in a process namespace of its own.
    const INSIDE: &str = "SIDETAIL_TEST_NAMESPACE";

    /// Around the tests there may be processes that nobody may look into, and so nothing would be known. So a shell is the
    /// first process of a new namespace, and this test runs once more beside it.
    #[test]
    fn writers_are_told_by_how_they_opened_the_file() {
        if std::env::var_os(INSIDE).is_some() {
            return check_writers();
        }
        let name = "disk::writers::tests::writers_are_told_by_how_they_opened_the_file";
        let namespace = ["--pid", "--fork", "--mount-proc", "sh", "-c"];
        let can_be_made = Command::new("unshare").args(namespace).arg("exit 0").output();
        if !can_be_made.is_ok_and(|output| output.status.success()) {
            assert!(std::env::var_os("CI").is_none(), "unshare cannot make a process namespace");
            return eprintln!("not tried: unshare cannot make a process namespace here");
        }
        let again = "\"$0\" --exact \"$1\" --nocapture; exit $?";
        let mut inside = Command::new("unshare");
        inside.args(namespace).arg(again).arg(std::env::current_exe().expect("this test")).arg(name).env(INSIDE, "1");
        let output = inside.output().expect("started");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn check_writers() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("a.log");
        File::create(&path).expect("created");
        assert_eq!(writers_of(id(&path)), Writers::Unknown, "nobody writes");
        let own = OpenOptions::new().write(true).open(&path).expect("a descriptor of our own, which does not count");
        let appending = hold(&path, OpenOptions::new().append(true));
        assert_eq!(writers_of(id(&path)), Writers::Append);
        drop(own);
        let _reader = hold(&path, OpenOptions::new().read(true));
        assert_eq!(writers_of(id(&path)), Writers::Append, "who reads is no writer");
        let other = hold(&dir.path().join("b.log"), OpenOptions::new().write(true).create(true));
        assert_eq!(writers_of(id(&path)), Writers::Append, "another file's writer is none of this one");
        let positional = hold(&path, OpenOptions::new().write(true));
        assert_eq!(writers_of(id(&path)), Writers::Positional);
        drop((other, positional));
        assert_eq!(writers_of(id(&path)), Writers::Append);
        drop(appending);
        assert_eq!(writers_of(id(&path)), Writers::Unknown);
    }

    #[test]
    fn mappings_are_read_piece_by_piece_and_only_so_many() {
        let long = format!("7f1b2c000000-7f1b2c021000 r--s 00000000 00:2d 1 /{}\n", "n/".repeat(2000));
        let writer = "7f1b2c000000-7f1b2c021000 rw-s 00000000 00:2d 4711 /logs/app.log\n";
        let few = long.repeat(100) + writer;
        assert!(is_mapped_for_writing(few.as_bytes(), 4711).expect("read"), "behind long lines");
        let many = long.repeat(2000) + writer;
        let why = is_mapped_for_writing(many.as_bytes(), 4711).expect_err("too many to look at");
        assert_eq!(why.raw_os_error(), Some(Errno::FBIG.raw_os_error()));
        is_mapped_for_writing(io::repeat(b'x'), 4711).expect_err("it never ends");
    }

    #[test]
    fn a_mapping_that_can_be_written_is_a_writer() {
        for (line, is_writer) in [
            ("7f1b2c000000-7f1b2c021000 rw-s 00000000 00:2d 4711                       /logs/app.log", true),
            ("7f1b2c000000-7f1b2c021000 r--s 00000000 00:2d 4711                       /logs/app.log", false),
            ("7f1b2c000000-7f1b2c021000 rw-p 00000000 00:2d 4711                       /logs/app.log", false),
            ("7f1b2c000000-7f1b2c021000 rw-s 00000000 00:2d 47110                      /logs/other", false),
            ("7f1b2c000000-7f1b2c021000 rw-p 00000000 00:00 0 ", false),
            ("", false),
        ] {
            let maps = format!("55d0c0000000-55d0c0001000 r-xp 00000000 fe:01 12 /bin/app\n{line}\n");
            assert_eq!(is_mapped_for_writing(maps.as_bytes(), 4711).expect("read"), is_writer, "{line}");
        }
    }

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let program = Named::new("sleep", ") Z 1");
        let child = program.start(&["60"]);
        let fields = stat_fields(child.0.id()).expect("it runs");
        assert_eq!((fields.parent, fields.threads), (std::process::id(), 1));
        assert!(!fields.has_ended && !fields.is_of_kernel);
        let denied = io::Error::from(Errno::ACCESS);
        assert!(!has_no_descriptors(child.0.id(), &denied), "what may not be looked into may write");
        assert!(has_no_descriptors(u32::MAX, &io::Error::from(Errno::NOENT)), "there is no such process");
    }

    /// A program under a name of its own, so that no other test's processes have it.
    struct Named {
        name: String,
        directory: tempfile::TempDir,
    }

    impl Named {
        fn new(program: &str, prefix: &str) -> Self {
            let name = format!("{prefix}{}", std::process::id());
            let directory = tempfile::tempdir().expect("a temporary directory");
            let places = ["/usr/bin", "/bin"].map(|place| Path::new(place).join(program));
            let found = places.into_iter().find(|path| path.exists()).expect("it is there");
            fs::copy(found, directory.path().join(&name)).expect("copied");
            Self { name, directory }
        }

        fn start(&self, arguments: &[&str]) -> Holder {
            let mut command = Command::new(self.directory.path().join(&self.name));
            command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
            // While another test's child has the copy's descriptor, before its own program runs, it is busy.
            for _ in 0..1000 {
                match command.spawn() {
                    Err(why) if why.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                    started => return wait_for_name(started.expect("started"), &self.name),
                }
            }
            panic!("{} stays busy", self.name)
        }
    }

    /// Waits until the process has ended, and leaves it to be waited for.
    fn wait_until_ended(child: &Holder) {
        let pid = Pid::from_raw(i32::try_from(child.0.id()).expect("a pid")).expect("not 0");
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), options).expect("our child");
    }

    #[test]
    fn a_signal_goes_to_processes_of_the_name() {
        let program = Named::new("sleep", "sdt");
        let mut child = program.start(&["60"]);
        let signal = SignalTo::parse(&format!("SIGUSR1:{}", program.name)).expect("valid");
        assert_eq!(signal.send().expect("sent"), 1);
        wait_until_ended(&child);
        assert_eq!(signal.send().expect("nobody"), 0, "it has ended, though nobody has waited for it yet");
        assert_eq!(child.0.wait().expect("ended").signal(), Some(Signal::USR1.as_raw()));
        assert_eq!(signal.send().expect("nobody"), 0);
    }

    #[test]
    fn workers_are_left_to_their_master() {
        let program = Named::new("sh", "fam");
        // The worker lives until its input ends.
        let mut master = program.start(&["-c", "\"$0\" -c 'echo ready; read line'; :"]);
        let mut line = String::new();
        let output = master.0.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("the worker runs");
        let signal = SignalTo::parse(&format!("USR2:{}", program.name)).expect("valid");
        assert_eq!(signal.send().expect("sent"), 1, "{line}");
        assert_eq!(master.0.wait().expect("ended").signal(), Some(Signal::USR2.as_raw()));
    }

    #[test]
    fn no_signal_goes_to_ourselves() {
        let name = format!("own{}", std::process::id());
        fs::write("/proc/self/comm", &name).expect("our own name");
        assert!(is_called(std::process::id(), &name));
        let signal = SignalTo::parse(&format!("CONT:{name}")).expect("valid");
        assert_eq!(signal.send().expect("nobody else"), 0);
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
