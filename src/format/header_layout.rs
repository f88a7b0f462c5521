//! Headers written down as people see them: `{level}{time} {thread-id} {file}:{line}] {message}`.
//!
//! A layout is taken apart when the program is compiled, and laid over the front of a record. In it
//!
//! - `{name}` is an attribute, up to what stands behind it in the layout; with `*`, `{name*}`, it may hold blanks, with `.`,
//!   `{name.}`, it must look like a name rather than like a word of a sentence; `{-}` is any word of the message;
//! - `{time}` stands where the format's reader found it, `{level}` is a word, `{request}` a request in quotes with method, target
//!   and protocol, and `{tail}` what is left of the line;
//! - `{message}` is where the message begins; a layout without it ends with the message's end;
//! - a blank is one or more of them, `_` none or more; `‹` and `›` stand around what may be missing, `{{` and `}}` for braces.
//!
//! Colours are passed over wherever they stand. What is neither in an attribute nor in the message is written in the layout, so
//! nothing but blanks and colours is lost.

use super::attribute::{Attribute, Holds};
use super::head::Span;
use super::level::Level;
use super::outline::{Outline, Places};
use super::scan::Scan;

/// How many steps a layout has, at most.
const STEPS_MAX: usize = 64;

/// How long an attribute may be, in bytes.
const ATTRIBUTE_BYTES_MAX: usize = 4096;

/// The front of a record, as people write it down.
#[derive(Debug)]
pub(crate) struct HeaderLayout {
    /// As it was written.
    pub(crate) pattern: &'static str,
    steps: [Step; STEPS_MAX],
    count: usize,
    /// How many of its first steps the layout before it in its list has too, which it passes or fails as that did.
    shared: usize,
}

/// One step through a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// What the pattern has here; `first` is its first byte.
    Literal {
        start: u16,
        length: u16,
        first: u8,
    },
    /// One blank at least.
    Blank,
    /// Blanks, if there are any.
    Blanks,
    Time,
    Level,
    Request,
    Tail,
    Message,
    /// A word that stands in the message too.
    Word,
    Attribute {
        attribute: Attribute,
        has_blanks: bool,
        is_name: bool,
    },
    /// So many steps that may be missing together.
    Maybe(u8),
}

/// What is known of a record already.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadSoFar {
    pub(super) time: Span,
    pub(super) level: Option<Level>,
}

impl HeaderLayout {
    /// Takes a layout apart.
    ///
    /// # Panics
    /// When the program is compiled, if it is not well formed.
    pub(crate) const fn new(pattern: &'static str) -> Self {
        Self::parse(pattern).0
    }

    /// Takes a layout apart that stands behind another one in a list.
    pub(crate) const fn behind(pattern: &'static str, before: &'static str) -> Self {
        let (mut layout, ends) = Self::parse(pattern);
        let (other, other_ends) = Self::parse(before);
        let (text, other_text) = (pattern.as_bytes(), before.as_bytes());
        let mut same_text = 0;
        while same_text < text.len() && same_text < other_text.len() && text[same_text] == other_text[same_text] {
            same_text += 1;
        }
        let mut common = 0;
        while common < layout.count
            && common < other.count
            && ends[common] == other_ends[common]
            && ends[common] as usize <= same_text
        {
            common += 1;
        }
        layout.shared = common;
        while layout.shared > 0 && !layout.is_alike(&other, layout.shared, common) {
            layout.shared -= 1;
        }
        layout
    }

    /// Returns whether the steps before this one do the same in another layout, which has so many of the first steps too:
    /// some look at what stands behind them.
    const fn is_alike(&self, other: &Self, shared: usize, common: usize) -> bool {
        let mut index = shared.saturating_sub(2);
        while index < shared {
            let is_alike = match self.steps[index] {
                Step::Attribute { .. } => index + 1 < common && self.is_blank(index + 2) == other.is_blank(index + 2),
                Step::Blank => self.is_message(index + 1) == other.is_message(index + 1),
                _ => true,
            };
            if !is_alike {
                return false;
            }
            index += 1;
        }
        true
    }

