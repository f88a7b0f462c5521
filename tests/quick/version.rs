//! `--version` names the commit, however the repository keeps it, and does without one.

use std::fs;

use crate::support::files::directory;
use crate::support::program::{Program, command};

#[allow(dead_code)]
#[path = "../../build.rs"]
mod build_script;

use build_script::commit_of;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn the_commit_is_found_however_the_repository_keeps_it() {
    let dir = directory();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("ours");
        fs::write(path, text).expect("ours");
    };
    let found = || commit_of(dir.path(), |_| ());
    assert_eq!(found(), None, "without a repository");
    write(".git/HEAD", &format!("{COMMIT}\n"));
    assert_eq!(found().as_deref(), Some(COMMIT), "detached");
    write(".git/HEAD", "ref: refs/heads/main\n");
    assert_eq!(found(), None, "before the first commit");
    write(
        ".git/packed-refs",
        &format!("# pack-refs\n{}7 refs/heads/not-main\n{COMMIT} refs/heads/main\n", &COMMIT[1..]),
    );
    assert_eq!(found().as_deref(), Some(COMMIT), "packed");
    write(".git/refs/heads/main", &format!("f{}\n", &COMMIT[1..]));
    assert_eq!(found(), Some(format!("f{}", &COMMIT[1..])), "a newer one than the packed");
    write("tree/.git", &format!("gitdir: {}\n", dir.path().join(".git/worktrees/tree").display()));
    write(".git/worktrees/tree/HEAD", "ref: refs/heads/main\n");
    write(".git/worktrees/tree/commondir", "../..\n");
    assert_eq!(commit_of(&dir.path().join("tree"), |_| ()), found(), "a worktree");
}

#[test]
fn the_version_may_have_a_commit() {
    let said = Program::spawn(command(&[]).arg("--version").stdout(std::process::Stdio::piped())).wait().stdout;
    let rest = said.strip_prefix(concat!("sidetail ", env!("CARGO_PKG_VERSION"))).expect("the version");
    let commit = rest.trim_end().strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
    assert!(rest == "\n" || commit.is_some_and(|commit| commit.bytes().all(|one| one.is_ascii_hexdigit())), "{said:?}");
}

#[test]
fn what_the_build_is_told_is_no_variable_of_the_program() {
    // `cargo run` and `cargo test` have it in their environment.
    assert_eq!(include_str!("../../build.rs").matches("rustc-env=").count(), 1);
    assert!(!include_str!("../../build.rs").contains("rustc-env=SIDETAIL_"));
}
