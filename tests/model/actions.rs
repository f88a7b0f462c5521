//! What can happen to the files and to their reader: one row of the table and one function each.
//!
//! An action is written `name file n`, for example `line a 120`; a script is a list of them. What `n` means is the row's affair:
//! a length, a number of lines, of rotations, of milliseconds. The level says from where on an action takes part.

use std::fmt;
use std::time::Duration;

use rustix::process::Signal;

use super::oracle::Stream;
use super::prng::Prng;
use super::reader::State;
use super::world::{LABELS, World};

/// Writing, renaming and creating, deleting and copytruncate when all is read; signals, restarts, stalls.
pub const PLAIN: u8 = 1;
/// Chains, writers that go on in what was renamed or deleted, destruction of what was not read, truncation to the middle,
/// deleted files that end.
pub const HARD: u8 = 2;
/// Names that the pattern matches too, writers without `O_APPEND`, hard links.
pub const EDGE: u8 = 3;

/// Links, names of every naming scheme, directories below, copies that stay for a while.
pub const ANYHOW: u8 = 4;

/// From this level on a round may be one in which the reader rotates.
const ROTATES: u8 = HARD;

/// Of fewer bytes a copy is not told from a file of its own.
const COPIED_BYTES_MIN: usize = 1024;

type Outcome = Result<(), String>;

/// One kind of action.
pub struct Kind {
    name: &'static str,
    level: u8,
    /// How often it is chosen, compared with the others that are possible.
    weight: u64,
    /// The smallest and the largest `n`.
    n: (u64, u64),
    possible: fn(&World, usize) -> bool,
    act: fn(&mut World, usize, u64) -> Outcome,
}

