//! The pieces of a header that nobody knows: times, names, numbers, what stands in brackets, and the level among them.
//!
//! What comes first in a line of a log is not free text, and what is free text looks like it: words of letters alone, one after
//! another. So a level's word counts while there were none, and behind one only if it stands in brackets, in capitals, behind
//! names enough.

use super::facility;
use super::glued;
use super::head::Span;
use super::header_bytes::{EQUALS, LETTER, MARK, QUOTE, SEPARATOR, SIGN, UPPER, WORD_END, class};
use super::in_brackets::{begins_letter, inside_of, whole_level};
use super::level::Level;
use super::scan::{Scan, is_counted_heading};

/// How long a piece in brackets may be, in bytes.
const GROUP_BYTES_MAX: usize = 160;

/// How long a name before the time may be, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A piece of a header.
#[derive(Debug, Clone, Copy)]
pub(super) enum HeaderPiece<'a> {
    /// The first time of the line.
    Time,
    /// Anything else that a header has.
    Name,
    Level(Level),
    /// A JSON object, or pairs of keys and values, from here on.
    Pairs(&'a [u8]),
    /// The header is over.
    Text,
}

/// The pieces of a line, one by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeaderPieces<'a> {
    scan: Scan<'a>,
    /// Where the first word of letters alone stands.
    text: Option<Scan<'a>>,
    /// Where the time stands that was met.
    pub(super) time: Option<Span>,
    /// How many names, numbers and brackets were met.
    names: usize,
    /// How many words of letters alone were met.
    words: usize,
    /// The last piece was a name with a colon behind it.
    is_behind_colon: bool,
    /// The last piece ends with what may stand before a column: a colon or a bracket.
    is_before_column: bool,
    /// Where the piece ends that the time is, or stands in.
    time_end: u32,
    /// That is the last piece.
    is_behind_time: bool,
}

/// Returns whether a line may begin with a header, by its first bytes: with a time, a number, a bracket, a sign, a level's letter,
/// or with one name and a time behind it.
pub(super) fn may_begin(line: &[u8]) -> bool {
    let Some(first) = line.first() else { return false };
    match first {
        b'0'..=b'9' | b'[' | b'(' | b'<' | b'{' | b'#' | b'-' | b'+' | b'>' | b'*' => true,
        b'a'..=b'z' | b'A'..=b'Z' => {
            // Most lines are words.
            let blank = line.iter().take(NAME_BYTES_MAX).position(|byte| matches!(byte, b' ' | b'\t' | b'\x1b'));
            let next = blank.and_then(|at| line[at..].iter().find(|byte| **byte != b' ')).copied().unwrap_or(0);
            // `E[2026-01-05|10:00:00.123] message` is none.
            let is_bracketed = blank.is_some_and(|at| at > 0 && line[at - 1] == b']');
            if next.is_ascii_lowercase() && !is_bracketed {
                return false;
            }
            let mut scan = Scan::new(line);
            scan.while_is(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@' | b'|')
            });
            scan.eat(b':');
            scan.eat(b',');
            scan.blanks();
            // Docker Compose: `web_1  | ...`.
            if scan.eat(b'|') {
                scan.blanks();
            }
            // `ManagedPoolThread #5 10:00:00 ...`
            scan.eat(b'#');
            scan.peek().is_ascii_digit()
                || matches!(scan.peek(), b'[' | b'(' | b'<')
                || month_follows(scan)
                || glued::is_level_before_time(scan)
        }
        _ => false,
    }
}

fn month_follows(mut scan: Scan<'_>) -> bool {
    scan.peek().is_ascii_uppercase() && scan.month()
}

impl<'a> HeaderPieces<'a> {
    pub(super) fn new(scan: Scan<'a>) -> Self {
        Self {
            scan,
            text: None,
            time: None,
            names: 0,
            words: 0,
            is_behind_colon: false,
            is_before_column: false,
            time_end: 0,
            is_behind_time: false,
        }
    }

    /// Returns where it stands.
    pub(super) fn at(&self) -> u32 {
        self.scan.at()
    }

