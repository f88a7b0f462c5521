//! The report as text for people, as narrow as its contents.

use std::fmt::{Arguments, Write as _};

use super::found::{Matched, Report, RuleUse};
use super::found_directory::Directory;
use super::found_file::File;
use super::machine::Inotify;
use crate::config::STDERR_DEFAULT;
use crate::report::message::{counted, visible};
use crate::sys::units::shown;

/// The columns of files; the last but one is there if anything is rotated.
const FILES: [&str; 11] =
    ["SIZE", "DISK", "STREAMED", "UNREAD", "MODE", "OWNER", "MAY", "FORMAT", "FIRST LINES", "ROTATION", "FILE"];

/// The columns of directories.
const DIRECTORIES: [&str; 5] = ["FREE", "OF", "KIND", "CAN", "DIRECTORY"];

/// How many files that no pattern matches are named.
const BESIDE_MAX: usize = 8;

/// How many columns of each are numbers and end below each other.
const FILE_NUMBERS: usize = 4;
const DIRECTORY_NUMBERS: usize = 2;

/// The report in tables, then the warnings, then their number.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let line = &mut text;
    add(line, format_args!("sidetail {} runs as {}:{}", report.version, report.uid, report.gid));
    for gid in report.groups.iter().filter(|gid| **gid != report.gid) {
        add(line, format_args!(", {gid}"));
    }
    add(line, format_args!("\n"));
    for matched in &report.patterns {
        pattern(&mut text, matched, report.rotation.is_some());
    }
    text.push('\n');
    table(&mut text, &DIRECTORIES, DIRECTORY_NUMBERS, report.directories.iter().map(directory).collect());
    rest(&mut text, report);
    let Report { files, findings, .. } = report;
    for finding in findings {
        add(&mut text, format_args!("warning: {}\n", visible(&finding.text)));
    }
    let separator = if findings.is_empty() { "" } else { "\n" };
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let count = findings.len();
    add(&mut text, format_args!("{separator}{files} file{}, {count} warning{}\n", plural(*files), plural(count)));
    text
}

/// Appends what there is once, and not for each file or directory.
fn rest(text: &mut String, report: &Report) {
    text.push_str("\nrotation    ");
    match &report.rotation {
        None => text.push_str("off"),
        Some(plan) => {
            text.push_str(plan.method);
            if let Some(size) = plan.size {
                add(text, format_args!(", above {}", shown(size)));
            }
            if let Some(seconds) = plan.interval_seconds {
                add(text, format_args!(", every {seconds} s"));
            }
            add(text, format_args!(", archives kept: {}", plan.keep));
        }
    }
    text.push_str("\nstate       ");
    if let Some(path) = &report.state.path {
        add(text, format_args!("{}: ", visible(path)));
    }
    let Inotify { works, directories, max_user_instances, max_user_watches } = &report.inotify;
    add(text, format_args!("{}\ninotify     ", report.state.status.name()));
    if *works {
        let thing = if *directories == 1 { "directory" } else { "directories" };
        add(text, format_args!("watching {directories} {thing}"));
    } else {
        text.push_str("unavailable; polling instead");
    }
    add(text, format_args!("; limits per user: {max_user_instances} instances, {max_user_watches} watches\n"));
    add(text, format_args!("open files  {} of at most {}\n", report.files, report.open_files_max));
    // The default is there whether or not anybody wants it.
    let is_default = |rule: &RuleUse| rule.variable == "STDERR" && rule.rule.text() == STDERR_DEFAULT;
    for rule in report.rules.iter().filter(|rule| rule.held == 0 && rule.asked > 0 && !is_default(rule)) {
        let (name, shown, of) = (rule.variable, visible(rule.rule.text()), counted(rule.asked, "record"));
        add(text, format_args!("rule        SIDETAIL_{name}: {shown:?} held for none of {of}\n"));
    }
    text.push('\n');
}

