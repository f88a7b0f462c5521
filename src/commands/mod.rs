//! What the command line asks for, and the exit code it gets.

mod exit;

mod help;

mod shapes;

mod classify;

mod check;

mod follow;

mod demo;

mod print_status;

mod request_rotation;

mod mistyped;

mod dispatch;

pub use dispatch::main;
