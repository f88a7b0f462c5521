//! Who asks for the pages of `LISTEN`.

use std::time::Instant;

use crate::report::listen::Listener;
use crate::report::process::Process;

/// Who asks, and what does not change until then.
#[derive(Debug)]
pub(super) struct Outward {
    pub(super) listener: Listener,
    pub(super) process: Process,
    pub(super) started: Instant,
}

impl Outward {
    /// Tells where the pages are: the port may be the kernel's choice.
    pub(super) fn new(listener: Listener) -> Self {
        tracing::info!("serving metrics at http://{}/metrics", listener.address());
        Self { listener, process: Process::look(), started: Instant::now() }
    }
}
