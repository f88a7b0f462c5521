//! Which build of the program is attacked, and what it may weigh.

use std::path::PathBuf;

use super::life::Life;

/// What may be resident in any configuration, in KiB.
const RESIDENT_KIB_MAX: u64 = 8 * 1024;

/// The part of it that is not the program's own file, of which up to 2.5 MiB are resident.
const OWN_KIB_MAX: u64 = RESIDENT_KIB_MAX - 2560;

/// A build.
#[derive(Debug)]
pub struct Build {
    pub path: PathBuf,
    is_optimised: bool,
}

impl Build {
    /// Returns the one that the environment names, or else the one that was built with this test.
    pub fn chosen() -> Self {
        match std::env::var_os("SIDETAIL_CHAOS_PROGRAM") {
            Some(path) => Self { path: path.into(), is_optimised: true },
            None => Self { path: env!("CARGO_BIN_EXE_sidetail").into(), is_optimised: !cfg!(debug_assertions) },
        }
    }

    /// Returns the limit of memory that it runs under, in bytes. A program that is not optimised is several times as long, and is
    /// read again and again where it does not fit.
    pub fn limit_bytes(&self) -> u64 {
        if self.is_optimised { 8 << 20 } else { 24 << 20 }
    }

    /// Says what it takes more than it may.
    pub fn check(&self, life: &Life) -> Result<(), String> {
        if life.own_kib_max > OWN_KIB_MAX {
            return Err(format!("{} KiB of memory of its own", life.own_kib_max));
        }
        if self.is_optimised && life.resident_kib_max > RESIDENT_KIB_MAX {
            return Err(format!("{} KiB are resident", life.resident_kib_max));
        }
        Ok(())
    }
}
