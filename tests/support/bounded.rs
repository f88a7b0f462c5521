//! Waiting that always ends: for a condition, or for a command. So a broken sidetail makes a test fail, never hang.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Short against every deadline in use, long enough to leave the machine to what is waited for.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// What `condition` found; `None` if it found nothing within `deadline`. It is asked at least once.
pub fn wait_for<T>(mut condition: impl FnMut() -> Option<T>, deadline: Duration) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = condition() {
            return Some(found);
        }
        if start.elapsed() >= deadline {
            return None;
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// The standard output of `command`, run to its end with an empty standard input.
///
/// # Errors
///
/// The command and all that it said, if it cannot be started, fails, or is still running after `deadline`; then it is
/// killed with its process group.
pub fn run(command: &mut Command, deadline: Duration) -> Result<String, String> {
    // Files, not pipes: a daemon that the command leaves behind may hold its standard error open for ever.
    let (mut stdout, mut stderr) = (temporary_file(), temporary_file());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(handle_of(&stdout))
        .stderr(handle_of(&stderr))
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let status = end_of(&mut child, deadline);
    let said = text_of(&mut stdout);
    match status {
        Some(status) if status.success() => Ok(said),
        Some(status) => Err(format!("{command:?}: {status}\n{said}{}", text_of(&mut stderr))),
        None => Err(format!("{command:?}: still running after {deadline:?}\n{said}{}", text_of(&mut stderr))),
    }
}

/// How `child` ended; `None` if it had to be killed.
fn end_of(child: &mut Child, deadline: Duration) -> Option<ExitStatus> {
    let status = wait_for(|| child.try_wait().expect("our own child can be waited for"), deadline);
    if status.is_none() {
        // It may be gone since the last look, then there is nothing to kill.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
        child.wait().expect("our own child can be waited for");
    }
    status
}

fn temporary_file() -> File {
    tempfile::tempfile().expect("the temporary directory is writable")
}

fn handle_of(file: &File) -> File {
    file.try_clone().expect("there are descriptors left")
}

fn text_of(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().expect("a regular file can be rewound");
    file.read_to_end(&mut bytes).expect("our own temporary file can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}
