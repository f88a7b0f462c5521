//! TODO

use super::Head;

/// TODO
pub fn read_cri(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_docker(_line: &[u8]) -> Option<Head> {
    None
}
