//! The report for programs: one JSON object on one line. Unknown or unconfigured values are null.

use serde_json::{Map, Value};

use super::found::{Matched, Report, RuleUse};
use super::found_directory::Directory;
use super::found_file::File;
use crate::report::finding::Finding;
use crate::sys::shown::escaped_json;

/// How many files that no pattern matches are named.
const NAMES_MAX: usize = 100;

/// Returns the report with its newline.
pub(super) fn text(report: &Report<'_>) -> String {
    let Report { version, uid, gid, state, inotify, .. } = report;
    let rotation = report.rotation.as_ref().map(|plan| {
        object(&mut [
            ("method", plan.method.into()),
            ("size", plan.size.into()),
            ("interval_seconds", plan.interval_seconds.into()),
            ("keep", plan.keep.into()),
        ])
    });
    let state = object(&mut [
        ("path", state.path.as_deref().into()),
        ("kept", state.is_kept().into()),
        ("status", state.status.name().into()),
    ]);
    let inotify = object(&mut [
        ("works", inotify.works.into()),
        ("directories", inotify.directories.into()),
        ("max_user_instances", inotify.max_user_instances.into()),
        ("max_user_watches", inotify.max_user_watches.into()),
    ]);
    let report = object(&mut [
        ("version", (*version).into()),
        ("uid", (*uid).into()),
        ("gid", (*gid).into()),
        ("groups", report.groups.iter().map(|gid| Value::from(*gid)).collect()),
        ("patterns", report.patterns.iter().map(matched).collect()),
        ("directories", report.directories.iter().map(directory).collect()),
        ("rotation", rotation.into()),
        ("rules", report.rules.iter().map(rule).collect()),
        ("state", state),
        ("inotify", inotify),
        ("open_files_max", report.open_files_max.into()),
        ("files", report.files.into()),
        ("warnings", report.findings.iter().map(finding).collect()),
    ]);
    escaped_json(&format!("{report}\n"))
}

fn matched(Matched { pattern, files, named_before, beside, left_out }: &Matched<'_>) -> Value {
    let left_out =
        left_out.iter().map(|(path, why)| object(&mut [("path", path.as_str().into()), ("reason", (*why).into())]));
    object(&mut [
        ("pattern", pattern.as_str().into()),
        ("files", files.iter().map(file).collect()),
        ("named_before", (*named_before).into()),
        ("not_matched", beside.names.iter().take(NAMES_MAX).map(|name| Value::from(name.as_str())).collect()),
        ("not_followed", left_out.collect()),
    ])
}

fn file(file: &File<'_>) -> Value {
    let lines = &file.first_lines;
    let mut lines =
        [("stdout", lines.stdout.into()), ("stderr", lines.stderr.into()), ("dropped", lines.dropped.into())];
    let stat = file.stat.as_ref();
    object(&mut [
        ("path", file.path.as_str().into()),
        ("size", stat.map(|stat| stat.size).into()),
        ("allocated", stat.map(|stat| stat.allocated_bytes).into()),
        ("streamed", file.status.as_ref().map(|status| status.streamed).into()),
        ("unread", file.status.as_ref().map(|status| status.unread).into()),
        ("mode", stat.map(|stat| format!("{:04o}", stat.mode)).into()),
        ("uid", stat.map(|stat| stat.uid).into()),
        ("gid", stat.map(|stat| stat.gid).into()),
        ("readable", file.readable.into()),
        ("writable", file.writable.into()),
        ("format", file.format.into()),
        ("pinned", file.pinned.into()),
        ("every_line", file.every_line.into()),
        ("first_lines", object(&mut lines)),
        ("rotation", file.rotation.into()),
    ])
}

fn rule(rule: &RuleUse) -> Value {
    object(&mut [
        ("variable", rule.variable.into()),
        ("rule", rule.rule.text().into()),
        ("held", rule.held.into()),
        ("records", rule.asked.into()),
    ])
}

fn directory(directory: &Directory) -> Value {
    object(&mut [
        ("path", directory.path.display().to_string().into()),
        ("file_system", directory.file_system.as_str().into()),
        ("size", directory.size.into()),
        ("available", directory.available.into()),
        ("writable", directory.unwritable.is_none().into()),
        ("birth_times", directory.birth_times.into()),
        ("methods", directory.methods.iter().map(|name| Value::from(*name)).collect()),
        ("not_tried", directory.not_tried.as_deref().into()),
        ("rotated_now", directory.rotated_now.into()),
    ])
}

fn finding(Finding { kind, text, .. }: &Finding) -> Value {
    object(&mut [("kind", kind.name().into()), ("message", text.as_str().into())])
}

/// Returns an object with these members.
fn object(members: &mut [(&str, Value)]) -> Value {
    let mut object = Map::new();
    // One by one: to collect them would sort them first, by 7 KiB of code.
    for (name, value) in members {
        object.insert((*name).to_owned(), value.take());
    }
    Value::Object(object)
}
