//! What an application does, and what has to come of it although a call fails: lines, a rotation, a rename, a directory, the end.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::bounded::wait_for;
use crate::support::files::{append, directory};
use crate::support::program::{DEADLINE, Ended, Program, command, with_variables};

/// A call that fails.
#[derive(Debug, Clone)]
pub struct Injected {
    pub call: String,
    pub error: &'static str,
    /// The how manieth of its kind.
    pub when: u64,
}

/// The last call of what the standard library does before `main`: where that fails, we are not asked.
const BEGUN: &str = "rt_sigaction(SIGBUS, {";

/// What one write hands over at most: so much may come again after an end by an error.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// Returns the calls that are made when none fails: of each the first one of ours, and how many there are from there.
pub fn calls() -> BTreeMap<String, (u64, u64)> {
    let trace = directory();
    let path = trace.path().join("trace");
    let outcome = play_under(&["-o".into(), path.display().to_string()], None);
    outcome.expect("nothing fails");
    let trace = fs::read_to_string(path).expect("strace's report");
    let mut all: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut has_begun, mut main) = (false, None);
    for line in trace.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        // strace counts by thread.
        if *main.get_or_insert(pid) != pid {
            continue;
        }
        if let Some((call, _)) = rest.trim_start().split_once('(').filter(|(call, _)| !call.contains([' ', '<'])) {
            let (first, count) = all.entry(call.to_owned()).or_insert((1, 0));
            if has_begun { *count += 1 } else { *first += 1 }
        }
        has_begun |= rest.contains(BEGUN);
    }
    all.retain(|_, (_, count)| *count > 0);
    all
}

