//! One file's lines, judged one by one: format, level, and whether they continue a record.
//!
//! Invariant: what is said of a line depends on the lines before it by the [`Judge`] alone, which is a copy type: a line that
//! is judged again from the same state is found to be the same.

use std::path::Path;

use super::block::{Later, RecordLines};
use super::catalog::{FORMATS, FormatId};
use super::fast::{FoundHead, Headers, Skim, Unread, Vain};
use super::formats::own::OwnFormat;
use super::head::{Head, Span};
use super::level::Level;
use super::likely;
use super::scan::may_be_heading;
use super::time::Times;
use super::{continuation, general, reading};
use crate::paths::glob::NameGlob;

/// After how many records in a row that are of the same other format a file is taken to be in that one.
const RIVALS_MAX: u8 = 4;

/// Among how many records, from a file's first on, it is decided which format the file is in. What comes later is read as
/// that, or each for itself: so what was said of a line does not depend on lines that stand far before it.
const DECIDING_RECORDS: u8 = 64;

/// How far behind a record's first line its level is looked for, in bytes: in a JSON object that is printed over several
/// lines, in the second line of java.util.logging.
pub(crate) const AHEAD_BYTES_MAX: usize = 4096;

/// Every format there is: the built-in ones and the user's, and which files are pinned to one.
#[derive(Debug)]
pub struct Formats {
    /// The user's own.
    pub own: Vec<OwnFormat>,
    /// `FORMATS`: the first glob that matches a file pins its format.
    pub pins: Vec<(NameGlob, FormatId)>,
    /// `MULTILINE`: whether lines can continue a record.
    pub multiline: bool,
    /// The headers that were read lately.
    pub headers: Headers,
    /// `TIMEZONE`.
    pub times: Times,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            own: Vec::new(),
            pins: Vec::new(),
            multiline: true,
            headers: Headers::default(),
            times: Times::default(),
        }
    }
}

impl Formats {
    /// Returns the format of this name, if there is one.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<FormatId> {
        self.names().position(|known| known == name).map(FormatId::at)
    }

    /// Returns the names of all formats, the user's own last.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        FORMATS.iter().map(|format| format.name).chain(self.own.iter().map(|own| &*own.name))
    }

    /// Returns what to say of a name that no format has.
    #[must_use]
    pub(crate) fn unknown(&self, name: &str) -> String {
        let names: Vec<_> = self.names().collect();
        match likely::meant(name, &names) {
            Some(meant) => format!("there is no format {name:?}; did you mean {meant}?"),
            None => format!("there is no format {name:?}; the formats are {}", names.join(", ")),
        }
    }

    /// Returns the name of a format.
    #[must_use]
    pub fn name(&self, id: FormatId) -> &str {
        match FORMATS.get(id.index()) {
            Some(format) => format.name,
            None => self.own.get(id.index() - FORMATS.len()).map_or("", |own| &own.name),
        }
    }

    /// Returns a judge for the lines of a file that was not seen before.
    #[must_use]
    pub fn judge(&self, path: &Path) -> Judge {
        let pinned = self.pins.iter().find(|(glob, _)| glob.matches(path)).map(|(_, id)| *id);
        Judge { decided: pinned, is_pinned: pinned.is_some(), ..Judge::default() }
    }

    /// Reads a line of a file that is in this format: from its header, if that was read lately.
    fn read_again(&self, id: FormatId, line: &[u8]) -> Option<Head> {
        let known = self.headers.find(id, line);
        let known = known.map(|head| id.built_in().map_or(head, |format| reading::read_behind(format, line, head)));
        known.or_else(|| {
            let head = self.read(id, line)?;
            let header = line.get(..head.header as usize).unwrap_or_default();
            // What could be a heading is read each time.
            if head.level < Some(Level::Error) || !may_be_heading(header) {
                self.headers.remember(id, line, header.len(), head);
            }
            Some(head)
        })
    }

    fn read(&self, id: FormatId, line: &[u8]) -> Option<Head> {
        match FORMATS.get(id.index()) {
            Some(format) => reading::read(format, line),
            None => self.own.get(id.index() - FORMATS.len())?.read(line),
        }
    }

    fn lines(&self, id: FormatId) -> RecordLines {
        FORMATS.get(id.index()).map_or(RecordLines::Multiple, |format| format.lines)
    }

    /// Returns the first format but `plain` that claims the line, the user's own first, and what it reads.
    /// Those that raise no alarms are among them if `asks_all`.
    fn find(&self, line: &[u8], asks_all: bool) -> Option<(FormatId, Head)> {
        let own = self.own.iter().enumerate();
        let mut own = own.filter_map(|(index, own)| Some((FormatId::at(FORMATS.len() + index), own.read(line)?)));
        own.next().or_else(|| if asks_all { reading::find_among_all(line) } else { reading::find(line) })
    }
}

