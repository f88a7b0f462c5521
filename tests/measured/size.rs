//! The image is the program and nothing else, so it is as large as that.

use std::fs;

use object::{Object, ObjectSection};

use crate::support::say::say;

/// 3.5 MiB: what a sidecar's image may weigh.
const BYTES_MAX: u64 = 7 << 19;

#[test]
fn the_program_is_small() {
    let bytes = fs::metadata(env!("CARGO_BIN_EXE_sidetail")).expect("it was built").len();
    say(&format!("the program: {bytes} of at most {BYTES_MAX} bytes"));
    assert!(bytes <= BYTES_MAX, "{bytes} bytes are more than {BYTES_MAX}; cargo bloat --release says where they are");
}

/// A tenth of the program would be what tells a panic its way up the stack, and a panic aborts.
#[test]
fn the_program_has_no_tables_that_nobody_reads() {
    let bytes = fs::read(env!("CARGO_BIN_EXE_sidetail")).expect("it was built");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let found: Vec<_> = file.sections().filter_map(|section| section.name().ok().map(ToOwned::to_owned)).collect();
    assert!(found.iter().any(|name| name == ".text"), "{found:?}");
    let tables = [".eh_frame", ".eh_frame_hdr", ".gcc_except_table"];
    assert!(!found.iter().any(|name| tables.contains(&name.as_str())), "{found:?}");
}