/// Something that happens once: a kind, a file (its index) and a number.
#[derive(Clone, Copy)]
pub struct Action {
    kind: &'static Kind,
    file: usize,
    n: u64,
}

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    Kind { name: "line", level: PLAIN, weight: 30, n: (1, 110_000), possible: always, act: line },
    Kind { name: "partial", level: PLAIN, weight: 10, n: (1, 70_000), possible: always, act: partial },
    Kind { name: "burst", level: PLAIN, weight: 14, n: (2, 500), possible: always, act: burst },
    Kind { name: "rename-create", level: PLAIN, weight: 6, n: (1, 1), possible: exists, act: rename_create },
    Kind { name: "rename", level: PLAIN, weight: 3, n: (1, 1), possible: exists, act: rename },
    Kind { name: "copytruncate", level: PLAIN, weight: 4, n: (0, 20), possible: truncatable_when_read, act: copytruncate },
    Kind { name: "delete", level: PLAIN, weight: 3, n: (1, 1), possible: exists_and_flows, act: delete },
    Kind { name: "settle", level: PLAIN, weight: 4, n: (1, 1), possible: flows, act: settle },
    Kind { name: "pause", level: PLAIN, weight: 8, n: (1, 60), possible: running, act: pause },
    Kind { name: "stop", level: PLAIN, weight: 3, n: (1, 1), possible: running, act: stop },
    Kind { name: "continue", level: PLAIN, weight: 12, n: (1, 1), possible: stopped, act: go_on },
    Kind { name: "kill", level: PLAIN, weight: 3, n: (1, 1), possible: alive, act: kill },
    Kind { name: "terminate", level: PLAIN, weight: 1, n: (1, 1), possible: flows, act: terminate },
    Kind { name: "start", level: PLAIN, weight: 16, n: (1, 1), possible: dead, act: start },
    Kind { name: "restart", level: PLAIN, weight: 3, n: (1, 1), possible: alive, act: restart },
    Kind { name: "stall-stdout", level: PLAIN, weight: 2, n: (1, 1), possible: flows, act: stall_stdout },
    Kind { name: "stall-stderr", level: PLAIN, weight: 2, n: (1, 1), possible: flows, act: stall_stderr },
    Kind { name: "resume", level: PLAIN, weight: 12, n: (1, 1), possible: stalled, act: resume },
    Kind { name: "sip", level: PLAIN, weight: 8, n: (1, 40_000), possible: stalled, act: sip },

    Kind { name: "chain", level: HARD, weight: 6, n: (1, 4), possible: exists, act: chain },
    Kind { name: "stay", level: HARD, weight: 4, n: (1, 1), possible: exists, act: stay },
    Kind { name: "late-line", level: HARD, weight: 12, n: (1, 5_000), possible: lingers, act: late_line },
    Kind { name: "late-partial", level: HARD, weight: 3, n: (1, 5_000), possible: lingers, act: late_partial },
    Kind { name: "leave", level: HARD, weight: 3, n: (1, 1), possible: lingers, act: leave },
    Kind { name: "delete-unread", level: HARD, weight: 3, n: (1, 1), possible: exists, act: delete_unread },
    Kind { name: "delete-and-stay", level: HARD, weight: 2, n: (1, 1), possible: exists, act: delete_and_stay },
    Kind { name: "recreate", level: HARD, weight: 4, n: (1, 5_000), possible: exists, act: recreate },
    Kind { name: "copytruncate-unread", level: HARD, weight: 3, n: (0, 20), possible: truncatable, act: copytruncate_unread },
    Kind { name: "truncate-middle", level: HARD, weight: 4, n: (0, 999), possible: exists_and_appends, act: truncate_middle },
    Kind { name: "age", level: HARD, weight: 1, n: (6_000, 8_500), possible: runs_stalled, act: age },
    Kind { name: "gzip-oldest", level: HARD, weight: 2, n: (1, 1), possible: has_archives, act: gzip_oldest },
    Kind { name: "delete-oldest", level: HARD, weight: 3, n: (1, 1), possible: has_archives, act: delete_oldest },

    Kind { name: "flood", level: ROTATES, weight: 16, n: (8, 200), possible: rotates, act: flood },
    Kind { name: "rotate", level: ROTATES, weight: 10, n: (1, 1), possible: rotates_alive, act: rotate },
    Kind { name: "rotate-kill", level: ROTATES, weight: 8, n: (1, 60_000), possible: rotates_running, act: rotate_and_kill },
    Kind { name: "start-kill", level: ROTATES, weight: 4, n: (200, 40_000), possible: rotates_dead, act: start_and_kill },
    Kind { name: "rest", level: ROTATES, weight: 3, n: (1, 1), possible: rotates_and_flows, act: rest },
    Kind { name: "status", level: ROTATES, weight: 2, n: (1, 1), possible: rotates_alive, act: status },

    Kind { name: "rename-matching", level: EDGE, weight: 3, n: (1, 1), possible: exists_for_stdout, act: rename_matching },
    Kind { name: "copytruncate-matching", level: EDGE, weight: 3, n: (0, 20), possible: truncatable_for_stdout, act: copytruncate_matching },
    Kind { name: "link-matching", level: EDGE, weight: 2, n: (1, 1), possible: exists_for_stdout, act: link_matching },

    Kind { name: "rename-anyhow", level: ANYHOW, weight: 8, n: (0, 999), possible: exists, act: rename_anyhow },
    Kind { name: "rename-below", level: ANYHOW, weight: 4, n: (1, 1), possible: exists, act: rename_below },
    Kind { name: "copy", level: ANYHOW, weight: 3, n: (0, 999), possible: exists_and_flows, act: copy },
];

/// Which actions take part.
pub struct Repertoire {
    pub level: u8,
    /// Names that do not.
    pub without: Vec<String>,
}

impl Repertoire {
    /// True when c.log may be written by somebody who does not append.
    pub fn has_positional_writers(&self) -> bool {
        self.level >= EDGE && !self.excludes("positional")
    }

    /// True when c.log may be a link to where it is written.
    pub fn has_links(&self) -> bool {
        self.level >= ANYHOW && !self.excludes("link")
    }

    /// True when some rounds have a reader that rotates.
    pub fn has_rotation(&self) -> bool {
        self.level >= ROTATES && !self.excludes("rotation")
    }

    fn has(&self, kind: &Kind) -> bool {
        kind.level <= self.level && !self.excludes(kind.name)
    }

    fn excludes(&self, name: &str) -> bool {
        self.without.iter().any(|without| without == name)
    }
}

