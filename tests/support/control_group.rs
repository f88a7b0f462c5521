//! Control groups of a test's own, which kill what takes more memory than they have: as the kubelet makes one of a pod's limit.
//!
//! A machine that has none to give (no root, no memory controller) says so in one line ([`ignore`](super::say::ignore)).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::bounded::wait_for;

/// Where they are mounted, cgroups(7).
const MOUNTED: &str = "/sys/fs/cgroup";

/// A process that was killed leaves its group in a moment.
const EMPTY_WITHIN: Duration = Duration::from_secs(5);

/// So many were made by this process.
static MADE: AtomicU32 = AtomicU32::new(0);

/// The names of what is read and written there, which differ by the version.
struct Names {
    limit: &'static str,
    with_swap: Option<&'static str>,
    most: &'static str,
    kills: (&'static str, &'static str),
}

const FIRST: Names = Names {
    limit: "memory.limit_in_bytes",
    with_swap: Some("memory.memsw.limit_in_bytes"),
    most: "memory.max_usage_in_bytes",
    kills: ("memory.oom_control", "oom_kill "),
};

const SECOND: Names =
    Names { limit: "memory.max", with_swap: None, most: "memory.peak", kills: ("memory.events", "oom_kill ") };

/// A control group with a limit of memory, removed at its end.
pub struct ControlGroup {
    path: PathBuf,
    names: &'static Names,
}

impl ControlGroup {
    /// Makes one in which processes may take so many bytes together, with all that the kernel keeps for them.
    ///
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn with_memory(limit_bytes: u64) -> Result<Self, String> {
        let own = fs::read_to_string("/proc/self/cgroup").map_err(|why| format!("no control groups: {why}"))?;
        let name = format!("sidetail-test-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let mut why_not = "no memory controller".to_owned();
        for (above, names) in places(&own) {
            let path = above.join(&name);
            if let Err(why) = fs::create_dir(&path) {
                why_not = format!("{}: {why}", path.display());
                continue;
            }
            let group = Self { path, names };
            match group.write(names.limit, &limit_bytes.to_string()) {
                Ok(()) => {
                    // Where swap is not counted there is no such file.
                    let _ = names.with_swap.map(|name| group.write(name, &limit_bytes.to_string()));
                    return Ok(group);
                }
                Err(why) => why_not = why,
            }
        }
        Err(why_not)
    }

    /// Returns a command that enters the group, and becomes the command that is added to it.
    pub fn entered(&self) -> Command {
        let mut shell = Command::new("sh");
        let procs = self.path.join("cgroup.procs");
        shell.args(["-c", r#"procs=$1; shift; echo $$ >"$procs" && exec "$@""#, "sh"]).arg(procs);
        shell
    }

    /// Returns the most that was taken at a time, in bytes; nothing where the kernel does not count that.
    pub fn most_bytes(&self) -> Option<u64> {
        fs::read_to_string(self.path.join(self.names.most)).ok()?.trim().parse().ok()
    }

    /// Returns how many processes were killed because they wanted more.
    pub fn kills(&self) -> u64 {
        let (file, word) = self.names.kills;
        let text = fs::read_to_string(self.path.join(file)).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix(word)?.trim().parse().ok()).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|why| format!("{}: {why}", path.display()))
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        wait_for(|| fs::remove_dir(&self.path).ok(), EMPTY_WITHIN);
    }
}

/// Returns the groups beneath which one may be made, by what a process is told of its own.
fn places(own: &str) -> Vec<(PathBuf, &'static Names)> {
    let mut places = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let path = Path::new(path.trim_start_matches('/'));
        if controllers.split(',').any(|one| one == "memory") {
            let mounted = Path::new(MOUNTED).join("memory");
            // In a namespace of control groups the path may be one that is not seen here.
            places.extend([mounted.join(path), mounted].map(|place| (place, &FIRST)));
        } else if controllers.is_empty() {
            // A group with processes of its own gives no controller to groups beneath it; those above it may.
            let mounted = Path::new(MOUNTED);
            for above in mounted.join(path).ancestors().take_while(|above| above.starts_with(mounted)) {
                if has_memory(above) {
                    places.push((above.to_owned(), &SECOND));
                }
            }
        }
    }
    places
}

/// Says whether groups beneath one of the second version have the memory controller, and gives it to them if that can be done.
fn has_memory(above: &Path) -> bool {
    let control = above.join("cgroup.subtree_control");
    let has = || fs::read_to_string(&control).is_ok_and(|text| text.split_whitespace().any(|one| one == "memory"));
    has() || (fs::write(&control, "+memory").is_ok() && has())
}

#[test]
fn a_group_kills_what_takes_too_much() {
    let group = match ControlGroup::with_memory(16 << 20) {
        Ok(group) => group,
        Err(why) => return super::say::ignore(&format!("a_group_kills: {why}")),
    };
    let run = |bytes: &str| {
        let script = format!("head -c {bytes} /dev/zero | tail -c {bytes} | wc -c");
        super::bounded::run(group.entered().args(["sh", "-c", &script]), Duration::from_secs(60))
    };
    assert_eq!(run("1000000").expect("little").trim(), "1000000");
    assert_eq!(group.kills(), 0);
    let said = run("64000000");
    assert!(said.as_ref().map_or(true, |text| text.trim() != "64000000") && group.kills() > 0, "{said:?}");
    assert!(group.most_bytes().is_none_or(|most| most > 8 << 20));
}