/// Plays it, with a call that fails, and says what was not as it must be.
pub fn play(injected: Option<&Injected>) -> Result<(), String> {
    let Some(Injected { call, error, when }) = injected else { return play_under(&[], None) };
    let inject = format!("inject={call}:error={error}:when={when}");
    play_under(&["-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject].map(str::to_owned), injected)
}

fn play_under(strace: &[String], injected: Option<&Injected>) -> Result<(), String> {
    let dir = directory();
    let paths = format!("{}/**/*.log", dir.path().display());
    let variables =
        [("PATHS", &*paths), ("STDERR", ""), ("ROTATE_SIZE", "64Ki"), ("ROTATE_KEEP", "1"), ("LISTEN", "127.0.0.1:0")];
    let mut traced = Command::new("strace");
    // -D: the program is our own child, strace its grandchild.
    traced.args(["-D", "-f", "-q"]).args(strace).arg(command(&variables).get_program());
    let mut prepared = with_variables(traced, &variables);
    let mut written = Lines::default();
    written.append(&dir.path().join("app.log"), 900);
    let program = Program::spawn(prepared.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let has_followed = act(dir.path(), &mut written, &program)?;
    let first = end(program, has_followed)?;
    judge_end(&first, has_followed)?;

    let again = Program::start(&[&variables[..], &[("LOG", "info")]].concat());
    let is_there =
        || written.missing(&[&first.stdout, &again.stdout()]).is_none() && again.stderr().contains("sidetail 0");
    if wait_for(|| is_there().then_some(()), DEADLINE).is_none() {
        let missing = written.missing(&[&first.stdout, &again.stdout()]);
        return Err(format!("{missing:?} after a restart; first {:?}, then {:?}", first.stderr, again.stderr()));
    }
    let second = end(again, true)?;
    let repeated = written.repeated(&[&first.stdout, &second.stdout]);
    let is_excused = first.status.code() != Some(0) || !first.stderr.is_empty();
    let allowed = if injected.is_some() && is_excused { WRITE_BYTES_MAX } else { 0 };
    let whole = written.repeated(&[&first.stdout]);
    if whole > 0 || repeated > allowed {
        return Err(format!(
            "{repeated} bytes came again, {whole} of them at once: {:?} {:?}",
            first.status, first.stderr
        ));
    }
    if has_followed && first.status.success() && written.missing(&[&first.stdout]).is_some() {
        return Err(format!("it ended well, and not all was streamed: {:?}", first.stderr));
    }
    Ok(())
}

/// Does what applications do, each step when the one before has been streamed; returns whether the program has lived through it.
fn act(dir: &Path, written: &mut Lines, program: &Program) -> Result<bool, String> {
    let app = dir.join("app.log");
    for step in 0..5 {
        let is_done = || written.missing(&[&program.stdout()]).is_none();
        let what = wait_for(|| (program.has_ended() || is_done()).then(|| program.has_ended()), DEADLINE);
        match what {
            None => return Err(format!("{:?}: {:?}", written.missing(&[&program.stdout()]), program.stderr())),
            Some(true) => return Ok(false),
            Some(false) => {}
        }
        match step {
            0 => written.append(&app, 300),
            1 => {
                let moved = dir.join("app.log.moved");
                fs::rename(&app, &moved).map_err(|why| why.to_string())?;
                written.append(&app, 200);
                written.append(&moved, 20);
            }
            2 => {
                fs::create_dir(dir.join("sub")).map_err(|why| why.to_string())?;
                written.append(&dir.join("sub/b.log"), 50);
            }
            3 => {
                program.signal(Signal::HUP);
                program.signal(Signal::USR1);
                written.append(&app, 5);
            }
            _ => {}
        }
    }
    Ok(true)
}

/// Ends it, unless it has ended.
fn end(program: Program, is_running: bool) -> Result<Ended, String> {
    if is_running && !program.has_ended() {
        program.signal(Signal::TERM);
    }
    if wait_for(|| program.has_ended().then_some(()), DEADLINE).is_none() {
        return Err(format!("it does not end: {:?}", program.stderr()));
    }
    Ok(program.wait())
}

/// Says what is wrong with how it ended: it may do so by itself, with a clear line.
fn judge_end(ended: &Ended, has_lived: bool) -> Result<(), String> {
    let Ended { status, stderr, .. } = ended;
    let is_clear = stderr.lines().last().is_some_and(|last| last.starts_with("sidetail: ") && last.contains(": "));
    // 101: it panicked. A thread that cannot be begun does so too, but in the standard library, and its work is done otherwise.
    // One that gets no stack for its signals aborts everything there, as a release does at any panic; a restart completes it.
    let is_without_stack = stderr.contains("failed to allocate an alternative stack");
    if status.signal().is_some() && is_without_stack {
        return Ok(());
    }
    let is_sane = status.signal().is_none() && status.code() != Some(101);
    if !is_sane || (!has_lived && (status.success() || !is_clear)) {
        return Err(format!("it ended with {status}: {stderr:?}"));
    }
    Ok(())
}

/// What was written.
#[derive(Debug, Default)]
struct Lines {
    all: Vec<String>,
}

impl Lines {
    fn append(&mut self, path: &Path, count: usize) {
        let new =
            (self.all.len()..self.all.len() + count).map(|number| format!("INFO line {number:07} {}", "x".repeat(80)));
        let new: Vec<_> = new.collect();
        append(path, new.iter().map(|line| line.clone() + "\n").collect::<String>());
        self.all.extend(new);
    }

    /// Returns a line that is not in any of these.
    fn missing(&self, texts: &[&str]) -> Option<&str> {
        let came: std::collections::HashSet<_> = texts.iter().flat_map(|text| text.lines()).collect();
        self.all.iter().map(String::as_str).find(|line| !came.contains(line))
    }

    /// Returns how many bytes came that had come already, or are of no line; an unfinished one at an end is neither.
    fn repeated(&self, texts: &[&str]) -> usize {
        let mut left: std::collections::HashSet<_> = self.all.iter().map(String::as_str).collect();
        let whole = texts.iter().flat_map(|text| text.split_inclusive('\n')).filter_map(|line| line.strip_suffix('\n'));
        whole.filter(|line| !left.remove(line)).map(|line| line.len() + 1).sum()
    }
}

#[test]
fn what_is_missing_or_repeated_is_seen() {
    let dir = directory();
    let mut written = Lines::default();
    written.append(&dir.path().join("a.log"), 3);
    let text = fs::read_to_string(dir.path().join("a.log")).expect("there");
    let line = text.len() / 3;
    assert_eq!((written.missing(&[&text]), written.repeated(&[&text])), (None, 0));
    assert!(written.missing(&[&text[line..]]).is_some());
    assert_eq!(written.repeated(&[&text, &text[..line]]), line);
    assert_eq!(
        (written.missing(&[&text[..line + 4], &text[line..]]), written.repeated(&[&text[..line + 4]])),
        (None, 0)
    );
    assert_eq!(written.repeated(&["other\n"]), 6);
}