/// What a line was found to be; by default a plain one without a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Its format; of a continuation line that of its record.
    pub format: FormatId,
    /// What level it states; of a continuation line what its record states.
    pub level: Option<Level>,
    /// Whether it belongs to the record before it.
    pub continues: bool,
    /// Where its time stands, if it begins a record.
    pub time: Span,
    /// Where its message begins, if it begins a record.
    pub message: u32,
}

/// The record that a line may continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LastRecord {
    format: FormatId,
    level: Option<Level>,
    /// The last line of it was part of a trace.
    in_trace: bool,
    /// The next line belongs to it, whatever it looks like.
    is_open: bool,
    /// What else belongs to it.
    lines: RecordLines,
    /// That is so until a quote is closed; then what the format says.
    is_quoted: bool,
}

impl LastRecord {
    /// A record of which nothing is known but this.
    fn unknown(level: Option<Level>, in_trace: bool) -> Self {
        let (format, lines) = (FormatId::PLAIN, RecordLines::Single);
        Self { format, level, in_trace, is_open: false, lines, is_quoted: false }
    }
}

/// What is known of one file: some 20 bytes.
///
/// It is a copy type, so that a caller can judge a line, find that it cannot be streamed now, and forget the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Judge {
    decided: Option<FormatId>,
    is_pinned: bool,
    /// Another format that the last records were of, and how many.
    rival: Option<(FormatId, u8)>,
    /// How many records were met, up to [`DECIDING_RECORDS`].
    records: u8,
    record: Option<LastRecord>,
    /// How many bytes that follow are known to be the rest of a JSON object over several lines.
    object_bytes: usize,
    vain: Vain,
    /// A record was met that states errors by what raises no alarm.
    reads_all: bool,
}

impl Judge {
    /// Returns the format that the file is in, once that is decided.
    #[must_use]
    pub(crate) fn format(&self) -> Option<FormatId> {
        self.decided
    }

    /// Returns whether a line that is not there yet may continue the last record, and how likely is it: a stack trace does, but
    /// nothing follows an access log's line.
    #[must_use]
    pub fn may_go_on(&self, formats: &Formats) -> bool {
        let Some(record) = self.record.filter(|_| formats.multiline) else { return false };
        record.is_open || record.in_trace || self.object_bytes > 0 || record.lines == RecordLines::Multiple
    }

    /// Goes on behind a record of which a process before this one has streamed something; `level` is what is known of it. An
    /// error has a trace behind it, as far as one can know.
    #[must_use]
    pub(crate) fn resumed(mut self, level: Option<Level>) -> Self {
        let in_trace = level >= Some(Level::Error);
        self.record = Some(LastRecord::unknown(level, in_trace));
        self
    }

    /// Returns whether a line is read as it would be anywhere else in its file, but for the record that it may continue: which
    /// format the file is in is decided for good, and nothing of the record before is open.
    fn is_settled(&self, formats: &Formats) -> bool {
        let is_decided = self.is_pinned || self.records >= DECIDING_RECORDS;
        let is_open = self.object_bytes > 0 || self.record.is_none_or(|record| record.is_open);
        let has_alarms = !self.reads_all && self.decided.is_none_or(|id| !has_no_alarms(id));
        is_decided && !is_open && has_alarms && formats.own.is_empty()
    }

    /// Returns whether neither to the last record nor to any of the file's own format lines belong that look like no trace.
    fn is_among_single_lines(&self) -> bool {
        let is_single = |id: FormatId| {
            id.built_in().is_some_and(|format| format.lines == RecordLines::Single && !format.is_quoting)
        };
        self.record.is_some_and(|record| record.lines == RecordLines::Single) && self.decided.is_none_or(is_single)
    }

