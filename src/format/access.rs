//! TODO

use super::Head;

/// TODO
pub fn read_access(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_haproxy(_line: &[u8]) -> Option<Head> {
    None
}