    const fn is_blank(&self, index: usize) -> bool {
        index < self.count && matches!(self.steps[index], Step::Blank)
    }

    const fn is_message(&self, index: usize) -> bool {
        index < self.count && matches!(self.steps[index], Step::Message)
    }

    /// Returns a layout, and where in the pattern each of its steps ends.
    const fn parse(pattern: &'static str) -> (Self, [u16; STEPS_MAX]) {
        let text = pattern.as_bytes();
        let (mut steps, mut ends, mut count, mut at) = ([Step::Blank; STEPS_MAX], [0; STEPS_MAX], 0, 0);
        let mut maybe = None;
        while at < text.len() {
            let is_double = at + 1 < text.len() && text[at + 1] == text[at];
            let (step, length) = match text[at] {
                b'{' if !is_double => {
                    let (step, length) = named(text, at);
                    (Some(step), length)
                }
                first @ (b'{' | b'}') if is_double => (Some(Step::Literal { start: narrow(at), length: 1, first }), 2),
                b' ' => (Some(Step::Blank), 1),
                b'_' => (Some(Step::Blanks), 1),
                // The three bytes of `‹` and `›`.
                0xe2 if text[at + 2] == 0xb9 => {
                    maybe = Some(count);
                    (Some(Step::Maybe(0)), 3)
                }
                0xe2 => {
                    if let Some(from) = maybe {
                        #[allow(clippy::cast_possible_truncation, reason = "there are fewer")]
                        let length = (count - from - 1) as u8;
                        steps[from] = Step::Maybe(length);
                    }
                    (None, 3)
                }
                first => {
                    let mut end = at + 1;
                    while end < text.len() && !matches!(text[end], b'{' | b'}' | b' ' | b'_' | 0xe2) {
                        end += 1;
                    }
                    (Some(Step::Literal { start: narrow(at), length: narrow(end - at), first }), end - at)
                }
            };
            at += length;
            if let Some(step) = step {
                steps[count] = step;
                ends[count] = narrow(at);
                count += 1;
            }
        }
        (Self { pattern, steps, count, shared: 0 }, ends)
    }
}

/// Lays the layouts of a list over the front of a record, one by one, and returns what the first one that fits finds.
///
/// What layouts that stand one behind the other begin with is walked along once.
pub(super) fn lay_over(layouts: &'static [HeaderLayout], record: &[u8], found: &ReadSoFar) -> Option<Outline> {
    let mut walk = HeaderWalk { scan: Scan::new(record), pattern: b"", found, outline: Outline::default() };
    let mut saved: Option<SavedWalk<'_>> = None;
    let mut failed_at = usize::MAX;
    for (place, layout) in layouts.iter().enumerate() {
        if place > 0 && failed_at < layout.shared {
            continue;
        }
        saved = saved.filter(|saved| saved.index == layout.shared);
        (walk.scan, walk.outline.places) =
            saved.as_ref().map_or((Scan::new(record), Places::default()), |saved| (saved.scan, saved.places));
        walk.pattern = layout.pattern.as_bytes();
        let start = saved.as_ref().map_or(0, |saved| saved.index);
        let save_at = layouts.get(place + 1).map_or(0, |next| next.shared);
        match walk.along(&layout.steps[..layout.count], start, save_at, &mut saved) {
            Ok(()) => return Some(walk.outline),
            Err(index) => failed_at = index,
        }
    }
    None
}

/// A walk up to a step.
struct SavedWalk<'a> {
    index: usize,
    scan: Scan<'a>,
    /// The attributes that it had found are in the outline still.
    places: Places,
}

/// Returns a place in a pattern.
#[allow(clippy::cast_possible_truncation, reason = "patterns are short")]
const fn narrow(at: usize) -> u16 {
    at as u16
}