/// An action that takes part and is possible now.
pub fn choose(world: &World, repertoire: &Repertoire, prng: &mut Prng) -> Action {
    loop {
        let file = prng.below(LABELS.len() as u64) as usize;
        let possible: Vec<_> =
            KINDS.iter().filter(|kind| repertoire.has(kind) && (kind.possible)(world, file)).collect();
        let mut ticket = prng.below(possible.iter().map(|kind| kind.weight).sum());
        for kind in possible {
            match ticket.checked_sub(kind.weight) {
                Some(rest) => ticket = rest,
                None => return Action { kind, file, n: prng.spread(kind.n.0, kind.n.1) },
            }
        }
    }
}

/// Performs it, or does nothing where it is not possible: so a part of a script is a script.
pub fn perform(world: &mut World, action: Action) -> Outcome {
    if !(action.kind.possible)(world, action.file) {
        return Ok(());
    }
    (action.kind.act)(world, action.file, action.n)
}

/// Reads a script: actions separated by semicolons or newlines.
pub fn parse_script(text: &str) -> Result<Vec<Action>, String> {
    let lines = text.split([';', '\n']).map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| parse(line).ok_or_else(|| format!("cannot read action `{line}`; expected `name file n`")))
        .collect()
}

fn parse(line: &str) -> Option<Action> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let kind = KINDS.iter().find(|kind| kind.name == name)?;
    let label = words.next()?;
    let file = LABELS.iter().position(|each| label.chars().eq([*each]))?;
    Some(Action { kind, file, n: words.next()?.parse().ok()? })
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind.name, LABELS[self.file], self.n)
    }
}

// Writing.

fn line(world: &mut World, file: usize, n: u64) -> Outcome {
    world.write(file, n as usize, true);
    world.pump()
}

fn partial(world: &mut World, file: usize, n: u64) -> Outcome {
    world.write(file, n as usize, false);
    world.pump()
}

fn burst(world: &mut World, file: usize, n: u64) -> Outcome {
    let mut prng = Prng::new(n);
    for _ in 0..n {
        world.write(file, prng.spread(1, 3000) as usize, !prng.one_in(20));
    }
    world.pump()
}

/// `n` KiB in lines: so much that it has to be rotated.
fn flood(world: &mut World, file: usize, n: u64) -> Outcome {
    let mut prng = Prng::new(n);
    let mut left = n << 10;
    while left > 0 {
        let bytes = prng.spread(20, 4000).min(left);
        world.write(file, bytes as usize, true);
        left -= bytes;
    }
    world.pump()
}

fn late_line(world: &mut World, file: usize, n: u64) -> Outcome {
    world.write_lingering(file, n as usize, true);
    world.pump()
}

fn late_partial(world: &mut World, file: usize, n: u64) -> Outcome {
    world.write_lingering(file, n as usize, false);
    world.pump()
}

fn leave(world: &mut World, file: usize, _: u64) -> Outcome {
    world.end_lingering(file);
    Ok(())
}

// Rotation.

fn rename_create(world: &mut World, file: usize, n: u64) -> Outcome {
    rename(world, file, n)?;
    world.create(file);
    Ok(())
}

fn rename(world: &mut World, file: usize, _: u64) -> Outcome {
    let archive = dated(world, file);
    world.rename(file, archive, false);
    Ok(())
}

/// `n` rotations at once, a line in each: names are used again before anybody can look.
fn chain(world: &mut World, file: usize, n: u64) -> Outcome {
    for round in 0..n {
        if round > 0 {
            world.write(file, 30, true);
        }
        let archive = world.shift_chain(file);
        world.rename(file, archive, false);
        world.create(file);
    }
    Ok(())
}

/// A rotation that the writer does not notice: it goes on in the renamed file, while another one writes the new file.
fn stay(world: &mut World, file: usize, _: u64) -> Outcome {
    let archive = world.shift_chain(file);
    world.rename(file, archive, true);
    world.create(file);
    Ok(())
}

fn rename_matching(world: &mut World, file: usize, _: u64) -> Outcome {
    let archive = matching(world, file);
    world.rename(file, archive, false);
    world.create(file);
    Ok(())
}

