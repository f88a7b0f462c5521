//! `sidetail check [--json] [--strict] [PATH...]`: what would be followed now, and what stands in the way.
//!
//! It is meant for `kubectl exec` beside a running sidetail: it changes nothing there. No checkpoint is written, no lock is kept,
//! and what a file system can do is tried on a file without a name. What is in the files is judged, never printed.

mod machine;

mod found_directory;

mod found_file;

mod found;

mod as_json;

mod as_text;

mod survey;

mod look_at_directories;

mod look_at_files;

mod everything;

pub(super) use everything::check;
