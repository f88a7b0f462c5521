//! Reads blocks of lines, in each of the ways in which the program does. For the test and the fuzz target.

use std::path::Path;

use sidetail::format::{Formats, Headers, Judge, Level, Skim, Verdict};
use sidetail::paths::glob::NameGlob;
use sidetail::read::line::Pieces;

/// How lines are read. What is found of them must not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Each line for itself, by nothing but its reader.
    Full,
    /// Each line, with what was found of lines that look like it.
    Cached,
    /// As few lines as can be, because only errors are asked for; the others as with `Cached`.
    Lazy,
}

/// Where each line of a stream goes, and how many of them were read.
pub struct Run {
    formats: Formats,
    pub judge: Judge,
    /// Whether the last record is an error; `None` before the first.
    record: Option<bool>,
    reading: Reading,
    pub read: usize,
}

impl Run {
    /// `pinned` names a format by its number; with none of that number the file is pinned to none.
    pub fn new(reading: Reading, multiline: bool, pinned: usize) -> Self {
        let headers = if reading == Reading::Full { Headers::with_room_for(0) } else { Headers::default() };
        let mut formats = Formats { multiline, headers, ..Formats::default() };
        let pin = formats.names().nth(pinned).and_then(|name| formats.by_name(name));
        formats.pins.extend(pin.map(|id| (NameGlob::parse(b"*").expect("a glob"), id)));
        let judge = formats.judge(Path::new("/log/app.log"));
        Self { formats, judge, record: None, reading, read: 0 }
    }

    /// Returns of each line whether it goes to stderr, and what it was found to be if it was read.
    pub fn block(&mut self, block: &[u8]) -> Vec<(bool, Option<Verdict>)> {
        let mut routes = Vec::new();
        let mut skim = Skim::new(block).filter(|_| self.reading == Reading::Lazy);
        let (mut at, mut read_to) = (0, 0);
        let mut pieces = Pieces::new(block, usize::MAX);
        while at < block.len() {
            if at >= read_to
                && let Some(is_error) = self.record
                && let Some(skim) = &mut skim
                && let Some(unread) = skim.pass_over(&mut self.judge, &self.formats, at, is_error)
            {
                read_to = unread.read_to;
                if unread.end > at {
                    self.record = Some(false);
                    let lines = block[at..unread.end].iter().filter(|byte| **byte == b'\n').count();
                    routes.extend(std::iter::repeat_n((false, None), lines));
                    at = unread.end;
                    pieces.skip_to(at);
                    continue;
                }
            }
            let piece = pieces.next().expect("a whole line");
            let found = skim.as_ref().and_then(|skim| skim.found(at));
            let verdict = self.judge.line_found(&self.formats, piece.content(block), &block[piece.end..], found);
            if !verdict.continues || self.record.is_none() {
                self.record = Some(verdict.level >= Some(Level::Error));
            }
            routes.push((self.record == Some(true), Some(verdict)));
            self.read += 1;
            at = piece.end;
        }
        routes
    }
}
