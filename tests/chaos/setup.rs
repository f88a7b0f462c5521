//! How sidetail is set up in a round: every way of writing, of rotating and of keeping state, on every file system.

use std::path::Path;

use super::prng::Prng;
use super::witness::Output;

/// Where the volume is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the temporary directory, whatever that is on.
    Here,
    Tmpfs,
    Ext4,
    Xfs,
}

/// What follows from the seed before anything is done.
#[derive(Debug, Clone)]
pub struct Setup {
    pub place: Place,
    pub output: Output,
    /// `None`: nothing is rotated.
    pub method: Option<&'static str>,
    pub keep: u64,
    compress: &'static str,
    budget: Option<&'static str>,
    /// Whether state is kept in the volume, where the application can do with it what it likes.
    pub is_state_shared: bool,
    /// Whether it runs as the user of the image, and not as root.
    pub is_other_user: bool,
    has_few_descriptors: bool,
    is_all_matched: bool,
    max_line: Option<&'static str>,
    partial_timeout: Option<&'static str>,
}

/// From which size on files are rotated, in bytes.
pub const ROTATE_BYTES: u64 = 64 << 10;

const METHODS: [&str; 5] = ["auto", "punch", "collapse", "rename", "copytruncate"];

impl Setup {
    pub fn choose(prng: &mut Prng) -> Self {
        let place = [Place::Here, Place::Tmpfs, Place::Ext4, Place::Xfs, Place::Here, Place::Tmpfs];
        let method = (!prng.one_in(6)).then(|| METHODS[prng.below(5) as usize]);
        let is_safe = matches!(method, Some("rename" | "copytruncate"));
        let (keep, compress) = (prng.below(3), ["gzip", "none"][prng.below(2) as usize]);
        // What was renamed away is found again by what was noted of it alone.
        let is_state_shared = prng.one_in(2) && method != Some("rename");
        Self {
            place: place[prng.below(place.len() as u64) as usize],
            output: Output::ALL[prng.below(5) as usize],
            method,
            keep,
            compress,
            budget: (!is_safe && method.is_some() && prng.one_in(4)).then_some("8Mi"),
            is_state_shared,
            is_other_user: prng.one_in(2) && rustix::process::geteuid().is_root(),
            has_few_descriptors: prng.one_in(4),
            is_all_matched: prng.one_in(3),
            max_line: prng.one_in(3).then_some("64Ki"),
            partial_timeout: prng.one_in(3).then_some("1s"),
        }
    }

    /// Whether the application may take what looks like an archive of the witness: a file that was renamed is the witness itself,
    /// and what is not compressed is streamed again as soon as it has the name of a log.
    pub fn has_archives_to_attack(&self) -> bool {
        self.method != Some("rename") && (self.keep == 0 || self.compress == "gzip")
    }

    /// Whether the witness is truncated while it is written to, which loses something: then it must not be.
    pub fn waits_for_truncation(&self) -> bool {
        self.method == Some("copytruncate")
    }

    /// Whether a file is destroyed under its eyes, and what it says of that held to what is missing. One that it renames or truncates
    /// itself is another one then.
    pub fn has_victim(&self) -> bool {
        !matches!(self.method, Some("rename" | "copytruncate"))
    }

    /// Returns how many files the program may have open.
    pub fn descriptors(&self) -> u32 {
        if self.has_few_descriptors { 64 } else { 1024 }
    }

    /// Returns its variables, without the prefix.
    pub fn variables(&self, volume: &Path, state: &Path) -> Vec<(&'static str, String)> {
        let of = |pattern: &str| format!("{}/{pattern}", volume.display());
        let mut paths = vec![of("**/*.log")];
        if self.is_all_matched {
            paths.push(of("*"));
        }
        let mut variables = vec![
            ("PATHS", paths.join("\n")),
            ("STDERR", "level>=error\nfile:mark-*.log".to_owned()),
            ("OUTPUT", self.output.name().to_owned()),
        ];
        if !self.is_state_shared {
            variables.push(("STATE", state.display().to_string()));
        }
        if let Some(method) = self.method {
            variables.push(("ROTATE_SIZE", ROTATE_BYTES.to_string()));
            variables.push(("ROTATE_METHOD", method.to_owned()));
            variables.push(("ROTATE_KEEP", self.keep.to_string()));
            variables.push(("ROTATE_COMPRESS", self.compress.to_owned()));
        }
        let more =
            [("DIR_BUDGET", self.budget), ("MAX_LINE", self.max_line), ("PARTIAL_TIMEOUT", self.partial_timeout)];
        variables.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))));
        variables
    }
}
