//! The demo's directory: ours alone, and gone afterwards.
#![allow(clippy::disallowed_methods, reason = "its directory is its own, beside no application")]

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::config;

/// How many directories of earlier demos are passed over: in a container every demo is process 1.
const NAMES_MAX: u32 = 100;

/// A directory that nobody else may enter; it is removed, with everything in it, when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one for temporary files.
    ///
    /// # Errors
    /// Why there can be none, with the way out.
    pub(super) fn make() -> Result<Self, String> {
        let mut number = 0;
        loop {
            let name = format!("sidetail-demo-{}-{number}", std::process::id());
            let path = config::temporary_directory().join(name);
            // Whatever has this name already, a link too, is not taken.
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists && number < NAMES_MAX => number += 1,
                Err(why) => {
                    let path = path.display();
                    return Err(format!("cannot create {path}: {why}; set TMPDIR to a writable directory"));
                }
                // As the kernel calls it, which is how sidetail's messages do.
                Ok(()) => return Ok(Self(path.canonicalize().unwrap_or(path))),
            }
        }
    }

    /// Returns where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays: the directory for temporary files is the right place for it.
        let _ = fs::remove_dir_all(&self.0);
    }
}
