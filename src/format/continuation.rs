//! Lines that belong to the record before them: stack traces of Java, Python, Go, Ruby, .NET, Node, PHP and Rust.
//!
//! Indented lines are continuations whatever they hold, so they are not asked here.

use super::block::{Crash, Format};
use super::catalog::FORMATS;
use super::level::Level;
use super::scan::{Scan, Starts, is_number};

/// What continues any record, though it is not indented.
static ALWAYS: Starts = Starts::new(&gathered::<{ count(Behind::Any) }>(Behind::Any));

/// What continues a record that is in the middle of a trace.
static IN_A_TRACE: Starts = Starts::new(&gathered::<{ count(Behind::Trace) }>(Behind::Trace));

/// What applications say at their end, whatever format their log is in.
pub(super) static CRASHES: &[Crash] = &all_crashes::<{ count(Behind::Crash) }>();

/// How these lines begin, in the same order.
static CRASH_STARTS: Starts = Starts::new(&gathered::<{ count(Behind::Crash) }>(Behind::Crash));

/// Lists of beginnings that the blocks of the formats have.
#[derive(Clone, Copy)]
enum Behind {
    Any,
    Trace,
    Crash,
}

const fn length(format: &Format, behind: Behind) -> usize {
    match behind {
        Behind::Any => format.continues.len(),
        Behind::Trace => format.in_a_trace.len(),
        Behind::Crash => format.crashes.len(),
    }
}

const fn count(behind: Behind) -> usize {
    let (mut count, mut format) = (0, 0);
    while format < FORMATS.len() {
        count += length(&FORMATS[format], behind);
        format += 1;
    }
    count
}

const fn gathered<const COUNT: usize>(behind: Behind) -> [&'static [u8]; COUNT] {
    let mut all: [&[u8]; COUNT] = [b""; COUNT];
    let (mut count, mut format) = (0, 0);
    while format < FORMATS.len() {
        let mut index = 0;
        while index < length(&FORMATS[format], behind) {
            all[count] = match behind {
                Behind::Any => FORMATS[format].continues[index],
                Behind::Trace => FORMATS[format].in_a_trace[index],
                Behind::Crash => FORMATS[format].crashes[index].phrase,
            };
            count += 1;
            index += 1;
        }
        format += 1;
    }
    all
}

const fn all_crashes<const COUNT: usize>() -> [Crash; COUNT] {
    let mut all = [Crash::new(b"", Level::Info); COUNT];
    let (mut count, mut format) = (0, 0);
    while format < FORMATS.len() {
        let mut index = 0;
        while index < FORMATS[format].crashes.len() {
            all[count] = FORMATS[format].crashes[index];
            count += 1;
            index += 1;
        }
        format += 1;
    }
    all
}

/// Returns what the line is if it begins as the last words of a process.
pub(super) fn crash(line: &[u8]) -> Option<&'static Crash> {
    CRASHES.get(CRASH_STARTS.find(line)?)
}

/// Returns whether the line, which no format claims, continues the record before it, of this level; `in_trace`: so did the line
/// before.
pub(super) fn continues(line: &[u8], in_trace: bool, level: Option<Level>) -> bool {
    if ALWAYS.begin(line) || level.is_some() && is_of_julia(line) {
        return true;
    }
    // What was not said to be wrong before is a record of its own when it names an exception.
    let is_chained = level >= Some(Level::Warn) && (is_exception(line) || line.starts_with(b"Traceback"));
    in_trace && (line.is_empty() || is_chained || IN_A_TRACE.begin(line) || is_call(line) || is_of_backtrace(line))
}

/// Returns whether a line goes on with a record of Julia's, `│ stacktrace:`, or ends it: `└ @ Main app.jl:12`.
fn is_of_julia(line: &[u8]) -> bool {
    matches!(line, [0xe2, 0x94, 0x82, b' ', ..] | [0xe2, 0x94, 0x94, b' ', b'@', b' ', ..])
}

