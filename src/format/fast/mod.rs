//! What only saves work: formats that need not be asked, headers that were taken apart before, lines that need not be read where
//! only errors are asked for. What is outside knows it by the names below.
//!
//! The way through it: `front` leaves out formats by how a line begins, `dated` by what stands behind a date. `headers` knows a
//! header again. `vector` compares bytes with many patterns at once, `alarm` says where a line may state an error, `skim` leaves
//! out the lines that cannot.
//!
//! All of it is made from the blocks of the formats when the program is compiled.
//!
//! Invariant: without anything of this every verdict would be the same; and where lines are passed over, all go where they would go
//! if every line were read. Tests over all samples, property tests and a fuzz target hold that.

mod dated;

mod front;

mod headers;

mod vector;

mod alarm;

mod skim;

pub(super) use front::candidates;
pub use headers::Headers;
pub(super) use skim::Vain;
pub use skim::{FoundHead, Skim, Unread};