/// Takes the name in braces at a place apart, and returns its step and how long it is.
const fn named(text: &[u8], at: usize) -> (Step, usize) {
    let mut end = at + 1;
    while text[end] != b'}' {
        end += 1;
    }
    let (has_blanks, is_name) = (text[end - 1] == b'*', text[end - 1] == b'.');
    let name_end = if has_blanks || is_name { end - 1 } else { end };
    let (front, _) = text.split_at(name_end);
    let (_, name) = front.split_at(at + 1);
    let step = match name {
        b"time" => Step::Time,
        b"level" => Step::Level,
        b"request" => Step::Request,
        b"tail" => Step::Tail,
        b"message" => Step::Message,
        b"-" => Step::Word,
        name => match Attribute::by_name(name) {
            Some(attribute) => Step::Attribute { attribute, has_blanks, is_name },
            None => panic!("no attribute has this name"),
        },
    };
    (step, end + 1 - at)
}

/// A walk along a header.
struct HeaderWalk<'a> {
    scan: Scan<'a>,
    pattern: &'static [u8],
    found: &'a ReadSoFar,
    outline: Outline,
}

impl<'a> HeaderWalk<'a> {
    /// Takes all steps from this one on, and returns which one it could not take. How far it has come before the step `save_at`
    /// is kept.
    fn along(
        &mut self,
        steps: &[Step],
        start: usize,
        save_at: usize,
        saved: &mut Option<SavedWalk<'a>>,
    ) -> Result<(), usize> {
        let mut index = start;
        while let Some(step) = steps.get(index) {
            if index == save_at && index > start {
                *saved = Some(SavedWalk { index, scan: self.scan, places: self.outline.places });
            }
            index += 1;
            if let Step::Maybe(length) = step {
                let end = index + usize::from(*length);
                let before = (self.scan, self.outline.places);
                if !(index..end).all(|index| self.step(steps, index)) {
                    (self.scan, self.outline.places) = before;
                }
                index = end;
            } else if !self.step(steps, index - 1) {
                return Err(index - 1);
            }
        }
        // A time that no step passed over must be in the message.
        let time = self.found.time;
        let is_behind = time.end <= time.start || time.start >= self.outline.places.message;
        if self.outline.places.time == time || is_behind { Ok(()) } else { Err(steps.len()) }
    }

    /// Takes a step, and says whether it could.
    fn step(&mut self, steps: &[Step], index: usize) -> bool {
        match steps[index] {
            Step::Literal { start, length, .. } => {
                self.scan.colours();
                let start = usize::from(start);
                self.scan.eat_all(&self.pattern[start..start + usize::from(length)])
            }
            Step::Blank => {
                let before = self.scan.at();
                self.scan.blanks();
                self.scan.at() > before || self.is_at_line_end() && self.only_message_follows(steps, index + 1)
            }
            Step::Blanks => {
                self.scan.blanks();
                true
            }
            Step::Time => self.time(),
            Step::Level => self.level(index.checked_sub(1).map(|before| steps[before])),
            Step::Request => self.request(),
            Step::Tail => self.tail(),
            Step::Message => {
                // The byte order mark of RFC 5424 is no part of the message.
                self.scan.eat_all(b"\xef\xbb\xbf");
                (self.outline.places.message, self.outline.places.message_end) = (self.scan.at(), None);
                true
            }
            Step::Word => !self.scan.while_is(|byte| byte > b' ').is_empty(),
            Step::Attribute { attribute, has_blanks, is_name } => {
                let start = self.scan;
                let is_there = self.attribute(attribute, has_blanks, steps.get(index + 1), steps.get(index + 2));
                let length = start.rest().len() - self.scan.rest().len();
                is_there && (!is_name || looks_like_a_name(&start.rest()[..length]))
            }
            Step::Maybe(_) => false,
        }
    }

    fn is_at_line_end(&self) -> bool {
        matches!(self.scan.rest().first(), None | Some(b'\n' | b'\r'))
    }

    fn only_message_follows(&self, steps: &[Step], index: usize) -> bool {
        matches!(steps.get(index), Some(Step::Message))
    }

    fn time(&mut self) -> bool {
        self.scan.colours();
        let time = self.found.time;
        let is_here = time.end > time.start && self.scan.at() == time.start;
        if is_here {
            self.scan.skip((time.end - time.start) as usize);
            self.outline.places.time = time;
        }
        is_here
    }

