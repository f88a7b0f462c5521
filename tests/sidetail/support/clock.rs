//! A clock of a program that the test sets: `clock_gettime` replaced by a preloaded library, because the machine's own clock
//! cannot be set without harm.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::bounded::run;
use super::files::append;

/// A C compiler is there where Rust programs are linked; it takes a second.
const COMPILER_DEADLINE: Duration = Duration::from_secs(60);

/// The clock is ahead by as many steps as a file has bytes; without the file it is right.
const SOURCE: &str = r#"
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *time) {
    struct stat ahead;
    int result = syscall(SYS_clock_gettime, id, time);
    if (id == CLOCK && stat(getenv("CLOCK_AHEAD"), &ahead) == 0)
        time->tv_sec += ahead.st_size * STEP;
    return result;
}
"#;

/// Such a clock; it is right at first.
pub struct Clock {
    _tools: tempfile::TempDir,
    library: PathBuf,
    ahead: PathBuf,
}

impl Clock {
    /// Makes one of a kind as clock_gettime(2) calls it.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn new(kind: &str, step: Duration) -> Result<Self, String> {
        let tools = tempfile::tempdir().expect("a temporary directory");
        let [source, library, ahead] = ["clock.c", "clock.so", "ahead"].map(|name| tools.path().join(name));
        fs::write(&source, SOURCE).expect("written");
        let mut compile = Command::new("cc");
        compile.arg(format!("-DCLOCK={kind}")).arg(format!("-DSTEP={}", step.as_secs()));
        run(compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source), COMPILER_DEADLINE)?;
        Ok(Self { _tools: tools, library, ahead })
    }

    /// Gives it to a command.
    pub fn give<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("LD_PRELOAD", &self.library).env("CLOCK_AHEAD", &self.ahead)
    }

    /// Puts it ahead by one more step.
    pub fn put_ahead(&self) {
        append(&self.ahead, ".");
    }

    /// Makes it right again.
    pub fn set_back(&self) {
        fs::remove_file(&self.ahead).expect("it was ahead");
    }
}