    /// Returns what a line says if it begins a record; `None` if it continues the record before, whatever that is.
    fn head_alone(&self, formats: &Formats, text: &[u8]) -> Option<FoundHead> {
        let decided = self.decided.filter(|id| *id != FormatId::PLAIN);
        if let Some(head) = decided.and_then(|id| formats.read_again(id, text)) {
            return Some(FoundHead { head, format: decided });
        }
        let is_indented = matches!(text.first(), Some(b' ' | b'\t'));
        // To a file that is pinned to `plain`, blanks at the front say nothing.
        if formats.multiline && is_indented && self.decided != Some(FormatId::PLAIN) {
            return None;
        }
        match self.find(formats, text) {
            Some((id, head)) => Some(FoundHead { head, format: Some(id) }),
            None => Some(FoundHead { head: general::read(text), format: None }),
        }
    }

    /// Returns whether a line begins a record, whatever the one before it is: it has a header of the file's format, or a time. It
    /// may begin one also if this says no.
    fn begins_clearly(&self, formats: &Formats, text: &[u8]) -> bool {
        if !formats.multiline {
            return true;
        }
        if let Some(id) = self.decided.filter(|id| *id != FormatId::PLAIN) {
            if let Some(head) = formats.read_again(id, text) {
                return !head.continues;
            }
            if id.built_in().is_none_or(reading::may_continue) {
                return false;
            }
        }
        reading::begins_by_time(text)
    }

    /// Goes on behind lines that were not read, with a line that begins a record whatever stands before it.
    fn pass_over(&mut self) {
        self.record = Some(LastRecord::unknown(None, false));
        self.rival = None;
    }

    /// Returns the format of the last record, if there was one, and whether its last line goes on in the next.
    #[must_use]
    pub(crate) fn last_record(&self) -> Option<(FormatId, bool)> {
        self.record.map(|record| (record.format, record.is_open))
    }

