//! The image is the program and nothing else, so it is as large as that.

use std::fs;

use crate::support::say::say;

/// 3.5 MiB: what a sidecar's image may weigh.
const BYTES_MAX: u64 = 7 << 19;

#[test]
fn the_program_is_small() {
    let bytes = fs::metadata(env!("CARGO_BIN_EXE_sidetail")).expect("it was built").len();
    say(&format!("the program: {bytes} of at most {BYTES_MAX} bytes"));
    assert!(bytes <= BYTES_MAX, "{bytes} bytes are more than {BYTES_MAX}; cargo bloat --release says where they are");
}
