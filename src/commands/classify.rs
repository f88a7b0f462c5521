//! `sidetail classify [--json] [FILE...]`: what each line is, by the same judge and rules as in the stream.
//!
//! One line of output per line of input: `FORMAT<TAB>LEVEL<TAB>STREAM<TAB>LINE`, `-` for none, `+` before the format of a line
//! that continues a record. Coloured on a terminal. A summary goes to stderr at the end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::exit::{EXIT_INPUT, EXIT_OUTPUT, cannot_print, configuration, fail};
use super::shapes::Shapes;
use crate::config::Config;
use crate::format::{AHEAD_BYTES_MAX, FormatId, Judge, Level, Verdict};
use crate::output::rules::{FileRouter, Line, Route, Stream};
use crate::read::buffer::READ_BYTES;
use crate::read::line;
use crate::report::message::{counted, visible};

/// Classifies the files, or stdin if there are none or one is called `-`.
pub(super) fn classify(files: &[OsString], json: bool) -> ExitCode {
    // The patterns do not matter here, but a rule or format that is wrong does.
    let config = match configuration(&[OsString::from("/any")]) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let stdout = io::stdout();
    let stdout_is_terminal = stdout.is_terminal();
    let style = match (json, stdout_is_terminal && !crate::config::is_colourless()) {
        (true, _) => Style::Json,
        (false, true) => Style::Coloured,
        (false, false) => Style::Tabs,
    };
    let mut classifier = Classifier { config, style, out: BufWriter::new(stdout.lock()), summary: Tally::default() };
    let stdin = [OsString::from("-")];
    let mut problems = Vec::new();
    let names_files = files.len() > 1 && !json && stdout_is_terminal;
    for (index, name) in if files.is_empty() { &stdin[..] } else { files }.iter().enumerate() {
        if names_files {
            let blank = if index > 0 { "\n" } else { "" };
            // What cannot be written now cannot be written below either.
            let _ = writeln!(classifier.out, "{blank}==> {} <==", visible(&name.to_string_lossy()));
        }
        match classifier.file(name) {
            Ok(()) => {}
            Err(ClassifyFailure::Output(why)) => return no_output(&why),
            Err(ClassifyFailure::Input(why)) => {
                let name = Path::new(name).display();
                problems.push(format!("cannot read {name}: {why}; name a file, or - for stdin"));
            }
        }
    }
    if let Err(why) = classifier.out.flush() {
        return no_output(&why);
    }
    // If stderr is gone, nobody is left to be told.
    let _ = io::stderr().write_all(classifier.summary.text().as_bytes());
    if problems.is_empty() { ExitCode::SUCCESS } else { fail(&problems, EXIT_INPUT) }
}

/// Ends because nothing can be printed any more: quietly if the reader has had enough.
fn no_output(why: &io::Error) -> ExitCode {
    match why.kind() {
        io::ErrorKind::BrokenPipe => ExitCode::from(EXIT_OUTPUT),
        _ => cannot_print(why),
    }
}

enum ClassifyFailure {
    Input(io::Error),
    Output(io::Error),
}

/// How a line is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Tabs,
    Coloured,
    Json,
}

/// A line as `--json` shows it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    file: &'a str,
    format: &'a str,
    level: Option<&'a str>,
    stream: Option<&'a str>,
    continues: bool,
    line: &'a str,
}

struct Classifier<W: Write> {
    config: Config,
    style: Style,
    out: W,
    summary: Tally,
}

/// A file that is being classified.
struct ClassifiedFile {
    name: String,
    judge: Judge,
    router: FileRouter,
    record: Option<Route>,
    /// The verdict on a line that was shown in part.
    line: Option<(Verdict, Route)>,
}

impl<W: Write> Classifier<W> {
    fn file(&mut self, name: &OsString) -> Result<(), ClassifyFailure> {
        if name == "-" {
            let is_terminal = io::stdin().is_terminal();
            return self.read(Path::new("/stdin"), "-", io::stdin().lock(), is_terminal);
        }
        let path = std::path::absolute(name).map_err(ClassifyFailure::Input)?;
        #[allow(clippy::disallowed_methods, reason = "the user names it")]
        let file = File::open(&path).map_err(ClassifyFailure::Input)?;
        let is_terminal = file.is_terminal();
        self.read(&path, &Path::new(name).to_string_lossy(), file, is_terminal)
    }

    /// Reads as the stream does: 64 KiB at a time, longer lines in pieces. What a person types is judged line by line.
    fn read(
        &mut self,
        path: &Path,
        name: &str,
        mut input: impl Read,
        is_terminal: bool,
    ) -> Result<(), ClassifyFailure> {
        let mut course = ClassifiedFile {
            name: name.to_owned(),
            judge: self.config.formats.judge(path),
            router: self.config.router.of_file(path),
            record: None,
            line: None,
        };
        let mut buffer = Vec::with_capacity(READ_BYTES);
        loop {
            let room = (READ_BYTES - buffer.len()) as u64;
            let mut next = input.by_ref().take(room);
            let read = if is_terminal { read_once(&mut next, &mut buffer) } else { next.read_to_end(&mut buffer) };
            let is_end = read.map_err(ClassifyFailure::Input)? == 0;
            if buffer.is_empty() {
                return Ok(());
            }
            let taken = match (is_end, is_terminal) {
                (true, _) => buffer.len(),
                (false, true) => line::whole_lines(&buffer),
                (false, false) => judged_bytes(&buffer),
            };
            self.block(&mut course, &buffer, taken).map_err(ClassifyFailure::Output)?;
            if is_terminal {
                self.out.flush().map_err(ClassifyFailure::Output)?;
            }
            buffer.drain(..taken);
            if is_end {
                return Ok(());
            }
        }
    }

