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

/// Adds the message of a CRI line to `out`, and says whether the next line goes on with it (tag `P`).
pub fn unwrap_cri(line: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend(line);
    false
}

/// Adds the message of a line of Docker's json-file to `out`, and says whether the next line goes on with it.
pub fn unwrap_docker(line: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend(line);
    false
}
