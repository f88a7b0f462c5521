//! The program that cargo builds is static: it needs no interpreter and no library, so it runs `FROM scratch`.

use std::fs;

use object::Endianness;
use object::elf::{DT_NEEDED, ET_DYN, FileHeader64, FileType, PT_INTERP};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

#[test]
fn the_program_needs_nothing() {
    let program = Elf::of(env!("CARGO_BIN_EXE_sidetail"));
    let expected = Elf { kind: ET_DYN, interpreter: false, libraries: 0 };
    assert_eq!(
        program, expected,
        "the program is not static-pie: a RUSTFLAGS in the environment overrides .cargo/config.toml"
    );
}

#[test]
fn a_dynamic_program_is_told_apart() {
    // There is hardly a distribution whose shell is linked otherwise.
    let shell = Elf::of("/bin/sh");
    assert!(shell.interpreter && shell.libraries > 0, "{shell:?}");
}

/// What the headers of a 64-bit ELF file say about how it is loaded, after elf(5).
#[derive(Debug, PartialEq)]
struct Elf {
    /// `e_type`: a position-independent program, static or not, is `ET_DYN`
    kind: FileType,
    /// whether it names an interpreter: the dynamic loader
    interpreter: bool,
    /// how many shared libraries it asks for
    libraries: usize,
}

impl Elf {
    fn of(path: &str) -> Self {
        let file = &*fs::read(path).unwrap_or_else(|why| panic!("{path}: {why}"));
        let header = FileHeader64::<Endianness>::parse(file).expect("a 64-bit ELF file");
        let endian = header.endian().expect("an order of bytes");
        let mut elf = Self { kind: header.e_type(endian), interpreter: false, libraries: 0 };
        for segment in header.program_headers(endian, file).expect("program headers") {
            elf.interpreter |= segment.p_type(endian) == PT_INTERP;
            let dynamic = segment.dynamic(endian, file).expect("a table").unwrap_or_default();
            elf.libraries += dynamic.iter().filter(|entry| entry.tag(endian) == DT_NEEDED).count();
        }
        elf
    }
}
