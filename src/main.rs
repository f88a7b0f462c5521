//! The program: its arguments in, its exit code out. Everything else is in the library.

fn main() -> std::process::ExitCode {
    sidetail::commands::main(std::env::args_os().skip(1))
}
