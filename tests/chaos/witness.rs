//! A file that nobody attacks: how its lines look, and whether they come out as they must.
//!
//! The text of a line follows from its number, so whatever comes out can be held to it without remembering any.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use super::outside::is_secret;

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// How records are written to the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Raw,
    Prefix,
    Json,
    Ecs,
    Gcp,
}

impl Output {
    pub const ALL: [Self; 5] = [Self::Raw, Self::Prefix, Self::Json, Self::Ecs, Self::Gcp];

    pub fn name(self) -> &'static str {
        ["raw", "prefix", "json", "ecs", "gcp"][self as usize]
    }

    fn is_objects(self) -> bool {
        matches!(self, Self::Json | Self::Ecs | Self::Gcp)
    }
}

/// How much of what was streamed a new process may repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// It ended by itself, and knows what it has streamed.
    Nothing,
    /// It was killed between a write and the note of it.
    OneWrite,
    /// The application took the state away: everything that is left of the file, and that may begin within a line.
    Anything,
}

/// What one write hands over at most.
const WRITE_BYTES_MAX: u64 = 64 * 1024;

/// What has come out on one stream.
#[derive(Debug, Default)]
struct Came {
    /// The first number that has not come out.
    next: u64,
    /// What a process that has given nothing yet may repeat.
    repeats: Option<Repeats>,
    /// How much of the line that is torn by a hole may come.
    may_be_torn: bool,
}

/// The file and what came of it.
#[derive(Debug)]
pub struct Witness {
    mark: String,
    path: PathBuf,
    file: Option<File>,
    pub written: u64,
    output: Output,
    came: [Came; 2],
}

impl Witness {
    /// Nothing is written yet. No other line has `mark`.
    pub fn new(path: PathBuf, mark: String, output: Output) -> Self {
        let came = [Stream::Out, Stream::Err].map(|stream| Came { next: following(0, stream), ..Came::default() });
        Self { mark, path, file: None, written: 0, output, came }
    }

    fn text(&self, number: u64) -> String {
        let level = if stream_of(number) == Stream::Err { "ERROR" } else { "INFO" };
        let filling = "x".repeat(usize::try_from(number * 7919 % 197).expect("small"));
        format!("{level} {} {number:07} {filling}|", self.mark)
    }

    /// Writes so many lines in one call, as an application does that opens its log again when it was renamed.
    pub fn write(&mut self, lines: u64) {
        let has_moved = self.file.as_ref().is_none_or(|file| {
            let ino = file.metadata().expect("open").ino();
            std::fs::symlink_metadata(&self.path).map_or(0, |metadata| metadata.ino()) != ino
        });
        if has_moved {
            let mut options = OpenOptions::new();
            self.file = options.create(true).append(true).mode(0o666).open(&self.path).ok();
        }
        let text: String = (self.written..self.written + lines).map(|number| self.text(number) + "\n").collect();
        let Some(file) = &mut self.file else { return };
        let before = file.metadata().expect("open").len();
        match file.write(text.as_bytes()) {
            Ok(written) if written == text.len() => self.written += lines,
            // The volume is full: it takes back what is there of it.
            Ok(written) if written > 0 => {
                let _ = file.set_len(before);
            }
            _ => {}
        }
    }

