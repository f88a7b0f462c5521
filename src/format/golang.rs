//! TODO

use super::Head;

/// TODO
pub fn read_klog(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_go(_line: &[u8]) -> Option<Head> {
    None
}