/// Returns whether a line is a frame as `backtrace_symbols` of the C library writes it, `/lib64/libc.so.6(+0x37400)[0x7f2d48e0f400]`,
/// or of what GlusterFS has around those: `backtrace 1`, `glusterfs 10.3`, `---------`.
fn is_of_backtrace(line: &[u8]) -> bool {
    if line.starts_with(b"/") {
        let address = memchr::memchr(b')', line).map(|close| line[close + 1..].trim_ascii_start());
        return line.ends_with(b"]") && address.is_some_and(|address| address.starts_with(b"[0x"));
    }
    let version = line.strip_prefix(b"backtrace ").or_else(|| line.strip_prefix(b"glusterfs "));
    line == b"---------" || version.is_some_and(is_number)
}

/// Returns a line without what stands in brackets at its front, as some write it before each line of a trace:
/// `(EngineCore pid=12)   File "/app/main.py", line 1`.
pub(super) fn without_prefix(line: &[u8]) -> &[u8] {
    let mut scan = Scan::new(line);
    scan.colours();
    let close = match scan.peek() {
        b'(' => b')',
        b'[' => b']',
        _ => return line,
    };
    scan.until(close);
    scan.colours();
    scan.eat(b' ');
    scan.rest()
}

/// Returns whether what stands behind such a prefix is the name of an error.
pub(super) fn is_error_behind_prefix(line: &[u8]) -> bool {
    let rest = without_prefix(line);
    rest.len() < line.len() && is_error_name(rest)
}

/// Returns whether what stands behind such a prefix goes on with a trace.
pub(super) fn goes_on_behind_prefix(line: &[u8], level: Option<Level>) -> bool {
    let rest = without_prefix(line);
    rest.len() < line.len() && (matches!(rest.first(), None | Some(b' ' | b'\t')) || continues(rest, true, level))
}

/// Returns whether the line, which no format claims, is the start of a record of its own even where lines without a header
/// continue the record before: the last words of a process. Within a record that is an error already it is part of it.
pub(super) fn is_crash(line: &[u8], record: Option<Level>) -> bool {
    let below = crash(line).and_then(|crash| crash.interrupts);
    below.is_some_and(|below| record.is_none_or(|level| level < below))
}

/// Returns whether a record that begins with this line has a trace behind it.
pub(super) fn begins_trace(line: &[u8]) -> bool {
    crash(line).is_some_and(|crash| crash.has_trace)
        || is_rust_panic(line)
        || is_script_place(line)
        || is_exception(line)
}

/// Returns whether the line is the first of a Rust panic; if it ends with a colon, the message is the next line.
pub(super) fn is_rust_panic(line: &[u8]) -> bool {
    line.starts_with(b"thread '") && memchr::memmem::find(line, b" panicked at ").is_some()
}

/// Returns whether the line is how an uncaught exception begins in Node, a file and a line alone: `/app/index.js:3`; or in
/// Ruby: ``app.rb:3:in `run': divided by 0 (ZeroDivisionError)``.
pub(super) fn is_script_place(line: &[u8]) -> bool {
    let first = line.first().copied().unwrap_or(0);
    if !(first.is_ascii_alphanumeric() || matches!(first, b'/' | b'.' | b'_')) || !line.ends_with(b")") {
        return is_node_place(line);
    }
    let mut scan = Scan::new(line);
    let place = scan.token();
    place.ends_with(b":in")
        && memchr::memmem::find(place, b".rb:").and_then(|at| place.get(at + 4)).is_some_and(u8::is_ascii_digit)
}

fn is_node_place(line: &[u8]) -> bool {
    let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let Some((b':', file)) = line[..line.len() - digits].split_last() else { return false };
    let is_script = [&b".js"[..], b".mjs", b".cjs", b".ts"].iter().any(|end| file.ends_with(end));
    let is_path = [&b"/"[..], b"file:///"].iter().any(|start| line.starts_with(start));
    let is_internal = line.strip_prefix(b"node:").and_then(<[u8]>::first).is_some_and(u8::is_ascii_lowercase);
    digits > 0 && (is_path && is_script || is_internal) && !file.contains(&b' ')
}

