//! The pieces of a header that nobody knows: times, names, numbers, what stands in brackets, and the level among them.
//!
//! What comes first in a line of a log is not free text, and what is free text looks like it: words of letters alone, one after
//! another. So a level's word counts while there were none, and behind one only if it stands in brackets, in capitals, behind
//! names enough.

use super::glued;
use super::head::Span;
use super::level::Level;
use super::scan::{Scan, is_counted_heading};

/// How long a piece in brackets may be, in bytes.
const GROUP_BYTES_MAX: usize = 160;

/// How long a name before the time may be, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What a byte may be in a header: most bytes of a line are looked at once, and by nothing else.
static CLASSES: [u8; 256] = classes();

/// A sign between two pieces, or no ASCII.
const SEPARATOR: u8 = 1;
/// It ends a word.
const WORD_END: u8 = 1 << 1;
const QUOTE: u8 = 1 << 2;
/// A digit, bracket or slash.
const SIGN: u8 = 1 << 3;
const LETTER: u8 = 1 << 4;
const UPPER: u8 = 1 << 5;
const EQUALS: u8 = 1 << 6;
/// A level may be glued to it.
const MARK: u8 = 1 << 7;

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        classes[index] = match byte {
            b'0'..=b'9' | b'(' | b'/' => SIGN,
            b'[' => SIGN | MARK,
            b':' | b')' => SEPARATOR | MARK,
            b'A'..=b'Z' => LETTER | UPPER,
            b'a'..=b'z' => LETTER,
            b'=' => SEPARATOR | EQUALS,
            b'|' => SEPARATOR | WORD_END,
            b'-' | b',' | b'*' | b'>' | b';' | b'~' | b'#' | b']' | b'}' | 0x80.. => SEPARATOR,
            b' ' | b'\t' | b'\x1b' => WORD_END,
            b'"' | b'\'' | b'`' => QUOTE,
            _ => 0,
        };
        index += 1;
    }
    classes
}

fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

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
        b'0'..=b'9' | b'[' | b'(' | b'<' | b'{' | b'#' | b'-' => true,
        b'a'..=b'z' | b'A'..=b'Z' => {
            // Most lines are words.
            let blank = line.iter().take(NAME_BYTES_MAX).position(|byte| matches!(byte, b' ' | b'\t' | b'\x1b'));
            let next = blank.and_then(|at| line[at..].iter().find(|byte| **byte != b' ')).copied().unwrap_or(0);
            if next.is_ascii_lowercase() {
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
            scan.peek().is_ascii_digit() || matches!(scan.peek(), b'[' | b'(' | b'<') || month_follows(scan)
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
                words => words == 1 && is_capital && self.names > 1,
            };
            return if is_header { HeaderPiece::Level(level) } else { HeaderPiece::Text };
        }
        // `CHAT: <somebody> what was said`
        if open == b'<' && is_behind_colon && inside.first().is_some_and(u8::is_ascii_alphabetic) {
            return HeaderPiece::Text;
        }
        self.names += 1;
        let (time, level) = inside_of(start, length, close, self.time);
        if self.time.is_none() && time.is_some() {
            (self.time, self.time_end) = (time, self.scan.at());
        }
        match level {
            Some(level) if self.words == 0 => HeaderPiece::Level(level),
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
        let is_marked = self.words == 1 && self.is_behind_colon;
        // `00000001 ServletWrappe E   SRVE0068E: x` of WebSphere, `[8] iproto E> x` of Tarantool, `host err mcpd[12]: x`.
        let is_letter = class(before.peek()) & LETTER != 0;
        let is_pinned_down = is_letter
            && self.words == 1
            && self.time.is_some()
            && (glued::is_behind_thread_and_name(before)
                || matches!(before.rest(), [_, b'>', b' ', ..])
                || glued::is_before_process(before)
                || glued::is_before_thread(before));
        if (self.words == 0 || is_marked || is_pinned_down) && is_letter {
            let level = self.level(blanks).filter(|_| self.words == 0 || is_pinned_down || self.scan.peek() == b':');
            if let Some(level) = level {
                return HeaderPiece::Level(level);
            }
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
        // `10:00:00@12/error - message`, i2pd's.
        if self.is_behind_time
            && word.first() == Some(&b'@')
            && self.scan.rest().starts_with(b" - ")
            && let Some(level) = word.rsplit(|byte| *byte == b'/').next().and_then(Level::from_word)
        {
            return HeaderPiece::Level(level);
        }
        // Tarantool, of calls of the system.
        if word == b"!>" && self.time.is_some() && self.scan.rest().starts_with(b" SystemError ") {
            return HeaderPiece::Level(Level::Error);
        }
        if self.words == 0
            && any & MARK != 0
            && let Some(level) = glued::level(word, self.scan)
        {
            return HeaderPiece::Level(level);
        }
        let is_column = self.scan.peek() == b'|' || self.scan.peek() == b'\t' || self.scan.rest().starts_with(b"  ");
        let is_letters = all & LETTER != 0;
        if word.last().is_some_and(|last| matches!(last, b'.' | b',' | b'!' | b'?' | b';')) {
            return HeaderPiece::Text;
        }
        // Behind many names one in capitals is a name too: `RAS KERNEL FATAL`.
        let is_code = self.names > 2 && self.time.is_some() && word.len() > 1 && all & UPPER != 0;
        let has_sign = any & SIGN != 0;
        self.is_behind_colon = word.ends_with(b":") && has_sign;
        if !is_letters || is_column || is_code || word == b"main" {
            self.names += 1;
            return HeaderPiece::Name;
        }
        self.words += 1;
        self.text = self.text.or(Some(before));
        // One word may be the name of a program before the time, or that of a host or a part behind it.
        if self.words > 1 { HeaderPiece::Text } else { HeaderPiece::Name }
    }

    /// Passes over a level's word as loggers write it.
    fn level(&mut self, blanks: usize) -> Option<Level> {
        let is_keyed = self.key();
        self.scan.colours();
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
            let ends =
                matches!(next, 0 | b' ' | b'\t' | b':' | b'|' | b'[' | b'(' | b']' | b'>' | b'}' | b'\x1b' | b',');
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
        let is_named = (self.is_behind_time || self.words == 1)
            && next == b' '
            && (name.contains(&b'[')
                || name.starts_with(b"(")
                || name.ends_with(b":") && is_name(name)
                || glued::is_place(name));
        // `T:9401    error <general>: ...`
        let is_before_part = self.time.is_some() && next == b' ' && name.starts_with(b"<") && name.ends_with(b">:");
        // `critical/ApiListener: ...`; `fail/pass: 0/3` is a count.
        let is_result = || memchr::memchr(b':', behind).is_some_and(|at| glued::is_result(&behind[at + 1..]));
        let is_glued =
            next == b'/' && self.is_behind_time && (name.ends_with(b":") || is_name(&rest[1..])) && !is_result();
        // `error [2026-01-05 10:00:00 Z] ...`
        let is_before_time = self.time.is_none() && self.names == 0 && next == b' ' && glued::is_before_time(behind);
        let is_level = is_marked || is_wide || is_coloured || is_keyed || is_named;
        ((is_level || is_before_part || is_glued || is_before_time) && !is_count).then_some(level)
    }

    /// Passes over `level=`, `LEVEL: ` and their kind.
    fn key(&mut self) -> bool {
        let rest = self.scan.rest();
        if !matches!(self.scan.peek(), b'l' | b'L' | b's' | b'S') {
            return false;
        }
        let keys = [&b"level"[..], b"lvl", b"severity", b"loglevel"];
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
        let level = Level::from_letter(letter)?;
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

/// Returns the level that something in brackets is as a whole, and whether it is in capitals.
fn whole_level(whole: &[u8]) -> Option<(Level, bool)> {
    let mut scan = Scan::new(whole);
    scan.blanks();
    let word = scan.letters();
    scan.blanks();
    if !scan.is_end() {
        return None;
    }
    Some((Level::from_word(word)?, word.iter().all(u8::is_ascii_uppercase)))
}

/// Returns whether the byte may stand before a level's letter.
fn begins_letter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'[')
}