/// A name of some naming scheme that tells of the log, one that the pattern matches too among them.
fn rename_anyhow(world: &mut World, file: usize, n: u64) -> Outcome {
    let (label, number) = (LABELS[file], world.unused());
    let names = [
        format!("{label}.log.{number}-Nov-2026"),
        format!("{label}.log.~{number}~"),
        format!("{label}.log.2026-W{number}"),
        format!("{label}.log.old.{number}-2"),
        format!("{label}-Monday-{number}.log"),
        format!("{number}_{label}.log"),
        format!("{label}{number}.log"),
    ];
    let is_for_stderr = label == 'b';
    let schemes = if is_for_stderr { 4 } else { names.len() };
    let archive = world.beside(file, &names[n as usize % schemes]);
    world.rename(file, archive, false);
    world.create(file);
    Ok(())
}

fn rename_below(world: &mut World, file: usize, _: u64) -> Outcome {
    let seconds = 1_767_225_600 + world.unused();
    let archive = world.below(file, &format!("{}.log-20260101-{seconds}", LABELS[file]));
    world.rename(file, archive, false);
    world.create(file);
    Ok(())
}

/// A copy of what is streamed, as `cp app.log app.log.bak` makes it: nobody must stream it, while the log goes on and after a restart.
fn copy(world: &mut World, file: usize, n: u64) -> Outcome {
    world.settle()?;
    let (label, number) = (LABELS[file], world.unused());
    let bytes = world.logs[file].current.as_ref().map_or(0, |writer| world.oracle.streamed_lines_len(writer.id));
    if bytes < COPIED_BYTES_MIN {
        return Ok(());
    }
    let names = [format!("{label}.log.bak"), format!("{label}.log-{number}"), format!("{label}-{number}.log")];
    let copy = world.beside(file, &names[n as usize % if label == 'b' { 2 } else { 3 }]);
    world.copy_for_a_moment(file, &copy, |world| {
        world.let_pass(Duration::from_millis(n % 50))?;
        if n % 2 == 1 {
            world.write(file, 200, true);
            world.settle()?;
        }
        if n.is_multiple_of(3) {
            restart(world, file, n)?;
        }
        world.settle()?;
        world.let_pass(Duration::from_millis(n * 3))
    })
}

fn copytruncate(world: &mut World, file: usize, n: u64) -> Outcome {
    world.settle()?;
    let copy = world.shift_chain(file);
    world.copy_and_truncate(file, copy, n % 8 == 7);
    world.pump()
}

fn copytruncate_unread(world: &mut World, file: usize, n: u64) -> Outcome {
    let copy = world.shift_chain(file);
    world.copy_and_truncate(file, copy, n % 8 == 7);
    world.pump()
}

fn copytruncate_matching(world: &mut World, file: usize, n: u64) -> Outcome {
    if world.flows() {
        world.settle()?;
    }
    let copy = matching(world, file);
    world.copy_and_truncate(file, copy, n % 8 == 7);
    world.pump()
}

/// Keeps `n` thousandths of the file.
fn truncate_middle(world: &mut World, file: usize, n: u64) -> Outcome {
    let len = world.logs[file].current.as_ref().map_or(0, |writer| world.oracle.len(writer.id));
    world.truncate_middle(file, len * n as usize / 1000);
    world.pump()
}

/// A second name that the pattern matches, for a moment.
fn link_matching(world: &mut World, file: usize, _: u64) -> Outcome {
    let second = matching(world, file);
    std::fs::hard_link(world.path(file), &second).expect("a second name can be made");
    world.let_pass(Duration::from_millis(20))?;
    std::fs::remove_file(second).expect("the second name can be deleted");
    Ok(())
}

// Deletion.

fn delete(world: &mut World, file: usize, _: u64) -> Outcome {
    world.settle()?;
    world.delete(file, false);
    Ok(())
}

fn delete_unread(world: &mut World, file: usize, _: u64) -> Outcome {
    world.delete(file, false);
    Ok(())
}

fn delete_and_stay(world: &mut World, file: usize, n: u64) -> Outcome {
    world.delete(file, true);
    world.write_lingering(file, n as usize, true);
    Ok(())
}

