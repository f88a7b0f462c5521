//! Something that is not as it should be.

/// Something that is not as it should be.
#[derive(Debug)]
pub(super) struct Warning {
    /// The kind, for programs.
    pub kind: &'static str,
    /// What is wrong, and the way out.
    pub message: String,
}
