//! TODO

use super::Head;

/// TODO
pub fn read_jul(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_log4j(_line: &[u8]) -> Option<Head> {
    None
}
