//! Python packages in virtual environments of the target directory, each installed once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::bounded::run;

static INSTALLING: Mutex<()> = Mutex::new(());

const INSTALL_DEADLINE: Duration = Duration::from_secs(5 * 60);

/// Returns the folder of programs of an environment with this package, `NAME==VERSION`.
///
/// # Errors
///
/// Why it cannot be installed: no Python, no network.
pub fn programs_with(package: &str) -> Result<PathBuf, String> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(package.replace("==", "-"));
    let (programs, installed) = (venv.join("bin"), venv.join("installed"));
    // Tests that run at the same time would make it in each other's place.
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if !installed.exists() {
        let create = run(Command::new("python3").args(["-m", "venv"]).arg(&venv), INSTALL_DEADLINE);
        create.map_err(first_line)?;
        let mut pip = Command::new(programs.join("pip"));
        run(pip.args(["install", "--quiet", package]), INSTALL_DEADLINE).map_err(first_line)?;
        fs::write(installed, "").expect("our own directory is writable");
    }
    Ok(programs)
}

fn first_line(text: String) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