    /// Forgets the record before: what comes is another file's.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self { decided: self.decided.filter(|_| self.is_pinned), is_pinned: self.is_pinned, ..Self::default() };
    }

    /// Judges the next line of the file, given without its newline; `following` is what is known to stand behind its newline.
    pub fn line(&mut self, formats: &Formats, line: &[u8], following: &[u8]) -> Verdict {
        self.line_found(formats, line, following, None)
    }

    /// The same of a line of which this was found when lines before it were [passed over](Skim::pass_over): it is not read again.
    pub fn line_found(
        &mut self,
        formats: &Formats,
        line: &[u8],
        following: &[u8],
        found: Option<FoundHead>,
    ) -> Verdict {
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(record) = self.record.filter(|_| formats.multiline)
            && (record.is_open || self.object_bytes > 0)
        {
            return self.within_open(formats, record, line, text);
        }
        let found = found.filter(|_| self.decided != Some(FormatId::PLAIN));
        let own = match found {
            Some(FoundHead { head, format }) => Some(head).filter(|_| format.is_some() && format == self.decided),
            None => self.decided.and_then(|id| formats.read_again(id, text)),
        };
        if let Some(head) = own {
            self.rival = None;
            let id = self.decided.unwrap_or(FormatId::PLAIN);
            // What `plain` claims may still be a line of another format, or continue the record before.
            if id != FormatId::PLAIN || self.is_pinned && !self.continues(formats, text, &head) {
                return self.begin(formats, id, head, text, following);
            }
        }
        if self.continues_certainly(formats, text) {
            return self.go_on(text);
        }
        let other = match found {
            Some(FoundHead { head, format }) => format.map(|id| (id, head)),
            None => self.find(formats, text),
        };
        if let Some((id, head)) = other {
            self.meet(id);
            return self.begin(formats, id, head, text, following);
        }
        let head = found.map_or_else(|| general::read(text), |found| found.head);
        if self.continues(formats, text, &head) {
            return self.go_on(text);
        }
        self.begin(formats, FormatId::PLAIN, head, text, following)
    }

    /// Returns the format that claims a line which is not of the decided one, and what it reads; a file that is pinned has no
    /// other.
    fn find(&self, formats: &Formats, text: &[u8]) -> Option<(FormatId, Head)> {
        let asks_all = self.reads_all || self.records < DECIDING_RECORDS;
        if self.is_pinned { None } else { formats.find(text, asks_all) }
    }

    /// Decides, or thinks again, after a line of another format than the decided one.
    fn meet(&mut self, id: FormatId) {
        if self.records >= DECIDING_RECORDS {
            return;
        }
        let count = match self.rival {
            Some((rival, count)) if rival == id => count + 1,
            _ => 1,
        };
        if self.decided.is_none() || count >= RIVALS_MAX {
            self.decided = Some(id);
            self.rival = None;
        } else {
            self.rival = Some((id, count));
        }
    }

    fn begin(&mut self, formats: &Formats, id: FormatId, head: Head, text: &[u8], following: &[u8]) -> Verdict {
        // What the database says more of an error stands without a time also in the logs of its clients.
        let is_told = |record: LastRecord| head.time == Span::default() && record.level >= Some(Level::Error);
        let may_go_on =
            |record: LastRecord| (record.format == id || is_told(record)) && !(head.is_second && record.in_trace);
        if head.continues && formats.multiline && self.record.is_some_and(may_go_on) {
            let verdict = self.go_on(text);
            self.keep_open(head.is_open);
            return verdict;
        }
        self.records = DECIDING_RECORDS.min(self.records + 1);
        self.reads_all |= has_no_alarms(id);
        let mut level = head.level;
        if level.is_none() && formats.multiline {
            level = self.level_ahead(id, text, &following[..following.len().min(AHEAD_BYTES_MAX)]);
        }
        // What has a header is no line of a trace, and what begins one is an error.
        let begins_trace = || continuation::begins_trace(continuation::without_prefix(text));
        let in_trace = id == FormatId::PLAIN && level >= Some(Level::Error) && begins_trace();
        let is_quoted = formats.multiline && is_quoting(id) && has_open_quote(text);
        // Whoever writes a time before a record writes it before each.
        let is_headed = id == FormatId::PLAIN && head.time != Span::default();
        let lines = match level {
            Some(_) if is_headed => RecordLines::Loose,
            None if is_headed => RecordLines::Traces,
            _ if is_quoted => RecordLines::Loose,
            _ => formats.lines(id),
        };
        self.record = Some(LastRecord { format: id, level, in_trace, is_open: head.is_open, lines, is_quoted });
        Verdict { format: id, level, continues: false, time: head.time, message: head.message }
    }

    /// Returns the level of a record that states it in a line behind its first.
    fn level_ahead(&mut self, id: FormatId, text: &[u8], ahead: &[u8]) -> Option<Level> {
        match id.built_in()?.later {
            Later::Object(read) if text == b"{" => {
                let (level, bytes) = read(ahead);
                // A brace alone has something behind it, though that may not be there yet.
                self.object_bytes = bytes.max(1);
                level
            }
            Later::Second(level) | Later::Ahead(level) => level(ahead),
            Later::BehindTime(level) if general::is_time_alone(text) => level(ahead),
            _ => None,
        }
    }

    /// A line of which the line before said that it belongs to it.
    fn within_open(&mut self, formats: &Formats, record: LastRecord, line: &[u8], text: &[u8]) -> Verdict {
        self.object_bytes = self.object_bytes.saturating_sub(line.len() + 1);
        let is_open = record.is_open && formats.read(record.format, text).is_some_and(|head| head.is_open);
        if let Some(record) = &mut self.record
            && record.level.is_none()
            && let Some(Later::Second(level)) = record.format.built_in().map(|format| format.later)
        {
            // The line was not there yet when its record began.
            record.level = level(text);
        }
        let verdict = self.go_on(text);
        self.keep_open(is_open);
        verdict
    }

    fn keep_open(&mut self, is_open: bool) {
        if let Some(record) = &mut self.record {
            record.is_open = is_open;
        }
    }

    fn go_on(&mut self, text: &[u8]) -> Verdict {
        let record = self.record.get_or_insert(LastRecord::unknown(None, false));
        record.in_trace = !text.is_empty() || record.in_trace;
        if record.is_quoted && has_open_quote(text) {
            record.is_quoted = false;
            record.lines = record.format.built_in().map_or(RecordLines::Single, |format| format.lines);
        }
        let LastRecord { format, level, .. } = *record;
        Verdict { format, level, continues: true, time: Span::default(), message: 0 }
    }

    /// Returns whether a line continues the record before it so clearly that no other format need be asked.
    fn continues_certainly(&self, formats: &Formats, text: &[u8]) -> bool {
        // A blank line goes with the record before it, never alone.
        let is_indented = matches!(text.first(), None | Some(b' ' | b'\t'));
        formats.multiline && is_indented && self.record.is_some()
    }

    /// Returns whether a line that no format claims, and that says this, continues the record before it.
    fn continues(&self, formats: &Formats, text: &[u8], head: &Head) -> bool {
        let Some(record) = self.record.filter(|_| formats.multiline) else { return false };
        let is_built_in = record.format.index() < FORMATS.len();
        let is_record = || head.time != Span::default() || general::begins_with_level(text);
        match record.lines {
            RecordLines::Multiple => !(continuation::is_crash(text, record.level) || is_built_in && is_record()),
            RecordLines::Traces => {
                continuation::is_error_name(text) || continuation::continues(text, record.in_trace, record.level)
            }
            RecordLines::Loose => continues_loosely(record, text) && !is_record(),
            RecordLines::Single => {
                continuation::continues(text, record.in_trace, record.level)
                    || record.in_trace && record.level >= Some(Level::Error) && general::is_time_alone(text)
                    || record.in_trace && !is_record() && continuation::goes_on_behind_prefix(text, record.level)
                    || record.level >= Some(Level::Error) && continuation::is_error_behind_prefix(text)
            }
        }
    }
}