/// Returns whether the line names an exception: dotted words the last of which says so, then a colon or nothing.
///
/// `java.lang.IllegalStateException: boom`, `ValueError: bad`, `KeyboardInterrupt`, `App\Error\NotFoundException: x`.
pub(super) fn is_exception(line: &[u8]) -> bool {
    exception_name(line).is_some_and(|name| ends_as(name, &ERRORS) || ends_as(name, &ENDINGS))
}

/// The same of those that say that something is wrong: a program that was asked to end names an exception too.
pub(super) fn is_error_name(line: &[u8]) -> bool {
    exception_name(line).is_some_and(|name| ends_as(name, &ERRORS))
}

/// How names of exceptions end that are errors.
pub(super) static ERRORS: [&[u8]; 5] = [b"Exception", b"Error", b"Throwable", b"Failure", b"Fault"];

/// How those of Python end that only say that a program ends.
static ENDINGS: [&[u8]; 2] = [b"KeyboardInterrupt", b"SystemExit"];

fn ends_as(name: &[u8], ends: &[&[u8]]) -> bool {
    ends.iter().any(|end| name.ends_with(end))
}

/// Returns the last part of the name that a line consists of, or begins with before a colon, if it begins with a capital.
fn exception_name(line: &[u8]) -> Option<&[u8]> {
    // Elixir's stand in brackets behind asterisks: `** (RuntimeError) x`.
    let (line, is_elixir) = line.strip_prefix(b"** (").map_or((line, false), |rest| (rest, true));
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'\\' | b'/');
    let (name, rest) = line.split_at(line.iter().position(|byte| !is_inside(byte)).unwrap_or(line.len()));
    // Most lines begin with another word, or with something else.
    if !matches!(rest.first(), None | Some(b':' | b' ')) && !is_elixir {
        return None;
    }
    let mut scan = Scan::new(rest);
    if is_elixir && !scan.eat(b')') {
        return None;
    }
    // Node writes what kind of error one with a name of its own is, `UnauthorizedException [Error]: x`, or its code,
    // `TypeError [ERR_INVALID_ARG_TYPE]: x`.
    if scan.eat_all(b" [") {
        let kind = scan.while_is(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !((kind.ends_with(b"Error") || kind.starts_with(b"ERR_")) && scan.eat(b']')) {
            return None;
        }
    }
    // .NET adds what number it is: `System.Data.SQLite.SQLiteException (0x80004005): x`.
    if scan.eat_all(b" (0x") {
        scan.while_is(|byte| byte.is_ascii_hexdigit());
        scan.eat(b')');
    }
    if !scan.is_end() && scan.peek() != b':' && !is_elixir {
        return None;
    }
    let last = name.rsplit(|byte| matches!(byte, b'.' | b'\\' | b'$' | b'/')).next().unwrap_or_default();
    last.first().is_some_and(u8::is_ascii_uppercase).then_some(last)
}

/// Returns whether the line is a function in a trace of Go: `main.(*server).run(0xc000, 0x1)`.
fn is_call(line: &[u8]) -> bool {
    if !line.ends_with(b")") {
        return false;
    }
    let mut scan = Scan::new(line);
    let name = scan.while_is(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'*' | b'(' | b')' | b'-' | b'[' | b']')
    });
    name.contains(&b'.') && name.contains(&b'(')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_exceptions_are_known() {
        for line in [
            "java.lang.IllegalStateException: boom",
            "ValueError: bad",
            "KeyboardInterrupt",
            "App\\Error\\NotFoundException: x",
            "Error: ENOENT",
        ] {
            assert!(is_exception(line.as_bytes()), "{line}");
        }
        for line in ["Error handling is on", "no Error: x", "error: x", "", "http://x/Error"] {
            assert!(!is_exception(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_crash_is_a_record_of_its_own_unless_its_record_is_an_error() {
        assert!(is_crash(b"panic: boom", Some(Level::Info)) && is_crash(b"panic: boom", None));
        assert!(!is_crash(b"panic: boom", Some(Level::Error)));
        assert!(!is_crash(b"Traceback (most recent call last):", Some(Level::Warn)));
        assert!(continues(b"main.(*server).run(0xc000, 0x1)", true, None) && !continues(b"main.run()", false, None));
    }
}
