//! TODO

use super::Head;

/// TODO
pub fn read_gunicorn(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_uwsgi(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_python(_line: &[u8]) -> Option<Head> {
    None
}
