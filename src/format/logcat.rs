//! TODO

use super::Head;

/// TODO
pub fn read(_line: &[u8]) -> Option<Head> {
    None
}