    /// Passes over the level's word; one of another level only between brackets, where threads stand too, and any behind
    /// RabbitMQ's `=`.
    fn level(&mut self, before: Option<Step>) -> bool {
        self.scan.colours();
        let Some(level) = self.found.level else { return false };
        let start = self.scan.at();
        let word = self.scan.letters();
        let is_behind = |signs: &[u8]| matches!(before, Some(Step::Literal { first, .. }) if signs.contains(&first));
        let (is_certain, is_bracketed) = (is_behind(b"="), is_behind(b"[<("));
        let is_level = match word {
            [] => self.scan.eat(b'*') || self.scan.eat(b'#') || self.scan.eat(b'.') || self.scan.eat(b'-'),
            _ if is_certain => true,
            [letter] => Level::from_letter(letter.to_ascii_uppercase()) == Some(level),
            word => match Level::from_word(word) {
                Some(stated) => stated == level || is_bracketed,
                None => is_own_word(word, level),
            },
        };
        // `trace3`, `DEBUG2`, slog's `ERROR+4`; klog's time follows at once.
        if self.scan.at() != self.found.time.start && !word.is_empty() {
            let sign = self.scan;
            let is_signed = self.scan.eat(b'+') || self.scan.eat(b'-');
            if self.scan.digits(1, 2).is_none() && is_signed {
                self.scan = sign;
            }
        }
        self.outline.places.level = self.scan.since(start);
        self.scan.colours();
        is_level && !matches!(self.scan.peek(), b'_' | b'a'..=b'z' | b'A'..=b'Z')
    }

    /// Passes over `"GET /path HTTP/1.1"`, which is the message; whatever it is, method, target and protocol only if it has
    /// them.
    fn request(&mut self) -> bool {
        self.scan.colours();
        if !self.scan.eat(b'"') {
            return false;
        }
        let start = self.scan.at();
        let Some(length) = quoted_length(self.scan.rest()) else { return false };
        let mut request = self.scan.within(length);
        self.scan.skip(length + 1);
        (self.outline.places.message, self.outline.places.message_end) = (start, Some(self.scan.at() - 1));
        let method = request.while_is(|byte| byte.is_ascii_uppercase() || byte == b'-').len();
        let target_start = request.at() + 1;
        if method > 1 && method <= 16 && request.eat(b' ') {
            let target = request.while_is(|byte| byte > b' ').len();
            let target_end = request.at();
            let is_protocol = request.eat(b' ') && request.rest().starts_with(b"HTTP/");
            let protocol_start = request.at();
            let is_one = is_protocol && !request.while_is(|byte| byte > b' ').is_empty() && request.is_end();
            // PHP-FPM writes no protocol.
            if target > 0 && (is_one || request.is_end()) {
                let method_end = target_start - 1;
                let is_added = self.outline.add(Attribute::Method, Span { start, end: method_end })
                    && self.outline.add(Attribute::Target, Span { start: target_start, end: target_end });
                let protocol = Span { start: protocol_start, end: request.at() };
                return is_added && (!is_one || self.outline.add(Attribute::Protocol, protocol));
            }
        }
        true
    }

    /// Takes what is left of the line, if anything is: one attribute with the one before if that is no other.
    fn tail(&mut self) -> bool {
        self.scan.spaces();
        let start = self.scan.at();
        let rest = self.scan.rest();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let text = rest[..length].trim_ascii_end();
        self.scan.skip(length);
        let end = start + u32::try_from(text.len()).unwrap_or(0);
        text.is_empty()
            || text.len() <= ATTRIBUTE_BYTES_MAX
                && (self.outline.extend_last(Attribute::Extra, end)
                    || self.outline.add(Attribute::Extra, Span { start, end }))
    }