/// Returns whether a line that does not begin with a time says nothing of itself, so that it belongs to the record before it.
fn continues_loosely(record: LastRecord, text: &[u8]) -> bool {
    if continuation::continues(text, record.in_trace, record.level) {
        return true;
    }
    if continuation::is_error_name(text) {
        // Behind a header of no known format an exception is that of the record, unless that says that all is well.
        let is_headed = record.format == FormatId::PLAIN;
        let is_fine = record.level.is_some_and(|level| level < Level::Warn);
        return if is_headed { !is_fine } else { record.level >= Some(Level::Error) };
    }
    let is_end = continuation::is_script_place(text) && record.level < Some(Level::Warn);
    !is_end && !general::states_level(text) && !continuation::is_crash(text, record.level)
}

fn has_no_alarms(id: FormatId) -> bool {
    id.built_in().is_some_and(|format| format.has_no_alarms)
}

fn is_quoting(id: FormatId) -> bool {
    id.built_in().is_some_and(|format| format.is_quoting)
}

/// Returns whether a quote that the text opens, or one that was open, changes what follows: their number is odd.
fn has_open_quote(text: &[u8]) -> bool {
    memchr::memchr_iter(b'"', text).count() % 2 == 1
}

impl Skim<'_> {
    /// Passes over lines from `from` on, and returns which. `from` is the front of a line that is not before those that were passed
    /// over or read; `is_behind_error` says whether the record before is an error, which it may go on with.
    ///
    /// `None` while what comes must be read anyhow, because the file's format is not decided, its last record is open, or it is
    /// an error that perhaps goes on.
    pub fn pass_over(
        &mut self,
        judge: &mut Judge,
        formats: &Formats,
        from: usize,
        is_behind_error: bool,
    ) -> Option<Unread> {
        if !judge.is_settled(formats) {
            return None;
        }
        if !self.is_worth_a_try(&mut judge.vain) {
            return None;
        }
        let begins_clearly = |text: &[u8]| judge.begins_clearly(formats, text);
        if is_behind_error && !begins_clearly(self.line(from)) {
            return None;
        }
        let alone = |text: &[u8]| judge.head_alone(formats, text);
        let multiple = judge.is_among_single_lines().then_some(reading::begins_multiple_lines as fn(&[u8]) -> bool);
        let unread = self.unread(formats.multiline, alone, begins_clearly, multiple, from);
        if unread.end > from {
            judge.pass_over();
            self.passed_over(unread.end - from, &mut judge.vain);
        }
        Some(unread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_in_the_second_line_is_known_ahead_or_as_soon_as_it_is_there() {
        let formats = Formats::default();
        let lines = ["Jan 05, 2026 10:00:00 AM com.example.App main", "SEVERE: x", "java.lang.Error"];
        for (ahead, expected) in [("SEVERE: x\n", Some(Level::Error)), ("", None)] {
            let mut judge = formats.judge(Path::new("app.log"));
            assert_eq!(judge.line(&formats, lines[0].as_bytes(), ahead.as_bytes()).level, expected);
            for line in &lines[1..] {
                let verdict = judge.line(&formats, line.as_bytes(), b"");
                assert_eq!((verdict.level, verdict.continues), (Some(Level::Error), true), "{line}");
            }
        }
    }
}