fn pattern(text: &mut String, Matched { pattern, files, named_before, beside, left_out }: &Matched, rotates: bool) {
    add(text, format_args!("\n{}: ", visible(pattern)));
    match (files.len(), *named_before) {
        (0, 0) => text.push_str("nothing yet\n"),
        (1, 0) => text.push_str("1 file\n"),
        (files, 0) => add(text, format_args!("{files} files\n")),
        (files, before) => {
            add(text, format_args!("{}, {before} listed above\n", counted(files as u64, "more file")));
        }
    }
    let mut header = FILES.to_vec();
    let mut rows: Vec<_> = files.iter().map(file).collect();
    if !rotates {
        header.remove(FILES.len() - 2);
        rows.iter_mut().for_each(|row| drop(row.remove(FILES.len() - 2)));
    }
    table(text, &header, FILE_NUMBERS, rows);
    if !files.is_empty() && !beside.names.is_empty() {
        add(text, format_args!("  not matched: {}\n", visible(&beside.listed(BESIDE_MAX))));
    }
    for (path, why) in left_out {
        add(text, format_args!("  not followed: {} ({why})\n", visible(path)));
    }
}

fn file(file: &File) -> Vec<String> {
    let mut row = Vec::with_capacity(FILES.len());
    match &file.stat {
        Some(stat) => {
            row.extend([shown(stat.size), shown(stat.allocated_bytes)]);
            let status = file.status.as_ref().map(|status| [shown(status.streamed), shown(status.unread)]);
            row.extend(status.unwrap_or_else(|| ["-", "-"].map(ToOwned::to_owned)));
            row.extend([format!("{:04o}", stat.mode), format!("{}:{}", stat.uid, stat.gid)]);
        }
        None => row.resize(6, "-".to_owned()),
    }
    let may = ["-", "r", "rw"][usize::from(file.readable) + usize::from(file.writable)];
    let mut format = file.format.unwrap_or("-").to_owned();
    if file.pinned {
        format.push_str(", pinned");
    }
    let rotation = file.rotation.unwrap_or("-").to_owned();
    row.extend([may.to_owned(), format, first_lines(file), rotation, visible(&file.path)]);
    row
}

/// Returns where the first lines of a file go.
fn first_lines(file: &File) -> String {
    let mut text = String::new();
    match file.every_line {
        Some(stream) => add(&mut text, format_args!("all {stream}")),
        None => {
            let lines = &file.first_lines;
            let parts = [(lines.stdout, "stdout"), (lines.stderr, "stderr"), (lines.dropped, "dropped")];
            for (count, name) in parts.into_iter().filter(|(count, _)| *count > 0) {
                let separator = if text.is_empty() { "" } else { ", " };
                add(&mut text, format_args!("{separator}{count} {name}"));
            }
        }
    }
    if text.is_empty() { "-".to_owned() } else { text }
}

fn directory(directory: &Directory) -> Vec<String> {
    let Directory { path, file_system, size, available, methods, not_tried, .. } = directory;
    let [free, of] = [*available, *size].map(|bytes| if *size == 0 { "-".to_owned() } else { shown(bytes) });
    let mut can = methods.join(", ");
    if let Some(why) = not_tried {
        let separator = if can.is_empty() { "" } else { "; " };
        add(&mut can, format_args!("{separator}not tested: {why}"));
    }
    vec![free, of, file_system.clone(), can, visible(&path.display().to_string())]
}

/// Appends rows whose columns stand below each other; nothing if there are none.
fn table(text: &mut String, header: &[&str], numbers: usize, mut rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    rows.insert(0, header.iter().map(|name| (*name).to_owned()).collect());
    let mut widths = vec![0; header.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    // What follows the last column is the line's end.
    widths[header.len() - 1] = 0;
    for row in &rows {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if column < numbers {
                add(text, format_args!("  {cell:>width$}"));
            } else {
                add(text, format_args!("  {cell:width$}"));
            }
        }
        text.push('\n');
    }
}

/// Appends to a text, which takes everything, so it cannot fail.
fn add(text: &mut String, what: Arguments<'_>) {
    let _ = text.write_fmt(what);
}
