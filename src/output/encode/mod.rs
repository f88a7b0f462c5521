//! How a line looks on the stream. Each encoding is a file with one whole [`encoding::Encoding`], listed in [`encodings`].
//!
//! Pure. `raw` needs no encoding: its bytes go from the read buffer to the pipe as they are.

mod escape;

pub mod attribute_names;

mod attributes;

pub mod object;

pub mod encoding;

mod raw_lines;

mod prefixed_lines;

mod json_objects;

mod ecs_objects;

mod gcp_objects;

pub mod encodings;