    fn block(&mut self, course: &mut ClassifiedFile, block: &[u8], taken: usize) -> io::Result<()> {
        let (mut start, mut newlines) = (0, memchr::memchr_iter(b'\n', &block[..taken]));
        while start < taken {
            let newline = newlines.next();
            let end = newline.unwrap_or(taken);
            let following = block.get(end + 1..).unwrap_or_default();
            self.line(course, &block[start..end], following, newline.is_some())?;
            start = end + 1;
        }
        Ok(())
    }

    fn line(&mut self, course: &mut ClassifiedFile, line: &[u8], following: &[u8], is_ended: bool) -> io::Result<()> {
        let (verdict, route) = match course.line.take() {
            Some((verdict, route)) => (Verdict { continues: true, ..verdict }, route),
            None => {
                let verdict = course.judge.line(&self.config.formats, line, following);
                let format = self.config.formats.name(verdict.format);
                let of_line = || course.router.of_line(&Line { bytes: line, format, level: verdict.level });
                let route = course.record.filter(|_| verdict.continues).unwrap_or_else(of_line);
                (verdict, route)
            }
        };
        course.record = Some(route);
        if !is_ended {
            course.line = Some((verdict, route));
        }
        let format = self.config.formats.name(verdict.format);
        self.summary.count(format, &verdict, route);
        if verdict.level.is_none() && !verdict.continues && verdict.format == FormatId::PLAIN {
            self.summary.unread.count(line);
        }
        let stream = match route {
            Route::To(stream) => Some(stream),
            Route::Drop => None,
        };
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        let level = verdict.level.map(Level::name);
        let stream_name = stream.map(|stream| ["stdout", "stderr"][stream.index()]);
        if self.style == Style::Json {
            let line = &*String::from_utf8_lossy(text);
            let continues = verdict.continues;
            let shown = Shown { file: &course.name, format, level, stream: stream_name, continues, line };
            serde_json::to_writer(&mut self.out, &shown)?;
            return self.out.write_all(b"\n");
        }
        let plus = if verdict.continues { "+" } else { "" };
        let (on, off) = match (self.style, verdict.level) {
            (Style::Coloured, Some(level)) => (colour(level), "\x1b[0m"),
            _ => ("", ""),
        };
        write!(self.out, "{plus}{format}\t{on}{}{off}\t{}\t", level.unwrap_or("-"), stream_name.unwrap_or("-"))?;
        self.out.write_all(if stream == Some(Stream::Stderr) { on.as_bytes() } else { b"" })?;
        self.out.write_all(line)?;
        self.out.write_all(if stream == Some(Stream::Stderr) { off.as_bytes() } else { b"" })?;
        self.out.write_all(b"\n")
    }
}

/// Appends what one read gives; 0 is the end, which a terminal gives once for each Ctrl-D.
fn read_once(input: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let mut bytes = [0; 4096];
    loop {
        match input.read(&mut bytes) {
            Ok(read) => {
                buffer.extend_from_slice(&bytes[..read]);
                return Ok(read);
            }
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
}

/// Returns how much of a block is judged now when more may follow: enough is left that each line has the bytes behind it in
/// which its level may be found. A line that is longer than the block is judged by what is in it.
fn judged_bytes(block: &[u8]) -> usize {
    let whole = line::whole_lines(&block[..block.len().saturating_sub(AHEAD_BYTES_MAX)]);
    let first = || memchr::memchr(b'\n', block).map_or(block.len(), |newline| newline + 1);
    if whole > 0 { whole } else { first() }
}

/// Returns the colour of a level, as a terminal's escape sequence.
fn colour(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "\x1b[2m",
        Level::Info => "\x1b[32m",
        Level::Notice => "\x1b[36m",
        Level::Warn => "\x1b[33m",
        Level::Error | Level::Critical | Level::Fatal => "\x1b[31m",
    }
}

/// How many there were of each.
#[derive(Debug, Default)]
struct Tally {
    formats: BTreeMap<String, u64>,
    levels: BTreeMap<Option<Level>, u64>,
    streams: [u64; 3],
    records: u64,
    unread: Shapes,
}

impl Tally {
    fn count(&mut self, format: &str, verdict: &Verdict, route: Route) {
        let stream = if let Route::To(stream) = route { stream.index() } else { 2 };
        self.streams[stream] += 1;
        if verdict.continues {
            return;
        }
        self.records += 1;
        *self.levels.entry(verdict.level).or_default() += 1;
        match self.formats.get_mut(format) {
            Some(count) => *count += 1,
            None => drop(self.formats.insert(format.to_owned(), 1)),
        }
    }

    fn text(&self) -> String {
        let list = |items: Vec<String>| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
        let formats = self.formats.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let level_name = |level: &Option<Level>| level.map_or("without", Level::name);
        let levels = self.levels.iter().rev().map(|(level, count)| format!("{} {count}", level_name(level))).collect();
        let [stdout, stderr, dropped] = self.streams;
        format!(
            "{}, {}: {}\nlevels: {}\nstreams, in lines: stdout {stdout}, stderr {stderr}, dropped {dropped}\n{}",
            counted(stdout + stderr + dropped, "line"),
            counted(self.records, "record"),
            list(formats),
            list(levels),
            self.unread.text()
        )
    }
}
