//! Reads blocks of lines of which only errors are asked for: all of them, or as few as can be. For the test and the fuzz target.

use std::path::Path;

use sidetail::format::{Formats, Headers, Judge, Level, Skim};
use sidetail::paths::glob::NameGlob;
use sidetail::read::line::Pieces;

/// Where each line of a stream goes, and how many of them were read.
pub struct Run {
    formats: Formats,
    pub judge: Judge,
    /// Whether the last record is an error; `None` before the first.
    record: Option<bool>,
    skims: bool,
    pub read: usize,
}

impl Run {
    /// `pinned` names a format by its number; with none of that number the file is pinned to none.
    pub fn new(skims: bool, multiline: bool, pinned: usize) -> Self {
        // With headers kept, what is read of one line says something of others with the same header.
        let mut formats = Formats { multiline, headers: Headers::with_room_for(0), ..Formats::default() };
        let pin = formats.names().nth(pinned).and_then(|name| formats.by_name(name));
        formats.pins.extend(pin.map(|id| (NameGlob::parse(b"*").expect("a glob"), id)));
        let judge = formats.judge(Path::new("/log/app.log"));
        Self { formats, judge, record: None, skims, read: 0 }
    }

    /// Returns of each line whether it goes to stderr.
    pub fn block(&mut self, block: &[u8]) -> Vec<bool> {
        let mut routes = Vec::new();
        let mut skim = Skim::new(block).filter(|_| self.skims);
        let (mut at, mut read_to) = (0, 0);
        let mut pieces = Pieces::new(block, usize::MAX);
        while at < block.len() {
            if at >= read_to
                && self.record == Some(false)
                && let Some(unread) = skim.as_mut().and_then(|skim| skim.pass_over(&mut self.judge, &self.formats, at))
            {
                read_to = unread.read_to;
                if unread.end > at {
                    let lines = block[at..unread.end].iter().filter(|byte| **byte == b'\n').count();
                    routes.extend(std::iter::repeat_n(false, lines));
                    at = unread.end;
                    pieces.skip_to(at);
                    continue;
                }
            }
            let piece = pieces.next().expect("a whole line");
            let verdict = self.judge.line(&self.formats, piece.content(block), &block[piece.end..]);
            if !verdict.continues || self.record.is_none() {
                self.record = Some(verdict.level >= Some(Level::Error));
            }
            routes.push(self.record == Some(true));
            self.read += 1;
            at = piece.end;
        }
        routes
    }
}