    /// How long the file seems to be, in bytes.
    pub fn size(&self) -> u64 {
        std::fs::symlink_metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Notes that another process begins.
    pub fn begins(&mut self, repeats: Repeats) {
        for came in &mut self.came {
            came.repeats = Some(repeats);
            came.may_be_torn = repeats == Repeats::Anything;
        }
    }

    /// Judges a line, which may be one of the application's.
    pub fn line(&mut self, stream: Stream, line: &[u8]) -> Result<(), String> {
        if is_secret(line) {
            return Err(format!("a line from outside came out on {stream:?}: {}", line.escape_ascii()));
        }
        let has_mark = memchr::memmem::find(line, self.mark.as_bytes()).is_some();
        let is_ours = stream == Stream::Err && line.starts_with(b"sidetail:");
        if !has_mark && (is_ours || !self.output.is_objects()) {
            return Ok(());
        }
        let text = self.text_in(line)?;
        if !has_mark {
            return Ok(());
        }
        let Some(number) = self.number_of(&text) else {
            let came = &mut self.came[stream as usize];
            return match std::mem::take(&mut came.may_be_torn) {
                true => Ok(()),
                false => Err(format!("a line of the witness is torn, or another: {}", line.escape_ascii())),
            };
        };
        self.came(stream, number)
    }

    /// Returns what a line is of: the line itself, or its record.
    fn text_in(&self, line: &[u8]) -> Result<String, String> {
        let text = String::from_utf8_lossy(line).into_owned();
        match self.output {
            Output::Raw => Ok(text),
            Output::Prefix => Ok(text.split_once("] ").map_or(text.clone(), |(_, rest)| rest.to_owned())),
            _ => {
                let object: serde_json::Value =
                    serde_json::from_slice(line).map_err(|why| format!("{why}, in {}", line.escape_ascii()))?;
                if !object.is_object() {
                    return Err(format!("no object: {}", line.escape_ascii()));
                }
                let message = object["message"].as_str().unwrap_or_default();
                // The level is a field of its own.
                let level = ["level", "severity", "log.level"].iter().find_map(|name| object[*name].as_str());
                Ok(match level.filter(|_| message.starts_with(&self.mark)) {
                    Some(level) => format!("{} {message}", level.to_ascii_uppercase()),
                    None => message.to_owned(),
                })
            }
        }
    }

    /// Returns which line of the witness this is; `None` if it is not whole.
    fn number_of(&self, text: &str) -> Option<u64> {
        let number = text.split(' ').nth(2)?.parse().ok()?;
        (text == self.text(number)).then_some(number)
    }

    fn came(&mut self, stream: Stream, number: u64) -> Result<(), String> {
        if stream_of(number) != stream {
            return Err(format!("line {number} of the witness came on the wrong stream, {stream:?}"));
        }
        let came = &mut self.came[stream as usize];
        let (expected, repeats) = (came.next, came.repeats.take());
        came.may_be_torn = false;
        if number > expected {
            return Err(format!("lines {expected} to {number} of the witness are lost on {stream:?}"));
        }
        came.next = following(number + 1, stream);
        if number < expected {
            let repeated = (number..expected).filter(|number| stream_of(*number) == stream);
            let bytes: u64 = repeated.map(|number| self.text(number).len() as u64 + 1).sum();
            let is_allowed = match repeats {
                None | Some(Repeats::Nothing) => false,
                Some(Repeats::OneWrite) => bytes <= WRITE_BYTES_MAX,
                Some(Repeats::Anything) => true,
            };
            if !is_allowed {
                return Err(format!(
                    "lines {number} to {expected} of the witness, {bytes} bytes, came again on {stream:?}: {repeats:?}"
                ));
            }
        }
        Ok(())
    }

    /// Says what has not come out yet.
    pub fn missing(&self) -> Option<String> {
        let lacks = |stream: Stream| (self.came[stream as usize].next < self.written).then_some(stream);
        let stream = [Stream::Out, Stream::Err].into_iter().find_map(lacks)?;
        let next = self.came[stream as usize].next;
        Some(format!("line {next} of {} of the witness has not come on {stream:?}", self.written))
    }
}

fn stream_of(number: u64) -> Stream {
    if number % 7 == 3 { Stream::Err } else { Stream::Out }
}

/// Returns the first number from this one on whose line goes to the stream.
fn following(mut number: u64, stream: Stream) -> u64 {
    while stream_of(number) != stream {
        number += 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness(output: Output) -> Witness {
        let mut witness = Witness::new(PathBuf::from("/nowhere"), "mark-7".to_owned(), output);
        witness.written = 8;
        witness
    }

    fn give(witness: &mut Witness, numbers: &[u64]) -> Result<(), String> {
        numbers.iter().try_for_each(|number| {
            let line = witness.text(*number);
            witness.line(stream_of(*number), line.as_bytes())
        })
    }

    #[test]
    fn what_is_lost_repeated_torn_or_on_the_wrong_stream_is_seen() {
        let mut all = witness(Output::Raw);
        give(&mut all, &[0, 1, 3, 2, 4, 5, 6, 7]).expect("each stream has its order");
        assert_eq!(all.missing(), None);
        for (numbers, what) in [(&[0, 2][..], "lost"), (&[0, 1, 1], "again"), (&[0, 1, 0], "again"), (&[3, 3], "again")]
        {
            let why = give(&mut witness(Output::Raw), numbers).expect_err(what);
            assert!(why.contains(what), "{why}");
        }
        let mut one = witness(Output::Raw);
        let line = one.text(0);
        assert!(one.line(Stream::Err, line.as_bytes()).expect_err("wrong").contains("wrong stream"));
        assert!(one.line(Stream::Out, &line.as_bytes()[1..]).expect_err("torn").contains("torn"));
        assert!(one.line(Stream::Out, (line + "y").as_bytes()).expect_err("torn").contains("torn"));
        assert!(one.missing().expect("all of it").starts_with("line 0 of 8"));
        one.line(Stream::Out, b"another's").expect("it is raw");
        witness(Output::Json).line(Stream::Out, b"another's").expect_err("no object");
        let secret = format!("x{}", super::super::outside::SECRET);
        one.line(Stream::Out, secret.as_bytes()).expect_err("from outside");
    }

    #[test]
    fn a_new_process_may_repeat_so_much() {
        for (repeats, is_allowed) in [(Repeats::Nothing, false), (Repeats::OneWrite, true), (Repeats::Anything, true)] {
            let mut one = witness(Output::Raw);
            give(&mut one, &[0, 1, 2]).expect("in order");
            one.begins(repeats);
            assert_eq!(give(&mut one, &[1, 2, 4]).is_ok(), is_allowed, "{repeats:?}");
            assert!(!is_allowed || give(&mut one, &[2]).is_err(), "only at its beginning");
        }
        let mut one = witness(Output::Raw);
        one.begins(Repeats::Anything);
        let line = one.text(0);
        one.line(Stream::Out, &line.as_bytes()[2..]).expect("a hole ends within a line");
        one.line(Stream::Out, &line.as_bytes()[2..]).expect_err("but once");
    }
}