    fn attribute(&mut self, attribute: Attribute, has_blanks: bool, next: Option<&Step>, after: Option<&Step>) -> bool {
        self.scan.colours();
        let start = self.scan.at();
        let rest = self.scan.rest();
        let rest = &rest[..rest.len().min(ATTRIBUTE_BYTES_MAX)];
        let length = match attribute.holds() {
            Holds::Text => text_length(rest, has_blanks, next, after),
            Holds::SourceFile => {
                text_length(rest, has_blanks, next, after).filter(|length| is_source(&rest[..*length]))
            }
            Holds::Elements => elements(rest),
            Holds::Spans => spans(rest),
            Holds::Number => digits(rest).filter(|length| *length <= 15),
            Holds::NumberOrNone if rest.first() == Some(&b'-') => Some(1),
            Holds::NumberOrNone => digits(rest).filter(|length| *length <= 15),
            Holds::Decimal => decimal(rest),
            Holds::Elapsed => elapsed(rest),
        };
        let Some(length) = length else { return false };
        self.scan.skip(length);
        let text = rest[..length].trim_ascii_end();
        let end = start + u32::try_from(text.len()).unwrap_or(0);
        // Only what stands between quotes or brackets may be empty.
        let is_closed = matches!(next, Some(Step::Literal { first: b'"' | b')' | b']' | b'}' | b'>', .. }));
        let is_empty = text.is_empty();
        // What has brackets of its own is no name of a host, and what has pairs none of a logger.
        let is_other = match attribute {
            Attribute::Host => text.contains(&b'['),
            Attribute::Logger => text.iter().any(|byte| matches!(byte, b'{' | b'=')),
            _ => false,
        };
        !is_other && (is_closed || !is_empty) && (is_empty || self.outline.add(attribute, Span { start, end }))
    }
}

/// Returns whether a word is a level in one format only: PostgreSQL's, loguru's, MySQL's and .NET's.
fn is_own_word(word: &[u8], level: Level) -> bool {
    matches!((word, level), (b"LOG" | b"SUCCESS" | b"System", Level::Info) | (b"trce", Level::Trace))
}

/// What ends a text, whatever stands behind it: the line's end, colours, and blanks if it may hold none.
const ENDS: [bool; 256] = {
    let mut table = [false; 256];
    let ends = b"\n\r\x1b \t";
    let mut index = 0;
    while index < ends.len() {
        table[ends[index] as usize] = true;
        index += 1;
    }
    table
};

/// Returns how long a text is: up to what stands behind it in the layout.
fn text_length(rest: &[u8], has_blanks: bool, next: Option<&Step>, after: Option<&Step>) -> Option<usize> {
    let ends = |byte: &u8| ENDS[usize::from(*byte)] && !(has_blanks && matches!(byte, b' ' | b'\t'));
    let Some(Step::Literal { first, length, .. }) = next else {
        return Some(rest.iter().position(ends).unwrap_or(rest.len()));
    };
    match *first {
        b'"' => quoted_length(rest),
        close @ (b']' | b')' | b'}' | b'>') => {
            let near = memchr::memchr3(close, b'\n', b'\x1b', rest)?;
            // A thread's name may have brackets of its own.
            let nested = rest[near..].iter().take_while(|byte| **byte == close).count();
            Some(near + nested.saturating_sub(1))
        }
        // A logger's name may have dots of its own.
        b'.' => {
            let near = rest.iter().position(|byte| ends(byte) || *byte == b':').unwrap_or(rest.len());
            memchr::memrchr(b'.', &rest[..near])
        }
        stop => {
            let is_blank_behind = *length == 1 && matches!(after, Some(Step::Blank));
            let near = rest.iter().position(ends).unwrap_or(rest.len());
            if rest.get(near) == Some(&stop) {
                return Some(near);
            }
            // A colon within a name has no blank behind it.
            let is_stop =
                |at: &usize| !is_blank_behind || matches!(rest.get(at + 1), None | Some(b' ' | b'\t' | b'\n' | b'\r'));
            // Behind colours that end a name its stop may stand.
            let found = memchr::memchr_iter(stop, &rest[..near]).find(is_stop);
            found.or_else(|| (rest.get(near) == Some(&b'\x1b')).then_some(near))
        }
    }
}

