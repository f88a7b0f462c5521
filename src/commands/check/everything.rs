//! `check` asks each part of the program what it would do; what is wrong is that part's finding.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use super::found::{Matched, Plan, Report};
use super::machine::Inotify;
use super::survey::Survey;
use super::{as_json, as_text};
use crate::commands::exit::{EXIT_WARNINGS, configuration, event_loop, print};
use crate::paths::around::Names;
use crate::paths::discover::{Discovery, Walked, is_missing};
use crate::paths::glob::Pattern;
use crate::paths::open_directory::OpenDirectory;
use crate::paths::roots::Roots;
use crate::report::finding::{Finding, Kind};
use crate::report::last_words;
use crate::report::refusal::Refusal;
use crate::report::unmatched::UNMATCHED_MAX;
use crate::track::tracker::open_files_max;

/// Looks at everything once, and prints what was found.
pub(crate) fn check(paths: &[OsString], json: bool, strict: bool) -> ExitCode {
    let (config, runtime) = match configuration(paths).and_then(|config| Ok((config, event_loop()?))) {
        Ok(both) => both,
        Err(code) => return code,
    };
    let mut report = {
        let _within = runtime.enter();
        Survey::new(&config).report()
    };
    // As an init container it is run before the application, and must not keep that from starting.
    report.findings.retain(|found| !(strict && found.kind.passes()));
    let text = if json { as_json::text(&report) } else { as_text::text(&report) };
    match print(&text) {
        ExitCode::SUCCESS if strict && !report.findings.is_empty() => {
            last_words::leave(report.findings.iter().map(|found| &*found.text));
            ExitCode::from(EXIT_WARNINGS)
        }
        code => code,
    }
}

impl<'a> Survey<'a> {
    fn report(mut self) -> Report<'a> {
        let patterns = self.patterns();
        self.find_of_owners();
        self.weigh();
        let open_files_max = open_files_max();
        let files = self.devices.len();
        if files > open_files_max {
            self.find(
                Kind::OpenFiles,
                format!(
                    "{files} files match, but only {open_files_max} can be open at a time, so quiet files are closed \
                     and reopened; raise the open-file limit, or match fewer files with SIDETAIL_PATHS"
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
            rules: self.rules,
            state: self.state,
            inotify: Inotify::look(&self.watch),
            open_files_max,
            files: self.files,
            findings: self.findings,
        }
    }

    /// Looks for what the patterns match.
    fn patterns(&mut self) -> Vec<Matched<'a>> {
        let config = self.config;
        let mut discovery = Discovery::new(config.paths.clone(), config.exclude.clone(), config.links);
        let Walked { found, failed, is_openat2_refused, .. } = discovery.walk(&mut self.watch);
        self.findings.extend(self.watch.take_lost().map(|why| Finding::from(&why)));
        self.findings.extend(is_openat2_refused.then(Finding::without_openat2));
        for (path, why) in &failed {
            let why = Refusal::of_walk(why, discovery.stat_directory(path).ok());
            self.refuse(path, why, Refusal::none_followed);
        }
        // Each directory is looked at once, however many patterns it has.
        let mut names_by_root = HashMap::new();
        let mut beside = |root| {
            let names =
                names_by_root.entry(root).or_insert_with(|| Names::of_files_beside(root, &config.paths, &found));
            names.clone()
        };
        let matched = |pattern: &'a Pattern| Matched {
            pattern: pattern.text(),
            files: Vec::new(),
            named_before: 0,
            beside: beside(&pattern.root),
            left_out: left_out(pattern, &discovery),
        };
        let mut patterns: Vec<Matched<'a>> = config.paths.iter().map(matched).collect();
        for found in found {
            let matches = |pattern: &Pattern| pattern.matches(&found.path);
            let mut matching = config.paths.iter().zip(&mut patterns).filter(|(pattern, _)| matches(pattern));
            if let Some((_, Matched { files, .. })) = matching.next()
                && let Some(file) = self.file(&found, &discovery)
            {
                files.insert(files.partition_point(|known| known.path < file.path), file);
                matching.for_each(|(_, other)| other.named_before += 1);
                self.files += 1;
            }
        }
        let mut unmatched = 0;
        for (pattern, matched) in config.paths.iter().zip(&patterns) {
            let is_known = !failed.iter().any(|(path, _)| path.starts_with(&pattern.root));
            let is_empty = is_known && matched.files.is_empty() && matched.named_before == 0;
            if is_empty && unmatched < UNMATCHED_MAX {
                self.findings.push(Finding::unmatched(pattern, discovery.left_out()));
            } else if is_empty && unmatched == UNMATCHED_MAX {
                self.findings.push(Finding::more_unmatched());
            }
            unmatched += usize::from(is_empty);
            self.fixed_directory(&pattern.root);
        }
        patterns
    }

    /// Looks at a pattern's fixed directory, if it is there.
    fn fixed_directory(&mut self, root: &Path) {
        let opened =
            Roots::new(self.config.links).open(root).and_then(|open| OpenDirectory::beneath(&open, Path::new("")));
        if !opened.as_ref().is_err_and(is_missing) {
            self.directory(root, opened);
        }
    }
}

