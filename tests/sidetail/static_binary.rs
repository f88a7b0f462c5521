//! The static build: it needs no interpreter and no library, so it runs `FROM scratch`, and it stays small.

use std::fs;
use std::path::Path;

use crate::support::say::say;
use crate::support::static_build::{COMMAND, static_binary};

/// 2.5 MiB: what a sidecar image may weigh.
const SIZE_BYTES_MAX: usize = 5 << 19;

#[test]
fn the_static_binary_needs_nothing_and_is_small() {
    let binary = fs::read(static_binary()).expect("the build has left the binary");
    say(&format!("static binary: {} of at most {SIZE_BYTES_MAX} bytes", binary.len()));
    let expected = Elf { kind: ET_DYN, interpreter: false, libraries: 0 };
    assert_eq!(Elf::parse(&binary), expected, "the binary is not static-pie");
    assert!(binary.len() <= SIZE_BYTES_MAX, "{} bytes are more than {SIZE_BYTES_MAX}", binary.len());
}

#[test]
fn readme_and_dockerfile_build_it_by_the_same_command() {
    for name in ["README.md", "Dockerfile"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        assert!(text.contains(COMMAND), "{name} does not contain the tested command: {COMMAND}");
    }
}

/// This test program itself is linked dynamically: the parser must see it.
#[test]
fn a_dynamic_program_is_told_apart() {
    let this = fs::read("/proc/self/exe").expect("a program can read itself");
    let elf = Elf::parse(&this);
    assert!(elf.interpreter && elf.libraries > 0, "{elf:?}");
}

/// A position-independent program, static or not (`e_type` in elf(5)).
const ET_DYN: u16 = 3;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NEEDED: u64 = 1;

/// What the headers of a 64-bit little-endian ELF file say about how it is loaded, after elf(5).
#[derive(Debug, PartialEq)]
struct Elf {
    /// `e_type`
    kind: u16,
    /// whether it names an interpreter: the dynamic loader
    interpreter: bool,
    /// how many shared libraries it asks for
    libraries: usize,
}

impl Elf {
    fn parse(file: &[u8]) -> Self {
        assert!(file.starts_with(b"\x7fELF\x02\x01"), "not a 64-bit little-endian ELF file");
        let mut elf = Self { kind: u16::from_le_bytes(array(file, 16)), interpreter: false, libraries: 0 };
        for header in program_headers(file) {
            match u32::from_le_bytes(array(header, 0)) {
                PT_INTERP => elf.interpreter = true,
                PT_DYNAMIC => elf.libraries += libraries(segment(file, header)),
                _ => {}
            }
        }
        elf
    }
}

fn program_headers(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let table = word(file, 32);
    let size = usize::from(u16::from_le_bytes(array(file, 54)));
    let count = usize::from(u16::from_le_bytes(array(file, 56)));
    file[table..table + size * count].chunks_exact(size)
}

/// The bytes of the file that a program header describes.
fn segment<'file>(file: &'file [u8], header: &[u8]) -> &'file [u8] {
    let start = word(header, 8);
    &file[start..start + word(header, 32)]
}

/// How many entries of a dynamic section, which are pairs of a tag and a value, name a library.
fn libraries(dynamic: &[u8]) -> usize {
    dynamic.chunks_exact(16).filter(|entry| u64::from_le_bytes(array(entry, 0)) == DT_NEEDED).count()
}

/// The 64-bit offset or size at `offset`.
fn word(bytes: &[u8], offset: usize) -> usize {
    usize::try_from(u64::from_le_bytes(array(bytes, offset))).expect("a 64-bit file is read on a 64-bit machine")
}

fn array<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes[offset..offset + N].try_into().expect("the slice has N bytes")
}
