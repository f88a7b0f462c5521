//! `sidetail check [--json] [--strict] [PATH...]`: what would be followed now, and what stands in the way.
//!
//! Every question is put to the part that answers it when it counts, and what is wrong is said in that part's words. It is
//! meant for `kubectl exec` beside a running sidetail: it changes nothing there. No checkpoint is written, no lock is kept,
//! and what a file system can do is tried on a file without a name. What is in the files is judged, never printed.

mod directory;
mod file;
mod json;
mod machine;
mod show;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use tracing_subscriber::filter::LevelFilter;

use super::{EXIT_WARNINGS, configuration, event_loop, print};
use crate::beneath::{Links, Root, Stat};
use crate::config::Config;
use crate::discover::{Discovery, Walked, is_missing};
use crate::follow::Buffer;
use crate::glob::Pattern;
use crate::log::{self, LogFormat};
use crate::refusal;
use crate::tracker::open_files_max;
use crate::watch::Watch;
use directory::Directory;
use file::File;
use machine::{Inotify, State};

/// Looks at everything once, and prints what was found.
pub fn check(paths: &[OsString], json: bool, strict: bool) -> ExitCode {
    let (config, runtime) = match configuration(paths).and_then(|config| Ok((config, event_loop()?))) {
        Ok(both) => both,
        Err(code) => return code,
    };
    // What the parts have to say waits in the queue, and nobody writes it but us.
    log::start(LevelFilter::WARN, LogFormat::Text);
    let report = {
        let _within = runtime.enter();
        Look::new(&config).report()
    };
    let text = if json { json::text(&report) } else { show::text(&report) };
    match print(&text) {
        ExitCode::SUCCESS if strict && !report.warnings.is_empty() => ExitCode::from(EXIT_WARNINGS),
        code => code,
    }
}

/// What was found; for people and for programs. Sizes are bytes.
#[derive(Debug)]
struct Report<'a> {
    version: &'static str,
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
    patterns: Vec<Matched<'a>>,
    /// Those that files are in, and the patterns' fixed ones.
    directories: Vec<Directory>,
    rotation: Option<Plan>,
    state: State,
    inotify: Inotify,
    /// How many files can be open at the same time.
    open_files_max: usize,
    /// How many files match, each counted once.
    files: usize,
    warnings: Vec<Warning>,
}

/// A pattern, its braces expanded, and what it matches now.
#[derive(Debug)]
struct Matched<'a> {
    pattern: String,
    /// Without those that a pattern before this one matches.
    files: Vec<File<'a>>,
    /// How many of those there are.
    named_before: u64,
}

/// What is asked for of rotation.
#[derive(Debug)]
struct Plan {
    method: &'static str,
    size: Option<u64>,
    interval_seconds: Option<u64>,
    keep: u32,
}

/// Something that is not as it should be.
#[derive(Debug)]
struct Warning {
    /// The kind, for programs.
    kind: &'static str,
    /// What is wrong, and the way out.
    message: String,
}

/// The look at everything, as far as it has come.
struct Look<'a> {
    config: &'a Config,
    watch: Watch,
    buffer: Buffer,
    state: State,
    directories: Vec<Directory>,
    /// How many files match.
    files: usize,
    /// The device of each file that can be followed.
    devices: Vec<u64>,
    /// Of how many more files it is asked who writes to them.
    writers_left: u32,
    warnings: Vec<Warning>,
    /// What was said, or looked at, of which device.
    told: Vec<(&'static str, u64)>,
}

impl<'a> Look<'a> {
    fn new(config: &'a Config) -> Self {
        let mut warnings = Vec::new();
        let state = State::look(config, &mut warnings);
        Self {
            config,
            watch: Watch::start(),
            buffer: Buffer::default(),
            state,
            directories: Vec::new(),
            files: 0,
            devices: Vec::new(),
            writers_left: file::WRITERS_ASKED_MAX,
            warnings,
            told: Vec::new(),
        }
    }

