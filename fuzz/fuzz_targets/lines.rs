//! Line splitting against a splitter so plain that it is obviously right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetail::read::line::{Piece, Pieces, whole_lines};

/// Returns what `Pieces` must return, byte by byte.
fn plain_pieces(block: &[u8], line_bytes_max: usize) -> Vec<Piece> {
    let (mut found, mut start) = (Vec::new(), 0);
    for end in (0..block.len()).filter(|index| block[*index] == b'\n') {
        while end - start > line_bytes_max {
            found.push(Piece { start, end: start + line_bytes_max, terminated: false });
            start += line_bytes_max;
        }
        found.push(Piece { start, end: end + 1, terminated: true });
        start = end + 1;
    }
    found
}

fuzz_target!(|input: (u8, &[u8])| {
    let (max, block) = input;
    let line_bytes_max = usize::from(max) + 1;
    // Of an unfinished line only pieces are given, and only if it is too long.
    let block = &block[..whole_lines(block)];
    let found: Vec<Piece> = Pieces::new(block, line_bytes_max).collect();
    assert_eq!(found, plain_pieces(block, line_bytes_max));
    assert_eq!(block.len(), found.last().map_or(0, |piece| piece.end));
    for piece in found {
        assert!(piece.content(block).len() <= line_bytes_max && !piece.content(block).contains(&b'\n'));
    }
});
