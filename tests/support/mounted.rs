//! File systems of the tests' own: ext4 and xfs on loop devices, tmpfs, overlay.
//!
//! A machine that cannot mount (no root, no mkfs) says so in one line ([`ignore`](super::say::ignore)).

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::bounded::run;
use super::files::{Directory, directory};
use super::say::say;

/// No mkfs and no mount takes longer.
pub const COMMAND_DEADLINE: Duration = Duration::from_secs(30);

/// xfs takes no less than 300 MB; the image is a sparse file.
const IMAGE_BYTES: u64 = 320 << 20;

const IMAGE: &str = "image";

/// How often a file system is mounted again until it has another device; other tests mount theirs meanwhile.
const ANOTHER_DEVICE_TRIES: usize = 8;

/// A file system of the test's own, unmounted and removed at its end.
pub struct Mounted {
    path: PathBuf,
    /// the image or the layers, and the directory that it is mounted on
    dir: Directory,
    /// another one beneath it, unmounted after it
    _beneath: Option<Box<Self>>,
}

impl Mounted {
    /// A tmpfs with these mount options.
    ///
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn tmpfs(options: &str) -> Result<Self, String> {
        Self::mount(directory(), None, &["-t", "tmpfs", "-o", options, "tmpfs"])
    }

    /// A file system in memory that can reclaim nothing, and has no bounds.
    ///
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn ramfs() -> Result<Self, String> {
        Self::mount(directory(), None, &["-t", "ramfs", "ramfs"])
    }

    /// An ext4 on a loop device.
    ///
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn ext4() -> Result<Self, String> {
        Self::loop_device("ext4", &["-q", "-F"])
    }

    /// An xfs on a loop device.
    ///
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn xfs() -> Result<Self, String> {
        Self::loop_device("xfs", &["-q"])
    }

    /// An xfs on a loop device that keeps few blocks ready behind the end of a file that grows: how many it keeps otherwise
    /// depends on how long the file was at each write, and nobody can take them away.
    ///
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn xfs_with_few_blocks_ready() -> Result<Self, String> {
        Self::mounted_loop_device("xfs", &["-q"], "loop,allocsize=64k")
    }

    /// An ext4 or xfs in an image of its own, made with these options of its mkfs.
    ///
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn loop_device(kind: &str, options: &[&str]) -> Result<Self, String> {
        Self::mounted_loop_device(kind, options, "loop")
    }

    fn mounted_loop_device(kind: &str, options: &[&str], mount_options: &str) -> Result<Self, String> {
        let dir = directory();
        let image = dir.path().join(IMAGE);
        File::create(&image).and_then(|file| file.set_len(IMAGE_BYTES)).expect("a sparse file");
        run(tool(&format!("mkfs.{kind}")).args(options).arg(&image), COMMAND_DEADLINE)?;
        Self::mount(dir, None, &["-t", kind, "-o", mount_options, &text(&image)])
    }

    /// An ext4 with the files that `fill` makes in its upper directory, which are born, and changed, so much later than now.
    ///
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn born_later(by: Duration, fill: impl FnOnce(&Path)) -> Result<Self, String> {
        // No machine keeps birth times in smaller inodes.
        let mounted = Self::loop_device("ext4", &["-q", "-F", "-I", "256"])?;
        fill(&mounted.path);
        let later = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + by;
        let mut requests = format!("set_inode_field / mtime @{}\nset_inode_field / mtime_extra 0\n", later.as_secs());
        for entry in fs::read_dir(&mounted.path).expect("the directory") {
            let name = entry.expect("readable").file_name().into_string().expect("UTF-8");
            for field in ["crtime", "mtime", "ctime"] {
                requests += &format!("set_inode_field /{name} {field} @{}\n", later.as_secs());
                // debugfs leaves the nanoseconds as they were: of files made about the turn of a second the older one would be
                // the younger, or born later than that.
                requests += &format!("set_inode_field /{name} {field}_extra 0\n");
            }
        }
        let (image, script) = (mounted.dir.path().join(IMAGE), mounted.dir.path().join("requests"));
        fs::write(&script, requests).expect("our own directory is writable");
        run(tool("umount").arg(&mounted.path), COMMAND_DEADLINE)?;
        run(tool("debugfs").arg("-w").arg("-f").arg(script).arg(&image), COMMAND_DEADLINE)?;
        run(tool("mount").args(["-o", "loop"]).arg(image).arg(&mounted.path), COMMAND_DEADLINE)?;
        Ok(mounted)
    }

