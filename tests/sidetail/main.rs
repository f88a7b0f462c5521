//! The built binary, tried from outside, a theme a module. All in one test program: they share their helpers.

mod support {
    pub mod bounded;
    pub mod clock;
    pub mod counted;
    pub mod files;
    pub mod lines;
    pub mod mounted;
    pub mod namespace;
    pub mod pod;
    pub mod podman;
    pub mod program;
    pub mod records;
    pub mod room;
    pub mod rotator;
    pub mod say;
    pub mod static_build;
    pub mod validator;
}

mod agents;
mod archives;
mod beside;
mod budget;
mod bytes;
mod check;
mod classify;
mod clock;
mod config;
mod demo;
mod docs;
mod exhaustion;
mod exit_on;
mod filesystems;
mod follow;
mod formats;
mod give_back;
mod give_back_awkward;
mod give_back_kills;
mod hostile;
mod identity;
mod legacy;
mod messages;
mod objects;
mod pod;
mod pod_applications;
mod pod_rotate;
mod pressure;
mod rate_limit;
mod restart;
mod rotation;
mod shutdown;
mod specs;
mod static_binary;
mod stream;
mod structure;
mod weight;
mod zero_copy;