/// Returns how long a text is that ends before a quote which no backslash stands before.
fn quoted_length(rest: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'"', rest).find(|at| {
        let slashes = rest[..*at].iter().rev().take_while(|byte| **byte == b'\\').count();
        slashes % 2 == 0
    })
}

/// Returns whether a word looks like the name of a class or a module: `a.B`, `my_app`, `SparkContext`.
fn looks_like_a_name(word: &[u8]) -> bool {
    let word = word.trim_ascii();
    let is_sign = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b':' | b'$' | b'/' | b'-' | b'#');
    word.iter().any(is_sign) && !word.ends_with(b".") || word.iter().skip(1).any(u8::is_ascii_uppercase)
}

/// Returns whether a text is the name of a file of source code, by its end.
fn is_source(text: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', text) else { return false };
    let kinds = ["go", "py", "rs", "java", "kt", "scala", "c", "cc", "cpp", "cxx", "h", "hpp", "js", "ts", "rb", "php"];
    kinds.iter().any(|kind| kind.as_bytes() == &text[dot + 1..])
}

/// Returns how long the structured data of RFC 5424 is: `-`, or elements in brackets, in the values of which a backslash takes a
/// quote's and a bracket's meaning.
fn elements(rest: &[u8]) -> Option<usize> {
    if rest.first() == Some(&b'-') {
        return Some(1);
    }
    let mut at = 0;
    while rest.get(at) == Some(&b'[') {
        let mut is_quoted = false;
        loop {
            at += 1;
            match rest.get(at)? {
                b'\\' => at += 1,
                b'"' => is_quoted = !is_quoted,
                b']' if !is_quoted => break,
                b'\n' => return None,
                _ => {}
            }
        }
        at += 1;
    }
    (at > 0).then_some(at)
}

/// Returns how long spans are: names with pairs in braces, joined by colons.
fn spans(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let name =
            rest[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
        if name == 0 || rest.get(at + name) != Some(&b'{') {
            return None;
        }
        at += name + 1;
        let mut is_quoted = false;
        loop {
            match rest.get(at)? {
                b'\\' => at += 1,
                b'"' => is_quoted = !is_quoted,
                b'}' if !is_quoted => break,
                b'\n' => return None,
                _ => {}
            }
            at += 1;
        }
        at += 1;
        if rest.get(at) != Some(&b':') {
            return None;
        }
        if rest.get(at + 1) == Some(&b' ') {
            return Some(at);
        }
        at += 1;
    }
}

fn digits(rest: &[u8]) -> Option<usize> {
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then_some(count)
}

fn decimal(rest: &[u8]) -> Option<usize> {
    let whole = digits(rest).filter(|length| *length <= 12)?;
    let fraction = rest[whole..].strip_prefix(b".").and_then(digits);
    Some(whole + fraction.map_or(0, |length| length + 1)).filter(|length| *length <= 22)
}

