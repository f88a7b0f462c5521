//! A podman of the test's own: images, pods and volumes live in a temporary directory, so whatever else podman does on the
//! machine is neither seen nor touched, and nothing is left behind.

use std::env;
use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::bounded::{run, wait_for};

/// What has to be installed; `.ci/run` does it.
const PROGRAMS: [&str; 5] = ["podman", "runc", "catatonit", "busybox", "tar"];

/// Limits that the machine may refuse are not asked for, containers need no network, and runc works where crun refuses the
/// control groups. Locks as files, because the usual ones are shared with the machine's own podman.
const CONTAINERS_CONF: &str = r#"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
runtime = "runc"
lock_type = "file"
events_logger = "none"
"#;

/// No single podman command here takes more than a few seconds.
const COMMAND_DEADLINE: Duration = Duration::from_secs(60);
/// For the processes that podman leaves to clean up after a container.
const CLEANUP_DEADLINE: Duration = Duration::from_secs(10);

/// A private podman; dropping it removes its pods and its storage.
pub struct Podman {
    dir: TempDir,
}

impl Podman {
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn new() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("real pods need root".to_owned());
        }
        if let Some(missing) = PROGRAMS.iter().find(|program| !is_installed(program)) {
            return Err(format!("{missing} is not installed; bash .ci/run installs it"));
        }
        let dir = TempDir::with_prefix("sidetail-pod-").expect("the temporary directory is writable");
        fs::write(dir.path().join("containers.conf"), CONTAINERS_CONF).expect("our own directory is writable");
        Ok(Self { dir })
    }

    /// A directory that goes when this podman goes.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The standard output of `podman ARGS`, without the newline at its end; panics with all it said if it fails.
    pub fn run(&self, args: &[&str]) -> String {
        self.run_within(args, COMMAND_DEADLINE)
    }

    /// The same with more time, for a container that works.
    pub fn run_within(&self, args: &[&str], deadline: Duration) -> String {
        let said = run(self.command().args(args), deadline);
        said.unwrap_or_else(|failure| panic!("{failure}")).trim_end().to_owned()
    }

    /// One field of a container, by its Go template.
    pub fn inspect(&self, container: &str, template: &str) -> String {
        self.run(&["inspect", "--format", template, container])
    }

    /// Makes `docker.io/library/busybox:1.37` of the machine's own static busybox, because nothing is pulled in a test.
    pub fn import_busybox(&self) {
        let script = r#"
            mkdir -p root/bin root/tmp && chmod 1777 root/tmp && cp "$(command -v busybox)" root/bin/busybox
            for applet in $(busybox --list); do [ -e "root/bin/$applet" ] || ln -s busybox "root/bin/$applet"; done
            tar -C root -cf busybox.tar ."#;
        let dir = self.dir.path();
        run(Command::new("sh").args(["-ec", script]).current_dir(dir), COMMAND_DEADLINE)
            .unwrap_or_else(|failure| panic!("{failure}"));
        self.run(&["import", &text(&dir.join("busybox.tar")), "docker.io/library/busybox:1.37"]);
    }

    /// Builds the last stage of the repository's Dockerfile as `tag`. The `build` stage, which needs a registry, is replaced
    /// by a directory with what it makes: `binary` as `sidetail`, and `tmp`. Every instruction of the last stage is executed.
    pub fn build_last_stage(&self, binary: &Path, tag: &str) {
        let stage = self.dir.path().join("build-stage");
        let files = stage.join("rootfs");
        fs::create_dir_all(files.join("tmp")).expect("our own directory is writable");
        fs::set_permissions(files.join("tmp"), Permissions::from_mode(0o1777)).expect("our own directory");
        fs::copy(binary, files.join("sidetail")).expect("the binary can be read");
        let context = format!("build={}", text(&stage));
        self.run(&["build", "--build-context", &context, "--tag", tag, env!("CARGO_MANIFEST_DIR")]);
    }

    /// For scripts: the words that call it, and what `CONTAINERS_CONF` must be.
    pub fn words(&self) -> (String, PathBuf) {
        (format!("podman {}", self.options().join(" ")), self.configuration())
    }

    fn command(&self) -> Command {
        let mut command = Command::new("podman");
        command.env("CONTAINERS_CONF", self.configuration()).args(self.options());
        command
    }

    fn configuration(&self) -> PathBuf {
        self.dir.path().join("containers.conf")
    }

    fn options(&self) -> [String; 4] {
        let place = |option: &str, name: &str| format!("{option}={}", text(&self.dir.path().join(name)));
        // Plain directories: works above any file system, and leaves no mount behind.
        let driver = "--storage-driver=vfs".to_owned();
        [place("--root", "storage"), place("--runroot", "run"), place("--tmpdir", "tmp"), driver]
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // A destructor that panics would hide the panic of the test, so it only says what went wrong.
        let removal = run(self.command().args(["pod", "rm", "--force", "--time", "0", "--all"]), COMMAND_DEADLINE);
        if let Err(failure) = removal {
            eprintln!("cannot remove the test's pods: {failure}");
        }
        if wait_for(|| fs::remove_dir_all(self.dir.path()).ok(), CLEANUP_DEADLINE).is_none() {
            eprintln!("cannot remove {}: a container still uses it", self.dir.path().display());
        }
    }
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // catatonit lives beside podman's own programs in some distributions.
    let podmans = ["/usr/libexec/podman", "/usr/lib/podman"].map(PathBuf::from);
    env::split_paths(&path).chain(podmans).any(|dir| dir.join(program).is_file())
}

/// A path as an argument; ours are all ASCII.
fn text(path: &Path) -> String {
    path.to_str().expect("the path is UTF-8").to_owned()
}