    fn report(mut self) -> Report<'a> {
        self.take_said("inotify");
        let patterns = self.patterns();
        self.weigh();
        let open_files_max = open_files_max();
        let files = self.devices.len();
        if files > open_files_max {
            self.warn(
                "open-files",
                format!(
                    "{files} files match, and {open_files_max} of them can be open at the same time: quiet ones are closed and \
                     opened again; raise the limit of open files, or name fewer in SIDETAIL_PATHS"
                ),
            );
        }
        let rotate = &self.config.rotate;
        let rotation = rotate.is_on().then(|| Plan {
            method: rotate.method.name(),
            size: rotate.size,
            interval_seconds: rotate.interval.map(|interval| interval.as_secs()),
            keep: rotate.keep,
        });
        let groups = rustix::process::getgroups().unwrap_or_default();
        Report {
            version: env!("CARGO_PKG_VERSION"),
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            groups: groups.into_iter().map(rustix::fs::Gid::as_raw).collect(),
            patterns,
            directories: self.directories,
            rotation,
            state: self.state,
            inotify: Inotify::look(&self.watch),
            open_files_max,
            files: self.files,
            warnings: self.warnings,
        }
    }

    fn warn(&mut self, kind: &'static str, message: String) {
        self.warnings.push(Warning { kind, message });
    }

    /// Takes over what the parts said, as warnings of this kind.
    fn take_said(&mut self, kind: &'static str) {
        while let Some(line) = log::next_line() {
            let line = String::from_utf8_lossy(&line);
            self.warn(kind, line.trim_end().strip_prefix(log::PREFIX).unwrap_or(&line).to_owned());
        }
    }

    /// Looks for what the patterns match.
    fn patterns(&mut self) -> Vec<Matched<'a>> {
        let config = self.config;
        let mut discovery = Discovery::new(config.paths.clone(), config.exclude.clone(), config.links);
        let was_polling = self.watch.is_polling();
        let Walked { found, failed } = discovery.walk(&mut self.watch);
        self.take_said(if self.watch.is_polling() && !was_polling { "inotify" } else { "links" });
        for (path, why) in &failed {
            let reason = refusal::reason(why, Stat::of_directory(path).ok());
            self.warn("unreadable", format!("cannot follow {}: {reason}", path.display()));
        }
        let matched = |pattern: &Pattern| Matched { pattern: pattern.text(), files: Vec::new(), named_before: 0 };
        let mut patterns: Vec<Matched<'a>> = config.paths.iter().map(matched).collect();
        for found in found {
            let matches = |pattern: &Pattern| pattern.matches(&found.path);
            let mut matching = config.paths.iter().zip(&mut patterns).filter(|(pattern, _)| matches(pattern));
            if let Some((_, Matched { files, .. })) = matching.next()
                && let Some(file) = self.file(&found)
            {
                files.insert(files.partition_point(|known| known.path < file.path), file);
                matching.for_each(|(_, other)| other.named_before += 1);
                self.files += 1;
            }
        }
        for (pattern, matched) in config.paths.iter().zip(&patterns) {
            let is_known = !failed.iter().any(|(path, _)| path.starts_with(&pattern.root));
            let is_empty = is_known && matched.files.is_empty() && matched.named_before == 0;
            self.fixed_directory(&pattern.root, is_empty, &matched.pattern);
        }
        patterns
    }

    /// Looks at a pattern's fixed directory, and says so if it is missing, or has nothing in it that matches.
    fn fixed_directory(&mut self, root: &Path, is_empty: bool, pattern: &str) {
        let opened = Root::open(root, Links::Any).and_then(|open| open.open_parent(Path::new("x")));
        if opened.as_ref().is_err_and(is_missing) {
            return self.warn(
                "directory-missing",
                format!(
                    "{} does not exist yet, for {pattern}: it is followed when it is made; if the application has it on a \
                     volume, mount that in this container too",
                    root.display()
                ),
            );
        }
        if is_empty {
            self.warn(
                "no-match",
                format!(
                    "{pattern} matches nothing yet: files are followed when they come up; see that the application writes there, \
                     and that both containers mount the volume"
                ),
            );
        }
        self.directory(root, opened);
    }
}
