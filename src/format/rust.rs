//! TODO

use super::Head;

/// TODO
pub fn read_env_logger(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_tracing(_line: &[u8]) -> Option<Head> {
    None
}