/// Returns files that a pattern matches and that are left out, with the reason.
fn left_out(pattern: &Pattern, discovery: &Discovery) -> Vec<(String, &'static str)> {
    let matching = discovery.left_out().iter().filter(|(path, _)| pattern.matches(path));
    matching.map(|(path, why)| (path.display().to_string(), why.reason())).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::super::found_directory::Directory;
    use super::*;
    use crate::commands::exit::event_loop;
    use crate::config::Config;
    use crate::reclaim::refuse::without_state;
    use crate::shelf::checkpoint::Checkpoint;

    fn config(dir: &Path, variables: &[(&str, &str)]) -> Config {
        let paths = format!("{}/*.log", dir.display());
        let all = [&[("PATHS", &*paths)], variables].concat();
        let all = all.into_iter().map(|(name, value)| (format!("SIDETAIL_{name}").into(), value.into()));
        Config::from_variables(all, &[], dir).expect("a valid configuration")
    }

    /// What is found, apart from what is of the machine, if these directories look so.
    fn findings(config: &Config, directories: Vec<Directory>) -> Vec<Finding> {
        let runtime = event_loop().expect("an event loop");
        let _within = runtime.enter();
        let survey = Survey { directories, ..Survey::new(config) };
        let of_machine = [Kind::BirthTimes, Kind::Inotify, Kind::NearlyFull];
        survey.report().findings.into_iter().filter(|found| !of_machine.contains(&found.kind)).collect()
    }

    #[test]
    fn what_is_found_is_what_the_parts_return() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        symlink("/etc/hostname", dir.path().join("a.log")).expect("a link");
        symlink("nowhere", dir.path().join("b.log")).expect("a link");
        fs::create_dir(dir.path().join("c.log")).expect("made");
        let config = config(dir.path(), &[("STATE", "/dev/null/state"), ("ROTATE_SIZE", "64Ki")]);
        let checkpoint = Checkpoint::new(&config.state, dir.path(), &config.patterns_text);
        let not_a_directory = rustix::io::Errno::NOTDIR.into();
        let mut expected = vec![checkpoint.not_kept(&not_a_directory), without_state()];
        let refused = [Refusal::LinkLeadsOut, Refusal::LinkToNothing, Refusal::IsDirectory];
        let names = ["a.log", "b.log", "c.log"].map(|name| dir.path().join(name));
        expected.extend(refused.iter().zip(&names).map(|(refusal, path)| refusal.not_followed(path)));
        let found = findings(&config, Vec::new());
        let sorted = |mut findings: Vec<Finding>| {
            findings.sort_unstable_by(|one, other| (&one.about, &one.text).cmp(&(&other.about, &other.text)));
            findings
        };
        assert_eq!(sorted(found), sorted(expected));
    }

    #[test]
    fn what_holds_for_the_device_is_found_once_and_what_holds_for_a_file_of_each() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let paths = ["a.log", "b.log"].map(|name| dir.path().join(name));
        paths.iter().for_each(|path| fs::write(path, "a\n").expect("written"));
        let disk_full = Refusal::Os(rustix::io::Errno::NOSPC);
        for (method, unpunchable, unwritable, times) in [
            ("punch", Some(Refusal::NoHoles), None, 1),
            ("punch", Some(disk_full.clone()), None, 1),
            ("copytruncate", Some(Refusal::NoHoles), None, 0),
            ("rename", Some(Refusal::NoHoles), None, 0),
            ("rename", None, Some(Refusal::ReadOnly), 1),
            ("rename", None, Some(disk_full), 2),
            ("rename", None, Some(Refusal::StickyArchive), 2),
        ] {
            let config = config(dir.path(), &[("ROTATE_SIZE", "64Ki"), ("ROTATE_METHOD", method)]);
            let why = unpunchable.clone().or(unwritable.clone());
            let path = dir.path().to_owned();
            let directory = Directory { path, unpunchable, unwritable, ..Directory::default() };
            let mut found = findings(&config, vec![directory]);
            found.sort_by(|one, other| one.about.cmp(&other.about));
            let expected = paths.iter().take(times).filter_map(|path| Some(why.as_ref()?.not_reclaimed(path)));
            assert_eq!(found, expected.collect::<Vec<_>>(), "{method}");
        }
    }
}
