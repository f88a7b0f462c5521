//! TODO

use super::Head;

/// TODO
pub fn read_rfc5424(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_rfc3164(_line: &[u8]) -> Option<Head> {
    None
}
