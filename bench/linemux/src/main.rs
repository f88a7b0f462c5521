//! Follows the files that it is given with linemux, from their beginning, and writes their lines to stdout.
//!
//! What a person would write who takes linemux for the job of sidetail; `bench/run` measures it beside sidetail.

use std::io::{self, Write};

use linemux::MuxedLines;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut lines = MuxedLines::new()?;
    for path in std::env::args_os().skip(1) {
        lines.add_file_from_start(path).await?;
    }
    // Without a lock on stdout for each line; it is written through at the end of every line all the same.
    let mut stdout = io::stdout().lock();
    loop {
        match lines.next_line().await {
            Ok(Some(line)) => writeln!(stdout, "{}", line.line())?,
            Ok(None) => return Ok(()),
            // A line that is not UTF-8 is not what the others are lost for.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(error) => return Err(error),
        }
    }
}
