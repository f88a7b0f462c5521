//! The look at everything, as far as it has come.

use std::path::Path;

use super::found_directory::Directory;
use super::machine::StatePlace;
use crate::config::Config;
use crate::paths::watch::Watch;
use crate::read::buffer::Buffer;
use crate::report::finding::{Finding, Kind};
use crate::shelf::checkpoint::Checkpoint;
use crate::shelf::known::Known;

/// Of how many files it is asked who writes to them: each time all processes are looked at, some milliseconds.
const WRITERS_ASKED_MAX: u32 = 32;

/// The look at everything, as far as it has come.
pub(super) struct Survey<'a> {
    pub config: &'a Config,
    pub watch: Watch,
    pub buffer: Buffer,
    pub state: StatePlace,
    /// What the checkpoint says.
    pub known: Known,
    pub directories: Vec<Directory>,
    /// How many files match.
    pub files: usize,
    /// The device of each file that can be followed.
    pub devices: Vec<u64>,
    /// Of how many more files it is asked who writes to them.
    pub writers_left: u32,
    pub findings: Vec<Finding>,
    /// Which questions were asked about which device, whether or not something was found.
    pub asked: Vec<(Kind, u64)>,
    /// The devices whose size was compared with the configured sizes.
    pub weighed: Vec<u64>,
}

impl<'a> Survey<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let (state, mut findings) = StatePlace::look(config);
        findings.splice(0..0, config.findings.iter().cloned());
        Self {
            config,
            watch: Watch::start(),
            buffer: Buffer::default(),
            state,
            known: Checkpoint::new(&config.state, &config.paths[0].root, &config.patterns_text).peek(),
            directories: Vec::new(),
            files: 0,
            devices: Vec::new(),
            writers_left: WRITERS_ASKED_MAX,
            findings,
            asked: Vec::new(),
            weighed: Vec::new(),
        }
    }

    /// Notes what is found that is about no file.
    pub(super) fn find(&mut self, kind: Kind, text: String) {
        self.findings.push(Finding::new(kind, text));
    }

    /// Notes what is found that is about a file or a directory.
    pub(super) fn find_of(&mut self, about: &Path, kind: Kind, text: String) {
        self.findings.push(Finding::of(about, kind, text));
    }
}
