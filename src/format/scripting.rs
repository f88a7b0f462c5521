//! TODO

use super::Head;

/// TODO
pub fn read_monolog(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_rails(_line: &[u8]) -> Option<Head> {
    None
}
