//! Tells the program which commit it is built from, if there is a repository around it, and the linker what a release on x86-64
//! leaves out.
//!
//! It reads files and runs nothing, because the image is built where no git is. A debug build has no commit: else each commit
//! would compile everything anew.

use std::fs;
use std::path::{Path, PathBuf};

/// How much of a commit is shown: enough to find it, short enough to read out.
const SHOWN: usize = 12;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    // On aarch64 the start-up code of a static program refers to what would be left out.
    let is_lean = is_release && std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");
    if is_lean {
        let script = root.join(".cargo/release.ld");
        println!("cargo:rerun-if-changed={}", script.display());
        for argument in ["-Wl,--no-eh-frame-hdr", "-T", &script.to_string_lossy()] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
    let found = is_release.then(|| commit_of(&root, |file| println!("cargo:rerun-if-changed={}", file.display())));
    let commit = found.flatten().map(|commit| format!(" ({})", commit.get(..SHOWN).unwrap_or(&commit)));
    // Not `SIDETAIL_…`: cargo hands it to the program that it runs, which knows its own variables only.
    println!("cargo:rustc-env=BUILT_FROM={}", commit.unwrap_or_default());
}

/// Returns the commit that is checked out in a directory; `None` without a repository. Each file that says so is given to `read`.
pub fn commit_of(root: &Path, read: impl Fn(&Path)) -> Option<String> {
    let text = |path: &Path| fs::read_to_string(path).ok().inspect(|_| read(path)).map(|text| text.trim().to_owned());
    let mut own = root.join(".git");
    // A worktree's is a file that says where its own things are; what it shares with others is elsewhere.
    if let Some(elsewhere) = text(&own) {
        own = root.join(elsewhere.strip_prefix("gitdir: ")?);
    }
    let shared = text(&own.join("commondir")).map_or_else(|| own.clone(), |common| own.join(common));
    let head = text(&own.join("HEAD"))?;
    let Some(name) = head.strip_prefix("ref: ") else { return Some(head) };
    text(&shared.join(name)).or_else(|| {
        // The next commit makes a file there.
        read(&shared.join("refs"));
        let packed = text(&shared.join("packed-refs"))?;
        let commit = packed.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' '))?;
        Some(commit.to_owned())
    })
}