/// `3ms`, `1.234µs`, `2.5s`.
fn elapsed(rest: &[u8]) -> Option<usize> {
    let number = decimal(rest)?;
    let units = ["ms", "µs", "μs", "us", "ns", "s"];
    let unit = units.iter().find(|unit| rest[number..].starts_with(unit.as_bytes()))?;
    let end = number + unit.len();
    rest.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lays a layout over a record whose time and level stand between `<` and `>`, if they are marked so.
    fn check(pattern: &'static str, record: &str, level: Option<Level>, expected: &str) {
        let layout = HeaderLayout::new(pattern);
        let mark = |mark: char| record.find(mark).map_or(0, |at| at - record[..at].matches(['«', '»']).count() * 2);
        let offset = |at: usize| u32::try_from(at).expect("short");
        let time = Span { start: offset(mark('«')), end: offset(mark('»')) };
        let text = record.replace(['«', '»'], "");
        let layouts = Box::leak(Box::new([layout]));
        let outline = lay_over(layouts, text.as_bytes(), &ReadSoFar { time, level });
        let shown = outline.map_or("-".to_owned(), |outline| {
            let attributes = outline.attributes(text.as_bytes());
            let attributes = attributes
                .map(|(attribute, value)| format!("{}={} ", attribute.name(), String::from_utf8_lossy(value)));
            let end = outline.places.message_end.map_or(text.len(), |end| end as usize);
            attributes.collect::<String>() + "|" + &text[outline.places.message as usize..end]
        });
        assert_eq!(shown, expected, "{pattern} over {text:?}");
    }

    #[test]
    fn a_list_finds_what_its_layouts_find_one_by_one() {
        use crate::format::layouts;
        let lists = [layouts::LOG4J, layouts::PYTHON, layouts::GO, layouts::ACCESS, layouts::RFC3164, layouts::TRACING];
        assert!(layouts::LOG4J.iter().filter(|layout| layout.shared > 3).count() > 8, "nothing is shared");
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/applications.tsv"));
        let mut fitting = 0;
        for line in text.expect("the samples").lines().filter_map(|line| line.splitn(4, '\t').nth(3)) {
            for cut in [0, 1, 12, 24, 30] {
                let Some(line) = line.get(cut..) else { continue };
                let mut scan = Scan::new(line.as_bytes());
                scan.while_is(|byte| byte == b'[');
                let start = scan.at();
                let time = if scan.any_time() { scan.since(start) } else { Span::default() };
                for level in [Level::Info, Level::Warn, Level::Error] {
                    let found = ReadSoFar { time, level: Some(level) };
                    for list in lists {
                        let alone = |layout: &HeaderLayout| {
                            let alone = Box::leak(Box::new([HeaderLayout::new(layout.pattern)]));
                            lay_over(alone, line.as_bytes(), &found)
                        };
                        let expected = list.iter().find_map(alone);
                        assert_eq!(lay_over(list, line.as_bytes(), &found), expected, "{line:?}");
                        fitting += usize::from(expected.is_some());
                    }
                }
            }
        }
        assert!(fitting > 500, "{fitting}");
    }

    #[test]
    fn what_stands_in_a_header_is_found() {
        let info = Some(Level::Info);
        let klog = "{level}{time} {thread-id} {file}:{line}] {message}";
        check(klog, "I«0105 10:00:00.1»       1 a.go:15] x y", info, "thread-id=1 file=a.go line=15 |x y");
        check(klog, "I«0105 10:00:00.1»       1 a.go:x] x y", info, "-");
        let java = "{time} ‹[{thread}] ›{level} {logger} - {message}";
        check(java, "«10:00» [main-[1]] INFO  a.B - x", info, "thread=main-[1] logger=a.B |x");
        check(java, "«10:00» \x1b[32mINFO\x1b[0m a.B - x", info, "logger=a.B |x");
        check(java, "«10:00» [main] INFO a B - x", info, "-");
        let access = "{client} {ident} {user} [{time}] {request} {status} {bytes}‹ \"{referrer}\" \"{agent}\"›{tail}";
        check(
            access,
            r#"::1 - bob [«5»] "GET /a?b HTTP/1.1" 200 12 "-" "a \"b\"" 0.1 x"#,
            info,
            r#"client=::1 ident=- user=bob method=GET target=/a?b protocol=HTTP/1.1 status=200 bytes=12 referrer=- agent=a \"b\" extra=0.1 x |GET /a?b HTTP/1.1"#,
        );
        check(access, r#"::1 - - [«5»] "\x16 a" 400 -"#, info, r"client=::1 ident=- user=- status=400 bytes=- |\x16 a");
        check("{time} {logger}.{level}: {message}", "«5» a.b.INFO: x", info, "logger=a.b |x");
        check("{{{file}:{line}}} {message}", "{a.py:3} x", None, "file=a.py line=3 |x");
        check("{level}: {message}", "INFO: ", info, "|");
        check("{level}: {message}", "INFO:", info, "|");
        check("{level}: {message}", "INFO:x", info, "-");
        check("{level}: {message}", "WARN: x", info, "-");
        check("{logger}:_{duration} {message}", "a: 1.5µs x", None, "logger=a duration=1.5µs |x");
    }
}