/// Deleted and made again at once: where nobody has the old one open, the new one often has its inode number.
fn recreate(world: &mut World, file: usize, n: u64) -> Outcome {
    world.delete(file, false);
    world.create(file);
    world.write(file, n as usize, true);
    world.pump()
}

fn delete_oldest(world: &mut World, file: usize, _: u64) -> Outcome {
    let oldest = world.logs[file].archives[0].0.clone();
    world.make_way(file, &oldest);
    Ok(())
}

/// The oldest archive is compressed: its content is in another file, which nobody must stream.
fn gzip_oldest(world: &mut World, file: usize, _: u64) -> Outcome {
    let number = world.unused();
    let oldest = world.logs[file].archives[0].0.clone();
    let compressed =
        world.beside(file, &format!("{}-{number}.gz", oldest.file_name().expect("an archive has a name").display()));
    std::fs::write(compressed, b"\x1f\x8b\x08 not for the stream\n").expect("an archive can be written");
    delete_oldest(world, file, 0)
}

// The reader and its consumer.

fn settle(world: &mut World, _: usize, _: u64) -> Outcome {
    world.settle()
}

fn pause(world: &mut World, _: usize, n: u64) -> Outcome {
    world.let_pass(Duration::from_millis(n))
}

/// Nobody writes deleted files any more until they have ended: after 5 s of quiet and at most 2 s to the next look. What waits
/// behind a stalled stream stays. Every path has a file meanwhile: of one whose last file ended a restart knows nothing, so what
/// is created there and rotated away before the next process looks is not its affair.
fn age(world: &mut World, _: usize, n: u64) -> Outcome {
    world.end_deleted();
    world.create_missing();
    world.let_pass(Duration::from_millis(n))
}

fn stop(world: &mut World, _: usize, _: u64) -> Outcome {
    world.reader.signal(Signal::STOP);
    Ok(())
}

fn go_on(world: &mut World, _: usize, _: u64) -> Outcome {
    world.reader.signal(Signal::CONT);
    world.pump()
}

fn kill(world: &mut World, _: usize, _: u64) -> Outcome {
    world.kill()
}

fn start(world: &mut World, _: usize, _: u64) -> Outcome {
    world.reader.start(world.directory.path());
    Ok(())
}

fn restart(world: &mut World, file: usize, n: u64) -> Outcome {
    kill(world, file, n)?;
    start(world, file, n)
}

fn terminate(world: &mut World, _: usize, _: u64) -> Outcome {
    world.terminate()
}

fn stall_stdout(world: &mut World, _: usize, _: u64) -> Outcome {
    world.reader.stall(Stream::Out, true);
    Ok(())
}

fn stall_stderr(world: &mut World, _: usize, _: u64) -> Outcome {
    world.reader.stall(Stream::Err, true);
    Ok(())
}

fn resume(world: &mut World, _: usize, _: u64) -> Outcome {
    world.reader.stall(Stream::Out, false);
    world.reader.stall(Stream::Err, false);
    world.pump()
}

/// A stalled consumer takes a little, so that the pipe is full at another byte.
fn sip(world: &mut World, _: usize, n: u64) -> Outcome {
    let stalled = [Stream::Out, Stream::Err].map(|stream| (stream, world.reader.is_stalled(stream)));
    stalled.iter().for_each(|(stream, _)| world.reader.stall(*stream, false));
    let sipped = world.reader.pump(&mut world.oracle, n as usize);
    stalled.iter().for_each(|(stream, was)| world.reader.stall(*stream, *was));
    sipped
}

// The reader's own rotation.

/// Everything that came out is reclaimed at once.
fn rotate(world: &mut World, _: usize, _: u64) -> Outcome {
    world.ask(Signal::HUP)
}

/// A kill `n` microseconds after it was asked to rotate: somewhere within that.
fn rotate_and_kill(world: &mut World, _: usize, n: u64) -> Outcome {
    world.ask(Signal::HUP)?;
    world.let_pass(Duration::from_micros(n))?;
    world.kill()
}