    /// An overlay with its layers on this file system, the lower one filled by `fill`.
    ///
    /// # Errors
    ///
    /// What this machine lacks, as a sentence for people.
    pub fn overlay(beneath: Result<Self, String>, fill: impl FnOnce(&Path)) -> Result<Self, String> {
        let beneath = beneath?;
        let layer = |name: &str| beneath.path.join(name);
        for name in ["lower", "upper", "work"] {
            fs::create_dir(layer(name)).expect("a directory");
        }
        fill(&layer("lower"));
        let options = ["lower", "upper", "work"].map(|name| format!("{name}dir={}", text(&layer(name)))).join(",");
        Self::mount(directory(), Some(Box::new(beneath)), &["-t", "overlay", "-o", &options, "overlay"])
    }

    fn mount(dir: Directory, beneath: Option<Box<Self>>, arguments: &[&str]) -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("mounting needs root".to_owned());
        }
        let path = dir.path().join("mounted");
        fs::create_dir(&path).expect("a directory");
        run(tool("mount").args(arguments).arg(&path), COMMAND_DEADLINE)?;
        Ok(Self { path, dir, _beneath: beneath })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Unmounts a loop device's file system and mounts it again, as another device: as a volume comes back after a reboot, or on
    /// another node.
    pub fn mount_as_another_device(&mut self) {
        let device = fs::metadata(&self.path).expect("mounted").dev();
        let spare = self.dir.path().join("spare");
        File::create(&spare).and_then(|file| file.set_len(1 << 20)).expect("a sparse file");
        run(tool("umount").arg(&self.path), COMMAND_DEADLINE).expect("unmounted");
        let mut taken = Vec::new();
        for _ in 0..ANOTHER_DEVICE_TRIES {
            run(tool("mount").args(["-o", "loop"]).arg(self.dir.path().join(IMAGE)).arg(&self.path), COMMAND_DEADLINE)
                .expect("mounted");
            if fs::metadata(&self.path).expect("mounted").dev() != device {
                break;
            }
            // It got the device that it had, which is free: somebody else must have that one.
            run(tool("umount").arg(&self.path), COMMAND_DEADLINE).expect("unmounted");
            taken.extend(run(tool("losetup").args(["-f", "--show"]).arg(&spare), COMMAND_DEADLINE));
        }
        for device in taken {
            run(tool("losetup").args(["-d", device.trim()]), COMMAND_DEADLINE).expect("ours");
        }
        assert_ne!(fs::metadata(&self.path).expect("mounted").dev(), device);
    }

    /// Mounts it at another directory of its own instead.
    pub fn move_elsewhere(&mut self) {
        let path = self.dir.path().join("elsewhere");
        fs::create_dir(&path).expect("a directory");
        run(tool("umount").arg(&self.path), COMMAND_DEADLINE).expect("unmounted");
        run(tool("mount").args(["-o", "loop"]).arg(self.dir.path().join(IMAGE)).arg(&path), COMMAND_DEADLINE)
            .expect("mounted");
        self.path = path;
    }

    /// Mounts it again with other options: `ro`.
    pub fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        run(tool("mount").args(["-o", &options]).arg(&self.path), COMMAND_DEADLINE).expect("mounted again");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // After a panic something may still be running there; then it goes when that ends.
        let unmounted = run(tool("umount").arg(&self.path), COMMAND_DEADLINE)
            .or_else(|_| run(tool("umount").arg("--lazy").arg(&self.path), COMMAND_DEADLINE));
        if let Err(failure) = unmounted {
            say(&format!("cannot unmount {}: {failure}", self.path.display()));
        }
    }
}

/// A command of the administrator's, where the user's PATH does not lead.
pub fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

/// A path as an argument; ours are all ASCII.
fn text(path: &Path) -> String {
    path.to_str().expect("the path is UTF-8").to_owned()
}
