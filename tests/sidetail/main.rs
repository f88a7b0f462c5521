//! The built binary, tried from outside, a theme a module. All in one test program: they share their helpers.

mod support {
    pub mod bounded;
    pub mod files;
    pub mod podman;
    pub mod program;
    pub mod say;
    pub mod static_build;
}

mod config;
mod demo;
mod docs;
mod follow;
mod pod;
mod restart;
mod shutdown;
mod static_binary;
mod stream;
mod structure;