/// A kill `n` microseconds after the start: within what the next life does about the last one's rotation.
fn start_and_kill(world: &mut World, file: usize, n: u64) -> Outcome {
    start(world, file, n)?;
    world.let_pass(Duration::from_micros(n))?;
    world.kill()
}

/// What is on the disk is judged when nothing is under way any more.
fn rest(world: &mut World, _: usize, _: u64) -> Outcome {
    world.rest()
}

fn status(world: &mut World, _: usize, _: u64) -> Outcome {
    world.ask(Signal::USR1)
}

// What must hold for an action to be possible.

fn always(_: &World, _: usize) -> bool {
    true
}

fn exists(world: &World, file: usize) -> bool {
    world.logs[file].current.is_some()
}

fn exists_for_stdout(world: &World, file: usize) -> bool {
    exists(world, file) && LABELS[file] != 'b' && world.is_matched(file)
}

fn exists_and_flows(world: &World, file: usize) -> bool {
    exists(world, file) && flows(world, file)
}

/// What is reclaimed before the cut is not read again from its beginning, and not from a line's: nobody does both.
fn exists_and_appends(world: &World, file: usize) -> bool {
    exists(world, file) && world.appends(file) && !rotates(world, file)
}

/// While the reader reclaims what a file held, a truncation by somebody else is a race that nobody can win: two rotators of
/// one file are one too many. While it does not run, nothing races.
fn truncatable(world: &World, file: usize) -> bool {
    world.truncation_is_clear(file) && (!rotates(world, file) || dead(world, file))
}

fn truncatable_when_read(world: &World, file: usize) -> bool {
    truncatable(world, file) && flows(world, file)
}

fn truncatable_for_stdout(world: &World, file: usize) -> bool {
    truncatable(world, file) && LABELS[file] != 'b' && world.is_matched(file)
}

fn lingers(world: &World, file: usize) -> bool {
    !world.logs[file].lingering.is_empty()
}

fn has_archives(world: &World, file: usize) -> bool {
    !world.logs[file].archives.is_empty()
}

fn flows(world: &World, _: usize) -> bool {
    world.flows()
}

fn running(world: &World, _: usize) -> bool {
    world.reader.state == State::Running
}

fn runs_stalled(world: &World, file: usize) -> bool {
    running(world, file) && stalled(world, file)
}

fn stopped(world: &World, _: usize) -> bool {
    world.reader.state == State::Stopped
}

fn alive(world: &World, _: usize) -> bool {
    world.reader.state != State::Dead
}

fn dead(world: &World, _: usize) -> bool {
    world.reader.state == State::Dead
}

fn rotates(world: &World, _: usize) -> bool {
    world.rotates.is_some()
}

fn rotates_alive(world: &World, file: usize) -> bool {
    rotates(world, file) && alive(world, file)
}

fn rotates_running(world: &World, file: usize) -> bool {
    rotates(world, file) && running(world, file)
}

fn rotates_and_flows(world: &World, file: usize) -> bool {
    rotates(world, file) && flows(world, file)
}

fn rotates_dead(world: &World, file: usize) -> bool {
    rotates(world, file) && dead(world, file)
}

fn stalled(world: &World, _: usize) -> bool {
    world.reader.is_stalled(Stream::Out) || world.reader.is_stalled(Stream::Err)
}

// Names.

/// As logrotate's `dateext` with seconds: never the same twice.
fn dated(world: &mut World, file: usize) -> std::path::PathBuf {
    let seconds = 1_767_225_600 + world.unused();
    world.beside(file, &format!("{}.log-20260101-{seconds}", LABELS[file]))
}

/// A name that the reader's pattern matches too.
fn matching(world: &mut World, file: usize) -> std::path::PathBuf {
    let number = world.unused();
    world.beside(file, &format!("{}-{number}.log", LABELS[file]))
}

#[test]
fn what_a_failure_prints_can_be_read_again() {
    let printed: Vec<_> =
        KINDS.iter().enumerate().map(|(n, kind)| format!("{} {} {n}", kind.name, LABELS[n % 3])).collect();
    let read = parse_script(&printed.join("; ")).expect("every action can be read");
    assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), printed);
    assert!(parse_script("line a").is_err());
}
