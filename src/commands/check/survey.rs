//! The look at everything, as far as it has come.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::found::RuleUse;
use super::found_directory::Directory;
use super::machine::StatePlace;
use crate::config::Config;
use crate::disk::own_ids::OwnIds;
use crate::output::rules::Rule;
use crate::paths::watch::Watch;
use crate::read::buffer::Buffer;
use crate::report::finding::{Finding, Kind};
use crate::report::refusal::Refusal;
use crate::shelf::checkpoint::{Checkpoint, Peeked};
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
    /// The archives that are ours.
    pub own: OwnIds,
    /// The checkpoint itself, which stays closed.
    pub checkpoint: Checkpoint,
    pub directories: Vec<Directory>,
    /// How many files match.
    pub files: usize,
    /// The device of each file that can be followed.
    pub devices: Vec<u64>,
    /// Of how many more files it is asked who writes to them.
    pub writers_left: u32,
    /// The rules of `DROP` and `STDERR`.
    pub rules: Vec<RuleUse>,
    pub findings: Vec<Finding>,
    /// What holds for all files of an owner and a mode: the first of them, what it is, and how many more there are.
    pub of_owner: Vec<OfOwner>,
    /// Which questions were asked about which device, whether or not something was found.
    pub asked: Vec<(Kind, u64)>,
    /// The devices whose size was compared with the configured sizes.
    pub weighed: Vec<u64>,
}

fn rules(config: &Config) -> Vec<RuleUse> {
    let of = |variable, rules: &[Rc<Rule>]| -> Vec<RuleUse> {
        rules.iter().map(|rule| RuleUse { variable, rule: Rc::clone(rule), held: 0, asked: 0 }).collect()
    };
    [of("DROP", &config.router.drop), of("STDERR", &config.router.stderr)].into_iter().flatten().collect()
}

/// What holds for all files of an owner and a mode.
pub(super) struct OfOwner {
    first: PathBuf,
    why: Refusal,
    more: u64,
    finding: fn(&Refusal, &Path, u64) -> Finding,
}

impl<'a> Survey<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let (state, mut checkpoint, mut findings) = StatePlace::look(config);
        findings.splice(0..0, config.findings.iter().cloned());
        let Peeked { known, finding, .. } = checkpoint.peek();
        // What cannot be kept there is not read there either.
        findings.extend(finding.filter(|_| state.is_kept()));
        Self {
            config,
            watch: Watch::start(),
            buffer: Buffer::default(),
            state,
            known,
            own: checkpoint.own_archives(),
            checkpoint,
            directories: Vec::new(),
            files: 0,
            devices: Vec::new(),
            writers_left: WRITERS_ASKED_MAX,
            rules: rules(config),
            findings,
            of_owner: Vec::new(),
            asked: Vec::new(),
            weighed: Vec::new(),
        }
    }

    /// Notes why a file cannot be followed, or reclaimed; what holds for others of its owner and mode is found once.
    pub(super) fn refuse(&mut self, path: &Path, why: Refusal, finding: fn(&Refusal, &Path, u64) -> Finding) {
        if !why.is_of_owner() {
            return self.findings.push(finding(&why, path, 0));
        }
        let same = |one: &&mut OfOwner| one.why == why && std::ptr::fn_addr_eq(one.finding, finding);
        match self.of_owner.iter_mut().find(same) {
            Some(one) => {
                one.more += 1;
                one.first = one.first.as_path().min(path).to_owned();
            }
            None => self.of_owner.push(OfOwner { first: path.to_owned(), why, more: 0, finding }),
        }
    }

    /// Adds what was found of several files to the findings.
    pub(super) fn find_of_owners(&mut self) {
        let found = self.of_owner.drain(..).map(|one| (one.finding)(&one.why, &one.first, one.more));
        self.findings.extend(found);
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
