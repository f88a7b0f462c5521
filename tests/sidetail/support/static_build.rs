//! The static binary, built by the very command that README and Dockerfile give.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::bounded::run;

/// The command as a reader finds it. The host's own triple must be named: with `--target`, cargo keeps the flags away from
/// build scripts and procedural macros, which cannot be static. Packed relocations save 90 KB (`DT_RELR`, glibc 2.36).
pub const COMMAND: &str = concat!(
    r#"RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs" "#,
    r#"cargo build --release --locked --target "$(rustc --print host-tuple)""#,
);

/// A cold build with link-time optimisation takes less than two minutes on two cores.
const BUILD_DEADLINE: Duration = Duration::from_secs(10 * 60);
const QUESTION_DEADLINE: Duration = Duration::from_secs(60);

/// The path of the static binary, built now if anything has changed since. Tests that run at the same time wait for
/// each other by cargo's own lock.
pub fn static_binary() -> PathBuf {
    // Beside the outer cargo's directory, because that one is locked for as long as the outer cargo runs.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("static");
    let build = run(shell(COMMAND).env("CARGO_TARGET_DIR", &target), BUILD_DEADLINE);
    build.unwrap_or_else(|failure| panic!("the static build failed: {failure}"));
    let tuple = run(&mut shell("rustc --print host-tuple"), QUESTION_DEADLINE).expect("rustc is there");
    target.join(tuple.trim()).join("release/sidetail")
}

/// A shell in the package's directory that sees nothing of what the outer cargo was told.
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(env!("CARGO_MANIFEST_DIR"));
    // These would win over the RUSTFLAGS of the command.
    shell.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_TARGET");
    shell
}
