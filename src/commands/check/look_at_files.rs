//! Whether the files that match can be followed, what their first lines are, how they would be rotated.

use std::io;
use std::os::fd::OwnedFd;

use super::found_file::{File, LineCounts};
use super::survey::Survey;
use crate::disk::policy::Method;
use crate::disk::space;
use crate::disk::writers::{Writers, writers_of};
use crate::format::{FormatId, Formats, Judge};
use crate::output::rules::{FileRouter, Line, Route, Stream};
use crate::paths::beneath::{FileId, Stat};
use crate::paths::discover::{Discovery, Found, is_missing};
use crate::read::follower::{Follower, Look};
use crate::reclaim::archives::{archives_at, names_of_others};
use crate::reclaim::status::FileStatus;
use crate::report::finding::Kind;
use crate::report::refusal::Refusal;

/// How often a file is looked at until its first lines are found: behind a hole, or the end of a line of 4 MiB.
const GLANCES_MAX: usize = 64;

/// Returns the name of where a line goes, as `classify` has it.
fn name(route: Route) -> &'static str {
    match route {
        Route::To(Stream::Stdout) => "stdout",
        Route::To(Stream::Stderr) => "stderr",
        Route::Drop => "dropped",
    }
}

impl<'a> Survey<'a> {
    /// Looks at one file; `None` if it is gone by now.
    pub(super) fn file(&mut self, found: &Found, discovery: &Discovery) -> Option<File<'a>> {
        let stat = found.stat.as_ref().ok().copied();
        let mut file = File { path: found.path.display().to_string(), stat, ..File::default() };
        let router = self.config.router.of_file(&found.path);
        match found.open() {
            Err(why) if is_missing(&why) && !found.is_link() => return None,
            Err(why) => {
                self.refuse(&found.path, Refusal::to_follow(&why, stat), Refusal::none_followed);
            }
            Ok((opened, stat)) => {
                file.stat = Some(stat);
                file.readable = true;
                let policy = &self.config.rotate;
                let there = (discovery, &self.own);
                file.status = FileStatus::by_checkpoint(found, &self.known, policy, there, &mut self.buffer).ok();
                self.names_of_others(found, discovery);
                file.every_line = router.fixed().map(name);
                self.devices.push(stat.id.dev);
                let writable = space::open_for_writing(&opened);
                file.writable = writable.is_ok();
                self.rotation(&mut file, found, &stat, writable.err());
                if let Err(why) = self.first_lines(&mut file, found, &router, stat.id, opened) {
                    self.find_of(
                        &found.path,
                        Kind::Unreadable,
                        format!("cannot read {}: {why}; check the node's kernel log", file.path),
                    );
                }
            }
        }
        Some(file)
    }

    /// Finds out whether another program has files with the names of the file's archives.
    fn names_of_others(&mut self, found: &Found, discovery: &Discovery) {
        let policy = &self.config.rotate;
        if !policy.is_on() || (policy.keep == 0 && policy.method != Method::Rename) {
            return;
        }
        let archives = archives_at(discovery, &found.root, &found.path, policy.compress, self.own.clone());
        if let Ok(Some(name)) = archives.and_then(|archives| archives.of_another()) {
            self.findings.push(names_of_others(&found.path, &name));
        }
    }

    /// Finds out how the file would be rotated, if rotation is on.
    fn rotation(&mut self, file: &mut File<'a>, found: &Found, stat: &Stat, unwritable: Option<io::Error>) {
        let directory = self.directory(found.path.parent().unwrap_or(&found.root), found.open_parent());
        if !self.config.rotate.is_on() {
            return;
        }
        match self.method(stat, directory, unwritable) {
            Ok(method) => file.rotation = Some(method.name()),
            Err(why) => {
                // What was tried in the directory holds for its device, whatever it is.
                let is_of_device = why.is_of_device() || self.directories[directory].unpunchable.as_ref() == Some(&why);
                if !is_of_device || self.is_news(Kind::Rotation, stat.id.dev) {
                    self.refuse(&found.path, why, Refusal::none_reclaimed);
                }
            }
        }
    }

    /// Returns the method, or why there is none.
    fn method(&mut self, stat: &Stat, directory: usize, unwritable: Option<io::Error>) -> Result<Method, Refusal> {
        let (policy, at) = (&self.config.rotate, &self.directories[directory]);
        if policy.method == Method::Rename {
            return match &at.unwritable {
                Some(why) => Err(why.clone()),
                None if at.is_sticky_for(stat) => Err(Refusal::StickyArchive),
                None => Ok(Method::Rename),
            };
        }
        if let Some(why) = unwritable {
            return Err(Refusal::from(why).explained(Some(*stat), false));
        }
        if let Some(why) = at.unpunchable.as_ref().filter(|_| policy.method != Method::CopyTruncate) {
            return Err(why.clone());
        }
        let may_collapse = at.collapses && (policy.method == Method::Collapse || policy.keep > 0);
        match policy.method {
            Method::CopyTruncate => Ok(Method::CopyTruncate),
            Method::Auto | Method::Collapse if may_collapse && self.appends(stat.id) => Ok(Method::Collapse),
            _ => Ok(Method::Punch),
        }
    }

    /// Returns whether all writers of a file are seen to append.
    fn appends(&mut self, id: FileId) -> bool {
        self.writers_left = self.writers_left.saturating_sub(1);
        self.writers_left > 0 && writers_of(id) == Writers::Append
    }

    /// Judges the first lines, as many as one read gives.
    fn first_lines(
        &mut self,
        file: &mut File<'a>,
        found: &Found,
        router: &FileRouter,
        id: FileId,
        opened: OwnedFd,
    ) -> io::Result<()> {
        let formats: &'a Formats = &self.config.formats;
        let judge = formats.judge(&found.path);
        let pinned = judge.format().map(|id| formats.name(id));
        (file.format, file.pinned) = (pinned, pinned.is_some());
        let mut follower = Follower::from_beginning(id, opened);
        let mut glance = Look::Searching;
        for _ in 0..GLANCES_MAX {
            if glance == Look::Searching {
                glance = follower.look(&mut self.buffer, self.config.line_bytes_max)?;
            }
        }
        let (Look::Lines { data, .. } | Look::Part(data, _)) = glance else { return Ok(()) };
        let mut block = self.buffer.bytes(data);
        if follower.position().offset > 0 {
            // Behind a hole the first line is torn.
            block = memchr::memchr(b'\n', block).map_or(block, |end| &block[end + 1..]);
        }
        let mut note = |line: &Line<'_>| self.rules.iter_mut().for_each(|rule| rule.count(&found.path, line));
        let (decided, fitting) = judged(formats, judge, router, block, &mut file.first_lines, &mut note);
        let lines = file.first_lines.all();
        if lines == 0 {
            return Ok(());
        }
        file.format = Some(formats.name(decided));
        let Some(pin) = pinned.filter(|_| fitting == 0) else { return Ok(()) };
        let (likely, _) = judged(formats, Judge::default(), router, block, &mut LineCounts::default(), &mut |_| ());
        let likely = formats.name(likely);
        self.find_of(
            &found.path,
            Kind::Format,
            format!(
                "{} is pinned to {pin}, but {} {likely}; correct SIDETAIL_FORMATS, or remove the file from it",
                file.path,
                match lines {
                    1 => "its first line has another format; it looks like".to_owned(),
                    _ => format!("none of its first {lines} lines has that format; they look like"),
                }
            ),
        );
        Ok(())
    }
}

/// Judges a block of lines, and notes each that begins a record; returns the format that was decided, and how many lines are of it.
fn judged(
    formats: &Formats,
    mut judge: Judge,
    router: &FileRouter,
    block: &[u8],
    lines: &mut LineCounts,
    note: &mut dyn FnMut(&Line<'_>),
) -> (FormatId, u64) {
    let (mut start, mut fitting, mut record) = (0, 0, None);
    while start < block.len() {
        let end = memchr::memchr(b'\n', &block[start..]).map_or(block.len(), |length| start + length);
        let line = &block[start..end];
        let verdict = judge.line(formats, line, block.get(end + 1..).unwrap_or_default());
        let format = formats.name(verdict.format);
        let judged = Line { bytes: line, format, level: verdict.level };
        if !verdict.continues {
            note(&judged);
        }
        let of_line = || router.of_line(&judged);
        let route = record.filter(|_| verdict.continues).unwrap_or_else(of_line);
        record = Some(route);
        lines.count(route);
        fitting += u64::from(judge.format() == Some(verdict.format));
        start = end + 1;
    }
    (judge.format().unwrap_or(FormatId::PLAIN), fitting)
}
