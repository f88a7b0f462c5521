//! TODO

use super::Head;

/// TODO
pub fn read_nginx(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_apache(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_php_fpm(_line: &[u8]) -> Option<Head> {
    None
}
