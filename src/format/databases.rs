//! TODO

use super::Head;

/// TODO
pub fn read_postgresql(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_mysql_slow(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_mysql(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_redis(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_mongodb(_line: &[u8]) -> Option<Head> {
    None
}

/// TODO
pub fn read_rabbitmq(_line: &[u8]) -> Option<Head> {
    None
}
