//! The report as text for people, as narrow as its contents, and as JSON.

use super::directory::Directory;
use super::file::File;
use super::machine::{Inotify, State};
use super::{Matched, Report};
use crate::log::visible;
use crate::units;

/// The report as one JSON object on one line.
pub fn json(report: &Report) -> String {
    // Every key is a string, so it cannot fail.
    serde_json::to_string(report).unwrap_or_default() + "\n"
}

/// The report in tables, then what is wrong, then how much that is.
pub fn text(report: &Report) -> String {
    let mut text = format!("sidetail {} runs as {}:{}", report.version, report.uid, report.gid);
    let groups: Vec<String> = report.groups.iter().filter(|gid| **gid != report.gid).map(u32::to_string).collect();
    if !groups.is_empty() {
        text += &format!(", also in group {}", groups.join(", "));
    }
    text.push('\n');
    for matched in &report.patterns {
        pattern(&mut text, matched, report.rotation.is_some());
    }
    if !report.directories.is_empty() {
        text.push('\n');
        let header = ["FREE", "OF", "KIND", "CAN", "DIRECTORY"].map(str::to_owned).to_vec();
        let rows = report.directories.iter().map(directory_row);
        table(&mut text, 2, &std::iter::once(header).chain(rows).collect::<Vec<_>>());
    }
    text.push('\n');
    for (name, value) in [
        ("rotation", rotation(report)),
        ("state", state(&report.state)),
        ("inotify", inotify(&report.inotify)),
        ("open files", format!("{} of at most {}", report.files, report.open_files_max)),
    ] {
        text += &format!("{name:<12}{}\n", visible(&value));
    }
    if !report.warnings.is_empty() {
        text.push('\n');
    }
    for warning in &report.warnings {
        text += &format!("warning: {}\n", visible(&warning.message));
    }
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    text += &format!("\n{}, {}\n", count(report.files, "file"), count(report.warnings.len(), "warning"));
    text
}

fn pattern(text: &mut String, Matched { pattern, files, named_before }: &Matched, rotates: bool) {
    let count = match (files.len(), named_before) {
        (0, 0) => "nothing yet".to_owned(),
        (1, 0) => "1 file".to_owned(),
        (files, 0) => format!("{files} files"),
        (0, before) => format!("{before} named above"),
        (files, before) => format!("{files} more, {before} named above"),
    };
    *text += &format!("\n{}: {count}\n", visible(pattern));
    if files.is_empty() {
        return;
    }
    let mut rows = vec![
        ["SIZE", "DISK", "MODE", "OWNER", "MAY", "FORMAT", "FIRST LINES", "ROTATION", "FILE"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(files.iter().map(file_row));
    if !rotates {
        for row in &mut rows {
            row.remove(7);
        }
    }
    table(text, 2, &rows);
}

fn file_row(file: &File) -> Vec<String> {
    let bytes = |bytes: Option<u64>| bytes.map_or("-".to_owned(), units::shown);
    let owner = file.uid.zip(file.gid).map_or("-".to_owned(), |(uid, gid)| format!("{uid}:{gid}"));
    let may = match (file.readable, file.writable) {
        (false, _) => "-",
        (true, false) => "r",
        (true, true) => "rw",
    };
    let pinned = if file.pinned { ", pinned" } else { "" };
    let format = file.format.as_ref().map_or("-".to_owned(), |format| format!("{format}{pinned}"));
    vec![
        bytes(file.size),
        bytes(file.allocated),
        file.mode.clone().unwrap_or_else(|| "-".to_owned()),
        owner,
        may.to_owned(),
        format,
        streams(file),
        file.rotation.unwrap_or("-").to_owned(),
        visible(&file.path),
    ]
}

/// Where the lines of a file go.
fn streams(file: &File) -> String {
    if let Some(stream) = file.every_line {
        return format!("all {stream}");
    }
    let lines = &file.first_lines;
    let parts = [(lines.stdout, "stdout"), (lines.stderr, "stderr"), (lines.dropped, "dropped")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}

fn directory_row(directory: &Directory) -> Vec<String> {
    let Directory { path, file_system, size, available, methods, not_tried, .. } = directory;
    let bytes = |bytes: u64| if *size == 0 { "-".to_owned() } else { units::shown(bytes) };
    let can = match not_tried {
        None => methods.join(", "),
        Some(why) => format!("not tried: {why}"),
    };
    vec![bytes(*available), bytes(*size), file_system.clone(), can, visible(path)]
}

fn rotation(report: &Report) -> String {
    let Some(plan) = &report.rotation else { return "off".to_owned() };
    let mut text = plan.method.to_owned();
    if let Some(size) = plan.size {
        text += &format!(", above {}", units::shown(size));
    }
    if let Some(seconds) = plan.interval_seconds {
        text += &format!(", every {seconds} s");
    }
    text + &format!(", {} archives a file", plan.keep)
}

fn state(State { path, status, .. }: &State) -> String {
    match path {
        Some(path) => format!("{path}: {status}"),
        None => (*status).to_owned(),
    }
}

fn inotify(inotify: &Inotify) -> String {
    let Inotify { works, directories, max_user_instances, max_user_watches, seen_instances, seen_watches } = inotify;
    let watched = if *works { format!("{directories} directories") } else { "none left, files are polled".to_owned() };
    let limit = |limit: &Option<u64>| limit.map_or("?".to_owned(), |limit| limit.to_string());
    format!(
        "{watched}; used of this user's limits, as far as seen: {seen_instances} of {} instances, {seen_watches} of {} watches",
        limit(max_user_instances),
        limit(max_user_watches)
    )
}

/// Appends rows whose columns stand below each other; the first `right` of them end below each other instead.
fn table(text: &mut String, right: usize, rows: &[Vec<String>]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(width - cell.chars().count());
            let is_last = column + 1 == row.len();
            *text += "  ";
            *text += &match (column < right, is_last) {
                (true, _) => blanks + cell,
                (false, true) => cell.clone(),
                (false, false) => cell.clone() + &blanks,
            };
        }
        text.push('\n');
    }
}
