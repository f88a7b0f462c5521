//! The look at everything, as far as it has come.

use super::directory::Directory;
use super::machine::StatePlace;
use super::warning::Warning;
use crate::config::Config;
use crate::paths::watch::Watch;
use crate::read::buffer::Buffer;
use crate::report::{log, message};

/// Of how many files it is asked who writes to them: each time all processes are looked at, some milliseconds.
const WRITERS_ASKED_MAX: u32 = 32;

/// The look at everything, as far as it has come.
pub(super) struct Survey<'a> {
    pub config: &'a Config,
    pub watch: Watch,
    pub buffer: Buffer,
    pub state: StatePlace,
    pub directories: Vec<Directory>,
    /// How many files match.
    pub files: usize,
    /// The device of each file that can be followed.
    pub devices: Vec<u64>,
    /// Of how many more files it is asked who writes to them.
    pub writers_left: u32,
    pub warnings: Vec<Warning>,
    /// What was said, or looked at, of which device.
    pub told: Vec<(&'static str, u64)>,
}

impl<'a> Survey<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let mut warnings = Vec::new();
        let state = StatePlace::look(config, &mut warnings);
        Self {
            config,
            watch: Watch::start(),
            buffer: Buffer::default(),
            state,
            directories: Vec::new(),
            files: 0,
            devices: Vec::new(),
            writers_left: WRITERS_ASKED_MAX,
            warnings,
            told: Vec::new(),
        }
    }

    pub(super) fn warn(&mut self, kind: &'static str, message: String) {
        self.warnings.push(Warning { kind, message });
    }

    /// Takes over what the parts said, as warnings of this kind.
    pub(super) fn take_said(&mut self, kind: &'static str) {
        while let Some(line) = log::next_line() {
            let line = String::from_utf8_lossy(&line);
            self.warn(kind, line.trim_end().strip_prefix(message::PREFIX).unwrap_or(&line).to_owned());
        }
    }
}