    /// Passes over the next piece.
    pub(super) fn next(&mut self) -> HeaderPiece<'a> {
        self.is_behind_time = self.time.is_some() && self.scan.at() == self.time_end;
        if self.names == 1 && self.time.is_some() && glued::is_behind_thread(self.scan) {
            return HeaderPiece::Level(Level::Error);
        }
        let blanks = self.separators();
        if self.scan.is_end() {
            return HeaderPiece::Text;
        }
        if self.time.is_none() && self.is_time() {
            return HeaderPiece::Time;
        }
        let is_first = self.time.is_none() && self.names == 0;
        match self.scan.peek() {
            b'{' if self.scan.rest().get(1) == Some(&b'"') && self.words == 0 && !is_first => {
                HeaderPiece::Pairs(self.scan.rest())
            }
            b'[' | b'(' | b'<' | b'{' => self.group(),
            _ => self.word(blanks),
        }
    }

    /// Returns what follows.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.scan.rest()
    }

    /// Returns what may be free text: the line from the first word of letters alone on.
    pub(super) fn text(&self) -> &'a [u8] {
        self.text.map_or(b"", |scan| scan.rest())
    }

    /// Returns the level at the end of a line in which an arrow follows the time, as ClamAV has it: `-> /x: Access denied. ERROR`.
    pub(super) fn level_at_end(&self) -> Option<Level> {
        let line = self.scan.passed();
        let behind = self.time.map(|_| &line[(self.time_end as usize).min(line.len())..])?;
        (behind.starts_with(b" -> ") && self.scan.rest().ends_with(b" ERROR")).then_some(Level::Error)
    }

    /// Passes over blanks, colours and signs, and returns how many blanks stand before the next piece.
    fn separators(&mut self) -> usize {
        // Mostly it is one blank.
        if let [b' ', next, ..] = self.scan.rest()
            && class(*next) & (LETTER | SIGN) != 0
        {
            self.scan.skip(1);
            return 1;
        }
        loop {
            self.scan.colours();
            let blanks = self.scan.while_is(|byte| byte == b' ' || byte == b'\t').len();
            self.scan.colours();
            let before = self.scan.at();
            self.scan.while_is(|byte| class(byte) & SEPARATOR != 0);
            if self.scan.at() == before {
                return blanks;
            }
            // `-1` is a number.
            if self.scan.peek().is_ascii_digit() {
                return blanks;
            }
        }
    }

    fn is_time(&mut self) -> bool {
        let start = self.scan.at();
        if !matches!(self.scan.peek(), b'0'..=b'9' | b'A'..=b'Z') {
            return false;
        }
        let before = self.scan;
        let found = self.scan.any_time() && !self.scan.peek().is_ascii_alphanumeric();
        if found {
            // What stood before it was the name of a program.
            (self.time, self.words, self.text) = (Some(self.scan.since(start)), 0, None);
            self.time_end = self.scan.at();
        } else {
            self.scan = before;
        }
        found
    }

    /// Passes over what stands in brackets: a level, a time and perhaps a level behind it, or anything.
    fn group(&mut self) -> HeaderPiece<'a> {
        let open = self.scan.peek();
        // GlassFish: `[#|2026-01-05T10:00:00.123+0000|SEVERE|...|#]`.
        if self.scan.eat_all(b"[#|") {
            return self.next();
        }
        let close = match open {
            b'[' => b']',
            b'(' => b')',
            b'<' => b'>',
            _ => b'}',
        };
        let is_behind_colon = self.scan.passed().ends_with(b": ");
        while self.scan.eat(open) {}
        let start = self.scan;
        let rest = self.scan.rest();
        let near = &rest[..rest.len().min(GROUP_BYTES_MAX)];
        let Some(length) = memchr::memchr(close, near) else { return HeaderPiece::Text };
        self.scan.skip(length + 1);
        while self.scan.eat(close) {}
        let inside = rest[..length].trim_ascii();
        let is_first = self.time.is_none() && self.names == 0;
        let whole = match inside {
            [letter] => self.letter_in_brackets(open, *letter, is_first && length == 1).filter(|_| length == 1),
            _ => whole_level(inside),
        };
        if let Some((level, is_capital)) = whole {
            // `"error": 1`, `(error)` in a sentence: without a name or a time before it a bracket alone says little.
            let is_header = match self.words {
                0 => true,
                // `Puppet (err): `, `DistCall Dispatch:7f-a0 <ERROR> `
                1 if self.time.is_some() && (open == b'<' && is_capital || self.scan.peek() == b':') => true,
                // `host app[12]: [error] x`
                1 if self.is_behind_colon && is_behind_colon => true,
                words => words == 1 && is_capital && self.names > 1,
            };
            return if is_header { HeaderPiece::Level(level) } else { HeaderPiece::Text };
        }
        // `CHAT: <somebody> what was said`
        if open == b'<' && is_behind_colon && inside.first().is_some_and(u8::is_ascii_alphabetic) {
            return HeaderPiece::Text;
        }
        self.names += 1;
        self.is_before_column = true;
        let (time, level) = inside_of(start, length, close, self.time);
        if self.time.is_none() && time.is_some() {
            (self.time, self.time_end) = (time, self.scan.at());
        }
        match level {
            // A letter alone was looked at.
            Some(level) if self.words == 0 && (length > 1 || open != b'[') => HeaderPiece::Level(level),
            _ if time.is_some() => HeaderPiece::Time,
            _ => HeaderPiece::Name,
        }
    }

    /// Returns the level of a letter alone in brackets that were passed over: `[E]` behind a time or at the front of a line, and
    /// `(C)` there before a time.
    fn letter_in_brackets(&self, open: u8, letter: u8, is_first: bool) -> Option<(Level, bool)> {
        let level = Level::from_letter(letter)?;
        let rest = self.scan.rest();
        let is_stated = match open {
            // `[10:00:00][C][wifi:12]: message`: ESPHome's settings.
            b'[' if self.time.is_some() => letter != b'C' || !rest.starts_with(b"["),
            // `[E][00012.345678] message`, PipeWire's.
            b'[' if is_first && rest.starts_with(b"[") => {
                let inside = rest[1..].split(|byte| *byte == b']').next().unwrap_or_default();
                rest.get(1).is_some_and(u8::is_ascii_digit) || glued::is_place(inside)
            }
            // `[  1231][E][WiFi.cpp:12] message`, of ESP32.
            b'[' if self.names == 1 && self.words == 0 && rest.starts_with(b"[") => {
                letter != b'C' && self.scan.passed().ends_with(&[b']', b'[', letter, b']'])
            }
            // `[F] Find a file` is a key of a menu, `[E] suricata: x` an error.
            b'[' if is_first => {
                let name = rest.strip_prefix(b" ").and_then(|rest| rest.split(|byte| *byte == b' ').next());
                let is_named = name.is_some_and(|name| name.len() > 1 && name.ends_with(b":"));
                let is_usual = name.is_some_and(|name| !name.is_empty()) && level < Level::Error;
                letter != b'C' && (is_named || is_usual || rest.starts_with(b" ") && glued::is_before_time(&rest[1..]))
            }
            b'(' if is_first => rest.starts_with(b" ") && glued::is_before_time(&rest[1..]),
            _ => false,
        };
        is_stated.then_some((level, true))
    }

    /// Passes over a word: a level, a name, or the first of a text.
    fn word(&mut self, blanks: usize) -> HeaderPiece<'a> {
        let before = self.scan;
        // `host app[12]: error: x`, `app[12] a.c:7 at f(): ERROR: x`: behind a word only what is marked on both sides.
        // `host crmd:    error: x`, where the level is a column.
        let is_column = self.words == 1 && self.is_before_column && blanks > 1 && self.time.is_some();
        let is_marked = self.words == 1 && self.is_behind_colon || is_column;
        self.is_before_column = false;
        if let Some(level) = self.level_here(blanks, is_marked) {
            return HeaderPiece::Level(level);
        }
        self.scan = before;
        let (mut any, mut all, mut length, rest) = (0, u8::MAX, 0, self.scan.rest());
        for byte in rest {
            let class = class(*byte);
            if class & WORD_END != 0 {
                break;
            }
            (any, all, length) = (any | class, all & class, length + 1);
        }
        let word = &rest[..length];
        self.scan.skip(length);
        let has_equals = any & EQUALS != 0;
        if any & QUOTE != 0 {
            return if has_equals { HeaderPiece::Pairs(before.rest()) } else { HeaderPiece::Text };
        }
        if has_equals && self.words == 0 && self.names <= 1 && is_pair(word) {
            // A pair may be one of many, or stand in a header alone.
            let has_level = super::formats::logfmt::read(before.rest()).is_some_and(|head| head.level.is_some());
            if has_level {
                return HeaderPiece::Pairs(before.rest());
            }
        }
        if let Some(level) = self.level_of_word(word, any) {
            return HeaderPiece::Level(level);
        }
        let rest = self.scan.rest();
        let is_column =
            matches!(rest.first(), Some(b'|' | b'\t')) || rest.starts_with(b"  ") || rest.starts_with(b" | ");
        let is_letters = all & LETTER != 0;
        if word.last().is_some_and(|last| matches!(last, b'.' | b',' | b'!' | b'?' | b';')) {
            return HeaderPiece::Text;
        }
        // Behind many names one in capitals is a name too: `RAS KERNEL FATAL`.
        let is_code = self.names > 2 && self.time.is_some() && word.len() > 1 && all & UPPER != 0;
        let has_sign = any & SIGN != 0;
        self.is_behind_colon = word.ends_with(b":") && has_sign;
        self.is_before_column = word.ends_with(b":");
        if !is_letters || is_column || is_code || word == b"main" {
            self.names += 1;
            return HeaderPiece::Name;
        }
        if (self.words == 0 || is_marked)
            && self.time.is_some()
            && let Some(level) = glued::kind_of_error(word, rest)
        {
            return HeaderPiece::Level(level);
        }
        self.words += 1;
        self.text = self.text.or(Some(before));
        // One word may be the name of a program before the time, or that of a host or a part behind it.
        if self.words > 1 { HeaderPiece::Text } else { HeaderPiece::Name }
    }

    /// Passes over the level that the next word is, if it may be one here.
    fn level_here(&mut self, blanks: usize, is_marked: bool) -> Option<Level> {
        let (before, has_time) = (self.scan, self.time.is_some());
        if class(before.peek()) & LETTER == 0 {
            return None;
        }
        let is_behind_header = self.is_behind_time || has_time && before.passed().ends_with(b"] ");
        if is_behind_header && let Some(level) = facility::level(&mut self.scan) {
            return Some(level);
        }
        if before.peek() == b'R' && has_time && glued::is_exception_of_websphere(before) {
            return Some(Level::Error);
        }
        // `00000001 ServletWrappe E   SRVE0068E: x` of WebSphere, `[8] iproto E> x` of Tarantool, `host err mcpd[12]: x`.
        let is_pinned_down = self.words == 1
            && if has_time {
                glued::is_behind_thread_and_name(before)
                    || matches!(before.rest(), [_, b'>', b' ', ..])
                    || glued::is_before_process(before)
                    || glued::is_before_thread(before)
                    || glued::is_of_dlt(before)
                    || glued::is_behind_sign(before)
            } else {
                glued::is_level_before_time(before)
            };
        if self.words > 0 && !is_marked && !is_pinned_down {
            return None;
        }
        self.level(blanks).filter(|_| self.words == 0 || is_pinned_down || self.scan.peek() == b':')
    }

    /// Returns the level that a word holds which was passed over, and is none itself; `any` is what its bytes are.
    fn level_of_word(&self, word: &[u8], any: u8) -> Option<Level> {
        if self.is_behind_time {
            let level = match word {
                // `10:00:00@12/error - message`, i2pd's.
                [b'@', ..] if self.scan.rest().starts_with(b" - ") => {
                    word.rsplit(|byte| *byte == b'/').next().and_then(Level::from_word)
                }
                _ => glued::of_status(word, self.scan),
            };
            if level.is_some() {
                return level;
            }
        }
        // Tarantool, of calls of the system.
        if word == b"!>" && self.time.is_some() && self.scan.rest().starts_with(b" SystemError ") {
            return Some(Level::Error);
        }
        let is_first = self.words == 0 && any & MARK != 0;
        let at_name = || if self.time.is_some() { glued::level_at_name(word) } else { None };
        let glued = if is_first { glued::level(word, self.scan).or_else(at_name) } else { None };
        let may_be_topics = any & SEPARATOR != 0 && self.time.is_some() && self.words <= 1;
        glued.or_else(|| if may_be_topics { glued::level_among_topics(word) } else { None })
    }

    /// Passes over a level's word as loggers write it.
    fn level(&mut self, blanks: usize) -> Option<Level> {
        let is_keyed = self.key();
        self.scan.colours();
        // Quill, PBS.
        if self.time.is_some() && self.scan.eat_all(b"LOG_") && !self.scan.peek().is_ascii_uppercase() {
            return None;
        }
        let start = self.scan;
        let word = self.scan.letters();
        let rest = self.scan.rest();
        let next = self.scan.peek();
        if word.len() == 1 {
            return self.letter(start, word[0], next, rest);
        }
        if word == b"LOG" && (rest.starts_with(b" [") || rest.starts_with(b": ") || self.scan.colours()) && blanks > 1 {
            return Some(Level::Info);
        }
        let level = Level::from_word(word)?;
        if next.is_ascii_digit() || next == b'_' {
            return None;
        }
        let is_capital = word.iter().all(u8::is_ascii_uppercase);
        let behind = rest.trim_ascii_start();
        let is_wide = rest.starts_with(b"  ") || next == b'\t';
        // `1234: error : function:10 : ...`, behind a time.
        let is_apart = self.time.is_some() && rest.starts_with(b" : ");
        let is_marked = matches!(next, b':' | b'|') || rest.starts_with(b" | ") || rest.starts_with(b" - ") || is_apart;
        if is_capital {
            // `*ERROR*`, Sling's.
            let ends = matches!(next, b'*' | b'-') && start.before() == Some(next)
                || next == b';'
                || matches!(next, 0 | b' ' | b'\t' | b':' | b'|' | b'[' | b'(' | b']' | b'>' | b'}' | b'\x1b' | b',');
            // `FAIL LOGIN` is what happened, `ALERT RULES` a heading.
            let is_heading = matches!(word, b"FAIL" | b"ALERT" | b"NOTE" | b"CONFIG" | b"FINE")
                && next == b' '
                && !is_wide
                && behind.iter().take_while(|byte| byte.is_ascii_uppercase()).count() > 1;
            return (ends && !is_heading && !is_counted_heading(word, rest)).then_some(level);
        }
        // `config: ...` is a part of a program.
        if matches!(level, Level::Info | Level::Debug) && matches!(word, b"config" | b"Config" | b"fine" | b"Fine") {
            return None;
        }
        let is_count = (next == b':' || is_apart) && {
            let count = behind[1..].trim_ascii();
            !count.is_empty() && count.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        };
        let is_coloured = next == b'\x1b' && start.passed().ends_with(b"m");
        // `error vpxd[07501] ...`: right behind the time, and before a name that is no word.
        let name = behind.split(|byte| *byte == b' ').next().unwrap_or_default();
        let is_title = word[0].is_ascii_uppercase() && self.time.is_some();
        let is_named = (self.is_behind_time || self.words == 1 || is_title)
            && next == b' '
            && (name.contains(&b'[')
                || name.starts_with(b"(")
                || name.ends_with(b":") && is_name(name)
                || self.is_behind_time && name.contains(&b'.') && behind[name.len()..].starts_with(b" : ")
                || glued::is_place(name));
        // `10:00:00.123456789: Error File below ...`, Falco's.
        let is_sentence = is_title
            && self.is_behind_time
            && next == b' '
            && start.passed().ends_with(b": ")
            && behind.first().is_some_and(u8::is_ascii_uppercase);
        // `T:9401    error <general>: ...`
        let is_before_part = self.time.is_some()
            && next == b' '
            && (name.starts_with(b"<") && name.ends_with(b">:") || glued::is_of_dlt(start));
        // `critical/ApiListener: ...`; `fail/pass: 0/3` is a count.
        let is_result = || memchr::memchr(b':', behind).is_some_and(|at| glued::is_result(&behind[at + 1..]));
        let is_glued =
            next == b'/' && self.is_behind_time && (name.ends_with(b":") || is_name(&rest[1..])) && !is_result();
        // `error [2026-01-05 10:00:00 Z] ...`
        let is_before_time = self.time.is_none()
            && next == b' '
            && (self.names == 0 && glued::is_before_time(behind)
                || behind.starts_with(b"@") && behind.get(1).is_some_and(u8::is_ascii_digit));
        // `2026-01-05 10:00:00;error;message`
        let is_field =
            self.is_behind_time && matches!(next, b',' | b';') && start.passed().trim_ascii_end().last() == Some(&next);
        let is_level = is_marked || is_wide || is_coloured || is_keyed || is_named || is_sentence || is_field;
        ((is_level || is_before_part || is_glued || is_before_time) && !is_count).then_some(level)
    }

    /// Passes over `level=`, `LEVEL: ` and their kind.
    fn key(&mut self) -> bool {
        let rest = self.scan.rest();
        if !matches!(self.scan.peek(), b'l' | b'L' | b's' | b'S') {
            return false;
        }
        let keys = [&b"level"[..], b"lvl", b"severity", b"loglevel", b"sev"];
        let Some(key) = keys.iter().find(|key| {
            let is_key = rest.get(..key.len()).is_some_and(|front| front.eq_ignore_ascii_case(key));
            is_key && matches!(rest.get(key.len()), Some(b'=' | b':'))
        }) else {
            return false;
        };
        self.scan.skip(key.len() + 1);
        self.scan.spaces();
        true
    }

    /// A lone letter is a level before a name, a bar or a wide blank, or with a mark of its own: `E!`, `E>`.
    fn letter(&mut self, start: Scan<'_>, letter: u8, next: u8, rest: &[u8]) -> Option<Level> {
        let level = Level::from_letter(letter).or_else(|| glued::letter_of_cups(letter, rest))?;
        let before = start.before();
        if !before.is_none_or(begins_letter) {
            return None;
        }
        if matches!(next, b'!' | b'>') && matches!(rest.get(1), Some(b' ')) {
            return self.time.map(|_| level);
        }
        let behind = rest.trim_ascii_start();
        let is_first = self.time.is_none() && self.names == 0;
        if is_first {
            let mut scan = Scan::new(behind);
            while scan.eat(b'[') || scan.eat(b'(') {}
            return (next == b' ' && scan.any_time()).then_some(level);
        }
        self.time?;
        // Monero.
        if self.is_behind_time && before == Some(b'\t') && next == b' ' {
            return Some(level);
        }
        let name = behind.split(|byte| *byte == b' ').next().unwrap_or_default();
        let is_name = name.iter().any(|byte| matches!(byte, b':' | b'/' | b'[' | b']' | b'|' | b'(' | b'_' | b'='))
            || name.contains(&b'.') && !name.ends_with(b".");
        let is_wide = rest.starts_with(b"  ");
        (matches!(next, b' ' | b'\t') && (is_name || is_wide || behind.starts_with(b"- "))).then_some(level)
    }
}

/// Returns whether what begins here looks like the name of a part of a program rather than like a word.
fn is_name(text: &[u8]) -> bool {
    let name = text.split(|byte| matches!(byte, b' ' | b':')).next().unwrap_or_default();
    name.contains(&b'.') || name.iter().any(u8::is_ascii_uppercase)
}

/// Returns whether a word is `key=value`.
fn is_pair(word: &[u8]) -> bool {
    let key = word.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@'));
    let length = key.count();
    length > 0 && word.get(length) == Some(&b'=')
}
