//! What format a line is in, what level it states, whether it continues the record before.
//!
//! Pure. Each format is a function that reads a line's header by hand. A [`Judge`] remembers for one file which format it is
//! in, so that most lines are read once, by the right function; but every line is judged for itself: one that clearly belongs
//! to another format is read as that.
//!
//! The way through it, from the ground up:
//!
//! - `expression`: what the user writes. `level`, `head`, `scan`, `dates`, `facility`, `json_object`: what is read from a line, and with what.
//! - `attribute`, `outline`, `header_layout`, `layouts`: what the headers of records say beyond time and level, and where.
//!   `slow_log`: the one header of several lines.
//! - `block`: what a format is. `formats`: a family a file, with a whole block for each format; `catalog` lists all of them in
//!   the order in which they are tried.
//! - `continuation`: what traces look like, whatever format they stand in. `general`: a line of no known format; `pieces`,
//!   `header_bytes`, `in_brackets`, `glued`: what its header consists of, `first_words`: what some have in its place, `bare_outline`: where its parts are. `pairs`: a line that is all logfmt.
//! - `fast`: what only saves work, behind one door.
//! - `civil_days`, `zone`, `written_time`, `time`: what a time is in RFC 3339, however it was written.
//! - `reading`: a line by one format or by all, and what stands inside a line. `likely`: which format a wrong name means. `judge`: one file's lines, one by one.
//! - `fields`: what a record says of itself beyond that.
//!
//! Invariants:
//!
//! - Unsure means no level: a level is only what stands where the format puts it, never a word somewhere in a message.
//! - Every function takes time linear in the length of its line, whatever the bytes are.
//! - A module imports only from those above it in the list below.

pub(crate) mod expression;

mod level;

mod head;

mod scan;

mod dates;

mod facility;

mod json_object;

mod attribute;

mod outline;

mod header_layout;

mod layouts;

mod slow_log;

mod block;

mod formats;

mod catalog;

mod continuation;

mod glued;

mod first_words;

mod in_brackets;

mod header_bytes;

mod pieces;

mod general;

mod bare_outline;

mod pairs;

mod civil_days;

mod zone;

mod written_time;

mod time;

mod fast;

mod reading;

mod likely;

mod judge;

mod fields;

pub use attribute::{Attribute, Holds};
pub use catalog::FormatId;
pub use fast::{FoundHead, Headers, Skim, Unread};
pub(crate) use fields::message;
pub use fields::{Body, Fields, fields, unwrapped};
pub use formats::own::OwnFormat;
pub use head::Span;
pub(crate) use judge::AHEAD_BYTES_MAX;
pub use judge::{Formats, Judge, Verdict};
pub use level::Level;
pub use outline::{Outline, Places};
pub use pairs::{PairValue, Pairs};
pub use time::{Time, Times};
pub(crate) use zone::TABLE_BYTES_MAX;
pub use zone::Zone;