/// Returns whether the byte may stand behind a level's letter.
pub(super) fn ends_letter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'!' | b'>' | b']')
}

/// Looks into something in brackets for a time, and for a level beside it: `[2026-01-05 10:00:00,123 E 325 362]`,
/// `[ns_server:error,2026-01-05T10:00:00.123Z,ns_1@host]`.
fn inside_of(start: Scan<'_>, length: usize, close: u8, known: Option<Span>) -> (Option<Span>, Option<Level>) {
    let mut scan = start.within(length);
    if let Some((time, level)) = glued::klog(scan).filter(|_| known.is_none()) {
        return (Some(time), Some(level));
    }
    let (mut time, mut level) = (None, None);
    let mut is_behind_number = false;
    for index in 0..6 {
        scan.while_is(|byte| b" ,;|\t-".contains(&byte));
        if scan.is_end() {
            break;
        }
        let from = scan.at();
        let mut timed = scan;
        if known.is_none() && time.is_none() && timed.any_time() && !timed.peek().is_ascii_alphanumeric() {
            time = Some(timed.since(from));
            scan = timed;
            continue;
        }
        let is_apart =
            start.before().is_some_and(begins_letter) && index == 0 || scan.before().is_some_and(begins_letter);
        let word = scan.while_is(|byte| !b" ,;|\t".contains(&byte));
        let is_apart = is_apart && (scan.is_end() && close == b']' || ends_letter(scan.peek()));
        // `[7f3a info 'App' opID=3]`
        let is_numbered = is_behind_number && index == 1;
        let is_near = index == 0 || time.is_some() || scan.is_end() || is_numbered;
        is_behind_number = word.iter().any(u8::is_ascii_digit) && word.iter().all(u8::is_ascii_hexdigit);
        if level.is_none() && is_near {
            level = match word {
                [letter] if is_apart => Level::from_letter(*letter).filter(|_| time.is_some() || known.is_some()),
                [_] => None,
                _ => level_of_piece(word, time.is_some() || is_numbered),
            };
        }
    }
    (time, level.filter(|_| time.is_some() || known.is_some()))
}

/// Returns the level of a piece: the word itself, `INFO/MainProcess`, `thread/INFO`, `core:error`.
fn level_of_piece(piece: &[u8], has_time: bool) -> Option<Level> {
    let is_capital = |word: &[u8]| word.iter().all(u8::is_ascii_uppercase);
    if let Some(colon) = memchr::memrchr(b':', piece)
        && colon > 0
    {
        return Level::from_word(&piece[colon + 1..]);
    }
    // `[x.y#error]` of Twisted, `[Error-Duplicati.Server.Main]`.
    if let Some(hash) = memchr::memrchr(b'#', piece).filter(|hash| *hash > 0) {
        // A method is behind the name of a class: `[OrdersController#fail]`.
        return Level::from_word(&piece[hash + 1..]).filter(|_| piece[..hash].contains(&b'.'));
    }
    if let Some(dash) = memchr::memchr(b'-', piece)
        && let Some(dot) = memchr::memchr(b'.', &piece[dash..])
    {
        let word = &piece[..dash];
        // `[Alert-Manager.config]` and `[Error-Handler.config]` are parts of a program.
        let is_class = piece.get(dash + dot + 1).is_some_and(u8::is_ascii_uppercase);
        let is_error = is_class && matches!(word, b"Error" | b"Fatal" | b"Critical");
        let is_usual = |level: &Level| *level < Level::Error || is_error;
        return Level::from_word(word).filter(|_| piece[0].is_ascii_uppercase()).filter(is_usual);
    }
    if let Some(slash) = memchr::memchr(b'/', piece) {
        let words = [&piece[..slash], &piece[slash + 1..]];
        return words.into_iter().filter(|word| is_capital(word)).find_map(Level::from_word);
    }
    Level::from_word(piece).filter(|_| is_capital(piece) || has_time)
}
