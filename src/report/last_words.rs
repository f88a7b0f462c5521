//! What the kubelet shows as a container's termination message.

use std::fs::OpenOptions;
use std::io::Write;

use super::message;

/// Where the kubelet reads it from, if the runtime mounts it.
///
/// Source: <https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/>
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Leaves these messages, one per line, in the place of what was left before. Does nothing where there is no such file.
#[allow(clippy::disallowed_methods, reason = "the kubelet made it for this")]
pub(crate) fn leave<'a>(messages: impl IntoIterator<Item = &'a str>) {
    if let Ok(mut file) = OpenOptions::new().write(true).truncate(true).open(TERMINATION_LOG) {
        let lines: String = messages.into_iter().map(message::plain_line).collect();
        // The same lines are on stderr.
        let _ = file.write_all(lines.as_bytes());
    }
}
